// SPDX-License-Identifier: Apache-2.0
#include "base/elf_needs.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

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

// A program of one segment that is loaded, one that names the loader, and the dynamic one.
struct Program {
  static constexpr std::uint64_t k_address = 0x400000;
  static constexpr std::uint64_t k_loaded_at = 1024;  // in the file
  static constexpr std::uint64_t k_loaded_size = 512;
  static constexpr std::uint64_t k_entries_at = 512;

  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Dyn> entries;
  std::string file = std::string(k_loaded_at + k_loaded_size, '\0');

  Program() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_phoff = sizeof header;
    add_segment(PT_INTERP, 448, 16);
    add_segment(PT_LOAD, k_loaded_at, k_loaded_size, k_address);
    file.replace(448, 10, "/lib/ld.so");
  }
  void add_segment(std::uint32_t type, std::uint64_t offset, std::uint64_t size, std::uint64_t address = 0) {
    Elf64_Phdr segment{};
    segment.p_type = type;
    segment.p_offset = offset;
    segment.p_filesz = size;
    segment.p_vaddr = address;
    segments.push_back(segment);
  }
  void add_entry(std::int64_t tag, std::uint64_t value) {
    Elf64_Dyn entry{};
    entry.d_tag = tag;
    entry.d_un.d_val = value;
    entries.push_back(entry);
  }
  void put(std::uint64_t at, const auto& value) { std::memcpy(file.data() + at, &value, sizeof value); }
  // With the dynamic segment behind the others.
  std::optional<ElfNeeds> needs(std::optional<std::size_t> count = {}) {
    add_segment(PT_DYNAMIC, k_entries_at, count.value_or(entries.size()) * sizeof(Elf64_Dyn));
    header.e_phnum = static_cast<Elf64_Half>(segments.size());
    put(0, header);
    for (std::size_t i = 0; i < segments.size(); ++i)
      put(sizeof header + i * sizeof(Elf64_Phdr), segments[i]);
    for (std::size_t i = 0; i < entries.size(); ++i) put(k_entries_at + i * sizeof(Elf64_Dyn), entries[i]);
    return elf_needs(file);
  }
};

using Libraries = std::vector<std::string>;

TEST(ElfNeeds, AreFoundByTheDynamicSegment) {
  Program program;
  program.file.replace(Program::k_loaded_at + 8, 12, std::string("a.so\0bb.so\0c", 12));
  program.add_entry(DT_NEEDED, 0);
  program.add_entry(DT_SONAME, 11);
  program.add_entry(DT_STRTAB, Program::k_address + 8);
  program.add_entry(DT_NEEDED, 5);
  program.add_entry(DT_NULL, 0);
  program.add_entry(DT_NEEDED, 1);
  const auto needs = program.needs().value();
  EXPECT_EQ(needs.loader, "/lib/ld.so");
  EXPECT_EQ(needs.libraries, (Libraries{"a.so", "bb.so"}));
}

TEST(ElfNeeds, EndWithTheDynamicSegment) {
  for (const std::size_t count : {1U, 2U, 3U}) {
    Program program;
    program.file.replace(Program::k_loaded_at, 2, std::string("a\0", 2));
    program.add_entry(DT_STRTAB, Program::k_address);
    program.add_entry(DT_NEEDED, 0);
    program.add_entry(DT_NEEDED, 0);
    EXPECT_EQ(program.needs(count).value().libraries, Libraries(count - 1, "a"));
  }
}

TEST(ElfNeeds, TheTableOfTextsIsInWhatIsLoaded) {
  const auto libraries = [](std::uint64_t table, std::uint64_t name) {
    Program program;
    program.file.replace(Program::k_loaded_at, Program::k_loaded_size,
                         std::string(Program::k_loaded_size, 'x'));
    program.add_entry(DT_STRTAB, table);
    program.add_entry(DT_NEEDED, name);
    return program.needs().value().libraries;
  };
  const std::uint64_t first = Program::k_address;
  const std::uint64_t last = first + Program::k_loaded_size - 1;
  EXPECT_EQ(libraries(first, 0), Libraries{std::string(Program::k_loaded_size, 'x')});
  EXPECT_EQ(libraries(first, Program::k_loaded_size - 1), Libraries{"x"});
  EXPECT_EQ(libraries(first, Program::k_loaded_size), Libraries{""}) << "behind the end of the file";
  EXPECT_EQ(libraries(last, 0), Libraries{"x"});
  EXPECT_EQ(libraries(last + 1, 0), Libraries{});
  EXPECT_EQ(libraries(first - 1, 0), Libraries{});
  const std::uint64_t size = Program::k_loaded_at + Program::k_loaded_size;
  EXPECT_EQ(libraries(first, size - 1), Libraries{""});
  EXPECT_EQ(libraries(first, size), Libraries{}) << "no file has such a name";
}

// Of which the segment says that it goes on behind the end of the file.
TEST(ElfNeeds, ATableOfTextsBehindTheEndOfTheFileIsNone) {
  for (const std::uint64_t behind :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4096}, ~std::uint64_t{0} - 8192}) {
    Program program;
    program.segments[1].p_offset = program.file.size() + behind;
    program.add_entry(DT_STRTAB, Program::k_address);
    program.add_entry(DT_NEEDED, 1);
    EXPECT_EQ(program.needs().value().libraries, behind == 0 ? Libraries{""} : Libraries{}) << behind;
  }
}

TEST(ElfNeeds, WithoutATableOfTextsNoLibraryHasAName) {
  Program program;
  program.add_entry(DT_NEEDED, 1);
  EXPECT_EQ(program.needs().value().libraries, Libraries{});
}

TEST(ElfNeeds, OnlyALoadedSegmentHasAddresses) {
  Program program;
  program.segments.clear();
  program.add_segment(PT_NOTE, 0, 4096, Program::k_address);
  program.add_segment(PT_LOAD, Program::k_loaded_at, 16, Program::k_address - 16);
  program.add_segment(PT_LOAD, Program::k_loaded_at + 16, 16, Program::k_address);
  program.file.replace(Program::k_loaded_at + 20, 1, "b");
  program.add_entry(DT_STRTAB, Program::k_address + 4);
  program.add_entry(DT_NEEDED, 0);
  const auto needs = program.needs().value();
  EXPECT_EQ(needs.libraries, Libraries{"b"});
  EXPECT_EQ(needs.loader, "");
}

TEST(ElfNeeds, ATextIsNoLongerThanAPath) {
  for (const std::size_t size : {4094U, 4095U, 4096U}) {
    Program program;
    program.segments[0].p_offset = program.file.size();
    program.file += std::string(size, 'x') + '\0' + "more";
    EXPECT_EQ(program.needs().value().loader, size < 4096 ? std::string(size, 'x') : "") << size;
  }
  Program program;
  program.segments[0].p_offset = program.file.size();
  program.file += "to the end";
  EXPECT_EQ(program.needs().value().loader, "to the end");
  Program outside;
  outside.segments[0].p_offset = outside.file.size();
  EXPECT_EQ(outside.needs().value().loader, "");
}

TEST(ElfNeeds, OfAnotherKindOfProgramAreNone) {
  const auto is_read = [](std::size_t at, unsigned char byte) {
    Program program;
    program.header.e_ident[at] = byte;
    return program.needs().has_value();
  };
  EXPECT_TRUE(is_read(EI_CLASS, ELFCLASS64));
  EXPECT_FALSE(is_read(EI_CLASS, ELFCLASS32));
  EXPECT_FALSE(is_read(EI_DATA, ELFDATA2MSB));
  for (std::size_t at = 0; at < SELFMAG; ++at) EXPECT_FALSE(is_read(at, 'x')) << at;
  Program program;
  ASSERT_TRUE(program.needs());
  EXPECT_TRUE(elf_needs(std::string_view(program.file).substr(0, sizeof(Elf64_Ehdr))));
  EXPECT_FALSE(elf_needs(std::string_view(program.file).substr(0, sizeof(Elf64_Ehdr) - 1)));
}

TEST(ElfNeeds, ASegmentThatIsCutOffIsNone) {
  // The headers alone, of which the last is cut off; the loader's name stands where the first one says.
  Program short_one;
  short_one.segments.clear();
  const std::size_t behind = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  short_one.add_segment(PT_INTERP, 1, 3);
  ASSERT_TRUE(short_one.needs());
  EXPECT_EQ(elf_needs(std::string_view(short_one.file).substr(0, behind - 1)).value().loader, "ELF\x02\x01");
  EXPECT_EQ(elf_needs(std::string_view(short_one.file).substr(0, sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr)))
                .value()
                .loader,
            "ELF\x02\x01");
  EXPECT_EQ(elf_needs(std::string_view(short_one.file).substr(0, sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) - 1))
                .value()
                .loader,
            "");
}

}  // namespace
}  // namespace base
