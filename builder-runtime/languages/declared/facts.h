// SPDX-License-Identifier: Apache-2.0
// What is known of a source before anything is started: its files, the program, the settings.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "builder-runtime/languages/declared/description.h"
#include "builder-runtime/languages/declared/source_files.h"
#include "builder-runtime/languages/language.h"

namespace builder::declared {

struct Facts {
  std::shared_ptr<const Description> builder;
  SourceFiles files;
  contract::Program program;  // its name is empty where there is none, or a layer makes it
  std::string made_program;   // which of those that a layer makes was chosen; empty: the only one
  std::string program_place;  // where the program is named, for errors; empty: it is not
  std::optional<Start::NoProgram> no_program;
  std::map<std::string, std::string> settings;
  bool needs_no_program = false;  // since the pipeline's own command or the source's own run.sh names it
};

// How to choose one of several programs.
std::string choice_hint(const Description& builder);

// Whether the source is one of the builder's.
base::Result<bool> recognises(const Description& builder, const fs::path& source);

base::Result<Facts> look_at(const std::shared_ptr<const Description>& builder, const Source& source,
                            const process::Environment& environment);

// The values of {source}, {program}, {setting:…} and {interpreter:…}.
std::optional<std::string> value_of_fact(const Facts& facts, const Name& name, const std::string& source);

// The interpreter that a file names, if it is one of `names` ("sh,bash"); the first where it names none;
// nothing where it names another one.
std::optional<std::string> interpreter_among(const SourceFiles& files, const std::string& file,
                                             const std::string& names);

}  // namespace builder::declared
