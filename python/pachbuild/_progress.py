# SPDX-License-Identifier: Apache-2.0
"""One line that says how far a run is: in a notebook, or on a terminal. Elsewhere nothing."""

from __future__ import annotations

import importlib
import shutil
import sys
import time
from typing import Any, Dict, Optional

from . import _words
from ._program import interactive_stream

BETWEEN = 0.2  # seconds between two states of the line


def notebook_display() -> Optional[Any]:
    """IPython's module for display where a notebook's kernel runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return importlib.import_module("IPython.display") if getattr(shell, "kernel", None) is not None else None


class Line:
    """The place of the line. Texts come at most every 0.2 seconds; the end takes it away."""

    def __init__(self, enabled: Optional[bool]) -> None:
        wanted = enabled is not False
        self._display = notebook_display() if wanted else None
        self._stream = interactive_stream() if wanted and self._display is None else None
        self._handle: Optional[Any] = None
        self._shown = ""
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        """Whether a new text would be shown now."""
        return (self._display is not None or self._stream is not None) and time.monotonic() >= self._next

    def show(self, text: str) -> None:
        if self.is_due and text != self._shown:
            self._next = time.monotonic() + BETWEEN
            self._put(text)

    def clear(self) -> None:
        """Before something else is printed, and at the end."""
        if self._shown:
            self._put("")
        self._next = 0.0

    def _put(self, text: str) -> None:
        self._shown = text
        if self._display is not None:
            bundle: Dict[str, str] = {"text/plain": text}
            if self._handle is None:
                self._handle = self._display.display(bundle, raw=True, display_id=True)
            else:
                self._handle.update(bundle, raw=True)
        elif self._stream is not None:
            width = max(shutil.get_terminal_size().columns - 1, 1)
            self._stream.write("\r\x1b[K" + printable(text)[:width])
            self._stream.flush()


def printable(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)


class State:
    """What the line says, from the events of a run."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._all: Dict[str, int] = {}
        self._done: Dict[str, int] = {}
        self._failed = 0
        self._phases: Dict[str, str] = {}

    def take(self, event: Dict[str, Any]) -> None:
        name = str(event.get("pipeline", ""))
        kind = event.get("event")
        if kind == "datums_counted":
            self._all[name] = int(event["datums"])
        elif kind in ("datum_skipped", "datum_ended"):
            self._done[name] = self._done.get(name, 0) + 1
            self._failed += event.get("state") == "failed"
        elif kind == "phase_began":
            self._phases[name] = str(event["phase"]) + (f" {event['of']}" if event.get("of") else "")
        elif kind == "phase_ended":
            self._phases.pop(name, None)
        elif kind == "build_step" and event.get("step"):
            self._phases[name] = str(event["step"])

    def text(self) -> str:
        parts = []
        if self._all:
            parts.append(f"{sum(self._done.values()):,} of {_words.count(sum(self._all.values()), 'datum')}")
        if self._failed:
            parts.append(f"{self._failed:,} failed")
        parts += [f"{name}: {phase}" if name else phase for name, phase in sorted(self._phases.items())]
        parts.append(_words.duration(time.monotonic() - self._begin))
        return "pachbuild: " + ", ".join(parts)
