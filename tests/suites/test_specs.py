# SPDX-License-Identifier: Apache-2.0
"""Specs as people have them: what pachctl takes, templates and folders, and everything that is wrong told at once."""

import json

import pipelines
import support

PLAIN = '{"pipeline": {"name": "%s"}, "transform": {"image": "i:1", "cmd": ["true"]}, "input": {"pfs": {"repo": "r", "glob": "/"}}}'


class SpecSuite(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.write("source/main.py", "print('never')\n")

    def pachbuild(self, *words, code=0, **changes):
        result = self.run_program(support.PACHBUILD, *words, env=self.environment(PACHCTL="/nowhere/pachctl", **changes))
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def sent(self, *words):
        """What update would send: the specs, and what it says."""
        result = self.pachbuild("update", "pipeline", *words, "--dry-run", "-o", "json")
        return support.read_objects(result.stdout), result.stderr


class Specs(SpecSuite):

    def test_all_faults_are_told_in_one_go(self):
        self.write("specs/a.yaml", "pipeline: {name: a}\nstandby: true\ntransform: {cmd: [x], usr: me}\n"
                   "input: {atom: {repo: r, glob: /}}\n")
        self.write("specs/b.json", '{"pipeline": {"name": "b"},\n "enable_stats": true,\n "resource_spec": {},\n'
                   ' "transform": {"build": {"language": "pyton", "path": "../source"}},\n'
                   ' "inputs": [], "batch": false,\n "parallelism_spec": {"strategy": "CONSTANT", "coefficient": 1}}\n')
        self.write("specs/c.json", '{"pipeline": {"name": "c" "x": 1}}')
        result = self.pachbuild("validate", "-f", "specs", code=65)
        self.assertEqual(result.stdout, "")
        removed = "was removed in Pachyderm 2.0\nhint:"
        self.assertEqual(
            result.stderr,
            "error: specs/c.json:1:27: invalid JSON: unexpected string; expected ',' or '}'\n"
            f'error: specs/a.yaml:2:10: standby {removed} use "autoscaling"\n'
            'error: specs/a.yaml:3:28: transform has no field "usr"\nhint: did you mean "user"?\n'
            f'error: specs/a.yaml:4:15: input.atom {removed} use "pfs" with the same fields\n'
            f"error: specs/b.json:2:18: enable_stats {removed} remove it: statistics are always collected\n"
            f'error: specs/b.json:3:19: resource_spec {removed} use "resource_requests"\n'
            'error: specs/b.json:4:38: transform.build.language "pyton" has no official builder\n'
            f'hint: did you mean "python"? official builders: {", ".join(support.LANGUAGES)}; for another builder, name '
            "its image in transform.build.image\n"
            f'error: specs/b.json:5:12: inputs {removed} use "input": {{"pfs": {{…}}}}, or '
            '{"cross": […]} for several inputs\n'
            f"error: specs/b.json:5:25: batch {removed} remove it\n"
            f'error: specs/b.json:6:35: parallelism_spec.strategy {removed} use "constant"\n'
            f'error: specs/b.json:6:62: parallelism_spec.coefficient {removed} use "constant"\n')

    def test_run_tells_all_of_them_too(self):
        self.data(a="1")
        self.spec(user=5, pipeline={"standby": True})
        result = self.pachbuild("run", "-f", "spec.json", "--input", "data=data", "--output", "out", code=65)
        self.assertEqual([line.split(": ")[2] for line in result.stderr.splitlines() if line.startswith("error")],
                         ["transform.user must be a string, not 5", "standby was removed in Pachyderm 2.0"])
        result = self.pachbuild("run", "-f", "spec.json", "--output", "out", code=65, PACHBUILD_LOG="json")
        self.assertEqual([json.loads(line)["code"] for line in result.stderr.splitlines()], [65, 65])

    def test_json_as_pachctl_takes_it(self):
        self.write("p.json", "# two\n" + PLAIN % "a" + "\n---\n"
                   '{"pipeline": {"name": "b"},\n "datum_tries": 1, "datum_tries": "2",\n'
                   ' "resource_requests": {"cpu": "0.5"},\n "input": {"pfs": {"repo": "r", "glob": "/",},},}\n')
        specs, said = self.sent("-f", "p.json")
        self.assertEqual([spec["pipeline"]["name"] for spec in specs], ["a", "b"])
        self.assertEqual(specs[1]["datum_tries"], "2")
        self.assertEqual(specs[1]["resource_requests"], {"cpu": "0.5"})
        self.assertEqual(said, 'warning: p.json:5:20: duplicate key "datum_tries": this value is used; the first '
                         "is on line 5\n")

    def test_what_has_no_build_goes_through_whatever_it_has(self):
        spec = {"pipeline": {"name": "a b"}, "standby": True, "from": {"the": ["future"]}, "transform": {"cmd": "x"}}
        self.write("p.json", json.dumps(spec))
        self.assertEqual(self.sent("-f", "p.json")[0], [spec])
        self.pachbuild("validate", "-f", "p.json", code=65)

    def test_what_only_a_cluster_does_is_a_warning_of_validate(self):
        self.spec(pipeline={"egress": {"URL": "s3://b"}})
        result = self.pachbuild("validate", "-f", "spec.json")
        self.assertEqual(result.stdout, "edges: ok, 1 source file\n")
        self.assertRegex(result.stderr, r"^warning: spec\.json:\d+:\d+: egress works only on a cluster; `pachbuild run` refuses it\n$")

    def test_what_is_built_cannot_be_a_batch_on_a_cluster(self):
        self.spec(datum_batching=True)
        what = r"spec\.json:\d+:\d+: transform\.datum_batching does not work with transform\.build on a cluster: .*\n"
        self.assertRegex(self.pachbuild("validate", "-f", "spec.json").stderr, "^warning: " + what + "$")
        self.assertRegex(self.pachbuild("update", "pipeline", "-f", "spec.json", code=65).stderr,
                         "^error: " + what + "hint: put the program into transform.image\n$")

    def test_a_folder_and_the_folders_in_it(self):
        self.write("specs/1/x.json", PLAIN % "one")
        self.write("specs/a.yml", "pipeline: {name: list}\ntransform: {cmd: [x]}\ninput: {cron: {name: t, spec: '@daily'}}\n")
        self.write("specs/2/deep/list.json", "[" + PLAIN % "two" + ", " + PLAIN % "three" + "]")
        self.write("specs/2/package.json", '{"name": "not a pipeline"}')
        self.write("specs/.git/x.json", PLAIN % "hidden")
        specs, _ = self.sent("-f", "specs")
        self.assertEqual([spec["pipeline"]["name"] for spec in specs], ["list", "one", "two", "three"])

    def test_the_build_of_a_long_name_is_called_by_its_digest(self):
        name = "n" * 46
        self.spec(pipeline={"pipeline": {"name": name}})
        (build, running), _ = self.sent("-f", "spec.json")
        self.assertEqual(build["pipeline"]["name"], "n" * 36 + "-c043d3b9_build")
        self.assertEqual(build["input"]["pfs"]["repo"], build["pipeline"]["name"] + "_source")
        self.assertEqual(running["input"]["cross"][0]["pfs"]["repo"], name + "_source")
        self.assertEqual(running["input"]["cross"][1]["pfs"]["repo"], build["pipeline"]["name"])

    def test_durations_are_sent_in_seconds(self):
        self.spec(pipeline={"datum_timeout": "1h30m"})
        self.assertEqual(self.sent("-f", "spec.json")[0][1]["datum_timeout"], "5400s")

    def test_near_names(self):
        self.data(a="1")
        self.spec()
        run = ("run", "--output", "out", "-f")
        self.assertIn('hint: did you mean "spec.json"?\n',
                      self.pachbuild(*run, "specs.json", "--input", "data=data", code=65).stderr)
        self.assertEqual(self.pachbuild(*run, "spec.json", "--input", "dat=data", code=64).stderr,
                         "error: --input dat=data: no input of spec.json reads repo dat\n" 'hint: did you mean "data"?\n')
        self.assertIn('hint: did you mean "data"?\n',
                      self.pachbuild(*run, "spec.json", "--input", "data=dtaa", code=64).stderr)

    def test_run_and_validate_refuse_the_same_sources(self):
        self.data(a="1")
        self.spec()
        self.write("source/large.bin", b"x" * 3000)
        self.write("source/a[1].txt", "")
        run = ("run", "-f", "spec.json", "--input", "data=data", "--output", "out")
        for words in (("validate", "-f", "spec.json"), run):
            self.assertEqual(
                self.pachbuild(*words, "--max-file-size", "2k", code=65).stderr,
                "error: ./source/large.bin: is 2.9 KiB; the limit is 2.0 KiB\n"
                "hint: list it in .pachignore, or raise --max-file-size\n"
                'error: ./source: invalid file name for PFS: "a[1].txt" contains [ ]\n'
                "hint: names must be printable ASCII without * ? [ ] { } ! ( ) @ + ^; rename them, or list them in .pachignore\n")

    def test_names_of_data_that_pfs_cannot_hold_are_told_before_anything_runs(self):
        self.data(a="1")
        self.write("data/report (1).csv", "")
        self.write("data/é/b", "")
        self.spec()
        result = self.pachbuild("run", "-f", "spec.json", "--input", "data=data", "--output", "out", code=65)
        self.assertIn(
            f'error: {self.folder}/data: 2 invalid file names for PFS: "report (1).csv" contains ( ), "é/b" contains é\n'
            "hint: names must be printable ASCII without * ? [ ] { } ! ( ) @ + ^; rename them\n", result.stderr)
        self.assertFalse(self.out.exists())


TEMPLATE = """
// A function, as pachctl wants it; "import" is a word here.
function(name, tries="3") {
  pipeline: { name: name },
  transform: { build: { language: "python", path: "./source" }, stdin: ["import os", 'import "x"', |||
    import this
  |||] },
  input: { pfs: { repo: "data", glob: "/*" } },
  datum_tries: tries,
}
"""


class Templates(SpecSuite):

    def setUp(self):
        super().setUp()
        support.require_tool("jsonnet")
        self.write("p.jsonnet", TEMPLATE)

    def test_a_template_is_a_spec(self):
        (_, running), _ = self.sent("--jsonnet", "p.jsonnet", "--arg", "name=a", "--arg", "tries=5")
        self.assertEqual((running["pipeline"]["name"], running["datum_tries"]), ("a", 5))
        self.assertEqual(running["transform"]["stdin"], ["import os", 'import "x"', "import this\n"])
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonnet", "--arg", "name=a").stdout,
                         "a: ok, 1 source file\n")

    def test_a_template_runs(self):
        self.data(a="one")
        self.write("source/build.sh", pipelines.COPY_RUN_SCRIPT)
        self.write("source/program.sh", "cp /pfs/data/* /pfs/out/\n")
        self.pachbuild("run", "--jsonnet", "p.jsonnet", "--arg", "name=a", "--input", "data=data", "--output", "out")
        self.assertEqual(self.output(), {"a": b"one"})

    def test_what_is_wrong_with_a_template(self):
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonnet", code=65).stderr,
                         'error: p.jsonnet: parameter "name" has no value\nhint: add --arg name=VALUE\n')
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonnet", "--arg", "name", code=64).stderr,
                         "error: --arg name: does not have the form KEY=VALUE\nhint: for example --arg image=ubuntu:24.04\n")
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonet", code=65).stderr,
                         'error: p.jsonet: cannot read: no such file or folder\nhint: did you mean "p.jsonnet"?\n')
        self.write("p.jsonnet", "{\n  a: }")
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonnet", code=65).stderr,
                         'error: p.jsonnet:2:6: is not a valid template: unexpected: "}" while parsing terminal\n')
        self.write("p.jsonnet", "{\n  a: error 'why'\n}")
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonnet", code=65).stderr,
                         "error: p.jsonnet:2:6: is not a valid template: why\n")
        self.write("p.jsonnet", "{\n  pipline: {name: 'a'},\n  transform: {}, input: {pfs: {}} }")
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonnet", code=65).stderr,
                         'error: p.jsonnet (its result):3:14: input.pfs has no "repo"\n'
                         'error: p.jsonnet (its result):3:14: input.pfs has no "glob"\n'
                         'hint: "/*" makes a datum of each file and folder\n'
                         'error: p.jsonnet (its result):5:15: a pipeline spec has no field "pipline"\n'
                         'hint: did you mean "pipeline"?\n')

    def test_a_template_reads_no_file(self):
        self.write("secret", "word")
        for text in ("{a: importstr 'secret'}", "/* import */ local x = import 'secret'; x", "[@'a''' , import 'b']"):
            self.write("p.jsonnet", text)
            self.assertRegex(self.pachbuild("validate", "--jsonnet", "p.jsonnet", code=65).stderr,
                             "^error: p.jsonnet: imports a file; templates cannot import files\n")

    def test_without_jsonnet_it_says_how_to_get_it(self):
        self.assertEqual(self.pachbuild("validate", "--jsonnet", "p.jsonnet", code=69, PATH="/nowhere").stderr,
                         "error: p.jsonnet: jsonnet is not on PATH\n"
                         "hint: install it (apt install jsonnet), or save the template's result as JSON\n")

    def test_the_command_line(self):
        hint = "hint: see pachbuild validate --help\n"
        self.assertEqual(self.pachbuild("validate", code=64).stderr,
                         "error: the current folder has no pipeline spec\n"
                         "hint: name one (pachbuild validate -f SPEC), or create a pipeline (pachbuild init)\n")
        self.assertEqual(self.pachbuild("validate", "-f", "", code=64).stderr,
                         "error: no spec was given\n"
                         "hint: name a file or folder of specs (-f SPEC), or a template (--jsonnet)\n")
        self.assertEqual(self.pachbuild("validate", "-f", "a", "--jsonnet", "b", code=64).stderr,
                         "error: --file: cannot be used with --jsonnet\n" + hint)


if __name__ == "__main__":
    support.main()
