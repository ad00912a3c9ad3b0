// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/python.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <iterator>
#include <memory>
#include <optional>

#include "base/digest.h"
#include "base/text.h"
#include "builder-runtime/languages/python/entry.h"
#include "builder-runtime/languages/python/environment.h"
#include "builder-runtime/languages/python/interpreter.h"
#include "builder-runtime/languages/python/keys.h"
#include "builder-runtime/languages/python/manifest.h"
#include "builder-runtime/languages/python/requirements.h"
#include "builder-runtime/languages/python/resolution.h"
#include "contract/layout.h"

namespace builder::python {
namespace {

using base::ErrorKind;

constexpr char k_uv_hint[] = "install uv (pip install uv), or build in an image that has it";

// uv's own settings stay the user's; what would lead it to another environment goes.
process::Environment uv_environment(const Tools& tools) {
  auto environment = tools.settings().environment;
  for (const auto* name : {"VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_TARGET", "UV_PREFIX",
                           "UV_SYSTEM_PYTHON", "UV_EXTRA", "UV_GROUP", "PYTHONHOME", "PYTHONPATH"}) {
    environment.erase(name);
  }
  environment.emplace("UV_CACHE_DIR", (tools.settings().cache / "python" / "uv").string());
  environment["UV_PYTHON_DOWNLOADS"] = "never";
  environment["UV_NO_PROGRESS"] = "1";
  return environment;
}

// Whether a lock or manifest may install from files of the source; a hint of it is enough, the key then
// depends on more than it would have to.
bool mentions_files(const std::string& text) {
  std::string packed;
  std::copy_if(text.begin(), text.end(), std::back_inserter(packed),
               [](char c) { return c != ' ' && c != '\t' && c != '"' && c != '\''; });
  const auto has = [&](std::string_view part) { return packed.find(part) != std::string::npos; };
  return has("path=") || has("path:") || has("editable=") || has("directory=") || has("type=directory") ||
         has("type=file") || has("file://") || has("{workspace=") || has("\nfile=") || has("{file=.") ||
         has("file:.");
}

struct Inputs {
  std::string digest;  // of the files that say what to install
  std::string summary;
  bool installs_something = false;
  bool uses_files = false;
  bool has_hashes = false;
  std::vector<std::string> continued;
  bool no_index = false;
};

base::Result<Inputs> read_requirements_files(const Source& source, const Manifest& manifest,
                                             const process::Environment& environment) {
  BASE_TRY_ASSIGN(const Requirements requirements,
                  read_requirements(source.folder, manifest.files, environment));
  return Inputs{
      requirements.digest,
      base::join(manifest.files, ", ") + " with " + base::count_of(requirements.count, "requirement"),
      requirements.count > 0,
      requirements.uses_files,
      requirements.has_hashes,
      requirements.continued,
      requirements.no_index};
}

// uv.lock installs the project itself when it is a package.
bool is_uv_package(const Manifest& manifest) {
  const auto& package = manifest.project.at("tool.uv.package");
  return package.exists() ? package.is_true() : manifest.project.at("build-system").exists();
}

base::Result<Inputs> read_inputs(const Source& source, const Manifest& manifest,
                                 const process::Environment& environment) {
  if (manifest.kind == ManifestKind::none) return Inputs{"", "nothing to install", false};
  if (manifest.kind == ManifestKind::requirements)
    return read_requirements_files(source, manifest, environment);
  Inputs inputs{.summary = manifest.files.front(), .installs_something = true};
  base::Sha256 digest;
  std::vector<std::string> names = manifest.files;
  for (const std::string name : {"pyproject.toml", "Pipfile", "setup.cfg"}) {
    if (std::find(names.begin(), names.end(), name) == names.end() && is_file(source.folder / name))
      names.push_back(name);
  }
  for (const auto& name : names) {
    BASE_TRY_ASSIGN(const std::string text, base::read_input_file(source.folder / name));
    digest.update_field(name);
    digest.update_field(text);
    inputs.uses_files = inputs.uses_files || mentions_files(text);
  }
  inputs.uses_files = inputs.uses_files || manifest.installs_project ||
                      (manifest.kind == ManifestKind::uv_lock && is_uv_package(manifest));
  inputs.digest = digest.finish();
  return inputs;
}

// What seldom changes below what changes with each edit of the source.
base::Result<std::vector<Layer>> make_layers(const std::shared_ptr<const Resolution>& resolution,
                                             const std::string& key, const Tools& tools) {
  const Installation& installation = resolution->installation();
  const auto& fixed = resolution->fixed();
  const auto& loose = resolution->loose();
  const auto layer = [&](std::string own_key, const InstallStep& step, Extent extent,
                         std::vector<std::string> requirements) {
    return Layer{std::move(own_key), installation.uses_files && &step == &loose,
                 [resolution, &step, extent, requirements = std::move(requirements),
                  &tools](const fs::path& tree) -> base::Result<MadeTree> {
                   BASE_TRY_ASSIGN(auto packages, make_environment(*resolution, step, extent, tools, tree));
                   return MadeTree{std::move(packages), requirements};
                 }};
  };
  std::vector<Layer> layers;
  if (!fixed.requirements.empty()) {
    BASE_TRY_ASSIGN(std::string own_key, key_of_lines(installation, fixed.requirements));
    layers.push_back(layer(std::move(own_key), fixed, Extent::whole, fixed.requirements));
  }
  if (layers.empty() || !loose.requirements.empty()) {
    layers.push_back(layer(key, loose.requirements.empty() ? fixed : loose,
                           layers.empty() ? Extent::whole : Extent::addition, resolution->requirements()));
  }
  return layers;
}

// Where there is no index, what builds sdists (setuptools and wheel) comes from the wheels beside this
// program. uv forgets the --no-index of a requirements file once it has chosen the versions.
base::Status add_own_wheels(std::vector<std::string>& arguments) {
  constexpr char k_no_index[] = "--no-index";
  if (std::find(arguments.begin(), arguments.end(), k_no_index) == arguments.end()) {
    arguments.emplace_back(k_no_index);
  }
  BASE_TRY_ASSIGN(const fs::path own, base::own_folder());
  const fs::path wheels = own.parent_path() / "share" / "pachbuild" / "wheels";
  boost::system::error_code error;
  if (fs::is_directory(wheels, error)) {
    for (const auto& word : {std::string("--find-links"), wheels.string()}) arguments.push_back(word);
  }
  return {};
}

base::Status add_bundle(Plan& plan, Installation installation, const Inputs& inputs, const Tools& tools) {
  BASE_TRY_ASSIGN(installation.uv, tools.find("uv", k_uv_hint));
  BASE_TRY_ASSIGN(installation.uv_version, tools.ask({installation.uv, "--version"}, {}));
  installation.uses_files = inputs.uses_files;
  installation.has_hashes = inputs.has_hashes;
  installation.continued = inputs.continued;
  installation.configuration = configure_uv(uv_environment(tools), installation.interpreter.path);
  auto& arguments = installation.configuration.arguments;
  if (inputs.no_index || std::find(arguments.begin(), arguments.end(), "--no-index") != arguments.end()) {
    BASE_TRY(add_own_wheels(arguments));
  }
  BASE_TRY_ASSIGN(const Keys keys, keys_of(installation, inputs.digest));
  plan.key = keys.all;
  if (!keys.choice.empty()) installation.memory = tools.settings().cache / "python" / "chosen" / keys.choice;
  std::shared_ptr<Resolution> resolution;
  if (installation.settings.refresh == Refresh::always) {
    // What the index has today decides, so it has to be asked now.
    BASE_TRY_ASSIGN(resolution, Resolution::make(installation, tools));
    std::vector<std::string> parts = {plan.key};
    parts.insert(parts.end(), resolution->requirements().begin(), resolution->requirements().end());
    plan.key = joined_key(parts);
  }
  plan.platform.libc = installation.interpreter.libc;
  // The environment has it first on PATH.
  plan.start.command.front() = "python";
  plan.layers = [installation = std::move(installation), resolution, key = plan.key,
                 &tools]() -> base::Result<std::vector<Layer>> {
    auto resolved = resolution;
    if (!resolved) {
      BASE_TRY_ASSIGN(resolved, Resolution::make(installation, tools));
    }
    return make_layers(resolved, key, tools);
  };
  return {};
}

constexpr char k_check[] = R"py(
import sys, traceback
try:
    with open(sys.argv[1], "rb") as file:
        compile(file.read(), sys.argv[1], "exec", dont_inherit=True)
except (SyntaxError, ValueError) as error:
    sys.exit("".join(traceback.format_exception_only(type(error), error)).rstrip())
)py";

// Tells a typing error now and not once a datum. Each content is checked once per interpreter.
base::Status check_program(const fs::path& program, const Interpreter& interpreter, const Tools& tools) {
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(program));
  base::Sha256 digest;
  digest.update_field(interpreter.identity);
  digest.update_field(text);
  const fs::path checked = tools.settings().cache / "python" / "checked";
  const fs::path mark = checked / digest.finish();
  if (is_file(mark)) return {};
  BASE_TRY_ASSIGN(
      const auto finished,
      tools.run({.arguments = {interpreter.path, "-I", "-S", "-W", "ignore", "-c", k_check, program.string()},
                 .environment = {{"LC_ALL", "C.UTF-8"}},
                 .folder = "/"}));
  if (!finished.ending.succeeded()) {
    return base::fail(ErrorKind::step_failed, program.string(), "is not valid Python",
                      "what is wrong is said in Python's own lines above");
  }
  BASE_TRY(base::make_folders(checked, base::k_owner_writes));
  return base::write_file(mark, "");
}

base::Result<Plan> plan(Installation installation, const Inputs& inputs, const std::vector<Pin>& pins,
                        const std::optional<Entry>& entry, const Tools& tools) {
  BASE_TRY_ASSIGN(installation.interpreter, find_interpreter(tools, pins));
  const Interpreter& interpreter = installation.interpreter;
  Plan plan;
  plan.platform = {.os = "linux", .architecture = architecture(), .interpreter = interpreter.identity};
  plan.start = {.command = {"python3"}, .folder = contract::k_source, .interpreter = interpreter.path};
  if (entry) {
    if (!entry->file.empty()) BASE_TRY(check_program(entry->file, interpreter, tools));
    plan.start.command.insert(plan.start.command.end(), entry->arguments.begin(), entry->arguments.end());
  }
  if (inputs.installs_something) BASE_TRY(add_bundle(plan, std::move(installation), inputs, tools));
  return plan;
}

}  // namespace

bool may_be(const fs::path& source) {
  boost::system::error_code error;
  for (fs::directory_iterator entry(source, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".py" && is_file(entry->path())) return true;
  }
  for (const std::string file : {"pyproject.toml", "requirements.txt", "Pipfile", "environment.yml"}) {
    if (is_file(source / file)) return true;
  }
  return false;
}

base::Result<Findings> look(const Source& source, const process::Environment& environment) {
  Installation installation{.source = source.folder, .settings = source.settings.python};
  BASE_TRY_ASSIGN(installation.manifest, find_manifest(source.folder, source.settings));
  const Manifest& manifest = installation.manifest;
  std::optional<Entry> entry;
  if (!source.has_run_script) {
    BASE_TRY_ASSIGN(entry, find_entry(source.folder, manifest.project, source.settings));
  }
  BASE_TRY_ASSIGN(const Inputs inputs, read_inputs(source, manifest, environment));
  BASE_TRY_ASSIGN(const auto pins, find_pins(source.folder, manifest, source.settings));
  return Findings{inputs.summary,
                  [installation = std::move(installation), inputs, pins, entry](const Tools& tools) {
                    return plan(installation, inputs, pins, entry, tools);
                  }};
}

}  // namespace builder::python
