// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/probe.h"

#include <sys/stat.h>

#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"

namespace conformance {

base::Result<bool> edit_probe(const base::fs::path& folder, const std::string& name) {
  const std::string out = std::string(contract::k_out) + "/";
  bool found = false;
  const auto edit = [&](const std::string& path, const struct stat& status) -> base::Status {
    BASE_TRY_ASSIGN(auto text, base::read_file(folder / path));
    const std::string before = out + k_arguments_file;
    if (!base::contains(text, before)) return {};
    found = true;
    base::replace_all(text, before, out + name);
    return base::write_file(folder / path, text, status.st_mode & 0777U);
  };
  BASE_TRY(local::visit_files(folder.string(), "", edit));
  return found;
}

}  // namespace conformance
