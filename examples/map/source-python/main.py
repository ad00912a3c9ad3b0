# SPDX-License-Identifier: Apache-2.0
"""Counts the words of each page in the repo scraper: /pfs/scraper/P gives /pfs/out/P.txt.

A word is a run of ASCII letters and digits within one piece of the page's text, in lower case; scripts, styles
and what browsers do not show (noscript, template) are not text. The most frequent words come first, equally
frequent ones in alphabetical order. ../source-go does the same, byte for byte.
"""

import collections
import pathlib
import re

from selectolax.lexbor import LexborHTMLParser

PAGES = pathlib.Path("/pfs/scraper")
OUT = pathlib.Path("/pfs/out")
NOT_TEXT = ["noscript", "script", "style", "template"]
WORD = re.compile("[0-9A-Za-z]+")


def count_words(page):
    tree = LexborHTMLParser(page)
    tree.strip_tags(NOT_TEXT)
    texts = (node.text_content for node in tree.root.traverse(include_text=True) if node.is_text_node)
    return collections.Counter(word.lower() for text in texts for word in WORD.findall(text))


def append_counts(counts, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as table:
        for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            table.write(f"{word}\t{count}\n")


for page in PAGES.rglob("*"):
    if not page.is_dir():
        append_counts(count_words(page.read_bytes()), OUT / f"{page.relative_to(PAGES)}.txt")
