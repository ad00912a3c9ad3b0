// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/batch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

#include "base/text.h"
#include "pachbuild/local/batch/next_datum.h"

namespace local {
namespace {

using CommandEvent = RunningCommand::Event;

// Where a worker's server is (src/client/pps.go).
constexpr char k_port_variable[] = "PPS_WORKER_GRPC_PORT";
constexpr std::size_t k_longest_reason = 500;
constexpr int k_reported_exit_code = 1;

}  // namespace

base::Result<Batch> Batch::make() {
  BASE_TRY_ASSIGN(auto server, DatumServer::start());
  return Batch(std::move(server));
}

void Batch::add_variables(process::Environment& environment) const {
  environment[k_port_variable] = std::to_string(m_server->port());
  // gRPC's library in C takes a proxy for localhost too.
  constexpr std::array k_proxies = {"grpc_proxy", "https_proxy", "http_proxy"};
  const bool has_proxy = std::any_of(k_proxies.begin(), k_proxies.end(),
                                     [&](const char* name) { return environment.contains(name); });
  if (!has_proxy) return;
  auto& direct = environment["no_proxy"];
  if (direct.empty()) direct = process::value_of(environment, "NO_PROXY");
  direct += std::string(direct.empty() ? "" : ",") + "localhost,127.0.0.1,::1";
}

base::Result<Execution> Batch::attempt(const Task& task, const Steps& steps) {
  if (m_program && m_program->log() != nullptr) m_program->log()->change_log(steps.log);
  if (!m_program) {
    BASE_TRY_ASSIGN(auto failed, start(task, steps));
    if (failed) {
      // For the error command.
      if (failed->result == TaskResult::failed) BASE_TRY(steps.lay_out());
      return std::move(*failed);
    }
  }
  BASE_TRY(steps.lay_out());
  return hand_out(task, steps);
}

// Starts the program and waits until it asks for a datum, for as long as that takes; how it has failed.
base::Result<std::optional<Execution>> Batch::start(const Task& task, const Steps& steps) {
  BASE_TRY(steps.lay_out_start());
  auto environment = task.batch_environment;
  for (const auto& [name, value] : task.secret_variables) environment[name] = value;
  BASE_TRY_ASSIGN(auto started,
                  RunningCommand::start({.arguments = task.command,
                                         .environment = environment,
                                         .folder = task.folder,
                                         .standard_input = task.standard_input,
                                         .log = task.log.empty() ? std::nullopt : std::optional(steps.log)}));
  if (auto* const failed = std::get_if<Execution>(&started)) return std::move(*failed);
  m_program.emplace(std::move(std::get<RunningCommand>(started)));
  BASE_TRY_ASSIGN(const Turn turn, wait_for_call(std::nullopt));
  if (turn.event == CommandEvent::other) {
    m_has_asked = true;
    return std::nullopt;
  }
  BASE_TRY_ASSIGN(const auto stopped, stop());
  const auto& ending = stopped.ending;
  auto failed = Execution::failure(ending.describe() + ", before it asked for a datum", ending.exit_code());
  failed.log_errno = stopped.log_errno;
  if (!m_has_asked) failed.result = TaskResult::never_asked;
  return failed;
}

base::Result<Execution> Batch::hand_out(const Task& task, const Steps& steps) {
  std::optional<Clock::time_point> deadline;
  if (task.timeout_ms > 0) {
    BASE_TRY(steps.running(true));
    deadline = Clock::now() + std::chrono::milliseconds(task.timeout_ms);
  }
  m_server->answer(encode_next_datum_response(shown_variables(task)));
  BASE_TRY_ASSIGN(const Turn turn, wait_for_call(deadline));
  if (turn.event == CommandEvent::other && turn.error.empty()) {
    if (m_program->log() != nullptr) m_program->log()->move_rest();
    if (deadline) BASE_TRY(steps.running(false));
    return Execution{TaskResult::succeeded, "", 0, m_program->log_errno()};
  }
  BASE_TRY_ASSIGN(const auto stopped, stop());
  if (deadline) BASE_TRY(steps.running(false));
  auto failed = judge_failure(task, turn, stopped.ending);
  failed.log_errno = stopped.log_errno;
  return failed;
}

base::Result<Batch::Turn> Batch::wait_for_call(const std::optional<Clock::time_point>& deadline) {
  while (true) {
    BASE_TRY_ASSIGN(const auto event, m_program->wait(deadline, m_server->descriptor()));
    if (event != CommandEvent::other) return Turn{event, ""};
    if (auto error = m_server->take_call()) return Turn{event, std::move(*error)};
  }
}

Execution Batch::judge_failure(const Task& task, const Turn& turn, const process::Ending& ending) {
  switch (turn.event) {
    case CommandEvent::other:
      return Execution::failure("the program says: " + base::shortened(turn.error, k_longest_reason),
                                k_reported_exit_code);
    case CommandEvent::timed_out:
      return Execution::failure(timeout_reason(task), ending.exit_code());
    case CommandEvent::ended:
      break;
  }
  // As long as there are datums it has to wait for them.
  return Execution::failure(
      failure_reason(ending) + (is_accepted(task, ending) ? ", before it asked for the next datum" : ""),
      ending.exit_code());
}

base::Result<Batch::Stopped> Batch::stop() {
  BASE_TRY_ASSIGN(const auto ending, m_program->end());
  const int log_errno = m_program->log_errno();
  m_program.reset();
  m_server->disconnect();
  return Stopped{ending, log_errno};
}

}  // namespace local
