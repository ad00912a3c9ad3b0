# SPDX-License-Identifier: Apache-2.0
"""builder-runtime on every kind of Python project: each is built with the real uv and run through run.sh."""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import threading

import support
from builder_suite import BuilderSuite, content_of, without_times
from wheels import HOMEMADE, wheel

DATA = support.ROOT / "tests" / "data" / "python"

# Prints what is installed in its environment, a name and version a line.
LIST = """\
import importlib.metadata, sys
for item in sorted(f"{d.metadata['Name'].lower()}=={d.version}"
                   for d in importlib.metadata.distributions(path=[p for p in sys.path if p.startswith(sys.prefix)])):
    print(item)
"""
REQUESTS = ["certifi==2026.10.18", "charset-normalizer==3.5.2", "idna==3.20", "pysocks==1.7.1", "requests==2.3",
            "six==1.16.0", "urllib3=="]
LOCAL = {"pkg/pyproject.toml": '[project]\nname = "local-one"\nversion = "1.0"\n'
                               '[tool.setuptools]\npackages = ["local_one"]\n',
         "pkg/local_one/__init__.py": "answer = 42\n"}
PROJECT = {"pyproject.toml": '[project]\nname = "counting"\nversion = "2.0"\ndependencies = ["six==1.16.0"]\n'
                             '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                             '[tool.setuptools]\npackages = ["counting"]\n',
           "counting/__init__.py": "def main():\n    import six, sys\n    print('counting', six.__version__, sys.argv[1:])\n"}


class Index(http.server.ThreadingHTTPServer):
    """A package index for whoever has the password; gives its URL."""

    def __init__(self, content, user, password):
        wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = content.get(self.path)
                status = 401 if self.headers.get("Authorization") != wanted else 404 if body is None else 200
                body = (body.encode() if isinstance(body, str) else body) if status == 200 else b""
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *arguments):
        self.shutdown()
        super().__exit__(*arguments)


class ProjectSuite(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")

    def packages(self, out="out"):
        return json.loads((self.folder / out / "build.json").read_text())["packages"]

    def check(self, files, expected, *arguments, **options):
        """Builds, runs, and compares what the program prints."""
        source = self.source(files)
        result = self.build_well(source, **options)
        run = self.run_artifact(source, *arguments)
        self.assertEqual((run.returncode, run.stdout), (0, expected), run.stderr)
        return result


class Locks(ProjectSuite):
    """Locks that the real tools made, of the same project: requests[socks], six, something for Windows only, an extra
    `pad` with leftpad, and a group of development tools."""

    def setUp(self):
        super().setUp()
        support.require_network()

    def lock(self, name, settings=""):
        source = self.folder / "source"
        shutil.copytree(DATA / name, source)
        self.write("source/main.py", LIST)
        if settings:
            self.write("source/pachbuild.toml", settings)
        return source

    def check_lock(self, name, setting='extras = ["pad"]', extra=("leftpad==0.1.2",)):
        source = self.lock(name, f"[python]\n{setting}\n" if setting else "")
        self.build_well(source)
        run = self.run_artifact(source)
        expected = sorted([*REQUESTS, *extra])
        got = run.stdout.split()
        self.assertEqual([line[:len(want)] for line, want in zip(got, expected)], expected, run.stdout + run.stderr)
        self.assertEqual(len(got), len(expected), got)

    def test_uv(self):
        self.check_lock("uv")

    @support.long_test
    def test_pylock(self):
        self.check_lock("pylock", "", ())

    def test_poetry(self):
        self.check_lock("poetry")

    @support.long_test
    def test_poetry_of_before_2(self):
        self.check_lock("poetry-1.8", "", ())

    @support.long_test
    def test_pdm(self):
        self.check_lock("pdm")

    @support.long_test
    def test_pipenv(self):
        self.check_lock("pipenv", 'groups = ["pad"]')

    def test_an_index_that_a_manifest_names(self):
        """With credentials in the variables of the tool whose manifest it is; nothing is there without them."""
        content = wheel("ours", {"ours.py": "answer = 42\n"})
        digest = hashlib.sha256(content).hexdigest()
        file = "ours-1.0-py3-none-any.whl"
        with Index({"/simple/ours/": f'<a href="/files/{file}#sha256={digest}">{file}</a>', f"/files/{file}": content},
                   "someone", "secret-word") as url:
            open_url = url.replace("://", "://someone:secret-word@")
            main = {"main.py": "import ours; print(ours.answer)\n"}
            poetry = ('[tool.poetry]\nname = "x"\nversion = "1"\npackage-mode = false\n[tool.poetry.dependencies]\n'
                      f'python = "^3.8"\nours = {{ version = "1.0", source = "mine" }}\n[[tool.poetry.source]]\n'
                      f'name = "mine"\nurl = "{url}/simple"\npriority = "explicit"\n')
            entry = f'[[package]]\nname = "ours"\nversion = "1.0"\noptional = false\npython-versions = "*"\ngroups = ["main"]\n'
            files = f'files = [{{ file = "{file}", hash = "sha256:{digest}" }}]\n'
            pipfile = {"default": {"ours": {"version": "==1.0", "index": "mine", "hashes": [f"sha256:{digest}"]}}, "develop": {},
                       "_meta": {"sources": [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": True},
                                             {"name": "mine", "url": f"{open_url}/simple", "verify_ssl": True}]}}
            for name, sources in {
                "poetry": {"pyproject.toml": poetry, "poetry.lock": entry + files +
                           f'[package.source]\ntype = "legacy"\nurl = "{url}/simple"\nreference = "mine"\n'
                           '[metadata]\nlock-version = "2.1"\npython-versions = "^3.8"\n'},
                "poetry without a lock": {"pyproject.toml": poetry},
                "pdm": {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["ours==1.0"]\n'
                                          f'[[tool.pdm.source]]\nname = "mine"\nurl = "{open_url}/simple"\n',
                        "pdm.lock": '[metadata]\nlock_version = "4.5.0"\n[[package]]\nname = "ours"\nversion = "1.0"\n'
                                    f'groups = ["default"]\n{files}'},
                "pipenv": {"Pipfile": f'[[source]]\nname = "mine"\nurl = "{open_url}/simple"\n[packages]\nours = "==1.0"\n',
                           "Pipfile.lock": json.dumps(pipfile)},
            }.items():
                with self.subTest(name):
                    shutil.rmtree(self.folder / "source", ignore_errors=True)
                    result = self.check({**main, **sources}, "42\n", env=self.environment(
                        POETRY_HTTP_BASIC_MINE_USERNAME="someone", POETRY_HTTP_BASIC_MINE_PASSWORD="secret-word"))
                    self.assertNotIn("secret-word", result.stderr + (self.folder / "out/build.json").read_text())

    def test_hashes_are_checked(self):
        for name in ("uv", "poetry", "pdm", "pipenv") if support.LONG else ("pdm",):
            with self.subTest(name):
                source = self.lock(name)
                lock = next(path for path in source.iterdir() if path.name.endswith(".lock"))
                text = lock.read_text()
                # Of six: both of its files.
                for digest in ("8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254",
                               "1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926"):
                    self.assertIn(digest, text)
                    text = text.replace(digest, "0" * 64)
                lock.write_text(text)
                result = self.build(source)
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertIn("Hash mismatch", result.stderr)
                shutil.rmtree(source)

    def test_a_lock_that_does_not_match_names_the_dependency(self):
        changes = {
            "poetry": ("pyproject.toml", 'six = "~1.16"', 'six = "^1.17"',
                       "error: poetry.lock: does not match pyproject.toml: six 1.16.0 is locked, but pyproject.toml "
                       "requires six>=1.17,<2\nhint: regenerate the lock file (poetry lock) and commit it\n"),
            "poetry-1.8": ("pyproject.toml", 'six = "~1.16"', 'flask = "^3"',
                           "error: poetry.lock: does not match pyproject.toml: flask is required "
                           "but not locked\nhint: regenerate the lock file (poetry lock) and commit it\n"),
            "pdm": ("pyproject.toml", "six~=1.16.0", "six>=1.17",
                    "error: pdm.lock: does not match pyproject.toml: six 1.16.0 is locked, but pyproject.toml requires "
                    "six>=1.17\nhint: regenerate the lock file (pdm lock) and commit it\n"),
            "pipenv": ("Pipfile", 'six = "~=1.16.0"', 'six = ">=1.17"',
                       "error: Pipfile.lock: does not match Pipfile: six 1.16.0 is locked, but Pipfile requires six>=1.17\n"
                       "hint: regenerate the lock file (pipenv lock) and commit it\n"),
            "uv": ("pyproject.toml", "six~=1.16.0", "six>=1.17",
                   "error: uv.lock: does not match pyproject.toml: six 1.16.0 is locked, but pyproject.toml requires "
                   "six>=1.17\nhint: regenerate the lock file (uv lock) and commit it\n"),
        }
        for name, (file, old, new, message) in changes.items():
            with self.subTest(name):
                source = self.lock(name)
                text = (source / file).read_text()
                self.assertIn(old, text)
                (source / file).write_text(text.replace(old, new))
                self.assert_fails(self.build(source), 65, message)
                shutil.rmtree(source)

    def test_two_locks_of_different_tools(self):
        source = self.lock("poetry")
        shutil.copy(DATA / "pdm" / "pdm.lock", source)
        self.assert_fails(self.build(source), 65, (
            "error: conflicting lock files: poetry.lock and pdm.lock\n"
            "hint: remove the outdated lock file, or set python.dependencies in pachbuild.toml to the right one\n"))
        self.write("source/pachbuild.toml", '[python]\ndependencies = "pdm.lock"\n')
        self.assertIn("detect: python, pdm.lock\n", without_times(self.build(source, env=self.environment(PATH="")).stderr))

    def test_the_resolved_set_is_in_build_json_and_printed_as_a_lock(self):
        self.build_well(self.source({"main.py": "", "requirements.txt": "six<1.17\n"}))
        line = ("six==1.16.0 --hash=sha256:1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926 "
                "--hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254")
        record = json.loads((self.folder / "out/build.json").read_text())
        self.assertEqual(record["requirements"], [line])
        printed = self.run_program(support.PACHBUILD, "inspect", "--requirements", self.folder / "out")
        self.assertEqual((printed.returncode, printed.stdout), (0, line + "\n"), printed.stderr)
        self.check({"main.py": "import six; print(six.__version__)\n", "requirements.txt": printed.stdout}, "1.16.0\n")
        shown = self.run_program(support.PACHBUILD, "inspect", self.folder / "out/build.json").stdout
        for start in ("builder     python ", "platform    linux/", "bundle      bundle-",
                      "command     python /pfs/source/main.py\n", "packages    six==1.16.0\n"):
            self.assertIn(start, shown)

    def test_inspect_needs_an_artifact(self):
        result = self.run_program(support.PACHBUILD, "inspect", self.folder)
        self.assert_fails(result, 65, f"error: {self.folder}/build.json: cannot read: no such file or folder\n"
                                      "hint: name the output folder of a build\n")


class Requirements(ProjectSuite):
    def setUp(self):
        super().setUp()
        support.require_network()

    def test_everything_a_requirements_file_can_say(self):
        program = "import six, idna, local_one\nprint(six.__version__, idna.__version__, local_one.answer)\n"
        self.check({
            "main.py": program, **LOCAL,
            "requirements.txt": "\ufeff# a comment\r\n-r more/base.txt  # nested\r\n-c more/limits.txt\r\n"
                                "colorama ; sys_platform == 'win32'\r\n./pkg\r\n--prefer-binary\r\n",
            "more/base.txt": "six \\\n  >= 1.15\n-r deeper.txt\n", "more/deeper.txt": "idna>=3\n",
            "more/limits.txt": "six==1.16.0\nidna==3.10\n",
        }, "1.16.0 3.10 42\n")
        self.assertEqual(self.packages(), ["idna==3.10", "local-one==1.0", "six==1.16.0"])

    def test_hashes_of_its_own(self):
        good = "six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254\n"
        self.check({"main.py": "import six; print(six.__version__)", "requirements.txt": good}, "1.16.0\n")
        result = self.build(self.source({"main.py": "", "requirements.txt": good.replace("8abb", "0abb")}, name="bad"))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("Hash mismatch", result.stderr)

    def test_an_editable_project_is_no_pointer_into_the_source(self):
        source = self.source({"main.py": "import local_one, sys\nprint(local_one.__file__.startswith(sys.prefix))\n",
                              "requirements.txt": "-e ./pkg\n", **LOCAL})
        self.build_well(source)
        run = self.run_artifact(source)
        self.assertEqual((run.returncode, run.stdout), (0, "True\n"), run.stderr)

    @support.long_test
    def test_wheels_in_a_folder_without_an_index(self):
        uv = support.require_tool("uv")
        self.source({"main.py": "import local_one; print(local_one.answer)\n",
                     "requirements.txt": "--no-index\n--find-links wheels\nlocal-one\n", **LOCAL})
        self.run_program(uv, "build", "-q", "--wheel", self.folder / "source/pkg", "-o", self.folder / "source/wheels",
                         env=self.environment())
        shutil.rmtree(self.folder / "source/pkg")
        self.check({}, "42\n")

    @support.long_test
    def test_variables_and_direct_urls(self):
        self.check({"main.py": "import six; print(six.__version__)",
                    "requirements.txt": "six @ ${FILES}/packages/d9/5a/e7c31adbe875f2abbb91bd84cf2dc52d792b5a01506781dbcf25c"
                                        "91daf11/six-1.16.0-py2.py3-none-any.whl\n"},
                   "1.16.0\n", env=self.environment(FILES="https://files.pythonhosted.org"))

    @support.long_test
    def test_what_the_index_has_today_can_be_asked_each_time(self):
        files = {"main.py": "import six; print(six.__version__)\n", "requirements.txt": "six<1.17\n",
                 "pachbuild.toml": "[python]\nrefresh = 'always'\n"}
        self.check(files, "1.16.0\n")
        self.assertIn("compile: nothing to do, the bundle is in the cache", self.check(files, "1.16.0\n").stderr)
        self.write("source/pachbuild.toml", "")
        self.assertIn("compile: the installed dependencies are in the cache", self.build_well(self.folder / "source").stderr)

    def test_an_environment_that_cannot_be_written_serves_everyone(self):
        if os.getuid() != 0:
            self.skipTest("only root can become someone else")
        program = ("import os, six, sys\n"
                   "assert not any(p.startswith(sys.base_prefix + '/') and p.endswith('-packages') for p in sys.path), sys.path\n"
                   "assert six.__file__.startswith(sys.prefix)\n"
                   "print(os.getuid(), six.__version__)\n")
        source = self.source({"main.py": program, "requirements.txt": "six==1.16.0\n"})
        # The distribution's interpreter, which everyone may start.
        self.build_well(source, env=self.environment(PATH=f"{support.TOOLS}/bin:/usr/bin:/bin"))
        self.assertEqual(self.run_artifact(source).returncode, 0)  # puts all that is needed into the cache
        for path in [self.folder, *self.folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444)
        self.addCleanup(lambda: [path.chmod(0o755) for path in [self.folder, *self.folder.rglob("*")]
                                 if path.is_dir() and not path.is_symlink()])
        command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "/pfs/build/run.sh"]
        self.folder.chmod(0o755)
        run = self.in_room(source, *command, build=self.folder / "out")
        self.assertEqual((run.returncode, run.stdout), (0, "65534 1.16.0\n"), run.stderr)

    def test_the_same_packages_by_other_words_are_not_installed_again(self):
        self.check({"main.py": LIST, "requirements.txt": "six==1.16.0\n"}, "six==1.16.0\n")
        first = content_of(self.folder / "out")
        result = self.check({"main.py": LIST, "requirements.txt": "# needed\nsix >=1.16, <1.17\n"}, "six==1.16.0\n")
        self.assertIn("compile: the installed dependencies are in the cache", result.stderr)
        second = content_of(self.folder / "out")
        self.assertEqual({**first, "build.json": ""}, {**second, "build.json": ""})

    @support.long_test
    def test_several_files_by_setting(self):
        self.check({"main.py": LIST, "requirements/base.txt": "six==1.16.0\n", "requirements/prod.txt": "idna==3.10\n",
                    "pachbuild.toml": '[python]\ndependencies = ["requirements/base.txt", "requirements/prod.txt"]\n'},
                   "idna==3.10\nsix==1.16.0\n")


class Projects(ProjectSuite):
    def setUp(self):
        super().setUp()
        support.require_network()

    def test_a_project_without_a_build_system_has_its_dependencies_installed(self):
        self.check({"main.py": LIST, "pyproject.toml": '[project]\nname = "counting"\nversion = "1"\n'
                                                       'dependencies = ["six==1.16.0"]\n'}, "six==1.16.0\n")

    def test_a_project_with_a_build_system_is_installed(self):
        source = self.source({**PROJECT, "main.py": LIST})
        before = sorted(str(path) for path in source.rglob("*"))
        self.build_well(source)
        self.assertEqual(sorted(str(path) for path in source.rglob("*")), before)
        run = self.run_artifact(source)
        self.assertEqual(run.stdout, "counting==2.0\nsix==1.16.0\n", run.stderr)

    def test_an_edit_of_an_installed_project_installs_nothing_else(self):
        module = "src/counting/__init__.py"
        files = {**HOMEMADE, "homemade/homemade.py": "answer = 42\n",
                 "main.py": "import counting, homemade, sys\ncounting.main()\nprint(homemade.answer,\n"
                            "all(m.__file__.startswith(sys.prefix) for m in (counting, counting.six, homemade)))\n",
                 module: "import six\n" + PROJECT["counting/__init__.py"],
                 "pyproject.toml": PROJECT["pyproject.toml"].replace('"six==1.16.0"', '"six==1.16.0", "homemade"') +
                 'package-dir = { "" = "src" }\n[tool.uv.sources]\nhomemade = { path = "./homemade" }\n'}
        self.check(files, "counting 1.16.0 []\n42 True\n")
        self.assertEqual(self.packages(), ["counting==2.0", "homemade==1", "six==1.16.0"])
        first = content_of(self.folder / "out")
        self.assertEqual(sorted(name.split("-")[0] for name in first), ["base", "build.json", "bundle", "environment.sh", "run.sh", "worker"])
        files[module] = files[module].replace("'counting'", "'edited'")
        files["homemade/homemade.py"] = "answer = 43\n"
        result = self.check(files, "edited 1.16.0 []\n43 True\n")
        self.assertIn("compile: the installed dependencies are in the cache", result.stderr)
        self.assertIn("compile: installed 2 packages", result.stderr)
        same = {name.split("-")[0] for name, _ in first.items() & content_of(self.folder / "out").items()}
        self.assertEqual(same, {"base", "worker"})
        shown = self.run_program(support.PACHBUILD, "inspect", self.folder / "out").stdout
        self.assertRegex(shown, r"(?m)^bundle +bundle-.*\n +base-.*$")

    def test_versions_that_were_chosen_stay_through_edits(self):
        """Of a project whose requirements cannot come from its code; nothing of the index is asked again."""
        files = {"main.py": "import homemade, six; print(homemade.answer, six.__version__ >= '1')\n", **HOMEMADE,
                 "requirements.txt": "six\n./homemade\n", "homemade/homemade.py": "answer = 1\n"}
        self.check(files, "1 True\n")
        files["homemade/homemade.py"] = "answer = 2\n"
        offline = self.environment(UV_OFFLINE="1", UV_CACHE_DIR=str(self.folder / "empty"))
        self.check(files, "2 True\n", env=offline)
        # The same where code decides, or the words have changed: it has to be asked.
        files["homemade/setup.py"] = ""
        self.assertEqual(self.build(self.source(files), env=offline).returncode, 1)
        (self.folder / "source/homemade/setup.py").unlink()
        self.write("source/requirements.txt", "six # any\n./homemade\n")
        self.assertEqual(self.build(self.folder / "source", env=offline).returncode, 1)

    def test_a_path_of_one_word_is_no_package_of_the_index(self):
        """uv writes such a path as a bare word, by which the index has another package."""
        files = {"main.py": LIST, "local/pyproject.toml": '[project]\nname = "mine"\nversion = "7"\n',
                 "local/mine.py": "", "pyproject.toml":
                 '[project]\nname = "counting"\nversion = "1"\ndependencies = ["mine"]\n'
                 '[tool.uv.sources]\nmine = { path = "local" }\n'}
        self.check(files, "mine==7\n")

    @support.long_test
    def test_its_only_script_is_the_program(self):
        files = {**PROJECT, "pyproject.toml": PROJECT["pyproject.toml"] + '[project.scripts]\ncount = "counting:main"\n'}
        self.check(files, "counting 1.16.0 ['a b', '']\n", "a b", "")

    @support.long_test
    def test_poetry_without_a_lock(self):
        self.check({"main.py": LIST, "pyproject.toml":
                    '[tool.poetry]\nname = "counting"\nversion = "1"\n[tool.poetry.dependencies]\npython = "^3.8"\n'
                    'six = "1.16.0"\nidna = { version = "~3.10", python = ">=3.8" }\n'
                    'colorama = { version = "*", markers = "sys_platform == \'win32\'" }\n'
                    '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'},
                   "idna==3.10\nsix==1.16.0\n")

    @support.long_test
    def test_setup_py_and_setup_cfg(self):
        module = {"main.py": "import old; print(old.name)\n", "old/__init__.py": "name = 'old'\n"}
        self.check({**module, "setup.py": "from setuptools import setup\nsetup(name='old', version='1', packages=['old'], "
                                          "install_requires=['six==1.16.0'])\n"}, "old\n")
        self.assertEqual(self.packages(), ["old==1", "six==1.16.0"])
        shutil.rmtree(self.folder / "source")
        self.check({**module, "setup.cfg": "[metadata]\nname = old\nversion = 2\n[options]\npackages = old\n"
                                           "install_requires = six==1.16.0\n"}, "old\n")
        self.assertEqual(self.packages(), ["old==2", "six==1.16.0"])

    @support.long_test
    def test_pipfile_without_a_lock(self):
        self.check({"main.py": LIST, "Pipfile":
                    '[[source]]\nurl = "https://pypi.org/simple"\nverify_ssl = true\nname = "pypi"\n'
                    '[packages]\nsix = "==1.16.0"\nidna = { version = "==3.10", markers = "python_version >= \'3\'" }\n'
                    '[dev-packages]\ncolorama = "*"\n'}, "idna==3.10\nsix==1.16.0\n")

    def test_conda(self):
        source = self.source({"main.py": "", "environment.yml": "dependencies: [numpy]\n"})
        self.assert_fails(self.build(source), 65, (
            "error: environment.yml: conda environments cannot be built\n"
            "hint: list its packages in requirements.txt, one per line, under their PyPI names: numpy; for packages that only conda has, use an image of your own, without transform.build\n"))


class Sdists(ProjectSuite):
    C_PACKAGE = {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                          '[project]\nname = "adder"\nversion = "1"\n',
        "setup.py": "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('adder', ['adder.c'])])\n",
        "adder.c": '#include <Python.h>\nstatic PyObject *add(PyObject *self, PyObject *args) { long a, b; '
                   'if (!PyArg_ParseTuple(args, "ll", &a, &b)) return NULL; return PyLong_FromLong(a + b); }\n'
                   'static PyMethodDef methods[] = {{"add", add, METH_VARARGS, ""}, {0}};\n'
                   'static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "adder", 0, -1, methods};\n'
                   'PyMODINIT_FUNC PyInit_adder(void) { return PyModule_Create(&module); }\n',
    }
    def package(self, **changes):
        files = {f"adder/{name}": text for name, text in {**self.C_PACKAGE, **changes}.items()}
        return {"main.py": "import adder; print(adder.add(20, 22))\n", "requirements.txt": "./adder\n", **files}

    @support.long_test
    def test_one_that_compiles(self):
        support.require_network()
        if not list(pathlib.Path("/usr/include").glob("python3*/Python.h")):
            self.skipTest("Python's headers (python3-dev) are not installed")
        self.check(self.package(), "42\n")

    def test_one_that_fails_shows_the_compiler_and_names_the_package(self):
        support.require_network()
        source = self.source(self.package(**{"adder.c": "#error \"no such luck\"\n"}))
        result = self.build(source)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("no such luck", result.stderr)
        self.assertIn("adder", result.stderr)
        self.assertTrue(result.stderr.endswith(
            "error: requirements.txt: installation failed: uv exited with code 1\n"
            "hint: see uv's output above\n"), result.stderr)

    def test_a_header_that_is_missing_is_named_with_its_package(self):
        support.require_network()
        for header, rest in (("libxml/none.h", ": install the Debian package libxml2-dev\n"),
                             ("none.h", "; if it is not part of the project, packages.debian.org or apt-file search none.h shows which package provides it\n")):
            with self.subTest(header):
                source = self.source(self.package(**{"adder.c": f"#include <{header}>\n"}))
                self.assert_fails(self.build(source), 1, (
                    "error: requirements.txt: installation failed: uv exited with code 1\n"
                    f"hint: see uv's output above; {header} is missing{rest}"))

    @support.long_test
    def test_sdists_in_a_folder_without_an_index(self):
        """setuptools comes from the wheels beside the builder."""
        support.require_network()
        uv = support.require_tool("uv")
        (self.folder / "bin").mkdir()
        wheels = self.folder / "share/pachbuild/wheels"
        builder = shutil.copy(support.BUILDER, self.folder / "bin")
        python = support.TOOLS / "venv/bin/python"
        self.run_program(python, "-m", "pip", "download", "-q", "--no-deps", "-d", wheels, "setuptools==75.8.0", "wheel==0.45.1",
                         env=self.environment())
        source = self.source({"main.py": "import local_one; print(local_one.answer)\n",
                              "requirements.txt": "--no-index\n--find-links vendor\nlocal-one\n", **LOCAL})
        self.run_program(uv, "build", "-q", "--sdist", source / "pkg", "-o", source / "vendor", env=self.environment())
        shutil.rmtree(source / "pkg")
        result = self.run_program(builder, "--source", source, "--out", self.folder / "out", "--shim", self.shim,
                                  env=self.environment(UV_CACHE_DIR=str(self.folder / "uv")))
        self.assertEqual(result.returncode, 0, result.stderr)
        run = self.run_artifact(source)
        self.assertEqual((run.returncode, run.stdout), (0, "42\n"), run.stderr)

    def test_a_backend_of_its_own(self):
        self.check({"main.py": "import homemade; print(homemade.origin)\n", "requirements.txt": "./homemade\n", **HOMEMADE,
                    "homemade/homemade.py": "origin = 'our own backend'\n"}, "our own backend\n")


class Entries(ProjectSuite):
    """Which file is the program. Nothing is installed."""

    GUARDED = "def main():\n    print('guarded')\nif __name__ == \"__main__\":\n    main()\n"

    def test_the_program_is_found(self):
        for files, expected in (
                ({"main.py": "print('main')", "__main__.py": "print('other')"}, "main"),
                ({"__main__.py": "print('package main')", "tool.py": ""}, "package main"),
                ({"tool.py": "print('only one')", "setup.cfg.txt": "", "conftest.py": ""}, "only one"),
                ({"tool.py": self.GUARDED, "library.py": "x = 1\n"}, "guarded"),
                ({"pyproject.toml": '[tool.black]\nline-length = 100\n', "run.py": "print('run')"}, "run")):
            with self.subTest(files=list(files)):
                self.check(files, expected + "\n")
                shutil.rmtree(self.folder / "source")

    def test_the_settings_name_it(self):
        module = {"main.py": "print('main')\n", "kit/__init__.py": "def go():\n    print('function')\n",
                  "kit/__main__.py": "import sys\nprint('module', sys.argv[1:])\n", "bin/tool.py": "print('script')\n"}
        for program, expected in (("bin/tool.py", "script"), ("kit", "module []"), ("kit:go", "function")):
            with self.subTest(program):
                self.check({**module, "pachbuild.toml": f'[python]\nprogram = "{program}"\n'}, expected + "\n")

    def test_arguments_and_variables_by_setting(self):
        program = "import os, sys\nprint(sys.argv[1:], os.environ['GREETING'], os.environ['OTHER'])\n"
        self.check({"main.py": program, "pachbuild.toml": "arguments = ['--fast', 'a b']\n"
                                                          "environment = { GREETING = \"it's $HOME\", OTHER = 'x' }\n"},
                   "['--fast', 'a b', 'mine'] it's $HOME x\n", "mine")
        run = self.run_artifact(self.folder / "source", env=self.environment(OTHER="of the pipeline"))
        self.assertEqual(run.stdout, "['--fast', 'a b'] it's $HOME of the pipeline\n", run.stderr)

    def test_data_files_beside_the_program(self):
        self.check({"main.py": "print(open('words.txt').read(), end='')\n", "words.txt": "beside\n"}, "beside\n")

    def test_none_and_several_are_errors(self):
        hint = "hint: name the program main.py, or set python.program in pachbuild.toml\n"
        for files, what in (
                ({"requirements.txt": ""}, "no program found: expected main.py or another .py file at the root"),
                ({"a.py": "", "b.py": ""}, "cannot tell which file is the program: a.py, b.py"),
                ({"a.py": self.GUARDED, "b.py": self.GUARDED, "c.py": ""}, "contains several programs: a.py, b.py")):
            with self.subTest(what):
                source = self.source(files)
                self.assert_fails(self.build(source), 65, f"error: {source}: {what}\n{hint}")
                shutil.rmtree(source)

    def test_a_syntax_error_in_the_program(self):
        source = self.source({"tool.py": "def f(:\n"})
        result = self.build(source)
        self.assert_fails(result, 1, f"error: {source}/tool.py: is not valid Python\n"
                                     "hint: see Python's output above\n")
        self.assertIn("SyntaxError: invalid syntax", result.stderr)


class Settings(ProjectSuite):
    def test_wrong_settings(self):
        for text, message in (
                ("languag = 'python'\n", "error: pachbuild.toml:1: languag: unknown setting\n"
                                         'hint: did you mean "language"?\n'),
                ("foo = 1\n", "error: pachbuild.toml:1: foo: unknown setting\n"
                              "hint: valid settings: language, arguments, environment, python, go, node, r, rust, shell\n"),
                ("[python]\nextras = 3\n", "error: pachbuild.toml:2: python.extras: must be a list, not a number\n"),
                ("[python]\nrefresh = 'weekly'\n", "error: pachbuild.toml:2: python.refresh: invalid value \"weekly\"\n"
                                                   "hint: expected never, daily or always\n"),
                ("[python\n", "error: pachbuild.toml:1:8: invalid TOML: "),
                ("language = 'cobol'\n", "error: pachbuild.toml:1: language: no builder for \"cobol\"\n"
                                         "hint: available languages: python, go, node, r, rust and shell\n"),
                ("[python]\nprogram = 'x.py'\n", "error: pachbuild.toml:2: python.program: no file x.py in the source\n"),
                ("[python]\ndependencies = '../x.txt'\n",
                 "error: pachbuild.toml:2: python.dependencies: ../x.txt is outside the source\n"
                 "hint: move the file below transform.build.path: only files there are built\n"),
                ("[environment]\n'A-B' = 'x'\n", "error: pachbuild.toml:2: environment: invalid variable name \"A-B\"\n"
                                                 "hint: letters, digits and _ only\n")):
            with self.subTest(text):
                result = self.build(self.source({"main.py": "", "pachbuild.toml": text}))
                self.assertEqual(result.returncode, 65, result.stderr)
                self.assertIn(message, result.stderr)

    def test_groups_and_extras_that_the_project_has_not(self):
        project = "[project]\nname = 'x'\nversion = '1'\ndependencies = ['leftpad']\n[dependency-groups]\ndev = []\n"
        for setting, message in (
                ("groups = ['dve']", 'python.groups: pyproject.toml has no group dve\nhint: did you mean "dev"?\n'),
                ("groups = ['serve']", "python.groups: pyproject.toml has no group serve\nhint: it has dev\n"),
                ("extras = ['plot']", "python.extras: pyproject.toml has no extra plot\n")):
            with self.subTest(setting):
                files = {"main.py": "", "pyproject.toml": project, "pachbuild.toml": f"[python]\n{setting}\n"}
                self.assert_fails(self.build(self.source(files)), 65, f"error: pachbuild.toml:2: {message}")

    def test_in_pyproject_too_but_not_in_both(self):
        files = {"main.py": "import sys; print(sys.argv[1:])", "pyproject.toml": "[tool.pachbuild]\narguments = ['x']\n"}
        self.check(files, "['x']\n")
        self.assert_fails(self.build(self.source({**files, "pachbuild.toml": "arguments = ['y']\n"})), 65, (
            "error: pachbuild.toml: conflicts with [tool.pachbuild] in pyproject.toml: both contain settings\nhint: keep one of them\n"))


class Interpreters(ProjectSuite):
    def test_a_pin_that_fits_and_one_that_does_not(self):
        self.check({"main.py": "print('fits')\n", ".python-version": "3\n"}, "fits\n")
        source = self.source({".python-version": "# a comment\n3.99.1\n"})
        result = self.build(source)
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("error: .python-version (3.99.1): this version of Python is not available here; available: 3.", result.stderr)
        self.assertTrue(result.stderr.endswith(
            "hint: install it, build in an image that has it (python:X.Y-slim), or change the required version\n"), result.stderr)

    def test_malformed_and_contradicting_pins(self):
        self.assert_fails(self.build(self.source({"main.py": "", ".python-version": "my-virtualenv\n"})), 65, (
            "error: .python-version: invalid Python version \"my-virtualenv\"\n"
            "hint: write it like 3.11, 3.11.4 or >=3.9\n"))
        project = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\n'
        self.assert_fails(self.build(self.source({".python-version": "3.11\n", "pyproject.toml": project})), 65, (
            "error: .python-version (3.11) and pyproject.toml: project.requires-python (>=3.12): contradict each other\n"
            "hint: change one, or choose with python.version in pachbuild.toml\n"))

    def test_another_interpreter_is_chosen_by_a_pin(self):
        # One that says it is 3.8 and is this one all the same: what counts is that it is asked and chosen.
        real = support.require_tool("python3")
        self.write("root/versions/3.8.7/bin/python3",
                   f'#!/bin/sh\n{real} "$@" | sed -e "1s|/.*|$0|" -e "s/^python_full_version .*/python_full_version 3.8.7/"\n', mode=0o755)
        source = self.source({"main.py": "", ".python-version": "3.8\n"})
        env = self.environment(PYENV_ROOT=str(self.folder / "root"))
        self.build_well(source, env=env)
        self.write("root/versions/3.8.7/bin/python3", "#!/bin/sh\nexit 1\n", mode=0o755)
        self.assertEqual(self.build(source, env=env).returncode, 69)


class Configuration(ProjectSuite):
    def setUp(self):
        super().setUp()
        support.require_network()

    def test_pip_configuration_counts(self):
        """An index that only pip is told of, with credentials; and another in pip.conf, which the variable overrides."""
        source = self.source({"main.py": "", "requirements.txt": "six==1.16.0\n"})
        self.write("home/.config/pip/pip.conf", "[global]\nindex-url = http://127.0.0.1:9/from-file/simple\n")
        env = self.environment(HOME=str(self.folder / "home"), UV_DEFAULT_INDEX=None, UV_INDEX_URL=None, PIP_INDEX_URL=None,
                               UV_HTTP_RETRIES="0")
        result = self.build(source, env=env)
        self.assertEqual(result.returncode, 75, result.stderr)
        self.assertIn("127.0.0.1:9/from-file", result.stderr)
        env["PIP_INDEX_URL"] = "http://someone:secret-word@127.0.0.1:9/from-variable/simple"
        result = self.build(source, env=env)
        self.assertEqual(result.returncode, 75, result.stderr)
        self.assertIn("127.0.0.1:9/from-variable", result.stderr)
        self.assertNotIn("secret-word", result.stderr)

    def test_no_index_and_links_of_pip(self):
        source = self.source({"main.py": "", "requirements.txt": "six==1.16.0\n"})
        env = self.environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.folder / "nothing"))
        result = self.build(source, env=env)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("six", result.stderr)


if __name__ == "__main__":
    support.main()
