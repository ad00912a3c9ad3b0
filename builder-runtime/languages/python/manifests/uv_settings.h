// SPDX-License-Identifier: Apache-2.0
// uv's own settings as far as they decide how uv is called. uv reads them itself, with each of its calls.
#pragma once

#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/source/data.h"
#include "process/command.h"

namespace builder::python {

class UvSettings {
 public:
  // uv.toml of the source or [tool.uv] of its pyproject.toml, before those of the user and the system.
  static base::Result<UvSettings> read(const base::fs::path& source, const process::Environment& environment);

  // Of the first file that has it; an absent value where none does.
  [[nodiscard]] const data::Value& at(std::string_view key) const;
  // Whether it is there and says something: neither false nor empty.
  [[nodiscard]] bool has(std::string_view key) const;
  // The file that a setting comes from: "pyproject.toml: tool.uv".
  [[nodiscard]] std::string place_of(std::string_view key) const;

 private:
  struct File {
    std::string place;
    data::Value settings;
  };
  std::vector<File> m_files;
};

// The folder of the user's settings: XDG_CONFIG_HOME, else ~/.config.
base::fs::path configuration_folder(const process::Environment& environment);

// Whether the source is itself a package, as uv decides it.
bool is_uv_package(const data::Value& project);

// The groups of [dependency-groups] that are installed without being asked for, but for "dev".
std::vector<std::string> default_groups(const data::Value& project);

}  // namespace builder::python
