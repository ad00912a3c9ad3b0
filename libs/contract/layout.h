// SPDX-License-Identifier: Apache-2.0
// Where things are: the folders of a Pachyderm worker and the files of an artifact. Sources:
// Pachyderm 1.13's build pipelines and 2.x's worker; ARCHITECTURE.md, "The artifact".
#pragma once

#include <array>
#include <string_view>

namespace contract {

inline constexpr char k_pfs[] = "/pfs";
inline constexpr char k_source[] = "/pfs/source";
inline constexpr char k_build[] = "/pfs/build";
inline constexpr char k_out[] = "/pfs/out";
// Names of inputs that the running pipeline has for itself.
inline constexpr char k_source_input[] = "source";
inline constexpr char k_build_input[] = "build";

// On a cluster (pipeline_names.h): what the names of a pipeline's source and build end with, and the branch
// of the latter that has the artifacts.
inline constexpr char k_source_repo_suffix[] = "_source";
inline constexpr char k_build_pipeline_suffix[] = "_build";
inline constexpr char k_build_branch[] = "build";

// The files of an artifact, in /pfs/out of the build and /pfs/build of the running pipeline.
inline constexpr char k_run_script[] = "run.sh";
inline constexpr char k_build_script[] = "build.sh";
inline constexpr char k_record[] = "build.json";
inline constexpr char k_shim[] = "worker-shim";
// For a pipeline's own command, in front of which they are read: a script that becomes the command in the
// artifact's environment, where the image has no shim; and, for the shim, the variables that the source's
// settings give to programs: NAME=VALUE and a zero byte for each. Each is there only where it does something.
inline constexpr char k_environment_script[] = "environment.sh";
inline constexpr char k_environment_variables[] = "environment.variables";
// bundle-<sha256 of the file>.tar.zst, and of the one below it, if there is one, base-<sha256>.tar.zst
inline constexpr char k_bundle_prefix[] = "bundle-";
inline constexpr char k_base_prefix[] = "base-";
inline constexpr char k_bundle_suffix[] = ".tar.zst";

// The name under which the process shows itself that keeps an interpreter for Python programs (prctl(2),
// PR_SET_NAME). It outlives the program that started it, and what it starts for itself is in its group.
inline constexpr char k_keeper_name[] = "pachbuild-keep";

// Where images have the programs.
inline constexpr char k_image_shim[] = "/usr/local/bin/worker-shim";

// Of the mode of an environment's folder: worker-shim has sealed it, and its time of modification is no time.
inline constexpr unsigned k_sealed_bit = 01000;  // the sticky bit, which means nothing else there

// In a bundle that lies on another one: the digest of that and a newline. Its environment has all files of
// the other's that it does not have itself.
inline constexpr char k_base_file[] = ".base";
// In a bundle whose programs need variables: "NAME=VALUE" (set where it is not set) or "+NAME=VALUE" (put in
// front of a list), and a zero byte for each. k_environment_mark in a value stands for the folder of the
// environment.
inline constexpr char k_variables_file[] = ".variables";
inline constexpr char k_environment_mark[] = "{env}";

// What a cache has at its top for itself; every other folder there is that of a language's builder.
inline constexpr std::array<std::string_view, 12> k_cache_folders = {
    "clusters", "env", "images",     "lock", "preload", "results",
    "room",     "run", "secret-key", "shim", "tools",   "work"};

// Inside a cache folder. An environment is an unpacked bundle: <cache>/env/<digest>/.
inline constexpr char k_cache_environments[] = "env";
// Copies of the shim by digest, made by run.sh where the image has none: <cache>/shim/<digest>/worker-shim.
inline constexpr char k_cache_shims[] = "shim";
// Preloaded interpreters: a socket for each, and beside it the lock that its keeper holds as long as it
// lives.
inline constexpr char k_cache_interpreters[] = "preload";
inline constexpr char k_interpreter_lock_suffix[] = ".lock";

// The caches of an image, and of a container where that one is not ours to write (with "-<uid>" added).
inline constexpr char k_image_cache[] = "/var/cache/pachbuild";
inline constexpr char k_private_cache_prefix[] = "/tmp/pachbuild";

}  // namespace contract
