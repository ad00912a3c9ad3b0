// SPDX-License-Identifier: Apache-2.0
// A datum: the files that one run of the program gets to see.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/commit.h"
#include "pachbuild/pfs/hash.h"
#include "pachbuild/spec/input.h"

namespace local {

// The commit that an input reads, by this name: "repo", with "project/" before it where the input names one,
// and "@branch" behind it when that is not the default.
std::string repo_key(const spec::RepoInput& input);

// A file or folder that the glob of an input matches. A datum can have several of one input.
struct DatumPart {
  const spec::RepoInput* input = nullptr;
  const Commit* commit = nullptr;
  std::string path;     // in the commit; empty for the root
  Commit::Range files;  // below it
  std::string digest;   // of these
  std::string join_on;  // the values of the input's templates for this path
  std::string group_by;

  // "scraper/a.html": for people.
  [[nodiscard]] std::string label() const;
  // "/a.html", "/folder/", "/": as PFS writes it.
  [[nodiscard]] std::string pfs_path() const;
  // "/pfs/scraper/a.html": what the program finds in the variable of the input's name.
  [[nodiscard]] std::string path_in_pfs() const;
  [[nodiscard]] bool is_folder() const;
};

using DatumParts = std::vector<const DatumPart*>;

// What stands between the labels of a datum's parts in its own.
inline constexpr std::string_view k_label_joint = " + ";
// The labels of the parts that a datum with this label has.
std::vector<std::string_view> parts_of_label(std::string_view label);

// The id that a cluster gives a datum: of names and paths, so that it is the same from run to run whatever
// the files hold. (DatumID in src/server/worker/common/common.go of 2.12)
pfs::Hash datum_id(const DatumParts& parts);

// What a datum is known by.
struct DatumName {
  std::string id;          // 64 hexadecimal digits
  std::size_t number = 0;  // its place in Pachyderm's order, from 1
  std::string label;       // its files, for people
};

struct Datum {
  std::string id;
  std::size_t number = 0;
  DatumParts parts;  // as Pachyderm orders them: the inputs of each combination by name

  [[nodiscard]] std::string label() const;
  [[nodiscard]] DatumName name() const { return {id, number, label()}; }
  // Of `job` (the code and its settings) and all that the datum sees: same key, same output.
  [[nodiscard]] std::string key(const std::string& job) const;
};

// The first file of the datum that is not what it was when its repo was read ("scraper/a.html"); empty: all
// are.
std::string changed_input(const Datum& datum);

}  // namespace local
