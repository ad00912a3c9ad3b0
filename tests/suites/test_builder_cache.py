# SPDX-License-Identifier: Apache-2.0
"""The cache of builder-runtime: no work twice, nothing half-made, nothing damaged served."""

import os
import shutil
import subprocess
import time

import support
from builder_suite import GO_HELLO, PYTHON_ARGUMENTS, SIX, BuilderSuite, content_of, in_namespaces
from wheels import HOMEMADE

ARTIFACT = ["build.json", "bundle", "run.sh", "worker-shim"]

# The number of the last process that was made in a namespace of their own: 1 is this shell, 2 the builder.
COUNT_PROCESSES = '"$@" || exit 1; read -r last </proc/sys/kernel/ns_last_pid; echo "$last"'


class Cache(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("go")

    def six(self):
        support.require_network()
        return self.source({"requirements.txt": SIX, "main.py": "import six\nprint(six.__version__)\n"})

    def bundle(self, out="out"):
        [path] = (self.folder / out).glob("bundle-*")
        return path

    def assert_artifact(self, source, expected):
        names = sorted("bundle" if path.name.startswith("bundle-") else path.name
                       for path in (self.folder / "out").iterdir())
        self.assertEqual(names, ARTIFACT)
        self.assertEqual(self.run_artifact(source).stdout, expected)

    def test_the_same_again_starts_no_process(self):
        for name, source in (("python", self.six()), ("go", self.source(GO_HELLO, name="hello"))):
            self.build_well(source, out=name)
            before = content_of(self.folder / name)
            result = self.run_program(
                *in_namespaces("--pid", "--fork", "--mount-proc"), "sh", "-c", COUNT_PROCESSES,
                "sh", support.BUILDER, "--source", source, "--out", self.folder / name, "--shim", self.shim,
                # The leak sanitizer would look for leaks from a thread of its own.
                env=self.environment(ASAN_OPTIONS="detect_leaks=0"))
            self.assertEqual((result.returncode, result.stdout), (0, "2\n"), result.stderr)
            self.assertEqual(content_of(self.folder / name), before)

    def test_a_first_build_does_start_processes(self):
        # Without this the test above could not fail.
        result = self.run_program(
            *in_namespaces("--pid", "--fork", "--mount-proc"), "sh", "-c", COUNT_PROCESSES,
            "sh", support.BUILDER, "--source", self.source(GO_HELLO), "--out", self.folder / "out", "--shim", self.shim,
            env=self.environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(int(result.stdout), 2)

    def test_a_damaged_bundle_is_made_again(self):
        source = self.source(GO_HELLO)
        self.build_well(source)
        whole = content_of(self.folder / "out")
        stored = next(self.cache.glob("go/bundles/*/bundle-*"))
        self.assertTrue(self.bundle().samefile(stored))

        def change_a_byte():
            stored.chmod(0o644)
            with stored.open("r+b") as file:
                file.seek(100)
                byte = file.read(1)
                file.seek(100)
                file.write(bytes([byte[0] ^ 1]))

        damages = {"a changed byte": change_a_byte,
                   "cut short": lambda: os.truncate(stored, 10),
                   "gone": stored.unlink,
                   "record of nonsense": lambda: (stored.parent / "build.json").write_text("{"),
                   "a record of another": lambda: (stored.parent / "build.json").write_text('{"schema": 1}')}
        for name, damage in damages.items():
            with self.subTest(name):
                damage()
                result = self.build_well(source)
                self.assertIn("warning: cache: ", result.stderr)
                self.assertIn("; building it again\n", result.stderr)
                self.assertEqual(content_of(self.folder / "out"), whole)

    def test_a_damaged_base_is_made_again(self):
        support.require_network()
        source = self.source({"requirements.txt": "six==1.16.0\n./homemade\n", "main.py": "", **HOMEMADE,
                              "homemade/homemade.py": ""})
        self.build_well(source)
        whole = content_of(self.folder / "out")
        for name, below in (("as the base of an entry", "base-*"), ("as an entry", "bundle-*")):
            with self.subTest(name):
                shutil.rmtree(self.folder / "out")
                largest = max(self.cache.glob(f"python/bundles/*/{below}"), key=lambda path: path.stat().st_size)
                largest.chmod(0o644)
                os.truncate(largest, 10)
                result = self.build_well(source)
                self.assertIn("; building it again\n", result.stderr)
                self.assertEqual(content_of(self.folder / "out"), whole)

    def test_a_moved_cache_is_still_good(self):
        source = self.source(GO_HELLO)
        self.build_well(source)
        subprocess.run(["cp", "-r", str(self.cache), str(self.folder / "moved")], check=True)
        self.cache = self.folder / "moved"
        result = self.build_well(source)
        self.assertIn("compile: nothing to do, the bundle is in the cache", result.stderr)

    def test_the_fresh_environment_is_what_unpacking_gives(self):
        source = self.six()
        self.build_well(source)
        [made] = (self.cache / "env").iterdir()
        self.cache = self.folder / "another"
        self.assertEqual(self.run_artifact(source).stdout, "1.16.0\n")
        [unpacked] = (self.cache / "env").iterdir()
        self.assertEqual(made.name, unpacked.name)

        def listing(folder):
            return [(str(path.relative_to(folder)), oct(path.lstat().st_mode),
                     os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes())
                    for path in sorted(folder.rglob("*"))]

        self.assertEqual(listing(made), listing(unpacked))

    def test_what_an_earlier_build_left_is_replaced(self):
        source = self.source(PYTHON_ARGUMENTS)
        self.build_well(source)
        source = self.source(GO_HELLO, name="other")
        self.write("out/.pachbuild-AAAAAA/run.sh", "half-made")
        self.write("out/mine.txt", "kept")
        self.build_well(source)
        self.assertEqual(sorted(path.name.split("-")[0] for path in (self.folder / "out").iterdir()),
                         ["build.json", "bundle", "environment.sh", "mine.txt", "run.sh", "worker"])

    def test_two_at_once_do_the_work_once(self):
        source = self.six()
        command = [support.BUILDER, "--source", source, "--shim", self.shim, "--out"]
        processes = [subprocess.Popen([str(word) for word in [*command, self.folder / f"out{number}"]],
                                      env=self.environment(), stderr=subprocess.PIPE, text=True)
                     for number in range(3)]
        logs = [process.communicate(timeout=300)[1] for process in processes]
        self.assertEqual([process.returncode for process in processes], [0, 0, 0], "\n".join(logs))
        self.assertEqual(sum("compile: installed 1 package" in log for log in logs), 1, "\n".join(logs))
        self.assertEqual(content_of(self.folder / "out0"), content_of(self.folder / "out2"))

    def test_two_into_one_folder_do_not_mix(self):
        results = {}
        for name in ("one", "two"):
            source = self.source({**GO_HELLO, "name.txt": name}, name=name)
            # All of an artifact's files differ: what is mixed shows.
            self.write(f"{name}/main.go", GO_HELLO["main.go"].replace("Printf(", f'Printf("{name}" + '))
            self.build_well(source, out=f"{name}-out")
            results[name] = content_of(self.folder / f"{name}-out")
        self.assertNotEqual(results["one"], results["two"])
        for _ in range(3):
            command = [support.BUILDER, "--out", self.folder / "out", "--shim", self.shim, "--source"]
            processes = [subprocess.Popen([str(word) for word in [*command, self.folder / ("one", "two")[number % 2]]],
                                          env=self.environment(), stderr=subprocess.PIPE, text=True)
                         for number in range(8)]
            logs = [process.communicate(timeout=300)[1] for process in processes]
            self.assertEqual([process.returncode for process in processes], [0] * 8, "\n".join(logs))
            self.assertIn(content_of(self.folder / "out"), results.values())

    def test_a_tool_dies_with_the_builder(self):
        tools = self.folder / "bin"
        self.write("bin/go", "#!/bin/sh\n[ \"$1\" = version ] && exec echo go version go1.21.0 linux/amd64\n"
                             f"echo $$ >{self.folder}/pid\nexec sleep 300\n", mode=0o755)
        source = self.source(GO_HELLO)
        process = subprocess.Popen([support.BUILDER, "--source", str(source), "--out", str(self.folder / "out"),
                                    "--shim", str(self.shim)], stderr=subprocess.DEVNULL,
                                   env=self.environment(PATH=f"{tools}:/usr/bin:/bin"))
        pid = self.wait_for(lambda: (self.folder / "pid").exists() and (self.folder / "pid").read_text().strip())
        process.kill()
        process.wait()
        self.wait_for(lambda: not is_running(int(pid)))

    def test_a_full_disk_is_named(self):
        source = self.source(GO_HELLO)
        self.build_well(source)
        small = self.folder / "small"
        small.mkdir()
        script = 'mount -t tmpfs -o size=200k none "$1" && shift && exec "$@"'
        result = self.run_program(*in_namespaces("--mount"), "sh", "-c", script, "sh", small,
                                  support.BUILDER, "--source", source, "--out", small / "out", "--shim", self.shim,
                                  env=self.environment())
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertRegex(result.stderr, r"error: .*: cannot write: no space left on the disk of .*small.* free\), .* needed\n"
                                        "hint: free some space there, or choose another disk\n$")

    def wait_for(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.01)
        return self.fail("it did not happen in time")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter when it goes between opening and reading
        return False


if __name__ == "__main__":
    support.main()
