# SPDX-License-Identifier: Apache-2.0
"""The same without a dependency, and therefore without a requirements.txt."""

import pathlib
import sys

for number in pathlib.Path("/pfs/numbers").iterdir():
    pathlib.Path("/pfs/out", number.name).write_text(number.read_text().rjust(4, sys.argv[1]))
