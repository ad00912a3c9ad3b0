// SPDX-License-Identifier: Apache-2.0
// What git leaves in a folder: the lines of a .gitignore with a path, or an index.
#include <algorithm>

#include "pachbuild/source/git_ignore.h"
#include "revision/tracked_files.h"
#include "tests/fuzz/target.h"

namespace {

void read_lines(std::string_view input) {
  const auto parts = fuzz::parts_of_input(input, 2);
  const std::string& text = parts[0];
  const std::string& path = parts[1];
  const auto lines = source::GitIgnore::parse(text);
  const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  fuzz::require(lines.size() <= count);
  for (const auto& line : lines) {
    fuzz::require(line.number > 0 && line.number <= count);
    fuzz::require(text.find(line.text) != std::string::npos);
    const auto& pattern = line.glob.pattern();
    // A pattern without special characters matches itself and nothing else.
    const bool is_plain = pattern.find_first_of("*?[\\") == std::string::npos;
    fuzz::require(!is_plain || line.glob.matches(path) == (pattern == path));
    if (line.glob.matches(path)) fuzz::require(path.starts_with(line.glob.literal_prefix()));
  }
}

void read_index(std::string_view input, std::size_t hash_size) {
  const auto index = revision::parse_index(input, hash_size);
  if (!index) return;
  std::size_t bytes = 0;
  for (const auto& path : index->paths) {
    fuzz::require(!path.empty() && path.find('\0') == std::string::npos);
    bytes = std::max(bytes, path.size());
  }
  fuzz::require(bytes <= input.size());
  fuzz::require(index->base.find('/') == std::string::npos);
}

}  // namespace

FUZZ_TARGET(git_fuzz, input) {
  constexpr std::size_t k_ways = 3;
  constexpr std::size_t k_sha1 = 20;
  constexpr std::size_t k_sha256 = 32;
  switch (fuzz::take_choice(input, k_ways)) {
    case 0:
      return read_lines(input);
    case 1:
      return read_index(input, k_sha1);
    default:
      return read_index(input, k_sha256);
  }
}
