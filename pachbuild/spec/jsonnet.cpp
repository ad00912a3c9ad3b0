// SPDX-License-Identifier: Apache-2.0
// The program jsonnet evaluates templates: Debian's libjsonnet cannot be linked into a static program.
#include "pachbuild/spec/jsonnet.h"

#include <algorithm>
#include <csignal>
#include <string_view>

#include "base/text.h"
#include "process/interruption.h"
#include "process/runner.h"

namespace spec {
namespace {

using base::ErrorKind;

bool is_word_character(char character) {
  return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
         (character >= 'a' && character <= 'z') || character == '_';
}

// The words of a template outside of its texts and comments.
class TemplateWords {
 public:
  explicit TemplateWords(std::string_view text) : m_rest(text) {}

  // Empty at the end.
  std::string_view next() {
    while (!m_rest.empty()) {
      if (skip_comment() || skip_text()) continue;
      const auto end =
          std::size_t(std::find_if_not(m_rest.begin(), m_rest.end(), is_word_character) - m_rest.begin());
      const std::string_view word = m_rest.substr(0, end);
      m_rest.remove_prefix(std::max<std::size_t>(end, 1));
      if (!word.empty()) return word;
    }
    return {};
  }

 private:
  void skip_to(std::string_view end, std::size_t from) {
    const auto found = m_rest.find(end, from);
    m_rest.remove_prefix(found == std::string_view::npos ? m_rest.size() : found + end.size());
  }

  bool skip_comment() {
    if (m_rest.starts_with("/*")) {
      skip_to("*/", 2);
    } else if (m_rest.starts_with("//") || m_rest.starts_with('#')) {
      skip_to("\n", 0);
    } else {
      return false;
    }
    return true;
  }

  // "a\"b", 'a', @"verbatim ""text""", and a block that ends with the first line that starts with "|||".
  bool skip_text() {
    if (m_rest.starts_with("|||")) {
      skip_block();
      return true;
    }
    const bool is_verbatim = m_rest.starts_with("@\"") || m_rest.starts_with("@'");
    const char quote = m_rest[is_verbatim ? 1 : 0];
    if (quote != '"' && quote != '\'') return false;
    std::size_t end = is_verbatim ? 2 : 1;
    while (end < m_rest.size() && m_rest[end] != quote) {
      const bool escapes = !is_verbatim && m_rest[end] == '\\';
      end += escapes ? 2U : 1U;
    }
    m_rest.remove_prefix(std::min(end + 1, m_rest.size()));
    return true;
  }

  void skip_block() {
    skip_to("\n", 0);
    while (!m_rest.empty()) {
      const std::string_view line = base::trim(m_rest.substr(0, m_rest.find('\n')));
      if (line.starts_with("|||")) return skip_to("|||", 0);
      skip_to("\n", 0);
    }
  }

  std::string_view m_rest;
};

// Pachyderm evaluates a template without any files, and this one may come from somebody else: it does not get
// to read what this user can.
base::Status check_imports(const std::string& text, const std::string& file) {
  TemplateWords words(text);
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (word != "import" && word != "importstr" && word != "importbin") continue;
    return base::fail(ErrorKind::bad_input, file, "imports a file; templates cannot import files",
                      "put what it imports into the template");
  }
  return {};
}

// "FILE:1:2" of a text that starts with "FILE:1:2-3"; else empty.
std::string place_in(std::string_view text, const std::string& file) {
  if (!text.starts_with(file + ":")) return {};
  std::string_view place = text.substr(0, text.find_first_not_of("0123456789:", file.size()));
  while (place.ends_with(':')) place.remove_suffix(1);
  return std::string(place);
}

// The parameter of the template that no --arg gives a value, in jsonnet's words; else empty.
std::string unbound_parameter(std::string_view what) {
  constexpr std::string_view k_start = "function parameter ";
  const auto end = what.find(" not bound in call");
  if (!what.starts_with(k_start) || end == std::string_view::npos) return {};
  return std::string(what.substr(k_start.size(), end - k_start.size()));
}

// jsonnet's own words are "STATIC ERROR: FILE:1:2-3: …", or "RUNTIME ERROR: …" with a line for each place
// that led there, the innermost first.
base::Error failure(const std::string& errors, const std::string& file, const process::Ending& ending) {
  constexpr std::string_view k_kind = "ERROR: ";
  const auto lines = base::split(errors, '\n');
  std::string_view what = base::trim(lines.front());
  if (const auto start = what.find(k_kind); start != std::string_view::npos)
    what.remove_prefix(start + k_kind.size());
  std::string where = place_in(what, file);
  if (!where.empty()) {
    what.remove_prefix(std::min(what.find(": "), what.size() - 2) + 2);
  } else if (lines.size() > 1) {
    where = place_in(base::trim(lines[1]), file);
  }
  if (what.empty()) return {ErrorKind::bad_input, file, "jsonnet " + ending.predicate()};
  if (where.empty()) {
    if (const auto parameter = unbound_parameter(what); !parameter.empty())
      return {ErrorKind::bad_input, file, "parameter " + base::quoted(parameter) + " has no value",
              "add --arg " + parameter + "=VALUE"};
  }
  return {ErrorKind::bad_input, where.empty() ? file : where,
          "is not a valid template: " + std::string(what)};
}

}  // namespace

base::Result<std::string> evaluate(const std::string& text, const std::string& file,
                                   const std::vector<std::string>& arguments) {
  BASE_TRY(check_imports(text, file));
  const auto environment = process::current_environment();
  const auto program = process::find_program("jsonnet", process::value_of(environment, "PATH"));
  if (!program) {
    return base::fail(ErrorKind::unavailable, file, "jsonnet is not on PATH",
                      "install it (apt install jsonnet), or save the template's result as JSON");
  }
  process::Command command{.arguments = {*program}, .environment = environment, .folder = {}};
  for (const auto& argument : arguments) {
    if (const auto equals = argument.find('='); equals == std::string::npos || equals == 0) {
      return base::fail(ErrorKind::usage, "--arg " + argument, "does not have the form KEY=VALUE",
                        "for example --arg image=ubuntu:24.04");
    }
    command.arguments.insert(command.arguments.end(), {"--tla-str", argument});
  }
  command.arguments.insert(command.arguments.end(), {"--", file});
  command.orphan_signal = SIGKILL;  // it only computes
  process::SystemRunner runner;
  BASE_TRY_ASSIGN(const auto finished, runner.run(command, {}));
  if (!finished.ending.succeeded()) return base::fail(failure(finished.errors, file, finished.ending));
  return finished.output;
}

}  // namespace spec
