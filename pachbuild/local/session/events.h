// SPDX-License-Identifier: Apache-2.0
// What a session tells while it runs. Somebody else decides what of it is printed, and how.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace local {

// How a datum ended.
struct DatumReport {
  enum class Result { succeeded, recovered, failed };
  std::string label;
  Result result = Result::failed;
  std::string reason;  // of a failure
  std::string log;     // the file with what the program printed
};

// How a pipeline ended.
struct PipelineReport {
  std::size_t run = 0;  // datums that succeeded or were recovered
  std::size_t skipped = 0;
  std::size_t recovered = 0;
  std::size_t failed = 0;
  std::string output;     // the folder of --output
  bool exported = false;  // whether it has what follows
  bool partial = false;   // without the failed datums' part
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::chrono::steady_clock::duration elapsed{};
};

// Called by one thread at a time. `pipeline` is a name.
class Events {
 public:
  Events() = default;
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  virtual ~Events() = default;

  virtual void warned(const std::string& pipeline, const std::string& what) = 0;
  virtual void built(const std::string& pipeline, std::chrono::steady_clock::duration elapsed) = 0;
  // So many datums are in its input.
  virtual void counted(const std::string& pipeline, std::size_t datums) = 0;
  // So many of them run, since their results are not known.
  virtual void begins(const std::string& pipeline, std::size_t datums) = 0;
  virtual void started(const std::string& pipeline, const std::string& label) = 0;
  virtual void ended(const std::string& pipeline, const DatumReport& report) = 0;
  virtual void exporting(const std::string& pipeline, std::uint64_t bytes) = 0;
  virtual void finished(const std::string& pipeline, const PipelineReport& report) = 0;
  // It could not be built or run to its end; an error without a text has been told already.
  virtual void failed(const std::string& pipeline, const base::Error& error) = 0;
  // It was not run, since `because` has no result.
  virtual void left_out(const std::string& pipeline, const std::string& because) = 0;
  virtual void cache_shrunk(std::size_t datums, std::uint64_t bytes) = 0;
  // About ten times a second.
  virtual void tick() = 0;
};

}  // namespace local
