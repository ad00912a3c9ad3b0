// SPDX-License-Identifier: Apache-2.0
// Whether the version of a tool is one that a source wants.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace builder::declared {

enum class Comparison { prefix, minor, at_least, semver_range };

// The comparison of this name in builder.toml; none: there is none.
std::optional<Comparison> comparison_of(std::string_view word);

// Nothing where `wanted` is no version or range that this understands, as "lts/*" or "nightly", or `found`
// has no number. A "v" before a version does not count.
std::optional<bool> version_fits(std::string_view found, std::string_view wanted, Comparison comparison);

}  // namespace builder::declared
