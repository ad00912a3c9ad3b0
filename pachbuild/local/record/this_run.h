// SPDX-License-Identifier: Apache-2.0
// A run of a pipeline beside the one before it: why its datums run, which of them run first, and what is
// remembered of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/plan/commit.h"
#include "pachbuild/local/plan/datum_list.h"
#include "pachbuild/local/record/run_record.h"

namespace local {

class ThisRun {
 public:
  // The pipeline `name` that is written in `spec_file`. With `goes_on` others see that it runs.
  static base::Result<ThisRun> begin(const base::fs::path& cache, const std::string& spec_file,
                                     const std::string& name, bool goes_on);

  // Reads what is remembered of the run before. After it:
  void read_last();

  // What is to be remembered of this one.
  [[nodiscard]] RunRecord& record() { return m_record; }
  [[nodiscard]] const RunRecord& record() const { return m_record; }
  void note_files(const std::string& repo, const Commit& commit);
  [[nodiscard]] base::Status save() const { return m_where.save(m_record); }
  // In place of the record, for a run without datums to remember.
  [[nodiscard]] base::Status save(const EarlyEnd& end) const { return m_where.save(end); }

  // What became of a datum in the run before; none: nothing is known of it.
  [[nodiscard]] const RunRecord::Datum* last_of(const std::string& id) const;
  // In which order datums run, the least first, by their labels: what the person is at comes first. That are
  // the datums that failed in the run before, then new ones and those that it did not get to, then those that
  // ran in it.
  [[nodiscard]] int rank_of(const std::string& label) const;

  // Notes why the build was made, once record() has its facts, and gives it; empty: nothing changed.
  std::string explain_build();

  // What runs, and why.
  struct Explanation {
    std::string what;  // "datum pages/a.html", "75 datums"
    std::string because;
  };
  // Notes why each of these runs, the places in `datums` that record() has too, once that has all facts and
  // files. Datums that run for the same reason are told together.
  std::vector<Explanation> explain(const DatumList& datums, const std::vector<std::size_t>& running,
                                   bool force);

 private:
  explicit ThisRun(LastRun where) : m_where(std::move(where)) {}

  LastRun m_where;
  std::optional<base::FileLock> m_goes_on;
  std::optional<RunRecord> m_last;
  std::unordered_map<std::string, std::size_t> m_places;  // in its datums, by id
  std::unordered_map<std::string, int> m_ranks;           // by label: an edit of a spec changes ids
  RunRecord m_record;
};

}  // namespace local
