// SPDX-License-Identifier: Apache-2.0
// How far work is that takes long. What copies, digests or packs says so as it goes; whoever wants to show it
// listens.
#pragma once

#include <cstdint>
#include <functional>

namespace base {

// While it exists, what this thread works, and the threads that in_parallel() starts for it, is told to
// `advance`: on any of them. The newest one of a thread counts; an empty function: nobody is told.
class Measure {
 public:
  using Advance = std::function<void(std::uint64_t)>;
  explicit Measure(Advance advance);
  Measure(const Measure&) = delete;
  Measure& operator=(const Measure&) = delete;
  ~Measure();

 private:
  const Advance m_advance;
  const Advance* m_previous;
};

// So many more bytes (or whatever is counted) are done.
void advance(std::uint64_t more);

// What a thread hands on to those that work for it.
Measure::Advance current_measure();

}  // namespace base
