# SPDX-License-Identifier: Apache-2.0
"""Tables as pictures: bars, and curves of growth with the straight lines through their points. SVG without scripts, that a page
shows in light and in dark; each has its numbers as a text, too, and no two columns differ by colour alone."""

import dataclasses
import html
import math

import fits
from table import SCALES, amount, plural, slope_text

WIDTH = 760
WIDE = 20  # a span of values from which on an axis is logarithmic

STYLE = """<style>
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .quiet { fill: #59636e; }
  .ground { fill: #ffffff; stroke: #d1d9e0; }
  .grid { stroke: #e4e8ec; }
  .ours { fill: #3f51b5; stroke: #3f51b5; }
  .reference { fill: #9a7b4f; stroke: #9a7b4f; }
  .limit { fill: none; stroke: #59636e; stroke-width: 1.5; }
  .line { fill: none; stroke-width: 1.5; }
  .range { stroke: #1f2328; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .ground { fill: #161b22; stroke: #3d444d; }
    .grid { stroke: #2a313a; }
    .ours { fill: #8c9eff; stroke: #8c9eff; }
    .reference { fill: #d2a86a; stroke: #d2a86a; }
    .limit { stroke: #9198a1; }
    .range { stroke: #e6edf3; }
  }
  .line.ours, .line.reference, .line.limit { fill: none; }
</style>"""


@dataclasses.dataclass(frozen=True)
class Axis:
    """Where a value is: `low` and `high` are values, `start` and `end` are places of the picture."""

    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool

    def place(self, value):
        if self.is_logarithmic:
            value = min(max(value, self.low), self.high)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def steps(unit):
    """Values that an axis of this unit can name, from small to large: 1, 10 and 100 of each scale."""
    scales = sorted(scale for scale, _ in SCALES[unit]) if unit in SCALES else [1000.0 ** power for power in range(-3, 5)]
    # Beyond the largest scale its own tens go on: 1,000 s.
    return [scale * factor for scale in scales for factor in (1, 10, 100)] + [scales[-1] * 1000, scales[-1] * 10000]


def axis_of(values, unit, start, end):
    """An axis for positive values, and the values that it names."""
    low, high = min(values), max(values)
    if high / low > WIDE:
        below = max(step for step in steps(unit) if step < low) if steps(unit)[0] < low else low / 2
        ticks = [step for step in steps(unit) if below <= step <= high]
        return Axis(below, high, start, end, True), ticks
    scale = next((scale for scale, _ in SCALES.get(unit, [(1, "")]) if high >= scale), 1)
    step = nice_step(high / scale) * scale
    return Axis(0, high, start, end, False), [step * number for number in range(int(high / step + 1e-9) + 1)]


def nice_step(high):
    """1, 2 or 5 times a power of ten, of which an axis up to `high` has three to seven."""
    power = 10 ** math.floor(math.log10(high))
    return next(factor * power for factor in (0.2, 0.5, 1, 2) if high / (factor * power) < 7)


def tick_text(value, unit):
    if value == 0:
        return "0"
    text, _, name = amount(value, unit).partition(" ")
    return f"{float(text.replace(',', '')):,g} {name}".strip()


def element(name, content=None, **attributes):
    words = "".join(f' {key.replace("_", "-")}="{html.escape(f"{value:.4g}" if isinstance(value, float) else str(value))}"'
                    for key, value in attributes.items())
    return f"<{name}{words}/>" if content is None else f"<{name}{words}>{html.escape(content, quote=False)}</{name}>"


def text(content, x, y, kind="", anchor="start"):
    return element("text", content, x=round(x, 1), y=round(y, 1), **({"class": kind} if kind else {}),
                   **({"text_anchor": anchor} if anchor != "start" else {}))


def line(x1, y1, x2, y2, kind):
    return element("line", x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1), y2=round(y2, 1), **{"class": kind})


def picture(height, title, description, parts):
    height = math.ceil(height)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        element("title", title), element("desc", description), STYLE,
        element("rect", x=0.5, y=0.5, width=WIDTH - 1, height=height - 1, rx=6, **{"class": "ground"}), *parts, "</svg>", ""])


# Bars.

BAR, GAP, ROW_GAP, HEAD = 13, 3, 12, 20
BARS_START, BARS_END = 130, 640


def bars(title, columns, rows):
    """`rows` are dictionaries with a title, values and spreads, in the order of the columns; None where there is no value. A
    column has a name, a unit and a role."""
    drawn = [(row, [(column, value, spread) for column, value, spread in zip(columns, row["values"], row["spread"])
                    if value is not None and value > 0]) for row in rows]
    drawn = [(row, cells) for row, cells in drawn if cells]
    if not drawn:
        return None
    unit = columns[0]["unit"]
    ends = [end for _, cells in drawn for _, value, spread in cells for end in (value, *(spread or ())) if end > 0]
    axis, ticks = axis_of(ends, unit, BARS_START, BARS_END)
    height = 14 + sum(HEAD + len(cells) * (BAR + GAP) + ROW_GAP for _, cells in drawn) + 18
    parts = [line(axis.place(tick), 10, axis.place(tick), height - 24, "grid") for tick in ticks]
    y = 14
    for row, cells in drawn:
        parts.append(text(row["title"], 12, y + 11, "title"))
        y += HEAD
        for column, value, spread in cells:
            end, middle = axis.place(value), y + BAR / 2
            parts += [text(column["name"], BARS_START - 6, y + 10.5, "quiet", "end"),
                      element("rect", x=BARS_START, y=round(y, 1), width=round(max(end - BARS_START, 1), 1), height=BAR,
                              **{"class": column["role"]})]
            after = end
            if spread and spread[1] > spread[0]:
                low, after = axis.place(max(spread[0], axis.low)), max(end, axis.place(spread[1]))
                parts.append(line(low, middle, axis.place(spread[1]), middle, "range"))
            parts.append(text(amount(value, unit), after + 6, y + 10.5))
            y += BAR + GAP
        y += ROW_GAP
    parts += [text(tick_text(tick, unit), axis.place(tick), height - 8, "quiet", "middle") for tick in spread_out(ticks, axis)]
    said = [f"{row['title']}: " + ", ".join(f"{column['name']} {amount(value, unit)}" for column, value, _ in cells)
            for row, cells in drawn]
    description = "; ".join(said)
    return picture(height, title, description, parts)


def spread_out(ticks, axis, distance=52):
    """Those of which the texts do not meet."""
    kept = []
    for tick in ticks:
        if not kept or abs(axis.place(tick) - axis.place(kept[-1])) >= distance:
            kept.append(tick)
    return kept


# Curves.

CURVE_HEIGHT = 300
CURVE = (74, 500, 250, 34)  # left, right, bottom, top
SAMPLES = 40


def curves(title, growth, columns, rows):
    """`rows` are dictionaries with a size and values in the order of the columns, which have one unit."""
    series = [(column, [(row["size"], row["values"][place]) for row in rows if row["values"][place]])
              for place, column in enumerate(columns)]
    series = [(column, [(size, value) for size, value in points if size > 0 and value > 0]) for column, points in series]
    series = [(column, points, fits.fit(points)) for column, points in series if points]
    sizes = sorted({size for _, points, _ in series for size, _ in points})
    if len(sizes) < 2:
        return None
    left, right, bottom, top = CURVE
    unit = columns[0]["unit"]
    along = Axis(sizes[0], sizes[-1], left + 12, right - 12, True)
    up, ticks = axis_of([value for _, points, _ in series for _, value in points], unit, bottom, top)
    parts = [text(title, 12, 20, "title")]
    for tick in ticks:
        parts.append(line(left, up.place(tick), right, up.place(tick), "grid"))
    parts += [text(tick_text(tick, unit), left - 6, up.place(tick) + 4, "quiet", "end") for tick in spread_out(ticks, up, 14)]
    parts += [text(f"{size:,.0f}", along.place(size), bottom + 18, "quiet", "middle") for size in spread_out(sizes, along, 40)]
    parts.append(text(plural(growth), (left + right) / 2, bottom + 36, "quiet", "middle"))
    labels, said = [], []
    for column, points, fitted in series:
        parts += [mark(column["role"], along.place(size), up.place(value)) for size, value in points]
        label = column["name"]
        if fitted:
            parts.append(drawn_line(column["role"], fitted, along, up, points))
            label += ": " + slope_text(fitted.each, unit) + ("" if fitted.each is None else f" per {growth}")
        labels.append([up.place(points[-1][1]) + 4, label])
        said.append(f"{label}; " + ", ".join(f"{size:,.0f} {plural(growth)} {amount(value, unit)}" for size, value in points))
    parts += [text(label, right + 6, y) for y, label in apart(labels)]
    return picture(CURVE_HEIGHT, title, ". ".join(said), parts)


def mark(role, x, y):
    if role == "limit":
        return element("rect", x=round(x - 4, 1), y=round(y - 4, 1), width=8, height=8, **{"class": role})
    if role == "reference":
        return element("path", d=f"M{x:.1f} {y - 5:.1f}l5 9h-10z", **{"class": role})
    return element("circle", cx=round(x, 1), cy=round(y, 1), r=4, **{"class": role})


def drawn_line(role, fitted, along, up, points):
    """The line through the points: on logarithmic axes it is a curve, of which only what is above zero can be seen."""
    first, last = points[0][0], points[-1][0]
    sizes = [first * (last / first) ** (number / SAMPLES) for number in range(SAMPLES + 1)]
    places = [(along.place(size), up.place(fitted.at(size))) for size in sizes
              if not up.is_logarithmic or fitted.at(size) >= up.low]
    dashes = {"stroke_dasharray": "5 3"} if role == "limit" else {}
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places), **{"class": f"line {role}"}, **dashes)


def apart(labels, distance=15):
    """Labels from top to bottom, moved down where they would meet."""
    placed = []
    for y, label in sorted(labels):
        if placed and y < placed[-1][0] + distance:
            y = placed[-1][0] + distance
        placed.append((y, label))
    return placed
