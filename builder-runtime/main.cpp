// SPDX-License-Identifier: Apache-2.0
// builder-runtime: the build.sh protocol of Pachyderm's build pipelines as a program. Without arguments it
// reads /pfs/source and writes the artifact that the running pipeline needs to /pfs/out.
#include <malloc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/descriptor_limit.h"
#include "builder-runtime/build.h"
#include "builder-runtime/settings.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "process/descendants.h"
#include "process/interruption.h"
#include "process/runner.h"
#include "report/report.h"

namespace {

constexpr char k_description[] =
    "Builds a pipeline's source folder into the artifact that the running pipeline starts: run.sh, "
    "build.json,\n"
    "worker-shim, and one bundle with all that had to be installed or compiled. Without options it is what "
    "a\n"
    "builder image's build.sh has to do: it reads /pfs/source and writes /pfs/out.\n";
constexpr char k_footer[] =
    "\nA source folder is a Python project (main.py, requirements.txt or a lock, pyproject.toml, …) or a Go\n"
    "module with a package main; pachbuild.toml in it may say more. docs/builders.md tells all of it.\n"
    "A build.sh in it replaces these steps, and may call builder-runtime for them; a run.sh replaces the "
    "one\n"
    "that is made.\n"
    "\nVariables:\n"
    "  PACHBUILD_CACHE_DIR   the folder of caches (/var/cache/pachbuild, else ~/.cache/pachbuild)\n"
    "  PACHBUILD_CACHE_LIMIT how large they may become (20GiB; 0: no limit)\n"
    "  PACHBUILD_LOG=json    one JSON object a line on standard error\n"
    "\nExit codes: 0 done; 1 a step of yours failed (requirements, compiling, build.sh); 64 command line;\n"
    "65 source; 69 a tool is missing; 70 a bug of ours; 73, 74 writing or reading failed; 75 network.\n"
    "\nExample: builder-runtime --source examples/map/source-python --out /tmp/artifact\n";

void declare(CLI::App& app, builder::Options& options) {
  app.footer(k_footer);
  app.set_version_flag("--version", "builder-runtime " PACHBUILD_VERSION);
  app.add_option("--source", options.source, "The source folder")
      ->type_name("DIR")
      ->default_str(contract::k_source);
  app.add_option("--out", options.out, "Where the artifact goes")
      ->type_name("DIR")
      ->default_str(contract::k_out);
  app.add_option("--language", options.language, "python or go; without it the source decides")
      ->type_name("NAME");
  app.add_option("--shim", options.shim,
                 "The worker-shim that goes into the artifact (default: the one beside this program, else " +
                     std::string(contract::k_image_shim) + ")")
      ->type_name("FILE");
  app.add_flag("--inputs", options.shows_inputs,
               "Prints what decides the bundle, and what is read and does not, a line each; builds nothing");
}

base::Status perform(const builder::Options& options, process::Runner& runner) {
  BASE_TRY_ASSIGN(const builder::Settings settings, builder::settle(options, process::current_environment()));
  if (!options.shows_inputs) return builder::build(settings, runner);
  BASE_TRY_ASSIGN(const std::string inputs, builder::describe_inputs(settings, runner));
  std::fputs(inputs.c_str(), stdout);
  return {};
}

// A build takes the same large buffers again and again: to give them back to the system in between, and to
// have their pages filled with zeros anew, took as long as compressing what was in them.
void keep_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

// To be ended by a signal is to have ended all that was started.
int build(const builder::Options& options) {
  if (const auto enough = base::raise_descriptor_limit(); !enough) return report::fail(enough.error());
  const process::Descendants descendants;
  auto interruption = process::Interruption::watch();
  if (!interruption) return report::fail(interruption.error());
  process::SystemRunner runner(&*interruption, {.end = process::SystemRunner::k_tool_end});
  const auto built = perform(options, runner);
  const int code = built ? 0 : report::fail(built.error());
  descendants.end();
  const auto signal = built ? std::nullopt : interruption->signal();
  if (!signal) return code;
  std::move(*interruption).pass_on();
  // The first process of a container is not ended by its own signals.
  return contract::k_signal_base + *signal;
}

int run(int argc, char** argv) {
  report::set_up();
  builder::Options options;
  CLI::App app(k_description, "builder-runtime");
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return report::fail(
        {base::ErrorKind::usage, "", error.what(), "builder-runtime --help tells the options"});
  }
  // Nothing of an artifact or a cache depends on the user's mask.
  ::umask(022);
  keep_memory();
  return build(options);
}

}  // namespace

int main(int argc, char** argv) {
  return report::guard([&] { return run(argc, argv); });
}
