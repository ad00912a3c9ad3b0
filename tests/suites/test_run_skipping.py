# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` again: only what has changed runs, and the output folder holds just what it should."""

import pipelines
import support

UPPER = 'tr a-z A-Z < "$data" > "/pfs/out/$(basename "$data")"\n'


class Skipping(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.data(a="one", b="two", c="three")
        self.shell_pipeline(UPPER)
        self.assert_ran(self.succeed_run(), run=3)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})

    def test_nothing_changed_runs_nothing(self):
        self.assert_ran(self.succeed_run(), run=0, skipped=3)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})

    def test_one_changed_file_runs_one_datum(self):
        self.data(b="changed")
        self.assert_ran(self.succeed_run(), run=1, skipped=2)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"CHANGED", "c": b"THREE"})

    def test_a_touched_file_is_the_same_by_content(self):
        self.data(b="two")
        self.assert_ran(self.succeed_run(), run=0, skipped=3)

    def test_a_new_file_runs_one_datum_and_a_removed_one_takes_its_output_along(self):
        self.data(d="four")
        (self.folder / "data/a").unlink()
        self.assert_ran(self.succeed_run(), run=1, skipped=2)
        self.assertEqual(self.output(), {"b": b"TWO", "c": b"THREE", "d": b"FOUR"})

    def test_edited_code_runs_everything(self):
        self.shell_pipeline(UPPER.replace("A-Z", "B-ZA"))
        self.assert_ran(self.succeed_run(), run=3)
        self.assertEqual(self.output()["a"], b"POF")

    def test_another_argument_or_setting_runs_everything(self):
        self.assert_ran(self.succeed_run("--", "argument"), run=3)
        self.spec(env={"A": "b"})
        self.assert_ran(self.succeed_run(), run=3)

    def test_output_that_was_changed_or_removed_is_made_again(self):
        (self.out / "a").write_text("edited")
        (self.out / "c").unlink()
        self.assert_ran(self.succeed_run(), run=2, skipped=1)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})

    def test_another_output_folder_has_all_of_it(self):
        self.out = self.folder / "other"
        self.assert_ran(self.succeed_run(), run=3)

    def test_the_persons_own_files_stay(self):
        (self.out / "notes").write_text("mine")
        self.data(a="changed")
        self.succeed_run()
        self.assertEqual(self.output()["notes"], b"mine")

    def test_a_file_of_the_persons_own_is_not_replaced(self):
        (self.out / "d").write_text("mine")
        self.data(d="four")
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertIn(f"error: {self.out}/d: exists, and was not written by this pipeline (datum data/d would "
                      "replace it)\nhint: choose another --output, or remove it\n", result.stderr)
        self.assertEqual(self.output()["d"], b"mine")

    def test_a_lost_state_runs_everything_again_without_harm(self):
        for state in self.cache.glob("run/*/state"):
            state.unlink()
        self.assertEqual(self.pachbuild_run().returncode, 73)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})


if __name__ == "__main__":
    support.main()
