// SPDX-License-Identifier: Apache-2.0
// The options of every verb that speaks to a cluster.
#pragma once

#include <CLI/CLI.hpp>

#include "pachbuild/cluster/pachctl.h"

namespace commands {

struct ClusterOptions {
  cluster::Target chosen;

  void add_to(CLI::App& verb) {
    verb.add_option("--project", chosen.project, "The project (default: that of pachctl's context)")
        ->type_name("NAME");
    verb.add_option("--context", chosen.context, "A context of pachctl (default: the active one)")
        ->type_name("NAME");
  }
  [[nodiscard]] const cluster::Target& target() const { return chosen; }
};

}  // namespace commands
