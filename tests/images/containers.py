# SPDX-License-Identifier: Apache-2.0
"""What the suites of tests/images share: the images that `scripts/images test` has made, and podman to run them.

Run one by hand, after `scripts/images test --keep`:
    eval "$(scripts/images store)"; python3 tests/images/test_NAME.py [Class.test_name]
"""

import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "suites"))
# A worker in a container is pachbuild itself, so it has to be the static one.
os.environ.setdefault("PACHBUILD_BIN", str(ROOT / "build" / "release" / "bin"))

import support  # noqa: E402  (found by the lines above)

VERSION = re.search(r"project\(pachbuild VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
PROGRAMS = f"pachbuild:{VERSION}"
PYTHON = f"pachbuild-python:{VERSION}"
GO = f"pachbuild-go:{VERSION}"
BUILDERS = ROOT / "etc" / "pipeline-build"
DECLARED = {path.parent.name: f"pachbuild-{path.parent.name}:{VERSION}" for path in sorted(BUILDERS.glob("*/builder.toml"))}
OFFICIAL = {"python": PYTHON, "go": GO, **DECLARED}
BASES = {image: f"localhost/pachbuild-base:{name}" for name, image in OFFICIAL.items()}
LEFTPAD = ROOT / "tests" / "data" / "leftpad"


class ImageSuite(support.Suite):
    """A test with a folder, from which it mounts what a worker would mount."""

    def setUp(self):
        super().setUp()
        found = self.run_program("podman", "image", "exists", PYTHON)
        support.require(found.returncode == 0, f"there is no image {PYTHON} here; scripts/images test makes it")

    def podman(self, *words, **options):
        return self.run_program("podman", *words, **options)

    def inspect(self, image):
        return json.loads(self.succeed("podman", "image", "inspect", image).stdout)[0]

    def layers(self, image):
        """What made each layer, the newest first, and its size in bytes."""
        history = json.loads(self.succeed("podman", "history", "--format", "json", image).stdout)
        return [(layer["CreatedBy"], layer["size"]) for layer in history]

    def run_image(self, image, *arguments, options=(), mounts=(), network="host"):
        """podman run with (folder, path, mode) mounts. Certificates are those of this machine."""
        words = ["run", "--rm", f"--network={network}", *options]
        for folder, path, mode in mounts:
            words.append(f"--volume={folder}:{path}:{mode}")
        if certificates := os.environ.get("SSL_CERT_FILE"):
            words += [f"--volume={certificates}:/run/certificates.crt:ro", "--env=SSL_CERT_FILE=/run/certificates.crt"]
        return self.podman(*words, image, *arguments)

    def make_folder(self, name):
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def build(self, image, source, *options, out="build", network="host"):
        """As a worker of Pachyderm 1.13 starts it: sh ./build.sh in the image's working directory."""
        folder = self.make_folder(out)
        result = self.run_image(image, "./build.sh", options=["--entrypoint=sh", *options], network=network,
                                mounts=[(source, "/pfs/source", "ro"), (folder, "/pfs/out", "rw")])
        return result, folder

    def build_well(self, image, source, *options, **names):
        result, folder = self.build(image, source, *options, **names)
        self.assertEqual(result.returncode, 0, result.stderr)
        return folder

    def containers(self):
        return self.succeed("podman", "ps", "--all", "--quiet").stdout.split()
