// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/task.h"

#include <charconv>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pachbuild/local/pool/cbor.h"

namespace base {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Error, kind, where, what, hint)

}  // namespace base

namespace local {
namespace {

using Json = nlohmann::json;

constexpr char k_command_starts[] = "+";
constexpr char k_command_ended[] = "-";
constexpr char k_command_can_start[] = "?";
constexpr char k_stream[] = "|";
constexpr char k_signal[] = "!";

// A whole number from `least` to `greatest`; anything else throws, as all that is not what it should be.
std::int64_t number_in(const Json& object, const char* name, std::int64_t least, std::int64_t greatest) {
  const Json& value = object.at(name);
  const bool fits = value.is_number_integer() && value >= least && value <= greatest;
  if (!fits) throw Json::other_error::create(500, std::string(name) + " is out of range", &object);
  return value.get<std::int64_t>();
}

bool is_kind(int number) {
  using base::ErrorKind;
  switch (static_cast<ErrorKind>(number)) {
    case ErrorKind::step_failed:
    case ErrorKind::usage:
    case ErrorKind::bad_input:
    case ErrorKind::unavailable:
    case ErrorKind::bug:
    case ErrorKind::cannot_write:
    case ErrorKind::io:
    case ErrorKind::network:
      return true;
  }
  return false;
}

TaskOutcome outcome_of(const Json& object) {
  constexpr auto k_greatest = std::numeric_limits<std::int64_t>::max();
  constexpr int k_greatest_code = 255;
  TaskOutcome outcome{.id = object.at("id"), .reason = object.at("reason")};
  outcome.result =
      static_cast<TaskResult>(number_in(object, "result", 0, static_cast<int>(TaskResult::never_asked)));
  outcome.exit_code = static_cast<int>(number_in(object, "exit_code", 0, k_greatest_code));
  outcome.duration_ns = number_in(object, "duration_ns", 0, k_greatest);
  outcome.log_errno = static_cast<int>(number_in(object, "log_errno", 0, std::numeric_limits<int>::max()));
  outcome.left_processes = object.at("left_processes").get<bool>();
  outcome.stranger = object.at("stranger").get<std::string>();
  const auto error = object.find("error");
  if (error == object.end()) return outcome;
  const auto kind = static_cast<int>(number_in(*error, "kind", 1, k_greatest_code));
  if (!is_kind(kind)) throw Json::other_error::create(500, "no such kind of error", &object);
  outcome.error = error->get<base::Error>();
  return outcome;
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TaskInput, name, root, path, version, lazy, empty_files, read_only,
                                   resident, listing, modified)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Task, id, inputs, command, standard_input, error_command,
                                   error_standard_input, accepted_codes, environment, datum_variables,
                                   secret_variables, secret_folders, folder, log, output, timeout_ms, tries,
                                   tells_strangers, batching, batch_environment, attended, has_terminal)

process::Environment environment_of(const Task& task) {
  auto environment = task.environment;
  for (const auto& [name, value] : task.secret_variables) environment[name] = value;
  for (const auto& [name, value] : task.datum_variables) environment[name] = value;
  return environment;
}

std::vector<std::pair<std::string, std::string>> shown_variables(const Task& task) {
  std::vector<std::pair<std::string, std::string>> variables(task.environment.begin(),
                                                             task.environment.end());
  variables.insert(variables.end(), task.datum_variables.begin(), task.datum_variables.end());
  return variables;
}

Task moved_below(Task task, const std::string& root) {
  for (auto& input : task.inputs) input.root.insert(0, root);
  if (!task.output.empty()) task.output.insert(0, root);
  return task;
}

std::string encode(const Task& task) { return to_cbor(task); }

Task decode_task(const std::string& message) { return from_cbor(message).value().get<Task>(); }

std::string encode(const TaskOutcome& outcome) {
  Json object = {{"id", outcome.id},
                 {"result", outcome.result},
                 {"reason", outcome.reason},
                 {"exit_code", outcome.exit_code},
                 {"duration_ns", outcome.duration_ns},
                 {"log_errno", outcome.log_errno},
                 {"left_processes", outcome.left_processes},
                 {"stranger", outcome.stranger}};
  if (outcome.error) object["error"] = *outcome.error;
  return to_cbor(object);
}

std::optional<TaskOutcome> decode_outcome(const std::string& message) {
  const auto object = from_cbor(message);
  if (!object) return std::nullopt;
  try {
    return outcome_of(*object);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string timeout_reason(const Task& task) {
  return "timed out after " + base::format_duration(std::chrono::milliseconds(task.timeout_ms));
}

// One byte that no CBOR object begins with.
std::string encode_running(bool is_running) { return is_running ? k_command_starts : k_command_ended; }

std::string encode_ready() { return k_command_can_start; }

bool is_ready(const std::string& message) { return message == k_command_can_start; }

std::string encode_stream() { return k_stream; }

std::string encode_signal(int signal) { return k_signal + std::to_string(signal); }

std::optional<int> decode_signal(const std::string& message) {
  int number = 0;
  const char* const end = message.data() + message.size();
  if (!message.starts_with(k_signal) || std::from_chars(message.data() + 1, end, number).ptr != end)
    return std::nullopt;
  return number;
}

std::optional<bool> decode_running(const std::string& message) {
  if (message == k_command_starts) return true;
  if (message == k_command_ended) return false;
  return std::nullopt;
}

}  // namespace local
