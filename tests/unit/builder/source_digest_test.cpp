// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/source_digest.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/digest.h"

namespace builder {
namespace {

namespace fs = base::fs;

class DigestOfFolder : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "digest.").value();

  fs::path make(const std::string& name) {
    const fs::path folder = m_folder.path() / name;
    EXPECT_TRUE(base::make_folders(folder / "sub"));
    EXPECT_TRUE(base::write_file(folder / "sub" / "f", "text"));
    return folder;
  }
  static std::string digest(const fs::path& folder) { return digest_of_folder(folder).value().content; }
};

TEST_F(DigestOfFolder, DoesNotDependOnPlaceOrMode) {
  const fs::path one = make("one");
  const fs::path two = make("two");
  ASSERT_EQ(::chmod((two / "sub" / "f").c_str(), 0600), 0);
  EXPECT_EQ(digest(one), digest(two));
}

TEST_F(DigestOfFolder, DependsOnNamesAndContent) {
  const fs::path folder = make("one");
  const auto before = digest(folder);
  ASSERT_TRUE(base::write_file(folder / "sub" / "f", "texT"));
  EXPECT_NE(digest(folder), before);
  ASSERT_TRUE(base::write_file(folder / "sub" / "f", "text"));
  EXPECT_EQ(digest(folder), before);
  ASSERT_TRUE(base::rename_path(folder / "sub" / "f", folder / "sub" / "g"));
  EXPECT_NE(digest(folder), before);
}

TEST_F(DigestOfFolder, DependsOnWhatMayBeExecuted) {
  const fs::path folder = make("one");
  const auto before = digest(folder);
  ASSERT_EQ(::chmod((folder / "sub" / "f").c_str(), 0755), 0);
  EXPECT_NE(digest(folder), before);
}

TEST_F(DigestOfFolder, WhatIsChangedBackHasTheSameContentAndAnotherState) {
  const fs::path folder = make("one");
  const auto before = digest_of_folder(folder).value();
  EXPECT_EQ(digest_of_folder(folder).value().state, before.state);
  ASSERT_TRUE(base::write_file(folder / "sub" / "f", "texT"));
  ASSERT_TRUE(base::write_file(folder / "sub" / "f", "text"));
  const auto after = digest_of_folder(folder).value();
  EXPECT_EQ(after.content, before.content);
  EXPECT_NE(after.state, before.state);
}

TEST_F(DigestOfFolder, AFileThatCameAndWentShowsInTheState) {
  const fs::path folder = make("one");
  const auto before = digest_of_folder(folder).value();
  ASSERT_TRUE(base::write_file(folder / "sub" / "new", ""));
  fs::remove(folder / "sub" / "new");
  const auto after = digest_of_folder(folder).value();
  EXPECT_EQ(after.content, before.content);
  EXPECT_NE(after.state, before.state);
}

TEST_F(DigestOfFolder, FollowsLinksAndEndsInCircles) {
  const fs::path folder = make("one");
  const fs::path other = make("other");
  fs::create_symlink("..", folder / "sub" / "up");
  fs::create_symlink(other, folder / "other");
  fs::create_symlink("nowhere", folder / "broken");
  const auto before = digest(folder);
  ASSERT_TRUE(base::write_file(other / "sub" / "f", "changed"));
  EXPECT_NE(digest(folder), before);
}

TEST_F(DigestOfFolder, DependsOnLinksToNowhere) {
  const fs::path folder = make("one");
  const auto before = digest(folder);
  fs::create_symlink("nowhere", folder / "broken");
  const auto broken = digest(folder);
  EXPECT_NE(broken, before);
  ASSERT_TRUE(base::rename_path(folder / "broken", folder / "other"));
  EXPECT_NE(digest(folder), broken);
  fs::remove(folder / "other");
  fs::create_symlink("circle", folder / "circle");
  EXPECT_NE(digest(folder), before);
}

TEST_F(DigestOfFolder, DependsOnWhereLinksInsideItLead) {
  const fs::path folder = make("one");
  ASSERT_TRUE(base::make_folders(folder / "sub2"));
  fs::create_symlink("sub", folder / "link");
  const auto before = digest(folder);
  fs::remove(folder / "link");
  fs::create_symlink(folder / "sub", folder / "link");
  EXPECT_EQ(digest(folder), before);
  fs::remove(folder / "link");
  fs::create_symlink("sub2", folder / "link");
  EXPECT_NE(digest(folder), before);
}

TEST_F(DigestOfFolder, ShowsTheChosenFilesOfTheFolderItself) {
  const fs::path folder = make("one");
  const fs::path other = make("other");
  ASSERT_TRUE(base::write_file(folder / "a", "first"));
  ASSERT_TRUE(base::write_file(folder / "b", "not chosen"));
  fs::create_symlink("a", folder / "link");
  fs::create_symlink(other, folder / "outside");
  std::mutex mutex;
  std::map<std::string, std::string> seen;
  const auto shown = digest_of_folder(
      folder, [](std::string_view name) { return name != "b"; },
      [&](const std::string& name, std::string_view content) {
        const std::scoped_lock lock(mutex);
        seen.emplace(name, content);
      });
  EXPECT_EQ(shown.value().content, digest(folder));
  EXPECT_EQ(seen, (std::map<std::string, std::string>{{"a", "first"}, {"link", "first"}, {"sub/f", "text"}}));
}

TEST_F(DigestOfFolder, OfManyFilesIsTheSameOnAllProcessors) {
  std::vector<std::string> digests;
  for (const auto* name : {"one", "two"}) {
    const fs::path folder = m_folder.path() / name;
    for (int i = 0; i < 400; ++i) {
      const int number = digests.empty() ? i : 399 - i;
      const fs::path below = folder / std::to_string(number);
      ASSERT_TRUE(base::make_folders(below));
      ASSERT_TRUE(base::write_file(below / "f", std::to_string(number)));
    }
    digests.push_back(digest(folder));
  }
  EXPECT_EQ(digests[0], digests[1]);
}

TEST_F(DigestOfFolder, APipeIsAnErrorAndNoWait) {
  const fs::path folder = make("one");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(digest_of_folder(folder).error().what, "is neither a file nor a folder");
}

// The digest as it is made: of fields with their lengths, sorted by names. Keys of caches depend on it.
TEST_F(DigestOfFolder, IsOfKindsNamesAndContents) {
  const fs::path folder = m_folder.path() / "source";
  const fs::path outside = m_folder.path() / "outside";
  ASSERT_TRUE(base::make_folders(folder / "d"));
  ASSERT_TRUE(base::make_folders(folder / ".git"));
  ASSERT_TRUE(base::make_folders(outside));
  ASSERT_TRUE(base::write_file(folder / "d" / "f", "text", 0644));
  ASSERT_TRUE(base::write_file(folder / ".git" / "HEAD", "never", 0644));
  ASSERT_TRUE(base::write_file(folder / "p", "program", 0700));
  ASSERT_TRUE(base::write_file(outside / "o", "other", 0644));
  fs::create_symlink("d", folder / "in");
  fs::create_symlink("p", folder / "file");
  fs::create_symlink("nowhere", folder / "broken");
  fs::create_symlink("p/below", folder / "under");
  fs::create_symlink(outside, folder / "out1");
  fs::create_symlink(outside, folder / "out2");
  base::Sha256 expected;
  for (const auto& [kind, name, content] :
       std::vector<std::array<std::string, 3>>{{"folder", "", ""},
                                               {"broken link", "broken", ""},
                                               {"folder", "d", ""},
                                               {"file", "d/f", base::sha256("text")},
                                               {"program", "file", base::sha256("program")},
                                               {"link", "in", "d"},
                                               {"folder", "out1", ""},
                                               {"file", "out1/o", base::sha256("other")},
                                               {"link", "out2", "out1"},
                                               {"program", "p", base::sha256("program")},
                                               {"broken link", "under", ""}}) {
    for (const auto& field : {kind, name, content}) expected.update_field(field);
  }
  EXPECT_EQ(digest(folder), expected.finish());
}

TEST_F(DigestOfFolder, OnlyFilesOfTheSourceItselfAreShown) {
  const fs::path folder = make("one");
  const fs::path other = make("other");
  ASSERT_TRUE(base::write_file(other / "file", "y"));
  fs::create_symlink("file", other / "link");
  fs::create_symlink(other, folder / "outside");
  fs::create_symlink(other / "file", folder / "linked");
  std::mutex mutex;
  std::map<std::string, std::string> seen;
  ASSERT_TRUE(digest_of_folder(
      folder, [](std::string_view) { return true; },
      [&](const std::string& name, std::string_view content) {
        const std::scoped_lock lock(mutex);
        seen.emplace(name, content);
      }));
  EXPECT_EQ(seen, (std::map<std::string, std::string>{{"linked", "y"}, {"sub/f", "text"}}));
}

TEST_F(DigestOfFolder, WhatCannotBeReadIsAnError) {
  const auto none = digest_of_folder(m_folder.path() / "none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().where, (m_folder.path() / "none").string());
  EXPECT_EQ(none.error().what, "cannot read: no such file or folder");
  const fs::path folder = make("one");
  fs::create_symlink("/dev/null", folder / "device");
  const auto device = digest_of_folder(folder);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().where, (folder / "device").string());
  EXPECT_EQ(device.error().what, "is neither a file nor a folder");
  EXPECT_EQ(device.error().kind, base::ErrorKind::bad_input);
}

}  // namespace
}  // namespace builder
