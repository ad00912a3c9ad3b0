// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/exec.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <cstring>

#include "base/errors.h"
#include "base/files.h"
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
  EXPECT_EQ(failure(""), "127 error: the command is an empty text\n");
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
                "hint: begin a shell script with #!/bin/sh\n");
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
