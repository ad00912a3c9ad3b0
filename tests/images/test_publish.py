# SPDX-License-Identifier: Apache-2.0
"""update pipeline --build and --push-images: images that podman and buildah build, in a registry that runs here, and
pipelines on the stand-in for a cluster that run in them."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request

import containers
import support

# ann and the password "secret", by `htpasswd -Bbn ann secret`.
ACCOUNT = "ann:$2y$05$A.N1d/3iqyWNhiKODH226e0eGR9UKAzEePKwcaqS0WF0SDhXE9feO\n"
SPECS = """# Two pipelines of one image.
pipeline: {name: one}
transform:
  dockerfile: image/Dockerfile   # built
  cmd: [/hello]
input: {pfs: {repo: data, glob: /*}}
---
pipeline: {name: two}
transform:
  image: old.example.com/x/two:1  # replaced
  dockerfile: image/Dockerfile
  cmd: [/hello]
input: {pfs: {repo: data, glob: /*}}
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Publish(support.Suite):
    def setUp(self):
        super().setUp()
        self.env = support.environment(
            PACHCTL=str(support.ROOT / "tests/cluster/pachctl"), STAND_IN_STATE=str(self.folder / "state"),
            PACH_CONFIG=str(self.folder / "config.json"), PACHBUILD_BIN=str(support.BIN), BUILDAH_ISOLATION="chroot",
            CONTAINERS_REGISTRIES_CONF=str(self.folder / "registries.conf"),
            REGISTRY_AUTH_FILE=str(self.write("person.json", "{}")), XDG_CACHE_HOME=str(self.folder / "cache"))
        self.succeed(self.env["PACHCTL"], "create", "repo", "data", env=self.env)
        self.write("image/Dockerfile", "FROM scratch\nCOPY hello /hello\n")
        self.write("image/hello", os.urandom(16).hex())
        self.spec = self.write("specs.yaml", SPECS)

    def start_registry(self, *, account=False):
        server = shutil.which("docker-registry")
        support.require(server, "docker-registry is not installed; run scripts/setup images")
        self.host = f"127.0.0.1:{free_port()}"
        lines = ["version: 0.1", "log: {level: error}", f"http: {{addr: '{self.host}'}}",
                 f"storage: {{filesystem: {{rootdirectory: '{self.folder}/registry'}}}}"]
        if account:
            lines.append(f"auth: {{htpasswd: {{realm: here, path: '{self.write('accounts', ACCOUNT)}'}}}}")
        configuration = self.write("registry.yml", "\n".join(lines) + "\n")
        self.write("registries.conf", f'[[registry]]\nlocation = "{self.host}"\ninsecure = true\n')
        process = subprocess.Popen([server, "serve", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self.host.rpartition(":")[2]))) == 0:
                    return
            time.sleep(0.05)
        self.fail("the registry does not answer")

    def update(self, *words, code=0, stdin=None):
        result = self.run_program(support.PACHBUILD, "update", "pipeline", "-f", self.spec, "--registry", self.host, *words,
                                  env=self.env, stdin=stdin)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stderr

    def image_of(self, pipeline):
        answer = self.succeed(self.env["PACHCTL"], "list", "pipeline", "--raw", env=self.env).stdout
        for item in support.read_objects(answer):
            if item["pipeline"]["name"] == pipeline:
                return json.loads(item["user_spec_json"])["transform"]["image"]
        return None

    def manifest(self, image):
        repository, digest = image.removeprefix(self.host + "/").split("@")
        request = urllib.request.Request(
            f"http://{self.host}/v2/{repository.rpartition(':')[0]}/manifests/{digest}",
            headers={"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def test_an_image_is_built_once_pushed_pinned_and_run(self):
        self.start_registry()
        for tool in ("podman", "buildah"):
            with self.subTest(tool):
                errors = self.update("--build", "--username", "ann", "--builder", tool)
                self.assertEqual(errors.count("FROM scratch"), 1, errors)
                one, two = self.image_of("one"), self.image_of("two")
                self.assertRegex(one, rf"^{self.host}/ann/one:[0-9a-f]{{12}}@sha256:[0-9a-f]{{64}}$")
                self.assertEqual(two, one.replace("/one:", "/two:"))
                self.assertEqual(len(self.manifest(one)["layers"]), 1)
                # The same content, the same image.
                self.update("--build", "--username", "ann", "--builder", tool)
                self.assertEqual(self.image_of("one"), one)
                self.write("image/hello", os.urandom(16).hex())
                self.update("--build", "--username", "ann", "--builder", tool)
                self.assertNotEqual(self.image_of("one"), one)
        self.assertEqual(self.spec.read_text(encoding="utf-8"), SPECS)

    def test_the_file_says_so_when_that_is_asked_for_and_keeps_its_form(self):
        self.start_registry()
        self.spec.chmod(0o640)
        self.update("--build", "--builder", "podman", "--tag", "3f2a", "--write")
        text = self.spec.read_text(encoding="utf-8")
        one, two = self.image_of("one"), self.image_of("two")
        self.assertRegex(one, rf"^{self.host}/one:3f2a@sha256:")
        self.assertEqual(text, SPECS.replace("  dockerfile", f'  image: "{one}"\n  dockerfile', 1)
                         .replace("old.example.com/x/two:1", f'"{two}"'))
        self.assertEqual(self.spec.stat().st_mode & 0o777, 0o640)

    def test_images_that_are_here_are_pushed(self):
        self.start_registry()
        self.succeed("podman", "build", "--tag", "localhost/mine:7", self.folder / "image", env=self.env)
        self.addCleanup(self.run_program, "podman", "rmi", "--force", "localhost/mine:7")
        self.spec.write_text(SPECS.replace("old.example.com/x/two:1", "localhost/mine:7"), encoding="utf-8")
        for tool in ("podman", "buildah"):
            with self.subTest(tool):
                self.update("--push-images", "--builder", tool)
                self.assertRegex(self.image_of("two"), rf"^{self.host}/mine:[0-9a-f]{{12}}@sha256:")
        self.spec.write_text(SPECS, encoding="utf-8")
        errors = self.update("--push-images", "--builder", "podman", code=65)
        self.assertIn("error: old.example.com/x/two:1: is not on this machine: ", errors)

    def test_the_password_is_read_and_forgotten(self):
        self.start_registry(account=True)
        for tool in ("podman", "buildah"):
            with self.subTest(tool):
                errors = self.update("--build", "--username", "ann", "--builder", tool, code=1)
                self.assertRegex(errors, f"error: {tool}: pushing {self.host}/ann/one:[0-9a-f]+ failed with exit code 125\n"
                                         "hint: see its output above\n")
                self.update("--build", "--username", "ann", "--builder", tool, "--password-stdin", stdin="wrong\n", code=1)
                errors = self.update("--build", "--username", "ann", "--builder", tool, "--password-stdin", stdin="secret\n")
                self.assertNotIn("secret", errors)
                self.assertRegex(self.image_of("one"), f"^{self.host}/ann/one:")
        self.assertEqual((self.folder / "person.json").read_text(encoding="utf-8"), "{}")
        left = [path for path in (self.folder / "cache").rglob("*") if path.is_file()]
        self.assertEqual(left, [])

    def test_what_cannot_be_built_is_said_and_nothing_is_submitted(self):
        self.host = "127.0.0.1:1"
        self.spec.write_text(SPECS.replace("image/Dockerfile", "nowhere/Dockerfile"), encoding="utf-8")
        self.assertEqual(self.update("--build", "--builder", "podman", code=65),
                         f"error: {self.spec}:4:15: cannot read: no such file or folder\n")
        self.spec.write_text(SPECS.replace("dockerfile: ", "working_dir: "), encoding="utf-8")
        self.assertEqual(self.update("--build", "--builder", "podman", code=65),
                         f"error: {self.spec}: has no pipeline with transform.dockerfile\n"
                         "hint: name the file there, relative to the spec's folder\n")
        self.spec.write_text(SPECS, encoding="utf-8")
        self.write("image/Dockerfile", "FROM scratch\nCOPY missing /\n")
        errors = self.update("--build", "--builder", "podman", code=1)
        self.assertIn(f"error: podman: building {self.folder}/image/Dockerfile failed with exit code ", errors)
        self.assertEqual(self.update("--build", "--password-stdin", stdin="x\n", code=64),
                         "error: --password-stdin: needs a name to log in with\nhint: add --username NAME\n")
        self.assertIsNone(self.image_of("one"))


if __name__ == "__main__":
    containers.support.main()
