// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/datum.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <functional>
#include <set>

#include "base/digest.h"
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
    const auto datums = DatumList::make(input, repos).value();
    for (std::size_t i = 0; i < datums.size(); ++i) labels.push_back(datums.at(i).label());
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

TEST_F(DatumTest, CrossesInCrossesKeepTheirOrder) {
  for (const std::string repo : {"x", "y", "z"}) {
    add(repo + "/1", "1");
    add(repo + "/2", "2");
  }
  spec::Input inner;
  inner.cross = {pfs("y", "/*"), pfs("z", "/*")};
  spec::Input cross;
  cross.cross = {pfs("x", "/*"), inner};
  const auto all = labels(cross);
  ASSERT_EQ(all.size(), 8U);
  EXPECT_EQ(all.at(1), "x/1 + y/1 + z/2");
  EXPECT_EQ(all.at(6), "x/2 + y/2 + z/1");
}

TEST_F(DatumTest, TooManyAreCountedAndNotMade) {
  std::map<std::string, Repo> repos;
  for (int i = 0; i < 100; ++i) repos["r"].files.push_back({"f" + std::to_string(100 + i), "d"});
  spec::Input cross;
  const auto error_of = [&](std::size_t inputs) {
    cross.cross.assign(inputs, pfs("r", "/*"));
    return DatumList::make(cross, repos).error();
  };
  EXPECT_EQ(error_of(4).kind, base::ErrorKind::bad_input);
  EXPECT_EQ(
      error_of(4).what,
      "100,000,000 datums: r (100) × r (100) × r (100) × r (100); the limit of pachbuild run is 1,000,000");
  EXPECT_EQ(error_of(10).what.find("more than 18,446,744,073,709,551,615 datums: "), 0U) << error_of(10).what;
  cross.cross.assign(3, pfs("r", "/*"));
  const auto most = DatumList::make(cross, repos).value();
  EXPECT_EQ(most.size(), k_most_datums);
  EXPECT_EQ(most.at(0).label(), "r/f100 + r/f100 + r/f100");
  EXPECT_EQ(most.at(123'456).label(), "r/f112 + r/f134 + r/f156");
  EXPECT_EQ(most.at(999'999).label(), "r/f199 + r/f199 + r/f199");
  cross.cross.assign(40, pfs("r", "/*"));
  cross.cross.push_back(pfs("r", "/none"));
  EXPECT_EQ(DatumList::make(cross, repos).value().size(), 0U) << "whatever the others are";
}

TEST_F(DatumTest, AFoldersKeyIsThatOfEverythingBelowIt) {
  add("r/d/a", "1");
  add("r/e", "2");
  const auto input = pfs("r", "/*");
  const auto keys = [&] {
    const std::map<std::string, Repo> repos{{"r", read("r")}};
    std::vector<std::string> result;
    const auto datums = DatumList::make(input, repos).value();
    for (std::size_t i = 0; i < datums.size(); ++i) result.push_back(datums.at(i).key("job"));
    return result;
  };
  const auto before = keys();
  add("r/d/a", "changed");
  const auto after = keys();
  EXPECT_NE(before.at(0), after.at(0));
  EXPECT_EQ(before.at(1), after.at(1));
}

TEST_F(DatumTest, EachInputOfADatumIsAPartOfItsKey) {
  add("r/a", "1");
  add("r/b", "1");
  add("s/a", "1");
  const auto key = [&](const std::function<void(spec::PfsInput&)>& change, const std::string& job = "job") {
    auto input = pfs("r", "/a");
    change(*input.pfs);
    const std::map<std::string, Repo> repos{{"r", read("r")}, {"s", read("s")}};
    return DatumList::make(input, repos).value().at(0).key(job);
  };
  std::set<std::string> seen = {key([](auto&) {}), key([](auto&) {}, "other")};
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.name = "other"; })).second) << "/pfs/other/a";
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.glob = "/b"; })).second);
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.lazy = true; })).second);
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.empty_files = true; })).second);
  EXPECT_FALSE(seen.insert(key([](auto& input) { input.repo = "s"; })).second)
      << "a datum sees no repo's name";
  add("r/a", "2");
  EXPECT_TRUE(seen.insert(key([](auto&) {})).second);
}

TEST_F(DatumTest, PathsAreThoseOfAWorker) {
  add("r/d/a", "1");
  const std::map<std::string, Repo> repos{{"r", read("r")}};
  const auto root = pfs("r", "/");
  EXPECT_EQ(DatumList::make(root, repos).value().at(0).parts.at(0).path_in_pfs(), "/pfs/r");
  const auto file = pfs("r", "/d/*");
  EXPECT_EQ(DatumList::make(file, repos).value().at(0).parts.at(0).path_in_pfs(), "/pfs/r/d/a");
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

TEST(FileDigests, StopsWhenAsked) {
  const base::StopQuestion stop([] { return true; });
  FileDigests digests({});
  struct stat status{};
  ASSERT_EQ(::stat("/proc/self/exe", &status), 0);
  EXPECT_FALSE(digests.digest("/proc/self/exe", status));
}

// Pipes and empty files are another thing to see than files, and so is each part of a datum.
TEST_F(DatumTest, AKeyIsOfTheJobAndOfEachPart) {
  add("r/a", "1");
  const Repo repo = read("r");
  spec::PfsInput input;
  input.name = input.repo = "r";
  const DatumPart part{.input = &input, .repo = &repo, .path = "a", .digest = "1"};
  const auto key = [&](const std::function<void(spec::PfsInput&, DatumPart&)>& change,
                       const std::string& job = "j") {
    spec::PfsInput changed_input = input;
    DatumPart changed = part;
    changed.input = &changed_input;
    change(changed_input, changed);
    return Datum{{changed}}.key(job);
  };
  const std::string plain = key([](auto&, auto&) {});
  EXPECT_EQ(key([](auto&, auto&) {}), plain);
  std::set<std::string> seen = {plain};
  EXPECT_TRUE(seen.insert(key([](auto&, auto&) {}, "other")).second);
  const std::vector<std::function<void(spec::PfsInput&, DatumPart&)>> changes = {
      [](auto& one, auto&) { one.name = "s"; }, [](auto& one, auto&) { one.lazy = true; },
      [](auto& one, auto&) { one.empty_files = true; }, [](auto&, auto& one) { one.path = "b"; },
      [](auto&, auto& one) { one.digest = "2"; }};
  for (const auto& change : changes) EXPECT_TRUE(seen.insert(key(change)).second) << seen.size();
}

}  // namespace
}  // namespace local
