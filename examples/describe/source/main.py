# SPDX-License-Identifier: Apache-2.0
"""Describes each CSV file in the repo tables: /pfs/tables/T.csv gives /pfs/out/T.csv with a line for each numeric
column: how many values it has, their mean, standard deviation, smallest, quartiles and largest."""

import pathlib

import numpy as np
import pandas as pd

TABLES = pathlib.Path("/pfs/tables")
OUT = pathlib.Path("/pfs/out")

for path in sorted(TABLES.rglob("*.csv")):
    numbers = pd.read_csv(path).select_dtypes(np.number)
    if numbers.columns.empty:
        raise SystemExit(f"{path}: has no numeric column")
    target = OUT / path.relative_to(TABLES)
    target.parent.mkdir(parents=True, exist_ok=True)
    numbers.describe().transpose().to_csv(target, index_label="column", float_format="%.6g")
