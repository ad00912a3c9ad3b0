# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` with preloaded Python: each worker keeps an interpreter for its datums, and nothing outlives the run."""

import subprocess

import keepers
import pipelines
import support
import wheels

MODULE = "import os, random\nPID = os.getpid()\n"
PROGRAM = """
import os, pathlib, sys
import heavy
data = pathlib.Path(os.environ["data"])
text = " ".join([data.read_text(), str(heavy.PID), str(heavy.PID != os.getpid()), *sys.argv[1:]])
pathlib.Path("/pfs/out", data.name).write_text(text)
"""


class Preloaded(pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        self.write("source/heavy-1.0-py3-none-any.whl", wheels.wheel("heavy", {"heavy.py": MODULE}))
        self.write("source/requirements.txt", "./heavy-1.0-py3-none-any.whl\n")
        self.write("source/pachbuild.toml", "[python]\npreload = true\n")
        self.write("source/main.py", PROGRAM)
        self.data(**{name: name for name in "abcdef"})

    def answers(self):
        return {name: text.decode().split() for name, text in self.output().items()}

    def assert_no_keeper(self):
        environment, = (self.cache / "env").glob("[0-9a-f]*")
        self.assertEqual(keepers.named(keepers.KEEPER, environment.name), [])

    def test_datums_of_a_worker_share_the_imports(self):
        self.spec()
        self.succeed_run("--workers", "2")
        answers = self.answers()
        self.assertEqual({name: (words[0], words[2]) for name, words in answers.items()}, {name: (name, "True") for name in "abcdef"})
        self.assertLessEqual(len({words[1] for words in answers.values()}), 2)
        self.assert_no_keeper()
        self.assert_nothing_left()

    def test_the_setting_and_the_variable(self):
        self.spec(env={"PACHBUILD_PRELOAD": "false"})
        self.succeed_run()
        self.assertEqual({words[2] for words in self.answers().values()}, {"False"})
        self.write("source/pachbuild.toml", "")
        self.spec(env={"PACHBUILD_PRELOAD": "heavy"})
        self.succeed_run()
        self.assertEqual({words[2] for words in self.answers().values()}, {"True"})

    def test_an_edit(self):
        self.spec()
        self.succeed_run()
        self.write("source/main.py", PROGRAM.replace("data.read_text()", "data.read_text().upper()"))
        self.succeed_run()
        self.assertEqual({(words[0], words[2]) for words in self.answers().values()}, {(name, "True") for name in "ABCDEF"})

    def test_why_not(self):
        self.write("source/main.py", "import os\nos.environ['A'] = '1'\n" + PROGRAM)
        self.spec()
        result = self.succeed_run()
        self.assertIn("warning: main.py:2: sets an environment variable: preloading is off, because this may change what an import does; "
                      'if it does not, list the modules: preload = ["pandas"]\n', result.stderr)
        self.assertEqual({words[2] for words in self.answers().values()}, {"False"})
        self.write("source/pachbuild.toml", '[python]\npreload = ["heavy"]\n')
        result = self.succeed_run()
        self.assertNotIn("beforehand", result.stderr)
        self.assertEqual({words[2] for words in self.answers().values()}, {"True"})

    def test_what_a_datum_leaves_behind(self):
        # The one after finds its own folders as they should be, whatever the first one left running.
        self.write("source/main.py", PROGRAM + """
if data.name == "a":
    import subprocess
    subprocess.Popen(["sh", "-c", "sleep 0.05; while :; do echo left >stray; done"], start_new_session=True, cwd="/pfs/out", stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
else:
    import time
    time.sleep(0.2)
""")
        self.spec()
        self.succeed_run("--workers", "1")
        answers = self.answers()
        answers.pop("stray", None)  # of the first datum, before it ended
        self.assertEqual(sorted(answers), list("abcdef"))
        self.assertEqual({words[2] for words in answers.values()}, {"True"})
        self.assertEqual(len({words[1] for words in answers.values()}), 1)

    def test_what_it_would_save(self):
        """Is said once for the same packages, if many datums would gain, and nobody has decided."""
        module = "import time\nprint('loading')\ntime.sleep(0.3)\n" + MODULE
        self.write("source/heavy-1.0-py3-none-any.whl", wheels.wheel("heavy", {"heavy.py": module}))
        self.write("source/pachbuild.toml", "[python]\npreload = false\n")
        self.spec()

        def hint(*words):
            result = self.succeed_run("--workers", "2", *words)
            self.assertEqual(sorted(self.output()), list("abcdef"))
            self.assert_nothing_left()
            return [line for line in result.stderr.splitlines() if line.startswith("hint:")]

        self.assertEqual(hint(), [])
        self.write("source/pachbuild.toml", "")
        self.assertEqual(hint("--datum", "/a", "--datum", "/b", "--datum", "/c", "--datum", "/d"), [])
        line, = hint("--force")
        self.assertRegex(line, r"^hint: importing heavy takes 3\d\d ms of each datum's [\d.]+ m?s; to import once per worker, "
                               r"set preload = true below \[python\] in pachbuild.toml$")
        self.assertEqual(hint("--force"), [])
        self.write("source/main.py", PROGRAM + "print('edited')\n")
        self.assertEqual(hint(), [])
        self.write("source/heavy-1.0-py3-none-any.whl", wheels.wheel("heavy", {"heavy.py": module + "NEW = 1\n"}))
        self.assertEqual(len(hint()), 1)

    def test_numpy(self):
        """Its threads end before a fork, and each datum has random numbers of its own."""
        support.require_network()
        self.write("source/requirements.txt", "numpy==2.1.3\n")
        self.write("source/main.py", """
import os, pathlib, sys
import numpy as np
data = pathlib.Path(os.environ["data"])
matrix = np.arange(250_000.).reshape(500, 500) % 7
product = float((matrix @ matrix.T).sum())
pathlib.Path("/pfs/out", data.name).write_text(f"{np.random.rand()} {np.random.default_rng().random()} {product} {len(sys.modules)}")
""")
        self.spec(env={"PACHBUILD_PRELOAD": "false"})
        self.succeed_run("--workers", "1")
        plain = self.answers()
        self.spec(env={"PACHBUILD_PRELOAD": "true"})
        result = self.succeed_run("--workers", "1", "--logs")
        self.assertNotIn("worker-shim:", result.stdout + result.stderr)
        answers = self.answers()
        for place in (0, 1):
            self.assertEqual(len({words[place] for words in answers.values()}), 6)
        self.assertEqual({words[2] for words in answers.values()}, {words[2] for words in plain.values()})

    def test_failures(self):
        self.write("source/main.py", PROGRAM + """
if data.name == "a":
    sys.exit(3)
if data.name == "b":
    os.kill(os.getpid(), 9)
if data.name == "c":
    import time
    time.sleep(100)
""")
        self.spec(pipeline={"datum_timeout": "2s", "datum_tries": 1})
        result = self.pachbuild_run()
        self.assertEqual(result.returncode, 1)
        for words in ("exit code 3", "signal 9 (Killed)", "timed out after 2.0 s"):
            self.assertIn(words, result.stderr)
        self.assert_ran(result, 3, failed=3)

    def test_an_interrupted_run_leaves_nothing(self):
        self.write("source/main.py", PROGRAM + "import time\nprint('waits', flush=True)\ntime.sleep(100)\n")
        self.spec()
        run = subprocess.Popen(self.command("--logs"), env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
        for line in run.stdout:
            if "waits" in line:
                break
        run.terminate()
        run.stdout.read()
        run.stdout.close()
        self.assertEqual(run.wait(60), 143)
        self.assert_no_keeper()


if __name__ == "__main__":
    support.main()
