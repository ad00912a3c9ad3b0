// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/build_script.h"

#include "builder-runtime/languages/language.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/phases/emit.h"
#include "contract/environment.h"
#include "contract/layout.h"

namespace builder {
namespace {

using base::ErrorKind;

constexpr char k_shell[] = "/bin/sh";

base::Result<process::Command> script_command(const Settings& settings) {
  BASE_TRY_ASSIGN(const fs::path own, base::own_folder());
  process::Command command;
  const auto script = (settings.source / contract::k_build_script).string();
  // Both of its streams are log: the first shell only joins them, in their order.
  command.arguments = {k_shell, "-c", "exec /bin/sh \"$0\" >&2", script};
  command.folder = settings.source;
  command.environment = settings.environment;
  const auto path = value_of(settings.environment, "PATH");
  command.environment["PATH"] = own.string() + (path.empty() ? "" : ":" + path);
  command.environment["PWD"] = settings.source.string();
  command.environment[contract::k_default_steps_variable] = "1";
  return command;
}

}  // namespace

base::Status run_build_script(const Settings& settings, const Tools& tools) {
  Milestone milestone("build.sh");
  BASE_TRY(base::make_folders(settings.out));
  BASE_TRY_ASSIGN(auto command, script_command(settings));
  const auto script = command.arguments.back();
  BASE_TRY_ASSIGN(const auto finished, tools.run(std::move(command)));
  if (!finished.ending.succeeded()) {
    return base::fail(ErrorKind::step_failed, script, finished.ending.predicate());
  }
  if (!is_file(settings.out / contract::k_run_script)) {
    return base::fail(
        ErrorKind::step_failed, script, "did not write run.sh to " + settings.out.string(),
        "the pipeline is started with sh /pfs/build/run.sh: write this file, or call builder-runtime");
  }
  // What is there and is none of ours is the script's business.
  static_cast<void>(record_run_script(settings.out));
  milestone.reached("done");
  return {};
}

}  // namespace builder
