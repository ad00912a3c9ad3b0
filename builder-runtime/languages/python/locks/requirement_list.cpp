// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/requirement_list.h"

#include <algorithm>
#include <string_view>

#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/packaging/requirement.h"

namespace builder::python {

using base::ErrorKind;

Wanted wanted_of(const Requirement& requirement) {
  Wanted wanted{.name = requirement.name, .extras = requirement.extras, .marker = requirement.marker};
  if (!requirement.specifiers.empty()) wanted.alternatives = {requirement.specifiers};
  return wanted;
}

std::string path_requirement(const std::string& path) { return path.starts_with("./") ? path : "./" + path; }

std::string git_requirement(const std::string& name, const std::string& url, const std::string& reference,
                            const std::string& folder) {
  return name + " @ git+" + url + (reference.empty() ? "" : "@" + reference) +
         (folder.empty() ? "" : "#subdirectory=" + folder);
}

base::Result<RequirementList> checked_list(RequirementList list, const std::string& file) {
  constexpr std::string_view k_continuation = " \\\n    --hash=";  // with_hashes()
  for (std::string line : list.lines) {
    base::replace_all(line, k_continuation, " ");
    const auto lines = logical_lines(line);
    const bool has_controls = std::any_of(
        line.begin(), line.end(), [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; });
    // A backslash at the end would join the next line.
    if (has_controls || lines.size() != 1 || lines.front().starts_with('-') ||
        base::trim(line).ends_with('\\'))
      return base::fail(ErrorKind::bad_input, file, "invalid requirement \"" + line + "\"");
    const auto path = line.substr(0, line.find_first_of(" ["));
    if (path.starts_with("./") && !base::stays_inside(path)) {
      return base::fail(ErrorKind::bad_input, file, path.substr(2) + " is outside the source",
                        "move it below transform.build.path: only files there are built");
    }
  }
  return list;
}

std::string both_markers(const std::string& marker, const std::string& other) {
  if (marker.empty() || other.empty()) return marker + other;
  return "(" + marker + ") and (" + other + ")";
}

}  // namespace builder::python
