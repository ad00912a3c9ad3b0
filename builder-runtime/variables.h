// SPDX-License-Identifier: Apache-2.0
// Which variables of this process the tools of a build get, and which of them are in a key. The one rule:
// what a tool can see is in the key, or is one of the few that cannot or must not be (places, credentials,
// how things are reached); what changes with every job, pod or session is not passed on at all.
// docs/builders.md, "Variables".
#pragma once

#include <string>

#include "builder-runtime/inputs.h"
#include "process/command.h"

namespace builder {

enum class VariableRole {
  input,       // passed on, and in the key
  place,       // passed on: where this user or machine has things, which is what the key must not depend on
  credential,  // passed on: never in a key, a line or a file
  transport,   // passed on: how things are reached and kept, not what they are
  job,         // not passed on: another one for every job, pod or session
  locale,      // not passed on: tools get C.UTF-8, UTC and a plain Python on every machine
};

// `environment` is the one that the variable is in: what a variable is may depend on others.
VariableRole role_of_variable(const std::string& name, const process::Environment& environment);

// What tools get of the environment of this process. Variables that the pipeline's spec sets
// (contract::k_build_variables and k_build_secrets have their names) are passed on whatever they are called.
process::Environment environment_of_tools(const process::Environment& environment);

// Says of each variable of an environment for tools what it is. `given` is the environment that it was made
// from.
void add_variables(const process::Environment& environment, const process::Environment& given,
                   Inputs& inputs);

}  // namespace builder
