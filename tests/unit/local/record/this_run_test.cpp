// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/this_run.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/files.h"

namespace local {
namespace {

class ThisRunTest : public testing::Test {
 protected:
  ThisRunTest() {
    m_input.repo.name = m_input.repo.repo = "r";
    m_input.repo.branch = spec::k_default_branch;
    m_input.repo.glob = "/*";
  }
  ThisRun begin(bool goes_on = false) const {
    return ThisRun::begin(m_folder.path(), "spec.json", "map", goes_on).value();
  }
  static std::string digest(char digit) { return std::string(64, digit); }
  // A run whose datums are these.
  void remember(const std::vector<RunRecord::Datum>& datums) const {
    auto run = begin();
    run.record().datums = datums;
    ASSERT_TRUE(run.save());
  }
  DatumList list(std::size_t count) {
    std::vector<Commit::File> files;
    for (std::size_t i = 0; i < count; ++i)
      files.push_back({"f" + std::to_string(100 + i), digest('1'), 0, {}});
    m_commit = commit_of_files(std::move(files));
    return DatumList::make(m_input, {{"r", &m_commit}}).value();
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "this_run.").value();
  spec::Input m_input;
  Commit m_commit;
};

TEST_F(ThisRunTest, KnowsWhatBecameOfADatum) {
  remember({{.id = digest('a'), .label = "x", .key = digest('b'), .state = LastState::failed},
            {.id = digest('c'), .label = "y", .key = digest('d'), .state = LastState::skipped}});
  auto run = begin();
  EXPECT_EQ(run.last_of(digest('a')), nullptr) << "not read yet";
  run.read_last();
  ASSERT_NE(run.last_of(digest('a')), nullptr);
  EXPECT_EQ(run.last_of(digest('a'))->label, "x");
  EXPECT_EQ(run.last_of(digest('c'))->label, "y");
  EXPECT_EQ(run.last_of(digest('e')), nullptr);
}

TEST_F(ThisRunTest, WhatThePersonIsAtComesFirst) {
  std::vector<RunRecord::Datum> datums;
  const auto add = [&](const std::string& label, LastState state) {
    datums.push_back({.id = base::sha256(label + std::to_string(datums.size())),
                      .label = label,
                      .key = digest('a'),
                      .state = state});
  };
  add("failed", LastState::failed);
  add("not run", LastState::not_run);
  add("succeeded", LastState::succeeded);
  add("recovered", LastState::recovered);
  add("skipped", LastState::skipped);
  // Of several with one label the first in this order counts.
  add("both", LastState::skipped);
  add("both", LastState::failed);
  add("both", LastState::succeeded);
  add("none", LastState::skipped);
  add("none", LastState::succeeded);
  remember(datums);
  auto run = begin();
  EXPECT_EQ(run.rank_of("failed"), run.rank_of("unknown"));
  run.read_last();
  EXPECT_LT(run.rank_of("failed"), run.rank_of("unknown"));
  EXPECT_EQ(run.rank_of("not run"), run.rank_of("unknown"));
  EXPECT_LT(run.rank_of("unknown"), run.rank_of("succeeded"));
  EXPECT_EQ(run.rank_of("succeeded"), run.rank_of("recovered"));
  EXPECT_LT(run.rank_of("succeeded"), run.rank_of("skipped"));
  EXPECT_EQ(run.rank_of("both"), run.rank_of("failed"));
  EXPECT_EQ(run.rank_of("none"), run.rank_of("succeeded"));
}

TEST_F(ThisRunTest, IsSeenByOthersIfItGoesOn) {
  const auto last = LastRun::of(m_folder.path(), "spec.json", "map").value();
  {
    const auto quiet = begin(false);
    EXPECT_FALSE(last.goes_on());
    const auto seen = begin(true);
    EXPECT_TRUE(last.goes_on());
  }
  EXPECT_FALSE(last.goes_on());
}

TEST_F(ThisRunTest, NotesTheFilesOfItsRepos) {
  auto run = begin();
  Commit commit = commit_of_files({{"a", digest('1') + "x", 0, {}}, {"b", digest('2'), 0, {}}});
  commit.folder = "/data";
  run.note_files("r", commit);
  commit.is_ours = true;
  run.note_files("result", commit);
  const RunRecord::Files files = {{"a", std::string(16, '1')}, {"b", std::string(16, '2')}};
  EXPECT_EQ(run.record().repos, (std::map<std::string, RunRecord::Files>{{"r", files}, {"result", files}}));
  EXPECT_EQ(run.record().folders, (std::map<std::string, std::string>{{"r", "/data"}}));
}

TEST_F(ThisRunTest, ExplainsTheBuild) {
  auto run = begin();
  EXPECT_EQ(run.explain_build(), "first run");
  run.record().build.hidden = {{"main.py", "1"}};
  ASSERT_TRUE(run.save());
  auto next = begin();
  next.read_last();
  next.record().build.hidden = {{"main.py", "1"}};
  EXPECT_EQ(next.explain_build(), "");
  next.record().build.hidden = {{"main.py", "2"}, {"new.py", "1"}};
  EXPECT_EQ(next.explain_build(), "main.py changed, new.py is new");
  EXPECT_EQ(next.record().build_reason, "main.py changed, new.py is new");
}

// "WHAT: BECAUSE" of each.
std::vector<std::string> texts_of(const std::vector<ThisRun::Explanation>& explanations) {
  std::vector<std::string> texts;
  for (const auto& one : explanations) texts.push_back(one.what + ": " + one.because);
  return texts;
}

TEST_F(ThisRunTest, DatumsThatRunForOneReasonAreToldTogether) {
  using Texts = std::vector<std::string>;
  const auto datums = list(4);
  auto run = begin();
  for (std::size_t i = 0; i < 4; ++i)
    run.record().datums.push_back({.id = datums.at(i).id, .label = datums.at(i).label(), .key = digest('b')});
  EXPECT_EQ(texts_of(run.explain(datums, {}, false)), Texts{});
  EXPECT_EQ(texts_of(run.explain(datums, {1}, false)),
            Texts{"datum " + datums.at(1).label() + ": first run"});
  auto again = begin();
  again.record().datums = run.record().datums;
  EXPECT_EQ(texts_of(again.explain(datums, {0, 1, 2, 3}, true)), Texts{"4 datums: --force was given"});
  EXPECT_EQ(again.record().reasons, (Texts{"", "--force was given"}));
  remember({{.id = datums.at(0).id, .key = digest('b'), .state = LastState::failed},
            {.id = datums.at(1).id, .key = digest('b'), .state = LastState::not_run},
            {.id = datums.at(2).id, .key = digest('b'), .state = LastState::failed}});
  auto third = begin();
  third.read_last();
  third.record().datums = run.record().datums;
  for (auto& datum : third.record().datums) datum.reason = 0;
  EXPECT_EQ(texts_of(third.explain(datums, {0, 1, 2, 3}, false)),
            (Texts{"2 datums: failed last time", "datum " + datums.at(1).label() + ": did not run last time",
                   "datum " + datums.at(3).label() + ": new"}));
  EXPECT_EQ(third.record().reasons, (Texts{"", "failed last time", "did not run last time", "new"}));
  std::vector<std::size_t> reasons;
  for (const auto& datum : third.record().datums) reasons.push_back(datum.reason);
  EXPECT_EQ(reasons, (std::vector<std::size_t>{1, 2, 1, 3}));
}

TEST_F(ThisRunTest, TenReasonsAreTold) {
  for (const std::size_t count : {10U, 11U, 12U}) {
    const auto datums = list(count);
    auto before = begin();
    auto run = begin();
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(i);
      const auto datum = datums.at(i);
      before.record().datums.push_back({.id = datum.id, .key = digest('b')});
      before.record().repos["r"][datum.parts[0]->path] = "old";
      run.record().datums.push_back({.id = datum.id, .label = datum.label(), .key = digest('c')});
    }
    ASSERT_TRUE(before.save());
    run.read_last();
    const auto told = texts_of(run.explain(datums, all, false));
    ASSERT_EQ(told.size(), std::min<std::size_t>(count, 11));
    EXPECT_EQ(told[9], "datum " + datums.at(9).label() + ": " + datums.at(9).label() + " changed");
    if (count == 11) {
      EXPECT_TRUE(told[10].ends_with(" 1 more reason")) << told[10];
    }
    if (count == 12) {
      EXPECT_EQ(told[10], "datums: there are 2 more reasons");
    }
    EXPECT_EQ(run.record().reasons.size(), count + 1);
  }
}

}  // namespace
}  // namespace local
