// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/job.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "contract/build_record.h"
#include "pachbuild/local/record/reasons.h"

namespace local {
namespace {

struct JobParts {
  spec::PipelineSpec spec;
  Artifact artifact;
  std::string image_id;
  std::string secrets;
  std::vector<std::string> arguments;
};

JobParts some_parts() {
  JobParts parts;
  parts.spec.name = "p";
  parts.spec.project = "team";
  auto& transform = parts.spec.transform;
  transform.cmd = {"a", "b"};
  transform.stdin_lines = {"a", "b"};
  transform.err_cmd = {"a", "b"};
  transform.err_stdin = {"a", "b"};
  transform.working_dir = "/work";
  transform.accept_return_code = {3, 4};
  transform.env = {{"A", "1"}, {"B", "2"}};
  parts.artifact.source_version = "s";
  parts.artifact.version = "v";
  parts.image_id = "i";
  parts.secrets = "x";
  parts.arguments = {"a", "b"};
  return parts;
}

Job job_of(const JobParts& parts) {
  return {parts.spec, parts.artifact, parts.image_id, parts.secrets, parts.arguments};
}

TEST(JobKey, IsOfAllThatDecidesResultsAndNothingElse) {
  using Change = std::function<void(JobParts&)>;
  const std::vector<std::pair<const char*, Change>> k_changes = {
      {"pipeline.name", [](auto& parts) { parts.spec.name = "q"; }},
      {"pipeline.project", [](auto& parts) { parts.spec.project = "other"; }},
      {"", [](auto& parts) { parts.artifact.source_version = "t"; }},
      {"", [](auto& parts) { parts.artifact.version = "w"; }},
      {"the image", [](auto& parts) { parts.image_id = "j"; }},
      {"a secret", [](auto& parts) { parts.secrets = "y"; }},
      {"transform.cmd", [](auto& parts) { parts.spec.transform.cmd = {"ab"}; }},
      {"transform.stdin", [](auto& parts) { parts.spec.transform.stdin_lines = {"b", "a"}; }},
      {"transform.err_cmd", [](auto& parts) { parts.spec.transform.err_cmd.pop_back(); }},
      {"transform.err_stdin", [](auto& parts) { parts.spec.transform.err_stdin = {"a", "c"}; }},
      {"arguments", [](auto& parts) { parts.arguments = {"a", "b", ""}; }},
      {"transform.working_dir", [](auto& parts) { parts.spec.transform.working_dir = "/x"; }},
      {"transform.accept_return_code", [](auto& parts) { parts.spec.transform.accept_return_code = {34}; }},
      {"transform.datum_batching", [](auto& parts) { parts.spec.transform.datum_batching = true; }},
      {"variable A", [](auto& parts) { parts.spec.transform.env["A"] = "2"; }},
      {"variable C", [](auto& parts) { parts.spec.transform.env["C"] = ""; }}};
  const auto before = some_parts();
  std::set<std::string> keys = {job_of(before).key()};
  EXPECT_EQ(job_of(some_parts()).key(), *keys.begin());
  for (const auto& [name, change] : k_changes) {
    auto parts = before;
    change(parts);
    EXPECT_TRUE(keys.insert(job_of(parts).key()).second) << name;
    const auto changed = differences(job_of(before).settings(), job_of(parts).settings());
    const std::string subject = name;
    // What the build brings is told in another way, and what is not set is no fact.
    const bool is_told = !subject.empty() && subject != "variable C";
    EXPECT_EQ(changed.size(), is_told ? 1U : 0U) << name;
    if (!changed.empty()) {
      EXPECT_EQ(changed[0], subject + (subject == "transform.datum_batching" ? " is new" : " changed"));
    }
  }
  auto other = before;
  other.spec.description = "text";
  other.spec.parallelism = 7;
  other.spec.datum_tries = 5;
  other.artifact.folder = "/elsewhere";
  EXPECT_EQ(job_of(other).key(), job_of(before).key());
}

TEST(JobKey, KeepsNamesAndValuesApart) {
  auto one = some_parts();
  auto other = some_parts();
  one.spec.transform.env = {{"A", "1"}, {"B", ""}};
  other.spec.transform.env = {{"A", ""}, {"B", "1"}};
  EXPECT_NE(job_of(one).key(), job_of(other).key());
}

TEST(BuildFacts, AreTheSourceTheVariablesAndWhatWasFound) {
  auto parts = some_parts();
  parts.artifact.source_files = {{"main.py", std::string(64, 'a')}, {"x/y.py", std::string(64, 'b')}};
  parts.artifact.builder_files = {{"builder.toml", std::string(64, 'd')}};
  parts.spec.transform.build.env = {{"PIP", "1"}};
  auto facts = build_facts(parts.spec, parts.artifact);
  EXPECT_EQ(facts.hidden,
            (std::map<std::string, std::string>{{"build variable PIP", short_digest("1")},
                                                {"main.py", std::string(16, 'a')},
                                                {"the builder's builder.toml", std::string(16, 'd')},
                                                {"x/y.py", std::string(16, 'b')}}));
  EXPECT_EQ(facts.shown, (std::map<std::string, std::string>{}));
  contract::BuildRecord record{.builder = "python",
                               .version = "0.1.0",
                               .key = std::string(64, 'c'),
                               .platform = {"linux", "amd64", "glibc 2.36", "cpython-3.11"},
                               .command = {"python3", "/pfs/source/main.py"},
                               .packages = {"numpy==2.1.3"}};
  record.program.name = "main.py";
  parts.artifact.record = contract::to_json(record);
  facts = build_facts(parts.spec, parts.artifact);
  EXPECT_EQ(facts.shown, (std::map<std::string, std::string>{{"builder-runtime", "0.1.0"},
                                                             {"interpreter", "cpython-3.11"},
                                                             {"package numpy", "2.1.3"},
                                                             {"program", "main.py"}}));
  EXPECT_EQ(facts.hidden.size(), 4U);
}

}  // namespace
}  // namespace local
