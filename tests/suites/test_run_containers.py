# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run --runtime`, as far as it goes without a container engine: what it asks of one, and what it says where there
is none or one that does not work. tests/images has the rest."""

import pipelines
import support
from test_architecture import needs_a_dynamic_linker

# An engine with the one image "there:1", which cannot start anything.
ENGINE = """#!/bin/sh
echo "$@" >> "$0.asked"
case "$1 $2" in
  "image inspect") [ "$5" = there:1 ] && echo sha256:0123456789abcdef0123 ;;
  "images --quiet") ;;
  pull*) echo "pulling $2"; exit 1 ;;
  *) echo "cannot start anything" >&2; exit 125 ;;
esac
"""


class Containers(pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        self.data(a="A")
        self.write("source/main.py", "")

    def run_with(self, *arguments, engine=ENGINE, image="there:1"):
        """With an engine of this content, and nothing else on PATH."""
        self.spec(build={"image": image, "path": "./source"})
        self.engine = self.write("bin/podman", engine, mode=0o755)
        return self.pachbuild_run("--runtime", "podman", *arguments,
                                  env=self.environment(PATH=f"{self.folder / 'bin'}:/usr/bin:/bin"))

    def refused(self, result, code, expected):
        self.assertEqual((result.returncode, result.stderr), (code, expected))
        self.assertFalse(self.out.exists())

    def test_an_unknown_runtime(self):
        self.spec()
        self.refused(self.pachbuild_run("--runtime", "lxc"), 64,
                     "error: --runtime lxc: must be none, podman or docker\n"
                     "hint: see pachbuild run --help\n")

    def test_no_engine(self):
        self.spec()
        result = self.pachbuild_run("--runtime", "docker", env=self.environment(PATH=str(self.folder)))
        self.refused(result, 69, "error: docker: is not on PATH\nhint: install it, or omit --runtime\n")

    def test_an_engine_that_does_not_work(self):
        result = self.run_with(engine="#!/bin/sh\necho warning >&2\necho 'no service' >&2\nexit 1\n")
        self.refused(result, 69, f"error: {self.engine}: does not work: no service\n"
                                 "hint: start its service, or try another --runtime\n")

    def test_an_image_that_is_not_there(self):
        hint = "hint: pull it with --pull; official builder images can also be built with scripts/images build\n"
        self.refused(self.run_with(image="nope:1"), 69, "error: nope:1: podman has no image with that name\n" + hint)
        self.assertNotIn("pull", (self.folder / "bin/podman.asked").read_text())

    def test_an_image_that_cannot_be_pulled(self):
        result = self.run_with("--pull", image="nope:1")
        self.refused(result, 69, "pulling nope:1\nerror: nope:1: cannot be pulled\n"
                                 "hint: see the output above\n")

    def test_the_image_of_the_language(self):
        self.spec(language="python")
        self.write("bin/podman", ENGINE, mode=0o755)
        result = self.pachbuild_run("--runtime", "podman", env=self.environment(PATH=f"{self.folder / 'bin'}:/bin"))
        version = self.succeed(support.PACHBUILD, "--version").stdout.split()[1]
        self.assertIn(f"error: pachbuild-python:{version}: podman has no image with that name\n", result.stderr)

    def test_a_container_that_cannot_be_started(self):
        result = self.run_with()
        self.assertEqual(result.returncode, 69)
        if needs_a_dynamic_linker(pipelines.pathlib.Path(support.PACHBUILD)):
            self.assertEqual(result.stderr, f"error: {support.PACHBUILD}: needs shared libraries, which an image may lack\nhint: use a static one: cmake --preset release, then build/release/bin/pachbuild\n")
            return
        self.assertEqual(result.stderr, "cannot start anything\nerror: a container could not be started: exit code 125\n"
                                        "hint: see the runtime's output above\n")
        asked = (self.folder / "bin/podman.asked").read_text().splitlines()[-1]
        for words in ("run --rm --pull=never", "--mount=type=bind,source=", "sha256:0123456789abcdef0123 worker /"):
            self.assertIn(words, asked)

    def test_a_folder_that_a_mount_cannot_name(self):
        if needs_a_dynamic_linker(pipelines.pathlib.Path(support.PACHBUILD)):
            self.skipTest("a static pachbuild gets that far")
        self.cache = self.folder / "with,comma"
        result = self.run_with()
        self.assertEqual(result.returncode, 64)
        self.assertRegex(result.stderr, "^error: .*with,comma/.*: has a comma, which a container's mounts cannot have\n"
                                        "hint: rename it, or omit --runtime\n$")


if __name__ == "__main__":
    support.main()
