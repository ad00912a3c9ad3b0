// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "base/descriptor_limit.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/local/worker/worker.h"
#include "report/report.h"

namespace commands {
namespace {

constexpr char k_footer[] = R"(
Environment:
  PACHBUILD_CACHE_DIR       folder of all caches (default: ~/.cache/pachbuild)
  PACHBUILD_CACHE_LIMIT     largest size of the kept results (default: 20GiB; 0: no limit)
  PACHBUILD_LOG=json        log as JSON, one object per line on standard error
  PACHBUILD_BUILDER_IMAGES  prefix for the official builder images ("registry.example.com/team/")
  PACHCTL                   the pachctl to use
Exit codes:
  0 done, 1 a build or datum failed, 64 usage, 65 wrong source or spec, 69 something needed is missing,
  70 a bug in pachbuild, 73 cannot write, 74 cannot read, 75 network error (try again)
)";

// The worker that pool.cpp starts: not for people, so not on the command line that is shown.
[[noreturn]] void run_worker(char** arguments) { local::serve_tasks({arguments[2], arguments[3]}); }

// What was given and is not known says more than what is therefore missing.
base::Error usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining(/*recurse=*/true);
  const std::string what = unknown.empty() ? error.what() : "unknown argument " + unknown.front();
  return {base::ErrorKind::usage, "", what, "see pachbuild --help or pachbuild VERB --help"};
}

}  // namespace

int run_program(int argc, char** argv) {
  report::set_up();
  if (argc == 4 && std::string(argv[1]) == local::k_worker_command) run_worker(argv);

  // Fewer may do for what is asked; who needs more says so.
  static_cast<void>(base::raise_descriptor_limit());
  // What comes after "--" is the program's, byte for byte: nothing here parses it.
  const auto dashes = std::find(argv + 1, argv + argc, std::string("--"));
  Invocation invocation;
  if (dashes != argv + argc) invocation.after_dashes.assign(dashes + 1, argv + argc);

  CLI::App app("Turns an edited source folder into a running Pachyderm pipeline.", "pachbuild");
  app.set_version_flag("--version", "pachbuild " PACHBUILD_VERSION);
  app.require_subcommand(1);
  app.footer(k_footer);
  add_run(app, invocation);
  add_list(app, invocation);
  add_graph(app, invocation);
  auto* create = app.add_subcommand("create", "Make pipelines on a cluster")->require_subcommand(1);
  auto* update = app.add_subcommand("update", "Make or change pipelines on a cluster")->require_subcommand(1);
  add_submit(*create, *update, invocation);
  add_python_pipeline(*create, *update, invocation);
  add_watch(app, invocation);
  add_remove(app, invocation);
  add_compare(app, invocation);
  add_ignored(app, invocation);
  add_inspect(app, invocation);
  add_builder(app, invocation);
  try {
    app.parse(static_cast<int>(dashes - argv), argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    return report::fail(usage_error(app, error));
  }
  const auto code = invocation.action();
  if (code) return *code;
  // An error without words has been told: by the builder, or by the lines above it.
  return code.error().what.empty() ? static_cast<int>(code.error().kind) : report::fail(code.error());
}

}  // namespace commands
