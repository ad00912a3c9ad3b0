# SPDX-License-Identifier: Apache-2.0
"""The tables of a measurement: each row is printed when it is there, and all of them are written as data (--json) for
bench/all. Most tables compare the reference's way, this project's, and what sets the limit."""

import dataclasses
import json
import math
import pathlib
import statistics
import typing

import fits

DATA_FORMAT = 1


def shown(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def two_digits(seconds):
    return f"{seconds:.2f} s"


SCALES = {"s": [(1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
          "B": [(2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B")]}


def amount(value, unit):
    """Three digits that count: "12.4 ms", "1.50 s", "93.0"."""
    if value == 0:
        return f"0 {unit}".strip()
    scales = [(float(f"{value / scale:.3g}"), name) for scale, name in SCALES.get(unit, [(1, unit)])]
    scaled, name = next((one for one in scales if abs(one[0]) >= 1), scales[-1])
    decimals = min(3, max(0, 2 - math.floor(math.log10(abs(scaled)) + 1e-9)))
    return f"{scaled:,.{decimals}f} {name}".strip()


def slope_text(slope, unit):
    """What one more costs; None is a line of fits.py whose slope is noise."""
    return "no trend" if slope is None else amount(slope, unit)


def plural(word):
    return word if word == "MiB" else f"{word}s"


def quotient(above, below):
    """What a column shows that divides two others."""
    def divide(values):
        return None if values[above] is None or not values[below] else values[above] / values[below]
    return divide


@dataclasses.dataclass(frozen=True)
class Column:
    name: str
    width: int = 12  # where it is printed; 0: it is only written as data
    unit: str = "s"  # of its values: "s", "B" or "" for a number
    text: typing.Callable[[float], str] = shown
    role: str = ""  # "reference", "ours" or "limit": plots show it
    of: typing.Callable[[dict], float] | None = None  # made of the values that were measured
    heading: str | None = None  # where it is printed with another


def ratio_column(above, below, name="ratio", width=8, digits=1):
    return Column(name, width, "", lambda value: f"{value:.{digits}f}", of=quotient(above, below))


STANDARD = (Column("reference", role="reference"), Column("pachbuild", role="ours"), ratio_column("reference", "pachbuild"),
            Column("limit", role="limit"), ratio_column("pachbuild", "limit", "of limit", 10, 2))
TWO_WAYS = (Column("reference", text=two_digits, role="reference"), Column("pachbuild", text=two_digits, role="ours"),
            ratio_column("reference", "pachbuild"))


class Tables:
    """What a program measures. `head` begins a table; each other call adds a row to it."""

    def __init__(self, repeats=1):
        self.repeats = repeats
        self.tables = []
        self.columns, self.width = STANDARD, 38

    def head(self, title, columns=STANDARD, width=38, growth=None, lines=None):
        """`growth` is what there is more of in each row, in the singular; `lines` are printed in place of the usual ones."""
        self.columns, self.width = columns, width
        self.tables.append({"title": title, "growth": growth, "rows": [], "fits": [],
                            "columns": [{"name": column.name, "unit": column.unit, "role": column.role}
                                        for column in columns]})
        names = "".join(f"{column.heading or column.name:>{column.width}}" for column in columns if column.width)
        print("\n".join(lines) if lines else f"\n{title}\n{'':{width}}{names}", flush=True)

    def row(self, title, measure, note="", **more):
        """`measure` gives the measured columns once, (reference, ours, limit) as a rule, all in turn so that all see the same
        machine."""
        return self.add(title, [measure() for _ in range(self.repeats)], note, **more)

    def add(self, title, samples, note="", *, curve=None, size=None, unit=None, text=None,
            repeats=None):
        """A row of the medians of samples that are there. `note` is a text, or makes one of the medians. `unit` and `text`
        are for a row that has other values than the table, `repeats` for samples that sum up several."""
        measured = list(zip(*samples))
        medians = [None if None in column else statistics.median(column) for column in measured]
        plain = [column for column in self.columns if not column.of]
        by_name = dict(zip((column.name for column in plain), medians, strict=True))
        spreads = {column.name: [min(own), max(own)] for column, own in zip(plain, measured)
                   if None not in own and len(own) > 1}
        values = [column.of(by_name) if column.of else by_name[column.name] for column in self.columns]
        note = note(medians) if callable(note) else note
        self._record(title, values=values, note=note, repeats=repeats or len(samples), curve=curve, size=size, unit=unit,
                     spread=[spreads.get(column.name) for column in self.columns])
        self._print(title, [(text if text and not column.of else column.text)(value) if value is not None else ""
                            for column, value in zip(self.columns, values)], note)
        return medians

    def point(self, curve, size, measure, note=""):
        """A row of a table that shows growth."""
        return self.add_point(curve, size, [measure() for _ in range(self.repeats)], note)

    def add_point(self, curve, size, samples, note=""):
        word = self.tables[-1]["growth"]
        return self.add(f"{curve}, {size:,} {plural(word) if size != 1 else word}", samples, note, curve=curve, size=size)

    def fit(self):
        """Rows of what one more costs, for each curve of the table that is there."""
        table = self.tables[-1]
        for curve in dict.fromkeys(row["curve"] for row in table["rows"] if row["size"] is not None):
            texts = []
            for place, column in enumerate(self.columns):
                points = [(row["size"], row["values"][place]) for row in table["rows"] if row["curve"] == curve]
                line = fits.fit(points) if column.role else None
                texts.append(slope_text(line.each, column.unit) if line else "")
                if line:
                    table["fits"].append({"curve": curve, "column": column.name, "unit": column.unit,
                                          "slope": line.each, "base": line.at_zero})
            if any(texts):
                self._print(f"{curve}, per {table['growth']}" if curve else f"per {table['growth']}", texts)

    def line(self, title, note=""):
        """A row without values: what the ones below have in common, or why there are none."""
        self._record(title, values=[None] * len(self.columns), note=note, repeats=0, curve=None, size=None, unit=None,
                     spread=[None] * len(self.columns))
        print(f"{title:{self.width}}  {note}" if note else title, flush=True)

    def _record(self, title, **row):
        self.tables[-1]["rows"].append({"title": title, **row})

    def _print(self, title, texts, note=""):
        cells = "".join(f"{text:>{column.width}}" for text, column in zip(texts, self.columns) if column.width)
        print(f"{title:{self.width}}{cells}" + (f"  {note}" if note else ""), flush=True)

    def write(self, file):
        """As data, whole or not at all; None means that nobody wants them."""
        if file is None:
            return
        fresh = pathlib.Path(f"{file}.new")
        fresh.write_text(json.dumps({"format": DATA_FORMAT, "tables": self.tables}, ensure_ascii=False, indent=1) + "\n",
                         encoding="utf-8")
        fresh.replace(file)


def met(condition, words):
    return f"{words}: {'met' if condition else 'NOT met'}"
