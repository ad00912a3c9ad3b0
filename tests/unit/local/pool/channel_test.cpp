// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/channel.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "../../steps.h"
#include "base/files.h"
#include "base/stop.h"

using local::Channel;
using local::Listener;

namespace {

base::TemporaryFolder temporary_folder() {
  auto folder = base::TemporaryFolder::make("/tmp", "channel-test-");
  EXPECT_TRUE(folder);
  return std::move(*folder);
}

}  // namespace

TEST(Listener, CarriesMessagesAtAPathLongerThanAnAddress) {
  const auto temporary = temporary_folder();
  const auto folder = temporary.path() / std::string(200, 'x');
  ASSERT_TRUE(base::make_folders(folder));
  auto listener = Listener::make(folder / "socket");
  ASSERT_TRUE(listener) << listener.error().what;
  auto there = Channel::connect(folder / "socket");
  ASSERT_TRUE(there) << there.error().what;
  auto here = listener->accept(-1);
  ASSERT_TRUE(here && *here);
  ASSERT_TRUE(there->send("hello"));
  EXPECT_EQ((*here)->receive().value(), "hello");
  there->close();
  EXPECT_EQ((*here)->receive().value(), std::nullopt);
}

TEST(Listener, GivesUpWhenTheOtherEndHasEnded) {
  const auto folder = temporary_folder();
  auto listener = Listener::make(folder.path() / "socket");
  ASSERT_TRUE(listener);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[1]);
  EXPECT_EQ(listener->accept(ends[0]).value().has_value(), false);
  ::close(ends[0]);
}

TEST(Channel, SaysWhereNobodyListens) {
  const auto folder = temporary_folder();
  const auto channel = Channel::connect(folder.path() / "socket");
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().where, (folder.path() / "socket").string());
}

TEST(Channel, HasPatienceWithAnotherEndThatStopsInTheMiddle) {
  auto ends = Channel::make_pair();
  ASSERT_TRUE(ends);
  auto& [here, there] = *ends;
  ASSERT_TRUE(here.set_patience(std::chrono::milliseconds(20)));
  for (const std::string& begun : {std::string("\x05"), std::string("\x05\0\0\0he", 7)}) {
    ASSERT_EQ(::write(there.descriptor(), begun.data(), begun.size()), static_cast<ssize_t>(begun.size()));
    EXPECT_FALSE(here.receive()) << begun.size();
  }
  EXPECT_FALSE(here.send(std::string(std::size_t{1} << 22, 'x')));
}

// The length is four bytes, and a message comes in pieces.
TEST(Channel, CarriesMessagesOfAnyLength) {
  auto ends = Channel::make_pair();
  ASSERT_TRUE(ends);
  auto& [here, there] = *ends;
  for (const std::size_t size :
       {0U, 1U, 255U, 256U, 65'535U, 65'536U, (1U << 20U) - 1, 1U << 20U, (1U << 24U) + 3}) {
    std::string message(size, 'x');
    for (std::size_t i = 0; i < size; i += 1021) message[i] = static_cast<char>('a' + i % 26);
    std::thread sender([&message, to = &here] { EXPECT_TRUE(to->send(message)); });
    const auto received = there.receive();
    sender.join();
    ASSERT_TRUE(received && *received) << size;
    EXPECT_TRUE(**received == message) << size;
  }
  here.close();
  EXPECT_EQ(there.receive().value(), std::nullopt);
}

TEST(Channel, CarriesADescriptorWithTheMessageItBelongsTo) {
  auto ends = Channel::make_pair();
  ASSERT_TRUE(ends);
  auto& [here, there] = *ends;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const base::UniqueFd read_end(pipe[0]);
  base::UniqueFd write_end(pipe[1]);
  ASSERT_TRUE(here.send("with", write_end.get()));
  ASSERT_TRUE(here.send("without"));
  write_end.reset();
  EXPECT_EQ(there.receive().value(), "with");
  auto taken = there.take_descriptor();
  ASSERT_TRUE(taken);
  EXPECT_EQ(::write(taken.get(), "y", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(there.receive().value(), "without");
  EXPECT_FALSE(there.take_descriptor());
  taken.reset();
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0) << "nobody has it any more";
}

// What is announced and never comes is no reason to make room for it.
TEST(Channel, AMessageThatIsCutOffIsTheEnd) {
  for (const std::string& begun :
       {std::string("\x05\0\0", 3), std::string("\x05\0\0\0he", 6), std::string("\xff\xff\xff\xffhe", 6)}) {
    auto ends = Channel::make_pair();
    ASSERT_TRUE(ends);
    auto& [here, there] = *ends;
    ASSERT_EQ(::write(there.descriptor(), begun.data(), begun.size()), static_cast<ssize_t>(begun.size()));
    there.close();
    const auto received = here.receive();
    ASSERT_TRUE(received);
    EXPECT_EQ(*received, std::nullopt);
  }
}

TEST(Channel, ADescriptorThatNobodyTookGoesWithItsMessage) {
  auto ends = Channel::make_pair();
  ASSERT_TRUE(ends);
  auto& [here, there] = *ends;
  ASSERT_TRUE(here.send("with", STDERR_FILENO));
  ASSERT_TRUE(here.send("without"));
  EXPECT_EQ(there.receive().value(), "with");
  EXPECT_EQ(there.receive().value(), "without");
  EXPECT_FALSE(there.take_descriptor());
}

// Who closes a socket before it has read all resets the connection.
TEST(Channel, AConnectionThatIsResetHasEnded) {
  auto ends = Channel::make_pair();
  ASSERT_TRUE(ends);
  auto& [here, there] = *ends;
  ASSERT_TRUE(here.send("unread"));
  there.close();
  const auto received = here.receive();
  ASSERT_TRUE(received) << received.error().what;
  EXPECT_EQ(*received, std::nullopt);
}

TEST(Channel, WhatIsNoSocketIsAnError) {
  Channel none{base::UniqueFd()};
  EXPECT_EQ(none.receive().error().what, "cannot read: Bad file descriptor");
  EXPECT_EQ(none.send("x").error().what, "cannot write: Bad file descriptor");
  EXPECT_EQ(none.send("x", STDERR_FILENO).error().what, "cannot write: Bad file descriptor");
  EXPECT_FALSE(none.set_patience(std::chrono::milliseconds(1)));
  EXPECT_EQ(none.send("x").error().where, "a worker's socket");
}

TEST(Listener, WaitsOnAfterASignalAndSaysWhatElseGoesWrong) {
  const auto folder = temporary_folder();
  auto listener = Listener::make(folder.path() / "socket");
  auto there = Channel::connect(folder.path() / "socket");
  ASSERT_TRUE(listener && there);
  int polls = 0;
  {
    const steps::Watch watch(
        [&](std::string_view call, std::string_view) { return call == "poll" && polls++ < 2 ? EINTR : 0; },
        steps::Calls::all);
    EXPECT_TRUE(listener->accept(-1).value());
  }
  EXPECT_EQ(polls, 3);
  const steps::Watch watch([](std::string_view call, std::string_view) { return call == "poll" ? EIO : 0; },
                           steps::Calls::all);
  const auto accepted = listener->accept(-1);
  ASSERT_FALSE(accepted);
  EXPECT_EQ(accepted.error().where + ": " + accepted.error().what,
            "a worker's socket: cannot watch: Input/output error");
}

TEST(Listener, IsStoppedWhileItWaits) {
  const auto folder = temporary_folder();
  auto listener = Listener::make(folder.path() / "socket");
  ASSERT_TRUE(listener);
  const base::StopQuestion stop([] { return true; });
  EXPECT_EQ(listener->accept(-1).error().what, "interrupted");
}

TEST(Listener, SaysWhereItCannotBeMade) {
  const auto folder = temporary_folder();
  EXPECT_EQ(Listener::make(folder.path() / "none/socket").error().where, (folder.path() / "none").string());
  ASSERT_TRUE(base::write_file(folder.path() / "taken", ""));
  EXPECT_EQ(Listener::make(folder.path() / "taken").error().where, (folder.path() / "taken").string());
}
