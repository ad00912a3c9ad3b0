// SPDX-License-Identifier: Apache-2.0
// What `pachbuild run` prints of its session.
#pragma once

#include <map>
#include <string>

#include "pachbuild/commands/failure_kinds.h"
#include "pachbuild/commands/progress.h"
#include "pachbuild/local/session/events.h"

namespace commands {

class RunReport final : public local::Events {
 public:
  struct Options {
    bool show_logs = false;       // of all datums, not only of those that fail
    bool name_pipelines = false;  // in front of each line
  };
  explicit RunReport(Options options) : m_options(options) {}

  void warned(const std::string& pipeline, const std::string& what) override;
  void built(const std::string& pipeline, std::chrono::steady_clock::duration elapsed) override;
  void counted(const std::string& pipeline, std::size_t datums) override;
  void begins(const std::string& pipeline, std::size_t datums) override;
  void started(const std::string& pipeline, const std::string& label) override;
  void ended(const std::string& pipeline, const local::DatumReport& report) override;
  void exporting(const std::string& pipeline, std::uint64_t bytes) override;
  void finished(const std::string& pipeline, const local::PipelineReport& report) override;
  void failed(const std::string& pipeline, const base::Error& error) override;
  void left_out(const std::string& pipeline, const std::string& because) override;
  void cache_shrunk(std::size_t datums, std::uint64_t bytes) override;
  void tick() override;

 private:
  // "map: ", or nothing when only one pipeline runs.
  [[nodiscard]] std::string prefix(const std::string& pipeline) const;
  void info(const std::string& pipeline, const std::string& text);
  void warn(const std::string& pipeline, const std::string& text);
  void tell_failure(const std::string& pipeline, const local::DatumReport& report);
  void tell_equal_failures(const std::string& pipeline);
  void show_log(const std::string& log);

  Options m_options;
  Progress m_progress;
  struct Failures {
    FailureKinds kinds;
    std::string logs;  // the folder of their logs
  };
  std::map<std::string, Failures> m_failures;  // by pipeline
};

}  // namespace commands
