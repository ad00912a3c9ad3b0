// SPDX-License-Identifier: Apache-2.0
// Work on all processors.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

#include "base/result.h"

namespace base {

// The processors that this process may use, at least 1: those that it may run on, or the fewer whose time its
// container gets.
unsigned processors();

// The result of `work()`, made by another thread or, where cannot start another thread (a limit of
// processes), by the one that asks for it.
template <class Work>
auto start_async(Work work) -> std::future<decltype(work())> {
  // Shared, since a failed start would take a moved one with it.
  const auto run = [shared = std::make_shared<Work>(std::move(work))] { return (*shared)(); };
  try {
    return std::async(std::launch::async, run);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, run);
  }
}

// work(0) … work(count - 1), in no order and several at a time; another thread is started only for
// `least_of_a_thread` of them. Where no thread can be started, fewer do it all. After a failure no more are
// begun; of several failures one is given.
Status in_parallel(std::size_t count, const std::function<Status(std::size_t)>& work,
                   std::size_t least_of_a_thread = 1);

}  // namespace base
