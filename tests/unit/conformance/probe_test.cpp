// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/probe.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace {

class ProbeTest : public testing::Test {
 protected:
  [[nodiscard]] std::string text(const std::string& path) const {
    return base::read_file(m_folder.path() / path).value();
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make("/tmp", "probe-").value();
};

}  // namespace

TEST_F(ProbeTest, EveryPlaceInEveryFileIsEdited) {
  ASSERT_TRUE(base::make_folders(m_folder.path() / "lib"));
  ASSERT_TRUE(
      base::write_file(m_folder.path() / "a.sh", "case $1 in arguments) : > /pfs/out/arguments ;; esac\n"));
  ASSERT_TRUE(base::write_file(m_folder.path() / "lib/b.sh", "/pfs/out/arguments|/pfs/out/arguments"));
  ASSERT_TRUE(base::write_file(m_folder.path() / "other", "arguments"));
  EXPECT_EQ(conformance::edit_probe(m_folder.path(), "rewritten").value(), true);
  EXPECT_EQ(text("a.sh"), "case $1 in arguments) : > /pfs/out/rewritten ;; esac\n");
  EXPECT_EQ(text("lib/b.sh"), "/pfs/out/rewritten|/pfs/out/rewritten");
  EXPECT_EQ(text("other"), "arguments");
}

TEST_F(ProbeTest, ProbeWithoutTheTextIsLeftAlone) {
  ASSERT_TRUE(base::write_file(m_folder.path() / "a.sh", "arguments"));
  EXPECT_EQ(conformance::edit_probe(m_folder.path(), "rewritten").value(), false);
  EXPECT_EQ(text("a.sh"), "arguments");
}

TEST_F(ProbeTest, ModeStays) {
  const auto file = m_folder.path() / "a.sh";
  ASSERT_TRUE(base::write_file(file, "/pfs/out/arguments", 0755));
  ASSERT_TRUE(conformance::edit_probe(m_folder.path(), "rewritten"));
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0755U);
}

TEST(Probe, NamesHaveOneLength) {
  EXPECT_EQ(std::string(conformance::k_edited_file).size(),
            std::string(conformance::k_arguments_file).size());
  EXPECT_EQ(std::string(conformance::k_corrected_file).size(),
            std::string(conformance::k_arguments_file).size());
}
