// SPDX-License-Identifier: Apache-2.0
// What tools and programs call the files of a source, in the words of the person: /pfs/source/main.py is
// source/main.py in the current folder, and so is its copy in an environment. For what is shown; logs stay as
// they are.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"

namespace view {

class SourceNames {
 public:
  // `folder` has the source; names are relative to `current`. With `links`, each is a link to its file (OSC
  // 8).
  SourceNames(const base::fs::path& folder, const base::fs::path& current, bool links);
  SourceNames() = default;  // changes nothing

  // Whole lines of a traceback, a panic, a compiler's errors, anything: with the person's names in the place
  // of /pfs/source/…, of a Go program's "module/path/file.go:12" and of a compiler's "./file.go:12".
  [[nodiscard]] std::string in_text(std::string_view text) const;

 private:
  [[nodiscard]] std::string in_line(std::string_view line) const;
  [[nodiscard]] std::string shown(std::string_view path, std::string_view place) const;
  [[nodiscard]] bool has(std::string_view path) const;
  [[nodiscard]] std::string_view path_in_environment(std::string_view word) const;

  base::fs::path m_folder;  // empty: nothing is changed
  std::string m_prefix;     // "source/"
  std::string m_module;     // "example.com/counter/"; empty: it has none
  bool m_links = false;
};

}  // namespace view
