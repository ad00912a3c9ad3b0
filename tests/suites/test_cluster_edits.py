# SPDX-License-Identifier: Apache-2.0
"""Which edits of a Python program are built on a cluster, and that no source meets a build of another one."""

import json

import cluster_suite
import support

SETTINGS = 'arguments = ["--fast"]\n'
EDITED = cluster_suite.PROGRAM + "# edited\n"


class Edits(cluster_suite.ClusterSuite):
    def setUp(self):
        super().setUp()
        self.put_data(a="a\n")
        self.build_source = self.pipeline + "_build_source"

    def jobs(self, name):
        return [item["job"]["id"] for item in self.raw("list", "job", "--pipeline", name)]

    def built(self):
        """How many builds there were, and how many jobs of the pipeline."""
        return len(self.jobs(self.pipeline + "_build")), len(self.jobs(self.pipeline))

    def given(self):
        """What the build pipeline was given: paths and sizes."""
        files = self.raw("glob", "file", f"{self.build_source}@master:/**")
        return {item["file"]["path"][1:]: int(item.get("size_bytes", 0)) for item in files if item["file_type"] == "FILE"}


    def update_and_wait(self, code=0):
        return self.update("--wait", code=code)

    def test_an_edit_of_a_program_needs_no_build(self):
        self.update_and_wait()
        self.assertEqual(self.built(), (1, 1))
        given = self.given()
        self.assertEqual(given, self.local())
        self.write("source/main.py", EDITED)
        self.write("source/words.txt", "a\n")
        lines = self.update_and_wait()
        self.assertEqual(lines[:3], self.told("2 files sent (128 B), 0 kept", "unchanged", "unchanged"))
        self.assertEqual(self.built(), (1, 2))
        self.assertEqual((self.stored(), self.given(), self.branches()), (self.local(), given, ["master"]))
        self.assertEqual(self.update(), self.told("unchanged (2 files)", "unchanged", "unchanged"))
        self.assertEqual(self.built(), (1, 2))

    def test_what_decides_the_artifact_is_built_and_runs_with_its_own_source(self):
        self.update_and_wait()
        self.write("source/pachbuild.toml", SETTINGS)
        self.write("source/main.py", EDITED)
        self.update_and_wait()
        self.assertEqual(self.built(), (2, 2))
        # Both jobs are of one change.
        self.assertEqual(self.jobs(self.pipeline)[0], self.jobs(self.pipeline + "_build")[0])
        self.assertEqual((self.stored(), self.given()), (self.local(), self.local()))
        names = [item["branch"]["name"] for item in self.raw("list", "branch", self.build_source)]
        self.assertEqual(names, ["master"])
        # A file that is gone is gone there as well.
        (self.folder / "source/pachbuild.toml").unlink()
        self.update_and_wait()
        self.assertEqual((self.built(), self.given()), ((3, 3), self.local()))

    def test_what_a_build_refuses_is_found_by_a_build(self):
        self.update_and_wait()
        self.write("source/main.py", "if\n")
        lines = "\n".join(self.update_and_wait(code=1))
        self.assertIn("SyntaxError", lines)
        self.assertIn("main.py: is not valid Python\n", lines)
        self.assertEqual(self.built()[0], 2)
        self.write("source/main.py", EDITED)
        self.update_and_wait()
        self.assertEqual(self.built()[0], 3)
        (self.folder / "source/main.py").rename(self.folder / "source/a.py")
        self.write("source/b.py", "")
        lines = "\n".join(self.update_and_wait(code=1))
        self.assertIn("cannot tell which file is the program: a.py, b.py", lines)

    def test_other_languages_and_own_scripts_are_built_as_before(self):
        self.write("source/run.sh", "exec python3 /pfs/source/main.py\n")
        self.update_and_wait()
        self.assertEqual(self.names("repo"), sorted([self.pipeline, self.pipeline + "_build", self.pipeline + "_source",
                                                     self.data]))
        self.write("source/main.py", EDITED)
        self.update_and_wait()
        self.assertEqual(self.built(), (2, 2))
        # Without it the pipeline gets the other layout.
        (self.folder / "source/run.sh").unlink()
        self.assertEqual(self.update_and_wait()[:3], self.told("0 files sent (0 B), 1 removed, 1 kept", "updated", "updated"))
        self.assertIn(self.build_source, self.names("repo"))
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes")
        self.assertEqual((result.returncode, self.names("repo")), (0, [self.data]), result.stderr)

    @cluster_suite.stand_in_only
    def test_a_pipeline_of_the_old_layout_is_taken_over(self):
        self.update_and_wait()
        state = json.loads((self.folder / "state/state.json").read_text(encoding="utf-8"))
        build = state["pipelines"][self.pipeline + "_build"]["spec"]
        build["input"]["pfs"]["repo"] = self.pipeline + "_source"
        del state["repos"][self.build_source]
        branches = state["repos"][self.pipeline + "_source"]["branches"]
        for name in [name for name in branches if name.startswith("pachbuild-version-")]:
            branches[name[:len("pachbuild-version-") + 32]] = branches.pop(name)
        (self.folder / "state/state.json").write_text(json.dumps(state), encoding="utf-8")
        self.write("source/main.py", EDITED)
        self.assertEqual(self.update_and_wait()[:3], self.told("1 file sent (126 B), 0 kept", "updated", "unchanged"))
        self.assertEqual((self.stored(), self.given(), self.branches()), (self.local(), self.local(), ["master"]))
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "unchanged", "unchanged"))
        before = self.built()
        self.write("source/main.py", cluster_suite.PROGRAM)
        self.update_and_wait()
        self.assertEqual(self.built(), (before[0], before[1] + 1))

    @cluster_suite.stand_in_only
    def test_the_calls(self):
        log = self.folder / "calls"
        counter = self.write("counter", f'#!/bin/sh\necho "$*" >>{log}\nexec {cluster_suite.STAND_IN} "$@"\n', mode=0o755)

        def calls():
            log.write_text("", encoding="utf-8")
            result = self.pachbuild("update", "pipeline", "-f", self.spec, variables={"PACHCTL": str(counter)})
            self.assertEqual(result.returncode, 0, result.stderr)
            return len(log.read_text(encoding="utf-8").splitlines())

        calls()
        self.assertEqual(calls(), 5, "nothing has changed")
        self.write("source/main.py", EDITED)
        self.assertEqual(calls(), 13, "an edit that needs no build")
        self.write("source/pachbuild.toml", SETTINGS)
        self.assertEqual(calls(), 17, "an edit that is built")

    @cluster_suite.stand_in_only
    def test_killed_at_any_call_the_next_update_gives_the_build_what_belongs_to_the_source(self):
        self.update()
        for stop in range(1, 20) if support.LONG else (9, 14):
            self.write("source/pachbuild.toml", f'arguments = ["{stop}"]\n')
            self.update_killed_at(stop)
            self.update()
            names = [item["branch"]["name"] for item in self.raw("list", "branch", self.build_source)]
            self.assertEqual((self.given(), self.stored(), names), (self.local(), self.local(), ["master"]), stop)


if __name__ == "__main__":
    support.main()
