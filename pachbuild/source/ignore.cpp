// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/source/ignore.h"

#include <sys/stat.h>

#include <array>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/source/source.h"

namespace source {
namespace {

// What no program needs and what changes without an edit, so that it would make every datum run again: the
// data of git, the bytecode that Python leaves beside a module, and what Vim and Emacs keep beside a file
// that is being edited: swap files, locks, unsaved text and backups. A line "!.git/" brings it back.
constexpr std::array<std::string_view, 7> k_built_in = {
    "{,*/}.git", "{,*/}.git/", "{,*/}__pycache__/", "{,*/}.*.sw[a-p]", "{,*/}.#*", "{,*/}#*#", "*~"};

// Whether the last '*' is one of the pattern's own, so that it matches any continuation of a match.
bool ends_with_star(std::string_view pattern) {
  if (!pattern.ends_with('*') || pattern.find("!(") != std::string_view::npos) return false;
  pattern.remove_suffix(1);
  const std::size_t other = pattern.find_last_not_of('\\');
  const std::size_t backslashes = pattern.size() - (other == std::string_view::npos ? 0 : other + 1);
  return backslashes % 2 == 0;
}

}  // namespace

base::Result<IgnoreRules> IgnoreRules::read(const base::fs::path& folder) {
  const base::fs::path file = folder / k_ignore_file;
  struct stat status{};
  if (::lstat(file.c_str(), &status) != 0) return parse("", file.string());
  if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return base::fail(base::ErrorKind::bad_input, file.string(), "is not a regular file");
  }
  auto text = base::read_input_file(file);
  if (!text) {
    text.error().kind = base::ErrorKind::bad_input;
    return tl::unexpected<base::Error>(std::move(text).error());
  }
  return parse(*text, file.string());
}

base::Result<IgnoreRules> IgnoreRules::parse(std::string_view text, const std::string& where) {
  IgnoreRules rules;
  for (const std::string_view line : k_built_in) BASE_TRY(rules.add(line, 0));
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
  Origin origin{number, std::string(line)};
  const bool takes_back = line.starts_with('!') && !line.starts_with("!(");
  if (takes_back) line.remove_prefix(1);
  const bool folders_only = line.ends_with('/');
  if (folders_only) line.remove_suffix(1);
  BASE_TRY_ASSIGN(glob::Glob glob, glob::Glob::compile(line, glob::Separator::none));
  m_rules.push_back(
      {std::move(glob), folders_only, !folders_only && ends_with_star(line), takes_back, std::move(origin)});
  return {};
}

IgnoreRules::Verdict IgnoreRules::judge_folder(const std::string& path, Verdict parent) const {
  for (Verdict verdict = m_rules.size(); verdict > parent; --verdict) {
    const Rule& rule = m_rules[verdict - 1];
    if (rule.folders_only && rule.glob.matches(path)) return verdict;
    if (rule.ends_with_star && rule.glob.matches(path + "/")) return verdict;
  }
  return parent;
}

IgnoreRules::Verdict IgnoreRules::judge_file(const std::string& path, Verdict parent) const {
  for (Verdict verdict = m_rules.size(); verdict > parent; --verdict) {
    const Rule& rule = m_rules[verdict - 1];
    if (!rule.folders_only && rule.glob.matches(path)) return verdict;
  }
  return parent;
}

bool IgnoreRules::leaves_out_all(Verdict folder) const {
  if (!leaves_out(folder)) return false;
  for (Verdict later = folder; later < m_rules.size(); ++later) {
    if (m_rules[later].takes_back) return false;
  }
  return true;
}

}  // namespace source
