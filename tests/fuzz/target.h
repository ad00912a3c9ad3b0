// SPDX-License-Identifier: Apache-2.0
// What makes a function a fuzz target, and what targets have in common. A target checks what must hold for
// any input, with require().
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"

#define FUZZ_TARGET(name, input)                                  \
  static void name(std::string_view input);                       \
  static const bool name##_added = fuzz::add_target(#name, name); \
  static void name(std::string_view input)

namespace fuzz {

bool add_target(const std::string& name, void (*target)(std::string_view));

// Ends the program where what must hold does not, and says where that is.
inline void require(bool condition, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (condition) return;
  std::fprintf(stderr, "%s:%d: does not hold\n", file, line);
  std::abort();
}

// An error that a person gets: it is nobody's bug, says something, and its lines are short and printable.
inline void require_readable(const base::Error& error) {
  require(error.kind != base::ErrorKind::bug);
  require(!error.what.empty());
  const std::string text = base::format_error(error);
  require(text.size() <= 3 * 4 * base::k_longest_message + 64);
  const auto lines = base::split(text, '\n');
  require(lines.back().empty() && lines.size() == (error.hint.empty() ? 2U : 3U));
  for (const auto& line : lines) require(base::printable(line) == line);
}

// Takes the first byte of `input`, which chooses one of `count` things to do: "0" the first.
inline std::size_t take_choice(std::string_view& input, std::size_t count) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front() - '0');
  input.remove_prefix(1);
  return byte % count;
}

// The parts of an input between bytes that are in no text: `count` of them, the last ones empty when there
// are fewer.
inline std::vector<std::string> parts_of_input(std::string_view input, std::size_t count) {
  auto parts = base::split(input, '\xff');
  parts.resize(count);
  return parts;
}

// A folder of this process, and files in it that are written anew for each input.
class Folder {
 public:
  Folder() : m_folder(base::TemporaryFolder::make(base::fs::path(temporary()), "fuzz.").value()) {}

  [[nodiscard]] const base::fs::path& path() const { return m_folder.path(); }

  // Makes the folders above the file as well.
  void write(const std::string& name, std::string_view content) const;
  // Removes all that is in it.
  void clear() const;

 private:
  static const char* temporary() {
    const char* const chosen = std::getenv("TMPDIR");
    return chosen == nullptr ? "/tmp" : chosen;
  }
  base::TemporaryFolder m_folder;
};

}  // namespace fuzz
