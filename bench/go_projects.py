# SPDX-License-Identifier: Apache-2.0
"""Go projects that are built without an engine: by builder-runtime, by plain `go build` and in the reference's way, each
with caches of its own."""

import os
import shutil
import statistics

import ways
from room import time_in_room
from ways import GO_BUILD, PROGRAMS, TOOLS, put_away, remove, run

FLAGS = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="]


def compile_standard_library(folder):
    """What the official image has: the standard library, for the builder's flags, as a GOCACHE."""
    run([TOOLS / "go", "build", "-trimpath", "std"], ways.environment(GOCACHE=folder, CGO_ENABLED="0"))


def write_tree(folder, packages):
    """A program over packages that each use two later ones, down to the leaves."""
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/tree\n\ngo 1.21\n")
    for number in range(packages):
        below = [index for index in (2 * number + 1, 2 * number + 2) if index < packages]
        imports = "".join(f'import p{index} "example.com/tree/p{index}"\n' for index in below)
        calls = "".join(f" + p{index}.Sum()" for index in below)
        (folder / f"p{number}").mkdir()
        (folder / f"p{number}/p.go").write_text(
            f"package p{number}\n\n{imports}\n// Sum is of all below.\nfunc Sum() int {{ return {number}{calls} }}\n")
    (folder / "main.go").write_text('package main\n\nimport (\n\t"fmt"\n\n\t"example.com/tree/p0"\n)\n\n'
                                    "func main() { fmt.Println(p0.Sum()) }\n")


class Project:
    """A source with three ways to build it, each with caches of its own."""

    def __init__(self, folder, modules, source):
        self.folder = folder
        self.source = folder / "source"
        folder.mkdir()
        shutil.copytree(source, self.source)
        self.modules = modules
        self.cache, self.compiled = folder / "cache", folder / "compiled"
        self.plain, self.reference = folder / "plain", folder / "reference"
        for path in (self.plain, self.reference):
            path.mkdir()
        (folder / "build.sh").write_text(GO_BUILD)
        self.edits = 0

    def go_environment(self, compiled):
        return ways.environment(GOCACHE=compiled, GOMODCACHE=self.modules, GOFLAGS="-modcacherw", CGO_ENABLED="0")

    def build(self):
        env = {**self.go_environment(self.cache / "compiled"), "PACHBUILD_CACHE_DIR": str(self.cache)}
        return run([PROGRAMS / "builder-runtime", "--source", self.source, "--out", self.folder / "out"], env)[0]

    def build_plainly(self):
        return run([TOOLS / "go", "build", *FLAGS, "-o", self.plain / "main", "."],
                   self.go_environment(self.compiled), cwd=self.source)[0]

    def build_as_reference(self):
        """In a new container, whose caches are empty."""
        remove(self.reference)
        put_away(self.folder / "reference-compiled")
        return time_in_room(self.folder, self.source, "", self.reference,
                            self.go_environment(self.folder / "reference-compiled"), 1,
                            ["sh", str(self.folder / "build.sh")])[0][0]

    def build_in_turns(self, prepare, pairs):
        """Medians of ours and the plain way, which take turns in being first: what runs first finds less in memory."""
        os.sync()  # what came before is not to be written meanwhile
        ours, plain = [], []
        for turn in range(pairs):
            prepare()
            if turn % 2 == 0:
                ours.append(self.build())
            plain.append(self.build_plainly())
            if turn % 2 == 1:
                ours.append(self.build())
        return statistics.median(ours), statistics.median(plain)

    def forget(self, compiled=None):
        """Empties the caches of the first two ways, or leaves what is compiled in the folder `compiled`."""
        for path in (self.cache, self.compiled):
            put_away(path)
        if compiled:
            self.cache.mkdir()
            for path in (self.cache / "compiled", self.compiled):
                shutil.copytree(compiled, path)

    def edit(self, file):
        self.edits += 1
        path = self.source / file
        lines = [line for line in path.read_text().splitlines() if not line.startswith("var edit")]
        path.write_text("\n".join([*lines, f"var edit{self.edits} = {self.edits}"]) + "\n")

    def datums(self, count, *commands):
        env = ways.environment(PACHBUILD_CACHE_DIR=self.cache)
        return time_in_room(self.folder, self.source, self.folder / "out", self.folder / "datum", env, count,
                            *(commands or [["sh", "/pfs/build/run.sh"]]))
