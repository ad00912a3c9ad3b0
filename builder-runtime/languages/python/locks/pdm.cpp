// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/pdm.h"

#include <algorithm>

#include "base/text.h"
#include "builder-runtime/languages/python/locks/project_requirements.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/packaging/version.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;

constexpr char k_pdm_lock[] = "pdm.lock";

std::string requirement_of(const Value& package, const LockedPackage& locked) {
  if (const auto path = package.text("path"); !path.empty()) return path_requirement(path);
  if (const auto git = package.text("git"); !git.empty())
    return git_requirement(locked.name, git, package.text("revision"), package.text("subdirectory"));
  if (const auto url = package.text("url"); !url.empty()) return locked.name + " @ " + url;
  return locked.name + "==" + locked.version;
}

base::Result<LockedPackage> read_package(const Value& package) {
  LockedPackage locked{.name = normalised_name(package.text("name")), .version = package.text("version")};
  for (const auto& extra : package.texts("extras")) locked.extras.push_back(normalised_name(extra));
  locked.marker = package.text("marker");
  if (const auto python = package.text("requires_python"); !python.empty()) locked.pythons = {python};
  locked.requirement = requirement_of(package, locked);
  for (const auto& file : package.at("files").items) locked.hashes.push_back(file.text("hash"));
  std::sort(locked.hashes.begin(), locked.hashes.end());
  for (const auto& text : package.texts("dependencies")) {
    const auto requirement = Requirement::parse(text);
    if (!requirement)
      return base::fail(ErrorKind::bad_input, k_pdm_lock, "invalid requirement \"" + text + "\"",
                        "regenerate the lock file: pdm lock");
    locked.needs.push_back(wanted_of(*requirement));
  }
  return locked;
}

}  // namespace

base::Result<RequirementList> read_pdm_lock(const LockRequest& request) {
  BASE_TRY_ASSIGN(const Value file,
                  data::read_toml(request.source / request.manifest.files.front(), k_pdm_lock));
  Lock lock{.file = k_pdm_lock, .manifest = "pyproject.toml", .remake = "pdm lock", .packages = {}};
  for (const auto& package : file.at("package").items) {
    BASE_TRY_ASSIGN(LockedPackage locked, read_package(package));
    lock.packages.push_back(std::move(locked));
  }
  BASE_TRY_ASSIGN(const auto wanted, wanted_by_project(request));
  BASE_TRY_ASSIGN(auto lines, select_packages(lock, wanted, request.markers));
  return checked_list({std::move(lines), pdm_sources(request.manifest.project)},
                      request.manifest.files.front());
}

base::Result<std::vector<std::string>> pdm_overrides(const Value& project) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : project.at("tool.pdm.resolution.overrides").members) {
    const bool is_url = base::contains(value.scalar, "://");
    const bool is_version = Version::parse(value.scalar).has_value();
    const std::string line = name + (is_url ? " @ " : is_version ? "==" : "") + value.scalar;
    if (!Requirement::parse(line) || logical_lines(line).size() != 1) {
      return base::fail(base::ErrorKind::bad_input,
                        "pyproject.toml:" + std::to_string(value.line) + ": tool.pdm.resolution.overrides",
                        "invalid requirement \"" + line + "\"");
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace builder::python
