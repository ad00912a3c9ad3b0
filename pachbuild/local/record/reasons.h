// SPDX-License-Identifier: Apache-2.0
// Why something is done again: what differs between the last run and this one, in a line.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pachbuild/local/plan/datum.h"
#include "pachbuild/local/record/run_record.h"

namespace local {

// "main.py changed", "variable LEVEL is new", "package numpy: 2.1.2 is now 2.1.3".
std::vector<std::string> differences(const Facts& before, const Facts& now);

// The first ones, and how many more there are.
std::string in_a_line(const std::vector<std::string>& differences);

// Why the datums of a run run.
class Reasons {
 public:
  // `last` is what is known of the run before, `now` has the facts of this one; both outlive this. With
  // `force`, known results do not count.
  Reasons(const std::optional<RunRecord>& last, const RunRecord& now, bool force);

  // Why a datum, which has no known result under this key, runs.
  std::string of(const Datum& datum, const std::string& key);

 private:
  const std::vector<std::string>& files_of(const DatumPart& part);

  const std::optional<RunRecord>& m_last;
  bool m_force;
  std::vector<std::string> m_settings;                                     // what differs for all datums
  std::unordered_map<std::string, const RunRecord::Datum*> m_datums;       // of the last run, by id
  std::unordered_map<const DatumPart*, std::vector<std::string>> m_files;  // what differs in it
};

}  // namespace local
