# SPDX-License-Identifier: Apache-2.0
"""Attacks on worker-shim: bundles that are damaged or hostile, kills, full disks, other users, signals."""

import hashlib
import io
import os
import signal
import subprocess
import tarfile

import attempt as base
import running
import watching

DIGEST_OF_ALL = 'cd "$PACHBUILD_ENV" && find . -type f | sort | xargs cat | sha256sum'


def entry(name, kind=tarfile.REGTYPE, content=b"", target="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(content), target, mode
    return info, content


def pack(entries):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def compress(data):
    return subprocess.run(
        [base.require_tool("zstd"), "-q", "-c", "-1"], input=data, capture_output=True, check=True
    ).stdout


def good_files(choose, count, size):
    files = {f"lib/p{i % 5}/m{i}.py": choose.randbytes(choose.randrange(size)) for i in range(count)}
    files["lib/large.so"] = choose.randbytes(choose.choice((10, 300_000, 3_000_000)))
    files["bin/tool"] = b"#!/bin/sh\necho tool\n"
    return files


class Bundle:
    def __init__(self, attempt, data=None, files=None, name="build"):
        self.files = files
        if data is None:
            data = compress(
                pack(
                    entry(path, content=content, mode=0o755 if path.startswith("bin/") else 0o644)
                    for path, content in sorted(files.items())
                )
            )
        self.digest = hashlib.sha256(data).hexdigest()
        self.folder = attempt.folder / name
        self.data = data
        attempt.write(f"{name}/bundle-{self.digest}.tar.zst", data)

    def expected(self):
        return hashlib.sha256(
            b"".join(self.files[path] for path in sorted(self.files, key=lambda p: f"./{p}"))
        ).hexdigest()

    def check(self, attempt, cache=None):
        """What is under its final name is whole."""
        environment = (cache or attempt.cache) / "env" / self.digest
        if environment.exists():
            attempt.expect(
                watching.files_of(environment, without=None) == self.files, "an environment is not whole", environment
            )
            return True
        return False


def command(attempt, bundle, *words):
    return [attempt.shim(), "--build", bundle.folder, "--environment", bundle.digest, "--exec", "--", *words]


def use(attempt, bundle, **options):
    outcome = attempt.run(command(attempt, bundle, "sh", "-c", f"tool && {DIGEST_OF_ALL}"), codes=(0,), **options)
    attempt.expect(
        outcome.output == f"tool\n{bundle.expected()}  -\n",
        "the environment has another content",
        outcome.output + outcome.errors,
    )


def killed(attempt):
    """many worker-shim at once on one environment, some killed while they unpack"""
    choose = attempt.choose
    bundle = Bundle(attempt, files=good_files(choose, choose.randrange(1, 500), 3000))
    check = attempt.guard(bundle.folder)
    for _ in range(choose.randrange(1, 4)):
        processes = [attempt.start(command(attempt, bundle, "tool")) for _ in range(choose.randrange(1, 8))]
        victims = choose.sample(processes, choose.randrange(len(processes) + 1))
        for process in victims:
            attempt.sleep(0.05)
            attempt.send(process.pid, choose.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)))
        for process in processes:
            outcome = attempt.finish(process)
            if process not in victims:
                attempt.check_end(outcome, codes=(0,))
        bundle.check(attempt)
    use(attempt, bundle)
    attempt.expect(bundle.check(attempt), "an environment is missing")
    left = [path.name for path in (attempt.cache / "env").iterdir() if path.name != bundle.digest]
    attempt.expect(not left, "something is left beside the environment", left)
    running.finish_attempt(attempt, check)


def disk(attempt):
    """worker-shim on a full disk, with and without old environments to remove"""
    choose = attempt.choose
    attempt.private_mounts()
    attempt.mount_disk(attempt.cache)
    bundle = Bundle(attempt, files=good_files(choose, choose.randrange(1, 300), 3000))
    check = attempt.guard(bundle.folder)
    total = sum(4096 * (len(content) // 4096 + 2) for content in bundle.files.values())
    if choose.random() < 0.7:
        attempt.resize_disk(attempt.cache, f"size={4096 + choose.randrange(total)}")
    else:
        attempt.resize_disk(attempt.cache, f"size=256m,nr_inodes={choose.randrange(3, len(bundle.files) + 10)}")
    processes = [attempt.start(command(attempt, bundle, "tool")) for _ in range(choose.randrange(1, 4))]
    for process in processes:
        outcome = attempt.finish(process)
        attempt.check_end(outcome, codes=(0, 125))
        if outcome.code:
            attempt.expect("no space" in outcome.errors, "a full disk is not named", outcome.errors)
    bundle.check(attempt)
    attempt.resize_disk(attempt.cache, "size=256m,nr_inodes=100000")
    use(attempt, bundle)
    running.finish_attempt(attempt, check)


def hostile_entries(attempt):
    choose = attempt.choose
    canary = str(attempt.canary)
    up = "../" * choose.randrange(1, 30)
    evil = b"evil"
    return choose.choice(
        (
            [entry(f"{canary}/precious", content=evil)],
            [entry(f"{up}{canary[1:]}/precious", content=evil)],
            [entry(f"lib/../../{'../' * choose.randrange(30)}{canary[1:]}/new", content=evil)],
            [entry("out", tarfile.SYMTYPE, target=canary), entry("out/precious", content=evil)],
            [
                entry("out", tarfile.SYMTYPE, target=canary),
                entry("out/new/", tarfile.DIRTYPE, mode=0o755),
                entry("out/new/f", content=evil),
            ],
            [entry("hard", tarfile.LNKTYPE, target=f"{canary}/precious"), entry("hard", content=evil)],
            [entry("hard", tarfile.LNKTYPE, target=f"{up}{canary[1:]}/precious")],
            [
                entry("a", tarfile.SYMTYPE, target=f"{canary}/precious"),
                entry("b", tarfile.LNKTYPE, target="a"),
                entry("b", content=evil),
            ],
            [entry("dev", tarfile.CHRTYPE), entry("block", tarfile.BLKTYPE)],
            [entry("pipe", tarfile.FIFOTYPE)],
            [entry("twice", content=evil), entry("twice", content=b"x")],
            [entry("file", content=evil), entry("file/below", content=evil)],
            [entry("d/" * choose.choice((50, 500, 1500)) + "f", content=evil)],
            [entry("n" * choose.choice((255, 256, 3000)), content=evil)],
            [
                entry(
                    ".base",
                    content=choose.choice((b"", b"x", b"0" * 64 + b"\n", b"../" * 20 + b"etc\n", choose.randbytes(65))),
                )
            ],
            [entry("..", tarfile.DIRTYPE), entry(".", tarfile.DIRTYPE, mode=0o777), entry("", content=evil)],
            [entry("bin", tarfile.SYMTYPE, target=f"{canary}/sub")],
            [entry("suid", content=evil, mode=0o6777)],
        )
    )


def hostile_bundle(attempt):
    """bundles with hostile entries, truncated, damaged, or with another digest"""
    choose = attempt.choose
    files = good_files(choose, choose.randrange(0, 10), 500)
    del files["bin/tool"]
    entries = [entry(path, content=content) for path, content in sorted(files.items())]
    entries.append(entry("bin/tool", content=b"#!/bin/sh\necho tool\n", mode=0o755))
    for _ in range(choose.randrange(3)):
        place = choose.randrange(len(entries) + 1)
        entries[place:place] = hostile_entries(attempt)
    tar = bytearray(pack(entries))
    for _ in range(choose.choice((0, 0, 1, 3, 30))):
        tar[choose.randrange(len(tar))] = choose.randrange(256)
    if choose.random() < 0.2:
        del tar[choose.randrange(len(tar)) :]
    data = bytearray(compress(bytes(tar)))
    damaged = choose.random() < 0.3
    bundle = Bundle(attempt, data=bytes(data))
    if damaged:
        file = bundle.folder / f"bundle-{bundle.digest}.tar.zst"
        for _ in range(choose.randrange(1, 4)):
            data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
        data = data[: choose.randrange(len(data) + 1)] if choose.random() < 0.5 else data
        data += choose.randbytes(choose.choice((0, 0, 100)))
        file.write_bytes(data)
        damaged = bytes(data) != bundle.data
    check = attempt.guard(bundle.folder)
    outcome = attempt.run(command(attempt, bundle, "true"), codes=(0, *base.SHIM_FAILURES), seconds=60)
    if damaged:
        attempt.expect(outcome.code == 125, "a damaged bundle was used", f"{outcome.code} {outcome.errors}")
    environment = attempt.cache / "env" / bundle.digest
    if outcome.code == 125:
        attempt.expect(not environment.exists(), "an environment of a refused bundle is there", environment)
    if environment.exists():
        attempt.expect(outcome.code in (0, 126, 127), "an environment is there although it failed", outcome.errors)
        modes = {oct(path.lstat().st_mode & 0o7777) for path in environment.rglob("*") if not path.is_symlink()}
        attempt.expect(modes <= {"0o755", "0o644"}, "modes of an environment", modes)
    attempt.run(
        [attempt.shim(), "--build", bundle.folder, "--check", "--exec", "--", "true"],
        codes=(0, *base.SHIM_FAILURES),
        seconds=60,
    )
    running.finish_attempt(attempt, check)


def users(attempt):
    """caches that another user could change: nothing from them is started"""
    base.require_root()
    choose = attempt.choose
    bundle = Bundle(attempt, files=good_files(choose, 3, 100))
    cache = attempt.folder / "above/cache"
    cache.mkdir(parents=True)
    planted = cache / "env" / bundle.digest / "bin/tool"
    use(attempt, bundle, env=attempt.environment(PACHBUILD_CACHE_DIR=cache))
    victim = choose.choice((attempt.folder / "above", cache, cache / "env", cache / "env" / bundle.digest))
    victim_user = 0
    way = choose.choice(("owner", "others", "group", "link"))
    if way == "owner":
        os.chown(victim, base.NOBODY, base.NOBODY)
    elif way == "others":
        victim.chmod(0o757)
    elif way == "group":
        os.chown(victim, 0, choose.choice((100, base.NOBODY)))
        victim.chmod(0o775)
    else:
        moved = victim.with_name("moved")
        victim.rename(moved)
        victim.symlink_to(moved)
        os.lchown(victim, base.NOBODY, base.NOBODY)
        victim_user = base.NOBODY
    planted.write_text("#!/bin/sh\necho planted\n", encoding="utf-8")
    check = attempt.guard(bundle.folder)
    outcome = attempt.run(
        command(attempt, bundle, "tool"), codes=(125,), env=attempt.environment(PACHBUILD_CACHE_DIR=cache)
    )
    attempt.expect(
        "planted" not in outcome.output,
        "a program that another user could plant was started",
        f"{way} {victim} {victim_user}",
    )
    builder = (
        attempt.run(
            [attempt.builder(), "--source", attempt.write("src/main.py", "print(1)\n").parent, "--out", attempt.out],
            env=attempt.environment(PACHBUILD_CACHE_DIR=cache),
        )
        if victim.name in ("above", "cache")
        else None
    )
    if builder is not None:
        attempt.expect(
            builder.code != 0, "builder-runtime used a cache that another user could change", f"{way} {victim}"
        )
    running.finish_attempt(attempt, check)


SCRIPTS = (
    ("exec sleep {n}", False),
    ("sleep {n} & wait", False),
    ("trap : TERM INT HUP; while :; do sleep 0.1; done", False),
    ("setsid sleep {n} & sleep {n} & exit 7", True),
    ("setsid sh -c 'trap \"\" TERM; sleep {n}' & sleep 0.1; exit 3", True),
    ("for i in 1 2 3 4 5 6 7 8 9; do (setsid sleep {n} &) ; done; exit 0", True),
    ("kill -STOP $$", False),
    ("sleep 0.1; kill -KILL $$", True),
    ("exec 2>&- >&-; sleep 0.05; exit 9", True),
)


def supervised(attempt):
    """worker-shim --supervise under random signals: the exit code is the program's, and no process is left"""
    choose = attempt.choose
    (attempt.folder / "build").mkdir()
    script, _ = choose.choice(SCRIPTS)
    script = script.replace("{n}", str(choose.randrange(900, 999)))
    check = attempt.guard()
    process = attempt.start(
        [
            attempt.shim(),
            "--build",
            attempt.folder / "build",
            "--supervise",
            "--grace",
            "1s",
            "--exec",
            "--",
            "sh",
            "-c",
            "ulimit -c 0; " + script,
        ]
    )
    numbers = [
        choose.choice(
            (
                signal.SIGTERM,
                signal.SIGINT,
                signal.SIGHUP,
                signal.SIGUSR1,
                signal.SIGCONT,
                signal.SIGABRT,
                signal.SIGWINCH,
                signal.SIGSEGV,
            )
        )
        for _ in range(choose.randrange(6))
    ]
    for number in numbers:
        attempt.sleep(0.1)
        attempt.send(process.pid, number)
    attempt.sleep(0.1)
    attempt.send(process.pid, signal.SIGTERM)
    outcome = attempt.finish(process, 60)
    possible = {0, 3, 7, 9, 137, 143, *(128 + number for number in numbers)}
    # A signal that comes before the shim blocks them ends it, as any program.
    early = {-number for number in (*numbers, signal.SIGTERM)}
    attempt.expect(
        outcome.code in possible | early, "an exit code that nobody gave", f"{outcome.code} {script} {numbers}"
    )
    attempt.expect(not base.CRASH.search(outcome.errors), "words of a crash", outcome.errors)
    running.finish_attempt(attempt, check)


def limits(attempt):
    """worker-shim with few open files, little memory or few processes"""
    choose = attempt.choose
    bundle = Bundle(attempt, files=good_files(choose, choose.randrange(1, 100), 3000))
    check = attempt.guard(bundle.folder)
    kind, limit = running.limiter(attempt, "nv" if os.geteuid() == 0 else "nvu")
    words = command(attempt, bundle, "tool")
    if choose.random() < 0.3:
        words[1:1] = ["--supervise"]
    outcome = attempt.finish(attempt.start(words, before=limit))
    # The limits are the program's as well, which says in its own words what it lacks.
    lines = [line for line in outcome.errors.splitlines() if line.startswith("error: ")]
    allowed = (0, 2, 127) if kind != "v" else (0, 2, 127, 139, -11, -9, 137)
    if outcome.code == 125:
        attempt.expect(len(lines) == 1, f"{len(lines)} lines of error", outcome.errors)
    elif outcome.code not in allowed:
        attempt.violation("an exit code that is not documented", f"{outcome.code} {outcome.errors}")
    attempt.expect(not base.CRASH.search(outcome.errors), "words of a crash", outcome.errors)
    bundle.check(attempt)
    use(attempt, bundle)
    running.finish_attempt(attempt, check)


def arguments(attempt):
    """random arguments pass through worker-shim byte for byte"""
    choose = attempt.choose
    (attempt.folder / "build").mkdir()
    pieces = [
        b" ",
        b"\n",
        b"'",
        b'"',
        b"\\",
        b"$HOME",
        b"`id`",
        b"*",
        b"-",
        b"--",
        b"--exec",
        b"--help",
        b"=",
        b"\xff\xfe",
        b"word",
        b"",
    ]
    for _ in range(10):
        words = [b"".join(choose.choices(pieces, k=choose.randrange(4))) for _ in range(choose.randrange(8))]
        attempt.tried += 1
        result = subprocess.run(
            [attempt.shim(), "--build", attempt.folder / "build", "--exec", "--", "/usr/bin/printf", "%s\\0", *words],
            capture_output=True,
            env=attempt.environment(),
            timeout=60,
            check=False,
        )
        expected = b"".join(word + b"\0" for word in words) if words else b"\0"
        attempt.expect(
            (result.returncode, result.stdout, result.stderr) == (0, expected, b""),
            "words have changed",
            f"{words} {result}",
        )


ATTACKS = {
    "shim-killed": killed,
    "shim-disk": disk,
    "shim-hostile": hostile_bundle,
    "shim-users": users,
    "shim-signals": supervised,
    "shim-limits": limits,
    "shim-arguments": arguments,
}
