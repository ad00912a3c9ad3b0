# SPDX-License-Identifier: Apache-2.0
"""Pads each file of the repo numbers to four characters with the character given as the argument."""

import pathlib
import sys

import leftpad

for number in pathlib.Path("/pfs/numbers").iterdir():
    padded = leftpad.left_pad(number.read_text(), 4, sys.argv[1])
    pathlib.Path("/pfs/out", number.name).write_text(padded)
