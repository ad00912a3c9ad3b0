// SPDX-License-Identifier: Apache-2.0
// Exit codes of worker-shim, which otherwise are the program's own. builder-runtime and pachbuild use
// base::ErrorKind.
#pragma once

namespace contract {

inline constexpr int k_shim_failed = 125;           // the shim's own failure
inline constexpr int k_command_not_runnable = 126;  // found but not executable, as in a shell
inline constexpr int k_command_not_found = 127;     // as in a shell
inline constexpr int k_signal_base = 128;           // plus the number of the signal that ended a program

}  // namespace contract
