# SPDX-License-Identifier: Apache-2.0
"""What a Python program is, and what it finds when it runs: its own packages as the build has made them with the files
around them, the packages that its manifest lists, and nothing else."""

import json
import os
import pathlib
import subprocess

import support
from builder_suite import BuilderSuite
from wheels import wheel

# A build backend of the source, as maturin's and scikit-build's in miniature: it makes a module and a file, writes the
# version into a third, and leaves the package's data out.
BACKEND = '''\
import os, zipfile
def files():
    for folder, _, names in os.walk(ROOT + PACKAGE):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".py"):
                yield os.path.relpath(path, ROOT or "."), open(path).read().replace("@VERSION@", "3.1")
    yield PACKAGE + "/_made.py", "ANSWER = 42\\n"
    yield PACKAGE + "/made.txt", "made"
def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = "counting-1-py3-none-any.whl"[:10] + ".dist-info/"
    with zipfile.ZipFile(folder + "/counting-1-py3-none-any.whl", "w") as target:
        record = ""
        for path, text in [*files(), *SCRIPT, (info + "METADATA", "Metadata-Version: 2.1\\nName: counting\\nVersion: 1\\n"),
                           (info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")]:
            target.writestr(path, text)
            record += path + ",,\\n"
        target.writestr(info + "RECORD", record + info + "RECORD,,\\n")
    return "counting-1-py3-none-any.whl"
SCRIPT = [("counting-1.dist-info/entry_points.txt", "[console_scripts]\\ncounting = " + PACKAGE.replace("/", ".") + ":show\\n")]
'''
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n' \
            '[project]\nname = "counting"\nversion = "1"\n'
PACKAGE = '''\
import importlib.resources, os
from pathlib import Path
from ._made import ANSWER
VERSION = "@VERSION@"
here = Path(__file__).parent
def show():
    print(ANSWER, VERSION, (here / "made.txt").read_text(), (here / "data/of.txt").read_text(),
          (Path(__file__).resolve().parent / "data/of.txt").read_text(),
          importlib.resources.files(__name__).joinpath("made.txt").read_text(),
          open(os.path.join(os.path.dirname(__file__), *UP, "settings.txt")).read(),
          (Path(__file__).resolve().parents[len(UP)] / "settings.txt").read_text())
'''
SHOWN = "42 3.1 made data data made settings settings\n"


def project(root="", package="counting", top="", up=("..",), pyproject=PYPROJECT):
    """A project in the folder `top` whose package is in its folder `root`; `up` leads from the package to the top."""
    place = f"{top}{root}{package}"
    return {f"{top}pyproject.toml": pyproject,
            f"{top}backend.py": f"ROOT = {root!r}\nPACKAGE = {package!r}\n" + BACKEND,
            f"{top}settings.txt": "settings",
            f"{place}/__init__.py": f"UP = {list(up)}\n" + PACKAGE,
            f"{place}/data/of.txt": "data"}


class ProgramSuite(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")

    def check(self, files, expected, *arguments, name="source", **options):
        source = self.source(files, name=name)
        result = self.build_well(source, **options)
        run = self.run_artifact(source, *arguments)
        self.assertEqual((run.returncode, run.stdout), (0, expected), run.stderr)
        return result

    def warnings(self, result):
        return [line.removeprefix("warning: ") for line in result.stderr.splitlines() if line.startswith("warning: ")]

    def record(self):
        return json.loads((self.folder / "out/build.json").read_text())


class SourcePackages(ProgramSuite):
    """Whatever the layout: what was built, what was not, files beside the package, and the next edit."""

    def check_layout(self, files, main="import counting\ncounting.show()\n"):
        self.assertEqual(self.warnings(self.check({**files, "main.py": main}, SHOWN)), [])

    def test_flat(self):
        self.check_layout(project())
        self.write("source/counting/__init__.py", "UP = ['..']\n" + PACKAGE.replace("(ANSWER,", "('edited',"))
        self.write("source/settings.txt", "changed")
        self.build_well(self.folder / "source")
        self.assertEqual(self.run_artifact(self.folder / "source").stdout, "edited 3.1 made data data made changed changed\n")

    def test_src(self):
        self.check_layout(project(root="src/", up=("..", "..")))

    def test_another_folder_of_a_project_in_a_folder(self):
        self.check_layout({"requirements.txt": "-e ./ours\n", **project(root="python/", top="ours/", up=("..", ".."))})

    def test_a_namespace(self):
        files = project(package="acme/counting", up=("..", ".."))
        self.check_layout({**files, "acme/plain/__init__.py": "X = 1\n"}, main=(
            "import acme.plain\nfrom acme.counting import show\nshow()\nassert acme.plain.X == 1\n"))

    def test_started_in_every_way(self):
        files = {**project(), "counting/__main__.py": "from . import show\nshow()\n",
                 "counting/cli.py": "import counting\ncounting.show()\n"}
        for setting in ("counting", "counting:show", "counting/cli.py", "counting.cli"):
            with self.subTest(setting):
                self.check({**files, "pachbuild.toml": f'[python]\nprogram = "{setting}"\n'}, SHOWN)
        self.check({**files, "pachbuild.toml": "", "main.py": (
            "import subprocess, sys, multiprocessing, counting\nsubprocess.run(['counting'], check=True)\n")}, SHOWN)

    def test_one_that_the_build_leaves_as_it_is_runs_from_the_source(self):
        files = {"pyproject.toml": PYPROJECT, "counting/__init__.py": "X = 1\n", "main.py": (
            "import counting, os\nassert os.path.samefile(os.path.dirname(counting.__file__), '/pfs/source/counting')\n"
            "print(counting.X)\n"),
            "backend.py": "ROOT = ''\nPACKAGE = 'counting'\n" + BACKEND.replace("    yield PACKAGE", "    if 0: yield PACKAGE")}
        self.check(files, "1\n")

    def test_a_module_alone(self):
        backend = "ROOT, PACKAGE = '', 'counting'\n" + BACKEND.split("def build_wheel")[0].split("def files")[0] + (
            "def files():\n    yield 'counting.py', open('counting.py').read().replace('@VERSION@', '3.1')\n"
            "def build_wheel" + BACKEND.split("def build_wheel")[1])
        self.check({"pyproject.toml": PYPROJECT, "backend.py": backend, "counting.py": "X = '@VERSION@'\n",
                    "main.py": "import counting\nprint(counting.X)\n"}, "3.1\n")

    def test_real_build_systems(self):
        """A module in C, and a version that a hook writes."""
        support.require_network()
        # Without Python.h, which few machines have: a PyModuleDef is its head of five words, a name, and more words.
        code = ('extern void *PyModule_Create2(void *, int);\n'
                'extern int PyModule_AddIntConstant(void *, const char *, long);\n'
                'static void *definition[13] = {(void *)1, 0, 0, 0, 0, "_fast"};\n'
                'void *PyInit__fast(void) { void *module = PyModule_Create2(definition, 1013);\n'
                '  PyModule_AddIntConstant(module, "ANSWER", 42); return module; }\n')
        self.check({
            "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                              '[project]\nname = "quick"\nversion = "1"\n',
            "setup.py": "from setuptools import setup, Extension\n"
                        "setup(packages=['quick'], ext_modules=[Extension('quick._fast', ['quick/fast.c'])])\n",
            "quick/__init__.py": "from ._fast import ANSWER\n", "quick/fast.c": code,
            "main.py": "import quick\nprint(quick.ANSWER)\n"}, "42\n")

    @support.long_test
    def test_hatch_and_cython(self):
        support.require_network()
        self.check({
            "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
                              '[project]\nname = "moor"\nversion = "4.2"\n'
                              '[tool.hatch.build.hooks.custom]\n[tool.hatch.build.targets.wheel]\npackages = ["moor"]\n',
            "hatch_build.py": "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
                              "class Hook(BuildHookInterface):\n    def initialize(self, version, data):\n"
                              "        open('moor/_version.py', 'w').write('V = ' + repr(self.metadata.version))\n"
                              "        data['artifacts'].append('moor/_version.py')\n",
            "moor/__init__.py": "from ._version import V\n", "main.py": "import moor\nprint(moor.V)\n"}, "4.2\n")
        self.assertFalse((self.folder / "source/moor/_version.py").exists())
        self.check({
            "pyproject.toml": '[build-system]\nrequires = ["setuptools", "cython"]\n'
                              'build-backend = "setuptools.build_meta"\n[project]\nname = "heath"\nversion = "1"\n',
            "setup.py": "from setuptools import setup\nfrom Cython.Build import cythonize\n"
                        "setup(packages=['heath'], ext_modules=cythonize(['heath/fast.pyx']))\n",
            "heath/__init__.py": "from heath.fast import twice\n", "heath/fast.pyx": "def twice(int x): return 2 * x\n",
            "main.py": "import heath\nprint(heath.twice(21))\n"}, "42\n", name="another")


class Entries(ProgramSuite):
    def check_program(self, files, name, why, source):
        result = self.check(files, "runs\n", name=source)
        self.assertIn(f"program: {name} ({why})\n", result.stderr)
        self.assertEqual(self.record()["program"], {"name": name, "chosen": why})
        shown = self.run_program(support.PACHBUILD, "inspect", self.folder / "out")
        self.assertRegex(shown.stdout, rf"program +{name} \({why}\)\n")

    def test_what_is_chosen_and_why(self):
        runs = "print('runs')\n"
        guarded = "if __name__ == '__main__':\n    print('runs')\n"
        function = "def main():\n    print('runs')\n"
        scripts = '[project]\nname = "Heath-er"\nversion = "1"\n[project.scripts]\n'
        for number, (files, name, why) in enumerate((
                ({"main.py": runs, "other.py": guarded}, "main.py", "the default name"),
                ({"pachbuild.toml": "[python]\nprogram = 'a/b.py'\n", "a/b.py": runs, "main.py": ""}, "a/b.py",
                 "pachbuild.toml: python.program"),
                ({"only.py": runs, "setup.txt": "", "test_only.py": guarded}, "only.py", "the only .py file at the root"),
                ({"one.py": guarded, "two.py": ""}, "one.py", "the only file at the root with a __main__ guard"),
                ({"src/heather/__main__.py": "from . import x\n", "src/heather/__init__.py": "x = print('runs')\n"},
                 "heather", "the only package with a __main__.py"),
                ({"heather/__main__.py": runs, "helpers.py": "", "tests/__main__.py": "", "conftest.py": guarded}, "heather",
                 "the only package with a __main__.py"),
                ({"requirements.txt": "", "pyproject.toml": scripts + 'x = "heather.cli:main"\n',
                  "src/heather/cli.py": function}, "heather.cli:main", "the only script of pyproject.toml"),
                ({"requirements.txt": "", "pyproject.toml": scripts + 'heath_er = "cli:Tool.main"\nx = "cli:other"\n',
                  "cli.py": "class Tool:\n    main = staticmethod(lambda: print('runs'))\n"}, "cli:Tool.main",
                 "the script of pyproject.toml that is named after the project"),
                ({"requirements.txt": "", "setup.cfg": "[options.entry_points]\nconsole_scripts =\n  x = heather.cli:main\n",
                  "setup.py": "from setuptools import setup\nsetup()\n", "src/heather/cli.py": function},
                 "heather.cli:main", "the only script of setup.cfg"),
                ({"requirements.txt": "", "setup.py": "from setuptools import setup\nsetup(name='heather', entry_points={\n"
                  "    'console_scripts': ['x = heather.cli:main']})\n", "heather/cli.py": function},
                 "heather.cli:main", "the only script of setup.py"))):
            with self.subTest(why, files=list(files)):
                self.check_program(files, name, why, f"source{number}")

    def test_several_are_listed(self):
        guarded = "if __name__ == '__main__': pass\n"
        scripts = '[project]\nname = "x"\nversion = "1"\n[project.scripts]\na = "m:a"\nb = "m:b"\n'
        for files, listed in (
                ({"one/__main__.py": "", "two/__main__.py": ""}, "one, two"),
                ({"tool.py": guarded, "one/__main__.py": ""}, "tool.py, one"),
                ({"requirements.txt": "", "pyproject.toml": scripts, "one/__main__.py": ""}, "m:a, m:b, one")):
            with self.subTest(listed):
                source = self.source(files, name=listed.replace(":", " "))
                self.assert_fails(self.build(source), 65, (
                    f"error: {source}: contains several programs: {listed}\n"
                    "hint: name the program main.py, or set python.program in pachbuild.toml\n"))

    def test_programs_that_are_not_there(self):
        place = "error: pachbuild.toml:2: python.program: "
        form = "hint: write tool.py, package.module or package.module:function\n"
        missing = "no module {} in the source or the installed packages\n"
        files = {"main.py": "", "pkg/__init__.py": "", "pkg/cli.py": "import os\nif os: \n  def run(): pass\nX, (Y, *Z) = 1, (2,)\n",
                 "open/__init__.py": "from os.path import *\n"}
        for setting, message in (
                ("nosuch:main", missing.format("nosuch") + form), ("nosuch", missing.format("nosuch") + form),
                ("pkg.clii:main", missing.format("pkg.clii") + form),
                ("pkg", "the package pkg has no __main__.py, so it cannot be run\n" + form),
                ("pkg.cli:main", 'module pkg.cli has no function "main"\n')):
            with self.subTest(setting):
                self.assert_fails(self.build(self.source(
                    {**files, "pachbuild.toml": f"[python]\nprogram = '{setting}'\n"})), 65, place + message)
                self.assertFalse((self.folder / "out/run.sh").exists())
        for setting in ("pkg.cli:run", "pkg.cli:Z.copy", "open:join", "pkg:cli.run", "json.tool", "json:dumps"):
            with self.subTest(setting):
                self.build_well(self.source({**files, "pachbuild.toml": f"[python]\nprogram = '{setting}'\n"}))

    def test_one_of_an_installed_project_that_is_not_there(self):
        files = {**project(), "pachbuild.toml": "[python]\nprogram = 'counting._made'\n"}
        source = self.source(files)
        self.build_well(source)  # the build made it
        self.write("source/pachbuild.toml", "[python]\nprogram = 'counting._mad'\n")
        for _ in range(2):
            self.assert_fails(self.build(source), 65, "error: pachbuild.toml:2: python.program: no module counting._mad in the source or the installed packages\n"
                              "hint: write tool.py, package.module or package.module:function\n")

    def test_scripts_of_packages_keep_their_beginning(self):
        script = '#!python\n"""A tool."""\nfrom __future__ import annotations\nimport sys\nprint(__doc__, sys.prefix != sys.base_prefix)\n'
        content = wheel("plumb", {"plumb.py": "", "plumb-1.0.data/scripts/plumb": script})
        source = self.source({"requirements.txt": "./plumb-1.0-py3-none-any.whl\n",
                              "main.py": "import subprocess\nsubprocess.run(['plumb'], check=True)\n"})
        (source / "plumb-1.0-py3-none-any.whl").write_bytes(content)
        self.build_well(source)
        run = self.run_artifact(source)
        self.assertEqual((run.returncode, run.stdout), (0, "A tool. True\n"), run.stderr)


class Imports(ProgramSuite):
    """Over an image that has packages of its own: an interpreter like this machine's, with other site-packages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        python = support.shutil.which("python3")
        answer = subprocess.run([python, "-I", "-c", (
            "import os, sys; print(os.path.realpath(sys.executable)); print(sys.base_prefix); print('%d.%d' % sys.version_info[:2])")],
            capture_output=True, text=True, check=True)
        cls.real, cls.prefix, cls.version = answer.stdout.split()

    def setUp(self):
        super().setUp()
        self.library = f"image/lib/python{self.version}"
        (self.folder / self.library).mkdir(parents=True)
        (self.folder / "image/bin").mkdir()
        for folder, pattern in ((self.library, f"lib/python{self.version}/*"), ("image/lib", "lib/libpython*")):
            for entry in pathlib.Path(self.prefix).glob(pattern):
                if entry.name not in ("site-packages", "dist-packages"):
                    (self.folder / folder / entry.name).symlink_to(entry)
        support.shutil.copy2(self.real, self.folder / "image/bin/python3")
        self.install("yaml/__init__.py", "X = 'of the image'\n")
        self.install("OddYaml-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: OddYaml\nVersion: 1\n")
        self.install("OddYaml-1.dist-info/RECORD", "yaml/__init__.py,,\n")

    def install(self, path, content):
        for folder in ("site-packages", "dist-packages"):  # the second is Debian's
            self.write(f"{self.library}/{folder}/{path}", content)

    def environment(self, **changes):
        path = f"{self.folder}/image/bin:{support.TOOLS}/bin:{os.environ['PATH']}"
        return super().environment(**{"PATH": path, **changes})

    def plumbline(self):
        path = self.folder / "wheels/plumbline-1.0-py3-none-any.whl"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(wheel("plumbline", {"plumbline.py": "", "shared/one/__init__.py": ""}))
        return {"requirements.txt": f"plumbline @ file://{path}\n"}

    def test_what_a_manifest_describes_is_closed(self):
        main = {"main.py": "import plumbline\ntry:\n    import yaml\n    print(yaml.X)\nexcept ImportError:\n    print('closed')\n"}
        self.check({**self.plumbline(), **main}, "closed\n")
        run = self.run_artifact(self.folder / "source", env=self.environment(PYTHONHOME=self.prefix))
        self.assertEqual((run.returncode, run.stdout), (0, "closed\n"), run.stderr)
        self.check({"pachbuild.toml": "[python]\nimage_packages = true\n"}, "of the image\n")
        self.check({"main.py": "import yaml\nprint(yaml.X)\n"}, "of the image\n", name="no manifest")

    def test_imports_that_nobody_has(self):
        source = self.source({**self.plumbline(), "main.py": (
            "import os, yaml, plumbline, shared.one, helper, elsewhere\n"
            "from shared import two\nimport cv2.data\nfrom google.cloud import storage\nimport yaml.more\n"
            "with open(os.devnull): import in_with\n"
            "def main():\n    import in_main\n"
            "def never(): import in_never\n"
            "if __name__ == '__main__':\n    main()\n"),
            "helper/__init__.py": "from . import deep\nfrom helper.more import *\n", "helper/deep.py": "\nimport in_deep\n",
            "helper/more.py": "class C:\n    import in_class\n", "lib/elsewhere.py": ""})
        expected = [f"{where}: imports {what}" for where, what in (
            ("main.py:1", "yaml, which only this image provides; add OddYaml to requirements.txt, or set "
                          "python.image_packages = true in pachbuild.toml"),
            ("main.py:2", "shared.two, which is not installed; add shared-two to requirements.txt"),
            ("main.py:3", "cv2, which is not installed; add opencv-python to requirements.txt"),
            ("main.py:4", "google.cloud.storage, which is not installed; add google-cloud-storage to requirements.txt"),
            ("main.py:6", "in_with, which is not installed; add in-with to requirements.txt"),
            ("main.py:8", "in_main, which is not installed; add in-main to requirements.txt"),
            ("helper/deep.py:2", "in_deep, which is not installed; add in-deep to requirements.txt"),
            ("helper/more.py:2", "in_class, which is not installed; add in-class to requirements.txt"))]
        for _ in range(2):  # the second time nothing is built
            self.assertEqual(self.warnings(self.build_well(source)), expected)
        self.write("source/pachbuild.toml", "[python]\nimage_packages = true\n")
        self.assertEqual(self.warnings(self.build_well(source)), expected[1:])

    def test_imports_of_what_is_only_installed_when_it_is_asked_for(self):
        file = "wheels/plumbline-1.0-py3-none-any.whl"
        both = {"main.py": "import plumbline\nimport cv2, yaml\n", file: wheel("plumbline", {"plumbline.py": ""})}
        project = ('[project]\nname = "a"\nversion = "1"\ndependencies = ["plumbline"]\n'
                   '[project.optional-dependencies]\nsee = ["OpenCV_Python>=4"]\n'
                   '[dependency-groups]\nread = [{include-group = "more"}, "PyYAML"]\nmore = []\n'
                   '[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n')
        poetry = ('[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\nplumbline = {file = "' + file + '"}\n'
                  '[tool.poetry.group.read.dependencies]\npyyaml = "*"\n[tool.poetry.extras]\nsee = ["opencv-python"]\n')
        pipfile = '[packages]\nplumbline = {path = "' + file + '"}\n[read]\nPyYAML = "*"\n[see]\nopencv-python = "*"\n'
        for name, files, see in (("project", {"pyproject.toml": project}, "python.extras"),
                                 ("poetry", {"pyproject.toml": poetry}, "python.extras"),
                                 ("pipenv", {"Pipfile": pipfile}, "python.groups")):
            with self.subTest(name):
                self.assertEqual(self.warnings(self.build_well(self.source({**both, **files}, name=name))), [
                    f'main.py:2: imports cv2, which is not installed; add "see" to {see} in pachbuild.toml',
                    'main.py:2: imports yaml, which is not installed; add "read" to python.groups in pachbuild.toml'])

    def test_modules_that_only_the_build_of_the_source_makes(self):
        files = {**project(), **self.plumbline(), "main.py": "import counting.cli\nfrom counting import attribute\n",
                 "counting/cli.py": "import counting._fast\nfrom . import anything\n"}
        source = self.source(files)
        hint = "which is not in the source; if the build generates it, install the project as well (add . to requirements.txt)"
        expected = [f"counting/__init__.py:4: imports counting._made, {hint}",
                    f"counting/cli.py:1: imports counting._fast, {hint}"]
        self.assertEqual(self.warnings(self.build_well(source)), expected)
        self.write("source/requirements.txt", ".\n")
        self.assertEqual(self.warnings(self.build_well(source)), [
            "counting/cli.py:1: imports counting._fast, which neither the source nor its build provides"])

    def test_no_false_alarms(self):
        source = self.source({**self.plumbline(), "main.py": (
            "from __future__ import annotations\nimport typing, sys, contextlib, winreg, distutils_\n"
            "if typing.TYPE_CHECKING:\n    import in_types\n"
            "if sys.version_info < (3, 4):\n    import in_if\nelse:\n    import plumbline\n"
            "try:\n    import in_try\nexcept ImportError:\n    in_try = None\n"
            "try:\n    import in_try as t\nexcept Exception: pass\n"
            "try:\n    from plumbline import x\nexcept (AttributeError, ImportError):\n    import never_needed\n"
            "try:\n    import tomllib_\nexcept ModuleNotFoundError:\n    import plumbline as tomllib\n"
            "with contextlib.suppress(ImportError):\n    import in_suppress\n"
            "def f():\n    import in_function\n"
            "sys.path.insert(0, 'vendor')\nimport vendored\nimport on_path\n"),
            "distutils_.py": "", "vendor/vendored/__init__.py": "", ".venv/pyvenv.cfg": ""})
        self.write("path/on_path.py", "")
        env = self.environment(PYTHONPATH=str(self.folder / "path"))
        self.assertEqual(self.warnings(self.build_well(source, env=env)), [])

    def test_a_try_that_cannot_go_on_without(self):
        source = self.source({**self.plumbline(), "main.py": (
            "try:\n    import needed\nexcept ImportError:\n    print('no')\n    raise\n"
            "try:\n    import wanted\nexcept ImportError as error:\n    exit(f'install it: {error}')\n"
            "try:\n    import fast_one\nexcept ImportError:\n    import slow_one\n"
            "try:\n    main()\nexcept Exception:\n    print('failed')\n"
            "def main(): import in_main\n")})
        self.assertEqual([line.split(",")[0] for line in self.warnings(self.build_well(source))], [
            "main.py:2: imports needed", "main.py:7: imports wanted", "main.py:13: imports slow_one",
            "main.py:18: imports in_main"])

    def test_they_are_read_again_when_something_changes(self):
        source = self.source({**self.plumbline(), "main.py": "import first, helper\n", "helper.py": "import second\n"})
        said = lambda: [line.split(",")[0] for line in self.warnings(self.build_well(source))]  # noqa: E731
        self.assertEqual(said(), ["main.py:1: imports first", "helper.py:1: imports second"])
        self.write("source/first.py", "import third\n")
        self.assertEqual(said(), ["first.py:1: imports third", "helper.py:1: imports second"])
        self.write("source/helper.py", "import yaml\n")
        self.assertEqual(said(), ["first.py:1: imports third", "helper.py:1: imports yaml"])
        (source / "helper.py").unlink()
        self.assertEqual(said(), ["main.py:1: imports helper", "first.py:1: imports third"])
        self.install("late.py", "")
        self.source({"main.py": "import late, later\n"}, name="no manifest")
        source = self.folder / "no manifest"
        self.assertEqual(self.warnings(self.build_well(source)), [
            "main.py:1: imports later, which is not installed; add later to requirements.txt"])
        self.install("later.py", "")
        self.assertEqual(said(), [])

    def test_nothing_is_executed_and_odd_files_are_left_alone(self):
        source = self.source({"main.py": "import helper, binary\nopen('/pfs/out/x', 'w')\n", "helper.py": "print 'of Python 2'\n",
                              "binary.py": "\0\0", "more/__init__.py": "import main\n"})
        self.assertEqual(self.warnings(self.build_well(source)), [])


if __name__ == "__main__":
    support.main()
