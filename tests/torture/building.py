# SPDX-License-Identifier: Apache-2.0
"""Attacks on builder-runtime: sources that need no network (a program of Python, a wheel made by hand, Go's standard
library), built, attacked and built again; credentials that are planted where credentials may be."""

import base64
import functools
import hashlib
import os
import shutil
import signal
import urllib.parse

import attempt as base
import running
import watching  # finds what the suites have
import wheels
from private_server import Server

GO_MAIN = 'package main\n\nimport "os"\n\nfunc main() {{ os.Stdout.WriteString("{version}\\n") }}\n'
KINDS = ("plain", "wheel", "go")


class Source:
    """A source in the folder of an attempt, by kind and version; caches of tools are shared between attempts."""

    def __init__(self, attempt, kind=None, name="source"):
        self.attempt = attempt
        self.kind = kind or attempt.choose.choices(KINDS, (3, 4, 1))[0]
        self.folder = attempt.folder / "given" / name
        self.name = name
        if self.kind == "wheel":
            base.require_tool("uv")
        if self.kind == "go":
            base.require_tool("go")
        self.change(1)

    def change(self, version):
        write = functools.partial(self._write, version)
        if self.kind == "go":
            write("go.mod", "module example.com/torture\n\ngo 1.21\n")
            write("main.go", GO_MAIN.format(version=version))
            return
        write("main.py", f"print({version})\n")
        if self.kind == "wheel":
            content = bytes(str(version), "ascii") * 40_000
            write(
                "one-1.0-py3-none-any.whl",
                wheels.wheel("one", {"one/__init__.py": f"VERSION = {version}\n", "one/data": content}),
            )
            write("requirements.txt", "./one-1.0-py3-none-any.whl\n")

    def _write(self, _, name, content):
        # Whole, as editors save: a file that is caught empty would be a state of the source of its own.
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.attempt.write("saved", content), path)

    def environment(self, **changes):
        return self.attempt.environment(GOCACHE=self.attempt.folder.parent / "shared-go-cache", **changes)

    def command(self, out=None):
        return [
            self.attempt.builder(),
            "--source",
            self.folder,
            "--out",
            out or self.attempt.out,
            "--shim",
            self.attempt.shim(),
        ]

    def build_well(self, out=None, **changes):
        outcome = self.attempt.run(self.command(out), codes=(0,), env=self.environment(**changes))
        return outcome, contents(out or self.attempt.out)


def contents(folder):
    return {
        name: hashlib.sha256(content).hexdigest() for name, content in watching.files_of(folder, without=None).items()
    }


def check_store(attempt):
    """What is in the cache under its final name is whole."""
    for entry in attempt.cache.glob("*/bundles/*"):
        for bundle in entry.glob("b*-*.tar.zst"):
            attempt.expect(
                watching.digest_of(bundle) in bundle.name, "a bundle in the cache is not what it is called", bundle
            )
    for entry in attempt.cache.glob("python/bytecode/*"):
        content = entry.read_bytes()
        attempt.expect(
            hashlib.sha256(content[:-64]).hexdigest().encode() == content[-64:],
            "bytecode in the cache is damaged",
            entry,
        )


def check_artifact(attempt, *whole):
    """Where there is a run.sh, there is one whole artifact."""
    found = contents(attempt.out)
    if "run.sh" not in found:
        return
    attempt.expect(
        any(all(found.get(name) == digest for name, digest in artifact.items()) for artifact in whole),
        "the artifact is half-made",
        found,
    )


def check_work(attempt):
    left = [str(path) for path in attempt.cache.glob("work/*")]
    attempt.expect(not left, "work is left in the cache", left)


def prepared(attempt):
    """A source, its artifacts: of an earlier version in the output folder (or none), and of this one."""
    source = Source(attempt)
    outcome, wanted = source.build_well(out=attempt.folder / "wanted")
    earlier = None
    if attempt.choose.random() < 0.5:
        source.change(2)
        outcome, earlier = source.build_well()
        source.change(1)
    if attempt.choose.random() < 0.7:
        remove(attempt.cache)
    return source, outcome.seconds, wanted, earlier


def remove(folder):

    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)


def finish(attempt, source, wanted, check):
    outcome, found = source.build_well()
    attempt.expect(found == wanted, "the same source gave other bytes", watching.differences(wanted, found))
    check_store(attempt)
    attempt.check_nothing_runs()
    check()
    return outcome


def killed(attempt):
    """builder-runtime or its child processes killed (SIGKILL)"""
    source, seconds, wanted, earlier = prepared(attempt)
    check = attempt.guard(attempt.folder / "given")
    for _ in range(attempt.choose.randrange(1, 5)):
        process = attempt.start(source.command(), env=source.environment())
        attempt.sleep(seconds * 1.1)
        below = watching.descendants(process.pid)
        if below and attempt.choose.random() < 0.4:
            attempt.send(attempt.choose.choice(below), attempt.choose.choice((signal.SIGKILL, signal.SIGTERM)))
            attempt.check_end(attempt.finish(process))
        else:
            attempt.send(process.pid, signal.SIGKILL)
            attempt.finish(process)
        attempt.check_nothing_runs()
        check_artifact(attempt, wanted, *([earlier] if earlier else []))
        check_store(attempt)
    finish(attempt, source, wanted, check)


def signalled(attempt):
    """builder-runtime stopped by SIGINT, SIGTERM or SIGHUP, sometimes twice"""
    source, seconds, wanted, earlier = prepared(attempt)
    check = attempt.guard(attempt.folder / "given")
    number = attempt.choose.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    process = attempt.start(source.command(), env=source.environment())
    attempt.sleep(seconds * 1.1)
    attempt.send(process.pid, number)
    if attempt.choose.random() < 0.3:
        attempt.sleep(0.1)
        attempt.send(process.pid, number)
    outcome = attempt.finish(process, 60)
    attempt.check_end(outcome, codes=(0,), signals=(number,))
    check_artifact(attempt, wanted, *([earlier] if earlier else []))
    if outcome.errors:
        check_work(attempt)
    attempt.check_nothing_runs()
    attempt.check_temporary()
    finish(attempt, source, wanted, check)


def full_disk(attempt):
    """builder-runtime with a full disk for the cache, the output, TMPDIR or the home folder (state)"""
    attempt.private_mounts()
    place = attempt.choose.choice(("cache", "out", "tmp", "home"))
    folder = attempt.folder / place
    attempt.mount_disk(folder)
    source = Source(attempt, kind=attempt.choose.choice(("plain", "wheel", "wheel")))
    elsewhere = attempt.folder / "cache2"
    _, wanted = source.build_well(out=attempt.folder / "wanted", PACHBUILD_CACHE_DIR=elsewhere)
    check = attempt.guard(attempt.folder / "given")
    status = os.statvfs(folder)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    if attempt.choose.random() < 0.3:
        attempt.resize_disk(
            folder, f"size=256m,nr_inodes={status.f_files - status.f_ffree + attempt.choose.randrange(1, 80)}"
        )
    else:
        room = attempt.choose.choice((4096, 20_000, 100_000, 1_000_000, 2_500_000, 4_000_000))
        attempt.resize_disk(folder, f"size={used + room}")
    outcome = attempt.run(source.command(), codes=(0, 1, 73), env=source.environment())
    check_artifact(attempt, wanted)
    check_store(attempt)
    if outcome.code != 0:
        attempt.expect("o space left on" in outcome.errors, "a full disk is not named", outcome.errors[-1500:])
    attempt.resize_disk(folder, "size=256m,nr_inodes=100000")
    finish(attempt, source, wanted, check)


def same_bytes(attempt):
    """one source built in other folders, at other times, with other file orders, umasks, locales and processors"""
    choose = attempt.choose
    source = Source(attempt)
    _, wanted = source.build_well()
    other = Source(
        attempt, kind=source.kind, name=choose.choice(("another deeper/ünd odd", "x", "source of a long name" * 8))
    )
    for path in other.folder.rglob("*"):
        os.utime(path, (choose.randrange(2**31), choose.randrange(2**31)))
    prefix = choose.choice(([], ["taskset", "--cpu-list", "0"], ["nice"]))
    mask = choose.choice((0o022, 0o077, 0o002, 0))
    changes = {
        "TZ": choose.choice(("UTC", "Pacific/Kiritimati")),
        "LC_ALL": choose.choice(("C", "de_DE.UTF-8", "tr_TR.UTF-8")),
        "PYTHONHASHSEED": choose.choice(("0", "7")),
        "USER": choose.choice(("someone", "root")),
        "PACHBUILD_CACHE_DIR": attempt.folder / "cache2",
        "COLUMNS": choose.choice(("20", "300")),
    }
    os.umask(mask)
    out = attempt.folder / "out2"
    attempt.run([*prefix, *other.command(out)], codes=(0,), env=other.environment(**changes))
    os.umask(0o022)
    attempt.expect(
        contents(out) == wanted, "the same source gave other bytes", watching.differences(wanted, contents(out))
    )
    attempt.check_nothing_runs()


def at_once(attempt):
    """many builder-runtime at once with one cache, some into one folder, some killed"""
    source, seconds, wanted, earlier = prepared(attempt)
    check = attempt.guard(attempt.folder / "given")
    outs = [
        attempt.choose.choice((attempt.out, attempt.folder / f"out{number}"))
        for number in range(attempt.choose.randrange(2, 6))
    ]
    processes = [attempt.start(source.command(out), env=source.environment()) for out in outs]
    victims = [process for process in processes if attempt.choose.random() < 0.3]
    for process in victims:
        attempt.sleep(seconds)
        attempt.send(process.pid, attempt.choose.choice((signal.SIGKILL, signal.SIGTERM)))
    for process, out in zip(processes, outs):
        outcome = attempt.finish(process)
        if process in victims:
            continue
        attempt.check_end(outcome, codes=(0,))
        if outs.count(out) == 1 and not earlier:
            attempt.expect(
                contents(out) == wanted, "the same source gave other bytes", watching.differences(wanted, contents(out))
            )
    check_artifact(attempt, wanted, *([earlier] if earlier else []))
    finish(attempt, source, wanted, check)


def limited(attempt):
    """builder-runtime with few open files, little memory or few processes"""
    source = Source(attempt, kind=attempt.choose.choice(("plain", "wheel")))
    _, wanted = source.build_well(out=attempt.folder / "wanted", PACHBUILD_CACHE_DIR=attempt.folder / "cache2")
    check = attempt.guard(attempt.folder / "given")
    kind, limit = running.limiter(attempt, "nv")
    attempt.run(source.command(), env=source.environment(), before=limit)
    # A compiler that cannot be loaded says so instead of its version, and that decides the key of this build.
    if kind == "n":
        check_artifact(attempt, wanted)
    check_store(attempt)
    finish(attempt, source, wanted, check)


def damaged(attempt):
    """files of the cache of builder-runtime removed, truncated or changed between two builds"""
    source = Source(attempt, kind=attempt.choose.choice(("plain", "wheel", "wheel")))
    _, wanted = source.build_well()
    check = attempt.guard(attempt.folder / "given")
    # What uv keeps is uv's own.
    places = [
        path
        for path in (
            attempt.cache / "python/bundles",
            attempt.cache / "python/bytecode",
            attempt.cache / "python/imports",
            attempt.cache / "python/chosen",
            attempt.cache / "tools",
        )
        if path.exists()
    ]
    running.damage_files(attempt, attempt.choose.choice(places))
    if attempt.choose.random() < 0.7:
        shutil.rmtree(attempt.out)
    _, found = source.build_well()
    attempt.expect(found == wanted, "the same source gave other bytes", watching.differences(wanted, found))
    attempt.check_nothing_runs()
    check()


def changing(attempt):
    """a source that changes while it is built: the artifact never mixes two states"""
    source = Source(attempt, kind=attempt.choose.choice(("plain", "wheel", "wheel")))
    artifacts = []
    for version in (1, 2):
        source.change(version)
        outcome, artifact = source.build_well(out=attempt.folder / f"wanted{version}")
        artifacts.append(artifact)
    shutil.rmtree(attempt.cache)
    process = attempt.start(source.command(), env=source.environment())
    for _ in range(attempt.choose.randrange(1, 4)):
        attempt.sleep(outcome.seconds)
        source.change(attempt.choose.choice((1, 2)))
    attempt.check_end(attempt.finish(process), codes=(0, 1, 65, 74))
    check_artifact(attempt, *artifacts)
    check_store(attempt)
    source.change(1)
    finish(attempt, source, artifacts[0], attempt.guard(attempt.folder / "given"))


def credentials(attempt):
    """credentials in requirements, indexes, variables and .netrc: they reach no file, argument or message"""
    base.require_tool("uv")
    choose = attempt.choose
    word = "pl4nted"
    password = (
        "".join(choose.choices("ab@:/+#?%&=!", k=choose.randrange(6))) + word + "".join(choose.choices("xy@", k=2))
    )
    served = attempt.folder / "given/served"
    file = "planted-1.0-py3-none-any.whl"
    attempt.write(f"given/served/simple/planted/{file}", wheels.wheel("planted", {"planted.py": ""}))
    attempt.write("given/served/simple/planted/index.html", f'<a href="{file}">{file}</a>')
    server = Server(served, password if choose.random() < 0.7 else "another")
    quoted = urllib.parse.quote(password, safe="")
    host = f"127.0.0.1:{server.server_port}"
    url = f"http://me:{quoted}@{host}"
    variables = {"UV_OFFLINE": None, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "UV_HTTP_TIMEOUT": "5"}
    files = {"main.py": "print(1)\n"}
    way = choose.choice(("index", "extra", "url", "variable", "named", "netrc", "secret", "broken", "pyproject", "log"))
    attempt.write("way", f"{way} {password}")
    if way == "index":
        files["requirements.txt"] = f"--index-url {url}/simple\nplanted\n"
    elif way == "extra":
        files["requirements.txt"] = f"--index-url http://{host}/none\n--extra-index-url {url}/simple\nplanted\n"
    elif way in ("url", "log"):
        files["requirements.txt"] = f"planted @ {url}/simple/planted/{file}\n"
        if way == "log":
            variables["PACHBUILD_LOG"] = "json"
    elif way == "variable":
        files["requirements.txt"] = "planted\n"
        variables["PIP_INDEX_URL"] = f"{url}/simple"
    elif way == "named":
        files["requirements.txt"] = "--index-url http://${WHO}:${WORD}@" + host + "/simple\nplanted\n"
        variables.update(WHO="me", WORD=quoted)
    elif way == "netrc":
        attempt.write("home/.netrc", f"machine 127.0.0.1 login me password {word}\n", 0o600)
        server = Server(served, word)
        files["requirements.txt"] = f"--index-url http://127.0.0.1:{server.server_port}/simple\nplanted\n"
    elif way == "secret":
        variables.update(MY_TOKEN=password, OTHER=password, PACHBUILD_BUILD_SECRETS="OTHER")
    elif way == "broken":
        # What uv takes for the path of a host "me", nobody can tell from one.
        password = password.lstrip("/?:")
        if "@" in password.split(word)[0]:  # nor "p@x/y@host" from a host "x"
            password = password.replace("/", "").replace("?", "").replace("#", "")
        files["requirements.txt"] = (
            f"planted @ http://me:{password}@{choose.choice(('exa mple', '[x', 'h:99999999', host))}/{file}\n"
        )
        variables["UV_OFFLINE"] = "1"
    else:
        files["pyproject.toml"] = (
            f'[project]\nname = "x"\nversion = "1"\ndependencies = ["planted"]\n[[tool.uv.index]]\nname = "i"\n'
            f'url = "{url}/simple"\ndefault = true\n'
        )
    for name, content in files.items():
        attempt.write(f"given/source/{name}", content)
    check = attempt.guard(attempt.folder / "given")
    command = [
        attempt.builder(),
        "--source",
        attempt.folder / "given/source",
        "--out",
        attempt.out,
        "--shim",
        attempt.shim(),
    ]
    with watching.watch_arguments() as watcher:
        for options in ([], ["--inputs"], []):
            attempt.run(command + options, env=attempt.environment(**variables))
    server.close()
    attempt.expect(
        not any(word in words for words in watcher.seen),
        "a credential in the arguments of a process",
        [words for words in watcher.seen if word in words],
    )
    encoded = "|".join({word, base64.b64encode(f"me:{password}".encode()).decode().replace("+", "\\+")})
    places = [folder for folder in (attempt.cache, attempt.out, attempt.tmp) if folder.exists()]
    logs = [path for path in attempt.folder.glob("logs/*.*") if path.suffix in (".out", ".err")]
    found = watching.files_with(encoded, *places) + [str(path) for path in logs if word.encode() in path.read_bytes()]
    attempt.expect(not found, "a credential in a file or in a log", f"{way}: {found}")
    attempt.check_nothing_runs()
    check()


ATTACKS = {
    "build-killed": killed,
    "build-signalled": signalled,
    "build-disk": full_disk,
    "build-bytes": same_bytes,
    "build-at-once": at_once,
    "build-limits": limited,
    "build-damaged": damaged,
    "build-changing": changing,
    "build-secrets": credentials,
}
