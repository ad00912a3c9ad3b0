// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/ownership.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "pachbuild/cluster/pipelines.h"

namespace cluster {
namespace {

const RepoInput k_data{"data", "default", "data", "master"};

// A pipeline as this program makes it.
Present made(const std::string& name = "map") {
  const RepoInput source{"source", "default", source_repo_of(name), "master"};
  const RepoInput artifact{"build", "default", build_pipeline_of(name), "build"};
  PresentPipeline build;
  build.project = "default";
  build.description = build_mark(name);
  build.output_branch = "build";
  build.command = {"sh", "./build.sh"};
  build.inputs = build.direct_inputs = {source};
  PresentPipeline running;
  running.project = "default";
  running.inputs = running.direct_inputs = {artifact, source, k_data};
  Present present;
  present.pipelines = {{name, running}, {build_pipeline_of(name), build}};
  present.repos = {
      {name, ""}, {build_pipeline_of(name), ""}, {source_repo_of(name), source_mark(name)}, {"data", ""}};
  return present;
}

bool is_owned(const Present& present, bool has_own_head = false) {
  return check_ownership(present, "map", has_own_head, "here").has_value();
}

TEST(Ownership, IsProvedByTheMarksAndTheShape) {
  const Present present = made();
  EXPECT_TRUE(is_owned(present));
  EXPECT_TRUE(is_build(present, "map"));
  EXPECT_TRUE(runs_build(present, "map"));
  EXPECT_TRUE(check_convertible(present, "map", "here"));
}

TEST(Ownership, IsLostByABuildPipelineThatDiffersInAnything) {
  const std::vector<std::function<void(PresentPipeline&)>> changes = {
      [](auto& build) { build.description = "Builds the source of pipeline other."; },
      [](auto& build) { build.description.clear(); },
      [](auto& build) { build.output_branch = "master"; },
      [](auto& build) { build.command = {"sh", "./build.sh", "x"}; },
      [](auto& build) { build.command.clear(); },
      [](auto& build) { build.inputs = build.direct_inputs = {}; },
      [](auto& build) { build.direct_inputs = {}; },  // in a union, a join or a group
      [](auto& build) { build.inputs.push_back(k_data); },
      [](auto& build) { build.inputs[0].name = build.direct_inputs[0].name = "other"; },
      [](auto& build) { build.inputs[0].repo = build.direct_inputs[0].repo = "other"; },
      [](auto& build) { build.inputs[0].branch = build.direct_inputs[0].branch = "other"; },
      [](auto& build) { build.inputs[0].project = build.direct_inputs[0].project = "other"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Present present = made();
    changes[i](present.pipelines["map_build"]);
    EXPECT_FALSE(is_build(present, "map")) << i;
    EXPECT_FALSE(is_owned(present, true)) << i;
  }
}

TEST(Ownership, OfARepoIsNotProvedByItsName) {
  Present present = made();
  for (const std::string description :
       {"", "The source of pipeline other.", "Source of pipeline other, managed by pachbuild."}) {
    present.repos["map_source"] = description;
    EXPECT_FALSE(is_owned(present, true)) << description;
  }
}

TEST(Ownership, OfWhatEarlierVersionsMadeNeedsTheBuildOrACommitAsProof) {
  Present present = made();
  present.repos["map_source"] = "The source of pipeline map.";
  EXPECT_TRUE(is_owned(present));
  present.pipelines.clear();
  present.repos = {{"map_source", "The source of pipeline map."}};
  EXPECT_FALSE(is_owned(present));
  EXPECT_TRUE(is_owned(present, true));
}

TEST(Ownership, OfNamesThatAreTakenByAnotherKindIsRefused) {
  Present repo = made();
  repo.pipelines.erase("map_build");
  EXPECT_FALSE(is_owned(repo));  // "map_build" is a repo that nothing writes
  Present output = made();
  output.pipelines["map_source"] = {};
  EXPECT_FALSE(is_owned(output));
}

TEST(Ownership, APipelineIsConvertedUnlessItIsABuildOrOnlyARepo) {
  Present present = made();
  present.pipelines["map"].direct_inputs = {k_data};
  EXPECT_FALSE(runs_build(present, "map"));
  EXPECT_TRUE(check_convertible(present, "map", "here"));
  EXPECT_FALSE(check_convertible(present, "map_build", "here"));
  EXPECT_FALSE(check_convertible(present, "data", "here"));
  EXPECT_TRUE(check_convertible(present, "new", "here"));
  EXPECT_TRUE(check_convertible(present, "new_build", "here"));
}

TEST(Ownership, ABuildWithAShortenedNameIsKnown) {
  const std::string name(50, 'n');
  Present present = made(name);
  EXPECT_TRUE(is_build(present, name));
  EXPECT_TRUE(runs_build(present, name));
  EXPECT_TRUE(check_ownership(present, name, false, "here"));
  EXPECT_TRUE(check_convertible(present, name, "here"));
  EXPECT_FALSE(check_convertible(present, build_pipeline_of(name), "here"));
  present.pipelines.erase(name);
  present.repos.erase(name);
  EXPECT_FALSE(check_convertible(present, build_pipeline_of(name), "here")) << "its source is still there";
  EXPECT_TRUE(check_convertible(present, build_pipeline_of(std::string(51, 'n')), "here"));
}

TEST(Ownership, ARunningPipelineReadsBothOfItsOwnProject) {
  for (const auto& [name, other] :
       std::map<std::string, RepoInput>{{"source", {"source", "other", "map_source", "master"}},
                                        {"build", {"build", "default", "map_build", "master"}}}) {
    Present present = made();
    for (auto& input : present.pipelines["map"].direct_inputs) {
      if (input.name == name) input = other;
    }
    EXPECT_FALSE(runs_build(present, "map")) << name;
  }
}

TEST(Ownership, ErrorsSayWhoseTheNameIs) {
  const auto told = [](const base::Status& status) {
    if (status) return std::string();
    EXPECT_EQ(status.error().kind, base::ErrorKind::bad_input);
    return status.error().where + ": " + status.error().what + "; " + status.error().hint;
  };
  const auto owned = [&](const Present& present) {
    return told(check_ownership(present, "map", true, "here"));
  };
  Present present = made();
  present.pipelines["map_source"] = {};
  EXPECT_EQ(owned(present),
            "here: the source needs repo \"map_source\", which is the output of a pipeline; rename the "
            "pipeline in the spec");
  present = made();
  present.pipelines.erase("map_build");
  EXPECT_EQ(owned(present),
            "here: the build pipeline would be called \"map_build\", but a repo already has that name; "
            "rename the pipeline in the spec");
  present.repos.erase("map_build");
  EXPECT_EQ(owned(present), "");
  present = made();
  present.pipelines["map_build"].command.clear();
  EXPECT_EQ(
      owned(present),
      "here: pipeline \"map_build\" exists and is not the build of \"map\"; rename the pipeline in the spec");
  present = made();
  present.repos["map_source"] = "mine";
  EXPECT_EQ(
      owned(present),
      "here: repo \"map_source\" exists and was not made by pachbuild; rename the pipeline in the spec; or "
      "let "
      "pachbuild "
      "overwrite the repo: pachctl update repo map_source --description \"Source of pipeline map, managed by "
      "pachbuild.\"");
  present.repos.erase("map_source");
  EXPECT_EQ(owned(present), "");
  present = made();
  EXPECT_EQ(
      told(check_convertible(present, "data", "here")),
      "here: repo \"data\" exists and is not the output of a pipeline; rename the pipeline in the spec");
  EXPECT_EQ(told(check_convertible(present, "map_build", "here")),
            "here: pipeline name \"map_build\" is reserved for the build of pipeline \"map\"; rename the "
            "pipeline in the spec");
  EXPECT_EQ(told(check_convertible(present, "map", "here")), "");
}

TEST(Ownership, OfABuildIsThatOfItsOwnPipelineOnly) {
  EXPECT_FALSE(is_build(made(), "other"));
  EXPECT_FALSE(runs_build(made(), "other"));
  EXPECT_FALSE(runs_build(made(), "map_build"));
  EXPECT_EQ(source_mark("p"), "Source of pipeline p, managed by pachbuild.");
  EXPECT_EQ(build_mark("p"), "Builds the source of pipeline p.");
}

TEST(Ownership, OfABuildThatHasASourceOfItsOwn) {
  Present present = made();
  EXPECT_FALSE(reads_build_source(present, "map"));
  auto& build = present.pipelines["map_build"];
  const RepoInput own{"source", "default", "map_build_source", "master"};
  build.inputs = build.direct_inputs = {own};
  EXPECT_TRUE(is_build(present, "map"));
  EXPECT_TRUE(is_owned(present));
  EXPECT_TRUE(reads_build_source(present, "map"));
  EXPECT_FALSE(reads_build_source(present, "other"));
  build.inputs.push_back({"source", "default", "map_source", "master"});
  build.direct_inputs = build.inputs;
  EXPECT_FALSE(is_build(present, "map")) << "it reads both";
  build.inputs = build.direct_inputs = {{"source", "other", "map_build_source", "master"}};
  EXPECT_FALSE(is_build(present, "map"));
  EXPECT_FALSE(reads_build_source(present, "map"));
}

TEST(Ownership, OfTheSourceOfABuildIsProvedByItsMark) {
  EXPECT_EQ(build_source_mark("p"), "Source of the build of pipeline p, managed by pachbuild.");
  Present present = made();
  EXPECT_FALSE(has_build_source(present, "map"));
  EXPECT_TRUE(check_build_source(present, "map", "here"));
  present.repos["map_build_source"] = build_source_mark("map");
  EXPECT_TRUE(has_build_source(present, "map"));
  EXPECT_TRUE(check_build_source(present, "map", "here"));
  present.repos["map_build_source"] = source_mark("map");
  EXPECT_FALSE(has_build_source(present, "map"));
  const auto error = check_build_source(present, "map", "here").error();
  EXPECT_EQ(error.kind, base::ErrorKind::bad_input);
  EXPECT_EQ(error.where + ": " + error.what + "; " + error.hint,
            "here: repo \"map_build_source\" exists and was not made by pachbuild; rename the pipeline in "
            "the spec");
  EXPECT_TRUE(is_owned(present)) << "a build that does not read it leaves it alone";
}

}  // namespace
}  // namespace cluster
