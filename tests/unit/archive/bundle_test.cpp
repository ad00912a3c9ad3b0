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
#include "base/errors.h"
#include "base/measure.h"

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

// An entry of a tar as ustar has it, with the fields that a bundle can differ in.
struct TarEntry {
  std::string name, mode, owner, size, time, type, target, content;
};

std::vector<TarEntry> entries_of(const std::string& tar) {
  std::vector<TarEntry> entries;
  for (std::size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    const auto field = [&](std::size_t offset, std::size_t size) {
      const std::string text = tar.substr(at + offset, size);
      return text.substr(0, text.find('\0'));
    };
    const std::size_t size = std::stoul(field(124, 12), nullptr, 8);
    entries.push_back({field(0, 100), field(100, 8), field(108, 8) + field(116, 8), field(124, 12),
                       field(136, 12), tar.substr(at + 156, 1), field(157, 100), tar.substr(at + 512, size)});
    at += 512 + (size + 511) / 512 * 512;
  }
  return entries;
}

TEST_F(Bundle, HasEachKindOfEntryAsItIs) {
  const fs::path tree = m_folder.path() / "t";
  ASSERT_TRUE(base::make_folders(tree / "b" / "c", 0700));
  ASSERT_TRUE(base::write_file(tree / "b" / "c" / "f", "content", 0600));
  ASSERT_TRUE(base::write_file(tree / "b.x", "", 0444));
  ASSERT_TRUE(base::write_file(tree / "run", "12", 0700));
  ASSERT_TRUE(base::write_file(tree / "of-others", "3", 0611));
  fs::create_symlink("b/nowhere", tree / "a");
  const auto summary = write_bundle(tree, m_folder.path() / "bundle").value();
  EXPECT_EQ(summary.files, 5U);
  EXPECT_EQ(summary.unpacked_bytes, 10U);
  std::string shown;
  for (const auto& entry : entries_of(unpacked_tar(m_folder.path() / "bundle"))) {
    EXPECT_EQ(entry.owner, "000000 000000 ") << entry.name;
    EXPECT_EQ(entry.time, "00000000000 ") << entry.name;
    shown += entry.name + " " + entry.mode.substr(2, 4) + " " + entry.type + " " + entry.target + " " +
             entry.content + "\n";
  }
  EXPECT_EQ(shown,
            "a 0755 2 b/nowhere \n"
            "b/ 0755 5  \n"
            "b.x 0644 0  \n"
            "b/c/ 0755 5  \n"
            "b/c/f 0644 0  content\n"
            "of-others 0644 0  3\n"
            "run 0755 0  12\n");
}

TEST_F(Bundle, ItsFileIsNewAndForAllToRead) {
  const fs::path tree = make_tree("t", {"a"}, 022);
  const mode_t before = ::umask(0);
  ASSERT_TRUE(write_bundle(tree, m_folder.path() / "b"));
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat((m_folder.path() / "b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  const auto again = write_bundle(tree, m_folder.path() / "b");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().where, (m_folder.path() / "b").string());
  EXPECT_EQ(again.error().what, "cannot create: File exists");
  const auto missing = write_bundle(m_folder.path() / "none", m_folder.path() / "c");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().where, (m_folder.path() / "none").string());
  EXPECT_EQ(missing.error().what, "cannot read: no such file or folder");
  EXPECT_FALSE(fs::exists(m_folder.path() / "c"));
}

// Frames of the sizes that a reader and other machines expect: 8 of a quarter, 8 of one and then of 8 MiB.
TEST_F(Bundle, IsCompressedInPiecesOfFixedSizes) {
  const fs::path tree = make_tree("t", {}, 022);
  constexpr std::size_t k_quarter = std::size_t{1} << 18;
  ASSERT_TRUE(base::write_file(tree / "large", ""));
  ASSERT_EQ(::truncate((tree / "large").c_str(), static_cast<off_t>(27 * 4 * k_quarter)), 0);
  std::vector<std::string> bundles;
  for (const auto compression : {Compression::fast, Compression::usual}) {
    const fs::path file = m_folder.path() / std::to_string(bundles.size());
    const auto summary = write_bundle(tree, file, compression).value();
    bundles.push_back(base::read_file(file).value());
    EXPECT_EQ(summary.bytes, bundles.back().size());
    std::vector<std::size_t> sizes;
    for (std::string_view rest = bundles.back(); !rest.empty();) {
      const auto size = ZSTD_findFrameCompressedSize(rest.data(), rest.size());
      ASSERT_EQ(ZSTD_isError(size), 0U);
      sizes.push_back(ZSTD_getFrameContentSize(rest.data(), size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(sizes.size(), 19U);
    for (std::size_t i = 0; i < 18; ++i)
      EXPECT_EQ(sizes[i], i < 8 ? k_quarter : i < 16 ? 4 * k_quarter : 32 * k_quarter) << i;
  }
  EXPECT_NE(bundles[0], bundles[1]);
}

TEST_F(Bundle, TellsHowManyBytesItHasRead) {
  const fs::path tree = make_tree("t", {"a", "b"}, 022);
  std::uint64_t read = 0;
  const base::Measure measure([&](std::uint64_t more) { read += more; });
  const auto summary = write_bundle(tree, m_folder.path() / "b").value();
  EXPECT_EQ(read, summary.unpacked_bytes);
  EXPECT_EQ(read, std::string("content of acontent of bx").size());
}

TEST_F(Bundle, AnEntryThatIsGoneIsAnErrorThatNamesIt) {
  const fs::path tree = make_tree("t", {"a"}, 022);
  const std::string file = (tree / "a").string();
  for (const std::string call : {"stat", "open"}) {
    const steps::Watch watch(
        [&](std::string_view now, std::string_view path) { return now == call && path == file ? ENOENT : 0; },
        steps::Calls::all);
    const auto bundle = write_bundle(tree, m_folder.path() / call);
    ASSERT_FALSE(bundle) << call;
    EXPECT_EQ(bundle.error().where, file);
    EXPECT_EQ(bundle.error().what, "cannot read: no such file or folder");
    EXPECT_EQ(bundle.error().kind, base::ErrorKind::io);
  }
}

TEST_F(Bundle, NormalisingLeavesLinksAndWhatIsNormal) {
  const fs::path tree = make_tree("t", {"a"}, 022);
  ASSERT_TRUE(base::write_file(m_folder.path() / "outside", "", 0600));
  fs::create_symlink(m_folder.path() / "outside", tree / "link");
  ASSERT_EQ(::chmod((tree / "a").c_str(), 04644), 0);
  std::vector<std::string> changed;
  {
    const steps::Watch watch(
        [&](std::string_view call, std::string_view path) {
          if (call == "chmod") changed.emplace_back(path);
          return 0;
        },
        steps::Calls::all);
    ASSERT_TRUE(normalise_modes(tree));
  }
  EXPECT_EQ(changed, std::vector<std::string>{(tree / "a").string()});
  struct stat status{};
  ASSERT_EQ(::stat((tree / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  ASSERT_EQ(::stat((m_folder.path() / "outside").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

}  // namespace
}  // namespace archives
