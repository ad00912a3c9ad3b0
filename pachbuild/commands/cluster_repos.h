// SPDX-License-Identifier: Apache-2.0
// The repos of the cluster that pachctl speaks to, for runs on this machine.
#pragma once

#include <memory>

#include "pachbuild/local/plan/remote_repos.h"

namespace commands {

// Asks nothing before it is needed: a missing pachctl is an error then.
std::unique_ptr<local::RemoteRepos> cluster_repos();

}  // namespace commands
