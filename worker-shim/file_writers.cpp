// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/file_writers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "worker-shim/seal.h"

namespace shim {
namespace {

// How far the threads may fall behind, which bounds the memory.
constexpr std::size_t k_waiting_bytes = std::size_t{8} * 1024 * 1024;
constexpr std::size_t k_waiting_files = 256;

}  // namespace

bool RoomMaker::make(int error_number, unsigned rounds_before) {
  if (!m_make_room || (error_number != ENOSPC && error_number != EDQUOT)) return false;
  const std::lock_guard lock(m_mutex);
  // Another thread made room after this one had found none.
  if (m_rounds != rounds_before) return true;
  if (!m_make_room()) return false;
  ++m_rounds;
  return true;
}

std::optional<WriteFailure> create_file(int root, const std::string& path, mode_t mode, RoomMaker& room,
                                        base::UniqueFd& file) {
  while (true) {
    const unsigned rounds = room.rounds();
    file.reset(::openat(root, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (file) return std::nullopt;
    const int error_number = errno;
    if (!room.make(error_number, rounds)) return WriteFailure{path, error_number};
  }
}

std::optional<WriteFailure> append(int file, const std::string& path, std::string_view bytes,
                                   RoomMaker& room) {
  while (!bytes.empty()) {
    const unsigned rounds = room.rounds();
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error_number = errno;
      if (room.make(error_number, rounds)) continue;
      return WriteFailure{path, error_number};
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return std::nullopt;
}

std::optional<WriteFailure> close_file(base::UniqueFd file, const std::string& path) {
  const timespec times[] = {{0, UTIME_OMIT}, {k_file_time, 0}};
  ::futimens(file.get(), times);  // a disk without times keeps no seals either
  if (const int error_number = file.close(); error_number != 0) return WriteFailure{path, error_number};
  return std::nullopt;
}

FileWriters::FileWriters(int root, unsigned threads, RoomMaker& room) : m_root(root), m_room(room) {
  while (m_threads.size() < threads && start_thread()) {
  }
}

bool FileWriters::start_thread() {
  try {
    m_threads.emplace_back([this] { work(); });
    return true;
  } catch (const std::system_error&) {
    return false;  // a limit on processes: those that there are do it, or add() itself
  }
}

FileWriters::~FileWriters() { finish(); }

void FileWriters::add(File file) {
  if (m_threads.empty()) return write(file);
  std::unique_lock lock(m_mutex);
  m_taken.wait(lock, [&] { return m_waiting.size() < k_waiting_files && m_waiting_bytes < k_waiting_bytes; });
  m_waiting_bytes += file.content.size();
  m_waiting.push_back(std::move(file));
  lock.unlock();
  m_added.notify_one();
}

std::optional<WriteFailure> FileWriters::finish() {
  {
    const std::lock_guard lock(m_mutex);
    m_closed = true;
  }
  m_added.notify_all();
  for (auto& thread : m_threads) thread.join();
  m_threads.clear();
  return m_failure;
}

void FileWriters::work() {
  std::unique_lock lock(m_mutex);
  while (true) {
    m_added.wait(lock, [&] { return m_closed || !m_waiting.empty(); });
    if (m_waiting.empty()) return;
    const File file = std::move(m_waiting.front());
    m_waiting.pop_front();
    m_waiting_bytes -= file.content.size();
    lock.unlock();
    m_taken.notify_one();
    write(file);
    lock.lock();
  }
}

void FileWriters::write(const File& file) {
  if (m_failed) return;
  base::UniqueFd target;
  auto failure = create_file(m_root, file.path, file.mode, m_room, target);
  if (!failure) failure = append(target.get(), file.path, file.content, m_room);
  if (!failure) failure = close_file(std::move(target), file.path);
  if (failure) fail(std::move(*failure));
}

void FileWriters::fail(WriteFailure failure) {
  const std::lock_guard lock(m_mutex);
  if (!m_failure) m_failure = std::move(failure);
  m_failed = true;
}

}  // namespace shim
