// SPDX-License-Identifier: Apache-2.0
// What `pachbuild dev` and the `pachbuild run` or `update pipeline` that each of its rounds is have to say to
// each other.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "pachbuild/local/session/events.h"

namespace commands {

// The option of these, not for people: the descriptor for its RoundSummary.
inline constexpr char k_round_option[] = "--round";

// How a round has ended, unless it could not be run.
struct RoundSummary {
  std::string text;  // "3 datums run, 0 skipped, 1 failed"
  std::size_t failed = 0;
  bool ended = true;  // a pipeline has run to its end
};

// Writes it for read_summary().
void write_summary(int descriptor, const RoundSummary& summary);

// Adds up what a session tells.
class RoundEvents final : public local::Events {
 public:
  void tell(const local::Event& event) override;
  // Of a run that ended well, or not.
  [[nodiscard]] std::optional<RoundSummary> summary(bool succeeded) const;

 private:
  std::size_t m_run = 0;
  std::size_t m_skipped = 0;
  std::size_t m_failed = 0;
  std::size_t m_conflicting = 0;
  bool m_any = false;  // a pipeline has run to its end
  bool m_build_failed = false;
};

// What is in the pipe, if the round has come to its end.
std::optional<RoundSummary> read_summary(int descriptor);

}  // namespace commands
