// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/tool_use.h"

#include <set>

#include "base/errors.h"
#include "base/text.h"

namespace builder::declared {
namespace {

using base::ErrorKind;

// Where one has the wrong version.
constexpr char k_version_hint[] = "install a version that fits, build in an image that has one, or change ";
constexpr char k_default_hint[] = "install it, or build in an image that has it";

std::string hint_of(const ToolDescription& tool) { return tool.hint.empty() ? k_default_hint : tool.hint; }

// Each file is read once at most, for all tools of which it is not known yet.
base::Result<std::vector<const ToolDescription*>> needed_tools(const Facts& facts) {
  std::set<const ToolDescription*> open;
  for (const auto& tool : facts.builder->tools) {
    if (tool.needed_by) open.insert(&tool);
  }
  for (const auto& file : facts.files.all()) {
    if (open.empty()) break;
    BASE_TRY_ASSIGN(const std::string text, facts.files.beginning_of(file.name));
    std::erase_if(open, [&](const ToolDescription* tool) { return tool->needed_by->matches(text); });
  }
  std::vector<const ToolDescription*> needed;
  for (const auto& tool : facts.builder->tools) {
    if (!open.contains(&tool)) needed.push_back(&tool);
  }
  return needed;
}

std::string version_in(const std::string& answer, const std::optional<Pattern>& pattern) {
  const auto match = pattern ? pattern->find(answer) : std::nullopt;
  if (!match) return base::first_line(answer);
  const auto named = match->groups.find("version");
  return named == match->groups.end() ? match->first : named->second;
}

// The value, or of a file the first line.
base::Result<std::string> wanted_text(const Reference& reference, const SourceFiles& files) {
  if (reference.is_value) {
    BASE_TRY_ASSIGN(const auto value, files.value_of(reference));
    return value.scalar;
  }
  const auto found = files.matching(reference.files);
  if (found.empty()) return std::string();
  BASE_TRY_ASSIGN(const std::string text, files.beginning_of(found.front().name));
  return base::first_line(text);
}

base::Status check_version(const ToolDescription& tool, const SourceFiles& files, FoundTool& found) {
  for (const auto& reference : tool.wants) {
    BASE_TRY_ASSIGN(found.wanted, wanted_text(reference, files));
    if (found.wanted.empty()) continue;
    // What cannot be compared is the tool's own business.
    if (version_fits(found.version, found.wanted, tool.compare).value_or(true)) return {};
    return base::fail(ErrorKind::unavailable, reference.place(),
                      "needs " + tool.name + " " + found.wanted + "; " + found.path + " is " + found.version,
                      k_version_hint + reference.files.text());
  }
  return {};
}

// The path of each. All that are missing are one error. One without a hint of its own may be a misspelled
// one: its line is named.
base::Result<std::vector<std::string>> find_paths(const std::vector<const ToolDescription*>& needed,
                                                  const Facts& facts, const Tools& tools) {
  std::vector<std::string> paths;
  base::Errors missing;
  for (const auto* tool : needed) {
    auto path = tools.find(tool->name, hint_of(*tool));
    if (path) {
      paths.push_back(std::move(*path));
      continue;
    }
    if (tool->hint.empty()) {
      path.error().hint += "; it is required by " + facts.builder->file + ":" + std::to_string(tool->line) +
                           ": tools." + tool->name;
    }
    missing.add(std::move(path).error());
  }
  if (missing.none()) return paths;
  return base::fail(missing.take());
}

}  // namespace

base::Result<std::vector<FoundTool>> find_tools(const Facts& facts, const Tools& tools) {
  std::vector<FoundTool> all;
  BASE_TRY_ASSIGN(const auto needed, needed_tools(facts));
  BASE_TRY_ASSIGN(const auto paths, find_paths(needed, facts, tools));
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const auto& tool = *needed[i];
    FoundTool found{.name = tool.name, .path = paths[i]};
    if (tool.run.empty()) {
      BASE_TRY_ASSIGN(found.identity, tools.digest_of(found.path));
    } else {
      auto question = tool.run;
      question.front() = found.path;
      auto answer = tools.said_by(question);
      if (!answer) {
        answer.error().hint = hint_of(tool);
        return base::fail(std::move(answer).error());
      }
      found.version = version_in(*answer, tool.version);
      found.identity = Tools::identity(found.path, found.version);
      BASE_TRY(check_version(tool, facts.files, found));
    }
    all.push_back(std::move(found));
  }
  return all;
}

base::Result<std::vector<std::string>> with_program(std::vector<std::string> words, const Facts& facts,
                                                    const Tools& tools) {
  std::string hint = k_default_hint;
  for (const auto& tool : facts.builder->tools) {
    if (tool.name == words.front()) hint = hint_of(tool);
  }
  if (!base::contains(words.front(), '/')) {
    BASE_TRY_ASSIGN(words.front(), tools.find(words.front(), hint));
  }
  return words;
}

}  // namespace builder::declared
