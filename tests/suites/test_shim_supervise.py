# SPDX-License-Identifier: Apache-2.0
"""worker-shim --supervise, and as PID 1: what tests/supervisor expects of a supervisor, and what only ours has."""

import os
import signal
import subprocess
import sys

import support

sys.path.insert(0, str(support.ROOT / "tests"))

from supervisor import conformance  # noqa: E402  (found by the line above)


class AsChild(conformance.Conformance, conformance.JobControlConformance, support.Suite):
    subject = conformance.Shim(support.SHIM)


class AsInit(conformance.Conformance, conformance.TerminalConformance, support.Suite):
    """As PID 1, with no option for it."""

    subject = conformance.InNamespace(conformance.Shim(support.SHIM))

    def setUp(self):
        super().setUp()
        probe = subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False)
        support.require(probe.returncode == 0, "PID namespaces need root")


class Own(support.Suite):
    """What only ours has."""

    def command(self, *options, program=("sh", "-c", "exit 3")):
        return [support.SHIM, "--build", str(self.folder), *options, "--exec", "--", *program]

    def start(self, command, **settings):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)
        self.addCleanup(conformance.Conformance.end, process)
        return process

    def test_exit_codes_become_others(self):
        for code, expected in ((3, 0), (4, 4), (143, 255)):
            program = ("sh", "-c", f"exit {code}")
            result = self.run_program(*self.command("--remap-exit", "3:0", "--remap-exit=143:255", program=program))
            self.assertEqual(result.returncode, expected)
        killed = self.run_program(*self.command("--remap-exit", "143:0", program=("sh", "-c", "kill -TERM $$")))
        self.assertEqual(killed.returncode, 0, "also those of signals")

    def test_a_single_process_gets_signals_alone(self):
        script = ("trap 'exit 4' TERM; (trap 'echo inner' TERM; echo ready; read line) & "
                  "while :; do wait; sleep 0.01; done")
        process = self.start(self.command("--single-process", program=("sh", "-c", script)), stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.terminate()
        self.assertEqual((process.stdout.read(), process.wait(timeout=60)), ("", 4))

    def test_it_ends_with_its_parent_when_asked(self):
        for name, output in (("TERM", "asked\n"), ("KILL", "")):
            program = ("sh", "-c", "trap 'echo asked; exit' TERM; echo ready; while :; do sleep 0.01; done")
            command = self.command("--parent-death-signal", name, program=program)
            # The parent ends as soon as it is told to; the pipe ends when nobody is left.
            parent = self.start(["sh", "-c", '"$@" & read line', "sh", *command], stdin=subprocess.PIPE)
            self.assertEqual(parent.stdout.readline(), "ready\n")
            parent.stdin.close()
            self.assertEqual(parent.stdout.read(), output)

    def test_a_run_sh_is_supervised_too(self):
        self.write("run.sh", 'echo "$PPID $1"; exit 5\n')
        process = self.start([support.SHIM, "--build", str(self.folder), "--supervise", "--", "a b"])
        output, errors = process.communicate(timeout=60)
        self.assertEqual((output, errors, process.returncode), (f"{process.pid} a b\n", "", 5))

    def test_sigchld_may_be_ignored_by_whoever_starts_it(self):
        process = self.start(self.command("--supervise"),
                             preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(process.wait(timeout=60), 3)

    def test_what_unpacks_can_be_ended(self):
        # A bundle that never comes: what waits for it must not keep a container from stopping.
        digest = "0" * 64
        os.mkfifo(self.folder / f"bundle-{digest}.tar.zst")
        process = self.start([support.SHIM, "--build", str(self.folder), "--supervise", "--environment", digest,
                              "--exec", "--", "true"],
                             env=support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache")))
        place = self.folder / "cache" / "env" / f".tmp-{digest}"
        conformance.wait_until(place.exists, "the shim prepares to unpack")
        process.terminate()
        self.assertEqual((process.wait(timeout=60), process.stderr.read()), (143, ""))

    def test_without_proc_the_group_is_ended_at_least(self):
        if conformance.is_sanitized(support.SHIM):
            self.skipTest("the sanitizer's search for leaks needs /proc")
        probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
        support.require(probe.returncode == 0, "mount namespaces need root")
        script = "sleep 300 & echo $!; exit 6"
        process = self.start(["unshare", "-m", "sh", "-c", 'umount -l /proc; exec "$@"', "sh",
                              *self.command("--supervise", program=("sh", "-c", script))])
        number = int(process.stdout.readline())
        self.assertEqual(process.wait(timeout=60), 6)
        conformance.wait_until(lambda: conformance.is_gone(number), "the rest of the group ends")


if __name__ == "__main__":
    support.main()
