# SPDX-License-Identifier: Apache-2.0
"""examples/columns and examples/correlations: three languages count the same, R correlates as Python's statistics module does."""

import csv
import json
import math
import statistics

import examples
import language_suite
import support


def columns_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        names, *records = csv.reader(file)
    lines = []
    for number, name in enumerate(names):
        values = [record[number] for record in records if record[number]]
        lines.append(f"{name}\t{len(values)}\t{len(set(values))}\n")
    return "".join(lines)


class Columns(language_suite.PageSuite):
    def test_the_commands_of_the_readme(self):
        for tool in ("node", "npm", "cargo"):
            support.require_tool(tool)
        language_suite.require_npm_registry()
        tables = examples.example_data("tables")
        self.run_documented("examples/columns/README.md", tables=tables)
        self.assertEqual(examples.read_output(self.folder / "build/columns-shell"),
                         {path.name: columns_of(path) for path in tables.iterdir()})

    def test_correlations(self):
        support.require_tool("Rscript")
        tables = examples.example_data("tables")
        self.run_documented("examples/correlations/README.md", tables=tables)
        output = self.folder / "build/correlations"
        self.assertEqual(len(list(output.glob("*.json"))), len(list(tables.iterdir())))
        with (tables / "seattle-weather.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = json.loads((output / "seattle-weather.json").read_text(encoding="utf-8"))
        for one, others in found.items():
            for other, value in others.items():
                expected = statistics.correlation(*([float(row[name]) for row in rows] for name in (one, other)))
                self.assertTrue(math.isclose(value, expected, abs_tol=1e-8), (one, other, value, expected))


if __name__ == "__main__":
    support.main()
