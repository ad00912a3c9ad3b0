// SPDX-License-Identifier: Apache-2.0
// Environment markers: `python_version < "3.11" and sys_platform == "linux"`, as the specification
// "Dependency specifiers" of packaging.python.org defines them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace builder::python {

struct MarkerEnvironment {
  std::map<std::string, std::string> values;  // "python_version": "3.11"
  std::set<std::string> extras;               // those that are asked for, normalised
};

// Whether the marker holds; nothing where it makes no sense. The empty marker holds.
std::optional<bool> holds(std::string_view marker, const MarkerEnvironment& environment);

}  // namespace builder::python
