// SPDX-License-Identifier: Apache-2.0
// The two pipelines that a spec with a build becomes on a cluster.
#include "pachbuild/cluster/pipelines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cluster {
namespace {

using nlohmann::json;

spec::PipelineSpec spec_of(const json& transform, const json& more = json::object()) {
  json fields = {{"pipeline", {{"name", "map"}, {"project", {{"name", "q"}}}}},
                 {"transform", {{"build", {{"language", "python"}}}}},
                 {"input", {{"pfs", {{"repo", "data"}, {"glob", "/"}}}}}};
  fields["transform"].update(transform);
  fields.update(more);
  return spec::read_for_cluster(fields.dump(), "p.json", spec::Target::cluster).value().front().spec.value();
}

const json k_source = {
    {"pfs", {{"name", "source"}, {"repo", "map_source"}, {"branch", "master"}, {"glob", "/"}}}};

TEST(BuildPipeline, HasWhatBuildsAndNothingElse) {
  EXPECT_EQ(build_pipeline(spec_of(json::object(), {{"description", "mine"}, {"datum_tries", 5}}), "r/",
                           BuildSource::shared),
            (json{{"pipeline", {{"name", "map_build"}, {"project", {{"name", "q"}}}}},
                  {"description", "Builds the source of pipeline map."},
                  {"transform",
                   {{"image", "r/pachbuild-python:" PACHBUILD_VERSION}, {"cmd", {"sh", "./build.sh"}}}},
                  {"input", k_source},
                  {"output_branch", "build"},
                  {"parallelism_spec", {{"constant", 1}}},
                  {"datum_tries", 1}}));
}

TEST(BuildPipeline, DiffersInItsInputAloneWhereThatIsItsOwn) {
  auto own = build_pipeline(spec_of(json::object()), "r/", BuildSource::own);
  EXPECT_EQ(own.at("input").at("pfs").at("repo"), "map_build_source");
  own["input"]["pfs"]["repo"] = "map_source";
  EXPECT_EQ(own, build_pipeline(spec_of(json::object()), "r/", BuildSource::shared));
}

TEST(BuildPipeline, HasASourceOfItsOwnForPythonWithoutScripts) {
  const auto of = [](const json& build, bool has_own_script) {
    return build_source_of(spec_of({{"build", build}, {"image", "x"}}), has_own_script);
  };
  EXPECT_EQ(of({{"language", "python"}}, false), BuildSource::own);
  EXPECT_EQ(of({{"language", "python"}}, true), BuildSource::shared);
  EXPECT_EQ(of({{"language", "go"}}, false), BuildSource::shared);
  EXPECT_EQ(of({{"image", "python"}}, false), BuildSource::shared);
}

TEST(BuildPipeline, GetsTheFieldsOfItsBuildWhereTheyBelong) {
  const auto secrets =
      json::parse(R"([{"name": "a", "key": "k", "env_var": "TOKEN"}, {"name": "b", "mount_path": "/m"},
                                       {"name": "c", "key": "k", "env_var": "OTHER"}])");
  const json build = {{"image", "builder"},
                      {"path", "."},
                      {"env", {{"B", "2"}, {"A", "1"}}},
                      {"secrets", secrets},
                      {"image_pull_secrets", {"pull"}},
                      {"user", "1000"},
                      {"memory_volume", true},
                      {"datum_tries", 4},
                      {"autoscaling", true},
                      {"resource_limits", {{"cpu", 2}}}};
  const auto pipeline = build_pipeline(spec_of({{"build", build}}), "r/", BuildSource::shared);
  EXPECT_EQ(pipeline.at("transform"), (json{{"image", "builder"},
                                            {"cmd", {"sh", "./build.sh"}},
                                            {"env",
                                             {{"A", "1"},
                                              {"B", "2"},
                                              {"PACHBUILD_BUILD_VARIABLES", "A,B"},
                                              {"PACHBUILD_BUILD_SECRETS", "TOKEN,OTHER"}}},
                                            {"secrets", secrets},
                                            {"image_pull_secrets", {"pull"}},
                                            {"user", "1000"},
                                            {"memory_volume", true}}));
  EXPECT_EQ(pipeline.at("datum_tries"), 4);
  EXPECT_EQ(pipeline.at("autoscaling"), true);
  EXPECT_EQ(pipeline.at("resource_limits"), (json{{"cpu", 2}}));
  EXPECT_FALSE(pipeline.contains("path") || pipeline.contains("image") || pipeline.contains("env"));
}

TEST(BuildPipeline, IsToldOfACommandOfThePersons) {
  const auto variable = [](const json& transform) {
    const auto pipeline = build_pipeline(spec_of(transform), "", BuildSource::shared);
    return pipeline.at("transform").value("env", json::object()).dump();
  };
  EXPECT_EQ(variable({{"cmd", {"bash"}}}), R"({"PACHBUILD_OWN_COMMAND":"1"})");
  EXPECT_EQ(variable({{"cmd", {"sh", "/pfs/build/run.sh"}}}), "{}");
  EXPECT_EQ(variable(json::object()), "{}");
}

TEST(RunningPipeline, RunsWhatWasBuilt) {
  const auto spec = spec_of({{"user", "me"}}, {{"description", "mine"}, {"datum_timeout", "1m"}});
  const json build = {
      {"pfs", {{"name", "build"}, {"repo", "map_build"}, {"branch", "build"}, {"glob", "/"}}}};
  json lazy = build;
  lazy["pfs"]["lazy"] = true;
  json wanted = {{"pipeline", {{"name", "map"}, {"project", {{"name", "q"}}}}},
                 {"description", "mine"},
                 {"datum_timeout", "60s"},
                 {"transform",
                  {{"image", "r/pachbuild-python:" PACHBUILD_VERSION},
                   {"cmd", {"sh", "/pfs/build/run.sh"}},
                   {"user", "me"}}},
                 {"input", {{"cross", {k_source, build, {{"pfs", {{"repo", "data"}, {"glob", "/"}}}}}}}}};
  EXPECT_EQ(running_pipeline(spec, "r/", BuildFiles::whole), wanted);
  wanted["input"]["cross"][1] = lazy;
  EXPECT_EQ(running_pipeline(spec, "r/", BuildFiles::lazy), wanted);
}

TEST(RunningPipeline, StartsCommandsInTheEnvironment) {
  const auto transform_of = [](const json& transform) {
    return running_pipeline(spec_of(transform), "", BuildFiles::whole).at("transform");
  };
  const auto in_shim = [](const json& command) {
    json words = {"/usr/local/bin/worker-shim", "--exec", "--"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
  };
  const auto official = transform_of({{"cmd", {"bash", "-e"}}, {"err_cmd", {"x"}}});
  EXPECT_EQ(official.at("cmd"), in_shim({"bash", "-e"}));
  EXPECT_EQ(official.at("err_cmd"), in_shim({"x"}));
  EXPECT_EQ(official.at("working_dir"), "/pfs/source");
  EXPECT_FALSE(official.contains("env") || official.contains("build"));
  // Of an image of the person's nobody knows where its shim is, nor where it starts.
  const auto own = transform_of({{"cmd", {"bash"}}, {"image", "mine"}});
  EXPECT_EQ(own.at("image"), "mine");
  EXPECT_EQ(own.at("cmd").front(), "sh");
  EXPECT_EQ(own.at("cmd").back(), "bash");
  EXPECT_FALSE(own.contains("working_dir") || own.contains("err_cmd"));
  const auto placed = transform_of({{"cmd", {"bash"}}, {"working_dir", "/x"}});
  EXPECT_EQ(placed.at("working_dir"), "/x");
  EXPECT_EQ(placed.at("env").dump(), R"({"PACHBUILD_WORKING_DIR":"/x"})");
  const auto set = transform_of({{"working_dir", "/x"}, {"env", {{"PACHBUILD_WORKING_DIR", "/y"}}}});
  EXPECT_EQ(set.at("env").dump(), R"({"PACHBUILD_WORKING_DIR":"/y"})");
}

TEST(OwnCommandsOfAPipeline, AreWithoutTheirEnvironment) {
  const json shim = {"/usr/local/bin/worker-shim", "--exec", "--", "a", "b"};
  EXPECT_EQ(with_own_commands({{"transform", {{"cmd", shim}, {"err_cmd", shim}, {"x", shim}}}}),
            (json{{"transform", {{"cmd", {"a", "b"}}, {"err_cmd", {"a", "b"}}, {"x", shim}}}}));
  for (const json& other : std::vector<json>{json::object(),
                                             {{"transform", 1}},
                                             {{"transform", json::object()}},
                                             {{"transform", "sh"}},
                                             {{"transform", {{"cmd", 1}}}},
                                             {{"transform", {{"cmd", "sh"}}}},
                                             {{"transform", {{"cmd", {{"sh", "x"}}}}}},
                                             {{"transform", {{"cmd", {"a", 1}}}}},
                                             {{"transform", {{"cmd", {"a"}}}}}})
    EXPECT_EQ(with_own_commands(other), other);
}

}  // namespace
}  // namespace cluster
