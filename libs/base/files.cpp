// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>

#include "base/errors.h"
#include "base/measure.h"
#include "base/stop.h"
#include "base/text.h"

namespace base {
namespace {

// What one system call may do before this program looks up again (stop.h): a slow disk writes it in less than
// a tenth of a second.
constexpr std::size_t k_chunk = std::size_t{4} << 20;

Error copy_error(const fs::path& to, std::uint64_t size, int error_number) {
  Error error = system_error("write", to.string(), error_number);
  if (is_full(error_number) && size > 0) error.what += ", " + format_bytes(size) + " needed";
  return error;
}

// As write_all(), but an error says how much room the whole would have needed.
Status write_part(int fd, std::string_view bytes, const fs::path& path, std::uint64_t whole) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return fail(copy_error(path, whole, errno));
    }
  }
  return {};
}

constexpr std::chrono::milliseconds k_lock_poll{20};

struct OpenFile {
  UniqueFd descriptor;
  std::size_t size = 0;  // as the file system says; 0 for the kernel's own files
};

Result<OpenFile> open_to_read(const fs::path& path) {
  OpenFile file{UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC))};
  if (!file.descriptor) return fail(system_error("read", path.string(), errno));
  struct stat status{};
  if (::fstat(file.descriptor.get(), &status) != 0) return fail(system_error("read", path.string(), errno));
  if (S_ISDIR(status.st_mode)) return fail(system_error("read", path.string(), EISDIR));
  file.size = static_cast<std::size_t>(status.st_size);
  return file;
}

Error not_regular(const fs::path& path) {
  return {ErrorKind::bad_input, path.string(), "is not a regular file", ""};
}

Error too_large(const fs::path& path, std::uint64_t largest) {
  return {ErrorKind::bad_input, path.string(), "is too large: the limit is " + format_bytes(largest), ""};
}

// A file may grow while it is read.
Result<std::string> read_all(const OpenFile& file, const fs::path& path, std::uint64_t largest) {
  // A byte more than the size, so that the end is seen without growing.
  constexpr std::size_t k_least_room = 4096;
  std::string content(std::max(k_least_room, file.size + 1), '\0');
  std::size_t size = 0;
  while (true) {
    if (size >= k_chunk) BASE_TRY(check_stop());
    if (size == content.size()) content.resize(size * 2);
    const ssize_t count =
        ::read(file.descriptor.get(), content.data() + size, std::min(content.size() - size, k_chunk));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error("read", path.string(), errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    if (size > largest) return fail(too_large(path, largest));
  }
  content.resize(size);
  return content;
}

Result<UniqueFd> open_lock_file(const fs::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail(system_error("create", path.string(), errno));
  return file;
}

Status wait_for_lock(const UniqueFd& file, const fs::path& path, FileLock::Mode mode) {
  const int operation = mode == FileLock::Mode::exclusive ? LOCK_EX : LOCK_SH;
  while (::flock(file.get(), is_stop_watched() ? operation | LOCK_NB : operation) != 0) {
    if (errno != EINTR && errno != EWOULDBLOCK) return fail(system_error("lock", path.string(), errno));
    // Where signals are watched they do not end a system call that waits.
    BASE_TRY(check_stop());
    if (is_stop_watched()) std::this_thread::sleep_for(k_lock_poll);
  }
  return {};
}

}  // namespace

Result<std::string> read_file(const fs::path& path) {
  BASE_TRY_ASSIGN(const OpenFile file, open_to_read(path));
  return read_all(file, path, std::numeric_limits<std::uint64_t>::max());
}

Result<std::string> read_input_file(const fs::path& path, std::uint64_t largest) {
  // Without O_NONBLOCK opening a pipe waits for a writer.
  OpenFile file{UniqueFd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC))};
  // A socket and a device without a driver cannot even be opened.
  if (!file.descriptor && (errno == ENXIO || errno == ENODEV)) return fail(not_regular(path));
  if (!file.descriptor) return fail(system_error("read", path.string(), errno));
  struct stat status{};
  if (::fstat(file.descriptor.get(), &status) != 0) return fail(system_error("read", path.string(), errno));
  if (S_ISDIR(status.st_mode)) return fail(system_error("read", path.string(), EISDIR));
  if (!S_ISREG(status.st_mode)) return fail(not_regular(path));
  file.size = static_cast<std::size_t>(status.st_size);
  if (file.size > largest) return fail(too_large(path, largest));
  return read_all(file, path, largest);
}

Status write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error("write", path.string(), errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status write_file(const fs::path& path, std::string_view content, mode_t mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return fail(system_error("create", path.string(), errno));
  Status status = write_all(file.get(), content, path);
  if (status && ::fchmod(file.get(), mode) != 0) status = fail(system_error("write", path.string(), errno));
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = fail(system_error("create", path.string(), errno));
  }
  if (!status) ::unlink(temporary.c_str());
  return status;
}

Status copy_content(int from, const fs::path& from_path, int to, const fs::path& to_path) {
  struct stat status{};
  if (::fstat(from, &status) != 0) return fail(system_error("read", from_path.string(), errno));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (::ioctl(to, FICLONE, from) == 0) {
    advance(size);
    return {};
  }
  while (true) {
    BASE_TRY(check_stop());
    const ssize_t count = ::copy_file_range(from, nullptr, to, nullptr, k_chunk, 0);
    if (count > 0) advance(static_cast<std::uint64_t>(count));
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count < 0 && (is_full(errno) || errno == EIO)) return fail(copy_error(to_path, size, errno));
    break;
  }
  // Whether that was all: some file systems (proc, some network ones) cannot, or report 0 bytes at once.
  std::array<char, std::size_t{64} * 1024> buffer{};
  while (true) {
    BASE_TRY(check_stop());
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error("read", from_path.string(), errno));
    if (count == 0) return {};
    BASE_TRY(write_part(to, {buffer.data(), static_cast<std::size_t>(count)}, to_path, size));
    advance(static_cast<std::uint64_t>(count));
  }
}

Status copy_regular_file(const fs::path& from, const fs::path& to, mode_t mode) {
  BASE_TRY_ASSIGN(const OpenFile source, open_to_read(from));
  const UniqueFd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!target) return fail(system_error("create", to.string(), errno));
  Status status = copy_content(source.descriptor.get(), from, target.get(), to);
  if (status && ::fchmod(target.get(), mode) != 0) status = fail(system_error("write", to.string(), errno));
  if (!status) ::unlink(to.c_str());
  return status;
}

Status link_or_copy_file(const fs::path& from, const fs::path& to, mode_t mode) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  if (errno == EEXIST) return fail(system_error("create", to.string(), errno));
  return copy_regular_file(from, to, mode);
}

Status make_folders(const fs::path& path, mode_t mode) {
  if (path.empty() || ::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == ENOENT && path.has_parent_path()) {
    BASE_TRY(make_folders(path.parent_path(), mode));
    if (::mkdir(path.c_str(), mode) == 0) return {};
  }
  const int error_number = errno;
  boost::system::error_code ignored;
  if (error_number == EEXIST && fs::is_directory(path, ignored)) return {};
  if (error_number == EEXIST) return fail(ErrorKind::cannot_write, path.string(), "is not a folder");
  return fail(system_error("create", path.string(), error_number));
}

Status rename_path(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail(system_error("rename", to.string(), errno));
  return {};
}

Result<TemporaryFolder> TemporaryFolder::make(const fs::path& parent, const std::string& prefix) {
  std::string path = (parent / (prefix + "XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr) return fail(system_error("create", path, errno));
  return TemporaryFolder(fs::path(path));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : m_path(other.release()) {}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  std::swap(m_path, other.m_path);
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  // Nothing can be told from here; what cannot be removed is left.
  if (!m_path.empty()) static_cast<void>(remove_tree(m_path));
}

fs::path TemporaryFolder::release() {
  fs::path path;
  std::swap(path, m_path);
  return path;
}

Result<FileLock> FileLock::acquire(const fs::path& path, Mode mode) {
  BASE_TRY_ASSIGN(UniqueFd file, open_lock_file(path));
  BASE_TRY(wait_for_lock(file, path, mode));
  return FileLock(std::move(file));
}

Result<FileLock> FileLock::acquire_folder(const fs::path& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail(system_error("read", path.string(), errno));
  BASE_TRY(wait_for_lock(folder, path, Mode::exclusive));
  return FileLock(std::move(folder));
}

Result<FileLock> FileLock::try_acquire(const fs::path& path, Mode mode) {
  BASE_TRY_ASSIGN(UniqueFd file, open_lock_file(path));
  while (::flock(file.get(), (mode == Mode::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return FileLock(UniqueFd());
    if (errno != EINTR) return fail(system_error("lock", path.string(), errno));
  }
  return FileLock(std::move(file));
}

fs::path normal_path(const fs::path& path) {
  auto normal = fs::absolute(path).lexically_normal();
  return normal.filename() == "." || normal.filename().empty() ? normal.parent_path() : normal;
}

fs::path resolved_path(const fs::path& path) {
  boost::system::error_code error;
  const auto resolved = fs::weakly_canonical(fs::absolute(path), error);
  return normal_path(error ? path : resolved);
}

Result<fs::path> own_folder() {
  std::array<char, 4096> buffer{};
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size() - 1);
  if (length < 0) return fail(system_error("read", "/proc/self/exe", errno));
  return fs::path(std::string(buffer.data(), static_cast<std::size_t>(length))).parent_path();
}

}  // namespace base
