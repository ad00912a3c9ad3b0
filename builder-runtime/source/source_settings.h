// SPDX-License-Identifier: Apache-2.0
// What a source says about its own build: pachbuild.toml at its root, or [tool.pachbuild] of pyproject.toml.
// Nothing of it is needed in the common case. docs/builders.md, "Settings", explains each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/source/data.h"

namespace builder {

enum class Refresh { never, daily, always };

struct PythonSettings {
  std::vector<std::string> dependencies;  // files relative to the source; empty: found by looking
  std::vector<std::string> groups;
  std::vector<std::string> extras;
  std::optional<bool> project;  // whether the project itself is installed
  bool image_packages = false;  // whether the image's own packages can be imported
  std::string program;          // "tool.py", "package.module" or "package.module:function"
  std::string version;          // of the interpreter: "3.11", ">=3.9,<3.12"
  Refresh refresh = Refresh::never;
  // What is imported before programs start, as contract::k_preload_variable has it: "true" for what the
  // source imports, or names of modules; empty: the setting is not there.
  std::string preload;
};

// Where the settings are, for messages. A key is "language", "python.program", "environment.NAME".
struct SettingPlaces {
  std::string file;                  // empty: there are none
  std::string prefix;                // of keys: "tool.pachbuild."
  std::map<std::string, int> lines;  // by key

  // "pachbuild.toml: python.program"
  [[nodiscard]] std::string name(const std::string& key) const;
  // "pachbuild.toml:3: python.program"
  [[nodiscard]] std::string where(const std::string& key) const { return where_in(key, key); }
  // The table's name, with the line of what it has under `key`: "pachbuild.toml:7: environment".
  [[nodiscard]] std::string where_in(const std::string& table, const std::string& key) const;
};

struct GoSettings {
  SettingPlaces places;
  std::string package;  // "./cmd/tool"
  std::vector<std::string> tags;
  std::string ldflags;                             // besides ours
  std::map<std::string, std::string> environment;  // of the build: CGO_ENABLED, GOFLAGS, …
};

struct SourceSettings {
  SettingPlaces places;
  std::string language;
  std::vector<std::string> arguments;              // of the program, before those of the pipeline
  std::map<std::string, std::string> environment;  // of the program, where the pipeline does not set it
  PythonSettings python;
  GoSettings go;
  std::map<std::string, data::Value>
      tables;  // of languages that are declared, by name: their builders read them
};

// No file gives the defaults. Unknown and mistyped settings are errors. `declared`: names of languages with a
// declared builder, whose tables may be there.
base::Result<SourceSettings> read_source_settings(const base::fs::path& source,
                                                  const std::vector<std::string>& declared = {});

}  // namespace builder
