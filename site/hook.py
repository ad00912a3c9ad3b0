# SPDX-License-Identifier: Apache-2.0
"""What MkDocs does besides: pages of what the documents link to outside of docs/, and the navigation of docs/README.md."""

import pathlib
import posixpath
import re
import sys

from mkdocs.structure.files import File, InclusionLevel

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import links  # noqa: E402

INDEX = "docs/README.md"
OUTSIDE = "repository/"
ASSETS = pathlib.Path(__file__).resolve().parent / "assets"
LANGUAGES = {".py": "python", ".sh": "sh", ".go": "go", ".json": "json", ".yml": "yaml", ".yaml": "yaml", ".h": "cpp", ".cpp": "cpp",
             ".toml": "toml", ".txt": "text"}
PICTURES = (".png", ".svg")

_in_nav = set()  # pages of the site
_repository = {}  # a page of the site: the path in the repository that it shows


def place_of(path):
    """Where the site has a file or folder of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    full = links.ROOT / path
    if full.is_dir():
        return place_of(f"{path}/README.md") if (full / "README.md").exists() else f"{OUTSIDE}{path}.md"
    return OUTSIDE + path if path.endswith((".md", *PICTURES)) else f"{OUTSIDE}{path}.md"


def read_index():
    """The sections of the index: their titles, each with the titles and targets of its links."""
    sections = []
    for line in (links.ROOT / INDEX).read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            sections.append((line.removeprefix("## "), []))
        elif sections and (found := re.match(r"[-|] \[(.+?)\]\(([^)#]+)\)", line)):
            sections[-1][1].append((found[1], found[2]))
    return sections


def on_config(config):
    nav = [{"Documentation": "README.md"}]
    _in_nav.clear()
    for title, entries in read_index():
        nav.append({title: [{name: place_of(links.resolve(INDEX, target)[0])} for name, target in entries
                            if not links.is_external(target)]})
        _in_nav.update(place for entry in nav[-1][title] for place in entry.values())
    config.nav = nav
    return config


def folder_page(path):
    names = sorted(name.name + "/" * name.is_dir() for name in (links.ROOT / path).iterdir() if name.name != "__pycache__")
    return f"# {path}/\n\n" + "".join(f"- `{name}`\n" for name in names)


def file_page(path):
    text = (links.ROOT / path).read_text(encoding="utf-8")
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"# {path}\n\n{fence}{LANGUAGES.get(pathlib.Path(path).suffix, 'text')}\n{text}\n{fence}\n"


def on_files(files, config):
    for asset in sorted(ASSETS.iterdir()):
        files.append(File.generated(config, f"assets/{asset.name}", abs_src_path=str(asset)))
    waiting = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    _repository.clear()
    _repository.update((path.removeprefix("docs/"), path) for path in waiting)
    while waiting:
        page = waiting.pop()
        if not page.endswith(".md"):
            continue
        for _, target in links.links_of((links.ROOT / page).read_text(encoding="utf-8")):
            if links.is_external(target):
                continue
            path, _ = links.resolve(page, target)
            full, place = links.ROOT / path, place_of(path)
            if path.startswith(("docs/", "../")) or not full.exists() or place in _repository:
                continue
            if full.is_dir() and (full / "README.md").exists():
                path, full = f"{path}/README.md", full / "README.md"
            _repository[place] = path
            waiting.append(path)
            is_copied = path.endswith((".md", *PICTURES))
            content = None if is_copied else folder_page(path) if full.is_dir() else file_page(path)
            source = {"content": content} if content is not None else {"abs_src_path": str(full)}
            inclusion = InclusionLevel.INCLUDED if place in _in_nav else InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, place, inclusion=inclusion, **source))
    return files


def to_site(page, target):
    """A link of a page of the repository as one of the site's page."""
    if links.is_external(target):
        return target
    path, anchor = links.resolve(page.repository, target)
    if not (links.ROOT / path).exists():
        return target
    place = posixpath.relpath(place_of(path), posixpath.dirname(page.file.src_uri) or ".")
    return place + ("#" + anchor if anchor else "")


def mend_fences(text):
    """A file's name after the language of a fence is its title; other words there are for the tests."""

    def mend(found):
        name = found[3]
        return f"{found[1]}{found[2]}" + (f' title="{name}"' if re.search(r"[./]", name) else "")

    return re.sub(r"^( *```+)([\w-]+) +([^\s`=]+)$", mend, text, flags=re.MULTILINE)


def mend_tables(text):
    """In a table GitHub wants `|` escaped in code as well, and shows it without the backslash."""
    return re.sub(r"^\|.*\|$", lambda row: links.CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), text, flags=re.MULTILINE)


def on_page_markdown(markdown, page, config, files):
    page.repository = _repository[page.file.src_uri]
    if page.repository.endswith(".md"):
        markdown = links.replace_links(markdown, lambda target: to_site(page, target))
    return mend_tables(mend_fences(markdown))
