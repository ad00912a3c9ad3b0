// SPDX-License-Identifier: Apache-2.0
#include "base/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <iostream>

#include "base/errors.h"

namespace base {
namespace {

rlimit descriptor_limits() {
  rlimit limits{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limits), 0);
  return limits;
}

// In a process of its own: what a limit was lowered to stays.
[[noreturn]] void raise_from(rlim_t soft, rlim_t hard) {
  const rlimit limits{soft, hard};
  if (::setrlimit(RLIMIT_NOFILE, &limits) != 0) ::_exit(2);
  const auto raised = raise_descriptor_limit();
  std::cerr << (raised ? "" : format_error(raised.error())) << descriptor_limits().rlim_cur << " of "
            << descriptor_limits().rlim_max << "\n";
  ::_exit(raised ? 0 : 1);
}

TEST(DescriptorLimitDeathTest, IsRaisedAsFarAsItMayAndIsOfUse) {
  const struct {
    rlim_t soft, hard, raised;
  } rows[] = {{64, 256, 256},           {256, 256, 256},         {64, 1000, 1000},
              {1000, 1000, 1000},       {100, 65'536, 65'536},   {100, 65'537, 65'536},
              {65'536, 70'000, 65'536}, {70'000, 80'000, 70'000}};
  for (const auto& row : rows) {
    if (row.hard > descriptor_limits().rlim_max) continue;
    EXPECT_EXIT(raise_from(row.soft, row.hard), testing::ExitedWithCode(0),
                std::to_string(row.raised) + " of " + std::to_string(row.hard));
  }
}

TEST(DescriptorLimitDeathTest, OneThatIsTooLowIsAnError) {
  EXPECT_EXIT(raise_from(64, 255), testing::ExitedWithCode(1),
              "error: ulimit -n: only 255 files may be open at once; a build needs 256\n"
              "hint: raise the limit of the shell or container .ulimit -n 1024, --ulimit nofile=1024.\n"
              "255 of 255");
}

}  // namespace
}  // namespace base
