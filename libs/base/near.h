// SPDX-License-Identifier: Apache-2.0
// Suggestions: which of the names that exist a mistyped one most likely means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// The closest of `names`, of several the first; nothing when more than a third of `name` would be wrong.
// Case and the dashes before an option do not count.
std::optional<std::string> near_name(std::string_view name, const std::vector<std::string>& names);

// "did you mean "tables"?", or `otherwise` when nothing is near: the hint of an error about `name`.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& names,
                         const std::string& otherwise = {});

// The same for a file or folder that does not exist, by what its folder has: "did you mean
// "d/summary.yaml"?".
std::string did_you_mean_file(const std::string& path, const std::string& otherwise = {});

}  // namespace base
