// SPDX-License-Identifier: Apache-2.0
// Which files of a source stay behind: by the lines of its .pachignore, by default, by .gitignore files.
// Private to this library and who watches sources.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "glob/glob.h"
#include "pachbuild/source/git_ignore.h"

namespace source {

class IgnoreRules {
 public:
  // What is known about a folder or file. Of a folder it counts for what is in it, too.
  struct Verdict {
    // The number of the last line that matches it or a folder above it, of the built-in ones and .pachignore.
    std::size_t line = 0;
    const char* mark = nullptr;          // why a folder is left out for what it is, in words
    GitIgnore::Files git_files;          // that count here
    GitIgnore::Match git;                // by which git leaves it out
    bool is_tracked = false;             // by git all the same
    std::optional<std::string> outside;  // the folder that is left out by default as a whole, and has this
  };

  enum class Git { counts, is_not_asked };
  struct Reading {
    Git git = Git::counts;
    std::vector<base::fs::path> data;  // folders that are no part of the source, whatever the lines say
  };

  // The built-in rules, and after them those of `folder`/.pachignore if it is there.
  static base::Result<IgnoreRules> read(const base::fs::path& folder, const Reading& reading);

  // The rules of a text; `where` is the file for errors.
  static base::Result<IgnoreRules> parse(std::string_view text, const std::string& where);

  // Without the lines of .pachignore.
  static IgnoreRules without_lines(const base::fs::path& folder, const Reading& reading);

  // Of the source's folder itself.
  [[nodiscard]] Verdict judge_top() const;
  // `path` is below the source's folder, `parent` the verdict about the folder that it is in.
  [[nodiscard]] Verdict judge_folder(const std::string& path, const Verdict& parent) const;
  [[nodiscard]] Verdict judge_file(const std::string& path, const Verdict& parent) const;

  [[nodiscard]] bool leaves_out(const Verdict& verdict) const;
  // Whether no file below the folder can come along.
  [[nodiscard]] bool leaves_out_all(const std::string& folder, const Verdict& verdict) const;

  // Where the rule of a verdict is written, and its text; nothing for one that no rule decided.
  struct Origin {
    std::string file;      // from the source's folder; empty: it is built in
    std::size_t line = 0;  // in it
    std::string text;
  };
  [[nodiscard]] Origin origin_of(const Verdict& verdict) const;

 private:
  struct Rule {
    glob::Glob glob;
    bool folders_only = false;    // "build/": all that is below the folders that the glob matches
    bool ends_with_star = false;  // "build/*": as it matches "build/", so it does all that is below
    bool takes_back = false;      // "!keep.txt"
    Origin origin;
  };

  base::Status add(std::string_view text, std::size_t line);
  void look_around(const base::fs::path& folder, const Reading& reading);
  [[nodiscard]] bool is_default(std::size_t line) const { return line <= m_built_in; }
  [[nodiscard]] bool can_match(const Rule& rule, const Verdict& parent) const;
  void judge_by_default(const std::string& path, Verdict& verdict) const;

  base::fs::path m_folder;       // empty: only lines count
  std::set<std::string> m_data;  // folders, below it
  std::optional<GitIgnore> m_git;
  std::vector<Rule> m_rules;   // those that are built in first
  std::size_t m_built_in = 0;  // how many these are
};

}  // namespace source
