# SPDX-License-Identifier: Apache-2.0
"""Counts the words of each text in the repo "texts".

Pachyderm runs this program once for each datum. In pipeline.json the glob "/*" makes every file of the repo a datum.
The program finds the datum's files in /pfs/texts; whatever it leaves in /pfs/out is the output.
"""

import collections
import pathlib
import re

TEXTS = pathlib.Path("/pfs/texts")
OUT = pathlib.Path("/pfs/out")

for text in TEXTS.iterdir():
    words = re.findall(r"[a-z]+", text.read_text(encoding="utf-8").lower())
    counts = sorted(collections.Counter(words).items(), key=lambda item: (-item[1], item[0]))
    lines = [f"{count} {word}\n" for word, count in counts]
    (OUT / text.name).write_text("".join(lines), encoding="utf-8")
    print(f"{text.name}: {len(words)} words")
