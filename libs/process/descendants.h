// SPDX-License-Identifier: Apache-2.0
// All processes that come from this one, also those that have left their group and session.
#pragma once

#include <sys/types.h>

#include <set>

namespace process {

class Descendants {
 public:
  // From now on a process whose parent has ended becomes a child of this one. Those that are here already are
  // not counted: a shell that starts this program by exec may have left some.
  Descendants();

  // Kills all that are left, and waits for a short time until they are gone. Only when no Child is in use.
  void end() const;

 private:
  std::set<pid_t> m_former;
};

}  // namespace process
