// SPDX-License-Identifier: Apache-2.0
// What a pattern is compiled to: a program for a machine that is in many places of it at once (Thompson's
// construction). Private to this library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "glob/glob.h"

namespace glob {

// The characters of a "[…]".
struct CharacterSet {
  std::vector<std::pair<char32_t, char32_t>> ranges;  // both ends belong to the range
  bool negated = false;

  [[nodiscard]] bool contains(char32_t character) const;
};

struct Instruction {
  enum class Kind : std::uint8_t {
    character,      // takes `operand`, then goes on
    any,            // takes one character
    not_separator,  // takes one character but '/'
    set,            // takes one character of sets[operand]
    fork,           // goes on or, as the second choice, `jump` instructions from here
    jump,           // goes `jump` instructions from here
    enter,          // begins the first round of a loop over a group
    repeat,  // ends a round: goes `jump` instructions from here for another one or, as the second choice
             // and the only one after a round that took no character, goes on
    save,    // the text of group operand / 2 begins here, or ends here if `operand` is odd
    unless_ahead,  // goes `jump` instructions from here unless what follows matches the program that starts
                   // with the next instruction and ends with its own `accept`; `operand` numbers these
    accept,
  };
  Kind kind = Kind::accept;
  std::uint32_t operand = 0;
  std::int32_t jump = 0;
};

struct Program {
  std::vector<Instruction> code;
  std::vector<CharacterSet> sets;
  std::size_t lookaheads = 0;    // the number of `unless_ahead`
  std::size_t groups = 0;        // without the whole match, which is group 0
  std::size_t nested_loops = 0;  // how many loops over groups are within each other at most
  // Whether the inner program of an `unless_ahead` must match all of the rest, or only its beginning.
  bool looks_to_the_end = true;
  std::string literal_prefix;  // what every match starts with
  std::string literal_suffix;  // and ends with, as far as that is known
  bool is_of_bytes = false;    // its characters are bytes, whatever text these are
};

// Every byte that is not part of a UTF-8 character becomes a character of its own above all others.
std::u32string decode_utf8(std::string_view text);
inline constexpr char32_t k_first_broken_byte = 0x110000;

base::Result<Program> parse(std::string_view pattern, Separator separator);

// Of a .gitignore; nothing for a pattern that can match nothing.
std::optional<Program> parse_git(std::string_view pattern);

// The ASCII characters that every match of the code starts with.
std::string literal_prefix(const std::vector<Instruction>& code);

// The ranges of a POSIX class ("alpha"); nullptr: there is none of that name.
const std::vector<std::pair<char32_t, char32_t>>* posix_class_named(std::string_view name);

}  // namespace glob
