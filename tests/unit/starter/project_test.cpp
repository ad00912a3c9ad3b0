// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/stop.h"
#include "base/text.h"
#include "tests/unit/steps.h"

namespace starter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = base::fs;

class ProjectTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name) const { return m_folder.path() / name; }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders(path(name).parent_path()));
    ASSERT_TRUE(base::write_file(path(name), text));
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    return base::read_file(path(name)).value_or("-");
  }
  // All that is below the folder of the test, sorted.
  [[nodiscard]] std::vector<std::string> all() const {
    std::vector<std::string> names;
    for (fs::recursive_directory_iterator entry(m_folder.path()), end; entry != end; ++entry)
      names.push_back(entry->path().lexically_relative(m_folder.path()).string());
    std::sort(names.begin(), names.end());
    return names;
  }
  [[nodiscard]] std::string told(const base::Status& status) const {
    if (status) return "done";
    std::string text = base::format_error(status.error());
    base::replace_all(text, m_folder.path().string(), "DIR");
    return std::to_string(static_cast<int>(status.error().kind)) + " " + text;
  }

  base::TemporaryFolder m_folder =
      base::TemporaryFolder::make(fs::temp_directory_path(), "project-test-").value();
  const Project m_project = {
      {"README.md", {"read me\n", {}}}, {"source/a/b.py", {"b\n", {}}}, {"source/c.py", {"c\n", {}}}};
};

TEST_F(ProjectTest, FilesThatAreProgramsAreExecutable) {
  write("from", "copied");
  Project project = m_project;
  project["made"] = {.content = "x", .is_executable = true};
  project["copied"] = {.copy_of = path("from"), .is_executable = true};
  ASSERT_EQ(told(write_project(path("new"), project)), "done");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  for (const auto& [name, mode] :
       std::map<std::string, mode_t>{{"made", 0777}, {"copied", 0777}, {"README.md", 0666}}) {
    struct stat status{};
    ASSERT_EQ(::stat(path("new/" + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, mode & ~mask) << name;
  }
}

TEST_F(ProjectTest, ANewFolderHasAllFiles) {
  write("from", "copied");
  Project project = m_project;
  project["data/x"].copy_of = path("from");
  ASSERT_EQ(told(write_project(path("new"), project)), "done");
  EXPECT_THAT(all(), ElementsAre("from", "new", "new/README.md", "new/data", "new/data/x", "new/source",
                                 "new/source/a", "new/source/a/b.py", "new/source/c.py"));
  EXPECT_EQ(read("new/README.md") + read("new/source/a/b.py") + read("new/source/c.py") + read("new/data/x"),
            "read me\nb\nc\ncopied");
}

TEST_F(ProjectTest, ModesAreThoseOfTheUmask) {
  write("from", "copied");
  ASSERT_EQ(::chmod(path("from").c_str(), 0700), 0);
  Project project = m_project;
  project["data/x"].copy_of = path("from");
  const mode_t before = ::umask(027);
  const auto written = write_project(path("new"), project);
  EXPECT_EQ(::umask(before), 027U);
  ASSERT_EQ(told(written), "done");
  for (const auto& [name, mode] : std::map<std::string, mode_t>{
           {"new", 0750}, {"new/source/a", 0750}, {"new/README.md", 0640}, {"new/data/x", 0640}}) {
    struct stat status{};
    ASSERT_EQ(::stat(path(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode) << name;
  }
}

TEST_F(ProjectTest, FoldersAboveAreMade) {
  write("there/x", "");
  ASSERT_EQ(told(write_project(path("there/a/b/../c/"), {{"f", {"", {}}}})), "done");
  EXPECT_THAT(all(), ElementsAre("there", "there/a", "there/a/c", "there/a/c/f", "there/x"));
}

TEST_F(ProjectTest, AnExistingFolderGetsThemAndKeepsItsOwn) {
  write("old/mine", "mine");
  ASSERT_EQ(told(write_project(path("old"), m_project)), "done");
  EXPECT_THAT(all(), ElementsAre("old", "old/README.md", "old/mine", "old/source", "old/source/a",
                                 "old/source/a/b.py", "old/source/c.py"));
}

TEST_F(ProjectTest, NothingIsReplaced) {
  write("old/source/mine", "mine");
  EXPECT_EQ(told(write_project(path("old"), m_project)),
            "73 error: DIR/old: already has source; nothing was changed\nhint: choose another folder, or "
            "move the existing files\n");
  write("old/README.md", "mine");
  EXPECT_EQ(told(check_room(path("old"), m_project)),
            "73 error: DIR/old: already has README.md and source; nothing was changed\nhint: choose another "
            "folder, or move the "
            "existing files\n");
  Project more = m_project;
  more["a"] = {};
  ASSERT_EQ(::symlink("nowhere", path("old/a").c_str()), 0);
  EXPECT_EQ(told(write_project(path("old"), more)),
            "73 error: DIR/old: already has README.md, a and source; nothing was changed\nhint: choose "
            "another folder, or move "
            "the existing files\n");
  EXPECT_THAT(all(), ElementsAre("old", "old/README.md", "old/a", "old/source", "old/source/mine"));
  EXPECT_EQ(read("old/README.md"), "mine");
}

TEST_F(ProjectTest, WhatIsNoFolderIsAnError) {
  write("file", "");
  EXPECT_EQ(told(write_project(path("file"), m_project)),
            "73 error: DIR/file: is not a folder\nhint: choose another name\n");
  ASSERT_EQ(::symlink("nowhere", path("link").c_str()), 0);
  EXPECT_EQ(told(write_project(path("link"), m_project)),
            "73 error: DIR/link: is not a folder\nhint: choose another name\n");
  EXPECT_EQ(told(write_project(path("file/below"), m_project)),
            "73 error: DIR/file/below: cannot create: a part of the path is not a folder\n");
  EXPECT_THAT(all(), ElementsAre("file", "link"));
}

TEST_F(ProjectTest, AFolderThatSomebodyMakesInTheMeantimeIsLeftAlone) {
  const auto written = write_project(path("new"), m_project, [&](const fs::path& staging) -> base::Status {
    EXPECT_EQ(base::read_file(staging / "README.md").value_or(""), "read me\n");
    EXPECT_FALSE(fs::exists(path("new")));
    write("new/other", "");
    return {};
  });
  EXPECT_EQ(told(written),
            "73 error: DIR/new: already exists\nhint: choose another folder, or move the existing files\n");
  EXPECT_THAT(all(), ElementsAre("new", "new/other"));
}

TEST_F(ProjectTest, AFileThatSomebodyMakesInTheMeantimeTakesTheOthersAway) {
  write("old/mine", "");
  const auto written = write_project(path("old"), m_project, [&](const fs::path&) -> base::Status {
    write("old/source", "theirs");
    return {};
  });
  EXPECT_EQ(
      told(written),
      "73 error: DIR/old/source: already exists\nhint: choose another folder, or move the existing files\n");
  EXPECT_THAT(all(), ElementsAre("old", "old/mine", "old/source"));
  EXPECT_EQ(read("old/source"), "theirs");
}

TEST_F(ProjectTest, AFaultOfTheCheckLeavesNothing) {
  const auto written = write_project(path("a/b"), m_project, [](const fs::path&) -> base::Status {
    return base::fail(base::ErrorKind::bad_input, "x", "is wrong");
  });
  EXPECT_EQ(told(written), "65 error: x: is wrong\n");
  EXPECT_THAT(all(), IsEmpty());
}

TEST_F(ProjectTest, AMissingFileLeavesNothing) {
  Project project = m_project;
  project["z"].copy_of = path("missing");
  EXPECT_EQ(told(write_project(path("new"), project)),
            "74 error: DIR/missing: cannot read: no such file or folder\n");
  EXPECT_THAT(all(), IsEmpty());
}

TEST_F(ProjectTest, AFullDiskNamesTheFolderAsThePersonKnowsIt) {
  const steps::Watch watch(
      [](std::string_view call, std::string_view) { return call == "write" ? EDQUOT : 0; });
  const auto text = told(write_project(path("new"), m_project));
  EXPECT_THAT(text, testing::StartsWith("73 error: DIR/new/README.md: "));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr(".pachbuild-init-")));
}

TEST_F(ProjectTest, AStopLeavesNothing) {
  int questions = 0;
  int last = 0;
  const base::StopQuestion question([&] { return ++questions > last; });
  for (;; ++last) {
    questions = 0;
    const auto written = write_project(path("new"), m_project);
    if (written) break;
    EXPECT_THAT(all(), IsEmpty()) << last;
    ASSERT_LT(last, 100);
  }
  EXPECT_GT(last, 3);
}

TEST_F(ProjectTest, EachCallThatFailsIsAnErrorAndLeavesNothingHalfMade) {
  write("old/mine", "");
  for (const char* folder : {"new/deep", "old"}) {
    steps::fail_each([&] { return write_project(path(folder), m_project).has_value(); },
                     [&](bool succeeded, const std::string& call) {
                       const bool is_there = fs::exists(path(folder) / "README.md");
                       EXPECT_EQ(is_there, fs::exists(path(folder) / "source/c.py")) << folder << " " << call;
                       EXPECT_TRUE(is_there || !succeeded) << call;
                       static_cast<void>(base::remove_tree(path("new")));
                       for (const char* name : {"old/README.md", "old/source"})
                         static_cast<void>(base::remove_tree(path(name)));
                     });
  }
}

}  // namespace
}  // namespace starter
