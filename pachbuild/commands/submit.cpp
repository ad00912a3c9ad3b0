// SPDX-License-Identifier: Apache-2.0
// create pipeline, update pipeline: from specs to pipelines of a cluster.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/round.h"
#include "pachbuild/commands/submission.h"

namespace commands {
namespace {

constexpr char k_about_submit[] = R"(
SPEC is a JSON or YAML file of pipelines, a folder of such files, - for standard input, or the URL (https://…) of
pipelines without transform.build, which pachctl fetches. A pipeline with transform.build becomes a repo NAME_source
with the files below transform.build.path, a pipeline NAME_build that builds them, and the pipeline NAME, which reads
both in addition to its own input. The build of a Python source reads a separate repo, NAME_build_source, which
changes only if the result of the build could change. Only changes are sent, and they take effect all at once. A pipeline without
transform.build is passed to pachctl as is.

  pachbuild update pipeline -f map.json
  pachbuild update pipeline -f map.json --wait
  pachbuild update pipeline -f map.json --dry-run -o yaml
  pachbuild update pipeline -f train.json --build --registry REGISTRY --username ann

The cluster is the one in pachctl's active context; choose another with --context, and another pachctl with PACHCTL.
)";

base::Result<int> submit_specs(const SubmissionOptions& options) {
  if (spec::is_url(options.specs.spec)) return submit_url(options);
  BASE_TRY_ASSIGN(auto pipelines, load(options.specs));
  return submit(options, std::move(pipelines));
}

void add_pipeline_verb(CLI::App& group, Invocation& invocation, cluster::Existing existing) {
  auto options = std::make_shared<SubmissionOptions>();
  options->existing = existing;
  auto* verb = group.add_subcommand("pipeline", existing == cluster::Existing::refuse
                                                    ? "Create the pipelines in a spec"
                                                    : "Create or update the pipelines in a spec");
  options->specs.add_to(*verb);
  options->add_to(*verb);
  options->publication.add_to(*verb);
  if (existing == cluster::Existing::update) verb->add_option(k_round_option, options->round)->group("");
  std::string about = k_about_submit;
  if (existing == cluster::Existing::refuse) base::replace_all(about, "update pipeline", "create pipeline");
  verb->footer(std::move(about))->callback([options, &invocation] {
    invocation.action = [options, &invocation]() -> base::Result<int> {
      BASE_TRY(options->specs.settle(invocation));
      return submit_specs(*options);
    };
  });
}

}  // namespace

void add_submit(CLI::App& create, CLI::App& update, Invocation& invocation) {
  add_pipeline_verb(create, invocation, cluster::Existing::refuse);
  add_pipeline_verb(update, invocation, cluster::Existing::update);
}

}  // namespace commands
