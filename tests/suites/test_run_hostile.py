# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` over programs that attack what runs them: their datum fails, and nothing else."""

import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

import pipelines
import support

COPY = 'cp "$data" "/pfs/out/$(basename "$data")"\n'

# Stops process 1, the worker, by each way that ptrace(2) has, and writes into its memory.
TRACER = '''
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
ATTACH, SEIZE, INTERRUPT = 16, 0x4206, 0x4207
done = []
for thread in [1] + [int(name) for name in os.listdir("/proc/1/task")]:
    if libc.ptrace(SEIZE, thread, None, None) == 0 and libc.ptrace(INTERRUPT, thread, None, None) == 0:
        done.append("seized")
    if libc.ptrace(ATTACH, thread, None, None) == 0:
        done.append("attached")
try:
    with open("/proc/1/mem", "r+b"):
        done.append("opened")
except OSError:
    pass
print(done)
if os.environ.get("WAIT"):
    time.sleep(600)
'''


class Hostile(pipelines.PipelineSuite):

    def python_pipeline(self, program, **changes):
        self.write("source/program.py", program)
        self.shell_pipeline(f"exec {sys.executable} /pfs/source/program.py\n")
        if changes:
            self.spec(pipeline=changes)

    def test_a_program_cannot_stop_its_worker(self):
        self.data(a="one", b="two")
        self.python_pipeline("import os\nos.environ['WAIT'] = 'yes'\n" + TRACER, datum_timeout="300ms")
        result = self.pachbuild_run("--workers", 1, "--logs", timeout=30)
        self.assertEqual(result.returncode, 1)
        for name in ("a", "b"):
            self.assertIn(f"datum data/{name} failed: timed out after 300 ms", result.stderr)
        self.assertNotIn("seized", result.stderr)
        self.assertNotIn("attached", result.stderr)
        self.assert_nothing_left()

    def test_a_program_cannot_get_into_its_worker(self):
        self.data(a="one")
        self.python_pipeline(TRACER)
        self.assertIn("[]\n", self.succeed_run("--logs").stderr)

    def test_a_program_may_trace_its_own_children(self):
        self.data(a="one")
        self.python_pipeline(TRACER.split("done = []")[0] + '''
child = os.fork()
if child == 0:
    time.sleep(600)
print("attached" if libc.ptrace(ATTACH, child, None, None) == 0 else "failed")
os.waitpid(child, 0x40000000)
os.kill(child, 9)
''')
        self.assertIn("attached\n", self.succeed_run("--logs").stderr)

    def workers(self, process):
        """The processes 1 of the workers' namespaces, as the machine numbers them."""
        def children(pid):
            lists = pathlib.Path(f"/proc/{pid}/task").glob("*/children")  # each thread has its own
            return [int(word) for children in lists for word in children.read_text().split()]
        return [inner for outer in children(process.pid) for inner in children(outer)]

    def start_hanging(self, tries_that_hang=99, **changes):
        """A run whose datum `b` hangs, when it does."""
        self.marker = self.folder / "hanging"
        self.data(a="one", b="two", c="three")
        self.shell_pipeline(f'test "$(basename "$data")" = b && echo x >> {self.marker} &&\n'
                            f'test "$(wc -l < {self.marker})" -le {tries_that_hang} && exec sleep 876543\n' + COPY)
        if changes:
            self.spec(pipeline=changes)
        process = subprocess.Popen(self.command("--workers", 1), env=self.environment(), stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_for_marks(process, 1)
        return process

    def wait_for_marks(self, process, count):
        deadline = time.monotonic() + 30
        while not self.marker.exists() or len(self.marker.read_text()) < 2 * count:
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.01)

    def signal_workers(self, process, number):
        workers = self.workers(process)
        self.assertEqual(len(workers), 1)
        os.kill(workers[0], number)

    def test_a_datum_that_lost_its_worker_runs_again(self):
        process = self.start_hanging(tries_that_hang=1)
        self.signal_workers(process, signal.SIGKILL)
        errors = process.stderr.read()
        self.assertEqual(process.wait(timeout=30), 0, errors)
        self.assertIn("warning: a worker ended unexpectedly (signal 9 (Killed)); its datum runs again\n", errors)
        self.assertEqual(self.output(), {"a": b"one", "b": b"two", "c": b"three"})
        self.assert_nothing_left()

    def test_a_datum_that_loses_every_worker_fails_alone(self):
        process = self.start_hanging()
        self.signal_workers(process, signal.SIGKILL)
        self.wait_for_marks(process, 2)
        self.signal_workers(process, signal.SIGKILL)
        errors = process.stderr.read()
        self.assertEqual(process.wait(timeout=30), 1, errors)
        self.assertIn("warning: datum data/b failed: a worker ended unexpectedly (signal 9 (Killed)) twice; if memory is "
                      "short, use fewer --workers", errors)
        self.assertIn("datums: 2 processed, 0 skipped, 1 failed, ", errors)
        self.assert_nothing_left()

    def test_a_worker_that_is_stopped_does_not_defeat_the_time_limit(self):
        process = self.start_hanging(datum_timeout="1s")
        self.signal_workers(process, signal.SIGSTOP)
        begin = time.monotonic()
        errors = process.stderr.read()
        self.assertEqual(process.wait(timeout=30), 1, errors)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("datum data/b failed: timed out after 1.0 s", errors)
        self.assertIn("datums: 2 processed, 0 skipped, 1 failed, ", errors)
        self.assert_nothing_left()

    def test_a_stopped_worker_does_not_hold_up_ctrl_c(self):
        process = self.start_hanging()
        self.signal_workers(process, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=3), 130)
        self.assert_nothing_left()

    def test_no_descriptor_of_others_reaches_a_program_or_a_build(self):
        secret = self.write("secret", "not for programs")
        self.data(a="one")
        self.shell_pipeline("ls -l /proc/self/fd\n" + COPY)
        self.write("source/build.sh", "ls -l /proc/self/fd >&2\n" + pipelines.COPY_RUN_SCRIPT)
        with open(secret) as opened:
            os.set_inheritable(opened.fileno(), True)
            process = subprocess.run(self.command("--logs"), env=self.environment(), close_fds=False,
                                     capture_output=True, text=True, timeout=60)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stderr.count(" 0 -> "), 2, process.stderr)
        self.assertNotIn("secret", process.stderr)

    def test_streams_that_are_closed_do_not_lead_into_files(self):
        self.data(a="one")
        self.shell_pipeline("echo printed\n" + COPY)
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            found = self.folder / "found"
            words = [*self.command("--logs", "--force"), ";", support.PACHBUILD, "shell", "-f",
                     self.folder / "spec.json", "--input", f"data={self.folder / 'data'}", "--", "sh", "-c",
                     f'streams=$(for i in 0 1 2; do readlink /proc/$$/fd/$i; done); echo "$streams" > {found}']
            command = " ".join(word if word == ";" else shlex.quote(str(word)) for word in words)
            result = self.run_program("sh", "-c", f"{{ {command}; }} {closed}", env=self.environment())
            self.assertEqual(result.returncode, 0, closed)
            for stream, target in zip(("<", ">", "2>"), found.read_text().splitlines()):
                if f"{stream}&-" in closed.split():
                    # In a chroot there is more before it.
                    self.assertTrue(target.endswith("/dev/null"), (closed, target))
            self.assertEqual(self.output(), {"a": b"one"})
            for path in self.cache.rglob("*"):
                if path.is_file() and path.suffix != ".log":
                    self.assertNotIn(b"build: done", path.read_bytes(), path)

    def test_an_output_that_cannot_be_written_is_told(self):
        self.data(a="one")
        self.shell_pipeline("echo printed\n" + COPY)
        self.succeed_run()
        spec = ("-f", self.folder / "spec.json")
        for words in (("logs", *spec), ("explain", *spec), ("--version",), self.command("-o", "json")[1:]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                result = subprocess.run([support.PACHBUILD, *words], env=self.environment(), stdout=full,
                                        stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual(result.returncode, 73, result.stderr)
            self.assertIn("error: standard output: not all of it could be written\n", result.stderr)


if __name__ == "__main__":
    support.main()
