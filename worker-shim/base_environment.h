// SPDX-License-Identifier: Apache-2.0
// An environment that lies on another one: what changes with each edit over what seldom changes. It is whole
// all the same, a folder like any other. Where it has nothing of its own, its code is the base's by a second
// name, and other files, which programs may write to, are copies.
#pragma once

#include <string>

#include "base/result.h"
#include "worker-shim/file_writers.h"

namespace shim {

// The digest of the base that an unpacked environment names; empty when it stands alone.
base::Result<std::string> base_of(const std::string& environment);

// Gives `environment`, an open folder, everything of the environment at `base` that is not in it yet. Links
// of `environment` are not followed. `disk` is the path of the folder above it, for errors about the disk.
base::Status lay_on_base(int environment, const std::string& base, const std::string& disk,
                         const MakeRoom& make_room);

}  // namespace shim
