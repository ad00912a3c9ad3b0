# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` when programs fail, collide or are interrupted."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pipelines
import support

COPY = 'cp "$data" "/pfs/out/$(basename "$data")"\n'


class Failures(pipelines.PipelineSuite):

    def test_a_failing_datum_is_shown_and_the_others_still_run(self):
        self.data(a="one", b="bad", c="three")
        self.shell_pipeline('grep -q bad "$data" && { echo "cannot read this"; exit 3; }\n' + COPY)
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assertIn("warning: datum data/b failed: exit code 3 (log: ", result.stderr)
        self.assertIn("\ncannot read this\n", result.stderr)
        self.assert_ran(result, run=2, failed=1)
        self.assertIn(f"error: {self.out}: 1 datum failed, so the output folder was not changed\nhint: the results of the "
                      "other datums are kept for the next run; use pachbuild run --partial to write them now\n", result.stderr)
        self.assertFalse(self.out.exists())
        self.assert_nothing_left()

    def test_partial_exports_what_there_is_and_lists_what_is_missing(self):
        self.test_a_failing_datum_is_shown_and_the_others_still_run()
        result = self.pachbuild_run("--partial")
        self.assertEqual(result.returncode, 1)
        self.assert_ran(result, run=0, skipped=2, failed=1)
        self.assertIn(f"error: {self.out}: 1 datum failed; its output is missing\n"
                      f"hint: {self.out}/.pachbuild/missing lists it\n", result.stderr)
        self.assertEqual(self.output(), {"a": b"one", "c": b"three"})
        self.assertEqual([line.split(" (log: ")[0] for line in self.missing()], ["data/b: exit code 3"])
        self.assert_nothing_left()
        self.data(b="good")
        self.succeed_run()
        self.assertFalse((self.out / ".pachbuild/missing").exists())

    def test_a_mended_datum_is_run_and_no_longer_missing(self):
        self.test_a_failing_datum_is_shown_and_the_others_still_run()
        self.data(b="good")
        self.assert_ran(self.succeed_run(), run=1, skipped=2)
        self.assertEqual(self.output(), {"a": b"one", "b": b"good", "c": b"three"})

    def test_a_failed_datum_is_tried_again_by_the_next_run(self):
        self.data(a="one")
        flag = self.folder / "flag"
        self.shell_pipeline(f"test -e {flag} || exit 1\n" + COPY)
        self.assertEqual(self.pachbuild_run().returncode, 1)
        flag.touch()
        self.assert_ran(self.succeed_run(), run=1)

    def test_equal_failures_are_told_once(self):
        self.data(**{f"n{number}": "bad" if number % 4 == 0 else "good" for number in range(80)})
        self.shell_pipeline('grep -q bad "$data" && { echo "$data: line $$ is not a number" >&2; exit 3; }\n' + COPY)
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assert_ran(result, run=60, failed=20)
        self.assertEqual(result.stderr.count(" failed: exit code 3"), 1, result.stderr)
        self.assertRegex(result.stderr, r"warning: 19 more datums failed in the same way as data/n\d+: data/n\d+, data/n\d+, data/n\d+, … "
                                        r"\(logs: .*/logs\)\n")
        self.assertLess(len(result.stderr.splitlines()), 12, result.stderr)
        # With --logs each has its own.
        again = self.pachbuild_run("--logs")
        self.assertEqual(again.stderr.count(" failed: exit code 3"), 20, again.stderr)
        self.assertNotIn(" more datums", again.stderr)

    def run_on_terminal(self, **changes):
        ours, theirs = os.openpty()
        with open(ours, "rb", buffering=0) as screen:
            process = subprocess.Popen(self.command("--force"), env={**self.environment(), **changes}, stderr=theirs)
            os.close(theirs)
            shown = b""
            try:
                while piece := screen.read(65536):
                    shown += piece
            except OSError:  # nobody has the terminal any more
                pass
            return process.wait(timeout=60), shown.decode()

    def test_what_a_program_prints_changes_no_terminal(self):
        self.data(a="one")
        self.shell_pipeline("printf 'red: \\033[31mx\\033[0m \\033[2J\\033]0;title\\007bell\\007\\n1%%\\r2%%\\n'; exit 1\n")
        _, text = self.run_on_terminal()
        self.assertIn("red: \x1b[31mx\x1b[0m bell\\x07\r\n2%\r\n", text)
        self.assertNotIn("\x1b[2J", text)
        _, text = self.run_on_terminal(NO_COLOR="1")
        self.assertIn("red: x bell", text)
        # In a file it is what the program wrote.
        self.assertIn("red: \x1b[31mx\x1b[0m \x1b[2J\x1b]0;title\x07bell\x07\n", self.pachbuild_run().stderr)

    def test_death_by_a_signal_is_named(self):
        self.data(a="one")
        self.shell_pipeline("kill -SEGV $$\n")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assertIn("datum data/a failed: signal 11 (Segmentation fault)", result.stderr)

    def test_accepted_return_codes_are_success(self):
        self.data(a="one")
        self.shell_pipeline(COPY + "exit 7\n", accept_return_code=[7])
        self.succeed_run()
        self.assertEqual(self.output(), {"a": b"one"})

    def test_the_error_command_recovers_a_datum(self):
        self.data(a="one", b="bad")
        self.shell_pipeline("grep -q bad \"$data\" && exit 1\n" + COPY, err_cmd=["sh"], err_stdin=["exit 0"])
        result = self.succeed_run()
        self.assertIn("datums: 2 processed (1 recovered by err_cmd), 0 skipped, ", result.stderr)
        self.assertEqual(self.output(), {"a": b"one"})

    def test_tries_start_from_a_clean_output(self):
        self.data(a="one")
        count = self.folder / "count"
        self.shell_pipeline(f'test -e /pfs/out/left && exit 9\necho x >> {count}; touch /pfs/out/left\n'
                            f'test "$(wc -l < {count})" = 3\n')
        self.spec(pipeline={"datum_tries": 3})
        self.succeed_run()
        self.assertEqual(count.read_text(), "x\nx\nx\n")

    def test_what_a_datum_left_running_ends_with_it(self):
        self.data(a="one", b="two")
        pid = self.folder / "pid"
        self.shell_pipeline(f"case $data in */a) sleep 60 & echo $! > {pid}; exit 0;; esac\n"
                            f"for i in $(seq 200); do\n"
                            f"  state=$(sed -n 's/^State:[^A-Z]*\\([A-Z]\\).*/\\1/p' /proc/$(cat {pid})/status)\n"
                            f"  case $state in ''|Z|X) echo ended > /pfs/out/b; exit 0;; esac\n"
                            f"  sleep 0.01\n"
                            f"done\necho $state > /pfs/out/b\n")
        self.succeed_run("--workers", 1)
        self.assertEqual(self.output(), {"b": b"ended\n"})

    def test_a_datum_that_takes_too_long_is_ended(self):
        self.data(a="one")
        self.shell_pipeline("sleep 600\n")
        self.spec(pipeline={"datum_timeout": "300ms"})
        result = self.pachbuild_run(timeout=30)
        self.assertEqual(result.returncode, 1)
        self.assertIn("datum data/a failed: timed out after 300 ms", result.stderr)

    def test_two_datums_with_one_path_are_named(self):
        self.data(a="one", b="two")
        self.shell_pipeline('cp "$data" /pfs/out/same\n')
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assertIn("error: /pfs/out/same: written by two datums: data/a and data/b, so the output folder was not "
                      "changed\nhint: make the output name depend on the datum, for example on its file name\n",
                      result.stderr)
        self.assertEqual(self.output(), {})
        self.assert_nothing_left()

    def test_datums_with_one_path_are_left_out_of_a_partial_output(self):
        self.data(**{f"n{number}": str(number) for number in range(1, 7)})
        self.shell_pipeline(COPY)
        self.succeed_run()
        self.shell_pipeline('name=$(basename "$data"); cp "$data" "/pfs/out/e-$name"\n'
                            'case $name in n1|n2) cp "$data" /pfs/out/same;; esac\n')
        kept = {f"e-n{number}": str(number).encode() for number in range(3, 7)}
        fault = "/pfs/out/same: written by two datums: data/n1 and data/n2"
        for run, skipped in ((6, 0), (0, 6)):
            result = self.pachbuild_run("--partial")
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"datums: {run} processed, {skipped} skipped, 2 left out because of conflicting paths, ",
                          result.stderr)
            self.assertTrue(result.stderr.endswith(
                f"error: {fault}, so their output is left out\nhint: make the output name depend on the datum, for "
                f"example on its file name; {self.out}/.pachbuild/missing lists the datums without output\n"), result.stderr)
            self.assertEqual(self.output(), kept)
            self.assertEqual(self.missing(), [f"data/n1: {fault}", f"data/n2: {fault}"])
        # Every datum, and none was warned of as one that writes nothing.
        self.shell_pipeline('cp "$data" /pfs/out/same\n')
        result = self.pachbuild_run("--partial")
        self.assertEqual(result.returncode, 1)
        self.assertNotIn("no datum wrote", result.stderr)
        self.assertEqual((self.output(), len(self.missing())), ({}, 6))
        self.assert_nothing_left()

    def test_a_name_that_pfs_cannot_hold_fails_the_datum(self):
        self.data(a="one")
        self.shell_pipeline("touch '/pfs/out/a(1)'\n")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assertIn("datum data/a failed: invalid file name for PFS: \"/pfs/out/a(1)\" contains ( )", result.stderr)

    def test_a_command_that_is_not_there(self):
        self.data(a="one")
        self.shell_pipeline("", cmd=["no-such-program"])
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assertIn("datum data/a failed: no-such-program: command not found", result.stderr)

    def test_a_failing_build_stops_before_any_datum(self):
        self.data(a="one")
        self.spec()
        self.write("source/build.sh", "echo no compiler >&2\nexit 4\n")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("no compiler\n", result.stderr)
        self.assertEqual(result.stderr.count("error:"), 1, result.stderr)
        self.assertFalse(self.out.exists())

    def test_two_runs_into_one_folder_do_not_mix(self):
        self.data(a="one")
        self.shell_pipeline("sleep 1.5\n" + COPY)
        first = subprocess.Popen(self.command(), env=self.environment(), stderr=subprocess.DEVNULL)
        self.addCleanup(first.wait)
        deadline = time.monotonic() + 20
        while not (self.out / ".pachbuild/lock").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertIn("another pachbuild is writing here", result.stderr)
        self.assertEqual(first.wait(timeout=60), 0)


class Interruption(pipelines.PipelineSuite):

    def start(self):
        """Starts a run whose first datums are done and whose others hang, and waits until they do."""
        self.data(a="one", b="hang", c="hang")
        marker = self.folder / "hanging"
        self.shell_pipeline(f'grep -q hang "$data" || {{ {COPY.strip()}; exit; }}\n'
                            f'setsid sleep 876543 &\necho x >> {marker}; exec sleep 876543\n')
        process = subprocess.Popen(self.command("--workers", 2), env=self.environment(), stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(process.stderr.close)
        deadline = time.monotonic() + 60
        while not marker.exists() or marker.read_text() != "x\nx\n":
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        return process

    def assert_no_process(self):
        deadline = time.monotonic() + 5
        while "sleep 876543" in self.run_program("ps", "-eo", "args").stdout:
            self.assertLess(time.monotonic(), deadline, "a program is still running")
            time.sleep(0.05)

    def test_ctrl_c_stops_everything_at_once(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start()
            begin = time.monotonic()
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=5), 128 + number)
            print(f"stopped after {time.monotonic() - begin:.3f} s", file=sys.stderr)
            self.assertIn("warning: interrupted; the output folder was not changed, and finished datums are kept for the "
                          "next run\n", process.stderr.read())
            self.assert_no_process()
            self.assertFalse(self.out.exists())
            self.assert_nothing_left()
            (self.folder / "hanging").unlink()

    def test_a_killed_run_leaves_no_process_and_the_next_one_cleans_up(self):
        process = self.start()
        process.kill()
        process.wait()
        self.assert_no_process()
        (self.folder / "data/b").write_text("two")
        (self.folder / "data/c").write_text("three")
        self.succeed_run()
        self.assertEqual(self.output(), {"a": b"one", "b": b"two", "c": b"three"})
        self.assert_nothing_left()

    def test_no_mount_stays(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        process = self.start()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)


if __name__ == "__main__":
    support.main()
