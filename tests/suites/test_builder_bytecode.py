# SPDX-License-Identifier: Apache-2.0
"""The bytecode that builder-runtime keeps between builds: only what is new is compiled, and it is the same bytes."""

import hashlib

import support
from builder_suite import BuilderSuite, content_of
from wheels import wheel


class Bytecode(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")

    def project(self, main="", **wheels):
        """A source whose requirements are these wheels."""
        for name, content in wheels.items():
            self.write(f"source/wheels/{name}-1.0-py3-none-any.whl", content)
        self.write("source/requirements.txt", "".join(f"./wheels/{name}-1.0-py3-none-any.whl\n" for name in wheels))
        self.write("source/main.py", main)
        return self.folder / "source"

    def entries(self):
        return {path.name: path.read_bytes() for path in (self.cache / "python/bytecode").iterdir()}

    def build_and_compare(self, source):
        """Builds with the cache as it is; a build with an empty one must give the same. Gives the log."""
        log = self.build_well(source).stderr
        kept, self.cache = self.cache, self.folder / "empty cache"
        self.build_well(source, out="fresh")
        self.assertEqual(content_of(self.folder / "out"), content_of(self.folder / "fresh"))
        self.succeed("rm", "-rf", self.cache, self.folder / "fresh")
        self.cache = kept
        return log

    def test_only_what_is_new_is_compiled(self):
        one = wheel("one", {"one/__init__.py": "VALUE = 1\n", "one/deeper/more.py": "VALUE = {'a', 'b'}\n"})
        two = wheel("two", {"two.py": "VALUE = 2\n", 'odd, name.py': "VALUE = 3\n"})
        log = self.build_well(self.project(one=one)).stderr
        self.assertIn("compile: compiled bytecode of 1 package (", log)
        log = self.build_and_compare(self.project(one=one, two=two))
        self.assertIn("compile: reused bytecode of 1 of 2 packages (", log)
        log = self.build_well(self.project(two=two)).stderr
        self.assertIn("compile: reused bytecode of 1 of 1 package (", log)
        self.assertEqual(len(self.entries()), 2)

    def test_a_damaged_entry_is_compiled_again(self):
        one = wheel("one", {"one/__init__.py": "VALUE = 1\n"})
        self.build_well(self.project(one=one))
        [(name, whole)] = self.entries().items()
        bundle = content_of(self.folder / "out")
        nonsense = b"cpython-311 99999\nx"
        for damaged in (whole[:30] + bytes([whole[30] ^ 1]) + whole[31:],
                        nonsense + hashlib.sha256(nonsense).hexdigest().encode()):
            with self.subTest(damaged[-20:]):
                self.write(f"cache/python/bytecode/{name}", damaged)
                self.succeed("rm", "-rf", self.cache / "python/bundles")
                log = self.build_well(self.project(one=one)).stderr
                self.assertIn(f"warning: cache: {self.cache}/python/bytecode/{name}: its digest does not match the stored one; compiling one-1.0 again\n", log)
                self.assertEqual(content_of(self.folder / "out"), bundle)
                self.assertEqual(self.entries(), {name: whole})

    def test_the_content_decides_and_not_what_record_says(self):
        before = {"one.py": "VALUE = 'before'\n"}
        after = {"one.py": "VALUE = 'after'\n"}
        main = "import one\nprint(one.VALUE)\n"
        self.build_well(self.project(main, one=wheel("one", before)))
        source = self.project(main, one=wheel("one", after, recorded=before))
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "after\n")

    def test_modules_that_no_record_lists_are_compiled_every_time(self):
        main = "import os, one, unlisted\nprint(os.path.exists(one.__cached__), os.path.exists(unlisted.__cached__))\n"
        files = {"one.py": "", "unlisted.py": ""}
        source = self.project(main, one=wheel("one", files, recorded={"one.py": ""}))
        self.build_well(source)
        self.assertEqual(self.run_artifact(source).stdout, "True True\n")
        self.succeed("rm", "-rf", self.cache / "python/bundles", self.cache / "env")
        self.assertIn("compile: reused bytecode of 1 of 1 package (", self.build_well(source).stderr)
        self.assertEqual(self.run_artifact(source).stdout, "True True\n")

    def test_odd_modules_harm_nothing(self):
        main = "import one, os\nprint(one.VALUE, sorted(os.listdir(os.path.dirname(one.__cached__))))\n"
        source = self.project(main, one=wheel("one", {
            "one/__init__.py": "VALUE = 1\n",
            "one/broken.py": "this is no Python\n",
            # Modules of the standard library's names, which the compiling itself must not import.
            **{f"{name}.py": "raise RuntimeError\n" for name in ("enum", "errno", "os", "py_compile")},
            # Brought along: bytecode of another program under the right name, and of another interpreter.
            "one/__pycache__/broken.cpython-311.pyc": "foreign", "one/__pycache__/__init__.cpython-27.pyc": "foreign"}))
        self.assertNotIn("reused", self.build_well(source).stderr)
        self.succeed("rm", "-rf", self.cache / "python/bundles", self.cache / "env")
        self.assertIn("reused", self.build_and_compare(source))
        [name] = {path.name for path in (self.cache / "env").rglob("one/__pycache__/*")}
        self.assertRegex(name, r"^__init__\.cpython-3\d+\.pyc$")


if __name__ == "__main__":
    support.main()
