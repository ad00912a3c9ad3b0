# SPDX-License-Identifier: Apache-2.0
"""A Python project that is built and run without an engine: builder-runtime (or the reference's build.sh) by itself,
and run.sh in a room whose /pfs is as a worker's."""

import re
import statistics

import ways
from room import time_in_room
from ways import PROGRAMS, PYTHON_BUILD, TOOLS, Ours, Reference, Workload, base_interpreter, put_away, remove, run

COMPUTING = """
import runpy, sys, time
import {modules}
begin = time.monotonic()
runpy.run_path(sys.argv[1])
print(time.monotonic() - begin)
"""

SMALL = ["six==1.16.0\n", "six==1.15.0\n"]


class Project:
    """A project in a folder of its own, with both ways of building and running it."""

    def __init__(self, folder, title, requirements, program, files, edited="main.py"):
        self.title = title
        self.requirements = requirements
        self.folder = folder
        source, data = folder / "original", folder / "data"
        source.mkdir(parents=True)
        data.mkdir()
        (source / "main.py").write_text(program)
        for path, content in files.items():
            (source / path).parent.mkdir(exist_ok=True)
            (source / path).write_text(content)
        (data / "datum").write_text("")
        if requirements:
            (source / "requirements.txt").write_text(self.requirements)
        workload = Workload(title, "python", source, "files", data, edited, "# edit {}\n")
        for kind in ("reference", "ours"):
            (folder / kind).mkdir()
        self.reference = Reference(folder / "reference", workload, 0, PYTHON_BUILD)
        self.ours = Ours(folder / "ours", workload, 0)
        self.uv_cache = folder / "uv"
        self.cache = folder / "ours" / "cache"
        self.packing = 0.0
        self.count = 0

    def environment(self):
        return ways.environment(PACHBUILD_CACHE_DIR=self.cache, UV_CACHE_DIR=self.uv_cache)

    # Building.

    def build(self):
        seconds, log = run([PROGRAMS / "builder-runtime", "--source", self.ours.source,
                            "--out", self.folder / "ours/out"], self.environment())
        if packed := re.search(r"packed .*\((?:(\d+) ms|([\d.]+) s)\)", log):
            self.packing = float(packed[1]) / 1000 if packed[1] else float(packed[2])
        return seconds

    def build_reference(self):
        out = self.folder / "reference/out"
        remove(out)
        return self.in_room(self.reference, out, 1, ["sh", "/pfs/source/build.sh"], out=out)[0][0]

    def install(self, *options):
        """The limit: uv alone."""
        if not self.requirements:
            return None
        target = self.folder / "target"
        put_away(target)
        return run([TOOLS / "uv", "pip", "install", "--quiet", "--python", base_interpreter(), "--target", target,
                    *options, "-r", self.ours.source / "requirements.txt"], self.environment())[0]

    def change_requirement(self):
        self.count += 1
        for way in (self.ours, self.reference):
            (way.source / "requirements.txt").write_text(self.requirements + SMALL[self.count % 2])
        # What was built with this very set is not there; everything else of the cache is.
        put_away(self.cache / "python/bundles")
        put_away(self.cache / "env")

    # Running.

    def in_room(self, way, build, count, *commands, out=None):
        """The seconds of `count` runs of each command where /pfs has the source and this build."""
        return time_in_room(self.folder, way.source, build, out or self.folder / "datum", self.environment(), count,
                            *commands)

    def datums(self, way, count):
        build = self.folder / ("ours" if way is self.ours else "reference") / "out"
        return self.in_room(way, build, count, ["sh", "/pfs/build/run.sh"])[0]

    def datums_and_plain(self, count):
        """In turn our datum and python main.py with the environment's own interpreter, which is the fastest that this
        program can start."""
        environments = list((self.cache / "env").glob("*/bin/python"))
        python = str(environments[0]) if environments else base_interpreter()
        return self.in_room(self.ours, self.folder / "ours/out", count,
                            ["sh", "/pfs/build/run.sh"], [python, "/pfs/source/main.py"])

    def first_datum(self):
        """Of a fresh container, and its limit: the program with its environment there, plus unpacking."""
        self.ours.refresh_container()
        ours = self.datums(self.ours, 1)[0]
        return ours, statistics.median(self.datums_and_plain(3)[1]) + self.unpack()

    def preloaded_datums(self, count):
        """Our datums where the packages are imported once; the first, for which that is done, is left out."""
        command = ["env", "PACHBUILD_PRELOAD=true", "sh", "/pfs/build/run.sh"]
        return self.in_room(self.ours, self.folder / "ours/out", count + 1, command)[0][1:]

    def computing(self, modules):
        """The seconds that the program itself takes when everything is imported."""
        python = str(next((self.cache / "env").glob("*/bin/python")))
        seconds = run([python, "-c", COMPUTING.format(modules=modules), self.ours.source / "main.py"], self.environment())[1]
        return float(seconds.splitlines()[-1])

    def unpack(self):
        """zstd and tar on the bundle, into a folder that was never used."""
        bundles = list((self.folder / "ours/out").glob("bundle-*"))
        if not bundles:
            return 0.0
        self.count += 1
        folder = self.folder / f"unpacked-{self.count}"
        folder.mkdir()
        seconds = run(["sh", "-c", 'zstd -qdc "$1" | tar -x -C "$2"', "sh", bundles[0], folder], self.environment())[0]
        put_away(folder)
        return seconds
