# SPDX-License-Identifier: Apache-2.0
"""What the commands about a cluster say of pachctl's answers, and what they give to pachctl and to the tools that build
images. Here all of these are scripts with answers in files; the other suites about clusters have what keeps a state."""

import json
import pathlib
import shutil

import support

# Notes its words and context. The answer to "list job --pipeline p" is in the file answers/list-job---pipeline-p; after
# it was given, the one of a file that ends with "+" takes its place.
PACHCTL = """#!/bin/sh
cd "$ANSWERS" || exit 1
echo "$*" >>calls
echo "$PACH_CONTEXT" >>contexts
name=$(echo "$*" | tr ' /' '--')
case $name in create-pipeline* | update-pipeline*) cp "$4" sent ;; esac
cat "$name" 2>/dev/null
[ ! -e "$name+" ] || mv "$name+" "$name"
"""
# An image's id is that of its Dockerfile, its digest in the registry "sha256:pushed".
TOOL = """#!/bin/sh
tool=${0##*/}
printf '%s' "$tool" >>"$SEEN"; printf ' %s' "$@" >>"$SEEN"; echo >>"$SEEN"
for word; do
  case $before in
    --iidfile) echo sha256:0123456789abcdef >"$word" ;;
    --digestfile) echo sha256:pushed >"$word" ;;
    --authfile) cat "$word" >>"$SEEN" ;;
    --config) cat "$word/config.json" >>"$SEEN"; readlink "$word/contexts" >>"$SEEN" ;;
  esac
  before=$word
done
case "$*" in
  *no.such*) echo no such image >&2; exit 1 ;;
  *RepoDigests*) echo other/map@sha256:other; echo "$REPOSITORY@sha256:pushed" ;;
  *inspect*) echo $ID ;;
esac
exit $CODE
"""


def job(pipeline, number, state, **more):
    return json.dumps({"job": {"pipeline": {"name": pipeline}, "id": number}, "state": state, **more})


def pipeline(name, project="default", spec=None, **more):
    return json.dumps({"pipeline": {"name": name, "project": {"name": project}}, "state": "PIPELINE_RUNNING",
                       "user_spec_json": json.dumps(spec or {}), **more})


def of_map():
    """A pipeline "map" and its build, as pachbuild makes them."""
    source = {"pfs": {"name": "source", "repo": "map_source"}}
    build = {"pfs": {"name": "build", "repo": "map_build", "branch": "build"}}
    return "\n".join([
        pipeline("map", details={"input": {"cross": [source, build]}}),
        pipeline("map_build", details={"description": "Builds the source of pipeline map.", "output_branch": "build",
                                       "transform": {"cmd": ["sh", "./build.sh"]}, "input": source})])


class Answers(support.Suite):
    def setUp(self):
        super().setUp()
        self.answers = self.folder / "answers"
        self.answers.mkdir()
        self.env = support.environment()
        program = self.write("bin/pachctl", PACHCTL, mode=0o755)
        self.env.update(PACHCTL=str(program), ANSWERS=str(self.answers), HOME=str(self.folder / "home"),
                        PACHBUILD_CACHE_DIR=str(self.folder / "cache"))

    def answer(self, call, text):
        (self.answers / call.replace(" ", "-").replace("/", "-")).write_text(text, encoding="utf-8")

    def pachbuild(self, *words, code=0, **options):
        result = self.run_program(support.PACHBUILD, *words, env=self.env, **options)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def calls(self):
        file = self.answers / "calls"
        calls = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return calls


class Watching(Answers):
    def setUp(self):
        super().setUp()
        self.answer("list pipeline --raw", of_map())
        self.running = job("map", "7", "JOB_RUNNING", data_total="9", data_processed="2", data_skipped="3",
                           data_failed="1")
        self.answer("list job --pipeline map --raw", self.running + job("map", "6", "JOB_SUCCESS"))
        self.answer("list job --pipeline map_build --raw",
                    job("map_build", "7", "JOB_SUCCESS", data_total="1", data_processed="1"))

    def test_status(self):
        self.assertEqual(self.pachbuild("status", "map").stdout,
                         "map_build: PIPELINE_RUNNING\n  job 7: JOB_SUCCESS, 1 of 1 datum\n"
                         "map: PIPELINE_RUNNING\n  job 7: JOB_RUNNING, 6 of 9 datums (3 skipped), 1 failed\n")
        self.answer("list job --pipeline map --raw", "")
        failing = of_map().replace('"PIPELINE_RUNNING"', '"PIPELINE_FAILURE", "reason": "why"', 1)
        self.answer("list pipeline --raw", failing)
        self.assertEqual(self.pachbuild("status", "map").stdout.splitlines()[2:],
                         ["map: PIPELINE_FAILURE, why", "  no job yet"])

    def test_status_of_a_failed_build_shows_what_it_said(self):
        self.answer("list job --pipeline map_build --raw", job("map_build", "7", "JOB_FAILURE", reason="datum failed"))
        self.answer("logs --job map_build@7", "error: main.py: broken\n")
        result = self.pachbuild("status", "map", code=1)
        self.assertEqual(result.stdout.splitlines()[:3],
                         ["map_build: PIPELINE_RUNNING", "  job 7: JOB_FAILURE", "  datum failed"])
        self.assertEqual(result.stderr, "error: main.py: broken\n"
                         "error: pipeline map_build: job 7 failed: datum failed\n")
        # Of the pipeline itself pachctl has the words.
        self.answer("list job --pipeline map_build --raw", "")
        self.answer("list job --pipeline map --raw", job("map", "7", "JOB_FAILURE"))
        self.assertEqual(self.pachbuild("status", "map").stderr, "")

    def test_status_for_machines(self):
        told = {"datums": 9, "failed": 1, "id": "7", "processed": 2, "reason": "", "skipped": 3, "state": "JOB_RUNNING"}
        build = {**told, "datums": 1, "failed": 0, "processed": 1, "skipped": 0, "state": "JOB_SUCCESS"}
        expected = {"pipeline": "map", "state": "PIPELINE_RUNNING", "reason": "", "job": told,
                    "build": {"pipeline": "map_build", "state": "PIPELINE_RUNNING", "reason": "", "job": build}}
        self.assertEqual(json.loads(self.pachbuild("status", "map", "-o", "json").stdout), expected)
        self.answer("list pipeline --raw", pipeline("map"))
        self.answer("list job --pipeline map --raw", "")
        self.assertEqual(json.loads(self.pachbuild("status", "map", "-o", "json").stdout),
                         {"pipeline": "map", "state": "PIPELINE_RUNNING", "reason": ""})

    def test_the_project_and_the_context_are_passed_on(self):
        self.answer("list pipeline --project q --raw", of_map())
        self.pachbuild("status", "map", "--project", "q", "--context", "c")
        calls = self.calls()
        # The first two are made side by side.
        self.assertEqual(sorted(calls[:2]), ["list pipeline --project q --raw", "list repo --project q --raw"])
        self.assertEqual(calls[2:], ["list job --pipeline map --project q --raw",
                                     "list job --pipeline map_build --project q --raw"])
        self.assertEqual((self.answers / "contexts").read_text(encoding="utf-8"), "c\n" * len(calls))

    def test_what_is_not_there(self):
        for verb in ("status", "logs"):
            self.assertIn("error: pipeline other: does not exist\n", self.pachbuild(verb, "other", code=65).stderr)

    def test_logs(self):
        self.answer("logs --job map_build@7", "built\n")
        self.answer("logs --job map@7", "one\ntwo\n")
        result = self.pachbuild("logs", "map")
        self.assertEqual(result.stdout, "built\none\ntwo\n")
        self.assertEqual(result.stderr, "== map_build: JOB_SUCCESS, 1 of 1 datum\n"
                         "== map: JOB_RUNNING, 6 of 9 datums (3 skipped), 1 failed\n")

    def test_logs_that_are_followed_end_with_the_job(self):
        def line(text, user=True):
            return json.dumps({"user": user, "message": text})
        self.answer("logs --job map_build@7 --raw", line("built"))
        self.answer("logs --job map@7 --raw", line("one") + line("of a worker", user=False))
        self.answer("logs --job map@7 --since 60s --raw", line("one") + line("two"))
        self.answer("list job --pipeline map --raw+", job("map", "8", "JOB_RUNNING") + job("map", "7", "JOB_KILLED"))
        result = self.pachbuild("logs", "map", "--follow", timeout=30)
        self.assertEqual(result.stdout, "built\none\ntwo\n")
        self.assertEqual(result.stderr, "== map_build, job 7\n== map_build: JOB_SUCCESS, 1 of 1 datum\n"
                         "== map, job 7\n== map: JOB_KILLED\n")


class Comparing(Answers):
    def setUp(self):
        super().setUp()
        self.write("source/main.py", "print()\n")
        self.write("source/new.txt", "1\n")
        self.write("source/same.txt", "")
        self.spec = self.write("map.json", json.dumps({
            "pipeline": {"name": "map"}, "transform": {"build": {"language": "python", "path": "source"}},
            "input": {"pfs": {"repo": "data", "glob": "/*"}}}))

    def test_diff_has_a_line_for_each_difference(self):
        plain = {"pipeline": {"name": "plain"}, "transform": {"image": "x", "cmd": ["a"]}, "new": 1}
        there = {"pipeline": {"name": "plain"}, "transform": {"image": "y", "cmd": ["a"]}, "old": {"a": 1}}
        spec = self.write("plain.json", json.dumps(plain))
        self.answer("list pipeline --raw", pipeline("plain", spec=there))
        self.assertEqual(sorted(self.pachbuild("diff", "-f", spec, "--exit-code", code=1).stdout.splitlines()),
                         ["+ pipeline plain: /new 1", '- pipeline plain: /old {"a":1}',
                          '~ pipeline plain: /transform/image "y" → "x"'])
        self.pachbuild("diff", "-f", spec)
        self.answer("list pipeline --raw", pipeline("plain", spec=plain))
        self.assertEqual(self.pachbuild("diff", "-f", spec, "--exit-code").stdout, "")
        self.answer("list pipeline --raw", "")
        self.assertEqual(self.pachbuild("diff", "-f", spec).stdout, "+ pipeline plain\n")

    def test_diff_names_files_of_the_source(self):
        self.assertEqual(self.pachbuild("diff", "-f", self.spec).stdout,
                         "+ main.py\n+ new.txt\n+ same.txt\n+ pipeline map_build\n+ pipeline map\n")

        def file(path, size, sort="FILE"):
            return json.dumps({"file_type": sort, "file": {"path": path}, "size_bytes": str(size), "hash": "x"})
        self.answer("list repo --raw", '{"repo": {"name": "map_source"}}')
        self.answer("list branch map_source --raw", '{"branch": {"name": "master"}, "head": {"id": "h"}}')
        self.answer("inspect commit map_source@h --raw", '{"finishing": "t"}')
        self.answer("glob file map_source@h:/** --raw",
                    file("/main.py", 8) + file("/gone/a.txt", 1) + file("/gone", 0, "DIR") + file("/old.txt", 1))
        self.assertEqual(self.pachbuild("diff", "-f", self.spec).stdout.splitlines()[:5],
                         ["~ main.py", "+ new.txt", "+ same.txt", "- gone/", "- old.txt"])

    def test_validate_counts_files(self):
        rest = '"transform": {"image": "i", "cmd": ["true"]}, "input": {"pfs": {"repo": "r", "glob": "/"}}}'
        plain = self.write("plain.json", f'{{"pipeline": {{"name": "plain"}}, {rest}{{"pipeline": {{"name": "other"}}, {rest}')
        self.assertEqual(self.pachbuild("validate", "-f", self.spec).stdout, "map: ok, 3 source files\n")
        self.assertEqual(self.pachbuild("validate", "-f", plain).stdout,
                         "".join(f"{name}: ok, nothing to build\n" for name in ("plain", "other")))
        self.assertEqual(self.calls(), [])
        self.pachbuild("validate", "-f", self.spec, "--max-file-size", "8")
        self.assertIn("is 8 B; the limit is 7 B",
                      self.pachbuild("validate", "-f", self.spec, "--max-file-size", "7B", code=65).stderr)


class Programs(Answers):
    def planned(self, *words, code=0):
        return self.pachbuild("update", "python-pipeline", *words, "--dry-run", "-o", "json", code=code)

    def test_a_file_is_a_source_with_the_requirements_beside_it(self):
        self.write("train.py", "print()\n")
        words = (self.folder / "train.py", "--input", "a")
        self.assertEqual(self.planned(*words).stderr, "train: 1 source file for repo train_source\n")
        self.write("requirements.txt", "six\n")
        self.write("other.py", "")
        self.assertEqual(self.planned(*words).stderr, "train: 2 source files for repo train_source\n")
        self.write("folder/main.py", "")
        self.assertEqual(self.planned(self.folder / "folder", "--input", "a", "--name", "x").stderr,
                         "x: 1 source file for repo x_source\n")

    def test_inputs_and_variables(self):
        self.write("train.py", "print()\n")
        result = self.planned(self.folder / "train.py", "-i", "a", "-i", "b:/x:*", "--env", "A=", "--env", "B=c=d")
        running = support.read_objects(result.stdout)[1]
        self.assertEqual([part["pfs"] for part in running["input"]["cross"][2]["cross"]],
                         [{"repo": "a", "glob": "/*"}, {"repo": "b", "glob": "/x:*"}])
        self.assertEqual({name: running["transform"]["env"][name] for name in "AB"}, {"A": "", "B": "c=d"})
        one = support.read_objects(self.planned(self.folder / "train.py", "-i", "a:/").stdout)[1]
        self.assertEqual(one["input"]["cross"][2], {"pfs": {"repo": "a", "glob": "/"}})
        self.assertNotIn("env", one["transform"])
        for wrong, fault in (("=x", "does not have the form NAME=VALUE"), ("x", "does not have the form NAME=VALUE"),
                             ("", "error: --env: requires a value (NAME=VALUE)")):  # fmt: skip
            self.assertIn(fault,
                          self.planned(self.folder / "train.py", "-i", "a", "--env", wrong, code=64).stderr)


class Publishing(Answers):
    def setUp(self):
        super().setUp()
        self.seen = self.folder / "seen"
        self.env.update(SEEN=str(self.seen), PATH=f"{self.folder}/tools:{self.folder}/usual",
                        ID="sha256:0123456789abcdef", CODE="0",
                        REPOSITORY="r.example.com/ann/map",
                        DOCKER_CONFIG=str(self.folder / "docker"))
        # Without what this machine may have of the three tools.
        (self.folder / "usual").mkdir()
        for program in ("cat", "cp", "mv", "readlink", "tr"):
            (self.folder / "usual" / program).symlink_to(shutil.which(program))
        self.write("docker/config.json", '{"currentContext": "own", "auths": {"x": {}}}')
        self.write("image/Dockerfile", "FROM scratch\n")
        self.text = ("# a comment\npipeline: {name: one}\n"
                     "transform: {dockerfile: image/Dockerfile, image: map, cmd: [a]}\n---\n"
                     "pipeline: {name: two}\ntransform: {image: 'old.example.com/x/map:1', cmd: [b]}\n---\n"
                     "pipeline: {name: three}\ntransform: {cmd: [c]}\n")
        self.spec = self.write("specs.yaml", self.text, mode=0o640)

    def tool(self, *names):
        for name in names:
            self.write(f"tools/{name}", TOOL, mode=0o755)

    def publish(self, *words, code=0, registry="r.example.com", **options):
        self.seen.write_text("", encoding="utf-8")
        words = ("update", "pipeline", "-f", self.spec, "--registry", registry, *words)
        result = self.pachbuild(*words, code=code, **options)
        lines = []
        for line in self.seen.read_text(encoding="utf-8").splitlines():
            for word in line.split(" "):
                if word.startswith(("/dev/shm", str(self.folder))):
                    line = line.replace(word, "/" + pathlib.Path(word).name)
            lines.append(line)
        return result.stderr.splitlines(), lines

    def test_images_are_built_and_pushed_by_each_tool(self):
        builds = {"docker": "docker build --iidfile /id --file /Dockerfile /image",
                  "podman": "podman build --iidfile /id --file /Dockerfile /image",
                  "buildah": "buildah build --iidfile /id --file /Dockerfile --layers /image"}
        self.tool(*builds)
        for tool, build in builds.items():
            with self.subTest(tool=tool):
                stderr, seen = self.publish("--build", "--builder", tool, "--username", "ann")
                reference = "r.example.com/ann/map:0123456789ab"
                pushes = ([f"docker tag sha256:0123456789abcdef {reference}", f"docker push {reference}",
                           "docker image inspect --format {{range .RepoDigests}}{{println .}}{{end}} " + reference]
                          if tool == "docker" else
                          [f"{tool} push --digestfile /digest sha256:0123456789abcdef docker://{reference}"])
                self.assertEqual(seen, [build] + pushes)
                self.assertIn(f"one: image: {reference}@sha256:pushed", stderr)
                self.assertEqual(len([line for line in stderr if ": image: " in line]), 1)
        self.assertEqual(self.spec.read_text(encoding="utf-8"), self.text)

    def test_the_first_tool_that_is_there_is_taken(self):
        self.tool("buildah")
        self.assertTrue(self.publish("--build")[1][0].startswith("buildah "))
        self.tool("podman")
        self.assertTrue(self.publish("--build")[1][0].startswith("podman "))
        self.tool("docker")
        self.env["REPOSITORY"] = "r.example.com/map"
        self.assertTrue(self.publish("--build")[1][0].startswith("docker "))
        self.env["PATH"] = f"{self.folder}/usual"
        stderr, _ = self.publish("--build", "--builder", "docker", code=69)
        self.assertIn("error: docker: is not on PATH", stderr)

    def test_images_of_this_machine_are_pushed_once_and_written_into_the_spec(self):
        self.tool("podman")
        stderr, seen = self.publish("--push-images", "--write", "--tag", "v1", "--builder", "podman")
        self.assertEqual(seen, ["podman image inspect --format {{.Id}} map",
                                "podman push --digestfile /digest sha256:0123456789abcdef "
                                "docker://r.example.com/map:v1",
                                "podman image inspect --format {{.Id}} old.example.com/x/map:1"])
        pushed = "r.example.com/map:v1@sha256:pushed"
        self.assertEqual([line for line in stderr if ": image: " in line],
                         [f"one: image: {pushed}", f"two: image: {pushed}"])
        text = self.spec.read_text(encoding="utf-8")
        self.assertEqual(text.count(pushed), 2)
        self.assertTrue(text.startswith("# a comment\npipeline: {name: one}\n"))
        self.assertTrue(text.endswith("---\npipeline: {name: three}\ntransform: {cmd: [c]}\n"))
        self.assertNotIn("old.example.com", text)
        self.assertEqual(self.spec.stat().st_mode & 0o777, 0o640)
        self.assertIn(f"{self.spec}: written", stderr)

    def test_what_runs_has_the_pushed_image(self):
        self.tool("podman")
        self.spec = self.write("one.yaml", self.text.split("---")[0])
        self.publish("--build")
        sent = json.loads((self.answers / "sent").read_text(encoding="utf-8"))
        self.assertEqual(sent["transform"]["image"], "r.example.com/map:0123456789ab@sha256:pushed")
        self.assertEqual(sent["transform"]["cmd"], ["a"])

    def test_the_ids_of_buildah_have_no_algorithm(self):
        self.tool("buildah")
        self.env["ID"] = "fedcba9876543210"
        _, seen = self.publish("--push-images")
        self.assertEqual(seen[:2], ["buildah inspect --type image --format {{.FromImageID}} map",
                                    "buildah push --digestfile /digest sha256:fedcba9876543210 "
                                    "docker://r.example.com/map:fedcba987654"])

    def test_the_password_is_in_a_file_of_the_push_alone(self):
        auth = {"auth": "YW5uOnNlY3JldA=="}  # ann:secret
        self.tool("podman", "docker")
        words = ("--build", "--username", "ann", "--password-stdin")
        _, seen = self.publish(*words, "--builder", "podman", stdin="secret\nmore\n")
        self.assertTrue(seen[1].startswith("podman push --authfile /config.json --digestfile /digest "), seen)
        self.assertEqual(json.loads("\n".join(seen[2:])), {"auths": {"r.example.com": auth}})
        self.env["REPOSITORY"] = "docker.io/ann/map"
        _, seen = self.publish(*words, "--builder", "docker", registry="docker.io", stdin="secret")
        push = next(i for i, line in enumerate(seen) if " push " in line)
        self.assertTrue(seen[push].startswith("docker --config /"), seen)
        config, contexts = json.JSONDecoder().raw_decode(seen[push + 1])
        self.assertEqual(config, {"auths": {"docker.io": auth, "https://index.docker.io/v1/": auth},
                                  "currentContext": "own"})
        self.assertEqual(seen[push + 1][contexts:], f"{self.folder}/docker/contexts")
        self.assertNotIn("--config", seen[0], "only the push needs it")
        stderr, _ = self.publish("--build", "--password-stdin", stdin="secret\n", code=64)
        self.assertIn("error: --password-stdin: needs a name to log in with", stderr)

    def test_errors(self):
        self.tool("podman")
        self.env["CODE"] = "3"
        stderr, _ = self.publish("--build", code=1)
        self.assertIn(f"error: podman: building {self.folder}/image/Dockerfile failed with exit code 3", stderr)
        self.env["CODE"] = "0"
        self.spec.write_text("pipeline: {name: a}\ntransform: {cmd: [a]}\n", encoding="utf-8")
        for words, what in ((("--build",), "has no pipeline with transform.dockerfile"),
                            (("--push-images",), "has no pipeline with an image")):
            self.assertIn(f"error: {self.spec}: {what}", self.publish(*words, code=65)[0])
        self.spec.write_text("pipeline: {name: a}\ntransform: {dockerfile: none}\n", encoding="utf-8")
        self.assertIn(f"error: {self.spec}:2:25: cannot read: no such file or folder",
                      self.publish("--build", code=65)[0])
        self.spec.write_text("pipeline: {name: a}\ntransform: {image: no.such/x}\n", encoding="utf-8")
        self.assertIn("error: no.such/x: is not on this machine: no such image",
                      self.publish("--push-images", code=65)[0])


if __name__ == "__main__":
    support.main()
