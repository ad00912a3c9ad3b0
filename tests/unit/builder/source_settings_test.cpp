// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/source_settings.h"

#include <gtest/gtest.h>

namespace builder {
namespace {

class SourceSettingsTest : public testing::Test {
 protected:
  [[nodiscard]] base::Result<SourceSettings> read(const std::string& own,
                                                  const std::string& project = "") const {
    for (const auto& [name, text] :
         {std::pair("pachbuild.toml", own), std::pair("pyproject.toml", project)}) {
      EXPECT_TRUE(base::remove_tree(m_folder.path() / name));
      if (!text.empty()) {
        EXPECT_TRUE(base::write_file(m_folder.path() / name, text));
      }
    }
    return read_source_settings(m_folder.path());
  }
  [[nodiscard]] std::string fault(const std::string& own, const std::string& project = "") const {
    const auto settings = read(own, project);
    if (settings) return "";
    EXPECT_EQ(settings.error().kind, base::ErrorKind::bad_input);
    return settings.error().where + ": " + settings.error().what + " (" + settings.error().hint + ")";
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "settings.").value();
};

const std::string k_every = R"(language = "python"
arguments = ["--fast", "x"]
environment = {A = "1", _B2 = ""}
[python]
dependencies = ["requirements.txt", "more.txt"]
groups = ["dev", "g.1_2-3"]
extras = "fast"
project = false
program = "tool.py"
version = "3.11"
refresh = "daily"
[go]
package = "./cmd/x"
tags = ["a", "b"]
ldflags = "-s"
environment = {CGO_ENABLED = "0"}
)";

void expect_every(const SourceSettings& settings) {
  using Texts = std::vector<std::string>;
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(settings.language, "python");
  EXPECT_EQ(settings.arguments, (Texts{"--fast", "x"}));
  EXPECT_EQ(settings.environment, (Map{{"A", "1"}, {"_B2", ""}}));
  EXPECT_EQ(settings.python.dependencies, (Texts{"requirements.txt", "more.txt"}));
  EXPECT_EQ(settings.python.groups, (Texts{"dev", "g.1_2-3"}));
  EXPECT_EQ(settings.python.extras, (Texts{"fast"}));
  EXPECT_EQ(settings.python.project, false);
  EXPECT_EQ(settings.python.program, "tool.py");
  EXPECT_EQ(settings.python.version, "3.11");
  EXPECT_EQ(settings.python.refresh, Refresh::daily);
  EXPECT_EQ(settings.go.package, "./cmd/x");
  EXPECT_EQ(settings.go.tags, (Texts{"a", "b"}));
  EXPECT_EQ(settings.go.ldflags, "-s");
  EXPECT_EQ(settings.go.environment, (Map{{"CGO_ENABLED", "0"}}));
}

TEST_F(SourceSettingsTest, EachIsRead) {
  const auto settings = read(k_every).value();
  expect_every(settings);
  EXPECT_EQ(settings.places.file, "pachbuild.toml");
  EXPECT_EQ(settings.go.places.file, "pachbuild.toml");
}

TEST_F(SourceSettingsTest, MessagesSayWhereASettingIs) {
  const std::string text =
      "language = 'python'\n\n[python]\nprogram = 'x.py'\n[environment]\nA = '1'\nB = '2'\n";
  const auto places = read(text).value().places;
  EXPECT_EQ(places.name("python.program"), "pachbuild.toml: python.program");
  EXPECT_EQ(places.where("python.program"), "pachbuild.toml:4: python.program");
  EXPECT_EQ(places.where("language"), "pachbuild.toml:1: language");
  EXPECT_EQ(places.where_in("environment", "environment.B"), "pachbuild.toml:7: environment");
  EXPECT_EQ(places.where("go.package"), "pachbuild.toml: go.package");
  const auto project = read("", "[project]\nname = 'x'\n[tool.pachbuild.go]\npackage = './x'\n").value();
  EXPECT_EQ(project.go.places.where("go.package"), "pyproject.toml:4: tool.pachbuild.go.package");
  EXPECT_EQ(project.places.name("go.package"), "pyproject.toml: tool.pachbuild.go.package");
}

TEST_F(SourceSettingsTest, EachIsReadFromTheProjectsFile) {
  std::string text = "[tool.pachbuild]\n" + k_every;
  text.replace(text.find("[python]"), 8, "[tool.pachbuild.python]");
  text.replace(text.find("[go]"), 4, "[tool.pachbuild.go]");
  const auto settings = read("", text).value();
  expect_every(settings);
  EXPECT_EQ(settings.places.file, "pyproject.toml");
  expect_every(read(k_every, "[project]\nname = 'x'\n").value());
}

TEST_F(SourceSettingsTest, NoneIsAskedFor) {
  for (const auto& settings :
       {read("").value(), read("", "[project]\nname = 'x'\n").value(), read("\n").value()}) {
    EXPECT_EQ(settings.language, "");
    EXPECT_FALSE(settings.python.project);
    EXPECT_TRUE(settings.environment.empty());
    EXPECT_TRUE(settings.python.groups.empty());
  }
  EXPECT_EQ(read("[python]\nproject = true\n").value().python.project, true);
  EXPECT_EQ(read("[python]\nrefresh = 'never'\n").value().python.refresh, Refresh::never);
  EXPECT_EQ(read("[python]\nrefresh = 'always'\n").value().python.refresh, Refresh::always);
}

TEST_F(SourceSettingsTest, FaultsAreNamedWithTheirPlaces) {
  const std::vector<std::array<std::string, 2>> faults = {
      {"language = 1\n", "pachbuild.toml:1: language: must be a string, not a number ()"},
      {"\narguments = [1]\n", "pachbuild.toml:2: arguments: must be a string, not a number ()"},
      {"arguments = {}\n", "pachbuild.toml:1: arguments: must be a list, not a table ()"},
      {"environment = {A = 1}\n", "pachbuild.toml:1: environment.A: must be a string, not a number ()"},
      {"environment = []\n", "pachbuild.toml:1: environment: must be a table, not a list ()"},
      {"python = 1\n", "pachbuild.toml:1: python: must be a table, not a number ()"},
      {"[python]\nproject = 'x'\n",
       "pachbuild.toml:2: python.project: must be true or false, not a string ()"},
      {"[python]\nrefresh = 'x'\n",
       "pachbuild.toml:2: python.refresh: invalid value \"x\" (expected never, daily or always)"},
      {"[python]\nprogam = 'x'\n",
       "pachbuild.toml:2: python.progam: unknown setting (did you mean \"program\"?)"},
      {"[go]\nx = 1\n",
       "pachbuild.toml:2: go.x: unknown setting (valid settings: package, tags, ldflags, "
       "environment)"},
      {"x = 1\n",
       "pachbuild.toml:1: x: unknown setting (valid settings: language, arguments, "
       "environment, "
       "python, go)"},
      {"environment = {1A = ''}\n",
       "pachbuild.toml:1: environment: invalid variable name \"1A\" (letters, digits and _ only)"},
      {"environment = {'' = ''}\n",
       "pachbuild.toml:1: environment: invalid variable name \"\" (letters, digits and _ only)"},
      {"environment = {'A-B' = ''}\n",
       "pachbuild.toml:1: environment: invalid variable name \"A-B\" (letters, digits and _ only)"},
      {"[python]\ngroups = ['-x']\n",
       "pachbuild.toml:2: python.groups: invalid name \"-x\" (letters, digits, ., _ and - only)"},
      {"[python]\nextras = ['a,b']\n",
       "pachbuild.toml:2: python.extras: invalid name \"a,b\" (letters, digits, ., _ and - only)"},
      {"[python]\nextras = ['']\n",
       "pachbuild.toml:2: python.extras: invalid name \"\" (letters, digits, ., _ and - only)"},
  };
  for (const auto& [text, expected] : faults) EXPECT_EQ(fault(text), expected) << text;
  EXPECT_EQ(fault("", "[tool.pachbuild]\nx = 1\n").substr(0, 36), "pyproject.toml:2: tool.pachbuild.x: ");
  EXPECT_EQ(fault("language = 'go'\n", "[tool.pachbuild]\nlanguage = 'go'\n"),
            "pachbuild.toml: conflicts with [tool.pachbuild] in pyproject.toml: both contain settings (keep "
            "one of them)");
  EXPECT_NE(fault("", "=\n"), "");
  EXPECT_NE(fault("=\n"), "");
}

}  // namespace
}  // namespace builder
