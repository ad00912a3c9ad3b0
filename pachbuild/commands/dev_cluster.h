// SPDX-License-Identifier: Apache-2.0
// `pachbuild dev --cluster`: rounds that are `pachbuild update pipeline`.
#pragma once

#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/data_options.h"

namespace commands {

// --cluster, and those that go with it alone.
void add_cluster_to(CLI::App& verb, bool& on_cluster, cluster::Target& target);

// The exit code; `verb` has the options that were given.
base::Result<int> dev_on_cluster(const CLI::App& verb, const SpecFiles& specs, const cluster::Target& target,
                                 const Invocation& invocation);

}  // namespace commands
