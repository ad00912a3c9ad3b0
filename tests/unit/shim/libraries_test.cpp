// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/libraries.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/files.h"
#include "tests/unit/shim/elf.h"

namespace shim {
namespace {

// A loader that notes how it is asked, and says what two files beside it say, to standard output and error.
// It is that of musl: that of glibc is asked by a variable that means its own shell.
class CheckLibraries : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  void write(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(base::write_file(path(name), content, 0755));
  }
  void write_loader(const std::string& out, const std::string& err = "") const {
    write("out", out);
    write("err", err);
    write("ld-musl-x.so.1", "#!/bin/sh\necho \"${LD_TRACE_LOADED_OBJECTS-none} $*\" >'" + path("asked") +
                                "'\ncat '" + path("out") + "'\ncat '" + path("err") + "' >&2\n");
  }
  // How the loader was asked.
  [[nodiscard]] std::string asked() const { return base::read_file(path("asked")).value_or("not asked"); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "libraries.").value();
};

std::string told_of(const base::Status& status) { return status ? "" : base::format_error(status.error()); }

std::string lacks(const std::string& missing) {
  return "error: main: needs libraries that this image lacks: " + missing +
         "\nhint: install them in the transform's image, or build in an image with the same libraries; a Go "
         "program without cgo needs none (CGO_ENABLED=0)\n";
}

TEST_F(CheckLibraries, WhatALoaderSaysIsMissingIsNamed) {
  const struct {
    const char* said;
    const char* missing;
  } k_cases[] = {
      {"\tlibodd.so.1 => not found\n", "libodd.so.1"},
      {"\tlinux-vdso.so.1 (0x0)\n\tlibc.so.6 => /lib/libc.so.6 (0x0)\n", ""},
      {"\tliba.so => not found\n\tlibc.so.6 => /lib/libc.so.6\n\tlibb.so => not found\n", "liba.so, libb.so"},
      {"Error loading shared library libodd.so.1: No such file or directory (needed by /p)\n", "libodd.so.1"},
      {"x: Error loading shared library libodd.so.2: No such file or directory (needed by /p)\n",
       "libodd.so.2"},
      {"/p: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /p)\n",
       "GLIBC_2.38 of /lib/libc.so.6"},
      {"/lib/libc.so.6: version `GLIBC_2.38' not found (required by /p)\n", "GLIBC_2.38 of /lib/libc.so.6"},
      {"not found\nError: symbol not found\n", ""},
      {"", ""},
  };
  write("main", elf_program(k_this_machine, path("ld-musl-x.so.1")));
  for (const auto& one : k_cases) {
    for (const bool is_error : {false, true}) {
      write_loader(is_error ? "" : one.said, is_error ? one.said : "");
      const std::string missing = one.missing;
      EXPECT_EQ(told_of(check_libraries(path("main"))), missing.empty() ? "" : lacks(missing)) << one.said;
      EXPECT_EQ(asked(), "none --list " + path("main") + "\n");
    }
  }
  write_loader("\tliba.so => not found\n", "Error loading shared library libb.so: x\n");
  EXPECT_EQ(told_of(check_libraries(path("main"))), lacks("liba.so, libb.so"));
  EXPECT_EQ(check_libraries(path("main")).error().kind, base::ErrorKind::unavailable);
}

TEST_F(CheckLibraries, ThatOfGlibcIsAskedForWhatAProgramNeeds) {
  std::string shell = base::read_file("/bin/sh").value();
  write("main", shell);
  EXPECT_EQ(told_of(check_libraries(path("main"))), "");
  const std::string name = "libc.so.6";
  ASSERT_NE(shell.find(name), std::string::npos);
  for (auto at = shell.find(name); at != std::string::npos; at = shell.find(name, at)) shell[at + 3] = 'q';
  write("main", shell);
  EXPECT_EQ(told_of(check_libraries(path("main"))), lacks("libq.so.6"));
}

TEST_F(CheckLibraries, OnlyProgramsOfThisMachineWithALoaderAreAskedFor) {
  write_loader("\tlibodd.so.1 => not found\n");
  const auto loader = path("ld-musl-x.so.1");
  write("static", elf_program(k_this_machine, ""));
  write("other", elf_program(k_other_machine, loader));
  write("script", "#!" + loader + "\n");
  write("whole", elf_program(k_this_machine, loader));
  boost::filesystem::create_symlink("whole", path("link"));
  write("without", elf_program(k_this_machine, path("none")));
  for (const std::string name : {"static", "other", "script", "link", "without", "missing", "."}) {
    EXPECT_TRUE(check_libraries(path(name))) << name;
    EXPECT_EQ(asked(), "not asked") << name;
  }
  EXPECT_FALSE(check_libraries(path("whole")));
}

}  // namespace
}  // namespace shim
