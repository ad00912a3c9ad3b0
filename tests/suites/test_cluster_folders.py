# SPDX-License-Identifier: Apache-2.0
"""update pipeline -f DIR: pipelines that read each other's results."""

import json
import re
import time
import unittest

import cluster_suite
import examples
import support


class Folders(cluster_suite.ClusterSuite):
    builds = False

    def name(self, letter):
        return f"{self.pipeline}_{letter}"

    def chain(self, **reads):
        """Pipelines in files of their own, by what each reads: a letter, or None for the data."""
        for letter, read in reads.items():
            spec = {"pipeline": {"name": self.name(letter)}, "transform": {"image": "debian:12", "cmd": ["true"]},
                    "input": {"cross": [{"pfs": {"repo": self.name(read) if read else self.data, "glob": "/"}}]}}
            self.write(f"dag/{letter}.json", json.dumps(spec))
        return self.folder / "dag"

    def test_each_follows_what_it_reads(self):
        lines = self.update(spec=self.chain(a="b", b="c", c=None, d="a"))
        self.assertEqual(lines, [f"{self.name(letter)}: sent as is" for letter in "cbad"])
        self.assertEqual(self.names("pipeline"), [self.name(letter) for letter in "abcd"])

    def test_one_that_is_built_is_one_of_them(self):
        folder = self.chain(a="m", n=None)
        self.write("dag/m.json", json.dumps({
            "pipeline": {"name": self.name("m")}, "transform": {"build": {"language": "python", "path": "../source"}},
            "input": {"pfs": {"repo": self.name("n"), "glob": "/*"}}}))
        lines = self.update(spec=folder)
        self.assertEqual([line.split(":")[0] for line in lines], [self.name(letter) for letter in "nmmma"])

    def test_a_circle_and_a_name_twice_are_refused_before_anything_is_sent(self):
        folder = self.chain(a="b", b="a", c=None)
        result = self.pachbuild("update", "pipeline", "-f", folder)
        self.assertEqual(result.returncode, 65, result.stderr)
        a, b = self.name("a"), self.name("b")
        self.assertIn(f"the pipelines form a cycle: {a} reads {b}, which reads {a}\nhint: remove one of the inputs\n", result.stderr)
        self.chain(a=None, b=None)
        self.write("dag/z.json", (folder / "b.json").read_text())
        result = self.pachbuild("update", "pipeline", "-f", folder)
        self.assertEqual(result.returncode, 65, result.stderr)
        self.assertIn(f'pipeline name "{self.name("b")}" is already used', result.stderr)
        self.assertEqual(self.names("pipeline"), [])

    def test_what_was_submitted_before_an_error_is_told(self):
        folder = self.chain(a=None, b="nowhere", c="b")
        result = self.pachbuild("update", "pipeline", "-f", folder)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(f"warning: submitted before the error: {self.name('a')}; not submitted: {self.name('b')}, {self.name('c')}\n",
                      result.stderr)
        self.assertEqual(self.names("pipeline"), [self.name("a")])


@unittest.skipUnless(cluster_suite.REAL, "needs a cluster, and the official Python builder's image in it")
class Penguins(cluster_suite.ClusterSuite):
    """examples/penguins gives the same files on a cluster and on this machine."""

    REPOS = {"sizes": None, "isotopes": None}
    PIPELINES = ("merge", "islands", "species", "report")

    def setUp(self):
        super().setUp()
        # The example's own names, each with this test's before it.
        text = {path: path.read_text(encoding="utf-8")
                for path in (support.ROOT / "examples/penguins").iterdir() if path.suffix in (".json", ".yaml")}
        names = "|".join([*self.PIPELINES, *self.REPOS])
        for path, content in text.items():
            for pattern in (rf'("name": ")({names})"', rf'("repo": ")({names})"'):
                content = re.sub(pattern, rf'\g<1>{self.pipeline}_\g<2>"', content)
            content = re.sub(rf"(  name: )({names})$", rf"\g<1>{self.pipeline}_\g<2>", content, flags=re.MULTILINE)
            content = re.sub(rf"(repo: )({names})\b", rf"\g<1>{self.pipeline}_\g<2>", content)
            # The folders in /pfs stay.
            content = re.sub(rf'"repo": "{self.pipeline}_({names})"', rf'"name": "\g<1>", \g<0>', content)
            content = re.sub(rf"repo: {self.pipeline}_({names}), ", rf"name: \g<1>, \g<0>", content)
            content = re.sub(rf"( +)repo: {self.pipeline}_({names})$", rf"\g<1>name: \g<2>\n\g<0>", content, flags=re.MULTILINE)
            self.write("example/" + path.name, content)
        (self.folder / "example/merge").symlink_to(support.ROOT / "examples/penguins/merge")

    def wait_for(self, name, done, seconds=300):
        deadline = time.monotonic() + seconds
        while not done():
            self.assertLess(time.monotonic(), deadline, name)
            time.sleep(1)

    def test_the_same_files(self):
        for repo in self.REPOS:
            self.pachctl("create", "repo", f"{self.pipeline}_{repo}")
            self.pachctl("put", "file", "-r", f"{self.pipeline}_{repo}@master:/", "-f",
                         support.ROOT / "examples/penguins/data" / repo)
        self.update(spec=self.folder / "example")
        report = f"{self.pipeline}_report"
        self.pachctl("run", "cron", report)

        def has_ended():
            jobs = self.raw("list", "job", "--pipeline", report)
            return bool(jobs) and jobs[0].get("state") == "JOB_SUCCESS" and int(jobs[0].get("data_processed", 0)) > 0
        self.wait_for(report, has_ended)
        ticks = self.raw("glob", "file", f"{report}_tick@master:/*")
        tick = ticks[0]["file"]["path"][1:]
        inputs = [word for repo in self.REPOS
                  for word in ("--input", f"{self.pipeline}_{repo}={support.ROOT / 'examples/penguins/data' / repo}")]
        self.succeed(support.PACHBUILD, "run", "-f", self.folder / "example", *inputs, "--output", self.folder / "out",
                     "--host-commands", "--tick", tick, env=support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache")))
        for pipeline in self.PIPELINES:
            self.pachctl("get", "file", "-r", f"{self.pipeline}_{pipeline}@master:/", "-o", self.folder / "cluster" / pipeline)
            self.assertEqual(examples.read_output(self.folder / "out" / f"{self.pipeline}_{pipeline}"),
                             examples.read_output(self.folder / "cluster" / pipeline), pipeline)


if __name__ == "__main__":
    support.main()
