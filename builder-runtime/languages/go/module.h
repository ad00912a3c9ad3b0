// SPDX-License-Identifier: Apache-2.0
// What can be seen in a Go source without Go: the module's name and the packages of its files.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace builder::go {

// The name in a file's package clause; empty when there is none.
std::string package_clause(std::string_view text);

// The path in the module line of a go.mod; empty when there is none.
std::string module_path(std::string_view go_mod);

// The version in the go line of a go.mod or go.work: "1.26.8"; empty when there is none.
std::string go_version(std::string_view file);

// The first folder outside the source that a replace line of a go.mod (or go.work) leads to, or a use line of
// a go.work; empty when there is none. `folder` is the one of the file, relative to the source: "." is the
// source itself.
std::string replacement_outside(std::string_view go_mod, std::string_view folder = ".");
std::string use_outside(std::string_view go_work, std::string_view folder = ".");

// The folders of the use lines of a go.work, as they are written.
std::vector<std::string> use_targets(std::string_view go_work);

// Whether the ignore lines of a go.mod have a folder of its module, or one above it.
bool is_ignored(std::string_view go_mod, std::string_view folder);

// A go.work of this folder as it reads in any other.
std::string with_absolute_paths(std::string_view go_work, const base::fs::path& folder);

// The paths that a file imports, in the file's order; "C" for cgo.
std::vector<std::string> imports_of(std::string_view text);

// Whether Go takes a file of this name (without folders) for one of its package: no test, nothing hidden.
bool is_go_file(std::string_view name);

}  // namespace builder::go
