// SPDX-License-Identifier: Apache-2.0
// A whole Go source as it can be seen without Go: its modules, its packages, what they import, its programs.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/go/constraints.h"
#include "builder-runtime/languages/source_digest.h"

namespace builder::go {

struct ExcludedFile {
  std::string name;
  std::string package;
  Exclusion why;
};

struct Package {
  std::string folder;                  // relative to the source; "." for the source itself
  std::string module;                  // the folder of its go.mod; empty: there is none
  std::string name;                    // of the files that count, "main"
  std::vector<std::string> imports;    // sorted, without repetition
  std::vector<ExcludedFile> excluded;  // files that build constraints leave out
  bool uses_c = false;
  bool asks_for_c = false;  // some of its files count only with cgo, or only without
  bool is_hidden = false;   // in a folder that is passed over
  bool is_ignored = false;  // by its module's go.mod, where programs are looked for
};

struct Tree {
  std::map<std::string, std::string> modules;               // their paths, by the folder of the go.mod
  std::map<std::string, std::set<std::string>> workspaces;  // the modules' folders, by that of the go.work
  std::vector<Package> packages;  // by folder; those without a file that counts are here too
  FolderDigest digest;            // of the whole source
  std::string module_files;       // of all go.mod, go.sum, go.work and modules.txt in it
  // Of what decides whether C is compiled: the module files, and the imports of all Go files.
  std::string outline;
  bool has_c = false;  // somewhere in the source, or files that ask for it
};

// Whether Go looks for no packages in folders of this name, or what is there is nobody's own.
bool is_passed_over(const std::string& folder);

// Reads the source once.
base::Result<Tree> read_tree(const base::fs::path& source, const Tags& tags);

// "a/b" below "a" and ".".
bool is_below(const std::string& folder, const std::string& above);

// Imports of packages that are neither Go's own nor of the module in this folder ("" where there is none), by
// that module's packages; sorted.
std::vector<std::string> foreign_imports(const Tree& tree, const std::string& module);

// The same of all modules of the source, which may need each other.
std::vector<std::string> foreign_imports(const Tree& tree);

}  // namespace builder::go
