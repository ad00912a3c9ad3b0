# SPDX-License-Identifier: Apache-2.0
"""update pipeline and create pipeline: what is made, what is sent, what is kept."""

import json
import os
import signal
import subprocess
import threading
import time

import cluster_suite
import support


class Submit(cluster_suite.ClusterSuite):
    builds = False

    def test_the_first_update_makes_a_source_a_build_and_the_pipeline(self):
        self.assertEqual(self.update(), self.told("1 file sent (117 B), 0 kept", "created", "created"))
        self.assertEqual(self.names("repo"), [self.pipeline, self.pipeline + "_build", self.pipeline + "_build_source", self.data,
                                              self.pipeline + "_source"])
        self.assertEqual(self.names("pipeline"), [self.pipeline, self.pipeline + "_build"])
        self.assertEqual(self.stored(), self.local())
        self.assertEqual(self.branches(), ["master"])
        build, _ = self.spec_of(self.pipeline + "_build")
        self.assertEqual(build["transform"]["cmd"], ["sh", "./build.sh"])
        self.assertEqual(build["input"], {"pfs": {"name": "source", "repo": self.pipeline + "_build_source", "branch": "master", "glob": "/"}})
        self.assertEqual(build["output_branch"], "build")
        running, _ = self.spec_of(self.pipeline)
        self.assertEqual(running["transform"]["cmd"], ["sh", "/pfs/build/run.sh"])
        self.assertEqual(running["transform"]["image"], build["transform"]["image"])
        self.assertEqual(running["input"]["cross"], [
            {"pfs": {"name": "source", "repo": self.pipeline + "_source", "branch": "master", "glob": "/"}},
            {"pfs": {"name": "build", "repo": self.pipeline + "_build", "branch": "build", "glob": "/", "lazy": True}},
            {"pfs": {"repo": self.data, "glob": "/*"}}])

    def test_with_nothing_changed_nothing_is_sent(self):
        self.update()
        head, versions = self.head(), [self.spec_of(name)[1] for name in self.names("pipeline")]
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "unchanged", "unchanged"))
        self.assertEqual(self.head(), head)
        self.assertEqual([self.spec_of(name)[1] for name in self.names("pipeline")], versions)

    def test_of_many_files_only_the_changed_ones_travel_and_removed_ones_go(self):
        for number in range(90):
            self.write(f"source/part{number % 3}/deep/{number}.txt", f"{number}\n")
        self.write("source/empty", "")
        self.write("source/with space.txt", "x")
        self.update()
        self.assertEqual(self.stored(), self.local())
        self.write("source/part0/deep/3.txt", "4\n")  # as many bytes as before
        self.assertEqual(self.update()[0], f"{self.pipeline}: source: 1 file sent (2 B), 92 kept")
        cluster_suite.remove(self.folder / "source/part1")
        cluster_suite.remove(self.folder / "source/part2/deep/2.txt")
        cluster_suite.remove(self.folder / "source/empty")
        self.write("source/empty/now a folder.txt", "y")
        lines = self.update()
        self.assertEqual(lines[0], f"{self.pipeline}: source: 1 file sent (1 B), 3 removed, 61 kept")
        self.assertEqual(self.stored(), self.local())
        self.assertEqual(self.update()[0], f"{self.pipeline}: source: unchanged (62 files)")

    def test_where_much_is_removed_everything_is_sent_anew(self):
        for number in range(120):
            self.write(f"source/{number}.txt", f"{number}\n")
        self.update()
        for number in range(70):
            (self.folder / f"source/{number}.txt").unlink()
        self.update()
        self.assertEqual(self.stored(), self.local())

    def test_a_large_file_is_not_sent_again_for_an_edit_beside_it(self):
        self.write("source/model.bin", os.urandom(8_000_000))
        self.update()
        self.write("source/main.py", cluster_suite.PROGRAM + "# edited\n")
        self.assertEqual(self.update()[0], f"{self.pipeline}: source: 1 file sent (126 B), 1 kept")
        self.assertEqual(self.stored(), self.local())

    def test_a_changed_build_is_made_again_and_the_pipeline_is_left_alone(self):
        self.update()
        self.write_spec(build={"env": {"PIP_INDEX_URL": "https://example.com/simple"},
                               "resource_requests": {"memory": "64Mi"}, "datum_tries": 2})
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "updated", "unchanged"))
        build, _ = self.spec_of(self.pipeline + "_build")
        self.assertEqual(build["transform"]["env"], {"PIP_INDEX_URL": "https://example.com/simple",
                                                     "PACHBUILD_BUILD_VARIABLES": "PIP_INDEX_URL"})
        self.assertEqual((build["resource_requests"], build["datum_tries"]), ({"memory": "64Mi"}, 2))

    def test_a_changed_field_of_the_pipeline_updates_that_alone(self):
        self.update()
        self.write_spec(description="two")
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "unchanged", "updated"))

    def test_a_working_folder_is_told_to_the_program_that_may_start_there(self):
        transform = {"build": {"language": "go", "path": "source"}, "working_dir": "/usr"}
        for env, expected in ({}, "/usr"), ({"PACHBUILD_WORKING_DIR": "/tmp"}, "/tmp"):
            self.write_spec(transform={**transform, "env": {"A": "b", **env}})
            shown = self.pachbuild("update", "pipeline", "-f", self.spec, "--dry-run", "-o", "json").stdout
            build, running = support.read_objects(shown)
            self.assertNotIn("env", build["transform"])
            self.assertEqual(running["transform"]["env"], {"A": "b", "PACHBUILD_WORKING_DIR": expected})
            self.assertEqual(running["transform"]["working_dir"], "/usr")

    def test_own_scripts_of_the_source_get_the_build_as_plain_files(self):
        self.write("source/run.sh", 'exec python3 "$0.py"\n')
        self.update()
        running, _ = self.spec_of(self.pipeline)
        self.assertNotIn("lazy", running["input"]["cross"][1]["pfs"])

    def test_create_refuses_what_is_there(self):
        self.update()
        result = self.pachbuild("create", "pipeline", "-f", self.spec)
        self.assertEqual(result.returncode, 65)
        self.assertEqual(result.stderr, f'error: {self.spec}:1:23: pipeline "{self.pipeline}" already exists\n'
                                        "hint: change it with: pachbuild update pipeline\n")

    def test_other_pipelines_pass_through_and_several_documents_go_in_turn(self):
        plain = self.pipeline + "_plain"
        text = (f"pipeline:\n  name: {plain}\ntransform:\n  image: pachbuild-python:{support.VERSION}\n  cmd: [sh, -c, 'exit 0']\n"
                f"input:\n  pfs:\n    repo: {self.data}\n    glob: /*\n---\n" + self.spec.read_text(encoding="utf-8"))
        spec = self.write("both.yaml", text)
        self.assertEqual(self.update(spec=spec)[0], f"{plain}: sent as is")
        self.assertEqual(self.names("pipeline"), [self.pipeline, self.pipeline + "_build", plain])
        self.assertEqual(self.spec_of(plain)[0]["transform"]["cmd"], ["sh", "-c", "exit 0"])

    def test_a_folder_of_specs_is_submitted_whole(self):
        self.write("specs/a.json", self.spec.read_text(encoding="utf-8").replace('"source"', '"../source"'))
        self.write("specs/README.md", "no spec")
        self.assertEqual(self.update(spec=self.folder / "specs")[1], f"{self.pipeline}: build pipeline: created")

    def test_an_empty_folder_is_warned_of(self):
        (self.folder / "source/data/cache").mkdir(parents=True)
        result = self.pachbuild("validate", "-f", self.spec)
        self.assertEqual((result.returncode, result.stderr),
                         (0, f"warning: {self.folder}/source/data/cache/: is empty, and Pachyderm does not store empty folders\n"))

    def test_a_dry_run_prints_everything_and_needs_no_cluster(self):
        result = self.pachbuild("update", "pipeline", "-f", self.spec, "--dry-run", "-o", "json", "--builder-images", "r.example/x/",
                                variables={"PACHCTL": "/nowhere/pachctl"})
        self.assertEqual((result.returncode, result.stderr), (0, f"{self.pipeline}: 1 source file for repo {self.pipeline}_source\n"))
        build, running = support.read_objects(result.stdout)
        self.assertEqual(build["pipeline"]["name"], self.pipeline + "_build")
        self.assertEqual(build["transform"]["image"], f"r.example/x/pachbuild-python:{support.VERSION}")
        self.assertEqual(running["pipeline"]["name"], self.pipeline)
        self.assertNotIn("build", running["transform"])

    def test_yaml_says_the_same_as_json(self):
        self.write_spec(build={"env": {"on": "1", "A": "yes", "B": "~", "C": "a: b\n#"}})
        as_json = self.pachbuild("update", "pipeline", "-f", self.spec, "--dry-run", "-o", "json").stdout
        as_yaml = self.pachbuild("update", "pipeline", "-f", self.spec, "--dry-run", "-o", "yaml").stdout
        # Read again by the program itself: what has no transform.build is printed as it is.
        again = self.pachbuild("update", "pipeline", "-f", self.write("again.yaml", as_yaml), "--dry-run", "-o", "json").stdout
        self.assertEqual(again, as_json)

    def test_a_python_program_needs_no_spec(self):
        words = ("--input", self.data, "--name", self.pipeline)
        result = self.pachbuild("create", "python-pipeline", self.folder / "source", *words, "--env", "A=b=c")
        self.assertEqual((result.returncode, result.stderr.splitlines()), (0, self.told("1 file sent (117 B), 0 kept", "created", "created")))
        running, _ = self.spec_of(self.pipeline)
        self.assertEqual(running["input"]["cross"][2], {"pfs": {"repo": self.data, "glob": "/*"}})
        self.assertEqual(running["transform"]["env"], {"A": "b=c"})
        # The same from a single file, which has its requirements beside it.
        self.write("other/train.py", cluster_suite.PROGRAM)
        self.write("other/requirements.txt", "")
        self.write("other/unrelated.py", "")
        result = self.pachbuild("update", "python-pipeline", self.folder / "other/train.py", "--input", self.data + ":/", *words[2:])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.stored(), {"main.py": 117, "requirements.txt": 0})
        self.assertEqual(self.spec_of(self.pipeline)[0]["input"]["cross"][2]["pfs"]["glob"], "/")
        for wrong, error in ((("nowhere",), "error: nowhere: cannot read: no such file or folder\n"),
                             (("source", "--env", "A"), "error: --env A: does not have the form NAME=VALUE\n")):
            result = self.pachbuild("update", "python-pipeline", *wrong, *words)
            self.assertEqual(result.stderr, error)

    def test_results_are_printed_for_machines(self):
        result = self.pachbuild("update", "pipeline", "-f", self.spec, "-o", "json")
        self.assertEqual(json.loads(result.stdout), {
            "pipeline": self.pipeline, "source": {"sent": 1, "sent_bytes": 117, "removed": 0, "kept": 0},
            "build_pipeline": "created", "running_pipeline": "created"})

    def test_what_a_killed_upload_has_left_goes_with_the_next_update(self):
        self.update()
        self.pachctl("start", "commit", f"{self.pipeline}_source@pachbuild-upload-1000000000-7", "--description", "left")
        self.update()
        self.assertEqual(self.branches(), ["master"])

    def test_two_at_once_do_not_mix_their_sources(self):
        self.update()
        specs = []
        for person in ("a", "b"):
            for number in range(20):
                self.write(f"{person}/{number}.txt", person)
            self.write(f"{person}/main.py", cluster_suite.PROGRAM)
            text = self.spec.read_text(encoding="utf-8").replace('"path": "source"', f'"path": "{person}"')
            specs.append(self.write(f"{person}.json", text))
        threads = [threading.Thread(target=self.pachbuild, args=("update", "pipeline", "-f", spec)) for spec in specs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        files = self.raw("glob", "file", f"{self.pipeline}_source@master:/**")
        hashes = {item["hash"] for item in files if item["file"]["path"].endswith(".txt")}
        self.assertEqual(len(hashes), 1)
        self.assertEqual(len(files), 21)

    @cluster_suite.stand_in_only
    def test_killed_at_any_call_and_run_again_it_ends_the_same(self):
        self.update()
        self.write("source/more.py", "1\n")
        self.write("source/gone/file.py", "1\n")
        self.update()
        stops = 0
        for stop in range(1, 40) if support.LONG else (7, 11, 40):
            (self.folder / "source/more.py").write_text(f"{stop}\n", encoding="utf-8")
            self.write(f"source/new{stop}.py", "")
            (self.folder / f"source/new{stop - 1}.py").unlink(missing_ok=True)
            self.write_spec(description=f"{stop}")
            result = self.update_killed_at(stop)
            self.update()
            self.assertEqual(self.stored(), self.local())
            self.assertEqual(self.spec_of(self.pipeline)[0]["description"], f"{stop}")
            # One that was just started tells nothing of who has started it.
            left = [transaction for transaction in self.raw("list", "transaction") if transaction["requests"]]
            self.assertEqual((self.branches(), left), (["master"], []))
            self.assertEqual(self.update(), self.told(f"unchanged ({len(self.local())} files)", "unchanged", "unchanged"))
            if result.returncode == 0:
                break
            stops += 1
        self.assertGreaterEqual(stops, 8 if support.LONG else 1)

    def interrupt_at(self, words):
        """Starts an update and sends Ctrl-C when pachctl is called with these words; that call then takes for ever."""
        marker = self.folder / "called"
        marker.unlink(missing_ok=True)
        slow = self.write("slow", f"#!/bin/sh\ncase \"$1 $2\" in \"{words}\") echo >{marker}; sleep 600 ;; esac\n"
                                  f'exec {self.program()[0]} "$@"\n', mode=0o755)
        process = subprocess.Popen([support.PACHBUILD, "update", "pipeline", "-f", self.spec],
                                   env={**self.env, "PACHCTL": str(slow)}, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not marker.exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors), (-signal.SIGINT, ""))

    def test_ctrl_c_takes_back_what_is_half_done(self):
        for words in ("put file", "finish commit", "create pipeline"):
            with self.subTest(words):
                self.interrupt_at(words)
                self.assertNotIn(f"{self.pipeline}_source", [item["repo"]["name"] for item in self.raw("list", "repo")])
        self.update()
        self.write("source/more.py", "1\n")
        before = self.stored()
        self.write_spec(description="new")
        for words in ("start commit", "put file", "start transaction", "update pipeline"):
            with self.subTest(words):
                self.interrupt_at(words)
                self.assertEqual((self.branches(), self.stored()), (["master"], before))
        self.update()
        self.assertEqual(self.stored(), self.local())

    @cluster_suite.stand_in_only
    def test_a_second_ctrl_c_ends_at_once_what_cleans_up(self):
        self.update()
        self.write("source/more.py", "1\n")
        # Deaf to all signals: first where something is sent, then where that is taken back.
        deaf = self.write("deaf", "#!/bin/sh\ncase \"$*\" in \"put file\"*|\"delete branch\"*--force) trap '' INT TERM HUP; "
                          f'echo $$ >"{self.folder}/$1"; while :; do sleep 0.1; done ;; esac\n'
                          f'exec {self.program()[0]} "$@"\n', mode=0o755)
        process = subprocess.Popen([support.PACHBUILD, "update", "pipeline", "-f", self.spec],
                                   env={**self.env, "PACHCTL": str(deaf)}, stderr=subprocess.PIPE, text=True)
        pids = []
        for word in ("put", "delete"):
            deadline = time.monotonic() + 60
            while not (self.folder / word).exists() or not (self.folder / word).read_text(encoding="utf-8"):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            pids.append((self.folder / word).read_text(encoding="utf-8").strip())
            process.send_signal(signal.SIGINT)
        start = time.monotonic()
        process.communicate(timeout=60)
        self.assertLess(time.monotonic() - start, 8)  # what cleans up has ten seconds
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertFalse([pid for pid in pids if os.path.exists(f"/proc/{pid}")])


if __name__ == "__main__":
    support.main()
