// SPDX-License-Identifier: Apache-2.0
// A small run with one of everything that a history can have.
#pragma once

#include <string>

#include "pachbuild/history/run.h"

namespace history {

inline Datum datum_of(std::size_t number, const std::string& label, DatumState state, long begin, long end) {
  return {.name = {std::string(64, static_cast<char>('a' + number)), number, label},
          .state = state,
          .span = {Moment{begin}, Moment{end}}};
}

inline Run example_run() {
  Run run{.version = "1.2.3",
          .words = {"run", "-f", "a spec.json", "-o", "out", "--datum", "7", "--report=r.html", "--trace",
                    "t.json", "--failed"},
          .after_dashes = {"--level", "it's"},
          .folder = "/home/ada",
          .tick = "2026-11-26T00:00:00Z",
          .started = 1'795'671'009,
          .elapsed = Moment{5'000'000},
          .exit_code = 1,
          .workers = 2};
  run.repos = {{"pages", "/home/ada/pages"}, {"tick", ""}};
  run.phases = {{local::Phase::reading, "pages", {Moment{10}, Moment{200}}, 1234}};
  run.warnings = {"cpu has no effect"};
  Pipeline first{.name = "map", .reads = {"pages", "tick"}, .state = PipelineState::failed};
  first.build = Build{.builder = "python 1.2.3",
                      .platform = "linux/amd64",
                      .program = "main.py",
                      .artifact = "abc",
                      .bytes = 99,
                      .packages = {{"six", "1.16.0"}},
                      .because = "main.py changed"};
  first.phases = {{local::Phase::building, "", {Moment{300}, Moment{1000}}}};
  first.datums = {
      datum_of(1, "pages/a", DatumState::succeeded, 1000, 51'000),
      datum_of(2, "pages/b", DatumState::failed, 1100, 2'001'100),
      datum_of(3, "pages/</script><b>\x1b[31m\xff\xe2\x80\xaeno", DatumState::failed, 51'000, 52'000),
      datum_of(4, "pages/d", DatumState::skipped, 0, 0),
      datum_of(5, "pages/e", DatumState::recovered, 60'000, 61'000)};
  first.datums[0].files = 2;
  first.datums[0].bytes = 2048;
  first.datums[0].because = first.datums[1].because = "main.py changed";
  first.datums[1].failure = 0;
  first.datums[2].failure = 1;
  first.failures = {{"exit code 1", "line\n\x1b[31mred\x1b[0m https://ada:secret@host/\n", "/logs/b.log", 1},
                    {"</script>", "\xff\x01", "", 1}};
  first.warnings = {"slow"};
  first.counts = {1, 1, 1, 2, 0};
  first.end =
      local::PipelineEnds{.run = 2, .skipped = 1, .recovered = 1, .failed = 2, .output = "/home/ada/out/map"};
  Pipeline second{.name = "reduce", .reads = {"map"}, .after = {0}, .state = PipelineState::left_out};
  second.because = "map";
  Pipeline third{.name = "other", .reads = {"pages"}};
  third.error = base::Error{base::ErrorKind::step_failed, "other.json", "no space", "free some"};
  third.build_log = "compiling\n\x1b[1mmain.go:7\x1b[0m";
  third.datums = {datum_of(1, "pages/a", DatumState::unfinished, 70'000, 5'000'000)};
  third.counts = {0, 0, 0, 0, 3};
  third.never_started = 2;
  run.pipelines = {first, second, third};
  for (auto& pipeline : run.pipelines) assign_lanes(pipeline);
  return run;
}

}  // namespace history
