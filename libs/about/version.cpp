// SPDX-License-Identifier: Apache-2.0
#include "about/version.h"

#include "about/commit.h"

namespace about {

std::string version_line(const std::string& program) {
  const std::string commit = k_commit;
  return program + " " PACHBUILD_VERSION + (commit.empty() ? "" : " (" + commit + ")");
}

}  // namespace about
