// SPDX-License-Identifier: Apache-2.0
// What a run was, as plain values: all that its report and its trace are made of.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/session/events.h"

namespace history {

using Moment = std::chrono::microseconds;  // since the run began

struct Span {
  Moment begin{};
  Moment end{};
  [[nodiscard]] Moment length() const { return end - begin; }
};

struct Phase {
  local::Phase kind{};
  std::string of;  // the repo that is read; else empty
  Span span;
  std::uint64_t bytes = 0;
};

enum class DatumState : std::uint8_t { skipped, succeeded, recovered, failed, unfinished };
constexpr std::size_t k_datum_states = 5;

struct Datum {
  local::DatumName name;
  DatumState state = DatumState::unfinished;
  Span span;             // of the program; nothing for a skipped one
  std::size_t lane = 0;  // datums that ran at once have different ones
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::size_t> failure;  // its kind: a place in Pipeline::failures
  std::string because;                 // why it ran; empty: not known
};

// Datums that failed in the same way.
struct Failure {
  std::string reason;
  std::string log;   // the end of the first one's
  std::string path;  // of that log
  std::size_t count = 0;
};

// What was built: of build.json.
struct Build {
  std::string builder;  // "python 1.0"
  std::string platform;
  std::string program;   // "main.py (the only Python file)"
  std::string artifact;  // its version
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::string, std::string>> packages;  // names and versions
  std::string because;  // what differs from the last one; empty: nothing
};

enum class PipelineState : std::uint8_t { succeeded, failed, left_out, unfinished };

struct Pipeline {
  std::string name;
  std::vector<std::string> reads;  // repos
  std::vector<std::size_t> after;  // the pipelines whose results are among these
  PipelineState state = PipelineState::unfinished;
  std::optional<base::Error> error;  // what kept it from running to its end
  std::string because;               // left out: what it reads and has no result
  std::optional<Build> build;
  std::string build_log;  // the end of what a build that failed has printed
  std::vector<Phase> phases;
  std::vector<Datum> datums;                         // all that ran, and some of the skipped ones
  std::array<std::size_t, k_datum_states> counts{};  // of all datums, by state
  std::size_t never_started = 0;                     // of the unfinished ones; not among `datums`
  std::vector<Failure> failures;
  std::vector<std::string> warnings;
  std::size_t lanes = 0;
  std::optional<local::PipelineEnds> end;

  [[nodiscard]] std::size_t count(DatumState of) const { return counts.at(static_cast<std::size_t>(of)); }
};

// A folder that stands for a repo.
struct Repo {
  std::string name;
  std::string folder;  // empty: made by the run
};

struct Run {
  std::string version;                    // of pachbuild
  std::vector<std::string> words;         // its command line as it was given
  std::vector<std::string> after_dashes;  // and what followed "--"
  std::string folder;                     // where it was given
  std::string tick;                       // of its cron inputs; empty: it has none
  std::time_t started = 0;
  Moment elapsed{};
  int exit_code = 0;
  std::optional<int> signal;  // that ended it
  int workers = 0;
  std::string runtime;  // "podman"; empty: none
  std::vector<Repo> repos;
  std::vector<Phase> phases;  // those of no pipeline
  std::vector<std::string> warnings;
  std::vector<Pipeline> pipelines;
};

// Gives each datum that ran the lowest lane that is free when it begins.
void assign_lanes(Pipeline& pipeline);

// How long datums took.
struct Durations {
  std::size_t count = 0;
  Moment sum{};
  Moment median{};
  Moment p95{};  // 95 of 100 took less
  Moment longest{};
  struct Bin {
    Moment from{};
    Moment to{};
    std::size_t count = 0;
  };
  std::vector<Bin> bins;  // without gaps; each reaches from 1, 2 or 5 times a power of ten to the next
};

Durations durations_of(const std::vector<Moment>& lengths);

// Of the datums that ran to an end.
std::vector<Moment> lengths_of(const Pipeline& pipeline);

// How long at least one datum was running.
Moment time_with_datums(const Run& run);

}  // namespace history
