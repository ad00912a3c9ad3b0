// SPDX-License-Identifier: Apache-2.0
// Files that are named pipes, as a lazy input of a worker has them: the bytes travel when a process opens
// one, once a datum. One thread a pipe waits for that.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace local {

class LazyFiles {
 public:
  LazyFiles() = default;
  LazyFiles(const LazyFiles&) = delete;
  LazyFiles& operator=(const LazyFiles&) = delete;
  ~LazyFiles();

  // From now on what add() makes can be read again and again, by one reader at a time: for a person who tries
  // a program more than once. Call it before that.
  void serve_again() { m_again = true; }

  // A named pipe at `folder`/`name` that gives the content of the file `source`. Needs SIGPIPE to be ignored.
  base::Status add(const std::string& source, const base::fs::path& folder, const std::string& name);

  // Stops serving and says which pipe was opened but not read to its end, which a worker of a cluster
  // takes for a failure of the datum. Call it when the program has ended. `folder`: where the pipes are now,
  // for the error. A pipe that nobody has opened goes on waiting.
  base::Status finish(const base::fs::path& folder);

  // After finish(): the pipes can be read again. Only where no process is left that could have one open.
  base::Status renew();

  // Gives up the pipes whose names are below `folder_name`; all of them when that is empty.
  void drop(const std::string& folder_name);

 private:
  struct Pipe {
    std::string source;
    std::string name;
    bool again = false;
    base::UniqueFd place;  // the pipe itself, whatever happens to its name
    std::atomic<bool> opened = false;
    std::atomic<bool> stopping = false;
    base::Status status;
    std::thread thread;
  };
  static base::Status start(Pipe& pipe);
  static void stop(Pipe& pipe);
  static void serve(Pipe& pipe);
  static bool serve_once(Pipe& pipe);
  static base::Status pump(int source, int target, const Pipe& pipe);
  static base::Status write_all(int target, const char* bytes, std::size_t size, const Pipe& pipe);

  std::vector<std::unique_ptr<Pipe>> m_pipes;
  bool m_again = false;
};

}  // namespace local
