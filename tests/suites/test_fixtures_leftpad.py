# SPDX-License-Identifier: Apache-2.0
"""What the reference's own build pipelines do with its test fixture: numbers padded by a dependency, with a character
that comes as an argument."""

import examples
import support

SPECS = support.ROOT / "tests" / "data" / "leftpad"


class LeftpadFixture(examples.ExampleSuite):
    def pads(self, spec):
        for number in ("1", "11", "111"):
            self.write(f"numbers/{number}", number)
        output = self.run_pipeline(SPECS / spec, "numbers", self.folder / "numbers", "0")
        self.assertEqual(output, {"1": "0001", "11": "0011", "111": "0111"})

    def test_python_with_a_requirement(self):
        self.pads("python.json")

    def test_python_without_requirements_txt(self):
        self.pads("python-plain.json")

    def test_go_with_a_module(self):
        self.pads("go.json")


if __name__ == "__main__":
    support.main()
