# SPDX-License-Identifier: Apache-2.0
"""The inputs that are kept for a fuzz target, as a text that people can read and compare: tests/fuzz/corpus/NAME.txt has
one a line, behind a colon, with what is not printable escaped.

  corpus.py unpack FILE FOLDER          each input as a file of its own, as libFuzzer wants it
  corpus.py pack FOLDER FILE BYTES      the inputs in a folder, the shortest first, up to a size of the file
  corpus.py add FILE INPUT...           inputs that a target stumbled over, behind those that are there
"""
import hashlib
import pathlib
import sys


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


def lines_of(file):
    return pathlib.Path(file).read_text().splitlines() if pathlib.Path(file).exists() else []


def unpack(file, folder):
    for line in lines_of(file):
        if line.startswith(":"):
            data = unescaped(line)
            (pathlib.Path(folder) / hashlib.sha1(data).hexdigest()).write_bytes(data)


def write(file, comments, inputs):
    pathlib.Path(file).write_text("".join(line + "\n" for line in comments + inputs))


def pack(folder, file, limit):
    """Below "# findings" stays what is there."""
    lines = lines_of(file)
    end = next((i for i, line in enumerate(lines) if line == "# findings"), len(lines))
    findings = lines[end:]
    room = int(limit) - sum(len(line) + 1 for line in findings)
    inputs = []
    for entry in sorted(pathlib.Path(folder).iterdir(), key=lambda entry: (entry.stat().st_size, entry.name)):
        line = escaped(entry.read_bytes())
        room -= len(line) + 1
        if room < 0:
            break
        if line not in findings:
            inputs.append(line)
    write(file, [], sorted(inputs) + findings)


def add(file, *inputs):
    lines = lines_of(file)
    if "# findings" not in lines:
        lines.append("# findings")
    for name in inputs:
        line = escaped(pathlib.Path(name).read_bytes())
        if line not in lines:
            lines.append(line)
    write(file, [], lines)


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack, "add": add}[sys.argv[1]](*sys.argv[2:])
