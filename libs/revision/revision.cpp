// SPDX-License-Identifier: Apache-2.0
#include "revision/revision.h"

#include <algorithm>
#include <array>

#include "base/inside.h"
#include "base/text.h"
#include "revision/ref_name.h"

namespace revision {
namespace {

using base::ErrorKind;

constexpr std::string_view k_header =
    "# Made by pachbuild from git, for builds that make a version from it (docs/python.md).\n";
constexpr std::size_t k_longest_name = 250;
constexpr std::size_t k_most_tags = 1000;
constexpr std::uint64_t k_most_commits = 1'000'000;

bool is_hash(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::optional<std::uint64_t> number(std::string_view text) {
  constexpr std::size_t k_most_digits = 18;
  if (text.empty() || text.size() > k_most_digits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

}  // namespace

// git-check-ref-format(1), and no more than what is safe in a line.
bool is_ref_name(std::string_view name) {
  if (name.empty() || name.size() > k_longest_name || name.front() == '-' || name.ends_with(".lock"))
    return false;
  const bool is_plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c > ' ' && c != 0x7F && !base::contains("~^:?*[\\\"'", static_cast<char>(c));
  });
  if (!is_plain || base::contains(name, "..") || base::contains(name, "@{")) return false;
  const auto parts = base::split(name, '/');
  return std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.empty() || part.starts_with('.') || part.ends_with('.') || part.ends_with(".lock");
  });
}

bool is_asked_for(std::string_view name, std::string_view content) {
  const auto file = name.substr(name.rfind('/') + 1);
  if (file == "setup.py") {
    for (const std::string_view word :
         {"versioneer", "setuptools_scm", "use_scm_version", "pbr", "versioningit", "setuptools_git",
          "setuptools-git", "vcs_versioning", "vcversioner", "\"git\"", "'git'", "git describe", "git rev-",
          "git log", "import git", "from git", "dunamai"}) {
      if (base::contains(content, word)) return true;
    }
    return false;
  }
  if (file != "pyproject.toml" && file != "setup.cfg") return false;
  constexpr std::array<std::string_view, 16> k_tools = {
      "setuptools-scm", "setuptools_scm", "hatch-vcs",      "hatch_vcs",     "dynamic-versioning",
      "versioneer",     "vcs-versioning", "vcs_versioning", "pbr",           "versioningit",
      "dunamai",        "setuptools-git", "setuptools_git", "git-versioner", "gitversion",
      "poetry-version"};
  const bool has_tool =
      std::any_of(k_tools.begin(), k_tools.end(), [&](auto tool) { return base::contains(content, tool); });
  // pdm-backend: [tool.pdm.version] source = "scm"; cache keys of uv: { git = true }
  return has_tool || (base::contains(content, "tool.pdm.version") && base::contains(content, "scm"));
}

std::string describe(const Revision& revision) {
  constexpr std::size_t k_short = 7;
  std::string text = revision.commit.substr(0, k_short);
  if (!revision.tags.empty()) {
    const auto& tag = revision.tags.front();
    text = tag.distance == 0 ? tag.name : tag.name + "-" + std::to_string(tag.distance) + "-g" + text;
  }
  return text + (revision.is_dirty ? "-dirty" : "");
}

std::string to_text(const Revision& revision) {
  std::string text(k_header);
  text += "commit " + revision.commit + "\ntime " + std::to_string(revision.time) + "\ncommits " +
          std::to_string(revision.commits) + "\n";
  if (!revision.branch.empty()) text += "branch " + revision.branch + "\n";
  if (!revision.folder.empty()) text += "folder " + revision.folder + "\n";
  if (revision.is_dirty) text += "dirty\n";
  for (const auto& tag : revision.tags) {
    text += (tag.is_annotated ? "annotated " : "tag ") + std::to_string(tag.distance) + " " + tag.name + "\n";
  }
  return text;
}

base::Result<Revision> parse(std::string_view text, const std::string& where) {
  Revision revision;
  std::size_t line_number = 0;
  for (const auto& line : base::split(text, '\n')) {
    ++line_number;
    if (line.empty() || line.starts_with('#')) continue;
    const auto space = std::min(line.find(' '), line.size());
    const std::string word = line.substr(0, space);
    const std::string rest = line.substr(std::min(space + 1, line.size()));
    bool is_good = true;
    if (word == "commit") {
      revision.commit = rest;
      is_good = is_hash(rest);
    } else if (word == "time" || word == "commits") {
      const auto value = number(rest);
      is_good = value && (word == "time" || (*value > 0 && *value <= k_most_commits));
      (word == "time" ? revision.time : revision.commits) = value.value_or(0);
    } else if (word == "branch") {
      revision.branch = rest;
      is_good = is_ref_name(rest);
    } else if (word == "folder") {
      revision.folder = rest;
      is_good = !rest.empty() && rest.size() <= k_longest_name && base::stays_inside(rest) &&
                std::all_of(rest.begin(), rest.end(), [](unsigned char c) { return c >= ' ' && c != 0x7F; });
    } else if (word == "dirty") {
      revision.is_dirty = true;
      is_good = rest.empty();
    } else if (word == "tag" || word == "annotated") {
      const auto sign = std::min(rest.find(' '), rest.size());
      const auto distance = number(rest.substr(0, sign));
      Tag tag{rest.substr(std::min(sign + 1, rest.size())), distance.value_or(0), word == "annotated"};
      is_good = distance && *distance <= k_most_commits && is_ref_name(tag.name) &&
                revision.tags.size() < k_most_tags;
      revision.tags.push_back(std::move(tag));
    } else {
      is_good = false;
    }
    if (!is_good) {
      return base::fail(ErrorKind::bad_input, where + ":" + std::to_string(line_number),
                        "invalid line " + base::quoted(line),
                        "remove the file; pachbuild recreates it where git is installed");
    }
  }
  if (revision.commit.empty())
    return base::fail(ErrorKind::bad_input, where, "names no commit", "remove the file");
  for (const auto& tag : revision.tags) revision.commits = std::max(revision.commits, tag.distance + 1);
  return revision;
}

}  // namespace revision
