// SPDX-License-Identifier: Apache-2.0
// Each event as the line that programs read (docs: pachbuild run --events-json).
#include "pachbuild/view/json_events.h"

#include <gmock/gmock.h>

#include <ctime>
#include <nlohmann/json.hpp>

namespace view {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Texts = std::vector<std::string>;

class JsonEventsTest : public testing::Test {
 protected:
  // The lines of these events, without the time and what is before them.
  Texts lines(const std::vector<local::Event>& events, bool has_all_lines = true) {
    Texts written;
    JsonEvents json([&](std::string_view line) { written.emplace_back(line); }, has_all_lines);
    written.clear();
    for (const auto& event : events) json.tell(event);
    return without_times(written);
  }
  static Texts without_times(Texts written) {
    for (auto& line : written) {
      EXPECT_TRUE(line.ends_with("}\n")) << line;
      EXPECT_TRUE(line.starts_with("{\"time\":\"")) << line;
      line = "{" + line.substr(line.find("\",") + 2);
      line.pop_back();
    }
    return written;
  }
  std::string line(local::Event::What what, const std::string& pipeline = "map") {
    const auto all = lines({{pipeline, std::move(what), m_now}});
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? "" : all.front();
  }

  const std::chrono::steady_clock::time_point m_now = std::chrono::steady_clock::now();
  const local::DatumName m_datum{"id1", 7, "r/a"};
  const std::string m_shown = R"("datum":{"id":"id1","number":7,"label":"r/a"})";
  const std::vector<local::DatumInput> m_inputs = {{"r", "/a", "/data/a"}, {"s", "/", ""}};
  const std::string m_shown_inputs =
      R"(,"inputs":[{"name":"r","path":"/a","file":"/data/a"},{"name":"s","path":"/"}])";
};

TEST_F(JsonEventsTest, HaveTheirFields) {
  using local::Phase;
  EXPECT_EQ(line(local::Warned{"see https://a:b@c/"}),
            R"({"event":"warning","pipeline":"map","message":"see https://a:***@c/"})");
  EXPECT_EQ(line(local::Warned{"x"}, ""), R"({"event":"warning","message":"x"})");
  EXPECT_EQ(line(local::Hinted{"x"}, ""), R"({"event":"hint","message":"x"})");
  EXPECT_EQ(line(local::SourceLeftOut{{"a.csv", "gen/"}}, ""),
            R"({"event":"source_left_out","paths":["a.csv","gen/"]})");
  EXPECT_EQ(line(local::PhaseBegins{.phase = Phase::reading, .of = "r"}),
            R"({"event":"phase_began","pipeline":"map","phase":"reading","of":"r"})");
  EXPECT_EQ(line(local::PhaseBegins{.phase = Phase::building}),
            R"({"event":"phase_began","pipeline":"map","phase":"building"})");
  EXPECT_EQ(
      line(local::PhaseEnds{.phase = Phase::exporting, .of = "r", .elapsed = 1234567us}),
      R"({"event":"phase_ended","pipeline":"map","phase":"exporting","of":"r","succeeded":true,"seconds":1.234})");
  EXPECT_EQ(line(local::PhaseEnds{.phase = Phase::building, .of = "", .elapsed = 2s, .succeeded = false}),
            R"({"event":"phase_ended","pipeline":"map","phase":"building","succeeded":false,"seconds":2.0})");
  EXPECT_EQ(line(local::BuildSteps{.step = "packing"}),
            R"({"event":"build_step","pipeline":"map","step":"packing"})");
  EXPECT_EQ(line(local::Explained{.what = "build", .because = "x https://a:b@c/"}),
            R"({"event":"explained","pipeline":"map","what":"build","because":"x https://a:***@c/"})");
  EXPECT_EQ(line(local::Counted{.datums = 5}), R"({"event":"datums_counted","pipeline":"map","datums":5})");
  EXPECT_EQ(
      line(local::DatumSkipped{.datum = m_datum, .inputs = m_inputs, .log = "/l", .files = 2, .bytes = 3}),
      R"({"event":"datum_skipped","pipeline":"map",)" + m_shown + m_shown_inputs +
          R"(,"log":"/l","files":2,"bytes":3})");
  EXPECT_EQ(line(local::DatumsBegin{.datums = 4}), R"({"event":"datums_began","pipeline":"map","datums":4})");
  EXPECT_EQ(line(local::DatumStarts{.datum = m_datum, .inputs = m_inputs, .log = "/l", .because = "new"}),
            R"({"event":"datum_started","pipeline":"map",)" + m_shown + m_shown_inputs +
                R"(,"log":"/l","because":"new"})");
  EXPECT_EQ(line(local::DatumStarts{.datum = m_datum}),
            R"({"event":"datum_started","pipeline":"map",)" + m_shown + R"(,"inputs":[],"log":""})");
  EXPECT_EQ(
      line(local::PipelineEnds{.run = 1,
                               .skipped = 2,
                               .recovered = 3,
                               .failed = 4,
                               .unselected = 5,
                               .conflicting = 9,
                               .output = "/o",
                               .exported = true,
                               .partial = false,
                               .files = 6,
                               .bytes = 7,
                               .elapsed = 8ms}),
      R"({"event":"pipeline_ended","pipeline":"map","run":1,"skipped":2,"recovered":3,"failed":4,"unselected":5,)"
      R"("conflicting":9,"output":"/o","exported":true,"partial":false,"files":6,"bytes":7,"seconds":0.008})");
  EXPECT_EQ(
      line(local::PipelineFails{
          {base::ErrorKind::bad_input, "https://a:b@w/", "x https://a:b@w/", "h https://a:b@w/"}}),
      R"({"event":"pipeline_failed","pipeline":"map","where":"https://a:***@w/","message":"x https://a:***@w/",)"
      R"("hint":"h https://a:***@w/","code":65})");
  EXPECT_EQ(line(local::PipelineFails{{base::ErrorKind::step_failed, "", "", ""}}),
            R"({"event":"pipeline_failed","pipeline":"map","code":1})");
  EXPECT_EQ(line(local::PipelineLeftOut{"other"}),
            R"({"event":"pipeline_left_out","pipeline":"map","because":"other"})");
  EXPECT_EQ(line(local::CacheShrunk{.datums = 2, .bytes = 3}),
            R"({"event":"cache_shrunk","pipeline":"map","datums":2,"bytes":3})");
}

TEST_F(JsonEventsTest, DatumsEndInAState) {
  for (const auto& [state, name] :
       std::map<local::DatumState, std::string>{{local::DatumState::succeeded, "succeeded"},
                                                {local::DatumState::recovered, "recovered"},
                                                {local::DatumState::failed, "failed"}}) {
    EXPECT_EQ(line(local::DatumEnds{
                  .datum = m_datum, .state = state, .log = "/l", .elapsed = 5ms, .files = 1, .bytes = 2}),
              R"({"event":"datum_ended","pipeline":"map",)" + m_shown + R"(,"state":")" + name +
                  R"(","log":"/l","seconds":0.005,"files":1,"bytes":2})");
  }
  EXPECT_EQ(
      line(local::DatumEnds{.datum = m_datum, .reason = "x https://a:b@c/"}),
      R"({"event":"datum_ended","pipeline":"map",)" + m_shown +
          R"(,"state":"failed","reason":"x https://a:***@c/","log":"","seconds":0.0,"files":0,"bytes":0})");
  EXPECT_EQ(
      line(local::DatumEnds{.datum = m_datum, .reason = "exit code 3", .exit_code = 3, .log = "/l"}),
      R"({"event":"datum_ended","pipeline":"map",)" + m_shown +
          R"(,"state":"failed","reason":"exit code 3","exit_code":3,"log":"/l","seconds":0.0,"files":0,"bytes":0})");
}

TEST_F(JsonEventsTest, HaveTheTimeOfTheEvent) {
  std::string written;
  JsonEvents json([&](std::string_view text) { written = text; }, true);
  const auto hour_ago = std::time(nullptr) - 3600;
  json.tell({"p", local::Counted{}, std::chrono::steady_clock::now() - 3600s});
  std::tm parts{};
  int milliseconds = -1;
  int length = 0;
  ASSERT_EQ(std::sscanf(written.c_str(), R"({"time":"%4d-%2d-%2dT%2d:%2d:%2d.%3dZ"%n)", &parts.tm_year,
                        &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec,
                        &milliseconds, &length),
            7)
      << written;
  EXPECT_EQ(length, 34) << written;
  parts.tm_year -= 1900;
  --parts.tm_mon;
  EXPECT_LE(std::abs(std::difftime(::timegm(&parts), hour_ago)), 60) << written;
}

TEST_F(JsonEventsTest, BeginAndEnd) {
  Texts written;
  JsonEvents json([&](std::string_view text) { written.emplace_back(text); }, true);
  json.finish(65);
  EXPECT_THAT(without_times(written),
              ElementsAre(R"({"event":"run_began","schema":1,"version":")" PACHBUILD_VERSION R"("})",
                          R"({"event":"run_ended","exit_code":65})"));
}

TEST_F(JsonEventsTest, LinesArePrintedWhole) {
  const auto prints = [&](const std::string& text, const std::string& id = "id1") -> local::Event {
    return {"map", local::DatumPrints{{id, 7, "r/a"}, text}, m_now};
  };
  const auto printed = [](const std::string& id, const std::string& text) {
    return R"({"event":"datum_printed","pipeline":"map","datum":{"id":")" + id +
           R"(","number":7,"label":"r/a"},"line":")" + text + "\"}";
  };
  EXPECT_THAT(lines({prints("a\n\nb"), prints("x", "id2"), prints("c\n"), prints("\xff")}),
              ElementsAre(printed("id1", "a"), printed("id1", ""), printed("id1", "bc")));
  // What is left comes before the end of that program.
  const auto ended =
      lines({prints("a"), prints("b", "id2"), {"map", local::DatumEnds{.datum = m_datum}, m_now}});
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0], printed("id1", "a"));
  EXPECT_EQ(ended[1].find(R"({"event":"datum_ended")"), 0U);
  // Or the newest of it only.
  EXPECT_THAT(lines({prints("a\nb\n"), prints(""), prints(" \n"), prints("c")}, false),
              ElementsAre(printed("id1", "b"), printed("id1", "c")));
  const auto build = [&](const std::string& text) -> local::Event {
    return {"map", local::BuildPrints{text}, m_now};
  };
  for (const bool has_all_lines : {true, false}) {
    EXPECT_THAT(
        lines(
            {build("one\ntw"), build("o"), {"map", local::PhaseEnds{.phase = local::Phase::building}, m_now}},
            has_all_lines),
        ElementsAre(R"({"event":"build_printed","pipeline":"map","line":"one"})",
                    R"({"event":"build_printed","pipeline":"map","line":"two"})",
                    testing::StartsWith(R"({"event":"phase_ended")")));
  }
}

// What the first tick tells of what has begun and not ended.
TEST_F(JsonEventsTest, TellHowFarPhasesAre) {
  using local::Phase;
  const auto told = [&](const std::vector<local::Event>& events) {
    Texts written;
    JsonEvents json([&](std::string_view text) { written.emplace_back(text); }, true);
    for (const auto& event : events) json.tell(event);
    written.clear();
    json.tick();
    const auto first = written;
    json.tick();  // it tells once a second
    EXPECT_EQ(written.size(), first.size());
    return without_times(first);
  };
  const auto meter = [](std::uint64_t done, std::uint64_t all, bool counts_files) {
    auto one = std::make_shared<local::Meter>();
    one->done = done;
    one->all = all;
    one->counts_files = counts_files;
    return one;
  };
  const auto at = m_now;
  const local::Event reading{"map", local::PhaseBegins{Phase::reading, "r", meter(5, 9, false)}, at};
  const std::string reads =
      R"({"event":"phase_progress","pipeline":"map","phase":"reading","of":"r","unit":"bytes","done":5,"all":9})";
  EXPECT_THAT(told({reading}), ElementsAre(reads));
  EXPECT_THAT(told({{"", local::PhaseBegins{Phase::exporting, "", meter(5, 0, true)}, at}}),
              ElementsAre(R"({"event":"phase_progress","phase":"exporting","unit":"files","done":5})"));
  EXPECT_THAT(told({{"map", local::PhaseBegins{Phase::reading, "r", meter(0, 9, false)}, at}}),
              ElementsAre());
  EXPECT_THAT(told({{"map", local::PhaseBegins{Phase::reading, "r", nullptr}, at}}), ElementsAre());
  const auto ends = [&](const std::string& pipeline, Phase phase, const std::string& of) -> local::Event {
    return {pipeline, local::PhaseEnds{.phase = phase, .of = of}, at};
  };
  EXPECT_THAT(told({reading, ends("map", Phase::reading, "r")}), ElementsAre());
  EXPECT_THAT(told({reading, ends("other", Phase::reading, "r"), ends("map", Phase::exporting, "r"),
                    ends("map", Phase::reading, "q")}),
              ElementsAre(reads));
  // Of a build, its newest step.
  const auto step = [&](const std::string& name, const std::shared_ptr<local::Meter>& of) -> local::Event {
    return {"map", local::BuildSteps{name, of}, at};
  };
  EXPECT_THAT(
      told({step("one", meter(1, 2, false)), step("two", meter(3, 0, false))}),
      ElementsAre(
          R"({"event":"phase_progress","pipeline":"map","phase":"building","step":"two","unit":"bytes","done":3})"));
  EXPECT_THAT(told({step("one", meter(1, 2, false)), step("two", nullptr)}), ElementsAre());
  EXPECT_THAT(told({reading, step("two", nullptr)}), ElementsAre(reads));
}

}  // namespace
}  // namespace view
