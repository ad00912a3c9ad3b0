// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/slow_notice.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>

namespace shim {

SlowNotice::SlowNotice(std::string line) : m_line("worker-shim: " + std::move(line) + "\n") {
  try {
    m_thread = std::thread([this] { wait(); });
  } catch (const std::system_error&) {
    return;  // a limit on processes: then nothing is told
  }
}

SlowNotice::~SlowNotice() {
  {
    const std::lock_guard lock(m_mutex);
    m_over = true;
  }
  m_ended.notify_all();
  if (m_thread.joinable()) m_thread.join();
}

void SlowNotice::wait() {
  const auto patience = std::chrono::seconds(::isatty(STDERR_FILENO) != 0 ? 1 : 10);
  std::unique_lock lock(m_mutex);
  if (!m_ended.wait_for(lock, patience, [&] { return m_over; })) std::fputs(m_line.c_str(), stderr);
}

}  // namespace shim
