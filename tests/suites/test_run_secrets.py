# SPDX-License-Identifier: Apache-2.0
"""Secrets of transform.secrets from files that the person names: what programs see, and that nobody else does."""

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess

import pipelines
import support

VALUE = "s3cr3t-Xyzzy"
# What a mounted secret looks like, and what its variable is.
LOOK = """cd /etc/pachbuild-test/db
{ stat -c '%a %F %n' . *; cat password; echo; touch new 2>&1 || true; echo "${DB_USER-none}"; echo "${DB_PASSWORD-none}"; } >/pfs/out/report
"""


class Secrets(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.data(a="A\n")

    def pipeline(self, program=LOOK, **transform):
        transform.setdefault("secrets", [
            {"name": "db", "mount_path": "/etc/pachbuild-test/db"},
            {"name": "db", "key": "user", "env_var": "DB_USER"}, {"name": "db", "key": "password", "env_var": "DB_PASSWORD"}])
        transform.setdefault("image", "debian:12")
        content = {"pipeline": {"name": "edges"}, "input": {"pfs": {"repo": "data", "glob": "/*"}},
                   "transform": {"cmd": ["sh", "-e"], "stdin": program.splitlines(), **transform}}
        return self.write("spec.json", json.dumps(content, indent=2))

    def folder_of_secret(self, value=VALUE):
        self.write("db/user", "ann")
        self.write("db/password", value)
        return f"db={self.folder / 'db'}"

    def manifest(self, name="db"):
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
                "data": {"user": base64.b64encode(b"ann").decode(), "password": base64.b64encode(b"old").decode()},
                "stringData": {"password": VALUE}}

    def run_with(self, *secrets, expect=0, arguments=()):
        options = [word for secret in secrets for word in ("--secret", secret)]
        result = self.pachbuild_run("--host-commands", *options, *arguments, timeout=100)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        self.assertNotIn(VALUE, result.stdout + result.stderr)
        return result

    def report(self):
        return self.output()["report"].decode().splitlines()

    def test_files_and_variables_as_kubernetes_shows_them(self):
        before = sorted(os.listdir("/etc"))
        self.pipeline()
        self.run_with(self.folder_of_secret())
        self.assertEqual(self.report(), [
            "1777 directory .", "777 symbolic link password", "777 symbolic link user", VALUE,
            "touch: cannot touch 'new': Read-only file system", "ann", VALUE])
        self.assertEqual(sorted(os.listdir("/etc")), before)

    def test_a_mounted_secret_hides_nothing_else(self):
        self.pipeline("ls -A /etc | LC_ALL=C sort >/pfs/out/report\n")
        self.run_with(self.folder_of_secret())
        self.assertEqual(self.report(), sorted([*os.listdir("/etc"), "pachbuild-test"]))

    def test_folders_manifests_and_lines(self):
        manifest = self.manifest()
        self.write("several.yaml", "kind: Secret\nmetadata: {name: other}\n---\n" + json.dumps(manifest))
        self.write("secret.json", json.dumps(manifest))
        self.write("db.env", f"# of the test\n\nuser=ann\r\n  password={VALUE}\n")
        folder = pathlib.Path(self.folder_of_secret().partition("=")[2])
        (folder / "..data").mkdir()  # as in a folder that Kubernetes has mounted
        (folder / "..data/more").write_text("x")
        self.pipeline()
        for path in ("several.yaml", "secret.json", "db.env", "db"):
            with self.subTest(path):
                self.run_with(f"db={self.folder / path}", arguments=["--force"])
                self.assertEqual(self.report()[-4:], [VALUE, "touch: cannot touch 'new': Read-only file system", "ann", VALUE])

    def test_all_that_is_missing_is_told_at_once(self):
        self.pipeline(secrets=[{"name": "db", "key": "user", "env_var": "A"}, {"name": "db", "key": "nokey", "env_var": "B"},
                               {"name": "tls", "mount_path": "/tls"}])
        result = self.run_with(expect=64)
        self.assertRegex(result.stderr, r"spec.json:\d+:\d+: no values were given for the secrets db \(keys user, "
                                        r"nokey\), tls\nhint: add --secret db=PATH --secret tls=PATH; ")
        result = self.run_with(self.folder_of_secret(), f"tls={self.folder / 'db'}", expect=64)
        self.assertIn("no value was given for secret db (key nokey)\nhint: add the key to ", result.stderr)
        result = self.run_with(self.folder_of_secret().replace("db=", "tsl="), expect=64)
        self.assertIn('no pipeline reads secret "tsl"\nhint: did you mean "tls"?\n', result.stderr)
        self.assertFalse(self.out.exists())

    def test_errors_of_files_do_not_show_values(self):
        self.pipeline()
        for name, content, words in (
                ("a.env", VALUE, "a.env:1: does not have the form KEY=VALUE"),
                ("b.env", f"{VALUE} x=1", "b.env:1: invalid secret key"),
                ("c.yaml", f"kind: Secret\n password: *{VALUE}", "c.yaml:2:"),
                ("d.json", json.dumps({**self.manifest(), "data": {"password": VALUE}}), "data.password is not base64"),
                ("e.json", json.dumps(self.manifest("others")), 'has no Secret named "db"')):
            with self.subTest(name):
                self.write(name, content)
                self.assertIn(words, self.run_with(f"db={self.folder / name}", expect=65).stderr)
        self.assertIn("No such file", self.run_with(f"db={self.folder / 'none'}", expect=64).stderr.replace("no such", "No such"))

    def test_a_changed_secret_runs_its_datums_again(self):
        self.pipeline()
        self.assert_ran(self.run_with(self.folder_of_secret()), 1)
        self.assert_ran(self.run_with(self.folder_of_secret()), 0, 1)
        self.assert_ran(self.run_with(self.folder_of_secret("changed")), 1)
        self.assert_ran(self.run_with(self.folder_of_secret()), 0, 1)

    def test_values_are_in_no_file_and_no_argument(self):
        """While the program runs, and afterwards. Below root/ is what the program sees: all of this machine."""
        looks = self.write("look.sh", f'grep -rlF --exclude-dir=root -e "$DB_PASSWORD" {self.cache} /pfs/.env >/pfs/out/files || true\n'
                                      f'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline; echo; done >/pfs/out/arguments\n')
        self.pipeline(looks.read_text())
        self.run_with(self.folder_of_secret())
        self.assertEqual(self.output()["files"], b"")
        self.assertNotIn(VALUE.encode(), self.output()["arguments"])
        found = subprocess.run(["grep", "-rlF", "-e", VALUE, self.cache], stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(found.stdout, "")
        self.assertEqual((self.cache / "secret-key").stat().st_mode & 0o777, 0o600)
        # A digest of the value alone would tell it to whoever tries all words.
        names = " ".join(str(path) for path in self.cache.rglob("*"))
        self.assertIsNone(re.search(hashlib.sha256(VALUE.encode()).hexdigest(), names))

    def test_specs_that_no_cluster_takes(self):
        for secret, words in (({"name": "db", "env_var": "A"}, 'has "env_var" but no "key"'),
                              ({"name": "db", "mount_path": "db"}, '"db" must be an absolute path'),
                              ({"name": "db", "mount_path": "/pfs/db"}, '"/pfs/db" is in /pfs'),
                              ({"mount_path": "/db"}, 'has no "name"')):
            with self.subTest(words):
                self.pipeline(secrets=[secret])
                self.assertIn(words, self.run_with(self.folder_of_secret(), expect=65).stderr)


if __name__ == "__main__":
    support.main()
