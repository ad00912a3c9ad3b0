// SPDX-License-Identifier: Apache-2.0
// What a person need not type, as one thing alone can be meant: the only spec of the current folder, and
// folders beside it. It is never taken silently: the whole command is shown.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/commands/commands.h"

namespace commands {

// The only spec in the current folder, for a verb that was given none; it is added to the words. An error
// when there is none, or more than one.
base::Result<std::string> assume_spec(Invocation& invocation);

// The folder "output" beside the first of `files`, for a run that was given none; it is added to the words.
// An error when it exists and has anything but output of runs.
base::Result<std::string> assume_output(Invocation& invocation, const std::vector<std::string>& files);

// Adds an option to the words.
void assume(Invocation& invocation, const std::string& option, const std::string& value);

// Shows the command as it can be typed, where anything was added to its words or somebody else typed them.
void show_assumed(const Invocation& invocation);

}  // namespace commands
