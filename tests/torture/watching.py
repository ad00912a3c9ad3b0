# SPDX-License-Identifier: Apache-2.0
"""What is looked at around an attack: folders, processes, mounts, arguments of processes, planted credentials."""

import hashlib
import os
import pathlib
import re
import stat
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "suites"))
from argument_watcher import ArgumentWatcher, command_of  # noqa: E402  (after the path)


def state_of(*folders, times=True):
    """Every entry below these folders: kind, mode, owner, size, time and content."""
    result = {}
    for folder in folders:
        result.update(_entries(pathlib.Path(folder), times))
    return result


def _entries(folder, times):
    for path in [folder, *sorted(folder.rglob("*"))]:
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        content = ""
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            content = digest_of(path) if status.st_size < 1 << 26 else str(status.st_size)
        yield (
            str(path),
            (oct(status.st_mode), status.st_uid, status.st_gid, content, status.st_mtime_ns if times else 0),
        )


def digest_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def files_of(folder, without=".pachbuild"):
    """The content of each file by its name, without what pachbuild keeps there for itself."""
    folder = pathlib.Path(folder)
    result = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if name.parts[0] == without:
            continue
        try:
            if path.is_file():
                result[str(name)] = path.read_bytes()
        except FileNotFoundError:
            pass  # it moves while we look
    return result


def differences(before, after):
    """In a few words."""
    lines = [f"{name}: gone" for name in before if name not in after]
    lines += [f"{name}: new" for name in after if name not in before]
    lines += [
        f"{name}: {before[name]} is now {after[name]}"[:300]
        for name in before
        if name in after and before[name] != after[name]
    ]
    return lines[:8]


def parents():
    """The parent of each process."""
    result = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                words = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if words[0] != "Z":
            result[int(entry)] = int(words[1])
    return result


def descendants(root):
    """The processes below this one, nearest first; zombies are not counted."""
    below = {}
    for child, parent in parents().items():
        below.setdefault(parent, []).append(child)
    found, next_ones = [], [root]
    while next_ones:
        current = next_ones.pop(0)
        found += below.get(current, [])
        next_ones += below.get(current, [])
    return found


def mounts_below(folder):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        return sorted(words[4] for words in map(str.split, file) if words[4].startswith(f"{folder}/"))


def watch_arguments():
    """The arguments of all processes below this one."""
    return ArgumentWatcher(lambda: descendants(os.getpid()))


def files_with(pattern, *folders):
    """The files below these folders whose content or name has this pattern."""
    expression = re.compile(pattern.encode())
    found = []
    for folder in folders:
        for path in pathlib.Path(folder).rglob("*"):
            if expression.search(os.fsencode(path.name)):
                found.append(f"{path}: its name")
            try:
                if path.is_symlink():
                    content = os.fsencode(os.readlink(path))
                elif path.is_file() and path.stat().st_size < 1 << 28:
                    content = path.read_bytes()
                else:
                    continue
            except OSError:
                continue
            if expression.search(content):
                found.append(str(path))
    return found


def wait_until(condition, seconds):
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
