// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/seal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "base/files.h"

namespace shim {
namespace {

namespace fs = boost::filesystem;

class Seal : public testing::Test {
 protected:
  Seal() {
    fs::create_directories(m_environment / "lib" / "__pycache__");
    write("bin");
    write("lib/module.py");
    write("lib/__pycache__/module.pyc");
    seal(m_environment.string());
  }

  // As unpacking leaves a file.
  void write(const std::string& name, const std::string& content = "content") const {
    ASSERT_TRUE(base::write_file(m_environment / name, content));
    set_time(name, k_file_time);
  }

  void set_time(const std::string& name, time_t seconds, long nanoseconds = 0) const {
    const timespec times[] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (m_environment / name).c_str(), times, 0), 0);
  }

  [[nodiscard]] Wholeness now() const { return check_environment(m_environment.string()); }

  [[nodiscard]] Wholeness hours_later() const {
    Moment moment = current_moment();
    moment.now += 2 * 3600;
    return check_environment(m_environment.string(), moment);
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "seal.").value();
  const fs::path m_environment = m_folder.path() / "environment";
};

TEST_F(Seal, HoldsWhileNothingChanges) {
  EXPECT_EQ(now(), Wholeness::whole);
  EXPECT_EQ(hours_later(), Wholeness::whole);
  EXPECT_EQ(check_environment((m_folder.path() / "other").string()), Wholeness::missing);
}

TEST_F(Seal, ANewEntryOfTheFolderBreaksItAtOnce) {
  write("added");
  EXPECT_EQ(now(), Wholeness::damaged);
}

TEST_F(Seal, ALostEntryOfTheFolderBreaksItAtOnce) {
  fs::remove(m_environment / "bin");
  EXPECT_EQ(now(), Wholeness::damaged);
}

TEST_F(Seal, WhatChangesBelowIsNoticedWithinTheHour) {
  fs::remove(m_environment / "lib/module.py");
  EXPECT_EQ(now(), Wholeness::whole);
  EXPECT_EQ(hours_later(), Wholeness::damaged);
}

TEST_F(Seal, ACutFileIsNoticed) {
  write("lib/module.py", "");
  EXPECT_EQ(hours_later(), Wholeness::damaged);
}

TEST_F(Seal, AFileThatWasWrittenToIsNoticed) {
  fs::last_write_time(m_environment / "lib/module.py", k_file_time + 100);
  EXPECT_EQ(hours_later(), Wholeness::damaged);
}

TEST_F(Seal, AnAddedFileIsNoticed) {
  write("lib/added");
  EXPECT_EQ(hours_later(), Wholeness::damaged);
}

TEST_F(Seal, AProgramThatCanNoLongerBeExecutedIsNoticed) {
  ASSERT_EQ(::chmod((m_environment / "lib/module.py").c_str(), 0755), 0);
  EXPECT_EQ(hours_later(), Wholeness::damaged);
}

TEST_F(Seal, TheInterpretersOwnBytecodeIsNoDamage) {
  write("lib/__pycache__/module.opt-1.pyc");
  EXPECT_EQ(hours_later(), Wholeness::whole);
}

TEST_F(Seal, ABootMakesACheckDue) {
  fs::remove(m_environment / "lib/module.py");
  Moment moment = current_moment();
  moment.boot = moment.now + 1;
  EXPECT_EQ(check_environment(m_environment.string(), moment), Wholeness::damaged);
}

TEST_F(Seal, ACheckIsNotDueAgainForAnHour) {
  Moment moment = current_moment();
  moment.boot = moment.now + 1;  // only a check since then would do
  ASSERT_EQ(check_environment(m_environment.string(), moment), Wholeness::whole);
  struct stat status{};
  ASSERT_EQ(::stat(m_environment.c_str(), &status), 0);
  EXPECT_GE(status.st_ctim.tv_sec, current_moment().now - 1);
  EXPECT_EQ(now(), Wholeness::whole) << "the check itself keeps the seal";
}

TEST_F(Seal, AnEnvironmentThatNobodySealedIsSealedByItsFirstUser) {
  ASSERT_EQ(::chmod(m_environment.c_str(), 0755), 0);
  write("added");
  EXPECT_EQ(now(), Wholeness::whole);
  EXPECT_EQ(hours_later(), Wholeness::whole);
  fs::remove(m_environment / "added");
  EXPECT_EQ(now(), Wholeness::damaged);
}

TEST_F(Seal, ALayerOfAnImageMayDropTheFractionOfTheSecond) {
  struct stat status{};
  ASSERT_EQ(::stat(m_environment.c_str(), &status), 0);
  set_time(".", status.st_mtim.tv_sec);
  EXPECT_EQ(hours_later(), Wholeness::whole);
  set_time(".", status.st_mtim.tv_sec, 1);
  EXPECT_EQ(hours_later(), Wholeness::damaged);
}

}  // namespace
}  // namespace shim
