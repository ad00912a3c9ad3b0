# SPDX-License-Identifier: Apache-2.0
"""worker-shim where a container engine refuses system calls: it works, does it another way, or says so in one line."""

import ctypes
import errno
import os
import platform
import signal
import struct
import subprocess
import sys

import support
from test_shim_environment import Bundle

sys.path.insert(0, str(support.ROOT / "tests"))

from supervisor import conformance  # noqa: E402  (found by the line above)

# What the shim uses (strace), by the numbers of x86-64; without those that no program can do without.
CALLS = {"access": 21, "chdir": 80, "clone3": 435, "close_range": 436, "faccessat": 269, "faccessat2": 439,
         "fchmod": 91, "fcntl": 72, "flock": 73, "fstatfs": 138, "getdents64": 217, "getpgid": 121, "getrandom": 318,
         "ioctl": 16, "kill": 62, "link": 86, "linkat": 265, "lseek": 8, "mkdir": 83, "mkdirat": 258,
         "pipe2": 293, "prctl": 157, "prlimit64": 302, "readlink": 89, "readlinkat": 267, "rename": 82, "renameat2": 316,
         "rmdir": 84, "rt_sigaction": 13, "rt_sigpending": 127, "rt_sigprocmask": 14, "rt_sigtimedwait": 128,
         "sendfile": 40, "setpgid": 109, "statfs": 137, "statx": 332, "umask": 95, "unlink": 87, "unlinkat": 263,
         "utimensat": 280, "vfork": 58, "wait4": 61, "waitid": 247}


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def deny(number, error):
    """Has this process and all that it becomes fail at a system call."""
    load, jump_if, give = 0x20, 0x15, 0x06
    code = b"".join(struct.pack("HBBI", *step) for step in (
        (load, 0, 0, 0),                          # its number
        (jump_if, 0, 1, number),
        (give, 0, 0, 0x0005_0000 | error),        # SECCOMP_RET_ERRNO
        (give, 0, 0, 0x7fff_0000)))               # SECCOMP_RET_ALLOW
    buffer = ctypes.create_string_buffer(code, len(code))
    program = Filter(4, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    set_no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    if libc.prctl(set_no_new_privileges, 1, 0, 0, 0) != 0 or libc.prctl(set_seccomp, mode_filter, ctypes.byref(program),
                                                                        0, 0) != 0:
        os._exit(99)


# The sanitizers need system calls of their own: instead of a program with them, the release is tested, which scripts/demo
# makes.
RELEASE = support.ROOT / "build/release/bin/worker-shim"
SHIM = str(RELEASE) if conformance.is_sanitized(support.SHIM) and RELEASE.exists() else support.SHIM


class Denied(support.Suite):
    def setUp(self):
        super().setUp()
        support.require(platform.machine() == "x86_64", "the system calls' numbers are those of x86-64")
        if conformance.is_sanitized(SHIM):
            self.skipTest("the sanitizers need system calls of their own, and there is no release in build/release")
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.sleepers():
            os.kill(int(process), signal.SIGKILL)

    sleepers = conformance.Watched.sleepers

    def run_without(self, call, error, command, **variables):
        result = subprocess.run(command, env=support.environment(CONFORMANCE=str(self.folder), **variables), text=True,
                                preexec_fn=lambda: deny(CALLS[call], error), close_fds=False, timeout=60, check=False,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        support.require(result.returncode != 99, "this system has no seccomp filters")
        return result

    def cases(self):
        for call in CALLS:
            for error in (errno.EPERM, errno.ENOSYS):
                yield call, error, f"{call}: {errno.errorcode[error]}"

    def check_told(self, result, name, code=125):
        """It failed, in one error that a person can read."""
        self.assertEqual(result.returncode, code, f"{name}: {result}")
        self.assertRegex(result.stderr, r"\Aerror: [^\n]+\n(hint: [^\n]+\n)?\Z", name)

    def test_an_environment_is_unpacked_and_used_or_the_reason_is_told(self):
        bundle = Bundle(files=5)
        build = self.folder / "build"
        build.mkdir()
        (build / bundle.name).write_bytes(bundle.bytes)
        told = set()
        for call, error, name in self.cases():
            cache = self.folder / "cache" / name.replace(": ", "-")
            print_variable = ["/usr/bin/printenv", "PACHBUILD_ENV"]
            if self.run_without(call, error, print_variable, PACHBUILD_ENV="alone").returncode != 0:
                continue  # the program itself cannot do without
            command = [SHIM, "--build", str(build), "--exec", "--", *print_variable]
            for start in ("first", "second"):
                result = self.run_without(call, error, command, PACHBUILD_CACHE_DIR=str(cache))
                if result.returncode == 0:
                    self.assertEqual((result.stdout, result.stderr), (f"{cache}/env/{bundle.digest}\n", ""),
                                     f"{name}, {start} start")
                    found = {str(path.relative_to(cache / "env" / bundle.digest)): path.read_bytes()
                             for path in cache.rglob("*") if path.is_file()}
                    self.assertTrue(found == bundle.files, name)
                else:
                    told.add(call)
                    self.check_told(result, f"{name}, {start} start")
        # What it cannot do without; for all else there is another way.
        self.assertEqual(told, {"access", "flock", "getdents64", "mkdir", "mkdirat", "rename"})

    def supervise(self, *words):
        return [SHIM, "--supervise", "--build", "/", "--exec", "--", *words]

    def test_what_a_program_leaves_ends_or_the_reason_is_told(self):
        program = ["sh", "-c", "setsid sleep 300 >&- 2>&- & sleep 300 >&- 2>&- & echo words; exit 7"]
        told = set()
        for call, error, name in self.cases():
            alone = self.run_without(call, error, ["sh", "-c", program[2].replace("sleep 300", "true")])
            result = self.run_without(call, error, self.supervise(*program))
            if result.returncode == 125:
                told.add(call)
                self.check_told(result, name)
                continue
            if (alone.returncode, alone.stderr) != (7, ""):
                continue  # the shell itself cannot do without
            lines = result.stderr.splitlines()
            self.assertEqual((result.stdout, result.returncode), ("words\n", 7), f"{name}: {result}")
            self.assertRegex(result.stderr, r"\A(worker-shim: [^\n]+\n){0,2}\Z", name)
            if lines:
                told.add(call)
                self.end_all()
            self.wait_for_end(name)
        self.assertEqual(told, {"getdents64", "kill", "prctl", "rt_sigaction", "rt_sigprocmask",
                                "rt_sigtimedwait", "setpgid", "wait4"})

    def wait_for_end(self, name):
        conformance.wait_until(lambda: not self.sleepers(), f"{name}: the end of all")

    def test_descriptors_are_closed_without_close_range(self):
        for error in (errno.EPERM, errno.ENOSYS):
            with open(self.folder / "file", "w", encoding="ascii") as file:
                os.set_inheritable(file.fileno(), True)
                process = subprocess.Popen(self.supervise("sh", "-c", "echo ready; exec sleep 300"), close_fds=False,
                                           preexec_fn=lambda e=error: deny(CALLS["close_range"], e),
                                           stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
                self.addCleanup(conformance.Conformance.end, process)
                self.assertEqual(process.stdout.readline(), b"ready\n")
                conformance.wait_until(lambda p=process: os.listdir(f"/proc/{p.pid}/fd") == ["2"], "all others are closed")
                process.terminate()
                self.assertEqual(process.wait(timeout=60), 143)

    def test_signals_are_forwarded_without_vfork(self):
        # A shell would need vfork itself.
        program = ("import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
                   "print('ready', flush=True)\nwhile True: signal.pause()")
        process = subprocess.Popen(self.supervise(sys.executable, "-c", program), close_fds=False,
                                   preexec_fn=lambda: deny(CALLS["vfork"], errno.EPERM),
                                   stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(conformance.Conformance.end, process)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        process.terminate()
        self.assertEqual(process.wait(timeout=60), 3)



if __name__ == "__main__":
    support.main()
