// SPDX-License-Identifier: Apache-2.0
// Source: `uv help` of each command, and docs.astral.sh/uv, "Environment variables".
// tests/suites/test_builder_uv_variables.py knows what is expected of each.
#include "builder-runtime/languages/python/install/uv_environment.h"

#include <array>
#include <string_view>

namespace builder::python {
namespace {

constexpr auto k_overruled = std::to_array<std::string_view>({
    // Other interpreters, environments and projects than those that are built.
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_BREAK_SYSTEM_PACKAGES",
    "UV_MANAGED_PYTHON",
    "UV_NO_MANAGED_PYTHON",
    "UV_PYTHON_PREFERENCE",
    "UV_TARGET",
    "UV_PREFIX",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_WORKING_DIR",
    "UV_WORKING_DIRECTORY",
    // What is installed of a project: the settings say it (python.groups, python.extras, python.project).
    "UV_EXTRA",
    "UV_GROUP",
    "UV_DEV",
    "UV_NO_DEV",
    "UV_NO_GROUP",
    "UV_NO_DEFAULT_GROUPS",
    "UV_NO_INSTALL_PROJECT",
    "UV_NO_INSTALL_WORKSPACE",
    "UV_NO_INSTALL_LOCAL",
    "UV_NO_PROJECT",
    // A lock is exported as it is; what it was made from is compared by us.
    "UV_FROZEN",
    "UV_LOCKED",
    "UV_NO_SYNC",
    "UV_ISOLATED",
    // How environments look: relocatable, of copies, with bytecode of our own.
    "UV_VENV_CLEAR",
    "UV_VENV_RELOCATABLE",
    "UV_VENV_SEED",
    "UV_COMPILE_BYTECODE",
    "UV_LINK_MODE",
    "UV_NO_EDITABLE",
    // The builder's cache, and what makes a bundle the same wherever it is built.
    "UV_NO_CACHE",
    "UV_NO_VERIFY_HASHES",
});

}  // namespace

process::Environment uv_environment(process::Environment environment, const base::fs::path& cache) {
  for (const auto name : k_overruled) environment.erase(std::string(name));
  environment.emplace("UV_CACHE_DIR", cache.string());
  environment["UV_PYTHON_DOWNLOADS"] = "never";
  environment["UV_NO_PROGRESS"] = "1";
  auto& features = environment["UV_PREVIEW_FEATURES"];
  features += (features.empty() ? "" : ",") + std::string("pylock");
  return environment;
}

}  // namespace builder::python
