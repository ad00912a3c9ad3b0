# SPDX-License-Identifier: Apache-2.0
"""Chooses faults, and builds the programs and unit tests with all of them, each of which can be switched on."""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

import places

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("builder-runtime", "libs", "pachbuild", "worker-shim")
SPARE = 1.3  # so many more are chosen than are asked for, since some do not compile


class Choice:
    """Faults at random: folders by their size, then functions by theirs, then kinds, then places."""

    def __init__(self, seed, only):
        everything = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
        files = sorted(path for path in everything if path.suffix in (".cpp", ".h"))
        numbers = places.constants(path.read_bytes() for path in files)
        self.random = random.Random(seed)
        self.functions = {}  # (file, function): (lines, places)
        for path in files:
            name = str(path.relative_to(ROOT))
            if path.suffix != ".cpp" or not name.startswith(only or ""):
                continue
            found = places.find(name, path.read_bytes(), numbers)
            for function, lines in found.functions.items():
                mine = [place for place in found.places if place.function == function]
                if mine:
                    self.functions[(name, function)] = (lines, mine)

    def take(self, number):
        left, chosen = dict(self.functions), []
        while left and len(chosen) < number:
            key = self.random.choices(list(left), [lines for lines, _ in left.values()])[0]
            _, mine = left.pop(key)
            kinds = sorted({place.kind for place in mine})
            kind = self.random.choices(kinds, [places.KINDS[kind] for kind in kinds])[0]
            chosen.append(self.random.choice([place for place in mine if place.kind == kind]))
        return chosen


def with_faults(text, faults, header):
    """The text of a file with these faults ({number: place}); every line stays where it was."""
    edits = [
        (begin, end, replacement.replace("@", str(number)).encode())
        for number, place in faults.items() for begin, end, replacement in place.edits
    ]  # fmt: skip
    # Of two at one place the one that was found first comes first.
    for begin, end, replacement in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        text = text[:begin] + replacement + text[end:]
    first, rest = text.split(b"\n", 1)
    if not first.startswith(b"//"):
        raise ValueError("a file must begin with a comment")
    return f'#include "{header}"\n'.encode() + rest


def write_if_other(path, content):
    if path.is_symlink() or not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)


class Copy:
    """A copy of the checkout, its faults and its build."""

    def __init__(self, folder):
        self.folder = folder
        self.source, self.build = folder / "source", folder / "build"
        self.bin, self.tests = self.build / "bin", self.build / "tests"
        # Beside the programs, where tests of what they read expect files that are none of their inputs.
        self.page, self.header = self.bin / "fault-page", folder / "fault.h"

    def update(self, faults):
        """Brings the copy to the checkout's state, with these faults."""
        self.source.mkdir(parents=True, exist_ok=True)
        self.bin.mkdir(parents=True, exist_ok=True)
        self.page.touch()
        here = pathlib.Path(__file__).parent
        header = f'#define FAULT_PAGE "{self.page}"\n'.encode() + (here / "fault.h").read_bytes()
        write_if_other(self.header, header)
        of_file = {}
        for number, place in faults.items():
            of_file.setdefault(place.file, {})[number] = place
        wanted = set()
        for path in files_of_checkout():
            name = str(path.relative_to(ROOT))
            wanted.add(name)
            target = self.source / name
            if path.is_symlink():
                if not target.is_symlink() or os.readlink(target) != os.readlink(path):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.unlink(missing_ok=True)
                    target.symlink_to(os.readlink(path))
                continue
            content = path.read_bytes()
            if name in of_file:
                content = with_faults(content, of_file[name], self.header)
            write_if_other(target, content)
            shutil.copymode(path, target)
        reach = (here / "reach.cpp").read_bytes().replace(b'"fault.h"', f'"{self.header}"'.encode())
        write_if_other(self.source / "tests/unit/reach_test.cpp", reach)
        wanted.add("tests/unit/reach_test.cpp")
        for path in list(self.source.rglob("*")):
            name = str(path.relative_to(self.source))
            if not path.is_dir() and name not in wanted and not name.startswith("build/"):
                path.unlink()
        (self.source / "build").mkdir(exist_ok=True)
        for name in ("tools", "data"):
            link = self.source / "build" / name
            if not link.is_symlink():
                link.symlink_to(ROOT / "build" / name)

    def compile(self, faults, log):
        """Builds; what does not compile is taken out of `faults`."""
        flags = ["-D", "CMAKE_BUILD_TYPE=Debug", "-D", "CMAKE_CXX_FLAGS_DEBUG=-O0 -w -fmax-errors=5"]
        self.update(faults)
        configure = ["cmake", "-G", "Ninja", "-S", str(self.source), "-B", str(self.build), *flags]
        with open(log, "w", encoding="utf-8") as file:
            if subprocess.run(configure, stdout=file, stderr=subprocess.STDOUT, check=False).returncode != 0:
                sys.exit(f"error: {self.build}: CMake refused it\nhint: see {log}")
        while True:
            built = subprocess.run(["cmake", "--build", str(self.build), "--", "-k", "0"], capture_output=True,
                                   text=True, check=False)  # fmt: skip
            with open(log, "a", encoding="utf-8") as file:
                file.write(built.stdout)
            if built.returncode == 0:
                return
            bad = self.at_fault(built.stdout, faults)
            if not bad:
                sys.exit(f"error: {self.source}: does not compile even without faults\nhint: see {log}")
            for number in bad:
                del faults[number]
            self.update(faults)

    def at_fault(self, output, faults):
        """Numbers of the faults that errors are about: on a line that is named, else all of the file."""
        bad = set()
        for block in output.split("FAILED: ")[1:]:
            for name in {place.file for place in faults.values()}:
                mine = {number: place for number, place in faults.items() if place.file == name}
                if f"-c {self.source / name}\n" not in block:
                    continue
                lines = {int(line) for line in re.findall(rf"{re.escape(name)}:(\d+)[:,]", block)}
                named = {n for n, place in mine.items() if lines & set(range(place.line, place.last_line + 1))}
                bad |= named or set(mine)
        return bad


def files_of_checkout():
    """All but what is built; works without git."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders
            if name not in (".git", ".cache", "__pycache__") and not (folder == str(ROOT) and name == "build")
        ]  # fmt: skip
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            if name != ".git":
                yield pathlib.Path(folder) / name
