// SPDX-License-Identifier: Apache-2.0
#include "report/help_lines.h"

#include <utility>

#include "base/text.h"
#include "report/columns.h"

namespace report {
namespace {

// A meaning that begins further to the right is that of an example.
constexpr std::size_t k_last_column = k_help_columns / 2;
constexpr std::string_view k_of_sentences = "Exit codes:";

class Folding {
 public:
  void take(const std::string& line) {
    const auto content = base::trim(line);
    if (content.empty()) {
      end_block();
      m_folded += '\n';
      m_has_sentences = false;
      return;
    }
    const auto indentation = line.find_first_not_of(' ');
    if (indentation == 0) {
      take_prose(content);
    } else if (m_kind == Kind::entry && indentation > m_indentation) {
      add(content);
    } else {
      take_indented(line, indentation);
    }
  }

  std::string finish() && {
    end_block();
    return std::move(m_folded);
  }

 private:
  enum class Kind { none, prose, sentences, entry };

  void take_prose(std::string_view content) {
    if (m_kind != Kind::prose) begin(Kind::prose, "", 0);
    add(content);
    m_has_sentences = content == k_of_sentences;
    if (content.ends_with(':')) end_block();
  }

  void take_indented(const std::string& line, std::size_t indentation) {
    const auto gap = line.find("  ", indentation);
    const auto column = gap == std::string::npos ? gap : line.find_first_not_of(' ', gap);
    if (column <= k_last_column) {  // there is one
      begin(Kind::entry, line.substr(0, column), column);
      m_indentation = indentation;
      add(std::string_view(line).substr(column));
    } else if (m_has_sentences) {
      if (m_kind != Kind::sentences) begin(Kind::sentences, std::string(indentation, ' '), indentation);
      add(base::trim(line));
    } else {
      end_block();
      m_folded += line + "\n";
    }
  }

  void begin(Kind kind, std::string lead, std::size_t column) {
    end_block();
    m_kind = kind;
    m_lead = std::move(lead);
    m_column = column;
  }

  void add(std::string_view content) {
    if (!m_text.empty()) m_text += ' ';
    m_text += content;
  }

  void end_block() {
    if (m_kind == Kind::none) return;
    auto lines = in_lines(m_text, k_help_columns - m_column);
    base::replace_all(lines, "\n", "\n" + std::string(m_column, ' '));
    m_folded += m_lead + lines + "\n";
    m_text.clear();
    m_kind = Kind::none;
  }

  std::string m_folded;
  bool m_has_sentences = false;
  // What is being read: its kind, what its first line begins with, where its lines begin, its text.
  Kind m_kind = Kind::none;
  std::string m_lead;
  std::size_t m_column = 0;
  std::size_t m_indentation = 0;  // of an entry's name
  std::string m_text;
};

}  // namespace

std::string in_lines(std::string_view text, std::size_t columns) {
  std::string lines;
  std::size_t used = 0;
  for (const auto& word : base::words(text)) {
    const auto needed = columns_of(word);
    if (used > 0 && used + 1 + needed > columns) {
      lines += '\n';
      used = 0;
    } else if (used > 0) {
      lines += ' ';
      ++used;
    }
    used += needed;
    lines += word;
  }
  return lines;
}

std::string fold_help(const std::string& text) {
  const auto begin = text.find_first_not_of('\n');
  if (begin == std::string::npos) return "";
  const auto end = text.find_last_not_of('\n');
  Folding folding;
  for (const auto& line : base::split(std::string_view(text).substr(begin, end + 1 - begin), '\n'))
    folding.take(line);
  return std::move(folding).finish();
}

}  // namespace report
