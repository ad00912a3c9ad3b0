# SPDX-License-Identifier: Apache-2.0
"""`pachbuild dev --cluster`: edits that go to a cluster, and what comes back from its jobs."""

import json
import os
import re
import signal

import cluster_suite
import dev_session
import support
import terminal

ID = "[0-9a-f]{32}"


@cluster_suite.stand_in_only
class DevOnCluster(cluster_suite.ClusterSuite):
    def setUp(self):
        super().setUp()
        self.put_data(**{"a.txt": "1\n", "b.txt": "2\n"})
        self.env["STAND_IN_PRINTS"] = "counted"

    def words(self, *words):
        return [support.PACHBUILD, "dev", "--cluster", "-f", self.spec, *words]

    def dev(self, *words, **variables):
        return dev_session.Dev(self, self.words(*words), env={**self.env, **variables}, cwd=self.folder)

    def edit(self, path, content):
        """One edit, however slow the machine."""
        os.replace(self.write("saved", content), self.folder / path)

    def jobs(self):
        """Ids of the pipeline's jobs, the newest first."""
        return [job["job"]["id"] for job in self.raw("list", "job", "--pipeline", self.pipeline)]

    def holding(self):
        """A pachctl for which no job ends while the file `hold` is there; it notes in `asked` that it was asked."""
        hold, asked = self.write("hold", ""), self.folder / "asked"
        program = self.write("holding", f"""#!/bin/sh
case "$*" in "list job "[0-9a-f]*)
  if [ -e {hold} ]; then
    : >{asked}
    {self.program()[0]} "$@" | sed 's/JOB_SUCCESS/JOB_RUNNING/; s/JOB_FAILURE/JOB_RUNNING/'
    exit
  fi ;;
esac
exec {self.program()[0]} "$@"
""", mode=0o755)
        return hold, asked, str(program)

    def test_an_edit_is_sent_and_what_its_jobs_print_is_shown(self):
        dev = self.dev()
        line, seen = dev.wait_round("job")
        self.assertRegex(line, rf"^round 1: sent 1 file, build [^,]+, job {ID}: 2 datums, 0 failed, [^,]+$")
        self.assertEqual(re.search(ID, line)[0], self.jobs()[0])
        first = "\n".join(dev.lines[:seen])
        self.assertRegex(first, rf"(?m)^{self.pipeline}_build \| .*detect: python")
        self.assertEqual(re.findall(rf"(?m)^{self.pipeline} \| (.*)$", first), ["counted"])

        self.edit("source/main.py", cluster_suite.PROGRAM.replace("one", "two"))
        line, seen = dev.wait_round("job", after=seen)
        self.assertRegex(line, rf"^round 2: main.py changed: sent 1 file, job {self.jobs()[0]}: 2 datums")
        self.assertEqual(self.stored(), self.local())

        self.write("source/.pachignore", "*.log\n")
        line, seen = dev.wait_round("job", after=seen)
        self.assertRegex(line, r"^round 3: \.pachignore changed: sent 1 file, ")
        self.write("source/x.log", "ignored")
        self.put_data(**{"c.txt": "3\n"})  # nothing of the cluster's is watched, and its file here is not
        self.write_spec(parallelism_spec={"constant": 2})
        line, seen = dev.wait_round("job", after=seen)
        self.assertRegex(line, r"^round 4: p.json changed: sent the spec, job .*: 3 datums, 0 failed")
        self.assertEqual(self.spec_of(self.pipeline)[0]["parallelism_spec"], {"constant": 2})
        self.assertEqual(dev.stop(), 128 + signal.SIGTERM)
        self.assertEqual(dev_session.processes_left(str(self.folder / "state")), [])

    def test_faults_are_told_and_waited_out(self):
        self.write("source/main.py", "print('x'\n")
        dev = self.dev()
        line, seen = dev.wait_round("build failed")
        self.assertRegex(line, r"^round 1: sent 1 file, build failed, ")
        told = "\n".join(dev.lines)
        self.assertEqual(told.count("SyntaxError: '(' was never closed"), 1, told)
        self.assertRegex(told, rf"(?m)^error: pipeline {self.pipeline}_build: job {ID} failed")
        self.edit("source/main.py", cluster_suite.PROGRAM)
        _, seen = dev.wait_round("0 failed", after=seen)

        good = self.spec.read_text(encoding="utf-8")
        self.edit("p.json", "{")
        line, seen = dev.wait_round("could not be run", after=seen)
        self.assertIn("(exit code 65)", line)
        self.edit("p.json", good)
        line, seen = dev.wait_round("job", after=seen)
        self.assertRegex(line, r"p.json changed: nothing new, job ")

        self.put_data(**{"fail.txt": "x\n"})
        self.edit("source/main.py", cluster_suite.PROGRAM + "#\n")
        line, seen = dev.wait_round("main.py changed", after=seen)
        self.assertRegex(line, rf"job {ID}: 3 datums, 1 failed, ")

    def test_an_edit_ends_the_waiting_for_an_older_one(self):
        hold, asked, program = self.holding()
        dev = self.dev(PACHCTL=program)
        dev.wait_until(asked.exists, "the waiting")
        self.assertNotIn("round 1", "\n".join(dev.lines))
        self.edit("source/main.py", cluster_suite.PROGRAM.replace("one", "two"))
        _, seen = dev.wait_line("^round 1: stopped for a newer edit after ")
        dev.wait_until(lambda: len(self.jobs()) == 2, "the job of the edit")
        hold.unlink()
        line, _ = dev.wait_round("job", after=seen)
        self.assertRegex(line, rf"^round 2: main.py changed: sent 1 file, .*job {self.jobs()[0]}: 2 datums, 0 failed")
        self.assertEqual((self.stored(), self.branches()), (self.local(), ["master"]))

    def test_ending_it_ends_the_waiting(self):
        _, asked, program = self.holding()
        dev = self.dev(PACHCTL=program)
        dev.wait_until(asked.exists, "the waiting")
        self.assertEqual(dev.stop(signal.SIGINT), 128 + signal.SIGINT)
        self.assertEqual(dev_session.processes_left(str(self.folder / "state")), [])

    def test_several_pipelines(self):
        other = self.pipeline + "_b"
        spec = json.loads(self.spec.read_text(encoding="utf-8"))
        self.write("specs/a.json", json.dumps({**spec, "transform": {"build": {"language": "python", "path": "../source"}}}))
        self.write("specs/plain.json", json.dumps({
            "pipeline": {"name": other}, "transform": {"image": "x:1", "cmd": ["true"]},
            "input": {"pfs": {"repo": self.pipeline, "glob": "/*"}}}))  # fmt: skip
        self.spec = self.folder / "specs"
        dev = self.dev()
        line, _ = dev.wait_round("job")
        self.assertRegex(line, rf"^round 1: {self.pipeline}: sent 1 file, .*; {other}: sent as is, ")

    def test_keys(self):
        session = terminal.Session([str(word) for word in self.words()], {**self.env, "TERM": "xterm"}, columns=200, cwd=self.folder)
        self.addCleanup(session.close)

        def has(pattern):
            return lambda screen: re.search(pattern, "\n".join(screen.all_lines()))

        session.wait_for(has(rf"round 1: sent 1 file, build [^,]+, job {ID}: 2 datums, 0 failed, "), "the first round")
        session.wait_for(has("waiting for changes  r submit again  q quit  h help"), "the keys")
        self.assertTrue(has(rf"{self.pipeline}: source: 1 file sent")(session.screen))
        session.type(b"fo")  # of a run on this machine
        session.type(b"r")
        session.wait_for(has(rf"round 2: submitted again\n(.*\n)*round 2: nothing new, job {ID}: 2 datums"), "another one")
        session.type(b"q")
        self.assertEqual(session.finish(), 0)
        self.assertFalse(has("rerun of failed|no report")(session.screen))

    def test_what_makes_no_sense_on_a_cluster(self):
        for words, what in (
            (("--input", "a=b"), "--cluster: cannot be combined with --input"),
            (("--output", "out"), "--cluster: cannot be combined with --output"),
            (("--logs",), "--cluster: cannot be combined with --logs"),
            (("-f", "q.json"), "--cluster: cannot be combined with a second -f"),
            (("--", "-v"), "--cluster: cannot be combined with arguments of the program"),
        ):
            with self.subTest(words=words):
                result = self.run_program(*self.words(*words), env=self.env, cwd=self.folder)
                self.assertEqual(result.returncode, 64)
                self.assertTrue(result.stderr.startswith(f"error: {what}\nhint: "), result.stderr)
        result = self.pachbuild("dev", "--cluster", "-f", "-")
        self.assertEqual(result.returncode, 64)
        self.assertIn("error: -f -: is neither a file nor a folder", result.stderr)
        result = self.pachbuild("dev", "-f", self.spec, "--output", "out", "--project", "p")
        self.assertEqual((result.returncode, result.stderr.partition("\n")[0]), (64, "error: --project: requires --cluster"))

    def test_without_pachctl_it_ends(self):
        result = self.run_program(*self.words(), env={**self.env, "PACHCTL": "/nowhere/pachctl"}, cwd=self.folder)
        self.assertEqual(result.returncode, 69, result.stderr)

    def test_the_project_is_that_of_update_pipeline(self):
        words = self.write("said", "")
        program = self.write("saying", f'#!/bin/sh\necho "$*" >>{words}\nexec {self.program()[0]} "$@"\n', mode=0o755)
        dev = self.dev("--project", "nowhere", PACHCTL=str(program))
        dev.wait_line("^round 1: ")
        self.assertIn("--project nowhere", words.read_text(encoding="utf-8"))


if __name__ == "__main__":
    support.main()
