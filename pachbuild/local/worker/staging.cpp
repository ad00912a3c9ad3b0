// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/staging.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"
#include "pachbuild/local/results/output_tree.h"

namespace local {
namespace {

namespace fs = base::fs;

constexpr mode_t k_folder_mode = 0700;
constexpr mode_t k_inner_folder_mode = 0755;  // of what was downloaded as it is
constexpr mode_t k_file_mode = 0644;
constexpr char k_environment[] = ".env";

// A larger file is copied anew: its blocks can be shared then.
constexpr off_t k_largest_refilled = off_t{64} << 10;

// Nothing where a program has made the folder something else.
std::optional<std::vector<std::string>> names_in_folder(const fs::path& folder) {
  const auto opened = base::Folder::open(folder);
  if (!opened) return std::nullopt;
  auto names = opened->names();
  return names ? std::optional(std::move(*names)) : std::nullopt;
}

void add(std::string& text, const std::string& name, const struct stat& status) {
  text += name;
  text += '\0';
  const auto number = [&](std::uint64_t value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  number(status.st_dev);
  number(status.st_ino);
  number(status.st_mode);
  number(status.st_nlink);
  number(status.st_uid);
  number(status.st_gid);
  if (S_ISFIFO(status.st_mode)) return;  // its times change when it is read
  number(static_cast<std::uint64_t>(status.st_size));
  for (const auto& time : {status.st_mtim, status.st_ctim}) {
    number(static_cast<std::uint64_t>(time.tv_sec));
    number(static_cast<std::uint64_t>(time.tv_nsec));
  }
}

base::Status add_folder(std::string& text, const fs::path& folder) {
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0)
    return base::fail(base::system_error("read", folder.string(), errno));
  add(text, folder.filename().string(), status);
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const auto& path = entry->path();
    if (::lstat(path.c_str(), &status) != 0)
      return base::fail(base::system_error("read", path.string(), errno));
    if (S_ISDIR(status.st_mode)) {
      BASE_TRY(add_folder(text, path));
      continue;
    }
    add(text, path.filename().string(), status);
    // What its times do not show: an access list.
    if (S_ISFIFO(status.st_mode)) text += std::to_string(::llistxattr(path.c_str(), nullptr, 0));
  }
  if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
  return {};
}

// Changes when somebody writes to the file, or puts another one in its place; empty when it is not there.
std::string state_of_file(const fs::path& path) {
  struct stat status{};
  std::string state;
  if (::lstat(path.c_str(), &status) == 0) add(state, "", status);
  return state;
}

base::Result<FolderState> state_of(const base::Folder& folder) {
  struct stat status{};
  if (::fstat(folder.descriptor(), &status) != 0)
    return base::fail(base::system_error("read", folder.shown(), errno));
  FolderState state{.mode = status.st_mode,
                    .owner = status.st_uid,
                    .group = status.st_gid,
                    .device = status.st_dev,
                    .attributes = ::flistxattr(folder.descriptor(), nullptr, 0)};
  // Not every file system has them.
  static_cast<void>(::ioctl(folder.descriptor(), FS_IOC_GETFLAGS, &state.flags));
  return state;
}

// A folder that stays, and that a program may have given other permissions or attributes.
base::Status restore(const fs::path& path) {
  BASE_TRY_ASSIGN(const auto folder, base::Folder::open(path));
  struct stat status{};
  if (::fstat(folder.descriptor(), &status) != 0)
    return base::fail(base::system_error("read", path.string(), errno));
  if ((status.st_mode & 07777U) != k_folder_mode && ::fchmod(folder.descriptor(), k_folder_mode) != 0)
    return base::fail(base::system_error("write", path.string(), errno));
  if (::flistxattr(folder.descriptor(), nullptr, 0) <= 0) return {};
  std::array<char, XATTR_LIST_MAX> names{};
  const ssize_t size = ::flistxattr(folder.descriptor(), names.data(), names.size());
  if (size <= 0) return {};
  for (const auto& name : base::split({names.data(), static_cast<std::size_t>(size)}, '\0')) {
    // The machine's own labels are not a program's, and may not go.
    if (!name.empty() && !name.starts_with("security."))
      static_cast<void>(::fremovexattr(folder.descriptor(), name.c_str()));
  }
  return {};
}

// Same version, same files below the input's name.
std::string version_of(const std::vector<const TaskInput*>& parts) {
  std::string version;
  for (const auto* part : parts) {
    for (const auto* field : {&part->root, &part->version})
      version += std::to_string(field->size()) + " " + *field;
    // Parts of a union can have one name and differ in these.
    for (const bool option : {part->lazy, part->empty_files, part->read_only}) version += option ? '1' : '0';
    version += std::to_string(part->modified);
  }
  return version;
}

// The only file of an input, if it can get the content of another datum's.
std::string refillable_file(const fs::path& folder, const std::vector<const TaskInput*>& parts) {
  const auto& part = *parts.front();
  struct stat status{};
  const bool is_file = parts.size() == 1 && !part.lazy && !part.empty_files && !part.read_only &&
                       part.modified == 0 && !part.path.empty() &&
                       ::lstat((folder / part.path).c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                       status.st_size <= k_largest_refilled;
  return is_file ? part.path : "";
}

// Everything in the folder was last written at `time`, in seconds since 1970.
base::Status set_times(const fs::path& folder, std::int64_t time) {
  const std::array<timespec, 2> times{timespec{.tv_sec = time, .tv_nsec = 0},
                                      timespec{.tv_sec = time, .tv_nsec = 0}};
  const auto set = [&](const fs::path& path) -> base::Status {
    if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) return {};
    return base::fail(base::system_error("write", path.string(), errno));
  };
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    BASE_TRY(set(entry->path()));
  }
  if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
  return set(folder);
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
  std::string text;
  BASE_TRY(add_folder(text, folder));
  return base::sha256(text);
}

base::Status Staging::prepare(const Task& task, Left left) {
  Inputs inputs;
  for (const auto& input : task.inputs) inputs[input.name].push_back(&input);
  BASE_TRY(secure_scratch());
  bool taken_over = false;
  if (left == Left::nothing && !m_scratch.empty()) {
    auto taken = take_over(task, inputs);
    // What a program has done to its folders is no reason to fail the next datum.
    taken_over = taken && *taken;
  }
  if (!taken_over) BASE_TRY(begin_anew(task));
  // Until all is ready nothing of it can be used again.
  const fs::path scratch = std::exchange(m_scratch, {});
  const auto ready = [&]() -> base::Status {
    m_scratch = scratch;
    BASE_TRY(remove_strangers(inputs));
    for (const auto& [name, parts] : inputs) {
      if (!parts.front()->resident) BASE_TRY(stage(name, parts));
    }
    return clear_output();
  }();
  if (!ready) m_scratch.clear();
  return ready;
}

base::Status Staging::begin_anew(const Task& task) {
  m_lazy.drop("");
  m_staged.clear();
  m_environment.clear();
  m_output.reset();
  BASE_TRY_ASSIGN(const auto folder, base::Folder::open_without_link(m_pfs / ".scratch", contract::k_pfs));
  BASE_TRY_ASSIGN(const auto names, folder.names());
  for (const auto& name : names) {
    if (!task.batching || name != m_beside) BASE_TRY(folder.remove(name));
  }
  m_scratch = m_pfs / ".scratch" / task.id;
  BASE_TRY(base::make_folders(m_scratch, k_folder_mode));
  BASE_TRY_ASSIGN(const auto made, base::Folder::open_without_link(m_scratch, contract::k_pfs));
  BASE_TRY_ASSIGN(m_new_folder, state_of(made));
  return {};
}

// The folder of the datum before becomes that of `task`, if no program has made it another one.
base::Result<bool> Staging::take_over(const Task& task, const Inputs& inputs) {
  BASE_TRY_ASSIGN(const auto all, base::Folder::open_without_link(m_pfs / ".scratch", contract::k_pfs));
  const std::string previous = m_scratch.filename().string();
  BASE_TRY_ASSIGN(const auto folders, all.names());
  if (folders != std::vector{previous}) return false;
  BASE_TRY_ASSIGN(const auto folder, all.open_folder(previous));
  BASE_TRY_ASSIGN(const bool usable, is_as_made(folder));
  if (!usable) return false;
  BASE_TRY_ASSIGN(const auto names, folder.names());
  for (const auto& name : names) {
    if (name != "out" && name != k_environment && !m_staged.contains(name)) return false;
  }
  std::erase_if(m_staged, [&](const auto& staged) {
    const auto& [name, what] = staged;
    const auto input = inputs.find(name);
    const bool useful =
        input != inputs.end() && (version_of(input->second) == what.version || !what.file.empty());
    const bool stays = useful && fingerprint(m_scratch / name).value_or("") == what.fingerprint;
    if (!stays) m_lazy.drop(name);
    return !stays;
  });
  for (const auto& name : names) {
    if (name != "out" && name != k_environment && !m_staged.contains(name)) BASE_TRY(folder.remove(name));
  }
  BASE_TRY(m_lazy.renew());
  const fs::path scratch = m_pfs / ".scratch" / task.id;
  if (scratch != m_scratch) BASE_TRY(base::rename_path(m_scratch, scratch));
  m_scratch = scratch;
  return true;
}

base::Result<bool> Staging::is_as_made(const base::Folder& folder) const {
  BASE_TRY_ASSIGN(const auto state, state_of(folder));
  return state == m_new_folder;
}

// The names in /pfs that are neither inputs nor what every datum has there.
base::Result<std::vector<std::string>> Staging::strangers(
    const std::function<bool(const std::string& name)>& is_input) const {
  BASE_TRY_ASSIGN(const auto root, base::Folder::open(m_pfs));
  BASE_TRY_ASSIGN(auto names, root.names());
  std::erase_if(names, [&](const auto& name) {
    return name == ".scratch" || name == "out" || name == k_environment || is_input(name);
  });
  return names;
}

// What the datum before had, or its program has left, and this one has not.
base::Status Staging::remove_strangers(const Inputs& inputs) const {
  BASE_TRY_ASSIGN(const auto names, strangers([&](const auto& name) { return inputs.contains(name); }));
  for (const auto& name : names) BASE_TRY(base::remove_tree(m_pfs / name));
  return {};
}

base::Result<std::string> Staging::find_stranger(const Task& task) const {
  BASE_TRY_ASSIGN(const auto names, strangers([&](const auto& name) { return m_staged.contains(name); }));
  if (!names.empty()) return names.front();
  const auto source = std::find_if(task.inputs.begin(), task.inputs.end(), [](const TaskInput& input) {
    return input.name == contract::k_source_input && input.path.empty() && !input.resident;
  });
  if (source == task.inputs.end() || names_in_folder(output()) != std::vector<std::string>()) return "";
  return find_stranger_of(*source);
}

// Tools leave hidden files, and Python __pycache__.
std::string Staging::find_stranger_of(const TaskInput& source) const {
  const auto own = names_in_folder(source.root);
  const auto now = names_in_folder(m_scratch / source.name);
  if (!own || !now) return "";
  const auto stranger = std::find_if(now->begin(), now->end(), [&](const std::string& name) {
    return !name.starts_with('.') && !name.starts_with("__") &&
           std::find(own->begin(), own->end(), name) == own->end();
  });
  return stranger == now->end() ? "" : source.name + "/" + *stranger;
}

// What m_staged has of this name is as it was made.
base::Status Staging::stage(const std::string& name, const Parts& parts) {
  const fs::path folder = m_scratch / name;
  const std::string version = version_of(parts);
  if (const auto previous = m_staged.find(name); previous != m_staged.end()) {
    if (previous->second.version == version) return link(name);
    BASE_TRY_ASSIGN(const bool refilled, refill(previous->second, name, parts));
    if (refilled) {
      previous->second.version = version;
      return link(name);
    }
    m_staged.erase(previous);
    m_lazy.drop(name);
    BASE_TRY(base::remove_tree(folder));
  }
  BASE_TRY(base::make_folders(folder, k_folder_mode));
  for (const auto* part : parts) BASE_TRY(copy_input(*part, folder));
  if (parts.front()->modified != 0) BASE_TRY(set_times(folder, parts.front()->modified));
  if (parts.front()->read_only) take_write_permission(folder);
  BASE_TRY_ASSIGN(auto seal, fingerprint(folder));
  m_staged[name] = {version, std::move(seal), refillable_file(folder, parts)};
  return link(name);
}

// A file that another one takes the place of in the next datum: same folder, new name, new content.
base::Result<bool> Staging::refill(Staged& staged, const std::string& name, const Parts& parts) const {
  const auto& part = *parts.front();
  if (staged.file.empty() || parts.size() != 1 || part.lazy || part.empty_files || part.read_only ||
      part.modified != 0 || base::folder_of(part.path) != base::folder_of(staged.file))
    return false;
  const std::string source = base::join_path(part.root, part.path);
  struct stat status{};
  if (part.path.empty() || ::stat(source.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_size > k_largest_refilled)
    return false;
  base::Sha256 listing;
  listing.update_field(part.path);
  if (!part.listing.empty() && listing.finish() != part.listing) return false;
  BASE_TRY_ASSIGN(const std::string content, base::read_file(source));
  const fs::path target = m_scratch / name / part.path;
  const fs::path before = m_scratch / name / staged.file;
  if (target != before) BASE_TRY(base::rename_path(before, target));
  staged.file = part.path;
  const base::UniqueFd file(::open(target.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return base::fail(base::system_error("write", target.string(), errno));
  BASE_TRY(base::write_all(file.get(), content, target));
  if (::ftruncate(file.get(), static_cast<off_t>(content.size())) != 0)
    return base::fail(base::system_error("write", target.string(), errno));
  BASE_TRY_ASSIGN(staged.fingerprint, fingerprint(m_scratch / name));
  return true;
}

base::Status Staging::copy_input(const TaskInput& input, const fs::path& folder) {
  std::string last_parent;
  base::Sha256 listing;
  const mode_t folder_mode = input.lazy || input.empty_files ? k_folder_mode : k_inner_folder_mode;
  const auto copied =
      visit_files(input.root, input.path, [&](const std::string& path, const struct stat&) -> base::Status {
        listing.update_field(path);
        if (const auto parent = (folder / path).parent_path().string(); parent != last_parent) {
          BASE_TRY(base::make_folders(parent, folder_mode));
          last_parent = parent;
        }
        return copy_file(input, base::join_path(input.root, path), folder, path);
      });
  BASE_TRY(copied);
  if (input.listing.empty() || listing.finish() == input.listing) return {};
  return base::fail(base::ErrorKind::step_failed, base::join_path(input.root, input.path),
                    "files were added or removed during the run");
}

base::Status Staging::copy_file(const TaskInput& input, const std::string& source, const fs::path& folder,
                                const std::string& path) {
  const fs::path target = folder / path;
  struct stat status{};
  // Another file or folder of the same input has brought it.
  if (::lstat(target.c_str(), &status) == 0) return {};
  if (input.lazy) return m_lazy.add(source, m_scratch, input.name + "/" + path);
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

base::Status Staging::write_environment(const std::string& lines) {
  const fs::path path = m_scratch / k_environment;
  if (!m_environment.empty() && state_of_file(path) == m_environment) {
    const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return base::fail(base::system_error("write", path.string(), errno));
    BASE_TRY(base::write_all(file.get(), lines, path));
    if (::ftruncate(file.get(), static_cast<off_t>(lines.size())) != 0)
      return base::fail(base::system_error("write", path.string(), errno));
  } else {
    BASE_TRY(base::remove_tree(path));
    BASE_TRY(base::write_file(path, lines));
  }
  m_environment = state_of_file(path);
  return link(k_environment);
}

base::Status Staging::clear_output() {
  m_output.reset();
  // The pool may have put an empty folder there in exchange for the datum's output.
  if (auto folder = base::Folder::open_without_link(output(), contract::k_out)) {
    const auto unused = is_as_made(*folder);
    const auto names = folder->names();
    if (unused && *unused && names && names->empty()) m_output = std::move(*folder);
  }
  if (!m_output) {
    BASE_TRY(base::remove_tree(output()));
    BASE_TRY(base::make_folders(output(), k_folder_mode));
    BASE_TRY_ASSIGN(m_output, base::Folder::open_without_link(output(), contract::k_out));
  }
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
// Where /pfs is a sandbox's, they are a mount, which cannot be replaced.
base::Status Staging::secure_scratch() const {
  const fs::path folder = m_pfs / ".scratch";
  struct stat status{};
  if (::lstat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) BASE_TRY(base::remove_tree(folder));
  BASE_TRY(base::make_folders(folder, k_folder_mode));
  BASE_TRY(restore(m_pfs));
  return restore(folder);
}

}  // namespace local
