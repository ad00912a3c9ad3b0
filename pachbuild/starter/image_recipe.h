// SPDX-License-Identifier: Apache-2.0
// What a Dockerfile says about the image of its last stage, as far as a pipeline with a build can have it.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "pachbuild/starter/build_context.h"
#include "pachbuild/starter/dockerfile.h"
#include "pachbuild/starter/image_files.h"
#include "pachbuild/starter/pip_install.h"

namespace starter {

// Something that is not converted.
struct Note {
  std::string where;  // "Dockerfile:7"
  std::string what;
};

struct ImageRecipe {
  bool is_python = false;      // FROM python
  std::string python_version;  // of FROM python:X.Y; empty: any other base
  bool is_go = false;          // FROM golang
  ImageFiles files;
  std::string working_folder = "/";
  std::vector<std::string> path;                     // the folders of PATH
  std::vector<std::pair<std::size_t, PipItem>> pip;  // with the line; paths are whole ones of the image
  std::map<std::string, std::string> env;            // of the programs
  std::map<std::string, std::string> build_env;      // of pip alone
  std::vector<std::string> go_programs;              // what go built: paths of the image
  std::vector<std::string> package_folders;          // into which pip and its like have put packages
  // Files that list packages, from stages whose packages alone are in the image.
  std::set<std::string> package_lists;
  bool uses_pip = false;
  bool lacks_copies = false;  // something that COPY --from copies is not converted
  // What the image starts; one of them, or none.
  std::vector<std::string> command;
  std::vector<Note> notes;
};

// `where` is the Dockerfile's name for errors and notes.
base::Result<ImageRecipe> read_image(const std::vector<Instruction>& instructions,
                                     const BuildContext& context, const std::string& where);

}  // namespace starter
