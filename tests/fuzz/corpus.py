# SPDX-License-Identifier: Apache-2.0
"""The inputs that are kept for a fuzz target, as a text that people can read and compare: tests/fuzz/corpus/NAME.txt
has one a line, behind a colon, with what is not printable escaped. Those below "# learnt" are the fuzzer's, the others
stay.

  corpus.py unpack FILE FOLDER        each input as a file of its own, as libFuzzer wants it
  corpus.py pack FOLDER FILE BYTES    those in a folder as what was learnt, the shortest first, up to a size of the file
  corpus.py add FILE INPUT...         inputs that a target stumbled over, to the findings
"""
import hashlib
import pathlib
import sys

SEEDS = "# written by hand"
LEARNT = "# learnt"
FINDINGS = "# findings"


def escaped(data):
    text = ""
    for byte in data:
        character = chr(byte)
        if character == "\n":
            text += "\\n"
        elif character == "\\":
            text += "\\\\"
        elif 0x20 <= byte < 0x7F:
            text += character
        else:
            text += f"\\x{byte:02x}"
    return ":" + text


def unescaped(line):
    data = bytearray()
    rest = iter(line[1:])
    for character in rest:
        if character != "\\":
            data.append(ord(character))
            continue
        kind = next(rest)
        data.append(10 if kind == "n" else 92 if kind == "\\" else int(next(rest) + next(rest), 16))
    return bytes(data)


def sections_of(file):
    """The lines below each heading."""
    sections = {SEEDS: [], LEARNT: [], FINDINGS: []}
    heading = SEEDS
    for line in pathlib.Path(file).read_text().splitlines() if pathlib.Path(file).exists() else []:
        if line.startswith("# "):
            heading = line
        elif line:
            sections[heading].append(line)
    return sections


def write(file, sections):
    parts = ["".join(line + "\n" for line in [heading, *lines]) for heading, lines in sections.items() if lines]
    pathlib.Path(file).write_text("".join(parts))


def unpack(file, folder):
    for lines in sections_of(file).values():
        for line in lines:
            data = unescaped(line)
            (pathlib.Path(folder) / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(folder, file, limit):
    sections = sections_of(file)
    others = sections[SEEDS] + sections[FINDINGS]
    room = int(limit) - sum(len(line) + 1 for line in others)
    learnt = []
    for entry in sorted(pathlib.Path(folder).iterdir(), key=lambda entry: (entry.stat().st_size, entry.name)):
        line = escaped(entry.read_bytes())
        if line in others:
            continue
        room -= len(line) + 1
        if room < 0:
            break
        learnt.append(line)
    write(file, {**sections, LEARNT: sorted(learnt)})


def add(file, *inputs):
    sections = sections_of(file)
    for name in inputs:
        line = escaped(pathlib.Path(name).read_bytes())
        if line not in sum(sections.values(), []):
            sections[FINDINGS].append(line)
    write(file, sections)


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack, "add": add}[sys.argv[1]](*sys.argv[2:])
