// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <set>
#include <thread>

namespace base {
namespace {

// While it lives, no thread can be started: none gets the stack that it would have to have.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&m_former);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, std::size_t{1} << 46);
    EXPECT_EQ(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&m_former);
    pthread_attr_destroy(&m_former);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t m_former{};
};

TEST(Parallel, WithoutFurtherThreadsTheCallerDoesItAll) {
  const NoThreads no_threads;
  EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  std::atomic<int> done = 0;
  EXPECT_TRUE(in_parallel(1000, [&](std::size_t) -> Status {
    ++done;
    return {};
  }));
  EXPECT_EQ(done, 1000);
  EXPECT_EQ(start_async([] { return 7; }).get(), 7);
}

TEST(Parallel, AFailureIsGivenAndEndsTheRest) {
  const NoThreads no_threads;
  int done = 0;
  const auto status = in_parallel(1000, [&](std::size_t turn) -> Status {
    ++done;
    return turn == 10 ? fail(ErrorKind::io, "x", "y") : Status();
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "y");
  EXPECT_EQ(done, 11);
}

std::set<std::thread::id> threads_of(std::size_t count, std::size_t least) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::multiset<std::size_t> turns;
  EXPECT_TRUE(in_parallel(
      count,
      [&](std::size_t turn) -> Status {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
        turns.insert(turn);
        return {};
      },
      least));
  EXPECT_EQ(turns.size(), count);
  for (std::size_t turn = 0; turn < count; ++turn) EXPECT_EQ(turns.count(turn), 1U);
  return threads;
}

TEST(Parallel, AThreadIsStartedForNoLessThanWasSaid) {
  const std::set<std::thread::id> own = {std::this_thread::get_id()};
  EXPECT_EQ(threads_of(0, 1), std::set<std::thread::id>());
  EXPECT_EQ(threads_of(1, 1), own);
  EXPECT_EQ(threads_of(19, 10), own);
  EXPECT_EQ(threads_of(1000, 1001), own);
  EXPECT_LE(threads_of(299, 100).size(), 2U);
  EXPECT_LE(threads_of(1000, 1).size(), processors());
}

// All turns wait for each other, which only as many threads as there are turns can.
TEST(Parallel, HasAThreadForEachProcessor) {
  const std::size_t count = std::min(processors(), 4U);
  std::latch latch(static_cast<std::ptrdiff_t>(count));
  EXPECT_TRUE(in_parallel(count, [&](std::size_t) -> Status {
    latch.count_down();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!latch.try_wait() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return latch.try_wait() ? Status() : fail(ErrorKind::io, "", "alone");
  }));
}

TEST(Parallel, AFailureOfAnotherThreadIsGiven) {
  if (processors() < 2) GTEST_SKIP() << "there is one processor";
  std::latch latch(2);
  const auto own = std::this_thread::get_id();
  const auto status = in_parallel(2, [&](std::size_t) -> Status {
    latch.arrive_and_wait();  // so that each has one turn
    return std::this_thread::get_id() == own ? Status() : fail(ErrorKind::io, "x", "y");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "y");
}

}  // namespace
}  // namespace base
