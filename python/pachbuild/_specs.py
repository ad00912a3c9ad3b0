# SPDX-License-Identifier: Apache-2.0
"""Specs as Python has them: dictionaries, messages of pachyderm_sdk, short forms of inputs; and where they are written."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import importlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Union

from ._errors import BAD_INPUT, CANNOT_READ, CANNOT_WRITE, USAGE, Error

PathLike = Union[str, "os.PathLike[str]"]

# In the current folder, hidden: `pachbuild run -f FOLDER` passes over such folders, and so does git by the file in it.
FOLDER = ".pachbuild-pipelines"
SPEC_FILE = "pipeline.json"
DIGEST_DIGITS = 8


def absolute(path: PathLike) -> str:
    """The path from the root on, whatever folder is the current one later."""
    try:
        return os.fsdecode(os.path.abspath(path))
    except OSError as error:
        raise Error("has been removed", where="the current folder", exit_code=CANNOT_READ, hint="change to another one") from error


def plain(value: Any, where: str) -> Any:
    """The value as JSON has it: messages of pachyderm_sdk and python_pachyderm become objects."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(item, f"{where}.{name}") for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, datetime.timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "DESCRIPTOR") and hasattr(value, "SerializeToString"):
        return importlib.import_module("google.protobuf.json_format").MessageToDict(value)
    if hasattr(value, "to_dict") and not isinstance(value, type):
        return plain(value.to_dict(), where)
    raise Error(f"cannot be part of a spec: {type(value).__name__}", where=where, exit_code=BAD_INPUT,
                hint="pass a string, number, list, dictionary or pachyderm_sdk message")


def input_object(value: Any) -> Dict[str, Any]:
    """An input of a spec: of "REPO" or "REPO:GLOB" (by default /*), a list of inputs that are crossed, or any object."""
    if isinstance(value, str):
        repo, colon, glob = value.partition(":")
        if not repo:
            raise Error("names no repo", where=f"input {value!r}", exit_code=USAGE, hint='for example input="images:/*"')
        return {"pfs": {"repo": repo, "glob": glob if colon else "/*"}}
    if isinstance(value, (list, tuple)):
        parts = [input_object(part) for part in value]
        if not parts:
            raise Error("has no inputs", where="input", exit_code=USAGE, hint='for example input="images:/*"')
        return parts[0] if len(parts) == 1 else {"cross": parts}
    found = plain(value, "input")
    if not isinstance(found, dict):
        raise Error(f"is not an input: {found!r}", where="input", exit_code=USAGE, hint='for example input="images:/*"')
    return found


def input_names(value: Mapping[str, Any], is_grouped: bool = False) -> Dict[str, bool]:
    """The names of all inputs, and whether a datum can have several files of it."""
    names: Dict[str, bool] = {}
    for kind, part in value.items():
        if isinstance(part, Mapping):
            name = part.get("name") or part.get("repo")
            if name:
                names[str(name)] = is_grouped
        elif isinstance(part, list):
            for item in part:
                if isinstance(item, Mapping):
                    names.update(input_names(item, is_grouped or kind == "group"))
    return names


def to_json(spec: Mapping[str, Any]) -> str:
    return json.dumps(spec, indent=2, ensure_ascii=False) + "\n"


def absolute_build(spec: Dict[str, Any], folder: Path) -> Dict[str, Any]:
    """The same spec, which may be written anywhere: its source is relative to `folder`."""
    transform = spec.get("transform")
    build = transform.get("build") if isinstance(transform, dict) else None
    if not isinstance(transform, dict) or not isinstance(build, dict):
        return spec
    path = str(folder / str(build.get("path", ".")))
    return {**spec, "transform": {**transform, "build": {**build, "path": path}}}


def name_of(spec: Mapping[str, Any]) -> str:
    pipeline = spec.get("pipeline")
    name = pipeline.get("name") if isinstance(pipeline, Mapping) else None
    return name if isinstance(name, str) else ""


def folder_name(name: str) -> str:
    """A name that a folder can have; the program says what is wrong with that of a pipeline."""
    is_plain = name and name.isascii() and all(c.isalnum() or c in "_-" for c in name) and len(name) < 100
    return name if is_plain else "pipeline-" + digest_of(name)


def digest_of(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:DIGEST_DIGITS]


def own_folder(name: str) -> Path:
    """The folder for what belongs to a pipeline of a notebook or script, below the current one."""
    parent = Path(absolute(".")) / FOLDER
    folder = parent / name
    with told_as_error(folder):
        make_folder(parent)
        make_folder(folder)
        ignore = parent / ".gitignore"
        if not ignore.exists():
            write_file(ignore, "*\n")
    return folder


@contextlib.contextmanager
def told_as_error(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or place
        raise Error(f"cannot write: {error.strerror or error}", where=os.fsdecode(where), exit_code=CANNOT_WRITE) from error


def write_file(path: Path, content: Union[str, bytes]) -> None:
    """Writes it whole or not at all; a file that has this content is left alone."""
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    with contextlib.suppress(OSError):
        if not path.is_symlink() and path.read_bytes() == data:
            return
    descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def make_folder(folder: Path) -> None:
    """A folder of ours, with those above it. Not behind a link, which may come from somebody else: it could lead anywhere."""
    if folder.is_symlink():
        raise Error("is a link, but pachbuild writes its own files here", where=str(folder), exit_code=CANNOT_WRITE,
                    hint="remove it")
    folder.mkdir(parents=True, exist_ok=True)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes these files, and removes those of the last time that are none of them; all others stay. Of two who do so at
    once, one after the other does it."""
    with told_as_error(folder):
        make_folder(folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(folder.with_name(f".{folder.name}.lock"), flags, 0o644), "r+", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Its content: what was written the last time.
            before = known_names(lock.read())
            for name, content in files.items():
                path = folder / name
                for above in reversed(path.relative_to(folder).parents[:-1]):
                    make_folder(folder / above)
                write_file(path, content)
            lock.seek(0)
            lock.write(json.dumps(sorted(files)))
            lock.truncate()
            for name in sorted(set(before) - set(files)):
                remove_file(folder, name)


def known_names(text: str) -> List[str]:
    """Those of a list that we have written; what is no such name is left out."""
    try:
        names = json.loads(text)
    except ValueError:
        return []
    return [name for name in names if isinstance(name, str) and ".." not in Path(name).parts and not name.startswith("/")
            and name] if isinstance(names, list) else []


def remove_file(folder: Path, name: str) -> None:
    """With the folders that are empty then."""
    path = folder / name
    above = [folder / parent for parent in Path(name).parents[:-1]]
    if any(parent.is_symlink() for parent in above):
        return
    with contextlib.suppress(OSError):
        path.unlink()
        for parent in above:
            parent.rmdir()


def as_list(value: Any) -> List[Any]:
    """One thing, or several of them."""
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return list(value)
    return [value]
