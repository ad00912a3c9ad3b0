// SPDX-License-Identifier: Apache-2.0
// Where and how `go build` is run for a source: in it, or, where Go could not work there, in a private copy
// of it or of its go.mod.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/languages/go/program.h"
#include "builder-runtime/languages/go/tree.h"
#include "builder-runtime/languages/go/variables.h"
#include "builder-runtime/tools.h"

namespace builder::go {

// How what a go.mod or go.sum leaves open gets settled.
inline constexpr char k_tidy[] = "run go mod tidy in the source, and commit go.mod and go.sum";

// For every `go build` and `go list`: neither looks at the repository that the source may be in, which
// nothing of an artifact depends on. (`go list` of a program runs git as well.)
inline constexpr char k_no_version_control[] = "-buildvcs=false";

struct Toolchain {
  std::string go;       // the program
  std::string version;  // "go1.26.8"
};

// What decides a build.
struct Decision {
  Program program;
  GoVariables variables;
  Toolchain toolchain;
  std::vector<std::string> tags;  // of the settings and of GOFLAGS; empty: Go reads GOFLAGS itself
  Inputs machine;                 // Go and how it is set up
  Inputs inputs;                  // all
};

struct BuildPlace {
  base::fs::path folder;
  std::vector<std::string> flags;  // of every command about packages, tags included
  process::Environment environment;
  base::fs::path copy;  // of what Go reads instead of the home folder, or of its go.mod; empty: none
  std::shared_ptr<base::Workspace> workspace;  // has the copy
};

// Resolves what go.mod and go.sum leave open, and keeps the answer for sources with the same imports; a
// warning lists it. `environment` is Go's for this source.
base::Result<BuildPlace> prepare_place(const base::fs::path& source, const Tree& tree,
                                       const Decision& decision, process::Environment environment,
                                       const Tools& tools);

// Tells again what was chosen for this source before.
void warn_of_kept_choice(const base::fs::path& source, const Tree& tree, const Decision& decision,
                         const Tools& tools);

// The file that has the module's requirements: go.mod, or what -modfile of GOFLAGS names.
base::fs::path module_file(const base::fs::path& source, const Program& program,
                           const GoVariables& variables);

// Runs Go in the place; what it says of a private copy, it says of the source.
base::Result<process::Finished> run_go(const BuildPlace& place, const base::fs::path& source,
                                       const Decision& decision, std::vector<std::string> arguments,
                                       const Tools& tools);

// An answer of Go's that nobody sees.
base::Result<process::Finished> ask_go(std::vector<std::string> arguments, const base::fs::path& folder,
                                       process::Environment environment, const Decision& decision,
                                       const Tools& tools);

// "path version" of every line of a go.mod that requires something.
std::map<std::string, std::string> required_modules(std::string_view go_mod);

// The module among these that has the package, the one with the longest path; empty: none.
std::string module_of(const std::map<std::string, std::string>& modules, const std::string& import);

// The path under which the packages of a source without go.mod import each other; "" where they do not.
std::string own_path(const Tree& tree);

}  // namespace builder::go
