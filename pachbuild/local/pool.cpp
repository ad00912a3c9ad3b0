// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/errors.h"
#include "base/stop.h"
#include "pachbuild/local/worker.h"

namespace local {
namespace {

using base::ErrorKind;

constexpr int k_tick_ms = 100;
// A worker ends at once when its channel closes, unless the kernel is busy for it; an engine then removes its
// container.
constexpr std::chrono::milliseconds k_patience{500};
constexpr std::chrono::milliseconds k_patience_with_engine{20'000};

}  // namespace

base::Result<Pool> Pool::start(int count, const base::fs::path& folder, Place place) {
  Pool pool(std::move(place));
  const bool contained = pool.m_place.container != nullptr;
  if (contained) pool.m_place.shared.push_back({folder, true});
  for (int number = 0; number < count; ++number) {
    const auto own = folder / ("worker-" + std::to_string(number));
    BASE_TRY(base::make_folders(own, 0700));
    BASE_TRY_ASSIGN(auto worker, contained ? pool.start_container(own) : start_process(own));
    pool.m_workers.push_back(std::make_unique<Worker>(std::move(worker)));
  }
  for (auto& worker : pool.m_workers) BASE_TRY(await(*worker));
  return pool;
}

base::Result<Pool::Worker> Pool::start_process(const base::fs::path& folder) {
  BASE_TRY_ASSIGN(auto channel, Channel::make_pair());
  const int socket = channel.second.descriptor();
  BASE_TRY_ASSIGN(auto child, process::Child::start({.arguments = {"/proc/self/exe", k_worker_command,
                                                                   std::to_string(socket), folder.string()},
                                                     .environment = process::current_environment(),
                                                     .inherited = {socket},
                                                     .orphan_signal = SIGKILL}));
  return Worker{std::move(child), std::move(channel.first), std::nullopt, std::nullopt};
}

base::Result<Pool::Worker> Pool::start_container(const base::fs::path& folder) const {
  const auto socket = folder / "socket";
  BASE_TRY_ASSIGN(auto listener, Listener::make(socket));
  BASE_TRY(base::make_folders(folder / "pfs", 0700));
  if (m_place.user) {
    for (const auto& path : {folder.parent_path(), folder, folder / "pfs", socket}) {
      if (::chown(path.c_str(), *m_place.user, *m_place.user) != 0) {
        return base::fail(base::system_error("give away", path.string(), errno));
      }
    }
  }
  BASE_TRY_ASSIGN(const auto command, worker_command(m_place, folder, socket));
  BASE_TRY_ASSIGN(auto child, process::Child::start(command));
  return Worker{std::move(child), Channel(base::UniqueFd()), std::move(listener), std::nullopt};
}

base::Status Pool::await(Worker& worker) {
  if (!worker.listener) return {};
  BASE_TRY_ASSIGN(auto channel, worker.listener->accept(worker.child.descriptor()));
  worker.listener.reset();
  if (channel) {
    worker.channel = std::move(*channel);
    return {};
  }
  BASE_TRY_ASSIGN(const auto ending, worker.child.wait());
  return base::fail(ErrorKind::unavailable, "", "a container could not be started: " + ending.describe(),
                    "what is wrong is said in the engine's own lines above");
}

Pool::~Pool() {
  const auto patience = m_place.container == nullptr ? k_patience : k_patience_with_engine;
  for (auto& worker : m_workers) {
    worker->channel.close();
    worker->listener.reset();
  }
  for (auto& worker : m_workers) {
    if (worker->child.descriptor() < 0) continue;  // has been waited for
    if (const auto ending = worker->child.wait_for(patience); !ending || !*ending) {
      worker->child.signal_group(SIGKILL);
    }
  }
}

base::Status Pool::assign(std::deque<Task>& tasks, const Events& events) {
  for (auto& worker : m_workers) {
    if (tasks.empty()) return {};
    if (worker->task) continue;
    worker->task = std::move(tasks.front());
    tasks.pop_front();
    events.started(*worker->task);
    // A worker that is gone already has left its last words for us to receive.
    const auto message =
        encode(m_place.container == nullptr ? *worker->task : moved_below(*worker->task, k_host_root));
    if (!worker->channel.send(message)) BASE_TRY(receive(*worker, events));
  }
  return {};
}

base::Status Pool::receive(Worker& worker, const Events& events) {
  BASE_TRY_ASSIGN(const auto message, worker.channel.receive());
  if (!message) {
    BASE_TRY_ASSIGN(const auto ending, worker.child.wait());
    return base::fail(ErrorKind::io, "", "a worker ended unexpectedly: " + ending.describe(),
                      "if the machine was short of memory, try fewer --workers");
  }
  const auto task = std::move(worker.task);
  worker.task.reset();
  return events.done(*task, decode_outcome(*message));
}

base::Result<Pool::Run> Pool::run(std::deque<Task> tasks, const Events& events, int interruption) {
  while (true) {
    BASE_TRY(assign(tasks, events));
    std::vector<pollfd> entries{{interruption, POLLIN, 0}};
    std::vector<Worker*> busy;
    for (auto& worker : m_workers) {
      if (!worker->task) continue;
      busy.push_back(worker.get());
      entries.push_back({worker->channel.descriptor(), POLLIN, 0});
    }
    if (busy.empty()) return Run::finished;
    if (::poll(entries.data(), entries.size(), k_tick_ms) < 0 && errno != EINTR) {
      return base::fail(base::system_error("watch", "the workers", errno));
    }
    if (entries[0].revents != 0) return Run::interrupted;
    for (std::size_t i = 0; i < busy.size(); ++i) {
      if (entries[i + 1].revents != 0) BASE_TRY(receive(*busy[i], events));
    }
    events.tick();
  }
}

base::Result<TaskOutcome> Pool::run_one(Task task, int interruption) {
  TaskOutcome result;
  const Events events{.started = [](const Task&) {},
                      .done = [&](const Task&, const TaskOutcome& outcome) -> base::Status {
                        result = outcome;
                        return {};
                      },
                      .tick = [] {}};
  BASE_TRY_ASSIGN(const auto how, run({std::move(task)}, events, interruption));
  if (how == Run::interrupted) return base::fail(base::interrupted());
  return result;
}

}  // namespace local
