// SPDX-License-Identifier: Apache-2.0
// The markers of a Python 3.11 on Linux, for tests of what reads manifests and locks.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "builder-runtime/languages/python/packaging/marker.h"

namespace tests {

inline builder::python::MarkerEnvironment markers_of_linux(std::set<std::string> extras = {}) {
  return {.values = {{"implementation_name", "cpython"},
                     {"os_name", "posix"},
                     {"platform_machine", "x86_64"},
                     {"platform_system", "Linux"},
                     {"python_full_version", "3.11.2"},
                     {"python_version", "3.11"},
                     {"sys_platform", "linux"}},
          .extras = std::move(extras)};
}

}  // namespace tests
