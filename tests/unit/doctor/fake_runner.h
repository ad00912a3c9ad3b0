// SPDX-License-Identifier: Apache-2.0
// Tools that are not there: answers to calls by their words.
#pragma once

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "pachbuild/doctor/finding.h"
#include "pachbuild/doctor/machine.h"

namespace doctor {

class FakeRunner final : public process::Runner {
 public:
  struct Answer {
    int status = 0;  // as wait(2) gives it
    std::string output;
    std::string errors;
  };
  void answer(const std::string& words, Answer answer) { m_answers[words] = std::move(answer); }
  // Every call, with its program's path; the time limit in milliseconds before it.
  [[nodiscard]] const std::vector<std::string>& calls() const { return m_calls; }
  // The words of those that had a HOME.
  [[nodiscard]] const std::vector<std::string>& calls_at_home() const { return m_at_home; }

  base::Result<process::Finished> run(const process::Command& command, const process::ErrorSink&) override {
    const auto words = base::join(command.arguments, " ");
    if (command.environment.contains("HOME")) m_at_home.push_back(words);
    m_calls.push_back(std::to_string(command.time_limit.count()) + " " + words);
    const auto found = m_answers.find(words);
    if (found == m_answers.end())
      return base::fail(base::ErrorKind::unavailable, words, "did not answer within 5 s");
    const auto& [status, output, errors] = found->second;
    return process::Finished{process::Ending::from_wait_status(status), output, errors};
  }

 private:
  std::map<std::string, Answer> m_answers;
  std::vector<std::string> m_calls;
  std::vector<std::string> m_at_home;
};

inline int exit_status(int code) { return code << 8; }

// "ok uv: 0.9, /usr/bin/uv" and, where there is one, " | the fix".
inline std::vector<std::string> lines_of(const Findings& findings) {
  std::vector<std::string> lines;
  for (const auto& [check, state, what, fix] : findings) {
    constexpr std::array k_words = {"ok", "note", "warning", "problem"};
    lines.push_back(std::string(k_words.at(static_cast<std::size_t>(state))) + " " + check + ": " + what +
                    (fix.empty() ? "" : " | " + fix));
  }
  return lines;
}

}  // namespace doctor
