# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while pachbuild reads a large source for a cluster: it ends at once, and leaves nothing, here and there."""

import os
import signal
import subprocess
import time

import cluster_suite
import support

# So much that nothing here could copy or digest it before a test is over; it takes no room on the disk.
LARGE = 1 << 40
PATIENCE = 1.5


class Stopping(cluster_suite.ClusterSuite):
    builds = False

    def stop_while_it_reads(self, *words):
        large = self.write("source/model.bin", "")
        os.truncate(large, LARGE)
        self.env["PACHBUILD_CACHE_DIR"] = str(self.folder / "cache")
        process = subprocess.Popen([support.PACHBUILD, *words, "-f", str(self.spec), "--max-file-size", "2TB"], env=self.env,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 30
        while not support.has_open(process, large):
            self.assertIsNone(process.poll(), "it has ended by itself")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        try:
            self.assertIn(process.wait(timeout=PATIENCE), (-signal.SIGINT, 128 + signal.SIGINT))
        except subprocess.TimeoutExpired:
            self.fail(f"still there after {PATIENCE} s")
        left = [path for path in (self.folder / "cache").rglob("*") if path.name.startswith("model.bin")]
        self.assertEqual(left, [])

    def test_an_update(self):
        before = self.raw("list", "repo")
        self.stop_while_it_reads("update", "pipeline")
        self.assertEqual([item["repo"] for item in self.raw("list", "repo")], [item["repo"] for item in before])

    def test_an_update_of_what_is_there(self):
        self.update()
        self.stop_while_it_reads("update", "pipeline")


if __name__ == "__main__":
    support.main()
