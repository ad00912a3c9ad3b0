// SPDX-License-Identifier: Apache-2.0
// Everybody may make entries in /tmp, and with its sticky bit nobody may rename or remove those of others. So
// a folder there that is this user's, and that no one else may enter, is as good as one below the cache. The
// lock is on the folder itself: whoever gets it looks whether the folder is still the one at the path, since
// its last owner removed it.
#include "builder-runtime/languages/declared/fixed_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "base/stop.h"

namespace builder::declared {
namespace {

namespace fs = base::fs;

constexpr mode_t k_mode = 0700;
constexpr std::string_view k_prefix = "pachbuild-";
constexpr std::size_t k_digits = 16;
constexpr auto k_pause = std::chrono::milliseconds(20);

base::Status lock(int folder, const std::string& path) {
  while (::flock(folder, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return base::fail(base::system_error("lock", path, errno));
    BASE_TRY(base::check_stop());
    std::this_thread::sleep_for(k_pause);
  }
  return {};
}

// And nobody else may enter it.
bool is_ours(int folder) {
  struct stat status{};
  return ::fstat(folder, &status) == 0 && status.st_uid == ::geteuid() && (status.st_mode & 077) == 0;
}

bool is_at(int folder, const std::string& path) {
  struct stat own{};
  struct stat there{};
  return ::fstat(folder, &own) == 0 && ::lstat(path.c_str(), &there) == 0 && own.st_ino == there.st_ino &&
         own.st_dev == there.st_dev;
}

// What is left by a build that was killed.
base::Status empty(const fs::path& path) {
  for (const char* const name : {"tree", "work", "tmp"}) BASE_TRY(base::remove_tree(path / name));
  return {};
}

// Those of builds that were killed, whatever they made.
void remove_orphans(const fs::path& parent) {
  boost::system::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(k_prefix) || name.size() != k_prefix.size() + k_digits) continue;
    if (name.find_first_not_of("0123456789abcdef", k_prefix.size()) != std::string::npos) continue;
    const std::string path = entry->path().string();
    const base::UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder && is_ours(folder.get()) && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0 &&
        is_at(folder.get(), path))
      static_cast<void>(base::remove_tree(entry->path()));
  }
}

}  // namespace

base::Result<FixedFolder> FixedFolder::make(const std::string& key, const fs::path& parent) {
  remove_orphans(parent);
  const fs::path path = parent / (std::string(k_prefix) + key.substr(0, k_digits));
  const std::string& text = path.native();
  while (true) {
    if (::mkdir(text.c_str(), k_mode) != 0 && errno != EEXIST)
      return base::fail(base::system_error("create", text, errno));
    base::UniqueFd folder(::open(text.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder && errno == ENOENT) continue;  // its last owner has just removed it
    if (!folder || !is_ours(folder.get())) {
      return base::fail(base::ErrorKind::cannot_write, text,
                        "belongs to another user, and the build needs this path",
                        "remove it, or ask its owner to do so");
    }
    BASE_TRY(lock(folder.get(), text));
    if (!is_at(folder.get(), text)) continue;
    BASE_TRY(empty(path));
    return FixedFolder(path, std::move(folder));
  }
}

FixedFolder::FixedFolder(FixedFolder&& other) noexcept
    : m_path(std::exchange(other.m_path, {})), m_lock(std::move(other.m_lock)) {}

FixedFolder::~FixedFolder() {
  if (m_path.empty()) return;
  static_cast<void>(base::remove_tree(m_path));
}

}  // namespace builder::declared
