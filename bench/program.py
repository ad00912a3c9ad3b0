# SPDX-License-Identifier: Apache-2.0
"""What the programs of bench/ share as programs: their options, their folder, and how they end."""

import argparse
import contextlib
import os
import pathlib
import signal
import sys
import tempfile

from ways import ROOT

USAGE = 64  # the exit code of a wrong command line
FOLDER = "PACHBUILD_BENCH_FOLDER"  # where bench/all wants the working folders


class Parser(argparse.ArgumentParser):
    def __init__(self, text):
        super().__init__(description=text, formatter_class=argparse.RawDescriptionHelpFormatter,
                         prog=f"bench/{pathlib.Path(sys.argv[0]).name}")

    def error(self, message):
        print(f"error: {message}\nhint: {self.prog} --help explains the options", file=sys.stderr)
        sys.exit(USAGE)


def number(text):
    """The value of an option that counts something."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, not '{text}'")
    return value


def parser(text, repeats=None, what="measurements of each number"):
    """With --json, and with --repeats for a program that has a default for it."""
    made = Parser(text)
    if repeats is not None:
        made.add_argument("--repeats", type=number, default=repeats, metavar="N", help=f"{what} (default: {repeats})")
    made.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the rows as data, too")
    return made


@contextlib.contextmanager
def working_folder():
    """A folder that is gone at the end; on the disk of build/, which is a disk as of containers. Its path has no links."""
    place = pathlib.Path(os.environ.get(FOLDER, ROOT / "build")).resolve()
    with tempfile.TemporaryDirectory(prefix="bench.", dir=place) as folder:
        yield pathlib.Path(folder)


def end_by_signal(signal_number, frame):
    # Once: the folders must be removed in peace.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise SystemExit(128 + signal_number)


def start(main):
    """Runs the program; Ctrl-C and SIGTERM end it without a trace."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, end_by_signal)
    try:
        sys.exit(main())
    except BrokenPipeError:
        # Nobody reads on; what is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
