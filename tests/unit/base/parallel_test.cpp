// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
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

}  // namespace
}  // namespace base
