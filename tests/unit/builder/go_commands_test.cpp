// SPDX-License-Identifier: Apache-2.0
// What Go is asked to do, and where, for each form of a source.
#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <functional>

#include "base/text.h"
#include "builder-runtime/languages/go/go.h"

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
      finished.output = "go version go1.26.8 linux/amd64\n";
      return finished;
    }
    if (!command.arguments[0].ends_with("/go")) return finished;
    commands.push_back(command);
    if (command.arguments[1] == "build") {
      const auto folder = std::find(command.arguments.begin(), command.arguments.end(), "-o") + 1;
      EXPECT_TRUE(base::write_file(*folder + "named-by-go", program, 0755));
    }
    if (on_command) on_command(command, finished);
    if (sink) sink(finished.errors);
    return finished;
  }

  std::vector<process::Command> commands;  // but for "go version"
  std::string program = "no ELF";
  std::function<void(const process::Command&, process::Finished&)> on_command;
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
                                                                      {"CGO_ENABLED", "1"}}) {
    EXPECT_EQ(process::value_of(environment, name), value) << name;
  }
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
  std::string file;
  m_go.on_command = [&](const auto& command, auto& /*finished*/) {
    file = base::read_file(command.folder / "go.mod").value_or("none");
  };
  build();
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
            "error: is not on PATH: the program has C in it: build in an image with a C "
            "compiler (golang:1.26 has one, golang:1.26-alpine has not), or without C: "
            "CGO_ENABLED=0");
  write("root/bin/gcc", "#!/bin/sh\n", 0755);
  EXPECT_THAT(build(), ElementsAre("source CGO_ENABLED=1: go build -trimpath -modcacherw "
                                   "-ldflags=-s -w -buildid= -o BIN ."));
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
      } else {
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
            "SOURCE/go.mod: modules are missing here and the module proxy does not answer "
            "(GOPROXY=https://me:***@proxy,direct): check the network and the proxies that Go is set up for "
            "(GOPROXY, HTTPS_PROXY), then try again");
  m_answers = true;
  EXPECT_THAT(failure(),
              testing::StartsWith("SOURCE/go.mod: cannot fetch example.com/x/y "
                                  "(GOPROXY=https://me:***@proxy,direct): see Go's output above; "
                                  "check path and version; if it is private, set "
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
  EXPECT_THAT(failure(), HasSubstr("a.org/5, … (7 in all) ("));
}

TEST_F(GoFailure, IsGosOwnWhereNothingIsMissing) {
  m_missing = "fmt\nexample.com/a\nexample.com/a/own\n";
  EXPECT_EQ(failure(), "go build: ended with exit code 1: see Go's output above");
  EXPECT_EQ(m_go.commands.size(), 2U) << "the proxy is not asked";
  // What cannot be told is Go's own as well, but where the proxy does not answer.
  m_can_tell = false;
  m_answers = true;
  EXPECT_EQ(failure(), "go build: ended with exit code 1: see Go's output above");
  m_answers = false;
  EXPECT_THAT(failure(), HasSubstr("the module proxy does not answer"));
}

TEST_F(GoFailure, OfFlagsNamesThem) {
  m_environment["GOFLAGS"] = "-mod=vendor";
  EXPECT_EQ(failure(),
            "go build: ended with exit code 1: GOFLAGS has -mod=vendor, and there is no vendor folder: run "
            "go mod vendor and commit the folder, or remove -mod=vendor from the environment");
  write("source/vendor/modules.txt", "");
  EXPECT_EQ(
      failure(),
      "go build: ended with exit code 1: see Go's output above; if vendor/ does not match go.mod, run go mod "
      "vendor and commit the folder");
  m_environment["GO111MODULE"] = "off";
  EXPECT_EQ(failure(),
            "go build: ended with exit code 1 with GO111MODULE=off, which ignores go.mod: see Go's output "
            "above; remove GO111MODULE from the environment");
}

TEST_F(GoFailure, WithoutAGoModIsOfTheSource) {
  fs::remove(path("source/go.mod"));
  EXPECT_THAT(failure(), testing::StartsWith("SOURCE: modules are missing here and the module proxy"));
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
  EXPECT_EQ(plan.error().what, "does not say its version");
}

}  // namespace
}  // namespace builder::go
