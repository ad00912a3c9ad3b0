// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "base/text.h"
#include "pachbuild/cluster/removal.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/commands.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;

struct RemoveOptions {
  std::string pipeline;
  cluster::Target target;
  bool yes = false;
};

std::string list_of(const cluster::Belongings& belongings) {
  std::vector<std::string> names;
  for (const auto& name : belongings.pipelines) names.push_back("pipeline " + name);
  for (const auto& name : belongings.repos) names.push_back("repo " + name);
  return base::join(names, ", ");
}

base::Result<bool> is_agreed(const std::string& list) {
  if (::isatty(STDIN_FILENO) == 0) {
    return base::fail(ErrorKind::usage, "", "not confirmed: this deletes " + list, "add --yes to confirm");
  }
  std::fprintf(stderr, "Delete %s, with all their data? [y/N] ", list.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

base::Result<int> remove(const RemoveOptions& options) {
  BASE_TRY(check_pipeline_name(options.pipeline,
                               "NAME is a pipeline on a cluster, as in pachbuild delete pipeline edges"));
  BASE_TRY_ASSIGN(const auto pachctl, connect(options.target));
  BASE_TRY_ASSIGN(const auto belongings, cluster::find_belongings(pachctl, options.pipeline));
  if (!options.yes) {
    BASE_TRY_ASSIGN(const bool agreed, is_agreed(list_of(belongings)));
    if (!agreed) return 0;
  }
  BASE_TRY(cluster::remove(pachctl, belongings));
  report::info("deleted " + list_of(belongings));
  return 0;
}

}  // namespace

void add_remove(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RemoveOptions>();
  auto* group = app.add_subcommand("delete", "Delete a pipeline on a cluster with its build and its source");
  group->require_subcommand(1);
  auto* verb =
      group->add_subcommand("pipeline", "Delete a pipeline, its build pipeline and its source repos");
  verb->add_option("NAME", options->pipeline, "The pipeline")->type_name("NAME")->required();
  add_target_options(*verb, options->target);
  verb->add_flag("-y,--yes", options->yes, "Do not ask");
  verb->callback([options, &invocation] { invocation.action = [options] { return remove(*options); }; });
}

}  // namespace commands
