// SPDX-License-Identifier: Apache-2.0
// Lines of a requirements file, as the readers of manifests that uv does not read itself give them.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/locks/locked_packages.h"
#include "builder-runtime/languages/python/manifests/manifest.h"
#include "builder-runtime/languages/python/manifests/package_index.h"

namespace builder::python {

struct RequirementList {
  std::vector<std::string> lines;
  std::vector<PackageIndex> indexes;
};

// What is to be read, and for whom.
struct LockRequest {
  base::fs::path source;
  const Manifest& manifest;
  const PythonSettings& settings;
  const MarkerEnvironment& markers;
};

// Wanted: a requirement in PEP 508's form.
Wanted wanted_of(const struct Requirement& requirement);

// A folder or file of the source as a requirement: "libs/x" → "./libs/x".
std::string path_requirement(const std::string& path);

// "name @ git+URL@REFERENCE#subdirectory=FOLDER"; what is empty is left out.
std::string git_requirement(const std::string& name, const std::string& url, const std::string& reference,
                            const std::string& folder);

// The list, if each of its lines is one requirement: a name in a lock can have a line break, and what follows
// would be an option of uv's. `file` is the one that was read.
base::Result<RequirementList> checked_list(RequirementList list, const std::string& file);

// `marker` and (`other`), either of which may be empty.
std::string both_markers(const std::string& marker, const std::string& other);

}  // namespace builder::python
