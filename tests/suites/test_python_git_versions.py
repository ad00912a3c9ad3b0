# SPDX-License-Identifier: Apache-2.0
"""Builds that make their version from git: with .git, without it, and through a file that pachbuild hands over."""

import json
import os
import shutil
import subprocess
import sys

import cluster_suite
import pipelines
import support
from builder_suite import BuilderSuite, content_of

# A backend that asks git as setuptools-scm does, and needs nothing from an index. "setuptools-scm" in a comment is what
# shows that the version is one of git's.
BACKEND = '''\
import os, subprocess, zipfile
def say(*words):
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
def version():
    described = say("describe", "--dirty", "--tags", "--long", "--match", "*[0-9]*")
    dirty = described.endswith("-dirty")
    tag, distance, node = described.removesuffix("-dirty").rsplit("-", 2)
    assert say("rev-parse", "HEAD").startswith(node[1:]) and bool(say("status", "--porcelain", "-uno")) == dirty
    local = ([node] if distance != "0" else []) + (["dirty"] if dirty else [])
    return tag.lstrip("v") + (f".post{distance}" if distance != "0" else "") + ("+" + ".".join(local) if local else "")
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, found = f"planted-{version()}-py3-none-any.whl", version()
    info = f"planted-{found}.dist-info/"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("planted.py", f"VERSION = {found!r}\\n")
        wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\\nName: planted\\nVersion: {found}\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "planted.py,,\\n" + info + "METADATA,,\\n" + info + "WHEEL,,\\n" + info + "RECORD,,\\n")
    return name
'''
FILES = {"pyproject.toml": '[build-system]\nrequires = []  # not setuptools-scm\nbuild-backend = "backend"\n'
                           'backend-path = ["."]\n[project]\nname = "planted"\ndynamic = ["version"]\n',
         "backend.py": BACKEND, "main.py": "import planted\nprint(planted.VERSION)\n"}


def real(name, requires, more):
    """A project of a real tool."""
    return {"pyproject.toml": f'[build-system]\nrequires = {json.dumps(requires)}\nbuild-backend = "{name}"\n{more}',
            "planted.py": "", "main.py": "import importlib.metadata\nprint(importlib.metadata.version('planted'))\n"}


class GitSuite(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")
        self.git_program = support.require_tool("git")

    def git(self, *words, cwd=None):
        plain = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
                 "GIT_COMMITTER_DATE": "2024-03-02T10:00:00+00:00", "GIT_AUTHOR_DATE": "2024-03-02T10:00:00+00:00"}
        return subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main", *words],
                              cwd=cwd or self.folder / "source", check=True, capture_output=True, text=True, env=plain).stdout.strip()

    def commit(self, *tags, cwd=None):
        self.git("add", "-A", cwd=cwd)
        self.git("commit", "-q", "--allow-empty", "-m", "x", cwd=cwd)
        for tag in tags:
            self.git("tag", tag, cwd=cwd)

    def repository(self, files=FILES, name="source"):
        source = self.source(files, name=name)
        self.git("init", "-q", cwd=source)
        self.commit("v1.0", cwd=source)
        return source

    def path_without_git(self):
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        # Not a shim on PATH that looks for the interpreter with more tools.
        found = {name: shutil.which(name) for name in ("sh", "cc", "gcc")}
        for name, path in {**found, "python3": sys.executable, "uv": support.require_tool("uv")}.items():
            if path and not (tools / name).exists():
                (tools / name).symlink_to(path)
        return str(tools)

    def built(self, source, **options):
        self.build_well(source, **options)
        return json.loads((self.folder / "out/build.json").read_text())["packages"]


class Versions(GitSuite):
    def test_they_are_those_of_git(self):
        source = self.repository()
        self.assertEqual(self.built(source), ["planted==1.0"])
        self.assertIn("nothing to do", self.build_well(source).stderr)
        self.git("status")
        self.assertIn("nothing to do", self.build_well(source).stderr)
        self.commit()
        node = self.git("rev-parse", "--short=7", "HEAD")
        self.assertEqual(self.built(source), [f"planted==1.0.post1+g{node}"])
        self.git("tag", "-a", "-m", "x", "v1.1")
        self.git("tag", "not-a-version")
        self.assertEqual(self.built(source), ["planted==1.1"])
        self.assertEqual(self.run_artifact(source).stdout, "1.1\n")
        # Files that are changed and not committed, in the same way on each day.
        self.write("source/main.py", FILES["main.py"] + "# edited\n")
        self.assertEqual(self.built(source), ["planted==1.1+dirty"])
        before = content_of(self.folder / "out")
        shutil.rmtree(self.cache)
        self.built(source)
        self.assertEqual(content_of(self.folder / "out"), before)

    def test_nothing_of_git_is_in_the_artifact_or_the_key_of_others(self):
        source = self.repository()
        self.build_well(source)
        bundle = next((self.folder / "out").glob("bundle-*"))
        names = self.succeed("tar", "--zstd", "-tf", bundle).stdout
        self.assertNotIn(".git/", names)
        self.assertNotIn(".pachbuild", names)
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.write("source/pyproject.toml", FILES["pyproject.toml"].replace("# not setuptools-scm", ""))
        inputs = [self.succeed(support.BUILDER, "--inputs", "--source", source, env=self.environment()).stdout]
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        inputs.append(self.succeed(support.BUILDER, "--inputs", "--source", source, env=self.environment()).stdout)
        self.assertEqual(*inputs)

    @support.long_test
    def test_a_source_in_a_folder_of_a_repository_a_worktree_and_a_shallow_clone(self):
        whole = self.repository({"a/b/" + path: text for path, text in FILES.items()}, name="whole")
        self.commit(cwd=whole)
        node = self.git("rev-parse", "--short=7", "HEAD", cwd=whole)
        expected = [f"planted==1.0.post1+g{node}"]
        self.assertEqual(self.built(whole / "a/b"), expected)
        self.git("worktree", "add", "-q", "--detach", str(self.folder / "tree"), cwd=whole)
        self.assertEqual(self.built(self.folder / "tree/a/b"), expected)
        self.git("clone", "-q", "--depth", "2", f"file://{whole}", str(self.folder / "clone"), cwd=whole)
        self.assertEqual(self.built(self.folder / "clone/a/b"), expected)

    @support.long_test
    def test_a_merge_has_the_distance_that_git_tells(self):
        source = self.repository()
        self.git("checkout", "-q", "-b", "side")
        self.commit()
        self.commit()
        self.git("checkout", "-q", "main")
        self.commit("v1.5")
        self.git("-c", "user.name=x", "merge", "-q", "--no-ff", "-m", "x", "side")
        described = self.git("describe", "--tags", "--long")
        tag, distance, node = described.rsplit("-", 2)
        self.assertEqual(self.built(source), [f"planted=={tag[1:]}.post{distance}+{node}"])

    def test_a_hostile_repository_starts_nothing(self):
        source = self.repository()
        evil = f"touch {self.folder}/started"
        script = self.write("evil", f"#!/bin/sh\n{evil}\n", mode=0o755)
        for name, value in (("core.fsmonitor", evil), ("core.hooksPath", str(self.folder)), ("core.pager", evil),
                            ("filter.x.clean", evil), ("filter.x.process", evil), ("diff.external", evil),
                            ("core.sshCommand", evil), ("alias.status", f"!{evil}"), ("alias.rev-list", f"!{evil}"),
                            ("core.alternateRefsCommand", evil), ("gpg.program", str(script)), ("log.showSignature", "true"),
                            ("extensions.partialClone", "origin"), ("remote.origin.url", f"ext::sh -c {evil}"),
                            ("remote.origin.promisor", "true"), ("protocol.ext.allow", "always"), ("core.worktree", "/")):
            self.git("config", name, value)
        self.write("source/.gitattributes", "* filter=x diff=x\n")
        for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-commit"):
            self.write(f"source/.git/hooks/{hook}", f"#!/bin/sh\n{evil}\n", mode=0o755)
        os.utime(source / "main.py", (1, 1))
        self.built(source)
        self.assertFalse((self.folder / "started").exists())

    @support.long_test
    def test_a_repository_of_another_user(self):
        support.require(os.getuid() == 0, "only root can give files away")
        source = self.repository()
        subprocess.run(["chown", "-R", "12345", str(source / ".git")], check=True)
        self.assertEqual(self.built(source), ["planted==1.0"])

    @support.long_test
    def test_without_commits_and_without_git(self):
        source = self.source(FILES)
        self.git("init", "-q")
        self.assertEqual(self.build(source).returncode, 1)
        self.commit("v1.0")
        result = self.build(source, env=self.environment(PATH=self.path_without_git()))
        self.assertIn("warning: git is not on PATH, so the build cannot derive its version from .git; install git", result.stderr)

    def test_a_file_that_is_handed_over_is_checked(self):
        good = f"commit {'a' * 40}\ntime 1700000000\ncommits 5\nbranch main\ntag 3 v2.0\n"
        source = self.source({**FILES, ".pachbuild-revision": good})
        self.assertEqual(self.built(source), ["planted==2.0.post3+gaaaaaaa"])
        for line in ("tag 0 ../x", "tag 0 -x", "tag x v1", "branch a b", "folder ../x", "folder /x", "commit x", "commits 0",
                     "commits 99999999", "else", "dirty x", "tag 0 a\tb", 'tag 0 a"b', "tag 9999999999999999999 v1"):
            with self.subTest(line=line):
                self.write("source/.pachbuild-revision", good + line + "\n")
                result = self.build(source)
                self.assertEqual(result.returncode, 65, result.stderr)
                self.assertIn("/.pachbuild-revision:6: invalid line", result.stderr)


class Tools(GitSuite):
    """The tools themselves, in an image that has git and in one that has not."""

    PROJECT = '[project]\nname = "planted"\ndynamic = ["version"]\n'
    KINDS = {
        "setuptools-scm": (real("setuptools.build_meta", ["setuptools", "setuptools-scm>=8"],
                                PROJECT + "[tool.setuptools]\npy-modules = ['planted']\n[tool.setuptools_scm]\n"),
                           "1.1.dev2+g{long}"),
        "hatch-vcs": (real("hatchling.build", ["hatchling", "hatch-vcs"],
                           PROJECT + '[tool.hatch.version]\nsource = "vcs"\n[tool.hatch.build]\ninclude = ["planted.py"]\n'),
                      "1.1.dev2+g{long}"),
        "poetry-dynamic-versioning": (
            real("poetry_dynamic_versioning.backend", ["poetry-core>=1", "poetry-dynamic-versioning>=1,<2"],
                 '[tool.poetry]\nname = "planted"\nversion = "0"\ndescription = ""\nauthors = []\n'
                 'packages = [{ include = "planted.py" }]\n[tool.poetry-dynamic-versioning]\nenable = true\n'),
            "1.0.post2.dev0+{node}"),
        "uv-dynamic-versioning": (real("hatchling.build", ["hatchling", "uv-dynamic-versioning"],
                                       PROJECT + '[tool.hatch.version]\nsource = "uv-dynamic-versioning"\n'
                                       '[tool.hatch.build]\ninclude = ["planted.py"]\n'), "1.0.post2.dev0+{node}"),
        "pbr": ({**real("setuptools.build_meta", ["setuptools", "pbr"], ""), "setup.cfg":
                 "[metadata]\nname = planted\n[files]\nmodules = planted\n",
                 "setup.py": "from setuptools import setup\nsetup(setup_requires=['pbr'], pbr=True)\n"}, "1.0.1.dev2"),
        "pdm-backend": (real("pdm.backend", ["pdm-backend"], PROJECT + '[tool.pdm.version]\nsource = "scm"\n'),
                        "1.1.dev2+g{node}"),
    }

    def check_tool(self, name, with_git):
        support.require_network()
        files, expected = self.KINDS[name]
        source = self.repository(files)
        self.commit()
        self.commit()
        node, long = (self.git("rev-parse", f"--short={length}", "HEAD") for length in (7, 9))
        env = self.environment()
        if not with_git:
            env = self.environment(PATH=self.path_without_git())
            self.write("source/.pachbuild-revision",
                       f"commit {self.git('rev-parse', 'HEAD')}\ntime 1709373600\ncommits 3\nbranch main\ntag 2 v1.0\n")
            shutil.rmtree(source / ".git")
        packages = self.built(source, env=env)
        self.assertIn("planted==" + expected.format(node=node, long=long), packages)

    @support.long_test
    def test_setuptools_scm(self):
        self.check_tool("setuptools-scm", True)

    def test_setuptools_scm_without_git(self):
        self.check_tool("setuptools-scm", False)

    @support.long_test
    def test_others(self):
        for name in sorted(set(self.KINDS) - {"setuptools-scm"}):
            for with_git in (True, False):
                with self.subTest(name=name, with_git=with_git):
                    subprocess.run(["rm", "-rf", *(str(self.folder / each) for each in ("source", "bin", "cache"))], check=True)
                    self.check_tool(name, with_git)


class HandedOver(pipelines.PipelineSuite):
    """pachbuild run copies a source without .git."""

    git = GitSuite.git
    commit = GitSuite.commit

    def test_run(self):
        support.require_tool("uv")
        support.require_tool("git")
        self.data(a="")
        main = "import planted\nopen('/pfs/out/version', 'w').write(planted.VERSION)\n"
        for path, text in {**FILES, "main.py": main}.items():
            self.write(f"source/{path}", text)
        self.git("init", "-q")
        self.commit("v3.0")
        self.spec()
        self.succeed_run()
        self.assertEqual(self.output(), {"version": b"3.0"})
        self.commit("v3.1")
        self.succeed_run()
        self.assertEqual(self.output(), {"version": b"3.1"})


class OnACluster(cluster_suite.ClusterSuite):
    builds = False

    git = GitSuite.git
    commit = GitSuite.commit

    def test_update(self):
        support.require_tool("git")
        for path, text in FILES.items():
            self.write(f"source/{path}", text)
        self.git("init", "-q")
        self.commit("v1.0")
        files = len(FILES)
        lines = self.update()
        self.assertIn(f": source: {files + 1} files sent", lines[0])
        self.assertIn(".pachbuild-revision", self.stored())
        self.assertNotIn(".git/HEAD", self.stored())
        self.assertEqual(self.update()[0], f"{self.pipeline}: source: unchanged ({files + 1} files)")
        self.commit()
        self.assertIn(f": source: 1 file sent (", self.update()[0])
        self.write("source/.pachignore", ".pachbuild-revision\n")
        self.update()
        self.assertNotIn(".pachbuild-revision", self.stored())
        self.write("source/pyproject.toml", "")
        (self.folder / "source/.pachignore").unlink()
        self.update()
        self.assertNotIn(".pachbuild-revision", self.stored())


if __name__ == "__main__":
    support.main()
