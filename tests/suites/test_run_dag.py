# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` over several pipelines that read each other's results, and over every kind of input."""

import json
import signal
import subprocess
import time

import pipelines
import support

UPPER = 'for file in /pfs/data/*; do tr a-z A-Z < "$file" > "/pfs/out/$(basename "$file")"; done\n'
# The variables and files that a datum has, one file a datum.
SHOW = ('{ env | grep -E "^(PACH_DATUM_.*(JOIN_ON|GROUP_BY)|a|b|tick)=" | sort\n'
        'cd /pfs && find -L a b tick -type f -o -type p 2>/dev/null | sort | while read -r file; do echo "$file: $(cat "$file")"; done\n'
        '} > "/pfs/out/$PACH_DATUM_ID"\n')


class Dag(pipelines.PipelineSuite):

    def pipeline(self, name, program, input, **changes):
        """A pipeline in a folder of its own below specs/."""
        self.write(f"specs/{name}/build.sh", pipelines.COPY_RUN_SCRIPT)
        self.write(f"specs/{name}/program.sh", program)
        content = {"pipeline": {"name": name}, "transform": {"build": {"language": "python"}}, "input": input, **changes}
        return self.write(f"specs/{name}/pipeline.json", json.dumps(content, indent=2))

    def dag(self, *arguments, inputs=("data",), files=("specs",), expect=0, **options):
        command = [support.PACHBUILD, "run"]
        for file in files:
            command += ["-f", str(self.folder / file)]
        for name in inputs:
            command += ["--input", f"{name}={self.folder / name}"]
        command += ["--output", str(self.out), *map(str, arguments)]
        result = self.run_program(*command, env=self.environment(), **options)
        self.assertEqual(result.returncode, expect, result.stderr)
        return result

    def result_of(self, name):
        return {key: value.decode() for key, value in self.output(self.out / name).items()}

    def chain(self):
        """data -> first -> second -> third, and other, which reads data alone."""
        self.data(a="one", b="two")
        each = 'for file in /pfs/{0}/*; do echo "{1} $(cat "$file")" > "/pfs/out/$(basename "$file")"; done\n'
        for name, reads in (("third", "second"), ("first", "data"), ("second", "first"), ("other", "data")):
            self.pipeline(name, each.format(reads, name), {"pfs": {"repo": reads, "glob": "/*"}})

    def test_one_pipeline_and_several_share_no_folder(self):
        self.data(a="one")
        self.pipeline("first", UPPER, {"pfs": {"repo": "data", "glob": "/*"}})
        self.dag()
        self.pipeline("other", UPPER, {"pfs": {"repo": "data", "glob": "/*"}})
        hint = "hint: choose another --output, or remove that folder\n"
        contains = f"error: {self.out}: contains the output of "
        self.assertEqual(self.dag(expect=73).stderr,
                         f"{contains}pipeline first, not a subfolder for each pipeline\n{hint}")
        self.assertEqual(self.output(), {"a": b"ONE"})
        self.succeed("rm", "-rf", self.out)
        self.dag()
        self.assertRegex(self.dag(files=("specs/first/pipeline.json",), expect=73).stderr,
                         f"^{contains}several pipelines, such as (first|other), in subfolders\n"
                         f'hint: choose another --output, such as "{self.out}/first"\n$')

    def test_each_result_is_the_next_ones_input(self):
        self.chain()
        result = self.dag()
        self.assertEqual(self.result_of("third"), {"a": "third second first one\n", "b": "third second first two\n"})
        self.assertEqual(self.result_of("other"), {"a": "other one\n", "b": "other two\n"})
        for name in ("first", "second", "third", "other"):
            self.assertIn(f"{name}: datums: 2 processed, 0 skipped, ", result.stderr)
        again = self.dag()
        for name in ("first", "second", "third", "other"):
            self.assertIn(f"{name}: datums: 0 processed, 2 skipped, ", again.stderr)
        self.assert_nothing_left()

    def test_an_edit_runs_what_hangs_on_it(self):
        self.chain()
        self.dag()
        self.write("specs/second/program.sh", 'cp /pfs/first/* /pfs/out/\n')
        result = self.dag()
        for name, counts in (("first", "0 processed, 2 skipped"), ("other", "0 processed, 2 skipped"), ("second", "2 processed, 0 skipped"),
                             ("third", "2 processed, 0 skipped")):
            self.assertIn(f"{name}: datums: {counts}, ", result.stderr)
        self.assertEqual(self.result_of("third")["a"], "third first one\n")

    def test_changed_data_runs_its_datum_everywhere(self):
        self.chain()
        self.dag()
        self.data(a="changed")
        result = self.dag()
        for name in ("first", "second", "third", "other"):
            self.assertIn(f"{name}: datums: 1 processed, 1 skipped, ", result.stderr)
        self.assertEqual(self.result_of("third")["a"], "third second first changed\n")

    def test_the_same_result_of_edited_code_runs_nothing_behind_it(self):
        self.chain()
        self.dag()
        program = (self.folder / "specs/first/program.sh").read_text()
        self.write("specs/first/program.sh", "# a comment\n" + program)
        result = self.dag()
        self.assertIn("first: datums: 2 processed, 0 skipped, ", result.stderr)
        self.assertIn("second: datums: 0 processed, 2 skipped, ", result.stderr)

    def test_what_hangs_on_a_failure_is_left_out_and_the_rest_goes_on(self):
        self.chain()
        self.write("specs/first/program.sh", "echo no >&2; exit 3\n")
        result = self.dag(expect=1)
        self.assertRegex(result.stderr, "warning: first: datum data/[ab] failed: exit code 3")  # whichever fails first
        self.assertIn("warning: pipeline second was not run: it reads first, which has no result\n", result.stderr)
        self.assertIn("warning: pipeline third was not run: it reads second, which has no result\n", result.stderr)
        self.assertIn("other: datums: 2 processed, ", result.stderr)
        self.assertEqual(sorted(path.name for path in self.out.iterdir() if any(path.iterdir())), ["other"])
        self.assert_nothing_left()

    def test_a_build_that_fails_is_a_failure_as_well(self):
        self.chain()
        self.write("specs/first/build.sh", "echo printed; exit 65\n")
        result = self.dag(expect=1)
        self.assertIn("first: printed\n", result.stderr)
        self.assertIn("warning: first: could not be built\n", result.stderr)
        self.assertIn("warning: pipeline second was not run: it reads first", result.stderr)
        self.assertIn("other: datums: 2 processed, ", result.stderr)

    def test_one_pipeline_and_what_it_needs(self):
        self.chain()
        result = self.dag("--pipeline", "second")
        self.assertEqual(self.result_of("second")["a"], "second first one\n")
        self.assertNotIn("third: ", result.stderr)
        self.assertNotIn("other: ", result.stderr)
        self.assertFalse((self.out / "third").exists())

    def test_a_folder_can_stand_for_a_result(self):
        self.chain()
        self.write("first/a", "given\n")
        result = self.dag("--pipeline", "second", inputs=("first",))
        self.assertEqual(self.result_of("second"), {"a": "second given\n"})
        self.assertNotIn("first: build", result.stderr)
        refused = self.dag(inputs=("data", "first"), expect=64)
        self.assertIn("pipeline first writes this repo itself", refused.stderr)

    def test_everything_is_checked_before_anything_runs(self):
        self.chain()
        missing = self.dag(inputs=(), expect=64)
        self.assertIn("no folder was given for repo data\nhint: add --input data=PATH, or put the data into ", missing.stderr)
        self.pipeline("more", "true\n", {"cross": [{"pfs": {"repo": "x", "glob": "/"}}, {"pfs": {"repo": "y", "glob": "/"}}]})
        several = self.dag(expect=64)
        self.assertIn("no folders were given for the repos x, y\nhint: add --input x=PATH --input y=PATH, or put ", several.stderr)
        self.pipeline("more", "true\n", {"pfs": {"repo": "more2", "glob": "/"}})
        self.pipeline("more2", "true\n", {"pfs": {"repo": "more", "glob": "/"}})
        circle = self.dag(expect=65)
        self.assertRegex(circle.stderr, "the pipelines form a cycle: (more reads more2, which reads more|"
                                        "more2 reads more, which reads more2)\n")
        self.write("specs/twice.json", (self.folder / "specs/other/pipeline.json").read_text())
        twice = self.dag(expect=65)
        self.assertIn('pipeline name "other" is already used', twice.stderr)
        unknown = self.dag("--pipeline", "nobody", files=("specs/other", "specs/first"), expect=64)
        self.assertIn("no such pipeline\nhint: pipelines: ", unknown.stderr)
        self.assertFalse(self.out.exists())

    def test_an_empty_result_is_no_error(self):
        self.chain()
        self.write("specs/first/program.sh", "true\n")
        result = self.dag()
        self.assertIn("warning: second: the input has no datums\n", result.stderr)
        self.assertEqual(self.result_of("third"), {})

    def test_lazy_and_empty_files_of_results(self):
        self.data(a="one", b="two")
        self.pipeline("first", UPPER, {"pfs": {"repo": "data", "glob": "/*"}})
        self.pipeline("lazy", 'cat /pfs/first/* > /pfs/out/all\n', {"pfs": {"repo": "first", "glob": "/", "lazy": True}})
        self.pipeline("names", 'wc -c /pfs/first/* | tail -n 1 > /pfs/out/all; ln -s /pfs/first/a /pfs/out/a\n',
                      {"pfs": {"repo": "first", "glob": "/", "empty_files": True}})
        self.dag()
        self.assertEqual(self.result_of("lazy"), {"all": "ONETWO"})
        self.assertEqual(self.result_of("names"), {"all": "0 total\n", "a": "ONE"})

    def test_a_program_cannot_change_a_result_by_its_input(self):
        self.data(a="one")
        self.pipeline("first", UPPER, {"pfs": {"repo": "data", "glob": "/*"}})
        self.pipeline("vandal", 'echo changed > /pfs/first/a; cp /pfs/first/a /pfs/out/\n', {"pfs": {"repo": "first", "glob": "/*"}})
        for _ in range(2):
            self.dag("--force")
            self.assertEqual(self.result_of("first"), {"a": "ONE"})
            self.assertEqual(self.result_of("vandal"), {"a": "changed\n"})

    def test_pipelines_without_a_build(self):
        self.data(a="one")
        self.pipeline("first", UPPER, {"pfs": {"repo": "data", "glob": "/*"}})
        spec = {"pipeline": {"name": "plain"}, "input": {"pfs": {"repo": "first", "glob": "/*"}},
                "transform": {"image": "debian", "cmd": ["sh"], "stdin": ["ls /pfs > /pfs/out/list", "cat $first >> /pfs/out/list"]}}
        self.write("specs/plain.json", json.dumps(spec))
        refused = self.dag(expect=65)
        self.assertIn("pipeline plain has no transform.build and runs in an image\n", refused.stderr)
        self.dag("--host-commands")
        self.assertEqual(self.result_of("plain"), {"list": "first\nout\nONE"})

    def test_a_run_that_is_stopped_ends_at_once_and_keeps_what_was_finished(self):
        self.chain()
        marker = self.folder / "marker"
        self.write("specs/second/program.sh", f"touch {marker}; exec sleep 876543\n")
        process = subprocess.Popen([support.PACHBUILD, "run", "-f", self.folder / "specs", "--input",
                                    f"data={self.folder / 'data'}", "--output", self.out], env=self.environment(),
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 30
        while not marker.exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        errors = process.stderr.read()
        self.assertEqual(process.wait(timeout=10), 128 + signal.SIGTERM, errors)
        self.assertEqual(errors.count("warning: interrupted"), 1, errors)
        self.assert_nothing_left()
        self.chain()
        result = self.dag()
        self.assertIn("first: datums: 0 processed, 2 skipped, ", result.stderr)

    # Inputs

    def shown(self, input, **repos):
        """What each datum of a pipeline with this input sees, sorted."""
        for name, files in repos.items():
            (self.folder / name).mkdir(exist_ok=True)
            for path, content in files.items():
                self.write(f"{name}/{path}", content)
        self.pipeline("show", SHOW, input)
        self.dag(inputs=list(repos), files=("specs/show",))
        return sorted(value.decode() for value in self.output().values())

    def test_joins(self):
        a = {"pfs": {"repo": "a", "glob": "/(*).txt", "join_on": "$1"}}
        b = {"pfs": {"repo": "b", "glob": "/*-(*)", "join_on": "$1", "outer_join": True}}
        seen = self.shown({"join": [a, b]}, a={"1.txt": "A1", "2.txt": "A2"}, b={"x-1": "B1", "y-1": "B2", "x-3": "B3"})
        self.assertEqual(seen, [
            "PACH_DATUM_a_JOIN_ON=1\nPACH_DATUM_b_JOIN_ON=1\na=/pfs/a/1.txt\nb=/pfs/b/x-1\na/1.txt: A1\nb/x-1: B1\n",
            "PACH_DATUM_a_JOIN_ON=1\nPACH_DATUM_b_JOIN_ON=1\na=/pfs/a/1.txt\nb=/pfs/b/y-1\na/1.txt: A1\nb/y-1: B2\n",
            "PACH_DATUM_b_JOIN_ON=3\nb=/pfs/b/x-3\nb/x-3: B3\n"])

    def test_a_datum_has_nothing_of_the_one_before(self):
        """One worker runs all of them: an input that a datum lacks is not there."""
        seen = self.shown({"union": [{"pfs": {"repo": "a", "glob": "/*"}}, {"pfs": {"repo": "b", "glob": "/*"}}]},
                          a={"1": "A1", "2": "A2"}, b={"3": "B3"})
        self.assertEqual(seen, ["a=/pfs/a/1\na/1: A1\n", "a=/pfs/a/2\na/2: A2\n", "b=/pfs/b/3\nb/3: B3\n"])

    def test_groups_have_several_files_of_one_input(self):
        seen = self.shown({"group": [{"pfs": {"repo": "a", "glob": "/(*)-*", "group_by": "$1"}}]},
                          a={"x-1": "X1", "x-2": "X2", "y-1": "Y1"})
        self.assertEqual([line for text in seen for line in text.splitlines() if line.startswith("a/")],
                         ["a/x-1: X1", "a/x-2: X2", "a/y-1: Y1"])
        self.assertEqual(len(seen), 2)

    def test_a_group_of_lazy_files(self):
        seen = self.shown({"group": [{"pfs": {"repo": "a", "glob": "/(*)-*", "group_by": "$1", "lazy": True}}]},
                          a={"x-1": "X1", "x-2": "X2"})
        self.assertEqual(len(seen), 1)
        self.assertIn("a/x-1: X1\na/x-2: X2\n", seen[0])

    def test_names_repeat_in_a_union(self):
        seen = self.shown({"union": [{"pfs": {"repo": "a", "name": "a", "glob": "/*"}},
                                     {"pfs": {"repo": "b", "name": "a", "glob": "/*"}}]}, a={"1": "A"}, b={"1": "B"})
        self.assertEqual(seen, ["a=/pfs/a/1\na/1: A\n", "a=/pfs/a/1\na/1: B\n"])

    def test_a_cron_input_has_one_tick(self):
        self.pipeline("show", SHOW, {"cross": [{"cron": {"name": "tick", "spec": "@daily"}}, {"pfs": {"repo": "a", "glob": "/*"}}]})
        self.write("a/1", "A")
        for _ in range(2):
            result = self.dag("--tick", "2026-01-02T03:04:05Z", inputs=("a",))
        self.assertIn("datums: 0 processed, 1 skipped, ", result.stderr)
        self.assertEqual([text.decode() for text in self.output().values()],
                         ["a=/pfs/a/1\ntick=/pfs/tick/2026-01-02T03:04:05Z\na/1: A\ntick/2026-01-02T03:04:05Z: \n"])

    def test_a_tick_is_a_time(self):
        self.pipeline("show", SHOW, {"cron": {"name": "tick", "spec": "@daily"}})
        wrong = self.dag("--tick", "now", inputs=(), expect=64)
        self.assertIn("error: --tick: invalid time \"now\"\nhint: write it as 2026-11-25T22:31:45Z, in UTC\n", wrong.stderr)

    def test_list_datum_names_what_runs(self):
        self.write("a/1.txt", "A")
        self.write("b/x-1", "B")
        file = self.pipeline("show", SHOW, {"join": [{"pfs": {"repo": "a", "glob": "/(*).txt", "join_on": "$1"}},
                                                     {"pfs": {"repo": "b", "glob": "/*-(*)", "join_on": "$1"}}]})
        self.dag(inputs=("a", "b"), files=("specs/show",))
        arguments = ["-f", file, "--input", f"a={self.folder / 'a'}", "--input", f"b={self.folder / 'b'}"]
        listed = self.run_program(support.PACHBUILD, "list", "datum", *arguments, "-o", "json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        datum = json.loads(listed.stdout)
        self.assertEqual([datum["datum"]["id"]], list(self.output()))
        self.assertEqual([(part["file"]["commit"]["repo"]["name"], part["file"]["path"], part["size_bytes"])
                          for part in datum["data"]], [("a", "/1.txt", "1"), ("b", "/x-1", "1")])
        text = self.run_program(support.PACHBUILD, "list", "datum", *arguments)
        self.assertEqual(text.stdout, f"{datum['datum']['id']}  a@/1.txt, b@/x-1\n")

    def test_without_a_spec_nothing_is_done(self):
        for verb in (["run", "--output", str(self.out)], ["graph"], ["list", "datum"]):
            result = self.run_program(support.PACHBUILD, *verb)
            self.assertEqual(result.returncode, 64, verb)
            self.assertIn("error: the current folder has no pipeline spec\n", result.stderr)
        self.assertFalse(self.out.exists())

    def test_graph(self):
        self.chain()
        draw = lambda *arguments: self.run_program(support.PACHBUILD, "graph", "-f", str(self.folder / "specs"), *arguments).stdout
        self.assertEqual(draw(), "data -> [first]\ndata -> [other]\n[first] -> [second]\n[second] -> [third]\n")
        self.assertEqual(json.loads(draw("-o", "json"))[2], {"pipeline": "second", "pipelines": ["first"], "repos": []})
        self.assertEqual(draw("-o", "mermaid").splitlines()[:4],
                         ["flowchart LR", '  n0["first"]', '  n1[("data")]', "  n1 --> n0"])
        self.assertEqual(draw("-o", "dot").splitlines()[2], '  n0 [label="first", shape=box];')
        self.write("data2/x", "")
        self.pipeline("first", "true", {"pfs": {"repo": "third", "glob": "/"}})
        self.assertEqual(len(draw().splitlines()), 4)  # a circle can be looked at

    def test_glob_shows_groups(self):
        for name in ("x/A_STOREID1.txt", "x/B_STOREID22.txt", "other"):
            self.write(f"a/{name}", "")
        result = self.run_program(support.PACHBUILD, "glob", "(*)/*_STOREID(*).txt", str(self.folder / "a"))
        self.assertEqual(result.stdout, "/x/A_STOREID1.txt  $1=x  $2=1\n/x/B_STOREID22.txt  $1=x  $2=22\n")
        wrong = self.run_program(support.PACHBUILD, "glob", "(*", str(self.folder / "a"))
        self.assertEqual(wrong.returncode, 65, wrong.stderr)
        missing = self.run_program(support.PACHBUILD, "glob", "*", str(self.folder / "none"))
        self.assertEqual(missing.returncode, 64, missing.stderr)


if __name__ == "__main__":
    support.main()
