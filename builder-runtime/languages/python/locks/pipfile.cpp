// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/pipfile.h"

#include <algorithm>

#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/manifests/choices.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/packaging/version.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;
using Kind = Value::Kind;

constexpr char k_pipfile[] = "Pipfile";
constexpr char k_pipfile_lock[] = "Pipfile.lock";

std::string extras_of(const Value& entry) {
  const auto extras = entry.texts("extras");
  return extras.empty() ? "" : "[" + base::join(extras, ",") + "]";
}

// The markers of an entry: its own, and the ones that have a key of their own ("sys_platform").
std::string markers_of(const Value& entry) {
  std::string marker = entry.text("markers");
  for (const std::string key :
       {"os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_system",
        "python_version", "python_full_version", "implementation_name"}) {
    const auto condition = entry.text(key);
    if (!condition.empty()) marker = both_markers(marker, key + " " + condition);
  }
  return marker;
}

// "requests", "*" or a table; of a lock the version is exact.
std::string line_of(const std::string& name, const Value& entry) {
  std::string line = normalised_name(name) + extras_of(entry);
  if (const auto path = entry.text("path") + entry.text("file"); !path.empty()) {
    const bool is_url = base::contains(path, "://");
    line = is_url ? line + " @ " + path : path_requirement(path) + extras_of(entry);
  } else if (const auto git = entry.text("git"); !git.empty()) {
    line = git_requirement(line, git, entry.text("ref"), entry.text("subdirectory"));
  } else {
    const std::string version = entry.is(Kind::text) ? entry.scalar : entry.text("version");
    if (version != "*") line += version;
  }
  const auto marker = markers_of(entry);
  return marker.empty() ? line : line + " ; " + marker;
}

std::vector<PackageIndex> sources_of(const Value& sources) {
  std::vector<PackageIndex> indexes;
  for (const auto& source : sources.items) {
    auto index = index_of(source);
    if (index.url.empty()) continue;
    index.replaces_default = indexes.empty();
    indexes.push_back(std::move(index));
  }
  return indexes;
}

// Where a package that comes from no index comes from: its path without "./", its URL; empty for others.
std::string place_of(const Value& entry) {
  std::string place = entry.text("path") + entry.text("file") + entry.text("git") + entry.text("url");
  if (place.starts_with("./")) place.erase(0, 2);
  while (place.size() > 1 && place.ends_with('/')) place.pop_back();
  return place;
}

// The packages of Pipfile that the lock lacks, or has in another version.
base::Status check_match(const LockRequest& request, const Value& locked) {
  const Value absent;
  if (!is_file(request.source / k_pipfile)) return {};
  BASE_TRY_ASSIGN(const Value pipfile, data::read_toml(request.source / k_pipfile, k_pipfile));
  for (const auto& [name, entry] : pipfile.at("packages").members) {
    const auto holds_here = holds(markers_of(entry), request.markers);
    if (!holds_here.value_or(true)) continue;
    const Value* found = nullptr;
    for (const auto& [other, value] : locked.members) {
      // Of what has a place of its own the key is only a name for people: pipenv itself makes them up, and
      // locks the package under its own name.
      const bool is_there = !place_of(entry).empty() && place_of(value) == place_of(entry);
      if (is_there || normalised_name(other) == normalised_name(name)) found = &value;
    }
    const std::string hint = "regenerate the lock file (pipenv lock) and commit it";
    if (found == nullptr) {
      return base::fail(ErrorKind::bad_input, k_pipfile_lock,
                        "does not match Pipfile: " + name + " is required but not locked", hint);
    }
    const std::string wanted = entry.is(Kind::text) ? entry.scalar : entry.text("version");
    const auto specifiers = Specifiers::parse(wanted == "*" ? "" : wanted);
    const std::string version = found->text("version");
    const auto parsed = Version::parse(version.substr(std::min<std::size_t>(2, version.size())));
    if (specifiers && parsed && !specifiers->allows(*parsed)) {
      return base::fail(ErrorKind::bad_input, k_pipfile_lock,
                        "does not match Pipfile: " + name + " " + version.substr(2) +
                            " is locked, but Pipfile requires " + name + wanted,
                        hint);
    }
  }
  return {};
}

// pipenv's categories: "default", and others under their own names.
base::Result<std::vector<std::string>> categories(const LockRequest& request, const Value& file,
                                                  const std::string& main) {
  std::vector<std::string> names = {main};
  for (const auto& group : request.settings.groups) {
    if (!file.at(group).exists()) {
      std::vector<std::string> known;
      for (const auto& table : file.members) {
        if (is_category(table.key)) known.push_back(table.key);
      }
      return base::fail(
          no_such_choice("python.groups", request.manifest.files.front(), "category", group, known));
    }
    names.push_back(group);
  }
  return names;
}

}  // namespace

base::Result<RequirementList> read_pipfile_lock(const LockRequest& request) {
  BASE_TRY_ASSIGN(const Value file,
                  data::read_json(request.source / request.manifest.files.front(), k_pipfile_lock));
  BASE_TRY(check_match(request, file.at("default")));
  RequirementList list{{}, sources_of(file.at("_meta.sources"))};
  BASE_TRY_ASSIGN(const auto names, categories(request, file, "default"));
  for (const auto& category : names) {
    for (const auto& [name, entry] : file.at(category).members) {
      list.lines.push_back(with_hashes(line_of(name, entry), entry.texts("hashes")));
    }
  }
  return checked_list(std::move(list), request.manifest.files.front());
}

base::Result<RequirementList> read_pipfile(const LockRequest& request) {
  BASE_TRY_ASSIGN(const Value file,
                  data::read_toml(request.source / request.manifest.files.front(), k_pipfile));
  RequirementList list{{}, sources_of(file.at("source"))};
  BASE_TRY_ASSIGN(const auto names, categories(request, file, "packages"));
  for (const auto& category : names) {
    for (const auto& [name, entry] : file.at(category).members) list.lines.push_back(line_of(name, entry));
  }
  return checked_list(std::move(list), request.manifest.files.front());
}

}  // namespace builder::python
