// SPDX-License-Identifier: Apache-2.0
// What --check tells of build.json. A JSON library would add 0.1 MB to this program (0.9 MB with the locales
// that it takes), and the file's bytes are fixed (contract/build_record.h): sorted keys, one a line, two
// spaces a level.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shim {

struct RecordLines {
  std::string builder;
  std::string version;
  std::string os;
  std::string architecture;
  std::string libc;
  std::string interpreter;
  std::vector<std::string> command;
  bool has_bundle = false;
  // Of all bundles together.
  std::uint64_t bytes = 0;
  std::uint64_t unpacked_bytes = 0;
  std::uint64_t files = 0;
};

// Nothing for a text that is not of that form and schema.
std::optional<RecordLines> read_record_lines(const std::string& text);

}  // namespace shim
