# SPDX-License-Identifier: Apache-2.0
"""What programs find in /pfs and in their environment, against what they found on a real Pachyderm 2.12
(tests/golden/datums/found.jsonl): the same program in the same pipelines over the same data, in one run."""

import importlib.machinery
import importlib.util
import json
import os
import re

import pipelines
import support

GOLDEN = support.ROOT / "tests/golden"
COMMIT = re.compile(r"(_COMMIT=)(JOB|\w+@\w+)")
TICK = "2026-11-25T22:31:45Z"
# Beside what was recorded, the content of all files: it has to be that of the data.
CONTENT = """
mkdir "$out/content"
for input in /pfs/*; do
  [ "$input" = /pfs/out ] || cp -R -H --copy-contents "$input" "$out/content/"
done
"""


def load_recorder():
    loader = importlib.machinery.SourceFileLoader("record_datums", str(GOLDEN / "record_datums"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class NoCluster:
    """For the recorder: here commits have no names."""

    commits = {}


def repos_of(given):
    """The repo, with its branch, behind each name of an input."""
    if "pfs" in given:
        pfs = given["pfs"]
        yield pfs.get("name") or pfs["repo"], f"{pfs['repo']}@{pfs.get('branch') or 'master'}"
    for kind in ("cross", "join", "group", "union"):
        for child in given.get(kind, []):
            yield from repos_of(child)


class Recorded(pipelines.PipelineSuite):

    @classmethod
    def setUpClass(cls):
        cls.recorder = load_recorder()
        cls.found = {line["name"]: line for line in cls.recorder.lines_of("found.jsonl")}
        trees = json.loads((GOLDEN / "datums/trees.json").read_text(encoding="utf-8"))
        cls.trees = {key if "@" in key else key + "@master": files or {} for key, files in trees.items()}

    def setUp(self):
        super().setUp()
        self.addCleanup(os.umask, os.umask(0o022))  # that of a container
        for key, files in self.trees.items():
            folder = self.folder / "repos" / key
            folder.mkdir(parents=True)
            for path, content in files.items():
                self.write(f"repos/{key}{path}", content)

    def write_specs(self, names):
        """A pipeline for each of the names; gives the recorder's part of it, and the --input options."""
        transform = {"image": "debian:12", "cmd": ["sh", "-e"],
                     "stdin": (self.recorder.PROGRAM.strip() + CONTENT).split("\n")}
        runs, keys = {}, set()
        for name in names:
            given = self.found[name]["input"]
            run = self.recorder.Run(NoCluster(), name, given, "")
            runs[name] = run
            keys.update(dict(repos_of(given)).values())
            self.write(f"specs/{run.pipeline}.json", json.dumps(
                {"pipeline": {"name": run.pipeline}, "transform": transform, "input": given}))
        inputs = []
        for key in sorted(keys):
            inputs += ["--input", f"{key.removesuffix('@master')}={self.folder / 'repos' / key}"]
        return runs, inputs

    def run_specs(self, inputs):
        return self.run_program(support.PACHBUILD, "run", "-f", self.folder / "specs", *inputs, "--output", self.out,
                                "--host-commands", "--allow-empty", "--tick", TICK, "--workers", "2",
                                env=self.environment())

    def variable(self, folder, name):
        lines = (folder / "environment").read_text().splitlines()
        return next((line.partition("=")[2] for line in lines if line.startswith(name + "=")), None)

    def check_commits(self, runs):
        """A repo has one commit, the same in every pipeline and datum."""
        commits = {}
        for name, run in runs.items():
            for datum in self.found[name]["datums"]:
                folder = self.out / run.pipeline / datum["id"]
                for line in datum["environment"] if folder.exists() else []:
                    variable, _, key = line.partition("=")
                    if key in self.trees:
                        commits.setdefault(key, set()).add(self.variable(folder, variable))
        self.assertEqual({key for key, ids in commits.items() if len(ids) > 1}, set())
        ids = [id for one in commits.values() for id in one]
        self.assertEqual(len(set(ids)), len(ids))
        for id in ids:
            self.assertRegex(id, "^[0-9a-f]{32}$")

    def folders_of(self, run):
        return sorted((self.out / run.pipeline).glob("[0-9a-f]*"))

    def read(self, run):
        """The datums as the recording has them."""
        datums = []
        for folder in self.folders_of(run):
            datum = {"id": folder.name}
            job = {"job": {"id": self.variable(folder, "PACH_JOB_ID")}}
            run.read(datum, folder, job)
            if run.crons:
                datum = json.loads(self.recorder.TIME.sub("TIME", json.dumps(datum).replace(folder.name, "ID")))
            datums.append(datum)
        return datums

    def comparable(self, datum):
        """Without the files of the datum, which the program does not see, and in any order of the environment."""
        datum = json.loads(COMMIT.sub(r"\1COMMIT", json.dumps(datum)))
        datum.pop("data", None)
        datum.setdefault("env_file", datum["environment"])
        datum["environment"] = sorted(datum["environment"])
        return datum

    def check_content(self, run):
        """Every file has the content of its repo's file; those of an input that has empty ones are empty."""
        repos = {}
        for name, key in repos_of(run.given):
            repos.setdefault(name, []).append(key)
        for folder in self.folders_of(run):
            root = folder / "content"
            for path in root.rglob("*"):
                name, _, below = str(path.relative_to(root)).partition("/")
                if name in repos and path.is_file():
                    content = [self.trees[key].get("/" + below) for key in repos[name]]
                    self.assertIn(path.read_text(), ["" if "empty-files" in run.name and "lazy" not in run.name else one
                                                     for one in content], path)

    def test_programs_find_what_they_found_on_a_cluster(self):
        names = [name for name, line in self.found.items() if line["job"] == "JOB_SUCCESS"]
        self.assertGreater(len(names), 60)
        runs, inputs = self.write_specs(names)
        result = self.run_specs(inputs)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check_commits(runs)
        for name, run in runs.items():
            with self.subTest(name):
                expected = [self.comparable(datum) for datum in self.found[name]["datums"]]
                found = [self.comparable(datum) for datum in self.read(run)]
                if run.crons:  # here is one tick, and there were two; the ids of their datums tell no order
                    expected = [datum for datum in expected if "PACH_JOB_ID=JOB" in datum["environment"]]
                    found.sort(key=lambda datum: datum["tree"])
                    expected.sort(key=lambda datum: datum["tree"])
                self.assertEqual(found, expected)
                self.check_content(run)

    def test_what_fails_on_a_cluster_is_refused(self):
        names = [name for name, line in self.found.items() if line["job"] != "JOB_SUCCESS"]
        self.assertEqual(names, ["pfs/name-with-slash"])
        _, inputs = self.write_specs(names)
        result = self.run_specs(inputs)
        self.assertEqual(result.returncode, 65, result.stderr)
        self.assertIn('input.pfs.name: invalid input name "a/b"', result.stderr)


if __name__ == "__main__":
    support.main()
