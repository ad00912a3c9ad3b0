# SPDX-License-Identifier: Apache-2.0
"""Python programs that are forked from an interpreter with their packages imported: as if they were started the plain way."""

import concurrent.futures
import hashlib
import io
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import time

import keepers
import support
from test_shim_environment import EnvironmentSuite, compress

SEED = int(os.environ.get("PACHBUILD_TEST_SEED") or random.randrange(2**32))

LIBRARY = pathlib.PurePath(sysconfig.get_path("stdlib")).name

# Where a process was when it imported the module: not where its program runs, if that was forked.
HEAVY = "import os, random, uuid, logging, multiprocessing\nPID = os.getpid()\n"
MODULES = {
    "heavy": HEAVY,
    "package": "import os\nPID = os.getpid()\nfrom ._name import name\n",
    "package/_name": "name = 'a name'\n",
    "package/part": "VALUE = 'part'\n",
    "threads": "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n",
    "opens": "FILE = open('/etc/passwd')\n",
    "sockets": "import socket\nSOCKET = socket.socketpair()\n",
    "handles": "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: None)\n",
    "prints": "print('hello from prints', flush=True)\n",
    "warns": "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n",
    "sets": "import os\nos.environ['SET_BY_MODULE'] = '1'\n",
    "starts": "import subprocess\nCHILD = subprocess.Popen(['sleep', '100'])\nimport atexit\natexit.register(CHILD.kill)\n",
    "shares": "import mmap\nMEMORY = mmap.mmap(-1, 4096)\nMEMORY[0] = 1\n",
    "fails": "raise RuntimeError('not today')\n",
    "leaves": "raise SystemExit(3)\n",
    "kills": "import os\nprint(file=open(os.environ['TRACE'], 'a'))\nos.kill(os.getpid(), 9)\n",
    "closes": "import os\nos.closerange(3, 200)\n",
    "generates": "import random\nNEW, SET, SYSTEM = random.Random(), random.Random(7), random.SystemRandom()\n"
                 "LATER = random.Random()\nLATER.seed(8)\nSTATE = random.Random()\nSTATE.setstate(SET.getstate())\n",
    "holds": "HELD = []\n",
    "draws": "import random\nVALUE = random.random()\n",
    "seeds": "import random\nrandom.seed(1)\n",
    "opens_data": "try:\n    open('/pfs/data/none')\nexcept OSError:\n    pass\n",
    "opens_data_below": "import os\ntry:\n    os.open('/pfs/data/none', os.O_RDONLY)\nexcept OSError:\n    pass\n",
    "makes": "import tempfile\nFOLDER = tempfile.TemporaryDirectory()\n",
    "reads_arguments": "import sys\nARGUMENTS = sys.argv[1:]\n",
    "reads_bytes": "import os\nALL = dict(os.environb)\n",
    "moves": "import os\nos.chdir('/')\n",
    "masks": "import os\nos.umask(0)\n",
    "times": "import signal\nsignal.setitimer(signal.ITIMER_PROF, 1000)\n",
    "reads_all": "import os\nALL = dict(os.environ)\n",
    "reads_datum": "import os\nONE = os.environ.get('PACH_DATUM_ID')\n",
    "parts": "",
    "parts/threads": "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n",
    "parts/more": "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n",
    "reads_one": "import os\nONE = os.environ.get('ONE')\n",
}
LEFT_OUT = {
    "threads": "it keeps threads running", "opens": "it keeps a file or a socket open",
    "sockets": "it keeps a file or a socket open", "handles": "it handles signals", "prints": "it prints something when it is imported",
    "warns": "it prints something when it is imported", "starts": "it starts processes",
    "shares": "it has memory that processes share", "fails": "its import fails (RuntimeError)",
    "leaves": "its import fails (SystemExit)", "reads_all": "it reads all variables",
    "draws": "it draws random numbers", "seeds": "it draws random numbers",
    "opens_data": "it opens /pfs/data/none", "opens_data_below": "it opens /pfs/data/none",
    "makes": "it makes a folder in /tmp", "reads_arguments": "it reads the arguments", "reads_bytes": "it reads all variables",
    "moves": "it changes the current folder", "masks": "it changes the umask", "times": "it sets a timer",
    "absent": "its import fails (ModuleNotFoundError)"}

# All that a program can see of how it was started.
DESCRIBE = """
import gc, json, locale, os, resource, signal, sys, threading, time, warnings
import heavy
def status(name):
    return [line for line in open("/proc/self/status") if line.startswith(name)]
print(json.dumps({
    "preloaded": heavy.PID != os.getpid(),
    "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", None), "name": __name__, "file": __file__, "spec": [getattr(__spec__, name, None) for name in ("name", "origin", "cached", "parent")],
    "loader": type(__loader__).__name__, "main": sys.modules["__main__"].__dict__ is globals(), "package": __package__,
    "path": sys.path, "executable": sys.executable, "prefix": sys.prefix, "flags": str(sys.flags), "warnoptions": sys.warnoptions,
    "modules": sorted(set(sys.modules) - {"_socket", "select"}), "caller": sys._getframe().f_back is None,
    "folder": os.getcwd(), "environment": dict(os.environ),     "umask": os.umask(0o22), "stdin": sys.stdin.read(), "descriptors": sorted(os.listdir("/proc/self/fd"))[:-1],
    "encodings": [(s.encoding, s.errors, s.line_buffering, s.name, s.mode) for s in (sys.stdin, sys.stdout, sys.stderr)],
    "group": os.getpgrp() == os.getpid(), "session": os.getsid(0), "ids": [os.getuid(), os.getgid(), os.getgroups()],
    "signals": [str(signal.getsignal(n)) for n in range(1, signal.NSIG)], "masks": [status(name) for name in ("SigBlk", "SigIgn", "SigCgt")], "capabilities": status("Cap"),
    "limits": [resource.getrlimit(n) for n in range(16)], "nice": os.nice(0), "processors": sorted(os.sched_getaffinity(0)),
    "threads": [thread.name for thread in threading.enumerate()], "main thread": threading.current_thread() is threading.main_thread(),
    "native": threading.get_native_id() == os.getpid(), "locale": locale.setlocale(locale.LC_ALL), "zone": time.tzname,
    "filters": [str(f) for f in warnings.filters], "collects": [gc.isenabled(), gc.get_threshold()], "recursion": sys.getrecursionlimit(),
    "hooks": [sys.excepthook is sys.__excepthook__, sys.gettrace() is None, sys.getprofile() is None],
    "children": open(f"/proc/self/task/{os.getpid()}/children").read() if os.path.exists(f"/proc/self/task/{os.getpid()}/children") else "",
}))
"""
# What is not, and cannot be, as it would have been (docs/python.md).
ALLOWED = {"preloaded", "group"}


def alive(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class PreloadSuite(EnvironmentSuite):
    def setUp(self):
        super().setUp()
        self.build = self.folder / "build"
        self.build.mkdir()
        self.make_build(MODULES)
        self.source = self.folder / "source"
        self.source.mkdir()
        self.addCleanup(self.end_keepers)

    def packages(self, library=LIBRARY):
        return str(self.cache / "env" / self.digest / "lib" / library / "site-packages")

    def make_build(self, modules, library=LIBRARY, scripts=()):
        """An environment as uv makes it, of an interpreter that this machine has."""
        interpreter = os.path.realpath(sys.executable)
        packages = pathlib.PurePath("lib", library, "site-packages")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            def add(name, text="", link="", mode=0o644):
                entry = tarfile.TarInfo(str(name))
                if link:
                    entry.type, entry.linkname = tarfile.SYMTYPE, link
                entry.size, entry.mode = len(text), mode
                tar.addfile(entry, io.BytesIO(text.encode()))
            add("bin/python", link=interpreter)
            add("pyvenv.cfg", f"home = {os.path.dirname(interpreter)}\ninclude-system-site-packages = false\n")
            for name, text in sorted(modules.items()):
                is_package = any(other.startswith(name + "/") for other in modules)
                add(packages / (name + ("/__init__.py" if is_package else "" if name.endswith(".pth") else ".py")), text)
            for name in scripts:
                add(f"bin/{name}", '#!/bin/sh\nexec "${0%/*}/python" "$@"\n', mode=0o755)
        bundle = compress(buffer.getvalue())
        self.digest = hashlib.sha256(bundle).hexdigest()
        (self.build / f"bundle-{self.digest}.tar.zst").write_bytes(bundle)

    def processes(self, name=keepers.KEEPER):
        """Keepers of this test, or what they keep."""
        return keepers.named(name, self.folder)

    def interpreters(self):
        return keepers.interpreters_of(self.processes())

    def wait_until(self, condition, what=None):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def end_keepers(self):
        for process in self.processes():
            os.kill(process, signal.SIGTERM)
        self.wait_until(lambda: not self.processes(), "a keeper goes on")

    def program(self, text, name="main.py"):
        path = self.source / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    def arguments(self, program, *arguments, imports="heavy"):
        words = [program] if isinstance(program, str) else program
        return [support.SHIM, "--build", str(self.build), "--environment", self.digest, "--imports", imports, "--exec", "--",
                "python", *words, *arguments]

    def options(self, preload="true", variables=None, **options):
        environment = self.variables(PACHBUILD_PRELOAD=preload, **(variables or {}))
        return {"env": environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True,
                "process_group": 0, **options}

    def start(self, program, *arguments, imports="heavy", **options):
        return subprocess.Popen(self.arguments(program, *arguments, imports=imports), **self.options(**options))

    def run_it(self, program, *arguments, imports="heavy", **options):
        process = self.start(program, *arguments, imports=imports, **options)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    def check_preloaded(self, program=None, **options):
        program = program or self.program("import os, heavy\nprint(heavy.PID != os.getpid())\n", "check.py")
        self.assertEqual(self.run_it(program, **options), (0, "True\n", ""))


class AsANewProcess(PreloadSuite):
    def describe(self, program, *arguments, input="given", **options):
        process = self.start(program, *arguments, stdin=subprocess.PIPE, **options)
        output, errors = process.communicate(input, timeout=60)
        self.assertEqual((process.returncode, errors), (0, ""))
        return json.loads(output)

    def check_same(self, program, *arguments, **options):
        plain = self.describe(program, *arguments, preload="false", **options)
        for _ in range(2):
            forked = self.describe(program, *arguments, **options)
            self.assertEqual((plain["preloaded"], forked["preloaded"]), (False, True))
            self.maxDiff = None
            for one in (plain, forked):
                one["environment"].pop("PACHBUILD_PRELOAD", None)
            self.assertEqual({key: value for key, value in forked.items() if key not in ALLOWED},
                             {key: value for key, value in plain.items() if key not in ALLOWED})

    def test_a_file(self):
        self.check_same(self.program(DESCRIBE))
        self.check_same(self.program(DESCRIBE), "one", "two words", "", "-x")

    def test_a_module(self):
        self.program(DESCRIBE, "tool.py")
        self.check_same(["-m", "tool"], "one", cwd=self.source)

    def test_a_text(self):
        self.check_same(["-c", DESCRIBE.replace("__file__", "None")], "one")

    def test_variables_of_each(self):
        program = self.program(DESCRIBE)
        self.describe(program)
        self.check_same(program, variables={"PACH_NEW": "value=with\n=", "data": "", "data_COMMIT": "1"})

    def test_without_a_locale(self):
        """Python sets LC_CTYPE then, in its own environment."""
        nothing = dict.fromkeys(("LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE"))
        for more in ({}, {"LC_ALL": "C"}, {"LC_CTYPE": "POSIX"}, {"PYTHONCOERCECLOCALE": "0"}):
            self.check_same(self.program(DESCRIBE), variables={**nothing, **more})
            self.end_keepers()

    def test_folder_and_umask(self):
        (self.folder / "elsewhere").mkdir()
        self.check_same(self.program(DESCRIBE), cwd=self.folder / "elsewhere", umask=0o77)

    def test_tracebacks(self):
        program = self.program("import heavy\ndef fault():\n    return 1 / 0\nfault()\n")
        plain = self.run_it(program, preload="false")
        self.assertEqual((plain[0], self.run_it(program)), (1, plain))

    def test_ends(self):
        for text, code, output in [
                ("import sys; sys.exit(3)", 3, ""), ("import sys; sys.exit('a text')", 1, ""), ("import sys; sys.exit()", 0, ""),
                ("import os; os._exit(7)", 7, ""), ("raise KeyboardInterrupt", -signal.SIGINT, ""),
                ("import os; os.abort()", -signal.SIGABRT, ""), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
                ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
                ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -11, ""),
                ("print('held back', end='')", 0, "held back"),
                ("import atexit; atexit.register(print, 'at the end')", 0, "at the end\n"),
                ("import atexit, heavy, sys\natexit.register(lambda: print('heavy' in sys.modules))", 0, "True\n"),
                ("class A:\n    def __del__(self):\n        print('gone')\none = A()", 0, "gone\n"),
                ("class A:\n    def __del__(self):\n        print('gone')\none = A()\none.itself = one", 0, "gone\n"),
                ("import heavy\nclass A:\n    def __del__(self):\n        print('gone', heavy.PID > 0)\nA.one = A()", 0, "gone True\n"),
                ("import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('later'))).start()", 0, "later\n"),
                ("import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()", 0, ""),
                ("import os, sys; sys.stdout.close(); os.close(1)", 0, "")]:
            with self.subTest(text):
                program = self.program("import heavy, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n" + text + "\n")
                plain = self.run_it(program, preload="false")
                self.assertEqual(plain[:2], (code, output))
                self.assertEqual(self.run_it(program), plain)
        self.check_preloaded()

    def test_what_packages_hold_is_finalized(self):
        """Modules that programs share are not taken apart at the end; what a program gave them is, once."""
        file = self.folder / "written"
        gone = "class Gone:\n    def __init__(self, *what):\n        self.what = what\n    def __del__(self):\n        print('gone', self.what[0])\n"
        for text in [
                "HELD.append(open(FILE, 'w'))\nHELD[0].write('held back')",
                "HELD.append(open(FILE, 'w'))\nHELD.append(HELD)\nHELD[0].write('in a circle')",
                "import gzip\nHELD.append(gzip.GzipFile(FILE, 'wb', mtime=0))\nHELD[0].write(b'packed')",
                "import zipfile\nHELD.append(zipfile.ZipFile(FILE, 'w'))\nHELD[0].writestr(zipfile.ZipInfo('one'), 'zipped')",
                "import logging\nlogging.basicConfig(filename=FILE)\nlogging.error('logged')",
                "import os\nclass Writes:\n    def __del__(self, os=os):\n        os.close(os.open(FILE, os.O_CREAT))\nHELD.append(Writes())",
                gone + "HELD.append(Gone('one', Gone('another')))",
                gone + "HELD.append(Gone('one'))\nMINE = HELD[0]",
                gone + "import heavy\nheavy.HELD = Gone('one')\nheavy.Class = type('Class', (), {'held': Gone('another')})",
                gone + "import sys\nsys.held = Gone('one')",
                gone + "import sys\nclass Tee:\n    write, flush = sys.stdout.write, sys.stdout.flush\nsys.stdout = Tee()\nHELD.append(Gone('one'))",
                "def steps():\n    try:\n        yield\n    finally:\n        print('at its end')\nHELD.append(steps())\nnext(HELD[0])",
                "import threading, time\ndef steps():\n    time.sleep(100)\n    yield\n"
                "threading.Thread(target=list, args=(steps(),), daemon=True).start()\ntime.sleep(0.1)",
                gone + "import os\nHELD.append(Gone('one'))\nif os.fork() == 0:\n    HELD.append(Gone('of a child'))\nelse:\n    os.wait()",
                gone + "HELD.append(Gone('one'))\nraise SystemExit(4)",
                gone + "import os\nHELD.append(Gone('one'))\nos._exit(5)",
                gone + "import atexit\natexit.register(print, 'at exit')\natexit._run_exitfuncs()\nprint('holds' in sys.modules)",
        ]:
            with self.subTest(text):
                program = self.program("import heavy, sys\nfrom holds import HELD\nFILE = sys.argv[1]\n" + text + "\n")
                seen = []
                for preload in ("false", "true"):
                    file.unlink(missing_ok=True)
                    code, output, errors = self.run_it(program, str(file), imports="heavy,holds", preload=preload)
                    seen.append((code, sorted(output.splitlines()), errors, file.read_bytes() if file.exists() else None))
                self.assertEqual(seen[1], seen[0])
        self.check_preloaded()

    def test_what_fails_at_the_end_is_reported(self):
        program = self.program("import heavy\nfrom holds import HELD\nclass Fails:\n    def __del__(self):\n        raise ValueError('too late')\n"
                               "HELD.append(Fails())\n")
        for preload in ("false", "true"):
            code, output, errors = self.run_it(program, imports="heavy,holds", preload=preload)
            self.assertEqual((code, output), (0, ""))
            self.assertEqual(errors.count("ValueError: too late"), 1, errors)

    def test_nothing_random_is_shared(self):
        program = self.program("import heavy, os, random, uuid, multiprocessing, tempfile\n"
                               "print(heavy.PID != os.getpid(), random.random(), uuid.uuid4(), uuid.uuid1(),\n"
                               "      bytes(multiprocessing.current_process().authkey).hex(), next(tempfile._get_candidate_names()))\n")
        seen = [self.run_it(program)[1].split() for _ in range(3)]
        for values in zip(*seen):
            self.assertEqual(len(set(values)), 1 if values[0] == "True" else 3, values)

    def test_multiprocessing(self):
        program = self.program("""
            import heavy, multiprocessing, os
            def double(n):
                return 2 * n
            if __name__ == "__main__":
                print(heavy.PID != os.getpid())
                for method in ("fork", "spawn", "forkserver"):
                    with multiprocessing.get_context(method).Pool(2) as pool:
                        print(method, pool.map(double, [1, 2, 3]))
            """)
        self.assertEqual(self.run_it(program), (0, "True\nfork [2, 4, 6]\nspawn [2, 4, 6]\nforkserver [2, 4, 6]\n", ""))

    def test_an_edit_counts_at_once(self):
        program = self.program("import heavy, os, part\nprint(heavy.PID != os.getpid(), part.TEXT)\n")
        for text in ("one", "two"):
            self.program(f"TEXT = {text!r}\n", "part.py")
            self.assertEqual(self.run_it(program, variables={"PYTHONDONTWRITEBYTECODE": "1"}), (0, f"True {text}\n", ""))

    def test_at_once(self):
        program = self.program("import heavy, os, sys, time\ntime.sleep(0.2)\nprint(sys.argv[1])\nsys.exit(int(sys.argv[1]))\n")
        self.run_it(program, "0")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ends = list(pool.map(lambda number: self.run_it(program, str(number))[:2], range(16)))
        self.assertEqual(ends, [(number, f"{number}\n") for number in range(16)])
        self.assertEqual(len(self.processes()), 1)


class Shared(PreloadSuite):
    """What is imported beforehand, and what is not."""

    def test_parts_of_packages(self):
        program = self.program("import os, package\nfrom package import name, part\nprint(package.PID != os.getpid(), name, part.VALUE)\n")
        for imports in ("package.name,package.part", "package", "package.part.VALUE"):
            self.assertEqual(self.run_it(program, imports=imports), (0, "True a name part\n", ""))

    def test_what_must_not_be_shared(self):
        for module, reason in LEFT_OUT.items():
            with self.subTest(module):
                program = self.program("import os, heavy\nprint(heavy.PID != os.getpid())\n", f"with_{module}.py")
                notice = f"worker-shim: each program imports {module} by itself: {reason}\n"
                # What comes before and after it is shared all the same.
                self.assertEqual(self.run_it(program, imports=f"{module},heavy"), (0, "True\n", notice))
                self.assertEqual(self.run_it(program, imports=f"{module},heavy"), (0, "True\n", ""))

    def test_what_may_be_shared(self):
        program = self.program("import os, heavy, sets\nprint(heavy.PID != os.getpid(), os.environ['SET_BY_MODULE'])\n")
        for _ in range(2):
            self.assertEqual(self.run_it(program, imports="sets,heavy"), (0, "True 1\n", ""))

    def test_generators(self):
        program = self.program("import generates as g, heavy, os\nprint(heavy.PID != os.getpid(), *[one.random() for one in "
                               "(g.NEW, g.SYSTEM, g.SET, g.LATER, g.STATE)])\n")
        plain = self.run_it(program, preload="false")[1].split()
        seen = [self.run_it(program, imports="generates,heavy")[1].split() for _ in range(3)]
        for values in seen:
            self.assertEqual((values[0], values[3:]), ("True", plain[3:]))
        for values in list(zip(plain, *seen))[1:3]:
            self.assertEqual(len(set(values)), 4, values)

    def test_what_it_prints_is_printed_each_time(self):
        program = self.program("import prints, heavy, os\nprint(heavy.PID != os.getpid())\n")
        self.run_it(program, imports="heavy,prints")
        self.assertEqual(self.run_it(program, imports="heavy,prints"), (0, "hello from prints\nTrue\n", ""))

    def test_only_installed_modules(self):
        outside = self.folder / "outside"
        outside.mkdir()
        (outside / "beside.py").write_text("TEXT = 'beside'\n")
        program = self.program("import beside, heavy, os\nprint(heavy.PID != os.getpid(), beside.TEXT)\n")
        code, output, errors = self.run_it(program, imports="heavy,beside", variables={"PYTHONPATH": str(outside)})
        self.assertEqual((code, output), (0, "True beside\n"))
        self.assertEqual(errors, f"worker-shim: each program imports beside by itself: it imports {outside}/beside.py\n")

    def test_a_module_of_the_source_comes_first(self):
        program = self.program("import heavy\nprint(heavy.TEXT)\n")
        self.program("TEXT = 'of the source'\n", "heavy.py")
        code, output, errors = self.run_it(program)
        self.assertEqual((code, output), (0, "of the source\n"))
        self.assertIn("heavy.py beside the program has the name of a module that is preloaded", errors)
        # It is told once.
        self.assertEqual(self.run_it(program), (0, "of the source\n", ""))

    def test_variables_that_were_read(self):
        program = self.program("import reads_one, heavy, os\nprint(heavy.PID != os.getpid(), reads_one.ONE)\n")
        run = lambda **variables: self.run_it(program, imports="heavy,reads_one", variables=variables)
        self.assertEqual(run(ONE="1", OTHER="1"), (0, "True 1\n", ""))
        # What a worker sets for each datum.
        for more in ({"PACH_DATUM_ID": "1"}, {"PACH_DATUM_ID": "2"}, {"data": "/pfs/data/a", "data_COMMIT": "1"},
                     {"data": "/pfs/data/b", "data_COMMIT": "2"}):
            self.assertEqual(run(ONE="1", OTHER="1", **more), (0, "True 1\n", ""))
        told = ("worker-shim: the program is started without preloading: the variable ONE has changed since its packages "
                "were imported\n")
        self.assertEqual(run(ONE="2", OTHER="1"), (0, "False 2\n", told))
        self.assertEqual(run(OTHER="1"), (0, "False None\n", ""))
        self.assertEqual(run(ONE="1", OTHER="1", data="/pfs/data/b")[1], "False 1\n")  # no worker sets that alone
        self.assertEqual(run(ONE="1", OTHER="2")[1], "False 1\n")  # C code may have read it
        self.assertEqual(run(ONE="1", OTHER="1"), (0, "True 1\n", ""))

    def test_a_variable_of_a_datum_that_was_read(self):
        program = self.program("import reads_datum, heavy, os\nprint(heavy.PID != os.getpid(), reads_datum.ONE)\n")
        run = lambda number: self.run_it(program, imports="heavy,reads_datum", variables={"PACH_DATUM_ID": number})[1]
        self.assertEqual([run("1"), run("2"), run("1")], ["True 1\n", "False 2\n", "True 1\n"])

    def test_one_line_for_a_package(self):
        program = self.program("import os, heavy, parts.threads, parts.more\nprint(heavy.PID != os.getpid())\n")
        told = "worker-shim: each program imports parts by itself: it keeps threads running\n"
        self.assertEqual(self.run_it(program, imports="parts.threads,heavy,parts.more"), (0, "True\n", told))

    def test_variables_that_the_interpreter_reads(self):
        program = self.program("import heavy, os\nprint(heavy.PID != os.getpid())\n")
        self.assertEqual(self.run_it(program)[1], "True\n")
        for name in ("PYTHONHASHSEED", "PYTHONOPTIMIZE", "LC_ALL", "LANG", "TZ", "OMP_NUM_THREADS", "LD_LIBRARY_PATH"):
            with self.subTest(name):
                self.assertEqual(self.run_it(program, variables={name: "1" if name != "LC_ALL" else "C"})[:2], (0, "False\n"))

    def test_other_limits(self):
        program = self.program("import heavy, os\nprint(heavy.PID != os.getpid())\n")
        self.assertEqual(self.run_it(program)[1], "True\n")

        def change():
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))

        told = ("worker-shim: the program is started without preloading: its current folder, session, limits, signals, "
                "capabilities, control group or streams differ from those of the first\n")
        self.assertEqual(self.run_it(program, preexec_fn=change), (0, "False\n", told))
        self.assertEqual(self.run_it(program, preexec_fn=change), (0, "False\n", ""))
        self.assertEqual(self.run_it(program)[1], "True\n")


class ThePlainWay(PreloadSuite):
    """Nothing is left running where nothing can be gained."""

    def check_plain(self, program, *arguments, **options):
        code, output, errors = self.run_it(program, *arguments, **options)
        self.assertEqual((code, output.splitlines()[-1], errors), (0, "False", ""))
        self.assertEqual(self.processes(), [])

    def setUp(self):
        super().setUp()
        self.text = "import heavy, os\nprint(heavy.PID != os.getpid())\n"
        self.main = self.program(self.text)

    def test_switched_off(self):
        for value in ("", "0", "false", "no", "off"):
            self.check_plain(self.main, preload=value)

    def test_names_and_words(self):
        for value in ("1", "true", "yes", "on", "heavy", "package,heavy"):
            with self.subTest(value):
                self.assertEqual(self.run_it(self.main, preload=value), (0, "True\n", ""))
                self.end_keepers()

    def test_no_imports(self):
        command = self.arguments(self.main)
        at = command.index("--imports")
        del command[at:at + 2]
        process = subprocess.run(command, **self.options(), timeout=60)
        self.assertEqual((process.stdout, self.processes()), ("False\n", []))

    def test_options_of_the_interpreter(self):
        for option in ("-u", "-E", "-I", "-S", "-Xdev", "-B", "-O"):
            with self.subTest(option):
                if option in ("-S",):
                    continue
                self.check_plain([option, self.main])

    def test_a_relative_program(self):
        self.check_plain("main.py", cwd=self.source)

    def test_more_descriptors(self):
        read, write = os.pipe()
        with open(read, "rb"), open(write, "wb"):
            self.check_plain(self.main, pass_fds=[read])

    def test_a_session_of_its_own(self):
        self.check_plain(self.main, process_group=None, start_new_session=True)

    def test_relative_folders_of_modules(self):
        for path in ("lib", ":/lib", "/lib:", "/lib::/lib"):
            with self.subTest(path):
                self.check_plain(self.main, variables={"PYTHONPATH": path})

    def test_a_program_that_is_a_folder(self):
        package = self.source / "app.py"
        package.mkdir()
        (package / "__main__.py").write_text(self.text)
        (self.source / "app").mkdir()
        (self.source / "app" / "__main__.py").write_text(self.text)
        self.check_plain(str(self.source / "app"))
        (package / "heavy.py").write_text(HEAVY)
        code, output, errors = self.run_it(str(package))
        self.assertEqual((code, output), (0, "False\n"))
        self.assertIn("heavy.py beside the program has the name", errors)

    def test_a_script_in_the_place_of_python(self):
        for name in ("python-run", "pythonic", "python3.x", "python3"):
            with self.subTest(name):
                self.make_build({"heavy": HEAVY}, scripts=[name])
                command = self.arguments(self.main)
                command[command.index("python")] = name
                process = subprocess.run(command, **self.options(), timeout=60)
                self.assertEqual((process.stdout, process.stderr, self.processes()), ("False\n", "", []))

    def test_code_of_packages_that_runs_when_python_starts(self):
        for name, text, reason in [("a.pth", "import os\n", "a.pth runs code when Python starts"), ("b.pth", "/nowhere\n", None),
                                   ("c-nspkg.pth", "import sys\n", None), ("_virtualenv.pth", "import sys\n", None)]:
            with self.subTest(name):
                self.make_build({"heavy": HEAVY, name: text})
                told = f"worker-shim: the program is started without preloading: its packages cannot be imported beforehand: {reason}\n"
                self.assertEqual(self.run_it(self.main), (0, f"{reason is None}\n", told if reason else ""))

    def test_a_terminal(self):
        controller, terminal = os.openpty()
        with open(controller, "rb"), open(terminal, "wb"):
            self.check_plain(self.main, stdin=terminal)

    def test_a_supervisor(self):
        command = self.arguments(self.main)
        command.insert(1, "--supervise")
        process = subprocess.run(command, **self.options(), timeout=60)
        self.assertEqual((process.stdout, process.stderr, self.processes()), ("False\n", "", []))

    def test_a_folder_that_others_can_change(self):
        self.run_it(self.main)
        self.end_keepers()
        folder = self.cache / "preload"
        for spoil in (lambda: folder.chmod(0o755), lambda: (shutil.rmtree(folder), folder.symlink_to(self.folder / "elsewhere")),
                      lambda: (folder.unlink(), folder.write_text(""))):
            (self.folder / "elsewhere").mkdir(mode=0o700, exist_ok=True)
            spoil()
            self.check_plain(self.main)

    def test_an_interpreter_of_the_image(self):
        command = self.arguments(self.main)
        command[command.index("python")] = os.path.realpath(sys.executable)
        process = subprocess.run(command, **self.options(variables={"PYTHONPATH": self.packages()}), timeout=60)
        self.assertEqual((process.stdout, process.stderr, self.processes()), ("False\n", "", []))

    def test_a_version_that_is_not_known(self):
        for library in ("python3.8", "python4.1", "pypy3.10"):
            with self.subTest(library):
                self.make_build({"heavy": HEAVY}, library=library)
                self.check_plain(self.main, variables={"PYTHONPATH": self.packages(library)})

    def test_a_sitecustomize_of_the_pipeline(self):
        folder = self.folder / "customised"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text("import builtins\nbuiltins.CUSTOM = 1\n")
        program = self.program("import heavy, os\nprint(CUSTOM, heavy.PID != os.getpid())\n")
        variables = {"PYTHONPATH": str(folder)}
        code, output, errors = self.run_it(program, variables=variables)
        self.assertEqual((code, output), (0, "1 False\n"))
        self.assertEqual(errors, "worker-shim: the program is started without preloading: its packages cannot be imported "
                                 f"beforehand: {folder}/sitecustomize.py runs when Python starts\n")
        self.assertEqual(self.run_it(program, variables=variables), (0, "1 False\n", ""))

    def test_a_name_with_a_line_end_in_the_cache_folder(self):
        self.cache = self.folder / "ca\nche"
        self.assertEqual(self.run_it(self.main), (0, "True\n", ""))

    def test_no_room_for_the_hook(self):
        self.run_it(self.main)
        self.end_keepers()
        hook = self.cache / "preload/hook"
        shutil.rmtree(hook)
        hook.write_text("in the way")
        self.check_plain(self.main)


class WaitingSuite(PreloadSuite):
    WAITS = """
        import heavy, os, signal, sys, time
        seen = []
        signal.signal(signal.SIGTERM, lambda *_: seen.append("TERM"))
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("USR1"))
        print(heavy.PID != os.getpid(), os.getpid(), flush=True)
        deadline = time.monotonic() + 30
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        print(seen)
        """

    def waiting(self, text=None, **options):
        process = self.start(self.program(text or self.WAITS), **options)
        forked, number = process.stdout.readline().split()
        self.assertEqual(forked, "True")
        return process, int(number)


class Signals(WaitingSuite):
    def test_to_the_process(self):
        for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGUSR1, "USR1")):
            process, _ = self.waiting()
            process.send_signal(number)
            self.assertEqual((process.communicate(timeout=60)[0], process.returncode), (f"['{name}']\n", 0))

    def test_to_the_group_once(self):
        process, _ = self.waiting()
        os.killpg(process.pid, signal.SIGTERM)
        self.assertEqual((process.communicate(timeout=60)[0], process.returncode), ("['TERM']\n", 0))

    def test_a_killed_group(self):
        process, program = self.waiting()
        os.killpg(process.pid, signal.SIGKILL)
        self.assertEqual(process.wait(60), -signal.SIGKILL)
        self.assertFalse(alive(program))
        self.check_preloaded()

    def test_the_process_alone_is_killed(self):
        process, program = self.waiting()
        process.kill()
        process.wait(60)
        deadline = time.monotonic() + 20
        while alive(program):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.check_preloaded()

    def test_what_the_program_left_in_its_group_ends_with_it(self):
        process = self.start(self.program("""
            import heavy, os, subprocess
            child = subprocess.Popen(["sleep", "100"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            print(child.pid, os.getpgid(child.pid), flush=True)
            os._exit(0)
            """))
        output, _ = process.communicate(timeout=60)
        child, group = (int(word) for word in output.split())
        self.assertEqual((group, alive(child)), (process.pid, True))
        os.killpg(process.pid, signal.SIGKILL)  # as a worker does it

    def test_a_program_that_leaves_its_group(self):
        for text in ("os.setpgrp()", "os.setsid()"):
            process, program = self.waiting("import heavy, os, sys, time\n" + text +
                                            "\nprint(heavy.PID != os.getpid(), os.getpid(), flush=True)\ntime.sleep(60)\n")
            self.wait_until(lambda: os.getpgid(process.pid) == process.pid)
            os.killpg(process.pid, signal.SIGKILL)
            self.assertEqual(process.wait(60), -signal.SIGKILL)
            self.wait_until(lambda: not alive(program))

    def test_an_interrupt_at_any_time(self):
        """It ends the program, or comes too late; never has it ended well without having run."""
        choose = random.Random(SEED)
        program = self.program("import heavy\nprint('ran', flush=True)\n")
        self.run_it(program)
        for attempt in range(300 if support.LONG else 40):
            process = self.start(program)
            time.sleep(choose.uniform(0, 0.05))
            try:
                os.killpg(process.pid, signal.SIGINT)
            except ProcessLookupError:
                pass  # it has ended
            output, errors = process.communicate(timeout=60)
            label = f"seed {SEED}, attempt {attempt}: {process.returncode} {output!r} {errors!r}"
            self.assertIn(process.returncode, (0, 1, -signal.SIGINT), label)
            if process.returncode == 0:
                self.assertEqual(output, "ran\n", label)

    def test_a_reader_sees_the_end_of_what_is_closed(self):
        process = self.start(self.program("""
            import heavy, os, time
            print("all", flush=True)
            os.close(1)
            time.sleep(30)
            """))
        started = time.monotonic()
        self.assertEqual(process.stdout.read(), "all\n")
        self.assertLess(time.monotonic() - started, 25)
        process.kill()
        process.wait(60)
        process.stderr.close()
        process.stdout.close()


class Killed(WaitingSuite):
    def test_the_interpreter_between_programs(self):
        for _ in range(2):
            self.check_preloaded()
            os.kill(self.interpreters()[0], signal.SIGKILL)
            deadline = time.monotonic() + 20
            while self.interpreters():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
        self.check_preloaded()
        self.assertEqual(len(self.processes()), 1)

    def test_the_interpreter_again_and_again(self):
        for _ in range(6):
            self.check_preloaded()
            for process in self.interpreters():
                os.kill(process, signal.SIGKILL)
            self.wait_until(lambda: not self.interpreters())

    def test_one_that_loses_its_connection(self):
        program = self.program("import os, heavy\nprint(heavy.PID != os.getpid())\n")
        for _ in range(5):
            self.assertEqual(self.run_it(program, imports="closes,heavy")[:2], (0, "False\n"))
        self.assertEqual(self.interpreters(), [])

    def test_one_that_never_comes_to_its_end(self):
        """It is given up: programs are started the plain way, and no interpreter for them."""
        program = self.program("import os, heavy\nprint(heavy.PID != os.getpid())\n")
        told = "worker-shim: the program is started without preloading: the preloaded interpreter has ended\n"
        trace = self.folder / "trace"
        run = lambda: self.run_it(program, imports="kills,heavy", variables={"TRACE": str(trace)})
        self.assertEqual(run(), (0, "False\n", told))
        for _ in range(4):
            self.assertEqual(run(), (0, "False\n", ""))
        self.assertEqual(len(trace.read_text().splitlines()), 3)

    def test_the_interpreter_while_a_program_runs(self):
        for end, expected in (("sys.exit(5)", 5), ("os.kill(os.getpid(), 9)", -9)):
            process, _ = self.waiting(self.WAITS.replace("print(seen)", end))
            os.kill(self.interpreters()[0], signal.SIGKILL)
            time.sleep(0.1)
            process.terminate()
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, expected)

    def test_a_stopped_interpreter(self):
        # Whoever ends, ends; and so do the streams.
        process, program = self.waiting(self.WAITS.replace("print(seen)", "sys.exit(7)"))
        os.kill(self.interpreters()[0], signal.SIGSTOP)
        process.terminate()
        self.assertEqual((process.communicate(timeout=20)[0], process.returncode), ("", 7))
        self.check_preloaded()
        os.kill(self.interpreters()[0], signal.SIGSTOP)
        program = self.program("import os, heavy\nprint(heavy.PID != os.getpid())\n", "check.py")
        self.assertEqual(self.run_it(program), (0, "False\n", ""))
        self.check_preloaded()

    def test_a_stopped_keeper(self):
        program = self.program("import os, heavy\nprint(heavy.PID != os.getpid())\n")
        self.assertEqual(self.run_it(program)[1], "True\n")
        keeper, = self.processes()
        os.kill(keeper, signal.SIGSTOP)
        try:
            for _ in range(20):
                self.assertEqual(self.run_it(program), (0, "False\n", ""))
        finally:
            os.kill(keeper, signal.SIGCONT)
        self.check_preloaded()

    def test_a_keeper_that_is_to_end(self):
        process, _ = self.waiting(self.WAITS.replace("print(seen)", "sys.exit(7)"))
        os.kill(self.processes()[0], signal.SIGTERM)
        time.sleep(0.1)
        process.terminate()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 7)
        self.wait_until(lambda: not self.processes())

    def test_the_keeper_while_a_program_runs(self):
        process, program = self.waiting()
        interpreter, = self.interpreters()
        os.kill(self.processes()[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors),
                         (125, "worker-shim: the process that watches over preloaded programs was killed: the program's exit code is lost\n"))
        deadline = time.monotonic() + 20
        while alive(program) or alive(interpreter):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.check_preloaded()

    def test_at_random(self):
        """Whoever is killed when, the program has ended as it should, or was killed, or has failed with words."""
        choose = random.Random(SEED)
        program = self.program("import heavy, os, sys, time\ntime.sleep(float(sys.argv[1]))\nopen(sys.argv[2], 'x').close()\nsys.exit(9)\n")
        for attempt in range(200 if support.LONG else 20):
            label = f"seed {SEED}, attempt {attempt}"
            file = self.folder / f"ran{attempt}"
            process = self.start(program, str(choose.uniform(0, 0.1)), str(file))
            time.sleep(choose.uniform(0, 0.3))
            victims = {"keeper": self.processes(), "interpreter": self.interpreters(), "client": [process.pid]}
            who = choose.choice(list(victims))
            for victim in victims[who]:
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            _, errors = process.communicate(timeout=60)
            allowed = {"keeper": (9, 125), "interpreter": (9,), "client": (9, -9)}[who]
            self.assertIn(process.returncode, allowed, f"{label}: {who}: {errors}")
            if process.returncode == 9:
                self.assertTrue(file.exists(), label)
        self.end_keepers()
        deadline = time.monotonic() + 20
        while left := self.processes("python"):
            self.assertLess(time.monotonic(), deadline, f"seed {SEED}: {left} left")
            time.sleep(0.01)


if __name__ == "__main__":
    support.main()
