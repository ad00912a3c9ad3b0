// SPDX-License-Identifier: Apache-2.0
// What Go is asked to do, and where, for each form of a source.
#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <functional>

#include "base/text.h"
#include "builder-runtime/languages/go/go.h"
#include "log.h"

namespace builder::go {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char k_main[] = "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n";

class RecordingGo : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& sink) override {
    process::Finished finished{process::Ending::from_wait_status(0), "", ""};
    if (command.arguments.at(1) == "version") {
      version_question = command;
      finished.output = "go version go1.26.8 linux/amd64\n";
      return finished;
    }
    if (!command.arguments[0].ends_with("/go")) return finished;
    commands.push_back(command);
    if (refuses && refuses(command))
      return base::fail(base::ErrorKind::unavailable, "go", "cannot be started");
    if (command.arguments[1] == "build") {
      const auto folder = std::find(command.arguments.begin(), command.arguments.end(), "-o") + 1;
      for (const auto& name : names) EXPECT_TRUE(base::write_file(*folder + name, program, 0755));
    }
    if (on_command) on_command(command, finished);
    if (sink) sink(finished.errors);
    return finished;
  }

  std::vector<process::Command> commands;  // but for "go version"
  process::Command version_question;
  std::vector<std::string> names = {"named-by-go"};  // of the programs that it makes
  std::string program = "no ELF";
  std::function<void(const process::Command&, process::Finished&)> on_command;
  std::function<bool(const process::Command&)> refuses;  // to be started
};

// Where the file of a flag like "-modfile=" is.
fs::path value_of_flag(const process::Command& command, std::string_view flag) {
  for (const auto& argument : command.arguments) {
    if (argument.starts_with(flag)) return argument.substr(flag.size());
  }
  return {};
}

class GoCommands : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "gocommands.").value();
  RecordingGo m_go;
  process::Environment m_environment{{"HOME", path("home")}, {"PATH", path("root/bin")}};
  Source m_source{.folder = path("source")};
  MadeTree m_made;

  void SetUp() override { write("root/bin/go", "#!/bin/sh\n", 0755); }

  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  void write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text, mode));
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    return base::read_file(m_folder.path() / name).value_or("none");
  }

  // Builds the source: the commands in short, with folders by name, or the error.
  std::vector<std::string> build() {
    m_go.commands.clear();
    fs::remove_all(path("work"));
    const auto status = try_to_build();
    std::vector<std::string> told;
    for (const auto& command : m_go.commands) told.push_back(in_short(command));
    if (!status) told.push_back("error: " + status.error().what + ": " + status.error().hint);
    return told;
  }

  base::Status try_to_build() {
    const Settings settings{.source = m_source.folder, .cache = path("cache"), .environment = m_environment};
    const Tools tools(settings, m_go);
    BASE_TRY_ASSIGN(const auto findings, look(m_source, m_environment));
    BASE_TRY_ASSIGN(const auto plan, findings.plan(tools));
    BASE_TRY_ASSIGN(const auto layers, plan.layers());
    EXPECT_EQ(layers.size(), 1U);
    BASE_TRY(base::make_folders(path("work/tree")));
    BASE_TRY_ASSIGN(m_made, layers.front().make(path("work/tree")));
    return {};
  }

  std::string in_short(const process::Command& command) const {
    std::vector<std::string> words;
    for (auto word : command.arguments) {
      if (word == "-buildvcs=false" || word.starts_with("-p=")) continue;
      for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
               {path("root/bin/go"), "go"}, {path("work/tree/bin/"), "BIN"}, {path("source"), "SOURCE"}}) {
        base::replace_all(word, from, to);
      }
      if (word.starts_with("-modfile=")) word = "-modfile=COPY";
      if (word.find("{{") != std::string::npos)
        word = word.find("CgoFiles") != std::string::npos ? "C?" : "MODULES?";
      words.push_back(word);
    }
    const auto folder = command.folder.string();
    std::string where = folder;
    if (folder.starts_with(path("source"))) where = folder.substr(m_folder.path().string().size() + 1);
    if (folder.starts_with(path("cache/work"))) where = "COPY";
    for (const auto* name : {"CGO_ENABLED", "GO111MODULE"}) {
      const auto value = process::value_of(command.environment, name);
      if (!value.empty()) where += " " + std::string(name) + "=" + value;
    }
    return where + ": " + base::join(words, " ");
  }
};

TEST_F(GoCommands, OfAModuleAreRunInIt) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go build -trimpath -modcacherw "
                                   "-ldflags=-s -w -buildid= -o BIN ."));
  EXPECT_EQ(read("work/tree/bin/main"), "no ELF");
  const auto& environment = m_go.commands.front().environment;
  const std::map<std::string, std::string> expected = {{"GOCACHE", path("cache/go/build")},
                                                       {"GOMODCACHE", path("cache/go/mod")},
                                                       {"GOPATH", path("cache/go/path")},
                                                       {"GOWORK", "off"},
                                                       {"PWD", path("source")},
                                                       {"GOTMPDIR", path("work/go-tmp")},
                                                       {"GOGC", "400"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(process::value_of(environment, name), value) << name;
  EXPECT_FALSE(process::value_of(environment, "GOMEMLIMIT").empty());
  EXPECT_EQ(m_go.commands.front().arguments[2], "-buildvcs=false");
  // Go itself is asked, whatever the environment and a go.mod ask for.
  EXPECT_EQ(process::value_of(m_go.version_question.environment, "GOTOOLCHAIN"), "local");
  EXPECT_EQ(process::value_of(m_go.version_question.environment, "GOENV"), "off");
  EXPECT_EQ(m_go.version_question.arguments, (std::vector<std::string>{path("root/bin/go"), "version"}));
}

TEST_F(GoCommands, OfAPackageBelowNameIt) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/cmd/tool/main.go", k_main);
  m_source.settings.go.tags = {"x", "y"};
  m_source.settings.go.ldflags = "-X main.a=b";
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go build -tags=x,y -trimpath -modcacherw "
                                   "-ldflags=-s -w -buildid= -X main.a=b -o BIN ./cmd/tool"));
}

TEST_F(GoCommands, KeepWhatTheUserHasSet) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  m_environment.insert({{"GOCACHE", path("own")},
                        {"GOMODCACHE", path("mod")},
                        {"GOPATH", "/x"},
                        {"GOGC", "50"},
                        {"GOMEMLIMIT", "1GiB"},
                        {"CGO_ENABLED", "1"},
                        {"GOTMPDIR", path("t")}});
  build();
  const auto& environment = m_go.commands.back().environment;
  for (const auto& [name, value] : std::map<std::string, std::string>{{"GOCACHE", path("own")},
                                                                      {"GOMODCACHE", path("mod")},
                                                                      {"GOPATH", path("cache/go/path")},
                                                                      {"GOGC", "50"},
                                                                      {"GOMEMLIMIT", "1GiB"},
                                                                      {"GOTMPDIR", path("t")},
                                                                      {"CGO_ENABLED", "1"}}) {
    EXPECT_EQ(process::value_of(environment, name), value) << name;
  }
  m_environment["GOFLAGS"] = "-p=3";
  build();
  for (const auto& word : m_go.commands.back().arguments) EXPECT_FALSE(word.starts_with("-p=")) << word;
}

TEST_F(GoCommands, OnlyItsOwnCacheIsLookedAfter) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  write("cache/go/build/README", "");
  write("own/README", "");
  build();
  EXPECT_NE(read("cache/go/build/trim.txt"), "none");
  m_environment["GOCACHE"] = path("own");
  build();
  EXPECT_EQ(read("own/trim.txt"), "none");
}

// "go build" of several packages names each program after its own.
TEST_F(GoCommands, NameProgramsForTheCommandsThatStartThem) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/cmd/x/main.go", k_main);
  // What "bin" has, links with their targets.
  const auto built = [&] {
    LogOfTest log;
    build();
    const auto told = log.end();
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(path("work/tree/bin"))) {
      const bool is_link = fs::is_symlink(entry.symlink_status());
      all.push_back(entry.path().filename().string() +
                    (is_link ? " -> " + fs::read_symlink(entry.path()).string() : ""));
    }
    std::sort(all.begin(), all.end());
    const auto begin = std::min(told.find("compile: built"), told.size());
    all.push_back(told.substr(begin, std::min(told.find(" (", begin), told.size()) - begin));
    return all;
  };
  m_go.names = {"x"};
  EXPECT_THAT(built(), ElementsAre("main", "compile: built, no modules"));
  m_source.has_own_command = true;
  EXPECT_THAT(built(), ElementsAre("main", "x -> main", "compile: built, no modules"));
  m_go.names = {"main"};
  EXPECT_THAT(built(), ElementsAre("main", "compile: built, no modules"));
  write("source/cmd/y/main.go", k_main);
  m_go.names = {"x", "y"};
  EXPECT_THAT(built(), ElementsAre("x", "y", "compile: built 2 programs, no modules")) << "none is chosen";
  write("source/main.go", k_main);
  m_go.names = {"a", "x", "y"};
  EXPECT_THAT(built(), ElementsAre("a", "main -> a", "x", "y", "compile: built 3 programs, no modules"));
  m_go.names = {"a", "main"};
  EXPECT_THAT(built(), ElementsAre("a", "main", "compile: built 3 programs, no modules"))
      << "a program of that name stays";
  m_go.names = {};
  EXPECT_EQ(build().back(), "error: produced neither a program nor a message: ");
}

// Modules as "go version -m" shows them, libraries as ldd does.
TEST_F(GoCommands, WhatProgramsAreMadeOfAndNeedIsTold) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  write("source/cmd/x/main.go", k_main);
  m_source.has_own_command = true;
  const auto with_modules = [](const std::string& modules) {
    // Of Go 1.18 and later: the version and the modules, each with its length before it.
    const std::string text = std::string(16, 'a') + modules + std::string(16, 'z');
    return "\xff Go buildinf:\x08\x02" + std::string(16, '\0') + '\x02' + "go" +
           static_cast<char>(text.size()) + text;
  };
  std::string shell = base::read_file("/bin/sh").value();
  shell.resize((shell.size() + 15) / 16 * 16);
  m_go.names = {};
  m_go.on_command = [&](const process::Command& command, process::Finished& /*finished*/) {
    if (command.arguments[1] != "build") return;
    write("work/tree/bin/a", with_modules("dep\tx.org/b\tv1.0.0\ndep\tx.org/a\tv2.0.0\n"), 0755);
    write("work/tree/bin/x", shell + with_modules("dep\tx.org/c\tv1.0.0\ndep\tx.org/b\tv1.0.0\n"), 0755);
    write("work/tree/bin/folder/file", "");
  };
  LogOfTest log;
  build();
  const auto told = log.end();
  EXPECT_THAT(m_made.packages, ElementsAre("x.org/a v2.0.0", "x.org/b v1.0.0", "x.org/c v1.0.0"));
  EXPECT_THAT(m_made.libraries, testing::Contains("libc.so.6"));
  EXPECT_THAT(told, HasSubstr("compile: built 2 programs with 3 modules"));
  EXPECT_THAT(told, HasSubstr("compile: the pipeline's image must provide " +
                              base::join(m_made.libraries, ", ") + "\n"));
}

TEST_F(GoCommands, LeaveFlagsToGoflags) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  m_environment["GOFLAGS"] = "-ldflags=-w -tags=u,v";
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go build -trimpath -modcacherw -o BIN ."));
  m_source.settings.go.ldflags = "-s";
  m_source.settings.go.tags = {"w"};
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go build -tags=u,v,w -trimpath -modcacherw "
                                   "-ldflags=-w -s -o BIN ."));
}

TEST_F(GoCommands, OfASourceWithoutGoModAreRunInACopy) {
  write("source/main.go", k_main);
  EXPECT_THAT(build(), ElementsAre("COPY CGO_ENABLED=0: go build -trimpath -modcacherw "
                                   "-ldflags=-s -w -buildid= -o BIN ."));
  EXPECT_EQ(read("source/go.mod"), "none");
}

TEST_F(GoCommands, AModuleIsMadeUpWithTheVersionOfGo) {
  write("source/main.go", "package main\n\nimport _ \"example.com/a/lib\"\n\nfunc main() {}\n");
  write("source/lib/lib.go", "package lib\n");
  m_environment["CGO_ENABLED"] = "0";
  std::string file;
  m_go.on_command = [&](const auto& command, auto& /*finished*/) {
    file = base::read_file(command.folder / "go.mod").value_or("none");
  };
  EXPECT_THAT(build(), ElementsAre("COPY CGO_ENABLED=0: go build -trimpath -modcacherw "
                                   "-ldflags=-s -w -buildid= -o BIN ."))
      << "its own packages are not missing";
  EXPECT_EQ(file, "module example.com/a\n\ngo 1.26\n");
}

TEST_F(GoCommands, WithoutModulesTheCopyIsInAGopath) {
  const auto show = [&](const process::Command& command, auto& /*finished*/) {
    EXPECT_THAT(command.folder.string(), HasSubstr("/gopath/src/main"));
    EXPECT_EQ(process::value_of(command.environment, "GOPATH"),
              command.folder.parent_path().parent_path().string());
    EXPECT_EQ(process::value_of(command.environment, "PWD"), command.folder.string());
    EXPECT_TRUE(fs::exists(command.folder / "main.go"));
  };
  m_go.on_command = show;
  write("source/main.go", k_main);
  m_environment["GO111MODULE"] = "off";
  EXPECT_THAT(build(), ElementsAre("COPY CGO_ENABLED=0 GO111MODULE=off: go build -trimpath "
                                   "-ldflags=-s -w -buildid= -o BIN ."));
  m_environment.erase("GO111MODULE");
  write("source/vendor/example.com/x/x.go", "package x\n");
  EXPECT_THAT(build(), ElementsAre("COPY CGO_ENABLED=0 GO111MODULE=off: go build -trimpath "
                                   "-ldflags=-s -w -buildid= -o BIN ."));
}

class GoModules : public GoCommands {
 protected:
  const std::string m_before = "module example.com/a\n\ngo 1.21\n";
  const std::string m_after = m_before + "\nrequire example.com/x v1.2.0\n";
  const std::string m_sums = "example.com/x v1.2.0 h1:x=\n";

  void SetUp() override {
    GoCommands::SetUp();
    write("source/go.mod", m_before);
    write("source/main.go", "package main\n\nimport _ \"example.com/x\"\n\nfunc main() {}\n");
    // Go completes the file that it was led to.
    m_go.on_command = [this](const process::Command& command, process::Finished& /*finished*/) {
      fs::path file = value_of_flag(command, "-modfile=");
      if (command.arguments[1] != "list" || file.empty()) return;
      EXPECT_TRUE(base::write_file(file, m_after));
      EXPECT_TRUE(base::write_file(file.replace_extension(".sum"), m_sums));
    };
  }
};

TEST_F(GoModules, WhatGoModLacksIsFoundOutOnceInACopy) {
  m_environment["CGO_ENABLED"] = "0";
  const std::string build_in_copy =
      "source CGO_ENABLED=0: go build -mod=mod -modfile=COPY -trimpath -modcacherw "
      "-ldflags=-s -w -buildid= -o BIN .";
  bool is_complete = false;
  const auto complete = m_go.on_command;
  m_go.on_command = [&](const process::Command& command, process::Finished& finished) {
    // The source's own file is not enough.
    if (command.arguments[1] == "list" && value_of_flag(command, "-modfile=").empty())
      finished.ending = process::Ending::from_wait_status(1 << 8);
    if (!is_complete) complete(command, finished);
    if (command.arguments[1] != "build") {
      is_complete = true;
      return;
    }
    auto file = value_of_flag(command, "-modfile=");
    EXPECT_EQ(base::read_file(file), m_after);
    EXPECT_EQ(base::read_file(file.replace_extension(".sum")), m_sums);
  };
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go list -mod=mod -modfile=COPY -deps -f MODULES? .",
                                   "source CGO_ENABLED=0: go list -deps -f MODULES? .",
                                   "source CGO_ENABLED=0: go list -mod=mod -modfile=COPY -deps -f MODULES? .",
                                   build_in_copy));
  EXPECT_THAT(build(), ElementsAre(build_in_copy));
  EXPECT_EQ(read("source/go.mod"), m_before);
  EXPECT_EQ(read("source/go.sum"), "none");
  // Another source with the same imports is the same question; other imports are not.
  write("source/more.go", "package main\n\nimport _ \"example.com/x\"\n");
  EXPECT_THAT(build(), ElementsAre(build_in_copy));
  is_complete = false;
  write("source/more.go", "package main\n\nimport _ \"example.com/x/y\"\n");
  EXPECT_EQ(build().size(), 4U);
}

TEST_F(GoModules, WhatASourceWithoutGoModImportsIsFoundOutOnce) {
  m_environment["CGO_ENABLED"] = "0";
  fs::remove(path("source/go.mod"));
  const std::string made_up = "module main\n\ngo 1.26\n";
  const std::string build_in_copy =
      "COPY CGO_ENABLED=0: go build -trimpath -modcacherw -ldflags=-s -w -buildid= -o BIN .";
  std::string built;
  m_go.on_command = [&](const process::Command& command, process::Finished& /*finished*/) {
    const fs::path file = command.folder / "go.mod";
    if (command.arguments[1] == "list") {
      EXPECT_TRUE(base::write_file(file, made_up + "\nrequire example.com/x v1.2.0\n"));
    } else {
      built = base::read_file(file).value_or("none");
    }
  };
  const std::string question = "COPY CGO_ENABLED=0: go list -mod=mod -deps -f MODULES? .";
  EXPECT_THAT(build(), ElementsAre(question, question, build_in_copy));
  EXPECT_EQ(built, made_up + "\nrequire example.com/x v1.2.0\n");
  built.clear();
  EXPECT_THAT(build(), ElementsAre(build_in_copy));
  EXPECT_EQ(built, made_up + "\nrequire example.com/x v1.2.0\n") << "the answer is kept";
  EXPECT_EQ(read("source/go.mod"), "none");
}

TEST_F(GoModules, WhatIsCompleteIsBuiltAsItIs) {
  m_environment["CGO_ENABLED"] = "0";
  const std::string build_in_source =
      "source CGO_ENABLED=0: go build -trimpath -modcacherw -ldflags=-s -w -buildid= -o BIN .";
  // Go is content with the source's own, whatever it would write.
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go list -mod=mod -modfile=COPY -deps -f MODULES? .",
                                   "source CGO_ENABLED=0: go list -deps -f MODULES? .", build_in_source));
  EXPECT_THAT(build(), ElementsAre(build_in_source));
}

TEST_F(GoModules, WhetherCIsNeededIsAskedOnceForTheSameImports) {
  write("source/go.sum", m_sums);
  m_go.on_command = nullptr;
  const std::string build_without =
      "source CGO_ENABLED=0: go build -trimpath -modcacherw "
      "-ldflags=-s -w -buildid= -o BIN .";
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=1: go list -mod=mod -modfile=COPY -deps -f MODULES? .",
                                   "source CGO_ENABLED=1: go list -deps -f C? .", build_without));
  EXPECT_THAT(build(), ElementsAre(build_without));
  m_go.on_command = [](const process::Command& command, process::Finished& finished) {
    if (command.arguments[1] == "list") finished.output = "cc";
  };
  write("source/go.sum", m_sums + m_sums);
  EXPECT_EQ(build().back(),
            "error: is not on PATH: the program uses cgo: install a C compiler, build in an image that has "
            "one (golang:1.26, "
            "but not golang:1.26-alpine), or disable cgo with CGO_ENABLED=0");
  write("root/bin/gcc", "#!/bin/sh\n", 0755);
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=1: go build -trimpath -modcacherw "
                                   "-ldflags=-s -w -buildid= -o BIN ."));
}

// Whether C has a part in a program: what each package of it says, for the same imports once.
class GoAndC : public GoModules {
 protected:
  std::string m_packages;

  void SetUp() override {
    GoModules::SetUp();
    write("source/go.sum", m_sums);
    write("source/c/c.go", "//go:build cgo\n\npackage c\n");
    m_go.on_command = [this](const process::Command& command, process::Finished& finished) {
      const auto& words = command.arguments;
      const bool is_question = std::any_of(words.begin(), words.end(), [](const auto& word) {
        return word.find("CgoFiles") != std::string::npos;
      });
      if (is_question) finished.output = m_packages;
    };
  }
  // What is asked, and the CGO_ENABLED that the program is built with, or the error.
  std::string built() {
    std::string asked;
    const auto all = build();
    for (const auto& one : all) {
      if (one.find("C?") != std::string::npos) asked += "asked, ";
    }
    if (all.back().starts_with("error: ")) return asked + all.back().substr(0, 26);
    return asked + process::value_of(m_go.commands.back().environment, "CGO_ENABLED");
  }
};

TEST_F(GoAndC, EachAnswerIsKnownAgain) {
  const std::string none = "error: is not on PATH: the ";
  struct Row {
    std::string packages;
    std::string without_compiler;
    std::string with_compiler;
  };
  for (const auto& [packages, without, with] :
       std::vector<Row>{{" /other\n", "0", "0"},
                        {" /other\nc /some\n", none, "1"},
                        {" " + path("source/c") + "\n", "0", "1"},
                        {" /other\n " + path("source/c") + "\nc /some\n", none, "1"},
                        {" " + path("source") + "\n\n", "0", "0"}}) {
    fs::remove_all(path("cache"));
    fs::remove(path("root/bin/gcc"));
    m_packages = packages;
    EXPECT_EQ(built(), "asked, " + without.substr(0, 26)) << packages;
    EXPECT_EQ(built(), without.substr(0, 26)) << packages;
    write("root/bin/gcc", "#!/bin/sh\n", 0755);
    EXPECT_EQ(built(), with) << packages;
    const fs::path kept = fs::directory_iterator(path("cache/go/cgo"))->path();
    const auto text = base::read_file(kept).value();
    for (const std::string& damaged : {std::string(), text + text, std::string("x"), text + "\n"}) {
      ASSERT_TRUE(base::write_file(kept, damaged));
      EXPECT_EQ(built(), "asked, " + with) << packages << damaged;
    }
  }
  // The root of the source is a folder like any other.
  write("source/c.go", "//go:build !cgo\n\npackage main\n");
  m_packages = " " + path("source") + "\n";
  EXPECT_EQ(built(), "asked, 1");
}

TEST_F(GoAndC, ACompilerOfTheUsersIsNotLookedFor) {
  m_packages = "c /some\n";
  m_environment["CC"] = "/nowhere/cc";
  EXPECT_EQ(built(), "asked, 1");
}

TEST_F(GoAndC, IsNotAskedWhereItIsKnown) {
  m_packages = "c /some\n";
  write("root/bin/gcc", "#!/bin/sh\n", 0755);
  m_environment["GOFLAGS"] = "-race";
  EXPECT_EQ(built(), "1") << "the detector is C";
  m_environment["GOFLAGS"] = "";
  m_environment["GOARCH"] = builder::architecture() == "amd64" ? "arm64" : "amd64";
  EXPECT_EQ(built(), "0") << "another machine's";
  m_environment.erase("GOARCH");
  for (const auto* value : {"0", "1"}) {
    m_environment["CGO_ENABLED"] = value;
    EXPECT_EQ(built(), value);
  }
  m_environment.erase("CGO_ENABLED");
  write("source/main.go", k_main);
  EXPECT_EQ(built(), "asked, 1") << "the source has some";
  fs::remove_all(path("source/c"));
  EXPECT_EQ(built(), "0") << "neither the source nor what it imports";
}

TEST_F(GoAndC, AnAnswerAboutASourceThatChangedIsNotKept) {
  m_packages = " /other\n";
  const auto answer = m_go.on_command;
  m_go.on_command = [&](const process::Command& command, process::Finished& finished) {
    answer(command, finished);
    write("source/c/c.go", "//go:build cgo\n\npackage c // " + std::to_string(m_go.commands.size()) + "\n");
  };
  EXPECT_EQ(built(), "asked, 0");
  EXPECT_FALSE(fs::exists(path("cache/go/cgo")));
}

TEST_F(GoAndC, AQuestionThatFailsIsGosError) {
  m_go.on_command = [](const process::Command& command, process::Finished& finished) {
    if (command.arguments[1] == "list") finished.ending = process::Ending::from_wait_status(1 << 8);
  };
  m_environment["GOFLAGS"] = "-mod=readonly";
  write("source/main.go", k_main);
  EXPECT_EQ(build().back(), "error: exited with code 1: see Go's output above");
}

TEST_F(GoModules, ASourceThatDecidesForItselfIsNotCompleted) {
  m_environment["CGO_ENABLED"] = "0";
  const std::string plain =
      "source CGO_ENABLED=0: go build -trimpath -modcacherw -ldflags=-s -w -buildid= -o BIN .";
  m_environment["GOFLAGS"] = "-mod=readonly";
  EXPECT_THAT(build(), ElementsAre(plain));
  m_environment["GOFLAGS"] = "-mod=vendor";
  EXPECT_THAT(build(), ElementsAre(plain));
  m_environment.erase("GOFLAGS");
  write("source/vendor/modules.txt", "");
  EXPECT_THAT(build(), ElementsAre(plain));
}

TEST_F(GoModules, GoflagsCanAskToCompleteAllTheSame) {
  m_environment["CGO_ENABLED"] = "0";
  m_environment["GOFLAGS"] = "-mod=mod";
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go list -mod=mod -modfile=COPY -deps -f MODULES? .",
                                   "source CGO_ENABLED=0: go list -mod=mod -modfile=COPY -deps -f MODULES? .",
                                   HasSubstr("go build -mod=mod -modfile=COPY")));
}

TEST_F(GoModules, AnAnswerAboutASourceThatChangedIsNotKept) {
  m_environment["CGO_ENABLED"] = "0";
  const auto complete = m_go.on_command;
  m_go.on_command = [&](const process::Command& command, process::Finished& finished) {
    complete(command, finished);
    write("source/main.go", "package main\n\nimport _ \"example.com/x\"\n\nfunc main() { println() }\n");
  };
  EXPECT_EQ(build().size(), 3U);
  EXPECT_FALSE(fs::exists(path("cache/go/resolved")));
}

// Why Go cannot have what a source imports: what it says of the packages, the modules and the proxy.
class GoFailure : public GoModules {
 protected:
  std::string m_missing = "example.com/x/y\n";  // packages
  std::string m_absent;                         // modules
  std::string m_proxy = "https://me:secret@proxy,direct\n";
  bool m_answers = false;
  bool m_can_tell = true;
  bool m_is_valid = true;  // the go.mod
  std::string m_said;      // by the command that fails

  void SetUp() override {
    GoModules::SetUp();
    write("source/main.go", "package main\n\nimport _ \"example.com/x/y\"\n\nfunc main() {}\n");
    m_environment["CGO_ENABLED"] = "0";
    m_go.on_command = [this](const process::Command& command, process::Finished& finished) {
      const auto& words = command.arguments;
      const auto has = [&](const std::string& word) {
        return std::find(words.begin(), words.end(), word) != words.end();
      };
      const auto fail = [&] { finished.ending = process::Ending::from_wait_status(1 << 8); };
      if (has("env")) {
        finished.output = m_proxy;
      } else if (has("-m") && has("-e")) {
        EXPECT_EQ(process::value_of(command.environment, "GOPROXY"), "off");
        finished.output = m_absent;
      } else if (has("-m")) {
        EXPECT_EQ(process::value_of(command.environment, "GOPROXY"), "https://me:secret@proxy");
        EXPECT_THAT(process::value_of(command.environment, "GOMODCACHE"), HasSubstr("cache/work/"));
        if (!m_answers) fail();
      } else if (has("-e")) {
        for (const auto& [name, value] : process::Environment{{"GOPROXY", "off"},
                                                              {"GOVCS", "*:off"},
                                                              {"GONOPROXY", "none"},
                                                              {"PWD", command.folder.string()}}) {
          EXPECT_EQ(process::value_of(command.environment, name), value);
        }
        finished.output = m_missing;
        if (!m_can_tell) fail();
      } else if (has("edit")) {
        EXPECT_EQ(process::value_of(command.environment, "GOFLAGS"), "");
        if (!m_is_valid) fail();
      } else {
        finished.errors = m_said;
        fail();
      }
    };
  }

  std::string failure() {
    const auto status = try_to_build();
    if (status) return "none";
    std::string text = status.error().where + ": " + status.error().what + ": " + status.error().hint;
    base::replace_all(text, path("source"), "SOURCE");
    EXPECT_FALSE(fs::exists(path("cache/go/resolved")));
    fs::remove_all(path("work"));
    return text;
  }
};

TEST_F(GoFailure, IsOfTheProxyOnlyWhereItDoesNotAnswer) {
  EXPECT_EQ(failure(),
            "SOURCE/go.mod: modules are missing, and the module proxy does not answer "
            "(GOPROXY=https://me:***@proxy,direct): check the network and Go's proxy settings (GOPROXY, "
            "HTTPS_PROXY), then try again");
  m_answers = true;
  EXPECT_THAT(failure(),
              testing::StartsWith("SOURCE/go.mod: cannot fetch example.com/x/y "
                                  "(GOPROXY=https://me:***@proxy,direct): see Go's output above; "
                                  "check the path and version; if the module is private, set "
                                  "GOPRIVATE=example.com/x/y and give the build access to example.com"));
  m_proxy = "off";
  EXPECT_EQ(failure(),
            "SOURCE/go.mod: cannot fetch example.com/x/y: GOPROXY is off: set GOPROXY, or commit the "
            "modules with the source (go mod vendor)");
  m_proxy = "file:///proxy";
  EXPECT_THAT(failure(), HasSubstr("cannot fetch example.com/x/y (GOPROXY=file:///proxy)"));
}

TEST_F(GoFailure, OfAPrivateModuleIsNotOfTheProxy) {
  m_answers = true;
  const std::string is_private = "from example.com, which is private (GOPRIVATE)";
  for (const auto* pattern :
       {"example.com", "*.com", "other.org,example.com/x", "example.com/*", ",example.com/x/y"}) {
    m_environment["GOPRIVATE"] = pattern;
    EXPECT_THAT(failure(), HasSubstr(is_private)) << pattern;
  }
  for (const auto* pattern : {"example.org", "example.com/y", "example.com/x/z", "com", ""}) {
    m_environment["GOPRIVATE"] = pattern;
    EXPECT_THAT(failure(), testing::Not(HasSubstr(is_private))) << pattern;
  }
  m_environment["GOPRIVATE"] = "example.com";
  m_environment["GONOPROXY"] = "other.org";
  EXPECT_THAT(failure(), testing::Not(HasSubstr(is_private)));
}

TEST_F(GoFailure, NamesModulesWithTheirVersions) {
  m_answers = true;
  write("source/go.mod",
        m_before + "\nrequire (\n\texample.com/x v1.2.0 // indirect\n\texample.com/z v2.0.0\n)\n");
  m_absent = "example.com/x\n";
  EXPECT_THAT(failure(), HasSubstr("cannot fetch example.com/x v1.2.0 ("));
  m_missing = "example.com/x/y\nexample.com/z/a\nfmt\nexample.com/a/own\nexample.com/x/w\nexample.org/u\n";
  m_absent = "example.com/x\nexample.com/z\n";
  EXPECT_THAT(failure(),
              HasSubstr("cannot fetch example.com/x v1.2.0, example.com/z v2.0.0, example.org/u ("));
  // The module is here and lacks the package.
  m_absent = "example.com/x\n";
  EXPECT_THAT(failure(), HasSubstr("cannot fetch example.com/x v1.2.0, example.org/u ("));
  m_missing = "a.org/1\na.org/2\na.org/3\na.org/4\na.org/5\n";
  EXPECT_THAT(failure(), HasSubstr("cannot fetch a.org/1, a.org/2, a.org/3, a.org/4, a.org/5 ("));
  m_missing += "a.org/6\na.org/7\n";
  EXPECT_THAT(failure(), HasSubstr("a.org/5, … (7 in total) ("));
}

TEST_F(GoFailure, IsGosOwnWhereNothingIsMissing) {
  m_missing = "fmt\nexample.com/a\nexample.com/a/own\n";
  EXPECT_EQ(failure(), "go build: exited with code 1: see Go's output above");
  EXPECT_EQ(m_go.commands.size(), 3U) << "the proxy is not asked";
  // What cannot be told is Go's own as well, but where the proxy does not answer.
  m_can_tell = false;
  m_answers = true;
  EXPECT_EQ(failure(), "go build: exited with code 1: see Go's output above");
  m_answers = false;
  EXPECT_THAT(failure(), HasSubstr("the module proxy does not answer"));
}

TEST_F(GoFailure, IsGosOwnWhereGoCannotBeAskedAbout) {
  m_missing = "example.com/x/y\n";
  write("source/go.mod", m_before + "\nrequire example.com/x v1.2.0\n");
  m_absent = "example.com/x\n";
  m_answers = true;
  ASSERT_THAT(failure(), HasSubstr("cannot fetch example.com/x v1.2.0"));
  const std::string own = "go build: exited with code 1: see Go's output above";
  for (const std::vector<std::string>& question :
       std::vector<std::vector<std::string>>{{"list", "-e", "-deps"},
                                             {"list", "-m", "-e"},
                                             {"env"},
                                             {"list", "-m", "golang.org/x/text@v0.3.0"}}) {
    m_go.refuses = [&](const process::Command& command) {
      const auto& words = command.arguments;
      return std::all_of(question.begin(), question.end(), [&](const std::string& word) {
        return std::find(words.begin(), words.end(), word) != words.end();
      });
    };
    EXPECT_EQ(failure(), own) << base::join(question, " ");
  }
}

TEST_F(GoFailure, OfFlagsNamesThem) {
  m_environment["GOFLAGS"] = "-mod=vendor";
  EXPECT_EQ(failure(),
            "go build: exited with code 1: GOFLAGS has -mod=vendor, but the source has no vendor folder: run "
            "go mod vendor and commit the folder, or remove -mod=vendor from the environment");
  write("source/vendor/modules.txt", "");
  EXPECT_EQ(
      failure(),
      "go build: exited with code 1: see Go's output above; if vendor/ does not match go.mod, run go mod "
      "vendor and commit the folder");
  m_environment["GO111MODULE"] = "off";
  EXPECT_EQ(failure(),
            "go build: exited with code 1 with GO111MODULE=off, which ignores go.mod: see Go's output "
            "above; remove GO111MODULE from the environment");
}

TEST_F(GoFailure, OfTheModulesOwnFilesNamesTheFile) {
  m_environment["GOFLAGS"] = "-mod=readonly";
  m_said =
      "main.go:3:8: missing go.sum entry for module providing package example.com/x/y (imported by a); to "
      "add:";
  EXPECT_EQ(failure(),
            "SOURCE/go.sum: lacks the entry for example.com/x/y: run go mod tidy in the source, and commit "
            "go.mod and go.sum");
  write("source/go.mod", m_before + "\nrequire example.com/x v1.2.0\n");
  EXPECT_THAT(failure(), HasSubstr("go.sum: lacks the entry for example.com/x v1.2.0: "));
  m_said = "go: example.com/z@v1.3.0: missing go.sum entry for go.mod file; to add it:";
  EXPECT_THAT(failure(), HasSubstr("go.sum: lacks the entry for example.com/z v1.3.0: "));
  m_said =
      "main.go:2:8: cannot find module providing package example.com/q/r: import lookup disabled by "
      "-mod=readonly";
  EXPECT_EQ(
      failure(),
      "SOURCE/go.mod: lacks a requirement for example.com/q/r: run go mod tidy in the source, and commit "
      "go.mod and go.sum");
  m_said =
      "main.go:2:8: no required module provides package example.com/q/r; to add it:\n\tgo get "
      "example.com/q/r";
  EXPECT_THAT(failure(), HasSubstr("SOURCE/go.mod: lacks a requirement for example.com/q/r: "));
  m_said = "main.go:2:8: no required module provides package example.com/a/gen; to add it:";
  EXPECT_THAT(failure(), testing::Not(HasSubstr("lacks")));
  write("source/go.mod", "go 1.21\n");
  EXPECT_EQ(failure(),
            "SOURCE/go.mod: does not name its module: add a module line: go mod edit "
            "-module=example.com/NAME");
  m_is_valid = false;
  EXPECT_EQ(failure(), "SOURCE/go.mod: is not a valid go.mod: see Go's output above");
}

TEST_F(GoFailure, OfANewerGoNamesBoth) {
  m_environment["GOFLAGS"] = "-mod=readonly";
  for (const auto* version : {"1.99.1", "1.99", "2.0rc1"}) {
    write("source/go.mod", "module example.com/a\n\ngo " + std::string(version) + " // new\n");
    EXPECT_EQ(failure(), "SOURCE/go.mod: needs Go " + std::string(version) + "; " + path("root/bin/go") +
                             " is 1.26.8: install Go " + version +
                             " or newer (https://go.dev/dl), or build in an image that has it, or let Go "
                             "download it (GOTOOLCHAIN=auto)");
  }
  m_is_valid = false;
  for (const auto* version : {"1.26", "1.26.8", "1.9", "1.x", "x", ""}) {
    write("source/go.mod", "module example.com/a\n\ngo " + std::string(version) + "\n");
    EXPECT_EQ(failure(), "SOURCE/go.mod: is not a valid go.mod: see Go's output above") << version;
  }
}

TEST_F(GoFailure, WithoutAGoModIsOfTheSource) {
  fs::remove(path("source/go.mod"));
  EXPECT_THAT(failure(), testing::StartsWith("SOURCE: modules are missing, and the module proxy"));
}

TEST_F(GoCommands, AnEndForLackOfMemorySaysSo) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  m_go.on_command = [](const process::Command& /*command*/, process::Finished& finished) {
    finished.ending = process::Ending::from_wait_status(SIGKILL);
  };
  EXPECT_THAT(build().back(),
              HasSubstr(": out of memory: raise the memory in transform.build.resource_limits"));
  m_go.on_command = [](const process::Command& /*command*/, process::Finished& finished) {
    finished.ending = process::Ending::from_wait_status(SIGTERM);
  };
  EXPECT_THAT(build().back(), testing::Not(HasSubstr("out of memory")));
}

TEST_F(GoCommands, OfAWorkspaceUseIt) {
  write("source/go.work", "go 1.21\n\nuse ./a\n");
  write("source/a/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/a/main.go", k_main);
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=0: go build -trimpath -modcacherw "
                                   "-ldflags=-s -w -buildid= -o BIN ./a"));
  EXPECT_EQ(process::value_of(m_go.commands.front().environment, "GOWORK"), path("source/go.work"));
  // What Go adds to go.work.sum goes into a copy.
  write("source/a/main.go", "package main\n\nimport _ \"example.com/x\"\n\nfunc main() {}\n");
  write("source/go.work.sum", "sums");
  m_environment["CGO_ENABLED"] = "0";
  m_go.on_command = [&](const process::Command& command, process::Finished& /*finished*/) {
    const fs::path work = process::value_of(command.environment, "GOWORK");
    EXPECT_NE(work, path("source/go.work"));
    EXPECT_THAT(base::read_file(work).value(), HasSubstr(path("source/a")));
    EXPECT_EQ(base::read_file(work.string() + ".sum"), "sums");
  };
  EXPECT_EQ(build().size(), 1U);
  write("source/vendor/modules.txt", "");
  m_go.on_command = nullptr;
  build();
  EXPECT_EQ(process::value_of(m_go.commands.front().environment, "GOWORK"), path("source/go.work"));
}

// Go speaks of the folder that it reads, the user knows the source.
TEST_F(GoCommands, WhatGoSaysOfACopyItSaysOfTheSource) {
  const auto said = [&](const std::string& words) {
    m_go.on_command = [&, words](const process::Command& command, process::Finished& finished) {
      const fs::path file = value_of_flag(command, "-modfile=");
      const auto copy = file.empty() ? command.folder : file.parent_path();
      finished.errors = words;
      base::replace_all(finished.errors, "COPY", copy.string());
      base::replace_all(finished.errors, "RELATIVE", copy.lexically_relative(command.folder).string());
    };
    LogOfTest log;
    build();
    auto told = log.end();
    base::replace_all(told, path("source"), "SOURCE");
    return told;
  };
  write("source/main.go", k_main);
  EXPECT_THAT(said("COPY/main.go:1: a\nb COPY COPY\n"), HasSubstr("SOURCE/main.go:1: a\nb SOURCE SOURCE\n"));
  // A copy of go.mod, which Go may show from the folder that it is in.
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", "package main\n\nimport _ \"example.com/x\"\n\nfunc main() {}\n");
  m_environment["CGO_ENABLED"] = "0";
  EXPECT_THAT(said("COPY/go.mod:1: a\nRELATIVE/go.mod:2: b\n"),
              HasSubstr("SOURCE/go.mod:1: a\nSOURCE/go.mod:2: b\n"));
  // In the source itself everything has its name.
  m_environment["GOFLAGS"] = "-mod=readonly";
  EXPECT_THAT(said("./go.mod: c\n"), HasSubstr("./go.mod: c\n"));
}

TEST_F(GoCommands, EachInputIsNamedOnce) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  write("source/m.mod", "module example.com/a\n");
  write("source/by.go", k_main);
  for (const auto* name : {"source/m.sum", "root/VERSION", "root/go.env", "home/.config/go/env"})
    write(name, "");
  write("source/o.json", R"({"Replace": {"main.go": "by.go", "gone.go": ""}})");
  m_environment["GOFLAGS"] = "-modfile=m.mod -overlay=o.json -tags= -x -pgo=none";
  m_environment["GOAMD64"] = "v2";
  m_environment["CC"] = "cc-of-the-environment";
  m_source.settings.go.environment = {{"GOAMD64", "v3"}, {"CGO_CFLAGS", "-O1"}, {"GOWORK", "off"}};
  const auto lines = [&] {
    const Settings settings{.source = m_source.folder, .cache = path("cache"), .environment = m_environment};
    const Tools tools(settings, m_go);
    std::vector<std::string> all;
    const auto text = look(m_source, m_environment).value().plan(tools).value().inputs.lines();
    for (const auto& line : base::split(text, '\n')) {
      const auto fields = base::split(line, '\t');
      if (fields.size() < 3) continue;
      if (fields[0] == "variable") all.push_back("$" + fields[1]);
      if (fields[0] == "file") all.push_back(fields[1]);
      if (fields[0] == "tool") all.push_back("tool " + fields[1]);
    }
    return all;
  };
  const auto all = lines();
  for (const std::string expected :
       {"$GOAMD64", "$CGO_CFLAGS", "$CC", "$GOFLAGS", "GOFLAGS: -modfile", "GOFLAGS: -modfile, go.sum",
        "GOFLAGS: -overlay", "GOFLAGS: -overlay: main.go", "GOROOT/VERSION", "GOROOT/go.env", "go env -w",
        "tool go"}) {
    EXPECT_EQ(std::count(all.begin(), all.end(), expected), 1) << expected << "\n" << base::join(all, "\n");
  }
  for (const std::string none : {"GOFLAGS: -overlay: gone.go", "GOFLAGS: -x", "GOFLAGS: -tags",
                                 "GOFLAGS: -pgo", "GOFLAGS: -overlay, go.sum"}) {
    EXPECT_EQ(std::count(all.begin(), all.end(), none), 0) << none;
  }
}

TEST_F(GoCommands, FilesThatFlagsNameCount) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  write("other/x.mod", "module example.com/a\n\ngo 1.21\n");
  write("other/pgo", "profile");
  write("other/overlay.json", "{\"Replace\": {\"" + path("source/main.go") + "\": \"" + path("other/new.go") +
                                  "\", \"gone.go\": \"\"}}");
  write("other/new.go", k_main);
  m_environment["GOFLAGS"] = "-modfile=" + path("other/x.mod") + " -pgo=" + path("other/pgo") +
                             " -v -overlay=" + path("other/overlay.json") + " -tags=none";
  const auto key = [&] {
    const Settings settings{.source = m_source.folder, .cache = path("cache"), .environment = m_environment};
    const Tools tools(settings, m_go);
    return look(m_source, m_environment).value().plan(tools).value().key;
  };
  std::string last = key();
  for (const auto* file : {"other/x.mod", "other/x.sum", "other/pgo", "other/new.go"}) {
    write(file, read(file) + "\n");
    const auto now = key();
    EXPECT_NE(now, last) << file;
    last = now;
  }
}

TEST_F(GoCommands, AGoThatDoesNotSayItsVersionIsNone) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  class Silent : public process::Runner {
    base::Result<process::Finished> run(const process::Command& /*command*/,
                                        const process::ErrorSink& /*sink*/) override {
      return process::Finished{process::Ending::from_wait_status(0), "go version devel\n", ""};
    }
  } silent;
  const Settings settings{.source = m_source.folder, .cache = path("cache"), .environment = m_environment};
  const Tools tools(settings, silent);
  const auto plan = look(m_source, m_environment).value().plan(tools);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().what, "does not report its version");
}

// What Go would follow out of the source.
TEST_F(GoCommands, NothingOutsideTheSourceIsBuilt) {
  const std::string hint = ": move the folder below transform.build.path: only files there are built";
  const auto fault = [&] {
    const auto found = look(m_source, m_environment);
    return found ? "none" : found.error().where + ": " + found.error().what + ": " + found.error().hint;
  };
  write("source/main.go", k_main);
  write("source/go.mod", "module example.com/a\n\nreplace x => ../x\n");
  const std::string replaced = ": replaces a module with ../x, which is outside the source" + hint;
  EXPECT_EQ(fault(), path("source/go.mod") + replaced);
  write("source/other.mod", "module example.com/a\n");
  m_environment["GOFLAGS"] = "-modfile=other.mod";
  EXPECT_EQ(fault(), "none");
  m_environment.erase("GOFLAGS");
  write("source/go.mod", "module example.com/a\n\nreplace x => ./x\n");
  EXPECT_EQ(fault(), "none");
  fs::remove(path("source/main.go"));
  fs::remove(path("source/go.mod"));
  write("source/a/main.go", k_main);
  write("source/a/go.mod", "module example.com/a\n\nreplace x => ../x\n");
  EXPECT_EQ(fault(), "none") << "inside, seen from there";
  write("source/a/go.mod", "module example.com/a\n\nreplace x => ../../x\n");
  EXPECT_EQ(fault(),
            path("source/a/go.mod") + ": replaces a module with ../../x, which is outside the source" + hint);
  write("source/go.work", "use ./a\n");
  EXPECT_EQ(fault(),
            path("source/a/go.mod") + ": replaces a module with ../../x, which is outside the source" + hint);
  write("source/a/go.mod", "module example.com/a\n");
  EXPECT_EQ(fault(), "none");
  write("source/go.work", "use ./a\nuse ../b\n");
  EXPECT_EQ(fault(), path("source/go.work") + ": uses ../b, which is outside the source" + hint);
  write("source/go.work", "use ./a\nreplace x => ../x\n");
  EXPECT_EQ(fault(), path("source/go.work") + replaced);
  m_environment["GOWORK"] = "off";
  EXPECT_EQ(fault(), "none") << "it is not used";
}

TEST_F(GoCommands, APlanSaysForWhatAndHowItStarts) {
  const auto plan = [&] {
    const Settings settings{.source = m_source.folder, .cache = path("cache"), .environment = m_environment};
    const Tools tools(settings, m_go);
    return look(m_source, m_environment).value().plan(tools).value();
  };
  const auto summary = [&] { return look(m_source, m_environment).value().summary; };
  write("source/main.go", k_main);
  EXPECT_EQ(summary(), "a source without go.mod");
  write("source/vendor/x/x.go", "package x\n");
  EXPECT_EQ(summary(), "a source without go.mod, with a vendor folder");
  fs::remove_all(path("source/vendor"));
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  EXPECT_EQ(summary(), "module example.com/a");
  const auto root = plan();
  EXPECT_EQ(root.compiler, "go1.26.8");
  EXPECT_EQ(root.platform, (contract::Platform{"linux", builder::architecture(), "", ""}));
  EXPECT_EQ(root.program, (contract::Program{".", "the only package main"}));
  EXPECT_EQ(root.start.command, std::vector<std::string>{"main"});
  EXPECT_EQ(root.start.folder, "/pfs/source");
  EXPECT_TRUE(root.start.may_start_elsewhere);
  EXPECT_FALSE(root.start.no_program);
  m_environment["GOARCH"] = "riscv64";
  EXPECT_EQ(plan().platform.architecture, "riscv64");
  m_environment.erase("GOARCH");
  for (const auto* name : {"source/main.go", "source/go.mod"}) fs::remove(path(name));
  write("source/below/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/below/cmd/x/main.go", k_main);
  EXPECT_EQ(summary(), "module example.com/a in below");
  EXPECT_EQ(plan().program.name, "./below/cmd/x");
  EXPECT_EQ(plan().start.folder, "/pfs/source/below");
  write("source/go.work", "go 1.21\n\nuse ./below\n");
  EXPECT_EQ(summary(), "a workspace");
}

// Files count as Go counts them: "go help buildconstraint".
TEST_F(GoCommands, TagsAreThoseOfTheMachineTheVariablesAndTheSettings) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  m_environment["GOARCH"] = "amd64";
  const auto counts = [&](const std::string& tag) {
    write("source/main.go", "//go:build " + tag + "\n\n" + k_main);
    return look(m_source, m_environment).has_value();
  };
  EXPECT_TRUE(counts("amd64.v1"));
  for (const std::string tag : {"amd64.v2", "race", "mine", "yours", "goexperiment.x", "arm64"})
    EXPECT_FALSE(counts(tag)) << tag;
  EXPECT_TRUE(counts("cgo"));
  m_environment["CGO_ENABLED"] = "0";
  EXPECT_FALSE(counts("cgo"));
  EXPECT_TRUE(counts("!cgo"));
  m_environment.erase("CGO_ENABLED");
  for (const std::string detector : {"race", "msan", "asan"}) {
    m_environment["GOFLAGS"] = "-" + detector;
    for (const std::string tag : {"race", "msan", "asan"}) EXPECT_EQ(counts(tag), tag == detector) << tag;
  }
  m_environment.erase("GOFLAGS");
  m_environment["GOAMD64"] = "v3";
  for (const std::string tag : {"amd64.v1", "amd64.v2", "amd64.v3"}) EXPECT_TRUE(counts(tag)) << tag;
  EXPECT_FALSE(counts("amd64.v4"));
  m_environment["GOFLAGS"] = "-race -tags=yours";
  m_environment["GOEXPERIMENT"] = "x,y";
  m_source.settings.go.tags = {"mine"};
  for (const std::string tag : {"race", "mine", "yours", "goexperiment.x", "goexperiment.y"})
    EXPECT_TRUE(counts(tag)) << tag;
  EXPECT_FALSE(counts("msan"));
  m_environment["GOARCH"] = "arm64";
  EXPECT_TRUE(counts("arm64"));
  EXPECT_FALSE(counts("amd64.v1"));
}

TEST_F(GoCommands, ASourceOfGoIsKnownByItsFiles) {
  const fs::path source = path("source");
  const auto has = [&](const std::string& name) {
    write("source/" + name, "");
    const std::pair found(may_be(source), may_be_below(source));
    fs::remove_all(source);
    return found;
  };
  using Found = std::pair<bool, bool>;
  for (const auto* name : {"main.go", "go.work"}) EXPECT_EQ(has(name), Found(true, true)) << name;
  for (const auto* name : {"go.mod", "a/go.mod", "a/b/x.go", "a/go.work"})
    EXPECT_EQ(has(name), Found(false, true)) << name;
  for (const auto* name :
       {"x.py", "main.go/x", "go.work/x", "x_test.go", "_x.go", "a/x_test.go", "vendor/x.go",
        "a/testdata/go.mod", ".git/x.go", "_a/go.work", "node_modules/x.go", "a/go.mods"})
    EXPECT_EQ(has(name), Found(false, false)) << name;
  write("source/other/x.go", "");
  write("source/testdata", "");
  EXPECT_TRUE(may_be_below(source));
  fs::remove_all(source);
  write("source/file", "");
  fs::create_symlink("file", source / "x.go");
  EXPECT_TRUE(may_be(source)) << "a link to a file is one";
  EXPECT_FALSE(may_be(path("none")));
  EXPECT_FALSE(may_be_below(path("none")));
}

TEST_F(GoCommands, AWorkspaceOfTheEnvironmentIsIgnoredWithAWarning) {
  write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
  write("source/main.go", k_main);
  const auto warns = [&](const std::string& value) {
    m_environment["GOWORK"] = value;
    LogOfTest log;
    EXPECT_TRUE(look(m_source, m_environment));
    return log.end().find("GOWORK=" + value +
                          " from the environment is ignored; only a go.work inside the source is used") !=
           std::string::npos;
  };
  EXPECT_TRUE(warns("/other/go.work"));
  for (const std::string value : {"", "off", "auto"}) EXPECT_FALSE(warns(value)) << value;
  EXPECT_TRUE(warns(path("source/go.work"))) << "which is not there";
  write("source/go.work", "go 1.21\n\nuse .\n");
  EXPECT_FALSE(warns(path("source/go.work")));
  EXPECT_TRUE(warns("/other/go.work"));
}

TEST_F(GoModules, WhatIsChosenIsToldInEachBuild) {
  m_environment["CGO_ENABLED"] = "0";
  const auto complete = m_go.on_command;
  m_go.on_command = [&](const process::Command& command, process::Finished& finished) {
    if (command.arguments[1] == "list" && value_of_flag(command, "-modfile=").empty())
      finished.ending = process::Ending::from_wait_status(1 << 8);
    complete(command, finished);
  };
  for (int i = 0; i < 2; ++i) {
    LogOfTest log;
    build();
    const auto told = log.end();
    EXPECT_NE(told.find("warning: " + path("source/go.sum") +
                        ": lacks entries that the imports need; chosen: example.com/x v1.2.0\n"
                        "hint: pin them: run go mod tidy in the source, and commit go.mod and go.sum\n"),
              std::string::npos)
        << told;
  }
  // What go.mod names already was not chosen.
  write("source/go.mod", m_before + "\nrequire example.com/x v1.2.0\n");
  LogOfTest log;
  build();
  const auto told = log.end();
  EXPECT_NE(told.find(": lacks entries that the imports need\n"), std::string::npos) << told;
}

}  // namespace
}  // namespace builder::go
