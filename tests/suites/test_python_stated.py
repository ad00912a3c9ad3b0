# SPDX-License-Identifier: Apache-2.0
"""What a Python source says about what it needs: inline metadata of a program, and the files that do not count."""

import io
import json
import subprocess
import tarfile

import support
from builder_suite import BuilderSuite
from private_server import Server
from wheels import HOMEMADE, wheel

WHEELS = {f"wheels/{name}-1.0-py3-none-any.whl": wheel(name, {f"{name}.py": f"NAME = '{name}'\n"})
          for name in ("planted", "sown")}
SCRIPT = '# /// script\n# requires-python = ">=3.9"\n# dependencies = ["planted"]\n#\n' \
         '# [tool.uv]\n# no-index = true\n# find-links = ["wheels"]\n# ///\n'
PROJECT = '[project]\nname = "x"\nversion = "1"\n'
SETTING = " in pachbuild.toml"


class Stated(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")

    def warnings(self, files):
        """Of a source that is only looked at."""
        subprocess.run(["rm", "-rf", str(self.folder / "source")], check=True)
        source = self.source({"main.py": "", **files})
        result = self.succeed(support.BUILDER, "--inputs", "--source", source, env=self.environment())
        return [line for line in result.stderr.splitlines() if line.startswith("warning: ")]

    def packages(self):
        return json.loads((self.folder / "out/build.json").read_text())["packages"]


class InlineMetadata(Stated):
    def test_it_is_installed_and_an_edit_of_it_counts(self):
        source = self.source({**WHEELS, "main.py": SCRIPT + "import planted\nprint(planted.NAME)\n"})
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "planted\n")
        self.write("source/main.py", SCRIPT + "import planted\nprint('edited', planted.NAME)\n")
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "edited planted\n")
        self.write("source/main.py", SCRIPT.replace("planted", "sown"))
        self.build_well(source)
        self.assertEqual(self.packages(), ["sown==1.0"])

    def test_of_a_program_only_its_block_is_in_the_key(self):
        block = '# /// script\n# dependencies = ["six"]\n# ///\n'
        keys = []
        for text in (block, block + "print(1)\n", block.replace("six", "idna")):
            source = self.source({"main.py": text})
            result = self.succeed(support.BUILDER, "--inputs", "--source", source, env=self.environment())
            keys.append(result.stderr.splitlines()[-1].split(", key ")[1].split()[0])
        self.assertEqual(keys[0], keys[1])
        self.assertNotEqual(keys[0], keys[2])

    def test_of_several_programs_it_is_that_of_the_one_that_runs(self):
        other = SCRIPT.replace("planted", "sown") + "import sown\nprint(sown.NAME)\n"
        source = self.source({**WHEELS, "main.py": SCRIPT, "tool.py": other})
        self.build_well(source)
        self.assertEqual(self.packages(), ["planted==1.0"])
        self.write("source/pachbuild.toml", '[python]\nprogram = "tool.py"\n')
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "sown\n")

    def test_a_manifest_counts_more_and_settings_most(self):
        files = {**WHEELS, "main.py": SCRIPT, "requirements.txt": "--no-index\n-f wheels\nsown\n"}
        source = self.source(files)
        result = self.build_well(source)
        self.assertEqual(self.packages(), ["sown==1.0"])
        self.assertIn("warning: main.py: ignored because requirements.txt takes precedence; not installed: planted; "
                      f'to use it instead, set python.dependencies = ["main.py"]{SETTING}\n', result.stderr)
        self.write("source/pachbuild.toml", '[python]\ndependencies = "main.py"\n')
        self.assertNotIn("warning: ", self.build_well(source).stderr)
        self.assertEqual(self.packages(), ["planted==1.0"])

    def test_a_run_script_of_the_source_starts_main(self):
        source = self.source({**WHEELS, "main.py": SCRIPT + "import planted\nprint(planted.NAME)\n",
                              "run.sh": 'exec /pfs/build/worker-shim --exec -- python /pfs/source/main.py\n'})
        self.build_well(source)
        self.assertEqual(self.packages(), ["planted==1.0"])

    def test_its_python_and_its_errors(self):
        cases = {
            SCRIPT.replace(">=3.9", ">=3.99"): (69, "error: main.py: requires-python (>=3.99): this version of Python is not available here"),
            SCRIPT + "\n" + SCRIPT: (65, 'error: main.py:10: has a second block "# /// script"\nhint: keep one of them\n'),
            SCRIPT.replace("dependencies", "depends"): (
                65, 'error: main.py:3: "depends" is not a field of inline metadata\n'
                    "hint: its fields are dependencies, requires-python and tool\n"),
            SCRIPT.replace('"]', '"'): (65, "error: main.py:"),
        }
        for text, (code, said) in cases.items():
            with self.subTest(said=said):
                result = self.build(self.source({**WHEELS, "main.py": text}))
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(said, result.stderr)

    def test_a_comment_that_is_none(self):
        self.source({"main.py": '"""\n' + SCRIPT.replace("# ", "  # ") + '"""\n'})
        result = self.run_program(support.BUILDER, "--inputs", "--source", self.folder / "source",
                                  env=self.environment())
        self.assertIn("nothing to install", result.stderr)

    def test_one_without_an_end(self):
        for text in (SCRIPT.replace("# ///\n", ""), SCRIPT.replace("# requires", "requires")):
            self.assert_fails(self.build(self.source({"main.py": text})), 65, (
                'error: main.py:1: the block "# /// script" has no end\n'
                "hint: end it with the line # ///; each line in between must be # alone or begin with # and a space\n"))

    @support.long_test
    def test_its_lock(self):
        support.require_network()
        source = self.source({"main.py": '# /// script\n# requires-python = ">=3.9"\n# dependencies = ["idna"]\n# ///\n'
                                         "import idna\nprint(idna.__version__)\n"})
        uv = support.require_tool("uv")
        self.write("source/main.py", (source / "main.py").read_text().replace('"idna"', '"idna==3.6"'))
        self.succeed(uv, "lock", "--script", source / "main.py", env=self.environment())
        self.write("source/main.py", (source / "main.py").read_text().replace('"idna==3.6"', '"idna"'))
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "3.6\n")


class FilesThatDoNotCount(Stated):
    def test_two_that_disagree(self):
        chosen = ": ignored because {} takes precedence; not installed: {}; to use it instead, set " \
                 'python.dependencies = ["{}"]' + SETTING
        setup = "from setuptools import setup\nsetup(name='x', install_requires=['six>=1', \"toolz\"])\n"
        poetry = '[tool.poetry.dependencies]\npython = "^3.9"\nsix = "^1.16"\n'
        cases = [
            ({"requirements.txt": "idna==3.6\n", "pyproject.toml": PROJECT + 'dependencies = ["six", "idna>=3.7"]\n'},
             ("pyproject.toml", "requirements.txt", "idna>=3.7, six")),
            ({"requirements.txt": "idna==3.6\n", "pyproject.toml": PROJECT + 'dependencies = ["idna"]\n'},
             ("pyproject.toml", "requirements.txt", "idna")),
            ({"requirements.txt": "-r base.txt\n", "base.txt": "idna\n", "pyproject.toml": poetry},
             ("pyproject.toml", "requirements.txt", "six ^1.16")),
            ({"requirements.txt": "idna\n", "setup.py": setup}, ("setup.py", "requirements.txt", "six>=1, toolz")),
            ({"requirements.txt": "idna\n", "setup.cfg": "[options]\ninstall_requires =\n    six>=1\n    toolz\n"},
             ("setup.cfg", "requirements.txt", "six>=1, toolz")),
            ({"requirements.txt": "idna\n", "Pipfile": '[packages]\nsix = "*"\n'}, ("Pipfile", "requirements.txt", "six")),
            ({"pyproject.toml": PROJECT + 'dependencies = ["idna"]\n', "Pipfile": '[packages]\nsix = "*"\n'},
             ("Pipfile", "pyproject.toml", "six")),
            ({"Pipfile.lock": '{"default": {"idna": {"version": "==3.6"}}}', "requirements.txt": "six==1.16.0\n"},
             ("requirements.txt", "Pipfile.lock", "six==1.16.0")),
            ({"poetry.lock": '[[package]]\nname = "idna"\nversion = "3.6"\n', "requirements.txt": "six\nidna>=3\n"},
             ("requirements.txt", "poetry.lock", "six")),
        ]
        for files, (file, counts, names) in cases:
            with self.subTest(files=sorted(files), names=names):
                self.assertEqual(self.warnings(files), [f"warning: {file}" + chosen.format(counts, names, file)])

    def test_two_of_which_one_is_made_from_the_other(self):
        project = PROJECT + 'dependencies = ["requests>=2"]\n'
        locked = "idna==3.6\nrequests==2.32.3\n"
        by_compile = "#\n# This file is autogenerated by pip-compile with Python 3.11\n# by the following command:\n#\n" \
                     "#    pip-compile pyproject.toml\n#\nrequests==2.32.3\n"
        by_uv = "# This file was autogenerated by uv via the following command:\n#    uv export\nrequests==2.32.3\n"
        dynamic = '[build-system]\nrequires = ["setuptools"]\n' + PROJECT + \
                  'dynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = { file = "requirements.txt" }\n'
        cases = [
            {"requirements.txt": by_compile, "pyproject.toml": project},
            {"requirements.txt": by_uv, "pyproject.toml": project},
            {"requirements.txt": locked, "pyproject.toml": project},
            {"requirements.txt": "requests>=2\n", "pyproject.toml": project},
            {"requirements.txt": "requests==2.32.3 --hash=sha256:" + "0" * 64 + "\n", "pyproject.toml": project},
            {"requirements.txt": "requests\n", "pyproject.toml": dynamic},
            {"requirements.txt": "-e .\nsix\n", "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n' + project},
            {"requirements.txt": "six\n", "pyproject.toml": "[tool.ruff]\nline-length = 100\n"},
            {"requirements.txt": "six\n", "setup.py": "from setuptools import setup\n"
                                                      "setup(install_requires=open('requirements.txt').readlines())\n"},
            {"poetry.lock": '[[package]]\nname = "idna"\nversion = "3.6"\n', "requirements.txt": "idna==3.6\n",
             "pyproject.toml": '[tool.poetry.dependencies]\nidna = "^3"\n'},
            {"uv.lock": "version = 1\n", "pyproject.toml": project.replace("requests>=2", "")},
        ]
        for files in cases:
            with self.subTest(files=files):
                self.assertEqual(self.warnings(files), [])

    def test_lists_of_requirements_that_nothing_names(self):
        cases = [
            ({"requirements/base.txt": "idna==3.6\n", "requirements/dev.txt": "-r base.txt\npytest\n"},
             "requirements/base.txt, requirements/dev.txt: not installed", "requirements/base.txt"),
            ({"requirements.in": "idna\n"}, "requirements.in: not installed", "requirements.in"),
            ({"requirements-dev.txt": "pytest\n"}, "requirements-dev.txt: not installed", "requirements-dev.txt"),
            ({"deps.txt": "idna\n", "notes.txt": "idna\n"}, "deps.txt: not installed", "deps.txt"),
            ({"reqs/prod.in": "idna\n", "reqs/test.txt": "-r prod.in\n", "reqs/readme.txt": "These are the lists.\n"},
             "reqs/prod.in, reqs/test.txt: not installed", "reqs/prod.in"),
        ]
        for files, said, setting in cases:
            with self.subTest(said=said):
                it = "one of them" if ", " in said else "it"
                self.assertEqual(self.warnings(files), [
                    f"warning: {said} because only requirements.txt is found automatically; to install {it}, set "
                    f'python.dependencies = ["{setting}"]{SETTING}'])
        self.assertEqual(self.warnings({"deps.txt": "idna\n", "requirements.txt": "idna\n"}), [])
        self.assertEqual(self.warnings({"data/words.txt": "requirement\n"}), [])

    def test_what_is_told_is_told_by_each_build_and_never_by_a_datum(self):
        source = self.source({**WHEELS, "main.py": "", "requirements.txt": "--no-index\n-f wheels\nsown\n",
                              "pyproject.toml": PROJECT + 'dependencies = ["planted"]\n'})
        for _ in range(2):
            result = self.build_well(source)
            self.assertIn("warning: pyproject.toml: ignored because requirements.txt", result.stderr)
            self.assertIn("compile: sown 1.0 chosen; requirements.txt does not pin it\n", result.stderr)
        self.assertIn("nothing to do", result.stderr)
        self.assertEqual(self.run_artifact(source).stderr, "")

    def test_a_conda_file(self):
        """What the hint says is what works."""
        conda = "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - conda-forge::sown=1\n" \
                "  - pip\n  - pip:\n    - planted>=1,<2\n  - toolz >=0.12\n"
        source = self.source({"main.py": "", "environment.yml": conda.replace("  - toolz >=0.12\n", "")})
        result = self.build(source)
        self.assert_fails(result, 65,
                          "error: environment.yml: conda environments cannot be built\n"
                          "hint: list its packages in requirements.txt, one per line, under their PyPI names: sown==1.*, "
                          "planted>=1,<2; write 3.11 to .python-version; for packages that only conda has, use an image of your own, without transform.build\n")
        self.source({**WHEELS, "requirements.txt": "--no-index\n-f wheels\nsown==1.*\nplanted>=1,<2\n"})
        self.assertNotIn("warning: ", self.build_well(source).stderr)
        self.assertEqual(self.packages(), ["planted==1.0", "sown==1.0"])
        self.write("source/environment.yml", conda)
        self.assertIn("warning: environment.yml: ignored because requirements.txt takes precedence; not installed: "
                      "toolz>=0.12; add to requirements.txt what you need from it\n", self.build_well(source).stderr)


class WhatUvSays(Stated):
    def test_it_names_the_source_and_no_file_of_ours(self):
        broken = {"own/broken.py": "import sys, os\nsys.exit('cannot be built in ' + os.getcwd())\n",
                  "own/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "broken"\nbackend-path = ["."]\n'
                                        '[project]\nname = "own"\nversion = "1"\n'}
        project = PROJECT + 'dependencies = ["own"]\n[tool.uv.sources]\nown = { path = "own" }\n'
        cases = [{**broken, "requirements.txt": "./own\n"}, {**broken, "pyproject.toml": project},
                 {"requirements.txt": "planted===a b\n"}, {"Pipfile": '[packages]\nplanted = "=1"\n'},
                 {**broken, "Pipfile": '[packages]\nown = { path = "own" }\n'}, {"main.py": SCRIPT}]
        for number, files in enumerate(cases):
            with self.subTest(files=sorted(files)):
                source = self.source({"main.py": "", **files}, name=f"source-{number}")
                result = self.build(source)
                self.assertNotEqual(result.returncode, 0, result.stderr)
                self.assertNotIn(".pachbuild-", result.stderr)
                self.assertNotIn(f"{self.cache}/work", result.stderr)
                if "own/broken.py" in files:
                    self.assertIn(f"cannot be built in {source}/own\n", result.stderr)

    def test_what_is_built_from_its_source_for_long_is_told(self):
        """A package of an index that has no wheel: the line comes while it is built."""
        backend = "import time\n" \
                  "def build_wheel(folder, config_settings=None, metadata_directory=None):\n" \
                  "    time.sleep(4)\n    import homemade_backend\n" \
                  "    return homemade_backend.build_wheel(folder)\n"
        files = {name.removeprefix("homemade/"): text for name, text in HOMEMADE.items()}
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as archive:
            for name, text in {"pyproject.toml": files["pyproject.toml"], "backend.py": backend,
                               "homemade_backend.py": files["backend.py"], "homemade.py": "NAME = 'homemade'\n",
                               "PKG-INFO": "Metadata-Version: 2.2\nName: homemade\nVersion: 1\n"}.items():
                entry = tarfile.TarInfo(f"homemade-1/{name}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        self.write("served/homemade/homemade-1.tar.gz", data.getvalue())
        self.write("served/homemade/index.html", '<a href="homemade-1.tar.gz">homemade-1.tar.gz</a>')
        server = Server(self.folder / "served", "word")
        self.addCleanup(server.close)
        url = f"http://me:word@127.0.0.1:{server.server_port}"
        source = self.source({"main.py": "", "requirements.txt": f"-i {url}\nhomemade\n"})
        result = self.build_well(source, env=self.environment(UV_CACHE_DIR=str(self.folder / "uv")))
        lines = result.stderr.splitlines()
        told = [line for line in lines if "is being built from source" in line]
        self.assertRegex("\n".join(told), "^compile: homemade 1 is being built from source: the index has no wheel of this version for cpython-[^ ]+; another version of the package or of Python may "
                                          "have one$")
        self.assertLess(lines.index(told[0]), lines.index(next(line for line in lines if "installed 1 package" in line)))


if __name__ == "__main__":
    support.main()
