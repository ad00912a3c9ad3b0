// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/folders.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/files.h"
#include "base/unique_fd.h"

namespace shim {
namespace {

class ShimFolders : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

  // Copies `content` while the calls fail as `decide` says; the error's number and what arrived.
  std::pair<int, std::string> copy(const std::string& content, const steps::Watch::Decide& decide) const {
    EXPECT_TRUE(base::write_file(path("from"), content));
    const base::UniqueFd from(::open(path("from").c_str(), O_RDONLY | O_CLOEXEC));
    const base::UniqueFd to(::open(path("to").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    int result = 0;
    {
      const steps::Watch watch(decide);
      result = copy_to_end(from.get(), to.get());
    }
    return {result, base::read_file(path("to")).value()};
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "folders.").value();
};

TEST_F(ShimFolders, AreEmptiedWithAllThatIsInThem) {
  const auto fill = [&] {
    ASSERT_TRUE(base::make_folders(path("x/a/b/c")));
    ASSERT_TRUE(base::write_file(path("x/a/b/file"), ""));
    ASSERT_TRUE(base::make_folders(path("outside")));
    ASSERT_TRUE(base::write_file(path("outside/file"), "stays"));
    base::fs::create_symlink(path("outside"), path("x/link"));
  };
  fill();
  empty_folder(path("x"));
  EXPECT_TRUE(base::fs::is_empty(path("x")));
  fill();
  remove_folder(path("x"));
  EXPECT_FALSE(base::fs::exists(path("x")));
  EXPECT_EQ(base::read_file(path("outside/file")).value(), "stays");
}

TEST_F(ShimFolders, TellWhyTheyCannotBeUsed) {
  ASSERT_TRUE(base::make_folders(path("x")));
  ASSERT_TRUE(base::write_file(path("file"), "", 0644));
  EXPECT_EQ(check_access(path("x"), W_OK | X_OK), 0);
  EXPECT_EQ(check_access(path("none"), F_OK), ENOENT);
  EXPECT_EQ(check_access(path("file/below"), F_OK), ENOTDIR);
  EXPECT_EQ(check_access(path("file"), X_OK), EACCES);
}

TEST_F(ShimFolders, TextsAreReadToTheirEnd) {
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 10'000U}) {
    std::string text(size, 'x');
    if (size > 0) text.back() = 'e';
    ASSERT_TRUE(base::write_file(path("file"), text));
    EXPECT_EQ(read_text(path("file")), text);
  }
  EXPECT_EQ(read_text(path("none")), std::nullopt);
  EXPECT_EQ(read_text(path(".")), std::nullopt) << "a folder";
  int interrupted = 0;
  const steps::Watch watch([&](std::string_view call, std::string_view) {
    return call == "read" && interrupted++ < 2 ? EINTR : 0;
  });
  EXPECT_EQ(read_text(path("file"))->size(), 10'000U);
}

TEST_F(ShimFolders, CopiesAreWholeOrSayWhyNot) {
  std::string content;
  while (content.size() < 300'000) content += std::to_string(content.size()) + "\n";
  using Result = std::pair<int, std::string>;
  // The first call to write is that of the kernel, which copies by itself; those after it are by hand.
  const auto failing = [](std::string_view name, int from, int to, int error_number) {
    return [=, count = 0](std::string_view call, std::string_view) mutable {
      if (call != name) return 0;
      const int number = count++;
      return number >= from && number < to ? error_number : 0;
    };
  };
  EXPECT_EQ(copy(content, failing("none", 0, 0, 0)), Result(0, content));
  EXPECT_EQ(copy("", failing("none", 0, 0, 0)), Result(0, ""));
  EXPECT_EQ(copy(content, failing("write", 0, 3, EINTR)), Result(0, content));
  EXPECT_EQ(copy(content, failing("write", 0, 1, EIO)), Result(EIO, ""));
  EXPECT_EQ(copy(content, failing("write", 0, 1, ENOSPC)), Result(ENOSPC, ""));
  for (const int refused : {EINVAL, ENOSYS, EPERM}) {
    EXPECT_EQ(copy(content, failing("write", 0, 1, refused)), Result(0, content)) << refused;
  }
  const auto by_hand = [&](std::string_view name, int from, int to, int error_number) {
    auto then = failing(name, from, to, error_number);
    return copy(content, [=, is_first = true](std::string_view call, std::string_view path) mutable {
      if (call == "write" && std::exchange(is_first, false)) return ENOSYS;
      return then(call, path);
    });
  };
  EXPECT_EQ(by_hand("read", 1, 3, EINTR), Result(0, content));
  EXPECT_EQ(by_hand("write", 1, 3, EINTR), Result(0, content));
  EXPECT_EQ(by_hand("read", 0, 1, EIO), Result(EIO, ""));
  EXPECT_EQ(by_hand("write", 0, 1, EIO), Result(EIO, ""));
  EXPECT_EQ(by_hand("write", 1, 2, ENOSPC).first, ENOSPC);
}

}  // namespace
}  // namespace shim
