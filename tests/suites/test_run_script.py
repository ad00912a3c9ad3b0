# SPDX-License-Identifier: Apache-2.0
"""The generated run.sh in an image without a shim: it copies the artifact's own once, to where no other user can exchange
it, and starts it from there with nothing changed for the program."""

import os
import shutil
import subprocess
import time

import builder_suite
import support

UID = os.geteuid()


class RunScript(builder_suite.BuilderSuite):
    def setUp(self):
        super().setUp()
        source = self.source(builder_suite.PYTHON_ARGUMENTS)
        self.build_well(source)
        # The same script, but for where things are; and the program tells what it finds.
        self.box = self.folder / "box"
        self.box.mkdir(mode=0o755)
        self.box.chmod(0o755)
        self.image = self.box / "image"
        self.private = self.box / "tmp" / "pachbuild"
        self.private.parent.mkdir()
        self.private.parent.chmod(0o1777)
        text = (self.folder / "out" / "run.sh").read_text(encoding="utf-8")
        self.assertLess(len(text), 4096)
        shutil.copy(self.folder / "out" / "worker-shim", self.box / "artifact-shim")
        for found, put in (("/pfs/build/worker-shim", f"{self.box}/artifact-shim"), ("/usr/local/bin/worker-shim", "/none"),
                           ("/var/cache/pachbuild", str(self.image)), ("/tmp/pachbuild", str(self.private)),
                           ("--exec --", f"--build {self.box} --exec --"), ("/pfs/source", str(self.folder / "source"))):
            text = text.replace(found, put)
        self.script = self.write("box/run.sh", text)

    def start(self, *words, shell="sh", before=(), **variables):
        return self.run_program(*before, shell, self.script, *words, env=support.environment(**variables), cwd="/")

    def copies(self, folder):
        return sorted(path.name for path in folder.rglob("*") if path.is_file())

    def check_runs(self, result):
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("['a b']\n", "", 0))

    def test_the_copy_is_made_once_in_the_first_folder_that_will_do(self):
        chosen = self.box / "a chosen one"
        for shell in ("dash", "bash"):
            for variables, place in (({}, self.image), ({"PACHBUILD_CACHE_DIR": str(chosen)}, chosen)):
                with self.subTest(f"{shell} {place}"):
                    shutil.rmtree(self.image, ignore_errors=True)
                    shutil.rmtree(chosen, ignore_errors=True)
                    self.check_runs(self.start("a b", shell=shell, **variables))
                    self.assertEqual(self.copies(place), ["worker-shim"])
                    self.check_runs(self.start("a b", shell=shell, before=("strace", "-f", "-o", self.folder / "trace"),
                                               **variables) if shutil.which("strace") else
                                    self.start("a b", shell=shell, **variables))
                    if shutil.which("strace"):
                        trace = (self.folder / "trace").read_text(encoding="utf-8")
                        self.assertNotIn("fork", trace, "a datum pays for no process")
                        self.assertNotIn("clone(", trace.partition("worker-shim\"")[0])

    def test_the_program_finds_its_folder_and_variables_as_they_were(self):
        program = self.write("program.py", "import os\nprint(os.getcwd(), os.environ.get('PWD'), 'OLDPWD' in os.environ)\n")
        text = self.script.read_text(encoding="utf-8").replace(str(self.folder / "source" / "main.py"), str(program))
        self.script.write_text("\n".join(line for line in text.splitlines() if not line.startswith('if [ "$at" ]')) + "\n")
        expected = [self.run_program("python3", program, cwd="/usr", env=support.environment(PWD="/usr", OLDPWD=None)).stdout] * 2
        found = [self.run_program("sh", self.script, cwd="/usr", env=support.environment(PWD="/usr", OLDPWD=None)).stdout for _ in expected]
        self.assertEqual(found, expected)

    def test_a_folder_that_others_can_change_is_passed_over(self):
        marker = self.box / "stranger was here"
        for name, spoil in (("the folder", lambda folder: folder.chmod(0o777)),
                            ("one above", lambda folder: folder.parent.chmod(0o777)),
                            ("a group", lambda folder: folder.chmod(0o775)),
                            ("shim/", lambda folder: (folder / "shim").chmod(0o777))):
            with self.subTest(name):
                shutil.rmtree(self.box / "above", ignore_errors=True)
                chosen = self.box / "above" / "chosen"
                self.check_runs(self.start("a b", PACHBUILD_CACHE_DIR=str(chosen)))
                place = next(chosen.rglob("worker-shim")).parent
                # What a stranger puts there has neither the owner nor, as a link to what has, the sticky bit.
                shutil.rmtree(place)
                spoil(chosen)
                place.mkdir()
                (place / "worker-shim").write_text(f"#!/bin/sh\ntouch '{marker}'\n", encoding="utf-8")
                (place / "worker-shim").chmod(0o755)
                if UID == 0:
                    os.chown(place, 54321, 54321)
                    os.chown(place / "worker-shim", 54321, 54321)
                self.check_runs(self.start("a b", PACHBUILD_CACHE_DIR=str(chosen)))
                self.assertFalse(marker.exists())
                self.assertEqual(self.copies(self.image), ["worker-shim"])
                shutil.rmtree(self.image)

    def test_a_stranger_who_renames_all_the_time_gets_nothing_started(self):
        """Between the look and the start as well: the shell stands in the folder."""
        support.require(UID == 0, "only root can be two users")
        chosen = self.box / "shared"
        marker = self.box / "marker"
        self.check_runs(self.start("a b", PACHBUILD_CACHE_DIR=str(chosen)))
        digest = next((chosen / "shim").iterdir()).name
        for folder in (chosen, chosen / "shim"):
            folder.chmod(0o777)
        evil = self.box / "shared" / "shim" / "evil"
        evil.mkdir()
        (evil / "worker-shim").write_text(f"#!/bin/sh\ntouch '{marker}'\n", encoding="utf-8")
        (evil / "worker-shim").chmod(0o755)
        os.chown(evil, 54321, 54321)
        os.chown(evil / "worker-shim", 54321, 54321)
        attack = f"cd {chosen}/shim; while :; do mv {digest} kept; mv evil {digest}; mv {digest} evil; mv kept {digest}; done"
        attacker = subprocess.Popen(["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "sh", "-c", attack],
                                    start_new_session=True, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 2
            while time.monotonic() < end:
                self.check_runs(self.start("a b", PACHBUILD_CACHE_DIR=str(chosen)))
        finally:
            os.killpg(attacker.pid, 9)
            attacker.wait()
        self.assertFalse(marker.exists())

    def test_nowhere_to_go(self):
        support.require(UID == 0, "root makes what another user may not write")
        self.box.chmod(0o755)
        self.private.parent.chmod(0o755)
        self.folder.chmod(0o755)
        result = self.start("a b", before=("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"),
                            PACHBUILD_CACHE_DIR=str(self.box / "no"))
        self.assertEqual(result.returncode, 125)
        self.assertEqual(result.stderr, (
            "error: run.sh: no usable cache folder: it must allow programs to run, and only this user may have write access\n"
            "hint: set PACHBUILD_CACHE_DIR to a folder that meets both conditions; only this user and root may write to the folders above it\n"))

    def test_folders_of_root_are_trusted_where_a_user_namespace_has_no_number_for_it(self):
        """As in pachbuild's sandbox, where anybody but root starts it."""
        support.require(UID == 0, "only root can be another user")
        self.box.chmod(0o755)
        self.folder.chmod(0o755)
        chosen = self.box / "chosen"
        chosen.mkdir()
        os.chown(chosen, 54321, 54321)
        person = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "unshare", "--user", "--map-user=54321"]
        if self.run_program(*person, "true").returncode != 0:  # in a chroot, for one
            self.skipTest("user namespaces are not allowed here")
        result = self.start("a b", before=person, PACHBUILD_CACHE_DIR=str(chosen))
        self.assertNotIn("run.sh:", result.stderr)
        self.assertEqual(self.copies(chosen), ["worker-shim"])

    def test_many_at_once(self):
        processes = [subprocess.Popen(["sh", self.script, "a b"], env=support.environment(), text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)]
        for process in processes:
            self.assertEqual((*process.communicate(timeout=60), process.returncode), ("['a b']\n", "", 0))
        self.assertEqual(self.copies(self.image), ["worker-shim"])


if __name__ == "__main__":
    support.main()
