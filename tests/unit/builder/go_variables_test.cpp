// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "builder-runtime/languages/go/variables.h"
#include "builder-runtime/languages/language.h"
#include "log.h"

namespace builder::go {
namespace {

using testing::ElementsAre;

TEST(GoFlags, AreReadAsGoReadsThem) {
  EXPECT_THAT(flags_in("  -tags=a,b --race '-ldflags=-s -w'\t\"-x\" -mod= "),
              ElementsAre(Flag{"tags", "a,b"}, Flag{"race", ""}, Flag{"ldflags", "-s -w"}, Flag{"x", ""},
                          Flag{"mod", ""}));
  EXPECT_THAT(flags_in("'-a=b"), ElementsAre(Flag{"a", "b"}));
  EXPECT_THAT(flags_in("'-a=\"b c' -d\r\n"), ElementsAre(Flag{"a", "\"b c"}, Flag{"d", ""}));
  EXPECT_THAT(flags_in("-a='b' - --"), ElementsAre(Flag{"a", "'b'"}, Flag{"", ""}, Flag{"", ""}));
  EXPECT_THAT(flags_in("''x"), ElementsAre(Flag{"", ""}, Flag{"x", ""}));
  EXPECT_THAT(flags_in(""), ElementsAre());
}

TEST(GoVariables, ComeFromTheSettingsThenTheEnvironmentThenGoesOwnFile) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "variables.").value();
  const auto file = (folder.path() / "env").string();
  ASSERT_TRUE(base::write_file(file, "# a comment\nGOARCH=arm64\r\nGOOS=plan9\nGOFLAGS=-tags=x\n"));
  const GoSettings settings{.places = {.file = "pachbuild.toml", .prefix = "", .lines = {}},
                            .environment = {{"GOOS", "darwin"}, {"GOARCH", ""}}};
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

GoVariables variables_of(process::Environment environment, process::Environment settings = {}) {
  environment.emplace("GOENV", "off");
  const GoSettings of_source{.places = {.file = "pachbuild.toml", .prefix = "", .lines = {}},
                             .environment = std::move(settings)};
  return {of_source, environment};
}

// As "go help environment" says: an empty variable is one that is not set.
TEST(GoVariables, EachHasTheFirstValueThatIsNotEmpty) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "variables.").value();
  const auto file = (folder.path() / "env").string();
  ASSERT_TRUE(base::write_file(file,
                               "#GOA=comment\nGOB\n GOC = spaces \nGOD=a=b\nGOE=written\nGOF=first\n"
                               "GOF=second"));
  const GoSettings settings{.places = {.file = "p.toml", .prefix = "", .lines = {}},
                            .environment = {{"GOE", ""}, {"GOG", "set"}, {"GOH", ""}}};
  const GoVariables variables(settings,
                              {{"GOENV", file}, {"GOE", "e"}, {"GOH", "h"}, {"GOI", "i"}, {"GOF", ""}});
  struct Row {
    std::string name, value, origin;
  };
  for (const auto& [name, value, origin] : std::vector<Row>{{"GOA", "", file},
                                                            {"#GOA", "", file},
                                                            {"GOB", "", file},
                                                            {" GOC ", "spaces", file},
                                                            {"GOD", "a=b", file},
                                                            {"GOE", "written", file},
                                                            {"GOF", "second", file},
                                                            {"GOG", "set", "p.toml: go.environment"},
                                                            {"GOH", "", file},
                                                            {"GOI", "i", "the environment"}}) {
    EXPECT_EQ(variables.value(name), value) << name;
    EXPECT_EQ(variables.origin(name), origin) << name;
  }
}

TEST(GoVariables, AreWrittenToTheFileThatGoFinds) {
  const auto file = [](const process::Environment& environment, const process::Environment& settings = {}) {
    return GoVariables({.places = {}, .environment = settings}, environment).file().string();
  };
  EXPECT_EQ(file({{"GOENV", "off"}, {"HOME", "/nowhere"}}), "");
  EXPECT_EQ(file({{"HOME", "/nowhere"}}), "/nowhere/.config/go/env");
  EXPECT_EQ(file({{"HOME", "/nowhere"}, {"XDG_CONFIG_HOME", "/x"}}), "/x/go/env");
  EXPECT_EQ(file({{"HOME", "/nowhere"}, {"GOENV", "/own"}, {"XDG_CONFIG_HOME", "/x"}}), "/own");
  EXPECT_EQ(file({{"GOENV", "/own"}}, {{"GOENV", "/settings"}}), "/settings");
  EXPECT_EQ(file({{"GOENV", "/own"}}, {{"GOENV", "off"}}), "");
}

// Go's own choice is to use C where it builds for the machine that it runs on: "go doc cmd/cgo".
TEST(GoVariables, MayUseCForThisMachineOrWhereTheyAreTold) {
  const std::string here = builder::architecture();
  const std::string other = here == "amd64" ? "arm64" : "amd64";
  for (const auto& architecture : {std::string(), here}) {
    EXPECT_TRUE(variables_of({{"GOARCH", architecture}}).may_use_c());
    EXPECT_TRUE(variables_of({{"GOARCH", architecture}, {"CGO_ENABLED", "1"}}).may_use_c());
    EXPECT_FALSE(variables_of({{"GOARCH", architecture}, {"CGO_ENABLED", "0"}}).may_use_c());
  }
  EXPECT_FALSE(variables_of({{"GOARCH", other}}).may_use_c());
  EXPECT_TRUE(variables_of({{"GOARCH", other}, {"CGO_ENABLED", "1"}}).may_use_c());
  EXPECT_FALSE(variables_of({{"GOARCH", other}, {"CGO_ENABLED", "0"}}).may_use_c());
  EXPECT_EQ(variables_of({}).architecture(), here);
  EXPECT_EQ(variables_of({{"GOARCH", other}}).architecture(), other);
}

TEST(GoVariables, NeedCForTheDetectorsOfErrors) {
  for (const auto* flags : {"-race", "-msan", "-asan", "--race", "-race=true", "-race=1", "-v -asan -x"})
    EXPECT_TRUE(variables_of({{"GOFLAGS", flags}}).needs_c()) << flags;
  for (const auto* flags : {"", "-v", "-race=false", "-msan=0", "-asan=false", "-tags=race"})
    EXPECT_FALSE(variables_of({{"GOFLAGS", flags}}).needs_c()) << flags;
}

TEST(GoVariables, HaveTheTagsBetweenCommasAndSpaces) {
  EXPECT_THAT(variables_of({{"GOFLAGS", "'-tags=a, b  c,,d'"}}).tags(), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(variables_of({{"GOFLAGS", "-tags="}}).tags(), ElementsAre());
  EXPECT_THAT(variables_of({{"GOFLAGS", "-v"}}).tags(), ElementsAre());
  EXPECT_THAT(variables_of({{"GOFLAGS", "-tags=a -tags=b"}}).tags(), ElementsAre("b"));
}

TEST(GoVariables, TurnModulesAndWorkspacesOff) {
  for (const auto* value : {"", "on", "auto", "/a/go.work"}) {
    EXPECT_TRUE(variables_of({{"GO111MODULE", value}}).has_modules()) << value;
    EXPECT_TRUE(variables_of({{"GOWORK", value}}).has_workspaces()) << value;
  }
  EXPECT_FALSE(variables_of({{"GO111MODULE", "off"}}).has_modules());
  EXPECT_FALSE(variables_of({{"GOWORK", "off"}}).has_workspaces());
}

TEST(GoVariables, AreThoseOfTheSettingsButForTheSystem) {
  const auto put = [](const GoVariables& variables) {
    process::Environment environment{{"GOX", "x"}, {"GOY", "y"}};
    variables.put_into(environment);
    return environment;
  };
  EXPECT_EQ(put(variables_of({{"GOZ", "z"}}, {{"GOX", "1"}, {"GOV", ""}})),
            (process::Environment{{"GOX", "1"}, {"GOY", "y"}, {"GOV", ""}}));
  EXPECT_EQ(put(variables_of({{"GOOS", "windows"}})),
            (process::Environment{{"GOX", "x"}, {"GOY", "y"}, {"GOOS", "linux"}}));
  EXPECT_EQ(put(variables_of({{"GOOS", "linux"}})), (process::Environment{{"GOX", "x"}, {"GOY", "y"}}));
  EXPECT_EQ(put(variables_of({}, {{"GOOS", "plan9"}})),
            (process::Environment{{"GOX", "x"}, {"GOY", "y"}, {"GOOS", "linux"}}));
}

TEST(GoVariables, ThatMakeNoProgramAreRefused) {
  const auto fault = [](const std::string& flags, const process::Environment& settings = {}) {
    const auto status = variables_of({{"GOFLAGS", flags}}, settings).check();
    if (status) return std::string();
    EXPECT_EQ(status.error().kind, base::ErrorKind::bad_input);
    return status.error().where + ": " + status.error().what + ": " + status.error().hint;
  };
  const std::string remove = ": remove it from GOFLAGS in the environment";
  for (const std::string mode : {"c-shared", "c-archive", "plugin", "archive", "shared"}) {
    EXPECT_EQ(fault("-buildmode=" + mode),
              "GOFLAGS: -buildmode=" + mode + " does not produce a program" + remove);
  }
  for (const auto* flags : {"-n", "-n=true"})
    EXPECT_EQ(fault(flags), "GOFLAGS: -n prints commands and builds nothing" + remove);
  for (const auto* flags : {"-buildmode=pie", "-buildmode=exe", "-buildmode=default",
                            "-buildmode=", "-n=false", "-race -v -x", ""})
    EXPECT_EQ(fault(flags), "") << flags;
  EXPECT_EQ(fault("", {{"GOFLAGS", "-n"}}),
            "GOFLAGS: -n prints commands and builds nothing: remove it from GOFLAGS in pachbuild.toml: "
            "go.environment");
}

TEST(GoVariables, ThatAreOverruledAreToldAsIgnored) {
  const auto told = [](const process::Environment& environment) {
    LogOfTest log;
    EXPECT_TRUE(variables_of(environment).check());
    return log.end();
  };
  const std::string ignored = " from the environment is ignored; ";
  for (const auto* system : {"windows", "darwin"}) {
    EXPECT_EQ(told({{"GOOS", system}}),
              "warning: GOOS=" + std::string(system) + ignored + "pipelines run on Linux\n");
  }
  for (const auto* flags : {"-trimpath=false", "-trimpath=0"}) {
    EXPECT_EQ(told({{"GOFLAGS", flags}}), "warning: -trimpath=false" + ignored +
                                              "the same source must give the same program in every folder\n");
  }
  for (const auto* flags : {"-buildvcs", "-buildvcs=true", "-buildvcs=auto"}) {
    EXPECT_EQ(told({{"GOFLAGS", flags}}), "warning: -buildvcs" + ignored +
                                              "the source has no repository when it is built on a cluster\n");
  }
  for (const auto* flags : {"", "-trimpath", "-trimpath=true", "-buildvcs=false", "-buildvcs=0"})
    EXPECT_EQ(told({{"GOFLAGS", flags}, {"GOOS", "linux"}}), "") << flags;
}

}  // namespace
}  // namespace builder::go
