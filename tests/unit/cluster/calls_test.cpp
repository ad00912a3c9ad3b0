// SPDX-License-Identifier: Apache-2.0
// What pachctl is called with, and what is made of its answers: without a cluster, call by call.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/removal.h"
#include "pachbuild/cluster/source_repo.h"
#include "pachbuild/cluster/submit.h"
#include "tests/unit/steps.h"

namespace cluster {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using Lines = std::vector<std::string>;

// Stands in for pachctl: has an answer for each beginning of a call, the longest counts, and notes all calls
// but those that only list.
class Script final : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    auto words = command.arguments;
    words.erase(words.begin());
    const std::string call = base::join(words, " ");
    const auto status = [](int code) { return process::Ending::from_wait_status(code << 8); };
    ++count;
    if (!words.empty() && words.front() != "list" && words.front() != "inspect") calls.push_back(shown(call));
    if (!failing.empty() && call.starts_with(failing)) {
      if (remaining_failures > 0 && --remaining_failures == 0) failing.clear();
      return process::Finished{status(1), "", errors};
    }
    std::string answer;
    std::size_t length = 0;
    for (const auto& [begin, text] : answers) {
      if (begin.size() < length || !call.starts_with(begin)) continue;
      answer = text;
      length = begin.size();
    }
    if (on_call) on_call(call);
    return process::Finished{status(0), answer, ""};
  }

  // Without what is another one each time.
  static std::string shown(std::string call) {
    if (const auto at = call.find("pachbuild-version-");
        at != std::string::npos && call.find("old") != at + 18)
      call.replace(at, 18 + 32, "VERSION");
    // A file of our own.
    if (const auto at = call.find("--file /"); at != std::string::npos) {
      const auto end = std::min(call.find(' ', at + 7), call.size());
      call.replace(at + 7, end - at - 7, "FILE");
    }
    return call;
  }

  std::map<std::string, std::string> answers;
  Lines calls;
  int count = 0;
  std::string failing;
  int remaining_failures = 0;  // 0: it fails each time
  std::string errors = "Error: rpc error: code = Unknown desc = refused\n";
  std::function<void(const std::string&)> on_call;
};

class ClusterCalls : public testing::Test {
 protected:
  ClusterCalls() { ::setenv("PACHCTL", "/bin/true", 1); }
  ~ClusterCalls() override { ::unsetenv("PACHCTL"); }

  Pachctl pachctl(const Target& target = {}) {
    return Pachctl::find(target, m_folder.path() / "scratch", m_script).value();
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "calls.").value();
  Script m_script;
};

std::string what(const base::Status& status) {
  return status ? "none" : status.error().where + ": " + status.error().what;
}

TEST_F(ClusterCalls, NameTheProjectWhereOneIsChosen) {
  const auto chosen = pachctl({.context = "", .project = "p"});
  ASSERT_TRUE(chosen.call({"x", "y"}));
  ASSERT_TRUE(chosen.call_anywhere({"x", "z"}));
  ASSERT_TRUE(chosen.with_project("q").call({"x"}));
  ASSERT_TRUE(pachctl().call({"x"}));
  Lines listed;
  m_script.on_call = [&](const std::string& call) { listed.push_back(call); };
  const auto ignore = [](const json& /*item*/) {};
  ASSERT_TRUE(chosen.list({"list", "repo"}, ignore));
  ASSERT_TRUE(chosen.list_anywhere({"list", "transaction"}, ignore));
  EXPECT_THAT(m_script.calls, ElementsAre("x y --project p", "x z", "x --project q", "x"));
  EXPECT_THAT(listed, ElementsAre("list repo --project p --raw", "list transaction --raw"));
}

TEST_F(ClusterCalls, TheContextIsAVariable) {
  class Environment final : public process::Runner {
   public:
    base::Result<process::Finished> run(const process::Command& command,
                                        const process::ErrorSink& /*sink*/) override {
      context = process::value_of(command.environment, "PACH_CONTEXT");
      configuration = process::value_of(command.environment, "PACH_CONFIG");
      orphan_signal = command.orphan_signal;
      return process::Finished{process::Ending::from_wait_status(0), "", ""};
    }
    std::string context, configuration;
    int orphan_signal = 0;
  } runner;
  const auto chosen = Pachctl::find({.context = "c", .project = ""}, "/nowhere", runner).value();
  ASSERT_TRUE(chosen.with_configuration("/x/config").call({"x", "y"}));
  EXPECT_EQ(runner.context, "c");
  EXPECT_EQ(runner.configuration, "/x/config");
  EXPECT_EQ(runner.orphan_signal, SIGKILL);
  // Without a choice the person's own counts.
  ::setenv("PACH_CONTEXT", "mine", 1);
  ASSERT_TRUE(Pachctl::find({}, "/nowhere", runner).value().call({"x", "y"}));
  ::unsetenv("PACH_CONTEXT");
  EXPECT_EQ(runner.context, "mine");
}

TEST_F(ClusterCalls, ErrorsAreThoseOfPachctl) {
  m_script.failing = "create";
  for (const auto& [said, reason] : std::map<std::string, std::string>{
           {"Error: rpc error: code = NotFound desc = repo x not found\n", "repo x not found"},
           {"first\nrpc error: code = A desc = error running request 4 of 4: repo x not found\n\n",
            "repo x not found"},
           {"its own words", "its own words"},
           {"", "pachctl exited with code 1"}}) {
    m_script.errors = said;
    const auto result = pachctl().call({"create", "repo", "x"}, base::ErrorKind::network);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().where, "pachctl create repo");
    EXPECT_EQ(result.error().what, reason);
    EXPECT_EQ(result.error().kind, base::ErrorKind::network);
  }
  EXPECT_EQ(m_script.count, 4);
  EXPECT_EQ(pachctl().call({"create"}).error().where, "pachctl create");
}

TEST_F(ClusterCalls, AreRepeatedWhereTheDatabaseRefusesTwoAtOnce) {
  const steps::NoPauses no_pauses;
  m_script.failing = "create";
  m_script.errors = "Error: could not serialize access due to concurrent update (SQLSTATE 40001)\n";
  m_script.remaining_failures = 2;
  EXPECT_TRUE(pachctl().call({"create", "repo"}));
  EXPECT_EQ(m_script.count, 3);
}

// One page of jobs, the newest first.
std::string job(const std::string& pipeline, const std::string& id, const std::string& state,
                const std::string& more = "") {
  return R"({"job": {"pipeline": {"name": ")" + pipeline + R"("}, "id": ")" + id + R"("}, "state": ")" +
         state + "\"" + more + "}\n";
}

TEST_F(ClusterCalls, AJobHasWhatItsAnswerSays) {
  m_script.answers["list job"] =
      job("p", "2", "JOB_RUNNING",
          R"(, "reason": "why", "data_total": "9", "data_processed": "4", "data_skipped": "3", "data_failed": "2")") +
      job("p", "1", "JOB_SUCCESS");
  const auto newest = newest_job(pachctl(), "p").value();
  ASSERT_TRUE(newest);
  EXPECT_EQ(*newest, (Job{.pipeline = "p",
                          .id = "2",
                          .state_name = "JOB_RUNNING",
                          .state = JobState::running,
                          .reason = "why",
                          .total = 9,
                          .processed = 4,
                          .skipped = 3,
                          .failed = 2}));
  EXPECT_EQ(find_job(pachctl(), "p", "1").value()->state, JobState::succeeded);
  EXPECT_FALSE(find_job(pachctl(), "p", "3").value());
}

TEST_F(ClusterCalls, StatesOfJobs) {
  for (const auto& [name, state, ended] :
       std::vector<std::tuple<std::string, JobState, bool>>{{"JOB_SUCCESS", JobState::succeeded, true},
                                                            {"JOB_FAILURE", JobState::failed, true},
                                                            {"JOB_KILLED", JobState::failed, true},
                                                            {"JOB_UNRUNNABLE", JobState::failed, true},
                                                            {"JOB_CREATED", JobState::waiting, false},
                                                            {"JOB_STARTING", JobState::waiting, false},
                                                            {"JOB_RUNNING", JobState::running, false},
                                                            {"JOB_EGRESSING", JobState::running, false},
                                                            {"JOB_FINISHING", JobState::running, false}}) {
    m_script.answers["list job"] = job("p", "1", name);
    const auto found = newest_job(pachctl(), "p").value();
    EXPECT_EQ(found->state, state) << name;
    EXPECT_EQ(has_ended(*found), ended) << name;
  }
  m_script.answers["list job"] = R"({"job": {"pipeline": {}}})";
  EXPECT_EQ(newest_job(pachctl(), "p").value()->state_name, "JOB_STATE_UNKNOWN");
}

TEST_F(ClusterCalls, LinesOfAJobAreGivenOnce) {
  LogReader reader({.pipeline = "p", .id = "1"});
  m_script.answers["logs"] = R"({"user": true, "message": "a", "ts": 1}{"user": false, "message": "b"}
    {"message": "c"}{"user": true, "message": "a", "ts": 2})";
  EXPECT_THAT(reader.read(pachctl()).value(), ElementsAre("a", "a"));
  m_script.answers["logs"] += R"({"user": true, "message": "d"})";
  EXPECT_THAT(reader.read(pachctl()).value(), ElementsAre("d"));
  EXPECT_THAT(reader.read(pachctl()).value(), ElementsAre());
  EXPECT_THAT(m_script.calls, ElementsAre("logs --job p@1 --raw", "logs --job p@1 --since 60s --raw",
                                          "logs --job p@1 --since 60s --raw"));
  m_script.answers["logs"] = "as it is\n";
  EXPECT_EQ(job_output(pachctl(), {.pipeline = "p", .id = "1"}).value(), "as it is\n");
  m_script.failing = "logs";
  EXPECT_EQ(job_output(pachctl(), {.pipeline = "p", .id = "1"}).error().kind, base::ErrorKind::unavailable);
}

TEST_F(ClusterCalls, BothJobsOfAnIdAreWaitedFor) {
  const steps::NoPauses no_pauses;
  Lines changes;
  const auto note = [&](const Job& one) { changes.push_back(one.pipeline + " " + one.state_name); };
  const std::string running = job("p", "7", "JOB_SUCCESS");
  m_script.answers["list job 7"] =
      job("p_build", "7", "JOB_RUNNING") + running + job("other", "7", "JOB_RUNNING");
  int looks = 0;
  m_script.on_call = [&](const std::string& call) {
    if (call.starts_with("list job 7") && ++looks == 1)
      m_script.answers["list job 7"] = job("p_build", "7", "JOB_FAILURE") + running;
  };
  const auto jobs = wait_for_jobs(pachctl(), "p", "7", std::chrono::seconds(0), note).value();
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(jobs.build->state, JobState::failed);
  EXPECT_EQ(jobs.running->state, JobState::succeeded);
  EXPECT_THAT(changes, ElementsAre("p_build JOB_RUNNING", "p JOB_SUCCESS", "p_build JOB_FAILURE"));
}

TEST_F(ClusterCalls, OfTwoPipelinesOfAnIdTheProjectsOwnCounts) {
  m_script.answers["list job 7"] = job("p", "7", "JOB_RUNNING") + job("p", "7", "JOB_FAILURE");
  m_script.answers["list job --pipeline p"] = job("p", "8", "JOB_FAILURE") + job("p", "7", "JOB_SUCCESS");
  const auto jobs = wait_for_jobs(pachctl(), "p", "7", std::chrono::seconds(0), [](const Job&) {}).value();
  EXPECT_EQ(jobs.running->state, JobState::succeeded);
  EXPECT_FALSE(jobs.build);
}

TEST_F(ClusterCalls, WithoutAnIdTheNewestJobIsWaitedFor) {
  m_script.answers["list job --pipeline p"] = job("p", "9", "JOB_RUNNING") + job("p", "8", "JOB_SUCCESS");
  m_script.answers["list job 9"] = job("p", "9", "JOB_KILLED");
  const auto jobs = wait_for_jobs(pachctl(), "p", "", std::chrono::seconds(0), [](const Job&) {}).value();
  EXPECT_EQ(jobs.running->id, "9");
  m_script.answers.clear();
  const auto none = wait_for_jobs(pachctl(), "p", "", std::chrono::seconds(-1), [](const Job&) {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, "no job has started");
  EXPECT_EQ(none.error().kind, base::ErrorKind::step_failed);
}

TEST_F(ClusterCalls, AJobThatIsGoneIsNoChange) {
  const steps::NoPauses no_pauses;
  Lines changes;
  const auto note = [&](const Job& one) { changes.push_back(one.pipeline + " " + one.state_name); };
  const std::string running = job("p", "7", "JOB_RUNNING");
  const std::string build = job("p_build", "7", "JOB_RUNNING");
  const Lines answers = {running + build, running + build, running, build, job("p", "7", "JOB_SUCCESS")};
  std::size_t looks = 0;
  m_script.answers["list job 7"] = answers[0];
  m_script.on_call = [&](const std::string& call) {
    if (call.starts_with("list job 7") && ++looks < answers.size())
      m_script.answers["list job 7"] = answers[looks];
  };
  std::size_t told = 0;
  const auto jobs =
      wait_for_jobs(pachctl(), "p", "7", std::chrono::hours(1), note, [&](const Jobs& /*now*/) { ++told; });
  ASSERT_TRUE(jobs);
  EXPECT_FALSE(jobs->build);
  EXPECT_EQ(looks, 5U);
  EXPECT_EQ(told, 5U);
  EXPECT_THAT(changes,
              ElementsAre("p_build JOB_RUNNING", "p JOB_RUNNING", "p_build JOB_RUNNING", "p JOB_SUCCESS"));
}

// A job that is there is waited for however long it takes; patience is for its start alone.
TEST_F(ClusterCalls, AJobThatRunsIsWaitedFor) {
  const steps::NoPauses no_pauses;
  m_script.answers["list job 7"] = job("p", "7", "JOB_RUNNING");
  int looks = 0;
  m_script.on_call = [&](const std::string& /*call*/) {
    if (++looks == 3) m_script.answers["list job 7"] = job("p", "7", "JOB_SUCCESS");
  };
  EXPECT_TRUE(wait_for_jobs(pachctl(), "p", "7", std::chrono::seconds(-1), [](const Job&) {}));
  EXPECT_EQ(looks, 4);
  m_script.on_call = nullptr;
  m_script.answers["list job 7"] = job("p_build", "7", "JOB_FAILURE");
  const auto none = wait_for_jobs(pachctl(), "p", "7", std::chrono::seconds(-1), [](const Job&) {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().where, "pipeline p");
  EXPECT_EQ(none.error().hint, "an input without data starts none: see `pachctl list job --pipeline p`");
}

TEST_F(ClusterCalls, ThatFailMakeWhatNeedsThemFail) {
  const auto ignore = [](const Job&) {};
  const Job one{.pipeline = "p", .id = "1"};
  m_script.failing = "list job --pipeline p";
  EXPECT_EQ(newest_job(pachctl(), "p").error().what, "refused");
  EXPECT_EQ(find_job(pachctl(), "p", "1").error().what, "refused");
  EXPECT_EQ(wait_for_jobs(pachctl(), "p", "", std::chrono::seconds(-1), ignore).error().what, "refused");
  m_script.answers["list job 7"] = job("p", "7", "JOB_SUCCESS") + job("p", "7", "JOB_SUCCESS");
  EXPECT_EQ(wait_for_jobs(pachctl(), "p", "7", std::chrono::seconds(-1), ignore).error().what, "refused");
  m_script.failing = "list job 7";
  EXPECT_EQ(wait_for_jobs(pachctl(), "p", "7", std::chrono::seconds(-1), ignore).error().what, "refused");
  m_script.failing = "logs";
  EXPECT_EQ(LogReader(one).read(pachctl()).error().what, "refused");
  m_script.failing = "list";
  EXPECT_FALSE(read_branches(pachctl(), "r"));
  EXPECT_FALSE(foreign_commits(pachctl(), "r"));
  m_script.failing = "inspect";
  m_script.answers["list branch"] = R"({"branch": {"name": "master"}, "head": {"id": "h"}})";
  EXPECT_FALSE(read_branches(pachctl(), "r"));
  m_script.failing = "glob";
  SourceBranches branches;
  branches.head = "h";
  branches.is_finished = true;
  EXPECT_FALSE(read_files(pachctl(), "r", branches));
  m_script.failing = "delete branch r@b";
  EXPECT_FALSE(delete_branches(pachctl(), "r", {"a", "b", "c"}, BranchDeletion::force));
  EXPECT_THAT(m_script.calls, testing::Not(testing::Contains("delete branch r@c --force")));
}

TEST_F(ClusterCalls, APipelineHasWhatItsAnswerSays) {
  m_script.answers["list pipeline"] = R"({"pipeline": {"name": "p", "project": {"name": "x"}},
    "state": "PIPELINE_RUNNING", "reason": "why",
    "user_spec_json": "{\"pipeline\": {\"name\": \"p\", \"project\": {\"name\": \"x\"}}, \"update\": true, \"reprocess\": true, \"a\": 1}",
    "details": {"description": "d", "output_branch": "b", "transform": {"cmd": ["sh", "x"]},
      "input": {"cross": [{"pfs": {"repo": "one"}},
                          {"pfs": {"repo": "two", "name": "n", "project": "y", "branch": "b"}},
                          {"join": [{"pfs": {"repo": "three"}}]}]}}}
    {"pipeline": {"name": "q"}, "user_spec_json": "nothing", "details": {"input": {"pfs": {"repo": "one"}}}}
    {"pipeline": {"name": "r"}})";
  const auto pipelines = read_pipelines(pachctl()).value();
  ASSERT_EQ(pipelines.size(), 3U);
  const auto& p = pipelines.at("p");
  EXPECT_EQ(p.project, "x");
  EXPECT_EQ(p.state, "PIPELINE_RUNNING");
  EXPECT_EQ(p.reason, "why");
  EXPECT_EQ(p.description, "d");
  EXPECT_EQ(p.output_branch, "b");
  EXPECT_THAT(p.command, ElementsAre("sh", "x"));
  EXPECT_EQ(*p.spec, json::parse(R"({"pipeline": {"name": "p"}, "a": 1})"));
  const RepoInput one{"one", "x", "one", "master"};
  const RepoInput two{"n", "y", "two", "b"};
  const RepoInput three{"three", "x", "three", "master"};
  EXPECT_THAT(p.inputs, ElementsAre(one, two, three));
  EXPECT_THAT(p.direct_inputs, ElementsAre(one, two));
  EXPECT_EQ(*pipelines.at("q").spec, json::object());
  EXPECT_THAT(pipelines.at("q").direct_inputs, ElementsAre(RepoInput{"one", "", "one", "master"}));
  EXPECT_THAT(pipelines.at("r").inputs, ElementsAre());
  m_script.failing = "list";
  const auto failed = read_present(pachctl());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().where + ": " + failed.error().what, ": the cluster does not answer: refused");
  EXPECT_EQ(failed.error().kind, base::ErrorKind::unavailable);
}

TEST_F(ClusterCalls, ReposHaveDescriptions) {
  m_script.answers["list repo"] = R"({"repo": {"name": "a"}, "description": "d"}{"repo": {"name": "b"}})";
  EXPECT_EQ(read_repos(pachctl()).value(), (std::map<std::string, std::string>{{"a", "d"}, {"b", ""}}));
}

TEST_F(ClusterCalls, ReadersAreOfAllProjects) {
  m_script.answers["list pipeline --all-projects"] =
      R"({"pipeline": {"name": "p", "project": {"name": "x"}}, "details": {"input": {"pfs": {"repo": "one"}}}})";
  const auto readers = read_all_readers(pachctl()).value();
  ASSERT_EQ(readers.size(), 1U);
  EXPECT_EQ(readers.front().project, "x");
  EXPECT_EQ(readers.front().name, "p");
  EXPECT_THAT(readers.front().inputs, ElementsAre(RepoInput{"one", "x", "one", "master"}));
}

// A pipeline "map" as pachbuild makes it, with its build, its source and the answers about them.
class ClusterWithMap : public ClusterCalls {
 protected:
  json m_running = {{"pipeline", {{"name", "map"}, {"project", {{"name", "default"}}}}},
                    {"details",
                     {{"input",
                       {{"cross",
                         {{{"pfs", {{"name", "source"}, {"repo", "map_source"}, {"branch", "master"}}}},
                          {{"pfs", {{"name", "build"}, {"repo", "map_build"}, {"branch", "build"}}}},
                          {{"pfs", {{"repo", "data"}}}}}}}}}}};
  json m_build = {
      {"pipeline", {{"name", "map_build"}, {"project", {{"name", "default"}}}}},
      {"details",
       {{"description", build_mark("map")},
        {"output_branch", "build"},
        {"transform", {{"cmd", {"sh", "./build.sh"}}}},
        {"input", {{"pfs", {{"name", "source"}, {"repo", "map_source"}, {"branch", "master"}}}}}}}};
  json m_description = {{"by", "pachbuild 1"}};
  std::string m_branches = branch("master", "h") + branch("pachbuild-version-old", "h");

  static std::string branch(const std::string& name, const std::string& head) {
    return json{{"branch", {{"name", name}}}, {"head", {{"id", head}}}}.dump() + "\n";
  }
  static std::string repo(const std::string& name, const std::string& description = "") {
    return json{{"repo", {{"name", name}}}, {"description", description}}.dump() + "\n";
  }
  void answer() {
    m_script.answers["list repo"] =
        repo("map") + repo("map_build") + repo("map_source", source_mark("map")) + repo("data");
    const auto pipelines =
        (m_running.empty() ? "" : m_running.dump()) + (m_build.empty() ? "" : m_build.dump());
    m_script.answers["list pipeline"] = pipelines;
    m_script.answers["list branch map_source"] = m_branches;
    m_script.answers["inspect commit map_source@h"] =
        json{{"finishing", "t"}, {"description", m_description.dump()}}.dump();
    m_script.answers["list commit map_source"] =
        json{{"commit", {{"id", "h"}}}, {"description", m_description.dump()}}.dump();
    m_script.answers["start transaction"] = "started new transaction: \"t\"\n";
  }
  base::Status remove_map() {
    answer();
    m_script.calls.clear();
    BASE_TRY_ASSIGN(auto belongings, find_belongings(pachctl(), "map"));
    return remove(pachctl(), std::move(belongings));
  }
};

const Lines k_removal = {"start transaction",
                         "delete branch map_source@pachbuild-version-old",
                         "create branch map_source@pachbuild-deleting --head h",
                         "finish transaction",
                         "delete pipeline map",
                         "delete pipeline map_build",
                         "delete repo map_source"};

TEST_F(ClusterWithMap, IsRemovedInAnOrderThatCanBeContinued) {
  EXPECT_TRUE(remove_map());
  EXPECT_EQ(m_script.calls, k_removal);
  // What a deletion has begun.
  m_branches = branch("master", "h") + branch("pachbuild-deleting", "h");
  m_running = json();
  EXPECT_EQ(what(remove_map()), "none");
  EXPECT_THAT(m_script.calls, ElementsAre("delete pipeline map_build", "delete repo map_source"));
  m_build = json();
  m_script.answers["list repo"] = repo("map_source", source_mark("map"));
  const auto belongings = find_belongings(pachctl(), "map");
  EXPECT_TRUE(belongings);
}

TEST_F(ClusterWithMap, OfAnOlderProgramGetsAVersionFirst) {
  m_branches = branch("master", "h");
  const std::string made = "create branch map_source@pachbuild-version-";
  m_script.on_call = [&](const std::string& call) {
    // From then on it is there.
    if (call.starts_with(made))
      m_script.answers["list branch map_source"] =
          branch("master", "h") + branch("pachbuild-version-old", "h");
  };
  EXPECT_EQ(what(remove_map()), "none");
  Lines expected = k_removal;
  expected.insert(expected.begin(), "create branch map_source@VERSION --head h");
  EXPECT_EQ(m_script.calls, expected);
}

TEST_F(ClusterWithMap, AFailedRemovalCanBeUpdatedOrContinued) {
  const std::map<std::string, std::pair<std::string, Lines>> rows = {
      {"start transaction", {"pipeline map: was just changed by someone else", {k_removal[0]}}},
      {"delete branch map_source@pachbuild-version",
       {"pipeline map: was just changed by someone else",
        {k_removal[0], k_removal[1], "delete transaction"}}},
      {"create branch map_source@pachbuild-deleting",
       {"pipeline map: was just changed by someone else",
        {k_removal[0], k_removal[1], k_removal[2], "delete transaction"}}},
      {"finish transaction",
       {"pipeline map: was just changed by someone else",
        {k_removal[0], k_removal[1], k_removal[2], k_removal[3], "delete transaction"}}},
      // Nothing is gone yet.
      {"delete pipeline map",
       {"pachctl delete pipeline: refused",
        {k_removal[0], k_removal[1], k_removal[2], k_removal[3], k_removal[4],
         "delete branch map_source@pachbuild-deleting --force"}}},
      {"delete pipeline map_build",
       {"pachctl delete pipeline: refused",
        {k_removal[0], k_removal[1], k_removal[2], k_removal[3], k_removal[4], k_removal[5]}}},
      {"delete repo map_source", {"pachctl delete repo: refused", k_removal}},
  };
  for (const auto& [failing, expected] : rows) {
    m_script.failing = failing;
    EXPECT_EQ(what(remove_map()), expected.first) << failing;
    EXPECT_EQ(m_script.calls, expected.second) << failing;
  }
}

TEST_F(ClusterWithMap, IsNotRemovedWhereSomebodyElseHasAPartInIt) {
  const auto fault = [&] {
    answer();
    const auto found = find_belongings(pachctl(), "map");
    return found ? "none" : found.error().where + ": " + found.error().what;
  };
  EXPECT_EQ(fault(), "none");
  const json reader = {{"pipeline", {{"name", "other"}, {"project", {{"name", "default"}}}}},
                       {"details", {{"input", {{"pfs", {{"repo", "map"}}}}}}}};
  const auto with_reader = [&](const json& one) {
    answer();
    m_script.answers["list pipeline --all-projects"] = m_running.dump() + m_build.dump() + one.dump();
    const auto found = find_belongings(pachctl(), "map");
    return found ? "none" : found.error().what;
  };
  EXPECT_EQ(with_reader(reader), "pipeline other reads its repo map");
  auto far = reader;
  far["pipeline"]["project"]["name"] = "far";
  EXPECT_EQ(with_reader(far), "none");
  far["details"]["input"]["pfs"]["project"] = "default";
  EXPECT_EQ(with_reader(far), "pipeline other of project far reads its repo map");
  far["pipeline"]["name"] = "map";
  EXPECT_EQ(with_reader(far), "pipeline map of project far reads its repo map");
  for (const auto* name : {"map_build", "map_source"}) {
    auto of_own = reader;
    of_own["details"]["input"]["pfs"]["repo"] = name;
    EXPECT_EQ(with_reader(of_own), std::string("pipeline other reads its repo ") + name);
  }
  m_script.answers.clear();
  m_description = {{"by", "someone"}};
  EXPECT_EQ(
      fault(),
      "pipeline map: repo \"map_source\" contains 1 commit that was not made by pachbuild; the newest is h");
  m_description = {{"by", "pachbuild 1"}};
  auto running = m_running;
  m_running["details"]["input"] = {{"pfs", {{"repo", "data"}}}};
  EXPECT_EQ(fault(), "pipeline map: has no build");
  m_running = json();
  m_build = json();
  m_script.answers["list repo"] = repo("data");
  answer();
  m_script.answers["list repo"] = repo("data");
  EXPECT_EQ(find_belongings(pachctl(), "map").error().what, "does not exist");
}

// Each question is asked once, and all of them once more after a failure.
TEST_F(ClusterWithMap, BelongingsThatAreFoundTwiceOrAtOnceCount) {
  const Lines questions = {"list repo",           "list branch map_source", "inspect commit map_source@h",
                           "list pipeline --raw", "list commit map_source", "list pipeline --all-projects"};
  answer();
  const auto count_of = [&](const std::string& failing, int times) {
    m_script.count = 0;
    m_script.failing = failing;
    m_script.remaining_failures = times;
    const auto found = find_belongings(pachctl(), "map");
    m_script.failing.clear();
    if (!found) return found.error().what;
    EXPECT_THAT(found->pipelines, ElementsAre("map", "map_build"));
    EXPECT_THAT(found->repos, ElementsAre("map_source"));
    return std::to_string(m_script.count);
  };
  EXPECT_EQ(count_of("", 0), "6");
  for (std::size_t i = 0; i < questions.size(); ++i) {
    EXPECT_EQ(count_of(questions[i], 1), std::to_string(i + 1 + questions.size())) << questions[i];
    EXPECT_THAT(count_of(questions[i], 2), HasSubstr("refused")) << questions[i];
  }
}

TEST_F(ClusterWithMap, WhatIsLeftOfItIsRemovedAsWell) {
  // A source without commits has no updates that could be under way.
  m_branches.clear();
  EXPECT_EQ(what(remove_map()), "none");
  EXPECT_THAT(m_script.calls,
              ElementsAre("delete pipeline map", "delete pipeline map_build", "delete repo map_source"));
  // A build whose pipeline and source are gone.
  const auto remove_build = [&] {
    m_running = json();
    answer();
    m_script.answers["list repo"] = repo("map_build") + repo("data");
    m_script.calls.clear();
    auto belongings = find_belongings(pachctl(), "map");
    return belongings ? what(remove(pachctl(), std::move(belongings).value()))
                      : belongings.error().where + ": " + belongings.error().what;
  };
  EXPECT_EQ(remove_build(), "none");
  EXPECT_THAT(m_script.calls, ElementsAre("delete pipeline map_build"));
  m_script.failing = "delete pipeline";
  EXPECT_EQ(remove_build(), "pachctl delete pipeline: refused");
  EXPECT_THAT(m_script.calls, ElementsAre("delete pipeline map_build"));
  m_script.failing.clear();
  // What only has the names is not what a deletion has begun.
  m_build["details"]["description"] = "mine";
  EXPECT_EQ(remove_build(), "pipeline map: does not exist");
  m_build = json();
  EXPECT_EQ(remove_build(), "pipeline map: does not exist");
  m_script.answers["list repo"] = repo("map_source", "mine");
  EXPECT_EQ(find_belongings(pachctl(), "map").error().what, "does not exist");
  m_script.answers["list repo"] = repo("map_source", source_mark("map"));
  EXPECT_THAT(find_belongings(pachctl(), "map")->repos, ElementsAre("map_source"));
}

TEST_F(ClusterWithMap, ThatIsNotOnlyPachbuildsIsNotRemoved) {
  m_build["details"]["description"] = "mine";
  answer();
  const auto taken = find_belongings(pachctl(), "map");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().what, "pipeline \"map_build\" exists and is not the build of \"map\"");
}

TEST_F(ClusterWithMap, APipelineWithoutABuildIsPassedOn) {
  const auto calls = [&](Existing existing, Reprocess reprocess) {
    m_script.calls.clear();
    EXPECT_TRUE(pass_on(pachctl(), {{"pipeline", {{"name", "x"}}}}, existing, reprocess));
    EXPECT_TRUE(pass_on_url(pachctl(), "https://h/x.json", existing, reprocess));
    return m_script.calls;
  };
  EXPECT_THAT(calls(Existing::refuse, Reprocess::changed),
              ElementsAre("create pipeline --file FILE", "create pipeline --file https://h/x.json"));
  EXPECT_THAT(calls(Existing::refuse, Reprocess::everything),
              ElementsAre("create pipeline --file FILE", "create pipeline --file https://h/x.json"));
  EXPECT_THAT(calls(Existing::update, Reprocess::changed),
              ElementsAre("update pipeline --file FILE", "update pipeline --file https://h/x.json"));
  EXPECT_THAT(calls(Existing::update, Reprocess::everything),
              ElementsAre("update pipeline --file FILE --reprocess",
                          "update pipeline --file https://h/x.json --reprocess"));
  m_script.failing = "update";
  const auto status = pass_on_url(pachctl(), "https://h", Existing::update, Reprocess::changed);
  EXPECT_THAT(status.error().hint, HasSubstr("save it next to the source"));
}

TEST_F(ClusterWithMap, WhatIsPassedOnReplacesNoBuildAndForCreateNothing) {
  answer();
  std::string listed;
  m_script.on_call = [&](const std::string& call) { listed = call; };
  const auto check = [&](const std::string& text, Existing existing) {
    const auto pipelines = spec::read_for_cluster(text, "f.json", spec::Target::cluster).value();
    return what(check_passed_on(pachctl(), pipelines.front(), existing));
  };
  EXPECT_EQ(check(R"({"pipeline": {"name": "new"}})", Existing::refuse), "none");
  EXPECT_EQ(listed, "list pipeline --raw");
  EXPECT_EQ(check(R"({"pipeline": {"name": "map"}})", Existing::update), "none");
  EXPECT_EQ(check(R"({"pipeline": {"name": "map"}})", Existing::refuse),
            "f.json:1:23: pipeline \"map\" already exists");
  EXPECT_EQ(check(R"({"pipeline": {"name": "map_build"}})", Existing::update),
            "f.json:1:23: pipeline name \"map_build\" is reserved for the build of pipeline \"map\"");
  EXPECT_EQ(check(R"({"pipeline": {"name": "new", "project": {"name": "q"}}})", Existing::refuse), "none");
  EXPECT_EQ(listed, "list pipeline --project q --raw");
}

// A source and a spec that are submitted. What changes the cluster is called by the program itself.
class ClusterSubmission : public ClusterWithMap {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_folders(m_folder.path() / "source"));
    ASSERT_TRUE(base::write_file(m_folder.path() / "source/main.py", "print()\n"));
    // It fails at the call that the test has chosen, but not where something is taken back.
    ASSERT_TRUE(base::write_file(program(),
                                 "#!/bin/sh\ncd '" + m_folder.path().string() +
                                     "'\necho \"$*\" >> log\n"
                                     "read -r failing < fail\n"
                                     "case \"$failing:$*\" in :*|*--force) ;; \"$failing:$failing\"*) echo "
                                     "refused >&2; exit 1 ;; esac\n"
                                     "case \"$1 $2\" in\n"
                                     "  'start transaction') echo 'started new transaction: \"t\"' ;;\n"
                                     "  'start commit') echo c ;;\n"
                                     "  'list repo') cat repos 2>/dev/null ;;\nesac\n",
                                 0755));
    ::setenv("PACHCTL", program().c_str(), 1);
  }
  [[nodiscard]] base::fs::path program() const { return m_folder.path() / "pachctl"; }

  static json spec() {
    return json::parse(
        R"({"pipeline": {"name": "map"}, "transform": {"build": {"language": "go", "path": "source"}},
      "input": {"pfs": {"repo": "data", "glob": "/*"}}})");
  }
  Submission submission(const json& fields = spec()) {
    return prepare(spec::read_pipeline(fields.dump(), (m_folder.path() / "p.json").string()).value(),
                   {.image_prefix = "", .largest_file = 1000})
        .value();
  }
  // As the cluster has it after `submission`, whose source is stored.
  void answer_with(const Submission& submitted) {
    m_running["user_spec_json"] = submitted.running->dump();
    m_build["user_spec_json"] = submitted.build->dump();
    answer();
    m_script.answers["glob file map_source@h"] =
        json{{"file_type", "FILE"}, {"file", {{"path", "/main.py"}}}, {"size_bytes", "8"}, {"hash", "other"}}
            .dump();
  }
  // The calls that change something, those by the program itself included, and the outcome.
  struct Told {
    Lines calls;
    base::Result<Outcome> outcome;
  };
  Told submit_it(const Submission& submitted, Reprocess reprocess = Reprocess::changed,
                 const std::string& failing = "") {
    m_script.calls.clear();
    EXPECT_TRUE(base::write_file(m_folder.path() / "fail", failing));
    EXPECT_TRUE(base::write_file(m_folder.path() / "log", ""));
    m_sent = m_repeated = 0;
    const SubmissionEvents events{[&](const Changes& changes) { m_sent += changes.none() ? 100 : 1; },
                                  [&] { ++m_repeated; }};
    auto outcome = submit(pachctl(), submitted, Existing::update, reprocess, events);
    Lines calls;
    for (auto call : m_script.calls) {
      if (!call.starts_with("glob")) calls.push_back(call);
    }
    for (auto call : base::split(base::read_file(m_folder.path() / "log").value(), '\n')) {
      if (call.empty() || call.starts_with("list ")) continue;
      call = Script::shown(call);
      if (const auto at = call.find("--description"); at != std::string::npos)
        call.replace(at, std::min(call.find('}', at), call.size()) - at + 1, "DESCRIPTION");
      calls.push_back(call);
    }
    return {std::move(calls), std::move(outcome)};
  }

  int m_sent = 0;  // how often it was said that files are sent, and that all begins again
  int m_repeated = 0;
};

// Calls that are made side by side; of each group they come in any order, and all before those of the next.
using Groups = std::vector<Lines>;

Lines in_order(Lines calls, const Groups& groups) {
  auto begin = calls.begin();
  for (const auto& group : groups) {
    const auto count = std::min(calls.end() - begin, static_cast<std::ptrdiff_t>(group.size()));
    std::sort(begin, begin + count);
    begin += count;
  }
  return calls;
}

Lines all_of(const Groups& groups) {
  Lines calls;
  for (const auto& group : groups) calls.insert(calls.end(), group.begin(), group.end());
  return in_order(calls, groups);
}

// As the program is called, as far as that tells the calls apart.
std::string begin_of(const std::string& call) {
  auto begin = call.substr(0, call.find(" DESCRIPTION"));
  begin = begin.substr(0, begin.find(" --"));
  if (const auto at = begin.find("VERSION"); at != std::string::npos)
    begin.replace(at, 7, "pachbuild-version-");
  return begin;
}

const Groups k_update = {
    {"create branch map_source@VERSION --head h", "start transaction"},
    {"start commit map_source@VERSION DESCRIPTION", "delete branch map_source@pachbuild-version-old",
     "create branch map_source@master --head VERSION"},
    {"put file map_source@c:/ --recursive --progress=false --file FILE", "finish commit map_source@VERSION"},
    {"finish transaction"}};

TEST_F(ClusterSubmission, OfAnotherSourceSendsItAndChangesAllAtOnce) {
  const auto submitted = submission();
  answer_with(submitted);
  const auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  EXPECT_EQ(in_order(told.calls, k_update), all_of(k_update));
  EXPECT_EQ(told.outcome->id, "t");
  EXPECT_EQ(m_sent, 1);
  EXPECT_EQ(m_repeated, 0);
  EXPECT_FALSE(told.outcome->made_source);
  EXPECT_EQ(told.outcome->build, Outcome::Change::kept);
}

TEST_F(ClusterSubmission, OfAnotherSpecChangesOnlyThat) {
  answer_with(submission());
  m_script.answers.erase("glob file map_source@h");
  auto submitted = submission();
  submitted.source.files.clear();
  auto fields = spec();
  fields["description"] = "new";
  submitted.running = submission(fields).running;
  const auto groups = [](const Lines& updates) {
    Groups all = {
        {"start transaction"},
        {"delete branch map_source@pachbuild-version-old", "create branch map_source@VERSION --head h"},
        {"finish transaction"}};
    all[1].insert(all[1].end(), updates.begin(), updates.end());
    return all;
  };
  auto expected = groups({"update pipeline --file FILE"});
  EXPECT_EQ(in_order(submit_it(submitted).calls, expected), all_of(expected));
  EXPECT_EQ(m_sent, 0);
  // What builds otherwise builds again.
  fields = spec();
  fields["transform"]["build"]["env"] = {{"A", "b"}};
  submitted.running = submission().running;
  submitted.build = submission(fields).build;
  expected = groups({"update pipeline --file FILE --reprocess"});
  EXPECT_EQ(in_order(submit_it(submitted).calls, expected), all_of(expected));
}

TEST_F(ClusterSubmission, ThatIsTheSameChangesNothingUnlessAllIsToBeDoneAgain) {
  auto submitted = submission();
  answer_with(submitted);
  m_script.answers.erase("glob file map_source@h");
  submitted.source.files.clear();
  const auto told = submit_it(submitted);
  EXPECT_THAT(told.calls, ElementsAre());
  EXPECT_TRUE(told.outcome->none());
  const Groups again = {
      {"start transaction"},
      {"delete branch map_source@pachbuild-version-old", "create branch map_source@VERSION --head h",
       "update pipeline --file FILE --reprocess", "update pipeline --file FILE --reprocess"},
      {"finish transaction"}};
  EXPECT_EQ(in_order(submit_it(submitted, Reprocess::everything).calls, again), all_of(again));
}

TEST_F(ClusterSubmission, ThatFailsAtACallTakesBackWhatItHasBegun) {
  const auto submitted = submission();
  answer_with(submitted);
  for (std::size_t number = 0; number < k_update.size(); ++number) {
    for (const auto& call : k_update[number]) {
      Groups expected(k_update.begin(), k_update.begin() + static_cast<std::ptrdiff_t>(number) + 1);
      if (call != "start transaction") expected.push_back({"delete transaction"});
      expected.push_back({"delete branch map_source@VERSION --force"});
      const auto told = submit_it(submitted, Reprocess::changed, begin_of(call));
      ASSERT_FALSE(told.outcome) << call;
      EXPECT_EQ(told.outcome.error().what, "refused");
      EXPECT_EQ(in_order(told.calls, expected), all_of(expected)) << call;
    }
  }
}

const Groups k_creation = {{"create repo map_source DESCRIPTION"},
                           {"start commit map_source@VERSION DESCRIPTION", "start transaction"},
                           {"put file map_source@c:/ --recursive --progress=false --file FILE",
                            "create branch map_source@master --head VERSION", "create pipeline --file FILE",
                            "create pipeline --file FILE", "finish commit map_source@VERSION"},
                           {"finish transaction"}};

TEST_F(ClusterSubmission, OfANewPipelineMakesAllOfIt) {
  const auto submitted = submission();
  m_script.answers["list repo"] = repo("data");
  const auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  EXPECT_TRUE(told.outcome->made_source);
  EXPECT_EQ(told.outcome->build, Outcome::Change::made);
  EXPECT_EQ(told.outcome->running, Outcome::Change::made);
  EXPECT_EQ(in_order(told.calls, k_creation), all_of(k_creation));
  // Without its branch, the pipelines would make one with a commit of nobody.
  const auto place = [&](const std::string& call) {
    return std::find(told.calls.begin(), told.calls.end(), call);
  };
  EXPECT_LT(place("create branch map_source@master --head VERSION"), place("create pipeline --file FILE"));
  // There is nothing that could be done again.
  EXPECT_EQ(in_order(submit_it(submitted, Reprocess::everything).calls, k_creation), all_of(k_creation));
}

TEST_F(ClusterSubmission, OfANewPipelineThatFailsAtACallTakesBackTheRepo) {
  const auto submitted = submission();
  m_script.answers["list repo"] = repo("data");
  for (const std::string& description : {source_mark("map"), std::string("somebody else's")}) {
    ASSERT_TRUE(base::write_file(m_folder.path() / "repos", repo("map_source", description)));
    for (std::size_t number = 0; number < k_creation.size(); ++number) {
      for (const auto& call : k_creation[number]) {
        Groups expected(k_creation.begin(), k_creation.begin() + static_cast<std::ptrdiff_t>(number) + 1);
        const bool is_master = call.starts_with("create branch");
        if (number == 2 && (is_master || call.starts_with("create pipeline"))) {
          // They come one after the other.
          expected[2].erase(expected[2].begin() + (is_master ? 2 : 3), expected[2].begin() + 4);
        }
        if (number > 0 && call != "start transaction") expected.push_back({"delete transaction"});
        if (number > 0) expected.push_back({"delete branch map_source@VERSION --force"});
        if (number > 0 && description == source_mark("map")) expected.push_back({"delete repo map_source"});
        const auto told = submit_it(submitted, Reprocess::changed, begin_of(call));
        ASSERT_FALSE(told.outcome) << call;
        EXPECT_EQ(in_order(told.calls, expected), all_of(expected)) << call;
        EXPECT_EQ(told.outcome.error().what, "refused");
        if (call.starts_with("create pipeline")) {
          EXPECT_EQ(told.outcome.error().where, "pipeline map_build");
        }
      }
    }
  }
}

TEST_F(ClusterSubmission, IntoARepoWithoutCommitsIsAsANewOne) {
  const auto submitted = submission();
  m_script.answers["list repo"] = repo("map_source", source_mark("map"));
  const auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  EXPECT_FALSE(told.outcome->made_source);
  const Groups expected(k_creation.begin() + 1, k_creation.end());
  EXPECT_EQ(in_order(told.calls, expected), all_of(expected));
}

TEST_F(ClusterSubmission, WhoseSourceSomebodyElseStoredInTheSameWayIsAllowed) {
  auto submitted = submission();
  m_description = {{"by", "someone"}};
  answer_with(submitted);
  EXPECT_EQ(what(check(pachctl(), submitted, Existing::update)),
            "map_source@master: the newest commit, h, was not made by pachbuild");
  m_script.answers.erase("glob file map_source@h");
  submitted.source.files.clear();
  EXPECT_TRUE(submit_it(submitted).outcome->none());
}

// What has become of an attempt whose last call failed decides whether another one begins.
TEST_F(ClusterSubmission, ThatWasOvertakenBeginsAgain) {
  const auto submitted = submission();
  // `change` is what happens between the look at the cluster and the end of the attempt.
  const auto after = [&](const std::function<void()>& change, const std::string& last_look = "glob file") {
    m_script.on_call = [&, last_look](const std::string& call) {
      if (call.starts_with(last_look)) change();
    };
    const auto told = submit_it(submitted, Reprocess::changed, "finish transaction");
    m_script.on_call = nullptr;
    m_script.failing.clear();
    answer_with(submitted);
    return std::to_string(m_repeated) + " " +
           (told.outcome ? "done" : told.outcome.error().where + ": " + told.outcome.error().what);
  };
  answer_with(submitted);
  const std::string failed = "0 pachctl finish transaction: refused";
  const std::string failed_again = "1 pachctl finish transaction: refused";
  const std::string branches = "list branch map_source";
  EXPECT_EQ(after([] {}), failed);
  for (const char* question : {"list repo", "list branch", "list pipeline"})
    EXPECT_EQ(after([&] { m_script.failing = question; }), failed) << question;
  EXPECT_EQ(after([&] { m_script.answers["list repo"] = repo("data"); }),
            "1 pipeline map: was just changed by someone else");
  EXPECT_EQ(after([&] {
              m_script.answers[branches] = branch("master", "h") + branch("pachbuild-version-older", "h");
            }),
            failed_again);
  EXPECT_EQ(after([&] { m_script.answers[branches] += branch("pachbuild-deleting", "h"); }),
            "1 pipeline map: is being deleted");
  EXPECT_EQ(after([&] {
              m_script.answers["list pipeline"] = m_running.dump();
              m_script.answers["list repo"] = repo("map") + repo("map_source", source_mark("map"));
            }),
            failed_again);
  int count = 0;
  const auto each_time = [&] {
    m_script.answers[branches] =
        branch("master", "h") + branch("pachbuild-version-old" + std::to_string(++count), "h");
  };
  EXPECT_EQ(after(each_time), "5 pipeline map: was changed by someone else during each attempt to update it");
  EXPECT_EQ(count, 5);
  // The version of the attempt is there: only the answer was lost.
  std::string head = "c";
  const auto is_there = [&] {
    const auto log = base::read_file(m_folder.path() / "log").value();
    const auto at = log.rfind("pachbuild-version-");
    if (at != std::string::npos)
      m_script.answers[branches] = branch("master", head) + branch(log.substr(at, 18 + 32), "c");
  };
  EXPECT_EQ(after(is_there, "list repo"), "0 done");
  // With the source's branch elsewhere it was only prepared, and the version before it is gone.
  head = "h";
  EXPECT_EQ(after(is_there, "list repo").substr(0, 1), "5");
  // Somebody else prepares one.
  EXPECT_EQ(after([&] { m_script.answers[branches] = m_branches + branch("pachbuild-version-old2", "h"); }),
            failed);
  // A repo that somebody else has made in the meantime.
  m_running = m_build = json();
  m_script.answers.clear();
  m_script.answers["list repo"] = repo("data");
  const auto made = [&] { m_script.answers["list repo"] = repo("map_source", source_mark("map")); };
  m_script.on_call = [&](const std::string& call) {
    if (call.starts_with("list pipeline")) made();
  };
  EXPECT_FALSE(submit_it(submitted, Reprocess::changed, "finish transaction").outcome);
  EXPECT_EQ(m_repeated, 1);
}

TEST_F(ClusterSubmission, UploadsThatAreOvertakenGo) {
  const auto submitted = submission();
  bool asked = false;
  m_script.on_call = [&](const std::string& call) { asked = asked || call.starts_with("list transaction"); };
  m_script.answers["list transaction"] =
      R"({"transaction": {"id": "9"}, "requests": [{"delete_branch": {"branch": {"name": "pachbuild-version-old"}}}]})"
      R"({"transaction": {"id": "8"}, "requests": [{"delete_branch": {"branch": {"name": "other"}}}]})";
  const auto check = [&](const Lines& gone, const Groups& expected) {
    answer_with(submitted);
    const auto calls = submit_it(submitted).calls;
    const auto count = std::min(calls.size(), gone.size());
    const auto middle = calls.begin() + static_cast<std::ptrdiff_t>(count);
    EXPECT_EQ(Lines(calls.begin(), middle), gone);
    EXPECT_EQ(in_order({middle, calls.end()}, expected), all_of(expected));
  };
  check({}, k_update);
  EXPECT_FALSE(asked);
  const auto before = m_branches;
  m_branches += branch("pachbuild-upload-99999999999-y", "u") + branch("pachbuild-upload-99999999999-z", "u");
  check({"delete branch map_source@pachbuild-upload-99999999999-y --force",
         "delete branch map_source@pachbuild-upload-99999999999-z --force", "delete transaction 9"},
        k_update);
  // Of a program that was killed, or one that is still at it.
  m_branches = before + branch("pachbuild-version-old2", "u");
  m_script.answers["list transaction"] =
      R"({"transaction": {"id": "7"}, "requests": [{"create_branch": {"head": {"id": "pachbuild-version-old2"}}}]})"
      R"({"transaction": {"id": "6"}, "requests": [{"create_branch": {"head": {"id": "other"}}}, {}]})";
  auto expected = k_update;
  expected[1].emplace_back("delete branch map_source@pachbuild-version-old2");
  check({"delete transaction 7"}, expected);
}

TEST_F(ClusterSubmission, ReadsItsBuildLazilyWhereTheBuilderMadeIt) {
  const auto is_lazy = [&](const json& fields) {
    return submission(fields).running->at("input").at("cross").at(1).at("pfs").value("lazy", false);
  };
  EXPECT_TRUE(is_lazy(spec()));
  auto without_language = spec();
  without_language["transform"]["build"] = {{"image", "mine"}, {"path", "source"}};
  without_language["transform"]["image"] = "mine";
  EXPECT_FALSE(is_lazy(without_language));
  ASSERT_TRUE(base::write_file(m_folder.path() / "source/build.sh", "true\n"));
  EXPECT_FALSE(is_lazy(spec()));
}

TEST_F(ClusterSubmission, LeftoversOfOthersGo) {
  auto submitted = submission();
  m_branches += branch("pachbuild-upload-1-x", "u") + branch("pachbuild-upload-99999999999-y", "u");
  answer_with(submitted);
  m_script.answers.erase("glob file map_source@h");
  submitted.source.files.clear();
  EXPECT_THAT(submit_it(submitted).calls,
              ElementsAre("delete branch map_source@pachbuild-upload-1-x --force"));
}

TEST_F(ClusterSubmission, ThatIsNotAllowedSaysWhy) {
  const auto submitted = submission();
  const auto fault = [&](Existing existing = Existing::update) {
    return what(check(pachctl(), submitted, existing));
  };
  answer_with(submitted);
  EXPECT_EQ(fault(), "none");
  EXPECT_THAT(fault(Existing::refuse), HasSubstr("pipeline \"map\" already exists"));
  m_script.answers["list branch map_source"] = m_branches + branch("pachbuild-deleting", "h");
  EXPECT_EQ(fault(), "pipeline map: is being deleted");
  m_script.answers["list branch map_source"] = "";
  EXPECT_EQ(fault(), "pipeline map: was just changed by someone else");
  answer_with(submitted);
  m_script.answers["inspect commit map_source@h"] = json{{"description", m_description.dump()}}.dump();
  EXPECT_EQ(fault(), "map_source@master: has a commit that is not finished");
  m_script.answers["inspect commit map_source@h"] =
      R"({"finishing": "t", "description": "{\"by\": \"me\"}"})";
  EXPECT_THAT(fault(), HasSubstr("the newest commit, h, was not made by pachbuild"));
  const auto large = prepare(submitted.spec, {.image_prefix = "", .largest_file = 7});
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().what, HasSubstr("is 8 B; the limit is 7 B"));
  EXPECT_TRUE(prepare(submitted.spec, {.image_prefix = "", .largest_file = 8}));
}

TEST_F(ClusterSubmission, ProjectsOfTheSpecAndTheCommandAgree) {
  auto fields = spec();
  EXPECT_EQ(pachctl_for(pachctl({.context = "", .project = "q"}), submission().spec)->project(), "q");
  fields["pipeline"]["project"] = {{"name", "p"}};
  const auto named = submission(fields).spec;
  EXPECT_EQ(pachctl_for(pachctl(), named)->project(), "p");
  EXPECT_EQ(pachctl_for(pachctl({.context = "", .project = "p"}), named)->project(), "p");
  const auto other = pachctl_for(pachctl({.context = "", .project = "q"}), named);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, base::ErrorKind::usage);
}

TEST_F(ClusterSubmission, OfAnOlderProgramGetsAVersionBeforeAnythingElse) {
  const auto submitted = submission();
  m_branches = branch("master", "h");
  answer_with(submitted);
  m_script.on_call = [&](const std::string& call) {
    if (call.starts_with("create branch map_source@pachbuild-version-"))
      m_script.answers["list branch map_source"] = m_branches + branch("pachbuild-version-old", "h");
  };
  const auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  auto expected = k_update;
  expected.insert(expected.begin(), Lines{"create branch map_source@VERSION --head h"});
  EXPECT_EQ(in_order(told.calls, expected), all_of(expected));
}

// A pipeline whose build has a source of its own.
class ClusterBuildSource : public ClusterSubmission {
 protected:
  const std::string k_inputs = std::string(64, 'a');
  const std::string k_own_repo = repo("map_build_source", build_source_mark("map"));

  static json python() {
    auto fields = spec();
    fields["transform"]["build"]["language"] = "python";
    return fields;
  }
  Submission given() {
    auto submitted = submission(python());
    submitted.inputs = k_inputs;
    submitted.copy = m_folder.path();
    return submitted;
  }
  // As the cluster is after an update from `inputs`.
  void answer_after(const Submission& submitted, const std::string& inputs) {
    const auto version = "pachbuild-version-old" + (inputs.empty() ? "" : "-" + inputs.substr(0, 32));
    m_branches = branch("master", "h") + branch(version, "h");
    m_build["details"]["input"]["pfs"]["repo"] = "map_build_source";
    answer_with(submitted);
    m_script.answers["list repo"] += k_own_repo;
  }
  // Of an update that sends the source to both: what it calls, in which groups.
  static Groups both(const std::string& old) {
    auto groups = k_update;
    groups[0].emplace_back("put file map_build_source@VERSION:/ --recursive --progress=false --file FILE");
    groups[1][1] = "delete branch map_source@" + old;
    groups[1].emplace_back("create branch map_build_source@master --head VERSION");
    groups[1].emplace_back("delete branch map_build_source@VERSION");
    return groups;
  }
  // The names of new versions, inputs and all.
  static Lines plain(Lines calls) {
    for (auto& call : calls) {
      if (const auto at = call.find("VERSION-"); at != std::string::npos) call.erase(at + 7, 33);
    }
    return calls;
  }
};

TEST_F(ClusterBuildSource, StaysAsItIsWhereTheBuildWasGivenTheSame) {
  const auto submitted = given();
  answer_after(submitted, k_inputs);
  const auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  EXPECT_FALSE(told.outcome->sends_build_source);
  auto expected = k_update;
  expected[1][1] = "delete branch map_source@pachbuild-version-old-" + k_inputs.substr(0, 32);
  EXPECT_EQ(in_order(plain(told.calls), expected), all_of(expected));
}

TEST_F(ClusterBuildSource, GetsTheSourceWhereTheBuildWasGivenSomethingElse) {
  const auto submitted = given();
  const std::string others(64, 'b');
  answer_after(submitted, others);
  auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  EXPECT_TRUE(told.outcome->sends_build_source);
  EXPECT_FALSE(told.outcome->made_build_source);
  auto expected = both("pachbuild-version-old-" + others.substr(0, 32));
  EXPECT_EQ(in_order(plain(told.calls), expected), all_of(expected));
  // An older program has changed it last, or nobody knows what the source needs.
  answer_after(submitted, "");
  EXPECT_TRUE(submit_it(submitted).outcome->sends_build_source);
  auto unknown = submitted;
  unknown.inputs = "";
  answer_after(unknown, k_inputs);
  EXPECT_TRUE(submit_it(unknown).outcome->sends_build_source);
}

TEST_F(ClusterBuildSource, GetsTheSourceAgainAfterABuildThatFailed) {
  const auto submitted = given();
  for (const auto& [state, sends] : std::map<std::string, bool>{{"JOB_SUCCESS", false},
                                                                {"JOB_RUNNING", false},
                                                                {"JOB_FAILURE", true},
                                                                {"JOB_KILLED", true},
                                                                {"JOB_UNRUNNABLE", true}}) {
    m_build["last_job_state"] = state;
    answer_after(submitted, k_inputs);
    EXPECT_EQ(submit_it(submitted).outcome->sends_build_source, sends) << state;
  }
  // Without an edit it would fail again.
  auto same = submitted;
  same.source.files.clear();
  m_script.answers.erase("glob file map_source@h");
  EXPECT_TRUE(submit_it(same).outcome->none());
}

TEST_F(ClusterBuildSource, IsMadeForAPipelineOfTheOldLayout) {
  const auto submitted = given();
  answer_with(submitted);
  const auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  EXPECT_TRUE(told.outcome->made_build_source);
  EXPECT_FALSE(told.outcome->made_source);
  auto expected = both("pachbuild-version-old");
  expected.insert(expected.begin(), {"create repo map_build_source DESCRIPTION"});
  EXPECT_EQ(in_order(plain(told.calls), expected), all_of(expected));
}

TEST_F(ClusterBuildSource, ThatIsMadeIsTakenBackWithAllElse) {
  const auto submitted = given();
  answer_with(submitted);
  ASSERT_TRUE(base::write_file(m_folder.path() / "repos", k_own_repo));
  const auto told = submit_it(submitted, Reprocess::changed, "finish transaction");
  ASSERT_FALSE(told.outcome);
  auto expected = both("pachbuild-version-old");
  expected.insert(expected.begin(), {"create repo map_build_source DESCRIPTION"});
  for (const char* const call :
       {"delete transaction", "delete branch map_source@VERSION --force",
        "delete branch map_build_source@VERSION --force", "delete repo map_build_source"})
    expected.push_back({call});
  EXPECT_EQ(in_order(plain(told.calls), expected), all_of(expected));
}

TEST_F(ClusterBuildSource, OfANewPipelineIsMadeBesideTheOther) {
  const auto submitted = given();
  m_script.answers["list repo"] = repo("data");
  const auto told = submit_it(submitted);
  ASSERT_TRUE(told.outcome) << told.outcome.error().what;
  auto expected = k_creation;
  expected.insert(expected.begin() + 1, {"create repo map_build_source DESCRIPTION"});
  expected[2].emplace_back("put file map_build_source@VERSION:/ --recursive --progress=false --file FILE");
  expected[3].emplace_back("create branch map_build_source@master --head VERSION");
  expected[3].emplace_back("delete branch map_build_source@VERSION");
  EXPECT_EQ(in_order(plain(told.calls), expected), all_of(expected));
}

TEST_F(ClusterBuildSource, OfSomebodyElseIsRefusedWhereItIsNeeded) {
  const auto submitted = given();
  answer_with(submitted);
  m_script.answers["list repo"] += repo("map_build_source", "mine");
  EXPECT_THAT(what(check(pachctl(), submitted, Existing::update)),
              HasSubstr("repo \"map_build_source\" exists and was not made by pachbuild"));
  const auto other = submission();
  answer_with(other);
  m_script.answers["list repo"] += repo("map_build_source", "mine");
  EXPECT_EQ(what(check(pachctl(), other, Existing::update)), "none");
}

TEST_F(ClusterBuildSource, GoesWithThePipeline) {
  m_build["details"]["input"]["pfs"]["repo"] = "map_build_source";
  const auto removed = [&](const std::string& description) {
    answer();
    m_script.answers["list repo"] += repo("map_build_source", description);
    m_script.calls.clear();
    auto belongings = find_belongings(pachctl(), "map");
    return belongings ? what(remove(pachctl(), std::move(*belongings)))
                      : what(base::Status(base::fail(belongings.error())));
  };
  EXPECT_EQ(removed(build_source_mark("map")), "none");
  auto expected = k_removal;
  expected.insert(expected.end() - 1, "delete repo map_build_source");
  EXPECT_EQ(m_script.calls, expected);
  EXPECT_THAT(removed("mine"), HasSubstr("repo \"map_build_source\" exists and was not made by pachbuild"));
  // What another layout has left goes as well, and what is somebody else's stays.
  m_build["details"]["input"]["pfs"]["repo"] = "map_source";
  EXPECT_EQ(removed(build_source_mark("map")), "none");
  EXPECT_EQ(m_script.calls, expected);
  EXPECT_EQ(removed("mine"), "none");
  EXPECT_EQ(m_script.calls, k_removal);
}

}  // namespace
}  // namespace cluster
