// SPDX-License-Identifier: Apache-2.0
// The patterns of a .gitignore, as git's wildmatch reads them. They become the same kind of program as all
// others.
#include <algorithm>
#include <optional>

#include "glob/program.h"

namespace glob {
namespace {

using Code = std::vector<Instruction>;
using Kind = Instruction::Kind;
using Range = std::pair<char32_t, char32_t>;

// What is known as a class in "[[:alpha:]]".
const std::vector<Range>* class_named(std::string_view name) {
  // Unlike ohmyglob, git knows neither of these.
  if (name == "ascii" || name == "word") return nullptr;
  return posix_class_named(name);
}

// `ranges` without '/', which a set never matches.
std::vector<Range> without_separator(const std::vector<Range>& ranges) {
  std::vector<Range> rest;
  for (const auto& [first, last] : ranges) {
    if (first > U'/' || last < U'/') {
      rest.emplace_back(first, last);
      continue;
    }
    if (first < U'/') rest.emplace_back(first, U'/' - 1);
    if (last > U'/') rest.emplace_back(U'/' + 1, last);
  }
  return rest;
}

class GitParser {
 public:
  explicit GitParser(std::string_view pattern) : m_pattern(pattern) { m_program.is_of_bytes = true; }

  std::optional<Program> parse() {
    while (m_next < m_pattern.size()) {
      const char character = m_pattern[m_next++];
      bool is_right = true;
      if (character == '\\') {
        is_right = m_next < m_pattern.size();
        if (is_right) add_literal(m_pattern[m_next++]);
      } else if (character == '*') {
        add_stars();
      } else if (character == '?') {
        add({{Kind::not_separator, 0, 0}});
      } else if (character == '[') {
        is_right = add_set();
      } else {
        add_literal(character);
      }
      if (!is_right) return std::nullopt;
    }
    m_program.code.push_back({Kind::accept, 0, 0});
    return std::move(m_program);
  }

 private:
  [[nodiscard]] bool has(std::string_view text) const {
    return m_pattern.substr(m_next, text.size()) == text;
  }

  void add(const Code& code) {
    m_program.code.insert(m_program.code.end(), code.begin(), code.end());
    m_program.literal_suffix.clear();
  }

  void add_literal(char character) {
    m_program.code.push_back({Kind::character, static_cast<unsigned char>(character), 0});
    m_program.literal_suffix += character;
  }

  // Behind the first '*'. Two of them cross folders where they are all that is between two '/' or the ends.
  void add_stars() {
    const std::size_t start = m_next - 1;
    m_next = std::min(m_pattern.find_first_not_of('*', m_next), m_pattern.size());
    const bool begins_part = start == 0 || m_pattern[start - 1] == '/';
    const bool ends_part = m_next == m_pattern.size() || has("/") || has("\\/");
    if (m_next - start == 1 || !begins_part || !ends_part) return add(any_number(Kind::not_separator));
    if (!has("/")) return add(any_number(Kind::any));
    ++m_next;
    // Any number of folders, also none.
    Code code{{Kind::fork, 0, 5}};
    const auto folders = any_number(Kind::any);
    code.insert(code.end(), folders.begin(), folders.end());
    code.push_back({Kind::character, U'/', 0});
    add(code);
  }

  static Code any_number(Kind one) { return {{Kind::fork, 0, 3}, {one, 0, 0}, {Kind::jump, 0, -2}}; }

  // Behind the '['. False where the set does not end, or has an unknown class.
  bool add_set() {
    CharacterSet set;
    set.negated = has("!") || has("^");
    if (set.negated) ++m_next;
    int former = -1;  // that a range can begin with; -1: none
    for (bool is_first = true; is_first || !has("]"); is_first = false) {
      if (m_next >= m_pattern.size()) return false;
      if (has("[:")) {
        const auto end = m_pattern.find(']', m_next + 2);
        if (end == std::string_view::npos) return false;
        const auto name = m_pattern.substr(m_next + 2, end - m_next - 2);
        if (name.ends_with(':')) {
          const auto* const known = class_named(name.substr(0, name.size() - 1));
          if (known == nullptr) return false;
          set.ranges.insert(set.ranges.end(), known->begin(), known->end());
          m_next = end + 1;
          former = -1;
          continue;
        }
      }
      const bool is_range =
          has("-") && former >= 0 && m_next + 1 < m_pattern.size() && m_pattern[m_next + 1] != ']';
      if (is_range) ++m_next;
      if (has("\\")) ++m_next;
      if (m_next >= m_pattern.size()) return false;
      const auto character = static_cast<unsigned char>(m_pattern[m_next++]);
      if (!is_range) {
        set.ranges.emplace_back(character, character);
        former = character;
        continue;
      }
      if (former <= character) set.ranges.emplace_back(former, character);
      former = -1;
    }
    ++m_next;
    if (set.negated) {
      set.ranges.emplace_back(U'/', U'/');
    } else {
      set.ranges = without_separator(set.ranges);
    }
    m_program.sets.push_back(std::move(set));
    add({{Kind::set, static_cast<std::uint32_t>(m_program.sets.size() - 1), 0}});
    return true;
  }

  std::string_view m_pattern;
  std::size_t m_next = 0;
  Program m_program;
};

}  // namespace

std::optional<Program> parse_git(std::string_view pattern) {
  auto program = GitParser(pattern).parse();
  if (program) program->literal_prefix = literal_prefix(program->code);
  return program;
}

}  // namespace glob
