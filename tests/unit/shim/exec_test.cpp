// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/exec.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <paths.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <cstring>

#include "../nobody.h"
#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "tests/unit/shim/elf.h"
#include "worker-shim/executable_format.h"

namespace shim {
namespace {

// The failures only: what succeeds does not come back, and is tested from outside.
class Execute : public testing::Test {
 protected:
  Execute() : m_path_before(std::getenv("PATH")) {}
  ~Execute() override { ::setenv("PATH", m_path_before.c_str(), 1); }

  std::string file(const std::string& name, const std::string& content, mode_t mode = 0755) {
    const auto path = m_folder.path() / name;
    EXPECT_TRUE(base::write_file(path, content, mode));
    return path.string();
  }

  static std::string failure(std::string command) {
    char* const words[] = {command.data(), nullptr};
    const ExecFailure result = execute(words);
    return std::to_string(result.exit_code) + " " + base::format_error(result.error);
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "exec.").value();
  const std::string m_path_before;
};

// The first bytes of a program for some machine.
std::string elf(unsigned char byte_order, std::uint16_t machine) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = byte_order;
  header.e_machine = machine;
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

TEST_F(Execute, AMissingCommandIs127) {
  ::setenv("PATH", "/no/such/folder", 1);
  EXPECT_EQ(failure("frobnicate"),
            "127 error: frobnicate: command not found\nhint: PATH is /no/such/folder\n");
  EXPECT_EQ(failure("/no/such/program"),
            "127 error: /no/such/program: cannot execute: no such file or folder\n");
  EXPECT_EQ(failure("/etc/passwd/x"),
            "127 error: /etc/passwd/x: cannot execute: a part of the path is not a folder\n");
  EXPECT_EQ(failure(""), "127 error: the command is empty\n");
}

TEST_F(Execute, AFolderIs126) {
  EXPECT_EQ(failure("/etc"), "126 error: /etc: cannot be executed: is a folder\n");
}

TEST_F(Execute, AFileWithoutPermissionIs126) {
  const auto path = file("main.py", "#!/usr/bin/env python3\n", 0644);
  EXPECT_EQ(failure(path), "126 error: " + path +
                               ": cannot be executed: has no execute permission\n"
                               "hint: files in /pfs never have it: start it with its interpreter (sh FILE, "
                               "python3 FILE)\n");
}

TEST_F(Execute, AScriptWithoutItsInterpreterIs126) {
  const auto path = file("a script", "#! /no/such/python3 -u\n");
  EXPECT_EQ(failure(path), "126 error: " + path +
                               ": cannot be executed: its first line names the interpreter "
                               "'/no/such/python3', which does not exist\n"
                               "hint: install it in the image, or correct the line (it must end without a "
                               "carriage return)\n");
  EXPECT_NE(failure(file("dos", "#!/bin/sh\r\n")).find("'/bin/sh\\x0d'"), std::string::npos)
      << failure(m_folder.path().string() + "/dos");
}

TEST_F(Execute, AFileThatIsNoProgramIs126) {
  EXPECT_EQ(failure(file("text", "echo a\n")),
            "126 error: " + m_folder.path().string() +
                "/text: cannot be executed: is neither a program nor a script with an interpreter line\n"
                "hint: start a shell script with #!/bin/sh\n");
  EXPECT_EQ(failure(file("empty", "")),
            "126 error: " + m_folder.path().string() + "/empty: cannot be executed: is empty\n");
}

TEST_F(Execute, AProgramForAnotherMachineIs126) {
  const std::string other = own_machine() == "amd64" ? "arm64" : "amd64";
  const auto path = file("program", elf(ELFDATA2LSB, other == "arm64" ? EM_AARCH64 : EM_X86_64));
  EXPECT_EQ(failure(path), "126 error: " + path + ": cannot be executed: is for " + other +
                               ", this machine is " + own_machine() + "\n");
}

TEST_F(Execute, TheSearchGoesOnBehindWhatItMayNotRun) {
  file("frobnicate", "#!/bin/sh\n", 0644);
  ::setenv("PATH", (m_folder.path().string() + ":/no/such/folder").c_str(), 1);
  EXPECT_EQ(failure("frobnicate").substr(0, 4), "126 ") << "found, though not executable";
}

TEST_F(Execute, OfSeveralThatItMayNotRunTheFirstIsNamed) {
  std::string path = "/no/such/folder";
  for (const std::string folder : {"a", "b", "c"}) {
    ASSERT_TRUE(base::make_folders(m_folder.path() / folder));
    file(folder + "/frobnicate", "#!/bin/sh\n", 0644);
    path += ":" + (m_folder.path() / folder).string();
  }
  ::setenv("PATH", path.c_str(), 1);
  const std::string start = "126 error: " + (m_folder.path() / "a" / "frobnicate").string() + ": ";
  EXPECT_EQ(failure("frobnicate").substr(0, start.size()), start);
}

TEST_F(Execute, WhatTheKernelRefusesIsExplained) {
  const std::string folder = m_folder.path().string();
  const auto told = [&](const std::string& name) {
    std::string text = failure(folder + "/" + name);
    base::replace_all(text, folder, "TMP");
    return text;
  };
  boost::filesystem::create_symlink("loop", folder + "/loop");
  EXPECT_EQ(told("loop"), "126 error: TMP/loop: cannot be executed: Too many levels of symbolic links\n");
  file("of-a-folder", "#!/etc\n");
  EXPECT_EQ(told("of-a-folder"),
            "126 error: TMP/of-a-folder: cannot be executed: permission denied for it or for its interpreter "
            "/etc\n");
  file("damaged", elf_program(k_this_machine, ""));
  EXPECT_EQ(told("damaged"), "126 error: TMP/damaged: cannot be executed: is a damaged program\n");
  file("of-another", "#!" + file("other", elf_program(k_other_machine, "")) + " -x\n");
  EXPECT_EQ(told("of-another"),
            "126 error: TMP/of-another: cannot be executed: its interpreter 'TMP/other' is not a program for "
            "this machine\n");
  file("dynamic", elf_program(k_this_machine, "/no/such/loader"));
  EXPECT_EQ(
      told("dynamic"),
      "126 error: TMP/dynamic: cannot be executed: it needs the loader /no/such/loader, which this image "
      "does not have\nhint: build it for this image's C library, or statically\n");
  std::string program = "/bin/true";
  std::string argument(1'000'000, 'x');
  char* const words[] = {program.data(), argument.data(), nullptr};
  EXPECT_EQ(base::format_error(execute(words).error),
            "error: /bin/true: cannot be executed: its arguments and environment are too long for the "
            "kernel\n");
}

TEST_F(Execute, WhatIsInAFolderThatIsClosedIsDenied) {
  ASSERT_TRUE(base::make_folders(m_folder.path() / "closed"));
  const auto path = file("closed/tool", "#!/bin/sh\n");
  ASSERT_EQ(::chmod((m_folder.path() / "closed").c_str(), 0), 0);
  std::string told;
  {
    const Nobody nobody;
    told = failure(path);
  }
  ASSERT_EQ(::chmod((m_folder.path() / "closed").c_str(), 0700), 0);
  EXPECT_EQ(told, "126 error: " + path + ": cannot be executed: permission denied\n");
}

TEST_F(Execute, OnADiskThatExecutesNothingItIsSaidWhatToDo) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can mount a disk";
  const std::string folder = m_folder.path().string();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.c_str(), "tmpfs", MS_NOEXEC, nullptr) != 0)
      ::_exit(1);
    const auto path = file("tool", "#!/bin/sh\n");
    ::unsetenv("PACHBUILD_ENV");
    std::string text = failure(path);
    for (const auto& environment : {folder, folder + "/t"}) {
      ::setenv("PACHBUILD_ENV", environment.c_str(), 1);
      text += failure(path);
    }
    static_cast<void>(!::write(ends[1], text.data(), text.size()));
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t count = 0; (count = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(count));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  const std::string fault =
      "126 error: " + folder + "/tool: cannot be executed: its file system is mounted noexec\nhint: ";
  const std::string start =
      "start it with its interpreter (sh FILE, python3 FILE), or put it on another file system\n";
  EXPECT_EQ(text, fault + start + fault + "set PACHBUILD_CACHE_DIR to a folder on another file system\n" +
                      fault + start);
}

TEST_F(Execute, TheSearchEndsAtWhatIsThere) {
  for (const std::string folder : {"a", "b"}) ASSERT_TRUE(base::make_folders(m_folder.path() / folder));
  const auto a = (m_folder.path() / "a").string();
  const auto b = (m_folder.path() / "b").string();
  file("a/tool", "", 0644);
  file("b/tool", "");
  const auto told = [&](const std::string& path) {
    ::setenv("PATH", path.c_str(), 1);
    return failure("tool");
  };
  const std::string empty = "126 error: " + b + "/tool: cannot be executed: is empty\n";
  EXPECT_EQ(told(a + ":" + b), empty) << "behind one that is denied";
  EXPECT_EQ(told(a + "/tool:" + b), empty) << "behind what is no folder";
  EXPECT_EQ(told("/no/such/folder:" + b + ":" + a), empty);
  const auto before = boost::filesystem::current_path();
  boost::filesystem::current_path(b);
  EXPECT_EQ(told(""), "126 error: ./tool: cannot be executed: is empty\n");
  EXPECT_EQ(told("/no/such/folder:"), "126 error: ./tool: cannot be executed: is empty\n");
  boost::filesystem::current_path(before);
  ::unsetenv("PATH");
  EXPECT_EQ(failure("no-such-tool"),
            "127 error: no-such-tool: command not found\nhint: PATH is " _PATH_DEFPATH "\n");
}

TEST_F(Execute, AnEnvironmentsVariablesAreSet) {
  using std::string_literals::operator""s;
  const auto value = [](const char* name) {
    const char* const found = std::getenv(name);
    return std::string(found == nullptr ? "unset" : found);
  };
  const std::string folder = m_folder.path().string();
  ::setenv("SHIM_SET", "pipeline", 1);
  ::setenv("SHIM_LIST", "a:b", 1);
  ::setenv("SHIM_EMPTY", "", 1);
  file(".variables",
       "SHIM_SET=x\0SHIM_NEW={env}/x:{env}\0+SHIM_LIST={env}/l\0+SHIM_EMPTY=e\0+SHIM_NONE={env}\0"s);
  enter_environment(folder);
  EXPECT_EQ(value("SHIM_SET"), "pipeline");
  EXPECT_EQ(value("SHIM_NEW"), folder + "/x:" + folder);
  EXPECT_EQ(value("SHIM_LIST"), folder + "/l:a:b");
  EXPECT_EQ(value("SHIM_EMPTY"), "e");
  EXPECT_EQ(value("SHIM_NONE"), folder);
  ::unsetenv("SHIM_NEW");
  EXPECT_TRUE(apply_variables("SHIM_NEW={env}", ""));
  EXPECT_EQ(value("SHIM_NEW"), "{env}");
  EXPECT_TRUE(apply_variables("", "/e"));
  for (const auto& wrong : {"x"s, "=x"s, "+=x"s, "+"s, "\0"s}) EXPECT_FALSE(apply_variables(wrong, "/e"));
  EXPECT_EQ(with_environment("{env}{env}{en}", "/e"), "/e/e{en}");
  for (const char* const name : {"SHIM_SET", "SHIM_NEW", "SHIM_LIST", "SHIM_EMPTY", "SHIM_NONE"})
    ::unsetenv(name);
}

TEST_F(Execute, AnEnvironmentsProgramsComeFirst) {
  const std::string folder = m_folder.path().string();
  const auto value = [](const char* name) {
    const char* const found = std::getenv(name);
    return std::string(found == nullptr ? "unset" : found);
  };
  ::setenv("PYTHONHOME", "/python", 1);
  ::setenv("PACHBUILD_ENV", "old", 1);
  ::setenv("PATH", "/a:/b", 1);
  enter_environment(folder);
  EXPECT_EQ(value("PATH"), folder + "/bin:/a:/b");
  EXPECT_EQ(value("PACHBUILD_ENV"), folder);
  EXPECT_EQ(value("PYTHONHOME"), "/python") << "there is no Python in it";
  file("pyvenv.cfg", "");
  enter_environment(folder);
  EXPECT_EQ(value("PYTHONHOME"), "unset");
  ::unsetenv("PATH");
  enter_environment(folder);
  EXPECT_EQ(value("PATH"), folder + "/bin:" _PATH_DEFPATH);
  // An environment may have a name twice. In another process, since the C library keeps what it is given.
  const pid_t child = ::fork();
  if (child == 0) {
    std::string first = "PATH=/first";
    std::string second = "PATH=/second";
    std::string other = "OTHER=x";
    char* both[] = {first.data(), other.data(), second.data(), nullptr};
    environ = both;
    enter_environment("/e");
    std::vector<std::string> left;
    for (char** one = environ; *one != nullptr; ++one) left.emplace_back(*one);
    std::sort(left.begin(), left.end());
    ::_exit(left == std::vector<std::string>{"OTHER=x", "PACHBUILD_ENV=/e", "PATH=/e/bin:/first"} ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ::unsetenv("PACHBUILD_ENV");
}

TEST(ParseExecutableFormat, KnowsScriptsByTheirFirstLine) {
  using Kind = ExecutableFormat::Kind;
  const struct {
    std::string text;
    Kind kind;
    std::string interpreter;
  } k_cases[] = {
      {"", Kind::empty, ""},
      {"#", Kind::other, ""},
      {"#!", Kind::script, ""},
      {"#!\n", Kind::script, ""},
      {"#! \t\n/next", Kind::script, ""},
      {"#!/bin/sh", Kind::script, "/bin/sh"},
      {"#!/bin/sh\n#!/bin/false\n", Kind::script, "/bin/sh"},
      {"#! \t /bin/sh -x y\n", Kind::script, "/bin/sh"},
      {"#!/bin/env\tpython3 -u\n", Kind::script, "/bin/env"},
      {"!#/bin/sh\n", Kind::other, ""},
      {" #!/bin/sh\n", Kind::other, ""},
      {"\x7f"
       "ELF",
       Kind::other, ""},
      {elf(ELFDATA2LSB, EM_ARM).substr(0, sizeof(Elf32_Ehdr) - 1), Kind::other, ""},
      {elf(ELFDATA2LSB, EM_ARM).substr(0, sizeof(Elf32_Ehdr)), Kind::elf, ""},
      {elf_program(EM_ARM, "/loader"), Kind::elf, "/loader"},
      {"\x7f"
       "ELG" +
           std::string(100, ' '),
       Kind::other, ""},
  };
  for (const auto& one : k_cases) {
    const auto format = parse_executable_format(one.text);
    EXPECT_EQ(format.kind, one.kind) << one.text;
    EXPECT_EQ(format.interpreter, one.interpreter) << one.text;
    EXPECT_EQ(format.machine, one.kind == Kind::elf ? "arm" : "") << one.text;
  }
}

// As Go names them (go tool dist list); the numbers are those of the processors' ABIs.
TEST(ParseExecutableFormat, NamesMachinesAsGoDoes) {
  const std::pair<std::uint16_t, std::string> k_names[] = {{62, "amd64"},
                                                           {183, "arm64"},
                                                           {3, "386"},
                                                           {40, "arm"},
                                                           {243, "riscv64"},
                                                           {21, "ppc64le"},
                                                           {22, "s390x"},
                                                           {258, "loong64"},
                                                           {2, "machine number 2"},
                                                           {0x0101, "machine number 257"}};
  for (const auto& [machine, name] : k_names) {
    EXPECT_EQ(parse_executable_format(elf(ELFDATA2LSB, machine)).machine, name);
    const auto swapped = static_cast<std::uint16_t>(machine << 8 | machine >> 8);
    EXPECT_EQ(parse_executable_format(elf(ELFDATA2MSB, swapped)).machine, name);
  }
}

TEST_F(Execute, OtherThanFilesHaveNoFormat) {
  EXPECT_EQ(read_executable_format(m_folder.path().string()).kind, ExecutableFormat::Kind::other);
  EXPECT_EQ(read_executable_format(m_folder.path().string() + "/none").kind, ExecutableFormat::Kind::other);
  const auto pipe = m_folder.path().string() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_executable_format(pipe).kind, ExecutableFormat::Kind::empty) << "and nobody waits";
}

TEST(ParseExecutableFormat, NamesMachinesOfBothByteOrders) {
  EXPECT_EQ(parse_executable_format(elf(ELFDATA2LSB, EM_RISCV)).machine, "riscv64");
  EXPECT_EQ(parse_executable_format(elf(ELFDATA2MSB, EM_S390 << 8)).machine, "s390x");
  EXPECT_EQ(parse_executable_format(elf(ELFDATA2LSB, 9999)).machine, "machine number 9999");
}

TEST(ParseExecutableFormat, FindsTheLoader) {
  EXPECT_NE(read_executable_format("/bin/sh").interpreter.find("/ld-"), std::string::npos);
}

TEST(ParseExecutableFormat, SurvivesEveryCutOfAProgram) {
  const auto program = base::read_file("/bin/sh").value().substr(0, 4096);
  for (std::size_t size = 0; size < program.size(); ++size) {
    const std::string head = program.substr(0, size);  // a copy, so that sanitizers see its end
    EXPECT_LE(parse_executable_format(head).interpreter.size(), size);
  }
}

}  // namespace
}  // namespace shim
