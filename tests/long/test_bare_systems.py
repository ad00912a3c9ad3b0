# SPDX-License-Identifier: Apache-2.0
"""The packages on Debian 12, Debian 13 and Ubuntu 24.04 as they are after an installation: installed, the README's first
pipeline run by root and by a user without its rights, and removed without a trace; and the tutorial, followed by a user up to
its cluster."""

import bare_system
import dev_session
import release_packages
import stories
from release_packages import OWN, PROGRAMS, Names
import support

NAMES = Names(OWN)
DEB = f"/run/packages/{NAMES.deb}"
WHEEL = f"/run/packages/{NAMES.wheel}"
HOMES = {"root": "root", "person": "home/person"}


def setUpModule():
    folder = release_packages.make_for_module(OWN)
    folder.chmod(0o755)  # for the user without root's rights
    bare_system.SystemSuite.packages = folder


class Packages:
    """What is tested on each system."""

    def setUp(self):
        super().setUp()
        self.inside("apt-get update && useradd --create-home person")

    def run_first_pipeline(self, **options):
        """As the README says, in a folder that goes with it; then the cache as docs/installing.md says."""
        commands = stories.first_pipeline()["sh"]
        said = self.inside(f"cd $(mktemp -d)\n{commands}\npachbuild cache clean --all >/dev/null", **options)
        self.assertIn("\n2 a\n2 sea\n2 the\n2 walks\n1 and\n", said)

    def left(self, before):
        """What is there now and was not, and what has gone, but for the homes' empty caches."""
        after = self.system.files()
        homes = tuple(f"{home}/.cache/" for home in HOMES.values())
        return sorted(name for name in after - before if not name.startswith(homes)), sorted(before - after)

    def caches(self):
        """The files, not folders, in the homes' caches."""
        return [name for name in self.system.files() if "/.cache/" in name and not name.endswith("/")]

    def test_the_debian_package(self):
        self.inside(f"apt-get install -y {DEB}")
        self.assertEqual(self.inside("command -v python3 git"), "/usr/bin/python3\n/usr/bin/git\n", "apt brings them")
        listed = {name[1:] for name in self.inside("dpkg --listfiles pachbuild").splitlines()}
        self.assertLessEqual({f"usr/bin/{name}" for name in PROGRAMS}, listed)
        self.inside("dpkg --verify pachbuild")
        files = self.system.files()
        for user in HOMES:
            with self.subTest(user):
                self.run_first_pipeline(user=user)
        self.assertEqual(self.left(files), ([], []), "runs leave nothing outside of the cache")
        self.inside("apt-get remove -y pachbuild")
        new, gone = self.left(files)
        self.assertEqual(new, [])
        self.assertLessEqual({name.split(" ")[0].rstrip("/") for name in gone}, listed)
        self.assertEqual([name for name in self.system.files() if "pachbuild" in name and "/.cache/" not in name], [])
        self.inside("! dpkg --status pachbuild 2>/dev/null")

    def test_the_wheel(self):
        support.require_network()
        self.inside("apt-get install -y --no-install-recommends python3-venv ca-certificates")
        files = self.system.files()
        for user, home in HOMES.items():
            with self.subTest(user):
                self.inside(f"cd; python3 -m venv venv; venv/bin/pip install --quiet {WHEEL}", user=user)
                self.run_first_pipeline(user=user, path=f"/{home}/venv/bin")
                self.inside(f"cd; venv/bin/uv tool install {WHEEL}", user=user)
                self.run_first_pipeline(user=user, path=f"/{home}/.local/bin")
                self.inside("cd; venv/bin/uv tool uninstall pachbuild; venv/bin/uv cache clean", user=user)
                self.inside("cd; venv/bin/pip uninstall --yes --quiet pachbuild; test ! -e venv/bin/pachbuild; rm -r venv; "
                            "rm -rf .cache/pip", user=user)
        new, gone = self.left(files)
        self.assertEqual([name for name in new if "pachbuild" in name], [])
        self.assertEqual([name for name in new if not name.endswith("/") and "/.local/share/uv/tools/." not in name], [],
                         "but for uv's folders, with .lock and .gitignore of its own")
        self.assertEqual(gone, [])


class Tutorial(stories.TutorialSuite, bare_system.SystemSuite):
    """docs/tutorial.md with nothing but Python, pip and the wheel."""

    name = "debian-12"

    def shell(self, script, where):
        command = self.system.command(f"cd {where}\n{script}", user="person", path="/home/person/venv/bin")
        return command, {"env": self.system.environment()}

    def outside(self, path):
        return self.system.root / path.lstrip("/")

    def start_dev(self, words, where):
        command, options = self.shell(f"exec {words}", where)
        return dev_session.Dev(self, command, group=True, **options)  # unshare keeps signals to itself

    def test_every_command_prints_what_the_page_shows(self):
        support.require_network()
        self.inside("apt-get update && apt-get install -y --no-install-recommends python3-venv ca-certificates && "
                    "useradd --create-home person")
        self.inside(f"cd; python3 -m venv venv; venv/bin/pip install --quiet {WHEEL}", user="person")
        page = (support.ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
        here, cluster, _ = page.partition("\n## 7. On a cluster\n")
        self.assertTrue(cluster)
        self.follow(here, "/home/person")


class Debian12(Packages, bare_system.SystemSuite):
    name = "debian-12"


class Debian13(Packages, bare_system.SystemSuite):
    name = "debian-13"


class Ubuntu2404(Packages, bare_system.SystemSuite):
    name = "ubuntu-24.04"


if __name__ == "__main__":
    support.main()
