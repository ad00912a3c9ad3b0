// SPDX-License-Identifier: Apache-2.0
// A line of the log for each step of a phase, with the time it took.
#pragma once

#include <chrono>
#include <string>

#include "base/text.h"
#include "report/report.h"

namespace builder {

class Milestone {
 public:
  explicit Milestone(std::string phase) : m_phase(std::move(phase)) {}

  // "compile: 10 packages installed (1.4 s)"; the next step starts now.
  void reached(const std::string& what) {
    const auto now = std::chrono::steady_clock::now();
    report::info(m_phase + ": " + what + " (" + base::format_duration(now - m_start) + ")");
    m_start = now;
  }

 private:
  std::string m_phase;
  std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

}  // namespace builder
