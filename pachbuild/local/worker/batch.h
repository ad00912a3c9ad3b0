// SPDX-License-Identifier: Apache-2.0
// The program of a pipeline with datum batching: it runs on from datum to datum, and takes each by the call
// NextDatum (handleDatumSetBatching in src/server/worker/pipeline/transform/worker.go of 2.12). When a datum
// fails, the program is ended, and started again for the next try.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "pachbuild/local/batch/datum_server.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/worker/execution.h"
#include "pachbuild/local/worker/running_command.h"

namespace local {

class Batch {
 public:
  static base::Result<Batch> make();

  // Adds how the program finds the server.
  void add_variables(process::Environment& environment) const;

  struct Steps {
    int log = -1;  // as in ExecutionOptions
    // Make /pfs as the program finds it when it starts, and as it is for the datum.
    std::function<base::Status()> lay_out_start;
    std::function<base::Status()> lay_out;
    // Told when the program gets the datum and when it is done with it, if the task has a time limit.
    std::function<base::Status(bool is_running)> running;
  };
  // One try of the task's datum: from the call that asks for it to the next one.
  base::Result<Execution> attempt(const Task& task, const Steps& steps);

 private:
  using Clock = RunningCommand::Clock;
  explicit Batch(std::unique_ptr<DatumServer> server) : m_server(std::move(server)) {}
  base::Result<std::optional<Execution>> start(const Task& task, const Steps& steps);
  base::Result<Execution> hand_out(const Task& task, const Steps& steps);
  // What happened first.
  struct Turn {
    RunningCommand::Event event = RunningCommand::Event::ended;  // other: the program has called
    std::string error;                                           // what it said then
  };
  base::Result<Turn> wait_for_call(const std::optional<Clock::time_point>& deadline);
  static Execution judge_failure(const Task& task, const Turn& turn, const process::Ending& ending);
  struct Stopped {
    process::Ending ending;
    int log_errno = 0;
  };
  base::Result<Stopped> stop();

  std::unique_ptr<DatumServer> m_server;
  std::optional<RunningCommand> m_program;
  bool m_has_asked = false;  // ever
};

}  // namespace local
