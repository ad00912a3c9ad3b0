# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while pachbuild copies, digests, counts and waits: it ends at once, and leaves nothing."""

import os
import re
import signal
import subprocess
import sys
import time

import pipelines
import support

COPY = 'cp "$data" "/pfs/out/$(basename "$data")"\n'
# So much that nothing here could copy or digest it before a test is over; it takes no room on the disk.
LARGE = 1 << 40
# What is promised is 100 ms; a busy machine may take longer to let go of processes.
PATIENCE = 3


class Stopping(pipelines.PipelineSuite):

    def large_file(self, path):
        target = self.write(path, "")
        os.truncate(target, LARGE)
        return target

    def start(self, *command):
        process = subprocess.Popen([str(word) for word in command], env=self.environment(), cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True, start_new_session=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(self.kill, process)
        return process

    def kill(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def wait_until(self, process, condition):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertIsNone(process.poll(), "it has ended by itself")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def assert_stops(self, process, number=signal.SIGINT):
        begin = time.monotonic()
        process.send_signal(number)
        try:
            code = process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.fail(f"still there {PATIENCE} s after signal {number}")
        print(f"stopped after {time.monotonic() - begin:.3f} s", file=sys.stderr)
        self.assertIn(code, (128 + number, -number))
        return process.stderr.read()

    def test_while_a_large_source_is_copied(self):
        self.data(a="one")
        self.shell_pipeline(COPY)
        large = self.large_file("source/model.bin")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start(*self.command("--max-file-size", "2TB"))
            self.wait_until(process, lambda: support.has_open(process, large))
            self.assertIn("warning: interrupted", self.assert_stops(process, number))
            self.assert_nothing_left()

    def test_while_a_large_input_is_digested(self):
        self.data(a="one")
        self.shell_pipeline(COPY)
        large = self.large_file("data/large")
        process = self.start(*self.command())
        self.wait_until(process, lambda: support.has_open(process, large))
        self.assert_stops(process)
        self.assert_nothing_left()

    def test_while_a_builder_is_tested(self):
        files = [self.write(f"probe/model{number}.bin", "") for number in range(200)]
        for file in files:
            os.truncate(file, 1 << 30)  # a source's file is no larger
        self.write("builder/build.sh", "exit 1\n")
        process = self.start(support.PACHBUILD, "builder", "test", self.folder / "builder", "--source",
                             self.folder / "probe")
        self.wait_until(process, lambda: any(support.has_open(process, file) for file in files))
        self.assert_stops(process)

    def test_while_an_engine_hangs(self):
        self.data(a="one")
        self.shell_pipeline(COPY)
        marker = self.folder / "asked"
        self.write("bin/podman", f"#!/bin/sh\ntouch {marker}\nexec >&- 2>&-\nexec sleep 600\n", 0o755)
        process = subprocess.Popen(self.command("--runtime", "podman"),
                                   env=self.environment(PATH=f"{self.folder}/bin:{os.environ['PATH']}"),
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(self.kill, process)
        self.wait_until(process, marker.exists)
        time.sleep(0.1)  # until its output is closed
        self.assert_stops(process)

    def cross(self, inputs, files):
        """A spec that crosses so many inputs of one repo of so many files."""
        self.data(**{f"f{number}": "x" for number in range(files)})
        self.write("source/build.sh", pipelines.COPY_RUN_SCRIPT)
        self.write("source/program.sh", "true\n")
        self.spec(input={"cross": [{"pfs": {"name": f"in{number}", "repo": "data", "glob": "/*"}}
                                   for number in range(inputs)]})

    def test_too_many_datums_are_counted_and_refused(self):
        self.cross(inputs=12, files=6)
        begin = time.monotonic()
        result = self.pachbuild_run(timeout=20)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(result.returncode, 65, result.stderr)
        factors = " × ".join(f"in{number} (6)" for number in sorted(range(12), key=str))
        self.assertRegex(result.stderr, rf"error: .*spec\.json:\d+:\d+: 2,176,782,336 datums: {re.escape(factors)}; "
                                        "the limit of pachbuild run is 1,000,000\nhint: narrow a glob, or take a whole repo "
                                        r'as one match \("glob": "/"\)')
        self.assert_nothing_left()

    def test_while_many_datums_are_listed(self):
        self.cross(inputs=6, files=10)
        process = self.start(*self.command())
        lines = []
        while not lines or not lines[-1].startswith("datums: "):
            lines.append(process.stderr.readline())
            self.assertTrue(lines[-1], "it has ended by itself")
        self.assertEqual(lines[-1], "datums: 1,000,000 in total\n")
        self.assert_stops(process)
        self.assert_nothing_left()


if __name__ == "__main__":
    support.main()
