// SPDX-License-Identifier: Apache-2.0
// What a shell offers while a command of pachbuild is typed. The shells' own files (scripts/completions) only
// ask for it, by `pachbuild k_complete_command WORDS…`.
#pragma once

#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}  // namespace CLI

namespace commands {

// Hidden from --help. The last word after it is the one being typed; it may be empty.
inline constexpr char k_complete_command[] = "complete-words";

struct Completions {
  struct Candidate {
    std::string text;         // of the whole word
    std::string description;  // one line, perhaps empty
  };
  enum class Paths { none, files, folders };

  std::vector<Candidate> candidates;  // in the order of --help
  Paths paths = Paths::none;          // that the shell offers besides
  std::string before_path;            // the part of the word that is not of the path: "--input=scraper="
};

// For `words` after the program's name, of which the last is typed. Specs that they name are read for their
// repos, pipelines and secrets; what cannot be read offers nothing.
Completions complete(const CLI::App& app, const std::vector<std::string>& words);

// As the shells read it: a line each of "none", "files" or "folders"; what comes before a path; then
// "TEXT<tab>DESCRIPTION" of each candidate.
std::string to_text(const Completions& completions);

}  // namespace commands
