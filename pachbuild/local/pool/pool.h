// SPDX-License-Identifier: Apache-2.0
// Worker processes that share a list of tasks: each gets the next one when it is done with the last. A worker
// that ends unexpectedly, or lets the time limit of its task pass, is replaced: it costs its task, not the
// others.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "pachbuild/local/pool/channel.h"
#include "pachbuild/local/pool/place.h"
#include "pachbuild/local/pool/slots.h"
#include "pachbuild/local/pool/task.h"
#include "process/child.h"

namespace local {

class Pool {
 public:
  // Starts `count` workers whose files are below `folder`, which must be on the file system of the tasks'
  // outputs. With `slots`, each of their tasks takes one of these. Both must outlive the pool.
  static base::Result<Pool> start(int count, const base::fs::path& folder, const Place& place,
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
  };

  enum class Run { finished, interrupted };

  // Gives the next task, nothing when there is no other: so that not all of them need to exist at once.
  using NextTask = std::function<base::Result<std::optional<Task>>()>;

  // Runs all that `next` gives. Stops early when `interruption` becomes readable, or when an event or `next`
  // fails.
  base::Result<Run> run(NextTask next, const Events& events, int interruption);

  // Runs one task; being interrupted is an error.
  base::Result<TaskOutcome> run_one(Task task, int interruption);

 private:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    process::Child child;
    Channel channel;
    std::optional<Listener> listener;  // until the worker has connected
    base::fs::path folder;
    std::string name;  // by which its place knows it
    std::optional<Task> task;
    std::optional<Slots::Slot> slot;  // of the task
    base::UniqueFd log;               // what the task's command prints
    std::string log_path;
    int log_errno = 0;  // why the task has no log
    // Of the command that runs now, with some time for the worker to end it by itself.
    std::optional<Clock::time_point> deadline;
  };
  using WorkerPointer = std::unique_ptr<Worker>;  // none: it is gone, and not replaced yet
  Pool(base::fs::path folder, const Place& place, Slots* slots)
      : m_folder(std::move(folder)), m_place(&place), m_slots(slots) {}
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
  static void keep_log(Worker& worker, const Task& task, const TaskOutcome& outcome);
  static void remove_log(const Worker& worker);
  base::Status finish(Worker& worker, TaskOutcome outcome, const Events& events) const;
  base::Status replace_lost(WorkerPointer& worker, Tasks& tasks, const Events& events);
  base::Status end_overdue(WorkerPointer& worker, const Events& events);
  // Ends it with every process that it has started; how it ended, if it did so by itself.
  [[nodiscard]] std::optional<process::Ending> stop(Worker& worker, std::chrono::milliseconds patience) const;
  void clear(WorkerPointer& worker) const;

  base::fs::path m_folder;
  const Place* m_place;
  Slots* m_slots;
  int m_started = 0;
  std::vector<WorkerPointer> m_workers;
  std::set<std::string> m_lost;  // the tasks that have lost a worker
};

}  // namespace local
