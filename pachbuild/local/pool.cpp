// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/errors.h"
#include "pachbuild/local/worker.h"

namespace local {
namespace {

using base::ErrorKind;

constexpr int k_tick_ms = 100;
// A worker ends at once when its channel closes, unless the kernel is busy for it.
constexpr std::chrono::milliseconds k_patience{500};

}  // namespace

base::Result<Pool> Pool::start(int count, const base::fs::path& folder) {
  Pool pool;
  for (int number = 0; number < count; ++number) {
    const auto place = folder / ("worker-" + std::to_string(number));
    BASE_TRY(base::make_folders(place, 0700));
    BASE_TRY_ASSIGN(auto channel, Channel::make_pair());
    const int socket = channel.second.descriptor();
    BASE_TRY_ASSIGN(auto child, process::Child::start({.arguments = {"/proc/self/exe", k_worker_command,
                                                                     std::to_string(socket), place.string()},
                                                       .environment = process::current_environment(),
                                                       .inherited = {socket},
                                                       .orphan_signal = SIGKILL}));
    pool.m_workers.push_back(
        std::make_unique<Worker>(Worker{std::move(child), std::move(channel.first), std::nullopt}));
  }
  return pool;
}

Pool::~Pool() {
  for (auto& worker : m_workers) worker->channel.close();
  for (auto& worker : m_workers) {
    if (const auto ending = worker->child.wait_for(k_patience); !ending || !*ending) {
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
    if (!worker->channel.send(encode(*worker->task))) BASE_TRY(receive(*worker, events));
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

}  // namespace local
