// SPDX-License-Identifier: Apache-2.0
// Which files of a source stay behind: the lines of its .pachignore. Private to this library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "glob/glob.h"

namespace source {

class IgnoreRules {
 public:
  // How far the rules have decided about a folder or file: the number of the last rule that matches it or a
  // folder above it.
  using Verdict = std::size_t;
  static constexpr Verdict k_undecided = 0;

  // The built-in rules, and after them those of `folder`/.pachignore if it is there.
  static base::Result<IgnoreRules> read(const base::fs::path& folder);

  // The rules of a text; `where` is the file for errors.
  static base::Result<IgnoreRules> parse(std::string_view text, const std::string& where);

  // `path` is below the source's folder, `parent` the verdict about the folder that it is in.
  [[nodiscard]] Verdict judge_folder(const std::string& path, Verdict parent) const;
  [[nodiscard]] Verdict judge_file(const std::string& path, Verdict parent) const;

  [[nodiscard]] bool leaves_out(Verdict file) const {
    return file != k_undecided && !m_rules[file - 1].takes_back;
  }
  // Where the rule of a verdict is written, and its text; nothing for one that no rule decided.
  struct Origin {
    std::size_t line = 0;  // of the text; 0: built in
    std::string text;
  };
  [[nodiscard]] Origin origin_of(Verdict verdict) const {
    return verdict == k_undecided ? Origin{} : m_rules[verdict - 1].origin;
  }
  // Whether no file below the folder can come along.
  [[nodiscard]] bool leaves_out_all(Verdict folder) const;

 private:
  struct Rule {
    glob::Glob glob;
    bool folders_only = false;    // "build/": all that is below the folders that the glob matches
    bool ends_with_star = false;  // "build/*": as it matches "build/", so it does all that is below
    bool takes_back = false;      // "!keep.txt"
    Origin origin;
  };

  base::Status add(std::string_view text, std::size_t line);

  std::vector<Rule> m_rules;
};

}  // namespace source
