// SPDX-License-Identifier: Apache-2.0
// What `pachbuild run` has written before and reads again, after anybody may have changed it: records of
// results, remembered digests, the state of an output folder and a list of moves into it. Nothing outside of
// the folder changes.
#include <boost/filesystem/operations.hpp>
#include <fstream>

#include "base/digest.h"
#include "pachbuild/local/plan/file_digests.h"
#include "pachbuild/local/results/output_folder.h"
#include "pachbuild/local/results/own_folder.h"
#include "pachbuild/local/results/result_store.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;

void find_result(std::string_view record) {
  static const fuzz::Folder folder;
  static const std::string key = base::sha256("key");
  folder.write("results/datums/" + key.substr(0, 2) + "/" + key, record);
  const auto store = local::ResultStore::open(folder.path());
  require(store.has_value());
  const auto files = store->find(key);
  if (!files) return;
  for (const auto& file : *files) require(local::is_output_path(file.path) && base::is_digest(file.digest));
}

void load_digests(std::string_view bytes) {
  static const fuzz::Folder folder;
  folder.write("digests", bytes);
  const auto entries = local::load_digests(folder.path() / "digests");
  require(local::save_digests(entries, folder.path() / "again").has_value());
  const auto again = local::load_digests(folder.path() / "again");
  require(again.size() == entries.size());
  for (const auto& [path, entry] : entries) {
    require(again.at(path).identity == entry.identity && again.at(path).digest == entry.digest);
  }
}

// The person's own files, in the folder and beside it.
void open_output(std::string_view input) {
  static const fuzz::Folder folder;
  const auto parts = fuzz::parts_of_input(input, 3);
  folder.clear();
  folder.write("beside", "sings");
  folder.write("out/mine", "sings");
  folder.write("out/.pachbuild/output.json", parts[0]);
  if (!parts[1].empty()) folder.write("out/.pachbuild/next.json", parts[1]);
  folder.write("out/.pachbuild/new/0", "new");
  {
    const auto opened = local::OutputFolder::open(folder.path() / "out", "p");
    if (!opened) fuzz::require_readable(opened.error());
  }
  require(base::read_file(folder.path() / "beside").value() == "sings");
  require(std::distance(base::fs::directory_iterator(folder.path()), base::fs::directory_iterator()) == 2);
  require(base::fs::is_directory(folder.path() / "out"));
}

}  // namespace

FUZZ_TARGET(cache_fuzz, input) {
  switch (fuzz::take_choice(input, 3)) {
    case 0:
      return find_result(input);
    case 1:
      return load_digests(input);
    default:
      return open_output(input);
  }
}
