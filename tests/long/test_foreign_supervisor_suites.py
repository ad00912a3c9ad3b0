# SPDX-License-Identifier: Apache-2.0
"""tini's and dumb-init's own suites, over worker-shim in their place.

They come from Debian's source packages, are checked by apt and not committed. A wrapper gives the shim the other one's
command line. What is left out is what ours has not or does otherwise, each with its reason here and in docs/shim.md.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "suites")]

import support  # noqa: E402  (found by the line above)

RELEASE = ROOT / "build" / "release" / "bin" / "worker-shim"
SOURCES = "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {} bookworm main\n"
MIRROR = "http://deb.debian.org/debian"

# Options of tini 0.19: -e CODE, -g, -p SIGNAL, -s, -v…, -w. It has no group by default.
TINI = """#!/bin/sh
group=--single-process
[ -z "${TINI_KILL_PROCESS_GROUP+set}" ] || group=
options=
while getopts e:gp:svw option; do
  case $option in
    e) options="$options --remap-exit $OPTARG:0" ;;
    g) group= ;;
    p) options="$options --parent-death-signal $OPTARG" ;;
    s | v) ;;
    *) echo "no option of ours: $option" >&2; exit 64 ;;
  esac
done
shift $((OPTIND - 1))
exec "$WORKER_SHIM" --supervise --grace 1m $group $options --build / --exec -- "$@"
"""

# Options of dumb-init 1.2.5: -c, -v.
DUMB_INIT = """#!/bin/sh
group=
[ "${DUMB_INIT_SETSID-1}" != 0 ] || group=--single-process
while :; do
  case $1 in
    -c | --single-child) group=--single-process; shift ;;
    -v) shift ;;
    --) shift; break ;;
    -*) echo "no option of ours: $1" >&2; exit 64 ;;
    *) break ;;
  esac
done
exec "$WORKER_SHIM" --supervise --grace 1m $group --build / --exec -- "$@"
"""

# Modules that tini's suite wants; what it uses of them is little, and their packages have to be compiled.
MODULES = {
    "prctl.py": "import ctypes\ndef set_child_subreaper(value):\n    ctypes.CDLL(None).prctl(36, value, 0, 0, 0)\n",
    "bitmap.py": ("class BitMap(str):\n    fromstring = classmethod(lambda cls, text: cls(text))\n"
                  "    def nonzero(self):\n        return [i for i, c in enumerate(reversed(self)) if c == '1']\n"),
}

DIFFERENT = {
    "cli_test.py": "its own command line",
    "child_processes_test.py::test_fails_nonzero_with_bad_exec": "its own words; ours: 127 with the reason",
    "child_processes_test.py::test_no_setsid_doesnt_signal_entire_group": "what a program leaves is ended",
    "child_processes_test.py::test_processes_dont_receive_term_on_exit_if_no_setsid": "what a program leaves is ended",
    "child_processes_test.py::test_all_processes_receive_term_on_exit_if_setsid":
        "it gets SIGTERM, and is no more there for the test to kill",
    "proxies_signals_test.py::test_proxies_signals_with_rewrite": "signals are never changed",
    "proxies_signals_test.py::test_default_rewrites_can_be_overriden_with_setsid_enabled": "signals are never changed",
    "proxies_signals_test.py::test_ignored_signals_are_not_proxied": "signals are never changed",
    "shell_background_test.py": "stop signals are forwarded; the shim stops only when the program did",
    "tty_test.py::test_sighup_sigcont_ignored_if_was_session_leader": "its own words about a session that ours does not make",
}


class Foreign(support.Suite):
    def setUp(self):
        super().setUp()
        self.shim = str(RELEASE if RELEASE.exists() else support.SHIM)
        self.bin = self.folder / "bin"

    def source_of(self, name):
        """A folder with the source of a package; it stays for the next run."""
        apt = support.require_tool("apt-get")
        place = support.shared_cache("foreign-sources")
        if not (found := list(place.glob(f"{name}-*/"))):
            lists = place / "lists" / "partial"
            lists.mkdir(parents=True, exist_ok=True)
            (place / "sources.list").write_text(SOURCES.format(MIRROR), encoding="utf-8")
            options = ["-o", f"Dir::Etc::sourcelist={place}/sources.list", "-o", "Dir::Etc::sourceparts=-",
                       "-o", f"Dir::State::lists={place}/lists", "-o", "Dir::Cache::srcpkgcache=",
                       "-o", "Dir::Cache::pkgcache=", "-o", f"APT::Sandbox::User={os.environ.get('USER', 'root')}"]
            for words in (["update"], ["source", "--download-only", "--tar-only", name]):
                result = self.run_program(apt, *options, *words, cwd=place)
                support.require(result.returncode == 0, f"Debian's source package of {name} cannot be had: {result.stderr}")
            archive = next(place.glob(f"{name}_*.orig.tar.*"))
            self.succeed("tar", "-xf", archive, cwd=place)
            found = list(place.glob(f"{name}-*/"))
        return found[0]

    def python_with(self, *packages):
        """A folder of modules for the suites."""
        support.require_network()
        place = support.shared_cache("foreign-modules")
        if not (place / "psutil").exists():
            self.succeed(support.require_tool("uv"), "pip", "install", "--python", sys.executable, "--target", place, *packages)
        return place

    def wrapper(self, name, text):
        self.write(f"bin/{name}", text, 0o755)
        return {"WORKER_SHIM": self.shim, "PATH": f"{self.bin}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}

    def test_tini(self):
        source = self.source_of("tini")
        modules = self.python_with("psutil", "pytest", "py")
        for name, text in MODULES.items():
            self.write(f"modules/{name}", text)
        self.succeed("cc", "-o", self.folder / "bin-sigconf", source / "test/sigconf/sigconf-test.c")
        variables = self.wrapper("tini", TINI)
        # Its scripts start by that name, which Debian does not have.
        self.write("bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n', 0o755)
        (self.folder / "bin-sigconf").rename(self.bin / "sigconf-test")
        script = (source / "test" / "run_inner_tests.py").read_text(encoding="utf-8")
        # Ours does not tell of each process that it reaps (-w), and is a subreaper always.
        for first, end in (('        if not args_disabled:\n            print(\n                "Running reaping display test',
                            "        # Run the signals test"),
                           ("    # Run failing test.", "    # Test that the signals are properly")):
            self.assertIn(first, script)
            before, _, rest = script.partition(first)
            script = before + rest[rest.index(end):]
        runner = self.write("run_inner_tests.py", script)
        result = self.run_program(sys.executable, runner, env=support.environment(
            SOURCE_DIR=str(source), BUILD_DIR=str(self.bin), FORCE_SUBREAPER="1",
            PYTHONPATH=f"{self.folder}/modules:{modules}", **variables), timeout=600)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("All done, tests as expected", result.stdout)
        self.assertEqual(result.stdout.count("running signal test for"), 9)

    def test_dumb_init(self):
        source = self.source_of("dumb-init")
        modules = self.python_with("psutil", "pytest", "py")
        left_out = [word for name in DIFFERENT for word in ("--deselect", f"tests/{name}")]
        result = self.run_program(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", *left_out, cwd=source,
                                  env=support.environment(PYTHONPATH=str(modules), PYTHONDONTWRITEBYTECODE="1",
                                                          **self.wrapper("dumb-init", DUMB_INIT)), timeout=600)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"\n\d\d passed, \d+ deselected")


if __name__ == "__main__":
    support.main()
