# SPDX-License-Identifier: Apache-2.0
"""Credentials in URLs reach the server that they are for, and nothing else: no line of a log, no argument of a process,
no file of the cache or of an artifact."""

import base64
import json
import subprocess
import urllib.parse

import support
import wheels
from argument_watcher import ArgumentWatcher
from builder_suite import PYTHON_ARGUMENTS, BuilderSuite
from private_server import Server

PASSWORDS = ["plain-pl4nted", "p@ss:pl4nted", "p%40ss+/#?pl4nted"]


class Credentials(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        self.served = self.folder / "served"
        self.served.mkdir()

    def serve(self, password):
        server = Server(self.served, password)
        self.addCleanup(server.close)
        return server

    def url(self, server, password, scheme="http"):
        return f"{scheme}://me:{urllib.parse.quote(password, safe='')}@127.0.0.1:{server.server_port}"

    def environment(self, **changes):
        # A cache of uv's own: it is looked through below.
        return super().environment(UV_CACHE_DIR=str(self.folder / "uv"), UV_DEFAULT_INDEX=None, **changes)

    def assert_kept(self, password, result, arguments=()):
        forms = {password, urllib.parse.quote(password, safe=""), base64.b64encode(f"me:{password}".encode()).decode(),
                 "pl4nted"}
        for form in forms:
            self.assertNotIn(form, result.stderr)
            self.assertNotIn(form, result.stdout)
            for words in arguments:
                self.assertNotIn(form, words)
        for folder in (self.cache, self.folder / "out"):
            for path in folder.rglob("*"):
                if path.is_file():
                    content = path.read_bytes()
                    for form in forms:
                        self.assertNotIn(form.encode(), content, path)

    def git_repository(self):
        """As files that any web server can serve."""
        work = self.folder / "work"
        for path, content in wheels.HOMEMADE.items():
            self.write(f"work/{path.removeprefix('homemade/')}", content)
        self.write("work/homemade.py", "NAME = 'homemade'\n")
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main"]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *command], cwd=work, check=True, capture_output=True)
        subprocess.run([*git, "clone", "-q", "--bare", str(work), str(self.served / "homemade.git")], check=True)
        subprocess.run(["git", "update-server-info"], cwd=self.served / "homemade.git", check=True)

    def test_git(self):
        support.require_tool("git")
        self.git_repository()
        for number, password in enumerate(PASSWORDS):
            server = self.serve(password)
            url = self.url(server, password, "git+http") + "/homemade.git"
            plain = self.url(server, password) + "/homemade.git"
            pyproject = '[project]\nname = "x"\nversion = "1"\ndependencies = ["homemade"]\n'
            cases = {
                "requirements": {"requirements.txt": f"homemade @ {url}\n"},
                "included": {"requirements.txt": "-r a/b.txt\n", "a/b.txt": f"homemade @ {url}@main\n"},
                "project": {"pyproject.toml": pyproject.replace('"homemade"', f'"homemade @ {url}"')},
                "sources": {"pyproject.toml": f'{pyproject}[tool.uv.sources]\nhomemade = {{ git = "{plain}" }}\n'},
                "poetry": {"pyproject.toml": '[tool.poetry]\n[tool.poetry.dependencies]\n'
                                             f'homemade = {{ git = "{plain}", branch = "main" }}\n'},
                "pipfile": {"Pipfile": f'[packages]\nhomemade = {{ git = "{plain}", ref = "main" }}\n'},
            }
            if number > 0:
                cases = {"requirements": cases["requirements"]}
            for name, files in cases.items():
                with self.subTest(name=name, password=password):
                    subprocess.run(["rm", "-rf", *(str(self.folder / f) for f in ("source", "cache", "out", "uv"))],
                                   check=True)
                    server.authorized.clear()
                    source = self.source({**PYTHON_ARGUMENTS, **files})
                    with ArgumentWatcher() as watcher:
                        result = self.build_well(source, env=self.environment())
                    self.assertTrue(server.authorized)
                    self.assertTrue(any(" fetch " in words for words in watcher.seen), "git was not seen")
                    self.assert_kept(password, result, watcher.seen)
                    record = json.loads((self.folder / "out/build.json").read_text())
                    self.assertEqual(record["packages"], ["homemade==1"])

    def test_git_with_credentials_in_variables_and_several_for_one_server(self):
        support.require_tool("git")
        self.git_repository()
        server = self.serve(PASSWORDS[0])
        host = f"127.0.0.1:{server.server_port}"
        (self.served / "other.git").symlink_to("homemade.git")
        source = self.source({**PYTHON_ARGUMENTS, "requirements.txt":
                              f"homemade @ git+http://${{WHO}}:${{WORD}}@{host}/homemade.git\n"})
        environment = self.environment(WHO="me", WORD=PASSWORDS[0], GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="x.y",
                                       GIT_CONFIG_VALUE_0="z")
        with ArgumentWatcher() as watcher:
            result = self.build_well(source, env=environment)
        self.assert_kept(PASSWORDS[0], result, watcher.seen)
        self.write("source/requirements.txt", f"homemade @ git+http://me:{PASSWORDS[0]}@{host}/homemade.git\n"
                                              f"other @ git+http://me:wrong-pl4nted@{host}/other.git\n")
        result = self.build(source, env=environment)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("other", result.stderr)
        self.assert_kept(PASSWORDS[0], result)

    def test_an_index_and_a_wheel(self):
        name = "planted-1.0-py3-none-any.whl"
        self.write(f"served/simple/planted/{name}", wheels.wheel("planted", {"planted.py": ""}))
        self.write("served/simple/planted/index.html", f'<a href="{name}">{name}</a>')
        for password in PASSWORDS:
            server = self.serve(password)
            url = self.url(server, password)
            for lines in (f"--index-url {url}/simple\nplanted\n", f"planted @ {url}/simple/planted/{name}\n",
                          f"--extra-index-url {url}/simple\nplanted==1.0\n"):
                with self.subTest(lines=lines):
                    subprocess.run(["rm", "-rf", *(str(self.folder / f) for f in ("source", "cache", "out", "uv"))],
                                   check=True)
                    source = self.source({**PYTHON_ARGUMENTS, "requirements.txt": lines})
                    with ArgumentWatcher() as watcher:
                        result = self.build(source, env=self.environment())
                    if "extra" not in lines or result.returncode == 0:  # which also asks the public index
                        self.assertEqual(result.returncode, 0, result.stderr)
                        self.assertTrue(server.authorized)
                    self.assert_kept(password, result, watcher.seen)

    def test_an_index_of_uv_with_credentials_in_variables(self):
        name = "planted-1.0-py3-none-any.whl"
        self.write(f"served/simple/planted/{name}", wheels.wheel("planted", {"planted.py": ""}))
        self.write("served/simple/planted/index.html", f'<a href="{name}">{name}</a>')
        for options in ("explicit = true", 'default = true\nauthenticate = "always"'):
            with self.subTest(options=options):
                subprocess.run(["rm", "-rf", *(str(self.folder / f) for f in ("source", "cache", "out", "uv"))], check=True)
                server = self.serve(PASSWORDS[1])
                source = self.source({**PYTHON_ARGUMENTS, "pyproject.toml":
                                      '[project]\nname = "x"\nversion = "1"\ndependencies = ["planted"]\n[tool.uv.sources]\n'
                                      'planted = { index = "ours" }\n[[tool.uv.index]]\nname = "ours"\n'
                                      f'url = "http://127.0.0.1:{server.server_port}/simple"\n{options}\n'})
                with ArgumentWatcher() as watcher:
                    result = self.build_well(source, env=self.environment(
                        UV_INDEX_OURS_USERNAME="me", UV_INDEX_OURS_PASSWORD=PASSWORDS[1]))
                self.assertTrue(server.authorized)
                self.assert_kept(PASSWORDS[1], result, watcher.seen)

    def test_what_tools_print(self):
        """uv prints what it does not understand as it is written."""
        for url in ("https://me:pl4nted@exa mple.com/x", "https://me:pl/4nted-pl4nted@example.com:x/y", "https://me:@pl4nted@[x/y",
                    "https://me:pl4nted@example.com:99999999/x", "https://me:#@#pl4nted@example.com/x",
                    "https://ghp_pl4nted@example.com:x/y"):
            for line in (f"--index-url {url}", f"six @ {url}", f"six @ git+{url}", f"-f {url}", f"-r {url}"):
                for log in (None, "json"):
                    with self.subTest(line=line, log=log):
                        source = self.source({**PYTHON_ARGUMENTS, "requirements.txt": line + "\nsix==1.16.0\n"})
                        result = self.build(source, env=self.environment(PACHBUILD_LOG=log, UV_OFFLINE="1"))
                        self.assertNotIn("pl4nted", result.stderr)
                        self.assertNotEqual(result.returncode, 0)

    def test_what_a_build_script_prints(self):
        source = self.source({**PYTHON_ARGUMENTS, "build.sh":
                              "printf 'https://me:pl' >&2; sleep 0.1; printf '4nted@host/ https:' >&2; sleep 0.1\n"
                              "printf '//me:pl4nted@host/' >&2; exit 3\n"})
        result = self.build(source)
        self.assertNotIn("4nted", result.stderr)
        self.assertIn("https://me:***@host/ https://me:***@host/", result.stderr)

    def test_what_errors_of_ours_name(self):
        source = self.source({**PYTHON_ARGUMENTS, "pyproject.toml":
                              '[project]\nname = "x"\nversion = "1"\ndependencies = ["=x https://me:pl4nted@host/"]\n',
                              "pdm.lock": ""})
        result = self.build(source)
        self.assertEqual(result.returncode, 65)
        self.assertNotIn("pl4nted", result.stderr)
        self.assertIn("https://me:***@host/", result.stderr)


if __name__ == "__main__":
    support.main()
