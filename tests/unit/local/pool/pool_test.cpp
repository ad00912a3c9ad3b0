// SPDX-License-Identifier: Apache-2.0
// The pool's end of the channel, with workers that are a thread of this program each: what each of them says
// is decided by the test. Their processes only have to be there.
#include "pachbuild/local/pool/pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/text.h"
#include "pachbuild/local/pool/slots.h"
#include "process/child.h"

namespace local {
namespace {

// What a worker does with a task and its log, by the channel to the pool. False: it is gone.
using Behaviour =
    std::function<bool(const Task& task, Channel& channel, const base::fs::path& folder, int log)>;

class FakeHost final : public WorkerHost {
 public:
  explicit FakeHost(Behaviour behaviour) : m_behaviour(std::move(behaviour)) {}
  ~FakeHost() override {
    for (auto& thread : m_threads) thread.join();
  }
  [[nodiscard]] base::Result<Started> start(const base::fs::path& folder) const override {
    started.push_back(folder.filename().string());
    BASE_TRY_ASSIGN(auto channel, Channel::make_pair());
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    base::UniqueFd life(ends[1]);
    const base::UniqueFd input(ends[0]);
    // It ends when the thread does, as `code` says.
    BASE_TRY_ASSIGN(auto child, process::Child::start(
                                    {.arguments = {"/bin/sh", "-c", "read x; exit " + std::to_string(code)},
                                     .environment = {{"PATH", "/usr/bin:/bin"}},
                                     .standard_input = input.get()}));
    m_threads.emplace_back([this, folder, life = std::move(life), end = std::move(channel.second)]() mutable {
      while (true) {
        const auto message = end.receive();
        if (!message || !*message) break;
        const auto log = end.take_descriptor();
        if (!m_behaviour(decode_task(**message), end, folder, log.get())) break;
      }
      end.close();
      life.reset();
    });
    return Started{std::move(child), std::move(channel.first), std::nullopt, "name"};
  }
  [[nodiscard]] Task seen_inside(Task task) const override {
    task.folder = "inside";
    return task;
  }
  [[nodiscard]] std::chrono::milliseconds patience() const override { return std::chrono::seconds(10); }
  [[nodiscard]] bool kill(const std::string&) const override { return false; }
  [[nodiscard]] process::Environment environment(const base::fs::path&) const override { return {}; }
  [[nodiscard]] std::string folder() const override { return ""; }

  mutable std::vector<std::string> started;
  int code = 0;

 private:
  Behaviour m_behaviour;
  mutable std::vector<std::thread> m_threads;
};

// Leaves a file in the folder behind /pfs/out.
void make_output(const base::fs::path& folder, const Task& task) {
  const auto out = folder / "pfs/.scratch" / task.id / "out";
  EXPECT_TRUE(base::make_folders(out));
  EXPECT_TRUE(base::write_file(out / "file", task.id));
}

bool succeed(const Task& task, Channel& channel, const base::fs::path& folder, int log) {
  make_output(folder, task);
  if (log >= 0 && task.command.size() == 1) {
    EXPECT_EQ(::write(log, task.command[0].data(), task.command[0].size()),
              static_cast<ssize_t>(task.command[0].size()));
  }
  return channel.send(encode(TaskOutcome{.id = task.id, .result = TaskResult::succeeded})).has_value();
}

class PoolTest : public testing::Test {
 protected:
  [[nodiscard]] base::fs::path path(const std::string& name) const { return m_folder.path() / name; }
  Task task(const std::string& id, const std::string& printed = "") const {
    Task made;
    made.id = id;
    if (!printed.empty()) made.command = {printed};
    made.output = path("output-" + id).string();
    EXPECT_TRUE(base::make_folders(path("logs")));
    made.log = path("logs/" + id + ".log").string();
    return made;
  }
  // Runs the tasks; what became of each, one after the other: "ID RESULT CODE REASON" or "ID error …".
  std::vector<std::string> run(const WorkerHost& host, int workers, std::vector<Task> tasks,
                               Slots* slots = nullptr) {
    std::vector<std::string> outcomes;
    Pool::Events events{.started = [&](const Task& one) { m_told += "start " + one.id + "\n"; },
                        .done = [&](const Task& one, const TaskOutcome& outcome,
                                    const std::optional<Slots::Slot>& slot) -> base::Status {
                          EXPECT_EQ(slot.has_value(), slots != nullptr);
                          m_log_errno = outcome.log_errno;
                          outcomes.push_back(one.id + " " + text_of(outcome));
                          return m_after_each;
                        },
                        .tick = [&]() -> base::Status {
                          ++m_ticks;
                          return {};
                        },
                        .warned = [&](const std::string& what) { m_told += what + "\n"; },
                        .printed = {}};
    if (m_is_followed) {
      events.printed = [&](const Task& one, std::string_view text) {
        m_printed += one.id + ":" + std::string(text) + "\n";
      };
    }
    auto pool = Pool::start(workers, m_folder.path(), host, slots).value();
    std::size_t next = 0;
    const auto how = pool.run(
        [&]() -> base::Result<std::optional<Task>> {
          if (next == tasks.size()) return std::nullopt;
          return tasks[next++];
        },
        events, -1);
    if (!how) return {"error " + how.error().what};
    EXPECT_EQ(*how, Pool::Run::finished);
    return outcomes;
  }
  static std::string text_of(const TaskOutcome& outcome) {
    if (outcome.error) return "error " + outcome.error->where + ": " + outcome.error->what;
    const char* const k_names[] = {"succeeded", "recovered", "failed", "never asked"};
    return std::string(k_names[static_cast<int>(outcome.result)]) + " " + std::to_string(outcome.exit_code) +
           " " + outcome.reason;
  }
  [[nodiscard]] std::vector<std::string> logs() const {
    std::vector<std::string> found;
    for (const auto& entry : base::fs::directory_iterator(path("logs")))
      found.push_back(entry.path().filename().string() + "=" + base::read_file(entry.path()).value());
    std::sort(found.begin(), found.end());
    return found;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "pool.").value();
  std::string m_told;
  std::string m_printed;
  bool m_is_followed = false;
  int m_log_errno = 0;
  int m_ticks = 0;
  base::Status m_after_each;
};

using Outcomes = std::vector<std::string>;

TEST_F(PoolTest, OutputsAreTakenAndEmptyFoldersGivenBack) {
  std::string seen;
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    seen += one.id + " " + one.folder + "\n";
    return succeed(one, channel, folder, log);
  });
  ASSERT_TRUE(base::make_folders(path("output-b")));
  EXPECT_EQ(run(host, 1, {task("a"), task("b")}), (Outcomes{"a succeeded 0 ", "b succeeded 0 "}));
  EXPECT_EQ(seen, "a inside\nb inside\n");
  for (const std::string id : {"a", "b"}) {
    EXPECT_EQ(base::read_file(path("output-" + id) / "file").value(), id);
    EXPECT_EQ(base::fs::exists(path("worker-0/pfs/.scratch/" + id + "/out")), id == "b") << "in exchange";
  }
  EXPECT_EQ(m_told, "start a\nstart b\n");
  EXPECT_EQ(host.started, Outcomes{"worker-0"});
  EXPECT_EQ(logs(), Outcomes{}) << "nothing was printed";
}

TEST_F(PoolTest, AnOutputThatIsNotThereFailsItsTask) {
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    make_output(folder, one);
    const auto scratch = folder / "pfs/.scratch" / one.id;
    if (one.id == "a") {
      EXPECT_TRUE(base::remove_tree(scratch / "out"));
    }
    if (one.id == "b") {
      EXPECT_TRUE(base::remove_tree(scratch));
      base::fs::create_symlink("/etc", scratch);
    }
    static_cast<void>(log);
    return channel.send(encode(TaskOutcome{.id = one.id, .result = TaskResult::succeeded})).has_value();
  });
  const std::string gone = " error /pfs/out: was removed or replaced by the program";
  EXPECT_EQ(run(host, 1, {task("a"), task("b"), task("c")}),
            (Outcomes{"a" + gone, "b" + gone, "c succeeded 0 "}));
  EXPECT_EQ(logs(), (Outcomes{"a.log=", "b.log="})) << "of what failed there is a log";
}

TEST_F(PoolTest, AWorkersErrorNamesThePersonsFiles) {
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int) {
    TaskOutcome outcome{.id = one.id};
    outcome.error = base::Error{base::ErrorKind::io, "/run/pachbuild/host/data/a",
                                "cannot read " + (folder / "pfs/in/x").string(), "see /pfs/.scratch/a/in/x"};
    return channel.send(encode(outcome)).has_value();
  });
  EXPECT_EQ(run(host, 1, {task("a")}), Outcomes{"a error /data/a: cannot read /pfs/in/x"});
}

TEST_F(PoolTest, LogsHaveTheNameOfTheirTaskIfSomethingIsPrintedOrFails) {
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    if (one.id != "failed") return succeed(one, channel, folder, log);
    return channel.send(encode(TaskOutcome{.id = one.id, .reason = "exit code 1", .exit_code = 1}))
        .has_value();
  });
  ASSERT_TRUE(base::make_folders(path("logs")));
  ASSERT_TRUE(base::write_file(path("logs/printed.log"), "of a former run"));
  EXPECT_EQ(run(host, 1, {task("quiet"), task("printed", "text"), task("failed"), task("again", "more")}),
            (Outcomes{"quiet succeeded 0 ", "printed succeeded 0 ", "failed failed 1 exit code 1",
                      "again succeeded 0 "}));
  EXPECT_EQ(logs(), (Outcomes{"again.log=more", "failed.log=", "printed.log=text"}));
}

TEST_F(PoolTest, ALogThatCannotBeMadeIsSaid) {
  const FakeHost host(succeed);
  auto one = task("a", "text");
  one.log = path("none/a.log").string();
  EXPECT_EQ(run(host, 1, {one}), Outcomes{"a succeeded 0 "});
  EXPECT_EQ(m_log_errno, ENOENT);
}

TEST_F(PoolTest, WhatIsPrintedIsToldBeforeTheEnd) {
  const FakeHost host(succeed);
  m_is_followed = true;
  auto without_log = task("c", "piped");
  without_log.log = "";
  EXPECT_EQ(run(host, 1, {task("a", "one"), task("b"), without_log, task("d", "two")}),
            (Outcomes{"a succeeded 0 ", "b succeeded 0 ", "c succeeded 0 ", "d succeeded 0 "}));
  EXPECT_EQ(m_printed, "a:one\nc:piped\nd:two\n");
  EXPECT_EQ(logs(), (Outcomes{"a.log=one", "d.log=two"}));
}

TEST_F(PoolTest, WhatAQuickTaskPrintedIsNotToldWhereOnlyTheNewestIs) {
  const FakeHost host(succeed);
  std::string printed;
  Pool::Events events{.started = [](const Task&) {},
                      .done = [](const Task&, const TaskOutcome&,
                                 const std::optional<Slots::Slot>&) -> base::Status { return {}; },
                      .tick = []() -> base::Status { return {}; },
                      .warned = [](const std::string&) {},
                      .printed = [&](const Task&, std::string_view text) { printed += text; },
                      .only_newest = true};
  auto pool = Pool::start(1, m_folder.path(), host).value();
  std::optional<Task> only = task("a", "text");
  ASSERT_TRUE(pool.run(
      [&]() -> base::Result<std::optional<Task>> { return std::exchange(only, std::nullopt); }, events, -1));
  EXPECT_EQ(printed, "");
  EXPECT_EQ(logs(), Outcomes{"a.log=text"});
}

TEST_F(PoolTest, ALostWorkersTaskRunsAgainOnce) {
  std::mutex mutex;
  std::map<std::string, int> tries;
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    int number = 0;
    {
      const std::lock_guard lock(mutex);
      number = ++tries[one.id];
    }
    if (one.id == "never" || (one.id == "once" && number == 1)) return false;
    return succeed(one, channel, folder, log);
  });
  auto outcomes = run(host, 1, {task("once"), task("never"), task("fine")});
  std::sort(outcomes.begin(), outcomes.end());
  EXPECT_EQ(outcomes,
            (Outcomes{"fine succeeded 0 ",
                      "never failed 137 a worker ended unexpectedly (exit code 0) twice; if memory is "
                      "short, use fewer --workers",
                      "once succeeded 0 "}));
  EXPECT_EQ(tries, (std::map<std::string, int>{{"fine", 1}, {"never", 2}, {"once", 2}}));
  EXPECT_EQ(host.started, (Outcomes{"worker-0", "worker-1", "worker-2", "worker-3"}));
  const std::string again = "a worker ended unexpectedly (exit code 0); its datum runs again\n";
  EXPECT_EQ(m_told,
            "start once\n" + again + "start once\nstart never\n" + again + "start never\nstart fine\n");
  EXPECT_FALSE(base::fs::exists(path("worker-0")));
  EXPECT_EQ(logs(), Outcomes{"never.log="});
}

TEST_F(PoolTest, WhatMakesNoSenseIsALostWorker) {
  const FakeHost host([&](const Task&, Channel& channel, const base::fs::path&, int) {
    return channel.send("nonsense").has_value();
  });
  EXPECT_EQ(
      run(host, 1, {task("a")}),
      Outcomes{"a failed 137 a worker ended unexpectedly (exit code 0) twice; if memory is short, use fewer "
               "--workers"});
}

TEST_F(PoolTest, ACommandThatRunsInItsTimeIsWaitedFor) {
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    EXPECT_TRUE(channel.send(encode_running(true)));
    EXPECT_TRUE(channel.send(encode_running(false)));
    return succeed(one, channel, folder, log);
  });
  auto limited = task("a");
  limited.timeout_ms = 60'000;
  EXPECT_EQ(run(host, 1, {limited, task("b")}), (Outcomes{"a succeeded 0 ", "b succeeded 0 "}));
  EXPECT_EQ(host.started, Outcomes{"worker-0"});
}

TEST_F(PoolTest, NoMoreTasksRunThanThereAreSlots) {
  std::mutex mutex;
  int running = 0;
  int most = 0;
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    {
      const std::lock_guard lock(mutex);
      most = std::max(most, ++running);
    }
    ::usleep(2000);
    {
      const std::lock_guard lock(mutex);
      --running;
    }
    return succeed(one, channel, folder, log);
  });
  auto slots = Slots::make(2).value();
  std::vector<Task> tasks;
  for (int i = 0; i < 12; ++i) tasks.push_back(task(std::to_string(i)));
  EXPECT_EQ(run(host, 4, tasks, &slots).size(), 12U);
  EXPECT_EQ(most, 2);
  const auto one = slots.take();
  const auto two = slots.take();
  EXPECT_TRUE(one && two) << "all were given back";
  EXPECT_FALSE(slots.take());
}

TEST_F(PoolTest, EndsWithAnEventThatFailsOrAnInterruption) {
  const FakeHost host(succeed);
  m_after_each = base::fail(base::ErrorKind::io, "", "full");
  EXPECT_EQ(run(host, 1, {task("a"), task("b")}), Outcomes{"error full"});
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const base::UniqueFd interruption(ends[0]);
  base::UniqueFd other(ends[1]);
  other.reset();
  auto pool = Pool::start(1, m_folder.path(), host).value();
  const auto outcome = pool.run_one(task("c"), interruption.get(), {}, [](const std::string&) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().what, "interrupted");
}

TEST_F(PoolTest, OfOneTaskTheOutputIsLookedAt) {
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    make_output(folder, one);
    if (one.id == "bad") base::fs::create_symlink("x", folder / "pfs/.scratch/bad/out/link");
    if (one.id == "failed")
      return channel.send(encode(TaskOutcome{.id = one.id, .reason = "why", .exit_code = 3})).has_value();
    return succeed(one, channel, folder, log);
  });
  auto pool = Pool::start(1, m_folder.path(), host).value();
  const auto outcome = [&](const std::string& id) {
    auto one = task(id, "printed by " + id);
    one.log = "";
    m_printed.clear();
    return text_of(
        pool.run_one(
                one, -1, [&](std::string_view text) { m_printed += text; }, [](const std::string&) {})
            .value());
  };
  EXPECT_EQ(outcome("good"), "succeeded 0 ");
  EXPECT_EQ(m_printed, "printed by good");
  EXPECT_EQ(outcome("bad"), "error /pfs/out/link: is neither a file nor a folder");
  EXPECT_EQ(outcome("failed"), "failed 3 why");
}

TEST_F(PoolTest, AnAttendedTaskWaitsForItsStreams) {
  std::string streams;
  const FakeHost host([&](const Task& one, Channel& channel, const base::fs::path& folder, int log) {
    if (one.id == "lost") return false;
    if (one.id == "error") {
      TaskOutcome outcome{.id = one.id};
      outcome.error = base::Error{base::ErrorKind::io, "/run/pachbuild/host/x", "is broken"};
      return channel.send(encode(outcome)).has_value();
    }
    if (one.id == "nonsense") return channel.send("x").has_value();
    EXPECT_TRUE(channel.send(encode_ready()));
    for (int i = 0; i < 3; ++i) {
      const auto message = channel.receive();
      EXPECT_TRUE(message && *message == encode_stream());
      const auto stream = channel.take_descriptor();
      streams += stream ? std::to_string(i) : "-";
    }
    const auto signal = channel.receive();
    EXPECT_EQ(decode_signal(signal->value_or("")), 15);
    if (one.id == "no output") {
      return channel.send(encode(TaskOutcome{.id = one.id, .result = TaskResult::succeeded, .exit_code = 4}))
          .has_value();
    }
    return succeed(one, channel, folder, log);
  });
  const auto outcome = [&](const std::string& id) {
    auto pool = Pool::start(1, m_folder.path(), host).value();
    auto one = task(id);
    one.log = "";
    streams.clear();
    const auto made = pool.run_attended(one, -1, [&](AttendedCommand& command) -> base::Status {
      EXPECT_EQ(command.terminal(), -1);
      BASE_TRY(command.start({STDIN_FILENO, -1, STDERR_FILENO}));
      return command.send_signal(15);
    });
    return made ? text_of(*made) : "error " + made.error().what;
  };
  EXPECT_EQ(outcome("good"), "succeeded 0 ");
  EXPECT_EQ(streams, "0-2");
  EXPECT_EQ(base::read_file(path("output-good") / "file").value(), "good");
  EXPECT_EQ(outcome("no output"), "error /pfs/out: was removed or replaced by the program");
  EXPECT_EQ(outcome("error"), "error /x: is broken");
  EXPECT_EQ(outcome("nonsense"), "error the worker sent an invalid message");
  EXPECT_EQ(outcome("lost"), "error the worker ended unexpectedly (exit code 0)");
}

TEST(SlotsTest, AreFreeAgainWhenTheirHoldersAreGone) {
  const auto slots = Slots::make(2).value();
  EXPECT_EQ(slots.count(), 2);
  auto one = slots.take();
  {
    auto two = slots.take();
    ASSERT_TRUE(one && two);
    EXPECT_FALSE(slots.take());
    // The one that is moved to gives its own back.
    *one = std::move(*two);
    auto third = slots.take();
    EXPECT_TRUE(third);
    EXPECT_FALSE(slots.take());
    Slots::Slot& same = *one;
    *one = std::move(same);
    EXPECT_FALSE(slots.take()) << "it still has its own";
  }
  EXPECT_TRUE(slots.take());
  Slots::Slot moved = std::move(*one);
  one.reset();
  const auto last = slots.take();
  EXPECT_TRUE(last);
  EXPECT_FALSE(slots.take());
}

}  // namespace
}  // namespace local
