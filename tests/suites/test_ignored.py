# SPDX-License-Identifier: Apache-2.0
"""Which files are the source: as git says of its .gitignore files, for any lines and trees; of a project as uv makes it;
and the same here as on a cluster."""

import json
import os
import random
import shutil
import subprocess

import pipelines
import support

NAMES = ["a", "b", "ab", "a.b", "B", "x y", "#c", "!d", "-e", "a]", "[b", "\\f", "*g"]
SEEDS = range(60)


def pattern(choose):
    """A line as a person, or nobody, would write it. `**` stands alone between slashes: git 2.39 takes `a**/b` for `a` and
    any folders, which its manual does not say."""

    def part():
        kind = choose.randrange(8)
        if kind == 0:
            return "*"
        if kind == 1:
            return choose.choice("ab?*") + choose.choice(["?", "*", "b", ".b", "[!a]"])
        if kind == 2:
            return choose.choice(["[ab]", "[!b]", "[^a]", "[a-c]*", "[]a]", "a[", "[[:alpha:]]", "[[:none:]]", "[b-a]", "a[/]b"])
        if kind == 3:
            return "\\" + choose.choice(["a", "#c", "!d", "*g", "\\f", "[b"])
        return choose.choice(NAMES)

    parts = [part() for _ in range(choose.choice([1, 1, 1, 2, 2, 3]))]
    if choose.random() < 0.25:
        parts.insert(choose.randrange(len(parts) + 1), "**")
    line = "/" * (choose.random() < 0.2) + "/".join(parts) + "/" * (choose.random() < 0.25)
    return "!" * (choose.random() < 0.3) + line + choose.choice(["", "", "", " ", "\\ ", "\t", "\r"])


def lines(choose):
    some = [pattern(choose) for _ in range(choose.randint(1, 4))]
    some.insert(choose.randrange(len(some) + 1), choose.choice(["", "# a", "   "]))
    return "\n".join(some) + choose.choice(["\n", ""])


class AsGit(support.Suite):

    def setUp(self):
        super().setUp()
        support.require_tool("git")
        self.env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"), GIT_CONFIG_GLOBAL="/dev/null",
                                       GIT_CONFIG_NOSYSTEM="1", HOME=str(self.folder), XDG_CONFIG_HOME=None)
        self.top = self.folder / "top"
        self.git("init", "-q", str(self.top))

    def git(self, *words, text="", cwd=None, codes=(0,)):
        result = subprocess.run(["git", *words], cwd=cwd or self.folder, input=text, capture_output=True, text=True, env=self.env)
        self.assertIn(result.returncode, codes, result.stderr)
        return result.stdout

    def make(self, choose):
        """Files in folders up to three deep, some with a .gitignore; their paths."""
        for entry in self.top.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        folders = [""] + [choose.choice(NAMES) + "/" for _ in range(3)]
        folders += [choose.choice(folders) + choose.choice(NAMES) + "/" for _ in range(5)]
        paths = sorted({folder + name for folder in folders for name in choose.sample(NAMES, 5)})
        files = []
        for path in paths:
            try:
                self.write(f"top/{path}", "")
                files.append(path)
            except (IsADirectoryError, NotADirectoryError, FileExistsError):
                pass  # the other one was first
        for folder in choose.sample(sorted(set(folders)), 2) + [""]:
            if (self.top / folder).is_dir():
                self.write(f"top/{folder}.gitignore", lines(choose))
        return files

    def ignored_by_git(self, paths, cwd):
        said = self.git("check-ignore", "-z", "--stdin", text="\0".join(paths), cwd=cwd, codes=(0, 1))
        return set(said.split("\0")) - {""}

    def left_out(self, paths, source):
        result = subprocess.run([support.PACHBUILD, "ignored", "--source", str(source), *(str(source / path) for path in paths)],
                                capture_output=True, text=True, env=self.env)  # fmt: skip
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        answers = result.stdout.splitlines()
        self.assertEqual(len(answers), len(paths))
        return {path for path, answer in zip(paths, answers) if ": left out" in answer}

    def test_any_lines_in_any_tree(self):
        for seed in SEEDS:
            choose = random.Random(seed)
            paths = self.make(choose)
            where = [(path, path.read_text()) for path in self.top.rglob(".gitignore")]
            with self.subTest(seed=seed, files=where):
                self.assertEqual(self.left_out(paths, self.top), self.ignored_by_git(paths, self.top))
            # The same from a folder in the repository, unless the lines above it name it.
            inner = choose.choice(sorted(path.partition("/")[0] for path in paths))
            below = [path.removeprefix(inner + "/") for path in paths if path.startswith(inner + "/")]
            if below and not self.ignored_by_git([inner], self.top):
                with self.subTest(seed=seed, files=where, inner=inner):
                    self.assertEqual(self.left_out(below, self.top / inner), self.ignored_by_git(below, self.top / inner))

    def test_what_git_tracks_is_source(self):
        for name in ("a.csv", "gen/x.py", "gen/y.py", "gen/deep/z.py", "b.py"):
            self.write(f"top/src/{name}", "")
        self.write("top/.gitignore", "*.csv\ngen/\n")
        self.git("add", "-f", ".gitignore", "src/a.csv", "src/gen/x.py", "src/b.py", cwd=self.top)
        paths = ["a.csv", "gen/x.py", "gen/y.py", "gen/deep/z.py", "b.py"]
        for settings in ((), ("update-index", "--index-version", "4"), ("update-index", "--split-index")):
            if settings:
                self.git(*settings, cwd=self.top)
            with self.subTest(settings):
                self.assertEqual(self.left_out(paths, self.top / "src"), {"gen/y.py", "gen/deep/z.py"})
        # A worktree has an index of its own, elsewhere.
        self.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one", cwd=self.top)
        self.git("worktree", "add", "-q", "../other", cwd=self.top)
        self.assertEqual(self.left_out(["a.csv", "gen/x.py", "gen/q"], self.folder / "other/src"), {"gen/q"})


class Project(pipelines.PipelineSuite):
    """As `uv init` leaves it, with the pipeline beside it."""

    SPEC = {"pipeline": {"name": "count"}, "transform": {"build": {"language": "python"}, "cmd": ["python3", "main.py"]},
            "input": {"pfs": {"repo": "texts", "glob": "/*"}}}  # fmt: skip
    MAIN = ("import os, pathlib\nfrom names import NAME\n"
            "for text in pathlib.Path('/pfs/texts').iterdir():\n"
            "    seen = sorted(str(p.relative_to('/pfs/source')) for p in pathlib.Path('/pfs/source').rglob('*') if p.is_file() and p.suffix != '.pyc')\n"
            "    pathlib.Path('/pfs/out', text.name).write_text(NAME + text.read_text() + '\\n' + '\\n'.join(seen) + '\\n')\n")

    def setUp(self):
        super().setUp()
        self.project = self.folder / "project"
        spec = json.loads(json.dumps(self.SPEC))
        del spec["transform"]["cmd"]
        self.put("pipeline.json", json.dumps(spec))
        self.put("main.py", self.MAIN)
        self.put("names.py", "NAME = 'n:'\n")
        self.put(".gitignore", "# Python\n__pycache__/\n*.py[oc]\nbuild/\n/names_*.py\n.venv\n")
        self.put("data/texts/a.txt", "one")
        for path in (".venv/pyvenv.cfg", ".venv/bin/python", "__pycache__/main.pyc", ".pytest_cache/x", "build/lib/main.py",
                     "web/node_modules/p/index.js", "names_old.py"):
            self.put(path, "")
        os.symlink("/usr/bin/python3", self.project / ".venv/bin/python3")  # would be refused in a source

    def put(self, path, text):
        self.write(f"project/{path}", text)

    def pachbuild(self, *words, code=0):
        result = self.run_program(support.PACHBUILD, *words, env=self.environment(), cwd=self.project)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def seen(self):
        return (self.project / "output/a.txt").read_text().splitlines()

    def test_runs_where_it_is_and_says_what_it_took(self):
        said = self.pachbuild("run").stderr.splitlines()
        self.assertEqual(said[0], "pachbuild run -f pipeline.json --output output --input texts=data/texts")
        self.assertEqual([line for line in said if "left out" in line],
                         ["left out of the source (.) by .gitignore: 1 file, 1 folder (pachbuild ignored lists them)"])
        self.assertEqual(self.seen(), ["n:one", ".gitignore", "main.py", "names.py", "pipeline.json"])
        # Neither data nor output is source: nothing changes by them.
        self.put("data/texts/b.txt", "two")
        self.assertIn("datums: 1 processed, 1 skipped, ", self.pachbuild("run").stderr)
        self.assertIn("datums: 0 processed, 2 skipped, ", self.pachbuild("rerun").stderr)
        listed = self.pachbuild("ignored").stdout
        self.assertEqual(listed, "\n".join([
            ".pytest_cache/: left out  (default: {,*/}.pytest_cache/)", ".venv/: left out  (default: {,*/}.venv/)",
            "__pycache__/: left out  (default: {,*/}__pycache__/)", "build/: left out  (.gitignore:4: build/)",
            "data/texts/: left out  (default: data of the pipeline)", "names_old.py: left out  (.gitignore:5: /names_*.py)",
            "output/: left out  (default: output of a pipeline: it has .pachbuild)",
            "web/node_modules/: left out  (default: {,*/}node_modules/)", ""]))
        # What goes to a cluster is the same.
        self.assertIn("count: ok, 4 source files\n", self.pachbuild("validate").stdout)

    def test_a_module_that_is_left_out_is_named(self):
        self.put(".gitignore", "names.py\ndist/\n")
        said = self.pachbuild("run", code=1).stderr
        self.assertIn("No module named 'names'", said)
        self.assertIn("warning: names.py is left out of the source (.) by .gitignore; if the program needs it, add the "
                      "line !names.py to .pachignore\n", said)  # fmt: skip
        self.assertNotIn("imports names", said)
        self.put(".pachignore", "!names.py\n")
        self.pachbuild("run", "-q")
        self.assertIn("names.py", self.seen())

    def test_two_specs_or_none_are_told(self):
        self.put("other.json", json.dumps(self.SPEC))
        for words in (["run"], ["dev"], ["validate"], ["shell"], ["explain"], ["logs"], ["graph"], ["list", "datum"], ["diff"],
                      ["update", "pipeline"], ["create", "pipeline"]):  # fmt: skip
            command = "pachbuild " + " ".join(words)
            with self.subTest(command):
                self.assertEqual(self.pachbuild(*words, code=64).stderr,
                                 "error: the current folder has 2 pipeline specs: other.json, pipeline.json\n"
                                 f"hint: choose one ({command} -f other.json), or all of them ({command} -f .)\n")
        self.assertFalse((self.project / "output").exists())

    def test_a_taken_output_is_left_alone(self):
        fault = ("error: output: exists and is not an output folder of pachbuild\n"
                 "hint: choose a folder for the output: --output DIR\n")
        self.put("output", "a file")
        self.assertEqual(self.pachbuild("run", code=64).stderr, fault)
        (self.project / "output").unlink()
        self.put("output/mine.txt", "mine")
        self.assertEqual(self.pachbuild("run", code=64).stderr, fault)
        self.assertEqual(os.listdir(self.project / "output"), ["mine.txt"])
        (self.project / "output/mine.txt").unlink()
        self.pachbuild("run", "-q")
        # Of several pipelines each has a folder.
        (self.project / "output").rename(self.project / "count")
        (self.project / "output").mkdir()
        (self.project / "count").rename(self.project / "output/count")
        self.pachbuild("run", "-q", "--output", "output/count")
        output = self.project / "output"
        self.assertEqual(self.pachbuild("run", "-q", code=73).stderr,
                         f"error: {output}: contains the output of several pipelines, such as count, in subfolders\n"
                         f'hint: choose another --output, such as "{output}/count"\n')

    def test_a_run_that_was_killed_leaves_an_output_for_the_next(self):
        for left in ("output/.pachbuild/lock", "output/.pachbuild/output.json.Xy12Zz", "output/other/.pachbuild/lock"):
            with self.subTest(left):
                shutil.rmtree(self.project / "output", ignore_errors=True)
                self.put(left, "")
                (self.project / "output/another").mkdir() if "other" in left else None
                self.pachbuild("run", "-q")
        shutil.rmtree(self.project / "output")
        self.put("output/.pachbuild/mine", "")
        self.assertIn("is not an output folder of pachbuild", self.pachbuild("run", code=64).stderr)


if __name__ == "__main__":
    support.main()
