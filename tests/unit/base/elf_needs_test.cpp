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
  const std::string head = read_file("/bin/sh").value().substr(0, 4096);
  EXPECT_EQ(elf_needs(head).value(), (ElfNeeds{elf_needs(read_file("/bin/sh").value())->loader, {}}));
}

TEST(ElfNeeds, OfOtherFilesAreNone) {
  EXPECT_EQ(elf_needs(""), std::nullopt);
  EXPECT_EQ(elf_needs("#!/bin/sh\n"), std::nullopt);
  EXPECT_EQ(elf_needs(std::string(64, '\0')), std::nullopt);
}

// What a program may be that somebody made for us.
TEST(ElfNeeds, DamageIsNoCrash) {
  const std::string shell = read_file("/bin/sh").value();
  for (std::size_t i = 0; i < 1024; ++i) {
    for (const char byte : {'\0', '\x7f', '\xff'}) {
      std::string damaged = shell.substr(0, 70'000);
      damaged.at(i) = byte;
      static_cast<void>(elf_needs(damaged));
    }
  }
}

}  // namespace
}  // namespace base
