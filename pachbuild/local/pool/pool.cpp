// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/local/results/output_tree.h"
#include "pachbuild/local/worker/worker.h"

namespace local {
namespace {

using base::ErrorKind;

constexpr int k_tick_ms = 100;
// What a worker gets to end that has let its time pass, or is gone already.
constexpr std::chrono::milliseconds k_patience_when_lost{500};
// What it gets to say how it has ended.
constexpr std::chrono::milliseconds k_patience_for_ending{5'000};
// A worker that has begun to say something, or is told something, is busy with nothing else.
constexpr std::chrono::milliseconds k_patience_with_message{10'000};
// What a worker gets, beyond a time limit, to end the command itself and say so.
constexpr std::chrono::milliseconds k_margin{2'000};
// Of a command that has run for so long the newest line is worth seeing.
constexpr std::chrono::seconds k_before_newest{1};
constexpr std::size_t k_newest_bytes = 4096;
constexpr std::size_t k_read_bytes = std::size_t{64} << 10;
constexpr int k_killed_exit_code = 128 + SIGKILL;

// The log that a worker writes to, in the folder of its task's log.
std::string open_log_name(const Task& task, const std::string& worker) {
  return (base::fs::path(task.log).parent_path() / ("open-" + worker)).string();
}

// A new file, whatever was there: never one that a link leads to. None, and errno, when it cannot be made.
base::UniqueFd create_log(const std::string& path) {
  ::unlink(path.c_str());
  constexpr int k_flags = O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
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
// `pfs`, so the way there is opened step by step. What is in its new place, an empty folder mostly, is left
// to the worker, which uses it for the next task if it is as good as new.
base::Status take_output(const base::fs::path& pfs, const Task& task) {
  const auto root = base::Folder::open_without_link(pfs, contract::k_pfs);
  const auto scratch = root ? root->open_folder(".scratch/" + task.id) : base::fail(root.error());
  if (!scratch) return base::fail(output_replaced());
  if (::renameat2(scratch->descriptor(), "out", AT_FDCWD, task.output.c_str(), RENAME_EXCHANGE) == 0)
    return {};
  BASE_TRY(base::remove_tree(task.output));
  if (::renameat(scratch->descriptor(), "out", AT_FDCWD, task.output.c_str()) == 0) return {};
  if (errno == ENOENT) return base::fail(output_replaced());
  return base::fail(base::system_error("rename", contract::k_out, errno));
}

}  // namespace

base::Result<Pool> Pool::start(int count, const base::fs::path& folder, const WorkerHost& host,
                               Slots* slots) {
  Pool pool(folder, host, slots);
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
  BASE_TRY_ASSIGN(auto started, m_host->start(own));
  auto worker = std::make_unique<Worker>(Worker{std::move(started.child), std::move(started.channel),
                                                std::move(started.listener), own, started.name});
  if (!worker->listener) BASE_TRY(worker->channel.set_patience(k_patience_with_message));
  return worker;
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
                    "see the runtime's output above");
}

Pool::~Pool() {
  for (auto& worker : m_workers) {
    if (!worker) continue;
    worker->channel.close();
    worker->listener.reset();
  }
  for (auto& worker : m_workers) {
    if (!worker) continue;
    static_cast<void>(stop(*worker, m_host->patience()));
    remove_log(*worker);
  }
}

void Pool::remove_log(const Worker& worker) {
  if (worker.log && !worker.log_path.empty()) ::unlink(worker.log_path.c_str());
}

std::optional<process::Ending> Pool::stop(Worker& worker, std::chrono::milliseconds patience) const {
  worker.channel.close();
  if (worker.child.descriptor() < 0) return std::nullopt;  // has been waited for
  const auto ending = worker.child.wait_for(patience);
  if (ending && *ending) return *ending;
  if (m_host->kill(worker.name)) {
    const auto removed = worker.child.wait_for(m_host->patience());
    if (removed && *removed) return std::nullopt;
  }
  // The worker's own process in its namespace is in the group as well.
  worker.child.signal_group(SIGKILL);
  static_cast<void>(worker.child.wait());
  return std::nullopt;
}

void Pool::clear(WorkerPointer& worker) const {
  static_cast<void>(stop(*worker, k_patience_when_lost));
  remove_log(*worker);
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
    if (tasks.are_done()) return {};
    auto slot = m_slots == nullptr ? std::nullopt : m_slots->take();
    if (m_slots != nullptr && !slot) return {};
    BASE_TRY_ASSIGN(auto task, tasks.take());
    if (!task) return {};
    if (!worker) {
      BASE_TRY_ASSIGN(worker, start_worker());
      BASE_TRY(await(*worker));
    }
    worker->task = std::move(task);
    worker->slot = std::move(slot);
    events.started(*worker->task);
    worker->log_errno = 0;
    worker->began = Clock::now();
    if (!worker->task->log.empty()) {
      open_log(*worker);
    } else if (events.printed) {
      open_pipe(*worker);
    }
    // A worker that is gone already has left its last words for us to receive.
    if (!worker->channel.send(encode(m_host->seen_inside(*worker->task)), worker->log.get()))
      BASE_TRY(receive(worker, tasks, events));
  }
  return {};
}

// One that nothing was written to serves the next task.
void Pool::open_log(Worker& worker) {
  worker.log_told = 0;
  if (worker.log) return;
  worker.log_path = open_log_name(*worker.task, worker.folder.filename().string());
  worker.log = create_log(worker.log_path);
  if (!worker.log) worker.log_errno = errno;
}

// The worker gets the other end as it gets a log.
void Pool::open_pipe(Worker& worker) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    worker.log_errno = errno;
    return;
  }
  worker.output.reset(ends[0]);
  worker.log.reset(ends[1]);
  static_cast<void>(::fcntl(ends[0], F_SETFL, O_NONBLOCK));
}

void Pool::read_pipe(Worker& worker, const Events& events) {
  // Who prints without end must not keep the pool from everything else; it is asked again soon. At the end a
  // pipe holds less.
  constexpr int k_most_reads = 16;
  std::array<char, k_read_bytes> buffer;
  for (int i = 0; i < k_most_reads && worker.output; ++i) {
    const ssize_t count = ::read(worker.output.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) worker.output.reset();
    if (count <= 0) return;
    events.printed(*worker.task, {buffer.data(), static_cast<std::size_t>(count)});
  }
}

void Pool::follow_log(Worker& worker, const Events& events, bool is_last) {
  struct stat status{};
  if (!events.printed || worker.task->log.empty() || !worker.log) return;
  if (events.only_newest && (is_last || Clock::now() - worker.began < k_before_newest)) return;
  if (::fstat(worker.log.get(), &status) != 0) return;
  worker.log_told = std::min(worker.log_told, status.st_size);  // a full disk cuts it
  if (events.only_newest)
    worker.log_told = std::max(worker.log_told, status.st_size - static_cast<off_t>(k_newest_bytes));
  std::array<char, k_read_bytes> buffer;
  while (worker.log_told < status.st_size && base::check_stop()) {
    const auto wanted = std::min<off_t>(status.st_size - worker.log_told, k_read_bytes);
    const ssize_t count =
        ::pread(worker.log.get(), buffer.data(), static_cast<std::size_t>(wanted), worker.log_told);
    if (count <= 0) return;
    worker.log_told += count;
    events.printed(*worker.task, {buffer.data(), static_cast<std::size_t>(count)});
  }
}

void Pool::follow_logs(const Events& events) {
  const auto now = Clock::now();
  if (now - m_followed < std::chrono::milliseconds(k_tick_ms)) return;
  m_followed = now;
  for (auto& worker : m_workers) {
    if (!worker || !worker->task) continue;
    name_log(*worker);
    follow_log(*worker, events, false);
  }
}

// Something is in it: from now on others find it by the name of its task.
void Pool::name_log(Worker& worker) {
  struct stat status{};
  const auto& log = worker.task->log;
  if (!worker.log || log.empty() || worker.log_path == log) return;
  if (::fstat(worker.log.get(), &status) != 0 || status.st_size == 0) return;
  if (::rename(worker.log_path.c_str(), log.c_str()) == 0) worker.log_path = log;
}

// A task that has succeeded and printed nothing has no log.
void Pool::keep_log(Worker& worker, const Task& task, const TaskOutcome& outcome) {
  struct stat status{};
  if (task.log.empty()) worker.log.reset();
  if (!worker.log || ::fstat(worker.log.get(), &status) != 0) return;
  if (status.st_size == 0 && outcome.result == TaskResult::succeeded) return;
  worker.log.reset();
  if (worker.log_path != task.log && ::rename(worker.log_path.c_str(), task.log.c_str()) != 0)
    worker.log_errno = errno;
}

base::Status Pool::finish(Worker& worker, TaskOutcome outcome, const Events& events) const {
  follow_log(worker, events, true);
  if (worker.output) read_pipe(worker, events);
  worker.output.reset();
  const Task task = std::move(*worker.task);
  worker.task.reset();
  auto slot = std::exchange(worker.slot, std::nullopt);
  worker.deadline.reset();
  if (outcome.error) translate(*outcome.error, worker.folder, task.id);
  if (!outcome.error && outcome.result == TaskResult::succeeded) {
    if (auto taken = take_output(worker.folder / "pfs", task); !taken) {
      outcome.result = TaskResult::failed;
      outcome.error = std::move(taken).error();
    }
  }
  keep_log(worker, task, outcome);
  if (worker.log_errno != 0) outcome.log_errno = worker.log_errno;
  return events.done(task, outcome, std::move(slot));
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
  const auto ending = stop(*worker, k_patience_for_ending);
  const std::string what =
      "a worker ended unexpectedly" + (ending ? " (" + ending->describe() + ")" : std::string());
  base::Status status;
  if (m_lost.insert(worker->task->id).second) {
    events.warned(what + "; its datum runs again");
    tasks.again.push_back(std::move(*worker->task));
  } else {
    TaskOutcome outcome;
    outcome.id = worker->task->id;
    outcome.reason = what + " twice; if memory is short, use fewer --workers";
    outcome.exit_code = k_killed_exit_code;
    status = finish(*worker, std::move(outcome), events);
  }
  clear(worker);
  return status;
}

base::Status Pool::end_overdue(WorkerPointer& worker, const Events& events) {
  TaskOutcome outcome;
  outcome.id = worker->task->id;
  outcome.reason = timeout_reason(*worker->task);
  outcome.exit_code = k_killed_exit_code;
  outcome.duration_ns = std::chrono::nanoseconds(std::chrono::milliseconds(worker->task->timeout_ms)).count();
  auto status = finish(*worker, std::move(outcome), events);
  clear(worker);
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
    if (busy.empty() && tasks.are_done()) return Run::finished;
    // A worker without a task waits for a slot.
    const bool waits = m_slots != nullptr && !tasks.are_done() && busy.size() < m_workers.size();
    if (waits) entries.push_back({m_slots->descriptor(), POLLIN, 0});
    if (events.wake >= 0) entries.push_back({events.wake, POLLIN, 0});
    for (auto* worker : busy) {
      if ((*worker)->output) entries.push_back({(*worker)->output.get(), POLLIN, 0});
    }
    if (::poll(entries.data(), entries.size(), k_tick_ms) < 0 && errno != EINTR) {
      return base::fail(base::system_error("watch", "the workers", errno));
    }
    if (entries[0].revents != 0 || !base::check_stop()) return Run::interrupted;
    for (std::size_t i = 0; i < busy.size(); ++i) {
      auto& worker = *busy[i];
      if (worker->output) read_pipe(*worker, events);
      if (entries[i + 1].revents != 0) {
        BASE_TRY(receive(worker, tasks, events));
      } else if (worker->deadline && Clock::now() >= *worker->deadline) {
        BASE_TRY(end_overdue(worker, events));
      }
    }
    follow_logs(events);
    BASE_TRY(events.tick());
  }
}

base::Result<TaskOutcome> Pool::run_one(Task task, int interruption,
                                        const std::function<void(std::string_view)>& printed,
                                        const std::function<void(const std::string&)>& warned) {
  TaskOutcome result;
  Events events{.started = [](const Task&) {},
                .done = [&](const Task&, const TaskOutcome& outcome,
                            const std::optional<Slots::Slot>&) -> base::Status {
                  result = outcome;
                  return {};
                },
                .tick = []() -> base::Status { return {}; },
                .warned = warned,
                .printed = {}};
  if (printed) events.printed = [&](const Task&, std::string_view text) { printed(text); };
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

base::Result<std::string> Pool::await_message(Worker& worker, int interruption) const {
  std::array<pollfd, 2> entries{pollfd{interruption, POLLIN, 0},
                                pollfd{worker.channel.descriptor(), POLLIN, 0}};
  while (::poll(entries.data(), entries.size(), -1) < 0) {
    if (errno != EINTR) return base::fail(base::system_error("watch", "the worker", errno));
  }
  if (entries[0].revents != 0) return base::fail(base::interrupted());
  const auto message = worker.channel.receive();
  if (message && *message) return **message;
  const auto ending = stop(worker, k_patience_for_ending);
  return base::fail(
      ErrorKind::step_failed, "",
      "the worker ended unexpectedly" + (ending ? " (" + ending->describe() + ")" : std::string()));
}

base::Result<TaskOutcome> Pool::run_attended(const Task& task, int interruption,
                                             const std::function<base::Status(AttendedCommand&)>& attend) {
  auto& worker = *m_workers.front();
  // One that is gone already has left its last words.
  static_cast<void>(worker.channel.send(encode(m_host->seen_inside(task))));
  BASE_TRY_ASSIGN(auto message, await_message(worker, interruption));
  if (is_ready(message)) {
    AttendedCommand command(worker.channel, worker.channel.take_descriptor());
    BASE_TRY(attend(command));
    BASE_TRY_ASSIGN(message, await_message(worker, interruption));
  }
  auto outcome = decode_outcome(message);
  if (!outcome) return base::fail(ErrorKind::step_failed, "", "the worker sent an invalid message");
  if (outcome->error) {
    translate(*outcome->error, worker.folder, task.id);
  } else if (outcome->result == TaskResult::succeeded) {
    if (auto taken = take_output(worker.folder / "pfs", task); !taken)
      outcome->error = std::move(taken).error();
  }
  return std::move(*outcome);
}

}  // namespace local
