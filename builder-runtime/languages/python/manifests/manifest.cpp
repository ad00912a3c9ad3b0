// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/manifest.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>

#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/manifests/inline_metadata.h"
#include "builder-runtime/languages/python/manifests/stated.h"
#include "builder-runtime/languages/python/manifests/uv_settings.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/packaging/version.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;

constexpr char k_project_file[] = "pyproject.toml";

struct Row {
  std::string_view file;
  ManifestKind kind;
  std::string_view made_by;  // of locks
};

// In the order in which they count.
constexpr std::array<Row, 9> k_rows = {{
    {"uv.lock", ManifestKind::uv_lock, "uv"},
    {"pylock.toml", ManifestKind::pylock, "any tool"},
    {"poetry.lock", ManifestKind::poetry_lock, "poetry"},
    {"pdm.lock", ManifestKind::pdm_lock, "pdm"},
    {"Pipfile.lock", ManifestKind::pipfile_lock, "pipenv"},
    {"requirements.txt", ManifestKind::requirements, ""},
    {"setup.py", ManifestKind::setup, ""},
    {"setup.cfg", ManifestKind::setup, ""},
    {"Pipfile", ManifestKind::pipfile, ""},
}};

bool is_lock_kind(ManifestKind kind) {
  return kind == ManifestKind::uv_lock || kind == ManifestKind::pylock || kind == ManifestKind::poetry_lock ||
         kind == ManifestKind::pdm_lock || kind == ManifestKind::pipfile_lock;
}

// What pyproject.toml is good for here; it may be there for other tools alone.
ManifestKind kind_of_project(const Value& project) {
  if (project.at("project").exists()) return ManifestKind::project;
  if (project.at("tool.poetry").exists()) return ManifestKind::poetry;
  return project.at("build-system").exists() ? ManifestKind::setup : ManifestKind::none;
}

base::Result<ManifestKind> kind_of_file(const std::string& file, const Value& project) {
  const std::string name = fs::path(file).filename().string();
  for (const auto& row : k_rows) {
    if (row.file == name) return row.kind;
  }
  if (name.starts_with("pylock.") && name.ends_with(".toml")) return ManifestKind::pylock;
  if (name.ends_with(".txt") || name.ends_with(".in")) return ManifestKind::requirements;
  if (file == k_project_file && kind_of_project(project) != ManifestKind::none)
    return kind_of_project(project);
  return base::fail(ErrorKind::bad_input, file, "lists no dependencies",
                    "expected a lock, a requirements file (*.txt), pyproject.toml, setup.py, Pipfile or a "
                    "program with inline metadata");
}

// The metadata of the program `name`, if it has any.
base::Status take_inline_metadata(const fs::path& source, const std::string& name, Manifest& manifest) {
  BASE_TRY_ASSIGN(auto metadata, read_inline_metadata(source / name, name));
  if (!metadata) return {};
  manifest.kind = ManifestKind::project;
  manifest.files = {name};
  manifest.project = std::move(metadata->value);
  manifest.inline_project = std::move(metadata->project);
  manifest.program = name;
  // `uv lock --script`
  if (const auto lock = name + ".lock"; is_file(source / lock)) {
    manifest.kind = ManifestKind::uv_lock;
    manifest.files = {lock};
  }
  return {};
}

base::Result<Manifest> chosen_manifest(const fs::path& source, const SourceSettings& settings,
                                       Value project) {
  Manifest manifest{.project = std::move(project), .is_chosen = true};
  for (const auto& file : settings.python.dependencies) {
    const std::string where = settings.places.where("python.dependencies");
    const auto path = fs::path(file).lexically_normal();
    BASE_TRY(base::path_inside(source, file, where));
    if (path.string().starts_with('-')) {
      return base::fail(ErrorKind::bad_input, where,
                        file + " begins with \"-\": uv would read it as an option", "rename the file");
    }
    if (!is_file(source / file))
      return base::fail(ErrorKind::bad_input, where, "no file " + file + " in the source");
    if (path.extension() == ".py" && path != "setup.py" && settings.python.dependencies.size() == 1) {
      BASE_TRY(take_inline_metadata(source, path.string(), manifest));
      if (manifest.is_inline()) return manifest;
      return base::fail(ErrorKind::bad_input, where, file + " has no inline metadata (# /// script)");
    }
    BASE_TRY_ASSIGN(const ManifestKind kind, kind_of_file(file, manifest.project));
    if (!manifest.files.empty() && (kind != manifest.kind || kind != ManifestKind::requirements)) {
      return base::fail(ErrorKind::bad_input, where, "only requirements files can be combined");
    }
    manifest.kind = kind;
    manifest.files.push_back(path.string());
  }
  return manifest;
}

base::Result<Manifest> recognised_manifest(const fs::path& source, Value project) {
  Manifest manifest{.project = std::move(project)};
  for (const auto& row : k_rows) {
    const std::string file(row.file);
    boost::system::error_code error;
    if (!fs::exists(source / file, error)) continue;
    if (!is_file(source / file)) {
      return base::fail(ErrorKind::bad_input, (source / file).string(), "is not a regular file");
    }
    // requirements.txt counts before pyproject.toml, and that before the older forms.
    if (row.kind > ManifestKind::requirements && manifest.kind == ManifestKind::none) break;
    if (manifest.kind == ManifestKind::none) {
      manifest.kind = row.kind;
      manifest.files = {file};
    } else if (is_lock_kind(row.kind)) {
      return base::fail(
          ErrorKind::bad_input, "", "conflicting lock files: " + manifest.files.front() + " and " + file,
          "remove the outdated lock file, or set python.dependencies in pachbuild.toml to the right one");
    }
  }
  if (manifest.kind != ManifestKind::none) return manifest;
  manifest.kind = kind_of_project(manifest.project);
  if (manifest.kind != ManifestKind::none) {
    manifest.files = {k_project_file};
    return manifest;
  }
  for (const auto& row : k_rows) {
    if (row.kind <= ManifestKind::requirements || !is_file(source / std::string(row.file))) continue;
    manifest.kind = row.kind;
    manifest.files = {std::string(row.file)};
    return manifest;
  }
  return manifest;
}

// The folder or module that poetry would put into a package of the project: without one there is none to
// install.
bool has_poetry_package(const fs::path& source, const Value& project) {
  const Value& poetry = project.at("tool.poetry");
  if (poetry.at("package-mode").exists() && !poetry.at("package-mode").is_true()) return false;
  if (!poetry.at("packages").items.empty() || poetry.at("include").exists()) return true;
  std::string name = poetry.text("name");
  if (name.empty()) name = project.text("project.name");
  std::string module = normalised_name(name);
  std::replace(module.begin(), module.end(), '-', '_');
  boost::system::error_code error;
  return !module.empty() &&
         (fs::is_directory(source / module, error) || fs::is_directory(source / "src" / module, error) ||
          is_file(source / (module + ".py")) || is_file(source / "src" / (module + ".py")));
}

bool uses_poetry(const Value& project) {
  return project.at("tool.poetry").exists() ||
         project.text("build-system.build-backend").starts_with("poetry.");
}

bool installs_project(const fs::path& source, const Manifest& manifest, const SourceSettings& settings) {
  if (manifest.is_inline()) return false;
  if (settings.python.project) return *settings.python.project;
  switch (manifest.kind) {
    case ManifestKind::setup:
      return true;
    case ManifestKind::poetry:
    case ManifestKind::project:
    case ManifestKind::poetry_lock:
    case ManifestKind::pdm_lock: {
      const bool has_backend = is_uv_package(manifest.project);
      const bool unwanted = manifest.project.at("tool.pdm.distribution").exists() &&
                            !manifest.project.at("tool.pdm.distribution").is_true();
      return has_backend && !unwanted &&
             (!uses_poetry(manifest.project) || has_poetry_package(source, manifest.project));
    }
    default:
      return false;  // the others say themselves whether the source is among what they install
  }
}

// The first line that is neither empty nor a comment.
std::string first_line(const std::string& text) {
  for (const auto& line : base::split(text, '\n')) {
    const auto content = base::trim(std::string_view(line).substr(0, line.find('#')));
    if (!content.empty()) return std::string(content);
  }
  return "";
}

base::Status add_version_file(const fs::path& source, const std::string& name, std::vector<Pin>& pins) {
  if (!is_file(source / name)) return {};
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(source / name));
  BASE_TRY_ASSIGN(Pin pin, pin_of_version(name, first_line(text)));
  pins.push_back(std::move(pin));
  return {};
}

base::Status add_project_pins(const Manifest& manifest, std::vector<Pin>& pins) {
  const Value& project = manifest.project;
  if (const auto text = project.text("project.requires-python"); !text.empty()) {
    const std::string place = manifest.is_inline() ? manifest.program + ": requires-python"
                                                   : "pyproject.toml: project.requires-python";
    // Poetry reads its own forms there as well.
    const auto read = uses_poetry(project) && !Specifiers::parse(text) ? pin_of_poetry : pin_of_specifiers;
    BASE_TRY_ASSIGN(Pin pin, read(place, text));
    pins.push_back(std::move(pin));
  }
  if (const auto text = project.text("tool.poetry.dependencies.python"); !text.empty()) {
    BASE_TRY_ASSIGN(Pin pin, pin_of_poetry("pyproject.toml: tool.poetry.dependencies.python", text));
    pins.push_back(std::move(pin));
  }
  return {};
}

base::Status add_pipfile_pin(const fs::path& source, std::vector<Pin>& pins) {
  BASE_TRY_ASSIGN(const Value pipfile, data::read_toml(source / "Pipfile", "Pipfile"));
  for (const std::string key : {"python_full_version", "python_version"}) {
    const auto text = pipfile.text("requires." + key);
    if (text.empty() || text == "*") continue;
    BASE_TRY_ASSIGN(Pin pin, pin_of_version("Pipfile: requires." + key, text));
    pins.push_back(std::move(pin));
    break;
  }
  return {};
}

}  // namespace

bool Manifest::is_lock() const { return is_lock_kind(kind); }

base::Result<Manifest> find_manifest(const fs::path& source, const SourceSettings& settings) {
  Value project;
  if (is_file(source / k_project_file)) {
    BASE_TRY_ASSIGN(project, data::read_toml(source / k_project_file, k_project_file));
  }
  BASE_TRY_ASSIGN(Manifest manifest, settings.python.dependencies.empty()
                                         ? recognised_manifest(source, std::move(project))
                                         : chosen_manifest(source, settings, std::move(project)));
  manifest.installs_project = installs_project(source, manifest, settings);
  return manifest;
}

base::Status add_inline_metadata(const fs::path& source, const std::string& program, Manifest& manifest) {
  if (manifest.kind != ManifestKind::none) return {};
  if (!program.empty()) BASE_TRY(take_inline_metadata(source, program, manifest));
  if (manifest.kind != ManifestKind::none) return {};
  if (auto error = conda_error(source)) return base::fail(std::move(*error));
  return {};
}

base::Result<std::vector<Pin>> find_pins(const fs::path& source, const Manifest& manifest,
                                         const SourceSettings& settings) {
  std::vector<Pin> pins;
  if (!settings.python.version.empty()) {
    BASE_TRY_ASSIGN(Pin pin,
                    pin_of_version(settings.places.where("python.version"), settings.python.version));
    pins.push_back(std::move(pin));
    return pins;
  }
  BASE_TRY(add_version_file(source, ".python-version", pins));
  BASE_TRY(add_version_file(source, "runtime.txt", pins));
  BASE_TRY(add_project_pins(manifest, pins));
  if (is_file(source / "Pipfile") &&
      (manifest.kind == ManifestKind::pipfile || manifest.kind == ManifestKind::pipfile_lock)) {
    BASE_TRY(add_pipfile_pin(source, pins));
  }
  BASE_TRY(check_agreement(pins));
  return pins;
}

}  // namespace builder::python
