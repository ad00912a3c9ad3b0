// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/extract.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/files.h"
#include "tests/unit/shim/tar.h"
#include "worker-shim/seal.h"

namespace shim {
namespace {

namespace fs = boost::filesystem;

class ExtractTar : public testing::Test {
 protected:
  // Extracts in pieces that end in odd places.
  Extraction extract(const std::string& bytes) {
    const base::UniqueFd root(::open(m_target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::size_t position = 0;
    const auto read = [&]() -> base::Result<std::string_view> {
      const std::size_t count = std::min<std::size_t>(7001, bytes.size() - position);
      const std::string_view piece(bytes.data() + position, count);
      position += count;
      return piece;
    };
    return extract_tar(read, root.get(), "t.tar");
  }

  std::string error_of(const Tar& tar) {
    const auto extraction = extract(tar.bytes());
    if (extraction.write_failure) return "disk: " + extraction.write_failure->path;
    return extraction.content ? "accepted" : extraction.content.error().what;
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    return base::read_file(m_target / name).value_or("nothing");
  }

  [[nodiscard]] mode_t mode(const std::string& name) const {
    struct stat status{};
    return ::lstat((m_target / name).c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
  }

  // The extraction's folder is inside, so that what leaves it is seen.
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "extract.").value();
  const fs::path m_target = [this] {
    fs::create_directory(m_folder.path() / "target");
    return m_folder.path() / "target";
  }();
};

TEST_F(ExtractTar, MakesFilesFoldersAndLinks) {
  const std::string large(3'000'000, 'x');
  const auto extraction = extract(Tar()
                                      .folder("./")
                                      .folder("bin/")
                                      .file("bin/tool", "#!/bin/sh\n", 0755)
                                      .link("bin/alias", "tool")
                                      .hard_link("bin/twin", "./bin/tool")
                                      .folder("empty")
                                      .file("lib/deep/er/module.py", "import this\n")
                                      .file("large", large)
                                      .file("nothing", "")
                                      .bytes());
  ASSERT_TRUE(extraction.content) << extraction.content.error().what;
  ASSERT_FALSE(extraction.write_failure);
  EXPECT_EQ(content("bin/tool"), "#!/bin/sh\n");
  EXPECT_EQ(content("bin/twin"), "#!/bin/sh\n");
  EXPECT_EQ(fs::hard_link_count(m_target / "bin/tool"), 2U);
  EXPECT_EQ(fs::read_symlink(m_target / "bin/alias"), "tool");
  EXPECT_TRUE(fs::is_directory(m_target / "empty"));
  EXPECT_EQ(content("lib/deep/er/module.py"), "import this\n");
  EXPECT_EQ(content("large"), large);
  EXPECT_EQ(content("nothing"), "");
  EXPECT_EQ(extraction.files, 9U);
  EXPECT_EQ(extraction.bytes, 3U * 4096 + 2U * 4096 + 3'002'368);
}

TEST_F(ExtractTar, ModesAreNormalised) {
  ASSERT_EQ(error_of(Tar().folder("d").file("d/plain", "", 0600).file("d/program", "", 06711)), "accepted");
  const mode_t umask = ::umask(0);
  ::umask(umask);
  EXPECT_EQ(mode("d"), 0755U & ~umask);
  EXPECT_EQ(mode("d/plain"), 0644U & ~umask);
  EXPECT_EQ(mode("d/program"), 0755U & ~umask) << "no setuid";
}

TEST_F(ExtractTar, WhatTheOwnerMayExecuteIsAProgram) {
  ASSERT_EQ(error_of(Tar()
                         .file("owner", "", 0700)
                         .file("others", "", 0611)
                         .file("large", std::string(3'000'000, 'x'), 0744)),
            "accepted");
  EXPECT_NE(mode("owner") & S_IXUSR, 0U);
  EXPECT_EQ(mode("others") & S_IXUSR, 0U);
  EXPECT_NE(mode("large") & S_IXUSR, 0U);
}

TEST_F(ExtractTar, FilesGetOneTime) {
  ASSERT_EQ(error_of(Tar().file("small", "x").file("large", std::string(3'000'000, 'x'))), "accepted");
  EXPECT_EQ(fs::last_write_time(m_target / "small"), k_file_time);
  EXPECT_EQ(fs::last_write_time(m_target / "large"), k_file_time);
}

TEST_F(ExtractTar, NamesAreBytes) {
  const std::string decomposed = "e\xCC\x81.py";  // an e and an accent: must not become one character
  const std::string latin = "caf\xE9";
  ASSERT_EQ(
      error_of(
          Tar().pax("path", decomposed).file("x", "1").pax("path", latin).file("x", "2").file("a\nb", "3")),
      "accepted");
  EXPECT_EQ(content(decomposed), "1");
  EXPECT_EQ(content(latin), "2");
  EXPECT_EQ(content("a\nb"), "3");
}

TEST_F(ExtractTar, NamesThatLeaveTheFolderAreRefused) {
  EXPECT_EQ(error_of(Tar().file("../out", "")), "entry '../out' leaves the folder with '..'");
  EXPECT_EQ(error_of(Tar().file("a/../../out", "")), "entry 'a/../../out' leaves the folder with '..'");
  EXPECT_EQ(error_of(Tar().folder("..")), "entry '..' leaves the folder with '..'");
  EXPECT_EQ(error_of(Tar().file("/out", "")), "entry '/out' has an absolute path");
  EXPECT_EQ(error_of(Tar().link("../out", "x")), "entry '../out' leaves the folder with '..'");
  EXPECT_EQ(error_of(Tar().hard_link("a", "../../etc/passwd")),
            "entry 'a' is a hard link whose target leaves the folder with '..'");
  EXPECT_EQ(error_of(Tar().hard_link("a", "/etc/passwd")),
            "entry 'a' is a hard link whose target has an absolute path");
  EXPECT_EQ(std::distance(fs::directory_iterator(m_folder.path()), fs::directory_iterator()), 1);
}

TEST_F(ExtractTar, NothingIsWrittenThroughALink) {
  EXPECT_EQ(error_of(Tar().link("out", "..").file("out/file", "x")), "entry 'out' appears twice");
  EXPECT_EQ(error_of(Tar().link("out2", "..").link("out2/link", "x")), "entry 'out2' appears twice");
  EXPECT_EQ(error_of(Tar().link("out3", "..").hard_link("out3/link", "file")),
            "entry 'out3/link' cannot be created: no such file or folder");
  EXPECT_EQ(std::distance(fs::directory_iterator(m_folder.path()), fs::directory_iterator()), 1);
}

TEST_F(ExtractTar, AHardLinkThroughALinkIsRefused) {
  ASSERT_TRUE(base::write_file(m_folder.path() / "secret", "s"));
  EXPECT_EQ(error_of(Tar().link("up", "..").hard_link("mine", "up/secret")),
            "entry 'mine' cannot be created: no such file or folder");
  EXPECT_EQ(fs::hard_link_count(m_folder.path() / "secret"), 1U);
}

TEST_F(ExtractTar, AnEntryThatIsThereTwiceIsRefused) {
  EXPECT_EQ(error_of(Tar().file("a", "1").file("a", "2")), "entry 'a' appears twice");
}

TEST_F(ExtractTar, AFileInPlaceOfAFolderIsRefused) {
  EXPECT_NE(error_of(Tar().file("a", "1").file("a/b", "2")), "accepted");
}

TEST_F(ExtractTar, DevicesAreRefused) {
  EXPECT_EQ(error_of(Tar().device("null")), "entry 'null' is neither a file nor a folder nor a link");
}

TEST_F(ExtractTar, ManyLinksAreRefusedBeforeTheyFillTheMemory) {
  Tar tar;
  const std::string target(100'000, 't');
  for (int i = 0; i < 200; ++i) tar.pax("linkpath", target).link(std::to_string(i), "replaced");
  EXPECT_EQ(error_of(tar), "entry '167' is one link too many");
}

TEST_F(ExtractTar, LongNamesAreRefused) {
  const std::string name(300, 'n');
  EXPECT_EQ(error_of(Tar().pax("path", name).file("x", "")),
            "entry '" + name + "' cannot be created: the name is too long");
  std::string deep = "d";
  while (deep.size() < 3000) deep += "/d";
  EXPECT_EQ(error_of(Tar().pax("path", deep).file("x", "")),
            "entry '" + deep + "' has a path that is too long");
}

TEST_F(ExtractTar, WhatIsNoTarIsRefused) {
  EXPECT_FALSE(extract(std::string(5000, 'x')).content);
  const auto tar = Tar().file("a", std::string(5000, 'x')).bytes();
  EXPECT_FALSE(extract(tar.substr(0, 3000)).content) << "cut in the middle of a file";
}

TEST_F(ExtractTar, AFullDiskMayGetRoomMidway) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can mount a small disk";
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("tmpfs", m_target.c_str(), "tmpfs", 0, "size=2m"), 0);
  ASSERT_TRUE(base::write_file(m_target / "old", std::string(1'500'000, 'o')));
  const std::string small(400'000, 's');
  const std::string large(1'200'000, 'l');
  for (const bool room : {false, true}) {
    const base::UniqueFd root(::open(m_target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto bytes = Tar().file("small", small).file("large", large).bytes();
    bool given = false;
    const auto extraction = extract_tar(
        [&]() -> base::Result<std::string_view> {
          return std::exchange(given, true) ? std::string_view() : std::string_view(bytes);
        },
        root.get(), "t.tar", [&] { return room && fs::remove(m_target / "old"); });
    EXPECT_EQ(extraction.write_failure.has_value(), !room);
    EXPECT_EQ(content("large") == large, room);
    fs::remove(m_target / "small");
    fs::remove(m_target / "large");
  }
  ::umount2(m_target.c_str(), MNT_DETACH);
}

TEST_F(ExtractTar, WhatItNeedsIsCountedToTheEndAfterAFailure) {
  // Nothing can be made in a folder that is gone.
  const base::UniqueFd root(::open(m_target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  fs::remove_all(m_target);
  const auto bytes = Tar().file("a", std::string(5000, 'x')).file("b", "x").bytes();
  bool given = false;
  const auto extraction = extract_tar(
      [&]() -> base::Result<std::string_view> {
        return std::exchange(given, true) ? std::string_view() : std::string_view(bytes);
      },
      root.get(), "t.tar");
  EXPECT_FALSE(extraction.content);
  EXPECT_EQ(extraction.files, 2U);
  EXPECT_EQ(extraction.bytes, 3U * 4096);
}

TEST(EntryPath, HasNoEmptyParts) {
  EXPECT_EQ(entry_path("./a//b/./c/").value(), "a/b/c");
  EXPECT_EQ(entry_path("./").value(), "");
  EXPECT_EQ(entry_path("..a/b..").value(), "..a/b..");
  EXPECT_STREQ(entry_path("").error(), "has an empty name");
  EXPECT_STREQ(entry_path("a/..").error(), "leaves the folder with '..'");
}

}  // namespace
}  // namespace shim
