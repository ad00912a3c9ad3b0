# SPDX-License-Identifier: Apache-2.0
"""How a measurement grows: the straight line through its points, by least squares."""

import dataclasses
import math
import statistics

NOISE = 2  # standard errors: what is not above them is noise


@dataclasses.dataclass(frozen=True)
class Line:
    base: float
    slope: float
    base_error: float = 0.0  # standard errors; two points have none
    slope_error: float = 0.0

    def at(self, size):
        return self.base + self.slope * size

    @property
    def at_zero(self):
        """The value for a size of zero; None if it is noise."""
        return self.base if self.base > NOISE * self.base_error else None

    @property
    def each(self):
        """What one more costs; None if it is noise."""
        return self.slope if self.slope > NOISE * self.slope_error else None


def fit(points):
    """The line through points (size, value), or None without two sizes that were measured. A value may be None."""
    points = [(size, value) for size, value in points if value is not None]
    if len({size for size, _ in points}) < 2:
        return None
    slope, base = statistics.linear_regression(*zip(*points))
    line = Line(base, slope)
    if len(points) < 3:
        return line
    middle = statistics.fmean(size for size, _ in points)
    width = sum((size - middle) ** 2 for size, _ in points)
    error = math.sqrt(sum((value - line.at(size)) ** 2 for size, value in points) / (len(points) - 2))
    return dataclasses.replace(line, base_error=error * math.sqrt(1 / len(points) + middle**2 / width),
                               slope_error=error / math.sqrt(width))
