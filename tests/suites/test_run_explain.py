# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run --explain` and `pachbuild explain`: why something is done again."""

import json
import shutil

import pipelines
import support

COPY = 'case "$(cat "$data")" in bad*) exit 3 ;; esac; cp "$data" "/pfs/out/$(basename "$data")"\n'


class Explain(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.data(a="one", b="two", c="three")
        self.shell_pipeline(COPY)

    def explained(self, *arguments, **options):
        """The reasons that a run tells."""
        result = self.pachbuild_run("--explain", "--partial", *arguments, **options)
        lines = [line for line in result.stderr.splitlines() if line.startswith("explain: ")]
        build, *datums = [line.removeprefix("explain: ") for line in lines]
        return [build, *sorted(datums)]

    def change_spec(self, **transform):
        spec = json.loads((self.folder / "spec.json").read_text())
        spec["transform"].update(transform)
        self.write("spec.json", json.dumps(spec))

    def test_the_first_run(self):
        self.assertEqual(self.explained(), ["build: first run", "3 datums: first run"])

    def test_nothing_changed(self):
        self.explained()
        self.assertEqual(self.explained(), ["build: nothing changed"])

    def test_what_changed_is_named(self):
        self.explained()
        self.write("source/program.sh", "# edited\n" + COPY)
        self.write("source/notes", "new")
        self.assertEqual(
            self.explained(),
            ["build: notes is new, program.sh changed", "3 datums: notes is new, program.sh changed"],
        )
        self.change_spec(env={"LEVEL": "1"})
        self.assertEqual(self.explained(), ["build: nothing changed", "3 datums: variable LEVEL is new"])
        self.change_spec(env={"LEVEL": "2"}, accept_return_code=[7])
        self.assertEqual(
            self.explained(),
            ["build: nothing changed", "3 datums: transform.accept_return_code is new, variable LEVEL changed"],
        )
        self.assertEqual(
            self.explained("--", "more"), ["build: nothing changed", "3 datums: arguments were added"]
        )

    def test_each_datum_has_its_own_reason(self):
        self.explained()
        self.data(b="changed", d="new")
        self.assertEqual(
            self.explained(),
            ["build: nothing changed", "datum data/b: data/b changed", "datum data/d: new"],
        )
        shutil.rmtree(self.cache / "results")
        self.assertEqual(
            self.explained(), ["build: nothing changed", "4 datums: result no longer in the cache"]
        )
        self.assertEqual(self.explained("--force"), ["build: nothing changed", "4 datums: --force was given"])

    def test_a_failed_datum_runs_since_it_failed(self):
        self.data(b="bad")
        self.explained()
        self.assertEqual(self.explained(), ["build: nothing changed", "datum data/b: failed last time"])

    def test_many_reasons_are_counted(self):
        for number in range(30):
            self.data(**{f"file{number:02}": "one"})
        self.explained()
        for number in range(30):
            self.data(**{f"file{number:02}": "two"})
        lines = self.explained()
        self.assertEqual(len(lines), 12)
        self.assertIn("datum data/file00: data/file00 changed", lines)
        self.assertIn("datums: there are 20 more reasons", lines)

    def test_values_are_not_kept(self):
        self.change_spec(env={"TOKEN": "a value that nobody may see"})
        self.explained()
        for path in self.cache.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"nobody may see", path.read_bytes(), path)

    def explain(self, *arguments):
        return self.run_program(
            support.PACHBUILD, "explain", "-f", str(self.folder / "spec.json"), *arguments, env=self.environment()
        )

    def test_the_last_run_is_explained_afterwards(self):
        self.explained()
        self.data(b="bad", d="new")
        self.explained()
        result = self.explain()
        self.assertEqual(result.returncode, 0, result.stderr)
        first, *lines = result.stdout.splitlines()
        self.assertRegex(first, rf"^edges, run at \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d, output in {self.out}$")
        self.assertEqual(lines[0], "  build: nothing changed")
        self.assertEqual(lines[-1], "  2 datums: skipped; their results are in the cache")
        self.assertEqual(
            sorted(lines[1:-1]), ["  datum data/b: data/b changed", "  datum data/d: new"]
        )
        self.data(b="worse")
        self.explained("--datum", "/a")
        self.assertEqual(self.explain().stdout.splitlines()[-2:],
                         ["  3 datums: skipped; their results are in the cache", "  1 datum: not selected"])

    def test_a_datum_is_explained_by_any_of_its_names(self):
        self.explained()
        self.data(b="bad")
        self.explained()
        for name in ("data/b", "b", "/b", str(self.folder / "data/b")):
            result = self.explain("--datum", name)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(
                result.stdout.split("\n", 2)[2],
                r"^  datum \d, data/b: failed: exit code 3, .*s\n    why: data/b changed\n$",
            )

    def test_a_pipeline_that_has_not_run(self):
        result = self.explain()
        self.assertEqual(result.returncode, 65)
        self.assertEqual(
            result.stderr,
            f"error: {self.folder}/spec.json: no run of pipeline edges is recorded on this machine\n"
            "hint: run it with pachbuild run; the cache remembers the last run\n",
        )

    def test_the_only_run_ended_before_its_datums(self):
        time_text = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        spec = self.folder / "spec.json"
        for change, why in (
            (lambda: self.write("source/build.sh", "exit 1\n"), "its build failed"),
            (lambda: self.shell_pipeline(COPY, glob="/none"), f'{spec}:.*: glob "/none" matches nothing in repo .*'),
        ):
            change()
            self.pachbuild_run()
            result = self.explain()
            self.assertEqual(result.returncode, 65)
            self.assertRegex(
                result.stderr,
                f"^error: {spec}: the last run of pipeline edges \\({time_text}\\) ended before any datum ran: {why}; "
                "no earlier run is recorded\nhint: correct this, then run it again: pachbuild run\n$",
            )

    def test_a_damaged_record_is_as_good_as_none(self):
        self.explained()
        (record,) = [path for path in self.cache.glob("run/last/*") if path.suffix != ".lock"]
        record.write_bytes(record.read_bytes()[:-1])
        self.assertEqual(self.explain().returncode, 65)
        self.assertEqual(self.explained(), ["build: first run"])

    def test_a_changed_input_needs_a_new_run(self):
        self.explained()
        self.shell_pipeline(COPY)
        self.spec(input={"pfs": {"repo": "other", "glob": "/*"}})
        result = self.explain("--datum", "b")
        self.assertEqual(result.returncode, 65)
        self.assertIn("the input has changed since the last run\nhint: run the pipeline again\n", result.stderr)


if __name__ == "__main__":
    support.main()
