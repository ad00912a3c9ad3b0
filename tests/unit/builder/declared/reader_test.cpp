// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/reader.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace builder::declared {
namespace {

// Four lines that every builder has, and a start.
constexpr char k_beginning[] =
    "schema = 1\nlanguage = \"toy\"\nsummary = \"toys\"\nsettings = { mode = \"fast\" }\n"
    "[detect]\nprogram = \"*.toy\"\n";
constexpr char k_start[] = "[start]\ncommand = [\"toy\", \"{source}/{program}\"]\n";

std::string fault_in_text(const std::string& text) {
  const auto read = parse_builder(text, "b", {"python"});
  if (read) return "";
  EXPECT_EQ(read.error().kind, base::ErrorKind::bad_input);
  return read.error().where + ": " + read.error().what +
         (read.error().hint.empty() ? "" : " (" + read.error().hint + ")");
}

// Of a builder with these lines in between, the first of which is the seventh.
std::string fault_of(const std::string& lines) { return fault_in_text(k_beginning + lines + k_start); }

TEST(DeclaredReader, ASmallBuilderIsRead) {
  const auto read = parse_builder(std::string(k_beginning) + k_start, "b", {"python"});
  ASSERT_TRUE(read) << read.error().where << read.error().what;
  EXPECT_EQ(read->language, "toy");
  EXPECT_EQ(read->summary, "toys");
  EXPECT_EQ(read->file, "b");
  EXPECT_EQ(read->settings, (std::map<std::string, std::string>{{"mode", "fast"}}));
  ASSERT_EQ(read->detect.program.size(), 1U);
  EXPECT_EQ(read->detect.program[0].text, "*.toy");
  EXPECT_EQ(read->detect.any.size(), 1U);
  EXPECT_EQ(read->start.command.size(), 2U);
}

TEST(DeclaredReader, EachPartIsRead) {
  const auto tools = parse_builder(std::string(k_beginning) + R"(ignore = ["junk"]
any = ["toy.txt", "package.json#/toy~1~0x"]
variable = "PROGRAM"
[tools.toy]
run = ["toy", "-v"]
version = 'v(.)'
wants = ".toy"
compare = "minor"
hint = "get it"
needed_by = '^toy'
[[check]]
files = "**"
reject = 'x'
[[check]]
files = ["*.toy"]
run = ["{interpreter:toy}", "{files}"]
inputs = "a"
when = "b"
place = '(?P<file>x)'
say = "{what}"
hint = "{file}"
[[layer]]
when = "a"
manifest = ["m"]
image = "/usr/lib/*/x"
variables = ["A", "B_*"]
tools = []
needs = { n = "make n" }
path = "fixed"
environment = { X = "{variable:A}{jobs}{manifest}" }
run = ["a"]
)" + k_start,
                                   "b", {});
  ASSERT_TRUE(tools) << tools.error().where << tools.error().what;
  EXPECT_EQ(tools->detect.any.at(1).pointer, std::vector<std::string>{"toy/~x"});
  EXPECT_EQ(tools->detect.any.size(), 2U);
  EXPECT_EQ(tools->detect.ignore.size(), 1U);
  EXPECT_EQ(tools->detect.variable, "PROGRAM");
  const auto& tool = tools->tools.at(0);
  EXPECT_EQ(tool.name, "toy");
  EXPECT_EQ(tool.run, (std::vector<std::string>{"toy", "-v"}));
  EXPECT_TRUE(tool.version && tool.needed_by);
  EXPECT_EQ(tool.compare, Comparison::minor);
  EXPECT_EQ(tool.hint, "get it");
  EXPECT_EQ(tools->checks.size(), 2U);
  EXPECT_TRUE(tools->checks[0].reject && !tools->checks[1].reject);
  EXPECT_TRUE(tools->checks[1].say && tools->checks[1].hint && tools->checks[1].place);
  const auto& layer = tools->layers.at(0);
  EXPECT_TRUE(layer.has_fixed_path && !layer.has_work_copy);
  EXPECT_EQ(layer.tools, std::vector<std::string>());
  EXPECT_EQ(layer.needs.at("n"), "make n");
  EXPECT_EQ(layer.image.at(0).text, "/usr/lib/*/x");
  EXPECT_EQ(layer.image.at(0).parts.size(), 4U);
  EXPECT_TRUE(layer.image.at(0).parts.at(2).matches("any", [] { return std::string(); }));
  EXPECT_EQ(layer.image.size() + layer.manifest.size() + layer.variables.size(), 4U);
  const auto whole = parse_builder(std::string(k_beginning) + R"([[layer]]
name = "first"
folders = "f"
copy = { "." = ["a", "."] }
run = [["a", "{tree}"], ["b"]]
[[layer]]
work = "copy"
folder = "{work}/x"
run = ["a", "{base}"]
take = { "dist/**" = "." }
keep = "k"
remove = ["r"]
executable = "#!"
link = { "l" = "{source}/x", "m" = "n" }
packages = { files = "p", match = '(?P<name>a)(?P<version>b)' }
[[error]]
match = '(?P<what>x)'
code = 75
)" + k_start,
                                   "b", {});
  ASSERT_TRUE(whole) << whole.error().where << whole.error().what;
  ASSERT_EQ(whole->layers.size(), 2U);
  EXPECT_EQ(whole->layers[0].run.size(), 2U);
  EXPECT_EQ(whole->layers[0].copy.size(), 2U);
  EXPECT_FALSE(whole->layers[0].tools);
  EXPECT_EQ(whole->layers[1].name, "program");
  EXPECT_EQ(whole->layers[1].run.size(), 1U);
  EXPECT_TRUE(whole->layers[1].has_work_copy);
  EXPECT_FALSE(whole->layers[1].has_fixed_path);
  EXPECT_EQ(whole->layers[1].link.size(), 2U);
  EXPECT_TRUE(whole->layers[1].packages);
  EXPECT_EQ(whole->errors.at(0).kind, base::ErrorKind::network);
}

TEST(DeclaredReader, WhatIsUnknownOrMissingIsAnError) {
  EXPECT_EQ(fault_in_text(""), "b:1:1: schema: missing (add schema = 1)");
  EXPECT_EQ(fault_of("[detct]\n"), "b:7:2: detct: unknown key (did you mean \"detect\"?)");
  EXPECT_EQ(fault_of("[[check]]\nfile = \"x\"\n"),
            "b:8:1: check.file: unknown key (did you mean \"files\"?)");
  EXPECT_EQ(fault_of("[[check]]\nreject = \"x\"\n"),
            "b:7:1: check.files: missing (add files = [\"PATTERN\", …] to [[check]])");
  EXPECT_EQ(fault_of("[tools.toy]\nwords = 1\n"),
            "b:8:1: tools.toy.words: unknown key (valid keys: run, version, wants, compare, hint, "
            "needed_by)");
}

TEST(DeclaredReader, FormsAreChecked) {
  EXPECT_EQ(fault_of("ignore = 1\n"),
            "b:7:10: detect.ignore: must be a string or a list of strings, not a number");
  EXPECT_EQ(fault_of("variable = [\"A\"]\n"), "b:7:12: detect.variable: must be a string, not a list");
  EXPECT_EQ(fault_of("[tools]\ntoy = 1\n"), "b:8:7: tools.toy: must be a table, not a number");
  EXPECT_EQ(fault_of("[layer]\n"), "b:7:1: layer: must be a list of tables, not a table");
  EXPECT_EQ(fault_of("[[layer]]\nrun = 1\n"),
            "b:8:7: layer.run: must be a list of strings, or a list of such lists, not a number");
  EXPECT_EQ(fault_of("[[layer]]\nrun = []\n"), "b:8:7: layer.run: must not be empty");
  EXPECT_EQ(fault_of("[[layer]]\nrun = [[]]\n"), "b:8:8: layer.run: must not be empty");
  EXPECT_EQ(fault_of("[[layer]]\nrun = [[\"a\"], \"b\"]\n"),
            "b:8:15: layer.run: must be a list of strings, not a string");
  EXPECT_EQ(fault_of("[[layer]]\nrun = [\"a\", 1]\n"), "b:8:13: layer.run: must be a string, not a number");
  EXPECT_EQ(fault_of("[[layer]]\ncopy = { a = [\".\", 1] }\n"),
            "b:8:20: layer.copy.a: must be a string, not a number");
  EXPECT_EQ(fault_of("[[layer]]\ncopy = { a = 1 }\n"),
            "b:8:14: layer.copy.a: must be a string or a list of strings, not a number");
  EXPECT_EQ(fault_of("[[layer]]\nenvironment = { A = 1 }\n"),
            "b:8:21: layer.environment.A: must be a string, not a number");
  EXPECT_EQ(fault_of("layer = [1]\n"),
            "b:7:1: detect.layer: unknown key (valid keys: any, program, ignore, variable)");
  EXPECT_EQ(fault_of("[[error]]\nmatch = '(?P<what>x)'\ncode = 2\n"),
            "b:9:8: error.code: invalid value 2; expected 1, 65, 69 or 75");
  EXPECT_EQ(fault_of("[[layer]]\npath = \"free\"\n"),
            "b:8:8: layer.path: invalid value \"free\"; expected fixed");
  EXPECT_EQ(
      fault_of("[[layer]]\nname = \"A\"\n"),
      "b:8:8: layer.name: invalid name \"A\" (use lowercase letters, digits and -, starting with a letter)");
  EXPECT_EQ(fault_of("variable = \"A\\u0000\"\n"), "b: contains a string with a NUL byte");
}

TEST(DeclaredReader, NamesOfBuildersAndSettings) {
  std::string text = std::string(k_beginning) + k_start;
  for (const auto& [name, hint] :
       {std::pair<std::string, std::string>("python", "builder-runtime builds this language itself"),
        {"env", "the cache uses this name for a folder of its own"}}) {
    auto other = text;
    base::replace_all(other, "\"toy\"\ns", "\"" + name + "\"\ns");
    EXPECT_EQ(fault_in_text(other),
              "b:2:12: language: a builder cannot be named \"" + name + "\" (" + hint + ")");
  }
  base::replace_all(text, "mode = ", "program = ");
  EXPECT_EQ(fault_in_text(text),
            "b:4:24: settings.program: every builder has this setting (letters, digits and _ only)");
  base::replace_all(text, "program = \"fast", "\"a b\" = \"fast");
  EXPECT_EQ(fault_in_text(text), "b:4:22: settings.a b: invalid name (letters, digits and _ only)");
}

TEST(DeclaredReader, DetectionNeedsSomethingToLookFor) {
  EXPECT_EQ(fault_in_text("schema = 1\nlanguage = \"toy\"\nsummary = \"t\"\n[detect]\nignore = "
                          "\"a\"\n[start]\ncommand = [\"a\"]\n"),
            "b:4:1: detect: does not identify a source (list files in any or program)");
  EXPECT_EQ(fault_in_text("schema = 1\nlanguage = \"toy\"\nsummary = \"t\"\n[detect]\nany = "
                          "\"a\"\n[start]\ncommand = [\"{program}\"]\n"),
            "b:7:12: start.command: {program} is not known (add program to [detect])");
  EXPECT_EQ(fault_of("any = \"*#/a\"\n"),
            "b:7:7: detect.any: invalid reference \"*#/a\": a pointer needs one file, not a pattern");
  EXPECT_EQ(fault_of("variable = \"A B\"\n"), "b:7:12: detect.variable: invalid variable name \"A B\"");
}

TEST(DeclaredReader, ToolsAreAskedOrNot) {
  EXPECT_EQ(fault_of("[tools.toy]\nrun = [\"toyx\"]\n"),
            "b:8:7: tools.toy.run: the first argument must be \"toy\"");
  EXPECT_EQ(fault_of("[tools.toy]\nrun = [\"toy\"]\nwants = \"a\"\n"),
            "b:7:1: tools.toy: has wants but not compare");
  EXPECT_EQ(fault_of("[tools.toy]\nrun = [\"toy\"]\ncompare = \"minor\"\n"),
            "b:7:1: tools.toy: has compare but not wants");
  EXPECT_EQ(fault_of("[tools.toy]\nversion = \"x\"\n"), "b:7:1: tools.toy: has version but not run");
  EXPECT_EQ(fault_of("[tools.\"a/b\"]\n"), "b:7:1: tools.a/b: invalid program name");
  EXPECT_EQ(fault_of("[tools.toy]\nrun = [\"toy\"]\nwants = \"a\"\ncompare = \"at-least\"\n"), "");
}

TEST(DeclaredReader, ChecksRunOrReject) {
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\n"), "b:7:1: check: needs run or reject");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\nreject = \"a\"\nrun = [\"a\", \"{file}\"]\n"),
            "b:7:1: check: has both run and reject; use only one of the two");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\nreject = \"a\"\nplace = \"a\"\n"),
            "b:10:9: check.place: needs run");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\nrun = [\"a\"]\n"),
            "b:9:7: check.run: needs {file} or {files}");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\nrun = [\"a\", \"{file}{files}\"]\n"),
            "b:9:7: check.run: has both {file} and {files}; use only one of the two");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\nrun = [\"-a\", \"{file}\"]\n"),
            "b:9:7: check.run: the first word is not a program: \"-a\"");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\nreject = '(?P<own>a)'\nsay = \"{own}{line}\"\n"), "");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"a\"\nreject = 'a'\nsay = \"{own}\"\n"),
            "b:10:7: check.say: unknown name {own} (valid names: program, setting, manifest, file, "
            "line, column, what)");
}

TEST(DeclaredReader, NamesHaveAMeaningWhereTheyStand) {
  const auto run = [](const std::string& word, const std::string& more = "") {
    return fault_of("[[layer]]\n" + more + "run = [\"a\", \"" + word + "\"]\n");
  };
  EXPECT_EQ(run("{tree}{cache}{temporary}{jobs}{builder}{source}{program}{setting:mode}{variable:X}"), "");
  EXPECT_EQ(run("{work}"), "b:8:13: layer.run: {work} is not allowed here (the layer needs work = \"copy\")");
  EXPECT_EQ(run("{work}", "work = \"copy\"\n"), "");
  EXPECT_EQ(run("{manifest}"),
            "b:8:13: layer.run: {manifest} is not allowed here (the layer needs manifest)");
  EXPECT_EQ(run("{manifest}", "manifest = \"m\"\n"), "");
  EXPECT_EQ(run("{base}"),
            "b:8:13: layer.run: {base} is not allowed here (only the second layer has one below it)");
  EXPECT_EQ(run("{setting}"), "b:8:13: layer.run: {setting} needs a name: {setting:NAME}");
  EXPECT_EQ(run("{tree:x}"), "b:8:13: layer.run: {tree:x} takes no name");
  EXPECT_EQ(run("{setting:mod}"), "b:8:13: layer.run: no setting named \"mod\" (did you mean \"mode\"?)");
  EXPECT_EQ(run("{setting:other}"), "b:8:13: layer.run: no setting named \"other\" (add it to [settings])");
  EXPECT_EQ(run("{trees}"), "b:8:13: layer.run: unknown name {trees} (did you mean \"tree\"?)");
  EXPECT_EQ(run("{"), "b:8:13: layer.run: unclosed '{' (write {{ and }} for literal braces)");
}

TEST(DeclaredReader, NothingLeadsOutOfALayer) {
  const std::string hint =
      " is not a path inside the layer (write it relative to the layer: \"bin\", without ..)";
  for (const std::string path : {"../a", "/a", "", "a/../..", ".base", "./.variables", ".base/x"}) {
    const auto shown = "\"" + path + "\"";
    EXPECT_EQ(fault_of("[[layer]]\nfolders = [\"" + path + "\"]\nrun = [\"a\"]\n"),
              "b:8:11: layer.folders: " + shown + hint);
    EXPECT_EQ(fault_of("[[layer]]\ncopy = { a = \"" + path + "\" }\n"),
              "b:8:14: layer.copy: " + shown + hint);
    EXPECT_EQ(fault_of("[[layer]]\nlink = { \"" + path + "\" = \"a\" }\n"),
              "b:8:" + std::to_string(15 + path.size()) + ": layer.link: " + shown + hint);
    EXPECT_EQ(fault_of("[[layer]]\nlink = { a = \"" + path + "\" }\n"),
              "b:8:14: layer.link: " + shown + hint);
  }
  EXPECT_EQ(fault_of("[[layer]]\ncopy = { a = \".\" }\n"), "");
  EXPECT_EQ(fault_of("[[layer]]\nfolders = \".\"\nrun = [\"a\"]\n"), "b:8:11: layer.folders: \".\"" + hint);
  EXPECT_EQ(fault_of("[[layer]]\nrun = [\"a\"]\nkeep = \"../a\"\n"),
            "b:9:8: layer.keep: invalid file pattern \"../a\": it points outside the folder");
  EXPECT_EQ(fault_of("[[layer]]\nrun = [\"a\"]\nremove = \"#!\"\n"),
            "b:9:10: layer.remove: \"#!\" is not allowed here (use paths)");
  EXPECT_EQ(fault_of("[[layer]]\ncopy = { \"#!\" = \".\" }\n"),
            "b:8:17: layer.copy: a copy needs a path or a file pattern");
  EXPECT_EQ(fault_of("[[layer]]\nrun = [\"a\"]\nfolder = \"{cache}\"\n"),
            "b:9:10: layer.folder: must start with {tree}, {work} or {source}");
}

TEST(DeclaredReader, LayersMakeSomething) {
  EXPECT_EQ(fault_of("[[layer]]\n"), "b:7:1: layer: produces nothing (it needs run, copy or link)");
  EXPECT_EQ(fault_of("[[layer]]\nwork = \"copy\"\ncopy = { a = \".\" }\n"), "b:8:8: layer.work: needs run");
  EXPECT_EQ(fault_of("[[layer]]\nrun = [\"a\"]\ntake = { a = \".\" }\n"),
            "b:9:8: layer.take: needs work = \"copy\"");
  EXPECT_EQ(fault_of("[[layer]]\nrun = [\"a\"]\nprogram = \"bin/*\"\n"),
            "b:9:11: layer.program: detect.program already names the program (use any in [detect] for a "
            "language whose programs are built)");
  const std::string layer = "run = [\"a\"]\n";
  EXPECT_EQ(fault_of("[[layer]]\nname = \"a\"\n" + layer + "[[layer]]\nname = \"b\"\n" + layer +
                     "[[layer]]\nname = \"a\"\n" + layer),
            "b:13:1: layer.name: the alternatives of a must be adjacent");
  EXPECT_EQ(fault_of("[[layer]]\nname = \"a\"\n" + layer + "[[layer]]\nname = \"b\"\n" + layer +
                     "[[layer]]\nname = \"c\"\n" + layer),
            "b:13:1: layer: too many layers (at most two can be stacked; alternatives have the same name)");
  EXPECT_EQ(fault_of("[[layer]]\nname = \"a\"\n" + layer + "[[layer]]\nname = \"a\"\n" + layer +
                     "[[layer]]\nname = \"c\"\n" + layer),
            "");
}

TEST(DeclaredReader, NamesInLayersAreChecked) {
  const auto fault = [](const std::string& line) {
    return fault_of("[[layer]]\nrun = [\"a\"]\n" + line + "\n");
  };
  EXPECT_EQ(fault("image = \"usr\""),
            "b:9:9: layer.image: \"usr\" is not an absolute path (* and ? stand for characters of one part "
            "of the path)");
  EXPECT_EQ(fault("image = \"/usr/**\""),
            "b:9:9: layer.image: \"/usr/**\" is not an absolute path (* and ? stand for characters of one "
            "part of the path)");
  EXPECT_EQ(fault("image = \"/usr/[\""), "b:9:9: layer.image: invalid file pattern \"[\": unclosed '['");
  EXPECT_EQ(fault("variables = \"A-*\""), "b:9:13: layer.variables: invalid variable name \"A-*\"");
  EXPECT_EQ(fault("variables = [\"A_*\", \"B\"]"), "");
  EXPECT_EQ(fault("manifest = \"../a\""), "b:9:12: layer.manifest: \"../a\" points outside the source");
  EXPECT_EQ(fault("needs = { \"/a\" = \"x\" }"), "b:9:18: layer.needs: \"/a\" points outside the source");
  EXPECT_EQ(fault("tools = \"toyz\""), "b:9:9: layer.tools: no tool named \"toyz\" (add [tools.toyz])");
  EXPECT_EQ(fault("environment = { \"1\" = \"x\" }"), "b:9:23: layer.environment.1: invalid variable name");
  EXPECT_EQ(fault("packages = { files = \"a\", match = 'a' }"),
            "b:9:35: layer.packages.match: needs the groups name and version");
  const std::string both = "has both match and name with version; use only one of the two";
  for (const auto& [other, what] :
       {std::pair<std::string, std::string>("", "needs match or name with version"),
        {", match = '(?P<name>a)(?P<version>b)', name = '#/n', version = '#/v'", both},
        {", match = 'a', version = '#/v'", both},
        {", name = '#/n'", "has name but not version"},
        {", version = '#/v'", "has version but not name"}}) {
    EXPECT_EQ(fault("packages = { files = 'a'" + other + " }"), "b:9:12: layer.packages: " + what);
  }
  EXPECT_EQ(fault("packages = { files = 'a', name = '#/n', version = '#/v' }"), "");
  EXPECT_EQ(fault("packages = { files = 'a', name = 'n', version = '#/v' }"),
            "b:9:34: layer.packages.name: invalid pointer \"n\" (begin it with #/, followed by the keys that "
            "lead to the "
            "value: #/engines/node)");
}

TEST(DeclaredReader, StartIsOfTheSourceOrTheEnvironment) {
  const auto fault = [](const std::string& line) {
    return fault_in_text(std::string(k_beginning) + k_start + line + "\n");
  };
  EXPECT_EQ(fault("folder = \"{source}/x\""), "");
  EXPECT_EQ(fault("folder = \"/x\""), "b:9:10: start.folder: must start with {source}");
  EXPECT_EQ(fault("environment = { A = \"{program}\" }"),
            "b:9:21: start.environment.A: unknown name {program} (valid names: source, setting, env)");
  EXPECT_EQ(fault("prepend = { \"A B\" = \"x\" }"), "b:9:21: start.prepend.A B: invalid variable name");
  EXPECT_EQ(fault("prepend = { PATH = [\"{env}/x\", \"{source}\"] }"), "");
}

TEST(DeclaredReader, ErrorsSaySomething) {
  EXPECT_EQ(fault_of("[[error]]\nmatch = 'x'\n"),
            "b:7:1: error: produces no message (add say, or a group \"what\" to match)");
  EXPECT_EQ(fault_of("[[error]]\nmatch = '('\nsay = \"x\"\n"),
            "b:8:9: error.match: invalid pattern: missing ): (");
}

TEST(DeclaredReader, OnlyAFolderWithABuilderTomlIsABuilder) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "reader.").value();
  const auto fault = [&](const fs::path& path) {
    const auto read = read_builder(path, {});
    return read ? "" : std::to_string(static_cast<int>(read.error().kind)) + " " + read.error().what;
  };
  EXPECT_EQ(fault(folder.path() / "none"), "64 no such folder");
  EXPECT_EQ(fault(folder.path()), "64 has no builder.toml");
  const auto file = folder.path() / "builder.toml";
  ASSERT_TRUE(base::write_file(file, std::string(k_beginning) + k_start));
  EXPECT_EQ(fault(file), "64 is not a folder");
  EXPECT_EQ(read_builder(folder.path(), {})->folder, folder.path());
  ASSERT_TRUE(base::write_file(file, std::string((1 << 20) + 1, '#')));
  EXPECT_EQ(fault(folder.path()).substr(0, 2), "65");
}

TEST(DeclaredReader, EachGroupOfAPatternIsUsed) {
  const std::string check = "[[check]]\nfiles = \"*\"\nrun = [\"a\", \"{file}\"]\n";
  EXPECT_EQ(fault_of(check + "place = '(?P<lin>x)'\n"),
            "b:10:9: check.place: the group \"lin\" is not used (did you mean \"line\"?)");
  EXPECT_EQ(fault_of(check + "place = '(?P<zzz>x)'\nsay = \"{zzz}\"\n"), "");
  EXPECT_EQ(fault_of(check + "place = '(?P<file>x)(?P<line>x)(?P<column>x)(?P<what>x)'\n"), "");
  EXPECT_EQ(fault_of("[[check]]\nfiles = \"*\"\nreject = '(?P<zzz>x)'\n"),
            "b:9:10: check.reject: the group \"zzz\" is not used (valid groups: file, line, column, what)");
  EXPECT_EQ(fault_of("[[error]]\nmatch = '(?P<zzz>x)'\nsay = \"s\"\nhint = \"{zzz}\"\n"), "");
  EXPECT_EQ(fault_of("[[error]]\nmatch = '(?P<zzz>x)'\nsay = \"s\"\n"),
            "b:8:9: error.match: the group \"zzz\" is not used (valid groups: file, line, column, what)");
  EXPECT_EQ(fault_of("[tools.a]\nrun = [\"a\"]\nversion = '(?P<zzz>x)'\n"),
            "b:9:11: tools.a.version: the group \"zzz\" is not used (valid groups: version)");
  EXPECT_EQ(fault_of("[[error]]\nmatch = '(?P<own>x)'\nsay = \"{own}{nope}\"\n"),
            "b:9:7: error.say: unknown name {nope} (valid names: program, setting, manifest, file, line, "
            "column, what, own)");
}

TEST(DeclaredReader, AKeyThatTakesPathsTakesNoPattern) {
  const std::string layer = "[[layer]]\n";
  const std::string hint = " is a pattern; it must be a path (list each path)";
  EXPECT_EQ(fault_of(layer + "manifest = [\"Gemfile*\"]\nrun = [\"a\"]\n"),
            "b:8:12: layer.manifest: \"Gemfile*\"" + hint);
  EXPECT_EQ(fault_of(layer + "needs = { \"a?\" = \"h\" }\nrun = [\"a\"]\n"),
            "b:8:18: layer.needs: \"a?\"" + hint);
  EXPECT_EQ(fault_of(layer + "folders = \"a*\"\nrun = [\"a\"]\n"), "b:8:11: layer.folders: \"a*\"" + hint);
  EXPECT_EQ(fault_of(layer + "copy = { \"*\" = \"a*\" }\n"), "b:8:16: layer.copy: \"a*\"" + hint);
  EXPECT_EQ(fault_of(layer + "link = { \"a*\" = \"b\" }\n"), "b:8:17: layer.link: \"a*\"" + hint);
  EXPECT_EQ(fault_of(layer + "copy = { \"*\" = [\".\", \"a\"] }\n"), "");
}

TEST(DeclaredReader, FilesOfTheBuilderAreCopied) {
  const auto read = parse_builder(
      std::string(k_beginning) +
          "[[layer]]\ncopy = { \"{builder}/a/*.rb\" = [\"b\", \".\"], \"{a,b}\" = \"c\" }\n" + k_start,
      "b", {});
  ASSERT_TRUE(read) << read.error().where << read.error().what;
  const auto& layer = read->layers.at(0);
  ASSERT_EQ(layer.copy_of_builder.size(), 2U);
  EXPECT_EQ(layer.copy_of_builder[0].from.text(), "a/*.rb");
  EXPECT_EQ(layer.copy_of_builder[0].to, "b");
  EXPECT_EQ(layer.copy_of_builder[1].to, ".");
  ASSERT_EQ(layer.copy.size(), 1U);
  EXPECT_EQ(layer.copy[0].from.text(), "{a,b}");
  EXPECT_EQ(fault_of("[[layer]]\ncopy = { \"{builder}/a\" = \"b\" }\n"), "");
  for (const auto& [from, what] : {std::pair<std::string, std::string>("", "is not a path to copy from"),
                                   {"{builder}", "is not a path to copy from"},
                                   {"{builder}/", "is not a path to copy from"},
                                   {"{builder}/../x", "points outside the builder"},
                                   {"{builder}//x", "points outside the builder"},
                                   {"../x", "points outside the source"},
                                   {"/x", "points outside the source"}}) {
    EXPECT_EQ(fault_of("[[layer]]\ncopy = { \"" + from + "\" = \"b\" }\n"),
              "b:8:" + std::to_string(15 + from.size()) + ": layer.copy: \"" + from + "\" " + what);
  }
  EXPECT_EQ(fault_of("[[layer]]\nwork = \"copy\"\nrun = [\"a\"]\ntake = { \"../a\" = \"b\" }\n"),
            "b:10:19: layer.take: \"../a\" points outside the working copy");
  EXPECT_EQ(fault_of("[[layer]]\nwork = \"copy\"\nrun = [\"a\"]\ntake = { \"{builder}/a\" = \"b\" }\n"),
            "b:10:26: layer.take: \"{builder}/a\" is not a path to copy from");
}

}  // namespace
}  // namespace builder::declared
