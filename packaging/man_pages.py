#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""man_pages.py BIN FOLDER: a manual page of each program in BIN and of each verb of pachbuild, from what its --help says.

Not by help2man: it joins the lines of examples. The day of the pages is SOURCE_DATE_EPOCH.
"""

import datetime
import os
import pathlib
import re
import subprocess
import sys

import help_text

HEADINGS = {"Options": "OPTIONS", "Commands": "COMMANDS", "Arguments": "ARGUMENTS", "Environment": "ENVIRONMENT",
            "Exit codes": "EXIT STATUS", "Kinds": "KINDS"}


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "\\[u2026]")
    return "\\&" + text if text.startswith((".", "'")) else text


def bold(text):
    return f"\\fB{escape(text)}\\fR"


class Body(help_text.Parts):
    """The lines of a help text as those of a page."""

    def __init__(self):
        self.lines = []

    def heading(self, name):
        self.lines.append(f".SH {HEADINGS.get(name, name.upper())}")

    def paragraph(self, lines):
        self.lines += [".PP", *(escape(line.strip()) for line in lines)]

    def verbatim(self, lines):
        self.lines += [".PP", ".RS 4", ".nf", *(escape(line.removeprefix("  ")) for line in lines), ".fi", ".RE"]

    def entries(self, entries):
        for name, meaning in entries:
            self.lines += [".TP", bold(name), *(escape(text) for text in meaning)]


def name_and_purpose(words, text):
    """What `man -k` shows: the beginning of the first sentence."""
    first = re.split(r"[.:]\s", " ".join(text.partition("\n\n")[0].split("\nUsage:")[0].splitlines()) + " ")[0].strip()
    first = first.removeprefix(f"{words[-1]} ")
    return f"{escape('-'.join(words))} \\- {escape(first[0].lower() + first[1:])}"


def page(words, text, version, day, pages):
    usage = re.search(r"^Usage: (.*)\n", text, re.MULTILINE)
    title = "-".join(words).upper()
    body = Body()
    body.lines = [f'.TH "{title}" 1 "{day}" "{version}" "User Commands"', ".SH NAME", name_and_purpose(words, text)]
    if usage:
        text = text.replace(usage[0], "\n")
        body.lines += [".SH SYNOPSIS", bold(usage[1].split(" [")[0]) + escape(usage[1][len(usage[1].split(" [")[0]):])]
    body.lines.append(".SH DESCRIPTION")
    body.add(text)
    related = [other for other in pages if other != words and (
        other[:-1] == words or other == words[:-1] or len(other) == len(words) == 1)]
    body.lines += [".SH SEE ALSO", ",\n".join(f"{bold('-'.join(other))}(1)" for other in related)]
    # A paragraph needs no request where a heading began one.
    lines = "\n".join(body.lines) + "\n"
    return re.sub(r"(^\.SH .*\n)\.PP\n", r"\1", lines, flags=re.MULTILINE)


def main():
    programs, folder = map(pathlib.Path, sys.argv[1:])
    day = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    version = subprocess.run([programs / "pachbuild", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    pages = help_text.collect(programs.resolve())
    folder.mkdir(parents=True, exist_ok=True)
    for words, text in pages.items():
        content = page(words, text, " ".join(version.split()[:2]), f"{day:%Y-%m-%d}", pages)
        (folder / f"{'-'.join(words)}.1").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
