// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/build_inputs.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/digest.h"
#include "base/workspace.h"
#include "pachbuild/local/results/scratch.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/local/session/explanation.h"
#include "pachbuild/source/source.h"

namespace commands {
namespace {

// Whether the builder's answer names the parts of the source.
bool is_known(const std::string& answer) {
  const auto json = nlohmann::json::parse(answer, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("all") && json["all"] == false;
}

}  // namespace

base::Status find_build_inputs(cluster::Submission& submission, process::Interruption& interruption) {
  if (submission.build_source == cluster::BuildSource::shared) return {};
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  BASE_TRY_ASSIGN(auto made, local::make_scratch(cache));
  submission.workspace = std::make_shared<const base::Workspace>(std::move(made));
  submission.copy = submission.workspace->path() / "source";
  constexpr mode_t k_private = 0700;
  BASE_TRY(base::make_folders(submission.copy, k_private));
  auto& files = submission.source.files;
  BASE_TRY(source::copy_source(files, submission.copy));
  for (auto& file : files) file.file = submission.copy / file.path;
  const auto answer = local::ask_source_inputs(submission.spec, submission.copy, cache, interruption);
  if (interruption.signal()) return base::fail(base::ErrorKind::step_failed, "", "interrupted");
  if (answer && is_known(*answer)) {
    submission.inputs = base::sha256(*answer);
    return {};
  }
  BASE_TRY_ASSIGN(const auto digests, source::file_digests(files));
  submission.inputs = source::source_digest(digests);
  return {};
}

}  // namespace commands
