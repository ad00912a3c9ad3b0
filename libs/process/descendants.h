// SPDX-License-Identifier: Apache-2.0
// All processes that descend from this one, even if they left their group and session.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace process {

// As /proc shows it.
struct VisibleProcess {
  pid_t number = 0;
  pid_t parent = 0;
  pid_t group = 0;
  std::string name;  // at most 15 characters
};
std::vector<VisibleProcess> visible_processes();

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
