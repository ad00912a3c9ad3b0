// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/facts.h"

#include <algorithm>

#include "base/inside.h"
#include "base/near.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/values.h"
#include "builder-runtime/source/table_reader.h"
#include "contract/layout.h"

namespace builder::declared {
namespace {

using base::ErrorKind;

std::vector<std::string> names_of(const std::vector<SourceFile>& files) {
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.name);
  return names;
}

// "main.R, run.R or a single *.R".
std::string expected(const References& references) {
  std::vector<std::string> names;
  for (const auto& one : references)
    names.push_back((one.is_value || one.files.is_plain() ? "" : "a single ") + one.described());
  return base::join(names, ", ", " or ");
}

// The scripts that replace the builder's own steps are not programs of a source.
bool is_of_protocol(const SourceFile& file) {
  return file.name == contract::k_run_script || file.name == contract::k_build_script;
}

class ProgramChoice {
 public:
  ProgramChoice(const Description& builder, const SourceFiles& files) : m_builder(builder), m_files(files) {}

  // One that somebody has named, at `where`; `why` says so in build.json.
  [[nodiscard]] base::Result<contract::Program> named(const std::string& name, const std::string& where,
                                                      const std::string& why) const {
    const auto clean = base::clean_path(name);
    if (base::stays_inside(name) && m_files.has(clean)) return contract::Program{clean, why};
    return missing(where, name);
  }

  [[nodiscard]] base::Result<contract::Program> found() const {
    for (const auto& candidate : m_builder.detect.program) {
      BASE_TRY_ASSIGN(auto program, candidate.is_value ? of_value(candidate) : of_files(candidate));
      if (!program.name.empty()) return program;
    }
    return base::fail(ErrorKind::bad_input, m_files.folder().string(),
                      "no program found: expected " + expected(m_builder.detect.program),
                      choice_hint(m_builder));
  }

 private:
  [[nodiscard]] tl::unexpected<base::Error> missing(const std::string& where, const std::string& name) const {
    return base::fail(ErrorKind::bad_input, where, "no file " + name + " in the source",
                      base::did_you_mean(name, names_of(m_files.all())));
  }

  // Whether a value can mean it: an interpreter adds an ending, or looks into a folder. What is ignored is
  // not listed.
  [[nodiscard]] bool is_found(const std::string& path) const {
    const auto folders = base::folders_above(path);
    if (std::any_of(folders.begin(), folders.end(), [&](const auto& folder) {
          return any_matches(m_builder.detect.ignore, folder, [] { return std::string(); });
        })) {
      return true;
    }
    const auto& all = m_files.all();
    return std::any_of(all.begin(), all.end(), [&](const SourceFile& file) {
      return file.name == path || file.name.starts_with(path + ".") || file.name.starts_with(path + "/");
    });
  }

  // Whether commands may make it: those of a layer with a manifest install packages.
  [[nodiscard]] base::Result<bool> may_be_made() const {
    for (const auto& layer : m_builder.layers) {
      if (layer.run.empty() || !layer.manifest.empty()) continue;
      if (layer.when.empty()) return true;
      BASE_TRY_ASSIGN(const bool applies, m_files.has_any(layer.when));
      if (applies) return true;
    }
    return false;
  }

  // What a build makes need not be there yet.
  [[nodiscard]] base::Result<contract::Program> of_value(const Reference& reference) const {
    BASE_TRY_ASSIGN(const auto value, m_files.value_of(reference));
    if (!value.is(data::Value::Kind::text) || value.scalar.empty()) return contract::Program{};
    const auto clean = base::clean_path(value.scalar);
    if (!base::stays_inside(value.scalar)) {
      return base::fail(ErrorKind::bad_input, reference.place(),
                        base::quoted(value.scalar) + " points outside the source");
    }
    if (clean.empty() || base::contains(clean, '\0')) return missing(reference.place(), value.scalar);
    if (!is_found(clean)) {
      BASE_TRY_ASSIGN(const bool may_come, may_be_made());
      if (!may_come) return missing(reference.place(), value.scalar);
    }
    return contract::Program{clean, reference.described()};
  }

  [[nodiscard]] base::Result<contract::Program> of_files(const Reference& reference) const {
    auto files = m_files.matching(reference.files);
    if (!reference.files.is_plain()) std::erase_if(files, is_of_protocol);
    if (files.empty()) return contract::Program{};
    if (files.size() == 1) {
      return contract::Program{files.front().name, reference.files.is_plain()
                                                       ? "by its name"
                                                       : "the only " + reference.described()};
    }
    return base::fail(
        ErrorKind::bad_input, m_files.folder().string(),
        (reference.files.is_interpreter() ? "contains more than one " : "several files match ") +
            reference.described() + ": " + base::join(names_of(files), ", "),
        choice_hint(m_builder));
  }

  const Description& m_builder;
  const SourceFiles& m_files;
};

// What the source's settings say in the builder's own table.
base::Result<std::map<std::string, std::string>> read_settings(const Description& builder,
                                                               const SourceSettings& source) {
  auto settings = builder.settings;
  settings.emplace(k_program_setting, "");
  const auto table = source.tables.find(builder.language);
  if (table == source.tables.end()) return settings;
  TableReader reader(table->second, source.places.file, source.places.prefix + builder.language + ".");
  for (auto& [name, value] : settings) BASE_TRY(reader.read(name, value));
  BASE_TRY(reader.finish());
  return settings;
}

}  // namespace

std::string choice_hint(const Description& builder) {
  const auto& variable = builder.detect.variable;
  return "choose one with " + builder.language + "." + k_program_setting + " in pachbuild.toml" +
         (variable.empty() ? "" : ", or with " + variable + " in transform.build.env");
}

base::Result<bool> recognises(const Description& builder, const fs::path& source) {
  BASE_TRY_ASSIGN(const auto files, SourceFiles::list(source, builder.detect.ignore));
  return files.has_any(builder.detect.any);
}

base::Result<Facts> look_at(const std::shared_ptr<const Description>& builder, const Source& source,
                            const process::Environment& environment) {
  BASE_TRY_ASSIGN(auto files, SourceFiles::list(source.folder, builder->detect.ignore));
  Facts facts{.builder = builder, .files = std::move(files)};
  facts.needs_no_program = source.has_own_command || source.has_run_script;
  BASE_TRY_ASSIGN(facts.settings, read_settings(*builder, source.settings));
  std::string named = facts.settings.at(k_program_setting);
  const std::string setting = builder->language + "." + k_program_setting;
  std::string where = source.settings.places.where(setting);
  std::string why = source.settings.places.name(setting);
  if (const auto& variable = builder->detect.variable; !process::value_of(environment, variable).empty()) {
    named = process::value_of(environment, variable);
    where = why = variable;
  }
  facts.settings.erase(k_program_setting);
  if (builder->detect.program.empty()) {
    if (base::contains(named, '/') || base::contains(named, '\0'))
      return base::fail(ErrorKind::bad_input, where, base::quoted(named) + " is not the name of a program");
    facts.made_program = named;
    if (named.empty()) return facts;
    facts.program.chosen = why;
    facts.program_place = where;
    return facts;
  }
  const ProgramChoice choice(*builder, facts.files);
  auto program = named.empty() ? choice.found() : choice.named(named, where, why);
  if (program) {
    facts.program = std::move(*program);
  } else if (facts.needs_no_program && named.empty()) {
    facts.no_program = Start::NoProgram{program.error().what, program.error().hint};
  } else {
    return base::fail(std::move(program).error());
  }
  return facts;
}

std::optional<std::string> value_of_fact(const Facts& facts, const Name& name, const std::string& source) {
  if (name.name == "source") return source;
  // Never taken for an option.
  if (name.name == "program") return (facts.program.name.starts_with('-') ? "./" : "") + facts.program.name;
  if (name.name == "setting") return facts.settings.at(name.argument);
  if (name.name == "interpreter") {
    const auto first = base::split(name.argument, ',').front();
    return interpreter_among(facts.files, facts.program.name, name.argument).value_or(first);
  }
  return std::nullopt;
}

std::optional<std::string> interpreter_among(const SourceFiles& files, const std::string& file,
                                             const std::string& names) {
  const auto known = base::split(names, ',');
  auto named = interpreter_of(files.has(file) ? files.first_line_of(file) : "");
  if (named.empty()) return known.front();
  if (std::find(known.begin(), known.end(), named) == known.end()) return std::nullopt;
  return named;
}

}  // namespace builder::declared
