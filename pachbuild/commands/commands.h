// SPDX-License-Identifier: Apache-2.0
// The verbs of pachbuild, a file each. main() asks each to add itself to the command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace commands {

// What the command line comes down to.
struct Invocation {
  std::vector<std::string> after_dashes;  // everything after the first "--", untouched
  // Of the verb that was given; gives the exit code, or an error that program.cpp tells.
  std::function<base::Result<int>()> action;
};

void add_builder(CLI::App& app, Invocation& invocation);
// "validate" and "diff".
void add_compare(CLI::App& app, Invocation& invocation);
void add_graph(CLI::App& app, Invocation& invocation);
void add_ignored(CLI::App& app, Invocation& invocation);
void add_inspect(CLI::App& app, Invocation& invocation);
// "delete pipeline".
void add_remove(CLI::App& app, Invocation& invocation);
// "list datum" and "glob".
void add_list(CLI::App& app, Invocation& invocation);
void add_run(CLI::App& app, Invocation& invocation);
// "python-pipeline" below "create" and "update".
void add_python_pipeline(CLI::App& create, CLI::App& update, Invocation& invocation);
// "pipeline" below "create" and "update".
void add_submit(CLI::App& create, CLI::App& update, Invocation& invocation);
// "status" and "logs".
void add_watch(CLI::App& app, Invocation& invocation);

}  // namespace commands
