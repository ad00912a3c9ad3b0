// SPDX-License-Identifier: Apache-2.0
// The text of interpreter.py.
#pragma once

namespace shim::preload {

extern const char k_interpreter[];

}  // namespace shim::preload
