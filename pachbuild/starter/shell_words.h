// SPDX-License-Identifier: Apache-2.0
// The simple commands of a RUN instruction, as far as they can be told without a shell.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pachbuild/starter/dockerfile.h"

namespace starter {

struct ShellCommand {
  std::vector<std::string> words;  // without quotes, redirections and assignments; variables as far as known
  std::vector<std::string> assignments;  // before the words: "NAME=value"
  std::string text;                      // as it is written, in one line
  std::size_t offset = 0;                // of its first character
  bool is_plain = true;  // no variable, substitution or compound command that would change its meaning
};

// `newlines_end`: a newline ends a command, as in a here-document; else it is white space.
std::vector<ShellCommand> shell_commands(std::string_view text, const Variables& variables,
                                         bool newlines_end);

}  // namespace starter
