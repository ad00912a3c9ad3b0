// SPDX-License-Identifier: Apache-2.0
// The last runs of the pipelines that a verb names, on this machine.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/local/record/run_record.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace commands {

struct KnownRun {
  spec::PipelineSpec spec;
  local::LastRun last;
  local::RunRecord record;
};

// Those of all pipelines of the specs, or of the one called `pipeline`. Warns of a newer run that ended
// before its datums. An error (bad_input) when none of them has run.
base::Result<std::vector<KnownRun>> known_runs(const SpecFiles& specs, const std::string& pipeline);

// That what `option` asks for is asked of one pipeline.
base::Status check_one_run(const std::vector<KnownRun>& runs, const std::string& option);

// The places in the record's datums that --datum selects.
base::Result<std::vector<std::size_t>> select(const KnownRun& run, const std::vector<std::string>& names);

// How it ended in that run: "failed: exit code 1, 12 ms".
std::string end_of(const local::RunRecord::Datum& datum);

// "2026-11-26 05:51:08" of this machine's time zone.
std::string local_time(std::int64_t seconds);

}  // namespace commands
