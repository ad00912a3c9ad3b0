// SPDX-License-Identifier: Apache-2.0
// What a session tells while it runs, as values. Whoever listens decides what of it is printed, kept or
// drawn.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/datum.h"

namespace local {

// How far something is that may take long. Read while other threads change it.
struct Meter {
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> all{0};  // 0: not known yet
  bool counts_files = false;          // instead of bytes
};

// A part of a run that may take long without a datum.
enum class Phase { reading, building, exporting };
constexpr const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::reading:
      return "reading";
    case Phase::building:
      return "building";
    case Phase::exporting:
      return "exporting";
  }
  return "";
}

struct PhaseBegins {
  Phase phase{};
  std::string of;  // the repo that is read; else empty
  std::shared_ptr<const Meter> bytes;
};
struct PhaseEnds {
  Phase phase{};
  std::string of;
  std::chrono::steady_clock::duration elapsed{};
  bool succeeded = true;
};
// What a build does now, of that which may take long.
struct BuildSteps {
  std::string step;  // "packing"
  std::shared_ptr<const Meter> meter;
};
// What a build has printed, in pieces of any size.
struct BuildPrints {
  std::string text;
};

struct Warned {
  std::string what;
};
// What would make the next run better; nothing is wrong.
struct Hinted {
  std::string what;
};

// What .gitignore files leave out of the source that is built; a folder ends with a '/'.
struct SourceLeftOut {
  std::vector<std::string> paths;
  std::string source;  // its folder
};

// What a build has made.
struct BuildResult {
  std::string version;  // of everything in the artifact
  std::string record;   // its build.json; empty: it has none
  std::string because;  // what differs from the last one; empty: nothing
};

// Why something is done: what differs from the last run.
struct Explained {
  std::string what;  // "build", "datum pages/a.html", "75 datums"
  std::string because;
  std::shared_ptr<const BuildResult> build;  // none: not of a build
};

// So many datums are in its input.
struct Counted {
  std::size_t datums = 0;
};
// A file or folder that a datum gets.
struct DatumInput {
  std::string name;  // of the input
  std::string path;  // in its repo, as PFS writes it: "/a.html", "/folder/", "/"
  std::string file;  // on this machine; empty: of a cluster, or of another pipeline's result
};

// The result of a datum is known.
struct DatumSkipped {
  DatumName datum;
  std::vector<DatumInput> inputs;
  std::string log;  // of when it ran; there is none if it printed nothing
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
// All those that are skipped have been told; so many run.
struct DatumsBegin {
  std::size_t datums = 0;
};
struct DatumStarts {
  DatumName datum;
  std::vector<DatumInput> inputs;
  std::string log;      // the file that gets what the program prints
  std::string because;  // what differs from the last run
};

// What its program has printed: everything, in pieces of any size, or the end of what is new, as
// SessionOptions::printed says.
struct DatumPrints {
  DatumName datum;
  std::string text;
};

enum class DatumState { succeeded, recovered, failed };

struct DatumEnds {
  DatumName datum;
  DatumState state = DatumState::failed;
  std::string reason;            // of a failure
  std::optional<int> exit_code;  // of the program, as a shell tells it; none: not because of it
  std::string log;
  std::chrono::steady_clock::duration elapsed{};  // of the program
  std::uint64_t files = 0;                        // of its output
  std::uint64_t bytes = 0;
};

// A pipeline has run to its end.
struct PipelineEnds {
  std::size_t run = 0;  // datums that succeeded or were recovered
  std::size_t skipped = 0;
  std::size_t recovered = 0;
  std::size_t failed = 0;
  std::size_t unselected = 0;  // nobody has asked for them (--datum), and their results are not known
  // Their output is left out, since it has paths of another datum's; the error follows.
  std::size_t conflicting = 0;
  std::string output;     // the folder of --output
  bool exported = false;  // whether it has what follows
  bool partial = false;   // without the part of some datums
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::chrono::steady_clock::duration elapsed{};
};
// It could not be built or run to its end, or its outputs are in conflict; an error without a text has been
// told already.
struct PipelineFails {
  base::Error error;
};
// It was not run, since `because` has no result.
struct PipelineLeftOut {
  std::string because;
};
struct CacheShrunk {
  std::size_t datums = 0;
  std::uint64_t bytes = 0;
};

struct Event {
  using What = std::variant<Warned, Hinted, PhaseBegins, PhaseEnds, BuildSteps, BuildPrints, SourceLeftOut,
                            Explained, Counted, DatumSkipped, DatumsBegin, DatumStarts, DatumPrints,
                            DatumEnds, PipelineEnds, PipelineFails, PipelineLeftOut, CacheShrunk>;
  std::string pipeline;  // its name; empty: of the whole session
  What what;
  std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
};

// Called by one thread at a time.
class Events {
 public:
  Events() = default;
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  virtual ~Events() = default;

  virtual void tell(const Event& event) = 0;
  // About ten times a second.
  virtual void tick() {}
};

// Gives what it is told to several listeners, in their order.
class AllEvents final : public Events {
 public:
  explicit AllEvents(std::vector<std::reference_wrapper<Events>> listeners)
      : m_listeners(std::move(listeners)) {}
  void tell(const Event& event) override {
    for (Events& listener : m_listeners) listener.tell(event);
  }
  void tick() override {
    for (Events& listener : m_listeners) listener.tick();
  }

 private:
  std::vector<std::reference_wrapper<Events>> m_listeners;
};

}  // namespace local
