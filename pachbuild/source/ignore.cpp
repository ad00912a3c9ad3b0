// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/source/ignore.h"

#include <sys/stat.h>

#include <array>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/inside.h"
#include "base/merge_conflict.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/source/source.h"

namespace source {
namespace {

namespace fs = base::fs;

// What no program needs and what changes without an edit, so that it would make every datum run again: the
// data of git, what Python and its tools leave beside modules, packages that are installed for this machine
// alone, and what Vim and Emacs keep beside a file that is being edited: swap files, locks, unsaved text and
// backups. A line "!.git/" brings it back.
constexpr std::array<std::string_view, 12> k_built_in = {
    "{,*/}.git",           "{,*/}.git/",        "{,*/}__pycache__/", "{,*/}.venv/",
    "{,*/}.pytest_cache/", "{,*/}.mypy_cache/", "{,*/}.ruff_cache/", "{,*/}node_modules/",
    "{,*/}.*.sw[a-p]",     "{,*/}.#*",          "{,*/}#*#",          "*~"};

constexpr char k_data_mark[] = "data of the pipeline";

bool is_file(const fs::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// By https://bford.info/cachedir/
bool is_cache_tag(const fs::path& path) {
  constexpr std::string_view k_signature = "Signature: 8a477f597d28d172789f06886806bc55";
  constexpr std::uint64_t k_largest_tag = 1 << 16;
  return is_file(path) && base::read_input_file(path, k_largest_tag).value_or("").starts_with(k_signature);
}

// What shows that a folder is made by a tool, whatever its name is.
const char* mark_of(const fs::path& folder) {
  if (is_cache_tag(folder / "CACHEDIR.TAG")) return "a cache: it has CACHEDIR.TAG";
  if (is_file(folder / "pyvenv.cfg")) return "a virtual environment: it has pyvenv.cfg";
  if (is_file(folder / contract::k_output_own_folder / contract::k_output_mark))
    return "output of a pipeline: it has .pachbuild";
  if (folder.filename() != "target") return nullptr;
  const auto around = folder.parent_path();
  if (is_file(around / "Cargo.toml")) return "output of a build: Cargo.toml is beside it";
  return is_file(around / "pom.xml") ? "output of a build: pom.xml is beside it" : nullptr;
}

// Whether the last '*' is one of the pattern's own, so that it matches any continuation of a match.
bool ends_with_star(std::string_view pattern) {
  if (!pattern.ends_with('*') || pattern.find("!(") != std::string_view::npos) return false;
  pattern.remove_suffix(1);
  const std::size_t other = pattern.find_last_not_of('\\');
  const std::size_t backslashes = pattern.size() - (other == std::string_view::npos ? 0 : other + 1);
  return backslashes % 2 == 0;
}

// Whether a text with the one prefix can have the other.
bool can_share(std::string_view one, std::string_view other) {
  return one.starts_with(other) || other.starts_with(one);
}

}  // namespace

base::Result<IgnoreRules> IgnoreRules::read(const fs::path& folder, const Reading& reading) {
  const fs::path file = folder / k_ignore_file;
  struct stat status{};
  if (::lstat(file.c_str(), &status) != 0) return without_lines(folder, reading);
  if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return base::fail(base::ErrorKind::bad_input, file.string(), "is not a regular file");
  }
  auto text = base::read_input_file(file);
  if (!text) {
    text.error().kind = base::ErrorKind::bad_input;
    return tl::unexpected<base::Error>(std::move(text).error());
  }
  if (auto conflict = base::merge_conflict(*text, file.string())) return base::fail(std::move(*conflict));
  BASE_TRY_ASSIGN(auto rules, parse(*text, file.string()));
  rules.look_around(folder, reading);
  return rules;
}

IgnoreRules IgnoreRules::without_lines(const fs::path& folder, const Reading& reading) {
  auto rules = parse("", "").value();
  rules.look_around(folder, reading);
  return rules;
}

void IgnoreRules::look_around(const fs::path& folder, const Reading& reading) {
  m_folder = folder;
  const auto real = base::resolved_path(folder);
  for (const auto& data : reading.data) {
    const auto below = base::path_below(base::resolved_path(data), real);
    if (below && *below != ".") m_data.insert(below->string());
  }
  if (reading.git == Git::counts) m_git = GitIgnore::of(real);
}

base::Result<IgnoreRules> IgnoreRules::parse(std::string_view text, const std::string& where) {
  IgnoreRules rules;
  for (const std::string_view line : k_built_in) BASE_TRY(rules.add(line, 0));
  rules.m_built_in = rules.m_rules.size();
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (base::trim(line).empty() || line.starts_with('#')) continue;
    if (auto status = rules.add(line, number); !status) {
      return base::fail(base::ErrorKind::bad_input, where + ":" + std::to_string(number),
                        base::quoted(line) + ": " + status.error().what);
    }
  }
  return rules;
}

base::Status IgnoreRules::add(std::string_view line, std::size_t number) {
  Origin origin{number == 0 ? "" : k_ignore_file, number, std::string(line)};
  const bool takes_back = line.starts_with('!') && !line.starts_with("!(");
  if (takes_back) line.remove_prefix(1);
  const bool folders_only = line.ends_with('/');
  if (folders_only) line.remove_suffix(1);
  BASE_TRY_ASSIGN(glob::Glob glob, glob::Glob::compile(line, glob::Separator::none));
  m_rules.push_back(
      {std::move(glob), folders_only, !folders_only && ends_with_star(line), takes_back, std::move(origin)});
  return {};
}

// What is left out by default as a whole folder is looked into for lines alone that begin with its name:
// "!*.csv" means no table of a package in .venv.
bool IgnoreRules::can_match(const Rule& rule, const Verdict& parent) const {
  return !rule.takes_back || !parent.outside || rule.glob.literal_prefix().starts_with(*parent.outside);
}

IgnoreRules::Verdict IgnoreRules::judge_top() const {
  Verdict verdict;
  if (m_git) verdict.git_files = m_git->entered("", m_git->above());
  return verdict;
}

IgnoreRules::Verdict IgnoreRules::judge_folder(const std::string& path, const Verdict& parent) const {
  Verdict verdict = parent;
  if (m_data.contains(path)) {
    verdict.line = 0;
    verdict.git = {};
    verdict.mark = k_data_mark;
    verdict.outside = path + "/";
  }
  if (verdict.mark == k_data_mark) return verdict;
  for (std::size_t number = m_rules.size(); number > parent.line; --number) {
    const Rule& rule = m_rules[number - 1];
    const bool matches = (rule.folders_only && rule.glob.matches(path)) ||
                         (rule.ends_with_star && rule.glob.matches(path + "/"));
    if (!matches || !can_match(rule, parent)) continue;
    // Of two defaults the folder's above counts.
    if (is_default(number) && leaves_out(parent)) break;
    verdict.line = number;
    verdict.mark = nullptr;
    verdict.git = {};
    verdict.outside.reset();
    if (is_default(number)) verdict.outside = path + "/";
    break;
  }
  if (verdict.line == 0 && !leaves_out(verdict)) judge_by_default(path, verdict);
  if (m_git && !leaves_out(verdict)) verdict.git_files = m_git->entered(path, verdict.git_files);
  return verdict;
}

// Of a folder, which no line has named.
void IgnoreRules::judge_by_default(const std::string& path, Verdict& verdict) const {
  if (!m_folder.empty()) verdict.mark = mark_of(m_folder / path);
  if (verdict.mark != nullptr) {
    verdict.outside = path + "/";
    return;
  }
  if (!m_git) return;
  const auto found = m_git->match(path, /*is_folder=*/true, verdict.git_files);
  if (found.line == nullptr || found.line->takes_back) return;
  verdict.git = found;
  if (!m_git->tracks_in(path)) verdict.outside = path + "/";
}

IgnoreRules::Verdict IgnoreRules::judge_file(const std::string& path, const Verdict& parent) const {
  Verdict verdict = parent;
  if (verdict.mark == k_data_mark) return verdict;
  for (std::size_t number = m_rules.size(); number > parent.line; --number) {
    const Rule& rule = m_rules[number - 1];
    if (rule.folders_only || !rule.glob.matches(path) || !can_match(rule, parent)) continue;
    verdict.line = number;
    verdict.mark = nullptr;
    verdict.git = {};
    return verdict;
  }
  if (verdict.line != 0 || verdict.mark != nullptr || !m_git) return verdict;
  if (verdict.git.line == nullptr) {
    const auto found = m_git->match(path, /*is_folder=*/false, verdict.git_files);
    if (found.line != nullptr && !found.line->takes_back) verdict.git = found;
  }
  verdict.is_tracked = verdict.git.line != nullptr && m_git->tracks_file(path);
  return verdict;
}

bool IgnoreRules::leaves_out(const Verdict& verdict) const {
  if (verdict.line != 0) return !m_rules[verdict.line - 1].takes_back;
  return verdict.mark != nullptr || (verdict.git.line != nullptr && !verdict.is_tracked);
}

bool IgnoreRules::leaves_out_all(const std::string& folder, const Verdict& verdict) const {
  if (!leaves_out(verdict)) return false;
  if (verdict.mark == k_data_mark) return true;
  const bool has_tracked = verdict.git.line != nullptr && !verdict.outside;
  if (has_tracked && m_git->tracks_in(folder)) return false;
  for (std::size_t number = m_rules.size(); number > verdict.line; --number) {
    const Rule& rule = m_rules[number - 1];
    if (!rule.takes_back || !can_match(rule, verdict)) continue;
    if (can_share(rule.glob.literal_prefix(), folder + "/")) return false;
  }
  return true;
}

IgnoreRules::Origin IgnoreRules::origin_of(const Verdict& verdict) const {
  if (verdict.line != 0) return m_rules[verdict.line - 1].origin;
  if (verdict.mark != nullptr) return {"", 0, verdict.mark};
  if (verdict.git.line == nullptr) return {};
  return {verdict.git.file->shown, verdict.git.line->number, verdict.git.line->text};
}

}  // namespace source
