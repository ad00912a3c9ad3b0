# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` uses the folders of one datum for the next: nothing that a program has done to them is seen there."""

import os
import subprocess
import sys

import pipelines
import support

# What the first of two datums does; the second says what it finds.
PROGRAM = '''
import os, pathlib, shutil, subprocess, sys, time
data = pathlib.Path(os.environ["data"])
scratch = pathlib.Path("/pfs/.scratch") / os.environ["PACH_DATUM_ID"]
source, side, out = pathlib.Path("/pfs/source"), pathlib.Path("/pfs/side"), pathlib.Path("/pfs/out")
number = data.name[:2]

def attribute(path):
    os.setxattr(path, "user.left", b"x")

def linked(name):
    os.link(scratch / name, out / number)

def background(script):
    subprocess.Popen(["sh", "-c", script], start_new_session=True, cwd=out, stdin=subprocess.DEVNULL)

MISCHIEFS = [
    lambda: None,
    # files
    lambda: (source / "new").write_text("left"),
    lambda: (source / "note").write_text("!riginal"),
    lambda: (source / "note").unlink(),
    lambda: (source / "note").rename(source / "other"),
    lambda: (source / "note").rename(out / number),
    lambda: data.write_text("much longer than it was"),
    lambda: data.unlink(),
    lambda: data.rename(out / number),
    lambda: (data.parent / "second").write_text("left"),
    lambda: pathlib.Path("/pfs/new").write_text("left"),
    lambda: (scratch / "new").write_text("left"),
    lambda: (scratch.parent / "new").write_text("left"),
    lambda: (out / number).write_text("output"),
    # folders
    lambda: (source / "folder" / "new").mkdir(),
    lambda: shutil.rmtree(source / "folder"),
    lambda: (out / number / "deep").mkdir(parents=True),
    lambda: (pathlib.Path("/pfs/folder/deep").mkdir(parents=True), os.chmod("/pfs/folder", 0)),
    lambda: (scratch.parent / "folder").mkdir(mode=0),
    lambda: (scratch / "side").rename(scratch / "gone"),
    lambda: (os.unlink("/pfs/side"), os.mkdir("/pfs/side")),
    lambda: (os.unlink("/pfs/.env"), os.mkdir("/pfs/.env")),
    lambda: (os.unlink("/pfs/out"), os.mkdir("/pfs/out")),
    # modes and attributes
    lambda: os.chmod(source / "note", 0),
    lambda: os.chmod(data, 0o755),
    lambda: os.chmod(source / "folder", 0),
    lambda: os.chmod(source, 0),
    lambda: os.chmod(side / "pipe", 0),
    lambda: os.chmod(scratch, 0o755),
    lambda: os.chmod(scratch.parent, 0o755),
    lambda: os.chmod("/pfs", 0o755),
    lambda: os.chmod(out, 0),
    lambda: os.utime(data.parent, (1, 1)),
    lambda: attribute(source / "note"),
    lambda: attribute(source / "folder"),
    lambda: attribute(data),
    lambda: attribute(data.parent),
    lambda: attribute(scratch),
    lambda: attribute(scratch.parent),
    lambda: attribute(out),
    # pipes
    lambda: (side / "pipe").read_text(),
    lambda: (side / "pipe").unlink(),
    lambda: ((side / "pipe").unlink(), os.mkfifo(side / "pipe")),
    lambda: ((side / "pipe").unlink(), (side / "pipe").write_text("left")),
    # links
    lambda: os.link(source / "note", source / "second"),
    lambda: linked("source/note"),
    lambda: linked("data/" + data.name),
    lambda: (data.unlink(), data.symlink_to(source / "note")),
    lambda: (shutil.rmtree(scratch / "source"), (scratch / "source").symlink_to("/etc")),
    lambda: (shutil.rmtree(scratch / "out"), (scratch / "out").mkdir()) and sys.exit(1),
    lambda: (scratch.rename("/pfs/.scratch/moved"), scratch.symlink_to("moved")) and sys.exit(1),
    # processes
    lambda: background("while :; do echo left >> late; sleep 0.01; done"),
    lambda: background(f"exec 3>> {data}; while :; do echo left >&3; sleep 0.01; done"),
    lambda: background(f"exec 3< {side}/pipe; sleep 600"),
]

def look(path):
    status = path.lstat()
    line = f"{path} {status.st_mode:o} {status.st_nlink} {status.st_uid}"
    if path.is_symlink():
        return line + " " + os.readlink(path)
    line += " " + repr(os.listxattr(path))
    return line + " " + path.read_text() if path.is_file() and path.name != ".env" else line

if data.name.endswith("a"):
    MISCHIEFS[int(number)]()
else:
    time.sleep(float(os.environ.get("WAIT", 0)))
    found = [pathlib.Path("/pfs"), *sorted(pathlib.Path("/pfs").rglob("*"))]
    report = "\\n".join(map(look, found)) + "\\n" + (side / "pipe").read_text() + "\\n"
    report = report.replace(scratch.name, "ID").replace(data.name, "DATA")
    (out / f"report-{number}").write_text(report)
'''


class Leftovers(pipelines.PipelineSuite):

    def pairs(self, numbers):
        for number in numbers:
            for half in "ab":
                self.write(f"data/{number:02}{half}", f"{number:02}{half}")

    def pipeline(self, **transform):
        self.write("source/program.py", PROGRAM)
        self.write("source/note", "original")
        self.write("source/folder/file", "below")
        self.write("side/pipe", "through the pipe")
        self.shell_pipeline(f"exec {sys.executable} /pfs/source/program.py\n")
        self.spec(input={"cross": [{"pfs": {"repo": "data", "glob": "/*"}},
                                   {"pfs": {"repo": "side", "glob": "/", "lazy": True}}]}, **transform)

    def run_pairs(self, numbers, *options, **transform):
        self.pairs(numbers)
        self.pipeline(**transform)
        self.pachbuild_run("--partial", *options, inputs=("data", "side"))
        return {path.removeprefix("report-"): text.decode() for path, text in self.output().items()
                if path.startswith("report-")}

    def count(self):
        return PROGRAM[PROGRAM.index("MISCHIEFS = ["):PROGRAM.index("\n]")].count("\n    lambda")

    def test_nothing_that_a_program_does_to_its_folders_is_seen_by_the_next(self):
        # Not those that leave a process: while it goes on nothing is used again.
        quiet = [number for number in range(self.count() - 3)]
        reports = self.run_pairs(quiet, "--workers", 1)
        for number in quiet:
            # The data's own text is the one thing that differs.
            report = reports[f"{number:02}"].replace(f"{number:02}b", "DATA")
            expected = reports["00"].replace("00b", "DATA")
            different = [line for line in report.splitlines() if line not in expected.splitlines()]
            self.assertTrue(report == expected, f"after mischief {number}: {different}")
        self.assertIn("/pfs/.scratch/ID/source/note 100644 1 0 [] original\n".replace(" 0 ", f" {os.getuid()} "),
                      reports["00"])
        self.assertTrue(reports["00"].endswith("through the pipe\n"))
        self.assert_nothing_left()

    def test_a_process_that_stays_behind_gets_at_nothing_of_the_next(self):
        reports = self.run_pairs([0], "--workers", 1)
        expected = reports["00"]
        for number in range(self.count() - 3, self.count()):
            for path in (self.folder / "data").iterdir():
                path.unlink()
            with self.subTest(number):
                report = self.run_pairs([number], "--workers", 1, env={"WAIT": "0.05"})[f"{number:02}"]
                self.assertEqual(report.replace(f"{number:02}b", "00b"), expected)

    def test_what_a_program_leaves_in_pfs_itself_takes_little_memory(self):
        self.data(a="one", b="two")
        self.shell_pipeline('test "$(basename "$data")" = b || head -c 200000000 /dev/zero > /pfs/big || exit 3\n'
                            'cp "$data" /pfs/out/; df -m /pfs | tail -1 >&2\n')
        result = self.pachbuild_run("--workers", 1, "--partial", "--logs")
        self.assertEqual(result.returncode, 1)
        self.assertIn("datum data/a failed: exit code 3; /pfs is full (limited to 64.0 MiB): write large files to "
                      "/pfs/out or /tmp (log: ", result.stderr)
        self.assertIn("No space left on device", result.stderr)
        self.assertEqual(self.output(), {"b": b"two"})
        self.assertIn(" 64 ", result.stderr)
        self.shell_pipeline('number=0; while true > /pfs/f$number; do number=$((number + 1)); done; exit 3\n')
        self.assertIn("datum data/a failed: exit code 3; /pfs is full (limited to 16,384 files): ",
                      self.pachbuild_run("--workers", 1).stderr)

    def test_outputs_and_inputs_are_not_in_memory(self):
        self.data(a="one")
        self.shell_pipeline("stat -f -c %T /pfs /pfs/.scratch /pfs/out/ /pfs/data/ > /pfs/out/types\n")
        self.succeed_run()
        pfs, *others = self.output()["types"].decode().split()
        own = subprocess.run(["stat", "-f", "-c", "%T", self.cache], capture_output=True, text=True, check=True)
        self.assertEqual((pfs, set(others)), ("tmpfs", {own.stdout.strip()}))

    def test_an_input_can_be_moved_or_linked_into_the_output(self):
        self.data(a="one", b="two")
        self.shell_pipeline('name=$(basename "$data")\nmv -n "$data" "/pfs/out/$name"\n'
                            'ln /pfs/source/note /pfs/out/note-$name\n')
        self.write("source/note", "note")
        self.succeed_run("--workers", 1)
        self.assertEqual(self.output(), {"a": b"one", "b": b"two", "note-a": b"note", "note-b": b"note"})

    def test_a_datum_that_prints_nothing_leaves_no_log(self):
        self.data(a="one", b="two", c="three")
        self.shell_pipeline('name=$(basename "$data")\ntest $name != b || echo told\ntest $name != c\n')
        result = self.pachbuild_run("--workers", 1)
        logs = sorted(path.read_text() for path in self.cache.glob("run/*/logs/*"))
        self.assertEqual(logs, ["", "told\n"])
        (failed,) = [line for line in result.stderr.splitlines() if "datum data/c failed" in line]
        self.assertTrue(os.path.exists(failed.split("(log: ")[1].rstrip(")")))


if __name__ == "__main__":
    support.main()
