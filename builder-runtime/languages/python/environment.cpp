// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/environment.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <fstream>
#include <optional>

#include "base/errors.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/python/install/source_packages.h"
#include "builder-runtime/languages/python/install/uv.h"
#include "builder-runtime/languages/python/manifests/local_targets.h"
#include "builder-runtime/languages/python/program/bytecode.h"
#include "builder-runtime/languages/python/program/imports.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/source/data.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using Arguments = std::vector<std::string>;

constexpr mode_t k_script_mode = 0755;

base::Status make_empty_environment(const Installation& installation, const Tools& tools,
                                    const fs::path& tree) {
  // Made by its own name inside: uv wants no folder there that it did not make.
  BASE_TRY(base::remove_tree(tree));
  Arguments arguments = {"venv",
                         "--quiet",
                         "--relocatable",
                         "--no-project",
                         "--no-config",
                         "--python",
                         installation.interpreter.path,
                         tree.string()};
  // uv takes none of these for installed.
  if (installation.settings.image_packages) arguments.emplace_back("--system-site-packages");
  return run_uv(installation, tools, tree.parent_path(), arguments, "uv venv");
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
  for (fs::directory_iterator entry(tree / "lib", error), end; entry != end; entry.increment(error)) {
    if (fs::is_directory(entry->path() / "site-packages", error)) return entry->path() / "site-packages";
  }
  return base::fail(ErrorKind::bug, tree.string(), "has no site-packages");
}

// A field of METADATA ("Name: numpy"), which starts with its headers.
std::string metadata_field(const std::string& metadata, const std::string& name) {
  for (const auto& line : base::split(metadata, '\n')) {
    if (base::trim(line).empty()) break;
    if (line.starts_with(name + ":")) return std::string(base::trim(line.substr(name.size() + 1)));
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
    const bool origin = path.starts_with(distribution.filename().string() + "/") &&
                        (name == "direct_url.json" || name == "uv_build.json" || name == "uv_cache.json");
    if (origin) {
      BASE_TRY(base::remove_tree(distribution / name));
    } else if (!line.empty()) {
      kept += line + "\n";
    }
  }
  return kept == record ? base::Status() : base::write_file(distribution / "RECORD", kept);
}

// The folder that a distribution was installed from, relative to `source`; nothing for all that was not
// installed from a folder below it (PEP 610).
std::optional<fs::path> project_of(const fs::path& distribution, const fs::path& source) {
  const auto origin = data::read_json(distribution / "direct_url.json", "direct_url.json");
  if (!origin || !origin->at("dir_info").exists()) return std::nullopt;
  boost::system::error_code error;
  const auto folder = fs::canonical(path_of_target(origin->text("url")), error);
  if (error) return std::nullopt;
  const auto root = fs::canonical(source, error);
  if (error) return std::nullopt;
  const auto relative = base::path_below(folder, root);
  return relative == "." ? fs::path() : relative;
}

struct Installed {
  Arguments names;  // sorted
  std::vector<SourceDistribution> of_source;
};

// What is installed in `packages`, some of it from folders of `source`.
base::Result<Installed> tidy_distributions(const fs::path& packages, const fs::path& source) {
  Installed installed;
  auto& names = installed.names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(packages, error), end; entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".dist-info") continue;
    BASE_TRY_ASSIGN(const std::string metadata, base::read_file(entry->path() / "METADATA"));
    names.push_back(metadata_field(metadata, "Name") + "==" + metadata_field(metadata, "Version"));
    if (auto project = project_of(entry->path(), source)) {
      installed.of_source.push_back({entry->path(), std::move(*project)});
    }
    BASE_TRY(forget_origin(entry->path()));
  }
  if (error) return base::fail(base::system_error("read", packages.string(), error.value()));
  std::sort(names.begin(), names.end());
  return installed;
}

// uv lets a shell start a script by lines that Python takes for a text. A script that brings its own
// beginning (a docstring, imports from __future__, a coding) has to keep it: such a one is started by the
// environment's python on PATH. The scripts that uv writes for entry points begin with nothing of the kind.
base::Status repair_scripts(const fs::path& folder) {
  constexpr std::string_view k_shell_start = "#!/bin/sh\n'''exec' ";
  constexpr std::string_view k_shell_end = "\n' '''\n";
  constexpr std::string_view k_entry_point = "# -*- coding: utf-8 -*-\nimport sys\nfrom ";
  std::vector<fs::path> scripts;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    if (entry->symlink_status().type() != fs::regular_file) continue;
    std::string head(k_shell_start.size(), '\0');
    std::ifstream(entry->path().string(), std::ios::binary)
        .read(head.data(), static_cast<std::streamsize>(head.size()));
    if (head == k_shell_start) scripts.push_back(entry->path());
  }
  if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
  for (const auto& script : scripts) {
    BASE_TRY_ASSIGN(const std::string text, base::read_file(script));
    const auto end = text.find(k_shell_end);
    if (end == std::string::npos) continue;
    const std::string own = text.substr(end + k_shell_end.size());
    if (own.starts_with(k_entry_point)) continue;
    BASE_TRY(base::write_file(script, "#!/usr/bin/env python\n" + own, k_script_mode));
  }
  return {};
}

// Every file and link below a folder; links are not followed.
base::Result<std::vector<fs::path>> list_files(const fs::path& tree) {
  std::vector<fs::path> files;
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(tree, error), end; entry != end; entry.increment(error)) {
    if (!fs::is_directory(entry->symlink_status())) files.push_back(entry->path());
  }
  if (error) return base::fail(base::system_error("read", tree.string(), error.value()));
  return files;
}

}  // namespace

base::Result<Environment> make_environment(const Resolution& resolution, const InstallStep& step,
                                           Extent extent, const Tools& tools, const fs::path& tree) {
  Milestone milestone("compile");
  BASE_TRY(make_empty_environment(resolution.installation(), tools, tree));
  BASE_TRY_ASSIGN(const auto of_every_environment, list_files(tree));
  BASE_TRY(install(resolution, step, tools, tree));
  BASE_TRY_ASSIGN(const fs::path packages, find_site_packages(tree));
  BASE_TRY_ASSIGN(auto installed, tidy_distributions(packages, resolution.folder()));
  const fs::path& source = resolution.installation().source;
  BASE_TRY_ASSIGN(const auto source_packages, find_source_packages(packages, source, installed.of_source));
  auto modules = importable_names(packages);
  for (const auto& distribution : installed.of_source) {
    BASE_TRY_ASSIGN(const auto own, modules_of_distribution(distribution.information));
    modules.insert(modules.end(), own.begin(), own.end());
  }
  BASE_TRY(add_source_finder(packages, source_packages));
  BASE_TRY(repair_scripts(tree / "bin"));
  // uv's lock on the environment.
  BASE_TRY(base::remove_tree(tree / ".lock"));
  const auto count = installed.names.size();
  milestone.reached(count == 0 ? "nothing to install" : "installed " + base::count_of(count, "package"));

  BASE_TRY_ASSIGN(const auto bytecode, make_bytecode(resolution.installation().interpreter, tools, packages));
  if (bytecode.packages > 0) milestone.reached(describe(bytecode));
  BASE_TRY(make_source_mirror(tree, packages, source, source_packages));
  if (extent == Extent::addition) {
    for (const auto& file : of_every_environment) BASE_TRY(base::remove_tree(file));
  }
  return Environment{std::move(installed.names), std::move(modules)};
}

}  // namespace builder::python
