# SPDX-License-Identifier: Apache-2.0
"""builder-runtime on every kind of Go source: each is built with the real go and run through run.sh."""

import json
import os
import re
import shutil
import subprocess

import support
from builder_suite import BuilderSuite, content_of

MODULE = "module example.com/app\n\ngo 1.21\n"


def program(text="hello", imports=(), body=""):
    lines = "".join(f"\t{line}\n" for line in ('"fmt"', *imports))
    return f'package main\n\nimport (\n{lines})\n\nfunc main() {{\n\tfmt.Println("{text}")\n{body}}}\n'


USES_LIBRARY = 'package main\n\nimport "example.com/words"\n\nfunc main() { println(words.Word()) }\n'
LIBRARY = "package words\n\nfunc Word() string { return \"word of the library\" }\n"
# golang.org/x/text is small where only this package of it is used, and depends on nothing.
CASES = program("x", ['"golang.org/x/text/cases"', '"golang.org/x/text/language"'],
                '\tfmt.Println(cases.Title(language.English).String("of the network"))\n')
NEEDS_TEXT = MODULE + "\nrequire golang.org/x/text v0.14.0\n"


class GoSuite(BuilderSuite):
    def setUp(self):
        super().setUp()
        self.go = support.require_tool("go")

    def check(self, files, expected, *arguments, **options):
        source = self.source(files)
        before = content_of(source)
        result = self.build_well(source, **options)
        self.assertEqual(content_of(source), before, "the source is not to be written")
        run = self.run_artifact(source, *arguments)
        self.assertEqual((run.returncode, run.stdout), (0, expected), run.stderr)
        return result

    def again(self):
        shutil.rmtree(self.folder / "source")


class Programs(GoSuite):
    """Which package is the program."""

    def test_the_program_is_found(self):
        for files, expected in (
                ({"main.go": program("root"), "cmd/other/main.go": program("other")}, "root"),
                ({"cmd/tool/main.go": program("in cmd"), "lib.go": "package app\n"}, "in cmd"),
                ({"cmd/one/main.go": program("one"), "cmd/app/main.go": program("like the module")}, "like the module"),
                ({"main.go": program("root"), "generate.go": "//go:build ignore\n\npackage generate\n"}, "root"),
                ({"lib.go": "package app\n", "gen.go": "//go:build ignore\n\n" + program(), "deep/er/main.go": program("deep")},
                 "deep"),
                ({"main.go": program("here"), "win_windows.go": "package other\n", "testdata/x.go": program("no"),
                  "nested/go.mod": "module x\n", "nested/main.go": program("nested")}, "here")):
            with self.subTest(list(files)):
                self.check({"go.mod": MODULE, **files}, expected + "\n")
                self.again()

    def test_folders_that_go_mod_ignores_are_passed_over(self):
        """But not where one is named."""
        files = {"cmd/tool/main.go": program("tool"), "junk/main.go": program("junk"), "a/junk/deep/main.go": program("deep")}
        module = "module example.com/app\n\ngo 1.25\n\n"
        self.check({**files, "go.mod": module + "ignore (\n\tjunk // generated\n)\n"}, "tool\n")
        self.check({"go.mod": module + "ignore ./junk\nignore ./a/junk/\n"}, "tool\n")
        self.check({"pachbuild.toml": '[go]\npackage = "junk"\n'}, "junk\n")
        (self.folder / "source/pachbuild.toml").unlink()
        self.write("source/go.mod", module + "ignore ./junk\n")
        source = self.folder / "source"
        self.assert_fails(self.build(source), 65, f"error: {source}: contains several programs: a/junk/deep, cmd/tool\n"
                                                  "hint: choose one with go.package in pachbuild.toml\n")

    def test_every_build_tells_which_program_was_chosen_and_why(self):
        cmds = {"go.mod": MODULE, "cmd/one/main.go": program("one"), "cmd/app/main.go": program("app")}
        for files, env, name, why in (
                ({"go.mod": MODULE, "lib/lib.go": LIBRARY, "cmd/tool/main.go": program()}, {}, "./cmd/tool",
                 "the only package main"),
                ({**cmds, "main.go": program()}, {}, ".", "at the root; chosen from 3 programs"),
                (cmds, {}, "./cmd/app", "named after the module; chosen from 2 programs"),
                (cmds, {"PPS_PIPELINE_NAME": "one_build"}, "./cmd/one", "named after the pipeline; chosen from 2 programs"),
                ({**cmds, "pachbuild.toml": '[go]\npackage = "cmd/one"\n'}, {}, "./cmd/one", "pachbuild.toml: go.package")):
            with self.subTest(why):
                source = self.source(files)
                for _ in ("the first time", "from the cache"):
                    result = self.build_well(source, env=self.environment(**env))
                    self.assertIn(f"program: {name} ({why})\n", result.stderr)
                record = json.loads((self.folder / "out/build.json").read_text())
                self.assertEqual(record["program"], {"name": name, "chosen": why})
                shown = self.run_program(support.PACHBUILD, "inspect", self.folder / "out").stdout
                self.assertIn(f"program     {name} ({why})\n", shown)
                self.again()

    def test_of_several_the_one_called_like_the_pipeline(self):
        files = {"go.mod": MODULE, "cmd/one/main.go": program("one"), "cmd/two/main.go": program("two")}
        self.check(files, "two\n", env=self.environment(PPS_PIPELINE_NAME="two_build"))
        source = self.folder / "source"
        self.assert_fails(self.build(source), 65, f"error: {source}: contains several programs: cmd/one, cmd/two\n"
                                                  "hint: choose one with go.package in pachbuild.toml\n")
        for name in ("./cmd/one", "cmd/one", "example.com/app/cmd/one"):
            self.check({"pachbuild.toml": f'[go]\npackage = "{name}"\n'}, "one\n")
        self.write("source/pachbuild.toml", '[go]\npackage = "cmd/three"\n')
        self.assert_fails(self.build(source), 65, "error: pachbuild.toml:2: go.package: no Go package in cmd/three\n")

    def test_no_program_is_said_in_words(self):
        source = self.source({"go.mod": MODULE, "lib.go": "package app\n", "main_windows.go": program(),
                              "old.go": "//go:build !linux && (arm64 || !go1.1)\n\n" + program()})
        self.assert_fails(self.build(source), 65, (
            f"error: {source}: contains no package main; the root is package app; build constraints exclude main_windows.go, "
            "old.go (//go:build !linux && (arm64 || !go1.1))\nhint: a pipeline runs a program: make it package main with a function main\n"))


class NestedModules(GoSuite):
    """A go.mod or go.work that is not at the root: Go is called there."""

    CLI = {"cmd/cli/go.mod": "module example.com/app/cmd/cli\n\ngo 1.21\n\nrequire example.com/app v0.0.0\n\n"
                             "replace example.com/app => ../../\n",
           "cmd/cli/main.go": program("x", ['words "example.com/app"'], "\tfmt.Println(words.Word())\n")}

    def test_a_program_of_a_module_below_is_built_with_the_modules_beside_it(self):
        result = self.check({"go.mod": MODULE, "words.go": LIBRARY, **self.CLI}, "x\nword of the library\n")
        self.assertIn("detect: go, module example.com/app/cmd/cli in cmd/cli (", result.stderr)
        self.write("source/cmd/cli/go.mod", self.CLI["cmd/cli/go.mod"].replace("../../", "../../../other"))
        source = self.folder / "source"
        self.assert_fails(self.build(source), 65, (
            f"error: {source}/cmd/cli/go.mod: replaces a module with ../../../other, which is outside the source\n"
            "hint: move the folder below transform.build.path: only files there are built\n"))

    def test_a_module_below_with_a_vendor_folder_of_its_own(self):
        self.check({"server/go.mod": MODULE + "\nrequire example.com/words v1.0.0\n",
                    "server/main.go": program("x", ['"example.com/words"'], "\tfmt.Println(words.Word())\n"),
                    "server/vendor/modules.txt": "# example.com/words v1.0.0\n## explicit\nexample.com/words\n",
                    "server/vendor/example.com/words/words.go": LIBRARY, "README.md": "x"}, "x\nword of the library\n")

    def test_of_several_modules_one_has_to_be_chosen(self):
        files = {f"{name}/{path}": text for name in ("api", "worker", "testdata/m", "_old", "examples/e")
                 for path, text in {"go.mod": f"module example.com/{name}\n\ngo 1.21\n", "main.go": program(name)}.items()}
        source = self.source(files)
        self.assert_fails(self.build(source), 65, f"error: {source}: contains several programs: api, worker\n"
                                                  "hint: choose one with go.package in pachbuild.toml\n")
        self.check({}, "worker\n", env=self.environment(PPS_PIPELINE_NAME="worker_build"))
        self.check({"pachbuild.toml": '[go]\npackage = "example.com/api"\n'}, "api\n")

    def test_a_workspace_that_lists_some_of_the_modules(self):
        files = {"go.work": "go 1.21\n\nuse ./a\n"}
        for name in "ab":
            files |= {f"{name}/go.mod": f"module example.com/{name}\n\ngo 1.21\n", f"{name}/main.go": program(name)}
        self.check(files, "a\n")
        self.write("source/pachbuild.toml", '[go]\npackage = "b"\n')
        source = self.folder / "source"
        self.assert_fails(self.build(source), 65, f"error: {source}/go.work: does not list the module in ./b\n"
                                                  "hint: add it with go work use, or set GOWORK=off in go.environment\n")
        self.check({"pachbuild.toml": '[go]\npackage = "b"\nenvironment = { GOWORK = "off" }\n'}, "b\n")

    def test_the_language_is_found_below_where_the_root_has_none(self):
        for files in ({"server/go.mod": MODULE, "server/main.go": program("found")},
                      {"cmd/default/main.go": program("found")},
                      {"back/go.work": "go 1.21\n\nuse ./a\n", "back/a/go.mod": MODULE, "back/a/main.go": program("found")}):
            with self.subTest(list(files)):
                self.check({"README.md": "x", "node_modules/x/x.go": "package x\n", **files}, "found\n")
                self.again()
        source = self.source({"README.md": "x", "testdata/main.go": program(), ".x/main.go": program()})
        self.assert_fails(self.build(source), 65, (
            f"error: {source}: no supported language found: expected main.py (python), go.mod (go), "
            "main.js (node), main.R (r), Cargo.toml (rust) or main.sh (shell)\n"
            "hint: add one of them, or a build.sh of your own\n"))
        # What is Python's stays Python's.
        self.write("source/tool.py", "print(1)\n")
        self.write("source/tools/main.go", program())
        self.assertIn("detect: python", self.build_well(source).stderr)


class Excluded(GoSuite):
    def test_tags_that_are_missing_are_named_with_the_setting(self):
        for line in ("// +build special", "//go:build special"):
            for name in ("main.go", "cmd/tool/main.go"):
                source = self.source({"go.mod": MODULE, name: f"{line}\n\n" + program("special")})
                self.assert_fails(self.build(source), 65, (
                    f"error: {source}: contains no package main; build constraints exclude {name} ({line})\n"
                    'hint: to include it, set go.tags = ["special"] in pachbuild.toml\n'))
                self.again()
        self.check({"go.mod": MODULE, "main.go": "// +build special,linux\n\n" + program("special"),
                    "pachbuild.toml": '[go]\ntags = ["special"]\n'}, "special\n")

    def test_of_the_named_package(self):
        source = self.source({"go.mod": MODULE, "main.go": program(), "t/main.go": "//go:build a && b\n\n" + program(),
                              "pachbuild.toml": '[go]\npackage = "./t"\n'})
        self.assert_fails(self.build(source), 65, (
            "error: pachbuild.toml:2: go.package: contains no package main; build constraints exclude t/main.go (//go:build a && b)\n"
            'hint: to include it, set go.tags = ["a", "b"] in pachbuild.toml\n'))


class Variables(GoSuite):
    """Each of "go help environment" and each flag of GOFLAGS works as with go build, or a message says what became of it."""

    NEEDS = {"go.mod": NEEDS_TEXT, "main.go": CASES}
    PLAIN = {"go.mod": MODULE, "main.go": program("plain")}
    TAGGED = {"go.mod": MODULE, "main.go": "package main\n\nfunc main() { println(value) }\n",
              "a.go": "//go:build {0}\n\npackage main\n\nconst value = 1\n",
              "b.go": "//go:build !({0})\n\npackage main\n\nconst value = 2\n"}

    def tagged(self, constraint):
        return {name: text.replace("{0}", constraint) for name, text in self.TAGGED.items()}

    def test_those_that_make_no_program_are_refused(self):
        own = {"go.mod": MODULE, "lib/words.go": LIBRARY, "main.go": program("x", ['_ "example.com/app/lib"'])}
        work = {**self.PLAIN, "go.work": "go 1.21\n\nuse .\n"}
        for files, env, code, words in (
                (self.NEEDS, {"GOFLAGS": "-mod=vendor"}, 1, "GOFLAGS has -mod=vendor, but the source has no vendor folder\nhint: run go mod vendor and "
                                                            "commit the folder, or remove -mod=vendor from the environment\n"),
                (self.NEEDS, {"GOFLAGS": "-mod=readonly"}, 1,
                 "/go.sum: lacks the entry for golang.org/x/text v0.14.0\n"
                 "hint: run go mod tidy in the source, and commit go.mod and go.sum\n"),
                ({"go.mod": MODULE, "main.go": CASES}, {"GOFLAGS": "-mod=readonly"}, 1,
                 "/go.mod: lacks a requirement for golang.org/x/text/cases\n"
                 "hint: run go mod tidy in the source, and commit go.mod and go.sum\n"),
                ({"go.mod": MODULE, "main.go": CASES, "go.work": "go 1.21\n\nuse .\n"}, {}, 1,
                 "/go.work: none of its modules has a requirement for golang.org/x/text/cases\n"
                 "hint: run go mod tidy in the module that imports it, and commit its go.mod and go.sum\n"),
                (own, {"GO111MODULE": "off"}, 1, "with GO111MODULE=off, which ignores go.mod\nhint: see Go's output above; remove GO111MODULE "
                                                 "from the environment\n"),
                (self.PLAIN, {"GO111MODULE": "perhaps"}, 1, "hint: see Go's output above\n"),
                (work, {"GOFLAGS": "-mod=mod"}, 1, "hint: see Go's output above\n"),
                (self.PLAIN, {"GOFLAGS": "-buildmode=c-shared"}, 65, "error: GOFLAGS: -buildmode=c-shared does not produce a program\n"
                                                                     "hint: remove it from GOFLAGS in the environment\n"),
                (self.PLAIN, {"GOFLAGS": "-n"}, 65, "error: GOFLAGS: -n prints commands and builds nothing\n"
                                                    "hint: remove it from GOFLAGS in the environment\n"),
                (self.PLAIN, {"GOARCH": "wasm"}, 1, "hint: see Go's output above\n"),
                (self.PLAIN, {"GOEXPERIMENT": "nosuchexperiment"}, 1, "hint: see Go's output above\n"),
                (self.PLAIN, {"GOFLAGS": "-nosuchflag"}, 1, "hint: see Go's output above\n")):
            with self.subTest(env):
                source = self.source(files)
                self.assert_fails(self.build(source, env=self.environment(**env)), code, words)
                self.assertEqual(list((self.folder / "out").glob("*")), [], "nothing is left")
                self.again()

    def test_what_is_overruled_is_said_by_every_build(self):
        (self.folder / "goenv").write_text("GOOS=plan9\n")
        (self.folder / "other.work").write_text("go 1.21\n")
        for setting, env, said in (
                ("", {"GOOS": "darwin"}, "GOOS=darwin from the environment is ignored; pipelines run on Linux"),
                ("", {"GOENV": f"{self.folder}/goenv"}, f"{self.folder}/goenv: GOOS=plan9 is ignored; pipelines run on Linux"),
                ('GOOS = "windows"', {}, "pachbuild.toml:2: go.environment: GOOS=windows is ignored; pipelines run on Linux"),
                ("", {"GOFLAGS": "-trimpath=false -buildvcs=true"}, "-trimpath=false from the environment is ignored"),
                ("", {"GOFLAGS": "-trimpath=false -buildvcs=true"}, "-buildvcs from the environment is ignored"),
                ("", {"GOWORK": f"{self.folder}/other.work"}, f"GOWORK={self.folder}/other.work from the environment is ignored; only a go.work inside the source is used\n")):
            with self.subTest(said):
                self.source({**self.PLAIN, "pachbuild.toml": f"[go]\nenvironment = {{ {setting} }}\n"})
                for _ in ("the first time", "from the cache"):
                    result = self.check({}, "plain\n", env=self.environment(**env))
                    self.assertIn(f"warning: {said}", result.stderr)
                self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["platform"]["os"], "linux")
                self.again()

    @support.long_test
    def test_the_others_work_as_with_go_build(self):
        support.require_network()
        if not shutil.which("gcc"):
            self.skipTest("there is no C compiler")
        folder = self.folder / "env"
        folder.mkdir()
        (folder / "goenv").write_text("GOFLAGS=-tags=special\n")
        (folder / "overlay.json").write_text(json.dumps({"Replace": {str(self.folder / "source/main.go"): str(folder / "over.go")}}))
        (folder / "over.go").write_text(program("over"))
        ldflags = {"go.mod": MODULE, "main.go": 'package main\n\nvar a, b = "a", "b"\n\nfunc main() { println(a, b) }\n',
                   "pachbuild.toml": '[go]\nldflags = "-X main.b=settings"\n'}
        both = {**self.tagged("ta && tb"), "pachbuild.toml": '[go]\ntags = ["ta"]\n'}
        for files, env, expected in (
                (self.PLAIN, {"GO111MODULE": "off"}, "plain"),
                (self.PLAIN, {"GO111MODULE": "auto"}, "plain"),
                (self.NEEDS, {"GOFLAGS": "-mod=mod"}, "x\nOf The Network"),
                ({**self.NEEDS, "go.mod": MODULE, "alt.mod": NEEDS_TEXT}, {"GOFLAGS": "-modfile=alt.mod"}, "x\nOf The Network"),
                (self.NEEDS, {"GOPROXY": "https://proxy.golang.org|direct", "GONOSUMDB": "golang.org/x"}, "x\nOf The Network"),
                (self.NEEDS, {"GOSUMDB": "off", "GOFLAGS": "-modcacherw"}, "x\nOf The Network"),
                (self.tagged("special"), {"GOFLAGS": "-tags=other,special"}, "1"),
                (self.tagged("special"), {"GOFLAGS": "'-tags=other special'"}, "1"),
                (self.tagged("special"), {"GOENV": f"{folder}/goenv"}, "1"),
                (self.tagged("special"), {"GOENV": "off"}, "2"),
                (both, {"GOFLAGS": "-tags=tb"}, "1"),
                (self.tagged("cgo"), {"CGO_ENABLED": "0"}, "2"),
                (self.tagged("cgo"), {"CGO_ENABLED": "1"}, "1"),
                (self.tagged("race"), {"GOFLAGS": "-race"}, "1"),
                (self.tagged("goexperiment.jsonv2"), {"GOEXPERIMENT": "jsonv2"}, "1"),
                (self.tagged("amd64.v2 && !amd64.v3"), {"GOARCH": "amd64", "GOAMD64": "v2"}, "1"),
                (ldflags, {"GOFLAGS": "'-ldflags=-X main.a=flags -w'"}, "flags settings"),
                (self.PLAIN, {"GOFLAGS": f"-overlay={folder}/overlay.json"}, "over"),
                (self.PLAIN, {"GOFLAGS": "-buildmode=pie -trimpath -p=1 -v"}, "plain"),
                (self.PLAIN, {"GOTOOLCHAIN": "local", "GODEBUG": "http2client=0", "GOAMD64": "v1"}, "plain"),
                ({**self.PLAIN, "go.work": "go 1.21\n\nuse ./none\n"}, {"GOWORK": "off"}, "plain"),
                ({**self.PLAIN, "go.work": "go 1.21\n\nuse .\n"}, {"GOWORK": f"{self.folder}/source/go.work"}, "plain")):
            with self.subTest(env, files=list(files)):
                self.source(files)
                before = content_of(self.folder / "source")
                result = self.build_well(self.folder / "source", env=self.environment(**env))
                self.assertNotIn("is ignored", result.stderr)
                self.assertEqual(content_of(self.folder / "source"), before)
                run = self.run_artifact(self.folder / "source")
                self.assertEqual((run.returncode, (run.stdout + run.stderr).strip()), (0, expected))
                self.again()

    @support.long_test
    def test_another_processor_is_in_the_log_and_the_record(self):
        source = self.source(self.PLAIN)
        result = self.build_well(source, env=self.environment(GOARCH="386"))
        self.assertIn("resolve: for linux/386, go1.", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["platform"]["architecture"], "386")
        self.assertEqual(self.run_artifact(source).stdout, "plain\n")
        self.again()
        # Go itself uses no C there.
        self.check(self.tagged("cgo"), "", env=self.environment(GOARCH="386"))
        self.assertEqual(self.run_artifact(source).stderr, "2\n")


class Sources(GoSuite):
    def test_a_workspace(self):
        files = {"go.work": "go 1.21\n\nuse (\n\t./app // ours\n\t./words\n)\n", "app/go.mod": "module example.com/app\n\ngo 1.21\n",
                 "app/main.go": program("x", ['"example.com/words"'], "\tfmt.Println(words.Word())\n"),
                 "words/go.mod": "module example.com/words\n\ngo 1.21\n", "words/words.go": LIBRARY}
        self.check(files, "x\nword of the library\n")
        self.write("source/go.work", "go 1.21\n\nuse ../outside\n")
        self.assert_fails(self.build(self.folder / "source"), 65, (
            f"error: {self.folder}/source/go.work: uses ../outside, which is outside the source\n"
            "hint: move the folder below transform.build.path: only files there are built\n"))

    @support.long_test
    def test_a_replacement_inside_the_source_and_embedded_files(self):
        self.check({"go.mod": MODULE + "\nrequire example.com/words v0.0.0\n\nreplace example.com/words => ./words\n",
                    "main.go": 'package main\n\nimport (\n\t_ "embed"\n\t"fmt"\n\n\t"example.com/words"\n)\n\n//go:embed text.txt\n'
                               'var text string\n\nfunc main() { fmt.Print(text, words.Word(), "\\n") }\n',
                    "text.txt": "embedded\n", "words/go.mod": "module example.com/words\n", "words/words.go": LIBRARY},
                   "embedded\nword of the library\n")

    def test_a_vendor_folder_with_and_without_modules(self):
        main = program("x", ['"example.com/words"'], "\tfmt.Println(words.Word())\n")
        self.check({"go.mod": MODULE + "\nrequire example.com/words v1.0.0\n", "main.go": main,
                    "vendor/modules.txt": "# example.com/words v1.0.0\n## explicit\nexample.com/words\n",
                    "vendor/example.com/words/words.go": LIBRARY}, "x\nword of the library\n")
        self.again()
        own = program("x", ['"example.com/words"', '"github.com/someone/app/more"'],
                      "\tfmt.Println(words.Word(), more.More)\n")
        self.check({"main.go": own, "more/more.go": 'package more\n\nconst More = "and more"\n',
                    "vendor/example.com/words/words.go": LIBRARY}, "x\nword of the library and more\n")

    @support.long_test
    def test_a_vendor_folder_that_does_not_match_is_what_is_wrong(self):
        words = "module example.com/app\n\ngo 1.21\n\nrequire example.com/words v1.1.0\n"
        for name, listed in (("another version", "# example.com/words v1.0.0\n## explicit\nexample.com/words\n"),
                             ("nothing", "")):
            with self.subTest(name):
                source = self.source({"go.mod": words, "main.go": USES_LIBRARY, "vendor/modules.txt": listed,
                                      "vendor/example.com/words/words.go": LIBRARY}, name=name)
                result = self.build(source)
                self.assertIn("inconsistent vendoring", result.stderr)
                self.assert_fails(result, 1, "hint: see Go's output above; if vendor/ does not match go.mod, run go mod vendor "
                                             "and commit the folder\n")

    def test_no_go_mod(self):
        self.check({"main.go": program("bare", ['"main/sub"'], "\tfmt.Println(sub.Text)\n").replace("main/sub", "example.com/me/sub"),
                    "sub/sub.go": 'package sub\n\nconst Text = "with a package of its own"\n'},
                   "bare\nwith a package of its own\n")

    @support.long_test
    def test_tags_ldflags_and_environment_by_setting(self):
        files = {"go.mod": MODULE, "main.go": 'package main\n\nimport "fmt"\n\nvar version = "none"\n\n'
                                              'func main() { fmt.Println(version, extra) }\n',
                 "extra.go": '//go:build extra\n\npackage main\n\nconst extra = "with extra"\n',
                 "plain.go": '//go:build !extra\n\npackage main\n\nconst extra = "plain"\n'}
        self.check(files, "none plain\n")
        self.check({"pachbuild.toml": '[go]\ntags = ["extra"]\nldflags = "-X main.version=1.2"\n'}, "1.2 with extra\n")
        self.check({"pachbuild.toml": '[go]\nenvironment = { GOFLAGS = "-tags=extra" }\n'}, "none with extra\n")

    def test_c_is_found_where_it_is_compiled(self):
        if not shutil.which("cc"):
            self.skipTest("there is no C compiler")
        c = 'package main\n\n// int three(void) { return 3; }\nimport "C"\n\nfunc three() int { return int(C.three()) }\n'
        files = {"go.mod": MODULE, "main.go": program("c", (), "\tfmt.Println(three())\n"), "c.go": c}
        result = self.check(files, "c\n3\n")
        self.assertIn("compile: the pipeline's image must provide libc.so.6\n", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["libraries"], ["libc.so.6"])
        self.again()
        # In a package of the source that the program does not use, it is not.
        result = self.check({"go.mod": MODULE, "main.go": program("static"),
                             "unused/c.go": c.replace("package main", "package unused")}, "static\n")
        self.assertNotIn("must provide", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["libraries"], [])


    def test_files_for_builds_with_c(self):
        """As with go build: they count where there is a C compiler and a package of the program has them."""
        support.require_tool("gcc")
        kind = {name: f'//go:build {tag}\n\npackage kind\n\nconst Is = "{name[:-3]}"\n'
                for name, tag in (("with.go", "cgo"), ("without.go", "!cgo"))}
        files = {"go.mod": MODULE, **{f"kind/{name}": text for name, text in kind.items()},
                 "main.go": program("x", ['"example.com/app/kind"'], "\tfmt.Println(kind.Is)\n")}
        self.check(files, "x\nwith\n")
        self.check({"pachbuild.toml": '[go]\nenvironment = { CGO_ENABLED = "0" }\n'}, "x\nwithout\n")
        (self.folder / "source/pachbuild.toml").unlink()
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "go").symlink_to(support.require_tool("go"))
        source = self.folder / "source"
        self.build_well(source, env=self.environment(PATH=str(tools)))
        self.assertEqual(self.run_artifact(source).stdout, "x\nwithout\n", "there is no C compiler")
        self.check({"main.go": program("x")}, "x\n")
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["libraries"], [])

    def test_a_header_that_is_missing_is_named_with_its_package(self):
        if not shutil.which("gcc"):
            self.skipTest("there is no C compiler")
        source = self.source({"go.mod": MODULE, "main.go": program("c"), "c.go": "package main\n\n// #include <openssl/none.h>\n"
                                                                                 'import "C"\n\nvar _ C.int\n'})
        self.assert_fails(self.build(source), 1, (
            "error: go build: exited with code 1\n"
            "hint: see Go's output above; openssl/none.h is missing: install the Debian package "
            "libssl-dev\n"))


class Modules(GoSuite):
    def setUp(self):
        super().setUp()
        support.require_network()

    def test_without_go_sum_it_is_completed_with_a_warning_and_stays_the_same(self):
        result = self.check({"go.mod": NEEDS_TEXT, "main.go": CASES}, "x\nOf The Network\n")
        self.assertIn("go.sum: lacks entries that the imports need\nhint: pin them: run go mod tidy in the source, and commit go.mod and go.sum\n", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["packages"], ["golang.org/x/text v0.14.0"])
        # The same imports: nothing is chosen again, and the network is not needed.
        edited = CASES.replace("of the network", "of the cache")
        result = self.check({"main.go": edited}, "x\nOf The Cache\n", env=self.environment(GOPROXY="off"))
        self.assertIn("go.sum: lacks entries that the imports need\n", result.stderr)
        result = self.check({}, "x\nOf The Cache\n", env=self.environment(GOPROXY="off"))
        self.assertIn("go.sum: lacks entries that the imports need\n", result.stderr)

    @support.long_test
    def test_a_workspace_whose_modules_want_different_versions(self):
        """Go writes a go.work.sum; not into the source."""
        files = {"go.work": "go 1.21\n\nuse (\n\t./a\n\t./b\n)\n", "a/go.mod": NEEDS_TEXT, "a/main.go": CASES,
                 "b/go.mod": "module example.com/b\n\ngo 1.21\n\nrequire golang.org/x/text v0.15.0\n",
                 "b/b.go": 'package b\n\nimport _ "golang.org/x/text/cases"\n'}
        result = self.check(files, "x\nOf The Network\n")
        self.assertNotIn("changed during the build", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["packages"], ["golang.org/x/text v0.15.0"])
        self.write("source/go.work", files["go.work"] + "nosuch\n")
        result = self.build(self.folder / "source")
        self.assertIn(f"{self.folder}/source/go.work:7: unknown directive: nosuch", result.stderr)

    @support.long_test
    def test_without_go_mod_and_without_a_requirement(self):
        result = self.check({"main.go": CASES}, "x\nOf The Network\n")
        self.assertIn("source: has no go.mod; chosen: golang.org/x/text v", result.stderr)
        self.again()
        result = self.check({"go.mod": MODULE, "main.go": CASES}, "x\nOf The Network\n")
        self.assertIn("go.sum: lacks entries that the imports need; chosen: golang.org/x/text v", result.stderr)

    def test_offline_the_imports_are_named(self):
        source = self.source({"main.go": CASES})
        env = self.environment(GOPROXY="off", GOMODCACHE=str(self.folder / "mod"))
        self.assert_fails(self.build(source, env=env), 1, (
            f"error: {source}: cannot fetch golang.org/x/text/cases, golang.org/x/text/language: GOPROXY is off\n"
            "hint: set GOPROXY, or commit the modules with the source (go mod vendor)\n"))

    def test_a_replaced_module_has_lines_of_what_replaces_it(self):
        """By another version, and by a fork: go.sum is completed."""
        for target in ("golang.org/x/text v0.15.0", "github.com/golang/text v0.14.0"):
            with self.subTest(target):
                result = self.check({"go.mod": f"{NEEDS_TEXT}\nreplace golang.org/x/text => {target}\n", "main.go": CASES},
                                    "x\nOf The Network\n")
                self.assertIn("go.sum: lacks entries that the imports need\nhint: ", result.stderr)
                self.again()

    def test_modules_that_cannot_be_fetched_are_named_with_what_helps(self):
        """Where a package is not in a module that is here, Go's own words are enough."""
        private = {"go.mod": MODULE + "\nrequire private.invalid/team/tool v1.0.0\n",
                   "main.go": program("x", ['_ "private.invalid/team/tool/sub"'])}
        access = "give the build access to private.invalid in ~/.netrc or the file that NETRC names, or "
        for files, env, ending in (
                (private, {}, (
                    "/go.mod: cannot fetch private.invalid/team/tool v1.0.0 (GOPROXY={proxy})\nhint: see Go's output above; "
                    "check the path and version; if the module is private, set GOPRIVATE=private.invalid/team/tool and " + access +
                    "set GOPROXY to a proxy that has it\n")),
                (private, {"GOPRIVATE": "*.invalid/team"}, (
                    "/go.mod: cannot fetch private.invalid/team/tool v1.0.0 from private.invalid, which is private (GOPRIVATE)\n"
                    "hint: see Go's output above; " + access + "commit the modules with the source (go mod vendor)\n")),
                ({"go.mod": NEEDS_TEXT, "main.go": CASES.replace("x/text/cases", "x/text/nosuch").replace("cases.", "nosuch.")}, {},
                 "error: go build: exited with code 1\nhint: see Go's output above\n"),
                ({"go.mod": NEEDS_TEXT, "main.go": CASES.replace('"fmt"', '"fmt"\n\t_ "example.com/app/nosuch"')}, {},
                 "error: go build: exited with code 1\nhint: see Go's output above\n")):
            with self.subTest(ending):
                source = self.source(files)
                env = self.environment(**env)
                proxy = subprocess.run(["go", "env", "GOPROXY"], env=env, text=True, capture_output=True, check=True).stdout.strip()
                self.assert_fails(self.build(source, env=env), 1, ending.replace("{proxy}", proxy))
                self.again()

    def test_no_private_file_is_named(self):
        for files, where in (({"go.mod": NEEDS_TEXT + "\nnosuch directive\n", "main.go": CASES}, "source/go.mod:7: unknown directive"),
                             ({"main.go": CASES, "lib/go.mod": "nosuch directive\n"}, "source")):
            source = self.source(files)
            result = self.build(source)
            self.assertIn(where, result.stderr)
            self.assertNotIn("/work/go-", result.stderr)
            self.again()

    def test_a_proxy_that_does_not_answer(self):
        silent = self.environment(GOPROXY="http://127.0.0.1:9,direct", GOMODCACHE=str(self.folder / "mod"))
        said = ("modules are missing, and the module proxy does not answer (GOPROXY=http://127.0.0.1:9,direct)\n"
                "hint: check the network and Go's proxy settings (GOPROXY, HTTPS_PROXY), then try again\n")
        source = self.source({"go.mod": NEEDS_TEXT, "main.go": CASES})
        self.assert_fails(self.build(source, env=silent), 75, f"error: {source}/go.mod: {said}")
        complete = ("golang.org/x/text v0.14.0 h1:ScX5w1eTa3QqT8oi6+ziP7dTV1S2+ALU0bI+0zXKWiQ=\n"
                    "golang.org/x/text v0.14.0/go.mod h1:18ZOQIKpY8NJVqYksKHtTdi31H5itFRjB5/qKTNYzSU=\n")
        (source / "go.sum").write_text(complete)
        self.assert_fails(self.build(source, env=silent), 75, f"error: {source}/go.mod: {said}")
        # What is wrong is not the network's fault when the modules are there, or when the proxy answers.
        self.build_well(source)
        (source / "main.go").write_text(CASES.replace("fmt.Println(", "fmt.Printline("))
        env = self.environment(GOPROXY="http://127.0.0.1:9")
        self.assertEqual(self.build(source, env=env).returncode, 1)
        (source / "go.mod").write_text(NEEDS_TEXT.replace("v0.14.0", "v0.14.99"))
        self.assertEqual(self.build(source).returncode, 1)

    @support.long_test
    def test_a_wrong_go_sum(self):
        source = self.source({"go.mod": NEEDS_TEXT, "main.go": CASES,
                              "go.sum": "golang.org/x/text v0.14.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                        "golang.org/x/text v0.14.0/go.mod h1:18ZOQIKpY8NJVqYksKHtTdi31H5itFRjB5/qKTNYzSU=\n"})
        result = self.build(source)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("checksum mismatch", result.stderr)
        self.assertTrue(result.stderr.endswith("hint: see Go's output above\n"), result.stderr)

    @support.long_test
    def test_modules_of_a_folder_instead_of_a_proxy(self):
        """GOPROXY=file://: what the module cache downloaded serves as one."""
        self.check({"go.mod": NEEDS_TEXT, "main.go": CASES}, "x\nOf The Network\n")
        proxy = f"file://{support.shared_cache('go-mod')}/cache/download"
        env = self.environment(GOPROXY=proxy, GONOSUMDB="*", GOFLAGS="", GONOSUMCHECK="1", GOMODCACHE=str(self.folder / "mod"))
        self.cache = self.folder / "another-cache"
        self.build_well(self.folder / "source", env=env)


class GoErrors(GoSuite):
    def test_goes_own_words_are_whole(self):
        for files, words in (
                ({"a/a.go": 'package a\n\nimport _ "example.com/app/b"\n', "b/b.go": 'package b\n\nimport _ "example.com/app/a"\n',
                  "main.go": program("x", ['_ "example.com/app/a"'])}, "import cycle not allowed"),
                ({"main.go": program("x", (), "\tvar number int = \"text\"\n")}, "cannot use \"text\"")):
            with self.subTest(words):
                result = self.build(self.source({"go.mod": MODULE, **files}))
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertIn(words, result.stderr)
                self.assertIn("error: go build: exited with code 1\nhint: see Go's output above\n",
                              result.stderr)
                self.again()

    def test_a_newer_go_than_there_is(self):
        source = self.source({"go.mod": "module example.com/app\n\ngo 1.99\n", "main.go": program()})
        result = self.build(source, env=self.environment(GOTOOLCHAIN="local"))
        self.assertIn("go.mod requires go >= 1.99", result.stderr)
        own = re.search(r"running go (\S+);", result.stderr)[1]
        self.assert_fails(
            result, 1, f"error: {source}/go.mod: needs Go 1.99; {self.go} is {own}\n"
                       "hint: install Go 1.99 or newer (https://go.dev/dl), or build in an image that has it, or let "
                       "Go download it (GOTOOLCHAIN=auto)\n")

    def test_files_of_a_module_that_are_wrong(self):
        invalid = "is not a valid go.{}\nhint: see Go's output above\n"
        nameless = "does not name its module\nhint: add a module line: go mod edit -module=example.com/NAME\n"
        for go_mod, words in (("moodule x\n", invalid), (MODULE + "require a\n", invalid), ("", nameless)):
            with self.subTest(go_mod):
                source = self.source({"go.mod": go_mod, "main.go": program()})
                self.assert_fails(self.build(source), 1, f"error: {source}/go.mod: " + words.format("mod"))
                self.again()
        source = self.source({"go.work": "go 1.21\n\nuse .\nuse\n", "go.mod": MODULE, "main.go": program()})
        self.assert_fails(self.build(source), 1, f"error: {source}/go.work: " + invalid.format("work"))


class Documented(GoSuite):
    """docs/go.md: each error and its hint, as a build says them."""

    def test_errors(self):
        support.require_network()
        page = (support.ROOT / "docs" / "go.md").read_text(encoding="utf-8")
        said = {error: hint for error, hint in re.findall(r"^    (error: .*)\n    (hint: .*)$", page, re.MULTILINE)}
        cmds = {"go.mod": MODULE, "cmd/one/main.go": program(), "cmd/two/main.go": program()}
        words = {"go.mod": MODULE + "\nrequire example.com/words v1.1.0\n", "main.go": USES_LIBRARY}
        private = "git.example.com/team/words"
        sources = (
            (cmds, {}), ({"go.mod": MODULE, "words.go": LIBRARY, **NestedModules.CLI, "cmd/cli/go.mod":
                          NestedModules.CLI["cmd/cli/go.mod"].replace("../../", "../../../other")}, {}),
            ({"go.work": "go 1.21\n\nuse ./a\n", "a/go.mod": "module a\n", "b/go.mod": "module b\n", "a/main.go": program(),
              "b/main.go": program(), "pachbuild.toml": '[go]\npackage = "b"\n'}, {}),
            ({"go.mod": NEEDS_TEXT, "main.go": CASES}, {"GOFLAGS": "-mod=readonly"}),
            ({"go.mod": MODULE, "main.go": CASES}, {"GOFLAGS": "-mod=readonly"}),
            ({**words, "vendor/modules.txt": ""}, {}), (words, {"GOFLAGS": "-mod=vendor"}),
            ({"go.mod": MODULE, "main.go": "//go:build special\n\n" + program()}, {}),
            ({"go.mod": MODULE, "lib/words.go": LIBRARY, "main.go": program("x", ['_ "example.com/app/lib"'])},
             {"GO111MODULE": "off"}),
            ({"go.mod": MODULE, "main.go": program()}, {"GOFLAGS": "-buildmode=c-shared"}),
            ({"go.mod": MODULE + f"\nrequire {private} v1.0.0\n", "main.go": program("x", [f'_ "{private}"'])},
             {"GOPROXY": "https://proxy.golang.org,direct"}))
        for files, env in sources:
            source = self.source(files)
            result = self.build(source, env=self.environment(**env))
            error, hint = result.stderr.replace(str(source), "/pfs/source").splitlines()[-2:]
            with self.subTest(error):
                self.assertNotEqual(result.returncode, 0)
                self.assertEqual(said.pop(error, "not in the document"), hint)
            self.again()
        self.assertEqual(said, {}, "documented, but not said")

if __name__ == "__main__":
    support.main()
