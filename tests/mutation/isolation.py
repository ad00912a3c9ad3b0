# SPDX-License-Identifier: Apache-2.0
"""Runs a test where a faulty program can harm nothing: everything is read-only but folders that are thrown away, other
processes are out of sight, and whatever is left ends with it.

    isolation.run(command, room)       from outside
    python3 isolation.py ROOM COMMAND  inside its new namespaces, as their first process
"""

import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

GIB = 1 << 30
RUNNING = set()
LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID = 4096, 16384, 1 << 18, 2
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1


class Room:
    """What one test may change: a folder for its files and the page that says which fault is on."""

    def __init__(self, folder, page_path, test_folder):
        self.cache = None  # a folder of what tools keep
        self.folder = pathlib.Path(folder)
        self.page_path, self.test_folder = str(page_path), str(test_folder)
        self.page, self.tests, self.log = self.folder / "page", self.folder / "tests", self.folder / "log"

    def prepare(self, faults, cache):
        """Empty but for what tools keep, and with these faults on; what tools add stays only where there is none."""
        self.clear()
        self.cache = cache
        self.is_cache_kept = not faults
        self.tests.mkdir(parents=True)
        # Other users must get through, as in build/.
        self.tests.chmod(0o755)
        for name in ("tests/cache", "over", "work"):
            (self.folder / name).mkdir()
        self.page.write_bytes(bytes(number in faults for number in range(4096)) + bytes(4096))
        self.page.chmod(0o666)
        self.log.mkdir()

    def clear(self):
        if self.folder.exists():
            remove(self.folder)

    def described(self):
        """What is mounted where; the rest is read-only."""
        bound = [(self.page, self.page_path), (self.log, self.log)]
        if self.cache is not None and self.is_cache_kept:
            bound.append((self.cache, self.tests / "cache"))
        elif self.cache is not None:
            layers = f"lowerdir={self.cache},upperdir={self.folder / 'over'},workdir={self.folder / 'work'}"
            bound.append((layers, self.tests / "cache"))
        bound.append((self.tests, self.test_folder))
        return json.dumps([(str(source), str(target)) for source, target in bound])


def run(command, room, timeout, environment, output):
    """The exit code; None when the time was over or the disk became full. Nothing of it runs any more."""
    # With this process all of it ends.
    words = ["setpriv", "--pdeathsig", "KILL"]
    words += ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
    words += [sys.executable, __file__, room.described(), *command]
    process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                               stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
    RUNNING.add(process)
    end_of_time, free = time.monotonic() + timeout, shutil.disk_usage(room.folder).free
    try:
        while time.monotonic() < end_of_time and free - shutil.disk_usage(room.folder).free < 10 * GIB:
            try:
                return process.wait(1)
            except subprocess.TimeoutExpired:
                continue
        return None
    finally:
        end(process)
        RUNNING.discard(process)


def end(process):
    """unshare's child is the first process of its namespace, and ends with it: all others end with that."""
    if process.poll() is None:
        process.kill()
        process.wait()


def end_all():
    for process in list(RUNNING):
        end(process)


def remove(folder):
    subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)


def call(name, result):
    if result != 0:
        error = ctypes.get_errno()
        sys.exit(f"error: {name}: {os.strerror(error)}")


def mount(source, target, kind, flags, data=None):
    words = [word.encode() if word is not None else None for word in (source, target, kind)]
    call(f"mounting {target}", LIBC.mount(*words, ctypes.c_ulong(flags), data.encode() if data else None))


def set_read_only(target, value, flags=0):
    attributes = (ctypes.c_uint64 * 4)(READ_ONLY if value else 0, 0 if value else READ_ONLY, 0, 0)
    call(f"protecting {target}",
         LIBC.syscall(ctypes.c_long(MOUNT_SETATTR), ctypes.c_int(AT_FDCWD), ctypes.c_char_p(target.encode()),
                      ctypes.c_uint(flags), attributes, ctypes.c_size_t(32)))  # fmt: skip


def protect(bound):
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    for source, target in bound:
        if source.startswith("lowerdir="):
            mount("overlay", target, "overlay", 0, source)
        else:
            mount(source, target, None, MS_BIND | MS_REC)
    set_read_only("/", True, AT_RECURSIVE)
    for target in ["/proc", *(target for _, target in bound)]:
        set_read_only(target, False, AT_RECURSIVE)
    for folder, size in (("/tmp", "2g"), ("/var/tmp", "1g"), ("/dev/shm", "1g"), ("/run", "64m")):
        mount("tmpfs", folder, "tmpfs", MS_NOSUID, f"mode={'755' if folder == '/run' else '1777'},size={size}")
    # Tools write to the home folder, and find their settings there.
    home = os.path.expanduser("~")
    layers = "/run/home"
    for folder in ("over", "work"):
        os.makedirs(f"{layers}/{folder}")
    mount("overlay", home, "overlay", 0, f"lowerdir={home},upperdir={layers}/over,workdir={layers}/work")


def main():
    bound, command = json.loads(sys.argv[1]), sys.argv[2:]
    protect(bound)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (6 * GIB, 6 * GIB))
    pathlib.Path("/proc/self/oom_score_adj").write_text("900", encoding="utf-8")
    os.chdir("/tmp")
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # a shell starts what runs in the background with these ignored
    child = subprocess.Popen(command)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # The first process of a namespace gets all orphans.
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
