// SPDX-License-Identifier: Apache-2.0
// builder-runtime: the build.sh protocol of Pachyderm's build pipelines as a program. Without arguments it
// reads /pfs/source and writes the artifact that the running pipeline needs to /pfs/out.
#include <malloc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <utility>

#include "about/version.h"
#include "base/descriptor_limit.h"
#include "builder-runtime/build.h"
#include "builder-runtime/settings.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "process/descendants.h"
#include "process/interruption.h"
#include "process/runner.h"
#include "report/report.h"
#include "report/usage.h"

namespace {

constexpr char k_description[] =
    R"(Builds a pipeline's source folder into the artifact that the pipeline starts: run.sh, build.json,
worker-shim, and a bundle of everything that was installed or compiled. Without options it does what
build.sh in a builder image must do: it reads /pfs/source and writes /pfs/out.
)";
constexpr char k_footer[] = R"(
A source folder is a Python project (main.py, requirements.txt or a lock file, pyproject.toml, …), a Go
module with a package main, or a project in the language of --builder or of an installed builder. Settings go
into pachbuild.toml. A build.sh in the source replaces the build and may call builder-runtime; a run.sh in the
source replaces the generated one. See docs/builders.md and docs/builder-toml.md.

Environment:
  PACHBUILD_CACHE_DIR    folder of all caches (default: /var/cache/pachbuild, else ~/.cache/pachbuild)
  PACHBUILD_CACHE_LIMIT  size limit of each cache group (default: 20GiB; 0: no limit)
  PACHBUILD_LOG=json     log as JSON, one object per line on standard error

Exit codes:
  0 done, 1 a step of the build failed (requirements, compiling, build.sh), 64 usage, 65 invalid source,
  69 a tool is missing, 70 a bug in pachbuild, 73 cannot write, 74 cannot read, 75 network error (try again)

Examples:
  builder-runtime --source examples/map/source-python --out /tmp/artifact
  builder-runtime --builder ./lua --source ./source --out /tmp/artifact
)";

void declare(CLI::App& app, builder::Options& options) {
  report::set_help_form(app);
  app.footer(k_footer);
  app.set_version_flag("-V,--version", about::version_line("builder-runtime"), "Print the version and exit");
  const auto by_default = [](const char* folder) { return " (default: " + std::string(folder) + ")"; };
  app.add_option("--source", options.source, "The source folder" + by_default(contract::k_source))
      ->type_name("DIR");
  app.add_option("--out", options.out, "The folder for the artifact" + by_default(contract::k_out))
      ->type_name("DIR");
  app.add_option("--language", options.language,
                 "python, go, or an installed builder (default: detected from the source)")
      ->type_name("LANGUAGE");
  app.add_option("--builder", options.builder,
                 "The folder of a builder: builder.toml and the files it refers to (docs/builder-toml.md)")
      ->type_name("DIR");
  app.add_option("--shim", options.shim,
                 "The worker-shim to put into the artifact (default: the one next to this program, else " +
                     std::string(contract::k_image_shim) + ")")
      ->type_name("FILE");
  app.add_flag("--inputs", options.shows_inputs,
               "Print every input of the build and whether it is part of the bundle's key, without building");
  app.add_flag("--explain", options.explains,
               "Print as JSON what a builder with a builder.toml would do and why, without building");
  app.add_flag("--source-inputs", options.shows_source_inputs,
               "Print as JSON the parts of the source that determine the artifact, without building");
}

base::Result<std::string> answer(const builder::Options& options, const builder::Settings& settings,
                                 process::Runner& runner) {
  if (options.explains) return builder::explain(settings, runner);
  if (options.shows_source_inputs) return builder::source_inputs(settings, runner);
  return builder::describe_inputs(settings, runner);
}

base::Status perform(const builder::Options& options, process::Runner& runner) {
  BASE_TRY_ASSIGN(const builder::Settings settings, builder::settle(options, process::current_environment()));
  const bool builds = !options.shows_inputs && !options.explains && !options.shows_source_inputs;
  if (builds) return builder::build(settings, runner);
  BASE_TRY_ASSIGN(const std::string text, answer(options, settings, runner));
  std::fputs(text.c_str(), stdout);
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
  int code = 0;
  if (!built && interruption->signal()) {
    report::warn("interrupted");  // that this is an error is for whoever started us to say
  } else if (!built) {
    code = report::fail(built.error());
  }
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
    return report::fail(report::usage_error(app, error));
  }
  if (const auto checked = report::check_values(app); !checked) return report::fail(checked.error());
  // Nothing of an artifact or a cache depends on the user's mask.
  ::umask(022);
  keep_memory();
  return build(options);
}

}  // namespace

int main(int argc, char** argv) {
  return report::guard([&] { return run(argc, argv); });
}
