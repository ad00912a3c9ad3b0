# SPDX-License-Identifier: Apache-2.0
"""pachbuild inspect: what it says of an artifact, line by line."""

import json

import support

RECORD = {
    "schema": 1, "builder": "python", "version": "1.2.3", "key": "k",
    "platform": {"os": "linux", "architecture": "amd64", "libc": "glibc 2.36", "interpreter": "cpython-3.11.2"},
    "program": {"name": "main.py", "chosen": "the default name"},
    "bundles": [{"file": "bundle-x.tar.zst", "digest": "x", "bytes": 2048, "unpacked_bytes": 3 << 20, "files": 1}],
    "command": ["python", "a b.py"], "environment": {"A": "it's", "B": "c"}, "prepend": {"PATHS": "{env}/lib"}, "packages": ["a==1", "b==2"],
    "requirements": ["a==1 --hash=sha256:0", "b==2"], "libraries": [],
}
TEXT = """builder     python 1.2.3
platform    linux/amd64, glibc 2.36, cpython-3.11.2
key         k
bundle      bundle-x.tar.zst, 2.0 KiB, unpacked 3.0 MiB in 1 file
program     main.py (the default name)
command     python 'a b.py'
variables   A='it'\\''s'
            B=c
            PATHS='{env}/lib':$PATHS
packages    a==1
            b==2
"""


class Inspect(support.Suite):
    def inspect(self, *words, code=0, **changes):
        record = {**RECORD, **changes}
        text = json.dumps({name: value for name, value in record.items() if value is not None})
        self.write("artifact/build.json", text)
        result = self.run_program(support.PACHBUILD, "inspect", *words, self.folder / "artifact")
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stdout if code == 0 else result.stderr

    def test_all_that_is_known(self):
        self.assertEqual(self.inspect(), TEXT)
        result = self.run_program(support.PACHBUILD, "inspect", self.folder / "artifact/build.json")
        self.assertEqual(result.stdout, TEXT)

    def test_what_is_not_known_is_left_out(self):
        platform = {"os": "linux", "architecture": "arm64", "libc": "", "interpreter": ""}
        self.assertEqual(self.inspect(builder="go", key="", program=None, bundles=[], environment={}, prepend=None,
                                      packages=[], requirements=[], platform=platform),
                         "builder     go 1.2.3\nplatform    linux/arm64\ncommand     python 'a b.py'\n")

    def test_requirements(self):
        self.assertEqual(self.inspect("--requirements"), "a==1 --hash=sha256:0\nb==2\n")
        self.assertEqual(self.inspect("--requirements", requirements=[]), "a==1\nb==2\n")
        self.assertIn("was built by the builder go, which has no requirements", self.inspect("--requirements", builder="go", code=65))

    def test_a_terminal_cannot_be_steered(self):
        self.assertIn("a\\x1b[2J\n", self.inspect("--requirements", requirements=["a\x1b[2J"]))

    def test_what_is_no_artifact(self):
        result = self.run_program(support.PACHBUILD, "inspect", self.folder)
        self.assertEqual(result.returncode, 65)
        self.assertIn(f"error: {self.folder}/build.json: cannot read", result.stderr)


if __name__ == "__main__":
    support.main()
