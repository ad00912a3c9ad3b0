// SPDX-License-Identifier: Apache-2.0
// Takes what datums have written into the store on other threads, while the workers go on with the next ones.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "pachbuild/local/pool/slots.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/results/result_store.h"

namespace local {

class Collector {
 public:
  struct Collected {
    Task task;
    base::Result<std::vector<ResultFile>> files;
  };

  Collector(ResultStore& store, unsigned threads);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  // What waits to be collected is given up.
  ~Collector();

  // What may have the output's folder open.
  enum class Openers { none, maybe };

  // Collects the output of a task that has succeeded as that of `key`, from its folder `output`, which is
  // gone then, or empty for another task. Its slot is kept until then, so that a run that is stopped loses no
  // more finished tasks than it has slots; but only for a moment: the next task need not wait for a large
  // output.
  void add(Task task, std::string key, Openers openers, std::optional<Slots::Slot> slot = std::nullopt);

  // The next one that is done; nothing when there is none yet. With `wait` it waits a moment for one.
  std::optional<Collected> take(bool wait);

  // Readable when there may be one: for poll().
  [[nodiscard]] int descriptor() const { return m_ready.get(); }

  // Those that were added and not taken.
  [[nodiscard]] std::size_t pending() const { return m_pending; }

 private:
  void work();
  struct Waiting {
    Task task;
    std::string key;
    Openers openers;
  };
  [[nodiscard]] Collected collect(Waiting waiting) const;
  struct HeldSlot {
    std::string task;
    std::chrono::steady_clock::time_point until;
    Slots::Slot slot;
  };

  ResultStore& m_store;
  unsigned m_most_threads;
  std::size_t m_pending = 0;
  base::UniqueFd m_ready;  // an eventfd
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<Waiting> m_waiting;
  std::deque<Collected> m_done;
  std::vector<HeldSlot> m_held;
  bool m_ending = false;
  std::vector<std::thread> m_threads;
};

}  // namespace local
