// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/datum.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "pachbuild/local/plan/file_digests.h"

namespace local {
namespace {

spec::RepoInput pages_input() {
  spec::RepoInput input;
  input.name = "in";
  input.repo = "pages";
  input.branch = "master";
  return input;
}

TEST(RepoKey, NamesTheProjectAndABranchThatIsNotTheUsualOne) {
  auto input = pages_input();
  EXPECT_EQ(repo_key(input), "pages");
  input.project = "team";
  EXPECT_EQ(repo_key(input), "team/pages");
  input.branch = "main";
  EXPECT_EQ(repo_key(input), "team/pages@main");
  input.project = "";
  EXPECT_EQ(repo_key(input), "pages@main");
}

class DatumParts2 : public testing::Test {
 protected:
  DatumPart part(const std::string& path, Commit::Range files) const {
    return {&m_input, &m_commit, path, files, "digest", "", ""};
  }
  spec::RepoInput m_input = pages_input();
  Commit m_commit =
      commit_of_files({{"a", "1", 0, {}}, {"d/x", "2", 0, {}}, {"e/y", "3", 0, {}}, {"e/z", "4", 0, {}}});
};

TEST_F(DatumParts2, AreFilesOrFolders) {
  const struct {
    std::string path;
    Commit::Range files;
    bool is_folder;
    std::string shown;  // to people, in PFS, for the program
  } k_cases[] = {{"", {0, 4}, true, "pages / /pfs/in"},
                 {"", {0, 1}, true, "pages / /pfs/in"},
                 {"a", {0, 1}, false, "pages/a /a /pfs/in/a"},
                 {"d", {1, 2}, true, "pages/d /d/ /pfs/in/d"},
                 {"d/x", {1, 2}, false, "pages/d/x /d/x /pfs/in/d/x"},
                 {"e", {2, 4}, true, "pages/e /e/ /pfs/in/e"}};
  for (const auto& one : k_cases) {
    const auto made = part(one.path, one.files);
    EXPECT_EQ(made.is_folder(), one.is_folder) << one.path;
    EXPECT_EQ(made.label() + " " + made.pfs_path() + " " + made.path_in_pfs(), one.shown);
  }
}

TEST_F(DatumParts2, FourAreShown) {
  const auto a = part("a", {0, 1});
  const auto shown = [&](std::size_t count) { return Datum{"id", 1, DatumParts(count, &a)}.label(); };
  EXPECT_EQ(shown(0), "");
  EXPECT_EQ(shown(1), "pages/a");
  EXPECT_EQ(shown(4), "pages/a + pages/a + pages/a + pages/a");
  EXPECT_EQ(shown(5), "pages/a + pages/a + pages/a + pages/a + 1 more");
  EXPECT_EQ(shown(7), "pages/a + pages/a + pages/a + pages/a + 3 more");
  using Views = std::vector<std::string_view>;
  EXPECT_EQ(parts_of_label(""), Views{""});
  EXPECT_EQ(parts_of_label("a"), Views{"a"});
  EXPECT_EQ(parts_of_label("a + b+c + 2 more"), (Views{"a", "b+c", "2 more"}));
  EXPECT_EQ(parts_of_label(" + "), (Views{"", ""}));
  const auto name = Datum{"id", 7, {&a}}.name();
  EXPECT_EQ(name.id, "id");
  EXPECT_EQ(name.number, 7U);
  EXPECT_EQ(name.label, "pages/a");
}

TEST_F(DatumParts2, EachOfItsPropertiesDecidesTheKeyOrTheId) {
  using Change = std::function<void(Datum&, DatumPart&, spec::RepoInput&, std::string&)>;
  const auto made = [&](const Change& change) {
    auto input = m_input;
    auto one = part("a", {0, 1});
    one.input = &input;
    const auto other = part("d", {1, 2});
    Datum datum{"id", 1, {&one, &other}};
    std::string job = "job";
    if (change) change(datum, one, input, job);
    return std::pair(datum.key(job), base::to_hex(pfs::bytes_of(datum_id(datum.parts))));
  };
  const auto before = made({});
  const std::vector<std::tuple<const char*, bool, bool, Change>> k_changes = {
      {"job", true, false, [](auto&, auto&, auto&, auto& job) { job = "other"; }},
      {"id", true, false, [](auto& datum, auto&, auto&, auto&) { datum.id = "other"; }},
      {"number", false, false, [](auto& datum, auto&, auto&, auto&) { datum.number = 2; }},
      {"digest", true, false, [](auto&, auto& one, auto&, auto&) { one.digest = "other"; }},
      {"join_on", true, false, [](auto&, auto& one, auto&, auto&) { one.join_on = "x"; }},
      {"group_by", true, false, [](auto&, auto& one, auto&, auto&) { one.group_by = "x"; }},
      {"lazy", true, false, [](auto&, auto&, auto& input, auto&) { input.lazy = true; }},
      {"empty files", true, false, [](auto&, auto&, auto& input, auto&) { input.empty_files = true; }},
      {"name", false, true, [](auto&, auto&, auto& input, auto&) { input.name = "x"; }},
      {"repo", false, true, [](auto&, auto&, auto& input, auto&) { input.repo = "x"; }},
      {"branch", false, true, [](auto&, auto&, auto& input, auto&) { input.branch = "x"; }},
      {"path", false, true, [](auto&, auto& one, auto&, auto&) { one.path = "x"; }},
      {"order", false, true,
       [](auto& datum, auto&, auto&, auto&) { std::swap(datum.parts[0], datum.parts[1]); }},
      {"parts", true, true, [](auto& datum, auto&, auto&, auto&) { datum.parts.pop_back(); }}};
  std::set<std::string> keys = {before.first};
  std::set<std::string> ids = {before.second};
  for (const auto& [name, in_key, in_id, change] : k_changes) {
    const auto after = made(change);
    EXPECT_EQ(keys.insert(after.first).second, in_key) << name;
    EXPECT_EQ(ids.insert(after.second).second, in_id) << name;
  }
  // Where one value ends and the next begins counts.
  const auto moved = [&](const std::string& join_on, const std::string& group_by) {
    return made([&](auto&, auto& one, auto&, auto&) { one.join_on = join_on, one.group_by = group_by; })
        .first;
  };
  EXPECT_NE(moved("x", ""), moved("", "x"));
}

TEST(ChangedInput, IsTheFirstThatIsNoLongerAsItWas) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "changed.").value();
  ASSERT_TRUE(base::write_file(folder.path() / "a", "1"));
  ASSERT_TRUE(base::write_file(folder.path() / "b", "2"));
  FileDigests digests({});
  const auto commit = commit_of_folder(folder.path(), &digests).value();
  const auto input = pages_input();
  const DatumPart a{&input, &commit, "a", {0, 1}, "", "", ""};
  const DatumPart b{&input, &commit, "b", {1, 2}, "", "", ""};
  EXPECT_EQ(changed_input({"id", 1, {&a, &b}}), "");
  ASSERT_TRUE(base::write_file(folder.path() / "b", "22"));
  EXPECT_EQ(changed_input({"id", 1, {&a, &b}}), "pages/b");
  EXPECT_EQ(changed_input({"id", 1, {&a}}), "");
}

}  // namespace
}  // namespace local
