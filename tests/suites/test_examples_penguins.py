# SPDX-License-Identifier: Apache-2.0
"""examples/penguins: four pipelines in one run give what is counted in another way; nothing of it needs a network."""


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

    def test_the_check_finds_what_is_wrong(self):
        report = self.write("2026-11-25.txt", "Penguins with sizes and isotopes, 2026-11-25\n")
        result = self.run_program(EXAMPLE / "check", report)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is not what is counted in the data", result.stderr)


if __name__ == "__main__":
    support.main()
