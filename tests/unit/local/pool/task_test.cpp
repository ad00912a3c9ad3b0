// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/task.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "pachbuild/local/pool/cbor.h"
#include "pachbuild/local/pool/channel.h"

namespace local {
namespace {

TEST(Task, ArrivesByteForByte) {
  Task task;
  task.id = "id";
  task.inputs = {{"scraper", "/data", "a \xff.html", "v", true, true}};
  task.command = {"sh", "", "a\nb", "\xfe\xff", "-n", "$x*"};
  task.standard_input = std::string("\0\x80", 2);
  task.environment = {{"A", "\xff"}};
  task.datum_variables = {{"B", "1"}, {"B", "2"}};
  task.accepted_codes = {3, 4};
  task.timeout_ms = 5;
  task.tries = 2;
  const Task copy = decode_task(encode(task));
  EXPECT_EQ(copy.command, task.command);
  EXPECT_EQ(copy.standard_input, task.standard_input);
  EXPECT_EQ(copy.environment, task.environment);
  EXPECT_EQ(copy.datum_variables, task.datum_variables);
  EXPECT_EQ(copy.accepted_codes, task.accepted_codes);
  EXPECT_EQ(copy.timeout_ms, 5);
  EXPECT_EQ(copy.tries, 2);
  ASSERT_EQ(copy.inputs.size(), 1U);
  EXPECT_EQ(copy.inputs[0].path, "a \xff.html");
  EXPECT_TRUE(copy.inputs[0].lazy);
  EXPECT_TRUE(copy.inputs[0].empty_files);
}

TEST(Task, MovedBelowARootChangesThePathsOfThisMachineOnly) {
  Task task;
  task.inputs = {{"scraper", "/data", "a.html", "v"}};
  task.command = {"/bin/sh"};
  task.folder = "/app";
  task.output = "/out";
  const Task moved = moved_below(task, "/host");
  EXPECT_EQ(moved.inputs[0].root, "/host/data");
  EXPECT_EQ(moved.inputs[0].path, "a.html");
  EXPECT_EQ(moved.output, "/host/out");
  EXPECT_EQ(moved.log, "") << "none stays none";
  EXPECT_EQ(moved.command, task.command);
  EXPECT_EQ(moved.folder, "/app");
}

// Each field by itself, so that none takes the place of another or is lost.
TEST(Task, EachFieldArrivesByItself) {
  using Change = std::function<void(Task&)>;
  const std::vector<Change> k_changes = {[](Task& task) { task.id = "x"; },
                                         [](Task& task) { task.inputs = {{}}; },
                                         [](Task& task) { task.inputs = {{.name = "x"}}; },
                                         [](Task& task) { task.inputs = {{.root = "x"}}; },
                                         [](Task& task) { task.inputs = {{.path = "x"}}; },
                                         [](Task& task) { task.inputs = {{.version = "x"}}; },
                                         [](Task& task) { task.inputs = {{.lazy = true}}; },
                                         [](Task& task) { task.inputs = {{.empty_files = true}}; },
                                         [](Task& task) { task.inputs = {{.read_only = true}}; },
                                         [](Task& task) { task.inputs = {{.listing = "x"}}; },
                                         [](Task& task) { task.inputs = {{.resident = true}}; },
                                         [](Task& task) { task.inputs = {{.modified = 1}}; },
                                         [](Task& task) { task.command = {"x"}; },
                                         [](Task& task) { task.standard_input = "x"; },
                                         [](Task& task) { task.error_command = {"x"}; },
                                         [](Task& task) { task.error_standard_input = "x"; },
                                         [](Task& task) { task.accepted_codes = {1}; },
                                         [](Task& task) { task.environment = {{"x", "y"}}; },
                                         [](Task& task) { task.datum_variables = {{"x", "y"}}; },
                                         [](Task& task) { task.secret_variables = {{"x", "y"}}; },
                                         [](Task& task) { task.secret_folders = {{"x", {{"y", "z"}}}}; },
                                         [](Task& task) { task.folder = "x"; },
                                         [](Task& task) { task.log = "x"; },
                                         [](Task& task) { task.output = "x"; },
                                         [](Task& task) { task.timeout_ms = 1; },
                                         [](Task& task) { task.tries = 7; },
                                         [](Task& task) { task.tells_strangers = true; },
                                         [](Task& task) { task.batching = true; },
                                         [](Task& task) { task.batch_environment = {{"x", "y"}}; },
                                         [](Task& task) { task.attended = true; },
                                         [](Task& task) { task.has_terminal = true; }};
  std::set<std::string> texts = {encode(Task())};
  for (const auto& change : k_changes) {
    Task task;
    change(task);
    const auto text = encode(task);
    EXPECT_TRUE(texts.insert(text).second) << texts.size();
    EXPECT_EQ(encode(decode_task(text)), text);
  }
}

TEST(TaskOutcome, EachFieldArrivesByItself) {
  using Change = std::function<void(TaskOutcome&)>;
  const std::vector<Change> k_changes = {
      [](TaskOutcome& outcome) { outcome.id = "x"; },
      [](TaskOutcome& outcome) { outcome.result = TaskResult::succeeded; },
      [](TaskOutcome& outcome) { outcome.result = TaskResult::recovered; },
      [](TaskOutcome& outcome) { outcome.result = TaskResult::never_asked; },
      [](TaskOutcome& outcome) { outcome.reason = "x"; },
      [](TaskOutcome& outcome) { outcome.exit_code = 255; },
      [](TaskOutcome& outcome) { outcome.duration_ns = 1; },
      [](TaskOutcome& outcome) { outcome.log_errno = 1; },
      [](TaskOutcome& outcome) { outcome.left_processes = true; },
      [](TaskOutcome& outcome) { outcome.stranger = "x"; }};
  std::set<std::string> texts = {encode(TaskOutcome())};
  for (const auto& change : k_changes) {
    TaskOutcome outcome;
    change(outcome);
    const auto text = encode(outcome);
    EXPECT_TRUE(texts.insert(text).second) << texts.size();
    EXPECT_EQ(encode(decode_outcome(text).value()), text);
  }
  using base::ErrorKind;
  for (const auto kind :
       {ErrorKind::step_failed, ErrorKind::usage, ErrorKind::bad_input, ErrorKind::unavailable,
        ErrorKind::bug, ErrorKind::cannot_write, ErrorKind::io, ErrorKind::network}) {
    TaskOutcome outcome;
    outcome.error = base::Error{kind, "w", "x", "h"};
    EXPECT_EQ(decode_outcome(encode(outcome)).value().error->kind, kind);
  }
}

TEST(Task, VariablesOfADatumCountMost) {
  Task task;
  task.environment = {{"A", "task"}, {"B", "task"}, {"C", "task"}};
  task.secret_variables = {{"B", "secret"}, {"C", "secret"}};
  task.datum_variables = {{"C", "first"}, {"C", "last"}};
  EXPECT_EQ(environment_of(task), (process::Environment{{"A", "task"}, {"B", "secret"}, {"C", "last"}}));
  using Variables = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(shown_variables(task),
            (Variables{{"A", "task"}, {"B", "task"}, {"C", "task"}, {"C", "first"}, {"C", "last"}}))
      << "secrets are in no file";
  task.timeout_ms = 1500;
  EXPECT_EQ(timeout_reason(task), "timed out after 1.5 s");
}

TEST(AttendedMessages, AreToldApart) {
  EXPECT_EQ(decode_signal(encode_signal(15)), 15);
  EXPECT_EQ(decode_signal(encode_signal(0)), 0);
  for (const std::string wrong : {"", "!x", "!1x", "15", "?1", "|"})
    EXPECT_EQ(decode_signal(wrong), std::nullopt) << wrong;
  EXPECT_TRUE(is_ready(encode_ready()));
  const std::set<std::string> all = {encode_ready(), encode_stream(), encode_signal(1), encode_running(true),
                                     encode_running(false)};
  EXPECT_EQ(all.size(), 5U);
  for (const auto& message : all) {
    EXPECT_EQ(is_ready(message), message == encode_ready());
    EXPECT_EQ(decode_running(message).has_value(), message.size() == 1 && (message == "+" || message == "-"));
    EXPECT_FALSE(decode_outcome(message));
  }
}

TEST(TaskOutcome, KeepsItsError) {
  TaskOutcome outcome{"id", TaskResult::failed, "exit code 3", 3, 42, std::nullopt};
  EXPECT_FALSE(decode_outcome(encode(outcome)).value().error);
  outcome.error = base::Error{base::ErrorKind::cannot_write, "w", "x", "h"};
  outcome.log_errno = 28;
  outcome.left_processes = true;
  const auto copy = decode_outcome(encode(outcome)).value();
  ASSERT_TRUE(copy.error);
  EXPECT_EQ(copy.error->kind, base::ErrorKind::cannot_write);
  EXPECT_EQ(copy.error->where, "w");
  EXPECT_EQ(copy.reason, "exit code 3");
  EXPECT_EQ(copy.duration_ns, 42);
  EXPECT_EQ(copy.log_errno, 28);
  EXPECT_TRUE(copy.left_processes);
}

TEST(TaskOutcome, IsNothingElse) {
  for (const std::string message : {"", "x", "\xff\xff", "{}", "+", "-"}) {
    EXPECT_FALSE(decode_outcome(message)) << message;
  }
  EXPECT_FALSE(decode_outcome(encode(Task())));
  EXPECT_FALSE(decode_running(encode(TaskOutcome())));
  EXPECT_EQ(decode_running(encode_running(true)), true);
  EXPECT_EQ(decode_running(encode_running(false)), false);
}

// Programs run beside a worker: what one of them says in its place becomes neither an exit code of ours nor a
// success.
TEST(TaskOutcome, HasNoNumbersThatEncodeCannotGive) {
  TaskOutcome outcome{"id", TaskResult::failed, "exit code 3", 3, 42, std::nullopt};
  outcome.error = base::Error{base::ErrorKind::cannot_write, "w", "x", "h"};
  const auto good = from_cbor(encode(outcome)).value();
  ASSERT_TRUE(decode_outcome(to_cbor(good)));
  const std::vector<std::pair<std::string, nlohmann::json>> cases = {{"/result", 4},
                                                                     {"/result", -1},
                                                                     {"/result", "0"},
                                                                     {"/result", true},
                                                                     {"/exit_code", 256},
                                                                     {"/exit_code", -1},
                                                                     {"/exit_code", std::uint64_t{1} << 63U},
                                                                     {"/duration_ns", -1},
                                                                     {"/log_errno", -1},
                                                                     {"/left_processes", 1},
                                                                     {"/error/kind", 0},
                                                                     {"/error/kind", 2},
                                                                     {"/error/kind", 256 + 74},
                                                                     {"/error", 1},
                                                                     {"/error/what", 1}};
  for (const auto& [place, value] : cases) {
    auto bad = good;
    bad[nlohmann::json::json_pointer(place)] = value;
    EXPECT_FALSE(decode_outcome(to_cbor(bad))) << place << " " << value;
  }
}

TEST(Channel, MakesNoRoomForWhatDoesNotCome) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  Channel channel{base::UniqueFd(ends[0])};
  base::UniqueFd other(ends[1]);
  const auto most_kilobytes = [] {
    rusage usage{};
    EXPECT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
  };
  const auto before = most_kilobytes();
  ASSERT_EQ(::write(other.get(), "\xff\xff\xff\x7f", 4), 4);
  ASSERT_EQ(::write(other.get(), "abc", 3), 3);
  other.reset();
  EXPECT_EQ(channel.receive().value(), std::nullopt);
  EXPECT_LT(most_kilobytes() - before, 100 * 1024) << "2 GiB were announced";
}

TEST(Channel, BringsADescriptorAlong) {
  auto ends = Channel::make_pair().value();
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const base::UniqueFd read(pipe[0]);
  base::UniqueFd write(pipe[1]);
  ASSERT_TRUE(ends.first.send("with", write.get()));
  ASSERT_TRUE(ends.first.send("without"));
  write.reset();
  EXPECT_EQ(ends.second.receive().value(), "with");
  const base::UniqueFd received = ends.second.take_descriptor();
  ASSERT_TRUE(received);
  EXPECT_EQ(::fcntl(received.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::write(received.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(read.get(), &byte, 1), 1);
  EXPECT_EQ(ends.second.receive().value(), "without");
  EXPECT_FALSE(ends.second.take_descriptor());
}

TEST(Channel, KeepsMessagesApartAndSaysWhenItEnds) {
  auto ends = Channel::make_pair().value();
  const std::string large(100'000, 'x');
  ASSERT_TRUE(ends.first.send("a"));
  ASSERT_TRUE(ends.first.send(""));
  ASSERT_TRUE(ends.first.send(large));
  EXPECT_EQ(ends.second.receive().value(), "a");
  EXPECT_EQ(ends.second.receive().value(), "");
  EXPECT_EQ(ends.second.receive().value(), large);
  ends.first.close();
  EXPECT_EQ(ends.second.receive().value(), std::nullopt);
  EXPECT_FALSE(ends.second.send("b")) << "an error, not SIGPIPE";
}

}  // namespace
}  // namespace local
