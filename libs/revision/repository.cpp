// SPDX-License-Identifier: Apache-2.0
#include "revision/repository.h"

#include <boost/filesystem/operations.hpp>

#include "base/text.h"

namespace revision {

namespace fs = base::fs;

std::optional<std::string> read_line(const fs::path& file) {
  const auto text = base::read_input_file(file);
  if (!text) return std::nullopt;
  return base::first_line(*text);
}

std::optional<Repository> find_repository(const fs::path& source) {
  boost::system::error_code error;
  for (fs::path folder = source; !folder.empty(); folder = folder.parent_path()) {
    fs::path own = folder / ".git";
    if (fs::is_regular_file(own, error)) {
      constexpr std::string_view k_link = "gitdir:";
      const auto line = read_line(own);
      if (!line || !line->starts_with(k_link)) continue;
      own = fs::absolute(fs::path(std::string(base::trim(std::string_view(*line).substr(k_link.size())))),
                         folder);
    }
    if (!fs::exists(own / "HEAD", error)) continue;
    fs::path common = own;
    if (const auto line = read_line(own / "commondir")) common = fs::absolute(fs::path(*line), own);
    if (fs::is_directory(common / "objects", error)) return Repository{folder, own, common};
  }
  return std::nullopt;
}

}  // namespace revision
