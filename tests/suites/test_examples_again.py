# SPDX-License-Identifier: Apache-2.0
"""docs/running-locally.md: its commands work, and the second of them finds nothing to do."""

import shutil

import examples
import support


class RunningLocally(examples.ExampleSuite):
    def test_the_second_run_runs_no_datum(self):
        few = self.folder / "few"
        few.mkdir()
        for page in sorted(examples.example_data("pages").iterdir())[:3]:
            shutil.copy(page, few)
        report = self.run_documented("docs/running-locally.md", pages=few)
        self.assertRegex(report, r"(?s)datums: 3 processed, 0 skipped, .*datums: 0 processed, 3 skipped, ")


if __name__ == "__main__":
    support.main()
