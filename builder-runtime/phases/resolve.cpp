// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/resolve.h"

#include "builder-runtime/milestone.h"
#include "report/report.h"

namespace builder {
namespace {

std::string summary_of(const Plan& plan) {
  if (plan.key.empty()) return "nothing to install; using " + plan.platform.interpreter;
  std::string platform = plan.platform.os + "/" + plan.platform.architecture;
  for (const auto& part : {plan.compiler, plan.platform.libc, plan.platform.interpreter}) {
    if (!part.empty()) platform += ", " + part;
  }
  return "for " + platform + ", key " + plan.key.substr(0, 12);
}

}  // namespace

base::Result<Plan> resolve(const Source& source, const Tools& tools) {
  Milestone milestone("resolve");
  BASE_TRY_ASSIGN(Plan plan, source.plan(tools));
  plan.language = source.language->name;
  const auto& settings = source.settings;
  plan.start.command.insert(plan.start.command.end(), settings.arguments.begin(), settings.arguments.end());
  for (const auto& [name, value] : settings.environment) plan.start.environment[name] = value;
  // A command of the pipeline's own starts what it names.
  if (!plan.program.name.empty() && !source.has_own_command)
    report::info("program: " + plan.program.name + " (" + plan.program.chosen + ")");
  milestone.reached(summary_of(plan));
  return plan;
}

}  // namespace builder
