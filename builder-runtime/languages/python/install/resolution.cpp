// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/resolution.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <iterator>
#include <optional>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/install/git_repository.h"
#include "builder-runtime/languages/python/install/uv.h"
#include "builder-runtime/languages/python/locks/pdm.h"
#include "builder-runtime/languages/python/locks/pipfile.h"
#include "builder-runtime/languages/python/locks/poetry.h"
#include "builder-runtime/languages/python/locks/uv_lock.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/packaging/version.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/source_copy.h"
#include "cache/builder_cache.h"

namespace builder::python {
namespace {

using Arguments = std::vector<std::string>;

// What makes setuptools build a folder that has a setup.cfg only.
constexpr char k_setup_script[] = "import setuptools\nsetuptools.setup()\n";

bool is_option(const std::string& line) {
  return line.front() == '-' && !line.starts_with("-e ") && !line.starts_with("--editable");
}

bool has_hash(const std::string& line) { return base::contains(line, " --hash="); }

// What a requirements file asks for, without options and credentials.
std::vector<std::string> requirement_lines(const std::vector<std::string>& lines) {
  std::vector<std::string> requirements;
  for (const auto& line : lines) {
    if (!is_option(line)) requirements.push_back(without_credentials(line));
  }
  return requirements;
}

// Whether packages are built with what is installed beside them: then they are installed together.
bool builds_against_others(const Installation& installation) {
  if (!value_of(installation.configuration.environment, "UV_NO_BUILD_ISOLATION").empty()) return true;
  const auto keys = {"no-build-isolation", "no-build-isolation-package", "extra-build-dependencies"};
  return std::any_of(keys.begin(), keys.end(),
                     [&](const char* key) { return installation.uv_settings.has(key); });
}

// Whether a package is built with the very version that is installed: uv has to know the index of each
// package then, which only a lock of its own says.
bool builds_with_chosen(const Installation& installation) {
  const auto& packages = installation.uv_settings.at("extra-build-dependencies").members;
  return installation.manifest.kind == ManifestKind::project &&
         std::any_of(packages.begin(), packages.end(), [](const data::Value::Member& package) {
           const auto& needs = package.value.items;
           return std::any_of(needs.begin(), needs.end(),
                              [](const data::Value& need) { return need.at("match-runtime").is_true(); });
         });
}

// Groups that are asked for, and those of [tool.uv] that always are.
std::vector<std::string> groups_of(const Installation& installation) {
  auto groups = installation.settings.groups;
  for (auto& group : default_groups(installation.manifest.project)) {
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(std::move(group));
  }
  return groups;
}

// What only poetry reads as requires-python, as uv reads it; empty when there are alternatives. Nothing when
// uv reads it as it is. Whether the interpreter fits is known by now.
std::optional<std::string> python_for_uv(const data::Value& project) {
  const auto text = project.text("project.requires-python");
  const auto alternatives = from_poetry(text);
  if (text.empty() || Specifiers::parse(text) || !alternatives) return std::nullopt;
  return alternatives->size() == 1 ? alternatives->front() : std::string();
}

base::Status write_python(const fs::path& file, const std::string& python) {
  BASE_TRY_ASSIGN(data::Value project, data::read_toml(file, "pyproject.toml"));
  data::Value& table = project.member("project");
  if (python.empty()) {
    table.remove("requires-python");
  } else {
    table.member("requires-python") = data::text_value(python);
  }
  return base::write_file(file, data::to_toml(project));
}

Arguments choice_arguments(const Installation& installation, const std::vector<std::string>& groups) {
  Arguments arguments;
  for (const auto& extra : installation.settings.extras) {
    arguments.emplace_back("--extra");
    arguments.push_back(extra);
  }
  for (const auto& group : groups) {
    arguments.emplace_back("--group");
    arguments.push_back(group);
  }
  return arguments;
}

std::string project_requirement(const Installation& installation) {
  const auto& extras = installation.settings.extras;
  return extras.empty() ? "." : ".[" + base::join(extras, ",") + "]";
}

void append(Arguments& arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

}  // namespace

base::Result<std::shared_ptr<Resolution>> Resolution::make(Installation installation, const Tools& tools) {
  BASE_TRY_ASSIGN(auto workspace, caches::make_workspace(tools.settings().cache));
  const std::shared_ptr<Resolution> resolution(new Resolution(std::move(installation), std::move(workspace)));
  BASE_TRY(resolution->prepare_folder(tools));
  BASE_TRY(resolution->resolve(tools));
  return resolution;
}

base::Status Resolution::prepare_folder(const Tools& tools) {
  m_folder = m_installation.source;
  BASE_TRY_ASSIGN(const bool has_secrets, has_git_credentials());
  const Manifest& manifest = m_installation.manifest;
  const auto python = python_for_uv(manifest.project);
  if (!builds_with_chosen(m_installation) && !m_installation.uses_files && m_installation.rewritten.empty() &&
      !has_secrets && !python && !manifest.is_inline()) {
    return {};
  }
  const fs::path top = m_workspace.path() / "source";
  const auto& revision = m_installation.revision;
  m_folder = revision ? top / revision->folder : top;
  BASE_TRY(copy_source(m_installation.source, m_folder));
  if (revision) {
    BASE_TRY(add_repository(*revision, top, m_folder, tools, m_installation.configuration.environment));
  }
  if (manifest.is_inline()) BASE_TRY(base::write_file(m_folder / "pyproject.toml", manifest.inline_project));
  for (const auto& [file, text] : m_installation.rewritten)
    BASE_TRY(base::write_file(m_folder / file, m_git.take(text)));
  for (const auto& file : files_that_uv_reads()) {
    if (!is_file(m_folder / file)) continue;
    BASE_TRY_ASSIGN(const std::string text, base::read_input_file(m_folder / file));
    if (GitCredentials::are_in(text)) BASE_TRY(base::write_file(m_folder / file, m_git.take(text)));
  }
  m_git.add_to(m_installation.configuration.environment);
  if (python) BASE_TRY(write_python(m_folder / "pyproject.toml", *python));
  if (is_file(m_folder / "setup.cfg") && !is_file(m_folder / "setup.py") &&
      !is_file(m_folder / "pyproject.toml")) {
    return base::write_file(m_folder / "setup.py", k_setup_script);
  }
  return {};
}

// Of the source, apart from included requirements files.
std::vector<std::string> Resolution::files_that_uv_reads() const {
  auto files = m_installation.manifest.files;
  files.emplace_back("pyproject.toml");
  return files;
}

base::Result<bool> Resolution::has_git_credentials() const {
  for (const auto& file : files_that_uv_reads()) {
    if (!is_file(m_installation.source / file)) continue;
    BASE_TRY_ASSIGN(const std::string text, base::read_input_file(m_installation.source / file));
    if (GitCredentials::are_in(text)) return true;
  }
  return false;
}

// Paths in requirements are relative to the folder of their file.
fs::path Resolution::generated(const std::string& name) const {
  const bool copied = m_folder != m_installation.source;
  return (copied ? m_folder : m_workspace.path()) / (".pachbuild-" + name);
}

base::Status Resolution::resolve(const Tools& tools) {
  const LockRequest request{m_folder, m_installation.manifest, m_installation.settings,
                            m_installation.interpreter.markers};
  const auto& files = m_installation.manifest.files;
  const auto from_list = [&](base::Result<RequirementList> list) -> base::Status {
    if (!list) return base::fail(list.error());
    add_indexes(list->indexes, m_folder, m_installation.configuration.environment);
    for (auto& line : list->lines) line = m_git.take(line);
    m_git.add_to(m_installation.configuration.environment);
    if (m_installation.manifest.installs_project) list->lines.emplace_back(".");
    if (m_installation.manifest.is_lock()) return take_lines(logical_lines(base::join(list->lines, "\n")));
    BASE_TRY(write_lines(list->lines, "requirements.in"));
    return choose(tools, {generated("requirements.in").string()});
  };
  switch (m_installation.manifest.kind) {
    case ManifestKind::none:
      return {};
    case ManifestKind::uv_lock: {
      BASE_TRY(check_uv_lock(request));
      return export_uv_lock(tools);
    }
    case ManifestKind::pylock: {
      const auto& name = m_installation.manifest.files.front();
      BASE_TRY(data::read_toml(m_folder / name, name));
      m_fixed.arguments = {"--requirements", files.front()};
      m_fixed.is_chosen = true;
      append(m_fixed.arguments, choice_arguments(m_installation, m_installation.settings.groups));
      return {};
    }
    case ManifestKind::poetry_lock:
      return from_list(read_poetry_lock(request));
    case ManifestKind::pdm_lock:
      return from_list(read_pdm_lock(request));
    case ManifestKind::pipfile_lock:
      return from_list(read_pipfile_lock(request));
    case ManifestKind::poetry:
      return from_list(read_poetry_project(request));
    case ManifestKind::pipfile:
      return from_list(read_pipfile(request));
    case ManifestKind::requirements: {
      if (!m_installation.has_hashes) return choose(tools, files);
      for (const auto& file : files) append(m_fixed.arguments, {"--requirements", file});
      if (m_installation.requires_hashes) m_fixed.arguments.emplace_back("--require-hashes");
      BASE_TRY_ASSIGN(const std::string bytes, base::read_input_file(m_folder / files.front()));
      BASE_TRY_ASSIGN(const std::string text, decode_requirements(bytes, files.front()));
      m_requirements = requirement_lines(logical_lines(text));
      return {};
    }
    case ManifestKind::project:
    case ManifestKind::setup: {
      add_indexes(pdm_sources(m_installation.manifest.project), m_folder,
                  m_installation.configuration.environment);
      if (builds_with_chosen(m_installation)) return lock(tools);
      Arguments inputs = {"pyproject.toml"};
      const auto groups = groups_of(m_installation);
      if (m_installation.manifest.installs_project) {
        BASE_TRY(write_lines({project_requirement(m_installation)}, "requirements.in"));
        inputs = {generated("requirements.in").string()};
        for (const auto& group : groups) append(inputs, {"--group", group});
      } else {
        append(inputs, choice_arguments(m_installation, groups));
      }
      BASE_TRY_ASSIGN(const auto overrides, pdm_overrides(m_installation.manifest.project));
      if (!overrides.empty()) {
        BASE_TRY(write_lines(overrides, "overrides.txt"));
        append(inputs, {"--override", generated("overrides.txt").string()});
      }
      return choose(tools, inputs);
    }
  }
  return {};
}

base::Status Resolution::write_lines(const std::vector<std::string>& lines, const std::string& name) {
  return base::write_file(generated(name), base::join(lines, "\n") + "\n", 0600);
}

base::Status Resolution::ask(const Installation& installation, const Tools& tools, Arguments arguments) {
  if (const auto known = recall()) return take(*known);
  const fs::path file = m_workspace.path() / "pylock.chosen.toml";
  append(arguments, {"--quiet", "--no-header", "--format", "pylock.toml", "--output-file", file.string()});
  BASE_TRY(run_uv(installation, tools, m_folder, arguments, m_installation.manifest.files.front()));
  BASE_TRY_ASSIGN(const Pylock chosen, Pylock::read(file, m_workspace.path(), m_folder));
  remember(chosen);
  return take(chosen);
}

// Nothing when uv was not asked before, or what it chose is damaged.
std::optional<Pylock> Resolution::recall() const {
  const auto& memory = m_installation.memory;
  if (memory.empty() || !is_file(memory)) return std::nullopt;
  const std::string text = base::read_input_file(memory).value_or("");
  const auto end = std::min(text.find('\n'), text.size());
  if (text.substr(0, end) != "# " + base::sha256(std::string_view(text).substr(end))) return std::nullopt;
  auto chosen = Pylock::read(memory, m_folder, m_folder);
  return chosen ? std::optional(std::move(*chosen)) : std::nullopt;
}

// The next build can ask again, so nothing of this can fail this one.
void Resolution::remember(const Pylock& chosen) const {
  const std::string text = "\n" + chosen.text();
  if (m_installation.memory.empty() || without_credentials(text) != text) return;
  const auto changed = m_installation.inputs.changed();
  if (!changed || !changed->empty()) return;
  if (base::make_folders(m_installation.memory.parent_path(), base::k_owner_writes))
    static_cast<void>(base::write_file(m_installation.memory, "# " + base::sha256(text) + text));
}

base::Status Resolution::take(const Pylock& chosen) {
  m_requirements = chosen.requirements();
  const auto take_part = [&](InstallStep& step, const std::string& name, const Pylock& part) -> base::Status {
    step.requirements = part.requirements();
    if (part.is_empty()) return {};
    const fs::path file = m_workspace.path() / ("pylock." + name + ".toml");
    step.arguments = {"--no-deps", "--requirements", file.string()};
    step.is_chosen = true;
    return base::write_file(file, part.text(m_folder), 0600);
  };
  if (builds_against_others(m_installation)) return take_part(m_unhashed, "all", chosen);
  BASE_TRY(take_part(m_fixed, "fixed", chosen.fixed()));
  return take_part(m_unhashed, "unhashed", chosen.unhashed());
}

base::Status Resolution::take_lines(const std::vector<std::string>& lines) {
  m_requirements = requirement_lines(lines);
  const auto take = [&](InstallStep& step, const std::string& name, const auto& belongs) -> base::Status {
    std::vector<std::string> own;
    std::copy_if(lines.begin(), lines.end(), std::back_inserter(own),
                 [&](const std::string& line) { return is_option(line) || belongs(line); });
    step.requirements = requirement_lines(own);
    if (step.requirements.empty()) return {};
    step.arguments = {"--no-deps", "--requirements", generated(name).string()};
    step.is_chosen = true;
    return write_lines(own, name);
  };
  BASE_TRY(take(m_fixed, "fixed.txt", has_hash));
  return take(m_unhashed, "unhashed.txt", [](const std::string& line) { return !has_hash(line); });
}

base::Status Resolution::export_uv_lock(const Tools& tools) {
  Arguments arguments = {"export",        "--frozen", "--no-dev",
                         "--no-editable", "--python", m_installation.interpreter.path};
  const Manifest& manifest = m_installation.manifest;
  if (manifest.is_inline()) append(arguments, {"--script", manifest.program});
  if (m_installation.settings.project == false) arguments.emplace_back("--no-emit-project");
  append(arguments, choice_arguments(m_installation, m_installation.settings.groups));
  // A lock as it is has its sources in it.
  return ask(without_variables(m_installation, {"UV_NO_SOURCES", "UV_NO_SOURCES_PACKAGE"}), tools,
             std::move(arguments));
}

base::Status Resolution::lock(const Tools& tools) {
  if (const auto known = recall()) return take(*known);
  BASE_TRY(run_uv(m_installation, tools, m_folder,
                  {"lock", "--quiet", "--python", m_installation.interpreter.path},
                  m_installation.manifest.files.front()));
  return export_uv_lock(tools);
}

base::Status Resolution::choose(const Tools& tools, const Arguments& inputs) {
  Arguments arguments = {"pip", "compile", "--generate-hashes", "--python", m_installation.interpreter.path};
  append(arguments, m_installation.configuration.arguments);
  append(arguments, inputs);
  return ask(m_installation, tools, std::move(arguments));
}

}  // namespace builder::python
