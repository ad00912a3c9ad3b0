// SPDX-License-Identifier: Apache-2.0
#include "contract/builders.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>

#include "contract/layout.h"

namespace contract {
namespace {

namespace fs = base::fs;

constexpr std::size_t k_longest_name = 40;

bool is_letter(char character) { return character >= 'a' && character <= 'z'; }
bool is_digit(char character) { return character >= '0' && character <= '9'; }

bool is_folder_of_caches(std::string_view name) {
  return std::find(k_cache_folders.begin(), k_cache_folders.end(), name) != k_cache_folders.end();
}

}  // namespace

bool is_builder_name(std::string_view name) {
  return !name.empty() && name.size() <= k_longest_name && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-'; }) &&
         !is_folder_of_caches(name);
}

fs::path builders_folder(const fs::path& own) {
  return own.parent_path() / "share" / "pachbuild" / "builders";
}

std::vector<std::string> installed_builders(const fs::path& folder) {
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    boost::system::error_code unreadable;
    if (is_builder_name(name) && fs::is_regular_file(entry->path() / k_builder_file, unreadable))
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace contract
