// SPDX-License-Identifier: Apache-2.0
// Which files a builder means: "**/*.sh", "lib/**", "#!bash". docs/builder-toml.md, "Texts".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/pattern.h"

namespace builder::declared {

// Gives the first line of the file that is asked about, where a pattern needs it.
using FirstLine = std::function<std::string()>;

class FilePattern {
 public:
  // Fails with bad_input; `what` names the fault.
  static base::Result<FilePattern> compile(const std::string& text);

  // `path` is relative to the folder that the pattern is for.
  [[nodiscard]] bool matches(std::string_view path, const FirstLine& first_line) const;
  // Whether the pattern is the path of one file or folder.
  [[nodiscard]] bool is_plain() const { return m_is_plain; }
  // Whether a change of any file may matter: it has a "**".
  [[nodiscard]] bool is_wide() const { return m_text.find("**") != std::string::npos || m_is_interpreter; }
  // Whether it is the first line of a file that decides.
  [[nodiscard]] bool is_interpreter() const { return m_is_interpreter; }
  [[nodiscard]] const std::string& text() const { return m_text; }
  // For people: "*.sh", "file that starts with #!/bin/bash".
  [[nodiscard]] std::string described() const;

 private:
  FilePattern(std::string text, std::optional<Pattern> pattern, bool is_plain, bool is_interpreter)
      : m_text(std::move(text)),
        m_pattern(std::move(pattern)),
        m_is_plain(is_plain),
        m_is_interpreter(is_interpreter) {}

  std::string m_text;
  std::optional<Pattern> m_pattern;  // none for "#!…"
  bool m_is_plain;
  bool m_is_interpreter;
};

using FilePatterns = std::vector<FilePattern>;

// Whether one of them matches.
bool any_matches(const FilePatterns& patterns, std::string_view path, const FirstLine& first_line);

// "bash" of "#!/usr/bin/env bash -e" and of "#!/bin/bash"; empty where the line names none.
std::string interpreter_of(std::string_view first_line);

}  // namespace builder::declared
