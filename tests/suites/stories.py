# SPDX-License-Identifier: Apache-2.0
"""Stories of the documents that are run: a fence with a file's name after the language is that file, `sh` is run, and
the lines of the `text` after it come in what was printed, in their order; "…" stands for anything."""

import re

import dev_session
import support


def read_fences(text):
    """Each fence of a page or section: its language, the word after it, and its content."""
    return re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.M | re.S)


def first_pipeline():
    """The fences of the README's first pipeline, each by its language."""
    text = (support.ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## A first pipeline\n")[2].partition("\n## ")[0]
    return {language: content for language, _, content in read_fences(section)}


class StorySuite(support.Suite):

    def tell(self, document, *titles, env):
        """Does what the sections say."""
        text = (support.ROOT / document).read_text(encoding="utf-8")
        printed = ""
        for title in titles:
            section = text.split(f"\n## {title}\n", 1)[1].split("\n## ")[0]
            for language, name, content in read_fences(section):
                if language == "sh":
                    result = self.run_program("bash", "-euc", content, env=env, cwd=self.folder)
                    self.assertEqual(result.returncode, 0, content + result.stdout + result.stderr)
                    printed = result.stderr + result.stdout
                elif language == "text":
                    self.check(content, printed)
                else:
                    self.write(name, content)

    def check(self, lines, printed):
        rest = printed
        for line in lines.splitlines():
            pattern = "^" + ".*".join(map(re.escape, line.split("…")))
            found = re.search(pattern, rest, re.M)
            self.assertIsNotNone(found, f"{line!r} is not in what was printed, or not in this order:\n{printed}")
            rest = rest[found.end():]


class TutorialSuite(StorySuite):
    """A page that is done from its beginning to its end, in folders as a person would be in: `cd` stays. A `text` after
    commands is all that they printed; a line of "…" alone stands for any lines. `sh fails` are commands of which the last
    one fails. `sh dev` is left running until the next commands; what comes after it is found among its lines, in this
    order."""

    def shell(self, script, where):
        """The words that run a bash script in a folder, and the options of starting them."""
        raise NotImplementedError

    def outside(self, path):
        """Where a file of the person is for this test."""
        return self.folder / path

    def start_dev(self, words, where):
        command, options = self.shell(f"exec {words}", where)
        return dev_session.Dev(self, command, **options)

    def follow(self, text, home):
        """From the folder `home` on."""
        where, printed, dev = home, "", None
        for language, word, content in read_fences(text):
            if language == "sh" and dev:
                dev.stop()
                dev = None
            if language == "sh" and word == "dev":
                dev, seen = self.start_dev(content.rstrip("\n"), where), 0
            elif language == "sh":
                command, options = self.shell(f"exec 2>&1\ntrap 'pwd > {home}/where' EXIT\n{content}", where)
                result = self.run_program(*command, **options)
                self.assertEqual(result.returncode != 0, word == "fails", content + result.stdout + result.stderr)
                where = self.outside(f"{home}/where").read_text(encoding="utf-8").rstrip("\n")
                # Told every 30 seconds, where a machine takes that long.
                printed = re.sub(r"^running: .*\n", "", result.stdout, flags=re.M)
            elif language == "text" and not word and dev:
                for line in content.splitlines():
                    _, seen = dev.wait_line("^" + self.pattern(line) + "$", seen)
                    seen += 1
            elif language == "text" and not word:
                self.compare_all(content.splitlines(), printed)
                printed = ""
            elif word:
                self.write(self.outside(f"{where}/{word}"), content)
        self.assertEqual(printed, "", "was printed, and is not in the page")

    def compare_all(self, lines, printed):
        patterns = [r"(?:.*\n)*?" if line == "…" else self.pattern(line) + r"\n" for line in lines]
        if not re.fullmatch("".join(patterns), printed):
            known = next(count for count in range(len(lines), -1, -1) if re.match("".join(patterns[:count]), printed))
            self.fail(f"{lines[known] if known < len(lines) else 'the end'!r} is not what follows in:\n{printed}")

    def pattern(self, line):
        return ".*?".join(map(re.escape, line.split("…")))
