// SPDX-License-Identifier: Apache-2.0
#include "archive/bundle.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_findDecompressedSize
#include <zstd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/digest.h"

namespace archives {
namespace {

namespace fs = base::fs;

class Bundle : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "bundle.").value();

  // A tree with all kinds of entries, made in the order of `names`.
  fs::path make_tree(const std::string& name, const std::vector<std::string>& names, mode_t mask) {
    const fs::path tree = m_folder.path() / name;
    const mode_t before = ::umask(mask);
    EXPECT_TRUE(base::make_folders(tree / "bin" / "empty"));
    for (const auto& file : names) {
      EXPECT_TRUE(base::write_file(tree / file, "content of " + file, 0666 & ~mask));
    }
    EXPECT_TRUE(base::write_file(tree / "bin" / "run", "x", 0777 & ~mask));
    fs::create_symlink("/usr/bin/env", tree / "bin" / "link");
    ::umask(before);
    return tree;
  }

  std::string unpacked_tar(const fs::path& bundle) {
    const std::string bytes = base::read_file(bundle).value();
    std::string tar(ZSTD_findDecompressedSize(bytes.data(), bytes.size()), '\0');
    const auto size = ZSTD_decompress(tar.data(), tar.size(), bytes.data(), bytes.size());
    EXPECT_EQ(ZSTD_isError(size), 0U);
    tar.resize(size);
    return tar;
  }
};

TEST_F(Bundle, SameContentGivesSameBytes) {
  const fs::path one = make_tree("one", {"a", "b", "name \xff\n"}, 022);
  const fs::path two = make_tree("two", {"name \xff\n", "b", "a"}, 077);
  ::utimensat(AT_FDCWD, (two / "a").c_str(), nullptr, 0);
  const auto first = write_bundle(one, m_folder.path() / "1").value();
  const auto second = write_bundle(two, m_folder.path() / "2").value();
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(base::read_file(m_folder.path() / "1").value(), base::read_file(m_folder.path() / "2").value());
  EXPECT_EQ(first.files, 5U);
  EXPECT_EQ(first.unpacked_bytes, std::string("content of acontent of bcontent of name X\nx").size());
}

TEST_F(Bundle, AFileThatBecomesShorterWhileItIsPackedIsAnError) {
  const fs::path tree = make_tree("t", {}, 022);
  const std::string file = fs::canonical(tree / "bin" / "run").string();
  ASSERT_TRUE(base::write_file(file, std::string(1000, 'x'), 0755));
  bool is_cut = false;
  const steps::Watch watch([&](std::string_view call, std::string_view path) {
    if (call == "read" && path == file && !is_cut) is_cut = ::truncate(file.c_str(), 10) == 0;
    return 0;
  });
  const auto summary = write_bundle(tree, m_folder.path() / "b");
  EXPECT_TRUE(is_cut);
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().what, "became shorter while it was read");
  EXPECT_EQ(summary.error().where, (tree / "bin" / "run").string());
}

TEST_F(Bundle, TheDigestIsThatOfTheFile) {
  const auto summary = write_bundle(make_tree("t", {"a"}, 022), m_folder.path() / "b").value();
  EXPECT_EQ(summary.digest, base::sha256_of_file((m_folder.path() / "b").string()).value());
  EXPECT_EQ(summary.bytes, fs::file_size(m_folder.path() / "b"));
}

TEST_F(Bundle, OtherContentGivesAnotherDigest) {
  const fs::path tree = make_tree("t", {"a"}, 022);
  const auto before = write_bundle(tree, m_folder.path() / "1").value();
  ASSERT_EQ(::chmod((tree / "a").c_str(), 0755), 0);
  EXPECT_NE(write_bundle(tree, m_folder.path() / "2").value().digest, before.digest);
}

TEST_F(Bundle, NamesAreBytesAndNothingElseIsInAHeader) {
  const std::string odd = "n\xff";
  const std::string tar = [&] {
    EXPECT_TRUE(write_bundle(make_tree("t", {odd}, 022), m_folder.path() / "b"));
    return unpacked_tar(m_folder.path() / "b");
  }();
  EXPECT_NE(tar.find("path=" + odd + "\n"), std::string::npos);
  EXPECT_EQ(tar.find("mtime="), std::string::npos);
  EXPECT_EQ(tar.find("atime="), std::string::npos);
  // The first entry: "bin/", mode 0755, owner and group 0, time 0.
  EXPECT_EQ(tar.substr(0, 5), std::string("bin/\0", 5));
  EXPECT_EQ(tar.substr(100, 8), std::string("000755 \0", 8));
  EXPECT_EQ(tar.substr(108, 8), std::string("000000 \0", 8));
  EXPECT_EQ(tar.substr(136, 12), std::string("00000000000 ", 12));
}

TEST_F(Bundle, ManyPiecesAreOneStreamOfTheSameBytes) {
  const fs::path tree = make_tree("t", {}, 022);
  // More pieces than processors, and no two alike.
  std::string content;
  const std::string filling(1000, '.');
  for (std::uint64_t i = 0; content.size() < (std::size_t{40} << 20); ++i)
    content += std::to_string(i * 7919) + filling;
  ASSERT_TRUE(base::write_file(tree / "large", content));
  const auto first = write_bundle(tree, m_folder.path() / "1").value();
  EXPECT_EQ(write_bundle(tree, m_folder.path() / "2").value().digest, first.digest);
  const std::string tar = unpacked_tar(m_folder.path() / "1");
  EXPECT_NE(tar.find(content), std::string::npos);
}

TEST_F(Bundle, APipeIsRefused) {
  const fs::path tree = make_tree("t", {"a"}, 022);
  ASSERT_EQ(::mkfifo((tree / "pipe").c_str(), 0600), 0);
  const auto bundle = write_bundle(tree, m_folder.path() / "b");
  ASSERT_FALSE(bundle);
  EXPECT_EQ(bundle.error().what, "is neither a file, a folder nor a link");
}

TEST_F(Bundle, AFullDiskIsAnErrorOfWriting) {
  const auto bundle = write_bundle(make_tree("t", {"a"}, 022), "/dev/full/x");
  ASSERT_FALSE(bundle);
  EXPECT_EQ(bundle.error().kind, base::ErrorKind::cannot_write);
}

TEST_F(Bundle, NormalisedModesAreThoseOfTheBundle) {
  const fs::path tree = make_tree("t", {"a"}, 077);
  ASSERT_TRUE(normalise_modes(tree));
  const auto mode = [&](const char* name) {
    struct stat status{};
    EXPECT_EQ(::stat((tree / name).c_str(), &status), 0);
    return status.st_mode & 07777U;
  };
  EXPECT_EQ(mode("a"), 0644U);
  EXPECT_EQ(mode("bin"), 0755U);
  EXPECT_EQ(mode("bin/run"), 0755U);
}

}  // namespace
}  // namespace archives
