// SPDX-License-Identifier: Apache-2.0
// What pachctl answers, and what comes of several specs.
#include <cstdlib>

#include "base/text.h"
#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/source_repo.h"
#include "pachbuild/cluster/transaction.h"
#include "pachbuild/local/plan/datum.h"
#include "pachbuild/local/plan/pipelines.h"
#include "tests/unit/recorded/reader.h"

namespace cluster {
namespace {

using Json = nlohmann::ordered_json;

// Answers to calls that begin with the words by which the input's files are named: "list repo". A file that
// begins with '!' is what a call that fails says. Knows what it was asked.
class Answering final : public process::Runner {
 public:
  explicit Answering(const recorded::Files& files) : m_files(files) {}

  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const auto& words = command.arguments;
    const auto call = base::join({words.begin() + 1, words.end()}, " ");
    m_asked.push_back(call);
    for (const auto& [name, content] : m_files) {
      if (!call.starts_with(name)) continue;
      const bool fails = content.starts_with('!');
      return process::Finished{process::Ending::from_wait_status(fails ? 256 : 0), fails ? "" : content,
                               fails ? content.substr(1) : ""};
    }
    return process::Finished{process::Ending::from_wait_status(0), "", ""};
  }

  [[nodiscard]] const std::vector<std::string>& asked() const { return m_asked; }

 private:
  const recorded::Files& m_files;
  std::vector<std::string> m_asked;
};

Json json_of(const Job& job) {
  return {job.pipeline, job.id,        job.state_name, static_cast<int>(job.state),
          job.reason,   job.total,     job.processed,  job.skipped,
          job.failed,   has_ended(job)};
}

Json json_of(const std::optional<Job>& job) { return job ? json_of(*job) : Json(); }

Json json_of(const std::vector<RepoInput>& inputs) {
  Json all = Json::array();
  for (const auto& input : inputs) all.push_back({input.name, input.project, input.repo, input.branch});
  return all;
}

RECORDED_READER(pachctl_answers, input, answers) {
  ::setenv("PACHCTL", "/bin/true", 1);
  for (const auto& [name, content] : input.files) {
    // A lost race is repeated after a pause.
    if (content.find("SQLSTATE") != std::string::npos ||
        content.find("unexpectedly resulted") != std::string::npos)
      return;
  }
  Answering answering(input.files);
  const auto pachctl = Pachctl::find({}, input.folder, answering).value();
  const auto told = [](const auto& job) { return json_of(job); };
  answers.tell("newest job", newest_job(pachctl, "p"), told);
  answers.tell("job", find_job(pachctl, "p", "1"), told);
  const Job job{.pipeline = "p", .id = "1", .state_name = "JOB_RUNNING", .reason = ""};
  answers.tell("output", job_output(pachctl, job), [](const auto& text) { return Json(text); });
  LogReader log(job);
  for (const std::string name : {"lines", "lines again"})
    answers.tell(name, log.read(pachctl), [](const auto& lines) { return Json(lines); });
  answers.tell("readers", read_all_readers(pachctl), [](const auto& readers) {
    Json all = Json::array();
    for (const auto& reader : readers) all.push_back({reader.project, reader.name, json_of(reader.inputs)});
    return all;
  });
  const auto present = read_present(pachctl);
  answers.tell("present", present, [](const Present& all) {
    Json pipelines = Json::object();
    for (const auto& [name, one] : all.pipelines) {
      pipelines[name] = {one.project,
                         one.state,
                         one.reason,
                         one.description,
                         one.output_branch,
                         one.command,
                         one.spec ? one.spec->dump() : "",
                         json_of(one.inputs),
                         json_of(one.direct_inputs)};
    }
    return Json{{"repos", all.repos}, {"pipelines", pipelines}};
  });
  if (present) {
    for (const std::string pipeline : {"p", "p_build", "other"}) {
      const auto tell = [&](const std::string& name, const auto& status) {
        if (!status) answers.tell_error(pipeline + " " + name, status.error());
      };
      answers.tell(pipeline, runs_build(*present, pipeline));
      tell("is owned", check_ownership(*present, pipeline, false, "x"));
      tell("is owned by force", check_ownership(*present, pipeline, true, "x"));
      tell("is convertible", check_convertible(*present, pipeline, "x"));
    }
  }
  const auto branches = read_branches(pachctl, "p_source");
  answers.tell("branches", branches, [](const SourceBranches& all) {
    return Json{all.head,     all.is_finished, all.is_own,    all.digests,
                all.versions, all.uploads,     all.leftovers, all.is_deleting};
  });
  answers.tell("foreign", foreign_commits(pachctl, "p_source"), [](const auto& all) { return Json(all); });
  SourceBranches head;
  head.head = "1";
  head.is_finished = true;
  const auto stored = read_files(pachctl, "p_source", branches && branches->is_finished ? *branches : head);
  answers.tell("files", stored, [](const StoredSource& all) {
    Json files = Json::object();
    for (const auto& [path, file] : all.files) files[path] = {file.bytes, file.hash, file.sha256};
    return Json{all.commit, files};
  });
  delete_transactions(pachctl, {"pachbuild-version-1"});
  answers.tell("asked", answering.asked());
}

// What is made of several specs: `given` has a REPO=FOLDER in each line.
RECORDED_READER(plans, input, answers) {
  const auto specs = spec::load_pipelines({{input.folder.string()}, {}, {}});
  if (!specs) return answers.tell_error("specs", specs.error());
  local::GivenRepos given;
  for (const auto& line : base::split(input.file("given"), '\n')) {
    const auto sign = line.find('=');
    if (sign != std::string::npos) given[line.substr(0, sign)] = line.substr(sign + 1);
  }
  for (const std::string only : {"", "b", "bb"}) {
    answers.tell("plan " + only, local::make_plan(*specs, given, only), [](const local::Plan& plan) {
      Json pipelines = Json::array();
      for (const auto& one : plan.pipelines)
        pipelines.push_back({one.spec.name, one.reads, one.after, one.read_as});
      return Json{pipelines, plan.folders, plan.crons, plan.has_several_specs};
    });
    answers.tell("found " + only, local::find_pipeline(*specs, only),
                 [](const auto& place) { return Json(place); });
  }
  Json writers = Json::array();
  for (const auto& reader : *specs) {
    for (const auto* one : spec::repo_inputs(reader.input))
      writers.push_back({reader.name, local::repo_key(*one), local::find_writer(*specs, reader, *one)});
  }
  answers.tell("writers", writers);
}

}  // namespace
}  // namespace cluster
