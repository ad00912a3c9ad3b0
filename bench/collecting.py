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
import page
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
        try:
            with errors.open("wb") as stream:
                code = self.run([*measurement.command, "--json", rows], stream, title, start)
            now = time.monotonic()
            tables = rows_of(rows, code)
        except ValueError as fault:
            said = errors.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-SHOWN_LINES:]
            text = "\n".join([str(fault), *(f"  {line}" for line in said)])
            self.failures.append(Failure(shlex.join(measurement.command), text))
            return
        self.results.append({"name": measurement.name, "section": measurement.section,
                             "command": shlex.join(measurement.command), "seconds": round(now - start, 1),
                             "others": others.share(now), "tables": tables})

    def run(self, command, errors, title, start):
        """Its exit code. When this program is ended meanwhile, so is the command."""
        first, *more = command
        try:
            process = subprocess.Popen([ROOT / first, *more], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=errors, process_group=0, env={**os.environ, program.FOLDER: str(self.folder)})
        except OSError as failure:
            raise ValueError(f"cannot be started: {failure.strerror}") from failure
        with process:
            try:
                self.show_output(process, title, start)
                return process.wait()
            except BaseException:
                stop_group(process, patience=PATIENCE)
                raise

    def show_output(self, process, title, start):
        """Prints its lines as they come, until it ends; a terminal shows meanwhile how long it takes. What it leaves running
        may keep the pipe open."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        end = os.pidfd_open(process.pid)
        with selectors.DefaultSelector() as selector, open(end, "rb"):
            for one in (process.stdout, end):
                selector.register(one, selectors.EVENT_READ)
            while True:
                self.progress.show(f"{title}: {time.monotonic() - start:.0f} s")
                ready = [key.fileobj for key, _ in selector.select(1)]
                if process.stdout in ready:
                    text = os.read(process.stdout.fileno(), 65536)
                    self.progress.clear()
                    self.output.write(decoder.decode(text))
                    self.output.flush()
                    if not text:
                        return
                elif end in ready:
                    return


def rows_of(file, code):
    """What a measurement wrote; a ValueError says why there is nothing."""
    if code != 0:
        raise ValueError(f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != table.DATA_FORMAT:
            raise ValueError(f"rows of another format: {found['format']}")
        return found["tables"]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise ValueError(f"wrote no rows: {getattr(fault, 'strerror', None) or fault}") from fault


def describe_run(collector, options):
    """All that a page is made of."""
    return {"format": table.DATA_FORMAT, **options, "measurements": collector.results}


def read_rows(file):
    """What an earlier run collected. A ValueError says why it is nothing of that kind."""
    try:
        found = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
        if found["format"] != table.DATA_FORMAT:
            raise ValueError(found["format"])
        page.make(found)
        return found
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise ValueError("was not written by this version of bench/all") from fault
