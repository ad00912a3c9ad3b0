// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/datum_list.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "base/digest.h"
#include "base/files.h"
#include "base/stop.h"
#include "base/text.h"

namespace local {
namespace {

using nlohmann::json;
using Kind = spec::Input::Kind;

spec::Input repo_input(const std::string& repo, const std::string& glob) {
  spec::Input input;
  input.repo.name = input.repo.repo = repo;
  input.repo.branch = "master";
  input.repo.glob = glob;
  return input;
}

spec::Input combination(Kind kind, std::vector<spec::Input> parts) {
  spec::Input input;
  input.kind = kind;
  input.parts = std::move(parts);
  return input;
}

std::set<std::string> labels_of(const DatumList& datums) {
  std::set<std::string> labels;
  for (std::size_t i = 0; i < datums.size(); ++i) labels.insert(datums.at(i).label());
  return labels;
}

using Labels = std::set<std::string>;

class DatumListTest : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "datum.").value();
  std::map<std::string, Commit> m_commits;

  void add(const std::string& path, const std::string& content) {
    ASSERT_TRUE(base::make_folders((m_folder.path() / path).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / path, content));
  }
  // The input's repos as they are now.
  Commits commits_of(const spec::Input& input) {
    Commits commits;
    FileDigests digests({});
    for (const auto* part : spec::repo_inputs(input)) {
      m_commits[part->repo] = commit_of_folder(m_folder.path() / part->repo, &digests).value();
      commits[part->repo] = &m_commits[part->repo];
    }
    return commits;
  }
  Labels labels(const spec::Input& input) {
    return labels_of(DatumList::make(input, commits_of(input)).value());
  }
};

TEST_F(DatumListTest, GlobsSelectFilesAndFolders) {
  add("r/a.txt", "a");
  add("r/b.txt", "b");
  add("r/d/c.txt", "c");
  add("r/d/e/f.txt", "f");
  boost::filesystem::create_directories(m_folder.path() / "r/empty");
  EXPECT_EQ(labels(repo_input("r", "/")), Labels{"r"});
  EXPECT_EQ(labels(repo_input("r", "/*")), (Labels{"r/a.txt", "r/b.txt", "r/d"}));
  EXPECT_EQ(labels(repo_input("r", "/*/*")), (Labels{"r/d/c.txt", "r/d/e"}));
  EXPECT_EQ(labels(repo_input("r", "/[b-z]*")), (Labels{"r/b.txt", "r/d"}));
  EXPECT_EQ(labels(repo_input("r", "/**")),
            (Labels{"r/a.txt", "r/b.txt", "r/d", "r/d/c.txt", "r/d/e", "r/d/e/f.txt"}));
  EXPECT_EQ(labels(repo_input("r", "/nothing*")), Labels{});
}

TEST(DidYouMeanGlob, IsTheOnlyOneThatMatches) {
  const auto meant = [](const std::string& glob, const std::vector<std::string>& paths) {
    std::vector<Commit::File> files;
    for (const auto& path : paths) files.push_back({.path = path});
    return did_you_mean_glob(repo_input("pages", glob).repo, commit_of_files(std::move(files)));
  };
  EXPECT_EQ(meant("/*.txt", {"a/x.txt", "b/y.txt"}), "did you mean \"/*/*.txt\"?");
  EXPECT_EQ(meant("/*.txt", {"a/b/c/x.txt"}), "did you mean \"/*/*/*/*.txt\"?");
  EXPECT_EQ(meant("/*.txt", {"a/x.txt", "a/b/y.txt"}), "") << "at two depths";
  EXPECT_EQ(meant("/*.txt", {"a/b/c/d/x.txt"}), "") << "too deep";
  EXPECT_EQ(meant("/*/*.txt", {"x.txt"}), "did you mean \"/*.txt\"?");
  EXPECT_EQ(meant("/pages/*.txt", {"x.txt"}), "did you mean \"/*.txt\"?");
  EXPECT_EQ(meant("/page/*.txt", {"x.txt"}), "");
  EXPECT_EQ(meant("/*.txt", {"x.csv"}), "");
  EXPECT_EQ(meant("/*.txt", {}), "");
}

TEST_F(DatumListTest, AnEmptyRepoHasNoDatum) {
  boost::filesystem::create_directories(m_folder.path() / "r");
  EXPECT_EQ(labels(repo_input("r", "/")), Labels{});
}

TEST_F(DatumListTest, TooManyAreCountedAndNotMade) {
  Commit commit;
  for (int i = 0; i < 100; ++i) commit.files.push_back({"f" + std::to_string(100 + i), "d", 0, {}});
  const Commits commits{{"r", &commit}};
  const auto error_of = [&](std::size_t inputs) {
    return DatumList::make(combination(Kind::cross, {inputs, repo_input("r", "/*")}), commits).error();
  };
  EXPECT_EQ(error_of(4).kind, base::ErrorKind::bad_input);
  EXPECT_EQ(
      error_of(4).what,
      "100,000,000 datums: r (100) × r (100) × r (100) × r (100); the limit of pachbuild run is 1,000,000");
  EXPECT_EQ(error_of(10).what.find("more than 18,446,744,073,709,551,615 datums: "), 0U) << error_of(10).what;
  auto parts = std::vector<spec::Input>(40, repo_input("r", "/*"));
  parts.push_back(repo_input("r", "/none"));
  EXPECT_EQ(DatumList::make(combination(Kind::cross, parts), commits).value().size(), 0U)
      << "whatever the others are";
  const auto joined = DatumList::make(combination(Kind::join, {4, repo_input("r", "/*")}), commits);
  ASSERT_FALSE(joined) << "all have the same join_on";
  EXPECT_EQ(joined.error().what,
            "100,000,000 datums: files that share a join_on; the limit of pachbuild run is 1,000,000");
}

TEST_F(DatumListTest, AMillionFits) {
  Commit commit;
  for (int i = 0; i < 1000; ++i) commit.files.push_back({"f" + std::to_string(1000 + i), "d", 0, {}});
  auto parts = std::vector<spec::Input>(2, repo_input("r", "/*"));
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].repo.name = "ab"[i];
  const auto most = DatumList::make(combination(Kind::cross, parts), {{"r", &commit}}).value();
  EXPECT_EQ(most.size(), k_most_datums);
  EXPECT_LT(most.at(0).id, most.at(1).id);
  EXPECT_LT(most.at(999'998).id, most.at(999'999).id);
}

TEST_F(DatumListTest, AFoldersKeyIsThatOfEverythingBelowIt) {
  add("r/d/a", "1");
  add("r/e", "2");
  const auto input = repo_input("r", "/*");
  const auto keys = [&] {
    std::map<std::string, std::string> result;
    const auto commits = commits_of(input);
    const auto datums = DatumList::make(input, commits).value();
    for (std::size_t i = 0; i < datums.size(); ++i) result[datums.at(i).label()] = datums.at(i).key("job");
    return result;
  };
  const auto before = keys();
  add("r/d/a", "changed");
  const auto after = keys();
  EXPECT_NE(before.at("r/d"), after.at("r/d"));
  EXPECT_EQ(before.at("r/e"), after.at("r/e"));
}

TEST_F(DatumListTest, WhatADatumSeesIsAPartOfItsKey) {
  add("r/a", "1");
  add("r/b", "1");
  add("s/a", "1");
  const auto key = [&](const std::function<void(spec::RepoInput&)>& change, const std::string& job = "job") {
    auto input = repo_input("r", "/a");
    change(input.repo);
    const auto commits = commits_of(input);
    return DatumList::make(input, commits).value().at(0).key(job);
  };
  std::set<std::string> seen = {key([](auto&) {}), key([](auto&) {}, "other")};
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.name = "other"; })).second) << "/pfs/other/a";
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.glob = "/b"; })).second);
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.lazy = true; })).second);
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.empty_files = true; })).second);
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.join_on = "1"; })).second) << "in a variable";
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.group_by = "1"; })).second) << "in a variable";
  EXPECT_TRUE(seen.insert(key([](auto& input) { input.repo = "s"; })).second) << "in the id";
  add("r/a", "2");
  EXPECT_TRUE(seen.insert(key([](auto&) {})).second);
}

TEST_F(DatumListTest, PathsAreThoseOfAWorker) {
  add("r/d/a", "1");
  const auto path = [&](const std::string& glob) {
    const auto input = repo_input("r", glob);
    const auto commits = commits_of(input);
    const auto datums = DatumList::make(input, commits).value();
    const auto* part = datums.at(0).parts.at(0);
    return part->path_in_pfs() + " " + part->pfs_path();
  };
  EXPECT_EQ(path("/"), "/pfs/r /");
  EXPECT_EQ(path("/d"), "/pfs/r/d /d/");
  EXPECT_EQ(path("/d/*"), "/pfs/r/d/a /d/a");
}

TEST_F(DatumListTest, LinksInARepoAreFollowedButNotInCircles) {
  add("r/a", "1");
  boost::filesystem::create_symlink("a", m_folder.path() / "r/link");
  EXPECT_EQ(labels(repo_input("r", "/*")), (Labels{"r/a", "r/link"}));
  boost::filesystem::create_symlink(".", m_folder.path() / "r/self");
  FileDigests digests({});
  const auto commit = commit_of_folder(m_folder.path() / "r", &digests);
  ASSERT_FALSE(commit);
  EXPECT_EQ(commit.error().what, "is a link to one of its parent folders");
}

TEST_F(DatumListTest, RunInAnOrderThatFollowsThePaths) {
  std::vector<std::string> expected;
  for (int i = 10; i < 40; ++i) {
    add("r/f" + std::to_string(i), "x");
    expected.push_back("r/f" + std::to_string(i));
  }
  const auto input = repo_input("r", "/*");
  const auto commits = commits_of(input);
  const auto datums = DatumList::make(input, commits).value();
  std::vector<std::string> running;
  for (const auto place : datums.running_order()) running.push_back(datums.at(place).label());
  EXPECT_EQ(running, expected);
  for (std::size_t i = 0; i < datums.size(); ++i) {
    EXPECT_EQ(datums.at(i).number, i + 1);
    if (i == 0) continue;
    EXPECT_LT(datums.at(i - 1).id, datums.at(i).id);
  }
  EXPECT_THROW(static_cast<void>(datums.at(datums.size())), std::out_of_range);
}

TEST_F(DatumListTest, OfEqualDatumsThereIsOne) {
  add("r/a", "x");
  add("r/b", "x");
  EXPECT_EQ(DatumList::make(combination(Kind::union_of, {repo_input("r", "/*"), repo_input("r", "/a")}),
                            commits_of(repo_input("r", "/*")))
                .value()
                .size(),
            2U);
}

TEST_F(DatumListTest, AMillionIsTheMost) {
  Commit commit;
  for (int i = 0; i < 1001; ++i) commit.files.push_back({"f" + std::to_string(1000 + i), "d", 0, {}});
  auto inputs = std::vector<spec::Input>(2, repo_input("r", "/*"));
  inputs[0].repo.name = "a";
  inputs[1].repo.name = "b";
  const auto error_of = [&](Kind kind) {
    return DatumList::make(combination(kind, inputs), {{"r", &commit}}).error().what;
  };
  const std::string limit = "; the limit of pachbuild run is 1,000,000";
  EXPECT_EQ(error_of(Kind::join), "1,002,001 datums: files that share a join_on" + limit);
  EXPECT_EQ(error_of(Kind::cross), "1,002,001 datums: a (1,001) × b (1,001)" + limit);
}

TEST(Commit, FilesOfAFolderAreTogether) {
  const auto commit =
      commit_of_files({{"b", "1", 3, {}}, {"a/x", "2", 4, {}}, {"a-b", "3", 5, {}}, {"a/b/c", "4", 6, {}}});
  std::vector<std::string> paths;
  for (const auto& file : commit.files) paths.push_back(file.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"a/b/c", "a/x", "a-b", "b"}));
  EXPECT_EQ(commit.paths().at("a"), (Commit::Range{0, 2}));
  EXPECT_EQ(commit.bytes_of(commit.paths().at("a")), 10U);
  EXPECT_EQ(commit.paths().at(""), commit.all());
}

// What a real Pachyderm has listed (tests/golden/datums/README.md).
class Recorded : public testing::Test {
 protected:
  static std::vector<json> lines(const std::string& name) {
    std::ifstream file(std::string(PACHBUILD_GOLDEN) + "/datums/" + name);
    std::vector<json> result;
    for (std::string line; std::getline(file, line);) result.push_back(json::parse(line));
    return result;
  }
  Recorded() {
    std::ifstream file(std::string(PACHBUILD_GOLDEN) + "/datums/trees.json");
    const json trees = json::parse(file);
    for (const auto& [name, tree] : trees.items()) {
      if (tree.is_null()) continue;
      std::vector<Commit::File> files;
      for (const auto& [path, content] : tree.items()) {
        const auto text = content.get<std::string>();
        files.push_back({path.substr(1), base::sha256(text), text.size(), {}});
      }
      std::string key = name;
      base::replace_all(key, "@master", "");
      m_commits[key] = commit_of_files(std::move(files));
    }
    for (const auto& [key, commit] : m_commits) m_all[key] = &commit;
  }
  std::map<std::string, Commit> m_commits;
  Commits m_all;
};

TEST_F(Recorded, DatumsAreThoseOfPachyderm) {
  std::size_t compared = 0;
  for (const auto& line : lines("datums.jsonl")) {
    if (!line.contains("datums")) continue;
    SCOPED_TRACE(line["name"].get<std::string>() + " " + line["input"].dump());
    spec::Faults faults;
    const spec::Places places;
    const std::string pipeline;
    const auto input = spec::read_input(line["input"], "/input", {pipeline, true, places}, faults);
    // Names are checked when a pipeline is created, and that was recorded as well.
    if (!faults.none()) {
      const auto fault = faults.take().what;
      // A group that is not closed is closed silently there.
      const auto is = [&](const char* text) { return fault.find(text) != std::string::npos; };
      EXPECT_TRUE(line.contains("create") || is("invalid input name") || is("unclosed")) << fault;
      continue;
    }
    for (const auto* repo : spec::repo_inputs(input)) {
      ASSERT_TRUE(m_all.contains(repo_key(*repo))) << repo_key(*repo);
    }
    const auto datums = DatumList::make(input, m_all);
    ASSERT_TRUE(datums) << datums.error().what;
    json found = json::array();
    for (std::size_t i = 0; i < datums->size(); ++i) {
      const auto datum = datums->at(i);
      auto data = json::array();
      for (const auto* part : datum.parts) data.push_back(repo_key(*part->input) + ":" + part->pfs_path());
      found.push_back({{"id", datum.id}, {"data", data}});
    }
    EXPECT_EQ(found, line["datums"]);
    ++compared;
  }
  EXPECT_GT(compared, 200U);
}

}  // namespace
}  // namespace local
