// SPDX-License-Identifier: Apache-2.0
// A recursive descent over the pattern that emits code as it goes. Jumps are relative, so that the code of a
// part can be put anywhere.
#include <algorithm>
#include <array>
#include <iterator>

#include "base/errors.h"
#include "base/text.h"
#include "glob/program.h"

namespace glob {
namespace {

using Code = std::vector<Instruction>;
using Kind = Instruction::Kind;

// Patterns are about paths, which Linux limits to this; and a group within a group needs the stack.
constexpr std::size_t k_longest_pattern = 4096;
constexpr std::size_t k_deepest_nesting = 100;

struct PosixClass {
  std::string_view name;
  std::vector<std::pair<char32_t, char32_t>> ranges;
};

// POSIX.1-2017, XBD 9.3.5, in ASCII; "ascii" and "word" as Go's regexp/syntax has them.
const std::vector<PosixClass>& posix_classes() {
  static const std::vector<PosixClass> classes = {
      {"alnum", {{U'0', U'9'}, {U'A', U'Z'}, {U'a', U'z'}}},
      {"alpha", {{U'A', U'Z'}, {U'a', U'z'}}},
      {"ascii", {{0, 0x7f}}},
      {"blank", {{U'\t', U'\t'}, {U' ', U' '}}},
      {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}},
      {"digit", {{U'0', U'9'}}},
      {"graph", {{U'!', U'~'}}},
      {"lower", {{U'a', U'z'}}},
      {"print", {{U' ', U'~'}}},
      {"punct", {{U'!', U'/'}, {U':', U'@'}, {U'[', U'`'}, {U'{', U'~'}}},
      {"space", {{U'\t', U'\r'}, {U' ', U' '}}},
      {"upper", {{U'A', U'Z'}}},
      {"word", {{U'0', U'9'}, {U'A', U'Z'}, {U'_', U'_'}, {U'a', U'z'}}},
      {"xdigit", {{U'0', U'9'}, {U'A', U'F'}, {U'a', U'f'}}},
  };
  return classes;
}

// All characters that are not in `ranges`, which are sorted.
std::vector<std::pair<char32_t, char32_t>> complement(
    const std::vector<std::pair<char32_t, char32_t>>& ranges) {
  std::vector<std::pair<char32_t, char32_t>> rest;
  char32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) rest.emplace_back(next, first - 1);
    next = last + 1;
  }
  rest.emplace_back(next, ~char32_t{0});
  return rest;
}

std::int32_t length_of(const Code& code) { return static_cast<std::int32_t>(code.size()); }

void append(Code& code, const Code& more) { code.insert(code.end(), more.begin(), more.end()); }

// One of the alternatives: fork over each but the last, and jump to the end from each but the last.
Code any_of(const std::vector<Code>& alternatives) {
  Code code = alternatives.back();
  for (auto alternative = std::next(alternatives.rbegin()); alternative != alternatives.rend();
       ++alternative) {
    Code longer{{Kind::fork, 0, length_of(*alternative) + 2}};
    append(longer, *alternative);
    longer.push_back({Kind::jump, 0, length_of(code) + 1});
    append(longer, code);
    code = std::move(longer);
  }
  return code;
}

Code optional(const Code& body) {
  Code code{{Kind::fork, 0, length_of(body) + 1}};
  append(code, body);
  return code;
}

Code once_or_more(const Code& body) {
  Code code{{Kind::enter, 0, 0}};
  append(code, body);
  code.push_back({Kind::repeat, 0, -length_of(body)});
  return code;
}

// As many characters as `one` takes.
Code any_number(const Instruction& one) { return {{Kind::fork, 0, 3}, one, {Kind::jump, 0, -2}}; }

class Parser {
 public:
  Parser(std::string_view pattern, Separator separator)
      : m_name(pattern), m_pattern(decode_utf8(pattern)), m_separator(separator) {}

  base::Result<Program> parse() {
    if (m_pattern.size() > k_longest_pattern) {
      return base::fail(base::ErrorKind::bad_input, m_name.substr(0, 40) + "…",
                        "is longer than " + std::to_string(k_longest_pattern) + " characters");
    }
    BASE_TRY_ASSIGN(m_program.code, sequence(U""));
    m_program.code.push_back({Kind::accept, 0, 0});
    return std::move(m_program);
  }

 private:
  [[nodiscard]] bool at_end() const { return m_next == m_pattern.size(); }
  [[nodiscard]] bool is_next(char32_t character, std::size_t ahead = 0) const {
    return m_next + ahead < m_pattern.size() && m_pattern[m_next + ahead] == character;
  }
  bool skip(char32_t character) {
    if (!is_next(character)) return false;
    ++m_next;
    return true;
  }

  // `offset` is that of the character at fault.
  [[nodiscard]] tl::unexpected<base::Error> fail(std::size_t offset, const std::string& what) const {
    return base::fail(base::ErrorKind::bad_input, m_name,
                      "character " + std::to_string(offset + 1) + ": " + what);
  }

  // Terms up to the end or, in a group, to one of its two `delimiters` (',' and '}', or '|' and ')').
  base::Result<Code> sequence(std::u32string_view delimiters) {
    Code code;
    while (!at_end() && delimiters.find(m_pattern[m_next]) == std::u32string_view::npos) {
      BASE_TRY_ASSIGN(const Code more, term());
      append(code, more);
    }
    return code;
  }

  base::Result<Code> term() {
    const std::size_t start = m_next;
    const char32_t character = m_pattern[m_next++];
    const bool opens_group = is_next(U'(');
    switch (character) {
      case U'(':
        --m_next;
        return group(U'@', start);
      case U'@':
      case U'+':
      case U'?':
      case U'!':
      case U'*':
        if (opens_group) return group(character, start);
        break;
      case U'^':
        if (opens_group) return fail(start, "unsupported group '^(…)'; write a negation as '!(…)'");
        break;
      case U'{':
        return braces(start);
      case U'[':
        return set(start);
      default:
        break;
    }
    if (character == U'*') return star();
    if (character == U'?') return Code{one_of_a_name()};
    return literal(character, start);
  }

  [[nodiscard]] Instruction one_of_a_name() const {
    return {m_separator == Separator::slash ? Kind::not_separator : Kind::any, 0, 0};
  }

  // "*", or "**" unless its second '*' belongs to a group "*(…)".
  Code star() {
    note_boundary();
    const bool crosses = is_next(U'*') && !is_next(U'(', 1) && skip(U'*');
    return any_number(crosses ? Instruction{Kind::any, 0, 0} : one_of_a_name());
  }

  base::Result<Code> literal(char32_t character, std::size_t start) {
    note_boundary();
    if (character == U'\\') {
      if (at_end()) return fail(start, "nothing follows '\\'");
      character = m_pattern[m_next++];
    }
    if (character >= k_first_broken_byte) return fail(start, "is not UTF-8");
    return Code{{Kind::character, character, 0}};
  }

  base::Result<std::vector<Code>> alternatives(std::u32string_view delimiters, std::size_t start) {
    if (++m_nesting > k_deepest_nesting) return fail(start, "groups are nested too deeply");
    std::vector<Code> all;
    do {
      BASE_TRY_ASSIGN(Code one, sequence(delimiters));
      all.push_back(std::move(one));
    } while (skip(delimiters[0]));
    if (!skip(delimiters[1])) {
      return fail(start, delimiters[1] == U')' ? "unclosed '('" : "unclosed '{'");
    }
    --m_nesting;
    return all;
  }

  base::Result<Code> braces(std::size_t start) {
    BASE_TRY_ASSIGN(const std::vector<Code> all, alternatives(U",}", start));
    return any_of(all);
  }

  base::Result<Code> group(char32_t quantifier, std::size_t start) {
    ++m_next;  // the '('
    const auto first_slot = static_cast<std::uint32_t>(2 * ++m_program.groups);
    const std::size_t lookahead = quantifier == U'!' ? m_program.lookaheads++ : 0;
    const std::size_t loop = quantifier == U'*' || quantifier == U'+' ? 1 : 0;
    m_loops += loop;
    m_program.nested_loops = std::max(m_program.nested_loops, m_loops);
    BASE_TRY_ASSIGN(const std::vector<Code> all, alternatives(U"|)", start));
    m_loops -= loop;
    Code code{{Kind::save, first_slot, 0}};
    append(code, repeated(any_of(all), quantifier, lookahead));
    code.push_back({Kind::save, first_slot + 1, 0});
    return code;
  }

  Code repeated(const Code& body, char32_t quantifier, std::size_t lookahead) {
    switch (quantifier) {
      case U'?':
        return optional(body);
      case U'*':
        return optional(once_or_more(body));
      case U'+':
        return once_or_more(body);
      case U'!':
        return negation(body, lookahead);
      default:
        return body;
    }
  }

  Code negation(const Code& body, std::size_t number) {
    m_negation_closed = true;
    Code code{{Kind::unless_ahead, static_cast<std::uint32_t>(number), length_of(body) + 2}};
    append(code, body);
    code.push_back({Kind::accept, 0, 0});
    append(code, any_number(one_of_a_name()));
    return code;
  }

  // ohmyglob's compiler looks behind the first negation that closes: if a text or a '*' comes there, all
  // negations of the pattern hold against the beginning of what follows, and else against all of it.
  void note_boundary() {
    if (m_negation_closed) m_program.looks_to_the_end = false;
  }

  base::Result<Code> set(std::size_t start) {
    CharacterSet result;
    result.negated = skip(U'!') || skip(U'^');
    while (!skip(U']')) {
      if (at_end()) return fail(start, "unclosed '['");
      if (is_next(U'[') && is_next(U':', 1)) {
        BASE_TRY(posix_class(result));
      } else {
        BASE_TRY(range(result, start));
      }
    }
    if (result.ranges.empty()) return fail(start, "empty character class '[]'");
    m_program.sets.push_back(std::move(result));
    return Code{{Kind::set, static_cast<std::uint32_t>(m_program.sets.size() - 1), 0}};
  }

  base::Status posix_class(CharacterSet& result) {
    const std::size_t start = m_next;
    m_next += 2;
    const bool negated = skip(U'^');
    const std::size_t end = m_pattern.find(U":]", m_next);
    if (end != std::u32string::npos) {
      const auto name = std::u32string_view(m_pattern).substr(m_next, end - m_next);
      const auto* const known = posix_class_named(std::string(name.begin(), name.end()));
      if (known != nullptr) {
        const auto ranges = negated ? complement(*known) : *known;
        result.ranges.insert(result.ranges.end(), ranges.begin(), ranges.end());
        m_next = end + 2;
        return {};
      }
    }
    return fail(start, "unknown character class");
  }

  // One character, or two with a '-' between them.
  base::Status range(CharacterSet& result, std::size_t start) {
    const std::size_t offset = m_next;
    BASE_TRY_ASSIGN(const char32_t first, set_character(start));
    char32_t last = first;
    if (is_next(U'-') && !is_next(U']', 1)) {
      ++m_next;
      if (at_end()) return fail(start, "unclosed '['");
      BASE_TRY_ASSIGN(last, set_character(start));
    }
    if (last < first) return fail(offset, "the range is in reverse order");
    result.ranges.emplace_back(first, last);
    return {};
  }

  base::Result<char32_t> set_character(std::size_t start) {
    const std::size_t offset = m_next;
    char32_t character = m_pattern[m_next++];
    if (character == U'\\') {
      if (at_end()) return fail(start, "unclosed '['");
      character = m_pattern[m_next++];
    }
    if (character >= k_first_broken_byte) return fail(offset, "is not UTF-8");
    return character;
  }

  std::string m_name;
  std::u32string m_pattern;
  Separator m_separator;
  Program m_program;
  std::size_t m_next = 0;
  std::size_t m_nesting = 0;
  std::size_t m_loops = 0;  // over groups, around the next character
  bool m_negation_closed = false;
};

}  // namespace

const std::vector<std::pair<char32_t, char32_t>>* posix_class_named(std::string_view name) {
  for (const PosixClass& known : posix_classes()) {
    if (known.name == name) return &known.ranges;
  }
  return nullptr;
}

std::string literal_prefix(const Code& code) {
  std::string prefix;
  for (const Instruction& instruction : code) {
    if (instruction.kind == Kind::save) continue;
    if (instruction.kind != Kind::character || instruction.operand > 0x7f) break;
    prefix += static_cast<char>(instruction.operand);
  }
  return prefix;
}

std::u32string decode_utf8(std::string_view text) {
  // The bits of a first byte that belong to the character, by the length of its sequence.
  static constexpr std::array<unsigned, 5> k_mask = {0, 0x7f, 0x1f, 0x0f, 0x07};
  std::u32string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    std::size_t length = first < 0x80 ? 1 : base::utf8_length(text);
    char32_t character = first & k_mask[length];
    for (std::size_t i = 1; i < length; ++i) {
      character = (character << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
    }
    if (length == 0) {
      character = k_first_broken_byte + first;
      length = 1;
    }
    result += character;
    text.remove_prefix(length);
  }
  return result;
}

base::Result<Program> parse(std::string_view pattern, Separator separator) {
  BASE_TRY_ASSIGN(Program program, Parser(pattern, separator).parse());
  program.literal_prefix = literal_prefix(program.code);
  return program;
}

}  // namespace glob
