// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/this_run.h"

#include <algorithm>

#include "base/text.h"
#include "pachbuild/local/record/reasons.h"

namespace local {
namespace {

// So many different reasons are told.
constexpr std::size_t k_reasons_told = 10;

constexpr int k_rank_of_unknown = 1;
int rank(LastState state) {
  switch (state) {
    case LastState::failed:
      return 0;
    case LastState::not_run:
      return k_rank_of_unknown;
    case LastState::succeeded:
    case LastState::recovered:
      return 2;
    case LastState::skipped:
      break;
  }
  return 3;
}

}  // namespace

base::Result<ThisRun> ThisRun::begin(const base::fs::path& cache, const std::string& spec_file,
                                     const std::string& name, bool goes_on) {
  BASE_TRY_ASSIGN(auto where, LastRun::of(cache, spec_file, name));
  ThisRun run(std::move(where));
  if (goes_on) {
    BASE_TRY_ASSIGN(auto lock, run.m_where.begin());
    run.m_goes_on.emplace(std::move(lock));
  }
  run.m_record.reasons = {""};
  return run;
}

void ThisRun::read_last() {
  m_last = m_where.load();
  if (!m_last) return;
  m_record.timed_imports = m_last->timed_imports;
  for (std::size_t i = 0; i < m_last->datums.size(); ++i) {
    const auto& datum = m_last->datums[i];
    m_places.emplace(datum.id, i);
    const auto [known, is_new] = m_ranks.try_emplace(datum.label, rank(datum.state));
    known->second = std::min(known->second, rank(datum.state));
  }
}

void ThisRun::note_files(const std::string& repo, const Commit& commit) {
  if (!commit.is_ours) m_record.folders[repo] = commit.folder;
  auto& files = m_record.repos[repo];
  for (const auto& file : commit.files)
    files.emplace_hint(files.end(), file.path, file.digest.substr(0, k_short_digest));
}

const RunRecord::Datum* ThisRun::last_of(const std::string& id) const {
  const auto known = m_places.find(id);
  return known == m_places.end() ? nullptr : &m_last->datums[known->second];
}

int ThisRun::rank_of(const std::string& label) const {
  const auto known = m_ranks.find(label);
  return known == m_ranks.end() ? k_rank_of_unknown : known->second;
}

std::string ThisRun::explain_build() {
  m_record.build_reason = m_last ? in_a_line(differences(m_last->build, m_record.build)) : "first run";
  return m_record.build_reason;
}

std::vector<ThisRun::Explanation> ThisRun::explain(const DatumList& datums,
                                                   const std::vector<std::size_t>& running, bool force) {
  Reasons reasons(m_last, m_record, force);
  std::unordered_map<std::string, std::size_t> places;
  std::vector<std::size_t> counts(1);
  std::vector<const RunRecord::Datum*> firsts(1);
  for (const auto index : running) {
    auto& record = m_record.datums.at(index);
    auto reason = reasons.of(datums.at(index), record.key);
    const auto [place, is_new] = places.emplace(reason, m_record.reasons.size());
    if (is_new) {
      m_record.reasons.push_back(std::move(reason));
      counts.push_back(0);
      firsts.push_back(&record);
    }
    record.reason = place->second;
    ++counts[record.reason];
  }
  std::vector<Explanation> told;
  for (std::size_t i = 1; i < counts.size(); ++i) {
    if (i > k_reasons_told) {
      const auto others = counts.size() - i;
      told.push_back(
          {"datums", (others == 1 ? "there is " : "there are ") + base::count_of(others, "more reason")});
      break;
    }
    told.push_back({counts[i] == 1 ? "datum " + firsts[i]->label : base::count_of(counts[i], "datum"),
                    m_record.reasons[i]});
  }
  return told;
}

}  // namespace local
