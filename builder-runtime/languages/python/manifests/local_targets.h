// SPDX-License-Identifier: Apache-2.0
// Packages and folders of packages that a manifest, a lock or a configuration names by a path or a file: URL.
// A target outside the source is an input by its content; a target inside makes the whole source an input.
// Where a text is ambiguous, the key depends on every reading.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/inputs.h"
#include "process/command.h"

namespace builder::python {

// "b%20c" → "b c"; all other text stays as it is.
std::string percent_decoded(std::string_view text);

// "file:///a/b%20c#sha256=0", "file:./a", "./a[extra]" → a path.
std::string path_of_target(std::string_view target);

class LocalTargets {
 public:
  LocalTargets(fs::path source, const process::Environment& environment);

  // A path or a file: URL, relative to `folder`. A missing target is left to uv, whose error is better.
  base::Status add(std::string_view target, const fs::path& folder);

  // A line of a requirements file: "x @ file:///a", "./b[extra]", "-e ../c", "--find-links=/d".
  base::Status add_line(const std::string& line, const fs::path& folder);

  // The values of "path", "url", "find-links", … in a text of TOML or JSON, and every file: URL in any text.
  base::Status add_text(std::string_view text, const fs::path& folder);

  // Whether a target is inside the source.
  [[nodiscard]] bool is_inside() const { return m_is_inside; }
  // Those that are not.
  [[nodiscard]] const Inputs& outside() const { return m_outside; }

 private:
  fs::path m_source;
  process::Environment m_environment;
  bool m_is_inside = false;
  Inputs m_outside;
};

}  // namespace builder::python
