# SPDX-License-Identifier: Apache-2.0
"""Hostile specs and sources: each is accepted or refused in one line, and nothing outside is read or changed."""

import json
import os
import socket
import string

import attempt as base
import running

NUMBERS = (
    "0",
    "-1",
    "1e400",
    "-0.0",
    "9" * 30,
    "3E1972",
    "0x7fffffffffffffff",
    ".inf",
    ".nan",
    "1_000",
    "0o17",
    "18446744073709551616",
)
WORDS = (
    "",
    "\0",
    "\n",
    "a" * 100_000,
    "../" * 50,
    "/etc/passwd",
    "ünïcode",
    "\ud7ff",
    "*",
    "**/" * 200,
    "{" * 300,
    "[a-",
    "!(x",
    "$(id)",
    "`id`",
    "-x",
    "--help",
    "\u202e",
    "%s%n",
    "null",
    "~",
    "'",
    '"',
)


def value(choose, depth=0):
    kind = choose.randrange(8 if depth < 4 else 4)
    if kind == 0:
        return choose.choice((None, True, False, 0, -1, 1 << 63, 1 << 70, 1e308, -1e-308, 3.5))
    if kind < 4:
        return choose.choice(WORDS)
    if kind < 6:
        return [value(choose, depth + 1) for _ in range(choose.randrange(4))]
    return {
        choose.choice(
            (*WORDS[5:], "pfs", "name", "repo", "glob", "cross", "union", "build", "env", "lazy", "path")
        ): value(choose, depth + 1)
        for _ in range(choose.randrange(4))
    }


def places_in(document, path=()):
    yield path
    if isinstance(document, dict):
        for name, below in document.items():
            yield from places_in(below, (*path, name))
    elif isinstance(document, list):
        for index, below in enumerate(document):
            yield from places_in(below, (*path, index))


def change(choose, document):
    """Something of it becomes something else, goes, or gets a neighbour."""
    place = choose.choice(list(places_in(document)))
    if not place:
        return document if choose.random() < 0.9 else value(choose)
    parent = document
    for step in place[:-1]:
        parent = parent[step]
    if choose.random() < 0.2:
        del parent[place[-1]]
    elif choose.random() < 0.3 and isinstance(parent, dict):
        parent[
            choose.choice(
                (
                    "lazy",
                    "empty_files",
                    "glob",
                    "branch",
                    "env",
                    "cmd",
                    "image",
                    "user",
                    "datum_tries",
                    "datum_timeout",
                    "parallelism_spec",
                    "cross",
                    "cron",
                    "git",
                    "join_on",
                    "group_by",
                )
            )
        ] = value(choose)
    else:
        parent[place[-1]] = value(choose)
    return document


def as_yaml(choose, document):
    text = json.dumps(document, ensure_ascii=choose.random() < 0.5)
    return text if choose.random() < 0.3 else "\n".join(lines_of(choose, document, 0))


def lines_of(choose, document, depth):
    pad = "  " * depth
    if isinstance(document, dict) and document:
        for name, below in document.items():
            if isinstance(below, (dict, list)) and below:
                yield f"{pad}{json.dumps(name)}:"
                yield from lines_of(choose, below, depth + 1)
            else:
                yield f"{pad}{json.dumps(name)}: {scalar(choose, below)}"
    elif isinstance(document, list) and document:
        for below in document:
            yield f"{pad}- {json.dumps(below)}"
    else:
        yield f"{pad}{scalar(choose, document)}"


def scalar(choose, document):
    return choose.choice(NUMBERS) if choose.random() < 0.08 else json.dumps(document)


def damage(choose, data):
    """A few bytes changed, cut out or doubled."""
    data = bytearray(data)
    for _ in range(choose.choice((0, 0, 0, 1, 2, 8))):
        if not data:
            break
        place = choose.randrange(len(data))
        way = choose.randrange(4)
        if way == 0:
            data[place] = choose.randrange(256)
        elif way == 1:
            del data[place : place + choose.randrange(10)]
        elif way == 2:
            data[place:place] = data[place : place + choose.randrange(40)]
        else:
            data[place:place] = choose.choice(
                (b"\0", b"\xff\xfe", b"&a *a ", b"[" * 200, b"{" * 200, b"\r", b"- - - ", b"!!binary ", b"<<: ")
            )
    return bytes(data)


def specs(attempt):
    """hostile and damaged specs in JSON and YAML, for pachbuild validate and run"""
    choose = attempt.choose
    pipeline = running.Pipeline(attempt, datums=2, pause=0)
    sound = json.loads((attempt.folder / "given/spec.json").read_text(encoding="utf-8"))
    for number in range(choose.randrange(8, 20)):
        document = json.loads(json.dumps(sound))
        for _ in range(choose.randrange(1, 4)):
            document = change(choose, document)
        if choose.random() < 0.5:
            text, name = json.dumps(document, ensure_ascii=choose.random() < 0.5), f"{number}.json"
        else:
            text, name = as_yaml(choose, document), f"{number}.yaml"
        if choose.random() < 0.02:
            text = "[" * choose.choice((90, 200, 100_000))
        spec = attempt.write(f"given/{name}", damage(choose, text.encode(errors="surrogatepass")))
        check = attempt.guard()
        before = len(attempt.violations)
        attempt.run([attempt.pachbuild(), "validate", "-f", spec], seconds=30)
        if choose.random() < 0.3:
            command = pipeline.command("--allow-empty")
            command[command.index("-f") + 1] = spec
            attempt.run(command, seconds=60)
        check()
        if len(attempt.violations) > before:
            attempt.violation("the spec was", spec.read_bytes()[:1500])
            return
    running.finish_attempt(attempt, lambda: None)


PYPROJECT = """[build-system]
requires = ["setuptools"]
[project]
name = "x"
version = "1"
requires-python = ">=3.8"
dependencies = ["one==1"]
[project.scripts]
x = "x:main"
[tool.pachbuild]
arguments = ["a"]
[tool.pachbuild.python]
dependencies = ["requirements.txt"]
[tool.poetry.dependencies]
python = "^3.8"
one = { path = "one" }
"""
FILES = {
    "requirements.txt": b"one==1.0 --hash=sha256:00\n-r other.txt\n-c c.txt\n./two.whl\n"
    b"three @ file:///opt/x ; python_version > '3'\n",
    "other.txt": b"-r requirements.txt\n${HOME}\n",
    "c.txt": b"one<2\n",
    "pyproject.toml": PYPROJECT.encode(),
    "pachbuild.toml": b'language = "python"\n[python]\nprogram = "main.py"\n[go]\ntags = ["x"]\n',
    "uv.lock": b'version = 1\nrequires-python = ">=3.8"\n'
    b'[[package]]\nname = "one"\nversion = "1.0"\nsource = { registry = "https://x/" }\n'
    b'sdist = { url = "https://x/o.tar.gz", hash = "sha256:00" }\n',
    "pylock.toml": b'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "one"\nversion = "1.0"\n',
    "poetry.lock": b'[[package]]\nname = "one"\nversion = "1.0"\nfiles = []\n'
    b'[metadata]\nlock-version = "2.0"\ncontent-hash = "0"\n',
    "Pipfile": b'[packages]\none = "*"\n',
    "Pipfile.lock": b'{"_meta": {"hash": {"sha256": "0"}}, "default": {"one": {"version": "==1.0"}}}',
    "pdm.lock": b'[metadata]\nlock_version = "4.4"\n[[package]]\nname = "one"\nversion = "1.0"\n',
    ".python-version": b"3.11\n",
    "runtime.txt": b"python-3.11\n",
    "setup.cfg": b"[metadata]\nname = x\n[options]\ninstall_requires =\n  one\n",
    "go.mod": b"module example.com/x\n\ngo 1.21\n\nrequire example.com/y v1.0.0\n\nreplace example.com/y => ./y\n",
    "go.work": b"go 1.21\n\nuse (\n\t.\n\t./y\n)\n",
    "go.sum": b"example.com/y v1.0.0 h1:xxxx=\n",
    "main.go": b"package main\n\nfunc main() {}\n",
    "vendor/modules.txt": b"# example.com/y v1.0.0\n## explicit; go 1.21\nexample.com/y\n",
    "environment.yml": b"name: x\n",
    "main.py": b"print(1)\n",
    "__main__.py": b"print(2)\n",
    "run.sh": b"echo 1\n",
    ".pachignore": b"*.pyc\n!x\n[a-\n\\\n",
}
LINES = (
    b"-r /etc/passwd\n",
    b"-r ../canary/precious\n",
    b"-r file:///etc/passwd\n",
    b"-r https://x/y\n",
    b"-c ${HOME}/x\n",
    b"-e ../canary\n",
    b"--find-links /etc\n",
    b"one @ git+https://x/y\n",
    b"-r " + b"a/" * 500 + b"\n",
    b"one==1\\\n--hash=x\n",
    b"\xff\xfe\0\n",
    b"[" * 70 + b"]" * 70 + b"\n",
    b"x = " + b"[" * 300 + b"\n",
    b"a" + b".a" * 50 + b" = 1\n",
    b"x" * 70_000 + b"\n",
    b"replace example.com/y => ../../canary\n",
    b"use ../canary\n",
    b"toolchain go9.9.9\n",
    b"\n\n\r\n\x0c",
)


def source(attempt):
    """hostile sources: manifests that are damaged, contradict each other, point outside, or are pipes, links or sockets"""
    choose = attempt.choose
    base.require_tool("uv")
    folder = attempt.folder / "given/source"
    folder.mkdir()
    for name in choose.sample(sorted(FILES), choose.randrange(1, 6)):
        content = FILES[name]
        if choose.random() < 0.4:
            content += choose.choice(LINES)
        attempt.write(f"given/source/{name}", damage(choose, content) if choose.random() < 0.7 else content)
    if choose.random() < 0.6 and not (folder / "main.py").exists():
        attempt.write("given/source/main.py", b"print(1)\n")
    for _ in range(choose.choice((0, 0, 1, 2))):
        name = choose.choice((*sorted(FILES), "x", "a\nb", "\udcff", "-x.py", " ", "n" * 255))
        path = folder / name
        if path.exists() or path.is_symlink():
            if not path.is_file():
                continue
            path.unlink()
        path.parent.mkdir(exist_ok=True)
        kind = choose.randrange(7)
        if kind == 0:
            os.mkfifo(path)
        elif kind == 1:
            path.symlink_to(
                choose.choice(
                    (
                        attempt.canary,
                        attempt.canary / "precious",
                        "/etc/passwd",
                        "/dev/zero",
                        "nowhere",
                        path.name,
                        "..",
                        ".",
                    )
                )
            )
        elif kind == 2 and len(os.fsencode(path)) < 100:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(str(path))
        elif kind == 3:
            path.mkdir()
        elif kind == 4:
            path.write_bytes(b"")
            os.truncate(path, 65 << 20)
            if name.endswith((".py", ".go", ".sh")):
                os.truncate(path, 1 << 20)
        elif kind == 5:
            path.write_bytes(choose.randbytes(3000))
        else:
            deep = folder
            for _ in range(choose.choice((10, 100, 300))):
                deep = deep / choose.choice(string.ascii_letters)
            try:
                deep.mkdir(parents=True)
            except OSError:
                pass
    check = attempt.guard()
    before = sorted(os.listdir(os.fsencode(folder)))
    outcome = attempt.run(
        [attempt.builder(), "--source", folder, "--out", attempt.out, "--shim", attempt.shim()],
        seconds=90,
        env=attempt.environment(GOCACHE=attempt.folder.parent / "shared-go-cache"),
    )
    for place in (attempt.cache, attempt.out):
        if place.exists():
            base_found = base.watching.files_with("root:x:0:0:", place)
            attempt.expect(not base_found, "a file from outside the source was copied", base_found)
    attempt.expect("root:x:0:0" not in outcome.errors, "a file from outside the source was shown", outcome.errors)
    if outcome.code != 0:
        attempt.expect(not (attempt.out / "run.sh").exists(), "run.sh of a build that failed", outcome.errors)
    attempt.expect(sorted(os.listdir(os.fsencode(folder))) == before, "the source was written to")
    running.finish_attempt(attempt, check)


ATTACKS = {"specs": specs, "sources": source}
