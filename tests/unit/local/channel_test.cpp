// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/channel.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "base/files.h"

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
