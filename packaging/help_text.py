# SPDX-License-Identifier: Apache-2.0
"""What the programs and their verbs say of themselves, taken apart: for manual pages and for docs/reference.md."""

import re
import subprocess

PROGRAMS = ("pachbuild", "builder-runtime", "worker-shim")
HEADINGS = ("Options", "Commands", "Arguments", "Environment", "Exit codes", "Kinds")


def help_of(folder, words):
    return subprocess.run([folder / words[0], *words[1:], "--help"], stdout=subprocess.PIPE, text=True, check=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/"}).stdout


def verbs_in(text):
    return re.findall(r"^  (\S+)", text.partition("\nCommands:\n")[2].partition("\n\n")[0], re.MULTILINE)


def collect(folder):
    """The words of each call and its help."""
    found = {}
    waiting = [(program,) for program in reversed(PROGRAMS)]
    while waiting:
        words = waiting.pop()
        found[words] = help_of(folder, words)
        waiting += [(*words, verb) for verb in reversed(verbs_in(found[words]))]
    return found


def is_indented(line):
    return line.startswith("  ")


class Parts:
    """Walks through a help text. Who inherits says what becomes of a heading, a paragraph (its lines), examples (their lines) and
    entries (each a name and the lines of what it means)."""

    def block(self, lines):
        """Indented lines: names with what they mean, or examples."""
        index = 0
        examples, entries = [], []
        while index < len(lines):
            name, _, meaning = lines[index].strip().partition("  ")
            deeper = []
            while index + 1 < len(lines) and lines[index + 1].startswith(" " * (4 if meaning else 20)):
                index += 1
                deeper.append(lines[index])
            index += 1
            if not meaning and not deeper:
                examples.append(lines[index - 1])
                continue
            entries.append((name, [text.strip() for text in [meaning, *deeper] if text.strip()]))
        if entries:
            self.entries(entries)
        if examples:
            self.verbatim(examples)

    def add(self, text):
        groups = [[]]
        for line in text.splitlines():
            if not line.strip():
                groups.append([])
                continue
            if groups[-1] and is_indented(line) != is_indented(groups[-1][-1]):
                groups.append([])
            groups[-1].append(line)
        heading = ""
        for lines in filter(None, groups):
            if is_indented(lines[0]):
                # Sentences, though indented.
                (self.paragraph if heading == "Exit codes" else self.block)(lines)
                continue
            was_heading, heading = heading in HEADINGS, lines[-1].rstrip(":")
            if heading not in HEADINGS or lines[:-1]:
                if was_heading:
                    self.heading("Notes")
                self.paragraph(lines if heading not in HEADINGS else lines[:-1])
            if heading in HEADINGS:
                self.heading(heading)
