// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/unpack.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zstd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "tests/unit/shim/tar.h"

namespace shim {
namespace {

class Unpack : public testing::Test {
 protected:
  Unpack() {
    EXPECT_TRUE(base::make_folders(path("target")));
    put(Tar().folder("d").file("d/f", "content").bytes());
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  void put(const std::string& tar) {
    std::string bytes(ZSTD_compressBound(tar.size()), '\0');
    bytes.resize(ZSTD_compress(bytes.data(), bytes.size(), tar.data(), tar.size(), 1));
    ASSERT_TRUE(base::write_file(path("bundle"), bytes));
    m_digest = base::sha256(bytes);
  }
  // "done" or the error, with TMP for the test's folder.
  std::string unpack_it(const std::string& digest, const MakeRoom& make_room = {}) const {
    const base::UniqueFd target(::open(path("target").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto status = unpack({path("bundle"), digest, target.get(), "/disk", make_room});
    std::string text = status ? "done" : base::format_error(status.error());
    base::replace_all(text, m_folder.path().string(), "TMP");
    return text;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "unpack.").value();
  std::string m_digest;
};

TEST_F(Unpack, IsDoneWhenTheDigestIsRight) {
  EXPECT_EQ(unpack_it(m_digest), "done");
  EXPECT_EQ(base::read_file(path("target/d/f")).value(), "content");
  ASSERT_TRUE(base::remove_tree(path("target/d")));
  EXPECT_EQ(unpack_it(std::string(64, '0')),
            "error: TMP/bundle: is damaged: its SHA-256 is " + m_digest +
                "\nhint: build it again; if the damage persists, check how it is stored or copied\n");
}

TEST_F(Unpack, WhatIsWrongWithTheContentCountsWhenTheDigestIsRight) {
  put(Tar().file("../out", "x").bytes());
  EXPECT_EQ(unpack_it(m_digest), "error: TMP/bundle: entry '../out' leaves the folder with '..'\n");
  EXPECT_TRUE(unpack_it(std::string(64, '0')).starts_with("error: TMP/bundle: is damaged: its SHA-256 is "));
  put("no tar");
  EXPECT_TRUE(unpack_it(m_digest).starts_with("error: TMP/bundle: is not a readable tar: "));
  ASSERT_TRUE(base::remove_tree(path("bundle")));
  EXPECT_EQ(unpack_it(m_digest), "error: TMP/bundle: cannot read: no such file or folder\n");
}

TEST_F(Unpack, ABrokenDiskIsNamedWithTheFile) {
  for (const auto& digest : {m_digest, std::string(64, '0')}) {
    ASSERT_TRUE(base::remove_tree(path("target/d")));
    const steps::Watch watch(
        [](std::string_view call, std::string_view) { return call == "write" ? EIO : 0; });
    EXPECT_EQ(unpack_it(digest), "error: /disk/d/f: cannot write: Input/output error\n");
  }
}

TEST_F(Unpack, AFullDiskIsToldWithWhatIsNeededAndWhatThereIs) {
  for (const int error_number : {ENOSPC, EDQUOT}) {
    ASSERT_TRUE(base::remove_tree(path("target")));
    ASSERT_TRUE(base::make_folders(path("target")));
    int asked = 0;
    const steps::Watch watch(
        [&](std::string_view call, std::string_view) { return call == "write" ? error_number : 0; });
    const auto text = unpack_it(m_digest, [&] { return ++asked < 3; });
    EXPECT_EQ(asked, 3);
    EXPECT_TRUE(text.starts_with(
        "error: /disk: no space left: the environment needs 8.0 KiB and 2 inodes; the disk has "))
        << text;
    EXPECT_TRUE(
        text.ends_with(" free\nhint: free some space there, or set PACHBUILD_CACHE_DIR to a folder "
                       "on another disk\n"))
        << text;
    // Others use the disk as well; but not a hundredth of it meanwhile.
    struct statvfs disk{};
    ASSERT_EQ(::statvfs(path("target").c_str(), &disk), 0);
    const auto said = text.substr(text.find("has ") + 4);
    const auto unit = said.substr(0, said.find(" and "));
    bool is_near = false;
    const auto free_bytes = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
    for (int percent = -200; percent <= 200 && !is_near; ++percent) {
      is_near = base::format_bytes(static_cast<std::uint64_t>(free_bytes * (1 + percent / 10'000.0))) == unit;
    }
    EXPECT_TRUE(is_near) << unit << " " << free_bytes;
  }
}

}  // namespace
}  // namespace shim
