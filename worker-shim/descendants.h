// SPDX-License-Identifier: Apache-2.0
// What a program leaves running becomes the supervisor's children, as it is their subreaper or PID 1. This
// finds and ends them. Nothing is allocated.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>

namespace shim {

// What a look for a child of ours that has ended gives.
enum class Children { none, running };

// Reaps all that have ended.
Children reap_children();

// Asks children to end: SIGTERM, once each, to the group of those that lead one.
class EndRequest {
 public:
  // Those in this group know already.
  explicit EndRequest(pid_t informed_group) : m_informed_group(informed_group) {}

  // To the children that there are now and that were not asked before. False when they cannot be listed
  // (/proc is missing, or is that of another PID namespace).
  bool ask();

 private:
  const pid_t m_informed_group;
  // More than these are only killed.
  std::array<pid_t, 64> m_asked{};
  std::size_t m_count = 0;
};

// Kills all children, those that become ours by it too, and waits for their end. False when some may not be
// killed (programs of another user). Children that cannot be listed are found by trying all numbers, from
// `first` on.
bool kill_children(pid_t first);

}  // namespace shim
