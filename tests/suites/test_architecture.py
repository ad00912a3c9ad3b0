# SPDX-License-Identifier: Apache-2.0
"""The arrows of ARCHITECTURE.md hold: every #include of ours against the table there; and worker-shim is static."""

import pathlib
import re
import struct

import support

LIBRARIES = support.ROOT / "libs"
PROGRAMS = ("builder-runtime", "worker-shim", "pachbuild")
# A header of these costs seconds in every file that sees it.
HEAVY_HEADERS = ("nlohmann/json.hpp", "CLI/", "spdlog/", "yaml-cpp/", "boost/process", "boost/asio", "archive.h")


def read_table():
    """From the table "Folders and arrows": for each C++ folder the words that say what it may use."""
    lines = (support.ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    folders = {}
    for name, _, uses in rows:
        folder = name.strip("`").rstrip("/")
        if folder.startswith("libs/") or folder in PROGRAMS:
            folders[folder] = uses
    return folders


def is_constants_only(header):
    """A header without a source file beside it brings nothing to link."""
    return not header.with_suffix(".cpp").exists()


class Table:
    """Which headers of ours a folder may include besides its own."""

    def __init__(self, folders):
        self.libraries = {}
        self.constants = {}
        above = []
        for folder, uses in folders.items():
            self.libraries[folder], self.constants[folder] = self.parse(uses, above)
            if folder.startswith("libs/"):
                above.append(folder.removeprefix("libs/"))

    @staticmethod
    def parse(uses, above):
        if uses == "nothing of ours":
            return set(), set()
        if found := re.fullmatch(r"all of the above but (\w+)", uses):
            return set(above) - {found[1]}, set()
        names = [name.strip() for name in uses.split(",")]
        constants = {name.removeprefix("constants of ") for name in names if name.startswith("constants of ")}
        libraries = {name for name in names if not name.startswith("constants of ")}
        unknown = (constants | libraries) - set(above)
        if unknown:
            raise AssertionError(f"ARCHITECTURE.md: {', '.join(sorted(unknown))} is no library of a row above")
        return libraries, constants

    def allows(self, folder, header):
        owner = header.relative_to(support.ROOT).parts
        if "/".join(owner).startswith(folder + "/"):
            return True
        if owner[0] != "libs":
            return False
        library = owner[1]
        return library in self.libraries[folder] or (library in self.constants[folder] and is_constants_only(header))


def cpp_files(folder):
    return sorted(path for path in (support.ROOT / folder).rglob("*") if path.suffix in (".h", ".cpp"))


def includes(path):
    return re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', path.read_text(encoding="utf-8"), re.MULTILINE)


def own_header(path, name):
    """The file of ours that `#include "name"` means in the file `path`; nothing if it is not ours."""
    for folder in (path.parent, LIBRARIES, support.ROOT):
        if (folder / name).is_file():
            return (folder / name).resolve()
    return None


class Architecture(support.Suite):
    def setUp(self):
        super().setUp()
        self.folders = read_table()
        self.table = Table(self.folders)

    def test_every_folder_with_code_has_a_row(self):
        folders = {f"libs/{path.name}" for path in LIBRARIES.iterdir() if cpp_files(path)}
        folders |= {name for name in PROGRAMS if cpp_files(name)}
        self.assertLessEqual(folders, set(self.folders))

    def test_every_include_is_allowed(self):
        wrong = []
        seen = 0
        for folder in self.folders:
            for path in cpp_files(folder):
                for _, name in includes(path):
                    header = own_header(path, name)
                    if header is None:
                        continue
                    seen += 1
                    if not self.table.allows(folder, header):
                        wrong.append(f"{path.relative_to(support.ROOT)} includes {name}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 50)

    def test_the_rooms_of_a_language_are_used_in_their_order(self):
        text = (support.ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("The rooms of `languages/python`")[2]
        rooms = re.findall(r"^- `(\w+)/`", text.partition("\n## ")[0], re.MULTILINE)
        folder = support.ROOT / "builder-runtime/languages/python"
        self.assertEqual(sorted(rooms), sorted(path.name for path in folder.iterdir() if path.is_dir()))
        wrong = [f"{path.relative_to(support.ROOT)} includes {name}"
                 for at, room in enumerate(rooms) for path in cpp_files(folder / room) for _, name in includes(path)
                 if name.startswith("builder-runtime/languages/python/")
                 and pathlib.PurePath(name).parent.name not in rooms[:at + 1]]
        self.assertEqual(wrong, [])

    def test_an_include_of_ours_is_quoted_and_of_others_is_not(self):
        wrong = [f"{path.relative_to(support.ROOT)}: {name}"
                 for folder in self.folders for path in cpp_files(folder) for mark, name in includes(path)
                 if (mark == '"') != (own_header(path, name) is not None)]
        self.assertEqual(wrong, [])

    def test_a_header_with_a_heavy_library_is_seen_by_its_own_folder_only(self):
        every = [path for folder in self.folders for path in cpp_files(folder)]
        heavy = {path for path in every if path.suffix == ".h"
                 and any(name.startswith(HEAVY_HEADERS) for _, name in includes(path))}
        wrong = [f"{path.relative_to(support.ROOT)} includes {name}" for path in every for _, name in includes(path)
                 if (header := own_header(path, name)) in heavy
                 and (path.suffix != ".cpp" or path.parent != header.parent)]
        self.assertEqual(wrong, [])

    def test_the_table_refuses_what_it_does_not_allow(self):
        for folder, header, allowed in (
                ("worker-shim", "libs/contract/layout.h", True),
                ("worker-shim", "libs/contract/build_record.h", False),
                ("worker-shim", "libs/report/report.h", False),
                ("libs/base", "libs/report/report.h", False),
                ("libs/report", "libs/base/result.h", True),
                ("builder-runtime", "libs/process/child.h", True),
                ("builder-runtime", "libs/glob/glob.h", False),
                ("builder-runtime", "worker-shim/args.h", False),
                ("pachbuild", "worker-shim/args.h", False)):
            with self.subTest(f"{folder} {header}"):
                self.assertEqual(self.table.allows(folder, support.ROOT / header), allowed)


def needs_a_dynamic_linker(path):
    """Whether the program headers of a 64-bit ELF file name an interpreter."""
    content = path.read_bytes()
    if content[:5] != b"\x7fELF\x02":
        raise AssertionError(f"{path} is no 64-bit ELF program")
    (start,), (size, count) = struct.unpack_from("<Q", content, 0x20), struct.unpack_from("<HH", content, 0x36)
    return any(struct.unpack_from("<I", content, start + size * number) == (3,) for number in range(count))


class ReleaseShim(support.Suite):
    def test_needs_nothing_of_the_image_that_it_runs_in(self):
        shim = support.ROOT / "build" / "release" / "bin" / "worker-shim"
        support.require(shim.exists(), "there is no release build; run scripts/demo")
        self.assertFalse(needs_a_dynamic_linker(shim))

    def test_a_dynamic_program_would_be_noticed(self):
        self.assertTrue(needs_a_dynamic_linker(pathlib.Path("/bin/sh")))


if __name__ == "__main__":
    support.main()
