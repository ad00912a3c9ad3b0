// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/view/source_names.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <utility>

#include "base/digest.h"
#include "base/inside.h"
#include "base/text.h"
#include "contract/layout.h"
#include "report/terminal.h"

namespace view {
namespace {

namespace fs = base::fs;

constexpr std::string_view k_scratch = "/pfs/.scratch/";
constexpr std::string_view k_go_place = ".go:";
constexpr std::string_view k_environments = "/env/";
static_assert(k_environments.substr(1, k_environments.size() - 2) == contract::k_cache_environments);
// Ends a path in what programs print.
constexpr std::string_view k_ends = "\"'`:,;()<>[]{}|= \t\r\n\x1b";

bool is_digit(char character) { return character >= '0' && character <= '9'; }

// The shorter of both ways to say where `folder` is.
fs::path seen_from(const fs::path& folder, const fs::path& current) {
  const auto relative = folder.lexically_relative(current);
  if (relative.empty()) return folder;
  const bool is_below = *relative.begin() != "..";
  return is_below || relative.size() < folder.size() ? relative : folder;
}

// "example.com/counter" of a go.mod; empty: there is none.
std::string module_of(const fs::path& folder) {
  const auto text = base::read_input_file((folder / "go.mod").string());
  if (!text) return "";
  for (const auto& line : base::split(*text, '\n')) {
    const auto words = base::words(line);
    if (words.size() >= 2 && words[0] == "module") return std::string(base::trim(words[1]));
  }
  return "";
}

// /pfs/.scratch/DATUM/source/main.py is where the link /pfs/source leads to.
std::string without_scratch(std::string_view line) {
  std::string result(line);
  for (auto at = result.find(k_scratch); at != std::string::npos; at = result.find(k_scratch, at + 1)) {
    const auto id = result.substr(at + k_scratch.size(), base::k_digest_length);
    const auto end = at + k_scratch.size() + base::k_digest_length;
    if (base::is_digest(id) && end < result.size() && result[end] == '/')
      result.replace(at, end + 1 - at, std::string(contract::k_pfs) + "/");
  }
  return result;
}

// What follows <cache>/env/DIGEST/ in a path; empty: it is not of an environment.
std::string_view below_environment(std::string_view path) {
  if (!path.starts_with('/')) return "";
  for (auto at = path.find(k_environments); at != std::string_view::npos;
       at = path.find(k_environments, at + 1)) {
    const auto rest = path.substr(at + k_environments.size());
    const auto digest = std::string(rest.substr(0, base::k_digest_length));
    if (base::is_digest(digest) && rest.substr(digest.size()).starts_with('/'))
      return rest.substr(digest.size() + 1);
  }
  return "";
}

bool are_equal(const fs::path& one, const fs::path& other) {
  const auto text = base::read_input_file(one.string());
  const auto other_text = base::read_input_file(other.string());
  return text && other_text && *text == *other_text;
}

// Of the colour that `text` begins with; 0: of none.
std::size_t colour_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const auto end = text.find_first_not_of("0123456789;:", 2);
  return end == std::string_view::npos || text[end] != 'm' ? 0 : end + 1;
}

// Of the ":12:5" that follows a path.
std::size_t length_of_place(std::string_view text) {
  std::size_t length = 0;
  while (length + 1 < text.size() && text[length] == ':' && is_digit(text[length + 1])) {
    ++length;
    while (length < text.size() && is_digit(text[length])) ++length;
  }
  return length;
}

}  // namespace

SourceNames::SourceNames(const fs::path& folder, const fs::path& current, bool links) : m_links(links) {
  m_folder = base::resolved_path(folder);
  const auto seen = seen_from(m_folder, current).string();
  m_prefix = seen == "." ? "" : seen + "/";
  m_module = module_of(m_folder);
  if (!m_module.empty()) m_module += '/';
}

bool SourceNames::has(std::string_view path) const {
  boost::system::error_code error;
  const auto file = base::path_inside(m_folder, std::string(path), "");
  return file && fs::is_regular_file(*file, error);
}

// The file of the source that a file of an environment is: of a package that was installed from the source,
// in the environment's `source`; of a script that was copied, in its `bin`, where others have programs as
// well. Empty: none.
std::string_view SourceNames::path_in_environment(std::string_view word) const {
  constexpr std::string_view k_mirror = "source/";
  constexpr std::string_view k_programs = "bin/";
  auto path = below_environment(word);
  if (path.starts_with(k_mirror)) {
    path.remove_prefix(k_mirror.size());
    return has(path) ? path : "";
  }
  if (!path.starts_with(k_programs)) return "";
  path.remove_prefix(k_programs.size());
  return has(path) && are_equal(std::string(word), m_folder / std::string(path)) ? path : "";
}

std::string SourceNames::shown(std::string_view path, std::string_view place) const {
  std::string text = m_prefix + std::string(path);
  if (path.empty()) text = m_prefix.empty() ? "." : m_prefix.substr(0, m_prefix.size() - 1);
  text += place;
  return m_links && has(path) ? report::link_to_file((m_folder / std::string(path)).string(), text) : text;
}

std::string SourceNames::in_line(std::string_view given) const {
  const std::string line = without_scratch(given);
  const std::string_view source = contract::k_source;
  std::string result;
  std::size_t at = 0;
  const auto take = [&](std::size_t name_length, std::string_view path) {
    const auto place = std::string_view(line).substr(at + name_length);
    const auto length = length_of_place(place);
    result += shown(path, place.substr(0, length));
    at += name_length + length;
  };
  bool after_colour = false;
  while (at < line.size()) {
    const std::string_view rest = std::string_view(line).substr(at);
    if (const auto length = colour_length(rest); length > 0) {
      result += rest.substr(0, length);
      at += length;
      after_colour = true;
      continue;
    }
    const bool begins_word =
        std::exchange(after_colour, false) || at == 0 || base::contains(k_ends, line[at - 1]);
    if (!begins_word) {
      result += line[at++];
      continue;
    }
    const auto end = std::min(rest.find_first_of(k_ends), rest.size());
    std::string_view word = rest.substr(0, end);
    if (word == source || (word.starts_with(source) && word[source.size()] == '/')) {
      take(word.size(), word.substr(std::min(source.size() + 1, word.size())));
      continue;
    }
    if (const auto path = path_in_environment(word); !path.empty()) {
      take(word.size(), path);
      continue;
    }
    if (rest.substr(end).starts_with(':') && word.ends_with(".go")) {
      std::string_view path = word;
      if (!m_module.empty() && path.starts_with(m_module)) path.remove_prefix(m_module.size());
      if (path.starts_with("./")) path.remove_prefix(2);
      if (!path.starts_with('/') && length_of_place(rest.substr(end)) > 0 && has(path)) {
        take(word.size(), path);
        continue;
      }
    }
    result += word;
    at += word.size();
    if (word.empty()) result += line[at++];
  }
  return result;
}

std::string SourceNames::in_text(std::string_view text) const {
  const bool may_name_files = base::contains(text, contract::k_pfs) || base::contains(text, k_go_place) ||
                              base::contains(text, k_environments);
  if (m_folder.empty() || !may_name_files) return std::string(text);
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    result += in_line(text.substr(0, end));
    if (end == text.size()) break;
    result += '\n';
    text.remove_prefix(end + 1);
  }
  return result;
}

}  // namespace view
