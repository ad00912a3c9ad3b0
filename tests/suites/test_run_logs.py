# SPDX-License-Identifier: Apache-2.0
"""The logs of `pachbuild run`: written by pachbuild, whole, in order, and never a reason for a datum to wait."""

import os
import re
import shutil
import subprocess
import time

import pipelines
import support

COPY = 'cp "$data" "/pfs/out/$(basename "$data")"\n'


class Logs(pipelines.PipelineSuite):

    def log(self):
        """The log of the only datum, as bytes."""
        (path,) = self.cache.glob("run/*/logs/*.log")
        return path.read_bytes()

    def run_program_text(self, program):
        self.data(a="one")
        self.shell_pipeline(program)
        return self.succeed_run(timeout=60)

    def test_both_streams_are_kept_in_order(self):
        self.run_program_text("i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i + 1)); done\n")
        self.assertEqual(self.log().decode(), "".join(f"out {i}\nerr {i}\n" for i in range(2000)))

    def test_every_byte_is_kept(self):
        content = bytes(range(256)) * 20_000
        self.write("data/blob", content)
        self.shell_pipeline("cat /pfs/data/blob\n")
        self.succeed_run()
        self.assertEqual(self.log(), content)

    def test_of_a_very_long_log_beginning_and_end_are_kept(self):
        self.run_program_text("echo first; seq 10000000 29999999 | head -c 150000000; echo; echo last\n")
        log = self.log()
        self.assertLess(len(log), (64 << 20) + (64 << 10))
        beginning, mark, end = re.split(rb"\n\[pachbuild: (.*)\]\n", log)
        self.assertTrue(beginning.startswith(b"first\n10000000\n10000001\n"))
        self.assertEqual(len(beginning), 16 << 20)
        self.assertTrue(end.endswith(b"\nlast\n"))
        said = re.fullmatch(rb"the log is longer than 64.0 MiB; (.*) MiB are left out here", mark)
        self.assertAlmostEqual(float(said[1]), (150_000_012 - len(beginning) - len(end)) / (1 << 20), delta=0.2)

    def test_logs_count_for_the_limit_of_the_cache(self):
        self.data(a="one")
        program = "head -c 3000000 /dev/zero; echo %s > /pfs/out/result\n"
        self.shell_pipeline(program % "first")
        self.succeed_run()
        (first,) = self.cache.glob("run/*/logs/*.log")
        os.utime(first, (1, 1))
        (result,) = self.cache.glob("results/datums/*/*")
        os.utime(result, (1, 1))
        self.shell_pipeline(program % "second", glob="/")
        limited = self.environment(PACHBUILD_CACHE_LIMIT="4MiB")
        other = self.run_program(*self.command(output=self.folder / "other"), env=limited)
        self.assertIn("cache: removed the least recently used logs: 2.9 MiB", other.stderr)
        self.assertFalse(first.exists())
        self.assertEqual(len(list(self.cache.glob("run/*/logs/*.log"))), 1)

    def test_logs_of_earlier_code_are_removed(self):
        self.data(a="one", b="two")
        self.shell_pipeline("echo first\n" + COPY)
        self.succeed_run()
        self.data(a="changed")
        self.succeed_run()
        self.assertEqual(len(list(self.cache.glob("run/*/logs/*.log"))), 2)
        self.shell_pipeline("echo second\n" + COPY)
        self.succeed_run()
        logs = list(self.cache.glob("run/*/logs/*.log"))
        self.assertEqual([path.read_text() for path in logs], ["second\n"] * 2)

    def test_the_error_commands_output_follows(self):
        self.data(a="one")
        self.shell_pipeline("echo first; exit 1\n", err_cmd=["sh"], err_stdin=["echo second"])
        self.succeed_run()
        self.assertEqual(self.log(), b"first\nsecond\n")

    def test_all_tries_are_kept(self):
        self.data(a="one")
        self.shell_pipeline("echo try; exit 1\n")
        self.spec(pipeline={"datum_tries": 3})
        self.pachbuild_run()
        self.assertEqual(self.log(), b"try\ntry\ntry\n")

    def test_a_process_that_stays_behind_does_not_hold_its_datum(self):
        self.data(b="two")
        begin = time.monotonic()
        self.run_program_text("echo before\nsetsid sleep 600 &\nsleep 600 &\n" + COPY)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(sorted(self.output()), ["a", "b"])

    def test_a_process_that_stays_behind_and_prints_for_ever_does_neither(self):
        begin = time.monotonic()
        self.run_program_text("echo before\nsetsid yes 'no end' &\nsleep 0.05\n" + COPY)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertTrue(self.log().startswith(b"before\n"))

    def test_a_program_may_close_its_output(self):
        self.run_program_text("echo before; exec >&- 2>&-; sleep 0.2\n" + COPY)
        self.assertEqual(self.log(), b"before\n")

    def test_a_program_may_open_its_output_by_name(self):
        self.run_program_text("echo one > /dev/stdout; echo two > /dev/stderr; echo three >> /proc/self/fd/1\n")
        self.assertEqual(self.log(), b"one\ntwo\nthree\n")

    def test_a_link_in_a_logs_place_is_not_followed(self):
        other = self.write("other", "somebody's")
        flag = self.folder / "flag"
        self.data(a="one")
        self.shell_pipeline(f"echo mine\ntest -e {flag} || exit 1\n" + COPY)
        self.assertEqual(self.pachbuild_run().returncode, 1)
        (path,) = self.cache.glob("run/*/logs/*.log")
        path.unlink()
        os.symlink(other, path)
        flag.touch()
        self.assert_ran(self.succeed_run(), run=1)
        self.assertEqual(other.read_text(), "somebody's")
        self.assertEqual(self.log(), b"mine\n")
        self.assertFalse(path.is_symlink())


class LogsOfTheLastRun(pipelines.PipelineSuite):
    """`pachbuild logs -f SPEC`."""

    def setUp(self):
        super().setUp()
        self.data(a="one", b="bad", c="three")
        self.shell_pipeline(
            'echo "reading $(cat "$data")"; case "$(cat "$data")" in bad*) exit 3 ;; esac; ' + COPY
        )

    def logs(self, *arguments, **options):
        command = [support.PACHBUILD, "logs", "-f", str(self.folder / "spec.json"), *arguments]
        return self.run_program(*command, env=self.environment(), **options)

    def test_all_that_ran(self):
        self.pachbuild_run("--partial")
        result = self.logs()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(result.stdout.splitlines()), ["reading bad", "reading one", "reading three"])
        self.assertEqual(len(re.findall(r"^== datum data/[ac]: succeeded, .*s$", result.stderr, re.M)), 2)
        self.assertEqual(len(re.findall(r"^== datum data/b: failed: exit code 3, .*s$", result.stderr, re.M)), 1)

    def test_those_that_failed_and_those_that_are_named(self):
        self.pachbuild_run("--partial")
        self.assertEqual(self.logs("--failed").stdout, "reading bad\n")
        self.assertEqual(self.logs("--datum", "a").stdout, "reading one\n")
        self.assertEqual(sorted(self.logs("--datum", "data/a", "--datum", "/c").stdout.splitlines()),
                         ["reading one", "reading three"])

    def test_a_skipped_datum_has_the_log_of_when_it_ran(self):
        self.pachbuild_run("--partial")
        self.data(b="good")
        self.pachbuild_run()
        self.assertEqual(self.logs().stdout, "reading good\n")
        result = self.logs("--datum", "a")
        self.assertEqual((result.stdout, result.stderr),
                         ("reading one\n", "== datum data/a: skipped; its result is in the cache\n"))
        result = self.logs("--failed")
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"^== edges, run at .*: no datum failed\n$")

    def test_a_datum_that_printed_nothing(self):
        self.shell_pipeline("true\n")
        self.pachbuild_run()
        result = self.logs("--datum", "a")
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"^== datum data/a: succeeded, .*; it printed nothing\n$")

    def test_a_datum_that_failed_and_printed_nothing(self):
        self.shell_pipeline("exit 3\n")
        self.pachbuild_run()
        result = self.logs("--failed", "--datum", "a")
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"^== datum data/a: failed: exit code 3, .*; it printed nothing\n$")

    def test_a_log_that_was_removed(self):
        self.pachbuild_run("--partial")
        for log in self.cache.glob("run/*/logs/*.log"):
            log.unlink()
        result = self.logs("--datum", "b")
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr,
                         r"^== datum data/b: failed: exit code 3, .*; its log is no longer in the cache\n$")

    def test_the_log_of_a_failure_stays_while_others_run(self):
        self.pachbuild_run("--partial")
        self.pachbuild_run("--force", "--datum", "a")
        self.assertEqual(self.logs("--failed").stdout, "reading bad\n")

    def test_after_a_run_without_datums_it_says_whose_logs_it_shows(self):
        self.pachbuild_run("--partial")
        build = self.write("source/build.sh", "exit 1\n")
        self.pachbuild_run()
        result = self.logs("--failed")
        self.assertEqual((result.returncode, result.stdout), (0, "reading bad\n"))
        time_text = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        lines = result.stderr.splitlines()
        self.assertRegex(
            lines[0],
            f"^warning: the last run of pipeline edges \\({time_text}\\) ended before any datum ran: its build failed; "
            f"showing the run of {time_text}$",
        )
        self.assertEqual(len(lines), 2)
        build.write_text(pipelines.COPY_RUN_SCRIPT)
        self.pachbuild_run()
        self.assertNotIn("warning", self.logs("--failed").stderr)

    def test_after_a_run_whose_datums_are_known_and_in_conflict_nothing_is_missing(self):
        self.shell_pipeline('echo "reading $(cat "$data")"; cp "$data" /pfs/out/same\n')
        self.assertEqual(self.pachbuild_run().returncode, 1)
        self.assertEqual(self.pachbuild_run().returncode, 1)
        result = self.logs("--datum", "a")
        self.assertEqual((result.stdout, result.stderr),
                         ("reading one\n", "== datum data/a: skipped; its result is in the cache\n"))

    def test_a_run_is_followed_to_its_end(self):
        self.data(b="good")
        self.shell_pipeline('echo "reading $(cat "$data")"; while [ ! -e /tmp/go ]; do sleep 0.05; done; ' + COPY)
        gate = self.folder / "go"
        self.write("source/program.sh", (self.folder / "source/program.sh").read_text().replace("/tmp/go", str(gate)))
        with subprocess.Popen(self.command("--workers", "1"), env=self.environment(), stderr=subprocess.PIPE) as run:
            while not list(self.cache.glob("run/*/logs/*.log")):
                self.assertIsNone(run.poll())
                time.sleep(0.02)
            command = [support.PACHBUILD, "logs", "-f", self.folder / "spec.json", "--follow"]
            with subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True) as follower:
                first = follower.stdout.readline()  # while its datum runs
                gate.touch()
                output, errors = follower.communicate(timeout=60)
                output = first + output
            run.communicate(timeout=60)
        self.assertEqual(sorted(output.splitlines()), ["reading good", "reading one", "reading three"], errors)
        self.assertTrue(errors.endswith("== edges: the run has ended\n"), errors)

    def test_one_that_grows_too_long_is_followed_to_its_end(self):
        seen = self.folder / "seen"
        shutil.rmtree(self.folder / "data")
        self.data(a="one")
        # Past the length where its middle is taken out, once the follower has seen the beginning.
        self.shell_pipeline(f"head -c 67000000 /dev/zero | tr '\\0' '\\n'; while [ ! -e {seen} ]; do sleep 0.05; done; "
                            "head -c 1000000 /dev/zero | tr '\\0' '\\n'; sleep 0.5; echo the end; sleep 0.5\n" + COPY)
        with subprocess.Popen(self.command(), env=self.environment(), stderr=subprocess.PIPE) as run:
            while not list(self.cache.glob("run/*/logs/*.log")):
                self.assertIsNone(run.poll())
                time.sleep(0.02)
            command = [support.PACHBUILD, "logs", "-f", self.folder / "spec.json", "--follow"]
            with subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) as follower:
                self.assertEqual(len(follower.stdout.read(67_000_000)), 67_000_000)
                seen.touch()
                self.assertEqual(follower.communicate(timeout=60)[0].splitlines()[-1], b"the end")
            run.communicate(timeout=60)

    def test_names_that_exclude_each_other(self):
        result = self.logs("edges")
        self.assertEqual(result.returncode, 64)
        self.assertIn("logs: takes either the name of a pipeline or a spec, not both", result.stderr)


if __name__ == "__main__":
    support.main()
