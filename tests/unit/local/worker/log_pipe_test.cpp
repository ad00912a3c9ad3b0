// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/log_pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "../../steps.h"
#include "base/files.h"

namespace local {
namespace {

class LogPipeTest : public testing::Test {
 protected:
  base::UniqueFd open_log(const std::string& name = "log", int flags = O_TRUNC) const {
    return base::UniqueFd(
        ::open((m_folder.path() / name).c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0600));
  }
  [[nodiscard]] std::string content(const std::string& name = "log") const {
    return base::read_file(m_folder.path() / name).value();
  }
  static void print(const LogPipe& pipe, const std::string& text) {
    ASSERT_EQ(::write(pipe.write_end(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "log.").value();
};

TEST_F(LogPipeTest, MovesWhatIsThereAndWaitsForNothing) {
  const auto log = open_log();
  auto pipe = LogPipe::make(log.get()).value();
  EXPECT_FALSE(pipe.move_some()) << "nothing is there";
  print(pipe, "one ");
  EXPECT_TRUE(pipe.move_some());
  EXPECT_FALSE(pipe.move_some());
  EXPECT_EQ(content(), "one ");
  print(pipe, "two");
  pipe.move_rest();
  EXPECT_EQ(content(), "one two");
  EXPECT_GE(pipe.read_end(), 0);
  pipe.close_write_end();
  EXPECT_FALSE(pipe.move_some());
  EXPECT_EQ(pipe.read_end(), -1) << "nobody can write to it any more";
  EXPECT_FALSE(pipe.move_some());
  pipe.move_rest();
  EXPECT_EQ(pipe.error_number(), 0);
}

TEST_F(LogPipeTest, ASignalIsNoEnd) {
  const auto log = open_log();
  auto pipe = LogPipe::make(log.get()).value();
  print(pipe, "text");
  int reads = 0;
  int writes = 0;
  const steps::Watch watch([&](std::string_view call, std::string_view) {
    if (call == "read") return reads++ < 2 ? EINTR : 0;
    return call == "write" && writes++ < 2 ? EINTR : 0;
  });
  pipe.move_rest();
  EXPECT_EQ(content(), "text");
  EXPECT_EQ(pipe.error_number(), 0);
}

TEST_F(LogPipeTest, TakesAllThatAPipeHolds) {
  const auto log = open_log();
  auto pipe = LogPipe::make(log.get()).value();
  const int size = ::fcntl(pipe.read_end(), F_SETPIPE_SZ, 1 << 20);
  ASSERT_GT(size, 0);
  print(pipe, std::string(static_cast<std::size_t>(size), 'x'));
  pipe.move_rest();
  EXPECT_EQ(content().size(), static_cast<std::size_t>(size));
}

TEST_F(LogPipeTest, AnotherLogGetsWhatIsMovedFromThenOn) {
  const auto first = open_log("first");
  const auto second = open_log("second");
  const base::UniqueFd closed(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto pipe = LogPipe::make(closed.get()).value();
  print(pipe, "lost");
  pipe.move_rest();
  EXPECT_EQ(pipe.error_number(), EBADF);
  pipe.change_log(first.get());
  EXPECT_EQ(pipe.error_number(), 0);
  print(pipe, "1");
  pipe.move_rest();
  pipe.change_log(second.get());
  print(pipe, "2");
  pipe.move_rest();
  pipe.change_log(-1);
  print(pipe, "nowhere");
  pipe.move_rest();
  EXPECT_EQ(pipe.error_number(), 0);
  EXPECT_EQ(content("first") + content("second"), "12");
}

TEST_F(LogPipeTest, OfALongLogTheMiddleIsLeftOut) {
  constexpr std::uint64_t k_quarter = k_longest_log / 4;
  const auto log = open_log();
  // As earlier tries have left it: a file without blocks.
  ASSERT_EQ(::ftruncate(log.get(), static_cast<off_t>(k_longest_log) - 3), 0);
  auto pipe = LogPipe::make(log.get()).value();
  print(pipe, "end");
  pipe.move_rest();
  EXPECT_EQ(content().size(), k_longest_log) << "just fits";
  print(pipe, "!");
  pipe.move_rest();
  EXPECT_EQ(pipe.error_number(), 0);
  const auto text = content();
  const std::string words = "\n[pachbuild: the log is longer than 64.0 MiB; 32.0 MiB are left out here]\n";
  ASSERT_EQ(text.size(), 2 * k_quarter + words.size());
  EXPECT_EQ(text.substr(k_quarter, words.size()), words);
  EXPECT_TRUE(text.ends_with("end!"));
  print(pipe, "more");
  pipe.move_rest();
  EXPECT_EQ(content().size(), text.size() + 4);
  // Of another one it is counted anew.
  const auto second = open_log("second");
  ASSERT_EQ(::ftruncate(second.get(), static_cast<off_t>(k_longest_log)), 0);
  pipe.change_log(second.get());
  print(pipe, "!");
  pipe.move_rest();
  EXPECT_EQ(content("second").substr(k_quarter, words.size()), words);
}

TEST_F(LogPipeTest, WhatIsNoFileIsNotCut) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const base::UniqueFd read(ends[0]);
  const base::UniqueFd write(ends[1]);
  auto pipe = LogPipe::make(write.get()).value();
  for (int i = 0; i < 3; ++i) {
    print(pipe, "text");
    pipe.move_rest();
  }
  std::array<char, 100> buffer{};
  EXPECT_EQ(::read(read.get(), buffer.data(), buffer.size()), 12);
}

TEST_F(LogPipeTest, OnAFullDiskHalfOfItIsGivenBack) {
  for (const int error : {ENOSPC, EDQUOT, EIO}) {
    const auto log = open_log();
    auto pipe = LogPipe::make(log.get()).value();
    print(pipe, "0123456789");
    pipe.move_rest();
    print(pipe, "lost");
    int writes = 0;
    {
      const steps::Watch watch([&](std::string_view call, std::string_view) {
        return call == "write" && writes++ == 0 ? error : 0;
      });
      pipe.move_rest();
    }
    EXPECT_EQ(pipe.error_number(), error);
    print(pipe, "also lost");
    pipe.move_rest();
    EXPECT_EQ(content(), error == EIO ? "0123456789"
                                      : "01234\n[pachbuild: the disk was full; the rest of this log is "
                                        "missing]\n");
  }
}

}  // namespace
}  // namespace local
