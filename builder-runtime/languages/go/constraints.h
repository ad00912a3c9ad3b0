// SPDX-License-Identifier: Apache-2.0
// Which files of a package Go would compile: the names and the `//go:build` or `// +build` lines that exclude
// some. Source: go/build, "Build constraints" (pkg.go.dev/cmd/go).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace builder::go {

// Everything that is true in a constraint but Go's versions: "linux", "amd64", "unix", "gc", "cgo", tags of
// the user.
using Tags = std::set<std::string>;

// For linux and an architecture as Go names it.
Tags standard_tags(const std::string& architecture);

struct Exclusion {
  std::string constraint;         // the line that excludes the file; empty: its name does
  std::vector<std::string> tags;  // the fewest that would make the file count; none when no tags can
};

// Why a file called `name` with this text does not count; nothing when it does. Versions ("go1.21") are taken
// to be there.
std::optional<Exclusion> exclusion_of(std::string_view name, std::string_view text, const Tags& tags);

}  // namespace builder::go
