// SPDX-License-Identifier: Apache-2.0
// What a program in the ELF format (elf(5)) needs of the machine that starts it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

struct ElfNeeds {
  std::string loader;                  // "/lib64/ld-linux-x86-64.so.2"; empty when it is static
  std::vector<std::string> libraries;  // by name, in its order: "libc.so.6"
  bool operator==(const ElfNeeds&) const = default;
};

// Reads it from the bytes of a file, or of its beginning: what lies behind the end is not told. Nothing for
// what is not a 64-bit little-endian ELF file.
std::optional<ElfNeeds> elf_needs(std::string_view file);

}  // namespace base
