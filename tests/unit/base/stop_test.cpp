// SPDX-License-Identifier: Apache-2.0
#include "base/stop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "base/files.h"
#include "base/parallel.h"

namespace base {
namespace {

// Far more than can be copied or read between two questions; it takes no room on the disk.
constexpr off_t k_large = off_t{1} << 40;

class StopTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file(m_large, ""));
    ASSERT_EQ(::truncate(m_large.c_str(), k_large), 0);
  }

  // True from the third time on, as when the signal comes while the work is going on.
  bool ask() { return ++m_asked > 2; }

  TemporaryFolder m_folder = TemporaryFolder::make("/tmp", "stop-test-").value();
  fs::path m_large = m_folder.path() / "large";
  std::atomic<int> m_asked = 0;
};

TEST_F(StopTest, NobodyWatchesUntilSomebodyDoes) {
  EXPECT_FALSE(is_stop_watched());
  EXPECT_TRUE(check_stop());
  {
    const StopQuestion outer([] { return true; });
    EXPECT_TRUE(is_stop_watched());
    EXPECT_EQ(check_stop().error().what, "interrupted");
    {
      const StopQuestion inner([] { return false; });
      EXPECT_TRUE(check_stop());
    }
    EXPECT_FALSE(check_stop());
  }
  EXPECT_TRUE(check_stop());
}

TEST_F(StopTest, ACopyStopsAndLeavesNothing) {
  const StopQuestion stop([this] { return ask(); });
  const auto copied = copy_regular_file(m_large, m_folder.path() / "copy", 0644);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().what, "interrupted");
  EXPECT_FALSE(fs::exists(m_folder.path() / "copy"));
}

TEST_F(StopTest, ACopyOfAFileOfTheKernelsOwnStops) {
  const StopQuestion stop([] { return true; });
  EXPECT_FALSE(copy_regular_file("/proc/self/maps", m_folder.path() / "copy", 0644));
}

TEST_F(StopTest, ADigestStops) {
  const StopQuestion stop([this] { return ask(); });
  const auto digest = sha256_of_file(m_large.string());
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().what, "interrupted");
}

TEST_F(StopTest, WorkOnAllProcessorsStops) {
  const StopQuestion stop([this] { return ask(); });
  std::atomic<std::size_t> done = 0;
  const auto status = in_parallel(1000, [&](std::size_t) -> Status {
    ++done;
    return {};
  });
  EXPECT_FALSE(status);
  EXPECT_LT(done, 1000U);
}

TEST_F(StopTest, WaitingForALockStops) {
  const auto lock = FileLock::acquire(m_folder.path() / "lock");
  ASSERT_TRUE(lock);
  const StopQuestion stop([this] { return ask(); });
  const auto other = FileLock::acquire(m_folder.path() / "lock");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().what, "interrupted");
}

}  // namespace
}  // namespace base
