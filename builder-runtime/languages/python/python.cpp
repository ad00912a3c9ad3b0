// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/python.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "builder-runtime/languages/python/environment.h"
#include "builder-runtime/languages/python/install/git_repository.h"
#include "builder-runtime/languages/python/install/keys.h"
#include "builder-runtime/languages/python/install/resolution.h"
#include "builder-runtime/languages/python/install/uv_environment.h"
#include "builder-runtime/languages/python/manifests/choices.h"
#include "builder-runtime/languages/python/manifests/local_targets.h"
#include "builder-runtime/languages/python/manifests/manifest.h"
#include "builder-runtime/languages/python/manifests/optional_packages.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/manifests/stated.h"
#include "builder-runtime/languages/python/packaging/interpreter.h"
#include "builder-runtime/languages/python/packaging/version.h"
#include "builder-runtime/languages/python/program/entry.h"
#include "builder-runtime/languages/python/program/imports.h"
#include "builder-runtime/languages/python/program/preloading.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "report/report.h"

namespace builder::python {
namespace {

using base::ErrorKind;

constexpr char k_uv_hint[] = "install uv (pip install uv), or build in an image that has it";

// Whether a lock or manifest may install from files of the source; a hint of it is enough, the key then
// depends on more than it would have to.
bool mentions_files(const std::string& text) {
  std::string packed;
  std::copy_if(text.begin(), text.end(), std::back_inserter(packed),
               [](char c) { return c != ' ' && c != '\t' && c != '"' && c != '\''; });
  const auto has = [&](std::string_view part) { return base::contains(packed, part); };
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
      base::join(manifest.files, ", ") + (requirements.count == 0
                                              ? " without requirements"
                                              : " with " + base::count_of(requirements.count, "requirement"));
  const bool installs_something = requirements.count > 0;
  return Request{std::move(requirements), std::move(summary), installs_something};
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
      (manifest.kind == ManifestKind::uv_lock && !manifest.is_inline() && is_uv_package(manifest.project));
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
  const auto& unhashed = resolution->unhashed();
  const auto layer = [&](std::string own_key, const InstallStep& step, Extent extent,
                         std::vector<std::string> requirements) {
    return Layer{std::move(own_key), installation.uses_files && &step == &unhashed,
                 [resolution, &step, extent, requirements = std::move(requirements),
                  &tools](const fs::path& tree) -> base::Result<MadeTree> {
                   BASE_TRY_ASSIGN(auto made, make_environment(*resolution, step, extent, tools, tree));
                   return MadeTree{std::move(made.packages), requirements, {}, std::move(made.modules)};
                 }};
  };
  std::vector<Layer> layers;
  if (!fixed.requirements.empty()) {
    layers.push_back(
        layer(key_of_lines(installation, fixed.requirements), fixed, Extent::whole, fixed.requirements));
  }
  if (layers.empty() || !unhashed.requirements.empty()) {
    layers.push_back(layer(key, unhashed.requirements.empty() ? fixed : unhashed,
                           layers.empty() ? Extent::whole : Extent::addition, resolution->requirements()));
  }
  return layers;
}

// Where there is no index, what builds sdists (setuptools and wheel) comes from the wheels beside this
// program.
base::Status add_own_wheels(std::vector<std::string>& arguments, Inputs& inputs) {
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
  auto environment = uv_environment(tools.environment(), tools.settings().cache / "python" / "uv");
  const auto& given = tools.settings().environment;
  for (const auto& name : requirements.variables) {
    if (const auto entry = given.find(name); entry != given.end()) environment.insert(*entry);
  }
  return environment;
}

// uv itself says it with each of its calls, and less clearly.
base::Status check_required_version(const Installation& installation) {
  constexpr char k_key[] = "required-version";
  std::string wanted = installation.uv_settings.at(k_key).scalar;
  if (wanted.empty()) return {};
  // A version alone is that version.
  if (base::contains("0123456789", wanted.front())) wanted = "==" + wanted;
  const auto words = base::split(installation.uv_version, ' ');  // "uv 0.13.9 (…)"
  const auto version = Version::parse(words.size() > 1 ? words.at(1) : "");
  const auto specifiers = Specifiers::parse(wanted);
  if (!version || !specifiers || specifiers->allows(*version)) return {};
  return base::fail(ErrorKind::bad_input, installation.uv_settings.place_of(k_key),
                    "requires uv " + wanted + ", but this is uv " + words.at(1),
                    "install that version (pip install uv==…), or change the line");
}

base::Status add_bundle(Plan& plan, Installation installation, const Request& request, const Tools& tools) {
  BASE_TRY_ASSIGN(installation.uv, tools.find_tool("uv", k_uv_hint));
  BASE_TRY_ASSIGN(installation.uv_version, tools.ask({installation.uv, "--version"}, {}));
  const Requirements& asked = request.requirements;
  installation.uses_files = asked.uses_files;
  installation.has_hashes = asked.has_hashes || asked.pip.require_hashes;
  installation.requires_hashes = asked.pip.require_hashes;
  installation.rewritten = asked.rewritten;
  installation.options = asked.options;
  installation.credentials = asked.credentials;
  installation.asked = asked.inputs;
  BASE_TRY_ASSIGN(installation.uv_settings, UvSettings::read(installation.source, tools.environment()));
  BASE_TRY(check_required_version(installation));
  installation.configuration =
      configure_uv(environment_for(asked, tools), installation.interpreter.path, asked.pip);
  const auto& uv = installation.uv_settings;
  const bool has_indexes = uv.has("index") || uv.has("index-url") || uv.has("extra-index-url");
  // Where uv itself is set up for several indexes, they count as uv has it.
  if ((has_indexes || uv.has("index-strategy")) && !tools.environment().contains("UV_INDEX_STRATEGY"))
    installation.configuration.environment.erase("UV_INDEX_STRATEGY");
  BASE_TRY_ASSIGN(installation.machine, inputs_of_machine(installation, tools.settings().environment, tools));
  auto& arguments = installation.configuration.arguments;
  if (std::find(arguments.begin(), arguments.end(), "--no-index") != arguments.end()) {
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

// A program, or one of those that a command of the pipeline's own may start, and what it imports.
struct ReviewedProgram {
  Entry entry;
  Imports imports;
};
using Programs = std::vector<ReviewedProgram>;

// What is read of a source to find out how it is built.
void add_exceptions(const fs::path& source, const Programs& programs, Inputs& inputs) {
  const auto is_program = [&](const fs::path& file) {
    return std::any_of(programs.begin(), programs.end(),
                       [&](const auto& one) { return one.entry.file == file; });
  };
  boost::system::error_code error;
  for (fs::directory_iterator file(source, error), end; file != end; file.increment(error)) {
    if (file->path().extension() != ".py") continue;
    inputs.except("file", file->path().filename().string(), file->path(),
                  is_program(file->path()) ? "the program: its syntax is checked, but it is not in the bundle"
                                           : "read to find the program");
  }
  std::set<fs::path> files;
  for (const auto& [entry, imports] : programs) files.insert(imports.files.begin(), imports.files.end());
  for (const auto& file : files) {
    if (file.has_parent_path()) {
      inputs.except("file", file.string(), source / file,
                    is_program(source / file)
                        ? "the program: its syntax is checked, but it is not in the bundle"
                        : "its imports are compared with what is installed");
    }
  }
  for (const std::string name : {".python-version", "runtime.txt", "Pipfile"}) {
    inputs.except("file", name, source / name, "it selects the interpreter, which is in the key");
  }
  inputs.except("file", "pachbuild.toml", source / "pachbuild.toml",
                "the settings in it that affect the bundle are in the key");
  inputs.except("file", "pyproject.toml", source / "pyproject.toml",
                "the settings in it that affect the bundle are in the key");
}

// Where somebody lists a package.
std::string place_for_packages(const Manifest& manifest) {
  if (manifest.files.empty()) return "";
  const std::string& file = manifest.files.front();
  switch (manifest.kind) {
    case ManifestKind::uv_lock:
    case ManifestKind::poetry_lock:
    case ManifestKind::pdm_lock:
      return "pyproject.toml and lock again";
    case ManifestKind::pipfile_lock:
      return "Pipfile and lock again";
    case ManifestKind::pylock:
      return "what " + file + " is made of";
    default:
      return file;
  }
}

// Of packages of the source all modules are known, of others only that they are there.
bool has_program_module(const std::string& module, const std::vector<std::string>& modules) {
  const auto has = [&](const std::string& name) {
    return std::find(modules.begin(), modules.end(), name) != modules.end();
  };
  const std::string top = module.substr(0, module.find('.'));
  const bool is_of_source = has(top) && has(top + ".__init__");
  return !is_of_source || has(module) || has(module + ".__init__");
}

tl::unexpected<base::Error> no_module(const Entry& entry) {
  return base::fail(ErrorKind::bad_input, entry.place,
                    "no module " + entry.module + " in the source or the installed packages",
                    "write tool.py, package.module or package.module:function");
}

// Tells what the programs will not find when they run; that one is itself not there is an error.
base::Status review(const Programs& programs, const Visible& visible, const fs::path& source) {
  constexpr std::size_t k_most = 10;
  std::set<std::string> told;
  for (const auto& [entry, imports] : programs) {
    if (entry.file.empty() && !entry.module.empty() && !has_program_module(entry.module, visible.modules)) {
      return no_module(entry);
    }
    for (const auto& import : missing_imports(imports, visible, source)) {
      if (import.file.empty()) return no_module(entry);
      const std::string line = describe(import, visible);
      if (told.insert(line).second && told.size() <= k_most) report::warn(line);
    }
  }
  if (told.size() > k_most) {
    report::warn("imports of " + std::to_string(told.size() - k_most) +
                 " more packages that are not installed");
  }
  return {};
}

// The program that the source has, or why it has none and what else a command may start.
struct Choice {
  std::optional<Entry> entry;
  std::vector<Entry> others;
  std::optional<Start::NoProgram> no_program;
};

base::Result<Choice> choose(const Source& source, const data::Value& project) {
  if (source.has_run_script) return Choice();
  auto entry = find_entry(source.folder, project, source.settings);
  if (entry) return Choice{std::move(*entry), {}, {}};
  if (!source.has_own_command || !source.settings.python.program.empty())
    return base::fail(std::move(entry).error());
  return Choice{{}, find_entries(source.folder), Start::NoProgram{entry.error().what, entry.error().hint}};
}

// The imports of the program; those of others as far as they can be read, since they may be anything.
base::Result<Programs> read_programs(const fs::path& source, const Choice& choice,
                                     const Interpreter& interpreter, const Tools& tools) {
  Programs programs;
  if (choice.entry) {
    BASE_TRY_ASSIGN(auto imports, read_imports(source, *choice.entry, interpreter, tools));
    programs.push_back({*choice.entry, std::move(imports)});
  }
  for (const auto& entry : choice.others) {
    auto imports = read_imports(source, entry, interpreter, tools);
    if (imports) {
      programs.push_back({entry, std::move(*imports)});
    } else {
      report::warn(entry.program.name +
                   ": its imports are not checked against the installed packages: " + imports.error().what);
    }
  }
  return programs;
}

// Everything that run.sh, build.json and the checks of a build take from Python code, which is in no bundle.
// Only the names of imports: which package provides them may differ on the machine that builds.
std::vector<std::string> source_facts(const fs::path& source, const std::string& inline_project,
                                      const Programs& programs) {
  std::vector<std::string> facts = {"inline " + inline_project};
  for (const auto& [entry, imports] : programs) {
    facts.push_back("program " + entry.file.lexically_relative(source).string());
    for (const auto& import : imports.outside) {
      std::vector<std::string> groups;
      for (const auto& group : import.unless) groups.push_back(base::join(group, ","));
      facts.push_back("imports " + import.name + " unless " + base::join(groups, ";"));
    }
    const auto obstacle = preloading_obstacle(source, imports);
    facts.emplace_back(obstacle.empty() ? "can be preloaded" : "cannot be preloaded");
  }
  return facts;
}

// With one program it is known what it imports.
void prepare_preloading(const PythonSettings& settings, const fs::path& source, const Programs& programs,
                        Start& start) {
  if (!settings.preload.empty()) start.environment[contract::k_preload_variable] = settings.preload;
  if (programs.size() != 1 || start.no_program) return;
  const auto found = find_preloadable(source, programs.front().imports, settings.image_packages);
  if (settings.preload == "true" && !found.obstacle.empty()) {
    report::warn(found.obstacle +
                 ": preloading is off, because this may change what an import does; if it does not, list the "
                 "modules: preload = [\"pandas\"]");
  }
  start.imports = found.modules;
}

base::Result<Plan> plan(Installation installation, const Request& request, const std::vector<Pin>& pins,
                        const Choice& choice, const Tools& tools) {
  BASE_TRY_ASSIGN(installation.interpreter, find_interpreter(tools, pins));
  const Interpreter& interpreter = installation.interpreter;
  const fs::path source = installation.source;
  Plan plan;
  plan.platform = {.os = "linux", .architecture = architecture(), .interpreter = interpreter.identity};
  plan.start = {.command = {"python3"}, .folder = contract::k_source, .interpreter = interpreter.path};
  plan.start.no_program = choice.no_program;
  BASE_TRY_ASSIGN(const Programs programs, read_programs(source, choice, interpreter, tools));
  if (!programs.empty()) {
    const bool has_image_packages = installation.settings.image_packages;
    const bool is_this_machine =
        !has_image_packages && !value_of(tools.settings().environment, contract::k_this_machine).empty();
    plan.review = [=, image = !request.installs_something || has_image_packages,
                   place = place_for_packages(installation.manifest),
                   optional = optional_packages(source, installation.manifest)](const auto& modules) {
      return review(programs,
                    {modules, image, request.installs_something ? place : "", optional, is_this_machine},
                    source);
    };
  }
  if (choice.entry) {
    plan.program = choice.entry->program;
    const auto& arguments = choice.entry->arguments;
    plan.start.command.insert(plan.start.command.end(), arguments.begin(), arguments.end());
  }
  plan.source_facts = [=, inline_project = installation.manifest.inline_project] {
    return source_facts(source, inline_project, programs);
  };
  if (request.installs_something) {
    prepare_preloading(installation.settings, source, programs, plan.start);
    BASE_TRY(add_bundle(plan, std::move(installation), request, tools));
  } else {
    plan.inputs.add(request.requirements.inputs);
  }
  add_exceptions(source, programs, plan.inputs);
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
  for (fs::directory_iterator entry(source, error), end; entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".py" && is_file(entry->path())) return true;
  }
  for (const std::string file :
       {"pyproject.toml", "requirements.txt", "Pipfile", "environment.yml", "environment.yaml"}) {
    if (is_file(source / file)) return true;
  }
  return has_package_with_main(source);
}

// Only the files of a project say what it is.
void tell_of_unused_project(const SourceSettings& settings, const Manifest& manifest) {
  constexpr std::array k_lists = {ManifestKind::none, ManifestKind::requirements, ManifestKind::pylock};
  const bool is_list =
      manifest.is_inline() || std::find(k_lists.begin(), k_lists.end(), manifest.kind) != k_lists.end();
  if (!settings.python.project.value_or(false) || !is_list) return;
  const std::string why = manifest.files.empty()
                              ? "the source has no project"
                              : "only what " + base::join(manifest.files, ", ") + " lists is installed";
  report::warn(settings.places.where("python.project") + ": ignored because " + why);
}

// Groups and extras are a project's: nothing else has any.
void tell_of_unused_choices(const SourceSettings& settings, const Manifest& manifest) {
  const bool has_choices = manifest.kind != ManifestKind::none &&
                           manifest.kind != ManifestKind::requirements && !manifest.is_inline();
  if (has_choices) return;
  const std::string why = manifest.files.empty()
                              ? "the source lists no dependencies"
                              : base::join(manifest.files, ", ") + " has no groups or extras";
  const auto warn = [&](const std::string& key, const std::vector<std::string>& names) {
    if (!names.empty()) report::warn(settings.places.where(key) + ": ignored because " + why);
  };
  warn("python.groups", settings.python.groups);
  warn("python.extras", settings.python.extras);
}

base::Result<Findings> look(const Source& source, const process::Environment& environment) {
  Installation installation{.source = source.folder, .settings = source.settings.python};
  BASE_TRY_ASSIGN(installation.manifest, find_manifest(source.folder, source.settings));
  Manifest& manifest = installation.manifest;
  BASE_TRY_ASSIGN(const Choice choice, choose(source, manifest.project));
  const auto& entry = choice.entry;
  // A run.sh of the source may start anything; main.py is what it most likely is.
  const fs::path file = entry ? entry->file : source.folder / "main.py";
  const std::string program = is_file(file) ? file.lexically_relative(source.folder).string() : std::string();
  BASE_TRY(add_inline_metadata(source.folder, program, manifest));
  tell_of_unused_files(source.folder, manifest, program);
  tell_of_unused_project(source.settings, manifest);
  tell_of_unused_choices(source.settings, manifest);
  BASE_TRY(check_choices(source.settings, manifest));
  BASE_TRY_ASSIGN(const Request request, read_request(source, manifest, environment));
  BASE_TRY_ASSIGN(const auto pins, find_pins(source.folder, manifest, source.settings));
  // A package that is installed from the source may contain any of its files, and with `refresh` each build
  // may find newer packages.
  const bool names_inputs =
      !request.requirements.uses_files && source.settings.python.refresh == Refresh::never;
  return Findings{request.summary,
                  [installation = std::move(installation), request, pins, choice](const Tools& tools) {
                    return plan(installation, request, pins, choice, tools);
                  },
                  names_inputs};
}

Language language() {
  return {.name = "python",
          .markers = {"main.py"},
          .usual_file = "main.py",
          .may_be = may_be,
          .read_settings = read_settings,
          .look = look};
}

}  // namespace builder::python
