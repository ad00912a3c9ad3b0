// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/indexes.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "base/credentials.h"
#include "base/inside.h"
#include "base/json_text.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/install/ask_indexes.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/manifests/stated.h"
#include "builder-runtime/source/data.h"
#include "cache/builder_cache.h"

namespace builder::python {
namespace {

using process::Environment;

constexpr char k_pypi[] = "https://pypi.org/simple";
constexpr std::size_t k_most_asked = 12;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return std::isalnum(c) != 0 ? static_cast<char>(std::toupper(c)) : '_';
  });
  return text;
}

// The parts of a URL that matter here.
struct Url {
  std::string scheme;
  std::string authority;  // with user and password
  std::string host;       // without them, with the port

  explicit Url(const std::string& text) {
    const auto colon = text.find("://");
    if (colon == std::string::npos) return;
    scheme = text.substr(0, colon);
    authority = text.substr(colon + 3, text.find_first_of("/?#", colon + 3) - colon - 3);
    host = authority.substr(authority.rfind('@') + 1);
  }
  [[nodiscard]] std::string server() const { return scheme + "://" + host; }
  [[nodiscard]] std::string host_name() const { return host.substr(0, host.rfind(':')); }
};

class IndexCollector {
 public:
  void add(std::string url, std::string place, std::string name = "") {
    if (!url.starts_with("http://") && !url.starts_with("https://")) return;
    const std::string path = url.substr(0, url.find_first_of("?#"));
    const bool is_file =
        std::any_of(k_files.begin(), k_files.end(), [&](auto end) { return path.ends_with(end); });
    auto& list = is_file ? m_files : m_indexes;
    const std::string server = Url(url).server();
    const auto same = std::find_if(list.begin(), list.end(), [&](const IndexPlace& one) {
      return is_file ? Url(one.url).server() == server : one.url == url;
    });
    if (same != list.end()) return;
    list.push_back({std::move(url), std::move(name), std::move(place), !is_file, false});
  }

  // Every address in the lines of a requirements file.
  void add_lines(const std::string& text, const std::string& file) {
    std::size_t number = 0;
    for (const auto& line : base::split(text, '\n')) {
      ++number;
      if (base::trim(line).starts_with('#')) continue;
      for (std::size_t at = 0; (at = line.find("http", at)) != std::string::npos; ++at) {
        const bool is_git = at >= 4 && line.compare(at - 4, 4, "git+") == 0;
        const auto end = line.find_first_of(" \t\r\"',;", at);
        if (!is_git) add(line.substr(at, end - at), file + ":" + std::to_string(number));
      }
    }
  }

  // The addresses below the keys that name indexes and files, in TOML or JSON.
  void add_values(const data::Value& value, const std::string& file) {
    constexpr std::array<std::string_view, 8> k_keys = {"url",   "index-url", "extra-index-url", "find-links",
                                                        "index", "registry",  "dependencies",    "default"};
    for (const auto& item : value.items) add_values(item, file);
    for (const auto& [key, member] : value.members) {
      if (std::find(k_keys.begin(), k_keys.end(), key) != k_keys.end()) {
        const std::string place = member.line > 0 ? file + ":" + std::to_string(member.line) : file;
        if (member.is(data::Value::Kind::text)) add(member.scalar, place, value.text("name"));
        for (const auto& item : member.items) {
          // "x @ https://…"
          const auto at = item.scalar.find(" @ http");
          const auto start = at == std::string::npos ? 0 : at + 3;
          add(item.scalar.substr(start, item.scalar.find_first_of(" ;", start) - start),
              item.line > 0 ? file + ":" + std::to_string(item.line) : file);
        }
      }
      add_values(member, file);
    }
  }

  std::vector<IndexPlace> finish() {
    // Where packages come from at the end is asked after what names them.
    for (auto& file : m_files) {
      const auto server = Url(file.url).server();
      const bool is_known = std::any_of(m_indexes.begin(), m_indexes.end(), [&](const IndexPlace& index) {
        return Url(index.url).server() == server;
      });
      if (!is_known) m_indexes.push_back(std::move(file));
    }
    return std::move(m_indexes);
  }

 private:
  static constexpr std::array<std::string_view, 6> k_files = {".whl", ".gz",       ".zip",
                                                              ".bz2", ".metadata", ".xz"};
  std::vector<IndexPlace> m_indexes;
  std::vector<IndexPlace> m_files;
};

// Variables that name indexes: "name=URL" or URLs, with spaces or commas between.
void add_variables(const Environment& environment, const Environment& given, IndexCollector& places) {
  for (const std::string variable :
       {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
        "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"}) {
    // What a manifest names is handed to uv by the same variables.
    if (value_of(given, variable) != value_of(environment, variable) && !variable.starts_with("PIP_"))
      continue;
    std::string value = value_of(given, variable);
    std::replace(value.begin(), value.end(), ',', ' ');
    for (auto& word : base::split(value, ' ')) {
      const auto scheme = word.find("://");
      const auto sign = word.find('=');
      const bool is_named = sign < scheme;
      places.add(is_named ? word.substr(sign + 1) : word, "the variable " + variable,
                 is_named ? word.substr(0, sign) : "");
    }
  }
}

// What pyproject.toml or the like says to the tools that install from it, and not its links for readers.
void add_project(const data::Value& project, const std::string& file, IndexCollector& places) {
  for (const std::string table :
       {"tool.uv", "tool.poetry.source", "tool.pdm.source", "tool.poetry.dependencies"})
    places.add_values(project.at(table), file);
  data::Value dependencies{.kind = data::Value::Kind::table};
  dependencies.members.push_back({"dependencies", project.at("project.dependencies")});
  places.add_values(dependencies, file);
}

void add_requirements(const fs::path& source, std::vector<std::string> names, IndexCollector& places) {
  std::set<std::string> seen;
  constexpr std::size_t k_most_files = 64;
  for (std::size_t at = 0; at < names.size() && at < k_most_files; ++at) {
    const std::string name = fs::path(names[at]).lexically_normal().string();
    if (!seen.insert(name).second || !base::path_inside(source, name, name)) continue;
    const std::string text = base::read_input_file(source / name).value_or("");
    places.add_lines(text, name);
    for (const auto& line : logical_lines(text)) {
      if (const auto included = included_file(line); !included.empty())
        names.push_back((fs::path(name).parent_path() / included).string());
    }
  }
}

// The files of the source that may name an index, by what is installed from.
void add_source_files(const Installation& installation, IndexCollector& places) {
  const Manifest& manifest = installation.manifest;
  const fs::path& source = installation.source;
  const auto add_toml = [&](const std::string& name) {
    if (!is_file(source / name)) return;
    if (const auto file = data::read_toml(source / name, name)) places.add_values(*file, name);
  };
  if (manifest.kind == ManifestKind::requirements) add_requirements(source, manifest.files, places);
  if (manifest.kind == ManifestKind::pipfile || manifest.kind == ManifestKind::pipfile_lock)
    add_toml("Pipfile");
  if (manifest.kind == ManifestKind::pipfile_lock) {
    if (const auto file = data::read_json(source / manifest.files.front(), manifest.files.front()))
      places.add_values(file->at("_meta"), manifest.files.front());
  }
  add_project(manifest.project, manifest.is_inline() ? manifest.program : "pyproject.toml", places);
  add_toml("uv.toml");
  if (manifest.is_lock() && manifest.kind != ManifestKind::pipfile_lock) add_toml(manifest.files.front());
}

// What the proxy variables say about a host, as uv, pip and curl read them.
std::pair<std::string, std::string> proxy_for(const Url& url, const Environment& environment) {
  const auto first_of = [&](std::initializer_list<const char*> names) -> std::pair<std::string, std::string> {
    for (const auto* name : names) {
      if (auto value = value_of(environment, name); !value.empty()) return {name, value};
    }
    return {};
  };
  const std::string host = url.host_name();
  for (const auto& word : base::split(first_of({"NO_PROXY", "no_proxy"}).second, ',')) {
    std::string exempt(base::trim(word));
    if (exempt.starts_with('.')) exempt.erase(0, 1);
    if (exempt == "*" || exempt == host || exempt == url.host) return {};
    if (!exempt.empty() && host.ends_with("." + exempt)) return {};
  }
  auto proxy = url.scheme == "https" ? first_of({"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"})
                                     : first_of({"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"});
  if (!base::contains(proxy.second, "://") && !proxy.second.empty()) proxy.second.insert(0, "http://");
  // Others, as SOCKS, Python does not speak.
  if (!proxy.second.starts_with("http://") && !proxy.second.empty()) return {proxy.first, ""};
  return proxy;
}

bool is_insecure(const Url& url, const Environment& environment) {
  std::string hosts = value_of(environment, "UV_INSECURE_HOST");
  std::replace(hosts.begin(), hosts.end(), ',', ' ');
  const auto words = base::split(hosts, ' ');
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word == url.host || word == url.host_name(); });
}

std::string question_about(const IndexPlace& index, const std::vector<std::string>& names,
                           const Environment& environment) {
  const Url url(index.url);
  std::string user;
  std::string password;
  if (const auto sign = url.authority.rfind('@'); sign != std::string::npos) {
    const std::string both = url.authority.substr(0, sign);
    user = both.substr(0, both.find(':'));
    password = base::contains(both, ':') ? both.substr(both.find(':') + 1) : "";
  }
  for (const std::string prefix : {"UV_INDEX_", "POETRY_HTTP_BASIC_"}) {
    if (index.name.empty() || !user.empty()) continue;
    user = value_of(environment, prefix + upper(index.name) + "_USERNAME");
    password = value_of(environment, prefix + upper(index.name) + "_PASSWORD");
  }
  return base::json_text(nlohmann::json{{"url", index.url},
                                        {"proxy", proxy_for(url, environment).second},
                                        {"user", user},
                                        {"password", password},
                                        {"netrc", value_of(environment, "NETRC")},
                                        {"insecure", is_insecure(url, environment)},
                                        {"names", names}});
}

// A kind of fault as ask_indexes.py names it.
std::optional<IndexFault> fault_of(const IndexPlace& index, const std::string& kind,
                                   const std::string& detail, const Environment& environment) {
  const Url url(index.url);
  const std::string host = url.host;
  const std::string shown = base::hide_credentials(index.url);
  const std::string the_index = index.is_index ? "the package index " + shown : shown;
  const std::string origin =
      index.is_default ? "this is the default index; set UV_DEFAULT_INDEX or PIP_INDEX_URL to use another"
                       : "this address comes from " + index.place;
  if (kind == "certificate") {
    return IndexFault{"the certificate of " + host + " is not trusted",
                      origin + "; set SSL_CERT_FILE to a file with the certificate of its authority (PEM)"};
  }
  if (kind == "tls")
    return IndexFault{"no secure connection to " + host + " (TLS)",
                      origin + "; check whether the URL should start with http://"};
  if (kind == "name")
    return IndexFault{"the host " + url.host_name() + " is unknown",
                      origin + "; check the name, and the network and its DNS, then try again"};
  if (kind == "refused")
    return IndexFault{the_index + " cannot be reached: connection refused",
                      origin + "; check the address and the network, then try again"};
  if (kind == "silence")
    return IndexFault{
        the_index + " does not answer",
        origin + "; check the network, and whether a proxy (HTTPS_PROXY) is needed, then try again"};
  if (kind == "broken")
    return IndexFault{the_index + " cannot be reached: " + detail,
                      origin + "; check the network, then try again"};
  if (kind == "proxy") {
    const auto [variable, proxy] = proxy_for(url, environment);
    const std::string named = "the proxy " + base::hide_credentials(proxy);
    const std::string set = variable + " sets this proxy; ";
    if (base::contains(detail, "407"))
      return IndexFault{named + " requires credentials (407)",
                        set + "put the user name and password into its URL"};
    return IndexFault{host + " cannot be reached through " + named + (detail.empty() ? "" : ": " + detail),
                      set + "correct it, or add " + url.host_name() + " to NO_PROXY, then try again"};
  }
  if (kind == "credentials") {
    const std::string variables =
        index.name.empty() ? "" : " or in UV_INDEX_" + upper(index.name) + "_USERNAME and …_PASSWORD";
    const std::string in =
        "the user name and password in ~/.netrc (machine " + url.host_name() + ")" + variables;
    if (detail == "missing")
      return IndexFault{the_index + " requires credentials (401)",
                        origin + "; put " + in + ", or into the URL"};
    return IndexFault{the_index + " refuses the credentials (401)",
                      origin + "; check " + in + ", or in the URL"};
  }
  if (kind == "status" && detail == "404") {
    return IndexFault{
        index.is_index ? shown + " is not a package index (404)" : shown + " does not exist (404)",
        origin + "; check it" + (index.is_index ? ": it usually ends with /simple" : "")};
  }
  if (kind == "status" && detail == "403") {
    return IndexFault{the_index + " denies access (403)",
                      origin + "; check whether its credentials may read this index"};
  }
  if (kind == "status")
    return IndexFault{the_index + " fails (" + detail + ")", origin + "; try again later"};
  return std::nullopt;
}

}  // namespace

std::vector<IndexPlace> index_places(const Installation& installation, const Environment& given) {
  const auto& uv = installation.configuration;
  IndexCollector places;
  add_source_files(installation, places);
  add_variables(uv.environment, given, places);
  for (const auto& [url, place] : uv.index_places) places.add(url, place);
  const fs::path home = value_of(given, "HOME");
  for (const fs::path& file : {home / ".config" / "uv" / "uv.toml", fs::path("/etc/uv/uv.toml")}) {
    if (!is_file(file)) continue;
    if (const auto settings = data::read_toml(file, file.string()))
      places.add_values(*settings, file.string());
  }
  auto all = places.finish();
  const bool has_default = !value_of(uv.environment, "UV_DEFAULT_INDEX").empty() ||
                           !value_of(uv.environment, "UV_INDEX_URL").empty();
  const bool is_named = std::any_of(all.begin(), all.end(), [](const IndexPlace& one) {
    return Url(one.url).server() == Url(k_pypi).server();
  });
  if (!has_default && !is_named) all.push_back({k_pypi, "", "", true, true});
  return all;
}

base::Result<std::optional<IndexFault>> find_index_fault(const Installation& installation, const Tools& tools,
                                                         bool only_named) {
  auto places = index_places(installation, tools.settings().environment);
  if (only_named) {
    // What is on a server of PyPI's own is not the fault of who named it.
    std::erase_if(places, [](const IndexPlace& one) {
      return one.is_default || !one.is_index || Url(one.url).server() == Url(k_pypi).server();
    });
  }
  if (places.size() > k_most_asked) places.resize(k_most_asked);
  std::optional<IndexFault> fault;
  if (places.empty()) return fault;
  std::vector<std::string> names;
  if (!installation.manifest.is_lock()) {
    for (const auto& ask : statement_of(installation.source, installation.manifest).asks)
      names.push_back(ask.name);
  }
  const auto& environment = installation.configuration.environment;
  std::string questions;
  for (const auto& place : places) questions += question_about(place, names, environment) + "\n";
  // They may have passwords, which an argument would show to everybody.
  BASE_TRY_ASSIGN(const auto workspace, caches::make_workspace(tools.settings().cache));
  const fs::path file = workspace.path() / "questions";
  constexpr mode_t k_private = 0600;
  BASE_TRY(base::write_file(file, questions, k_private));
  const base::UniqueFd input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input) return fault;
  Environment own = {{"LC_ALL", "C.UTF-8"}};
  for (const std::string name : {"HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    if (const auto value = value_of(environment, name); !value.empty()) own[name] = value;
  }
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run_quietly({.arguments = {installation.interpreter.path, "-I", "-c", k_ask_indexes},
                                     .environment = std::move(own),
                                     .folder = "/",
                                     .standard_input = input.get()}));
  for (const auto& line : base::split(finished.output, '\n')) {
    const auto words = base::split(line, '\t');
    if (words.size() != 3 || words[0].empty()) continue;
    const std::size_t number = std::stoul(words[0]);
    if (number >= places.size()) continue;
    fault = fault_of(places[number], words[1], words[2], environment);
    if (fault) return fault;
  }
  return fault;
}

}  // namespace builder::python
