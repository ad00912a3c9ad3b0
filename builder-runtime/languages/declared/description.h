// SPDX-License-Identifier: Apache-2.0
// What a builder.toml says, as data. docs/builder-toml.md explains each part.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/declared/file_pattern.h"
#include "builder-runtime/languages/declared/pattern.h"
#include "builder-runtime/languages/declared/reference.h"
#include "builder-runtime/languages/declared/text_template.h"
#include "builder-runtime/languages/declared/versions.h"

namespace builder::declared {

namespace fs = base::fs;

struct DetectDescription {
  References any;
  References program;
  FilePatterns ignore;
  std::string variable;
};

struct ToolDescription {
  std::string name;
  int line = 0;                  // in builder.toml
  std::vector<std::string> run;  // empty: only its file counts
  std::optional<Pattern> version;
  References wants;
  Comparison compare = Comparison::prefix;
  std::string hint;
  std::optional<Pattern> needed_by;
};

struct CheckDescription {
  FilePatterns files;
  Templates run;  // empty: `reject` decides
  std::optional<Pattern> reject;
  References inputs;
  References when;
  std::optional<Pattern> place;
  std::optional<TextTemplate> say;
  std::optional<TextTemplate> hint;
};

// Files of one folder, and the folder in the layer that they are copied to.
struct CopyDescription {
  FilePattern from;
  std::string to;
};

// Files of the image, by an absolute path of which each part is a pattern.
struct ImageDescription {
  std::string text;
  FilePatterns parts;
};

struct PackagesDescription {
  FilePatterns files;
  std::optional<Pattern> match;  // in the text of each; or one package a file:
  std::optional<Pointer> name;
  std::optional<Pointer> version;
};

struct LayerDescription {
  // As the place of an error.
  [[nodiscard]] std::string place() const { return "layer " + name; }

  std::string name;
  References when;
  std::vector<std::string> manifest;
  References inputs;
  std::vector<ImageDescription> image;
  std::vector<std::string> variables;
  std::optional<std::vector<std::string>> tools;  // none: all that are needed, where there are commands
  std::map<std::string, std::string> needs;
  bool has_fixed_path = false;
  bool has_work_copy = false;
  std::vector<std::string> folders;
  std::vector<CopyDescription> copy;
  std::vector<CopyDescription> copy_of_builder;  // from the builder's folder
  std::optional<TextTemplate> folder;
  std::map<std::string, TextTemplate> environment;
  std::vector<Templates> run;
  std::vector<CopyDescription> take;
  FilePatterns keep;
  FilePatterns remove;
  std::optional<FilePattern> program;
  FilePatterns executable;
  std::map<std::string, TextTemplate> link;
  std::optional<PackagesDescription> packages;
};

struct StartDescription {
  Templates command;
  std::optional<TextTemplate> folder;
  std::map<std::string, TextTemplate> environment;
  std::map<std::string, Templates> prepend;
};

struct ErrorDescription {
  Pattern match;
  std::optional<TextTemplate> say;
  std::optional<TextTemplate> hint;
  base::ErrorKind kind = base::ErrorKind::step_failed;
};

struct Description {
  fs::path folder;   // of the builder
  std::string file;  // what errors call its builder.toml
  std::string language;
  std::string summary;
  std::map<std::string, std::string> settings;
  DetectDescription detect;
  std::vector<ToolDescription> tools;
  std::vector<CheckDescription> checks;
  std::vector<LayerDescription> layers;  // alternatives of one name beside each other, at most two names
  StartDescription start;
  std::vector<ErrorDescription> errors;
};

}  // namespace builder::declared
