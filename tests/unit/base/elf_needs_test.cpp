// SPDX-License-Identifier: Apache-2.0
#include "base/elf_needs.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace base {
namespace {

TEST(ElfNeeds, AreTheLoaderAndTheLibrariesOfAProgram) {
  const std::string shell = read_file("/bin/sh").value();
  const auto needs = elf_needs(shell).value();
  EXPECT_NE(needs.loader.find("/ld-"), std::string::npos) << needs.loader;
  EXPECT_NE(std::find(needs.libraries.begin(), needs.libraries.end(), "libc.so.6"), needs.libraries.end());
}

TEST(ElfNeeds, OfTheBeginningOfAFileAreWhatIsThere) {
  const std::string shell = read_file("/bin/sh").value();
  // The loader's name stands behind the headers, the libraries' names far behind it.
  const auto needs = elf_needs(std::string_view(shell).substr(0, 4096)).value();
  EXPECT_TRUE(needs.loader.starts_with("/lib")) << needs.loader;
  EXPECT_NE(shell.substr(0, 4096).find(needs.loader), std::string::npos);
  EXPECT_EQ(needs.libraries, std::vector<std::string>());
  EXPECT_EQ(elf_needs(std::string_view(shell).substr(0, 64)).value(), ElfNeeds());
}

TEST(ElfNeeds, OfOtherFilesAreNone) {
  EXPECT_EQ(elf_needs(""), std::nullopt);
  EXPECT_EQ(elf_needs("#!/bin/sh\n"), std::nullopt);
  EXPECT_EQ(elf_needs(std::string(64, '\0')), std::nullopt);
}

// What a program may be that somebody made for us: whatever is found is inside the file.
TEST(ElfNeeds, OfADamagedFileAreInTheFile) {
  const std::string shell = read_file("/bin/sh").value();
  const auto whole = elf_needs(shell).value();
  int same = 0;
  int others = 0;
  std::string damaged = shell;
  for (std::size_t i = 0; i < 1024; ++i) {
    for (const char byte : {'\0', '\x7f', '\xff'}) {
      damaged.at(i) = byte;
      // A copy of that size exactly, so that sanitizers see its end.
      const std::vector<char> bytes(damaged.begin(), damaged.end());
      const auto needs = elf_needs({bytes.data(), bytes.size()});
      damaged.at(i) = shell.at(i);
      ++(needs == whole ? same : others);
      if (!needs) continue;
      ASSERT_LE(needs->loader.size(), damaged.size()) << i;
      for (const auto& library : needs->libraries) {
        ASSERT_EQ(library.find('\0'), std::string::npos) << i;
        ASSERT_NE(std::string_view(bytes.data(), bytes.size()).find(library), std::string::npos) << i;
      }
    }
  }
  EXPECT_GT(same, 1000) << "bytes that decide nothing";
  EXPECT_GT(others, 50) << "bytes that decide";
}

}  // namespace
}  // namespace base
