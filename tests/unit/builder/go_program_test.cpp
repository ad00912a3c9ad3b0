// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "builder-runtime/languages/go/program.h"

namespace builder::go {
namespace {

// Modules by folder, workspaces, and packages main in folders.
Tree tree_of(const std::map<std::string, std::string>& modules, const std::vector<std::string>& folders,
             const std::map<std::string, std::set<std::string>>& workspaces = {}) {
  Tree tree{.modules = modules, .workspaces = workspaces};
  for (const auto& folder : folders) {
    std::string module;
    for (const auto& [above, path] : modules) {
      if (is_below(folder, above) && (module.empty() || above.size() > module.size() || module == "."))
        module = above;
    }
    const bool is_hidden = folder.find("testdata") != std::string::npos;
    tree.packages.push_back({.folder = folder, .module = module, .name = "main", .is_hidden = is_hidden});
  }
  return tree;
}

std::string chosen(const Tree& tree, const std::string& pipeline = "", const std::string& package = "",
                   const process::Environment& environment = {}) {
  const GoSettings settings{.places = {.file = "pachbuild.toml", .prefix = "", .lines = {}},
                            .package = package};
  auto environment_of_go = environment;
  environment_of_go["GOENV"] = "off";
  const auto program =
      choose_program("/nowhere", tree, settings, GoVariables(settings, environment_of_go), pipeline);
  if (!program) return program.error().where + ": " + program.error().what;
  return program->home + " " + program->argument() + " (" + program->why + ")";
}

const std::map<std::string, std::string> k_root = {{".", "x.y/app"}};

TEST(ChooseProgram, OfTheRootModuleComesFirst) {
  EXPECT_EQ(chosen(tree_of(k_root, {"cmd/a"})), ". ./cmd/a (the only package main)");
  EXPECT_EQ(chosen(tree_of(k_root, {".", "cmd/a"})), ". . (at the root; chosen from 2 programs)");
  const auto nested = std::map<std::string, std::string>{{".", "x.y/app"}, {"tools", "x.y/app/tools"}};
  EXPECT_EQ(chosen(tree_of(nested, {"cmd/a", "tools"})),
            ". ./cmd/a (the only one in the root module; chosen from 2 programs)");
  EXPECT_EQ(chosen(tree_of(nested, {"tools"})), "tools . (the only package main)");
}

std::string all_of(const Tree& tree, const std::string& package = "") {
  const GoSettings settings{.places = {.file = "pachbuild.toml", .prefix = "", .lines = {}},
                            .package = package};
  const auto program =
      choose_all_programs("/nowhere", tree, settings, GoVariables(settings, {{"GOENV", "off"}}));
  if (!program) return program.error().where + ": " + program.error().what;
  std::string text = program->home;
  for (const auto& argument : program->arguments()) text += " " + argument;
  if (program->no_choice) text += " (" + program->no_choice->what + ")";
  return text + (program->has_names ? "" : " as main");
}

TEST(ChooseAllPrograms, BuildsThoseOfTheModuleWhicheverIsTheDefault) {
  EXPECT_EQ(all_of(tree_of(k_root, {"cmd/a"})), ". ./cmd/a");
  EXPECT_EQ(all_of(tree_of(k_root, {".", "cmd/a", "cmd/b"})), ". . ./cmd/a ./cmd/b");
  EXPECT_EQ(all_of(tree_of(k_root, {"cmd/a", "cmd/b", "examples/c"})),
            ". ./cmd/a ./cmd/b (contains several programs: cmd/a, cmd/b)");
  EXPECT_EQ(all_of(tree_of(k_root, {"cmd/a", "cmd/app", "cmd/b"})), ". ./cmd/app ./cmd/a ./cmd/b");
  EXPECT_EQ(all_of(tree_of(k_root, {"cmd/a", "cmd/b"}), "./cmd/b"), ". ./cmd/b");
  EXPECT_EQ(all_of(tree_of(k_root, {"cmd/a"}), "./cmd/c"),
            "pachbuild.toml: go.package: no Go package in ./cmd/c");
  EXPECT_EQ(all_of(tree_of(k_root, {})), "/nowhere: has no Go files");
}

TEST(ChooseAllPrograms, LeavesOutOtherModulesAndASecondOneOfAName) {
  EXPECT_EQ(all_of(tree_of(k_root, {"a/serve", "b/serve"})),
            ". ./a/serve (contains several programs: a/serve, b/serve)");
  const std::map<std::string, std::string> two = {{"a", "x.y/a"}, {"b", "x.y/b"}};
  EXPECT_EQ(all_of(tree_of(two, {"a", "b"})), "a . (contains several programs: a, b)");
  EXPECT_EQ(all_of(tree_of(two, {"a", "b"}, {{".", {"a", "b"}}})), ". ./a ./b");
  // Without a module they have no names.
  EXPECT_EQ(all_of(tree_of({}, {"."})), ". . as main");
  EXPECT_EQ(all_of(tree_of({}, {"a", "b"})), "/nowhere: contains several programs: a, b");
}

TEST(ProgramName, IsTheOneThatGoGives) {
  const Tree tree =
      tree_of({{".", "x.y/app/v2"}, {"tools", "x.y/tools"}}, {".", "cmd/a", "cmd/v2", "tools", "tools/b"});
  EXPECT_EQ(program_name(tree, "."), "app");
  EXPECT_EQ(program_name(tree, "cmd/a"), "a");
  EXPECT_EQ(program_name(tree, "cmd/v2"), "cmd");
  EXPECT_EQ(program_name(tree, "tools"), "tools");
  EXPECT_EQ(program_name(tree, "tools/b"), "b");
  EXPECT_EQ(program_name(tree_of({}, {"a"}), "a"), "a") << "without a module";
}

TEST(ChooseProgram, OfAModuleBelowIsBuiltThere) {
  const std::map<std::string, std::string> server = {{"server", "x.y/server"}};
  EXPECT_EQ(chosen(tree_of(server, {"server/cmd/a"})), "server ./cmd/a (the only package main)");
  EXPECT_EQ(chosen(tree_of(server, {"server", "server/cmd/a"})),
            "server . (at the root of ./server; chosen from 2 programs)");
  EXPECT_EQ(chosen(tree_of(server, {"server/cmd/server", "server/cmd/a"})),
            "server ./cmd/server (named after the module; chosen from 2 programs)");
  const std::map<std::string, std::string> two = {{"a", "x.y/a"}, {"b", "x.y/b"}};
  EXPECT_EQ(chosen(tree_of(two, {"a", "b"})), "/nowhere: contains several programs: a, b");
  EXPECT_EQ(chosen(tree_of(two, {"a", "b"}), "b_build"),
            "b . (named after the pipeline; chosen from 2 programs)");
  EXPECT_EQ(chosen(tree_of(two, {"a", "b/cmd/c"}), "", "x.y/b/cmd/c"),
            "b ./cmd/c (pachbuild.toml: go.package)");
  EXPECT_EQ(chosen(tree_of(two, {"a", "b/cmd/c"}), "", "./b/cmd/c/"),
            "b ./cmd/c (pachbuild.toml: go.package)");
}

TEST(ChooseProgram, ExamplesAndTestDataComeLastOrNever) {
  EXPECT_EQ(chosen(tree_of(k_root, {"cmd/a", "examples/b", "testdata/c"})),
            ". ./cmd/a (the only one in the root module; chosen from 2 programs)");
  const std::map<std::string, std::string> modules = {
      {".", "x.y/app"}, {"examples/b", "x.y/b"}, {"cli", "x.y/cli"}, {"testdata/c", "x.y/c"}};
  EXPECT_EQ(chosen(tree_of(modules, {"examples/b", "testdata/c"})), "examples/b . (the only package main)");
  EXPECT_EQ(chosen(tree_of(modules, {"examples/b", "cli"})),
            "cli . (at the root of ./cli; chosen from 2 programs)");
  EXPECT_EQ(chosen(tree_of(modules, {"testdata/c"}), "", "testdata/c"),
            "testdata/c . (pachbuild.toml: go.package)");
  EXPECT_EQ(chosen(tree_of(modules, {"testdata/c"})), "/nowhere: has no Go files");
}

TEST(ChooseProgram, OfAWorkspaceIsOneOfItsModules) {
  const std::map<std::string, std::string> two = {{"a", "x.y/a"}, {"b", "x.y/b"}};
  const auto listed = tree_of(two, {"a", "b"}, {{".", {"a"}}});
  EXPECT_EQ(chosen(listed), ". ./a (the only package main)");
  EXPECT_EQ(chosen(listed, "", "b"), "/nowhere/go.work: does not list the module in ./b");
  EXPECT_EQ(chosen(listed, "", "b", {{"GOWORK", "off"}}), "b . (pachbuild.toml: go.package)");
  EXPECT_EQ(chosen(tree_of(two, {"b"}, {{".", {"a"}}})), "/nowhere/go.work: does not list the module in ./b");
  EXPECT_EQ(chosen(tree_of({{"back/a", "x.y/a"}}, {"back/a"}, {{"back", {"back/a"}}})),
            "back ./a (the only package main)");
}

TEST(ChooseProgram, WithoutAModuleComesAfterThoseOfModules) {
  EXPECT_EQ(chosen(tree_of({}, {"cmd/a"})), ". ./cmd/a (the only package main)");
  const std::map<std::string, std::string> server = {{"server", "x.y/server"}};
  EXPECT_EQ(chosen(tree_of(server, {"scripts/gen", "server"})),
            "server . (at the root of ./server; chosen from 2 programs)");
  EXPECT_EQ(chosen(tree_of(server, {".", "server"})), ". . (at the root; chosen from 2 programs)");
}

}  // namespace
}  // namespace builder::go
