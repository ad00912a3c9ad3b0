// SPDX-License-Identifier: Apache-2.0
// The package indexes that manifests of other tools name, as variables of uv.
#pragma once

#include <string>
#include <vector>

#include "builder-runtime/source/data.h"
#include "process/command.h"

namespace builder::python {

struct PackageIndex {
  std::string name;  // under which variables hold its credentials
  std::string url;
  bool replaces_default = false;
  bool is_flat = false;     // a page or folder of files
  bool is_verified = true;  // its certificate has to be valid
};

// The one at `source` in [[tool.pdm.source]], [[source]] of a Pipfile, …: its "url", "name", "verify_ssl",
// "type", "username" and "password".
PackageIndex index_of(const data::Value& source);

std::vector<PackageIndex> pdm_sources(const data::Value& project);

// What the user has set for uv counts more. `project` is its folder, which URLs may name.
void add_indexes(const std::vector<PackageIndex>& indexes, const base::fs::path& project,
                 process::Environment& uv);

}  // namespace builder::python
