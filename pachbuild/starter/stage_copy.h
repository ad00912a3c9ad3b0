// SPDX-License-Identifier: Apache-2.0
// What an image has of the other stages of its Dockerfile: files, a program that go built, packages.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/starter/image_recipe.h"

namespace starter {

// A source of COPY --from.
struct StageCopy {
  std::string where;  // "Dockerfile:7"
  std::string text;   // the instruction, for notes
  const ImageRecipe* stage = nullptr;
  std::string source;        // in the stage
  std::string target;        // in the image
  bool into_folder = false;  // a file comes into `target`
  bool has_files = false;    // from the build context
  bool has_program = false;
  bool has_packages = false;
  bool is_used = false;  // the stage is a part of the image
};

// Copies the files, and looks for what the stage built or installed.
base::Status copy_files(ImageRecipe& image, StageCopy& copy);

// A build makes anew what stages built and installed: the image gets the source of the program, and the lists
// of the packages. To be called when it has all files of its own.
base::Status take_over(ImageRecipe& image, std::vector<StageCopy>& copies);

// The file that -r or -c names, and those that it includes.
void add_included_lists(const ImageFiles& files, const std::string& first, std::set<std::string>& lists);

}  // namespace starter
