// SPDX-License-Identifier: Apache-2.0
// What runs here and is read from a cluster: jobs that are done again, and commits of its repos.
#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/commands/cluster_jobs.h"
#include "pachbuild/commands/cluster_repos.h"
#include "tests/unit/commands/fake_pachctl.h"

namespace commands {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using Calls = std::vector<std::string>;

class ClusterReading : public testing::Test {
 protected:
  ClusterReading() {
    for (const auto& [name, value] : variables()) ::setenv(name.c_str(), value.c_str(), 1);
    use_cluster("grpc://one:1");
  }
  ~ClusterReading() override {
    for (const auto& [name, value] : variables()) ::unsetenv(name.c_str());
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  [[nodiscard]] std::map<std::string, std::string> variables() const {
    return {{"PACHCTL", path("pachctl")},
            {"PACH_CONFIG", path("config.json")},
            {"PACHBUILD_CACHE_DIR", path("cache")}};
  }
  void use_cluster(const std::string& address) const {
    const json config = {
        {"v2", {{"active_context", "a"}, {"contexts", {{"a", {{"pachd_address", address}}}}}}}};
    EXPECT_TRUE(base::write_file(m_folder.path() / "config.json", config.dump()));
  }
  void answer(const std::vector<std::pair<std::string, std::string>>& answers) const {
    ASSERT_TRUE(make_pachctl(m_folder.path(), answers));
  }
  // Since the last answer or the last look at them.
  [[nodiscard]] Calls calls() const {
    Calls all;
    for (const auto& line : base::split(base::read_file(m_folder.path() / "log").value(), '\n')) {
      if (!line.empty()) all.push_back(line);
    }
    EXPECT_TRUE(base::write_file(m_folder.path() / "log", ""));
    return all;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "reading.").value();
  const std::string m_commit = std::string(32, 'c');
  const std::string m_finished =
      json{{"commit", {{"id", m_commit}}}, {"finishing", "t"}, {"finished", "t"}}.dump();
};

class JobsDoneAgain : public ClusterReading {
 protected:
  JobsDoneAgain() { answer_with(m_info); }
  void answer_with(const json& info,
                   const std::string& datums = R"({"state": "FAILED", "datum": {"id": "d1"}})") {
    answer({{"inspect job", info.dump()},
            {"inspect commit", m_finished},
            {"list datum", datums},
            {"list job", json{{"job", {{"pipeline", {{"name", "map"}}}, {"id", m_id}}}}.dump()}});
  }
  [[nodiscard]] std::size_t calls_for(const std::string& job) const {
    static_cast<void>(calls());
    EXPECT_TRUE(plan_of_job(job)) << job;
    return calls().size();
  }

  const std::string m_id = std::string(32, 'f');
  const std::string m_job = "map@" + m_id;
  json m_info = {{"job", {{"pipeline", {{"name", "map"}, {"project", {{"name", "default"}}}}}, {"id", m_id}}},
                 {"state", "JOB_FAILURE"},
                 {"details",
                  {{"transform", {{"image", "i"}, {"cmd", {"true"}}}},
                   {"input",
                    {{"cross",
                      {{{"pfs",
                         {{"name", "r"},
                          {"repo", "r"},
                          {"project", "default"},
                          {"branch", "master"},
                          {"glob", "/*"},
                          {"commit", "x"}}}},
                       {{"pfs",
                         {{"name", "s"},
                          {"repo", "s"},
                          {"project", "q"},
                          {"branch", "dev"},
                          {"glob", "/"},
                          {"commit", "y"}}}}}}}}}}};
};

TEST_F(JobsDoneAgain, ReadTheCommitsThatTheyRead) {
  const auto plan = plan_of_job(m_job).value();
  EXPECT_EQ(plan.job, m_id);
  EXPECT_FALSE(plan.has_artifacts);
  EXPECT_EQ(plan.remote, (std::map<std::string, std::string>{{"default/r", "default/r@" + m_commit},
                                                             {"q/s@dev", "q/s@" + m_commit}}));
  ASSERT_EQ(plan.pipelines.size(), 1U);
  EXPECT_EQ(plan.pipelines[0].spec.name, "map");
  for (const auto& part : plan.pipelines[0].spec.input.parts) EXPECT_FALSE(part.repo.is_named);
  EXPECT_THAT(failed_datums_of(m_job).value(), ElementsAre("d1"));
}

TEST_F(JobsDoneAgain, AreAskedForOnceIfTheyHaveEnded) {
  EXPECT_EQ(calls_for(m_job), 4U);
  EXPECT_EQ(calls_for(m_job), 0U);
  EXPECT_TRUE(failed_datums_of(m_job));
  EXPECT_EQ(calls().size(), 0U);
  EXPECT_EQ(calls_for("default/" + m_job), 4U) << "of that project";
  use_cluster("grpc://other:1");
  EXPECT_EQ(calls_for(m_job), 4U) << "of another cluster";
  use_cluster("grpc://one:1");
  EXPECT_EQ(calls_for(m_job), 0U);
  EXPECT_EQ(calls_for("map"), 5U);
  EXPECT_EQ(calls_for("map"), 5U) << "the newest may be another one";
  // What is damaged is asked for again.
  for (const auto& file : base::fs::directory_iterator(path("cache/clusters")))
    ASSERT_TRUE(base::write_file(file.path(), "{}"));
  EXPECT_EQ(calls_for(m_job), 4U);
  // One that runs may still change.
  m_info["state"] = "JOB_RUNNING";
  answer_with(m_info);
  const std::string running = "map@" + std::string(32, 'e');
  EXPECT_EQ(calls_for(running), 4U);
  EXPECT_EQ(calls_for(running), 4U);
}

TEST_F(JobsDoneAgain, WithoutAFailedDatumNeedOne) {
  answer_with(m_info, "");
  const auto none = failed_datums_of(m_job);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, base::ErrorKind::bad_input);
  EXPECT_EQ(base::format_error(none.error()),
            "error: --job " + m_job +
                ": has no failed datum\nhint: name one in --datum; pachctl list datum shows them\n");
  EXPECT_EQ(plan_of_job("a b").error().where, "--job a b");
  answer({{"inspect job", "!no such job\n"}});
  const auto failed = plan_of_job("map@" + std::string(32, 'a'));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what, "no such job");
}

TEST_F(ClusterReading, CommitsAreFoundListedAndFetched) {
  const auto repos = cluster_repos();
  EXPECT_EQ(repos->identity(), "grpc://one:1");
  EXPECT_EQ(repos->id_in("q/r@" + m_commit), m_commit);
  for (const std::string& address : Calls{"r", "r@master", "r@cccc", "a b@" + m_commit})
    EXPECT_EQ(repos->id_in(address), "") << address;
  answer({{"inspect commit", m_finished},
          {"glob file",
           R"({"file_type": "FILE", "file": {"path": "/a"}, "size_bytes": "5", "hash": "h"})"
           R"({"file_type": "FILE", "file": {"path": "/b"}, "size_bytes": "99999999999", "hash": "i"})"}});
  EXPECT_EQ(repos->find("q/r@dev", std::chrono::seconds(60)).value(), m_commit);
  EXPECT_THAT(calls(), ElementsAre("inspect commit r@dev --project q --raw"));
  const auto files = repos->list("q/r@dev", m_commit).value();
  EXPECT_THAT(calls(), ElementsAre("glob file r@" + m_commit + ":/** --project q --raw"));
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].path, "a");
  EXPECT_EQ(files[0].size, 5U);
  EXPECT_EQ(files[0].hash, "h");
  EXPECT_EQ(files[1].size, 99'999'999'999U);
  ASSERT_TRUE(repos->get("q/r@dev", m_commit, files, {true, false}, m_folder.path() / "to"));
  EXPECT_THAT(calls(), ElementsAre("get file r@" + m_commit + ":/a --output " + path("to/a") +
                                   " --progress=false --project q"));
  EXPECT_EQ(repos->find("a b", std::chrono::seconds(60)).error().where, "pfs:a b");
  answer({{"glob", "!refused\n"}, {"get", "!refused\n"}});
  EXPECT_EQ(repos->list("r", m_commit).error().what, "refused");
  EXPECT_EQ(repos->get("r", m_commit, files, {true, true}, m_folder.path() / "to").error().what, "refused");
}

}  // namespace
}  // namespace commands
