// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/tool_use.h"

#include "base/text.h"

namespace builder::declared {
namespace {

using base::ErrorKind;

constexpr char k_default_hint[] = "install it in the image of the builder, or on this machine";

std::string hint_of(const ToolDescription& tool) { return tool.hint.empty() ? k_default_hint : tool.hint; }

base::Result<bool> is_needed(const ToolDescription& tool, const SourceFiles& files) {
  if (!tool.needed_by) return true;
  for (const auto& file : files.all()) {
    BASE_TRY_ASSIGN(const std::string text, files.beginning_of(file.name));
    if (tool.needed_by->matches(text)) return true;
  }
  return false;
}

std::string version_in(const std::string& answer, const std::optional<Pattern>& pattern) {
  const std::string first_line(base::trim(answer.substr(0, answer.find('\n'))));
  if (!pattern) return first_line;
  const auto match = pattern->find(answer);
  if (!match) return first_line;
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
  return std::string(base::trim(text.substr(0, text.find('\n'))));
}

base::Status check_version(const ToolDescription& tool, const SourceFiles& files, FoundTool& found) {
  for (const auto& reference : tool.wants) {
    BASE_TRY_ASSIGN(found.wanted, wanted_text(reference, files));
    if (found.wanted.empty()) continue;
    // What cannot be compared is the tool's own business.
    if (version_fits(found.version, found.wanted, tool.compare).value_or(true)) return {};
    return base::fail(ErrorKind::unavailable, reference.text,
                      "needs " + tool.name + " " + found.wanted + "; " + found.path + " is " + found.version,
                      hint_of(tool));
  }
  return {};
}

}  // namespace

base::Result<std::vector<FoundTool>> find_tools(const Facts& facts, const Tools& tools) {
  std::vector<FoundTool> all;
  for (const auto& tool : facts.builder->tools) {
    BASE_TRY_ASSIGN(const bool needed, is_needed(tool, facts.files));
    if (!needed) continue;
    FoundTool found{.name = tool.name};
    BASE_TRY_ASSIGN(found.path, tools.find(tool.name, hint_of(tool)));
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
