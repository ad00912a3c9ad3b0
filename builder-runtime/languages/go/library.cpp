// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/library.h"

#include <boost/filesystem/operations.hpp>
#include <cstdint>
#include <ctime>
#include <vector>

#include "base/errors.h"
#include "base/parallel.h"
#include "base/trusted_folder.h"
#include "base/workspace.h"
#include "builder-runtime/settings.h"

namespace builder::go {
namespace {

namespace fs = base::fs;

constexpr mode_t k_file_mode = 0644;
// The library takes 0.2 GB; the program and its modules need room as well.
constexpr std::uintmax_t k_least_room = std::uintmax_t{1} << 30;
// cmd/go/internal/cache: the seconds of the last look, in decimal digits.
constexpr char k_last_look[] = "trim.txt";

// Go's cache is files in folders; there are no links in it.
base::Status copy_cache(const fs::path& from, const fs::path& to) {
  std::vector<fs::path> files;
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(from, error), end; entry != end; entry.increment(error)) {
    const fs::path below = entry->path().lexically_relative(from);
    const auto type = entry->symlink_status(error).type();
    if (type == fs::directory_file) BASE_TRY(base::make_folders(to / below, base::k_owner_writes));
    if (type == fs::regular_file) files.push_back(below);
  }
  if (error) return base::fail(base::system_error("read", from.string(), error.value()));
  return base::in_parallel(files.size(), [&](std::size_t i) {
    return base::copy_regular_file(from / files[i], to / files[i], k_file_mode);
  });
}

}  // namespace

base::Status take_compiled_library(const fs::path& of_image, const fs::path& compiled) {
  boost::system::error_code error;
  if (fs::exists(compiled, error) || !fs::is_directory(of_image, error)) return {};
  // What another user could have put there is not taken.
  if (!base::open_trusted_folder(of_image.string(), ::geteuid())) return {};
  BASE_TRY(base::make_folders(compiled.parent_path(), base::k_owner_writes));
  if (fs::space(compiled.parent_path(), error).available < k_least_room) return {};
  BASE_TRY_ASSIGN(const auto workspace, base::Workspace::make(compiled.parent_path(), "library-"));
  const fs::path fresh = workspace.path() / "copy";
  BASE_TRY(base::make_folders(fresh, base::k_owner_writes));
  BASE_TRY(copy_cache(of_image, fresh));
  // Another build may have been faster, and has used its own since.
  if (!fs::exists(compiled, error)) static_cast<void>(base::rename_path(fresh, compiled));
  return {};
}

void put_off_trimming(const fs::path& compiled) {
  boost::system::error_code error;
  if (!fs::is_directory(compiled, error) || fs::exists(compiled / k_last_look, error)) return;
  static_cast<void>(base::write_file(compiled / k_last_look, std::to_string(::time(nullptr))));
}

}  // namespace builder::go
