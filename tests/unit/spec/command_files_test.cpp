// SPDX-License-Identifier: Apache-2.0
// Which commands cannot work, and what to write instead: for an image (nothing of it can be seen) and for
// this machine.
#include "pachbuild/spec/command_files.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace spec {
namespace {

using nlohmann::json;

// Files of a source with their first lines.
using SourceFiles = std::map<std::string, std::string>;
const SourceFiles k_files = {{"main.py", "import os"},
                             {"lib/step.sh", "#!/bin/sh"},
                             {"lib/deep/step.sh", "#!/bin/bash -e"},
                             {"tool", "#!/usr/bin/env -S python3"},
                             {"plot.R", ""},
                             {"data.csv", "a,b"}};

struct CommandCase {
  json transform;
  // "POINTER: WHAT | HINT", doubts with "? " before.
  std::vector<std::string> told;
};

std::vector<std::string> told_of(const json& transform, CommandHost host,
                                 const SourceFiles& files = k_files) {
  // The place of each word is its number in the text; here it is the pointer that counts.
  json document = {{"pipeline", {{"name", "p"}}},
                   {"transform", transform},
                   {"input", {{"pfs", {{"repo", "r"}, {"glob", "/"}}}}}};
  document["transform"]["build"]["language"] = "python";
  if (transform.contains("no build")) {
    document["transform"].erase("no build");
    document["transform"]["image"] = "i:1";
  }
  const auto read = read_pipeline(document.dump(), "p.json");
  if (!read) return {"not a spec: " + read.error().what};
  const SourceView source{
      .files = [&]() -> base::Result<std::vector<std::string>> {
        std::vector<std::string> names;
        for (const auto& [name, line] : files) names.push_back(name);
        return names;
      },
      .has =
          [&](const std::string& path) {
            return files.contains(path) || files.lower_bound(path + "/")->first.starts_with(path + "/");
          },
      .first_line =
          [&](const std::string& path) { return files.contains(path) ? files.at(path) : std::string(); }};
  const auto faults = check_commands(*read, source, host);
  if (!faults) return {"fails: " + faults.error().what};
  std::map<std::string, std::string> pointers;
  for (const std::string field : {"cmd", "stdin", "err_cmd", "err_stdin", "working_dir"}) {
    pointers[read->places.where("/transform/" + field)] = field;
    for (int i = 0; i < 6; ++i) {
      const auto where = read->places.where("/transform/" + field + "/" + std::to_string(i));
      pointers.emplace(where, field + "[" + std::to_string(i) + "]");
    }
  }
  std::vector<std::string> told;
  const auto tell = [&](const std::string& sign, const base::Error& error) {
    EXPECT_EQ(error.kind, base::ErrorKind::bad_input);
    told.push_back(sign + pointers[error.where] + ": " + error.what + " | " + error.hint);
  };
  for (const auto& error : faults->errors) tell("", error);
  for (const auto& error : faults->doubts) tell("? ", error);
  return told;
}

void expect_told(CommandHost host, const std::vector<CommandCase>& cases) {
  for (const auto& [transform, told] : cases) EXPECT_EQ(told_of(transform, host), told) << transform.dump();
}

std::string not_in_image(const std::string& path, const std::string& file) {
  return "\"" + path + "\" is a path in the image; the source has " + file;
}

std::string not_in_source(const std::string& path, const std::string& file) {
  return "\"" + path + "\" is not in the source, which has " + file;
}

std::string cannot_be_executed(const std::string& path) {
  return "\"" + path + "\" cannot be executed: files in /pfs have no execute permission";
}

TEST(CommandFiles, ThatAreRightAreNotTold) {
  for (const json& command : std::vector<json>{
           {"bash"},
           {""},
           {"python3", "main.py"},
           {"python3.11", "/pfs/source/main.py"},
           {"python3", "-u", "main.py"},
           {"python3", "-W", "/code/x.py", "main.py"},
           {"python3", "-c", "/code/main.py"},
           {"python3", "-m", "main.py"},
           {"python3", "-", "/code/main.py"},
           {"python3", "", "/code/main.py"},
           {"python3", "--"},
           {"env", "python3", "main.py"},
           {"env"},
           {"env", "-i", "python3", "/code/main.py"},
           {"env", "A=b", "python3", "/code/main.py"},
           {"pythonic", "/code/main.py"},
           {"bash2", "/code/step.sh"},
           {"/usr/bin/python3", "main.py"},
           {"/bin/main.py"},
           {"/sbin/main.py"},
           {"/usr/x/main.py"},
           {"/lib64/main.py"},
           {"/etc/main.py"},
           {"/dev/main.py"},
           {"/proc/main.py"},
           {"/sys/main.py"},
           {"/var/main.py"},
           {"/tmp/main.py"},
           {"/pach-bin/main.py"},
           {"/run/main.py"},
           {"/code/other.py"},
           {"sh", "/pfs/build/run.sh"},
           {"sh", "/pfs/data/step.sh"},
           {"sh", "-c"},
           {"sh", "-o"},
           {"worker-shim", "/code/main.py"},
       }) {
    EXPECT_EQ(told_of({{"cmd", command}}, CommandHost::image), std::vector<std::string>()) << command.dump();
  }
}

TEST(CommandFiles, OfAnImageAreToldWhereTheSourceHasThem) {
  const std::string python = R"(write "cmd": ["python3", "/pfs/source/main.py"])";
  expect_told(
      CommandHost::image,
      {
          {{{"cmd", {"python3", "/code/main.py"}}},
           {"cmd[1]: " + not_in_image("/code/main.py", "main.py") + " | " + python}},
          {{{"cmd", {"/code/main.py"}}},
           {"cmd[0]: " + not_in_image("/code/main.py", "main.py") + " | " + python}},
          // Beginnings of system folders that are names of others.
          {{{"cmd", {"/binaries/main.py"}}},
           {"cmd[0]: " + not_in_image("/binaries/main.py", "main.py") + " | " + python}},
          {{{"cmd", {"/app/usr/main.py"}}},
           {"cmd[0]: " + not_in_image("/app/usr/main.py", "main.py") + " | " + python}},
          // The one that has most of the path, of several the shortest.
          {{{"cmd", {"sh", "/app/step.sh", "x"}}},
           {"cmd[1]: " + not_in_image("/app/step.sh", "lib/step.sh") +
            R"( | write "cmd": ["sh", "/pfs/source/lib/step.sh", "x"])"}},
          {{{"cmd", {"sh", "/app/deep/step.sh"}}},
           {"cmd[1]: " + not_in_image("/app/deep/step.sh", "lib/deep/step.sh") +
            R"( | write "cmd": ["sh", "/pfs/source/lib/deep/step.sh"])"}},
          {{{"cmd", {"sh", "-o", "pipefail", "-e", "--posix", "/app/step.sh"}}},
           {"cmd[5]: " + not_in_image("/app/step.sh", "lib/step.sh") +
            R"( | write "cmd": ["sh", "-o", "pipefail", "-e", "--posix", "/pfs/source/lib/step.sh"])"}},
          {{{"cmd", {"python", "-Wignore", "/app/main.py"}}},
           {"cmd[2]: " + not_in_image("/app/main.py", "main.py") +
            R"( | write "cmd": ["python", "-Wignore", "/pfs/source/main.py"])"}},
          {{{"cmd", {"python", "--", "/app/main.py"}}},
           {"cmd[2]: " + not_in_image("/app/main.py", "main.py") +
            R"( | write "cmd": ["python", "--", "/pfs/source/main.py"])"}},
          {{{"cmd", {"/usr/bin/env", "/app/main.py", "é\""}}},
           {"cmd[1]: " + not_in_image("/app/main.py", "main.py") +
            R"( | write "cmd": ["/usr/bin/env", "python3", "/pfs/source/main.py", "é\""])"}},
          {{{"err_cmd", {"python3", "/code/main.py"}}, {"cmd", {"true"}}},
           {"err_cmd[1]: " + not_in_image("/code/main.py", "main.py") +
            R"( | write "err_cmd": ["python3", "/pfs/source/main.py"])"}},
          {{{"err_cmd", {"python3", "/a/main.py"}}, {"cmd", {"python3", "/b/main.py"}}},
           {"cmd[1]: " + not_in_image("/b/main.py", "main.py") + " | " + python,
            "err_cmd[1]: " + not_in_image("/a/main.py", "main.py") +
                R"( | write "err_cmd": ["python3", "/pfs/source/main.py"])"}},
      });
}

TEST(CommandFiles, OfTheSourceAreStartedByTheirInterpreters) {
  const auto with = [](const std::string& words) { return R"( | write "cmd": [)" + words + "]"; };
  expect_told(
      CommandHost::image,
      {
          {{{"cmd", {"/pfs/source/main.py"}}},
           {"cmd[0]: " + cannot_be_executed("/pfs/source/main.py") +
            with(R"("python3", "/pfs/source/main.py")")}},
          {{{"cmd", {"./main.py", "a"}}},
           {"cmd[0]: " + cannot_be_executed("./main.py") + with(R"("python3", "/pfs/source/main.py", "a")")}},
          {{{"cmd", {"./lib/step.sh"}}},
           {"cmd[0]: " + cannot_be_executed("./lib/step.sh") + with(R"("sh", "/pfs/source/lib/step.sh")")}},
          {{{"cmd", {"./lib/deep/step.sh"}}},
           {"cmd[0]: " + cannot_be_executed("./lib/deep/step.sh") +
            with(R"("bash", "/pfs/source/lib/deep/step.sh")")}},
          {{{"cmd", {"./tool"}}},
           {"cmd[0]: " + cannot_be_executed("./tool") + with(R"("python3", "/pfs/source/tool")")}},
          {{{"cmd", {"./plot.R"}}},
           {"cmd[0]: " + cannot_be_executed("./plot.R") + with(R"("Rscript", "/pfs/source/plot.R")")}},
          {{{"cmd", {"./data.csv"}}},
           {"cmd[0]: " + cannot_be_executed("./data.csv") + with(R"("/pfs/source/data.csv")")}},
          {{{"cmd", {"./lib"}}},
           {"cmd[0]: " + cannot_be_executed("./lib") + with(R"("sh", "/pfs/source/lib")")}},
          {{{"cmd", {"/pfs/source"}}},
           {"cmd[0]: " + cannot_be_executed("/pfs/source") + " | start it with its interpreter"}},
          // Another file of that name, one that is nearly named so, and none.
          {{{"cmd", {"python3", "src/main.py"}}},
           {"cmd[1]: " + not_in_source("src/main.py", "main.py") +
            with(R"("python3", "/pfs/source/main.py")")}},
          {{{"cmd", {"./bin/main.py"}}},
           {"cmd[0]: " + not_in_source("./bin/main.py", "main.py") +
            with(R"("python3", "/pfs/source/main.py")")}},
          {{{"cmd", {"python3", "mian.py"}}},
           {"cmd[1]: \"mian.py\" is not in the source | did you mean \"main.py\"?"}},
          // What is nearly named so is named as the command names it.
          {{{"cmd", {"python3", "/pfs/source/mian.py"}}},
           {"cmd[1]: \"/pfs/source/mian.py\" is not in the source | did you mean \"/pfs/source/main.py\"?"}},
          {{{"cmd", {"sh", "./stpe.sh"}}, {"working_dir", "/pfs/source/lib"}},
           {"cmd[1]: \"./stpe.sh\" is not in the source | did you mean \"step.sh\"?"}},
          {{{"cmd", {"python3", "../mian.py"}}, {"working_dir", "/pfs/source/lib/"}},
           {"cmd[1]: \"../mian.py\" is not in the source | did you mean \"../main.py\"?"}},
          {{{"cmd", {"python3", "something-else"}}}, {"cmd[1]: \"something-else\" is not in the source | "}},
      });
  for (const auto& [first_line, name, interpreter] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"#!/usr/bin/env perl", "x", "perl"},
           {"#! /usr/bin/env  ruby", "x", "ruby"},
           {"#!/usr/bin/env", "x", "env"},
           {"#!", "x.py", "python3"},
           {"#!   ", "x.pl", "perl"},
           {"# !/bin/bash", "x.r", "Rscript"},
           {"", "x", "sh"},
           {"", "x.sh", "sh"},
       }) {
    EXPECT_EQ(told_of({{"cmd", {"./" + name}}}, CommandHost::image, {{name, first_line}}),
              (std::vector<std::string>{"cmd[0]: " + cannot_be_executed("./" + name) +
                                        with("\"" + interpreter + "\", \"/pfs/source/" + name + "\"")}))
        << first_line;
  }
}

TEST(CommandFiles, OfShellScriptsAreDoubts) {
  const std::string main = not_in_image("/code/main.py", "main.py") + " | write python3 /pfs/source/main.py";
  const std::string script = not_in_image("/code/main.py", "main.py") + " | write /pfs/source/main.py";
  std::vector<CommandCase> cases;
  for (const char* line :
       {"/code/main.py",      "\t/code/main.py a",  "if /code/main.py; then", "then /code/main.py",
        "else /code/main.py", "elif /code/main.py", "while /code/main.py",    "do /code/main.py",
        "{ /code/main.py; }", "exec /code/main.py", "time /code/main.py",     "A=1 B=2 /code/main.py",
        "true;/code/main.py", "true|/code/main.py", "true&/code/main.py",     "(/code/main.py)",
        "x $(/code/main.py)", "env /code/main.py",  "/code/main.py # ./x",    "echo a\n/code/main.py"}) {
    cases.push_back({{{"cmd", {"sh"}}, {"stdin", {"echo", line}}}, {"? stdin[1]: " + main}});
    cases.push_back({{{"cmd", {"bash", "-ec", line, "x"}}}, {"? cmd[2]: " + main}});
    cases.push_back({{{"cmd", {"true"}}, {"err_cmd", {"/bin/dash"}}, {"err_stdin", {line}}},
                     {"? err_stdin[0]: " + main}});
  }
  for (const char* line : {"python3 /code/main.py", "python3 -u /code/main.py; true"})
    cases.push_back({{{"cmd", {"zsh"}}, {"stdin", {line}}}, {"? stdin[0]: " + script}});
  for (const char* line : {"# /code/main.py",
                           "echo /code/main.py",
                           "main.py",
                           "./main.py",
                           "python3 main.py",
                           "'/code/main.py'",
                           "\"/code/main.py\"",
                           "/code/main.py$x",
                           "/code/*/main.py",
                           "/code/main.py>x",
                           "/code/main.py<x",
                           "`/code/main.py`",
                           "/code/[m]ain.py",
                           "/code/?/main.py",
                           "/c\\ode/main.py",
                           "/code/{}/main.py",
                           "/~/main.py",
                           "echo done",
                           "",
                           "cd /code/main.py",
                           "/bin/main.py",
                           "/code/none.py",
                           "/pfs/source/missing-and-unlike"}) {
    if (std::string(line) == "/pfs/source/missing-and-unlike") {
      cases.push_back({{{"cmd", {"sh"}}, {"stdin", {line}}},
                       {"? stdin[0]: \"/pfs/source/missing-and-unlike\" is not in the source | "}});
      continue;
    }
    cases.push_back({{{"cmd", {"sh"}}, {"stdin", {line}}}, {}});
  }
  // What reads no script has none.
  for (const json& command : std::vector<json>{{"python3"}, {"perl"}, {"sh", "-"}, {"sh", "-c", "true"}})
    cases.push_back({{{"cmd", command}, {"stdin", {"/code/main.py"}}}, {}});
  for (const char* shell : {"sh", "bash", "dash", "ash", "zsh", "ksh"})
    cases.push_back({{{"cmd", {shell, "-e"}}, {"stdin", {"/code/main.py"}}}, {"? stdin[0]: " + main}});
  // -c of a program that is no shell is its own language.
  for (const json& command : std::vector<json>{{"python3", "-c", "/code/main.py"},
                                               {"Rscript", "-e", "/code/main.py"},
                                               {"perl", "-e", "/code/main.py"},
                                               {"perl", "-E", "/code/main.py"},
                                               {"ruby", "-e", "/code/main.py"},
                                               {"node", "-p", "/code/main.py"},
                                               {"julia", "-E", "/code/main.py"},
                                               {"php", "-r", "/code/main.py"}})
    cases.push_back({{{"cmd", command}}, {}});
  expect_told(CommandHost::image, cases);
}

TEST(CommandFiles, InterpretersAndTheirOptions) {
  const std::string found = not_in_image("/code/main.py", "main.py");
  // Each starts the script that is its first argument, or follows an option's value.
  for (const json& before : std::vector<json>{{"python3", "-X", "dev"},
                                              {"Rscript"},
                                              {"Rscript", "--vanilla"},
                                              {"perl", "-I", "lib"},
                                              {"ruby", "-I", "lib"},
                                              {"node", "-r", "x"},
                                              {"julia"},
                                              {"php"},
                                              {"ksh"},
                                              {"ash", "-O", "x"}}) {
    json command = before;
    command.push_back("/code/main.py");
    json better = before;
    better.push_back("/pfs/source/main.py");
    std::vector<std::string> shown;
    for (const auto& word : better) shown.push_back(word.dump());
    EXPECT_EQ(told_of({{"cmd", command}}, CommandHost::image),
              (std::vector<std::string>{"cmd[" + std::to_string(before.size()) + "]: " + found +
                                        R"( | write "cmd": [)" + base::join(shown, ", ") + "]"}))
        << command.dump();
  }
}

TEST(CommandFiles, OfAnImageOfThePersonsCountFromItsOwnFolder) {
  // Nobody knows where an image starts its commands.
  EXPECT_EQ(told_of({{"cmd", {"./main.py"}}, {"image", "i:1"}}, CommandHost::image),
            std::vector<std::string>());
  EXPECT_EQ(told_of({{"cmd", {"./main.py"}}, {"image", "i:1"}, {"working_dir", "/code"}}, CommandHost::image),
            (std::vector<std::string>{"cmd[0]: " + not_in_image("./main.py", "main.py") +
                                      R"( | write "cmd": ["python3", "/pfs/source/main.py"])"}));
  EXPECT_EQ(told_of({{"cmd", {"python3", "../code/main.py"}}, {"working_dir", "/x"}}, CommandHost::image),
            (std::vector<std::string>{"cmd[1]: " + not_in_image("../code/main.py", "main.py") +
                                      R"( | write "cmd": ["python3", "/pfs/source/main.py"])"}));
}

TEST(CommandFiles, OfABuildersImageMustBeInTheSource) {
  EXPECT_EQ(told_of({{"cmd", {"python", "/code/c.py"}}}, CommandHost::image), std::vector<std::string>());
  const auto told = [](const json& transform) { return told_of(transform, CommandHost::builder_image); };
  const std::string missing = " is a path in the image; the source has no ";
  const std::string hint =
      " | add the file to the source, or write the name of a program that the build installs";
  EXPECT_EQ(told({{"cmd", {"python", "/code/c.py"}}}),
            std::vector<std::string>{"cmd[1]: \"/code/c.py\"" + missing + "c.py" + hint});
  EXPECT_EQ(told({{"cmd", {"/code/run"}}}),
            std::vector<std::string>{"cmd[0]: \"/code/run\"" + missing + "run" + hint});
  EXPECT_EQ(told({{"cmd", {"bash"}}, {"stdin", {"cd /x && perl /code/c.pl"}}}),
            std::vector<std::string>{"? stdin[0]: \"/code/c.pl\"" + missing + "c.pl" + hint});
  EXPECT_EQ(told({{"cmd", {"/usr/bin/tool", "/x"}}}), std::vector<std::string>());
  EXPECT_EQ(told({{"cmd", {"python3", "/pfs/data/x.py"}}}), std::vector<std::string>());
}

TEST(CommandFiles, Interpreters) {
  for (const char* program : {"sh", "/bin/bash", "/usr/bin/env", "python3.11", "Rscript"})
    EXPECT_TRUE(is_interpreter(program)) << program;
  for (const char* program : {"/usr/bin/tool", "shell", "pythonic", ""})
    EXPECT_FALSE(is_interpreter(program)) << program;
}

TEST(CommandFiles, OfThisMachineAreLookedFor) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "commands.").value();
  const std::string here = folder.path().string();
  ASSERT_TRUE(base::write_file(folder.path() / "main.py", ""));
  const auto missing = [](const std::string& word) {
    return "\"" + word + "\" does not exist on this machine; the source has main.py";
  };
  const std::string better = R"( | write "cmd": ["python3", "/pfs/source/main.py"])";
  expect_told(
      CommandHost::this_machine,
      {
          {{{"cmd", {"python3", here + "/main.py"}}}, {}},
          {{{"cmd", {here + "/main.py"}}}, {}},
          {{{"cmd", {"python3", here + "/x/main.py"}}}, {"cmd[1]: " + missing(here + "/x/main.py") + better}},
          {{{"cmd", {"python3", "/usr/none/main.py"}}}, {"cmd[1]: " + missing("/usr/none/main.py") + better}},
          {{{"cmd", {"python3", "/none/edges.py"}}},
           {"cmd[1]: \"/none/edges.py\" does not exist on this machine | put it into the source, and write "
            "\"cmd\": [\"python3\", \"/pfs/source/edges.py\"]"}},
          {{{"cmd", {"sh", "-c", "python3 /none/edges.py"}}}, {}},
          {{{"cmd", {"python3", "/secret/edges.py"}},
            {"secrets", {{{"name", "s"}, {"mount_path", "/secret"}}}}},
           {}},
          {{{"cmd", {"python3", "main.py"}}, {"working_dir", here}}, {}},
          {{{"cmd", {"python3", "x/main.py"}}, {"working_dir", here}},
           {"cmd[1]: " + missing("x/main.py") + better}},
          {{{"cmd", {"python3", "no/main.py"}}, {"image", "i:1"}},
           {"cmd[1]: " + missing("no/main.py") + better}},
          {{{"cmd", {"true"}}, {"working_dir", here + "/none"}},
           {"working_dir: \"" + here +
            "/none\" does not exist on this machine | for the folder of the source, write \"working_dir\": "
            "\"/pfs/source\""}},
          {{{"cmd", {"true"}}, {"working_dir", here + "/main.py"}},
           {"working_dir: \"" + here +
            "/main.py\" does not exist on this machine | for the folder of the source, write "
            "\"working_dir\": \"/pfs/source\""}},
          {{{"cmd", {"true"}}, {"working_dir", "/pfs/none"}}, {}},
          {{{"cmd", {"true"}}, {"working_dir", "/pfs"}}, {}},
      });
  EXPECT_EQ(told_of({{"cmd", {"true"}}, {"working_dir", here + "/none"}}, CommandHost::image),
            std::vector<std::string>());
}

// The files are asked for once, and only when one is looked for; when that fails, so does the check.
TEST(CommandFiles, AreListedOnceAndOnlyWhenNeeded) {
  const auto spec_of = [](const std::string& commands) {
    return read_pipeline(R"({"pipeline": {"name": "p"}, "transform": {"build": {"language": "go"}, )" +
                             commands + R"(}, "input": {"pfs": {"repo": "r", "glob": "/"}}})",
                         "p.json")
        .value();
  };
  int lists = 0;
  SourceView source{.files = [&]() -> base::Result<std::vector<std::string>> {
                      ++lists;
                      return std::vector<std::string>{"main.py"};
                    },
                    .has = [](const std::string&) { return false; },
                    .first_line = [](const std::string&) { return std::string(); }};
  ASSERT_TRUE(check_commands(spec_of(R"("cmd": ["bash"])"), source, CommandHost::image));
  EXPECT_EQ(lists, 0);
  const auto two = spec_of(R"("cmd": ["/a/main.py"], "err_cmd": ["sh", "/b/main.py"])");
  ASSERT_EQ(check_commands(two, source, CommandHost::image)->errors.size(), 2U);
  EXPECT_EQ(lists, 1);
  source.files = []() -> base::Result<std::vector<std::string>> {
    return base::fail(base::ErrorKind::io, "here", "broken");
  };
  for (const char* commands :
       {R"("cmd": ["/a/main.py"])", R"("cmd": ["sh", "/a/main.py"])", R"("cmd": ["sh", "-c", "/a/main.py"])",
        R"("cmd": ["sh"], "stdin": ["/a/main.py"])", R"("cmd": ["true"], "err_cmd": ["/a/main.py"])",
        R"("cmd": ["./none"])"}) {
    const auto checked = check_commands(spec_of(commands), source, CommandHost::image);
    ASSERT_FALSE(checked) << commands;
    EXPECT_EQ(checked.error().what, "broken");
  }
}

}  // namespace
}  // namespace spec
