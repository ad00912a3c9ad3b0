# SPDX-License-Identifier: Apache-2.0
"""The supervisor conformance suite over every build and place of worker-shim, and over tini and dumb-init."""

import functools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "suites"), str(ROOT / "tests")]

import support  # noqa: E402  (found by the line above)
from supervisor import conformance  # noqa: E402

RELEASE = ROOT / "build" / "release" / "bin" / "worker-shim"
ARM64 = ROOT / "build" / "release-arm64" / "bin" / "worker-shim"

# What the others do differently; docs/shim.md says why ours does not.
TINI_LACKS = {"grace", "ends the rest", "closes streams", "closed streams", "stop key", "job control",
              "exec failures",
              # These end tini itself, or are left to it.
              signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGTRAP,
              signal.SIGSYS, signal.SIGTTIN, signal.SIGTTOU}
DUMB_INIT_LACKS = {"grace", "closes streams", "masks", "stop key", "job control", "exec failures",
                   # It sends SIGSTOP for these, and stops itself.
                   signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


class Long(conformance.Conformance, conformance.JobControlConformance):
    exit_codes = tuple(range(256))
    orphans = 10_000

    def setUp(self):
        super().setUp()
        program = self.subject.program
        support.require(os.path.exists(program), f"{program} is not there; scripts/test --long builds and installs it")


class Release(Long, support.Suite):
    subject = conformance.Shim(str(RELEASE))


class ReleaseAsInit(Long, support.Suite):
    subject = conformance.InNamespace(Release.subject)


class Dynamic(Long, support.Suite):
    subject = conformance.Shim(support.SHIM)


class DynamicAsInit(Long, support.Suite):
    subject = conformance.InNamespace(Dynamic.subject)


class Tini(Long, support.Suite):
    subject = conformance.Subject("/usr/bin/tini", "-s", "-g", lacks=TINI_LACKS)


class TiniAsInit(Long, support.Suite):
    subject = conformance.InNamespace(Tini.subject)


class DumbInit(Long, support.Suite):
    subject = conformance.Subject("/usr/bin/dumb-init", lacks=DUMB_INIT_LACKS | {"ends the rest", "subreaper"})


class DumbInitAsPid1(conformance.InNamespace):
    def settle_stopped(self, supervisor):
        """After the program it stops itself, which as PID 1 does nothing but take away a SIGCONT that it was sent."""
        conformance.wait_until(lambda: conformance.state_of(supervisor) == "S", "dumb-init waits again")


class DumbInitAsInit(Long, support.Suite):
    subject = DumbInitAsPid1(conformance.Subject("/usr/bin/dumb-init", lacks=DUMB_INIT_LACKS | {"terminal"}))


class Arm64(Long, support.Suite):
    """In qemu's emulation of a process; the programs that it starts are this machine's own. The emulation (7.2) knows
    no PR_SET_CHILD_SUBREAPER, gives real-time signals other numbers and ignores SIGPIPE itself."""

    deaths = tuple(number for number in conformance.Conformance.deaths if number < signal.SIGRTMIN)

    class Emulated(conformance.Shim):
        def command(self, *words, options=(), before=()):
            return super().command(*words, options=options, before=(*before, "/usr/bin/qemu-aarch64-static"))

        def settle(self, supervisor):
            # The emulation takes a signal that comes while nobody waits, and gives it to no later rt_sigtimedwait (128).
            path = pathlib.Path(f"/proc/{supervisor}/syscall")
            conformance.wait_until(lambda: path.read_text(encoding="ascii").startswith("128 "), "the supervisor waits")

    subject = Emulated(str(ARM64), lacks={"subreaper", "ends the rest", "grace", "masks",
                                          *range(signal.SIGRTMIN, signal.SIGRTMAX)})


@functools.cache
def container_engine():
    """The words that run a container here, up to its root; nothing where none of these works."""
    if not shutil.which("podman"):
        return ""
    mounts = "-v /usr:/usr:ro -v /tmp:/tmp " + f"-v {ROOT}:{ROOT}"
    limits = "--ulimit nofile=1024:1024 --ulimit nproc=4096:4096"
    with tempfile.TemporaryDirectory() as folder:
        root = make_root(pathlib.Path(folder) / "root")
        for runtime in ("", "--runtime runc"):
            words = f"podman --cgroup-manager=cgroupfs run --rm --network none {runtime} {limits} {mounts}"
            trial = subprocess.run([*words.split(), "--rootfs", root, "true"], capture_output=True, check=False)
            if trial.returncode == 0:
                return words
    return ""


def make_root(folder):
    """An empty root whose programs are those of a /usr that is mounted into it."""
    for name in ("usr", "proc", "dev", "sys", "tmp", "etc", "run"):
        (folder / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (folder / name).symlink_to(f"usr/{name}")
    return folder


class InContainer(Long, support.Suite):
    exit_codes = (0, 1, 125, 143, 255)
    deaths = (9, 11, 15, 64)

    def setUp(self):
        super().setUp()
        support.require(container_engine(), "podman runs no container here")
        make_root(self.folder / "root")
        self.subject = conformance.InContainer(container_engine(), self.folder, Release.subject)

    subject = Release.subject


if __name__ == "__main__":
    support.main()
