# SPDX-License-Identifier: Apache-2.0
"""What pachctl is called with, and what is left when one of the calls fails or is cut off."""

import shutil

import cluster_suite
import support

# Notes its words. The call that is chosen fails before ("fail") or is killed after ("cut") the work is done.
PACHCTL = """#!/bin/sh
echo "$*" >> {log}
if [ -n "$CHOSEN" ] && expr "$*" : "$CHOSEN" > /dev/null && [ ! -e {log}.done ]; then
  touch {log}.done
  [ "$HOW" = fail ] && {{ echo "refused by the test" >&2; exit 1; }}
  {real} "$@"
  kill -9 $$
fi
exec {real} "$@"
"""


@cluster_suite.stand_in_only
class Calls(cluster_suite.ClusterSuite):
    builds = False

    def setUp(self):
        super().setUp()
        self.log = self.folder / "calls"
        script = PACHCTL.format(log=self.log, real=cluster_suite.STAND_IN)
        self.pachctl_with_log = self.write("bin/pachctl", script, mode=0o755)

    def call(self, chosen="", how=""):
        """An update by this pachctl: its result, and the calls."""
        for path in (self.log, self.log.with_name("calls.done")):
            path.unlink(missing_ok=True)
        result = self.pachbuild("update", "pipeline", "-f", self.spec, variables={
            "PACHCTL": str(self.pachctl_with_log), "CHOSEN": chosen, "HOW": how})
        return result, self.log.read_text(encoding="utf-8").splitlines()

    def reprocessed(self, calls):
        return [call.endswith("--reprocess") for call in calls if call.startswith("update pipeline")]

    def test_a_changed_build_is_processed_again(self):
        self.update()
        self.write_spec(build={"env": {"A": "b"}})
        self.assertEqual(self.reprocessed(self.call()[1]), [True])
        self.write_spec(build={"env": {"A": "b"}, "datum_tries": 2})
        self.assertEqual(self.reprocessed(self.call()[1]), [False], "it builds the same")

    def test_a_call_that_fails_or_is_cut_off_leaves_the_old_or_the_new(self):
        self.update()
        old = self.head()
        kept = self.folder / "kept"
        shutil.copytree(self.folder / "state", kept)
        self.write("source/main.py", cluster_suite.PROGRAM + "# edited\n")
        self.write_spec(build={"env": {"A": "b"}}, description="new")
        configuration = self.folder / "config.json"
        before = configuration.read_bytes() if configuration.exists() else None
        for chosen, how in (("put file", "fail"), ("update pipeline", "cut"), ("finish transaction", "fail"),
                            ("finish transaction", "cut")):
            with self.subTest(chosen=chosen, how=how):
                shutil.rmtree(self.folder / "state")
                shutil.copytree(kept, self.folder / "state")
                result, calls = self.call(chosen, how)
                self.assertTrue((self.folder / "calls.done").exists(), calls)
                self.assertEqual([path.name for path in (self.folder / "state").glob("transaction-*")], [])
                self.assertEqual(configuration.read_bytes() if configuration.exists() else None, before)
                is_new = self.head() != old
                self.assertEqual(result.returncode == 0, is_new, result.stderr)
                self.assertEqual(is_new, (chosen, how) == ("finish transaction", "cut"), result.stderr)
                self.assertEqual(self.branches(), ["master"])
                self.assertEqual(calls.count("delete transaction"), calls.count("start transaction"), calls)
                description = self.spec_of(self.pipeline)[0].get("description")
                self.assertEqual(description, "new" if is_new else None)
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "unchanged", "unchanged"))


if __name__ == "__main__":
    support.main()
