# SPDX-License-Identifier: Apache-2.0
"""scripts/mutate: faults that are found in a text, and tests that can harm nothing."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

import support

PYTHON = support.ROOT / "build/mutation-tools/venv/bin/python"
MUTATION = support.ROOT / "tests/mutation"

SAMPLE = """// A comment.
#include "x.h"
constexpr int k_most = 5;
constexpr int k_flags[k_most] = {1, 2};
base::Status save(const Key& from, const Key& to) {
  BASE_TRY_ASSIGN(const std::map<int, int> found, read(from, 7));
  if (found.empty() && !to) return {};
  BASE_TRY(write(from.path,
                 to.path));
  inputs.add_key(k_most);
  remove(to);
  report(true, 0600);
  return {};
}
"""

# Prints the places of a text, and the text with all faults that fit.
FIND = """
import json, sys
sys.path.insert(0, sys.argv[1])
import building, places
text = sys.stdin.buffer.read()
found = places.find("x.cpp", text, places.constants([text])).places
each = [building.with_faults(text, {n: place}, "fault.h").decode() for n, place in enumerate(found, 1)]
print(json.dumps([[p.kind, p.line, p.what, t] for p, t in zip(found, each)]))
"""


class Places(support.Suite):
    def setUp(self):
        super().setUp()
        support.require(PYTHON.exists(), "there is no tree-sitter; run scripts/setup mutation")

    def find(self, text):
        result = subprocess.run([PYTHON, "-B", "-c", FIND, MUTATION], input=text.encode(), capture_output=True,
                                check=True)
        return json.loads(result.stdout)

    def test_every_kind_is_found_and_keeps_the_lines(self):
        found = self.find(SAMPLE)
        kinds = {kind for kind, *_ in found}
        for kind in ("a dropped check", "an inverted condition", "a dropped part of a condition", "a skipped statement",
                     "an ignored error", "a missing part of a key", "another order", "a wrong constant",
                     "an inverted flag", "swapped arguments", "an early return"):
            self.assertIn(kind, kinds)
        lines = SAMPLE.splitlines()
        for kind, line, what, text in found:
            with self.subTest(kind=kind, what=what):
                changed = text.splitlines()
                self.assertEqual(len(changed), len(lines))
                self.assertIn("fault::", changed[line - 1])
                self.assertEqual(changed[0], '#include "fault.h"')
                others = [i for i, (a, b) in enumerate(zip(lines, changed), 1) if a != b and i > 1]
                self.assertLessEqual(max(others) - min(others), 2)

    def test_constants_of_the_compiler_stay(self):
        for _, line, _, _ in self.find(SAMPLE):
            self.assertGreater(line, 4)

    def test_a_seed_chooses_the_same_faults(self):
        words = [PYTHON, "-B", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); import main; main.main()",
                 MUTATION, "--list", "--number", "5", "--only", "worker-shim/args.cpp", "--seed"]
        first, again, other = (self.succeed(*words, seed).stdout for seed in ("1", "1", "2"))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        self.assertIn("worker-shim/args.cpp:", first)


class Isolation(support.Suite):
    def run_in_room(self, script):
        """What a shell script prints in a room, and the room."""
        sys.path.insert(0, str(MUTATION))
        import isolation  # pylint: disable=import-outside-toplevel
        page, tests = self.write("page", ""), self.folder / "tests"
        tests.mkdir(exist_ok=True)
        room = isolation.Room(self.folder / "room", page, tests)
        room.prepare({3}, None)
        output = self.folder / "output"
        with open(output, "wb") as file:
            code = isolation.run(["sh", "-c", script], room, 20, dict(os.environ), file)
        return code, output.read_text(encoding="utf-8"), room

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_nothing_outside_changes_and_nothing_stays(self):
        kept = self.write("kept", "text")
        home = pathlib.Path.home() / f".mutation-{os.getpid()}"
        temporary = pathlib.Path(f"/tmp/mutation-{os.getpid()}")
        seconds = f"1000.{os.getpid()}"
        code, output, room = self.run_in_room(
            f"rm -f {kept}; echo x > {kept}; echo x > {home} && echo x > {temporary};"
            f"echo x > {self.folder}/tests/file;"
            f"sleep {seconds} & ls /proc | grep -c '^[0-9]'; od -An -tu1 -j2 -N3 {self.folder}/page; exit 7")
        self.assertEqual(code, 7, output)
        self.assertEqual(kept.read_text(), "text")
        self.assertFalse(home.exists())
        self.assertFalse(temporary.exists())
        self.assertEqual((room.tests / "file").read_text(), "x\n")
        self.assertEqual(output.split()[-3:], ["0", "1", "0"], "the fault that is on")
        self.assertLess(int(output.split()[-4]), 10, "processes in sight")
        self.assertNotIn(seconds, subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, text=True).stdout)


if __name__ == "__main__":
    support.main()
