// SPDX-License-Identifier: Apache-2.0
// Writes small files below one folder in threads of its own, so that creating them (the file system's work)
// overlaps with decompressing the next ones.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace shim {

// What could not be written, and why.
struct WriteFailure {
  std::string path;
  int error_number = 0;
};

// Makes room on a full disk, or says that there is no more to be made.
using MakeRoom = std::function<bool()>;

// The same, for many threads.
class RoomMaker {
 public:
  explicit RoomMaker(MakeRoom make_room) : m_make_room(std::move(make_room)) {}
  // How often room was made so far: to be asked before what may fail.
  [[nodiscard]] unsigned rounds() const { return m_rounds; }
  // Whether what failed with `error_number` may be tried again.
  bool make(int error_number, unsigned rounds_before);

 private:
  std::mutex m_mutex;
  std::atomic<unsigned> m_rounds = 0;
  const MakeRoom m_make_room;
};

// A new file below `root`, open to be written. Never replaces one.
std::optional<WriteFailure> create_file(int root, const std::string& path, mode_t mode, RoomMaker& room,
                                        base::UniqueFd& file);
std::optional<WriteFailure> append(int file, const std::string& path, std::string_view bytes,
                                   RoomMaker& room);
// Closes a written file with the time k_file_time: on some file systems (NFS) only this tells that the disk
// is full.
std::optional<WriteFailure> close_file(base::UniqueFd file, const std::string& path);

class FileWriters {
 public:
  struct File {
    std::string path;
    mode_t mode = 0644;
    std::string content;
  };

  // With fewer threads than wanted, down to none, where the system allows no more.
  FileWriters(int root, unsigned threads, RoomMaker& room);
  ~FileWriters();
  FileWriters(const FileWriters&) = delete;
  FileWriters& operator=(const FileWriters&) = delete;

  // Waits while too much is waiting. After a failure nothing more is written.
  void add(File file);

  [[nodiscard]] bool failed() const { return m_failed; }

  // Waits until all is written; the first failure, if there was one.
  std::optional<WriteFailure> finish();

 private:
  bool start_thread();
  void work();
  void write(const File& file);
  void fail(WriteFailure failure);

  const int m_root;
  RoomMaker& m_room;
  std::vector<std::thread> m_threads;
  std::mutex m_mutex;
  std::condition_variable m_added;
  std::condition_variable m_taken;
  std::deque<File> m_waiting;
  std::size_t m_waiting_bytes = 0;
  bool m_closed = false;
  std::atomic<bool> m_failed = false;
  std::optional<WriteFailure> m_failure;
};

}  // namespace shim
