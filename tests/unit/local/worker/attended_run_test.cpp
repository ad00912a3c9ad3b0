// SPDX-License-Identifier: Apache-2.0
// A command that somebody attends: the pool's end is this test's.
#include "pachbuild/local/worker/attended_run.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include "base/files.h"
#include "pachbuild/local/pool/attended.h"

namespace local {
namespace {

class AttendedRun : public testing::Test {
 protected:
  AttendedRun() {
    m_task.environment = {{"PATH", "/usr/bin:/bin"}};
    m_task.folder = m_folder.path().string();
    m_task.attended = true;
  }
  // The outcome of a shell's script, while `attend` has the command that is ready to start.
  std::string run(const std::string& script, const std::function<void(AttendedCommand&)>& attend) {
    if (!script.empty()) m_task.command = {"sh", "-c", script};
    auto ends = Channel::make_pair().value();
    std::string outcome;
    std::thread worker([&, end = std::move(ends.second)]() mutable {
      const auto execution = run_attended(m_task, end);
      if (!execution) {
        outcome = "error (" + std::to_string(static_cast<int>(execution.error().kind)) + ") " +
                  execution.error().what;
        return;
      }
      outcome = std::string(execution->result == TaskResult::succeeded ? "ended " : "failed ") +
                std::to_string(execution->exit_code) + " " + execution->reason;
    });
    {
      Channel channel = std::move(ends.first);
      const auto message = channel.receive();
      EXPECT_TRUE(message && *message && is_ready(**message));
      AttendedCommand command(channel, channel.take_descriptor());
      EXPECT_EQ(command.terminal() >= 0, m_task.has_terminal);
      attend(command);
    }
    worker.join();
    return outcome;
  }
  // Starts it with files, and waits for its end.
  [[nodiscard]] std::function<void(AttendedCommand&)> with_files() const {
    return [this](AttendedCommand& command) {
      EXPECT_TRUE(command.start({open("in"), open("out"), open("err")}));
      await(command.ended());
    };
  }
  // Whether the descriptor is readable, or its other end closed, before a deadline.
  static bool await(int descriptor) {
    pollfd entry{descriptor, POLLIN | POLLRDHUP, 0};
    return ::poll(&entry, 1, 10'000) > 0;
  }
  // A file that stays open until the end of the test.
  [[nodiscard]] int open(const std::string& name) const {
    m_open.emplace_back(::open((m_folder.path() / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    return m_open.back().get();
  }
  void wait_for_file(const std::string& name) const {
    for (int i = 0; i < 1000 && ::access((m_folder.path() / name).c_str(), F_OK) != 0; ++i) ::usleep(10'000);
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    return base::read_file(m_folder.path() / name).value_or("none");
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "attended.").value();
  Task m_task;
  mutable std::vector<base::UniqueFd> m_open;
};

TEST_F(AttendedRun, ACommandHasTheStreamsThatCome) {
  ASSERT_TRUE(base::write_file(m_folder.path() / "in", "input"));
  m_task.standard_input = "not this";
  m_task.secret_variables = {{"SECRET", "s"}};
  EXPECT_EQ(run("cat; pwd >&2; echo $SECRET >&2; exit 7", with_files()), "ended 7 ");
  EXPECT_EQ(content("out"), "input");
  EXPECT_EQ(content("err"), base::fs::canonical(m_folder.path()).string() + "\ns\n");
}

TEST_F(AttendedRun, WhatCannotBeStartedFails) {
  m_task.command = {"no-such-tool"};
  EXPECT_EQ(run("", with_files()), "failed 127 no-such-tool: command not found");
}

TEST_F(AttendedRun, SignalsAreTheCommandsAndOtherMessagesNothing) {
  EXPECT_EQ(run("trap 'exit 5' USR1; trap 'exit 6' USR2; touch ready; while :; do sleep 0.01; done",
                [this](AttendedCommand& command) {
                  EXPECT_TRUE(command.start({open("in"), open("out"), open("err")}));
                  wait_for_file("ready");
                  EXPECT_TRUE(command.send_signal(SIGUSR1));
                  await(command.ended());
                }),
            "ended 5 ");
  EXPECT_EQ(run("exec sleep 60",
                [this](AttendedCommand& command) {
                  EXPECT_TRUE(command.start({open("in"), open("out"), open("err")}));
                  EXPECT_TRUE(command.send_signal(SIGKILL));
                  await(command.ended());
                }),
            "ended 137 ");
}

TEST_F(AttendedRun, WithoutThePoolItEnds) {
  const std::string lost =
      "error (" + std::to_string(static_cast<int>(base::ErrorKind::io)) + ") the pool has gone";
  EXPECT_EQ(run("touch started", [](AttendedCommand&) {}), lost) << "no streams came";
  EXPECT_EQ(content("started"), "none");
  EXPECT_EQ(run("touch started; exec sleep 60",
                [this](AttendedCommand& command) {
                  EXPECT_TRUE(command.start({open("in"), open("out"), open("err")}));
                  wait_for_file("started");
                }),
            lost);
}

TEST_F(AttendedRun, AStreamThatDoesNotComeIsTheTerminal) {
  m_task.has_terminal = true;
  std::string shown;
  EXPECT_EQ(run("[ -t 0 ] && [ -t 1 ] && [ ! -t 2 ] || exit 3; read line; echo \"got $line\"; echo error >&2",
                [&](AttendedCommand& command) {
                  EXPECT_TRUE(command.start({-1, -1, open("err")}));
                  EXPECT_EQ(::write(command.terminal(), "typed\n", 6), 6);
                  std::array<char, 256> buffer{};
                  while (await(command.terminal())) {
                    const ssize_t count = ::read(command.terminal(), buffer.data(), buffer.size());
                    if (count <= 0) break;  // nobody has the other end any more
                    shown.append(buffer.data(), static_cast<std::size_t>(count));
                  }
                  await(command.ended());
                }),
            "ended 0 ");
  EXPECT_THAT(shown, testing::HasSubstr("got typed\r\n"));
  EXPECT_EQ(content("err"), "error\n");
  // A window that is closed hangs up on it.
  EXPECT_EQ(run("trap 'exit 9' HUP; touch ready; while :; do sleep 0.01; done",
                [&](AttendedCommand& command) {
                  EXPECT_TRUE(command.start({-1, -1, -1}));
                  wait_for_file("ready");
                  command.hang_up();
                  await(command.ended());
                }),
            "ended 9 ");
}

}  // namespace
}  // namespace local
