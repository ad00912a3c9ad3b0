# SPDX-License-Identifier: Apache-2.0
"""Makes faults, runs the tests that reach them, and prints which no test noticed."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import sys
import time

import building
import isolation
import running


def options():
    parser = argparse.ArgumentParser(
        prog="scripts/mutate",
        description="Puts small faults into a copy of the programs, runs the tests that reach each, and prints which "
        "faults no test noticed. The exit code is 1 when too few were noticed. docs/reliability.md says more.",
    )
    parser.add_argument("--seed", type=int, metavar="S", help="makes the same faults as a run with this seed")
    parser.add_argument("--number", type=int, default=100, metavar="N", help="how many faults (default: 100)")
    parser.add_argument("--only", metavar="FOLDER", help="faults in this folder or file only, as libs/base")
    parser.add_argument("--fault", type=int, action="append", metavar="N",
                        help="only this one of them, and show what noticed it; may be given several times")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list the faults; build and run nothing")
    parser.add_argument("--without", action="append", default=[], metavar="SUITE", help="leave this suite out")
    parser.add_argument("--least", type=float, default=85, metavar="PERCENT",
                        help="the exit code is 1 unless more than this were noticed (default: 85)")  # fmt: skip
    parser.add_argument("--minutes", type=float, metavar="N",
                        help="run tests no longer than this; what is left then counts as not noticed")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="tests at once (default: one per processor)")  # fmt: skip
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="where the result goes as JSON (default: SEED.json in --folder)")  # fmt: skip
    parser.add_argument("--folder", type=pathlib.Path, metavar="DIR",
                        help="where the copy is built and run (default: build/mutate)")  # fmt: skip
    chosen = parser.parse_args()
    if chosen.number < 1 or chosen.jobs < 1 or chosen.number * building.SPARE > 4000:
        parser.error("--number must be 1 to 3000, --jobs at least 1")
    return chosen


def place_of(place):
    return f"{place.file}:{place.line}"


def in_table(rows):
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


class Examination:
    """Runs all groups of tests, the quickest first, against the faults that nobody has noticed yet."""

    def __init__(self, tests, faults, chosen):
        self.tests, self.faults, self.chosen = tests, faults, chosen
        self.results = {
            number: {"fault": number, "place": place_of(place), "kind": place.kind, "what": place.what,
                     "noticed_by": "", "reached_by": 0}
            for number, place in faults.items()
        }  # fmt: skip
        self.failed = []  # tests that fail without a fault
        self.is_stopped = False
        self.begin = time.monotonic()

    def say(self, line):
        left = sum(not result["noticed_by"] for result in self.results.values())
        print(f"[{time.monotonic() - self.begin:.0f} s, {left} left] {line}", flush=True)

    def is_late(self):
        return self.chosen.minutes and time.monotonic() - self.begin > 60 * self.chosen.minutes

    def is_over(self):
        return self.is_stopped or self.is_late() or all(result["noticed_by"] for result in self.results.values())

    def run(self):
        unit, *suites = self.tests.groups()
        with concurrent.futures.ThreadPoolExecutor(self.chosen.jobs) as pool:
            try:
                self.learn(unit)
                list(pool.map(self.run_unit_tests, self.faults))
                list(pool.map(self.run_suite, suites))
            except BaseException:
                self.is_stopped = True  # what has not begun does not
                isolation.end_all()
                raise
        return list(self.results.values())

    def learn(self, group):
        """Runs a group without a fault."""
        self.failed += self.tests.reach(group)
        tests = self.tests.known.get(group, {})
        self.say(f"{group}: {len(tests)} tests, {sum(test['seconds'] for test in tests.values()):.1f} s")
        for number, result in self.results.items():
            result["reached_by"] += sum(number in test["reached"] for test in tests.values())

    def run_unit_tests(self, number):
        """These are quick and notice most: each fault alone."""
        tests = self.tests.reaching(running.UNIT, {number})
        if tests and not self.is_over():
            self.take(number, *self.tests.run_group(running.UNIT, tests, {number}))

    def run_suite(self, group):
        if self.is_over():
            return
        self.learn(group)
        left = {number for number, result in self.results.items() if not result["noticed_by"]}
        if not self.is_over():
            for number, (who, output) in self.tests.notice(group, left).items():
                self.take(number, f"{group} {who}", output)

    def take(self, number, who, output):
        result = self.results[number]
        if not who or result["noticed_by"]:
            return
        result["noticed_by"] = who
        self.say(f"{number} {result['place']}: {result['kind']}: {who}")
        if self.chosen.fault:
            print(output, flush=True)


def report(chosen, seed, results, folder):
    rows = [("fault", "place", "kind", "what", "noticed by")]
    for result in results:
        nobody = "**nobody**" if result["reached_by"] else "**nobody** (no test gets there)"
        rows.append((result["fault"], result["place"], result["kind"], result["what"], result["noticed_by"] or nobody))
    print(in_table(rows))
    noticed = sum(bool(result["noticed_by"]) for result in results)
    score = 100 * noticed / len(results)
    print(f"\nnoticed: {noticed} of {len(results)} ({score:.1f} %), seed {seed}")
    target = chosen.json or folder / f"{seed}.json"
    whole = {"seed": seed, "number": len(results), "noticed": noticed, "percent": round(score, 1), "faults": results}
    target.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    print(f"JSON: {target}")
    return 0 if score > chosen.least else 1


def main():
    chosen = options()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    picked = building.Choice(seed, chosen.only).take(int(chosen.number * building.SPARE) + 1)
    faults = dict(enumerate(picked, 1))
    if not faults:
        sys.exit(f"error: {chosen.only}: there is no place for a fault")
    if chosen.list:
        print(in_table([("fault", "place", "kind", "what")] +
                       [(n, place_of(place), place.kind, place.what) for n, place in faults.items()]))  # fmt: skip
        return 0
    if os.geteuid() != 0:
        sys.exit("error: scripts/mutate: needs root\nhint: faulty programs run in mount namespaces, to harm nothing")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = (chosen.folder or building.ROOT / "build/mutate").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}, {chosen.jobs} at once", flush=True)
    begin = time.monotonic()
    copy = building.Copy(folder)
    copy.compile(faults, folder / "build.log")
    copy.tests.mkdir(exist_ok=True)
    faults = dict(list(faults.items())[: chosen.number])
    print(f"built with {len(faults)} faults: {time.monotonic() - begin:.0f} s", flush=True)
    tests = running.Tests(copy, folder, chosen.without)
    try:
        if chosen.fault:
            faults = {number: place for number, place in faults.items() if number in chosen.fault}
        examination = Examination(tests, faults, chosen)
        results = examination.run()
    finally:
        isolation.end_all()
        tests.remember_times()
        for room in folder.glob("room-*"):
            isolation.remove(room)
    code = report(chosen, seed, results, folder)
    if examination.failed:
        names = "; ".join(examination.failed)
        print(f"error: {folder / 'logs'}: these fail without a fault, and were not used: {names}\n"
              "hint: mend them; --without SUITE leaves one out", file=sys.stderr)  # fmt: skip
        code = 1
    return code
