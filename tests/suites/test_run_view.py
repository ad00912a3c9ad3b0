# SPDX-License-Identifier: Apache-2.0
"""What a program sees when `pachbuild run` runs it: as in a worker of a cluster."""

import os
import re

import pipelines
import support


class View(pipelines.PipelineSuite):

    def report(self, script, **options):
        """Runs one datum, a.txt, whose program writes what `script` prints to report, and gives that."""
        self.data(**{"a.txt": "A\n"})
        self.shell_pipeline(f"{{ {script}\n}} > /pfs/out/report\n", **options)
        self.succeed_run()
        return self.output()["report"].decode()

    def test_pfs_is_links_into_a_scratch_folder_of_the_datum(self):
        report = self.report('for name in source data out; do readlink "/pfs/$name"; done; echo "$PACH_DATUM_ID"')
        source, data, out, datum = report.splitlines()
        self.assertRegex(datum, "^[0-9a-f]{64}$")
        self.assertEqual(source, f"/pfs/.scratch/{datum}/source")
        self.assertEqual(data, f"/pfs/.scratch/{datum}/data")
        self.assertEqual(out, f"/pfs/.scratch/{datum}/out")

    def test_modes_are_lost(self):
        self.write("data/d/tool", "#!/bin/sh\n", mode=0o755)
        report = self.report('stat -c "%a %n" /pfs/data/d /pfs/data/d/tool /pfs/out/', glob="/")
        self.assertEqual(report, "755 /pfs/data/d\n644 /pfs/data/d/tool\n700 /pfs/out/\n")

    def test_only_the_datums_own_files_are_there(self):
        self.data(**{"b.txt": "B", "d__c.txt": "C"})
        self.data(**{"a.txt": "A\n"})
        self.shell_pipeline('find -L /pfs/data -type f > "/pfs/out/$(basename "$data")"\n')
        self.succeed_run()
        self.assertEqual(self.output(), {"a.txt": b"/pfs/data/a.txt\n", "b.txt": b"/pfs/data/b.txt\n",
                                         "d": b"/pfs/data/d/c.txt\n"})

    def test_the_variables_of_a_worker(self):
        names = ["data", "data_COMMIT", "source", "build", "source_COMMIT", "PACH_JOB_ID", "PACH_OUTPUT_COMMIT_ID",
                 "PPS_PIPELINE_NAME", "PPS_PROJECT_NAME", "PACH_IN_WORKER", "GREETING"]
        report = self.report("; ".join(f'echo "${name}"' for name in names), env={"GREETING": "hello $HOME"})
        values = dict(zip(names, report.splitlines()))
        self.assertEqual(values["data"], "/pfs/data/a.txt")
        self.assertEqual((values["source"], values["build"]), ("/pfs/source", "/pfs/build"))
        for name in ("data_COMMIT", "source_COMMIT", "PACH_JOB_ID"):
            self.assertRegex(values[name], "^[0-9a-f]{32}$", name)
        self.assertEqual(values["PACH_JOB_ID"], values["PACH_OUTPUT_COMMIT_ID"])
        self.assertEqual(values["PPS_PIPELINE_NAME"], "edges")
        self.assertEqual(values["PPS_PROJECT_NAME"], "default")
        self.assertEqual(values["PACH_IN_WORKER"], "true")
        self.assertEqual(values["GREETING"], "hello $HOME")

    def test_the_root_as_a_datum_is_the_folder_itself(self):
        self.assertEqual(self.report('echo "$data"', glob="/"), "/pfs/data\n")

    def test_the_variables_are_in_a_file_too(self):
        self.assertIn("data=/pfs/data/a.txt\n", self.report("cat /pfs/.env"))

    def test_nothing_else_of_the_callers_environment(self):
        self.data(**{"a.txt": "A\n"})
        self.shell_pipeline("env > /pfs/out/report\n")
        result = self.pachbuild_run(env=self.environment(PACHBUILD_TEST_LEAK="1"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn(b"PACHBUILD_TEST_LEAK", self.output()["report"])

    def test_standard_input_is_the_specs_lines(self):
        self.assertEqual(self.report("cat", stdin=["one", "two"]), "one\ntwo\n")
        self.out.rename(self.folder / "first")
        self.assertEqual(self.report("cat"), "")

    def test_working_folder(self):
        self.assertEqual(self.report("pwd", working_dir="/usr"), "/usr\n")

    def test_a_go_program_starts_in_the_source_unless_the_spec_names_a_folder(self):
        support.require_tool("go")
        self.data(**{"a.txt": "A\n"})
        self.write("source/go.mod", "module example.com/app\n\ngo 1.21\n")
        self.write("source/conf.txt", "beside")
        self.write("source/main.go", 'package main\n\nimport "os"\n\nfunc main() {\n\tfolder, _ := os.Getwd()\n\ttext, _ := '
                                     'os.ReadFile("conf.txt")\n\tif os.WriteFile("/pfs/out/report", []byte(folder+" "+string(text)), 0o644) '
                                     '!= nil {\n\t\tos.Exit(1)\n\t}\n}\n')
        env = self.environment(GOCACHE=str(support.shared_cache("go-build")))
        for transform, expected in (({}, b"/pfs/source beside"), ({"working_dir": "/usr"}, b"/usr ")):
            self.spec(language="go", **transform)
            result = self.pachbuild_run(env=env)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(self.output()["report"], expected)

    def test_a_command_of_the_spec_wins(self):
        report = self.report("echo never", cmd=["sh", "-c", 'echo "$0" "$@" > /pfs/out/report', "a b"])
        self.assertEqual(report, "a b\n")

    def test_the_same_user_and_files_outside_pfs(self):
        marker = self.write("marker", "seen")
        report = self.report(f"id -u; cat {marker}")
        self.assertEqual(report, f"{os.getuid()}\nseen")

    def test_a_program_that_writes_to_its_input_harms_neither_data_nor_the_next_datum(self):
        self.data(**{"a.txt": "A", "b.txt": "B"})
        self.shell_pipeline('cat /pfs/source/note >> "/pfs/out/$(basename "$data")"\n'
                            'echo changed > /pfs/source/note; echo changed > "$data"\n')
        self.write("source/note", "original\n")
        self.succeed_run("--workers", 1)
        self.assertEqual(self.output(), {"a.txt": b"original\n", "b.txt": b"original\n"})
        self.assertEqual((self.folder / "data/a.txt").read_text(), "A")

    def test_a_lazy_input_is_a_named_pipe(self):
        self.data(**{"a.txt": "A\n", "b.txt": "B\n"})
        self.shell_pipeline('name=$(basename "$data"); test -p "$data" && cat "$data" > "/pfs/out/$name"\n')
        self.spec(input={"pfs": {"repo": "data", "glob": "/*", "lazy": True}})
        self.succeed_run()
        self.assertEqual(self.output(), {"a.txt": b"A\n", "b.txt": b"B\n"})

    def test_a_lazy_file_that_is_not_read_to_its_end_fails_the_datum(self):
        self.data(**{"a.txt": "x" * 1_000_000})
        self.shell_pipeline('head -c 10 "$data" > /pfs/out/report\n')
        self.spec(input={"pfs": {"repo": "data", "glob": "/*", "lazy": True}})
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("was opened but not read to its end, which fails a datum when an input is lazy", result.stderr)

    def test_empty_files(self):
        self.data(**{"a.txt": "A\n"})
        self.shell_pipeline('stat -c %s "$data" > /pfs/out/report\n')
        self.spec(input={"pfs": {"repo": "data", "glob": "/*", "empty_files": True}})
        self.succeed_run()
        self.assertEqual(self.output()["report"], b"0\n")

    def test_a_cross_has_all_combinations_each_in_its_folder(self):
        self.data(**{"1": "one", "2": "two"})
        self.write("other/x", "X")
        self.write("other/y", "Y")
        self.shell_pipeline('cat "$data" "$side" > "/pfs/out/$(basename "$data")$(basename "$side")"\n')
        self.spec(input={"cross": [{"pfs": {"repo": "data", "glob": "/*"}},
                                   {"pfs": {"name": "side", "repo": "other", "glob": "/*"}}]})
        self.succeed_run(inputs=("data", "other"))
        self.assertEqual(self.output(), {"1x": b"oneX", "1y": b"oneY", "2x": b"twoX", "2y": b"twoY"})

    def test_processes_are_counted_apart_and_none_outlives_its_datum(self):
        report = self.report('sh -c "exec sleep 987654" & sh -c "echo \\$PPID > /pfs/out/pid"; echo $!')
        self.assertLess(int(report), 1000, "numbers of a namespace of its own")
        running = self.run_program("ps", "-eo", "args").stdout
        self.assertNotIn("sleep 987654", running)

    def test_links_and_modes_of_the_output_are_lost(self):
        self.data(**{"a.txt": "A\n"})
        self.shell_pipeline('ln -s "$data" /pfs/out/link; ln -s /pfs/source /pfs/out/dir; mkdir /pfs/out/empty\n'
                            'echo x > /pfs/out/tool; chmod 755 /pfs/out/tool\n')
        self.succeed_run()
        output = self.output()
        self.assertEqual(output["link"], b"A\n")
        self.assertIn("dir/program.sh", output)
        self.assertFalse((self.out / "link").is_symlink() or (self.out / "dir").is_symlink())
        self.assertFalse((self.out / "empty").exists())
        self.assertEqual((self.out / "tool").stat().st_mode & 0o777, 0o644)

    def test_works_as_a_person_who_is_not_root(self):
        if os.getuid() != 0:
            self.skipTest("this is the case in all the other tests already")
        self.data(**{"a.txt": "A\n"})
        self.shell_pipeline("id -u > /pfs/out/report; readlink /pfs/out >> /pfs/out/report\n")
        # Not "nobody", whose number a user namespace shows for the owner of all that is root's as well.
        person = 12345
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, person, person)
        self.folder.chmod(0o755)
        result = self.run_program("setpriv", f"--reuid={person}", f"--regid={person}", "--clear-groups", *self.command(),
                                  env=self.environment(HOME=str(self.folder)))
        if "does not allow user namespaces" in result.stderr:
            # A chroot, some kernels: nothing that a CI could install.
            self.skipTest(result.stderr)
        if "cannot" in result.stderr and "Permission denied" in result.stderr and not os.access(support.BIN, os.X_OK):
            self.skipTest("the checkout is in a folder that others cannot enter")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(re.match(rf"{person}\n/pfs/.scratch/", self.output()["report"].decode()))


if __name__ == "__main__":
    support.main()
