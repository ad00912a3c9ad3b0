# SPDX-License-Identifier: Apache-2.0
"""Runs tests: once without a fault, to see what each reaches, then those that reach a fault, until one notices it."""

import json
import os
import pathlib
import re
import threading

import isolation

PYTHON = "/usr/bin/python3"
HERE = pathlib.Path(__file__).resolve().parent
LONGEST_SUITE = 900  # seconds, without a fault
# About the text of the source, the installed files and the release; no fault can change those.
NOT_ABOUT_BEHAVIOUR = ("test_architecture", "test_install", "test_mutation", "test_torture")
UNIT = "unit tests"


def limit_of(seconds):
    """How long a test may take with a fault on."""
    return 10 + 5 * seconds


class Tests:
    """All tests of a build."""

    def __init__(self, copy, folder, without):
        self.copy, self.folder, self.without = copy, folder, set(without) | set(NOT_ABOUT_BEHAVIOUR)
        self.cache, self.times = folder / "cache", folder / "times.json"
        self.known = {}  # group: {test: {"seconds", "reached"}}
        self.free = threading.local()
        self.count = 0
        self.lock = threading.Lock()

    def groups(self):
        """The unit tests, then the suites, those first that were quick the last time."""
        try:
            seconds = json.loads(self.times.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            seconds = {}
        suites = [path.stem for path in (self.copy.source / "tests/suites").glob("test_*.py")]
        suites.sort(key=lambda name: (seconds.get(name, 0), name))
        return [UNIT] + [name for name in suites if name not in self.without]

    def remember_times(self):
        seconds = {group: sum(test["seconds"] for test in tests.values()) for group, tests in self.known.items()}
        if self.times.exists():
            seconds = {**json.loads(self.times.read_text(encoding="utf-8")), **seconds}
        self.times.write_text(json.dumps(seconds, indent=1), encoding="utf-8")

    def room(self):
        """The room of this thread."""
        if not hasattr(self.free, "room"):
            with self.lock:
                self.count += 1
                self.free.room = isolation.Room(self.folder / f"room-{self.count}", self.copy.page, self.copy.tests)
        return self.free.room

    def environment(self):
        ours = ("PACHBUILD_", "GTEST_", "CI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**kept, "PACHBUILD_BIN": str(self.copy.bin), "PACHBUILD_TEST_FOLDER": str(self.copy.tests),
                "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip

    def suite(self, group, *arguments):
        return [PYTHON, str(HERE / "run_suite.py"), str(self.copy.source / "tests/suites" / f"{group}.py"), *arguments]

    def run(self, command, faults, timeout, environment=None, cache=None):
        """The exit code (None: out of time) and what was printed."""
        room = self.room()
        room.prepare(faults, cache)
        with open(room.folder / "output", "w+b") as output:
            code = isolation.run(command, room, timeout, environment or self.environment(), output)
            output.seek(0)
            return code, output.read().decode(errors="replace")

    def reach(self, group):
        """Runs a group without a fault. Gives the names of tests that failed, twice: these are not used."""
        failed = self.reach_once(group)
        if failed:
            failed = sorted(set(failed) & set(self.reach_once(group)))
        for name in failed:
            self.known.get(group, {}).pop(name, None)
        return [f"{group}: {name}" for name in failed]

    def unit_tests(self):
        """With all the changes of recorded answers."""
        return ["env", "PACHBUILD_LONG_TESTS=1", str(self.copy.bin / "unit_tests")]

    def reach_once(self, group):
        room = self.room()
        report = room.log / "reach"
        if group == UNIT:
            command, cache = [*self.unit_tests(), "--gtest_brief=1"], None
        else:
            command = self.suite(group, "reach", str(report), str(self.copy.page))
            cache = self.cache
            cache.mkdir(exist_ok=True)
        environment = {**self.environment(), "MUTATE_REACH": str(report)}
        code, output = self.run(command, (), LONGEST_SUITE, environment, cache)
        (self.folder / "logs").mkdir(exist_ok=True)
        (self.folder / "logs" / f"{group}.log").write_text(output, encoding="utf-8")
        if not report.exists():
            return [f"exit code {code}"]
        if group == UNIT:
            self.known[group] = of_listener(report.read_text(encoding="utf-8"))
            failed = re.findall(r"\[  FAILED  \] (\S+?\.\S+?),? ", output)
            return failed if code == 0 or failed else [f"exit code {code}"]
        answer = json.loads(report.read_text(encoding="utf-8"))
        self.known[group] = answer["tests"]
        return answer["failed"]

    def reaching(self, group, faults):
        """Tests of a group that reach one of the faults, the quickest first, with the seconds each takes."""
        tests = {
            name: test["seconds"] for name, test in self.known.get(group, {}).items() if faults & set(test["reached"])
        }  # fmt: skip
        return {name: tests[name] for name in in_order(tests)}

    def notice(self, group, faults):
        """Which of the faults a suite notices: gives {fault: (who, what was printed)}.

        All at once: what nobody notices together nobody notices alone, but for faults that hide each other. When a test
        fails, those that it reaches are halved until it is known which one it is.
        """
        noticed, left, useless = {}, set(faults), set()
        while left:
            tests = {name: time for name, time in self.reaching(group, left).items() if name not in useless}
            who, output = self.run_group(group, tests, left) if tests else ("", "")
            if not who:
                break
            test = who.split(" (")[0]
            suspects = left & set(self.known[group][test]["reached"]) if test in self.known[group] else set(left)
            chosen = {test: tests[test]} if test in tests else tests
            found, how, printed = self.single_out(group, chosen, suspects, who, output)
            if found is None:
                # By chance, or only together: then that test says nothing.
                useless |= set(chosen)
                continue
            noticed[found] = (how, printed)
            left.discard(found)
        return noticed

    def single_out(self, group, tests, suspects, who, output):
        """The one of the suspects that makes a test fail, twice."""
        suspects = sorted(suspects)
        while len(suspects) > 1:
            half = suspects[: len(suspects) // 2]
            who, output = self.run_group(group, tests, set(half))
            suspects = half if who else suspects[len(suspects) // 2 :]
        if not suspects:
            return None, "", ""
        again, printed = self.run_group(group, tests, set(suspects))
        return (suspects[0], again, printed) if again else (None, "", "")

    def run_group(self, group, tests, faults):
        """Who fails first, and what was printed; "" for nobody."""
        timeout = limit_of(sum(tests.values()))
        if group == UNIT:
            names = ":".join(tests)
            chosen = names if len(names) < 100_000 else "*"
            command = [*self.unit_tests(), f"--gtest_filter={chosen}", "--gtest_fail_fast"]
            code, output = self.run(command, faults, timeout)
            if code == 0:
                return "", ""
            failed = re.findall(r"\[  FAILED  \] (\S+\.\S+?)(?:,| |$)", output, re.MULTILINE)
            begun = re.findall(r"\[ RUN      \] (\S+)", output)
            last = (failed or begun or ["before the first"])[-1]
            how = "" if failed else " (does not end)" if code is None else " (crashes)"
            return f"{last}{how}", output
        limits = json.dumps({name: limit_of(seconds) for name, seconds in tests.items()})
        code, output = self.run(self.suite(group, "notice", limits, *tests), faults, timeout + 30, cache=self.cache)
        if code == 0:
            return "", ""
        who = re.findall(r"^NOTICED BY (.*)$", output, re.MULTILINE)
        if who:
            return who[-1], output
        return f"{group} ({'does not end' if code is None else 'crashes'})", output


def in_order(tests):
    """Quickest first, but all of a class together: what it prepares is prepared once."""
    def class_of(name):
        return name.rsplit(".", 1)[0]

    of_class = {}
    for name, seconds in tests.items():
        of_class[class_of(name)] = of_class.get(class_of(name), 0) + seconds
    return sorted(tests, key=lambda name: (of_class[class_of(name)], class_of(name), tests[name]))


def of_listener(text):
    """What reach.cpp wrote."""
    known = {}
    for line in text.splitlines():
        name, milliseconds, numbers = line.split("\t")
        known[name] = {"seconds": int(milliseconds) / 1000, "reached": [int(number) for number in numbers.split()]}
    return known
