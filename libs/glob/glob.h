// SPDX-License-Identifier: Apache-2.0
// Globs as Pachyderm understands them: `input.pfs.glob` of a pipeline and the lines of a .pachignore; and the
// patterns of a .gitignore (Glob::compile_git). The former are the dialect of the Go library ohmyglob
// (Pachyderm's go.mod has v0.0.0-20210308211843-d5b47775fc36):
//
//   *  **            any characters; with Separator::slash `*` stops at a '/', `**` does not
//   ?                any one character, but not the separator
//   [abc] [a-z]      one of these characters, which may be a '/'; [!a] and [^a]: any other;
//                    [[:alpha:]] and the other POSIX classes, also negated: [[:^alpha:]]
//   {a,b}            one of these patterns
//   (a|b) @(a|b)     one of these patterns
//   ?(…) *(…) +(…)   the same, or nothing; any number of times; at least once
//   !(a|b)           any characters but the separator, unless one of these patterns starts here. When neither
//                    plain text nor a `*` follows the pattern's first such group: unless all the rest is one
//   \c               the character c itself
//
// Each parenthesis opens a group, whose text can be asked for; braces do not. Groups are numbered in the
// order of their '('. Of all ways to match, the one counts that a backtracking engine finds first: a `*`
// takes as much as it can, a group as many rounds as it can, and an alternative is preferred to those behind
// it. A group has the text of its last round. It is empty if the group took no part, as all groups within a
// `!(…)`.
//
// Where ohmyglob has results that are accidents of its scanner (an open group is closed silently, `|` loses
// its meaning within braces, `[a!]` is a negation), a pattern is an error here or means what it says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace glob {

// Whether `*` and `?` stop at a '/': they do in an input's glob, not in a .pachignore.
enum class Separator { slash, none };

struct Program;

// A compiled pattern. Matching takes time proportional to the pattern's length times the text's, times the
// text's again where the pattern has a `!(…)`: no pattern is slow enough to be an attack.
class Glob {
 public:
  // An error of a pattern names it in `where` and the place in `what`: "character 3: '[' is not closed".
  static base::Result<Glob> compile(std::string_view pattern, Separator separator);

  // A pattern of a .gitignore, as gitignore(5) describes it: `*`, `?` and `[…]` never match a '/', and `**`
  // between two '/' or at an end stands for any number of folders. Nothing for a pattern that git lets match
  // nothing: its '[' is not closed, say. Characters are bytes.
  static std::optional<Glob> compile_git(std::string_view pattern);

  // Whether all of `path` is matched.
  [[nodiscard]] bool matches(std::string_view path) const;

  // What each group matched, the whole path first; nothing if not all of `path` is matched. This takes time
  // and memory as matching takes time, and both times the number of loops, `*(…)` and `+(…)`, that are
  // nested.
  [[nodiscard]] std::optional<std::vector<std::string>> capture(std::string_view path) const;

  // `text` with the groups' texts in place of "$1" or "${1}", and "$" in place of "$$". Any other '$' stays.
  // A group that the pattern lacks is empty, and all are if `path` is not matched.
  [[nodiscard]] std::string replace(std::string_view path, std::string_view text) const;

  // How many groups there are.
  [[nodiscard]] std::size_t groups() const;

  // The first reference of `text` to a group that the pattern lacks, "$2"; empty when it has all of them.
  [[nodiscard]] std::string lacking_group(std::string_view text) const;

  [[nodiscard]] const std::string& pattern() const { return m_pattern; }

  // What every path that is matched starts with, as far as the pattern says it literally.
  [[nodiscard]] const std::string& literal_prefix() const;

 private:
  Glob(std::string_view pattern, std::shared_ptr<const Program> program)
      : m_pattern(pattern), m_program(std::move(program)) {}
  std::string m_pattern;
  std::shared_ptr<const Program> m_program;
};

// Whether `text` can be used for Glob::replace. "$01" and numbers of more than nine digits cannot: the Go
// library panics, which ends Pachyderm's worker; to Glob::replace they are groups that the pattern lacks. (It
// also panics at digits of other scripts than ASCII's, which are plain text here.)
base::Status check_template(std::string_view text);

// An input's glob as Pachyderm stores it: with one leading '/', without a last one, "//", "." and "..".
// (pfsfile.CleanPath in 2.12, which setInputDefaults applies to every input)
std::string clean_input_glob(std::string_view glob);

// Whether the file or folder `path` ("/", "/a", "/a/b"; a last '/' is ignored) is a datum of an input with
// this glob. Every match is one, folders too, and a folder brings all that is below it: "/" gives the root as
// the only datum; "/*" each file and folder of the top level; "/**" each file and each folder of all levels
// but the root, so that a file below a folder comes more than once. The root is a datum of "/" alone.
// (globMatchFunction and globFile of Pachyderm 2.12, src/server/pfs/server)
bool is_datum(const Glob& glob, std::string_view path);

// What an input's `join_on` or `group_by` is for its datum `path`: Glob::replace without the path's last '/',
// so that the root has no groups. (processPFSTask of Pachyderm 2.12, src/server/worker/datum)
std::string datum_key(const Glob& glob, std::string_view path, std::string_view text);

}  // namespace glob
