// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/probe.h"

#include <sys/stat.h>

#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"

namespace conformance {

std::string path_of_result(const std::string& name) { return std::string(contract::k_out) + "/" + name; }

base::Result<bool> edit_probe(const base::fs::path& folder, const std::string& name) {
  bool found = false;
  const auto edit = [&](const std::string& path, const struct stat& status) -> base::Status {
    BASE_TRY_ASSIGN(auto text, base::read_file(folder / path));
    const std::string before = path_of_result(k_arguments_file);
    if (!base::contains(text, before)) return {};
    found = true;
    base::replace_all(text, before, path_of_result(name));
    return base::write_file(folder / path, text, status.st_mode & 0777U);
  };
  BASE_TRY(local::visit_files(folder.string(), "", edit));
  return found;
}

}  // namespace conformance
