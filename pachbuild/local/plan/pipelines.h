// SPDX-License-Identifier: Apache-2.0
// Which pipelines run, and which of them read what others have written.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {

// What stands for repos, by repo_key(): folders of this machine, or commits of a cluster
// ("pfs:images@master"; "pfs:" is what the input says itself). Under the empty name "pfs:", for all repos
// that nothing else stands for.
using GivenRepos = std::map<std::string, std::string>;

struct PlannedPipeline {
  spec::PipelineSpec spec;
  std::set<std::string> reads;     // the repos of its inputs, by repo_key()
  std::vector<std::size_t> after;  // the pipelines whose results these are, as places in the plan
  std::set<std::string> read_as;   // the names by which others read its result
};

struct Plan {
  std::vector<PlannedPipeline> pipelines;     // each one after those whose results it reads
  GivenRepos folders;                         // of the repos that no pipeline writes
  GivenRepos assumed;                         // those of them that nobody has named: spec::data_folder()
  std::map<std::string, std::string> remote;  // those that are on a cluster: "images@master"
  std::set<std::string> crons;                // repos that get a file at each tick of a clock
  std::string job;                 // the job of a cluster that is done again; its id is what programs see
  bool has_artifacts = false;      // of that job: what its commands need comes from the cluster
  bool has_several_specs = false;  // it was made of more than one, even if one is run
};

// The pipeline of `specs` that is named in --pipeline.
base::Result<std::size_t> find_pipeline(const std::vector<spec::PipelineSpec>& specs,
                                        const std::string& name);

// The pipeline of `specs` whose result the input of `reader` reads; specs.size() when there is none.
std::size_t find_writer(const std::vector<spec::PipelineSpec>& specs, const spec::PipelineSpec& reader,
                        const spec::RepoInput& input);

// What was given for what the input reads; given.end() when nothing was.
GivenRepos::const_iterator given_for(const spec::RepoInput& input, const GivenRepos& given);

// The plan of all `specs`, or of the pipeline `only` and what it needs. Refused are two pipelines of one
// name, a circle, repos that nobody provides (all in one error), and folders for repos that nobody reads or
// that a pipeline writes. For a repo without a folder its spec::data_folder() stands, if it exists.
base::Result<Plan> make_plan(std::vector<spec::PipelineSpec> specs, const GivenRepos& given,
                             const std::string& only = {});

}  // namespace local
