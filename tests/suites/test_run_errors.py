# SPDX-License-Identifier: Apache-2.0
"""Wrong input of `pachbuild run`: one clear line, a hint, the right exit code, and nothing done."""

import json

import pipelines
import support


class Errors(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.write("source/main.py", "print('never')\n")
        self.data(a="one")
        self.spec()

    def run_here(self, *arguments):
        return self.run_program(support.PACHBUILD, *arguments, env=self.environment())

    def refuse(self, code, expected, *arguments):
        """Runs with relative paths, so that the texts are the same everywhere."""
        result = self.run_here("run", *(arguments or ("-f", "spec.json", "--input", "data=data", "--output", "out")))
        self.assertEqual((result.returncode, result.stderr), (code, expected))
        self.assertEqual(result.stdout, "")
        self.assertFalse(self.out.exists())

    def refuse_spec(self, expected, **changes):
        content = json.loads((self.folder / "spec.json").read_text())
        for name, value in changes.items():
            if value is None:
                del content[name]
            else:
                content[name] = value
        # One line a top level field, so that places are easy to see.
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
        self.write("spec.json", "{\n" + lines + "\n}\n")
        self.refuse(65, expected)

    def test_a_missing_spec(self):
        self.refuse(65, "error: nope.json: cannot read: no such file or folder\n",
                    "-f", "nope.json", "--input", "data=data", "--output", "out")

    def test_invalid_json_and_yaml_have_line_and_column(self):
        self.write("spec.json", '{"pipeline": {"name": "p"},\n "transform" {}}')
        self.refuse(65, "error: spec.json:2:14: invalid JSON: unexpected '{'; expected ':'\n")
        self.write("spec.yaml", "pipeline:\n  name: p\n bad: x\n")
        result = self.run_here("run", "-f", "spec.yaml", "--output", "out")
        self.assertEqual(result.returncode, 65)
        self.assertRegex(result.stderr, r"^error: spec\.yaml:3:2: invalid YAML: expected a key\nhint: the keys of an object [^\n]+\n$")

    def test_no_input(self):
        self.refuse_spec('error: spec.json:1:1: missing "input"\n'
                         'hint: add "input": {"pfs": {"repo": "…", "glob": "/*"}}\n', input=None)

    def test_a_spout(self):
        self.refuse_spec("error: spec.json:4:10: spout is not supported with transform.build: make it a pipeline of its own, which runs in an image\n",
                         input=None, spout={})

    def test_an_unknown_language(self):
        self.refuse_spec('error: spec.json:3:37: transform.build.language "cobol-77" has no official builder\n'
                         f"hint: official builders: {', '.join(support.LANGUAGES)}; for another builder, name its image in transform.build.image\n", transform={"build": {"language": "cobol-77", "path": "source"}})

    def test_language_and_image_both_or_neither(self):
        hint = 'hint: set "language" for an official builder, or "image" for another one\n'
        self.refuse_spec('error: spec.json:3:24: transform.build has neither "language" nor "image"\n' + hint,
                         transform={"build": {"path": "source"}})
        self.refuse_spec('error: spec.json:3:24: transform.build has both "language" and "image"\n'
                         'hint: keep "language" for an official builder, or "image" for another one\n',
                         transform={"build": {"language": "go", "image": "i", "path": "source"}})

    def test_reserved_input_names(self):
        for name in ("source", "build"):
            result = 'error: spec.json:4:57: input.pfs.name "%s" is reserved: pachbuild puts the %s in /pfs/%s\n'
            self.refuse_spec(result % (name, name, name) + 'hint: give the input another "name"\n',
                             input={"pfs": {"repo": "data", "glob": "/*", "name": name}})

    def test_a_missing_build_path(self):
        self.refuse_spec('error: spec.json:3:55: transform.build.path "nope" does not exist\n'
                         "hint: it is relative to the spec file's folder\n",
                         transform={"build": {"language": "python", "path": "nope"}})

    def test_a_repo_without_a_folder(self):
        result = self.run_here("run", "-f", "spec.json", "--output", "out")
        self.assertEqual(result.returncode, 64)
        self.assertRegex(result.stderr, r"^error: spec\.json:\d+:\d+: no folder was given for repo data\n"
                                        r"hint: add --input data=PATH, or put the data into data/data\n$")

    def test_wrong_inputs_on_the_command_line(self):
        spec = ("-f", "spec.json", "--output", "out", "--input")
        self.refuse(64, "error: --input data=nope: cannot read: no such file or folder\n"
                        "hint: name the folder that stands for the repo\n", *spec, "data=nope")
        (self.folder / "link").symlink_to("gone")
        self.refuse(64, "error: --input data=link: is a broken symbolic link to gone\n"
                        "hint: name the folder that stands for the repo\n", *spec, "data=link")
        self.refuse(64, "error: --input data=spec.json: is not a folder\n"
                        "hint: name the folder that contains it\n", *spec, "data=spec.json")
        self.refuse(64, "error: --input data: does not have the form REPO=PATH\n"
                        "hint: for example --input scraper=pages, or --input scraper=pfs:scraper@master\n",
                    *spec, "data")
        self.refuse(64, "error: --input data=source: names repo data a second time\n",
                    *spec, "data=data", "--input", "data=source")
        self.refuse(64, "error: --input other=data: no input of spec.json reads repo other\n",
                    *spec, "data=data", "--input", "other=data")

    def test_an_output_among_the_inputs(self):
        for output, what in (("data/out", "repo data"), ("source", "the source"), (".", "the source")):
            result = self.run_here("run", "-f", "spec.json", "--input", "data=data", "--output", output)
            self.assertEqual(result.returncode, 64)
            self.assertRegex(result.stderr, rf"^error: --output {output}: overlaps with {what} \(.*\)\n"
                                            "hint: choose a separate folder\n$")

    def test_an_output_that_cannot_be_made(self):
        self.write("file", "")
        result = self.run_here("run", "-f", "spec.json", "--input", "data=data", "--output", "file/out")
        self.assertEqual(result.returncode, 73)
        self.assertRegex(result.stderr, "^error: .*/file/out: cannot create: a part of the path is not a folder\n$")

    def test_an_output_that_is_a_file(self):
        self.write("file", "")
        for option in ("--output", "-o"):
            result = self.run_here("run", "-f", "spec.json", "--input", "data=data", option, "file")
            self.assertEqual((result.returncode, result.stderr), (73, f"error: {option} file: is not a folder\n"))

    def test_a_cache_that_is_a_file(self):
        file = self.write("file", "")
        self.cache = file
        result = self.run_here("run", "-f", "spec.json", "--input", "data=data", "--output", "out")
        self.assertEqual((result.returncode, result.stderr),
                         (73, f"error: PACHBUILD_CACHE_DIR: {file} is not a folder\n"))

    def test_an_empty_source(self):
        (self.folder / "source/main.py").unlink()
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 65)
        self.assertRegex(result.stderr, "^error: .*/source: has no source files\n")

    def test_a_source_without_a_program(self):
        (self.folder / "source/main.py").rename(self.folder / "source/notes.txt")
        self.refuse(65, "error: source: no program found: expected main.py or another .py file at the root\n"
                        "hint: name the program main.py, or set python.program in pachbuild.toml\n")
        self.spec(language="go")
        self.refuse(65, "error: source: has no Go files\n"
                        "hint: add a main.go with package main\n")

    def test_a_syntax_error_in_go(self):
        support.require_tool("go")
        self.cache = support.shared_cache("go")
        self.spec(language="go")
        self.write("source/go.mod", "module example.com/p\n\ngo 1.21\n")
        self.write("source/main.go", "package main\n\nfunc main() {\n\tx :=\n}\n")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("source/main.go:5:1: syntax error: unexpected }, expected expression\n", result.stderr)
        self.assertEqual(result.stderr.count("error: "), 2, result.stderr)  # Go's own, and one line of ours

    def test_a_requirement_that_does_not_exist(self):
        support.require_network()
        self.write("source/requirements.txt", "no-such-package-of-pachbuild==1\n")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("no-such-package-of-pachbuild was not found in the package registry", result.stderr)
        self.assertIn("\nerror: requirements.txt: ", result.stderr)

    def test_the_command_line_itself(self):
        hint = "hint: see pachbuild run --help\n"
        self.refuse(64, "error: unknown option --bogus\n" + hint, "--bogus")
        for option in ("--output", "-o"):
            form = "DIR" if option == "--output" else "DIR|json"
            self.refuse(64, f"error: {option}: requires a value ({form})\n" + hint,
                        "-f", "spec.json", "--input", "data=data", option, "")
        self.refuse(64, "error: --workers 0: must be a whole number from 1 to 1024\n" + hint,
                    "-f", "spec.json", "--output", "out", "--workers", "0")
        result = self.run_here("frobnicate")
        self.assertEqual((result.returncode, result.stderr), (64, "error: unknown command frobnicate\nhint: see pachbuild --help\n"))

    def test_help_and_version_are_results(self):
        version = self.run_here("--version")
        self.assertEqual((version.returncode, version.stderr), (0, ""))
        self.assertRegex(version.stdout, r"^pachbuild \d+\.\d+\.\d+( \([0-9a-f]{7}\+? \d{4}-\d\d-\d\d\))?\n$")
        for arguments in (("--help",), ("run", "--help")):
            result = self.run_here(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("run", result.stdout)

    def test_errors_as_json(self):
        result = self.run_program(support.PACHBUILD, "run", "-f", "nope.json", "--output", "out",
                                  env=self.environment(PACHBUILD_LOG="json"))
        self.assertEqual(json.loads(result.stderr), {"level": "error", "where": "nope.json", "code": 65,
                                                     "message": "cannot read: no such file or folder"})


if __name__ == "__main__":
    support.main()
