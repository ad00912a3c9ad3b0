# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` gives: programs that work from there, their documents, and completion in bash."""

import support

BUILD = support.BIN.parent


class Install(support.Suite):
    def setUp(self):
        super().setUp()
        self.succeed("cmake", "--install", BUILD, "--prefix", self.folder / "usr")

    def complete(self, *words):
        """What bash offers for the last of these words."""
        script = """
            . "$1"; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _pachbuild
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        completion = self.folder / "usr/share/bash-completion/completions/pachbuild"
        return self.succeed("bash", "-euc", script, "bash", completion, *words).stdout.split()

    def test_the_programs_run_and_find_their_documents_beside_them(self):
        for name in ("pachbuild", "builder-runtime", "worker-shim"):
            with self.subTest(name):
                self.succeed(self.folder / "usr/bin" / name, "--version")
        documents = self.folder / "usr/share/doc/pachbuild"
        for name in ("README.md", "ARCHITECTURE.md", "docs/running-locally.md", "examples/map/map-go.json"):
            with self.subTest(name):
                self.assertTrue((documents / name).is_file())

    def test_bash_completes_verbs_options_and_paths(self):
        program = str(self.folder / "usr/bin/pachbuild")
        self.assertEqual(self.complete(program, "ru"), ["run"])
        self.assertEqual(self.complete(program, "run", "--out"), ["--output"])
        self.assertEqual(self.complete(program, "update", "pi"), ["pipeline"])
        self.assertEqual(self.complete(program, "update", "pipeline", "--rep"), ["--reprocess"])
        self.assertEqual(self.complete(program, "update", "pipeline", "--dry-run", "-o", "y"), ["yaml"])
        self.assertEqual(self.complete(program, "status", "map", "--con"), ["--context"])
        self.assertIn("-f", self.complete(program, "run", "-"))
        self.write("specs/map.json", "{}")
        self.assertEqual(self.complete(program, "run", "-f", "spe"), ["specs"])
        self.assertEqual(self.complete(program, "run", "-f", "specs/m"), ["specs/map.json"])
        self.assertEqual(self.complete(program, "run", "--input", "data", "=", "spe"), ["specs"])


if __name__ == "__main__":
    support.main()
