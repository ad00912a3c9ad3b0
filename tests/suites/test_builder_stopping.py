# SPDX-License-Identifier: Apache-2.0
"""The end of a build is the end of all that it has started, whether it ends by itself or by a signal."""

import os
import pathlib
import signal
import subprocess
import time

import support
from builder_suite import GO_HELLO, PYTHON_ARGUMENTS, BuilderSuite

GRACE = 5  # seconds
# By what a leftover is known: no other process sleeps as long.
SLEEP = "sleep 98765"
DONE = 'echo : > "$OUT/run.sh"\n'
# What may be left behind: a child of the group, one in a session of its own, and those that ignore signals.
LEFTOVERS = {"a child": f"{SLEEP} &", "a daemon": f"setsid {SLEEP} &", "a child of a child": f"(({SLEEP} &) &)",
             "one that ignores signals": f"(trap '' TERM INT HUP; {SLEEP}) &",
             "a daemon that ignores signals": f"setsid sh -c \"trap '' TERM INT HUP; {SLEEP}\" &"}


class Stopping(BuilderSuite):
    def sleepers(self):
        """Those of this test: they have its folder in their environment."""
        mark = f"MARK={self.folder}".encode()
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cmdline").read_bytes().replace(b"\0", b" ").strip() == SLEEP.encode() and \
                        mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append(process.name)
            except OSError:
                continue
        return found

    def wait_for(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it did not happen")
            time.sleep(0.01)

    def marked(self, **changes):
        return self.environment(MARK=str(self.folder), OUT=str(self.folder / "out"), **changes)

    def start(self, source, env=None, command=(), preexec=None):
        process = subprocess.Popen([*command, support.BUILDER, "--source", str(source), "--out", str(self.folder / "out"),
                                    "--shim", str(self.shim)], env=env or self.marked(), stderr=subprocess.PIPE, text=True,
                                   start_new_session=True, preexec_fn=preexec)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()

    def test_what_a_build_script_leaves_ends_with_it(self):
        for name, leftover in LEFTOVERS.items():
            with self.subTest(name):
                source = self.source({**PYTHON_ARGUMENTS, "build.sh": f"{leftover}\necho started >&2\n{DONE}"})
                started = time.monotonic()
                result = self.build_well(source, env=self.marked(), timeout=30)
                self.assertLess(time.monotonic() - started, 10)
                self.assertIn("started\n", result.stderr)
                self.assertEqual(self.sleepers(), [])

    def test_a_long_output_arrives_whole(self):
        """The end of the script is not the end of what was read of it."""
        source = self.source({**PYTHON_ARGUMENTS, "build.sh": f"{SLEEP} &\nseq 1 60000 >&2\n{DONE}"})
        result = self.build_well(source, env=self.marked())
        self.assertIn("\n59999\n60000\n", result.stderr)

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            for name, leftover in LEFTOVERS.items():
                with self.subTest(signal=number.name, leftover=name):
                    source = self.source({**PYTHON_ARGUMENTS, "build.sh": f"{leftover}\n{SLEEP}\n"})
                    process = self.start(source)
                    self.wait_for(lambda: len(self.sleepers()) == 2)
                    process.send_signal(number)
                    started = time.monotonic()
                    self.assertEqual(process.wait(timeout=30), -number)
                    self.assertLess(time.monotonic() - started, GRACE)
                    self.assertEqual(self.sleepers(), [])
                    self.assertTrue(process.stderr.read().endswith("warning: interrupted\n"))

    def test_a_script_that_cleans_up(self):
        source = self.source({**PYTHON_ARGUMENTS, "build.sh": 'trap \'kill %1; echo cleaned > "$MARK/cleaned"; exit 3\' TERM\n'
                                                              f"{SLEEP} &\nwait\n"})
        process = self.start(source)
        self.wait_for(lambda: len(self.sleepers()) == 1)
        process.terminate()
        self.assertEqual(process.wait(timeout=30), -signal.SIGTERM)
        self.assertEqual((self.folder / "cleaned").read_text(), "cleaned\n")

    def test_a_script_that_ignores_signals(self):
        source = self.source({**PYTHON_ARGUMENTS, "build.sh": f"trap '' TERM INT HUP\n{SLEEP} &\nwait\n{SLEEP}\n"})
        process = self.start(source)
        self.wait_for(lambda: len(self.sleepers()) == 1)
        process.terminate()
        started = time.monotonic()
        self.assertEqual(process.wait(timeout=30), -signal.SIGTERM)
        self.assertLess(time.monotonic() - started, GRACE + 5)
        self.assertEqual(self.sleepers(), [])

    def test_a_second_signal_does_not_wait(self):
        source = self.source({**PYTHON_ARGUMENTS, "build.sh": f"trap '' TERM INT HUP\n{SLEEP} &\nwait\n{SLEEP}\n"})
        process = self.start(source)
        self.wait_for(lambda: len(self.sleepers()) == 1)
        started = time.monotonic()
        process.terminate()
        time.sleep(0.2)
        process.terminate()
        self.assertEqual(process.wait(timeout=30), -signal.SIGTERM)
        self.assertLess(time.monotonic() - started, GRACE)
        self.assertEqual(self.sleepers(), [])

    def test_tools(self):
        """uv and go, which start compilers."""
        tools = self.folder / "tools"
        for tool, files in (("uv", {**PYTHON_ARGUMENTS, "requirements.txt": "six\n"}), ("go", GO_HELLO)):
            for leftover in LEFTOVERS.values():
                with self.subTest(tool=tool, leftover=leftover):
                    self.write(f"tools/{tool}", "#!/bin/sh\n"
                               'case $1 in --version) echo "uv 0.1"; exit;; version) echo "go version go1.21 linux/amd64"; exit;; '
                               f"esac\n{leftover}\n{SLEEP}\n", mode=0o755)
                    process = self.start(self.source(files, name=tool),
                                         env=self.marked(PATH=f"{tools}:{self.environment()['PATH']}"))
                    self.wait_for(lambda: len(self.sleepers()) == 2)
                    process.terminate()
                    self.assertEqual(process.wait(timeout=30), -signal.SIGTERM)
                    self.assertEqual(self.sleepers(), [])
                    self.assertEqual(list((self.cache / "work").iterdir()), [])

    def test_temporary_files_of_go(self):
        """Go removes its own at SIGINT only."""
        support.require_tool("go")
        source = self.source(GO_HELLO)
        temporary = self.folder / "tmp"
        temporary.mkdir()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            with self.subTest(signal=number.name):
                process = self.start(source, env=self.marked(TMPDIR=str(temporary), GOCACHE=str(self.folder / number.name)))
                work = self.cache / "work"
                self.wait_for(lambda: [*work.glob("*/*/go-build*"), *temporary.iterdir()])
                process.send_signal(number)
                process.wait(timeout=30)
                self.assertEqual(list(temporary.iterdir()), [])
                if number != signal.SIGKILL:
                    self.assertEqual(list(work.iterdir()), [])

    def test_a_build_that_waits_for_another(self):
        support.require_tool("go")
        tools = self.folder / "tools"
        self.write("tools/go", '#!/bin/sh\n[ "$1" != version ] || { echo "go version go1.21 linux/amd64"; exit; }\n'
                               f"{SLEEP}\n", mode=0o755)
        env = self.marked(PATH=f"{tools}:{self.environment()['PATH']}")
        source = self.source(GO_HELLO)
        first = self.start(source, env=env)
        self.wait_for(lambda: len(self.sleepers()) == 1)
        second = self.start(source, env=env)
        while "waiting for it" not in second.stderr.readline():
            pass
        second.terminate()
        self.assertEqual(second.wait(timeout=5), -signal.SIGTERM)
        self.assertEqual(len(self.sleepers()), 1)
        first.terminate()
        self.assertEqual(first.wait(timeout=10), -signal.SIGTERM)
        self.assertEqual(self.sleepers(), [])

    def test_a_signal_that_is_ignored(self):
        """As nohup has it."""
        source = self.source({**PYTHON_ARGUMENTS, "build.sh": f'until [ -e "$MARK/go" ]; do sleep 0.01; done\n{DONE}'})
        process = self.start(source, preexec=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        while "own build.sh" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGHUP)
        self.write("go", "")
        self.assertEqual(process.wait(timeout=20), 0)

    def test_what_was_there_before_stays(self):
        """A shell may start something, and then builder-runtime in its own place."""
        source = self.source({**PYTHON_ARGUMENTS, "build.sh": DONE})
        process = self.start(source, command=["sh", "-c", f'{SLEEP} & exec "$@"', "sh"])
        self.assertEqual(process.wait(timeout=20), 0)
        self.assertEqual(len(self.sleepers()), 1)
        os.kill(int(self.sleepers()[0]), signal.SIGKILL)


if __name__ == "__main__":
    support.main()
