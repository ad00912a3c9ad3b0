# SPDX-License-Identifier: Apache-2.0
"""What decides a bundle is in its key, and nothing else is: each input is changed in turn, the environments of tools are
looked at, real builds are traced for what they read and did not say, and sources change while they are built."""

import functools
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import threading

import support
from builder_suite import GO_HELLO, BuilderSuite
from wheels import HOMEMADE, wheel

C_MAIN = 'package main\n\n// int three(void) { return 3; }\nimport "C"\nimport "fmt"\n\nfunc main() { fmt.Println(C.three()) }\n'
LIBRARY = 'package words\n\nfunc Word() string { return "word" }\n'
USES_LIBRARY = 'package main\n\nimport "example.com/words"\n\nfunc main() { println(words.Word()) }\n'

# What a pod, a job, a user or a session has, and what only says how things are reached.
SURROUNDINGS = {
    "HOSTNAME": "pod-1", "USER": "somebody", "LOGNAME": "somebody", "LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Asia/Tokyo", "TERM": "vt100", "SHLVL": "7", "OLDPWD": "/", "SSH_CLIENT": "10.0.0.1 22", "DISPLAY": ":1",
    "PACH_JOB_ID": "0a", "PACH_OUTPUT_COMMIT_ID": "0a", "PPS_POD_NAME": "pod-1", "PPS_SPEC_COMMIT": "0b", "FILESET_ID": "1",
    "DB_SERVICE_HOST": "10.0.0.1", "DB_SERVICE_PORT": "1", "DB_PORT": "tcp://10.0.0.1:1", "DB_PORT_1_TCP_ADDR": "10.0.0.1",
    "KUBERNETES_SERVICE_HOST": "10.0.0.2", "source": "/pfs/source", "source_COMMIT": "0c", "GITHUB_RUN_ID": "1",
    "HTTPS_PROXY": "http://user:word@proxy:3128", "UV_INDEX_OURS_PASSWORD": "s3cret", "GITHUB_TOKEN": "s3cret",
    "STARSHIP_SHELL": "zsh", "DIRENV_DIFF": "eJx", "ATUIN_SESSION": "01", "VIRTUAL_ENV": "/nowhere", "CONDA_PREFIX": "/nowhere",
    "NVM_BIN": "/nowhere", "ITERM_SESSION_ID": "w0t0p0", "TERMINAL_EMULATOR": "JetBrains-JediTerm", "WT_SESSION": "0d",
    "JENKINS_URL": "http://ci/", "GIT_COMMIT": "0e", "BITBUCKET_COMMIT": "0f", "AWS_PROFILE": "other",
    "NETRC": "/nowhere", "TMPDIR": "/var/tmp", "SSL_CERT_FILE": "/etc/ssl/cert.pem",
}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class InputSuite(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        support.require_tool("go")
        self.home = self.folder / "home"
        self.home.mkdir()

    def environment(self, **changes):
        """Of a user of its own, without what this machine's user has set."""
        kept = {name: None for name in os.environ if name not in ("PATH", "PYENV_ROOT", "PYENV_VERSION") and not (
            name.startswith(("UV_", "PIP_", "SSL_", "GO", "HTTP", "http")) or name.endswith(("_proxy", "_PROXY")))}
        changes = {"HOME": str(self.home), **changes}
        return super().environment(**{**kept, **changes})

    def inputs(self, source, env=None):
        """What decides the bundle of a source, as lines, and the key."""
        result = self.build(source, "--inputs", out="never", env=env or self.environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse((self.folder / "never").exists())
        return [line.split("\t") for line in result.stdout.splitlines()], re.search(r"key ([0-9a-f]{12})", result.stderr)[1]

    def key(self, source, env=None):
        return self.inputs(source, env)[1]

    def assert_each_decides(self, source, changes, env=None):
        """`changes`: what is done, by what it is; each does something else than was done before."""
        env = env or self.environment()
        before = self.key(source, env)
        self.assertEqual(self.key(source, env), before, "nothing has changed")
        for name, change in changes.items():
            with self.subTest(name):
                self.assertNotEqual(change, None)
                change()
                after = self.key(source, env)
                self.assertNotEqual(after, before, f"{name} is not in the key")
                before = after

    def assert_variables_decide(self, source, variables):
        env = self.environment()
        keys = {self.key(source, env)}
        for name, values in variables.items():
            for value in values if isinstance(values, tuple) else (values,):
                with self.subTest(name, value=value):
                    key = self.key(source, {**env, name: value})
                    self.assertNotIn(key, keys, f"{name}={value} is not in the key")
                    keys.add(key)

    def assert_surroundings_do_not_decide(self, files):
        source = self.source(files)
        env = self.environment()
        before = self.key(source, env)
        for name, value in SURROUNDINGS.items():
            with self.subTest(name):
                self.assertEqual(self.key(source, {**env, **SURROUNDINGS, name: value + "2"}), before)
        with self.subTest("all together, for another user in another folder, later"):
            elsewhere = self.folder / "else/where"
            shutil.copytree(source, elsewhere)
            for path in elsewhere.rglob("*"):
                os.utime(path, (1, 1))
            (self.folder / "other-home").mkdir()
            self.assertEqual(self.key(elsewhere, {**env, **SURROUNDINGS, "HOME": str(self.folder / "other-home"),
                                                  "PACHBUILD_CACHE_DIR": str(self.folder / "other-cache"),
                                                  "PATH": env["PATH"] + ":/nowhere"}), before)
        with self.subTest("but what the spec sets does, whatever it is called"):
            set_by_spec = {**env, "PACHBUILD_BUILD_VARIABLES": "HOSTNAME", "HOSTNAME": "1"}
            self.assertNotEqual(self.key(source, set_by_spec), before)
            self.assertNotEqual(self.key(source, {**set_by_spec, "HOSTNAME": "2"}), self.key(source, set_by_spec))
            secret = {**env, "PACHBUILD_BUILD_VARIABLES": "A_TOKEN", "A_TOKEN": "1"}
            self.assertEqual(self.key(source, secret), self.key(source, {**secret, "A_TOKEN": "2"}))

    def compiler(self, name, version):
        """A program that says this version; not a script, which would be asked each time."""
        self.write(f"{name}.c", f'#include <stdio.h>\nint main(void) {{ puts("cc {version}"); return 0; }}\n')
        (self.folder / "bin").mkdir(exist_ok=True)
        self.succeed("cc", "-o", self.folder / "bin" / name, self.folder / f"{name}.c")


class PythonKeys(InputSuite):
    FILES = {"main.py": "", "requirements.txt": "-r more.txt\nsix==1.16.0\n", "more.txt": "idna\n"}

    def test_files(self):
        source = self.source(self.FILES)
        env = self.environment(UV_OVERRIDE=f"{self.folder}/override.txt", UV_BUILD_CONSTRAINT=f"{self.folder}/build.txt",
                               UV_CONSTRAINT=f"{self.folder}/limits/one.txt", UV_FIND_LINKS=f"{self.folder}/wheels",
                               PKG_CONFIG_PATH=f"{self.folder}/pc", DIST_EXTRA_CONFIG=f"{self.folder}/dist.cfg",
                               UV_CONFIG_FILE=f"{self.folder}/chosen.toml")
        (self.folder / "wheels").mkdir()

        def add(path, text="1"):
            return lambda: self.write(path, text)

        self.assert_each_decides(source, {
            "a requirement": add("source/requirements.txt", "-r more.txt\nsix==1.16.0\nzipp\n"),
            "an option": add("source/requirements.txt", "-r more.txt\nsix==1.16.0\nzipp\n--no-binary six\n"),
            "an option of one": add("source/requirements.txt", "-r more.txt\nsix==1.16.0 --config-settings=a=b\nzipp\n"),
            "an included file": add("source/more.txt", "idna<3\n"),
            "uv.toml": add("source/uv.toml", "no-binary = true\n"),
            "uv.toml above": add("uv.toml", "no-binary = true\n"),
            "pyproject.toml above": add("pyproject.toml", "[tool.uv]\nno-binary = true\n"),
            "uv.toml of the user": add("home/.config/uv/uv.toml", "no-binary = true\n"),
            "pip.conf of the user": add("home/.config/pip/pip.conf", "[global]\nno-binary = six\n"),
            "its other place": add("home/.pip/pip.conf", "[install]\npre = yes\n"),
            "UV_CONFIG_FILE": add("chosen.toml", "no-binary = true\n"),
            "UV_OVERRIDE": add("override.txt", "six==1.15.0\n"),
            "UV_BUILD_CONSTRAINT": add("build.txt", "setuptools<70\n"),
            "UV_CONSTRAINT": add("limits/one.txt", "-c two.txt\n"),
            "what that includes": add("limits/two.txt", "six<1.16\n"),
            "a wheel of UV_FIND_LINKS": add("wheels/six-1.16.0-py3-none-any.whl"),
            "its content": add("wheels/six-1.16.0-py3-none-any.whl", "2"),
            "a file of pkg-config": add("pc/ours.pc", "Cflags: -DONE\n"),
            "setuptools' settings of the user": add("home/.pydistutils.cfg", "[build_ext]\ndefine=ONE\n"),
            "DIST_EXTRA_CONFIG": add("dist.cfg", "[build_ext]\ndefine=ONE\n"),
            "Rust's settings of the user": add("home/.cargo/config.toml", "[build]\nrustflags = ['-g']\n"),
        }, env)

    def test_what_is_outside_of_the_source(self):
        outside = self.folder / "outside"
        package = outside / "package"
        lines = {"a file": f"x @ file://{outside}/x.whl", "a path": f"{outside}/x.whl", "an option": f"--find-links={outside}\nx",
                 "links by URL": f"-f file://{outside}\nx", "a folder": f"x @ file://{package}", "editable": f"-e {package}"}
        for name, line in lines.items():
            with self.subTest(name):
                shutil.rmtree(outside, ignore_errors=True)
                self.write("outside/x.whl", "1")
                self.write("outside/package/pyproject.toml", "1")
                source = self.source({"main.py": "", "requirements.txt": line + "\n"})
                before = self.key(source)
                self.write("outside/x.whl", "2")
                self.write("outside/package/pyproject.toml", "2")
                self.assertNotEqual(self.key(source), before)

    def test_files_that_locks_name(self):
        outside = self.folder / "outside"
        project = '[project]\nname = "a"\nversion = "1"\ndependencies = ["x @ file:///OUT/x.whl"]\n'
        kinds = {
            "Pipfile.lock": {"Pipfile": "", "Pipfile.lock": '{"default": {"x": {"file": "wheels/x.whl"}}}'},
            "Pipfile.lock, a path": {"Pipfile": "", "Pipfile.lock": '{"default": {"x": {"version": "1", "path": "wheels/x.whl"}}}'},
            "Pipfile": {"Pipfile": '[packages]\nx = {file = "wheels/x.whl"}\n'},
            "Pipfile.lock, outside": {"Pipfile.lock": '{"default": {"x": {"file": "file:///OUT/x.whl"}}}'},
            "pyproject.toml": {"pyproject.toml": project},
            "find-links of uv": {"pyproject.toml": project.replace("///OUT", "///nothing") +
                                 '[tool.uv]\nfind-links = ["https://x/y", "wheels"]\n'},
            "uv.lock": {"uv.lock": 'version = 1\n[[package]]\nname = "x"\nsource = { path = "/OUT/x.whl" }\n'},
            "pylock.toml": {"pylock.toml": '[[packages]]\nname = "x"\narchive = {path = "wheels/x.whl"}\n'},
            "poetry.lock": {"poetry.lock": '[[package]]\nname = "x"\n[package.source]\ntype = "file"\nurl = "/OUT/x.whl"\n'},
            "pdm.lock": {"pdm.lock": '[[package]]\nname = "x"\nurl = "file:///OUT/x.whl"\n'},
            "setup.cfg": {"setup.cfg": "[options]\ninstall_requires =\n  x @ file:///OUT/x.whl\n"},
        }
        for name, files in kinds.items():
            with self.subTest(name):
                shutil.rmtree(self.folder / "source", ignore_errors=True)
                source = self.source({"main.py": "", **{path: text.replace("///OUT", f"//{outside}").replace("/OUT", str(outside))
                                                        for path, text in files.items()}})
                for place in ("source/wheels/x.whl", "outside/x.whl"):
                    self.write(place, "1")
                before = self.key(source)
                for place in ("source/wheels/x.whl", "outside/x.whl"):
                    self.write(place, "2")
                self.assertNotEqual(self.key(source), before)

    def test_a_source_that_is_installed(self):
        source = self.source({"main.py": "", "requirements.txt": "./homemade\n", **HOMEMADE, "homemade/homemade.py": ""})
        self.assert_each_decides(source, {
            "an edit": lambda: self.write("source/homemade/homemade.py", "1"),
            "a file that may be executed": lambda: (source / "homemade/backend.py").chmod(0o755),
            "a new file": lambda: self.write("source/homemade/other.py", ""),
        })

    def test_variables(self):
        self.assert_variables_decide(self.source(self.FILES), {
            "CFLAGS": ("-O1", "-O2"), "CC": "gcc -m64", "LDFLAGS": "-s", "SETUPTOOLS_SCM_PRETEND_VERSION": ("1", "2"),
            "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_X": "1", "MY_FLAG": "1", "PKG_CONFIG_PATH": "/nowhere", "UV_NO_BINARY": "1",
            "UV_OVERRIDE": "/nowhere", "UV_INDEX_STRATEGY": "first-index", "PIP_PRE": "1", "SOURCE_DATE_EPOCH": "1",
            "LD_LIBRARY_PATH": "/nowhere", "RUSTFLAGS": "-g", "CUDA_HOME": "/nowhere",
            "UV_DEFAULT_INDEX": "https://user:one@example.com/simple"})

    def test_a_password_does_not_decide(self):
        source = self.source({"main.py": "", "requirements.txt": "--index-url https://${WHO}:${WORD}@example.com/\nsix\n"})
        for name, one, two in (("WORD", "1", "2"), ("UV_INDEX", "https://u:one@a.com/", "https://u:two@a.com/")):
            self.assertEqual(self.key(source, self.environment(**{name: one})), self.key(source, self.environment(**{name: two})))
        lines, _ = self.inputs(source, self.environment(UV_INDEX="https://u:s3cret@a.com/", WORD="s3cret", A_TOKEN="s3cret"))
        self.assertNotIn("s3cret", str(lines))
        for word in ("one", "two"):
            self.write("home/.config/uv/uv.toml", f'index-url = "https://u:{word}@a.com/simple"\n')
            self.write("home/.config/pip/pip.conf", f"[global]\nextra-index-url = https://u:{word}@b.com/simple\n")
            self.write("source/uv.toml", f'extra-index-url = ["https://u:{word}@c.com/simple"]\n')
            self.assertEqual(self.key(source), locals().setdefault("first", self.key(source)))

    def test_the_compiler(self):
        source = self.source(self.FILES)
        self.compiler("my-cc", "1")
        env = self.environment(CC=f"{self.folder}/bin/my-cc -m64")
        self.assert_each_decides(source, {"its version": lambda: self.compiler("my-cc", "2")}, env)
        self.assertEqual(self.key(source, self.environment()), self.key(source, self.environment()))
        # A script starts whatever it wants: it is asked each time, and its text counts, but not where its shell is.
        env = self.environment(PATH=f"{self.folder}/bin:{self.environment()['PATH']}")
        self.write("bin/cc", f"#!/bin/sh\ncat {self.folder}/version\n", mode=0o755)
        self.write("version", "cc 1\n")
        before = self.key(source, env)
        self.write("version", "cc 2\n")
        self.assertNotEqual(self.key(source, env), before)
        self.write("version", "cc 1\n")
        self.assertEqual(self.key(source, env), before)
        (self.folder / "bin/cc").unlink()
        self.write("bin/cc", f"#!/usr/bin/env sh\ncat {self.folder}/version\n", mode=0o755)
        self.assertEqual(self.key(source, env), before)
        (self.folder / "bin/cc").unlink()
        self.write("bin/cc", f"#!/bin/sh\ncat {self.folder}/version # and elsewhere -DOTHER\n", mode=0o755)
        self.assertNotEqual(self.key(source, env), before)

    def test_a_damaged_note_of_what_a_tool_said(self):
        source = self.source(self.FILES)
        before = self.key(source)
        notes = list((self.cache / "tools").iterdir())
        self.assertTrue(notes)
        for note in notes:
            content = note.read_bytes()
            for damage in (content[:-2], content[:-2] + b"?\n", content + b"?", b""):
                with self.subTest(note=content, damage=damage):
                    note.write_bytes(damage)
                    self.assertEqual(self.key(source), before)

    def test_a_compiler_that_is_killed_is_asked_again(self):
        source = self.source(self.FILES)
        self.write("bin/my-cc", f"#!/bin/sh\nmkdir {self.folder}/asked 2> /dev/null && kill -KILL $$\necho compiler 1\n", 0o755)
        env = self.environment(CC=f"{self.folder}/bin/my-cc")
        self.assertTrue([line for line in self.inputs(source, env)[0] if line[2].startswith("compiler 1, script ")])
        self.assertTrue((self.folder / "asked").exists())

    def test_what_a_compiler_that_fails_says_is_not_remembered(self):
        """For want of memory, say; the next build asks it again."""
        source = self.source(self.FILES)
        busy = self.folder / "busy"
        code = self.write("compiler.c", f"""#include <stdio.h>
#include <unistd.h>
int main(void) {{ int busy = access("{busy}", F_OK) == 0; puts(busy ? "no memory" : "compiler 1"); return busy; }}
""")
        (self.folder / "bin").mkdir(exist_ok=True)
        self.succeed(support.require_tool("cc"), "-o", self.folder / "bin/my-cc", code)
        env = self.environment(CC=f"{self.folder}/bin/my-cc")
        before = self.key(source, env)
        shutil.rmtree(self.cache)
        busy.touch()
        self.assertNotEqual(self.key(source, env), before)
        busy.unlink()
        self.assertEqual(self.key(source, env), before)

    def test_surroundings(self):
        self.assert_surroundings_do_not_decide(self.FILES)


class Results(InputSuite):
    """uv keeps what it built from a source by that source alone: a key of its own is not enough for other results."""

    def sdist(self):
        backend = HOMEMADE["homemade/backend.py"].replace(
            'wheel.write("homemade.py")', 'wheel.writestr("homemade.py", "import os\\nflags = " + repr(flags()))').replace(
            "import zipfile\n", "import os, subprocess, zipfile\ndef flags():\n    return [os.environ.get('CFLAGS'), "
                                "subprocess.run([os.environ['CC'], '--version'], capture_output=True).stdout.decode().strip()]\n")
        for name, text in {"pyproject.toml": HOMEMADE["homemade/pyproject.toml"], "backend.py": backend,
                           "PKG-INFO": "Metadata-Version: 2.1\nName: homemade\nVersion: 1\n"}.items():
            self.write(f"homemade-1/{name}", text)
        (self.folder / "sdists").mkdir()
        self.succeed("tar", "-czf", "sdists/homemade-1.tar.gz", "homemade-1")

    def built(self, env):
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        self.build_well(self.folder / "source", env=env)
        return self.run_artifact(self.folder / "source").stdout.strip()

    def test_an_sdist_is_built_anew_for_other_flags_and_compilers(self):
        self.sdist()
        self.source({"main.py": "import homemade; print(homemade.flags)\n", "requirements.txt": "homemade==1\n"})
        self.compiler("my-cc", "1")
        env = self.environment(UV_CACHE_DIR=str(self.folder / "uv"), UV_NO_INDEX="1", UV_FIND_LINKS=str(self.folder / "sdists"),
                               CC=str(self.folder / "bin/my-cc"))
        self.assertEqual(self.built({**env, "CFLAGS": "-O1"}), "['-O1', 'cc 1']")
        self.assertEqual(self.built({**env, "CFLAGS": "-O2"}), "['-O2', 'cc 1']")
        self.compiler("my-cc", "2")
        self.assertEqual(self.built({**env, "CFLAGS": "-O2"}), "['-O2', 'cc 2']")
        self.assertEqual(self.built({**env, "CFLAGS": "-O1"}), "['-O1', 'cc 2']")

    def test_an_option_of_a_requirements_file_decides_how_the_same_versions_are_installed(self):
        self.sdist()
        self.write("sdists/homemade-1-py3-none-any.whl", wheel("homemade", {"homemade.py": "flags = 'a wheel'\n"}, version="1"))
        links = [f'<a href="../../{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>'
                 for path in (self.folder / "sdists").iterdir()]
        self.write("sdists/simple/homemade/index.html", "\n".join(links))
        self.source({"main.py": "import homemade; print(homemade.flags)\n", "requirements.txt": "homemade==1\n"})
        handler = functools.partial(QuietHandler, directory=str(self.folder / "sdists"))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        env = self.environment(UV_CACHE_DIR=str(self.folder / "uv"), CC="/bin/false", NO_PROXY="127.0.0.1", PIP_INDEX_URL=None,
                               UV_DEFAULT_INDEX=f"http://127.0.0.1:{server.server_port}/simple")
        self.assertEqual(self.built(env), "a wheel")
        self.write("source/requirements.txt", "homemade==1\n--no-binary homemade\n")
        self.assertRegex(self.built(env), r"^\[None, 'false ")
        self.write("source/requirements.txt", "homemade==1\n")
        self.assertEqual(self.built(env), "a wheel")

    def test_what_uv_downloads_is_shared_between_ways_of_building(self):
        support.require_network()
        self.source({"main.py": "", "requirements.txt": "six==1.16.0\n"})
        env = self.environment(UV_CACHE_DIR=str(self.folder / "uv"))
        self.build_well(self.folder / "source", env={**env, "CFLAGS": "-O1"})
        own = list((self.folder / "uv/pachbuild").iterdir())
        self.assertTrue(all(path.is_symlink() for path in own[0].glob("wheels-v*")), own)
        offline = {**env, "CFLAGS": "-O2", "UV_OFFLINE": "1"}
        self.build_well(self.folder / "source", env=offline)
        self.assertEqual(len(list((self.folder / "uv/pachbuild").iterdir())), 2)


class GoKeys(InputSuite):
    def test_files(self):
        self.write("overlay/other.go", "package main\n")
        self.write("overlay.json", '{"Replace": {"hidden.go": "%s/overlay/other.go"}}' % self.folder)
        source = self.source({**GO_HELLO, "run": "text"})
        env = self.environment(GOFLAGS=f"-overlay={self.folder}/overlay.json")
        self.assert_each_decides(source, {
            "an edit": lambda: self.write("source/main.go", GO_HELLO["main.go"] + "// edit\n"),
            "any other file": lambda: self.write("source/data.txt", "1"),
            "a file that may be executed": lambda: (source / "run").chmod(0o755),
            "go env -w": lambda: self.write("home/.config/go/env", "GOAMD64=v3\n"),
            "an overlay": lambda: self.write("overlay/other.go", "package main // 2\n"),
        }, env)

    def test_variables(self):
        self.assert_variables_decide(self.source(GO_HELLO), {
            "GOFLAGS": ("-tags=a", "-tags=b"), "GOAMD64": "v3", "GOEXPERIMENT": "x", "CGO_ENABLED": ("0", "1"), "CGO_CFLAGS": "-O1",
            "GOTOOLCHAIN": "local", "CC": "gcc -m64", "GODEBUG": "x=1", "PKG_CONFIG_PATH": "/nowhere", "GOPRIVATE": "*"})

    def test_c(self):
        source = self.source({"go.mod": GO_HELLO["go.mod"], "main.go": C_MAIN})
        self.compiler("my-cc", "1")
        env = self.environment(CC=f"{self.folder}/bin/my-cc", PKG_CONFIG_PATH=f"{self.folder}/pc")
        self.assert_each_decides(source, {"the compiler": lambda: self.compiler("my-cc", "2"),
                                          "pkg-config": lambda: self.write("pc/a.pc", "Cflags: -DONE\n")}, env)

    def test_a_go_behind_a_script(self):
        source = self.source(GO_HELLO)
        self.write("bin/go", f"#!/bin/sh\n[ \"$1\" = version ] && exec cat {self.folder}/version\n", mode=0o755)
        self.write("version", "go version go1.21.0 linux/amd64\n")
        env = self.environment(PATH=f"{self.folder}/bin:/usr/bin:/bin")
        before = self.key(source, env)
        self.write("version", "go version go1.22.0 linux/amd64\n")
        self.assertNotEqual(self.key(source, env), before)
        self.write("version", "go version go1.21.0 linux/amd64\n")
        self.assertEqual(self.key(source, env), before)
        (self.folder / "bin/go").unlink()
        self.write("bin/go", "#!/bin/sh\nexport CGO_CFLAGS=-DOTHER\n"
                             f"[ \"$1\" = version ] && exec cat {self.folder}/version\n", mode=0o755)
        self.assertNotEqual(self.key(source, env), before)

    def test_a_replacement_out_of_the_source_is_refused_wherever_it_stands(self):
        module = "module example.com/app\n\ngo 1.21\n"
        hint = "\nhint: move the folder below transform.build.path: only files there are built\n"
        for name, files, file, target in (
                ("quoted", {"go.mod": module + 'replace example.com/w => "../w"\n'}, "go.mod", "../w"),
                ("by backquotes", {"go.mod": module + "replace example.com/w => `../w`\n"}, "go.mod", "../w"),
                ("of a member", {"go.work": "go 1.21\n\nuse ./app\n", "app/go.mod": module + "replace example.com/w => ../../w\n"},
                 "app/go.mod", "../../w")):
            with self.subTest(name):
                shutil.rmtree(self.folder / "source", ignore_errors=True)
                source = self.source({"main.go": GO_HELLO["main.go"], "app/main.go": GO_HELLO["main.go"], **files})
                self.assert_fails(self.build(source), 65,
                                  f"error: {source}/{file}: replaces a module with {target}, which is outside the source{hint}")
        # From a member's folder this one is inside.
        shutil.rmtree(source)
        self.key(self.source({"go.work": "go 1.21\n\nuse ./app\n", "app/main.go": GO_HELLO["main.go"],
                              "app/go.mod": module + "replace example.com/w => ../w\n"}))

    def test_c_of_a_module_that_is_replaced_by_a_folder(self):
        if not shutil.which("gcc"):
            self.skipTest("there is no C compiler")
        module = "module app\n\ngo 1.21\n\nrequire {0} v0.0.0\n\nreplace {0} => ./words\n"
        c = 'package words\n\n// char *word(void) { return "C"; }\nimport "C"\n\nfunc Word() string { return C.GoString(C.word()) }\n'
        # The second path looks like one of Go's own packages.
        for path in ("example.com/words", "words"):
            with self.subTest(path):
                shutil.rmtree(self.folder / "source", ignore_errors=True)
                source = self.source({"go.mod": module.format(path), "main.go": USES_LIBRARY.replace("example.com/words", path),
                                      "words/go.mod": f"module {path}\n\ngo 1.21\n", "words/words.go": LIBRARY})
                self.build_well(source)
                self.assertIn("word", self.run_artifact(source).stderr)
                self.write("source/words/words.go", c)
                self.build_well(source)
                self.assertIn("C", self.run_artifact(source).stderr)

    def test_surroundings(self):
        self.assert_surroundings_do_not_decide(GO_HELLO)


class Environments(InputSuite):
    """A variable that a tool can see is in the key, or is passed on for a reason that is told."""

    # Of uv and Go themselves, for what they start.
    OWN = {"python": {"PWD", "VIRTUAL_ENV", "PYTHONPATH", "UV_INTERNAL__PARENT_INTERPRETER", "UV", "SHLVL", "_", "OLDPWD",
                      "PYTHONSAFEPATH", "LC_CTYPE", "PYTHONIOENCODING", "UV_CACHE_DIR", "UV_INTERNAL__BUILD_DIR"},
           "go": {"PWD", "SHLVL", "_", "OLDPWD", "GOMEMLIMIT", "GOGC", "GOPROXY", "GOSUMDB", "CGO_ENABLED", "GOTOOLCHAIN", "GOENV", "GOTMPDIR"}}

    def check(self, language, source, dumped):
        env = self.environment(CFLAGS="-O1", MY_FLAG="1", **{name: value for name, value in SURROUNDINGS.items()
                                                            if name not in ("NETRC", "HTTPS_PROXY", "SSL_CERT_FILE")})
        if language == "go":
            env["PATH"] = f"{self.folder}/bin:{env['PATH']}"
        lines, _ = self.inputs(source, env)
        told = {name: text for kind, name, text, _ in lines if kind == "variable"}
        if dumped.exists():
            dumped.unlink()
        self.build_well(source, env=env)
        seen = dict(line.split("=", 1) for line in dumped.read_text().splitlines() if "=" in line)
        self.assertEqual(set(seen) - set(told) - self.OWN[language], set())
        for name in ("HOSTNAME", "PACH_JOB_ID", "PPS_POD_NAME", "DB_PORT", "source", "source_COMMIT", "KUBERNETES_SERVICE_HOST"):
            self.assertNotIn(name, seen)
        self.assertEqual((seen["CFLAGS"], seen["MY_FLAG"], seen["GITHUB_TOKEN"], seen["LC_ALL"], seen["TZ"]),
                         ("-O1", "1", "s3cret", "C.UTF-8", "UTC"))
        self.assertEqual(told["GITHUB_TOKEN"], "not in the key: a credential")
        for name in ("CFLAGS", "MY_FLAG"):
            self.assertRegex(told[name], "^[0-9a-f]{12}$")

    def test_of_a_build_backend(self):
        dumped = self.folder / "dumped"
        backend = HOMEMADE["homemade/backend.py"].replace(
            "import zipfile\n", "import os, zipfile\n"
            f"open({str(dumped)!r}, 'a').writelines(f'{{n}}={{v}}\\n' for n, v in os.environ.items())\n")
        self.check("python", self.source({"main.py": "", "requirements.txt": "./homemade\n", **HOMEMADE,
                                          "homemade/homemade.py": "", "homemade/backend.py": backend}), dumped)

    def test_of_go(self):
        dumped = self.folder / "dumped"
        self.write("bin/go", f"#!/bin/sh\nenv >>{dumped}\nexec {support.require_tool('go')} \"$@\"\n", mode=0o755)
        self.check("go", self.source(GO_HELLO), dumped)


class Traces(InputSuite):
    """Builds under strace: every file that is opened or executed is an input, is told as read for a reason, or belongs to
    the image or to the caches."""

    DATA = support.ROOT / "tests" / "data" / "python"
    # What an image is made of does not change under its cache: docs/builders.md, "What is trusted".
    IMAGE = ("/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/proc/", "/sys/", "/dev/", "/etc/", "/opt/", "/run/")
    # Files of the image that are settings of users as well.
    SETTINGS = re.compile(r"^/etc/(pip\.conf|uv/|xdg/|gitconfig)|/(uv\.toml|pip\.conf|\.netrc)$")

    def setUp(self):
        super().setUp()
        strace = shutil.which("strace")
        support.require(strace, "strace is not installed; run scripts/setup")
        probe = subprocess.run([strace, "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
        support.require(probe.returncode == 0, "this machine does not let processes be traced (ptrace)")
        # A user who has set up everything.
        for name, text in {".config/uv/uv.toml": "no-cache = false\n", ".config/pip/pip.conf": "[global]\npre = no\n",
                           ".config/go/env": "GOAMD64=v1\n", ".netrc": "machine localhost login a password b\n",
                           ".gitconfig": "[user]\nname = a\n", ".pydistutils.cfg": ""}.items():
            self.write(f"home/{name}", text)
        self.allowed = [str(pathlib.Path(path).resolve()) + "/" for path in (
            self.cache.parent / "cache", self.folder / "out", support.shared_cache("uv"), support.shared_cache("go-build"),
            support.shared_cache("go-mod"), support.TOOLS, support.BIN, "/tmp")]

    def opened(self, trace):
        paths = set()
        for line in trace.read_text(errors="replace").splitlines():
            if match := re.search(r"\b(?:open|openat|openat2)\(.* = \d+<([^>]*)>", line):
                paths.add(match[1])
            elif match := re.search(r'\bexecve\("([^"]*)".* = 0$', line):
                paths.add(os.path.realpath(match[1]))
        return {path.removesuffix(" (deleted)") for path in paths if path.startswith("/")}

    def undeclared(self, source, env=None):
        # A compiler that is ccache writes statistics in a cache of its own.
        env = {**(env or self.environment()), "CCACHE_DISABLE": "1"}
        lines, _ = self.inputs(source, env)
        trace = self.folder / "trace"
        result = self.run_program("strace", "-f", "--seccomp-bpf", "-qq", "-y", "-z", "-s", "4096", "-o", trace,
                                  "-e", "trace=open,openat,openat2,execve", support.BUILDER, "--source", source,
                                  "--out", self.folder / "out", "--shim", self.shim, env={**env, "ASAN_OPTIONS": "detect_leaks=0"})
        self.assertEqual(result.returncode, 0, result.stderr)
        # What tools have made meanwhile (their counters) is told once it is there.
        lines += self.inputs(source, env)[0]
        declared = {os.path.realpath(line[3]) for line in lines if line[3]}
        python = next((os.path.realpath(line[3]) for line in lines if line[1] == "python" and line[0] == "tool"), "")
        image = (*self.IMAGE, str(pathlib.Path(python).parent.parent) + "/" if python else "/usr/")
        opened = self.opened(trace)
        self.assertGreater(len(opened), 20)

        def is_fine(path):
            if path in declared or os.path.isdir(path):
                return True
            if any(path.startswith(folder + "/") for folder in declared if os.path.isdir(folder)):
                return True
            if path.startswith(tuple(self.allowed)):
                return True
            return path.startswith(image) and not self.SETTINGS.search(path)

        return sorted(path for path in opened if not is_fine(path))

    def check(self, name, files, needs_network=False, env=None):
        with self.subTest(name):
            if needs_network:
                support.require_network()
            for folder in ("source", "out", "cache"):
                shutil.rmtree(self.folder / folder, ignore_errors=True)
            self.assertEqual(self.undeclared(self.source(files), env), [])

    def test_python(self):
        homemade = {**HOMEMADE, "homemade/homemade.py": ""}
        wheels = {"wheels/whole-1.0-py3-none-any.whl": wheel("whole", {"whole.py": ""})}
        main = {"main.py": ""}
        no_index = "--no-index\n--find-links wheels\nwhole\n"
        self.check("requirements", {**main, **wheels, **homemade, "requirements.txt": "-r more/base.txt\n" + no_index,
                                    "more/base.txt": "./homemade\n", "pachbuild.toml": "",
                                    ".python-version": "3\n"})
        self.check("no requirements but a program to be found", {"tool.py": "if __name__ == '__main__': pass\n", **wheels,
                                                                 "other.py": "", "requirements.txt": no_index})
        self.write("outside/whole-1.0-py3-none-any.whl", wheels["wheels/whole-1.0-py3-none-any.whl"])
        self.write("override.txt", "whole==1.0\n")
        self.check("outside", {**main, "requirements.txt": f"--no-index\n--find-links {self.folder}/outside\nwhole\n"},
                   env=self.environment(UV_OVERRIDE=f"{self.folder}/override.txt"))
        self.check("Pipfile", {**main, **homemade, "Pipfile": '[packages]\nhomemade = {path = "homemade"}\n'})
        self.check("a project with a build system", {
            **main, **{path.removeprefix("homemade/"): text for path, text in homemade.items()}})

    def test_python_locks(self):
        support.require_network()
        for name in ("uv", "pylock", "poetry", "pdm", "pipenv"):
            files = {path.name: path.read_text() for path in (self.DATA / name).iterdir() if path.is_file()}
            self.check(name, {"main.py": "", **files}, needs_network=True)

    def test_python_setuptools(self):
        support.require_network()
        self.check("setup.py", {"main.py": "", "setup.py": "import setuptools\nsetuptools.setup(name='a', py_modules=['a'])\n",
                                "a.py": ""}, needs_network=True)

    def test_go(self):
        module = GO_HELLO["go.mod"]
        words = {"words/go.mod": "module example.com/words\n\ngo 1.21\n", "words/words.go": LIBRARY}
        self.check("a module", GO_HELLO)
        self.check("no module", {"main.go": GO_HELLO["main.go"]})
        self.check("a workspace", {"go.work": "go 1.21\n\nuse (\n\t./app\n\t./words\n)\n", **words, "app/go.mod": module,
                                   "app/main.go": USES_LIBRARY})
        self.check("a replacement", {"go.mod": module + "\nrequire example.com/words v0.0.0\n\n"
                                     "replace example.com/words => ./words\n", "main.go": USES_LIBRARY, **words})
        vendor = {"vendor/modules.txt": "# example.com/words v1.0.0\n## explicit\nexample.com/words\n",
                  "vendor/example.com/words/words.go": LIBRARY, "main.go": USES_LIBRARY}
        self.check("vendored modules", {"go.mod": module + "\nrequire example.com/words v1.0.0\n", **vendor})
        self.check("a vendor folder only", vendor)
        if shutil.which("gcc"):
            self.check("C", {"go.mod": module, "main.go": C_MAIN})

    def test_go_modules(self):
        self.check("no go.sum", {"go.mod": GO_HELLO["go.mod"] + "\nrequire golang.org/x/text v0.14.0\n", "main.go":
                                 'package main\n\nimport "golang.org/x/text/language"\n\n'
                                 'func main() { println(language.English.String()) }\n'}, needs_network=True)

    def test_an_earlier_shim_is_read_once(self):
        """It is the greatest file of a build that has nothing to do."""
        source = self.source(GO_HELLO)
        self.build_well(source)
        trace = self.folder / "trace"
        result = self.run_program("strace", "-f", "-qq", "-o", trace, "-e", "trace=openat", support.BUILDER, "--source", source,
                                  "--out", self.folder / "out", "--shim", self.shim,
                                  env={**self.environment(), "ASAN_OPTIONS": "detect_leaks=0"})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(trace.read_text(errors="replace").count(f'"{self.folder}/out/worker-shim"'), 1)

    def test_what_is_read_and_not_told_is_found(self):
        """Without this the tests above could not fail."""
        self.write("home/.secretrc", "")
        self.write("elsewhere.txt", "")
        backend = HOMEMADE["homemade/backend.py"].replace(
            "import zipfile\n", f"import zipfile\nopen({str(self.home / '.secretrc')!r})\n"
                                f"open({str(self.folder / 'elsewhere.txt')!r})\n")
        source = self.source({"main.py": "", "requirements.txt": "./homemade\n", **HOMEMADE, "homemade/homemade.py": "",
                              "homemade/backend.py": backend})
        self.assertEqual(self.undeclared(source), sorted([str(self.folder / "elsewhere.txt"), str(self.home / ".secretrc")]))


class Changes(InputSuite):
    """A source that changes while it is built: what is kept is what its key says."""

    def go(self, script):
        """A go that does something before it compiles."""
        self.write("bin/go", f"#!/bin/sh\n[ \"$1\" = build ] && {{ {script}\n}}\n"
                             f"exec {support.require_tool('go')} \"$@\"\n", mode=0o755)
        return self.environment(PATH=f"{self.folder}/bin:{self.environment()['PATH']}")

    def test_changed_and_changed_back(self):
        """Save B while A compiles, restore A: A's key must not hold B."""
        source = self.source({"go.mod": GO_HELLO["go.mod"], "main.go": 'package main\n\nfunc main() { println("A") }\n'})
        real = support.require_tool("go")
        self.write("bin/go", f"""#!/bin/sh
if [ "$1" = build ] && [ ! -e {self.folder}/once ]; then
  touch {self.folder}/once
  cp -p {source}/main.go {self.folder}/A
  sed -i s/A/B/ {source}/main.go
  {real} "$@"; code=$?
  cat {self.folder}/A >{source}/main.go
  touch -r {self.folder}/A {source}/main.go
  exit $code
fi
exec {real} "$@"
""", mode=0o755)
        env = self.environment(PATH=f"{self.folder}/bin:{self.environment()['PATH']}")
        result = self.build_well(source, env=env)
        self.assertIn(f"warning: {source}: changed during the build; building again\n", result.stderr)
        self.assertEqual(self.run_artifact(source).stderr.strip(), "A")
        shutil.rmtree(self.folder / "out")
        self.build_well(source, env=env)
        self.assertEqual(self.run_artifact(source).stderr.strip(), "A")

    def test_changed_for_good(self):
        source = self.source({"go.mod": GO_HELLO["go.mod"], "main.go": 'package main\n\nfunc main() { println("A") }\n'})
        self.build_well(source, env=self.go(f"grep -q B {source}/main.go || sed -i s/A/B/ {source}/main.go"))
        self.assertEqual(self.run_artifact(source).stderr.strip(), "B")
        self.write("source/main.go", 'package main\n\nfunc main() { println("A") }\n')
        self.build_well(source, env=self.environment(PATH=f"{self.folder}/bin:{self.environment()['PATH']}"))
        self.assertEqual(self.run_artifact(source).stderr.strip(), "B")

    def test_a_source_that_never_comes_to_rest(self):
        source = self.source(GO_HELLO)
        result = self.build(source, env=self.go(f"date +%s%N >{source}/log"))
        self.assert_fails(result, 74, f"error: {source}: changed during the build, 3 times\n"
                                      "hint: stop the program that writes to it, then build again\n")
        self.assertEqual(list(self.cache.glob("go/bundles/*")), [])

    def test_a_python_source(self):
        backend = HOMEMADE["homemade/backend.py"].replace("def build_wheel(", "def build_wheel(").replace(
            "    name =", "    import os\n    if not os.path.exists('ONCE'):\n"
                          "        open('ONCE', 'w').close()\n        open('SOURCE', 'w').write('B')\n    name =")
        module = self.folder / "source/homemade/homemade.py"
        backend = backend.replace("ONCE", str(self.folder / "once")).replace("SOURCE", str(module))
        source = self.source({"main.py": "", "requirements.txt": "./homemade\n", **HOMEMADE, "homemade/homemade.py": "A",
                              "homemade/backend.py": backend})
        result = self.build_well(source, env=self.environment(UV_CACHE_DIR=str(self.folder / "uv")))
        self.assertIn("changed during the build; building again\n", result.stderr)
        [environment] = (self.cache / "env").iterdir()
        self.assertEqual(next(environment.rglob("homemade.py")).read_text(), "B")

    def test_requirements_that_change_are_not_remembered(self):
        """uv reads the file itself; an edit of the program meanwhile is none of its business."""
        real = support.require_tool("uv")
        source = self.source({"main.py": "", "requirements.txt": "one\n"})
        for name in ("one", "two"):
            self.write(f"wheels/{name}-1.0-py3-none-any.whl", wheel(name, {f"{name}.py": ""}))
            self.write(f"{name}.txt", name + "\n")
        self.write("bin/uv", f"""#!/bin/sh
if [ "$2" = compile ] && [ ! -e {self.folder}/once ]; then
  touch {self.folder}/once
  cp {self.folder}/two.txt {source}/requirements.txt
  {real} "$@"; code=$?
  cp {self.folder}/one.txt {source}/requirements.txt
  exit $code
fi
[ "$2" = compile ] && echo "# edit" >>{source}/main.py
exec {real} "$@"
""", mode=0o755)
        env = self.environment(PATH=f"{self.folder}/bin:{self.environment()['PATH']}", UV_NO_INDEX="1",
                               UV_FIND_LINKS=str(self.folder / "wheels"))
        result = self.build_well(source, env=env)
        self.assertEqual(result.stderr.count("building again"), 1, result.stderr)
        self.assertIn('"one==1.0"', (self.folder / "out/build.json").read_text())


if __name__ == "__main__":
    support.main()
