// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/pachctl.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <thread>

#include "base/text.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;

constexpr char k_program_variable[] = "PACHCTL";
// Of pachctl itself (src/internal/config/config.go of 2.12).
constexpr char k_context_variable[] = "PACH_CONTEXT";
constexpr char k_configuration_variable[] = "PACH_CONFIG";
constexpr char k_pod_configuration[] = "/pachctl/config.json";

// Far more than the inputs of any pipeline. The library calls itself for each level.
constexpr std::size_t k_deepest_answer = 1000;

// How deep arrays and objects are nested in a text of JSON.
std::size_t nesting_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool is_in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    if (character == '\\') {
      ++i;  // in quotes; elsewhere it ends what can be read
    } else if (character == '"') {
      is_in_quotes = !is_in_quotes;
    } else if (is_in_quotes) {
      continue;
    } else if (character == '[' || character == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((character == ']' || character == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

using process::value_of;

// What pachctl says last is what went wrong: "rpc error: … = TEXT", or a text of its own.
std::string reason_in(const std::string& errors) {
  std::string last = base::last_line(errors);
  // "rpc error: code = NotFound desc = error running request 4 of 4: repo default/x not found"
  for (const std::string_view wrapping : {" desc = ", "error running request "}) {
    const auto start = last.rfind(wrapping);
    if (start != std::string::npos) last.erase(0, start + wrapping.size());
    if (start != std::string::npos && wrapping.starts_with("error")) last.erase(0, last.find(": ") + 2);
  }
  return last;
}

// Pachyderm's database has refused to do two things at the same time, and Pachyderm has not tried again, or
// not often enough. Nothing of it has happened. PostgreSQL's codes: class 40 (serialization failure,
// deadlock), what follows one in the same transaction, and a name that both have made; the word of
// Pachyderm's driver (pgx) for a transaction that could not be committed after one of these; and its own for
// additions to a transaction that came at the same time.
bool is_collision(const std::string& reason) {
  constexpr auto k_signs = std::to_array<std::string_view>(
      {"(SQLSTATE 40", "(SQLSTATE 25P02)", "(SQLSTATE 23505)", "commit unexpectedly resulted in rollback",
       "could not be modified due to concurrent modifications"});
  return std::any_of(k_signs.begin(), k_signs.end(), [&](auto sign) { return base::contains(reason, sign); });
}

fs::path configuration_in(const process::Environment& environment) {
  if (const auto named = value_of(environment, k_configuration_variable); !named.empty()) return named;
  if (::access(k_pod_configuration, F_OK) == 0) return k_pod_configuration;
  return fs::path(value_of(environment, "HOME")) / ".pachyderm/config.json";
}

}  // namespace

Pachctl::Pachctl(std::string program, Target target, fs::path scratch, process::Environment environment,
                 process::Runner& runner)
    : m_program(std::move(program)),
      m_target(std::move(target)),
      m_scratch(std::move(scratch)),
      m_environment(std::move(environment)),
      m_runner(&runner) {
  if (!m_target.context.empty()) m_environment[k_context_variable] = m_target.context;
}

base::Result<Pachctl> Pachctl::find(const Target& target, const fs::path& scratch, process::Runner& runner) {
  auto environment = process::current_environment();
  const auto named = value_of(environment, k_program_variable);
  const auto program =
      process::find_program(named.empty() ? "pachctl" : named, value_of(environment, "PATH"));
  const std::string variable = k_program_variable;
  if (!program && named.empty()) {
    return base::fail(ErrorKind::unavailable, "pachctl", "is not on PATH",
                      "install pachctl, or set its path in " + variable);
  }
  if (!program) {
    const bool is_path = base::contains(named, '/');
    const bool exists = is_path && ::access(named.c_str(), F_OK) == 0;
    return base::fail(ErrorKind::unavailable, variable + "=" + named,
                      exists    ? "is not executable"
                      : is_path ? "does not exist"
                                : "is not on PATH",
                      "correct " + variable + ", or unset it");
  }
  return Pachctl(*program, target, scratch, std::move(environment), runner);
}

process::Command Pachctl::command(std::vector<std::string> words) const {
  words.insert(words.begin(), m_program);
  process::Command command{.arguments = std::move(words), .environment = m_environment, .folder = {}};
  command.orphan_signal = SIGKILL;  // it has nothing to take back, and may ignore all else
  command.time_limit = m_limit;
  return command;
}

base::Status Pachctl::run(std::vector<std::string> words) const {
  BASE_TRY(call(std::move(words)));
  return {};
}

base::Result<std::string> Pachctl::call(std::vector<std::string> words, ErrorKind kind) const {
  if (!m_target.project.empty()) words.insert(words.end(), {"--project", m_target.project});
  return call_anywhere(std::move(words), kind);
}

base::Result<std::string> Pachctl::call_anywhere(std::vector<std::string> words, ErrorKind kind) const {
  const std::string shown = "pachctl " + words.at(0) + (words.size() > 1 ? " " + words.at(1) : "");
  constexpr int k_attempts = 6;
  constexpr std::chrono::milliseconds k_pause{100};
  for (int attempt = 1;; ++attempt) {
    BASE_TRY_ASSIGN(auto finished, m_runner->run(command(words), {}));
    if (finished.ending.succeeded()) return std::move(finished.output);
    auto reason = reason_in(finished.errors);
    if (reason.empty()) reason = "pachctl " + finished.ending.predicate();
    const bool collided = is_collision(reason);
    if (!collided) return base::fail(kind, shown, reason);
    if (attempt == k_attempts) return base::fail(ErrorKind::network, shown, reason, "try again later");
    std::this_thread::sleep_for(k_pause * attempt);
  }
}

base::Status Pachctl::list(std::vector<std::string> words, const Take& take) const {
  if (!m_target.project.empty()) words.insert(words.end(), {"--project", m_target.project});
  return list_anywhere(std::move(words), take);
}

base::Status Pachctl::list_anywhere(std::vector<std::string> words, const Take& take) const {
  words.emplace_back("--raw");
  const std::string shown = "pachctl " + words.at(0) + " " + words.at(1);
  BASE_TRY_ASSIGN(const std::string text, call_anywhere(std::move(words)));
  if (nesting_of(text) > k_deepest_answer)
    return base::fail(ErrorKind::io, shown, "returned JSON that is nested too deeply");
  std::istringstream stream(text);
  try {
    for (json item; stream >> std::ws && !stream.eof(); take(item)) stream >> item;
  } catch (const json::parse_error&) {
    return base::fail(ErrorKind::io, shown, "returned invalid JSON");
  } catch (const json::exception&) {
    return base::fail(ErrorKind::io, shown, "returned an unexpected answer",
                      "check the output of `pachctl version`");
  }
  return {};
}

Pachctl Pachctl::with_project(const std::string& project) const {
  Pachctl other = *this;
  other.m_target.project = project;
  return other;
}

Pachctl Pachctl::with_runner(process::Runner& runner) const {
  Pachctl other = *this;
  other.m_runner = &runner;
  return other;
}

bool Pachctl::is_shared() const { return m_runner->is_shared(); }

Pachctl Pachctl::limited_to(std::chrono::milliseconds limit) const {
  Pachctl other = *this;
  other.m_limit = limit;
  return other;
}

Pachctl Pachctl::with_configuration(const fs::path& file) const {
  Pachctl other = *this;
  other.m_environment[k_configuration_variable] = file.string();
  return other;
}

base::Result<Pachctl> Pachctl::with_copied_configuration(const fs::path& file) const {
  boost::system::error_code error;
  constexpr mode_t k_private = 0600;
  if (const auto original = configuration(); fs::exists(original, error)) {
    BASE_TRY(base::copy_regular_file(original, file, k_private));
  }
  return with_configuration(file);
}

fs::path Pachctl::configuration() const { return configuration_in(m_environment); }

std::string Pachctl::cluster_identity() {
  const auto environment = process::current_environment();
  const auto text = base::read_file(configuration_in(environment));
  const auto config = json::parse(text.value_or(""), nullptr, /*allow_exceptions=*/false);
  std::string context = value_of(environment, k_context_variable);
  try {
    const auto& settings = config.at("v2");
    if (context.empty()) context = settings.at("active_context").get<std::string>();
    return settings.at("contexts").at(context).value("pachd_address", context);
  } catch (const json::exception&) {
    return context;
  }
}

}  // namespace cluster
