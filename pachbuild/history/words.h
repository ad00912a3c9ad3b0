// SPDX-License-Identifier: Apache-2.0
// Texts of a run for a file that is passed on: no passwords, and no characters that hide others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pachbuild/history/run.h"

namespace history {

// One line: passwords in URLs hidden, what is not printable as \xNN.
std::string shown(std::string_view text);

// The same of several lines, without colours and other control sequences.
std::string shown_lines(std::string_view text);

// A command line for a shell; words that no line can show as they are become $'…'.
std::string command_line(const std::vector<std::string>& words);

// `words` without these options, of which some have a value each.
std::vector<std::string> without_options(const std::vector<std::string>& words,
                                         const std::vector<std::string>& with_value,
                                         const std::vector<std::string>& flags = {});

// The command line that does something again for one datum, whose id goes between the two.
struct DatumCommand {
  std::string before;
  std::string after;
};

// `pachbuild run`, and `pachbuild shell`. `pipeline` is named where the run has several.
DatumCommand run_datum(const Run& run, const Pipeline& pipeline);
DatumCommand open_shell(const Run& run, const Pipeline& pipeline);

// The command as it was given, in its folder.
std::string run_again(const Run& run);

}  // namespace history
