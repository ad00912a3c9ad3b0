// SPDX-License-Identifier: Apache-2.0
// The datums of an input, as Pachyderm 2.12 lists them (src/server/worker/datum: create.go and worker.go): in
// the order of their ids, each id once.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/commit.h"
#include "pachbuild/local/plan/datum.h"
#include "pachbuild/spec/input.h"

namespace local {

// More datums than this are refused before the first of them is made.
inline constexpr std::uint64_t k_most_datums = 1'000'000;

class DatumList {
 public:
  // `commits` has each of the input's repos by repo_key(). The input and the commits must outlive the list.
  // More than k_most_datums are an error (bad_input, without a place) that says how many there are and by
  // which inputs.
  static base::Result<DatumList> make(const spec::Input& input, const Commits& commits);

  [[nodiscard]] std::size_t size() const { return m_entries.size(); }
  // index < size().
  [[nodiscard]] Datum at(std::size_t index) const;
  // The indices in an order that follows the paths, as far as the input lets it: in which datums run.
  [[nodiscard]] const std::vector<std::uint32_t>& running_order() const { return m_order; }

 private:
  friend class DatumMaker;
  struct Entry {
    pfs::Hash id;
    std::uint32_t begin;  // of its parts in m_parts
    std::uint32_t end;
  };
  std::deque<DatumPart> m_matches;        // of all inputs
  std::vector<const DatumPart*> m_parts;  // of all datums
  std::vector<Entry> m_entries;
  std::vector<std::uint32_t> m_order;
};

// What the input's glob matches in a commit, in the order of the paths.
base::Result<std::vector<DatumPart>> list_matches(const spec::RepoInput& input, const Commit& commit);

// "did you mean "/*/*.txt"?" for a glob that matches nothing: its files are in other folders, a few levels
// deeper or higher, or the glob begins with the repo's name. Empty unless there is just one such glob.
std::string did_you_mean_glob(const spec::RepoInput& input, const Commit& commit);

}  // namespace local
