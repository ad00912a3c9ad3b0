// SPDX-License-Identifier: Apache-2.0
// Worker processes that share a list of tasks: each gets the next one when it is done with the last. A worker
// that ends unexpectedly, or lets the time limit of its task pass, is replaced: it costs its task, not the
// others.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "pachbuild/local/pool/attended.h"
#include "pachbuild/local/pool/channel.h"
#include "pachbuild/local/pool/slots.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/pool/worker_host.h"
#include "process/child.h"

namespace local {

class Pool {
 public:
  // Starts `count` workers whose files are below `folder`, which must be on the file system of the tasks'
  // outputs. With `slots`, each of their tasks takes one of these. Both must outlive the pool.
  static base::Result<Pool> start(int count, const base::fs::path& folder, const WorkerHost& host,
                                  Slots* slots = nullptr);

  Pool(Pool&&) = default;
  Pool& operator=(Pool&&) = delete;
  // Every process of every worker is gone afterwards.
  ~Pool();

  struct Events {
    std::function<void(const Task&)> started;
    // With the slot that the task has, which others get when it is gone.
    std::function<base::Status(const Task&, const TaskOutcome&, std::optional<Slots::Slot>)> done;
    std::function<base::Status()> tick;  // about ten times a second
    std::function<void(const std::string&)> warned;
    // What the task's command has printed, while it runs and before `done`; none: nobody wants it.
    std::function<void(const Task&, std::string_view)> printed;
    // Whether that is only the end of what is new, of commands that run for a second.
    bool only_newest = false;
    int wake = -1;  // a descriptor that makes a tick come at once when it is readable
  };

  enum class Run { finished, interrupted };

  // Gives the next task, nothing when there is no other: so that not all of them need to exist at once.
  using NextTask = std::function<base::Result<std::optional<Task>>()>;

  // Runs all that `next` gives. Stops early when `interruption` becomes readable, or when an event or `next`
  // fails.
  base::Result<Run> run(NextTask next, const Events& events, int interruption);

  // Runs one task, which has no log; being interrupted is an error. `printed` gets what its command prints,
  // as it comes: through a pipe, so that a full disk cannot keep it. Without `printed` that goes where ours
  // goes.
  base::Result<TaskOutcome> run_one(Task task, int interruption,
                                    const std::function<void(std::string_view)>& printed,
                                    const std::function<void(const std::string&)>& warned);

  // Runs one task that is attended: by `attend`, which gets its command before it starts, and returns when
  // that has ended or shall end. The outcome has an error where the output could not be a datum's.
  base::Result<TaskOutcome> run_attended(const Task& task, int interruption,
                                         const std::function<base::Status(AttendedCommand&)>& attend);

 private:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    process::Child child;
    Channel channel;
    std::optional<Listener> listener;  // until the worker has connected
    base::fs::path folder;
    std::string name;  // by which its host knows it
    std::optional<Task> task;
    std::optional<Slots::Slot> slot;  // of the task
    base::UniqueFd log;               // what the task's command prints
    std::string log_path;
    int log_errno = 0;        // why the task has no log
    off_t log_told = 0;       // how much of it `printed` has got
    base::UniqueFd output;    // of a task without a log: the end of the pipe that is read
    Clock::time_point began;  // its task
    // Of the command that runs now, with some time for the worker to end it by itself.
    std::optional<Clock::time_point> deadline;
  };
  using WorkerPointer = std::unique_ptr<Worker>;  // none: it is gone, and not replaced yet
  Pool(base::fs::path folder, const WorkerHost& host, Slots* slots)
      : m_folder(std::move(folder)), m_host(&host), m_slots(slots) {}
  base::Result<WorkerPointer> start_worker();
  static base::Status await(Worker& worker);
  // The tasks of a run that no worker has.
  struct Tasks {
    NextTask next;  // none when all have been given
    std::deque<Task> again;
    base::Result<std::optional<Task>> take();
    [[nodiscard]] bool are_done() const { return !next && again.empty(); }
  };
  base::Status assign(Tasks& tasks, const Events& events);
  // What a worker has said, or that it is gone.
  base::Status receive(WorkerPointer& worker, Tasks& tasks, const Events& events);
  static void open_log(Worker& worker);
  static void open_pipe(Worker& worker);
  // Tells what is new in the log of its task.
  static void follow_log(Worker& worker, const Events& events, bool is_last);
  // Tells what is in its pipe now.
  static void read_pipe(Worker& worker, const Events& events);
  void follow_logs(const Events& events);
  static void name_log(Worker& worker);
  static void keep_log(Worker& worker, const Task& task, const TaskOutcome& outcome);
  static void remove_log(const Worker& worker);
  base::Status finish(Worker& worker, TaskOutcome outcome, const Events& events) const;
  base::Status replace_lost(WorkerPointer& worker, Tasks& tasks, const Events& events);
  base::Status end_overdue(WorkerPointer& worker, const Events& events);
  // The next message of a worker that nothing else is waited for.
  base::Result<std::string> await_message(Worker& worker, int interruption) const;
  // Ends it with every process that it has started; how it ended, if it did so by itself.
  [[nodiscard]] std::optional<process::Ending> stop(Worker& worker, std::chrono::milliseconds patience) const;
  void clear(WorkerPointer& worker) const;

  base::fs::path m_folder;
  const WorkerHost* m_host;
  Slots* m_slots;
  int m_started = 0;
  Clock::time_point m_followed;  // when logs were looked at
  std::vector<WorkerPointer> m_workers;
  std::set<std::string> m_lost;  // the tasks that have lost a worker
};

}  // namespace local
