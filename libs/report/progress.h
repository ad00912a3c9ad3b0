// SPDX-License-Identifier: Apache-2.0
// How far a build is, told by builder-runtime to pachbuild: lines of JSON on standard error,
// {"level": "progress", "step": "packing", "done": 12, "all": 48, "unit": "bytes"}.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace report {

struct Progress {
  std::string step;
  std::uint64_t done = 0;
  std::uint64_t all = 0;  // 0: not known
  bool counts_files = false;
};

// Whether a line of a build's output is of this kind; it is not for people then.
bool is_progress(std::string_view line);
std::optional<Progress> parse_progress(std::string_view line);

// A step that is told of, some times a second, where somebody has asked for it
// (contract::k_progress_variable).
class Step {
 public:
  enum class Unit { bytes, files };
  Step(std::string name, std::uint64_t all, Unit unit);

  // On any thread.
  void advance(std::uint64_t more);

 private:
  void tell(std::uint64_t done);

  const std::string m_name;
  const std::uint64_t m_all;
  const Unit m_unit;
  const bool m_is_asked;
  std::atomic<std::uint64_t> m_done{0};
  std::mutex m_mutex;
  std::chrono::steady_clock::time_point m_next;
};

}  // namespace report
