# SPDX-License-Identifier: Apache-2.0
"""What create and update pipeline refuse, word by word, and that nothing was done then."""

import functools
import http.server
import json
import os
import threading

import cluster_suite
import support


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Refusals(cluster_suite.ClusterSuite):
    builds = False

    def refused(self, error, *words, code=65, spec=None, variables=None, stdin=None, leaves=()):
        """The error is all that is said, and there are no more repos and pipelines than before."""
        spec = spec or self.spec
        result = self.pachbuild("update", "pipeline", "-f", spec, *words, variables=variables or {}, stdin=stdin)
        self.assertEqual(result.stderr.replace(str(spec), "SPEC"), error)
        self.assertEqual(result.returncode, code)
        self.assertEqual(self.names("repo"), sorted([self.data, *leaves]))

    def test_an_input_that_is_not_there(self):
        self.write_spec(input={"pfs": {"repo": self.pipeline + "_nowhere", "glob": "/*"}})
        self.refused(f"error: pipeline {self.pipeline}: repo default/{self.pipeline}_nowhere not found\n")

    def test_a_field_that_pachyderm_does_not_know(self):
        self.write_spec(nonsense=1)
        result = self.pachbuild("update", "pipeline", "-f", self.spec)
        self.assertEqual(result.returncode, 65)
        self.assertIn('unknown field "nonsense"', result.stderr)
        self.assertEqual(self.names("repo"), [self.data])

    def test_an_update_that_is_refused_changes_nothing_of_what_is_there(self):
        self.update()
        head = self.head()
        self.write("source/main.py", cluster_suite.PROGRAM + "# edited\n")
        self.write_spec(input={"pfs": {"repo": self.pipeline + "_nowhere", "glob": "/*"}})
        self.update(code=65)
        self.assertEqual(self.head(), head)
        self.assertEqual(self.branches(), ["master"])
        self.write_spec()
        self.assertEqual(self.update(), self.told("1 file sent (126 B), 0 kept", "unchanged", "unchanged"))

    def test_a_repo_where_the_build_pipeline_should_be(self):
        repo = self.pipeline + "_build"
        self.pachctl("create", "repo", repo)
        self.refused(f'error: SPEC:1:23: the build pipeline would be called "{repo}", but a repo already has that name\n'
                     "hint: rename the pipeline in the spec\n", leaves=[repo])

    def test_a_pipeline_where_the_build_pipeline_should_be(self):
        plain = self.write("plain.json", f'{{"pipeline": {{"name": "{self.pipeline}_build"}}, "transform": {{"image": '
                           f'"x:1", "cmd": ["true"]}}, "input": {{"pfs": {{"repo": "{self.data}", "glob": "/*"}}}}}}')
        self.update(spec=plain)
        self.refused(f'error: SPEC:1:23: pipeline "{self.pipeline}_build" exists and is not the build of '
                     f'"{self.pipeline}"\nhint: rename the pipeline in the spec\n', leaves=[self.pipeline + "_build"])

    def test_a_pipeline_where_the_source_should_be(self):
        plain = self.write("plain.json", f'{{"pipeline": {{"name": "{self.pipeline}_source"}}, "transform": {{"image": '
                           f'"x:1", "cmd": ["true"]}}, "input": {{"pfs": {{"repo": "{self.data}", "glob": "/*"}}}}}}')
        self.update(spec=plain)
        self.refused(f'error: SPEC:1:23: the source needs repo "{self.pipeline}_source", which is the output of a '
                     "pipeline\nhint: rename the pipeline in the spec\n", leaves=[self.pipeline + "_source"])

    def test_a_source_that_somebody_is_writing_to(self):
        self.update()
        repo = self.pipeline + "_source"
        self.pachctl("start", "commit", repo + "@master")
        result = self.pachbuild("update", "pipeline", "-f", self.spec)
        self.assertEqual(result.returncode, 69)
        self.assertEqual(result.stderr, f"error: {repo}@master: has a commit that is not finished\nhint: it is still being written to: run `pachctl finish commit {repo}@master` when that is done\n")
        self.pachctl("finish", "commit", repo + "@master")
        self.update()

    def test_two_projects(self):
        self.write_spec(pipeline={"name": self.pipeline, "project": {"name": "one"}})
        self.refused('error: SPEC:1:61: the pipeline belongs to project "one", but --project is "two"\n'
                     "hint: use only one of the two\n", "--project", "two", code=64)

    def test_no_pachctl(self):
        self.refused("error: PACHCTL=/nowhere/pachctl: does not exist\n"
                     "hint: correct PACHCTL, or unset it\n",
                     code=69, variables={"PACHCTL": "/nowhere/pachctl"})

    def test_no_cluster(self):
        silent = self.write("silent", "#!/bin/sh\necho 'could not connect to pachd' >&2\nexit 1\n", mode=0o755)
        self.refused("error: the cluster does not answer: could not connect to pachd\nhint: check the output of `pachctl version` and `pachctl config get active-context`\n", code=69, variables={"PACHCTL": str(silent)})

    def test_a_source_needs_a_local_spec(self):
        text = self.spec.read_text(encoding="utf-8")
        hint = "hint: save it next to the source that it builds\n"
        self.refused("error: standard input: the spec must be a local file\n" + hint, spec="-", stdin=text)
        result = self.pachbuild("update", "pipeline", "-f", self.serve() + "p.json")
        self.assertEqual(result.returncode, 65)
        self.assertRegex(result.stderr, "^error: pachctl update pipeline: .*unknown field \"build\".*\nhint: a spec with transform.build cannot be read from a URL; "
                                        "save it next to the source that it builds\n$")
        self.refused("error: --dry-run: does not work with a URL, which pachctl fetches\n"
                     "hint: download the spec and pass the file with -f\n", "--dry-run", code=64, spec="https://example.com/p.json")

    def serve(self):
        """The address of this test's folder."""
        handler = functools.partial(Quiet, directory=str(self.folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/"

    def test_an_address_goes_to_pachctl(self):
        self.write("plain.json", json.dumps({
            "pipeline": {"name": self.pipeline}, "transform": {"image": "x:1", "cmd": ["true"]},
            "input": {"pfs": {"repo": self.data, "glob": "/*"}}}))
        address = self.serve() + "plain.json"
        self.assertEqual(self.update(spec=address), [f"{address}: sent as is"])
        self.assertIn(self.pipeline, self.names("pipeline"))

    def test_reserved_input_names_wherever_they_are(self):
        for kind in ("cross", "union", "join", "group"):
            self.write_spec(input={kind: [{"pfs": {"repo": self.data, "glob": "/*"}},
                                          {"pfs": {"repo": self.data, "name": "build", "glob": "/*"}}]})
            result = self.pachbuild("update", "pipeline", "-f", self.spec)
            self.assertEqual(result.returncode, 65)
            self.assertIn(f'input.{kind}[1].pfs.name "build" is reserved: pachbuild puts the build in /pfs/build\n'
                          'hint: give the input another "name"\n', result.stderr)
        self.assertEqual(self.names("repo"), [self.data])

    def test_a_name_that_is_too_long(self):
        self.write_spec(pipeline={"name": "p" * 52})
        result = self.pachbuild("update", "pipeline", "-f", self.spec)
        self.assertIn("pipeline.name has 52 characters; the limit is 51\n", result.stderr)

    def test_a_spout_and_a_pipeline_without_input(self):
        self.write_spec(spout={})
        self.assertIn("spout is not supported with transform.build: make it a pipeline of its own, which runs in an image\n",
                      self.pachbuild("update", "pipeline", "-f", self.spec).stderr)
        self.write_spec(input={})
        self.assertIn('input is empty\nhint: for example {"pfs": {"repo": "…", "glob": "/*"}}\n',
                      self.pachbuild("update", "pipeline", "-f", self.spec).stderr)

    def test_names_and_links_that_pfs_refuses_are_listed_before_anything_is_sent(self):
        self.write("source/a[1].txt", "")
        self.write("source/ä.txt", "")
        self.refused(f'error: {self.folder}/source: 2 invalid file names for PFS: "a[1].txt" contains [ ], "ä.txt" contains ä\nhint: names must be '
                     "printable ASCII without * ? [ ] { } ! ( ) @ + ^; rename them, or list them in .pachignore\n")
        self.write("source/.pachignore", "a\\[1].txt\nä.txt\n")
        os.symlink("/etc", self.folder / "source/etc")
        self.refused(f"error: {self.folder}/source/etc: is a symbolic link to /etc, outside the source\n"
                     "hint: replace it with a copy, or list it in .pachignore\n")

    def test_a_file_that_is_too_large(self):
        self.write("source/data.bin", b"x" * 3000)
        self.refused(f"error: {self.folder}/source/data.bin: is 2.9 KiB; the limit is 2.0 KiB\n"
                     "hint: list it in .pachignore, or raise --max-file-size\n", "--max-file-size", "2k")

    def test_an_empty_source_and_a_missing_folder(self):
        (self.folder / "source/main.py").unlink()
        self.refused(f"error: {self.folder}/source: has no source files\n")
        (self.folder / "source").rmdir()
        self.refused(f'error: SPEC:1:96: transform.build.path "{self.folder}/source" does not exist\n'
                     "hint: it is relative to the spec file's folder\n")

    def test_one_wrong_pipeline_of_a_file_stops_all_of_it(self):
        text = self.spec.read_text(encoding="utf-8")
        both = self.write("both.json", text + text.replace('"python"', '"cobol"'))
        result = self.pachbuild("update", "pipeline", "-f", both)
        self.assertEqual(result.returncode, 65)
        self.assertIn('"cobol" has no official builder', result.stderr)
        self.assertEqual(self.names("repo"), [self.data])


if __name__ == "__main__":
    support.main()
