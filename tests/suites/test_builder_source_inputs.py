# SPDX-License-Identifier: Apache-2.0
"""builder-runtime --source-inputs: where it says the same of two states of a source, both have the same artifact."""

import json
import shutil

import support
from builder_suite import GO_HELLO, SIX, BuilderSuite, content_of

MAIN = "import os\nimport helper\nprint(helper.NAME)\n"
PLAIN = {"main.py": MAIN, "helper.py": "NAME = 'a'\n", "words.txt": "a\n", "README.md": "one\n"}
INSTALLING = {**PLAIN, "requirements.txt": SIX, "main.py": "import six\n" + MAIN}

# What needs no build: files that are changed, added or (None) removed.
WITHOUT_BUILD = {
    "the program": {"main.py": "{main}print('more')\n"},
    "a comment before its imports": {"main.py": "# one\n# two\n\n{main}"},
    "a module": {"helper.py": "NAME = 'b'\n"},
    "an import of the standard library": {"helper.py": "import json\nNAME = 'a'\n"},
    "an import of the source": {"main.py": "{main}import helper as again\n", "more.py": "import helper\n"},
    "a new module": {"package/__init__.py": "", "package/more.py": "import math\n"},
    "data": {"words.txt": "b\n", "more words.txt": "c\n"},
    "documentation": {"README.md": None, "docs/a.md": "a\n"},
    "another tool's settings": {".editorconfig": "root = true\n", "ruff.toml": "line-length = 100\n"},
}
WITH_BUILD = {
    "what is installed": {"requirements.txt": "six==1.17.0\n"},
    "a credential": {"requirements.txt": SIX + "--extra-index-url https://u:p@index.invalid/simple\n"},
    "a file that is included": {"requirements.txt": SIX + "-r more.txt\n", "more.txt": ""},
    "a lock that appears": {"pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'},
    "the interpreter": {".python-version": "3\n"},
    "settings": {"pachbuild.toml": 'arguments = ["--fast"]\n'},
    "variables": {"pachbuild.toml": '[environment]\nA = "b"\n'},
    "preloading": {"pachbuild.toml": "[python]\npreload = true\n"},
    "settings of uv": {"uv.toml": "offline = false\n"},
    "the project's file": {"pyproject.toml": "[tool.ruff]\nline-length = 100\n"},
    "the program's name": {"main.py": None, "helper.py": None, "other.py": "{main}"},
    "a package that nobody has listed": {"main.py": "import yaml\n{main}"},
    "an import that is gone": {"main.py": MAIN},
    "what an import may see": {"main.py": "{main}os.environ['A'] = 'b'\n"},
}


class SourceInputs(BuilderSuite):
    def told(self, source, *arguments, **changes):
        result = self.build_well(source, "--source-inputs", *arguments, out="never", env=self.environment(**changes))
        self.assertFalse((self.folder / "never").exists())
        return result.stdout

    def edited(self, files, edit):
        texts = {**files, **{path: text and text.replace("{main}", files["main.py"]) for path, text in edit.items()}}
        shutil.rmtree(self.folder / "source", ignore_errors=True)
        return self.source({path: text for path, text in texts.items() if text is not None})

    def artifact(self, source):
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        self.build_well(source)
        return content_of(self.folder / "out")

    def test_the_text(self):
        source = self.source(PLAIN)
        main = source / "main.py"
        self.assertEqual(json.loads(self.told(source)), {
            "all": False, "builder": f"python {support.VERSION}", "program": ["main.py", "the default name"],
            "start": {"command": ["python3", "/pfs/source/main.py"], "folder": "/pfs/source", "may_start_elsewhere": False,
                      "environment": {}, "prepend": {}},
            "facts": ["inline ", "program main.py", "can be preloaded"], "files": {}})
        main.write_text("try:\n    import one\nexcept ImportError:\n    import two\nimport os\nos.putenv('a', 'b')\n", encoding="utf-8")
        self.assertEqual(json.loads(self.told(source))["facts"], [
            "inline ", "program main.py", "imports two unless one", "cannot be preloaded"])

    def test_every_file_may_count(self):
        every = '{\n  "all": true\n}\n'
        for files in ({**PLAIN, "build.sh": "true\n"}, {**PLAIN, "run.sh": "true\n"}, GO_HELLO,
                      {**PLAIN, "setup.py": ""}, {**PLAIN, "requirements.txt": "./package\n", "package/setup.py": ""},
                      {**PLAIN, "pachbuild.toml": '[python]\nrefresh = "always"\n'},
                      {**PLAIN, "uv.toml": 'find-links = ["./wheels"]\n', "requirements.txt": SIX, "wheels/a-1-py3-none-any.whl": ""}):
            self.assertEqual(self.told(self.edited(files, {})), every, files)

    def test_what_needs_no_build_changes_nothing_in_the_artifact(self):
        support.require_tool("uv")
        for kind, files in (("plain", PLAIN), ("installing", INSTALLING)):
            source = self.edited(files, {})
            told, artifact = self.told(source), self.artifact(source)
            together = {}
            for name, edit in WITHOUT_BUILD.items():
                with self.subTest(kind + ": " + name):
                    source = self.edited(files, edit)
                    self.assertEqual(self.told(source), told)
                    if support.LONG:
                        self.assertEqual(self.artifact(source), artifact)
                together.update(edit)
            source = self.edited(files, together)
            self.assertEqual(self.told(source), told)
            self.assertEqual(self.artifact(source), artifact)

    def test_what_needs_a_build(self):
        support.require_tool("uv")
        told = {self.told(self.edited(INSTALLING, {}))}
        for name, edit in WITH_BUILD.items():
            with self.subTest(name):
                new = self.told(self.edited(INSTALLING, edit))
                self.assertNotIn(new, told)
                told.add(new)

    def test_a_command_of_the_pipelines_own_starts_any_program(self):
        files = {"one.py": "import json\n", "two.py": "import six\n"}
        source = self.source(files)
        self.assert_fails(self.build(source, "--source-inputs", out="never"), 65,
                          "cannot tell which file is the program: one.py, two.py\n"
                          "hint: name the program main.py, or set python.program in pachbuild.toml\n")
        told = json.loads(self.told(source, PACHBUILD_OWN_COMMAND="1"))
        self.assertEqual(told["facts"], ["inline ", "program one.py", "can be preloaded", "program two.py",
                                         "imports six unless ", "can be preloaded"])
        self.assertEqual(told["start"]["no_program"], [
            "cannot tell which file is the program: one.py, two.py",
            "name the program main.py, or set python.program in pachbuild.toml"])

    def test_what_a_build_would_refuse(self):
        self.assert_fails(self.build(self.source({"main.py": "if\n"}), "--source-inputs", out="never"), 1,
                          "main.py: is not valid Python\nhint: see Python's output above\n")


if __name__ == "__main__":
    support.main()
