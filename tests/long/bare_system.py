# SPDX-License-Identifier: Apache-2.0
"""Systems as they are after an installation, made by debootstrap: each once per checkout, in build/systems; every test has
a copy of its own."""

import contextlib
import fcntl
import functools
import os
import pathlib
import shutil
import subprocess

import support

FOLDER = support.ROOT / "build" / "systems"
SUITES = {"debian-12": "bookworm", "debian-13": "trixie", "ubuntu-24.04": "noble"}

# Enters the folder $1 and runs the rest there. Not by chroot: nobody can make a user namespace in one.
ENTER = """
mount --bind "$1" "$1"
cd "$1"
shift
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
if [ -n "$CERTIFICATES" ]; then
  touch run/certificates.crt
  mount --bind "$CERTIFICATES" run/certificates.crt
fi
if [ -n "$PACKAGES" ]; then
  mkdir run/packages
  mount --bind "$PACKAGES" run/packages
fi
pivot_root . mnt
cd /
umount --lazy /mnt
exec "$@"
"""
# What apt and dpkg write whenever they do anything.
RECORDS = ("var/cache", "var/lib/apt", "var/lib/dpkg", "var/log")


class System:
    """The root of a system in a folder, which this machine's network and authorities reach."""

    def __init__(self, root, packages=""):
        self.root = root
        self.packages = packages
        for name in ("resolv.conf", "hosts"):
            target = root / "etc" / name
            target.unlink(missing_ok=True)
            shutil.copyfile(f"/etc/{name}", target)
        settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout.splitlines()
        wanted = [line for line in settings if line.startswith(("Acquire::http", "Acquire::https", "Acquire::Check"))]
        (root / "etc/apt/apt.conf.d/99machine").write_text("".join(f"{line}\n" for line in wanted), encoding="utf-8")

    def command(self, script, user="root", path=""):
        """The words that run a bash script there."""
        home = "/root" if user == "root" else f"/home/{user}"
        directories = ":".join(filter(None, (path, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")))
        env = [f"HOME={home}", f"USER={user}", f"PATH={directories}", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        if os.environ.get("SSL_CERT_FILE"):
            env += ["SSL_CERT_FILE=/run/certificates.crt", "PIP_CERT=/run/certificates.crt"]
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return ["unshare", "--mount", "--propagation=private", "--pid", "--ipc", "--fork", "--kill-child",
                "sh", "-euc", ENTER, "sh", self.root, *become, "env", "-i", *env, "bash", "-euc", script]

    def environment(self):
        return support.environment(CERTIFICATES=os.environ.get("SSL_CERT_FILE", ""), PACKAGES=str(self.packages))

    def files(self):
        """Everything that is there, with what tells that a file has changed."""
        left_out = [word for name in RECORDS for word in ("-path", self.root / name, "-prune", "-o")]
        found = subprocess.run(["find", self.root, "-xdev", *left_out, "-type", "d", "-printf", "%P/\\0", "-o",
                                "-printf", "%P %y %m %s %T@\\0"], capture_output=True, text=True, check=True)
        return set(found.stdout.split("\0")) - {""}


def prepare(words, **options):
    """A step of making a system. What cannot be had here is the reason why its tests are skipped."""
    made = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=1800, **options)
    if made.returncode != 0:
        lines = (made.stdout + made.stderr).strip().splitlines()
        raise OSError(lines[-1] if lines else f"exit code {made.returncode}")


def make_debian(suite, root):
    prepare(["debootstrap", "--variant=minbase", suite, root])


def make_ubuntu(suite, root):
    """By Debian 13, which knows Ubuntu and has its keys, signed by Debian's."""
    helper = root.with_name(f"{root.name}.debian")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, helper, ignore_errors=True)
        system = unpack("debian-13", helper)
        prepare(system.command("apt-get update && apt-get install -y --no-install-recommends debootstrap ubuntu-keyring && "
                               f"debootstrap --variant=minbase --components=main,universe {suite} /made"),
                env=system.environment())
        (helper / "made").rename(root)


@contextlib.contextmanager
def lock(name):
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / f".{name}.lock", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@functools.cache
def archive(name):
    """The system as a tar archive, or the reason why there is none."""
    target = FOLDER / f"{name}.tar"
    with lock(name):
        if target.exists():
            return target, ""
        root = FOLDER / f"{name}.part"
        shutil.rmtree(root, ignore_errors=True)
        try:
            (make_ubuntu if name.startswith("ubuntu") else make_debian)(SUITES[name], root)
            prepare(["tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "-cf", f"{target}.part", "."])
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"debootstrap cannot make {name} here: {error}"
        finally:
            shutil.rmtree(root, ignore_errors=True)
        pathlib.Path(f"{target}.part").rename(target)
    return target, ""


def unpack(name, root, packages=""):
    file, reason = archive(name)
    if not file:
        raise OSError(reason)
    root.mkdir(parents=True)
    prepare(["tar", "-C", root, "-xf", file])
    return System(root, packages)


class SystemSuite(support.Suite):
    """A test in a copy of the system `name`; those who inherit say which."""

    name = ""
    packages = ""

    def setUp(self):
        super().setUp()
        support.require(os.geteuid() == 0, "only root can enter another system")
        support.require_tool("debootstrap")
        _, reason = archive(self.name)
        support.require(not reason, reason)
        self.system = unpack(self.name, self.folder / "root", self.packages)

    def inside(self, script, timeout=900, **options):
        """What a bash script prints there."""
        return self.succeed(*self.system.command(script, **options), env=self.system.environment(), timeout=timeout).stdout
