# SPDX-License-Identifier: Apache-2.0
"""A disk that is full at any moment of a build: the error names it, nothing half-made stays, and the next build, with
room again, succeeds."""

import os

import support
from builder_suite import GO_HELLO, BuilderSuite, content_of, in_namespaces, without_times
from wheels import wheel

KIB = 1024

# A disk of this size; a first build, what it left, room, and a second build.
SCRIPT = """
disk=$1 size=$2
shift 2
mount -t tmpfs -o size="$size" none "$disk"
"$@"
echo "code $?"
[ ! -e "$disk/out/run.sh" ] || echo "a run.sh"
for entry in "$disk"/cache/*/bundles/*; do
  [ ! -d "$entry" ] || echo "entry of $(ls "$entry" | wc -l)"
done
mount -o remount,size=64m "$disk"
"$@" || exit 1
[ "$(ls -A "$disk/cache/work" | wc -l)" = 0 ] || echo "remains of a build"
cp -r "$disk/out" "$disk.out"
"""


class FullDisk(BuilderSuite):
    def build_on_small_disk(self, source, size, **env):
        """Gives the code of the first build and the log of both, after the checks that hold for all sizes."""
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        self.succeed("rm", "-rf", f"{disk}.out")
        result = self.run_program(
            *in_namespaces("--mount"), "sh", "-c", SCRIPT, "sh", disk, str(size),
            support.BUILDER, "--source", source, "--out", disk / "out", "--shim", self.shim,
            env=self.environment(PACHBUILD_CACHE_DIR=str(disk / "cache"), **env))
        self.assertEqual(result.returncode, 0, f"size {size}\n{result.stdout}{result.stderr}")
        first, *rest = result.stdout.splitlines()
        code = int(first.split()[1])
        if code == 0:
            self.assertEqual(set(rest), {"a run.sh", "entry of 3"}, f"size {size}\n{result.stderr}")
        else:
            self.assertIn(code, (73, 74), f"size {size}\n{result.stderr}")
            # A whole entry may be there: of a build that failed when it was emitted.
            self.assertLessEqual(set(rest), {"entry of 3"}, f"size {size}\n{result.stderr}")
            self.assertRegex(result.stderr, r"error: .*/disk.*: .*no space left on .*disk.*free.*\n"
                                            r"hint: free some space there, or choose another disk\n", f"size {size}")
        return code, result.stderr

    def check(self, source, sizes, **env):
        """Builds on disks of these sizes, of which the first is too small. Gives the last steps that were reached."""
        self.build_well(source)
        expected = content_of(self.folder / "out")
        steps = []
        for size in sizes:
            code, log = self.build_on_small_disk(source, size, **env)
            self.assertEqual(content_of(self.folder / "disk.out"), expected, f"size {size}")
            if code != 0:
                lines = without_times(log.split("error: /")[0]).splitlines()
                steps.append([line for line in lines if line.startswith(("detect", "resolve", "compile"))][-1])
        self.assertNotEqual(steps, [])
        return [step.split(",")[0] for step in steps]

    def test_python(self):
        support.require_tool("uv")
        modules = {f"one/module{number}.py": "def f(x):\n    return [x]\n" * 100 for number in range(10)}
        self.write("source/one-1.0-py3-none-any.whl", wheel("one", {**modules, "one/random": os.urandom(1 << 20)}))
        self.write("source/requirements.txt", "./one-1.0-py3-none-any.whl\n")
        self.write("source/main.py", "import one.module1\n")
        sizes = range(4 * KIB, 8 << 20, 64 * KIB) if support.LONG else [4 * KIB, 1700 * KIB, 3500 * KIB, 4000 * KIB]
        steps = self.check(self.folder / "source", sizes, UV_CACHE_DIR=str(self.folder / "disk/uv"))
        # At least before uv was started, in uv, and after it.
        self.assertGreaterEqual(len(set(steps)), 3, steps)

    @support.long_test
    def test_go(self):
        support.require_tool("go")
        self.check(self.source(GO_HELLO), range(16 * KIB, 8 << 20, 256 * KIB), GOTMPDIR=str(self.folder / "disk"))


if __name__ == "__main__":
    support.main()
