// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/shell_words.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"

namespace starter {
namespace {

constexpr std::array<std::string_view, 12> k_compound = {"if",    "then", "else", "elif", "fi",   "for",
                                                         "while", "do",   "done", "case", "esac", "until"};

// "NAME=value"
bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         std::isdigit(static_cast<unsigned char>(word[0])) == 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), is_variable_character);
}

class Reader {
 public:
  Reader(std::string_view text, const Variables& variables, bool newlines_end)
      : m_text(text), m_variables(variables), m_newlines_end(newlines_end) {}

  std::vector<ShellCommand> read() {
    while (m_at < m_text.size()) step();
    end_command();
    return std::move(m_commands);
  }

 private:
  [[nodiscard]] char next() const { return m_text[m_at]; }

  void step() {
    const char character = next();
    if (character == '\\' && m_at + 1 < m_text.size()) {
      // Before a newline it continues the line.
      if (m_text[m_at + 1] != '\n') add(m_text[m_at + 1]);
      m_at += 2;
    } else if (base::contains(" \t", character) || (character == '\n' && !m_newlines_end)) {
      end_word();
      ++m_at;
    } else if (character == '#' && !m_has_word) {
      end_word();
      m_at = std::min(m_text.find('\n', m_at), m_text.size());
    } else if (character == '|' && m_text.substr(m_at, 2) != "||") {
      // What the second program of a pipe does depends on the first.
      end_word();
      m_command.is_plain = false;
      ++m_at;
    } else if (character == '\n' || character == ';' || character == '&' || character == '|' ||
               character == '(' || character == ')') {
      end_command();
      m_at += m_text.substr(m_at, 2) == "||" ? std::size_t{2} : std::size_t{1};
    } else if (character == '>' || character == '<') {
      redirect();
    } else if (character == '\'') {
      quote_single();
    } else if (character == '"') {
      quote_double();
    } else if (character == '$' || character == '`') {
      substitute();
    } else {
      add(character);
      ++m_at;
    }
  }

  void add(char character) {
    start_word();
    m_word += character;
  }

  void start_word() {
    if (!m_has_word && m_command.words.empty() && m_start == std::string_view::npos) m_start = m_at;
    m_has_word = true;
  }

  // "> file" and "2>&1" say where output goes. "numpy>=1.2" without quotes does so as well for a shell, which
  // nobody who writes it means.
  void redirect() {
    const bool is_number = m_has_word && m_word.find_first_not_of("0123456789") == std::string::npos;
    if (m_has_word && !is_number) {
      add(next());
      ++m_at;
      return;
    }
    m_word.clear();
    m_has_word = false;
    while (m_at < m_text.size() && base::contains("<>&- \t", next())) ++m_at;
    while (m_at < m_text.size() && !base::contains(" \t\n;&|()", next())) ++m_at;
  }

  void quote_single() {
    start_word();
    const auto end = std::min(m_text.find('\'', m_at + 1), m_text.size());
    m_word += m_text.substr(m_at + 1, end - m_at - 1);
    m_at = std::min(end + 1, m_text.size());
  }

  void quote_double() {
    start_word();
    ++m_at;
    while (m_at < m_text.size() && next() != '"') {
      if (next() == '\\' && m_at + 1 < m_text.size() && base::contains("\"\\$`\n", m_text[m_at + 1])) {
        if (m_text[m_at + 1] != '\n') m_word += m_text[m_at + 1];
        m_at += 2;
      } else if (next() == '$' || next() == '`') {
        substitute();
      } else {
        m_word += next();
        ++m_at;
      }
    }
    m_at = std::min(m_at + 1, m_text.size());
  }

  // A variable that is known; what is not known stays as it is written.
  void substitute() {
    start_word();
    const std::size_t start = m_at++;
    const bool is_braced = m_at < m_text.size() && next() == '{';
    std::size_t end = m_at + (is_braced ? 1 : 0);
    while (end < m_text.size() && is_variable_character(m_text[end])) ++end;
    const std::string name(m_text.substr(m_at + (is_braced ? 1 : 0), end - m_at - (is_braced ? 1 : 0)));
    const auto found = m_variables.find(name);
    const bool is_closed = !is_braced || (end < m_text.size() && m_text[end] == '}');
    if (found != m_variables.end()) m_expanded += found->second.size();
    if (m_text[start] != '$' || found == m_variables.end() || !is_closed ||
        m_expanded > k_largest_expansion) {
      m_word += m_text[start];
      m_command.is_plain = false;
      return;
    }
    m_word += found->second;
    m_at = end + (is_braced ? 1 : 0);
  }

  void end_word() {
    if (!m_has_word) return;
    m_has_word = false;
    auto word = std::move(m_word);
    m_word.clear();
    const bool is_before = m_command.words.empty() && is_assignment(word);
    (is_before ? m_command.assignments : m_command.words).push_back(std::move(word));
  }

  void end_command() {
    end_word();
    if (!m_command.words.empty()) {
      m_command.offset = m_start;
      m_command.text = base::join(base::words(m_text.substr(m_start, m_at - m_start)), " ");
      if (std::find(k_compound.begin(), k_compound.end(), m_command.words.front()) != k_compound.end())
        m_command.is_plain = false;
      m_commands.push_back(std::move(m_command));
    }
    m_command = {};
    m_start = std::string_view::npos;
  }

  std::string_view m_text;
  const Variables& m_variables;
  bool m_newlines_end;
  std::size_t m_at = 0;
  std::size_t m_start = std::string_view::npos;  // of the command
  bool m_has_word = false;
  std::string m_word;
  std::size_t m_expanded = 0;  // bytes of variables
  ShellCommand m_command;
  std::vector<ShellCommand> m_commands;
};

}  // namespace

std::vector<ShellCommand> shell_commands(std::string_view text, const Variables& variables,
                                         bool newlines_end) {
  return Reader(text, variables, newlines_end).read();
}

}  // namespace starter
