// SPDX-License-Identifier: Apache-2.0
// What a program inherits from the process that becomes it, beside its words, variables and streams: an
// interpreter that was started in one context forks no programs for another.
#pragma once

#include <optional>
#include <string>

namespace shim::preload {

struct Context {
  std::string place;  // user, root and namespaces: processes in two places cannot reach each other
  std::string rest;   // session, groups, capabilities, limits, signals, processors, control group, current
                      // folder, umask, kinds of the standard streams
};

// Of this process. None where it cannot be read, where it leads its session, where a stream is closed or a
// terminal, or where there are more descriptors that a program would inherit.
std::optional<Context> current_context();

}  // namespace shim::preload
