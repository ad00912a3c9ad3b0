// SPDX-License-Identifier: Apache-2.0
// New pipelines: a sample that works, and what a pipeline with an image becomes without one.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/starter/image_recipe.h"
#include "pachbuild/starter/project.h"

namespace starter {

struct Start {
  Project project;
  std::string title;             // what it is, in a few words: "a Python pipeline that counts words"
  std::vector<std::string> run;  // the command that runs it, in the project's folder
  std::vector<Note> notes;       // what is not converted
};

// Languages of samples: "python" and "go".
const std::vector<std::string>& languages();

// A pipeline name for a folder, whatever that is called.
std::string pipeline_name_of(const base::fs::path& folder);

// A pipeline with a program, sample data and a README.
base::Result<Start> sample_project(const std::string& language, const std::string& name);

struct Origin {
  std::vector<std::string> files;  // specs, and at most one Dockerfile
  std::string context;             // the folder that COPY is relative to; empty: the Dockerfile's
  std::string language;            // empty: what the files show
  std::string name;                // of the pipeline; empty: the spec's, or `default_name`
  std::string default_name;
};

// Errors name the files; nothing is written.
base::Result<Start> converted_project(const Origin& origin);

// What is still wrong with the commands of the pipelines in `folder`, which has the files of a conversion.
base::Result<std::vector<Note>> check_converted(const base::fs::path& folder, const Project& project);

}  // namespace starter
