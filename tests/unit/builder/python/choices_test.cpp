// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/choices.h"

#include <gmock/gmock.h>

namespace builder::python {
namespace {

std::string told(ManifestKind kind, const std::string& pyproject, const std::vector<std::string>& groups,
                 const std::vector<std::string>& extras = {}) {
  SourceSettings settings;
  settings.places = {.file = "pachbuild.toml", .prefix = "", .lines = {{"python.groups", 2}}};
  settings.python.groups = groups;
  settings.python.extras = extras;
  const Manifest manifest{.kind = kind,
                          .files = {"pyproject.toml"},
                          .project = data::parse_toml(pyproject, "pyproject.toml").value()};
  const auto checked = check_choices(settings, manifest);
  if (checked) return "fine";
  const auto& error = checked.error();
  return error.where + ": " + error.what + (error.hint.empty() ? "" : ": " + error.hint);
}

const std::string k_both =
    "[dependency-groups]\ndev = []\nDocs = []\n[project.optional-dependencies]\nplot = []\n";

TEST(Choices, ThatPyprojectHasAreFine) {
  for (const auto kind : {ManifestKind::uv_lock, ManifestKind::project, ManifestKind::poetry_lock,
                          ManifestKind::poetry, ManifestKind::pdm_lock}) {
    EXPECT_EQ(told(kind, k_both, {"dev", "Docs"}, {"plot"}), "fine");
    EXPECT_EQ(told(kind, "", {}), "fine");
    // Who builds the project may know more extras.
    EXPECT_EQ(told(kind, "[project]\ndynamic = ['optional-dependencies']\n", {}, {"x"}), "fine");
  }
  EXPECT_EQ(told(ManifestKind::project, k_both, {"docs"}, {"Plot"}), "fine") << "uv takes them so";
  EXPECT_EQ(told(ManifestKind::uv_lock, "[tool.uv]\ndev-dependencies = ['a']\n", {"dev"}), "fine");
  EXPECT_EQ(told(ManifestKind::poetry,
                 "[tool.poetry.group.test.dependencies]\na = '1'\n[tool.poetry.extras]\nx = ['a']\n",
                 {"test", "main"}, {"x"}),
            "fine");
  // Their own readers know.
  for (const auto kind : {ManifestKind::setup, ManifestKind::pylock, ManifestKind::pipfile_lock,
                          ManifestKind::requirements, ManifestKind::none}) {
    EXPECT_EQ(told(kind, "", {"x"}, {"y"}), "fine");
  }
}

TEST(Choices, ThatNobodyHasNameTheNearest) {
  EXPECT_EQ(told(ManifestKind::project, k_both, {"dev", "dve"}),
            "pachbuild.toml:2: python.groups: pyproject.toml has no group dve: did you mean \"dev\"?");
  EXPECT_EQ(told(ManifestKind::uv_lock, k_both, {"serve"}),
            "pachbuild.toml:2: python.groups: pyproject.toml has no group serve: it has Docs, dev");
  EXPECT_EQ(told(ManifestKind::pdm_lock, k_both, {"docs"}),
            "pachbuild.toml:2: python.groups: pyproject.toml has no group docs: did you mean \"Docs\"?");
  EXPECT_EQ(told(ManifestKind::poetry_lock, "[tool.poetry.group.dev.dependencies]\na = '1'\n", {"Dev"}),
            "pachbuild.toml:2: python.groups: pyproject.toml has no group Dev: did you mean \"dev\"?");
  EXPECT_EQ(told(ManifestKind::project, k_both, {}, {"plto"}),
            "pachbuild.toml: python.extras: pyproject.toml has no extra plto: did you mean \"plot\"?");
  EXPECT_EQ(told(ManifestKind::project, "", {}, {"plot"}),
            "pachbuild.toml: python.extras: pyproject.toml has no extra plot");
}

}  // namespace
}  // namespace builder::python
