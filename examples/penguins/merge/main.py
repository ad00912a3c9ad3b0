# SPDX-License-Identifier: Apache-2.0
"""Brings the sizes and the isotopes of an island's penguins in a season together, those that have both."""

import csv
import os
import pathlib


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return {(row["species"], row["sample"]): row for row in csv.DictReader(file)}


def main():
    sizes, isotopes = pathlib.Path(os.environ["sizes"]), pathlib.Path(os.environ["isotopes"])
    of_isotopes = read(isotopes)
    target = pathlib.Path("/pfs/out", sizes.parent.name, sizes.name)  # ISLAND/YEAR.csv
    target.parent.mkdir()
    with open(target, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        for key, row in sorted(read(sizes).items()):
            if key in of_isotopes:
                other = of_isotopes[key]
                out.writerow([*key, row["flipper_mm"], row["mass_g"], other["delta_15n"], other["delta_13c"]])


if __name__ == "__main__":
    main()
