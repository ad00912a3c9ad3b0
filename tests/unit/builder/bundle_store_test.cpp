// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/bundle_store.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/files.h"
#include "contract/layout.h"

namespace builder {
namespace {

TEST(BundleStore, UsesNoRecordWithAnotherByte) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "bundles.").value();
  ASSERT_TRUE(base::write_file(folder.path() / "made", "content"));
  const std::string digest = base::sha256("content");
  BundleContent content;
  content.bundles = {{.file = file_of_bundle(contract::k_bundle_prefix, digest), .digest = digest}};
  content.made.packages = {"one==1.0"};
  const BundleStore store(folder.path() / "bundles");
  const std::string key(64, 'a');
  const auto workspace = base::Workspace::make(folder.path(), "work-").value();
  const auto stored = store.add(key, {folder.path() / "made"}, content, workspace);
  ASSERT_TRUE(stored) << stored.error().what;
  ASSERT_TRUE(store.find(key).bundle);

  const auto record = stored->folder / contract::k_record;
  const std::string written = base::read_file(record.string()).value();
  for (std::size_t i = 0; i < written.size(); i += 7) {
    std::string changed = written;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ASSERT_TRUE(base::write_file(record, changed));
    EXPECT_FALSE(store.find(key).bundle) << changed;
  }
  std::string other = written;
  other.replace(other.find("1.0"), 3, "1.1");
  ASSERT_TRUE(base::write_file(record, other));
  const auto found = store.find(key);
  EXPECT_FALSE(found.bundle);
  EXPECT_NE(found.damage.find("is not what was written there"), std::string::npos) << found.damage;
  ASSERT_TRUE(base::write_file(record, written));
  EXPECT_TRUE(store.find(key).bundle);
}

}  // namespace
}  // namespace builder
