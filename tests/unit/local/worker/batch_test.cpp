// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/batch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <thread>

#include "base/files.h"
#include "base/unique_fd.h"
#include "pachbuild/local/batch/next_datum.h"
#include "tests/unit/local/batch/grpc_client.h"

namespace local {
namespace {

TEST(BatchVariables, LeadToTheServerWithoutAProxy) {
  const auto batch = Batch::make().value();
  const auto with = [&](process::Environment environment) {
    batch.add_variables(environment);
    EXPECT_GT(std::stoi(process::value_of(environment, "PPS_WORKER_GRPC_PORT")), 0);
    environment.erase("PPS_WORKER_GRPC_PORT");
    return environment;
  };
  using process::Environment;
  const std::string own = "localhost,127.0.0.1,::1";
  EXPECT_EQ(with({}), Environment{});
  EXPECT_EQ(with({{"no_proxy", "x"}}), (Environment{{"no_proxy", "x"}}));
  for (const std::string name : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    EXPECT_EQ(with({{name, "p"}}), (Environment{{name, "p"}, {"no_proxy", own}}));
    EXPECT_EQ(with({{name, "p"}, {"no_proxy", "x"}}), (Environment{{name, "p"}, {"no_proxy", "x," + own}}));
    EXPECT_EQ(with({{name, "p"}, {"NO_PROXY", "y"}}),
              (Environment{{name, "p"}, {"NO_PROXY", "y"}, {"no_proxy", "y," + own}}));
  }
  EXPECT_EQ(with({{"HTTP_PROXY", "p"}}), (Environment{{"HTTP_PROXY", "p"}}));
}

class BatchTest : public testing::Test {
 protected:
  BatchTest() {
    m_task.batch_environment = {{"PATH", "/usr/bin:/bin"}, {"A", "start"}};
    m_task.environment = {{"A", "datum"}};
    m_task.secret_variables = {{"S", "secret"}};
    m_task.log = "a log";
  }
  std::string attempt(const std::string& script) {
    m_told.clear();
    m_task.command = {"sh", "-c", script};
    const base::UniqueFd log(
        ::open((m_folder.path() / "log").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    const auto note = [&](const char* what) {
      return [&, what]() -> base::Status {
        m_told += what;
        return {};
      };
    };
    const Batch::Steps steps{.log = log.get(),
                             .lay_out_start = note("start "),
                             .lay_out = note("datum "),
                             .running = [](bool) -> base::Status { return {}; }};
    const auto execution = m_batch.attempt(m_task, steps).value();
    m_log = base::read_file(m_folder.path() / "log").value();
    return std::string(execution.result == TaskResult::never_asked ? "never asked " : "failed ") +
           std::to_string(execution.exit_code) + " " + execution.reason;
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "batch.").value();
  Batch m_batch = Batch::make().value();
  Task m_task;
  std::string m_told;
  std::string m_log;
};

TEST_F(BatchTest, AProgramThatNeverAsksIsToldApart) {
  m_task.standard_input = "input";
  EXPECT_EQ(attempt("cat; echo $A $S; exit 3"), "never asked 3 exit code 3, before it asked for a datum");
  EXPECT_EQ(m_told, "start ");
  EXPECT_EQ(m_log, "inputstart secret\n");
  EXPECT_EQ(attempt("true"), "never asked 0 exit code 0, before it asked for a datum")
      << "and is started again";
}

TEST_F(BatchTest, AStepThatFailsEndsTheAttempt) {
  m_task.command = {"true"};
  const auto attempt_where = [&](const std::string& failing) {
    const auto step = [&](const std::string& name) {
      return [&, name]() -> base::Status {
        m_told += name + " ";
        if (name == failing) return base::fail(base::ErrorKind::io, "", name + " failed");
        return {};
      };
    };
    m_told.clear();
    const auto execution = m_batch.attempt(m_task, {.log = -1,
                                                    .lay_out_start = step("start"),
                                                    .lay_out = step("datum"),
                                                    .running = [](bool) -> base::Status { return {}; }});
    return m_told + (execution ? execution->reason : "error " + execution.error().what);
  };
  EXPECT_EQ(attempt_where("start"), "start error start failed");
  EXPECT_EQ(attempt_where(""), "start exit code 0, before it asked for a datum");
  m_task.command = {"/no/such/program"};
  EXPECT_EQ(attempt_where("datum"), "start datum error datum failed");
}

TEST_F(BatchTest, AProgramThatCannotBeStartedFailsItsDatum) {
  m_task.command = {"/no/such/program"};
  const Batch::Steps steps{.log = -1,
                           .lay_out_start = []() -> base::Status { return {}; },
                           .lay_out = [this]() -> base::Status {
                             m_told += "datum ";
                             return {};
                           },
                           .running = {}};
  const auto execution = m_batch.attempt(m_task, steps).value();
  EXPECT_EQ(execution.result, TaskResult::failed);
  EXPECT_EQ(execution.exit_code, 127);
  EXPECT_EQ(execution.reason, "/no/such/program: command not found");
  EXPECT_EQ(m_told, "datum ") << "for the error command";
}

// A program that runs until its input is closed, for which the test makes the calls.
class BatchCalls : public testing::Test {
 protected:
  BatchCalls() {
    m_task.batch_environment = {{"PATH", "/usr/bin:/bin"}};
    m_task.environment = {{"A", "datum"}};
    m_task.secret_variables = {{"S", "secret"}};
    m_task.datum_variables = {{"D", "1"}};
    m_task.log = "a log";
    m_task.command = {"sh", "-c", "exec sleep 60"};
    process::Environment environment;
    m_batch.add_variables(environment);
    m_address.sin_family = AF_INET;
    m_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    m_address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(process::value_of(environment, "PPS_WORKER_GRPC_PORT"))));
    connect();
  }
  void connect() {
    m_socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(m_socket.get(), reinterpret_cast<const sockaddr*>(&m_address), sizeof m_address), 0);
    m_client = std::make_unique<GrpcClient>();
  }
  std::int32_t call(const std::string& error = "") {
    std::string message;
    if (!error.empty()) {
      message = "\x0a";
      for (auto rest = error.size(); rest > 0; rest >>= 7U)
        message += static_cast<char>((rest & 0x7fU) | (rest > 0x7f ? 0x80U : 0U));
      message += error;
    }
    const auto id = m_client->call(framed(message), std::string(k_next_datum_path));
    send();
    return id;
  }
  void send() {
    int turns = 0;
    m_client->talk_over(m_socket.get(), [&] { return ++turns > 2; });
  }
  // One datum: the outcome, and what was done for it. `meanwhile` runs when the program has the datum.
  std::string attempt(const std::function<void()>& meanwhile = nullptr) {
    m_told.clear();
    std::thread talking;
    const auto note = [&](const std::string& what) -> base::Status {
      m_told += what + " ";
      return {};
    };
    const Batch::Steps steps{.log = m_log.get(),
                             .lay_out_start = [&] { return note("start"); },
                             .lay_out =
                                 [&] {
                                   if (meanwhile) talking = std::thread(meanwhile);
                                   return note("datum");
                                 },
                             .running = [&](bool is_running) { return note(is_running ? "runs" : "done"); }};
    const auto execution = m_batch.attempt(m_task, steps).value();
    if (talking.joinable()) talking.join();
    m_log_errno = execution.log_errno;
    const char* const k_names[] = {"succeeded", "recovered", "failed", "never asked"};
    return m_told + std::string(k_names[static_cast<int>(execution.result)]) + " " +
           std::to_string(execution.exit_code) + " " + execution.reason;
  }
  // What the answer to the call has: "NAME=VALUE" of each variable.
  std::string answer_to(std::int32_t id) {
    if (!m_client->talk_over(m_socket.get(), [&] { return m_client->answers[id].has_ended; }))
      return "no answer";
    return m_client->answers[id].body.substr(5);
  }
  [[nodiscard]] std::string log() const { return base::read_file(m_folder.path() / "log").value(); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "batch.").value();
  base::UniqueFd m_log{
      ::open((m_folder.path() / "log").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  Batch m_batch = Batch::make().value();
  sockaddr_in m_address{};
  base::UniqueFd m_socket;
  std::unique_ptr<GrpcClient> m_client;
  Task m_task;
  std::string m_told;
  int m_log_errno = 0;
};

TEST_F(BatchCalls, ALogThatCannotBeWrittenIsSaidOfEachDatum) {
  m_task.folder = m_folder.path().string();
  const auto go = [&](std::int32_t id) {
    answer_to(id);
    EXPECT_TRUE(base::write_file(m_folder.path() / "go", ""));
    for (int i = 0; i < 1000 && ::access((m_folder.path() / "go").c_str(), F_OK) == 0; ++i) ::usleep(10'000);
  };
  m_task.command = {"sh", "-c", "while :; do while [ ! -e go ]; do sleep 0.01; done; echo x; rm go; done"};
  m_log.reset(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  auto id = call();
  EXPECT_EQ(attempt([&] {
              go(id);
              id = call();
            }),
            "start datum succeeded 0 ");
  EXPECT_EQ(m_log_errno, ENOSPC);
  EXPECT_EQ(attempt([&] {
              go(id);
              call("wrong");
            }),
            "datum failed 1 the program says: wrong");
  EXPECT_EQ(m_log_errno, ENOSPC);
  m_task.command = {"sh", "-c", "echo x; exit 2"};
  connect();
  EXPECT_EQ(attempt(), "start datum failed 2 exit code 2, before it asked for a datum");
  EXPECT_EQ(m_log_errno, ENOSPC);
}

TEST_F(BatchCalls, WithoutALogItIsTheSame) {
  m_task.log = "";
  auto id = call();
  for (const std::string expected : {"start datum succeeded 0 ", "datum succeeded 0 "}) {
    EXPECT_EQ(attempt([&] {
                answer_to(id);
                id = call();
              }),
              expected);
  }
}

TEST_F(BatchCalls, EachAnswerHasTheVariablesOfItsDatumAndTheNextCallEndsIt) {
  const auto first = call();
  std::int32_t second = 0;
  EXPECT_EQ(attempt([&] {
              EXPECT_EQ(answer_to(first), encode_next_datum_response(shown_variables(m_task)));
              second = call();
            }),
            "start datum succeeded 0 ");
  m_task.datum_variables = {{"D", "2"}};
  m_task.timeout_ms = 60'000;
  EXPECT_EQ(attempt([&] {
              EXPECT_THAT(answer_to(second), testing::HasSubstr("D=2"));
              call();
            }),
            "datum runs done succeeded 0 ")
      << "the same program";
}

TEST_F(BatchCalls, AnErrorThatTheProgramSaysEndsIt) {
  const auto first = call();
  EXPECT_EQ(attempt([&] {
              answer_to(first);
              call("it went wrong");
            }),
            "start datum failed 1 the program says: it went wrong");
  connect();
  const auto second = call();
  m_task.timeout_ms = 60'000;
  const std::string reason = attempt([&] {
    answer_to(second);
    call(std::string(501, 'x'));
  });
  EXPECT_THAT(reason, testing::StartsWith("start datum runs done failed 1 the program says: xxx"))
      << "it is started again";
  EXPECT_THAT(reason, testing::Not(testing::HasSubstr(std::string(501, 'x'))));
  connect();
  const auto third = call();
  EXPECT_THAT(attempt([&] {
                answer_to(third);
                call(std::string(500, 'x'));
              }),
              testing::EndsWith(": " + std::string(500, 'x')));
}

TEST_F(BatchCalls, AProgramThatEndsFailsItsDatum) {
  const auto script = [&](const std::string& text) {
    m_task.command = {"sh", "-c", "while [ ! -e go ]; do sleep 0.01; done; rm go; " + text};
  };
  m_task.folder = m_folder.path().string();
  const auto go = [&] { EXPECT_TRUE(base::write_file(m_folder.path() / "go", "")); };
  const auto outcome = [&](const std::string& text) {
    script(text);
    const auto id = call();
    const auto told = attempt([&] {
      answer_to(id);
      go();
    });
    connect();
    return told;
  };
  EXPECT_EQ(outcome("exit 0"), "start datum failed 0 exit code 0, before it asked for the next datum");
  EXPECT_EQ(outcome("echo said; exit 3"), "start datum failed 3 exit code 3");
  EXPECT_EQ(log(), "said\n");
  m_task.accepted_codes = {3};
  EXPECT_EQ(outcome("exit 3"), "start datum failed 3 exit code 3, before it asked for the next datum");
  EXPECT_THAT(outcome("kill -9 $$"), testing::StartsWith("start datum failed 137 signal 9"));
  // It has asked before, so that it may do better the next time.
  m_task.command = {"sh", "-c", "exit 4"};
  EXPECT_EQ(attempt(), "start datum failed 4 exit code 4, before it asked for a datum");
}

TEST_F(BatchCalls, ADatumThatTakesTooLongEndsTheProgram) {
  m_task.timeout_ms = 50;
  call();
  EXPECT_EQ(attempt(), "start datum runs done failed 137 timed out after 50 ms");
}

TEST_F(BatchCalls, WhatIsPrintedIsOfTheDatumThatTheProgramHas) {
  m_task.folder = m_folder.path().string();
  m_task.command = {"sh", "-c",
                    "echo before; for i in 1 2; do while [ ! -e go$i ]; do sleep 0.01; done; echo $i; touch "
                    "said$i; done; exec sleep 60"};
  const auto go = [&](std::int32_t id, const std::string& number) {
    answer_to(id);
    EXPECT_TRUE(base::write_file(m_folder.path() / ("go" + number), ""));
    for (int i = 0; i < 1000 && ::access((m_folder.path() / ("said" + number)).c_str(), F_OK) != 0; ++i)
      ::usleep(10'000);
  };
  auto id = call();
  EXPECT_EQ(attempt([&] {
              go(id, "1");
              id = call();
            }),
            "start datum succeeded 0 ");
  EXPECT_EQ(log(), "before\n1\n");
  m_log.reset(::open((m_folder.path() / "second").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  EXPECT_EQ(attempt([&] {
              go(id, "2");
              call();
            }),
            "datum succeeded 0 ");
  EXPECT_EQ(log(), "before\n1\n");
  EXPECT_EQ(base::read_file(m_folder.path() / "second").value(), "2\n");
}

}  // namespace
}  // namespace local
