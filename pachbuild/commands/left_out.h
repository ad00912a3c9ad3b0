// SPDX-License-Identifier: Apache-2.0
// What .gitignore files leave out of a source, told to a person who may miss it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace commands {

// `paths` are those of source::left_out_by_git().

// "left out of the source (counter) by .gitignore: 12 files, 1 folder (pachbuild ignored lists them)", of the
// source in `folder`; empty when there are none.
std::string left_out_line(const std::string& folder, const std::vector<std::string>& paths);

// The one that a program or build most likely misses, by what it printed: a Python module, a Go package or a
// file of /pfs/source.
std::optional<std::string> missed_path(const std::vector<std::string>& paths, std::string_view log);

// Those that the builder of Python has warned of: "main.py:3: imports gen, which is not installed; …".
std::vector<std::string> missed_imports(const std::vector<std::string>& paths, std::string_view log);

// What to do about it.
std::string missed_line(const std::string& folder, const std::string& path);

}  // namespace commands
