# SPDX-License-Identifier: Apache-2.0
"""Stories of the documents that are run: a fence with a file's name after the language is that file, `sh` is run, and
the lines of the `text` after it come in what was printed, in their order; "…" stands for anything."""

import re

import support


class StorySuite(support.Suite):

    def tell(self, document, *titles, env):
        """Does what the sections say."""
        text = (support.ROOT / document).read_text(encoding="utf-8")
        printed = ""
        for title in titles:
            section = text.split(f"\n## {title}\n", 1)[1].split("\n## ")[0]
            for language, name, content in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", section, re.M | re.S):
                if language == "sh":
                    result = self.run_program("bash", "-euc", content, env=env, cwd=self.folder)
                    self.assertEqual(result.returncode, 0, content + result.stdout + result.stderr)
                    printed = result.stderr + result.stdout
                elif language == "text":
                    self.check(content, printed)
                else:
                    self.write(name, content)

    def check(self, lines, printed):
        rest = printed
        for line in lines.splitlines():
            pattern = "^" + ".*".join(map(re.escape, line.split("…")))
            found = re.search(pattern, rest, re.M)
            self.assertIsNotNone(found, f"{line!r} is not in what was printed, or not in this order:\n{printed}")
            rest = rest[found.end():]
