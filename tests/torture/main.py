# SPDX-License-Identifier: Apache-2.0
"""Chooses attacks, runs their attempts beside each other and prints the table."""

import argparse
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback

import attempt as base
import building
import dags
import hostile
import preloading
import running
import starting
import watching

ATTACKS = {**running.ATTACKS, **dags.ATTACKS, **building.ATTACKS, **starting.ATTACKS, **preloading.ATTACKS, **hostile.ATTACKS}
LONGEST = 300  # seconds of an attempt


def describe(name):
    return ATTACKS[name].__doc__.strip().splitlines()[0]


def options():
    parser = argparse.ArgumentParser(
        prog="scripts/torture",
        description="Attacks the release binaries at random and prints "
        "one table. The exit code is 1 when a promise was broken.",
    )
    parser.add_argument("--minutes", type=float, default=20, metavar="N", help="how long (default: 20)")
    parser.add_argument("--seed", type=int, metavar="S", help="repeats the choices of a run with this seed")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this attack; may be given several times")
    parser.add_argument("--number", type=int, metavar="N", help="only this attempt of each attack")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), metavar="N", help="attempts at once (default: one per processor)"
    )
    parser.add_argument(
        "--programs",
        type=pathlib.Path,
        metavar="DIR",
        help="attack the programs in this folder instead of build/release/bin",
    )
    parser.add_argument(
        "--json",
        type=pathlib.Path,
        metavar="FILE",
        help="where the result goes as JSON (default: result.json in --folder)",
    )
    parser.add_argument(
        "--folder", type=pathlib.Path, metavar="DIR", help="where attempts work (default: build/torture/SEED)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folders of all attempts, not only of violations")
    parser.add_argument("--list", action="store_true", help="list the attacks")
    chosen = parser.parse_args()
    for name in chosen.only or ():
        if name not in ATTACKS:
            parser.error(f"unknown attack {name!r}; --list shows all")
    if chosen.jobs < 1 or chosen.minutes <= 0:
        parser.error("--jobs and --minutes must be greater than 0")
    return chosen


def programs(chosen):
    """The folder of the programs; the release is built when it is missing."""
    folder = (chosen.programs or base.ROOT / "build/release/bin").resolve()
    names = ("pachbuild", "builder-runtime", "worker-shim")
    if chosen.programs is None and not all((folder / name).exists() for name in names):
        print("Building the programs into build/release/bin", flush=True)
        for command in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release"]):
            subprocess.run(command, cwd=base.ROOT, check=True, stdout=subprocess.DEVNULL)
    for name in names:
        if not (folder / name).exists():
            sys.exit(f"error: {folder / name}: no such program")
    return folder


class Attempts:
    """Attempts that run now, each in a process of its own."""

    def __init__(self, seed, folder, programs_folder, keep):
        self.seed, self.folder, self.programs, self.keep = seed, folder, programs_folder, keep
        self.running = {}
        self.results = []

    def start(self, name, number):
        folder = self.folder / f"{name}-{number}"
        remove(folder)
        folder.mkdir(parents=True)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run_attempt(name, self.seed, number, folder, self.programs)
                code = 0
            finally:
                os._exit(code)
        self.running[pid] = (name, number, folder, time.monotonic())

    def wait(self):
        """Until one has ended; an attempt that takes too long is ended."""
        while True:
            for pid, (name, number, folder, begin) in list(self.running.items()):
                ended, _ = os.waitpid(pid, os.WNOHANG)
                if ended:
                    del self.running[pid]
                    self.take(name, number, folder, time.monotonic() - begin)
                    return
                if time.monotonic() - begin > LONGEST:
                    self.end(pid)
            time.sleep(0.01)

    @staticmethod
    def end(pid):
        for process in [*watching.descendants(pid), pid]:
            base.end(process)

    def take(self, name, number, folder, seconds):
        try:
            result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            result = {"tried": 1, "violations": [{"what": "the attempt did not end", "evidence": f"{seconds:.0f} s"}]}
        result.update(attack=name, number=number, seconds=round(seconds, 2))
        self.results.append(result)
        if result["violations"]:
            result["folder"] = str(folder)
            for violation in result["violations"]:
                print(f"violation: {name} {number}: {violation['what']}: {violation['evidence']}", flush=True)
            print(
                f"  repeat: scripts/torture --seed {self.seed} --only {name} --number {number}\n  kept: {folder}",
                flush=True,
            )
        elif not self.keep:
            remove(folder)

    def end_all(self):
        for pid in list(self.running):
            self.end(pid)
            os.waitpid(pid, 0)
            del self.running[pid]


def remove(folder):
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


def run_attempt(name, seed, number, folder, programs_folder):
    """In its own process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    attempt = base.Attempt(name, seed, number, folder, programs_folder)
    skipped = None
    try:
        ATTACKS[name](attempt)
    except base.Skipped as reason:
        skipped = str(reason)
    except Exception:  # pylint: disable=broad-except
        attempt.violation("the attack itself failed", traceback.format_exc())
    for pid in watching.descendants(os.getpid()):
        base.end(pid)
    result = {"tried": attempt.tried, "violations": attempt.violations, "skipped": skipped}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def table(names, results):
    rows = [("attack", "what", "attempts", "tried", "violations")]
    for name in names:
        mine = [result for result in results if result["attack"] == name]
        skipped = next((result["skipped"] for result in mine if result.get("skipped")), None)
        what = describe(name) + (f" (skipped: {skipped})" if skipped else "")
        rows.append(
            (
                name,
                what,
                len(mine),
                sum(result["tried"] for result in mine),
                sum(bool(result["violations"]) for result in mine),
            )
        )
    rows.append(("all", "", *(sum(row[column] for row in rows[1:]) for column in (2, 3, 4))))
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    lines.insert(1, "|---|---|---|---|---|")
    return "\n".join(lines)


def main():
    chosen = options()
    names = chosen.only or list(ATTACKS)
    if chosen.list:
        for name in names:
            print(f"{name:16} {describe(name)}")
        return 0
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    programs_folder = programs(chosen)
    folder = (chosen.folder or base.ROOT / "build/torture" / str(seed)).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}, {chosen.jobs} at once, {chosen.minutes:g} minutes", flush=True)
    attempts = Attempts(seed, folder, programs_folder, chosen.keep)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run_all(chosen, names, attempts)
    finally:
        attempts.end_all()
    remove(folder / "shared-go-cache")
    print(table(names, attempts.results))
    violations = sum(bool(result["violations"]) for result in attempts.results)
    report = {
        "seed": seed,
        "minutes": chosen.minutes,
        "violations": violations,
        "attempts": attempts.results,
        "attacks": {name: describe(name) for name in names},
    }
    target = chosen.json or folder / "result.json"
    target.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(f"JSON: {target}")
    if violations:
        print(f"{violations} attempts with violations; scripts/torture --seed {seed} repeats them")
    return 1 if violations else 0


def run_all(chosen, names, attempts):
    """Each attack in turn until the time is over, at least once; not again where it was skipped."""
    begin = time.monotonic()
    number = chosen.number or 0
    while True:
        tired = {result["attack"] for result in attempts.results if result.get("skipped")}
        left = [name for name in names if name not in tired]
        for name in left:
            if number > (chosen.number or 0) and time.monotonic() - begin > 60 * chosen.minutes:
                left = []
                break
            while len(attempts.running) >= chosen.jobs:
                attempts.wait()
            attempts.start(name, number)
        number += 1
        if not left or chosen.number is not None:
            break
    while attempts.running:
        attempts.wait()
