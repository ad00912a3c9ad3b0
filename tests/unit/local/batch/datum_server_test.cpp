// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/batch/datum_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "base/unique_fd.h"
#include "pachbuild/local/batch/next_datum.h"
#include "tests/unit/local/batch/grpc_client.h"

namespace local {
namespace {

// A program with one connection to the server.
struct Program {
  explicit Program(std::uint16_t port, bool six = false) {
    sockaddr_in four_address{};
    four_address.sin_family = AF_INET;
    four_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    four_address.sin_port = htons(port);
    sockaddr_in6 six_address{};
    six_address.sin6_family = AF_INET6;
    six_address.sin6_addr = in6addr_loopback;
    six_address.sin6_port = htons(port);
    socket.reset(::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* const address =
        six ? reinterpret_cast<sockaddr*>(&six_address) : reinterpret_cast<sockaddr*>(&four_address);
    is_connected = ::connect(socket.get(), address, six ? sizeof six_address : sizeof four_address) == 0;
  }
  std::int32_t call(const std::string& error = "") {
    const std::string message =
        error.empty() ? "" : "\x0a" + std::string(1, static_cast<char>(error.size())) + error;
    return client.call(framed(message), std::string(k_next_datum_path));
  }
  // The answer to a call.
  std::string answer_to(std::int32_t id) {
    const bool has_answer = client.talk_over(socket.get(), [&] { return client.answers[id].has_ended; });
    auto& answer = client.answers[id];
    if (!has_answer) return "no answer";
    if (answer.headers["grpc-status"] != "0")
      return answer.headers["grpc-status"] + " " + answer.headers["grpc-message"];
    return answer.body.substr(5);
  }
  // Whether the server ends the connection, after whatever else it sends.
  [[nodiscard]] bool was_closed() const {
    pollfd entry{socket.get(), POLLIN, 0};
    std::array<char, 4096> buffer{};
    while (::poll(&entry, 1, 10'000) > 0) {
      if (::recv(socket.get(), buffer.data(), buffer.size(), 0) <= 0) return true;
    }
    return false;
  }
  base::UniqueFd socket;
  bool is_connected = false;
  GrpcClient client;
};

class DatumServerTest : public testing::Test {
 protected:
  // The next call, while the programs talk.
  std::string take_call(const std::vector<Program*>& programs) {
    std::optional<std::string> call;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!call && std::chrono::steady_clock::now() < end) {
      for (auto* one : programs) {
        int turns = 0;
        one->client.talk_over(one->socket.get(), [&] { return ++turns > 2; });
      }
      call = m_server->take_call();
    }
    return call.value_or("no call");
  }
  [[nodiscard]] bool is_readable() const {
    pollfd entry{m_server->descriptor(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
  }
  std::unique_ptr<DatumServer> m_server = DatumServer::start().value();
};

TEST_F(DatumServerTest, CallsAreTakenAndAnsweredInTheirOrder) {
  Program program(m_server->port());
  ASSERT_TRUE(program.is_connected);
  EXPECT_FALSE(m_server->take_call());
  const auto first = program.call();
  EXPECT_EQ(take_call({&program}), "");
  EXPECT_FALSE(m_server->take_call());
  m_server->answer("one");
  EXPECT_EQ(program.answer_to(first), "one");
  const auto second = program.call("it went wrong");
  EXPECT_EQ(take_call({&program}), "it went wrong");
  m_server->answer("two");
  EXPECT_EQ(program.answer_to(second), "two");
}

TEST_F(DatumServerTest, LocalhostIsBothOfItsAddresses) {
  Program program(m_server->port(), true);
  if (!program.is_connected) GTEST_SKIP() << "there is no IPv6 here";
  const auto id = program.call();
  EXPECT_EQ(take_call({&program}), "");
  m_server->answer("x");
  EXPECT_EQ(program.answer_to(id), "x");
}

TEST_F(DatumServerTest, OtherCallsAreRefused) {
  Program program(m_server->port());
  const auto other = program.client.call(framed(""), "/a.B/C");
  EXPECT_EQ(program.answer_to(other), "12 pachbuild run offers " + std::string(k_next_datum_path) + " only");
  const auto broken = program.client.call(framed("\x0a"), std::string(k_next_datum_path));
  EXPECT_EQ(program.answer_to(broken), "3 not a NextDatumRequest");
  EXPECT_FALSE(m_server->take_call());
}

TEST_F(DatumServerTest, TheDescriptorTellsOfEachCallThatWaits) {
  Program program(m_server->port());
  EXPECT_FALSE(is_readable());
  program.call();
  program.call("second");
  EXPECT_TRUE(program.client.talk_over(program.socket.get(), [&] { return is_readable(); }));
  EXPECT_EQ(take_call({&program}), "");
  m_server->answer("a");
  EXPECT_EQ(take_call({&program}), "second");
  EXPECT_FALSE(is_readable()) << "none is left";
}

TEST_F(DatumServerTest, AnAnswerThatNobodyReadGoesToTheNextCall) {
  Program program(m_server->port());
  const auto given_up = program.call();
  EXPECT_EQ(take_call({&program}), "");
  program.client.give_up(given_up);
  const auto next = program.call();
  int turns = 0;
  program.client.talk_over(program.socket.get(), [&] { return ++turns > 5; });
  m_server->answer("for whoever asks");
  EXPECT_EQ(program.answer_to(next), "for whoever asks");
  // Of a program that has gone as well.
  {
    Program other(m_server->port());
    other.call();
    EXPECT_EQ(take_call({&other}), "");
  }
  const auto last = program.call();
  m_server->answer("again");
  EXPECT_EQ(program.answer_to(last), "again");
}

TEST_F(DatumServerTest, AnAnswerIsNotForACallThatSaysThatSomethingWentWrong) {
  Program program(m_server->port());
  const auto given_up = program.call();
  EXPECT_EQ(take_call({&program}), "");
  program.client.give_up(given_up);
  program.call("wrong");
  m_server->answer("not for this one");
  EXPECT_EQ(take_call({&program}), "wrong");
}

// Whoever takes the next call may come before the thread that sends.
TEST_F(DatumServerTest, AnAnswerIsNotLostToACallThatIsTakenAtOnce) {
  Program program(m_server->port());
  for (int i = 0; i < 8; ++i) {
    const auto first = program.call();
    ASSERT_EQ(take_call({&program}), "");
    const auto second = program.call("wrong");
    ASSERT_TRUE(program.client.talk_over(program.socket.get(), [&] { return is_readable(); }));
    m_server->answer("one");
    ASSERT_EQ(m_server->take_call(), "wrong");
    ASSERT_EQ(program.answer_to(first), "one");
    m_server->answer("two");
    ASSERT_EQ(program.answer_to(second), "two");
  }
}

TEST_F(DatumServerTest, AnErrorIsTakenUpToItsLimit) {
  Program program(m_server->port());
  for (const std::size_t size : {std::size_t{65'535}, std::size_t{65'536}, std::size_t{65'537}}) {
    std::string length;
    for (auto rest = size; rest > 0; rest >>= 7U)
      length += static_cast<char>((rest & 0x7fU) | (rest > 0x7f ? 0x80U : 0U));
    const auto id =
        program.client.call(framed("\x0a" + length + std::string(size, 'x')), std::string(k_next_datum_path));
    EXPECT_EQ(take_call({&program}), std::string(std::min<std::size_t>(size, 65'536), 'x'));
    m_server->answer("");
    EXPECT_EQ(program.answer_to(id), "");
  }
}

TEST_F(DatumServerTest, OnlySoManyProgramsAreServed) {
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 32; ++i) {
    programs.push_back(std::make_unique<Program>(m_server->port()));
    ASSERT_TRUE(programs.back()->is_connected);
    programs.back()->call();
    EXPECT_EQ(take_call({programs.back().get()}), "");
  }
  EXPECT_TRUE(Program(m_server->port()).was_closed());
  programs.erase(programs.begin() + 7);
  // The server notices that in its own time.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::string answer;
  while (answer != "x" && std::chrono::steady_clock::now() < end) {
    Program next(m_server->port());
    const auto id = next.call();
    if (next.client.talk_over(next.socket.get(), [&] { return is_readable(); })) {
      EXPECT_EQ(take_call({&next}), "");
      m_server->answer("x");
      answer = next.answer_to(id);
    }
  }
  EXPECT_EQ(answer, "x");
}

TEST_F(DatumServerTest, WhenTheProgramHasEndedNothingOfItIsLeft) {
  Program program(m_server->port());
  program.call();
  EXPECT_TRUE(program.client.talk_over(program.socket.get(), [&] { return is_readable(); }));
  m_server->disconnect();
  EXPECT_FALSE(is_readable());
  EXPECT_FALSE(m_server->take_call());
  EXPECT_TRUE(program.was_closed());
  Program next(m_server->port());
  const auto id = next.call();
  EXPECT_EQ(take_call({&next}), "");
  m_server->answer("new");
  EXPECT_EQ(next.answer_to(id), "new");
}

}  // namespace
}  // namespace local
