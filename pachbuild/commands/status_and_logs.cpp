// SPDX-License-Identifier: Apache-2.0
// status and logs: a pipeline and its build together.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/json_text.h"
#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/job_report.h"
#include "pachbuild/commands/local_logs.h"
#include "report/report.h"

namespace commands {
namespace {

using cluster::Job;
using cluster::JobState;
using nlohmann::json;

constexpr char k_about_logs[] = R"(
NAME is a pipeline on the cluster; -f selects the last run on this machine.

  pachbuild logs edges --follow
  pachbuild logs -f edges.json --failed
  pachbuild logs -f edges.json --datum images/liberty.png
)";

struct StatusOptions {
  std::string pipeline;
  cluster::Target target;
  std::string output;
  bool follow = false;
  LocalLogs local;  // of logs: with a spec, what ran here is meant
};

// A pipeline and its build as they are now.
struct Watched {
  cluster::Present present;
  std::optional<Job> build;
  std::optional<Job> running;
};

base::Result<Watched> look(const cluster::Pachctl& pachctl, const std::string& pipeline) {
  Watched watched;
  BASE_TRY_ASSIGN(watched.present, cluster::read_present(pachctl));
  if (!watched.present.pipelines.contains(pipeline)) return base::fail(cluster::no_such_pipeline(pipeline));
  BASE_TRY_ASSIGN(watched.running, cluster::newest_job(pachctl, pipeline));
  if (cluster::is_build(watched.present, pipeline)) {
    BASE_TRY_ASSIGN(watched.build, cluster::newest_job(pachctl, cluster::build_pipeline_of(pipeline)));
  }
  return watched;
}

json job_json(const Job& job) {
  return {{"id", job.id},        {"state", job.state_name},    {"reason", job.reason},
          {"datums", job.total}, {"processed", job.processed}, {"skipped", job.skipped},
          {"failed", job.failed}};
}

json pipeline_json(const cluster::Present& present, const std::string& name, const std::optional<Job>& job) {
  const auto& pipeline = present.pipelines.at(name);
  json object = {{"pipeline", name}, {"state", pipeline.state}, {"reason", pipeline.reason}};
  if (job) object["job"] = job_json(*job);
  return object;
}

void print_pipeline(const cluster::Present& present, const std::string& name, const std::optional<Job>& job) {
  const auto& pipeline = present.pipelines.at(name);
  std::printf("%s: %s%s\n", name.c_str(), pipeline.state.c_str(),
              pipeline.reason.empty() ? "" : (", " + pipeline.reason).c_str());
  if (!job) {
    std::printf("  no job yet\n");
    return;
  }
  const std::string text = text_of(*job).substr(name.size() + 2);
  std::printf("  job %s: %s\n", job->id.c_str(), text.c_str());
  if (!job->reason.empty()) std::printf("  %s\n", job->reason.c_str());
}

base::Result<int> status(const StatusOptions& options, Invocation&) {
  BASE_TRY(
      check_pipeline_name(options.pipeline, "NAME is a pipeline on a cluster, as in pachbuild status edges"));
  BASE_TRY_ASSIGN(const auto pachctl, connect(options.target));
  BASE_TRY_ASSIGN(const auto watched, look(pachctl, options.pipeline));
  const std::string build = cluster::build_pipeline_of(options.pipeline);
  const bool has_build = cluster::is_build(watched.present, options.pipeline);
  if (options.output == "json") {
    json object = pipeline_json(watched.present, options.pipeline, watched.running);
    if (has_build) object["build"] = pipeline_json(watched.present, build, watched.build);
    std::fputs(base::json_lines(object).c_str(), stdout);
  } else {
    if (has_build) print_pipeline(watched.present, build, watched.build);
    print_pipeline(watched.present, options.pipeline, watched.running);
  }
  // The builder's own words say more than that a datum failed.
  if (watched.build && watched.build->state == JobState::failed) return show_failure(pachctl, *watched.build);
  return 0;
}

base::Status print_output(const cluster::Pachctl& pachctl, const Job& job) {
  report::info("== " + text_of(job));
  BASE_TRY_ASSIGN(const auto output, cluster::job_output(pachctl, job));
  std::fwrite(output.data(), 1, output.size(), stdout);
  std::fflush(stdout);
  return {};
}

// The job's output as it comes, until the job has ended.
base::Status follow_output(const cluster::Pachctl& pachctl, const Job& started) {
  Job job = started;
  constexpr std::chrono::seconds k_interval{1};
  report::info("== " + job.pipeline + ", job " + job.id);
  cluster::LogReader reader(job);
  for (;;) {
    const bool ended = cluster::has_ended(job);
    BASE_TRY_ASSIGN(const auto lines, reader.read(pachctl));
    for (const auto& line : lines) std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    if (ended) break;
    std::this_thread::sleep_for(k_interval);
    BASE_TRY_ASSIGN(auto now, cluster::find_job(pachctl, job.pipeline, job.id));
    if (now) job = std::move(*now);
  }
  report::info("== " + text_of(job));
  return {};
}

base::Result<int> logs(const StatusOptions& options, Invocation& invocation) {
  if (options.pipeline.empty()) {
    auto local = options.local;
    local.follow = options.follow;
    BASE_TRY(local.specs.settle(invocation));
    show_assumed(invocation);
    return print_local_logs(local);
  }
  const auto& specs = options.local.specs;
  if (!specs.files.empty() || !specs.jsonnet.empty()) {
    return base::fail(base::ErrorKind::usage, "logs",
                      "takes either the name of a pipeline or a spec, not both",
                      "NAME is a pipeline on a cluster; -f SPEC is a pipeline that ran on this machine");
  }
  BASE_TRY(check_pipeline_name(options.pipeline,
                               "for its last run on this machine: pachbuild logs -f " + options.pipeline));
  BASE_TRY_ASSIGN(const auto pachctl, connect(options.target));
  BASE_TRY_ASSIGN(const auto watched, look(pachctl, options.pipeline));
  const auto print = options.follow ? follow_output : print_output;
  if (watched.build) BASE_TRY(print(pachctl, *watched.build));
  if (watched.running) BASE_TRY(print(pachctl, *watched.running));
  return 0;
}

using Action = base::Result<int> (*)(const StatusOptions&, Invocation&);

CLI::App* add_verb(CLI::App& app, Invocation& invocation, const std::string& name, const std::string& about,
                   const std::shared_ptr<StatusOptions>& options, Action action) {
  auto* verb = app.add_subcommand(name, about);
  verb->add_option("NAME", options->pipeline, "The pipeline")->type_name("NAME");
  add_target_options(*verb, options->target);
  verb->callback([options, &invocation, action] {
    invocation.action = [options, &invocation, action] { return action(*options, invocation); };
  });
  return verb;
}

}  // namespace

void add_status_and_logs(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<StatusOptions>();
  auto* verb =
      add_verb(app, invocation, "status", "Show the state of a pipeline and its build", options, status);
  verb->get_option("NAME")->required();
  verb->add_option("-o,--output", options->output, "The output format")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json"}));

  options = std::make_shared<StatusOptions>();
  verb = add_verb(app, invocation, "logs",
                  "Print the logs of a pipeline's newest job and build, or of its last run on this machine",
                  options, logs);
  auto& local = options->local;
  local.specs.add_to(*verb, SpecFiles::Argument::other);
  verb->add_option("--pipeline", local.pipeline, "Only this pipeline of the spec")->type_name("NAME");
  add_datum_option(*verb, local.datums);
  verb->add_flag("--failed", local.failed, "Only the logs of datums that failed");
  verb->add_flag("-F,--follow", options->follow, "Keep printing until the job, or the run, ends");
  verb->footer(k_about_logs);
}

}  // namespace commands
