# SPDX-License-Identifier: Apache-2.0
"""builder-runtime reads nothing outside of the source because the source says so, writes nothing outside of what it was
given, and removes nothing that it has not made; whatever a source nests, names or leads to."""

import hashlib
import json
import os
import pathlib
import socket
import subprocess

import support
from builder_suite import GO_HELLO, PYTHON_ARGUMENTS, BuilderSuite, content_of

INSIDE_HINT = "hint: move the file below transform.build.path: only files there are built\n"
SECRET = "s3cret-line-of-a-file-outside"


class OutputFolder(BuilderSuite):
    def refused(self, name):
        """The build is refused before it begins, and everything stays as it is."""
        source = self.folder / "source"
        before = content_of(self.folder / "out")
        result = self.build(source)
        self.assert_fails(result, 64, f"error: {self.folder}/out/{name}: would be overwritten, but was not made by a build\n"
                                      "hint: it does not belong to an artifact: move it, or choose another folder with "
                                      "--out\n")
        self.assertNotIn("compile:", result.stderr)
        self.assertEqual(content_of(self.folder / "out"), before)

    def test_files_of_the_user_are_not_removed(self):
        self.source(PYTHON_ARGUMENTS)
        for name, content in (("run.sh", "echo mine\n"), ("build.json", '{"name": "mine"}\n'), ("worker-shim", "mine"),
                              ("worker-shim/notes.txt", "mine"), ("run.sh/a", "mine"), ("build.json/a", "mine"),
                              ("build.json", "[" * 300_000)):
            with self.subTest(name=name):
                self.write(f"out/{name}", content)
                self.refused(name.split("/", maxsplit=1)[0])
                subprocess.run(["rm", "-rf", str(self.folder / "out")], check=True)

    def test_links_are_not_followed(self):
        self.source(PYTHON_ARGUMENTS)
        own = self.write("own", "mine")
        for name in ("run.sh", "build.json", "worker-shim"):
            with self.subTest(name=name):
                (self.folder / "out").mkdir()
                (self.folder / "out" / name).symlink_to(own)
                self.refused(name)
                subprocess.run(["rm", "-rf", str(self.folder / "out")], check=True)
        self.assertEqual(own.read_text(), "mine")

    def test_an_artifact_whose_files_were_edited(self):
        source = self.source(PYTHON_ARGUMENTS)
        for name in ("run.sh", "worker-shim"):
            with self.subTest(name=name):
                self.build_well(source)
                with open(self.folder / "out" / name, "ab") as file:
                    file.write(b"# mine\n")
                self.refused(name)
                (self.folder / "out" / name).unlink()

    def test_what_is_listed_is_replaced_and_all_else_stays(self):
        source = self.source(PYTHON_ARGUMENTS)
        self.build_well(source)
        whole = content_of(self.folder / "out")
        record = json.loads((self.folder / "out/build.json").read_text())
        self.assertEqual(record["files"], {name: whole[name] for name in ("run.sh", "worker-shim")})
        # Of our names, but no part of this artifact; a record that lists what is elsewhere.
        theirs = {f"bundle-{'a' * 64}.tar.zst": "mine", "base-notes.tar.zst": "mine", ".pachbuild-abcdef/notes": "mine",
                  ".pachbuild-x": "mine", "notes": "mine"}
        for name, content in theirs.items():
            self.write(f"out/{name}", content)
        outside = self.write("bundle-x.tar.zst", "mine")
        record["bundles"] = [{"file": "../bundle-x.tar.zst", "digest": "a" * 64, "bytes": 4, "unpacked_bytes": 1, "files": 1},
                             {"file": "notes", "digest": "a" * 64, "bytes": 4, "unpacked_bytes": 1, "files": 1}]
        self.write("out/build.json", json.dumps(record))
        self.build_well(source)
        self.assertEqual(content_of(self.folder / "out"),
                         {**whole, **{name: hashlib.sha256(b"mine").hexdigest() for name in theirs}})
        self.assertEqual(outside.read_text(), "mine")

    def test_what_a_killed_build_left_is_replaced(self):
        source = self.source(PYTHON_ARGUMENTS)
        self.build_well(source)
        whole = content_of(self.folder / "out")
        (self.folder / "out/run.sh").unlink()
        self.write("out/.pachbuild-Ab3dEf/build.json", "{")
        self.write("out/.pachbuild-Ab3dEf/run.sh.Xy3dEf", "#!")
        self.build_well(source)
        self.assertEqual(content_of(self.folder / "out"), whole)
        self.assertFalse((self.folder / "out/.pachbuild-Ab3dEf").exists())

    def test_a_build_script_that_writes_its_own_run_script(self):
        source = self.source({**PYTHON_ARGUMENTS, "build.sh": f'builder-runtime --source . --out "{self.folder}/out" '
                              f'--shim "{self.shim}" && echo "echo mine" > "{self.folder}/out/run.sh"\n'})
        for _ in range(2):
            self.build_well(source)
            self.assertEqual((self.folder / "out/run.sh").read_text(), "echo mine\n")


class Reads(BuilderSuite):
    """What a source names outside of itself is refused in one line, and nothing of it is shown."""

    def setUp(self):
        super().setUp()
        self.outside = self.write("outside/secret.txt", SECRET + "\n")

    def refuses(self, files, error, hint=INSIDE_HINT):
        source = self.source({**PYTHON_ARGUMENTS, **files})
        result = self.build(source)
        self.assert_fails(result, 65, f"error: {error}\n{hint}")
        self.assertNotIn(SECRET, result.stderr)
        subprocess.run(["rm", "-rf", str(source)], check=True)

    def test_included_requirements(self):
        own_hint = "hint: include a file of the source by its path relative to requirements.txt\n"
        for line in ("-r {}", "-c {}", "-r{}", "--requirement={}", "--constraint {}", "--requirement  '{}'", "-r\u00a0{}",
                     "\u3000-r {}", "six\r-r {}", "-r \\\n  {}"):
            with self.subTest(line=line):
                self.refuses({"requirements.txt": line.format(self.outside) + "\n"},
                             f"requirements.txt:{2 if 'six' in line else 1}: {self.outside} is outside the source", own_hint)
        for line, name in (("-r ../outside/secret.txt", "../outside/secret.txt"),
                           ("-c a/../../outside/secret.txt", "a/../../outside/secret.txt")):
            with self.subTest(line=line):
                self.refuses({"requirements.txt": line + "\n"}, f"requirements.txt:1: {name} is outside the source")
        self.refuses({"requirements.txt": "-r a/more.txt\n", "a/more.txt": "-r ../../outside/secret.txt\n"},
                     "a/more.txt:1: a/../../outside/secret.txt is outside the source")
        self.refuses({"requirements.txt": "-r ${FOLDER}/secret.txt\n"}, "requirements.txt:1: includes ${FOLDER}/secret.txt, "
                     "which does not exist", "")

    def test_included_urls(self):
        hint = ("hint: copy the file into the source and include it by its path: the content of a URL may change without "
                "an edit\n")
        for url in (f"file://{self.outside}", "https://example.com/r.txt", "http://me:***@example.com/r.txt"):
            with self.subTest(url=url):
                self.refuses({"requirements.txt": f"-r {url.replace('***', 'planted')}\n"},
                             f"requirements.txt:1: {url} is outside the source", hint)

    def test_variables_in_names_of_included_files(self):
        source = self.source({**PYTHON_ARGUMENTS, "requirements.txt": "-r ${FOLDER}/secret.txt\n"})
        result = self.build(source, env=self.environment(FOLDER=str(self.outside.parent)))
        self.assert_fails(result, 65, f"error: requirements.txt:1: {self.outside} is outside the source\n"
                                      "hint: include a file of the source by its path relative to requirements.txt\n")

    def test_links_out_of_the_source(self):
        for files, name, target in ((PYTHON_ARGUMENTS, "data.txt", self.outside),
                                    (PYTHON_ARGUMENTS, "requirements.txt", self.outside),
                                    (PYTHON_ARGUMENTS, "pachbuild.toml", self.outside),
                                    (PYTHON_ARGUMENTS, "a/b", self.outside.parent),
                                    ({"README": ""}, "main.py", self.outside),
                                    (GO_HELLO, "more.go", self.outside), (GO_HELLO, "a/b", self.outside.parent),
                                    (GO_HELLO, "go.work", self.outside)):
            with self.subTest(name=name):
                source = self.source(files)
                (source / name).parent.mkdir(exist_ok=True)
                (source / name).symlink_to(os.path.relpath(target, (source / name).parent))
                result = self.build(source)
                self.assert_fails(result, 65, f"error: {source}/{name}: is a symbolic link to {target}, outside the source\n"
                                              "hint: replace it with a copy\n")
                subprocess.run(["rm", "-rf", str(source)], check=True)

    def test_links_inside_of_the_source_are_followed(self):
        source = self.source({"app/tool.py": "print(1)\n", "reqs/base.txt": "# nothing\n"})
        (source / "main.py").symlink_to("app/tool.py")
        (source / "requirements.txt").symlink_to(source / "reqs/base.txt")
        (source / "again").symlink_to(".")
        (source / "nowhere").symlink_to("../nowhere")
        self.build_well(source)

    def test_a_virtual_environment_in_the_source(self):
        """Its interpreter is a link out of the source. It is no hole: nothing behind such a link is built."""
        source = self.source({**PYTHON_ARGUMENTS, ".venv/pyvenv.cfg": "home = /usr/bin\n"})
        (source / ".venv/bin").mkdir()
        (source / ".venv/bin/python").symlink_to("/usr/bin/python3")
        self.build_well(source)
        (source / ".venv/more.txt").symlink_to(self.outside)
        self.write("source/requirements.txt", "-r .venv/more.txt\n")
        result = self.build(source)
        self.assert_fails(result, 65, "error: requirements.txt:1: .venv/more.txt is outside the source: it is, or is reached through, a "
                                      f"symbolic link to {self.outside}\n{INSIDE_HINT}")
        self.assertNotIn(SECRET, result.stderr)

    def test_a_name_that_looks_like_an_option(self):
        """uv is never told by the name of a file where to write."""
        for option in ("--cache-dir", "--output-file"):
            with self.subTest(option=option):
                name = f"{option}={self.folder}/written.txt"
                self.write(f"source/{name}", "six\n")
                self.refuses({"pachbuild.toml": f'[python]\ndependencies = ["{name}"]\n'},
                             f"pachbuild.toml:2: python.dependencies: {name} begins with \"-\": uv would read it as an option",
                             "hint: rename the file\n")
                self.assertFalse((self.folder / "written.txt").exists())

    def test_words_that_become_lines_of_a_requirements_file(self):
        support.require_tool("uv")
        injected = f"1\\n-r {self.outside}"
        shown = f"1\\n-r {self.outside}"
        poetry = '[tool.poetry]\n[tool.poetry.dependencies]\na = "*"\n'
        self.refuses({"pyproject.toml": poetry, "poetry.lock":
                      f'[[package]]\nname = "a"\nversion = "{injected}"\npython-versions = "*"\n'},
                     f'poetry.lock: invalid requirement "a=={shown}"', "")
        self.refuses({"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["a"]\n', "pdm.lock":
                      f'[[package]]\nname = "a"\nversion = "{injected}"\n'}, f'pdm.lock: invalid requirement "a=={shown}"', "")
        self.refuses({"Pipfile.lock": json.dumps({"default": {"a": {"version": f"==1\n-r {self.outside}"}}})},
                     f'Pipfile.lock: invalid requirement "a=={shown}"', "")
        self.refuses({"Pipfile.lock": json.dumps({"default": {"a": {"version": "==1", "hashes": [f"x\n-r {self.outside}"]}}})},
                     f'Pipfile.lock: invalid requirement "a==1 x\\n-r {self.outside}"', "")
        self.refuses({"Pipfile": f'[packages]\na = "{injected}"\n'}, f'Pipfile: invalid requirement "a{shown}"', "")
        self.refuses({"Pipfile": f'[packages]\n"-r x" = "*"\n'},
                     'Pipfile: invalid requirement "-r x"', "")
        for key in ("groups", "extras"):
            for name in (f"x]\\n-r {self.outside}", "../outside/pyproject.toml:x", "--cache-dir=x"):
                with self.subTest(key=key, name=name):
                    self.refuses({"pachbuild.toml": f'[python]\n{key} = ["{name}"]\n'},
                                 f'pachbuild.toml:2: python.{key}: invalid name "{name}"',
                                 "hint: letters, digits, ., _ and - only\n")

    def test_paths_of_locks(self):
        support.require_tool("uv")
        hint = "hint: move it below transform.build.path: only files there are built\n"
        self.refuses({"Pipfile": '[packages]\na = {path = "../outside"}\n'}, "Pipfile: ../outside is outside the source", hint)
        self.refuses({"Pipfile.lock": json.dumps({"default": {"a": {"path": "./b/../../outside"}}})},
                     "Pipfile.lock: b/../../outside is outside the source", hint)


class Writes(BuilderSuite):
    def test_a_go_import_that_climbs_out(self):
        """It was taken for the source's own name, and the whole source copied to a folder of that name."""
        support.require_tool("go")
        for climb in ("../../../../evil", "../../evil", "..", "a/../../../../../evil", "/evil", "./evil", "a//evil",
                      "evil\\nreplace x => y"):
            with self.subTest(climb=climb):
                subprocess.run(["rm", "-rf", str(self.folder / "source")], check=True)
                source = self.source({
                    "main.go": f'package main\n\nimport _ `{climb}/sub`\n\nfunc main() {{}}\n'.replace("\\n", "\n"),
                    "sub/sub.go": "package sub\n", "vendor/x/x.go": "package x\n"})
                before = self.files_outside()
                result = self.build(source)
                self.assertIn(result.returncode, (1, 75), result.stderr)
                self.assertEqual(self.files_outside(), before)

    def files_outside(self):
        return sorted(str(path) for path in [*self.folder.rglob("*"), *self.folder.parent.glob("*evil*")]
                      if not path.is_relative_to(self.cache / "go/build") and not path.is_relative_to(self.cache / "tools")
                      and "evil" in str(path.relative_to(self.folder.parent)))


class Limits(BuilderSuite):
    def test_few_descriptors(self):
        source = self.source(PYTHON_ARGUMENTS)
        command = [support.BUILDER, "--source", source, "--out", self.folder / "out", "--shim", self.shim]
        result = self.run_program("sh", "-c", 'ulimit -n 20; exec "$@"', "sh", *command, env=self.environment())
        self.assert_fails(result, 69, "error: ulimit -n: only 20 files may be open at once; a build needs 256\n"
                                      "hint: raise the limit of the shell or container (ulimit -n 1024, --ulimit "
                                      "nofile=1024)\n")

    def test_a_soft_limit_is_raised(self):
        self.write("source/build.sh", f'ulimit -Sn >&2; echo : > "{self.folder}/out/run.sh"\n')
        source = self.source(PYTHON_ARGUMENTS)
        command = [support.BUILDER, "--source", source, "--out", self.folder / "out", "--shim", self.shim]
        result = self.run_program("sh", "-c", 'ulimit -Sn 20; ulimit -Hn 1000; exec "$@"', "sh", *command,
                                  env=self.environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("\n1000\n", result.stderr)


class CacheFolder(BuilderSuite):
    """What another user can put into the cache would be built, and run by the next datum."""

    def refuses(self, folder, what):
        source = self.source(PYTHON_ARGUMENTS)
        result = self.build(source, env=self.environment(PACHBUILD_CACHE_DIR=str(folder)))
        self.assert_fails(result, 73, f"error: {what}\nhint: use a folder that only this user and root can change, with all "
                                      "folders above it; name one in PACHBUILD_CACHE_DIR\n")

    def test_what_others_can_write(self):
        for mode in (0o777, 0o757, 0o1777, 0o775):
            with self.subTest(mode=oct(mode)):
                open_folder = self.folder / "open"
                (open_folder / "cache").mkdir(parents=True, exist_ok=True)
                (open_folder / "cache").chmod(mode)
                self.refuses(open_folder / "cache",
                             f"{open_folder}/cache: cannot be trusted: other users can write to it")
                (open_folder / "cache").chmod(0o755)
                open_folder.chmod(mode & ~0o1000)
                self.refuses(open_folder / "cache", f"{open_folder}: cannot be trusted: other users can write to it")
                open_folder.chmod(0o755)

    def test_a_link_of_another_user(self):
        support.require(os.geteuid() == 0, "only root can give a link away")
        (self.folder / "real").mkdir()
        link = self.folder / "link"
        link.symlink_to("real")
        os.chown(link, 12345, 12345, follow_symlinks=False)
        self.refuses(link, f"{link}: cannot be trusted: is a symbolic link that belongs to another user (uid 12345)")
        self.refuses(link / "below", f"{link}: cannot be trusted: is a symbolic link that belongs to another user (uid 12345)")
        os.chown(link, 0, 0, follow_symlinks=False)
        self.build_well(self.source(PYTHON_ARGUMENTS), env=self.environment(PACHBUILD_CACHE_DIR=str(link)))


class Shapes(BuilderSuite):
    """Files that are made to bring a program down get one line."""

    def refuses(self, files, error, hint="", timeout=30):
        source = self.source({**PYTHON_ARGUMENTS, **files})
        self.assert_fails(self.build(source, timeout=timeout), 65, f"error: {error}\n{hint}")
        subprocess.run(["rm", "-rf", str(source)], check=True)

    def test_deep_nesting(self):
        deep = 200_000
        self.refuses({"Pipfile.lock": "[" * deep + "]" * deep}, "Pipfile.lock: is nested too deeply")
        self.refuses({"Pipfile.lock": '{"default": ' + '{"a":' * deep + "1" + "}" * deep + "}"},
                     "Pipfile.lock: is nested too deeply")
        for text in ("\n[a" + ".a" * deep + "]\n", "\na" + ".a" * deep + " = 1\n", "\na = {b" + " . 'a'" * deep + " = 1}\n",
                     "\n[[a" + ".a" * deep + "]]\n"):
            with self.subTest(text=text[:10]):
                self.refuses({"pyproject.toml": text}, "pyproject.toml:2: is nested too deeply")
        for name in ("pachbuild.toml", "poetry.lock", "pyproject.toml", "Pipfile"):
            with self.subTest(name=name):
                source = self.source({**PYTHON_ARGUMENTS, name: "a = " + "[" * deep + "]" * deep + "\n"})
                result = self.build(source)
                self.assertEqual(result.returncode, 65, result.stderr)
                self.assertRegex(result.stderr, rf"(^|\n)error: {name}:1:\d+: invalid TOML: [^\n]+\n$")
                subprocess.run(["rm", "-rf", str(source)], check=True)

    def test_dots_that_nest_nothing(self):
        dots = "." * 100
        self.build_well(self.source({**PYTHON_ARGUMENTS, "pyproject.toml":
                                     f'[tool.x]\na = "{dots}" # {dots}\nb = """\n{dots}\n\\"{dots}"""\n'
                                     f"c = '{dots}'\nd = '''\n{dots}'''\n" + "g = [" + "1.5, " * 100 + "]\n"}))

    def test_a_long_chain_of_packages(self):
        count = 30_000
        packages = "".join(
            f'[[package]]\nname = "p{i}"\nversion = "1"\noptional = false\npython-versions = "*"\n'
            f'[package.dependencies]\np{i + 1} = "*"\n' for i in range(count))
        self.refuses({"pyproject.toml": '[tool.poetry]\n[tool.poetry.dependencies]\np0 = "*"\n', "poetry.lock": packages},
                     f"poetry.lock: does not match pyproject.toml: p{count} is required by p{count - 1} but not locked",
                     "hint: regenerate the lock file (poetry lock) and commit it\n", timeout=120)

    def test_markers(self):
        deep = 100_000
        marker = "(" * deep + "python_version > '3'" + ")" * deep
        source = self.source({**PYTHON_ARGUMENTS, "pyproject.toml": '[tool.poetry]\n[tool.poetry.dependencies]\na = "*"\n',
                              "poetry.lock": f'[[package]]\nname = "a"\nversion = "1"\npython-versions = "*"\n'
                              f'[package.dependencies]\nb = {{version = "*", markers = "{marker}"}}\n'})
        result = self.build(source)
        self.assertEqual(result.returncode, 65, result.stderr[-300:])

    def test_includes_in_a_row(self):
        files = {f"r{i}.txt": f"-r r{i + 1}.txt\n" for i in range(3_000)}
        self.refuses({"requirements.txt": "-r r0.txt\n", **files},
                     "r62.txt:1: more than 64 requirements files are nested")
        self.build_well(self.source({**PYTHON_ARGUMENTS, "requirements.txt": "-r a.txt\n", "a.txt": "-r requirements.txt\n"}))

    def test_what_is_no_regular_file(self):
        """Neither waited for nor read without end."""
        def pipe(path):
            os.mkfifo(path)

        def unix_socket(path):
            with socket.socket(socket.AF_UNIX) as listener:
                old = os.getcwd()
                os.chdir(path.parent)
                listener.bind(path.name)
                os.chdir(old)

        for make in (pipe, unix_socket):
            with self.subTest(make=make.__name__):
                source = self.source({**PYTHON_ARGUMENTS, "requirements.txt": "-r more.txt\n"})
                make(source / "more.txt")
                self.assert_fails(self.build(source, timeout=30), 65, f"error: {source}/more.txt: is not a regular file\n")
                subprocess.run(["rm", "-rf", str(source)], check=True)
        self.refuses({"requirements.txt": "-r /dev/zero\n"}, "requirements.txt:1: /dev/zero is outside the source",
                     "hint: include a file of the source by its path relative to requirements.txt\n")

    def test_a_manifest_that_is_too_large(self):
        source = self.source({**PYTHON_ARGUMENTS, "requirements.txt": ""})
        os.truncate(source / "requirements.txt", 1 << 40)
        self.assert_fails(self.build(source, timeout=30), 65,
                          f"error: {source}/requirements.txt: is too large: the limit is 64.0 MiB\n")


if __name__ == "__main__":
    support.main()
