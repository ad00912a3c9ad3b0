// SPDX-License-Identifier: Apache-2.0
// What PFS takes as the path of a file: ValidateFilename in src/internal/storage/paths.go of Pachyderm 2.12.
// ("." and ".." cannot come from a folder's listing.)
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace contract {

inline constexpr char k_pfs_names_hint[] = "names must be printable ASCII without * ? [ ] { } ! ( ) @ + ^";

constexpr bool can_be_in_pfs_name(char character) {
  constexpr std::string_view k_glob_characters = "*?[]{}!()@+^";
  return character >= ' ' && character <= '~' && !base::contains(k_glob_characters, character);
}

constexpr bool can_be_stored_in_pfs(std::string_view path) {
  return std::all_of(path.begin(), path.end(), can_be_in_pfs_name);
}

// The characters of the path that are in the way, each once: "[ ]", "ä".
inline std::string wrong_in_pfs(std::string_view path) {
  std::vector<std::string> wrong;
  while (!path.empty()) {
    const std::size_t length = std::max<std::size_t>(base::utf8_length(path), 1);
    const std::string character(path.substr(0, length));
    if (!can_be_in_pfs_name(character[0]) && std::find(wrong.begin(), wrong.end(), character) == wrong.end())
      wrong.push_back(character);
    path.remove_prefix(length);
  }
  return base::join(wrong, " ");
}

// What is wrong with `paths`, which cannot be stored, the first `most` of them by name: "invalid file name
// for PFS: "a[1]" contains [ ]".
inline std::string invalid_names(std::vector<std::string> paths, std::size_t most) {
  const std::size_t count = paths.size();
  if (count > most) paths.resize(most);
  for (auto& path : paths) path = base::quoted(path) + " contains " + wrong_in_pfs(path);
  return (count == 1 ? "invalid file name" : std::to_string(count) + " invalid file names") +
         " for PFS: " + base::join(paths, ", ") +
         (count > most ? " and " + std::to_string(count - most) + " more" : "");
}

// The error about `paths` below `folder`, which cannot be stored. `remedy` is what to do with them.
inline base::Error names_fault(const std::string& folder, std::vector<std::string> paths,
                               const std::string& remedy) {
  constexpr std::size_t k_most_listed = 50;
  std::sort(paths.begin(), paths.end());
  return {base::ErrorKind::bad_input, folder, invalid_names(std::move(paths), k_most_listed),
          std::string(k_pfs_names_hint) + "; " + remedy};
}

}  // namespace contract
