// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <ctime>
#include <functional>
#include <set>

#include "builder-runtime/languages/language.h"
#include "tests/unit/builder/python/fake_machine.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using testing::_;

class NoRunner : public process::Runner {
 public:
  MOCK_METHOD(base::Result<process::Finished>, run, (const process::Command&, const process::ErrorSink&),
              (override));
};

class PythonKeys : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "keys.").value();
  testing::NiceMock<NoRunner> m_runner;
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_runner};

  void SetUp() override {
    for (const char* name : {"source", "home/.config/uv", "home/.cargo", "cache"})
      ASSERT_TRUE(base::make_folders(m_folder.path() / name));
  }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  }
  [[nodiscard]] Installation installation() const {
    Installation installation{.source = m_folder.path() / "source"};
    installation.manifest.kind = ManifestKind::requirements;
    installation.manifest.files = {"requirements.txt"};
    installation.uv = "/bin/uv";
    installation.uv_version = "uv 1";
    installation.configuration.environment = {{"HOME", (m_folder.path() / "home").string()}};
    installation.interpreter = {"/bin/python3", "cpython-3.11.2", "glibc 2.36", "3.11.2", {}};
    return installation;
  }
  [[nodiscard]] std::string key(const Installation& installation) const {
    const auto inputs = inputs_of_machine(installation, installation.configuration.environment, m_tools);
    return inputs ? inputs->key() : inputs.error().what;
  }
};

// Folders of packages that a variable names, the one as the other.
TEST_F(PythonKeys, EachFolderThatAVariableNamesIsAPart) {
  write("one/a-1-py3-none-any.whl", "1");
  write("two/b-1-py3-none-any.whl", "1");
  const std::string folders[] = {(m_folder.path() / "one").string(), (m_folder.path() / "two").string()};
  for (const char* variable : {"UV_FIND_LINKS", "UV_INDEX", "UV_EXTRA_INDEX_URL"}) {
    for (const char* between : {" ", ","}) {
      Installation installed = installation();
      installed.configuration.environment[variable] = folders[0] + between + folders[1];
      for (const char* file : {"one/a-1-py3-none-any.whl", "two/b-1-py3-none-any.whl"}) {
        write(file, "1");
        const std::string before = key(installed);
        write(file, "2");
        EXPECT_NE(key(installed), before) << variable << between << file;
      }
    }
  }
}

// Changes the one input after the other, and expects a key that none of those before had.
TEST_F(PythonKeys, EachInputOfTheMachineIsAPart) {
  const std::vector<std::pair<std::string, std::function<void(Installation&)>>> changes = {
      {"nothing", [](auto&) {}},
      {"uv", [](auto& i) { i.uv_version = "uv 2"; }},
      {"where the interpreter is", [](auto& i) { i.interpreter.path = "/opt/python3"; }},
      {"which interpreter it is", [](auto& i) { i.interpreter.identity = "cpython-3.12.0"; }},
      {"the C library", [](auto& i) { i.interpreter.libc = "musl"; }},
      {"arguments", [](auto& i) { i.configuration.arguments = {"--no-index"}; }},
      {"two arguments", [](auto& i) { i.configuration.arguments = {"--no-binary", "a"}; }},
      {"configuration of pip", [](auto& i) { i.configuration.inputs.add_value("pip.conf", "x"); }},
      {"a variable", [](auto& i) { i.configuration.environment["CFLAGS"] = "-O2"; }},
      {"its value", [](auto& i) { i.configuration.environment["CFLAGS"] = "-O3"; }},
      {"a variable of uv", [](auto& i) { i.configuration.environment["UV_PRERELEASE"] = "allow"; }},
      {"another index", [](auto& i) { i.configuration.environment["UV_DEFAULT_INDEX"] = "https://a/"; }},
      {"groups", [](auto& i) { i.settings.groups = {"a"}; }},
      {"two groups", [](auto& i) { i.settings.groups = {"a", "b"}; }},
      {"extras", [](auto& i) { i.settings.extras = {"a"}; }},
      {"with the project", [](auto& i) { i.settings.project = true; }},
      {"without the project", [](auto& i) { i.settings.project = false; }},
      {"another manifest", [](auto& i) { i.manifest.kind = ManifestKind::project; }},
      {"a project that is installed", [](auto& i) { i.manifest.installs_project = true; }},
      {"options of requirements", [](auto& i) { i.options = {"--pre"}; }},
  };
  std::set<std::string> seen;
  for (const auto& [name, change] : changes) {
    Installation changed = installation();
    change(changed);
    EXPECT_TRUE(seen.insert(key(changed)).second) << name;
  }
}

TEST_F(PythonKeys, EachFileOfTheMachineIsAPart) {
  const std::vector<std::string> files = {
      "source/uv.toml",        "source/pyproject.toml",   "uv.toml",         "home/.config/uv/uv.toml",
      "home/.pydistutils.cfg", "home/.cargo/config.toml", "constraints.txt", "more.txt"};
  auto installation = this->installation();
  installation.configuration.environment["UV_CONSTRAINT"] = (m_folder.path() / "constraints.txt").string();
  std::set<std::string> seen = {key(installation)};
  for (const auto& file : files) {
    for (const std::string text : {"# one\n-r more.txt\n", "# two\n-r more.txt\n"}) {
      write(file, file.ends_with(".toml") ? text.substr(0, 6) : text);
      EXPECT_TRUE(seen.insert(key(installation)).second) << file << ": " << text;
    }
  }
}

TEST_F(PythonKeys, CredentialsAreNoPart) {
  const auto with = [&](const std::string& word) {
    auto changed = installation();
    auto& environment = changed.configuration.environment;
    environment["UV_DEFAULT_INDEX"] = "https://me:" + word + "@host/simple";
    environment["UV_INDEX_OURS_PASSWORD"] = word;
    environment["WORD"] = word;
    changed.credentials = {"WORD"};
    changed.configuration.arguments = {"--find-links", "https://me:" + word + "@host/links"};
    return changed;
  };
  EXPECT_EQ(key(with("one")), key(with("two")));
  EXPECT_EQ(key(with("one")), key(with("p@ss@")));
  auto named = with("one");
  named.credentials = {};
  EXPECT_NE(key(named), key(with("one"))) << "a variable that is in no URL is an input";
}

TEST_F(PythonKeys, WhatTheSourceAsksForAndTheMachineAreParts) {
  const auto all = [](const Installation& installation) {
    const auto keys = keys_of(installation);
    return keys ? keys->all.key() : keys.error().what;
  };
  Installation plain = installation();
  Installation asked = plain;
  asked.asked.add_value("requirements.txt", "six");
  Installation machine = plain;
  machine.machine.add_value("uv", "2");
  Installation files = plain;
  files.uses_files = true;
  Installation daily = plain;
  daily.settings.refresh = Refresh::daily;
  std::set<std::string> seen;
  for (const auto* one : {&plain, &asked, &machine, &files, &daily})
    EXPECT_TRUE(seen.insert(all(*one)).second);
  write("source/setup.cfg", "[metadata]\nname = x\n");
  EXPECT_TRUE(seen.insert(all(files)).second) << "a file of the source that is installed";
  EXPECT_NE(key_of_lines(plain, {"six==1"}), key_of_lines(plain, {"six==2"}));
  EXPECT_NE(key_of_lines(plain, {"six==1"}), key_of_lines(machine, {"six==1"}));
}

TEST_F(PythonKeys, AChoiceIsKeptByWhatDecidesVersions) {
  const auto choice = [](const Installation& installation) {
    const auto keys = keys_of(installation);
    return keys ? keys->choice : keys.error().what;
  };
  Installation files = installation();
  files.uses_files = true;
  write("source/pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\n");
  const auto before = choice(files);
  EXPECT_NE(before, "");
  write("source/module.py", "");
  EXPECT_EQ(choice(files), before);
  write("source/pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\ndependencies = [\"six\"]\n");
  EXPECT_NE(choice(files), before);
  write("source/setup.py", "");
  EXPECT_EQ(choice(files), "") << "only a program knows what it needs";
  Installation always = installation();
  always.settings.refresh = Refresh::always;
  EXPECT_EQ(choice(always), "");
}

TEST_F(PythonKeys, PackagesOfTheImageAreAPart) {
  auto with = installation();
  with.settings.image_packages = true;
  EXPECT_NE(key(with), key(installation()));
}

// Relative to the source, several in one variable, and what they include.
TEST_F(PythonKeys, EachFileThatAVariableNamesIsAPart) {
  const auto files = {"source/below/first.txt", "source/below/more.txt", "second.txt", "third.txt"};
  for (const char* variable : {"UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE"}) {
    Installation installed = installation();
    installed.configuration.environment[variable] =
        "below/first.txt  " + (m_folder.path() / "second.txt").string();
    write("source/below/first.txt", "a\n-r more.txt\n");
    write("second.txt", "-c third.txt\n");
    std::set<std::string> seen = {key(installed)};
    for (const char* file : files) {
      write(file, "-r more.txt\n-c third.txt\n" + std::string(file));
      EXPECT_TRUE(seen.insert(key(installed)).second) << variable << " " << file;
    }
    for (const char* file : files) ASSERT_TRUE(base::remove_tree(m_folder.path() / file));
  }
}

TEST_F(PythonKeys, EachFileWhereAVariableMovesItIsAPart) {
  const struct {
    const char *file, *variable, *value;
  } rows[] = {
      {"chosen.toml", "UV_CONFIG_FILE", "chosen.toml"},
      {"config/uv/uv.toml", "XDG_CONFIG_HOME", "config"},
      {"system/uv/uv.toml", "XDG_CONFIG_DIRS", "system"},
      {"extra.cfg", "DIST_EXTRA_CONFIG", "extra.cfg"},
      {"cargo/config", "CARGO_HOME", "cargo"},
      {"cargo/config.toml", "CARGO_HOME", "cargo"},
      {"home/.cargo/config", "UNUSED", ""},
  };
  for (const auto& row : rows) {
    auto installed = installation();
    installed.configuration.environment[row.variable] = (m_folder.path() / row.value).string();
    const auto before = key(installed);
    write(row.file, "# one");
    const auto with_it = key(installed);
    EXPECT_NE(with_it, before) << row.file;
    write(row.file, "# two");
    EXPECT_NE(key(installed), with_it) << row.file;
  }
}

TEST_F(PythonKeys, AProjectAboveTheSourceIsAPartWhereItHasSettingsOfUv) {
  const auto before = key(installation());
  write("pyproject.toml", "[project]\nname = 'a'\n");
  EXPECT_EQ(key(installation()), before);
  write("pyproject.toml", "[tool.uv]\n");
  EXPECT_NE(key(installation()), before);
}

// Which files of a source can say what its packages need.
TEST_F(PythonKeys, AChoiceIsOfFilesThatMaySayWhatIsNeeded) {
  Installation files = installation();
  files.uses_files = true;
  write("source/pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\n");
  const auto choice = [&] { return keys_of(files).value().choice; };
  auto last = choice();
  for (const char* name : {"a.toml", "a.cfg", "requirements.txt", "a.in", "x.lock", "a-1-py3-none-any.whl",
                           "a.tar.gz", "a.tar.bz2", "a.zip", "below/b.cfg"}) {
    write(std::string("source/") + name, "# x\n");
    const auto now = choice();
    EXPECT_NE(now, last) << name;
    last = now;
  }
  for (const char* name : {"a.py", "README.md", "toml", "data.json", "MANIFEST"}) {
    write(std::string("source/") + name, "# x\n");
    EXPECT_EQ(choice(), last) << name;
  }
}

TEST_F(PythonKeys, NoChoiceIsKeptWhereABuildSystemSaysWhatIsNeeded) {
  Installation files = installation();
  files.uses_files = true;
  const struct {
    std::string project;
    bool is_kept;
  } rows[] = {
      {"[project]\nname = 'x'\nversion = '1'\n", true},
      {"[project]\nname = 'x'\ndynamic = ['version']\n", true},
      {"[project]\nname = 'x'\nversion = '1'\ndynamic = ['dependencies']\n", false},
      {"[project]\nname = 'x'\nversion = '1'\ndynamic = ['optional-dependencies']\n", false},
      {"[project]\nname = 'x'\nversion = '1'\ndynamic = ['readme']\n", true},
      {"[tool.poetry]\nname = 'x'\n", true},
      {"[build-system]\nrequires = []\n", false},
      {"broken = [", false},
  };
  for (const auto& row : rows) {
    write("source/pyproject.toml", row.project);
    EXPECT_EQ(!keys_of(files).value().choice.empty(), row.is_kept) << row.project;
  }
  // Of several, another may ask for a version.
  write("source/pyproject.toml", "[project]\nname = 'x'\ndynamic = ['version']\n");
  write("source/below/pyproject.toml", "[project]\nname = 'y'\nversion = '1'\n");
  EXPECT_EQ(keys_of(files).value().choice, "");
}

// The fields of an input that is in the key, or the reason why it is not.
class PythonInputs : public PythonKeys {
 protected:
  FakeMachine m_machine{m_folder.path()};

  std::map<std::string, std::string> told(const Installation& installation, const std::string& kind) {
    m_settings.environment = m_machine.environment;
    const Tools tools(m_settings, m_machine);
    const auto inputs = inputs_of_machine(installation, installation.configuration.environment, tools);
    EXPECT_TRUE(inputs) << (inputs ? "" : inputs.error().what);
    std::map<std::string, std::string> found;
    for (const auto& line : base::split(inputs->lines(), '\n')) {
      const auto fields = base::split(line, '\t');
      if (fields.at(0) == kind) found[fields.at(1)] = fields.at(2);
    }
    return found;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
};

TEST_F(PythonInputs, AreToldWithTheirValues) {
  auto installed = installation();
  auto values = told(installed, "value");
  EXPECT_EQ(values["format"], key_base("python"));
  EXPECT_EQ(values["python.project"], "");
  EXPECT_EQ(values["python.image_packages"], "false");
  EXPECT_EQ(values["manifest"], "6");
  EXPECT_EQ(values["arguments"], "");
  installed.settings.project = true;
  installed.settings.image_packages = true;
  installed.settings.groups = {"g", "h"};
  installed.settings.extras = {"e", "f"};
  installed.manifest.installs_project = true;
  installed.options = {"--pre", "--no-index"};
  installed.configuration.arguments = {"--no-index", "--find-links", "https://me:pw@h/l"};
  values = told(installed, "value");
  EXPECT_EQ(values["python.project"], "true");
  EXPECT_EQ(values["python.image_packages"], "true");
  EXPECT_EQ(values["python.groups"], "g h");
  EXPECT_EQ(values["python.extras"], "e f");
  EXPECT_EQ(values["manifest"], "6, with the project");
  EXPECT_EQ(values["options of requirements"], "--pre --no-index");
  EXPECT_THAT(values["arguments"], testing::StartsWith("--no-index --find-links https://"));
  EXPECT_THAT(values["arguments"], testing::Not(testing::HasSubstr("pw")));
  installed.settings.project = false;
  EXPECT_EQ(told(installed, "value")["python.project"], "false");
  auto tools = told(installed, "tool");
  EXPECT_EQ(tools["uv"], "uv 1");
  EXPECT_EQ(tools["python"], "cpython-3.11.2, glibc 2.36, at /bin/python3");
}

TEST_F(PythonInputs, OutsideOfTheKeyHaveAReason) {
  for (const auto* file :
       {"home/.netrc", "home/.gitconfig", "home/.config/git/config", "home/.rustup/settings.toml",
        "home/.local/share/uv/credentials/x", "pyenv/version", "pyproject.toml"})
    write(file, "x");
  auto installed = installation();
  installed.interpreter.choice = path("pyenv/version");
  installed.credentials = {"WORD"};
  installed.configuration.environment["WORD"] = "x";
  const std::string no_key = "not in the key: ";
  const std::string git = no_key + "how git reaches servers, not their content";
  auto files = told(installed, "file");
  EXPECT_EQ(files["~/.netrc"], no_key + "credentials");
  EXPECT_EQ(files[".gitconfig"], git);
  EXPECT_EQ(files["config"], git);
  EXPECT_EQ(files["~/.rustup/settings.toml"], no_key + "it selects the compiler, which is in the key");
  EXPECT_EQ(files["version of pyenv"], no_key + "it selects the interpreter, which is in the key");
  EXPECT_EQ(files["../pyproject.toml"], no_key + "it has no uv settings");
  EXPECT_EQ(told(installed, "folder")["~/.local/share/uv/credentials"], no_key + "credentials");
  EXPECT_EQ(told(installed, "variable")["WORD"], no_key + "a credential in a URL");
  // Where variables move them.
  for (const auto* name : {"home/.netrc", "home/.rustup", "home/.local", "home/.config", "home/.gitconfig"})
    ASSERT_TRUE(base::remove_tree(m_folder.path() / name));
  files = told(installed, "file");
  for (const auto* gone : {"~/.netrc", ".gitconfig", "config", "~/.rustup/settings.toml"})
    EXPECT_FALSE(files.contains(gone)) << gone;
  for (const auto* file : {"moved/netrc", "moved/rustup/settings.toml", "moved/data/uv/credentials/x",
                           "moved/config/git/config"})
    write(file, "x");
  auto& environment = installed.configuration.environment;
  environment["NETRC"] = path("moved/netrc");
  environment["RUSTUP_HOME"] = path("moved/rustup");
  environment["XDG_DATA_HOME"] = path("moved/data");
  environment["XDG_CONFIG_HOME"] = path("moved/config");
  files = told(installed, "file");
  for (const auto* there : {"~/.netrc", "config", "~/.rustup/settings.toml"})
    EXPECT_TRUE(files.contains(there)) << there;
  EXPECT_TRUE(told(installed, "folder").contains("~/.local/share/uv/credentials"));
}

TEST_F(PythonInputs, FilesHaveTheSameNamesOnEveryMachine) {
  for (const auto* file :
       {"source/uv.toml", "source/pyproject.toml", "uv.toml", "cache/uv.toml", "cache/pyproject.toml",
        "home/.config/uv/uv.toml", "home/.pydistutils.cfg", "home/.cargo/config.toml", "home/.cargo/config",
        "one/uv/uv.toml", "two/uv/uv.toml", "chosen.toml", "extra.cfg", "first.txt", "second.txt",
        "more.txt"})
    write(file, file == std::string("first.txt") ? "-r more.txt\n" : "# [tool.uv]\n");
  auto installed = installation();
  auto& environment = installed.configuration.environment;
  environment["XDG_CONFIG_DIRS"] = path("one") + ":" + path("two");
  environment["UV_CONFIG_FILE"] = "../chosen.toml";
  environment["DIST_EXTRA_CONFIG"] = path("extra.cfg");
  environment["UV_CONSTRAINT"] = path("first.txt") + "  " + path("second.txt");
  const auto files = told(installed, "file");
  const std::vector<std::string> names = {"uv.toml",
                                          "pyproject.toml",
                                          "../uv.toml",
                                          "../pyproject.toml",
                                          "../../uv.toml",
                                          "~/.config/uv/uv.toml",
                                          "~/.pydistutils.cfg",
                                          "~/.cargo/config.toml",
                                          "~/.cargo/config",
                                          "UV_CONFIG_FILE",
                                          "DIST_EXTRA_CONFIG",
                                          path("one") + "/uv/uv.toml",
                                          path("two") + "/uv/uv.toml",
                                          "UV_CONSTRAINT 1",
                                          "UV_CONSTRAINT 1 -r more.txt",
                                          "UV_CONSTRAINT 2"};
  for (const auto& name : names) {
    ASSERT_TRUE(files.contains(name)) << name;
    EXPECT_FALSE(files.at(name).starts_with("not in the key")) << name;
  }
}

TEST_F(PythonInputs, CompilersAreToolsByTheirNamesAndVariables) {
  const std::vector<std::string> names = {"cc",       "c++",        "gcc",   "g++",   "clang",
                                          "gfortran", "pkg-config", "cmake", "rustc", "swig"};
  const std::vector<std::string> variables = {"CC", "CXX",      "FC",         "F77",   "F90",  "AR",
                                              "LD", "LDSHARED", "PKG_CONFIG", "RUSTC", "CMAKE"};
  auto installed = installation();
  for (const auto& name : names) ASSERT_TRUE(base::write_file(m_folder.path() / "bin" / name, "x", 0755));
  for (const auto& variable : variables) {
    ASSERT_TRUE(base::write_file(m_folder.path() / "bin" / ("own-" + variable), "x", 0755));
    installed.configuration.environment[variable] = "own-" + variable + " -x";
  }
  const auto tools = told(installed, "tool");
  for (const auto& name : names) EXPECT_TRUE(tools.contains(name)) << name;
  for (const auto& variable : variables) EXPECT_TRUE(tools.contains("own-" + variable)) << variable;
}

TEST_F(PythonInputs, AFolderOfPackagesInTheSourceMakesItAnInput) {
  auto installed = installation();
  write("source/wheels/a.whl", "1");
  EXPECT_FALSE(told(installed, "folder").contains("the source, for packages in it"));
  for (const auto* variable : {"UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL"}) {
    auto with = installed;
    with.configuration.environment[variable] = "wheels";
    EXPECT_TRUE(told(with, "folder").contains("the source, for packages in it")) << variable;
  }
  write("source/uv.toml", "find-links = ['wheels']\n");
  EXPECT_FALSE(told(installed, "folder").contains("the source, for packages in it")) << "look() has found it";
  write("uv.toml", "find-links = ['source/wheels']\n");
  EXPECT_TRUE(told(installed, "folder").contains("the source, for packages in it"));
}

// Constraints include each other; the 17th file is the last that is read.
TEST_F(PythonKeys, ConstraintsAreReadSixteenDeep) {
  auto installed = installation();
  installed.configuration.environment["UV_CONSTRAINT"] = (m_folder.path() / "c0.txt").string();
  const auto put = [&](int number, const std::string& text) {
    write("c" + std::to_string(number) + ".txt", text + "\n-r c" + std::to_string(number + 1) + ".txt\n");
  };
  for (int i = 0; i < 20; ++i) put(i, "a");
  auto last = key(installed);
  for (int i = 0; i < 20; ++i) {
    put(i, "b");
    const auto now = key(installed);
    EXPECT_EQ(now != last, i <= 16) << i;
    last = now;
  }
}

TEST_F(PythonKeys, ADayIsTheNumberOfDays) {
  auto daily = installation();
  daily.settings.refresh = Refresh::daily;
  const auto day = [] { return "value\tday\t" + std::to_string(std::time(nullptr) / 86'400) + "\t"; };
  const auto before = day();
  const auto lines = keys_of(daily).value().all.lines();
  EXPECT_TRUE(lines.find(before) != std::string::npos || lines.find(day()) != std::string::npos) << lines;
  EXPECT_EQ(keys_of(installation()).value().all.lines().find("value\tday\t"), std::string::npos);
}

TEST_F(PythonKeys, AChoiceIsOfNamesAndOfGit) {
  Installation files = installation();
  files.uses_files = true;
  const auto choice = [&] { return keys_of(files).value().choice; };
  write("source/a.cfg", "x");
  const auto before = choice();
  fs::rename(m_folder.path() / "source/a.cfg", m_folder.path() / "source/b.cfg");
  EXPECT_NE(choice(), before);
  EXPECT_FALSE(keys_of(files).value().asks_git);
  write("source/pyproject.toml",
        "[project]\nname = 'x'\nversion = '1'\n[tool.setuptools_scm]\n[build-system]\nrequires = "
        "['setuptools_scm']\n");
  EXPECT_TRUE(keys_of(files).value().asks_git);
  EXPECT_FALSE(keys_of(installation()).value().asks_git) << "nothing of it is built";
  write("source/setup.cfg", "");
  EXPECT_EQ(choice(), "");
  fs::remove(m_folder.path() / "source/setup.cfg");
  EXPECT_NE(choice(), "");
  fs::remove_all(m_folder.path() / "source");
  EXPECT_FALSE(keys_of(files)) << "there is no source";
}

}  // namespace
}  // namespace builder::python
