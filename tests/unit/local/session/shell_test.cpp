// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/shell.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <optional>

#include "base/files.h"
#include "contract/build_record.h"

namespace local {
namespace {

using Words = std::vector<std::string>;

// Sets a variable of this process, and takes it back.
class ShellVariable {
 public:
  ShellVariable(const char* name, const char* value) : m_name(name) {
    if (const char* before = std::getenv(name)) m_before = before;
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  ~ShellVariable() { m_before ? ::setenv(m_name, m_before->c_str(), 1) : ::unsetenv(m_name); }
  ShellVariable(const ShellVariable&) = delete;
  ShellVariable& operator=(const ShellVariable&) = delete;

 private:
  const char* m_name;
  std::optional<std::string> m_before;
};

TEST(FindShell, IsThePersonsIfThereIsOne) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "shell.").value();
  const auto in = [&](const std::string& name) { return (folder.path() / name).string(); };
  for (const auto* name : {"bash", "zsh", "xbash"}) ASSERT_TRUE(base::write_file(in(name), "", 0755));
  ASSERT_TRUE(base::write_file(in("plain"), "", 0644));
  const std::pair<std::optional<std::string>, Words> k_shells[] = {
      {std::nullopt, {"sh"}},
      {"", {"sh"}},
      {"zsh", {"sh"}},  // found in PATH by nobody
      {in("plain"), {"sh"}},
      {in("none"), {"sh"}},
      {in("zsh"), {in("zsh")}},
      {in("xbash"), {in("xbash")}},
      {in("bash"), {in("bash"), "--rcfile", in("bash-start")}}};
  for (const auto& [shell, command] : k_shells) {
    const ShellVariable variable("SHELL", shell ? shell->c_str() : nullptr);
    EXPECT_FALSE(base::fs::exists(in("bash-start"))) << "no other shell needs it";
    EXPECT_EQ(find_shell(false, folder.path()).value(), command) << shell.value_or("none");
    EXPECT_EQ(find_shell(true, folder.path()).value(),
              (Words{"sh", "-c", "if command -v bash > /dev/null; then exec bash; fi; exec sh"}));
  }
  struct stat status{};
  ASSERT_EQ(::stat(in("bash-start").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const ShellVariable variable("SHELL", in("bash").c_str());
  EXPECT_EQ(find_shell(false, folder.path() / "none").error().where, in("none/bash-start"));
}

// What bash reads: the person's settings, but not their PATH before ours.
TEST(FindShell, BashStartsWithThePersonsSettingsAndOurPath) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "shell.").value();
  const ShellVariable shell("SHELL", "/bin/bash");
  if (find_shell(false, folder.path()).value().size() != 3) GTEST_SKIP() << "bash is not installed";
  const auto start = (folder.path() / "bash-start").string();
  const auto shown = [&] {
    const auto out = (folder.path() / "shown").string();
    const std::string command =
        "HOME='" + folder.path().string() + "' PATH=/ours:/bin:/usr/bin bash --norc -c \"PS1='$ '; . '" +
        start + "'; echo \\\"\\$PATH|\\$PS1|\\$OWN|\\${pachbuild_path-none}\\\"\" > '" + out + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return base::read_file(out).value();
  };
  EXPECT_EQ(shown(), "/ours:/bin:/usr/bin|(pachbuild) $ ||none\n");
  ASSERT_TRUE(base::write_file(folder.path() / ".bashrc", "PATH=/theirs:$PATH OWN=setting PS1='> '\n"));
  EXPECT_EQ(shown(), "/ours:/bin:/usr/bin|(pachbuild) > |setting|none\n");
}

TEST(StartFolder, IsTheArtifactsUnlessTheSpecSaysOne) {
  const auto record = [](const std::string& folder, bool is_default) {
    contract::BuildRecord made{.builder = "go",
                               .version = "0.1.0",
                               .key = std::string(64, 'c'),
                               .platform = {"linux", "amd64", "glibc 2.36", "go1.22"},
                               .command = {"app"},
                               .packages = {}};
    made.starts_in = {.folder = folder, .is_default = is_default};
    return contract::to_json(made);
  };
  spec::Transform plain;
  spec::Transform with_folder;
  with_folder.working_dir = "/work";
  EXPECT_EQ(start_folder_of_artifact(record("/pfs/source", true), plain), "/pfs/source");
  EXPECT_EQ(start_folder_of_artifact(record("/pfs/source", true), with_folder), "");
  EXPECT_EQ(start_folder_of_artifact(record("/pfs/source/x", false), plain), "/pfs/source/x");
  EXPECT_EQ(start_folder_of_artifact(record("/pfs/source/x", false), with_folder), "/pfs/source/x");
  EXPECT_EQ(start_folder_of_artifact("", plain), "");
  EXPECT_EQ(start_folder_of_artifact("{}", plain), "");
}

TEST(AttendedTask, IsForAPerson) {
  const ShellVariable term("TERM", "xterm");
  const ShellVariable colors("COLORTERM", nullptr);
  Task task;
  task.id = "1";
  task.log = "a log";
  task.batching = true;
  task.command = {"program"};
  task.inputs = {{.name = "source", .resident = true}, {.name = "data"}};
  task.environment = {{"A", "1"}};
  const auto shell = attended_task(task, {"sh", "-i"}, false);
  EXPECT_EQ(shell.id, "1");
  EXPECT_TRUE(shell.attended);
  EXPECT_FALSE(shell.has_terminal);
  EXPECT_FALSE(shell.batching);
  EXPECT_EQ(shell.command, (Words{"sh", "-i"}));
  EXPECT_EQ(shell.log, "");
  ASSERT_EQ(shell.inputs.size(), 2U);
  for (const auto& input : shell.inputs) EXPECT_FALSE(input.resident) << input.name;
  EXPECT_EQ(shell.environment, (process::Environment{{"A", "1"}}));
  EXPECT_TRUE(attended_task(task, {"sh"}, true).has_terminal);
  EXPECT_EQ(attended_task(task, {"sh"}, true).environment,
            (process::Environment{{"A", "1"}, {"TERM", "xterm"}}));
  task.environment["TERM"] = "the spec's";
  const ShellVariable no_term("TERM", "");
  const ShellVariable true_color("COLORTERM", "truecolor");
  EXPECT_EQ(attended_task(task, {"sh"}, true).environment,
            (process::Environment{{"A", "1"}, {"COLORTERM", "truecolor"}, {"TERM", "the spec's"}}));
}

}  // namespace
}  // namespace local
