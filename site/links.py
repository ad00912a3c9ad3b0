# SPDX-License-Identifier: Apache-2.0
"""The links of the repository's Markdown: where they stand, where they lead, and which lead nowhere."""

import os
import pathlib
import posixpath
import re
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Texts that others fill in, and what tools made: no folder of it is read, since it changes while tests run.
SKIPPED = ("build", "pachbuild/starter", ".cache", ".git")

CODE = re.compile(r"(`+)(?:(?!\1).)+?\1(?!`)")
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\()([^()\s]+)(\))")


def markdown_files(root=None):
    """All of the repository, or of the copy of it in `root`, as paths below it."""
    root, found = root or ROOT, []
    for folder, folders, names in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        folders[:] = [name for name in folders if (here / name).as_posix() not in SKIPPED]
        found += [(here / name).as_posix() for name in names if name.endswith(".md")]
    return sorted(found)


def lines_outside_code(text):
    """Each line with its number, without those of fences and of code by indentation."""
    fence, was_empty, in_code = "", True, False
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r" *(```+|~~~+)", line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
            continue
        if mark:
            fence = mark[1]
            continue
        in_code = line.startswith("    ") and (was_empty or in_code)
        was_empty = not line.strip()
        if not in_code:
            yield number, line


def mask_code(line):
    """The line with blanks in place of the code in it."""
    return CODE.sub(lambda found: " " * len(found[0]), line)


def links_of(text):
    """The number of the line and the target of each link and picture."""
    for number, line in lines_outside_code(text):
        # A link around code is a link: only what is written as code is none.
        for found in LINK.finditer(line):
            if not mask_code(line)[found.start(2):found.end(2)].isspace():
                yield number, found[2]


def replace_links(text, replace):
    """The text with `replace(target)` in place of each link's target."""
    lines = text.splitlines(keepends=True)
    for number, line in lines_outside_code(text):
        masked = mask_code(line)
        lines[number - 1] = LINK.sub(
            lambda found, masked=masked: found[0] if masked[found.start(2):found.end(2)].isspace()
            else found[1] + replace(found[2]) + found[3], lines[number - 1])
    return "".join(lines)


def anchors_of(text):
    """What the headings of a page are called, as GitHub and the site have it."""
    found = set()
    for _, line in lines_outside_code(text):
        if heading := re.match(r"#{1,6} +(.*?)[ #]*$", line):
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            found.add(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"))
    return found


def is_external(target):
    return re.match(r"[a-z][a-z0-9+.-]*:", target) is not None


def resolve(page, target):
    """A link of a page as a path of the repository, and its anchor."""
    path, _, anchor = target.partition("#")
    folder = posixpath.dirname(page)
    return posixpath.normpath(posixpath.join(folder, urllib.parse.unquote(path))) if path else page, anchor


def dead_links(pages=None, root=None):
    """A line for each link that leads nowhere: to no file of the repository, or of its copy in `root`, or to no heading."""
    root, faults = root or ROOT, []
    for page in markdown_files(root) if pages is None else pages:
        text = (root / page).read_text(encoding="utf-8")
        for number, target in links_of(text):
            if is_external(target):
                continue
            path, anchor = resolve(page, target)
            if path.startswith("../") or not (root / path).exists():
                faults.append(f"{page}:{number}: {target}: no such file")
            elif anchor and path.endswith(".md") and anchor not in anchors_of((root / path).read_text(encoding="utf-8")):
                faults.append(f"{page}:{number}: {target}: no such heading")
    return faults
