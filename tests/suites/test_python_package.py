# SPDX-License-Identifier: Apache-2.0
"""The Python package over the built programs: runs, their results, errors, Ctrl-C, and pipelines on a cluster."""

import base64
import concurrent.futures
import contextlib
import dataclasses
import html
import inspect
import io
import json
import os
import pathlib
import pickle
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time
import types
import unittest.mock

import cluster_suite
import pipelines
import python_package
import support
from pachbuild import _program, _progress, _run, _words

import pachbuild

PROGRAM = """case $data in
  *bad*) echo "no <good> data in $data"; exit 3;;
esac
echo "saw $data"
cp "$data" "/pfs/out/$(basename "$data").txt"
"""


class RunSuite(python_package.PackageSuite, pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        self.shell_pipeline(PROGRAM)
        self.data(**{"a": "one", "b": "two"})

    def run_spec(self, **options):
        options.setdefault("output", "out")
        return pachbuild.run("spec.json", {"data": "data"}, **options)


class Runs(RunSuite):
    def test_a_run_and_another_one(self):
        first = self.run_spec()
        self.assertTrue(first.succeeded)
        self.assertEqual([(datum.pipeline, datum.number, datum.label, datum.state) for datum in first.datums],
                         [("edges", 1, "data/a", "succeeded"), ("edges", 2, "data/b", "succeeded")])
        datum = first.datums[0]
        self.assertEqual((datum.files, datum.bytes, datum.reason, datum.exit_code, datum.failed), (1, 3, "", None, False))
        self.assertEqual(datum.inputs, (pachbuild.Input("data", "/a", self.folder / "data/a"),))
        self.assertRegex(datum.id, "^[0-9a-f]{64}$")
        self.assertEqual(datum.log, "saw /pfs/data/a\n")
        self.assertLess(datum.seconds, first.seconds)
        self.assertGreater(first.build_seconds, 0)
        self.assertEqual({name: path.read_text() for name, path in first.outputs.items()}, {"a.txt": "one", "b.txt": "two"})
        self.assertEqual(first.version, support.VERSION)
        self.data(c="three")
        second = self.run_spec(workers=1)
        found = {datum.label: datum for datum in second.datums}
        self.assertEqual([found[f"data/{name}"].state for name in "abc"], ["skipped", "skipped", "succeeded"])
        self.assertEqual([datum.number for datum in second.datums], [1, 2, 3])
        skipped = found["data/a"]
        self.assertEqual((skipped.seconds, skipped.log, skipped.inputs), (None, "saw /pfs/data/a\n", datum.inputs))
        self.assertRegex(repr(second), r"^<Result edges: 3 datums, 2 skipped, build [\d.]+ m?s, [\d.]+ m?s in total>$")

    def test_datums_that_fail(self):
        self.data(bad="x", bad2="y")
        with self.assertRaises(pachbuild.RunError) as raised:
            self.run_spec()
        error = raised.exception
        self.assertEqual((error.exit_code, error.what, error.where),
                         (1, "2 datums failed, so the output folder was not changed", str(self.folder / "out")))
        self.assertEqual(str(error), textwrap.dedent(f"""\
            {self.folder}/out: 2 datums failed, so the output folder was not changed
            hint: the results of the other datums are kept for the next run; use pachbuild run --partial to write them now
            datum data/bad of edges: exit code 3
              no <good> data in /pfs/data/bad
            datum data/bad2 of edges: exit code 3
              no <good> data in /pfs/data/bad2"""))
        result = error.result
        self.assertEqual([(datum.label, datum.state, datum.exit_code, datum.reason) for datum in result.failed],
                         [("data/bad", "failed", 3, "exit code 3"), ("data/bad2", "failed", 3, "exit code 3")])
        self.assertEqual((len(result.outputs), result.succeeded, result.exit_code), (0, False, 1))
        page = result._repr_html_()
        self.assertIn("<details><summary>exit code 3</summary><pre>no &lt;good&gt; data in /pfs/data/bad</pre></details>", page)
        self.assertNotIn("<good>", page)
        partial = self.run_spec(check=False, partial=True)
        self.assertEqual(sorted(partial.outputs), ["a.txt", "b.txt"])
        again = self.run_spec(check=False, failed=True, datums=partial.failed[:1])
        self.assertEqual([datum.label for datum in again.failed], ["data/bad"])

    def test_a_build_that_fails(self):
        self.write("source/build.sh", "echo 'no <compiler>' >&2; exit 7\n")
        with self.assertRaises(pachbuild.RunError) as raised:
            self.run_spec()
        result = raised.exception.result
        self.assertEqual(raised.exception.exit_code, 1)
        self.assertEqual(str(raised.exception), textwrap.dedent("""\
            /pfs/source/build.sh: exited with code 7
            build of edges:
              detect: the source's own build.sh (0 ms)
              no <compiler>
              error: /pfs/source/build.sh: exited with code 7""").replace("0 ms", str(raised.exception).split("(")[1].split(")")[0]))
        self.assertEqual(result.pipelines["edges"].error.exit_code, 1)
        self.assertIn("no &lt;compiler&gt;", result._repr_html_())

    def test_errors_before_anything_began(self):
        with self.fails("FOLDER/nowhere.json: cannot read: no such file or folder", 65):
            pachbuild.run("nowhere.json")
        with self.fails("FOLDER/spec.json:13:15: no folder was given for repo data\nhint: add --input data=PATH, or put the data into FOLDER/data/data", 64):
            pachbuild.run("spec.json", output="out")
        with self.fails("inputs: is not a mapping of repos to folders: 'data'\n"
                        'hint: for example inputs={"images": "data"}, or inputs="pfs:"', 64):
            pachbuild.run("spec.json", "data", "out")
        with self.fails("no spec was given\nhint: name a spec file, a folder of them, or a pipeline", 64):
            pachbuild.run([])
        with self.fails("datums: names no datum\nhint: omit it to run all datums", 64):
            self.run_spec(datums=[])
        with self.fails("spec: is not a spec: int\nhint: name a spec file, a folder of them, or a pipeline", 64):
            pachbuild.run([3])
        with self.fails("'da\\x00ta=FOLDER': contains a null character", 64):
            pachbuild.run("spec.json", {"da\0ta": "."}, "out")
        (self.folder / "gone").mkdir()
        os.chdir("gone")
        (self.folder / "gone").rmdir()
        with self.fails("the current folder: has been removed\nhint: change to another one", 74):
            pachbuild.run("spec.json")
        os.chdir(self.folder)
        with self.fails("FOLDER/x: has no program pachbuild".replace("FOLDER/x", "PACHBUILD_BIN=FOLDER/x")
                        + "\nhint: set it to the folder with the program, or unset it to use the one on PATH", 69):
            os.environ["PACHBUILD_BIN"] = str(self.folder / "x")
            self.run_spec()
        os.environ.pop("PACHBUILD_BIN")
        os.environ["PATH"] = "/usr/bin"
        with self.fails("pachbuild: not found, neither beside this Python nor on PATH\n"
                        "hint: install the wheel again, or set PACHBUILD_BIN to the folder with the program", 69):
            self.run_spec()
        self.assertFalse((self.folder / ".pachbuild-pipelines").exists() or (self.folder / "out").exists())

    def test_several_errors_at_once(self):
        self.write("spec.json", '{"pipeline": {"name": "edges"}, "inptu": 1, "transfrm": 2}')
        with self.assertRaises(pachbuild.Error) as raised:
            self.run_spec()
        self.assertGreater(len(raised.exception.more), 0)
        self.assertIn(f"\nerror: {raised.exception.more[0]}", str(raised.exception))

    def test_a_program_that_ends_without_a_word(self):
        self.write("bin/pachbuild", "#!/bin/sh\necho last words >&2\n[ $# = 1 ] && kill -9 $$\nexit 9\n", 0o755)
        os.environ["PACHBUILD_BIN"] = "bin"
        with self.fails("pachbuild: exited with code 9\nhint: last words", 9):
            self.run_spec()
        with self.fails("pachbuild: was ended by SIGKILL\nhint: last words", 137):
            pachbuild.version()
        self.write("bin/pachbuild", "no program\n", 0o755)
        with self.fails("FOLDER/bin/pachbuild: cannot be started: Exec format error", 69):
            self.run_spec()
        self.write("bin/pachbuild", '#!/bin/sh\necho \'{"event": "run_began", "schema": 2}\'; exec sleep 60\n', 0o755)
        with self.fails("pachbuild: writes events of another version: 2\n"
                        "hint: install the same version of the program and the package", 70):
            self.run_spec()

    def test_names_with_spaces_and_newlines(self):
        (self.folder / "a data\nfolder=x").mkdir()
        self.write("a data\nfolder=x/f", "1")
        self.write("my specs/spec.json", (self.folder / "spec.json").read_text().replace("./source", "../source"))
        result = pachbuild.run(pathlib.Path("my specs/spec.json"), {"data": "a data\nfolder=x"}, "an out\nfolder")
        self.assertEqual(result.outputs["f.txt"], self.folder / "an out\nfolder/f.txt")
        self.assertEqual(result.datums[0].inputs[0].file, self.folder / "a data\nfolder=x/f")

    def test_a_spec_as_a_dictionary_and_outputs_by_default(self):
        spec = json.loads((self.folder / "spec.json").read_text())
        own = self.folder / ".pachbuild-pipelines"
        result = pachbuild.run(spec, {"data": "data"}, datums="a", options=["--quiet"])
        self.assertEqual(result.outputs.folder, own / "edges/output")
        self.assertEqual((own / ".gitignore").read_text(), "*\n")
        self.assertEqual(json.loads((own / "edges/pipeline.json").read_text())["transform"]["build"]["path"],
                         str(self.folder / "./source"))
        result = pachbuild.run("spec.json", {"data": "data"})
        self.assertRegex(str(result.outputs.folder.relative_to(own)), "^spec-[0-9a-f]{8}/output$")

    def test_pipelines_that_belong_together(self):
        first = json.loads((self.folder / "spec.json").read_text())
        second = {"pipeline": {"name": "count"}, "transform": {"build": {"language": "python", "path": "source2"}},
                  "input": {"pfs": {"repo": "edges", "glob": "/"}}}
        self.write("source2/build.sh", "cp /pfs/source/program.sh /pfs/out/run.sh\n")
        self.write("source2/program.sh", 'ls /pfs/edges | wc -l > /pfs/out/"number of files"\n')
        result = pachbuild.run([first, second], {"data": "data"}, "out")
        self.assertEqual(result.pipelines["count"].outputs["number of files"].read_text().strip(), "2")
        self.assertEqual(sorted(result.outputs), ["count/number of files", "edges/a.txt", "edges/b.txt"])
        self.assertEqual(len(result.datums), 3)
        self.assertEqual(result.pipelines["count"].datums[0].inputs, (pachbuild.Input("edges", "/", None),))
        self.write("source/program.sh", "exit 1\n")
        failed = pachbuild.run([first, second], {"data": "data"}, "out", check=False)
        self.assertEqual((failed.pipelines["count"].left_out, failed.pipelines["count"].summary),
                         ("edges", "not run, because edges has no result"))

    def test_several_runs_at_once(self):
        def one(number):
            return pachbuild.run("spec.json", {"data": "data"}, f"out{number}", workers=1)

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            results = list(pool.map(one, range(3)))
        self.assertEqual([sorted(result.outputs) for result in results], [["a.txt", "b.txt"]] * 3)

    def test_what_programs_print_while_they_run(self):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.run_spec(logs=True, workers=1)
        self.assertEqual(sorted(printed.getvalue().splitlines()),
                         ["1 data/a | saw /pfs/data/a", "2 data/b | saw /pfs/data/b"])

    def test_a_function(self):
        steps = self.load("import pachbuild\nLEVEL = 2\n\n@pachbuild.pipeline(input='data')\ndef double(data, out):\n"
                          "    (out / data.name).write_text(data.read_text() * LEVEL)\n")
        result = steps.double.run({"data": "data"})
        self.assertEqual({name: path.read_text() for name, path in result.outputs.items()}, {"a": "oneone", "b": "twotwo"})
        self.assertEqual(result.outputs.folder, self.folder / ".pachbuild-pipelines/double/output")
        again = steps.double.run({"data": "data"})
        self.assertEqual([datum.state for datum in again.datums], ["skipped", "skipped"])
        steps.LEVEL = 3
        self.assertEqual(pachbuild.run(steps.double, {"data": "data"}, "out").outputs["a"].read_text(), "oneoneone")

    def test_the_program_and_its_version(self):
        self.assertEqual(pachbuild.program(), support.BIN / "pachbuild")
        self.assertEqual(pachbuild.version().partition(" ")[0], support.VERSION)

    def test_where_the_program_is(self):
        os.environ.pop("PACHBUILD_BIN")
        os.environ["PATH"] = f"{self.folder}/path"
        places = ("path", "below/bin", "env/bin")
        for place in places:
            program = self.write(f"{place}/pachbuild", "", 0o755)
            package = "below/pachbuild" if place == "below/bin" else "env/lib/python3.9/site-packages/pachbuild"
            with unittest.mock.patch.object(_program, "__file__", f"{self.folder}/{package}/_program.py"):
                self.assertEqual(pachbuild.program(), program)
        program.chmod(0o644)
        with unittest.mock.patch.object(_program, "__file__", f"{self.folder}/{package}/_program.py"):
            self.assertEqual(pachbuild.program(), self.folder / "path/pachbuild")


class Stopped(RunSuite):
    def start(self, more=""):
        """A run of another Python whose datums wait; gives it when one of them runs."""
        self.shell_pipeline(f'touch "{self.folder}/runs"; exec sleep 600\n')
        code = f"import pachbuild{more}\npachbuild.run('spec.json', {{'data': 'data'}}, 'out')\n"
        env = {**os.environ, "PYTHONPATH": str(python_package.FOLDER)}
        process = subprocess.Popen([sys.executable, "-c", code], env=env, cwd=self.folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        self.wait_until(lambda: (self.folder / "runs").exists() or process.poll() is not None)
        self.assertIsNone(process.poll())
        return process

    def wait_until(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def processes(self):
        """Those that have this test's cache in their environment."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"PACHBUILD_CACHE_DIR={self.cache}".encode() in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return sorted(set(found) - {os.getpid()})

    def assert_all_gone(self):
        self.wait_until(lambda: not self.processes())
        self.assert_nothing_left()

    def test_by_ctrl_c_that_only_python_gets(self):
        process = self.start()
        process.send_signal(signal.SIGINT)
        self.assertIn("KeyboardInterrupt", process.communicate(timeout=30)[1])
        self.assert_all_gone()

    def test_where_the_kernel_ignores_it_between_cells(self):
        process = self.start("; import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                             "signal.signal(signal.SIGUSR1, signal.default_int_handler)")
        process.send_signal(signal.SIGUSR1)
        self.assertIn("KeyboardInterrupt", process.communicate(timeout=30)[1])
        self.assert_all_gone()

    def test_by_the_end_of_the_kernel(self):
        process = self.start()
        process.kill()
        process.wait()
        self.assert_all_gone()


class Results(python_package.PackageSuite):
    def datum(self, number=1, state="succeeded", **fields):
        return pachbuild.Datum("p", "0" * 64, number, f"r/{number}", state, **fields)

    def test_tables_have_a_datums_fields(self):
        self.assertEqual([field.name for field in dataclasses.fields(pachbuild.Datum)],
                         ["pipeline", "id", "number", "label", "state", "inputs", "seconds", "files", "bytes", "reason",
                          "exit_code", "log_file"])

    def test_logs(self):
        limit = 1 << 20
        for size, begin in ((limit, "x"), (limit + 1, "[…]\n")):
            self.write("log", "x" * (size - 3) + "\nb\n")
            text = self.datum(log_file="log").log
            self.assertTrue(text.startswith(begin) and text.endswith("\nb\n" if begin == "x" else "[…]\nb\n"), size)
        self.write("log", b"\xff\n")
        self.assertEqual(self.datum(log_file="log").log, "\ufffd\n")
        os.symlink("log", "link")
        os.mkfifo("pipe")
        for name in ("link", "pipe", "nowhere", "", ".", "a\0b"):
            self.assertEqual(self.datum(log_file=name).log, "", name)

    def test_outputs(self):
        self.write("out/b/a.txt", "1")
        self.write("out/<b>.txt", "22")
        self.write("out/.pachbuild/output.json", "{}")
        outputs = pachbuild.Outputs(self.folder / "out")
        self.assertEqual(list(outputs), ["<b>.txt", "b/a.txt"])
        self.assertEqual(outputs["b/a.txt"].read_text(), "1")
        self.assertEqual(os.fspath(outputs), str(self.folder / "out"))
        self.assertEqual(repr(outputs), f"<Outputs: 2 files in '{self.folder}/out'>")
        self.assertEqual(("b/a.txt" in outputs, "x" in outputs, len(outputs)), (True, False, 2))
        for name, text in (("b/a.tx", "'b/a.tx' was not written; did you mean 'b/a.txt'?"), ("zzz", "'zzz' was not written")):
            with self.assertRaises(KeyError) as raised:
                outputs[name]
            self.assertEqual(raised.exception.args, (text,))
        page = outputs._repr_html_()
        self.assertIn('<tr><td>&lt;b&gt;.txt</td><td class="number">2 B</td></tr>', page)
        none = pachbuild.Outputs(None)
        self.assertEqual((list(none), repr(none)), ([], "<Outputs: none>"))
        self.assertIn("<p>no files</p>", none._repr_html_())
        with self.fails("the run wrote no output", 65):
            os.fspath(none)

    def test_everything_is_escaped(self):
        evil = "<script>alert('&')</script>"
        self.write("log", evil)
        datum = pachbuild.Datum(evil, evil, 1, evil, "failed", (), None, 0, 0, evil, None, str(self.folder / "log"))
        pipeline = pachbuild.PipelineResult(evil, (datum,), build_log=(evil,), error=pachbuild.Error(evil, where=evil, hint=evil))
        result = pachbuild.Result({evil: pipeline, "b": pachbuild.PipelineResult("b", left_out=evil)}, 1, warnings=(evil,))
        for thing in (datum, pipeline, result):
            page = thing._repr_html_()
            self.assertNotIn("<script", page)
            self.assertIn(html.escape(evil), page)

    def test_a_page_shows_failures_first_and_not_more_than_fifty(self):
        datums = [self.datum(number) for number in range(1, 52)] + [self.datum(52, "failed", reason="why")]
        page = pachbuild.PipelineResult("p", tuple(datums), build_seconds=1.0)._repr_html_()
        numbers = re.findall(r'<td class="number">(\d+)</td>', page)
        self.assertEqual(numbers, ["52", *map(str, range(1, 50))])
        self.assertIn("<p>and 2 more datums</p>", page)
        self.assertIn("<p><b>p</b>: 52 datums, 1 failed, build 1.0 s</p>", page)

    def test_the_text_of_an_error_has_three_failures(self):
        self.write("log", "".join(f"{number}\n" for number in range(30)))
        datums = [self.datum(number, "failed", reason="exit code 1", log_file="log") for number in range(1, 6)]
        result = pachbuild.Result({"p": pachbuild.PipelineResult("p", tuple(datums))}, 1)
        lines = str(pachbuild.RunError(pachbuild.Error("what", hint="do"), result)).splitlines()
        self.assertEqual(lines[:4], ["what", "hint: do", "datum r/1 of p: exit code 1", "  10"])
        self.assertEqual(lines[-1], "and 2 more datums: see result.failed of this error")
        self.assertEqual(len(lines), 2 + 3 * 21 + 1)

    def test_errors_reach_other_processes(self):
        result = pachbuild.Result({"p": pachbuild.PipelineResult("p", (self.datum(), ))}, 1)
        for error in (pachbuild.Error("a", where="b", hint="c", exit_code=65, more=[pachbuild.Error("d")]),
                      pachbuild.SourceError("a", name="b", number=3, where="c", hint="d"),
                      pachbuild.RunError(pachbuild.Error("a", hint="b", exit_code=1), result)):
            copy = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(copy), str(copy), copy.exit_code), (type(error), str(error), error.exit_code))
        self.assertEqual(copy.result, result)
        self.assertEqual((pickle.loads(pickle.dumps(pachbuild.SourceError("a", name="b", number=3)))).number, 3)

    def test_words(self):
        self.assertEqual([_words.duration(seconds) for seconds in (0, 0.0404, 0.9994, 1, 59.94, 60, 3599, 3600, 7500)],
                         ["0 ms", "40 ms", "999 ms", "1.0 s", "59.9 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "2 h 5 min"])
        self.assertEqual([_words.size(number) for number in (0, 1023, 1024, 1 << 20, 3 << 39, 1 << 60)],
                         ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.5 TiB", "1048576.0 TiB"])
        self.assertEqual([_words.count(number, "file") for number in (0, 1, 2, 1000)], ["0 files", "1 file", "2 files", "1,000 files"])

    def test_events_of_all_kinds(self):
        recorder = _run.Recorder(self.folder)
        about = {"pipeline": "p", "datum": {"id": "i", "number": 3, "label": "r/a"}}
        for event in ({"event": "run_began", "schema": 1, "version": "1"}, {"event": "warning", "message": "careful"},
                      {**about, "event": "datum_started", "log": "l"}, {"event": "unknown"}, {**about, "event": "unknown"},
                      {"event": "build_printed", "pipeline": "p", "line": '{"level":"info","message":"done"}'},
                      {"event": "build_printed", "pipeline": "p", "line": "plain"},
                      {"event": "build_printed", "pipeline": "p",
                       "line": '{"level":"error","message":"bad","where":"x","hint":"y","code":65}'}):
            recorder.take(event)
        result = recorder.result(143)
        self.assertEqual([(datum.state, datum.failed) for datum in result.datums], [("stopped", True)])
        self.assertEqual(result.warnings, ("careful",))
        self.assertEqual(result.pipelines["p"].build_log, ("done", "plain", "error: x: bad\nhint: y"))
        self.assertEqual(result.pipelines["p"].summary, "1 datum, 1 stopped")


class Document(python_package.PackageSuite):
    """docs/python-api.md, as far as it can be compared with the package."""

    def setUp(self):
        super().setUp()
        self.text = (support.ROOT / "docs/python-api.md").read_text(encoding="utf-8")

    def test_its_code_is_python_and_its_names_are_there(self):
        blocks = re.findall(r"^```python\n(.*?)^```$", self.text, re.M | re.S)
        self.assertGreater(len(blocks), 6)
        for block in blocks:
            compile(block, "python-api.md", "exec")
        for name in set(re.findall(r"\bpachbuild\.(\w+)", self.text)):
            self.assertIn(name, pachbuild.__all__)

    def test_its_tables_have_all_parameters(self):
        for function, others in ((pachbuild.run, set()), (pachbuild.pipeline, {"fields", "function"}),
                                 (pachbuild.submit, {"spec", "client"})):
            for name in set(inspect.signature(function).parameters) - others - {"spec", "pipeline", "allow_empty", "host_commands"}:
                self.assertRegex(self.text, rf"\b{name}=", f"{function.__name__}()")

    def test_its_table_of_results_is_whole(self):
        for kind in (pachbuild.Datum, pachbuild.Result):
            for name, _ in inspect.getmembers(kind(*[None] * 5) if kind is pachbuild.Datum else kind({})):
                if not name.startswith("_") and name not in ("log_file", "folder", "failure_lines"):
                    self.assertRegex(self.text, rf"`{name}`|`{name}\[", kind.__name__)


class Progress(python_package.PackageSuite):
    def test_the_line(self):
        state = _progress.State()
        for event, text in (
                ({"event": "phase_began", "phase": "reading", "of": "images"}, "reading images, "),
                ({"event": "phase_ended", "phase": "reading", "of": "images"}, ""),
                ({"event": "phase_began", "phase": "building", "pipeline": "p"}, "p: building, "),
                ({"event": "build_step", "step": "packing", "pipeline": "p"}, "p: packing, "),
                ({"event": "build_step", "step": "", "pipeline": "p"}, "p: packing, "),
                ({"event": "phase_ended", "phase": "building", "pipeline": "p"}, ""),
                ({"event": "datums_counted", "datums": 1200, "pipeline": "p"}, "0 of 1,200 datums, "),
                ({"event": "datum_skipped", "pipeline": "p"}, "1 of 1,200 datums, "),
                ({"event": "datum_ended", "state": "failed", "pipeline": "p"}, "2 of 1,200 datums, 1 failed, ")):
            state.take(event)
            self.assertRegex(state.text(), "^pachbuild: " + re.escape(text) + r"\d+ ms$")

    def test_nothing_where_nobody_looks(self):
        with unittest.mock.patch.object(sys, "stderr", io.StringIO()) as stream:
            line = _progress.Line(None)
            self.assertFalse(line.is_due)
            line.show("x")
            line.clear()
        self.assertEqual(stream.getvalue(), "")

    def test_a_terminal_has_one_line(self):
        stream = io.StringIO()
        stream.isatty = lambda: True
        with unittest.mock.patch.object(sys, "stderr", stream), unittest.mock.patch.dict(os.environ, COLUMNS="10"):
            line = _progress.Line(None)
            line.show("a\x1bbcdefghijkl")
            line.show("too early")
            line.clear()
            line.clear()
            self.assertFalse(_progress.Line(False).is_due)
        self.assertEqual(stream.getvalue(), "\r\x1b[Ka\ufffdbcdefgh\r\x1b[K")

    def test_a_notebook_has_one_output_that_changes(self):
        shown = []
        handle = types.SimpleNamespace(update=lambda bundle, raw: shown.append((bundle, raw)))

        def display(bundle, raw, display_id):
            shown.append((bundle, raw, display_id))
            return handle

        modules = {"IPython": types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=1)),
                   "IPython.display": types.SimpleNamespace(display=display)}
        with unittest.mock.patch.dict(sys.modules, modules):
            line = _progress.Line(None)
            line.show("one")
            line.clear()
            line.show("two")
        self.assertEqual(shown, [({"text/plain": "one"}, True, True), ({"text/plain": ""}, True), ({"text/plain": "two"}, True)])


# Notes what a pachctl is given, and what its configuration has; then it is the stand-in.
PACHCTL = """#!/bin/sh
echo "$* $(env | grep -a -c "$SECRET")" >> "$NOTES/calls"
if mkdir "$NOTES/first" 2>/dev/null; then cp "$PACH_CONFIG" "$NOTES/config.json"; fi
echo "$PACH_CONFIG $(stat -c %a "$PACH_CONFIG" "$(dirname "$PACH_CONFIG")" | tr '\n' ' ')${PACH_CONTEXT-none}" >> "$NOTES/places"
exec STAND_IN "$@"
"""
TOKEN = "token-of-ann"


class Clusters(cluster_suite.ClusterSuite, python_package.PackageSuite):
    builds = False

    def setUp(self):
        cluster_suite.ClusterSuite.setUp(self)
        if cluster_suite.REAL:
            self.skipTest("looks into the stand-in")
        (self.folder / "notes").mkdir()
        patch = unittest.mock.patch.dict(os.environ, self.env)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        os.environ.update(NOTES=str(self.folder / "notes"), SECRET=TOKEN, PACHBUILD_CACHE_DIR=str(self.folder / "cache"),
                          PACH_CONTEXT="elsewhere", PACHBUILD_BIN=str(support.BIN), XDG_RUNTIME_DIR=str(self.folder),
                          PACHCTL=str(self.write("notes/pachctl", PACHCTL.replace("STAND_IN", shlex.quote(str(cluster_suite.STAND_IN))), 0o755)))

    def client(self, **fields):
        return types.SimpleNamespace(**{"address": "pach.example.com:443", "auth_token": TOKEN, "root_certs": b"PEM",
                                        "transaction_id": None, "get_version": lambda: None, **fields})

    def note(self, name):
        return (self.folder / "notes" / name).read_text()

    def submission(self, sent=1, build="created", running="created", **fields):
        return pachbuild.Submission(**{"pipeline": self.pipeline, "sent": sent, "sent_bytes": len(cluster_suite.PROGRAM), "removed": 0,
                                       "kept": 0, "build_pipeline": build, "running_pipeline": running, **fields})

    def test_a_clients_cluster_is_reached_by_a_file_that_goes(self):
        self.assertEqual(pachbuild.submit("p.json", self.client()), (self.submission(),))
        configuration = json.loads(self.note("config.json"))
        self.assertRegex(configuration.pop("user_id"), "^[0-9a-f]{32}$")
        self.assertEqual(configuration, {"v2": {"active_context": "pachbuild", "metrics": False, "contexts": {"pachbuild": {
            "pachd_address": "grpcs://pach.example.com:443", "session_token": TOKEN,
            "server_cas": base64.b64encode(b"PEM").decode()}}}})
        places = [line.split() for line in self.note("places").splitlines()]
        # pachctl itself may write the file anew, for more than this user: its folder is what keeps others out.
        self.assertEqual(places[0][1], "600")
        self.assertEqual({(folder, context) for _, _, folder, context in places}, {("700", "none")})
        self.assertEqual({path for path, *_ in places if pathlib.Path(path).exists()}, set())
        self.assertIn(self.folder, {pathlib.Path(path).parents[1] for path, *_ in places})
        self.assertNotIn(TOKEN, self.note("calls"))
        self.assertEqual({line.split()[-1] for line in self.note("calls").splitlines()}, {"1"}, "only SECRET itself has it")

    def test_ctrl_c_takes_the_file_away(self):
        self.write("notes/pachctl", '#!/bin/sh\ntouch "$NOTES/runs"; exec sleep 600\n', 0o755)
        code = ("import types, pachbuild\npachbuild.submit('p.json', "
                f"types.SimpleNamespace(address='a:1', auth_token='{TOKEN}', root_certs=None))\n")
        process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(python_package.FOLDER)},
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        end = time.monotonic() + 60
        while not (self.folder / "notes/runs").exists():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual(len(list(self.folder.glob("pachbuild-client-*"))), 1)
        process.send_signal(signal.SIGINT)
        self.assertIn("KeyboardInterrupt", process.communicate(timeout=60)[1])
        self.assertEqual(list(self.folder.glob("pachbuild-client-*")), [])

    def test_without_a_client_it_is_that_of_pachctl(self):
        os.environ.pop("PACH_CONTEXT")
        pathlib.Path(os.environ["PACH_CONFIG"]).write_text("{}")
        pachbuild.submit("p.json")
        places = {line.split()[0] for line in self.note("places").splitlines()}
        self.assertIn(os.environ["PACH_CONFIG"], places)
        self.assertEqual([path for path in places - {os.environ["PACH_CONFIG"]} if pathlib.Path(path).exists()], [])
        unchanged = self.submission(0, "unchanged", "unchanged", sent_bytes=0, kept=1)
        self.assertEqual(pachbuild.submit("p.json", reprocess=False), (unchanged,))
        with self.fails(f'FOLDER/p.json:1:23: pipeline "{self.pipeline}" already exists\n'
                        "hint: pass update=True", 65):
            pachbuild.submit("p.json", update=False)

    def test_addresses(self):
        from pachbuild import _cluster
        for address, certificates, found in (("a:1", None, "grpc://a:1"), ("a:1", b"", "grpcs://a:1"), ("::1:30650", None, "grpc://[::1]:30650"),
                                             ("[::1]:30650", None, "grpc://[::1]:30650")):
            self.assertEqual(_cluster.address_of(self.client(address=address, root_certs=certificates)), found)
        context = _cluster.configuration_of(self.client(auth_token=None, root_certs=None))["v2"]["contexts"]["pachbuild"]
        self.assertEqual(context, {"pachd_address": "grpc://pach.example.com:443"})

    def test_clients_that_are_none(self):
        def silent():
            raise ConnectionError("Could not connect to pachyderm instance\nmore")

        for client, text, code in (
                (3, "client: is not a client of pachyderm_sdk: int\n"
                    "hint: give pachyderm_sdk.Client(…), or None for the cluster of pachctl's context", 64),
                (self.client(transaction_id="1"), "client: is in a transaction\n"
                 "hint: submit pipelines outside of it: each submission is a transaction of its own", 64),
                (self.client(get_version=silent), "grpcs://pach.example.com:443: the cluster does not answer: "
                 "Could not connect to pachyderm instance\nhint: check the address, and whether the cluster is running", 75)):
            with self.fails(text, code):
                pachbuild.submit("p.json", client)
        with self.fails("context: names a different cluster from the client's\nhint: use only one of client and context", 64):
            pachbuild.submit("p.json", self.client(), context="x")
        with self.fails("reprocess: a new pipeline has nothing to process again\n"
                        "hint: use only one of reprocess=True and update=False", 64):
            pachbuild.submit("p.json", self.client(), update=False, reprocess=True)
        self.assertFalse((self.folder / "notes/calls").exists())

    def test_a_function(self):
        self.put_data(a="1")
        steps = self.load(f"import pachbuild\n@pachbuild.pipeline(input='{self.data}', name='{self.pipeline}')\n"
                          "def edges(out): (out / 'x').write_text('1')\n")
        submission = steps.edges.submit(self.client(), wait=True)
        self.assertEqual((submission.sent, submission.running_pipeline), (1, "created"))
        self.assertEqual(list(self.stored()), ["main.py"])

    def test_create_python_pipeline(self):
        self.write("program/main.py", "print()\n")
        self.write("program/requirements.txt", "six\n")
        submission = pachbuild.create_python_pipeline(
            self.client(), "program", f"{self.data}:/", self.pipeline, env={"A": "1"}, secrets=[{"name": "db", "mount_path": "/db"}],
            image_pull_secrets=["pull"], debug=True, parallelism_spec={"constant": 2}, datum_timeout="60s")
        self.assertEqual((submission.pipeline, submission.sent), (self.pipeline, 2))
        spec = self.spec_of(self.pipeline)[0]
        self.assertEqual(spec["input"]["cross"][2], {"pfs": {"repo": self.data, "glob": "/"}})
        transform = {name: spec["transform"][name] for name in ("env", "secrets", "image_pull_secrets", "debug")}
        self.assertEqual(transform, {"env": {"A": "1"}, "secrets": [{"name": "db", "mount_path": "/db"}],
                                     "image_pull_secrets": ["pull"], "debug": True})
        self.assertEqual((spec["parallelism_spec"], spec["datum_timeout"]), ({"constant": 2}, "60s"))
        self.write("program/main.py", "print(1)\n")
        again = pachbuild.create_python_pipeline(self.client(), pathlib.Path("program"), f"{self.data}:/", self.pipeline, update=True,
                                                 reprocess=True)
        self.assertEqual((again.sent, again.kept), (1, 1))
        self.assertEqual([path.name for path in self.folder.glob("pachbuild-*")], [])

    def test_create_python_pipeline_of_a_file(self):
        program = self.write(f"{self.pipeline}.py", "print()\n")
        self.assertEqual(pachbuild.create_python_pipeline(self.client(), program, self.data).sent, 1)
        self.write("requirements.txt", "six\n")
        again = pachbuild.create_python_pipeline(self.client(), str(program), self.data, update=True, image="builder:1")
        self.assertEqual((again.pipeline, sorted(self.stored())), (self.pipeline, ["main.py", "requirements.txt"]))
        self.assertEqual(self.spec_of(f"{self.pipeline}_build")[0]["transform"]["image"], "builder:1")
        with self.fails(f'create_python_pipeline: pipeline "{self.pipeline}" already exists\nhint: pass update=True', 65):
            pachbuild.create_python_pipeline(self.client(), program, self.data)

    def test_create_python_pipeline_that_cannot_be(self):
        fault = 'input: is missing: a pipeline with a build reads data\nhint: for example input="images:/*"'
        with self.fails(fault, 64):
            pachbuild.create_python_pipeline(self.client(), "source")
        with self.fails("FOLDER/nowhere: does not exist\nhint: name a folder with a main.py, or a Python file", 65):
            pachbuild.create_python_pipeline(self.client(), "nowhere", self.data)
        with self.fails("create_python_pipeline.service: cannot be part of a spec: object\n"
                        "hint: pass a string, number, list, dictionary or pachyderm_sdk message", 65):
            pachbuild.create_python_pipeline(self.client(), "source", self.data, service=object())
        with self.assertRaises(pachbuild.Error) as raised:
            pachbuild.create_python_pipeline(self.client(), "source", self.data, datum_tries="x", parallelism_spec={"constant": "y"})
        for error in (raised.exception, *raised.exception.more):
            self.assertEqual(error.where, "create_python_pipeline", "the spec's file is gone")
        self.assertIn("datum_tries", raised.exception.what)

    def test_several_pipelines(self):
        second = json.loads(self.spec.read_text())
        second["pipeline"]["name"] = self.pipeline + "b"
        self.write("specs/b.json", json.dumps({**second, "transform": {"build": {"language": "python", "path": "../source"}}}))
        second["pipeline"]["name"] = self.pipeline + "a"
        self.write("specs/a.json", json.dumps({**second, "transform": {"build": {"language": "python", "path": "../source"}}}))
        found = pachbuild.submit("specs", self.client())
        self.assertEqual([submission.pipeline[-1] for submission in found], ["a", "b"])

    def test_what_is_no_build_pipeline(self):
        self.write("plain.json", json.dumps({"pipeline": {"name": self.pipeline}, "transform": {"image": "a", "cmd": ["true"]},
                                             "input": {"pfs": {"repo": self.data, "glob": "/*"}}}))
        self.assertEqual(pachbuild.submit("plain.json", self.client()), ())
        self.assertEqual(self.spec_of(self.pipeline)[0]["transform"]["image"], "a")


if __name__ == "__main__":
    support.main()
