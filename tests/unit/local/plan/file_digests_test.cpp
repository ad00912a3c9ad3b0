// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/file_digests.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "base/measure.h"
#include "base/stop.h"

namespace local {
namespace {

TEST(FileDigests, ReadsAgainOnlyWhatHasChanged) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "digests.").value();
  const std::string path = (folder.path() / "f").string();
  ASSERT_TRUE(base::write_file(path, "one"));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  FileDigests::Entries known;
  known[path] = {FileIdentity::of(status), "remembered"};
  FileDigests digests(known);
  EXPECT_EQ(digests.digest(path, status).value(), "remembered");
  EXPECT_TRUE(digests.entries().empty()) << "written just now: the next write could have the same time";
  const std::string read = base::sha256_of_file(path).value();
  for (const auto& change : std::vector<std::function<void(struct stat&)>>{
           [](auto& changed) { ++changed.st_size; }, [](auto& changed) { ++changed.st_ino; },
           [](auto& changed) { ++changed.st_mtim.tv_nsec; }, [](auto& changed) { --changed.st_mtim.tv_sec; },
           [](auto& changed) { ++changed.st_ctim.tv_nsec; },
           [](auto& changed) { --changed.st_ctim.tv_sec; }}) {
    struct stat changed = status;
    change(changed);
    EXPECT_EQ(digests.digest(path, changed).value(), read);
  }
}

TEST(FileDigests, RemembersWhatIsOldEnough) {
  const std::string path = "/bin/sh";
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  FileDigests digests({});
  const auto read = digests.digest(path, status).value();
  EXPECT_EQ(read, base::sha256_of_file(path).value());
  ASSERT_EQ(digests.entries().size(), 1U);
  EXPECT_EQ(digests.entries().at(path).digest, read);
  EXPECT_EQ(digests.entries().at(path).identity, FileIdentity::of(status));
  FileDigests known({{path, {FileIdentity::of(status), "remembered"}}, {"/other", {}}});
  EXPECT_EQ(known.digest(path, status).value(), "remembered");
  EXPECT_EQ(known.entries().size(), 1U) << "those of this run";
  struct stat recent = status;
  recent.st_ctim.tv_sec = ::time(nullptr) - 5;
  FileDigests others({});
  EXPECT_TRUE(others.digest(path, recent));
  EXPECT_EQ(others.entries().size(), 1U);
}

TEST(FileDigests, AreKeptInAFileOfThisVersion) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "digests.").value();
  const auto file = folder.path() / "digests";
  const FileDigests::Entries entries = {{"/a", {{1, 2, 3, 4}, "x"}}, {"/b\xff", {{5, 6, -7, 8}, "y"}}};
  EXPECT_TRUE(load_digests(file).empty());
  ASSERT_TRUE(save_digests(entries, file));
  const auto loaded = load_digests(file);
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_EQ(loaded.at("/a").identity, (FileIdentity{1, 2, 3, 4}));
  EXPECT_EQ(loaded.at("/a").digest, "x");
  EXPECT_EQ(loaded.at("/b\xff").identity, (FileIdentity{5, 6, -7, 8}));
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  auto content = base::read_file(file).value();
  // A number of one byte in CBOR.
  const auto version = content.find("version") + 7;
  ++content[version];
  ASSERT_TRUE(base::write_file(file, content));
  EXPECT_TRUE(load_digests(file).empty()) << "of another version";
  for (const std::string text : {"", "x", "\xa0", "\xf6"}) {
    ASSERT_TRUE(base::write_file(file, text));
    EXPECT_TRUE(load_digests(file).empty());
  }
  EXPECT_EQ(nanoseconds({2, 3}), 2'000'000'003);
}

TEST(FileDigests, WhatIsRememberedCountsAsRead) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "digests.").value();
  const std::string path = (folder.path() / "f").string();
  ASSERT_TRUE(base::write_file(path, "12345"));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  for (const bool is_known : {false, true}) {
    FileDigests::Entries known;
    if (is_known) known[path] = {FileIdentity::of(status), "remembered"};
    FileDigests digests(known);
    std::uint64_t done = 0;
    const base::Measure measure([&](std::uint64_t more) { done += more; });
    ASSERT_TRUE(digests.digest(path, status));
    EXPECT_EQ(done, 5U) << is_known;
  }
}

TEST(FileDigests, StopsWhenAsked) {
  const base::StopQuestion stop([] { return true; });
  FileDigests digests({});
  struct stat status{};
  ASSERT_EQ(::stat("/proc/self/exe", &status), 0);
  EXPECT_FALSE(digests.digest("/proc/self/exe", status));
}

}  // namespace
}  // namespace local
