// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/staging.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <map>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"
#include "pachbuild/local/results/output_tree.h"

namespace local {
namespace {

namespace fs = base::fs;

constexpr mode_t k_folder_mode = 0700;
constexpr mode_t k_inner_folder_mode = 0755;  // of what was downloaded as it is
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
  std::map<std::string, Parts> inputs;
  for (const auto& input : task.inputs) inputs[input.name].push_back(&input);
  BASE_TRY(remove_strangers(inputs));
  for (const auto& [name, parts] : inputs) BASE_TRY(stage(name, parts));
  if (!previous.empty()) BASE_TRY(base::remove_tree(previous));
  return clear_output();
}

// What the datum before had, or its program has left, and this one has not.
base::Status Staging::remove_strangers(const std::map<std::string, Parts>& inputs) {
  BASE_TRY_ASSIGN(const auto root, base::Folder::open(m_pfs));
  BASE_TRY_ASSIGN(const auto names, root.names());
  for (const auto& name : names) {
    const bool is_known = name == ".scratch" || name == ".env" || name == "out" || inputs.contains(name);
    if (is_known) continue;
    BASE_TRY(base::remove_tree(m_pfs / name));
    m_staged.erase(name);
  }
  return {};
}

base::Status Staging::stage(const std::string& name, const Parts& parts) {
  const fs::path folder = m_scratch / name;
  std::string version;
  for (const auto* part : parts) version += std::to_string(part->version.size()) + " " + part->version;
  const auto previous = m_staged.find(name);
  if (previous != m_staged.end() && previous->second.version == version &&
      fingerprint(previous->second.folder).value_or("") == previous->second.fingerprint) {
    BASE_TRY(base::rename_path(previous->second.folder, folder));
    previous->second.folder = folder;
    return link(name);
  }
  BASE_TRY(base::make_folders(folder, k_folder_mode));
  bool lazy = false;
  for (const auto* part : parts) {
    BASE_TRY(copy_input(*part, folder));
    lazy = lazy || part->lazy;
  }
  if (parts.front()->read_only) take_write_permission(folder);
  if (!lazy) {  // a pipe can be read only once
    BASE_TRY_ASSIGN(auto seal, fingerprint(folder));
    m_staged[name] = {version, folder, std::move(seal)};
  } else {
    m_staged.erase(name);
  }
  return link(name);
}

base::Status Staging::copy_input(const TaskInput& input, const fs::path& folder) {
  std::string last_parent;
  base::Sha256 listing;
  const mode_t folder_mode = input.lazy || input.empty_files ? k_folder_mode : k_inner_folder_mode;
  const auto copied =
      visit_files(input.root, input.path, [&](const std::string& path, const struct stat&) -> base::Status {
        listing.update_field(path);
        const fs::path target = folder / path;
        if (const auto parent = target.parent_path().string(); parent != last_parent) {
          BASE_TRY(base::make_folders(parent, folder_mode));
          last_parent = parent;
        }
        return copy_file(input, base::join_path(input.root, path), target);
      });
  BASE_TRY(copied);
  if (input.listing.empty() || listing.finish() == input.listing) return {};
  return base::fail(base::ErrorKind::step_failed, base::join_path(input.root, input.path),
                    "files were added or removed during the run");
}

base::Status Staging::copy_file(const TaskInput& input, const std::string& source, const fs::path& target) {
  struct stat status{};
  // Another file or folder of the same input has brought it.
  if (::lstat(target.c_str(), &status) == 0) return {};
  if (input.lazy) return m_lazy.add(source, target.string());
  if (input.empty_files) return base::write_file(target, "", k_file_mode);
  return base::copy_regular_file(source, target, k_file_mode);
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

base::Status Staging::write_environment(const std::string& lines) const {
  BASE_TRY(base::write_file(m_scratch / ".env", lines));
  return link(".env");
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
