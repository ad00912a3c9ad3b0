// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/local_targets.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <charconv>
#include <vector>

#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/python/manifests/expansion.h"

namespace builder::python {
namespace {

constexpr std::string_view k_file_url = "file:";

// The keys of uv.lock, pylock.toml, poetry.lock, pdm.lock, Pipfile.lock, Pipfile, pyproject.toml and uv.toml
// whose value may be a path.
constexpr auto k_keys =
    std::to_array<std::string_view>({"path", "file", "directory", "editable", "virtual", "registry", "url",
                                     "find-links", "index-url", "extra-index-url", "default-index", "index"});

// Options of a requirements file that are followed by a path or a URL.
constexpr auto k_options = std::to_array<std::string_view>(
    {"--find-links", "--extra-index-url", "--index-url", "--editable", "-f", "-i", "-e"});

bool is_word(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '-' || character == '_';
}

bool is_remote(std::string_view text) { return base::contains(text, "://") && !text.starts_with(k_file_url); }

bool is_archive(std::string_view name) {
  constexpr auto k_ends =
      std::to_array<std::string_view>({".whl", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".html"});
  return std::any_of(k_ends.begin(), k_ends.end(), [&](auto end) { return name.ends_with(end); });
}

// What can be installed from a path: a package or an archive itself, or the archives in a folder of them (a
// flat index). A readme or a folder of tests, which manifests name as well, is none.
std::vector<fs::path> things_to_install(const fs::path& path) {
  boost::system::error_code error;
  if (fs::is_regular_file(path, error)) {
    return is_archive(path.filename().string()) ? std::vector{path} : std::vector<fs::path>();
  }
  for (const std::string file : {"pyproject.toml", "setup.py", "setup.cfg"}) {
    if (fs::exists(path / file, error)) return {path};
  }
  std::vector<fs::path> archives;
  for (fs::directory_iterator entry(path, error), end; entry != end; entry.increment(error)) {
    if (is_archive(entry->path().filename().string())) archives.push_back(entry->path());
  }
  return archives;
}

// The strings behind `at`, where a key ends: `= "a"`, `": "a"`, `= ["a", 'b']`.
std::vector<std::string_view> values_at(std::string_view text, std::size_t at) {
  const auto skip = [&](std::string_view characters) {
    at = std::min(text.find_first_not_of(characters, at), text.size());
  };
  std::vector<std::string_view> values;
  skip("\"' \t");
  if (at == text.size() || (text[at] != '=' && text[at] != ':')) return values;
  ++at;
  skip(" \t\r\n[");
  while (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
    const auto end = text.find(text[at], at + 1);
    if (end == std::string_view::npos) break;
    values.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
    skip(" \t\r\n,");
    // Of a table, the next key: "path": "a", "name": "b".
    const auto next = at < text.size() ? text.find(text[at], at + 1) : std::string_view::npos;
    if (next != std::string_view::npos && text.find_first_not_of(" \t", next + 1) != std::string_view::npos &&
        text[text.find_first_not_of(" \t", next + 1)] == ':') {
      break;
    }
  }
  return values;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ptr == text.data() + i + 3) {
      result += static_cast<char>(code);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string path_of_target(std::string_view target) {
  target = target.substr(0, target.find('#'));
  if (target.starts_with(k_file_url)) {
    target.remove_prefix(k_file_url.size());
    if (target.starts_with("//")) {
      target.remove_prefix(2);
      if (target.starts_with("localhost/")) target.remove_prefix(std::string_view("localhost").size());
    }
    return percent_decoded(target);
  }
  if (target.ends_with(']')) target = target.substr(0, target.rfind('['));
  return std::string(target);
}

LocalTargets::LocalTargets(fs::path source, const process::Environment& environment)
    : m_source(std::move(source)), m_environment(environment) {
  // As uv and pdm know it: the folder of the project.
  m_environment.emplace("PROJECT_ROOT", m_source.string());
}

base::Status LocalTargets::add(std::string_view target, const fs::path& folder) {
  target = base::trim(target);
  if (target.empty() || is_remote(target)) return {};
  const std::string text = path_of_target(expanded(target, m_environment));
  // The system would take what is before a NUL: "/\0x" would be all of this machine.
  if (text.empty() || text.find_first_of(std::string_view("\n\0", 2)) != std::string::npos) return {};
  const fs::path named = fs::path(text).is_absolute() ? fs::path(text) : folder / text;
  // Most of the thousands of texts in a lock are not paths.
  if (::access(named.c_str(), F_OK) != 0) return {};
  boost::system::error_code error;
  const fs::path path = fs::canonical(named, error);
  if (error) return {};
  if (base::path_below(path, fs::canonical(m_source, error))) {
    m_is_inside = m_is_inside || !things_to_install(path).empty();
    return {};
  }
  for (const auto& thing : things_to_install(path)) {
    const bool is_whole = thing == path;
    BASE_TRY(m_outside.add_tree(
        is_whole ? std::string(target) : std::string(target) + "/" + thing.filename().string(), thing));
  }
  return {};
}

base::Status LocalTargets::add_line(const std::string& line, const fs::path& folder) {
  std::string_view rest = line;
  for (const auto option : k_options) {
    if (!rest.starts_with(option)) continue;
    rest = base::trim(rest.substr(option.size()));
    if (rest.starts_with('=')) rest = base::trim(rest.substr(1));
    break;
  }
  if (rest.starts_with('-')) return {};
  if (const auto url = rest.find(k_file_url); url != std::string_view::npos) rest = rest.substr(url);
  rest = rest.substr(0, rest.find_first_of(" \t;"));
  if (rest.size() > 2 && (rest.front() == '"' || rest.front() == '\''))
    rest = rest.substr(1, rest.size() - 2);
  return add(rest, folder);
}

base::Status LocalTargets::add_text(std::string_view text, const fs::path& folder) {
  for (auto at = text.find(k_file_url); at != std::string_view::npos; at = text.find(k_file_url, at + 1)) {
    const auto end = text.find_first_of(" \t\r\n\"';,)]}", at);
    BASE_TRY(add(text.substr(at, end == std::string_view::npos ? end : end - at), folder));
  }
  for (const auto key : k_keys) {
    for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
      const auto end = at + key.size();
      if ((at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]))) continue;
      for (const auto value : values_at(text, end)) BASE_TRY(add(value, folder));
    }
  }
  return {};
}

}  // namespace builder::python
