// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/cron.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"

namespace spec {
namespace {

constexpr char k_five[] =
    R"(write five fields (minute, hour, day of the month, month, day of the week) like "0 3 * * *", or "@every 1h")";
constexpr char k_every_hint[] = R"(write "@every 90s" or "@every 24h")";
constexpr char k_sunday[] = "Sunday is 0 or sun";

// What the library of Pachyderm 2.12 says to each (tests/golden/crons.jsonl).
TEST(Crons, AreTakenWhereThatLibraryTakesThem) {
  const auto text = base::read_file(base::fs::path(PACHBUILD_GOLDEN) / "crons.jsonl").value();
  int count = 0;
  for (const auto& line : base::split(text, '\n')) {
    if (line.empty()) continue;
    const auto answer = nlohmann::json::parse(line);
    ++count;
    EXPECT_EQ(fault_of_cron(answer.at("spec")).has_value(), answer.contains("error")) << line;
  }
  EXPECT_GT(count, 600);
}

TEST(Crons, FaultsAreTold) {
  const std::string descriptors =
      "is not one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every, @never";
  for (const auto& [text, what, hint] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"*", "has 1 field; Pachyderm expects 5", k_five},
           {"* * * *", "has 4 fields; Pachyderm expects 5", k_five},
           {"* * * * * *", "has 6 fields; Pachyderm expects 5", k_five},
           {"60 * * * *", "the minute, \"60\": 60 is more than 59", k_five},
           {"* 24 * * *", "the hour, \"24\": 24 is more than 23", k_five},
           {"* * 0 * *", "the day of the month, \"0\": 0 is less than 1", k_five},
           {"* * 32 * *", "the day of the month, \"32\": 32 is more than 31", k_five},
           {"* * * 0 *", "the month, \"0\": 0 is less than 1", k_five},
           {"* * * 13 *", "the month, \"13\": 13 is more than 12", k_five},
           {"* * * * 7", "the day of the week, \"7\": 7 is more than 6", k_sunday},
           {"1,2,60 * * * *", "the minute, \"60\": 60 is more than 59", k_five},
           {"5-3 * * * *", "the minute, \"5-3\": 5 is more than 3", k_five},
           {"* * * dec-jan *", "the month, \"dec-jan\": 12 is more than 1", k_five},
           {"* * * * SAT-SUN", "the day of the week, \"SAT-SUN\": 6 is more than 0", k_sunday},
           {"1-2-3 * * * *", "the minute, \"1-2-3\": has more than one '-'", k_five},
           {"*/2/3 * * * *", "the minute, \"*/2/3\": has more than one '/'", k_five},
           {"*/0 * * * *", "the minute, \"*/0\": has a step of 0", k_five},
           {"*/x * * * *", "the minute, \"*/x\": \"x\" is not a number", k_five},
           {"*/ * * * *", "the minute, \"*/\": \"\" is not a number", k_five},
           {"x * * * *", "the minute, \"x\": \"x\" is not a number", k_five},
           {"1-y * * * *", "the minute, \"1-y\": \"y\" is not a number", k_five},
           {"x-y * * * *", "the minute, \"x-y\": \"x\" is not a number", k_five},
           {"-1 * * * *", "the minute, \"-1\": \"\" is not a number", k_five},
           {"1x * * * *", "the minute, \"1x\": \"1x\" is not a number", k_five},
           {"+ * * * *", "the minute, \"+\": \"+\" is not a number", k_five},
           {"* * * foo *", "the month, \"foo\": \"foo\" is not a number or name", k_five},
           {"* * * * fri-x", "the day of the week, \"fri-x\": \"x\" is not a number or name", k_sunday},
           {"60/5 * * * *", "the minute, \"60/5\": 60 is more than 59", k_five},
           {"@every 1d", "invalid duration \"1d\"", "write \"@every 24h\""},
           {"@every ", "invalid duration \"\"", k_every_hint},
           {"@every --1s", "invalid duration \"-1s\"", k_every_hint},
           {"@every ++1s", "invalid duration \"++1s\"", k_every_hint},
           {"@every -+1s", "invalid duration \"-+1s\"", k_every_hint},
           {"@every +-1s", "invalid duration \"+-1s\"", k_every_hint},
           {"@every", descriptors, k_every_hint},
           {"@dayly", descriptors, "did you mean \"@daily\"?"},
           {"@never x", descriptors, "did you mean \"@never\"?"},
           {"@", descriptors, k_five},
           {"@something-else", descriptors, k_five},
       }) {
    const auto fault = fault_of_cron(text);
    ASSERT_TRUE(fault) << text;
    EXPECT_EQ(fault->what, what) << text;
    EXPECT_EQ(fault->hint, hint) << text;
  }
}

TEST(Crons, AtTheirLimitsAreRight) {
  for (const char* text :
       {"0 0 1 1 0",       "59 23 31 12 6",   "59-59 * * * *", "3-3 * * * *",  "5/15 * * * *", "59/1 * * * *",
        "0-59/59 * * * *", "+5 * * * *",      ", * * * *",     "1,,2 * * * *", "? ? ? ? ?",    "*-x * * * *",
        "* * * JAN-Dec *", "* * * * Sun-sAT", "*\t*  * * *",   " @never ",     "@never",       "@yearly",
        "@annually",       "@monthly",        "@weekly",       "@daily",       "@midnight",    "@hourly",
        "@every 1s",       "@every -1s",      "@every +1s",    "@every 0",     "@every +0",    "@every -0"})
    EXPECT_FALSE(fault_of_cron(text)) << text << ": " << fault_of_cron(text)->what;
}

}  // namespace
}  // namespace spec
