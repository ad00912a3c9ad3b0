// SPDX-License-Identifier: Apache-2.0
// What each manifest that uv does not read asks for, as lines of a requirements file.
#include <gmock/gmock.h>

#include "base/text.h"
#include "builder-runtime/languages/python/locks/pdm.h"
#include "builder-runtime/languages/python/locks/pipfile.h"
#include "builder-runtime/languages/python/locks/poetry.h"
#include "builder-runtime/languages/python/locks/project_requirements.h"
#include "builder-runtime/languages/python/locks/requirement_list.h"
#include "builder-runtime/languages/python/locks/uv_lock.h"

namespace builder::python {
namespace {

using testing::ElementsAre;
using Lines = std::vector<std::string>;
using Reader = base::Result<RequirementList> (*)(const LockRequest&);

class LockReaders : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(base::write_file(m_source.path() / name, text));
  }

  void project(const std::string& text) {
    write("pyproject.toml", text);
    m_manifest.project = data::read_toml(m_source.path() / "pyproject.toml", "pyproject.toml").value();
  }

  base::Result<RequirementList> list(Reader read, const std::string& file) {
    m_manifest.files = {file};
    return read({m_source.path(), m_manifest, m_settings, m_here});
  }

  // The lines, or the error in the place of the only one.
  Lines lines(Reader read, const std::string& file) {
    const auto result = list(read, file);
    return result ? result->lines : Lines{result.error().where + ": " + result.error().what};
  }

  base::TemporaryFolder m_source = base::TemporaryFolder::make(testing::TempDir(), "locks.").value();
  Manifest m_manifest;
  PythonSettings m_settings;
  MarkerEnvironment m_here = {
      .values = {{"python_version", "3.11"}, {"python_full_version", "3.11.2"}, {"sys_platform", "linux"}},
      .extras = {}};
};

class PoetryLock : public LockReaders {
 protected:
  // What the project asks for and what is locked.
  Lines locked(const std::string& dependencies, const std::string& packages) {
    project("[tool.poetry.dependencies]\npython = \"^3.8\"\n" + dependencies);
    write("poetry.lock", packages);
    return lines(read_poetry_lock, "poetry.lock");
  }
};

std::string locked_package(const std::string& name, const std::string& version,
                           const std::string& more = "") {
  return "[[package]]\nname = \"" + name + "\"\nversion = \"" + version + "\"\n" + more + "\n";
}

TEST_F(PoetryLock, ConditionsOfThisMachineDecide) {
  const std::string all = locked_package("A.b", "1.3") + locked_package("w", "1");
  const struct {
    std::string asked;
    Lines expected;
  } rows[] = {
      {"a-b = '^1.2'", {"a-b==1.3"}},
      {"a_b = '*'", {"a-b==1.3"}},
      {"a-b = '^1'\nw = {version = '*', markers = \"sys_platform == 'win32'\"}", {"a-b==1.3"}},
      {"a-b = '^1'\nw = {version = '*', markers = \"sys_platform == 'linux'\"}", {"a-b==1.3", "w==1"}},
      {"w = {version = '*', platform = 'darwin'}", {}},
      {"w = {version = '*', platform = 'linux'}", {"w==1"}},
      {"w = {version = '*', platform = 'linux', markers = \"python_version < '3'\"}", {}},
      {"w = {version = '*', python = '<3.9'}", {}},
      {"w = {version = '*', python = '^3.9'}", {"w==1"}},
      {"w = [{version = '^1', python = '>=3.9'}, {version = '^2', python = '<3.9'}]", {"w==1"}},
      {"w = {version = '*', optional = true}", {}},
      {"a-b = '^2'",
       {"poetry.lock: does not match pyproject.toml: a-b 1.3 is locked, but pyproject.toml requires "
        "a-b>=2,<3"}},
      {"c = '*'", {"poetry.lock: does not match pyproject.toml: c is required but not locked"}},
      {"w = 'x y'", {"pyproject.toml:3: w: invalid version constraint \"x y\""}},
      {"w = {version = '*', python = 'x'}", {"pyproject.toml:3: w: invalid version constraint \"x\""}},
  };
  for (const auto& row : rows) EXPECT_EQ(locked(row.asked, all), row.expected) << row.asked;
}

TEST_F(PoetryLock, OptionalDependenciesComeWithAnExtraThatNamesThem) {
  const std::string asked =
      "May_be = {version = '*', optional = true}\n[tool.poetry.extras]\nfast = ['may-Be']\nslow = ['x']\n";
  const std::string packages = locked_package("may-be", "1");
  EXPECT_THAT(locked(asked, packages), ElementsAre());
  m_settings.extras = {"slow"};
  EXPECT_THAT(locked(asked, packages), ElementsAre());
  m_settings.extras = {"slow", "fast"};
  EXPECT_THAT(locked(asked, packages), ElementsAre("may-be==1"));
}

TEST_F(PoetryLock, GroupsComeWhenAskedFor) {
  const std::string asked = "a = '*'\n[tool.poetry.group.dev.dependencies]\nb = '*'\n";
  const std::string packages = locked_package("a", "1") + locked_package("b", "2");
  EXPECT_THAT(locked(asked, packages), ElementsAre("a==1"));
  m_settings.groups = {"dev"};
  EXPECT_THAT(locked(asked, packages), ElementsAre("a==1", "b==2"));
  m_settings.groups = {"main"};
  EXPECT_THAT(locked(asked, packages), ElementsAre("a==1"));
}

TEST_F(PoetryLock, StandardDependenciesCountBeforePoetrysOwn) {
  const std::string packages = locked_package("a", "1") + locked_package("b", "2") + locked_package("c", "3");
  m_settings.groups = {"dev"};
  EXPECT_THAT(
      locked("a = '*'\n[project]\ndependencies = ['b']\n[dependency-groups]\ndev = ['c>2']\n", packages),
      ElementsAre("b==2", "c==3"));
}

TEST_F(PoetryLock, WhatPackagesNeedComesAlong) {
  const std::string app = locked_package("app", "1", R"toml(
[package.dependencies]
Lib = ">=1"
old = {version = "*", python = "<3.9"}
Speed = {version = ">=1", optional = true}
other = [{version = "*", optional = true}]
[package.extras]
Fast = ["speed (>=1)"]
slow = ["other[x]>=1"]
)toml");
  const std::string packages =
      app + locked_package("lib", "1") + locked_package("speed", "1") + locked_package("other", "1");
  EXPECT_THAT(locked("app = '*'", packages), ElementsAre("app==1", "lib==1"));
  EXPECT_THAT(locked("app = {version = '*', extras = ['FAST']}", packages),
              ElementsAre("app==1", "lib==1", "speed==1"));
  EXPECT_THAT(locked("app = {version = '*', extras = ['slow']}", packages),
              ElementsAre("app==1", "lib==1", "other==1"));
}

TEST_F(PoetryLock, OnlyPackagesForThisInterpreterCount) {
  EXPECT_THAT(locked("a = '*'", locked_package("a", "1", "python-versions = '>=2.7,<3.9'") +
                                    locked_package("a", "2", "python-versions = '>=2.7, !=3.0.* || >3.9'")),
              ElementsAre("a==2"));
}

TEST_F(PoetryLock, HashesAreThoseOfThePackageAlone) {
  const std::string hashes = "files = [{file = 'x', hash = 'sha256:b'}, {file = 'y', hash = 'sha256:a'}]\n";
  EXPECT_THAT(locked("a = '*'", locked_package("a", "1", hashes) + "[metadata.files]\na = [{hash = 'z'}]\n"),
              ElementsAre("a==1 \\\n    --hash=sha256:a \\\n    --hash=sha256:b"));
  // The form of poetry 1.1.
  EXPECT_THAT(
      locked("a = '*'", locked_package("a", "1") + "[metadata.files]\na = [{hash = 'z'}, {hash = 'y'}]\n"),
      ElementsAre("a==1 \\\n    --hash=y \\\n    --hash=z"));
}

TEST_F(PoetryLock, SourcesOfPackages) {
  const std::string hash = "files = [{hash = 'h'}]\n[package.source]\n";
  const struct {
    std::string source;
    std::string expected;
  } rows[] = {
      {"type = 'legacy'\nurl = 'https://h/simple'", "a==1 \\\n    --hash=h"},
      {"type = 'git'\nurl = 'https://h/a.git'\nreference = 'main'\nresolved_reference = 'abc'",
       "a @ git+https://h/a.git@abc"},
      {"type = 'git'\nurl = 'https://h/a.git'\nresolved_reference = 'abc'\nsubdirectory = 'x'",
       "a @ git+https://h/a.git@abc#subdirectory=x"},
      {"type = 'url'\nurl = 'https://h/a.whl'", "a @ https://h/a.whl \\\n    --hash=h"},
      {"type = 'file'\nurl = 'wheels/a.whl'", "./wheels/a.whl \\\n    --hash=h"},
      {"type = 'directory'\nurl = './libs/a'", "./libs/a"},
      {"type = 'directory'\nurl = '../a'", "poetry.lock: ../a is outside the source"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(locked("a = '*'", locked_package("a", "1", hash + row.source)), ElementsAre(row.expected))
        << row.source;
  }
}

TEST_F(PoetryLock, IndexesOfTheProject) {
  project(R"([[tool.poetry.source]]
name = "one"
url = "https://one/simple"
[[tool.poetry.source]]
name = "two"
url = "https://two/simple"
priority = "supplemental"
[[tool.poetry.source]]
name = "three"
url = "https://three/simple"
priority = "primary"
[[tool.poetry.source]]
name = "four"
url = "https://four/simple"
priority = "default"
[[tool.poetry.source]]
name = "PyPI"
priority = "primary"
)");
  write("poetry.lock", "");
  std::string told;
  const auto result = list(read_poetry_lock, "poetry.lock");
  ASSERT_TRUE(result) << result.error().what;
  for (const auto& index : result->indexes)
    told += index.name + " " + index.url + (index.replaces_default ? " default\n" : "\n");
  EXPECT_EQ(told,
            "one https://one/simple default\ntwo https://two/simple\nthree https://three/simple default\n"
            "four https://four/simple default\n");
}

TEST_F(LockReaders, PoetryProjectWithoutALock) {
  const struct {
    std::string asked;
    Lines expected;
  } rows[] = {
      {"python = '^3.8'", {}},
      {"A_a = '^1.2'", {"a-a>=1.2,<2"}},
      {"a = '*'", {"a"}},
      {"a = {version = '^1', extras = ['X_y', 'z']}", {"a[x-y,z]>=1,<2"}},
      {"a = {path = 'libs/a'}", {"./libs/a"}},
      {"a = {path = './a', extras = ['x'], markers = \"os_name == 'posix'\"}",
       {"./a[x] ; os_name == 'posix'"}},
      {"a = {url = 'https://h/a.whl', extras = ['x']}", {"a[x] @ https://h/a.whl"}},
      {"a = {git = 'https://h/a.git', rev = 'r', subdirectory = 's'}",
       {"a @ git+https://h/a.git@r#subdirectory=s"}},
      {"a = {git = 'https://h/a.git', tag = 't'}", {"a @ git+https://h/a.git@t"}},
      {"a = {git = 'https://h/a.git', branch = 'b', extras = ['x']}", {"a[x] @ git+https://h/a.git@b"}},
      {"a = {version = '1.0', python = '>=3.8,<4'}",
       {"a==1.0 ; (python_full_version >= '3.8') and (python_full_version < '4')"}},
      {"a = {version = '*', platform = 'linux', python = '>3'}",
       {"a ; (sys_platform == 'linux') and (python_full_version > '3')"}},
      {"a = [{version = '1', python = '<3.9'}, {version = '2'}]",
       {"a==1 ; python_full_version < '3.9'", "a==2"}},
      {"a = {version = '1', optional = true}", {}},
      {"a = {version = '1', optional = false}", {"a==1"}},
      {"a = '^1 || ^2'", {"pyproject.toml:2: a: versions with || can only be built from a lock"}},
      {"a = 'x y'", {"pyproject.toml:2: a: invalid version constraint \"x y\""}},
      {"a = {path = '../a'}", {"pyproject.toml: ../a is outside the source"}},
      {"\"a\\n--index-url\" = '*'", {"pyproject.toml: invalid requirement \"a\n-index-url\""}},
      {"a = '1'\n[tool.poetry.group.dev.dependencies]\nb = '2'", {"a==1"}},
  };
  for (const auto& row : rows) {
    project("[tool.poetry.dependencies]\n" + row.asked);
    EXPECT_EQ(lines(read_poetry_project, "pyproject.toml"), row.expected) << row.asked;
  }
  m_settings.groups = {"dev"};
  EXPECT_EQ(lines(read_poetry_project, "pyproject.toml"), (Lines{"a==1", "b==2"}));
}

TEST_F(LockReaders, PdmLock) {
  project(
      "[project]\ndependencies = ['App[x]>=1']\n[[tool.pdm.source]]\nurl = 'https://h/simple'\n"
      "name = 'pypi'\n[[tool.pdm.source]]\nurl = ''\n[[tool.pdm.source]]\nurl = 'https://i/simple'\n"
      "name = 'second'\n");
  write("pdm.lock",
        locked_package("App", "1.0", R"(extras = []
files = [{hash = "b"}, {hash = "a"}]
dependencies = ["lib>=1", "windows; sys_platform == 'win32'"])") +
            locked_package("app", "1.0", "extras = ['X']\ndependencies = ['extra-lib']") +
            locked_package("app", "1.0", "extras = ['y']\ndependencies = ['not-there']") +
            locked_package("lib", "1", "requires_python = '<3.9'") +
            locked_package("lib", "2", "requires_python = '>=3.9'\nmarker = 'sys_platform == \"linux\"'") +
            locked_package("lib", "3", "marker = 'sys_platform == \"win32\"'") +
            locked_package("extra-lib", "1", "path = 'libs/x'\n"));
  const auto result = list(read_pdm_lock, "pdm.lock");
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_THAT(result->lines,
              ElementsAre("./libs/x", "app==1.0", "app==1.0 \\\n    --hash=a \\\n    --hash=b", "lib==2"));
  ASSERT_EQ(result->indexes.size(), 2U);
  EXPECT_TRUE(result->indexes[0].replaces_default);
  EXPECT_FALSE(result->indexes[1].replaces_default);
}

TEST_F(LockReaders, PdmLockSourcesOfPackages) {
  project("[project]\ndependencies = ['a']\n");
  const struct {
    std::string more;
    std::string expected;
  } rows[] = {
      {"path = './a'", "./a"},
      {"git = 'https://h/a.git'\nrevision = 'r'\nsubdirectory = 's'",
       "a @ git+https://h/a.git@r#subdirectory=s"},
      {"git = 'https://h/a.git'", "a @ git+https://h/a.git"},
      {"url = 'https://h/a.whl'", "a @ https://h/a.whl"},
      {"dependencies = ['==1']", "pdm.lock: invalid requirement \"==1\""},
      {"path = '../a'", "pdm.lock: ../a is outside the source"},
  };
  for (const auto& row : rows) {
    write("pdm.lock", locked_package("a", "1", row.more));
    EXPECT_THAT(lines(read_pdm_lock, "pdm.lock"), ElementsAre(row.expected)) << row.more;
  }
}

TEST_F(LockReaders, Pipfile) {
  const struct {
    std::string asked;
    std::string expected;
  } rows[] = {
      {"A_a = '*'", "a-a"},
      {"a = '>=1,<2'", "a>=1,<2"},
      {"a = {version = '==1', extras = ['x', 'y']}", "a[x,y]==1"},
      {"a = {version = '*', markers = \"os_name == 'posix'\"}", "a ; os_name == 'posix'"},
      {"a = {version = '*', sys_platform = \"== 'linux'\"}", "a ; sys_platform == 'linux'"},
      {"a = {version = '*', python_version = \"> '3'\", markers = \"os_name == 'posix'\"}",
       "a ; (os_name == 'posix') and (python_version > '3')"},
      {"a = {path = 'libs/a', extras = ['x']}", "./libs/a[x]"},
      {"a = {file = 'https://h/a.whl', extras = ['x']}", "a[x] @ https://h/a.whl"},
      {"a = {file = 'a.whl'}", "./a.whl"},
      {"a = {git = 'https://h/a.git', ref = 'r', subdirectory = 's', extras = ['x']}",
       "a[x] @ git+https://h/a.git@r#subdirectory=s"},
      {"a = {path = '../a'}", "Pipfile: ../a is outside the source"},
      {"\"-r x\" = '*'", "Pipfile: invalid requirement \"-r x\""},
  };
  for (const auto& row : rows) {
    write("Pipfile", "[packages]\n" + row.asked + "\n[dev-packages]\nb = '*'\n");
    EXPECT_THAT(lines(read_pipfile, "Pipfile"), ElementsAre(row.expected)) << row.asked;
  }
  write("Pipfile", "[packages]\na = '*'\n[dev-packages]\nb = '*'\n");
  m_settings.groups = {"dev-packages"};
  EXPECT_THAT(lines(read_pipfile, "Pipfile"), ElementsAre("a", "b"));
  m_settings.groups = {"docs"};
  EXPECT_THAT(lines(read_pipfile, "Pipfile"), ElementsAre("python.groups: Pipfile has no category docs"));
}

TEST_F(LockReaders, PipfileLock) {
  write("Pipfile.lock",
        R"({"_meta": {"sources": [{"name": "one", "url": "https://one/simple"}, {"name": "none"},
    {"name": "two", "url": "https://two/simple", "verify_ssl": false}]},
    "default": {"a": {"version": "==1.0", "hashes": ["sha256:1", "sha256:2"]},
                "b": {"version": "==2", "markers": "python_version > '3'"}},
    "develop": {"c": {"version": "==3"}}})");
  const auto result = list(read_pipfile_lock, "Pipfile.lock");
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_THAT(result->lines, ElementsAre("a==1.0 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2",
                                         "b==2 ; python_version > '3'"));
  ASSERT_EQ(result->indexes.size(), 2U);
  EXPECT_TRUE(result->indexes[0].replaces_default);
  EXPECT_FALSE(result->indexes[1].replaces_default);
  EXPECT_FALSE(result->indexes[1].is_verified);
  m_settings.groups = {"develop"};
  EXPECT_EQ(lines(read_pipfile_lock, "Pipfile.lock").size(), 3U);
  EXPECT_EQ(lines(read_pipfile_lock, "Pipfile.lock").back(), "c==3");
  m_settings.groups = {"other"};
  EXPECT_THAT(lines(read_pipfile_lock, "Pipfile.lock"),
              ElementsAre("python.groups: Pipfile.lock has no category other"));
}

TEST_F(LockReaders, PipfileLockHasToMatchItsPipfile) {
  write("Pipfile.lock", R"({"default": {"A.b": {"version": "==1.0"}, "own": {"path": "./libs/x/"},
                            "short": {"version": "="}}})");
  const std::string begin = "Pipfile.lock: does not match Pipfile: ";
  const struct {
    std::string asked;
    std::string expected;
  } rows[] = {
      {"a_B = '*'", ""},
      {"a-b = '>=1'", ""},
      {"a-b = {version = '==1.0'}", ""},
      {"a-b = '>=2'", begin + "a-b 1.0 is locked, but Pipfile requires a-b>=2"},
      {"a-b = {version = '<1'}", begin + "a-b 1.0 is locked, but Pipfile requires a-b<1"},
      {"c = '*'", begin + "c is required but not locked"},
      {"c = {version = '*', sys_platform = \"== 'win32'\"}", ""},
      {"c = {version = '*', sys_platform = \"== 'linux'\"}", begin + "c is required but not locked"},
      {"c = {path = 'libs/x'}", ""},
      {"c = {path = 'libs/y'}", begin + "c is required but not locked"},
      {"short = '>1'", ""},
  };
  for (const auto& row : rows) {
    write("Pipfile", "[packages]\n" + row.asked + "\n");
    const auto result = list(read_pipfile_lock, "Pipfile.lock");
    EXPECT_EQ(result ? "" : result.error().where + ": " + result.error().what, row.expected) << row.asked;
  }
}

TEST_F(LockReaders, GroupsAndExtrasOfTheProject) {
  project(R"([project]
dependencies = ["a"]
[project.optional-dependencies]
x = ["b[y]>1 ; os_name == 'posix'"]
[dependency-groups]
dev = ["c", {include-group = "docs"}]
docs = ["d"]
circle = [{include-group = "circle"}]
empty = [{include-group = "no"}]
bad = ["==1"]
)");
  const auto wanted = [&]() -> std::string {
    const auto result = wanted_by_project({m_source.path(), m_manifest, m_settings, m_here});
    if (!result) return result.error().where + ": " + result.error().what;
    std::string text;
    for (const auto& one : *result)
      text += one.name + (one.extras.empty() ? "" : "[" + one.extras.front() + "]") +
              (one.alternatives.empty() ? "" : one.alternatives.front()) + " " + one.marker + "\n";
    return text;
  };
  EXPECT_EQ(wanted(), "a \n");
  m_settings.extras = {"x", "no"};
  EXPECT_EQ(wanted(), "a \nb[y]>1 os_name == 'posix'\n");
  m_settings.extras.clear();
  m_settings.groups = {"dev", "not-there"};
  EXPECT_EQ(wanted(), "a \nc \nd \n");
  for (const auto& [group, error] : std::map<std::string, std::string>{
           {"circle", "pyproject.toml: dependency-groups.circle: includes itself"},
           {"empty", "pyproject.toml: dependency-groups.no: no such group"},
           {"bad", "pyproject.toml:10: dependency-groups.bad: invalid requirement \"==1\""}}) {
    m_settings.groups = {group};
    EXPECT_EQ(wanted(), error);
  }
}

TEST_F(LockReaders, UvLockHasToMatchItsProject) {
  const auto check = [&](const std::string& asked) -> std::string {
    project("[project]\ndependencies = [" + asked + "]\n");
    m_manifest.files = {"uv.lock"};
    const auto status = check_uv_lock({m_source.path(), m_manifest, m_settings, m_here});
    return status ? "" : status.error().where + ": " + status.error().what + " " + status.error().hint;
  };
  write("uv.lock", locked_package("A.b", "1.0"));
  EXPECT_EQ(check("'a_b>=1'"), "");
  EXPECT_EQ(check("'c; sys_platform == \"win32\"'"), "");
  EXPECT_EQ(check("'a-b>1'"),
            "uv.lock: does not match pyproject.toml: a-b 1.0 is locked, but pyproject.toml requires a-b>1 "
            "regenerate the lock file (uv lock) and commit it");
  EXPECT_EQ(check("'c'"),
            "uv.lock: does not match pyproject.toml: c is required but not locked "
            "regenerate the lock file (uv lock) and commit it");
}

TEST(CheckedList, EachLineIsOneRequirement) {
  for (const std::string line : {"a", "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2", "a\t; x", "./a",
                                 "./a/../b[x]", "a @ https://h/../x"}) {
    EXPECT_TRUE(checked_list({{"z", line}, {}}, "the file")) << line;
  }
  for (const std::string line : {"", "# a", "-e a", "--pre", "a\nb", "a \\\n b", "a\rb", "a\x7F", "a\x1F",
                                 "./../a", "./a/../../b[x]"}) {
    const auto result = checked_list({{"z", line}, {}}, "the file");
    ASSERT_FALSE(result) << line;
    EXPECT_EQ(result.error().where, "the file");
  }
}

class ProjectRequirements : public LockReaders {
 protected:
  // "NAME SPECIFIERS MARKER [EXTRAS]", or the error.
  Lines wanted(const std::string& text) {
    project(text);
    const auto found = wanted_by_project({m_source.path(), m_manifest, m_settings, m_here});
    if (!found) return {found.error().where + ": " + found.error().what};
    Lines told;
    for (const auto& one : *found) {
      told.push_back(one.name + base::join(one.alternatives, "|") +
                     (one.marker.empty() ? "" : " ; " + one.marker) +
                     (one.extras.empty() ? "" : " [" + base::join(one.extras, ",") + "]"));
    }
    return told;
  }
};

TEST_F(ProjectRequirements, AreThoseOfTheProjectItsExtrasAndGroups) {
  const std::string text =
      "[project]\ndependencies = ['A_b[x,Y]>=1 ; m']\n[project.optional-dependencies]\ne = ['c']\nf = ['d']\n"
      "[dependency-groups]\ng = ['h', {include-group = 'i'}, 'k']\ni = ['j==1']\n";
  EXPECT_THAT(wanted(text), ElementsAre("a-b>=1 ; m [x,y]"));
  m_settings.extras = {"f", "e", "none"};
  m_settings.groups = {"g", "none"};
  EXPECT_THAT(wanted(text), ElementsAre("a-b>=1 ; m [x,y]", "d", "c", "h", "j==1", "k"));
}

TEST_F(ProjectRequirements, WhatCannotBeReadHasItsPlace) {
  m_settings.extras = {"e"};
  m_settings.groups = {"g"};
  EXPECT_THAT(wanted("[project]\ndependencies = [\n'a',\n'?']\n"),
              ElementsAre("pyproject.toml:4: project.dependencies: invalid requirement \"?\""));
  EXPECT_THAT(wanted("[project.optional-dependencies]\ne = ['?']\n"),
              ElementsAre("pyproject.toml:2: project.optional-dependencies.e: invalid requirement \"?\""));
  EXPECT_THAT(wanted("[dependency-groups]\ng = ['?']\n"),
              ElementsAre("pyproject.toml:2: dependency-groups.g: invalid requirement \"?\""));
  EXPECT_THAT(wanted("[dependency-groups]\ng = [{include-group = 'h'}]\nh = ['?']\n"),
              ElementsAre("pyproject.toml:3: dependency-groups.h: invalid requirement \"?\""));
  EXPECT_THAT(wanted("[dependency-groups]\ng = [{include-group = 'none'}]\n"),
              ElementsAre("pyproject.toml: dependency-groups.none: no such group"));
  EXPECT_THAT(wanted("[dependency-groups]\ng = [{include-group = 'g'}]\n"),
              ElementsAre("pyproject.toml: dependency-groups.g: includes itself"));
}

TEST_F(ProjectRequirements, GroupsIncludeEachOtherThirtyTwoDeep) {
  const auto deep = [&](int count) {
    std::string text = "[dependency-groups]\n";
    for (int i = 0; i < count; ++i)
      text += "g" + std::to_string(i) + " = [" +
              (i + 1 < count ? "{include-group = 'g" + std::to_string(i + 1) + "'}" : "'a'") + "]\n";
    m_settings.groups = {"g0"};
    return wanted(text);
  };
  EXPECT_THAT(deep(32), ElementsAre("a"));
  EXPECT_THAT(deep(33), ElementsAre("pyproject.toml: dependency-groups.g32: includes itself"));
}

TEST_F(ProjectRequirements, ALockOfUvIsMadeAgainByItsCommand) {
  const auto error = [&] {
    project("[project]\ndependencies = ['a']\n");
    write("x.lock", "");
    m_manifest.files = {"x.lock"};
    const auto status = check_uv_lock({m_source.path(), m_manifest, m_settings, m_here});
    return status.error().where + ": " + status.error().what + " | " + status.error().hint;
  };
  EXPECT_EQ(error(),
            "x.lock: does not match pyproject.toml: a is required but not locked | regenerate "
            "the lock file (uv "
            "lock) and commit it");
  m_manifest.program = "tool.py";
  EXPECT_EQ(error(),
            "x.lock: does not match tool.py: a is required but not locked | regenerate the lock file "
            "(uv lock "
            "--script tool.py) and commit it");
}

TEST(CheckedLists, HaveOneRequirementALine) {
  const auto error = [](const std::string& line) {
    const auto checked = checked_list({{"fine", line}, {}}, "f");
    return checked
               ? "none"
               : checked.error().what + (checked.error().hint.empty() ? "" : " | " + checked.error().hint);
  };
  for (const std::string fine : {"a==1", "a\t==1", "./a", "./b/../a", "a @ https://h/x",
                                 "a \\\n    --hash=sha256:aa", "../a", "./a[x] ; m"})
    EXPECT_EQ(error(fine), "none") << fine;
  for (const std::string wrong :
       {"--index-url x", "-e x", "a\nb", "a\rb", "", "# x", "a\x7f", "a\x01", "a \\", "a\\ "})
    EXPECT_EQ(error(wrong), "invalid requirement \"" + wrong + "\"") << wrong;
  const std::string hint =
      " is outside the source | move it below transform.build.path: only files there are built";
  EXPECT_EQ(error("./../a"), "../a" + hint);
  EXPECT_EQ(error("./a/../../b[x]"), "a/../../b" + hint);
  EXPECT_EQ(error("./../a ; m"), "../a" + hint);
}

}  // namespace
}  // namespace builder::python
