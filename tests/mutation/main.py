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
        description="Puts small faults into a copy of the programs, runs the tests that reach each, and prints which faults "
        "no test noticed. The exit code is 1 when too few were noticed. docs/reliability.md says more.",
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
    parser.add_argument("--budget", type=float, default=120, metavar="SECONDS",
                        help="of tests for each fault, the quickest first (default: 120)")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="tests at once (default: one per processor)")  # fmt: skip
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="where the result goes as JSON (default: build/mutate/SEED.json)")  # fmt: skip
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


class Progress:
    """Lines of results; on a terminal also what is going on."""

    def __init__(self, total):
        self.total, self.done, self.begin = total, 0, time.monotonic()

    def say(self, line):
        self.done += 1
        print(f"[{self.done}/{self.total} {time.monotonic() - self.begin:.0f} s] {line}", flush=True)


def reach_all(tests, jobs):
    groups = tests.groups()
    progress = Progress(len(groups))
    failed = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(tests.reach, group): group for group in groups}
        for future in concurrent.futures.as_completed(futures):
            group = futures[future]
            seconds = sum(test["seconds"] for test in tests.known.get(group, {}).values())
            progress.say(f"{group}: {len(tests.known.get(group, {}))} tests, {seconds:.1f} s")
            failed += future.result()
    if failed:
        sys.exit("error: without a fault: these fail: " + "; ".join(failed) +
                 f"\nhint: see {tests.folder / 'logs'}; --without SUITE leaves one out")  # fmt: skip


def notice_all(tests, faults, chosen):
    progress = Progress(len(faults))
    results = {}

    def one(number):
        begin = time.monotonic()
        who, output, tried = tests.notice(number, chosen.budget)
        return who, output, tried, time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        futures = {pool.submit(one, number): number for number in faults}
        for future in concurrent.futures.as_completed(futures):
            number = futures[future]
            who, output, tried, seconds = future.result()
            place = faults[number]
            reached = sum(len(group) for _, group in tests.reaching(number))
            by = who or ("NOT NOTICED" if reached else "NOT REACHED")
            results[number] = {
                "fault": number, "place": place_of(place), "kind": place.kind, "what": place.what, "noticed_by": who,
                "reached_by": reached, "tests_run": tried, "seconds": round(seconds, 1),
            }  # fmt: skip
            progress.say(f"{number} {place_of(place)}: {place.kind}: {by}")
            if chosen.fault and output:
                print(output, flush=True)
    return [results[number] for number in sorted(results)]


def report(chosen, seed, results):
    rows = [("fault", "place", "kind", "what", "noticed by")]
    for result in results:
        nobody = "**nobody**" if result["reached_by"] else "**nobody** (no test gets there)"
        rows.append((result["fault"], result["place"], result["kind"], result["what"], result["noticed_by"] or nobody))
    print(in_table(rows))
    noticed = sum(bool(result["noticed_by"]) for result in results)
    score = 100 * noticed / len(results)
    print(f"\nnoticed: {noticed} of {len(results)} ({score:.1f} %), seed {seed}")
    target = chosen.json or building.ROOT / "build/mutate" / f"{seed}.json"
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
    folder = building.ROOT / "build/mutate"
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
        reach_all(tests, chosen.jobs)
        if chosen.fault:
            faults = {number: place for number, place in faults.items() if number in chosen.fault}
        results = notice_all(tests, faults, chosen)
    finally:
        isolation.end_all()
        for room in folder.glob("room-*"):
            isolation.remove(room)
    return report(chosen, seed, results)
