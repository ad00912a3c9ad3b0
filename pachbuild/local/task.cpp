// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/task.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace base {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Error, kind, where, what, hint)

}  // namespace base

namespace local {
namespace {

using Json = nlohmann::json;

constexpr char k_command_starts[] = "+";
constexpr char k_command_ended[] = "-";

std::string to_message(const Json& json) {
  std::string message;
  Json::to_cbor(json, message);
  return message;
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TaskInput, name, root, path, version, lazy, empty_files, read_only,
                                   listing)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Task, id, inputs, command, standard_input, error_command,
                                   error_standard_input, accepted_codes, environment, folder, log, output,
                                   timeout_ms, tries)

Task moved_below(Task task, const std::string& root) {
  for (auto& input : task.inputs) input.root.insert(0, root);
  if (!task.output.empty()) task.output.insert(0, root);
  return task;
}

std::string encode(const Task& task) { return to_message(task); }

Task decode_task(const std::string& message) { return Json::from_cbor(message).get<Task>(); }

std::string encode(const TaskOutcome& outcome) {
  Json json = {{"id", outcome.id},
               {"result", outcome.result},
               {"reason", outcome.reason},
               {"exit_code", outcome.exit_code},
               {"duration_ns", outcome.duration_ns},
               {"log_errno", outcome.log_errno}};
  if (outcome.error) json["error"] = *outcome.error;
  return to_message(json);
}

std::optional<TaskOutcome> decode_outcome(const std::string& message) {
  try {
    const Json json = Json::from_cbor(message);
    TaskOutcome outcome{json.at("id"),          json.at("result"), json.at("reason"),   json.at("exit_code"),
                        json.at("duration_ns"), std::nullopt,      json.at("log_errno")};
    if (json.contains("error")) outcome.error = json.at("error").get<base::Error>();
    return outcome;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string timeout_reason(const Task& task) {
  return "timed out after " + base::format_duration(std::chrono::milliseconds(task.timeout_ms));
}

// One byte that no CBOR object begins with.
std::string encode_running(bool is_running) { return is_running ? k_command_starts : k_command_ended; }

std::optional<bool> decode_running(const std::string& message) {
  if (message == k_command_starts) return true;
  if (message == k_command_ended) return false;
  return std::nullopt;
}

}  // namespace local
