# SPDX-License-Identifier: Apache-2.0
"""What `pachbuild dev` adds to an edit: from saving the file until the first output is there, beside what the build and
the program take when they are started by themselves, one after the other. The same source, caches of their own, in turn."""

import json
import os
import pathlib
import signal
import subprocess
import time

from room import time_in_room
from table import Column, met, shown
from ways import PROGRAMS, Failed, environment, run

PROGRAMS_TEXT = {
    "python": ("main.py", 'import os\n\nwith open("/pfs/out/result", "w") as file:\n    file.write("EDIT")\n'),
    "go": ("main.go", 'package main\n\nimport "os"\n\nfunc main() {\n'
                      '\tif err := os.WriteFile("/pfs/out/result", []byte("EDIT"), 0o644); err != nil {\n'
                      '\t\tpanic(err)\n\t}\n}\n'),
}
ALLOWED = 0.1
PATIENCE = 60


class Loop:
    def __init__(self, folder, language):
        self.folder = folder
        self.language = language
        self.edits = 0
        for name in ("alone", "dev"):
            (folder / name / "source").mkdir(parents=True)
            if language == "go":
                (folder / name / "source/go.mod").write_text("module example.com/loop\n\ngo 1.21\n")
        (folder / "data").mkdir()
        (folder / "data/one").write_text("one")
        (folder / "spec.json").write_text(json.dumps({
            "pipeline": {"name": "loop"}, "transform": {"build": {"language": language, "path": "dev/source"}},
            "input": {"pfs": {"repo": "data", "glob": "/*"}}}))

    def text(self):
        return f"edit {self.edits}"

    def save(self, name):
        """As editors do: another file takes the name."""
        file, text = PROGRAMS_TEXT[self.language]
        target = self.folder / name / "source" / file
        fresh = self.folder / name / "saved"
        fresh.write_text(text.replace("EDIT", self.text()))
        os.replace(fresh, target)

    def alone(self):
        self.save("alone")
        folder = self.folder / "alone"
        env = environment(PACHBUILD_CACHE_DIR=folder / "cache")
        building, _ = run([PROGRAMS / "builder-runtime", "--source", folder / "source", "--out", folder / "build"], env)
        program = time_in_room(folder, folder / "source", folder / "build", folder / "out", env, 1,
                               ["sh", "/pfs/build/run.sh"])[0][0]
        return building + program

    def start(self):
        return subprocess.Popen(
            [PROGRAMS / "pachbuild", "dev", "-f", self.folder / "spec.json", "--input", f"data={self.folder / 'data'}",
             "--output", self.folder / "out"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=environment(PACHBUILD_CACHE_DIR=self.folder / "dev/cache"))

    def wait_for_output(self):
        result = pathlib.Path(self.folder / "out/result")
        deadline = time.monotonic() + PATIENCE
        while not result.exists() or result.read_text() != self.text():
            if time.monotonic() > deadline:
                raise Failed("error: pachbuild dev writes no output")
            time.sleep(0.001)

    def in_dev(self):
        start = time.monotonic()
        self.save("dev")
        self.wait_for_output()
        return time.monotonic() - start

    def measure(self, repeats):
        self.save("dev")
        dev = self.start()
        try:
            self.wait_for_output()
            self.alone()
            times = []
            for _ in range(repeats):
                self.edits += 1
                alone = self.alone()
                time.sleep(0.5)  # the round before has come to its end
                times.append((alone, self.in_dev()))
            return [(alone, ours, ours - alone) for alone, ours in times]
        finally:
            dev.send_signal(signal.SIGTERM)
            dev.wait()


def measure_loop(tables, folder):
    tables.head("pachbuild dev: from saving a file to the output",
                (Column("build + program", 16, role="limit"), Column("dev", role="ours"), Column("adds")), 28)
    for language in PROGRAMS_TEXT:
        tables.add(language, Loop(folder / f"loop-{language}", language).measure(max(tables.repeats, 5)),
                   lambda medians: met(medians[2] <= ALLOWED, f"at most {shown(ALLOWED)}"))
