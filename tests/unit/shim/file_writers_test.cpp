// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/file_writers.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/files.h"
#include "worker-shim/seal.h"

namespace shim {
namespace {

TEST(MakingRoom, IsForFullDisksAndOnceForAllThatFoundTheSameOneFull) {
  int made = 0;
  bool is_possible = true;
  RoomMaker room([&] { return is_possible && ++made > 0; });
  EXPECT_EQ(room.rounds(), 0U);
  for (const int error_number : {EIO, EACCES, EROFS, 0}) EXPECT_FALSE(room.make(error_number, 0));
  EXPECT_EQ(made, 0);
  EXPECT_TRUE(room.make(ENOSPC, 0));
  EXPECT_EQ(room.rounds(), 1U);
  EXPECT_TRUE(room.make(ENOSPC, 0)) << "another one made it meanwhile";
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(room.make(EDQUOT, 1));
  EXPECT_EQ(made, 2);
  EXPECT_EQ(room.rounds(), 2U);
  is_possible = false;
  EXPECT_FALSE(room.make(ENOSPC, 2));
  EXPECT_EQ(room.rounds(), 2U);
  EXPECT_FALSE(RoomMaker({}).make(ENOSPC, 1)) << "nobody can";
}

class Writing : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  [[nodiscard]] std::string content(const std::string& name) const {
    return base::read_file(path(name)).value_or("none");
  }
  // Fails the first `times` of a call.
  static steps::Watch::Decide failing(std::string name, int error_number, int times) {
    return [=, count = 0](std::string_view call, std::string_view) mutable {
      return call == name && count++ < times ? error_number : 0;
    };
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "writing.").value();
  base::UniqueFd m_root{::open(m_folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  int m_rooms = 0;
  RoomMaker m_room{[this] { return ++m_rooms <= 2; }};
};

TEST_F(Writing, AFileIsNewAndHasItsModeContentAndTime) {
  base::UniqueFd file;
  const mode_t umask = ::umask(0);
  EXPECT_FALSE(create_file(m_root.get(), "a", 0751, m_room, file));
  ::umask(umask);
  EXPECT_FALSE(append(file.get(), "a", "one ", m_room));
  EXPECT_FALSE(append(file.get(), "a", "", m_room));
  EXPECT_FALSE(append(file.get(), "a", "two", m_room));
  EXPECT_FALSE(close_file(std::move(file), "a"));
  EXPECT_EQ(content("a"), "one two");
  struct stat status{};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0751U);
  EXPECT_EQ(status.st_mtim.tv_sec, k_file_time);
  EXPECT_EQ(status.st_mtim.tv_nsec, 0);
  base::UniqueFd other;
  const auto failure = create_file(m_root.get(), "a", 0644, m_room, other);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->path, "a");
  EXPECT_EQ(failure->error_number, EEXIST);
  EXPECT_EQ(m_rooms, 0);
  EXPECT_EQ(close_file(base::UniqueFd(1'000'000), "b")->error_number, EBADF);
}

TEST_F(Writing, IsTriedAgainWhenThereIsRoom) {
  for (const bool enough : {true, false}) {
    const std::string name = enough ? "a" : "b";
    m_rooms = 0;
    const int times = enough ? 2 : 3;
    base::UniqueFd file;
    {
      const steps::Watch watch(failing("open", ENOSPC, times), steps::Calls::all);
      const auto failure = create_file(m_root.get(), name, 0644, m_room, file);
      EXPECT_EQ(!failure, enough);
      if (failure) {
        EXPECT_EQ(failure->path, "b");
        EXPECT_EQ(failure->error_number, ENOSPC);
      }
    }
    if (!enough) continue;
    for (const bool enough_to_write : {true, false}) {
      m_rooms = 0;
      const steps::Watch watch(failing("write", EDQUOT, enough_to_write ? 2 : 3));
      const auto failure = append(file.get(), name, "text", m_room);
      EXPECT_EQ(!failure, enough_to_write);
      if (failure) {
        EXPECT_EQ(failure->path, "a");
        EXPECT_EQ(failure->error_number, EDQUOT);
      }
    }
  }
  base::UniqueFd file(::open(path("c").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  m_rooms = 0;
  {
    const steps::Watch watch(failing("write", EINTR, 5));
    EXPECT_FALSE(append(file.get(), "c", "text", m_room)) << "a signal";
  }
  EXPECT_EQ(content("c"), "text");
  {
    const steps::Watch watch(failing("write", EIO, 1));
    EXPECT_EQ(append(file.get(), "c", "text", m_room)->error_number, EIO);
  }
  EXPECT_EQ(m_rooms, 0);
}

TEST_F(Writing, ByAnyNumberOfThreadsIsWhole) {
  // More and larger than what may wait.
  constexpr int k_files = 600;
  const std::string large(5'000'000, 'l');
  for (const unsigned threads : {0U, 1U, 3U}) {
    const std::string prefix = std::to_string(threads) + "-";
    FileWriters writers(m_root.get(), threads, m_room);
    for (int i = 0; i < k_files; ++i)
      writers.add({prefix + std::to_string(i), 0644, i % 200 == 0 ? large : std::to_string(i)});
    EXPECT_FALSE(writers.finish());
    EXPECT_FALSE(writers.failed());
    for (int i = 0; i < k_files; ++i) {
      const auto written = content(prefix + std::to_string(i));
      ASSERT_TRUE(written == (i % 200 == 0 ? large : std::to_string(i))) << threads << " " << i;
    }
  }
}

TEST_F(Writing, EndsWithTheFirstFailure) {
  FileWriters writers(m_root.get(), 0, m_room);
  ASSERT_TRUE(base::write_file(path("there"), "old"));
  writers.add({"first", 0644, "1"});
  EXPECT_FALSE(writers.failed());
  writers.add({"there", 0644, "new"});
  EXPECT_TRUE(writers.failed());
  writers.add({"none/below", 0644, "2"});
  writers.add({"second", 0644, "3"});
  const auto failure = writers.finish();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->path, "there");
  EXPECT_EQ(failure->error_number, EEXIST);
  EXPECT_EQ(content("first"), "1");
  EXPECT_EQ(content("there"), "old");
  EXPECT_EQ(content("second"), "none");
}

TEST_F(Writing, ThatFailsInAThreadIsTold) {
  ASSERT_TRUE(base::write_file(path("there"), "old"));
  for (const std::string name : {"there", "none/below"}) {
    FileWriters writers(m_root.get(), 2, m_room);
    writers.add({name, 0644, "new"});
    const auto failure = writers.finish();
    ASSERT_TRUE(failure) << name;
    EXPECT_EQ(failure->path, name);
    EXPECT_TRUE(writers.failed());
  }
  const steps::Watch watch(failing("write", EIO, 1));
  FileWriters writers(m_root.get(), 1, m_room);
  writers.add({"file", 0644, "content"});
  EXPECT_EQ(writers.finish()->error_number, EIO);
}

}  // namespace
}  // namespace shim
