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
#include "builder-runtime/languages/python/git_repository.h"
#include "builder-runtime/languages/python/interpreter.h"
#include "builder-runtime/languages/python/keys.h"
#include "builder-runtime/languages/python/local_targets.h"
#include "builder-runtime/languages/python/manifest.h"
#include "builder-runtime/languages/python/requirements.h"
#include "builder-runtime/languages/python/resolution.h"
#include "builder-runtime/languages/python/stated.h"
#include "contract/layout.h"
#include "report/report.h"

namespace builder::python {
namespace {

using base::ErrorKind;

constexpr char k_uv_hint[] = "install uv (pip install uv), or build in an image that has it";

// uv's own settings stay the user's; what would lead it to another environment goes.
process::Environment uv_environment(const Tools& tools) {
  auto environment = tools.environment();
  for (const auto* name : {"VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_TARGET", "UV_PREFIX",
                           "UV_SYSTEM_PYTHON", "UV_PROJECT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY",
                           "UV_EXTRA", "UV_GROUP", "PYTHONHOME", "PYTHONPATH"}) {
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

// What the files say that say what to install.
struct Request {
  Requirements requirements;  // of requirements files; of others: its inputs, and whether it uses files
  std::string summary;
  bool installs_something = false;
};

base::Result<Request> read_requirements_files(const Source& source, const Manifest& manifest,
                                              const process::Environment& environment) {
  BASE_TRY_ASSIGN(Requirements requirements, read_requirements(source.folder, manifest.files, environment));
  std::string summary =
      base::join(manifest.files, ", ") + " with " + base::count_of(requirements.count, "requirement");
  const bool installs_something = requirements.count > 0;
  return Request{std::move(requirements), std::move(summary), installs_something};
}

// uv.lock installs the project itself when it is a package.
bool is_uv_package(const Manifest& manifest) {
  const auto& package = manifest.project.at("tool.uv.package");
  return package.exists() ? package.is_true() : manifest.project.at("build-system").exists();
}

base::Result<Request> read_manifest(const Source& source, const Manifest& manifest,
                                    const process::Environment& environment) {
  if (manifest.kind == ManifestKind::none) return Request{{}, "nothing to install"};
  if (manifest.kind == ManifestKind::requirements)
    return read_requirements_files(source, manifest, environment);
  Request request{.summary = manifest.files.front(), .installs_something = true};
  Requirements& asked = request.requirements;
  LocalTargets targets(source.folder, environment);
  std::vector<std::string> names = manifest.files;
  if (manifest.is_inline()) {
    // Of the program only this counts: other edits of it install nothing.
    asked.inputs.add_value(manifest.program + ": # /// script", base::sha256(manifest.inline_project));
    asked.uses_files = mentions_files(manifest.inline_project);
    BASE_TRY(targets.add_text(manifest.inline_project, source.folder));
    std::erase(names, manifest.program);
  }
  for (const std::string name : {"pyproject.toml", "Pipfile", "setup.cfg"}) {
    if (std::find(names.begin(), names.end(), name) == names.end() && is_file(source.folder / name))
      names.push_back(name);
  }
  for (const auto& name : names) {
    BASE_TRY_ASSIGN(const std::string text, asked.inputs.add_file(name, source.folder / name));
    asked.uses_files = asked.uses_files || mentions_files(text);
    BASE_TRY(targets.add_text(text, source.folder));
  }
  asked.uses_files =
      asked.uses_files || targets.is_inside() || manifest.installs_project ||
      (manifest.kind == ManifestKind::uv_lock && !manifest.is_inline() && is_uv_package(manifest));
  asked.inputs.add(targets.outside());
  return request;
}

// The manifest, and what uv's settings in the source name besides.
base::Result<Request> read_request(const Source& source, const Manifest& manifest,
                                   const process::Environment& environment) {
  BASE_TRY_ASSIGN(Request request, read_manifest(source, manifest, environment));
  LocalTargets targets(source.folder, environment);
  for (const std::string name : {"uv.toml", "pyproject.toml"}) {
    BASE_TRY(targets.add_text(base::read_input_file(source.folder / name).value_or(""), source.folder));
  }
  request.requirements.inputs.add(targets.outside());
  request.requirements.uses_files = request.requirements.uses_files || targets.is_inside();
  return request;
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
    layers.push_back(
        layer(key_of_lines(installation, fixed.requirements), fixed, Extent::whole, fixed.requirements));
  }
  if (layers.empty() || !loose.requirements.empty()) {
    layers.push_back(layer(key, loose.requirements.empty() ? fixed : loose,
                           layers.empty() ? Extent::whole : Extent::addition, resolution->requirements()));
  }
  return layers;
}

// Where there is no index, what builds sdists (setuptools and wheel) comes from the wheels beside this
// program. uv forgets the --no-index of a requirements file once it has chosen the versions.
base::Status add_own_wheels(std::vector<std::string>& arguments, Inputs& inputs) {
  constexpr char k_no_index[] = "--no-index";
  if (std::find(arguments.begin(), arguments.end(), k_no_index) == arguments.end()) {
    arguments.emplace_back(k_no_index);
  }
  BASE_TRY_ASSIGN(const fs::path own, base::own_folder());
  const fs::path wheels = own.parent_path() / "share" / "pachbuild" / "wheels";
  boost::system::error_code error;
  if (fs::is_directory(wheels, error)) {
    for (const auto& word : {std::string("--find-links"), wheels.string()}) arguments.push_back(word);
    BASE_TRY(inputs.add_tree("wheels of builder-runtime", wheels));
  }
  return {};
}

// The environment of uv and of what it starts. What a requirements file uses by name is handed on, whatever
// it is called.
process::Environment environment_for(const Requirements& requirements, const Tools& tools) {
  auto environment = uv_environment(tools);
  const auto& given = tools.settings().environment;
  for (const auto& name : requirements.variables) {
    if (const auto entry = given.find(name); entry != given.end()) environment.insert(*entry);
  }
  return environment;
}

base::Status add_bundle(Plan& plan, Installation installation, const Request& request, const Tools& tools) {
  BASE_TRY_ASSIGN(installation.uv, tools.find("uv", k_uv_hint));
  BASE_TRY_ASSIGN(installation.uv_version, tools.ask({installation.uv, "--version"}, {}));
  const Requirements& asked = request.requirements;
  installation.uses_files = asked.uses_files;
  installation.has_hashes = asked.has_hashes;
  installation.continued = asked.continued;
  installation.options = asked.options;
  installation.credentials = asked.credentials;
  installation.asked = asked.inputs;
  installation.configuration = configure_uv(environment_for(asked, tools), installation.interpreter.path);
  BASE_TRY_ASSIGN(installation.machine, inputs_of_machine(installation, tools.settings().environment, tools));
  auto& arguments = installation.configuration.arguments;
  if (asked.no_index || std::find(arguments.begin(), arguments.end(), "--no-index") != arguments.end()) {
    BASE_TRY(add_own_wheels(arguments, installation.machine));
  }
  BASE_TRY_ASSIGN(Keys keys, keys_of(installation));
  if (keys.asks_git) {
    BASE_TRY_ASSIGN(installation.revision, find_revision(installation.source, tools));
    if (installation.revision) keys.all.add_value("revision", revision::to_text(*installation.revision));
  }
  installation.inputs = keys.all;
  if (!keys.choice.empty()) installation.memory = tools.settings().cache / "python" / "chosen" / keys.choice;
  std::shared_ptr<Resolution> resolution;
  if (installation.settings.refresh == Refresh::always) {
    // What the index has today decides, so it has to be asked now.
    BASE_TRY_ASSIGN(resolution, Resolution::make(installation, tools));
    keys.all.add_value("lines", base::join(resolution->requirements(), "\n"));
  }
  plan.key = keys.all.key();
  plan.inputs = std::move(keys.all);
  plan.platform.libc = installation.interpreter.libc;
  if (!installation.manifest.is_lock()) {
    plan.choices = [statement = statement_of(installation.source, installation.manifest)](
                       const auto& packages) { return unpinned_choices(statement, packages); };
  }
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
  const auto state = state_of_file(program);
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
                      "see Python's output above");
  }
  // Python read the file for itself: what it saw is known only where nobody has written it since.
  if (state_of_file(program) != state) return {};
  BASE_TRY(base::make_folders(checked, base::k_owner_writes));
  return base::write_file(mark, "");
}

// What is read of a source to find out how it is built.
void add_exceptions(const fs::path& source, const std::optional<Entry>& entry, Inputs& inputs) {
  boost::system::error_code error;
  for (fs::directory_iterator file(source, error), end; !error && file != end; file.increment(error)) {
    if (file->path().extension() != ".py") continue;
    const bool is_program = entry && entry->file == file->path();
    inputs.except("file", file->path().filename().string(), file->path(),
                  is_program ? "the program: its syntax is checked, but it is not in the bundle"
                             : "read to find the program");
  }
  if (entry && !entry->file.empty() && entry->file.parent_path() != source) {
    inputs.except("file", entry->file.lexically_relative(source).string(), entry->file,
                  "the program: its syntax is checked, but it is not in the bundle");
  }
  for (const std::string name : {".python-version", "runtime.txt", "Pipfile"}) {
    inputs.except("file", name, source / name, "it selects the interpreter, which is in the key");
  }
  inputs.except("file", "pachbuild.toml", source / "pachbuild.toml",
                "the settings in it that affect the bundle are in the key");
  inputs.except("file", "pyproject.toml", source / "pyproject.toml",
                "the settings in it that affect the bundle are in the key");
}

base::Result<Plan> plan(Installation installation, const Request& request, const std::vector<Pin>& pins,
                        const std::optional<Entry>& entry, const Tools& tools) {
  BASE_TRY_ASSIGN(installation.interpreter, find_interpreter(tools, pins));
  const Interpreter& interpreter = installation.interpreter;
  const fs::path source = installation.source;
  Plan plan;
  plan.platform = {.os = "linux", .architecture = architecture(), .interpreter = interpreter.identity};
  plan.start = {.command = {"python3"}, .folder = contract::k_source, .interpreter = interpreter.path};
  if (entry) {
    if (!entry->file.empty()) BASE_TRY(check_program(entry->file, interpreter, tools));
    plan.start.command.insert(plan.start.command.end(), entry->arguments.begin(), entry->arguments.end());
  }
  if (request.installs_something) {
    BASE_TRY(add_bundle(plan, std::move(installation), request, tools));
    add_exceptions(source, entry, plan.inputs);
  }
  return plan;
}

}  // namespace

namespace {

// What a person may not expect: told by every build, also by one that has nothing to do.
void tell_of_unused_files(const fs::path& source, const Manifest& manifest, const std::string& program) {
  if (manifest.is_chosen) return;
  if (manifest.kind != ManifestKind::none) {
    for (const auto& line : shadowed_statements(source, manifest, program)) report::warn(line);
  } else if (const auto line = unlisted_requirements(source); !line.empty()) {
    report::warn(line);
  }
}

}  // namespace

bool may_be(const fs::path& source) {
  boost::system::error_code error;
  for (fs::directory_iterator entry(source, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".py" && is_file(entry->path())) return true;
  }
  for (const std::string file :
       {"pyproject.toml", "requirements.txt", "Pipfile", "environment.yml", "environment.yaml"}) {
    if (is_file(source / file)) return true;
  }
  return false;
}

base::Result<Findings> look(const Source& source, const process::Environment& environment) {
  Installation installation{.source = source.folder, .settings = source.settings.python};
  BASE_TRY_ASSIGN(installation.manifest, find_manifest(source.folder, source.settings));
  Manifest& manifest = installation.manifest;
  std::optional<Entry> entry;
  if (!source.has_run_script) {
    BASE_TRY_ASSIGN(entry, find_entry(source.folder, manifest.project, source.settings));
  }
  // A run.sh of the source may start anything; main.py is what it most likely is.
  const fs::path file = entry ? entry->file : source.folder / "main.py";
  const std::string program = is_file(file) ? file.lexically_relative(source.folder).string() : std::string();
  BASE_TRY(add_inline_metadata(source.folder, program, manifest));
  tell_of_unused_files(source.folder, manifest, program);
  BASE_TRY_ASSIGN(const Request request, read_request(source, manifest, environment));
  BASE_TRY_ASSIGN(const auto pins, find_pins(source.folder, manifest, source.settings));
  return Findings{request.summary,
                  [installation = std::move(installation), request, pins, entry](const Tools& tools) {
                    return plan(installation, request, pins, entry, tools);
                  }};
}

}  // namespace builder::python
