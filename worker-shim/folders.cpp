// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/folders.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"

namespace shim {
namespace {

int remove_visited(const char* path, const struct stat* /*status*/, int /*type*/, struct FTW* position) {
  if (position->level > 0) std::remove(path);
  return 0;
}

}  // namespace

// The call that asks for the effective user (faccessat2) is refused with EPERM by older container engines.
// The other one asks for the real user, who is the same but in a program that changed one of them.
int check_access(const std::string& path, int mode) {
  if (::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0) return 0;
  if (errno != EPERM) return errno;
  return ::access(path.c_str(), mode) == 0 ? 0 : errno;
}

void empty_folder(const std::string& path) {
  constexpr int k_open_folders = 32;
  ::nftw(path.c_str(), remove_visited, k_open_folders, FTW_DEPTH | FTW_PHYS);
}

void remove_folder(const std::string& path) {
  empty_folder(path);
  ::rmdir(path.c_str());
}

std::optional<std::string> read_text(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? read_to_end(file.get()) : std::nullopt;
}

std::optional<std::string> read_to_end(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

namespace {

// For what the kernel cannot copy by itself: two kinds of file, or a container engine that refuses sendfile.
int copy_by_hand(int from, int to) {
  constexpr std::size_t k_at_once = std::size_t{64} * 1024;
  std::array<char, k_at_once> buffer{};
  while (true) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : 0;
    const int failure = write_all(to, {buffer.data(), static_cast<std::size_t>(count)});
    if (failure != 0) return failure;
  }
}

bool is_refused(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EPERM;
}

}  // namespace

int copy_to_end(int from, int to) {
  constexpr std::size_t k_at_once = std::size_t{64} * 1024 * 1024;
  while (true) {
    const ssize_t count = ::sendfile(to, from, nullptr, k_at_once);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && is_refused(errno)) return copy_by_hand(from, to);
    if (count <= 0) return count < 0 ? errno : 0;
  }
}

}  // namespace shim
