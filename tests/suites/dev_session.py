# SPDX-License-Identifier: Apache-2.0
"""A `pachbuild dev` that a test talks to: without a terminal, its lines as they come. Its signals go to `group` where the
command is another program that starts it and keeps them to itself."""

import os
import re
import signal
import subprocess
import threading
import time

PATIENCE = 60
ROUND = re.compile(r"^round (\d+): (?:(.*?): )?(\d+) datums? processed, (\d+) skipped, (\d+) failed.*, [^,]*$")


class Dev:
    def __init__(self, suite, command, group=False, **options):
        self.suite = suite
        self.group = group
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True, **options)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        suite.addCleanup(self.kill)

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def kill(self):
        if self.process.poll() is None:
            self.stop()
        self.reader.join(timeout=PATIENCE)
        self.process.stderr.close()

    def wait_line(self, pattern, after=0):
        """The first line from place `after` on in which the pattern is, as a match; and its place."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                for place, line in enumerate(self.lines[after:], after):
                    if match := re.search(pattern, line):
                        return match, place
                self.changed.wait(0.1)
                if time.monotonic() > deadline:
                    self.suite.fail(f"no line has {pattern!r} from {after} on:\n" + "\n".join(self.lines))

    def wait_round(self, pattern="datums? processed", after=0):
        """Waits for the end of a round with the pattern in its line; its line and the place behind it."""
        match, place = self.wait_line(r"^round \d+: .*" + pattern, after)
        return match.string, place + 1

    def wait_until(self, condition, what="it"):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.suite.assertIsNone(self.process.poll(), "dev has ended:\n" + "\n".join(self.lines))
            self.suite.assertLess(time.monotonic(), deadline, f"{what} does not happen:\n" + "\n".join(self.lines))
            time.sleep(0.01)

    def stop(self, number=signal.SIGTERM):
        if self.group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


def processes_with(text):
    """The processes in whose environment or command line the text is."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        for part in ("environ", "cmdline"):
            try:
                with open(f"/proc/{name}/{part}", "rb") as file:
                    if text.encode() in file.read():
                        found.append(int(name))
                        break
            except OSError:
                break
    return found


def processes_left(text, seconds=10):
    """Those of processes_with() that are still there in a while: one that was killed may wait for a processor to end on."""
    deadline = time.monotonic() + seconds
    while (found := processes_with(text)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def watches_of(process):
    """The number of inotify watches that a process has."""
    count = 0
    for name in os.listdir(f"/proc/{process}/fdinfo"):
        try:
            with open(f"/proc/{process}/fdinfo/{name}", encoding="ascii") as file:
                count += sum(line.startswith("inotify ") for line in file)
        except OSError:
            pass
    return count


def descriptors_of(process):
    """How many descriptors a process has that waits: one that has just told of a round's end still closes some."""
    counts = []
    for _ in range(10):
        counts.append(len(os.listdir(f"/proc/{process}/fd")))
        time.sleep(0.02)
    return min(counts)
