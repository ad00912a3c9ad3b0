// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/bundle_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <string>
#include <vector>

#include "../steps.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/stop.h"
#include "cache/builder_cache.h"
#include "contract/build_record.h"
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
  EXPECT_NE(found.damage.find("has changed since it was written"), std::string::npos) << found.damage;
  ASSERT_TRUE(base::write_file(record, written));
  EXPECT_TRUE(store.find(key).bundle);
}

class StoredBundles : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "bundles.").value();
  const BundleStore m_store{m_folder.path() / "go"};
  const base::Workspace m_workspace = base::Workspace::make(m_folder.path() / "work", "work-").value();
  const std::string m_key = std::string(64, 'a');

  BundleContent content(const std::vector<std::string>& texts) const {
    BundleContent content;
    for (const auto& text : texts) {
      const auto* prefix = content.bundles.empty() ? contract::k_bundle_prefix : contract::k_base_prefix;
      const std::string digest = base::sha256(text);
      content.bundles.push_back({file_of_bundle(prefix, digest), digest, text.size(), 2, 3});
    }
    content.made = {{"p==1"}, {"r==1"}, {"lib.so"}, {"m"}};
    return content;
  }
  StoredBundle add(const std::vector<std::string>& texts) const {
    std::vector<base::fs::path> files;
    for (const auto& text : texts) {
      files.push_back(m_folder.path() / ("made-" + text));
      EXPECT_TRUE(base::write_file(files.back(), text, 0600));
    }
    return m_store.add(m_key, files, content(texts), m_workspace).value();
  }
};

TEST_F(StoredBundles, AreFoundWithAllThatIsKnownOfThem) {
  EXPECT_FALSE(m_store.find(m_key).bundle);
  EXPECT_EQ(m_store.find(m_key).damage, "") << "nothing is there";
  const auto stored = add({"one", "other"});
  EXPECT_EQ(stored.folder, m_folder.path() / "go" / "bundles" / m_key);
  const auto found = m_store.find(m_key);
  ASSERT_TRUE(found.bundle) << found.damage;
  EXPECT_EQ(found.damage, "");
  EXPECT_EQ(found.bundle->folder, stored.folder);
  EXPECT_EQ(found.bundle->content.bundles, content({"one", "other"}).bundles);
  const auto& made = found.bundle->content.made;
  EXPECT_EQ(made.packages, std::vector<std::string>{"p==1"});
  EXPECT_EQ(made.requirements, std::vector<std::string>{"r==1"});
  EXPECT_EQ(made.libraries, std::vector<std::string>{"lib.so"});
  EXPECT_EQ(made.modules, std::vector<std::string>{"m"});
  for (const auto& bundle : found.bundle->content.bundles) {
    struct stat status{};
    ASSERT_EQ(::stat((stored.folder / bundle.file).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, k_bundle_mode);
  }
  contract::BuildRecord record;
  found.bundle->content.put_into(record);
  EXPECT_EQ(record.bundles, found.bundle->content.bundles);
  EXPECT_EQ(record.packages, made.packages);
  EXPECT_EQ(record.requirements, made.requirements);
  EXPECT_EQ(record.libraries, made.libraries);
}

TEST_F(StoredBundles, AFileWithOtherContentIsDamage) {
  const auto stored = add({"one", "other"});
  for (const auto& bundle : stored.content.bundles) {
    const auto file = stored.folder / bundle.file;
    const std::string text = base::read_file(file).value();
    ASSERT_TRUE(base::write_file(file, text + "x"));
    EXPECT_EQ(m_store.find(m_key).damage, file.string() + ": its digest does not match its name");
    ASSERT_TRUE(base::write_file(file, text));
    EXPECT_TRUE(m_store.find(m_key).bundle) << "verified anew";
    base::fs::remove(file);
    EXPECT_EQ(m_store.find(m_key).damage, file.string() + ": cannot read: no such file or folder");
    ASSERT_TRUE(base::write_file(file, text));
  }
  base::fs::remove(stored.folder / contract::k_record);
  EXPECT_NE(m_store.find(m_key).damage, "");
}

// As long as the status of the files is the same they are not read again.
TEST_F(StoredBundles, AreReadAgainAfterEachChangeOfTheirStatus) {
  const auto stored = add({"one"});
  const auto file = stored.folder / stored.content.bundles[0].file;
  const auto reads = [&] {
    int count = 0;
    const steps::Watch watch(
        [&](std::string_view call, std::string_view path) {
          if (call == "open" && path == file.string()) ++count;
          return 0;
        },
        steps::Calls::all);
    EXPECT_TRUE(m_store.find(m_key).bundle);
    return count;
  };
  EXPECT_EQ(reads(), 0);
  struct stat status{};
  for (const auto& time : std::vector<timespec>{{100, 0}, {101, 0}, {101, 7}}) {
    const timespec times[] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
    EXPECT_EQ(reads(), 1);
    EXPECT_EQ(reads(), 0) << "the new status is kept";
  }
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  ASSERT_TRUE(base::write_file(file, "one"));
  const timespec same[] = {status.st_mtim, status.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), same, 0), 0);
  EXPECT_EQ(reads(), 1) << "another file with the same time";
  ASSERT_TRUE(base::write_file(stored.folder / "seal", ""));
  EXPECT_FALSE(m_store.find(m_key).bundle) << "without a seal nothing says that the record is whole";
}

TEST_F(StoredBundles, AreTwoAtTheMost) {
  const auto stored = add({"one", "other"});
  const auto record = stored.folder / contract::k_record;
  auto three = contract::parse_build_record(base::read_file(record).value(), "").value();
  three.bundles.push_back(three.bundles.back());
  ASSERT_TRUE(base::write_file(record, contract::to_json(three)));
  EXPECT_EQ(m_store.find(m_key).damage, record.string() + ": names no bundle");
}

TEST_F(StoredBundles, AnotherKeyIsAnotherNameOfTheSameFiles) {
  const auto stored = add({"one", "other"});
  const std::string other(64, 'b');
  const auto named = m_store.add_name(other, stored, m_workspace).value();
  EXPECT_EQ(named.folder, m_folder.path() / "go" / "bundles" / other);
  EXPECT_TRUE(m_store.find(other).bundle) << m_store.find(other).damage;
  for (const auto& bundle : stored.content.bundles) {
    struct stat one{};
    struct stat two{};
    ASSERT_EQ(::stat((stored.folder / bundle.file).c_str(), &one), 0);
    ASSERT_EQ(::stat((named.folder / bundle.file).c_str(), &two), 0);
    EXPECT_EQ(one.st_ino, two.st_ino);
  }
  EXPECT_TRUE(m_store.add_name(other, stored, m_workspace)) << "in the place of what is there";
  EXPECT_TRUE(m_store.find(other).bundle);
}

TEST_F(StoredBundles, WhatIsFoundWasUsedNow) {
  const auto stored = add({"one"});
  const timespec then[] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, caches::stamp_of_bundle(stored.folder).c_str(), then, 0), 0);
  ASSERT_TRUE(m_store.find(m_key).bundle);
  struct stat status{};
  ASSERT_EQ(::stat(caches::stamp_of_bundle(stored.folder).c_str(), &status), 0);
  EXPECT_GT(status.st_mtim.tv_sec, 1000);
}

TEST_F(StoredBundles, TheLockOfAKeyIsWaitedForAndThatIsTold) {
  int told = 0;
  {
    const auto lock = m_store.lock(m_key, [&] { ++told; });
    ASSERT_TRUE(lock);
    EXPECT_TRUE(lock->held());
    EXPECT_EQ(told, 0) << "it was free";
    EXPECT_TRUE(m_store.lock(std::string(64, 'b'), [&] { ++told; })) << "another key";
    const base::StopQuestion stop([&] { return told > 0; });
    EXPECT_EQ(m_store.lock(m_key, [&] { ++told; }).error().what, "interrupted");
    EXPECT_EQ(told, 1);
  }
  EXPECT_TRUE(m_store.lock(m_key, [&] { ++told; })->held());
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace builder
