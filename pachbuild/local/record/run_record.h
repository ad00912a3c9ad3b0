// SPDX-License-Identifier: Apache-2.0
// What the last run of a pipeline was: kept in the cache for whoever asks afterwards (logs, explain, rerun),
// and for the next run, which says by it why something is done again.
//
//   <cache>/run/last/<digest of the spec's path and the pipeline's name>       the record, in CBOR
//   <cache>/run/last/<the same>.ended                                          why a later run has no record
//   <cache>/run/last/<the same>.lock                                           held while the run goes on
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace local {

// What decides a result, apart from the datum's files, by names that people know ("variable LEVEL",
// "main.py"). A value that may be shown is itself; of others there are the first digits of a digest.
struct Facts {
  std::map<std::string, std::string> shown;
  std::map<std::string, std::string> hidden;
  bool operator==(const Facts&) const = default;
};

// The fact of the arguments of a run. Keys of results have it: it never changes.
inline constexpr char k_arguments_fact[] = "the list of arguments";

// For Facts::hidden, and for files: of a digest the first digits.
inline constexpr std::size_t k_short_digest = 16;
std::string short_digest(std::string_view value);

enum class LastState { not_run, succeeded, recovered, failed, skipped };

struct RunRecord {
  struct Datum {
    std::string id;
    std::string label;
    std::string key;  // of its result
    LastState state = LastState::not_run;
    std::int64_t milliseconds = 0;  // that its program took
    std::size_t reason = 0;         // why it ran: a place in `reasons`
    std::string failure;            // why it failed
    bool printed = false;           // its program printed something
    bool operator==(const Datum&) const = default;
  };
  // The digests of a repo's files, by path.
  using Files = std::map<std::string, std::string>;

  std::int64_t started = 0;  // seconds since the epoch
  std::string output;        // the folder of --output
  std::string logs;  // the folder with the file <key>.log of each datum that printed something or failed
  std::string build_reason;            // why the build was made again; empty: nothing had changed
  Facts build;                         // the source's files, the build's variables, what it found and made
  Facts settings;                      // everything else that counts for all datums
  std::map<std::string, Files> repos;  // by repo_key()
  std::map<std::string, std::string> folders;  // of repos that are folders of this machine
  std::vector<std::string> reasons;            // the first one is empty
  std::string timed_imports;                   // the imports whose time is known (session/import_time.h)
  std::vector<Datum> datums;                   // in Pachyderm's order
  bool operator==(const RunRecord&) const = default;

  [[nodiscard]] std::string log_of(const Datum& datum) const { return logs + "/" + datum.key + ".log"; }
};

// A run that ended before its datums, so that there is no record of it.
struct EarlyEnd {
  std::int64_t time = 0;  // seconds since the epoch
  std::string why;        // "its build failed"
  bool operator==(const EarlyEnd&) const = default;
};

// The record of a pipeline, and of which run it is.
class LastRun {
 public:
  // `spec_file` is where the pipeline is written, `name` its name. Makes the folder.
  static base::Result<LastRun> of(const base::fs::path& cache, const std::string& spec_file,
                                  const std::string& name);

  // What was saved last; nothing when there is none, or it is damaged, or of another version.
  [[nodiscard]] std::optional<RunRecord> load() const;
  [[nodiscard]] base::Status save(const RunRecord& record) const;

  // How a run has ended that is newer than the record; nothing when the record is of the newest.
  [[nodiscard]] std::optional<EarlyEnd> early_end() const;
  [[nodiscard]] base::Status save(const EarlyEnd& end) const;

  // That the run goes on, as long as the lock lives. Several can.
  [[nodiscard]] base::Result<base::FileLock> begin() const;
  [[nodiscard]] bool goes_on() const;

 private:
  explicit LastRun(base::fs::path file) : m_file(std::move(file)) {}
  [[nodiscard]] base::fs::path end_file() const { return m_file.string() + ".ended"; }
  base::fs::path m_file;
};

}  // namespace local
