# SPDX-License-Identifier: Apache-2.0
"""The same source gives the same bytes, whatever the surroundings of the build. Local packages that are built from
their sources, which needs the network: test_builder_python.py."""

import os
import random

import support
from builder_suite import BuilderSuite, content_of
from wheels import wheel

MODULE = "ANSWERS = {'a', 'b', 'c'}\ndef f(x: int = 1, *, key='ä') -> set: return x in {'d', 'e', 'f'} and [x]\n"


class SameBytes(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        # Several of the pieces that are compressed side by side.
        content = random.Random(1).randbytes(9 << 20) + b"zero" * (3 << 20)
        self.files = {
            **{f"{name}-1.0-py3-none-any.whl": wheel(name, {
                f"{name}/__init__.py": MODULE, f"{name}/ünïcode.py": MODULE, f"{name}/Z.py": "", f"{name}/a.py": "",
                f"{name}/broken.py": "no Python", f"{name}/content": content}) for name in ("one", "two")},
            "requirements.txt": "./one-1.0-py3-none-any.whl\n./two-1.0-py3-none-any.whl\n",
            "main.py": "import one, two\n",
            "data/table.csv": "1,2\n"}

    def build_in(self, name, files, mask, *prefix, **environment):
        """The artifact that a build in these surroundings gives."""
        source = self.folder / name / "source"
        for path, content in files:
            self.write(source / path, content)
            os.utime(source / path, (0, hash(name + path) % 2**31))
        self.cache = self.folder / name / "cache"
        (self.folder / name / "home").mkdir()
        before = os.umask(mask)
        try:
            self.succeed(*prefix, support.BUILDER, "--source", source, "--out", self.folder / name / "out",
                         "--shim", self.shim,
                         env=self.environment(HOME=str(self.folder / name / "home"), **environment))
        finally:
            os.umask(before)
        return content_of(self.folder / name / "out")

    def test_time_place_mask_locale_processors_and_order_of_files(self):
        ordered = sorted(self.files.items())
        first = self.build_in("one", ordered, 0o022, TZ="UTC", LC_ALL="C", LANG=None, PYTHONHASHSEED="0")
        other = self.build_in("another deeper/ünd odd", reversed(ordered), 0o077, "taskset", "--cpu-list", "0",
                              TZ="Pacific/Kiritimati", LC_ALL="de_DE.UTF-8", LANG="tr_TR.UTF-8", USER="someone",
                              PYTHONHASHSEED="7", PYTHONDONTWRITEBYTECODE="1",
                              PYTHONOPTIMIZE="2", COLUMNS="20")
        self.assertEqual(first, other)
        self.assertEqual(len([name for name in first if name.startswith("bundle-")]), 1)


if __name__ == "__main__":
    support.main()
