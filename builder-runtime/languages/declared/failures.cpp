// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/failures.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "builder-runtime/missing.h"

namespace builder::declared {
namespace {

using base::ErrorKind;

constexpr std::string_view k_error = "error: ";
constexpr std::string_view k_hint = "hint: ";

constexpr std::array k_own_kinds = {ErrorKind::step_failed,  ErrorKind::bad_input, ErrorKind::unavailable,
                                    ErrorKind::cannot_write, ErrorKind::io,        ErrorKind::network};

// What a group matched; empty when it did not.
std::string text_of(const std::map<std::string, std::string>& groups, const std::string& name) {
  const auto found = groups.find(name);
  return found == groups.end() ? "" : found->second;
}

// "FILE:LINE:COLUMN", as much of it as is known.
std::string place_of(const std::map<std::string, std::string>& groups) {
  std::string place = text_of(groups, "file");
  for (const auto* name : {"line", "column"}) {
    const auto part = text_of(groups, name);
    if (place.empty() || part.empty()) break;
    place += ":" + part;
  }
  return place;
}

std::string on_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return std::string(base::trim(text));
}

}  // namespace

base::Error error_of_groups(std::map<std::string, std::string> groups, const Words& words, const Facts& facts,
                            const std::string& manifest, const std::string& where) {
  const std::string source = facts.files.folder().string() + "/";
  if (auto& file = groups["file"]; file.starts_with(source)) file.erase(0, source.size());
  const auto value_of = [&](const Name& name) -> std::optional<std::string> {
    if (const auto group = groups.find(name.name); name.argument.empty() && group != groups.end())
      return group->second;
    if (name.name == "manifest") return manifest;
    return value_of_fact(facts, name, facts.files.folder().string());
  };
  base::Error error;
  error.kind = words.kind;
  error.where = place_of(groups);
  error.what = on_one_line(words.say ? words.say->fill(value_of) : text_of(groups, "what"));
  if (words.hint) error.hint = on_one_line(words.hint->fill(value_of));
  if (error.where.empty()) error.where = manifest.empty() ? where : manifest;
  // Words that begin with their place have said it.
  if (error.what.starts_with(error.where + ": ")) error.what.erase(0, error.where.size() + 2);
  return error;
}

bool is_own_line(std::string_view line) { return line.starts_with(k_error) || line.starts_with(k_hint); }

std::optional<base::Error> own_words(const process::Finished& finished) {
  const auto code = finished.ending.code();
  const auto kind = std::find_if(k_own_kinds.begin(), k_own_kinds.end(),
                                 [&](ErrorKind one) { return code == static_cast<int>(one); });
  if (kind == k_own_kinds.end()) return std::nullopt;
  auto lines = base::split(base::trim(finished.errors), '\n');
  base::Error error;
  error.kind = *kind;
  if (lines.back().starts_with(k_hint)) {
    error.hint = lines.back().substr(k_hint.size());
    lines.pop_back();
  }
  if (lines.empty() || !lines.back().starts_with(k_error)) return std::nullopt;
  error.what = lines.back().substr(k_error.size());
  return error;
}

base::Error error_of_command(const process::Finished& finished, const LayerCommand& command,
                             const Facts& facts) {
  const std::string text = finished.errors + finished.output;
  const auto missing = missing_hint(text);
  const auto with_missing = [&](base::Error error) {
    if (error.hint.empty() && missing.starts_with("; ")) {
      error.hint = missing.substr(2);
    } else {
      error.hint += missing;
    }
    return error;
  };
  if (auto own = own_words(finished))
    return own->hint.empty() ? with_missing(std::move(*own)) : std::move(*own);
  for (const auto& words : facts.builder->errors) {
    const auto match = words.match.find(text);
    if (!match) continue;
    auto groups = match->groups;
    for (const auto& [folder, name] : command.places) {
      auto& file = groups["file"];
      if (file.starts_with(folder + "/")) file = name + file.substr(folder.size() + 1);
    }
    return with_missing(error_of_groups(std::move(groups), {words.say, words.hint, words.kind}, facts,
                                        command.manifest, command.where));
  }
  return with_missing(
      {ErrorKind::step_failed, command.where, command.tool + " " + finished.ending.predicate()});
}

}  // namespace builder::declared
