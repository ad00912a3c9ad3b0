# SPDX-License-Identifier: Apache-2.0
"""builder-runtime on Python sources: built with the real uv, run through run.sh."""

import json
import os
import random

import support
from builder_suite import PYTHON_ARGUMENTS, SIX, BuilderSuite, content_of, in_namespaces, without_times

LEFTPAD = {
    "requirements.txt": "leftpad==0.1.2\n",
    "main.py": "import sys\nfrom leftpad import left_pad\nfor word in ('1', '11', '111'):\n"
               "    print(left_pad(word, 4, sys.argv[1]))\n",
}


class Python(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")

    def test_the_leftpad_fixture_builds_and_runs(self):
        support.require_network()
        source = self.source(LEFTPAD)
        result = self.build_well(source)
        self.assertIn("detect: python, requirements.txt with 1 requirement", without_times(result.stderr))
        self.assertIn("compile: installed 1 package", result.stderr)
        run = self.run_artifact(source, "0")
        self.assertEqual((run.returncode, run.stdout), (0, "0001\n0011\n0111\n"), run.stderr)
        record = json.loads((self.folder / "out/build.json").read_text())
        self.assertEqual(record["packages"], ["leftpad==0.1.2"])
        self.assertEqual(record["command"], ["python", "/pfs/source/main.py"])

    def test_the_environment_is_a_whole_one_and_has_bytecode(self):
        support.require_network()
        source = self.source({"requirements.txt": SIX, "main.py": (
            "import importlib.metadata, os, six, sys\n"
            "assert sys.prefix != sys.base_prefix and six.__file__.startswith(sys.prefix), sys.prefix\n"
            "assert importlib.metadata.version('six') == '1.16.0'\n"
            "assert os.path.exists(six.__cached__), six.__cached__\n"
            "flags = open(six.__cached__, 'rb').read(8)[4:]\n"
            "assert flags == bytes([1, 0, 0, 0]), flags  # by hash, never checked: PEP 552\n"
            "assert os.path.samefile(os.getcwd(), '/pfs/source') and os.path.samefile(sys.path[0], '/pfs/source')\n"
            "print(__file__)\n")})
        self.build_well(source)
        run = self.run_artifact(source)
        self.assertEqual((run.returncode, run.stdout), (0, "/pfs/source/main.py\n"), run.stderr)

    def test_without_requirements_the_program_just_runs(self):
        for number, files in enumerate(({}, {"requirements.txt": "# nothing yet\n\n"})):
            source = self.source({**PYTHON_ARGUMENTS, **files}, name=f"source{number}")
            self.build_well(source, out=f"out{number}")
            self.assertEqual(sorted(content_of(self.folder / f"out{number}")), ["build.json", "run.sh", "worker-shim"])
            run = self.run_artifact(source, "a b", "", build=f"out{number}")
            self.assertEqual((run.returncode, run.stdout), (0, "['a b', '']\n"), run.stderr)

    def test_arguments_arrive_byte_for_byte(self):
        source = self.source({"main.py": "import os, sys\nsys.stdout.buffer.write("
                                         "b'\\0'.join(os.fsencode(a) for a in sys.argv[1:]))\n"})
        self.build_well(source)
        seed = random.randrange(2**32)
        choose = random.Random(seed)
        for _ in range(5):
            words = ["".join(choose.choice(" \n\t'\"$*?`\\-#~=aé") for _ in range(choose.randrange(8)))
                     for _ in range(choose.randrange(1, 6))] + ["-x", ""]
            run = self.run_artifact(source, *words)
            self.assertEqual(run.stdout.split("\0"), words, f"seed {seed}: {run.stderr}")

    @support.long_test
    def test_nothing_of_time_place_and_user_is_in_an_artifact(self):
        support.require_network()
        files = {"requirements.txt": "six==1.16.0\n./local\n",
                 "local/pyproject.toml": '[project]\nname = "local"\nversion = "1.0"\n',
                 "local/local/__init__.py": "ANSWERS = {'a', 'b', 'c'}\ndef f(x): return x in {'d', 'e', 'f'}\n",
                 "main.py": "import local\n"}
        for name, mask in (("one", 0o022), ("another/deeper", 0o077)):
            source = self.source(files, name=name)
            for path in source.rglob("*"):
                os.utime(path, (0, hash(name) % 2**31))
            self.cache = self.folder / f"cache of {name.replace('/', ' ')}"
            before = os.umask(mask)
            try:
                self.build_well(source, out=f"{name}-out")
            finally:
                os.umask(before)
        self.assertEqual(content_of(self.folder / "one-out"), content_of(self.folder / "another/deeper-out"))

    def test_a_local_package_that_changes_is_installed_again(self):
        support.require_network()
        files = {"requirements.txt": "./local\n",
                 "local/pyproject.toml": '[project]\nname = "local"\nversion = "1.0"\n',
                 "local/local/__init__.py": "ANSWER = 1\n", "main.py": "import local\nprint(local.ANSWER)\n"}
        source = self.source(files)
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "1\n")
        self.write("source/local/local/__init__.py", "ANSWER = 2\n")
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "2\n")

    def test_an_edit_of_the_program_installs_nothing(self):
        support.require_network()
        source = self.source({"requirements.txt": SIX, "main.py": "print(1)\n"})
        self.build_well(source)
        bundles = [name for name in content_of(self.folder / "out") if name.startswith("bundle-")]
        self.write("source/main.py", "print(2)\n")
        # No network, no uv cache: whatever uv had to do now would fail.
        offline = self.environment(UV_OFFLINE=None, UV_CACHE_DIR=str(self.folder / "empty"))
        result = self.run_program(*in_namespaces("--net"), support.BUILDER, "--source", source,
                                  "--out", self.folder / "out", "--shim", self.shim, env=offline)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("compile: nothing to do, the bundle is in the cache", result.stderr)
        self.assertEqual([name for name in content_of(self.folder / "out") if name.startswith("bundle-")], bundles)

    def test_nested_requirements_decide_too(self):
        support.require_network()
        source = self.source({"requirements.txt": "-r more/base.txt\n", "more/base.txt": "six==1.15.0\n",
                              "main.py": "import six\nprint(six.__version__)\n"})
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "1.15.0\n")
        self.write("source/more/base.txt", SIX)
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "1.16.0\n")

    def test_a_run_script_of_the_source_replaces_ours(self):
        script = "#!/bin/sh\n# mine\necho \"$@\"\n"
        source = self.source({"run.sh": script, "other.py": ""})
        self.build_well(source, "--language", "python")
        self.assertEqual((self.folder / "out/run.sh").read_text(), script)
        self.assertEqual(self.run_artifact(source, "a", "b").stdout, "a b\n")

    def test_credentials_are_neither_shown_nor_kept(self):
        source = self.source({"requirements.txt": "six==1.16.0\n", "main.py": ""})
        env = self.environment(UV_DEFAULT_INDEX="http://user:s3cret@127.0.0.1:9/simple", UV_HTTP_RETRIES="0",
                               UV_CACHE_DIR=str(self.folder / "uv"))
        result = self.build(source, env=env)
        self.assertEqual(result.returncode, 75, result.stderr)
        ours = [line for line in result.stderr.splitlines() if line.split(":")[0] in ("detect", "resolve", "error", "hint")]
        self.assertGreaterEqual(len(ours), 4)
        self.assertNotIn("s3cret", "\n".join(ours))


if __name__ == "__main__":
    support.main()
