// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/uv_settings.h"

#include <gmock/gmock.h>

namespace builder::python {
namespace {

using testing::ElementsAre;

class UvSettingsTest : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "uvsettings.").value();
  process::Environment m_environment{{"HOME", (m_folder.path() / "home").string()}};

  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  }
  [[nodiscard]] UvSettings read() const {
    return UvSettings::read(m_folder.path() / "source", m_environment).value();
  }
  // The value, and where it comes from.
  [[nodiscard]] std::string told(const std::string& key = "x") const {
    const auto settings = read();
    return settings.at(key).scalar + " " + settings.place_of(key);
  }
};

TEST_F(UvSettingsTest, TheNearestFileCounts) {
  write("source/other", "");
  EXPECT_EQ(told(), " x");
  write("home/.config/uv/uv.toml", "x = 'user'\ny = 'user'\n");
  EXPECT_EQ(told(), "user ~/.config/uv/uv.toml: x");
  write("source/pyproject.toml", "x = 'no'\n[tool.uv]\nx = 'project'\n");
  EXPECT_EQ(told(), "project pyproject.toml: tool.uv.x");
  EXPECT_EQ(told("y"), "user ~/.config/uv/uv.toml: y");
  write("source/uv.toml", "z = 'file'\n");
  EXPECT_EQ(told("z"), "file uv.toml: z");
  EXPECT_EQ(told(), "user ~/.config/uv/uv.toml: x") << "uv.toml replaces the table beside it";
  write("chosen.toml", "x = 'chosen'\n");
  m_environment["UV_CONFIG_FILE"] = "../chosen.toml";
  EXPECT_EQ(told(), "chosen ../chosen.toml: x");
  EXPECT_EQ(told("y"), " y");
  m_environment["UV_NO_CONFIG"] = "1";
  EXPECT_EQ(told(), " x");
}

TEST_F(UvSettingsTest, TheUsersFolderCanBeElsewhere) {
  write("config/uv/uv.toml", "x = 'elsewhere'\n");
  m_environment["XDG_CONFIG_HOME"] = (m_folder.path() / "config").string();
  EXPECT_EQ(told(), "elsewhere ~/.config/uv/uv.toml: x");
}

TEST_F(UvSettingsTest, SayingNothingIsNotSaid) {
  write("source/uv.toml", "a = false\nb = true\nc = ''\nd = 'x'\ne = []\nf = [1]\ng = {}\nh = {i = 1}\n");
  for (const auto& [key, expected] : std::map<std::string, bool>{{"a", false},
                                                                 {"b", true},
                                                                 {"c", false},
                                                                 {"d", true},
                                                                 {"e", false},
                                                                 {"f", true},
                                                                 {"g", false},
                                                                 {"h", true},
                                                                 {"none", false}}) {
    EXPECT_EQ(read().has(key), expected) << key;
  }
  write("source/uv.toml", "broken");
  EXPECT_FALSE(UvSettings::read(m_folder.path() / "source", m_environment));
}

TEST(UvProjects, ArePackagesWhereTheySaySoOrHaveABuildSystem) {
  const auto project = [](const std::string& text) { return data::parse_toml(text, "x").value(); };
  EXPECT_FALSE(is_uv_package(project("[project]\nname = 'x'\n")));
  EXPECT_TRUE(is_uv_package(project("[build-system]\nrequires = []\n")));
  EXPECT_FALSE(is_uv_package(project("[build-system]\nrequires = []\n[tool.uv]\npackage = false\n")));
  EXPECT_TRUE(is_uv_package(project("[tool.uv]\npackage = true\n")));
}

TEST(UvProjects, DefaultGroupsAreThoseThatAreNamedButDev) {
  const auto groups = [](const std::string& text) {
    return default_groups(
        data::parse_toml("[dependency-groups]\ndev = []\na = []\nb = []\n[tool.uv]\n" + text, "x").value());
  };
  EXPECT_THAT(groups(""), ElementsAre());
  EXPECT_THAT(groups("default-groups = 'all'\n"), ElementsAre("a", "b"));
  EXPECT_THAT(groups("default-groups = 'a'\n"), ElementsAre());
  EXPECT_THAT(groups("default-groups = ['dev', 'b']\n"), ElementsAre("b"));
}

}  // namespace
}  // namespace builder::python
