// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/keys.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <ctime>
#include <map>
#include <mutex>
#include <string_view>

#include "base/digest.h"
#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/source_digest.h"
#include "builder-runtime/source/data.h"

namespace builder::python {
namespace {

// Variables of uv that cannot change what is installed, or are secrets.
bool is_irrelevant(const std::string& name) {
  for (const auto* prefix :
       {"UV_CACHE_DIR", "UV_CONCURRENT_", "UV_HTTP_", "UV_LINK_MODE", "UV_NO_PROGRESS", "UV_LOCK_TIMEOUT",
        "UV_COMPILE_BYTECODE", "UV_KEYRING_PROVIDER", "UV_OFFLINE", "UV_PYTHON_DOWNLOADS"}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  for (const auto* part : {"PASSWORD", "USERNAME", "TOKEN", "CREDENTIALS"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// uv's configuration, where uv looks for it: docs.astral.sh/uv, "Configuration files".
std::vector<fs::path> configuration_files(const fs::path& source, const process::Environment& environment) {
  std::vector<fs::path> files = {source / "uv.toml", source / "pyproject.toml", "/etc/uv/uv.toml"};
  if (const auto chosen = value_of(environment, "UV_CONFIG_FILE"); !chosen.empty())
    files.emplace_back(chosen);
  const auto config = value_of(environment, "XDG_CONFIG_HOME");
  files.push_back((config.empty() ? fs::path(value_of(environment, "HOME")) / ".config" : fs::path(config)) /
                  "uv" / "uv.toml");
  return files;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  constexpr std::time_t k_day = 86'400;  // seconds
  return std::to_string(now / k_day);
}

// The folders of wheels that pip's and uv's configuration name: their files' names have the versions.
base::Status add_links(const process::Environment& environment, base::Sha256& key) {
  for (const auto& link : base::split(value_of(environment, "UV_FIND_LINKS"), ',')) {
    std::vector<std::string> names;
    boost::system::error_code error;
    for (fs::directory_iterator entry(link, error), end; !error && entry != end; entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) key.update_field(name);
  }
  for (const auto& file : base::split(value_of(environment, "UV_CONSTRAINT"), ' ')) {
    key.update_field(base::read_file(file).value_or(""));
  }
  return {};
}

// Of everything but files of the source: `digest` stands for what they ask for.
base::Result<std::string> key_of(const Installation& installation, const std::string& digest) {
  base::Sha256 key;
  const auto& interpreter = installation.interpreter;
  for (const auto& part : {key_base("python"), installation.uv_version, interpreter.path,
                           interpreter.identity, interpreter.libc, digest}) {
    key.update_field(part);
  }
  const auto& settings = installation.settings;
  for (const auto* list : {&settings.groups, &settings.extras, &installation.configuration.arguments}) {
    key.update_field(std::to_string(list->size()));
    for (const auto& item : *list) key.update_field(without_credentials(item));
  }
  key.update_field(installation.manifest.installs_project ? "project" : "");
  const auto& environment = installation.configuration.environment;
  for (const auto& [name, value] : environment) {
    if (name.rfind("UV_", 0) != 0 || is_irrelevant(name)) continue;
    key.update_field(name);
    key.update_field(without_credentials(value));
  }
  BASE_TRY(add_links(environment, key));
  for (const auto& file : configuration_files(installation.source, environment)) {
    const auto content = base::read_file(file);
    key.update_field(content ? *content : "none");
  }
  return key.finish();
}

constexpr char k_project[] = "pyproject.toml";

// Whether a file may say what a package of the source needs, or is itself one that may be chosen.
bool is_asked_for_versions(std::string_view path) {
  constexpr std::array<std::string_view, 10> k_ends = {".toml", ".cfg", ".txt", ".in",  ".lock",
                                                       ".whl",  ".gz",  ".bz2", ".zip", "setup.py"};
  return std::any_of(k_ends.begin(), k_ends.end(), [&](auto end) { return path.ends_with(end); });
}

// What of a source may decide versions; its packages are built to be asked where they are not `is_static`.
struct Metadata {
  std::string source;  // the digest of all of it
  std::string digest;
  bool is_static = true;
};

// A project whose requirements are in its own words and not made by its build system: PEP 621, "dynamic".
bool is_static(const fs::path& project, bool is_only_one) {
  const auto file = data::read_toml(project, k_project);
  if (!file) return false;
  if (!file->at("project").exists()) return file->at("tool.poetry").exists();
  const auto dynamic = file->texts("project.dynamic");
  return std::all_of(dynamic.begin(), dynamic.end(), [&](const std::string& field) {
    // A version is asked for by others only.
    return field != "dependencies" && field != "optional-dependencies" && (field != "version" || is_only_one);
  });
}

base::Result<Metadata> read_metadata(const fs::path& source) {
  std::mutex mutex;
  std::map<std::string, std::string> digests;
  const auto view = [&](const std::string& name, std::string_view content) {
    std::string digest = base::sha256(content);
    const std::lock_guard lock(mutex);
    digests.emplace(name, std::move(digest));
  };
  Metadata metadata;
  BASE_TRY_ASSIGN(metadata.source, digest_of_folder(source, is_asked_for_versions, view));
  std::vector<std::string> parts;
  std::vector<fs::path> projects;
  for (const auto& [name, digest] : digests) {
    parts.push_back(name);
    parts.push_back(digest);
    const auto file = fs::path(name).filename();
    if (file == k_project) projects.push_back(source / name);
    // setuptools asks these as well, and what they say may be the result of a program.
    metadata.is_static = metadata.is_static && file != "setup.py" && file != "setup.cfg";
  }
  metadata.digest = joined_key(parts);
  metadata.is_static =
      metadata.is_static && std::all_of(projects.begin(), projects.end(), [&](const fs::path& project) {
        return is_static(project, projects.size() == 1);
      });
  return metadata;
}

}  // namespace

std::string joined_key(const std::vector<std::string>& parts) {
  base::Sha256 key;
  for (const auto& part : parts) key.update_field(part);
  return key.finish();
}

base::Result<Keys> keys_of(const Installation& installation, const std::string& digest) {
  BASE_TRY_ASSIGN(std::string key, key_of(installation, digest));
  if (installation.settings.refresh == Refresh::daily) key = joined_key({key, today()});
  const bool is_remembered = installation.settings.refresh != Refresh::always;
  if (!installation.uses_files) return Keys{key, is_remembered ? key : ""};
  BASE_TRY_ASSIGN(const Metadata metadata, read_metadata(installation.source));
  return Keys{joined_key({key, metadata.source}),
              is_remembered && metadata.is_static ? joined_key({key, metadata.digest}) : ""};
}

base::Result<std::string> key_of_lines(const Installation& installation,
                                       const std::vector<std::string>& lines) {
  return key_of(installation, joined_key(lines));
}

}  // namespace builder::python
