// SPDX-License-Identifier: Apache-2.0
// Decides which variables the tools of a build see, and which of them are in a key. Every variable that a
// tool can see is in the key, except for locations, credentials and settings of the network. Variables that
// change with every job, pod or session are not passed on. docs/builders.md, "Variables".
#pragma once

#include <string>

#include "builder-runtime/inputs.h"
#include "process/command.h"

namespace builder {

enum class VariableRole {
  input,       // passed on, and in the key
  place,       // passed on: a location on this machine, on which no key may depend
  credential,  // passed on: never in a key, a log or a file
  transport,   // passed on: access and storage, not content
  job,         // not passed on: differs between jobs, pods or sessions
  locale,      // not passed on: tools get C.UTF-8, UTC and a plain Python on every machine
};

// `environment` contains the variable: its role may depend on the others.
VariableRole role_of_variable(const std::string& name, const process::Environment& environment);

// Whether the pipeline's spec sets it for the build (contract::k_build_variables).
bool is_set_by_spec(const std::string& name, const process::Environment& environment);

// The part of this process's environment that tools get. Variables that the pipeline's spec sets (listed in
// contract::k_build_variables and k_build_secrets) are passed on whatever their names.
process::Environment environment_of_tools(const process::Environment& environment);

// Declares each variable of an environment for tools. `given` is the environment that it was made from.
void add_variables(const process::Environment& environment, const process::Environment& given,
                   Inputs& inputs);

}  // namespace builder
