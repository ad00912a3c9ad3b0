# SPDX-License-Identifier: Apache-2.0
"""Compiles every module below the current folder to bytecode: python -c SCRIPT PROCESSES.

Not compileall, because its exit code does not tell a module that is no valid Python (packages ship such
test data, and it is left alone) from a full disk. The bytecode carries paths relative to the current folder
and the hash of its source, which is never checked: neither times nor places are in it.
"""
import os
import py_compile
import sys

NOT_PYTHON = (SyntaxError, ValueError, RecursionError, OverflowError)


def modules():
    for folder, folders, names in os.walk("."):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)[2:]
            if name.endswith(".py") and os.path.isfile(path):
                yield path


def compile_all(paths):
    for path in paths:
        try:
            py_compile.compile(path, doraise=True,
                               invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        except py_compile.PyCompileError as error:
            if not isinstance(error.exc_value, NOT_PYTHON):
                raise


def run_in_child(work):
    """Starts `work` in a process of its own; ends with 1 and a traceback when it fails."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def main():
    processes = int(sys.argv[1])
    paths = list(modules())
    children = [run_in_child(lambda first=first: compile_all(paths[first::processes]))
                for first in range(processes)]
    statuses = [os.waitpid(child, 0)[1] for child in children]
    sys.exit(1 if any(statuses) else 0)


main()
