# SPDX-License-Identifier: Apache-2.0
"""Commands of a pipeline's own, as people write them: each finds the environment of the build, without a word about it in
the spec, and programs of one folder need one build."""

import json
import os

import pipelines
import support
from wheels import wheel

# A package with a module and a console script, which installs without an index.
TOOL = wheel("tool", {
    "tool.py": "import sys\ndef main():\n    print('my-tool', sys.argv[1:])\n",
    "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\nmy-tool = tool:main\n"})
TOOL_FAILS = 'import sys, os\nopen("/pfs/out/" + os.environ["PACH_DATUM_ID"], "w").write("x")\nsys.exit(3)\n'
# Tells what a program sees of the environment.
TELL = """\
import os, sys
import tool
in_environment = os.path.dirname(tool.__file__).startswith(os.environ["PACHBUILD_ENV"])
print(os.path.basename(__file__), sys.argv[1:], in_environment, os.environ["COLOUR"], os.path.realpath(".") == os.path.realpath("/pfs/source"),
      file=open("/pfs/out/" + os.environ["PPS_PIPELINE_NAME"], "w"))
"""


class Commands(pipelines.PipelineSuite):
    def python_source(self):
        """Two programs, none of which is the source's program, and what both need."""
        self.write("source/wheels/tool-1.0-py3-none-any.whl", TOOL)
        self.write("source/requirements.txt", "./wheels/tool-1.0-py3-none-any.whl\n")
        self.write("source/pachbuild.toml", '[environment]\nCOLOUR = "a deep\\nblue"\n')
        for name in ("edges.py", "montage.py"):
            self.write(f"source/{name}", TELL + 'if __name__ == "__main__":\n    pass\n')
        self.write("source/lib/step.sh", "python3 /pfs/source/montage.py from-a-script\n")
        self.data(a="1")

    def pipeline(self, name, cmd, language="python", **transform):
        content = {"pipeline": {"name": name},
                   "transform": {"build": {"language": language, "path": "../source"}, "cmd": cmd, **transform},
                   "input": {"pfs": {"repo": "data", "glob": "/"}}}
        return self.write(f"specs/{name}.json", json.dumps(content, indent=1))

    def run_all(self, *arguments, expect=0):
        result = self.run_program(support.PACHBUILD, "run", "-f", self.folder / "specs", "--input", f"data={self.folder / 'data'}",
                                  "--output", self.out, *arguments, env=self.environment())
        self.assertEqual(result.returncode, expect, result.stderr)
        return result

    def outputs(self):
        """What each pipeline has written, by its name."""
        return {path.name: path.read_text(encoding="utf-8") for path in self.out.glob("*/*") if path.is_file()}

    def test_every_form_finds_the_environment_and_one_build_is_enough(self):
        self.python_source()
        told = "{0} {1} True a deep\nblue {2}\n"
        forms = {
            "stdin": (["bash"], ["set -e", "echo hidden >/dev/null", "python3 /pfs/source/edges.py 'a b' \\", "  c"],
                      told.format("edges.py", ["a b", "c"], True)),
            "relative": (["python3", "edges.py", "", "a  b", "'$HOME'", "\\"], None,
                         told.format("edges.py", ["", "a  b", "'$HOME'", "\\"], True)),
            "absolute": (["/usr/bin/env", "python3", "/pfs/source/montage.py"], None, told.format("montage.py", [], True)),
            "line": (["sh", "-c", 'cd / && python3 /pfs/source/edges.py "$0" "$@"', "one", "two"], None,
                     told.format("edges.py", ["one", "two"], False)),
            "script": (["sh", "lib/step.sh"], None, told.format("montage.py", ["from-a-script"], True)),
            "tool": (["sh", "-c", 'my-tool "$@" > /pfs/out/tool', "sh", "--x", ""], None, "my-tool ['--x', '']\n"),
        }
        for name, (cmd, stdin, _) in forms.items():
            self.pipeline(name, cmd, **({"stdin": stdin} if stdin else {}))
        result = self.run_all()
        self.assertEqual(self.outputs(), {name: expected for name, (_, _, expected) in forms.items()})
        self.assertEqual(result.stderr.count("detect: "), 1, result.stderr)
        self.assert_nothing_left()
        again = self.run_all()
        for name in forms:
            self.assertIn(f"{name}: datums: 0 processed, 1 skipped, ", again.stderr)

    def test_a_console_script_is_a_command_and_so_is_err_cmd(self):
        self.python_source()
        self.write("source/main.py", TOOL_FAILS)
        self.spec(glob="/", cmd=["my-tool", "--x", "a b", ""], working_dir="/")
        result = self.succeed_run("--logs")
        self.assertIn("my-tool ['--x', 'a b', '']", result.stdout + result.stderr)
        self.spec(glob="/", err_cmd=["my-tool"], err_stdin=["x"])
        self.assertIn("processed (1 recovered by err_cmd), ", self.succeed_run().stderr)

    def test_arguments_of_the_command_line_are_added(self):
        self.python_source()
        self.spec(glob="/", cmd=["python3", "edges.py", "--a"])
        self.succeed_run("--", "b c", "-d")
        self.assertEqual(self.output()["edges"].decode(), "edges.py ['--a', 'b c', '-d'] True a deep\nblue True\n")

    def test_an_artifact_without_an_environment_leaves_the_command_alone(self):
        self.shell_pipeline("exit 1\n", cmd=["sh", "-c", 'echo "$PATH ${PACHBUILD_ENV-none} $(pwd)" > /pfs/out/seen'])
        self.data(a="1")
        self.succeed_run()
        path, environment, folder = self.output()["seen"].decode().split(" ")
        self.assertEqual((path, environment), (self.environment()["PATH"], "none"))
        self.assertTrue(folder.startswith("/pfs/"), folder)

    def test_run_sh_of_a_source_with_several_programs_says_that_none_is_chosen(self):
        self.python_source()
        self.spec(glob="/", cmd=["bash"], stdin=["sh /pfs/build/run.sh"])
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        self.assertIn("error: run.sh: contains several programs: edges.py, montage.py\n"
                      "hint: name the program main.py, or set python.program in pachbuild.toml\n", result.stdout + result.stderr)
        # Without a command of its own that is an error of the build.
        self.spec(glob="/")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 65)
        self.assertIn("contains several programs: edges.py, montage.py", result.stderr)

    def test_imports_of_all_programs_are_compared(self):
        self.python_source()
        self.write("source/montage.py", "import tool\nimport nowhere_else\nif __name__ == '__main__':\n    pass\n")
        self.write("source/old.py", "print 'python 2'\n")
        self.spec(glob="/", cmd=["python3", "edges.py"])
        said = self.succeed_run().stderr
        self.assertIn("warning: montage.py:2: imports nowhere_else, which is not installed; add nowhere-else to requirements.txt", said)
        self.assertIn("warning: old.py: ", said)

    def test_go_programs_have_their_names(self):
        support.require_tool("go")
        main = ('package main\n\nimport (\n\t"fmt"\n\t"os"\n\n\t"example.com/tools/text"\n)\n\nfunc main() {\n'
                '\tos.WriteFile("/pfs/out/"+os.Getenv("PPS_PIPELINE_NAME"), []byte(fmt.Sprintf("%s %q %s\\n", "WHO", os.Args[1:], '
                'text.Word)), 0o644)\n}\n')
        self.write("source/go.mod", "module example.com/tools/v2\n\ngo 1.21\n")
        self.write("source/text/text.go", 'package text\n\nconst Word = "shared"\n')
        for name in ("a", "b"):
            self.write(f"source/cmd/{name}/main.go", main.replace("WHO", name).replace("tools/text", "tools/v2/text"))
        self.data(x="1")
        self.pipeline("one", ["a", "--x", "a b"], language="go")
        self.pipeline("two", ["bash"], language="go", stdin=["b from-bash"])
        result = self.run_all()
        self.assertEqual(self.outputs(), {"one": 'a ["--x" "a b"] shared\n', "two": 'b ["from-bash"] shared\n'})
        self.assertEqual(result.stderr.count("detect: "), 1, result.stderr)
        self.assertIn("built 2 programs, no modules ", result.stderr)
        # One that is named like the pipeline needs no command, and another build.
        self.pipeline("b", [], language="go")
        self.assertEqual(self.run_all().stderr.count("detect: "), 2)
        self.assertEqual(self.outputs()["b"], "b [] shared\n")

    def test_the_only_go_program_has_two_names(self):
        support.require_tool("go")
        self.write("source/go.mod", "module example.com/only\n\ngo 1.21\n")
        self.write("source/main.go", 'package main\n\nimport "os"\n\nfunc main() { os.WriteFile("/pfs/out/"+os.Args[1], nil, 0o644) }\n')
        self.data(x="1")
        self.spec(language="go", glob="/", cmd=["sh", "-c", "only x && main y && sh /pfs/build/run.sh z"])
        self.succeed_run()
        self.assertEqual(sorted(self.output()), ["x", "y", "z"])

    def test_builds_that_differ_are_not_shared(self):
        self.python_source()
        self.write("source/main.py", TELL)
        self.pipeline("default", [])
        self.pipeline("own", ["python3", "edges.py"])
        content = json.loads((self.folder / "specs/own.json").read_text(encoding="utf-8"))
        content["pipeline"]["name"] = "other"
        content["transform"]["build"]["env"] = {"A": "b"}
        self.write("specs/other.json", json.dumps(content))
        self.assertEqual(self.run_all().stderr.count("detect: "), 3)
        self.assertEqual(sorted(self.outputs()), ["default", "other", "own"])

    def test_a_shared_build_that_fails_is_told_once(self):
        self.write("source/requirements.txt", "not a requirement!\n")
        self.data(a="1")
        for name in ("one", "two"):
            self.pipeline(name, ["python3", "x.py"])
        self.write("source/x.py", "")
        result = self.run_all(expect=1)
        self.assertEqual(result.stderr.count("error: requirements.txt: installation failed"), 1, result.stderr)


class WorkingFolder(pipelines.PipelineSuite):
    """`./go.sh` is found where the command starts, as a worker finds it."""

    def setUp(self):
        super().setUp()
        self.data(a="1")
        self.place = self.folder / "place"
        self.program = self.write("place/go.sh", '#!/bin/sh\nprintf "%s|" "$PWD" "$@" > /pfs/out/seen\n', mode=0o755)

    def start(self, cmd, folder=None):
        self.shell_pipeline("exit 1\n", cmd=cmd, **({"working_dir": str(folder)} if folder else {}))
        return self.pachbuild_run()

    def test_a_relative_command_starts_in_the_folder(self):
        for cmd in (["./go.sh", "a b"], ["../place/go.sh", "a b"]):
            self.assertEqual(self.start(cmd, self.place).returncode, 0)
            self.assertEqual(self.output()["seen"].decode(), f"{self.place}|a b|")

    def test_what_is_not_there_or_cannot_be_executed_is_told_apart(self):
        result = self.start(["./none.sh"], self.place)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"./none.sh: command not found in {self.place}", result.stderr)
        self.program.chmod(0o644)
        self.assertIn("cannot execute ./go.sh: no execute permission", self.start(["./go.sh"], self.place).stderr)
        # A bare name is looked for in PATH only.
        self.assertIn("go.sh: command not found\n", self.start(["go.sh"], self.place).stderr.replace(" (log", "\n(log"))

    def test_with_an_environment_it_is_the_same(self):
        support.require_tool("go")
        self.write("source/go.mod", "module example.com/only\n\ngo 1.21\n")
        self.write("source/main.go", "package main\n\nfunc main() {}\n")
        self.spec(language="go", cmd=["./go.sh", "a b"], working_dir=str(self.place))
        self.succeed_run()
        self.assertEqual(self.output()["seen"].decode(), f"{self.place}|a b|")
        self.program.chmod(0o644)
        result = self.pachbuild_run("--force")
        self.assertIn("error: ./go.sh: cannot be executed: has no execute permission", result.stdout + result.stderr)


class FromAnImage(pipelines.PipelineSuite):
    """Commands that start files of an image which the source has instead."""

    def setUp(self):
        super().setUp()
        self.data(a="1")
        for path, content in (("main.py", ""), ("src/edges.py", ""), ("code/x.sh", "#!/usr/bin/env bash\n"), ("run.pl", "#!/usr/bin/perl -w\n"),
                              ("tool", "\x7fELF")):
            self.write(f"source/{path}", content)

    def said(self, verb="run", **transform):
        self.spec(**transform)
        if verb == "run":
            result = self.pachbuild_run()
        else:
            result = self.run_program(support.PACHBUILD, verb, "-f", "spec.json", env=self.environment())
        lines = [line.split(": ", 2) for line in result.stderr.splitlines() if "spec.json" in line]
        return result, [line[2] for line in lines]

    def test_the_command_is_an_error_before_anything_runs(self):
        here = " does not exist on this machine; the source has "
        for cmd, what, better in (
                (["python3", "/edges.py", "--x", "a b"], f'"/edges.py"{here}src/edges.py',
                 '["python3", "/pfs/source/src/edges.py", "--x", "a b"]'),
                (["python3", "-u", "/app/src/edges.py"], f'"/app/src/edges.py"{here}src/edges.py',
                 '["python3", "-u", "/pfs/source/src/edges.py"]'),
                (["/usr/bin/env", "python3", "/edges.py"], f'"/edges.py"{here}src/edges.py',
                 '["/usr/bin/env", "python3", "/pfs/source/src/edges.py"]'),
                (["bash", "/code/x.sh"], f'"/code/x.sh"{here}code/x.sh', '["bash", "/pfs/source/code/x.sh"]'),
                (["/app/x.sh", "a"], f'"/app/x.sh"{here}code/x.sh', '["bash", "/pfs/source/code/x.sh", "a"]'),
                (["/app/run.pl"], f'"/app/run.pl"{here}run.pl', '["perl", "/pfs/source/run.pl"]'),
                (["python3", "edges.py"], '"edges.py" is not in the source, which has src/edges.py',
                 '["python3", "/pfs/source/src/edges.py"]'),
                (["./code/x.sh"], '"./code/x.sh" cannot be executed: files in /pfs have no execute permission',
                 '["bash", "/pfs/source/code/x.sh"]')):
            with self.subTest(cmd):
                result, said = self.said(cmd=cmd)
                self.assertEqual((result.returncode, said), (65, [what]), result.stderr)
                self.assertTrue(result.stderr.endswith(f'hint: write "cmd": {better}\n'), result.stderr)
                self.assertNotIn("detect: ", result.stderr)

    def test_what_is_right_or_unknown_is_not_told(self):
        self.write("machine.py", "")
        for cmd in (["python3", str(self.folder / "machine.py")], ["python3", "/pfs/source/src/edges.py"], ["python3", "src/edges.py"],
                    ["python3", "-c", "/edges.py"], ["python3", "-m", "edges"], ["cat", "/edges.py"], ["bash", "-x", "code/x.sh"],
                    ["python3", "-W", "ignore", "main.py"], ["python3", "/pfs/source"], ["sh", "-c", "true /edges.py"], ["true"]):
            with self.subTest(cmd):
                self.assertEqual(self.said("validate", cmd=cmd)[1], [])

    def test_a_script_in_the_spec_is_a_warning(self):
        script = ["set -e; if true; then", "  FOO=1 python3 /edges.py > /dev/null && exit 1", "fi", "cd /code && bash x.sh",
                  "/code/x.sh || true", "# python3 /edges.py", 'python3 "$HOME/edges.py" || true', "exit 0"]
        result, said = self.said(cmd=["bash", "-e"], stdin=script)
        self.assertEqual(said, [
            '"/edges.py" does not exist on this machine; the source has src/edges.py; write /pfs/source/src/edges.py',
            '"/code/x.sh" does not exist on this machine; the source has code/x.sh; write bash /pfs/source/code/x.sh'], result.stderr)
        self.assertIn("spec.json:12:", result.stderr)

    def test_for_a_cluster_it_is_a_warning(self):
        result, said = self.said("validate", cmd=["python3", "/edges.py"])
        self.assertEqual((result.returncode, said), (0, [
            '"/edges.py" is a path in the image; the source has src/edges.py; write "cmd": '
            '["python3", "/pfs/source/src/edges.py"]']))
        # In another image nobody knows where a relative path leads.
        self.assertEqual(self.said("validate", cmd=["python3", "edges.py"], image="x:1")[1], [])

    def test_a_working_folder_that_is_not_there(self):
        result, said = self.said(working_dir="/no/such/app")
        self.assertEqual((result.returncode, said), (65, ['"/no/such/app" does not exist on this machine']))
        self.assertTrue(result.stderr.endswith('hint: for the folder of the source, write "working_dir": "/pfs/source"\n'))


if __name__ == "__main__":
    support.main()
