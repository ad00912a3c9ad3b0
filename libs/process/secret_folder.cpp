// SPDX-License-Identifier: Apache-2.0
#include "process/secret_folder.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/errors.h"
#include "process/command.h"

namespace process {
namespace {

namespace fs = base::fs;

constexpr char k_shared_memory[] = "/dev/shm";
constexpr char k_prefix[] = "pachbuild-secret-";
constexpr mode_t k_private = 0700;

bool is_in_memory(const fs::path& folder) {
  struct statfs system{};
  if (::statfs(folder.c_str(), &system) != 0) return false;
  return system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC;
}

// A folder, no link to one, that no other user can have put there or can look into.
bool is_private(const fs::path& folder) {
  struct stat status{};
  return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & 0077) == 0;
}

fs::path parent_of_secrets(const fs::path& scratch) {
  const fs::path runtime = value_of(current_environment(), "XDG_RUNTIME_DIR");
  if (runtime.is_absolute() && is_private(runtime) && is_in_memory(runtime)) return runtime;
  const fs::path shared = fs::path(k_shared_memory) / ("pachbuild-" + std::to_string(::geteuid()));
  if (is_in_memory(k_shared_memory)) {
    ::mkdir(shared.c_str(), k_private);
    if (is_private(shared)) return shared;
  }
  return scratch;
}

// Calls of the system only, and what remove_tree() does: the copy has but this thread.
[[noreturn]] void guard(int end_of_owner, const fs::path& folder) {
  ::setsid();  // a signal to the terminal's group or to the owner's is not for it
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  // Nobody must wait for this process to close what the owner had open.
  ::dup2(end_of_owner, STDIN_FILENO);
  ::close_range(STDIN_FILENO + 1, ~0U, 0);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, sizeof byte) < 0 && errno == EINTR) {
  }
  static_cast<void>(base::remove_tree(folder));
  ::_exit(0);
}

}  // namespace

base::Result<SecretFolder> SecretFolder::make(const fs::path& scratch) {
  BASE_TRY_ASSIGN(auto folder, base::Workspace::make(parent_of_secrets(scratch), k_prefix));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail(base::system_error("create", "a pipe", errno));
  const base::UniqueFd read(ends[0]);
  base::UniqueFd write(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return base::fail(base::system_error("start", "a process", errno));
  if (child == 0) guard(read.get(), folder.path());
  return SecretFolder(std::move(folder), std::move(write), child);
}

SecretFolder::SecretFolder(SecretFolder&& other) noexcept
    : m_folder(std::move(other.m_folder)),
      m_alive(std::move(other.m_alive)),
      m_guard(std::exchange(other.m_guard, 0)) {}

SecretFolder::~SecretFolder() {
  if (m_guard == 0) return;
  m_alive.reset();
  while (::waitpid(m_guard, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace process
