// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/run_record.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <boost/filesystem/path.hpp>

namespace local {
namespace {

class RunRecordTest : public testing::Test {
 protected:
  RunRecord sample() const {
    RunRecord record;
    record.started = 1'790'000'000;
    record.output = "/somewhere/out";
    record.logs = "/somewhere/logs";
    record.build_reason = "main.py changed";
    record.build = {.shown = {{"program", "main.py"}}, .hidden = {{"main.py", "0123"}}};
    record.settings.hidden["variable X"] = "4567";
    record.settings.shown["parallelism"] = "4";
    record.repos["pages"] = {{"a\xff.html", "89ab"}};
    record.folders["pages"] = "/somewhere/pages";
    record.reasons = {"", "main.py changed"};
    record.datums = {{.id = std::string(64, 'a'),
                      .label = "pages/a\xff.html",
                      .key = std::string(64, 'b'),
                      .state = LastState::failed,
                      .milliseconds = 1500,
                      .reason = 1,
                      .failure = "exit code 1",
                      .printed = true}};
    return record;
  }
  LastRun last(const std::string& spec = "spec.json", const std::string& name = "map") const {
    return LastRun::of(m_folder.path(), (m_folder.path() / spec).string(), name).value();
  }
  // The only file of a record.
  base::fs::path file() const {
    for (const auto& entry : base::fs::directory_iterator(m_folder.path() / "run/last")) {
      if (entry.path().extension() != ".lock") return entry.path();
    }
    return {};
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make("/tmp", "run_record-").value();
};

TEST_F(RunRecordTest, IsReadAsItWasWritten) {
  EXPECT_FALSE(last().load());
  ASSERT_TRUE(last().save(sample()));
  ASSERT_TRUE(last().load());
  EXPECT_EQ(*last().load(), sample());
  EXPECT_EQ(sample().log_of(sample().datums[0]), "/somewhere/logs/" + std::string(64, 'b') + ".log");
}

TEST_F(RunRecordTest, ARunThatEndedEarlyIsKnownUntilTheNextRecord) {
  const EarlyEnd end{.time = 1'790'000'001, .why = "its build failed"};
  EXPECT_FALSE(last().early_end());
  ASSERT_TRUE(last().save(end));
  EXPECT_EQ(last().early_end(), end);
  EXPECT_FALSE(last().load());
  EXPECT_FALSE(last("spec.json", "reduce").early_end());
  ASSERT_TRUE(last().save(sample()));
  EXPECT_FALSE(last().early_end());
  ASSERT_TRUE(last().save(end));
  EXPECT_EQ(last().early_end(), end);
  EXPECT_EQ(last().load(), sample());
}

TEST_F(RunRecordTest, IsOfOneSpecAndOnePipeline) {
  ASSERT_TRUE(last().save(sample()));
  EXPECT_FALSE(last("other.json").load());
  EXPECT_FALSE(last("spec.json", "reduce").load());
}

TEST_F(RunRecordTest, IsKnownByAnyPathOfTheSpec) {
  ASSERT_TRUE(base::write_file(m_folder.path() / "spec.json", ""));
  base::fs::create_symlink("spec.json", m_folder.path() / "link.json");
  ASSERT_TRUE(last().save(sample()));
  EXPECT_TRUE(last("link.json").load());
  EXPECT_TRUE(last("../" + m_folder.path().filename().string() + "/spec.json").load());
}

TEST_F(RunRecordTest, AnyChangedByteMakesItNone) {
  ASSERT_TRUE(last().save(sample()));
  const auto content = base::read_file(file()).value();
  for (std::size_t i = 0; i < content.size(); ++i) {
    auto changed = content;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ASSERT_TRUE(base::write_file(file(), changed));
    EXPECT_FALSE(last().load()) << i;
  }
  ASSERT_TRUE(base::write_file(file(), content.substr(0, content.size() - 1)));
  EXPECT_FALSE(last().load());
}

TEST_F(RunRecordTest, ARecordThatContradictsItselfIsNone) {
  auto record = sample();
  record.datums[0].reason = 2;
  ASSERT_TRUE(last().save(record));
  EXPECT_FALSE(last().load());
  record = sample();
  record.datums[0].key = "../../../etc/passwd";
  ASSERT_TRUE(last().save(record));
  EXPECT_FALSE(last().load());
  record = sample();
  record.datums[0].id = "x";
  ASSERT_TRUE(last().save(record));
  EXPECT_FALSE(last().load());
}

TEST_F(RunRecordTest, EachStateOfADatumIsKept) {
  for (const auto state : {LastState::not_run, LastState::succeeded, LastState::recovered, LastState::failed,
                           LastState::skipped}) {
    auto record = sample();
    record.datums[0].state = state;
    ASSERT_TRUE(last().save(record));
    ASSERT_TRUE(last().load());
    EXPECT_EQ(last().load()->datums[0].state, state);
  }
  auto newer = sample();
  newer.datums[0].state = static_cast<LastState>(17);
  ASSERT_TRUE(last().save(newer));
  EXPECT_EQ(last().load()->datums[0].state, LastState::skipped);
  newer.datums[0].state = static_cast<LastState>(-1);
  ASSERT_TRUE(last().save(newer));
  EXPECT_EQ(last().load()->datums[0].state, LastState::not_run);
}

TEST_F(RunRecordTest, WhereItsFolderCannotBeMadeIsSaid) {
  struct stat status{};
  ASSERT_TRUE(last().save(sample()));
  ASSERT_EQ(::stat((m_folder.path() / "run/last").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_TRUE(base::remove_tree(m_folder.path() / "run"));
  ASSERT_TRUE(base::write_file(m_folder.path() / "run", ""));
  const auto none = LastRun::of(m_folder.path(), "spec.json", "map");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().where, (m_folder.path() / "run/last").string());
}

TEST(ShortDigest, IsTheBeginningOfSha256) {
  EXPECT_EQ(short_digest(""), "e3b0c44298fc1c14");
  EXPECT_EQ(short_digest("abc"), "ba7816bf8f01cfea");
}

TEST_F(RunRecordTest, GoesOnWhileSomebodyHasItsLock) {
  EXPECT_FALSE(last().goes_on());
  {
    const auto first = last().begin();
    const auto second = last().begin();
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(last().goes_on());
  }
  EXPECT_FALSE(last().goes_on());
}

}  // namespace
}  // namespace local
