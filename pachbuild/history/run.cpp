// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/history/run.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

namespace history {
namespace {

// 1, 2, 5, 10, 20, 50, … microseconds.
Moment next_limit(Moment limit) {
  auto power = limit.count();
  while (power % 10 == 0) power /= 10;
  return power == 2 ? limit / 2 * 5 : limit * 2;
}

// The value that `part` of the sorted lengths do not exceed.
Moment quantile(const std::vector<Moment>& sorted, double part) {
  const auto place = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
  return sorted[std::min(place, sorted.size() - 1)];
}

std::vector<Durations::Bin> bins_of(const std::vector<Moment>& sorted) {
  std::vector<Durations::Bin> bins;
  Moment from{1};
  while (next_limit(from) <= sorted.front()) from = next_limit(from);
  if (sorted.front() < from) from = Moment{0};
  for (auto next = sorted.begin(); next != sorted.end();) {
    const Moment to = from.count() == 0 ? Moment{1} : next_limit(from);
    const auto end = std::lower_bound(next, sorted.end(), to);
    bins.push_back({from, to, static_cast<std::size_t>(end - next)});
    next = end;
    from = to;
  }
  return bins;
}

}  // namespace

void assign_lanes(Pipeline& pipeline) {
  std::vector<Datum*> datums;
  for (auto& datum : pipeline.datums) {
    if (datum.state != DatumState::skipped) datums.push_back(&datum);
  }
  std::sort(datums.begin(), datums.end(), [](const Datum* a, const Datum* b) {
    return std::pair(a->span.begin, a->name.number) < std::pair(b->span.begin, b->name.number);
  });
  using Busy = std::pair<Moment, std::size_t>;  // until when, and the lane
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free;
  for (auto* datum : datums) {
    for (; !busy.empty() && busy.top().first <= datum->span.begin; busy.pop()) free.push(busy.top().second);
    if (free.empty()) free.push(pipeline.lanes++);
    datum->lane = free.top();
    free.pop();
    busy.emplace(datum->span.end, datum->lane);
  }
}

Durations durations_of(const std::vector<Moment>& lengths) {
  Durations durations;
  if (lengths.empty()) return durations;
  auto sorted = lengths;
  std::sort(sorted.begin(), sorted.end());
  durations.count = sorted.size();
  durations.sum = std::accumulate(sorted.begin(), sorted.end(), Moment{});
  durations.median = quantile(sorted, 0.5);
  durations.p95 = quantile(sorted, 0.95);
  durations.longest = sorted.back();
  durations.bins = bins_of(sorted);
  return durations;
}

std::vector<Moment> lengths_of(const Pipeline& pipeline) {
  std::vector<Moment> lengths;
  for (const auto& datum : pipeline.datums) {
    if (datum.state != DatumState::skipped && datum.state != DatumState::unfinished)
      lengths.push_back(datum.span.length());
  }
  return lengths;
}

Moment time_with_datums(const Run& run) {
  std::vector<Span> spans;
  for (const auto& pipeline : run.pipelines) {
    for (const auto& datum : pipeline.datums) {
      if (datum.state != DatumState::skipped) spans.push_back(datum.span);
    }
  }
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  Moment time{};
  Moment until{};
  for (const auto& span : spans) {
    time += std::max(Moment{}, span.end - std::max(until, span.begin));
    until = std::max(until, span.end);
  }
  return time;
}

}  // namespace history
