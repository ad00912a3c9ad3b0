// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/builder_folder.h"

#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "contract/builders.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"
#include "process/command.h"
#include "process/runner.h"

namespace local {

namespace fs = base::fs;
using base::ErrorKind;

base::Result<std::string> find_builder_runtime() {
  BASE_TRY_ASSIGN(const auto folder, base::own_folder());
  const auto path = (folder / "builder-runtime").string();
  if (auto found = process::find_program(path, "")) return *found;
  return base::fail(ErrorKind::unavailable, path, "is missing", "install it beside pachbuild");
}

base::Result<std::vector<std::string>> folder_build_command(const fs::path& folder,
                                                            const std::string& shown) {
  boost::system::error_code error;
  if (fs::is_regular_file(folder / contract::k_builder_file, error)) {
    BASE_TRY_ASSIGN(const auto runtime, find_builder_runtime());
    return std::vector{runtime, std::string("--builder"), folder.string()};
  }
  if (fs::is_regular_file(folder / contract::k_build_script, error)) {
    return std::vector<std::string>{"sh", std::string("./") + contract::k_build_script};
  }
  return base::fail(ErrorKind::bad_input, shown, "has neither builder.toml nor build.sh",
                    "a builder is a folder with one of them, or an image with a build.sh");
}

base::Result<std::map<std::string, std::string>> folder_files(const fs::path& folder) {
  std::map<std::string, std::string> digests;
  const auto add = [&](const std::string& path, const struct stat&) -> base::Status {
    BASE_TRY_ASSIGN(digests[path], base::sha256_of_file((folder / path).string()));
    return {};
  };
  BASE_TRY(visit_files(folder.string(), "", add));
  return digests;
}

}  // namespace local
