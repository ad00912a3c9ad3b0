// SPDX-License-Identifier: Apache-2.0
// create pipeline, update pipeline: from specs to pipelines of a cluster.
#include "pachbuild/cluster/submit.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.h"
#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/job_report.h"
#include "pachbuild/commands/publish.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;
using cluster::Outcome;
using nlohmann::json;

constexpr char k_about_submit[] = R"(
SPEC is a file of pipelines in JSON or YAML, a folder of such files, or - for standard input. A pipeline with
transform.build becomes three things: repo NAME_source with the files below transform.build.path, pipeline NAME_build
that builds them, and pipeline NAME, which reads both beside its own input. Only what differs from what is there is
sent, and it takes effect all at once. Every other pipeline goes to pachctl as it is.

  pachbuild update pipeline -f map.json
  pachbuild update pipeline -f map.json --wait
  pachbuild update pipeline -f map.json --dry-run -o yaml
  pachbuild update pipeline -f train.json --build --registry registry.example.com --username ann

The cluster is the one that pachctl speaks to: --context names another of its contexts, PACHCTL another pachctl.
)";

struct SubmitOptions {
  SpecOptions specs;
  PublishOptions publication;
  cluster::Target target;
  std::string output;
  bool reprocess = false;
  bool dry_run = false;
  bool wait = false;
  cluster::Existing existing = cluster::Existing::update;
};

const char* word_of(Outcome::Change change) {
  switch (change) {
    case Outcome::Change::made:
      return "made";
    case Outcome::Change::updated:
      return "updated";
    case Outcome::Change::kept:
      break;
  }
  return "unchanged";
}

std::string source_text(const cluster::Changes& changes) {
  if (changes.none()) return "unchanged (" + base::count_of(changes.kept, "file") + ")";
  std::string text =
      base::count_of(changes.sent.size(), "file") + " sent (" + base::format_bytes(changes.sent_bytes) + ")";
  if (!changes.removed.empty()) text += ", " + std::to_string(changes.removed.size()) + " removed";
  return text + ", " + std::to_string(changes.kept) + " kept";
}

void tell(const std::string& name, const Outcome& outcome) {
  report::info(name + ": source: " + source_text(outcome.source));
  report::info(name + ": build pipeline: " + word_of(outcome.build));
  report::info(name + ": pipeline: " + word_of(outcome.running));
}

json outcome_json(const std::string& name, const Outcome& outcome) {
  return {{"pipeline", name},
          {"source",
           {{"sent", outcome.source.sent.size()},
            {"sent_bytes", outcome.source.sent_bytes},
            {"removed", outcome.source.removed.size()},
            {"kept", outcome.source.kept}}},
          {"build_pipeline", word_of(outcome.build)},
          {"running_pipeline", word_of(outcome.running)}};
}

void print_json(const std::vector<json>& objects, const std::string& format) {
  for (const auto& object : objects) {
    const std::string text = format == "yaml" ? "---\n" + spec::to_yaml(object) : object.dump(2) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
}

int print_plan(const SubmitOptions& options, const std::vector<LoadedPipeline>& pipelines) {
  std::vector<json> specs;
  for (const auto& [pipeline, submission] : pipelines) {
    if (!submission) {
      specs.push_back(*pipeline.document.value);
      continue;
    }
    report::info(pipeline.name + ": " + base::count_of(submission->files.size(), "source file") +
                 " for repo " + cluster::source_repo_of(pipeline.name));
    specs.push_back(*submission->build);
    specs.push_back(*submission->running);
  }
  print_json(specs, options.output);
  return 0;
}

base::Result<int> submit_one(const SubmitOptions& options, const cluster::Pachctl& pachctl,
                             const LoadedPipeline& loaded, std::vector<json>& outcomes) {
  const auto& [pipeline, submission] = loaded;
  const auto reprocess = options.reprocess ? cluster::Reprocess::everything : cluster::Reprocess::changed;
  if (!submission) {
    BASE_TRY(cluster::pass_on(pachctl, *pipeline.document.value, options.existing, reprocess));
    report::info((pipeline.name.empty() ? options.specs.spec : pipeline.name) + ": sent as it is");
    return 0;
  }
  std::string before;
  if (options.wait) {
    BASE_TRY_ASSIGN(const auto job, cluster::newest_job(pachctl, pipeline.name));
    if (job) before = job->id;
  }
  BASE_TRY_ASSIGN(const auto outcome, cluster::submit(pachctl, *submission, options.existing, reprocess));
  tell(pipeline.name, outcome);
  outcomes.push_back(outcome_json(pipeline.name, outcome));
  if (!options.wait) return 0;
  return wait_for_pipeline(pachctl, pipeline.name, outcome.none() ? "" : before);
}

base::Result<int> submit_all(const SubmitOptions& options) {
  BASE_TRY_ASSIGN(auto pipelines, load(options.specs));
  if (options.dry_run) return print_plan(options, pipelines);
  BASE_TRY_ASSIGN(const auto pachctl, connect(options.target));
  BASE_TRY(publish(options.publication, options.specs, pipelines));
  std::vector<json> outcomes;
  int code = 0;
  for (const auto& pipeline : pipelines) {
    BASE_TRY_ASSIGN(const int ended, submit_one(options, pachctl, pipeline, outcomes));
    code = std::max(code, ended);
  }
  if (!options.output.empty()) print_json(outcomes, options.output);
  return code;
}

void add_pipeline_verb(CLI::App& verb, Invocation& invocation, cluster::Existing existing) {
  auto options = std::make_shared<SubmitOptions>();
  options->existing = existing;
  auto* pipeline = verb.add_subcommand("pipeline", "Pipelines of a spec");
  options->specs.add_to(*pipeline);
  add_target_options(*pipeline, options->target);
  options->publication.add_to(*pipeline);
  if (existing == cluster::Existing::update) {
    pipeline->add_flag("--reprocess", options->reprocess, "Build again and process all datums again");
  }
  pipeline->add_flag("--wait", options->wait, "Wait until the first job is done; exit code 1 if it fails");
  pipeline->add_flag("--dry-run", options->dry_run, "Print the specs that would be sent, and touch nothing");
  pipeline->add_option("-o,--output", options->output, "Print what was done, or would be sent")
      ->check(CLI::IsMember({"json", "yaml"}));
  pipeline->footer(k_about_submit);
  pipeline->callback([options, &invocation] {
    invocation.action = [options] {
      const auto code = submit_all(*options);
      return code ? *code : report::fail(code.error());
    };
  });
}

}  // namespace

void add_submit(CLI::App& create, CLI::App& update, Invocation& invocation) {
  add_pipeline_verb(create, invocation, cluster::Existing::refuse);
  add_pipeline_verb(update, invocation, cluster::Existing::update);
}

}  // namespace commands
