# SPDX-License-Identifier: Apache-2.0
"""worker-shim unpacks the artifact's environment once, whoever else tries, dies or stands in the way."""

import contextlib
import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time

import support

TRUST_HINT = ("hint: set PACHBUILD_CACHE_DIR to a folder that only this user and root can change, like all folders above "
              "it (chmod go-w; chmod +t where others must be able to write)\n")
UNPACKED_DIGEST = 'find "$PACHBUILD_ENV" -type f | sort | xargs cat | sha256sum'


def content_of(index, size):
    """Bytes that do not compress and are the same for every run."""
    return random.Random(index).randbytes(size)


def make_tar(files, executable=("bin/tool",)):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if name in executable else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def compress(tar):
    return subprocess.run([support.require_tool("zstd"), "-q", "-c"], input=tar, capture_output=True, check=True).stdout


def files_in(root):
    """The content of each file by its name."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


class Bundle:
    """An environment with bin/tool, a small library and one large file."""

    def __init__(self, files=100, size=2000, large=2_000_000):
        self.files = {f"lib/package{i % 7}/module{i}.py": content_of(i, size) for i in range(files)}
        self.files["lib/large.so"] = content_of("large", large)
        self.replace("bin/tool", b'#!/bin/sh\necho "tool $PACHBUILD_ENV"\n')

    def replace(self, name, content):
        self.files[name] = content
        self.bytes = compress(make_tar(self.files))
        self.digest = hashlib.sha256(self.bytes).hexdigest()
        self.name = f"bundle-{self.digest}.tar.zst"


class Feeder:
    """Feeds a named pipe as the worker does: the bytes travel when somebody opens it."""

    def __init__(self, path, content, stop_at=None):
        os.mkfifo(path)
        self.path, self.content, self.stop_at = path, content, stop_at
        self.opened, self.whole, self.resume = False, False, threading.Event()
        self.reached_stop = threading.Event()
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.thread.start()

    def _feed(self):
        with open(self.path, "wb", buffering=0) as pipe:
            self.opened = True
            with contextlib.suppress(BrokenPipeError):
                first = len(self.content) if self.stop_at is None else self.stop_at
                self._write(pipe, self.content[:first])
                if self.stop_at is not None:
                    self.reached_stop.set()
                    self.resume.wait(60)
                self._write(pipe, self.content[first:])
                self.whole = True

    @staticmethod
    def _write(pipe, content):
        view = memoryview(content)
        while view:
            view = view[pipe.write(view):]

    def end(self):
        """Waits for the end, and tells whether somebody opened the pipe."""
        opened = self.opened
        if not opened:
            # The thread still waits for a reader: it gets one that leaves at once.
            os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
        self.thread.join(60)
        return opened


class EnvironmentSuite(support.Suite):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"

    def build_folder(self, bundle, name="build"):
        folder = self.folder / name
        folder.mkdir()
        (folder / bundle.name).write_bytes(bundle.bytes)
        return folder

    def command(self, build, digest, *command):
        return [support.SHIM, "--build", str(build), "--environment", digest, "--exec", "--", *command]

    def variables(self, **changes):
        return support.environment(**{"PACHBUILD_CACHE_DIR": str(self.cache), **changes})

    def shim(self, build, digest, *command, **changes):
        return self.run_program(*self.command(build, digest, *command), env=self.variables(**changes))

    def check_whole(self, bundle, cache=None):
        """The environment is there with every byte, and nothing else is."""
        environments = (cache or self.cache) / "env"
        self.assertEqual(os.listdir(environments), [bundle.digest])
        root = environments / bundle.digest
        found = files_in(root)
        self.assertEqual(found.keys(), bundle.files.keys())
        self.assertTrue(found == bundle.files)

    def check_refused(self, result, message):
        self.assertEqual((result.stderr, result.stdout, result.returncode), (message, "", 125))
        if (self.cache / "env").exists():
            self.assertEqual(os.listdir(self.cache / "env"), [])


class Laid(EnvironmentSuite):
    """An environment that lies on another one."""

    def setUp(self):
        super().setUp()
        self.below = Bundle()
        self.below.replace("lib/settings.json", b"{}")
        self.top = self.lay({"lib/package0/module0.py": b"of the top", "lib/top.py": b"new"})
        self.build = self.build_folder(self.top)
        self.put(self.below)

    def lay(self, files, below=None):
        top = Bundle(files=0)
        top.files = {**files, ".base": f"{(below or self.below).digest}\n".encode()}
        top.replace(*next(iter(top.files.items())))
        return top

    def put(self, below):
        (self.build / f"base-{below.digest}.tar.zst").write_bytes(below.bytes)

    def whole(self, top=None):
        whole = Bundle(files=0)
        whole.files = {**self.below.files, **(top or self.top).files}
        whole.digest = (top or self.top).digest
        return whole

    def check_laid(self, top=None):
        environments = self.cache / "env"
        self.assertLessEqual(set(os.listdir(environments)), {self.below.digest, self.top.digest, (top or self.top).digest})
        files = self.whole(top).files
        root = environments / (top or self.top).digest
        found = files_in(root)
        self.assertEqual(found.keys(), files.keys())
        self.assertTrue(found == files)

    def test_it_has_the_files_of_both_and_its_own_count(self):
        result = self.shim(self.build, self.top.digest, "tool")
        self.assertEqual((result.stdout, result.stderr), (f"tool {self.cache}/env/{self.top.digest}\n", ""))
        self.check_laid()

    def test_without_a_digest_the_one_that_is_no_base_is_found(self):
        result = self.run_program(support.SHIM, "--build", self.build, "--exec", "tool", env=self.variables())
        self.assertEqual((result.stdout, result.stderr), (f"tool {self.cache}/env/{self.top.digest}\n", ""))

    def test_the_next_one_reads_its_own_bundle_only(self):
        self.assertEqual(self.shim(self.build, self.top.digest, "true").returncode, 0)
        next_top = self.lay({"lib/top.py": b"newer"})
        (self.build / next_top.name).write_bytes(next_top.bytes)
        (self.build / f"base-{self.below.digest}.tar.zst").unlink()
        feeder = Feeder(self.build / f"base-{self.below.digest}.tar.zst", self.below.bytes)
        self.assertEqual(self.shim(self.build, next_top.digest, "true").returncode, 0)
        self.check_laid(next_top)
        self.assertFalse(feeder.end(), "the base was read again")

    def test_code_has_two_names_and_other_files_are_copies(self):
        self.shim(self.build, self.top.digest, "true")
        environments = self.cache / "env"
        for name, shared in (("lib/package1/module1.py", True), ("lib/large.so", True), ("lib/settings.json", False),
                             ("bin/tool", False), ("lib/package0/module0.py", False)):
            both = [(environments / bundle.digest / name).stat() for bundle in (self.top, self.below)]
            self.assertEqual(both[0].st_ino == both[1].st_ino, shared, name)
        self.assertEqual((environments / self.top.digest / "bin/tool").stat().st_mode & 0o777, 0o755)

    def test_what_a_program_wrote_does_not_come_into_the_next_one(self):
        self.shim(self.build, self.top.digest, "sh", "-c", 'cd "$PACHBUILD_ENV/lib" && echo x >> settings.json && '
                                                           "echo x >> package1/module1.py")
        next_top = self.lay({"lib/top.py": b"newer"})
        (self.build / next_top.name).write_bytes(next_top.bytes)
        result = self.shim(self.build, next_top.digest, "true")
        self.assertEqual(result.stderr, f"worker-shim: environment {self.below.digest[:12]} was changed after it was "
                                        "unpacked: unpacking it again\n")
        self.check_laid(next_top)

    def test_many_at_once(self):
        others = [self.lay({"lib/top.py": bytes([65 + i])}) for i in range(4)]
        for other in others:
            (self.build / other.name).write_bytes(other.bytes)
        processes = [subprocess.Popen(self.command(self.build, top.digest, "true"), env=self.variables(),
                                      stderr=subprocess.PIPE, text=True) for top in others * 3]
        for process in processes:
            self.assertEqual((process.communicate(timeout=60)[1], process.returncode), ("", 0))
        self.assertEqual(sorted(os.listdir(self.cache / "env")),
                         sorted({self.below.digest, *(other.digest for other in others)}))
        for other in others:
            root = self.cache / "env" / other.digest
            self.assertEqual((root / "lib/top.py").read_bytes(), other.files["lib/top.py"])
            self.assertEqual(sum(path.is_file() for path in root.rglob("*")), len(self.whole(other).files))

    def test_a_base_that_is_not_there(self):
        base = self.build / f"base-{self.below.digest}.tar.zst"
        base.unlink()
        self.check_refused(self.shim(self.build, self.top.digest, "true"), (
            f"error: {base}: cannot read: no such file or folder\n"
            "hint: run.sh and its bundle come from one build; build again if one of them was changed\n"))

    def test_a_damaged_base(self):
        base = self.build / f"base-{self.below.digest}.tar.zst"
        base.write_bytes(self.below.bytes[:-1] + b"x")
        result = self.shim(self.build, self.top.digest, "true")
        self.assertEqual(result.returncode, 125)
        self.assertIn(f"error: {base}: ", result.stderr)
        self.assertEqual(os.listdir(self.cache / "env"), [])

    def test_a_base_by_no_digest(self):
        for text in (b"", b"x\n", b"0" * 64, b"../" * 20 + b"etc\n"):
            top = Bundle(files=0)
            top.replace(".base", text)
            (self.build / top.name).write_bytes(top.bytes)
            result = self.shim(self.build, top.digest, "true")
            self.assertEqual(result.returncode, 125)
            self.assertEqual(result.stderr, f"error: {self.cache}/env/.tmp-{top.digest}/.base: is not the digest of a bundle\n")
            self.assertEqual(os.listdir(self.cache / "env"), [])

    def test_nothing_is_laid_outside(self):
        """A link of the top that stands where the base has a folder is not followed."""
        outside = self.folder / "outside"
        outside.mkdir()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            base = tarfile.TarInfo(".base")
            base.size = 65
            tar.addfile(base, io.BytesIO(f"{self.below.digest}\n".encode()))
            link = tarfile.TarInfo("lib")
            link.type, link.linkname = tarfile.SYMTYPE, str(outside)
            tar.addfile(link)
        content = compress(buffer.getvalue())
        digest = hashlib.sha256(content).hexdigest()
        (self.build / f"bundle-{digest}.tar.zst").write_bytes(content)
        result = self.shim(self.build, digest, "true")
        self.assertEqual((result.stderr, result.returncode), (
            f"error: {self.cache}/env/{self.below.digest}/lib: is a folder here, but not in the environment stacked on it\n",
            125))
        self.assertEqual(os.listdir(outside), [])
        self.assertEqual(os.listdir(self.cache / "env"), [self.below.digest])

    def test_a_base_on_another_disk(self):
        """Its files cannot have a second name on another disk: they are copied."""
        if os.getuid() != 0:
            self.skipTest("only root can mount")
        other = self.folder / "other"
        other.mkdir()
        (self.build / self.below.name).write_bytes(self.below.bytes)
        self.assertEqual(self.shim(self.build, self.below.digest, "true", PACHBUILD_CACHE_DIR=str(other)).returncode, 0)
        (self.build / self.below.name).unlink()
        (self.cache / "env" / self.below.digest).mkdir(parents=True)
        script = ('mount --bind "$1" "$2" && shift 2 && "$@" && rm -rf "$PACHBUILD_CACHE_DIR/copy" && '
                  'cp -a "$PACHBUILD_CACHE_DIR/env/$TOP" "$PACHBUILD_CACHE_DIR/copy"')
        result = self.run_program("unshare", "--mount", "sh", "-c", script, "sh", other / "env" / self.below.digest,
                                  self.cache / "env" / self.below.digest, *self.command(self.build, self.top.digest, "true"),
                                  env=self.variables(TOP=self.top.digest))
        self.assertEqual((result.stderr, result.returncode), ("", 0))
        root = self.cache / "copy"
        found = files_in(root)
        self.assertTrue(found == self.whole().files)


class Environment(EnvironmentSuite):
    def test_its_programs_come_first_and_its_folder_is_named(self):
        bundle = Bundle()
        build = self.build_folder(bundle)
        environment = self.cache / "env" / bundle.digest
        result = self.shim(build, bundle.digest, "tool")
        self.assertEqual((result.stdout, result.stderr), (f"tool {environment}\n", ""))
        self.check_whole(bundle)
        result = self.shim(build, bundle.digest, "sh", "-c", 'echo "$PATH"', PATH="/usr/bin:/bin")
        self.assertEqual(result.stdout, f"{environment}/bin:/usr/bin:/bin\n")

    def test_names_that_the_environment_has_twice(self):
        """A shell takes the last of them, the C library changes the first."""
        bundle = Bundle(files=3)
        build = self.build_folder(bundle)
        script = ("import ctypes, sys; words = sys.argv[1:]; libc = ctypes.CDLL(None)\n"
                  "def strings(values): return (ctypes.c_char_p * (len(values) + 1))(*[v.encode() for v in values], None)\n"
                  "libc.execve(words[0].encode(), strings(words), strings(["
                  "'PATH=/usr/bin:/bin', 'PACHBUILD_ENV=/one', 'PATH=/usr/bin:/bin', 'PACHBUILD_ENV=/two', "
                  f"'PACHBUILD_CACHE_DIR={self.cache}']))")
        for command in (["tool"], ["sh", "-c", "tool"], ["sh", "-c", "env | grep -c ^PATH="]):
            result = self.run_program(sys.executable, "-c", script, *self.command(build, bundle.digest, *command))
            expected = "1\n" if "env" in command[-1] else f"tool {self.cache}/env/{bundle.digest}\n"
            self.assertEqual((result.stdout, result.stderr), (expected, ""), command)
        path = "/usr/bin:/usr/bin:/bin:/bin"
        self.assertEqual(self.shim(build, bundle.digest, "tool", PATH=path).stdout,
                         f"tool {self.cache}/env/{bundle.digest}\n")

    def test_the_one_bundle_of_the_build_is_found(self):
        bundle = Bundle(files=3)
        build = self.build_folder(bundle)
        (build / "bundle-other.tar.zst").write_bytes(b"its name has no digest")
        command = [support.SHIM, "--build", build, "--exec", "--", "tool"]
        self.assertEqual(self.succeed(*command, env=self.variables()).stdout,
                         f"tool {self.cache}/env/{bundle.digest}\n")
        (build / f"bundle-{'0' * 64}.tar.zst").write_bytes(b"")
        result = self.run_program(*command, env=self.variables())
        self.assertEqual(result.stderr, f"error: {build}: has more than one bundle\n"
                         "hint: choose one with --environment DIGEST\n")
        self.assertEqual(result.returncode, 125)

    def test_once_unpacked_the_build_is_not_opened(self):
        bundle = Bundle(files=3)
        build = self.build_folder(bundle)
        self.shim(build, bundle.digest, "true")
        shutil.rmtree(build)
        self.assertEqual(self.shim(build, bundle.digest, "tool").returncode, 0)

    def test_modes_do_not_depend_on_the_umask(self):
        bundle = Bundle(files=3)
        build = self.build_folder(bundle)
        old_umask = os.umask(0o077)
        try:
            result = self.shim(build, bundle.digest, "sh", "-c",
                               'umask; cd "$PACHBUILD_ENV"; stat -c %a . bin/tool lib lib/large.so')
        finally:
            os.umask(old_umask)
        self.assertEqual(result.stdout, "0077\n1755\n755\n755\n644\n", result.stderr)

    def test_a_named_pipe_is_read_once_and_to_its_end(self):
        bundle = Bundle()
        build = self.folder / "build"
        build.mkdir()
        feeder = Feeder(build / bundle.name, bundle.bytes)
        result = self.shim(build, bundle.digest, "tool")
        self.assertTrue(feeder.end())
        self.assertTrue(feeder.whole)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check_whole(bundle)

    def test_a_named_pipe_is_read_to_its_end_even_when_it_is_damaged(self):
        bundle = Bundle(large=5_000_000)
        damaged = b"x" * 1000 + bundle.bytes[1000:]
        build = self.folder / "build"
        build.mkdir()
        feeder = Feeder(build / bundle.name, damaged)
        result = self.shim(build, bundle.digest, "tool")
        self.assertTrue(feeder.end())
        self.assertTrue(feeder.whole, "the shim left before the end of the pipe")
        self.check_refused(result, f"error: {build}/{bundle.name}: is damaged: its SHA-256 is "
                           f"{hashlib.sha256(damaged).hexdigest()}\n"
                           "hint: build it again; if the damage persists, check how it is stored or copied\n")

    def test_every_kind_of_damage_is_noticed(self):
        bundle = Bundle(files=20, large=300_000)
        build = self.build_folder(bundle)
        path = build / bundle.name
        flipped = bytearray(bundle.bytes)
        flipped[len(flipped) // 2] ^= 1
        for content in (b"", bundle.bytes[:-1], bundle.bytes[:5000], bytes(flipped), bundle.bytes + b"\0",
                        compress(make_tar({"bin/tool": b"another"})), b"no bundle at all"):
            path.write_bytes(content)
            result = self.shim(build, bundle.digest, "tool")
            self.check_refused(result, f"error: {path}: is damaged: its SHA-256 is "
                               f"{hashlib.sha256(content).hexdigest()}\n"
                               "hint: build it again; if the damage persists, check how it is stored or copied\n")
        path.write_bytes(bundle.bytes)
        self.assertEqual(self.shim(build, bundle.digest, "tool").returncode, 0, "a good one works afterwards")
        self.check_whole(bundle)

    def test_a_hostile_bundle_with_the_right_digest_writes_nothing_elsewhere(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            link = tarfile.TarInfo("out")
            link.type, link.linkname = tarfile.SYMTYPE, str(self.folder)
            tar.addfile(link)
            entry = tarfile.TarInfo("out/written")
            entry.size = 1
            tar.addfile(entry, io.BytesIO(b"x"))
        content = compress(buffer.getvalue())
        digest = hashlib.sha256(content).hexdigest()
        path = self.write(f"build/bundle-{digest}.tar.zst", content)
        self.check_refused(self.shim(path.parent, digest, "true"), f"error: {path}: entry 'out' appears twice\n")
        self.assertFalse((self.folder / "written").exists())

    def test_a_missing_bundle_is_named(self):
        build = self.folder / "build"
        build.mkdir()
        digest = "0" * 64
        self.check_refused(self.shim(build, digest, "true"),
                           f"error: {build}/bundle-{digest}.tar.zst: cannot read: no such file or folder\n"
                           "hint: run.sh and its bundle come from one build; build again if one of them was changed\n")

    def test_of_many_at_once_one_unpacks_and_none_fails(self):
        bundle = Bundle(files=500)
        feeders, processes = [], []
        for i in range(32):
            build = self.folder / f"build{i}"
            build.mkdir()
            feeders.append(Feeder(build / bundle.name, bundle.bytes))
        for i in range(32):
            processes.append(subprocess.Popen(
                self.command(self.folder / f"build{i}", bundle.digest, "sh", "-c", UNPACKED_DIGEST),
                env=self.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        results = [(*process.communicate(timeout=120), process.returncode) for process in processes]
        opened = [feeder.end() for feeder in feeders]
        self.assertEqual(len(set(results)), 1, results)
        self.assertEqual(results[0][1:], ("", 0))
        self.assertEqual(opened.count(True), 1, "one pipe is opened, the others stay closed")
        self.check_whole(bundle)

    def one_unpacks_and_another_waits(self, content, bundle):
        """A process that reads half of `content` so far, and one with the whole bundle that waits for it."""
        slow = self.folder / "slow"
        slow.mkdir()
        feeder = Feeder(slow / bundle.name, content, stop_at=len(content) // 2)
        first = subprocess.Popen(self.command(slow, bundle.digest, "true"), env=self.variables(),
                                 stderr=subprocess.PIPE, text=True)
        self.assertTrue(feeder.reached_stop.wait(60))
        second = subprocess.Popen(self.command(self.build_folder(bundle), bundle.digest, "tool"),
                                  env=self.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_until_locked(second.pid)
        self.assertEqual(os.listdir(self.cache / "env"), [f".tmp-{bundle.digest}"], "nothing half-made is visible")
        return feeder, first, second

    def check_takes_over(self, process, bundle):
        output, errors = process.communicate(timeout=60)
        self.assertEqual((errors, process.returncode), ("", 0))
        self.assertEqual(output, f"tool {self.cache}/env/{bundle.digest}\n")
        self.check_whole(bundle)

    def test_another_takes_over_from_one_that_is_killed_half_way(self):
        bundle = Bundle(files=500)
        feeder, first, second = self.one_unpacks_and_another_waits(bundle.bytes, bundle)
        first.kill()
        first.communicate(timeout=60)
        feeder.resume.set()
        feeder.end()
        self.check_takes_over(second, bundle)

    def test_another_takes_over_from_one_that_fails(self):
        bundle = Bundle(files=500)
        feeder, first, second = self.one_unpacks_and_another_waits(bundle.bytes[:-1000], bundle)
        feeder.resume.set()
        _, errors = first.communicate(timeout=60)
        self.assertEqual(first.returncode, 125)
        self.assertIn("is damaged", errors)
        feeder.end()
        self.check_takes_over(second, bundle)

    def wait_until_locked(self, pid):
        """Until the process waits for a lock."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with open("/proc/locks", encoding="ascii") as locks:
                if any("->" in line and f" {pid} " in line for line in locks):
                    return
            time.sleep(0.01)
        self.fail(f"process {pid} does not wait for a lock")

    def test_any_may_be_killed_at_any_moment(self):
        bundle = Bundle(files=400)
        build = self.build_folder(bundle)
        seed = random.SystemRandom().randrange(1 << 32)
        generator = random.Random(seed)
        for round_number in range(60 if support.LONG else 6):
            self.cache = self.folder / f"cache{round_number}"
            processes = [subprocess.Popen(self.command(build, bundle.digest, "true"), env=self.variables(),
                                          stderr=subprocess.PIPE, text=True) for _ in range(4)]
            time.sleep(generator.uniform(0, 0.08))
            for process in processes[:3]:
                process.kill()
                time.sleep(generator.uniform(0, 0.02))
            for process in processes[:3]:
                _, errors = process.communicate(timeout=60)
                self.assertIn(process.returncode, (0, -signal.SIGKILL), f"seed {seed}: {errors}")
            _, errors = processes[3].communicate(timeout=60)
            self.assertEqual((errors, processes[3].returncode), ("", 0), f"seed {seed}")
            self.check_whole(bundle)

    def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(self):
        self.cache.mkdir()
        dead = self.write(f"cache/env/.tmp-{'1' * 64}/d/file", "half").parents[1]
        (dead / "d" / "link").symlink_to(self.folder)
        living = self.write(f"cache/env/.tmp-{'2' * 64}/file", "half").parent
        holder = subprocess.Popen(["flock", living, "sh", "-c", "echo; read line"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        holder.stdout.readline()
        bundle = Bundle(files=3)
        self.assertEqual(self.shim(self.build_folder(bundle), bundle.digest, "true").returncode, 0)
        self.assertEqual(sorted(os.listdir(self.cache / "env")), sorted([living.name, bundle.digest]))
        self.assertTrue((living / "file").exists())
        holder.communicate(b"\n", timeout=60)
        self.assertTrue((self.folder / "build").exists(), "links in leftovers are not followed")

    def test_libraries_that_the_image_lacks_are_named(self):
        compiler = support.require_tool("cc")
        (self.folder / "libraries").mkdir()
        library = self.folder / "libraries/libodd.so.1"
        self.succeed(compiler, "-shared", "-x", "c", self.write("odd.c", "int odd(void) { return 7; }\n"), "-o", library,
                     "-Wl,-soname,libodd.so.1")
        self.succeed(compiler, "-x", "c", self.write("tool.c", "int odd(void);\nint main(void) { return odd(); }\n"), "-x",
                     "none", library, "-o", self.folder / "tool")
        bundle = Bundle(files=3)
        bundle.replace("bin/tool", (self.folder / "tool").read_bytes())
        build = self.build_folder(bundle)
        for _ in range(2):  # every datum is told, not only the first
            result = self.shim(build, bundle.digest, "tool")
            self.assertEqual((result.returncode, result.stderr), (
                125, "error: tool: needs libraries that this image lacks: libodd.so.1\nhint: install them in the transform's image, or build in an image with the same libraries; a Go program without cgo needs none (CGO_ENABLED=0)\n"))
        result = self.shim(build, bundle.digest, "tool", LD_LIBRARY_PATH=str(library.parent))
        self.assertEqual((result.returncode, result.stderr), (7, ""))

    def changed_line(self, bundle):
        return f"worker-shim: environment {bundle.digest[:12]} was changed after it was unpacked: unpacking it again\n"

    def test_a_changed_environment_is_unpacked_again(self):
        bundle = Bundle()
        build = self.build_folder(bundle)
        self.shim(build, bundle.digest, "true")
        environment = self.cache / "env" / bundle.digest
        shutil.rmtree(environment / "bin")
        processes = [subprocess.Popen(self.command(build, bundle.digest, "tool"), env=self.variables(),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(8)]
        results = [process.communicate(timeout=60) for process in processes]
        self.assertEqual({output for output, _ in results}, {f"tool {environment}\n"})
        self.assertEqual("".join(errors for _, errors in results), self.changed_line(bundle), "once")
        self.check_whole(bundle)
        (environment / "added").touch()
        result = self.shim(build, bundle.digest, "tool")
        self.assertEqual((result.stdout, result.stderr), (f"tool {environment}\n", self.changed_line(bundle)))
        self.check_whole(bundle)

    def test_a_damaged_environment_without_its_bundle_is_not_used(self):
        bundle = Bundle(files=3)
        build = self.build_folder(bundle)
        self.shim(build, bundle.digest, "true")
        shutil.rmtree(self.cache / "env" / bundle.digest / "lib")
        (build / bundle.name).unlink()
        result = self.shim(build, bundle.digest, "tool")
        self.assertEqual((result.stdout, result.returncode), ("", 125))
        self.assertIn(f"error: {build}/{bundle.name}: cannot read", result.stderr)

    @staticmethod
    def just_booted(*command):
        """The command in a time namespace in which the machine was booted this second."""
        uptime = int(time.clock_gettime(time.CLOCK_BOOTTIME))
        return ["unshare", "--fork", "--time", f"--boottime=-{uptime}", *command]

    def test_what_changed_below_is_noticed_after_a_boot(self):
        bundle = Bundle()
        build = self.build_folder(bundle)
        self.shim(build, bundle.digest, "true")
        (self.cache / "env" / bundle.digest / "lib" / "large.so").write_bytes(b"")
        self.assertEqual(self.shim(build, bundle.digest, "tool").stderr, "", "not yet: an hour may pass")
        probe = subprocess.run(self.just_booted("true"), capture_output=True, check=False)
        support.require(probe.returncode == 0, "time namespaces need root")
        # Only whole seconds are compared: it takes up to two until a boot is later than the unpacking.
        end = time.monotonic() + 60
        while not (result := self.run_program(*self.just_booted(*self.command(build, bundle.digest, "tool")),
                                              env=self.variables())).stderr:
            self.assertLess(time.monotonic(), end, "not noticed")
        self.assertEqual((result.stderr, result.returncode), (self.changed_line(bundle), 0))
        self.check_whole(bundle)

    def test_on_a_terminal_who_waits_for_another_is_told(self):
        bundle = Bundle(files=3)
        slow = self.folder / "slow"
        slow.mkdir()
        feeder = Feeder(slow / bundle.name, bundle.bytes, stop_at=100)
        first = subprocess.Popen(self.command(slow, bundle.digest, "true"), env=self.variables())
        self.assertTrue(feeder.reached_stop.wait(60))
        main, terminal = os.openpty()
        with open(main, "rb", buffering=0) as screen:
            second = subprocess.Popen(self.command(self.build_folder(bundle), bundle.digest, "true"),
                                      env=self.variables(), stderr=terminal)
            os.close(terminal)
            self.assertEqual(screen.read(1000), b"worker-shim: waiting for the process that unpacks environment "
                             + bundle.digest[:12].encode() + b"\r\n")
            feeder.resume.set()
            self.assertEqual((first.wait(timeout=60), second.wait(timeout=60)), (0, 0))
            feeder.end()

    def test_on_a_terminal_a_long_wait_is_explained_once(self):
        bundle = Bundle(files=3)
        build = self.folder / "build"
        build.mkdir()
        feeder = Feeder(build / bundle.name, bundle.bytes, stop_at=100)
        main, terminal = os.openpty()
        with open(main, "rb", buffering=0) as screen:
            process = subprocess.Popen(self.command(build, bundle.digest, "true"), env=self.variables(),
                                       stderr=terminal)
            os.close(terminal)
            self.assertTrue(feeder.reached_stop.wait(60))
            time.sleep(1.1)  # the line is for what takes longer than a second
            feeder.resume.set()
            self.assertEqual(process.wait(timeout=60), 0)
            feeder.end()
            self.assertEqual(screen.read(1000), b"worker-shim: unpacking environment "
                             + bundle.digest[:12].encode() + b", once for this container\r\n")


class Elsewhere(EnvironmentSuite):
    """In a mount namespace of its own, where disks can be small or read-only and /tmp is nobody's."""

    def setUp(self):
        super().setUp()
        probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
        support.require(probe.returncode == 0, "mount namespaces need root")
        # What another user can reach, wherever this checkout is: below /tmp too, which is hidden then.
        self.script = ('set -e; exec 3< "$0"; cd "$1"; mount -t tmpfs tmpfs /tmp; chmod 1777 /tmp; cp -r . /tmp/build\n'
                       'cat <&3 > /tmp/worker-shim; exec 3<&-; chmod 755 /tmp/worker-shim\n')

    def inside(self, bundle, script, **variables):
        build = self.folder / "build"
        if not build.exists():
            self.build_folder(bundle)
        return self.run_program("unshare", "-m", "sh", "-c", self.script + script, support.SHIM, build, bundle.digest,
                                env=support.environment(**variables))

    def test_a_full_disk_is_explained_and_nothing_stays(self):
        bundle = Bundle(files=300, large=3_000_000)
        for options, free in (("size=2m", r"(1\.9|2\.0) MiB and \d+ inodes"),
                              ("nr_inodes=100", r"\S+ [GM]iB and \d\d inodes")):
            with self.subTest(options):
                result = self.inside(bundle, f'''
                    mkdir /tmp/disk; mount -t tmpfs -o {options} tmpfs /tmp/disk
                    code=0; /tmp/worker-shim --build /tmp/build --environment "$2" --exec -- tool || code=$?
                    find /tmp/disk/cache; exit $code''', PACHBUILD_CACHE_DIR="/tmp/disk/cache")
                self.assertRegex(result.stderr, r"\Aerror: /tmp/disk/cache/env: no space left: the environment needs 4\.0 MiB "
                                 rf"and 302 inodes; the disk has {free} free\n"
                                 "hint: free some space there, or set PACHBUILD_CACHE_DIR to a folder on another disk\n\\Z")
                self.assertEqual((result.stdout, result.returncode), ("/tmp/disk/cache\n/tmp/disk/cache/env\n", 125))

    def test_a_read_only_cache_is_used_but_not_written(self):
        bundle = Bundle(files=3)
        result = self.inside(bundle, '''
            mkdir /tmp/disk; mount -t tmpfs tmpfs /tmp/disk
            shim="/tmp/worker-shim --build /tmp/build --environment"
            $shim "$2" --exec -- true; mount -o remount,ro /tmp/disk
            $shim "$2" --exec -- tool; cp "/tmp/build/bundle-$2.tar.zst" "/tmp/build/bundle-$(echo $2 | tr 0-9 a).tar.zst"
            $shim "$(echo $2 | tr 0-9 a)" --exec -- tool''', PACHBUILD_CACHE_DIR="/tmp/disk/cache")
        self.assertEqual(result.stdout, f"tool /tmp/disk/cache/env/{bundle.digest}\n")
        self.assertEqual(result.stderr, "error: /tmp/disk/cache/env: cannot write: the file system is read-only\n")
        self.assertEqual(result.returncode, 125)

    def test_without_a_choice_root_uses_the_images_cache_and_others_their_own(self):
        bundle = Bundle(files=3)
        result = self.inside(bundle, '''
            mkdir -p /var/cache; mount -t tmpfs -o mode=755 tmpfs /var/cache; mkdir /tmp/other; chmod 777 /tmp/other
            shim="/tmp/worker-shim --build /tmp/build --environment $2 --exec -- tool"
            drop="setpriv --reuid=54321 --regid=54321 --clear-groups"
            $drop $shim; stat -c '%a %u' /tmp/pachbuild-54321
            $shim
            $drop $shim; rm -rf /var/cache/pachbuild /tmp/pachbuild-54321
            mkdir -m 777 /tmp/pachbuild-54321; $drop $shim''')
        self.assertEqual(result.stdout, f"tool /tmp/pachbuild-54321/env/{bundle.digest}\n700 54321\n"
                         f"tool /var/cache/pachbuild/env/{bundle.digest}\n"
                         f"tool /var/cache/pachbuild/env/{bundle.digest}\n")
        self.assertEqual(result.stderr, "error: /tmp/pachbuild-54321: cannot be trusted: "
                         "other users can write to it\n" + TRUST_HINT)
        self.assertEqual(result.returncode, 125)

    def test_root_does_not_run_what_another_user_left(self):
        bundle = Bundle(files=3)
        result = self.inside(bundle, '''
            mkdir -p /tmp/disk/cache; chown 54321 /tmp/disk/cache
            /tmp/worker-shim --build /tmp/build --environment "$2" --exec -- tool''',
                             PACHBUILD_CACHE_DIR="/tmp/disk/cache")
        self.assertEqual(result.stderr, "error: /tmp/disk/cache: cannot be trusted: "
                         "belongs to another user (uid 54321)\n" + TRUST_HINT)

    def test_a_folder_above_that_others_can_write_is_refused(self):
        """A stranger could rename the cache, and put another in its place between two datums."""
        bundle = Bundle(files=3)
        result = self.inside(bundle, '''
            mkdir -m 777 /tmp/disk
            shim="/tmp/worker-shim --build /tmp/build --environment $2 --exec -- tool"
            ! $shim; ls /tmp/disk; chmod 1777 /tmp/disk; $shim; chmod 0777 /tmp/disk; exec $shim''',
                             PACHBUILD_CACHE_DIR="/tmp/disk/cache")
        error = "error: /tmp/disk: cannot be trusted: other users can write to it\n" + TRUST_HINT
        self.assertEqual((result.stdout, result.stderr), (f"tool /tmp/disk/cache/env/{bundle.digest}\n", error * 2))
        self.assertEqual(result.returncode, 125)

    def test_what_a_stranger_left_in_a_folder_that_is_ours_now(self):
        bundle = Bundle(files=3)
        for name in (bundle.digest, f".tmp-{bundle.digest}"):
            result = self.inside(bundle, f'''
                rm -rf /tmp/disk; mkdir -p /tmp/disk/env/{name}; chown 54321 /tmp/disk/env/{name}
                /tmp/worker-shim --build /tmp/build --environment "$2" --exec -- tool''', PACHBUILD_CACHE_DIR="/tmp/disk")
            error, hint = result.stderr.splitlines()
            self.assertEqual(error, f"error: /tmp/disk/env/{name}: cannot be trusted: belongs to another user (uid 54321)")
            self.assertEqual(hint + "\n", "hint: remove it\n" if name.startswith(".tmp") else TRUST_HINT)
            self.assertEqual(result.returncode, 125)

    def test_a_group_of_many_users_may_not_write(self):
        bundle = Bundle(files=3)
        result = self.inside(bundle, '''
            mkdir -m 775 /tmp/disk; mkdir -m 775 /tmp/disk/env
            exec /tmp/worker-shim --build /tmp/build --environment "$2" --exec -- tool''', PACHBUILD_CACHE_DIR="/tmp/disk")
        self.assertEqual(result.stderr, "error: /tmp/disk: cannot be trusted: other users can write to it\n" + TRUST_HINT)

    def test_an_image_with_something_half_unpacked(self):
        """overlayfs renames no folder of a lower layer."""
        bundle = Bundle(files=3)
        result = self.inside(bundle, '''
            mkdir /tmp/lower /tmp/upper /tmp/work /tmp/disk; mkdir -p "/tmp/lower/env/.tmp-$2/lib/package1"
            echo old > "/tmp/lower/env/.tmp-$2/lib/old"
            mount -t overlay -o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work overlay /tmp/disk || exit 99
            shim="/tmp/worker-shim --build /tmp/build --environment $2 --exec --"
            $shim tool; $shim tool; ls -A /tmp/disk/env; find /tmp/disk/env -type f | wc -l
            find /tmp/disk -type d -mtime -1 -name "$2"''', PACHBUILD_CACHE_DIR="/tmp/disk")
        support.require(result.returncode != 99, f"overlayfs cannot be mounted here: {result.stderr}")
        self.assertEqual((result.stdout, result.stderr), (
            f"tool /tmp/disk/env/{bundle.digest}\n" * 2 + f"{bundle.digest}\n{len(bundle.files)}\n", ""))

    def test_a_cache_from_which_nothing_can_be_executed(self):
        bundle = Bundle(files=3)
        result = self.inside(bundle, '''
            mkdir /tmp/disk; mount -t tmpfs -o noexec,mode=755 tmpfs /tmp/disk
            shim="/tmp/worker-shim --build /tmp/build --environment $2 --exec --"
            $shim true; $shim tool''', PACHBUILD_CACHE_DIR="/tmp/disk")
        self.assertEqual(result.stderr, (
            "worker-shim: the file system of /tmp/disk/env is mounted noexec: programs and shared libraries of the "
            "environment cannot be used; set PACHBUILD_CACHE_DIR to a folder on another file system\n"
            f"error: /tmp/disk/env/{bundle.digest}/bin/tool: cannot be executed: its file system is mounted noexec\n"
            "hint: set PACHBUILD_CACHE_DIR to a folder on another file system\n"))
        self.assertEqual(result.returncode, 126)


if __name__ == "__main__":
    support.main()
