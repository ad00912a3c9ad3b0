// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/detect.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/declared.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/source/links.h"
#include "contract/builders.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "report/report.h"

namespace builder {
namespace {

using base::ErrorKind;

constexpr char k_path_hint[] = "check transform.build.path in the pipeline's spec";

// What is written there would be a part of what is built.
base::Status check_outside(const fs::path& folder, const fs::path& source, const std::string& hint) {
  boost::system::error_code error;
  if (!base::path_below(fs::weakly_canonical(folder, error), fs::canonical(source))) return {};
  return base::fail(ErrorKind::usage, folder.string(), "is inside the source folder " + source.string(),
                    hint);
}

base::Status check_folders(const Settings& settings) {
  boost::system::error_code error;
  const auto source = settings.source.string();
  if (!fs::is_directory(settings.source, error)) {
    return base::fail(ErrorKind::bad_input, source, error ? "no such folder" : "is not a folder",
                      k_path_hint);
  }
  const bool empty = fs::is_empty(settings.source, error);
  if (error) return base::fail(base::system_error("read", source, error.value()));
  if (empty) return base::fail(ErrorKind::bad_input, source, "the source is empty", k_path_hint);

  BASE_TRY(check_outside(settings.out, settings.source, "name another folder with --out"));
  return check_outside(settings.cache, settings.source,
                       std::string("name another folder for the cache in ") + contract::k_cache_variable);
}

using LanguagePointer = std::shared_ptr<const Language>;

// A row of languages(), which stays.
LanguagePointer pointer_to(const Language& language) { return {LanguagePointer(), &language}; }

std::vector<std::string> all_names(const Settings& settings) {
  auto names = names_of_languages();
  for (const auto& name : contract::installed_builders(settings.builders)) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

base::Result<LanguagePointer> named_language(const Settings& settings, ErrorKind kind,
                                             const std::string& where, const std::string& name) {
  for (const auto& language : languages()) {
    if (language.name == name) return pointer_to(language);
  }
  const auto names = all_names(settings);
  if (std::find(names.begin(), names.end(), name) != names.end())
    return declared::installed_language(settings.builders, name);
  return base::fail(kind, where, "no builder for \"" + name + "\"",
                    "available languages: " + base::join(names, ", ", " and "));
}

tl::unexpected<base::Error> several(const fs::path& source, const std::vector<std::string>& what) {
  return base::fail(ErrorKind::bad_input, source.string(), "contains both " + base::join(what, " and "),
                    "choose one with --language");
}

// Only what no compiled-in language takes is asked about: a Python project may have a Cargo.toml.
base::Result<LanguagePointer> recognised_by_installed(const Settings& settings) {
  std::vector<LanguagePointer> found;
  std::vector<std::string> usual_files;
  const auto expect = [&](const Language& language) {
    if (!language.usual_file.empty()) usual_files.push_back(language.usual_file + " (" + language.name + ")");
  };
  for (const auto& language : languages()) expect(language);
  for (const auto& name : contract::installed_builders(settings.builders)) {
    if (const auto names = names_of_languages(); std::find(names.begin(), names.end(), name) != names.end())
      continue;
    BASE_TRY_ASSIGN(auto language, declared::installed_language(settings.builders, name));
    BASE_TRY_ASSIGN(const bool is_one, language->may_be(settings.source));
    expect(*language);
    if (is_one) found.push_back(std::move(language));
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return base::fail(ErrorKind::bad_input, settings.source.string(),
                      "no supported language found: expected " + base::join(usual_files, ", ", " or "),
                      "add one of them, or a build.sh of your own");
  }
  std::vector<std::string> names;
  for (const auto& language : found) names.push_back(language->name);
  return base::fail(ErrorKind::bad_input, settings.source.string(),
                    "matches several languages: " + base::join(names, ", ", " and "),
                    "choose one with --language");
}

// Whether a source may be of the language as well as of another one.
base::Result<bool> is_marked(const Language& language, const fs::path& source) {
  for (const auto& marker : language.markers) {
    if (is_file(source / marker)) return true;
  }
  if (language.may_be) return language.may_be(source);
  return false;
}

base::Result<LanguagePointer> recognised_language(const Settings& settings) {
  const auto& source = settings.source;
  std::vector<LanguagePointer> found;
  std::vector<std::string> markers;
  for (const auto& language : languages()) {
    for (const auto& marker : language.markers) {
      if (!is_file(source / marker)) continue;
      found.push_back(pointer_to(language));
      markers.push_back(marker);
      break;
    }
  }
  for (const auto may_be : {&Language::may_be, &Language::may_be_below}) {
    if (!found.empty()) break;
    for (const auto& language : languages()) {
      if (!(language.*may_be)) continue;
      BASE_TRY_ASSIGN(const bool is_one, (language.*may_be)(source));
      if (!is_one) continue;
      found.push_back(pointer_to(language));
      markers.push_back(language.markers.front());
    }
  }
  if (found.size() == 1) return found.front();
  return found.empty() ? recognised_by_installed(settings) : several(source, markers);
}

// The command line, then the source's own settings, then what is there.
base::Result<LanguagePointer> choose_language(const Settings& settings, const SourceSettings& source,
                                              const LanguagePointer& given) {
  if (given) return given;
  if (!settings.language.empty())
    return named_language(settings, ErrorKind::usage, "--language", settings.language);
  if (!source.language.empty())
    return named_language(settings, ErrorKind::bad_input, source.places.where("language"), source.language);
  return recognised_language(settings);
}

// What the settings say for other languages does nothing, unless the same source is also built in those.
base::Status warn_of_other_languages(const Settings& settings, const Source& source) {
  const auto names = all_names(settings);
  const auto& places = source.settings.places;
  const auto warn_of = [&](const std::string& key, const std::string& name) -> base::Status {
    if (name == source.language->name) return {};
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      BASE_TRY_ASSIGN(const auto other, named_language(settings, ErrorKind::bad_input, key, name));
      BASE_TRY_ASSIGN(const bool is_one, is_marked(*other, source.folder));
      if (is_one) return {};
    }
    report::warn(places.where(key) + ": ignored because the source is built by the " + source.language->name +
                 " builder");
    return {};
  };
  if (const auto& name = source.settings.language; !name.empty()) BASE_TRY(warn_of("language", name));
  for (const auto& name : names) {
    if (places.lines.contains(name)) BASE_TRY(warn_of(name, name));
  }
  return {};
}

// The builder of --builder; none where there is no such option.
base::Result<LanguagePointer> given_builder(const Settings& settings) {
  if (settings.builder.empty()) return LanguagePointer();
  BASE_TRY_ASSIGN(auto language, declared::language_of_folder(settings.builder));
  if (!settings.language.empty() && settings.language != language->name) {
    return base::fail(ErrorKind::usage, "--language",
                      "the builder in " + settings.builder.string() + " is for " + language->name,
                      "use only one of --language and --builder");
  }
  return language;
}

}  // namespace

base::Result<Source> detect(const Settings& settings) {
  Milestone milestone("detect");
  BASE_TRY(check_folders(settings));
  Source source;
  source.folder = settings.source;
  source.has_run_script = is_file(settings.source / contract::k_run_script);
  source.has_own_command = !value_of(settings.environment, contract::k_own_command).empty();
  source.has_build_script =
      !settings.default_steps_only && is_file(settings.source / contract::k_build_script);
  if (source.has_build_script) {
    milestone.reached("the source's own build.sh");
    return source;
  }
  BASE_TRY(check_links(settings.source));
  BASE_TRY_ASSIGN(const auto given, given_builder(settings));
  auto names = all_names(settings);
  if (given) names.push_back(given->name);
  BASE_TRY_ASSIGN(source.settings, read_source_settings(settings.source, names));
  BASE_TRY_ASSIGN(source.language, choose_language(settings, source.settings, given));
  BASE_TRY(warn_of_other_languages(settings, source));
  BASE_TRY_ASSIGN(auto findings, source.language->look(source, settings.environment));
  source.plan = std::move(findings.plan);
  source.names_source_inputs = findings.names_source_inputs && !source.has_run_script;
  milestone.reached(source.language->name + ", " + findings.summary);
  return source;
}

}  // namespace builder
