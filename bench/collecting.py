# SPDX-License-Identifier: Apache-2.0
"""Runs measurements one after the other, each as a program of its own, and collects their rows. A failure of one is kept for
the end, and the others go on."""

import codecs
import ctypes
import dataclasses
import json
import os
import pathlib
import selectors
import shlex
import signal
import subprocess
import sys
import time

import machine
import program
import table
from ways import ROOT, stop_group

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 60  # seconds for a measurement to end in good order
SHOWN_LINES = 20  # of what a failed one said


@dataclasses.dataclass(frozen=True)
class Failure:
    command: str
    text: str


class Progress:
    """One line at the bottom of a terminal; nothing elsewhere."""

    def __init__(self, stream):
        self.stream = stream if stream.isatty() else None
        self.start = time.monotonic()

    def show(self, text):
        if self.stream:
            print(f"\r\033[K{text}, {time.monotonic() - self.start:.0f} s in all", end="", file=self.stream, flush=True)

    def clear(self):
        if self.stream:
            print("\r\033[K", end="", file=self.stream, flush=True)


def adopt_orphans():
    """What a program leaves running becomes a child of this one, so that it can be ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans():
    """Ends what measurements have left, such as a preloaded Python; also what that leaves."""
    while children := machine.read(f"/proc/self/task/{os.getpid()}/children").split():
        for child in map(int, children):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


class Collector:
    def __init__(self, folder, output=sys.stdout, progress=None):
        self.folder, self.output = folder, output
        self.progress = progress or Progress(sys.stderr)
        self.results, self.failures = [], []

    def collect(self, measurements):
        adopt_orphans()
        for number, measurement in enumerate(measurements, 1):
            try:
                self.measure(measurement, f"{number} of {len(measurements)}: {shlex.join(measurement.command)}")
            finally:
                end_orphans()
                self.progress.clear()

    def measure(self, measurement, title):
        rows = self.folder / "rows.json"
        errors = self.folder / "errors"
        rows.unlink(missing_ok=True)
        start = time.monotonic()
        others = machine.Others(start)
        first, *more = measurement.command
        with errors.open("wb") as stream, subprocess.Popen(
                [ROOT / first, *more, "--json", rows], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stream,
                process_group=0, env={**os.environ, program.FOLDER: str(self.folder)}) as process:
            try:
                self.show_output(process.stdout, title, start)
                process.wait()
            except BaseException:
                stop_group(process, patience=PATIENCE)
                raise
        now = time.monotonic()
        try:
            if process.returncode != 0:
                raise ValueError(ending(process.returncode))
            found = json.loads(rows.read_text(encoding="utf-8"))
            if found["format"] != table.DATA_FORMAT:
                raise ValueError(f"wrote rows of another format: {found['format']}")
        except (OSError, ValueError, KeyError, TypeError) as failure:
            what = str(failure) if process.returncode else f"wrote no rows: {failure}"
            said = errors.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-SHOWN_LINES:]
            self.failures.append(Failure(shlex.join(measurement.command), "\n".join([what, *(f"  {line}" for line in said)])))
            return
        self.results.append({"name": measurement.name, "section": measurement.section,
                             "command": shlex.join(measurement.command), "seconds": round(now - start, 1),
                             "others": others.share(now), "tables": found["tables"]})

    def show_output(self, stream, title, start):
        """Prints its lines as they come; a terminal shows meanwhile how long it takes."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while True:
                self.progress.show(f"{title}: {time.monotonic() - start:.0f} s")
                if not selector.select(1):
                    continue
                text = os.read(stream.fileno(), 65536)
                if not text:
                    return
                self.progress.clear()
                self.output.write(decoder.decode(text))
                self.output.flush()


def ending(code):
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def describe_run(collector, options):
    """All that a page is made of."""
    return {"format": table.DATA_FORMAT, **options, "measurements": collector.results}


def read_rows(file):
    """What an earlier run collected."""
    found = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.get("format") != table.DATA_FORMAT or "measurements" not in found:
        raise ValueError("not written by bench/all, or by another version of it")
    return found
