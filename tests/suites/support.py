# SPDX-License-Identifier: Apache-2.0
"""What the suites share: the programs under test, a folder per test, the network, the tools.

A suite is a file test_*.py that ends with `support.main()`. Run one by hand:
    PACHBUILD_BIN=build/dev/bin python3 tests/suites/test_NAME.py [Class.test_name]
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PACHBUILD_BIN", ROOT / "build/dev/bin")).resolve()
TEST_FOLDER = pathlib.Path(os.environ.get("PACHBUILD_TEST_FOLDER", BIN.parent / "tests")).resolve()
TOOLS = ROOT / "build" / "tools"  # what scripts/setup installs for this checkout alone
VERSION = re.search(r"^project\(pachbuild VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"),
                    re.MULTILINE)[1]

# Who runs the tests by nohup or in the background has signals ignored, which the programs under test would inherit.
for _number, _handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGQUIT, signal.SIG_DFL),
                          (signal.SIGINT, signal.default_int_handler)):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)

# The languages that have an official builder.
LANGUAGES = sorted(["go", "python", *(file.parent.name for file in (ROOT / "etc/pipeline-build").glob("*/builder.toml"))])

PACHBUILD = str(BIN / "pachbuild")
BUILDER = str(BIN / "builder-runtime")
SHIM = str(BIN / "worker-shim")


# `scripts/test --long`: more of what takes long.
LONG = os.environ.get("PACHBUILD_LONG_TESTS") == "1"


def long_test(test):
    """One more of a kind of which another always runs."""
    return unittest.skipUnless(LONG, "scripts/test --long runs it")(test)


def in_ci():
    return os.environ.get("CI") == "true"


def environment(**changes):
    """This process's environment with the project's tools first on PATH; a value of None removes a name."""
    result = dict(os.environ)
    result["PATH"] = f"{TOOLS / 'bin'}:{result.get('PATH', '')}"
    for name in ("PACHBUILD_CACHE_DIR", "PACHBUILD_LOG", "PACHBUILD_ENV", "PACHBUILD_PRELOAD"):
        result.pop(name, None)
    result.update({name: value for name, value in changes.items() if value is not None})
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
    return result


def read_objects(text):
    """JSON objects that follow each other."""
    objects = []
    while text := text.strip():
        item, end = json.JSONDecoder().raw_decode(text)
        objects.append(item)
        text = text[end:]
    return objects


def require(condition, reason):
    """Skips a test that cannot run here, with the reason; in CI that is a failure."""
    if condition:
        return
    if in_ci():
        raise AssertionError(f"CI must be able to run this: {reason}")
    raise unittest.SkipTest(reason)


def require_tool(name):
    path = shutil.which(name, path=environment()["PATH"])
    require(path, f"{name} is not installed; run scripts/setup")
    return path


def require_network():
    """The package registries, through whatever proxy or mirror the machine is set up for."""
    require(_network(), "the package index does not answer; this test needs the network")


_network_answer = []


def _network():
    if not _network_answer:
        uv = require_tool("uv")
        with tempfile.TemporaryDirectory() as folder:
            probe = subprocess.run(
                [uv, "pip", "install", "--no-cache", "--no-deps", "--target", folder, "six==1.16.0"],
                capture_output=True, env=environment(), timeout=60)
        _network_answer.append(probe.returncode == 0)
    return _network_answer[0]


def has_open(process, path):
    """Whether the process has the file open."""
    try:
        folder = f"/proc/{process.pid}/fd"
        return str(path) in [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]
    except OSError:
        return False


def shared_cache(name):
    """A cache folder that outlives the test and the run, so that a tool's work is done once per checkout."""
    folder = TEST_FOLDER / "cache" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Suite(unittest.TestCase):
    """A test with a folder of its own in self.folder. It stays when the test fails, and its name is printed."""

    maxDiff = None

    def setUp(self):
        TEST_FOLDER.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{self._testMethodName}.", dir=TEST_FOLDER))
        self.addCleanup(self._clean)

    def _clean(self):
        # Private to unittest but the same in every version since 3.4: what this test has failed with.
        failed = any(error for _, error in getattr(self._outcome, "errors", [])) or bool(
            [1 for case, _ in self._outcome.result.failures + self._outcome.result.errors if case is self])
        if failed:
            print(f"left for a look: {self.folder}", file=sys.stderr)
        else:
            subprocess.run(["chmod", "-R", "u+rwX", str(self.folder)], check=False)
            shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, path, content, mode=None):
        """A file below self.folder, with its folders."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(content, encoding="utf-8")
        if mode is not None:
            target.chmod(mode)
        return target

    def run_program(self, *arguments, env=None, cwd=None, stdin=None, timeout=300, text=True):
        """Runs to the end and gives the CompletedProcess; a program that hangs is killed with its group."""
        process = subprocess.Popen([str(a) for a in arguments], env=env or environment(), cwd=cwd or self.folder,
                                   stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=text,
                                   start_new_session=True)
        try:
            output, errors = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            self.fail(f"{arguments[0]} did not end within {timeout} s\n{output}\n{errors}")
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def succeed(self, *arguments, **options):
        result = self.run_program(*arguments, **options)
        self.assertEqual(result.returncode, 0, f"{arguments}\n{result.stdout}\n{result.stderr}")
        return result


def main():
    # A shell starts what it runs in the background with these ignored, which programs would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    result = unittest.main(verbosity=2, exit=False).result
    if result.skipped:
        reasons = "; ".join(sorted({reason for _, reason in result.skipped}))
        # ctest knows a suite that has tested nothing by these words (tests/CMakeLists.txt).
        whole = result.wasSuccessful() and len(result.skipped) >= result.testsRun
        what = "SUITE SKIPPED" if whole else f"{len(result.skipped)} tests skipped"
        print(f"{what}: {reasons}", file=sys.stderr)
    sys.exit(0 if result.wasSuccessful() else 1)
