# SPDX-License-Identifier: Apache-2.0
"""What `pachbuild run` prints where nothing is drawn: how much of it, logs while datums run, the person's names of
files, events for other programs."""

import json
import re
import signal
import subprocess
import threading
import time

import json_schema
import pipelines
import support

SCHEMA = json.loads((support.ROOT / "docs/events.schema.json").read_text(encoding="utf-8"))


class ShownRun(pipelines.PipelineSuite):
    def events(self, *arguments, code=0, **options):
        result = self.pachbuild_run("-o", "json", *arguments, **options)
        self.assertEqual(result.returncode, code, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        for event in events:
            self.assertEqual(json_schema.faults(event, SCHEMA), [], event)
        return events

    def test_the_schema_is_not_fulfilled_by_anything(self):
        good = {"time": "2026-11-25T22:31:45.123Z", "event": "datums_counted", "pipeline": "a", "datums": 3}
        self.assertEqual(json_schema.faults(good, SCHEMA), [])
        for change in ({"datums": -1}, {"datums": "3"}, {"time": "now"}, {"event": "other"}, {"more": 1}):
            self.assertNotEqual(json_schema.faults({**good, **change}, SCHEMA), [], change)
        inputs = SCHEMA["$defs"]["inputs"]
        self.assertEqual(json_schema.faults([{"name": "a", "path": "/"}], inputs), [])
        self.assertEqual(json_schema.faults([{"name": "a"}, {"name": "a", "path": 3}], inputs),
                         ["$[0]: lacks path", "$[1].path: 3 is no string"])

    def test_events(self):
        self.shell_pipeline('echo "at $(basename "$data")"; printf end\n'
                            'case $data in *bad*) exit 3;; esac; cat "$data" > "/pfs/out/$(basename "$data")"\n')
        self.data(a="one", bad="two")
        events = self.events("--logs", "--partial", code=1)
        names = [event["event"] for event in events]
        self.assertEqual((names[0], names[-1]), ("run_began", "run_ended"))
        for name in ("phase_began", "phase_ended", "build_step", "build_printed", "datums_counted", "datums_began",
                     "datum_started", "datum_printed", "datum_ended", "pipeline_ended"):
            self.assertIn(name, names)
        phases = [(event["phase"], event.get("of"), event["succeeded"])
                  for event in events if event["event"] == "phase_ended"]
        self.assertEqual(sorted(phases, key=str),
                         [("building", None, True), ("exporting", None, True), ("reading", "data", True)])
        printed = [(event["datum"]["label"], event["line"]) for event in events if event["event"] == "datum_printed"]
        self.assertEqual(sorted(printed), [("data/a", "at a"), ("data/a", "end"),
                                           ("data/bad", "at bad"), ("data/bad", "end")])
        ended = {event["datum"]["label"]: event for event in events if event["event"] == "datum_ended"}
        self.assertEqual([ended["data/a"][name] for name in ("state", "files", "bytes")], ["succeeded", 1, 3])
        self.assertEqual([ended["data/bad"][name] for name in ("state", "reason", "exit_code")], ["failed", "exit code 3", 3])
        self.assertNotIn("exit_code", ended["data/a"])
        started = {event["datum"]["label"]: event["inputs"] for event in events if event["event"] == "datum_started"}
        self.assertEqual(started, {f"data/{name}": [{"name": "data", "path": f"/{name}", "file": str(self.folder / "data" / name)}]
                                   for name in ("a", "bad")})
        # All that a datum prints is told before its end.
        last = {event["datum"]["label"]: event["event"] for event in events if "datum" in event}
        self.assertEqual(set(last.values()), {"datum_ended"})
        self.assertEqual(events[-1]["exit_code"], 1)
        again = self.events("--partial", code=1)
        skipped = [event for event in again if event["event"] == "datum_skipped"]
        self.assertEqual([(event["datum"]["label"], event["inputs"], event["log"]) for event in skipped],
                         [("data/a", started["data/a"], ended["data/a"]["log"])])

    def test_a_failure_that_is_not_the_programs(self):
        self.shell_pipeline('touch "/pfs/out/a*"\n')
        self.data(a="1")
        ended = [event for event in self.events(code=1) if event["event"] == "datum_ended"]
        self.assertEqual([event["state"] for event in ended], ["failed"])
        self.assertIn("a*", ended[0]["reason"])
        self.assertNotIn("exit_code", ended[0])

    def test_a_run_ends_when_nobody_reads_its_events(self):
        self.shell_pipeline(f'touch "{self.folder}/runs"; sleep 600\n')
        self.data(a="1")
        process = subprocess.Popen(self.command("-o", "json"), env=self.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stderr.close)
        end = time.monotonic() + 60
        while not (self.folder / "runs").exists():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        process.stdout.close()
        self.assertIn(process.wait(20), (128 + signal.SIGHUP, -signal.SIGHUP))
        self.assertIn("warning: interrupted", process.stderr.read())
        self.assert_nothing_left()

    def test_events_of_a_build_that_fails(self):
        self.write("source/build.sh", "echo no compiler >&2; exit 1\n")
        self.spec()
        self.data(a="1")
        events = self.events(code=1)
        self.assertIn("no compiler", [event.get("line") for event in events])
        built = [event["succeeded"] for event in events if event.get("phase") == "building" and "succeeded" in event]
        self.assertEqual(built, [False])
        self.assertEqual(events[-2]["event"], "pipeline_failed")

    def test_the_folder_by_its_short_option(self):
        self.shell_pipeline('cp "$data" /pfs/out\n')
        self.data(a="1")
        command = [word for word in self.command() if word not in ("--output", str(self.out))]
        self.succeed(*command, "-o", "json", env=self.environment())
        self.assertTrue((self.folder / "json/a").is_file())
        refused = self.run_program(*self.command("-o", "elsewhere"), env=self.environment())
        self.assertEqual((refused.returncode, refused.stderr),
                         (64, "error: -o elsewhere: must be json when --output is given\n"
                              "hint: use only one of the two for the folder\n"))

    def test_how_much_is_printed(self):
        self.write("source/build.sh", "echo of the build; " + pipelines.COPY_RUN_SCRIPT)
        self.write("source/program.sh", 'case $data in *bad*) echo why; exit 3;; esac; cp "$data" /pfs/out\n')
        self.spec()
        self.data(a="1", bad="2")
        usual = self.pachbuild_run().stderr
        self.assertIn("of the build\n", usual)
        self.assertNotIn("started", usual)
        quiet = self.pachbuild_run("-q").stderr
        failure = r"^warning: datum data/bad failed: exit code 3 \(log: .*\)\nwhy\nerror: .*\nhint: .*\n$"
        self.assertRegex(quiet, failure)
        verbose = self.pachbuild_run("-v", "--force").stderr
        self.assertRegex(verbose, r"(?m)^datum \d a: started \(data/a\)$")
        self.assertRegex(verbose, r"(?m)^datum \d a: succeeded in .*, 1 file of 1 B$")
        self.assertEqual(self.pachbuild_run("-q", "-v").returncode, 64)
        self.write("source/build.sh", "echo of the build; exit 1\n")
        self.assertIn("of the build\n", self.pachbuild_run("-q").stderr)

    def test_logs_while_datums_run(self):
        self.shell_pipeline(f'name=$(basename "$data"); echo "begins $name"; printf half\n'
                            f'while ! [ -e "{self.folder}/go" ]; do sleep 0.02; done; echo " and half"; printf last\n')
        self.data(a="1", b="2")
        process = subprocess.Popen(self.command("--logs", "--workers", "2"), env=self.environment(),
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stderr.close)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(process.stderr.readline, "")), daemon=True)
        reader.start()
        end = time.monotonic() + 60
        while len([line for line in lines if "| begins" in line]) < 2:
            self.assertLess(time.monotonic(), end, lines)
            time.sleep(0.02)
        self.assertFalse([line for line in lines if "half" in line])
        self.assertIsNone(process.poll())
        self.write("go", "")
        self.assertEqual(process.wait(60), 0)
        reader.join()
        for number, name in self.numbers():
            self.assertEqual([line for line in lines if line.startswith(f"{number} {name} | ")],
                             [f"{number} {name} | begins {name}\n", f"{number} {name} | half and half\n",
                              f"{number} {name} | last\n"])

    def numbers(self):
        listed = self.succeed(support.PACHBUILD, "list", "datum", "-f", self.folder / "spec.json", "--input",
                              f"data={self.folder / 'data'}", env=self.environment()).stdout
        names = re.findall(r"data[@:/].*?/?([ab])\b", listed)
        self.assertEqual(len(names), 2, listed)
        return list(enumerate(names, 1))

    def test_names_of_the_source(self):
        self.write("elsewhere/note", "")
        self.shell_pipeline("cd -P /pfs/source; pwd -P | sed 's/^/at /; s/$/\\/lib\\/x.py:7: bad/'\n"
                            'printf "  File \\"/pfs/source/main.py\\", line 4, in x\\n"\n'
                            'echo "/pfs/source: whole, /pfs/sources/x is another, /pfs/data/y"\n'
                            'printf "\\texample.com/tool/inner/inner.go:2 +0x1d\\n"\n'
                            'echo "./main.go:3:2: undefined: x"; exit 1\n')
        self.write("source/go.mod", "module example.com/tool\n")
        self.write("source/inner/inner.go", "package inner\n")
        self.write("source/main.go", "package main\n")
        self.data(a="1")
        for folder, whole, before in ((self.folder, "source", "source/"),
                                      (self.folder / "elsewhere", "../source", "../source/"),
                                      (self.folder / "source", ".", "")):
            result = self.pachbuild_run(cwd=folder)
            for line in (f"at {before}lib/x.py:7: bad", f'  File "{before}main.py", line 4, in x',
                         f"{whole}: whole, /pfs/sources/x is another, /pfs/data/y", f"\t{before}inner/inner.go:2 +0x1d",
                         f"{before}main.go:3:2: undefined: x"):
                self.assertIn(line + "\n", result.stderr)
        log = re.search(r"\(log: (.*)\)", result.stderr)[1]
        with open(log, encoding="utf-8") as file:
            self.assertIn('File "/pfs/source/main.py"', file.read())

    def test_why_nothing_was_written(self):
        self.data(a="1", b="2")
        for program, expected in (
                ("mkdir /pfs/output; cp $data /pfs/output\n",
                 "it wrote /pfs/output, which is lost; write to /pfs/out"),
                ("mkdir /pfs/source/results; cp $data /pfs/source/results\n",
                 "it wrote /pfs/source/results, which is lost; write to /pfs/out"),
                ("true\nfor file in /pfs/images/*; do cp $file /pfs/out; done 2>/dev/null; true\n",
                 "source/program.sh:2 names /pfs/images, which does not exist; the inputs are /pfs/data"),
                ('find /pfs/data -type f -exec cp {} /pfs/out \\;\n',
                 "source/program.sh:1 does not follow the link /pfs/data; write /pfs/data/")):
            with self.subTest(program=program):
                self.shell_pipeline(program)
                result = self.succeed_run()
                said = r"(?m)^warning: datum data/[ab] wrote nothing to /pfs/out: " + re.escape(expected) + "$"
                self.assertRegex(result.stderr, said)
                self.assertEqual(result.stderr.count("wrote nothing"), 1)
        for program in ("true\n", "find /pfs/data/ -name x; ls /pfs/$name /pfs/out /pfs/source\n"):
            self.shell_pipeline(program)
            self.assertNotIn("wrote nothing", self.succeed_run().stderr)

    def test_many_failures_of_one_cause(self):
        count = 3000 if support.LONG else 300
        self.shell_pipeline(f'name=$(basename "$data"); if [ $((1$name % {count // 75})) = 3 ]; then\n'
                            'echo "row $name: no number"; exit 1; fi; echo > "/pfs/out/$name"\n')
        self.data(**{f"{number:04}": "x" for number in range(count)})
        started = time.monotonic()
        result = self.pachbuild_run("--workers", 4, "--partial")
        took = time.monotonic() - started
        lines = result.stderr.splitlines()
        # Besides a line for each half minute that it took.
        self.assertLessEqual(len([line for line in lines if not line.startswith("running: ")]), 40, result.stderr)
        self.assertLessEqual(len([line for line in lines if line.startswith("running: ")]), took / 30)
        self.assertEqual(result.stderr.count("no number"), 1)
        self.assertIn(f"{count - 75} processed, 0 skipped, 75 failed", result.stderr)
        self.assertIn("warning: 74 more datums failed in the same way as data/", result.stderr)


if __name__ == "__main__":
    support.main()
