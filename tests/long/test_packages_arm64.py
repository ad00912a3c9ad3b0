# SPDX-License-Identifier: Apache-2.0
"""The packages for arm64, which this machine's scripts/package makes as well: what is in them, that the same build gives the
same bytes, and that the programs work, in qemu's emulation of a process. The tools that they start are this machine's own.

No pipeline runs there: pachbuild starts the programs beside it, and nothing here gives those to the emulation."""

import gzip
import hashlib
import json
import struct
import subprocess
import tarfile
import unittest
import zipfile

import release_packages
import support
import test_packages
from release_packages import OWN, PROGRAMS, Names

ARM64 = Names("arm64")
AARCH64 = 183  # e_machine of ELF
QEMU = "/usr/bin/qemu-aarch64-static"


def setUpModule():
    if OWN == "arm64":
        raise unittest.SkipTest("suite.test_packages tests them on this machine")
    test_packages.PackagesSuite.packages = release_packages.make_for_module(OWN, "arm64")


class Arm64:
    """For suites of test_packages, of the packages for arm64 instead of this machine's."""

    names = ARM64


class Contents(Arm64, test_packages.Contents):
    def programs(self):
        """Each package, and all files in it: their names and contents."""
        with tarfile.open(self.packages / ARM64.tarball) as tar:
            yield ARM64.tarball, {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isreg()}
        with zipfile.ZipFile(self.packages / ARM64.wheel) as wheel:
            yield ARM64.wheel, {name: wheel.read(name) for name in wheel.namelist()}
        deb = subprocess.run(["dpkg-deb", "--fsys-tarfile", self.packages / ARM64.deb], capture_output=True, check=True).stdout
        with tarfile.open(self.write("deb.tar", deb)) as tar:
            yield ARM64.deb, {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isreg()}

    def test_every_program_is_of_the_processor_and_stripped(self):
        for package, files in self.programs():
            with self.subTest(package):
                found = {name: content for name, content in files.items() if content.startswith(b"\x7fELF")}
                self.assertEqual(sorted(name.rpartition("/")[2] for name in found), sorted(PROGRAMS))
                for name, content in found.items():
                    self.assertEqual(struct.unpack_from("<H", content, 18), (AARCH64,), name)
                    self.assertEqual(content, (ARM64.build / "bin" / name.rpartition("/")[2]).read_bytes())
                    program = self.write("program", content)
                    sections = self.succeed("readelf", "--wide", "--sections", program).stdout
                    self.assertNotRegex(sections, r"\.(symtab|debug_\w+)\b")
                    self.assertNotIn("INTERP", self.succeed("readelf", "--wide", "--program-headers", program).stdout)

    def test_documents_are_those_of_this_machine_s_packages(self):
        other = Names(OWN)
        self.succeed("tar", "-xzf", self.packages / other.tarball)
        self.unpack()
        said = self.run_program("diff", "-rq", other.tree, ARM64.tree).stdout.splitlines()
        differ = {line.split(" ")[1].partition("/")[2] for line in said}
        # These list what was linked, of Debian's packages for the processor.
        documents = {f"share/doc/pachbuild/{name}" for name in ("libraries-copyright.txt.gz", "pachbuild.spdx.json")}
        self.assertLessEqual(differ - documents, {f"bin/{name}" for name in PROGRAMS}, said)
        self.assertLessEqual({f"bin/{name}" for name in PROGRAMS}, differ)

    def test_what_was_linked_is_of_the_processor(self):
        self.unpack()
        folder = self.folder / ARM64.tree / "share/doc/pachbuild"
        packages = json.loads((folder / "pachbuild.spdx.json").read_text(encoding="utf-8"))["packages"]
        locators = [reference["referenceLocator"] for package in packages for reference in package.get("externalRefs", ())]
        for name, architecture in (("libarchive-dev", "arm64"), ("libzstd-dev", "arm64"), ("libyaml-cpp-dev", "arm64"),
                                   ("libnghttp2-dev", "arm64"), ("libc6-dev-arm64-cross", "all")):
            found = [locator for locator in locators if locator.startswith(f"pkg:deb/debian/{name}@")]
            self.assertEqual([f"?arch={architecture}&" in locator for locator in found], [True], locators)
        self.assertEqual([locator for locator in locators if "?arch=amd64&" in locator], [])
        self.assertIn("libarchive-dev", gzip.decompress((folder / "libraries-copyright.txt.gz").read_bytes()).decode())

    def test_the_digests_are_of_both_processors_and_packages_of_another_version_go(self):
        folder = self.folder / "packages"
        old = [name.replace(support.VERSION, "0.0.9") for names in (ARM64, Names(OWN)) for name in names.files]
        stranger = "pachbuild-notes.txt"
        for name in (*old, *Names(OWN).files, stranger):
            self.write(f"packages/{name}", name)
        release_packages.make("arm64", folder)
        wanted = {*ARM64.files, *Names(OWN).files}
        self.assertEqual({file.name for file in folder.iterdir()}, {*wanted, stranger, "SHA256SUMS"})
        lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        names = [line.split("  ")[1] for line in lines]
        self.assertEqual(names, sorted(wanted))
        for name in Names(OWN).files:
            self.assertIn(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}", lines, "the file that is there")
        self.succeed("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=folder)


class ManualPages(Arm64, test_packages.ManualPages):
    pass


class WheelContents(Arm64, test_packages.WheelContents):
    def test_pip_installs_it_on_both_kinds_of_systems(self):
        self.succeed("/usr/bin/python3", "-m", "venv", "venv")
        for platform in ARM64.platforms:
            target = self.folder / platform
            self.succeed("venv/bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--only-binary=:all:",
                         f"--platform={platform}", "--target", target, self.packages / ARM64.wheel)
            for name in PROGRAMS:
                self.assertEqual((target / "bin" / name).read_bytes(), (ARM64.build / "bin" / name).read_bytes())


class Emulated(Arm64, test_packages.DebianSuite):
    def setUp(self):
        super().setUp()
        support.require_tool(QEMU)

    def test_the_debian_package_says_its_processor(self):
        fields = self.succeed("dpkg-deb", "--field", self.packages / ARM64.deb).stdout
        for line in (f"Version: {support.VERSION}", "Architecture: arm64", "Package: pachbuild",
                     "Recommends: python3 (>= 3.8), ca-certificates, git"):
            self.assertIn(f"{line}\n", fields)
        self.assertNotRegex(fields, r"(?m)^(Pre-)?Depends:")

    def test_each_program_says_its_version(self):
        self.dpkg("--install", self.packages / ARM64.deb)
        own = Names(OWN).build
        for name in PROGRAMS:
            said = self.succeed(QEMU, f"root/usr/bin/{name}", "--version").stdout
            self.assertEqual(said, self.succeed(own / "bin" / name, "--version").stdout)
        self.dpkg("--remove", "pachbuild")
        self.assertEqual(self.files(), set())

    def test_a_pipeline_is_built(self):
        tree = self.unpack()
        self.write("source/main.py", "")
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"))
        self.succeed(QEMU, tree / "bin/builder-runtime", "--source", "source", "--out", "out", env=env)
        record = json.loads((self.folder / "out/build.json").read_text(encoding="utf-8"))
        self.assertEqual((record["platform"]["os"], record["platform"]["architecture"]), ("linux", "arm64"))
        self.assertEqual((self.folder / "out/worker-shim").read_bytes(), (ARM64.build / "bin/worker-shim").read_bytes())


if __name__ == "__main__":
    support.main()
