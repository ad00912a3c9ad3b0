# SPDX-License-Identifier: Apache-2.0
"""R packages that tests write, and repositories of them: no test of R asks a server of somebody else."""

import hashlib
import io
import pathlib
import re
import subprocess
import tarfile

import support

HASHED = ("Author", "Depends", "Description", "Imports", "LinkingTo", "Maintainer", "Package", "Suggests", "Title", "Version")
C_CODE = """#include <R.h>
#include <Rinternals.h>
SEXP answer(void) { Rprintf("%s\\n", __FILE__); return ScalarInteger(42); }
"""


def description(name, version, **fields):
    """The fields of a DESCRIPTION, as `R CMD build` completes them."""
    return {"Package": name, "Version": version, "Title": f"The Package {name}", "Author": "A. Author",
            "Maintainer": "A. Author <author@example.com>", "Description": "Made by a test.", "License": "Apache-2.0",
            **fields}


def text_of(fields):
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


def renv_hash(fields):
    """What renv notes in its lock, computed without R."""
    text = "\n".join(f"{key}: {fields[key]}" for key in HASHED if key in fields)
    return hashlib.md5((re.sub(r"\s", "", text) + "\n").encode()).hexdigest()


def package_files(name, version, code=None, files=(), **fields):
    """Path and text of each file of a source package. With "useDynLib" in its NAMESPACE it has C code."""
    imports = [re.sub(r"[ (].*", "", word.strip()) for word in fields.get("Imports", "").split(",") if word.strip()]
    code = code if code is not None else f'version <- function() "{name} {version}"\n'
    return {"DESCRIPTION": text_of(description(name, version, **fields)),
            "NAMESPACE": "exportPattern('^[a-z]')\n" + "".join(f"import({other})\n" for other in imports),
            "R/code.R": code, **dict(files)}


def compiled(name):
    """The files that make a package one with C code."""
    return {"NAMESPACE": f"export(answer)\nuseDynLib({name}, C_answer = answer)\n",
            "R/code.R": "answer <- function() .Call(C_answer)\n", "src/answer.c": C_CODE}


def archive(path, top, files):
    """A tar.gz with the files below a folder `top`; the same each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{top}/{name}")
            data = text.encode()
            entry.size, entry.mode = len(data), 0o755 if name in ("configure", "cleanup") else 0o644
            tar.addfile(entry, io.BytesIO(data))


class Repository:
    """A folder that is a repository of source packages."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.contrib = self.folder / "src/contrib"
        self.contrib.mkdir(parents=True)
        self.url = f"file://{self.folder}"

    def add(self, name, version, old=False, **options):
        """A package, current or only in the archive of old ones. Gives the fields of its DESCRIPTION."""
        files = package_files(name, version, **options)
        place = self.contrib / "Archive" / name if old else self.contrib
        archive(place / f"{name}_{version}.tar.gz", name, files)
        return description(name, version, **{key: value for key, value in options.items() if key[0].isupper()})

    def write_index(self):
        subprocess.run(["Rscript", "--vanilla", "-e", "tools::write_PACKAGES(commandArgs(TRUE), type = 'source')",
                        str(self.contrib)], check=True, stdout=subprocess.DEVNULL, env=support.environment())
        return self


def lock_record(fields, **changes):
    """The record of a package in renv.lock."""
    return {"Package": fields["Package"], "Version": fields["Version"], "Source": "Repository", "Repository": "CRAN",
            "Hash": renv_hash(fields), **changes}


def lock_of(url, records, r_version=None, **more):
    """The object of a renv.lock."""
    r_version = r_version or installed_r()
    return {"R": {"Version": r_version, "Repositories": [{"Name": "CRAN", "URL": url}]}, **more,
            "Packages": {record["Package"]: record for record in records}}


HUB = None  # the archive that a server gives as that of a commit
_version = []


def installed_r():
    if not _version:
        output = subprocess.run(["R", "--version"], capture_output=True, text=True, check=True).stdout
        _version.append(re.search(r"R version (\S+)", output)[1])
    return _version[0]
