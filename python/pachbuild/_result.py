# SPDX-License-Identifier: Apache-2.0
"""What a run did: pipelines, their datums with logs, and the files that it wrote."""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from . import _html, _words
from ._errors import BAD_INPUT, Error

OWN_FOLDER = ".pachbuild"  # of the program, in each output folder
LONGEST_LOG = 1 << 20
LONGEST_SHOWN_LOG = 20  # lines
MOST_SHOWN_FAILURES = 3
MOST_READ_LOGS = 100
CUT = "[…]\n"


def read_log(path: str) -> str:
    """What a program printed: of more than 1 MiB the end. Empty where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return ""
    with open(descriptor, "rb") as file:
        begin = max(0, status.st_size - LONGEST_LOG)
        file.seek(begin)
        text = file.read(LONGEST_LOG).decode("utf-8", "replace")
    if begin == 0:
        return text
    # Half a URL would show its password.
    return CUT + text.partition("\n")[2]


@dataclass(frozen=True)
class Input:
    """A file or folder that a datum had: `path` in its repo, `file` on this machine.

    `file` is None where it came from a cluster or from another pipeline.
    """

    name: str
    path: str
    file: Optional[Path] = None


@dataclass(frozen=True)
class Datum:
    """One run of a pipeline's program.

    `state` is "succeeded", "skipped" (its result was known), "recovered" (by err_cmd), "failed", or "stopped". `reason` and
    `exit_code` are those of a failure; the code is None where it was not the program that failed. `seconds` is the program's
    time, `files` and `bytes` what it wrote.
    """

    pipeline: str
    id: str
    number: int
    label: str
    state: str
    inputs: Tuple[Input, ...] = ()
    seconds: Optional[float] = None
    files: int = 0
    bytes: int = 0
    reason: str = ""
    exit_code: Optional[int] = None
    log_file: str = field(default="", repr=False)

    @cached_property
    def log(self) -> str:
        """What the program printed; of more than 1 MiB the end. Kept until a later run of other code removes it."""
        return read_log(self.log_file)

    @property
    def failed(self) -> bool:
        return self.state in ("failed", "stopped")

    def _repr_html_(self) -> str:
        return _html.datum(self)


class Outputs(Mapping[str, Path]):
    """The files that a pipeline wrote: `outputs["a.txt"]` is a `pathlib.Path`, to open or to read.

    Iterating gives their names, in order. The folder itself is `folder`, and stands for it wherever a path is taken.
    """

    def __init__(self, folder: Optional[Path]) -> None:
        self.folder = folder
        self._found: Optional[Dict[str, Path]] = None

    def _files(self) -> Dict[str, Path]:
        if self._found is None:
            self._found = dict(sorted(self._list())) if self.folder else {}
        return self._found

    def _list(self) -> Iterator[Tuple[str, Path]]:
        assert self.folder is not None
        for root, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if name != OWN_FOLDER]
            for name in files:
                path = Path(root, name)
                yield path.relative_to(self.folder).as_posix(), path

    def __getitem__(self, name: str) -> Path:
        found = self._files().get(name)
        if found is not None:
            return found
        near = difflib.get_close_matches(name, self._files(), 1)
        raise KeyError(f"{name!r} was not written" + (f"; did you mean {near[0]!r}?" if near else ""))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files())

    def __len__(self) -> int:
        return len(self._files())

    def __fspath__(self) -> str:
        if self.folder is None:
            raise Error("the run wrote no output", exit_code=BAD_INPUT)
        return str(self.folder)

    def __repr__(self) -> str:
        return f"<Outputs: {_words.count(len(self), 'file')} in {str(self.folder)!r}>" if self.folder else "<Outputs: none>"

    def _repr_html_(self) -> str:
        return _html.outputs(self)


@dataclass(frozen=True)
class PipelineResult:
    """What a run did of one pipeline. `error` says why it did not run to its end, `left_out` which other one was why."""

    name: str
    datums: Tuple[Datum, ...] = ()
    outputs: Outputs = field(default_factory=lambda: Outputs(None))
    build_seconds: Optional[float] = None
    build_log: Tuple[str, ...] = field(default=(), repr=False)
    seconds: Optional[float] = None
    error: Optional[Error] = None
    left_out: str = ""

    @property
    def failed(self) -> Tuple[Datum, ...]:
        """The datums that failed."""
        return tuple(datum for datum in self.datums if datum.failed)

    @property
    def summary(self) -> str:
        """In one line, without the name."""
        if self.left_out:
            return f"not run, because {self.left_out} has no result"
        parts = [_words.count(len(self.datums), "datum")]
        for state in ("skipped", "recovered", "failed", "stopped"):
            number = sum(datum.state == state for datum in self.datums)
            if number:
                parts.append(f"{number} {state}")
        if self.error is not None:
            parts = [self.error.line or "failed"]
        if self.build_seconds is not None:
            parts.append(f"build {_words.duration(self.build_seconds)}")
        if self.seconds is not None:
            parts.append(f"{_words.duration(self.seconds)} in total")
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"<PipelineResult {self.name}: {self.summary}>"

    def _repr_html_(self) -> str:
        return _html.pipeline(self)


@dataclass(frozen=True)
class Result:
    """What a run did. `pipelines` has each by its name; the rest is of all of them together."""

    pipelines: Mapping[str, PipelineResult]
    exit_code: int = 0
    folder: Optional[Path] = None
    seconds: float = 0.0
    warnings: Tuple[str, ...] = ()
    version: str = ""

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0

    @property
    def datums(self) -> Tuple[Datum, ...]:
        """The datums of all pipelines."""
        return tuple(datum for pipeline in self.pipelines.values() for datum in pipeline.datums)

    @property
    def failed(self) -> Tuple[Datum, ...]:
        """The datums that failed."""
        return tuple(datum for datum in self.datums if datum.failed)

    @property
    def outputs(self) -> Outputs:
        """The files that were written. Of several pipelines each is in `result.pipelines[NAME].outputs` as well."""
        if len(self.pipelines) == 1:
            return next(iter(self.pipelines.values())).outputs
        return Outputs(self.folder)

    @property
    def build_seconds(self) -> float:
        """How long builds took, together."""
        return sum(pipeline.build_seconds or 0.0 for pipeline in self.pipelines.values())

    def failure_lines(self) -> List[str]:
        """What failed, with the end of its log, for the text of an error."""
        lines: List[str] = []
        for pipeline in self.pipelines.values():
            if pipeline.error is not None and pipeline.build_log:
                lines += [f"build of {pipeline.name}:", *(f"  {line}" for line in pipeline.build_log[-LONGEST_SHOWN_LOG:])]
        for datum in self.failed[:MOST_SHOWN_FAILURES]:
            lines.append(f"datum {datum.label} of {datum.pipeline}: {datum.reason or datum.state}")
            lines += [f"  {line}" for line in datum.log.splitlines()[-LONGEST_SHOWN_LOG:]]
        more = len(self.failed) - MOST_SHOWN_FAILURES
        if more > 0:
            lines.append(f"and {_words.count(more, 'more datum')}: see result.failed of this error")
        return lines

    def __repr__(self) -> str:
        shown = "; ".join(f"{pipeline.name}: {pipeline.summary}" for pipeline in self.pipelines.values())
        return f"<Result {shown or 'of no pipeline'}>"

    def _repr_html_(self) -> str:
        return _html.result(self)
