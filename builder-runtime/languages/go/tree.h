// SPDX-License-Identifier: Apache-2.0
// A whole Go source as it can be seen without Go: its modules, its packages, what they import, its programs.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/go/constraints.h"
#include "builder-runtime/languages/source_digest.h"
#include "builder-runtime/source/source_settings.h"

namespace builder::go {

struct Package {
  std::string folder;                 // relative to the source; "." for the source itself
  std::string name;                   // of the files that count, "main"
  std::vector<std::string> imports;   // sorted, without repetition
  std::vector<std::string> excluded;  // files that build constraints leave out
  bool uses_c = false;
};

// How Go has to be called for a source.
enum class Layout {
  module,     // a go.mod at the root
  workspace,  // a go.work at the root
  vendored,   // neither, and a vendor folder: as before modules
  bare,       // neither: a module has to be made up
};

struct Tree {
  Layout layout = Layout::module;
  std::string module;             // path of the root's go.mod
  std::vector<Package> packages;  // by folder; those without a file that counts are here too
  FolderDigest digest;            // of the whole source
  std::string modules;  // of all go.mod, go.sum, go.work and modules.txt in it, also of other modules
  // Of what decides whether C is compiled: the modules, and the imports of all Go files, also of other
  // modules and of vendor.
  std::string outline;
  bool has_c = false;  // somewhere in the source, also in other modules
};

// Reads the source once. Modules that are not the root's (and in no go.work), testdata, vendor and hidden
// folders belong to none of its packages.
base::Result<Tree> read_tree(const base::fs::path& source, const Tags& tags);

struct ChosenProgram {
  std::string folder;  // of its package
  std::string why;     // "the only package main"
};

// What the settings name, the root, the only one there is, or the one of several that is called like the
// pipeline or the module. None and several are errors that list what is there.
base::Result<ChosenProgram> choose_program(const base::fs::path& source, const Tree& tree,
                                           const GoSettings& settings, const std::string& pipeline);

// Imports of packages that are neither Go's own nor in the tree, sorted.
std::vector<std::string> foreign_imports(const Tree& tree);

}  // namespace builder::go
