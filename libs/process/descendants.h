// SPDX-License-Identifier: Apache-2.0
// All processes that descend from this one, even if they left their group and session.
#pragma once

#include <sys/types.h>

#include <set>

namespace process {

class Descendants {
 public:
  // From now on orphaned descendants become children of this process. Existing children are not counted: a
  // shell that started this program by exec may have left some.
  Descendants();

  // Kills all that are left and waits briefly for their end. Call it only when no Child is in use.
  void end() const;

 private:
  std::set<pid_t> m_former;
};

}  // namespace process
