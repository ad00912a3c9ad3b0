# SPDX-License-Identifier: Apache-2.0
"""examples/map: Go and Python count the same words, and the right ones."""

import collections
import html.parser
import re
import shutil

import examples
import support

MAP = support.ROOT / "examples" / "map"
SPECS = (MAP / "map-go.json", MAP / "map-python.json")

# Pages that parsers like to disagree on, and their words. The files' names are part of the test.
ODD_PAGES = {
    "empty.html": (b"", ""),
    "no markup.txt": (b"one two, one", "one\t2\ntwo\t1\n"),
    "cut-off.html": (b"<p>one <b>two</b> <a href='three", "one\t1\ntwo\t1\n"),
    "entities.html": (b"<p>a&amp;b a&lt;b &copy;1 caf&eacute; &notit; &#88;&#x59;",
                      "a\t2\nb\t2\n1\t1\ncaf\t1\nit\t1\nxy\t1\n"),
    "hidden.html": (b"<style>a</style><script>b('<p>c')</script><p><noscript>d</noscript><template><p>e</template>"
                    b"<!-- f --><title>g</title><textarea>h</textarea><svg><style>i</style></svg><p hidden>j",
                    "g\t1\nh\t1\nj\t1\n"),
    # Text cannot be in the head: it ends the noscript and begins the body, where the end tag then means nothing.
    "noscript in the head.html": (b"<head><noscript>one</noscript>two", "onetwo\t1\n"),
    "case.html": ("<P>Git GIT git \u212Aelvin \u0130i".encode(), "git\t3\nelvin\t1\ni\t1\n"),
    "not-utf-8.html": (b"<p>na\xefve \xff\xfe end\x00ed", "ended\t1\nna\t1\nve\t1\n"),
    "tables.html": (b"<table><tr><td>cell<p>inside</table><table>outside<tr><td>x", "cell\t1\ninside\t1\n"
                    "outside\t1\nx\t1\n"),
    "split.html": (b"<p>over<b>lap</b>ping", "lap\t1\nover\t1\nping\t1\n"),
}


class WordCounter(html.parser.HTMLParser):
    """An independent count: no tree, only the tags and texts of a page in their order."""

    def __init__(self):
        super().__init__()
        self.counts = collections.Counter()
        self.hiding = 0

    def handle_starttag(self, tag, attrs):
        self.hiding += tag in ("noscript", "script", "style", "template")

    def handle_endtag(self, tag):
        self.hiding -= tag in ("noscript", "script", "style", "template")

    def handle_data(self, data):
        if not self.hiding:
            self.counts.update(word.lower() for word in re.findall("[0-9A-Za-z]+", data))


def table_of(page):
    counter = WordCounter()
    counter.feed(page.decode("utf-8", "replace"))
    counter.close()
    words = sorted(counter.counts.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"{word}\t{count}\n" for word, count in words)


class MapExample(examples.ExampleSuite):
    def test_the_commands_of_the_readme_count_the_words_of_real_pages(self):
        pages = self.folder / "pages"
        pages.mkdir()
        # Every third of them: sanitized programs take their time. scripts/demo runs all, and compares the languages.
        for page in sorted(examples.example_data("pages").iterdir())[::3]:
            shutil.copy(page, pages)
        expected = {f"{page.name}.txt": table_of(page.read_bytes()) for page in pages.iterdir()}
        self.assertGreater(len(expected), 70)
        self.run_documented("examples/map/README.md", pages=pages)
        for language in ("go", "python"):
            with self.subTest(language):
                self.assertEqual(examples.read_output(self.folder / "build" / f"map-{language}"), expected)

    def test_both_languages_read_odd_pages_alike(self):
        for name, (page, _) in ODD_PAGES.items():
            self.write(f"pages/{name}", page)
        go, python = (self.run_pipeline(spec, "scraper", self.folder / "pages") for spec in SPECS)
        self.assertEqual(go, python)
        self.assertEqual(set(go), {f"{name}.txt" for name in ODD_PAGES})
        for name, (_, table) in ODD_PAGES.items():
            with self.subTest(name):
                self.assertEqual(go[f"{name}.txt"], table)


if __name__ == "__main__":
    support.main()
