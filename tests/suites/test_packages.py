# SPDX-License-Identifier: Apache-2.0
"""What scripts/package makes of the release build: what is in the packages, that the same build gives the same bytes, and
that each can be installed, used and removed."""

import base64
import csv
import hashlib
import pathlib
import re
import subprocess
import sys
import tarfile
import time
import zipfile

import release_packages
import stories
import support
from release_packages import OWN, PROGRAMS, Names

sys.path.insert(0, str(support.ROOT / "site"))

import links  # noqa: E402

BUILDERS = support.ROOT / "etc/pipeline-build"
VERSION = support.VERSION

PIPELINE = {
    "lines.json": """{"pipeline": {"name": "lines"},
 "transform": {"build": {"language": "python", "path": "./source"}},
 "input": {"pfs": {"repo": "words", "glob": "/*"}}}
""",
    "source/main.py": """import pathlib

for page in pathlib.Path("/pfs/words").iterdir():
    pathlib.Path("/pfs/out", page.name).write_text(f"{len(page.read_text().splitlines())}\\n")
""",
    "words/a.txt": "one\ntwo\n",
}


def setUpModule():
    PackagesSuite.packages = release_packages.make_for_module(OWN)


class PackagesSuite(support.Suite):
    names = Names(OWN)

    def run_pipeline(self, pachbuild, **changes):
        """A pipeline by nothing but what is beside the program and in /usr/bin."""
        for name, content in PIPELINE.items():
            self.write(name, content)
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder / "home"), **changes}
        self.succeed(pachbuild, "run", "-f", "lines.json", "--input", "words=words", "--output", "counts", env=env)
        self.assertEqual((self.folder / "counts/a.txt").read_text(encoding="utf-8"), "2\n")

    def unpack(self):
        self.succeed("tar", "-xzf", self.packages / self.names.tarball)
        return self.folder / self.names.tree


class Contents(PackagesSuite):
    def entries(self):
        """Name, mode, owner and time of all that the tarball and the Debian package have in them."""
        deb = subprocess.run(["dpkg-deb", "--fsys-tarfile", self.packages / self.names.deb], capture_output=True,
                             check=True).stdout
        for archive in (self.packages / self.names.tarball, self.write("deb.tar", deb)):
            with tarfile.open(archive) as tar:
                yield archive, tar.getmembers()

    def test_the_digests_are_those_of_the_files(self):
        lines = (self.packages / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        digests = {name: digest for digest, name in (line.split("  ") for line in lines)}
        self.assertEqual(sorted(digests), sorted({file.name for file in self.packages.iterdir()} - {"SHA256SUMS"}))
        for name, digest in digests.items():
            self.assertEqual(hashlib.sha256((self.packages / name).read_bytes()).hexdigest(), digest, name)
        self.succeed("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=self.packages)

    def test_everything_is_roots_with_modes_that_do_not_depend_on_a_machine(self):
        for archive, members in self.entries():
            with self.subTest(archive.name):
                names = [member.name for member in members]
                self.assertIn(names, (sorted(names), sorted(names, key=lambda name: name.split("/"))))
                self.assertEqual(len({member.mtime for member in members}), 1, "one time, that of the commit")
                self.assertEqual({(member.uid, member.gid) for member in members}, {(0, 0)})
                for member in members:
                    is_program = (member.isdir() or "/bin/" in member.name or member.name.endswith(("/deploy", "/check"))
                                  or self.is_program_of_a_builder(member.name))
                    self.assertEqual(oct(member.mode), oct(0o755 if is_program else 0o644), member.name)
                    self.assertTrue(member.isdir() or member.isreg(), member.name)

    def is_program_of_a_builder(self, name):
        """Its mode in the packages is that in the checkout."""
        of_builder = name.partition("share/pachbuild/builders/")[2]
        return bool(of_builder and (BUILDERS / of_builder).stat().st_mode & 0o100)

    def test_they_hold_the_declared_builders_whole(self):
        folders = [file.parent for file in BUILDERS.glob("*/builder.toml")]
        wanted = {f"share/pachbuild/builders/{file.relative_to(BUILDERS)}"
                  for folder in folders for file in folder.rglob("*") if file.is_file()}
        for archive, members in self.entries():
            names = {member.name.removeprefix("./").partition("/")[2] for member in members if member.isreg()}
            self.assertEqual({name for name in names if name.startswith("share/pachbuild/")}, wanted, archive.name)
        with zipfile.ZipFile(self.packages / self.names.wheel) as wheel:
            data = f"pachbuild-{VERSION}.data/data/"
            names = {name.removeprefix(data) for name in wheel.namelist()}
        self.assertEqual({name for name in names if name.startswith("share/pachbuild/")}, wanted)

    def test_they_hold_programs_documents_and_licences(self):
        wanted = {f"bin/{name}" for name in PROGRAMS} | {
            "share/bash-completion/completions/pachbuild", "share/zsh/vendor-completions/_pachbuild",
            "share/fish/vendor_completions.d/pachbuild.fish", *(f"share/man/man1/{name}.1.gz" for name in PROGRAMS),
            *(f"share/doc/pachbuild/{name}" for name in (
                "README.md", "docs/README.md", "examples/map/map-go.json", "libraries-copyright.txt.gz",
                "pachbuild.spdx.json"))}
        licences = {self.names.tarball: "LICENSE", "deb.tar": "copyright"}
        for archive, members in self.entries():
            with self.subTest(archive.name):
                names = {member.name.removeprefix("./").partition("/")[2] for member in members}
                self.assertLessEqual(wanted | {f"share/doc/pachbuild/{licences[archive.name]}"}, names)

    def test_the_links_of_the_documents_lead_to_what_is_in_it(self):
        self.succeed("dpkg-deb", "--extract", self.packages / self.names.deb, self.folder / "deb")
        for documents in (self.unpack() / "share/doc/pachbuild", self.folder / "deb/usr/share/doc/pachbuild"):
            self.assertEqual(links.dead_links(root=documents), [], documents)

    def test_a_library_s_copyright_is_there(self):
        text = self.succeed("gzip", "-dc", self.unpack() / "share/doc/pachbuild/libraries-copyright.txt.gz").stdout
        for name in ("libzstd-dev", "libarchive-dev", "libssl-dev"):
            self.assertRegex(text, rf"(?m)^(.*, )?{name}\b")

    def test_the_same_build_gives_the_same_bytes(self):
        again = self.folder / "again"
        time.sleep(1.1)  # tar and ar count in seconds
        self.succeed("sh", "-c", 'umask 077; exec "$0" "$@"', support.ROOT / "scripts/package", "--arch", self.names.arch,
                     "--no-build", "--output", again,
                     env=support.environment(TZ="Pacific/Auckland", LC_ALL="C", HOME=str(self.folder)))
        self.assertEqual({file.name for file in again.iterdir()}, {*self.names.files, "SHA256SUMS"})
        for name in self.names.files:
            self.assertEqual((again / name).read_bytes(), (self.packages / name).read_bytes(), name)


class ManualPages(PackagesSuite):
    def setUp(self):
        super().setUp()
        self.pages = sorted((self.unpack() / "share/man/man1").iterdir())

    def test_programs_and_verbs_have_one_each(self):
        verbs = re.findall(r"^  ([a-z]+)  ", self.succeed(Names(OWN).build / "bin/pachbuild", "--help").stdout, re.MULTILINE)
        names = {page.name for page in self.pages}
        self.assertLessEqual({f"{name}.1.gz" for name in (*PROGRAMS, "pachbuild-run", "pachbuild-update-pipeline")}, names)
        self.assertLessEqual({f"pachbuild-{verb}.1.gz" for verb in verbs}, names)
        self.assertGreater(len(names), 20)

    def test_man_lists_each_under_its_own_name(self):
        lexgrog = support.require_tool("lexgrog")  # by which man -k knows a page
        for page in self.pages:
            said = self.succeed(lexgrog, page).stdout
            name = page.name.removesuffix(".1.gz")
            self.assertRegex(said, rf': "{name} - [a-zA-Z].*[^ .]"\n$')

    def test_man_and_mandoc_find_no_fault(self):
        man, mandoc = support.require_tool("man"), support.require_tool("mandoc")
        for page in self.pages:
            shown = self.succeed(man, "--warnings", "-E", "UTF-8", "--local-file", page)
            self.assertEqual(shown.stderr, "", page.name)
            self.assertEqual(self.succeed(mandoc, "-T", "lint", "-W", "warning", page).stdout, "", page.name)

    def test_one_has_the_options_and_the_examples_as_they_are_typed(self):
        page = self.folder / self.names.tree / "share/man/man1/pachbuild-run.1.gz"
        text = self.succeed("mandoc", "-T", "utf8", page).stdout
        text = re.sub(".\x08", "", text)
        for wanted in ("SYNOPSIS", "pachbuild run [OPTIONS]", "-i,--input REPO=PATH", "SEE ALSO", "NOTES",
                       "    pachbuild run map.json --input scraper=pages --output counts\n"):
            self.assertIn(wanted, text)


class Tarball(PackagesSuite):
    def test_works_where_it_was_unpacked(self):
        tree = self.unpack()
        moved = tree.rename(self.folder / "a folder")
        self.run_pipeline(moved / "bin/pachbuild")


class DebianSuite(PackagesSuite):
    def dpkg(self, *arguments):
        """dpkg on a system of its own, below self.folder/root, as any user."""
        root = self.folder / "root"
        (root / "var/lib/dpkg/info").mkdir(parents=True, exist_ok=True)
        (root / "var/lib/dpkg/updates").mkdir(exist_ok=True)
        (root / "var/lib/dpkg/status").touch()
        return self.succeed("dpkg", f"--root={root}", "--log=/dev/null", "--force-not-root", "--force-bad-path",
                            "--force-script-chrootless", "--force-architecture", *arguments).stdout

    def files(self):
        root = self.folder / "root"
        return {path for path in (f"/{path.relative_to(root)}" for path in root.rglob("*")) if not path.startswith("/var")}


class Debian(DebianSuite):
    def test_says_what_it_is_and_needs_no_other_package(self):
        fields = self.succeed("dpkg-deb", "--field", self.packages / self.names.deb).stdout
        for line in (f"Version: {VERSION}", f"Architecture: {self.names.arch}", "Package: pachbuild"):
            self.assertIn(f"{line}\n", fields)
        self.assertNotRegex(fields, r"(?m)^(Pre-)?Depends:")
        self.assertIn("Recommends: python3 (>= 3.8), ca-certificates, git\n", fields)
        sums = self.succeed("dpkg-deb", "--info", self.packages / self.names.deb, "md5sums").stdout
        self.assertIn("  usr/bin/pachbuild\n", sums)

    def test_is_installed_used_and_removed_without_a_trace(self):
        self.dpkg("--install", self.packages / self.names.deb)
        listed = set(self.dpkg("--listfiles", "pachbuild").split("\n")) - {"", "/."}
        self.assertEqual(self.files(), listed)
        self.dpkg("--verify", "pachbuild")
        self.run_pipeline(self.folder / "root/usr/bin/pachbuild")
        self.dpkg("--remove", "pachbuild")
        self.assertEqual(self.files(), set())


class WheelContents(PackagesSuite):
    def test_lists_every_file_with_its_digest(self):
        with zipfile.ZipFile(self.packages / self.names.wheel) as wheel:
            self.assertEqual(len({item.date_time for item in wheel.infolist()}), 1, "one time, that of the commit")
            record = f"pachbuild-{VERSION}.dist-info/RECORD"
            rows = {name: (digest, size) for name, digest, size in csv.reader(wheel.read(record).decode().splitlines())}
            self.assertEqual(set(rows), set(wheel.namelist()))
            for name, (digest, size) in rows.items():
                content = wheel.read(name)
                sum_ = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
                self.assertEqual((digest, size), ("", "") if name == record else (f"sha256={sum_}", str(len(content))))
            package = {f"pachbuild/{path.name}" for path in (support.ROOT / "python/pachbuild").iterdir() if path.is_file()}
            self.assertEqual({name for name in rows if name.startswith("pachbuild/")}, package)
            self.assertIn("pachbuild/py.typed", package)
            for name in PROGRAMS:
                mode = wheel.getinfo(f"pachbuild-{VERSION}.data/scripts/{name}").external_attr >> 16
                self.assertEqual(oct(mode & 0o777), oct(0o755))

    def test_says_what_it_is_and_what_it_needs(self):
        with zipfile.ZipFile(self.packages / self.names.wheel) as wheel:
            metadata = wheel.read(f"pachbuild-{VERSION}.dist-info/METADATA").decode()
            tags = re.findall(r"^Tag: (.*)", wheel.read(f"pachbuild-{VERSION}.dist-info/WHEEL").decode(), re.MULTILINE)
        self.assertEqual(tags, [f"py3-none-{platform}" for platform in self.names.platforms])
        for line in (f"Version: {VERSION}", "Requires-Dist: uv", "License-Expression: Apache-2.0", "Requires-Python: >=3.9"):
            self.assertIn(f"\n{line}\n", metadata)
        self.assertIn((support.ROOT / "README.md").read_text(encoding="utf-8"), metadata)


class Wheel(PackagesSuite):
    def setUp(self):
        super().setUp()
        self.succeed("/usr/bin/python3", "-m", "venv", "venv")
        self.bin = self.folder / "venv/bin"

    def pip(self, *arguments):
        return self.succeed(self.bin / "python", "-m", "pip", "--disable-pip-version-check", *arguments).stdout

    def install(self, *options):
        """Python pipelines need the tool uv, which its wheel puts beside the programs."""
        self.pip("install", "--quiet", *options, self.packages / self.names.wheel)

    def test_is_installed_used_and_removed_without_a_trace(self):
        before = set(self.bin.parent.rglob("*"))
        self.install("--no-index", "--no-deps")
        for name in PROGRAMS:
            self.assertEqual((self.bin / name).read_bytes(), (self.names.build / "bin" / name).read_bytes())
        self.run_pipeline(self.bin / "pachbuild")
        code = ("import pachbuild; result = pachbuild.run('lines.json', {'words': 'words'}, 'counted'); "
                "print(result.outputs['a.txt'].read_text(), pachbuild.program())")
        said = self.succeed(self.bin / "python", "-c", code, env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder / "home")})
        self.assertEqual(said.stdout, f"2\n {self.bin}/pachbuild\n")
        self.pip("uninstall", "--yes", "--quiet", "pachbuild")
        left = set(self.bin.parent.rglob("*")) - before
        self.assertEqual([path for path in left if not path.is_dir() and "__pycache__" not in str(path)], [])

    def test_a_pipeline_with_packages_runs_by_the_uv_that_came_with_it(self):
        support.require_network()
        self.install()
        self.assertTrue((self.bin / "uv").exists())
        self.write("source/requirements.txt", "six==1.16.0\n")
        self.run_pipeline(self.bin / "pachbuild")


# As root would run them, but on the system below the test's folder.
SUDO = """#!/bin/sh -eu
[ "$1" = apt-get ]
case $2 in
  install) action=--install ;;
  remove) action=--remove ;;
esac
exec dpkg --root="$ROOT" --log=/dev/null --force-not-root --force-bad-path --force-script-chrootless "$action" "$3"
"""


class Document(stories.StorySuite, DebianSuite):
    """docs/installing.md, as somebody would follow it in a checkout; .ci/run has run scripts/package there."""

    def setUp(self):
        super().setUp()
        (self.folder / "build").mkdir()
        (self.folder / "build/packages").symlink_to(self.packages)
        (self.folder / "build/release").symlink_to(self.names.build)
        self.home = self.folder / "home"
        self.home.mkdir()

    def follow(self, *titles, path="/usr/bin:/bin"):
        # The certificates, proxies and indexes of this machine.
        env = support.environment(PATH=path, HOME=str(self.home), ROOT=str(self.folder / "root"), UV_CACHE_DIR=None)
        self.tell("docs/installing.md", *titles, env=env)

    def test_debian(self):
        self.write("bin/sudo", SUDO, 0o755)
        self.dpkg("--audit")  # makes the system
        path = f"{self.folder}/bin:{self.folder}/root/usr/bin:/usr/bin:/bin"
        self.follow("Debian and Ubuntu", "Try it", "Remove it from Debian and Ubuntu", path=path)
        self.assertEqual(self.files(), set())

    def test_pip_and_uv(self):
        support.require_network()
        self.follow("pip and uv", path=f"{support.TOOLS}/bin:/usr/bin:/bin")
        installed = self.home / ".local/bin/pachbuild"
        self.assertTrue(installed.exists())
        self.follow("Try it", path=f"{installed.parent}:/usr/bin:/bin")
        self.follow("Remove it from pip and uv", path=f"{support.TOOLS}/bin:/usr/bin:/bin")
        self.assertFalse(installed.is_symlink() or (self.folder / "venv/bin/pachbuild").exists())

    def test_a_folder(self):
        self.follow("A folder of your own")
        self.follow("Try it", path=f"{self.folder / self.names.tree}/bin:/usr/bin:/bin")

    def test_source(self):
        self.follow("From source")
        self.assertEqual([path for path in (self.home / ".local").rglob("*") if not path.is_dir()], [])


if __name__ == "__main__":
    support.main()
