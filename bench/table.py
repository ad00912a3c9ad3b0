# SPDX-License-Identifier: Apache-2.0
"""The tables that measurements print: the reference's way, this project's, their ratio, and what sets the limit."""

import statistics


def shown(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


class Table:
    def __init__(self, repeats):
        self.repeats = repeats

    @staticmethod
    def head(title):
        print(f"\n{title}\n{'':38}{'reference':>12}{'pachbuild':>12}{'ratio':>8}{'limit':>12}{'of limit':>10}",
              flush=True)

    def row(self, title, columns, expected=lambda medians: ""):
        """`columns` measures (reference, ours, limit) once, in turn so that all see the same machine."""
        measured = [columns() for _ in range(self.repeats)]
        medians = [None if None in column else statistics.median(column) for column in zip(*measured)]
        self.show(title, *medians, expected(medians))
        return medians

    @staticmethod
    def show(title, reference, ours, limit, note=""):
        columns = [shown(reference) if reference is not None else "", shown(ours),
                   f"{reference / ours:.1f}" if reference is not None else "",
                   shown(limit) if limit is not None else "", f"{ours / limit:.2f}" if limit else ""]
        print("{:38}{:>12}{:>12}{:>8}{:>12}{:>10}".format(title, *columns) + (f"  {note}" if note else ""), flush=True)


def met(condition, words):
    return f"{words}: {'met' if condition else 'NOT met'}"
