// SPDX-License-Identifier: Apache-2.0
// Go's own variables ("go help environment") as Go will see them, and what a build does about those that ask
// for something that is no program for a pipeline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/source/source_settings.h"
#include "process/command.h"

namespace builder::go {

// "-tags=a,b" is {"tags", "a,b"}, "-race" is {"race", ""}.
struct Flag {
  std::string name;
  std::string value;
  bool operator==(const Flag&) const = default;
};

// The flags in a text as GOFLAGS has it: separated by white space, each as a whole in quotes or not.
std::vector<Flag> flags_in(std::string_view text);

class GoVariables {
 public:
  // The source's settings come before the environment, and this before what "go env -w" wrote, which is read
  // once, here.
  GoVariables(const GoSettings& settings, const process::Environment& environment);

  // Empty when the variable is set nowhere.
  [[nodiscard]] std::string value(const std::string& name) const;
  // Where the value comes from, for messages: "pachbuild.toml: go.environment".
  [[nodiscard]] std::string origin(const std::string& name) const;
  // The value of the last flag of this name in GOFLAGS.
  [[nodiscard]] std::optional<std::string> flag(const std::string& name) const;
  [[nodiscard]] const std::vector<Flag>& flags() const { return m_flags; }
  // The file of "go env -w"; empty when Go reads none.
  [[nodiscard]] const base::fs::path& file() const { return m_file; }

  // Whether go.mod counts at all.
  [[nodiscard]] bool has_modules() const { return value("GO111MODULE") != "off"; }
  // Whether Go looks for a go.work.
  [[nodiscard]] bool has_workspaces() const { return value("GOWORK") != "off"; }
  // Whether a C compiler may have a part in the program: Go's own choice is no for another processor.
  [[nodiscard]] bool may_use_c() const;
  // Whether a detector of errors is asked for that is made of C.
  [[nodiscard]] bool needs_c() const;
  // The tags of GOFLAGS.
  [[nodiscard]] std::vector<std::string> tags() const;
  // The processor that is built for, as Go names it.
  [[nodiscard]] std::string architecture() const;

  // The variables for Go's commands that run in the environment which this was made from: what is overruled
  // has the value that counts.
  void put_into(process::Environment& environment) const;

  // Fails where no program for a pipeline can come of it. Warns of what is overruled.
  [[nodiscard]] base::Status check() const;
  // Says that `text`, the value of a variable, has no effect.
  void warn_ignored(const std::string& name, const std::string& text, const std::string& reason) const;

 private:
  SettingPlaces m_places;
  process::Environment m_settings;
  process::Environment m_environment;
  process::Environment m_written;  // by "go env -w"
  base::fs::path m_file;
  std::vector<Flag> m_flags;
};

}  // namespace builder::go
