// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace revision {

// Whether git takes it for the name of a tag or branch; private to this library.
bool is_ref_name(std::string_view name);

}  // namespace revision
