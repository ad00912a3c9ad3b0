# SPDX-License-Identifier: Apache-2.0
"""builder-runtime on every kind of Go source: each is built with the real go and run through run.sh."""

import json
import os
import shutil
import subprocess

import support
from builder_suite import BuilderSuite, content_of

MODULE = "module example.com/app\n\ngo 1.21\n"


def program(text="hello", imports=(), body=""):
    lines = "".join(f"\t{line}\n" for line in ('"fmt"', *imports))
    return f'package main\n\nimport (\n{lines})\n\nfunc main() {{\n\tfmt.Println("{text}")\n{body}}}\n'


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

    def test_every_build_tells_which_program_was_chosen_and_why(self):
        cmds = {"go.mod": MODULE, "cmd/one/main.go": program("one"), "cmd/app/main.go": program("app")}
        for files, env, name, why in (
                ({"go.mod": MODULE, "lib/lib.go": LIBRARY, "cmd/tool/main.go": program()}, {}, "./cmd/tool",
                 "the only package main"),
                ({**cmds, "main.go": program()}, {}, ".", "the one at the root of 3 programs"),
                (cmds, {}, "./cmd/app", "the one named like the module of 2 programs"),
                (cmds, {"PPS_PIPELINE_NAME": "one_build"}, "./cmd/one", "the one named like the pipeline of 2 programs"),
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
        self.assert_fails(self.build(source), 65, f"error: {source}: has several programs: cmd/one, cmd/two\n"
                                                  "hint: choose one with go.package in pachbuild.toml\n")
        for name in ("./cmd/one", "cmd/one", "example.com/app/cmd/one"):
            self.check({"pachbuild.toml": f'[go]\npackage = "{name}"\n'}, "one\n")
        self.write("source/pachbuild.toml", '[go]\npackage = "cmd/three"\n')
        self.assert_fails(self.build(source), 65, "error: pachbuild.toml: go.package: no Go package in cmd/three\n")

    def test_no_program_is_said_in_words(self):
        source = self.source({"go.mod": MODULE, "lib.go": "package app\n", "main_windows.go": program(),
                              "old.go": "//go:build !linux && (arm64 || !go1.1)\n\n" + program()})
        self.assert_fails(self.build(source), 65, (
            f"error: {source}: has no package main; the root is package app; build constraints exclude main_windows.go, "
            "old.go (//go:build !linux && (arm64 || !go1.1))\nhint: a pipeline runs a program: make it package main with a function main\n"))


class Sources(GoSuite):
    def test_a_workspace(self):
        files = {"go.work": "go 1.21\n\nuse (\n\t./app // ours\n\t./words\n)\n", "app/go.mod": "module example.com/app\n\ngo 1.21\n",
                 "app/main.go": program("x", ['"example.com/words"'], "\tfmt.Println(words.Word())\n"),
                 "words/go.mod": "module example.com/words\n\ngo 1.21\n", "words/words.go": LIBRARY}
        self.check(files, "x\nword of the library\n")
        self.write("source/go.work", "go 1.21\n\nuse ../outside\n")
        self.assert_fails(self.build(self.folder / "source"), 65, (
            f"error: {self.folder}/source/go.work: uses ../outside, which is outside the source\n"
            "hint: only files below transform.build.path are built: move the folder there\n"))

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
        self.assertIn("compile: the image of the pipeline must have libc.so.6\n", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["libraries"], ["libc.so.6"])
        self.again()
        # In a package of the source that the program does not use, it is not.
        result = self.check({"go.mod": MODULE, "main.go": program("static"),
                             "unused/c.go": c.replace("package main", "package unused")}, "static\n")
        self.assertNotIn("must have", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["libraries"], [])


    def test_a_header_that_is_missing_is_named_with_its_package(self):
        if not shutil.which("gcc"):
            self.skipTest("there is no C compiler")
        source = self.source({"go.mod": MODULE, "main.go": program("c"), "c.go": "package main\n\n// #include <openssl/none.h>\n"
                                                                                 'import "C"\n\nvar _ C.int\n'})
        self.assert_fails(self.build(source), 1, (
            "error: go build: ended with exit code 1\n"
            "hint: see Go's output above; openssl/none.h is missing, which is in Debian's package "
            "libssl-dev\n"))


class Modules(GoSuite):
    def setUp(self):
        super().setUp()
        support.require_network()

    def test_without_go_sum_it_is_completed_with_a_warning_and_stays_the_same(self):
        result = self.check({"go.mod": NEEDS_TEXT, "main.go": CASES}, "x\nOf The Network\n")
        self.assertIn("go.sum: lacks lines that the imports need\nhint: pin them where the source is: go mod tidy, and "
                      "commit go.mod and go.sum\n", result.stderr)
        self.assertEqual(json.loads((self.folder / "out/build.json").read_text())["packages"], ["golang.org/x/text v0.14.0"])
        # The same imports: nothing is chosen again, and the network is not needed.
        edited = CASES.replace("of the network", "of the cache")
        result = self.check({"main.go": edited}, "x\nOf The Cache\n", env=self.environment(GOPROXY="off"))
        self.assertIn("go.sum: lacks lines that the imports need\n", result.stderr)
        result = self.check({}, "x\nOf The Cache\n", env=self.environment(GOPROXY="off"))
        self.assertIn("go.sum: lacks lines that the imports need\n", result.stderr)

    @support.long_test
    def test_without_go_mod_and_without_a_requirement(self):
        result = self.check({"main.go": CASES}, "x\nOf The Network\n")
        self.assertIn("source: has no go.mod; chosen: golang.org/x/text v", result.stderr)
        self.again()
        result = self.check({"go.mod": MODULE, "main.go": CASES}, "x\nOf The Network\n")
        self.assertIn("go.sum: lacks lines that the imports need; chosen: golang.org/x/text v", result.stderr)

    def test_offline_the_imports_are_named(self):
        source = self.source({"main.go": CASES})
        env = self.environment(GOPROXY="off", GOMODCACHE=str(self.folder / "mod"))
        self.assert_fails(self.build(source, env=env), 1, (
            f"error: {source}: cannot fetch golang.org/x/text/cases, golang.org/x/text/language: GOPROXY is off\n"
            "hint: set GOPROXY, or commit the modules with the source (go mod vendor)\n"))

    def test_a_proxy_that_does_not_answer(self):
        silent = self.environment(GOPROXY="http://127.0.0.1:9,direct", GOMODCACHE=str(self.folder / "mod"))
        said = ("modules are missing here and the module proxy does not answer (GOPROXY=http://127.0.0.1:9,direct)\n"
                "hint: check the network and the proxies that Go is set up for (GOPROXY, HTTPS_PROXY), then try again\n")
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
                self.assertIn("error: go build: ended with exit code 1\nhint: see Go's output above\n",
                              result.stderr)
                self.again()

    def test_a_newer_go_than_there_is(self):
        source = self.source({"go.mod": "module example.com/app\n\ngo 1.99\n", "main.go": program()})
        result = self.build(source, env=self.environment(GOTOOLCHAIN="local"))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("go.mod requires go >= 1.99", result.stderr)


if __name__ == "__main__":
    support.main()
