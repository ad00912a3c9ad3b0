# SPDX-License-Identifier: Apache-2.0
"""Runs commands where /pfs is as a worker's, without an engine."""

import json
import sys

from ways import ROOT, base_interpreter, run

sys.path.insert(0, str(ROOT / "tests" / "suites"))
from builder_suite import ROOM, in_namespaces  # noqa: E402

# Runs commands in turn, a number of times, and prints the seconds of each run, a list for each command.
REPEAT = """
import json, subprocess, sys, time
commands = json.loads(sys.argv[2])
seconds = [[] for command in commands]
for _ in range(int(sys.argv[1])):
    for command, own in zip(commands, seconds):
        start = time.monotonic()
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
        own.append(time.monotonic() - start)
        if code != 0:
            sys.exit(f"{' '.join(command)}: exit code {code}")
print(json.dumps(seconds))
"""


def time_in_room(folder, source, build, out, env, count, *commands):
    """The seconds of `count` runs of each command where /pfs has this source, build and output; the room's own folder is
    made below `folder`."""
    room = folder / "room"
    for path in (room, out):
        path.mkdir(exist_ok=True)
    _, output = run([*in_namespaces("--mount"), "sh", "-e", "-c", ROOM, "room", room, source, build, out,
                     base_interpreter(), "-c", REPEAT, count, json.dumps(commands)], env)
    return json.loads(output.splitlines()[-1])
