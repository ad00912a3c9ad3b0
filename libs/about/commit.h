// SPDX-License-Identifier: Apache-2.0
// The only thing that another commit changes: cmake/commit.cmake writes the file that defines it.
#pragma once

namespace about {

extern const char* const k_commit;  // "2853b22 2026-11-26"; empty when the source is no Git checkout

}  // namespace about
