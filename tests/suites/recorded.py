# SPDX-License-Identifier: Apache-2.0
"""Texts that tests compare with files below tests/golden, a file each.

PACHBUILD_RECORD=1 writes the files anew instead; `git diff` then shows what is different.
"""

import os

import support

IS_RECORDING = os.environ.get("PACHBUILD_RECORD") == "1"


class RecordedSuite(support.Suite):
    def compare(self, folder, texts):
        """`texts` by file name, against all files of tests/golden/FOLDER."""
        place = support.ROOT / "tests" / "golden" / folder
        if IS_RECORDING:
            place.mkdir(parents=True, exist_ok=True)
            for file in set(place.iterdir()) - {place / name for name in texts}:
                file.unlink()
            for name, text in texts.items():
                (place / name).write_text(text, encoding="utf-8")
        self.assertEqual(sorted(file.name for file in place.iterdir()), sorted(texts), "record again, see tests/golden")
        for name, text in texts.items():
            with self.subTest(name):
                self.assertEqual(text, (place / name).read_text(encoding="utf-8"), "record again, see tests/golden")
