// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>

#include "base/files.h"
#include "base/text.h"

namespace local {
namespace {

using SelectionKind = spec::Input::Kind;

spec::Input selection_input(const std::string& repo, const std::string& glob) {
  spec::Input input;
  input.repo.name = input.repo.repo = repo;
  input.repo.branch = "master";
  input.repo.glob = glob;
  return input;
}

class SelectionTest : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "selection.").value();
  spec::Input m_input = selection_input("pages", "/*");
  std::map<std::string, Commit> m_commits;

  void add_files(const std::string& repo, const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      const auto file = m_folder.path() / repo / path;
      ASSERT_TRUE(base::make_folders(file.parent_path()));
      ASSERT_TRUE(base::write_file(file, path));
    }
  }
  void cross_with(const spec::Input& other, SelectionKind kind = SelectionKind::cross) {
    spec::Input both;
    both.kind = kind;
    both.parts = {m_input, other};
    m_input = both;
  }

  // The labels of the selected datums, or the error.
  std::string select(const std::vector<std::string>& names) {
    Commits commits;
    for (const auto* part : spec::repo_inputs(m_input)) {
      m_commits[part->repo] = commit_of_folder(m_folder.path() / part->repo, nullptr).value();
      commits[part->repo] = &m_commits[part->repo];
    }
    const auto datums = DatumList::make(m_input, commits).value();
    const auto places = select_datums(datums, m_input, commits, names);
    if (!places) return places.error().what + " | " + places.error().hint;
    std::vector<std::string> labels;
    for (const auto place : *places) labels.push_back(datums.at(place).label());
    std::sort(labels.begin(), labels.end());
    return base::join(labels, ", ");
  }
  std::string id_of(const std::string& label) {
    select({});
    Commits commits;
    for (auto& [name, commit] : m_commits) commits[name] = &commit;
    const auto datums = DatumList::make(m_input, commits).value();
    for (std::size_t i = 0; i < datums.size(); ++i) {
      if (datums.at(i).label() == label) return datums.at(i).id;
    }
    return "";
  }
};

TEST_F(SelectionTest, EveryNameOfAFileMeansIt) {
  add_files("pages", {"a.html", "b.html", "b/c.html"});
  const auto folder = (m_folder.path() / "pages").string();
  for (const std::string name :
       {"a.html", "/a.html", "pages/a.html", "pages@/a.html", "/pfs/pages/a.html", "./a.html"})
    EXPECT_EQ(select({name}), "pages/a.html") << name;
  EXPECT_EQ(select({folder + "/a.html"}), "pages/a.html");
  EXPECT_EQ(select({folder + "/../pages/a.html"}), "pages/a.html");
}

TEST_F(SelectionTest, AFileMeansTheDatumsThatHaveItAndAFolderThoseInIt) {
  add_files("pages", {"a.html", "d/x.html", "d/y.html", "dd/x.html"});
  EXPECT_EQ(select({"d/x.html"}), "pages/d");
  m_input.repo.glob = "/**.html";
  EXPECT_EQ(select({"d/x.html"}), "pages/d/x.html");
  EXPECT_EQ(select({"d/"}), "pages/d/x.html, pages/d/y.html");
  EXPECT_EQ(select({"d/x.html", "a.html", "d"}), "pages/a.html, pages/d/x.html, pages/d/y.html");
}

TEST_F(SelectionTest, ALinkInTheRepoHasItsOwnName) {
  add_files("elsewhere", {"real.html"});
  add_files("pages", {"a.html"});
  boost::filesystem::create_symlink(m_folder.path() / "elsewhere/real.html",
                                    m_folder.path() / "pages/link.html");
  boost::filesystem::create_directory_symlink(m_folder.path() / "pages", m_folder.path() / "other");
  EXPECT_EQ(select({(m_folder.path() / "pages/link.html").string()}), "pages/link.html");
  EXPECT_EQ(select({(m_folder.path() / "other/link.html").string()}), "pages/link.html");
}

TEST_F(SelectionTest, ANumberCountsBeforeAFileOfThatName) {
  add_files("pages", {"1", "11", "111"});
  const auto first = select({"1"});
  EXPECT_EQ(select({"1", "2", "3"}), "pages/1, pages/11, pages/111");
  EXPECT_EQ(select({"111"}), "pages/111");  // no number of a datum
  EXPECT_EQ(select({"/1"}), "pages/1");
  EXPECT_NE(first.find("pages/1"), std::string::npos);
  EXPECT_EQ(select({"0"}).substr(0, 13), "no such datum");
  EXPECT_EQ(select({"4"}).substr(0, 13), "no such datum");
}

TEST_F(SelectionTest, TheBeginningOfAnIdMustBeLongAndUnique) {
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back("f" + std::to_string(i));
  add_files("pages", names);
  const auto id = id_of("pages/f7");
  ASSERT_EQ(id.size(), 64U);
  EXPECT_EQ(select({id}), "pages/f7");
  EXPECT_EQ(select({id.substr(0, 12)}), "pages/f7");
  EXPECT_NE(select({id.substr(0, 5) + "x"}), "pages/f7");
}

TEST_F(SelectionTest, TheBeginningOfSeveralIdsIsAmbiguous) {
  std::vector<Commit::File> files;
  for (int i = 0; i < 9'000; ++i) files.push_back({"f" + std::to_string(i), "", 0, {}});
  const auto commit = commit_of_files(std::move(files));
  const Commits commits{{"pages", &commit}};
  const auto datums = DatumList::make(m_input, commits).value();
  std::size_t twin = 1;  // they are in the order of their ids
  for (auto last = datums.at(0).id; twin < datums.size(); ++twin) {
    const auto id = datums.at(twin).id;
    if (id.compare(0, 6, last, 0, 6) == 0) break;
    last = id;
  }
  const auto first = datums.at(twin - 1);
  const auto second = datums.at(twin);
  const auto ambiguous = select_datums(datums, m_input, commits, {first.id.substr(0, 6)});
  ASSERT_FALSE(ambiguous);
  for (const auto& datum : {first, second})
    EXPECT_NE(ambiguous.error().what.find(datum.id.substr(0, 12) + " (" + datum.label() + ")"),
              std::string::npos);
  EXPECT_EQ(ambiguous.error().hint, "add digits, or name a file");
  EXPECT_EQ(select_datums(datums, m_input, commits, {first.id}).value(), std::vector{twin - 1});
}

TEST_F(SelectionTest, AFileOfSeveralReposIsAmbiguousUnlessItMeansTheSameDatums) {
  add_files("pages", {"a", "b"});
  add_files("names", {"a", "c"});
  cross_with(selection_input("names", "/*"));
  EXPECT_EQ(select({"a"}), "is ambiguous: this may mean pages/a, names/a | name the repo as well: pages/a");
  EXPECT_EQ(select({"names/a"}), "pages/a + names/a, pages/b + names/a");
  EXPECT_EQ(select({"pages/a + names/c"}), "pages/a + names/c");

  for (auto& part : m_input.parts) {
    part.repo.glob = "/(*)";
    part.repo.join_on = "$1";
  }
  m_input.kind = SelectionKind::join;
  EXPECT_EQ(select({"a"}), "pages/a + names/a");
  EXPECT_EQ(select({"b"}),
            "is not part of any datum: the glob of its input does not match it | see pachbuild list datum");
}

TEST_F(SelectionTest, IdsHaveSixToSixtyFourDigits) {
  add_files("pages", {"a", "b", "c"});
  const auto id = id_of("pages/a");
  const std::string unknown = "no such datum";
  EXPECT_EQ(select({id.substr(0, 6)}), "pages/a");
  EXPECT_EQ(select({id.substr(0, 5)}).substr(0, unknown.size()), unknown);
  EXPECT_EQ(select({id + "0"}).substr(0, unknown.size()), unknown);
  std::string upper = id;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return static_cast<char>(std::toupper(c)); });
  if (upper != id) {
    EXPECT_EQ(select({upper}).substr(0, unknown.size()), unknown);
  }
  EXPECT_EQ(select({"99999999999999999999999"}).substr(0, unknown.size()), unknown);
  EXPECT_EQ(select({""}).substr(0, unknown.size()), unknown);
}

TEST_F(SelectionTest, EachDatumIsSelectedOnceInTheirOrder) {
  add_files("pages", {"a", "b", "c"});
  EXPECT_EQ(select({"3", "1", "pages/a", "pages/b", "pages/c", "2"}), "pages/a, pages/b, pages/c");
  const auto commit = commit_of_folder(m_folder.path() / "pages", nullptr).value();
  const Commits commits{{"pages", &commit}};
  const auto datums = DatumList::make(m_input, commits).value();
  EXPECT_EQ(select_datums(datums, m_input, commits, {"3", "1"}).value(), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(select_datums(datums, m_input, commits, {}).value(), std::vector<std::size_t>());
  EXPECT_EQ(select({"1", "none"}).substr(0, 13), "no such datum") << "one that is not there is an error";
}

TEST_F(SelectionTest, NamesAreOfWholePartsOfAPath) {
  add_files("pages", {"d/x", "d-e/x", "dd/x", "e/d/x"});
  m_input.repo.glob = "/**/x";
  EXPECT_EQ(select({"d"}), "pages/d/x");
  EXPECT_EQ(select({"/d//./"}), "pages/d/x");
  EXPECT_EQ(select({"e"}), "pages/e/d/x");
  m_input.repo.name = "in";
  EXPECT_EQ(select({"/pfs/in/d"}), "pages/d/x");
  EXPECT_NE(select({"/pfs/pages/d"}), "pages/d/x");
  m_input.repo.branch = "main";
  m_input.repo.glob = "/d/x";
  Commit commit = commit_of_folder(m_folder.path() / "pages", nullptr).value();
  const Commits commits{{"pages@main", &commit}};
  const auto datums = DatumList::make(m_input, commits).value();
  const auto count = [&](const std::string& name) {
    const auto places = select_datums(datums, m_input, commits, {name});
    return places ? places->size() : 0;
  };
  EXPECT_EQ(count("pages@main/d/x"), 1U);
  EXPECT_EQ(count("pages@other/d/x"), 0U);
  EXPECT_EQ(count((m_folder.path() / "pages/d/x").string()), 1U);
  EXPECT_EQ(count((m_folder.path() / "pages").string()), 0U) << "the repo itself names nothing of it";
  commit.is_ours = true;
  EXPECT_EQ(count((m_folder.path() / "pages/d/x").string()), 0U) << "its folder is not the person's";
}

TEST_F(SelectionTest, OfSeveralThatAFileCanMeanFourAreShown) {
  spec::Input all;
  all.kind = SelectionKind::union_of;
  for (const std::string repo : {"r1", "r2", "r3", "r4"}) {
    add_files(repo, {"a"});
    all.parts.push_back(selection_input(repo, "/*"));
  }
  m_input = all;
  EXPECT_EQ(select({"a"}),
            "is ambiguous: this may mean r1/a, r2/a, r3/a, r4/a | name the repo as well: r1/a");
  add_files("r5", {"a"});
  m_input.parts.push_back(selection_input("r5", "/*"));
  EXPECT_EQ(select({"a"}),
            "is ambiguous: this may mean r1/a, r2/a, r3/a, r4/a, … | name the repo as well: r1/a");
}

TEST_F(SelectionTest, OfSeveralWithTheSameNameFourAreNamed) {
  std::string expected = "no such datum | did you mean ";
  for (int i = 1; i <= 5; ++i) {
    add_files("pages", {std::to_string(i) + "/x.html"});
    if (i <= 4) expected += (i == 1 ? "\"pages/" : " or \"pages/") + std::to_string(i) + "/x.html\"";
  }
  EXPECT_EQ(select({"x.html"}), expected + "?");
  EXPECT_EQ(select({"1/y.html"}), "no such datum | did you mean \"pages/1/x.html\"?");
  EXPECT_EQ(select({"/1/y.html"}), "no such datum | did you mean \"pages/1/x.html\"?");
}

TEST_F(SelectionTest, WhatIsMistypedGetsANearName) {
  add_files("pages", {"summary.html", "deep/er/unique.html", "z.html"});
  EXPECT_EQ(select({"sumary.html"}), "no such datum | did you mean \"pages/summary.html\"?");
  EXPECT_EQ(select({"/sumary.html"}), "no such datum | did you mean \"pages/summary.html\"?");
  EXPECT_EQ(select({"pages/sumary.html"}), "no such datum | did you mean \"pages/summary.html\"?");
  EXPECT_EQ(select({"unique.html"}), "no such datum | did you mean \"pages/deep/er/unique.html\"?");
  EXPECT_EQ(
      select({"nothing like it"}),
      "no such datum | pachbuild list datum shows all 3 datums; use a number (1 to 3), an id or a file");
}

}  // namespace
}  // namespace local
