# SPDX-License-Identifier: Apache-2.0
"""Attacks on `pachbuild run`: a pipeline of shell scripts whose output is known, run, attacked and run again."""

import json
import os
import resource
import shutil
import signal
import time

import attempt as base
import watching

PROGRAM = """name=$(basename "$data")
echo "$name" >> "{marks}"
sleep {pause}
mkdir -p "/pfs/out/$((${{#name}} % 3))"
{{ echo "{version}" && cat "$data"; }} > "/pfs/out/$((${{#name}} % 3))/$name"
"""


class Pipeline:
    """In the folder of an attempt: spec, source and data; the output of each version of the program is known."""

    def __init__(self, attempt, datums=None, pause=None, build="", more=""):
        self.attempt, self.more = attempt, more
        choose = attempt.choose
        self.pause = choose.choice((0, 0.01, 0.05)) if pause is None else pause
        self.marks = attempt.folder / "marks"
        for number in range(datums or choose.randrange(1, 14)):
            name = f"{number}" + "x" * choose.randrange(5)
            attempt.write(f"given/data/{name}", choose.randbytes(choose.choice((0, 10, 5000, 60000))))
        attempt.write("given/source/build.sh", build + "cp /pfs/source/program.sh /pfs/out/run.sh\n")
        attempt.write(
            "given/spec.json",
            json.dumps(
                {
                    "pipeline": {"name": "torture"},
                    "transform": {"build": {"language": "python", "path": "./source"}},
                    "input": {"pfs": {"repo": "data", "glob": "/*"}},
                }
            ),
        )
        self.workers = choose.randrange(1, 5)
        self.options = choose.choices((["--hard-links"], ["--logs"], []), (1, 1, 4))[0]
        self.own = {}
        self.change(1)

    def change(self, version):
        self.version = version
        self.attempt.write(
            "given/source/program.sh", PROGRAM.format(marks=self.marks, pause=self.pause, version=version) + self.more
        )
        self.marks.write_text("", encoding="utf-8")
        self.marks.chmod(0o666)

    def names(self):
        return sorted(path.name for path in (self.attempt.folder / "given/data").iterdir())

    def expected(self, version=None):
        result = {}
        for name in self.names():
            content = (self.attempt.folder / "given/data" / name).read_bytes()
            result[f"{len(name) % 3}/{name}"] = f"{version or self.version}\n".encode() + content
        return result

    def starts(self):
        """How often a datum of this version began."""
        return len(self.marks.read_text(encoding="utf-8").splitlines())

    def command(self, *options, out=None):
        folder = self.attempt.folder / "given"
        return [
            self.attempt.pachbuild(),
            "run",
            "-f",
            folder / "spec.json",
            "--input",
            f"data={folder / 'data'}",
            "--output",
            out or self.attempt.out,
            "--workers",
            self.workers,
            *self.options,
            *options,
        ]

    def guard(self):
        return self.attempt.guard(self.attempt.folder / "given")

    def check_whole(self, *versions, moving=False):
        """The output is that of one version (0: nothing); `moving`: each file is, since the moves may have been cut."""
        output = watching.files_of(self.attempt.out)
        for name, content in self.own.items():
            self.attempt.expect(
                output.pop(name, None) == content, "a file of the user's in the output folder was touched", name
            )
        allowed = [self.expected(version) if version else {} for version in versions]
        if output in allowed:
            return
        if moving and all(any(state.get(name) == content for state in allowed) for name, content in output.items()):
            return
        self.attempt.violation(
            "the output is of no whole state", {name: content[:20] for name, content in output.items()}
        )

    def run_well(self, *options):
        outcome = self.attempt.run(self.command(*options), codes=(0,))
        self.check_whole(self.version)
        self.attempt.check_scratch()
        return outcome

    def prepare(self):
        """Usually there is an output of an earlier version; the earlier version is returned, or 0."""
        earlier = 0
        self.duration = 1.0
        if self.attempt.choose.random() < 0.7:
            self.duration = self.run_well().seconds
            earlier = self.version
            self.change(self.version + 1)
            if self.attempt.choose.random() < 0.4:
                self.own = {"my own": b"mine", "1/mine as well": b""}
                for name, content in self.own.items():
                    self.attempt.write(f"out/{name}", content)
        return earlier

    def edit_output(self):
        """Somebody edits and deletes outputs; the next run restores them. What is hard-linked must not be edited."""
        for name in watching.files_of(self.attempt.out):
            path = self.attempt.out / name
            if name in self.own or self.attempt.choose.random() < 0.7:
                continue
            if self.attempt.choose.random() < 0.5 or "--hard-links" in self.options:
                path.unlink()
            else:
                path.write_bytes(self.attempt.choose.randbytes(20))

    def run_again(self, most_starts=None):
        """After an attack the same command succeeds, and no finished datum runs again."""
        self.run_well()
        if most_starts is not None:
            self.attempt.expect(
                self.starts() <= most_starts,
                "a finished datum ran again",
                f"{self.starts()} starts of {len(self.names())} datums, {most_starts} allowed",
            )
        before = self.starts()
        self.edit_output()
        self.run_well()
        self.attempt.expect(self.starts() == before, "a datum ran although nothing had changed")


def finish_attempt(attempt, check):
    attempt.check_nothing_runs()
    check()
    attempt.check_temporary()


def killed(attempt):
    """pachbuild run killed (SIGKILL), up to 3 times; then run again"""
    pipeline = Pipeline(attempt)
    earlier = pipeline.prepare()
    check = pipeline.guard()
    kills = attempt.choose.randrange(1, 4)
    for _ in range(kills):
        process = attempt.start(pipeline.command())
        attempt.sleep(pipeline.duration * 1.1)
        attempt.send(process.pid, signal.SIGKILL)
        attempt.finish(process)
        attempt.check_nothing_runs()
        pipeline.check_whole(earlier, pipeline.version, moving=True)
    pipeline.run_again(len(pipeline.names()) + kills * pipeline.workers)
    attempt.check_nothing_runs()
    check()


def signalled(attempt):
    """pachbuild run stopped by SIGINT, SIGTERM or SIGHUP, sometimes twice"""
    pipeline = Pipeline(attempt)
    earlier = pipeline.prepare()
    check = pipeline.guard()
    number = attempt.choose.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    process = attempt.start(pipeline.command())
    attempt.sleep(pipeline.duration * 1.1)
    sent = time.monotonic()
    second = attempt.choose.random() < 0.3
    attempt.send(process.pid, number)
    if second:
        attempt.sleep(0.1)
        attempt.send(process.pid, number)
    outcome = attempt.finish(process, 60)
    attempt.expect(time.monotonic() - sent < base.PATIENCE, "it did not stop at once", time.monotonic() - sent)
    attempt.check_end(outcome, codes=(0,), signals=(number,))
    pipeline.check_whole(earlier, pipeline.version)
    if outcome.errors:
        attempt.check_scratch()
    attempt.check_nothing_runs()
    attempt.check_temporary()
    pipeline.run_again(len(pipeline.names()) + pipeline.workers)
    finish_attempt(attempt, check)


def children_killed(attempt):
    """processes below pachbuild run (workers, build.sh, programs) killed or stopped"""
    pipeline = Pipeline(attempt)
    earlier = pipeline.prepare()
    check = pipeline.guard()
    process = attempt.start(pipeline.command())
    for _ in range(attempt.choose.randrange(1, 6)):
        attempt.sleep(pipeline.duration / 2)
        below = watching.descendants(process.pid)
        if below:
            attempt.send(
                attempt.choose.choice(below),
                attempt.choose.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV)),
            )
    outcome = attempt.finish(process)
    attempt.check_end(outcome, codes=(0, 1))
    pipeline.check_whole(pipeline.version if outcome.code == 0 else earlier)
    attempt.check_scratch()
    pipeline.run_again()
    finish_attempt(attempt, check)


def full_disk(attempt):
    """pachbuild run with a full disk for the cache, the output, TMPDIR or the home folder (state)"""
    attempt.private_mounts()
    place = attempt.choose.choice(("cache", "out", "tmp", "home"))
    folder = attempt.folder / place
    attempt.mount_disk(folder)
    pipeline = Pipeline(attempt)
    pipeline.options = []  # hard links need one disk
    earlier = pipeline.prepare()
    check = pipeline.guard()
    status = os.statvfs(folder)
    room = attempt.choose.choice((0, 4096, 40_000, 150_000, 400_000))
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    if attempt.choose.random() < 0.3:
        attempt.resize_disk(folder, f"size=256m,nr_inodes={status.f_files - status.f_ffree + room // 5000 + 1}")
    else:
        attempt.resize_disk(folder, f"size={used + room + 4096}")
    outcome = attempt.run(pipeline.command(), codes=(0, 1, 73))
    pipeline.check_whole(pipeline.version if outcome.code == 0 else earlier)
    if outcome.code != 0:
        attempt.expect(
            "no space left on the disk of" in outcome.errors or "No space left" in outcome.errors,
            "a full disk is not named",
            outcome.errors[-1000:],
        )
    attempt.resize_disk(folder, "size=256m,nr_inodes=100000")
    pipeline.run_again(len(pipeline.names()) if place == "out" else None)
    finish_attempt(attempt, check)


def at_once(attempt):
    """many pachbuild run at once with one cache and one output folder, some of them killed"""
    pipeline = Pipeline(attempt)
    earlier = pipeline.prepare()
    check = pipeline.guard()
    processes = [attempt.start(pipeline.command()) for _ in range(attempt.choose.randrange(2, 6))]
    victims = [process for process in processes if attempt.choose.random() < 0.3]
    for process in victims:
        attempt.sleep(pipeline.duration)
        attempt.send(process.pid, attempt.choose.choice((signal.SIGKILL, signal.SIGTERM)))
    for process in processes:
        outcome = attempt.finish(process)
        if process not in victims:
            attempt.check_end(outcome)
    pipeline.check_whole(earlier, pipeline.version, moving=bool(victims))
    pipeline.run_again()
    attempt.check_nothing_runs()
    check()


HOSTILE = (
    'd=$(readlink /pfs/out); rmdir "$d"; ln -sT {canary} "$d"',
    'd=$(dirname "$(readlink /pfs/out)"); mv "$d" "$d.away"; ln -sT {canary} "$d"',
    "mv /pfs/.scratch /pfs/away; ln -sT {canary} /pfs/.scratch",
    "ln -sT {canary} /pfs/out/link",
    "ln -sT / /pfs/out/link",
    "ln -sT link /pfs/out/link",
    "ln -sT /proc/self/environ /pfs/out/e; ln -sT /dev/zero /pfs/out/z",
    "mkfifo /pfs/out/pipe",
    "mkdir -p /pfs/out/.pachbuild; echo x > /pfs/out/.pachbuild/output.json",
    "i=0; cd /pfs/out; while [ $i -lt 400 ]; do mkdir d; cd d; i=$((i+1)); done; echo x > f",
    'echo x > "/pfs/out/$(printf "a\\nb")"; echo y > "/pfs/out/$(printf "\\377\\376")"',
    "echo x > /pfs/out/closed; chmod 0 /pfs/out/closed; chmod 0 /pfs/out",
    "kill -9 1; kill -STOP 1; kill -TERM 1",
    "kill -9 -1",
    "kill -STOP $$",
    'setsid sleep 987 & setsid sh -c "trap : TERM; sleep 986" &',
    '(sleep 985 &) ; exec 9>/pfs/out/open; setsid sh -c "sleep 0.2; echo late >&9" &',
    "yes | head -c 3000000; head -c 3000000 /dev/urandom >&2",
    "exit $(($(od -An -N1 -tu1 /dev/urandom)))",
    "rm -rf /pfs/* /pfs/.[!.]* 2>/dev/null",
    "umask 777; mkdir /pfs/out/dir; echo x > /pfs/out/dir.f",
    'for l in {cache}/run/*/logs/*; do rm -f "$l"; ln -sT {canary}/precious "$l"; done; echo logged; exit 3',
    'for w in {cache}/run/.pachbuild-*/worker-*; do cd "$w/pfs/.scratch/$PACH_DATUM_ID" && rm -rf out && '
    "ln -sT {canary} out; done",
    "truncate -s 100000000000 /pfs/out/sparse; rm /pfs/out/sparse; : > /pfs/out/empty",
    "ulimit -c 0; kill -SEGV $$",
    "exec 0<&- 1<&- 2<&-; echo x > /pfs/out/quiet",
    'ln "{canary}/precious" /pfs/out/hard 2>/dev/null; true',
    "i=0; while [ $i -lt 300 ]; do : > /pfs/out/$i; i=$((i+1)); done",
    'unshare -m sh -c "mount -t tmpfs none /pfs/out; echo x > /pfs/out/x" 2>/dev/null; true',
)


def hostile_program(attempt):
    """programs that attack /pfs, their worker, their log and processes on the host"""
    tricks = attempt.choose.sample(HOSTILE, attempt.choose.randrange(1, 4))
    # What a program writes through a link of its own is its own doing, so such links come last.
    leading = [trick for trick in tricks if "ln -sT {canary}" in trick]
    tricks = [trick for trick in tricks if trick not in leading] + leading[:1]
    attempt.write("tricks", "\n".join(tricks))
    text = "\n".join(f"( {trick} )" if attempt.choose.random() < 0.5 else trick for trick in tricks)
    text = text.replace("{canary}", str(attempt.canary)).replace("{cache}", str(attempt.cache))
    pipeline = Pipeline(attempt, datums=3, pause=0)
    bad = pipeline.names()[0]
    pipeline.more = f'[ "$name" != "{bad}" ] || {{\n{text}\n}}\n'
    pipeline.change(1)
    spec = json.loads((attempt.folder / "given/spec.json").read_text())
    attempt.write("given/spec.json", json.dumps({**spec, "datum_timeout": "5s"}))
    check = pipeline.guard()
    mounts = watching.mounts_below("/")
    # A hard link to what is precious changes its number of links only.
    outcome = attempt.run(pipeline.command("--partial"), codes=(0, 1), seconds=90)
    output = watching.files_of(attempt.out)
    for name, content in pipeline.expected().items():
        if name.endswith(f"/{bad}"):
            continue
        attempt.expect(
            output.get(name) == content,
            "a datum beside a hostile one has another output",
            f"{name}: {output.get(name, b'')[:50]}\n{outcome.errors[-1000:]}",
        )
    attempt.expect(
        watching.mounts_below("/") == mounts, "a mount is left", set(watching.mounts_below("/")) - set(mounts)
    )
    attempt.check_scratch()
    finish_attempt(attempt, check)


LIMITS = {
    "n": (resource.RLIMIT_NOFILE, (3, 6, 12, 24, 40, 80, 200)),
    "v": (resource.RLIMIT_AS, (12 << 20, 20 << 20, 60 << 20, 150 << 20, 400 << 20)),
    "u": (resource.RLIMIT_NPROC, (1, 2, 3, 5, 8, 15)),
}


def limiter(attempt, kinds="nvu"):
    kind = attempt.choose.choice(kinds)
    which, values = LIMITS[kind]
    value = attempt.choose.choice(values)
    attempt.write("limit", f"ulimit -{kind} {value // 1024 if kind == 'v' else value}")
    return kind, lambda: resource.setrlimit(which, (value, value))


def limited(attempt):
    """pachbuild run with few open files or little memory"""
    pipeline = Pipeline(attempt)
    earlier = pipeline.prepare()
    check = pipeline.guard()
    _, limit = limiter(attempt, "nv")
    # Each worker that cannot live with it says so itself, before pachbuild does.
    outcome = attempt.finish(attempt.start(pipeline.command(), before=limit))
    attempt.check_end(outcome, workers=True)
    pipeline.check_whole(pipeline.version if outcome.code == 0 else earlier)
    pipeline.run_again()
    finish_attempt(attempt, check)


def another_user(attempt):
    """pachbuild run as another user, with a low process limit or none left, and into folders of other users"""
    base.require_root()
    pipeline = Pipeline(attempt)
    strangers = attempt.choose.choice(("none", "cache", "out"))
    for folder in (attempt.cache, attempt.out, attempt.home, attempt.tmp):
        folder.mkdir(exist_ok=True)
        if folder.name != strangers:
            os.chown(folder, base.NOBODY, base.NOBODY)
    attempt.home.chmod(0o700)
    check = attempt.guard(attempt.folder / "given")
    limit = None
    if attempt.choose.random() < 0.5:
        _, limit = limiter(attempt, "nvu")
    command = pipeline.command()
    if limit is not None:
        command = ["sh", "-c", (attempt.folder / "limit").read_text() + ' 2>/dev/null; exec "$@"', "sh", *command]
    outcome = attempt.finish(attempt.start(command, user=base.NOBODY))
    # 2 and 126 are the shell's.
    if limit is None or outcome.code not in (2, 126):
        attempt.check_end(outcome, workers=limit is not None)
    pipeline.check_whole(pipeline.version if outcome.code == 0 else 0)
    if strangers != "none":
        attempt.expect(outcome.code != 0, "a folder of somebody else was used", strangers)
    finish_attempt(attempt, check)


def damage_files(attempt, folder, keep=()):
    """Cuts, empties, changes or removes some of the files below a folder, as a bad disk or a careless person does."""
    files = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and path.name not in keep
    ]
    for path in attempt.choose.sample(files, min(len(files), attempt.choose.randrange(1, 5))):
        content = path.read_bytes()
        way = attempt.choose.randrange(4)
        path.chmod(0o644)
        if way == 0:
            path.unlink()
        elif way == 1:
            path.write_bytes(content[: len(content) // 2])
        elif way == 2:
            path.write_bytes(b"")
        else:
            changed = bytearray(content or b"x")
            changed[attempt.choose.randrange(len(changed))] ^= 1
            path.write_bytes(changed)
        with open(attempt.folder / "damage", "a", encoding="utf-8") as log:
            log.write(f"{way} {path}\n")


def damaged(attempt):
    """files of the cache removed, truncated or changed between two runs"""
    pipeline = Pipeline(attempt)
    pipeline.run_well()
    if attempt.choose.random() < 0.5:
        pipeline.change(2)
    check = pipeline.guard()
    damage_files(attempt, attempt.cache)
    if attempt.choose.random() < 0.5:
        shutil.rmtree(attempt.out)
    pipeline.run_well()
    pipeline.run_well()
    finish_attempt(attempt, check)


def changing(attempt):
    """data and source that change while pachbuild run reads them: no output mixes two states"""
    choose = attempt.choose
    pipeline = Pipeline(attempt, pause=0.05)
    data = attempt.folder / "given/data"
    before = {name: (data / name).read_bytes() for name in pipeline.names()}
    process = attempt.start(pipeline.command())
    after = dict(before)
    for name in choose.sample(sorted(before), choose.randrange(1, len(before) + 1)):
        attempt.sleep(0.2)
        after[name] = choose.randbytes(choose.choice((len(before[name]), 7)))
        (data / name).write_bytes(after[name])
    outcome = attempt.finish(process)
    attempt.check_end(outcome, codes=(0, 1, 74))
    output = watching.files_of(attempt.out)
    if outcome.code == 0:
        for name, content in output.items():
            name = os.path.basename(name)
            attempt.expect(content in (b"1\n" + before[name], b"1\n" + after[name]), "an output of a mixture", name)
        attempt.expect(len(output) == len(before), "an output is missing", sorted(output))
    else:
        attempt.expect(not output, "the output is of no whole state", sorted(output))
    attempt.check_scratch()
    check = pipeline.guard()
    pipeline.run_again()
    finish_attempt(attempt, check)


def secrets(attempt):
    """credentials in the environment of pachbuild run: they reach no program, file, argument or message"""
    choose = attempt.choose
    word = f"pl4nted{choose.randrange(1 << 40)}"
    name = choose.choice(
        ("MY_TOKEN", "AWS_SECRET_ACCESS_KEY", "PASSWORD", "PLAIN", "PACH_TOKEN", "UV_INDEX_A_PASSWORD")
    )
    attempt.write("way", name)
    pipeline = Pipeline(
        attempt, datums=3, pause=0.02, build="sleep 0.05\n", more="env\nset\ncat /proc/self/environ /pfs/.env\n"
    )
    environment = attempt.environment(
        **{name: word, "HTTPS_PROXY": f"http://me:{word}@127.0.0.1:9"} if choose.random() < 0.5 else {name: word}
    )
    visible = "HTTPS_PROXY" in environment  # a proxy of this machine is a program's as well
    check = pipeline.guard()
    with watching.watch_arguments() as watcher:
        attempt.run(pipeline.command() if visible else pipeline.command("--logs"), codes=(0,), env=environment)
    pipeline.check_whole(pipeline.version)
    attempt.expect(
        not any(word in words for words in watcher.seen),
        "a credential in the arguments of a process",
        [words for words in watcher.seen if word in words],
    )
    logs = [] if visible else [attempt.folder / "logs"]
    caches = [path for path in attempt.cache.iterdir() if not (visible and path.name == "run")]
    found = watching.files_with(word, *caches, attempt.out, attempt.tmp, *logs)
    attempt.expect(not found, "a credential in a file or in a log", f"{name}: {found}")
    finish_attempt(attempt, check)


ATTACKS = {
    "run-killed": killed,
    "run-signalled": signalled,
    "run-children": children_killed,
    "run-disk": full_disk,
    "run-at-once": at_once,
    "run-hostile": hostile_program,
    "run-limits": limited,
    "run-users": another_user,
    "run-damaged": damaged,
    "run-changing": changing,
    "run-secrets": secrets,
}
