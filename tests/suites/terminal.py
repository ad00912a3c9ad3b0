# SPDX-License-Identifier: Apache-2.0
"""A small terminal, as far as pachbuild uses one: what a person would see of what a program writes to it."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

SEQUENCE = re.compile(r"\x1b(?:\[([0-9;?]*)([@-~])|\](.*?)(?:\x07|\x1b\\))", re.DOTALL)


def width_of(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """Rows of cells with a cursor. Whether a narrowed window wraps its lines anew (most terminals) or cuts them."""

    def __init__(self, columns, rows, wraps_anew=True):
        self.columns, self.rows, self.wraps_anew = columns, rows, wraps_anew
        self.lines = [[]]  # all that there ever was; a wide character is followed by ""
        self.wrapped = [False]  # whether a line goes on in the next one
        self.row = self.column = 0
        self.top = 0  # the first line of the window
        self.wraps = True
        self.links = []
        self.colours = []
        self.unknown = []
        self.most_wrapped = 0

    def feed(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = SEQUENCE.match(text, at)
                if not found:
                    return text[at:]  # not whole yet
                self.obey(found)
                at = found.end()
            else:
                self.put(text[at])
                at += 1
        return ""

    def obey(self, found):
        parameters, final, string = found.groups()
        if final is None:
            if string.startswith("8;;") and string != "8;;":
                self.links.append(string[3:])
            elif not string.startswith("8;;"):
                self.unknown.append(found[0])
        elif final == "m":
            self.colours.append(parameters)
        elif final == "A":
            self.row = max(self.row - int(parameters or 1), self.top)
        elif final == "K" and parameters == "":
            del self.lines[self.row][self.column:]
        elif final == "J" and parameters == "":
            del self.lines[self.row][self.column:]
            self.wrapped[self.row] = False
            for line in range(self.row + 1, len(self.lines)):
                self.lines[line] = []
                self.wrapped[line] = False
        elif parameters == "?7":
            self.wraps = final == "h"
        elif parameters not in ("?2026",):
            self.unknown.append(found[0])

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.next_line()
        elif character in "\x00\x07\x08\x1b":
            self.unknown.append(character)
        else:
            width = width_of(character)
            if self.column + width > self.columns:
                if not self.wraps:
                    return
                self.wrapped[self.row] = True
                self.most_wrapped += 1
                self.next_line()
                self.column = 0
            line = self.lines[self.row]
            line.extend(" " * (self.column - len(line)))
            line[self.column:self.column + width] = [character] + [""] * (width - 1) if width else []
            self.column += width

    def next_line(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append([])
            self.wrapped.append(False)
        self.top = max(self.top, self.row - self.rows + 1)

    def resize(self, columns, rows):
        if self.wraps_anew and columns < self.columns:
            lines, wrapped = [], []
            whole, at = [], None  # what was one line before any wrapping, and the cursor's place in it
            for number, (line, goes_on) in enumerate(zip(self.lines, self.wrapped)):
                if number == self.row:
                    at = len(whole) + self.column
                whole += line
                if goes_on:
                    continue
                parts = [whole[begin:begin + columns] for begin in range(0, max(len(whole), 1), columns)]
                if at is not None:
                    part = min(at // columns, len(parts) - 1)
                    row, column, at = len(lines) + part, at - columns * part, None
                lines += parts
                wrapped += [True] * (len(parts) - 1) + [False]
                whole = []
            self.row, self.column = row, column
            self.lines, self.wrapped = lines, wrapped
        elif columns < self.columns:
            self.lines = [line[:columns] for line in self.lines]
            self.column = min(self.column, columns - 1)
        self.columns, self.rows = columns, rows
        self.top = max(0, self.row - rows + 1)

    def all_lines(self):
        """Everything that was ever on it, also what has scrolled away, without empty lines at the end."""
        lines = ["".join(line).rstrip() for line in self.lines]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def window(self):
        return ["".join(line).rstrip() for line in self.lines[self.top:self.top + self.rows]]


class Session:
    """A program on a terminal of its own, as a shell's job has it."""

    def __init__(self, command, env, columns=80, rows=24, wraps_anew=True, cwd=None):
        self.screen = Screen(columns, rows, wraps_anew)
        self.text = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.rest = ""
        master, slave = pty.openpty()
        self.master = master
        self.set_size(columns, rows)
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=cwd,
                                        start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(columns, rows)
        self.set_size(columns, rows)

    def type(self, keys):
        os.write(self.master, keys)

    def read(self, seconds):
        """Takes what comes in this time; False at the end."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        text = self.decoder.decode(data)
        self.text += text
        self.rest = self.screen.feed(self.rest + text)
        return bool(data)

    def wait_for(self, holds, what, timeout=60):
        """Until `holds(screen)` for what is on the screen."""
        end = time.monotonic() + timeout
        while not holds(self.screen):
            if time.monotonic() > end or not self.read(0.1):
                if holds(self.screen):
                    return
                raise AssertionError(f"not seen: {what}\n" + "\n".join(self.screen.all_lines()))

    def finish(self, timeout=60):
        """To its end; the exit code."""
        end = time.monotonic() + timeout
        while self.read(0.1):
            if time.monotonic() > end:
                self.process.kill()
                raise AssertionError("does not end\n" + "\n".join(self.screen.all_lines()))
        return self.process.wait(timeout)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
