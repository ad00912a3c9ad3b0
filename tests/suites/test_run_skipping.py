# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` again: only what has changed runs, and the output folder holds just what it should."""

import os

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

    def test_each_part_of_the_transform_runs_everything(self):
        for part in ({"working_dir": "/tmp"}, {"working_dir": "/"}, {"stdin": ["x"]}, {"accept_return_code": [3]},
                     {"err_cmd": ["true"]}, {"err_cmd": ["true"], "err_stdin": ["x"]}, {"env": {"A": "b"}},
                     {"env": {"A": "c"}}):
            with self.subTest(part=part):
                self.spec(**part)
                self.assert_ran(self.succeed_run(), run=3)
                self.assert_ran(self.succeed_run(), run=0, skipped=3)
        self.spec(input={"pfs": {"repo": "data", "name": "other", "glob": "/*"}})
        self.shell_pipeline(UPPER.replace("$data", "$other"))
        self.spec(input={"pfs": {"repo": "data", "name": "other", "glob": "/*"}})
        self.assert_ran(self.succeed_run(), run=3)

    def test_output_that_was_changed_or_removed_is_written_again_without_a_run(self):
        (self.out / "a").write_text("edited")
        (self.out / "c").unlink()
        kept = (self.out / "b").stat().st_ino
        self.assert_ran(self.succeed_run(), run=0, skipped=3)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})
        self.assertEqual((self.out / "b").stat().st_ino, kept, "only what differs is written")

    def test_another_output_folder_gets_the_known_results(self):
        self.out = self.folder / "other"
        self.assert_ran(self.succeed_run(), run=0, skipped=3)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})

    def test_force_runs_everything(self):
        self.assert_ran(self.succeed_run("--force"), run=3)

    def test_another_pipeline_of_the_same_code_runs(self):
        self.spec(pipeline={"pipeline": {"name": "other"}})
        self.out = self.folder / "other"
        self.assert_ran(self.succeed_run(), run=3)

    def test_another_way_to_see_the_input_runs_everything(self):
        for way in ({"lazy": True}, {"empty_files": True}, {}):
            self.shell_pipeline('{ stat -c %F "$data"; cat "$data"; } > "/pfs/out/$(basename "$data")"\n')
            self.spec(input={"pfs": {"repo": "data", "glob": "/*", **way}})
            self.assert_ran(self.succeed_run(), run=3)
            first = {"lazy": b"fifo\none", "empty_files": b"regular empty file\n"}.get("".join(way), b"regular file\none")
            self.assertEqual(self.output()["a"], first)

    def test_a_file_that_is_edited_and_put_back_while_a_datum_runs_fails_it(self):
        """Nobody can say what the program has seen, so it must not count as the result of what is there now."""
        data = self.folder / "data"
        for number, edit in enumerate((f'echo edited > {data}/b; sleep 0.02; printf two > {data}/b',
                                       f'mv {data}/b {data}/../b; printf oops > {data}/b; mv {data}/../b {data}/b',
                                       f'rm {data}/b')):
            # What has failed in the run before would be first.
            self.cache = self.folder / f"cache-{number}"
            self.data(b="two")
            self.shell_pipeline(f'case $data in */a) {edit};; esac\n' + UPPER)
            result = self.pachbuild_run("--workers", 1)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn("warning: datum data/b failed: data/b changed while the datum ran (log: ", result.stderr)
            self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})

    def test_a_file_that_is_added_while_datums_run_is_given_to_none(self):
        """The result would count as that of the files that were there before."""
        data = self.folder / "data"
        for number, way in enumerate(({}, {"lazy": True}, {"empty_files": True})):
            self.cache = self.folder / f"cache-{number}"
            self.write("data/later/b", "two")
            self.shell_pipeline(f'case $data in */a) touch {data}/later/new;; esac\n'
                                'ls "$data" > "/pfs/out/$(basename "$data")"\ntest -d "$data" || cat "$data" > /dev/null\n'
                                'test ! -d "$data" || cat "$data"/* > /dev/null\n')
            self.spec(input={"pfs": {"repo": "data", "glob": "/*", **way}})
            result = self.pachbuild_run("--workers", 1)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(f"warning: datum data/later failed: {data}/later: files were added or removed during the run (log: ",
                          result.stderr)
            (data / "later/new").unlink()
            self.assert_ran(self.succeed_run(), run=1, skipped=3)
            self.assertEqual(self.output()["later"], b"b\n")

    def test_a_link_in_the_data_that_is_turned_fails_its_datum(self):
        data = self.folder / "data"
        self.write("elsewhere/one", "one")
        self.write("elsewhere/two", "two")
        (data / "b").unlink()
        (data / "b").symlink_to("../elsewhere/two")
        self.shell_pipeline(f'case $data in */a) ln -sfn ../elsewhere/one {data}/b;; esac\n' + UPPER)
        result = self.pachbuild_run("--workers", 1)
        self.assertIn("data/b changed while the datum ran", result.stderr)

    def test_the_persons_own_files_stay(self):
        (self.out / "notes").write_text("mine")
        self.data(a="changed")
        self.succeed_run()
        self.assertEqual(self.output()["notes"], b"mine")

    def test_a_lost_cache_runs_everything_again_without_harm(self):
        self.succeed("rm", "-r", self.cache)
        kept = (self.out / "a").stat().st_ino
        self.assert_ran(self.succeed_run(), run=3)
        self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})
        self.assertEqual((self.out / "a").stat().st_ino, kept)

    def test_results_stay_below_the_limit_of_the_cache(self):
        def run(**changes):
            return self.pachbuild_run(env=self.environment(**changes))
        self.shell_pipeline('head -c 1000000 /dev/zero > "/pfs/out/$(basename "$data")"; ' + UPPER.replace(">", ">>"))
        self.assertEqual(run().returncode, 0)
        for path in self.cache.glob("results/datums/*/*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        self.data(a="new1", b="new2", c="new3")
        result = run(PACHBUILD_CACHE_LIMIT="4MiB")
        self.assertRegex(result.stderr, r"cache: removed the least recently used results: \d datums, \d.\d MiB\n")
        self.assertLess(sum(path.stat().st_size for path in self.cache.rglob("objects/*/*")), 4 << 20)
        self.assert_ran(run(), run=0, skipped=3)
        invalid = run(PACHBUILD_CACHE_LIMIT="much")
        self.assertEqual((invalid.returncode, invalid.stderr), (
            64, 'error: PACHBUILD_CACHE_LIMIT: invalid size "much"\nhint: write it as 20GiB or 500MiB; 0 means no limit\n'))

    def test_a_damaged_result_is_made_again(self):
        for damage in (lambda path: path.unlink(), lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"xxx")):
            for path in self.cache.glob("results/objects/*/*"):
                path.chmod(0o644)
                damage(path)
            self.assert_ran(self.succeed_run(), run=3)
            self.assertEqual(self.output(), {"a": b"ONE", "b": b"TWO", "c": b"THREE"})


if __name__ == "__main__":
    support.main()
