# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run --runtime podman` over pipelines that have an image and no build, and read each other's results."""

import json

import containers
import pipelines
import support
from containers import BASES, PROGRAMS, PYTHON

IMAGE = BASES[PYTHON]
VALUE = "s3cr3t-Xyzzy"


class ImageDag(pipelines.PipelineSuite, containers.ImageSuite):
    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.assertEqual(self.containers(), []))
        self.data(a="2 b\n1 a\n", b="3 b\n")

    def pipeline(self, name, input, **transform):
        content = {"pipeline": {"name": name}, "transform": {"image": IMAGE, **transform}, "input": input}
        self.write(f"specs/{name}.json", json.dumps(content))

    def dag(self, *words, expect=0):
        result = self.run_program(support.PACHBUILD, "run", "-f", self.folder / "specs", "--input",
                                  f"data={self.folder / 'data'}", "--output", self.out, "--runtime", "podman", *words,
                                  env=self.environment())
        self.assertEqual(result.returncode, expect, result.stderr)
        return result

    def chain(self, last=IMAGE):
        self.pipeline("sorted", {"pfs": {"repo": "data", "glob": "/*"}}, cmd=["sh", "-e"],
                      stdin=['sort "$data" >"/pfs/out/$(basename "$data")"'])
        # Of another image than the others.
        self.pipeline("sums", {"pfs": {"repo": "sorted", "glob": "/", "lazy": True}}, image=PYTHON,
                      cmd=["awk", '{ sum[$2] += $1 } END { for (name in sum) print name, sum[name] | "sort >/pfs/out/sums" }',
                           "/pfs/sorted/a", "/pfs/sorted/b"])
        self.pipeline("seen", {"cross": [{"pfs": {"repo": "sums", "glob": "/"}},
                                         {"pfs": {"repo": "data", "glob": "/", "empty_files": True}}]}, image=last,
                      cmd=["sh", "-c", "cat /pfs/sums/sums /pfs/data/* >/pfs/out/seen; pwd >/pfs/out/folder"], working_dir="/var")

    def test_each_result_is_the_next_ones_input(self):
        self.chain()
        self.dag()
        self.assertEqual(self.output(), {"sorted/a": b"1 a\n2 b\n", "sorted/b": b"3 b\n", "sums/sums": b"a 1\nb 5\n",
                                         "seen/seen": b"a 1\nb 5\n", "seen/folder": b"/var\n"})
        again = self.dag()
        for name, count in (("sorted", 2), ("sums", 1), ("seen", 1)):
            self.assertIn(f"{name}: datums: 0 processed, {count} skipped, ", again.stderr)

    def test_the_same_on_this_machine(self):
        self.chain()
        self.dag()
        there = self.output()
        self.succeed(support.PACHBUILD, "run", "-f", self.folder / "specs", "--input", f"data={self.folder / 'data'}",
                     "--output", self.folder / "here", "--host-commands", env=self.environment())
        self.assertEqual(self.output(self.folder / "here"), there)

    def output(self, folder=None):
        return {path: content for path, content in super().output(folder).items() if "/.pachbuild/" not in path}

    def test_images_that_are_not_there_are_told_before_anything_runs(self):
        self.chain(last="nowhere:1")
        result = self.dag(expect=69)
        self.assertIn("error: nowhere:1: podman has no image with that name\n", result.stderr)
        self.assertFalse(self.out.exists())

    def test_an_image_without_a_shell(self):
        """The one of the programs has nothing else in it."""
        self.pipeline("version", {"pfs": {"repo": "data", "glob": "/"}}, image=PROGRAMS, cmd=["sh", "-c", "true"])
        result = self.dag(expect=1)
        self.assertIn("sh: command not found", result.stderr)

    def test_secrets(self):
        self.write("db/user", "ann")
        self.write("db/password", VALUE)
        self.pipeline("secret", {"pfs": {"repo": "data", "glob": "/"}}, cmd=["sh", "-e"], stdin=[
            "cd /etc/pachbuild-test/db", "{ ls; cat password; echo; stat -c '%a %F' . password ..data/password",
            'echo "$DB_USER"; grep -c Xyzzy /pfs/.env || true; } >/pfs/out/report'],
            secrets=[{"name": "db", "mount_path": "/etc/pachbuild-test/db"}, {"name": "db", "key": "user", "env_var": "DB_USER"}])
        result = self.dag("--secret", f"db={self.folder / 'db'}")
        self.assertNotIn(VALUE, result.stderr)
        self.assertEqual(self.output()["report"].decode().splitlines(), [
            "password", "user", VALUE, "555 directory", "777 symbolic link", "444 regular file", "ann", "0"])


if __name__ == "__main__":
    support.main()
