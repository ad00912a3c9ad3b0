# SPDX-License-Identifier: Apache-2.0
"""Turns a Python that is just starting into one that forks programs: `sitecustomize` of a preloaded interpreter.

The interpreter was started exactly as the program is (keeper.cpp), and here, before it comes to the program's file, it
imports packages and waits. For each request it forks, and the new process goes on from here: the interpreter itself
executes the file as `__main__`, with no frame of ours below it.

Imports only what is part of the interpreter itself, and `random`, so that programs find sys.modules as it would have been.
"""
import os
import sys


class Shared(Exception):
    """Something that processes must not have in common."""


class Environment:
    """The variables with which the interpreter was started, which of them were read, and which were set."""

    def __init__(self):
        now = dict(os.environ)
        with open("/proc/self/environ", "rb") as file:
            given = [os.fsdecode(line).partition("=") for line in file.read().split(b"\0")]
        ours = ("PACHBUILD_PRELOADED", "PYTHONPATH")
        self.before = {name: now.get(name, value) if name in ours else value for name, _, value in given
                       if name and (name not in ours or name in now)}
        # Set by Python itself, in each program as well: LC_CTYPE, where no locale is set (PEP 538).
        self.of_python = {name: value for name, value in now.items() if self.before.get(name) != value}
        self.read = read = set()
        self.plain = plain = type(os.environ)

        def watched(plain):
            class Watched(plain):
                def __getitem__(self, name):
                    read.add(os.fsdecode(name))
                    return plain.__getitem__(self, name)

                def __iter__(self):
                    read.add(None)  # all
                    return plain.__iter__(self)

            return Watched

        os.environ.__class__ = watched(plain)
        os.environb.__class__ = watched(type(os.environb))

    def stop_watching(self):
        os.environ.__class__ = os.environb.__class__ = self.plain
        now = dict(os.environ)
        before = {**self.before, **self.of_python}
        self.changed = {name: now.get(name) for name in {*now, *before} if now.get(name) != before.get(name)}

    def differing(self, variables):
        """A variable that has another value now and may have been read, by C code unseen. What a worker sets for each datum
        (UserCodeEnv in src/server/worker/driver/driver.go of Pachyderm 2.12) is nothing to that."""
        for name in {*variables, *self.before}:
            if variables.get(name) != self.before.get(name):
                is_of_datum = name.startswith("PACH_") or name.endswith("_COMMIT") or name == "FILESET_ID" or (
                    name + "_COMMIT" in variables)
                if name in self.read or not is_of_datum:
                    return name
        return None

    def set(self, variables):
        """Those of a program, with what the packages have set."""
        os.environ.clear()
        os.environ.update(variables)
        for name, value in {**self.of_python, **self.changed}.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Generators:
    """Random numbers that packages have: what was seeded by the system is seeded anew for each program."""

    def __init__(self):
        import random
        import weakref
        self.random = random
        self.unseeded = unseeded = weakref.WeakSet()
        self.unseeded_numpy = []
        self.plain = seed, setstate = random.Random.seed, random.Random.setstate

        def watched_seed(self, a=None, version=2):
            (unseeded.add if a is None else unseeded.discard)(self)
            seed(self, a, version)

        def watched_setstate(self, state):
            unseeded.discard(self)
            setstate(self, state)

        random.Random.seed, random.Random.setstate = watched_seed, watched_setstate

    def stop_watching(self):
        self.random.Random.seed, self.random.Random.setstate = self.plain

    def collect(self):
        """Finds those of numpy among the new objects."""
        import gc
        numpy_random = sys.modules.get("numpy.random")
        if not hasattr(numpy_random, "Generator"):
            return
        shared = sys.modules["numpy.random.mtrand"]._rand
        for one in gc.get_objects():
            if isinstance(one, (numpy_random.Generator, numpy_random.RandomState)) and one is not shared:
                generator = getattr(one, "bit_generator", None) or one._bit_generator
                if self.is_of_system(generator):
                    self.unseeded_numpy.append(generator)

    @staticmethod
    def is_of_system(generator):
        """Numpy takes 128 bits from the system where it is given no seed."""
        entropy = getattr(getattr(generator, "seed_seq", None), "entropy", 0)
        return isinstance(entropy, int) and entropy >= 1 << 96

    def draw_anew(self):
        """(`random` itself sees to its own.)"""
        for one in self.unseeded:
            one.seed()
        for one in self.unseeded_numpy:
            one.state = type(one)().state
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()
        if "torch" in sys.modules:
            sys.modules["torch"].default_generator.seed()


class Keeper:
    """The process that started us, which sends the requests (keeper.cpp)."""

    def __init__(self, descriptor):
        import _socket
        self.socket = _socket.socket(fileno=descriptor)
        self.room = _socket.CMSG_SPACE(6 * 4)
        os.set_inheritable(descriptor, False)

    def tell(self, kind, text=""):
        self.socket.send((kind + text).encode("utf-8", "replace")[:1000])

    def next_request(self):
        number, ancillary, _, _ = self.socket.recvmsg(64, self.room)
        if not number:
            os._exit(0)
        rights = b"".join(item[2] for item in ancillary)
        return Request(int(number), [int.from_bytes(rights[at:at + 4], sys.byteorder) for at in range(0, len(rights), 4)])


class Request:
    """What client.cpp has written: how the program is to start."""

    def __init__(self, number, descriptors):
        self.number = number
        self.connection, self.input, self.output, self.error, self.folder, content = descriptors
        text = os.pread(content, os.fstat(content).st_size, 0).split(b"\0")
        os.close(content)
        count, self.fixed, self.group = (int(number) for number in text[0].split())
        self.words = [os.fsdecode(word) for word in text[1:1 + count]]
        self.variables = {}
        for line in text[1 + count:-1]:
            name, equals, value = os.fsdecode(line).partition("=")
            if name and equals:
                self.variables.setdefault(name, value)  # of two of one name the first counts

    def close(self):
        for descriptor in (self.connection, self.input, self.output, self.error, self.folder):
            os.close(descriptor)

    def begin(self, keeper, packages):
        """In a process of its own: becomes what the client would have become. Goes on once the client agrees."""
        import _signal
        import _socket
        # One that comes now is the program's, once there is one.
        self.mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGINT])
        os.setpgid(0, self.group)
        os.fchdir(self.folder)
        for number, stream in enumerate((self.input, self.output, self.error)):
            os.dup2(stream, number)
        packages.environment.set(self.variables)
        sys.argv[1:] = self.words[self.fixed:]
        if hasattr(sys, "orig_argv"):  # since 3.10
            sys.orig_argv[:] = self.words
        # Listed when the packages were imported; what is not of Python may be another folder now.
        for path in list(sys.path_importer_cache):
            if not path.startswith(PREFIXES):
                del sys.path_importer_cache[path]
        if "logging" in sys.modules:
            import time
            logging = sys.modules["logging"]
            logging._startTime = time.time_ns() if isinstance(logging._startTime, int) else time.time()
        packages.generators.draw_anew()
        # The module of the program, which is there before there is a program: the garbage collector does not look at it
        # (gc.freeze), and what the program has in circles would not end with it: a file would not be written.
        main = type(sys)("__main__")
        main.__dict__.update(sys.modules["__main__"].__dict__)
        sys.modules["__main__"] = main
        if "multiprocessing.process" in sys.modules:
            sys.modules["multiprocessing.process"].current_process().authkey = os.urandom(32)
        client = _socket.socket(fileno=os.dup(self.connection))
        self.close()
        # Known to the keeper before the client knows us: should the interpreter be killed now, nothing is lost.
        keeper.tell("F", f"{self.number} {os.getpid()}")
        keeper.socket.close()
        client.send(b"A%d" % os.getpid())
        if client.recv(1) != b"G":
            os._exit(0)
        client.close()

    def go_on(self):
        import _signal
        try:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, self.mask)
        except KeyboardInterrupt:
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
            os.kill(os.getpid(), _signal.SIGINT)


class Packages:
    """What was imported for the programs."""

    def __init__(self):
        self.at_start = set(sys.modules)
        self.ending = Ending()
        self.generators = Generators()
        self.environment = Environment()

    def finish(self):
        self.generators.stop_watching()
        self.environment.stop_watching()
        loaded = {name for name in sys.modules if "." not in name} - self.at_start
        self.names = loaded - set(sys.builtin_module_names)
        self.ending.finish()

    def hidden_by(self, folders):
        """A module of the program's folder that it would have got instead of one of ours."""
        for folder in folders:
            for entry in os.listdir(folder):
                if entry.partition(".")[0] in self.names:
                    return entry
        return None


class Finalizer:
    """Finalizes an object as Python does: an exception is reported, and goes no further."""

    def __init__(self, one, finalize):
        self.one, self.finalize = one, finalize

    def __del__(self):
        self.finalize(self.one)


class Ending:
    """How a program ends. Python takes all modules apart then; those that processes share it would copy, page by page, so
    they stay as they are. What is the program's own goes as ever; what only packages still hold for it is finalized at last,
    so that a file is written to its end."""

    def __init__(self):
        import atexit
        import gc
        self.gc = gc
        atexit.register(self.leave)  # the first is called last
        self.itself = self  # never freed, once the garbage collector does not look at it (gc.freeze)

    def finish(self):
        self.shared = {name: module for name, module in sys.modules.items() if name not in ("sys", "builtins", "__main__")}
        self.last = type(sys)("last")

    def leave(self):
        try:
            sys._getframe(1)
            return  # it is the program that calls these functions
        except ValueError:
            pass
        sys.setswitchinterval(1)  # no thread is to see sys.modules half done
        own = {name: module for name, module in sys.modules.items() if self.shared.get(name) is not module}
        # Modules are cleared in reverse order, so this one when the others are gone.
        self.last.remaining = Finalizer(self, Ending.finalize_remaining)
        sys.modules.clear()
        sys.modules["last"] = self.last
        sys.modules.update(own)

    def finalize_remaining(self):
        self.remaining = self.gc.get_objects()  # kept, so that none is finalized again
        of_sys = {id(value) for value in vars(sys).values()}  # go after this one
        for one in self.remaining:
            finalize = getattr(type(one), "__del__", None)
            if finalize is None or type(one) is Finalizer or id(one) in of_sys:
                continue
            # A thread that has not ended may be in the middle of it.
            if not (getattr(one, "gi_running", False) or getattr(one, "cr_running", False) or getattr(one, "ag_running", False)):
                Finalizer(one, finalize)
        # What these have printed. The streams themselves go no more where one of them leads to them.
        for stream in (sys.stdout, sys.stderr):
            if not getattr(stream, "closed", True):
                Finalizer(stream, type(stream).flush)


PREFIXES = tuple({prefix + "/" for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)})


def is_installed(module):
    """Whether it is none of the source's, or of a folder that the pipeline adds."""
    file = getattr(module, "__file__", None)
    return not file or not os.path.isabs(file) or file.startswith(PREFIXES)


def bring(name):
    """Imports a module, or what `from package import name` does for "package.name"."""
    found, _, rest = name.partition(".")
    module = __import__(found)
    while rest:
        part, _, rest = rest.partition(".")
        found += "." + part
        if found not in sys.modules:
            if hasattr(module, part):
                return
            try:
                __import__(found)
            except ModuleNotFoundError as error:
                if error.name != found:
                    raise
                return
        module = sys.modules[found]


class Arguments(list):
    """sys.argv while packages are imported: it lacks the arguments."""

    was_read = False

    def __getitem__(self, place):
        Arguments.was_read = True
        return list.__getitem__(self, place)

    def __iter__(self):
        Arguments.was_read = True
        return list.__iter__(self)

    def __len__(self):
        Arguments.was_read = True
        return list.__len__(self)


class Files:
    """Tells of files that are opened, and folders that are made, for the first datum only."""

    def __init__(self):
        import builtins
        import io
        self.places = [(builtins, "open", self.opens), (io, "open", self.opens), (os, "open", self.opens), (os, "mkdir", self.makes)]
        self.plain = [getattr(module, name) for module, name, _ in self.places]
        self.temporary = os.path.abspath(os.environ._data.get(b"TMPDIR", b"/tmp").decode(errors="surrogateescape")) + "/"
        self.reason = None
        for (module, name, look), plain in zip(self.places, self.plain):
            setattr(module, name, self.wrapped(plain, look))

    @staticmethod
    def wrapped(plain, look):
        def call(path, *arguments, **options):
            if isinstance(path, (str, bytes, os.PathLike)):
                look(os.path.abspath(os.fsdecode(path)))
            return plain(path, *arguments, **options)

        return call

    def opens(self, path):
        if path.startswith("/pfs/"):
            self.reason = f"it opens {path}"

    def makes(self, path):
        if path.startswith(self.temporary):
            self.reason = f"it makes a folder in {self.temporary[:-1]}"

    def stop_watching(self):
        for (module, name, _), plain in zip(self.places, self.plain):
            setattr(module, name, plain)


class Watch:
    """Tells whether an import leaves something that forked processes must not share."""

    # They look through all variables for their own.
    READING = {"numba", "tqdm"}
    # Knows forks (pthread_atfork).
    KNOWN_THREADS = {"jemalloc_bg_thd"}

    def __init__(self, output, packages):
        import gc
        gc.collect()
        gc.freeze()  # what is not new is not looked at again
        self.output = output
        self.packages = packages
        self.warnings = []
        self.before = self.state()
        self.modules = set(sys.modules)
        self.read = set(packages.environment.read)
        Arguments.was_read = False

    @staticmethod
    def state():
        import random
        import signal
        descriptors = {}
        for name in os.listdir("/proc/self/fd"):
            try:
                descriptors[name] = os.readlink("/proc/self/fd/" + name)
            except OSError:
                pass  # that of the list itself
        with open("/proc/self/maps", "rb") as file:
            maps = [line.split() for line in file]
        mask = os.umask(0o77)
        os.umask(mask)
        state = {
            "it keeps a file or a socket open": descriptors,
            "it handles signals": [signal.getsignal(number) for number in range(1, signal.NSIG)],
            "it has memory that processes share": {fields[-1] for fields in maps if fields[1].endswith(b"s") and b"w" in fields[1]},
            "it changes the current folder": os.getcwd(),
            "it changes the umask": mask,
            "it sets a timer": [bool(signal.getitimer(timer)[0]) for timer in range(3)],
            "it draws random numbers": [random.getstate()],
        }
        if "numpy.random.mtrand" in sys.modules:
            kind, words, *rest = sys.modules["numpy.random.mtrand"]._rand.get_state()
            state["it draws random numbers"].append((kind, words.tobytes(), rest))
        return state

    def import_(self, name):
        import warnings
        show = warnings.showwarning
        files = Files()
        argv = sys.argv
        sys.argv = Arguments(argv)

        def record(message, category, *_, **__):
            self.warnings.append(category)

        warnings.showwarning = record
        try:
            # In the name of the program: some warnings are shown only where that one causes them.
            type(bring)(bring.__code__, {"__name__": "__main__", "__builtins__": __builtins__, "sys": sys})(name)
        except BaseException as error:
            raise Shared(f"its import fails ({type(error).__name__})") from None
        finally:
            if warnings.showwarning is record:
                warnings.showwarning = show
            files.stop_watching()
            sys.argv = argv
        if files.reason:
            raise Shared(files.reason)

    def check(self, name):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        if self.warnings or os.lseek(self.output, 0, os.SEEK_END):
            raise Shared("it prints something when it is imported")
        for reason, now in self.state().items():
            before = self.before[reason]
            if now[:len(before)] != before if reason == "it draws random numbers" else now != before:
                raise Shared(reason)
        self.packages.generators.collect()
        if Arguments.was_read:
            raise Shared("it reads the arguments")
        read = self.packages.environment.read
        if None in read:
            if name not in self.READING:
                raise Shared("it reads all variables")
            read.clear()
            read.update(self.read)
        if self.has_children():
            raise Shared("it starts processes")
        if self.keeps_threads():
            raise Shared("it keeps threads running")
        for module in [sys.modules[new] for new in set(sys.modules) - self.modules]:
            if not is_installed(module):
                raise Shared(f"it imports {module.__file__}")

    @staticmethod
    def has_children():
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def keeps_threads(self):
        """Threads that a fork would lose. Libraries that know of forks end theirs before one (pthread_atfork)."""
        import time
        if not self.threads():
            return False
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        for _ in range(100):
            if not self.threads():
                return False
            time.sleep(0.001)
        return True

    def threads(self):
        """The names of those beside this one."""
        names = []
        for number in os.listdir("/proc/self/task"):
            try:
                with open(f"/proc/self/task/{number}/comm") as file:
                    if int(number) != os.getpid():
                        names.append(file.read().strip())
            except OSError:
                pass  # it has ended
        return set(names) - self.KNOWN_THREADS


def check_start():
    """Code of installed packages that runs when Python starts has run before we could look."""
    known = ("_virtualenv.pth", "distutils-precedence.pth")
    for folder in sys.path:
        if not folder.endswith("-packages"):
            continue
        for name in os.listdir(folder):
            if not name.endswith(".pth") or name.endswith("-nspkg.pth") or name in known:
                continue
            with open(os.path.join(folder, name), "rb") as file:
                if any(line.startswith((b"import ", b"import\t")) for line in file):
                    raise Shared(f"{name} runs code when Python starts")


def import_real_sitecustomize(watch):
    """What the interpreter would have imported in our place."""
    del sys.modules["sitecustomize"]
    try:
        import sitecustomize
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        return
    if not is_installed(sitecustomize):
        raise Shared(f"{sitecustomize.__file__} runs when Python starts")
    watch.check("sitecustomize")


def preload(keeper, modules, left_out):
    import random  # noqa: F401  (each program draws anew from it, so what packages draw is looked at)
    nothing = os.open("/dev/null", os.O_RDWR)
    output = os.memfd_create("output")
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    check_start()
    packages = Packages()
    import_real_sitecustomize(Watch(output, packages))
    for name in modules:
        top = name.partition(".")[0]
        if top in left_out:
            continue
        watch = Watch(output, packages)
        try:
            watch.import_(name)
            watch.check(top)
        except Shared as reason:
            # An import cannot be taken back: we are started again without it.
            keeper.tell("X", f"{top}\t{reason}")
            os._exit(0)
    packages.finish()
    for number in (1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    os.close(output)
    os.chdir("/")
    return packages


class Programs:
    """Those that run."""

    def __init__(self, keeper, packages, poll):
        self.keeper = keeper
        self.packages = packages
        self.poll = poll
        self.running = {}  # their descriptors (pidfd_open) to their numbers and those of the requests

    def start(self, request):
        """Returns whether this is the new process."""
        child = os.fork()
        if child == 0:
            try:
                for descriptor in self.running:
                    os.close(descriptor)
                request.begin(self.keeper, self.packages)
            except BaseException:
                os._exit(0)  # nobody has agreed to us yet: the client starts the program itself
            return True
        watched = os.pidfd_open(child)
        self.running[watched] = child, request.number
        self.poll.register(watched)
        return False

    def end(self, descriptor):
        child, number = self.running.pop(descriptor)
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        if ended.si_code == os.CLD_EXITED:
            status = ended.si_status << 8
        else:
            status = ended.si_status | (0x80 if ended.si_code == os.CLD_DUMPED else 0)
        # Told before it is gone: should we be killed now, the keeper becomes its parent.
        self.keeper.tell("E", f"{number} {status}")
        os.waitpid(child, 0)
        self.poll.unregister(descriptor)
        os.close(descriptor)


def serve(keeper, packages):
    """Returns in each program's process, which has been asked to go on."""
    import select
    program = "" if sys.argv[0] in ("-m", "-c") else sys.argv[0]
    poll = select.poll()
    poll.register(keeper.socket, select.POLLIN)
    programs = Programs(keeper, packages, poll)
    keeper.tell("R")
    while True:
        for descriptor, _ in poll.poll():
            if descriptor in programs.running:
                programs.end(descriptor)
                continue
            request = keeper.next_request()
            if not program:
                folders = [request.folder]
            elif os.path.isdir(program):
                folders = [program]
            else:
                folders = [os.path.dirname(program), os.path.dirname(os.path.realpath(program))]
            if variable := packages.environment.differing(request.variables):
                keeper.tell("N", f"{request.number} the variable {variable} has changed since its packages were imported")
            elif module := packages.hidden_by(folders):
                keeper.tell("N", f"{request.number} {module} beside the program has the name of a module that is preloaded")
            elif programs.start(request):
                return request
            request.close()


def main():
    descriptor, _, modules, left_out, folder = os.environ.pop("PACHBUILD_PRELOADED").split("\n", 4)
    keeper = Keeper(int(descriptor))
    try:
        path = os.environ.pop("PYTHONPATH")[len(folder) + 1:]
        if path:
            os.environ["PYTHONPATH"] = path
        sys.path[:] = [entry for entry in sys.path if entry != folder]
        sys.path_importer_cache.pop(folder, None)
        packages = preload(keeper, modules.split(","), left_out.split(","))
        import gc
        gc.collect()
        gc.freeze()
    except BaseException as error:
        keeper.tell("D", str(error) if isinstance(error, Shared) else f"{type(error).__name__}: {error}")
        os._exit(1)
    serve(keeper, packages).go_on()


main()
