// SPDX-License-Identifier: Apache-2.0
#include "base/elf_needs.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

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

// A program made so that reading it takes for ever: many segments that are each the dynamic one, and many
// entries that each name the same text without an end.
TEST(ElfNeeds, OfAHostileFileAreReadInTime) {
  constexpr std::uint16_t k_segments = 60'000;
  constexpr std::size_t k_size = std::size_t{8} << 20;
  constexpr std::uint64_t k_entries_at = std::size_t{4} << 20;
  std::string file(k_size, 'x');
  const auto put = [&](std::uint64_t at, const auto& value) {
    std::memcpy(file.data() + at, &value, sizeof value);
  };
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_phoff = sizeof header;
  header.e_phnum = k_segments;
  put(0, header);
  for (unsigned i = 0; i < k_segments; ++i) {
    Elf64_Phdr segment{};
    segment.p_type = i == 0 ? PT_LOAD : PT_DYNAMIC;
    segment.p_offset = i == 0 ? 0 : k_entries_at;
    segment.p_filesz = k_size;
    put(sizeof header + i * sizeof segment, segment);
  }
  for (std::uint64_t at = k_entries_at; at + sizeof(Elf64_Dyn) <= k_size; at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry{};
    entry.d_tag = at == k_entries_at ? DT_STRTAB : DT_NEEDED;
    entry.d_un.d_val = at == k_entries_at ? 0 : k_entries_at - 100'000;
    put(at, entry);
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto needs = elf_needs(file).value();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_FALSE(needs.libraries.empty());
  for (const auto& library : needs.libraries) ASSERT_EQ(library, "") << "it is longer than any name";
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
