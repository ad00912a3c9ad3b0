// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/dockerfile.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace starter {
namespace {

using base::ErrorKind;
using nlohmann::json;

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 18> k_keywords = {
    "ADD",   "ARG",        "CMD",     "COPY", "ENTRYPOINT", "ENV",        "EXPOSE", "FROM",   "HEALTHCHECK",
    "LABEL", "MAINTAINER", "ONBUILD", "RUN",  "SHELL",      "STOPSIGNAL", "USER",   "VOLUME", "WORKDIR"};

std::string in_capitals(std::string_view word) {
  std::string capitals(word);
  for (char& character : capitals)
    character = static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  return capitals;
}

bool is_text(std::string_view line) {
  while (!line.empty()) {
    const std::size_t length = line.front() == '\t' ? 1 : base::utf8_length(line);
    if (length == 0) return false;
    line.remove_prefix(length);
  }
  return true;
}

// The name behind "<<" when `text` opens a here-document; empty when it does not.
std::string heredoc_name(std::string_view text) {
  const std::size_t start = text.find("<<");
  if (start == std::string_view::npos) return "";
  std::string_view rest = text.substr(start + 2);
  if (rest.starts_with('-')) rest.remove_prefix(1);
  if (rest.starts_with('"') || rest.starts_with('\'')) rest.remove_prefix(1);
  const auto* const end = std::find_if_not(rest.begin(), rest.end(), is_variable_character);
  return {rest.begin(), end};
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : m_where(where) {
    if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
    m_lines = base::split(text, '\n');
    for (auto& line : m_lines) {
      if (line.ends_with('\r')) line.pop_back();
    }
  }

  base::Result<std::vector<Instruction>> parse() {
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
      if (!is_text(m_lines[i])) return fail(i, "is not UTF-8 text");
    }
    read_directives();
    while (m_next < m_lines.size()) {
      const auto line = base::trim(m_lines[m_next]);
      if (line.empty() || line.front() == '#') {
        ++m_next;
      } else {
        BASE_TRY(read_instruction());
      }
    }
    if (m_instructions.empty()) return base::fail(ErrorKind::bad_input, m_where, "has no instruction");
    return std::move(m_instructions);
  }

 private:
  [[nodiscard]] tl::unexpected<base::Error> fail(std::size_t index, const std::string& what,
                                                 const std::string& hint = {}) const {
    return base::fail(ErrorKind::bad_input, m_where + ":" + std::to_string(index + 1), what, hint);
  }

  // "# escape=`" before everything else chooses what continues a line.
  void read_directives() {
    for (const auto& line : m_lines) {
      auto text = base::trim(line);
      if (!text.starts_with('#')) return;
      text = base::trim(text.substr(1));
      const auto equals = text.find('=');
      if (equals == std::string_view::npos) return;
      const auto value = base::trim(text.substr(equals + 1));
      if (base::trim(text.substr(0, equals)) == "escape" && value == "`") m_escape = '`';
    }
  }

  // The line without the escape at its end, if there is one.
  bool take_continuation(std::string& line) const {
    const auto end = line.find_last_not_of(" \t");
    if (end == std::string::npos || line[end] != m_escape) return false;
    line.resize(end);
    return true;
  }

  base::Status read_instruction() {
    const std::size_t start = m_next;
    Instruction instruction;
    instruction.line = start + 1;
    std::string text;
    std::vector<std::pair<std::size_t, std::size_t>> lines;
    while (m_next < m_lines.size()) {
      std::string line = m_lines[m_next];
      const auto content = base::trim(line);
      // Comments and empty lines do not end an instruction that goes on.
      if (m_next > start && (content.empty() || content.front() == '#')) {
        ++m_next;
        continue;
      }
      ++m_next;
      const bool goes_on = take_continuation(line);
      if (!text.empty()) text += '\n';
      lines.emplace_back(text.size(), m_next);
      text += line;
      if (!goes_on) break;
    }
    if (base::trim(text).empty()) return {};  // nothing but a continuation
    return add(std::move(instruction), text, lines, start);
  }

  base::Status add(Instruction instruction, const std::string& text,
                   const std::vector<std::pair<std::size_t, std::size_t>>& lines, std::size_t start) {
    std::size_t at = text.find_first_not_of(" \t\n");
    const std::size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
    instruction.keyword = in_capitals(std::string_view(text).substr(at, end - at));
    if (std::find(k_keywords.begin(), k_keywords.end(), instruction.keyword) == k_keywords.end()) {
      return fail(start, base::quoted(text.substr(at, end - at)) + " is not an instruction",
                  "--from takes a Dockerfile or a pipeline spec (*.json, *.yaml)");
    }
    at = text.find_first_not_of(" \t\n", end);
    while (at != std::string::npos && text.compare(at, 2, "--") == 0 && instruction.keyword != "CMD" &&
           instruction.keyword != "ENTRYPOINT") {
      const std::size_t flag_end = std::min(text.find_first_of(" \t\n", at), text.size());
      instruction.flags.push_back(text.substr(at, flag_end - at));
      at = text.find_first_not_of(" \t\n", flag_end);
    }
    at = std::min(at, text.size());
    instruction.text = std::string(base::trim(std::string_view(text).substr(at)));
    for (const auto& [offset, line] : lines)
      instruction.lines.emplace_back(offset < at ? 0 : offset - at, line);
    read_exec(instruction);
    BASE_TRY(read_heredocs(instruction, start));
    m_instructions.push_back(std::move(instruction));
    return {};
  }

  static void read_exec(Instruction& instruction) {
    if (!instruction.text.starts_with('[')) return;
    const json value = json::parse(instruction.text, nullptr, /*allow_exceptions=*/false);
    if (!value.is_array()) return;
    std::vector<std::string> words;
    for (const auto& word : value) {
      if (!word.is_string()) return;
      words.push_back(word.get<std::string>());
    }
    instruction.exec = std::move(words);
  }

  base::Status read_heredocs(Instruction& instruction, std::size_t start) {
    const auto& keyword = instruction.keyword;
    if ((keyword != "RUN" && keyword != "COPY" && keyword != "ADD") || !instruction.exec.empty()) return {};
    const std::string head = instruction.text;
    std::string_view rest = head;
    while (true) {
      const std::string name = heredoc_name(rest);
      if (name.empty()) return {};
      instruction.has_heredoc = true;
      rest = rest.substr(rest.find("<<") + 2);
      const bool is_whole = keyword == "RUN" && head.starts_with("<<") && !base::contains(head, ' ');
      if (is_whole) {
        instruction = {
            .line = instruction.line, .keyword = keyword, .flags = instruction.flags, .is_script = true};
      }
      BASE_TRY(read_body(instruction, name, start));
    }
  }

  base::Status read_body(Instruction& instruction, const std::string& name, std::size_t start) {
    while (m_next < m_lines.size()) {
      const std::string& line = m_lines[m_next++];
      if (base::trim(line) == name) return {};
      if (!instruction.is_script) continue;
      instruction.lines.emplace_back(instruction.text.size(), m_next);
      instruction.text += line + "\n";
    }
    return fail(start, "the here-document " + base::quoted(name) + " does not end");
  }

  std::string m_where;
  std::vector<std::string> m_lines;
  std::size_t m_next = 0;
  char m_escape = '\\';
  std::vector<Instruction> m_instructions;
};

// Replaces variables and removes quotes, as BuildKit does in most instructions.
class Expander {
 public:
  Expander(std::string_view text, const Variables& variables) : m_text(text), m_variables(variables) {}

  ExpandedWords words() {
    ExpandedWords all;
    while (skip_space()) all.words.push_back(word(/*stops_at_space=*/true));
    return all;
  }

  ExpandedText word(bool stops_at_space) {
    m_unknown.clear();
    m_is_too_large = false;
    std::string result;
    while (!m_text.empty()) {
      const char character = m_text.front();
      if (stops_at_space && is_space(character)) break;
      if (character == '\'') {
        m_text.remove_prefix(1);
        result += take(std::min(m_text.find('\''), m_text.size()));
        drop(1);
      } else if (character == '"') {
        drop(1);
        while (!m_text.empty() && m_text.front() != '"') result += piece(/*is_quoted=*/true);
        drop(1);
      } else {
        result += piece(/*is_quoted=*/false);
      }
    }
    return {std::move(result), m_unknown, m_is_too_large};
  }

 private:
  static bool is_space(char character) { return base::contains(" \t\n", character); }

  bool skip_space() {
    while (!m_text.empty() && is_space(m_text.front())) m_text.remove_prefix(1);
    return !m_text.empty();
  }

  std::string take(std::size_t length) {
    const std::string taken(m_text.substr(0, length));
    m_text.remove_prefix(length);
    return taken;
  }

  void drop(std::size_t length) { m_text.remove_prefix(std::min(length, m_text.size())); }

  // A character, an escaped one, or a variable.
  std::string piece(bool is_quoted) {
    const char character = m_text.front();
    if (character == '\\' && m_text.size() > 1) {
      const bool stays = is_quoted && !base::contains("\"\\$", m_text[1]);
      drop(1);
      return (stays ? "\\" : "") + take(1);
    }
    if (character != '$') return take(1);
    drop(1);
    return variable();
  }

  std::string variable() {
    if (m_text.starts_with('{')) {
      const std::size_t end = m_text.find('}');
      if (end == std::string_view::npos) return "$";
      const std::string inside(m_text.substr(1, end - 1));
      drop(end + 1);
      return braced(inside);
    }
    const auto* const end = std::find_if_not(m_text.begin(), m_text.end(), is_variable_character);
    const std::string name = take(static_cast<std::size_t>(end - m_text.begin()));
    return name.empty() ? "$" : value_of(name);
  }

  // NAME, NAME:-otherwise, NAME:+instead
  std::string braced(const std::string& inside) {
    const std::size_t colon = inside.find(':');
    const std::string name = inside.substr(0, colon);
    if (colon == std::string::npos) return value_of(name);
    const auto found = m_variables.find(name);
    const bool is_set = found != m_variables.end() && !found->second.empty();
    const std::string other = inside.size() > colon + 2 ? inside.substr(colon + 2) : "";
    if (inside.compare(colon, 2, ":-") == 0) return is_set ? value_of(name) : other;
    if (inside.compare(colon, 2, ":+") == 0) return is_set ? other : "";
    return value_of(inside);
  }

  std::string value_of(const std::string& name) {
    const auto found = m_variables.find(name);
    if (found != m_variables.end()) {
      m_expanded += found->second.size();
      if (m_expanded <= k_largest_expansion) return found->second;
      m_is_too_large = true;
    }
    if (m_unknown.empty()) m_unknown = name;
    return "";
  }

  std::string_view m_text;
  const Variables& m_variables;
  std::size_t m_expanded = 0;  // bytes of variables, of all words
  std::string m_unknown;       // of the word
  bool m_is_too_large = false;
};

}  // namespace

bool is_variable_character(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_';
}

std::size_t Instruction::line_at(std::size_t offset) const {
  std::size_t found = line;
  for (const auto& [start, number] : lines) {
    if (start <= offset) found = number;
  }
  return found;
}

base::Result<std::vector<Instruction>> parse_dockerfile(std::string_view text, const std::string& where) {
  return Parser(text, where).parse();
}

ExpandedText expand_text(std::string_view text, const Variables& variables) {
  return Expander(text, variables).word(/*stops_at_space=*/false);
}

std::vector<std::string> ExpandedWords::texts() const {
  std::vector<std::string> all;
  for (const auto& word : words) all.push_back(word.text);
  return all;
}

std::string ExpandedWords::unknown() const {
  const auto found =
      std::find_if(words.begin(), words.end(), [](const auto& word) { return !word.unknown.empty(); });
  return found == words.end() ? "" : found->unknown;
}

ExpandedWords expand_words(std::string_view text, const Variables& variables) {
  return Expander(text, variables).words();
}

}  // namespace starter
