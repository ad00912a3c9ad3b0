// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/local/output_tree.h"
#include "pachbuild/local/worker.h"
#include "report/report.h"

namespace local {
namespace {

using base::ErrorKind;

constexpr int k_tick_ms = 100;
// A worker ends at once when its channel closes, unless the kernel is busy for it; an engine then removes its
// container.
constexpr std::chrono::milliseconds k_patience{500};
constexpr std::chrono::milliseconds k_patience_with_engine{5'000};
// A worker that has begun to say something, or is told something, is busy with nothing else.
constexpr std::chrono::milliseconds k_patience_with_message{10'000};
// What a worker gets, beyond a time limit, to end the command itself and say so.
constexpr std::chrono::milliseconds k_margin{2'000};
constexpr std::size_t k_name_digits = 12;
constexpr int k_killed_exit_code = 128 + SIGKILL;

// A new file, whatever was there: never one that a link leads to. None, and errno, when it cannot be made.
base::UniqueFd create_log(const std::string& path) {
  ::unlink(path.c_str());
  constexpr int k_flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
  return base::UniqueFd(::open(path.c_str(), k_flags, 0644));
}

// The worker's error as the person sees the files: in a container this machine's folders are elsewhere, and
// what a worker calls by its place in the scratch folder the program calls /pfs/….
void translate(base::Error& error, const base::fs::path& folder, const std::string& id) {
  for (auto* text : {&error.where, &error.what, &error.hint}) {
    base::replace_all(*text, std::string(k_host_root) + "/", "/");
    base::replace_all(*text, (folder / "pfs").string() + "/", std::string(contract::k_pfs) + "/");
    base::replace_all(*text, std::string(contract::k_pfs) + "/.scratch/" + id + "/",
                      std::string(contract::k_pfs) + "/");
  }
}

// Moves the folder behind /pfs/out out of the reach of programs. They can put links and files anywhere below
// `pfs`, so the way there is opened step by step.
base::Status take_output(const base::fs::path& pfs, const Task& task) {
  const auto root = base::Folder::open_without_link(pfs, contract::k_pfs);
  const auto scratch = root ? root->open_folder(".scratch/" + task.id) : base::fail(root.error());
  if (!scratch) return base::fail(output_replaced());
  BASE_TRY(base::remove_tree(task.output));  // whatever a program has put there
  if (::renameat(scratch->descriptor(), "out", AT_FDCWD, task.output.c_str()) == 0) return {};
  if (errno == ENOENT) return base::fail(output_replaced());
  return base::fail(base::system_error("rename", contract::k_out, errno));
}

}  // namespace

base::Result<Pool> Pool::start(int count, const base::fs::path& folder, Place place) {
  Pool pool(folder, std::move(place));
  for (int number = 0; number < count; ++number) {
    BASE_TRY_ASSIGN(auto worker, pool.start_worker());
    pool.m_workers.push_back(std::move(worker));
  }
  for (auto& worker : pool.m_workers) BASE_TRY(await(*worker));
  return pool;
}

base::Result<Pool::WorkerPointer> Pool::start_worker() {
  const auto own = m_folder / ("worker-" + std::to_string(m_started++));
  BASE_TRY(base::make_folders(own, 0700));
  BASE_TRY_ASSIGN(auto worker, m_place.container != nullptr ? start_container(own) : start_process(own));
  return std::make_unique<Worker>(std::move(worker));
}

base::Result<Pool::Worker> Pool::start_process(const base::fs::path& folder) {
  BASE_TRY_ASSIGN(auto channel, Channel::make_pair());
  BASE_TRY(channel.first.set_patience(k_patience_with_message));
  const int socket = channel.second.descriptor();
  BASE_TRY_ASSIGN(auto child, process::Child::start({.arguments = {"/proc/self/exe", k_worker_command,
                                                                   std::to_string(socket), folder.string()},
                                                     .environment = process::current_environment(),
                                                     .inherited = {socket},
                                                     .orphan_signal = SIGKILL}));
  return Worker{std::move(child), std::move(channel.first), std::nullopt, folder, ""};
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
  // No other container has the name of a process of this machine and its worker.
  const std::string name = "pachbuild-" + std::to_string(::getpid()) + "-" + folder.filename().string() +
                           "-" + base::sha256(folder.string()).substr(0, k_name_digits);
  // It sees nothing of other workers, and of its own only /pfs to write in.
  Place place = m_place;
  place.shared.push_back({folder});
  BASE_TRY_ASSIGN(const auto command, worker_command(place, name, folder, socket));
  BASE_TRY_ASSIGN(auto child, process::Child::start(command));
  return Worker{std::move(child), Channel(base::UniqueFd()), std::move(listener), folder, name};
}

base::Status Pool::await(Worker& worker) {
  if (!worker.listener) return {};
  BASE_TRY_ASSIGN(auto channel, worker.listener->accept(worker.child.descriptor()));
  worker.listener.reset();
  if (channel) {
    worker.channel = std::move(*channel);
    return worker.channel.set_patience(k_patience_with_message);
  }
  BASE_TRY_ASSIGN(const auto ending, worker.child.wait());
  return base::fail(ErrorKind::unavailable, "", "a container could not be started: " + ending.describe(),
                    "see the engine's output above");
}

Pool::~Pool() {
  const auto patience = m_place.container == nullptr ? k_patience : k_patience_with_engine;
  for (auto& worker : m_workers) {
    if (!worker) continue;
    worker->channel.close();
    worker->listener.reset();
  }
  for (auto& worker : m_workers) {
    if (worker) static_cast<void>(stop(*worker, patience));
  }
}

std::optional<process::Ending> Pool::stop(Worker& worker, std::chrono::milliseconds patience) const {
  worker.channel.close();
  if (worker.child.descriptor() < 0) return std::nullopt;  // has been waited for
  const auto ending = worker.child.wait_for(patience);
  if (ending && *ending) return *ending;
  if (m_place.container != nullptr) {
    // The engine's program that we have started is not the container.
    auto killer = process::Child::start({.arguments = {m_place.container->engine, "kill", worker.container},
                                         .environment = process::current_environment(),
                                         .orphan_signal = SIGKILL});
    if (killer) static_cast<void>(killer->wait_for(k_patience_with_engine));
    const auto removed = worker.child.wait_for(k_patience_with_engine);
    if (removed && *removed) return std::nullopt;
  }
  // The worker's own process in its namespace is in the group as well.
  worker.child.signal_group(SIGKILL);
  static_cast<void>(worker.child.wait());
  return std::nullopt;
}

void Pool::clear(WorkerPointer& worker, std::chrono::milliseconds patience) const {
  static_cast<void>(stop(*worker, patience));
  static_cast<void>(base::remove_tree(worker->folder));
  worker.reset();
}

base::Result<std::optional<Task>> Pool::Tasks::take() {
  if (!again.empty()) {
    std::optional<Task> task = std::move(again.front());
    again.pop_front();
    return task;
  }
  if (!next) return std::nullopt;
  BASE_TRY_ASSIGN(auto task, next());
  if (!task) next = nullptr;
  return task;
}

base::Status Pool::assign(Tasks& tasks, const Events& events) {
  for (auto& worker : m_workers) {
    if (worker && worker->task) continue;
    BASE_TRY_ASSIGN(auto task, tasks.take());
    if (!task) return {};
    if (!worker) {
      BASE_TRY_ASSIGN(worker, start_worker());
      BASE_TRY(await(*worker));
    }
    worker->task = std::move(task);
    events.started(*worker->task);
    base::UniqueFd log;
    worker->log_errno = 0;
    if (!worker->task->log.empty()) {
      log = create_log(worker->task->log);
      if (!log) worker->log_errno = errno;
    }
    // A worker that is gone already has left its last words for us to receive.
    const auto message =
        encode(m_place.container == nullptr ? *worker->task : moved_below(*worker->task, k_host_root));
    if (!worker->channel.send(message, log.get())) BASE_TRY(receive(worker, tasks, events));
  }
  return {};
}

base::Status Pool::finish(Worker& worker, TaskOutcome outcome, const Events& events) const {
  const Task task = std::move(*worker.task);
  worker.task.reset();
  worker.deadline.reset();
  if (worker.log_errno != 0) outcome.log_errno = worker.log_errno;
  if (outcome.error) translate(*outcome.error, worker.folder, task.id);
  if (!outcome.error && outcome.result == TaskResult::succeeded) {
    if (auto taken = take_output(worker.folder / "pfs", task); !taken) {
      outcome.result = TaskResult::failed;
      outcome.error = std::move(taken).error();
    }
  }
  return events.done(task, outcome);
}

base::Status Pool::receive(WorkerPointer& worker, Tasks& tasks, const Events& events) {
  const auto message = worker->channel.receive();
  if (message && *message) {
    if (const auto is_running = decode_running(**message)) {
      worker->deadline.reset();
      if (*is_running) {
        worker->deadline = Clock::now() + std::chrono::milliseconds(worker->task->timeout_ms) + k_margin;
      }
      return {};
    }
    if (auto outcome = decode_outcome(**message)) return finish(*worker, std::move(*outcome), events);
  }
  return replace_lost(worker, tasks, events);
}

base::Status Pool::replace_lost(WorkerPointer& worker, Tasks& tasks, const Events& events) {
  const auto ending = stop(*worker, k_patience_with_engine);
  const std::string what =
      "a worker ended unexpectedly" + (ending ? " (" + ending->describe() + ")" : std::string());
  base::Status status;
  if (m_lost.insert(worker->task->id).second) {
    report::warn(what + "; its datum runs again");
    tasks.again.push_back(std::move(*worker->task));
  } else {
    TaskOutcome outcome;
    outcome.id = worker->task->id;
    outcome.reason = what + " twice; if memory is short, use fewer --workers";
    outcome.exit_code = k_killed_exit_code;
    status = finish(*worker, std::move(outcome), events);
  }
  clear(worker, k_patience);
  return status;
}

base::Status Pool::end_overdue(WorkerPointer& worker, const Events& events) {
  TaskOutcome outcome;
  outcome.id = worker->task->id;
  outcome.reason = timeout_reason(*worker->task);
  outcome.exit_code = k_killed_exit_code;
  outcome.duration_ns = std::chrono::nanoseconds(std::chrono::milliseconds(worker->task->timeout_ms)).count();
  auto status = finish(*worker, std::move(outcome), events);
  clear(worker, k_patience);
  return status;
}

base::Result<Pool::Run> Pool::run(NextTask next, const Events& events, int interruption) {
  Tasks tasks{std::move(next), {}};
  while (true) {
    BASE_TRY(assign(tasks, events));
    std::vector<pollfd> entries{{interruption, POLLIN, 0}};
    std::vector<WorkerPointer*> busy;
    for (auto& worker : m_workers) {
      if (!worker || !worker->task) continue;
      busy.push_back(&worker);
      entries.push_back({worker->channel.descriptor(), POLLIN, 0});
    }
    if (busy.empty()) {
      if (!tasks.next && tasks.again.empty()) return Run::finished;
      continue;
    }
    if (::poll(entries.data(), entries.size(), k_tick_ms) < 0 && errno != EINTR) {
      return base::fail(base::system_error("watch", "the workers", errno));
    }
    if (entries[0].revents != 0 || !base::check_stop()) return Run::interrupted;
    for (std::size_t i = 0; i < busy.size(); ++i) {
      auto& worker = *busy[i];
      if (entries[i + 1].revents != 0) {
        BASE_TRY(receive(worker, tasks, events));
      } else if (worker->deadline && Clock::now() >= *worker->deadline) {
        BASE_TRY(end_overdue(worker, events));
      }
    }
    BASE_TRY(events.tick());
  }
}

base::Result<TaskOutcome> Pool::run_one(Task task, int interruption) {
  TaskOutcome result;
  const Events events{.started = [](const Task&) {},
                      .done = [&](const Task&, const TaskOutcome& outcome) -> base::Status {
                        result = outcome;
                        return {};
                      },
                      .tick = []() -> base::Status { return {}; }};
  const base::fs::path output = task.output;
  std::optional<Task> only = std::move(task);
  BASE_TRY_ASSIGN(const auto how,
                  run([&] { return std::exchange(only, std::nullopt); }, events, interruption));
  if (how == Run::interrupted) return base::fail(base::interrupted());
  if (result.error || result.result != TaskResult::succeeded) return result;
  // Whoever reads it follows links.
  auto listed = OutputTree::open(output).and_then([](const auto& tree) { return tree.list(); });
  if (!listed) {
    result.result = TaskResult::failed;
    result.error = std::move(listed).error();
  }
  return result;
}

}  // namespace local
