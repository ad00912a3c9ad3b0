// SPDX-License-Identifier: Apache-2.0
// Which file says what to install, whether the source itself is installed, and for which Python.
#include "builder-runtime/languages/python/manifests/manifest.h"

#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>

#include "base/text.h"

namespace builder::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Files = std::map<std::string, std::string>;

class Manifests : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "manifest.").value();
  base::fs::path m_source;
  SourceSettings m_settings{.places = {.file = "pachbuild.toml", .prefix = "", .lines = {}}};

  void put(const Files& files) {
    m_source = m_folder.path() / "source";
    base::fs::remove_all(m_source);
    EXPECT_TRUE(base::make_folders(m_source));
    for (const auto& [name, text] : files) {
      EXPECT_TRUE(base::make_folders((m_source / name).parent_path()));
      EXPECT_TRUE(base::write_file(m_source / name, text));
    }
  }

  base::Result<Manifest> find(const Files& files) {
    put(files);
    return find_manifest(m_source, m_settings);
  }

  // Its files, or the error.
  std::string found(const Files& files) {
    const auto manifest = find(files);
    return manifest ? base::join(manifest->files, " ") : manifest.error().what;
  }

  bool installs(const Files& files) {
    const auto manifest = find(files);
    EXPECT_TRUE(manifest) << (manifest ? "" : manifest.error().what);
    return manifest && manifest->installs_project;
  }

  // The texts of the pins, or the error.
  std::vector<std::string> pins(const Files& files) {
    put(files);
    auto manifest = find_manifest(m_source, m_settings);
    EXPECT_TRUE(manifest);
    const auto result = find_pins(m_source, *manifest, m_settings);
    if (!result) return {result.error().where + ": " + result.error().what};
    std::vector<std::string> told;
    for (const auto& pin : *result) told.push_back(pin.place + " " + pin.text);
    return told;
  }
};

TEST_F(Manifests, TheFirstThatIsThereCounts) {
  const std::string project = "[project]\nname = 'a'\nversion = '1'\n";
  const Files all = {{"Pipfile", ""},
                     {"setup.cfg", ""},
                     {"setup.py", ""},
                     {"pyproject.toml", project},
                     {"requirements.txt", ""}};
  auto rest = all;
  for (const std::string name : {"requirements.txt", "pyproject.toml", "setup.py", "setup.cfg", "Pipfile"}) {
    EXPECT_EQ(found(rest), name);
    rest.erase(name);
  }
  EXPECT_EQ(found(rest), "");
  for (const std::string lock : {"uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "Pipfile.lock"}) {
    auto with_lock = all;
    with_lock[lock] = "";
    const auto manifest = find(with_lock);
    ASSERT_TRUE(manifest);
    EXPECT_THAT(manifest->files, ElementsAre(lock));
    EXPECT_TRUE(manifest->is_lock());
    EXPECT_FALSE(manifest->is_chosen);
  }
  EXPECT_FALSE(find(all)->is_lock());
}

TEST_F(Manifests, TwoLocksAreAnError) {
  EXPECT_EQ(found({{"poetry.lock", ""}, {"Pipfile.lock", ""}}),
            "conflicting lock files: poetry.lock and Pipfile.lock");
  EXPECT_EQ(found({{"uv.lock", ""}, {"pdm.lock", ""}}), "conflicting lock files: uv.lock and pdm.lock");
}

TEST_F(Manifests, AFolderOfThatNameIsAnError) {
  EXPECT_EQ(found({{"requirements.txt/x", ""}}), "is not a regular file");
}

TEST_F(Manifests, PyprojectCountsForWhatItSays) {
  const std::map<std::string, ManifestKind> rows = {
      {"[project]\nname = 'a'\n", ManifestKind::project},
      {"[project]\nname = 'a'\n[tool.poetry]\nname = 'a'\n", ManifestKind::project},
      {"[tool.poetry]\nname = 'a'\n", ManifestKind::poetry},
      {"[build-system]\nrequires = []\n", ManifestKind::setup},
      {"[tool.black]\nline-length = 1\n", ManifestKind::none},
  };
  for (const auto& [text, kind] : rows) EXPECT_EQ(find({{"pyproject.toml", text}})->kind, kind) << text;
}

TEST_F(Manifests, SettingsChoose) {
  const auto chosen = [&](const std::vector<std::string>& names, Files files) {
    m_settings.python.dependencies = names;
    files.emplace("uv.lock", "");
    return found(files);
  };
  const struct {
    std::vector<std::string> names;
    Files files;
    std::string expected;
  } rows[] = {
      {{"dev.txt"}, {{"dev.txt", ""}}, "dev.txt"},
      {{"a.txt", "b/../c.in"}, {{"a.txt", ""}, {"b/x", ""}, {"c.in", ""}}, "a.txt c.in"},
      {{"pylock.dev.toml"}, {{"pylock.dev.toml", ""}}, "pylock.dev.toml"},
      {{"pylock.dev"}, {{"pylock.dev", ""}}, "lists no dependencies"},
      {{"x.pylock.toml"}, {{"x.pylock.toml", ""}}, "lists no dependencies"},
      {{"locks/poetry.lock"}, {{"locks/poetry.lock", ""}}, "locks/poetry.lock"},
      {{"pyproject.toml"}, {{"pyproject.toml", "[project]\nname = 'a'\n"}}, "pyproject.toml"},
      {{"pyproject.toml"}, {{"pyproject.toml", "[tool.x]\na = 1\n"}}, "lists no dependencies"},
      {{"x.md"}, {{"x.md", ""}}, "lists no dependencies"},
      {{"a.txt", "setup.py"}, {{"a.txt", ""}, {"setup.py", ""}}, "only requirements files can be combined"},
      {{"uv.lock", "uv.lock"}, {}, "only requirements files can be combined"},
      {{"no.txt"}, {}, "no file no.txt in the source"},
      {{"-x.txt"}, {{"-x.txt", ""}}, "-x.txt begins with \"-\": uv would read it as an option"},
      {{"a.py"}, {{"a.py", ""}}, "a.py has no inline metadata (# /// script)"},
      {{"a.py"}, {{"a.py", "# /// script\n# dependencies = []\n# ///\n"}}, "a.py"},
      {{"a.py"}, {{"a.py", "# /// script\n# dependencies = []\n# ///\n"}, {"a.py.lock", ""}}, "a.py.lock"},
      {{"setup.py"}, {{"setup.py", ""}}, "setup.py"},
  };
  for (const auto& row : rows) EXPECT_EQ(chosen(row.names, row.files), row.expected) << row.names.front();
  EXPECT_THAT(chosen({"../x.txt"}, {}), testing::Not(HasSubstr("x.txt is no file")));
  EXPECT_FALSE(find_manifest(m_source, m_settings));
  m_settings.python.dependencies = {"setup.py"};
  EXPECT_TRUE(find({{"setup.py", ""}})->is_chosen);
}

TEST_F(Manifests, AProgramSaysItselfWhereNothingElseDoes) {
  const std::string program = "# /// script\n# dependencies = ['a']\n# ///\n";
  const auto with_program = [&](const Files& files, const std::string& name) {
    auto manifest = find(files).value();
    const auto status = add_inline_metadata(m_source, name, manifest);
    return status ? base::join(manifest.files, " ") + (manifest.is_inline() ? " inline" : "")
                  : status.error().what;
  };
  EXPECT_EQ(with_program({{"x.py", program}}, "x.py"), "x.py inline");
  EXPECT_EQ(with_program({{"x.py", program}, {"requirements.txt", ""}}, "x.py"), "requirements.txt");
  EXPECT_EQ(with_program({{"x.py", program}}, ""), "");
  EXPECT_EQ(with_program({{"x.py", ""}}, "x.py"), "");
  // A conda file counts as nothing, where there is something.
  EXPECT_NE(with_program({{"environment.yml", "dependencies: [numpy]\n"}}, ""), "");
  EXPECT_EQ(with_program({{"environment.yml", "dependencies: [numpy]\n"}, {"x.py", program}}, "x.py"),
            "x.py inline");
}

TEST_F(Manifests, TheProjectItselfIsInstalledWhereItCanBeBuilt) {
  const std::string project = "[project]\nname = 'my-App'\nversion = '1'\n";
  const std::string backend = "[build-system]\nrequires = []\nbuild-backend = ";
  const std::string hatch = project + backend + "'hatchling.build'\n";
  const std::string poetry = "[tool.poetry]\nname = 'my.app'\n";
  const std::string poetry_backend = backend + "'poetry.core.masonry.api'\n";
  const auto with = [](const std::string& text, Files files = {}) {
    files["pyproject.toml"] = text;
    return files;
  };
  EXPECT_TRUE(installs({{"setup.py", ""}}));
  EXPECT_TRUE(installs({{"setup.cfg", ""}}));
  EXPECT_FALSE(installs({{"requirements.txt", ""}, {"setup.py", ""}}));
  EXPECT_FALSE(installs(with(project)));
  EXPECT_TRUE(installs(with(hatch)));
  EXPECT_TRUE(installs(with(hatch, {{"pdm.lock", ""}})));
  EXPECT_FALSE(installs(with(hatch, {{"uv.lock", ""}})));
  EXPECT_FALSE(installs(with(hatch, {{"Pipfile.lock", ""}})));
  EXPECT_FALSE(installs(with(hatch + "[tool.pdm]\ndistribution = false\n")));
  EXPECT_TRUE(installs(with(hatch + "[tool.pdm]\ndistribution = true\n")));
  // Poetry's have to have something in them.
  for (const auto& text : {poetry + poetry_backend, project + poetry_backend}) {
    EXPECT_FALSE(installs(with(text)));
    EXPECT_TRUE(installs(with(text, {{"my_app/__init__.py", ""}})));
    EXPECT_TRUE(installs(with(text, {{"src/my_app/__init__.py", ""}})));
    EXPECT_TRUE(installs(with(text, {{"my_app.py", ""}})));
    EXPECT_TRUE(installs(with(text, {{"src/my_app.py", ""}})));
    EXPECT_FALSE(installs(with(text, {{"other.py", ""}})));
  }
  EXPECT_TRUE(installs(with(poetry + "packages = [{include = 'x'}]\n" + poetry_backend)));
  EXPECT_TRUE(installs(with(poetry + "include = ['x']\n" + poetry_backend)));
  EXPECT_FALSE(installs(with(poetry + "package-mode = false\n" + poetry_backend, {{"my_app.py", ""}})));
  EXPECT_TRUE(installs(with(poetry + "package-mode = true\n" + poetry_backend, {{"my_app.py", ""}})));
  EXPECT_TRUE(installs(with(poetry + poetry_backend, {{"my_app.py", ""}, {"poetry.lock", ""}})));
  // What the settings say counts more.
  m_settings.python.project = false;
  EXPECT_FALSE(installs({{"setup.py", ""}}));
  m_settings.python.project = true;
  EXPECT_TRUE(installs({{"requirements.txt", ""}}));
}

TEST_F(Manifests, PinsOfTheInterpreter) {
  const std::string pyproject = "pyproject.toml: ";
  const struct {
    Files files;
    std::vector<std::string> expected;
  } rows[] = {
      {{}, {}},
      {{{".python-version", "\n# a comment\n 3.11 # why\n3.12\n"}}, {".python-version 3.11"}},
      {{{"runtime.txt", "python-3.11.4\n"}}, {"runtime.txt python-3.11.4"}},
      {{{".python-version", "3.11"}, {"runtime.txt", "3.11.4"}},
       {".python-version 3.11", "runtime.txt 3.11.4"}},
      {{{".python-version", "3.11"}, {"runtime.txt", "3.12"}},
       {".python-version (3.11) and runtime.txt (3.12): contradict each other"}},
      {{{".python-version", "x"}}, {".python-version: invalid Python version \"x\""}},
      {{{"pyproject.toml", "[project]\nrequires-python = '>=3.9'\n"}},
       {pyproject + "project.requires-python >=3.9"}},
      {{{"pyproject.toml", "[project]\nrequires-python = '^3.9'\n"}},
       {pyproject + "project.requires-python: invalid Python version \"^3.9\""}},
      {{{"pyproject.toml",
         "[project]\nrequires-python = '^3.9'\n[tool.poetry.dependencies]\npython = '^3.10'\n"}},
       {pyproject + "project.requires-python ^3.9", pyproject + "tool.poetry.dependencies.python ^3.10"}},
      {{{"Pipfile", "[requires]\npython_version = '3.11'\n"}}, {"Pipfile: requires.python_version 3.11"}},
      {{{"Pipfile", "[requires]\npython_version = '3.11'\npython_full_version = '3.11.2'\n"}},
       {"Pipfile: requires.python_full_version 3.11.2"}},
      {{{"Pipfile", "[requires]\npython_version = '3.11'\npython_full_version = '*'\n"}},
       {"Pipfile: requires.python_version 3.11"}},
      {{{"Pipfile", "[requires]\npython_version = '3.11'\n"}, {"Pipfile.lock", ""}},
       {"Pipfile: requires.python_version 3.11"}},
      {{{"Pipfile", "[requires]\npython_version = '3.11'\n"}, {"requirements.txt", ""}}, {}},
  };
  for (const auto& row : rows) EXPECT_EQ(pins(row.files), row.expected);
  // What the settings say counts alone.
  m_settings.python.version = "3.12";
  EXPECT_THAT(pins({{".python-version", "3.11"}}), ElementsAre("pachbuild.toml: python.version 3.12"));
}

TEST(Pins, AllowWhatTheySay) {
  const auto allows = [](const base::Result<Pin>& pin, const std::string& version) {
    return pin.value().allows(*Version::parse(version));
  };
  const struct {
    std::string text, allowed, refused;
  } rows[] = {
      {"3.11", "3.11.4", "3.12.0"},
      {"3.11.4", "3.11.4", "3.11.5"},
      {"3", "3.12.1", "4.0.0"},
      {"python-3.11", "3.11.1", "3.1.0"},
      {"cpython@3.11", "3.11.1", "3.10.0"},
      {"cpython-3.11", "3.11.1", "3.10.0"},
      {"cpython3.11", "3.11.1", "3.10.0"},
      {"python3.11.2", "3.11.2", "3.11.3"},
      {">=3.11", "3.12.0", "3.10.9"},
      {"~=3.11", "3.12.0", "3.10.0"},
      {"!=3.11.1", "3.11.2", "3.11.1"},
      {"=3.11", "", ""},
  };
  for (const auto& row : rows) {
    const auto pin = pin_of_version("x", row.text);
    if (row.allowed.empty()) {
      EXPECT_FALSE(pin) << row.text;
      continue;
    }
    ASSERT_TRUE(pin) << row.text;
    EXPECT_TRUE(allows(pin, row.allowed)) << row.text;
    EXPECT_FALSE(allows(pin, row.refused)) << row.text;
  }
  EXPECT_TRUE(allows(pin_of_poetry("x", "^2.7 || ^3.8"), "3.9.0"));
  EXPECT_TRUE(allows(pin_of_poetry("x", "^2.7 || ^3.8"), "2.7.1"));
  EXPECT_FALSE(allows(pin_of_poetry("x", "^2.7 || ^3.8"), "3.7.0"));
}

TEST(Pins, ThatNoPythonSatisfiesAreAnError) {
  const auto agree = [](const std::string& one, const std::string& other) {
    return check_agreement({pin_of_version("a", "3").value(), pin_of_version("b", one).value(),
                            pin_of_version("c", other).value()})
        .has_value();
  };
  EXPECT_TRUE(agree("3.11", ">=3.9,<4"));
  EXPECT_TRUE(agree("3.0.0", "3.0"));
  EXPECT_TRUE(agree("3.40.50", "3.40"));
  EXPECT_TRUE(agree("3.11", "3.11.20"));
  EXPECT_FALSE(agree("3.11", "3.12"));
  EXPECT_FALSE(agree("3.11.2", "<3.11.2"));
  EXPECT_FALSE(agree(">3.11", "<=3.11.0"));
}

}  // namespace
}  // namespace builder::python
