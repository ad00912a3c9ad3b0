# SPDX-License-Identifier: Apache-2.0
"""What pachbuild has not made is neither changed nor deleted, whatever its name; it is named in the error."""

import json
import os

import cluster_suite
import support

MARK = "Source of pipeline {}, managed by pachbuild."
FORMER_MARK = "The source of pipeline {}."


class Ownership(cluster_suite.ClusterSuite):
    builds = False

    def setUp(self):
        super().setUp()
        self.repo = self.pipeline + "_source"
        self.build = self.pipeline + "_build"

    def put(self, repo, **files):
        """A commit of a person's, as `pachctl put file` makes it."""
        for name, content in files.items():
            self.write(f"mine/{name}", content)
        commit = self.pachctl("start", "commit", repo + "@master").strip()
        self.pachctl("put", "file", f"{repo}@{commit}:/", "--recursive", "--progress=false", "--file", self.folder / "mine")
        self.pachctl("finish", "commit", f"{repo}@{commit}")
        return commit

    def make_pipeline(self, name, **fields):
        spec = {"pipeline": {"name": name}, "transform": {"image": "x:1", "cmd": ["true"]},
                "input": {"pfs": {"repo": self.data, "glob": "/*"}}, **fields}
        self.pachctl("create", "pipeline", "--file", self.write("made.json", json.dumps(spec)))

    def snapshot(self):
        """All that the cluster has of this test: nothing may differ after a refusal. Others may be at work there."""
        if not cluster_suite.REAL:
            return (self.folder / "state/state.json").read_text(encoding="utf-8")
        repos = sorted((item["repo"]["name"], item.get("description", "")) for item in self.raw("list", "repo")
                       if item["repo"]["name"].startswith(self.pipeline))
        pipelines = sorted((item["pipeline"]["name"], item["version"], item["user_spec_json"])
                           for item in self.raw("list", "pipeline") if item["pipeline"]["name"].startswith(self.pipeline))
        branches = {name: [(item["branch"]["name"], item["head"]["id"]) for item in self.raw("list", "branch", name)]
                    for name, _ in repos}
        return repos, pipelines, branches

    def refused(self, *expected, verbs=("update", "create", "--build"), code=65, spec=None):
        """Each way to change the pipeline is refused with these texts, and changes nothing."""
        before = self.snapshot()
        for verb in verbs:
            with self.subTest(verb):
                words = {"delete": ("delete", "pipeline", self.pipeline, "--yes"),
                         "--build": ("update", "pipeline", "-f", self.image_spec(), "--build", "--registry", "r.example.com")}
                default = (verb, "pipeline", "-f", spec or self.spec)
                tools = self.write("tools/podman", "#!/bin/sh\necho \"$@\" >>\"$0.called\"\nexit 1\n", mode=0o755).parent
                result = self.pachbuild(*words.get(verb, default), variables={"PATH": f"{tools}:{os.environ['PATH']}"})
                self.assertEqual(result.returncode, code, result.stderr)
                for text in expected:
                    self.assertIn(text, result.stderr)
                self.assertFalse((tools / "podman.called").exists(), "an image was built before the cluster was looked at")
                self.assertEqual(self.snapshot(), before)

    def image_spec(self):
        spec = json.loads(self.spec.read_text(encoding="utf-8"))
        spec["transform"]["dockerfile"] = "Dockerfile"
        self.write("Dockerfile", "FROM scratch\n")
        return self.write("image.json", json.dumps(spec))

    def test_a_repo_of_a_person_is_not_emptied(self):
        self.pachctl("create", "repo", self.repo)
        self.put(self.repo, a="1", b="2")
        self.refused(f'repo "{self.repo}" exists and was not made by pachbuild\n',
                     f'pachctl update repo {self.repo} --description "{MARK.format(self.pipeline)}"\n')
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes")
        self.assertEqual((result.returncode, result.stderr), (65, f"error: pipeline {self.pipeline}: does not exist\nhint: pachctl list pipeline shows which pipelines exist\n"))
        self.assertEqual(sorted(self.stored()), ["a", "b"])

    def test_a_repo_with_the_words_of_earlier_versions_proves_nothing_by_them(self):
        self.pachctl("create", "repo", self.repo, "--description", FORMER_MARK.format(self.pipeline))
        self.refused(f'repo "{self.repo}" exists and was not made by pachbuild\n', verbs=("update",))
        self.put(self.repo, a="1")
        self.refused(f'repo "{self.repo}" exists and was not made by pachbuild\n', verbs=("update",))
        self.refused("does not exist", verbs=("delete",))

    def test_a_repo_is_handed_over_by_its_description(self):
        self.pachctl("create", "repo", self.repo)
        self.pachctl("update", "repo", self.repo, "--description", MARK.format(self.pipeline))
        self.update()
        self.assertEqual(self.stored(), self.local())

    def test_the_files_of_a_repo_that_is_handed_over_are_not_lost_either(self):
        self.pachctl("create", "repo", self.repo, "--description", MARK.format(self.pipeline))
        self.put(self.repo, a="1")
        self.refused("was not made by pachbuild\n", verbs=("update", "--build"))
        self.pachctl("delete", "branch", self.repo + "@master")
        self.update()
        self.assertEqual(self.stored(), self.local())
        self.refused("contains 1 commit that was not made by pachbuild", verbs=("delete",))

    def test_commits_of_others_in_the_source_are_kept(self):
        self.update()
        commit = self.put(self.repo, mine="1")
        self.write("source/more.py", "1\n")
        self.refused(f"error: {self.repo}@master: the newest commit, {commit}, was not made by pachbuild\n"
                     "hint: save its files, then delete that commit, or move the branch back to an earlier one: pachctl create branch "
                     f"{self.repo}@master --head COMMIT\n", verbs=("update", "--build"))
        self.refused(f'repo "{self.repo}" contains 1 commit that was not made by pachbuild; the newest is {commit}\n', verbs=("delete",))
        # One below the head: an update takes nothing away that is not in the history, a deletion would.
        own = [item["commit"]["id"] for item in self.raw("list", "commit", self.repo)][-1]
        self.pachctl("create", "branch", self.repo + "@master", "--head", own)
        self.update()
        self.refused(f'repo "{self.repo}" contains 1 commit that was not made by pachbuild; the newest is {commit}\n', verbs=("delete",))

    def test_a_build_pipeline_that_is_not_wholly_as_pachbuild_makes_it(self):
        self.update()
        spec, _ = self.spec_of(self.build)
        other = self.pipeline + "_other"
        self.pachctl("create", "repo", other)
        # tests/unit/cluster/ownership_test.cpp has all the ways in which it can differ.
        changes = ({"description": "Mine."}, {"input": {"cross": [spec["input"], {"pfs": {"repo": other, "glob": "/"}}]}})
        for change in changes:
            with self.subTest(change=change):
                self.pachctl("update", "pipeline", "--file", self.write("other.json", json.dumps({**spec, **change})))
                self.refused(f'pipeline "{self.build}" exists and is not the build of "{self.pipeline}"\n',
                             verbs=("update", "--build", "delete"))
        self.pachctl("update", "pipeline", "--file", self.write("own.json", json.dumps(spec)))
        self.update()

    @cluster_suite.stand_in_only
    def test_a_build_pipeline_that_reads_another_project(self):
        self.update()
        spec, _ = self.spec_of(self.build)
        self.pachctl("create", "repo", spec["input"]["pfs"]["repo"], "--project", "other")
        spec["input"]["pfs"]["project"] = "other"
        self.pachctl("update", "pipeline", "--file", self.write("other.json", json.dumps(spec)))
        self.refused(f'pipeline "{self.build}" exists and is not the build of "{self.pipeline}"\n', verbs=("update", "delete"))

    @cluster_suite.stand_in_only
    def test_the_same_names_in_another_project_are_other_things(self):
        self.pachctl("create", "repo", self.data, "--project", "other")
        self.pachctl("create", "repo", self.repo)  # a person's, in the default project
        self.put(self.repo, a="1")
        self.update("--project", "other")
        self.refused(f'repo "{self.repo}" exists and was not made by pachbuild\n', verbs=("update",))
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes", "--project", "other")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(self.stored()), ["a"])

    @cluster_suite.stand_in_only
    def test_readers_are_known_by_their_projects(self):
        self.update()
        reader = self.pipeline + "_reader"
        pfs = {"repo": self.pipeline, "glob": "/*"}
        # One of the same name in another project, and then this one, from there.
        self.pachctl("create", "repo", self.pipeline, "--project", "other")
        for project in ("other", "default"):
            spec = {"pipeline": {"name": reader, "project": {"name": "other"}}, "transform": {"image": "x:1", "cmd": ["true"]},
                    "input": {"pfs": {**pfs, "project": project}}}
            self.pachctl("update", "pipeline", "--file", self.write("reader.json", json.dumps(spec)))
            if project == "other":
                result = self.pachbuild("delete", "pipeline", self.pipeline)
                self.assertIn("this deletes ", result.stderr)
        self.refused(f"pipeline {reader} of project other reads its repo {self.pipeline}\n", verbs=("delete",))

    def test_a_deletion_that_pachyderm_refuses_leaves_the_pipeline_to_others(self):
        self.update()
        refuses = self.write("refuses", f'#!/bin/sh\n[ "$1 $2" != "delete pipeline" ] || exit 1\nexec {self.program()[0]} "$@"\n',
                             mode=0o755)
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes", variables={"PACHCTL": str(refuses)})
        self.assertEqual(result.returncode, 65)
        self.write("source/more.py", "1\n")
        self.update()
        self.assertEqual(self.branches(), ["master"])

    def test_what_earlier_versions_made_is_adopted_where_its_shape_proves_it(self):
        self.update()
        version = [name["branch"]["name"] for name in self.raw("list", "branch", self.repo) if "version" in name["branch"]["name"]]
        self.pachctl("update", "repo", self.repo, "--description", FORMER_MARK.format(self.pipeline))
        self.pachctl("delete", "branch", f"{self.repo}@{version[0]}")
        self.write("source/more.py", "1\n")
        self.assertEqual(self.update(), self.told("1 file sent (2 B), 1 kept", "unchanged", "unchanged"))
        self.assertEqual(self.branches(), ["master"])
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((self.names("pipeline"), self.names("repo")), ([], [self.data]))

    def test_what_an_earlier_version_left_of_a_deletion_is_adopted_by_its_commits(self):
        self.update()
        self.pachctl("update", "repo", self.repo, "--description", FORMER_MARK.format(self.pipeline))
        self.pachctl("delete", "pipeline", self.pipeline)
        self.pachctl("delete", "pipeline", self.build)
        self.update()
        self.assertEqual(self.names("pipeline"), [self.pipeline, self.build])

    def test_a_pipeline_of_ones_own_is_converted_by_an_update(self):
        self.make_pipeline(self.pipeline)
        self.refused(f'pipeline "{self.pipeline}" already exists\n', verbs=("create",))
        result = self.pachbuild("delete", "pipeline", self.pipeline, "--yes")
        self.assertEqual((result.returncode, result.stderr), (65, f"error: pipeline {self.pipeline}: has no build\n"
                                                                  "hint: pachctl delete pipeline deletes it\n"))
        self.assertEqual(self.update(), self.told("1 file sent (117 B), 0 kept", "created", "updated"))

    def test_a_pipeline_of_ones_own_beside_the_names_of_a_build(self):
        # All by hand, as before there was pachbuild.
        self.pachctl("create", "repo", self.repo)
        self.put(self.repo, a="1")
        source = {"pfs": {"name": "source", "repo": self.repo, "branch": "master", "glob": "/"}}
        self.make_pipeline(self.build, input=source, output_branch="build",
                           transform={"image": "x:1", "cmd": ["sh", "./build.sh"]})
        build = {"pfs": {"name": "build", "repo": self.build, "branch": "build", "glob": "/"}}
        self.make_pipeline(self.pipeline, input={"cross": [source, build]})
        self.refused(f'pipeline "{self.build}" exists and is not the build of "{self.pipeline}"\n', verbs=("update", "delete"))

    def test_a_repo_where_the_pipeline_should_be(self):
        self.pachctl("create", "repo", self.pipeline)
        self.refused(f'repo "{self.pipeline}" exists and is not the output of a pipeline\n')

    def test_the_build_of_another_pipeline_is_not_converted(self):
        self.update()
        name = self.build
        spec = json.loads(self.spec.read_text(encoding="utf-8"))
        spec["pipeline"]["name"] = name
        text = f'pipeline name "{name}" is reserved for the build of pipeline "{self.pipeline}"\n'
        self.refused(text, verbs=("update",), spec=self.write("converted.json", json.dumps(spec)))
        del spec["transform"]["build"]
        spec["transform"].update(image="x:1", cmd=["true"])
        self.refused(text, verbs=("update",), spec=self.write("plain.json", json.dumps(spec)))

    def test_an_image_is_not_pushed_for_a_pipeline_that_cannot_be_created(self):
        self.make_pipeline(self.pipeline)
        spec = json.loads(self.image_spec().read_text(encoding="utf-8"))
        del spec["transform"]["build"]
        spec["transform"]["cmd"] = ["true"]
        plain = self.write("plain.json", json.dumps(spec))
        before = self.snapshot()
        tools = self.write("tools/podman", "exit 1", mode=0o755).parent
        result = self.pachbuild("create", "pipeline", "-f", plain, "--build", "--builder", "podman",
                                variables={"PATH": f"{tools}:{self.env['PATH']}"})
        self.assertEqual(result.returncode, 65)
        self.assertIn(f'pipeline "{self.pipeline}" already exists\n', result.stderr)
        self.assertEqual(self.snapshot(), before)


if __name__ == "__main__":
    support.main()
