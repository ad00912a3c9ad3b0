# SPDX-License-Identifier: Apache-2.0
"""scripts/torture notices a broken promise, says how to repeat it, and repeats it."""

import json
import shutil

import support

TORTURE = support.ROOT / "scripts/torture"
# Passes arguments on as a careless shell script does.
CARELESS_SHIM = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec $*\n'


class Torture(support.Suite):
    def setUp(self):
        super().setUp()
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        for program in (support.PACHBUILD, support.BUILDER, support.SHIM):
            shutil.copy(program, self.programs)

    def attack(self, *options):
        return self.run_program(TORTURE, "--programs", self.programs, "--folder", self.folder / "torture", "--seed", 7,
                                "--only", "shim-arguments", "--number", 3, *options)

    def result(self):
        return json.loads((self.folder / "torture/result.json").read_text())

    def test_programs_that_keep_their_promises(self):
        result = self.attack()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"\n\| shim-arguments \| .* \| 1 \| 10 \| 0 \|\n")
        self.assertEqual(self.result()["violations"], 0)

    def test_a_broken_promise(self):
        (self.programs / "worker-shim").write_text(CARELESS_SHIM)
        found = []
        for _ in range(2):
            result = self.attack()
            self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
            self.assertIn("violation: shim-arguments 3: words have changed: ", result.stdout)
            self.assertIn("repeat: scripts/torture --seed 7 --only shim-arguments --number 3\n", result.stdout)
            self.assertRegex(result.stdout, r"\n\| shim-arguments \| .* \| 1 \| 10 \| 1 \|\n")
            self.assertEqual(self.result()["violations"], 1)
            found.append(self.result()["attempts"][0]["violations"])
        self.assertEqual(found[0], found[1], "the same seed has made other choices")

    def test_an_attack_that_is_not_there(self):
        result = self.attack("--only", "nothing")
        self.assertEqual(result.returncode, 2)
        self.assertIn("unknown attack 'nothing'; --list shows all", result.stderr)


if __name__ == "__main__":
    support.main()
