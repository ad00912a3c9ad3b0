// SPDX-License-Identifier: Apache-2.0
// Tells of a phase: that it begins, how far it is, how it ends.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/measure.h"
#include "pachbuild/local/session/events.h"

namespace local {

// What this thread copies and digests, counted.
inline base::Measure::Advance counted_by(const std::shared_ptr<Meter>& meter) {
  return [meter](std::uint64_t more) { meter->done += more; };
}

// The result of `work()`, which is a phase.
template <class Tell, class Work>
auto in_phase(const Tell& tell, Phase phase, const std::string& of, const std::shared_ptr<Meter>& meter,
              const Work& work) -> decltype(work()) {
  const auto start = std::chrono::steady_clock::now();
  tell(PhaseBegins{.phase = phase, .of = of, .bytes = meter});
  auto result = [&] {
    const base::Measure measure(meter ? counted_by(meter) : base::Measure::Advance());
    return work();
  }();
  tell(PhaseEnds{.phase = phase,
                 .of = of,
                 .elapsed = std::chrono::steady_clock::now() - start,
                 .succeeded = result.has_value()});
  return result;
}

}  // namespace local
