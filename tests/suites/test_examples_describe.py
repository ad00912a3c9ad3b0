# SPDX-License-Identifier: Apache-2.0
"""examples/describe: the statistics of numpy and pandas are those of Python's own csv and statistics modules."""

import csv
import io
import math
import statistics

import examples
import support


def numeric_columns(path):
    """The columns in which every value that is there is a number."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in rows[0]:
        try:
            yield name, [float(row[name]) for row in rows if row[name] != ""]
        except ValueError:
            pass


def describe(values):
    first, second, third = statistics.quantiles(values, method="inclusive")
    return {"count": len(values), "mean": statistics.fmean(values), "std": statistics.stdev(values),
            "min": min(values), "25%": first, "50%": second, "75%": third, "max": max(values)}


class DescribeExample(examples.ExampleSuite):
    def test_the_command_of_the_readme_gives_the_right_statistics_of_real_tables(self):
        tables = examples.example_data("tables")
        self.run_documented("examples/describe/README.md", tables=tables)
        output = examples.read_output(self.folder / "build" / "describe")
        self.assertEqual(set(output), {path.name for path in tables.iterdir()})
        for path in tables.iterdir():
            expected = {name: describe(values) for name, values in numeric_columns(path)}
            lines = {line.pop("column"): line for line in csv.DictReader(io.StringIO(output[path.name]))}
            self.assertEqual(list(lines), list(expected), path.name)
            for column, numbers in expected.items():
                for name, number in numbers.items():
                    with self.subTest(f"{path.name}: {name} of {column}"):
                        # The example prints six digits.
                        self.assertTrue(math.isclose(float(lines[column][name]), number, rel_tol=1e-5),
                                        f"{lines[column][name]} is not {number}")


if __name__ == "__main__":
    support.main()
