// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/run_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "contract/build_record.h"
#include "pachbuild/history/page.h"

namespace commands {
namespace {

using history::DatumState;
using history::Moment;
using history::PipelineState;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class RunRecorderTest : public testing::Test {
 protected:
  RunRecorderTest() : m_recorder({.workers = 2}, plan(), m_start) {}

  static local::Plan plan() {
    local::Plan plan;
    plan.folders = {{"pages", "/pages"}};
    plan.crons = {"tick"};
    plan.pipelines.resize(2);
    plan.pipelines[0].spec.name = "map";
    plan.pipelines[0].reads = {"pages"};
    plan.pipelines[1].spec.name = "reduce";
    plan.pipelines[1].reads = {"map"};
    plan.pipelines[1].after = {0};
    return plan;
  }

  static local::DatumName name(std::size_t number) {
    return {std::to_string(number), number, "pages/" + std::to_string(number)};
  }
  void tell(int at, local::Event::What what, const std::string& pipeline = "map") {
    m_recorder.tell({pipeline, std::move(what), m_start + milliseconds(at)});
  }
  void fail(std::size_t number, const std::string& reason, const std::string& log = "") {
    tell(1, local::DatumStarts{.datum = name(number)});
    tell(2, local::DatumEnds{.datum = name(number), .reason = reason, .log = log});
  }
  history::Run finish(int code = 0) {
    return std::move(m_recorder).finish(code, m_start + milliseconds(1000));
  }

  const std::chrono::steady_clock::time_point m_start{std::chrono::seconds(5)};
  RunRecorder m_recorder;
};

TEST_F(RunRecorderTest, KnowsThePlan) {
  const auto run = finish();
  ASSERT_EQ(run.pipelines.size(), 2U);
  EXPECT_EQ(run.pipelines[1].name, "reduce");
  EXPECT_THAT(run.pipelines[1].reads, ElementsAre("map"));
  EXPECT_THAT(run.pipelines[1].after, ElementsAre(0U));
  EXPECT_EQ(run.pipelines[1].state, PipelineState::unfinished);
  ASSERT_EQ(run.repos.size(), 2U);
  EXPECT_EQ(run.repos[0].folder, "/pages");
  EXPECT_EQ(run.repos[1].name, "tick");
  EXPECT_EQ(run.elapsed, Moment(milliseconds(1000)));
  EXPECT_FALSE(run.signal);
}

TEST_F(RunRecorderTest, HasDatumsWithTheTimeOfTheirPrograms) {
  tell(0, local::DatumSkipped{.datum = name(1), .files = 1, .bytes = 5});
  tell(1, local::DatumsBegin{.datums = 3});
  tell(10, local::DatumStarts{.datum = name(2), .because = "main.py changed"});
  tell(20, local::DatumStarts{.datum = name(3)});
  // Its output was taken later than it ended.
  tell(500, local::DatumEnds{.datum = name(2),
                             .state = local::DatumState::succeeded,
                             .elapsed = milliseconds(30),
                             .files = 2,
                             .bytes = 9});
  tell(600, local::PipelineEnds{.run = 1});
  const auto run = finish();
  const auto& map = run.pipelines[0];
  EXPECT_THAT(map.counts, ElementsAre(1U, 1U, 0U, 0U, 2U));
  EXPECT_EQ(map.never_started, 1U);
  ASSERT_EQ(map.datums.size(), 3U);
  EXPECT_EQ(map.datums[0].bytes, 5U);
  EXPECT_EQ(map.datums[1].span.begin, Moment(milliseconds(10)));
  EXPECT_EQ(map.datums[1].span.end, Moment(milliseconds(40)));
  EXPECT_EQ(map.datums[1].because, "main.py changed");
  EXPECT_EQ(map.datums[1].files, 2U);
  EXPECT_EQ(map.datums[2].state, DatumState::unfinished);
  EXPECT_EQ(map.datums[2].span.end, run.elapsed);
  EXPECT_EQ(map.lanes, 2U);
  EXPECT_EQ(map.state, PipelineState::succeeded);
}

TEST_F(RunRecorderTest, ADatumIsNeverLongerThanItsEvents) {
  tell(10, local::DatumStarts{.datum = name(1)});
  tell(20, local::DatumEnds{
               .datum = name(1), .state = local::DatumState::recovered, .elapsed = milliseconds(500)});
  const auto run = finish();
  EXPECT_EQ(run.pipelines[0].datums[0].span.end, Moment(milliseconds(20)));
  EXPECT_EQ(run.pipelines[0].count(DatumState::recovered), 1U);
}

TEST_F(RunRecorderTest, GroupsFailuresWithTheEndOfTheFirstLog) {
  auto folder = base::TemporaryFolder::make(testing::TempDir(), "recorder");
  ASSERT_TRUE(folder);
  const auto log = (folder->path() / "log").string();
  ASSERT_TRUE(base::write_file(log, "reading\nValueError: bad value 'x' in row 7\n"));
  fail(1, "exit code 1", log);
  ASSERT_TRUE(base::write_file(log, "ValueError: bad value 'y' in row 19\n"));
  fail(2, "exit code 1", log);
  fail(3, "timed out after 5 s");
  const auto run = finish(1);
  const auto& map = run.pipelines[0];
  ASSERT_EQ(map.failures.size(), 2U);
  EXPECT_EQ(map.failures[0].count, 2U);
  EXPECT_EQ(map.failures[0].log, "reading\nValueError: bad value 'x' in row 7\n");
  EXPECT_EQ(map.failures[0].path, log);
  EXPECT_EQ(map.failures[1].reason, "timed out after 5 s");
  EXPECT_EQ(map.datums[1].failure, 0U);
  EXPECT_EQ(map.datums[2].failure, 1U);
}

TEST_F(RunRecorderTest, KeepsALimitedPartOfLogsAndKinds) {
  auto folder = base::TemporaryFolder::make(testing::TempDir(), "recorder");
  ASSERT_TRUE(folder);
  const auto log = (folder->path() / "log").string();
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "another line\n";
  ASSERT_TRUE(base::write_file(log, text + "the end\n"));
  for (std::size_t i = 0; i < 300; ++i)
    fail(i, std::string("way ") + static_cast<char>('!' + i / 90) + static_cast<char>('!' + i % 90), log);
  const auto run = finish(1);
  const auto& failures = run.pipelines[0].failures;
  ASSERT_EQ(failures.size(), 201U);
  EXPECT_EQ(failures.back().reason, "in other ways");
  EXPECT_EQ(failures.back().count, 100U);
  std::size_t bytes = 0;
  for (const auto& failure : failures) {
    bytes += failure.log.size();
    if (failure.reason != "in other ways") {
      EXPECT_THAT(failure.log, HasSubstr("the end"));
    }
  }
  EXPECT_LT(bytes, 1'200'000U);
}

TEST_F(RunRecorderTest, ListsALimitedNumberOfSkippedDatums) {
  for (std::size_t i = 0; i < history::k_most_rows + 5; ++i) tell(0, local::DatumSkipped{.datum = name(i)});
  const auto run = finish();
  EXPECT_EQ(run.pipelines[0].datums.size(), history::k_most_rows);
  EXPECT_EQ(run.pipelines[0].count(DatumState::skipped), history::k_most_rows + 5);
}

TEST_F(RunRecorderTest, HasPhasesOfPipelinesAndOfTheRun) {
  const auto meter = std::make_shared<local::Meter>();
  meter->all = 77;
  tell(1, local::PhaseBegins{.phase = local::Phase::reading, .of = "pages", .bytes = meter}, "");
  tell(5, local::PhaseEnds{.phase = local::Phase::reading, .of = "pages"}, "");
  tell(6, local::PhaseBegins{.phase = local::Phase::building});
  const auto run = finish(128 + 2);
  ASSERT_EQ(run.phases.size(), 1U);
  EXPECT_EQ(run.phases[0].of, "pages");
  EXPECT_EQ(run.phases[0].bytes, 77U);
  EXPECT_EQ(run.phases[0].span.length(), Moment(milliseconds(4)));
  ASSERT_EQ(run.pipelines[0].phases.size(), 1U);
  EXPECT_EQ(run.pipelines[0].phases[0].span.end, run.elapsed);  // it was interrupted
  EXPECT_EQ(run.signal, 2);
}

TEST_F(RunRecorderTest, HasWhatWasBuilt) {
  contract::BuildRecord record{
      .builder = "python", .version = "1.0", .platform = {"linux", "amd64", "glibc 2.36", ""}};
  record.program = {"main.py", "the only one"};
  record.packages = {"numpy==2.1.3", "golang.org/x/net v0.30.0", "tool @ https://host/tool.whl", "bare"};
  record.bundles = {{.file = "bundle-x.tar.zst", .bytes = 10}, {.file = "base-x.tar.zst", .bytes = 5}};
  const auto tell_build = [&](const std::string& text, const std::string& pipeline) {
    tell(1,
         local::Explained{
             .what = "build",
             .build = std::make_shared<local::BuildResult>(local::BuildResult{"v", text, "main.py changed"})},
         pipeline);
  };
  tell_build(contract::to_json(record), "map");
  tell_build("not json", "reduce");
  tell(1, local::Explained{.what = "75 datums"});
  const auto run = finish();
  ASSERT_TRUE(run.pipelines[0].build);
  const auto& build = *run.pipelines[0].build;
  EXPECT_EQ(build.builder, "python 1.0");
  EXPECT_EQ(build.platform, "linux/amd64, glibc 2.36");
  EXPECT_EQ(build.program, "main.py (the only one)");
  EXPECT_EQ(build.bytes, 15U);
  EXPECT_EQ(build.because, "main.py changed");
  using Package = std::pair<std::string, std::string>;
  EXPECT_THAT(build.packages, ElementsAre(Package("numpy", "2.1.3"), Package("golang.org/x/net", "v0.30.0"),
                                          Package("tool", "https://host/tool.whl"), Package("bare", "")));
  ASSERT_TRUE(run.pipelines[1].build);
  EXPECT_EQ(run.pipelines[1].build->builder, "");
  EXPECT_EQ(run.pipelines[1].build->artifact, "v");
}

TEST_F(RunRecorderTest, KeepsTheEndOfWhatABuildThatFailedPrinted) {
  for (int i = 0; i < 5000; ++i) tell(1, local::BuildPrints{"step " + std::to_string(i) + "\n"});
  tell(1, local::BuildPrints{"fine\n"}, "reduce");
  tell(1, local::Explained{.what = "build", .build = std::make_shared<local::BuildResult>()}, "reduce");
  tell(2, local::PipelineFails{{base::ErrorKind::step_failed, "", "", ""}});
  tell(2, local::PipelineFails{{base::ErrorKind::io, "", "", ""}}, "reduce");
  const auto run = finish(1);
  EXPECT_THAT(run.pipelines[0].build_log, testing::StartsWith("step "));
  EXPECT_THAT(run.pipelines[0].build_log, testing::EndsWith("step 4999\n"));
  EXPECT_LT(run.pipelines[0].build_log.size(), 20'000U);
  EXPECT_EQ(run.pipelines[1].build_log, "");
}

TEST_F(RunRecorderTest, KnowsHowPipelinesEnded) {
  tell(1, local::PipelineFails{{base::ErrorKind::bad_input, "spec.json", "no datums", ""}});
  tell(1, local::PipelineLeftOut{"map"}, "reduce");
  tell(1, local::Warned{"of all"}, "");
  tell(1, local::Warned{"of one"});
  const auto run = finish(65);
  EXPECT_EQ(run.pipelines[0].state, PipelineState::failed);
  EXPECT_EQ(run.pipelines[0].error->what, "no datums");
  EXPECT_EQ(run.pipelines[1].state, PipelineState::left_out);
  EXPECT_EQ(run.pipelines[1].because, "map");
  EXPECT_THAT(run.warnings, ElementsAre("of all"));
  EXPECT_THAT(run.pipelines[0].warnings, ElementsAre("of one"));
}

TEST_F(RunRecorderTest, KnowsOnlyWhatBelongsToIt) {
  tell(1, local::Counted{}, "nobody");
  tell(1, local::DatumStarts{.datum = name(1)}, "nobody");
  tell(1, local::PipelineFails{{base::ErrorKind::io, "", "", ""}}, "nobody");
  tell(1, local::PhaseEnds{.phase = local::Phase::reading, .of = "never begun"});
  tell(1, local::Warned{"of nobody"}, "nobody");
  const auto run = finish(0);
  EXPECT_TRUE(run.pipelines[0].datums.empty());
  EXPECT_TRUE(run.pipelines[0].phases.empty());
  EXPECT_THAT(run.warnings, ElementsAre("of nobody"));
  EXPECT_EQ(run.pipelines[0].state, PipelineState::unfinished);
}

TEST_F(RunRecorderTest, KeepsTwoHundredWarnings) {
  for (int i = 0; i < 201; ++i) {
    tell(1, local::Warned{std::to_string(i)});
    tell(1, local::Warned{std::to_string(i)}, "");
  }
  const auto run = finish(0);
  EXPECT_EQ(run.pipelines[0].warnings.size(), 200U);
  EXPECT_EQ(run.pipelines[0].warnings.back(), "199");
  EXPECT_EQ(run.warnings.size(), 200U);
}

TEST_F(RunRecorderTest, PhasesHaveTheBytesOfTheirMeters) {
  const auto bytes_of = [&](std::uint64_t done, std::uint64_t all, bool counts_files, const std::string& of) {
    const auto meter = std::make_shared<local::Meter>();
    meter->done = done;
    meter->all = all;
    meter->counts_files = counts_files;
    tell(1, local::PhaseBegins{.phase = local::Phase::reading, .of = of, .bytes = meter});
    tell(3, local::PhaseEnds{.phase = local::Phase::reading, .of = of});
  };
  bytes_of(7, 0, false, "a");
  bytes_of(7, 9, false, "b");
  bytes_of(7, 9, true, "c");
  tell(1, local::PhaseBegins{.phase = local::Phase::reading, .of = "d"});
  tell(3, local::PhaseEnds{.phase = local::Phase::reading, .of = "d"});
  // The same phase a second time is another one.
  tell(5, local::PhaseBegins{.phase = local::Phase::reading, .of = "d"});
  tell(9, local::PhaseEnds{.phase = local::Phase::reading, .of = "d"});
  const auto run = finish(0);
  std::vector<std::pair<std::uint64_t, long>> told;
  for (const auto& phase : run.pipelines[0].phases)
    told.emplace_back(phase.bytes, phase.span.length() / Moment(milliseconds(1)));
  EXPECT_THAT(told, ElementsAre(std::pair(7U, 2), std::pair(9U, 2), std::pair(0U, 2), std::pair(0U, 2),
                                std::pair(0U, 4)));
}

TEST_F(RunRecorderTest, AProgramOfNoKnownLengthEndsWithItsEvent) {
  tell(10, local::DatumStarts{.datum = name(1)});
  tell(30, local::DatumEnds{.datum = name(1), .state = local::DatumState::succeeded});
  // One whose beginning nobody told begins where it ends.
  tell(40, local::DatumEnds{.datum = name(2), .state = local::DatumState::succeeded});
  tell(50, local::PipelineEnds{.run = 1, .failed = 1});
  const auto run = finish(1);
  const auto& map = run.pipelines[0];
  EXPECT_EQ(map.datums[0].span.end, Moment(milliseconds(30)));
  EXPECT_EQ(map.datums[1].span.begin, Moment(milliseconds(40)));
  EXPECT_EQ(map.datums[1].span.length(), Moment(0));
  EXPECT_EQ(map.state, PipelineState::failed);
  EXPECT_EQ(map.never_started, 0U);
  EXPECT_EQ(map.end->failed, 1U);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_FALSE(run.signal);
}

TEST_F(RunRecorderTest, TheExitCode128IsNoSignal) { EXPECT_FALSE(finish(128).signal); }

TEST_F(RunRecorderTest, AnExitCodeAbove128IsASignal) {
  const auto run = finish(129);
  EXPECT_EQ(run.signal, 1);
  EXPECT_EQ(run.exit_code, 129);
}

}  // namespace
}  // namespace commands
