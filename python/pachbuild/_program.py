# SPDX-License-Identifier: Apache-2.0
"""Finds the program pachbuild and calls it. What it says is read as JSON, never as text."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

from . import _errors
from ._errors import Error

NAME = "pachbuild"
FOLDER_VARIABLE = "PACHBUILD_BIN"
PATIENCE = 60.0  # how long a program that was told to stop may take to take back what is half done, in seconds
BETWEEN_TICKS = 0.2
LONGEST_TAIL = 20  # lines of a program that ended without an error


def program() -> Path:
    """The program: in the folder that PACHBUILD_BIN names, else where the wheel put it, else on PATH."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        path = Path(named) / NAME
        if not is_program(path):
            raise Error(f"has no program {NAME}", where=f"{FOLDER_VARIABLE}={named}", exit_code=_errors.UNAVAILABLE,
                        hint="set it to the folder with the program, or unset it to use the one on PATH")
        return path.absolute()
    for folder in folders():
        if is_program(folder / NAME):
            return folder / NAME
    found = shutil.which(NAME)
    if found is None:
        raise Error("not found, neither beside this Python nor on PATH", where=NAME, exit_code=_errors.UNAVAILABLE,
                    hint=f"install the wheel again, or set {FOLDER_VARIABLE} to the folder with the program")
    return Path(found).absolute()


def folders() -> Iterator[Path]:
    """Where pip and uv put the programs of a wheel: into the environment of the package or of this Python, into the user's
    folders, below `--target`."""
    package = Path(__file__).absolute().parent
    if package.parent.name == "site-packages":  # of PREFIX/lib/python3.X
        yield package.parents[3] / "bin"
    yield Path(sysconfig.get_path("scripts"))
    with contextlib.suppress(KeyError):
        yield Path(sysconfig.get_path("scripts", "posix_user"))
    yield package.parent / "bin"


def is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def read_object(line: str) -> Optional[Dict[str, Any]]:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def error_of(said: Mapping[str, Any]) -> Error:
    """The error that an object with where, message, hint and code tells."""
    return Error(str(said.get("message", "")), where=str(said.get("where", "")), hint=str(said.get("hint", "")),
                 exit_code=int(said.get("code", _errors.BUG)))


class Call:
    """A call of the program, whose standard output is read line by line while it runs. It ends with the `with`.

    It stays in our process group, so that Ctrl-C and the end of a notebook's kernel reach it as well; where only we are
    told, we tell it. Should we be killed, it notices that nobody reads what it says.
    """

    def __init__(self, arguments: Sequence[str], variables: Optional[Mapping[str, Optional[str]]] = None) -> None:
        self.arguments = [str(program()), *arguments]
        self.environment = {**os.environ, "PACHBUILD_LOG": "json"}
        for name, value in (variables or {}).items():
            if value is None:
                self.environment.pop(name, None)
            else:
                self.environment[name] = value
        self.errors: List[Error] = []
        self.printed: List[str] = []  # the last lines of any kind, for a program that ends without an error
        self._lines: queue.Queue[Tuple[bool, Optional[str]]] = queue.Queue()
        self._threads: List[threading.Thread] = []
        self._process: Optional[subprocess.Popen[str]] = None

    def __enter__(self) -> Call:
        for argument in self.arguments:
            if "\0" in argument:
                raise Error("contains a null character", where=repr(argument), exit_code=_errors.USAGE)
        try:
            self._process = subprocess.Popen(
                self.arguments, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                encoding="utf-8", errors="replace")
        except OSError as error:
            raise Error(f"cannot be started: {error.strerror or error}", where=self.arguments[0],
                        exit_code=_errors.UNAVAILABLE) from error
        for is_output, stream in ((True, self._process.stdout), (False, self._process.stderr)):
            assert stream is not None
            thread = threading.Thread(target=self._read, args=(is_output, stream), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.stop()

    def _read(self, is_output: bool, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._lines.put((is_output, line))
        self._lines.put((is_output, None))

    def output(self) -> Iterator[Optional[str]]:
        """Each line of standard output, and None now and then while there is none; errors and warnings are collected."""
        open_streams = 2
        while open_streams > 0:
            try:
                is_output, line = self._lines.get(timeout=BETWEEN_TICKS)
            except queue.Empty:
                yield None
                continue
            if line is None:
                open_streams -= 1
            elif is_output:
                yield line
            else:
                self._hear(line)

    def _hear(self, line: str) -> None:
        said = read_object(line)
        message = str(said.get("message", "")) if said else line.rstrip("\n")
        self.printed = [*self.printed[1 - LONGEST_TAIL:], message]
        if said and said.get("level") == "error":
            self.errors.append(error_of(said))

    @property
    def code(self) -> int:
        """The exit code, as a shell tells it. Waits for the end."""
        assert self._process is not None
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def error(self) -> Error:
        """Why it failed: the first of its errors with the others."""
        if self.errors:
            first, *more = self.errors
            return Error(first.what, where=first.where, hint=first.hint, exit_code=self.code, more=more)
        what = f"exited with code {self.code}"
        if self.code > 128:
            what = f"was ended by {signal.Signals(self.code - 128).name}" if self.code - 128 in list(signal.Signals) else what
        return Error(what, where=NAME, hint="\n".join(self.printed), exit_code=self.code)

    def stop(self) -> None:
        """Ends it, if it has not ended: it takes back what is half done and leaves no process."""
        process = self._process
        if process is None:
            return
        try:
            if process.poll() is None:
                # Not SIGINT: kernels ignore it between cells, and a child inherits that.
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
        for thread in self._threads:
            thread.join()


def call(arguments: Sequence[str], variables: Optional[Mapping[str, Optional[str]]] = None) -> str:
    """Calls the program to its end and gives what it wrote to standard output; what it says otherwise is an error."""
    with Call(arguments, variables) as running:
        output = "".join(line for line in running.output() if line is not None)
        if running.code != 0:
            raise running.error()
    return output


def version() -> str:
    """What `pachbuild --version` says: version, commit and day of the program."""
    return call(["--version"]).strip().partition(" ")[2]


def interactive_stream() -> Optional[IO[str]]:
    """Where a line that updates can be shown outside of notebooks."""
    stream = sys.stderr
    return stream if stream is not None and stream.isatty() else None
