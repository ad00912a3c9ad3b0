# SPDX-License-Identifier: Apache-2.0
"""Everything that bench/all measures: the commands, in the order of the page."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Measurement:
    name: str  # for --only: "run" means all whose names begin with "run/"
    section: str  # of the page
    command: tuple  # below the root of the repository
    quick: tuple | None = ()  # more arguments with --quick; None: it is left out then
    needs_cluster: bool = False


ONCE = ("--repeats", "1")
RUN = "Runs and edits beside the reference"
PYTHON = "Python builds"
GO = "Go builds"
OTHERS = "Builders of other languages"
SHIM = "The start of a program"
GROWTH = "Growth"
PACKAGES = "Well-known packages"
IMAGES = "Images"
CLUSTER = "On a cluster"

MEASUREMENTS = (
    Measurement("run/python", RUN, ("bench/run", "--only", "ways", "--language", "python"), ONCE),
    Measurement("run/go", RUN, ("bench/run", "--only", "ways", "--language", "go"), ONCE),
    Measurement("run/datums", RUN, ("bench/run", "--only", "datums"), ONCE),
    Measurement("run/dag", RUN, ("bench/run", "--only", "dag"), ONCE),
    Measurement("run/loop", RUN, ("bench/run", "--only", "loop"), ONCE),
    Measurement("python/none", PYTHON, ("bench/python", "--project", "none"), ONCE),
    Measurement("python/requests", PYTHON, ("bench/python", "--project", "requests"), ONCE),
    Measurement("python/npr", PYTHON, ("bench/python", "--project", "npr"), None),
    Measurement("python/package", PYTHON, ("bench/python", "--project", "package"), None),
    Measurement("go/map", GO, ("bench/go", "--project", "map"), ONCE),
    Measurement("go/packages", GO, ("bench/go", "--project", "packages"), None),
    Measurement("builders/shell", OTHERS, ("bench/builders", "--language", "shell"), ONCE),
    Measurement("builders/r", OTHERS, ("bench/builders", "--language", "r"), ONCE),
    Measurement("builders/node", OTHERS, ("bench/builders", "--language", "node"), ONCE),
    Measurement("builders/rust", OTHERS, ("bench/builders", "--language", "rust"), ONCE),
    Measurement("shim", SHIM, ("bench/shim",), ("--rounds", "5")),
    Measurement("growth/files", GROWTH, ("bench/growth", "--only", "files"), (*ONCE, "--most", "1000")),
    Measurement("growth/packages", GROWTH, ("bench/growth", "--only", "packages"), (*ONCE, "--most", "100")),
    Measurement("growth/bundle", GROWTH, ("bench/growth", "--only", "bundle"), (*ONCE, "--most", "64")),
    Measurement("growth/datums", GROWTH, ("bench/growth", "--only", "datums"), (*ONCE, "--most", "1000")),
    Measurement("memory", GROWTH, ("bench/memory",), ("--mebibytes", "32", "128")),
    Measurement("packages", PACKAGES, ("bench/packages",), None),
    Measurement("images", IMAGES, ("bench/images",), None),
    Measurement("cluster", CLUSTER, ("bench/cluster",), ONCE, needs_cluster=True),
)


def means(word, name):
    return name == word or name.startswith(f"{word}/")


def choose(measurements, words, quick, cluster):
    """Those that are measured, with their commands. A word that means none is a KeyError."""
    for word in words:
        if not any(means(word, measurement.name) for measurement in measurements):
            raise KeyError(word)
    chosen = []
    for measurement in measurements:
        named = any(means(word, measurement.name) for word in words)
        wanted = named or (cluster if measurement.needs_cluster else not words)
        if not wanted:
            continue
        if quick and measurement.quick is None and measurement.name not in words:
            continue
        more = (measurement.quick or ()) if quick else ()
        chosen.append(dataclasses.replace(measurement, command=(*measurement.command, *more)))
    return chosen
