// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/view/live_view.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "report/columns.h"

namespace view {
namespace {

using namespace std::chrono_literals;

local::DatumName datum_named(std::size_t number, const std::string& label) {
  return {std::string(63, '0') + std::to_string(number), number, label};
}

// A run of one pipeline on a terminal that keeps what is written to it.
class Drawn {
 public:
  explicit Drawn(bool wraps_anew = true)
      : m_view({.write = [this](std::string_view text) { written += text; },
                .size = [this] { return size; },
                .now = [this] { return now; },
                .colours = false,
                .wraps_anew = wraps_anew}) {}

  void tell(local::Event::What what) { m_view.tell({"map", std::move(what), now}); }
  // What a tick writes after this time.
  std::string tick(std::chrono::milliseconds later = 1s) {
    written.clear();
    now += later;
    m_view.tick();
    return written;
  }
  LiveView& view() { return m_view; }

  std::string written;
  report::TerminalSize size;
  Time now = Time(100s);

 private:
  LiveView m_view;
};

TEST(LiveView, AShortRunDrawsNothing) {
  Drawn drawn;
  drawn.tell(local::DatumsBegin{2});
  EXPECT_EQ(drawn.tick(100ms), "");
  EXPECT_NE(drawn.tick(300ms), "");
}

TEST(LiveView, WhatIsTheSameIsNotWrittenAgain) {
  Drawn drawn;
  drawn.tell(local::DatumsBegin{2});
  drawn.tell(local::DatumStarts{.datum = datum_named(1, "r/a")});
  EXPECT_NE(drawn.tick(), "");
  EXPECT_EQ(drawn.tick(100ms), "");
  EXPECT_NE(drawn.tick(), "");
}

TEST(LiveView, IsDrawnInOneWriteThatTerminalsShowAtOnce) {
  Drawn drawn;
  drawn.tell(local::DatumsBegin{1});
  const auto text = drawn.tick();
  EXPECT_TRUE(text.starts_with("\x1b[?2026h"));
  EXPECT_TRUE(text.ends_with("\x1b[?2026l"));
}

TEST(LiveView, LinesAreAboveIt) {
  Drawn drawn;
  drawn.tell(local::DatumsBegin{1});
  drawn.tell(local::DatumStarts{.datum = datum_named(1, "r/a")});
  drawn.tick();
  drawn.written.clear();
  drawn.view().print("stays\n");
  EXPECT_NE(drawn.written.find("\r\x1b[1A\x1b[Jstays\n\x1b[?7lmap: 0 of 1 datum"), std::string::npos)
      << drawn.written;
}

TEST(LiveView, RowsOfANarrowedWindowAreCounted) {
  for (const bool wraps_anew : {true, false}) {
    Drawn drawn(wraps_anew);
    drawn.tell(local::DatumsBegin{1});
    drawn.tell(local::DatumStarts{.datum = datum_named(1, "r/a")});
    drawn.tell(local::DatumPrints{datum_named(1, "r/a"), std::string(100, 'x')});
    drawn.tick();
    drawn.size.columns = 30;
    EXPECT_EQ(drawn.tick(100ms), "");  // it may still change
    EXPECT_EQ(drawn.tick(100ms), "");
    // The second line had 79 columns.
    const auto text = drawn.tick(100ms);
    EXPECT_NE(text.find(wraps_anew ? "\r\x1b[3A" : "\r\x1b[1A"), std::string::npos) << text;
  }
}

TEST(LiveView, IsTakenAway) {
  std::string written;
  {
    LiveView view({.write = [&](std::string_view text) { written += text; },
                   .size = [] { return report::TerminalSize(); },
                   .now = [&, at = Time(100s)]() mutable { return at += 1s; }});
    view.tell({"map", local::DatumsBegin{1}});
    view.tick();
    written.clear();
  }
  EXPECT_EQ(written, "\r\x1b[J");
}

TEST(RunState, FailuresAndTimeLeft) {
  RunState state;
  const Time start(100s);
  state.take({"map", local::DatumsBegin{4}, start});
  for (std::size_t i = 1; i <= 3; ++i)
    state.take({"map", local::DatumStarts{.datum = datum_named(i, "r/a")}, start});
  state.take({"map", local::DatumEnds{.datum = datum_named(1, "r/a"), .state = local::DatumState::failed},
              start + 10s});
  EXPECT_EQ(progress_text(state, start + 10s),
            "map: 1 of 4 datums, 1 failed, 10 s, about 30 s to go; longest: datum 2 a, 10 s");
  EXPECT_EQ(lines_of(state, start + 10s, {.columns = 30, .lines = 2, .colours = false}),
            (std::vector<std::string>{"map: 1 of 4 datums, 1 failed", "  and 2 more"}));
}

TEST(RunState, APhaseWithItsBytes) {
  RunState state;
  const auto meter = std::make_shared<local::Meter>();
  meter->all = 4096;
  meter->done = 1024;
  state.take(
      {"", local::PhaseBegins{.phase = local::Phase::reading, .of = "images", .bytes = meter}, Time(100s)});
  EXPECT_EQ(progress_text(state, Time(102s)), "reading images: 1.0 KiB of 4.0 KiB, 2 s");
  EXPECT_EQ(lines_of(state, Time(102s), {.columns = 70, .lines = 2, .colours = false}),
            (std::vector<std::string>{"reading images: 1.0 KiB of 4.0 KiB, 2 s [#####...............]"}));
  state.take({"", local::PhaseEnds{.phase = local::Phase::reading, .of = "images"}, Time(103s)});
  EXPECT_EQ(progress_text(state, Time(103s)), "");
}

TEST(RunState, LinesFitWhateverIsInThem) {
  RunState state;
  state.take({"a-pipeline-with-a-name-that-is-long", local::DatumsBegin{1}, Time(100s)});
  const auto datum = datum_named(1, "r/データ-データ-データ-データ-データ.csv");
  state.take({"a-pipeline-with-a-name-that-is-long", local::DatumStarts{.datum = datum}, Time(100s)});
  state.take({"a-pipeline-with-a-name-that-is-long",
              local::DatumPrints{datum, "進捗 \x1b[31m三十\x1b[0m パーセント e\xcc\x81 \xff broken"},
              Time(100s)});
  for (std::size_t columns = 1; columns < 100; ++columns) {
    for (const auto& line : lines_of(state, Time(4000s), {.columns = columns, .lines = 3, .colours = false}))
      EXPECT_LE(report::columns_of(line), columns) << line;
  }
}

TEST(RunState, ShortNames) {
  EXPECT_EQ(short_name(datum_named(12, "images/cats/a.png")), "12 a.png");
  EXPECT_EQ(short_name(datum_named(3, "images/cats/ + models/m, n.bin")), "3 cats+m, n.bin");
  EXPECT_EQ(short_name(datum_named(4, "images/0123456789012345678901234567.png")),
            "4 …9012345678901234567.png");
}

TEST(LiveView, FitsItsTerminal) {
  const auto lines = [](std::size_t rows, std::size_t columns) {
    Drawn drawn;
    drawn.size = {.columns = columns, .rows = rows};
    drawn.tell(local::DatumsBegin{99});
    for (std::size_t i = 1; i < 60; ++i) drawn.tell(local::DatumStarts{.datum = datum_named(i, "r/a")});
    auto text = drawn.tick();
    std::size_t count = 1;
    std::size_t widest = 0;
    for (auto at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at + 1)) ++count;
    text = text.substr(text.find("\x1b[?7l") + 5);
    for (std::size_t from = 0; from < text.size();) {
      const auto end = std::min(text.find('\x1b', from), text.size());
      widest = std::max(widest, report::columns_of(text.substr(from, end - from)));
      from = std::min(text.find("\r\n", end), text.size() - 2) + 2;
    }
    EXPECT_LT(widest, std::max<std::size_t>(columns, 2));
    return count;
  };
  // Half of the rows, but four where there are as many and one more.
  EXPECT_EQ(lines(40, 80), 20U);
  EXPECT_EQ(lines(9, 80), 4U);
  EXPECT_EQ(lines(8, 80), 4U);
  EXPECT_EQ(lines(5, 80), 4U);
  EXPECT_EQ(lines(4, 80), 3U);
  EXPECT_EQ(lines(2, 80), 1U);
  EXPECT_EQ(lines(1, 80), 1U);
  EXPECT_EQ(lines(40, 1), 20U);
}

TEST(LiveView, IsRedrawnWhereItStands) {
  Drawn drawn;
  drawn.tell(local::DatumsBegin{3});
  const std::string begin = "\x1b[?2026h";
  const std::string line = "map: 0 of 3 datums [....................]\x1b[K";
  EXPECT_EQ(drawn.tick(), begin + "\x1b[?7l" + line + "\x1b[J\x1b[?7h\x1b[?2026l");
  drawn.tell(local::DatumStarts{.datum = datum_named(1, "r/a")});
  const auto two = drawn.tick();
  EXPECT_TRUE(two.starts_with(begin + "\r\x1b[?7lmap: ")) << two;
  EXPECT_NE(two.find("\x1b[K\r\n  1 a"), std::string::npos) << two;
  EXPECT_TRUE(drawn.tick().starts_with(begin + "\r\x1b[1A\x1b[?7lmap: "));
  // When nothing goes on any more it is taken away, once.
  drawn.tell(local::PipelineEnds{});
  EXPECT_EQ(drawn.tick(), "\r\x1b[1A\x1b[J");
  EXPECT_EQ(drawn.tick(), "");
}

TEST(LiveView, PrintsAboveItself) {
  Drawn drawn;
  drawn.view().print("before\n");
  EXPECT_EQ(drawn.written, "before\n") << "nothing is drawn yet";
  drawn.tell(local::DatumsBegin{1});
  drawn.tick();
  drawn.written.clear();
  drawn.view().print("");
  EXPECT_EQ(drawn.written, "");
  drawn.view().print("no end");
  EXPECT_EQ(drawn.written,
            "\x1b[?2026h\r\x1b[Jno end\n\x1b[?7lmap: 0 of 1 datum\x1b[K\x1b[J\x1b[?7h\x1b[?2026l");
  drawn.written.clear();
  drawn.view().clear();
  EXPECT_EQ(drawn.written, "\r\x1b[J");
  drawn.view().clear();
  EXPECT_EQ(drawn.written, "\r\x1b[J");
  EXPECT_NE(drawn.tick(), "") << "until the next tick";
}

TEST(LiveView, OfAnotherSizeIsDrawnWhenThatStays) {
  Drawn drawn;
  drawn.tell(local::DatumsBegin{1});
  drawn.tick();
  drawn.size.columns = 60;
  EXPECT_EQ(drawn.tick(), "");
  drawn.size.columns = 50;
  EXPECT_EQ(drawn.tick(), "");
  drawn.written.clear();
  drawn.view().print("x\n");  // its lines are of another width
  EXPECT_EQ(drawn.written, "\x1b[?2026h\r\x1b[Jx\n\x1b[?2026l");
  EXPECT_EQ(drawn.tick(), "");
  EXPECT_NE(drawn.tick(), "");
  // Of the same content as well.
  drawn.size.columns = 70;
  EXPECT_EQ(drawn.tick(), "");
  EXPECT_EQ(drawn.tick(), "");
  EXPECT_NE(drawn.tick(), "");
  EXPECT_EQ(drawn.tick(), "");
}

}  // namespace
}  // namespace view
