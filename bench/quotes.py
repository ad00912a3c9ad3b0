# SPDX-License-Identifier: Apache-2.0
"""Tables that a document quotes from a run of bench/all: after a line <!-- bench/all: NAME --> stands the first table of the
measurement of that name, which a run of everything brings up to date."""

import re

import page

QUOTED = re.compile(r"^(<!-- bench/all: (\S+) -->\n\n)((?:\|.*\n)+)", re.MULTILINE)


def names(text):
    """The measurements that a text quotes."""
    return [found[2] for found in QUOTED.finditer(text)]


def update(text, run):
    """The text with the tables of the run; one that was not measured stays as it is."""
    measured = {measurement["name"]: measurement["tables"] for measurement in run["measurements"]}
    return QUOTED.sub(lambda found: found[1] + quotation(measured[found[2]][0]) if measured.get(found[2]) else found[0], text)


def quotation(table):
    return page.table_of(table, first=table["title"], extras=False)
