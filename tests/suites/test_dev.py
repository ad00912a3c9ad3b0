# SPDX-License-Identifier: Apache-2.0
"""`pachbuild dev`: what starts a round, what ends one, what is in the output folder meanwhile, and how it ends."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import termios
import time

import dev_session
import pipelines
import support
import terminal

COPY = 'cp "$data" "/pfs/out/$(basename "$data")"\n'


class DevSuite(pipelines.PipelineSuite):

    def command(self, *arguments, **options):
        command = super().command(*arguments, **options)
        command[1] = "dev"
        return command

    def dev(self, *arguments, prefix=(), **options):
        return dev_session.Dev(self, [*prefix, *self.command(*arguments, **options)], env=self.environment(),
                               cwd=self.folder)

    def texts(self):
        return {path: content.decode() for path, content in self.output().items()}

    def write(self, path, content, mode=None):
        """As most editors save: another file takes the name, so that one edit is one edit however slow the machine."""
        fresh = super().write(f"saved/{path}", content, mode)
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh, target)
        return target


class Rounds(DevSuite):

    def test_edits_of_each_kind_start_what_hangs_on_them(self):
        self.data(a="1", b="2")
        self.shell_pipeline(COPY)
        dev = self.dev()
        line, seen = dev.wait_round()
        self.assertRegex(line, r"^round 1: 2 datums processed, 0 skipped, 0 failed, ")
        self.assertEqual(self.texts(), {"a": "1", "b": "2"})

        self.data(a="one")
        line, seen = dev.wait_round(after=seen)
        self.assertRegex(line, r"^round 2: data/a changed: 1 datum processed, 1 skipped, 0 failed, ")
        self.assertEqual(self.texts(), {"a": "one", "b": "2"})

        self.write("source/program.sh", 'echo new > "/pfs/out/$(basename "$data")"\n')
        line, seen = dev.wait_round(after=seen)
        self.assertRegex(line, r"^round 3: program.sh changed: 2 datums processed, 0 skipped")
        self.assertEqual(self.texts(), {"a": "new\n", "b": "new\n"})

        self.spec(glob="/b")
        line, seen = dev.wait_round(after=seen)
        self.assertRegex(line, r"spec.json changed: 0 datums processed, 1 skipped")
        self.assertEqual(self.texts(), {"b": "new\n"})

        self.write("source/.pachignore", "*.log\n")
        line, seen = dev.wait_round(after=seen)
        self.assertIn(": .pachignore changed: ", line)
        self.write("source/x.log", "ignored")
        self.write("source/__pycache__/x.pyc", "ignored")
        self.data(b="last")
        line, seen = dev.wait_round(after=seen)
        self.assertRegex(line, r"^round 6: data/b changed: 1 datum processed")

        for number in range(3):
            self.write(f"more/{number}", "x")
        os.rename(self.folder / "more", self.folder / "data/more")
        line, seen = dev.wait_round(after=seen)
        self.assertIn("3 files in data changed", line)
        self.assertEqual(dev.stop(), 128 + signal.SIGTERM)
        self.assert_nothing_left()

    def test_faults_are_told_and_waited_out(self):
        self.data(a="1")
        good = self.shell_pipeline(COPY).read_text()
        dev = self.dev()
        _, seen = dev.wait_round()
        self.write("spec.json", "{")
        line, seen = dev.wait_round("could not be run", after=seen)
        self.assertIn("(exit code 65)", line)
        self.assertTrue(any("spec.json:1:2: invalid JSON" in line for line in dev.lines))
        self.write("spec.json", good)
        _, seen = dev.wait_round(after=seen)

        self.write("source/build.sh", "exit 3\n")
        line, seen = dev.wait_round("build failed", after=seen)
        self.assertIn("changed: build failed (exit code 1), ", line)
        self.write("source/build.sh", pipelines.COPY_RUN_SCRIPT)
        self.write("source/program.sh", "if then\n")
        line, seen = dev.wait_round("1 failed", after=seen)
        self.write("source/program.sh", COPY)
        _, seen = dev.wait_round("0 failed", after=seen)

        for folder in ("data", "source"):
            os.rename(self.folder / folder, self.folder / "away")
            _, seen = dev.wait_round(f"{folder} changed: could not be run", after=seen)
            os.rename(self.folder / "away", self.folder / folder)
            _, seen = dev.wait_round(f"{folder} changed: 0 datums processed, 1 skipped", after=seen)
        shutil.rmtree(self.folder / "data")
        self.write("data/a", "again")
        dev.wait_until(lambda: self.texts() == {"a": "again"}, "a new folder")
        self.data(a="and more")
        dev.wait_until(lambda: self.texts() == {"a": "and more"}, "an edit in the new folder")

    def test_an_edit_ends_the_work_for_an_older_one(self):
        self.data(a="1")
        # Of this test alone: others may sleep as well.
        length = f"300.{os.getpid()}"
        self.shell_pipeline(f"sleep {length}\n")
        dev = self.dev()
        dev.wait_until(lambda: any(f"sleep\0{length}".encode() in self.command_line(p)
                                   for p in dev_session.processes_with(length)), "the datum")
        begin = time.monotonic()
        self.write("source/program.sh", COPY)
        dev.wait_until(lambda: self.texts() == {"a": "1"}, "the output")
        self.assertLess(time.monotonic() - begin, 20)
        line, _ = dev.wait_round()
        self.assertIn(": program.sh changed: 1 datum processed, ", line)
        self.assertIn("round 1: stopped for a newer edit after ", "\n".join(dev.lines))
        self.assertNotIn("interrupted", "\n".join(dev.lines))

    @staticmethod
    def command_line(process):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                return file.read()
        except OSError:
            return b""

    def test_what_is_wrong_with_the_command_line_ends_it(self):
        self.data(a="1")
        self.shell_pipeline(COPY)
        result = self.run_program(*self.command(inputs=("missing",)), env=self.environment())
        self.assertEqual(result.returncode, 64)
        self.assertIn("error: --input missing=", result.stderr)
        self.assertFalse(self.out.exists())

    def test_an_output_among_the_specs_starts_no_round(self):
        self.data(a="1")
        self.shell_pipeline('echo "{}" > /pfs/out/result.json\n')
        os.makedirs(self.folder / "specs")
        spec = json.loads((self.folder / "spec.json").read_text())
        spec["transform"]["build"]["path"] = "../source"
        self.write("specs/spec.json", json.dumps(spec))
        command = self.command(output=self.folder / "specs/out")
        command[command.index("-f") + 1] = str(self.folder / "specs")
        dev = dev_session.Dev(self, command, env=self.environment(), cwd=self.folder)
        _, seen = dev.wait_round()
        self.data(a="2")
        line, seen = dev.wait_round(after=seen)
        self.assertRegex(line, "^round 2: data/a changed: ")

    def test_without_watches_it_looks_at_the_files(self):
        limited = ["unshare", "--user", "--map-root-user", "sh", "-c",
                   'echo 3 > /proc/sys/user/max_inotify_watches && exec "$@"', "sh"]
        probe = subprocess.run([*limited, "true"], capture_output=True, check=False)
        if probe.returncode != 0:  # in a chroot, for one
            self.skipTest("user namespaces are not allowed here")
        self.data(a="1")
        self.shell_pipeline(COPY)
        dev = self.dev(prefix=limited)
        _, seen = dev.wait_round()
        for number in range(2):
            self.data(a=f"edit {number}")
            dev.wait_until(lambda text=f"edit {number}": self.texts() == {"a": text}, "an edit")
        told = [line for line in dev.lines if "fs.inotify.max_user_watches" in line]
        self.assertEqual(len(told), 1, dev.lines)
        self.assertTrue(told[0].startswith("warning: "), told)


class Outputs(DevSuite):

    def waiting_pipeline(self):
        """Datum b ends when the file `go` is there."""
        self.data(a="1", b="1")
        self.write("go", "")
        self.shell_pipeline(f'[ "$(basename "$data")" != b ] || while [ ! -e {self.folder}/go ]; do sleep 0.02; done\n'
                            + COPY)

    def test_each_is_there_as_soon_as_its_datum_has_ended(self):
        self.waiting_pipeline()
        dev = self.dev("--workers", 2)
        _, seen = dev.wait_round()
        os.remove(self.folder / "go")
        self.data(a="2", b="2")
        dev.wait_until(lambda: self.texts() == {"a": "2", "b": "1"}, "the first output")
        self.write("go", "")
        dev.wait_until(lambda: self.texts() == {"a": "2", "b": "2"}, "the other output")
        self.assert_nothing_left_after(dev)

    def test_not_with_no_partial(self):
        self.waiting_pipeline()
        dev = self.dev("--workers", 2, "--no-partial")
        _, seen = dev.wait_round()
        os.remove(self.folder / "go")
        self.data(a="2", b="2")
        time.sleep(0.5)
        self.assertEqual(self.texts(), {"a": "1", "b": "1"})
        self.write("go", "")
        dev.wait_until(lambda: self.texts() == {"a": "2", "b": "2"}, "the output")

    def test_run_does_so_with_partial(self):
        self.waiting_pipeline()
        os.remove(self.folder / "go")
        command = self.command("--workers", 2, "--partial")
        command[1] = "run"
        run = dev_session.Dev(self, command, env=self.environment(), cwd=self.folder)
        run.wait_until(lambda: self.texts() == {"a": "1"}, "the first output")
        self.assertEqual(run.stop(signal.SIGINT), 128 + signal.SIGINT)
        self.assertIn("warning: interrupted; finished datums are kept for the next run", run.lines)
        self.assertEqual(self.texts(), {"a": "1"})
        self.assert_nothing_left()

    def test_failed_datums_come_first(self):
        self.data(**{name: "1" for name in "abcd"})
        trace = self.folder / "trace"
        program = f'echo "$(basename "$data")" >> {trace}\n[ "$(cat "$data")" != bad ]\n'
        self.shell_pipeline(program)
        dev = self.dev("--workers", 1)
        _, seen = dev.wait_round("0 failed")
        self.data(c="bad")
        _, seen = dev.wait_round("1 failed", after=seen)
        self.assertEqual(trace.read_text().split(), [*"abcd", "c"])
        trace.write_text("")
        self.write("source/program.sh", program + "true\n")
        _, seen = dev.wait_round("0 failed", after=seen)
        self.assertEqual(trace.read_text().split(), [*"cabd"])
        self.data(d="other")
        _, seen = dev.wait_round("1 datum processed", after=seen)
        trace.write_text("")
        self.write("source/program.sh", program + "true\ntrue\n")
        dev.wait_round("0 failed", after=seen)
        self.assertEqual(trace.read_text().split(), [*"dabc"])

    def assert_nothing_left_after(self, dev):
        dev.stop()
        self.assert_nothing_left()


class Endings(DevSuite):

    def test_by_a_signal_nothing_is_left(self):
        self.data(a="1")
        self.shell_pipeline("sleep 300\n")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            dev = self.dev()
            dev.wait_until(lambda: len(dev_session.processes_with(str(self.cache))) > 2, "the datum")
            self.assertEqual(dev.stop(number), 128 + number)
            self.assertEqual(dev_session.processes_left(str(self.cache)), [])
            self.assert_nothing_left()

    def test_killed_it_takes_its_round_along(self):
        self.data(a="1")
        self.shell_pipeline("sleep 300\n")
        dev = self.dev()
        dev.wait_until(lambda: len(dev_session.processes_with(str(self.cache))) > 2, "the datum")
        dev.process.kill()
        dev.process.wait()
        self.assertEqual(dev_session.processes_left(str(self.cache)), [])

    def test_rounds_leave_neither_descriptors_nor_watches(self):
        self.data(a="1")
        self.shell_pipeline(COPY)
        dev = self.dev()
        _, seen = dev.wait_round()
        before = (dev_session.descriptors_of(dev.process.pid), dev_session.watches_of(dev.process.pid))
        for number in range(4):
            self.data(**{f"new__{number}": "x"})
            _, seen = dev.wait_round(after=seen)
            shutil.rmtree(self.folder / "data/new")
            _, seen = dev.wait_round(after=seen)
        after = (dev_session.descriptors_of(dev.process.pid), dev_session.watches_of(dev.process.pid))
        self.assertEqual(after, before)


class Terminal(DevSuite):

    def setUp(self):
        super().setUp()
        self.data(a="1", b="2")
        self.trace = self.folder / "trace"
        self.shell_pipeline(f'echo "$(basename "$data")" >> {self.trace}\n' + COPY)
        self.shown = b""

    def start(self):
        self.terminal, other = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        self.before = termios.tcgetattr(other)
        process = subprocess.Popen(self.command(), stdin=other, stdout=other, stderr=other, cwd=self.folder,
                                   env={**self.environment(), "TERM": "xterm"}, start_new_session=True,
                                   preexec_fn=lambda: pipelines_take_terminal(other))
        self.addCleanup(self.end, process)
        os.close(other)
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            process.wait()

    def read_until(self, text, after=0):
        deadline = time.monotonic() + dev_session.PATIENCE
        os.set_blocking(self.terminal, False)
        while text.encode() not in self.shown[after:]:
            try:
                self.shown += os.read(self.terminal, 65536)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
            self.assertLess(time.monotonic(), deadline, self.shown.decode(errors="replace"))
        return len(self.shown)

    def press(self, key):
        os.write(self.terminal, key.encode())

    def test_keys(self):
        process = self.start()
        seen = self.read_until("waiting for changes")
        self.assertIn(b"q quit", self.shown)
        self.assertEqual(sorted(self.trace.read_text().split()), ["a", "b"])
        self.press("r")
        seen = self.read_until("round 2: rerun of all datums", seen)
        seen = self.read_until("waiting for changes", seen)
        self.assertEqual(sorted(self.trace.read_text().split()), ["a", "a", "b", "b"])
        self.press("f")
        seen = self.read_until("no datum has failed", seen)
        self.press("o")
        seen = self.read_until("--report FILE.html", seen)
        self.press("h")
        seen = self.read_until("r rerun", seen)
        self.write("source/program.sh", "exit 3\n")
        seen = self.read_until("program.sh changed", seen)
        seen = self.read_until("waiting for changes", seen)
        self.press("f")
        seen = self.read_until("rerun of failed datums", seen)
        seen = self.read_until("waiting for changes", seen)
        self.write("source/program.sh", "sleep 300\n")
        seen = self.read_until("program.sh changed", seen)
        self.press("r")
        seen = self.read_until(": stopped for a rerun after ", seen)
        self.press("q")
        self.assertEqual(process.wait(timeout=dev_session.PATIENCE), 0)

    def test_it_is_as_before_at_the_end(self):
        for ending in ("q", signal.SIGTERM, "\x03"):
            process = self.start()
            self.read_until("waiting for changes")
            self.shown = b""
            self.assertEqual(termios.tcgetattr(self.terminal)[3] & (termios.ICANON | termios.ECHO), 0)
            if isinstance(ending, str):
                self.press(ending)
            else:
                process.send_signal(ending)
            code = process.wait(timeout=dev_session.PATIENCE)
            self.assertEqual(code, {"q": 0, signal.SIGTERM: 143, "\x03": 130}[ending])
            self.assertEqual(termios.tcgetattr(self.terminal), self.before)


class Suspension(DevSuite):

    def test_ctrl_z_stops_the_round_as_well_and_fg_goes_on(self):
        self.data(a="1")
        gate = self.folder / "gate"
        self.shell_pipeline(f"while [ ! -e {gate} ]; do sleep 0.05; done\n" + COPY)
        command = " ".join(map(shlex.quote, ["env", f"PACHBUILD_CACHE_DIR={self.cache}", *self.command()]))
        shell = terminal.Session(["bash", "--norc", "-i"], dict(support.environment(), PS1="$ ", TERM="xterm"),
                                 columns=200)
        self.addCleanup(shell.close)
        shell.type((command + "\n").encode())
        shell.wait_for(lambda screen: any("build: done" in line for line in screen.all_lines()), "the round")
        shell.type(b"\x1a")
        shell.wait_for(lambda screen: any("Stopped" in line for line in screen.all_lines()), "the stop")
        gate.touch()
        time.sleep(0.3)
        self.assertEqual(self.texts(), {})  # no process of the round has seen that it may go on
        shell.type(b"fg\n")
        shell.wait_for(lambda screen: any("datums: 1 processed" in line for line in screen.all_lines()), "the end")
        self.assertEqual(self.texts(), {"a": "1"})
        shell.type(b"q")
        shell.wait_for(lambda screen: screen.all_lines()[-1].startswith("$"), "the prompt")
        shell.type(b"exit\n")
        shell.finish()


class Story(DevSuite):
    """The one of docs/debugging.md, word by word."""

    def test_it_is_as_it_says(self):
        text = (support.ROOT / "docs/debugging.md").read_text(encoding="utf-8")
        section = text.split("## Leave it running", 1)[1].split("\n## ")[0]
        blocks = re.findall(r"```(\w+) ?(\w*)\n(.*?)```", section, re.DOTALL)

        def only(language, name=""):
            return [content for *kind, content in blocks if kind == [language, name]]

        for name in ("north", "south"):
            self.write(f"readings/{name}.csv", only("csv", name)[0])
        self.write("source/main.py", only("python", "before")[0])
        self.write("mean.json", only("json")[0])
        [command] = only("sh")
        words = command.split()
        self.assertEqual(words[0], "pachbuild")
        dev = dev_session.Dev(self, [support.PACHBUILD, *words[1:]], env=self.environment(), cwd=self.folder)
        for line in only("text", "first"):
            dev.wait_line(re.escape(line.strip()))
        self.assertEqual((self.folder / "means/north.txt").read_text(), "20.75\n")
        self.assertFalse((self.folder / "means/south.txt").exists())
        self.write("source/main.py", only("python", "after")[0])
        dev.wait_line(re.escape(only("text", "second")[0].strip()))
        self.assertEqual((self.folder / "means/south.txt").read_text(), "24.75\n")


def pipelines_take_terminal(descriptor):
    """The session's terminal, so that its keys make signals."""
    import fcntl  # pylint: disable=import-outside-toplevel
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


if __name__ == "__main__":
    support.main()
