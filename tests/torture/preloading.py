# SPDX-License-Identifier: Apache-2.0
"""Attacks on preloaded Python programs: whoever starts and watches over them is killed or stopped at random."""

import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
import tarfile

import attempt as base
import running
import starting
import watching

import keepers  # of tests/suites: watching has put it on the path

MODULE = b"import os, random, uuid, logging, threading\nPID = os.getpid()\nCACHE = list(range(10000))\n"

# Tells that it has begun, does what its arguments say, and tells how it ends.
PROGRAM = """
import os, signal, subprocess, sys, time
import heavy
name, pause, end, extra = sys.argv[1:]
with open(name, "a") as file:
    print(f"{os.getpid()} {heavy.PID != os.getpid()}", file=file)
if extra == "child":
    subprocess.Popen(["sleep", "1"])
elif extra == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
elif extra == "daemon":
    if os.fork() == 0:
        os.setsid()
        os.execvp("sleep", ["sleep", "1"])
elif extra == "group":
    os.setpgid(0, 0)
time.sleep(float(pause))
if end.startswith("-"):
    os.kill(os.getpid(), -int(end))
    time.sleep(10)
sys.exit(int(end))
"""


def environment_files():
    """A virtual environment of this Python with a module in it."""
    interpreter = os.path.realpath(sys.executable)
    library = pathlib.PurePath(sysconfig.get_path("stdlib")).name
    config = f"home = {os.path.dirname(interpreter)}\ninclude-system-site-packages = false\n".encode()
    return [
        starting.entry("bin/python", tarfile.SYMTYPE, target=interpreter),
        starting.entry(f"lib/{library}/site-packages/heavy.py", content=MODULE),
        starting.entry("pyvenv.cfg", content=config),
    ]


class Datum:
    """One start of the program, in a process group of its own as a worker makes it."""

    def __init__(self, attempt, bundle, number):
        choose = attempt.choose
        self.end = choose.choice([0, 0, 1, 9, 77, -9, -15, -11])
        self.extra = choose.choice(["", "", "", "child", "deaf", "daemon", "group"])
        if self.extra == "deaf" and self.end == -signal.SIGTERM:
            self.end = 0
        self.trace = attempt.folder / "traces" / str(number)
        pause = choose.choice([0, 0, 0.01, 0.1, 0.3])
        words = starting.command(
            attempt, bundle, "python", attempt.folder / "main.py", self.trace, pause, self.end, self.extra
        )
        words[1:1] = ["--imports", "heavy"]
        attempt.tried += 1
        self.errors = attempt.folder / "logs" / f"datum{number}"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [str(word) for word in words],
                env=attempt.environment(PACHBUILD_PRELOAD="true"),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                process_group=0,
            )

    def lines(self):
        return self.trace.read_text().splitlines() if self.trace.exists() else []

    def check(self, attempt, others):
        """It ended as it should, or with one of the other exit codes."""
        allowed = {self.end, *others}
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            attempt.violation("a datum hangs", f"{self.end} {self.extra} {self.lines()}")
            self.process.kill()
            code = self.process.wait()
        lines = self.lines()
        told = self.errors.read_text(errors="replace")
        where = f"{code}, not {allowed}; {self.end} {self.extra} {lines} {told}"
        attempt.expect(code in allowed, "a wrong exit code", where)
        attempt.expect(len(lines) <= 1, "a program has run twice", where)
        if code == self.end and not others:
            attempt.expect(len(lines) == 1, "a program has not run", where)
        attempt.expect(code != 125 or told.count("\n") == 1, "a failure without a line", where)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # as a worker does it
        except ProcessLookupError:
            pass


def victims_of(attempt, who, datums):
    found = keepers.named(keepers.KEEPER, attempt.folder)
    if who == "keeper":
        return found
    if who == "interpreter":
        return keepers.interpreters_of(found)
    return [datum.process.pid for datum in datums]


def preloaded(attempt):
    """preloaded Python programs whose keeper, interpreter, shim or group is killed or stopped at random"""
    choose = attempt.choose
    base.require_tool("zstd")
    data = starting.compress(starting.pack(environment_files()))
    bundle = starting.Bundle(attempt, data=data)
    attempt.write("main.py", PROGRAM)
    (attempt.folder / "traces").mkdir()
    check = attempt.guard(bundle.folder)
    number = 0
    for _ in range(choose.randrange(2, 8)):
        datums = []
        for _ in range(choose.randrange(1, 4)):
            number += 1
            datums.append(Datum(attempt, bundle, number))
        attempt.sleep(0.4)
        who = choose.choice(["nobody", "keeper", "interpreter", "shim", "group"])
        how = choose.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])
        hit = [] if who == "nobody" else victims_of(attempt, who, datums)
        for pid in hit:
            if who == "group":
                try:
                    os.killpg(pid, how)
                except ProcessLookupError:
                    pass
            else:
                attempt.send(pid, how)
        if how == signal.SIGSTOP and hit:
            attempt.sleep(0.3)
            for pid in hit:
                attempt.send(pid, signal.SIGCONT)
                try:
                    os.killpg(pid, signal.SIGCONT)
                except (ProcessLookupError, PermissionError):
                    pass
        others = {"keeper": {125}, "shim": {-signal.SIGKILL}, "group": {-signal.SIGKILL}}.get(who, set())
        for datum in datums:
            datum.check(attempt, others if how == signal.SIGKILL else set())
    for pid in keepers.named(keepers.KEEPER, attempt.folder):
        attempt.send(pid, signal.SIGTERM)
    gone = watching.wait_until(lambda: not keepers.named("python", attempt.folder) and not keepers.named(keepers.KEEPER, attempt.folder), 20)
    attempt.expect(gone, "what was preloaded is left", keepers.named("python", attempt.folder))
    running.finish_attempt(attempt, check)


ATTACKS = {"shim-preloaded": preloaded}
