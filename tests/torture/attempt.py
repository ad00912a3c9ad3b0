# SPDX-License-Identifier: Apache-2.0
"""One attempt of an attack: its folder, its random choices, the programs that it runs, and what holds after each.

An attempt is a process of its own, so that it can have its own mounts, limits and user. What a program leaves running
becomes a child of the attempt (PR_SET_CHILD_SUBREAPER), where it is found.
"""

import ctypes
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import watching

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build/tools/bin"
LIBC = ctypes.CDLL(None, use_errno=True)

# Exit codes of builder-runtime and pachbuild (docs/builders.md); 70, a bug, is not among them.
DOCUMENTED = (0, 1, 64, 65, 69, 73, 74, 75)
SHIM_FAILURES = (125, 126, 127)
# How long a busy machine may take to end what is to end at once.
PATIENCE = 20
CRASH = re.compile(
    r"terminate called|AddressSanitizer|UndefinedBehavior|runtime error: |stack smashing|bug of |"
    r"double free|malloc\(\)|free\(\): |corrupted|core dumped|Assertion .* failed"
)
NOBODY = 65534


class Skipped(Exception):
    """This machine cannot run the attack; the text says why."""


class Outcome:
    def __init__(self, code, output, errors, seconds):
        self.code, self.output, self.errors, self.seconds = code, output, errors, seconds

    def signalled(self, number):
        return self.code in (-number, 128 + number)


class Attempt:
    def __init__(self, name, seed, number, folder, programs):
        self.choose = random.Random(f"{seed} {name} {number}")
        self.folder, self.programs = folder, programs
        self.violations, self.tried = [], 0
        self.logs = 0
        for part in ("canary/sub", "home/.local/state", "tmp", "logs", "given"):
            (folder / part).mkdir(parents=True)
        self.cache, self.out = folder / "cache", folder / "out"
        self.canary, self.home, self.tmp = folder / "canary", folder / "home", folder / "tmp"
        self.write("canary/precious", "mine")
        self.write("canary/sub/tool", "#!/bin/sh\necho mine\n", 0o755)
        (self.canary / "link").symlink_to("precious")
        self.canary.chmod(0o751)

    # What it is made of.

    def pachbuild(self):
        return str(self.programs / "pachbuild")

    def builder(self):
        return str(self.programs / "builder-runtime")

    def shim(self):
        return str(self.programs / "worker-shim")

    def write(self, name, content, mode=None):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if mode is not None:
            path.chmod(mode)
        return path

    def environment(self, **changes):
        result = {
            "PATH": f"{self.programs}:{TOOLS}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
            "PACHBUILD_CACHE_DIR": str(self.cache),
            "LANG": "C.UTF-8",
            "UV_OFFLINE": "1",
            "GOPROXY": "off",
            "GOTELEMETRY": "off",
            "GOFLAGS": "-mod=mod",
            "GOTOOLCHAIN": "local",
        }
        result.update(changes)
        return {name: str(value) for name, value in result.items() if value is not None}

    # What it does.

    def start(self, command, env=None, before=None, user=None):
        """In a session of its own; what it prints goes to files."""
        self.tried += 1
        self.logs += 1
        log = self.folder / "logs" / str(self.logs)
        pathlib.Path(f"{log}.command").write_text(repr([str(word) for word in command]), encoding="utf-8")
        if user is not None:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--", *command]
        with open(f"{log}.out", "wb") as output, open(f"{log}.err", "wb") as errors:
            process = subprocess.Popen(
                [str(word) for word in command],
                env=env or self.environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
                preexec_fn=before,
            )
        process.log, process.begin = log, time.monotonic()
        return process

    def finish(self, process, seconds=120):
        """Waits; a program that does not end is a violation."""
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.violation("a program does not end", f"{process.args[:3]} after {seconds} s; {self.tail(process)}")
            for pid in [process.pid, *watching.descendants(process.pid)]:
                end(pid)
            process.wait()
        texts = [pathlib.Path(f"{process.log}.{kind}").read_bytes().decode(errors="replace") for kind in ("out", "err")]
        return Outcome(process.returncode, *texts, time.monotonic() - process.begin)

    @staticmethod
    def tail(process):
        return pathlib.Path(f"{process.log}.err").read_bytes()[-600:].decode(errors="replace")

    def run(self, command, codes=DOCUMENTED, signals=(), seconds=120, **options):
        """To the end, and looks at how it ended."""
        outcome = self.finish(self.start(command, **options), seconds)
        self.check_end(outcome, codes, signals)
        return outcome

    def send(self, pid, number):
        try:
            os.kill(pid, number)
            return True
        except ProcessLookupError:
            return False

    def sleep(self, longest):
        time.sleep(self.choose.uniform(0, longest))

    def private_mounts(self):
        """From here on this attempt has mounts of its own, which go with it."""
        user, group = os.geteuid(), os.getegid()
        if LIBC.unshare(0x00020000 | (0 if user == 0 else 0x10000000)) != 0:
            raise Skipped("namespaces are not allowed here")
        if user != 0:
            pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
            pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="utf-8")
            pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="utf-8")
        if LIBC.mount(b"none", b"/", None, 0x4000 | 0x40000, None) != 0:
            raise Skipped("mounts cannot be made private here")

    def mount_disk(self, place, options="size=256m"):
        place.mkdir(parents=True, exist_ok=True)
        if LIBC.mount(b"none", os.fsencode(place), b"tmpfs", 0, options.encode()) != 0:
            raise Skipped("a tmpfs cannot be mounted here")
        place.chmod(0o700)

    def resize_disk(self, place, options):
        if LIBC.mount(b"none", os.fsencode(place), b"tmpfs", 32, options.encode()) != 0:
            raise RuntimeError(f"{place}: cannot be resized to {options}")

    # What holds.

    def violation(self, what, evidence=""):
        self.violations.append({"what": what, "evidence": str(evidence)[:3000]})

    def expect(self, condition, what, evidence=""):
        if not condition:
            self.violation(what, evidence)
        return condition

    def check_end(self, outcome, codes=DOCUMENTED, signals=(), workers=False):
        """A documented exit code, one `error:` line for a failure, no crash. Above ours may stand the words of a tool
        that failed, which may begin in the same way; `workers`: and those of workers that could not live. Of a spec or
        a source each fault has its line."""
        code, errors = outcome.code, outcome.errors
        by_signal = -code if code < 0 else code - 128 if code > 128 else 0
        stopped = by_signal in signals
        self.expect(stopped or code in codes, "an exit code that is not documented", f"{code}\n{errors[-1500:]}")
        lines = [line for line in errors.splitlines() if line.startswith(("error: ", '{"level":"error"'))]
        if code == 0:
            self.expect(not lines, "an error although it succeeded", lines)
        elif not stopped:
            several = (
                bool(lines)
                and code in (1, 73, 75)
                and ("uv exited" in lines[-1] or "uv was killed" in lines[-1] or "  cause: " in errors or "No space left" in errors)
                or workers
                and bool(lines)
                and code in (1, 69)
                or bool(lines)
                and code == 65
            )
            self.expect(
                len(lines) == 1 or several, f"{len(lines)} lines of error", f"exit code {code}\n{errors[-1500:]}"
            )
        self.expect(not CRASH.search(errors), "words of a crash", errors[-2000:])
        self.expect(all(len(line) < 5000 for line in lines), "a long error", [line[:200] for line in lines])

    def guard(self, *more):
        """What nobody may change: call the result later."""
        folders = [self.canary, self.home, *more]
        before = self.state(folders)

        def check():
            after = self.state(folders)
            self.expect(
                before == after,
                "something outside the given folders changed",
                "\n".join(watching.differences(before, after)),
            )

        return check

    def state(self, folders):
        """Without what Go counts about itself in the home folder, and the times of folders above that."""
        config = str(self.home / ".config")
        return {
            name: entry[:-1] if name == str(self.home) else entry
            for name, entry in watching.state_of(*folders).items()
            if name != config and not name.startswith(f"{config}/go")
        }

    def check_nothing_runs(self, seconds=PATIENCE):
        me = os.getpid()

        def nothing():
            while True:
                try:
                    if os.waitpid(-1, os.WNOHANG)[0] == 0:
                        break
                except ChildProcessError:
                    break
            return not watching.descendants(me)

        if not watching.wait_until(nothing, seconds):
            left = watching.descendants(me)
            self.violation("a process is left", [watching.command_of(pid) for pid in left])
            for pid in left:
                end(pid)

    def check_temporary(self):
        left = [str(path) for path in self.tmp.rglob("*")]
        self.expect(not left, "something is left in TMPDIR", left[:5])

    def check_scratch(self):
        """What a finished run may leave in the cache and in the output folder."""
        left = [str(path) for pattern in ("run/.pachbuild-*", "results/work-*") for path in self.cache.glob(pattern)]
        own = self.out / ".pachbuild"
        left += [str(path) for path in own.glob("*") if path.name not in ("lock", "output.json", "missing")]
        self.expect(not left, "scratch is left", left[:5])


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def require_tool(name):
    path = shutil.which(name, path=f"{TOOLS}:{os.environ.get('PATH', '')}")
    if not path:
        raise Skipped(f"{name} is not installed")
    return path


def require_root():
    if os.geteuid() != 0:
        raise Skipped("needs root")
    require_tool("setpriv")
