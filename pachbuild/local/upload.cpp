// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/upload.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/local/tree.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// How many of the faulty names an error lists.
constexpr std::size_t k_names_shown = 5;

// The program's name for a path below `output`.
std::string shown(const fs::path& output, const fs::path& path) {
  return "/pfs/out/" + path.lexically_relative(output).string();
}

// Puts the files that the link at `path` leads to in its place.
base::Status replace_link(const fs::path& output, const fs::path& path) {
  const fs::path copy = path.string() + ".pachbuild-link";
  const auto copied =
      visit_files(path.string(), "", [&](const std::string& file, const struct stat&) -> base::Status {
        const fs::path target = file.empty() ? copy : copy / file;
        BASE_TRY(base::make_folders(target.parent_path(), 0700));
        return base::copy_regular_file(join_path(path.string(), file), target, 0644);
      });
  if (!copied) {
    const bool dangling = ::access(path.c_str(), F_OK) != 0 && errno == ENOENT;
    if (dangling) {
      return base::fail(ErrorKind::step_failed, shown(output, path), "is a link to nothing",
                        "links in /pfs/out are followed when the datum ends");
    }
    return copied;
  }
  BASE_TRY(base::remove_tree(path));
  boost::system::error_code error;
  if (!fs::exists(copy, error)) return {};  // a folder without files
  return base::rename_path(copy, path);
}

base::Status clean(const fs::path& output, const fs::path& folder, std::vector<std::string>& invalid) {
  std::vector<fs::path> entries;
  boost::system::error_code error;
  ::chmod(folder.c_str(), 0700);
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path());
  }
  if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
  std::sort(entries.begin(), entries.end());
  for (const auto& entry : entries) {
    if (!is_valid_in_pfs(entry.filename().string())) invalid.push_back(shown(output, entry));
    struct stat status{};
    if (::lstat(entry.c_str(), &status) != 0)
      return base::fail(base::system_error("read", entry.string(), errno));
    if (S_ISDIR(status.st_mode)) {
      BASE_TRY(clean(output, entry, invalid));
    } else if (S_ISLNK(status.st_mode)) {
      BASE_TRY(replace_link(output, entry));
    } else if (S_ISREG(status.st_mode)) {
      ::chmod(entry.c_str(), 0644);
    } else {
      return base::fail(ErrorKind::step_failed, shown(output, entry), "is not a file");
    }
  }
  if (folder != output) ::rmdir(folder.c_str());  // if it is empty
  return {};
}

}  // namespace

bool is_valid_in_pfs(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char character) {
    constexpr std::string_view k_refused = "*?[]{}!()@+^";
    return character >= ' ' && character <= '~' && k_refused.find(character) == std::string_view::npos;
  });
}

base::Status make_uploadable(const fs::path& output) {
  std::vector<std::string> invalid;
  BASE_TRY(clean(output, output, invalid));
  if (invalid.empty()) return {};
  std::string others;
  if (invalid.size() > k_names_shown) {
    others = " and " + base::count_of(invalid.size() - k_names_shown, "other");
    invalid.resize(k_names_shown);
  }
  return base::fail(ErrorKind::step_failed, base::join(invalid, ", ") + others,
                    "not a name that PFS can hold", "use printable ASCII without * ? [ ] { } ! ( ) @ + ^");
}

}  // namespace local
