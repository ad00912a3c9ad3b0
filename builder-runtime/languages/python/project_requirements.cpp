// SPDX-License-Identifier: Apache-2.0
// The requirements of PEP 621's [project] and PEP 735's [dependency-groups], and whether a uv.lock has them.
#include <algorithm>
#include <string_view>

#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/python/lock_readers.h"
#include "builder-runtime/languages/python/requirement.h"
#include "builder-runtime/languages/python/requirements.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;

constexpr int k_deepest_group = 32;

base::Status add_text(const Value& text, const std::string& place, std::vector<Wanted>& wanted) {
  const auto requirement = Requirement::parse(text.scalar);
  if (!requirement) {
    return base::fail(ErrorKind::bad_input, "pyproject.toml:" + std::to_string(text.line) + ": " + place,
                      "invalid requirement \"" + text.scalar + "\"");
  }
  wanted.push_back(wanted_of(*requirement));
  return {};
}

base::Status add_texts(const Value& array, const std::string& place, std::vector<Wanted>& wanted) {
  for (const auto& text : array.items) BASE_TRY(add_text(text, place, wanted));
  return {};
}

base::Status add_group(const Value& project, const std::string& name, int depth,
                       std::vector<Wanted>& wanted) {
  const std::string place = "dependency-groups." + name;
  const Value& group = project.at("dependency-groups").at(name);
  if (!group.exists() || depth == k_deepest_group) {
    return base::fail(ErrorKind::bad_input, "pyproject.toml: " + place,
                      group.exists() ? "includes itself" : "there is no such group");
  }
  for (const auto& item : group.items) {
    if (item.is(Value::Kind::table)) {
      BASE_TRY(add_group(project, item.text("include-group"), depth + 1, wanted));
    } else {
      BASE_TRY(add_text(item, place, wanted));
    }
  }
  return {};
}

}  // namespace

Wanted wanted_of(const Requirement& requirement) {
  Wanted wanted{.name = requirement.name, .extras = requirement.extras, .marker = requirement.marker};
  if (!requirement.specifiers.empty()) wanted.alternatives = {requirement.specifiers};
  return wanted;
}

std::string path_requirement(const std::string& path) { return path.starts_with("./") ? path : "./" + path; }

std::string git_requirement(const std::string& name, const std::string& url, const std::string& reference,
                            const std::string& folder) {
  return name + " @ git+" + url + (reference.empty() ? "" : "@" + reference) +
         (folder.empty() ? "" : "#subdirectory=" + folder);
}

base::Result<RequirementList> checked_list(RequirementList list, const std::string& file) {
  constexpr std::string_view k_continuation = " \\\n    --hash=";  // with_hashes()
  for (std::string line : list.lines) {
    base::replace_all(line, k_continuation, " ");
    const auto lines = logical_lines(line);
    const bool has_controls = std::any_of(
        line.begin(), line.end(), [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; });
    // A backslash at the end would join the next line.
    if (has_controls || lines.size() != 1 || lines.front().starts_with('-') ||
        base::trim(line).ends_with('\\'))
      return base::fail(ErrorKind::bad_input, file, "invalid requirement \"" + line + "\"");
    const auto path = line.substr(0, line.find_first_of(" ["));
    if (path.starts_with("./") && !base::stays_inside(path)) {
      return base::fail(ErrorKind::bad_input, file, path.substr(2) + " is outside the source",
                        "move it below transform.build.path: only files there are built");
    }
  }
  return list;
}

std::string both_markers(const std::string& marker, const std::string& other) {
  if (marker.empty() || other.empty()) return marker + other;
  return "(" + marker + ") and (" + other + ")";
}

base::Result<std::vector<Wanted>> wanted_by_project(const LockRequest& request) {
  std::vector<Wanted> wanted;
  const Value& project = request.manifest.project;
  BASE_TRY(add_texts(project.at("project.dependencies"), "project.dependencies", wanted));
  for (const auto& extra : request.settings.extras) {
    const Value& optional = project.at("project.optional-dependencies").at(extra);
    BASE_TRY(add_texts(optional, "project.optional-dependencies." + extra, wanted));
  }
  for (const auto& group : request.settings.groups) {
    if (project.at("dependency-groups").at(group).exists()) BASE_TRY(add_group(project, group, 0, wanted));
  }
  return wanted;
}

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
