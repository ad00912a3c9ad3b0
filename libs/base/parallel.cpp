// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/control_group.h"
#include "base/measure.h"
#include "base/stop.h"

namespace base {

unsigned processors() {
  const auto allowed = std::max(1U, std::thread::hardware_concurrency());
  if (allowed == 1) return allowed;
  static const auto quota = processor_quota(ControlGroup::find("cpu"));
  return std::min(allowed, quota.value_or(allowed));
}

Status in_parallel(std::size_t count, const std::function<Status(std::size_t)>& work,
                   std::size_t least_of_a_thread) {
  std::atomic<std::size_t> next = 0;
  const auto take_turns = [&]() -> Status {
    for (std::size_t turn = next++; turn < count; turn = next++) {
      auto status = check_stop();
      if (status) status = work(turn);
      if (!status) {
        next = count;
        return status;
      }
    }
    return {};
  };
  std::vector<std::future<Status>> others;
  for (unsigned i = 1; i < std::min<std::size_t>(processors(), count / least_of_a_thread); ++i) {
    others.push_back(start_async([&take_turns, advance = current_measure()] {
      const Measure measure(advance);
      return take_turns();
    }));
  }
  auto result = take_turns();
  for (auto& other : others) {
    if (auto status = other.get(); !status) result = std::move(status);
  }
  return result;
}

}  // namespace base
