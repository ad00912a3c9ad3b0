// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/submission.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_text.h"
#include "base/text.h"
#include "pachbuild/commands/build_inputs.h"
#include "pachbuild/commands/cluster_round.h"
#include "pachbuild/commands/job_report.h"
#include "pachbuild/commands/submission_order.h"
#include "report/report.h"

namespace commands {
namespace {

using cluster::Outcome;
using nlohmann::json;

const char* word_of(Outcome::Change change) {
  switch (change) {
    case Outcome::Change::made:
      return "created";
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

// Small changes travel in less time than it takes to read this.
void tell_of_sending(const std::string& name, const cluster::Changes& changes) {
  constexpr std::uint64_t k_small = 4 << 20;
  if (changes.sent_bytes < k_small || ::isatty(STDERR_FILENO) == 0) return;
  report::info(name + ": source: sending " + base::count_of(changes.sent.size(), "file") + " (" +
               base::format_bytes(changes.sent_bytes) + ")");
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

cluster::Reprocess reprocess_of(const SubmissionOptions& options) {
  return options.reprocess ? cluster::Reprocess::everything : cluster::Reprocess::changed;
}

void print_json(const std::vector<json>& objects, const std::string& format) {
  for (const auto& object : objects) {
    const std::string text = format == "yaml" ? "---\n" + spec::to_yaml(object) : base::json_lines(object);
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
}

int print_plan(const SubmissionOptions& options, const std::vector<LoadedPipeline>& pipelines) {
  std::vector<json> specs;
  for (const auto& [pipeline, submission] : pipelines) {
    if (!submission) {
      specs.push_back(*pipeline.document.value);
      continue;
    }
    report::info(pipeline.name + ": " + base::count_of(submission->source.files.size(), "source file") +
                 " for repo " + cluster::source_repo_of(pipeline.name));
    specs.push_back(*submission->build);
    specs.push_back(*submission->running);
  }
  print_json(specs, options.output);
  return 0;
}

// What the cluster has to say against a pipeline, before an image is built and pushed for it.
base::Status check_one(const SubmissionOptions& options, const cluster::Pachctl& any_project,
                       const LoadedPipeline& loaded) {
  const auto& submission = loaded.submission;
  if (submission) {
    BASE_TRY_ASSIGN(const auto pachctl, cluster::pachctl_for(any_project, submission->spec));
    return cluster::check(pachctl, *submission, options.existing);
  }
  return cluster::check_passed_on(any_project, loaded.pipeline, options.existing);
}

std::string names_of(const std::vector<LoadedPipeline>& pipelines, std::size_t begin, std::size_t end) {
  std::vector<std::string> names;
  for (std::size_t i = begin; i < end; ++i) names.push_back(pipelines[i].pipeline.name);
  return base::join(names, ", ");
}

base::Result<int> submit_one(const SubmissionOptions& options, const cluster::Pachctl& any_project,
                             const LoadedPipeline& loaded, std::vector<json>& outcomes, ClusterRound* round) {
  const bool is_quiet = round != nullptr && round->is_quiet();
  const auto& [pipeline, submission] = loaded;
  if (!submission) {
    BASE_TRY(cluster::check_passed_on(any_project, pipeline, options.existing));
    BASE_TRY(
        cluster::pass_on(any_project, *pipeline.document.value, options.existing, reprocess_of(options)));
    const auto& name = pipeline.name.empty() ? options.specs.name() : pipeline.name;
    if (!is_quiet) report::info(name + ": sent as is");
    if (round != nullptr) round->passed_on(name);
    return 0;
  }
  BASE_TRY_ASSIGN(const auto pachctl, cluster::pachctl_for(any_project, submission->spec));
  const cluster::SubmissionEvents events{
      .sending = [&name = pipeline.name](const auto& changes) { tell_of_sending(name, changes); },
      .repeating =
          [&name = pipeline.name] {
            report::info(name + ": changed by someone else in the meantime; starting over");
          }};
  BASE_TRY_ASSIGN(const auto outcome,
                  cluster::submit(pachctl, *submission, options.existing, reprocess_of(options), events));
  if (!is_quiet) tell(pipeline.name, outcome);
  outcomes.push_back(outcome_json(pipeline.name, outcome));
  if (round != nullptr) return round->follow(pachctl, pipeline.name, outcome);
  if (!options.wait) return 0;
  return await_pipeline(pachctl, pipeline.name, outcome.id);
}

base::Result<int> submit_all(const SubmissionOptions& options, const cluster::Pachctl& pachctl,
                             const std::vector<LoadedPipeline>& pipelines, std::vector<json>& outcomes,
                             ClusterRound* round) {
  int code = 0;
  for (std::size_t i = 0; i < pipelines.size(); ++i) {
    auto ended = submit_one(options, pachctl, pipelines[i], outcomes, round);
    if (!ended) {
      if (i > 0) {
        report::warn("submitted before the error: " + names_of(pipelines, 0, i) +
                     "; not submitted: " + names_of(pipelines, i, pipelines.size()));
      }
      return ended;
    }
    code = std::max(code, *ended);
  }
  return code;
}

// Ctrl-C ends this program: nothing has been sent.
base::Status find_all_build_inputs(std::vector<LoadedPipeline>& pipelines) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  base::Status found;
  for (auto& loaded : pipelines) {
    if (found && loaded.submission) found = find_build_inputs(*loaded.submission, interruption);
  }
  std::move(interruption).pass_on();
  return found;
}

}  // namespace

void SubmissionOptions::add_to(CLI::App& verb) {
  add_target_options(verb, target);
  if (existing == cluster::Existing::update) {
    verb.add_flag("--reprocess", reprocess, "Build again and process all datums again");
  }
  verb.add_flag("--wait", wait, "Wait until the first job has finished; exit with 1 if it fails");
  verb.add_flag("--dry-run", dry_run, "Print the specs without sending them");
  verb.add_option("-o,--output", output, "Print the result, or the specs of --dry-run, in this format")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json", "yaml"}));
}

base::Result<int> submit_url(const SubmissionOptions& options) {
  const auto& url = options.specs.spec;
  const auto& images = options.publication;
  for (const auto& [is_given, option] : {std::pair(options.dry_run, "--dry-run"),
                                         {options.wait, "--wait"},
                                         {images.build, "--build"},
                                         {images.push_images, "--push-images"},
                                         {images.write, "--write"}}) {
    if (!is_given) continue;
    return base::fail(base::ErrorKind::usage, option, "does not work with a URL, which pachctl fetches",
                      "download the spec and pass the file with -f");
  }
  BASE_TRY_ASSIGN(const auto pachctl, connect(options.target));
  BASE_TRY(cluster::pass_on_url(pachctl, url, options.existing, reprocess_of(options)));
  report::info(url + ": sent as is");
  return 0;
}

base::Result<int> submit(const SubmissionOptions& options, std::vector<LoadedPipeline> pipelines) {
  BASE_TRY_ASSIGN(const auto order, submission_order(pipelines));
  std::vector<LoadedPipeline> ordered;
  for (const auto place : order) ordered.push_back(std::move(pipelines[place]));
  pipelines = std::move(ordered);
  if (options.dry_run) return print_plan(options, pipelines);
  BASE_TRY_ASSIGN(const auto pachctl, connect(options.target));
  // If one is refused, those behind it would not be sent.
  if (pipelines.size() > 1 || options.publication.build || options.publication.push_images) {
    for (const auto& pipeline : pipelines) BASE_TRY(check_one(options, pachctl, pipeline));
  }
  BASE_TRY(publish(options.publication, options.specs, pipelines));
  BASE_TRY(find_all_build_inputs(pipelines));
  std::vector<json> outcomes;
  if (options.round < 0) {
    BASE_TRY_ASSIGN(const int code, submit_all(options, pachctl, pipelines, outcomes, nullptr));
    if (!options.output.empty()) print_json(outcomes, options.output);
    return code;
  }
  ClusterRound round;
  auto code = submit_all(options, pachctl, pipelines, outcomes, &round);
  if (code) write_summary(options.round, round.summary());
  return code;
}

}  // namespace commands
