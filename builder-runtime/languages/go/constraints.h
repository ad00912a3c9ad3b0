// SPDX-License-Identifier: Apache-2.0
// Which files of a package Go would compile: the names and `//go:build` lines that exclude some. Source:
// go/build, "Build constraints" (pkg.go.dev/cmd/go).
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace builder::go {

// Everything that is true in a constraint but Go's versions: "linux", "amd64", "unix", "gc", "cgo", tags of
// the user.
using Tags = std::set<std::string>;

// For linux and an architecture as Go names it.
Tags standard_tags(const std::string& architecture);

// Whether a file called `name` with this text counts. Versions ("go1.21") are taken to be there.
bool is_included(std::string_view name, std::string_view text, const Tags& tags);

}  // namespace builder::go
