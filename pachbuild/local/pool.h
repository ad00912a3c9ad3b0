// SPDX-License-Identifier: Apache-2.0
// Worker processes that share a list of tasks: each gets the next one when it is done with the last.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "pachbuild/local/channel.h"
#include "pachbuild/local/container.h"
#include "pachbuild/local/task.h"
#include "process/child.h"

namespace local {

class Pool {
 public:
  // Starts `count` workers whose files are below `folder`, which must be on the file system of the tasks'
  // outputs; a container is shown it as it is shown the place's folders.
  static base::Result<Pool> start(int count, const base::fs::path& folder, Place place = {});

  Pool(Pool&&) = default;
  Pool& operator=(Pool&&) = delete;
  // Every process of every worker is gone afterwards.
  ~Pool();

  struct Events {
    std::function<void(const Task&)> started;
    std::function<base::Status(const Task&, const TaskOutcome&)> done;
    std::function<void()> tick;  // about ten times a second
  };

  enum class Run { finished, interrupted };

  // Runs all of `tasks`. Stops early when `interruption` becomes readable, or when an event fails.
  base::Result<Run> run(std::deque<Task> tasks, const Events& events, int interruption);

  // Runs one task; being interrupted is an error.
  base::Result<TaskOutcome> run_one(Task task, int interruption);

 private:
  struct Worker {
    process::Child child;
    Channel channel;
    std::optional<Listener> listener;  // until the worker has connected
    std::optional<Task> task;
  };
  explicit Pool(Place place) : m_place(std::move(place)) {}
  static base::Result<Worker> start_process(const base::fs::path& folder);
  [[nodiscard]] base::Result<Worker> start_container(const base::fs::path& folder) const;
  static base::Status await(Worker& worker);
  base::Status assign(std::deque<Task>& tasks, const Events& events);
  base::Status receive(Worker& worker, const Events& events);

  Place m_place;
  std::vector<std::unique_ptr<Worker>> m_workers;
};

}  // namespace local
