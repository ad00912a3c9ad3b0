# SPDX-License-Identifier: Apache-2.0
"""What the suites of the declared builders share: builds of one language, and what must hold for each."""

import os
import re
import shutil
import subprocess

import examples
import support
from builder_suite import BuilderSuite, content_of

OTHER_USER = 65534


def require_npm_registry():
    """The registry that this machine's npm is set up for."""
    support.require(_registry(), "npm's registry does not answer; this test needs the network")


_registry_answer = []


def _registry():
    if not _registry_answer:
        probe = subprocess.run(["npm", "view", "csv-parse@5.6.0", "version"], capture_output=True, timeout=60, check=False)
        _registry_answer.append(probe.returncode == 0)
    return _registry_answer[0]


class LanguageSuite(BuilderSuite):
    LANGUAGE = ""

    def environment(self, **changes):
        return super().environment(**{"npm_config_cache": str(support.shared_cache("npm")), "npm_config_update_notifier": "false",
                                      **changes})

    def build(self, source, *arguments, **options):
        return super().build(source, "--language", self.LANGUAGE, *arguments, **options)

    def output_of(self, source, *arguments, **options):
        """What the built program prints."""
        result = self.run_artifact(source, *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def refuses(self, files, code, ending, **environment):
        """A source that cannot be built: what is said at last, and nothing that is left."""
        for name in ("source", "out"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        result = self.build(self.source(files), env=self.environment(**environment))
        self.assert_fails(result, code, ending)
        self.assertEqual(list((self.folder / "out").glob("*")), [])

    def makes_nothing_again(self, source, **environment):
        """The second build checks, makes and packs nothing."""
        before = content_of(self.folder / "out")
        result = self.build_well(source, env=self.environment(**environment))
        self.assertEqual(content_of(self.folder / "out"), before)
        self.assertNotRegex(result.stderr, r"(?m)^check: |^compile: .*(made|packed)")

    def same_bytes_for_another_user(self, tool, files, **environment):
        """Built in two places, at other times; the second time by a user without rights, and the source read-only."""
        first = self.source(files, "one/source")
        self.build_well(first, out="one/out", env=self.environment(**environment))
        second = self.source(files, "two/deeper and odd/source")
        for path in [second, *second.rglob("*")]:
            os.utime(path, (0, hash(str(path)) % 2**31))
            path.chmod(0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444)
        own, self.cache = self.cache, self.folder / "two/cache"
        self.cache.mkdir()
        (self.folder / "two/out").mkdir()
        (self.folder / "two/home").mkdir()
        words = ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"]
        self.folder.chmod(0o755)
        # Only root can become another user, and tools in root's own home are root's alone.
        probe = [*words, tool, "--version"]
        if os.geteuid() == 0 and self.run_program(*probe, env=self.environment(**environment)).returncode == 0:
            for path in (self.cache, self.folder / "two/out", self.folder / "two/home"):
                os.chown(path, OTHER_USER, OTHER_USER)
        else:
            words = []
        self.succeed(*words, support.BUILDER, "--source", second, "--out", self.folder / "two/out", "--shim", self.shim,
                     "--language", self.LANGUAGE, env=self.environment(
                         HOME=str(self.folder / "two/home"), TZ="Pacific/Kiritimati", LC_ALL="C", **environment))
        self.cache = own
        self.assertEqual(content_of(self.folder / "two/out"), content_of(self.folder / "one/out"))


class PageSuite(examples.ExampleSuite):
    """The commands of a language's page and of its example; of what these download, npm's is kept."""

    def environment(self):
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"), npm_config_update_notifier="false",
                                  npm_config_cache=str(support.shared_cache("npm")))
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        return env


def installed(log):
    """The packages that R's installer tells of."""
    return re.findall(r"\+ (\S+ \S+(?: \([^()]*\))?)$", log, re.MULTILINE)
