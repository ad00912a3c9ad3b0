# SPDX-License-Identifier: Apache-2.0
"""worker-shim becomes the user's program: arguments, exit codes and signals are the program's own."""

import os
import random
import signal
import stat
import subprocess
import sys

import support

PRINT_WORDS = [b"/usr/bin/printf", rb"%s\0"]  # each argument, then a zero byte

FOLDER_HINT = "hint: name the folder that a build wrote: the one with run.sh and build.json\n"


def random_words(generator):
    """Words that a careless program would split, expand, drop or decode."""
    pieces = [b" ", b"\n", b"\t", b"'", b'"', b"\\", b"$HOME", b"$(id)", b"`id`", b"*", b"?", b"[a-z]", b"~", b"%s",
              b"-", b"--", b"--exec", b"--help", b"-x", b"=", b";", b"|", b"&&", b"#", b"!", b"\x80", b"\xff\xfe",
              b"\xc3\xa9", b"\xed\xa0\x80", b"\x01", b"\x1b[2J", b"word", b""]
    return [b"".join(generator.choices(pieces, k=generator.randrange(4))) for _ in range(generator.randrange(8))]


class Exec(support.Suite):
    def setUp(self):
        super().setUp()
        self.build = self.folder / "build"
        self.build.mkdir()

    def shim(self, *arguments, **options):
        return self.run_program(support.SHIM, "--build", self.build, *arguments, **options)

    def check_words(self, command):
        seed = random.SystemRandom().randrange(1 << 32)
        generator = random.Random(seed)
        for words in [[], [b""], [b"", b""], [b"--"], [b"--", b"--exec"]] + [
                random_words(generator) for _ in range(500 if support.LONG else 50)]:
            result = subprocess.run(command + words, capture_output=True, env=support.environment(), timeout=60)
            expected = b"".join(word + b"\0" for word in words) if words else b"\0"
            self.assertEqual(result.stdout, expected, f"seed {seed}, words {words}, {result.stderr}")
            self.assertEqual((result.returncode, result.stderr), (0, b""), f"seed {seed}")

    def test_words_arrive_byte_for_byte_through_exec(self):
        self.check_words([os.fsencode(support.SHIM), b"--build", os.fsencode(self.build), b"--exec", b"--"] + PRINT_WORDS)

    def test_words_arrive_byte_for_byte_through_run_sh(self):
        self.write("build/run.sh", """exec /usr/bin/printf '%s\\0' "$@"\n""")
        self.check_words([os.fsencode(support.SHIM), b"--build", os.fsencode(self.build), b"--"])

    def test_run_sh_is_the_default_and_may_be_a_pipe(self):
        # A lazy input: its files are named pipes, which are there once.
        path = self.build / "run.sh"
        os.mkfifo(path)
        writer = subprocess.Popen(["sh", "-c", 'cat > "$1" <<"END"\necho "$0|$#|$1"\nEND', "sh", path])
        result = self.shim("first word", "second")
        self.assertEqual(writer.wait(timeout=60), 0)
        self.assertEqual((result.stdout, result.stderr, result.returncode), (f"{path}|2|first word\n", "", 0))

    def test_every_exit_code_is_the_programs(self):
        for code in range(256) if support.LONG else (0, 1, 2, 63, 64, 125, 126, 127, 128, 129, 137, 143, 254, 255):
            result = self.shim("--exec", "--", "sh", "-c", f"exit {code}")
            self.assertEqual((result.returncode, result.stderr), (code, ""))

    def test_a_program_that_a_signal_ends_is_seen_to_end_so(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE,
                       signal.SIGTERM, signal.SIGUSR1):
            result = self.shim("--exec", "--", "sh", "-c", f"ulimit -c 0; kill -{number.value} $$")
            self.assertEqual(result.returncode, -number.value)

    def test_the_program_is_the_same_process(self):
        process = subprocess.Popen([support.SHIM, "--build", self.build, "--exec", "--", "sh", "-c", "echo $$"],
                                   stdout=subprocess.PIPE, text=True)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(output, f"{process.pid}\n")

    def test_the_program_gets_environment_input_and_no_descriptor_of_the_shim(self):
        result = self.shim("--exec", "--", "sh", "-c", 'cat; echo "$A_VARIABLE"; ls /proc/self/fd',
                           stdin="input\n", env=support.environment(A_VARIABLE="a  b"))
        # 3 is the folder that ls reads.
        self.assertEqual(result.stdout, "input\na  b\n0\n1\n2\n3\n")

    def test_what_cannot_be_executed_is_told_as_by_a_shell(self):
        plain = self.write("plain", "#!/bin/sh\n", 0o644)
        for code, command in ((127, "no-such-program"), (127, "/no/such/program"), (126, "/etc"), (126, plain)):
            result = self.shim("--exec", "--", command)
            by_shell = self.run_program("sh", "-c", '"$0"', command)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual(result.returncode, by_shell.returncode, command)
            self.assertRegex(result.stderr, r"\Aerror: .*\n(hint: .*\n)?\Z")

    def test_long_words_arrive(self):
        # The kernel takes up to 128 KiB in one (MAX_ARG_STRLEN, execve(2)).
        words = ["x" * 120_000] * 5
        self.assertEqual(self.shim("--exec", "--", "/bin/echo", *words).stdout, " ".join(words) + "\n")

    def test_without_path_the_usual_folders_are_searched(self):
        result = subprocess.run([support.SHIM, "--build", self.build, "--exec", "--", "echo", "a"], env={},
                                capture_output=True, text=True, timeout=60)
        self.assertEqual((result.stdout, result.returncode), ("a\n", 0), result.stderr)

    def test_a_missing_build_input_is_named(self):
        missing = self.folder / "no build"
        for arguments in ([], ["--exec", "--", "true"], ["--environment", "0" * 64, "--exec", "--", "true"]):
            result = self.run_program(support.SHIM, "--build", missing, *arguments)
            self.assertEqual((result.stderr, result.returncode), (f"error: {missing}: no such folder\n{FOLDER_HINT}", 125))

    def test_a_build_that_is_a_file_is_told(self):
        file = self.write("file", "")
        for arguments in ([], ["--exec", "--", "true"], ["--environment", "0" * 64, "--exec", "--", "true"]):
            result = self.run_program(support.SHIM, "--build", file, *arguments)
            self.assertEqual((result.stderr, result.returncode), (f"error: {file}: is not a folder\n{FOLDER_HINT}", 125))

    def test_a_build_without_run_sh_is_told(self):
        result = self.shim("word")
        self.assertEqual(result.stderr, f"error: {self.build}/run.sh: cannot read: no such file or folder\n"
                         + FOLDER_HINT)
        self.assertEqual(result.returncode, 125)

    def test_without_a_bundle_the_environment_is_untouched(self):
        result = self.shim("--exec", "--", "sh", "-c", 'echo "$PATH ${PACHBUILD_ENV-none}"',
                           env=support.environment(PATH="/usr/bin:/bin"))
        self.assertEqual(result.stdout, "/usr/bin:/bin none\n")

    def test_the_folder_of_the_program_can_be_given(self):
        show = ["--exec", "--", sys.executable, "-c", "import os; print(os.getcwd(), os.environ.get('PWD'))"]
        result = self.shim("--chdir", "/usr", *show, env=support.environment(PWD="/"))
        self.assertEqual((result.stdout, result.stderr), ("/usr /usr\n", ""))
        self.assertEqual(self.shim("--chdir", "/usr", *show, env=support.environment(PWD=None)).stdout, "/usr None\n")
        result = self.shim("--chdir", "/no/such", *show)
        self.assertEqual((result.stderr, result.returncode),
                         ("error: /no/such: cannot enter: no such file or folder\n", 125))

    def test_help_and_version_go_to_standard_output(self):
        result = self.run_program(support.SHIM, "--help")
        self.assertIn("worker-shim --exec [--] COMMAND [ARGS...]", result.stdout)
        self.assertEqual((result.stderr, result.returncode), ("", 0))
        version = self.succeed(support.SHIM, "--version").stdout
        self.assertRegex(version, r"\Aworker-shim \d+\.\d+\.\d+( \([0-9a-f]{7}\+? \d{4}-\d\d-\d\d\))?\n\Z")
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.assertEqual(subprocess.run([support.SHIM, "--help"], stdout=full, timeout=60).returncode, 125)

    def test_a_wrong_command_line_is_125(self):
        result = self.run_program(support.SHIM, "--wrong")
        self.assertEqual(result.returncode, 125)
        self.assertEqual(result.stderr, "error: unknown option --wrong\n"
                         "hint: put -- before the arguments of your own program\n")

    def test_install_copies_the_shim_in_one_step(self):
        target = self.folder / "bin"
        target.mkdir()
        (target / "worker-shim").write_text("an older one", encoding="utf-8")
        old_umask = os.umask(0o077)
        try:
            self.succeed(support.SHIM, "--install", target)
        finally:
            os.umask(old_umask)
        self.assertEqual([path.name for path in target.iterdir()], ["worker-shim"])
        self.assertEqual(stat.S_IMODE((target / "worker-shim").stat().st_mode), 0o755)
        self.succeed("cmp", support.SHIM, target / "worker-shim")
        self.succeed(target / "worker-shim", "--version")

    def test_install_leaves_nothing_when_it_fails(self):
        (self.folder / "bin" / "worker-shim" / "in the way").mkdir(parents=True)
        result = self.run_program(support.SHIM, "--install", self.folder / "bin")
        self.assertEqual(result.stderr, f"error: {self.folder}/bin/worker-shim: cannot create: is a folder\n")
        self.assertEqual(result.returncode, 125)
        self.assertEqual(os.listdir(self.folder / "bin"), ["worker-shim"])
        result = self.run_program(support.SHIM, "--install", "/no/such/folder")
        self.assertEqual(result.stderr, "error: /no/such/folder/worker-shim: cannot create: no such file or folder\n")


if __name__ == "__main__":
    support.main()
