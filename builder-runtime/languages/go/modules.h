// SPDX-License-Identifier: Apache-2.0
// Where and how `go build` is run for a source: in it, or, where Go could not work there, in a private copy
// of it or of its go.mod.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "builder-runtime/languages/go/tree.h"
#include "builder-runtime/tools.h"

namespace builder::go {

// For every `go build` and `go list`: neither looks at the repository that the source may be in, which
// nothing of an artifact depends on. (`go list` of a program runs git as well.)
inline constexpr char k_no_version_control[] = "-buildvcs=false";

struct Toolchain {
  std::string go;            // the program
  std::string version;       // "go1.26.8"
  std::string architecture;  // what it builds for
};

// What decides a build.
struct Decision {
  Toolchain toolchain;
  Inputs machine;  // Go and how it is set up
  Inputs inputs;   // all
};

struct BuildPlace {
  base::fs::path folder;
  std::vector<std::string> flags;
  process::Environment environment;
  std::optional<base::Workspace> workspace;  // what is below it goes with it
};

// Resolves what go.mod and go.sum leave open, and keeps the answer for sources with the same imports; a
// warning lists it. `environment` is Go's for this source.
base::Result<BuildPlace> prepare_place(const base::fs::path& source, const Tree& tree,
                                       const Decision& decision, process::Environment environment,
                                       const Tools& tools);

// Whether go.mod and go.sum say too little about the modules that the imports need.
bool lacks_modules(std::string_view go_mod, std::string_view go_sum, const std::vector<std::string>& imports);

// The path under which the packages of a source without go.mod import each other; "" where they do not.
std::string own_path(const Tree& tree);

}  // namespace builder::go
