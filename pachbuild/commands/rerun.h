// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pachbuild/commands/commands.h"

namespace commands {

// Keeps the words of a `pachbuild run` that was accepted, for `pachbuild rerun` in the same folder. Words
// with a password are not kept, and nothing that is in the way of it is told: rerun says so then.
void remember_run(const Invocation& invocation);

}  // namespace commands
