// SPDX-License-Identifier: Apache-2.0
// Tells a person who waits what for: one line, once it has taken a second on a terminal, or ten in a log.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace shim {

class SlowNotice {
 public:
  // Starts a thread, which says "worker-shim: LINE" unless the notice goes before.
  explicit SlowNotice(std::string line);
  ~SlowNotice();
  SlowNotice(const SlowNotice&) = delete;
  SlowNotice& operator=(const SlowNotice&) = delete;

 private:
  void wait();

  const std::string m_line;
  std::mutex m_mutex;
  std::condition_variable m_ended;
  bool m_over = false;
  std::thread m_thread;
};

}  // namespace shim
