# SPDX-License-Identifier: Apache-2.0
"""The logs of `pachbuild run`: written by pachbuild, whole, in order, and never a reason for a datum to wait."""

import os
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


if __name__ == "__main__":
    support.main()
