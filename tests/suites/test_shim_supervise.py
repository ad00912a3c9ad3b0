# SPDX-License-Identifier: Apache-2.0
"""worker-shim --supervise, and as PID 1: what tests/supervisor expects of a supervisor, and what only ours has."""

import os
import signal
import subprocess
import sys
import time

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


class SessionLeader(conformance.InNamespace):
    """As `docker run -it` and `podman run -it` have it: PID 1 itself leads the session that has the terminal."""

    def command(self, *words, options=(), before=()):
        return super().command(*words, options=options, before=(*before, "setsid", "--ctty"))


class AsSessionLeader(conformance.TerminalConformance, support.Suite):
    subject = SessionLeader(AsInit.subject.subject)

    def setUp(self):
        super().setUp()
        support.require(os.geteuid() == 0, "PID namespaces need root")

    def test_the_program_is_in_the_background_and_comes_back(self):
        """A shell as the program has job control of its own."""
        program = ("bash", "--norc", "--noprofile", "--noediting", "-i")
        _, screen = self.on_terminal(["env", "PS1=", *self.subject.command(*program)])
        screen.type("cat - & echo sta''rted\n")
        screen.expect("started")
        screen.type("fg\n")
        screen.type("line\n")
        screen.expect("line")
        screen.type("\x1a")
        screen.expect("Stopped")
        screen.type("fg\n")
        screen.type("again\n")
        screen.expect("again")
        screen.type("\x04")
        screen.type("exit 4\n")
        # The terminal ends with its session.
        screen.expect("exit")


class Unsupervised(conformance.Subject):
    def command(self, *words, options=(), before=()):
        return [*before, self.program, "--build", "/tmp", "--exec", "--", *words]


class AsProgram(conformance.JobControlConformance, support.Suite):
    """Without a supervisor the shim becomes the program: what is expected of one is so without one."""

    subject = Unsupervised(support.SHIM, lacks={"stop key"})


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
        # What is left at the end gets a signal of its own: only then may it say so.
        script = ("trap 'sleep 0.2; echo outer; exit 4' TERM; (trap 'echo inner' TERM; echo ready; read line) & "
                  "while :; do wait; sleep 0.01; done")
        process = self.start(self.command("--single-process", program=("sh", "-c", script)), stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.terminate()
        self.assertEqual((process.stdout.readline(), process.wait(timeout=60)), ("outer\n", 4))

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

    def test_what_is_left_is_found_without_proc_and_in_that_of_others(self):
        if conformance.is_sanitized(support.SHIM):
            self.skipTest("the sanitizer's search for leaks needs /proc")
        probe = subprocess.run(["unshare", "-m", "--pid", "--fork", "true"], capture_output=True, check=False)
        support.require(probe.returncode == 0, "namespaces need root")
        # Nobody can count processes in there.
        words = "sleep 301 & setsid sleep 302 & (setsid sh -c 'sleep 303 & sleep 304') & sleep 0.3; exit 6"
        marked = support.environment(CONFORMANCE=str(self.folder))
        for name, before in (
                ("no /proc", ["unshare", "-m", "sh", "-c", 'umount -l /proc; exec "$@"', "sh"]),
                ("of another namespace", ["unshare", "--pid", "--fork", "sh", "-c", '"$@"; exit $?', "sh"])):
            with self.subTest(name):
                process = self.start([*before, *self.command("--supervise", program=("sh", "-c", words))], env=marked)
                self.assertEqual((process.wait(timeout=60), process.stderr.read()), (6, ""))
                conformance.wait_until(lambda: not self.marked(), "the end of all")

    def marked(self):
        return conformance.Watched.sleepers(self)

    def leave(self, leftover, *options, before=":", program="exit 5"):
        """A program that leaves a process in a session of its own, which is ready when the program ends."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        os.environ["LEFTOVER"] = f"{leftover}"
        self.addCleanup(os.environ.pop, "LEFTOVER", None)
        script = (f"{before}; setsid sh -c \"$LEFTOVER\" 2>/dev/null & until [ -e {ready} ]; do sleep 0.01; done; echo ready; {program}")
        start = time.monotonic()
        process = self.start(self.command("--supervise", *options, program=("sh", "-c", script)))
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process, start

    def test_what_is_left_is_asked_to_end_once(self):
        log = self.folder / "log"
        process, start = self.leave(f"trap 'echo asked >> {log}' TERM; touch {self.folder}/ready; "
                                    f"until [ -e {log} ]; do sleep 0.01; done; sleep 0.2; echo end >> {log}")
        self.assertEqual((process.wait(timeout=60), process.stderr.read()), (5, ""))
        self.assertEqual(log.read_text(encoding="ascii"), "asked\nend\n")
        self.assertLess(time.monotonic() - start, 60)

    def test_what_does_not_end_when_asked_is_killed(self):
        stubborn = f"trap '' TERM; touch {self.folder}/ready; while :; do sleep 0.01; done"
        words = "worker-shim: processes left by the program did not end in time after SIGTERM: killing them\n"
        process, start = self.leave(stubborn)
        self.assertEqual((process.wait(timeout=60), process.stderr.read()), (5, words))
        self.assertGreater(time.monotonic() - start, 1)
        process, start = self.leave(stubborn, "--grace", "0s")
        self.assertEqual((process.wait(timeout=60), process.stderr.read()), (5, words))

    def test_what_is_left_is_killed_when_asked_to_hurry(self):
        process, _ = self.leave(f"trap '' TERM; touch {self.folder}/ready; while :; do sleep 0.01; done",
                                before="trap 'exit 5' TERM", program="while :; do sleep 0.01; done")
        process.terminate()
        # The program ends, and what is left has the rest of the ten seconds, but for the second signal.
        conformance.wait_until(lambda: not any("until [" in self.words(c) for c in conformance.children_of(process.pid)),
                               "the program's end")
        start = time.monotonic()
        process.terminate()
        self.assertEqual(process.wait(timeout=60), 5)
        self.assertNotIn("in time", process.stderr.read())
        self.assertLess(time.monotonic() - start, 5)

    @staticmethod
    def words(process):
        return conformance.Watched.words_of(process).decode()

    def test_the_grace_period_is_also_that_of_what_is_left(self):
        """A shell ends at once, what it started has work to do yet: in its group, which got the signal already."""
        log = self.folder / "log"
        self.write("worker", f"trap 'echo asked >> {log}' TERM; echo ready; until [ -e {log} ]; do sleep 0.01; done\n"
                   f"sleep 1.5; echo end >> {log}\n")
        process = self.start(self.command("--supervise", program=(
            "sh", "-c", f"trap 'exit 3' TERM; sh {self.folder}/worker & while :; do sleep 0.01; done")))
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.terminate()
        self.assertEqual(process.wait(timeout=60), 3)
        self.assertEqual(log.read_text(encoding="ascii"), "asked\nend\n")

    def test_a_second_sigterm_arrives_and_postpones_nothing(self):
        process = self.start(self.command("--grace", "700ms", program=(
            "sh", "-c", "trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done")))
        self.assertEqual(process.stdout.readline(), "ready\n")
        start = time.monotonic()
        while process.poll() is None:
            process.terminate()
            time.sleep(0.1)
            self.assertLess(time.monotonic() - start, 30, "each signal postponed it")
        self.assertEqual(process.returncode, 137)
        self.assertGreater(process.stdout.read().count("asked"), 1)

    def test_it_keeps_no_folder_busy(self):
        process = self.start(self.command("--supervise", program=("sh", "-c", "pwd; read line")), stdin=subprocess.PIPE,
                             cwd=self.folder)
        self.assertEqual(process.stdout.readline(), f"{self.folder}\n")
        conformance.wait_until(lambda: os.readlink(f"/proc/{process.pid}/cwd") == "/", "it leaves the folder")
        process.stdin.close()
        self.assertEqual(process.wait(timeout=60), 1)


if __name__ == "__main__":
    support.main()
