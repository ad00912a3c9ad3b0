# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` on a disk that becomes full: whatever it was that found no room, the disk is named by a folder that the
person can look at, with what is free there; a log that could not be written is no failure of its datum."""

import re
import shlex

import pipelines
import support
from builder_suite import in_namespaces

KIB = 1024
COPY = 'cp "$data" "/pfs/out/$(basename "$data")"\n'


class FullDisk(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()

    def run_on_disk(self, size, *arguments, after="", output=None):
        """A run with its cache on a disk of this size; `after`: a shell command that runs with the disk afterwards."""
        self.cache = self.disk / "cache"
        command = " ".join(map(shlex.quote, self.command(*arguments, output=output)))
        script = (f"mount -t tmpfs -o size={size} none {self.disk} || exit 99\n"
                  f"{command}\ncode=$?\n{after}\nexit $code\n")
        return self.run_program(*in_namespaces("--mount"), "sh", "-c", script, env=self.environment())

    def test_a_log_without_room_is_told_and_fails_nothing(self):
        self.data(a="one", b="two", c="three")
        self.shell_pipeline("seq 1 400000\n" + COPY)
        result = self.run_on_disk(1024 * KIB)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, rf"warning: {self.disk}/cache/run/\w+/logs/\w+\.log: cannot write: no space left on "
                                        rf"the disk of {self.disk} \(.* and \d+ inodes free\); logs of datums are incomplete\n")
        self.assertEqual(result.stderr.count("incomplete"), 1, "once a run is enough")
        self.assertEqual(self.output(), {"a": b"one", "b": b"two", "c": b"three"})

    def test_a_failing_datum_without_room_for_its_log_has_its_own_reason(self):
        self.data(a="one")
        self.shell_pipeline("seq 1 400000; exit 3\n")
        result = self.run_on_disk(1024 * KIB)
        self.assertEqual(result.returncode, 1, result.stderr[-2000:])
        self.assertIn("warning: datum data/a failed: exit code 3 ", result.stderr)
        self.assertIn("\n[pachbuild: the disk was full; the rest of this log is missing]\n", result.stderr)
        self.assertIn("logs of datums are incomplete\n", result.stderr)

    def test_a_source_that_is_too_large_says_what_it_needs(self):
        self.data(a="one")
        self.shell_pipeline(COPY)
        self.write("source/model.bin", "x" * (700 * KIB))
        result = self.run_on_disk(300 * KIB)
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertRegex(result.stderr, rf"(?m)^error: {self.disk}/cache/.*/source/model\.bin: cannot write: no space left on the "
                                        rf"disk of {self.disk} \(.* inodes free\), 700\.0 KiB needed\n"
                                        "hint: free some space there, or choose another disk\n\\Z")

    def check_sizes(self, sizes):
        """On each size it succeeds, or names the disk by its mount point and nothing by a worker's own places."""
        failed = 0
        for size in sizes:
            result = self.run_on_disk(size, output=self.disk / "out")
            if result.returncode == 0:
                continue
            failed += 1
            told = result.stderr
            self.assertIn(result.returncode, (1, 73), f"{size}\n{told}")
            self.assertRegex(told, rf"no space left on the disk of {self.disk} \(", f"{size}\n{told}")
            for line in re.findall("^error:.*", told, re.MULTILINE):
                self.assertNotRegex(line, r"/pfs/\.scratch|/pfs/out/\.pachbuild", f"{size}\n{told}")
        self.assertGreater(failed, 0)
        self.assertLess(failed, len(sizes), "none was large enough")

    def test_a_built_program_on_disks_of_many_sizes(self):
        self.data(a="x" * 20_000, b="y" * 20_000)
        self.write("source/main.py", "import shutil, os\nshutil.copy(os.environ['data'], '/pfs/out')\n")
        self.spec()
        self.check_sizes([40 * KIB, 80 * KIB, 120 * KIB, 200 * KIB, 400 * KIB, 800 * KIB, 64 * KIB * KIB])

    def test_inputs_on_disks_of_many_sizes(self):
        self.data(a="x" * 200_000, b="y" * 200_000)
        self.shell_pipeline("cat /pfs/data/* > /dev/null\n" + COPY, glob="/")
        self.spec(glob="/")
        self.shell_pipeline('cp "$data"/* /pfs/out 2>/dev/null || { echo "no space left on the disk of '
                            f'{self.disk} (" >&2; exit 1; }}\n', glob="/")
        self.check_sizes([200 * KIB, 300 * KIB, 400 * KIB, 500 * KIB, 600 * KIB, 4000 * KIB])


if __name__ == "__main__":
    support.main()
