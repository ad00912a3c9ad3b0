# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` and what programs leave in /pfs/out: nothing outside is harmed, no finished datum is lost, and the output
folder goes from one whole state to the next."""

import os
import re
import signal
import subprocess
import time

import pipelines
import support

COPY = 'cp "$data" "/pfs/out/$(basename "$data")"\n'


class HostileOutputs(pipelines.PipelineSuite):
    """A datum that does something strange to /pfs/out fails, in its own words; the others are fine."""

    def setUp(self):
        super().setUp()
        self.victim = self.folder / "victim"
        self.write("victim/precious", "mine")
        self.write("victim/sub/tool", "mine", mode=0o755)
        self.victim.chmod(0o751)
        self.data(a="bad", b="good")

    def state_of_victim(self):
        return sorted((str(path), path.stat().st_mode, path.stat().st_ino, path.stat().st_mtime_ns)
                      for path in [self.victim, *self.victim.rglob("*")])

    def fails(self, program, reason):
        """Datum a does it, datum b works; then nothing has changed but what b wrote."""
        before = self.state_of_victim()
        self.shell_pipeline(f'grep -q bad "$data" && {{ {program}\nexit 0; }}\n{COPY}')
        self.succeed("rm", "-rf", self.out)
        result = self.pachbuild_run("--partial", timeout=60)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(f"warning: datum data/a failed: {reason} (log: ", result.stderr)
        self.assert_ran(result, run=1, failed=1)
        self.assertEqual(self.output(), {"b": b"good"})
        self.assertEqual(self.state_of_victim(), before)
        self.assertNotIn("/.scratch/", result.stderr)
        self.assertNotIn(".pachbuild-", result.stderr)
        self.assert_nothing_left()

    REPLACED = "/pfs/out: was removed or replaced by the program"

    def test_the_folder_behind_out_becomes_a_link(self):
        self.fails(f'd=$(readlink /pfs/out); rmdir "$d"; ln -s {self.victim} "$d"', self.REPLACED)

    def test_the_folder_behind_out_is_removed(self):
        self.fails('rmdir "$(readlink /pfs/out)"', self.REPLACED)

    def test_the_folder_behind_out_becomes_a_file(self):
        self.fails('d=$(readlink /pfs/out); rmdir "$d"; echo x > "$d"', self.REPLACED)

    def test_the_folder_behind_out_becomes_another(self):
        self.fails('d=$(readlink /pfs/out); rmdir "$d"; mkdir "$d"; echo x > "$d/file"', self.REPLACED)

    def test_the_folders_above_become_links(self):
        """Where the worker looks next, and stages the next datum, there is a stranger's folder."""
        self.fails(f'd=$(dirname "$(readlink /pfs/out)"); mv "$d" "$d.away"; ln -s {self.victim} "$d"', self.REPLACED)

    def test_the_folder_of_all_datums_cannot_be_moved(self):
        self.fails(f'mv /pfs/.scratch /pfs/away && ln -s {self.victim} /pfs/.scratch || exit 3', "exit code 3")

    def test_the_hosts_own_names_become_links(self):
        """A program without a container sees this machine's folders."""
        self.fails(f'for w in {self.cache}/run/.pachbuild-*/worker-*; do '
                   f'test -e "$w/pfs/.scratch/$PACH_DATUM_ID/out" && cd "$w/pfs/.scratch/$PACH_DATUM_ID" && '
                   f'rmdir out && ln -s {self.victim} out; done', self.REPLACED)

    def test_links_that_cannot_be_followed(self):
        for target, what in (("nowhere", "is a broken link"),
                             ("link", "is a link that leads to itself"),
                             ("/dev/zero", "links to /dev/zero, which is neither a file nor a folder"),
                             ("/", "links to /, a folder that contains the link"),
                             ("/pfs", "links to /pfs, a folder that contains the link"),
                             (".", None), ("..", None), ("/pfs/out", None),
                             ("/proc", "links to /proc, whose files the kernel generates"),
                             ("/proc/version", "links to /proc/version, a file that the kernel generates"),
                             ("/sys/kernel", "links to /sys/kernel, whose files the kernel generates")):
            with self.subTest(target):
                self.data(a=f"bad {target}")  # another datum each time
                if what is None:
                    self.shell_pipeline(f'ln -s {target} /pfs/out/link')
                    result = self.pachbuild_run()
                    self.assertEqual(result.returncode, 1)
                    self.assertRegex(result.stderr, "failed: /pfs/out/link: links to /pfs/.*, a folder that contains the link")
                else:
                    self.fails(f'ln -s {target} /pfs/out/link', f"/pfs/out/link: {what}")

    def test_what_is_neither_a_file_nor_a_folder(self):
        self.fails("mkfifo /pfs/out/pipe", "/pfs/out/pipe: is neither a file nor a folder")

    def test_a_tree_deeper_than_any_path(self):
        self.fails("cd /pfs/out; i=0; while [ $i -lt 700 ]; do mkdir deeper; cd deeper; i=$((i + 1)); done; "
                   "echo x > file", "/pfs/out" + "/deeper" * 251 + ": more than 250 folders are nested")

    def test_the_name_of_our_folder(self):
        self.fails("mkdir /pfs/out/.pachbuild; echo x > /pfs/out/.pachbuild/output.json",
                   "/pfs/out/.pachbuild/output.json: the name .pachbuild is reserved for pachbuild")

    def test_a_log_cannot_be_led_elsewhere(self):
        """The file of a log is made by pachbuild, before the program runs, and never opened by its name again."""
        self.shell_pipeline(f'for l in {self.cache}/run/*/logs/*; do rm -f "$l"; ln -s {self.victim}/precious "$l"; done\n'
                            'echo from the program\nexit 3\n')
        before = self.state_of_victim()
        result = self.pachbuild_run("--workers", 1)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(self.state_of_victim(), before)
        self.assertNotIn("mine", result.stderr)

    def test_modes_and_links_of_files_are_lost_without_harm(self):
        self.data(a="mine")
        (self.folder / "data/b").unlink()
        self.shell_pipeline(f'cd /pfs/out; echo x > closed; chmod 0 closed; mkdir dir; echo y > dir/f; chmod 0 dir/f dir\n'
                            f'ln "$data" hard; ln -s {self.victim}/sub soft\nchmod 0 .\n')
        before = [entry[:3] for entry in self.state_of_victim()]
        self.succeed_run()
        self.assertEqual(self.output(), {"closed": b"x\n", "dir/f": b"y\n", "hard": b"mine", "soft/tool": b"mine"})
        self.assertEqual([entry[:3] for entry in self.state_of_victim()], before)
        (self.out / "hard").write_text("edited")
        self.assertEqual((self.folder / "data/a").read_text(), "mine")

    def test_a_process_that_stays_cannot_change_what_was_stored(self):
        """One that leaves the group outlives its datum, as on a cluster; what it still writes is not part of the output."""
        late = self.folder / "late"
        self.data(c="waits until the others' processes have written")
        self.shell_pipeline('exec 9> "/pfs/out/$(basename "$data")"; printf done >&9\n'
                            f'case $data in */c) while [ "$(wc -c < {late})" -lt 4 ]; do sleep 0.05; done; exit;; esac\n'
                            f'setsid sh -c "echo up > {late}.$$; sleep 0.3; printf LATE >&9; echo x >> {late}" 2> /dev/null &\n'
                            f'while [ ! -e {late}.$$ ]; do sleep 0.02; done\n')
        late.touch()
        self.succeed_run("--workers", 1, timeout=60)
        self.assertEqual(set(self.output().values()), {b"done"})
        self.assert_ran(self.succeed_run(), run=0, skipped=3)


class LinksToInputs(pipelines.PipelineSuite):
    """As Pachyderm, which copies the file inside PFS: links to an input's file have its real content."""

    def test_lazy_and_empty_files(self):
        self.data(a="content", dir__b="more")
        for way in ({"lazy": True}, {"empty_files": True}, {}):
            with self.subTest(way):
                self.shell_pipeline('ln -s "$data/a" /pfs/out/file; ln -s /pfs/data/dir /pfs/out/folder\n'
                                    'ln -s file /pfs/out/again\n', glob="/")
                self.spec(input={"pfs": {"repo": "data", "glob": "/", **way}})
                self.succeed_run("--", "".join(way))
                self.assertEqual(self.output(), {"file": b"content", "folder/b": b"more", "again": b"content"})

    def test_a_link_to_the_lazy_build(self):
        self.data(a="x")
        self.write("source/main.py", "import os\nos.symlink('/pfs/build/run.sh', '/pfs/out/run.sh')\n")
        self.spec()
        self.succeed_run()
        self.assertIn(b"worker-shim", self.output()["run.sh"])


class NothingIsLost(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.data(a="one", b="two")
        self.shell_pipeline(COPY)

    def test_a_typo_in_a_glob_is_an_error_that_shows_the_repo(self):
        self.succeed_run()
        for name in "cdef":
            self.data(**{name: "x"})
        self.spec(glob="/*.txt")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 65)
        self.assertRegex(result.stderr, rf'error: .*spec\.json:\d+:\d+: glob "/\*\.txt" matches nothing in repo data '
                                        rf'\({self.folder}/data\)\nhint: the repo has 6 files: /a, /b, /c, …; --allow-empty '
                                        'accepts an input without datums\n$')
        self.assertEqual(self.output(), {"a": b"one", "b": b"two"})

    def test_a_glob_for_files_of_another_depth_gets_the_one_that_matches(self):
        for path in (self.folder / "data").iterdir():
            path.unlink()
        self.data(sub__a="one")
        self.spec(glob="/a")
        self.assertIn('hint: did you mean "/*/a"? The repo has 1 file: /sub/a; --allow-empty accepts',
                      self.pachbuild_run().stderr)

    def test_an_empty_input_folder(self):
        self.succeed_run()
        for path in (self.folder / "data").iterdir():
            path.unlink()
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 65)
        self.assertRegex(result.stderr, rf"error: .*: repo data \({self.folder}/data\) has no files\n"
                                        "hint: use another --input; --allow-empty accepts an input without datums\n$")
        self.assertEqual(self.output(), {"a": b"one", "b": b"two"})
        accepted = self.succeed_run("--allow-empty")
        self.assertIn("warning: the input has no datums\n", accepted.stderr)
        self.assertEqual(self.output(), {})

    def test_one_empty_part_of_a_cross(self):
        self.write("other/x", "x")
        self.spec(input={"cross": [{"pfs": {"repo": "data", "glob": "/*"}}, {"pfs": {"repo": "other", "glob": "/*.csv"}}]})
        result = self.pachbuild_run(inputs=("data", "other"))
        self.assertEqual(result.returncode, 65)
        self.assertIn('glob "/*.csv" matches nothing in repo other', result.stderr)
        self.assertIn("the repo has 1 file: /x; ", result.stderr)

    def test_a_bug_that_fails_every_datum_leaves_the_output_alone(self):
        self.succeed_run()
        self.shell_pipeline("exit 1\n")
        self.assertEqual(self.pachbuild_run().returncode, 1)
        self.assertEqual(self.output(), {"a": b"one", "b": b"two"})

    def test_no_output_at_all_is_said(self):
        self.shell_pipeline("true\n")
        self.assertIn("warning: no datum wrote a file to /pfs/out\n", self.succeed_run().stderr)

    def test_a_killed_run_keeps_what_was_finished(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                self.succeed("rm", "-rf", self.cache, self.out)
                for i in range(30):
                    self.data(**{f"d{i:02}": str(i)})
                gate = self.folder / "gate"
                open_gate = self.folder / "open"
                for path in (gate, open_gate):
                    path.unlink(missing_ok=True)
                self.shell_pipeline(f'case $data in */d2?) test -e {open_gate} || {{ echo x > {gate}; sleep 300; }};; esac\n{COPY}')
                run = subprocess.Popen(self.command("--workers", 1), env=self.environment(), stderr=subprocess.DEVNULL)
                self.addCleanup(run.kill)
                deadline = time.monotonic() + 60
                while not gate.exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.02)
                run.send_signal(number)
                run.wait(timeout=20)
                self.assertEqual(self.output(), {})
                open_gate.touch()
                result = self.succeed_run()
                # The last one that was finished may not have been stored yet when the run was killed.
                skipped = int(re.search(r", (\d+) skipped", result.stderr)[1])
                self.assertIn(skipped, (21, 22))

    def test_a_failed_datum_costs_the_others_nothing(self):
        self.shell_pipeline(f'case $data in */b) exit 1;; esac\n{COPY}')
        self.assertEqual(self.pachbuild_run().returncode, 1)
        self.data(b="changed")
        result = self.pachbuild_run()
        self.assert_ran(result, run=0, skipped=1, failed=1)

    def test_two_datums_with_one_path_run_once(self):
        self.shell_pipeline('cp "$data" /pfs/out/same\n')
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assertIn("error: /pfs/out/same: written by two datums: data/a and data/b, so the output folder was not "
                      "changed\n", result.stderr)
        again = self.pachbuild_run()
        self.assertEqual(again.returncode, 1)
        self.assertNotIn("run.sh", again.stderr)
        self.assertFalse(self.out.exists())
        self.assert_nothing_left()

    def test_a_collision_costs_no_datum_and_no_output(self):
        """A file of the person's own where a datum wants a folder."""
        self.succeed_run()
        (self.out / "dir").write_text("mine")
        count = self.folder / "count"
        self.shell_pipeline(f'echo x >> {count}; mkdir /pfs/out/dir; cp "$data" /pfs/out/dir/\n')
        first = self.pachbuild_run()
        self.assertEqual(first.returncode, 73)
        self.assertIn(f"error: {self.out}/dir: exists, and was not written by this pipeline (datum data/a writes dir/a)\n"
                      "hint: choose another --output, or move it away\n", first.stderr)
        self.assertEqual(self.output(), {"a": b"one", "b": b"two", "dir": b"mine"})
        # Now it is known before any datum: a third one does not even start.
        self.data(c="three")
        self.assertEqual(self.pachbuild_run().returncode, 73)
        self.assertEqual(count.read_text(), "x\n" * 2)
        (self.out / "dir").unlink()
        self.assert_ran(self.succeed_run(), run=1, skipped=2)
        self.assertEqual(self.output(), {"dir/a": b"one", "dir/b": b"two", "dir/c": b"three"})

    def test_names_like_ours_are_the_persons(self):
        for name in (".pachbuild-photos/a.jpg", ".pachbuild-backup", ".pachbuild-missing"):
            self.write(f"out/{name}", "mine")
        self.succeed_run()
        self.data(a="changed")
        self.succeed_run()
        self.assertEqual({name for name, content in self.output().items() if content == b"mine"},
                         {".pachbuild-photos/a.jpg", ".pachbuild-backup", ".pachbuild-missing"})

    def test_a_folder_of_our_name_that_is_not_ours(self):
        self.write("out/.pachbuild/photo.jpg", "mine")
        result = self.pachbuild_run()
        self.assertEqual((result.returncode, result.stderr), (
            73, f"error: {self.out}/.pachbuild: was not made by pachbuild\nhint: choose another --output, or rename that "
                "folder\n"))

    def test_the_output_is_the_input_of_the_next_pipeline(self):
        self.shell_pipeline(f'case $data in */b) exit 1;; esac\n{COPY}')
        self.pachbuild_run("--partial")
        self.assertTrue((self.out / ".pachbuild/missing").exists())
        self.out.rename(self.folder / "next")
        self.write("next/.pachbuild-mine", "a file like any other")
        self.spec(input={"pfs": {"name": "data", "repo": "next", "glob": "/*"}}, pipeline={"pipeline": {"name": "second"}})
        self.out = self.folder / "out2"
        self.shell_pipeline(COPY)
        self.spec(input={"pfs": {"name": "data", "repo": "next", "glob": "/*"}}, pipeline={"pipeline": {"name": "second"}})
        self.assert_ran(self.succeed_run(inputs=("next",)), run=2)
        self.assertEqual(sorted(self.output()), [".pachbuild-mine", "a"])

    def test_a_folder_of_another_pipeline(self):
        self.succeed_run()
        self.spec(pipeline={"pipeline": {"name": "second"}})
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 73)
        self.assertIn(f"error: {self.out}: contains the output of pipeline edges\n", result.stderr)
        self.assertEqual(self.output(), {"a": b"one", "b": b"two"})

    def test_an_edit_of_an_output_is_not_one_of_the_cache(self):
        self.succeed_run()
        with open(self.out / "a", "r+b") as file:
            file.write(b"X")
        self.out = self.folder / "other"
        self.assert_ran(self.succeed_run(), run=0, skipped=2)
        self.assertEqual(self.output(), {"a": b"one", "b": b"two"})

    def test_hard_links_take_no_room(self):
        self.succeed_run("--hard-links")
        self.assertEqual((self.out / "a").stat().st_nlink, 2)
        self.assertEqual((self.out / "a").stat().st_mode & 0o777, 0o444)
        self.assert_ran(self.succeed_run("--hard-links"), run=0, skipped=2)

    def test_scratch_of_a_killed_run_goes_when_the_next_one_has_nothing_to_do(self):
        self.succeed_run()
        gate = self.folder / "gate"
        self.data(c="three")
        self.shell_pipeline(f"case $data in */c) echo x > {gate}; sleep 300;; esac\n{COPY}")
        run = subprocess.Popen(self.command(), env=self.environment(), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not gate.exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        run.kill()
        run.wait()
        (self.folder / "data/c").unlink()
        self.shell_pipeline(COPY)
        self.assert_ran(self.succeed_run(), run=0, skipped=2)
        self.assert_nothing_left()

    def test_killed_at_any_moment_of_an_export(self):
        """The folder has the old state or the new one, and whatever it has, the next run makes it whole."""
        for i in range(40):
            self.data(**{f"d{i:02}": "1"})
        self.shell_pipeline('mkdir -p "/pfs/out/${data##*/d}"; echo one > "/pfs/out/${data##*/d}/f"; echo one > "/pfs/out/f${data##*/}"')
        self.succeed_run()
        one = self.output()
        self.shell_pipeline('echo two > "/pfs/out/f${data##*/}"; mkdir -p /pfs/out/all; echo two > "/pfs/out/all/${data##*/}"')
        self.out = self.folder / "second"
        self.succeed_run()
        two = self.output()
        self.out = self.folder / "out"
        kept = self.folder / "kept"
        self.succeed("cp", "-a", self.out, kept)
        begin = time.monotonic()
        self.succeed_run()
        whole = time.monotonic() - begin
        for step in range(12):
            self.succeed("rm", "-rf", self.out)
            self.succeed("cp", "-a", kept, self.out)
            run = subprocess.Popen(self.command(), env=self.environment(), stderr=subprocess.DEVNULL)
            time.sleep(whole * (0.3 + 0.06 * step))
            run.kill()
            run.wait()
            if not (self.out / ".pachbuild/next.json").exists():
                self.assertIn(self.output(), (one, two))
            self.succeed_run()
            self.assertEqual(self.output(), two)
            self.assert_nothing_left()


class FullDisks(pipelines.PipelineSuite):
    """Small file systems in a mount namespace of the test's own."""

    def run_with_disk(self, folder, size, *arguments):
        """`pachbuild run` where `folder` is a disk of `size`."""
        script = f'mount -t tmpfs -o size={size} tmpfs "{folder}" && "$@"; code=$?; ls -A "{folder}" >&2; exit $code'
        words = ["unshare", "--mount"] + ([] if os.getuid() == 0 else ["--map-root-user"])
        return self.run_program(*words, "sh", "-c", script, "sh", *self.command(*arguments), env=self.environment())

    def setUp(self):
        super().setUp()
        probe = self.run_program("unshare", "--mount", "true")
        support.require(probe.returncode == 0, "no mount namespaces: " + probe.stderr)
        self.data(a="one", b="two")
        self.shell_pipeline('head -c 3000000 /dev/zero > "/pfs/out/$(basename "$data")"; ' + 'cat "$data" >> "/pfs/out/$(basename "$data")"\n')

    def test_of_the_output(self):
        self.out.mkdir()
        (self.folder / "disk").mkdir()
        self.out = self.folder / "disk/out"
        result = self.run_with_disk(self.folder / "disk", "4m")
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertRegex(result.stderr, rf"error: {self.out}/[ab]: cannot write: no space left on the disk of {self.folder}/disk.*"
                                        r" needed")
        self.assertEqual(result.stderr.splitlines()[-1][:4], "hint", "nothing is left on the disk")
        # The datums are not lost.
        self.out = self.folder / "out"
        self.assert_ran(self.succeed_run(), run=0, skipped=2)

    def test_of_the_cache(self):
        self.cache.mkdir()
        result = self.run_with_disk(self.cache, "5m")
        self.assertEqual(result.returncode, 1 if "failed" in result.stderr else 73, result.stderr)
        self.assertNotIn(".scratch", result.stderr)
        self.assertIn(f"{self.cache}", result.stderr)
        self.assertFalse(self.out.exists())


if __name__ == "__main__":
    support.main()
