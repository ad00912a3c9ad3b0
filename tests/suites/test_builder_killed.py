# SPDX-License-Identifier: Apache-2.0
"""builder-runtime killed at random moments: nothing half-made is visible, nothing goes on, and the next build succeeds.

A failure names its seed; PACHBUILD_TEST_SEED=N repeats it as far as the machine's timing allows. PACHBUILD_LONG_TESTS=1
kills 100 times each and also builds with several packages.
"""

import hashlib
import os
import pathlib
import random
import signal
import subprocess
import time

import support
from builder_suite import GO_HELLO, SIX, BuilderSuite, content_of

SEED = int(os.environ.get("PACHBUILD_TEST_SEED") or random.randrange(2**32))


def processes_in(folder):
    """The processes whose current folder is below this one."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            current = os.readlink(process / "cwd")
            state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if current.startswith(f"{folder}/") and state != "Z":
            found.append(process.name)
    return found


class Killed(BuilderSuite):
    def kill_again_and_again(self, source, times):
        started = time.monotonic()
        self.build_well(source, out="first")
        duration = time.monotonic() - started
        expected = content_of(self.folder / "first")
        environments = {path.name: content_of(path) for path in (self.cache / "env").iterdir()}
        choose = random.Random(SEED)
        for attempt in range(times):
            label = f"seed {SEED}, attempt {attempt}"
            # Each starts from an empty store, now and then with the remains of the one before.
            if attempt % 3 == 0:
                subprocess.run(["rm", "-rf", str(self.cache)], check=True)
            process = subprocess.Popen([support.BUILDER, "--source", str(source), "--out", str(self.folder / "out"),
                                        "--shim", str(self.shim)], env=self.environment(),
                                       stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(choose.uniform(0, duration * 1.1))
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.wait_until_nothing_runs(label)
            self.check(expected, environments, label)
        self.build_well(source)
        self.assertEqual(content_of(self.folder / "out"), expected, f"seed {SEED}")
        self.check_that_remains_go(f"seed {SEED}")

    def check_that_remains_go(self, label):
        """They go with the next build that makes something, of whatever language."""
        support.require_tool("go")
        self.build_well(self.source(GO_HELLO, name="other"), out="other-out")
        self.assertEqual([path.name for path in (self.cache / "work").iterdir()], [], label)

    def check(self, expected, environments, label):
        """What is under its final name is whole."""
        if (self.folder / "out/run.sh").exists():
            self.assertEqual(content_of(self.folder / "out"), expected, label)
        for entry in self.cache.glob("*/bundles/*"):
            bundles = list(entry.glob("b*-*.tar.zst"))
            self.assertEqual(len(list(entry.iterdir())), len(bundles) + 2, f"{label}: {entry}")
            for bundle in bundles:
                self.assertIn(hashlib.sha256(bundle.read_bytes()).hexdigest(), bundle.name, label)
        for environment in self.cache.glob("env/*"):
            self.assertEqual(content_of(environment), environments[environment.name], f"{label}: {environment}")
        for entry in self.cache.glob("python/bytecode/*"):
            content = entry.read_bytes()
            self.assertEqual(hashlib.sha256(content[:-64]).hexdigest().encode(), content[-64:], f"{label}: {entry}")

    def wait_until_nothing_runs(self, label):
        deadline = time.monotonic() + 30
        while left := processes_in(self.folder):
            self.assertLess(time.monotonic(), deadline, f"{label}: processes {left} went on")
            time.sleep(0.005)

    def test_with_a_package(self):
        support.require_network()
        source = self.source({"requirements.txt": SIX, "main.py": "import six\nprint(six.__version__)\n"})
        self.kill_again_and_again(source, 100 if support.LONG else 6)
        self.assertEqual(self.run_artifact(source).stdout, "1.16.0\n")

    def test_at_each_call_of_a_tool(self):
        support.require_network()
        source = self.source({"requirements.txt": SIX, "main.py": "import six\n"})
        tools = self.folder / "tools"
        tools.mkdir()
        counter = self.folder / "calls"
        real = support.require_tool("uv")
        (tools / "uv").write_text(f"""#!/bin/sh
echo >>{counter}
[ "$(wc -l <{counter})" -ne "$KILL_AT" ] || kill -9 $PPID
exec {real} "$@"
""")
        (tools / "uv").chmod(0o755)
        path = f"{tools}:{self.environment()['PATH']}"
        killed = 0
        while True:
            subprocess.run(["rm", "-rf", str(self.cache), str(counter)], check=True)
            result = self.build(source, env=self.environment(PATH=path, KILL_AT=str(killed + 1)))
            self.wait_until_nothing_runs(f"call {killed + 1}")
            if result.returncode == 0:
                break
            self.assertEqual(result.returncode, -signal.SIGKILL, result.stderr)
            killed += 1
            self.check_that_remains_go(f"call {killed}")
        self.assertGreater(killed, 2)

    @support.long_test
    def test_with_a_package_of_the_source(self):
        support.require_network()
        source = self.source({"requirements.txt": SIX + "./local\n", "main.py": "import local, six\nprint(six.__version__)\n",
                              "local/pyproject.toml": '[project]\nname = "local"\nversion = "1.0"\n', "local/local.py": ""})
        self.kill_again_and_again(source, 100)
        self.assertEqual(self.run_artifact(source).stdout, "1.16.0\n")

    @support.long_test
    def test_with_several_packages(self):
        support.require_network()
        source = self.source({"requirements.txt": "requests==2.32.3\nnumpy==2.1.3\n",
                              "main.py": "import numpy, requests\nprint(numpy.__version__, requests.__version__)\n"})
        self.kill_again_and_again(source, 100)
        self.assertEqual(self.run_artifact(source).stdout, "2.1.3 2.32.3\n")

    @support.long_test
    def test_go(self):
        support.require_tool("go")
        self.kill_again_and_again(self.source(GO_HELLO), 100)


if __name__ == "__main__":
    support.main()
