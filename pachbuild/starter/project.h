// SPDX-License-Identifier: Apache-2.0
// A folder of files that are made all at once.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace starter {

struct ProjectFile {
  std::string content;
  base::fs::path copy_of;  // instead of `content`, if it is set
  bool is_executable = false;
};

// By the path below the project's folder.
using Project = std::map<std::string, ProjectFile>;

// Makes `folder` with the files, or adds them where it exists. Nothing is ever replaced: where a name at the
// top of the project is taken, that is an error of kind cannot_write and nothing is written. A new folder
// appears whole. In an existing one the top names appear one after the other; if one cannot, those before it
// are removed. `check` is called, before anything appears, with the folder in which the files are by then.
base::Status write_project(const base::fs::path& folder, const Project& project,
                           const std::function<base::Status(const base::fs::path&)>& check = {});

// Whether write_project() would find a name taken, or no folder: its error.
base::Status check_room(const base::fs::path& folder, const Project& project);

}  // namespace starter
