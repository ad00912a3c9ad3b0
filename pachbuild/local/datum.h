// SPDX-License-Identifier: Apache-2.0
// Datums: which parts of the inputs each run of the program gets to see.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/file_digests.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {

// A repo as it is now: its folder, and the digest of each file by path, a folder's files together.
struct Repo {
  struct File {
    std::string path;
    std::string digest;
    FileIdentity identity;  // when it was digested
  };
  std::string folder;
  std::vector<File> files;
  std::string digest;  // of everything; its first half stands for a commit id
};

base::Result<Repo> read_repo(const std::string& folder, FileDigests& digests);

// How many files or folders of the repo the input's glob matches.
base::Result<std::size_t> count_matches(const spec::PfsInput& input, const Repo& repo);

// One input of one datum.
struct DatumPart {
  const spec::PfsInput* input = nullptr;
  const Repo* repo = nullptr;
  std::string path;       // of the matched file or folder in the repo; empty for the root
  std::string digest;     // of its content
  std::size_t begin = 0;  // of its files in Repo::files
  std::size_t end = 0;

  // As TaskInput has it.
  [[nodiscard]] std::string listing() const;
  // "scraper/a.html": for people.
  [[nodiscard]] std::string label() const;
  // "/pfs/scraper/a.html": what the program finds in the variable of the input's name.
  [[nodiscard]] std::string path_in_pfs() const;
};

struct Datum {
  std::vector<DatumPart> parts;  // in the order of the spec

  [[nodiscard]] std::string label() const;
  // Of `job` (the code and its settings) and all that the datum sees: same key, same output.
  [[nodiscard]] std::string key(const std::string& job) const;
};

// The first file of the datum that is not what it was when its repo was read ("scraper/a.html"); empty: all
// are.
std::string changed_input(const Datum& datum);

// More datums than this are refused before the first of them is made.
inline constexpr std::uint64_t k_most_datums = 1'000'000;

// The datums of an input in the order of their paths, the last part running fastest. They are counted first
// and made one at a time: the list is as large as the matches of its globs, not as their product.
class DatumList {
 public:
  // `repos` has each of the input's repos by name. Both must outlive the list. More than k_most_datums are an
  // error (bad_input, without a place) that says how many there are and by which inputs.
  static base::Result<DatumList> make(const spec::Input& input, const std::map<std::string, Repo>& repos);

  [[nodiscard]] std::size_t size() const { return m_size; }
  // index < size().
  [[nodiscard]] Datum at(std::size_t index) const;

 private:
  std::vector<std::vector<DatumPart>> m_factors;  // the matches of each repo input, in the order of the spec
  std::size_t m_size = 0;
};

}  // namespace local
