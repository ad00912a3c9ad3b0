# SPDX-License-Identifier: Apache-2.0
"""--build and --push-images that are stopped: no password stays anywhere, and no tool keeps pachbuild. What builds is a
script here that can be told to hang; tests/images/test_publish.py has the real tools."""

import os
import pathlib
import pty
import signal
import subprocess
import termios
import time

import cluster_suite
import support

PASSWORD = "secret-of-ann"
# "ann:secret-of-ann" as a configuration has it.
ENCODED = "YW5uOnNlY3JldC1vZi1hbm4="
SPEC = """pipeline: {name: NAME}
transform: {dockerfile: image/Dockerfile, cmd: [/hello]}
input: {pfs: {repo: DATA, glob: /*}}
"""
# Says what it was given, and hangs at the step in $HANG; $HANG_TRAP is what it does about signals.
TOOL = """#!/bin/sh
printf '%s\\n' "$0" "$@" >>"$SEEN/arguments"
step=
for word; do
  case $word in build|push|inspect) [ "$step" ] || step=$word ;; esac
  case $before in --iidfile) echo sha256:0123456789abcdef >"$word" ;; --digestfile) echo sha256:abc >"$word" ;;
    --authfile) file=$word ;; --config) file=$word/config.json ;; esac
  before=$word
done
[ "$step" != push ] || { cp "$file" "$SEEN/config"; echo "$file" >"$SEEN/place"; }
[ "$step" = "$HANG" ] || exit 0
eval "$HANG_TRAP"
echo $$ >"$SEEN/hanging.part"; mv "$SEEN/hanging.part" "$SEEN/hanging"
while :; do sleep 0.1; done
"""


class Stopping(cluster_suite.ClusterSuite):
    builds = False

    def setUp(self):
        super().setUp()
        self.seen = self.folder / "seen"
        self.seen.mkdir()
        for tool in ("podman", "docker"):
            self.write(f"tools/{tool}", TOOL, mode=0o755)
        self.write("image/Dockerfile", "FROM scratch\n")
        self.spec = self.write("image.yaml", SPEC.replace("NAME", self.pipeline).replace("DATA", self.data))
        self.cache = self.folder / "cache"
        self.env.update(PATH=f"{self.folder}/tools:{self.env['PATH']}", SEEN=str(self.seen),
                        PACHBUILD_CACHE_DIR=str(self.cache), HANG="push", HANG_TRAP="trap '' INT TERM HUP")

    def start(self, tool="podman", **variables):
        for file in self.seen.iterdir():
            file.unlink()
        process = subprocess.Popen(
            [support.PACHBUILD, "update", "pipeline", "-f", self.spec, "--build", "--builder", tool, "--username", "ann",
             "--registry", "r.example.com", "--password-stdin"],
            env={**self.env, **variables}, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        process.stdin.write(PASSWORD + "\n")
        process.stdin.close()
        process.stdin = None
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()
        hanging = self.seen / "hanging"
        if hanging.exists() and not self.is_gone(pid := int(hanging.read_text(encoding="utf-8"))):
            os.kill(pid, signal.SIGKILL)

    def wait_until(self, condition):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def wait_for_hanging(self):
        self.wait_until((self.seen / "hanging").exists)
        return int((self.seen / "hanging").read_text(encoding="utf-8"))

    def is_gone(self, pid):
        try:
            status = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return True
        return status.rpartition(")")[2].split()[0] == "Z"

    def place(self):
        """Where the tool was given the password."""
        return pathlib.Path((self.seen / "place").read_text(encoding="utf-8").strip())

    def assert_no_password(self):
        for folder in (self.cache, self.place().parent.parent):
            for file in folder.rglob("*"):
                if file.is_file() and os.access(file, os.R_OK):
                    content = file.read_bytes()
                    self.assertNotIn(PASSWORD.encode(), content, file)
                    self.assertNotIn(ENCODED.encode(), content, file)
        self.assertFalse(self.place().exists())

    def test_the_password_travels_in_a_private_file_that_is_gone_after_the_push(self):
        for tool in ("podman", "docker"):
            with self.subTest(tool):
                process = self.start(tool, HANG="never")
                _, errors = process.communicate(timeout=60)
                if tool == "podman":
                    self.assertEqual(process.returncode, 0, errors)
                self.assertIn(ENCODED, (self.seen / "config").read_text(encoding="utf-8"))
                self.assert_no_password()
                arguments = (self.seen / "arguments").read_text(encoding="utf-8")
                for text in (arguments, errors):
                    self.assertNotIn(PASSWORD, text)
                    self.assertNotIn(ENCODED, text)

    def test_no_signal_leaves_the_password(self):
        # By kill -9 as well, and with a runtime folder that is not in memory.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
            for tool in ("podman", "docker"):
                with self.subTest(signal=number.name, tool=tool):
                    process = self.start(tool, HANG_TRAP="", XDG_RUNTIME_DIR=str(self.folder))
                    tool_pid = self.wait_for_hanging()
                    self.assertTrue(self.place().exists())
                    self.assertEqual(self.place().stat().st_mode & 0o077, 0)
                    self.assertEqual(self.place().parent.stat().st_mode & 0o077, 0)
                    process.send_signal(number)
                    _, errors = process.communicate(timeout=30)
                    self.assertEqual((process.returncode, errors), (-number, ""))
                    self.wait_until(lambda: not self.place().exists())
                    self.assert_no_password()
                    self.wait_until(lambda pid=tool_pid: self.is_gone(pid))

    def test_a_tool_that_ignores_signals_keeps_nobody(self):
        process = self.start(HANG="build")
        tool = self.wait_for_hanging()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)  # after its time it is killed
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertTrue(self.is_gone(tool))

    def test_the_second_ctrl_c_ends_at_once(self):
        process = self.start()
        tool = self.wait_for_hanging()
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)  # signals that are pending at the same time are one
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertLess(time.monotonic() - start, 4)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertTrue(self.is_gone(tool))
        self.assert_no_password()

    def test_a_tool_gets_the_signal_and_its_time_to_clean_up(self):
        trap = "trap 'echo done >\"$SEEN/cleaned\"; exit 1' INT"
        process = self.start(HANG_TRAP=trap)
        self.wait_for_hanging()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertTrue((self.seen / "cleaned").exists())

    def test_ctrl_c_while_a_password_is_awaited(self):
        process = subprocess.Popen(
            [support.PACHBUILD, "update", "pipeline", "-f", self.spec, "--build", "--username", "ann", "--password-stdin"],
            env=self.env, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        self.wait_until(lambda: (1 << (signal.SIGINT - 1)) & self.blocked(process.pid))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), -signal.SIGINT)
        process.stdin.close()

    def test_ctrl_c_at_the_question_for_a_password_leaves_the_terminal_as_it_was(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        self.write("tools/podman", TOOL.replace("[ \"$step\" != push ] ||", "[ \"$step\" != push ] || exit 125 #"), mode=0o755)
        process = subprocess.Popen(
            [support.PACHBUILD, "update", "pipeline", "-f", self.spec, "--build", "--builder", "podman", "--username", "ann"],
            env={**self.env, "HANG": "never"}, stdin=theirs, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)

        def is_shown():
            return bool(termios.tcgetattr(theirs)[3] & termios.ECHO)

        self.assertTrue(is_shown())
        self.wait_until(lambda: not is_shown())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), -signal.SIGINT)
        self.assertTrue(is_shown())

    def blocked(self, pid):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("SigBlk:"):
                return int(line.split()[1], 16)
        return 0


if __name__ == "__main__":
    support.main()
