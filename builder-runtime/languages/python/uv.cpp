// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/uv.h"

#include "builder-runtime/languages/python/uv_cache.h"
#include "builder-runtime/missing.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using Arguments = std::vector<std::string>;

// uv's exit code for everything but "these requirements cannot be installed", which is 1.
constexpr int k_uv_error = 2;

process::Command uv_command(const Installation& installation, const UvCache& cache, const fs::path& folder,
                            const Arguments& arguments) {
  Arguments all = {installation.uv};
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto environment = installation.configuration.environment;
  environment["PWD"] = folder.string();
  environment["UV_CACHE_DIR"] = cache.folder().string();
  return {.arguments = std::move(all), .environment = std::move(environment), .folder = folder};
}

// uv says with one exit code that the index did not answer and that a line makes no sense. The same without a
// network tells them apart: what then fails in the same way was not the network's fault.
base::Result<bool> was_network_fault(const Installation& installation, const UvCache& cache,
                                     const Tools& tools, const fs::path& folder, Arguments arguments) {
  for (const auto* option : {"--offline", "--no-cache", "--quiet", "--quiet"}) arguments.emplace_back(option);
  if (arguments.at(1) == "install") arguments.emplace_back("--dry-run");
  BASE_TRY_ASSIGN(const auto finished, tools.run(uv_command(installation, cache, folder, arguments)));
  return finished.ending.code() != k_uv_error;
}

// A package without a wheel for this image may need a compiler. That there is none is known without uv's
// words.
std::string compiler_hint(const std::string& search_path) {
  for (const auto* name : {"cc", "gcc", "clang"}) {
    if (process::find_program(name, search_path)) return "";
  }
  return "; there is no C compiler here: a package that has to be compiled needs an image that has one "
         "(python:3.11 "
         "rather than python:3.11-slim), or Debian's packages gcc and libc6-dev in this one";
}

}  // namespace

base::Status run_uv(const Installation& installation, const Tools& tools, const fs::path& folder,
                    const Arguments& arguments, const std::string& where) {
  BASE_TRY_ASSIGN(const auto cache,
                  UvCache::open(value_of(installation.configuration.environment, "UV_CACHE_DIR"),
                                installation.machine.key()));
  BASE_TRY_ASSIGN(const auto finished, tools.run(uv_command(installation, cache, folder, arguments)));
  const auto& ending = finished.ending;
  if (ending.succeeded()) return {};
  if (ending.code() == k_uv_error) {
    BASE_TRY_ASSIGN(const bool network, was_network_fault(installation, cache, tools, folder, arguments));
    if (network) {
      return base::fail(
          ErrorKind::network, where, "the package index cannot be reached",
          "check the network and the index that uv is set up for (UV_DEFAULT_INDEX), then try again");
    }
  }
  return base::fail(ErrorKind::step_failed, where, "cannot be installed; uv ended with " + ending.describe(),
                    "see uv's output above" +
                        compiler_hint(value_of(installation.configuration.environment, "PATH")) +
                        missing_hint(finished.errors));
}

}  // namespace builder::python
