// SPDX-License-Identifier: Apache-2.0
// The options that say where the history of a run is written.
#pragma once

#include <string>

#include "base/result.h"
#include "pachbuild/history/run.h"
#include "pachbuild/local/plan/pipelines.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}  // namespace CLI

namespace commands {

struct Invocation;

struct HistoryOptions {
  std::string report;
  std::string trace;

  // --report and --trace.
  void add_to(CLI::App& verb);
  [[nodiscard]] bool any() const { return !report.empty() || !trace.empty(); }

  // That the files can be written, as far as it can be known before a run, and that they are none of its
  // inputs or outputs.
  [[nodiscard]] base::Status check(const local::Plan& plan, const std::string& output) const;
  // Says which were written, unless it is to be `quiet`.
  [[nodiscard]] base::Status write(const history::Run& run, bool quiet) const;
};

// What is known of a run when it begins: when, where and how it was started.
history::Run begin_history(const Invocation& invocation);

}  // namespace commands
