# SPDX-License-Identifier: Apache-2.0
"""Builders that are folders: in `transform.build.image` of a spec, made by `pachbuild builder new`, and explained."""

import json
import os
import re
import stat

import pipelines
import support

LAYER = """
[[layer]]
name = "words"
manifest = ["words.txt"]
run = ["sh", "-c", "touch {builder}/../done"]
"""
BUILD = "cp /pfs/source/main.txt run.sh /pfs/out/\n"
RUN = "tr a-z A-Z < /pfs/build/main.txt > /pfs/out/shouted\n"


class FolderInASpec(pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        self.write("builders/shout/build.sh", BUILD)
        self.write("builders/shout/run.sh", RUN)
        self.write("source/main.txt", "hello\n")
        self.data(a="1")
        self.spec(build={"image": "./builders/shout", "path": "./source"})

    def test_a_run_builds_with_it(self):
        self.assert_ran(self.succeed_run(cwd="/"), run=1)
        self.assertEqual(self.output(), {"shouted": b"HELLO\n"})
        self.assert_ran(self.succeed_run(), run=0, skipped=1)

    def test_an_edit_of_the_builder_is_an_edit(self):
        self.succeed_run()
        self.write("builders/shout/run.sh", "cat /pfs/build/main.txt > /pfs/out/said\n")
        result = self.succeed_run("--explain")
        self.assert_ran(result, run=1)
        self.assertIn("build: the builder's run.sh changed", result.stderr)
        self.assertEqual(self.output(), {"said": b"hello\n"})

    def test_a_builder_that_fails_says_why(self):
        self.write("builders/shout/build.sh", "echo error: main.txt:1: no shouting >&2\nexit 65\n")
        result = self.pachbuild_run()
        self.assertEqual((result.returncode, result.stderr.splitlines()[-1:]), (65, ["error: main.txt:1: no shouting"]))
        self.assert_nothing_left()

    def test_nothing_is_written_into_it(self):
        result = self.run_program(*self.command(output="builders/shout/out"), env=self.environment())
        self.assertEqual((result.returncode, result.stderr), (
            64, f"error: --output builders/shout/out: overlaps with the builder ({self.folder}/builders/shout)\n"
                "hint: choose a separate folder\n"))
        result = self.pachbuild_run("--report", "builders/shout/report.html")
        self.assertEqual((result.returncode, result.stderr), (
            64, f"error: --report builders/shout/report.html: would be a part of the builder {self.folder}/builders/shout\n"
                "hint: choose another folder\n"))

    def test_what_is_no_builder_here(self):
        os.mkdir(self.folder / "empty")
        for image, what, hint in (
                ("./builders/shot", f'"{self.folder}/builders/shot" does not exist', f'did you mean "{self.folder}/builders/shout"?'),
                ("./empty", f'"{self.folder}/empty" has neither builder.toml nor build.sh',
                 "a builder is a folder with one of them, or an image"),
                ("./spec.json", f'"{self.folder}/spec.json" is not a folder', None)):
            self.spec(build={"image": image, "path": "./source"})
            result = self.pachbuild_run()
            self.assertEqual((result.returncode, result.stderr), (
                65, f"error: {self.folder}/spec.json:7:16: transform.build.image {what}\n" + (f"hint: {hint}\n" if hint else "")))

    def test_clusters_and_containers_have_no_such_folder(self):
        result = self.run_program(support.PACHBUILD, "update", "pipeline", "-f", "spec.json", env=self.environment())
        self.assertEqual((result.returncode, result.stderr), (
            65, 'error: spec.json:7:16: transform.build.image "./builders/shout" is a folder on this machine, which a cluster cannot read\n'
                "hint: build an image of it, push the image and name it here\n"))
        result = self.run_program(support.PACHBUILD, "validate", "-f", "spec.json", env=self.environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('spec.json:7:16: transform.build.image "./builders/shout" is a folder on this machine, which a cluster cannot read',
                      result.stdout + result.stderr)
        result = self.pachbuild_run("--runtime", "podman")
        self.assertEqual((result.returncode, result.stderr), (
            65, f'error: {self.folder}/spec.json:7:16: "./builders/shout" is a folder; --runtime needs an image\n'
                "hint: omit --runtime, or build an image of the folder and name that\n"))


class New(support.Suite):
    def new(self, *words, code=0):
        result = self.run_program(support.PACHBUILD, "builder", "new", *words, env=self.environment())
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def environment(self):
        return support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"), TMPDIR=str(self.folder))

    def files(self, folder):
        return sorted(str(path.relative_to(self.folder / folder)) for path in (self.folder / folder).rglob("*") if path.is_file())

    def test_a_new_builder_passes_the_test(self):
        self.assertEqual(self.new("builders/my lua/lua").stdout,
                         "created builders/my lua/lua: a builder\n"
                         "  builder.toml  how sources are built\n"
                         "  probe/        a source to test the builder with (1 file)\n"
                         "  Dockerfile    the builder's image\n"
                         "  build.sh      what the image runs\n"
                         "  ci.sh         tests the builder and its image\n"
                         "check it:\npachbuild builder test 'builders/my lua/lua'\n")
        text = (self.folder / "builders/my lua/lua/builder.toml").read_text()
        self.assertIn('language = "lua"\n', text)
        self.assertNotIn("@", text)
        for name in ("Dockerfile", "ci.sh"):
            self.assertIn("lua-builder:1", (self.folder / "builders/my lua/lua" / name).read_text())
        self.assertIn("LABEL io.pachbuild.builder=declared\n", (self.folder / "builders/my lua/lua/Dockerfile").read_text())
        result = self.run_program(support.PACHBUILD, "builder", "test", "builders/my lua/lua", env=self.environment())
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotIn(" note ", result.stdout)

    def test_one_like_each_that_is_installed(self):
        checkout = support.ROOT / "etc/pipeline-build"
        for model in (file.parent for file in checkout.glob("*/builder.toml")):
            with self.subTest(model.name):
                name = f"my-{model.name}"
                self.assertIn(f"created {name}: a copy of the {model.name} builder\n",
                              self.new(name, "--from", model.name).stdout)
                own = {"Dockerfile", "build.sh", "builder.toml", "ci.sh"}
                shared = {path for path in self.files(model) if path not in own | {"README.md", "run.sh"}}
                self.assertEqual(set(self.files(name)), own | shared)
                for path in shared:
                    made, known = self.folder / name / path, model / path
                    self.assertEqual(made.read_bytes(), known.read_bytes())
                    self.assertEqual(bool(made.stat().st_mode & stat.S_IXUSR), bool(known.stat().st_mode & stat.S_IXUSR), path)
                lines = [line for line in (model / "builder.toml").read_text().splitlines() if not line.startswith("#:schema")]
                changed = [f'language = "{name}"' if line == f'language = "{model.name}"' else line for line in lines]
                self.assertEqual((self.folder / name / "builder.toml").read_text().splitlines(), changed)
                base = next(line for line in (model / "Dockerfile").read_text().splitlines() if line.startswith("ARG "))
                self.assertIn("ARG BASE_IMAGE=" + base.partition("=")[2] + "\n", (self.folder / name / "Dockerfile").read_text())

    def test_nothing_is_overwritten(self):
        self.write("lua/builder.toml", "mine")
        self.assertEqual(self.new("lua", code=73).stderr,
                         "error: lua: already has builder.toml; nothing was changed\n"
                         "hint: choose another folder, or move the existing files\n")
        self.assertEqual(self.files("lua"), ["builder.toml"])
        self.write("tcl", "a file")
        self.assertEqual(self.new("tcl", code=73).stderr, "error: tcl: is not a folder\nhint: choose another name\n")
        self.write("perl/notes.txt", "mine")
        self.new("perl")
        self.assertIn("notes.txt", self.files("perl"))

    def test_names_that_cannot_be(self):
        rule = "hint: use at most 40 lowercase letters, digits and '-', starting with a letter\n"
        for name in ("Lua", "1lua", "my lua", "lua.sh", "env", "x" * 41):
            self.assertEqual(self.new(name, code=64).stderr, f'error: {name}: invalid builder name "{name}"\n{rule}')
        self.assertEqual(self.new("a/python", code=64).stderr,
                         'error: a/python: "python" is the name of an official builder\nhint: choose another name\n')
        self.assertEqual(self.new("", code=64).stderr, "error: DIR: is empty\nhint: name the new folder\n")
        result = self.new("lua", "--from", "nothing-like-it", code=64)
        self.assertRegex(result.stderr, r"^error: --from nothing-like-it: is not an installed builder\nhint: .*\n$")
        self.assertEqual(list(self.folder.iterdir()), [])


class Page(support.Suite):
    """docs/authoring-builders.md without its images; tests/images runs all of it."""

    def test_each_command_works(self):
        text = (support.ROOT / "docs/authoring-builders.md").read_text()
        commands = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        here = [command for command in commands if "podman" not in command]
        self.assertEqual((len(commands), len(here)), (9, 6))
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"), TMPDIR=str(self.folder))
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        self.succeed("bash", "-euc", "".join(here), env=env)
        self.assertEqual((self.folder / "counts/hundred").read_text(), "100\n")
        # A fault has its place in the person's source.
        self.write("source/main.pl", "use Count;\nmy $x = ;\n")
        result = self.run_program("pachbuild", "run", "-f", "count.json", "--input", "numbers=numbers", "--output", "counts", env=env)
        self.assertEqual(result.returncode, 1)
        self.assertIn("error: main.pl:2: syntax error", result.stderr)


class Explain(support.Suite):
    def explain(self, *words, code=0, path=""):
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"))
        env["PATH"] = path + env["PATH"]
        result = self.run_program(support.PACHBUILD, "builder", "explain", *words, env=env)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def test_what_would_be_done_is_told_and_not_done(self):
        self.run_program(support.PACHBUILD, "builder", "new", "lua")
        self.write("lua/builder.toml", (self.folder / "lua/builder.toml").read_text() + LAYER)
        self.write("source/main.sh", "")
        self.write("source/words.txt", "one\n")
        result = self.explain("lua", "--source", "source")
        self.assertEqual(result.stderr, "")
        self.assertRegex(result.stdout, r"(?s)^builder: lua, Scripts for sh \(.*/lua\)\nprogram: main\.sh \(by its name\)\n"
                                        r"tools:\n  sh \(/.*\)\nchecks:\n  '\*\*/\*\.sh': 1 file, 1 to check, by a command\n"
                                        r"layer words: not in the cache\n  key: [0-9a-f]{64}\n  manifest: words\.txt\n"
                                        r"  command: sh -c 'touch \{builder\}/\.\./done'\n.*"
                                        r"\nstart: sh /pfs/source/main\.sh\n  folder: /pfs/source\n$")
        self.assertFalse((self.folder / "done").exists(), "no command of it was run")
        # Short: an input a line, and those that are in no key by their number.
        self.assertRegex(result.stdout, r"\n  inputs:\n    file words\.txt: [0-9a-f]+\n(?:    (?:files|tool|value|variable) .*\n)+"
                                        r"    not in the key: \d+ inputs \(--all lists them\)\nstart: ")
        self.assertNotIn(str(self.folder), result.stdout.partition("  inputs:")[2])
        every = self.explain("lua", "--source", "source", "--all").stdout
        self.assertRegex(every, rf"  inputs:\n    file words\.txt: [0-9a-f]+ \({self.folder}/source/words\.txt\)\n")
        self.assertIn("    variable HOME: not in the key: ", every)
        document = json.loads(self.explain("lua", "--source", "source", "-o", "json").stdout)
        layer = document["layers"][0]
        self.assertIn(f"{self.folder}/source/words.txt", [one.get("path") for one in layer["inputs"]])
        self.assertRegex(layer["key"], "^[0-9a-f]{64}$")
        self.write("source/words.txt", "two\n")
        changed = json.loads(self.explain("./lua", "--source", "source", "-o", "json").stdout)["layers"][0]
        self.assertNotEqual(changed["key"], layer["key"])

    def test_a_layer_over_another_names_it_for_its_inputs(self):
        self.run_program(support.PACHBUILD, "builder", "new", "lua")
        self.write("lua/builder.toml", (self.folder / "lua/builder.toml").read_text() + LAYER + '[[layer]]\ncopy = { "." = "bin" }\n')
        self.write("source/main.sh", "")
        self.write("source/words.txt", "one\n")
        second = self.explain("lua", "--source", "source").stdout.split("\nlayer ")[2]
        self.assertRegex(second, r"(?s)^program: not in the cache\n.*\n  inputs:\n    all inputs of layer words\n    files \*\*: [0-9a-f]+\n"
                                 r"    value layer: program\nstart: ")

    def test_a_source_of_another_language_is_the_builder_s_error(self):
        self.run_program(support.PACHBUILD, "builder", "new", "lua")
        self.write("source/readme", "")
        result = self.explain("lua", "--source", "source", code=65)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(re.findall("^error: ", result.stderr, re.MULTILINE)), 1, result.stderr)

    def test_errors_name_the_source_as_the_person_does(self):
        (self.folder / "source").mkdir(exist_ok=True)
        self.write("source/notes.txt", "")
        self.assertIn("error: source: no program found: expected main.R, ", self.explain("r", "--source", "source", code=65).stderr)

    def test_what_cannot_be_explained(self):
        self.assertEqual(self.explain("python", "--source", ".", code=64).stderr,
                         "error: python: is built in: it has no builder.toml to explain\n"
                         "hint: builder-runtime --inputs --source DIR lists what its builds depend on\n")
        self.write("bin/podman", '#!/bin/sh\n[ "$1" = images ]\n', 0o755)  # has no image
        pull = "hint: pull it with --pull; official builder images can also be built with scripts/images build"
        self.assertEqual(self.explain("nosuch", code=69, path=f"{self.folder}/bin:").stderr,
                         "error: nosuch: no such folder, installed builder or podman image\n"
                         f"{pull}; installed builders: node, r, rust, shell\n")
        env = support.environment(PATH=f"{self.folder}/bin:{os.environ['PATH']}")
        self.assertEqual(self.run_program(support.PACHBUILD, "builder", "test", "nosuch", "--source", "bin", env=env).stderr,
                         f"error: nosuch: no such folder or podman image\n{pull}\n")
        self.write("script/build.sh", "")
        self.assertEqual(self.explain("script", code=65).stderr,
                         "error: script: has no builder.toml\nhint: a build.sh shows what it does only when it runs: use pachbuild builder test --log\n")
        self.assertEqual(self.explain("script", "--source", "nowhere", code=64).stderr,
                         "error: --source nowhere: is not a folder\n")


if __name__ == "__main__":
    support.main()
