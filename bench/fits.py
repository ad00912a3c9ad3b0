# SPDX-License-Identifier: Apache-2.0
"""How a measurement grows: the straight line through its points, by least squares."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Line:
    base: float  # what there would be for a size of none
    slope: float  # what one more costs

    def at(self, size):
        return self.base + self.slope * size


def fit(points):
    """The line through points (size, value), or None without two sizes that were measured. A value may be None."""
    points = [(size, value) for size, value in points if value is not None]
    if len({size for size, _ in points}) < 2:
        return None
    slope, base = statistics.linear_regression(*zip(*points))
    return Line(base, slope)
