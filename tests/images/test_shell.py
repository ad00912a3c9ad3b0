# SPDX-License-Identifier: Apache-2.0
"""`pachbuild shell --runtime podman`: a shell in the image where a datum's program would start."""

import os
import sys

import containers
import pipelines
import support

sys.path.insert(0, str(containers.ROOT / "tests" / "suites"))

import test_shell  # noqa: E402  (found by the line above)


class InAContainer(pipelines.PipelineSuite, containers.ImageSuite):
    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.assertEqual(self.containers(), []))
        self.data(**{"a.txt": "A\n"})
        self.write("source/main.py", "import sys, six; print(sys.prefix, six.__version__)\n")
        self.write("source/requirements.txt", "six==1.16.0\n")
        self.spec()

    def environment(self, **changes):
        return super().environment(UV_CACHE_DIR=str(support.shared_cache("uv")), **changes)

    def command(self, *words):
        return [support.PACHBUILD, "shell", "-f", str(self.folder / "spec.json"), "--input", f"data={self.folder / 'data'}",
                "--runtime", "podman", *words]

    def test_a_command(self):
        support.require_network()
        script = "pwd; id -u; cat $data; cat /proc/1/comm; sh /pfs/build/run.sh; sh /pfs/build/run.sh; python3 main.py; " \
                 "cat; echo x > /pfs/out/x; exit 9"
        result = self.run_program(*self.command("--", "sh", "-c", script), env=self.environment(), stdin="typed\n")
        self.assertEqual(result.returncode, 9, result.stderr)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[:4], ["/pfs/source", str(os.getuid()), "A", "pachbuild"])
        self.assertTrue(lines[4].endswith(" 1.16.0"), lines)
        self.assertEqual(lines[5:8], [lines[4], lines[4], "typed"])
        self.assertIn("shell: discarded from /pfs/out: 1 file, 2 B\n", result.stderr)

    def test_a_shell_on_a_terminal(self):
        support.require_network()
        terminal = test_shell.Terminal(self, self.command(), self.environment(TERM="xterm"))
        terminal.wait_for(r"^shell: datum 1 of 1, data/a\.txt; its program is sh /pfs/build/run\.sh", seconds=200)
        terminal.type("stty size; tty; pwd; echo $0\n")
        terminal.wait_for(r"^33 101\r\n/dev/pts/\d+\r\n/pfs/source\r\nbash\r\n")
        terminal.type("sleep 1000\n")
        terminal.type("\x03")
        terminal.wait_for(r"\^C")
        terminal.type("exit 8\n")
        self.assertEqual(terminal.end(), 8)
        self.assertEqual(terminal.settings_now(), terminal.settings)


if __name__ == "__main__":
    support.main()
