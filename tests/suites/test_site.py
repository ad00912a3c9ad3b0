# SPDX-License-Identifier: Apache-2.0
"""The documents as a site: strictly made by scripts/site, and shown in a browser as wide as a telephone and as a desk."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import browser
import support

WIDTHS = (360, 1280)
# Tables, long lines, pictures, many headings: where a page could become too wide. With --long all pages are looked at.
PAGES = ("benchmarks.html", "concepts.html", "index.html", "reference.html", "repository/index.html", "running-locally.html",
         "tutorial.html")
# What reaches out of the window, but for what scrolls by itself.
TOO_WIDE = """(() => {
    const scrolls = (one) => one.tagName !== "MAIN" && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
    return [...document.querySelectorAll("main *")].filter(
        (one) => one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one.parentElement)).map(
            (one) => one.outerHTML.slice(0, 100));
})()"""
# Of each block of code: the size of its letters, and how far text and ground are apart in brightness.
CODE = """[...document.querySelectorAll("pre > code")].map((code) => {
    const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
        return 0.3 * r + 0.6 * g + 0.1 * b;
    };
    const style = getComputedStyle(code);
    return [parseFloat(style.fontSize), Math.abs(light(style.color) - light(style.backgroundColor)), style.overflowX];
})"""

NAVIGATION = "[...document.querySelectorAll('.md-nav--primary a.md-nav__link')].map((link) => link.innerText.trim())"
SEARCH = """(() => {
    const box = document.querySelector(".md-search__input");
    box.focus();
    box.value = "bundle";
    box.dispatchEvent(new Event("input"));
    box.dispatchEvent(new KeyboardEvent("keyup"));
})()"""
FOUND = "[...document.querySelectorAll('.md-search-result__link')].map((link) => link.getAttribute('href')).join(' ')"


def require_mkdocs():
    installed = support.ROOT / "build/site-tools/installed.txt"
    support.require(installed.exists(), "MkDocs is not installed; run scripts/setup site")


def make(output, root=support.ROOT):
    return subprocess.run([root / "scripts/site", "--output", output], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=support.environment(), check=False)


class Site(support.Suite):
    @classmethod
    def setUpClass(cls):
        require_mkdocs()
        support.require(browser.find(), "Chromium is not installed; run scripts/setup browser")
        cls.site = pathlib.Path(tempfile.mkdtemp(prefix="pachbuild-site."))
        cls.addClassCleanup(shutil.rmtree, cls.site)
        made = make(cls.site)
        if made.returncode != 0:
            raise AssertionError(made.stdout + made.stderr)
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, page, width=1280):
        self.browser.resize(width)
        self.browser.open(self.site / page)

    def pages(self):
        return sorted(path.relative_to(self.site).as_posix() for path in self.site.rglob("*.html") if path.name != "404.html")

    def wait_for(self, expression, what):
        deadline = time.monotonic() + 60
        while not (found := self.browser.evaluate(expression)):
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)
        return found

    def test_each_page_fits_every_width_and_asks_for_nothing_elsewhere(self):
        pages = self.pages()
        self.assertGreater(len(pages), 30)
        self.assertEqual(set(PAGES) - set(pages), set())
        for page in pages if support.LONG else PAGES:
            for width in WIDTHS:
                with self.subTest(page=page, width=width):
                    self.open(page, width)
                    self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), width)
                    self.assertEqual(self.browser.evaluate(TOO_WIDE), [])
                    for size, contrast, overflow in self.browser.evaluate(CODE):
                        self.assertGreaterEqual(size, 11)
                        self.assertGreater(contrast, 80)
                        self.assertIn(overflow, ("auto", "scroll"))
        self.assertEqual(self.browser.errors, [])
        self.assertEqual([url for url in self.browser.requests if not url.startswith(("file:", "data:", "blob:"))], [])

    def test_every_page_of_the_index_is_in_the_navigation(self):
        index = (support.ROOT / "docs/README.md").read_text(encoding="utf-8")
        titles = re.findall(r"^- \[(.*?)\]", index, re.M)
        self.open("index.html")
        links = self.browser.evaluate(NAVIGATION)
        self.assertEqual([title for title in titles if title not in links], [])
        # On a telephone it is behind a button.
        self.open("tutorial.html", 360)
        self.assertLess(self.browser.evaluate("document.querySelector('.md-sidebar--primary').getBoundingClientRect().right"), 1)
        self.browser.evaluate("document.querySelector('label[for=__drawer]').click()")
        self.wait_for("document.querySelector('.md-sidebar--primary').getBoundingClientRect().right > 200", "the navigation opens")

    def test_search_finds_a_page_without_a_server(self):
        self.open("index.html")
        self.browser.evaluate("document.querySelector('label[for=__search]').click()")
        self.browser.evaluate(SEARCH)
        found = self.wait_for(FOUND, "results of the search")
        self.assertIn("concepts.html", found)

    def test_files_of_the_repository_are_pages(self):
        self.open("repository/examples/ci/deploy.html")
        script = (support.ROOT / "examples/ci/deploy").read_text(encoding="utf-8")
        self.assertEqual(self.browser.evaluate("document.querySelector('pre > code').innerText").strip(), script.strip())


class Folders(support.Suite):
    def test_a_folder_of_somebody_else_is_left_alone(self):
        require_mkdocs()
        self.write("mine/notes.txt", "mine")
        self.write("file", "mine")
        for name in ("mine", "file"):
            made = make(self.folder / name)
            self.assertEqual((made.returncode, made.stderr),
                             (1, f"error: {self.folder / name}: exists, and was not made by scripts/site\n"
                                 "hint: name another folder with --output\n"))
        self.assertEqual((self.folder / "mine/notes.txt").read_text(encoding="utf-8"), "mine")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["file", "mine"])


class Faults(support.Suite):
    """A copy of what the site is made of, with a fault."""

    def faults(self, page, text):
        require_mkdocs()
        copy = self.folder / "copy"
        for name in ("docs", "site", "scripts", "examples", "etc", "tests/golden", *(path.name for path in support.ROOT.glob("*.md"))):
            source, target = support.ROOT / name, copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=lambda folder, names: [n for n in names if n == "__pycache__"])
            else:
                shutil.copy2(source, target)
        (copy / "build").mkdir()
        (copy / "build/site-tools").symlink_to(support.ROOT / "build/site-tools")
        with (copy / page).open("a", encoding="utf-8") as file:
            file.write(text)
        made = make(self.folder / "site", copy)
        self.assertNotEqual(made.returncode, 0)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["copy"], "a site that is not whole is not left")
        return [line for line in made.stderr.splitlines() if line.startswith("WARNING")]

    def test_dead_links_are_errors(self):
        said = self.faults("docs/faq.md", "\n[a](gone.md) [b](concepts.md#gone) [c](../gone/file)\n")
        targets = sorted(re.search(r"link '(.*?)'", line)[1] for line in said)
        self.assertEqual(targets, ["../gone/file", "concepts.md#gone", "gone.md"])


if __name__ == "__main__":
    support.main()
