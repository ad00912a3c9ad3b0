// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/file_pattern.h"

#include <algorithm>

#include "base/inside.h"
#include "base/relative_path.h"
#include "base/text.h"

namespace builder::declared {
namespace {

constexpr std::string_view k_interpreter = "#!";

tl::unexpected<base::Error> invalid_pattern(const std::string& text, const std::string& why) {
  return base::fail(base::ErrorKind::bad_input, "",
                    "invalid file pattern " + base::quoted(text) + ": " + why);
}

// The expression for a pattern, a piece at a time.
class Translation {
 public:
  explicit Translation(const std::string& text) : m_text(text) {}

  base::Result<std::string> translate() {
    while (m_at < m_text.size()) BASE_TRY(piece());
    if (m_depth != 0) return invalid_pattern(m_text, "unclosed '{'");
    return m_result;
  }

  [[nodiscard]] bool is_plain() const { return m_is_plain; }

 private:
  base::Status piece() {
    const char character = m_text[m_at];
    if (base::contains("*?[{", character)) m_is_plain = false;
    switch (character) {
      case '*':
        stars();
        return {};
      case '?':
        m_result += "[^/]";
        break;
      case '[':
        return set();
      case '{':
        ++m_depth;
        m_result += "(?:";
        break;
      case '}':
        if (m_depth == 0) return invalid_pattern(m_text, "unmatched '}'");
        --m_depth;
        m_result += ')';
        break;
      case ',':
        m_result += m_depth > 0 ? "|" : ",";
        break;
      default:
        m_result += quoted_for_pattern(std::string_view(m_text).substr(m_at, 1));
    }
    ++m_at;
    return {};
  }

  void stars() {
    const auto rest = std::string_view(m_text).substr(m_at);
    const bool begins_part = m_at == 0 || m_text[m_at - 1] == '/';
    if (begins_part && rest.starts_with("**/")) {
      m_result += "(?:[^/]+/)*";
      m_at += 3;
    } else if (rest.starts_with("**")) {
      m_result += begins_part ? ".+" : ".*";
      m_at += 2;
    } else {
      m_result += begins_part ? "[^/]+" : "[^/]*";
      m_at += 1;
    }
  }

  base::Status set() {
    std::size_t end = m_at + 1;
    if (end < m_text.size() && (m_text[end] == '!' || m_text[end] == '^')) ++end;
    const bool is_negated = end > m_at + 1;
    const auto begin = end;
    end = m_text.find(']', end);
    if (end == std::string::npos || end == begin) return invalid_pattern(m_text, "unclosed '['");
    m_result += is_negated ? "[^/" : "[";
    for (const char character : m_text.substr(begin, end - begin)) {
      if (base::contains("\\[^&", character)) m_result += '\\';
      m_result += character;
    }
    m_result += ']';
    m_at = end + 1;
    return {};
  }

  const std::string& m_text;
  std::size_t m_at = 0;
  int m_depth = 0;
  bool m_is_plain = true;
  std::string m_result;
};

}  // namespace

base::Result<FilePattern> FilePattern::compile(const std::string& text) {
  if (text.starts_with(k_interpreter)) return FilePattern(text, std::nullopt, false, true);
  if (text.empty()) return invalid_pattern(text, "it is empty");
  if (!base::stays_inside(text)) return invalid_pattern(text, "it points outside the folder");
  Translation translation(text);
  BASE_TRY_ASSIGN(const std::string expression, translation.translate());
  auto pattern = Pattern::compile_whole(expression);
  if (!pattern) return invalid_pattern(text, pattern.error().what);
  return FilePattern(text, std::move(*pattern), translation.is_plain(), false);
}

bool FilePattern::matches(std::string_view path, const FirstLine& first_line) const {
  if (m_pattern) return m_pattern->matches(path);
  const std::string line = first_line();
  if (!line.starts_with(k_interpreter)) return false;
  return m_text == k_interpreter || interpreter_of(line) == m_text.substr(k_interpreter.size());
}

std::string FilePattern::described() const {
  if (!m_is_interpreter) return m_text;
  const bool is_any = m_text == k_interpreter;
  return "file that starts with " +
         (is_any ? m_text
                 : m_text.substr(0, k_interpreter.size()) + "/bin/" + m_text.substr(k_interpreter.size()));
}

bool any_matches(const FilePatterns& patterns, std::string_view path, const FirstLine& first_line) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const FilePattern& pattern) { return pattern.matches(path, first_line); });
}

std::string interpreter_of(std::string_view first_line) {
  if (!first_line.starts_with(k_interpreter)) return "";
  const auto words = base::words(first_line.substr(k_interpreter.size()));
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string name = base::name_of(words[i]);
    // env passes over its own options and variables.
    const bool is_of_env = i > 0 && (words[i].starts_with('-') || base::contains(words[i], '='));
    if ((i == 0 && name == "env") || is_of_env) continue;
    return name;
  }
  return "";
}

}  // namespace builder::declared
