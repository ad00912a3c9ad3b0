// SPDX-License-Identifier: Apache-2.0
#include "base/inside.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "../nobody.h"
#include "base/errors.h"

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

TEST(PathBelow, IsTheRestOfThePath) {
  const std::vector<std::pair<std::string, std::string>> inside = {
      {"/a/b", "b"}, {"/a/b/c", "b/c"}, {"/a", "."}, {"/a/..b", "..b"}};
  for (const auto& [path, rest] : inside) EXPECT_EQ(path_below(path, "/a"), fs::path(rest)) << path;
  for (const std::string path : {"/", "/b", "/ab", "/a/../b", "a/b", ""})
    EXPECT_EQ(path_below(path, "/a"), std::nullopt) << path;
  EXPECT_EQ(path_below("a/b", "a"), fs::path("b"));
}

TEST_F(InsideOf, TheErrorSaysWhatLeadsOut) {
  const auto other = fs::canonical(source() / "../source-2").string();
  const std::string behind = " is outside the source: it is, or is reached through, a symbolic link to ";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"/etc", "/etc is outside the source"},
      {"../source-2", "../source-2 is outside the source"},
      {std::string("a\0b", 3), std::string("a\0b", 3) + " is outside the source"},
      {"out", "out" + behind + other},
      {"out/new", "out/new" + behind + other + "/new"},
  };
  for (const auto& [name, what] : rows) {
    const auto path = path_inside(source(), name, "here");
    ASSERT_FALSE(path) << name;
    EXPECT_EQ(path.error().what, what);
    EXPECT_EQ(path.error().hint, "move the file below transform.build.path: only files there are built");
  }
  fs::create_symlink("circle", source() / "circle");
  const auto circle = path_inside(source(), "circle/x", "here");
  ASSERT_FALSE(circle);
  EXPECT_TRUE(circle.error().what.starts_with("circle/x cannot be read: ")) << circle.error().what;
}

TEST_F(InsideOf, TheFolderItselfAndALinkToItAreInside) {
  const auto real = fs::canonical(source());
  fs::create_symlink(".", source() / "self");
  fs::create_symlink("..", source() / "up");
  fs::create_symlink("circle", source() / "circle");
  fs::create_symlink("sub/file/more", source() / "no-folder");
  EXPECT_EQ(target_outside(real, source() / "self").value(), "");
  EXPECT_EQ(target_outside(real, source() / "up").value(), real.parent_path());
  for (const std::string name : {"circle", "no-folder"})
    EXPECT_EQ(target_outside(real, source() / name).value(), "") << name << ": it leads nowhere";
  EXPECT_EQ(path_inside(source(), "self/sub/file", "here").value_or(""), source() / "self/sub/file");
}

TEST_F(InsideOf, ATargetThatCannotBeLookedAtIsAnError) {
  fs::create_directories(source() / "closed" / "below");
  fs::create_symlink("closed/below", source() / "link");
  const auto real = fs::canonical(source());
  ::chmod((source() / "closed").c_str(), 0);
  {
    const Nobody nobody;
    const auto target = target_outside(real, source() / "link");
    ASSERT_FALSE(target);
    EXPECT_EQ(target.error().where, (source() / "link").string());
    EXPECT_EQ(target.error().what, "cannot read: permission denied");
  }
  ::chmod((source() / "closed").c_str(), 0700);
}

}  // namespace
}  // namespace base
