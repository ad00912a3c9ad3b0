// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/environment.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/languages/python/bytecode.h"
#include "builder-runtime/languages/python/uv.h"
#include "builder-runtime/milestone.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using Arguments = std::vector<std::string>;

base::Status make_empty_environment(const Installation& installation, const Tools& tools,
                                    const fs::path& tree) {
  // Made by its own name inside: uv wants no folder there that it did not make. What the image has of its own
  // stays importable; uv takes none of it for installed.
  BASE_TRY(base::remove_tree(tree));
  return run_uv(installation, tools, tree.parent_path(),
                {"venv", "--quiet", "--relocatable", "--no-project", "--no-config", "--system-site-packages",
                 "--python", installation.interpreter.path, tree.string()},
                "uv venv");
}

base::Status install(const Resolution& resolution, const InstallStep& step, const Tools& tools,
                     const fs::path& tree) {
  if (step.arguments.empty()) return {};
  const Installation& installation = resolution.installation();
  // Copies, not links: a program that changes a file of its environment must not change uv's cache. Bytecode
  // is made later, without times and places.
  Arguments arguments = {"pip",
                         "install",
                         "--python",
                         (tree / "bin" / "python").string(),
                         "--link-mode",
                         "copy",
                         "--no-compile-bytecode",
                         "--no-editable"};
  for (const auto* more : {&installation.configuration.arguments, &step.arguments}) {
    arguments.insert(arguments.end(), more->begin(), more->end());
  }
  const auto& where = installation.manifest.files.front();
  if (!step.is_chosen) return run_uv(installation, tools, resolution.folder(), arguments, where);
  return run_uv(without_variables(installation, {"UV_CONSTRAINT", "UV_OVERRIDE"}), tools, resolution.folder(),
                arguments, where);
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

// Every file and link below a folder; links are not followed.
base::Result<std::vector<fs::path>> list_files(const fs::path& tree) {
  std::vector<fs::path> files;
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(tree, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!fs::is_directory(entry->symlink_status())) files.push_back(entry->path());
  }
  if (error) return base::fail(base::system_error("read", tree.string(), error.value()));
  return files;
}

}  // namespace

base::Result<std::vector<std::string>> make_environment(const Resolution& resolution, const InstallStep& step,
                                                        Extent extent, const Tools& tools,
                                                        const fs::path& tree) {
  Milestone milestone("compile");
  BASE_TRY(make_empty_environment(resolution.installation(), tools, tree));
  BASE_TRY_ASSIGN(const auto of_every_environment, list_files(tree));
  BASE_TRY(install(resolution, step, tools, tree));
  BASE_TRY_ASSIGN(const fs::path packages, find_site_packages(tree));
  BASE_TRY_ASSIGN(auto names, tidy_distributions(packages));
  // uv's lock on the environment.
  BASE_TRY(base::remove_tree(tree / ".lock"));
  milestone.reached("installed " + base::count_of(names.size(), "package"));

  BASE_TRY_ASSIGN(const auto bytecode, make_bytecode(resolution.installation().interpreter, tools, packages));
  milestone.reached(describe(bytecode));
  if (extent == Extent::addition) {
    for (const auto& file : of_every_environment) BASE_TRY(base::remove_tree(file));
  }
  return names;
}

}  // namespace builder::python
