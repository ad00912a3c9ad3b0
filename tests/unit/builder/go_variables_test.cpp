// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "builder-runtime/languages/go/variables.h"

namespace builder::go {
namespace {

using testing::ElementsAre;

TEST(GoFlags, AreReadAsGoReadsThem) {
  EXPECT_THAT(flags_in("  -tags=a,b --race '-ldflags=-s -w'\t\"-x\" -mod= "),
              ElementsAre(Flag{"tags", "a,b"}, Flag{"race", ""}, Flag{"ldflags", "-s -w"}, Flag{"x", ""},
                          Flag{"mod", ""}));
  EXPECT_THAT(flags_in("'-a=b"), ElementsAre(Flag{"a", "b"}));
  EXPECT_THAT(flags_in(""), ElementsAre());
}

TEST(GoVariables, ComeFromTheSettingsThenTheEnvironmentThenGoesOwnFile) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "variables.").value();
  const auto file = (folder.path() / "env").string();
  ASSERT_TRUE(base::write_file(file, "# a comment\nGOARCH=arm64\r\nGOOS=plan9\nGOFLAGS=-tags=x\n"));
  const GoSettings settings{.file = "pachbuild.toml", .environment = {{"GOOS", "darwin"}, {"GOARCH", ""}}};
  const GoVariables variables(settings,
                              {{"GOENV", file}, {"GOOS", "windows"}, {"GOFLAGS", "-race -tags=y -tags=z"}});
  EXPECT_EQ(variables.value("GOOS"), "darwin");
  EXPECT_EQ(variables.origin("GOOS"), "pachbuild.toml: go.environment");
  EXPECT_EQ(variables.architecture(), "arm64");
  EXPECT_EQ(variables.origin("GOARCH"), file);
  EXPECT_EQ(variables.flag("tags"), "z");
  EXPECT_EQ(variables.origin("GOFLAGS"), "the environment");
  EXPECT_TRUE(variables.needs_c());
  process::Environment environment;
  variables.put_into(environment);
  EXPECT_EQ(environment, (process::Environment{{"GOOS", "linux"}, {"GOARCH", ""}}));
}

TEST(GoVariables, HaveNoFileWhereGoReadsNone) {
  const GoVariables variables({}, {{"GOENV", "off"}, {"HOME", "/nowhere"}});
  EXPECT_EQ(variables.file(), "");
  EXPECT_EQ(GoVariables({}, {{"HOME", "/nowhere"}}).file(), "/nowhere/.config/go/env");
}

TEST(GoVariables, ThatMakeNoProgramAreRefused) {
  for (const auto* flags : {"-buildmode=c-shared", "-buildmode=plugin", "-buildmode=archive", "-n"})
    EXPECT_FALSE(GoVariables({}, {{"GOENV", "off"}, {"GOFLAGS", flags}}).check()) << flags;
  for (const auto* flags : {"-buildmode=pie", "-buildmode=exe", "-n=false", "-race -v -x", ""})
    EXPECT_TRUE(GoVariables({}, {{"GOENV", "off"}, {"GOFLAGS", flags}}).check()) << flags;
}

}  // namespace
}  // namespace builder::go
