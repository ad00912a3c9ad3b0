# SPDX-License-Identifier: Apache-2.0
"""docs/tutorial.md, word by word: on this machine, and on the stand-in for a cluster."""

import cluster_suite
import stories
import support
import wheels

# As much of pandas as the page uses, and as many packages as the real one needs: they install in no time and without an index.
SERIES = """class Series(list):
    def unique(self):
        return list(dict.fromkeys(self))
"""
NEEDS = ("numpy", "python-dateutil", "pytz", "tzdata")


class Tutorial(stories.TutorialSuite):
    def follow_page(self, **variables):
        (self.folder / "home").mkdir()
        (self.folder / "bin").mkdir()
        (self.folder / "bin/pachctl").symlink_to(cluster_suite.STAND_IN)
        env = support.environment(
            HOME=str(self.folder / "home"), PACHBUILD_CACHE_DIR=str(self.folder / "cache"), XDG_CACHE_HOME=None, PACHCTL=None,
            STAND_IN_STATE=str(self.folder / "state"), PACHBUILD_BIN=str(support.BIN), PACH_CONFIG=str(self.folder / "config.json"),
            **variables)
        env["PATH"] = f"{self.folder}/bin:{support.BIN}:{env['PATH']}"
        self.follow((support.ROOT / "docs/tutorial.md").read_text(encoding="utf-8"), env)

    def test_every_command_prints_what_the_page_shows(self):
        needed = "".join(f"Requires-Dist: {name}\n" for name in NEEDS)
        self.write("wheels/pandas-2.2.3-py3-none-any.whl",
                   wheels.wheel("pandas", {"pandas/__init__.py": SERIES}, version="2.2.3", metadata=needed))
        for name in NEEDS:
            module = name.replace("-", "_")
            self.write(f"wheels/{module}-1.0-py3-none-any.whl", wheels.wheel(module, {f"{module}.py": ""}))
        self.follow_page(UV_NO_INDEX="1", UV_FIND_LINKS=str(self.folder / "wheels"))

    @support.long_test
    def test_every_command_prints_what_the_page_shows_with_the_real_pandas(self):
        support.require_network()
        self.follow_page(UV_CACHE_DIR=str(support.shared_cache("uv")))


if __name__ == "__main__":
    support.main()
