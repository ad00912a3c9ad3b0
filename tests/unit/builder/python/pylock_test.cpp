// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/pylock.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

namespace builder::python {
namespace {

namespace fs = base::fs;
using Lines = std::vector<std::string>;

class PylockOfUv : public testing::Test {
 protected:
  // What uv wrote into a folder beside the source, for packages of a source that is at some place.
  Pylock read(const std::string& place, const std::string& packages) {
    const fs::path work = fs::canonical(m_folder.path()) / place;
    EXPECT_TRUE(base::make_folders(work / "source"));
    std::string text =
        "lock-version = \"1.0\"\ncreated-by = \"uv\"\nrequires-python = \">=3.11\"\n" + packages;
    for (std::size_t at = 0; (at = text.find("WORK")) != std::string::npos;)
      text.replace(at, 4, work.string());
    EXPECT_TRUE(base::write_file(work / "pylock.x.toml", text));
    auto lock = Pylock::read(work / "pylock.x.toml", work, work / "source");
    EXPECT_TRUE(lock) << (lock ? "" : lock.error().what);
    return std::move(*lock);
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "pylock.").value();
};

constexpr char k_packages[] = R"(
[[packages]]
name = "a"
version = "1.0"
marker = "sys_platform == 'linux'"
index = "https://host/simple"
sdist = { url = "https://host/a.tar.gz", upload-time = 2020-01-01T00:00:00Z, size = 1, hashes = { sha256 = "bb" } }
wheels = [{ url = "https://me:secret@host/a.whl", size = 1, hashes = { sha256 = "aa" } }]

[[packages]]
name = "b"
version = "2.0"
index = "file://WORK/source/wheels"
wheels = [{ url = "file://WORK/source/wheels/b%202.whl", hashes = { sha256 = "cc" } }]

[[packages]]
name = "c"
directory = { path = "source", editable = true }

[[packages]]
name = "d"
directory = { path = "WORK/source/libs/d", editable = false, subdirectory = "x" }

[[packages]]
name = "e"
vcs = { type = "git", url = "https://host/e.git", commit-id = "0123", subdirectory = "y" }

[[packages]]
name = "f"
version = "3"
archive = { path = "/elsewhere/f.whl", hashes = { sha256 = "dd" } }

[[packages]]
name = "g"
archive = { url = "https://host/g.zip" }
)";

TEST_F(PylockOfUv, IsFixedWhereFilesHaveHashes) {
  const Pylock lock = read("one", k_packages);
  EXPECT_EQ(lock.fixed().requirements(),
            (Lines{"a==1.0 ; sys_platform == 'linux' --hash=sha256:aa --hash=sha256:bb",
                   "b==2.0 --hash=sha256:cc", "/elsewhere/f.whl --hash=sha256:dd"}));
  EXPECT_EQ(
      lock.unhashed().requirements(),
      (Lines{".", "./libs/d", "e @ git+https://host/e.git@0123#subdirectory=y", "g @ https://host/g.zip"}));
}

TEST_F(PylockOfUv, IsTheSameTextWhereverItWasMade) {
  const Pylock lock = read("one", k_packages);
  EXPECT_EQ(lock.text(), read("two/deeper", k_packages).text());
  for (const auto* part : {"upload-time", "size", "editable", "pylock."})
    EXPECT_EQ(lock.text().find(part), std::string::npos) << part;
}

TEST_F(PylockOfUv, LeadsToTheSourceThatItIsInstalledFrom) {
  const Pylock lock = read("one", k_packages);
  const std::string text = lock.text("/work/copy");
  for (const auto* part : {"'/work/copy'", "'/work/copy/libs/d'", "'/work/copy/wheels/b 2.whl'",
                           "'file:///work/copy/wheels'", "'/elsewhere/f.whl'", "'>=3.11'"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  // What is kept of it is read again as the same.
  const fs::path kept = m_folder.path() / "kept";
  const fs::path copy = m_folder.path() / "copy";
  ASSERT_TRUE(base::make_folders(copy));
  ASSERT_TRUE(base::write_file(kept, lock.text()));
  const auto again = Pylock::read(kept, copy, copy);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), lock.text());
}

TEST_F(PylockOfUv, AnIndexThatIsAFolderOutsideStaysWhereItIs) {
  const std::string package = "[[packages]]\nname = \"a\"\nversion = \"1\"\nindex = ";
  const std::string wheels = "\nwheels = [{ url = \"https://h/a.whl\", hashes = { sha256 = \"aa\" } }]\n";
  const auto lock = read("x", package + "\"file:///elsewhere/wheels\"" + wheels);
  EXPECT_NE(lock.text("/other").find("'file:///elsewhere/wheels'"), std::string::npos) << lock.text("/other");
  const auto inside = read("x", package + "\"file://WORK/source/wheels\"" + wheels);
  EXPECT_NE(inside.text("/other").find("'file:///other/wheels'"), std::string::npos) << inside.text("/other");
}

}  // namespace
}  // namespace builder::python
