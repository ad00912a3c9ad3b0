# SPDX-License-Identifier: Apache-2.0
"""What the suites of builder-runtime share: sources to build, builds, and a room in which /pfs is what a worker
makes of it."""

import hashlib
import os
import pathlib
import re
import subprocess

import support

SIX = "six==1.16.0\n"

GO_HELLO = {
    "go.mod": "module example.com/hello\n\ngo 1.21\n",
    "main.go": 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() { fmt.Printf("%q\\n", os.Args[1:]) }\n',
}
PYTHON_ARGUMENTS = {"main.py": "import sys\nprint(sys.argv[1:])\n"}

# A root folder like this machine's, but with /pfs in it; in a mount namespace that goes with its last process.
ROOM = """
room=$1 source=$2 build=$3 out=$4
shift 4
mount -t tmpfs none "$room"
for entry in /*; do
  if [ -h "$entry" ]; then
    cp -P "$entry" "$room$entry"
  elif [ -d "$entry" ] && [ "$entry" != /pfs ]; then
    mkdir "$room$entry"
    mount --rbind "$entry" "$room$entry"
  fi
done
mkdir "$room/pfs"
ln -s "$source" "$room/pfs/source"
[ -z "$build" ] || ln -s "$build" "$room/pfs/build"
ln -s "$out" "$room/pfs/out"
exec chroot "$room" "$@"
"""


def content_of(folder):
    """Names and digests of all files, to compare folders by."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()}


def without_times(log):
    return re.sub(r" \([^()]*\d (ms|s|min \d+ s)\)", "", log)


def in_namespaces(*kinds):
    """The beginning of a command that runs in new namespaces ("--mount", "--net", …), with the rights of root there.
    Root needs no user namespace for it, which a chroot does not allow."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    probe = subprocess.run(["unshare", *user, *kinds, "true"], capture_output=True, check=False)
    support.require(probe.returncode == 0, "namespaces are not allowed here")
    return ["unshare", *user, *kinds]


class BuilderSuite(support.Suite):
    """A test with a cache of its own; downloads and compiled packages are shared between tests."""

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.shim = pathlib.Path(support.SHIM)

    def environment(self, **changes):
        shared = {"UV_CACHE_DIR": str(support.shared_cache("uv")),
                  "GOCACHE": str(support.shared_cache("go-build")),
                  "GOMODCACHE": str(support.shared_cache("go-mod")),
                  "PACHBUILD_CACHE_DIR": str(self.cache)}
        return support.environment(**{**shared, **changes})

    def source(self, files, name="source"):
        for path, content in files.items():
            self.write(f"{name}/{path}", content)
        return self.folder / name

    def build(self, source, *arguments, out="out", env=None, **options):
        return self.run_program(support.BUILDER, "--source", source, "--out", self.folder / out, "--shim", self.shim,
                                *arguments, env=env or self.environment(), **options)

    def build_well(self, source, *arguments, **options):
        result = self.build(source, *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def assert_fails(self, result, code, ending):
        """The last lines of what it said, verbatim."""
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertTrue(result.stderr.endswith(ending), f"{result.stderr}\nshould end with\n{ending}")

    def in_room(self, source, *command, build=None, out=None, env=None, **options):
        """Runs a command where /pfs has this source, build and out, as links to folders elsewhere."""
        room = self.folder / "room"
        room.mkdir(exist_ok=True)
        out = out or self.folder / "datum-out"
        out.mkdir(exist_ok=True)
        return self.run_program(*in_namespaces("--mount"), "sh", "-e", "-c", ROOM, "room",
                                room, source, build or "", out, *command, env=env or self.environment(), **options)

    def run_artifact(self, source, *arguments, build="out", **options):
        """sh /pfs/build/run.sh ARGUMENTS, as a datum does."""
        return self.in_room(source, "sh", "/pfs/build/run.sh", *arguments, build=self.folder / build, **options)
