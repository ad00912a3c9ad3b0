// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/datum.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "base/files.h"
#include "base/stop.h"

namespace local {
namespace {

class DatumTest : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "datum.").value();

  void add(const std::string& path, const std::string& content) {
    ASSERT_TRUE(base::make_folders((m_folder.path() / path).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / path, content));
  }
  Repo read(const std::string& repo) {
    FileDigests digests({});
    return read_repo((m_folder.path() / repo).string(), digests).value();
  }
  static spec::Input pfs(const std::string& repo, const std::string& glob) {
    spec::PfsInput input;
    input.name = input.repo = repo;
    input.glob = glob;
    return {input, {}};
  }
  std::vector<std::string> labels(const spec::Input& input) {
    std::map<std::string, Repo> repos;
    for (const auto* part : spec::pfs_inputs(input)) repos[part->repo] = read(part->repo);
    std::vector<std::string> labels;
    const auto datums = list_datums(input, repos).value();
    for (const auto& datum : datums) labels.push_back(datum.label());
    return labels;
  }
};

using Labels = std::vector<std::string>;

TEST_F(DatumTest, GlobsSelectFilesAndFolders) {
  add("r/a.txt", "a");
  add("r/b.txt", "b");
  add("r/d/c.txt", "c");
  add("r/d/e/f.txt", "f");
  boost::filesystem::create_directories(m_folder.path() / "r/empty");
  EXPECT_EQ(labels(pfs("r", "/")), Labels{"r"});
  EXPECT_EQ(labels(pfs("r", "/*")), (Labels{"r/a.txt", "r/b.txt", "r/d"}));
  EXPECT_EQ(labels(pfs("r", "/*/*")), (Labels{"r/d/c.txt", "r/d/e"}));
  EXPECT_EQ(labels(pfs("r", "/[b-z]*")), (Labels{"r/b.txt", "r/d"}));
  EXPECT_EQ(labels(pfs("r", "/**")),
            (Labels{"r/a.txt", "r/b.txt", "r/d", "r/d/c.txt", "r/d/e", "r/d/e/f.txt"}));
  EXPECT_EQ(labels(pfs("r", "/nothing*")), Labels{});
}

TEST_F(DatumTest, AnEmptyRepoHasNoDatum) {
  boost::filesystem::create_directories(m_folder.path() / "r");
  EXPECT_EQ(labels(pfs("r", "/")), Labels{});
}

TEST_F(DatumTest, CrossHasAllCombinations) {
  add("x/1", "1");
  add("x/2", "2");
  add("y/a", "a");
  add("y/b", "b");
  spec::Input cross;
  cross.cross = {pfs("x", "/*"), pfs("y", "/*")};
  EXPECT_EQ(labels(cross), (Labels{"x/1 + y/a", "x/1 + y/b", "x/2 + y/a", "x/2 + y/b"}));
}

TEST_F(DatumTest, AFoldersKeyIsThatOfEverythingBelowIt) {
  add("r/d/a", "1");
  add("r/e", "2");
  const auto input = pfs("r", "/*");
  const auto keys = [&] {
    const std::map<std::string, Repo> repos{{"r", read("r")}};
    std::vector<std::string> result;
    const auto datums = list_datums(input, repos).value();
    for (const auto& datum : datums) result.push_back(datum.key("job"));
    return result;
  };
  const auto before = keys();
  add("r/d/a", "changed");
  const auto after = keys();
  EXPECT_NE(before.at(0), after.at(0));
  EXPECT_EQ(before.at(1), after.at(1));
}

TEST_F(DatumTest, PathsAreThoseOfAWorker) {
  add("r/d/a", "1");
  const std::map<std::string, Repo> repos{{"r", read("r")}};
  const auto root = pfs("r", "/");
  EXPECT_EQ(list_datums(root, repos).value().at(0).parts.at(0).path_in_pfs(), "/pfs/r");
  const auto file = pfs("r", "/d/*");
  EXPECT_EQ(list_datums(file, repos).value().at(0).parts.at(0).path_in_pfs(), "/pfs/r/d/a");
}

TEST_F(DatumTest, LinksInARepoAreFollowedButNotInCircles) {
  add("r/a", "1");
  boost::filesystem::create_symlink("a", m_folder.path() / "r/link");
  EXPECT_EQ(labels(pfs("r", "/*")), (Labels{"r/a", "r/link"}));
  boost::filesystem::create_symlink(".", m_folder.path() / "r/self");
  FileDigests digests({});
  const auto repo = read_repo((m_folder.path() / "r").string(), digests);
  ASSERT_FALSE(repo);
  EXPECT_EQ(repo.error().what, "is a link to a folder above it");
}

TEST(FileDigests, ReadsAgainOnlyWhatHasChanged) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "digests.").value();
  const std::string path = (folder.path() / "f").string();
  ASSERT_TRUE(base::write_file(path, "one"));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  FileDigests::Entries known;
  known[path] = {static_cast<std::uint64_t>(status.st_size), status.st_ino, nanoseconds(status.st_mtim),
                 nanoseconds(status.st_ctim), "remembered"};
  FileDigests digests(known);
  EXPECT_EQ(digests.digest(path, status).value(), "remembered");
  EXPECT_TRUE(digests.entries().empty()) << "written just now: the next write could have the same time";
  ++status.st_size;
  EXPECT_NE(digests.digest(path, status).value(), "remembered");
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
