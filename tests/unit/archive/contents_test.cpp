// SPDX-License-Identifier: Apache-2.0
#include "archive/contents.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <functional>

#include "archive/bundle.h"

namespace archives {
namespace {

namespace fs = base::fs;

class BundleContents : public testing::Test {
 protected:
  // Of a tree with these entries, changed.
  std::map<std::string, std::string> digests(const std::function<void(const fs::path&)>& change = {}) {
    const fs::path tree = m_folder.path() / ("tree-" + std::to_string(++m_number));
    const fs::path bundle = m_folder.path() / ("bundle-" + std::to_string(m_number));
    EXPECT_TRUE(base::make_folders(tree / "bin"));
    EXPECT_TRUE(base::write_file(tree / "bin/run", std::string(300'000, 'x'), 0755));
    EXPECT_TRUE(base::write_file(tree / "text", "a"));
    fs::create_symlink("text", tree / "link");
    if (change) change(tree);
    EXPECT_TRUE(write_bundle(tree, bundle));
    auto result = bundle_digests(bundle);
    EXPECT_TRUE(result);
    return *result;
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "contents.").value();
  int m_number = 0;
};

TEST_F(BundleContents, AreTheEntriesByTheirPaths) {
  const auto all = digests();
  std::vector<std::string> paths;
  for (const auto& [path, digest] : all) paths.push_back(path);
  EXPECT_EQ(paths, (std::vector<std::string>{"bin/", "bin/run", "link", "text"}));
  EXPECT_EQ(digests(), all);
}

TEST_F(BundleContents, ChangeWithContentModeAndTarget) {
  const auto all = digests();
  const auto changed = [&](const std::function<void(const fs::path&)>& change) {
    const auto now = digests(change);
    EXPECT_EQ(now.size(), all.size());
    std::string names;
    for (const auto& [path, digest] : now) {
      if (all.at(path) != digest) names += path + " ";
    }
    return names;
  };
  EXPECT_EQ(changed([](const auto& tree) { EXPECT_TRUE(base::write_file(tree / "text", "b")); }), "text ");
  EXPECT_EQ(changed([](const auto& tree) { ::chmod((tree / "text").c_str(), 0755); }), "text ");
  EXPECT_EQ(changed([](const auto& tree) {
              EXPECT_TRUE(base::write_file(tree / "bin/run", std::string(299'999, 'x') + "y", 0755));
            }),
            "bin/run ");
  EXPECT_EQ(changed([](const auto& tree) {
              fs::remove(tree / "link");
              fs::create_symlink("bin/run", tree / "link");
            }),
            "link ");
}

TEST_F(BundleContents, AreAnErrorOfWhatIsNoBundle) {
  const fs::path file = m_folder.path() / "other";
  EXPECT_FALSE(bundle_digests(file));
  ASSERT_TRUE(base::write_file(file, "no bundle at all"));
  const auto result = bundle_digests(file);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, base::ErrorKind::bad_input);
  EXPECT_EQ(result.error().what, "is not a bundle");
}

}  // namespace
}  // namespace archives
