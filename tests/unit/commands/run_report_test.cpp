// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/run_report.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <string>

#include "base/files.h"
#include "report/report.h"

namespace commands {
namespace {

using namespace std::chrono_literals;
using Amount = RunReport::Amount;

// What is printed of a datum that runs for `elapsed`, with a tick ten times a second.
std::string printed_in(std::chrono::seconds elapsed, Amount amount, bool is_drawn) {
  const auto logger = spdlog::default_logger();  // of the other tests
  report::set_up();
  std::string text;
  view::Time now(100s);
  report::Redirection redirection([&](std::string_view piece) { text += piece; });
  RunReport report({.amount = amount, .is_drawn = is_drawn, .now = [&] { return now; }});
  report.tell({"map", local::DatumsBegin{3}, now});
  report.tell({"map", local::DatumStarts{.datum = {std::string(64, '0'), 2, "r/a"}}, now});
  for (const auto end = now + elapsed; now < end; now += 100ms) report.tick();
  spdlog::set_default_logger(logger);
  return text;
}

TEST(RunReport, SaysHowFarItIsEveryHalfMinute) {
  EXPECT_EQ(printed_in(30s, Amount::usual, false), "");
  EXPECT_EQ(printed_in(70s, Amount::usual, false),
            "running: map: 0 of 3 datums, 30 s; longest: datum 2 a, 30 s\n"
            "running: map: 0 of 3 datums, 1 min 0 s; longest: datum 2 a, 1 min 0 s\n");
}

TEST(RunReport, SaysNothingOfItWhereItIsDrawnOrUnwanted) {
  EXPECT_EQ(printed_in(70s, Amount::usual, true), "");
  EXPECT_EQ(printed_in(70s, Amount::failures, false), "");
}

// What is printed of these events, whose pipelines are "map" and "reduce".
std::string printed_of(RunReport::Options options,
                       const std::vector<std::pair<std::string, local::Event::What>>& events) {
  const auto logger = spdlog::default_logger();  // of the other tests
  report::set_up();
  std::string text;
  report::Redirection redirection([&](std::string_view piece) { text += piece; });
  {
    RunReport report(std::move(options));
    for (const auto& [pipeline, what] : events) report.tell({pipeline, what, view::Time(100s)});
  }
  spdlog::set_default_logger(logger);
  return text;
}

const local::DatumName k_report_datum{"id7", 7, "r/a"};

TEST(RunReport, SaysWhatEachAmountWants) {
  using local::Phase;
  struct Row {
    local::Event::What what;
    std::string usual, everything, failures;
  };
  const auto same = [](const local::Event::What& what, const std::string& usual) {
    return Row{what, usual, usual, ""};
  };
  const std::vector<Row> rows = {
      same(local::Warned{"careful"}, "warning: careful\n"),
      same(local::Hinted{"set it"}, "hint: set it\n"),
      same(local::SourceLeftOut{{"a", "b/"}, "src"},
           "left out of the source (src) by .gitignore: 1 file, 1 folder (pachbuild ignored lists them)\n"),
      same(local::PhaseEnds{.phase = Phase::building, .elapsed = 1500ms}, "build: done in 1.5 s\n"),
      same(local::PhaseEnds{.phase = Phase::building, .elapsed = 1500ms, .succeeded = false}, ""),
      same(local::PhaseEnds{.phase = Phase::reading, .elapsed = 1500ms}, ""),
      same(local::Explained{.what = "build", .because = "x"}, ""),
      same(local::Counted{0}, "warning: the input has no datums\n"),
      same(local::Counted{1}, ""),
      same(local::Counted{9'999}, ""),
      same(local::Counted{10'000}, "datums: 10,000 in total\n"),
      {local::DatumStarts{.datum = k_report_datum}, "", "datum 7 a: started (r/a)\n", ""},
      {local::DatumPrints{k_report_datum, "x\n"}, "", "", ""},
      {local::DatumEnds{.datum = k_report_datum,
                        .state = local::DatumState::succeeded,
                        .elapsed = 2s,
                        .files = 1,
                        .bytes = 5},
       "", "datum 7 a: succeeded in 2.0 s, 1 file of 5 B\n", ""},
      {local::DatumEnds{
           .datum = k_report_datum, .state = local::DatumState::recovered, .elapsed = 2s, .files = 2},
       "", "datum 7 a: recovered by err_cmd in 2.0 s, 2 files of 0 B\n", ""},
      same(local::CacheShrunk{.datums = 2, .bytes = 5},
           "cache: removed the least recently used results: 2 datums, 5 B\n"),
      same(local::CacheShrunk{.datums = 0, .bytes = 5}, "cache: removed the least recently used logs: 5 B\n"),
      {local::PipelineLeftOut{"pages"},
       "warning: pipeline map was not run: it reads pages, which has no result\n",
       "warning: pipeline map was not run: it reads pages, which has no result\n",
       "warning: pipeline map was not run: it reads pages, which has no result\n"},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto of = [&](Amount amount) { return printed_of({.amount = amount}, {{"map", rows[i].what}}); };
    EXPECT_EQ(of(Amount::usual), rows[i].usual) << i;
    EXPECT_EQ(of(Amount::everything), rows[i].everything) << i;
    EXPECT_EQ(of(Amount::failures), rows[i].failures) << i;
  }
  EXPECT_EQ(printed_of({.explain = true}, {{"map", local::Explained{.what = "build", .because = "x"}}}),
            "explain: build: x\n");
  EXPECT_EQ(printed_of({.explain = true, .amount = Amount::failures},
                       {{"map", local::Explained{.what = "build", .because = "x"}}}),
            "explain: build: x\n");
  EXPECT_EQ(printed_of({.name_pipelines = true}, {{"map", local::Warned{"a"}}, {"", local::Warned{"b"}}}),
            "warning: map: a\nwarning: b\n");
}

TEST(RunReport, ShowsWhatIsPrintedLineByLine) {
  const auto prints = [](const std::string& text, const std::string& id = "id7") -> local::Event::What {
    return local::DatumPrints{{id, 7, "r/a"}, text};
  };
  const local::Event::What ends =
      local::DatumEnds{.datum = k_report_datum, .state = local::DatumState::succeeded};
  EXPECT_EQ(printed_of({.show_logs = true}, {{"map", prints("a\nb")},
                                             {"map", prints("x\n", "id8")},
                                             {"reduce", prints("y\n")},
                                             {"map", prints("c")},
                                             {"map", ends}}),
            "7 a | a\n7 a | x\n7 a | y\n7 a | bc\n");
  EXPECT_EQ(printed_of({.show_logs = true, .name_pipelines = true}, {{"map", prints("a\n")}}),
            "map: 7 a | a\n");
  EXPECT_EQ(printed_of({}, {{"map", prints("a\n")}, {"map", ends}}), "");
}

TEST(RunReport, ShowsABuildOrKeepsItUntilItFails) {
  const auto build = [](Amount amount, bool succeeds, const std::string& printed = "one\ntwo") {
    return printed_of({.amount = amount},
                      {{"map", local::BuildPrints{printed}},
                       {"map", local::PhaseEnds{.phase = local::Phase::building, .succeeded = succeeds}}});
  };
  EXPECT_EQ(build(Amount::usual, false), "one\ntwo\n");
  EXPECT_TRUE(build(Amount::usual, true).starts_with("one\ntwo\nbuild: done in "));
  EXPECT_EQ(build(Amount::failures, true), "");
  EXPECT_EQ(build(Amount::failures, false), "one\ntwo\n");
  // Of several each line names its own.
  for (const auto amount : {Amount::usual, Amount::failures}) {
    EXPECT_EQ(printed_of({.name_pipelines = true, .amount = amount},
                         {{"map", local::BuildPrints{"one\ntw"}},
                          {"count", local::BuildPrints{"three\n"}},
                          {"map", local::BuildPrints{"o\n"}},
                          {"count", local::PhaseEnds{.phase = local::Phase::building, .succeeded = false}},
                          {"map", local::PhaseEnds{.phase = local::Phase::building, .succeeded = false}}}),
              amount == Amount::usual ? "map: one\ncount: three\nmap: two\n"
                                      : "count: three\nmap: one\nmap: two\n");
  }
  // The end of it, in whole lines.
  const std::string line(1023, 'x');
  std::string lines;
  for (int i = 0; i < 256; ++i) lines += line + "\n";
  EXPECT_EQ(build(Amount::failures, false, lines).size(), 256U << 10U);
  EXPECT_EQ(build(Amount::failures, false, "first\n" + lines).size(), 255U << 10U);
  EXPECT_EQ(build(Amount::failures, false, lines + "y\n").size(), (255U << 10U) + 2);
}

TEST(RunReport, TellsFailuresOnceEach) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "report.").value();
  const std::string logs = folder.path().string();
  const auto fails = [&](const std::string& file, const std::string& reason,
                         const std::string& log) -> local::Event::What {
    if (!log.empty()) {
      EXPECT_TRUE(base::write_file(folder.path() / file, log));
    }
    return local::DatumEnds{.datum = {file, 1, "r/" + file}, .reason = reason, .log = logs + "/" + file};
  };
  const auto told = [&](const std::string& file, const std::string& reason) {
    return "warning: datum r/" + file + " failed: " + reason + " (log: " + logs + "/" + file + ")\n";
  };
  const std::vector<std::pair<std::string, local::Event::What>> events = {
      {"map", fails("d1", "exit code 1", "one\n")},
      {"map", fails("d2", "exit code 1", "one\n")},
      {"map", fails("d3", "exit code 2", "two")},
      {"map", fails("d4", "exit code 3", "")},
      {"map", fails("d5", "exit code 4", "four\n")},
      {"map", fails("d6", "exit code 5", "five\n")},
      {"map", fails("d7", "exit code 1", "one\n")},
      {"map", local::PipelineFails{{base::ErrorKind::io, "w", "x", "h"}}}};
  const std::string equal =
      "warning: 2 more datums failed in the same way as r/d1: r/d2, r/d7 (logs: " + logs + ")\n";
  EXPECT_EQ(printed_of({.amount = Amount::failures}, events),
            told("d1", "exit code 1") + "one\n" + told("d3", "exit code 2") + "two\n" +
                told("d4", "exit code 3") + told("d5", "exit code 4") +
                "warning: the logs of further failed datums are not shown here\n" +
                told("d6", "exit code 5") + equal + "error: w: x\nhint: h\n");
  EXPECT_EQ(printed_of({.show_logs = true}, events),
            told("d1", "exit code 1") + told("d2", "exit code 1") + told("d3", "exit code 2") +
                told("d4", "exit code 3") + told("d5", "exit code 4") + told("d6", "exit code 5") +
                told("d7", "exit code 1") + "error: w: x\nhint: h\n");
}

TEST(RunReport, SaysWhatAPipelineHasCome) {
  const auto ends = [](const local::PipelineEnds& end, RunReport::Options options = {}) {
    return printed_of(std::move(options), {{"map", end}});
  };
  const local::PipelineEnds good{
      .run = 3, .output = "/o", .exported = true, .files = 2, .bytes = 5, .elapsed = 2s};
  EXPECT_EQ(ends(good), "datums: 3 processed, 0 skipped, 2.0 s in total\noutput: /o (2 files, 5 B)\n");
  auto end = good;
  end.skipped = 1;
  end.recovered = 2;
  end.unselected = 4;
  end.exported = false;
  EXPECT_EQ(ends(end),
            "datums: 3 processed (2 recovered by err_cmd), 1 skipped, 4 not selected, 2.0 s in total\n");
  end.files = 0;
  EXPECT_TRUE(ends(end).ends_with("in total\nwarning: no datum wrote a file to /pfs/out\n"));
  end.run = 0;
  end.skipped = 0;
  EXPECT_TRUE(ends(end).find("warning") == std::string::npos) << "that there are none has been told";
  const RunReport::Options quiet{.amount = Amount::failures};
  EXPECT_EQ(ends(good, quiet), "");
  end = good;
  end.exported = false;
  end.failed = 1;
  EXPECT_EQ(
      ends(end),
      "datums: 3 processed, 0 skipped, 1 failed, 2.0 s in total\nerror: /o: 1 datum failed, so the output "
      "folder was not changed\nhint: the results of the other datums are kept for the next run; "
      "use pachbuild run --partial to write them now\n");
  // Where nothing succeeded nothing is kept.
  end.run = 0;
  EXPECT_TRUE(ends(end).ends_with(": /o: 1 datum failed, so the output folder was not changed\n"));
  end.skipped = 1;
  EXPECT_TRUE(ends(end).ends_with("; use pachbuild run --partial to write them now\n"));
  end.skipped = 0;
  end.output = "";
  end.files = 0;
  EXPECT_EQ(ends(end, {.name_pipelines = true, .amount = Amount::failures}), "error: map: 1 datum failed\n");
  end.run = 3;
  EXPECT_EQ(ends(end, {.name_pipelines = true, .amount = Amount::failures}),
            "error: map: 1 datum failed\nhint: the results of the other datums are kept for the next run\n");
  end.output = "/o";
  end.partial = true;
  EXPECT_EQ(ends(end, quiet),
            "error: /o: 1 datum failed; its output is missing\nhint: /o/.pachbuild/missing lists it\n");
  auto in_conflict = good;
  in_conflict.conflicting = 3;
  in_conflict.files = 0;
  in_conflict.partial = true;
  EXPECT_EQ(ends(in_conflict),
            "datums: 3 processed, 0 skipped, 3 left out because of conflicting paths, 2.0 s in total\n"
            "output: /o (0 files, 5 B)\n");
  end.failed = 2;
  EXPECT_EQ(ends(end, quiet),
            "error: /o: 2 datums failed; their output is missing\nhint: /o/.pachbuild/missing lists them\n");
}

TEST(RunReport, SaysOnceWhyAPipelineFailed) {
  const auto fails = [](const base::Error& error, bool name_pipelines) {
    return printed_of({.name_pipelines = name_pipelines}, {{"map", local::PipelineFails{error}}});
  };
  EXPECT_EQ(fails({base::ErrorKind::io, "w", "", ""}, true), "error: w:\n");
  EXPECT_EQ(fails({base::ErrorKind::io, "", "x", ""}, true), "error: map: x\n");
  EXPECT_EQ(fails({base::ErrorKind::io, "", "x", ""}, false), "error: x\n");
  EXPECT_EQ(fails({base::ErrorKind::io, "", "", ""}, true), "warning: map: could not be built\n");
  EXPECT_EQ(fails({base::ErrorKind::io, "", "", ""}, false), "");
}

TEST(RunReport, NamesWhatAFailureMayMissOnce) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "report.").value();
  const auto log = (folder.path() / "1.log").string();
  ASSERT_TRUE(base::write_file(log, "No module named 'gen'\n"));
  const local::SourceLeftOut left_out{{"gen/", "other/"}, "src"};
  const local::DatumEnds fails{.datum = k_report_datum, .reason = "exit code 1", .log = log};
  const std::string line =
      "warning: gen/ is left out of the source (src) by .gitignore; if the program needs it, add the line "
      "!gen/ to src/.pachignore\n";
  const auto text = printed_of({}, {{"map", left_out}, {"map", fails}, {"map", fails}});
  EXPECT_NE(text.find(line), std::string::npos) << text;
  EXPECT_EQ(text.find(line), text.rfind(line)) << text;
  EXPECT_EQ(printed_of({}, {{"reduce", left_out}, {"map", fails}}).find(line), std::string::npos);
  EXPECT_EQ(printed_of({}, {{"map", fails}}).find(line), std::string::npos);
  // A build warns of it, not of a package to install as the builder does; where that is not shown, the
  // failure tells it.
  const local::BuildPrints warns{
      "one\nwarning: main.py:1: imports gen, which is not installed; add gen\n"
      "warning: pkg/a.py:2: imports gen, which is not installed; add gen\n"
      "warning: main.py:2: imports numpy, which is not installed; add numpy\ntwo\n"};
  const local::PhaseEnds built_well{.phase = local::Phase::building};
  for (const auto amount : {Amount::usual, Amount::failures}) {
    const auto said = printed_of({.amount = amount},
                                 {{"map", left_out}, {"map", warns}, {"map", built_well}, {"map", fails}});
    EXPECT_NE(said.find(line), std::string::npos) << said;
    EXPECT_EQ(said.find(line), said.rfind(line)) << said;
    EXPECT_EQ(said.find(line) < said.find("failed"), amount == Amount::usual) << said;
    EXPECT_EQ(said.find("imports gen"), std::string::npos) << said;
    EXPECT_EQ(said.find("one\nwarning: main.py:2: imports numpy, which is not installed; add numpy\ntwo\n") !=
                  std::string::npos,
              amount == Amount::usual)
        << said;
  }
  // Of a build that fails, by the end of what it printed.
  const local::PhaseEnds failed{.phase = local::Phase::building, .succeeded = false};
  const local::PhaseEnds succeeded{.phase = local::Phase::building};
  const std::string needs = "main.go:3: no required module provides package example.com/m/gen; to add it:\n";
  const auto built = [&](const std::string& lines, const local::Event::What& end) {
    const auto said = printed_of({.amount = Amount::failures},
                                 {{"map", left_out}, {"map", local::BuildPrints{lines}}, {"map", end}});
    return said.find(line) != std::string::npos;
  };
  EXPECT_TRUE(built(needs, failed));
  EXPECT_FALSE(built(needs, succeeded));
  EXPECT_TRUE(built(std::string(10'000, '.') + "\n" + needs, failed));
  EXPECT_FALSE(built(needs + std::string(10'000, '.') + "\n", failed));
}

}  // namespace
}  // namespace commands
