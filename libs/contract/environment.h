// SPDX-License-Identifier: Apache-2.0
// The environment variables of the programs.
#pragma once

namespace contract {

// The folder of all caches; what it overrides is said in layout.h.
inline constexpr char k_cache_variable[] = "PACHBUILD_CACHE_DIR";
// How large builder-runtime lets its cache become: "20GiB"; 0: no limit.
inline constexpr char k_cache_limit_variable[] = "PACHBUILD_CACHE_LIMIT";
// "json": one JSON object a line on standard error instead of text.
inline constexpr char k_log_variable[] = "PACHBUILD_LOG";
// Set by pachbuild for a build that it shows: builder-runtime says how far it is in lines that are JSON
// (report/progress.h), among those that are for people.
inline constexpr char k_progress_variable[] = "PACHBUILD_PROGRESS";
// Set by worker-shim for the program: the folder of its unpacked environment.
inline constexpr char k_environment_variable[] = "PACHBUILD_ENV";
// Decides whether Python programs are forked from an interpreter that has their packages imported: "true"
// (those that the source imports), "false", or names of modules, separated by commas. Set by run.sh as the
// source's settings say, where the pipeline does not set it.
inline constexpr char k_preload_variable[] = "PACHBUILD_PRELOAD";
// Set by builder-runtime for a build.sh of the source: a builder-runtime that it calls does the default
// steps instead of starting that build.sh again.
inline constexpr char k_default_steps_variable[] = "PACHBUILD_DEFAULT_STEPS";
// Set for a running pipeline whose spec has a transform.working_dir, to that folder: in a container this
// cannot be told from the image's own. Programs that have no need to start in the source start there.
inline constexpr char k_working_folder[] = "PACHBUILD_WORKING_DIR";
// Set for the build of a pipeline whose spec has a command of its own: that one says which of the source's
// programs run. All of them are made then, and none has to be the pipeline's.
inline constexpr char k_own_command[] = "PACHBUILD_OWN_COMMAND";
// Set by pachbuild for a build on this machine of a pipeline that runs in an official image elsewhere: what
// the program takes from this machine, it will not find there.
inline constexpr char k_this_machine[] = "PACHBUILD_THIS_MACHINE";
// The names of the variables that transform.build.env sets, separated by commas: builder-runtime hands these
// on to its tools whatever they are called.
inline constexpr char k_build_variables[] = "PACHBUILD_BUILD_VARIABLES";
// Those that transform.build.secrets sets: handed on as well, and in no key.
inline constexpr char k_build_secrets[] = "PACHBUILD_BUILD_SECRETS";

}  // namespace contract
