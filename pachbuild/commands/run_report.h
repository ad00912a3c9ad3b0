// SPDX-License-Identifier: Apache-2.0
// What `pachbuild run` prints of its session.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pachbuild/commands/failure_kinds.h"
#include "pachbuild/local/session/events.h"
#include "pachbuild/view/log_lines.h"
#include "pachbuild/view/run_state.h"
#include "pachbuild/view/source_names.h"

namespace commands {

class RunReport final : public local::Events {
 public:
  enum class Amount { failures, usual, everything };
  struct Options {
    bool show_logs = false;       // of all datums, while they run
    bool explain = false;         // why something is done
    bool name_pipelines = false;  // in front of each line
    Amount amount = Amount::usual;
    bool is_drawn = false;                           // a view shows how far everything is
    std::map<std::string, view::SourceNames> names;  // of the pipelines' sources
    std::function<view::Time()> now = std::chrono::steady_clock::now;
  };
  explicit RunReport(Options options) : m_options(std::move(options)), m_told(m_options.now()) {}

  void tell(const local::Event& event) override;
  void tick() override;

 private:
  // "map: ", or nothing when only one pipeline runs.
  [[nodiscard]] std::string prefix(const std::string& pipeline) const;
  void info(const std::string& pipeline, const std::string& text);
  void warn(const std::string& pipeline, const std::string& text);
  void warn_of_failure(const std::string& pipeline, const std::string& text);
  void show_lines(const std::string& pipeline, const local::DatumName& datum, const std::string& lines);
  void take(const std::string& pipeline, const local::Warned& event);
  void take(const std::string& pipeline, const local::Hinted& event);
  void take(const std::string& pipeline, const local::SourceLeftOut& event);
  void take(const std::string& pipeline, const local::PhaseEnds& event);
  void take(const std::string& pipeline, const local::BuildPrints& event);
  void take(const std::string& pipeline, const local::Explained& event);
  void take(const std::string& pipeline, const local::Counted& event);
  void take(const std::string& pipeline, const local::DatumStarts& event);
  void take(const std::string& pipeline, const local::DatumPrints& event);
  void take(const std::string& pipeline, const local::DatumEnds& event);
  void take(const std::string& pipeline, const local::PipelineEnds& event);
  void take(const std::string& pipeline, const local::PipelineFails& event);
  void take(const std::string& pipeline, const local::PipelineLeftOut& event);
  void take(const std::string& pipeline, const local::CacheShrunk& event);
  template <class Other>
  void take(const std::string& /*pipeline*/, const Other& /*event*/) {}
  void tell_failure(const std::string& pipeline, const local::DatumEnds& event);
  void tell_equal_failures(const std::string& pipeline);
  void tell_missed(const std::string& pipeline, std::string_view log);
  [[nodiscard]] std::string without_missed_imports(const std::string& pipeline, const std::string& lines);
  // What a program or a build has printed, in the person's words; `lead` comes before each line.
  void show(const std::string& pipeline, const std::string& text, const std::string& lead = "");
  void show_build(const std::string& pipeline, const std::string& lines);

  Options m_options;
  view::RunState m_state;
  view::Time m_told;       // when it was said how far everything is
  view::LogLines m_lines;  // that programs print now
  std::map<std::string, std::string>
      m_builds;  // what they have printed, until it is known whether it is wanted
  struct Failures {
    FailureKinds kinds;
    std::string logs;  // the folder of their logs
  };
  std::map<std::string, Failures> m_failures;  // by pipeline
  struct LeftOut {
    local::SourceLeftOut source;     // but for the paths that have been told
    std::vector<std::string> paths;  // all of them
    std::string build_end;           // the end of what the build printed
  };
  std::map<std::string, LeftOut> m_left_out;  // by pipeline
};

}  // namespace commands
