// SPDX-License-Identifier: Apache-2.0
// A pipeline spec, read and checked: docs/pipeline-spec.md says what is accepted. Fields have Pachyderm's
// names and defaults (pps.proto of 2.12, and `transform.build` of 1.13, which 2.0 removed).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/spec/document.h"
#include "pachbuild/spec/input.h"

namespace spec {

// For what a spec is read.
enum class Target {
  machine,  // `pachbuild run`: what this program cannot do on one machine is refused
  cluster,  // Pachyderm reads it next: fields that are not known here are kept, since a later release may
            // know them
  any,      // `pachbuild validate`: everything that either refuses; what only one of them does becomes a note
};

// What is built: exactly one of language and image is set.
struct Build {
  std::string language;    // of an official builder: one of official_languages()
  std::string image;       // of another builder: the name of an image, or a path
  base::fs::path builder;  // of a path: the builder's folder, which exists
  std::string path;        // as written; "." when it is not
  base::fs::path folder;   // the same below the spec file's folder: an existing folder
  std::map<std::string, std::string> env;
  std::optional<std::uint64_t> largest_file;  // of its source, in bytes: not of the spec, but of who builds
  // Folders that are no part of the source, as they have the pipeline's data: those of data_folder(), and
  // what whoever builds knows besides.
  std::vector<base::fs::path> data;
};

struct Secret {
  std::string name;
  std::string key;
  std::string mount_path;
  std::string env_var;
};

struct Transform {
  Build build;        // neither language nor image: there is nothing to build, and `image` has the program
  std::string image;  // of the running pipeline; empty: the builder's
  std::vector<std::string> cmd;  // empty: sh /pfs/build/run.sh
  std::vector<std::string> stdin_lines;
  std::vector<std::string> err_cmd;
  std::vector<std::string> err_stdin;
  std::map<std::string, std::string> env;
  std::vector<Secret> secrets;
  std::vector<std::int64_t> accept_return_code;
  std::string user;
  std::string working_dir;
  std::string dockerfile;
  bool datum_batching = false;
};

struct DatumSetSpec {
  std::int64_t number = 0;
  std::int64_t size_bytes = 0;
  std::int64_t per_worker = 0;
};

struct PipelineSpec {
  std::string name;     // pipeline.name
  std::string project;  // pipeline.project.name
  std::string description;
  Transform transform;
  Input input;  // of Target::machine only
  std::string output_branch;
  std::uint64_t parallelism = 0;  // parallelism_spec.constant; 0: not set
  std::optional<std::chrono::nanoseconds> datum_timeout;
  std::optional<std::chrono::nanoseconds> job_timeout;
  std::optional<std::int64_t> datum_tries;  // Pachyderm: 3 when it is not set
  DatumSetSpec datum_set_spec;
  std::string reprocess_spec;  // "", "until_success" or "every_job"

  // Fields that are set, accepted and without effect on one machine: "p.json:4:3: transform.user".
  std::vector<std::string> cluster_fields;
  // Of Target::any: what is right and done by a cluster only, as "p.json:4:3: egress works only on a cluster;
  // `pachbuild run` refuses it", or on one machine only.
  std::vector<std::string> notes;
  // What is allowed and probably not meant.
  std::vector<std::string> warnings;
  // Where each field is written, by its pointer in Pachyderm's own (snake case) names.
  Places places;
  // The whole spec under these names, transform.build included.
  std::shared_ptr<const nlohmann::json> fields;
};

// The languages that have an official builder: those that builder-runtime knows by itself, and the builders
// that are installed with it. Sorted.
std::vector<std::string> official_languages();

// Whether `image` of a build is the path of a folder: no name of an image starts like one.
bool is_builder_path(const std::string& image);

// Whether there is something to build.
inline bool is_built(const Transform& transform) {
  return !transform.build.language.empty() || !transform.build.image.empty();
}

// The images in which a pipeline is built and runs.
struct Images {
  std::string builder;
  std::string pipeline;
};

// The official builder of the language, or the image that the spec names; and transform.image, by default the
// same. `prefix` is what stands before the names of the official builders, "registry.example.com/team/".
Images images_of(const Transform& transform, const std::string& prefix);

// One pipeline of a file that is meant for a cluster.
struct ClusterPipeline {
  std::string name;  // empty when the spec has none: Pachyderm says so then
  // When it has transform.build.
  std::optional<PipelineSpec> spec;
  // As it was written.
  Document document;
  // Of Target::any.
  std::vector<std::string> notes;
};

// Where specs come from.
struct Sources {
  // Files of JSON and YAML with any number of pipelines, each a document or an item of a list; folders, for
  // all
  // *.json, *.yaml and *.yml files below them that have pipelines; "-" for standard input.
  std::vector<std::string> paths;
  // Files of jsonnet that make such a text, and the arguments ("KEY=VALUE") of the function that it is.
  std::vector<std::string> templates;
  std::vector<std::string> arguments;
};

// The folder that stands for a repo where nobody names another one: data/REPO beside the spec's file.
base::fs::path data_folder(const PipelineSpec& spec, const std::string& repo);

// Fails when a pipeline neither builds a program nor names a command: Pachyderm creates it, and each datum
// fails.
base::Status check_has_command(const PipelineSpec& spec);

// Whether a file in a folder of specs is one, by its name.
bool is_spec_file(const base::fs::path& file);

// The names of the files directly in a folder that have a pipeline, sorted. Where there is none: of those
// that speak of one and cannot be read as a spec.
base::Result<std::vector<std::string>> find_specs(const base::fs::path& folder);

// Whether what was given for a spec is an address and not a file.
bool is_url(const std::string& path);

// All of these fail with everything that is wrong with any of the pipelines: errors of kind bad_input that
// name the file, and line and column where there are some; base::Error::more has all but the first.

// The one pipeline of a local file, which has transform.build.
base::Result<PipelineSpec> load_pipeline(const std::string& path);

// The same for a text; `file` is for errors and for build.folder, which is below its folder.
base::Result<PipelineSpec> read_pipeline(const std::string& text, const std::string& file);

// The same for one that a cluster built, or that has nothing to build: there is no transform.build.
base::Result<PipelineSpec> read_finished_pipeline(const std::string& text, const std::string& file);

// All pipelines, for this machine or (Target::any) to be looked at, those without transform.build too; not
// from standard input.
base::Result<std::vector<PipelineSpec>> load_pipelines(const Sources& sources,
                                                       Target target = Target::machine);

// All pipelines, for a cluster or (Target::any) to be looked at. Of Target::cluster what has no
// transform.build is only parsed. A build needs the folder of its source, so it cannot come from standard
// input.
base::Result<std::vector<ClusterPipeline>> load_for_cluster(const Sources& sources, Target target);

// The same for the text of one file.
base::Result<std::vector<ClusterPipeline>> read_for_cluster(const std::string& text, const Places& source,
                                                            Target target);
inline base::Result<std::vector<ClusterPipeline>> read_for_cluster(const std::string& text,
                                                                   const std::string& file, Target target) {
  return read_for_cluster(text, Places(file), target);
}

}  // namespace spec
