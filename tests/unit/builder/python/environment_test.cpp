// SPDX-License-Identifier: Apache-2.0
// How the tree of a bundle is made with uv, and what of it is put right.
#include "builder-runtime/languages/python/environment.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/builder/python/fake_machine.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Not;
using Lines = std::vector<std::string>;

class PythonEnvironment : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "environment.").value();
  const fs::path m_top = fs::canonical(m_folder.path());
  const fs::path m_source = m_top / "source";
  const fs::path m_tree = m_top / "tree";
  const fs::path m_site = FakeMachine::site_packages(m_tree);
  FakeMachine m_machine{m_top};
  Settings m_settings{.cache = m_top / "cache", .environment = m_machine.environment};
  Tools m_tools{m_settings, m_machine};
  Reported m_reported;
  PythonSettings m_python;

  void SetUp() override { put(m_source / "requirements.txt", "a==1\n"); }
  static void put(const fs::path& path, const std::string& text = "", mode_t mode = 0644) {
    ASSERT_TRUE(base::make_folders(path.parent_path()));
    ASSERT_TRUE(base::write_file(path, text, mode));
  }
  // A distribution as uv installs it: its own files by name, and these beside METADATA in its folder.
  static void distribute(const fs::path& site, const std::string& name,
                         const std::map<std::string, std::string>& files,
                         const std::map<std::string, std::string>& information = {}) {
    const std::string folder = name + "-1.dist-info/";
    std::string record;
    auto all = files;
    all[folder + "METADATA"] = "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1\n\nName: no\n";
    for (const auto& [file, text] : information) all[folder + file] = text;
    for (const auto& [file, text] : all) {
      put(site / file, text);
      record += file + ",sha256=x,1\n";
    }
    put(site / folder / "RECORD", record + folder + "RECORD,,\n");
  }
  base::Result<Environment> make(Extent extent = Extent::whole,
                                 const InstallStep& step = {.arguments = {"--no-deps", "x"},
                                                            .requirements = {}}) {
    Installation installation{.source = m_source, .settings = m_python};
    installation.manifest.kind = ManifestKind::requirements;
    installation.manifest.files = {"requirements.txt"};
    installation.has_hashes = true;
    installation.uv = m_machine.uv;
    installation.interpreter.path = "/usr/bin/python3";
    installation.configuration.arguments = {"--no-index"};
    installation.configuration.environment = {{"UV_CACHE_DIR", (m_top / "uv-cache").string()},
                                              {"UV_CONSTRAINT", "c"},
                                              {"UV_OVERRIDE", "o"},
                                              {"UV_OTHER", "x"}};
    const auto resolution = Resolution::make(std::move(installation), m_tools).value();
    return make_environment(*resolution, step, extent, m_tools, m_tree);
  }
  static std::string error_of(const base::Result<Environment>& made) {
    return made ? "none" : made.error().where + ": " + made.error().what;
  }
};

TEST_F(PythonEnvironment, IsEmptyFirstAndThenInstalledInto) {
  put(m_tree / "old");
  ASSERT_TRUE(make());
  EXPECT_FALSE(fs::exists(m_tree / "old"));
  EXPECT_FALSE(fs::exists(m_tree / ".lock"));
  EXPECT_TRUE(fs::exists(m_tree / "pyvenv.cfg"));
  ASSERT_EQ(m_machine.uv_commands.size(), 2U);
  const auto& venv = m_machine.uv_commands[0];
  EXPECT_THAT(venv.arguments, ElementsAre(m_machine.uv, "venv", "--quiet", "--relocatable", "--no-project",
                                          "--no-config", "--python", "/usr/bin/python3", m_tree.string()));
  EXPECT_EQ(venv.folder, m_tree.parent_path());
  const auto& install = m_machine.uv_commands[1];
  EXPECT_THAT(
      install.arguments,
      ElementsAre(m_machine.uv, "pip", "install", "--python", (m_tree / "bin/python").string(), "--link-mode",
                  "copy", "--no-compile-bytecode", "--no-editable", "--no-index", "--no-deps", "x"));
  EXPECT_EQ(install.folder, m_source);
  m_python.image_packages = true;
  m_machine.uv_commands.clear();
  ASSERT_TRUE(make());
  EXPECT_EQ(m_machine.uv_commands[0].arguments.back(), "--system-site-packages");
  m_machine.uv_commands.clear();
  ASSERT_TRUE(make(Extent::whole, {}));
  EXPECT_EQ(m_machine.uv_commands.size(), 1U) << "there is nothing to install";
}

TEST_F(PythonEnvironment, WhatIsChosenIsNotChosenAgain) {
  for (const bool is_chosen : {true, false}) {
    m_machine.uv_commands.clear();
    ASSERT_TRUE(make(Extent::whole, {.arguments = {"x"}, .is_chosen = is_chosen, .requirements = {}}));
    const auto& environment = m_machine.uv_commands.at(1).environment;
    EXPECT_EQ(environment.contains("UV_CONSTRAINT"), !is_chosen);
    EXPECT_EQ(environment.contains("UV_OVERRIDE"), !is_chosen);
    EXPECT_TRUE(environment.contains("UV_OTHER"));
  }
}

TEST_F(PythonEnvironment, KnowsWhatIsInstalled) {
  m_machine.on_install = [](const fs::path& site) {
    distribute(site, "zeta", {{"zeta.py", ""}});
    distribute(site, "alpha", {{"alpha/__init__.py", ""}, {"alpha/more.py", ""}});
    // What stands behind the headers is text.
    put(site / "bare-1.dist-info/METADATA", "Name : no\nNames: no\nName: bare\n\nVersion: 9\n");
    put(site / "bare-1.dist-info/RECORD");
    for (const auto* other : {"a", "python", "z"}) put(site.parent_path().parent_path() / other / "file");
    put(site / "beside.txt");
    put(site / "no-1.egg-info/METADATA", "Name: egg\nVersion: 1\n");
  };
  const auto made = make().value();
  EXPECT_THAT(made.packages, ElementsAre("alpha==1", "bare==", "zeta==1"));
  EXPECT_THAT(made.modules, ElementsAre("alpha", "zeta"));
  EXPECT_THAT(m_machine.compiled,
              testing::UnorderedElementsAre("alpha/__init__.py", "alpha/more.py", "zeta.py"));
  const auto lines = m_reported.lines("compile: ");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], testing::StartsWith("installed 3 packages ("));
  EXPECT_THAT(lines[1], testing::StartsWith("compiled bytecode of 2 packages ("));
}

TEST_F(PythonEnvironment, ForgetsWhenAndWhereItCameFrom) {
  m_machine.on_install = [](const fs::path& site) {
    distribute(site, "a", {{"a.py", ""}, {"b/direct_url.json", "{}"}, {"direct_url.json", "{}"}},
               {{"direct_url.json", "{}"},
                {"uv_build.json", "{}"},
                {"uv_cache.json", "{}"},
                {"INSTALLER", "uv"},
                {"licenses/uv_cache.json", "x"}});
    distribute(site, "plain", {{"plain.py", ""}});
    put(site / "plain-1.dist-info/RECORD", "plain.py,,\nplain-1.dist-info/RECORD,,");
  };
  ASSERT_TRUE(make());
  EXPECT_EQ(base::read_file(m_site / "a-1.dist-info/RECORD").value(),
            "a-1.dist-info/INSTALLER,sha256=x,1\na-1.dist-info/METADATA,sha256=x,1\n"
            "a-1.dist-info/licenses/uv_cache.json,sha256=x,1\na.py,sha256=x,1\nb/direct_url.json,sha256=x,1\n"
            "direct_url.json,sha256=x,1\na-1.dist-info/RECORD,,\n");
  for (const auto* gone : {"direct_url.json", "uv_build.json", "uv_cache.json"})
    EXPECT_FALSE(fs::exists(m_site / "a-1.dist-info" / gone)) << gone;
  for (const auto* kept : {"a-1.dist-info/INSTALLER", "a-1.dist-info/licenses/uv_cache.json",
                           "b/direct_url.json", "direct_url.json"})
    EXPECT_TRUE(fs::exists(m_site / kept)) << kept;
  EXPECT_EQ(base::read_file(m_site / "plain-1.dist-info/RECORD").value(),
            "plain.py,,\nplain-1.dist-info/RECORD,,\n")
      << "each line ends";
}

TEST_F(PythonEnvironment, ScriptsKeepTheirOwnBeginning) {
  const std::string shell = "#!/bin/sh\n'''exec' \"$(dirname -- \"$0\")\"/'python' \"$0\" \"$@\"\n' '''\n";
  const struct {
    std::string name, text, expected;
  } rows[] = {
      {"docstring", shell + "\"\"\"Text.\"\"\"\nx\n", "#!/usr/bin/env python\n\"\"\"Text.\"\"\"\nx\n"},
      {"empty", shell, "#!/usr/bin/env python\n"},
      {"entry", shell + "# -*- coding: utf-8 -*-\nimport sys\nfrom a import b\n", ""},
      {"coded", shell + "# -*- coding: latin-1 -*-\nimport sys\nfrom a import b\n",
       "#!/usr/bin/env python\n# -*- coding: latin-1 -*-\nimport sys\nfrom a import b\n"},
      {"endless", "#!/bin/sh\n'''exec' python\nx\n", ""},
      {"python", "#!/usr/bin/python\nx\n", ""},
      {"shell", "#!/bin/sh\necho\n' '''\nx\n", ""},
      {"short", "#!", ""},
  };
  m_machine.on_install = [&](const fs::path& site) {
    const fs::path bin = site.parent_path().parent_path().parent_path() / "bin";
    for (const auto& row : rows) put(bin / row.name, row.text, 0700);
    fs::create_symlink(bin / "docstring", bin / "link");
    ASSERT_TRUE(base::make_folders(bin / "folder"));
  };
  ASSERT_TRUE(make());
  for (const auto& row : rows) {
    const fs::path script = m_tree / "bin" / row.name;
    EXPECT_EQ(base::read_file(script).value(), row.expected.empty() ? row.text : row.expected) << row.name;
    struct stat status{};
    ASSERT_EQ(::stat(script.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, row.expected.empty() ? 0700U : 0755U) << row.name;
  }
  EXPECT_TRUE(fs::is_symlink(m_tree / "bin/link"));
}

TEST_F(PythonEnvironment, AnAdditionHasNothingOfTheEnvironmentItself) {
  m_machine.on_install = [](const fs::path& site) {
    distribute(site, "a", {{"a.py", ""}});
    put(site.parent_path().parent_path().parent_path() / "bin/tool");
  };
  ASSERT_TRUE(make(Extent::addition));
  EXPECT_FALSE(fs::exists(m_tree / "pyvenv.cfg"));
  EXPECT_FALSE(fs::exists(m_tree / "bin/python"));
  EXPECT_TRUE(fs::exists(m_tree / "bin/tool"));
  EXPECT_TRUE(fs::exists(m_site / "__pycache__/a.tag.pyc"));
  EXPECT_FALSE(fs::exists(m_tree / "source")) << "nothing is of the source";
}

TEST_F(PythonEnvironment, PackagesOfTheSourceAreImportedFromIt) {
  for (const auto* folder : {"own", "libs/other"}) put(m_source / folder / "pkg/__init__.py", "x");
  put(m_top / "outside/pkg/__init__.py", "x");
  const std::string source = m_source.string();
  const struct {
    std::string origin;
    bool is_of_source;
  } rows[] = {
      {R"({"url": "file://)" + source + R"(/own", "dir_info": {}})", true},
      {R"({"url": "file://)" + source + R"(/libs/other", "dir_info": {"editable": false}})", true},
      {R"({"url": "file://)" + source + R"(/own", "archive_info": {}})", false},
      {R"({"url": "file://)" + source + R"(/none", "dir_info": {}})", false},
      {R"({"url": "file://)" + m_top.string() + R"(/outside", "dir_info": {}})", false},
      {"broken", false},
  };
  for (const auto& row : rows) {
    m_machine.on_install = [&](const fs::path& site) {
      distribute(site, "own", {{"pkg/__init__.py", "x"}, {"pkg/cli.py", "y"}},
                 {{"direct_url.json", row.origin}});
    };
    const auto made = make().value();
    const bool knows_all =
        std::find(made.modules.begin(), made.modules.end(), "pkg.cli") != made.modules.end();
    EXPECT_EQ(knows_all, row.is_of_source) << row.origin;
    EXPECT_EQ(fs::exists(m_site / "_pachbuild_source.pth"), row.is_of_source) << row.origin;
    EXPECT_EQ(fs::is_symlink(m_site / "pkg"), row.is_of_source) << row.origin;
  }
  // The source itself.
  put(m_source / "top/__init__.py", "x");
  m_machine.on_install = [&](const fs::path& site) {
    distribute(site, "own", {{"top/__init__.py", "x"}},
               {{"direct_url.json", R"({"url": "file://)" + source + R"(", "dir_info": {}})"}});
  };
  EXPECT_THAT(make().value().modules, ElementsAre("top", "top.__init__"));
  EXPECT_THAT(base::read_file(m_site / "_pachbuild_source.py").value(),
              testing::HasSubstr("\"top\": \"/pfs/source\""));
}

TEST_F(PythonEnvironment, OfAnInstallationThatIsNotWholeIsAnError) {
  m_machine.on_install = [](const fs::path& site) { fs::remove_all(site.parent_path()); };
  const auto none = make();
  EXPECT_EQ(error_of(none), m_tree.string() + ": has no site-packages");
  EXPECT_EQ(none.error().kind, base::ErrorKind::bug);
  for (const std::string file : {"METADATA", "RECORD"}) {
    m_machine.on_install = [&](const fs::path& site) {
      distribute(site, "a", {{"a.py", ""}});
      fs::remove(site / "a-1.dist-info" / file);
    };
    const auto made = make();
    ASSERT_FALSE(made) << file;
    EXPECT_EQ(made.error().where, (m_site / "a-1.dist-info" / file).string());
  }
  m_machine.on_install = nullptr;
  m_machine.on_command = [](const process::Command& command, process::Finished& finished) {
    if (command.arguments.at(1) == "venv") finished.ending = process::Ending::from_wait_status(1 << 8);
  };
  EXPECT_EQ(error_of(make()), "uv venv: installation failed: uv exited with code 1");
  m_machine.on_command = [](const process::Command& command, process::Finished& finished) {
    if (command.arguments.at(1) == "pip") finished.ending = process::Ending::from_wait_status(1 << 8);
  };
  EXPECT_EQ(error_of(make()), "requirements.txt: installation failed: uv exited with code 1");
}

}  // namespace
}  // namespace builder::python
