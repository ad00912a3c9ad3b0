// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/history/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "example.h"

namespace history {
namespace {

using testing::ElementsAre;

std::vector<std::size_t> lanes_of(const std::vector<std::pair<long, long>>& spans) {
  Pipeline pipeline;
  for (const auto& [begin, end] : spans)
    pipeline.datums.push_back(datum_of(pipeline.datums.size(), "d", DatumState::succeeded, begin, end));
  pipeline.datums.push_back(datum_of(9, "skipped", DatumState::skipped, 0, 0));
  assign_lanes(pipeline);
  std::vector<std::size_t> lanes{pipeline.lanes};
  for (std::size_t i = 0; i < spans.size(); ++i) lanes.push_back(pipeline.datums[i].lane);
  return lanes;
}

TEST(Lanes, AreAsManyAsDatumsRanAtOnce) {
  EXPECT_THAT(lanes_of({}), ElementsAre(0U));
  EXPECT_THAT(lanes_of({{0, 10}, {10, 20}, {20, 20}}), ElementsAre(1U, 0U, 0U, 0U));
  EXPECT_THAT(lanes_of({{0, 10}, {5, 20}, {9, 12}, {10, 30}, {12, 13}}), ElementsAre(3U, 0U, 1U, 2U, 0U, 2U));
}

TEST(Lanes, DoNotDependOnTheOrderInWhichDatumsEnded) {
  EXPECT_THAT(lanes_of({{10, 20}, {0, 10}, {0, 30}}), ElementsAre(2U, 0U, 0U, 1U));
}

std::vector<std::tuple<long, long, std::size_t>> bins_of_lengths(const std::vector<long>& lengths) {
  std::vector<Moment> moments;
  for (const auto length : lengths) moments.emplace_back(length);
  std::vector<std::tuple<long, long, std::size_t>> bins;
  for (const auto& bin : durations_of(moments).bins)
    bins.emplace_back(bin.from.count(), bin.to.count(), bin.count);
  return bins;
}

TEST(DurationsOfDatums, FallIntoBinsWithoutGaps) {
  using Bin = std::tuple<long, long, std::size_t>;
  EXPECT_THAT(bins_of_lengths({}), ElementsAre());
  EXPECT_THAT(bins_of_lengths({0}), ElementsAre(Bin(0, 1, 1)));
  EXPECT_THAT(bins_of_lengths({20, 49, 50, 199}),
              ElementsAre(Bin(20, 50, 2), Bin(50, 100, 1), Bin(100, 200, 1)));
  EXPECT_THAT(bins_of_lengths({1'000'000, 12'000'000}),
              ElementsAre(Bin(1'000'000, 2'000'000, 1), Bin(2'000'000, 5'000'000, 0),
                          Bin(5'000'000, 10'000'000, 0), Bin(10'000'000, 20'000'000, 1)));
}

TEST(DurationsOfDatums, HaveAMiddleAndAnEnd) {
  std::vector<Moment> lengths;
  for (long i = 100; i > 0; --i) lengths.emplace_back(i);
  const auto durations = durations_of(lengths);
  EXPECT_EQ(durations.count, 100U);
  EXPECT_EQ(durations.sum, Moment{5050});
  EXPECT_EQ(durations.median, Moment{51});
  EXPECT_EQ(durations.p95, Moment{96});
  EXPECT_EQ(durations.longest, Moment{100});
  EXPECT_EQ(durations_of({Moment{7}}).p95, Moment{7});
}

TEST(TimeWithDatums, CountsWhatIsSideBySideOnce) {
  history::Run run;
  EXPECT_EQ(time_with_datums(run), Moment{0});
  run.pipelines.resize(2);
  run.pipelines[0].datums = {datum_of(1, "a", DatumState::succeeded, 10, 20),
                             datum_of(2, "b", DatumState::failed, 50, 60),
                             datum_of(3, "c", DatumState::skipped, 0, 0)};
  run.pipelines[1].datums = {datum_of(1, "a", DatumState::succeeded, 15, 30),
                             datum_of(2, "b", DatumState::succeeded, 16, 18)};
  EXPECT_EQ(time_with_datums(run), Moment{30});
}

}  // namespace
}  // namespace history
