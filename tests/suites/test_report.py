# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run --report FILE --trace FILE`: the page in a browser, against what the run itself says."""

import json
import os
import re
import signal
import subprocess
import time

import browser
import pipelines
import support

# Two of ten datums fail, each in its own way.
PROGRAM = """name=$(basename $data)
case $name in
  *7) echo "reading $name"; printf 'ValueError: bad value %s in https://ada:secret@host/x\\n' "$name" >&2; exit 3;;
  *9) echo 'Traceback'; echo "KeyError: 'colour'"; exit 1;;
esac
cat $data > /pfs/out/$name
"""
SCHEMES = ("light", "dark")
# Whatever reaches out of the window, but for what has a scroll bar of its own.
TOO_WIDE = """[...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1
    && !one.closest(".scroller, nav, .hidden, dialog, defs")).map((one) => one.outerHTML.slice(0, 100))"""
LUMINANCE = """(() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
    return (r + g + b) / 3; })()"""


class ReportSuite(pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        self.page = self.folder / "report.html"
        self.trace = self.folder / "trace.json"

    def numbered(self, count):
        self.data(**{f"f{number:05}": f"{number}\n" for number in range(count)})

    def run_with_report(self, *arguments, **options):
        return self.pachbuild_run("--report", self.page, "--trace", self.trace, *arguments, **options)

    def read_page(self):
        """The data in the page."""
        text = self.page.read_text(encoding="utf-8")
        return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


class InABrowser(ReportSuite):
    @classmethod
    def setUpClass(cls):
        support.require(browser.find(), "Chromium is not installed; run scripts/setup browser")
        cls.browser = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def open(self):
        self.browser.errors.clear()
        self.browser.requests.clear()
        took = self.browser.open(self.page)
        self.assertTrue(self.browser.evaluate("document.documentElement.hasAttribute('data-ready')"), self.browser.errors)
        return took

    def text(self, selector):
        return self.browser.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText")

    def count(self, selector):
        return self.browser.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length")

    def assert_quiet(self):
        self.assertEqual(self.browser.errors, [])
        self.assertEqual([url for url in self.browser.requests if not url.startswith(("file:", "data:"))], [])

    def test_its_numbers_are_those_of_the_run(self):
        self.numbered(20)
        self.shell_pipeline(PROGRAM.replace("*7)", "none)").replace("*9)", "none)"))
        self.succeed_run()
        self.shell_pipeline(PROGRAM)  # everything runs again
        self.numbered(40)
        result = self.run_with_report("--partial", "--workers", "3")
        self.assertEqual(result.returncode, 1, result.stderr)
        run, skipped, failed = map(int, re.search(r"(\d+) processed, (\d+) skipped, (\d+) failed", result.stderr).groups())
        self.assertEqual((run, skipped, failed), (32, 0, 8))
        self.open()
        self.assertEqual(self.text("#ending"), "✗ 8 datums failed")
        self.assertEqual(self.text("[data-total=succeeded]"), str(run))
        self.assertEqual(self.text("[data-total=failed]"), str(failed))
        self.assertEqual(self.text("#shown"), "40 of 40 datums")
        bins = self.browser.evaluate("[...document.querySelectorAll('.bin')].reduce((sum, bin) => sum + Number(bin.dataset.count), 0)")
        self.assertEqual(bins, run + failed)
        self.assertEqual(self.browser.evaluate("[...document.querySelectorAll('.failure .count')].map((one) => one.innerText)"), ["4 ×", "4 ×"])
        files, size = re.search(r"output: .* \((\d+) files, (.*)\)", result.stderr).groups()
        output = self.browser.evaluate("[...document.querySelectorAll('#pipelines tbody td')].pop().innerText")
        self.assertEqual(output, f"{size}, {files} files (partial)")
        self.assertIn("bad value", self.text(".failure .log"))
        self.assertEqual(self.count("#graph .node"), 2)
        # The slowest datum of the list is the longest of the run.
        lengths = self.read_page()["rows"]["lengths"]
        self.assertEqual(max(lengths), self.read_page()["durations"]["longest"])
        self.assertEqual(self.count(".slowest li"), 10)
        self.assert_quiet()

    def test_a_run_that_had_nothing_to_do(self):
        self.numbered(3)
        self.shell_pipeline("cp $data /pfs/out/")
        self.succeed_run()
        result = self.run_with_report()
        self.assert_ran(result, 0, 3)
        self.open()
        self.assertEqual(self.text("#ending"), "✓ succeeded")
        self.assertEqual(self.text("[data-total=skipped]"), "3")
        self.assertRegex(self.text("#reuse tbody"), r"unchanged \(.*\)\s+3 of 3 \(100%\)")
        self.assertEqual(self.count("#durations, #failures"), 0)
        self.assert_quiet()

    def test_names_and_logs_are_only_text(self):
        script = "<img src=x onerror=document.title='owned'>"
        # "/" makes a folder of what comes before it.
        names = [f"a</script>{script}", "b/c'\"&amp;`$1", "b/--> %3Cb%3E"]
        for name in names:
            self.write(f"data/{name}", "x")
        self.write("hostile.bin", f"</script>{script}\x1b[31mred\x1b]0;title\x07\n".encode() + b"\xff\xfe\x00 <!-- \n")
        hostile = (self.folder / "hostile.bin").read_bytes()
        self.shell_pipeline("cat <<'END' >&2\n" + hostile.replace(b"\0", b"").decode("latin-1") + "END\nexit 1\n", glob="/*/*")
        self.run_with_report()
        self.open()
        self.assertEqual(self.browser.evaluate("document.title"), "edges · pachbuild run")
        self.assertEqual(self.count("img"), 0)
        self.assertEqual(self.count("script"), 2)
        labels = self.read_page()["rows"]["labels"]
        self.assertEqual(sorted(labels), sorted(f"data/{name}" for name in names))
        self.assertIn(f"data/{names[0]}", self.text(".space"))
        self.assertIn(f"</script>{script}red", self.text(".failure .log"))
        self.assertNotRegex(self.page.read_text(encoding="utf-8"), "[\x00-\x09\x0b-\x1f\x7f\u202e]")
        self.assert_quiet()

    def test_widths_and_colours(self):
        self.numbered(30)
        self.shell_pipeline(PROGRAM)
        self.run_with_report()
        for scheme in SCHEMES:
            for width in (320, 700, 1280, 2560):
                with self.subTest(f"{scheme} {width}"):
                    self.browser.prefer(scheme)
                    self.browser.resize(width)
                    self.open()
                    self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), width)
                    self.assertEqual(self.browser.evaluate(TOO_WIDE), [])
                    dark = self.browser.evaluate(LUMINANCE) < 100
                    self.assertEqual(dark, scheme == "dark")
                    # The switch counts for more than the system.
                    other = "light" if scheme == "dark" else "dark"
                    self.browser.evaluate(f"[...document.querySelectorAll('.themes button')].find((one) => one.innerText === '{other}').click()")
                    self.assertEqual(self.browser.evaluate(LUMINANCE) < 100, other == "dark")
                    self.browser.evaluate("document.querySelector('.themes button').click()")
                    self.assert_quiet()
        self.browser.resize(1280)

    def test_the_list_of_datums_is_found_and_opened_by_keys(self):
        self.numbered(200)
        self.shell_pipeline(PROGRAM)
        self.run_with_report()
        self.browser.resize(1000)
        self.open()
        self.assertLess(self.count(".space .line"), 40)  # only what can be seen
        self.browser.evaluate("document.querySelector('.grid .body').focus()")
        for _ in range(3):
            self.browser.press("ArrowDown")
        self.browser.press("Enter")
        self.assertEqual(self.text("dialog h2"), self.read_page()["rows"]["labels"][2])
        self.assertTrue(self.browser.evaluate("document.querySelector('dialog').open"))
        self.browser.press("Escape")
        self.assertFalse(self.browser.evaluate("document.querySelector('dialog').open"))
        self.browser.evaluate("(() => { const one = document.querySelector('input[type=search]'); one.value = 'F0010'; one.dispatchEvent(new Event('input')); })()")
        self.assertEqual(self.text("#shown"), "10 of 200 datums")
        self.browser.evaluate("document.querySelector('.of-length button').click()")
        lengths = self.read_page()["rows"]["lengths"]
        shown = self.browser.evaluate("[...document.querySelectorAll('.space .line')].map((one) => Number(one.dataset.row))")
        self.assertEqual([lengths[row] for row in shown], sorted((lengths[row] for row in shown), reverse=True))
        self.assertEqual(len(shown), 10)
        self.browser.evaluate("[...document.querySelectorAll('.instances button')].pop().click()")
        self.assertEqual(self.text("#shown"), "20 of 200 datums")
        self.assert_quiet()

    @support.long_test
    def test_ten_thousand_datums(self):
        self.numbered(10_000)
        self.shell_pipeline(PROGRAM)
        self.run_with_report(timeout=600)
        took = self.open()
        size = self.page.stat().st_size
        print(f"10,000 datums: {size / 1e6:.2f} MB, opened in {took:.2f} s")
        self.assertEqual(self.text("#shown"), "10,000 of 10,000 datums")
        self.assertLess(size, 5_000_000)
        self.assertLess(took, 10)  # a second on a machine that does nothing else
        self.assert_quiet()


class WithoutABrowser(ReportSuite):
    def test_a_target_that_cannot_be_written_is_told_before_the_run(self):
        self.numbered(1)
        self.shell_pipeline("cp $data /pfs/out/")
        (self.folder / "folder").mkdir()
        (self.folder / "closed").mkdir(mode=0o500)
        os.mkfifo(self.folder / "pipe")
        for target, code, what in (
                ("folder", 64, "is a folder"),
                ("folder/", 64, "is a folder"),
                ("missing/report.html", 64, f"the folder {self.folder}/missing does not exist"),
                ("pipe", 64, "is not a regular file"),
                ("/dev/null", 64, "is not a regular file"),
                ("out/report.html", 64, "is in the --output folder, which contains only the outputs of datums"),
                ("data/report.html", 64, "is inside repo data"),
                ("source/report.html", 64, f"is inside the source {self.folder}/source"),
                ("/proc/report.html", 73, None)):
            for option in ("--report", "--trace"):
                with self.subTest(f"{option} {target}"):
                    result = self.pachbuild_run(option, target)
                    self.assertEqual(result.returncode, code, result.stderr)
                    self.assertRegex(result.stderr, f"^error: {option} {re.escape(target)}: {re.escape(what or '')}")
                    self.assertNotIn("build:", result.stderr)
                    self.assertFalse(self.out.exists())
        result = self.pachbuild_run("--report", "one", "--trace", "./one")
        self.assertIn("error: --trace ./one: --report already writes to this file\n", result.stderr)

    def test_a_source_may_have_it_where_it_is_ignored(self):
        self.numbered(1)
        self.shell_pipeline("cp $data /pfs/out/")
        self.write("source/.pachignore", "*.html\n")
        self.succeed_run("--report", "source/report.html")
        self.assertTrue((self.folder / "source/report.html").is_file())

    def test_it_replaces_a_file_and_follows_a_link(self):
        self.numbered(1)
        self.shell_pipeline("cp $data /pfs/out/")
        self.write("real.html", "old")
        self.page.symlink_to("real.html")
        result = self.run_with_report()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.page.is_symlink())
        self.assertIn("<!DOCTYPE html>", (self.folder / "real.html").read_text()[:20])
        self.assertIn(f"report: {self.page}\n", result.stderr)
        self.assertEqual(sorted(path.name for path in self.folder.glob("re*.html*")), ["real.html", "report.html"])

    def test_an_interrupted_run_has_one_that_says_so(self):
        self.numbered(5)
        self.shell_pipeline(f"case $data in *0) cp $data /pfs/out/;; *) touch {self.folder}/started; sleep 100;; esac")
        process = subprocess.Popen(self.command("--report", self.page, "--trace", self.trace, "--workers", "2"),
                                   env=self.environment(), cwd=self.folder, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not (self.folder / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        page = self.read_page()
        self.assertEqual(page["signal"], 2)
        counts = page["pipelines"][0]["counts"]
        self.assertEqual(sum(counts), 5)
        self.assertEqual(counts[4], 5 - counts[1])
        self.assertGreater(page["neverStarted"], 0)
        self.assert_trace(page)

    def test_a_build_that_fails_is_in_it(self):
        self.numbered(1)
        self.write("source/build.sh", "echo no >&2; exit 4\n")
        self.spec()
        result = self.run_with_report()
        self.assertNotEqual(result.returncode, 0)
        page = self.read_page()
        self.assertEqual(page["pipelines"][0]["state"], 1)
        self.assertIn("error", page["pipelines"][0])
        self.assertEqual(page["pipelines"][0]["log"].splitlines()[1], "no")

    def test_passwords_are_hidden(self):
        self.data(f7="x")
        self.shell_pipeline(PROGRAM)
        self.run_with_report("--", "https://ada:secret@host/")
        for path in (self.page, self.trace):
            text = path.read_text()
            self.assertIn("https://ada:***@host/", text)
            self.assertNotIn("secret", text)

    def test_the_command_for_a_datum_runs_it(self):
        help_text = self.succeed(support.PACHBUILD, "run", "--help").stdout
        support.require("--datum" in help_text, "this version has no --datum")
        self.numbered(10)
        self.shell_pipeline("echo \"$1\" > /pfs/out/$(basename $data)")
        self.run_with_report("--", "it's")
        page = self.read_page()
        before, after = page["pipelines"][0]["again"]
        row = page["rows"]["labels"].index("data/f00003")
        identity = page["rows"]["ids"].split()[row]
        env = self.environment()
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        result = self.succeed("sh", "-c", before + identity + after, env=env, cwd="/")
        self.assert_ran(result, 1, 9)
        before, after = page["pipelines"][0]["shell"]
        result = self.succeed("sh", "-c", f"{before}{identity}{after} -- sh -c 'basename $data'", env=env, cwd="/")
        self.assertEqual(result.stdout, "f00003\n")

    # The trace: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU

    def assert_trace(self, page):
        trace = json.loads(self.trace.read_text())
        self.assertLessEqual(set(trace), {"displayTimeUnit", "otherData", "traceEvents"})
        self.assertIn(trace["displayTimeUnit"], ("ms", "ns"))
        needs = {"M": {"name", "ph", "pid", "tid", "args"}, "C": {"name", "ph", "ts", "pid", "args"},
                 "X": {"name", "cat", "ph", "ts", "dur", "pid", "tid", "args"}}
        names, lanes, spans = {}, {}, []
        for event in trace["traceEvents"]:
            self.assertLessEqual(needs[event["ph"]], set(event), event)
            self.assertLessEqual(set(event), needs[event["ph"]] | {"cname"}, event)
            for field in ("ts", "dur", "pid", "tid"):
                self.assertIsInstance(event.get(field, 0), int, event)
                self.assertGreaterEqual(event.get(field, 0), 0, event)
            if event["ph"] == "M" and event["name"] == "process_name":
                names[event["pid"]] = event["args"]["name"]
            if event["ph"] == "M" and event["name"] == "thread_name":
                lanes[event["pid"], event["tid"]] = event["args"]["name"]
            if event["ph"] == "C":
                self.assertTrue(all(isinstance(value, int) for value in event["args"].values()), event)
            if event["ph"] == "X":
                spans.append(event)
        self.assertEqual(sorted(names.values()), sorted(["pachbuild", *(one["name"] for one in page["pipelines"])]))
        for span in spans:
            self.assertIn((span["pid"], span["tid"]), lanes)
            self.assertLessEqual(span["ts"] + span["dur"], page["elapsed"])
        # On a thread, complete events do not overlap but where one is inside of the other.
        for lane in lanes:
            own = sorted((one["ts"], one["ts"] + one["dur"]) for one in spans if (one["pid"], one["tid"]) == lane)
            for (_, end), (begin, _) in zip(own, own[1:]):
                self.assertLessEqual(end, begin, lanes[lane])
        datums = [one for one in spans if one["cat"] == "datum"]
        self.assertEqual(len(datums), sum(state != "0" for state in page["rows"]["states"]))
        return trace

    def test_the_trace_has_a_lane_for_each_worker(self):
        self.numbered(12)
        self.shell_pipeline("sleep 0.02; " + PROGRAM)
        self.run_with_report("--workers", "3")
        page = self.read_page()
        trace = self.assert_trace(page)
        workers = [event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "thread_name"]
        self.assertEqual([name for name in workers if name != "phases"], ["worker 1", "worker 2", "worker 3"])
        last = [event["args"] for event in trace["traceEvents"] if event["ph"] == "C"][-1]
        self.assertEqual(last, {"done": 10, "failed": 2})


if __name__ == "__main__":
    support.main()
