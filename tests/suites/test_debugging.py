# SPDX-License-Identifier: Apache-2.0
"""The stories of docs/debugging.md that need nothing but pachbuild."""

import stories
import support


class Debugging(stories.StorySuite):

    def test_why_what_and_again(self):
        self.write("pages/a.txt", "one two")
        self.write("pages/b.txt", "")
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"))
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        self.tell(
            "docs/debugging.md",
            "Why it runs again: `--explain`",
            "What it printed: `pachbuild logs -f SPEC`",
            "Repeat the last run: `pachbuild rerun`",
            env=env,
        )

    def test_a_datum_that_hangs_and_one_that_writes_nothing(self):
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"))
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        self.tell("docs/debugging.md", "A datum that seems to hang", "A program that succeeds but writes nothing",
                  env=env)


if __name__ == "__main__":
    support.main()
