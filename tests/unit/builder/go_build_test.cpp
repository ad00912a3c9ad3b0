// SPDX-License-Identifier: Apache-2.0
// A whole build, with somebody in the place of Go.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/files.h"
#include "builder-runtime/build.h"
#include "contract/build_record.h"
#include "log.h"

namespace builder {
namespace {

class StandInForGo : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    process::Finished finished{process::Ending::from_wait_status(0), "", ""};
    if (command.arguments.at(1) == "version") finished.output = "go version go1.26.8 linux/amd64\n";
    if (command.arguments[1] == "build") {
      ++builds;
      if (on_build) on_build(builds);
      const auto folder = std::find(command.arguments.begin(), command.arguments.end(), "-o") + 1;
      EXPECT_TRUE(base::write_file(*folder + "named-by-go", "program", 0755));
    }
    return finished;
  }
  int builds = 0;
  std::function<void(int)> on_build;
};

class WholeBuild : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "build.").value();
  const fs::path m_root = fs::canonical(m_folder.path());
  StandInForGo m_go;
  Settings m_settings{
      .source = m_root / "source",
      .out = m_root / "out",
      .shim = m_root / "shim",
      .cache = m_root / "cache",
      .environment = {{"HOME", (m_root / "home").string()}, {"PATH", (m_root / "bin").string()}}};
  std::string m_log;

  void SetUp() override {
    put("bin/go", "#!/bin/sh\n", 0755);
    put("shim", "shim", 0755);
    put("source/go.mod", "module example.com/a\n\ngo 1.21\n");
    put("source/main.go", "package main\n\nfunc main() {}\n");
    ASSERT_TRUE(base::make_folders(m_settings.cache, 0755));
  }
  void put(const fs::path& name, const std::string& text, mode_t mode = 0644) const {
    ASSERT_TRUE(base::make_folders((m_root / name).parent_path(), 0755));
    ASSERT_TRUE(base::write_file(m_root / name, text, mode));
  }
  base::Status run() {
    LogOfTest log;
    auto status = build(m_settings, m_go);
    m_log = log.end();
    return status;
  }
  // How often the log says it.
  [[nodiscard]] int times(const std::string& words) const {
    int count = 0;
    for (auto at = m_log.find(words); at != std::string::npos; at = m_log.find(words, at + 1)) ++count;
    return count;
  }
};

TEST_F(WholeBuild, MakesAnArtifactOnce) {
  ASSERT_TRUE(run());
  EXPECT_EQ(m_go.builds, 1);
  const auto record =
      contract::parse_build_record(base::read_file(m_settings.out / "build.json").value(), "build.json");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->builder, "go");
  EXPECT_EQ(record->command, std::vector<std::string>{"main"});
  ASSERT_EQ(record->bundles.size(), 1U);
  EXPECT_TRUE(fs::exists(m_settings.out / record->bundles[0].file));
  EXPECT_EQ(base::read_file(m_settings.out / "worker-shim").value_or(""), "shim");
  ASSERT_TRUE(run());
  EXPECT_EQ(m_go.builds, 1) << "it is in the cache";
}

TEST_F(WholeBuild, ASourceThatChangesIsBuiltAgain) {
  m_go.on_build = [this](int number) {
    if (number < 3)
      put("source/main.go", "package main\n\nfunc main() { println(" + std::to_string(number) + ") }\n");
  };
  const auto status = run();
  EXPECT_TRUE(status) << status.error().what;
  EXPECT_EQ(m_go.builds, 3);
  EXPECT_EQ(times("warning: " + m_settings.source.string() + ": changed during the build; building again\n"),
            2)
      << m_log;
  EXPECT_TRUE(fs::exists(m_settings.out / "run.sh"));
}

TEST_F(WholeBuild, ASourceThatKeepsChangingIsAnError) {
  m_go.on_build = [this](int number) { put("source/file", std::to_string(number)); };
  const auto status = run();
  ASSERT_FALSE(status);
  EXPECT_EQ(m_go.builds, 3);
  EXPECT_EQ(status.error().kind, base::ErrorKind::io);
  EXPECT_EQ(status.error().where, m_settings.source.string());
  EXPECT_EQ(status.error().what, "changed during the build, 3 times");
  EXPECT_EQ(status.error().hint, "stop the program that writes to it, then build again");
  EXPECT_FALSE(fs::exists(m_settings.out / "run.sh"));
}

TEST_F(WholeBuild, AFileThatIsNobodysIsSeenBeforeAnythingIsBuilt) {
  put("out/run.sh", "mine");
  EXPECT_FALSE(run());
  EXPECT_EQ(m_go.builds, 0);
  EXPECT_EQ(base::read_file(m_settings.out / "run.sh").value_or(""), "mine");
}

TEST_F(WholeBuild, ALimitThatIsNoneIsSeenBeforeAnythingIsBuilt) {
  m_settings.environment["PACHBUILD_CACHE_LIMIT"] = "much";
  const auto status = run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "invalid size \"much\"");
  EXPECT_EQ(m_go.builds, 0);
}

TEST_F(WholeBuild, WhatIsAddedIsCounted) {
  m_settings.environment["PACHBUILD_CACHE_LIMIT"] = "1GiB";
  ASSERT_TRUE(run());
  const std::string room = base::read_file(m_settings.cache / "room").value_or("none");
  EXPECT_EQ(room.find("1073741824 "), 0U) << room;
  ASSERT_TRUE(run());
  EXPECT_EQ(base::read_file(m_settings.cache / "room").value_or("none"), room) << "nothing was added";
  // Nothing of this can fail a build.
  put("source/main.go", "package main\n\nfunc main() { println() }\n");
  ASSERT_TRUE(base::remove_tree(m_settings.cache / "room"));
  ASSERT_TRUE(base::make_folders(m_settings.cache / "room" / "in-the-way"));
  EXPECT_TRUE(run());
  EXPECT_EQ(times("warning: cache: " + (m_settings.cache / "room").string() + ": cannot create: "), 1)
      << m_log;
}

TEST_F(WholeBuild, ItsInputsAreShown) {
  const auto inputs = [&] {
    LogOfTest log;
    auto lines = describe_inputs(m_settings, m_go);
    log.end();
    return lines;
  };
  const auto lines = inputs().value();
  EXPECT_NE(lines.find("folder\tthe source\t"), std::string::npos) << lines;
  EXPECT_EQ(m_go.builds, 0);
  EXPECT_FALSE(fs::exists(m_settings.out));
  put("source/build.sh", "");
  const auto script = inputs();
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().kind, base::ErrorKind::usage);
  EXPECT_EQ(script.error().where, "--inputs");
  EXPECT_EQ(script.error().what, "a source with a build.sh has no key: its build is never cached");
}

TEST_F(WholeBuild, ABuildScriptTakesItsPlace) {
  put("source/build.sh", "");
  const auto status = run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().where, (m_settings.source / "build.sh").string());
  EXPECT_EQ(m_go.builds, 0);
}

}  // namespace
}  // namespace builder
