// SPDX-License-Identifier: Apache-2.0
// What a Go program's key is made of, input by input.
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <functional>
#include <map>
#include <set>

#include "builder-runtime/languages/go/go.h"

namespace builder::go {
namespace {

class FakeGo : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& /*command*/,
                                      const process::ErrorSink& /*sink*/) override {
    return process::Finished{process::Ending::from_wait_status(0), "go version " + version + " linux/amd64\n",
                             ""};
  }
  std::string version = "go1.26.8";
};

class GoKey : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "gokey.").value();
  FakeGo m_go;
  process::Environment m_environment{{"HOME", (m_folder.path() / "home").string()},
                                     {"PATH", (m_folder.path() / "root/bin").string()}};
  Source m_source{.folder = m_folder.path() / "source"};

  void SetUp() override {
    write("source/go.mod", "module example.com/a\n\ngo 1.21\n");
    write("source/main.go", "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n");
    // A script may start another program tomorrow, so it is asked each time.
    write("root/bin/go", "#!/bin/sh\n", 0755);
  }
  void write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text, mode));
  }
  std::string key() {
    const Settings settings{
        .source = m_source.folder, .cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_go);
    const auto findings = look(m_source, m_environment);
    if (!findings) return findings.error().what;
    const auto plan = findings->plan(tools);
    return plan ? plan->key : plan.error().what;
  }
};

TEST_F(GoKey, HasEachInputAsAPart) {
  const auto set = [this](const std::string& name, const std::string& value) {
    return [this, name, value] { m_environment[name] = value; };
  };
  const auto put = [this](const std::string& name, const std::string& text) {
    return [this, name, text] { write(name, text); };
  };
  const std::vector<std::pair<std::string, std::function<void()>>> changes = {
      {"nothing", [] {}},
      {"the version of Go", [this] { m_go.version = "go1.26.9"; }},
      {"CGO_ENABLED", set("CGO_ENABLED", "0")},
      {"CGO_CFLAGS", set("CGO_CFLAGS", "-O3")},
      {"CGO_LDFLAGS", set("CGO_LDFLAGS", "-lm")},
      {"GOFLAGS", set("GOFLAGS", "-race")},
      {"GOARCH", set("GOARCH", "arm64")},
      {"GOAMD64", set("GOAMD64", "v3")},
      {"GOEXPERIMENT", set("GOEXPERIMENT", "x")},
      {"go env -w", put("home/.config/go/env", "GOAMD64=v2\n")},
      {"go env -w again", put("home/.config/go/env", "GOAMD64=v3\n")},
      {"GOROOT/go.env", put("root/go.env", "GOTOOLCHAIN=local\n")},
      {"GOROOT/VERSION", put("root/VERSION", "go1.26.9-custom\n")},
      {"another file of go env -w",
       [this] {
         write("goenv", "GOAMD64=v1\n");
         m_environment["GOENV"] = (m_folder.path() / "goenv").string();
       }},
      {"its text", put("goenv", "GOAMD64=v2\n")},
      {"tags", [this] { m_source.settings.go.tags = {"a"}; }},
      {"ldflags", [this] { m_source.settings.go.ldflags = "-X main.a=b"; }},
      {"variables of the source", [this] { m_source.settings.go.environment["CGO_CFLAGS"] = "-O1"; }},
      {"the program", put("source/main.go", "package main\n\nfunc main() {}\n")},
      {"go.sum", put("source/go.sum", "a v1 h1:x\n")},
      {"go.sum again", put("source/go.sum", "a v1 h1:y\n")},
      {"a file of the source", put("source/data.txt", "x")},
  };
  std::set<std::string> seen;
  for (const auto& [name, change] : changes) {
    change();
    const std::string now = key();
    EXPECT_EQ(now.size(), 64U) << name << ": " << now;
    EXPECT_TRUE(seen.insert(now).second) << name;
    EXPECT_EQ(key(), now) << name;
  }
}

TEST_F(GoKey, HasTheCompilerWhereCMayHaveAPart) {
  write("tools/cc1", "#!/bin/sh\n", 0755);
  const auto with = [this](const std::string& compiler) {
    m_environment["CC"] = compiler;
    m_environment["CGO_ENABLED"] = "1";
    return key();
  };
  const auto one = with((m_folder.path() / "tools/cc1").string());
  EXPECT_NE(with((m_folder.path() / "tools/cc2").string()), one);
}

TEST_F(GoKey, HasTheNamesOfThePrograms) {
  base::fs::remove(m_source.folder / "main.go");
  write("source/cmd/a/main.go", "package main\n\nfunc main() {}\n");
  const auto one = key();
  m_source.has_own_command = true;
  EXPECT_NE(key(), one) << "the program has its own name besides";
}

TEST_F(GoKey, LeavesOutWhatChangesNoProgram) {
  m_environment["HOME"] = (m_folder.path() / "home").string();
  const auto before = key();
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"GOPROXY", "off"}, {"GOCACHE", "/x"}, {"GOMODCACHE", "/y"}, {"GOPATH", "/z"}, {"A_TOKEN", "t"}}) {
    m_environment[name] = value;
    EXPECT_EQ(key(), before) << name;
  }
  write("home/.netrc", "machine x\n");
  write("home/.gitconfig", "[user]\n");
  write("home/.config/go/telemetry/x", "");
  EXPECT_EQ(key(), before);
}

TEST_F(GoKey, ShowsWhatIsLeftOutOfIt) {
  write("home/.netrc", "machine x\n");
  write("home/.gitconfig", "[user]\n");
  write("home/.config/go/telemetry/x", "");
  write("home/.config/go/env", "");
  const auto lines = [&] {
    const Settings settings{
        .source = m_source.folder, .cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_go);
    return look(m_source, m_environment).value().plan(tools).value().inputs.lines();
  };
  const auto has = [&](const std::string& start, const std::string& file) {
    const auto all = lines();
    EXPECT_NE(all.find(start + "\t" + (m_folder.path() / file).string() + "\n"), std::string::npos)
        << start << "\n"
        << all;
  };
  has("file\t~/.netrc\tnot in the key: credentials", "home/.netrc");
  has("file\t.gitconfig\tnot in the key: how git reaches servers, not their content", "home/.gitconfig");
  has("folder\ttelemetry of Go\tnot in the key: Go's usage statistics", "home/.config/go/telemetry");
  write("other/netrc", "");
  m_environment["NETRC"] = (m_folder.path() / "other/netrc").string();
  has("file\t~/.netrc\tnot in the key: credentials", "other/netrc");
}

}  // namespace
}  // namespace builder::go
