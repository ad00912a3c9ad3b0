// SPDX-License-Identifier: Apache-2.0
// Source: pip.pypa.io, "Configuration"; docs.astral.sh/uv, "Environment variables".
#include "builder-runtime/languages/python/manifests/pip_configuration.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "builder-runtime/settings.h"
#include "builder-runtime/source/ini.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using Options = std::map<std::string, std::string>;

// "Index-Url" and "index_url" are one option.
std::string option_name(std::string_view text) {
  std::string name;
  for (const char character : text) {
    name += character == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
  }
  return name;
}

// The sections that `pip install` reads, the later one counting more.
bool read_file(const fs::path& file, Options& options) {
  const auto text = base::read_input_file(file);
  if (!text) return false;
  const auto ini = data::parse_ini(*text);
  for (const std::string name : {"global", "install"}) {
    const auto section = ini.find(name);
    if (section == ini.end()) continue;
    for (const auto& option : section->second) {
      auto& value = options[option_name(option.name)];
      value = option.value;
      std::replace(value.begin(), value.end(), '\n', ' ');
      value = base::trim(value);
    }
  }
  return true;
}

struct NamedFile {
  std::string name;  // the same for every user
  fs::path path;
};

std::vector<NamedFile> configuration_files(const process::Environment& environment, const fs::path& prefix) {
  const auto named = value_of(environment, "PIP_CONFIG_FILE");
  if (named == "/dev/null") return {};
  std::vector<NamedFile> files = {{"/etc/xdg/pip/pip.conf", "/etc/xdg/pip/pip.conf"},
                                  {"/etc/pip.conf", "/etc/pip.conf"}};
  const fs::path home = value_of(environment, "HOME");
  const auto config = value_of(environment, "XDG_CONFIG_HOME");
  if (!home.empty()) files.push_back({"~/.pip/pip.conf", home / ".pip" / "pip.conf"});
  if (!config.empty() || !home.empty()) {
    files.push_back({"~/.config/pip/pip.conf",
                     (config.empty() ? home / ".config" : fs::path(config)) / "pip" / "pip.conf"});
  }
  files.push_back({"pip.conf of the interpreter", prefix / "pip.conf"});
  if (!named.empty()) files.push_back({"PIP_CONFIG_FILE", named});
  return files;
}

// What a file says, without what may be a credential.
std::string text_of(const Options& options) {
  std::string text;
  for (const auto& [option, value] : options) text += option + "=" + base::without_credentials(value) + "\n";
  return text;
}

std::vector<std::string> words_of(std::string text) {
  // A NUL would end the argument or the variable that a word becomes.
  std::replace(text.begin(), text.end(), '\0', ' ');
  return base::words(text);
}

Options read_options(const process::Environment& environment, const fs::path& prefix, UvConfiguration& uv) {
  Options options;
  for (const auto& file : configuration_files(environment, prefix)) {
    Options own;
    if (!read_file(file.path, own)) continue;
    uv.inputs.add_file_as(file.name, file.path, base::sha256(text_of(own)));
    for (const auto& [option, value] : own) {
      options[option] = value;
      if (option != "index-url" && option != "extra-index-url") continue;
      for (const auto& url : words_of(value)) uv.index_places.emplace_back(url, file.path.string());
    }
  }
  for (const auto& [name, value] : environment) {
    constexpr std::string_view k_prefix = "PIP_";
    if (name.starts_with(k_prefix) && !value.empty())
      options[option_name(name.substr(k_prefix.size()))] = value;
  }
  return options;
}

bool is_on(const std::string& value) {
  const auto word = option_name(value);
  return word == "1" || word == "true" || word == "yes" || word == "on" || word == "y" || word == "t";
}

// pip passes over folders that are not there; uv stops.
std::string existing_links(const std::string& value) {
  std::vector<std::string> links;
  boost::system::error_code error;
  for (const auto& word : words_of(value)) {
    if (base::contains(word, "://") || fs::exists(word, error)) links.push_back(word);
  }
  return base::join(links, ",");
}

struct Translation {
  const char* option;
  const char* variable;                // of uv
  std::array<const char*, 2> instead;  // other variables of uv that say the same
};

constexpr std::array<Translation, 9> k_translations = {{
    {"index-url", "UV_DEFAULT_INDEX", {"UV_INDEX_URL", ""}},
    {"extra-index-url", "UV_EXTRA_INDEX_URL", {"UV_INDEX", ""}},
    {"constraint", "UV_CONSTRAINT", {"", ""}},
    {"cert", "SSL_CERT_FILE", {"SSL_CERT_DIR", ""}},
    {"client-cert", "SSL_CLIENT_CERT", {"", ""}},
    {"trusted-host", "UV_INSECURE_HOST", {"", ""}},
    {"timeout", "UV_HTTP_TIMEOUT", {"UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT"}},
    {"proxy", "ALL_PROXY", {"all_proxy", ""}},
    {"index-strategy", "UV_INDEX_STRATEGY", {"", ""}},
}};

// Appends to a list in a variable of uv.
void append_words(process::Environment& environment, const std::string& variable, char separator,
                  const std::vector<std::string>& words) {
  for (const auto& word : words) {
    auto& list = environment[variable];
    if (!list.empty()) list += separator;
    list += word;
  }
}

// ":all:" for every package that has no rule of its own.
void add_prereleases(const std::vector<std::string>& packages, const std::string& rule, UvConfiguration& uv) {
  for (const auto& package : packages) {
    if (package == ":all:") {
      uv.environment.emplace("UV_PRERELEASE", rule);
    } else if (package != ":none:") {
      uv.arguments.emplace_back("--prerelease-package");
      uv.arguments.push_back(package + "=" + rule);
    }
  }
}

// Variables that `uv sync` reads and `uv pip` does not.
void add_build_rules(UvConfiguration& uv) {
  constexpr std::array<std::array<const char*, 2>, 2> k_rules = {
      {{"UV_NO_BINARY", "--no-binary"}, {"UV_NO_BUILD", "--only-binary"}}};
  for (const auto& [variable, argument] : k_rules) {
    auto packages = words_of(value_of(uv.environment, std::string(variable) + "_PACKAGE"));
    if (is_on(value_of(uv.environment, variable))) packages.emplace_back(":all:");
    for (const auto& package : packages) {
      uv.arguments.emplace_back(argument);
      uv.arguments.push_back(package);
    }
  }
}

// As pip: an index of a requirements file replaces all that are configured.
void replace_indexes(const PipOptions& asked, Options& options) {
  if (asked.index_url.empty()) return;
  options["index-url"] = asked.index_url;
  options.erase("extra-index-url");
}

}  // namespace

UvConfiguration configure_uv(process::Environment environment, const base::fs::path& interpreter,
                             const PipOptions& asked) {
  UvConfiguration uv;
  Options options = read_options(environment, interpreter.parent_path().parent_path(), uv);
  uv.environment = std::move(environment);
  replace_indexes(asked, options);
  const auto option = [&](const std::string& name) {
    const auto entry = options.find(name);
    return entry == options.end() ? std::string() : entry->second;
  };
  for (const auto& row : k_translations) {
    const auto value = base::join(words_of(option(row.option)), " ");
    const bool said_otherwise = std::any_of(row.instead.begin(), row.instead.end(), [&](const char* name) {
      return !value_of(uv.environment, name).empty();
    });
    if (!value.empty() && !said_otherwise) uv.environment.emplace(row.variable, value);
  }
  if (const auto links = existing_links(option("find-links")); !links.empty()) {
    uv.environment.emplace("UV_FIND_LINKS", links);
  }
  append_words(uv.environment, "UV_EXTRA_INDEX_URL", ' ', asked.extra_index_urls);
  append_words(uv.environment, "UV_FIND_LINKS", ',', asked.find_links);
  append_words(uv.environment, "UV_INSECURE_HOST", ' ', asked.trusted_hosts);
  // The only provider that uv has; pip's others look into pip's own environment.
  if (option("keyring-provider") == "subprocess") uv.environment.emplace("UV_KEYRING_PROVIDER", "subprocess");
  if (is_on(option("pre"))) uv.environment.emplace("UV_PRERELEASE", "allow");
  add_prereleases(asked.all_releases, "allow", uv);
  add_prereleases(asked.only_final, "disallow", uv);
  // As pip: of all indexes the best version counts, not the first index that has any.
  uv.environment.emplace("UV_INDEX_STRATEGY", "unsafe-best-match");
  add_build_rules(uv);
  if (asked.no_index || is_on(option("no-index"))) uv.arguments.emplace_back("--no-index");
  for (const auto& setting : asked.config_settings) {
    uv.arguments.emplace_back("--config-settings-package");
    uv.arguments.push_back(setting);
  }
  for (const std::string name : {"only-binary", "no-binary"}) {
    std::string packages = option(name);
    std::replace(packages.begin(), packages.end(), ',', ' ');
    auto names = words_of(packages);
    const auto& more = name == "no-binary" ? asked.no_binary : asked.only_binary;
    names.insert(names.end(), more.begin(), more.end());
    for (const auto& package : names) {
      uv.arguments.push_back("--" + name);
      uv.arguments.push_back(package);
    }
  }
  return uv;
}

}  // namespace builder::python
