# SPDX-License-Identifier: Apache-2.0
"""`pachbuild rerun`: the last run of the current folder, again."""

import pipelines
import support


class Rerun(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.data(a="one", b="bad")
        self.shell_pipeline('case "$(cat "$data")" in bad*) exit 3 ;; esac; cp "$data" "/pfs/out/$(basename "$data")"\n')

    def pachbuild(self, *arguments, cwd=None, **changes):
        return self.run_program(
            support.PACHBUILD, *arguments, env=self.environment(**changes), cwd=cwd or self.folder
        )

    def run_here(self, *arguments):
        return self.pachbuild("run", "-f", "spec.json", "-i", "data=data", "-o", "out", "--partial", *arguments)

    def rerun(self, *arguments, **options):
        return self.pachbuild("rerun", *arguments, **options)

    def test_the_words_are_those_of_the_last_run(self):
        self.run_here("--", "x y")
        self.data(b="good")
        result = self.rerun()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(
            result.stderr.startswith("pachbuild run -f spec.json -i data=data -o out --partial -- 'x y'\n"),
            result.stderr,
        )
        self.assertIn("datums: 1 processed, 1 skipped", result.stderr)
        self.assertEqual(self.output(), {"a": b"one", "b": b"good"})

    def test_what_is_added_counts_once(self):
        self.run_here()
        self.assertIn("datums: 1 processed, 0 skipped, 1 failed", self.rerun("--force").stderr)
        self.assertIn("datums: 0 processed, 1 skipped, 1 failed", self.rerun().stderr)
        self.assertIn("explain: datum data/b: failed last time\n", self.rerun("--explain").stderr)

    def test_quietly_only_failures_and_what_is_asked_for(self):
        self.run_here()
        quiet = self.rerun("-q").stderr
        self.assertTrue(quiet.startswith("warning: datum data/b failed: "), quiet)
        self.assertNotIn("datums: ", quiet)
        self.assertIn("explain: datum data/b: failed last time\n", self.rerun("-q", "--explain").stderr)

    def test_only_what_failed(self):
        self.data(c="three")
        self.run_here()
        self.write("source/program.sh", 'echo edited > "/pfs/out/$(basename "$data")"\n')
        result = self.rerun("--failed")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("datums: 1 processed, 0 skipped, 2 not selected", result.stderr)
        # What was not asked for stays as it was.
        self.assertEqual(self.output(), {"a": b"one", "b": b"edited\n", "c": b"three"})
        result = self.rerun("--failed")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("datums: 0 processed, 1 skipped, 2 not selected", result.stderr)
        self.assertIn("warning: --failed: no datum failed in the last run\n", result.stderr)
        self.assertIn("datums: 2 processed, 1 skipped", self.rerun().stderr)
        self.assertEqual(set(self.output().values()), {b"edited\n"})

    def test_what_failed_stays_known_while_others_are_asked_for(self):
        self.run_here()
        self.run_here("--datum", "data/a")
        self.assertIn("datums: 0 processed, 1 skipped, 1 failed", self.run_here("--failed").stderr)

    def test_each_folder_has_its_own(self):
        self.run_here()
        result = self.rerun(cwd=self.folder / "data")
        self.assertEqual(result.returncode, 64)
        self.assertIn("error: rerun: no run is recorded for this folder\nhint: start one with pachbuild run", result.stderr)

    def test_a_run_that_was_not_accepted_is_not_the_last_one(self):
        self.run_here()
        refused = (
            (65, "the spec", lambda: self.write("wrong.json", "{}") and self.pachbuild("run", "-f", "wrong.json")),
            (64, "the data", lambda: self.run_here("-i", "other=data")),
            (64, "an option", lambda: self.run_here("--datum")),
            (64, "a datum", lambda: self.run_here("--datum", "nowhere")),
            (64, "the report", lambda: self.run_here("--report", "data/report.html")),
            (64, "the output", lambda: self.pachbuild(
                "run", "-f", "spec.json", "-i", "data=data", "--output", "data/below")),
        )
        for code, what, start in refused:
            with self.subTest(what):
                result = start()
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertTrue(
                    self.rerun().stderr.startswith("pachbuild run -f spec.json -i data=data -o out --partial\n")
                )

    def test_a_run_whose_build_fails_is_one(self):
        self.write("source/build.sh", "exit 1\n")
        self.run_here()
        self.write("source/build.sh", pipelines.COPY_RUN_SCRIPT)
        self.assertIn("datums: 1 processed, 0 skipped, 1 failed", self.rerun().stderr)

    def test_words_with_a_password_are_not_kept(self):
        self.run_here()
        self.run_here("--", "https://somebody:hunter2@example.com")
        self.assertIn("no run is recorded for this folder", self.rerun().stderr)
        for path in self.cache.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"hunter2", path.read_bytes(), path)

    def test_damaged_words_are_not_started(self):
        self.run_here()
        (memory,) = self.cache.glob("run/commands/*")
        memory.write_bytes(memory.read_bytes().replace(b"spec.json", b"spec.yaml"))
        self.assertIn("no run is recorded for this folder", self.rerun().stderr)


if __name__ == "__main__":
    support.main()
