# SPDX-License-Identifier: Apache-2.0
"""What builder-runtime says and how it exits when something is wrong, word for word."""

import json
import os
import shutil

import support
from builder_suite import GO_HELLO, PYTHON_ARGUMENTS, SIX, BuilderSuite

PATH_HINT = "hint: check transform.build.path in the pipeline's spec\n"


class Errors(BuilderSuite):
    def test_an_empty_source(self):
        source = self.folder / "source"
        source.mkdir()
        self.assert_fails(self.build(source), 65, f"error: {source}: the source is empty\n{PATH_HINT}")

    def test_a_source_that_is_not_there(self):
        source = self.folder / "source"
        self.assert_fails(self.build(source), 65, f"error: {source}: no such folder\n{PATH_HINT}")

    def test_a_source_that_is_a_file(self):
        source = self.write("source", "")
        self.assert_fails(self.build(source), 65, f"error: {source}: is not a folder\n{PATH_HINT}")

    def test_a_source_of_no_language(self):
        source = self.source({"README.md": "hello"})
        self.assert_fails(self.build(source), 65,
                          f"error: {source}: no supported language found: expected main.py (python), go.mod (go), "
                          "main.js (node), main.R (r), Cargo.toml (rust) or main.sh (shell)\n"
                          "hint: add one of them, or a build.sh of your own\n")

    def test_a_source_of_two_languages(self):
        source = self.source({**GO_HELLO, **PYTHON_ARGUMENTS})
        self.assert_fails(self.build(source), 65, f"error: {source}: contains both main.py and go.mod\n"
                                                  "hint: choose one with --language\n")

    def test_an_unknown_language(self):
        source = self.source(PYTHON_ARGUMENTS)
        self.assert_fails(self.build(source, "--language", "cobol"), 64,
                          'error: --language: no builder for "cobol"\n'
                          "hint: available languages: python, go, node, r, rust and shell\n")

    def test_an_unknown_option(self):
        result = self.run_program(support.BUILDER, "--sauce", "x")
        self.assert_fails(result, 64, "hint: see builder-runtime --help\n")
        self.assertIn("error: ", result.stderr)
        self.assertIn("--sauce", result.stderr)

    def test_python_without_main(self):
        source = self.source({"one.py": "", "other.py": ""})
        self.assert_fails(self.build(source, "--language", "python"), 65,
                          f"error: {source}: cannot tell which file is the program: one.py, other.py\n"
                          "hint: name the program main.py, or set python.program in pachbuild.toml\n")

    def test_a_main_that_is_not_python(self):
        source = self.source({"main.py": "print(1\n"})
        result = self.build(source)
        self.assert_fails(result, 1, f"error: {source}/main.py: is not valid Python\n"
                                     "hint: see Python's output above\n")
        self.assertIn(f'File "{source}/main.py", line 1\n', result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_a_requirement_that_does_not_exist(self):
        support.require_network()
        source = self.source({"main.py": "", "requirements.txt": "no-such-package-of-pachbuild==9\n"})
        result = self.build(source)
        self.assert_fails(result, 1, "error: requirements.txt: installation failed: uv exited with code 1\n"
                                     "hint: see uv's output above\n")
        self.assertIn("no-such-package-of-pachbuild was not found", result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_a_merge_that_is_not_resolved(self):
        conflict = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n"
        for files, name in (({"main.py": "", "requirements.txt": conflict}, "requirements.txt"),
                            ({"main.py": "", "pyproject.toml": conflict}, "pyproject.toml"),
                            ({"main.py": "", "pachbuild.toml": conflict}, "pachbuild.toml"),
                            ({"main.mjs": "", "package.json": conflict}, "package.json"),
                            ({**GO_HELLO, "go.mod": conflict + "module a\n"}, "{source}/go.mod"),
                            ({**GO_HELLO, "go.sum": conflict}, "{source}/go.sum")):
            with self.subTest(name=name):
                source = self.source(files)
                self.assert_fails(self.build(source), 65,
                                  f"error: {name.format(source=source)}:1: a merge conflict is not resolved\nhint: keep one side "
                                  "of it, and remove the lines that start with <<<<<<<, ======= and >>>>>>>\n")
                shutil.rmtree(source)

    def test_a_requirement_that_makes_no_sense(self):
        support.require_tool("uv")
        source = self.source({"main.py": "", "requirements.txt": "a b c\n"})
        result = self.build(source)
        self.assert_fails(result, 1, "error: requirements.txt: installation failed: uv exited with code 2\n"
                                     "hint: see uv's output above\n")

    def test_an_index_that_does_not_answer(self):
        support.require_tool("uv")
        source = self.source({"main.py": "", "requirements.txt": SIX})
        env = self.environment(UV_DEFAULT_INDEX="http://127.0.0.1:9/simple", UV_HTTP_RETRIES="0",
                               UV_CACHE_DIR=str(self.folder / "uv"))
        self.assert_fails(self.build(source, env=env), 75,
                          "error: requirements.txt: the package index http://127.0.0.1:9/simple cannot be reached: connection refused\n"
                          "hint: this address comes from the variable UV_DEFAULT_INDEX; check the address and the network, "
                          "then try again\n")

    def test_no_uv(self):
        source = self.source({"main.py": "", "requirements.txt": SIX})
        env = self.environment(PATH=self.only("python3"))
        self.assert_fails(self.build(source, env=env), 69,
                          "error: uv: is not on PATH\n"
                          "hint: install uv (pip install uv), or build in an image that has it\n")

    def test_no_python(self):
        source = self.source(PYTHON_ARGUMENTS)
        self.assert_fails(self.build(source, env=self.environment(PATH=self.only())), 69,
                          "error: python3: is not on PATH\n"
                          "hint: install Python 3, or build in an image that has it\n")

    def test_no_go(self):
        source = self.source(GO_HELLO)
        self.assert_fails(self.build(source, env=self.environment(PATH=self.only())), 69,
                          "error: go: is not on PATH\n"
                          "hint: install Go (https://go.dev/dl), or build in an image that has it\n")

    def test_go_without_go_files(self):
        source = self.source({"go.mod": GO_HELLO["go.mod"]})
        self.assert_fails(self.build(source), 65, f"error: {source}: has no Go files\n"
                                                  "hint: add a main.go with package main\n")

    def test_go_without_package_main(self):
        source = self.source({"go.mod": GO_HELLO["go.mod"], "lib.go": "// Pads.\npackage pad\n"})
        self.assert_fails(self.build(source), 65,
                          f"error: {source}: contains no package main; the root is package pad\n"
                          "hint: a pipeline runs a program: make it package main with a function main\n")

    def test_go_that_leads_out_of_the_source(self):
        source = self.source({**GO_HELLO, "go.mod": GO_HELLO["go.mod"] + "replace example.com/a => ../a\n"})
        self.assert_fails(self.build(source), 65,
                          f"error: {source}/go.mod: replaces a module with ../a, which is outside the source\n"
                          "hint: move the folder below transform.build.path: only files there are built\n")

    def test_a_syntax_error_in_go(self):
        support.require_tool("go")
        source = self.source({**GO_HELLO, "main.go": "package main\n\nfunc main() { x := }\n"})
        self.assert_fails(self.build(source), 1,
                          "# example.com/hello\n./main.go:3:20: syntax error: unexpected }, expected expression\n"
                          "error: go build: exited with code 1\n"
                          "hint: see Go's output above\n")

    def test_errors_as_json(self):
        support.require_tool("go")
        source = self.source({**GO_HELLO, "main.go": "package main\n\nfunc main() { x := }\n"})
        result = self.build(source, env=self.environment(PACHBUILD_LOG="json"))
        lines = [json.loads(line) for line in result.stderr.splitlines()]
        self.assertEqual(lines[-2]["level"], "output")
        self.assertEqual(lines[-1], {"level": "error", "message": "exited with code 1", "where": "go build",
                                     "hint": "see Go's output above", "code": 1})

    def test_an_output_folder_inside_the_source(self):
        source = self.source(PYTHON_ARGUMENTS)
        self.assert_fails(self.build(source, out="source/out"), 64,
                          f"error: {source}/out: is inside the source folder {source}\n"
                          "hint: name another folder with --out\n")

    def test_a_cache_inside_of_the_source(self):
        source = self.write("source/main.py", "").parent
        result = self.build(source, env=self.environment(PACHBUILD_CACHE_DIR=source / "cache"))
        self.assert_fails(result, 64, f"error: {source}/cache: is inside the source folder {source}\n"
                                      "hint: name another folder for the cache in PACHBUILD_CACHE_DIR\n")

    def test_a_cache_that_is_a_file(self):
        file = self.write("file", "")
        source = self.source(PYTHON_ARGUMENTS)
        self.assert_fails(self.build(source, env=self.environment(PACHBUILD_CACHE_DIR=file)), 73,
                          f"error: PACHBUILD_CACHE_DIR: {file} is not a folder\n")

    def test_a_lock_that_uv_would_not_understand(self):
        support.require_tool("uv")
        for content, what in (("x = = 1\n", ":1:5: invalid TOML: a value cannot start like this; text needs quotes\n"),
                              (b"x = 1\ny = \"\xff\"\n", ":2:5: invalid TOML: invalid UTF-8\n")):
            with self.subTest(content):
                source = self.source({**PYTHON_ARGUMENTS, "pylock.toml": content})
                self.assert_fails(self.build(source), 65, f"error: pylock.toml{what}")

    def test_an_output_folder_that_cannot_be_made(self):
        self.write("file", "")
        source = self.source(PYTHON_ARGUMENTS)
        out = self.folder / "file" / "out"
        self.assert_fails(self.build(source, out="file/out"), 73,
                          f"error: {out}: cannot create: a part of the path is not a folder\n")

    def test_a_shim_that_is_not_there(self):
        source = self.source(PYTHON_ARGUMENTS)
        self.shim = self.folder / "no-shim"
        hint = "hint: pass the path of worker-shim, or omit the option\n"
        self.assert_fails(self.build(source), 64, f"error: --shim: {self.shim} does not exist\n{hint}")
        self.write("no-shim", "text")
        self.assert_fails(self.build(source), 64, f"error: --shim: {self.shim} is not a program\n{hint}")
        self.assertFalse((self.folder / "out/run.sh").exists())

    def build_without_power(self, source, **env):
        """Without capabilities even root may not read and write everything."""
        powerless = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
        return self.run_program(*powerless, support.BUILDER, "--source", source, "--out",
                                self.folder / "out", "--shim", self.shim, env=self.environment(**env))

    def test_a_cache_that_cannot_be_written(self):
        self.cache.mkdir(mode=0o555)
        for files in (PYTHON_ARGUMENTS, GO_HELLO):
            source = self.source(files, name=f"source-{len(files)}")
            self.assert_fails(self.build_without_power(source), 73,
                              f"error: {self.cache}: cannot write: permission denied\n")
            self.assertFalse((self.folder / "out").exists())

    def test_a_cache_of_go_that_cannot_be_written(self):
        support.require_tool("go")
        compiled = self.folder / "compiled"
        compiled.mkdir(mode=0o555)
        result = self.build_without_power(self.source(GO_HELLO), GOCACHE=str(compiled))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("permission denied", result.stderr)
        self.assertTrue(result.stderr.endswith("hint: see Go's output above\n"), result.stderr)

    def test_a_file_that_cannot_be_read(self):
        source = self.source({**GO_HELLO, "data.bin": "x"})
        (source / "data.bin").chmod(0)
        self.assert_fails(self.build_without_power(source), 74,
                          f"error: {source}/data.bin: cannot read: permission denied\n")

    def test_a_pipe_in_the_source(self):
        support.require_tool("go")
        source = self.source(GO_HELLO)
        os.mkfifo(source / "pipe")
        self.assert_fails(self.build(source), 65, f"error: {source}/pipe: is neither a file nor a folder\n")

    def test_a_requirements_file_that_is_a_folder(self):
        source = self.source(PYTHON_ARGUMENTS)
        (source / "requirements.txt").mkdir()
        self.assert_fails(self.build(source), 65, f"error: {source}/requirements.txt: is not a regular file\n")

    def only(self, *names, tool=None):
        """A PATH with nothing but these programs of the machine, and one of ours."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / name).symlink_to("/usr/bin/" + name)
        if tool:
            (folder / tool).symlink_to(support.require_tool(tool))
        return str(folder)

    def test_a_package_that_cannot_be_built_where_there_is_no_compiler(self):
        source = self.source({
            "main.py": "", "requirements.txt": "./own\n", "own/broken.py": "raise SystemExit('cannot be')\n",
            "own/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "broken"\nbackend-path = ["."]\n'
                                  '[project]\nname = "own"\nversion = "1"\n'})
        said = "error: requirements.txt: installation failed: uv exited with code 1\n" \
               "hint: see uv's output above"
        self.assert_fails(self.build(source), 1, said + "\n")
        env = self.environment(PATH=self.only("python3", "sh", tool="uv"))
        self.assert_fails(self.build(source, env=env), 1, said + (
            "; this image has no C compiler: to compile a package, use an image that has one (python:3.11 rather than python:3.11-slim), or install Debian's packages gcc and libc6-dev in this one\n"))

    def test_a_go_program_with_c_where_there_is_no_compiler(self):
        source = self.source({"go.mod": "module example.com/c\n\ngo 1.21\n",
                              "main.go": "package main\n\n// int one(void) { return 1; }\nimport \"C\"\n\n"
                                         "func main() { C.one() }\n"})
        env = self.environment(PATH=self.only(tool="go"))
        self.assert_fails(self.build(source, env=env), 69,
                          "error: gcc: is not on PATH\n"
                          "hint: the program uses cgo: install a C compiler, build in an image that has one (golang:1.26, but not golang:1.26-alpine), or disable cgo with CGO_ENABLED=0\n")


class BuildScript(BuilderSuite):
    def test_it_replaces_the_steps(self):
        source = self.source({"build.sh": 'pwd\necho "$0" >&2\nprintf mine >"$OUT/run.sh"\n', "main.py": "not python"})
        result = self.build_well(source, env=self.environment(OUT=str(self.folder / "out")))
        self.assertIn(f"{source}\n{source}/build.sh\n", result.stderr)
        self.assertEqual([(path.name, path.read_text()) for path in (self.folder / "out").iterdir()],
                         [("run.sh", "mine")])

    def test_it_can_call_the_default_steps(self):
        source = self.source({**PYTHON_ARGUMENTS,
                              "build.sh": 'builder-runtime --source . --out "$OUT" --shim "$SHIM"\necho x >"$OUT/extra"\n'})
        self.build_well(source, env=self.environment(OUT=str(self.folder / "out"), SHIM=str(self.shim)))
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()),
                         ["build.json", "extra", "run.sh", "worker-shim"])
        self.assertEqual(self.run_artifact(source, "x").stdout, "['x']\n")

    def test_its_failure_is_ours(self):
        source = self.source({"build.sh": "echo before\nexit 42\n"})
        self.assert_fails(self.build(source), 1, f"before\nerror: {source}/build.sh: exited with code 42\n")

    def test_it_must_leave_a_run_script(self):
        source = self.source({"build.sh": ":\n"})
        self.assert_fails(self.build(source), 1,
                          f"error: {source}/build.sh: did not write run.sh to {self.folder}/out\n"
                          "hint: the pipeline is started with sh /pfs/build/run.sh: write this file, or call builder-runtime\n")


if __name__ == "__main__":
    support.main()
