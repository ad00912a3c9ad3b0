// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/start.h"

#include "base/text.h"
#include "contract/layout.h"

namespace builder::declared {
namespace {

std::string filled(const TextTemplate& text, const Facts& facts) {
  return text.fill([&](const Name& name) -> std::optional<std::string> {
    if (name.name == "env") return contract::k_environment_mark;
    return value_of_fact(facts, name, contract::k_source);
  });
}

// The program of a command has to be of an interpreter that the command is for.
base::Status check_interpreter(const Facts& facts) {
  for (const auto& word : facts.builder->start.command) {
    for (const auto& name : word.names()) {
      if (name.name != "interpreter" || facts.program.name.empty()) continue;
      if (interpreter_among(facts.files, facts.program.name, name.argument)) continue;
      return base::fail(base::ErrorKind::bad_input, facts.program.name + ":1",
                        "names the interpreter " +
                            interpreter_of(facts.files.first_line_of(facts.program.name)) + "; expected " +
                            base::join(base::split(name.argument, ','), ", ", " or "));
    }
  }
  return {};
}

// Lists by name; without a bundle those parts are left out that name its folder.
std::map<std::string, std::string> lists_of(const Facts& facts, bool has_bundle) {
  std::map<std::string, std::string> lists;
  for (const auto& [name, values] : facts.builder->start.prepend) {
    std::vector<std::string> parts;
    for (const auto& value : values) {
      if (has_bundle || !value.has("env")) parts.push_back(filled(value, facts));
    }
    if (!parts.empty()) lists[name] = base::join(parts, ":");
  }
  return lists;
}

// "+NAME" comes first in a list.
std::vector<std::pair<std::string, std::string>> variables_of_bundle(const Facts& facts) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, value] : facts.builder->start.environment) {
    if (value.has("env")) all.emplace_back(name, filled(value, facts));
  }
  for (auto& [name, value] : lists_of(facts, true)) all.emplace_back("+" + name, std::move(value));
  return all;
}

}  // namespace

base::Result<Start> start_of(const Facts& facts, bool has_bundle) {
  const auto& description = facts.builder->start;
  Start start;
  start.no_program = facts.no_program;
  BASE_TRY(check_interpreter(facts));
  for (const auto& word : description.command) {
    if (word.has("env") && !has_bundle && !start.no_program) {
      return base::fail(base::ErrorKind::bad_input, facts.builder->file + ": start.command",
                        "uses {env}, but this source has no layer");
    }
    start.command.push_back(filled(word, facts));
  }
  start.expanded_words = has_bundle ? start.command.size() : 0;
  if (description.folder) {
    start.folder = filled(*description.folder, facts);
    start.may_start_elsewhere = true;
  }
  for (const auto& [name, value] : description.environment) {
    if (!value.has("env")) start.environment[name] = filled(value, facts);
  }
  if (has_bundle) {
    start.bundle_variables = variables_of_bundle(facts);
  } else {
    start.prepend = lists_of(facts, false);
  }
  return start;
}

std::string bundle_variables_text(const Facts& facts) {
  std::string text;
  for (const auto& [name, value] : variables_of_bundle(facts)) text += name + "=" + value + '\0';
  return text;
}

}  // namespace builder::declared
