// SPDX-License-Identifier: Apache-2.0
// What is wrong with a command line that CLI11 refuses, in our words: its own never reach a user. Also the
// checks of values that several options share, since their errors are made here.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace report {

// "pachbuild update pipeline"
std::string full_name(const CLI::App& verb);

// Has the help of `app` and of the commands that are added to it later show each argument by one name
// ("DIR"), what an option needs and excludes in its text, texts in lines of one length, and one blank line
// before each part.
void set_help_form(CLI::App& app);

// Adds what may follow "--" ("ARGS...") to the usage line of a command whose app has the help form.
void add_usage_after_dashes(const CLI::App& verb, const std::string& form);

// The verb that the words led to.
CLI::App& reached_verb(CLI::App& app);

// `word` is neither an option nor a verb of `verb`.
base::Error unknown_word(const CLI::App& verb, const std::string& word);

// The error of words that `app` has refused by `error`.
base::Error usage_error(CLI::App& app, const CLI::ParseError& error);

// The error of an option, of the verb that the words led to, that was given an empty value.
base::Status check_values(CLI::App& app);

// Lets the option have an empty value.
void allow_empty(CLI::Option& option);

// "podman" and "docker" of an option whose values CLI::IsMember names ("NAME:{podman,docker}"); else none.
std::vector<std::string> values_of(const CLI::Option& option);

// Accepts whole numbers from `least` to `most`.
void check_whole_number(CLI::Option& option, int least, int most);

// Accepts a size such as 20GiB, 500MB or 2k, by factors of 1024, and turns it into bytes.
void read_size(CLI::Option& option);

}  // namespace report
