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

int copy_to_end(int from, int to) {
  constexpr std::size_t k_at_once = std::size_t{64} * 1024 * 1024;
  while (true) {
    const ssize_t count = ::sendfile(to, from, nullptr, k_at_once);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : 0;
  }
}

}  // namespace shim
