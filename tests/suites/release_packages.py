# SPDX-License-Identifier: Apache-2.0
"""What scripts/package makes for a processor: the names of its files, and the packages made once for all tests of a suite."""

import dataclasses
import pathlib
import platform
import shutil
import subprocess
import tempfile
import unittest

import support

PROGRAMS = ("builder-runtime", "pachbuild", "worker-shim")
# Debian's names of the processors, and those of wheels and of this machine.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
OWN = next((arch for arch, machine in MACHINES.items() if machine == platform.machine()), platform.machine())


@dataclasses.dataclass(frozen=True)
class Names:
    """Of the packages for a processor, and the build that they are made of."""

    arch: str

    @property
    def machine(self):
        return MACHINES[self.arch]

    @property
    def deb(self):
        return f"pachbuild_{support.VERSION}_{self.arch}.deb"

    @property
    def tree(self):
        return f"pachbuild-{support.VERSION}-linux-{self.arch}"

    @property
    def tarball(self):
        return f"{self.tree}.tar.gz"

    @property
    def platforms(self):
        return [f"{libc}_{self.machine}" for libc in ("manylinux_2_17", "musllinux_1_1")]

    @property
    def wheel(self):
        return f"pachbuild-{support.VERSION}-py3-none-{'.'.join(self.platforms)}.whl"

    @property
    def files(self):
        return (self.deb, self.tarball, self.wheel)

    @property
    def build(self):
        return support.ROOT / "build" / ("release" if self.arch == OWN else f"release-{self.arch}")


def make(arch, folder):
    """The packages of the build that is there."""
    made = subprocess.run([support.ROOT / "scripts/package", "--arch", arch, "--no-build", "--output", folder],
                          env=support.environment(), capture_output=True, text=True, timeout=900)
    if made.returncode != 0:
        raise AssertionError(made.stdout + made.stderr)


def make_for_module(*archs):
    """A folder with the packages for these processors, until the tests of the calling module have run."""
    for arch in archs:
        program = Names(arch).build / "bin/pachbuild"
        support.require(program.exists(), f"{program} is not there; run scripts/package --arch {arch}")
    support.TEST_FOLDER.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="packages.", dir=support.TEST_FOLDER))
    unittest.addModuleCleanup(shutil.rmtree, folder)
    for arch in archs:
        make(arch, folder)
    return folder
