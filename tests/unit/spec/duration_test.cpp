// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/duration.h"

#include <gtest/gtest.h>

namespace spec {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, TakesWhatGoTakes) {
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("1.5h"), 90min);
  EXPECT_EQ(parse_duration("300ms"), 300ms);
  EXPECT_EQ(parse_duration("3m"), 3min);
  EXPECT_EQ(parse_duration(".5s"), 500ms);
  EXPECT_EQ(parse_duration("1.s"), 1s);
  EXPECT_EQ(parse_duration("2us3ns"), 2003ns);
  EXPECT_EQ(parse_duration("2µs"), 2us);
  EXPECT_EQ(parse_duration("2μs"), 2us);
  EXPECT_EQ(parse_duration("+1s"), 1s);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("2562047h"), 2562047h);
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text :
       {"", "1", "s", "5 s", "1d", "-1s", "1s ", ".s", "1h30", "1..5s", "1e3s", "+", "++1s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_duration("9999999h"), std::nullopt) << "longer than 64 bits of nanoseconds";
  EXPECT_EQ(parse_duration(std::string(200, '9') + "s"), std::nullopt);
}

TEST(MeantDuration, IsWhatParseDurationTakes) {
  for (const auto& [text, meant] : std::vector<std::pair<std::string, std::string>>{
           {"5 min", "5m"},
           {" 1h 30m ", "1h30m"},
           {"1 hour, 30 Minutes", "1h30m"},
           {"90 sec", "90s"},
           {"250 milliseconds", "250ms"},
           {"1.5 hrs", "1.5h"},
           {"2d", "48h"},
           {"1 day 12 hours", "24h12h"},
           {"5M", "5m"},
           {"300", "300s"},
           {"1.5", "1.5s"},
       }) {
    EXPECT_EQ(meant_duration(text), meant) << text;
    EXPECT_TRUE(parse_duration(meant)) << text;
  }
  for (const std::string& text :
       {std::string(), std::string("soon"), std::string("-5s"), std::string("1h 30"), std::string("min 5"),
        std::string("1.5d"), std::string("5 months"), std::string("00:05:00"), std::string("1..5 s"),
        std::string("999999999 days"), std::string(200, '9')}) {
    EXPECT_EQ(meant_duration(text), "") << text;
  }
}

TEST(InSeconds, IsWhatProtobufWrites) {
  EXPECT_EQ(in_seconds(90min), "5400s");
  EXPECT_EQ(in_seconds(1500ms), "1.5s");
  EXPECT_EQ(in_seconds(1ns), "0.000000001s");
  EXPECT_EQ(in_seconds(0s), "0s");
}

// Tried with protojson.
TEST(IsInSeconds, IsWhatProtobufTakes) {
  for (const char* text : {"90s", "0.5s", ".5s", "1.s", "+1s", "0s", "1.123456789s", "10s", "0.s"})
    EXPECT_TRUE(is_in_seconds(text)) << text;
  for (const char* text :
       {"1h", "01s", "90", "00s", "-1s", "1 s", "s1", "1m30s", "0", "1.1234567891s", "1ms"})
    EXPECT_FALSE(is_in_seconds(text)) << text;
}

TEST(ParseDuration, HasTheUnitsOfGo) {
  for (const auto& [unit, one] : std::vector<std::pair<std::string, std::chrono::nanoseconds>>{{"ns", 1ns},
                                                                                               {"us", 1us},
                                                                                               {"µs", 1us},
                                                                                               {"μs", 1us},
                                                                                               {"ms", 1ms},
                                                                                               {"s", 1s},
                                                                                               {"m", 1min},
                                                                                               {"h", 1h}}) {
    EXPECT_EQ(parse_duration("1" + unit), one) << unit;
    EXPECT_EQ(parse_duration("0" + unit), 0ns) << unit;
    EXPECT_EQ(parse_duration("12" + unit + "34" + unit), 46 * one) << unit;
  }
  EXPECT_EQ(parse_duration("1.25s"), 1250ms);
  EXPECT_EQ(parse_duration("10.010s"), 10'010ms);
  EXPECT_EQ(parse_duration("1h2m3s4ms5us6ns"), 1h + 2min + 3s + 4ms + 5us + 6ns);
  EXPECT_EQ(parse_duration("+0"), 0ns) << "0 needs no unit, with a sign neither";
  EXPECT_EQ(parse_duration("00"), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036854775807ns"), std::chrono::nanoseconds::max());
  EXPECT_EQ(parse_duration("9223372036854775808ns"), std::nullopt);
}

TEST(InSeconds, HasNoZerosAtTheEnd) {
  EXPECT_EQ(in_seconds(10'010ms), "10.01s");
  EXPECT_EQ(in_seconds(100s + 120us), "100.00012s");
  EXPECT_EQ(in_seconds(999'999'999ns), "0.999999999s");
  EXPECT_EQ(in_seconds(1'000'000'001ns), "1.000000001s");
}

}  // namespace
}  // namespace spec
