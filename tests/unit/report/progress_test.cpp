// SPDX-License-Identifier: Apache-2.0
#include "report/progress.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "contract/environment.h"

namespace report {
namespace {

TEST(Progress, IsToldByALineOfJson) {
  const auto read =
      parse_progress(R"({"level":"progress","step":"packing","done":12,"all":48,"unit":"bytes"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->step, "packing");
  EXPECT_EQ(read->done, 12U);
  EXPECT_EQ(read->all, 48U);
  EXPECT_FALSE(read->counts_files);
  EXPECT_TRUE(parse_progress(R"({"step":"a","done":0,"all":0,"unit":"files"})")->counts_files);
}

TEST(Progress, AnythingElseIsNone) {
  for (const char* const line :
       {"", "text", "[]", "1", R"("step")", "{}", R"({"done":1,"all":2,"unit":"bytes"})",
        R"({"step":"a","all":2,"unit":"bytes"})", R"({"step":"a","done":1,"unit":"bytes"})",
        R"({"step":"a","done":1,"all":2})", R"({"step":1,"done":1,"all":2,"unit":"bytes"})",
        R"({"step":"a","done":"1","all":2,"unit":"bytes"})", R"({"step":"a","done":1,"all":2,"unit":3})",
        R"({"step":"a","done":1,"all":2,"unit":"bytes"} x)"})
    EXPECT_FALSE(parse_progress(line)) << line;
  EXPECT_TRUE(is_progress(R"({"level":"progress","step":"a"})"));
  for (const char* const line : {"", R"({"level":"progress"})", R"( {"level":"progress",})",
                                 R"({"level":"info","message":"{\"level\":\"progress\","})"})
    EXPECT_FALSE(is_progress(line)) << line;
}

// In a process of its own, with the variable that asks for it.
[[noreturn]] void tell_steps(const char* value) {
  if (value == nullptr) {
    ::unsetenv(contract::k_progress_variable);
  } else {
    ::setenv(contract::k_progress_variable, value, 1);
  }
  Step one("pack\ting \xff", 48, Step::Unit::bytes);
  // Too soon after the first line.
  one.advance(12);
  one.advance(12);
  Step other("files", 0, Step::Unit::files);
  std::exit(0);
}

TEST(ProgressDeathTest, IsToldWhereItIsAskedFor) {
  EXPECT_EXIT(tell_steps("1"), testing::ExitedWithCode(0),
              "^\\{\"level\":\"progress\",\"step\":\"pack\\\\ting "
              "\xEF\xBF\xBD\",\"done\":0,\"all\":48,\"unit\":\"bytes\"\\}\n"
              "\\{\"level\":\"progress\",\"step\":\"files\",\"done\":0,\"all\":0,\"unit\":\"files\"\\}\n$");
  EXPECT_EXIT(tell_steps(""), testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT(tell_steps(nullptr), testing::ExitedWithCode(0), "^$");
}

// Until a time has passed that is longer than the one between two lines.
TEST(ProgressDeathTest, IsToldAgainAfterAWhile) {
  const auto told = [] {
    ::setenv(contract::k_progress_variable, "1", 1);
    Step step("s", 9, Step::Unit::bytes);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
    while (std::chrono::steady_clock::now() < end) {
    }
    step.advance(4);
    step.advance(5);
    std::exit(0);
  };
  EXPECT_EXIT(told(), testing::ExitedWithCode(0), "^.*\"done\":0,.*\n.*\"done\":4,.*\n$");
}

}  // namespace
}  // namespace report
