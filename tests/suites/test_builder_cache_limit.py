# SPDX-License-Identifier: Apache-2.0
"""PACHBUILD_CACHE_LIMIT over real builds. In detail: tests/unit/builder/cache_limit_test.cpp."""

import json
import os
import time

import support
from builder_suite import BuilderSuite, content_of
from wheels import wheel

SIZE = 1 << 20
HOUR = 3600


class CacheLimit(BuilderSuite):
    """Each build here adds a bundle of 1 MiB and an environment of 1 MiB."""

    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        self.parts = {}

    def project(self, name):
        self.write(f"{name}/{name}-1.0-py3-none-any.whl",
                   wheel(name, {f"{name}.py": "", f"{name}-data/random": os.urandom(SIZE)}))
        self.write(f"{name}/requirements.txt", f"./{name}-1.0-py3-none-any.whl\n")
        self.write(f"{name}/main.py", f"import {name}\nprint('{name}')\n")
        return self.folder / name

    def build_project(self, name, limit="0", hours_ago=0):
        """Builds it and makes it look as if that was so long ago. Gives the log."""
        source = self.folder / name
        result = self.build_well(source if source.exists() else self.project(name), out=f"out-{name}",
                                 env=self.environment(PACHBUILD_CACHE_LIMIT=limit))
        then = time.time() - hours_ago * HOUR
        for path in self.parts_of(name):
            for stamp in (path, *path.glob("seal")):
                os.utime(stamp, (then, then))
        return result.stderr

    def parts_of(self, name):
        """The bundle's entries, by what was asked for and by what is installed, and the environment."""
        if name not in self.parts:
            bundle = json.loads((self.folder / f"out-{name}/build.json").read_text())["bundles"][0]
            entries = [path.parent for path in self.cache.glob(f"python/bundles/*/{bundle['file']}")]
            self.assertEqual(len(entries), 2)
            self.parts[name] = [*entries, self.cache / "env" / bundle["digest"]]
        return self.parts[name]

    def there(self, name):
        return [path.exists() for path in self.parts_of(name)]

    def test_the_least_recently_used_goes_and_is_made_again(self):
        self.build_project("used", hours_ago=5)
        self.build_project("other", hours_ago=3)
        # A build with nothing to do is a use, too.
        self.assertIn("nothing to do", self.build_well(self.folder / "used", out="out-used").stderr)
        log = self.build_project("new", limit="5MiB")
        self.assertRegex(log, r"\ncache: removed the least recently used \d\.\d MiB\n$")
        self.assertEqual([self.there(name) for name in ("used", "other", "new")],
                         [[True] * 3, [False] * 3, [True] * 3])
        for entry in self.parts_of("other")[:2]:
            self.assertFalse((self.cache / "python/locks" / entry.name).exists())
        self.assertEqual(list((self.cache / "work").iterdir()), [])
        before = content_of(self.folder / "out-other")
        self.assertIn("compile: installed 1 package", self.build_project("other"))
        self.assertEqual(content_of(self.folder / "out-other"), before)

    def test_a_limit_that_is_none(self):
        result = self.build(self.project("new"), env=self.environment(PACHBUILD_CACHE_LIMIT="20 GB"))
        self.assert_fails(result, 64, 'error: PACHBUILD_CACHE_LIMIT: invalid size "20 GB"\n'
                                      "hint: write it as 20GiB or 500MiB; 0 means no limit\n")


if __name__ == "__main__":
    support.main()
