// SPDX-License-Identifier: Apache-2.0
#include "base/elf_needs.h"

#include <elf.h>

#include <climits>
#include <cstdint>
#include <cstring>

namespace base {
namespace {

// The structure at `offset`, if all of it is there.
template <class T>
std::optional<T> structure_at(std::string_view file, std::uint64_t offset) {
  T result;
  if (offset > file.size() || file.size() - offset < sizeof(T)) return std::nullopt;
  std::memcpy(&result, file.data() + offset, sizeof(T));
  return result;
}

// Empty for a text that is longer than any path: thousands of entries can name the same one.
std::string text_at(std::string_view file, std::uint64_t offset) {
  if (offset >= file.size()) return {};
  file = file.substr(offset, PATH_MAX);
  const auto end = file.find('\0');
  if (end == std::string_view::npos && file.size() == PATH_MAX) return {};
  return std::string(file.substr(0, end));
}

std::vector<Elf64_Phdr> segments_of(std::string_view file, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> segments;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const std::uint64_t offset = header.e_phoff + std::uint64_t{i} * sizeof(Elf64_Phdr);
    if (const auto segment = structure_at<Elf64_Phdr>(file, offset)) segments.push_back(*segment);
  }
  return segments;
}

// Where in the file is what the program finds at `address`.
std::optional<std::uint64_t> offset_of(const std::vector<Elf64_Phdr>& segments, std::uint64_t address) {
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      return segment.p_offset + (address - segment.p_vaddr);
    }
  }
  return std::nullopt;
}

std::vector<std::string> libraries_of(std::string_view file, const std::vector<Elf64_Phdr>& segments,
                                      const Elf64_Phdr& dynamic) {
  std::vector<std::uint64_t> names;  // offsets into the table of strings
  std::optional<std::uint64_t> table;
  for (std::uint64_t at = 0; at < dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
    const auto entry = structure_at<Elf64_Dyn>(file, dynamic.p_offset + at);
    if (!entry || entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_NEEDED) names.push_back(entry->d_un.d_val);
    if (entry->d_tag == DT_STRTAB) table = offset_of(segments, entry->d_un.d_ptr);
  }
  std::vector<std::string> libraries;
  if (!table || *table > file.size()) return libraries;
  for (const auto name : names) {
    if (name < file.size()) libraries.push_back(text_at(file, *table + name));
  }
  return libraries;
}

}  // namespace

std::optional<ElfNeeds> elf_needs(std::string_view file) {
  const auto header = structure_at<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB) return std::nullopt;
  const auto segments = segments_of(file, *header);
  ElfNeeds needs;
  const Elf64_Phdr* dynamic = nullptr;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_INTERP) needs.loader = text_at(file, segment.p_offset);
    if (segment.p_type == PT_DYNAMIC) dynamic = &segment;
  }
  // Once, however many segments say that they are it.
  if (dynamic != nullptr) needs.libraries = libraries_of(file, segments, *dynamic);
  return needs;
}

}  // namespace base
