// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/output.h"

#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "pachbuild/local/tree.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

base::Status conflict(const std::string& path, const std::string& first, const std::string& second) {
  return base::fail(ErrorKind::step_failed, "/pfs/out/" + path,
                    "written by two datums: " + first + " and " + second,
                    "put something of the datum's input into the name of its output");
}

// Removes `path` below `output` and the folders that it leaves empty.
void remove_file(const fs::path& output, const std::string& path) {
  ::unlink((output / path).c_str());
  for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0;
       slash = path.rfind('/', slash - 1)) {
    if (::rmdir((output / path.substr(0, slash)).c_str()) != 0) return;
  }
}

base::Status write_missing(const fs::path& output, const std::vector<MissingDatum>& missing) {
  if (missing.empty()) {
    ::unlink((output / k_missing_file).c_str());
    return {};
  }
  std::string text;
  for (const auto& datum : missing) text += datum.label + ": " + datum.reason + "\n";
  return base::write_file(output / k_missing_file, text);
}

}  // namespace

base::Result<std::vector<OutputFile>> list_output(const fs::path& folder) {
  std::vector<OutputFile> files;
  BASE_TRY(visit_files(
      folder.string(), "", [&](const std::string& path, const struct stat& status) -> base::Status {
        files.push_back({path, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim)});
        return {};
      }));
  return files;
}

base::Status check_conflicts(const std::vector<DatumOutput>& outputs) {
  std::map<std::string, const DatumOutput*> writers;  // by path
  for (const auto& output : outputs) {
    for (const auto& file : output.files) {
      const auto [entry, added] = writers.emplace(file.path, &output);
      if (!added) return conflict(file.path, entry->second->label, output.label);
    }
  }
  // A path that one datum has as a file and another as a folder.
  for (const auto& [path, writer] : writers) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto file = writers.find(path.substr(0, slash));
      if (file != writers.end()) return conflict(file->first, file->second->label, writer->label);
    }
  }
  return {};
}

base::Status check_foreign(const fs::path& output, const std::vector<DatumOutput>& outputs,
                           const State& state) {
  for (const auto& datum : outputs) {
    for (const auto& file : datum.files) {
      struct stat status{};
      const fs::path path = output / file.path;
      if (state.owned.contains(file.path) || ::lstat(path.c_str(), &status) != 0) continue;
      return base::fail(
          ErrorKind::cannot_write, path.string(),
          "exists, and was not written by this pipeline (datum " + datum.label + " would replace it)",
          "choose another --output, or remove it");
    }
  }
  return {};
}

base::Status publish(const fs::path& output, const std::vector<DatumOutput>& outputs,
                     const std::vector<MissingDatum>& missing, State& state, const fs::path& state_file) {
  std::map<std::string, std::vector<OutputFile>> datums;
  std::set<std::string> wanted;
  for (const auto& datum : outputs) {
    datums[datum.key] = datum.files;
    for (const auto& file : datum.files) wanted.insert(file.path);
  }
  // From here files change; until the end both the old and the new ones are ours.
  const std::set<std::string> old = state.owned;
  state.owned.insert(wanted.begin(), wanted.end());
  BASE_TRY(save_state(state, state_file));

  for (const auto& path : old) {
    if (!wanted.contains(path)) remove_file(output, path);
  }
  for (const auto& datum : outputs) {
    if (datum.folder.empty()) continue;
    for (const auto& file : datum.files) {
      const fs::path target = output / file.path;
      BASE_TRY(base::make_folders(target.parent_path()));
      BASE_TRY(base::rename_path(datum.folder / file.path, target));
    }
  }
  BASE_TRY(write_missing(output, missing));
  state.datums = std::move(datums);
  state.owned = std::move(wanted);
  return save_state(state, state_file);
}

}  // namespace local
