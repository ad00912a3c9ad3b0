# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` gives: programs that work from there, their documents, and completion in bash."""

import pathlib

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

    def test_a_build_uses_a_tool_that_is_installed_beside_it_where_path_has_none(self):
        tool = "#!/bin/sh\nexit 3\n"
        for name, source in {"uv": {"main.py": "", "requirements.txt": "six\n"},
                             "go": {"main.go": "package main\n\nfunc main() {}\n", "go.mod": "module m\n\ngo 1.21\n"}}.items():
            for path, content in source.items():
                self.write(f"{name}/{path}", content)
            beside = self.write(f"usr/bin/{name}", tool, 0o755)
            self.assertIn(f"error: {beside}: does not work", self.build(name, "/usr/bin:/bin"))
            on_path = self.write(f"{name}-bin/{name}", tool, 0o755)
            self.assertIn(f"error: {on_path}: does not work", self.build(name, f"{on_path.parent}:/usr/bin:/bin"))
            beside.unlink()
            self.assertIn(f"error: {name}: is not on PATH\n", self.build(name, "/usr/bin:/bin"))

    def build(self, source, path):
        """The output of a build by the installed program that fails because a tool is missing."""
        support.require(not any(pathlib.Path(folder, source).exists() for folder in ("/usr/bin", "/bin")),
                        f"this machine has {source} in /usr/bin")
        cache = str(self.folder / "cache")
        result = self.run_program(self.folder / "usr/bin/builder-runtime", "--source", source, "--out", "out",
                                  env=support.environment(PATH=path, PACHBUILD_CACHE_DIR=cache))
        self.assertEqual(result.returncode, 69, result.stderr)
        return result.stderr

    def test_bash_completes_verbs_options_and_paths(self):
        program = str(self.folder / "usr/bin/pachbuild")
        self.assertEqual(self.complete(program, "ru"), ["run"])
        self.assertEqual(self.complete(program, "run", "--out"), ["--output"])
        self.assertEqual(self.complete(program, "update", "pi"), ["pipeline"])
        self.assertEqual(self.complete(program, "update", "pipeline", "--rep"), ["--reprocess"])
        self.assertEqual(self.complete(program, "update", "pipeline", "--dry-run", "-o", "y"), ["yaml"])
        self.assertEqual(self.complete(program, "status", "map", "--con"), ["--context"])
        self.assertIn("-f", self.complete(program, "run", "-"))
        self.assertEqual(self.complete(program, "help", "upd"), ["update"])
        self.assertEqual(self.complete(program, "help", "update", "python"), ["python-pipeline"])
        self.write("specs/map.json", "{}")
        self.assertEqual(self.complete(program, "run", "-f", "spe"), ["specs"])
        self.assertEqual(self.complete(program, "run", "-f", "specs/m"), ["specs/map.json"])
        self.assertEqual(self.complete(program, "run", "specs/m"), ["specs/map.json"])
        self.assertEqual(self.complete(program, "glob", "specs/m"), [])
        self.assertEqual(self.complete(program, "ini"), ["init"])
        self.assertEqual(self.complete(program, "init", "--la"), ["--language"])
        self.assertEqual(self.complete(program, "init", "--language", "p"), ["python"])
        self.assertEqual(self.complete(program, "init", "demo", "--from", "specs/m"), ["specs/map.json"])
        self.assertEqual(self.complete(program, "init", "--context", "spe"), ["specs"])
        self.assertEqual(self.complete(program, "init", "spe"), ["specs"])
        self.assertEqual(self.complete(program, "run", "--input", "data", "=", "spe"), ["specs"])


if __name__ == "__main__":
    support.main()
