# SPDX-License-Identifier: Apache-2.0
"""uv's variables in the environment of a build: what contradicts the builder is overruled, all else stays the user's. The
table below knows each variable that uv's own help names; a new uv with a new one has to be looked at."""

import re
import shutil
import subprocess

import support
import wheels
from builder_suite import BuilderSuite

OVERRULED, KEPT, OTHER_COMMANDS = "overruled", "kept", "of other commands"

# name: (what becomes of it, a value that users set; {folder} is the test's own)
VARIABLES = {
    "UV_BREAK_SYSTEM_PACKAGES": (OVERRULED, "1"),
    "UV_BUILD_CONSTRAINT": (KEPT, "{folder}/constraints.txt"),
    "UV_CACHE_DIR": (KEPT, "{folder}/uv"),
    "UV_COMPILE_BYTECODE": (OVERRULED, "1"),
    "UV_CONFIG_FILE": (KEPT, "{folder}/uv.toml"),
    "UV_CONSTRAINT": (KEPT, "{folder}/constraints.txt"),
    "UV_CUSTOM_COMPILE_COMMAND": (KEPT, "make lock"),
    "UV_DEFAULT_INDEX": (KEPT, "https://127.0.0.1:9/simple"),
    "UV_DEV": (OVERRULED, "1"),
    "UV_ENV_FILE": (OTHER_COMMANDS, "{folder}/env"),
    "UV_EXCLUDE": (KEPT, "{folder}/constraints.txt"),
    "UV_EXCLUDE_NEWER": (KEPT, "2030-01-01"),
    "UV_EXTRA_INDEX_URL": (KEPT, "https://127.0.0.1:9/extra"),
    "UV_FIND_LINKS": (KEPT, "{folder}/wheels"),
    "UV_FORK_STRATEGY": (KEPT, "fewest"),
    "UV_FROZEN": (OVERRULED, "1"),
    "UV_GITHUB_TOKEN": (OTHER_COMMANDS, "secret"),
    "UV_INDEX": (KEPT, "ours=https://127.0.0.1:9/index"),
    "UV_INDEX_STRATEGY": (KEPT, "first-index"),
    "UV_INDEX_URL": (KEPT, "https://127.0.0.1:9/old"),
    "UV_INIT_BUILD_BACKEND": (OTHER_COMMANDS, "hatch"),
    "UV_INSECURE_HOST": (KEPT, "127.0.0.1"),
    "UV_ISOLATED": (OVERRULED, "1"),
    "UV_KEYRING_PROVIDER": (KEPT, "disabled"),
    "UV_LINK_MODE": (OVERRULED, "symlink"),
    "UV_LOCKED": (OVERRULED, "1"),
    "UV_MANAGED_PYTHON": (OVERRULED, "1"),
    "UV_NO_BINARY": (KEPT, "0"),
    "UV_NO_BINARY_PACKAGE": (KEPT, "other"),
    "UV_NO_BUILD": (KEPT, "1"),
    "UV_NO_BUILD_ISOLATION": (KEPT, "1"),
    "UV_NO_BUILD_PACKAGE": (KEPT, "other"),
    "UV_NO_CACHE": (OVERRULED, "1"),
    "UV_NO_CONFIG": (KEPT, "1"),
    "UV_NO_DEFAULT_GROUPS": (OVERRULED, "1"),
    "UV_NO_DEV": (OVERRULED, "1"),
    "UV_NO_EDITABLE": (OVERRULED, "1"),
    "UV_NO_ENV_FILE": (OTHER_COMMANDS, "1"),
    "UV_NO_GROUP": (OVERRULED, "serve"),
    "UV_NO_INSTALL_LOCAL": (OVERRULED, "1"),
    "UV_NO_INSTALL_PROJECT": (OVERRULED, "1"),
    "UV_NO_INSTALL_WORKSPACE": (OVERRULED, "1"),
    "UV_NO_MANAGED_PYTHON": (OVERRULED, "1"),
    "UV_NO_PROGRESS": (OVERRULED, "0"),
    "UV_NO_PROJECT": (OVERRULED, "1"),
    "UV_NO_SOURCES": (KEPT, "1"),
    "UV_NO_SOURCES_PACKAGE": (KEPT, "other"),
    "UV_NO_SYNC": (OVERRULED, "1"),
    "UV_NO_VERIFY_HASHES": (OVERRULED, "1"),
    "UV_OFFLINE": (KEPT, "1"),
    "UV_OVERRIDE": (KEPT, "{folder}/constraints.txt"),
    "UV_PRERELEASE": (KEPT, "allow"),
    "UV_PROJECT": (OVERRULED, "{folder}/elsewhere"),
    "UV_PUBLISH_CHECK_URL": (OTHER_COMMANDS, "https://127.0.0.1:9"),
    "UV_PUBLISH_INDEX": (OTHER_COMMANDS, "ours"),
    "UV_PUBLISH_NO_ATTESTATIONS": (OTHER_COMMANDS, "1"),
    "UV_PUBLISH_PASSWORD": (OTHER_COMMANDS, "secret"),
    "UV_PUBLISH_TOKEN": (OTHER_COMMANDS, "secret"),
    "UV_PUBLISH_URL": (OTHER_COMMANDS, "https://127.0.0.1:9"),
    "UV_PUBLISH_USERNAME": (OTHER_COMMANDS, "me"),
    "UV_PYTHON": (OVERRULED, "3.5"),
    "UV_PYTHON_INSTALL_DIR": (OTHER_COMMANDS, "{folder}/pythons"),
    "UV_REQUIRE_HASHES": (KEPT, "1"),
    "UV_RESOLUTION": (KEPT, "highest"),
    "UV_SYSTEM_CERTS": (KEPT, "1"),
    "UV_SYSTEM_PYTHON": (OVERRULED, "1"),
    "UV_TORCH_BACKEND": (KEPT, "cpu"),
    "UV_VENV_CLEAR": (OVERRULED, "0"),
    "UV_VENV_RELOCATABLE": (OVERRULED, "0"),
    "UV_VENV_SEED": (OVERRULED, "1"),
    "UV_WORKING_DIR": (OVERRULED, "{folder}/elsewhere"),
}
# What uv reads without saying so in its help.
HIDDEN = {
    "UV_EXTRA": (OVERRULED, "x"),
    "UV_GROUP": (OVERRULED, "x"),
    "UV_PREFIX": (OVERRULED, "{folder}/elsewhere"),
    "UV_PROJECT_ENVIRONMENT": (OVERRULED, "{folder}/elsewhere"),
    "UV_PYTHON_DOWNLOADS": (OVERRULED, "automatic"),
    "UV_PYTHON_PREFERENCE": (OVERRULED, "only-managed"),
    "UV_TARGET": (OVERRULED, "{folder}/elsewhere"),
    "UV_WORKING_DIRECTORY": (OVERRULED, "{folder}/elsewhere"),
}
# These take from one of the projects below what it needs, as their user wants it.
REFUSED = {"project": {"UV_CONFIG_FILE", "UV_NO_CONFIG", "UV_EXCLUDE"},
           "locked": {"UV_NO_BUILD", "UV_REQUIRE_HASHES"}}


def variables_of_help(uv, *command):
    text = subprocess.run([uv, *command, "--help"], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"\[env:\s*`?([A-Z][A-Z_0-9]+)", text))
    commands = re.search(r"\nCommands:\n(.*?)\n\n", text, re.DOTALL)
    for name in re.findall(r"^  ([a-z][a-z-]*)", commands[1], re.MULTILINE) if commands else ():
        if name != "help":
            names |= variables_of_help(uv, *command, name)
    return names


class UvVariables(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        self.uv = shutil.which("uv", path=support.environment()["PATH"])
        self.write("constraints.txt", "plumbline<9\n")
        self.write("uv.toml", "")
        (self.folder / "elsewhere").mkdir()
        wheel = wheels.wheel("plumbline_of_ours", {"plumbline.py": "X = 1\n"})
        self.write("wheels/plumbline_of_ours-1.0-py3-none-any.whl", wheel)
        self.project = self.source({
            "pyproject.toml": '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["plumbline-of-ours"]\n'
                              '[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n',
            "wheels/plumbline_of_ours-1.0-py3-none-any.whl": wheel, "main.py": "import plumbline; print(plumbline.X)\n"})
        self.locked = self.source({
            "pyproject.toml": '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["homemade"]\n'
                              '[tool.uv.sources]\nhomemade = { path = "homemade" }\n',
            "main.py": "import homemade\n", **wheels.HOMEMADE, "homemade/homemade.py": ""}, "locked")
        subprocess.run([self.uv, "lock", "--offline", "--quiet"], cwd=self.locked, env=self.environment(), check=True)

    def environment(self, **changes):
        return super().environment(**{"UV_DEFAULT_INDEX": None, "PIP_FIND_LINKS": None, **changes})

    def value(self, name):
        return {**VARIABLES, **HIDDEN}[name][1].replace("{folder}", str(self.folder))

    def test_the_table_knows_each_that_uv_names(self):
        self.assertEqual(variables_of_help(self.uv), set(VARIABLES))

    def test_what_uv_gets(self):
        """A uv that only writes down what it gets."""
        seen = self.folder / "seen"
        uv = self.write("bin/uv", f'#!/bin/sh\n[ "$1" = --version ] && exec {self.uv} --version\n'
                                  f'echo "$@" >> {seen}.arguments\nenv >> {seen}\nexit 1\n')
        uv.chmod(0o755)
        table = {**VARIABLES, **HIDDEN}
        values = {name: self.value(name) for name in table}
        path = f"{uv.parent}:{support.environment()['PATH']}"
        result = self.build(self.project, env={**self.environment(), **values, "PATH": path, "UV_NO_BINARY": "1"})
        self.assertEqual(result.returncode, 1, result.stderr)
        got = dict(line.split("=", 1) for line in seen.read_text().splitlines() if line.startswith("UV_"))
        for name, (fate, _) in table.items():
            if name == "UV_CACHE_DIR":  # a part of it
                self.assertTrue(got[name].startswith(values[name] + "/"), got[name])
            elif fate == KEPT:
                self.assertEqual(got.get(name), "1" if name == "UV_NO_BINARY" else values[name], name)
            elif fate == OVERRULED:
                self.assertNotEqual(got.get(name), values[name], name)
        arguments = (self.folder / "seen.arguments").read_text()
        for words in ("--no-binary :all:", "--no-binary other", "--only-binary :all:", "--only-binary other"):
            self.assertIn(words, arguments)

    def check(self, names):
        values = {name: self.value(name) for name in names}
        for name, source in (("project", self.project), ("locked", self.locked)):
            if REFUSED[name] & set(names):
                continue
            with self.subTest(source=source.name, names=names):
                subprocess.run(["rm", "-rf", str(self.cache), str(self.folder / "out")], check=True)
                self.build_well(source, env=self.environment(**values))
                self.assertEqual([path.name for path in (self.folder / "elsewhere").iterdir()], [])

    def test_a_build_with_all_that_are_overruled(self):
        self.check([name for name, (fate, _) in {**VARIABLES, **HIDDEN}.items() if fate != KEPT])

    def test_a_build_with_several_that_are_kept(self):
        self.check(["UV_NO_SOURCES", "UV_OFFLINE", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE_NEWER",
                    "UV_RESOLUTION", "UV_PRERELEASE", "UV_SYSTEM_CERTS", "UV_NO_BUILD_ISOLATION"])

    @support.long_test
    def test_a_build_with_each(self):
        for name in sorted({*VARIABLES, *HIDDEN} - {"UV_CACHE_DIR"}):
            self.check([name])


if __name__ == "__main__":
    support.main()
