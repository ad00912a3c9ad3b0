# SPDX-License-Identifier: Apache-2.0
"""The page of all measurements, its plots and its data, made of the rows that bench/all collected."""

import itertools
import json
import pathlib
import re
import tempfile

import machine
import plots
from table import amount, plural, slope_text

PAGE, DATA, PLOTS = "benchmarks.md", "benchmarks.json", "benchmarks"

INTRODUCTION = """# Benchmarks

Build, run and start-up times on one machine. `{command}` generated this page, its plots
and [its data](benchmarks.json) in one run; please do not edit it. The command that repeats a table is below it.

- *reference*: how Pachyderm 1.13's build pipelines work: `pip wheel` or `go build` in the build, `pip install` before the
  program for every datum. Measured in turn with pachbuild, on the same source and data.
- *limit*: the least that the work can take, such as the plain tool with warm caches; each program's `--help` defines it.
- *ratio*: reference divided by pachbuild; beside `xargs`, pachbuild divided by `xargs`. *of limit*: pachbuild divided by the limit.
- Figures are medians of the repeats unless the column is named *best*. *spread* is the range of pachbuild's repeats as a
  percentage of their median; thin lines on the bars show it too.
- *linear fit*: the straight line through the points of a curve. *no trend*, or – at zero: not above the noise, twice the standard
  error (of two points: not above 0).
- Axes are logarithmic if the values of a plot span more than a factor of {wide}. The axis of sizes always is, so that linear
  growth is a curve.
"""


def cell(text):
    """A text that Markdown shows as it is."""
    return re.sub(r"([\\|*_`<>\[\]])", r"\\\1", text)


def markdown_table(head, rows):
    lines = [list(map(cell, head)), ["---"] * len(head), *(map(cell, row) for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def percent(share):
    return f"{share * 100:.0f} %"


# The machine.

def header(run):
    about, shares = run["machine"], {one["command"]: one["others"] for one in run["measurements"]}
    rows = [["date", about["date"]], ["commit", about["commit"]], ["programs", about["programs"]],
            ["processors", f"{about['processors']} × {about['model']}"], ["memory", amount(about["memory"], "B")],
            ["system", f"{about['system']}, {about['kernel']}"], ["load average at the start", f"{about['load']:.2f}"]]
    if shares:
        most = max(shares, key=shares.get)
        rows.append(["used by other programs", f"at most {percent(shares[most])} of the processors, during {most}"])
    return "## The machine\n\n" + verdict(run, shares.values()) + "\n" + markdown_table(["", ""], rows)


def verdict(run, shares):
    said = []
    if not machine.is_quiet(run["machine"], shares):
        said.append("**The machine was not quiet:** other programs were running. Do not rely on these figures, and on ratios only "
                    "if they are large; run `bench/all` again on a quiet machine.\n")
    if run["quick"]:
        said.append("**This was a quick run:** one repeat, smaller sizes.\n")
    return "\n".join(said) or "The machine was quiet.\n"


# Tables.

def full_titles(rows):
    """A title that begins with two blanks goes on with the one above it that does not."""
    titles, above = [], ""
    for row in rows:
        is_more = above and re.match(r"  \S", row["title"])
        above = above if is_more else row["title"].strip()
        titles.append(f"{above}: {row['title'].strip()}" if is_more else above)
    return titles


def spread_of(row, place):
    spread, value = row["spread"][place], row["values"][place]
    return f"{(spread[1] - spread[0]) / value * 100:.0f} %" if spread and value else ""


def is_heading(row):
    """Without anything of its own: what the rows below have in common."""
    return not row["note"] and all(value is None for value in row["values"])


def amount_of(row, column, value):
    """A row can have another unit than its table, of which a ratio has none."""
    return "" if value is None else amount(value, row["unit"] or column["unit"] if column["unit"] else "")


def table_of(table, first="", extras=True):
    """`first` is the title of the column of titles; the extras are what is said of each row besides its values."""
    columns, rows, titles = table["columns"], table["rows"], full_titles(table["rows"])
    filled = [place for place in range(len(columns)) if any(row["values"][place] is not None for row in rows)]
    ours = next((place for place, column in enumerate(columns) if column["role"] == "ours"), None)
    spreads = [spread_of(row, ours) if ours is not None else "" for row in rows]
    notes = [row["note"] for row in rows]
    extra = [("spread", spreads)] * any(spreads) + [("note", notes)] * any(notes) if extras else []
    lines = []
    for number, (row, title) in enumerate(zip(rows, titles)):
        if is_heading(row):
            continue
        values = [amount_of(row, columns[place], row["values"][place]) for place in filled]
        lines.append([title, *values, *(texts[number] for _, texts in extra)])
    return markdown_table([first, *(columns[place]["name"] for place in filled), *(name for name, _ in extra)], lines)


def fits_of(table):
    lines = [[" ".join(filter(None, (fit["curve"] + ":" if fit["curve"] else "", fit["column"]))),
              slope_text(fit["slope"], fit["unit"]), "–" if fit["base"] is None else amount(fit["base"], fit["unit"])]
             for fit in table["fits"]]
    return markdown_table(["linear fit", f"per {table['growth']}", "at zero"], lines)


# Plots.

def with_columns(rows, places):
    """The rows with some of their values."""
    return [{**row, "values": [row["values"][place] for place in places], "spread": [row["spread"][place] for place in places]}
            for row in rows]


def by_unit(table):
    """The columns that are drawn, by their units: places and columns."""
    drawn = [(place, column) for place, column in enumerate(table["columns"]) if column["role"]]
    for unit in dict.fromkeys(column["unit"] for _, column in drawn):
        yield [place for place, column in drawn if column["unit"] == unit], [one for _, one in drawn if one["unit"] == unit]


def pictures_of(table):
    """The pictures of a table: what it shows, as an alternative to it, and its SVG."""
    titled = [{**row, "title": title} for row, title in zip(table["rows"], full_titles(table["rows"]))]
    for places, columns in by_unit(table):
        rows = with_columns([row for row in titled if row["unit"] is None], places)
        if not table["growth"]:
            if svg := plots.bars(table["title"], columns, rows):
                yield f"Bars: {table['title']}. The table below has the numbers.", svg
            continue
        for curve, own in itertools.groupby(sorted(rows, key=lambda row: curve_place(titled, row)), lambda row: row["curve"]):
            title = f"{table['title']}: {curve}" if curve else table["title"]
            if svg := plots.curves(title, table["growth"], columns, list(own)):
                yield f"Growth: {title}, by {plural(table['growth'])}. The tables below have the numbers.", svg


def curve_place(rows, row):
    return next(place for place, one in enumerate(rows) if one["curve"] == row["curve"])


# All of it.

def section_of(measurement, files):
    """The tables of a measurement; its pictures go into `files`."""
    parts, name, pictures = [], slug(measurement["name"]), 0
    for table in measurement["tables"]:
        parts.append(f"### {table['title']}\n")
        for alternative, svg in pictures_of(table):
            pictures += 1
            files[f"{name}-{pictures}.svg"] = svg
            parts.append(f"![{alternative}]({PLOTS}/{name}-{pictures}.svg)\n")
        parts.append(table_of(table))
        if table["fits"]:
            parts.append(fits_of(table))
    repeats = sorted({row["repeats"] for table in measurement["tables"] for row in table["rows"] if row["repeats"]})
    counts = ", ".join(f"{count:,}" for count in repeats) or "none"
    parts.append(f"`{measurement['command']}` prints these tables; it took {measurement['seconds']:.0f} s. Repeats per figure: {counts}. "
                 f"Other programs used {percent(measurement['others'])} of the processors.\n")
    return parts


def make(run):
    """The page and its pictures by name."""
    files = {}
    parts = [INTRODUCTION.format(command=run["command"], wide=plots.WIDE), header(run)]
    if run["left_out"]:
        parts.append("Not measured in this run: " + ", ".join(f"`{name}`" for name in run["left_out"]) + ".\n")
    for section, measurements in itertools.groupby(run["measurements"], lambda one: one["section"]):
        parts.append(f"## {section}\n")
        for measurement in measurements:
            parts += section_of(measurement, files)
    return "\n".join(parts), files


def check(folder):
    """An OSError when the page could not be written there."""
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryDirectory(prefix=".benchmarks.", dir=folder).cleanup()


def write(run, folder):
    """Replaces the page, its pictures and its data in a folder, each as a whole, and gives the page's path."""
    page, files = make(run)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".benchmarks.", dir=folder) as name:
        fresh = pathlib.Path(name)
        fresh.chmod(0o755)
        (fresh / PLOTS).mkdir()
        for file, svg in files.items():
            (fresh / PLOTS / file).write_text(svg, encoding="utf-8")
        (fresh / DATA).write_text(json.dumps(run, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (fresh / PAGE).write_text(page, encoding="utf-8")
        if (folder / PLOTS).exists():
            (folder / PLOTS).rename(fresh / "before")
        (fresh / PLOTS).rename(folder / PLOTS)
        for file in (DATA, PAGE):
            (fresh / file).replace(folder / file)
    return folder / PAGE
