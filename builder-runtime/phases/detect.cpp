// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/detect.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/inside.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/source/links.h"
#include "contract/environment.h"
#include "contract/layout.h"

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

std::string names_of(const std::vector<const Language*>& found, std::string_view Language::* member) {
  std::vector<std::string> names;
  names.reserve(found.size());
  for (const auto* language : found) names.emplace_back(language->*member);
  return base::join(names, " and ");
}

std::vector<const Language*> all_languages() {
  std::vector<const Language*> all;
  for (const auto& language : languages()) all.push_back(&language);
  return all;
}

base::Result<const Language*> named_language(const std::string& where, const std::string& name) {
  for (const auto* language : all_languages()) {
    if (language->name == name) return language;
  }
  return base::fail(ErrorKind::usage, where, "there is no builder for \"" + name + "\"",
                    "the languages are " + names_of(all_languages(), &Language::name));
}

base::Result<const Language*> recognised_language(const fs::path& source) {
  std::vector<const Language*> found;
  for (const auto* language : all_languages()) {
    if (is_file(source / std::string(language->program))) found.push_back(language);
  }
  if (found.empty()) {
    for (const auto* language : all_languages()) {
      if (language->may_be(source)) found.push_back(language);
    }
  }
  if (found.empty()) {
    for (const auto* language : all_languages()) {
      if (language->may_be_below != nullptr && language->may_be_below(source)) found.push_back(language);
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return base::fail(ErrorKind::bad_input, source.string(),
                      "no supported language found: expected main.py or go.mod",
                      "add one of them, or a build.sh of your own");
  }
  return base::fail(ErrorKind::bad_input, source.string(),
                    "contains both " + names_of(found, &Language::program), "choose one with --language");
}

// The command line, then the source's own settings, then what is there.
base::Result<const Language*> choose_language(const Settings& settings, const SourceSettings& source) {
  if (!settings.language.empty()) return named_language("--language", settings.language);
  if (!source.language.empty()) return named_language(source.file + ": language", source.language);
  return recognised_language(settings.source);
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
  BASE_TRY_ASSIGN(source.settings, read_source_settings(settings.source));
  BASE_TRY_ASSIGN(source.language, choose_language(settings, source.settings));
  BASE_TRY_ASSIGN(auto findings, source.language->look(source, settings.environment));
  source.plan = std::move(findings.plan);
  milestone.reached(std::string(source.language->name) + ", " + findings.summary);
  return source;
}

}  // namespace builder
