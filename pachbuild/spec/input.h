// SPDX-License-Identifier: Apache-2.0
// The input of a pipeline: which files of which repos its datums have, as pps.proto of 2.12 defines it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pachbuild/spec/document.h"
#include "pachbuild/spec/faults.h"

namespace spec {

inline constexpr char k_default_branch[] = "master";

// A cron input's own fields. Its repo gets a file at each tick, named by the time.
struct Cron {
  std::string spec;        // "@daily", "0 3 * * *"
  bool overwrite = false;  // a tick replaces the file of the one before
};

// The files and folders of one repo that a glob matches: a leaf of the tree.
struct RepoInput {
  std::string project;    // empty: the pipeline's
  std::string name;       // of the folder below /pfs: never "source", "build" or "out"
  bool is_named = false;  // by the spec, and not after its repo
  std::string repo;
  std::string branch;  // "master" when it is not set
  std::string glob;    // clean: glob::Glob::compile(glob, Separator::slash) succeeds
  std::string join_on;
  std::string group_by;
  bool outer_join = false;
  bool lazy = false;
  bool empty_files = false;
  std::optional<Cron> cron;  // of a cron input; its glob is "/*"
  std::string pointer;       // of this input, for errors: spec.places.where(pointer + "/repo")
};

// A tree: a leaf, or inputs that are combined.
struct Input {
  enum class Kind {
    repo,
    cross,     // each datum of one input with each of the others
    join,      // files of different inputs whose join_on has the same value
    group,     // all files whose group_by has the same value
    union_of,  // the datums of all inputs
  };
  Kind kind = Kind::repo;
  RepoInput repo;            // of Kind::repo
  std::vector<Input> parts;  // of the others: at least one
};

// The leaves below `input`, in the order of the spec.
std::vector<const RepoInput*> repo_inputs(const Input& input);

// A name that Pachyderm gives repos and pipelines: letters, digits, '_' and '-'.
bool is_name(const std::string& name);

// What reading an input needs besides its text.
struct InputReading {
  const std::string& pipeline;  // the name of its pipeline
  bool is_built = true;         // the pipeline has a source and a build, whose names in /pfs are taken then
  const Places& places;
};

// Reads the input at `pointer` of a checked spec (schema.h). When something was wrong with it, what is
// returned means nothing.
Input read_input(const nlohmann::json& value, const std::string& pointer, const InputReading& reading,
                 Faults& faults);

// Of an input that only a cluster reads, whatever a later Pachyderm adds to it: that it leaves the names that
// are taken alone.
void check_input_names(const nlohmann::json& value, const std::string& pointer, const InputReading& reading,
                       Faults& faults);

}  // namespace spec
