// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/pachctl.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/files.h"
#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/source_repo.h"
#include "tests/unit/steps.h"

namespace cluster {
namespace {

// Stands in for pachctl: gives the same answer to every question.
class Answer final : public process::Runner {
 public:
  explicit Answer(std::string text) : m_text(std::move(text)) {}
  base::Result<process::Finished> run(const process::Command& /*command*/,
                                      const process::ErrorSink& /*sink*/) override {
    return process::Finished{process::Ending::from_wait_status(0), m_text, ""};
  }

 private:
  std::string m_text;
};

struct Question {
  std::string name;
  std::function<base::Status(const Pachctl&)> ask;
};

template <class Result>
base::Status status_of(Result result) {
  if (result) return {};
  return base::fail(std::move(result).error());
}

const std::vector<Question>& questions() {
  static const SourceBranches k_branches = [] {
    SourceBranches branches;
    branches.head = "1";
    branches.is_finished = true;
    return branches;
  }();
  static const std::vector<Question> all = {
      {"newest_job", [](const auto& pachctl) { return status_of(newest_job(pachctl, "p")); }},
      {"find_job", [](const auto& pachctl) { return status_of(find_job(pachctl, "p", "1")); }},
      {"read_repos", [](const auto& pachctl) { return status_of(read_repos(pachctl)); }},
      {"read_pipelines", [](const auto& pachctl) { return status_of(read_pipelines(pachctl)); }},
      {"read_all_readers", [](const auto& pachctl) { return status_of(read_all_readers(pachctl)); }},
      {"read_branches", [](const auto& pachctl) { return status_of(read_branches(pachctl, "p")); }},
      {"foreign_commits", [](const auto& pachctl) { return status_of(foreign_commits(pachctl, "p")); }},
      {"read_files", [](const auto& pachctl) { return status_of(read_files(pachctl, "p", k_branches)); }},
  };
  return all;
}

class PachctlAnswers : public testing::Test {
 protected:
  PachctlAnswers() { ::setenv("PACHCTL", "/bin/true", 1); }
  ~PachctlAnswers() override { ::unsetenv("PACHCTL"); }
};

// Whatever another version, or something in between, says: it is an error that names the call, never a bug.
TEST_F(PachctlAnswers, ThatAreNotUnderstoodAreErrors) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{", "returned invalid JSON"},
      {"<html>", "returned invalid JSON"},
      {"[]", "returned an unexpected answer"},
      {"1", "returned an unexpected answer"},
      {"1e999", "returned an unexpected answer"},
      {"null", "returned an unexpected answer"},
      {R"({"job": 1, "repo": 1, "pipeline": 1, "branch": 1, "commit": 1, "file_type": 1})",
       "returned an unexpected answer"},
      {R"({"job": {"pipeline": {"name": "p"}, "id": "1"}, "state": "JOB_SUCCESS", "data_total": 1.5,)"
       R"( "repo": {"name": []}, "pipeline": {"name": {}}, "branch": {"name": 3}, "commit": {"id": 4},)"
       R"( "file_type": "FILE", "file": {"path": ["x"]}, "description": ""})",
       "returned an unexpected answer"},
      {std::string(100'000, '[') + std::string(100'000, ']'), "returned JSON that is nested too deeply"},
  };
  for (const auto& [answer, what] : cases) {
    Answer runner(answer);
    const auto pachctl = Pachctl::find({}, "/nowhere", runner).value();
    for (const auto& question : questions()) {
      const auto status = question.ask(pachctl);
      ASSERT_FALSE(status) << question.name << ": " << answer.substr(0, 80);
      EXPECT_NE(status.error().what.find(what), std::string::npos)
          << question.name << ": " << status.error().what;
      EXPECT_NE(status.error().kind, base::ErrorKind::bug);
    }
  }
}

TEST_F(PachctlAnswers, OfNothingAreNothing) {
  for (const std::string answer : {"", " \n"}) {
    Answer runner(answer);
    const auto pachctl = Pachctl::find({}, "/nowhere", runner).value();
    for (const auto& question : questions()) EXPECT_TRUE(question.ask(pachctl)) << question.name;
  }
}

// Says of each call what the test wants to be said; notes how often it was asked.
class Saying final : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& /*command*/,
                                      const process::ErrorSink& /*sink*/) override {
    ++count;
    return process::Finished{process::Ending::from_wait_status(256), "", errors};
  }
  std::string errors;
  int count = 0;
};

TEST_F(PachctlAnswers, ThatAreErrorsSayTheInnermostReason) {
  Saying runner;
  const auto pachctl = Pachctl::find({}, "/nowhere", runner).value();
  for (const auto& [said, reason] :
       std::vector<std::pair<std::string, std::string>>{{"a\nError: b\n", "Error: b"},
                                                        {"rpc error: code = X desc = a desc = b", "b"},
                                                        {"error running request 1 of 2: a: b", "a: b"},
                                                        {"x desc = error running request 1 of 2: a", "a"}}) {
    runner.errors = said;
    EXPECT_EQ(pachctl.call({"x"}).error().what, reason);
  }
}

TEST_F(PachctlAnswers, ThatTellOfALostRaceAreAskedForAgain) {
  const steps::NoPauses no_pauses;
  for (const std::string said : {"x (SQLSTATE 40001)", "x (SQLSTATE 40P01)", "x (SQLSTATE 25P02)",
                                 "x (SQLSTATE 23505)", "commit unexpectedly resulted in rollback",
                                 "transaction could not be modified due to concurrent modifications"}) {
    class Once final : public process::Runner {
     public:
      explicit Once(std::string errors) : m_errors(std::move(errors)) {}
      base::Result<process::Finished> run(const process::Command&, const process::ErrorSink&) override {
        return process::Finished{process::Ending::from_wait_status(++count == 1 ? 256 : 0), "", m_errors};
      }
      int count = 0;

     private:
      std::string m_errors;
    } once(said);
    EXPECT_TRUE(Pachctl::find({}, "/nowhere", once).value().call({"x"})) << said;
    EXPECT_EQ(once.count, 2) << said;
  }
  Saying runner;
  for (const std::string said : {"x (SQLSTATE 23503)", "x (SQLSTATE 25P01)", "SQLSTATE 40001", ""}) {
    runner.errors = said;
    runner.count = 0;
    EXPECT_FALSE(Pachctl::find({}, "/nowhere", runner).value().call({"x"}));
    EXPECT_EQ(runner.count, 1) << said;
  }
}

TEST_F(PachctlAnswers, ThatTellOfALostRaceCountAfterTheSixth) {
  const steps::NoPauses no_pauses;
  Saying runner;
  runner.errors = "x (SQLSTATE 40001)";
  const auto lost = Pachctl::find({}, "/nowhere", runner).value().call({"create", "x"});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, base::ErrorKind::network);
  EXPECT_EQ(base::format_error(lost.error()),
            "error: pachctl create x: x (SQLSTATE 40001)\nhint: try again later\n");
  EXPECT_EQ(runner.count, 6);
  EXPECT_EQ(steps::NoPauses::count(), 5);
}

TEST_F(PachctlAnswers, ThatAreNotUnderstoodNameTheCall) {
  const auto told = [](const std::string& text) {
    Answer runner(text);
    const auto listed =
        Pachctl::find({}, "/nowhere", runner).value().list({"list", "x", "y"}, [](const auto& item) {
          (void)item.at("a");
        });
    if (listed) return std::string("understood");
    EXPECT_EQ(listed.error().kind, base::ErrorKind::io);
    return base::format_error(listed.error());
  };
  EXPECT_EQ(told(R"({"a": 1} {"a": 2})"), "understood");
  EXPECT_EQ(
      told(R"({"a": 1} {"b": 2})"),
      "error: pachctl list x: returned an unexpected answer\nhint: check the output of `pachctl version`\n");
  EXPECT_EQ(told(R"({"a": 1} {)"), "error: pachctl list x: returned invalid JSON\n");
}

TEST_F(PachctlAnswers, AreNestedAThousandLevelsAtMost) {
  const auto what = [](const std::string& text) -> std::string {
    Answer runner(text);
    const auto listed =
        Pachctl::find({}, "/nowhere", runner).value().list({"list", "x"}, [](const auto& /*item*/) {});
    return listed ? "" : listed.error().where + ": " + listed.error().what;
  };
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const std::string deep = "pachctl list x: returned JSON that is nested too deeply";
  EXPECT_EQ(what(nested(1000)), "");
  EXPECT_EQ(what(nested(1001)), deep);
  EXPECT_EQ(what(nested(600) + nested(600)), "");
  EXPECT_EQ(what("{\"a\": " + nested(999) + "}"), "");
  EXPECT_EQ(what("{\"a\": " + nested(1000) + "}"), deep);
  // What is in quotes nests nothing.
  EXPECT_EQ(what("\"" + std::string(2000, '[') + "\""), "");
  EXPECT_EQ(what("\"\\\"" + std::string(2000, '{') + "\""), "");
  EXPECT_EQ(what("\"\\\\\"" + nested(1001)), deep);
  EXPECT_EQ(what("]" + nested(1)), "pachctl list x: returned invalid JSON");
}

TEST(PachctlProgram, IsFoundByItsVariableOrOnPath) {
  const char* const path = std::getenv("PATH");
  const std::string kept = path == nullptr ? "" : path;
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "pachctl.").value();
  const auto found = [&] {
    Saying runner;
    const auto pachctl = Pachctl::find({}, "/scratch", runner);
    if (!pachctl) {
      EXPECT_EQ(pachctl.error().kind, base::ErrorKind::unavailable);
      return pachctl.error().where + ": " + pachctl.error().what + " | " + pachctl.error().hint;
    }
    EXPECT_EQ(pachctl->scratch(), "/scratch");
    return std::string("found");
  };
  ::setenv("PATH", folder.path().c_str(), 1);
  ::unsetenv("PACHCTL");
  const auto none = found();
  ::setenv("PACHCTL", "other", 1);
  const auto none_named = found();
  EXPECT_TRUE(base::write_file(folder.path() / "pachctl", "", 0755));
  const auto still_named = found();
  EXPECT_TRUE(base::write_file(folder.path() / "text", "", 0644));
  ::setenv("PACHCTL", (folder.path() / "text").c_str(), 1);
  const auto text = found();
  ::unsetenv("PACHCTL");
  const auto on_path = found();
  ::setenv("PATH", kept.c_str(), 1);
  EXPECT_EQ(none, "pachctl: is not on PATH | install pachctl, or set its path in PACHCTL");
  EXPECT_EQ(none_named, "PACHCTL=other: is not on PATH | correct PACHCTL, or unset it");
  EXPECT_EQ(still_named, none_named);
  EXPECT_EQ(text, "PACHCTL=" + (folder.path() / "text").string() +
                      ": is not executable | correct PACHCTL, or unset it");
  EXPECT_EQ(on_path, "found");
}

TEST(PachctlConfiguration, TellsTheCluster) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "config.").value();
  const auto file = folder.path() / "config.json";
  ::setenv("PACH_CONFIG", file.c_str(), 1);
  ::unsetenv("PACH_CONTEXT");
  const auto identity = [&](const std::string& text) {
    EXPECT_TRUE(base::write_file(file, text));
    return Pachctl::cluster_identity();
  };
  const std::string both =
      R"({"v2": {"active_context": "a", "contexts": {"a": {"pachd_address": "grpc://a:1"}, "b": {}}}})";
  EXPECT_EQ(identity(both), "grpc://a:1");
  ::setenv("PACH_CONTEXT", "b", 1);
  EXPECT_EQ(identity(both), "b");
  ::setenv("PACH_CONTEXT", "c", 1);
  EXPECT_EQ(identity(both), "c");
  EXPECT_EQ(identity("{"), "c");
  ::unsetenv("PACH_CONTEXT");
  EXPECT_EQ(identity("{"), "");
  EXPECT_EQ(identity("{\"v2\": {\"active_context\": \"x\"}}"), "x");
  EXPECT_EQ(identity("{\"v2\": {}}"), "");
  base::fs::remove(file);
  EXPECT_EQ(Pachctl::cluster_identity(), "");
  ::setenv("PACHCTL", "/bin/true", 1);
  Saying runner;
  EXPECT_EQ(Pachctl::find({}, "", runner)->configuration(), file);
  EXPECT_EQ(Pachctl::find({}, "", runner)->with_configuration("/x").configuration(), "/x");
  // Without a name it is where pachctl looks.
  ::unsetenv("PACH_CONFIG");
  const char* const home = std::getenv("HOME");
  const std::string kept = home == nullptr ? "" : home;
  ::setenv("HOME", "/home/x", 1);
  EXPECT_EQ(Pachctl::find({}, "", runner)->configuration(), base::fs::exists("/pachctl/config.json")
                                                                ? "/pachctl/config.json"
                                                                : "/home/x/.pachyderm/config.json");
  kept.empty() ? ::unsetenv("HOME") : ::setenv("HOME", kept.c_str(), 1);
  ::unsetenv("PACHCTL");
}

}  // namespace
}  // namespace cluster
