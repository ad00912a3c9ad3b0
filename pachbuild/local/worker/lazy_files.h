// SPDX-License-Identifier: Apache-2.0
// Files that are named pipes, as a lazy input of a worker has them: the bytes travel when a process opens
// one, once. One thread a pipe waits for that.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace local {

class LazyFiles {
 public:
  LazyFiles() = default;
  LazyFiles(const LazyFiles&) = delete;
  LazyFiles& operator=(const LazyFiles&) = delete;
  ~LazyFiles();

  // A named pipe at `path` that gives the content of the file `source`. Needs SIGPIPE to be ignored.
  base::Status add(const std::string& source, const std::string& path);

  // Stops serving and says which pipe was opened but not read to its end, which a worker of a cluster
  // takes for a failure of the datum. Call it when the program has ended.
  base::Status finish();

 private:
  struct Pipe {
    std::string source;
    std::string path;
    base::UniqueFd place;  // the pipe itself, whatever happens to its name
    std::atomic<bool> opened = false;
    base::Status status;
    std::thread thread;
  };
  void serve(Pipe& pipe) const;
  base::Status pump(int source, int target, const Pipe& pipe) const;
  base::Status write_all(int target, const char* bytes, std::size_t size, const Pipe& pipe) const;

  std::vector<std::unique_ptr<Pipe>> m_pipes;
  std::atomic<bool> m_finishing = false;
};

}  // namespace local
