// SPDX-License-Identifier: Apache-2.0
// A run as one HTML file that needs no network: the report of --report.
#pragma once

#include <cstddef>
#include <string>

#include "pachbuild/history/run.h"

namespace history {

// A page lists so many datums: those that did not succeed, then the slowest, then skipped ones. All count.
inline constexpr std::size_t k_most_rows = 20'000;

std::string page_of(const Run& run, std::size_t most_rows = k_most_rows);

}  // namespace history
