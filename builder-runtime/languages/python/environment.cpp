// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/environment.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/languages/python/bytecode.h"
#include "builder-runtime/languages/python/requirements.h"
#include "builder-runtime/milestone.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using Arguments = std::vector<std::string>;

constexpr char k_text_hint[] = "what is wrong is said in uv's own lines above";
// uv's exit code for everything but "these requirements cannot be installed", which is 1.
constexpr int k_uv_error = 2;

// uv's own settings stay the user's; what would lead it to another environment goes.
process::Environment uv_environment(const Tools& tools) {
  auto environment = tools.settings().environment;
  for (const auto* name : {"VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_TARGET", "UV_PREFIX",
                           "UV_SYSTEM_PYTHON", "PYTHONHOME", "PYTHONPATH"}) {
    environment.erase(name);
  }
  environment.emplace("UV_CACHE_DIR", (tools.settings().cache / "python" / "uv").string());
  environment["UV_PYTHON_DOWNLOADS"] = "never";
  environment["UV_NO_PROGRESS"] = "1";
  environment["PWD"] = tools.settings().source.string();
  return environment;
}

process::Command uv_command(const Installation& installation, const Tools& tools,
                            const Arguments& arguments) {
  Arguments all = {installation.uv};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {.arguments = std::move(all), .environment = uv_environment(tools), .folder = installation.source};
}

base::Status make_empty_environment(const Installation& installation, const Tools& tools,
                                    const fs::path& tree) {
  // Made by its own name inside: uv wants no folder there that it did not make.
  BASE_TRY(base::remove_tree(tree));
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run(uv_command(installation, tools,
                                       {"venv", "--quiet", "--relocatable", "--no-project", "--python",
                                        installation.interpreter.path, tree.string()})));
  if (finished.ending.succeeded()) return {};
  return base::fail(ErrorKind::step_failed, "uv venv", "ended with " + finished.ending.describe(),
                    k_text_hint);
}

Arguments install_arguments(const Installation& installation, const fs::path& tree) {
  // Copies, not links: a program that changes a file of its environment must not change uv's cache. Bytecode
  // is made later, without times and places.
  Arguments arguments = {"pip",
                         "install",
                         "--python",
                         (tree / "bin" / "python").string(),
                         "--link-mode",
                         "copy",
                         "--no-compile-bytecode",
                         "--requirements",
                         k_requirements};
  // uv keeps what it built from a folder until the times of its pyproject.toml or setup.py change; its
  // modules may have changed all the same.
  if (installation.uses_files) arguments.emplace_back("--refresh");
  return arguments;
}

// uv says with one exit code that the index did not answer and that a line makes no sense. The same without a
// network tells them apart: what then fails in the same way was not the network's fault.
base::Result<bool> was_network_fault(const Installation& installation, const Tools& tools,
                                     const fs::path& tree) {
  auto arguments = install_arguments(installation, tree);
  for (const auto* option : {"--dry-run", "--offline", "--no-cache", "--quiet", "--quiet"})
    arguments.emplace_back(option);
  BASE_TRY_ASSIGN(const auto finished, tools.run(uv_command(installation, tools, arguments)));
  return finished.ending.code() != k_uv_error;
}

base::Status install(const Installation& installation, const Tools& tools, const fs::path& tree) {
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run(uv_command(installation, tools, install_arguments(installation, tree))));
  const auto& ending = finished.ending;
  if (ending.succeeded()) return {};
  if (ending.code() == k_uv_error) {
    BASE_TRY_ASSIGN(const bool network, was_network_fault(installation, tools, tree));
    if (network) {
      return base::fail(
          ErrorKind::network, k_requirements, "the package index cannot be reached",
          "check the network and the index that uv is set up for (UV_DEFAULT_INDEX), then try again");
    }
  }
  return base::fail(ErrorKind::step_failed, k_requirements,
                    "cannot be installed; uv ended with " + ending.describe(), k_text_hint);
}

// <tree>/lib/python3.11/site-packages
base::Result<fs::path> find_site_packages(const fs::path& tree) {
  boost::system::error_code error;
  for (fs::directory_iterator entry(tree / "lib", error), end; !error && entry != end;
       entry.increment(error)) {
    if (fs::is_directory(entry->path() / "site-packages", error)) return entry->path() / "site-packages";
  }
  return base::fail(ErrorKind::bug, tree.string(), "has no site-packages");
}

// A field of METADATA ("Name: numpy"), which starts with its headers.
std::string metadata_field(const std::string& metadata, const std::string& name) {
  for (const auto& line : base::split(metadata, '\n')) {
    if (base::trim(line).empty()) break;
    if (line.rfind(name + ":", 0) == 0) return std::string(base::trim(line.substr(name.size() + 1)));
  }
  return "";
}

// Files that say where and when a package was installed from (PEP 610, uv): removed, with their lines in
// RECORD.
base::Status forget_origin(const fs::path& distribution) {
  BASE_TRY_ASSIGN(const std::string record, base::read_file(distribution / "RECORD"));
  std::string kept;
  for (const auto& line : base::split(record, '\n')) {
    const auto path = line.substr(0, line.find(','));
    const auto name = path.substr(path.find('/') + 1);
    const bool origin = path.rfind(distribution.filename().string() + "/", 0) == 0 &&
                        (name == "direct_url.json" || name == "uv_build.json" || name == "uv_cache.json");
    if (origin) {
      BASE_TRY(base::remove_tree(distribution / name));
    } else if (!line.empty()) {
      kept += line + "\n";
    }
  }
  return kept == record ? base::Status() : base::write_file(distribution / "RECORD", kept);
}

// What is installed in `packages`, sorted.
base::Result<Arguments> tidy_distributions(const fs::path& packages) {
  Arguments names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(packages, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".dist-info") continue;
    BASE_TRY_ASSIGN(const std::string metadata, base::read_file(entry->path() / "METADATA"));
    names.push_back(metadata_field(metadata, "Name") + "==" + metadata_field(metadata, "Version"));
    BASE_TRY(forget_origin(entry->path()));
  }
  if (error) return base::fail(base::system_error("read", packages.string(), error.value()));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

base::Result<std::vector<std::string>> make_environment(const Installation& installation, const Tools& tools,
                                                        const fs::path& tree) {
  Milestone milestone("compile");
  BASE_TRY(make_empty_environment(installation, tools, tree));
  BASE_TRY(install(installation, tools, tree));
  BASE_TRY_ASSIGN(const fs::path packages, find_site_packages(tree));
  BASE_TRY_ASSIGN(auto names, tidy_distributions(packages));
  // uv's lock on the environment.
  BASE_TRY(base::remove_tree(tree / ".lock"));
  milestone.reached("installed " + base::count_of(names.size(), "package"));

  BASE_TRY_ASSIGN(const auto bytecode, make_bytecode(installation.interpreter, tools, packages));
  milestone.reached(describe(bytecode));
  return names;
}

}  // namespace builder::python
