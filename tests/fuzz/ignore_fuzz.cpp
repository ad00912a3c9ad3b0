// SPDX-License-Identifier: Apache-2.0
// A .pachignore, a 0xff byte, a path: the rules are read or refused with their line, and decide.
#include "base/relative_path.h"
#include "pachbuild/source/ignore.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(ignore_fuzz, input) {
  using fuzz::require;
  const auto parts = fuzz::parts_of_input(input, 2);
  const auto rules = source::IgnoreRules::parse(parts[0], ".pachignore");
  if (!rules) {
    fuzz::require_readable(rules.error());
    return require(rules.error().where.starts_with(".pachignore:"));
  }
  const std::string& path = parts[1];
  source::IgnoreRules::Verdict verdict = rules->judge_top();
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto folder = rules->judge_folder(path.substr(0, slash), verdict);
    require(folder.line >= verdict.line);
    verdict = folder;
  }
  const auto file = rules->judge_file(path, verdict);
  require(file.line >= verdict.line);
  const auto origin = rules->origin_of(file);
  require(origin.text.empty() || origin.line == 0 || parts[0].find(origin.text) != std::string::npos);
  // Where a folder is left out with all that is in it, so is each file.
  if (rules->leaves_out_all(base::folder_of(path), verdict)) require(rules->leaves_out(file));
  // One more line that names the path takes it back.
  if (path.empty() || path.find_first_of("*?[]{}()\\!\n\r@+|^-") != std::string::npos) return;
  const auto more = source::IgnoreRules::parse(parts[0] + "\n!" + path, ".pachignore");
  if (path.back() == '/' || base::trim(path).empty()) return;
  // What is no text is refused.
  if (!more) return fuzz::require_readable(more.error());
  require(!more->leaves_out(more->judge_file(path, more->judge_top())));
}
