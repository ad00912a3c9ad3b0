// SPDX-License-Identifier: Apache-2.0
// What a run looks like after some events: in one line, and in the lines that are drawn.
#include "pachbuild/view/run_state.h"

#include <gmock/gmock.h>

#include <limits>

#include "report/columns.h"

namespace view {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const Time k_start(1000s);

local::DatumName run_datum_named(std::size_t number, const std::string& label = "r/a") {
  return {"id" + std::to_string(number), number, label};
}

class State {
 public:
  State& tell(std::chrono::milliseconds after, local::Event::What what, const std::string& pipeline = "map") {
    m_state.take({pipeline, std::move(what), k_start + after});
    return *this;
  }
  // So many of so many datums that started at once have ended, some of them with a failure.
  State& datums(std::size_t all, std::size_t started, std::size_t done, std::size_t failed = 0) {
    tell(0s, local::DatumsBegin{all});
    for (std::size_t i = 1; i <= started; ++i) tell(0s, local::DatumStarts{run_datum_named(i)});
    for (std::size_t i = 1; i <= done; ++i) {
      tell(0s,
           local::DatumEnds{.datum = run_datum_named(i),
                            .state = i <= failed ? local::DatumState::failed : local::DatumState::succeeded});
    }
    return *this;
  }
  [[nodiscard]] std::string text(std::chrono::milliseconds after) const {
    return progress_text(m_state, k_start + after);
  }
  [[nodiscard]] std::vector<std::string> drawn(std::chrono::milliseconds after, std::size_t columns = 100,
                                               std::size_t lines = 10, bool colours = false) const {
    return lines_of(m_state, k_start + after, {.columns = columns, .lines = lines, .colours = colours});
  }
  [[nodiscard]] const RunState& state() const { return m_state; }

 private:
  RunState m_state;
};

std::shared_ptr<local::Meter> run_meter(std::uint64_t done, std::uint64_t all, bool counts_files = false) {
  auto one = std::make_shared<local::Meter>();
  one->done = done;
  one->all = all;
  one->counts_files = counts_files;
  return one;
}

TEST(ShortDurations, AreInTheTwoLargestUnits) {
  for (const auto& [duration, text] :
       std::vector<std::pair<std::chrono::milliseconds, std::string>>{{-5s, "0 s"},
                                                                      {0s, "0 s"},
                                                                      {999ms, "0 s"},
                                                                      {59'999ms, "59 s"},
                                                                      {60s, "1 min 0 s"},
                                                                      {185s, "3 min 5 s"},
                                                                      {3599s, "59 min 59 s"},
                                                                      {3600s, "1 h 0 min"},
                                                                      {7659s, "2 h 7 min"},
                                                                      {100h, "100 h 0 min"}})
    EXPECT_EQ(short_duration(duration), text);
}

TEST(ShownLines, AreTheLastThatIsNotBlank) {
  for (const auto& [printed, shown] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"a", "a"},
                                                        {"a\nb\n", "b"},
                                                        {"a\n \n", "a"},
                                                        {"x\ty\n", "x y"},
                                                        {"\x1b[31mred\x1b[0m", "red"}})
    EXPECT_EQ(shown_line(printed), shown);
  // Of a long one its end, of 4 KiB.
  EXPECT_EQ(shown_line("a" + std::string(4096, 'x')), std::string(4096, 'x'));
  EXPECT_EQ(shown_line("a" + std::string(4095, 'x')), "a" + std::string(4095, 'x'));
}

TEST(ShortNamesOfDatums, HaveTheLastPartOfEachPath) {
  for (const auto& [label, name] : std::vector<std::pair<std::string, std::string>>{{"r", "7 r"},
                                                                                    {"r/", "7 r"},
                                                                                    {"r//", "7 r"},
                                                                                    {"/", "7 "},
                                                                                    {"", "7 "},
                                                                                    {"r/a/b/", "7 b"},
                                                                                    {"r/a + s/b", "7 a+b"}})
    EXPECT_EQ(short_name(run_datum_named(7, label)), name) << label;
  EXPECT_EQ(short_name(run_datum_named(7, "r/" + std::string(24, 'x'))), "7 " + std::string(24, 'x'));
  EXPECT_EQ(short_name(run_datum_named(7, "r/" + std::string(25, 'x'))), "7 …" + std::string(23, 'x'));
}

TEST(PhasesOfARun, AreShownWithHowFarTheyAre) {
  using local::Phase;
  const auto text = [](Phase phase, const std::string& of, const std::shared_ptr<local::Meter>& meter) {
    return State().tell(0s, local::PhaseBegins{phase, of, meter}).text(2s);
  };
  EXPECT_EQ(text(Phase::reading, "r", nullptr), "map: reading r, 2 s");
  EXPECT_EQ(text(Phase::reading, "", nullptr), "map: reading, 2 s");
  EXPECT_EQ(text(Phase::reading, "r", run_meter(0, 9)), "map: reading r, 2 s");
  EXPECT_EQ(text(Phase::reading, "r", run_meter(3, 0)), "map: reading r: 3 B, 2 s");
  EXPECT_EQ(text(Phase::reading, "r", run_meter(3, 9)), "map: reading r: 3 B of 9 B, 2 s");
  EXPECT_EQ(text(Phase::exporting, "r", run_meter(3, 9, true)), "map: writing the output: 3 of 9 files, 2 s");
  EXPECT_EQ(text(Phase::exporting, "", run_meter(3, 0, true)), "map: writing the output: 3 files, 2 s");
  EXPECT_EQ(text(Phase::exporting, "", run_meter(1, 1, true)), "map: writing the output: 1 of 1 file, 2 s");
  EXPECT_EQ(text(Phase::exporting, "", run_meter(1, 0, true)), "map: writing the output: 1 file, 2 s");
  EXPECT_EQ(text(Phase::building, "x", nullptr), "map: building, 2 s");
  EXPECT_EQ(State().tell(0s, local::PhaseBegins{.phase = Phase::reading}, "").text(1s), "reading, 1 s");
}

TEST(PhasesOfARun, EndByThemselves) {
  using local::Phase;
  State state;
  state.tell(0s, local::PhaseBegins{.phase = Phase::reading, .of = "a"});
  state.tell(0s, local::PhaseBegins{.phase = Phase::reading, .of = "b"});
  state.tell(0s, local::PhaseBegins{.phase = Phase::building});
  state.tell(1s, local::PhaseEnds{.phase = Phase::exporting, .of = "a"});
  state.tell(1s, local::PhaseEnds{.phase = Phase::reading, .of = "b"});
  state.tell(1s, local::PhaseEnds{.phase = Phase::reading, .of = "a"}, "other");
  EXPECT_EQ(state.text(2s), "map: reading a, 2 s; map: building, 2 s");
  state.tell(3s, local::PipelineEnds{}, "other");
  EXPECT_EQ(state.text(2s), "map: reading a, 2 s; map: building, 2 s");
  state.tell(3s, local::PipelineEnds{});
  EXPECT_EQ(state.text(4s), "");
  EXPECT_TRUE(state.state().pipelines().empty());
  State failed;
  failed.datums(2, 1, 0).tell(0s, local::PhaseBegins{.phase = Phase::building});
  failed.tell(1s, local::PipelineFails{{base::ErrorKind::io, "", "", ""}});
  EXPECT_TRUE(failed.state().pipelines().empty());
}

TEST(BuildsOfARun, ShowTheirStepOrTheirLastLine) {
  using local::Phase;
  State state;
  state.tell(0s, local::PhaseBegins{.phase = Phase::reading, .of = "r"});
  state.tell(0s, local::PhaseBegins{.phase = Phase::building});
  state.tell(1s, local::BuildSteps{.step = "packing", .meter = run_meter(1, 4)});
  EXPECT_THAT(state.drawn(2s), ElementsAre("map: reading r, 2 s",
                                           "map: building: packing: 1 B of 4 B, 2 s [#####"
                                           "...............]"));
  state.tell(1s, local::BuildPrints{"\n"});
  EXPECT_EQ(state.drawn(2s)[1], "map: building: packing: 1 B of 4 B, 2 s [#####...............]");
  state.tell(1s, local::BuildPrints{"compiling x\n"});
  EXPECT_THAT(state.drawn(2s), ElementsAre("map: reading r, 2 s", "map: building, 2 s  compiling x"));
  state.tell(1s, local::BuildSteps{.step = "packing"});
  EXPECT_THAT(state.drawn(2s), ElementsAre("map: reading r, 2 s", "map: building: packing, 2 s"));
  // A line is only shown where there is room for it.
  state.tell(1s, local::BuildPrints{"compiling x\n"});
  for (const auto& [columns, line] : std::vector<std::pair<std::size_t, std::string>>{
           {18 + 13, "map: building, 2 s  compiling x"}, {18 + 12, "map: building, 2 s"}})
    EXPECT_EQ(state.drawn(2s, columns)[1], line) << columns;
}

TEST(DatumsOfARun, AreCountedAndTheirTimeIsGuessed) {
  EXPECT_EQ(State().datums(4, 0, 0).text(9s), "map: 0 of 4 datums");
  EXPECT_EQ(State().datums(1, 1, 0).text(9s), "map: 0 of 1 datum, 9 s; longest: datum 1 a, 9 s");
  EXPECT_EQ(State().datums(4, 1, 1).text(2999ms), "map: 1 of 4 datums, 2 s");
  EXPECT_EQ(State().datums(4, 1, 1).text(3s), "map: 1 of 4 datums, 3 s, about 9 s to go");
  EXPECT_EQ(State().datums(4, 2, 2, 1).text(10s), "map: 2 of 4 datums, 1 failed, 10 s, about 10 s to go");
  EXPECT_EQ(State().datums(4, 4, 2, 2).text(10s),
            "map: 2 of 4 datums, 2 failed, 10 s, about 10 s to go; longest: datum 3 a, 10 s");
  EXPECT_EQ(State().datums(4, 4, 4).text(10s), "");
  EXPECT_EQ(State().datums(2000, 1, 1).text(10s), "map: 1 of 2000 datums, 10 s, about 5 h 33 min to go");
}

TEST(DatumsOfARun, AreDrawnInOneLineAsFarAsItFits) {
  State state;
  for (int i = 0; i < 3; ++i) state.tell(0s, local::DatumSkipped{.datum = run_datum_named(90)});
  state.tell(0s, local::Counted{.datums = 7}).datums(4, 2, 2, 1);
  const std::string bar = " [##########..........]";
  const std::string whole = "map: 2 of 4 datums, 1 failed, 10 s, about 10 s to go, 3 skipped";
  EXPECT_THAT(state.drawn(10s), ElementsAre(whole + bar));
  EXPECT_THAT(state.drawn(10s, whole.size() + 23), ElementsAre(whole + bar));
  EXPECT_THAT(state.drawn(10s, whole.size() + 22), ElementsAre(whole));
  EXPECT_THAT(state.drawn(10s, 28), ElementsAre("map: 2 of 4 datums, 1 failed"));
  EXPECT_THAT(state.drawn(10s, 27), ElementsAre("map: 2 of 4 datums, 10 s"));
  EXPECT_THAT(
      state.drawn(10s, 100, 10, true),
      ElementsAre(
          "\x1b[1mmap: \x1b[0m2 of 4 datums\x1b[31m, 1 failed\x1b[0m, 10 s, about 10 s to go, 3 skipped"
          "\x1b[2m" +
          bar + "\x1b[0m"));
  // A single datum needs no bar, a pipeline without a name no colour.
  EXPECT_THAT(State().tell(0s, local::DatumsBegin{1}, "").drawn(1s, 80, 5, true),
              ElementsAre("0 of 1 datum"));
  EXPECT_THAT(State().tell(0s, local::DatumsBegin{2}, "").drawn(1s),
              ElementsAre("0 of 2 datums [....................]"));
  EXPECT_EQ(state.state().pipelines().front().all, 7U);
}

TEST(DatumsOfARun, ThatRunHaveLinesTheLongestFirst) {
  State state;
  state.tell(0s, local::DatumsBegin{4});
  state.tell(2s, local::DatumStarts{run_datum_named(2, "r/two")});
  state.tell(1s, local::DatumStarts{run_datum_named(1, "r/one")}, "other");
  state.tell(3s, local::DatumStarts{run_datum_named(3, "r/three")});
  state.tell(4s, local::DatumPrints{run_datum_named(3), "hello\n"});
  state.tell(4s, local::DatumPrints{run_datum_named(3), "\n"});
  state.tell(4s, local::DatumPrints{run_datum_named(2), "x"}, "other");
  const std::string first = "map: 0 of 4 datums, 3 s [....................]";
  const std::string one = "  1 one                     4 s";
  const std::string two = "  2 two                     3 s";
  const std::string three = "  3 three                   2 s  hello";
  EXPECT_THAT(state.drawn(5s), ElementsAre(first, one, two, three));
  EXPECT_THAT(state.drawn(5s, 100, 4), ElementsAre(first, one, two, three));
  EXPECT_THAT(state.drawn(5s, 100, 3), ElementsAre(first, one, "  and 2 more"));
  EXPECT_THAT(state.drawn(5s, 100, 2), ElementsAre(first, "  and 3 more"));
  EXPECT_THAT(state.drawn(5s, 100, 1), ElementsAre(first));
  EXPECT_EQ(state.drawn(5s, 30)[1], "  1 one       4 s") << "a third of the columns";
  EXPECT_EQ(state.drawn(5s, 100, 10, true)[3], "  3 three                   2 s  \x1b[2mhello\x1b[0m");
  EXPECT_EQ(state.text(5s), "map: 0 of 4 datums, 3 s; longest: datum 2 two, 3 s");
  state.tell(5s, local::DatumEnds{.datum = run_datum_named(2)});
  EXPECT_THAT(state.drawn(5s, 18), ElementsAre("map: 1 of 4 datums", "  1 one   4 s", "  …three  2 s  he…"));
}

TEST(PipelinesOfARun, HaveALineEachAsFarAsThereIsRoom) {
  State state;
  for (const std::string name : {"a", "b", "c"}) state.tell(0s, local::DatumsBegin{2}, name);
  EXPECT_EQ(state.drawn(1s).size(), 3U);
  EXPECT_EQ(state.drawn(1s, 100, 3).size(), 3U);
  const std::string bar = " [....................]";
  EXPECT_THAT(state.drawn(1s, 100, 2), ElementsAre("a: 0 of 2 datums" + bar, "  and 2 more"));
  EXPECT_THAT(state.drawn(1s, 100, 1), ElementsAre("  and 3 more"));
  EXPECT_THAT(state.drawn(1s, 5, 1), ElementsAre("  an…"));
  EXPECT_EQ(state.text(1s), "a: 0 of 2 datums; b: 0 of 2 datums; c: 0 of 2 datums");
  // A name takes half of a line at most.
  EXPECT_THAT(State().tell(0s, local::DatumsBegin{2}, std::string(40, 'n')).drawn(1s, 32),
              ElementsAre(std::string(15, 'n') + "…0 of 2 datums"));
}

TEST(PipelinesOfARun, AreActiveWhileAnythingOfThemIs) {
  const auto is_active = [](const State& state) { return state.state().pipelines().front().is_active(); };
  EXPECT_FALSE(is_active(State().tell(0s, local::DatumsBegin{0})));
  EXPECT_TRUE(is_active(State().tell(0s, local::DatumsBegin{1})));
  EXPECT_TRUE(is_active(State().tell(0s, local::DatumStarts{run_datum_named(1)})));
  EXPECT_TRUE(is_active(State().tell(0s, local::PhaseBegins{})));
  EXPECT_FALSE(is_active(State().datums(1, 1, 1)));
}

TEST(BarsOfARun, AreFullAtTheEnd) {
  for (const auto& [done, bar] :
       std::vector<std::pair<std::uint64_t, std::string>>{{1, "...................."},
                                                          {5, "#..................."},
                                                          {99, "###################."},
                                                          {100, "####################"},
                                                          {101, "####################"}}) {
    const auto lines =
        State().tell(0s, local::PhaseBegins{local::Phase::reading, "", run_meter(done, 100)}, "").drawn(0s);
    EXPECT_EQ(lines.front().substr(lines.front().find('[')), "[" + bar + "]");
  }
}

}  // namespace
}  // namespace view
