// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/entry.h"

#include <gtest/gtest.h>

namespace builder::python {
namespace {

namespace fs = base::fs;

class EntryTest : public testing::Test {
 protected:
  using Files = std::map<std::string, std::string>;

  // The program of a source with these files: its arguments and its file, or "error: " and what is wrong.
  [[nodiscard]] std::string entry(const Files& files, const std::string& program = "",
                                  const std::string& project = "") const {
    const fs::path source = m_folder.path() / "source";
    EXPECT_TRUE(base::remove_tree(source));
    EXPECT_TRUE(base::make_folders(source));
    for (const auto& [name, text] : files) {
      EXPECT_TRUE(base::make_folders((source / name).parent_path()));
      EXPECT_TRUE(base::write_file(source / name, text));
    }
    EXPECT_TRUE(base::write_file(m_folder.path() / "project", project));
    SourceSettings settings;
    settings.places.file = "pachbuild.toml";
    settings.python.program = program;
    const auto found =
        find_entry(source, data::read_toml(m_folder.path() / "project", "p").value(), settings);
    if (!found) {
      EXPECT_EQ(found.error().kind, base::ErrorKind::bad_input);
      return "error: " + fs::path(found.error().where).filename().string() + ": " + found.error().what;
    }
    std::string text;
    for (const auto& argument : found->arguments) text += argument + " ";
    return text + "| " + (found->file.empty() ? "" : found->file.lexically_relative(source).string());
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "entry.").value();
};

TEST_F(EntryTest, WithoutSettingsTheFirstThatIsThere) {
  const std::string script = "[project.scripts]\ntool = 'pkg.cli:main'\n";
  EXPECT_EQ(entry({{"main.py", ""}, {"__main__.py", ""}, {"x.py", ""}}, "", script),
            "/pfs/source/main.py | main.py");
  EXPECT_EQ(entry({{"__main__.py", ""}, {"x.py", ""}}, "", script), "/pfs/source/__main__.py | __main__.py");
  EXPECT_EQ(entry({{"x.py", ""}, {"pkg/cli.py", ""}}, "", script),
            "-c import sys; sys.path[0] = '/pfs/source'; sys.argv[0] = 'tool'; from pkg.cli import main; "
            "sys.exit(main()) | pkg/cli.py");
  EXPECT_EQ(entry({{"x.py", ""}, {"main.txt", ""}, {"d/y.py", ""}}), "/pfs/source/x.py | x.py");
  EXPECT_EQ(entry({{"x.py", ""}, {"setup.py", ""}, {"conftest.py", ""}, {"__init__.py", ""}}),
            "/pfs/source/x.py | x.py");
  EXPECT_EQ(entry({{"main.py/file", ""}, {"x.py", ""}}), "/pfs/source/x.py | x.py")
      << "a folder is no program";
}

TEST_F(EntryTest, ScriptsOfSetuptoolsCountWherePyprojectHasNone) {
  const std::string starts_run = "sys.argv[0] = 'tool'; from pkg.cli import run;";
  const auto starts = [&](const Files& files, const std::string& project = "") {
    Files all = files;
    all.emplace("pkg/cli.py", "");
    all.emplace("x.py", "");
    return entry(all, "", project).find(starts_run) != std::string::npos;
  };
  const std::string in_cfg = "[options.entry_points]\nconsole_scripts =\n  tool = pkg.cli:run\n";
  EXPECT_TRUE(starts({{"setup.cfg", in_cfg}}));
  EXPECT_TRUE(starts({{"setup.cfg", "[metadata]\nname = Tool\n" + in_cfg + "  other = b:c\n"}}));
  EXPECT_FALSE(starts({{"setup.cfg", in_cfg + "  other = b:c\n"}}));
  EXPECT_FALSE(starts({{"setup.cfg", in_cfg}}, "[project]\nname = 'x'\n"));
  EXPECT_TRUE(starts({{"setup.cfg", in_cfg}}, "[project]\nname = 'x'\ndynamic = ['scripts']\n"));
  EXPECT_TRUE(starts({{"setup.cfg", in_cfg}}, "[build-system]\nrequires = ['setuptools']\n"));
  for (const std::string words :
       {"{'console_scripts': ['tool = pkg.cli:run']}",
        "{\"console_scripts\": [\n # of the team\n \"tool=pkg.cli:run\",\n]}",
        "dict(console_scripts=('tool=pkg.cli:run',))", "'''\n[console_scripts]\ntool=pkg.cli:run\n'''"}) {
    EXPECT_TRUE(starts({{"setup.py", "setup(entry_points=" + words + ")"}})) << words;
  }
  for (const std::string words :
       {"{'console_scripts': SCRIPTS}", "{'console_scripts': ['tool=pkg.cli:run', *MORE]}",
        "{'console_scripts': ['tool=pkg.cli:run'", "{'console_scripts': []}",
        "{'gui_scripts': ['tool=pkg.cli:run']}", "'console_scripts'"}) {
    EXPECT_FALSE(starts({{"setup.py", "setup(entry_points=" + words + ")"}})) << words;
  }
}

TEST_F(EntryTest, ScriptsOfPoetryCountWhereTheProjectHasNone) {
  const std::string poetry = "[tool.poetry.scripts]\nother = 'b:run'\n";
  EXPECT_NE(entry({{"x.py", ""}}, "", poetry).find("sys.argv[0] = 'other'; from b import run;"),
            std::string::npos);
  EXPECT_NE(entry({{"x.py", ""}}, "", "[project.scripts]\none = 'a:run'\n" + poetry).find("'one'; from a"),
            std::string::npos);
}

TEST_F(EntryTest, SeveralScripts) {
  const std::string scripts = "[project.scripts]\na = 'a:f'\nb = 'b:f'\n";
  EXPECT_EQ(entry({{"d/x.py", ""}}, "", scripts), "error: source: contains several programs: a:f, b:f");
  EXPECT_EQ(entry({{"x.py", ""}}, "", scripts), "/pfs/source/x.py | x.py");
}

TEST_F(EntryTest, OfSeveralFilesTheOneWithAGuard) {
  for (const char* guard :
       {"if __name__ == \"__main__\":", "if __name__=='__main__':", "if(__name__ == '__main__'):",
        "if '__main__' == __name__:", "if\t__name__ ==  '__main__': run()"}) {
    EXPECT_EQ(entry({{"a.py", "x = 1\n"}, {"b.py", "x = 1\n" + std::string(guard) + "\n    x()\n"}}),
              "/pfs/source/b.py | b.py")
        << guard;
  }
  for (const char* none :
       {"if __name__ == 'main':", "  if __name__ == '__main__':", "# if __name__ == '__main__':",
        "x = '''if'''; __name__ == '__main__':", "if x and __name__ == '__main__':"}) {
    EXPECT_EQ(entry({{"a.py", ""}, {"b.py", none}}),
              "error: source: cannot tell which file is the program: a.py, b.py")
        << none;
  }
  const std::string guard = "if __name__ == '__main__':\n";
  EXPECT_EQ(entry({{"b.py", guard}, {"a.py", guard}, {"c.py", ""}}),
            "error: source: contains several programs: a.py, b.py");
}

TEST_F(EntryTest, NoneIsAnError) {
  EXPECT_EQ(entry({{"a.txt", ""}, {"setup.py", ""}}),
            "error: source: no program found: expected main.py or another .py file at the root");
}

TEST_F(EntryTest, ASettingNamesAFile) {
  const Files files = {{"main.py", ""}, {"tool.py", ""}, {"d/x.py", ""}};
  EXPECT_EQ(entry(files, "tool.py"), "/pfs/source/tool.py | tool.py");
  EXPECT_EQ(entry(files, "d/../d/x.py"), "/pfs/source/d/x.py | d/x.py");
  for (const char* none : {"none.py", "/etc/x.py", "../source/tool.py", "d.py"}) {
    EXPECT_EQ(entry(files, none),
              "error: pachbuild.toml: python.program: no file " + std::string(none) + " in the source");
  }
}

TEST_F(EntryTest, ASettingNamesAModule) {
  EXPECT_EQ(entry({{"tool.py", ""}}, "tool"), "-m tool | tool.py");
  EXPECT_EQ(entry({{"pkg/tool.py", ""}}, "pkg.tool"), "-m pkg.tool | pkg/tool.py");
  EXPECT_EQ(entry({{"pkg/__main__.py", ""}}, "pkg"), "-m pkg | pkg/__main__.py");
  EXPECT_EQ(entry({{"src/pkg/__main__.py", ""}}, "pkg"),
            "-c import runpy, sys; sys.path[:1] = ['/pfs/source/src', '/pfs/source']; "
            "runpy.run_module('pkg', run_name='__main__', alter_sys=True) | src/pkg/__main__.py");
  EXPECT_EQ(entry({{"pkg/__init__.py", ""}}, "pkg"),
            "error: pachbuild.toml: python.program: the package pkg has no __main__.py, so it cannot be run");
  EXPECT_EQ(entry({}, "http.server"), "-m http.server | ") << "of a package, or of Python";
  EXPECT_EQ(entry({}, "_x.\xc3\xa9t"), "-m _x.\xc3\xa9t | ");
  EXPECT_EQ(entry({}, ".py"),
            "error: pachbuild.toml: python.program: \".py\" is neither a file nor a module");
  for (const char* wrong : {"a-b", "1a", "a..b", "a.", "a b", "a/b"}) {
    EXPECT_EQ(entry({}, wrong), "error: pachbuild.toml: python.program: \"" + std::string(wrong) +
                                    "\" is neither a file nor a module");
  }
}

TEST_F(EntryTest, ASettingNamesAFunction) {
  const std::string before =
      "-c import sys; sys.path[0] = '/pfs/source'; sys.argv[0] = 'pkg'; from pkg import ";
  EXPECT_EQ(entry({{"pkg/__init__.py", ""}}, "pkg:run"), before + "run; sys.exit(run()) | pkg/__init__.py");
  EXPECT_EQ(entry({{"src/pkg.py", ""}}, "pkg : app.run"),
            "-c import sys; sys.path[:1] = ['/pfs/source/src', '/pfs/source']; "
            "sys.argv[0] = 'pkg '; from pkg import app; "
            "sys.exit(app.run()) | src/pkg.py");
  for (const char* wrong : {"pkg:", ":run", "pkg:run()", "a-b:run", "pkg:a:b"}) {
    EXPECT_EQ(entry({}, wrong), "error: pachbuild.toml: python.program: \"" + std::string(wrong) +
                                    "\" does not have the form module:function");
  }
  EXPECT_EQ(entry({}, "", "[project.scripts]\n\"a'b\" = 'x:y'\n"),
            "error: pyproject.toml:2: a'b: \"x:y\" does not have the form module:function");
}

TEST_F(EntryTest, AFunctionIsNamedByOneColon) {
  for (const std::string text : {"a:b:c", ":b", "a:", "a:b c", "a b:c", "1a:b", "a:1b", "a[x]:b"}) {
    const auto found = entry({{"x.py", ""}, {"y.py", ""}}, "", "[project.scripts]\ntool = '" + text + "'\n");
    EXPECT_TRUE(found.starts_with("error: ")) << text << ": " << found;
  }
  for (const std::string text : {"a:b", " a : b ", "a:b [x]", "a:b[x:y]"}) {
    const auto found = entry({{"x.py", ""}, {"y.py", ""}}, "", "[project.scripts]\ntool = '" + text + "'\n");
    EXPECT_NE(found.find("from a import b; sys.exit(b())"), std::string::npos) << text << ": " << found;
  }
}

TEST_F(EntryTest, FilesThatOtherToolsStartAreNoPrograms) {
  for (const std::string name : {"setup.py", "conftest.py", "__init__.py", "noxfile.py", "versioneer.py",
                                 "fabfile.py", "dodo.py", "hatch_build.py", "test_x.py", "x_test.py"})
    EXPECT_EQ(entry({{name, ""}, {"z.py", ""}}), "/pfs/source/z.py | z.py") << name;
  for (const std::string name : {"setup_x.py", "testx.py", "xtest.py"})
    EXPECT_EQ(entry({{name, ""}}), "/pfs/source/" + name + " | " + name);
  const fs::path source = m_folder.path() / "source";
  EXPECT_NE(entry({{"b.py", ""}, {"a.py", ""}, {"setup.py", ""}, {"d/c.py", ""}}), "");
  std::vector<std::string> names;
  for (const auto& one : find_entries(source))
    names.push_back(one.program.name + " " + one.arguments.at(0) + " " + one.file.filename().string());
  EXPECT_EQ(names, (std::vector<std::string>{"a.py /pfs/source/a.py a.py", "b.py /pfs/source/b.py b.py"}));
}

TEST_F(EntryTest, PackagesThatCanBeRunAreThoseOfTheSource) {
  const auto has = [&](const std::string& file, const Files& more = {}) {
    Files files = more;
    files.emplace(file, "");
    EXPECT_NE(entry(files), "");
    return has_package_with_main(m_folder.path() / "source");
  };
  for (const std::string file : {"pkg/__main__.py", "src/pkg/__main__.py", "lib/pkg/__main__.py"})
    EXPECT_TRUE(has(file)) << file;
  for (const std::string folder : {"test", "tests", "docs", "examples", "build", "dist", ".x", "a-b", "1a"}) {
    EXPECT_FALSE(has(folder + "/__main__.py")) << folder;
    EXPECT_FALSE(has("src/" + folder + "/__main__.py")) << folder;
  }
  for (const std::string folder : {"tests", "docs"}) EXPECT_FALSE(has(folder + "/pkg/__main__.py")) << folder;
  EXPECT_FALSE(has("pkg/sub/__main__.py", {{"pkg/__init__.py", ""}})) << "of a package";
  EXPECT_FALSE(has("venv/__main__.py", {{"venv/pyvenv.cfg", ""}}));
  EXPECT_FALSE(has("pkg/__init__.py"));
  EXPECT_FALSE(has("__main__.py")) << "that is the source itself";
  EXPECT_EQ(entry({{"src/one/__main__.py", ""}, {"one/__main__.py", ""}}), "-m one | one/__main__.py")
      << "one of a name";
}

TEST_F(EntryTest, AModuleIsLookedForInOneFolderAfterTheOther) {
  const auto file = [&](const Files& files) {
    const auto found = entry(files, "m.n");
    return found.substr(found.find("| ") + 2);
  };
  EXPECT_EQ(file({{"m/n.py", ""}, {"m/n/__main__.py", ""}, {"src/m/n.py", ""}}), "m/n.py");
  EXPECT_EQ(file({{"m/n/__main__.py", ""}, {"src/m/n.py", ""}}), "m/n/__main__.py");
  EXPECT_EQ(file({{"src/m/n.py", ""}, {"a/m/n.py", ""}}), "src/m/n.py");
  EXPECT_EQ(file({{"b/m/n.py", ""}, {"a/m/n.py", ""}}), "a/m/n.py");
  EXPECT_EQ(file({{"p/m/n.py", ""}, {"p/__init__.py", ""}}), "") << "p is a package itself";
  EXPECT_EQ(file({{"tests/m/n.py", ""}}), "");
}

}  // namespace
}  // namespace builder::python
