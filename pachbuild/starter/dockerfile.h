// SPDX-License-Identifier: Apache-2.0
// A Dockerfile as a list of its instructions. Nothing is run; what a shell would do is read by shell_words.h.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace starter {

struct Instruction {
  std::size_t line = 1;            // where it starts
  std::string keyword;             // in capitals: "COPY"
  std::vector<std::string> flags;  // "--from=build"
  // What follows, with a newline in place of each continuation, or the lines of a here-document that RUN has
  // as its script.
  std::string text;
  bool is_script = false;         // newlines end commands
  bool has_heredoc = false;       // a here-document is a part of it that is not in `text`
  std::vector<std::string> exec;  // the words of the form ["a", "b"]; empty: the shell's form
  // Where lines of the file start in `text`: offset and number.
  std::vector<std::pair<std::size_t, std::size_t>> lines;

  // The line of the file that has the character at `offset` of `text`.
  [[nodiscard]] std::size_t line_at(std::size_t offset) const;
};

// Errors of kind bad_input name `where`, and the line where there is one.
base::Result<std::vector<Instruction>> parse_dockerfile(std::string_view text, const std::string& where);

using Variables = std::map<std::string, std::string>;

// What the variables in one text may become in all: each can be a multiple of others.
inline constexpr std::size_t k_largest_expansion = std::size_t{1} << 20;

// Whether it can be in the name of a variable, for Dockerfiles as for shells.
bool is_variable_character(char character);

// A text that is one word, spaces included, with variables replaced and quotes removed.
struct ExpandedText {
  std::string text;
  // The first variable that nothing sets, or that would become too much; empty: there is none.
  std::string unknown;
  bool is_too_large = false;  // a variable is left out: with it there would be more than k_largest_expansion
};
ExpandedText expand_text(std::string_view text, const Variables& variables);

// The same for each word of an instruction.
struct ExpandedWords {
  std::vector<ExpandedText> words;

  [[nodiscard]] std::vector<std::string> texts() const;
  // The first of all; empty: there is none.
  [[nodiscard]] std::string unknown() const;
};
ExpandedWords expand_words(std::string_view text, const Variables& variables);

}  // namespace starter
