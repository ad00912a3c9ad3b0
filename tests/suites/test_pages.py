# SPDX-License-Identifier: Apache-2.0
"""The documents: their links, their index, the page of all verbs against the programs, names that a reader may copy."""

import importlib.machinery
import importlib.util
import re
import sys

import recorded
import support

sys.path.insert(0, str(support.ROOT / "site"))

import links  # noqa: E402

INDEX = "docs/README.md"


def read(name):
    return (support.ROOT / name).read_text(encoding="utf-8")


class Links(support.Suite):
    def test_each_leads_to_a_file_and_a_heading_of_it(self):
        self.assertEqual(links.dead_links(), [])

    def test_what_leads_nowhere_is_named_with_its_line(self):
        page = self.write("page.md", "# A page\n\n[a](gone.md) [b](page.md#a-page), [c](#a-page) [d](#none)\n"
                                     "![e](gone.png) `[f](code.md)` [`g`](page.md#none) <https://example.org> [h](https://x.org/y)\n"
                                     "```\n[i](fence.md)\n```\n\n    [j](code.md)\n\n- [k](../../../../../etc/passwd)\n")
        saved, links.ROOT = links.ROOT, self.folder
        self.addCleanup(setattr, links, "ROOT", saved)
        self.assertEqual(links.dead_links([page.name]), [
            "page.md:3: gone.md: no such file", "page.md:3: #none: no such heading", "page.md:4: gone.png: no such file",
            "page.md:4: page.md#none: no such heading", "page.md:11: ../../../../../etc/passwd: no such file"])

    def test_headings_have_the_anchors_of_github(self):
        text = ("# What is `done` again, and what is not\n## Why it runs again: `--explain`\n### [A link](x.md) too\n"
                "```\n# a comment\n```\n#no-heading\n## What it printed: `pachbuild logs -f SPEC` ##\n")
        self.assertEqual(links.anchors_of(text), {
            "what-is-done-again-and-what-is-not", "why-it-runs-again---explain", "a-link-too",
            "what-it-printed-pachbuild-logs--f-spec"})

    def test_links_are_replaced_and_code_is_left(self):
        text = "a [b](c.md) `[d](e.md)`\n```\n[f](g.md)\n```\n| [h `|`](i.md) | ![j](k.png) |\n"
        self.assertEqual(links.replace_links(text, lambda target: "X" + target),
                         "a [b](Xc.md) `[d](e.md)`\n```\n[f](g.md)\n```\n| [h `|`](Xi.md) | ![j](Xk.png) |\n")


class Index(support.Suite):
    def test_it_has_each_page_once(self):
        listed = [links.resolve(INDEX, target)[0] for line in re.findall(r"^- \[.*", read(INDEX), re.M)
                  for _, target in links.links_of(line)]
        pages = [name for name in links.markdown_files() if name.startswith("docs/") and name != INDEX]
        pages += ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"]
        self.assertEqual(sorted(listed), sorted(pages), f"{INDEX} is the site's navigation: each page is in one of its lists")


class Reference(support.Suite):
    def test_it_says_what_the_programs_say(self):
        loader = importlib.machinery.SourceFileLoader("reference", str(support.ROOT / "scripts/reference"))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("reference", loader))
        loader.exec_module(module)
        made = module.make(support.BIN)
        if recorded.IS_RECORDING:
            module.PAGE.write_text(made, encoding="utf-8")
        self.assertEqual(made, read("docs/reference.md"), "scripts/reference makes it anew, and so does PACHBUILD_RECORD=1")

    def test_repeats_and_defaults_have_one_notation(self):
        options = re.findall(r"^\| `(-.*?)` \| (.*) \|$", read("docs/reference.md"), re.M)
        self.assertGreater(len(options), 100)
        for name, meaning in options:
            self.assertNotIn("...", name, "the text says that it may be repeated")
            self.assertNotRegex(meaning, r"\brepeat it\b", name)
            self.assertNotRegex(name, "…|=/", "a default is in the text")
            self.assertNotRegex(meaning, r"\((the )?default\)", name)


class Names(support.Suite):
    def test_no_command_names_what_exists_nowhere(self):
        for page in links.markdown_files():
            for command in re.findall(r"^```(?:sh|console|)\n(.*?)^```$", read(page), re.M | re.S):
                self.assertNotRegex(command, r"registry\.example|\bexample\.(com|org)/team", page)


class Messages(support.Suite):
    def test_those_of_the_page_are_in_the_programs(self):
        section = read("docs/troubleshooting.md").partition("## By message\n")[2].partition("\n## ")[0]
        messages = re.findall(r"^\| `(.*?)`", section, re.M)
        self.assertGreater(len(messages), 10)
        sources = "".join(path.read_text(encoding="utf-8") for folder in ("builder-runtime", "libs", "pachbuild", "worker-shim")
                          for path in sorted((support.ROOT / folder).rglob("*.cpp")))
        self.assertEqual([message for message in messages if message not in sources], [])


class ExitCodes(support.Suite):
    def test_the_table_has_each_kind_of_error(self):
        kinds = re.search(r"^enum class ErrorKind : int \{\n(.*?)\n\};", read("libs/base/result.h"), re.M | re.S)[1]
        codes = [int(code) for code in re.findall(r"^  \w+ = (\d+),", kinds, re.M)]
        self.assertGreater(len(codes), 5)
        section = read("docs/troubleshooting.md").partition("## By exit code\n")[2].partition("\n## ")[0]
        self.assertEqual([int(code) for code in re.findall(r"^\| (\d+) \|", section, re.M)], [0, *codes])
        # The help texts and the Python package have them too.
        helps = re.findall(r"^\*\*Exit codes\*\*\n\n(.*?)\n\n", read("docs/reference.md"), re.M | re.S)
        self.assertEqual(len(helps), 2)
        for text in helps:
            self.assertEqual([int(code) for code in re.findall(r"(?:^|, )(\d+) ", " ".join(text.split()))], [0, *codes], text)
        constants = re.findall(r"^[A-Z_]+ = (\d+)$", read("python/pachbuild/_errors.py"), re.M)
        self.assertEqual([int(code) for code in constants], codes)


class Changes(support.Suite):
    def test_the_version_of_the_programs_is_first(self):
        versions = re.findall(r"^## \[(.+?)\] - (\S+)$", read("CHANGELOG.md"), re.M)
        self.assertEqual(versions[0][0], support.VERSION)
        for _, day in versions:
            self.assertRegex(day, r"\A\d{4}-\d\d-\d\d\Z")


if __name__ == "__main__":
    support.main()
