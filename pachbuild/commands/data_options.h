// SPDX-License-Identifier: Apache-2.0
// The options that say which pipelines, over which data of this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/local/plan/pipelines.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}  // namespace CLI

namespace commands {

// Adds the folders that the plan takes for repos without --input to the words.
void assume_inputs(Invocation& invocation, const local::Plan& plan);

// The options that name the specs of a verb.
struct SpecFiles {
  std::vector<std::string> files;  // and folders
  std::string jsonnet;             // a template that makes specs, and its arguments
  std::vector<std::string> arguments;

  // -f, --jsonnet and --arg; and SPEC as an argument, unless the command has another one.
  enum class Argument { spec, other };
  void add_to(CLI::App& verb, Argument argument = Argument::spec);
  // Takes the only spec of the current folder where none was given.
  base::Status settle(Invocation& invocation);
  [[nodiscard]] base::Result<std::vector<spec::PipelineSpec>> load() const;
};

// --datum.
void add_datum_option(CLI::App& verb, std::vector<std::string>& datums);

struct DataOptions {
  SpecFiles specs;
  std::vector<std::string> inputs;  // "REPO=PATH"
  std::string pipeline;             // the one of several that is meant
  std::string tick;
  std::string job;  // of a cluster, instead of all of these: "PIPELINE@JOB"

  // -f, --jsonnet, --arg, -i, --pipeline and --tick.
  void add_to(CLI::App& verb);
  // --job.
  void add_job_to(CLI::App& verb);

  // The same, unless a job was given.
  base::Status settle(Invocation& invocation);

  // What of it is to be run.
  [[nodiscard]] base::Result<local::Plan> plan() const;

  // That --job stands alone.
  [[nodiscard]] base::Status check_job() const;

  // The folders of repos alone.
  [[nodiscard]] base::Result<local::GivenRepos> repos() const;

  // That one pipeline is meant, where the option `where` says something of one; `fault` is the error's.
  [[nodiscard]] base::Status check_one_pipeline(const local::Plan& plan, const std::string& where,
                                                const std::string& fault) const;

  // Of the tick that cron inputs get: by default now. RFC 3339 in UTC, as a worker finds it.
  [[nodiscard]] base::Result<std::string> tick_time() const;
};

// The error that asks for the name of one of these pipelines; `fault` says what is wrong with the option
// `where`.
base::Error several_pipelines(const std::string& where, const std::string& fault,
                              const std::vector<std::string>& names);

}  // namespace commands
