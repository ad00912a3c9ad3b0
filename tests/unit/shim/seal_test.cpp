// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/seal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <ctime>

#include "../nobody.h"
#include "../steps.h"
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

// Images hold seals of other versions. The time is that of FNV-1a over the entries, as another program
// computed it.
TEST_F(Seal, IsTheSameInEachVersion) {
  struct stat status{};
  ASSERT_EQ(::stat(m_environment.c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'007'840'541);
  EXPECT_EQ(status.st_mtim.tv_nsec, 71'137'801);
  EXPECT_EQ(status.st_mode & 01000U, 01000U);
}

TEST_F(Seal, ACheckIsDueAfterAnHourOrABoot) {
  fs::remove(m_environment / "lib/module.py");
  const auto at = [&](time_t after, time_t boot) {
    struct stat status{};
    EXPECT_EQ(::stat(m_environment.c_str(), &status), 0);
    const Moment moment{status.st_ctim.tv_sec + after, status.st_ctim.tv_sec + boot};
    const auto checked = check_environment(m_environment.string(), moment);
    EXPECT_EQ(is_known_to_be_whole(m_environment.string(), moment), checked == Wholeness::whole);
    return checked;
  };
  EXPECT_EQ(at(3600, 0), Wholeness::whole);
  EXPECT_EQ(at(0, 0), Wholeness::whole);
  EXPECT_EQ(at(3601, 0), Wholeness::damaged);
  EXPECT_EQ(at(0, 1), Wholeness::damaged);
  EXPECT_EQ(at(3601, 1), Wholeness::damaged);
}

TEST_F(Seal, OnlyTimesOfItsRangeAreSeals) {
  // Within the hour a seal is not compared, but it has to be one.
  constexpr time_t k_range = time_t{1} << 26U;
  for (const time_t seconds : {k_file_time, k_file_time + 1 + k_range, time_t{0}}) {
    set_time(".", seconds);
    EXPECT_EQ(now(), Wholeness::damaged) << seconds;
    EXPECT_FALSE(is_known_to_be_whole(m_environment.string()));
  }
  for (const time_t seconds : {k_file_time + 1, k_file_time + k_range}) {
    set_time(".", seconds);
    EXPECT_EQ(now(), Wholeness::whole) << seconds;
    EXPECT_TRUE(is_known_to_be_whole(m_environment.string()));
    EXPECT_EQ(hours_later(), Wholeness::damaged) << seconds;
  }
}

TEST_F(Seal, EachPropertyOfAnEntryCounts) {
  struct stat sealed{};
  ASSERT_EQ(::stat(m_environment.c_str(), &sealed), 0);
  fs::create_symlink("bin", m_environment / "lib" / "link");
  fs::create_directory(m_environment / "lib" / "folder");
  write("lib/__pycache__x");
  seal(m_environment.string());
  const auto is_noticed = [&](const std::function<void()>& change, const std::function<void()>& back) {
    EXPECT_EQ(hours_later(), Wholeness::whole);
    change();
    const auto checked = hours_later();
    back();
    EXPECT_EQ(hours_later(), Wholeness::whole);
    return checked == Wholeness::damaged;
  };
  const auto path = [&](const std::string& name) { return (m_environment / name).string(); };
  const auto rename = [&](const std::string& from, const std::string& to) {
    return [=] { fs::rename(path(from), path(to)); };
  };
  const auto mode = [&](const std::string& name, mode_t value) {
    return [=] { ASSERT_EQ(::chmod(path(name).c_str(), value), 0); };
  };
  EXPECT_TRUE(is_noticed(rename("lib/module.py", "lib/other.py"), rename("lib/other.py", "lib/module.py")));
  EXPECT_TRUE(is_noticed(rename("lib/link", "lib/other"), rename("lib/other", "lib/link")));
  EXPECT_TRUE(is_noticed(rename("lib/folder", "lib/other"), rename("lib/other", "lib/folder")));
  EXPECT_TRUE(is_noticed(mode("lib/module.py", 0744), mode("lib/module.py", 0644)));
  EXPECT_FALSE(is_noticed(mode("lib/module.py", 0666), mode("lib/module.py", 0644)));
  EXPECT_FALSE(is_noticed(mode("lib/module.py", 0655), mode("lib/module.py", 0644)));
  EXPECT_TRUE(is_noticed([&] { write("lib/module.py", "contents"); }, [&] { write("lib/module.py"); }));
  EXPECT_TRUE(is_noticed([&] { set_time("lib/module.py", k_file_time + 1); },
                         [&] { set_time("lib/module.py", k_file_time); }));
  EXPECT_FALSE(is_noticed([&] { set_time("lib/folder", 1); }, [] {}));
  EXPECT_TRUE(is_noticed([&] { fs::remove(path("lib/__pycache__x")); }, [&] { write("lib/__pycache__x"); }));
  EXPECT_TRUE(is_noticed([&] { write("lib/folder/__pycache__"); },
                         [&] { fs::remove(path("lib/folder/__pycache__")); }));
  EXPECT_FALSE(is_noticed([&] { fs::create_directories(path("lib/folder/__pycache__/deeper")); }, [] {}));
}

TEST_F(Seal, OtherThanAFolderIsMissing) {
  write("../file");
  fs::create_directory_symlink(m_environment, m_folder.path() / "link");
  for (const std::string name : {"file", "link", "none"}) {
    EXPECT_EQ(check_environment((m_folder.path() / name).string()), Wholeness::missing) << name;
    EXPECT_FALSE(is_known_to_be_whole((m_folder.path() / name).string())) << name;
  }
}

TEST_F(Seal, IsNotKnownWhereItWasNotMade) {
  ASSERT_EQ(::chmod(m_environment.c_str(), 0755), 0);
  EXPECT_FALSE(is_known_to_be_whole(m_environment.string()));
  {
    // A disk that keeps no times.
    const steps::Watch watch(
        [](std::string_view call, std::string_view) { return call == "utimens" ? EPERM : 0; },
        steps::Calls::all);
    EXPECT_EQ(now(), Wholeness::whole);
    seal(m_environment.string());
  }
  struct stat status{};
  ASSERT_EQ(::stat(m_environment.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0755U);
  const time_t before = std::time(nullptr);
  EXPECT_EQ(now(), Wholeness::whole);
  ASSERT_EQ(::stat(m_environment.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 01755U);
  ASSERT_EQ(::stat(m_folder.path().c_str(), &status), 0);
  EXPECT_GE(status.st_mtim.tv_sec, before - 1) << "the folder that was tried has the present time again";
}

TEST_F(Seal, WhoMayNotWriteUsesItAsItIs) {
  ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  write("added");
  ASSERT_EQ(::chmod(m_environment.c_str(), 01555), 0);
  if (::geteuid() == 0) {
    EXPECT_EQ(now(), Wholeness::damaged);
  }
  {
    const Nobody nobody;
    EXPECT_EQ(now(), Wholeness::whole);
  }
  ASSERT_EQ(::chmod(m_environment.c_str(), 01755), 0);
}

TEST(CurrentMoment, IsNowAndTheLastBoot) {
  const auto moment = current_moment();
  EXPECT_LE(std::abs(moment.now - std::time(nullptr)), 5);
  const auto uptime = std::stod(base::read_file("/proc/uptime").value());
  EXPECT_LE(std::abs(static_cast<double>(moment.now - moment.boot) - uptime), 5);
}

}  // namespace
}  // namespace shim
