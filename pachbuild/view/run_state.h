// SPDX-License-Identifier: Apache-2.0
// How far a run is, from its events: what a person is shown of it at any moment.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pachbuild/local/session/events.h"

namespace view {

using Time = std::chrono::steady_clock::time_point;

// "12 cat.jpg": the datum's number, which `--datum` takes, and the last parts of its paths.
std::string short_name(const local::DatumName& datum);

// Without fractions: what is shown changes once a second at most. "0 s", "59 s", "3 min 5 s", "2 h 7 min".
std::string short_duration(std::chrono::steady_clock::duration duration);

// The end of what a program has printed: its last line that is not blank, without what a terminal would obey.
std::string shown_line(std::string_view printed);

class RunState {
 public:
  struct Part {  // a phase that goes on
    local::Phase phase{};
    std::string of;
    Time start;
    std::shared_ptr<const local::Meter> meter;
    std::string step;  // of a build: what it does now
    std::string line;  // that it printed last
  };
  struct Datum {  // that runs
    local::DatumName name;
    Time start;
    std::string line;
  };
  struct Pipeline {
    std::string name;  // empty: what belongs to the whole run
    std::vector<Part> parts;
    std::vector<Datum> running;  // the longest first
    std::size_t all = 0;         // its datums
    std::size_t skipped = 0;
    std::size_t to_run = 0;  // of which
    std::size_t done = 0;    // failed ones too
    std::size_t failed = 0;
    std::optional<Time> start;  // of its first datum
    [[nodiscard]] bool is_active() const { return !parts.empty() || !running.empty() || done < to_run; }
    // What is left of the time; nothing: cannot be said yet.
    [[nodiscard]] std::optional<std::chrono::steady_clock::duration> time_left(Time now) const;
  };

  void take(const local::Event& event);
  // In the order in which they began.
  [[nodiscard]] const std::vector<Pipeline>& pipelines() const { return m_pipelines; }

 private:
  Pipeline& pipeline(const std::string& name);
  void take(const std::string& name, Time time, const local::PhaseBegins& event);
  void take(const std::string& name, Time time, const local::PhaseEnds& event);
  void take(const std::string& name, Time time, const local::BuildSteps& event);
  void take(const std::string& name, Time time, const local::BuildPrints& event);
  void take(const std::string& name, Time time, const local::Counted& event);
  void take(const std::string& name, Time time, const local::DatumSkipped& event);
  void take(const std::string& name, Time time, const local::DatumsBegin& event);
  void take(const std::string& name, Time time, const local::DatumStarts& event);
  void take(const std::string& name, Time time, const local::DatumPrints& event);
  void take(const std::string& name, Time time, const local::DatumEnds& event);
  void take(const std::string& name, Time time, const local::PipelineEnds& event);
  void take(const std::string& name, Time time, const local::PipelineFails& event);
  template <class Other>
  void take(const std::string& /*name*/, Time /*time*/, const Other& /*event*/) {}
  void end(const std::string& name);

  std::vector<Pipeline> m_pipelines;
};

// "reading images: 1.2 of 5.0 GiB": what a phase does, and how far it is.
std::string text_of(const RunState::Part& part);

// One line that says how everything is: for where nothing can be drawn. Empty: nothing goes on.
std::string progress_text(const RunState& state, Time now);

struct Style {
  std::size_t columns = 80;
  std::size_t lines = 10;  // the most that may be used; at least 1
  bool colours = true;
};

// What is drawn: a line for each pipeline, one for each datum in flight as far as there is room. None is
// wider than `columns`.
std::vector<std::string> lines_of(const RunState& state, Time now, const Style& style);

}  // namespace view
