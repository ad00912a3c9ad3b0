// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/staging.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "contract/layout.h"
#include "pachbuild/local/output_tree.h"
#include "pachbuild/local/tree.h"

namespace local {
namespace {

namespace fs = base::fs;

constexpr mode_t k_folder_mode = 0700;
constexpr mode_t k_file_mode = 0644;

void add(base::Sha256& digest, const std::string& path, const struct stat& status) {
  digest.update_field(path);
  const auto number = [&](auto value) { digest.update_field(std::to_string(value)); };
  number(status.st_ino);
  number(status.st_mode);
  number(status.st_mtim.tv_sec);
  number(status.st_mtim.tv_nsec);
  if (S_ISDIR(status.st_mode)) return;  // moving a folder changes its own ctime
  number(status.st_size);
  number(status.st_ctim.tv_sec);
  number(status.st_ctim.tv_nsec);
}

base::Status add_folder(base::Sha256& digest, const fs::path& folder) {
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0)
    return base::fail(base::system_error("read", folder.string(), errno));
  add(digest, folder.filename().string(), status);
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (::lstat(entry->path().c_str(), &status) != 0) {
      return base::fail(base::system_error("read", entry->path().string(), errno));
    }
    if (S_ISDIR(status.st_mode)) {
      BASE_TRY(add_folder(digest, entry->path()));
    } else {
      add(digest, entry->path().filename().string(), status);
    }
  }
  if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
  return {};
}

void take_write_permission(const fs::path& folder) {
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    ::chmod(entry->path().c_str(), fs::is_directory(entry->path()) ? 0500 : 0444);
  }
  ::chmod(folder.c_str(), 0500);
}

}  // namespace

base::Result<std::string> fingerprint(const fs::path& folder) {
  base::Sha256 digest;
  BASE_TRY(add_folder(digest, folder));
  return digest.finish();
}

base::Status Staging::prepare(const Task& task) {
  BASE_TRY(secure_scratch());
  fs::path previous = m_pfs / ".scratch" / task.id;
  std::swap(previous, m_scratch);
  if (m_scratch == previous) {  // another try: what the first one did to its inputs must not show
    BASE_TRY(base::remove_tree(std::exchange(previous, {})));
    m_staged.clear();
  }
  BASE_TRY(base::make_folders(m_scratch, k_folder_mode));
  for (const auto& input : task.inputs) BASE_TRY(stage(input));
  if (!previous.empty()) BASE_TRY(base::remove_tree(previous));
  return clear_output();
}

base::Status Staging::stage(const TaskInput& input) {
  const fs::path folder = m_scratch / input.name;
  const auto previous = m_staged.find(input.name);
  if (previous != m_staged.end() && previous->second.version == input.version &&
      fingerprint(previous->second.folder).value_or("") == previous->second.fingerprint) {
    BASE_TRY(base::rename_path(previous->second.folder, folder));
    previous->second.folder = folder;
    return link(input.name);
  }
  BASE_TRY(base::make_folders(folder, k_folder_mode));
  BASE_TRY(copy_input(input, folder));
  if (input.read_only) take_write_permission(folder);
  if (!input.lazy) {  // a pipe can be read only once
    BASE_TRY_ASSIGN(auto seal, fingerprint(folder));
    m_staged[input.name] = {input.version, folder, std::move(seal)};
  }
  return link(input.name);
}

base::Status Staging::copy_input(const TaskInput& input, const fs::path& folder) {
  std::string last_parent;
  base::Sha256 listing;
  const auto copied =
      visit_files(input.root, input.path, [&](const std::string& path, const struct stat&) -> base::Status {
        listing.update_field(path);
        const fs::path target = folder / path;
        if (const auto parent = target.parent_path().string(); parent != last_parent) {
          BASE_TRY(base::make_folders(parent, k_folder_mode));
          last_parent = parent;
        }
        const std::string source = base::join_path(input.root, path);
        if (input.lazy) return m_lazy.add(source, target.string());
        if (input.empty_files) return base::write_file(target, "", k_file_mode);
        return base::copy_regular_file(source, target, k_file_mode);
      });
  BASE_TRY(copied);
  if (input.listing.empty() || listing.finish() == input.listing) return {};
  return base::fail(base::ErrorKind::step_failed, base::join_path(input.root, input.path),
                    "files were added or removed during the run");
}

base::Status Staging::link(const std::string& name) const {
  const std::string path = (m_pfs / name).string();
  const std::string target = (fs::path(contract::k_pfs) / ".scratch" / m_scratch.filename() / name).string();
  // The program may have put something else there.
  BASE_TRY(base::remove_tree(path));
  if (::symlink(target.c_str(), path.c_str()) != 0)
    return base::fail(base::system_error("create", path, errno));
  return {};
}

base::Status Staging::clear_output() {
  BASE_TRY(base::remove_tree(output()));
  BASE_TRY(base::make_folders(output(), k_folder_mode));
  BASE_TRY_ASSIGN(m_output, base::Folder::open_without_link(output(), contract::k_out));
  return link("out");
}

base::Result<base::Folder> Staging::open_output() const {
  auto folder = base::Folder::open_without_link(output(), contract::k_out);
  struct stat made{};
  struct stat found{};
  if (folder && ::fstat(m_output->descriptor(), &made) == 0 && ::fstat(folder->descriptor(), &found) == 0 &&
      made.st_ino == found.st_ino && made.st_dev == found.st_dev) {
    return folder;
  }
  return base::fail(output_replaced());
}

// A program may have put a link where the datums' folders are: what is staged would go to where it leads.
base::Status Staging::secure_scratch() const {
  const fs::path folder = m_pfs / ".scratch";
  struct stat status{};
  if (::lstat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) BASE_TRY(base::remove_tree(folder));
  return base::make_folders(folder, k_folder_mode);
}

}  // namespace local
