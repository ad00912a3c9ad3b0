# SPDX-License-Identifier: Apache-2.0
"""`--datum`: a datum by its files, number or id, wherever a verb wants to know which."""

import os
import pty
import subprocess

import pipelines
import support


class SomeDatums(pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        self.data(**{"a.html": "A", "b.html": "B", "d__c.html": "C", "d__d.html": "D"})
        self.shell_pipeline('grep -q bad "$data" && exit 3; cp "$data" /pfs/out/\n', glob="/**.html")

    def listed(self, terminal=False):
        """The lines of list datum: number (on a terminal), id and path."""
        command = [support.PACHBUILD, "list", "datum", "-f", "spec.json", "--input", "data=data"]
        if not terminal:
            return [line.split() for line in self.succeed(*command, env=self.environment()).stdout.splitlines()]
        near, far = pty.openpty()
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment(), stdout=far, stdin=subprocess.DEVNULL)
        os.close(far)
        text = b""
        try:
            while piece := os.read(near, 65536):
                text += piece
        except OSError:
            pass
        os.close(near)
        self.assertEqual(process.wait(), 0)
        return [line.split() for line in text.decode().splitlines()]

    def test_only_these_run_and_of_the_others_stays_what_there_is(self):
        result = self.succeed_run("--datum", "b.html", "--datum", "/d/")
        self.assertIn("datums: 3 processed, 0 skipped, 1 not selected, ", result.stderr)
        self.assertEqual(self.output(), {"b.html": b"B", "c.html": b"C", "d.html": b"D"})
        # What is known of the others counts as always.
        result = self.succeed_run("--datum", "a.html")
        self.assert_ran(result, run=1, skipped=3)
        self.assertEqual(sorted(self.output()), ["a.html", "b.html", "c.html", "d.html"])
        # Nor is what an earlier program wrote taken away.
        self.shell_pipeline('echo new > "/pfs/out/$(basename "$data")"\n', glob="/**.html")
        result = self.succeed_run("--datum", "a.html")
        self.assertIn("datums: 1 processed, 0 skipped, 3 not selected, ", result.stderr)
        self.assertEqual(self.output(), {"a.html": b"new\n", "b.html": b"B", "c.html": b"C", "d.html": b"D"})
        self.shell_pipeline('grep -q bad "$data" && exit 3; cp "$data" /pfs/out/\n', glob="/**.html")
        self.assert_ran(self.succeed_run("--datum", "a.html"), run=0, skipped=4)
        self.assert_ran(self.succeed_run("--datum", "a.html", "--force"), run=1, skipped=3)
        self.assert_ran(self.succeed_run(), run=0, skipped=4)

    def test_the_exit_code_is_that_of_the_selected_ones(self):
        self.data(**{"a.html": "bad", "d__c.html": "bad"})
        result = self.succeed_run("--datum", "b.html")
        self.assertIn("datums: 1 processed, 0 skipped, 3 not selected, ", result.stderr)
        before = self.output()
        result = self.pachbuild_run("--datum", "a.html", "--datum", "d/d.html")
        self.assertEqual(result.returncode, 1)
        self.assertIn("datums: 1 processed, 1 skipped, 1 failed, 1 not selected, ", result.stderr)
        self.assertIn("1 datum failed, so the output folder was not changed", result.stderr)
        self.assertEqual(self.output(), before)
        result = self.pachbuild_run("--datum", "a.html", "--datum", "d/d.html", "--partial")
        self.assertEqual(result.returncode, 1)
        # What the folder has of the others stays, also of those that failed.
        self.assertEqual(self.output(), {"b.html": b"B", "d.html": b"D"})

    def test_every_way_to_name_a_datum(self):
        lines = self.listed()
        numbered = self.listed(terminal=True)
        self.assertEqual([line[1:] for line in numbered], lines)
        self.assertEqual([line[0] for line in numbered], [str(number) for number in range(1, 5)])
        place, (found, _) = next((i, line) for i, line in enumerate(lines, 1) if line[1] == "data@/d/c.html")
        for name in (place, found, found[:10], "d/c.html", "/d/c.html", "data/d/c.html", "data@/d/c.html", "/pfs/data/d/c.html",
                     self.folder / "data/d/c.html", "./d/c.html"):
            result = self.succeed_run("--datum", name, "--force")
            self.assertEqual(self.output(), {"c.html": b"C"}, name)
            self.assert_ran(result, run=1)
        self.write("source/program.sh", 'echo edited > "/pfs/out/$(basename "$data")"\n')
        self.succeed_run("--datum", "a.html")
        self.assertEqual(self.output(), {"a.html": b"edited\n", "c.html": b"C"})
        here = self.run_program(*self.command("--datum", "c.html", "--force"), cwd=self.folder / "data/d", env=self.environment())
        self.assertEqual(here.returncode, 0, here.stderr)

    def test_what_names_nothing(self):
        for name, fault, hint in (
                ("c.html", "no such datum", 'did you mean "data/d/c.html"?'),
                ("b.htlm", "no such datum", 'did you mean "data/b.html"?'),
                ("5", "no such datum", "pachbuild list datum shows all 4 datums; use a number (1 to 4), an id or a file")):
            result = self.pachbuild_run("--datum", name)
            self.assertEqual(result.returncode, 64, result.stderr)
            self.assertIn(f"error: --datum {name}: {fault}\nhint: {hint}\n", result.stderr)
        self.data(**{"notes.txt": "N"})
        result = self.pachbuild_run("--datum", "notes.txt")
        self.assertIn("error: --datum notes.txt: is not part of any datum: the glob of its input does not match it\n", result.stderr)
        self.assertEqual(self.output(), {})

    def test_a_file_that_could_be_of_two_repos(self):
        (self.folder / "more").mkdir()
        self.write("more/a.html", "a")
        self.write("more/z.html", "z")
        cross = [{"pfs": {"repo": "data", "glob": "/*.html"}}, {"pfs": {"repo": "more", "glob": "/*.html"}}]
        self.spec(input={"cross": cross})
        result = self.pachbuild_run("--datum", "a.html", inputs=("data", "more"))
        self.assertEqual(result.returncode, 64, result.stderr)
        self.assertRegex(result.stderr, r"error: --datum a.html: is ambiguous: this may mean (data/a.html, more|more/a.html, data)/a.html\n"
                                        r"hint: name the repo as well: (data|more)/a.html\n")
        result = self.succeed_run("--datum", "more/a.html", inputs=("data", "more"))
        self.assertIn("datums: 2 processed, 0 skipped, 2 not selected, ", result.stderr)


if __name__ == "__main__":
    support.main()
