// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/uv_lock.h"

#include "builder-runtime/languages/python/locks/project_requirements.h"
#include "builder-runtime/languages/python/packaging/requirement.h"

namespace builder::python {

using data::Value;

base::Status check_uv_lock(const LockRequest& request) {
  const std::string& name = request.manifest.files.front();
  BASE_TRY_ASSIGN(const Value file, data::read_toml(request.source / name, name));
  const std::string& program = request.manifest.program;
  Lock lock{.file = name,
            .manifest = program.empty() ? "pyproject.toml" : program,
            .remake = program.empty() ? "uv lock" : "uv lock --script " + program,
            .packages = {}};
  for (const auto& package : file.at("package").items) {
    lock.packages.push_back(
        {.name = normalised_name(package.text("name")), .version = package.text("version")});
  }
  BASE_TRY_ASSIGN(const auto wanted, wanted_by_project(request));
  BASE_TRY(select_packages(lock, wanted, request.markers));
  return {};
}

}  // namespace builder::python
