# SPDX-License-Identifier: Apache-2.0
"""--wait, status, logs, diff, validate, delete: a build pipeline after it was submitted."""

import json
import re

import cluster_suite
import support


class Jobs(cluster_suite.ClusterSuite):
    def setUp(self):
        super().setUp()
        self.put_data(**{"a.txt": "1\n", "b.txt": "2\n"})

    def status(self):
        return json.loads(self.pachbuild("status", self.pipeline, "-o", "json").stdout)

    def test_waiting_tells_how_the_jobs_go_and_an_edit_makes_new_ones(self):
        lines = self.update("--wait")
        self.assertIn(f"{self.pipeline}_build: JOB_SUCCESS, 1 of 1 datum", lines)
        self.assertRegex(lines[-1], f"^{self.pipeline}: JOB_SUCCESS, ")
        first = self.status()
        self.assertEqual((first["build"]["job"]["state"], first["job"]["state"]), ("JOB_SUCCESS", "JOB_SUCCESS"))
        self.write("source/main.py", cluster_suite.PROGRAM.replace("one", "two"))
        self.update("--wait")
        second = self.status()
        self.assertNotEqual(second["job"]["id"], first["job"]["id"])
        self.assertEqual(second["build"]["job"]["id"], first["build"]["job"]["id"], "it needs no build")
        # With nothing changed it is over at once.
        self.update("--wait")
        self.assertEqual(self.status()["job"]["id"], second["job"]["id"])

    def test_a_build_that_fails_shows_the_builders_own_error(self):
        self.write("source/main.py", "print('x'\n")
        lines = self.update("--wait", code=1)
        self.assertIn("SyntaxError: '(' was never closed", lines)
        self.assertRegex(lines[-1], f"^error: pipeline {self.pipeline}_build: job [0-9a-f]{{32}} failed")
        status = self.pachbuild("status", self.pipeline)
        self.assertEqual(status.returncode, 1)
        self.assertRegex(status.stdout, f"^{self.pipeline}_build: PIPELINE_\\w+\n  job [0-9a-f]{{32}}: JOB_FAILURE")
        self.assertIn("SyntaxError: '(' was never closed", status.stderr)
        # And after the edit that mends it, it runs.
        self.write("source/main.py", cluster_suite.PROGRAM)
        self.update("--wait")

    @cluster_suite.stand_in_only
    def test_a_build_that_fails_while_its_pipeline_is_asked_about(self):
        """In the first answer the build's job is older than the pipeline's."""
        asked = self.folder / "asked"
        late = self.write("late", f"""#!/bin/sh
case "$*" in "list job "[0-9a-f]*)
  if [ ! -e {asked} ]; then
    : >{asked}
    {self.program()[0]} "$@" | sed s/JOB_FAILURE/JOB_RUNNING/
    exit
  fi ;;
esac
exec {self.program()[0]} "$@"
""", mode=0o755)
        self.write("source/main.py", "print('x'\n")
        result = self.pachbuild("update", "pipeline", "-f", self.spec, "--wait", variables={"PACHCTL": str(late)})
        self.assertTrue(asked.exists())
        self.assertEqual(result.returncode, 1)
        self.assertIn("SyntaxError: '(' was never closed\n", result.stderr)

    @cluster_suite.stand_in_only
    def test_what_is_waited_for_is_what_this_update_has_started(self):
        """Not the job of data that arrives meanwhile."""
        self.update("--wait")
        later = self.write("later", f"""#!/bin/sh
{self.program()[0]} "$@" || exit
if [ "$1 $2" = "finish transaction" ]; then
  unset PACH_CONFIG
  {self.program()[0]} start commit {self.data}@master >&2
fi
""", mode=0o755)
        self.write("source/main.py", "print('x'\n")
        result = self.pachbuild("update", "pipeline", "-f", self.spec, "--wait", variables={"PACHCTL": str(later)})
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("SyntaxError: '(' was never closed\n", result.stderr)

    @cluster_suite.stand_in_only
    def test_pachctl_is_not_started_more_often_than_needed(self):
        counted = self.folder / "counted"
        counts = self.write("counts", f'#!/bin/sh\necho "$*" >>{counted}\nexec {self.program()[0]} "$@"\n', mode=0o755)
        starts = []
        for change in (lambda: None, lambda: None, lambda: self.write("source/main.py", cluster_suite.PROGRAM + "#\n")):
            change()
            counted.write_text("", encoding="utf-8")
            result = self.pachbuild("update", "pipeline", "-f", self.spec, "--wait", variables={"PACHCTL": str(counts)})
            self.assertEqual(result.returncode, 0, result.stderr)
            starts.append(len(counted.read_text(encoding="utf-8").splitlines()))
        self.assertEqual(starts, [18, 7, 14])

    def test_the_log_is_that_of_the_build_and_the_run(self):
        self.update("--wait")
        for words in ((), ("--follow",)):
            result = self.pachbuild("logs", self.pipeline, *words)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(result.stdout, r"detect: python, nothing to install \(\d+ ms\)")
            self.assertIn(f"== {self.pipeline}_build", result.stderr)

    def test_a_pipeline_that_is_not_there(self):
        for words in (("status", "nope"), ("logs", "nope"), ("delete", "pipeline", "nope", "--yes")):
            result = self.pachbuild(*words)
            self.assertEqual((result.returncode, result.stderr), (65, "error: pipeline nope: does not exist\nhint: pachctl list pipeline shows which pipelines exist\n"))

    def test_the_script_for_continuous_integration(self):
        path = f"{support.BIN}:{self.env['PATH']}"
        words = [support.ROOT / "examples/ci/deploy", self.spec]
        result = self.run_program(*words, env={**self.env, "PATH": path, "PACHBUILD_LOG": ""})
        self.assertEqual(result.returncode, 0, result.stderr)
        start = f"{self.pipeline}: ok, 1 source file\n+ main.py\n+ pipeline {self.pipeline}_build\n+ pipeline {self.pipeline}\n"
        self.assertTrue(result.stdout.startswith(start), result.stdout)
        self.assertEqual(json.loads(result.stdout.removeprefix(start))["build_pipeline"], "created")
        self.assertEqual(self.status()["job"]["state"], "JOB_SUCCESS")
        self.write("source/main.py", "print('x'\n")
        result = self.run_program(*words, env={**self.env, "PATH": path})
        self.assertEqual(result.returncode, 1)
        self.assertIn("SyntaxError: '(' was never closed", result.stderr)

    def test_every_input_that_pachyderm_has_is_taken(self):
        self.write_spec(input={"cross": [
            {"cron": {"name": "tick", "spec": "@every 1h", "overwrite": True}},
            {"union": [{"pfs": {"repo": self.data, "glob": "/", "s3": False}}, {"pfs": {"repo": self.data, "glob": "/*"}}]}]})
        result = self.pachbuild("validate", "-f", self.spec)
        self.assertEqual((result.returncode, result.stdout), (0, f"{self.pipeline}: ok, 1 source file\n"))

    def test_diff_names_files_and_fields(self):
        diff = self.pachbuild("diff", "-f", self.spec, "--exit-code")
        self.assertEqual((diff.returncode, diff.stdout), (1, f"+ main.py\n+ pipeline {self.pipeline}_build\n+ pipeline {self.pipeline}\n"))
        self.write("source/old.txt", "1")
        self.update()
        self.assertEqual(self.pachbuild("diff", "-f", self.spec, "--exit-code").returncode, 0)
        (self.folder / "source/old.txt").unlink()
        self.write("source/main.py", cluster_suite.PROGRAM + "#\n")
        self.write("source/new.txt", "1")
        self.write_spec(input={"pfs": {"repo": self.data, "glob": "/"}})
        diff = self.pachbuild("diff", "-f", self.spec)
        self.assertEqual((diff.returncode, diff.stdout), (0, "~ main.py\n+ new.txt\n- old.txt\n"
                         f'~ pipeline {self.pipeline}: /input/cross/2/pfs/glob "/*" → "/"\n'))

    def test_validate_needs_no_cluster(self):
        result = self.pachbuild("validate", "-f", self.spec, variables={"PACHCTL": "/nowhere"})
        self.assertEqual((result.returncode, result.stdout), (0, f"{self.pipeline}: ok, 1 source file\n"))

    def test_delete_asks_and_takes_all_that_belongs_to_the_pipeline(self):
        self.update()
        belongs = (f"pipeline {self.pipeline}, pipeline {self.pipeline}_build, repo {self.pipeline}_build_source, "
                   f"repo {self.pipeline}_source")
        result = self.pachbuild("delete", "pipeline", self.pipeline)
        self.assertEqual((result.returncode, result.stderr), (64, f"error: not confirmed: this deletes {belongs}\nhint: add --yes to confirm\n"))
        self.assertEqual(len(self.names("pipeline")), 2)
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes")
        self.assertEqual((result.returncode, result.stderr), (0, f"deleted {belongs}\n"))
        self.assertEqual((self.names("pipeline"), self.names("repo")), ([], [self.data]))

    def test_delete_refuses_what_others_read(self):
        self.update()
        reader = self.pipeline + "_reader"
        plain = self.write("plain.json", f'{{"pipeline": {{"name": "{reader}"}}, "transform": {{"image": "x:1", "cmd": '
                           f'["true"]}}, "input": {{"pfs": {{"repo": "{self.pipeline}", "glob": "/*"}}}}}}')
        self.update(spec=plain)
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes")
        self.assertEqual((result.returncode, result.stderr), (65, f"error: pipeline {self.pipeline}: pipeline {reader} reads its "
                                                                  f"repo {self.pipeline}\nhint: delete that pipeline first\n"))
        result = self.pachbuild("delete", "pipeline", reader, "--yes")
        self.assertEqual((result.returncode, result.stderr), (65, f"error: pipeline {reader}: has no build\n"
                                                                  "hint: pachctl delete pipeline deletes it\n"))
        self.assertEqual(len(self.names("pipeline")), 3)

    def test_ignored_says_which_line_decides(self):
        self.write("source/.pachignore", "# data\n*.csv\n!keep.csv\nbuild/\n")
        result = self.pachbuild("ignored", "a.csv", "keep.csv", "build/x/y", "main.py", ".git/config",
                                cwd=self.folder / "source")
        self.assertEqual(result.stdout.splitlines(), [
            "a.csv: left out  (.pachignore:2: *.csv)", "keep.csv: part of the source  (.pachignore:3: !keep.csv)",
            "build/x/y: left out  (.pachignore:4: build/)", "main.py: part of the source",
            ".git/config: left out  (default: {,*/}.git/)"])
        outside = self.pachbuild("ignored", "../p.json", cwd=self.folder / "source")
        self.assertEqual(outside.returncode, 64)


class Consistency(cluster_suite.ClusterSuite):
    """On a real cluster only: programs of pods run there."""

    def test_a_new_source_never_meets_an_old_build(self):
        if not cluster_suite.REAL:
            self.skipTest("needs a cluster: scripts/test --cluster")
        self.put_data(**{"a.txt": "1\n"})
        # The build is as old as the source says: its run.sh has the number that the source had when it was built.
        self.write("source/build.sh", 'number=$(cat /pfs/source/number)\n'
                   'echo "echo $number \\$(cat /pfs/source/number) >/pfs/out/numbers" >/pfs/out/run.sh\n')
        self.write("source/number", "0\n")
        seen = set()
        self.update("--wait")
        for number in range(1, 6):
            self.write("source/number", f"{number}\n")
            self.update(*(["--wait"] if number == 5 else []))
            numbers = self.run_program(*self.program(), "get", "file", f"{self.pipeline}@master:/numbers", env=self.env)
            if numbers.returncode == 0:
                seen.add(tuple(re.findall(r"\d+", numbers.stdout)))
        self.assertTrue(all(built == source for built, source in seen), seen)
        self.assertIn(("5", "5"), seen)


if __name__ == "__main__":
    support.main()
