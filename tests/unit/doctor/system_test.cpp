// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_runner.h"
#include "pachbuild/doctor/checks.h"

namespace doctor {
namespace {

using testing::ElementsAre;

TEST(DoctorKernel, IsOldEnoughFromVersion5_3) {
  const auto judge = [](const std::string& release) {
    return lines_of(judge_kernel(release, "x86_64")).at(0);
  };
  EXPECT_EQ(judge("6.1.0-18-amd64"), "ok kernel: Linux 6.1.0-18-amd64, x86_64");
  EXPECT_EQ(judge("5.3"), "ok kernel: Linux 5.3, x86_64");
  EXPECT_EQ(judge("5.10.1"), "ok kernel: Linux 5.10.1, x86_64");
  EXPECT_EQ(judge("10.0"), "ok kernel: Linux 10.0, x86_64");
  EXPECT_EQ(judge("5.2.9"), "problem kernel: Linux 5.2.9, x86_64 is too old | use Linux 5.3 or newer");
  EXPECT_EQ(judge("4.19.0"), "problem kernel: Linux 4.19.0, x86_64 is too old | use Linux 5.3 or newer");
  EXPECT_EQ(judge("5"), "problem kernel: Linux 5, x86_64 is too old | use Linux 5.3 or newer");
  EXPECT_EQ(judge("6"), "ok kernel: Linux 6, x86_64");
  EXPECT_EQ(judge("").substr(0, 7), "problem");
  EXPECT_THAT(lines_of(check_kernel()).at(0), testing::StartsWith("ok kernel: Linux "));
}

constexpr std::uint64_t k_gib = std::uint64_t{1} << 30;

TEST(DoctorMemory, IsWhatTheControlGroupGrants) {
  EXPECT_THAT(lines_of(judge_memory(16 * k_gib, 16 * k_gib)), ElementsAre("ok memory: 16.0 GiB"));
  EXPECT_THAT(lines_of(judge_memory(16 * k_gib, 4 * k_gib)),
              ElementsAre("ok memory: 4.0 GiB of 16.0 GiB, by a control group"));
  EXPECT_THAT(lines_of(judge_memory(4 * k_gib, 16 * k_gib)), ElementsAre("ok memory: 4.0 GiB"));
  EXPECT_THAT(lines_of(judge_memory(k_gib, k_gib)), ElementsAre("ok memory: 1.0 GiB"));
  EXPECT_THAT(lines_of(judge_memory(k_gib / 2, k_gib / 2)),
              ElementsAre("warning memory: 512.0 MiB; installing large packages needs more | add memory"));
  EXPECT_THAT(lines_of(judge_memory(k_gib, k_gib - 1)).at(0), testing::StartsWith("warning memory: "));
  EXPECT_THAT(
      lines_of(judge_memory(2 * k_gib, k_gib / 2)),
      ElementsAre("warning memory: 512.0 MiB of 2.0 GiB, by a control group; installing large packages "
                  "needs more | raise the memory limit of the container or service"));
  EXPECT_THAT(lines_of(check_memory()).at(0), testing::HasSubstr(" memory: "));
}

TEST(DoctorDisk, HasLimitsForBytesAndFiles) {
  const auto judge = [](std::uint64_t bytes, std::uint64_t files, std::uint64_t free_files) {
    return lines_of(judge_disk("/home/me", bytes, files, free_files)).at(0);
  };
  constexpr std::uint64_t k_hundred = std::uint64_t{100} << 20;
  EXPECT_EQ(judge(k_gib, 100'000, 10'000), "ok disk: 1.0 GiB free at /home/me");
  EXPECT_EQ(judge(k_gib, 0, 0), "ok disk: 1.0 GiB free at /home/me");
  EXPECT_EQ(
      judge(k_gib, 100'000, 9'999),
      "warning disk: 1.0 GiB free at /home/me, but room for only 9999 files | pachbuild cache clean --all");
  EXPECT_EQ(judge(k_gib / 2, 0, 0),
            "warning disk: only 512.0 MiB free at /home/me | pachbuild cache clean --all");
  EXPECT_EQ(judge(k_gib - 1, 0, 0).substr(0, 7), "warning");
  EXPECT_EQ(judge(k_hundred, 0, 0),
            "warning disk: only 100.0 MiB free at /home/me | pachbuild cache clean --all");
  EXPECT_EQ(judge(k_hundred - 1, 0, 0).substr(0, 7), "problem");
  EXPECT_EQ(judge(0, 0, 0), "problem disk: only 0 B free at /home/me | pachbuild cache clean --all");
}

TEST(DoctorDisk, IsThatOfTheNearestFolderThatExists) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "disk.").value();
  EXPECT_THAT(lines_of(check_disk(folder.path() / "missing" / "below")).at(0),
              testing::HasSubstr(" free at " + folder.path().string()));
  EXPECT_EQ(existing_part(folder.path() / "missing"), folder.path());
  EXPECT_EQ(existing_part(folder.path()), folder.path());
  EXPECT_EQ(existing_part("/missing-here/below"), "/");
}

class DoctorSandboxes : public testing::Test {
 protected:
  std::vector<std::string> check(FakeRunner::Answer answer) {
    m_runner.answer("/opt/pachbuild check-sandbox", std::move(answer));
    return lines_of(
        check_sandboxes({.runner = &m_runner, .program = "/opt/pachbuild", .root = m_root.path()}));
  }
  void set(const std::string& file, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_root.path() / file).parent_path()));
    ASSERT_TRUE(base::write_file(m_root.path() / file, text));
  }
  const FakeRunner::Answer m_refused = {exit_status(69), "no user namespaces\nallow them\n", ""};
  const base::TemporaryFolder m_root = base::TemporaryFolder::make(testing::TempDir(), "root.").value();
  FakeRunner m_runner;
};

TEST_F(DoctorSandboxes, AreMadeByThisProgram) {
  EXPECT_THAT(check({}), ElementsAre("ok sandboxes: available"));
  EXPECT_THAT(m_runner.calls(), ElementsAre("5000 /opt/pachbuild check-sandbox"));
}

TEST_F(DoctorSandboxes, ThatCannotBeMadeAreBadWithTheCommandThatAllowsThem) {
  EXPECT_THAT(check(m_refused),
              ElementsAre("problem sandboxes: cannot be made: no user namespaces | allow them"));
  set(".dockerenv", "");
  EXPECT_THAT(check(m_refused),
              ElementsAre("problem sandboxes: cannot be made: no user namespaces | start the container "
                          "with --security-opt seccomp=unconfined, or use --runtime"));
  set("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
  EXPECT_THAT(check(m_refused),
              ElementsAre("problem sandboxes: cannot be made: no user namespaces | sudo sysctl "
                          "kernel.apparmor_restrict_unprivileged_userns=0"));
  set("proc/sys/user/max_user_namespaces", "0\n");
  EXPECT_THAT(check(m_refused),
              ElementsAre("problem sandboxes: cannot be made: no user namespaces | sudo sysctl "
                          "user.max_user_namespaces=10000"));
  set("proc/sys/kernel/unprivileged_userns_clone", "0\n");
  EXPECT_THAT(check(m_refused),
              ElementsAre("problem sandboxes: cannot be made: no user namespaces | sudo sysctl "
                          "kernel.unprivileged_userns_clone=1"));
}

TEST_F(DoctorSandboxes, AreNotSuspectedOfWhatIsAllowed) {
  set("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0\n");
  set("proc/sys/user/max_user_namespaces", "63000\n");
  set("proc/sys/kernel/unprivileged_userns_clone", "1\n");
  EXPECT_THAT(
      check({exit_status(69), "no mount\n\n", ""}),
      ElementsAre(
          "problem sandboxes: cannot be made: no mount | see docs/running-locally.md, \"Namespaces\""));
  set("run/.containerenv", "");
  EXPECT_THAT(check(m_refused).at(0), testing::HasSubstr("start the container with"));
}

TEST_F(DoctorSandboxes, ThatHangOrDieAreBad) {
  EXPECT_THAT(check({9, "", ""}), ElementsAre("problem sandboxes: cannot be made: signal 9 (Killed) | see "
                                              "docs/running-locally.md, \"Namespaces\""));
  FakeRunner silent;
  EXPECT_THAT(
      lines_of(check_sandboxes({.runner = &silent, .program = "/opt/pachbuild", .root = m_root.path()})),
      ElementsAre("problem sandboxes: cannot be made: did not answer within 5 s | run the check again"));
}

TEST(DoctorProcessors, AreCounted) {
  EXPECT_THAT(lines_of(check_processors()).at(0), testing::ContainsRegex("^ok processors: [0-9]+"));
}

}  // namespace
}  // namespace doctor
