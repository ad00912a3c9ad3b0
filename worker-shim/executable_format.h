// SPDX-License-Identifier: Apache-2.0
// What kind of program a file is, read from its first bytes; for the explanation of a failed exec only.
#pragma once

#include <string>
#include <string_view>

namespace shim {

struct ExecutableFormat {
  enum class Kind { empty, script, elf, other };
  Kind kind = Kind::other;
  std::string machine;      // of an ELF file, as Go and OCI name it: "amd64", "arm64"
  std::string interpreter;  // of a script's first line, or the loader of an ELF file; may be empty
};

ExecutableFormat read_executable_format(const std::string& path);

// The same from the first bytes of a file.
ExecutableFormat parse_executable_format(std::string_view head);

// What this program was compiled for.
std::string own_machine();

}  // namespace shim
