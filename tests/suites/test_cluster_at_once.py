# SPDX-License-Identifier: Apache-2.0
"""Two who change a pipeline at the same time, and calls to the cluster that fail: at each call of pachctl that pachbuild
makes, in turn (scripts/test --long), or at those where it matters most. What is there afterwards is whole: the source,
the build pipeline and the pipeline of one update, or nothing."""

import json
import shutil

import cluster_suite
import support


@cluster_suite.stand_in_only
class AtOnce(cluster_suite.ClusterSuite):
    builds = False

    def setUp(self):
        super().setUp()
        self.specs = {name: self.write_version(name) for name in ("old", "new", "other")}

    def write_version(self, name):
        """A spec in which source, build pipeline and pipeline bear the same name."""
        self.write(f"{name}/main.py", cluster_suite.PROGRAM)
        self.write(f"{name}/who", name)
        return self.write_spec(f"{name}.json", build={"path": name, "env": {"WHO": name}}, description=name)

    def who(self):
        """The name that all three bear; None when nothing of the pipeline is there."""
        state = json.loads((self.folder / "state/state.json").read_text(encoding="utf-8"))
        repo, build = self.pipeline + "_source", self.pipeline + "_build"
        if set(state["repos"]) == {self.data}:
            self.assertEqual(state["pipelines"], {})
            return None
        self.assertEqual(set(state["pipelines"]), {self.pipeline, build})
        branches = state["repos"][repo]["branches"]
        versions = [name for name in branches if name.startswith("pachbuild-version-")]
        self.assertEqual(sorted(branches), ["master", *versions])
        self.assertLessEqual(len(versions), 1)
        files = state["commits"][f"{repo}@{branches['master']}"]["files"]
        self.assertEqual(set(files), {"main.py", "who"})
        stored = (self.folder / "state/content" / files["who"]["content"]).read_text(encoding="utf-8")
        specs = {name: pipeline["spec"] for name, pipeline in state["pipelines"].items()}
        names = {stored, specs[build]["transform"]["env"]["WHO"], specs[self.pipeline]["description"]}
        self.assertEqual(names, {stored})
        return stored

    def start_over(self, *before):
        """A cluster on which these have been done, and nothing else: once, and copied from then on."""
        made = self.folder / f"made{[getattr(step, '__name__', step) for step in before]!r}".replace("/", "_")[-80:]
        if not made.exists():
            cluster_suite.remove(self.folder / "state")
            self.pachctl("create", "repo", self.data)
            for step in before:
                if callable(step):
                    step()
                else:
                    self.succeed(support.PACHBUILD, *step, env=self.env)
            shutil.copytree(self.folder / "state", made)
        cluster_suite.remove(self.folder / "state")
        shutil.copytree(made, self.folder / "state")

    def command(self, name):
        if name == "delete":
            return ["delete", "pipeline", self.pipeline, "--yes"]
        return ["update", "pipeline", "-f", str(self.specs[name])]

    def run_with(self, command, at, script):
        """Runs the command; before the call of pachctl `at`, its number or its first words, the script is run once, which
        may do the call itself and exit. Gives the result and whether there was such a call; "late" is there if the command
        had made its change by then."""
        for name in ("happened", "count.lock", "finished", "late"):
            cluster_suite.remove(self.folder / name)
        counter = self.write("count", "0")
        wrapper = self.write("wrapper", f"""#!/bin/sh
# Several are called at once: one of them is the one.
is_it() {{
  until mkdir {counter}.lock 2>/dev/null; do sleep 0.01; done
  n=$(($(cat {counter}) + 1)); echo $n >{counter}
  [ "$n" = "{at}" ] || [ "$1 $2" = "{at}" ] && mkdir {self.folder}/happened 2>/dev/null
  found=$?
  rmdir {counter}.lock
  return $found
}}
if [ ! -e {self.folder}/happened ] && is_it "$@"; then
  [ ! -e {self.folder}/finished ] || touch {self.folder}/late
  {script}
fi
[ "$1 $2" != "finish transaction" ] || touch {self.folder}/finished
exec {cluster_suite.STAND_IN} "$@"
""", mode=0o755)
        result = self.pachbuild(*command, variables={"PACHCTL": str(wrapper)})
        return result, (self.folder / "happened").exists()

    def each(self, before, command, script, names, look):
        """For each moment `look` gets what run_with() gives, from the same beginning."""
        for at in range(1, 60) if support.LONG else names:
            with self.subTest(at=at):
                self.start_over(*before)
                result, happened = self.run_with(command, at, script)
                if support.LONG and not happened:
                    self.assertGreater(at, 5)
                    return
                self.assertTrue(happened)
                look(at, result)

    def other(self, name):
        words = " ".join(self.command(name))
        # Not in the transaction of the one that is held up.
        variables = f"PACHCTL={cluster_suite.STAND_IN} PACH_CONFIG={self.env['PACH_CONFIG']}"
        return f"{variables} {support.PACHBUILD} {words} >>{self.folder}/log 2>&1"

    def forget_versions(self):
        """As programs before the versions have left it."""
        repo = self.pipeline + "_source"
        for item in self.raw("list", "branch", repo):
            if item["branch"]["name"] != "master":
                self.pachctl("delete", "branch", f"{repo}@{item['branch']['name']}")

    def check_the_later_update_wins(self, before, names, other="other"):
        said = []

        def look(_, result):
            self.assertEqual(result.returncode, 0, result.stderr)
            if not (self.folder / "late").exists():
                self.assertEqual(self.who(), "new")
            elif other == "delete":
                self.assertEqual(self.raw("list", "pipeline"), [])
            else:
                self.assertEqual(self.who(), other)
            said.append("changed by someone else in the meantime; starting over\n" in result.stderr)

        self.each(before, self.command("new"), self.other(other), names, look)
        self.assertIn(True, said)

    def test_two_updates(self):
        self.check_the_later_update_wins([self.command("old")], ("list pipeline", "finish transaction"))

    def test_two_updates_of_what_an_older_program_made(self):
        self.check_the_later_update_wins([self.command("old"), self.forget_versions], ("list pipeline", "finish transaction"))

    def test_two_first_updates(self):
        self.check_the_later_update_wins([], ("list pipeline", "create repo", "finish transaction"))

    def test_two_first_updates_of_which_one_has_just_made_the_repo(self):
        repo = self.pipeline + "_source"
        description = f"Source of pipeline {self.pipeline}, managed by pachbuild."
        self.start_over()
        result, _ = self.run_with(self.command("new"), "create repo", f'''
    {cluster_suite.STAND_IN} create repo {repo} --description "{description}"
    {cluster_suite.STAND_IN} start commit {repo}@pachbuild-upload-1795000000-other''')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.splitlines()[0],
                         f"{self.pipeline}: changed by someone else in the meantime; starting over")
        self.assertEqual(self.who(), "new")

    def test_a_deletion_during_an_update(self):
        self.check_the_later_update_wins([self.command("old")], ("put file", "finish transaction"), "delete")

    def test_an_update_during_a_deletion(self):
        names = ("list pipeline", "finish transaction", "delete pipeline")
        for before in ([self.command("old")], [self.command("old"), self.forget_versions]):
            ended = set()

            def look(_, result, ended=ended):
                ended.add((result.returncode, self.who()))
                if result.returncode == 75:
                    self.assertEqual(result.stderr, f"error: pipeline {self.pipeline}: was just changed by someone else\n"
                                                    "hint: check it and try again\n")

            self.each(before, self.command("delete"), self.other("other"), names, look)
            self.assertEqual(ended, {(0, None), (75, "other")})
        self.assertIn(f"error: pipeline {self.pipeline}: is being deleted\nhint: if that deletion was interrupted, run pachbuild delete pipeline {self.pipeline}\n", (self.folder / "log").read_text(encoding="utf-8"))

    def test_others_who_never_stop(self):
        self.start_over(self.command("old"))
        number = self.write("number", "0")
        # Before each transaction of ours another one happens.
        wrapper = self.write("busy", f"""#!/bin/sh
if [ "$1 $2" = "start transaction" ]; then
  n=$(($(cat {number}) + 1)); echo $n >{number}; echo $n >{self.folder}/other/count
  {self.other("other")}
fi
exec {cluster_suite.STAND_IN} "$@"
""", mode=0o755)
        result = self.pachbuild(*self.command("new"), variables={"PACHCTL": str(wrapper)})
        self.assertEqual(result.returncode, 75)
        self.assertTrue(result.stderr.endswith(
            f"error: pipeline {self.pipeline}: was changed by someone else during each attempt to update it\n"
            "hint: try again later\n"), result.stderr)
        self.assertEqual(self.spec_of(self.pipeline)[0]["description"], "other")

    def check_failures(self, before, whole, names, script):
        """Whatever call fails, what is there is as before or as it was meant, and the same command again does it."""
        def look(at, result):
            self.assertIn(self.who(), (whole, "new"))
            if result.returncode == 0:
                self.assertEqual(self.who(), "new", at)
            again = self.pachbuild(*self.command("new"))
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(self.who(), "new")

        self.each(before, self.command("new"), script, names, look)

    def test_a_call_that_fails(self):
        fails = "echo broken >&2; exit 1"
        self.check_failures([self.command("old")], "old", ("finish commit", "finish transaction"), fails)
        self.check_failures([], None, ("create repo", "create pipeline"), fails)

    def test_a_collision_in_the_database_is_tried_again(self):
        said = (("create repo", "scanning repo row: ERROR: current transaction is aborted, commands ignored until end of transaction "
                                "block (SQLSTATE 25P02)"),
                ("create repo", 'ERROR: duplicate key value violates unique constraint "repos_name_key" (SQLSTATE 23505)'),
                ("create pipeline", "ERROR: could not serialize access due to concurrent update (SQLSTATE 40001)"),
                ("start commit", "commit unexpectedly resulted in rollback"),
                ("finish transaction", "ERROR: deadlock detected (SQLSTATE 40P01)"))
        for at, words in said:
            self.start_over(*([] if at.startswith("create") else [self.command("old")]))
            result, happened = self.run_with(self.command("new"), at, f"echo '{words}' >&2; exit 1")
            self.assertTrue(happened, at)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn("starting over", result.stderr)
            self.assertEqual(self.who(), "new")

    def test_a_call_whose_answer_is_lost(self):
        lost = f'{cluster_suite.STAND_IN} "$@" >/dev/null; echo broken >&2; exit 1'
        self.check_failures([self.command("old")], "old", ("start commit", "start transaction"), lost)
        self.check_failures([], None, ("put file",), lost)

    def test_what_has_happened_is_no_error_though_its_answer_is_lost(self):
        lost = f'{cluster_suite.STAND_IN} "$@" >/dev/null; echo broken >&2; exit 1'
        for before in ([], [self.command("old")]):
            self.start_over(*before)
            result, _ = self.run_with(self.command("new"), "finish transaction", lost)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(self.who(), "new")

    def test_a_deletion_that_is_cut_off_goes_on_where_it_was(self):
        lost = f'{cluster_suite.STAND_IN} "$@" >/dev/null; exit 1'
        for cut, names in (("exit 1", ["delete pipeline"]), (lost, ["finish transaction", "delete pipeline"]),
                           ("kill -9 $PPID; exit 1", ["finish transaction", "delete repo"])):
            self.each([self.command("old")], self.command("delete"), cut, names, self.check_deletion_again)

    def check_deletion_again(self, _, result):
        # A question that failed was asked again.
        if result.returncode != 0:
            again = self.pachbuild(*self.command("delete"))
            self.assertIn(again.returncode, (0, 65), again.stderr)
        self.assertIsNone(self.who())


if __name__ == "__main__":
    support.main()
