# SPDX-License-Identifier: Apache-2.0
"""Compiles modules to bytecode: python -c SCRIPT PROCESSES, with the modules' paths on standard input, each but
the last followed by a zero byte.

Not compileall, because its exit code does not tell a module that is no valid Python (packages ship such
test data, and it is left alone) from a full disk. The bytecode carries the paths as they are given and the hash
of its source, which is never checked: neither times nor places are in it.

Prints the interpreter's tag, which is part of the names of the files that it makes. When the system refuses
something it prints the number of the error (errno) instead and ends with 3.
"""
import sys

# The current folder is first on the path, and packages bring modules of the standard library's names.
sys.path.remove("")

import errno  # noqa: E402
import os  # noqa: E402
import py_compile  # noqa: E402

NOT_PYTHON = (SyntaxError, ValueError, RecursionError, OverflowError)
SYSTEM_REFUSED = 3
# So many modules are a line "+32" on standard error.
REPORTED = 32


def compile_all(paths, parent):
    for number, path in enumerate(paths, 1):
        # Who is killed takes its children along.
        if os.getppid() != parent:
            return
        try:
            py_compile.compile(path, doraise=True,
                               invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        except py_compile.PyCompileError as error:
            if not isinstance(error.exc_value, NOT_PYTHON):
                raise
        if number % REPORTED == 0:
            os.write(2, b"+%d\n" % REPORTED)


def run_in_child(work):
    """Starts `work` in a process of its own, which ends with the number of the system's error or, after a
    traceback, with 255 when it fails otherwise."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except OSError as error:
        os._exit(error.errno or errno.EIO)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(255)
    os._exit(0)


def main():
    processes = int(sys.argv[1])
    paths = [os.fsdecode(path) for path in sys.stdin.buffer.read().split(b"\0")]
    parent = os.getpid()
    children = [run_in_child(lambda first=first: compile_all(paths[first::processes], parent))
                for first in range(processes)]
    codes = [os.waitpid(child, 0)[1] for child in children]
    failed = [code for code in codes if code]
    refused = [os.WEXITSTATUS(code) for code in failed if os.WIFEXITED(code) and os.WEXITSTATUS(code) != 255]
    if refused:
        print(refused[0])
        sys.exit(SYSTEM_REFUSED)
    if failed:
        sys.exit(1)
    print(sys.implementation.cache_tag)


main()
