// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/reasons.h"

#include <gtest/gtest.h>

namespace local {
namespace {

using Lines = std::vector<std::string>;

TEST(Differences, AreToldByNameAndByValueWhereThatMayBeShown) {
  const Facts before{.shown = {{"package six", "1.16.0"}, {"package old", "1"}},
                     .hidden = {{"main.py", "1"}, {"gone.py", "1"}, {"same.py", "1"}}};
  const Facts now{.shown = {{"package six", "1.17.0"}, {"package young", "1"}},
                  .hidden = {{"main.py", "2"}, {"new.py", "1"}, {"same.py", "1"}}};
  EXPECT_EQ(differences(before, now),
            (Lines{"gone.py was removed", "main.py changed", "new.py is new", "package old was removed",
                   "package six: 1.16.0 is now 1.17.0", "package young is new"}));
  EXPECT_EQ(differences(now, now), Lines{});
  const Facts some{.shown = {}, .hidden = {{k_arguments_fact, "1"}}};
  const Facts others{.shown = {}, .hidden = {{k_arguments_fact, "2"}}};
  EXPECT_EQ(differences({}, some), Lines{"arguments were added"});
  EXPECT_EQ(differences(some, others), Lines{"arguments changed"});
  EXPECT_EQ(differences(some, {}), Lines{"arguments were removed"});
}

TEST(Differences, ManyAreCounted) {
  EXPECT_EQ(in_a_line({}), "");
  EXPECT_EQ(in_a_line({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(in_a_line({"a", "b", "c", "d"}), "a, b, c and 1 more difference");
  EXPECT_EQ(in_a_line({"a", "b", "c", "d", "e"}), "a, b, c and 2 more differences");
}

class ReasonsTest : public testing::Test {
 protected:
  ReasonsTest() {
    m_input.name = m_input.repo = "pages";
    m_input.branch = spec::k_default_branch;
    m_commit = commit_of_files({{"a.html", digest('1'), 1, {}}, {"dir/b.html", digest('2'), 1, {}}});
    m_last = now();
  }
  static std::string digest(char digit) { return std::string(64, digit); }

  DatumPart part(const std::string& path, Commit::Range files) const {
    return {.input = &m_input, .commit = &m_commit, .path = path, .files = files};
  }
  RunRecord now() const {
    RunRecord record;
    for (const auto& file : m_commit.files)
      record.repos["pages"][file.path] = file.digest.substr(0, k_short_digest);
    record.reasons = {""};
    record.datums = {{.id = digest('a'), .key = digest('b'), .state = LastState::succeeded}};
    return record;
  }
  // Why the datum with these files runs, whose result has this key.
  std::string reason(const DatumPart& part, const RunRecord& now, char key = 'c', bool force = false,
                     char id = 'a') const {
    const Datum datum{.id = digest(id), .parts = {&part}};
    return Reasons(m_last, now, force).of(datum, digest(key));
  }

  spec::RepoInput m_input;
  Commit m_commit;
  std::optional<RunRecord> m_last;
};

TEST_F(ReasonsTest, WithoutALastRunThereIsNothingToCompare) {
  m_last.reset();
  EXPECT_EQ(reason(part("a.html", {0, 1}), now()), "first run");
  EXPECT_EQ(reason(part("a.html", {0, 1}), now(), 'c', true), "--force was given");
}

TEST_F(ReasonsTest, OfOneKeyTheStateCounts) {
  const auto part_of = part("a.html", {0, 1});
  const auto of = [&](LastState state, bool force = false) {
    m_last->datums[0].state = state;
    return reason(part_of, now(), 'b', force);
  };
  EXPECT_EQ(of(LastState::failed), "failed last time");
  EXPECT_EQ(of(LastState::not_run), "did not run last time");
  EXPECT_EQ(of(LastState::succeeded), "result no longer in the cache");
  EXPECT_EQ(of(LastState::skipped), "result no longer in the cache");
  EXPECT_EQ(of(LastState::skipped, true), "--force was given");
  EXPECT_EQ(of(LastState::failed, true), "failed last time");
}

TEST_F(ReasonsTest, ADatumOfAnotherIdIsNew) {
  EXPECT_EQ(reason(part("a.html", {0, 1}), now(), 'c', false, 'e'), "new");
}

TEST_F(ReasonsTest, ChangedFilesOfTheDatumAreNamedAndThoseOfOthersNot) {
  m_last->repos["pages"] = {{"a.html", "0"}, {"dir/b.html", "0"}, {"dir/gone.html", "0"}, {"dirt", "0"}};
  EXPECT_EQ(reason(part("a.html", {0, 1}), now()), "pages/a.html changed");
  EXPECT_EQ(reason(part("dir", {1, 2}), now()), "pages/dir/b.html changed, pages/dir/gone.html was removed");
  EXPECT_EQ(reason(part("", {0, 2}), now()),
            "pages/a.html changed, pages/dir/b.html changed, pages/dir/gone.html was removed and 1 more "
            "difference");
  m_last->repos.clear();
  EXPECT_EQ(reason(part("a.html", {0, 1}), now()), "pages/a.html is new");
}

TEST_F(ReasonsTest, FilesOfAFolderAreThoseBelowItOnly) {
  m_last->repos["pages"] = {
      {"dir", "0"}, {"dir-x", "0"}, {"dir/b.html", std::string(16, '2')}, {"dir0", "0"}, {"di", "0"}};
  EXPECT_EQ(reason(part("dir", {1, 2}), now()), "pages/dir was removed") << "it was a file";
  m_last->repos["other"] = {{"dir/c.html", "0"}};
  m_last->repos["pages"].erase("dir");
  EXPECT_EQ(reason(part("dir", {1, 2}), now()), "an input of its result changed");
}

TEST_F(ReasonsTest, SeveralPartsAreToldInTheirOrder) {
  m_last->repos["pages"].clear();
  const auto first = part("dir", {1, 2});
  const auto second = part("a.html", {0, 1});
  const Datum datum{.id = digest('a'), .parts = {&first, &second}};
  const auto record = now();
  Reasons reasons(m_last, record, false);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(reasons.of(datum, digest('c')), "pages/dir/b.html is new, pages/a.html is new");
}

TEST_F(ReasonsTest, WhatDiffersForAllComesBeforeTheFiles) {
  auto record = now();
  record.build.hidden["main.py"] = "1";
  record.settings.hidden["variable X"] = "1";
  m_last->repos["pages"]["a.html"] = "0";
  EXPECT_EQ(reason(part("a.html", {0, 1}), record),
            "main.py is new, variable X is new, pages/a.html changed");
}

TEST_F(ReasonsTest, ADifferenceWithoutANameIsAdmitted) {
  EXPECT_EQ(reason(part("a.html", {0, 1}), now()), "an input of its result changed");
}

}  // namespace
}  // namespace local
