// SPDX-License-Identifier: Apache-2.0
// Small parts that several commands say: what a round of `dev` was, how a job is, the end of a log, a time.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>

#include "base/files.h"
#include "pachbuild/commands/cluster_round.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/commands/datum_log.h"
#include "pachbuild/commands/failure_kinds.h"
#include "pachbuild/commands/job_report.h"
#include "pachbuild/commands/last_runs.h"
#include "pachbuild/commands/round.h"

namespace commands {
namespace {

TEST(Rounds, SumUpTheirPipelines) {
  RoundEvents events;
  const auto tell = [&](local::Event::What what) { events.tell({"p", std::move(what), {}}); };
  tell(local::Counted{5});
  EXPECT_FALSE(events.summary(true));
  tell(local::PhaseEnds{.phase = local::Phase::building});
  EXPECT_FALSE(events.summary(true));
  tell(local::PhaseEnds{.phase = local::Phase::building, .succeeded = false});
  EXPECT_EQ(events.summary(false)->text, "build failed");
  EXPECT_FALSE(events.summary(false)->ended);
  tell(local::PipelineEnds{.run = 1, .skipped = 2});
  EXPECT_EQ(events.summary(true)->text, "1 datum processed, 2 skipped, 0 failed");
  EXPECT_EQ(events.summary(false)->text,
            "1 datum processed, 2 skipped, 0 failed, not all pipelines could be run");
  tell(local::PipelineEnds{.run = 1, .skipped = 1, .failed = 3});
  EXPECT_EQ(events.summary(false)->text, "2 datums processed, 3 skipped, 3 failed");
  EXPECT_EQ(events.summary(true)->failed, 3U);
  tell(local::PipelineEnds{.conflicting = 2});
  EXPECT_EQ(events.summary(false)->text,
            "2 datums processed, 3 skipped, 3 failed, 2 left out because of conflicting paths");
}

TEST(Rounds, AreReadFromThePipeTheyAreWrittenTo) {
  const auto read = [](const std::string& text) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    auto summary = read_summary(ends[0]);
    ::close(ends[0]);
    return summary;
  };
  EXPECT_FALSE(read(""));
  EXPECT_FALSE(read("{"));
  EXPECT_FALSE(read("[1]"));
  EXPECT_EQ(read(R"({"text": "x", "failed": 2, "ended": true})")->failed, 2U);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  write_summary(ends[1], {"a\xff \"b\"", 7, false});
  ::close(ends[1]);
  const auto summary = read_summary(ends[0]);
  ::close(ends[0]);
  EXPECT_EQ(summary->text, "a\xef\xbf\xbd \"b\"");
  EXPECT_EQ(summary->failed, 7U);
  EXPECT_FALSE(summary->ended);
}

TEST(Rounds, OfAClusterNameTwentyPipelines) {
  ClusterRound round;
  EXPECT_EQ(round.summary().text, "");
  round.passed_on("a");
  EXPECT_EQ(round.summary().text, "sent as is");
  round.passed_on("b");
  EXPECT_EQ(round.summary().text, "a: sent as is; b: sent as is");
  EXPECT_EQ(round.summary().failed, 0U);
  for (int i = 0; i < 18; ++i) round.passed_on("c");
  EXPECT_TRUE(round.summary().text.ends_with("; c: sent as is")) << round.summary().text;
  round.passed_on("d");
  EXPECT_TRUE(round.summary().text.ends_with("; c: sent as is; and 1 pipeline more")) << round.summary().text;
}

TEST(JobsOfACluster, AreTextWithTheirCounts) {
  const auto text = [](std::uint64_t total, std::uint64_t processed, std::uint64_t skipped,
                       std::uint64_t failed) {
    return text_of({.pipeline = "p",
                    .id = "1",
                    .state_name = "JOB_RUNNING",
                    .total = total,
                    .processed = processed,
                    .skipped = skipped,
                    .failed = failed});
  };
  EXPECT_EQ(text(0, 0, 0, 0), "p: JOB_RUNNING");
  EXPECT_EQ(text(1, 0, 0, 0), "p: JOB_RUNNING, 0 of 1 datum");
  EXPECT_EQ(text(9, 1, 2, 4), "p: JOB_RUNNING, 7 of 9 datums (2 skipped), 4 failed");
  EXPECT_EQ(text(9, 3, 0, 0), "p: JOB_RUNNING, 3 of 9 datums");
}

class DatumLogs : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const auto file = m_folder.path() / "log";
    EXPECT_TRUE(base::write_file(file, text));
    return file.string();
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "logs.").value();
};

TEST_F(DatumLogs, EndWithWholeLines) {
  const auto end = [&](const std::string& text, std::size_t most) { return end_of_log(write(text), most); };
  EXPECT_EQ(end("", 5), "");
  EXPECT_EQ(end("abc", 0), "");
  EXPECT_EQ(end("abc", 3), "abc");
  EXPECT_EQ(end("abc", 4), "abc");
  EXPECT_EQ(end("ab\ncd\n", 5), "[…]\ncd\n");
  EXPECT_EQ(end("ab\ncd\n", 4), "[…]\ncd\n");
  EXPECT_EQ(end("ab\ncd\n", 3), "[…]\n");
  EXPECT_EQ(end("https://a:b@c x y", 8), "[…]\nx y");
  EXPECT_EQ(end("abcdef", 3), "[…]\ndef");
  EXPECT_EQ(end_of_log((m_folder.path() / "none").string(), 5), "");
}

// A program may put anything in the place of its log.
TEST_F(DatumLogs, AreRegularFilesWithOneName) {
  const auto file = write("x");
  EXPECT_TRUE(open_log(file));
  const auto other = m_folder.path() / "other";
  base::fs::create_symlink(file, other);
  EXPECT_FALSE(open_log(other.string()));
  base::fs::remove(other);
  base::fs::create_hard_link(file, other);
  EXPECT_FALSE(open_log(file));
  base::fs::remove(other);
  ASSERT_EQ(::mkfifo(other.c_str(), 0600), 0);
  EXPECT_FALSE(open_log(other.string()));
  EXPECT_FALSE(open_log(m_folder.path().string()));
  EXPECT_EQ(end_of_log(other.string(), 5), "");
}

TEST(LastDatums, EndInAState) {
  const auto end = [](local::LastState state) {
    return end_of({.id = "1", .state = state, .milliseconds = 1500, .failure = "exit code 3"});
  };
  EXPECT_EQ(end(local::LastState::succeeded), "succeeded, 1.5 s");
  EXPECT_EQ(end(local::LastState::recovered), "recovered by err_cmd, 1.5 s");
  EXPECT_EQ(end(local::LastState::failed), "failed: exit code 3, 1.5 s");
  EXPECT_EQ(end(local::LastState::skipped), "skipped; its result is in the cache");
  EXPECT_EQ(end(local::LastState::not_run), "has not ended");
}

TEST(LocalTimes, AreThoseOfThisMachine) {
  const std::time_t seconds = 1'700'000'000;
  std::tm parts{};
  ASSERT_NE(::localtime_r(&seconds, &parts), nullptr);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const auto text = local_time(seconds);
  ASSERT_EQ(
      std::sscanf(text.c_str(), "%4d-%2d-%2d %2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second), 6);
  EXPECT_EQ(text.size(), 19U);
  EXPECT_EQ(year, parts.tm_year + 1900);
  EXPECT_EQ(month, parts.tm_mon + 1);
  EXPECT_EQ(day, parts.tm_mday);
  EXPECT_EQ(hour, parts.tm_hour);
  EXPECT_EQ(minute, parts.tm_min);
  EXPECT_EQ(second, parts.tm_sec);
  EXPECT_EQ(local_time(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
}

TEST(KnownRuns, AreOneWhereOneIsMeant) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "runs.").value();
  std::vector<KnownRun> runs;
  EXPECT_TRUE(check_one_run(runs, "--x"));
  for (int i = 0; i < 2; ++i) {
    auto last = local::LastRun::of(folder.path(), "p.json", "p");
    ASSERT_TRUE(last);
    runs.push_back({{}, std::move(*last), {}});
    EXPECT_EQ(check_one_run(runs, "--x").has_value(), i == 0);
  }
  const auto error = check_one_run(runs, "--x").error();
  EXPECT_EQ(error.kind, base::ErrorKind::usage);
  EXPECT_EQ(error.where + ": " + error.what + "; " + error.hint,
            "--x: applies to one pipeline, but there are several; add --pipeline NAME");
}

TEST(FailureSignatures, AreWithoutTheNamesAndValuesOfTheDatum) {
  for (const auto& [reason, log, signature] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"exit code 1", "", "exit code 1\n"},
           {"bad r/a.txt", "", "bad *\n"},
           {"bad /pfs/out/a.txt", "x\n", "bad /pfs/out*\nx"},
           {"", "in 'x y' and \"z\"", "\nin '*' and '*'"},
           {"", "it's", "\nit's"},
           {"", "0 19 9a", "\n# # #a"},
           {"", "first\nlast 5\n", "\nlast #"}})
    EXPECT_EQ(failure_signature("r/a.txt", reason, log), signature);
  EXPECT_EQ(failure_signature("r/a", "a", "a"), "a\na") << "a letter is no name";
}

class DataOptionsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string repos(const std::vector<std::string>& inputs) const {
    DataOptions options;
    options.inputs = inputs;
    const auto given = options.repos();
    std::string told;
    if (given) {
      for (const auto& [repo, path] : *given) told += repo + "=" + path + ";";
      return told;
    }
    EXPECT_EQ(given.error().kind, base::ErrorKind::usage);
    return given.error().where + ": " + given.error().what + " | " + given.error().hint;
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "data.").value();
};

TEST_F(DataOptionsTest, InputsAreFoldersOrCommits) {
  const std::string here = m_folder.path().string();
  ASSERT_TRUE(base::write_file(m_folder.path() / "file", ""));
  ASSERT_TRUE(base::make_folders(m_folder.path() / "pages"));
  EXPECT_EQ(repos({"a=" + here, "b=pfs:r@b", "c=pfs:", "pfs:"}), "=pfs:;a=" + here + ";b=pfs:r@b;c=pfs:;");
  const std::string form =
      "does not have the form REPO=PATH | for example --input scraper=pages, or --input "
      "scraper=pfs:scraper@master";
  for (const std::string wrong : {"a", "=a", "a=", ""})
    EXPECT_EQ(repos({wrong}), "--input " + wrong + ": " + form);
  EXPECT_EQ(repos({"a=" + here, "a=pfs:"}), "--input a=pfs:: names repo a a second time | ");
  EXPECT_EQ(repos({"a=" + here + "/file"}),
            "--input a=" + here + "/file: is not a folder | name the folder that contains it");
  EXPECT_EQ(repos({"a=" + here + "/pagse"}),
            "--input a=" + here + "/pagse: cannot read: no such file or folder | did you mean \"" + here +
                "/pages\"?");
  EXPECT_EQ(
      repos({"a=" + here + "/nothing-like-it"}),
      "--input a=" + here +
          "/nothing-like-it: cannot read: no such file or folder | name the folder that stands for the repo");
  EXPECT_EQ(
      repos({"a=pfs:x y"}),
      "--input a=pfs:x y: \"x y\" does not have the form [PROJECT/]REPO[@BRANCH-OR-COMMIT] | for example "
      "images@master");
  EXPECT_TRUE(repos({"a=b=c"}).starts_with("--input a=b=c: cannot read: "));
}

TEST_F(DataOptionsTest, AJobStandsAlone) {
  DataOptions options;
  options.job = "map";
  EXPECT_TRUE(options.check_job());
  for (const auto set : std::vector<void (*)(DataOptions&)>{
           [](DataOptions& all) { all.specs.files = {"x"}; },
           [](DataOptions& all) { all.specs.jsonnet = "x"; }, [](DataOptions& all) { all.inputs = {"x"}; },
           [](DataOptions& all) { all.pipeline = "x"; }, [](DataOptions& all) { all.tick = "x"; }}) {
    auto other = options;
    set(other);
    const auto error = other.check_job().error();
    EXPECT_EQ(error.kind, base::ErrorKind::usage);
    EXPECT_EQ(error.where + ": " + error.what + "; " + error.hint,
              "--job map: already names the pipeline and its data; omit -f, --jsonnet, --input, --pipeline "
              "and --tick");
    EXPECT_FALSE(other.plan());
  }
}

TEST_F(DataOptionsTest, OneOfSeveralPipelinesIsNamed) {
  DataOptions options;
  local::Plan plan;
  plan.pipelines.resize(2);
  plan.pipelines[0].spec.name = "a";
  plan.pipelines[1].spec.name = "b";
  EXPECT_TRUE(options.check_one_pipeline(plan, "--x", "fault"));
  plan.has_several_specs = true;
  const auto error = options.check_one_pipeline(plan, "--x", "fault").error();
  EXPECT_EQ(error.kind, base::ErrorKind::usage);
  EXPECT_EQ(error.where + ": " + error.what + "; " + error.hint,
            "--x: fault: the specs contain several pipelines; name one of a, b");
  options.pipeline = "a";
  EXPECT_TRUE(options.check_one_pipeline(plan, "--x", "fault"));
}

TEST_F(DataOptionsTest, TicksAreTimesInUtc) {
  DataOptions options;
  const auto now = options.tick_time().value();
  EXPECT_EQ(now.size(), 20U);
  for (const std::string& right : {std::string("2026-11-25T22:31:45Z"), now}) {
    options.tick = right;
    EXPECT_EQ(options.tick_time().value(), right);
  }
  for (const char* wrong : {"2026-11-25", "2026-11-25T22:31:45", "2026-11-25T22:31:45Zx",
                            "2026-11-25T2:31:45Z", "2026-13-25T22:31:45Z", "x", "2026-11-25 22:31:45Z"}) {
    options.tick = wrong;
    const auto error = options.tick_time().error();
    EXPECT_EQ(error.kind, base::ErrorKind::usage);
    EXPECT_EQ(
        error.where + ": " + error.what + "; " + error.hint,
        "--tick: invalid time \"" + std::string(wrong) + "\"; write it as 2026-11-25T22:31:45Z, in UTC");
  }
}

}  // namespace
}  // namespace commands
