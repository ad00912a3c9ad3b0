// SPDX-License-Identifier: Apache-2.0
// Does checks at the same time, each bounded: one that hangs is a line, and so is one that fails by a bug.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pachbuild/doctor/checks.h"

namespace doctor {

struct Check {
  std::string group;  // "tools"
  std::string name;   // of the line when it hangs
  std::function<Findings()> look;
};

struct Scope {
  bool network = false;
  bool cluster = false;
  std::string context;
};

// All for this machine, which they share.
std::vector<Check> checks_of(const std::shared_ptr<const Machine>& machine, const Scope& scope);

struct Group {
  std::string name;
  Findings findings;
};

// In the order of the checks, by group, with passwords hidden. A check that is not done after `patience` is
// left to itself: it must own what it uses.
std::vector<Group> examine(const std::vector<Check>& checks, std::chrono::milliseconds patience);

}  // namespace doctor
