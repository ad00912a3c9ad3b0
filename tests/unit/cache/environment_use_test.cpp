// SPDX-License-Identifier: Apache-2.0
#include "cache/environment_use.h"

#include <gtest/gtest.h>

namespace caches {
namespace {

class EnvironmentsInUse : public testing::Test {
 protected:
  void add_process(const std::string& number, const std::string& variables, const std::string& maps) const {
    const auto folder = m_folder.path() / number;
    ASSERT_TRUE(base::make_folders(folder));
    ASSERT_TRUE(base::write_file(folder / "environ", variables));
    ASSERT_TRUE(base::write_file(folder / "maps", maps));
  }
  EnvironmentUse look() const { return EnvironmentUse::look(m_folder.path()); }
  static std::string digest(char digit) { return std::string(64, digit); }

  const base::TemporaryFolder m_folder =
      base::TemporaryFolder::make(testing::TempDir(), "processes.").value();
};

TEST_F(EnvironmentsInUse, AreThoseThatAProcessNamesInItsVariable) {
  using namespace std::string_literals;
  add_process("12", "PATH=/bin\0PACHBUILD_ENV=/cache/env/one\0HOME=/\0"s, "");
  add_process("7", "XPACHBUILD_ENV=/cache/env/two\0PACHBUILD_ENVIRONMENT=/cache/env/three\0"s, "");
  const auto use = look();
  EXPECT_TRUE(use.has("one"));
  EXPECT_FALSE(use.has("two"));
  EXPECT_FALSE(use.has("three"));
  EXPECT_FALSE(use.has("env"));
}

TEST_F(EnvironmentsInUse, AreThoseWhoseFilesAProcessHasMapped) {
  add_process("12", "",
              "55d0-55d1 r-xp 00000000 fe:01 12   /c/env/" + digest('a') +
                  "/bin/python3\n55d2-55d3 r--p 0 fe:01 13 /x/env/" + digest('b') +
                  "/lib/libx.so\n55d4-55d5 r--p 0 fe:01 14 /usr/env/share/x\n");
  const auto use = look();
  EXPECT_TRUE(use.has(digest('a')));
  EXPECT_TRUE(use.has(digest('b')));
  EXPECT_FALSE(use.has(digest('c')));
  EXPECT_FALSE(use.has("share"));
}

TEST_F(EnvironmentsInUse, AreAllWhereNoProcessCanBeSeen) {
  EXPECT_TRUE(look().has("one"));
  EXPECT_TRUE(EnvironmentUse::look(m_folder.path() / "missing").has("one"));
  // The kernel's own files are none.
  add_process("self", "PACHBUILD_ENV=/cache/env/two", "");
  EXPECT_TRUE(look().has("one"));
  add_process("1", "", "");
  EXPECT_FALSE(look().has("one"));
  EXPECT_FALSE(look().has("two"));
}

TEST_F(EnvironmentsInUse, AProcessThatCannotBeReadIsPassedOver) {
  ASSERT_TRUE(base::make_folders(m_folder.path() / "9"));
  add_process("12", "PACHBUILD_ENV=/cache/env/one", "");
  EXPECT_TRUE(look().has("one"));
  EXPECT_FALSE(look().has("two"));
}

}  // namespace
}  // namespace caches
