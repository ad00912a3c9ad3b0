// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/stop.h"

namespace base {

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

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
    others.push_back(start_async(take_turns));
  }
  auto result = take_turns();
  for (auto& other : others) {
    if (auto status = other.get(); !status) result = std::move(status);
  }
  return result;
}

}  // namespace base
