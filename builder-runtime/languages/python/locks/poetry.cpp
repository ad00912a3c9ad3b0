// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/poetry.h"

#include <algorithm>

#include "base/text.h"
#include "builder-runtime/languages/python/locks/project_requirements.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/packaging/version.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;
using Kind = Value::Kind;

constexpr char k_poetry_lock[] = "poetry.lock";
constexpr char k_manifest[] = "pyproject.toml";

tl::unexpected<base::Error> no_version(const std::string& file, const Value& value, const std::string& name,
                                       const std::string& text) {
  return base::fail(ErrorKind::bad_input, file + ":" + std::to_string(value.line) + ": " + name,
                    "invalid version constraint \"" + text + "\"");
}

// One way in which a package is asked for: "^1.2", or a table with a version and conditions.
base::Result<Wanted> wanted_by(const std::string& file, const std::string& name, const Value& value) {
  Wanted wanted{.name = normalised_name(name)};
  const std::string constraint = value.is(Kind::text) ? value.scalar : value.text("version");
  const auto alternatives = from_poetry(constraint);
  if (!alternatives) return no_version(file, value, name, constraint);
  const bool every = std::find(alternatives->begin(), alternatives->end(), "") != alternatives->end();
  if (!every) wanted.alternatives = *alternatives;
  for (const auto& extra : value.texts("extras")) wanted.extras.push_back(normalised_name(extra));
  wanted.marker = value.text("markers");
  if (const auto platform = value.text("platform"); !platform.empty()) {
    wanted.marker = both_markers(wanted.marker, "sys_platform == '" + platform + "'");
  }
  if (const auto python = value.text("python"); !python.empty()) {
    const auto pythons = from_poetry(python);
    if (!pythons) return no_version(file, value, name, python);
    // Of alternatives the first that is bounded is taken; poetry's own locks say it with markers instead.
    wanted.python = pythons->front();
  }
  return wanted;
}

// A dependency may be asked for in several ways, one for each interpreter or platform.
base::Status add_wanted(const std::string& file, const std::string& name, const Value& value,
                        std::vector<Wanted>& wanted) {
  if (!value.is(Kind::array)) {
    BASE_TRY_ASSIGN(Wanted one, wanted_by(file, name, value));
    wanted.push_back(std::move(one));
    return {};
  }
  for (const auto& item : value.items) {
    BASE_TRY_ASSIGN(Wanted one, wanted_by(file, name, item));
    wanted.push_back(std::move(one));
  }
  return {};
}

// Optional dependencies come with an extra that names them.
bool is_in_extras(const LockRequest& request, const std::string& name) {
  const Value& extras = request.manifest.project.at("tool.poetry.extras");
  return std::any_of(request.settings.extras.begin(), request.settings.extras.end(),
                     [&](const std::string& extra) {
                       const auto names = extras.texts(extra);
                       return std::any_of(names.begin(), names.end(), [&](const std::string& other) {
                         return normalised_name(other) == normalised_name(name);
                       });
                     });
}

base::Status add_table(const LockRequest& request, const Value& table, std::vector<Wanted>& wanted) {
  for (const auto& [name, value] : table.members) {
    if (name == "python") continue;
    if (value.at("optional").is_true() && !is_in_extras(request, name)) continue;
    BASE_TRY(add_wanted(k_manifest, name, value, wanted));
  }
  return {};
}

// What the project asks for: [project] first, which poetry 2 prefers and [tool.poetry] then only adds sources
// to.
base::Result<std::vector<Wanted>> wanted_by_manifest(const LockRequest& request) {
  BASE_TRY_ASSIGN(auto wanted, wanted_by_project(request));
  const Value& poetry = request.manifest.project.at("tool.poetry");
  if (request.manifest.project.at("project.dependencies").items.empty()) {
    BASE_TRY(add_table(request, poetry.at("dependencies"), wanted));
  }
  for (const auto& group : request.settings.groups) {
    BASE_TRY(add_table(request, poetry.at("group").at(group).at("dependencies"), wanted));
  }
  return wanted;
}

// "pysocks (>=1.5.6,!=1.5.7)": an extra's needs repeat the constraint in brackets.
std::string name_in(const std::string& text) {
  return normalised_name(text.substr(0, text.find_first_of(" ([<>=!~;")));
}

// Locks of poetry 1.1 have all files in one table at the end.
std::vector<std::string> hashes_of(const Value& lock, const Value& package) {
  std::vector<std::string> hashes;
  const Value& files =
      package.at("files").exists() ? package.at("files") : lock.at("metadata.files").at(package.text("name"));
  for (const auto& file : files.items) hashes.push_back(file.text("hash"));
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

void describe_source(const Value& package, LockedPackage& locked) {
  const Value& source = package.at("source");
  const std::string type = source.text("type");
  const std::string url = source.text("url");
  if (type == "git") {
    locked.requirement =
        git_requirement(locked.name, url, source.text("resolved_reference"), source.text("subdirectory"));
    locked.hashes.clear();
  } else if (type == "url") {
    locked.requirement = locked.name + " @ " + url;
  } else if (type == "file" || type == "directory") {
    locked.requirement = path_requirement(url);
    if (type == "directory") locked.hashes.clear();
  }
}

base::Result<LockedPackage> read_package(const Value& lock, const Value& package) {
  LockedPackage locked{.name = normalised_name(package.text("name")), .version = package.text("version")};
  locked.requirement = locked.name + "==" + locked.version;
  locked.hashes = hashes_of(lock, package);
  describe_source(package, locked);
  if (const auto pythons = from_poetry(package.text("python-versions"))) locked.pythons = *pythons;
  for (const auto& dependency : package.at("dependencies").members) {
    const Value& value = dependency.value;
    const std::string name = normalised_name(dependency.key);
    std::vector<Wanted> needs;
    BASE_TRY(add_wanted(k_poetry_lock, name, value, needs));
    const bool optional = value.at("optional").is_true() ||
                          (!value.items.empty() && value.items.front().at("optional").is_true());
    if (!optional) {
      locked.needs.insert(locked.needs.end(), needs.begin(), needs.end());
      continue;
    }
    for (const auto& [extra, texts] : package.at("extras").members) {
      const bool has = std::any_of(texts.items.begin(), texts.items.end(),
                                   [&](const Value& text) { return name_in(text.scalar) == name; });
      for (auto need : needs) {
        need.for_extra = normalised_name(extra);
        if (has) locked.needs.push_back(std::move(need));
      }
    }
  }
  return locked;
}

std::vector<PackageIndex> indexes_of(const Value& project) {
  std::vector<PackageIndex> indexes;
  for (const auto& source : project.at("tool.poetry.source").items) {
    const std::string priority = source.text("priority");
    const bool primary = priority.empty() || priority == "primary" || priority == "default";
    // The public index is there without being named.
    if (!source.text("url").empty())
      indexes.push_back(
          {.name = source.text("name"), .url = source.text("url"), .replaces_default = primary});
  }
  return indexes;
}

// As PEP 508 has it; a folder or file of the source as a path.
base::Result<std::string> requirement_line(const Value& value, const Wanted& wanted) {
  const std::string extras = wanted.extras.empty() ? "" : "[" + base::join(wanted.extras, ",") + "]";
  std::string marker = wanted.marker;
  for (const auto& clause : base::split(wanted.python, ',')) {
    const auto digits = clause.find_first_of("0123456789");
    if (digits == std::string::npos) continue;
    marker = both_markers(
        marker, "python_full_version " + clause.substr(0, digits) + " '" + clause.substr(digits) + "'");
  }
  std::string line = wanted.name + extras;
  if (const auto path = value.text("path") + value.text("file"); !path.empty()) {
    line = path_requirement(path) + extras;
  } else if (const auto url = value.text("url"); !url.empty()) {
    line += " @ " + url;
  } else if (const auto git = value.text("git"); !git.empty()) {
    // One of the three is given; poetry refuses more.
    line = git_requirement(line, git, value.text("rev") + value.text("tag") + value.text("branch"),
                           value.text("subdirectory"));
  } else if (wanted.alternatives.size() > 1) {
    return base::fail(ErrorKind::bad_input,
                      std::string(k_manifest) + ":" + std::to_string(value.line) + ": " + wanted.name,
                      "versions with || can only be built from a lock", "create one: poetry lock");
  } else if (!wanted.alternatives.empty()) {
    line += wanted.alternatives.front();
  }
  return marker.empty() ? line : line + " ; " + marker;
}

base::Status add_lines(const LockRequest& request, const Value& table, std::vector<std::string>& lines) {
  for (const auto& [name, value] : table.members) {
    if (name == "python") continue;
    if (value.at("optional").is_true() && !is_in_extras(request, name)) continue;
    const std::vector<Value> ways = value.is(Kind::array) ? value.items : std::vector<Value>{value};
    for (const auto& way : ways) {
      BASE_TRY_ASSIGN(const Wanted wanted, wanted_by(k_manifest, name, way));
      BASE_TRY_ASSIGN(std::string line, requirement_line(way, wanted));
      lines.push_back(std::move(line));
    }
  }
  return {};
}

}  // namespace

base::Result<RequirementList> read_poetry_lock(const LockRequest& request) {
  BASE_TRY_ASSIGN(const Value file,
                  data::read_toml(request.source / request.manifest.files.front(), k_poetry_lock));
  Lock lock{.file = k_poetry_lock, .manifest = k_manifest, .remake = "poetry lock", .packages = {}};
  for (const auto& package : file.at("package").items) {
    BASE_TRY_ASSIGN(LockedPackage locked, read_package(file, package));
    lock.packages.push_back(std::move(locked));
  }
  BASE_TRY_ASSIGN(const auto wanted, wanted_by_manifest(request));
  BASE_TRY_ASSIGN(auto lines, select_packages(lock, wanted, request.markers));
  return checked_list({std::move(lines), indexes_of(request.manifest.project)},
                      request.manifest.files.front());
}

base::Result<RequirementList> read_poetry_project(const LockRequest& request) {
  RequirementList list{{}, indexes_of(request.manifest.project)};
  const Value& poetry = request.manifest.project.at("tool.poetry");
  BASE_TRY(add_lines(request, poetry.at("dependencies"), list.lines));
  for (const auto& group : request.settings.groups) {
    BASE_TRY(add_lines(request, poetry.at("group").at(group).at("dependencies"), list.lines));
  }
  return checked_list(std::move(list), request.manifest.files.front());
}

}  // namespace builder::python
