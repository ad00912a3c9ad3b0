// SPDX-License-Identifier: Apache-2.0
// What PFS takes as the path of a file: ValidateFilename in src/internal/storage/paths.go of Pachyderm 2.12.
// ("." and ".." cannot come from a folder's listing.)
#pragma once

#include <algorithm>
#include <string_view>

namespace contract {

inline constexpr char k_pfs_names_hint[] = "names are printable ASCII without * ? [ ] { } ! ( ) @ + ^";

constexpr bool can_be_stored_in_pfs(std::string_view path) {
  constexpr std::string_view k_glob_characters = "*?[]{}!()@+^";
  return std::all_of(path.begin(), path.end(), [&](char character) {
    return character >= ' ' && character <= '~' &&
           k_glob_characters.find(character) == std::string_view::npos;
  });
}

}  // namespace contract
