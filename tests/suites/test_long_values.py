# SPDX-License-Identifier: Apache-2.0
"""Names, values and lines of any length in the user's files: what is said about them is short, and names the fault."""

import json

import pipelines
import support

LONG = 1 << 20
SHORT = 20_000  # of the whole output, however much is wrong


class LongValues(pipelines.PipelineSuite):

    def refused(self, result, *reasons):
        """An error of bad input that is short and still has these words."""
        self.assertEqual(result.returncode, 65, result.stderr[:2000])
        self.assert_short(result, *reasons)

    def assert_short(self, result, *reasons):
        self.assertLess(len(result.stdout) + len(result.stderr), SHORT)
        for reason in reasons:
            self.assertIn(reason, result.stdout + result.stderr)

    def ignore(self, line):
        self.data(a="one")
        self.shell_pipeline("true\n")
        self.write("source/.pachignore", line)

    def test_a_line_of_pachignore_that_is_no_pattern(self):
        for end, reason in (("[", "["), ("{", "{")):
            self.ignore("fine\n" + "x" * LONG + end + "\n")
            self.refused(self.pachbuild_run(), ".pachignore:2: \"xxx", "xxx" + reason + "\": ")

    def test_in_json_as_well(self):
        self.ignore("x" * LONG + "[\n")
        result = self.pachbuild_run(env=self.environment(PACHBUILD_LOG="json"))
        self.refused(result)
        self.assertIn("xxx", json.loads(result.stderr.splitlines()[-1])["message"])

    def test_the_line_that_decides_about_a_file(self):
        self.ignore("{" + "x" * 3000 + ",*}\n")
        result = self.run_program(support.PACHBUILD, "ignored", self.folder / "source/data")
        self.assert_short(result, "source/data: left out  (.pachignore:1: {xxx", "x,*})\n")
        self.assertLess(len(result.stdout), 600)

    def test_a_line_and_a_name_cannot_forge_an_answer(self):
        self.ignore("*\x1bc*\x07*\n")
        result = self.succeed(support.PACHBUILD, "ignored", "--source", self.folder / "source",
                              str(self.folder / "source/bad\x1bc\x07\nok: part of the source"))
        self.assertNotIn("\x1b", result.stdout)
        self.assertEqual(result.stdout.count("\n"), 1)

    def test_values_of_a_spec(self):
        self.data(a="one")
        self.write("source/main.py", "")
        long = "x" * (LONG // 4)  # a spec has 1 MiB at most
        pfs = {"repo": "data", "glob": "/*"}
        for content, reason in (
                ({"pipeline": {"name": long + "/"}}, "invalid name"),
                ({long: 1}, "has no field"),
                ({"input": {"pfs": {**pfs, "glob": long + "["}}}, "xxx[\""),
                ({"input": {"pfs": {**pfs, "name": long + "/"}}}, "invalid input name"),
                ({"input": {"pfs": {**pfs, "repo": long + "/"}}}, "invalid repo name"),
                ({"transform": {"build": {"language": long, "path": "./source"}}}, "has no official builder"),
                ({"transform": {"build": {"language": "python", "path": long}}}, "xxx"),
                ({"datum_timeout": long}, "invalid duration")):
            spec = {"pipeline": {"name": "edges"}, "input": {"pfs": pfs},
                    "transform": {"build": {"language": "python", "path": "./source"}}, **content}
            self.write("spec.json", json.dumps(spec))
            with self.subTest(reason):
                self.refused(self.pachbuild_run(), reason)

    def test_a_key_that_is_there_twice(self):
        self.write("spec.json", '{"%s": 1, "%s": 2}' % (("x" * (LONG // 4),) * 2))
        self.refused(self.pachbuild_run(), "has no field")

    def test_very_many_faults(self):
        self.write("spec.json", json.dumps({f"field{number}": 1 for number in range(1000)}))
        self.refused(self.pachbuild_run(), "has no field", "error: 903 more errors not shown\n")

    def test_many_names_that_pfs_cannot_store(self):
        self.data(a="one")
        self.shell_pipeline("true\n")
        for number in range(300):
            self.write(f"source/{'n' * 200}{number}(1)", "")
        self.refused(self.pachbuild_run(), "300 invalid file names for PFS: ", " and 250 more")


if __name__ == "__main__":
    support.main()
