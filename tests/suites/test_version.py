# SPDX-License-Identifier: Apache-2.0
"""The version is written in CMakeLists.txt: wherever else it has to stand it is the same, and only --version adds the
commit to it."""

import json
import re
import subprocess

import support

VERSION = support.VERSION


class Programs(support.Suite):
    def test_each_says_its_version_and_perhaps_the_commit(self):
        for name in ("pachbuild", "builder-runtime", "worker-shim"):
            with self.subTest(name):
                said = self.succeed(support.BIN / name, "--version").stdout
                self.assertRegex(said, rf"^{name} {re.escape(VERSION)}( \([0-9a-f]{{7}}\+? \d{{4}}-\d\d-\d\d\))?\n$")

    def test_an_artifact_has_the_version_alone(self):
        self.write("source/main.py", "")
        self.succeed(support.BUILDER, "--source", "source", "--out", "out",
                     env=support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache")))
        record = json.loads((self.folder / "out/build.json").read_text(encoding="utf-8"))
        self.assertEqual(record["version"], VERSION)


class Written(support.Suite):
    def test_names_of_images_have_this_version(self):
        """No text of Docker's or ours can read CMakeLists.txt: scripts, Dockerfiles, examples and documents."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=support.ROOT, capture_output=True, text=True, check=False)
        if listed.returncode != 0 or not listed.stdout:
            self.skipTest("this is no Git checkout, but a copy of one")
        found = {}
        for name in listed.stdout.split("\0"):
            path = support.ROOT / name
            if not name or name.startswith("tests/") or path.suffix == ".png" or not path.is_file():
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            for written in re.findall(r"\bpachbuild[-a-z]*[:_](\d+\.\d+\.\d+)|image\.version=\"([^\"]*)\"", text):
                found.setdefault("".join(written), set()).add(name)
        self.assertEqual(set(found), {VERSION}, found)
        self.assertGreater(len(found[VERSION]), 3)


class Commit(support.Suite):
    """cmake/commit.cmake, which writes the only file that a commit changes."""

    def setUp(self):
        super().setUp()
        self.source = self.folder / "source"
        self.write("source/libs/a.cpp", "int a;\n")
        self.write("source/docs/a.md", "a\n")
        self.env = support.environment(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null",
                                       GIT_COMMITTER_DATE="2026-03-01T23:30:00-0500", TZ="Pacific/Auckland")

    def git(self, *words):
        return self.succeed("git", "-C", self.source, "-c", "user.name=a", "-c", "user.email=a@example.com", *words,
                            env=self.env).stdout.strip()

    def commit(self):
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", "first")
        return self.git("rev-parse", "HEAD")[:7]

    def ask(self, **changes):
        """What is written for the source."""
        file = self.folder / "commit.cpp"
        self.succeed("cmake", "-D", f"SOURCE={self.source}", "-D", f"FILE={file}", "-P", support.ROOT / "cmake/commit.cmake",
                     env={**self.env, **changes})
        return re.search(r'k_commit = "(.*)";\n', file.read_text(encoding="utf-8"))[1]

    def test_a_checkout_has_its_commit_and_the_day_in_utc(self):
        self.assertEqual(self.ask(), "")
        commit = self.commit()
        self.assertEqual(self.ask(), f"{commit} 2026-03-02")
        self.assertEqual(self.ask(GIT_DIR="/nowhere"), f"{commit} 2026-03-02", "as in a hook of another repository")

    def test_changed_code_is_marked_and_a_changed_document_is_not(self):
        commit = self.commit()
        self.write("source/docs/a.md", "b\n")
        self.assertEqual(self.ask(), f"{commit} 2026-03-02")
        self.write("source/libs/a.cpp", "int b;\n")
        self.assertEqual(self.ask(), f"{commit}+ 2026-03-02")

    def test_a_folder_inside_of_another_checkout_has_none(self):
        self.commit()
        self.source = self.source / "libs"
        self.assertEqual(self.ask(), "")

    def test_the_file_stays_untouched_while_the_answer_is_the_same(self):
        self.commit()
        self.ask()
        before = (self.folder / "commit.cpp").stat().st_mtime_ns
        self.ask()
        self.assertEqual((self.folder / "commit.cpp").stat().st_mtime_ns, before)


if __name__ == "__main__":
    support.main()
