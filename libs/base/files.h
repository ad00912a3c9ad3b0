// SPDX-License-Identifier: Apache-2.0
// Files and folders, read and written so that nothing half-made is ever visible.
#pragma once

#include <sys/types.h>

#include <boost/filesystem/path.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace base {

namespace fs = boost::filesystem;

// The whole content. A folder, a missing or an unreadable file is an error of kind io.
Result<std::string> read_file(const fs::path& path);

// The largest file that says what to build: locks of large projects have a few megabytes.
inline constexpr std::uint64_t k_largest_input = std::uint64_t{64} << 20;

// The whole content of a file that somebody else wrote: a manifest, a lock, a spec. Only a regular file of at
// most `largest` bytes is read: nothing waits for a pipe and no device fills the memory. What is wrong is of
// kind bad_input, that the file cannot be read of kind io.
Result<std::string> read_input_file(const fs::path& path, std::uint64_t largest = k_largest_input);

// All of `bytes` to `fd`, whatever the number of writes it takes. `path` is for the error.
Status write_all(int fd, std::string_view bytes, const fs::path& path);

// Puts a file at `path` in one step: a reader sees the old content or all of the new.
Status write_file(const fs::path& path, std::string_view content, mode_t mode = 0644);

// The bytes of `from` into the new file `to` by the cheapest way that both file systems offer: shared blocks
// where they can (reflink), else inside the kernel. The paths are for errors.
Status copy_content(int from, const fs::path& from_path, int to, const fs::path& to_path);

// Copies a regular file's bytes to a new file `to` with the given mode, sharing the blocks where the file
// system can (reflink) and inside the kernel otherwise. Neither times nor owner are kept.
Status copy_regular_file(const fs::path& from, const fs::path& to, mode_t mode);

// A second name for `from`, or a copy of it where the file system has no room for a hard link.
Status link_or_copy_file(const fs::path& from, const fs::path& to, mode_t mode);

// For a folder into which only its owner may write, whatever the umask.
inline constexpr mode_t k_owner_writes = 0755;

// The folder and all above it.
Status make_folders(const fs::path& path, mode_t mode = 0777);

// Renames in one step; both must be on one file system. Replaces a file or an empty folder.
Status rename_path(const fs::path& from, const fs::path& to);

// Everything at `path`, without following links, folders without permission included. A missing path is
// fine.
Status remove_tree(const fs::path& path);

// A folder of its own that goes with its owner.
class TemporaryFolder {
 public:
  // `parent`/`prefix`XXXXXX with mode 0700.
  static Result<TemporaryFolder> make(const fs::path& parent, const std::string& prefix);

  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const fs::path& path() const { return m_path; }
  // Gives the folder up: from now on it stays.
  fs::path release();

 private:
  explicit TemporaryFolder(fs::path path) : m_path(std::move(path)) {}
  fs::path m_path;
};

// A lock between processes on a file that is made for it. Held until the owner goes; the file stays.
class FileLock {
 public:
  enum class Mode { exclusive, shared };
  // Waits until the lock is free.
  static Result<FileLock> acquire(const fs::path& path, Mode mode = Mode::exclusive);
  // Does not wait: a lock that another holds gives a FileLock that is not held().
  static Result<FileLock> try_acquire(const fs::path& path, Mode mode = Mode::exclusive);
  // Waits for the lock on a folder itself: nothing is made in it.
  static Result<FileLock> acquire_folder(const fs::path& path);

  [[nodiscard]] bool held() const { return static_cast<bool>(m_fd); }

 private:
  explicit FileLock(UniqueFd fd) : m_fd(std::move(fd)) {}
  UniqueFd m_fd;
};

// The path from "/" on, without dots and a slash at its end: as it is written, whether it exists or not.
fs::path normal_path(const fs::path& path);
// The same without links, as far as it exists.
fs::path resolved_path(const fs::path& path);

// The folder of the running program's file.
Result<fs::path> own_folder();

}  // namespace base
