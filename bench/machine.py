# SPDX-License-Identifier: Apache-2.0
"""What a page of measurements says of the machine: what it is, what was measured, and whether it had anything else to do."""

import datetime
import os
import pathlib
import platform
import re
import resource
import subprocess

from ways import PROGRAMS, ROOT

QUIET_LOAD = 0.5  # at the start, of all processors
QUIET_SHARE = 0.05  # of the processors, for others


def read(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def printed(*command):
    """Its first line, or nothing where it does not work."""
    result = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return result.stdout.partition("\n")[0] if result.returncode == 0 else ""


def commit():
    name = printed("git", "rev-parse", "--short=12", "HEAD")
    # What this program writes itself does not count as a change.
    changed = printed("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs", ":!README.md")
    return f"{name}, with changes that are not committed" if name and changed else name


def describe():
    model = re.search(r"^model name\s*: (.*)$", read("/proc/cpuinfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', read("/etc/os-release"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", read("/proc/meminfo"), re.MULTILINE)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "programs": printed(PROGRAMS / "pachbuild", "--version"),
        "processors": len(os.sched_getaffinity(0)),
        "model": model[1].strip() if model else platform.machine(),
        "memory": int(memory[1]) * 1024 if memory else 0,
        "kernel": f"{platform.system()} {platform.release()}",
        "system": system[1] if system else "",
        "load": round(os.getloadavg()[0], 2),
    }


def busy_seconds():
    """Of all processors since the machine started, whoever used them."""
    fields = [int(field) for field in read("/proc/stat").partition("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def own_seconds():
    return sum(usage.ru_utime + usage.ru_stime
               for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


class Others:
    """Which share of the processors other programs use from now on."""

    def __init__(self, now):
        self.start, self.busy, self.own = now, busy_seconds(), own_seconds()

    def share(self, now):
        passed = (now - self.start) * (os.cpu_count() or 1)
        others = busy_seconds() - self.busy - (own_seconds() - self.own)
        return round(min(1.0, max(0.0, others / passed)), 3) if passed > 0 else 0.0


def is_quiet(machine, shares):
    return machine["load"] <= QUIET_LOAD and all(share <= QUIET_SHARE for share in shares)
