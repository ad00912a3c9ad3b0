// SPDX-License-Identifier: Apache-2.0
// Which of a source's packages is the program, and where Go has to be called to build it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/go/tree.h"
#include "builder-runtime/languages/go/variables.h"

namespace builder::go {

// How Go has to be called.
enum class Layout {
  module,     // in the folder of a go.mod
  workspace,  // in the folder of a go.work
  vendored,   // there is neither, but a vendor folder: as before modules
  bare,       // none of them: a module has to be made up
};

struct Program {
  std::string folder;  // of its package, relative to the source
  std::string why;     // it was chosen: "the only package main"
  Layout layout = Layout::module;
  std::string home;    // the folder in which Go is called, relative to the source
  std::string module;  // the folder of the package's go.mod; empty: there is none

  // Of a pipeline with a command of its own: all programs of the module (or workspace) are built, each under
  // the name that Go gives it, and this is only the default one.
  bool has_names = false;
  std::vector<std::string> others;       // their folders, this one's not among them
  std::optional<base::Error> no_choice;  // why none of them is the default

  [[nodiscard]] base::fs::path home_in(const base::fs::path& source) const {
    return home == "." ? source : source / home;
  }
  // As Go takes it in the home folder: ".", "./cmd/tool".
  [[nodiscard]] std::string argument() const { return argument_of(folder); }
  [[nodiscard]] std::vector<std::string> arguments() const;  // of all that are built

 private:
  [[nodiscard]] std::string argument_of(const std::string& package) const;
};

// What the settings name, else the program at the root, else the only one there is, else the one of several
// that is named like the pipeline that it is built for or its module. Packages of the root's module (or
// go.work) come before those of other modules, and both before examples. If there is none, or
// several are left, the error lists the candidates.
base::Result<Program> choose_program(const base::fs::path& source, const Tree& tree,
                                     const GoSettings& settings, const GoVariables& variables,
                                     const std::string& build_pipeline);

// The same for a pipeline with a command of its own, which may start any of them.
base::Result<Program> choose_all_programs(const base::fs::path& source, const Tree& tree,
                                          const GoSettings& settings, const GoVariables& variables);

// The name that Go gives to the program in `folder` of the source, in a module or workspace.
std::string program_name(const Tree& tree, const std::string& folder);

}  // namespace builder::go
