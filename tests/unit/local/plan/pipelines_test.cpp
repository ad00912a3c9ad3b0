// SPDX-License-Identifier: Apache-2.0
// What is recorded of whole specs is in tests/golden/answers/plans.files; here are the rules one by one.
#include "pachbuild/local/plan/pipelines.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"

namespace local {
namespace {

using PlanInput = spec::Input;

PlanInput reads(const std::string& repo, const std::string& branch = "master",
                const std::string& project = "") {
  PlanInput input;
  input.repo.name = input.repo.repo = repo;
  input.repo.branch = branch;
  input.repo.project = project;
  input.repo.pointer = "/input/pfs";
  return input;
}

spec::PipelineSpec pipeline(const std::string& name, std::vector<PlanInput> inputs,
                            const std::string& project = "") {
  spec::PipelineSpec spec;
  spec.name = name;
  spec.project = project;
  spec.places = spec::Places(name + ".json");
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].repo.pointer += std::to_string(i);
  spec.input.kind = PlanInput::Kind::cross;
  spec.input.parts = std::move(inputs);
  return spec;
}

// The plan in lines, or the error.
std::string planned(const std::vector<spec::PipelineSpec>& specs, const GivenRepos& given,
                    const std::string& only = "") {
  const auto plan = make_plan(specs, given, only);
  if (!plan) return base::format_error(plan.error());
  std::string text;
  for (const auto& one : plan->pipelines) {
    text += one.spec.name + " reads";
    for (const auto& repo : one.reads) text += " " + repo;
    for (const auto place : one.after) text += " <" + std::to_string(place);
    for (const auto& name : one.read_as) text += " >" + name;
    text += "\n";
  }
  for (const auto& [repo, folder] : plan->folders) text += repo + "=" + folder + "\n";
  for (const auto& [repo, address] : plan->remote) text += repo + "=pfs:" + address + "\n";
  for (const auto& repo : plan->crons) text += repo + " ticks\n";
  return text + (plan->has_several_specs ? "several" : "one");
}

TEST(Plans, PutWhatIsReadFirst) {
  const auto last = pipeline("last", {reads("b"), reads("a"), reads("data")});
  const auto b = pipeline("b", {reads("a")});
  const auto a = pipeline("a", {reads("data"), reads("data", "main")});
  const std::string chain =
      "a reads data data@main >a\n"
      "b reads a <0 >b\n"
      "last reads a b data <0 <1\n"
      "data=/d\ndata@main=/m\n";
  EXPECT_EQ(planned({last, b, a}, {{"data", "/d"}, {"data@main", "/m"}}), chain + "several");
  EXPECT_EQ(planned({last, b, a}, {{"data", "/d"}, {"data@main", "/m"}}, "last"), chain + "several");
  EXPECT_EQ(planned({last, b, a}, {{"data", "/d"}}, "a"),
            "a reads data data@main\ndata=/d\ndata@main=/d\nseveral");
  EXPECT_EQ(planned({a}, {{"data", "/d"}}), "a reads data data@main\ndata=/d\ndata@main=/d\none");
  EXPECT_EQ(planned({last, b, a}, {{"", "/rest"}}, "b"),
            "a reads data data@main >a\nb reads a <0\ndata=/rest\ndata@main=/rest\nseveral")
      << "the folder of everything that nobody writes";
}

TEST(Plans, TakeWhatIsGivenMoreExactlyFirst) {
  const auto spec = pipeline("p", {reads("data", "main", "team")});
  GivenRepos given = {{"", "/4"}, {"data", "/3"}, {"data@main", "/2"}, {"team/data@main", "/1"}};
  for (const std::string name : {"team/data@main", "data@main", "data", ""}) {
    EXPECT_EQ(planned({spec}, {{name, given[name]}}),
              "p reads team/data@main\nteam/data@main=" + given[name] + "\none");
  }
  // What counts less is read by nobody then.
  EXPECT_TRUE(planned({spec}, {{"data", "/3"}, {"data@main", "/2"}})
                  .starts_with("error: --input data=/3: no input of p.json reads repo data\n"));
}

TEST(Plans, AddressesOfAClusterAreCompleted) {
  const auto address = [](const PlanInput& input, const std::string& given, const std::string& project = "") {
    const auto text = planned({pipeline("p", {input}, project)}, {{"data", given}});
    return text.substr(text.find('=') + 1, text.rfind('\n') - text.find('=') - 1);
  };
  EXPECT_EQ(address(reads("data"), "pfs:"), "pfs:data@master");
  EXPECT_EQ(address(reads("data", "main"), "pfs:"), "pfs:data@main");
  EXPECT_EQ(address(reads("data"), "pfs:", "own"), "pfs:own/data@master");
  EXPECT_EQ(address(reads("data", "master", "team"), "pfs:", "own"), "pfs:team/data@master");
  EXPECT_EQ(address(reads("data"), "pfs:images@x"), "pfs:images@x");
  EXPECT_EQ(address(reads("data"), "/a/pfs:"), "/a/pfs:") << "a folder";
}

TEST(Plans, AMistypedRepoIsMostLikelyWhatAnotherPipelineWritesOrAFolderOfData) {
  EXPECT_EQ(
      planned({pipeline("clean", {reads("data")}), pipeline("count", {reads("claen")})}, {{"data", "/d"}}),
      "error: count.json:1:1: no folder was given for repo claen\n"
      "hint: did you mean \"clean\"? Otherwise add --input claen=PATH, or put the data into data/claen\n");
  EXPECT_EQ(planned({pipeline("claim", {reads("clain")})}, {}),
            "error: claim.json:1:1: no folder was given for repo clain\n"
            "hint: add --input clain=PATH, or put the data into data/clain\n")
      << "it does not read its own result";
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "plans.").value();
  ASSERT_TRUE(base::make_folders(folder.path() / "data" / "tables"));
  ASSERT_TRUE(base::write_file(folder.path() / "data" / "tabelss", "no folder"));
  auto spec = pipeline("p", {reads("tabels")});
  const auto root = folder.path().string();
  spec.places = spec::Places(root + "/p.json");
  EXPECT_EQ(planned({spec}, {}), "error: " + root + "/p.json:1:1: no folder was given for repo tabels\n" +
                                     "hint: did you mean \"tables\"? Otherwise add --input " +
                                     "tabels=PATH, or put the data into " + root + "/data/tabels\n");
}

TEST(Plans, AClockTicksUnlessFilesAreGiven) {
  auto tick = reads("tick");
  tick.repo.cron.emplace();
  EXPECT_EQ(planned({pipeline("p", {tick})}, {}), "p reads tick\ntick ticks\none");
  EXPECT_EQ(planned({pipeline("p", {tick})}, {{"tick", "/t"}}), "p reads tick\ntick=/t\none");
  EXPECT_EQ(planned({pipeline("p", {tick}), pipeline("tick", {tick})}, {}),
            "p reads tick\ntick reads tick\ntick ticks\nseveral")
      << "no pipeline writes its repo";
}

TEST(Plans, AWriterIsOfTheSameNameBranchAndProject) {
  const auto found = [](const PlanInput& input, const std::function<void(spec::PipelineSpec&)>& change,
                        const std::string& project_of_reader = "") {
    const auto reader = pipeline("reader", {input}, project_of_reader);
    auto writer = pipeline("a", {});
    change(writer);
    return find_writer({reader, writer}, reader, reader.input.parts[0].repo) == 1;
  };
  const auto as_it_is = [](auto&) {};
  const auto of_project = [](const std::string& name) { return [=](auto& spec) { spec.project = name; }; };
  const auto to_branch = [](const std::string& name) {
    return [=](auto& spec) { spec.output_branch = name; };
  };
  EXPECT_TRUE(found(reads("a"), as_it_is));
  EXPECT_FALSE(found(reads("b"), as_it_is));
  EXPECT_FALSE(found(reads("a", "main"), as_it_is));
  EXPECT_TRUE(found(reads("a", "main"), to_branch("main")));
  EXPECT_FALSE(found(reads("a"), to_branch("main")));
  EXPECT_TRUE(found(reads("a", "master", "default"), as_it_is));
  EXPECT_TRUE(found(reads("a"), of_project("default")));
  EXPECT_FALSE(found(reads("a", "master", "team"), as_it_is));
  EXPECT_TRUE(found(reads("a", "master", "team"), of_project("team")));
  EXPECT_FALSE(found(reads("a"), of_project("team"))) << "the reader is in the default project";
  EXPECT_TRUE(found(reads("a"), of_project("team"), "team"));
  EXPECT_FALSE(found(reads("a"), as_it_is, "team"));
  EXPECT_TRUE(found(reads("a", "master", "default"), as_it_is, "team"));
  auto cron = reads("a");
  cron.repo.cron.emplace();
  EXPECT_FALSE(found(cron, as_it_is));
}

TEST(Plans, WhatIsMissingIsAskedForOnceAtItsFirstPlace) {
  EXPECT_EQ(planned({pipeline("p", {reads("a")})}, {}),
            "error: p.json:1:1: no folder was given for repo a\nhint: add --input a=PATH, or put the data "
            "into data/a\n");
  auto first = pipeline("first", {reads("a"), reads("b"), reads("a")});
  first.places.add("/input/pfs0/repo", {2, 3});
  first.places.add("/input/pfs1/repo", {4, 5});
  EXPECT_EQ(
      planned({first, pipeline("second", {reads("c"), reads("b")})}, {}),
      "error: first.json:2:3: no folders were given for the repos a, b, c\nhint: add --input a=PATH --input "
      "b=PATH --input c=PATH, or put the data into data/a, data/b, data/c\n");
}

TEST(Plans, AFolderBesideTheSpecStandsForARepo) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "plans.").value();
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  ASSERT_TRUE(base::make_folders(path("data/a")));
  ASSERT_TRUE(base::make_folders(path("data/b")));
  ASSERT_TRUE(base::write_file(path("data/c"), "no folder"));
  auto first = pipeline("first", {reads("a", "main"), reads("c")});
  auto second = pipeline("b", {reads("first")});
  auto third = pipeline("third", {reads("b"), reads("b", "other")});
  for (auto* spec : {&first, &second, &third}) spec->places = spec::Places(path("p.json"));
  const auto plan = make_plan({first, second, third}, {{"c", "/c"}});
  ASSERT_TRUE(plan);
  // What is written by a pipeline, or given, needs none.
  EXPECT_EQ(plan->folders,
            (GivenRepos{{"a@main", path("data/a")}, {"b@other", path("data/b")}, {"c", "/c"}}));
  EXPECT_EQ(plan->assumed, (GivenRepos{{"a@main", path("data/a")}, {"b@other", path("data/b")}}));
  const auto missing = make_plan({first}, {}).error();
  EXPECT_EQ(missing.hint, "add --input c=PATH, or put the data into " + path("data/c"));
  const auto remote = make_plan({first}, {{"", "pfs:"}});
  ASSERT_TRUE(remote);
  EXPECT_TRUE(remote->assumed.empty()) << "the cluster has all others";
}

TEST(Plans, WhatIsGivenForNothingIsRefused) {
  const auto a = pipeline("a", {reads("data")});
  const auto b = pipeline("b", {reads("a")});
  EXPECT_EQ(planned({a}, {{"daat", "/d"}}),
            "error: --input daat=/d: no input of a.json reads repo daat\nhint: did you mean \"data\"?\n");
  EXPECT_TRUE(planned({a, b}, {{"data", "/d"}, {"other", "/o"}})
                  .starts_with("error: --input other=/o: no pipeline reads repo other\n"));
  EXPECT_EQ(planned({a, b}, {{"data", "/d"}, {"b", "/b"}}),
            "error: --input b=/b: pipeline b writes this repo itself\nhint: omit this --input, or name a "
            "pipeline that reads it in --pipeline\n");
  EXPECT_EQ(planned({a, b}, {{"a", "/a"}}, "b"), "b reads a\na=/a\nseveral");
}

TEST(Plans, NamesAreUniqueInAProject) {
  const auto a = pipeline("a", {reads("data")});
  EXPECT_EQ(planned({a, pipeline("a", {reads("data")})}, {{"data", "/d"}}),
            "error: a.json:1:1: pipeline name \"a\" is already used: a.json:1:1\nhint: rename one of "
            "them, or omit one of the files\n");
  EXPECT_EQ(planned({a, pipeline("a", {reads("data")}, "default")}, {{"data", "/d"}}).substr(0, 6), "error:");
  EXPECT_EQ(planned({a, pipeline("a", {reads("data")}, "team")}, {{"data", "/d"}}),
            "a reads data\na reads data\ndata=/d\nseveral");
}

TEST(Plans, CirclesAreShownFromWhereTheyBegin) {
  const auto a = pipeline("a", {reads("b")});
  const auto b = pipeline("b", {reads("c")});
  const auto c = pipeline("c", {reads("b")});
  EXPECT_EQ(planned({a, b, c}, {}),
            "error: b.json:1:1: the pipelines form a cycle: b reads c, which reads b\nhint: remove one of "
            "the inputs\n");
  EXPECT_EQ(planned({pipeline("a", {reads("a")})}, {}),
            "error: a.json:1:1: the pipelines form a cycle: a reads a\nhint: remove one of the inputs\n");
}

TEST(Plans, APipelineIsFoundByItsName) {
  const std::vector<spec::PipelineSpec> specs = {pipeline("a", {}), pipeline("b", {}), pipeline("c", {})};
  EXPECT_EQ(find_pipeline(specs, "a").value(), 0U);
  EXPECT_EQ(find_pipeline(specs, "c").value(), 2U);
  EXPECT_EQ(base::format_error(find_pipeline(specs, "d").error()),
            "error: --pipeline d: no such pipeline\nhint: pipelines: a, b, c\n");
  EXPECT_EQ(planned(specs, {}, "d").substr(0, 20), "error: --pipeline d:");
}

}  // namespace
}  // namespace local
