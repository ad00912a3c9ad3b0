# SPDX-License-Identifier: Apache-2.0
"""Builders that are a builder.toml: what each key does, with a builder of a toy language ("toy": scripts for sh), and what
is wrong with a builder or a source is said with its place."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import support
from builder_suite import BuilderSuite, content_of, in_namespaces, without_times

TOML = r"""schema = 1
language = "toy"
summary = "Scripts of the toy language"

[settings]
greeting = "hello"

[detect]
program = ["package.json#/main", "main.toy", "*.toy"]
ignore = ["junk"]
variable = "PROGRAM"

[tools.sh]

[[check]]
files = ["**"]
reject = '^#!.*\r$'
say = "{file}:{line}: a carriage return"
hint = "remove it from {file}"

[[check]]
files = ["**/*.toy"]
run = ["sh", "-n", "{file}"]
place = '^(?P<file>[^:]*): (?:line )?(?P<line>\d+): (?P<what>.*)'

[[layer]]
name = "packages"
manifest = ["toys.txt", "other.txt"]
variables = ["TOY_*"]
folders = ["library"]
environment = { GREETING = "{setting:greeting}" }
run = ["sh", "{builder}/install.sh", "{source}/{manifest}", "{tree}/library"]
remove = ["library/*.log"]
packages = { files = ["library/*"], match = '^(?P<name>\w+)==(?P<version>\S+)' }

[[layer]]
copy = { "." = "bin" }
executable = ["#!"]
link = { "source" = "{source}", "latest" = "bin/main.toy" }

[start]
folder = "{source}"
command = ["sh", "{env}/bin/{program}"]
environment = { TOYS = "{env}/library", PLAIN = "plain" }
prepend = { TOY_PATH = ["{env}/library", "{source}"] }

[[error]]
match = 'cannot find toy (?P<toy>\w+)'
say = "{manifest}: there is no toy {toy}"
hint = "ask for another one"
code = 75
"""
INSTALL = """echo "installing for $GREETING $TOY_COLOUR" >&2
while read -r name version; do
  case $name in
    none) echo "cannot find toy none"; exit 3 ;;
    own) echo "before" >&2; printf 'error: toys.txt:1: own words\\nhint: own hint\\n' >&2; exit 69 ;;
    slow) sleep 98765 ;;
    out) ln -s / "$2/out" ;;
  esac
  echo "$name==$version $TOY_COLOUR" >"$2/$name"
  echo noise >"$2/$name.log"
done <"$1"
"""
SOURCE = {
    "main.toy": '#!/bin/sh\necho "$GREETING|$PLAIN|$PWD|$1"\ncat "$TOYS/train"\necho "$TOY_PATH"\nhelper.toy\n',
    "helper.toy": "#!/bin/sh\necho helped\n",
    "toys.txt": "train 1.2\n",
    "empty": "",
    "junk/broken.toy": "if\n",
}


class DeclaredBuilders(BuilderSuite):
    def setUp(self):
        super().setUp()
        self.builder = self.folder / "builder"
        self.write("builder/builder.toml", TOML)
        self.write("builder/install.sh", INSTALL)
        self.toys = self.source(SOURCE)

    def edit(self, *changes, text=TOML):
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.write("builder/builder.toml", text)

    def make(self, *arguments, source=None, env=None, **options):
        return self.build(source or self.toys, "--builder", self.builder, *arguments,
                          env=env or self.environment(), **options)

    def make_well(self, *arguments, **options):
        result = self.make(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def record(self, out="out"):
        return json.loads((self.folder / out / "build.json").read_text(encoding="utf-8"))

    def test_a_source_is_built_and_runs(self):
        log = self.make_well(env=self.environment(TOY_COLOUR="red", OTHER="x")).stderr
        self.assertIn("installing for hello red\n", log)
        self.assertIn("check: 4 files", without_times(log))
        self.assertIn("built packages with 1 package", log)
        record = self.record()
        self.assertEqual((record["builder"], record["program"], record["packages"]),
                         ("toy", {"name": "main.toy", "chosen": "by its name"}, ["train 1.2"]))
        self.assertEqual(record["starts_in"], {"folder": "/pfs/source", "is_default": True})
        self.assertEqual((record["environment"], record["prepend"]),
                         ({"PLAIN": "plain", "TOYS": "{env}/library"}, {"TOY_PATH": "{env}/library:/pfs/source"}))
        told = self.run_program(support.PACHBUILD, "inspect", self.folder / "out").stdout
        self.assertIn("variables   PLAIN=plain\n            TOYS='{env}/library'\n            TOY_PATH='{env}/library:/pfs/source':$TOY_PATH\n",
                      told)
        self.assertEqual([bundle["file"].split("-")[0] for bundle in record["bundles"]], ["bundle", "base"])
        ran = self.run_artifact(self.toys, "an argument", env=self.environment(TOY_PATH="mine"))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        environment = self.cache / "env" / record["bundles"][0]["digest"]
        self.assertEqual(ran.stdout, f"|plain|/pfs/source|an argument\ntrain==1.2 red\n"
                                     f"{environment}/library:/pfs/source:mine\nhelped\n")
        self.assertEqual(os.readlink(environment / "source"), "/pfs/source")
        self.assertEqual(os.readlink(environment / "latest"), "bin/main.toy")
        self.assertFalse((environment / "library/train.log").exists())
        # A command of the pipeline's own has the variables as well.
        own = self.in_room(self.toys, self.shim, "--build", "/pfs/build",
                           "--exec", "--", "sh", "-c", 'cat "$TOYS/train"; echo "$PLAIN"', build=self.folder / "out")
        self.assertEqual(own.stdout, "train==1.2 red\nplain\n", own.stderr)

    def test_nothing_is_done_again_and_only_what_changed_is(self):
        self.make_well()
        again = self.make_well().stderr
        self.assertIn("nothing to do, the bundle is in the cache", again)
        self.assertNotIn("check:", again)
        self.assertNotIn("installing", again)
        first = self.record()["bundles"]
        # An edit that looks older than what was built.
        self.write("source/main.toy", "#!/bin/sh\necho edited\n")
        os.utime(self.toys / "main.toy", (1, 1))
        edited = self.make_well().stderr
        self.assertIn("check: 1 file\n", without_times(edited))
        self.assertIn("the installed dependencies are in the cache", edited)
        self.assertNotIn("installing", edited)
        self.assertEqual(self.run_artifact(self.toys).stdout, "edited\n")
        self.assertEqual(self.record()["bundles"][1]["digest"], first[1]["digest"])
        self.write("source/junk/broken.toy", "fi\n")
        self.assertIn("nothing to do", self.make_well().stderr)
        self.write("source/toys.txt", "plane 2\n")
        self.assertIn("installing", self.make_well().stderr)
        self.write("builder/install.sh", INSTALL + "# another\n")
        self.assertIn("installing", self.make_well().stderr)
        for name in ("README.md", "Dockerfile", "build.sh", "run.sh", "ci.sh", ".github/ci.yml", "probe/main.toy"):
            self.write(f"builder/{name}", "beside the builder\n")
        self.assertIn("nothing to do", self.make_well().stderr)

    def test_the_same_inputs_give_the_same_bytes(self):
        self.make_well()
        other = self.source(SOURCE, "another place/source")
        for path in other.rglob("*"):
            os.utime(path, (1, 1))
        shutil.copytree(self.builder, self.folder / "copy")
        result = self.build(other, "--builder", self.folder / "copy", out="out2",
                            env=self.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache 2"), USER="somebody"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(content_of(self.folder / "out"), content_of(self.folder / "out2"))

    def test_a_builder_that_is_wrong_is_told_with_line_and_column(self):
        for change, error in (
                (("summary =", "sumary ="), ':3:1: sumary: unknown key\nhint: did you mean "summary"?\n'),
                (("schema = 1", "schema = 2"), ":1:10: schema: unsupported version 2; expected 1\n"),
                (("folders = [", "folders = [1, "), ":30:12: layer.folders: must be a string, not a number\n"),
                (("{setting:greeting}", "{setting:greting}"),
                 ':31:28: layer.environment.GREETING: no setting named "greting"\nhint: did you mean "greeting"?\n'),
                (('"bin" }', '"../bin" }'),
                 ':37:16: layer.copy: "../bin" is not a path inside the layer\n'
                 'hint: write it relative to the layer: "bin", without ..\n'),
                (("reject = '^#!.*\\r$'", "reject = '('"), ":17:10: check.reject: invalid pattern: missing ): (\n"),
                (("{env}/bin/{program}", "{tree}/bin/{program}"),
                 ":43:18: start.command: unknown name {tree}\nhint: valid names: source, program, setting, env, interpreter\n"),
                (("[start]", "[start"), None)):
            with self.subTest(change[1]):
                self.edit(change)
                result = self.make()
                if error is None:
                    self.assertRegex(result.stderr, r"error: .*/builder.toml:41:\d+: invalid TOML: ")
                    self.assertEqual(result.returncode, 65)
                else:
                    self.assert_fails(result, 65, f"error: {self.builder}/builder.toml{error}")
                self.assertFalse((self.folder / "out").exists())

    def test_what_is_no_builder_is_told(self):
        for path, what in (("nowhere", "no such folder"), ("source", "has no builder.toml")):
            result = self.build(self.toys, "--builder", self.folder / path)
            self.assertEqual(result.returncode, 64)
            self.assertIn(f"error: {self.folder / path}: {what}\n", result.stderr)
        self.assert_fails(self.make("--language", "go"), 64,
                          f"error: --language: the builder in {self.builder} is for toy\n"
                          "hint: use only one of --language and --builder\n")
        self.edit(('"toy"', '"python"'))
        self.assert_fails(self.make(), 65, 'language: a builder cannot be named "python"\n'
                                           "hint: builder-runtime builds this language itself\n")
        os.mkfifo(self.folder / "pipe")
        (self.builder / "builder.toml").unlink()
        os.rename(self.folder / "pipe", self.builder / "builder.toml")
        self.assertEqual(self.make().returncode, 65)

    def test_faults_of_a_source_are_told_with_their_places(self):
        self.write("source/bad.toy", "#!/bin/sh\r\necho\n")
        self.write("source/lib/worse.toy", "echo\nif\n")
        result = self.make()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("error: bad.toy:1: a carriage return\nhint: remove it from bad.toy\n", result.stderr)
        self.write("source/bad.toy", "#!/bin/sh\necho\n")
        result = self.make()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"error: lib/worse.toy:[23]: .*\n$")
        self.write("source/lib/worse.toy", "echo\n")
        self.write("source/-n.toy", "echo\n")
        self.make_well()
        (self.toys / "toys.txt").unlink()
        self.write("source/other.txt", "none 1\n")
        self.assert_fails(self.make(), 75, "error: other.txt: there is no toy none\nhint: ask for another one\n")
        self.write("source/other.txt", "own 1\n")
        result = self.make()
        self.assert_fails(result, 69, "before\nerror: toys.txt:1: own words\nhint: own hint\n")
        self.assertEqual(result.stderr.count("own words"), 1)

    def test_the_program_is_chosen(self):
        (self.toys / "main.toy").unlink()
        self.assertEqual(self.make_well().returncode, 0)
        self.assertEqual(self.record()["program"], {"name": "helper.toy", "chosen": "the only *.toy"})
        self.write("source/second.toy", "echo second\n")
        self.assert_fails(self.make(), 65,
                          f"error: {self.toys}: several files match *.toy: helper.toy, second.toy\n"
                          'hint: choose one with toy.program in pachbuild.toml, or with PROGRAM in transform.build.env\n')
        self.write("source/pachbuild.toml", 'arguments = ["-x"]\n[toy]\nprogram = "second.toy"\ngreeting = "bye"\n')
        self.assertIn("installing for bye", self.make_well().stderr)
        self.assertEqual(self.run_artifact(self.toys).stdout, "second\n")
        self.make_well(env=self.environment(PROGRAM="helper.toy"))
        self.assertEqual(self.record()["program"], {"name": "helper.toy", "chosen": "PROGRAM"})
        self.assert_fails(self.make(env=self.environment(PROGRAM="helpr.toy")), 65,
                          'error: PROGRAM: no file helpr.toy in the source\nhint: did you mean "helper.toy"?\n')
        self.write("source/pachbuild.toml", '[toy]\ncolour = "red"\n')
        self.assert_fails(self.make(), 65, "error: pachbuild.toml:2: toy.colour: unknown setting\n"
                                           "hint: valid settings: greeting, program\n")
        self.write("source/pachbuild.toml", "")
        self.write("source/package.json", '{"main": "../x"}')
        self.assert_fails(self.make(), 65,
                          'error: package.json: main: "../x" points outside the source\n')
        self.write("source/package.json", '{"main": "./secnd.toy"}')
        self.assert_fails(self.make(), 65, 'error: package.json: main: no file ./secnd.toy in the source\n'
                                           'hint: did you mean "second.toy"?\n')
        for name in ("second", "library", "junk/made.toy"):  # with an ending, a folder, in what is ignored
            self.write("source/package.json", json.dumps({"main": name}))
            self.write("source/library/index.toy", "")
            self.make_well()
        shutil.rmtree(self.toys / "library")
        self.write("source/package.json", "{")
        self.assertEqual(self.make().returncode, 65)
        for path in self.toys.glob("*"):
            if path.is_file():
                path.unlink()
        self.write("source/README", "nothing\n")
        self.assert_fails(self.make(), 65, f"error: {self.toys}: no program found: expected main in package.json, "
                                           'main.toy or a single *.toy\n'
                                           'hint: choose one with toy.program in pachbuild.toml, or with PROGRAM in transform.build.env\n')
        self.make_well(env=self.environment(PACHBUILD_OWN_COMMAND="1"))
        self.write("source/run.sh", "echo own\n")
        self.make_well()
        self.assertEqual(self.run_artifact(self.toys).stdout, "own\n")

    def test_a_tool_that_is_missing_or_of_another_version(self):
        self.edit(("[tools.sh]", '[tools.frob]\nhint = "install frob"'))
        self.assert_fails(self.make(), 69, "error: frob: is not on PATH\nhint: install frob\n")
        frob = self.write("bin/frob", "#!/bin/sh\necho frob version 2.3.4\n", 0o755)
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        self.edit(("[tools.sh]", "[tools.frob]\nrun = [\"frob\", \"-v\"]\nversion = 'version (\\S+)'\n"
                                 'wants = ["package.json#/frob", ".frob"]\ncompare = "semver-range"\nhint = "get it"'))
        self.make_well(env=self.environment(PATH=path))
        self.write("source/.frob", "^3.1 || ~2.2\n")
        self.assert_fails(self.make(env=self.environment(PATH=path)), 69,
                          f"error: .frob: needs frob ^3.1 || ~2.2; {frob} is 2.3.4\n"
                          "hint: install a version that fits, build in an image that has one, or change .frob\n")
        self.write("source/.frob", "")
        self.write("source/package.json", '{"frob": "3"}')
        self.assert_fails(self.make(env=self.environment(PATH=path)), 69,
                          f"error: package.json: frob: needs frob 3; {frob} is 2.3.4\n"
                          "hint: install a version that fits, build in an image that has one, or change package.json\n")
        self.write("source/package.json", '{"frob": ">=2"}')
        self.make_well(env=self.environment(PATH=path))

    def test_all_tools_that_are_missing_are_told(self):
        """A tool without a hint may be a misspelled one, so that its place is named."""
        self.edit(("[tools.sh]", '[tools.frob]\nhint = "install frob"\n[tools.sh]\n[tools.bundel]\n[tools.unused]\nneeded_by = \'never\''))
        self.assert_fails(self.make(), 69, "error: bundel: is not on PATH\nhint: install it, or build in an image that has it; "
                                           f"it is required by {self.builder}/builder.toml:16: tools.bundel\n"
                                           "error: frob: is not on PATH\nhint: install frob\n")

    def test_all_files_with_faults_are_told_each_once(self):
        self.edit(('files = ["**/*.toy"]\nrun = ["sh", "-n", "{file}"]\nplace = \'^(?P<file>[^:]*): (?:line )?(?P<line>\\d+): (?P<what>.*)\'',
                   'files = ["**/*.toy"]\nrun = ["sh", "{builder}/check.sh", "{files}"]\nplace = \'^(?P<file>/.*):(?P<line>\\d+): (?P<what>.*)\''))
        self.write("builder/check.sh", 'for file; do ! grep -n bad "$file" | sed "s,^\\([0-9]*\\):,$file:\\1: ,"; done; '
                                       'if grep -q bad "$@"; then exit 1; fi\n')
        self.write("source/a.toy", "\nbad one\nbad two\n")
        self.write("source/lib/b.toy", "bad three\n")
        result = self.make()
        self.assert_fails(result, 1, "error: a.toy:2: bad one\nerror: lib/b.toy:1: bad three\n")
        self.assertNotIn("bad two", result.stderr)

    def test_a_check_is_made_again_for_what_its_command_names(self):
        self.edit(('[settings]', '[settings]\nlevel = "1"'), ('run = ["sh", "-n", "{file}"]', 'run = ["env", "LEVEL={setting:level}", "sh", "-n", "{file}"]'))
        self.make_well()
        changes = lambda: [check["changed"] for check in json.loads(self.make("--explain").stdout)["checks"]]  # noqa: E731
        self.write("source/pachbuild.toml", '[toy]\ngreeting = "bye"\nprogram = "helper.toy"\n')
        self.assertEqual(changes(), [1, 0])
        self.write("source/pachbuild.toml", '[toy]\nlevel = "2"\n')
        self.assertEqual(changes(), [1, 2])

    def test_files_of_the_builder_are_copied(self):
        self.edit(('copy = { "." = "bin" }', 'copy = { "." = "bin", "{builder}/start" = "boot", "{builder}/*.txt" = "." }'))
        self.write("builder/start/lib/first.sh", "first\n")
        self.write("builder/list.txt", "list\n")
        self.write("source/list.txt", "the source's\n")
        # Of the layer's own files only: what worker-shim reads is not counted.
        log = self.make_well().stderr
        self.assertIn("packed 1 file, 12 B", log)
        self.assertIn("packed 9 files, ", log)
        self.run_artifact(self.toys)
        environment = self.cache / "env" / self.record()["bundles"][0]["digest"]
        self.assertEqual((environment / "boot/lib/first.sh").read_text(), "first\n")
        self.assertEqual((environment / "list.txt").read_text(), "list\n")
        self.write("builder/list.txt", "another\n")
        self.make_well()
        self.run_artifact(self.toys)
        environment = self.cache / "env" / self.record()["bundles"][0]["digest"]
        self.assertEqual((environment / "list.txt").read_text(), "another\n")
        for path in ("nothing", "probe/main.toy"):
            self.write("builder/probe/main.toy", "")
            self.edit(('copy = { "." = "bin" }', f'copy = {{ "." = "bin", "{{builder}}/{path}" = "boot" }}'))
            self.assert_fails(self.make(), 65, f"error: {self.builder}/builder.toml: layer.copy: no file {{builder}}/{path}\n"
                                               "hint: files that only the test and the image use cannot be copied: probe/, Dockerfile, …\n")

    def test_lists_without_a_layer(self):
        """What names the folder of the layers is left out of them."""
        start = TOML.index("[[layer]]"), TOML.index("[start]")
        text = (TOML[:start[0]] + TOML[start[1]:]).replace("{manifest}: ", "").replace("{env}/bin/", "{source}/")
        self.write("builder/builder.toml", text)
        self.write("source/main.toy", 'echo "$TOY_PATH|${TOYS-unset}|$PLAIN"\n')
        self.make_well()
        self.assertEqual(self.run_artifact(self.toys).stdout, "/pfs/source|unset|plain\n")
        self.assertEqual(self.run_artifact(self.toys, env=self.environment(TOY_PATH="a b:c")).stdout, "/pfs/source:a b:c|unset|plain\n")
        own = self.in_room(self.toys, self.shim, "--build", "/pfs/build", "--exec", "--", "sh", "-c", 'echo "$TOY_PATH|$PLAIN"',
                           build=self.folder / "out", env=self.environment(TOY_PATH="mine"))
        self.assertEqual(own.stdout, "/pfs/source:mine|plain\n", own.stderr)
        self.assertEqual(json.loads(self.make("--explain").stdout)["start"]["environment"], {"PLAIN": "plain", "+TOY_PATH": "/pfs/source"})
        self.edit(("{source}/{program}", "{env}/{program}"), text=text)
        self.assert_fails(self.make(), 65, f"error: {self.builder}/builder.toml: start.command: uses {{env}}, but this source has no layer\n")

    def test_nothing_is_written_outside_and_no_link_is_followed(self):
        self.write("source/toys.txt", "out 1\n")
        self.make_well()
        self.edit(("remove = [", 'remove = ["library/out/etc", "library/out/*", '), ("executable", "keep = [\"**\"]\nexecutable"))
        self.make_well()
        self.assertTrue(pathlib.Path("/etc/passwd").exists())
        os.symlink("/etc/passwd", self.toys / "link.toy")
        self.assertEqual(self.make().returncode, 65)

    def test_made_programs(self):
        self.write("builder/builder.toml", r"""schema = 1
language = "maker"
summary = "Programs that are made"
[detect]
any = ["make.txt"]
variable = "PROGRAM"
[[layer]]
inputs = ["**"]
work = "copy"
run = [["sh", "-c", "mkdir -p $1/bin out && cat make.txt | while read n; do printf '#!/bin/sh\necho '$n > $1/bin/$n; done; date +%N > out/made; ls -l --time-style=full-iso make.txt >> $2/times", "sh", "{tree}", "{cache}"]]
take = { "out/**" = "." }
program = "bin/*"
executable = ["bin/*"]
[start]
command = ["main"]
""")
        source = self.source({"make.txt": "one\n", "kept": "x"}, "made")
        self.make_well(source=source)
        self.assertEqual(self.record()["program"], {"name": "main", "chosen": "the only program built"})
        self.assertEqual(self.run_artifact(source).stdout, "one\n")
        self.assertTrue(list(self.cache.glob("env/*/out/made")))
        self.write("made/kept", "y")
        self.make_well(source=source)
        times = (self.cache / "maker/tools/times").read_text(encoding="utf-8").splitlines()
        self.assertEqual(times[0], times[1])
        self.write("made/make.txt", "one\ntwo\n")
        os.utime(source / "make.txt", (1, 1))
        result = self.make(source=source)
        self.assert_fails(result, 65, "error: layer program: produced several programs: one, two\n"
                                      "hint: choose one with maker.program in pachbuild.toml, or with PROGRAM in transform.build.env\n")
        self.assertNotEqual((self.cache / "maker/tools/times").read_text(encoding="utf-8").splitlines()[2], times[0])
        self.make_well(source=source, env=self.environment(PROGRAM="two"))
        self.assertEqual(self.run_artifact(source).stdout, "two\n")
        self.assert_fails(self.make(source=source, env=self.environment(PROGRAM="three")), 65,
                          'error: PROGRAM: no program named "three"\nhint: available programs: one, two\n')

    def test_a_fixed_path_is_the_same_everywhere(self):
        self.edit(('folders = ["library"]', 'folders = ["library"]\npath = "fixed"'))
        self.write("builder/install.sh", 'echo "$2" >"$2/train"\n')
        self.make_well()
        result = self.make(out="out2", env=self.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache2")))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(content_of(self.folder / "out"), content_of(self.folder / "out2"))
        text = next(self.cache.glob("env/*/library/train")).read_text(encoding="utf-8")
        self.assertRegex(text, r"^/tmp/pachbuild-[0-9a-f]{16}/tree/library\n$")
        self.assertFalse(pathlib.Path(text.strip()).parents[1].exists())

    def test_the_second_layer_sees_the_first(self):
        self.edit(('copy = { "." = "bin" }', 'copy = { "." = "bin" }\nrun = ["sh", "-c", "cat $1/library/train > $2/seen", '
                                             '"sh", "{base}", "{tree}"]'))
        self.make_well()
        self.write("source/main.toy", 'cat "$TOYS/../seen"\n')
        self.make_well()
        self.assertEqual(self.run_artifact(self.toys).stdout, "train==1.2 \n")
        (self.toys / "toys.txt").unlink()
        self.assertEqual(self.make().returncode, 1)

    def test_an_interrupted_build_leaves_nothing(self):
        self.write("source/toys.txt", "slow 1\n")
        process = subprocess.Popen([support.BUILDER, "--source", self.toys, "--out", self.folder / "out", "--shim",
                                    self.shim, "--builder", self.builder], env=self.environment(), text=True,
                                   stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        while "installing" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertFalse((self.folder / "out/run.sh").exists())
        self.write("source/toys.txt", "train 1.2\n")
        self.make_well()
        self.assertEqual(list((self.cache / "work").iterdir()), [])

    def test_a_full_disk_is_told(self):
        disk = self.folder / "disk"
        disk.mkdir()
        self.write("builder/install.sh", 'head -c 4000000 /dev/urandom >"$2/train"\n')
        result = self.run_program(
            *in_namespaces("--mount"), "sh", "-c", 'mount -t tmpfs -o size=2m none "$0" && exec "$@"', disk,
            support.BUILDER, "--source", self.toys, "--out", disk / "out", "--shim", self.shim, "--builder", self.builder,
            env=self.environment(PACHBUILD_CACHE_DIR=str(disk / "cache")))
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertRegex(result.stderr, r"error: .*/disk.*: .*no space left on .*")

    def test_another_user_builds_a_read_only_source(self):
        support.require(os.geteuid() == 0, "only root can become another user")
        support.require_tool("setpriv")
        for path in [self.toys, *self.toys.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        for path in (self.folder, self.folder.parent):
            path.chmod(0o755)
        place = self.folder / "theirs"
        place.mkdir()
        os.chown(place, 12345, 12345)
        result = self.run_program("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", support.BUILDER,
                                  "--source", self.toys, "--out", place / "out", "--shim", self.shim,
                                  "--builder", self.builder,
                                  env=self.environment(PACHBUILD_CACHE_DIR=str(place / "cache"), HOME=str(place)))
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_installed_builders_are_found_by_name_and_by_their_sources(self):
        bin_folder = self.folder / "prefix/bin"
        bin_folder.mkdir(parents=True)
        for program in (support.BUILDER, support.SHIM):
            target = bin_folder / pathlib.Path(program).name
            try:
                os.link(program, target)
            except OSError:
                shutil.copy(program, target)
        installed = self.folder / "prefix/share/pachbuild/builders"
        shutil.copytree(self.builder, installed / "toy")
        builder = bin_folder / "builder-runtime"

        def build(*arguments):
            return self.run_program(builder, "--source", self.toys, "--out", self.folder / "out", *arguments,
                                    env=self.environment())
        result = build("--language", "toy")
        self.assertEqual(result.returncode, 0, result.stderr)
        result = build()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("detect: toy, ", result.stderr)
        self.assert_fails(build("--language", "cobol"), 64, 'error: --language: no builder for "cobol"\n'
                                                            "hint: available languages: python, go and toy\n")
        shutil.copytree(self.builder, installed / "game")
        self.assert_fails(build("--language", "game"), 65,
                          f"error: {installed}/game/builder.toml: is for the language toy, not game\n"
                          "hint: name an installed builder's folder after its language\n")
        toml = installed / "game/builder.toml"
        toml.write_text(TOML.replace('"toy"', '"game"'), encoding="utf-8")
        self.assert_fails(build(), 65, f"error: {self.toys}: matches several languages: game and toy\n"
                                       "hint: choose one with --language\n")
        # What a compiled-in language takes stays its own.
        self.write("source/main.py", "print()\n")
        self.assertIn("detect: python", build().stderr)

    def test_explain_says_what_would_be_done(self):
        result = self.make("--explain")
        self.assertEqual(result.returncode, 0, result.stderr)
        told = json.loads(result.stdout)
        self.assertEqual(told["detected"], {"program": "main.toy", "chosen": "by its name"})
        self.assertEqual([(layer["name"], layer["made"], layer["cached"]) for layer in told["layers"]],
                         [("packages", True, False), ("program", True, False)])
        self.assertEqual(told["layers"][0]["commands"],
                         [["sh", "{builder}/install.sh", "{source}/toys.txt", "{tree}/library"]])
        self.assertEqual([check["changed"] for check in told["checks"]], [4, 2])
        self.assertEqual(told["start"]["environment"], {"PLAIN": "plain", "TOYS": "{env}/library", "+TOY_PATH": "{env}/library:/pfs/source"})
        first, second = told["layers"]
        self.assertEqual(([one for one in first if one == "over"], second["over"]), ([], "packages"))
        self.assertEqual({one["name"]: one["in_key"] for one in first["inputs"] if one["name"] in ("toys.txt", "HOME")},
                         {"toys.txt": True, "HOME": False})
        self.assertEqual([(one["kind"], one["name"]) for one in second["inputs"]], [("files", "**"), ("value", "layer")])
        self.assertFalse((self.folder / "out").exists())
        self.make_well()
        told = json.loads(self.make("--explain").stdout)
        self.assertEqual([layer["cached"] for layer in told["layers"]], [True, True])
        self.assertEqual([check["changed"] for check in told["checks"]], [0, 0])
        inputs = self.make("--inputs").stdout
        self.assertIn("file\ttoys.txt\t", inputs)
        self.assertIn("files\t**\t", inputs)
        self.assertIn("files\tthe builder\t", inputs)
        self.edit(('variables = ["TOY_*"]', 'variables = ["TOY_*"]\nimage = ["/nowhere/*/toys", "/etc/pass?d"]'))
        values = {one["name"]: one["value"] for one in json.loads(self.make("--explain").stdout)["layers"][0]["inputs"]}
        self.assertEqual(values["/nowhere/*/toys"], "matches no file")
        self.assertRegex(values["/etc/pass?d"], "^[0-9a-f]+$")
        self.assert_fails(self.build(self.source({"main.py": ""}, "py"), "--explain"), 64,
                          "error: --explain: the python builder is built in and has no builder.toml\n"
                          "hint: use --inputs to list its inputs\n")


if __name__ == "__main__":
    support.main()
