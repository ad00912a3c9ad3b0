// SPDX-License-Identifier: Apache-2.0
// Whether sandboxes can be made here: makes one, in which nothing runs. A hidden command of pachbuild, since
// it takes a process without threads that may be killed when it hangs.
#pragma once

namespace local {

// The hidden command.
inline constexpr char k_sandbox_check_command[] = "check-sandbox";

// Prints nothing and gives 0 when it works; else what is wrong, in a line, and in the next one what to do.
int check_sandbox();

}  // namespace local
