#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sbom.py DOCUMENT DIGEST: makes syft's SPDX document of an image the same each time it is made of that image.

Its time becomes SOURCE_DATE_EPOCH, its random name one of its content, and the digest of the archive that syft has read the
image's own. Licenses that documents in the image only refer to are declared, as SPDX wants it.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import sys


def declare_licenses(document):
    declared = document.setdefault("hasExtractedLicensingInfos", [])
    known = {license["licenseId"] for license in declared}
    used = {name for package in document["packages"]
            for name in re.findall(r"LicenseRef-[A-Za-z0-9.-]+", package["licenseDeclared"])}
    declared += [{"licenseId": name, "extractedText": name.removeprefix("LicenseRef-")} for name in sorted(used - known)]


def image_in(document):
    """The package that the document is about."""
    [name] = [relation["relatedSpdxElement"] for relation in document["relationships"]
              if relation["spdxElementId"] == document["SPDXID"] and relation["relationshipType"] == "DESCRIBES"]
    [package] = [package for package in document["packages"] if package["SPDXID"] == name]
    return package


def main():
    path, digest = pathlib.Path(sys.argv[1]), sys.argv[2].rpartition(":")[2]
    document = json.loads(path.read_text(encoding="utf-8"))
    time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    document["creationInfo"]["created"] = f"{time:%Y-%m-%dT%H:%M:%SZ}"
    del document["documentNamespace"]
    declare_licenses(document)
    archive = image_in(document)["checksums"][0]["checksumValue"]
    document = json.loads(json.dumps(document).replace(archive, digest))
    content = hashlib.sha256(json.dumps(document).encode()).hexdigest()
    document["documentNamespace"] = f"https://spdx.org/spdxdocs/{document['name']}-{content}"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
