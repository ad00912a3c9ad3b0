# SPDX-License-Identifier: Apache-2.0
"""A Python package of random files: its bundle is as large packed as it is unpacked."""

import os
import zipfile

FILE = 16 << 20  # bytes of each file of the package


def make_wheel(path, size):
    """A wheel with `size` bytes of random files; never in memory as a whole."""
    info = "big-1.0.dist-info"
    names = [f"big/{number}.bin" for number in range(size // FILE)]
    record = "".join(f"{name},,\n" for name in [*names, f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(name, os.urandom(FILE))
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: big\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", record)
