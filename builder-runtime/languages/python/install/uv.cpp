// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/uv.h"

#include <algorithm>

#include "base/text.h"
#include "builder-runtime/languages/python/install/indexes.h"
#include "builder-runtime/languages/python/install/source_builds.h"
#include "builder-runtime/languages/python/install/uv_cache.h"
#include "builder-runtime/languages/python/install/uv_words.h"
#include "builder-runtime/missing.h"
#include "cache/builder_cache.h"
#include "report/report.h"

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
  BASE_TRY_ASSIGN(const auto finished, tools.run_quietly(uv_command(installation, cache, folder, arguments)));
  return finished.ending.code() != k_uv_error;
}

// Why uv builds a package of an index itself, where nobody asked for it.
std::string reason_for_builds(const Installation& installation) {
  const auto says = [](const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(),
                       [](const std::string& word) { return base::contains(word, "--no-binary"); });
  };
  const auto& uv = installation.configuration;
  if (says(uv.arguments) || says(installation.options)) return "";
  for (const auto* name : {"UV_NO_BINARY", "UV_NO_BINARY_PACKAGE"}) {
    if (!value_of(uv.environment, name).empty()) return "";
  }
  return ": the index has no wheel of this version for " + installation.interpreter.identity +
         "; another version of the package or of Python may have one";
}

// Runs uv, with its words in the user's terms and a line for what takes long.
base::Result<process::Finished> run_shown(const Installation& installation, const Tools& tools,
                                          const process::Command& command, const std::string& where) {
  std::vector<std::string> own;
  const auto& given = installation.configuration.arguments;
  for (const auto& argument : command.arguments) {
    if (std::find(given.begin(), given.end(), argument) == given.end()) own.push_back(argument);
  }
  const std::string work = caches::work_folder(tools.settings().cache).string();
  const bool is_copy = command.folder.string().starts_with(work);
  const UvWords words(work, is_copy ? command.folder.string() : "", installation.source.string(), where, own);
  const SourceBuilds builds(reason_for_builds(installation),
                            [](const std::string& line) { report::info("compile: " + line); });
  return tools.run(command, [&](std::string_view line) { return words.shown(line); });
}

// A package without a wheel for this image may need a compiler. That there is none is known without uv's
// words.
std::string compiler_hint(const std::string& search_path) {
  for (const auto* name : {"cc", "gcc", "clang"}) {
    if (process::find_program(name, search_path)) return "";
  }
  return "; this image has no C compiler: to compile a package, use an image that has one (python:3.11 "
         "rather than python:3.11-slim), or install Debian's packages gcc and libc6-dev in this one";
}

}  // namespace

base::Status run_uv(const Installation& installation, const Tools& tools, const fs::path& folder,
                    const Arguments& arguments, const std::string& where) {
  BASE_TRY_ASSIGN(const auto cache,
                  UvCache::open(value_of(installation.configuration.environment, "UV_CACHE_DIR"),
                                installation.machine.key()));
  const auto command = uv_command(installation, cache, folder, arguments);
  BASE_TRY_ASSIGN(const auto finished, run_shown(installation, tools, command, where));
  const auto& ending = finished.ending;
  if (ending.succeeded()) return {};
  bool is_network = false;
  if (ending.code() == k_uv_error) {
    BASE_TRY_ASSIGN(is_network, was_network_fault(installation, cache, tools, folder, arguments));
  }
  // uv goes on without an index that refuses it, and then lacks the packages.
  BASE_TRY_ASSIGN(const auto fault, find_index_fault(installation, tools, !is_network));
  if (is_network) {
    if (fault) return base::fail(ErrorKind::network, where, fault->what, fault->hint);
    return base::fail(
        ErrorKind::network, where, "a package index cannot be reached",
        "see uv's output above; if it names a certificate, set SSL_CERT_FILE to a file with the certificate "
        "of the index's authority; otherwise check the network, then try again");
  }
  if (fault) {
    return base::fail(ErrorKind::step_failed, where, "installation failed: " + fault->what, fault->hint);
  }
  return base::fail(ErrorKind::step_failed, where, "installation failed: uv " + ending.predicate(),
                    "see uv's output above" +
                        compiler_hint(value_of(installation.configuration.environment, "PATH")) +
                        missing_hint(finished.errors));
}

}  // namespace builder::python
