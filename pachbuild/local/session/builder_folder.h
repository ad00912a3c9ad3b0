// SPDX-License-Identifier: Apache-2.0
// Builders that are folders of this machine: one with a builder.toml, which builder-runtime reads, or with a
// build.sh.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace local {

// The builder-runtime that was installed with this program.
base::Result<std::string> find_builder_runtime();

// What builds with the builder in `folder`, started there. `shown` is for the error when it is not a builder.
base::Result<std::vector<std::string>> folder_build_command(const base::fs::path& folder,
                                                            const std::string& shown);

// The digests of the files in the builder's folder, by path.
base::Result<std::map<std::string, std::string>> folder_files(const base::fs::path& folder);

}  // namespace local
