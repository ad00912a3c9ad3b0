# SPDX-License-Identifier: Apache-2.0
"""What is chosen is what is installed: extras, indexes and uv's own settings reach both, by every manifest. Without a
network: packages come from folders of the source."""

import json
import subprocess

import support
import wheels
from builder_suite import BuilderSuite

PROJECT = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = [%s]\n'
PLUMB = wheels.wheel("plumb", {"plumb.py": "X = 'plumb 1.0'\n"})
PLUMB_2 = wheels.wheel("plumb", {"plumb.py": "X = 'plumb 2.0'\n"}, version="2.0")
SHOW = "import sys, importlib\nfor name in sys.argv[1:]: print(importlib.import_module(name).X)\n"
# A backend that tells in the module that it makes what it was given.
TELLING = {"telling/pyproject.toml": wheels.HOMEMADE["homemade/pyproject.toml"].replace("homemade", "telling"),
           "telling/backend.py": wheels.HOMEMADE["homemade/backend.py"].replace("homemade", "telling").replace(
               '        wheel.write("telling.py")\n',
               '        try:\n            import plumb\n            seen = plumb.X\n'
               '        except ImportError:\n            seen = "nothing"\n'
               '        wheel.writestr("telling.py", f"X = {(seen, config_settings)!r}\\n")\n')}


def simple_index(folder, *packages):
    """A folder as the simple API has it; (name, version, wheel)."""
    files = {}
    for name, version, content in packages:
        file = f"{name}-{version}-py3-none-any.whl"
        files[f"{folder}/{name}/{file}"] = content
        page = f"{folder}/{name}/index.html"
        files[page] = files.get(page, "") + f'<a href="{file}">{file}</a>\n'
    return files


def rows(of_all, quick):
    """All of a table in the long part, else the first."""
    return of_all if support.LONG else of_all[:quick]


class PythonResolution(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        self.changes = {}

    def environment(self, **changes):
        return super().environment(**{"UV_DEFAULT_INDEX": None, "PIP_FIND_LINKS": None, "UV_OFFLINE": "1", **changes})

    def check(self, files, names, expected, **changes):
        """What the modules tell when the source runs."""
        for folder in ("source", "out"):
            subprocess.run(["rm", "-rf", str(self.folder / folder)], check=True)
        source = self.source({"main.py": SHOW, **files})
        built = self.build_well(source, env=self.environment(**changes))
        result = self.run_artifact(source, *names)
        self.assertEqual((result.returncode, result.stdout), (0, expected), result.stderr)
        return built

    def refuse(self, files, code, ending, **changes):
        source = self.source({"main.py": SHOW, **files}, "refused")
        self.assert_fails(self.build(source, env=self.environment(**changes)), code, ending)
        subprocess.run(["rm", "-rf", str(source)], check=True)

    def test_requirements_that_lead_to_several_extras(self):
        files = {"wheels/asks-1.0-py3-none-any.whl":
                 wheels.wheel("asks", {"asks.py": "X = 'asks'\n"}, metadata="Requires-Dist: many[one,two,three-x]>=1\n"),
                 "wheels/many-1.0-py3-none-any.whl": wheels.wheel("many", {"many.py": "X = 'many'\n"}, metadata="".join(
                     f"Provides-Extra: {extra}\nRequires-Dist: plumb; extra == '{extra}'\n" for extra in ("one", "two", "three-x"))),
                 "wheels/plumb-1.0-py3-none-any.whl": PLUMB}
        uv = '[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n'
        for manifest in rows([
                         {"requirements.txt": "--no-index\n-f wheels\nasks\n"},
                         {"requirements.txt": "--no-index\n--find-links=./wheels\nmany [one, two] >= 1\nasks\n"},
                         {"pyproject.toml": PROJECT % '"asks"' + uv},
                         {"pyproject.toml": '[tool.poetry]\nname = "a"\n[tool.poetry.dependencies]\nasks = "^1.0"\n' + uv},
                         {"Pipfile": '[packages]\nasks = "*"\n', "uv.toml": uv.removeprefix("[tool.uv]\n")}], 3):
            with self.subTest(manifest=manifest):
                self.check({**files, **manifest}, ["asks", "many", "plumb"], "asks\nmany\nplumb 1.0\n")
                record = json.loads((self.folder / "out/build.json").read_text())
                self.assertEqual(record["packages"], ["asks==1.0", "many==1.0", "plumb==1.0"])

    def test_the_indexes_of_uv_are_those_of_the_installation(self):
        flat = {"flat/plumb-1.0-py3-none-any.whl": PLUMB}
        other = simple_index("simple", ("other", "1.0", wheels.wheel("other", {"other.py": "X = 'other'\n"})))
        index = '[[tool.uv.index]]\nname = "%s"\nurl = "%s"\n%s\n'
        sources = '[tool.uv.sources]\nplumb = { index = "ours" }\n'
        with self.subTest("explicit and flat"):
            self.check({**flat, **other, "pyproject.toml": PROJECT % '"plumb", "other"' + sources
                        + index % ("ours", "flat", 'explicit = true\nformat = "flat"') + index % ("rest", "simple", "default = true")},
                       ["plumb", "other"], "plumb 1.0\nother\n")
        with self.subTest("explicit"):
            both = simple_index("one", ("plumb", "1.0", PLUMB)) | simple_index("two", ("plumb", "2.0", PLUMB_2))
            self.check({**both, "pyproject.toml": PROJECT % '"plumb"' + sources
                        + index % ("ours", "one", "explicit = true") + index % ("rest", "two", "default = true")},
                       ["plumb"], "plumb 1.0\n")
        # As uv has it: the first index that knows a package, unless it is told otherwise.
        for strategy, version in (("", "1.0"), ('[tool.uv]\nindex-strategy = "unsafe-best-match"\n', "2.0")):
            with self.subTest(strategy=strategy):
                self.check({**both, "pyproject.toml": PROJECT % '"plumb"' + strategy
                            + index % ("ours", "one", "") + index % ("rest", "two", "default = true")},
                           ["plumb"], f"plumb {version}\n")
        with self.subTest("an index of pdm"):
            self.check({**both, "pyproject.toml": PROJECT % '"plumb"' + '[[tool.pdm.source]]\nname = "pypi"\n'
                        f'url = "file://{self.folder}/source/one"\nverify_ssl = true\n'}, ["plumb"], "plumb 1.0\n")
        with self.subTest("links of pdm"):
            self.check({**flat, "pyproject.toml": PROJECT % '"plumb"' + '[tool.uv]\nno-index = true\n[[tool.pdm.source]]\n'
                        'name = "ours"\ntype = "find_links"\nurl = "flat"\n'}, ["plumb"], "plumb 1.0\n")
        with self.subTest("links of pdm in the folder of the project"):
            self.check({**flat, "pyproject.toml": PROJECT % '"plumb"' + '[tool.uv]\nno-index = true\n[[tool.pdm.source]]\n'
                        'name = "ours"\ntype = "find_links"\nurl = "file:///${PROJECT_ROOT}/flat"\n'}, ["plumb"],
                       "plumb 1.0\n")

    def test_other_settings_of_uv(self):
        uv = '[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n'
        both = {"wheels/plumb-1.0-py3-none-any.whl": PLUMB, "wheels/plumb-2.0-py3-none-any.whl": PLUMB_2}
        groups = '[dependency-groups]\nserve = ["plumb<2"]\ndev = ["nothing-of-ours"]\n'
        backend = '[build-system]\nrequires = ["nothing-of-ours"]\nbuild-backend = "nothing"\n'
        for name, project, expected in rows([
                ("default-groups", PROJECT % "" + groups + uv + 'default-groups = ["serve", "dev"]\n', "plumb 1.0\n"),
                ("package", PROJECT % '"plumb"' + backend + uv + "package = false\n", "plumb 2.0\n"),
                ("constraints", PROJECT % '"plumb"' + uv + 'constraint-dependencies = ["plumb<2"]\n', "plumb 1.0\n"),
                ("overrides of pdm", PROJECT % '"plumb>1"' + uv + '[tool.pdm.resolution.overrides]\nplumb = "1.0"\n', "plumb 1.0\n"),
                ("overrides", PROJECT % '"plumb>1"' + uv + 'override-dependencies = ["plumb<2"]\n', "plumb 1.0\n"),
                ("resolution", PROJECT % '"plumb"' + uv + 'resolution = "lowest"\n', "plumb 1.0\n")], 2):
            with self.subTest(name):
                self.check({**both, "pyproject.toml": project}, ["plumb"], expected)
        self.refuse({**both, "pyproject.toml": PROJECT % '"plumb"' + uv + 'required-version = "<0.2"\n'}, 65,
                    "but this is uv " + subprocess.run(["uv", "--version"], capture_output=True, text=True, check=True,
                                                       env=self.environment()).stdout.split()[1]
                    + "\nhint: install that version (pip install uv==…), or change the line\n")

    def test_how_packages_are_built(self):
        both = {**TELLING, "wheels/plumb-1.0-py3-none-any.whl": PLUMB}
        uv = '[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n%s[tool.uv.sources]\ntelling = { path = "telling" }\n'
        for name, setting, seen in rows([
                ("not isolated", 'no-build-isolation-package = ["telling"]\n', ("plumb 1.0", {})),
                ("isolated", "", ("nothing", {})),
                ("others are not", 'no-build-isolation-package = ["other"]\n', ("nothing", {})),
                ("with more", '[tool.uv.extra-build-dependencies]\ntelling = ["plumb"]\n', ("plumb 1.0", {})),
                ("settings", "config-settings = { k = 'v' }\n", ("nothing", {"k": "v"})),
                ("of one", "config-settings-package = { telling = { k = 'v' }, plumb = { k = 'w' } }\n", ("nothing", {"k": "v"}))], 1):
            with self.subTest(name):
                self.check({**both, "pyproject.toml": PROJECT % '"plumb", "telling"' + uv % setting}, ["telling"], f"{seen}\n")
        with self.subTest("with the version that is installed"):
            setting = '[tool.uv.extra-build-dependencies]\ntelling = [{ requirement = "plumb", match-runtime = true }]\n'
            index = '[[tool.uv.index]]\nname = "ours"\nurl = "simple"\ndefault = true\n'
            packages = simple_index("simple", ("plumb", "1.0", PLUMB), ("plumb", "2.0", PLUMB_2))
            project = PROJECT % '"plumb<2", "telling"' + "[tool.uv.sources]\ntelling = { path = 'telling' }\n"
            self.check({**TELLING, **packages, "pyproject.toml": project + setting + index}, ["telling"],
                       f"{('plumb 1.0', {})}\n")

    def test_options_of_requirements_files(self):
        files = {**TELLING, "wheels/plumb-1.0-py3-none-any.whl": PLUMB, "wheels/plumb-2.0-py3-none-any.whl": PLUMB_2,
                 "wheels/plumb-3.0a1-py3-none-any.whl": wheels.wheel("plumb", {"plumb.py": "X = 'plumb 3'\n"}, version="3.0a1")}
        start = "--no-index\n-f wheels\n"
        for lines, names, expected in rows([
                ("telling @ ./telling --config-settings 'a=b c' -C d=e\n", "telling", f"{('nothing', {'a': 'b c', 'd': 'e'})}\n"),
                ("-r'limits/r 1.txt'\n", "plumb", "plumb 1.0\n"),
                ("--all-releases plumb\nplumb\n", "plumb", "plumb 3\n"),
                ("plumb<2 # why\n", "plumb", "plumb 1.0\n"),
                ("--pre\nplumb\n", "plumb", "plumb 3\n"),
                ("--prefer-binary\n--use-feature=fast-deps\n--trusted-host h\nplumb\n", "plumb", "plumb 2.0\n"),
                ("-c limits/c.txt\nplumb\n", "plumb", "plumb 1.0\n"),
                ("./telling --config-setting=a=b\nplumb\n", "telling", f"{('nothing', {'a': 'b'})}\n"),
                ('-e "./telling" --global-option="--x"\n', "telling", f"{('nothing', {'--global-option': '--x'})}\n"),
                ("plumb \\\n  <2 \\\n  ; python_version > '3' -C x=y\n", "plumb", "plumb 1.0\n"),
                ("--only-binary plumb,telling\nplumb==1.*\n", "plumb", "plumb 1.0\n")], 3):
            with self.subTest(lines=lines):
                self.check({**files, "limits/c.txt": "plumb<2\n", "limits/r 1.txt": "-c c.txt\n-f ../wheels\nplumb\n",
                            "requirements.txt": start + lines}, [names], expected)
        for text in rows([(start + "plumb # \u00e9\n").encode("utf-16"), ("# coding: latin-1\n# \u00e9\n" + start + "plumb\n").encode("latin-1"),
                     (start + "plumb\n").encode("utf-8-sig"), (start + "plumb\n").replace("\n", "\r\n").encode()], 1):
            with self.subTest(text=text):
                self.check({**files, "requirements.txt": text}, ["plumb"], "plumb 2.0\n")
        with self.subTest("links beside the file that names them"):
            self.check({"deep/own/plumb-1.0-py3-none-any.whl": PLUMB, "deep/r.txt": "--no-index\n-f own\nplumb\n",
                        "requirements.txt": "-r deep/r.txt\n"}, ["plumb"], "plumb 1.0\n")
        for line, code, ending in (
                ("--use-pep517\nplumb\n", 65,
                 "error: requirements.txt:3: --use-pep517 is not an option for requirements files; pip does not accept it either\n"
                 "hint: remove it; options of pip's command line belong in pip.conf or PIP_… variables\n"),
                ("./elsewhere --config-settings a=b\n", 65,
                 "error: requirements.txt:3: --config-settings after ./elsewhere needs a package name\n"
                 "hint: write it with its name: NAME @ ./FOLDER\n"),
                ("-r https://me:secret@127.0.0.1/r.txt\n", 65,
                 "error: requirements.txt:3: https://me:***@127.0.0.1/r.txt is outside the source\n"
                 "hint: copy the file into the source and include it by its path: the content of a URL may change without an edit\n")):
            self.refuse({**files, "requirements.txt": start + line}, code, ending)
        self.check({**files, "requirements.txt": ("# coding: koi8-r\n" + start + "plumb # \u0436\n").encode("koi8-r")}, ["plumb"],
                   "plumb 2.0\n")
        self.refuse({"requirements.txt": "# coding: koi8-r\nplumb#\u0436\n".encode("koi8-r")}, 65,
                    "error: requirements.txt: is written in koi8-r, which is not supported\nhint: save it as UTF-8\n")

    def test_constraints_by_variable_are_for_the_choice(self):
        files = {"wheels/plumb-1.0-py3-none-any.whl": PLUMB, "wheels/plumb-2.0-py3-none-any.whl": PLUMB_2,
                 "requirements.txt": "--no-index\n-f wheels\nplumb\n"}
        constraints = self.write("constraints.txt", "plumb<2\n")
        self.check(files, ["plumb"], "plumb 1.0\n", PIP_CONSTRAINT=str(constraints))
        self.check(files, ["plumb"], "plumb 1.0\n", UV_OVERRIDE=str(constraints))

    def test_pythons_as_poetry_writes_them(self):
        files = {"wheels/plumb-1.0-py3-none-any.whl": PLUMB}
        poetry = '[tool.poetry]\npackage-mode = false\n[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n'
        for python in rows(["3.*", "^2.7 || ^3.8", ">=3.8 <4.0", "^3.8"], 2):
            with self.subTest(python=python):
                project = (PROJECT % '"plumb"').replace(">=3.8", python)
                self.check({**files, "pyproject.toml": project + poetry}, ["plumb"], "plumb 1.0\n")
        # Others read PEP 440 there.
        self.refuse({**files, "pyproject.toml": (PROJECT % '"plumb"').replace(">=3.8", "3.*")}, 65,
                    'error: pyproject.toml: project.requires-python: invalid Python version "3.*"\n'
                    "hint: write it like >=3.9, >=3.9,<4 or ==3.11.*\n")

    def test_a_key_of_a_pipfile_that_is_no_name(self):
        files = {**wheels.HOMEMADE, "homemade/homemade.py": "X = 'homemade'\n",
                 "Pipfile": '[packages]\n"e1839a8" = { path = "./homemade" }\n'}
        entry = {"path": "./homemade"}
        self.check(files, ["homemade"], "homemade\n")
        for key, place in (("e1839a8", entry), ("homemade", entry), ("homemade", {"file": "homemade/", "editable": True})):
            with self.subTest(key=key, place=place):
                lock = json.dumps({"_meta": {"sources": []}, "default": {key: place}})
                self.check({**files, "Pipfile.lock": lock}, ["homemade"], "homemade\n")
        self.refuse({**files, "Pipfile.lock": json.dumps({"default": {"homemade": {"path": "other"}}})}, 65,
                    "error: Pipfile.lock: does not match Pipfile: e1839a8 is required but not locked\n"
                    "hint: regenerate the lock file (pipenv lock) and commit it\n")


if __name__ == "__main__":
    support.main()
