// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/history/words.h"

#include <algorithm>
#include <string_view>

#include "base/credentials.h"
#include "base/errors.h"
#include "base/text.h"
#include "report/terminal_text.h"

namespace history {
namespace {

// bash, zsh and POSIX since 2024 know this form.
std::string escaped_word(std::string_view word) {
  std::string text(word);
  base::replace_all(text, "\\", "\\\\");
  base::replace_all(text, "'", "\\'");
  return "$'" + base::printable(text) + "'";
}

std::string quoted_word(std::string_view word) {
  return base::printable(word) == word ? base::shell_quote(word) : escaped_word(word);
}

// The words of `pachbuild` as a command in the folder of the run.
std::string in_folder(const Run& run, const std::vector<std::string>& words) {
  return "cd " + command_line({run.folder}) + " && pachbuild " + command_line(words);
}

// The same for a datum, whose id comes behind it, without what the words say of other parts or files of a
// run.
std::string for_a_datum(const Run& run, const Pipeline& pipeline, const std::vector<std::string>& words) {
  auto own = without_options(words, {"--pipeline", "--datum", "--tick", "--report", "--trace"},
                             {"--failed", "--explain"});
  if (run.pipelines.size() > 1) own.insert(own.end(), {"--pipeline", pipeline.name});
  if (!run.tick.empty()) own.insert(own.end(), {"--tick", run.tick});
  own.emplace_back("--datum");
  return in_folder(run, own) + " ";
}

}  // namespace

std::string shown(std::string_view text) { return base::printable(base::hide_credentials(text)); }

std::string shown_lines(std::string_view text) {
  return report::for_terminal(base::hide_credentials(text), report::Colours::drop);
}

std::string command_line(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  quoted.reserve(words.size());
  for (const auto& word : words) quoted.push_back(quoted_word(base::hide_credentials(word)));
  return base::join(quoted, " ");
}

std::vector<std::string> without_options(const std::vector<std::string>& words,
                                         const std::vector<std::string>& with_value,
                                         const std::vector<std::string>& flags) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto is = [&](const std::string& option) { return words[i] == option; };
    // "--option=value", "-ovalue".
    const auto has = [&](const std::string& option) {
      return words[i].starts_with(option) && (option[1] != '-' || words[i][option.size()] == '=');
    };
    if (std::any_of(with_value.begin(), with_value.end(), is)) {
      ++i;
    } else if (std::none_of(with_value.begin(), with_value.end(), has) &&
               std::none_of(flags.begin(), flags.end(), is)) {
      result.push_back(words[i]);
    }
  }
  return result;
}

DatumCommand run_datum(const Run& run, const Pipeline& pipeline) {
  // Also where its result is known.
  auto words = without_options(run.words, {}, {"--force"});
  words.emplace_back("--force");
  DatumCommand command{for_a_datum(run, pipeline, words), ""};
  if (!run.after_dashes.empty()) command.after = " -- " + command_line(run.after_dashes);
  return command;
}

DatumCommand open_shell(const Run& run, const Pipeline& pipeline) {
  auto words = without_options(run.words, {"--output", "-o", "--workers", "-w"},
                               {"--logs", "--force", "--partial", "--allow-empty", "--hard-links", "--quiet",
                                "-q", "--verbose", "-v"});
  std::replace(words.begin(), words.begin() + std::min<std::ptrdiff_t>(1, std::ssize(words)),
               std::string("run"), std::string("shell"));
  return {for_a_datum(run, pipeline, words), ""};
}

std::string run_again(const Run& run) {
  auto words = run.words;
  if (!run.after_dashes.empty()) {
    words.emplace_back("--");
    words.insert(words.end(), run.after_dashes.begin(), run.after_dashes.end());
  }
  return in_folder(run, words);
}

}  // namespace history
