// SPDX-License-Identifier: Apache-2.0
// What is read of a Python source.
#include <cctype>

#include "base/text.h"
#include "builder-runtime/languages/python/install/uv_words.h"
#include "builder-runtime/languages/python/locks/pdm.h"
#include "builder-runtime/languages/python/locks/pipfile.h"
#include "builder-runtime/languages/python/locks/poetry.h"
#include "builder-runtime/languages/python/locks/uv_lock.h"
#include "builder-runtime/languages/python/manifests/inline_metadata.h"
#include "builder-runtime/languages/python/manifests/manifest.h"
#include "builder-runtime/languages/python/manifests/optional_packages.h"
#include "builder-runtime/languages/python/manifests/pip_configuration.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/manifests/scripts.h"
#include "builder-runtime/languages/python/manifests/stated.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/program/entry.h"
#include "tests/python_markers.h"
#include "tests/unit/recorded/reader.h"
#include "tests/unit/steps.h"

namespace builder::python {
namespace {

using Json = nlohmann::ordered_json;

const MarkerEnvironment& markers() {
  static const MarkerEnvironment all = tests::markers_of_linux({"x"});
  return all;
}

Json json_of(const Pin& pin) {
  Json allowed = Json::array();
  for (const std::string version : {"2.7.18", "3.8.0", "3.9.7", "3.10.1", "3.11.2", "3.12.0", "3.13.0rc1"}) {
    if (pin.allows(*Version::parse(version))) allowed.push_back(version);
  }
  return {{"place", pin.place}, {"text", pin.text}, {"allows", allowed}};
}

Json json_of(const std::vector<PackageIndex>& indexes) {
  Json all = Json::array();
  for (const auto& index : indexes)
    all.push_back({index.name, index.url, index.replaces_default, index.is_flat, index.is_verified});
  return all;
}

Json json_of(const RequirementList& list) {
  return {{"lines", list.lines}, {"indexes", json_of(list.indexes)}};
}

Json json_of(const PipOptions& pip) {
  return {pip.index_url,       pip.extra_index_urls, pip.find_links,    pip.trusted_hosts,
          pip.no_binary,       pip.only_binary,      pip.all_releases,  pip.only_final,
          pip.config_settings, pip.no_index,         pip.require_hashes};
}

Json json_of(const Requirements& all) {
  return {{"count", all.count},           {"inputs", all.inputs.lines()},   {"options", all.options},
          {"variables", all.variables},   {"credentials", all.credentials}, {"uses_files", all.uses_files},
          {"has_hashes", all.has_hashes}, {"pip", json_of(all.pip)},        {"rewritten", all.rewritten}};
}

base::Result<RequirementList> read_lock(const LockRequest& request) {
  switch (request.manifest.kind) {
    case ManifestKind::poetry_lock:
      return read_poetry_lock(request);
    case ManifestKind::poetry:
      return read_poetry_project(request);
    case ManifestKind::pdm_lock:
      return read_pdm_lock(request);
    case ManifestKind::pipfile_lock:
      return read_pipfile_lock(request);
    case ManifestKind::pipfile:
      return read_pipfile(request);
    case ManifestKind::uv_lock:
      if (const auto checked = check_uv_lock(request); !checked) return base::fail(checked.error());
      [[fallthrough]];
    default:
      return RequirementList{};
  }
}

Json json_of(const Statement& statement) {
  Json asks = Json::array();
  for (const auto& ask : statement.asks) asks.push_back(ask.text + (ask.is_fixed ? "!" : ""));
  return {{"file", statement.file},
          {"asks", asks},
          {"readable", statement.is_readable},
          {"lock", statement.is_lock},
          {"project", statement.includes_project},
          {"made by", statement.made_by}};
}

const process::Environment k_environment = {{"TOKEN", "secret"}, {"VERSION", "1.5"}, {"NAME", "more.txt"}};

RECORDED_READER(python_source, input, answers) {
  const auto& source = input.folder;
  const auto settings = read_source_settings(source);
  if (!settings) return answers.tell_error("settings", settings.error());
  const auto manifest = find_manifest(source, *settings);
  if (!manifest) return answers.tell_error("manifest", manifest.error());
  answers.tell("manifest", {static_cast<int>(manifest->kind), manifest->files, manifest->installs_project});
  answers.tell("pins", find_pins(source, *manifest, *settings), [](const auto& pins) {
    Json all = Json::array();
    for (const auto& pin : pins) all.push_back(json_of(pin));
    return all;
  });
  answers.tell("entry", find_entry(source, manifest->project, *settings), [](const Entry& entry) {
    return Json{entry.arguments,      entry.file.string(), entry.root.string(), entry.program.name,
                entry.program.chosen, entry.module,        entry.function,      entry.place};
  });
  const auto scripts = read_scripts(source, manifest->project);
  Json of_scripts = {scripts.file, scripts.project};
  for (const auto& script : scripts.all) of_scripts.push_back({script.name, script.target, script.place});
  answers.tell("scripts", of_scripts);
  answers.tell("lock", read_lock({source, *manifest, settings->python, markers()}),
               [](const auto& list) { return json_of(list); });
  if (manifest->kind == ManifestKind::requirements) {
    answers.tell("requirements", read_requirements(source, manifest->files, k_environment),
                 [](const auto& all) { return json_of(all); });
  }
  answers.tell("optional", optional_packages(source, *manifest));
  const auto statement = statement_of(source, *manifest);
  answers.tell("asks", json_of(statement));
  answers.tell("unpinned",
               unpinned_choices(statement, {"numpy==1.26.4", "pandas==2.2.0", "idna==3.7", "six==1.16.0"}));
  answers.tell("others", shadowed_statements(source, *manifest, ""));
  answers.tell("unlisted", unlisted_requirements(source));
  if (const auto error = conda_error(source)) answers.tell_error("conda", *error);
  if (manifest->project.exists()) {
    answers.tell("overrides", pdm_overrides(manifest->project), [](const auto& all) { return Json(all); });
    answers.tell("pdm sources", json_of(pdm_sources(manifest->project)));
  }
}

RECORDED_READER(requirements, input, answers) {
  answers.tell("requirements", read_requirements(input.folder, {"requirements.txt"}, k_environment),
               [](const auto& all) { return json_of(all); });
  answers.tell("lines", logical_lines(input.file("requirements.txt")));
}

RECORDED_READER(pip_conf, input, answers) {
  process::Environment environment = {{"PIP_CONFIG_FILE", (input.folder / "pip.conf").string()}};
  for (const auto& line : base::split(input.file("variables"), '\n')) {
    const auto sign = line.find('=');
    if (sign != std::string::npos && line.find('\0') == std::string::npos)
      environment[line.substr(0, sign)] = line.substr(sign + 1);
  }
  // The files of this machine are not there.
  const steps::Watch watch(
      [](std::string_view /*call*/, std::string_view path) { return path.starts_with("/etc/") ? ENOENT : 0; },
      steps::Calls::all);
  const auto uv = configure_uv(environment, "/nowhere/bin/python3", {});
  Json variables = Json::object();
  for (const auto& [name, value] : uv.environment) variables[name] = value;
  answers.tell("environment", variables);
  answers.tell("arguments", uv.arguments);
  answers.tell("inputs", uv.inputs.lines());
  answers.tell("places", uv.index_places);
}

RECORDED_READER(python_versions, input, answers) {
  const auto& text = input.line();
  const std::vector<std::string> some = {"0.9",   "1.0a1", "1.0rc1", "1.0",   "1.0.post1", "1.0.1",
                                         "1.2.3", "1.4.2", "1.5",    "1.10",  "2.0.dev1",  "2.0",
                                         "2.1.0", "3.9.7", "3.11",   "1!1.0", "1.0+local"};
  if (const auto version = Version::parse(text)) {
    Json compared = Json::array();
    for (const auto& other : some) {
      const auto order = *version <=> *Version::parse(other);
      compared.push_back(order < 0 ? -1 : order > 0 ? 1 : 0);
    }
    answers.tell("version", compared);
  }
  const auto allowed = [&](const std::string& specifiers) {
    Json all = Json::array();
    if (const auto parsed = Specifiers::parse(specifiers)) {
      for (const auto& version : some) {
        if (parsed->allows(*Version::parse(version))) all.push_back(version);
      }
    } else {
      all = nullptr;
    }
    return all;
  };
  answers.tell("specifiers", allowed(text));
  if (const auto alternatives = from_poetry(text)) {
    Json all = Json::array();
    for (const auto& one : *alternatives) all.push_back({one, allowed(one)});
    answers.tell("poetry", all);
  }
  const auto told = [](const Pin& pin) { return json_of(pin); };
  answers.tell("pin of specifiers", pin_of_specifiers("x", text), told);
  answers.tell("pin of poetry", pin_of_poetry("x", text), told);
  answers.tell("pin of a version", pin_of_version("x", text), told);
}

RECORDED_READER(python_requirement, input, answers) {
  const auto& text = input.line();
  if (const auto one = Requirement::parse(text))
    answers.tell("requirement",
                 {one->name, one->extras, one->specifiers, one->url, one->marker, one->text()});
  if (const auto result = holds(text, markers())) answers.tell("holds", *result);
  answers.tell("line", parse_requirement_line(text, "x"), [](const RequirementLine& line) {
    return Json{line.requirement, line.options, line.is_plain};
  });
  answers.tell("included", included_file(text));
  answers.tell("words", shell_words(text));
}

// Bytes as \\xNN.
RECORDED_READER(requirement_bytes, input, answers) {
  const auto parts = base::split(input.line(), '\\');
  std::string bytes = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto& part = parts[i];
    const auto is_digit = [&](std::size_t at) {
      return std::isxdigit(static_cast<unsigned char>(part[at])) != 0;
    };
    if (part.size() > 2 && part[0] == 'x' && is_digit(1) && is_digit(2)) {
      bytes += static_cast<char>(std::stoi(part.substr(1, 2), nullptr, 16));
      bytes += part.substr(3);
    } else {
      bytes += part;
    }
  }
  answers.tell("text", decode_requirements(bytes, "x"), [](const auto& text) { return Json(text); });
}

RECORDED_READER(uv_words, input, answers) {
  const UvWords words("/w", "/w/s", "/pfs/source", "pyproject.toml",
                      {"--frozen", "--no-sources", "/w/made/list.txt"});
  const auto shown = words.shown(input.line());
  answers.tell("shown", shown ? Json(*shown) : Json());
}

RECORDED_READER(inline_metadata, input, answers) {
  answers.tell("block", find_inline_block(input.file("main.py"), "main.py"),
               [](const auto& block) { return block ? Json{block->begin, block->content} : Json(); });
  answers.tell("metadata", read_inline_metadata(input.folder / "main.py", "main.py"),
               [](const auto& metadata) { return metadata ? Json(metadata->project) : Json(); });
}

}  // namespace
}  // namespace builder::python
