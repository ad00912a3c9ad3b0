// SPDX-License-Identifier: Apache-2.0
#include "steps.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <string>

// The thread sanitizer learns from these two that one thread waits for another by a pipe.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STEPS_THREAD_SANITIZER
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(STEPS_THREAD_SANITIZER)
extern "C" ssize_t __interceptor_read(int file, void* bytes, size_t size);
extern "C" ssize_t __interceptor_write(int file, const void* bytes, size_t size);
#else
static ssize_t __interceptor_read(int file, void* bytes, size_t size) {
  return ::syscall(SYS_read, file, bytes, size);
}
static ssize_t __interceptor_write(int file, const void* bytes, size_t size) {
  return ::syscall(SYS_write, file, bytes, size);
}
#endif

namespace steps {
namespace {

std::recursive_mutex mutex;
Watch::Decide* current = nullptr;
std::atomic<bool> is_watched = false;
std::atomic<bool> are_all_watched = false;
thread_local bool is_deciding = false;

pid_t watched = 0;  // what it forks goes its own ways

// Whether the step is to be done; errno says why not.
bool may(std::string_view call, const char* path) {
  if (!is_watched || is_deciding || ::getpid() != watched) return true;
  const std::lock_guard lock(mutex);
  if (current == nullptr) return true;
  is_deciding = true;
  const int error = (*current)(call, path == nullptr ? "" : path);
  is_deciding = false;
  if (error != 0) errno = error;
  return error == 0;
}

bool may_too(std::string_view call, const char* path) { return !are_all_watched || may(call, path); }

std::string path_of(int file) {
  if (!is_watched || is_deciding) return {};
  std::array<char, PATH_MAX> path{};
  const auto link = "/proc/self/fd/" + std::to_string(file);
  const auto size = ::syscall(SYS_readlinkat, AT_FDCWD, link.c_str(), path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

}  // namespace

Watch::Watch(Decide decide, Calls calls) {
  const std::lock_guard lock(mutex);
  current = new Decide(std::move(decide));
  watched = ::getpid();
  are_all_watched = calls == Calls::all;
  is_watched = true;
}

Watch::~Watch() {
  const std::lock_guard lock(mutex);
  is_watched = false;
  are_all_watched = false;
  delete current;
  current = nullptr;
}

namespace {
std::atomic<bool> are_pauses_skipped = false;
std::atomic<int> skipped_pauses = 0;
}  // namespace

NoPauses::NoPauses() {
  skipped_pauses = 0;
  are_pauses_skipped = true;
}
NoPauses::~NoPauses() { are_pauses_skipped = false; }
int NoPauses::count() { return skipped_pauses; }

}  // namespace steps

// The C library's own functions stand behind these of the same names, which the linker takes first.
extern "C" {

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  if (!steps::may("rename", to)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return ::renameat2(from_folder, from, to_folder, to, 0);
}
int rename(const char* from, const char* to) noexcept { return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int folder, const char* name, int flags) noexcept {
  if (!steps::may("unlink", name)) return -1;
  return static_cast<int>(::syscall(SYS_unlinkat, folder, name, flags));
}
int unlink(const char* path) noexcept { return ::unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) noexcept { return ::unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  if (!steps::may("link", to)) return -1;
  return static_cast<int>(::syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
int link(const char* from, const char* to) noexcept { return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int flock(int file, int operation) noexcept {
  if (!steps::may("flock", nullptr)) return -1;
  return static_cast<int>(::syscall(SYS_flock, file, operation));
}
ssize_t write(int file, const void* bytes, size_t size) {
  if (!steps::may("write", nullptr)) return -1;
  return __interceptor_write(file, bytes, size);
}

int nanosleep(const timespec* time, timespec* rest) {
  if (steps::are_pauses_skipped) {
    ++steps::skipped_pauses;
    return 0;
  }
  const int error = ::clock_nanosleep(CLOCK_MONOTONIC, 0, time, rest);
  if (error != 0) errno = error;
  return error == 0 ? 0 : -1;
}

ssize_t sendfile(int to, int from, off_t* offset, size_t size) noexcept {
  if (!steps::may("write", nullptr)) return -1;
  return ::syscall(SYS_sendfile, to, from, offset, size);
}
ssize_t read(int file, void* bytes, size_t size) {
  if (!steps::may("read", steps::path_of(file).c_str())) return -1;
  return __interceptor_read(file, bytes, size);
}

// Those that Calls::all adds.
int openat(int folder, const char* path, int flags, ...) {
  if (!steps::may_too("open", path)) return -1;
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}
int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return ::openat(AT_FDCWD, path, flags, mode);
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  if (!steps::may_too("mkdir", path)) return -1;
  return static_cast<int>(::syscall(SYS_mkdirat, folder, path, mode));
}
int mkdir(const char* path, mode_t mode) noexcept { return ::mkdirat(AT_FDCWD, path, mode); }
int symlinkat(const char* content, int folder, const char* path) noexcept {
  if (!steps::may_too("symlink", path)) return -1;
  return static_cast<int>(::syscall(SYS_symlinkat, content, folder, path));
}
int symlink(const char* content, const char* path) noexcept { return ::symlinkat(content, AT_FDCWD, path); }
int fstatat(int folder, const char* path, struct stat* status, int flags) noexcept {
  if (!steps::may_too("stat", path)) return -1;
  return static_cast<int>(::syscall(SYS_newfstatat, folder, path, status, flags));
}
int stat(const char* path, struct stat* status) noexcept { return ::fstatat(AT_FDCWD, path, status, 0); }
int lstat(const char* path, struct stat* status) noexcept {
  return ::fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}
int fstat(int file, struct stat* status) noexcept { return ::fstatat(file, "", status, AT_EMPTY_PATH); }
int fchmod(int file, mode_t mode) noexcept {
  if (!steps::may_too("chmod", nullptr)) return -1;
  return static_cast<int>(::syscall(SYS_fchmod, file, mode));
}
int chmod(const char* path, mode_t mode) noexcept {
  if (!steps::may_too("chmod", path)) return -1;
  return static_cast<int>(::syscall(SYS_fchmodat, AT_FDCWD, path, mode));
}
int utimensat(int folder, const char* path, const timespec* times, int flags) noexcept {
  if (!steps::may_too("utimens", path)) return -1;
  return static_cast<int>(::syscall(SYS_utimensat, folder, path, times, flags));
}
int futimens(int file, const timespec* times) noexcept {
  if (!steps::may_too("utimens", nullptr)) return -1;
  return static_cast<int>(::syscall(SYS_utimensat, file, nullptr, times, 0));
}
ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t size,
                        unsigned flags) {
  if (!steps::may_too("copy", nullptr)) return -1;
  return ::syscall(SYS_copy_file_range, from, from_offset, to, to_offset, size, flags);
}
// While all calls are watched, no file shares its blocks with another: some file systems can, others cannot.
int ioctl(int file, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  if (request == FICLONE && steps::are_all_watched) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_ioctl, file, request, argument));
}
int poll(pollfd* entries, nfds_t count, int timeout) {
  if (!steps::may_too("poll", nullptr)) return -1;
  return static_cast<int>(::syscall(SYS_poll, entries, count, timeout));
}
pid_t waitpid(pid_t process, int* status, int options) {
  if (!steps::may_too("wait", nullptr)) return -1;
  return static_cast<pid_t>(::syscall(SYS_wait4, process, status, options, nullptr));
}
int pipe2(int* ends, int flags) noexcept {
  if (!steps::may_too("pipe", nullptr)) return -1;
  return static_cast<int>(::syscall(SYS_pipe2, ends, flags));
}
ssize_t readlinkat(int folder, const char* path, char* target, size_t size) noexcept {
  if (!steps::may_too("readlink", path)) return -1;
  return ::syscall(SYS_readlinkat, folder, path, target, size);
}
ssize_t readlink(const char* path, char* target, size_t size) noexcept {
  return ::readlinkat(AT_FDCWD, path, target, size);
}
// While calls are watched, work is done by one thread: its calls have an order then.
int get_nprocs() noexcept {
  return steps::is_watched ? 1 : static_cast<int>(::sysconf(_SC_NPROCESSORS_CONF));
}
int ftruncate(int file, off_t size) noexcept {
  if (!steps::may_too("truncate", nullptr)) return -1;
  return static_cast<int>(::syscall(SYS_ftruncate, file, size));
}

}  // extern "C"
