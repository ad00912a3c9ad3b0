// SPDX-License-Identifier: Apache-2.0
// A job of a cluster as it can be done again somewhere else: the pipeline as it was then, the commits that it
// read, and which of its datums failed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"

namespace cluster {

// "[PROJECT/]PIPELINE[@JOB]", as a person names a job; without JOB the newest one.
struct JobPlace {
  std::string project;  // empty: the context's
  std::string pipeline;
  std::string job;
};
base::Result<JobPlace> parse_job_place(const std::string& text, const std::string& where);

struct JobReplay {
  std::string id;
  bool has_ended = false;  // nothing of it will change
  bool has_build = false;  // it reads what a build pipeline of pachbuild made
  std::string spec;  // JSON: name, transform, input and limits of a datum. Commands start wherever they run
  std::map<std::string, std::string> commits;  // by "project/repo@branch": "project/repo@id"
  std::vector<std::string> failed;             // the ids of its failed datums
};
// A job that is not there, or reads nothing, is an error.
base::Result<JobReplay> read_job_replay(const Pachctl& pachctl, const JobPlace& place);

}  // namespace cluster
