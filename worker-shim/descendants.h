// SPDX-License-Identifier: Apache-2.0
// Finds and ends the processes that a program leaves running. They become the supervisor's children, since it
// is their subreaper or PID 1. Allocates nothing.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>

namespace shim {

// Whether any children are left.
enum class Children { none, running };

// Reaps every child that has ended.
Children reap_children();

// Asks each child to end, once: SIGTERM to its group if it leads one, else to the child.
class EndRequest {
 public:
  // The members of this group were already asked.
  explicit EndRequest(pid_t informed_group) : m_informed_group(informed_group) {}

  // Asks the current children that were not asked before. False when they cannot be listed (/proc is missing
  // or belongs to another PID namespace).
  bool ask();

 private:
  const pid_t m_informed_group;
  // Children beyond this number are killed without being asked.
  std::array<pid_t, 64> m_asked{};
  std::size_t m_count = 0;
};

// Kills all children, also those inherited meanwhile, and waits for their end. False when some may not be
// killed (programs of another user). Where children cannot be listed, tries all process numbers from `first`
// on.
bool kill_children(pid_t first);

}  // namespace shim
