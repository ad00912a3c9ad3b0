# SPDX-License-Identifier: Apache-2.0
"""The builder of shell scripts: scripts that call each other, what is checked, and docs/shell.md."""

import json

import language_suite
import support

SCRIPTS = {
    "main.sh": '#!/bin/sh\nset -eu\nshout "$@"\n. "${0%/*}/lib/words.sh"\nwords "$0"\n',
    "shout": '#!/usr/bin/env bash\nprintf "%s!" "${@^^}"; echo\n',
    "lib/words.sh": 'words() { echo "from ${1##*/} in $PWD"; }\n',
    "README": "No script\n",
}


class Shell(language_suite.LanguageSuite):
    LANGUAGE = "shell"

    def test_scripts_call_each_other_by_name(self):
        source = self.source(SCRIPTS)
        log = self.build_well(source).stderr
        self.assertRegex(log, r"(?m)^program: main\.sh\b")
        self.assertEqual(self.output_of(source, "a b", "c"), "A B!C!\nfrom main.sh in /pfs/source\n")
        built = json.loads((self.folder / "out/build.json").read_text())
        self.assertEqual(built["builder"], "shell")
        self.makes_nothing_again(source)

    def test_an_edit_with_an_older_time_counts(self):
        source = self.source(SCRIPTS)
        self.build_well(source)
        self.write(source / "shout", "#!/bin/sh\necho edited\n")
        support.os.utime(source / "shout", (1, 1))
        self.build_well(source)
        self.assertEqual(self.output_of(source, "x"), "edited\nfrom main.sh in /pfs/source\n")

    def test_the_same_bytes_elsewhere_and_for_another_user(self):
        self.same_bytes_for_another_user("bash", SCRIPTS)

    def test_arguments_and_exit_codes(self):
        source = self.source({"only.sh": 'printf "<%s>" "$@"; exit 7\n'})
        self.build_well(source)
        result = self.run_artifact(source, "", "a\nb", "*")
        self.assertEqual((result.returncode, result.stdout), (7, "<><a\nb><*>"))

    def test_syntax_errors_name_file_and_line(self):
        bash = "hint: if the script uses bash syntax, its first line must be #!/bin/bash\n"
        self.refuses({"main.sh": "#!/bin/sh\n", "lib/a b.sh": "if true; then\n  echo\n"}, 1,
                     'error: lib/a b.sh:3: Syntax error: end of file unexpected (expecting "fi")\n' + bash)
        self.refuses({"main.sh": "#!/bin/sh\nx=(1 2)\n"}, 1, 'error: main.sh:2: Syntax error: "(" unexpected\n' + bash)
        self.refuses({"main.sh": "#!/bin/bash\nx=(1 2)\nfi\n"}, 1,
                     "error: main.sh:3: syntax error near unexpected token `fi'\n")
        self.refuses({"main.sh": "#!/bin/sh\n", "tool": "#!/usr/bin/env bash\nx=(1 2\n"}, 1,
                     "error: tool:2: unexpected EOF while looking for matching `)'\n")
        source = self.source({"main.sh": "#!/bin/bash\nx=(1 2)\n", "tool": "#!/bin/sh\n",
                              "tool.py": "#!/usr/bin/env python3\nif x: fi (\n"})
        self.build_well(source)

    def test_carriage_returns(self):
        for name, text in (("main.sh", "#!/bin/sh\r\necho\r\n"), ("main.sh", "echo hello\r\n"), ("tool", "#!/usr/bin/perl\r\n")):
            with self.subTest(name, text=text):
                self.refuses({"main.sh": "#!/bin/sh\n", name: text}, 1,
                             f"error: {name}:1: lines end with carriage returns, which shells treat as part of the text\n"
                             f"hint: save the file with Unix line endings: dos2unix {name}\n")
        # Data of a program may have them.
        self.build_well(self.source({"main.sh": "#!/bin/sh\ncat <<E\na\r\nE\n", "table.csv": "a,b\r\n"}, "fine"))

    def test_which_script_is_the_program(self):
        choose = "hint: choose one with shell.program in pachbuild.toml\n"
        source = self.source({"a.sh": "echo a\n", "b.sh": "echo b\n"})
        self.assert_fails(self.build(source), 65, f"error: {source}: several files match *.sh: a.sh, b.sh\n" + choose)
        self.write("source/pachbuild.toml", '[shell]\nprogram = "b.sh"\n')
        self.build_well(source)
        self.assertEqual(self.output_of(source), "b\n")
        self.write("source/pachbuild.toml", '[shell]\nprogram = "clean.sh"\n')
        self.assert_fails(self.build(source), 65, "error: pachbuild.toml:2: shell.program: no file clean.sh in the source\n")
        source = self.source({"README": "nothing\n"}, "none")
        self.assert_fails(self.build(source), 65, f"error: {source}: no program found: expected main.sh, main.bash, main, a single *.sh, "
                          "a single *.bash or a single file that starts with #!/bin/bash\n" + choose)
        self.refuses({"main": "#!/usr/bin/env fish\n"}, 65, "error: main:1: names the interpreter fish; expected sh, dash, bash, ksh or zsh\n")
        source = self.source({"one": "#!/bin/bash\n", "two": "#!/usr/bin/env bash\n"}, "two")
        self.assert_fails(self.build(source), 65, f"error: {source}: contains more than one file that starts with #!/bin/bash: one, two\n"
                          + choose)


class Page(language_suite.PageSuite):
    def test_the_commands_of_the_page(self):
        self.run_documented("docs/shell.md")
        self.assertEqual((self.folder / "counts/monday").read_text(), "2\n")


if __name__ == "__main__":
    support.main()
