// SPDX-License-Identifier: Apache-2.0
// Regular expressions for texts that nobody vouches for: by RE2, whose time and memory are bounded by the
// length of the text whatever the expression.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace builder::declared {

class Pattern {
 public:
  // `^` and `$` match at the ends of lines. Fails with bad_input; `what` names the fault.
  static base::Result<Pattern> compile(const std::string& text);
  // The same where all of a text has to match, and `.` is any byte.
  static base::Result<Pattern> compile_whole(const std::string& text);

  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string first;                          // the first group; without groups all that matches
    std::map<std::string, std::string> groups;  // those with names that took part
  };
  // The first match at `from` or behind.
  [[nodiscard]] std::optional<Match> find(std::string_view text, std::size_t from = 0) const;
  // Whether there is one; for a pattern of compile_whole(), whether it is all of the text.
  [[nodiscard]] bool matches(std::string_view text) const;

  [[nodiscard]] bool has_group(const std::string& name) const;
  // The names of its groups, sorted.
  [[nodiscard]] std::vector<std::string> groups() const;

 private:
  enum class Extent { part, whole };
  Pattern(std::shared_ptr<const re2::RE2> program, Extent extent)
      : m_program(std::move(program)), m_extent(extent) {}
  static base::Result<Pattern> compile(const std::string& text, Extent extent);

  std::shared_ptr<const re2::RE2> m_program;
  Extent m_extent;
};

// `text` as a part of a pattern that matches just that.
std::string quoted_for_pattern(std::string_view text);

// The line of a text, from 1 on, in which a byte is.
std::size_t line_of(std::string_view text, std::size_t at);

}  // namespace builder::declared
