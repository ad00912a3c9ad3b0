// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/pachctl.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/source_repo.h"

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

}  // namespace
}  // namespace cluster
