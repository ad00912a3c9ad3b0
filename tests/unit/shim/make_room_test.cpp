// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/make_room.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <csignal>

#include "../steps.h"
#include "../variables_of_program.h"
#include "base/files.h"
#include "base/mapped_file.h"
#include "base/unique_fd.h"

namespace shim {
namespace {

namespace fs = boost::filesystem;

constexpr time_t k_hours = 3600;

class MakeRoomTest : public testing::Test {
 protected:
  // An environment, as old as the test; its last use cannot be set.
  fs::path make(char letter) const {
    fs::path path = m_folder.path() / std::string(64, letter);
    fs::create_directory(path);
    EXPECT_TRUE(base::write_file(path / "file", "content"));
    return path;
  }

  [[nodiscard]] bool remove_oldest() const {
    return remove_oldest_environment(m_folder.path().string(), std::time(nullptr) + 3 * k_hours);
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "room.").value();
};

// A program that has an environment's folder in its variables.
class User {
 public:
  explicit User(const fs::path& environment) : m_process(::fork()) {
    if (m_process != 0) return;
    const std::string variable = "PACHBUILD_ENV=" + environment.string();
    const char* const variables[] = {variable.c_str(), nullptr};
    const char* const words[] = {"sleep", "60", nullptr};
    ::execve("/bin/sleep", const_cast<char**>(words), const_cast<char**>(variables));
    ::_exit(127);
  }
  ~User() {
    ::kill(m_process, SIGKILL);
    ::waitpid(m_process, nullptr, 0);
  }
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  // Until it has become the program.
  void wait_for_start() const {
    for (int i = 0; i < 1000; ++i) {
      const auto name = base::read_file("/proc/" + std::to_string(m_process) + "/comm");
      if (name && *name == "sleep\n") {
        ASSERT_TRUE(wait_for_variables(m_process));
        return;
      }
      ::usleep(10'000);
    }
    FAIL() << "the program did not start";
  }

 private:
  pid_t m_process;
};

TEST_F(MakeRoomTest, OneAtATimeGoesUntilNoneIsLeft) {
  const auto first = make('a');
  const auto second = make('b');
  EXPECT_TRUE(remove_oldest());
  EXPECT_NE(fs::exists(first), fs::exists(second));
  EXPECT_TRUE(remove_oldest());
  EXPECT_FALSE(remove_oldest());
  EXPECT_TRUE(fs::is_empty(m_folder.path()));
}

TEST_F(MakeRoomTest, WhatWasUsedRecentlyStays) {
  const auto environment = make('a');
  EXPECT_FALSE(remove_oldest_environment(m_folder.path().string()));
  EXPECT_TRUE(fs::exists(environment / "file"));
}

TEST_F(MakeRoomTest, WhatIsInUseStays) {
  const auto used = make('a');
  const auto unused = make('b');
  const User user(used);
  user.wait_for_start();
  EXPECT_TRUE(remove_oldest());
  EXPECT_FALSE(remove_oldest());
  EXPECT_TRUE(fs::exists(used / "file"));
  EXPECT_FALSE(fs::exists(unused));
}

TEST_F(MakeRoomTest, WhatAProcessHasMappedStays) {
  const auto used = make('a');
  const auto mapped = base::MappedFile::open(used / "file");
  ASSERT_TRUE(mapped);
  EXPECT_FALSE(remove_oldest());
  EXPECT_TRUE(fs::exists(used / "file"));
}

TEST_F(MakeRoomTest, OtherFoldersStay) {
  fs::create_directory(m_folder.path() / ".tmp-x");
  fs::create_directory(m_folder.path() / "of-somebody");
  EXPECT_FALSE(remove_oldest());
  EXPECT_TRUE(fs::exists(m_folder.path() / "of-somebody"));
}

TEST_F(MakeRoomTest, TwoHoursAreNotRecent) {
  const auto environment = make('a');
  struct stat status{};
  ASSERT_EQ(::stat(environment.c_str(), &status), 0);
  const time_t used = status.st_ctim.tv_sec;
  EXPECT_FALSE(remove_oldest_environment(m_folder.path().string(), used + 2 * k_hours - 1));
  testing::internal::CaptureStderr();
  EXPECT_TRUE(remove_oldest_environment(m_folder.path().string(), used + 2 * k_hours));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "worker-shim: removing environment aaaaaaaaaaaa, unused for 2 hours, to make room\n");
}

TEST_F(MakeRoomTest, AnotherNameThatBeginsTheSameIsNotItsUse) {
  const auto environment = make('a');
  const User user(environment.string() + "b");
  user.wait_for_start();
  EXPECT_TRUE(remove_oldest());
}

TEST_F(MakeRoomTest, WhatCannotBeTakenStays) {
  const auto environment = make('a');
  {
    const base::UniqueFd folder(::open(environment.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(folder.get(), LOCK_SH), 0);
    EXPECT_FALSE(remove_oldest()) << "another one works on it";
  }
  for (const auto* const failing : {"rename", "open"}) {
    const steps::Watch watch(
        [&](std::string_view call, std::string_view path) {
          return call == failing && path.find("aaaa") != std::string_view::npos ? EROFS : 0;
        },
        steps::Calls::all);
    EXPECT_FALSE(remove_oldest()) << failing;
  }
  EXPECT_TRUE(fs::exists(environment / "file"));
  EXPECT_FALSE(
      remove_oldest_environment((m_folder.path() / "none").string(), std::time(nullptr) + k_hours * 3));
}

}  // namespace
}  // namespace shim
