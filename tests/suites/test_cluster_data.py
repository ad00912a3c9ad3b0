# SPDX-License-Identifier: Apache-2.0
"""Runs on this machine over the repos of a cluster: what is fetched, what is kept, and what goes wrong on the way."""

import base64
import hashlib
import json
import random
import re
import shlex
import signal
import subprocess
import time
import unittest

import cluster_suite
import support

COPY = "import os\nfor name in os.listdir('/pfs/data'):\n    text = open('/pfs/data/' + name).read()\n" \
       "    print(os.environ['data_COMMIT'])\n    open('/pfs/out/' + name, 'w').write(text.upper())\n"
RECORDER = support.ROOT / "tests" / "cluster" / "recorder"


class ClusterData(cluster_suite.ClusterSuite):
    builds = False

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.env["PACHBUILD_CACHE_DIR"] = str(self.cache)
        self.write("source/main.py", COPY)
        self.spec = self.write_spec(input={"pfs": {"name": "data", "repo": self.data, "glob": "/*"}})
        self.out = self.folder / "out"

    def run_here(self, *words, given="pfs:", code=0, **variables):
        given = given if given == "pfs:" else f"{self.data}={given}"
        result = self.pachbuild("run", "-f", self.spec, "--input", given, "--output", self.out, *words,
                                variables=variables)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stderr

    def outputs(self):
        return {path.name: path.read_text() for path in self.out.iterdir() if path.is_file()}

    def commit_id(self, branch="master"):
        return self.raw("inspect", "commit", f"{self.data}@{branch}")[0]["commit"]["id"]

    def recorded(self):
        """Environment of a pachctl that notes its calls, and what gives those that get files."""
        log = self.folder / "calls.jsonl"

        def transfers():
            if not log.exists():
                return []
            calls = [json.loads(line)["words"] for line in log.read_text().splitlines()]
            log.unlink()
            return [words[2].partition(":")[2] for words in calls if words[:2] == ["get", "file"]]

        return {"PACHCTL": str(RECORDER), "RECORDER_LOG": str(log)}, transfers

    def test_a_run_has_the_files_and_the_commit_of_the_cluster(self):
        self.put_data(**{"a.txt": "one", "b/c.txt": "two", "b/empty": ""})
        self.spec = self.write_spec(input={"pfs": {"name": "data", "repo": self.data, "glob": "/a*"}})
        told = self.run_here("--logs", given=f"pfs:{self.data}@master")
        self.assertEqual(self.outputs(), {"a.txt": "ONE"})
        self.assertIn(self.commit_id(), told)
        # The same content under another name of the commit.
        self.assertIn("0 processed, 1 skipped", self.run_here(given=f"pfs:default/{self.data}@{self.commit_id()}"))
        told = self.pachbuild("run", "-f", self.spec, "--input", "pfs:", "--output", self.out, "-o", "json").stdout
        inputs = [event["inputs"] for event in map(json.loads, told.splitlines()) if event["event"] == "datum_skipped"]
        self.assertEqual(inputs, [[{"name": "data", "path": "/a.txt"}]], "no file of this machine")

    def test_datums_are_those_of_the_cluster(self):
        self.put_data(**{"a.txt": "one", "b/c.txt": "two"})
        plain = {"pipeline": {"name": self.pipeline}, "transform": {"cmd": ["true"]},
                 "input": {"pfs": {"repo": self.data, "glob": "/*"}}}
        spec = self.write("plain.json", json.dumps(plain))
        lines = self.pachbuild("list", "datum", "-f", spec, "--input", "pfs:", "-o", "json").stdout
        ids = [item["datum"]["id"] for item in support.read_objects(lines)]
        self.assertEqual(len(ids), 2)
        if cluster_suite.REAL:
            self.assertEqual(ids, [item["datum"]["id"] for item in self.raw("list", "datum", "--file", str(spec))])

    @cluster_suite.stand_in_only
    def test_only_what_datums_need_is_fetched_and_only_once(self):
        self.put_data(**{"a.txt": "one", "b.txt": "two", "c.txt": "one"})
        variables, transfers = self.recorded()
        listed = self.pachbuild("list", "datum", "-f", self.spec, "--input", "pfs:", variables=variables)
        self.assertEqual(len(listed.stdout.splitlines()), 3, listed.stderr)
        self.assertEqual(transfers(), [])
        self.run_here("--datum", "b.txt", "--partial", **variables)
        self.assertEqual(transfers(), ["/b.txt"])
        self.run_here(**variables)
        self.assertEqual(transfers(), ["/a.txt"])  # c.txt has the same content
        self.run_here("--force", **variables)
        self.assertEqual(transfers(), [])
        self.assertEqual(self.outputs(), {"a.txt": "ONE", "b.txt": "TWO", "c.txt": "ONE"})

    @cluster_suite.stand_in_only
    def test_many_files_of_a_folder_come_in_one_call(self):
        self.put_data(**{f"many/{number}": str(number) for number in range(30)}, **{"a.txt": "one"})
        variables, transfers = self.recorded()
        self.spec = self.write_spec(input={"pfs": {"name": "data", "repo": self.data, "glob": "/"}})
        self.write("source/main.py", "import os\nprint(len(os.listdir('/pfs/data/many')), 'files')\n")
        self.assertIn("30 files", self.run_here("--logs", **variables))
        self.assertEqual(transfers(), ["/"])

    def test_a_moved_branch_is_followed_and_a_commit_is_not(self):
        self.put_data(**{"a.txt": "one"})
        first = self.commit_id()
        self.run_here()
        self.put_data(**{"a.txt": "other", "b.txt": "two"})
        self.run_here()
        self.assertEqual(self.outputs(), {"a.txt": "OTHER", "b.txt": "TWO"})
        self.run_here(given=f"pfs:{self.data}@{first}")
        self.assertEqual(self.outputs(), {"a.txt": "ONE"})

    def test_without_the_cluster_what_is_known_is_used(self):
        self.put_data(**{"a.txt": "one"})
        self.run_here()
        commit = self.commit_id()
        told = self.run_here("--force", PACHCTL=str(self.folder / "gone"))
        self.assertRegex(told, rf"warning: the cluster cannot be reached; \S*{self.data}@master is commit {commit}, as of \d+ s ago\n")
        self.assertEqual(self.outputs(), {"a.txt": "ONE"})
        told = self.run_here("--force", given=f"pfs:{self.data}@{commit}", PACHCTL=str(self.folder / "gone"))
        self.assertNotIn("warning", told)
        told = self.run_here(given=f"pfs:{self.data}@other", code=69, PACHCTL=str(self.folder / "gone"))
        self.assertIn("/gone: does not exist", told)

    @cluster_suite.stand_in_only
    @unittest.skipUnless(support.LONG, "waits for 10 s")
    def test_a_silent_cluster_is_not_waited_for(self):
        self.put_data(**{"a.txt": "one"})
        self.run_here()
        start = time.monotonic()
        self.assertIn("the cluster cannot be reached", self.run_here("--force", STAND_IN_FAULT="silence"))
        self.assertLess(time.monotonic() - start, 25)

    @cluster_suite.stand_in_only
    def test_a_file_that_pfs_splits_where_its_content_says(self):
        content = random.Random(1).randbytes(6_000_000).hex().encode()
        self.put_data(large=content)
        listed = self.raw("glob", "file", f"{self.data}@master:/*")
        whole = hashlib.blake2b(hashlib.blake2b(content, digest_size=32).digest(), digest_size=32).digest()
        self.assertNotEqual(base64.b64decode(listed[0]["hash"]), whole)
        self.assertIn("1 processed", self.run_here())

    def test_what_comes_damaged_is_refused_and_not_kept(self):
        self.put_data(**{"a.txt": "one"})
        told = self.run_here(code=75, STAND_IN_FAULT="damage")
        self.assertIn("@master:/a.txt: the received content does not match the hash on the cluster\nhint: run it again\n", told)
        self.assertFalse(self.out.exists() and self.outputs())
        self.run_here()
        self.assertEqual(self.outputs(), {"a.txt": "ONE"})

    @cluster_suite.stand_in_only
    def test_a_name_that_would_leave_the_folder_is_refused(self):
        self.put_data(**{"a.txt": "one"})
        state = self.folder / "state" / "state.json"
        for name in ("../evil", "a/../../evil", "/evil", "a//b", "./a"):
            with self.subTest(name):
                content = json.loads(state.read_text())
                commit = content["commits"][f"{self.data}@{self.commit_id()}"]
                commit["files"] = {name: next(iter(commit["files"].values()))}
                state.write_text(json.dumps(content))
                self.assertIn("which cannot be stored in a folder here", self.run_here(code=65))

    def test_what_is_not_there_or_not_finished_is_an_error(self):
        self.put_data(**{"a.txt": "one"})
        told = self.run_here(given=f"pfs:{self.data}@nope", code=65)
        self.assertIn(f'error: {self.data}@nope: branch "nope" not found in repo default/{self.data}\n'
                      f"hint: pachctl list branch {self.data} lists them\n", told)
        self.pachctl("start", "commit", self.data + "@open")
        self.assertIn(f"error: {self.data}@open: is not finished yet\n", self.run_here(given=f"pfs:{self.data}@open", code=75))
        told = self.run_here(given="pfs:a b@c", code=64)
        self.assertIn('"a b@c" does not have the form [PROJECT/]REPO[@BRANCH-OR-COMMIT]', told)

    @cluster_suite.stand_in_only
    def test_two_runs_at_once_fetch_the_same(self):
        self.put_data(**{f"{number}.txt": str(number) for number in range(20)})
        words = [support.PACHBUILD, "run", "-f", str(self.spec), "--input", "pfs:", "--output"]
        runs = [subprocess.Popen([*words, str(self.folder / f"out{number}")], env=self.env, stdin=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True) for number in range(2)]
        for number, run in enumerate(runs):
            _, told = run.communicate(timeout=120)
            self.assertEqual(run.returncode, 0, told)
            self.assertEqual(len(list((self.folder / f"out{number}").glob("*.txt"))), 20)

    @cluster_suite.stand_in_only
    def test_ctrl_c_ends_a_transfer_and_leaves_nothing(self):
        self.put_data(**{"a.txt": "one"})
        run = subprocess.Popen([support.PACHBUILD, "run", "-f", str(self.spec), "--input", "pfs:", "--output", str(self.out)],
                               env={**self.env, "STAND_IN_FAULT": "slow"}, stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.stderr.close)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        deadline = time.monotonic() + 60
        while not (self.folder / "state" / "slow").exists():
            self.assertIsNone(run.poll(), "it has ended by itself")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(timeout=10), 128 + signal.SIGINT)
        self.assertEqual([path.name for path in (self.cache / "run").iterdir() if path.name.startswith(".pachbuild-")], [])
        self.run_here()
        self.assertEqual(self.outputs(), {"a.txt": "ONE"})

    def test_fetched_files_count_for_the_limit_of_the_cache(self):
        self.put_data(**{"a.txt": "a" * 300_000})
        first = self.commit_id()
        self.run_here(PACHBUILD_CACHE_LIMIT="0")
        self.put_data(**{"a.txt": "b" * 300_000})
        time.sleep(2.1)  # what was used within a second of a run's begin stays
        self.run_here(PACHBUILD_CACHE_LIMIT="700KiB")
        objects = sum(path.stat().st_size for path in (self.cache / "results" / "objects").rglob("*") if path.is_file())
        self.assertLess(objects, 700 * 1024)
        told = self.run_here("--force", given=f"pfs:{self.data}@{first}", PACHBUILD_CACHE_LIMIT="0")
        self.assertIn("1 processed", told)


FAIL = """import os, sys
path = os.environ["data"]
print("job", os.environ["PACH_JOB_ID"], "level", os.environ["LEVEL"], "commit", os.environ["data_COMMIT"])
if os.path.basename(path).startswith("fail"):
    raise ValueError("cannot read " + os.path.basename(path))
open("/pfs/out/" + os.path.basename(path), "w").write("done")
"""
SHELL = 'echo job $PACH_JOB_ID level $LEVEL commit $data_COMMIT; case "$data" in */fail*) exit 3;; esac; cp "$data" /pfs/out'


class ClusterJobs(cluster_suite.ClusterSuite):
    """A failed job of the cluster, done again here."""

    def setUp(self):
        super().setUp()
        self.env["PACHBUILD_CACHE_DIR"] = str(self.folder / "cache")
        self.input = {"pfs": {"name": "data", "repo": self.data, "glob": "/*"}}

    def failed_job(self):
        deadline = time.monotonic() + 120
        while True:
            jobs = self.raw("list", "job", "--pipeline", self.pipeline)
            if jobs and jobs[0]["state"] in ("JOB_FAILURE", "JOB_SUCCESS", "JOB_UNRUNNABLE"):
                self.assertEqual(jobs[0]["state"], "JOB_FAILURE", jobs[0])
                return jobs[0]["job"]["id"]
            self.assertLess(time.monotonic(), deadline, jobs)
            time.sleep(0.5)

    def again(self, *words, code, **variables):
        result = self.pachbuild("run", *words, variables=variables)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stderr

    def test_a_job_of_commands(self):
        self.put_data(**{"a.txt": "one", "fail1": "x", "fail2": "y"})
        commit = self.raw("inspect", "commit", self.data + "@master")[0]["commit"]["id"]
        spec = {"pipeline": {"name": self.pipeline}, "datum_tries": 1, "input": self.input,
                "transform": {"image": "debian:12", "cmd": ["sh", "-c", SHELL], "env": {"LEVEL": "7"}}}
        self.pachctl("create", "pipeline", "--file", self.write("plain.json", json.dumps(spec)))
        job = self.failed_job()
        self.put_data(**{"fail1": "changed since", "fail3": "z"})
        told = self.again("--job", f"{self.pipeline}@{job}", code=65)
        self.assertIn("--host-commands", told)
        told = self.again("--job", f"{self.pipeline}@{job}", "--host-commands", code=1)
        self.assertIn(f"job {job} level 7 commit {commit}\n", told)
        self.assertIn("2 failed, 1 not selected", told)
        # The job is kept: nothing is asked again.
        out = self.folder / "out"
        told = self.again("--job", f"{self.pipeline}@{job}", "--host-commands", "--datum", "a.txt", "--partial", "--output", out,
                          code=0, PACHCTL=str(self.folder / "gone"))
        self.assertEqual([path.name for path in out.glob("*.txt")], ["a.txt"])

    @cluster_suite.stand_in_only
    def test_a_job_of_a_build(self):
        self.put_data(**{"a.txt": "one", "fail1": "x"})
        self.write("source/main.py", FAIL)
        spec = self.write_spec(input=self.input, transform={"build": {"language": "python", "path": "source"},
                                                            "env": {"LEVEL": "7"}})  # fmt: skip
        self.update(spec=spec)
        job = self.failed_job()
        self.write("source/main.py", "print('edited since')\n")
        told = self.again("--job", f"{self.pipeline}@{job}", code=1)
        self.assertIn(f"job {job} level 7", told)
        self.assertIn("ValueError: cannot read fail1", told)
        self.assertNotIn("edited since", told)
        # Without an id it is the newest job.
        self.assertIn("ValueError", self.again("--job", self.pipeline, code=1))

    @cluster_suite.stand_in_only
    def test_the_story_of_the_documentation(self):
        text = (support.ROOT / "docs" / "debugging.md").read_text(encoding="utf-8")
        section = text.partition("## A datum that failed on the cluster\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)
        self.write("source/main.py", next(block for kind, block in blocks if kind == "python"))
        self.write("prices.json", next(block for kind, block in blocks if kind == "json"))
        self.pachctl("create", "repo", "sales")
        self.data = "sales"
        self.put_data(**{"good.csv": "item,price\ncoffee,2.50\n", "failing.csv": 'item,price\ntea,"1,20"\n'})
        self.pipeline = "prices"
        self.update(spec=self.folder / "prices.json")
        job = self.failed_job()
        consoles = [block for kind, block in blocks if kind == "console"]
        self.assertEqual(len(consoles), 4)
        for console in consoles[:3]:
            self.check_console(console, job)
        program = self.folder / "source" / "main.py"
        program.write_text(program.read_text().replace('row["price"]', 'row["price"].replace(",", ".")'))
        self.check_console(consoles[3], job)

    def check_console(self, console, job):
        """Runs the commands of a block; what it shows is printed, but for times and numbers of bytes."""
        told = None
        for line in console.replace("64b1d1d6c1b04f0f8a1b3a06ff9ac1c3", job).splitlines():
            if line.startswith("$ "):
                words = shlex.split(line[2:])
                words[0] = str(support.PACHBUILD) if words[0] == "pachbuild" else words[0]
                result = self.run_program(*words, env=self.env, cwd=self.folder)
                told = result.stdout + result.stderr
            else:
                form = re.sub(r"\d+ (ms|KiB|B)\b", r"[\\d.]+ (ms|s|KiB|B)", re.escape(line).replace(r"\ ", " "))
                self.assertRegex(told, rf"(?m)^.*{form}$")

    def test_what_is_not_a_job(self):
        self.assertIn("not found", self.again("--job", "nope", code=65))
        self.assertIn(f"error: job {self.pipeline}@{'0' * 32}: ", self.again("--job", f"{self.pipeline}@{'0' * 32}", code=65))
        self.assertIn('--job a@b: invalid job id "b"; expected 32 hexadecimal digits\n',
                      self.again("--job", "a@b", code=64))
        self.assertIn("omit -f", self.again("--job", "a", "-f", str(self.spec), code=64))


if __name__ == "__main__":
    support.main()
