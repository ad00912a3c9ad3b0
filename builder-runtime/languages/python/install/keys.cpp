// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/keys.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <ctime>
#include <map>
#include <mutex>
#include <string_view>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/text.h"
#include "builder-runtime/compilers.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/manifests/local_targets.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/source_digest.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/variables.h"
#include "cache/builder_cache.h"
#include "revision/revision.h"

namespace builder::python {
namespace {

constexpr char k_project[] = "pyproject.toml";
constexpr char k_uv_settings[] = "uv.toml";

// A file of settings of uv's, and the folders of packages that it names.
base::Status add_settings(const std::string& name, const fs::path& file, Inputs& inputs,
                          LocalTargets& targets) {
  BASE_TRY_ASSIGN(const std::string text, inputs.add_file(name, file));
  return targets.add_text(text, file.parent_path());
}

// uv takes the settings of the first folder above that has any.
base::Status add_settings_above(const fs::path& folder, Inputs& inputs, LocalTargets& targets) {
  std::string up = "../";
  for (fs::path above = folder.parent_path(); !above.empty(); above = above.parent_path(), up += "../") {
    BASE_TRY(add_settings(up + k_uv_settings, above / k_uv_settings, inputs, targets));
    const auto project = base::read_input_file(above / k_project);
    if (!project) continue;
    if (base::contains(*project, "tool.uv")) {
      BASE_TRY(add_settings(up + k_project, above / k_project, inputs, targets));
    } else {
      inputs.except("file", up + k_project, above / k_project, "it has no uv settings");
    }
  }
  return {};
}

// uv's configuration, where uv looks for it: docs.astral.sh/uv, "Configuration files".
base::Status add_uv_settings(const Installation& installation, const process::Environment& environment,
                             const fs::path& workspaces, Inputs& inputs, LocalTargets& targets) {
  const fs::path& source = installation.source;
  // What these name has been found already: it may make the source itself an input (look() in python.cpp).
  for (const std::string name : {k_uv_settings, k_project}) {
    BASE_TRY(inputs.add_file(name, source / name));
  }
  BASE_TRY(add_settings_above(source, inputs, targets));
  // Where it is run for a copy of the source.
  BASE_TRY(add_settings_above(workspaces, inputs, targets));
  if (const auto chosen = value_of(environment, "UV_CONFIG_FILE"); !chosen.empty())
    BASE_TRY(add_settings("UV_CONFIG_FILE", fs::absolute(chosen, source), inputs, targets));
  BASE_TRY(add_settings("~/.config/uv/uv.toml", configuration_folder(environment) / "uv" / k_uv_settings,
                        inputs, targets));
  auto system = value_of(environment, "XDG_CONFIG_DIRS");
  if (system.empty()) system = "/etc/xdg";
  for (const auto& folder : base::split(system, ':')) {
    BASE_TRY(add_settings(folder + "/uv/uv.toml", fs::path(folder) / "uv" / k_uv_settings, inputs, targets));
  }
  return add_settings("/etc/uv/uv.toml", "/etc/uv/uv.toml", inputs, targets);
}

// A file of constraints and those that it includes.
base::Status add_constraints(const std::string& name, const fs::path& file, int depth, Inputs& inputs) {
  constexpr int k_deepest = 16;
  BASE_TRY_ASSIGN(const std::string text, inputs.add_file(name, file));
  for (const auto& line : logical_lines(text)) {
    const auto included = included_file(line);
    if (included.empty() || depth == k_deepest) continue;
    BASE_TRY(add_constraints(name + " -r " + included, fs::absolute(included, file.parent_path()), depth + 1,
                             inputs));
  }
  return {};
}

// What variables of uv name: files of requirements, and folders of packages.
base::Status add_named_by_variables(const Installation& installation, const process::Environment& environment,
                                    Inputs& inputs, LocalTargets& targets) {
  for (const std::string variable : {"UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE"}) {
    int number = 0;
    for (const auto& file : base::split(value_of(environment, variable), ' ')) {
      if (file.empty()) continue;
      BASE_TRY(add_constraints(variable + " " + std::to_string(++number),
                               fs::absolute(file, installation.source), 0, inputs));
    }
  }
  for (const std::string variable : {"UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL"}) {
    std::string value = value_of(environment, variable);
    std::replace(value.begin(), value.end(), ',', ' ');
    for (const auto& word : base::split(value, ' ')) BASE_TRY(targets.add(word, installation.source));
  }
  return {};
}

// What build systems read besides variables: setuptools' and Rust's settings of the user.
base::Status add_settings_of_build_systems(const process::Environment& environment, Inputs& inputs) {
  const fs::path home = value_of(environment, "HOME");
  const auto cargo = value_of(environment, "CARGO_HOME");
  const fs::path cargo_home = cargo.empty() ? home / ".cargo" : fs::path(cargo);
  BASE_TRY(inputs.add_file("~/.pydistutils.cfg", home / ".pydistutils.cfg"));
  if (const auto extra = value_of(environment, "DIST_EXTRA_CONFIG"); !extra.empty())
    BASE_TRY(inputs.add_file("DIST_EXTRA_CONFIG", extra));
  for (const std::string name : {"config.toml", "config"}) {
    BASE_TRY(inputs.add_file("~/.cargo/" + name, cargo_home / name));
  }
  const auto data = value_of(environment, "XDG_DATA_HOME");
  const fs::path share = data.empty() ? home / ".local" / "share" : fs::path(data);
  const auto netrc = value_of(environment, "NETRC");
  inputs.except("file", "~/.netrc", netrc.empty() ? home / ".netrc" : fs::path(netrc), "credentials");
  inputs.except("folder", "~/.local/share/uv/credentials", share / "uv" / "credentials", "credentials");
  const auto rustup = value_of(environment, "RUSTUP_HOME");
  inputs.except("file", "~/.rustup/settings.toml",
                (rustup.empty() ? home / ".rustup" : fs::path(rustup)) / "settings.toml",
                "it selects the compiler, which is in the key");
  for (const auto& file : {home / ".gitconfig", configuration_folder(environment) / "git" / "config",
                           fs::path("/etc/gitconfig")}) {
    inputs.except("file", file.filename().string(), file, "how git reaches servers, not their content");
  }
  return {};
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  constexpr std::time_t k_day = 86'400;  // seconds
  return std::to_string(now / k_day);
}

void add_settings_of_source(const Installation& installation, Inputs& inputs) {
  const auto& settings = installation.settings;
  inputs.add_value("python.groups", base::join(settings.groups, "\n"));
  inputs.add_value("python.extras", base::join(settings.extras, "\n"));
  const bool is_said = settings.project.has_value();
  inputs.add_value("python.project", is_said ? (*settings.project ? "true" : "false") : "");
  inputs.add_value("python.image_packages", settings.image_packages ? "true" : "false");
  inputs.add_value("manifest", std::to_string(static_cast<int>(installation.manifest.kind)) +
                                   (installation.manifest.installs_project ? ", with the project" : ""));
  inputs.add_value("options of requirements", base::join(installation.options, "\n"));
}

// Whether a file may say what a package of the source needs, or is itself one that may be chosen.
bool is_asked_for_versions(std::string_view path) {
  constexpr std::array<std::string_view, 10> k_ends = {".toml", ".cfg", ".txt", ".in",  ".lock",
                                                       ".whl",  ".gz",  ".bz2", ".zip", "setup.py"};
  return std::any_of(k_ends.begin(), k_ends.end(), [&](auto end) { return path.ends_with(end); });
}

// What of a source may decide versions; its packages are built to be asked where they are not `is_static`.
struct Metadata {
  FolderDigest source;
  std::string digest;
  bool is_static = true;
  bool asks_git = false;
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
  bool asks_git = false;
  const auto view = [&](const std::string& name, std::string_view content) {
    std::string digest = base::sha256(content);
    const bool is_asking = revision::is_asked_for(name, content);
    const std::lock_guard lock(mutex);
    digests.emplace(name, std::move(digest));
    asks_git = asks_git || is_asking;
  };
  Metadata metadata;
  BASE_TRY_ASSIGN(metadata.source, digest_of_folder(source, is_asked_for_versions, view));
  metadata.asks_git = asks_git;
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
  Inputs said;
  said.add_value("metadata", base::join(parts, "\n"));
  metadata.digest = said.key();
  metadata.is_static =
      metadata.is_static && std::all_of(projects.begin(), projects.end(), [&](const fs::path& project) {
        return is_static(project, projects.size() == 1);
      });
  return metadata;
}

}  // namespace

base::Result<Inputs> inputs_of_machine(const Installation& installation, const process::Environment& given,
                                       const Tools& tools) {
  Inputs inputs;
  const auto& interpreter = installation.interpreter;
  const auto& environment = installation.configuration.environment;
  inputs.add_value("format", key_base("python"));
  inputs.add_tool("uv", installation.uv, Tools::identity(installation.uv, installation.uv_version));
  inputs.add_tool("python", interpreter.path,
                  interpreter.identity + ", " + interpreter.libc + ", at " + interpreter.path);
  if (!interpreter.choice.empty()) {
    inputs.except("file", "version of pyenv", interpreter.choice,
                  "it selects the interpreter, which is in the key");
  }
  inputs.add_value("arguments",
                   base::without_credentials(base::join(installation.configuration.arguments, "\n")));
  inputs.add(installation.configuration.inputs);
  auto counted = environment;
  for (const auto& name : installation.credentials) {
    inputs.except("variable", name, {}, "a credential in a URL");
    counted.erase(name);
  }
  add_variables(counted, given, inputs);
  add_settings_of_source(installation, inputs);
  LocalTargets targets(installation.source, environment);
  BASE_TRY(add_uv_settings(installation, environment, caches::work_folder(tools.settings().cache), inputs,
                           targets));
  BASE_TRY(add_named_by_variables(installation, environment, inputs, targets));
  inputs.add(targets.outside());
  if (targets.is_inside()) BASE_TRY(inputs.add_tree("the source, for packages in it", installation.source));
  BASE_TRY(add_settings_of_build_systems(environment, inputs));
  BASE_TRY(
      add_compilers({"CC", "CXX", "FC", "F77", "F90", "AR", "LD", "LDSHARED", "PKG_CONFIG", "RUSTC", "CMAKE"},
                    {"cc", "c++", "gcc", "g++", "clang", "gfortran", "pkg-config", "cmake", "rustc", "swig"},
                    environment, tools, inputs));
  return inputs;
}

base::Result<Keys> keys_of(const Installation& installation) {
  Keys keys;
  keys.all.add(installation.machine);
  keys.all.add(installation.asked);
  if (installation.settings.refresh == Refresh::daily) keys.all.add_value("day", today());
  const bool is_remembered = installation.settings.refresh != Refresh::always;
  Inputs choice = keys.all;
  bool is_static = true;
  if (installation.uses_files) {
    BASE_TRY_ASSIGN(auto metadata, read_metadata(installation.source));
    is_static = metadata.is_static;
    keys.asks_git = metadata.asks_git;
    choice.add_value("metadata", metadata.digest);
    keys.all.add_folder("the source", installation.source, std::move(metadata.source.content),
                        std::move(metadata.source.state));
  }
  if (is_remembered && is_static) keys.choice = choice.key();
  return keys;
}

std::string key_of_lines(const Installation& installation, const std::vector<std::string>& lines) {
  Inputs inputs = installation.machine;
  inputs.add_value("lines", base::join(lines, "\n"));
  return inputs.key();
}

}  // namespace builder::python
