// SPDX-License-Identifier: Apache-2.0
#include "base/inside.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

namespace base {
namespace {

TEST(Inside, WordsThatStayAndThatClimbOut) {
  for (const std::string name : {"a", "a/b", "./a", "a/../b", "a/..", ".", "", "..a", "a/..b"})
    EXPECT_TRUE(stays_inside(name)) << name;
  for (const std::string name : {"/", "/a", "..", "../a", "a/../..", "a/../../a/b", "./../a", "a/./../.."})
    EXPECT_FALSE(stays_inside(name)) << name;
}

class InsideOf : public testing::Test {
 protected:
  InsideOf() {
    fs::create_directories(source() / "sub");
    fs::create_directories(m_folder.path() / "source-2");
    EXPECT_TRUE(write_file(source() / "sub" / "file", ""));
    EXPECT_TRUE(write_file(m_folder.path() / "source-2" / "file", ""));
    fs::create_symlink("sub", source() / "in");
    fs::create_symlink(source() / "sub" / "file", source() / "absolute");
    fs::create_symlink("../source-2", source() / "out");
    fs::create_symlink("../source-2/file", source() / "out-file");
    fs::create_symlink("nowhere", source() / "broken");
  }
  [[nodiscard]] fs::path source() const { return m_folder.path() / "source"; }

 private:
  TemporaryFolder m_folder = TemporaryFolder::make(testing::TempDir(), "inside.").value();
};

TEST_F(InsideOf, NamesThatStayAreJoined) {
  for (const std::string name : {"sub/file", "in/file", "absolute", "new", "new/more", "sub/../sub/file"})
    EXPECT_EQ(path_inside(source(), name, "here").value_or(""), source() / name) << name;
}

TEST_F(InsideOf, NamesThatLeadOutAreRefused) {
  for (const std::string& name :
       std::vector<std::string>{"../source-2/file", "out", "out/file", "out/new", "out-file",
                                "in/../../source-2", "/etc", std::string("a\0b", 3)}) {
    const auto path = path_inside(source(), name, "here");
    ASSERT_FALSE(path) << name;
    EXPECT_EQ(path.error().kind, ErrorKind::bad_input) << name;
    EXPECT_EQ(path.error().where, "here") << name;
  }
}

TEST_F(InsideOf, TargetsOfLinks) {
  const auto real = fs::canonical(source());
  EXPECT_EQ(target_outside(real, source() / "out").value(), fs::canonical(source() / "../source-2"));
  for (const std::string name : {"in", "absolute", "broken"})
    EXPECT_EQ(target_outside(real, source() / name).value(), "") << name;
}

}  // namespace
}  // namespace base
