// SPDX-License-Identifier: Apache-2.0
// The verbs of pachbuild, a file each. main() asks each to add itself to the command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace commands {

// What the command line comes down to.
struct Invocation {
  std::vector<std::string> words;         // after the program's name, before the first "--"
  std::vector<std::string> after_dashes;  // everything after it, untouched
  bool is_again = false;                  // started by rerun
  std::string verb;                       // "pachbuild update pipeline"
  bool has_assumed = false;               // words that nobody has typed: assumed.h
  // Of the verb that was given; gives the exit code, or an error that program.cpp tells.
  std::function<base::Result<int>()> action;
};

// What main() does with the words after the program's name, and rerun with those of a run; gives the exit
// code.
int run_words(const std::vector<std::string>& words, bool is_again);

void add_builder(CLI::App& app, Invocation& invocation);
// "cache path", "cache list" and "cache clean".
void add_cache(CLI::App& app, Invocation& invocation);
// "validate" and "diff".
void add_compare(CLI::App& app, Invocation& invocation);
void add_doctor(CLI::App& app, Invocation& invocation);
void add_explain(CLI::App& app, Invocation& invocation);
void add_graph(CLI::App& app, Invocation& invocation);
void add_ignored(CLI::App& app, Invocation& invocation);
void add_init(CLI::App& app, Invocation& invocation);
void add_inspect(CLI::App& app, Invocation& invocation);
// "delete pipeline".
void add_remove(CLI::App& app, Invocation& invocation);
// "list datum" and "glob".
void add_list(CLI::App& app, Invocation& invocation);
void add_rerun(CLI::App& app, Invocation& invocation);
// "run" and "dev".
void add_run(CLI::App& app, Invocation& invocation);
void add_shell(CLI::App& app, Invocation& invocation);
// "python-pipeline" below "create" and "update".
void add_python_pipeline(CLI::App& create, CLI::App& update, Invocation& invocation);
// "pipeline" below "create" and "update".
void add_submit(CLI::App& create, CLI::App& update, Invocation& invocation);
// "status" and "logs".
void add_status_and_logs(CLI::App& app, Invocation& invocation);

}  // namespace commands
