// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/batch/grpc_connection.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/local/batch/grpc_client.h"

namespace local {
namespace {

using namespace std::string_literals;

TEST(GrpcConnection, CallsAreAnswered) {
  for (const std::size_t step : {1U, 7U, 1U << 20U}) {
    GrpcConnection server;
    GrpcClient client;
    const auto first = client.call(framed("one"));
    const auto second = client.call(framed(""), "/x.Y/Z");
    ASSERT_TRUE(client.talk(server, step));
    const auto call = server.take_call();
    const auto other = server.take_call();
    ASSERT_TRUE(call && other);
    EXPECT_EQ(call->path + call->message, "/a.B/Cone");
    EXPECT_EQ(other->path + other->message, "/x.Y/Z");
    EXPECT_FALSE(server.take_call());
    EXPECT_TRUE(server.waits(call->id));
    const std::string large(200'000, 'l');
    server.answer(other->id, large);
    server.answer(call->id, "");
    ASSERT_TRUE(client.talk(server));
    for (const auto& [id, body] : {std::pair(first, framed("")), std::pair(second, framed(large))}) {
      const auto& answer = client.answers[id];
      EXPECT_TRUE(answer.has_ended);
      EXPECT_EQ(answer.body, body);
      EXPECT_EQ(answer.headers.at(":status"), "200");
      EXPECT_EQ(answer.headers.at("content-type"), "application/grpc");
      EXPECT_EQ(answer.headers.at("grpc-status"), "0");
    }
    EXPECT_FALSE(server.waits(call->id));
  }
}

TEST(GrpcConnection, ACallThatIsGivenUpIsGone) {
  GrpcConnection server;
  GrpcClient client;
  const auto early = client.call(framed("early"));
  const auto late = client.call(framed("late"));
  ASSERT_TRUE(client.talk(server));
  client.give_up(early);
  ASSERT_TRUE(client.talk(server));
  const auto call = server.take_call();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->message, "late");
  client.give_up(late);
  ASSERT_TRUE(client.talk(server));
  EXPECT_FALSE(server.waits(call->id));
  server.answer(call->id, "nobody gets it");
  EXPECT_TRUE(client.talk(server));
}

TEST(GrpcConnection, WhatIsNoCallIsRefused) {
  GrpcConnection server;
  GrpcClient client;
  const std::string too_long(GrpcConnection::k_longest_message + 1, 'x');
  const std::map<std::int32_t, std::string> statuses = {{client.call(""), "3"},
                                                        {client.call("\0\0\0\0"s), "3"},
                                                        {client.call("\0\0\0\0\1"s), "3"},
                                                        {client.call(framed("one") + framed("two")), "3"},
                                                        {client.call("\1" + framed("x").substr(1)), "12"},
                                                        {client.call(framed(too_long)), "8"}};
  ASSERT_TRUE(client.talk(server));
  EXPECT_FALSE(server.take_call());
  for (const auto& [id, status] : statuses) {
    EXPECT_TRUE(client.answers[id].has_ended);
    EXPECT_EQ(client.answers[id].headers["grpc-status"], status);
    EXPECT_NE(client.answers[id].headers["grpc-message"], "");
  }
  for (const auto id :
       {client.call(framed(""), "/a.B/C", "GET"), client.call(framed(""), "/a.B/C", "POST", "text/html")}) {
    ASSERT_TRUE(client.talk(server));
    EXPECT_EQ(client.answers[id].headers[":status"], "415");
  }
}

TEST(GrpcConnection, TheLongestMessageIsTaken) {
  GrpcConnection server;
  GrpcClient client;
  client.call(framed(std::string(GrpcConnection::k_longest_message, 'x')));
  ASSERT_TRUE(client.talk(server));
  const auto call = server.take_call();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->message.size(), GrpcConnection::k_longest_message);
}

TEST(GrpcConnection, AReasonIsPercentEncoded) {
  GrpcConnection server;
  GrpcClient client;
  const auto id = client.call(framed(""));
  ASSERT_TRUE(client.talk(server));
  server.refuse(server.take_call()->id, GrpcStatus::unknown, "100 %\n\xc3\xa4");
  ASSERT_TRUE(client.talk(server));
  EXPECT_EQ(client.answers[id].headers["grpc-message"], "100 %25%0A%C3%A4");
}

TEST(GrpcConnection, AHeaderThatIsTooLongIsNotKept) {
  GrpcConnection server;
  GrpcClient client;
  client.call(framed(""), "/" + std::string(4095, 'x'));
  client.call(framed(""), "/" + std::string(4096, 'x'));
  ASSERT_TRUE(client.talk(server));
  EXPECT_EQ(server.take_call()->path.size(), 4096U);
  EXPECT_EQ(server.take_call()->path, "");
}

TEST(GrpcConnection, EachContentTypeOfGrpcIsTaken) {
  for (const std::string type : {"application/grpc", "application/grpc+proto", "application/grpc;x"}) {
    GrpcConnection server;
    GrpcClient client;
    client.call(framed("x"), "/a.B/C", "POST", type);
    ASSERT_TRUE(client.talk(server));
    EXPECT_TRUE(server.take_call()) << type;
  }
  for (const std::string type : {"application/grp", "xapplication/grpc", ""}) {
    GrpcConnection server;
    GrpcClient client;
    const auto id = client.call(framed("x"), "/a.B/C", "POST", type);
    ASSERT_TRUE(client.talk(server));
    EXPECT_FALSE(server.take_call()) << type;
    EXPECT_EQ(client.answers[id].headers[":status"], "415");
  }
}

TEST(GrpcConnection, EachReasonOfARefusalIsSaid) {
  GrpcConnection server;
  GrpcClient client;
  const std::map<std::int32_t, std::string> reasons = {
      {client.call("\0\0\0\0"s), "there is no message"},
      {client.call("\0\0\0\0\1"s), "there is not one message"},
      {client.call("\0\0\0\0\1xy"s), "there is not one message"},
      {client.call("\1\0\0\0\1x"s), "the message is compressed"},
      {client.call(framed(std::string(GrpcConnection::k_longest_message + 1, 'x'))),
       "the message is too long"}};
  ASSERT_TRUE(client.talk(server));
  for (const auto& [id, reason] : reasons) EXPECT_EQ(client.answers[id].headers["grpc-message"], reason);
  const auto id = client.call(framed(""));
  ASSERT_TRUE(client.talk(server));
  server.refuse(server.take_call()->id, GrpcStatus::unknown, "~ %\x7f\x1f");
  ASSERT_TRUE(client.talk(server));
  EXPECT_EQ(client.answers[id].headers["grpc-message"], "~ %25%7F%1F");
}

TEST(GrpcConnection, MoreCallsThanAllowedWait) {
  GrpcConnection server;
  GrpcClient client;
  ASSERT_TRUE(client.talk(server));  // so that the limit is known
  for (std::uint32_t i = 0; i <= GrpcConnection::k_most_calls; ++i) client.call(framed(""));
  ASSERT_TRUE(client.talk(server));
  std::uint32_t count = 0;
  while (const auto call = server.take_call()) ++count;
  EXPECT_EQ(count, GrpcConnection::k_most_calls);
}

TEST(GrpcConnection, OtherProtocolsEndIt) {
  GrpcConnection server;
  EXPECT_FALSE(server.receive("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
}

}  // namespace
}  // namespace local
