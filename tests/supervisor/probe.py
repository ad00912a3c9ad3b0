# SPDX-License-Identifier: Apache-2.0
"""What the supervisor conformance suite starts under a supervisor: small programs that tell what they see.

    python3 probe.py NAME ARGUMENT…
"""

import os
import select
import signal
import subprocess
import sys
import time

DEADLINE = 60


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def catchable():
    # 32 and 33 belong to the C library (valid_signals leaves them out as well).
    return sorted(set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP})


def signals():
    """Tells each signal that arrives, as often as the kernel delivers it; the last real-time signal ends it."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in catchable():
        signal.signal(number, lambda *_: None)
    say("ready")
    while True:
        number = os.read(readable, 1)[0]
        say(number)
        if number == signal.SIGRTMAX:
            sys.exit(0)


def status():
    """The signal masks, the group and the parent of this process."""
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(("SigBlk", "SigIgn", "SigPnd", "ShdPnd")):
                say(*line.split())


def children_of(process):
    with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
        return file.read().split()


def orphans(count):
    """Leaves COUNT processes to the supervisor and waits until it has reaped all of them."""
    script = f"i=0; while [ $i -lt {count} ]; do (true &); i=$((i+1)); done"
    subprocess.run(["sh", "-c", script], check=True)
    end = time.monotonic() + DEADLINE
    while children_of(os.getppid()) != [str(os.getpid())]:
        if time.monotonic() > end:
            sys.exit(f"not reaped: {len(children_of(os.getppid()))}")
        time.sleep(0.01)


def daemon(path):
    """A process that has left session, group and parent, and whose number is in the file PATH; then ends with 9."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(path + ".part", "w", encoding="ascii") as file:
                with open("/proc/self/stat", encoding="ascii") as stat:
                    file.write(stat.read().split()[0])
            os.rename(path + ".part", path)
            os.execvp("sleep", ["sleep", "300"])
        os._exit(0)
    os.wait()
    while not os.path.exists(path):
        time.sleep(0.01)
    sys.exit(9)


def stubborn(*paths):
    """Ignores SIGTERM, as a child of it does in a session of its own. Waits to be killed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    say("ready", os.getpid(), child.pid)
    while True:
        signal.pause()


def terminal():
    """Tells whether it has the terminal, each SIGINT and SIGCONT, and what it reads; the line "end" ends it with 5."""
    # Through a pipe, since a signal that comes just before a read would be told only after it.
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in (signal.SIGINT, signal.SIGCONT):
        signal.signal(number, lambda *_: None)
    say("foreground", os.tcgetpgrp(0) == os.getpgrp())
    while True:
        ready, _, _ = select.select([0, readable], [], [])
        if readable in ready:
            number = os.read(readable, 1)[0]
            say(*(["interrupted"] if number == signal.SIGINT else ["continued", os.tcgetpgrp(0) == os.getpgrp()]))
        if 0 in ready:
            for line in os.read(0, 1000).decode().splitlines():
                say("read", line)
                if line == "end":
                    sys.exit(5)


def shell(*command):
    """Runs COMMAND as a shell with job control does: in a group that has the terminal; a job that stops is continued
    in the foreground. Tells what becomes of it."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execvp(command[0], command)
    while True:
        _, wait_status = os.waitpid(job, os.WUNTRACED)
        say("terminal is the job's", os.tcgetpgrp(0) == job)
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(wait_status):
            say("job ended", os.waitstatus_to_exitcode(wait_status))
            return
        say("job stopped")
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
