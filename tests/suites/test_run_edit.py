# SPDX-License-Identifier: Apache-2.0
"""An edit of the source costs a build without dependencies: nothing is resolved, downloaded or installed."""

import os
import time

import pipelines
import support

MAIN = """\
import os, sys
import leftpad
path = os.environ["data"]
with open(path) as page, open("/pfs/out/" + os.path.basename(path), "w") as out:
    out.write(leftpad.left_pad(page.read().strip(), 4, "0"))
"""


class Edit(pipelines.PipelineSuite):
    def environments(self):
        """The unpacked environments, each with its number on the disk, which another has that is unpacked again."""
        return {path: path.stat().st_ino for path in self.cache.glob("env/*")}

    def test_an_edit_needs_no_network_and_little_time(self):
        support.require_network()
        support.require(os.getuid() == 0, "only root can take the network away")
        self.data(a="7", b="42")
        self.write("source/requirements.txt", "leftpad==0.1.2\n")
        self.write("source/main.py", MAIN)
        self.spec()
        self.succeed_run()
        self.assertEqual(self.output(), {"a": b"0007", "b": b"0042"})

        unpacked = self.environments()
        self.assertEqual(len(unpacked), 1)
        self.write("source/main.py", MAIN.replace('"0")', '"_")'))
        start = time.monotonic()
        result = self.run_program("unshare", "--net", *self.command(), env=self.environment(
            # Nor may it come from a cache of uv's own.
            UV_CACHE_DIR=str(self.folder / "empty")))
        print(f"edit to output of two datums: {time.monotonic() - start:.3f} s")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.output(), {"a": b"___7", "b": b"__42"})
        self.assertFalse((self.folder / "empty").exists(), "uv was started")
        self.assert_ran(result, run=2)
        self.assertEqual(self.environments(), unpacked, "the environment was unpacked again")


if __name__ == "__main__":
    support.main()
