// SPDX-License-Identifier: Apache-2.0
// Why a program that ended well may have written nothing to /pfs/out: what is usually wrong then.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {

// The first place of a text that explains it: it names a folder of /pfs that the pipeline does not have, or
// lists an input without following the link that /pfs/<input> is. `inputs` are names. Nothing: it does not
// explain it.
std::optional<std::string> explain_silence(std::string_view text, const std::string& shown,
                                           const std::vector<std::string>& inputs);

// The same for the commands of a pipeline and the files of its source, a copy of which is in `source`; empty:
// it has none.
std::optional<std::string> explain_silence(const spec::PipelineSpec& spec, const base::fs::path& source);

}  // namespace local
