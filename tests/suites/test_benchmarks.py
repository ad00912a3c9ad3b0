# SPDX-License-Identifier: Apache-2.0
"""bench/: tables and their rows as data, lines of growth, plots, the page, and bench/all over measurements that fail, hang or
leave something. Nothing is measured here."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import recorded
import support
import terminal

BENCH = support.ROOT / "bench"
sys.path.insert(0, str(BENCH))

import fits  # noqa: E402
import machine  # noqa: E402
import measurements  # noqa: E402
import page  # noqa: E402
import plots  # noqa: E402
import quotes  # noqa: E402
import table  # noqa: E402
import ways  # noqa: E402

MACHINE = {"date": "2026-01-02 03:04 UTC", "commit": "0123456789ab", "programs": "pachbuild 0.1.0 (0123456 2026-01-02)", "processors": 2,
           "model": "A | B", "memory": 24 << 30, "kernel": "Linux 6.1", "system": "Debian 12", "load": 0.5}


def printing(function):
    """What it prints, and what it gives."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        result = function()
    return output.getvalue(), result


def bars_of_a_build():
    tables = table.Tables(3)
    tables.head("a build")
    samples = iter([(12.0, 4.0, 5.0), (10.0, 5.0, 5.0), (11.0, 6.0, 5.0)])
    tables.row("cold", lambda: next(samples), lambda medians: table.met(medians[1] <= medians[2], "≤ 1.0"))
    tables.add("  with <bytecode>", [(None, 0.004, None)], "a | b")
    tables.line("edits; ours, theirs")
    tables.add("  new, new", [(5.0, 0.25, 0.0)])
    tables.line("cannot be", "no network")
    tables.add("its size", [(6 << 20, 3 << 20, None)], unit="B", text="{:.0f}".format)
    return tables


def growth_of_a_build():
    tables = table.Tables(1)
    tables.head("files of a source", growth="file")
    for files, ours, limit in ((1, 0.0110, 0.3), (1_000, 0.0208, 0.3), (10_000, 0.1090, 0.3)):
        tables.point("nothing changed", files, lambda ours=ours: (None, ours, None), "good")
        tables.point("edit", files, lambda ours=ours, limit=limit: (None, ours * 40, limit))
    tables.fit()
    return tables


def memory():
    tables = table.Tables()
    tables.head("peak memory", (table.Column("builder", 10, "B", "{:.0f}".format, "ours"), table.Column("build", 0)), 8, growth="MiB",
                lines=["", "sizes"])
    tables.add("16 MiB", [(1 << 20, 1.0)], curve="", size=16.0)
    tables.add("32 MiB", [(3 << 20, 2.0)], curve="", size=32.0)
    tables.fit()
    return tables


def run_of(*tables, **more):
    names = [("go/map", "Go builds", "bench/go --project map"), ("growth/files", "Growth", "bench/growth --only files"),
             ("memory", "Growth", "bench/memory")]
    return {"format": 1, "command": "bench/all", "quick": False, "is_whole": True, "machine": MACHINE, "left_out": [],
            "measurements": [{"name": name, "section": section, "command": command, "seconds": 61.25, "others": 0.05, "tables": one.tables}
                             for (name, section, command), one in zip(names, tables)], **more}


class Amounts(support.Suite):
    def test_three_digits_count(self):
        for value, unit, text in (
                (0, "s", "0 s"), (0, "", "0"), (1, "s", "1.00 s"), (0.9994, "s", "999 ms"), (0.9996, "s", "1.00 s"), (0.0999, "s", "99.9 ms"),
                (12.34, "s", "12.3 s"), (99.96, "s", "100 s"), (1234, "s", "1,230 s"), (3.1e-6, "s", "3.10 µs"), (4e-10, "s", "0.400 ns"),
                (-0.00101, "s", "-1.01 ms"), (1023, "B", "1,020 B"), (1024, "B", "1.00 KiB"), (1.5 * 2**20, "B", "1.50 MiB"),
                (2**30, "B", "1.00 GiB"), (93, "", "93.0"), (0.5, "", "0.500"), (300, "", "300"), (1234, "", "1,230")):
            with self.subTest(value=value, unit=unit):
                self.assertEqual(table.amount(value, unit), text)

    def test_printed_times(self):
        self.assertEqual([table.shown(0.9999), table.shown(1), table.two_digits(0.126)], ["999.9 ms", "1.00 s", "0.13 s"])


class Fits(support.Suite):
    def test_the_line_through_points(self):
        line = fits.fit([(1, 5.0), (2, 7.0), (3, 9.0)])
        self.assertEqual((line.base, line.slope, line.at(10)), (3.0, 2.0, 23.0))
        line = fits.fit([(0, 0.0), (1, 3.0), (2, 0.0), (3, 3.0)])
        self.assertAlmostEqual(line.slope, 0.6)
        self.assertAlmostEqual(line.base, 0.6)
        self.assertAlmostEqual(line.slope_error, 0.72**0.5)
        self.assertAlmostEqual(line.base_error, 2.52**0.5)

    def test_what_is_not_above_the_noise_is_not_told(self):
        for points, at_zero, each in (([(1, 5.0), (2, 7.0), (3, 9.0)], 3.0, 2.0), ([(0, 0.0), (1, 3.0), (2, 0.0), (3, 3.0)], None, None),
                                      ([(1, 4.0), (2, 3.0)], 5.0, None), ([(1, 1.0), (2, 3.0)], None, 2.0), ([(1, 1.0), (2, 1.0)], 1.0, None),
                                      ([(0, 0.1), (1, 0.9), (2, 2.1), (3, 2.9)], None, 0.96)):
            with self.subTest(points):
                line = fits.fit(points)
                for told, expected in ((line.at_zero, at_zero), (line.each, each)):
                    self.assertEqual(told is None, expected is None)
                    self.assertAlmostEqual(told or 0, expected or 0)

    def test_without_two_sizes_there_is_none(self):
        for points in ([], [(1, 2.0)], [(1, 2.0), (1, 3.0)], [(1, 2.0), (2, None)]):
            self.assertIsNone(fits.fit(points), points)


class Tables(support.Suite):
    def test_rows_are_printed_and_are_data(self):
        printed, tables = printing(bars_of_a_build)
        self.assertEqual(printed, """
a build
                                         reference   pachbuild   ratio       limit  of limit
cold                                       11.00 s      5.00 s     2.2      5.00 s      1.00  ≤ 1.0: met
  with <bytecode>                                       4.0 ms                                a | b
edits; ours, theirs
  new, new                                  5.00 s    250.0 ms    20.0      0.0 ms         \x20
cannot be                               no network
its size                                   6291456     3145728     2.0                     \x20
""")
        [made] = tables.tables
        self.assertEqual(made["columns"], [
            {"name": "reference", "unit": "s", "role": "reference"}, {"name": "pachbuild", "unit": "s", "role": "ours"},
            {"name": "ratio", "unit": "", "role": ""}, {"name": "limit", "unit": "s", "role": "limit"},
            {"name": "of limit", "unit": "", "role": ""}])
        self.assertEqual(made["rows"][0], {
            "title": "cold", "values": [11.0, 5.0, 2.2, 5.0, 1.0], "note": "≤ 1.0: met", "repeats": 3, "curve": None, "size": None,
            "unit": None, "spread": [[10.0, 12.0], [4.0, 6.0], None, [5.0, 5.0], None]})
        self.assertEqual(made["rows"][1]["values"], [None, 0.004, None, None, None])
        self.assertEqual(made["rows"][1]["spread"], [None] * 5, "one measurement has no spread")
        self.assertEqual((made["rows"][5]["unit"], made["growth"], made["fits"]), ("B", None, []))

    def test_growth_ends_with_what_one_more_costs(self):
        printed, tables = printing(growth_of_a_build)
        self.assertEqual(printed.splitlines()[-2:], [
            "nothing changed, per file                              9.80 µs                              ",
            "edit, per file                                          392 µs            no trend          "])
        self.assertIn("\nnothing changed, 1 file  ", printed)
        self.assertIn("\nnothing changed, 1,000 files  ", printed)
        self.assertEqual([(fit["curve"], fit["column"], fit["unit"]) for fit in tables.tables[0]["fits"]],
                         [("nothing changed", "pachbuild", "s"), ("edit", "pachbuild", "s"), ("edit", "limit", "s")])
        self.assertAlmostEqual(tables.tables[0]["fits"][0]["base"], 0.011, places=4)

    def test_a_table_can_have_its_own_columns_and_lines(self):
        printed, tables = printing(memory)
        self.assertEqual(printed, "\nsizes\n16 MiB     1048576\n32 MiB     3145728\nper MiB    128 KiB\n")
        self.assertEqual(tables.tables[0]["fits"], [
            {"curve": "", "column": "builder", "unit": "B", "slope": 131072.0, "base": None}])

    def test_one_size_has_no_slope(self):
        def one():
            tables = table.Tables()
            tables.head("growth", growth="file")
            tables.point("edit", 1, lambda: (1.0, 2.0, 3.0))
            tables.fit()
            return tables
        printed, tables = printing(one)
        self.assertNotIn("per file", printed)
        self.assertEqual(tables.tables[0]["fits"], [])

    def test_as_many_samples_as_columns(self):
        tables = printing(bars_of_a_build)[1]
        with self.assertRaises(ValueError):
            tables.add("short", [(1.0, 2.0)])

    def test_the_file_is_whole_or_is_not_there(self):
        tables = printing(memory)[1]
        tables.write(self.folder / "rows.json")
        tables.write(None)
        self.assertEqual(json.loads((self.folder / "rows.json").read_text(encoding="utf-8")), {"format": 1, "tables": tables.tables})
        self.assertEqual([path.name for path in self.folder.iterdir()], ["rows.json"])

    def test_columns_that_count_repeats_otherwise(self):
        tables = printing(memory)[1]
        printing(lambda: tables.add("best", [(1.0, 2.0)], repeats=250))
        self.assertEqual(tables.tables[0]["rows"][-1]["repeats"], 250)


class Axes(support.Suite):
    def test_a_wide_span_is_logarithmic(self):
        axis, ticks = plots.axis_of([1.0, 20.0], "s", 0, 100)
        self.assertEqual((axis, ticks), (plots.Axis(0, 20.0, 0, 100, False), [0.0, 5.0, 10.0, 15.0, 20.0]))
        axis, ticks = plots.axis_of([1.0, 20.1], "s", 0, 100)
        self.assertEqual((axis.low, axis.high, axis.is_logarithmic), (0.1, 20.1, True))
        self.assertEqual(ticks, [0.1, 1, 10])
        self.assertEqual([axis.place(0.01), axis.place(0.1), axis.place(20.1), axis.place(99)], [0, 0, 100, 100])
        self.assertEqual(plots.Axis(1, 100, 10, 110, True).place(10), 60)
        self.assertEqual(plots.Axis(0, 4, 10, 110, False).place(1), 35)

    def test_steps_fit_the_values(self):
        for high, step in ((1, 0.2), (1.3, 0.2), (1.5, 0.5), (3.4, 0.5), (3.5, 1), (6.9, 1), (7, 2), (9.9, 2), (10, 2), (600, 100)):
            self.assertAlmostEqual(plots.nice_step(high), step, msg=str(high))

    def test_ticks_are_named_shortly(self):
        self.assertEqual([plots.tick_text(value, unit) for value, unit in ((0, "s"), (0.1, "s"), (1e-6, "s"), (2.5, "s"), (1 << 20, "B"))],
                         ["0", "100 ms", "1 µs", "2.5 s", "1 MiB"])

    def test_labels_do_not_meet(self):
        self.assertEqual(plots.apart([[30, "b"], [10, "a"], [32, "c"], [100, "d"]]), [(10, "a"), (30, "b"), (45, "c"), (100, "d")])


class Plots(support.Suite):
    def test_nothing_to_draw_is_no_picture(self):
        columns = [{"name": "pachbuild", "unit": "s", "role": "ours"}]
        row = {"title": "a", "values": [None], "spread": [None], "size": 1}
        self.assertIsNone(plots.bars("t", columns, [row]))
        self.assertIsNone(plots.curves("t", "file", columns, [row, {**row, "size": 2}]))
        self.assertIsNone(plots.curves("t", "file", columns, [{**row, "values": [1.0]}]), "one size makes no curve")

    def test_titles_are_text(self):
        made = page.make(run_of(printing(bars_of_a_build)[1]))[1]["go-map-1.svg"]
        self.assertIn("with &lt;bytecode&gt;", made)

    def test_numbers_are_in_the_description(self):
        made = page.make(run_of(printing(bars_of_a_build)[1]))[1]["go-map-1.svg"]
        said = xml.etree.ElementTree.fromstring(made).find("{http://www.w3.org/2000/svg}desc").text
        self.assertEqual(said, "cold: reference 11.0 s, pachbuild 5.00 s, limit 5.00 s; cold: with <bytecode>: pachbuild 4.00 ms; "
                               "edits; ours, theirs: new, new: reference 5.00 s, pachbuild 250 ms")


class Pages(recorded.RecordedSuite):
    def test_page_and_plots(self):
        text, files = page.make(run_of(*(printing(make)[1] for make in (bars_of_a_build, growth_of_a_build, memory))))
        for name, svg in files.items():
            root = xml.etree.ElementTree.fromstring(svg)
            self.assertEqual(root.get("role"), "img", name)
            self.assertIn(f"](benchmarks/{name})", text)
        self.compare("benchmarks", {"page.txt": text, **files})

    def test_a_machine_that_was_not_quiet(self):
        quiet = run_of(printing(bars_of_a_build)[1])
        self.assertIn("\nThe machine was quiet.\n", page.make(quiet)[0])
        loud = "**The machine was not quiet:**"
        for change in ({"machine": {**MACHINE, "load": 0.51}}, {"measurements": [{**quiet["measurements"][0], "others": 0.051}]}):
            text = page.make({**quiet, **change})[0]
            self.assertIn(loud, text)
            self.assertNotIn("The machine was quiet", text)
        self.assertNotIn(loud, page.make(quiet)[0])

    def test_a_run_that_is_not_whole_says_so(self):
        text = page.make(run_of(printing(bars_of_a_build)[1], quick=True, left_out=["images", "cluster"]))[0]
        self.assertIn("**This was a quick run:**", text)
        self.assertIn("\nNot measured in this run: `images`, `cluster`.\n", text)

    def test_everything_is_replaced_at_once(self):
        run = run_of(printing(bars_of_a_build)[1])
        self.write("out/benchmarks/old.svg", "old")
        self.write("out/mine.md", "mine")
        self.assertEqual(page.write(run, self.folder / "out"), self.folder / "out/benchmarks.md")
        self.assertEqual(sorted(path.relative_to(self.folder / "out").as_posix() for path in (self.folder / "out").rglob("*")),
                         ["benchmarks", "benchmarks.json", "benchmarks.md", "benchmarks/go-map-1.svg", "mine.md"])
        self.assertEqual(json.loads((self.folder / "out/benchmarks.json").read_text(encoding="utf-8")), run)

    def test_the_page_of_the_documents_is_made_of_its_data(self):
        docs = support.ROOT / "docs"
        run = json.loads((docs / page.DATA).read_text(encoding="utf-8"))
        if recorded.IS_RECORDING:
            page.write(run, docs)
        text, files = page.make(run)
        again = "bench/all --from docs/benchmarks.json makes it anew, and so does PACHBUILD_RECORD=1"
        self.assertEqual(text, (docs / page.PAGE).read_text(encoding="utf-8"), again)
        self.assertEqual(files, {path.name: path.read_text(encoding="utf-8") for path in sorted((docs / page.PLOTS).iterdir())}, again)


class Quotes(support.Suite):
    TEXT = "a\n\n<!-- bench/all: go/map -->\n\n| old |\n|---|\n| 1 |\n\nb\n<!-- bench/all: gone -->\n\n| kept |\n"

    def test_tables_are_replaced_and_the_rest_is_left(self):
        self.assertEqual(quotes.names(self.TEXT), ["go/map", "gone"])
        self.assertEqual(quotes.update(self.TEXT, run_of(printing(memory)[1])), """a

<!-- bench/all: go/map -->

| peak memory | builder | build |
| --- | --- | --- |
| 16 MiB | 1.00 MiB | 1.00 s |
| 32 MiB | 3.00 MiB | 2.00 s |

b
<!-- bench/all: gone -->

| kept |
""")

    def test_those_of_the_readme(self):
        text = (support.ROOT / "README.md").read_text(encoding="utf-8")
        known = {measurement.name for measurement in measurements.MEASUREMENTS}
        self.assertGreaterEqual(len(quotes.names(text)), 3)
        self.assertEqual(set(quotes.names(text)) - known, set())
        run = json.loads((support.ROOT / "docs/benchmarks.json").read_text(encoding="utf-8"))
        if run["is_whole"]:
            self.assertEqual(text, quotes.update(text, run), "bench/all --from docs/benchmarks.json brings it up to date")


class Sizes(support.Suite):
    def test_two_are_always_left(self):
        loader = importlib.machinery.SourceFileLoader("growth", str(BENCH / "growth"))
        growth = importlib.util.module_from_spec(importlib.util.spec_from_loader("growth", loader))
        loader.exec_module(growth)
        for most, sizes in ((None, [10, 100, 1_000]), (1_000, [10, 100, 1_000]), (999, [10, 100]), (1, [10, 100])):
            self.assertEqual(growth.Growth(None, None, most).sizes((10, 100, 1_000)), sizes, most)


class Choices(support.Suite):
    def chosen(self, *words, quick=False, cluster=False):
        return [one.name for one in measurements.choose(measurements.MEASUREMENTS, words, quick, cluster)]

    def test_names_and_what_is_below_them(self):
        names = [measurement.name for measurement in measurements.MEASUREMENTS]
        self.assertEqual(len(set(names)), len(names))
        self.assertEqual(self.chosen(), [name for name in names if name != "cluster"])
        self.assertEqual(self.chosen(cluster=True), names)
        self.assertEqual(self.chosen("go", "memory"), ["go/map", "go/packages", "memory"])
        self.assertEqual(self.chosen("memory", cluster=True), ["memory", "cluster"])
        self.assertEqual(self.chosen("cluster"), ["cluster"])
        for word in ("g", "go/", "go/ma", ""):
            with self.assertRaises(KeyError):
                self.chosen(word)

    def test_quick_leaves_out_what_takes_long_unless_it_is_named(self):
        self.assertEqual(set(self.chosen()) - set(self.chosen(quick=True)),
                         {"python/npr", "python/package", "go/packages", "packages", "images"})
        self.assertEqual(self.chosen("go", quick=True), ["go/map"])
        self.assertEqual(self.chosen("go/packages", quick=True), ["go/packages"])
        [quick] = measurements.choose(measurements.MEASUREMENTS, ["go/map"], True, False)
        self.assertEqual(quick.command, ("bench/go", "--project", "map", "--repeats", "1"))

    def test_every_program_is_in_it_and_knows_its_options(self):
        programs = {f"bench/{path.name}" for path in BENCH.iterdir() if path.suffix == "" and path.is_file()} - {"bench/all"}
        self.assertEqual({measurement.command[0] for measurement in measurements.MEASUREMENTS}, programs)
        for measurement in measurements.MEASUREMENTS:
            first, *options = (*measurement.command, *(measurement.quick or ()))
            help_text = self.succeed(support.ROOT / first, *options, "--json", "rows.json", "--help").stdout
            self.assertTrue(help_text.startswith(f"usage: {first} "), help_text)
        self.assertIn("\nRuns every benchmark that one machine can run,", self.succeed(BENCH / "all", "--help").stdout)


class Machines(support.Suite):
    def test_this_one_is_described(self):
        about = machine.describe()
        self.assertEqual(set(about), set(MACHINE))
        self.assertRegex(about["date"], r"\A\d{4}-\d\d-\d\d \d\d:\d\d UTC\Z")
        self.assertGreater(about["memory"], 1 << 20)
        self.assertGreaterEqual(about["processors"], 1)

    def test_own_work_is_not_that_of_others(self):
        others = machine.Others(time.monotonic())
        self.assertEqual(others.share(others.start), 0.0)
        others.busy += 1e9
        self.assertEqual(others.share(time.monotonic() + 1), 0.0, "never below none")
        others.busy -= 3e9
        self.assertEqual(others.share(time.monotonic() + 1), 1.0, "never above all")


# bench/all itself, over other measurements and folders: all in the folder of the test.
DRIVER = """
import importlib.machinery, importlib.util, pathlib, sys
sys.path.insert(0, {bench!r})
import program
from measurements import Measurement
loader = importlib.machinery.SourceFileLoader("bench_all", {bench!r} + "/all")
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_all", loader))
loader.exec_module(module)
folder = pathlib.Path({folder!r})
module.MEASUREMENTS = [Measurement(path.name, "Section", (str(path),), None if path.name == "slow" else ("--quick",))
                       for path in sorted((folder / "programs").iterdir())]
module.DOCS, module.SCRATCH, module.README = folder / "docs", folder / "scratch", folder / "README.md"
program.start(module.main)
"""
PROGRAM = """#!{python}
import os, pathlib, subprocess, sys, time
rows = pathlib.Path(sys.argv[sys.argv.index("--json") + 1])
folder = pathlib.Path({folder!r})
WORK = pathlib.Path(os.environ["PACHBUILD_BENCH_FOLDER"])
GOOD = {good!r}
{body}
"""
WRITES_ROWS = "rows.write_text(GOOD)\n"
README = "<!-- bench/all: a -->\n\n| old |\n"


class All(support.Suite):
    def setUp(self):
        super().setUp()
        self.write("README.md", README)
        self.tables = printing(bars_of_a_build)[1].tables

    def program(self, name, body):
        good = json.dumps({"format": 1, "tables": self.tables})
        self.write(f"programs/{name}", PROGRAM.format(python=sys.executable, folder=str(self.folder), good=good, body=body), 0o755)

    def command(self, *options):
        driver = self.write("driver.py", DRIVER.format(bench=str(BENCH), folder=str(self.folder)))
        return [sys.executable, "-B", driver, *options]

    def all(self, *options):
        return self.run_program(*self.command(*options))

    def left(self, name):
        folder = self.folder / name
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else None

    def working_folders(self):
        return {path.name for path in (support.ROOT / "build").glob("bench.*")}

    def test_rows_become_the_page_and_the_readme(self):
        self.program("a", "print('a table', sys.argv[1:-1])\n" + WRITES_ROWS)
        self.program("slow", WRITES_ROWS)
        result = self.all()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, f"a table ['--json']\n{self.folder}/docs/benchmarks.md\n")
        self.assertEqual(self.left("docs"), ["benchmarks", "benchmarks.json", "benchmarks.md"])
        run = json.loads((self.folder / "docs/benchmarks.json").read_text(encoding="utf-8"))
        self.assertEqual(([one["name"] for one in run["measurements"]], run["left_out"], run["is_whole"], run["command"]),
                         (["a", "slow"], [], True, "bench/all"))
        self.assertIn("| a build | reference |", (self.folder / "README.md").read_text(encoding="utf-8"))

        # The page once more, of the data alone.
        (self.folder / "docs/benchmarks.md").write_text("edited", encoding="utf-8")
        result = self.all("--from", self.folder / "docs/benchmarks.json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("# Benchmarks\n", (self.folder / "docs/benchmarks.md").read_text(encoding="utf-8"))

    def test_a_part_leaves_the_documents_alone(self):
        self.program("a", "print(sys.argv[1:-2])\n" + WRITES_ROWS)
        self.program("slow", WRITES_ROWS)
        result = self.all("--quick")
        self.assertEqual((result.returncode, result.stdout), (0, f"['--quick']\n{self.folder}/scratch/benchmarks.md\n"))
        self.assertIn("Not measured in this run: `slow`.", (self.folder / "scratch/benchmarks.md").read_text(encoding="utf-8"))
        self.assertEqual(self.all("--only", "slow").returncode, 0)
        self.assertEqual(self.all("--only", "a", "--output", self.folder / "own").returncode, 0)
        self.assertEqual(self.left("own"), ["benchmarks", "benchmarks.json", "benchmarks.md"])
        self.assertIsNone(self.left("docs"))
        self.assertEqual((self.folder / "README.md").read_text(encoding="utf-8"), README)

    def test_failures_are_reported_at_the_end_and_the_others_go_on(self):
        self.write("docs/benchmarks.md", "before")
        self.program("a", "print('error: no disk', file=sys.stderr)\nsys.exit(1)\n")
        self.program("b", "os.kill(os.getpid(), 9)\n")
        self.program("c", "")
        self.program("d", "rows.write_text('{')\n")
        self.program("e", "rows.write_text('{\"format\": 2, \"tables\": []}')\n")
        self.program("f", WRITES_ROWS)
        self.program("g", "")
        (self.folder / "programs/g").write_text("#!/gone\n", encoding="utf-8")
        result = self.all()
        self.assertEqual(result.returncode, 1)
        said = result.stderr.replace(f"{self.folder}/programs/", "")
        self.assertTrue(said.startswith("error: a: exit code 1\n  error: no disk\nerror: b: ended by SIGKILL\nerror: c: wrote no rows: "), said)
        self.assertRegex(said, r"\nerror: d: wrote no rows: .*\nerror: e: wrote no rows: rows of another format: 2\n"
                               r"error: g: cannot be started: No such file or directory\n"
                               r"hint: 6 of 7 benchmarks failed; fix the errors above, then run bench/all again\n\Z")
        self.assertEqual(result.stdout, f"{self.folder}/scratch/benchmarks.md\n")
        self.assertEqual((self.folder / "docs/benchmarks.md").read_text(encoding="utf-8"), "before")
        self.assertEqual((self.folder / "README.md").read_text(encoding="utf-8"), README)

    def test_what_a_measurement_leaves_running_is_ended(self):
        self.program("a", "left = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
                          "(folder / 'pid').write_text(str(left.pid))\n" + WRITES_ROWS)
        self.assertEqual(self.all("--only", "a").returncode, 0)
        self.assert_gone()

    def assert_gone(self):
        self.assertFalse(pathlib.Path("/proc", (self.folder / "pid").read_text(encoding="utf-8")).exists())

    def test_interrupted_it_leaves_nothing(self):
        self.program("a", "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
                          "left = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
                          "(WORK / 'big').write_text('x')\n(folder / 'pid.new').write_text(str(left.pid))\n"
                          "os.rename(folder / 'pid.new', folder / 'pid')\ntime.sleep(1000)\n")
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                before = self.working_folders()
                process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=support.environment())
                deadline = time.monotonic() + 60
                while not (self.folder / "pid").exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                process.send_signal(number)
                output, _ = process.communicate(timeout=60)
                self.assertEqual((process.returncode, output), (128 + number, b""))
                self.assert_gone()
                self.assertEqual(self.working_folders() - before, set())
                self.assertEqual(self.left("docs"), [])
                (self.folder / "pid").unlink()

    def test_progress_is_for_terminals(self):
        self.program("a", "time.sleep(0.1)\n" + WRITES_ROWS)
        session = terminal.Session([str(word) for word in self.command("--only", "a")], support.environment(), 160, 10)
        try:
            self.assertEqual(session.finish(), 0)
            lines = [line for line in session.screen.all_lines() if line.strip()]
            self.assertEqual(lines, [f"{self.folder}/scratch/benchmarks.md"], "the line of progress is gone")
            self.assertIn(f"1 of 1: {self.folder}/programs/a: 0 s, 0 s in all", session.text)
        finally:
            session.close()

    def test_wrong_command_lines(self):
        self.program("a", WRITES_ROWS)
        self.write("file", "")
        self.write("other.json", '{"format": 1}')
        self.write("list.json", "[]")
        self.write("broken.json", "{")
        usage = "hint: bench/driver.py --help explains the options\n"
        for options, code, said in (
                (["--only", "b"], 64, "error: --only: unknown benchmark 'b'; bench/all --list prints all names\n" + usage),
                (["--bad"], 64, "error: unrecognized arguments: --bad\n" + usage),
                (["--from", "x", "--quick"], 64, "error: --from cannot be combined with --only, --quick or --cluster\n" + usage),
                (["--from", "gone"], 1, "error: gone: No such file or directory\nhint: give a benchmarks.json written by bench/all\n"),
                (["--from", "other.json"], 1, "error: other.json: was not written by this version of bench/all\n"
                                              "hint: give a benchmarks.json written by bench/all\n"),
                (["--from", "list.json"], 1, "error: list.json: was not written by this version of bench/all\n"
                                             "hint: give a benchmarks.json written by bench/all\n"),
                (["--from", "broken.json"], 1, "error: broken.json: was not written by this version of bench/all\n"
                                               "hint: give a benchmarks.json written by bench/all\n"),
                (["--from", "programs"], 1, "error: programs: Is a directory\nhint: give a benchmarks.json written by bench/all\n"),
                (["--output", "file"], 1, "error: file: cannot be written: File exists\nhint: choose another folder with --output\n"),
                (["--output", "file/below"], 1, "error: file/below: cannot be written: Not a directory\n"
                                                "hint: choose another folder with --output\n")):
            with self.subTest(options):
                result = self.all(*options)
                self.assertEqual((result.returncode, result.stdout, result.stderr), (code, "", said))

    def test_the_list_of_names(self):
        result = self.succeed(BENCH / "all", "--list")
        self.assertEqual(result.stdout.split(), [measurement.name for measurement in measurements.MEASUREMENTS])


INTERRUPTED = """
import pathlib, sys
sys.path.insert(0, {bench!r})
import program, ways
def main():
    with program.working_folder() as folder:
        (folder / "file").write_text("")
        ways.run(["sh", "-c", "sleep 1000 & echo $! >pid.new; mv pid.new pid; wait"], cwd={folder!r})
program.start(main)
"""


class Programs(support.Suite):
    def test_interrupted_they_leave_neither_commands_nor_folders(self):
        script = self.write("driver.py", INTERRUPTED.format(bench=str(BENCH), folder=str(self.folder)))
        (self.folder / "work").mkdir()
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                process = subprocess.Popen([sys.executable, "-B", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                           env=support.environment(PACHBUILD_BENCH_FOLDER=str(self.folder / "work")))
                deadline = time.monotonic() + 60
                while not (self.folder / "pid").exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                self.assertEqual([path.name for path in (self.folder / "work").rglob("*") if path.is_file()], ["file"])
                process.send_signal(number)
                output, _ = process.communicate(timeout=60)
                self.assertEqual((process.returncode, output), (128 + number, b""))
                child = (self.folder / "pid").read_text(encoding="utf-8").strip()
                while pathlib.Path("/proc", child).exists():
                    self.assertLess(time.monotonic(), deadline, "its command runs on")
                    time.sleep(0.01)
                self.assertEqual(list((self.folder / "work").iterdir()), [])
                (self.folder / "pid").unlink()

    def test_a_command_that_fails_is_shown_with_what_it_printed(self):
        with self.assertRaises(ways.Failed) as failed:
            ways.run(["sh", "-c", "echo said; exit 3"])
        self.assertEqual(str(failed.exception), "said\n\nerror: sh -c echo said; exit 3: exit code 3")
        self.assertEqual(ways.run(["sh", "-c", "echo a; echo b >&2"])[1], "a\nb\n")

    def test_wrong_numbers(self):
        for text in ("0", "-1", "x", "1.5"):
            result = self.run_program(BENCH / "go", f"--repeats={text}")
            self.assertEqual((result.returncode, result.stderr),
                             (64, f"error: argument --repeats: expected a whole number from 1, not '{text}'\n"
                                  "hint: bench/go --help explains the options\n"))


if __name__ == "__main__":
    support.main()
