# SPDX-License-Identifier: Apache-2.0
"""How the package fails: exceptions that say what the program says, an error line, a hint and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence, Tuple, Type

if TYPE_CHECKING:
    from ._result import Result

# The program's exit codes, which are those of sysexits.h.
STEP_FAILED = 1
USAGE = 64
BAD_INPUT = 65
UNAVAILABLE = 69
BUG = 70
CANNOT_WRITE = 73
CANNOT_READ = 74
NETWORK = 75


class Error(Exception):
    """Something failed: `where` it is, `what` is wrong, and a `hint` how to mend it, which may be empty.

    `exit_code` is that of the program: 1 a build or datum failed, 64 usage, 65 invalid source or spec, 69 something
    needed is missing, 70 a bug in pachbuild, 73 cannot write, 74 cannot read, 75 network error (try again). `more` has
    the errors that were found along with it.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "", exit_code: int = BUG,
                 more: Sequence[Error] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.exit_code = exit_code
        self.more = tuple(more)

    @property
    def line(self) -> str:
        """The error in one line, as the program prints it after `error: `."""
        return f"{self.where}: {self.what}" if self.where else self.what

    def __str__(self) -> str:
        lines = [self.line]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        lines += [f"error: {error}" for error in self.more]
        return "\n".join(lines)


class SourceError(Error):
    """A function cannot become a pipeline because of `name`, which it uses in line `number` of its file or cell."""

    def __init__(self, what: str, *, name: str = "", number: int = 0, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint, exit_code=BAD_INPUT)
        self.name = name
        self.number = number


class RunError(Error):
    """A run that began and failed. `result` has what it did: its datums with their logs, and what it built."""

    def __init__(self, error: Error, result: Result) -> None:
        super().__init__(error.what, where=error.where, hint=error.hint, exit_code=error.exit_code, more=error.more)
        self.error = error
        self.result = result

    def __reduce__(self) -> Tuple[Type[RunError], Tuple[Error, Result]]:
        return RunError, (self.error, self.result)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *self.result.failure_lines()])
