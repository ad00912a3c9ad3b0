# SPDX-License-Identifier: Apache-2.0
"""What a datum costs by itself, and what an edit in the middle of several pipelines does: trivial Go programs, in
`pachbuild run` as it is started by hand."""

import json
import os
import re
import resource

from table import Column, ratio_column
from ways import TOOLS, Failed, environment, run

DATUMS = 3000
DAG_DATUMS = 100
PIPELINES = ["first", "middle", "last"]  # each reads the one before it

PROGRAM = """package main

import (
	"os"
	"path/filepath"
)

func main() {
	path, out := os.Getenv("input"), "/pfs/out"
	if len(os.Args) > 2 {
		path, out = os.Args[2], os.Args[1]
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(filepath.Join(out, filepath.Base(path)), append(text, "EDIT\\n"...), 0o644)
	}
	if err != nil {
		panic(err)
	}
}
"""


def write_source(folder, edit=""):
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text("module example.com/trivial\n\ngo 1.21\n")
    (folder / "main.go").write_text(PROGRAM.replace("EDIT", edit))


def write_spec(folder, name, repo):
    (folder / f"{name}.json").write_text(json.dumps({
        "pipeline": {"name": name}, "transform": {"build": {"language": "go", "path": f"../source-{name}"}},
        "input": {"pfs": {"name": "input", "repo": repo, "glob": "/*"}}}))


def write_data(folder, count):
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_text(f"{number}\n")


def processor_seconds(command, env):
    """Those of the command and all that it starts, and the seconds that pass."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = used()
    passed, _ = run(command, env)
    return used() - before, passed


class Pipelines:
    """Specs in a folder of their own, and the command that runs them."""

    def __init__(self, folder, names, count):
        self.folder = folder
        (folder / "specs").mkdir(parents=True)
        write_data(folder / "data", count)
        for name, repo in zip(names, ["numbers", *names]):
            write_source(folder / f"source-{name}")
            write_spec(folder / "specs", name, repo)
        self.environment = environment(PACHBUILD_CACHE_DIR=folder / "cache")
        self.command = ["pachbuild", "run", "-f", folder / "specs", "--input", f"numbers={folder / 'data'}",
                        "--output", folder / "out"]

    def run(self, expected):
        """The seconds of a run in which this number of datums must run."""
        seconds, printed = run(self.command, self.environment)
        ran = sum(map(int, re.findall(r"datums: (\d+) processed", printed)))
        if ran != expected:
            raise Failed(f"{printed}\nerror: {ran} datums ran, not {expected}")
        return seconds


BESIDE_XARGS = (Column("xargs -P", role="limit"), Column("pachbuild", role="ours"), ratio_column("pachbuild", "xargs -P"))


class TrivialDatums:
    """A trivial Go program over a number of files: as datums, and by xargs."""

    def __init__(self, folder, count):
        folder.mkdir()
        self.pipelines = Pipelines(folder / "datums", ["trivial"], count)
        self.pipelines.run(count)
        program, files, out = folder / "program", folder / "files", folder / "xargs-out"
        run([TOOLS / "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "."],
            {**self.pipelines.environment, "CGO_ENABLED": "0", "GOCACHE": str(folder / "compiled")},
            cwd=folder / "datums/source-trivial")
        files.write_text("".join(f"{path}\n" for path in sorted((folder / "datums/data").iterdir())))
        out.mkdir()
        self.plain = ["xargs", "-a", files, "-n", "1", "-P", os.cpu_count(), program, out]

    def measure(self):
        """The processor time and the elapsed time, of xargs and of pachbuild."""
        return (processor_seconds(self.plain, self.pipelines.environment),
                processor_seconds([*self.pipelines.command, "--force"], self.pipelines.environment))


DATUM_TIMES = ("processor time", "elapsed time")


def measure_datums(tables, folder):
    datums = TrivialDatums(folder / "trivial", DATUMS)
    measured = [datums.measure() for _ in range(tables.repeats)]
    tables.head(f"{DATUMS:,} datums of a trivial Go program, each", BESIDE_XARGS, 40)
    for place, title in enumerate(DATUM_TIMES):
        tables.add(title, [[way[place] / DATUMS for way in both] for both in measured])


def measure_dag(tables, folder):
    pipelines = Pipelines(folder / "dag", PIPELINES, DAG_DATUMS)
    pipelines.run(len(PIPELINES) * DAG_DATUMS)
    edits = iter(range(1, 1_000_000))

    def edit(*names):
        number = next(edits)
        for name in names:
            write_source(pipelines.folder / f"source-{name}", f"edit {number}")

    def whole():
        edit(*PIPELINES)
        return pipelines.run(len(PIPELINES) * DAG_DATUMS)

    def middle():
        edit(PIPELINES[1])
        return pipelines.run(2 * DAG_DATUMS)

    measures = [("all three edited", 3 * DAG_DATUMS, whole), ("nothing changed", 0, lambda: pipelines.run(0)),
                ("the middle one edited", 2 * DAG_DATUMS, middle)]
    tables.head(f"Three Go pipelines of {DAG_DATUMS} datums, each reading the one before",
                (Column("datums run", unit="", text="{:.0f}".format), Column("pachbuild", role="ours")), 40)
    for title, count, function in measures:
        tables.row(title, lambda count=count, function=function: (count, function()))
