// SPDX-License-Identifier: Apache-2.0
#include "base/measure.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "base/digest.h"
#include "base/files.h"
#include "base/parallel.h"

namespace base {
namespace {

class MeasureTest : public testing::Test {
 protected:
  // What `work` tells while somebody listens.
  template <class Work>
  std::uint64_t measured(const Work& work) {
    std::atomic<std::uint64_t> done = 0;
    const Measure measure([&](std::uint64_t more) { done += more; });
    EXPECT_TRUE(work().has_value());
    return done;
  }
  fs::path file(const std::string& name, std::size_t bytes) {
    const fs::path path = m_folder.path() / name;
    EXPECT_TRUE(write_file(path, std::string(bytes, 'x')));
    return path;
  }
  TemporaryFolder m_folder = TemporaryFolder::make("/tmp", "measure-").value();
};

TEST_F(MeasureTest, DigestsAndCopiesTellTheirBytes) {
  const auto from = file("a", 300'000);
  EXPECT_EQ(measured([&] { return sha256_of_file(from.string()); }), 300'000U);
  EXPECT_EQ(measured([&] { return copy_regular_file(from, m_folder.path() / "b", 0644); }), 300'000U);
}

TEST_F(MeasureTest, ThreadsTellForTheOneThatStartedThem) {
  EXPECT_EQ(measured([] {
              return in_parallel(100, [](std::size_t) -> Status {
                advance(2);
                return {};
              });
            }),
            200U);
}

TEST_F(MeasureTest, TheNewestOneCountsAndAnEmptyOneTellsNobody) {
  std::uint64_t outer = 0;
  std::uint64_t inner = 0;
  const Measure measure([&](std::uint64_t more) { outer += more; });
  {
    const Measure newer([&](std::uint64_t more) { inner += more; });
    advance(1);
  }
  {
    const Measure nobody({});
    advance(10);
  }
  advance(100);
  EXPECT_EQ(inner, 1U);
  EXPECT_EQ(outer, 100U);
}

TEST_F(MeasureTest, WithoutOneNothingHappens) { advance(5); }

}  // namespace
}  // namespace base
