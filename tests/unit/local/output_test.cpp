// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/output.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

namespace local {
namespace {

namespace fs = base::fs;

class Output : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "output.").value();
  fs::path out() const { return m_folder.path() / "out"; }
  fs::path state_file() const { return m_folder.path() / "state"; }
  State m_state;

  // What a datum has written: name → content.
  DatumOutput datum(const std::string& key, const std::map<std::string, std::string>& files) {
    const fs::path folder = m_folder.path() / "datums" / key;
    for (const auto& [name, content] : files) {
      EXPECT_TRUE(base::make_folders((folder / name).parent_path()));
      EXPECT_TRUE(base::write_file(folder / name, content));
    }
    return {key, "datum " + key, folder, list_output(folder).value()};
  }
  void publish_all(const std::vector<DatumOutput>& outputs, const std::vector<MissingDatum>& missing = {}) {
    ASSERT_TRUE(base::make_folders(out()));
    ASSERT_TRUE(publish(out(), outputs, missing, m_state, state_file()));
  }
  void SetUp() override { ASSERT_TRUE(base::make_folders(out())); }
};

TEST_F(Output, MergesTheFilesOfAllDatums) {
  publish_all({datum("1", {{"a", "1"}, {"d/x", "2"}}), datum("2", {{"d/y", "3"}})});
  EXPECT_EQ(base::read_file(out() / "a").value(), "1");
  EXPECT_EQ(base::read_file(out() / "d/x").value(), "2");
  EXPECT_EQ(base::read_file(out() / "d/y").value(), "3");
  const State saved = load_state(state_file());
  EXPECT_EQ(saved.datums.size(), 2U);
  EXPECT_TRUE(is_intact(out(), saved.datums.at("1")));
}

TEST_F(Output, RemovesWhatIsNoLongerThereAndNothingElse) {
  publish_all({datum("1", {{"old/x", "1"}}), datum("2", {{"kept", "2"}})});
  ASSERT_TRUE(base::write_file(out() / "mine", "the person's own"));
  publish_all({{"2", "datum 2", "", m_state.datums.at("2")}});
  EXPECT_FALSE(fs::exists(out() / "old"));
  EXPECT_EQ(base::read_file(out() / "kept").value(), "2");
  EXPECT_EQ(base::read_file(out() / "mine").value(), "the person's own");
}

TEST_F(Output, ListsMissingDatumsUntilThereAreNone) {
  publish_all({datum("1", {{"a", "1"}})}, {{"scraper/b", "exit code 3"}});
  EXPECT_EQ(base::read_file(out() / k_missing_file).value(), "scraper/b: exit code 3\n");
  publish_all({datum("1", {{"a", "1"}})});
  EXPECT_FALSE(fs::exists(out() / k_missing_file));
}

TEST_F(Output, TwoDatumsWithOnePathAreAConflict) {
  const auto status = check_conflicts({datum("1", {{"d/x", "1"}}), datum("2", {{"d/x", "2"}})});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().where, "/pfs/out/d/x");
  EXPECT_EQ(status.error().what, "written by two datums: datum 1 and datum 2");
}

TEST_F(Output, AFileAndAFolderOfOneNameAreAConflict) {
  const auto status = check_conflicts({datum("1", {{"d", "1"}}), datum("2", {{"d/x", "2"}})});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().where, "/pfs/out/d");
  EXPECT_TRUE(check_conflicts({datum("3", {{"e", "1"}}), datum("4", {{"e.txt", "2"}})}));
}

TEST_F(Output, DoesNotReplaceThePersonsOwnFile) {
  ASSERT_TRUE(base::write_file(out() / "a", "mine"));
  const auto status = check_foreign(out(), {datum("1", {{"a", "1"}})}, m_state);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, base::ErrorKind::cannot_write);
}

TEST_F(Output, AChangedOutputIsNotIntact) {
  publish_all({datum("1", {{"a", "1"}})});
  ASSERT_TRUE(base::write_file(out() / "a", "edited"));
  EXPECT_FALSE(is_intact(out(), m_state.datums.at("1")));
  fs::remove(out() / "a");
  EXPECT_FALSE(is_intact(out(), m_state.datums.at("1")));
}

TEST_F(Output, AStateThatCannotBeReadIsNone) {
  ASSERT_TRUE(base::write_file(state_file(), "not a state"));
  EXPECT_TRUE(load_state(state_file()).datums.empty());
  EXPECT_TRUE(load_state(m_folder.path() / "missing").owned.empty());
}

}  // namespace
}  // namespace local
