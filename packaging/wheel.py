# SPDX-License-Identifier: Apache-2.0
"""The wheel's programs and documents beside its Python package, and its platforms: static programs run on every Linux of
their processor, whatever its C library."""

import os
import pathlib

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Wheel(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["shared_scripts"] = {path: pathlib.Path(path).name for path in self.files("bin")}
        build_data["shared_data"] = {path: path for path in self.files("share")}
        build_data["pure_python"] = False
        # The oldest of each kind that every pip knows.
        machine = os.environ["PACHBUILD_MACHINE"]
        build_data["tag"] = f"py3-none-manylinux_2_17_{machine}.musllinux_1_1_{machine}"

    def files(self, folder):
        root = pathlib.Path(self.root)
        return sorted(str(path.relative_to(root)) for path in (root / folder).rglob("*") if path.is_file())
