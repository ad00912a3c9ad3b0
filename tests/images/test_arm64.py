# SPDX-License-Identifier: Apache-2.0
"""The programs for arm64, cross-compiled by images/Dockerfile and run in qemu's emulation of a process."""

import json
import struct

import containers
import support
from containers import PROGRAMS, PYTHON, ROOT

ARM64 = f"{PROGRAMS}-arm64"
AARCH64 = 183  # e_machine of ELF


class Arm64(containers.ImageSuite):
    def setUp(self):
        super().setUp()
        self.qemu = support.require_tool("qemu-aarch64-static")
        self.succeed(ROOT / "scripts/images", "build", "pachbuild", "--from-apt", "--engine", "podman",
                     "--platform", "linux/arm64", timeout=1200)
        container = self.succeed("podman", "create", ARM64, "/none").stdout.strip()
        self.addCleanup(self.podman, "rm", container)
        self.succeed("podman", "cp", f"{container}:/usr/local/bin", "bin")

    def test_the_image_and_its_programs_are_of_the_processor(self):
        self.assertEqual(self.inspect(ARM64)["Architecture"], "arm64")
        self.assertLess(self.inspect(ARM64)["Size"], 8_000_000)
        for name in ("builder-runtime", "worker-shim"):
            program = (self.folder / "bin" / name).read_bytes()
            self.assertEqual(struct.unpack_from("<H", program, 18), (AARCH64,))

    def test_a_source_is_built(self):
        """The tools that it starts are this machine's own."""
        self.write("source/main.py", "")
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"))
        self.succeed(self.qemu, "bin/builder-runtime", "--source", "source", "--out", "out", env=env)
        record = json.loads((self.folder / "out/build.json").read_text())
        self.assertEqual((record["platform"]["os"], record["platform"]["architecture"]), ("linux", "arm64"))
        shim = (self.folder / "out/worker-shim").read_bytes()
        self.assertEqual(shim, (self.folder / "bin/worker-shim").read_bytes())

    def test_a_program_is_started(self):
        self.make_folder("build")
        result = self.run_image(PYTHON, "/bin-arm64/worker-shim", "--exec", "--", "/bin/echo", "here",
                                options=["--entrypoint=/qemu"], mounts=[
                                    (self.qemu, "/qemu", "ro"), (self.folder / "bin", "/bin-arm64", "ro"),
                                    (self.folder / "build", "/pfs/build", "ro")])
        self.assertEqual((result.returncode, result.stdout), (0, "here\n"), result.stderr)


if __name__ == "__main__":
    support.main()
