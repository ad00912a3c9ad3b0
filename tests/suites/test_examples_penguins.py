# SPDX-License-Identifier: Apache-2.0
"""examples/penguins: four pipelines in one run give what is counted in another way; nothing of it needs a network."""

import json
import re

import examples
import support

EXAMPLE = support.ROOT / "examples" / "penguins"


class PenguinsExample(examples.ExampleSuite):

    def environment(self):
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"), UV_OFFLINE="1")
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        return env

    def test_the_command_of_the_readme_gives_a_report_that_is_right(self):
        support.require_tool("uv")
        self.run_documented("examples/penguins/README.md")
        output = examples.read_output(self.folder / "build/penguins/merge")
        self.assertEqual(len(output), 9)
        self.assertEqual(sum(text.count("\n") for text in output.values()), 330)
        self.assertEqual(sorted(examples.read_output(self.folder / "build/penguins/islands")),
                         ["Biscoe.csv", "Dream.csv", "Torgersen.csv"])

    def test_the_report_of_a_fault_and_of_its_end(self):
        support.require_tool("uv")
        self.run_documented("docs/debugging.md", section="Show somebody what happened")
        reports = {}
        for name in ("report", "fixed"):
            page = (self.folder / f"build/penguins/{name}.html").read_text(encoding="utf-8")
            reports[name] = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
        before = {pipeline["name"]: pipeline for pipeline in reports["report"]["pipelines"]}
        (failure,) = before["merge"]["failures"]
        self.assertEqual((failure["reason"], failure["count"]), ("exit code 1", 3))
        self.assertIn("KeyError: 'species'", failure["log"])
        self.assertEqual([before[name]["because"] for name in ("islands", "species")], ["merge", "merge"])
        self.assertIn(before["report"]["because"], ("islands", "species"))  # whichever was given up first
        rows = reports["report"]["rows"]
        failed = [label for label, kind in zip(rows["labels"], rows["failures"]) if kind == 0]
        self.assertTrue(all("Torgersen" in label for label in failed), failed)
        self.assertEqual(reports["fixed"]["code"], 0)
        merge = next(one for one in reports["fixed"]["pipelines"] if one["name"] == "merge")
        self.assertEqual(merge["build"]["because"], "main.py changed")

    def test_the_check_finds_what_is_wrong(self):
        report = self.write("2026-11-25.txt", "Penguins with sizes and isotopes, 2026-11-25\n")
        result = self.run_program(EXAMPLE / "check", report)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is not what is counted in the data", result.stderr)


if __name__ == "__main__":
    support.main()
