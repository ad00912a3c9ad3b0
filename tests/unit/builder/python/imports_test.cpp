// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/imports.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "tests/unit/builder/python/fake_machine.h"

namespace builder::python {
namespace {

namespace fs = base::fs;

class MissingImports : public testing::Test {
 protected:
  void SetUp() override {
    m_folder.emplace(std::move(*base::TemporaryFolder::make(fs::temp_directory_path(), "imports-")));
  }

  [[nodiscard]] const fs::path& folder() const { return m_folder->path(); }

  void write(const std::string& name) {
    ASSERT_TRUE(base::make_folders((folder() / name).parent_path()));
    ASSERT_TRUE(base::write_file(folder() / name, ""));
  }

  // The names of what is missing where the source imports `names` and sees `modules`.
  [[nodiscard]] std::vector<std::string> missing(const std::vector<std::string>& names,
                                                 const std::vector<std::string>& modules) const {
    Imports imports;
    for (const auto& name : names) imports.outside.push_back({.file = "main.py", .line = 1, .name = name});
    return names_of(missing_imports(imports, {modules, false, "requirements.txt"}, folder()));
  }

  static std::vector<std::string> names_of(const std::vector<OutsideImport>& imports) {
    std::vector<std::string> names;
    for (const auto& import : imports) names.push_back(import.name);
    return names;
  }

 private:
  std::optional<base::TemporaryFolder> m_folder;
};

using Names = std::vector<std::string>;

TEST_F(MissingImports, APackageHasAllBelowIt) {
  EXPECT_EQ(missing({"numpy", "numpy.linalg", "numpyx", "num"}, {"numpy"}), (Names{"numpyx", "num"}));
}

TEST_F(MissingImports, ANamespaceHasWhatIsInstalledOfIt) {
  const Names modules = {"google.cloud.storage", "acme.one"};
  EXPECT_EQ(missing({"google", "google.cloud", "google.cloud.storage.blob", "acme.one"}, modules), Names());
  EXPECT_EQ(missing({"google.cloud.bigquery", "google.cloud.pubsub", "acme.two", "acme.two.more"}, modules),
            (Names{"google.cloud.bigquery", "google.cloud.pubsub", "acme.two", "acme.two.more"}));
}

TEST_F(MissingImports, EachPackageIsToldOnce) {
  EXPECT_EQ(missing({"yaml", "yaml.reader", "yaml"}, {}), Names{"yaml"});
}

TEST_F(MissingImports, AModuleAnywhereInTheSourceIsThere) {
  write("vendor/deep/tool.py");
  write("vendor/plain/readme.txt");
  EXPECT_EQ(missing({"tool", "deep", "plain", "vendor"}, {}), (Names{"plain", "vendor"}));
}

TEST_F(MissingImports, SetuptoolsBringsDistutils) {
  EXPECT_EQ(missing({"distutils.core"}, {"_distutils_hack", "setuptools"}), Names());
  EXPECT_EQ(missing({"distutils.core"}, {"six"}), Names{"distutils.core"});
}

TEST_F(MissingImports, OneOfAnExceptCountsWhenItsTryHasFailed) {
  Imports imports;
  imports.outside = {{.file = "main.py", .line = 4, .name = "slow", .unless = {{"fast", "helper"}}}};
  const auto with = [&](const Names& modules) {
    return names_of(missing_imports(imports, {modules, false, "requirements.txt"}, folder()));
  };
  EXPECT_EQ(with({}), Names{"slow"});
  EXPECT_EQ(with({"fast"}), Names{"slow"});
  EXPECT_EQ(with({"fast", "helper"}), Names());
  EXPECT_EQ(with({"slow"}), Names());
}

TEST_F(MissingImports, TheImageCountsWhereItIsVisible) {
  Imports imports;
  imports.outside = {{.file = "main.py", .line = 1, .name = "torch", .image = folder()},
                     {.file = "main.py", .line = 2, .name = "beside", .is_on_path = true}};
  EXPECT_EQ(names_of(missing_imports(imports, {{}, true, "requirements.txt"}, folder())), Names());
  EXPECT_EQ(names_of(missing_imports(imports, {{}, false, "requirements.txt"}, folder())), Names{"torch"});
}

TEST_F(MissingImports, WhatOnlyThisMachineHasIsMissingElsewhere) {
  Imports imports;
  imports.outside = {{.file = "main.py", .line = 1, .name = "torch", .image = folder()},
                     {.file = "main.py", .line = 2, .name = "beside", .is_on_path = true},
                     {.file = "", .line = 0, .name = "tool", .image = folder()}};
  EXPECT_EQ(names_of(missing_imports(imports, {{}, true, "", {}, true}, folder())), Names{"torch"});
  EXPECT_EQ(names_of(missing_imports(imports, {{"torch"}, true, "", {}, true}, folder())), Names());
}

TEST_F(MissingImports, ImportableNamesGoDownIntoNamespaces) {
  for (const auto* name :
       {"six.py", "fast.cpython-311-x86_64-linux-gnu.so", "numpy/__init__.py", "numpy/core/a.py",
        "acme/one/__init__.py", "acme/two.py", "data/table.csv", "six-1.dist-info/METADATA",
        "compiled/__init__.cpython-311.so", "compiled/more.py", "__pycache__/six.pyc", "old.egg/aged.py"}) {
    write(name);
  }
  ASSERT_TRUE(base::write_file(folder() / "easy-install.pth", "# eggs\nimport os\n./old.egg\n./gone\n"));
  EXPECT_EQ(importable_names(folder()),
            (Names{"acme.one", "acme.two", "aged", "compiled", "fast", "numpy", "six"}));
}

TEST(DistributionOf, KnowsNamesThatDiffer) {
  EXPECT_EQ(distribution_of("sklearn"), "scikit-learn");
  EXPECT_EQ(distribution_of("google.cloud.storage"), "google-cloud-storage");
  EXPECT_EQ(distribution_of("google.cloud.run_v2"), "google-cloud-run-v2");
  EXPECT_EQ(distribution_of("some_tool"), "some-tool");
  EXPECT_EQ(distribution_of("requests"), "requests");
}

TEST(DistributionOf, EachDotIsAChance) {
  EXPECT_EQ(distribution_of("google.protobuf.message"), "protobuf");
  EXPECT_EQ(distribution_of("ruamel.yaml.comments"), "ruamel.yaml");
  EXPECT_EQ(distribution_of("google"), "google");
  EXPECT_EQ(distribution_of("a_b.c_d"), "a-b-c-d");
}

// Of two imports one is told where one distribution brings both.
TEST_F(MissingImports, APartOfANamespaceIsAPackageOfItsOwn) {
  const struct {
    std::string first, second;
    bool are_one;
  } rows[] = {
      {"a.b", "a.c", true},
      {"google.cloud.a", "google.cloud.b", false},
      {"google.cloud.a.x", "google.cloud.a.y", true},
      {"google.ads.a", "google.ads.b", true},
      {"google.ads", "google.api", false},
      {"google", "google.ads", false},
      {"azure.storage.blob", "azure.storage.queue", false},
      {"azure.storage.blob.a", "azure.storage.blob.b", true},
      {"ruamel.yaml.a", "ruamel.yaml.b", true},
      {"ruamel.yaml", "ruamel.other", false},
      {"known.one.a.x", "known.one.a.y", true},
      {"known.one.a", "known.one.b", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(missing({row.first, row.second}, {"known.here"}).size(), row.are_one ? 1U : 2U)
        << row.first << " " << row.second;
  }
}

// What its build makes is known where the package was installed from the source.
TEST_F(MissingImports, OfAPackageOfTheSourceAllModulesAreKnown) {
  Imports imports;
  imports.outside = {{.file = "main.py", .line = 1, .name = "own.made", .is_own = true},
                     {.file = "main.py", .line = 2, .name = "own.other", .is_own = true},
                     {.file = "main.py", .line = 3, .name = "own.other", .is_own = true}};
  const auto with = [&](const Names& modules) {
    return names_of(missing_imports(imports, {modules, false, "requirements.txt"}, folder()));
  };
  EXPECT_EQ(with({}), (Names{"own.made", "own.other"}));
  EXPECT_EQ(with({"own"}), Names()) << "all of it may be there";
  EXPECT_EQ(with({"own", "own.__init__"}), (Names{"own.made", "own.other"}));
  EXPECT_EQ(with({"own", "own.__init__", "own.made"}), Names{"own.other"});
  EXPECT_EQ(with({"own", "own.__init__", "own.made.deep"}), Names{"own.other"});
  EXPECT_EQ(with({"own", "own.__init__", "own.madest"}), (Names{"own.made", "own.other"}));
  write("anywhere/own.py");
  EXPECT_EQ(with({}), (Names{"own.made", "own.other"})) << "no module of the name has what is made";
}

TEST_F(MissingImports, ATryThatFailsIsKnownByTheOtherImports) {
  Imports imports;
  imports.outside = {
      {.file = "main.py", .line = 1, .name = "fast", .is_on_path = true},
      {.file = "main.py", .line = 2, .name = "slow", .unless = {{"fast"}}},
      {.file = "main.py", .line = 3, .name = "slower", .unless = {{"none"}, {"fast"}}},
      {.file = "main.py", .line = 4, .name = "slowest", .unless = {{"none"}, {"fast", "gone"}}}};
  EXPECT_EQ(names_of(missing_imports(imports, {{}, false, ""}, folder())), Names{"slowest"});
  imports.outside[0].is_on_path = false;
  EXPECT_EQ(names_of(missing_imports(imports, {{}, false, ""}, folder())),
            (Names{"fast", "slow", "slower", "slowest"}));
}

TEST_F(MissingImports, HiddenFoldersAndVirtualEnvironmentsAreNotOfTheSource) {
  for (const auto* name : {".hidden/one.py", "venv/lib/two.py", "venv/pyvenv.cfg", "deep/a/b/three.so",
                           "four.cpython-311.so", "five.txt", ".six.py"})
    write(name);
  EXPECT_EQ(missing({"one", "two", "three", "four", "five", "b", "deep"}, {}),
            (Names{"one", "two", "five", "deep"}));
  Imports imports;
  imports.outside = {{.file = "", .line = 0, .name = "three"}};
  EXPECT_EQ(names_of(missing_imports(imports, {}, folder())), Names{"three"}) << "the program itself";
}

TEST_F(MissingImports, NamesAreThoseOfFourFoldersDeep) {
  for (const auto* name : {"a/b/c/d/e/f/g.py", "h/i.txt", "x/__init__.pyc", "a-b/c.py", "y/__pycache__/z.py",
                           "n/__init__.cpython-311.so", "n/m/__init__.py", "o/p.py", "o/q/__init__.so"})
    write(name);
  EXPECT_EQ(importable_names(folder()), (Names{"a.b.c.d.e", "n", "o.p", "o.q", "x"}));
}

TEST_F(MissingImports, PathFilesAddFolders) {
  for (const auto* name : {"one/a.py", "two/b.py", "three/c.py", "lib/a.py"}) write(name);
  for (const auto* name : {"one/__init__.py", "two/__init__.py", "three/__init__.py", "lib/__init__.py"})
    write(name);
  ASSERT_TRUE(base::write_file(folder() / "x.pth", "  one \n#two\n\nimport three\nnone\nlib\n"));
  ASSERT_TRUE(base::write_file(folder() / "x.txt", "two\n"));
  EXPECT_EQ(importable_names(folder()), (Names{"__init__", "a", "lib", "one", "three", "two"}));
}

TEST_F(MissingImports, ALineSaysWhatToDo) {
  const fs::path site = folder() / "site";
  const auto describe_with = [&](OutsideImport import, const Visible& visible) {
    import.file = "main.py";
    import.line = 7;
    return describe(import, visible);
  };
  write("site/yaml-1.dist-info/other");
  ASSERT_TRUE(base::write_file(site / "yaml-1.dist-info/RECORD", "yamlx/a.py,,\nyaml/__init__.py,,\n"));
  ASSERT_TRUE(base::write_file(site / "yaml-1.dist-info/METADATA", "X: 1\nName:  my-yaml \n"));
  write("site/one-1.dist-info/other");
  ASSERT_TRUE(base::write_file(site / "one-1.dist-info/RECORD", "one.py,,\n"));
  ASSERT_TRUE(base::write_file(site / "one-1.dist-info/METADATA", "Name: theirs\n"));
  write("site/two-1.egg-info/other");
  ASSERT_TRUE(base::write_file(site / "two-1.egg-info/RECORD", "two.py,,\n"));
  ASSERT_TRUE(base::write_file(site / "two-1.egg-info/METADATA", "Name: theirs\n"));
  const Visible plain{{}, false, "requirements.txt", {}};
  const std::string start = "main.py:7: imports ";
  const std::string image = ", or set python.image_packages = true in pachbuild.toml";
  EXPECT_EQ(describe_with({.name = "yaml.reader"}, plain),
            start + "yaml, which is not installed; add PyYAML to requirements.txt");
  EXPECT_EQ(describe_with({.name = "yaml", .image = site}, plain),
            start + "yaml, which only this image provides; add my-yaml to requirements.txt" + image);
  EXPECT_EQ(describe_with({.name = "one", .image = site}, plain),
            start + "one, which only this image provides; add theirs to requirements.txt" + image);
  EXPECT_EQ(describe_with({.name = "two", .image = site}, plain),
            start + "two, which only this image provides; add two to requirements.txt" + image);
  EXPECT_EQ(describe_with({.name = "yaml", .image = site}, {{}, true, "requirements.txt", {}}),
            start + "yaml, which is not installed; add my-yaml to requirements.txt");
  for (const auto* manifest : {"", "requirements.txt"}) {
    for (const bool has_image_packages : {true, false}) {
      const Visible here{{}, has_image_packages, manifest, {}, true};
      EXPECT_EQ(describe_with({.name = "yaml", .image = site}, here),
                start + "yaml, which only this machine has; add my-yaml to requirements.txt");
      EXPECT_EQ(describe_with({.name = "yaml"}, here),
                start + "yaml, which is not installed; add PyYAML to requirements.txt");
    }
  }
  EXPECT_EQ(describe_with({.name = "yaml"}, {{}, false, "", {}}),
            start + "yaml, which is not installed; add PyYAML to requirements.txt");
  EXPECT_EQ(describe_with({.name = "yaml"}, {{}, false, "Pipfile", {{"pyyaml", "\"x\" to python.groups"}}}),
            start + "yaml, which is not installed; add \"x\" to python.groups in pachbuild.toml");
  EXPECT_EQ(describe_with({.name = "yaml", .image = site},
                          {{}, false, "Pipfile", {{"my-yaml", "\"y\" to python.groups"}}}),
            start + "yaml, which is not installed; add \"y\" to python.groups in pachbuild.toml");
  EXPECT_EQ(describe_with({.name = "yaml", .image = site},
                          {{}, false, "Pipfile", {{"pyyaml", "\"z\" to python.groups"}}}),
            start + "yaml, which is not installed; add \"z\" to python.groups in pachbuild.toml");
  const OutsideImport own{.name = "own.made", .is_own = true};
  EXPECT_EQ(describe_with(own, {{"own.__init__"}, false, "requirements.txt", {}}),
            start + "own.made, which neither the source nor its build provides");
  const std::string project =
      start +
      "own.made, which is not in the source; if the build generates it, install the project as well (";
  EXPECT_EQ(describe_with(own, plain), project + "add . to requirements.txt)");
  EXPECT_EQ(describe_with(own, {{}, false, "pyproject.toml", {}}),
            project + "[build-system] in pyproject.toml, or setup.py)");
}

class ReadImports : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "readimports.").value();
  const fs::path m_top = fs::canonical(m_folder.path());
  const fs::path m_source = m_top / "source";
  FakeMachine m_machine{m_top};
  Settings m_settings{.cache = m_top / "cache", .environment = {{"PYTHONPATH", "/a:b::/c\td:/e:/f\n"}}};
  Tools m_tools{m_settings, m_machine};
  Interpreter m_interpreter{m_machine.python, "cpython-3.11.2", "", "3.11.2", {}};
  Entry m_entry;

  void SetUp() override {
    put("main.py", "x");
    m_entry.file = m_source / "main.py";
  }
  void put(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_source / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_source / name, text));
  }
  base::Result<Imports> read() { return read_imports(m_source, m_entry, m_interpreter, m_tools); }
  // Whether Python is asked.
  bool asks() {
    const auto before = m_machine.readings.size();
    EXPECT_TRUE(read());
    return m_machine.readings.size() > before;
  }
  std::string error() {
    const auto read = this->read();
    return read ? "none" : read.error().where + ": " + read.error().what + " | " + read.error().hint;
  }
  [[nodiscard]] fs::path memory() const {
    return fs::directory_iterator(m_settings.cache / "python/imports")->path();
  }
};

TEST_F(ReadImports, PythonIsAskedForTheProgramOrTheModule) {
  const auto question = [&] {
    EXPECT_TRUE(read());
    const auto& words = m_machine.readings.back().arguments;
    return std::vector<std::string>(words.end() - 6, words.end());
  };
  const std::string source = m_source.string();
  EXPECT_EQ(question(), (Names{source, "main.py", "", "", "", "/a:/e"}));
  const auto& command = m_machine.readings.back();
  EXPECT_EQ(Names(command.arguments.begin(), command.arguments.begin() + 6),
            (Names{m_machine.python, "-I", "-S", "-W", "ignore", "-c"}));
  EXPECT_EQ(command.folder, "/");
  EXPECT_EQ(command.environment, (process::Environment{{"LC_ALL", "C.UTF-8"}}));
  put("src/pkg/cli.py", "x");
  EXPECT_EQ(question(), (Names{source, "main.py", "", "", ":src", "/a:/e"}));
  m_entry = {};
  m_entry.module = "pkg.cli";
  m_entry.function = "run";
  m_entry.root = "lib";
  EXPECT_EQ(question(), (Names{source, "", "pkg.cli", "run", "lib::src", "/a:/e"}));
  m_entry.root = "";
  EXPECT_EQ(question(), (Names{source, "", "pkg.cli", "run", ":src", "/a:/e"}));
  m_entry.root = "src";
  EXPECT_EQ(question(), (Names{source, "", "pkg.cli", "run", "src:", "/a:/e"}));
}

TEST_F(ReadImports, LinesAreOfFilesAndOfWhatIsOutside) {
  m_machine.imports =
      "file\tdigest!more\tmain.py\nfile\tx\tlib/a.py\nimport\t1\ta\t\nfile\tx\n\nother\tline\n"
      "outside\t3\tyaml\t\t-\tmain.py\noutside\t12\tslow\tfast,faster;other\tpath\tlib/a.py\n"
      "outside\t1\town.made\t\town\tmain.py\noutside\t2\ttorch\t\timage:/opt/site\tmain.py\n";
  const auto imports = read().value();
  EXPECT_EQ(imports.files, (std::vector<fs::path>{"main.py", "lib/a.py"}));
  EXPECT_EQ(imports.outside, (std::vector<OutsideImport>{
                                 {.file = "main.py", .line = 3, .name = "yaml"},
                                 {.file = "lib/a.py",
                                  .line = 12,
                                  .name = "slow",
                                  .unless = {{"fast", "faster"}, {"other"}},
                                  .is_on_path = true},
                                 {.file = "main.py", .line = 1, .name = "own.made", .is_own = true},
                                 {.file = "main.py", .line = 2, .name = "torch", .image = "/opt/site"}}));
  for (const std::string line :
       {"outside\t3\tyaml\t\t-", "outside\t3\tyaml\t\t-\tmain.py\tx", "outside\tx\tyaml\t\t-\tmain.py"}) {
    m_machine.imports = line + "\n";
    fs::remove_all(m_settings.cache);
    EXPECT_EQ(error(), "read_imports.py: returned an unexpected answer | ");
  }
}

TEST_F(ReadImports, AreReadAgainWhereAnythingIsAnother) {
  const fs::path image = m_top / "image";
  ASSERT_TRUE(base::make_folders(image));
  const auto state = [&] {
    m_machine.imports = "file\t" + base::sha256(base::read_file(m_source / "main.py").value()) +
                        "!1\tmain.py\nabsent\tlib/none\nfolder\t0\t" + (m_top / "gone").string() + "\n";
    base::replace_all(m_machine.imports, "folder\t0", "folder\tnone");
  };
  state();
  EXPECT_TRUE(asks());
  EXPECT_EQ(m_machine.known_imports, "");
  EXPECT_FALSE(asks());
  const auto known = m_machine.imports;
  put("main.py", "y");
  state();
  EXPECT_TRUE(asks());
  EXPECT_EQ(m_machine.known_imports, known) << "what is the same needs not be read again";
  EXPECT_FALSE(asks());
  put("lib/none.py", "");
  EXPECT_TRUE(asks());
  fs::remove(m_source / "lib/none.py");
  EXPECT_FALSE(asks());
  put("lib/none/x", "");
  EXPECT_TRUE(asks());
  fs::remove_all(m_source / "lib/none");
  ASSERT_TRUE(base::make_folders(m_top / "gone"));
  EXPECT_TRUE(asks()) << "a folder of packages that is new";
  fs::remove(m_top / "gone");
  EXPECT_FALSE(asks());
  fs::remove(m_source / "main.py");
  EXPECT_TRUE(asks());
  m_interpreter.identity = "cpython-3.12.0";
  put("main.py", "y");
  EXPECT_TRUE(asks());
  EXPECT_FALSE(asks());
  m_interpreter.path += "x";
  m_machine.on_command = nullptr;
  const auto before = m_machine.readings.size();
  read().value();
  EXPECT_EQ(m_machine.readings.size(), before + 1);
}

TEST_F(ReadImports, AFolderIsTheSameByItsTime) {
  const fs::path image = m_top / "image";
  ASSERT_TRUE(base::make_folders(image));
  const auto time = [&](time_t seconds, long nanoseconds) {
    const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, image.c_str(), times, 0), 0);
  };
  time(7, 5);
  m_machine.imports = "folder\t7000000005\t" + image.string() + "\n";
  EXPECT_TRUE(asks());
  EXPECT_FALSE(asks());
  time(8, 5);
  EXPECT_TRUE(asks());
  time(7, 6);
  EXPECT_TRUE(asks());
}

TEST_F(ReadImports, WhatWasTamperedWithIsNotKnown) {
  m_machine.imports = "file\t" + base::sha256("x") + "\tmain.py\n";
  ASSERT_TRUE(read());
  const std::string kept = base::read_file(memory()).value();
  for (const auto& text : {kept + "x", kept.substr(1), kept.substr(0, kept.size() - 1), std::string(),
                           kept.substr(0, 64), std::string("\n")}) {
    ASSERT_TRUE(base::write_file(memory(), text));
    EXPECT_TRUE(asks()) << text;
    EXPECT_EQ(m_machine.known_imports, "") << text;
    EXPECT_EQ(base::read_file(memory()).value(), kept);
  }
}

TEST_F(ReadImports, WhyTheyCannotBeRead) {
  m_entry.place = "pachbuild.toml: python.program";
  m_entry.module = "pkg.cli";
  m_entry.function = "run";
  int status = 0;
  m_machine.on_command = [&](const process::Command& /*command*/, process::Finished& finished) {
    finished.ending = process::Ending::from_wait_status(status);
  };
  const std::string file = m_entry.file.string();
  status = 1 << 8;
  EXPECT_EQ(error(), file + ": is not valid Python | see Python's output above");
  EXPECT_EQ(read().error().kind, base::ErrorKind::step_failed);
  status = 2 << 8;
  EXPECT_EQ(error(), "pachbuild.toml: python.program: module pkg.cli has no function \"run\" | ");
  EXPECT_EQ(read().error().kind, base::ErrorKind::bad_input);
  status = 3 << 8;
  EXPECT_EQ(error(), file + ": cannot be read by Python: exit code 3 | ");
  status = 9;
  EXPECT_EQ(error(), file + ": cannot be read by Python: signal 9 (Killed) | ");
  EXPECT_EQ(read().error().kind, base::ErrorKind::step_failed);
}

}  // namespace
}  // namespace builder::python
