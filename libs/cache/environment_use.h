// SPDX-License-Identifier: Apache-2.0
// Which unpacked environments programs are running from. A program has the folder of its environment in the
// variable PACHBUILD_ENV, and files of it mapped; the interpreter that preloading keeps has the latter alone.
// (worker-shim asks the same of one environment at a time in make_room.cpp: it does without this library.)
#pragma once

#include <set>
#include <string>

#include "base/files.h"

namespace caches {

class EnvironmentUse {
 public:
  // Now, as far as this user may look at processes. `processes`: where the kernel shows them.
  static EnvironmentUse look(const base::fs::path& processes = "/proc");

  // Whether one uses the environment of this name (its digest): true of all where no process can be seen.
  [[nodiscard]] bool has(const std::string& name) const { return !m_seen_any || m_names.contains(name); }

 private:
  bool m_seen_any = false;
  std::set<std::string> m_names;
};

}  // namespace caches
