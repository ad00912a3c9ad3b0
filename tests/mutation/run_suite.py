# SPDX-License-Identifier: Apache-2.0
"""Runs a suite of tests/suites for scripts/mutate, in a process of its own.

    run_suite.py SUITE reach FILE PAGE       all tests; writes how long each took and which places it reached
    run_suite.py SUITE notice LIMITS TEST…   these in this order until one fails; LIMITS: how many seconds each has
"""

import importlib.util
import json
import mmap
import pathlib
import signal
import sys
import time
import unittest

sys.dont_write_bytecode = True


def load(path):
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def every(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from every(item)
        else:
            yield item


def name_of(test):
    """Class and method; of a subtest those of its test."""
    return getattr(test, "test_case", test).id().split(".", 1)[-1]


class Reach(unittest.TextTestResult):
    """Notes places and times; what a class prepares counts for the test behind it."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.tests, self.begin = {}, time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        hits = self.page[4096:]
        self.page[4096:] = bytes(len(hits))
        self.tests[name_of(test)] = {
            "seconds": time.monotonic() - self.begin,
            "reached": [number for number, hit in enumerate(hits) if hit],
        }
        self.begin = time.monotonic()


class Limited(unittest.TextTestResult):
    """Ends a test that takes much longer than it should."""

    def startTest(self, test):
        super().startTest(test)
        signal.setitimer(signal.ITIMER_REAL, self.limits.get(name_of(test), 60))

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)


def out_of_time(*_):
    raise TimeoutError("the test takes too long")


def main():
    path, mode = pathlib.Path(sys.argv[1]), sys.argv[2]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    module = load(path)
    tests = {name_of(test): test for test in every(unittest.defaultTestLoader.loadTestsFromModule(module))}
    if mode == "reach":
        with open(sys.argv[4], "r+b") as file:
            Reach.page = mmap.mmap(file.fileno(), 8192)
        result = unittest.TextTestRunner(resultclass=Reach, verbosity=2).run(unittest.TestSuite(tests.values()))
        failed = sorted({name_of(test) for test, _ in result.failures + result.errors})
        report = {"tests": result.tests, "failed": failed}
        pathlib.Path(sys.argv[3]).write_text(json.dumps(report), encoding="utf-8")
        sys.exit(1 if failed else 0)
    Limited.limits = json.loads(sys.argv[3])
    signal.signal(signal.SIGALRM, out_of_time)
    chosen = unittest.TestSuite(tests[name] for name in sys.argv[4:])
    result = unittest.TextTestRunner(resultclass=Limited, failfast=True, verbosity=2).run(chosen)
    bad = result.failures + result.errors
    bad += [(test, "") for test in result.unexpectedSuccesses]
    if bad:
        print(f"\nNOTICED BY {name_of(bad[0][0])}", flush=True)
    sys.exit(1 if bad else 0)


main()
