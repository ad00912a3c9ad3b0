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

The cluster is the one that pachctl speaks to: --context names another of its contexts, PACHCTL another pachctl.
)";

constexpr std::uint64_t k_largest_file = std::uint64_t{1} << 30;

struct SubmitOptions {
  std::string spec;
  ClusterOptions cluster;
  std::string images;
  std::string output;
  std::uint64_t largest_file = k_largest_file;
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

base::Result<int> print_plan(const SubmitOptions& options,
                             const std::vector<spec::ClusterPipeline>& pipelines,
                             const std::vector<cluster::Submission>& submissions) {
  std::vector<json> specs;
  auto submission = submissions.begin();
  for (const auto& pipeline : pipelines) {
    if (!pipeline.spec) {
      specs.push_back(*pipeline.document.value);
      continue;
    }
    report::info(pipeline.name + ": " + base::count_of(submission->files.size(), "source file") +
                 " for repo " + cluster::source_repo_of(pipeline.name));
    specs.push_back(*submission->build);
    specs.push_back(*submission->running);
    ++submission;
  }
  print_json(specs, options.output);
  return 0;
}

// How a job goes, a line for each step of it.
void tell_job(const cluster::Job& job) {
  std::string text = job.pipeline + ": " + job.state_name;
  if (job.total > 0)
    text += ", " + std::to_string(job.processed + job.skipped) + " of " + base::count_of(job.total, "datum");
  if (job.skipped > 0) text += " (" + std::to_string(job.skipped) + " skipped)";
  report::info(text);
}

base::Result<int> show_failure(const cluster::Pachctl& pachctl, const cluster::Job& job) {
  BASE_TRY_ASSIGN(const auto output, cluster::job_output(pachctl, job));
  report::output(output);
  return report::fail(
      {ErrorKind::step_failed, "pipeline " + job.pipeline, "job " + job.id + " failed: " + job.reason, ""});
}

base::Result<int> wait_for(const cluster::Pachctl& pachctl, const std::string& pipeline,
                           const std::string& before) {
  constexpr std::chrono::seconds k_patience{60};
  BASE_TRY_ASSIGN(const auto jobs, cluster::wait_for_jobs(pachctl, pipeline, before, k_patience, tell_job));
  if (jobs.build && jobs.build->state == cluster::JobState::failed) return show_failure(pachctl, *jobs.build);
  if (jobs.running.state == cluster::JobState::failed) return show_failure(pachctl, jobs.running);
  return 0;
}

base::Result<int> submit_all(const SubmitOptions& options) {
  BASE_TRY_ASSIGN(const auto pipelines, spec::load_for_cluster(options.spec));
  const cluster::SubmissionRules rules{options.images, options.largest_file};
  // Nothing is sent before everything was looked at.
  std::vector<cluster::Submission> submissions;
  for (const auto& pipeline : pipelines) {
    if (!pipeline.spec) continue;
    BASE_TRY_ASSIGN(auto submission, cluster::prepare(*pipeline.spec, rules));
    submissions.push_back(std::move(submission));
  }
  if (options.dry_run) return print_plan(options, pipelines, submissions);

  process::SystemRunner runner;
  BASE_TRY_ASSIGN(const auto pachctl, cluster::Pachctl::find(options.cluster.target(), runner));
  const auto reprocess = options.reprocess ? cluster::Reprocess::everything : cluster::Reprocess::changed;
  std::vector<json> outcomes;
  int code = 0;
  auto submission = submissions.begin();
  for (const auto& pipeline : pipelines) {
    if (!pipeline.spec) {
      BASE_TRY(cluster::pass_on(pachctl, *pipeline.document.value, options.existing, reprocess));
      report::info((pipeline.name.empty() ? options.spec : pipeline.name) + ": sent as it is");
      continue;
    }
    std::string before;
    if (options.wait) {
      BASE_TRY_ASSIGN(const auto job, cluster::newest_job(pachctl, pipeline.name));
      if (job) before = job->id;
    }
    BASE_TRY_ASSIGN(const auto outcome, cluster::submit(pachctl, *submission, options.existing, reprocess));
    tell(pipeline.name, outcome);
    outcomes.push_back(outcome_json(pipeline.name, outcome));
    if (options.wait) {
      BASE_TRY_ASSIGN(const int ended, wait_for(pachctl, pipeline.name, outcome.none() ? "" : before));
      code = std::max(code, ended);
    }
    ++submission;
  }
  if (!options.output.empty()) print_json(outcomes, options.output);
  return code;
}

void add_pipeline_verb(CLI::App& verb, Invocation& invocation, cluster::Existing existing) {
  auto options = std::make_shared<SubmitOptions>();
  options->existing = existing;
  auto* pipeline = verb.add_subcommand("pipeline", "Pipelines of a spec");
  pipeline->add_option("-f,--file", options->spec, "The pipelines")->type_name("SPEC")->required();
  options->cluster.add_to(*pipeline);
  pipeline
      ->add_option("--builders", options->images,
                   "What stands before the names of the official builders' images")
      ->type_name("PREFIX")
      ->envname("PACHBUILD_BUILDERS");
  pipeline
      ->add_option("--max-file-size", options->largest_file,
                   "The largest file that a source may have (default 1 GiB)")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
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
