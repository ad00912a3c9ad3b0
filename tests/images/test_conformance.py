# SPDX-License-Identifier: Apache-2.0
"""`pachbuild builder test` of images, and the documents about builders, whose every command is run."""

import pathlib
import re

import containers
import examples
import support
from containers import DECLARED, OFFICIAL, ROOT

DEBIAN = "localhost/pachbuild-base:pachbuild"


class Conformance(containers.ImageSuite):
    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.assertEqual(self.containers(), []))

    def make_image(self, name, **files):
        for path, content in files.items():
            self.write(f"{name}/{path.replace('__', '.')}", content)
        self.write(f"{name}/Dockerfile", f"FROM {DEBIAN}\nWORKDIR /app\nCOPY . ./\n")
        self.succeed("podman", "build", "--isolation=chroot", "-t", f"{name}:1", name)
        self.addCleanup(self.podman, "rmi", "--force", f"{name}:1")

    def examine(self, image, probe=None, *words):
        source = ["--source", probe] if probe else []
        return self.run_program(support.PACHBUILD, "builder", "test", image, *source, *words)

    def test_the_official_images_pass_all_with_the_probe_that_they_bring(self):
        for image in OFFICIAL.values():
            with self.subTest(image):
                result = self.examine(image)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                outcomes = re.findall(r"^(\S.*?)  +(ok|FAILED|note|skipped)\b", result.stdout, re.MULTILINE)
                # Of the declared ones R and Node have arguments that are text: bytes that are no UTF-8 are lost.
                allowed = {"arguments byte for byte"} if image in DECLARED.values() else set()
                self.assertLessEqual({name for name, outcome in outcomes if outcome != "ok"}, allowed, result.stdout)
                self.assertNotIn("FAILED", dict(outcomes).values())
                self.assertEqual(len(result.stdout.splitlines()), 14, result.stdout)

    def test_a_probe_with_a_folder_in_it(self):
        """The build as another user reads all of it, in the image as well as from here."""
        probe = (ROOT / "examples/custom-builder/probe/main.pl").read_text()
        self.make_image("deep", build__sh="cp run.sh /pfs/source/lib/main.pl /pfs/out\n", run__sh='exec perl /pfs/build/main.pl "$@"\n')
        self.write("probe/lib/main.pl", probe)
        result = self.examine("deep:1", "probe")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotRegex(result.stdout, "  (FAILED|note|skipped) ")
        result = self.examine("deep:1")
        self.assertEqual((result.returncode, result.stderr), (
            65, "error: deep:1: has no probe folder beside its build.sh\nhint: name the source of a probe with --source (see docs/authoring-builders.md)\n"))

    def test_variables_and_files_of_this_machine(self):
        self.make_image("asks", run__sh='exec perl /pfs/build/main.pl "$@"\n',
                        build__sh="cp run.sh /pfs/source/main.pl /pfs/out\necho $WORD; cat /etc/asked/file; ! true > /etc/asked/file\n")
        self.write("given/file", "of this machine\n")
        result = self.examine("asks:1", ROOT / "examples/custom-builder/probe", "--env", "WORD=said", "--mount",
                              "given:/etc/asked", "--log", "--keep", "kept")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(result.stderr.count("said\nof this machine\n"), 5)
        self.assertTrue((self.folder / "kept/room-2/other/out/run.sh").exists())
        self.assertEqual((self.folder / "given/file").read_text(), "of this machine\n")

    def test_a_builder_that_needs_root_or_a_writable_source(self):
        probe = ROOT / "examples/custom-builder/probe"
        run = 'exec perl /pfs/build/main.pl "$@"\n'
        for name, build in (("needs-root", 'test "$(id -u)" = 0\n'), ("writes", ": > /pfs/source/x\nrm /pfs/source/x\n")):
            with self.subTest(name):
                self.make_image(name, build__sh="set -e\n" + build + "cp run.sh /pfs/source/main.pl /pfs/out\n", run__sh=run)
                result = self.examine(f"{name}:1", probe)
                failed = [line.split("  ")[0] for line in result.stdout.splitlines() if " FAILED " in line]
                self.assertEqual((result.returncode, failed), (1, ["without root, source read-only"]), result.stdout)


class Documents(examples.ExampleSuite, containers.ImageSuite):
    def environment(self):
        env = super().environment()
        env["BUILDAH_ISOLATION"] = "chroot"
        env["REGISTRY"] = f"oci:{self.folder}"
        return env

    def setUp(self):
        super().setUp()
        # What could be pulled elsewhere.
        self.succeed("podman", "tag", DEBIAN, "docker.io/library/debian:12.12-slim")
        self.addCleanup(self.podman, "rmi", "docker.io/library/debian:12.12-slim")

    def test_authoring_builders(self):
        self.addCleanup(self.podman, "rmi", "--force", "perl-builder:1")
        self.run_documented("docs/authoring-builders.md")
        for counts in ("counts", "counts-of-image"):
            self.assertEqual((self.folder / counts / "hundred").read_text(), "100\n")
        self.assertTrue((self.folder / "perl-builder/index.json").exists())

    def test_the_programs_of_a_release_make_an_image_to_copy_from(self):
        text = (ROOT / "docs/authoring-builders.md").read_text(encoding="utf-8")
        command = re.search(r"^    (printf 'FROM scratch.*\n.*)$", text, re.MULTILINE)[1]
        unpacked = re.search(r"pachbuild-[0-9.]+-linux-amd64$", command)[0]
        name = re.search(r"-t (\S+)", command)[1]
        for program in (support.BUILDER, support.SHIM):
            self.write(f"{unpacked}/bin/{pathlib.Path(program).name}", pathlib.Path(program).read_bytes(), 0o755)
        self.addCleanup(self.podman, "rmi", "--force", "localhost/programs-of-a-release:1")
        self.succeed("bash", "-euc", command.replace(name, "localhost/programs-of-a-release:1"), env=self.environment())
        self.succeed(support.PACHBUILD, "builder", "new", "lua")
        self.succeed("podman", "build", "--build-arg=PACHBUILD_IMAGE=localhost/programs-of-a-release:1", "-t", "lua-builder:1", "lua",
                     env=self.environment())
        self.addCleanup(self.podman, "rmi", "--force", "lua-builder:1")
        result = self.run_program(support.PACHBUILD, "builder", "test", "lua-builder:1")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_custom_builder(self):
        self.addCleanup(self.podman, "rmi", "--force", "perl-builder:1")
        tables = examples.example_data("tables")
        self.run_documented("examples/custom-builder/README.md", tables=tables)
        lines = (tables / "seattle-weather.csv").read_bytes().splitlines()
        self.assertEqual((self.folder / "build/lines/seattle-weather.csv.txt").read_text(),
                         f"{len(lines)} lines, the longest has {max(map(len, lines))} bytes\n")


if __name__ == "__main__":
    support.main()
