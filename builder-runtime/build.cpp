// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/build.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/digest.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/json_text.h"
#include "builder-runtime/phases/build_script.h"
#include "builder-runtime/phases/compile.h"
#include "builder-runtime/phases/detect.h"
#include "builder-runtime/phases/emit.h"
#include "builder-runtime/phases/resolve.h"
#include "builder-runtime/store/cache_limit.h"
#include "report/report.h"

namespace builder {

namespace {

// A file that is saved during a build is built again; a source that keeps changing is an error.
constexpr int k_attempts = 3;

struct Made {
  Source source;
  Artifact artifact;
};

base::Result<Made> make(Source source, const Settings& settings, const Tools& tools) {
  for (int attempt = 1;; ++attempt) {
    // Finds out what to install or compile, and the key of the result.
    BASE_TRY_ASSIGN(const Plan plan, resolve(source, tools));

    // What is wrong with the source is said before anything is made of it.
    if (plan.checks) BASE_TRY(plan.checks());

    // The expensive part, unless the cache has a bundle with this key.
    BASE_TRY_ASSIGN(auto compiled, compile(plan, tools));
    if (compiled.artifact && plan.review) BASE_TRY(plan.review(compiled.modules));
    if (compiled.artifact) return Made{std::move(source), std::move(*compiled.artifact)};
    const std::string what = "changed during the build";
    if (attempt == k_attempts) {
      return base::fail(base::ErrorKind::io, compiled.changed,
                        what + ", " + std::to_string(attempt) + " times",
                        "stop the program that writes to it, then build again");
    }
    report::warn(compiled.changed + ": " + what + "; building again");
    BASE_TRY_ASSIGN(source, detect(settings));
  }
}

template <class Describe>
base::Result<std::string> describe(const Settings& settings, process::Runner& runner,
                                   const std::string& option, Describe describe_plan) {
  const Tools tools(settings, runner);
  BASE_TRY_ASSIGN(const Source source, detect(settings));
  if (source.has_build_script) {
    return base::fail(base::ErrorKind::usage, option,
                      "a source with a build.sh has no key: its build is never cached");
  }
  BASE_TRY_ASSIGN(const auto use, CacheUse::begin(settings.cache));
  BASE_TRY_ASSIGN(const Plan plan, resolve(source, tools));
  return describe_plan(plan);
}

// The inputs that are files in the source: their paths there and the digests of their content. Credentials
// count, because a build needs them. Python code is left out, since source_facts has what matters of it.
// None if an input is a whole folder of the source.
using FileDigests = std::map<std::string, std::string>;
base::Result<std::optional<FileDigests>> files_of(const Inputs& inputs, const fs::path& source) {
  FileDigests digests;
  for (const auto& input : inputs.shown()) {
    const auto name = base::path_below(input.path, source);
    if (!name || name->extension() == ".py") continue;
    if (input.kind != "file") return std::nullopt;
    BASE_TRY_ASSIGN(digests[name->string()], base::sha256_of_file(input.path));
  }
  return digests;
}

nlohmann::ordered_json start_of(const Start& start) {
  nlohmann::ordered_json json = {{"command", start.command},
                                 {"folder", start.folder},
                                 {"may_start_elsewhere", start.may_start_elsewhere},
                                 {"environment", start.environment},
                                 {"prepend", start.prepend}};
  if (start.no_program) json["no_program"] = {start.no_program->what, start.no_program->hint};
  return json;
}

}  // namespace

base::Result<std::string> describe_inputs(const Settings& settings, process::Runner& runner) {
  return describe(settings, runner, "--inputs", [](const Plan& plan) -> base::Result<std::string> {
    return plan.key.empty() ? std::string() : plan.inputs.lines();
  });
}

base::Result<std::string> explain(const Settings& settings, process::Runner& runner) {
  return describe(settings, runner, "--explain", [](const Plan& plan) -> base::Result<std::string> {
    if (plan.explanation) return plan.explanation();
    return base::fail(base::ErrorKind::usage, "--explain",
                      "the " + plan.language + " builder is built in and has no builder.toml",
                      "use --inputs to list its inputs");
  });
}

base::Result<std::string> source_inputs(const Settings& settings, process::Runner& runner) {
  using Json = nlohmann::ordered_json;
  const auto all = base::json_lines(Json{{"all", true}});
  const Tools tools(settings, runner);
  BASE_TRY_ASSIGN(const Source source, detect(settings));
  if (!source.names_source_inputs) return all;
  BASE_TRY_ASSIGN(const auto use, CacheUse::begin(settings.cache));
  BASE_TRY_ASSIGN(const Plan plan, resolve(source, tools));
  BASE_TRY_ASSIGN(const auto files, files_of(plan.inputs, settings.source));
  if (!files) return all;
  return base::json_lines(Json{{"all", false},
                               {"builder", plan.language + " " + PACHBUILD_VERSION},
                               {"program", {plan.program.name, plan.program.chosen}},
                               {"start", start_of(plan.start)},
                               {"facts", plan.source_facts()},
                               {"files", *files}});
}

base::Status build(const Settings& settings, process::Runner& runner) {
  const Tools tools(settings, runner);

  // What is it? Nothing is started and nothing written.
  BASE_TRY_ASSIGN(Source source, detect(settings));
  if (source.has_build_script) return run_build_script(settings, tools);
  BASE_TRY_ASSIGN(const CheckedFiles checked, check_out(settings.out));

  // What is found in the cache from here on stays there until the artifact is written.
  BASE_TRY_ASSIGN(const std::uint64_t limit, cache_limit(settings.environment));
  BASE_TRY_ASSIGN(auto use, CacheUse::begin(settings.cache));

  BASE_TRY_ASSIGN(const Made made, make(std::move(source), settings, tools));

  // From here on the output folder is written, run.sh last.
  BASE_TRY(emit(made.artifact, made.source, checked, tools));

  // What was added may be too much. The artifact is whole, so nothing of this can fail the build.
  if (made.artifact.added.empty()) return {};
  if (const auto shrunk = std::move(use).shrink(limit, made.artifact.added); !shrunk) {
    report::warn("cache: " + base::without_hint(shrunk.error()));
  }
  return {};
}

}  // namespace builder
