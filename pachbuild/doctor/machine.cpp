// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/doctor/machine.h"

#include <csignal>

#include "base/text.h"

namespace doctor {

base::Result<process::Finished> ask(const Machine& machine, std::vector<std::string> arguments,
                                    std::chrono::milliseconds patience) {
  process::Command command{
      .arguments = std::move(arguments), .environment = machine.environment, .folder = "/"};
  command.orphan_signal = SIGKILL;
  command.ends_its_group = true;
  command.time_limit = patience;
  return machine.runner->run(command, {});
}

base::Result<std::string> first_line(const Machine& machine, std::vector<std::string> arguments,
                                     std::chrono::milliseconds patience) {
  BASE_TRY_ASSIGN(const auto finished, ask(machine, arguments, patience));
  if (finished.ending.succeeded())
    return std::string(base::trim(base::split(base::trim(finished.output), '\n').front()));
  const auto reason = base::last_line(finished.errors);
  return base::fail(base::ErrorKind::unavailable, arguments.front(),
                    reason.empty() ? finished.ending.predicate() : reason);
}

}  // namespace doctor
