// SPDX-License-Identifier: Apache-2.0
// The root folder cannot be written by most people, so /pfs cannot be made there. A tmpfs takes the root's
// place instead, with everything of the old root bound into it. See mount_namespaces(7), user_namespaces(7),
// pid_namespaces(7) and pivot_root(2).
#include "pachbuild/local/worker/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>

#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "process/fork.h"

namespace local {
namespace {

using base::ErrorKind;

// What a program can take of the memory by files beside its inputs and its output.
constexpr char k_pfs_options[] = "mode=0700,size=64m,nr_inodes=16k";

base::Error mount_error(const std::string& path, int error_number) {
  return {ErrorKind::unavailable, path,
          "cannot mount here: " + base::system_error("", path, error_number).what,
          "pachbuild run needs mount namespaces; see docs/running-locally.md, \"Namespaces\""};
}

base::Error no_namespaces(int error_number) {
  return {
      ErrorKind::unavailable, "",
      "this machine does not allow user namespaces (" +
          base::system_error("", "", error_number).what.substr(std::string("cannot : ").size()) +
          "), which show programs their /pfs",
      "allow them (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000; on Ubuntu "
      "kernel.apparmor_restrict_unprivileged_userns=0; in a container --security-opt seccomp=unconfined), "
      "or run as root"};
}

// Maps this user and group to themselves in the new user namespace: files keep their owners.
base::Status map_identity(uid_t user, gid_t group) {
  const auto write_proc = [](const char* path, const std::string& line) -> base::Status {
    const base::UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
    if (!file) return base::fail(no_namespaces(errno));
    if (::write(file.get(), line.data(), line.size()) < 0) return base::fail(no_namespaces(errno));
    return {};
  };
  const auto mapping = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
  BASE_TRY(write_proc("/proc/self/setgroups", "deny"));
  BASE_TRY(write_proc("/proc/self/uid_map", mapping(user)));
  return write_proc("/proc/self/gid_map", mapping(group));
}

// Root needs no user namespace, unless it is the limited root of a container.
base::Status enter_namespaces() {
  constexpr int k_namespaces = CLONE_NEWNS | CLONE_NEWPID;
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (user == 0 && ::unshare(k_namespaces) == 0) return {};
  if (::unshare(k_namespaces | CLONE_NEWUSER) != 0) return base::fail(no_namespaces(errno));
  return map_identity(user, group);
}

base::Status bind_mount(const std::string& from, const std::string& to) {
  if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return base::fail(mount_error(to, errno));
  }
  return {};
}

base::Status make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) return base::fail(base::system_error("create", path, errno));
  return {};
}

base::Status make_file(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return base::fail(base::system_error("create", path, errno));
  return {};
}

base::Status copy_link(const std::string& from, const std::string& to) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(from.c_str(), target.data(), target.size() - 1);
  if (length < 0 || ::symlink(target.data(), to.c_str()) != 0) {
    return base::fail(base::system_error("create", to, errno));
  }
  return {};
}

// A file or folder of the machine, at another place.
base::Status carry_over(const std::string& from, const std::string& to) {
  struct stat status{};
  if (::lstat(from.c_str(), &status) != 0) return base::fail(base::system_error("read", from, errno));
  if (S_ISLNK(status.st_mode)) return copy_link(from, to);
  if (S_ISDIR(status.st_mode)) {
    BASE_TRY(make_folder(to, 0755));
    // Of this PID namespace. Refused where the machine's own is partly hidden, as in containers: that one
    // will do, it only counts processes differently.
    if (from == "/proc" &&
        ::mount("proc", to.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0) {
      return {};
    }
    return bind_mount(from, to);
  }
  BASE_TRY(make_file(to));
  return bind_mount(from, to);
}

// All that is in the folder `from`, but not `left_out`.
base::Status carry_over_all(const std::string& from, const std::string& to, const std::string& left_out) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(from.c_str()), ::closedir);
  if (!entries) return base::fail(base::system_error("read", from, errno));
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == left_out) continue;
    BASE_TRY(carry_over((from == "/" ? "" : from) + "/" + name, to + "/" + name));
  }
  return {};
}

// Puts a tmpfs in the place of a folder, with everything of it bound into it: in it folders can be made.
base::Status cover(const std::string& folder) {
  constexpr char k_aside[] = "/.pachbuild-cover";
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) return base::fail(base::system_error("read", folder, errno));
  BASE_TRY(make_folder(k_aside, 0700));
  std::array<char, sizeof("mode=07777,size=1m")> options{};
  std::snprintf(options.data(), options.size(), "mode=0%o,size=1m", status.st_mode & 07777U);
  if (::mount("tmpfs", k_aside, "tmpfs", MS_NOSUID | MS_NODEV, options.data()) != 0)
    return base::fail(mount_error(folder, errno));
  BASE_TRY(carry_over_all(folder, k_aside, ""));
  if (::mount(k_aside, folder.c_str(), nullptr, MS_MOVE, nullptr) != 0)
    return base::fail(mount_error(folder, errno));
  ::rmdir(k_aside);
  return {};
}

base::Status build_root(const std::string& scratch, const std::string& root) {
  // Nothing of what follows may reach the machine's own mounts.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return base::fail(mount_error("/", errno));
  }
  if (::mount("tmpfs", root.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") != 0) {
    return base::fail(mount_error(root, errno));
  }
  BASE_TRY(carry_over_all("/", root, "pfs"));
  const std::string pfs = root + "/pfs";
  BASE_TRY(make_folder(pfs, 0700));
  if (::mount("tmpfs", pfs.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, k_pfs_options) != 0)
    return base::fail(mount_error(pfs, errno));
  BASE_TRY(make_folder(pfs + "/.scratch", 0700));
  return bind_mount(scratch, pfs + "/.scratch");
}

// Makes `root` the root folder and lets go of the old one.
base::Status enter_root(const std::string& root) {
  // With the same folder twice the old root is stacked on the new one and detached from there: pivot_root(2).
  if (::chdir(root.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return base::fail(mount_error(root, errno));
  }
  return {};
}

}  // namespace

base::Result<process::Ending> run_in_sandbox(const std::string& scratch, const std::string& root,
                                             const std::function<int(const base::Status&)>& body) {
  BASE_TRY(enter_namespaces());
  return process::run_in_fork(
      [&] { return body(build_root(scratch, root).and_then([&] { return enter_root(root); })); });
}

std::string reached_limit(const std::string& pfs) {
  struct statfs status{};
  if (::statfs(pfs.c_str(), &status) != 0 || status.f_type != TMPFS_MAGIC) return "";
  // Without a limit both are 0.
  if (status.f_blocks > 0 && status.f_bavail == 0)
    return base::format_bytes(status.f_blocks * static_cast<std::uint64_t>(status.f_bsize));
  if (status.f_files > 0 && status.f_ffree == 0) return base::format_number(status.f_files) + " files";
  return "";
}

base::Result<std::string> make_mount_point(const std::string& path) {
  boost::system::error_code error;
  const auto point = base::fs::weakly_canonical(path, error);
  if (error) return base::fail(base::system_error("read", path, error.value()));
  auto existing = point;
  while (!base::fs::exists(existing, error)) existing = existing.parent_path();
  if (!base::fs::is_directory(existing, error))
    return base::fail(ErrorKind::unavailable, path, base::quoted(existing.string()) + " is not a folder");
  if (existing != point && existing != "/") BASE_TRY(cover(existing.string()));
  BASE_TRY(base::make_folders(point, 0755));
  return point.string();
}

}  // namespace local
