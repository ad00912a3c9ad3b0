# SPDX-License-Identifier: Apache-2.0
"""Results as notebooks show them. Every text in them is somebody else's: names of files, what programs print."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Iterable, List, Sequence

from . import _words

if TYPE_CHECKING:
    from ._result import Datum, Outputs, PipelineResult, Result

MOST_ROWS = 50
LONGEST_LOG = 200  # lines
# Readable on light and on dark: colours of its own only for states, and borders from the text's.
STYLE = ("<style>.pachbuild table{border-collapse:collapse;margin:.3em 0;color:inherit;font-size:inherit}"
         ".pachbuild th,.pachbuild td{text-align:left;padding:.15em .8em .15em 0;vertical-align:top;"
         "border-bottom:1px solid rgba(128,128,128,.3)}.pachbuild .short,.pachbuild .number{white-space:nowrap}"
         ".pachbuild .number{text-align:right}"
         ".pachbuild .failed,.pachbuild .stopped{color:#d1242f;font-weight:bold}.pachbuild .succeeded{color:#1a7f37}"
         ".pachbuild .skipped{opacity:.65}.pachbuild pre{max-height:20em;overflow:auto;white-space:pre-wrap;margin:.3em 0}"
         "</style>")


def page(*parts: str) -> str:
    return f'{STYLE}<div class="pachbuild">{"".join(parts)}</div>'


def log_text(text: str) -> str:
    lines = text.splitlines()
    shown = lines[-LONGEST_LOG:]
    if len(shown) < len(lines):
        shown.insert(0, "[…]")
    return f"<pre>{escape(chr(10).join(shown))}</pre>"


def table(titles: Sequence[str], rows: Iterable[str], number: int, noun: str) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    rest = f"<p>and {escape(_words.count(number - MOST_ROWS, noun))}</p>" if number > MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{rest}"


def datum_row(datum: Datum) -> str:
    said = escape(datum.reason)
    if datum.failed and datum.log:
        said = f"<details><summary>{said or 'log'}</summary>{log_text(datum.log)}</details>"
    seconds = "" if datum.seconds is None else _words.duration(datum.seconds)
    written = f"{_words.count(datum.files, 'file')}, {_words.size(datum.bytes)}" if datum.files else ""
    return (f'<tr><td class="number">{datum.number}</td><td>{escape(datum.label)}</td>'
            f'<td class="short {escape(datum.state)}">{escape(datum.state)}</td><td class="number">{escape(seconds)}</td>'
            f'<td class="short">{escape(written)}</td><td>{said}</td></tr>')


def datum_table(datums: Sequence[Datum]) -> str:
    """Those that failed first."""
    shown = sorted(datums, key=lambda datum: (not datum.failed, datum.number))[:MOST_ROWS]
    return table(("#", "Datum", "State", "Time", "Wrote", ""), map(datum_row, shown), len(datums), "more datum")


def output_table(outputs: Outputs) -> str:
    rows: List[str] = []
    for name in list(outputs)[:MOST_ROWS]:
        try:
            size = _words.size(outputs[name].stat().st_size)
        except OSError:
            size = "removed"
        rows.append(f'<tr><td>{escape(name)}</td><td class="number">{escape(size)}</td></tr>')
    return table(("File", "Size"), rows, len(outputs), "more file")


def output_details(outputs: Outputs) -> str:
    if not outputs:
        return ""
    title = f"{_words.count(len(outputs), 'file')} in {outputs.folder}"
    return f"<details><summary>{escape(title)}</summary>{output_table(outputs)}</details>"


def pipeline_part(result: PipelineResult) -> str:
    parts = [f"<p><b>{escape(result.name)}</b>: {escape(result.summary)}</p>"]
    if result.error is not None:
        parts.append(log_text("\n".join([str(result.error), *result.build_log])))
    if result.datums:
        parts.append(datum_table(result.datums))
    parts.append(output_details(result.outputs))
    return "".join(parts)


def datum(datum: Datum) -> str:
    return page(datum_table([datum]), log_text(datum.log) if datum.log and not datum.failed else "")


def outputs(outputs: Outputs) -> str:
    return page(output_table(outputs)) if outputs else page("<p>no files</p>")


def pipeline(result: PipelineResult) -> str:
    return page(pipeline_part(result))


def result(result: Result) -> str:
    warnings = "".join(f"<p>warning: {escape(text)}</p>" for text in result.warnings[:MOST_ROWS])
    return page(*map(pipeline_part, result.pipelines.values()), warnings)
