# SPDX-License-Identifier: Apache-2.0
"""What is expected of a supervisor, as a mixin of tests over a Subject: a program, and a way to start it.

The same tests judge worker-shim in all its builds and places, and tini and dumb-init, so that our reading of "correct"
is held against theirs. A difference that we know of is in the subject's `lacks`, and in docs/shim.md with its reason.
"""

import contextlib
import os
import pathlib
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

import support

# The distribution's, which every user may execute and which a container of ours has too.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
PROBE = [PYTHON, "-I", "-S", str(pathlib.Path(__file__).with_name("probe.py"))]
DEADLINE = 30


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what() if callable(what) else what}: not within {DEADLINE} s")
        time.sleep(0.01)
    return result


def children_of(process):
    try:
        return [int(word) for word in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants_of(process):
    for child in children_of(process):
        yield child
        yield from descendants_of(child)


def state_of(process):
    """One letter, as ps has it; nothing when it is gone."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_sanitized(program):
    """Whether it was built with the address sanitizer, whose search for leaks needs /proc."""
    return b"__asan_init" in pathlib.Path(program).read_bytes()


def is_gone(process):
    return state_of(process) in ("", "Z")


class Subject:
    """A supervisor as a child of ours."""

    is_init = False

    def __init__(self, program, *options, lacks=()):
        self.program = program
        self.options = list(options)
        self.lacks = set(lacks)

    def command(self, *words, options=(), before=()):
        """`before` are words that change something and then execute the supervisor."""
        return [*before, self.program, *self.options, *options, "--", *words]

    def settle(self, supervisor):
        """Waits until a signal cannot get lost between the supervisor and what it runs in."""

    def settle_stopped(self, supervisor):
        """The same for SIGCONT, once its program was stopped."""

    def process_of(self, started):
        """The number of the supervisor, given the process that command() became."""
        return started


class Shim(Subject):
    def command(self, *words, options=(), before=()):
        return [*before, self.program, "--supervise", *self.options, *options, "--build", "/tmp", "--exec", "--",
                *words]


class InNamespace(Subject):
    """The same as PID 1 of a PID namespace. A shim needs no --supervise then."""

    is_init = True

    def __init__(self, subject):
        # unshare stays beside it and keeps the streams open.
        super().__init__(subject.program, lacks=subject.lacks | {"closes streams"})
        self.subject = subject

    def command(self, *words, options=(), before=()):
        inner = [word for word in self.subject.command(*words, options=options, before=before)
                 if word not in ("--supervise", "-s")]
        return ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *inner]

    def process_of(self, started):
        return wait_until(lambda: children_of(started), "PID 1 of the namespace")[0]


class InContainer(Subject):
    """The same as the entry point of a container, whose root holds this machine's programs. `run` are the words of a
    container engine that works here, up to the image."""

    is_init = True

    def __init__(self, run, folder, subject):
        super().__init__(subject.program, lacks=subject.lacks | {"closes streams", "closed streams", "masks",
                                                                        "mount namespaces"})
        self.run = run
        self.subject = subject
        self.folder = folder

    def command(self, *words, options=(), before=()):
        inner = [word for word in self.subject.command(*words, options=options, before=before)
                 if word != "--supervise"]
        pid_file = self.folder / "container.pid"
        pid_file.unlink(missing_ok=True)
        return ["sh", "-c", '! [ -t 0 ] || terminal=-t; pid_file=$1; root=$2; shift 2; run=$1; shift; '
                'exec $run -i $terminal --env CONFORMANCE --pidfile "$pid_file" --rootfs "$root" "$@"',
                "sh", str(pid_file), str(self.folder / "root"), self.run, *inner]

    def process_of(self, started):
        pid_file = self.folder / "container.pid"
        return int(wait_until(lambda: pid_file.exists() and pid_file.read_text(encoding="ascii"), "the container"))


class Watched:
    """Mixed into a support.Suite: no process of a test outlives it. The class gives `subject`."""

    subject = None

    def needs(self, *features):
        for feature in features:
            if feature in self.subject.lacks:
                self.skipTest(f"{self.subject.program} differs here: {feature}")

    def setUp(self):
        super().setUp()
        signal.signal(signal.SIGALRM, self._too_long)
        signal.alarm(3 * DEADLINE)
        self.addCleanup(signal.alarm, 0)
        self.addCleanup(self.end_all)
        os.environ["CONFORMANCE"] = str(self.folder)
        self.addCleanup(os.environ.pop, "CONFORMANCE")

    def end_all(self):
        """What a supervisor that failed has left."""
        for process in self.sleepers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)

    @staticmethod
    def _too_long(*_):
        raise AssertionError("a process does not answer")

    def sleepers(self):
        """Programs that carry this test's folder in their environment or work in it."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    variables = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if f"CONFORMANCE={self.folder}\0".encode() in variables and not is_gone(entry.name):
                    found.append(entry.name)
        return found

    @staticmethod
    def words_of(process):
        try:
            return pathlib.Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            return b""


class Conformance(Watched):
    """What is expected without a terminal."""

    exit_codes = (0, 1, 2, 63, 64, 124, 125, 126, 127, 128, 129, 143, 254, 255)
    deaths = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31, 34, 64)
    orphans = 300

    def start(self, *words, options=(), **settings):
        process = subprocess.Popen(self.subject.command(*words, options=options), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True,
                                   **{"stdin": subprocess.DEVNULL, **settings})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def run_under(self, *words, options=(), **settings):
        process = self.start(*words, options=options, **settings)
        output, errors = process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def in_a_loop(self, values, script):
        """The exit codes of `sh -c SCRIPT` with each value for {}, from one shell."""
        lines = [shlex.join(self.subject.command("sh", "-c", script.format(value))) + "; echo $?" for value in values]
        result = self.run_program("sh", "-c", "\n".join(lines))
        self.assertEqual(result.stderr.strip(), "")
        return [int(line) for line in result.stdout.split()]

    def test_exit_codes_are_the_programs(self):
        self.assertEqual(self.in_a_loop(self.exit_codes, "exit {}"), list(self.exit_codes))

    def test_death_by_a_signal_is_128_and_its_number(self):
        self.assertEqual(self.in_a_loop(self.deaths, "ulimit -c 0; kill -{} $$"), [128 + n for n in self.deaths])

    def test_each_signal_arrives_once(self):
        grace = () if "grace" in self.subject.lacks else ("--grace", "1m")
        process = self.start(*PROBE, "signals", options=grace)
        self.assertEqual(process.stdout.readline(), "ready\n")
        supervisor = self.subject.process_of(process.pid)
        left_out = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, *self.subject.lacks}
        numbers = [int(n) for n in sorted(signal.valid_signals()) if n not in left_out]
        for number in numbers:
            self.subject.settle(supervisor)
            os.kill(supervisor, number)
            if number != signal.SIGRTMAX:
                self.assertEqual(process.stdout.readline(), f"{number}\n")
        output, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual((output, errors, process.returncode), (f"{int(signal.SIGRTMAX)}\n", "", 0))

    def signal_status(self, command):
        """What /proc tells a program that is started with some signals blocked and some ignored."""
        def change():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM, signal.SIGTTIN})
            for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGTSTP):
                signal.signal(number, signal.SIG_IGN)
        result = []
        for prepare in (lambda: None, change):
            run = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False,
                                 preexec_fn=prepare, restore_signals=False, stdin=subprocess.DEVNULL)
            result.append((run.returncode, run.stdout))
        return result

    def test_masks_and_dispositions_are_what_the_supervisor_was_started_with(self):
        self.needs("masks")
        grep = ["grep", "-E", "^Sig(Blk|Ign)|Pnd", "/proc/self/status"]
        self.assertEqual(self.signal_status(self.subject.command(*grep)), self.signal_status(grep))

    def test_orphans_are_reaped(self):
        self.needs("subreaper")
        result = self.run_under(*PROBE, "orphans", str(self.orphans))
        self.assertEqual((result.stderr, result.returncode), ("", 0))

    def test_a_daemon_that_the_program_leaves_ends_with_it(self):
        self.needs("ends the rest")
        path = self.folder / "daemon"
        process = self.start(*PROBE, "daemon", str(path))
        # Its number in our namespace is known while it lives, whatever it is inside.
        code = process.wait(timeout=DEADLINE)
        self.assertEqual((process.stderr.read(), code), ("", 9))
        wait_until(lambda: not self.sleepers(), "the daemon's end")

    def test_a_program_that_ignores_sigterm_is_killed_with_all_it_started(self):
        self.needs("grace")
        process = self.start(*PROBE, "stubborn", options=("--grace", "200ms"))
        self.assertEqual(process.stdout.readline().split()[0], "ready")
        os.kill(self.subject.process_of(process.pid), signal.SIGTERM)
        self.assertEqual(process.wait(timeout=DEADLINE), 137)
        self.assertEqual(process.stderr.read(), "worker-shim: the program did not end within the grace period after "
                         "SIGTERM: killing it\n")
        wait_until(lambda: not self.sleepers(), "the end of all")

    def test_a_program_that_obeys_sigterm_is_not_waited_for(self):
        process = self.start("sleep", "300")
        supervisor = self.subject.process_of(process.pid)
        wait_until(lambda: [c for c in children_of(supervisor) if self.words_of(c).startswith(b"sleep\0")], "start")
        os.kill(supervisor, signal.SIGTERM)
        self.assertEqual(process.wait(timeout=5), 143)

    def test_the_group_gets_signals_too(self):
        process = self.start("sh", "-c", "trap 'wait; exit 3' TERM; (trap 'echo inner; exit' TERM; echo ready; "
                             "while :; do sleep 0.01; done) & while :; do wait; done")
        self.assertEqual(process.stdout.readline(), "ready\n")
        os.kill(self.subject.process_of(process.pid), signal.SIGTERM)
        self.assertEqual((process.stdout.read(), process.wait(timeout=DEADLINE)), ("inner\n", 3))

    def test_stopped_and_continued(self):
        process = self.start("sleep", "300")
        supervisor = self.subject.process_of(process.pid)
        program = wait_until(lambda: [c for c in children_of(supervisor)
                                      if self.words_of(c).startswith(b"sleep\0")], "start")[0]
        for _ in range(3):
            os.kill(supervisor, signal.SIGTSTP)
            wait_until(lambda: state_of(program) == "T", "the program stops")
            self.subject.settle_stopped(supervisor)
            os.kill(supervisor, signal.SIGCONT)
            wait_until(lambda: state_of(program) == "S", "the program goes on")
        os.kill(supervisor, signal.SIGTERM)
        self.assertEqual(process.wait(timeout=DEADLINE), 143)

    def test_closed_streams(self):
        self.needs("closed streams")
        for closed in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"):
            quoted = shlex.join(self.subject.command("sh", "-c", "exit 7"))
            self.assertEqual(self.run_program("sh", "-c", f"{quoted} {closed}").returncode, 7, closed)

    def test_the_end_of_output_is_seen_when_the_program_closes_it(self):
        self.needs("closes streams")
        process = self.start("sh", "-c", "echo word; exec >&-; read line", stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.read(), "word\n")
        self.assertIsNone(process.poll(), "it still runs")
        process.stdin.close()
        self.assertEqual(process.wait(timeout=DEADLINE), 1)

    def test_words_and_streams_arrive(self):
        long_word = "x" * 100 * 1024
        result = self.run_under("printf", "%s|", "", "two words", "a\nb", "--", "-x", long_word)
        self.assertEqual((result.stdout, result.stderr), (f"|two words|a\nb|--|-x|{long_word}|", ""))
        process = self.start("cat", stdin=subprocess.PIPE)
        self.assertEqual(process.communicate("input\n", timeout=DEADLINE), ("input\n", ""))

    def test_words_up_to_the_kernels_limit(self):
        # 2 MiB for all, 128 KiB for one (execve(2)); the rest is for the environment and the options.
        words = ["y" * 131_071] * 15
        result = self.run_under("sh", "-c", 'for w; do printf "${#w} "; done', "sh", *words)
        self.assertEqual((result.stdout, result.stderr), ("131071 " * 15, ""))

    def test_what_cannot_be_executed(self):
        self.needs("exec failures")
        plain = self.write("plain", "#!/bin/sh\n", 0o644)
        script = self.write("script", "#!/no/such/interpreter\n", 0o755)
        other = self.write("other", b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf3\x00\x01" + bytes(43), 0o755)
        for code, path in ((127, "/no/such"), (126, "/etc"), (126, plain), (126, script), (126, other)):
            result = self.run_under(str(path))
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertRegex(result.stderr, r"\A(error|\[FATAL|\[dumb-init)")

    def test_a_user_without_a_name(self):
        support.require(os.geteuid() == 0, "only root may become another user")
        other = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups")
        command = self.subject.command("sh", "-c", "id -u; exit 4", before=other)
        # Where that user can reach it.
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            copy = shutil.copy(self.subject.program, folder)
            result = self.run_program(*[copy if word == self.subject.program else word for word in command], cwd="/")
        self.assertEqual((result.stdout, result.returncode), ("54321\n", 4), result.stderr)

    def in_mount_namespace(self, script, *words):
        probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
        support.require(probe.returncode == 0, "mount namespaces need root")
        quoted = shlex.join(self.subject.command(*words))
        return self.run_program("unshare", "-m", "sh", "-c", f"set -e; {script}; exec {quoted}")

    def test_without_proc_tmp_and_a_writable_root(self):
        self.needs("mount namespaces")
        for script in ("mount -t tmpfs -o ro tmpfs /tmp", "mount -o remount,bind,ro /", "umount -l /proc"):
            if "proc" in script and (self.subject.is_init or is_sanitized(self.subject.program)):
                continue  # unshare itself mounts it
            result = self.in_mount_namespace(script, "sh", "-c", "echo word; (true &); exit 6")
            self.assertEqual((result.stdout, result.stderr, result.returncode), ("word\n", "", 6), script)


class Screen:
    """The other side of a terminal."""

    def __init__(self, file):
        self.file = file
        self.text = ""

    def expect(self, word):
        """Reads up to `word`; gives what came before it."""
        return self.expect_one_of(word)[0]

    def expect_one_of(self, *words):
        """Reads up to the first of them that comes; gives what came before it, and the word."""
        end = time.monotonic() + DEADLINE
        wanted = " or ".join(f"'{word}'" for word in words)
        while not (come := [word for word in words if word in self.text]):
            if not select.select([self.file], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {wanted} on the terminal: {self.text!r}")
            try:
                self.text += os.read(self.file, 1000).decode()
            except OSError as error:
                raise AssertionError(f"no {wanted} before the end: {self.text!r}") from error
        word = min(come, key=self.text.index)
        before, _, self.text = self.text.partition(word)
        return before, word

    def type(self, text):
        os.write(self.file, text.encode())


class TerminalConformance(Watched):
    """The same on a terminal."""

    def on_terminal(self, command):
        is_set, tell = os.pipe()
        process, file = pty.fork()
        if process == 0:
            # A shell restores the settings that it has found.
            os.read(is_set, 1)
            os.execvp(command[0], command)
        self.addCleanup(self.end_terminal, process, file)
        settings = termios.tcgetattr(file)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(file, termios.TCSANOW, settings)
        os.write(tell, b"x")
        os.close(tell)
        os.close(is_set)
        return process, Screen(file)

    @staticmethod
    def end_terminal(process, file):
        os.close(file)
        try:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def test_the_program_has_the_terminal(self):
        self.needs("terminal")
        process, screen = self.on_terminal(self.subject.command(*PROBE, "terminal"))
        screen.expect("foreground True")
        screen.type("word\n")
        screen.expect("read word")
        screen.type("\x03")
        screen.expect("interrupted")
        screen.type("end\n")
        self.assertNotIn("interrupted", screen.expect("read end"))
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 5)

    def test_without_a_shell_the_stop_key_stops_nothing(self):
        # As the kernel has it for a group that nobody could continue.
        self.needs("stop key")
        process, screen = self.on_terminal(self.subject.command(*PROBE, "terminal"))
        screen.expect("foreground True")
        screen.type("\x1a")
        screen.expect("continued True")
        screen.type("end\n")
        screen.expect("read end")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 5)

    def test_under_a_shell_the_stop_key_stops_the_job(self):
        self.needs("stop key")
        if self.subject.is_init:
            self.skipTest("PID 1 cannot be stopped")
        _, screen = self.on_terminal([*PROBE, "shell", *self.subject.command(*PROBE, "terminal")])
        screen.expect("foreground True")
        for _ in range(3):
            screen.type("\x1a")
            screen.expect("terminal is the job's True")
            screen.expect("job stopped")
            screen.expect("continued True")
        screen.type("\x03")
        screen.expect("interrupted")
        screen.type("end\n")
        screen.expect("read end")
        screen.expect("terminal is the job's True")
        screen.expect("job ended 5")


class JobControlConformance(TerminalConformance):
    """The same as a job of an interactive shell: what the shell believes about the job is so, and no sequence of keys
    and commands leaves it where only a signal from elsewhere helps."""

    def shell(self):
        self.needs("job control")
        if self.subject.is_init:
            self.skipTest("PID 1 is nobody's job")
        process, screen = self.on_terminal(["env", "PS1=", "PS2=", "INPUTRC=/dev/null", "bash", "--norc", "--noprofile",
                                      "--noediting", "-i"])
        # What bash itself prints must not be taken for what a command does.
        screen.type("set +o history; echo rea''dy\n")
        screen.expect("ready")
        screen.shell = process
        return screen

    @staticmethod
    def bring_back(screen):
        """The shell's last job into the foreground."""
        screen.type("fg\n")
        wait_until(lambda: os.tcgetpgrp(screen.file) != screen.shell, "the terminal is passed on")

    def supervised(self, *words):
        return shlex.join(self.subject.command(*words))

    def state_in(self, screen, state, job=1):
        """Waits until the shell's list of jobs says so."""
        text = ""

        def is_so():
            nonlocal text
            # bash 5.2 may miss the second of two changes in a row, without a supervisor as well; this has it look.
            os.kill(screen.shell, signal.SIGCHLD)
            # After what the shell itself says of a job, which may be about an earlier state.
            screen.type("echo start''of list; jobs; echo end''of list\n")
            screen.expect("startof list")
            text = screen.expect("endof list")
            return f"[{job}]" in text and state in text

        def seen():
            processes = [(process, state_of(process), self.words_of(process)) for process in descendants_of(screen.shell)]
            return f"job {job} is {state}, where the list is {text!r} and the processes are {processes}"
        wait_until(is_so, seen)

    def ends(self, screen, code=0):
        screen.type("echo co''de=$?\n")
        screen.expect(f"code={code}\r")

    @staticmethod
    def stop_key(screen):
        """Ctrl-Z, after which the shell has the terminal."""
        screen.type("\x1a")
        wait_until(lambda: os.tcgetpgrp(screen.file) == screen.shell, "the terminal comes back")
        # The shell looks at the leader of the job alone: a child that was reading could still take the next line.
        wait_until(lambda: all(state_of(process) in ("T", "Z", "") for process in descendants_of(screen.shell)),
                   "all of the job stops")

    def sleepers_named(self, name):
        return [process for process in self.sleepers() if self.words_of(process).startswith(name)]

    def check_reads(self, screen, word):
        screen.type(f"{word}\n")
        screen.expect(word)

    @staticmethod
    def bring_to_the_front(screen, word):
        """A job that reads, by "fg", and gives it a word. Where it stopped for reading while "fg" began, the shell takes it for
        a running one and tells it nothing, and then it has stopped: a second "fg" is needed, without a supervisor as well."""
        unread = f"{word}: command not found"
        while True:
            screen.type(f"fg\n{word}\n")
            if screen.expect_one_of(f"{word}\r\n", unread)[1] != unread:
                return

    READERS = {"cat": ("cat", "-"),
               "a child": ("sh", "-c", "cat -; exit 0")}

    def test_stopped_sent_to_the_background_and_brought_back(self):
        for name, words in self.READERS.items():
            with self.subTest(name):
                screen = self.shell()
                screen.type(self.supervised(*words) + "\n")
                self.check_reads(screen, "first")
                for i in range(3):
                    self.stop_key(screen)
                    screen.type("bg\n")
                    # It reads, and so it stops again.
                    self.state_in(screen, "Stopped")
                    screen.type("fg\n")
                    self.check_reads(screen, f"word{i}")
                    self.stop_key(screen)
                    screen.type("fg\n")
                    self.check_reads(screen, f"again{i}")
                screen.type("\x04")
                self.ends(screen)

    def test_started_in_the_background_and_brought_to_the_front(self):
        for name, words in self.READERS.items():
            with self.subTest(name):
                screen = self.shell()
                for wait in (False, True):
                    screen.type(self.supervised(*words) + " &\n")
                    if wait:
                        self.state_in(screen, "Stopped")
                    self.bring_to_the_front(screen, "first")
                    self.stop_key(screen)
                    screen.type("fg\n")
                    self.check_reads(screen, "second")
                    screen.type("\x04")
                    self.ends(screen)

    def test_keys_reach_what_was_brought_to_the_front_while_it_ran(self):
        # "fg" tells a running job nothing: the supervisor itself has the terminal then.
        screen = self.shell()
        screen.type(self.supervised("sleep", "300") + " &\n")
        wait_until(lambda: self.sleepers_named(b"sleep"), "start")
        self.bring_back(screen)
        for _ in range(2):
            self.stop_key(screen)
            screen.type("bg\n")
            self.state_in(screen, "Running")
            self.bring_back(screen)
        screen.type("\x03")
        self.ends(screen, 130)

    def test_what_writes_in_the_background_stops_where_the_terminal_says_so(self):
        screen = self.shell()
        screen.type("stty tostop; " + self.supervised("sh", "-c", "echo wri''tten; exit 7") + " &\n")
        self.state_in(screen, "Stopped")
        screen.type("fg\n")
        screen.expect("written")
        self.ends(screen, 7)

    def test_stopped_and_continued_by_the_shell(self):
        screen = self.shell()
        screen.type(self.supervised("sleep", "300") + " &\n")
        # A shell's child ignores the signal until shortly before it executes something.
        wait_until(lambda: self.sleepers_named(b"sleep"), "start")
        for _ in range(3):
            self.state_in(screen, "Running")
            screen.type("kill -TSTP %1\n")
            self.state_in(screen, "Stopped")
            screen.type("bg\n")
        screen.type("kill -TSTP %1\n")
        self.state_in(screen, "Stopped")
        screen.type("kill %1\n")
        # By the signal itself, or by a supervisor that ends as the program did.
        wait_until(lambda: not self.sleepers_named(b"sleep"), "the end of the program")

    def test_a_program_that_stops_itself(self):
        screen = self.shell()
        screen.type(self.supervised("sh", "-c", "kill -STOP $$; echo go''es on; kill -TSTP 0; read x; exit $x") + "\n")
        screen.expect("Stopped")
        screen.type("fg\n")
        screen.expect("goes on")
        screen.expect("Stopped")
        self.bring_back(screen)
        screen.type("5\n")
        self.ends(screen, 5)

    def test_a_neighbour_in_a_pipeline_reads_the_terminal(self):
        screen = self.shell()
        # Who reads first is open. Each gets one line, since head takes it at once; read takes byte after byte.
        reader = "(x=$(head -n 1 </dev/tty); echo neigh''bour $x; cat)"
        screen.type(self.supervised("sh", "-c", "x=$(head -n 1 </dev/tty); echo program $x") + f" | {reader}\n")
        for _ in range(2):
            screen.type("line\n")
        text = screen.expect("line") + screen.expect("line")
        self.assertIn("neighbour", text)
        self.assertIn("program", text)
        self.ends(screen)

    def test_a_neighbour_reads_the_terminal_that_the_program_does_not_need(self):
        screen = self.shell()
        path = self.folder / "read"
        reader = f"(read -r x </dev/tty; echo neigh''bour $x; touch {path}; cat)"
        program = f"while ! [ -e {path} ]; do sleep 0.01; done; echo e''nd"
        screen.type(self.supervised("sh", "-c", program) + f" | {reader}\n")
        screen.type("line\n")
        screen.expect("neighbour line")
        screen.expect("end")
        self.ends(screen)

    def test_a_terminal_that_no_stream_leads_to(self):
        screen = self.shell()
        script = "for i in 1 2; do read x </dev/tty; echo got $x >/dev/tty; done; exit 4"
        screen.type(self.supervised("sh", "-c", script) + " </dev/null >/dev/null 2>&1\n")
        screen.type("one\n")
        screen.expect("got one")
        self.stop_key(screen)
        self.bring_back(screen)
        screen.type("two\n")
        screen.expect("got two")
        self.ends(screen, 4)

    def test_a_shell_below_a_shell(self):
        screen = self.shell()
        screen.type(self.supervised("env", "PS1=", "bash", "--norc", "--noprofile", "--noediting", "-i") + "\n")
        screen.type("echo in''ner; sleep 300\n")
        screen.expect("inner")
        wait_until(lambda: self.sleepers_named(b"sleep"), "sleep")
        screen.type("\x1a")
        screen.expect("Stopped")
        screen.type("kill -STOP $$\n")
        screen.expect("Stopped")
        screen.type("echo ou''ter; fg\n")
        screen.expect("outer")
        screen.type("echo ba''ck; fg\n")
        screen.expect("back")
        wait_until(lambda: str(os.tcgetpgrp(screen.file)) in self.sleepers_named(b"sleep"), "sleep has the terminal")
        screen.type("\x03")
        wait_until(lambda: not self.sleepers_named(b"sleep"), "the end of sleep")
        screen.type("echo aga''in\n")
        screen.expect("again")
        screen.type("exit 3\n")
        self.ends(screen, 3)

    def test_nobody_is_left_to_give_it_the_terminal(self):
        # As the kernel has it for a group that is stopped when the last who could continue it ends.
        path = self.folder / "number"
        screen = self.shell()
        inner = self.supervised("sh", "-c", f"echo $$ > {path}; trap 'exit 6' HUP; sleep 0.5; read x </dev/tty")
        screen.type(f"bash -c {shlex.quote(inner + ' & sleep 0.2')}\n")
        wait_until(lambda: path.exists() and path.read_text(encoding="ascii").endswith("\n"), "start")
        wait_until(lambda: is_gone(int(path.read_text(encoding="ascii"))), "the program's end")
