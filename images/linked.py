#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""linked.py [--copyrights] BUILD: what is in our static programs, from the folder in which they were built, as an SPDX
document, or as the copyrights of it all.

No tool can see that in the programs. But the compiler has noted which headers it read, the linker which archives it took
something of (*.map), and the distribution knows whose these files are. The time is SOURCE_DATE_EPOCH.
"""

import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import urllib.parse

# Debian's names of licenses, where SPDX has another. What is not here is a LicenseRef.
LICENSES = {
    "Apache-2.0": "Apache-2.0", "BSD-2-Clause": "BSD-2-Clause", "BSD-2-clause": "BSD-2-Clause", "BSD-3-clause": "BSD-3-Clause",
    "BSL-1.0": "BSL-1.0", "CC0-1.0": "CC0-1.0", "Expat": "MIT", "GPL-1+": "GPL-1.0-or-later", "GPL-2": "GPL-2.0-only",
    "GPL-2+": "GPL-2.0-or-later", "ISC": "ISC", "LGPL-2.1": "LGPL-2.1-only", "Zlib": "Zlib", "zlib": "Zlib",
}
FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version")


def output_of(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


def files_in(build):
    """Headers that were compiled, and archives and objects of which something was linked."""
    names = re.findall(r"^ {4}(/.*)", output_of("ninja", "-C", build, "-t", "deps"), re.MULTILINE)
    for listing in build.glob("*.map"):
        text = listing.read_text(encoding="utf-8")
        names += re.findall(r"^LOAD (/.*\.o)$", text, re.MULTILINE) + re.findall(r"^(/.*\.a)\(", text, re.MULTILINE)
    return {pathlib.Path(os.path.realpath(name)) for name in names}


class Distribution:
    """The packages of this machine, or those that are unpacked below a folder for another processor."""

    def __init__(self, root):
        self.root = root
        self.query = ("dpkg-query", f"--admindir={root / 'var/lib/dpkg'}")

    def names(self, files):
        answer = output_of(*self.query, "--search", *sorted(f"/{file.relative_to(self.root)}" for file in files))
        return sorted({name for line in answer.splitlines() for name in line.rpartition(": ")[0].split(", ")})

    def package(self, name):
        form = "\t".join(f"${{{field}}}" for field in FIELDS)
        package, version, architecture, source, source_version = output_of(
            *self.query, "--show", f"--showformat={form}", name).split("\t")
        system = platform.freedesktop_os_release()
        upstream = source if source_version == version else f"{source}@{source_version}"
        details = {"arch": architecture, "distro": f"{system['ID']}-{system['VERSION_ID']}", "upstream": upstream}
        locator = (f"pkg:deb/{system['ID']}/{urllib.parse.quote(package)}@{urllib.parse.quote(version, safe='')}?"
                   + urllib.parse.urlencode(details))
        return describe(f"{package}-{architecture}", package, version, self.license_of(package), externalRefs=[
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}])

    def copyright_of(self, package):
        return (self.root / "usr/share/doc" / package / "copyright").read_text(encoding="utf-8")

    def license_of(self, package):
        """All that its machine-readable copyright names; not every package has such."""
        text = self.copyright_of(package)
        terms = re.findall(r"^License: *(\S.*)", text, re.MULTILINE)
        names = {name for term in terms for name in re.split(r",? (?:and|or|with) ", term.strip())}
        return " AND ".join(sorted(LICENSES.get(name) or "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", name)
                                   for name in names)) or "NOASSERTION"


def describe(key, name, version, terms, **more):
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", key), "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
            "licenseDeclared": terms, "copyrightText": "NOASSERTION", **more}


def linked_packages(build):
    """Each as the distribution that has it, and its name there."""
    unpacked = [path.resolve() for path in build.parent.glob("sysroot-*")]
    own = build.parent.parent.resolve()
    files = files_in(build)
    packages = []
    for root in (*unpacked, pathlib.Path("/")):
        here = {file for file in files if root in file.parents and (root in unpacked or own not in file.parents)}
        distribution = Distribution(root)
        packages += [(distribution, name) for name in distribution.names(here)] if here else []
    return packages


def copyrights(packages):
    """One after the other, each once: packages of one source have the same."""
    names = {}
    for distribution, name in packages:
        names.setdefault(distribution.copyright_of(name.partition(":")[0]), []).append(name)
    return "\n".join(f"{'=' * 80}\n{', '.join(owners)}\n{'=' * 80}\n{text}" for text, owners in names.items())


def document(version, packages):
    time = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    own = describe("pachbuild", "pachbuild", version, "Apache-2.0")
    digest = hashlib.sha256(json.dumps(packages).encode()).hexdigest()
    refs = sorted({ref for package in packages for ref in re.findall(r"LicenseRef-\S+", package["licenseDeclared"])})
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"pachbuild-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/pachbuild-{version}-{digest}",
        "creationInfo": {"created": f"{time:%Y-%m-%dT%H:%M:%SZ}", "creators": [f"Tool: linked.py-{version}"]},
        "packages": [own, *packages],
        "hasExtractedLicensingInfos": [
            {"licenseId": ref, "extractedText": "in the copyright of Debian's package"} for ref in refs],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": own["SPDXID"]},
            *({"spdxElementId": own["SPDXID"], "relationshipType": "STATIC_LINK", "relatedSpdxElement": package["SPDXID"]}
              for package in packages)]}


def main():
    build = pathlib.Path(sys.argv[-1]).resolve()
    packages = linked_packages(build)
    if sys.argv[1] == "--copyrights":
        sys.stdout.write(copyrights(packages))
        return
    described = [distribution.package(name) for distribution, name in packages]
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    version = re.search(r"^CMAKE_PROJECT_VERSION:STATIC=(.*)", cache, re.MULTILINE)[1]
    json.dump(document(version, described), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
