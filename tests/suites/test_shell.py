# SPDX-License-Identifier: Apache-2.0
"""`pachbuild shell`: a command, or a shell on a terminal, where a datum's program would start."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import pipelines
import support

# What a program sees of where it is, but for what differs from start to start.
LOOK = "pwd; id -u; for link in /pfs/*; do readlink $link; done; find -L /pfs -type f | sort; cat /pfs/.env; env | sort\n"
PROMPT = r"\(pachbuild\) .*[#$] "


class Terminal:
    """A program on a terminal of its own, as a person would use it."""

    def __init__(self, test, command, env, size=(33, 101)):
        self.test = test
        self.near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.settings = termios.tcgetattr(far)
        self.far = far

        def lead_a_session():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([str(word) for word in command], env=env, cwd=test.folder, stdin=far, stdout=far,
                                        stderr=far, preexec_fn=lead_a_session)
        self.text = ""
        self.seen = 0
        test.addCleanup(self.close)

    def read(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.near], [], [], left)[0]:
            self.test.fail(f"nothing more came after:\n{self.text}")
        self.take()

    def take(self):
        """What is there, without what it says to the terminal alone."""
        self.text += re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]\r?", "", os.read(self.near, 65536).decode(errors="replace"))

    def wait_for(self, pattern, seconds=60):
        """Until what has come since the last call matches; the match."""
        deadline = time.monotonic() + seconds
        while not (match := re.compile(pattern, re.MULTILINE).search(self.text, self.seen)):
            self.read(deadline)
        self.seen = match.end()
        return match

    def type(self, text):
        os.write(self.near, text.encode())

    def end(self, seconds=30):
        """The exit code, once it has ended."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.test.fail(f"did not end:\n{self.text}")
            if select.select([self.near], [], [], 0.05)[0]:
                self.take()
        while select.select([self.near], [], [], 0)[0]:
            self.take()
        return self.process.returncode

    def settings_now(self):
        return termios.tcgetattr(self.far)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.near)
        os.close(self.far)


class ShellSuite(pipelines.PipelineSuite):
    def shell_command(self, *words, inputs=("data",)):
        given = [f"--input={name}={self.folder / name}" for name in inputs]
        return [support.PACHBUILD, "shell", "-f", str(self.folder / "spec.json"), *given, *map(str, words)]

    def shell(self, *words, expect=0, inputs=("data",), env=None, **options):
        result = self.run_program(*self.shell_command(*words, inputs=inputs), env=env or self.environment(), **options)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        self.assert_nothing_left()
        return result


class Command(ShellSuite):
    def setUp(self):
        super().setUp()
        self.data(**{"a.txt": "A\n", "b.txt": "B\n"})

    def test_it_is_where_the_program_would_be(self):
        for changes in ({}, {"working_dir": "/usr"}, {"env": {"MINE": "1"}}, {"cmd": ["sh", "-c", LOOK + "exit 3"]}):
            with self.subTest(changes):
                self.shell_pipeline(LOOK + "exit 3", **changes)
                ran = self.pachbuild_run("--datum", "b.txt")
                self.assertEqual(ran.returncode, 1, ran.stderr)
                log = re.search(r"\(log: (\S+)\)", ran.stderr)[1]
                with open(log) as file:
                    expected = file.read()
                seen = self.shell("--datum", "b.txt", "--", "sh", "-c", LOOK, "sh").stdout
                self.assertIn("data=/pfs/data/b.txt\n", seen)
                # Of a shell the variables of its own, and PWD, which says what the folder is called.
                own = re.compile(r"^(PWD|OLDPWD|SHLVL|_)=.*\n", re.MULTILINE)
                self.assertEqual(own.sub("", seen), own.sub("", expected))

    def test_a_python_program_starts_in_the_source_and_so_does_the_command(self):
        self.write("source/main.py", "import os; open('/pfs/out/at', 'w').write(os.environ['PWD'] + ' ' + os.getcwd())\n")
        self.spec(working_dir="/usr")
        self.shell("--datum", 1, "--", "sh", "-c", "pwd -P; cat main.py; sh /pfs/build/run.sh; cat /pfs/out/at")
        result = self.shell("--datum", 1, "--", "sh", "-c", "echo $PWD; pwd -P; sh /pfs/build/run.sh; cat /pfs/out/at")
        first, second, third = result.stdout.splitlines()
        self.assertEqual(first, "/pfs/source")
        self.assertEqual(third, f"{first} {second}")

    def test_the_artifacts_environment_is_there_with_its_path(self):
        support.require_network()
        self.write("source/main.py", "")
        self.write("source/requirements.txt", "six==1.16.0\n")
        env = self.environment(UV_CACHE_DIR=str(support.shared_cache("uv")))
        for transform in ({}, {"cmd": ["python3", "main.py"]}):
            self.spec(**transform)
            result = self.shell("--", "python3", "-c", "import six, sys; print(six.__version__, sys.prefix)", env=env)
            version, prefix = result.stdout.split()
            self.assertEqual(version, "1.16.0")
            self.assertTrue(prefix.startswith(str(self.cache / "env")), prefix)

    def test_streams_and_exit_code_are_the_commands(self):
        self.shell_pipeline("")
        result = self.shell("--", "sh", "-c", "cat; echo wrong >&2; exit 7", stdin="typed\n", expect=7)
        self.assertEqual(result.stdout, "typed\n")
        self.assertIn("\nwrong\n", result.stderr)
        self.assertIn("shell: datum 1 of 2, data/", result.stderr)
        result = self.shell("--", "sh", "-c", "kill -KILL $$", expect=137)
        result = self.shell("--", "no-such-command", expect=127)
        self.assertIn("no-such-command: command not found\n", result.stderr)
        self.assertIn("error: ", result.stderr)

    def test_without_a_command_or_a_terminal_the_shell_reads_what_comes(self):
        self.shell_pipeline("")
        for shell in ("/bin/sh", "/bin/bash", "", "/no/such/shell"):
            env = self.environment(SHELL=shell, HOME=str(self.folder))
            result = self.shell("--datum", "a.txt", stdin='cat "$data"; exit 5\n', env=env, expect=5)
            self.assertEqual(result.stdout, "A\n")
        self.assertIn("its program is sh /pfs/build/run.sh; leave with exit or Ctrl-D\n", result.stderr)

    def test_what_was_written_is_listed_and_thrown_away(self):
        self.shell_pipeline('cp "$data" /pfs/out/\n')
        self.succeed_run()
        before = self.output()
        result = self.shell("--datum", "a.txt", "--", "sh", "-c",
                            "mkdir /pfs/out/d; echo much more > /pfs/out/d/x; ln -s $data /pfs/out/link; exit 4", expect=4)
        self.assertIn("shell: discarded from /pfs/out: 2 files, 12 B\n", result.stderr)
        self.assertIn("\n  d/x (10 B)\n  link (2 B)\n", result.stderr.replace("info: ", ""))
        self.assertEqual(self.output(), before)
        for count, more in ((20, ""), (21, "  and 1 more file\n"), (23, "  and 3 more files\n")):
            result = self.shell("--", "sh", "-c", f"cd /pfs/out; for i in $(seq 10 {9 + count}); do : > $i; done")
            listed = result.stderr.replace("info: ", "").partition(f"discarded from /pfs/out: {count} files, 0 B\n")[2]
            self.assertEqual(listed, "".join(f"  {number} (0 B)\n" for number in range(10, 30)) + more)
        self.assert_ran(self.succeed_run(), run=0, skipped=2)
        result = self.shell("--", "true")
        self.assertIn("shell: nothing was written to /pfs/out\n", result.stderr)
        result = self.shell("--", "ln", "-s", "/nowhere", "/pfs/out/broken")
        self.assertIn("shell: a datum would fail with this output: /pfs/out/broken", result.stderr)

    def test_the_program_can_be_tried_again_and_again(self):
        """Although an input is lazy, as /pfs/build is."""
        self.write("source/main.py", "import os; print(open(os.environ['data']).read(), end='')\n")
        self.spec(input={"pfs": {"repo": "data", "glob": "/*", "lazy": True}})
        result = self.shell("--datum", "a.txt", "--", "sh", "-c",
                            'test -p "$data" && for i in 1 2 3 4 5; do sh /pfs/build/run.sh; done', timeout=60)
        self.assertEqual(result.stdout, "A\n" * 5)

    def test_limits_and_tries_of_the_spec_are_not_the_persons(self):
        self.shell_pipeline("", pipeline=None)
        self.spec(pipeline={"datum_timeout": "1s", "datum_tries": 3}, err_cmd=["true"])
        result = self.shell("--", "sh", "-c", "sleep 1.5; echo once; exit 3", expect=3)
        self.assertEqual(result.stdout, "once\n")

    def test_what_the_program_is_started_with(self):
        self.shell_pipeline("", cmd=["python3", "-c", "it is", "--x"])
        self.assertIn("; its program is python3 -c 'it is' --x\n", self.shell("--", "true").stderr)
        self.shell_pipeline("", cmd=["sh"], stdin=["echo one", "echo 'two'"])
        typed = re.search("its program is (.*)", self.shell("--", "true").stderr)[1]
        self.assertEqual(self.shell("--", "sh", "-c", typed).stdout, "one\ntwo\n")

    def test_signals_are_the_commands(self):
        self.shell_pipeline("")
        for number, expected in ((signal.SIGTERM, 31), (signal.SIGINT, 32)):
            process = subprocess.Popen(
                self.shell_command("--", "sh", "-c", "trap 'exit 31' TERM; trap 'exit 32' INT; echo ready; "
                                   "while :; do sleep 0.05; done"),
                env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(number)
            self.assertEqual(process.wait(30), expected)
            process.stdout.close()

    def test_nothing_is_left_of_one_that_is_killed(self):
        self.shell_pipeline("")
        process = subprocess.Popen(self.shell_command("--", "sh", "-c", "echo ready; exec sleep 4242"),
                                   env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.kill()
        process.wait()
        self.assertEqual(process.stdout.read(), "")  # nobody has it open any more
        process.stdout.close()
        self.shell("--", "true")
        self.assert_nothing_left()

    def test_a_datum_that_failed_last_time_comes_first(self):
        self.data(**{f"{number}.txt": "good\n" for number in range(8)})
        self.data(**{"5.txt": "bad\n"})
        self.shell_pipeline('grep -q good "$data"\n', glob="/[0-9].txt")
        self.assertEqual(self.pachbuild_run("--partial").returncode, 1)
        self.assertEqual(self.shell("--", "sh", "-c", "echo $data").stdout, "/pfs/data/5.txt\n")
        self.assertEqual(self.shell("--datum", "4.txt", "--", "sh", "-c", "echo $data").stdout, "/pfs/data/4.txt\n")

    def test_what_cannot_be_entered(self):
        self.shell_pipeline("")
        result = self.shell("--datum", "c.txt", "--", "true", expect=64)
        self.assertIn('error: --datum c.txt: no such datum\nhint: did you mean "data/', result.stderr)
        self.write("source/build.sh", "exit 3\n")
        self.shell("--", "true", expect=1)
        self.spec(glob="/none/*")
        self.shell_pipeline("", glob="/none/*")
        result = self.shell("--", "true", expect=65)
        self.assertIn("matches nothing in repo data", result.stderr)


class InADag(ShellSuite):
    def setUp(self):
        super().setUp()
        self.data(**{"a.txt": "a\n", "b.txt": "b\n"})
        for name, repo in (("first", "data"), ("second", "first")):
            self.write(f"specs/{name}/build.sh", pipelines.COPY_RUN_SCRIPT)
            self.write(f"specs/{name}/program.sh", f'for file in /pfs/{repo}/*; do echo {name} >> "$file"; cp "$file" /pfs/out/; done\n')
            self.write(f"specs/{name}/spec.json", '{"pipeline": {"name": "%s"}, "transform": {"build": {"language": "python"}}, '
                                                  '"input": {"pfs": {"repo": "%s", "glob": "/*"}}}' % (name, repo))

    def enter(self, *words, expect=0):
        result = self.run_program(support.PACHBUILD, "shell", "-f", "specs", "--input", f"data={self.folder / 'data'}", *words,
                                  env=self.environment())
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result

    def test_what_it_reads_runs_first(self):
        result = self.enter("--pipeline", "second", "--datum", "first/b.txt", "--", "cat", "/pfs/first/b.txt")
        self.assertEqual(result.stdout, "b\nfirst\n")
        self.assertIn("first: datums: 2 processed, 0 skipped, ", result.stderr)
        again = self.enter("--pipeline", "second", "--datum", "/a.txt", "--", "sh", "-c", 'cat "$first"')
        self.assertEqual(again.stdout, "a\nfirst\n")
        self.assertIn("first: datums: 0 processed, 2 skipped, ", again.stderr)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["cache", "data", "specs"])

    def test_one_that_is_not_named(self):
        result = self.enter("--", "true", expect=64)
        self.assertIn("error: --pipeline: is required: the specs contain several pipelines\n"
                      "hint: name one of first, second\n", result.stderr)
        result = self.enter("--datum", "1", "--", "true", expect=64)
        self.assertIn("error: --datum: requires --pipeline: the specs contain several pipelines\n", result.stderr)

    def test_what_it_reads_has_failed(self):
        self.write("specs/first/program.sh", "exit 3\n")
        result = self.enter("--pipeline", "second", "--", "true", expect=1)
        self.assertIn("error: first: 2 datums failed\n", result.stderr)
        self.assertIn("pipeline second was not run: it reads first, which has no result", result.stderr)


class OnATerminal(ShellSuite):
    def setUp(self):
        super().setUp()
        self.data(**{"a.txt": "A\n", "b.txt": "B\n"})
        self.shell_pipeline('echo ran > /pfs/out/ran\n')
        self.bash = shutil.which("bash")
        support.require(self.bash, "bash is not installed")

    def open(self, *words, **changes):
        env = self.environment(SHELL=self.bash, HOME=str(self.folder), TERM="xterm-256color", PS1=None, **changes)
        terminal = Terminal(self, self.shell_command("--datum", "b.txt", *words), env)
        terminal.wait_for(r"^shell: datum \d of 2, data/b\.txt; its program is sh /pfs/build/run\.sh")
        return terminal

    def test_a_session(self):
        terminal = self.open()
        terminal.wait_for(r"leave with exit or Ctrl-D")
        terminal.wait_for(PROMPT)
        terminal.type("echo at $data with $TERM; stty size; tty\n")
        terminal.wait_for(r"^at /pfs/data/b.txt with xterm-256color\r\n33 101\r\n/dev/pts/\d+\r\n")
        terminal.wait_for(PROMPT)
        # The size of the window is the command's too. A shell that hears of it draws its line once more, whatever is being
        # typed: what a command prints then follows the prompt or the command itself.
        fcntl.ioctl(terminal.near, termios.TIOCSWINSZ, struct.pack("HHHH", 21, 77, 0, 0))
        terminal.process.send_signal(signal.SIGWINCH)
        deadline = time.monotonic() + 30
        while True:
            terminal.type("stty size; echo done\n")
            if terminal.wait_for(r"(?:^|[#$] |; echo done)(\d+ \d+)\r\ndone\r\n")[1] == "21 77":
                break
            self.assertLess(time.monotonic(), deadline)
        # Ctrl-C ends what runs in the shell, Ctrl-Z stops it, and neither ends anything else.
        terminal.type("sh -c 'echo started; exec sleep 1000'; echo code $?\n")
        terminal.wait_for(r"^started\r\n")
        terminal.type("\x03")
        terminal.wait_for(r"\^C")
        terminal.type("echo still here\n")
        terminal.wait_for(r"^still here\r\n")
        terminal.type("sh -c 'echo started; exec sleep 1001'\n")
        terminal.wait_for(r"^started\r\n")
        terminal.type("\x1a")
        terminal.wait_for(r"Stopped +sh -c ")
        terminal.type("kill -9 %1; fg; echo a > /pfs/out/x; exit 9\n")
        self.assertEqual(terminal.end(), 9)
        self.assertIn("shell: discarded from /pfs/out: 1 file, 2 B", terminal.text)
        self.assertEqual(terminal.settings_now(), terminal.settings)

    def test_the_persons_own_settings_do_not_hide_the_artifacts_programs(self):
        self.write(".bashrc", 'PATH=/somewhere/else:$PATH\nalias mine="echo it is mine"\n')
        terminal = self.open()
        terminal.wait_for(PROMPT)
        terminal.type("mine; echo path $PATH\n")
        terminal.wait_for(r"^it is mine\r\n")
        self.assertNotIn("somewhere", terminal.wait_for(r"^path (.*)\r\n")[1])
        terminal.wait_for(PROMPT)  # a Ctrl-D that comes before readline waits for keys is lost
        terminal.type("\x04")
        self.assertEqual(terminal.end(), 0)

    def test_a_command_has_the_terminal_as_well(self):
        terminal = self.open("--", "sh", "-c", 'test -t 0 && test -t 1 && test -t 2 && read line && echo "got $line"; exit 6')
        terminal.type("something\n")
        terminal.wait_for(r"^got something\r\n")
        self.assertEqual(terminal.end(), 6)

    def test_all_that_is_printed_at_the_end_is_shown(self):
        terminal = self.open("--", "sh", "-c", "seq 1 20000")
        self.assertEqual(terminal.end(), 0)
        numbers = re.findall(r"^(\d+)\r$", terminal.text, re.MULTILINE)
        self.assertEqual(numbers, [str(number) for number in range(1, 20001)])

    def test_more_is_typed_than_the_program_reads(self):
        terminal = self.open("--", "sh", "-c", "stty raw -echo; echo go; sleep 0.5; head -c 50000 | wc -c")
        terminal.wait_for("go")
        sent = 0
        while sent < 50000:
            select.select([], [terminal.near], [], 30)
            sent += os.write(terminal.near, b"y" * min(1000, 50000 - sent))
        terminal.wait_for("50000")
        self.assertEqual(terminal.end(), 0)

    def test_the_settings_come_back_whatever_happens(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            with self.subTest(number):
                terminal = self.open("--", "sh", "-c", "echo ready; sleep 4243")
                terminal.wait_for("^ready")
                self.assertNotEqual(terminal.settings_now(), terminal.settings)
                terminal.process.send_signal(number)
                code = terminal.end()
                self.assertIn(code, (-number, 128 + number))
                deadline = time.monotonic() + 10
                while terminal.settings_now() != terminal.settings:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.02)
        deadline = time.monotonic() + 10
        while self.sleeping("4243"):
            self.assertLess(time.monotonic(), deadline, "the command is left")
            time.sleep(0.05)

    def test_it_goes_on_after_it_was_stopped(self):
        terminal = self.open("--", "sh", "-c", "echo ready; read line; echo got $line")
        terminal.wait_for("^ready")
        raw = terminal.settings_now()
        terminal.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        termios.tcsetattr(terminal.far, termios.TCSANOW, terminal.settings)  # as a shell does
        terminal.process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 10
        while terminal.settings_now() != raw:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        terminal.type("x\n")
        terminal.wait_for("^got x")
        self.assertEqual(terminal.end(), 0)

    def sleeping(self, seconds):
        found = []
        for name in os.listdir("/proc"):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if file.read() == f"sleep\0{seconds}\0".encode():
                        found.append(name)
            except OSError:
                continue
        return found


if __name__ == "__main__":
    support.main()
