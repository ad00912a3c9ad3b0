# SPDX-License-Identifier: Apache-2.0
"""Commands of a pipeline's own on a cluster: what is sent starts them in the environment of the build, in every image, and
what is shown and compared is the person's own command."""

import json
import os
import shutil
import subprocess

import builder_suite
import cluster_suite
import support
from wheels import wheel

SHELL = ["sh", "-c", '[ ! -e /pfs/build/environment.sh ] || . /pfs/build/environment.sh; exec "$@"', "sh"]
SHIM = ["/usr/local/bin/worker-shim", "--exec", "--"]


class ClusterCommands(cluster_suite.ClusterSuite):
    builds = False

    def sent(self, **transform):
        """The specs of the build and of the pipeline."""
        transform.setdefault("build", {"language": "python", "path": "source"})
        self.write_spec(transform=transform)
        shown = self.pachbuild("update", "pipeline", "-f", self.spec, "--dry-run", "-o", "json").stdout
        return support.read_objects(shown)

    def commands(self, **transform):
        running = self.sent(**transform)[1]["transform"]
        return running.get("cmd"), running.get("err_cmd"), running.get("working_dir")

    def test_what_is_sent_depends_on_the_image_alone(self):
        own = {"cmd": ["bash", ""], "stdin": ["true"], "err_cmd": ["my-tool", "--x"]}
        self.assertEqual(self.commands(**own), ([*SHIM, "bash", ""], [*SHIM, "my-tool", "--x"], "/pfs/source"))
        self.assertEqual(self.commands(**own, working_dir="/tmp"), ([*SHIM, "bash", ""], [*SHIM, "my-tool", "--x"], "/tmp"))
        self.assertEqual(self.commands(**own, image="x:1"), ([*SHELL, "bash", ""], [*SHELL, "my-tool", "--x"], None))
        self.assertEqual(self.commands(**own, build={"image": "x:1", "path": "source"}),
                         ([*SHELL, "bash", ""], [*SHELL, "my-tool", "--x"], None))
        # What sees to the environment itself stays as it is.
        for cmd in (["sh", "/pfs/build/run.sh", "a"], ["worker-shim", "--exec", "--", "a"], ["/usr/local/bin/worker-shim", "--", "a"]):
            self.assertEqual(self.commands(cmd=cmd), (cmd, None, None))
        self.assertEqual(self.commands(), (["sh", "/pfs/build/run.sh"], None, None))

    def test_the_build_knows_of_it(self):
        name = "PACHBUILD_OWN_COMMAND"
        self.assertEqual(self.sent(cmd=["a"])[0]["transform"]["env"], {name: "1"})
        self.assertNotIn("env", self.sent()[0]["transform"])

    def test_the_own_command_is_shown_and_compared(self):
        own = {"build": {"language": "python", "path": "source"}, "cmd": ["python3", "main.py"]}
        self.write_spec(transform=own)
        self.update()
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "unchanged", "unchanged"))
        diff = self.pachbuild("diff", "-f", self.spec, "--exit-code")
        self.assertEqual((diff.returncode, diff.stdout), (0, ""))
        self.write_spec(transform={**own, "cmd": ["python3", "other.py"]})
        self.assertEqual(self.pachbuild("diff", "-f", self.spec).stdout,
                         f'~ pipeline {self.pipeline}: /transform/cmd/1 "main.py" → "other.py"\n')
        # Another image starts it in another way.
        self.write_spec(transform={**own, "image": "x:1"})
        lines = self.pachbuild("diff", "-f", self.spec).stdout.splitlines()
        self.assertEqual([line for line in lines if "cmd" in line], [])
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "unchanged", "updated"))

    @cluster_suite.stand_in_only
    def test_what_an_earlier_version_has_sent_is_updated(self):
        self.write_spec(transform={"build": {"language": "python", "path": "source"}, "cmd": ["python3", "main.py"],
                                   "working_dir": "/pfs/source"})
        self.update()
        state = next((self.folder / "state").rglob("*.json"), None) or self.folder / "state"
        text = state.read_text(encoding="utf-8")
        changed = text.replace(json.dumps(SHIM)[1:-1] + ", ", "")
        self.assertNotEqual(changed, text)
        state.write_text(changed, encoding="utf-8")
        self.assertEqual(self.pachbuild("diff", "-f", self.spec).stdout,
                         f"~ pipeline {self.pipeline}: the way its command is started has changed\n")
        self.assertEqual(self.update(), self.told("unchanged (1 file)", "unchanged", "updated"))


class InAnImage(builder_suite.BuilderSuite):
    """What is sent for an image that may have no shim, as a worker starts it."""

    def setUp(self):
        super().setUp()
        self.source({"main.py": "", "pachbuild.toml": '[environment]\nCOLOUR = "it\'s\\nblue"\nGIVEN = "no"\n',
                     "requirements.txt": "./tool-1.0-py3-none-any.whl\n"})
        self.write("source/tool-1.0-py3-none-any.whl", wheel("tool", {
            "tool.py": "import os, sys\ndef main():\n    print(sys.argv[1:], os.environ['COLOUR'], os.environ['GIVEN'], os.getcwd(), "
                       "'PYTHONHOME' in os.environ)\n",
            "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\nmy-tool = tool:main\n"}))
        self.build_well(self.folder / "source")
        self.words = ["a b", "", "$HOME", "'\"", "-x", "--"]
        self.expected = f"{self.words} it's\nblue yes /usr False\n"

    def start(self, command, build="out", **variables):
        variables = {"GIVEN": "yes", "PYTHONHOME": "/nowhere", **variables}
        return self.in_room(
            self.folder / "source", "sh", "-c", 'cd /usr && exec "$@"', "sh", *command, build=self.folder / build,
            env=self.environment(**variables))

    def test_the_environment_comes_by_a_shell(self):
        for shell in ("dash", "bash"):
            with self.subTest(shell):
                result = self.start([shell, *SHELL[1:], "my-tool", *self.words])
                self.assertEqual((result.stdout, result.stderr, result.returncode), (self.expected, "", 0))
        result = self.start(["sh", "/pfs/build/environment.sh", "my-tool", *self.words])
        self.assertEqual((result.stdout, result.returncode), (self.expected, 0))
        self.assertLess(len((self.folder / "out/environment.sh").read_text(encoding="utf-8")), 4096)

    def test_the_shim_gives_the_same(self):
        result = self.start([support.SHIM, "--exec", "--", "my-tool", *self.words])
        self.assertEqual((result.stdout, result.stderr, result.returncode), (self.expected, "", 0))

    def test_named_pipes_are_enough(self):
        pipes = self.folder / "pipes"
        pipes.mkdir()
        for command in ([*SHELL, "my-tool", *self.words], [support.SHIM, "--exec", "--", "my-tool", *self.words]):
            feeders = []
            for file in (self.folder / "out").iterdir():
                os.mkfifo(pipes / file.name)
                feeders.append(subprocess.Popen(["sh", "-c", 'exec cat "$0" > "$1"', file, pipes / file.name], stderr=subprocess.DEVNULL))
            try:
                result = self.start(command, build="pipes", PACHBUILD_CACHE_DIR=str(self.folder / "fresh"))
                self.assertEqual((result.stdout, result.stderr, result.returncode), (self.expected, "", 0))
            finally:
                for feeder in feeders:
                    feeder.kill()
                    feeder.wait()
                for file in list(pipes.iterdir()):
                    file.unlink()
            shutil.rmtree(self.folder / "fresh")

    def test_an_artifact_that_has_nothing_to_say_leaves_the_command_alone(self):
        (self.folder / "bare").mkdir()
        self.write("bare/run.sh", "exit 1\n")
        for command in ([*SHELL], [support.SHIM, "--exec", "--"]):
            result = self.start([*command, "sh", "-c", 'echo "$@" "${PACHBUILD_ENV-none}"; exit 7', "sh", *self.words], build="bare")
            self.assertEqual((result.stdout, result.returncode), (" ".join(self.words) + " none\n", 7))
        # So does an earlier version's: what it has is its bundle.
        (self.folder / "out/environment.sh").unlink()
        self.assertEqual(self.start([*SHELL, "sh", "-c", "exit 8"]).returncode, 8)
        (self.folder / "out/environment.variables").unlink()
        result = self.start([support.SHIM, "--exec", "--", "my-tool"], COLOUR="red")
        self.assertEqual((result.stdout, result.returncode), ("[] red yes /usr False\n", 0))

    def test_nothing_is_left_when_there_is_nothing_to_give(self):
        self.build_well(self.source({"main.py": ""}, "plain"))
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()), ["build.json", "run.sh", "worker-shim"])
        # Variables alone need no shim.
        self.build_well(self.source({"main.py": "", "pachbuild.toml": '[environment]\nA = "b"\n'}, "variables"))
        result = self.start([*SHELL, "sh", "-c", "echo $A"])
        self.assertEqual((result.stdout, result.returncode), ("b\n", 0))

    def test_damaged_variables_are_told(self):
        (self.folder / "out/environment.variables").write_bytes(b"A=b\0no name\0")
        result = self.start([support.SHIM, "--exec", "--", "my-tool"])
        self.assertEqual((result.returncode, result.stderr),
                         (125, "error: /pfs/build/environment.variables: was not written by builder-runtime\n"))

    def test_another_python_is_an_error(self):
        text = (self.folder / "out/environment.sh").read_text(encoding="utf-8")
        line = next(line for line in text.splitlines() if line.startswith("interpreter="))
        (self.folder / "out/environment.sh").write_text(text.replace(line, "interpreter=/no/python3"), encoding="utf-8")
        result = self.start([*SHELL, "my-tool"])
        self.assertEqual((result.returncode, result.stderr), (127, (
            "error: environment.sh: /no/python3 not found in this image; the bundle was built for it\n"
            "hint: run in the image that built it, or build in this image\n")))


if __name__ == "__main__":
    support.main()
