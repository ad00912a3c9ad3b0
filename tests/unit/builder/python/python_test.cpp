// SPDX-License-Identifier: Apache-2.0
// What is planned for a Python source: the program, the key and its inputs, the layers, and what is told.
#include "builder-runtime/languages/python/python.h"

#include <gmock/gmock.h>

#include "revision/revision.h"
#include "tests/unit/builder/python/fake_machine.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Lines = std::vector<std::string>;
using Files = std::map<std::string, std::string>;

class PythonPlans : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "plans.").value();
  const fs::path m_top = fs::canonical(m_folder.path());
  const fs::path m_source = m_top / "source";
  FakeMachine m_machine{m_top};
  Settings m_settings{.cache = m_top / "cache"};
  std::optional<Tools> m_tools;
  Reported m_reported;
  Source m_asked;

  void put(const Files& files) {
    fs::remove_all(m_source);
    add(files);
  }
  void add(const Files& files) const {
    ASSERT_TRUE(base::make_folders(m_source));
    for (const auto& [name, text] : files) {
      ASSERT_TRUE(base::make_folders((m_source / name).parent_path()));
      ASSERT_TRUE(base::write_file(m_source / name, text));
    }
  }
  base::Result<Findings> find() {
    m_asked.folder = m_source;
    m_asked.settings = read_source_settings(m_source).value();
    return look(m_asked, m_machine.environment);
  }
  base::Result<Plan> try_plan() {
    m_settings.environment = m_machine.environment;
    m_tools.emplace(m_settings, m_machine);
    BASE_TRY_ASSIGN(const auto findings, find());
    return findings.plan(*m_tools);
  }
  Plan plan() {
    auto made = try_plan();
    EXPECT_TRUE(made) << (made ? "" : made.error().where + ": " + made.error().what);
    return made ? std::move(*made) : Plan{};
  }
  Plan plan(const Files& files) {
    put(files);
    return plan();
  }
  static std::string error_of(const base::Error& error) {
    return fs::path(error.where).filename().string() + ": " + error.what + " | " + error.hint;
  }
  // The inputs of these kinds, "KIND NAME", with the reason of those that are not in the key.
  [[nodiscard]] Lines inputs(const Plan& plan, const std::string& kind, bool in_key) const {
    Lines told;
    for (const auto& line : base::split(plan.inputs.lines(), '\n')) {
      const auto fields = base::split(line, '\t');
      if (fields.size() != 4 || fields[0] != kind || fields[2].starts_with("not in the key: ") == in_key)
        continue;
      if (fields[3].starts_with('/') && !fields[3].starts_with(m_top.string())) continue;  // of this machine
      told.push_back(fields[1] + (in_key ? "" : fields[2].substr(std::string("not in the key").size())));
    }
    return told;
  }
  static bool uses_files(const Plan& plan) {
    return plan.inputs.lines().find("folder\tthe source\t") != std::string::npos;
  }
  // The commands that choose versions.
  [[nodiscard]] std::vector<process::Command> choices() const {
    std::vector<process::Command> found;
    for (const auto& command : m_machine.uv_commands) {
      if (command.arguments.at(2) == "compile") found.push_back(command);
    }
    return found;
  }
};

const std::string k_pinned = "name = 'x'\nversion = '1'\ndependencies = ['a==1']\n";
const std::string k_locked_a =
    "[[packages]]\nname = \"a\"\nversion = \"1\"\nwheels = [{ url = \"https://h/a.whl\", hashes = { sha256 = "
    "\"aa\" } "
    "}]\n";
const std::string k_locked_own = "[[packages]]\nname = \"own\"\ndirectory = { path = \"source\" }\n";

TEST_F(PythonPlans, ASourceMayBeOfPythonByEachOfItsFiles) {
  const auto is = [&](const Files& files) {
    put(files);
    return may_be(m_source);
  };
  for (const std::string file : {"x.py", "pyproject.toml", "requirements.txt", "Pipfile", "environment.yml",
                                 "environment.yaml", "pkg/__main__.py"}) {
    EXPECT_TRUE(is({{file, ""}})) << file;
  }
  EXPECT_FALSE(is({}));
  for (const std::string file : {"x.txt", "pkg/x.py", "x.py/file", "Pipfile/x", "setup.cfg"})
    EXPECT_FALSE(is({{file, ""}})) << file;
  EXPECT_FALSE(may_be(m_top / "none"));
}

TEST_F(PythonPlans, TheSummaryIsWhatSaysWhatToInstall) {
  const struct {
    Files files;
    std::string summary;
  } rows[] = {
      {{}, "nothing to install"},
      {{{"requirements.txt", ""}}, "requirements.txt without requirements"},
      {{{"requirements.txt", "a\nb\n"}}, "requirements.txt with 2 requirements"},
      {{{"pachbuild.toml", "[python]\ndependencies = ['a.txt', 'b.txt']\n"}, {"a.txt", "a\n"}, {"b.txt", ""}},
       "a.txt, b.txt with 1 requirement"},
      {{{"pyproject.toml", "[project]\n" + k_pinned}}, "pyproject.toml"},
      {{{"uv.lock", ""}, {"pyproject.toml", ""}}, "uv.lock"},
      {{{"main.py", "# /// script\n# dependencies = ['a']\n# ///\n"}}, "main.py"},
  };
  for (const auto& row : rows) {
    put(row.files);
    if (!row.files.contains("main.py")) add({{"main.py", ""}});
    EXPECT_EQ(find().value().summary, row.summary);
  }
}

TEST_F(PythonPlans, TheProgramIsFoundWhereOneHasToBe) {
  const auto told = [&](const Files& files, bool has_run_script, bool has_own_command) {
    put(files);
    m_asked.has_run_script = has_run_script;
    m_asked.has_own_command = has_own_command;
    const auto made = try_plan();
    if (!made) return "error: " + error_of(made.error());
    return base::join(made->start.command, " ") +
           (made->program.name.empty() ? "" : " = " + made->program.name) +
           (made->start.no_program
                ? " | " + made->start.no_program->what + " | " + made->start.no_program->hint
                : "") +
           (made->review ? " reviewed" : "");
  };
  const std::string what = "no program found: expected main.py or another .py file at the root";
  const std::string hint = "name the program main.py, or set python.program in pachbuild.toml";
  EXPECT_EQ(told({{"main.py", ""}}, false, false), "python3 /pfs/source/main.py = main.py reviewed");
  EXPECT_EQ(told({{"main.py", ""}}, false, true), "python3 /pfs/source/main.py = main.py reviewed");
  EXPECT_EQ(told({{"main.py", ""}}, true, false), "python3");
  EXPECT_EQ(told({{"x.txt", ""}}, true, false), "python3");
  EXPECT_EQ(told({{"x.txt", ""}}, false, false), "error: source: " + what + " | " + hint);
  EXPECT_EQ(told({{"x.txt", ""}}, false, true), "python3 | " + what + " | " + hint);
  const std::string two = "cannot tell which file is the program: a.py, b.py";
  EXPECT_EQ(told({{"a.py", ""}, {"b.py", ""}}, false, true), "python3 | " + two + " | " + hint + " reviewed");
  EXPECT_EQ(told({{"x.py", ""}, {"pachbuild.toml", "[python]\nprogram = 'none.py'\n"}}, false, true),
            "error: pachbuild.toml:2: python.program: no file none.py in the source | ");
  EXPECT_EQ(told({{"main.py", ""}, {"requirements.txt", "a\n"}}, false, false),
            "python /pfs/source/main.py = main.py reviewed")
      << "the environment's own";
}

TEST_F(PythonPlans, FilesThatDoNotCountAreTold) {
  const auto told = [&](const Files& files) {
    put(files);
    const Reported reported;
    const auto found = find();
    EXPECT_TRUE(found) << found.error().what;
    return base::join(reported.lines(), "\n");
  };
  const Files two = {{"main.py", ""},
                     {"requirements.txt", "a\n"},
                     {"pyproject.toml", "[project]\nname = 'x'\ndependencies = ['b']\n"}};
  EXPECT_EQ(told(two),
            "pyproject.toml: ignored because requirements.txt takes precedence; not installed: b; to use it "
            "instead, set python.dependencies = [\"pyproject.toml\"] in pachbuild.toml");
  auto chosen = two;
  chosen["pachbuild.toml"] = "[python]\ndependencies = ['requirements.txt']\n";
  EXPECT_EQ(told(chosen), "");
  EXPECT_THAT(told({{"main.py", ""}, {"dev-requirements.txt", "a\n"}}),
              StartsWith("dev-requirements.txt: not installed"));
  EXPECT_EQ(told({{"main.py", ""}}), "");
  const std::string project = "[python]\nproject = true\n";
  const std::string ignored = "pachbuild.toml:2: python.project: ignored because ";
  EXPECT_EQ(told({{"main.py", ""}, {"pachbuild.toml", project}}), ignored + "the source has no project");
  EXPECT_EQ(told({{"main.py", ""}, {"requirements.txt", "a\n"}, {"pachbuild.toml", project}}),
            ignored + "only what requirements.txt lists is installed");
  EXPECT_EQ(
      told({{"main.py", ""}, {"pyproject.toml", "[project]\nname = 'x'\n"}, {"pachbuild.toml", project}}),
      "");
  const std::string inline_b = "# /// script\n# dependencies = ['b']\n# ///\n";
  EXPECT_THAT(told({{"main.py", inline_b}, {"requirements.txt", "a\n"}}),
              StartsWith("main.py: ignored because"));
  EXPECT_EQ(told({{"other.py", inline_b}, {"requirements.txt", "a\n"}, {"main.py", ""}}), "")
      << "not the program";
  m_asked.has_run_script = true;
  EXPECT_THAT(told({{"main.py", inline_b}, {"requirements.txt", "a\n"}}),
              StartsWith("main.py: ignored because"))
      << "what a run.sh most likely starts";
}

TEST_F(PythonPlans, WhereNothingIsInstalledThereIsNoBundle) {
  const auto made = plan({{"main.py", ""}, {"requirements.txt", "# none\n"}});
  EXPECT_EQ(made.key, "");
  EXPECT_FALSE(made.layers);
  EXPECT_FALSE(made.choices);
  EXPECT_EQ(made.platform.libc, "");
  EXPECT_EQ(made.platform.os, "linux");
  EXPECT_EQ(made.platform.architecture, architecture());
  EXPECT_EQ(made.platform.interpreter, "cpython-3.11.2");
  EXPECT_EQ(made.start.folder, "/pfs/source");
  EXPECT_EQ(made.start.interpreter, m_machine.python);
  EXPECT_EQ(plan({{"main.py", ""}, {"requirements.txt", "a\n"}}).platform.libc, "glibc 2.36");
}

TEST_F(PythonPlans, TheInterpreterIsThatOfThePins) {
  put({{"main.py", ""}, {".python-version", "3.12"}});
  const auto made = try_plan();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what,
              StartsWith("this version of Python is not available here; available: 3.11.2"));
}

// Each way in which a manifest may say that something of the source is installed; nothing is there.
TEST_F(PythonPlans, AFileThatMayBeInstalledMakesTheSourceAnInput) {
  for (const std::string text :
       {"path = 'none'", "a = '{path: none}'", "editable = true", "directory = 'none'",
        "type = \"directory\"", "type\t= 'file'", "a = 'file://none'", "a = { workspace = true }",
        "file = 'none'", "a = { file = './none' }", "a = 'file:./none'"}) {
    EXPECT_TRUE(uses_files(
        plan({{"main.py", ""}, {"pyproject.toml", "[project]\n" + k_pinned + "[tool.x]\n" + text + "\n"}})))
        << text;
    const auto script =
        plan({{"main.py", "# /// script\n# dependencies = ['a']\n# [tool.x]\n# " + text + "\n# ///\n"}});
    EXPECT_TRUE(uses_files(script)) << text;
  }
  for (const std::string text :
       {"a = 1", "readme = { file = 'README' }", "paths = 'x'", "a = 'https://h/x'"}) {
    EXPECT_FALSE(uses_files(
        plan({{"main.py", ""}, {"pyproject.toml", "[project]\n" + k_pinned + "[tool.x]\n" + text + "\n"}})))
        << text;
  }
}

TEST_F(PythonPlans, TheSourceIsAnInputWhereSomethingOfItIsInstalled) {
  const std::string project = "[project]\n" + k_pinned;
  const std::string system = "[build-system]\nrequires = []\n";
  const std::string lock = "[[package]]\nname = 'a'\nversion = '1'\n";
  const struct {
    std::string what;
    Files files;
    bool expected;
  } rows[] = {
      {"a project", {{"pyproject.toml", project}}, false},
      {"a package", {{"pyproject.toml", project + system}}, true},
      {"a lock of a project", {{"pyproject.toml", project}, {"uv.lock", lock}}, false},
      {"a lock of a package", {{"pyproject.toml", project + system}, {"uv.lock", lock}}, true},
      {"a lock of another", {{"pyproject.toml", project + system}, {"pylock.toml", ""}}, false},
      {"requirements", {{"requirements.txt", "a\n"}, {"pyproject.toml", system}}, false},
      {"requirements of a file", {{"requirements.txt", "./a.whl\n"}}, true},
      {"wheels of uv's settings",
       {{"requirements.txt", "a\n"}, {"uv.toml", "find-links = ['w']\n"}, {"w/a.whl", ""}},
       true},
      {"wheels of the project's",
       {{"requirements.txt", "a\n"}, {"pyproject.toml", "[tool.uv]\nfind-links = ['w']\n"}, {"w/a.whl", ""}},
       true},
      {"wheels of a manifest",
       {{"pyproject.toml", project + "[tool.x]\nfind-links = ['w']\n"}, {"w/a.whl", ""}},
       true},
      {"a Pipfile beside a lock", {{"pylock.toml", ""}, {"Pipfile", "[packages]\na = {path = 'x'}\n"}}, true},
      {"a setup.cfg beside a lock", {{"pylock.toml", ""}, {"setup.cfg", "[x]\npath = x\n"}}, true},
      {"a script of a package",
       {{"pyproject.toml", "[build-system]\nrequires = []\n"},
        {"main.py", "# /// script\n# dependencies = []\n# ///\n"}},
       true},
  };
  for (const auto& row : rows) {
    put(row.files);
    if (!row.files.contains("main.py")) add({{"main.py", ""}});
    EXPECT_EQ(uses_files(plan()), row.expected) << row.what;
  }
}

TEST_F(PythonPlans, FilesOutsideOfTheSourceAreInputsByTheirContent) {
  ASSERT_TRUE(base::make_folders(m_top / "wheels"));
  const struct {
    std::string what;
    Files files;
  } rows[] = {
      {"of a manifest",
       {{"pyproject.toml", "[project]\n" + k_pinned + "[tool.uv]\nfind-links = ['../wheels']\n"}}},
      {"of requirements", {{"requirements.txt", "a\n-f ../wheels\n"}}},
      {"of uv's settings", {{"requirements.txt", "a\n"}, {"uv.toml", "find-links = ['../wheels']\n"}}},
      {"of a script",
       {{"main.py",
         "# /// script\n# dependencies = ['a']\n# [tool.uv]\n# find-links = ['../wheels']\n# ///\n"}}},
  };
  for (const auto& row : rows) {
    put(row.files);
    if (!row.files.contains("main.py")) add({{"main.py", ""}});
    ASSERT_TRUE(base::write_file(m_top / "wheels/a.whl", "1"));
    const auto before = plan().key;
    ASSERT_TRUE(base::write_file(m_top / "wheels/a.whl", "2"));
    EXPECT_NE(plan().key, before) << row.what;
  }
}

TEST_F(PythonPlans, SayWhatTheArtifactHasFromTheProgramsSource) {
  m_machine.imports =
      "file\td\tmain.py\noutside\t3\tyaml\t\t-\tmain.py\noutside\t9\tcsv2\ta,b;c\timage:/none\tmore.py\n";
  EXPECT_THAT(plan({{"main.py", "1"}}).source_facts(),
              ElementsAre("inline ", "program main.py", "imports yaml unless ", "imports csv2 unless a,b;c",
                          "can be preloaded"));
  EXPECT_THAT(plan({{"main.py", "sys.path.pop()"}, {"requirements.txt", "a\n"}}).source_facts(),
              ElementsAre("inline ", "program main.py", "imports yaml unless ", "imports csv2 unless a,b;c",
                          "cannot be preloaded"));
  m_machine.imports.clear();
  EXPECT_THAT(plan({{"main.py", "# /// script\n# dependencies = ['a']\n# ///\n"}}).source_facts(),
              ElementsAre(testing::HasSubstr("dependencies = ['a']"), "program main.py", "can be preloaded"));
}

TEST_F(PythonPlans, NameAllInputsUnlessFilesOfTheSourceAreInstalled) {
  const auto names = [&](Files files) {
    files.emplace("main.py", "");
    put(files);
    return find().value().names_source_inputs;
  };
  EXPECT_TRUE(names({}));
  EXPECT_TRUE(names({{"requirements.txt", "a\n"}}));
  EXPECT_TRUE(names({{"pachbuild.toml", "[python]\nrefresh = 'never'\n"}}));
  EXPECT_FALSE(names({{"pachbuild.toml", "[python]\nrefresh = 'daily'\n"}}));
  EXPECT_FALSE(names({{"pachbuild.toml", "[python]\nrefresh = 'always'\n"}}));
  EXPECT_FALSE(names({{"setup.py", ""}}));
  EXPECT_FALSE(names({{"requirements.txt", "./package\n"}, {"package/setup.py", ""}}));
}

TEST_F(PythonPlans, OfASourceThatInstallsNothingNameTheFilesThatWereRead) {
  const auto made = plan({{"main.py", "1"}, {"requirements.txt", "# none\n"}, {".python-version", "3.11"}});
  EXPECT_EQ(made.key, "");
  EXPECT_THAT(inputs(made, "file", true), ElementsAre("requirements.txt"));
  EXPECT_THAT(inputs(made, "file", false),
              testing::UnorderedElementsAre(
                  ".python-version: it selects the interpreter, which is in the key",
                  "main.py: the program: its syntax is checked, but it is not in the bundle"));
}

TEST_F(PythonPlans, WhatOnlyFindsTheProgramIsNotInTheKey) {
  m_machine.imports = "file\td\tmain.py\nfile\td\tlib/deep.py\nfile\td\tother.py\n";
  const auto made = plan({{"main.py", "1"},
                          {"other.py", "2"},
                          {"lib/deep.py", "3"},
                          {"requirements.txt", "a\n"},
                          {"pyproject.toml", ""},
                          {"pachbuild.toml", ""},
                          {".python-version", "3.11"},
                          {"runtime.txt", "python-3.11"},
                          {"Pipfile", ""},
                          {"notes.txt", ""}});
  EXPECT_THAT(inputs(made, "file", false),
              testing::UnorderedElementsAre(
                  ".python-version: it selects the interpreter, which is in the key",
                  "Pipfile: it selects the interpreter, which is in the key",
                  "runtime.txt: it selects the interpreter, which is in the key",
                  "pachbuild.toml: the settings in it that affect the bundle are in the key",
                  "pyproject.toml: the settings in it that affect the bundle are in the key",
                  "main.py: the program: its syntax is checked, but it is not in the bundle",
                  "other.py: read to find the program",
                  "lib/deep.py: its imports are compared with what is installed"));
  const auto key = made.key;
  add({{"main.py", "9"}, {"other.py", "9"}, {"lib/deep.py", "9"}, {"Pipfile", "# 9"}});
  EXPECT_EQ(plan().key, key);
  m_machine.imports = "file\td\tpkg/cli.py\n";
  const auto below = plan({{"pkg/cli.py", ""},
                           {"pachbuild.toml", "[python]\nprogram = 'pkg.cli'\n"},
                           {"requirements.txt", "a\n"}});
  EXPECT_THAT(inputs(below, "file", false),
              Contains("pkg/cli.py: the program: its syntax is checked, but it is not in the bundle"));
}

TEST_F(PythonPlans, AScriptIsAnInputByItsMetadata) {
  const auto key = [&](const std::string& dependency, const std::string& rest) {
    const auto made =
        plan({{"main.py", "# /// script\n# dependencies = ['" + dependency + "']\n# ///\n" + rest}});
    EXPECT_THAT(inputs(made, "file", true), IsEmpty());
    return made.key;
  };
  const auto one = key("a", "x = 1\n");
  EXPECT_EQ(key("a", "x = 2\n"), one);
  EXPECT_NE(key("b", "x = 1\n"), one);
  put({{"main.py", "# /// script\n# dependencies = ['a']\n# ///\n"}, {"main.py.lock", "version = 1\n"}});
  EXPECT_THAT(inputs(plan(), "file", true), ElementsAre("main.py.lock"));
}

TEST_F(PythonPlans, EachFileBesideAManifestIsAnInput) {
  const Files files = {
      {"uv.lock", ""}, {"pyproject.toml", "# \n"}, {"Pipfile", ""}, {"setup.cfg", ""}, {"main.py", ""}};
  EXPECT_THAT(inputs(plan(files), "file", true),
              testing::IsSupersetOf({"uv.lock", "pyproject.toml", "Pipfile", "setup.cfg"}));
  for (const auto& [name, text] : files) {
    if (name == "main.py") continue;
    put(files);
    const auto before = plan().key;
    add({{name, "# more\n"}});
    EXPECT_NE(plan().key, before) << name;
  }
}

TEST_F(PythonPlans, TheUvThatASourceAsksForIsHere) {
  const auto error = [&](const std::string& wanted, const std::string& version = "uv 0.9.1 (abc)") {
    m_machine.uv_version = version;
    fs::remove_all(m_settings.cache);
    put({{"main.py", ""}, {"requirements.txt", "a\n"}, {"uv.toml", "required-version = '" + wanted + "'\n"}});
    const auto made = try_plan();
    return made ? std::string("none") : error_of(made.error());
  };
  for (const std::string fits : {"", "0.9.1", "==0.9.1", ">=0.9", "<1,>0.9", "==0.9.*", "nonsense"})
    EXPECT_EQ(error(fits), "none") << fits;
  for (const std::string unknown : {"uv", "uv x", ""}) EXPECT_EQ(error(">=9", unknown), "none") << unknown;
  const std::string hint = " | install that version (pip install uv==…), or change the line";
  EXPECT_EQ(error("0.9.2"), "uv.toml: required-version: requires uv ==0.9.2, but this is uv 0.9.1" + hint);
  EXPECT_EQ(error(">=1"), "uv.toml: required-version: requires uv >=1, but this is uv 0.9.1" + hint);
}

TEST_F(PythonPlans, UvsOwnOrderOfIndexesCountsWhereItHasAny) {
  m_machine.chosen = k_locked_a;
  const auto strategy = [&](const std::string& settings) {
    m_machine.uv_commands.clear();
    fs::remove_all(m_settings.cache);
    const auto made = plan({{"main.py", ""}, {"requirements.txt", "a\n"}, {"uv.toml", settings}});
    EXPECT_TRUE(made.layers());
    return process::value_of(choices().at(0).environment, "UV_INDEX_STRATEGY");
  };
  EXPECT_EQ(strategy("offline = false\n"), "unsafe-best-match");
  for (const std::string text : {"[[index]]\nurl = 'https://h/s'\n", "index-url = 'https://h/s'\n",
                                 "extra-index-url = ['https://h/s']\n", "index-strategy = 'first-index'\n"}) {
    EXPECT_EQ(strategy(text), "") << text;
  }
  m_machine.environment["UV_INDEX_STRATEGY"] = "first-index";
  EXPECT_EQ(strategy("index-url = 'https://h/s'\n"), "first-index");
}

TEST_F(PythonPlans, UvGetsTheVariablesThatRequirementsName) {
  m_machine.chosen = k_locked_a;
  m_machine.environment["SECRET_OF_US"] = "value";
  m_machine.environment["LANG"] = "de_DE";
  const auto value = [&](const std::string& line, const std::string& name) {
    m_machine.uv_commands.clear();
    fs::remove_all(m_settings.cache);
    EXPECT_TRUE(plan({{"main.py", ""}, {"requirements.txt", line}}).layers());
    return process::value_of(choices().at(0).environment, name);
  };
  EXPECT_EQ(value("a\n", "LANG"), "") << "the locale is the same everywhere";
  EXPECT_EQ(value("a\n--find-links https://h/${LANG}\n", "LANG"), "de_DE");
  EXPECT_EQ(value("a\n--find-links https://h/${NONE_OF_US}\n", "NONE_OF_US"), "");
}

TEST_F(PythonPlans, WhatSeldomChangesIsALayerOfItsOwn) {
  m_machine.on_install = [](const fs::path& site) {
    ASSERT_TRUE(base::make_folders(site / "a-1.dist-info"));
    ASSERT_TRUE(base::write_file(site / "a-1.dist-info/METADATA", "Name: a\nVersion: 1\n"));
    ASSERT_TRUE(base::write_file(site / "a-1.dist-info/RECORD", "a.py,,\n"));
    ASSERT_TRUE(base::write_file(site / "a.py", ""));
  };
  const struct {
    std::string chosen;
    std::vector<std::pair<std::string, bool>> layers;  // "fixed" or "all", whether each edit remakes it
  } rows[] = {
      {k_locked_a + k_locked_own, {{"fixed", false}, {"all", true}}},
      {k_locked_a, {{"fixed", false}}},
      {k_locked_own, {{"all", true}}},
      {"", {{"all", false}}},
  };
  for (const auto& row : rows) {
    m_machine.chosen = row.chosen;
    fs::remove_all(m_settings.cache);
    const auto made =
        plan({{"main.py", ""}, {"requirements.txt", "a\n.\n"}, {"pyproject.toml", "[project]\n" + k_pinned}});
    const auto layers = made.layers().value();
    ASSERT_EQ(layers.size(), row.layers.size()) << row.chosen;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      EXPECT_EQ(layers[i].is_remade_by_each_edit, row.layers[i].second) << row.chosen;
      EXPECT_EQ(layers[i].key == made.key, row.layers[i].first == "all") << row.chosen;
      const fs::path tree = m_top / "tree";
      const auto content = layers[i].make(tree).value();
      EXPECT_EQ(fs::exists(tree / "pyvenv.cfg"), i == 0) << row.chosen;
      const bool is_all_own = row.chosen == k_locked_own;
      Lines expected;
      if (row.chosen.starts_with(k_locked_a)) expected.emplace_back("a==1 --hash=sha256:aa");
      if ((row.layers[i].first == "all" && row.chosen.ends_with(k_locked_own)) || is_all_own)
        expected.emplace_back(".");
      EXPECT_EQ(content.requirements, expected) << row.chosen;
      if (!row.chosen.empty()) {
        EXPECT_THAT(content.packages, ElementsAre("a==1"));
        EXPECT_THAT(content.modules, ElementsAre("a"));
      }
    }
  }
}

TEST_F(PythonPlans, VersionsAreChosenAsOftenAsTheSettingsSay) {
  m_machine.chosen = k_locked_a;
  const auto times = [&](const std::string& refresh, bool has_layers) {
    m_machine.uv_commands.clear();
    fs::remove_all(m_settings.cache);
    for (int i = 0; i < 2; ++i) {
      const auto made = plan({{"main.py", ""}, {"requirements.txt", "a\n"}, {"pachbuild.toml", refresh}});
      if (has_layers) {
        EXPECT_TRUE(made.layers());
      }
    }
    return choices().size();
  };
  const std::string always = "[python]\nrefresh = 'always'\n";
  EXPECT_EQ(times("", false), 0U);
  EXPECT_EQ(times("", true), 1U);
  EXPECT_EQ(times("[python]\nrefresh = 'daily'\n", true), 1U);
  EXPECT_EQ(times(always, false), 2U);
  EXPECT_EQ(times(always, true), 2U) << "a plan that has chosen does not choose again";
  const auto key = plan({{"main.py", ""}, {"requirements.txt", "a\n"}, {"pachbuild.toml", always}}).key;
  EXPECT_EQ(plan().key, key);
  m_machine.chosen = "[[packages]]\nname = \"a\"\nversion = \"2\"\n";
  EXPECT_NE(plan().key, key);
}

TEST_F(PythonPlans, ChoicesAreToldWhereALockDoesNotMakeThem) {
  const auto made = plan({{"main.py", ""}, {"requirements.txt", "a\nb==2\n"}});
  EXPECT_EQ(made.choices({"a==1", "b==2", "c==3"}), "a 1 chosen; requirements.txt does not pin it");
  EXPECT_FALSE(plan({{"main.py", ""}, {"uv.lock", ""}, {"pyproject.toml", ""}}).choices);
}

TEST_F(PythonPlans, GitIsAskedWhereABuildMakesItsVersionFromIt) {
  const Files files = {{"main.py", ""},
                       {"pyproject.toml",
                        "[project]\nname = 'x'\ndynamic = ['version']\n[build-system]\nrequires = "
                        "['setuptools_scm']\n[tool.setuptools_scm]\n"}};
  const auto with = [&](const std::string& commit, const Files& more = {}) {
    put(files);
    add(more);
    if (!commit.empty())
      add({{std::string(revision::k_file),
            revision::to_text({.commit = std::string(40, commit[0]), .time = 1})}});
    return plan();
  };
  const auto one = with("a");
  EXPECT_THAT(inputs(one, "value", true), Contains("revision"));
  EXPECT_NE(with("b").key, one.key);
  EXPECT_THAT(inputs(with(""), "value", true), Not(Contains("revision")));
  EXPECT_THAT(
      inputs(with("a", {{"pyproject.toml", "[project]\n" + k_pinned + "[build-system]\nrequires = []\n"}}),
             "value", true),
      Not(Contains("revision")));
}

TEST_F(PythonPlans, ImportsOfWhatIsNotInstalledAreTold) {
  const std::string project = "[project]\n" + k_pinned;
  const struct {
    Files files;
    std::string place;
  } rows[] = {
      {{{"requirements.txt", "a\n"}}, "requirements.txt"},
      {{{"pyproject.toml", project}}, "pyproject.toml"},
      {{{"uv.lock", ""}, {"pyproject.toml", ""}}, "pyproject.toml and lock again"},
      {{{"poetry.lock", ""}, {"pyproject.toml", ""}}, "pyproject.toml and lock again"},
      {{{"pdm.lock", ""}, {"pyproject.toml", ""}}, "pyproject.toml and lock again"},
      {{{"Pipfile.lock", "{}"}}, "Pipfile and lock again"},
      {{{"Pipfile", ""}}, "Pipfile"},
      {{{"pylock.toml", ""}}, "what pylock.toml is made of"},
      {{{"setup.py", ""}}, "setup.py"},
  };
  m_machine.imports = "outside\t3\tyaml\t\t-\tmain.py\n";
  for (const auto& row : rows) {
    put(row.files);
    add({{"main.py", ""}});
    const auto made = plan();
    const Reported reported;
    EXPECT_TRUE(made.review({"six"}));
    EXPECT_THAT(reported.lines(),
                ElementsAre("main.py:3: imports yaml, which is not installed; add PyYAML to " + row.place));
  }
  const auto made = plan({{"main.py", ""}});
  const Reported reported;
  EXPECT_TRUE(made.review({}));
  EXPECT_THAT(reported.lines(),
              ElementsAre("main.py:3: imports yaml, which is not installed; add PyYAML to requirements.txt"));
}

TEST_F(PythonPlans, PackagesOfTheImageCountWhereTheyCanBeImported) {
  m_machine.imports = "outside\t3\tyaml\t\timage:/none\tmain.py\n";
  const auto warnings = [&](const Files& files) {
    const auto made = plan(files);
    const Reported reported;
    EXPECT_TRUE(made.review({}));
    return reported.lines().size();
  };
  EXPECT_EQ(warnings({{"main.py", ""}}), 0U) << "nothing is installed: the image's Python runs";
  EXPECT_EQ(warnings({{"main.py", ""}, {"requirements.txt", "a\n"}}), 1U);
  EXPECT_EQ(warnings({{"main.py", ""},
                      {"requirements.txt", "a\n"},
                      {"pachbuild.toml", "[python]\nimage_packages = true\n"}}),
            0U);
}

TEST_F(PythonPlans, TenImportsAreToldAndHowManyMore) {
  const auto told = [&](int count) {
    m_machine.imports.clear();
    for (int i = 0; i < count; ++i)
      m_machine.imports += "outside\t1\tm" + std::to_string(i) + "\t\t-\tmain.py\n";
    fs::remove_all(m_settings.cache);
    const auto made = plan({{"main.py", ""}, {"requirements.txt", "a\n"}});
    const Reported reported;
    EXPECT_TRUE(made.review({}));
    return reported.lines();
  };
  EXPECT_EQ(told(10).size(), 10U);
  EXPECT_EQ(told(11).size(), 11U);
  EXPECT_EQ(told(11).back(), "imports of 1 more packages that are not installed");
  EXPECT_EQ(told(13).size(), 11U);
  EXPECT_EQ(told(13).back(), "imports of 3 more packages that are not installed");
}

TEST_F(PythonPlans, EachProgramThatACommandMayStartIsRead) {
  m_asked.has_own_command = true;
  m_machine.imports = "outside\t3\tyaml\t\t-\tshared.py\n";
  m_machine.on_command = [](const process::Command& command, process::Finished& finished) {
    if (std::find(command.arguments.begin(), command.arguments.end(), "b.py") != command.arguments.end())
      finished.ending = process::Ending::from_wait_status(1 << 8);
  };
  const Reported reported;
  const auto made = plan({{"a.py", ""}, {"b.py", ""}, {"c.py", ""}, {"requirements.txt", "a\n"}});
  EXPECT_THAT(
      reported.lines(),
      ElementsAre("b.py: its imports are not checked against the installed packages: is not valid Python"));
  EXPECT_EQ(m_machine.readings.size(), 3U);
  const Reported later;
  EXPECT_TRUE(made.review({}));
  EXPECT_EQ(later.lines().size(), 1U) << "the same line once";
  m_asked.has_own_command = false;
  put({{"b.py", ""}});
  EXPECT_FALSE(try_plan()) << "of the program itself it is an error";
}

TEST_F(PythonPlans, AProgramThatNobodyHasIsAnError) {
  const auto error = [&](const Lines& modules, const std::string& imports = "") {
    m_machine.imports = imports;
    fs::remove_all(m_settings.cache);
    const auto made = plan(
        {{"x.py", ""}, {"requirements.txt", "a\n"}, {"pachbuild.toml", "[python]\nprogram = 'own.cli'\n"}});
    const auto status = made.review(modules);
    return status ? std::string("none") : error_of(status.error());
  };
  const std::string none =
      "pachbuild.toml:2: python.program: no module own.cli in the source or the installed packages | write "
      "tool.py, package.module or package.module:function";
  EXPECT_EQ(error({}), "none") << "it may be of Python itself";
  EXPECT_EQ(error({"own"}), "none");
  EXPECT_EQ(error({"own.__init__"}), "none");
  EXPECT_EQ(error({"own", "own.__init__"}), none);
  EXPECT_EQ(error({"own", "own.__init__", "own.cli.__init__"}), "none");
  EXPECT_EQ(error({"own", "own.__init__", "own.cli"}), "none");
  EXPECT_EQ(error({"six"}, "outside\t0\town.cli\t\t-\t\n"), none);
  EXPECT_EQ(error({"own"}, "outside\t0\town.cli\t\t-\t\n"), "none");
}

TEST_F(PythonPlans, OptionalPackagesAreNamedByTheirGroup) {
  m_machine.imports = "outside\t3\tyaml\t\t-\tmain.py\n";
  const auto made =
      plan({{"main.py", ""},
            {"pyproject.toml", "[project]\n" + k_pinned + "[dependency-groups]\nconf = ['pyyaml']\n"}});
  const Reported reported;
  EXPECT_TRUE(made.review({}));
  EXPECT_THAT(reported.lines(), ElementsAre("main.py:3: imports yaml, which is not installed; add \"conf\" "
                                            "to python.groups in pachbuild.toml"));
}

TEST_F(PythonPlans, RequireHashesCountsLikeHashes) {
  m_machine.chosen = k_locked_a;
  const auto arguments = [&](const std::string& text) {
    m_machine.uv_commands.clear();
    fs::remove_all(m_settings.cache);
    const auto made = plan({{"main.py", ""}, {"requirements.txt", text}});
    const auto layers = made.layers().value();
    EXPECT_TRUE(layers.at(0).make(m_top / "tree"));
    const bool is_chosen = !choices().empty();
    const auto& words = m_machine.uv_commands.back().arguments;
    return std::string(is_chosen ? "chosen" : "as it is") +
           (std::find(words.begin(), words.end(), "--require-hashes") != words.end() ? " with hashes" : "");
  };
  EXPECT_EQ(arguments("a\n"), "chosen");
  EXPECT_EQ(arguments("a==1 --hash=sha256:aa\n"), "as it is");
  EXPECT_EQ(arguments("--require-hashes\na==1\n"), "as it is with hashes");
}

TEST_F(PythonPlans, WhatUvWouldNotReadIsRewritten) {
  m_machine.chosen = k_locked_a;
  std::string read;
  m_machine.on_command = [&](const process::Command& command, process::Finished& /*finished*/) {
    if (command.arguments.size() > 2 && command.arguments[2] == "compile")
      read = base::read_file(command.folder / "requirements.txt").value_or("none");
  };
  EXPECT_TRUE(plan({{"main.py", ""}, {"requirements.txt", "--no-binary a,b\na\n"}}).layers());
  EXPECT_EQ(read, "a\n");
}

TEST_F(PythonPlans, AScriptIsNoPackage) {
  const std::string block = "# /// script\n# dependencies = []\n# [tool.uv]\n# package = true\n# ///\n";
  const auto made = plan({{"main.py", block}, {"pachbuild.toml", "[python]\ndependencies = ['main.py']\n"}});
  EXPECT_FALSE(uses_files(made));
}

TEST_F(PythonPlans, ToolsThatAreNotThereAreSaid) {
  fs::remove(m_top / "bin/uv");
  put({{"main.py", ""}, {"requirements.txt", "a\n"}});
  const auto made = try_plan();
  ASSERT_FALSE(made);
  EXPECT_EQ(error_of(made.error()),
            "uv: is not on PATH | install uv (pip install uv), or build in an image that has it");
  EXPECT_EQ(made.error().kind, base::ErrorKind::unavailable);
}

}  // namespace
}  // namespace builder::python
