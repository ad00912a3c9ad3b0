# SPDX-License-Identifier: Apache-2.0
"""docs/tutorial.md, word by word: on this machine, and on the stand-in for a cluster; the README's first pipeline and its
picture."""

import html
import importlib.machinery
import importlib.util
import pathlib
import re

import cluster_suite
import stories
import support
import wheels

# As much of pandas as the page uses, and the packages that the real one needs: they install at once and without an index.
SERIES = """class Series(list):
    def unique(self):
        return list(dict.fromkeys(self))
"""
NEEDS = ("numpy", "python-dateutil", "pytz", "tzdata")


def read(name):
    return (support.ROOT / name).read_text(encoding="utf-8")


class Tutorial(stories.TutorialSuite):
    def shell(self, script, where):
        return ["bash", "-euc", script], {"env": self.env, "cwd": where}

    def follow_page(self, **variables):
        (self.folder / "home").mkdir()
        (self.folder / "bin").mkdir()
        (self.folder / "bin/pachctl").symlink_to(cluster_suite.STAND_IN)
        self.env = support.environment(
            HOME=str(self.folder / "home"), PACHBUILD_CACHE_DIR=str(self.folder / "cache"), XDG_CACHE_HOME=None, PACHCTL=None,
            STAND_IN_STATE=str(self.folder / "state"), PACHBUILD_BIN=str(support.BIN), PACH_CONFIG=str(self.folder / "config.json"),
            **variables)
        self.env["PATH"] = f"{self.folder}/bin:{support.BIN}:{self.env['PATH']}"
        self.follow(read("docs/tutorial.md"), self.folder)

    def test_every_command_prints_what_the_page_shows(self):
        needed = "".join(f"Requires-Dist: {name}\n" for name in NEEDS)
        self.write("wheels/pandas-2.2.3-py3-none-any.whl",
                   wheels.wheel("pandas", {"pandas/__init__.py": SERIES}, version="2.2.3", metadata=needed))
        for name in NEEDS:
            module = name.replace("-", "_")
            self.write(f"wheels/{module}-1.0-py3-none-any.whl", wheels.wheel(module, {f"{module}.py": ""}))
        self.follow_page(UV_OFFLINE="1", UV_FIND_LINKS=str(self.folder / "wheels"), UV_CACHE_DIR=None, PIP_FIND_LINKS=None)

    @support.long_test
    def test_every_command_prints_what_the_page_shows_with_the_real_pandas(self):
        support.require_network()
        self.follow_page(UV_CACHE_DIR=str(support.shared_cache("uv")))


class Readme(stories.StorySuite):
    def environment(self):
        env = support.environment(HOME=str(self.folder), PACHBUILD_CACHE_DIR=str(self.folder / "cache"), XDG_CACHE_HOME=None)
        return {**env, "PATH": f"{support.BIN}:{env['PATH']}"}

    def test_the_first_pipeline_runs(self):
        fences = stories.first_pipeline()
        said = self.succeed("bash", "-euc", fences["sh"], env=self.environment())
        self.assertIn("\n2 a\n2 sea\n2 the\n2 walks\n1 and\n", said.stdout)
        shown = stories.read_fences(read("docs/tutorial.md"))
        for language in ("python", "json"):
            self.assertIn(fences[language], [content for _, _, content in shown], "is in the tutorial as well")

    def test_the_picture_shows_what_is_printed(self):
        loader = importlib.machinery.SourceFileLoader("picture", str(support.ROOT / "scripts/picture"))
        picture = importlib.util.module_from_spec(importlib.util.spec_from_loader("picture", loader))
        loader.exec_module(picture)

        def texts(drawn):
            found = [html.unescape(line) for line in re.findall(r"<text .*?>(.*?)</text>", drawn)]
            return [re.sub(r"\d[\d.]* (ms|s|min)\b|cpython-\S+", "…", line) for line in found]

        made = picture.draw(picture.tell_story(pathlib.Path(self.folder), self.environment()))
        self.assertEqual(texts(made), texts(read("docs/images/terminal.svg")), "scripts/picture terminal makes it anew")


if __name__ == "__main__":
    support.main()
