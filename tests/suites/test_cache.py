# SPDX-License-Identifier: Apache-2.0
"""pachbuild cache: what is in the cache, and cleaning it while builds and runs go on. In detail: tests/unit/cached."""

import json
import os
import signal
import subprocess
import time

import support
from test_preload import PreloadSuite, alive
from wheels import wheel

SPEC = {"pipeline": {"name": "lines"}, "transform": {"build": {"language": "python", "path": "source"}},
        "input": {"pfs": {"repo": "words", "glob": "/*"}}}  # fmt: skip
PROGRAM = """import pathlib, leaf
for page in pathlib.Path("/pfs/words").iterdir():
    pathlib.Path("/pfs/out", page.name).write_text(leaf.TEXT)
"""
SLOW = PROGRAM + "import time\nprint('started', flush=True)\ntime.sleep(60)\n"
KINDS = ["results", "logs", "records", "bundles", "bytecode", "environments", "python", "go", "languages", "tools", "images",
         "clusters", "shims", "preload", "scratch"]  # fmt: skip


class Cache(support.Suite):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache folder\nof two lines"
        self.env = support.environment(PACHBUILD_CACHE_DIR=str(self.cache))

    def call(self, *words, **changes):
        return self.run_program(support.PACHBUILD, "cache", *words, env={**self.env, **changes})

    def succeed_with(self, *words, **changes):
        result = self.call(*words, **changes)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout

    def contents(self):
        return {kind["kind"]: kind for kind in json.loads(self.succeed_with("list", "-o", "json"))["kinds"]}

    def prepare(self, program=PROGRAM):
        """A pipeline with a package, so that it has an environment."""
        support.require_tool("uv")
        self.write("source/leaf-1.0-py3-none-any.whl", wheel("leaf", {"leaf.py": "TEXT = 'leaf'\n"}))
        self.write("source/requirements.txt", "./leaf-1.0-py3-none-any.whl\n")
        self.write("source/main.py", program)
        self.write("words/a.txt", "one\n")
        self.write("spec.json", json.dumps(SPEC))

    def run_words(self):
        return [support.PACHBUILD, "run", "-f", "spec.json", "--input", "words=words", "--output", "out"]

    def start(self, words):
        return subprocess.Popen(words, env=self.env, cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, start_new_session=True)

    def test_the_path_is_that_of_the_variables(self):
        home = str(self.folder / "home")
        for changes, path in (({}, str(self.cache)),
                              ({"PACHBUILD_CACHE_DIR": "", "XDG_CACHE_HOME": "/x", "HOME": home}, "/x/pachbuild"),
                              ({"PACHBUILD_CACHE_DIR": "", "XDG_CACHE_HOME": "", "HOME": home},
                               f"{home}/.cache/pachbuild")):  # fmt: skip
            self.assertEqual(self.succeed_with("path", **changes), path + "\n")
        self.assertFalse(os.path.exists(home))
        self.assertFalse(self.cache.exists())
        said = self.call("path", PACHBUILD_CACHE_DIR="relative")
        self.assertEqual((said.returncode, said.stdout), (64, ""))
        self.assertIn('the cache folder must be an absolute path, not "relative"', said.stderr)

    def test_a_cache_that_is_not_there_is_empty(self):
        self.assertEqual(list(self.contents()), KINDS)
        self.assertEqual({(kind["entries"], kind["bytes"], kind["last_use"]) for kind in self.contents().values()},
                         {(0, 0, None)})  # fmt: skip
        shown = str(self.cache).replace("\n", "\\n")
        self.assertEqual(self.succeed_with("clean", "--all"), f"freed 0 B in {shown}\n")
        self.assertEqual(self.succeed_with("clean", "go", "--dry-run"), f"would free 0 B in {shown}\n")
        self.assertFalse(self.cache.exists())

    def test_a_folder_that_cannot_be_trusted_is_refused(self):
        self.cache.mkdir()
        self.cache.chmod(0o777)
        for words in (["list"], ["clean", "--all"]):
            said = self.call(*words)
            self.assertEqual((said.returncode, said.stdout), (73, ""))
            self.assertIn("cannot be trusted: other users can write to it", said.stderr)

    def test_a_file_in_the_place_of_the_folder(self):
        self.write(self.cache, "")
        said = self.call("clean", "--all")
        self.assertEqual((said.returncode, said.stdout), (73, ""), said.stderr)
        self.assertIn("is not a folder", said.stderr)

    def test_what_is_meant_must_be_clear(self):
        some = "results, logs, records,"
        for words, what, hint in (([], "no kind was given", f"name one or more of {some}"),
                                  (["--all", "go"], "both kinds and --all were given", f"name one or more of {some}"),
                                  (["bundels"], 'unknown kind "bundels"', 'did you mean "bundles"?'),
                                  (["xyzzy"], 'unknown kind "xyzzy"', f"one of {some}"),
                                  ([""], 'unknown kind ""', f"one of {some}")):  # fmt: skip
            with self.subTest(words):
                said = self.call("clean", *words)
                self.assertEqual((said.returncode, said.stdout), (64, ""))
                self.assertTrue(said.stderr.startswith(f"error: {what}\nhint: {hint}"), said.stderr)
        said = self.call("list", PACHBUILD_CACHE_LIMIT="much")
        self.assertEqual((said.returncode, said.stdout), (64, ""))
        self.assertIn('PACHBUILD_CACHE_LIMIT: invalid size "much"', said.stderr)

    def test_what_a_run_leaves_is_listed_and_cleaned_and_made_again(self):
        self.prepare()
        self.succeed(*self.run_words(), env=self.env)
        contents = self.contents()
        for kind in ("results", "bundles", "environments", "python", "tools", "records"):
            self.assertGreater(contents[kind]["entries"], 0, kind)
            self.assertGreater(contents[kind]["bytes"], 0, kind)
            self.assertRegex(contents[kind]["last_use"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(contents["results"]["entries"], 1)
        self.assertEqual(contents["scratch"]["entries"], 0)
        table = self.succeed_with("list")
        self.assertRegex(table, r"(?m)^KIND +NUMBER +SIZE  LAST USE +WHAT$")
        self.assertRegex(table, r"(?m)^results +1 +[\d.]+ KiB  20\d\d-\d\d-\d\d \d\d:\d\d  outputs of datums, ")
        self.assertRegex(table, r"(?m)^go +0 +-  - {15}  modules, ")
        self.assertRegex(table, r"(?m)^total +[\d.]+ [KM]iB$")
        self.assertTrue(table.endswith(
            "\nlimit: 20.0 GiB for results and logs, and another 20.0 GiB for bundles, bytecode and environments\n"),
            table)
        self.assertTrue(self.succeed_with("list", PACHBUILD_CACHE_LIMIT="0").endswith("\nlimit: no limit\n"))

        told = self.succeed_with("clean", "--all", "--dry-run")
        self.assertIn("results: would remove 1 entry (", told)
        self.assertEqual({kind: content["entries"] for kind, content in self.contents().items()},
                         {kind: content["entries"] for kind, content in contents.items()})  # fmt: skip
        done = self.succeed_with("clean", "--all")
        self.assertEqual(done, told.replace("would remove", "removed").replace("would free", "freed"))
        self.assertEqual({content["entries"] for content in self.contents().values()}, {0})
        left = {path.name for path in self.cache.rglob("*") if path.is_file()}
        self.assertLessEqual(left, {"lock", "room", "room.lock", "unmeasured", "secret-key"})
        again = self.succeed(*self.run_words(), env=self.env)
        self.assertIn("1 processed", again.stdout + again.stderr)

    def test_while_a_run_goes_on_what_it_uses_stays(self):
        self.prepare(SLOW)
        process = self.start([*self.run_words(), "--logs"])
        try:
            for line in process.stdout:
                if "started" in line:
                    break
            told = self.succeed_with("clean", "--all")
            self.assertRegex(told, r"(?m)^environments: 1 stays: in use by a program$")
            self.assertRegex(told, r"(?m)^logs: 1 stays: a run is in progress$|^logs: removed 0 entries ")
            self.assertRegex(told, r"(?m)^bundles: removed [12] entr(y|ies) \(")
            self.assertRegex(told, r"(?m)^scratch: \d+ stays?: in use by a program$")
            self.assertIsNone(process.poll())
            self.assertTrue(list(self.cache.glob("env/*/lib/**/leaf.py")))
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
        self.assertRegex(self.succeed_with("clean", "environments"), r"(?m)^environments: removed 1 entry \(")

    def test_two_at_once_and_one_that_is_killed_leave_a_whole_cache(self):
        self.prepare()
        for attempt in range(3):
            self.succeed(*self.run_words(), env=self.env)
            cleaners = [subprocess.Popen([support.PACHBUILD, "cache", "clean", "--all"], env=self.env,
                                         stdout=subprocess.DEVNULL) for _ in range(3)]  # fmt: skip
            time.sleep(0.002 * attempt)
            cleaners[0].send_signal(signal.SIGINT)
            codes = [cleaner.wait(60) for cleaner in cleaners]
            self.assertEqual(codes[1:], [0, 0])
        self.succeed(*self.run_words(), env=self.env)
        self.succeed_with("clean", "--all")
        self.assertEqual({content["entries"] for content in self.contents().values()}, {0})

    def test_many_runs_and_cleanings_at_the_same_time(self):
        self.prepare()
        for number in range(4):
            runs = [self.start([*self.run_words()[:-1], f"out-{index}"]) for index in range(2)]
            while any(run.poll() is None for run in runs):
                self.succeed_with("clean", "--all")
            for run in runs:
                self.assertEqual(run.wait(), 0, (number, run.stdout.read()))
                run.stdout.close()
            for index in range(2):
                self.assertEqual((self.folder / f"out-{index}/a.txt").read_text(), "leaf")

    def test_links_out_of_the_cache_are_not_followed(self):
        precious = self.write("precious/file", "x")
        (self.cache / "go").mkdir(parents=True, mode=0o700)
        self.cache.chmod(0o700)
        (self.cache / "go/mod").symlink_to(precious.parent)
        told = self.succeed_with("clean", "go")
        self.assertRegex(told, r"^go: removed 1 entry \([\d.]+ (B|KiB)\)\n")
        self.assertEqual(precious.read_text(), "x")


class OfPreloadedPython(PreloadSuite):
    def clean(self):
        result = self.succeed(support.PACHBUILD, "cache", "clean", "environments", "preload", env=self.variables())
        return result.stdout.splitlines()[:2]

    def test_an_interpreter_that_is_kept_keeps_its_environment_and_its_socket(self):
        self.check_preloaded()
        self.assertEqual(self.clean(), ["environments: 1 stays: in use by a program",
                                        "preload: 1 stays: in use by a program"])  # fmt: skip
        self.check_preloaded()
        interpreters = self.interpreters()
        self.end_keepers()
        self.wait_until(lambda: not any(alive(each) for each in interpreters), "an interpreter goes on")
        after = self.clean()
        self.assertRegex(after[0], r"^environments: removed 1 entry \(")
        self.assertRegex(after[1], r"^preload: removed [01] entr(y|ies) \(")
        self.assertEqual(list((self.cache / "env").glob("*")), [])
        self.check_preloaded()


if __name__ == "__main__":
    support.main()
