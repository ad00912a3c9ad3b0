// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/output_conflicts.h"

#include <string>
#include <string_view>

#include "base/relative_path.h"

namespace local {

std::map<std::size_t, base::Error> conflicts_of(const std::vector<DatumOutput>& outputs) {
  std::map<std::size_t, base::Error> conflicts;
  const auto note = [&](const std::string& path, std::size_t first, std::size_t second) {
    const base::Error error{
        base::ErrorKind::step_failed, "/pfs/out/" + path,
        "written by two datums: " + outputs[first].label + " and " + outputs[second].label,
        "make the output name depend on the datum, for example on its file name"};
    conflicts.try_emplace(first, error);
    conflicts.try_emplace(second, error);
  };
  std::map<std::string_view, std::size_t> writers;  // the first of each path
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (const auto& file : outputs[i].files) {
      const auto [writer, is_first] = writers.emplace(file.path, i);
      if (!is_first) note(file.path, writer->second, i);
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (const auto& file : outputs[i].files) {
      for (const auto& folder : base::folders_above(file.path)) {
        if (const auto writer = writers.find(folder); writer != writers.end())
          note(folder, writer->second, i);
      }
    }
  }
  return conflicts;
}

}  // namespace local
