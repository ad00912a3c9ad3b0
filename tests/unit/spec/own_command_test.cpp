// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/own_command.h"

#include <gtest/gtest.h>

namespace spec {
namespace {

Transform transform_with(Words command, const std::string& language = "python",
                         const std::string& image = "") {
  Transform transform;
  transform.build.language = language;
  transform.image = image;
  transform.cmd = std::move(command);
  return transform;
}

TEST(OwnCommand, WhatStartsTheArtifactIsNotOne) {
  for (const Words& command :
       {Words{"bash"}, {"python3", "/pfs/source/x.py"}, {"./go.sh"}, {"sh", "run.sh"}, {""}})
    EXPECT_TRUE(is_own_command(command)) << command.front();
  for (const Words& command : {Words{},
                               {"sh", "/pfs/build/run.sh", "a"},
                               {"/pfs/build/run.sh"},
                               {"worker-shim", "--exec", "--", "a"},
                               {"/usr/local/bin/worker-shim"}})
    EXPECT_FALSE(is_own_command(command));
}

TEST(OwnCommand, OfALanguageRunsInAnOfficialImage) {
  EXPECT_TRUE(is_official(transform_with({})));
  EXPECT_FALSE(is_official(transform_with({}, "python", "x:1")));
  EXPECT_FALSE(is_official(transform_with({}, "")));
}

TEST(OwnCommand, ComesBackWordByWord) {
  const std::vector<Words> commands = {
      {"bash"}, {"a", "", "b c", "--", "'\"$"}, {"sh", "-c", "x", "sh"}, {"worker-shim", "x"}};
  for (const auto& command : commands) {
    for (const auto& place : {CommandPlace{}, CommandPlace{"/usr/local/bin/worker-shim"}}) {
      const Words placed = in_environment(command, place);
      EXPECT_EQ(without_environment(placed), command);
      EXPECT_EQ(Words(placed.end() - static_cast<std::ptrdiff_t>(command.size()), placed.end()), command);
    }
  }
  EXPECT_EQ(without_environment({}), Words());
  EXPECT_EQ(without_environment({"/usr/local/bin/worker-shim", "--exec", "--"}).size(), 3U)
      << "it starts nothing";
}

TEST(OwnCommand, StartsInTheSourceWhereTheImageHasNothingOfThePersons) {
  EXPECT_EQ(folder_of_command(transform_with({"bash"})), "/pfs/source");
  EXPECT_EQ(folder_of_command(transform_with({})), "");
  EXPECT_EQ(folder_of_command(transform_with({"sh", "/pfs/build/run.sh"})), "");
  EXPECT_EQ(folder_of_command(transform_with({"bash"}, "python", "x:1")), "");
  EXPECT_EQ(folder_of_command(transform_with({"bash"}, "")), "");
  Transform named = transform_with({"bash"});
  named.working_dir = "code";  // a worker starts below the root
  EXPECT_EQ(folder_of_command(named), "/code");
  named.working_dir = "/code";
  EXPECT_EQ(folder_of_command(named), "/code");
}

TEST(OwnCommand, StartsInTheEnvironment) {
  const auto place = image_place(transform_with({"bash"}));
  EXPECT_EQ(place.shim, "/usr/local/bin/worker-shim");
  EXPECT_EQ(image_place(transform_with({"bash"}, "python", "mine")).shim, "");
  EXPECT_EQ(image_place(transform_with({"bash"}, "")).shim, "");
  EXPECT_EQ(in_environment({"bash", "-e"}, place),
            (Words{"/usr/local/bin/worker-shim", "--exec", "--", "bash", "-e"}));
  EXPECT_EQ(in_environment({"sh", "/pfs/build/run.sh"}, place), (Words{"sh", "/pfs/build/run.sh"}));
  const auto by_shell = in_environment({"bash"}, {});
  ASSERT_EQ(by_shell.size(), 5U);
  EXPECT_EQ(by_shell[0] + by_shell[1] + by_shell[3] + by_shell[4], "sh-cshbash");
  EXPECT_EQ(without_environment({"/usr/local/bin/worker-shim", "--exec", "x", "a"}).size(), 4U);
}

}  // namespace
}  // namespace spec
