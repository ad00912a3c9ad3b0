// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/differences.h"

#include <gtest/gtest.h>

#include "archive/bundle.h"

using conformance::differing_files;
using conformance::few_of;
using Names = std::vector<std::string>;

namespace {

class DifferencesTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const auto file = m_folder.path() / path;
    ASSERT_TRUE(base::make_folders(file.parent_path()));
    ASSERT_TRUE(base::write_file(file, text));
  }
  [[nodiscard]] Names differing() const {
    return differing_files(m_folder.path() / "one", m_folder.path() / "other").value();
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make("/tmp", "differences-").value();
};

}  // namespace

TEST_F(DifferencesTest, AreNamedFromBothSidesInOrder) {
  write("one/same", "x");
  write("other/same", "x");
  EXPECT_EQ(differing(), Names{});
  write("one/z/changed", "1");
  write("other/z/changed", "2");
  write("one/only", "1");
  write("other/added", "1");
  write("one/run.sh", "1");
  EXPECT_EQ(differing(), (Names{"added", "only", "run.sh", "z/changed"}));
}

TEST_F(DifferencesTest, OfBundlesAreTheFilesInThem) {
  const std::string digits(64, 'a');
  const std::string others(64, 'b');
  const auto pack = [&](const std::string& name, const std::string& content) {
    const auto tree = m_folder.path() / "tree";
    ASSERT_TRUE(base::make_folders(tree / "bin"));
    ASSERT_TRUE(base::write_file(tree / "bin/main", content));
    ASSERT_TRUE(base::write_file(tree / "same", "x"));
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(archives::write_bundle(tree, m_folder.path() / name));
  };
  pack("one/bundle-" + digits + ".tar.zst", "1");
  pack("other/bundle-" + others + ".tar.zst", "2");
  pack("one/base-" + digits + ".tar.zst", "1");
  pack("other/base-" + others + ".tar.zst", "1");
  for (const std::string name : {"build.json", "environment.sh", "run.sh"}) {
    write("one/" + name, digits);
    write("other/" + name, others);
  }
  EXPECT_EQ(differing(), Names{"bundle/bin/main"}) << "the others name the bundle";
  // What only looks like a bundle is a file.
  write("one/base-" + others + ".tar.zst", "x");
  write("one/bundle-" + digits + "0.tar.zst", "x");
  EXPECT_EQ(differing(),
            (Names{"base-" + others + ".tar.zst", "bundle-" + digits + "0.tar.zst", "bundle/bin/main"}));
}

TEST_F(DifferencesTest, FolderThatIsMissingIsAnError) {
  write("one/same", "x");
  EXPECT_FALSE(differing_files(m_folder.path() / "one", m_folder.path() / "other"));
  EXPECT_FALSE(differing_files(m_folder.path() / "other", m_folder.path() / "one"));
}

TEST(FewOf, ShowsThreeAndCountsTheOthers) {
  EXPECT_EQ(few_of({"a"}), "a");
  EXPECT_EQ(few_of({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(few_of({"a", "b", "c", "d"}), "a, b, c and 1 other");
  EXPECT_EQ(few_of({"a", "b", "c", "d", "e"}), "a, b, c and 2 others");
}
