# SPDX-License-Identifier: Apache-2.0
"""Tests about clusters: against the stand-in of tests/cluster, or, with PACHBUILD_CLUSTER=1 (scripts/test --cluster),
against the cluster that pachctl speaks to. There each test has repos and pipelines of its own and takes them away."""

import json
import os
import pathlib
import unittest
import uuid

import support

REAL = os.environ.get("PACHBUILD_CLUSTER") == "1"
STAND_IN = support.ROOT / "tests" / "cluster" / "pachctl"

PROGRAM = """import os
with open("/pfs/out/" + os.environ["PACH_DATUM_ID"], "w", encoding="utf-8") as out:
    out.write("one\\n")
"""


def stand_in_only(test):
    return unittest.skipIf(REAL, "looks into the stand-in")(test)


class ClusterSuite(support.Suite):
    builds = True  # whether the stand-in really builds

    def setUp(self):
        super().setUp()
        self.pipeline = "pb" + uuid.uuid4().hex[:12]
        self.data = self.pipeline + "_data"
        self.env = support.environment()
        if not REAL:
            self.env.update(PACHCTL=str(STAND_IN), STAND_IN_STATE=str(self.folder / "state"), PACHBUILD_BIN=str(support.BIN),
                            PACH_CONFIG=str(self.folder / "config.json"), STAND_IN_BUILDS="yes" if self.builds else "no")
        self.addCleanup(self.remove_all)
        self.pachctl("create", "repo", self.data)
        self.write("source/main.py", PROGRAM)
        self.spec = self.write_spec()

    def remove_all(self):
        if not REAL:
            return
        names = [item["pipeline"]["name"] for item in self.raw("list", "pipeline")]
        for name in reversed([name for name in names if name.startswith(self.pipeline)]):
            self.run_program(*self.program(), "delete", "pipeline", name, "--force", env=self.env)
        for item in self.raw("list", "repo"):
            if item["repo"]["name"].startswith(self.pipeline):
                self.run_program(*self.program(), "delete", "repo", item["repo"]["name"], "--force", env=self.env)

    def program(self):
        path = self.env.get("PACHCTL", "pachctl")
        return [path]

    def pachctl(self, *words):
        return self.succeed(*self.program(), *words, env=self.env).stdout

    def raw(self, *words):
        """The answer's objects, one after the other."""
        return support.read_objects(self.pachctl(*words, "--raw"))

    def put_data(self, **files):
        for name, content in files.items():
            self.write(f"data/{name}", content)
        commit = self.pachctl("start", "commit", self.data + "@master").strip()
        self.pachctl("put", "file", f"{self.data}@{commit}:/", "--recursive", "--progress=false", "--file",
                     self.folder / "data")
        self.pachctl("finish", "commit", f"{self.data}@{commit}")

    def write_spec(self, name="p.json", build=None, **fields):
        spec = {"pipeline": {"name": self.pipeline},
                "transform": {"build": {"language": "python", "path": "source", **(build or {})}},
                "input": {"pfs": {"repo": self.data, "glob": "/*"}}, **fields}
        return self.write(name, json.dumps(spec))

    def pachbuild(self, *words, **options):
        return self.run_program(support.PACHBUILD, *words, env={**self.env, **options.pop("variables", {})}, **options)

    def update(self, *words, code=0, spec=None):
        result = self.pachbuild("update", "pipeline", "-f", spec or self.spec, *words)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stderr.splitlines()

    def update_killed_at(self, call):
        """An update that is killed instead of doing this call of pachctl, from 1."""
        remove(self.folder / "count.lock")
        counter = self.write("count", "0")
        killer = self.write("killer", "#!/bin/sh\n"
                            f"until mkdir {counter}.lock 2>/dev/null; do sleep 0.01; done\n"
                            f"n=$(($(cat {counter}) + 1)); echo $n >{counter}\n"
                            f"rmdir {counter}.lock\n"
                            f"[ $n != {call} ] || {{ kill -9 $PPID; exit 1; }}\n"
                            f'exec {STAND_IN} "$@"\n', mode=0o755)
        return self.pachbuild("update", "pipeline", "-f", self.spec, variables={"PACHCTL": str(killer)})

    def told(self, source, build, running, name=None):
        name = name or self.pipeline
        return [f"{name}: source: {source}", f"{name}: build pipeline: {build}", f"{name}: pipeline: {running}"]

    def stored(self):
        """What the source's repo has: paths and sizes."""
        files = self.raw("glob", "file", f"{self.pipeline}_source@master:/**")
        return {item["file"]["path"][1:]: int(item.get("size_bytes", 0)) for item in files if item["file_type"] == "FILE"}

    def branches(self):
        """Those of the source's repo; exactly one of them is the version that tells updates apart."""
        names = [item["branch"]["name"] for item in self.raw("list", "branch", self.pipeline + "_source")]
        others = [name for name in names if not name.startswith("pachbuild-version-")]
        self.assertEqual(len(names), len(others) + 1, names)
        return others

    def head(self):
        return {item["branch"]["name"]: item["head"]["id"]
                for item in self.raw("list", "branch", self.pipeline + "_source")}["master"]

    def local(self):
        source = self.folder / "source"
        return {path.relative_to(source).as_posix(): path.stat().st_size for path in source.rglob("*") if path.is_file()}

    def names(self, kind):
        found = [item[kind]["name"] for item in self.raw("list", kind)]
        return sorted(name for name in found if name.startswith(self.pipeline))

    def spec_of(self, name):
        for item in self.raw("list", "pipeline"):
            if item["pipeline"]["name"] == name:
                return json.loads(item["user_spec_json"]), item["version"]
        return None, None


def remove(path: pathlib.Path):
    if path.is_dir():
        for child in path.iterdir():
            remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
