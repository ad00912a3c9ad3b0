// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/worker.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "contract/layout.h"
#include "pachbuild/local/pool/channel.h"
#include "pachbuild/local/worker/attended_run.h"
#include "pachbuild/local/worker/batch.h"
#include "pachbuild/local/worker/execution.h"
#include "pachbuild/local/worker/open_files.h"
#include "pachbuild/local/worker/output_links.h"
#include "pachbuild/local/worker/sandbox.h"
#include "pachbuild/local/worker/secret_files.h"
#include "pachbuild/local/worker/staging.h"
#include "process/descendants.h"
#include "process/fork.h"
#include "report/report.h"

namespace local {
namespace {

namespace fs = base::fs;

// The folder below /pfs/.scratch with the inputs that are there as long as the program of a batch.
constexpr char k_resident[] = "batch";

// Ends this process, and as it is the first of its PID namespace every other one there, as soon as the pool
// has closed its end: while a program runs nobody reads the channel.
void watch_channel(int socket) {
  std::thread([socket] {
    pollfd entry{socket, POLLRDHUP, 0};
    while (::poll(&entry, 1, -1) < 0) {
    }
    ::_exit(0);
  }).detach();
}

// Whether all other processes of this PID namespace are there to start the next program
// (contract::k_keeper_name).
bool only_keepers_are_left() {
  const auto processes = process::visible_processes();
  std::set<pid_t> keepers;
  bool sees_itself = false;
  for (const auto& process : processes) {
    // One with a parent is of another PID namespace, whose /proc this is then.
    if (process.number == ::getpid() && process.parent == 0) sees_itself = true;
    if (process.parent == ::getpid() && process.group == process.number &&
        process.name == contract::k_keeper_name)
      keepers.insert(process.number);
  }
  return sees_itself && std::all_of(processes.begin(), processes.end(), [&](const auto& process) {
           return process.number == ::getpid() || keepers.contains(process.group);
         });
}

class Worker {
 public:
  // `own`: variables that every task sees where it has no others of their names.
  Worker(fs::path pfs, process::Environment own, SecretMounts mounts, Channel& channel)
      : m_pfs(std::move(pfs)),
        m_own(std::move(own)),
        m_mounts(mounts),
        m_staging(m_pfs, k_resident),
        m_resident(m_pfs),
        m_channel(channel) {}

  base::Status serve() {
    while (true) {
      BASE_TRY_ASSIGN(const auto message, m_channel.receive());
      if (!message) return {};
      m_log = m_channel.take_descriptor();
      BASE_TRY(m_channel.send(encode(perform(decode_task(*message)))));
    }
  }

 private:
  TaskOutcome perform(Task task) {
    task.environment.insert(m_own.begin(), m_own.end());
    TaskOutcome outcome;
    const auto start = std::chrono::steady_clock::now();
    const auto begin = [&] { return show_secrets_once(task); };
    if (const auto status =
            begin().and_then([&] { return join_batch(task); }).and_then([&] { return run(task, outcome); });
        !status) {
      outcome.result = TaskResult::failed;
      outcome.error = status.error();
    }
    outcome.id = task.id;
    outcome.duration_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
    return outcome;
  }

  base::Status show_secrets_once(const Task& task) {
    return std::exchange(m_shows_secrets, true) ? base::Status()
                                                : show_secrets(task.secret_folders, m_mounts);
  }

  base::Status join_batch(Task& task) {
    if (!task.batching) return {};
    if (!m_batch) {
      BASE_TRY_ASSIGN(auto batch, Batch::make());
      m_batch.emplace(std::move(batch));
    }
    task.batch_environment.insert(m_own.begin(), m_own.end());
    m_batch->add_variables(task.environment);
    m_batch->add_variables(task.batch_environment);
    return {};
  }

  base::Result<Execution> execute_task(const Task& task) {
    if (task.attended) {
      m_staging.be_lenient();
      BASE_TRY(prepare(task));
      return run_attended(task, m_channel);
    }
    if (!task.batching) {
      BASE_TRY(prepare(task));
      return execute(task, execution_options(task));
    }
    const Batch::Steps steps{.log = m_log.get(),
                             .lay_out_start = [this, &task] { return prepare_start(task); },
                             .lay_out = [this, &task] { return prepare(task); },
                             .running = execution_options(task).running};
    return execute(task, execution_options(task), [&] { return m_batch->attempt(task, steps); });
  }

  base::Status run(const Task& task, TaskOutcome& outcome) {
    BASE_TRY_ASSIGN(const Execution execution, execute_task(task));
    const auto read_whole = m_staging.finish();
    outcome.result = execution.result;
    outcome.reason = execution.reason;
    outcome.exit_code = execution.exit_code;
    outcome.log_errno = execution.log_errno;
    outcome.left_processes = left() == Staging::Left::processes;
    if (task.tells_strangers) {
      BASE_TRY_ASSIGN(outcome.stranger, m_staging.find_stranger(task));
    }
    if (execution.result == TaskResult::failed && !task.attended) {
      // Most programs say of it only that a device has no space left.
      if (const auto limit = reached_limit(m_pfs.string()); !limit.empty())
        outcome.reason += "; /pfs is full (limited to " + limit + "): write large files to /pfs/out or /tmp";
    }
    if (execution.result != TaskResult::succeeded) return {};
    if (!task.attended) BASE_TRY(read_whole);
    return finish_output(task);
  }

  // Leaves in the folder behind /pfs/out what the pool may take.
  base::Status finish_output(const Task& task) {
    auto output = m_staging.open_output();
    if (!output) return base::fail(std::move(output).error());
    ::fchmod(output->descriptor(), 0700);  // the pool moves it
    BASE_TRY(follow_links(*output, m_staging.scratch(), task));
    return task.batching ? detach_open_files(m_staging.output()) : base::Status();
  }

  ExecutionOptions execution_options(const Task& task) {
    return {.log = m_log.get(),
            .between_tries = [this, &task]() -> base::Status {
              // A failed try has its reason already; what it read of its pipes says nothing more.
              static_cast<void>(m_staging.finish());
              return task.batching ? base::Status() : prepare(task);
            },
            .running = [this](bool is_running) { return m_channel.send(encode_running(is_running)); }};
  }

  // Whoever is left of the task before, in a group of its own, is a child of process 1 now.
  static Staging::Left left() {
    const bool is_alone = ::getpid() == 1 && (!process::reap_orphans() || only_keepers_are_left());
    return is_alone ? Staging::Left::nothing : Staging::Left::processes;
  }

  base::Status prepare(const Task& task) {
    BASE_TRY(m_staging.prepare(task, left()));
    std::string lines;
    for (const auto& [name, value] : shown_variables(task)) lines += name + "=" + value + "\n";
    return m_staging.write_environment(lines);
  }

  // What the program of a batch finds in /pfs when it starts: neither data nor a place for output.
  base::Status prepare_start(const Task& task) {
    Task start{.id = k_resident};
    for (auto input : task.inputs) {
      if (!std::exchange(input.resident, false)) continue;
      start.inputs.push_back(std::move(input));
    }
    static_cast<void>(m_resident.finish());
    BASE_TRY(m_resident.prepare(start, Staging::Left::processes));
    for (const char* name : {"out", ".env"}) BASE_TRY(base::remove_tree(m_pfs / name));
    return {};
  }

  fs::path m_pfs;
  process::Environment m_own;
  SecretMounts m_mounts;
  bool m_shows_secrets = false;
  Staging m_staging;
  Staging m_resident;  // of a batch
  std::optional<Batch> m_batch;
  Channel& m_channel;
  base::UniqueFd m_log;  // of the task that runs
};

// Programs run as the same user, and could otherwise stop this process by ptrace(2), or write into its
// memory. Who is allowed to trace every process still could (capabilities(7), CAP_SYS_PTRACE): programs lose
// that right, without which they can trace their own children as before. What reads its own /proc/self is not
// affected.
base::Status forbid_tracing() {
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return base::fail(base::system_error("protect", "the worker", errno));
  // Fails for those who do not have it, and whose programs will not have it either.
  ::prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE);
  return {};
}

// The pool gets the error as the answer to its first task.
int give_up(Channel& channel, const base::Error& error) {
  TaskOutcome outcome;
  outcome.error = error;
  static_cast<void>(channel.send(encode(outcome)));
  return static_cast<int>(error.kind);
}

// As process 1 of a sandbox or container.
int serve(const base::Status& sandbox, process::Environment own, SecretMounts mounts, Channel& channel) {
  if (!sandbox) return give_up(channel, sandbox.error());
  if (const auto hidden = forbid_tracing(); !hidden) return give_up(channel, hidden.error());
  ::signal(SIGPIPE, SIG_IGN);  // of a lazy input whose reader has gone
  watch_channel(channel.descriptor());
  const auto status = Worker(contract::k_pfs, std::move(own), mounts, channel).serve();
  return status ? 0 : give_up(channel, status.error());
}

}  // namespace

void serve_tasks(const WorkerOptions& options) {
  if (options.channel.front() == '/') {
    auto connected = Channel::connect(options.channel);
    ::_exit(connected ? serve({}, process::current_environment(), SecretMounts::prepared, *connected)
                      : report::fail(connected.error()));
  }
  const int socket = std::stoi(options.channel);
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  Channel channel{base::UniqueFd(socket)};
  const std::string pfs = (fs::path(options.folder) / "pfs").string();
  const std::string root = (fs::path(options.folder) / "root").string();
  const std::string scratch = pfs + "/.scratch";
  const auto ended =
      base::make_folders(scratch, 0700).and_then([&] { return base::make_folders(root); }).and_then([&] {
        return run_in_sandbox(scratch, root, [&](const base::Status& sandbox) {
          return serve(sandbox, {}, SecretMounts::ours, channel);
        });
      });
  // Straight away: its PID namespace is over, so this process can start nothing more, threads included, which
  // is what a leak checker does at the end.
  if (!ended) ::_exit(give_up(channel, ended.error()));
  // The pool is told how the worker ended, a signal as a signal: the namespaces hide it from the pool.
  if (ended->signal()) {
    ::signal(*ended->signal(), SIG_DFL);
    ::raise(*ended->signal());
  }
  ::_exit(ended->exit_code());
}

}  // namespace local
