# SPDX-License-Identifier: Apache-2.0
"""What arguments processes are started with, seen from outside: a password among them would be everybody's."""

import pathlib
import threading


def all_processes():
    return [path.name for path in pathlib.Path("/proc").glob("[0-9]*")]


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


class ArgumentWatcher:
    """The arguments of the processes that `processes()` gives, looked at every few milliseconds."""

    def __init__(self, processes=all_processes):
        self.processes = processes

    def __enter__(self):
        self.seen = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.002):
            self.seen.update(command_of(pid) for pid in self.processes())
