// SPDX-License-Identifier: Apache-2.0
// What a failed tool's words say is missing on this machine, and which of Debian's packages has it.
#pragma once

#include <string>
#include <string_view>

namespace builder {

// To be added to a hint: "; ffi.h is missing: install the Debian package libffi-dev". Empty when the words
// tell of nothing that is missing.
[[nodiscard]] std::string missing_hint(std::string_view words);

}  // namespace builder
