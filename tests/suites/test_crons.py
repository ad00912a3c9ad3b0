# SPDX-License-Identifier: Apache-2.0
"""Which schedules of crons are taken: those that the library of Pachyderm 2.12 takes (tests/golden/crons.jsonl)."""

import json
import re

import support


class Crons(support.Suite):

    def pipeline(self, spec, **cron):
        return {"pipeline": {"name": "p"}, "transform": {"image": "debian:12", "cmd": ["true"]},
                "input": {"cron": {"name": "tick", "spec": spec, **cron}}}

    def validate(self, *pipelines):
        """The errors by the number of the pipeline, each of which has a line."""
        path = self.write("p.json", "".join(json.dumps(pipeline) + "\n" for pipeline in pipelines))
        result = self.run_program(support.PACHBUILD, "validate", "-f", path)
        found = re.findall(r"p\.json:(\d+):\d+: (.*)(?:\nhint: (.*))?", result.stderr)
        return {int(line) - 1: (what, hint) for line, what, hint in found}, result

    def test_the_recorded_ones(self):
        lines = (support.ROOT / "tests/golden/crons.jsonl").read_text(encoding="utf-8").splitlines()
        answers = [json.loads(line) for line in lines]
        self.assertGreater(len(answers), 600)
        for start in range(0, len(answers), 90):  # one error has at most 100
            some = answers[start:start + 90]
            errors, result = self.validate(*(self.pipeline(answer["spec"]) for answer in some))
            wrong = [answer for number, answer in enumerate(some) if ("error" in answer) != (number in errors)]
            self.assertEqual(wrong, [], result.stderr)

    def test_what_is_said(self):
        hint = ('write five fields (minute, hour, day of the month, month, day of the week) like "0 3 * * *", '
                'or "@every 1h"')
        for spec, what, told in (
                ("0 0 * * 7", 'input.cron.spec "0 0 * * 7": the day of the week, "7": 7 is more than 6', "Sunday is 0 or sun"),
                ("0 0 3 * * *", 'input.cron.spec "0 0 3 * * *": has 6 fields; Pachyderm expects 5', hint),
                ("@dayly", None, 'did you mean "@daily"?'),
                ("@every 1d", 'input.cron.spec "@every 1d": invalid duration "1d"', 'write "@every 24h"')):
            with self.subTest(spec):
                errors, _ = self.validate(self.pipeline(spec))
                self.assertIn(0, errors)
                if what:
                    self.assertEqual(errors[0][0], what)
                self.assertEqual(errors[0][1], told)

    def test_never_and_the_other_fields(self):
        errors, result = self.validate(
            self.pipeline("@never"), self.pipeline("@daily", start="2026-01-01T00:00:00Z", overwrite=True, repo="ticks"),
            self.pipeline("@daily", start="tomorrow"), self.pipeline("@daily", repo="a/b"), self.pipeline("@daily", overwrite="yes"),
            {**self.pipeline("@daily"), "input": {"pfs": {"repo": "r", "glob": "/", "trigger": {"cron_spec": "x"}}}})
        self.assertEqual(sorted(errors), [2, 3, 4, 5], result.stderr)
        self.assertIn('input.pfs.trigger.cron_spec "x": has 1 field', errors[5][0])

    def test_a_run_refuses_them_too(self):
        path = self.write("p.json", json.dumps(self.pipeline("61 * * * *"), indent=1))
        result = self.run_program(support.PACHBUILD, "run", "-f", path, "--output", self.folder / "out", "--host-commands")
        self.assertEqual(result.returncode, 65)
        self.assertRegex(result.stderr, r'p.json:\d+:\d+: input.cron.spec "61 \* \* \* \*": the minute, "61": 61 is more than 59\nhint: ')


if __name__ == "__main__":
    support.main()
