# SPDX-License-Identifier: Apache-2.0
"""Checks a program's syntax and reads what it imports: python -c SCRIPT SOURCE PROGRAM MODULE FUNCTION ROOTS PATHS.

Nothing of the source is executed. PROGRAM is the program's file, relative to SOURCE, or empty; MODULE is imported
by the command line instead, and its FUNCTION called. ROOTS are the folders of the source on the import path, PATHS
folders of packages outside of it, each list separated by colons. Standard input has what an earlier call printed;
files that are the same are not parsed again.

Only imports that are certain to happen count: those of the module itself, of classes, and of functions that are
called by name on the way. What is in an `if`, or in a `try` that goes on without it, does not count, and what is in
the `except ImportError` of such a `try` counts if the `try` has failed.

Prints lines of fields separated by tabs:
  file DIGEST PATH          a file that was read; the program's is the first. Its imports follow:
  import LINE NAMES UNLESS  names separated by commas, "a.b:c" for `from a.b import c`; UNLESS: groups (;) of names
                            (,), each with one missing
  absent PATH               neither PATH.py nor a folder PATH is in the source
  folder STATE PATH         a folder of packages of the image
  outside LINE NAME UNLESS WHERE PATH   a module of neither the standard library nor the source; WHERE it is
                            outside of the environment: "path" (PATHS), "image", "-"; "own": nowhere, and its package
                            is the source's

Ends with 1 and the error when the program is not valid Python, with 2 when it has no FUNCTION.
"""
import sys

try:
    from _sha2 import sha256  # since 3.12; hashlib takes as long to import as all the rest
except ImportError:
    try:
        from _sha256 import sha256
    except ImportError:
        from hashlib import sha256
from posix import listdir, stat

ONLY_AST = 0x400
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError"}
ALL_ERRORS = {"Exception", "BaseException"}
EXITS = {"exit", "quit", "_exit", "abort"}
NAMELESS = set("\t\r\n")


def is_file(path):
    try:
        return stat(path).st_mode & 0o170000 == 0o100000
    except (OSError, ValueError):
        return False


def is_folder(path):
    try:
        return stat(path).st_mode & 0o170000 == 0o040000
    except (OSError, ValueError):
        return False


def name_of(node):
    """The last part of "exit", "sys.exit"."""
    return getattr(node, "id", None) or getattr(node, "attr", None) or ""


class Reader:
    """Reads the certain imports of one file."""

    def __init__(self, tree, entry):
        self.imports = []
        self.functions = {}
        self.called = [entry] if entry else []
        self.run(tree.body, ())
        done = set()
        while self.called:
            name = self.called.pop()
            if name in self.functions and name not in done:
                done.add(name)
                self.run(self.functions[name].body, ())

    def run(self, body, unless):
        for node in body:
            kind = type(node).__name__
            if kind == "Import":
                self.imports += [(node.lineno, (alias.name,), unless) for alias in node.names]
            elif kind == "ImportFrom":
                self.imports.append((node.lineno, self.names_from(node), unless))
            elif kind in ("FunctionDef", "AsyncFunctionDef"):
                self.functions.setdefault(node.name, node)
            elif kind == "ClassDef":
                self.run(node.body, unless)
            elif kind == "If":
                self.if_(node, unless)
            elif kind in ("For", "AsyncFor", "While"):
                self.calls(node.test if kind == "While" else node.iter)
                self.run(node.body, unless)
                self.run(node.orelse, unless)
            elif kind in ("With", "AsyncWith"):
                self.with_(node, unless)
            elif kind in ("Try", "TryStar"):
                self.try_(node, unless)
            elif kind == "Match":
                self.calls(node.subject)
            else:
                self.calls(node)

    @staticmethod
    def names_from(node):
        start = "." * node.level + (node.module or "")
        return tuple(start if alias.name == "*" else start + ":" + alias.name for alias in node.names)

    def if_(self, node, unless):
        self.calls(node.test)
        names = [getattr(side, "id", None) for side in [getattr(node.test, "left", None),
                                                        *getattr(node.test, "comparators", ())]]
        if "__name__" in names and type(node.test.ops[0]).__name__ == "Eq":
            self.run(node.body, unless)
        else:
            self.remember_functions(node.body)
            self.remember_functions(node.orelse)

    def with_(self, node, unless):
        for item in node.items:
            self.calls(item.context_expr)
        if any(name_of(getattr(item.context_expr, "func", None)) == "suppress" for item in node.items):
            self.remember_functions(node.body)
        else:
            self.run(node.body, unless)

    def try_(self, node, unless):
        own = [child for child in node.body if type(child).__name__ in ("Import", "ImportFrom")]
        catching = [handler for handler in node.handlers if self.catches(handler, bool(own))]
        self.run(node.finalbody, unless)
        if not catching or all(self.gives_up(handler.body) for handler in catching):
            self.run(node.body, unless)
            self.run(node.orelse, unless)
            return
        self.remember_functions(node.body)
        self.remember_functions(node.orelse)
        wanted = tuple(name for child in own for name in (
            [alias.name for alias in child.names] if type(child).__name__ == "Import" else self.names_from(child)))
        for handler in catching:
            if wanted and not any(name.startswith(".") for name in wanted):
                self.run(handler.body, (*unless, wanted))
            else:
                self.remember_functions(handler.body)

    @staticmethod
    def catches(handler, has_imports):
        """A handler of all errors around other code is there for that code's errors."""
        if handler.type is None:
            return has_imports
        names = {name_of(kind) for kind in getattr(handler.type, "elts", [handler.type])}
        return bool(names & IMPORT_ERRORS) or has_imports and bool(names & ALL_ERRORS)

    @staticmethod
    def gives_up(body):
        last = body[-1]
        if type(last).__name__ == "Raise":
            return True
        call = getattr(last, "value", None)
        return type(last).__name__ == "Expr" and name_of(getattr(call, "func", None)) in EXITS

    def remember_functions(self, body):
        for node in body:
            if type(node).__name__ in ("FunctionDef", "AsyncFunctionDef"):
                self.functions.setdefault(node.name, node)

    def calls(self, node):
        """The functions that an expression or a simple statement calls by name."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if type(node) is list:
                waiting += node
                continue
            fields = getattr(node, "_fields", None)
            if fields is None or type(node).__name__ == "Lambda":
                continue
            if type(node).__name__ == "Call" and type(node.func).__name__ == "Name":
                self.called.append(node.func.id)
            for field in fields:
                value = getattr(node, field, None)
                if value is not None and type(value) is not str:
                    waiting.append(value)


def bound_names(tree):
    """What a module defines at its top; nothing when that cannot be said."""
    names = set()
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        kind = type(node).__name__
        if kind in ("FunctionDef", "AsyncFunctionDef", "ClassDef"):
            names.add(node.name)
            continue
        if kind in ("Import", "ImportFrom"):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            continue
        if kind == "Name":
            names.add(node.id)  # also what is only read: globals(), exec
        elif kind == "Lambda":
            continue
        for field in getattr(node, "_fields", ()):
            value = getattr(node, field, None)
            waiting += value if type(value) is list else [value]
    return None if names & {"*", "__getattr__", "globals", "exec", "vars", "setattr"} else names


class Source:
    def __init__(self, folder, roots, known):
        self.folder = folder
        self.roots = roots
        self.known = known  # the lines of an earlier call: "DIGEST\tPATH" to lines of imports
        self.absent = set()
        self.read = {}  # path to lines
        self.found = {}  # names to what find() gave
        self.listed = {}  # folders to their entries

    def path(self, *parts):
        return "/".join(part for part in parts if part)

    def module(self, stem):
        """The file of a module, "" for a folder of packages, None when there is neither."""
        for path in (stem + "/__init__.py", stem + ".py"):
            if is_file(self.folder + "/" + path):
                return path
        return "" if is_folder(self.folder + "/" + stem) else None

    def files_of(self, stem, names):
        """The files that `import a.b.c` executes, from a folder of imports or of a package on; None when the source
        has none."""
        files = []
        for name in names:
            stem = self.path(stem, name)
            file = self.module(stem)
            if file is None:
                break
            if file:
                files.append(file)
        return files

    def find(self, name):
        """The same for an absolute import, None where the source does not have its first part."""
        if name not in self.found:
            self.found[name] = self.look_for(name)
        return self.found[name]

    def look_for(self, name):
        names = name.split(".")
        for root in self.roots:
            stem = self.path(root, names[0])
            if self.has_compiled(root, names[0]):
                return []
            file = self.module(stem)
            if file is None:
                self.absent.add(stem)
            elif file:
                return self.files_of(root, names)
            elif files := self.files_of(root, names):
                return files
            elif self.has_modules(stem):
                return []
        return None

    def missing_part(self, folder, names):
        """The first parts of a module that has to be below a package's folder and is not, "" when nothing is missing.
        Packages that put their modules together by themselves lack nothing."""
        for number, name in enumerate(names):
            file = self.module(self.path(folder, name))
            if file is None:
                if not is_file(f"{self.folder}/{folder}/__init__.py") or self.has_compiled(folder, name):
                    return ""
                with open(f"{self.folder}/{folder}/__init__.py", "rb") as file:
                    text = file.read()
                return "" if b"__path__" in text or b"sys.modules" in text else ".".join(names[:number + 1])
            if file.endswith(name + ".py"):
                return ""
            folder = self.path(folder, name)
        return ""

    def lacks(self, name):
        """Whether the source has a module's package, but not the module."""
        return self.find(name) is not None and all(
            self.module(self.path(root, *name.split("."))) is None for root in self.roots)

    def entries(self, folder):
        if folder not in self.listed:
            try:
                self.listed[folder] = listdir(self.path(self.folder, folder))
            except OSError:
                self.listed[folder] = []
        return self.listed[folder]

    def has_compiled(self, root, name):
        return any(entry.startswith(name + ".") and entry.endswith(".so") for entry in self.entries(root))

    def has_modules(self, folder):
        return any(entry.endswith(".py") for entry in self.entries(folder))

    def read_file(self, path, entry, is_program):
        """The certain imports of a file: (line, names, unless)."""
        with open(self.folder + "/" + path, "rb") as file:
            data = file.read()
        digest = sha256(data).hexdigest()
        if is_program or entry:
            digest += "!" + entry
        head = digest + "\t" + path
        lines = self.known.get(head)
        if lines is None:
            lines = [f"import\t{line}\t{','.join(names)}\t{';'.join(map(','.join, unless))}"
                     for line, names, unless in self.parse(data, path, entry, is_program)]
        self.read[path] = [f"file\t{head}", *lines]
        return [(int(line), names.split(","), [group.split(",") for group in unless.split(";") if group])
                for _, line, names, unless in (text.split("\t") for text in lines)]

    def parse(self, data, path, entry, is_program):
        full = self.folder + "/" + path
        try:
            if is_program:
                compile(data, full, "exec", dont_inherit=True)
            tree = compile(data, full, "exec", ONLY_AST, dont_inherit=True)
        except UNREADABLE as error:
            if is_program:
                import traceback
                sys.exit("".join(traceback.format_exception_only(type(error), error)).rstrip())
            return []
        if entry:
            names = bound_names(tree)
            # A submodule counts as well.
            stem = path.rpartition("/")[0]
            if names is not None and entry not in names and (
                    not path.endswith("__init__.py") or self.module(stem + "/" + entry) is None):
                sys.exit(2)
        try:
            return Reader(tree, entry).imports
        except RecursionError:
            return []


def standard_modules():
    names = getattr(sys, "stdlib_module_names", None)  # since 3.10
    if names:
        return names
    names = set(sys.builtin_module_names)
    for folder in sys.path:
        if is_folder(folder):
            names |= {entry.partition(".")[0] for entry in listdir(folder)}
    return names


def image_folders():
    """Where the interpreter finds packages of its own: site.getsitepackages(), and Debian's."""
    version = "python%d.%d" % sys.version_info[:2]
    folders = []
    for prefix in (sys.prefix, sys.exec_prefix, *(["/usr/local"] if sys.prefix == "/usr" else [])):
        for library in ("lib", "lib64", "local/lib"):
            folders += [f"{prefix}/{library}/{version}/site-packages", f"{prefix}/{library}/{version}/dist-packages",
                        f"{prefix}/{library}/python3/dist-packages"]
    return [folder for folder in dict.fromkeys(folders) if is_folder(folder)]


def with_path_files(folders):
    """What .pth files of the folders add."""
    for folder in list(folders):
        for entry in sorted(listdir(folder)):
            if not entry.endswith(".pth"):
                continue
            try:
                with open(folder + "/" + entry, "rb") as file:
                    lines = file.read().decode("utf-8", "replace").splitlines()
            except OSError:
                continue
            for line in lines:
                path = line if line.startswith("/") else folder + "/" + line
                if line.strip() and not line.startswith(("#", "import ", "import\t")) and is_folder(path):
                    folders.append(path)
    return folders


def provides(folder, name):
    parts = name.split(".")
    while parts:
        try:
            entries = listdir(folder)
        except OSError:
            return False
        part = parts.pop(0)
        if any(entry == part + ".py" or entry.startswith(part + ".") and entry.endswith(".so") for entry in entries):
            return True
        if part not in entries:
            return False
        folder += "/" + part
        if is_file(folder + "/__init__.py"):
            return True
    return is_folder(folder)


def parse_known(text):
    known = {}
    lines = None
    for line in text.split("\n"):
        kind, _, rest = line.partition("\t")
        if kind == "file":
            lines = known[rest] = []
        elif kind == "import" and lines is not None:
            lines.append(line)
    return known


def main():
    folder, program, module, function, roots, paths = sys.argv[1:]
    known = parse_known(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"))
    source = Source(folder, roots.split(":"), known)
    standard = standard_modules()
    outside = []
    own = []
    waiting = [(program, True)] if program else []
    seen = {program}

    def own_folder(module, package):
        """The folder below which a relative import looks, and its parts; (None, []) for an absolute one."""
        if not module.startswith("."):
            return None, []
        level = len(module) - len(module.lstrip("."))
        above = package.split("/")
        return "/".join(above[:-level]), [part for part in module.lstrip(".").split(".") if part]

    def missing_of_source(name, package):
        """The module of the source's own that an import wants and the source has not got: what its build makes."""
        module = name.partition(":")[0]
        folder, parts = own_folder(module, package)
        if folder is None:
            top, *parts = module.split(".")
            roots = [root for root in source.roots if is_file(f"{source.folder}/{source.path(root, top)}/__init__.py")]
            if not roots or source.find(module) is None:
                return ""
            folder = source.path(roots[0], top)
        missing = parts and source.missing_part(folder, parts)
        if not missing:
            return ""
        root = max((root for root in source.roots if not root or folder.startswith(root + "/")), key=len, default=None)
        return "" if root is None else folder[len(root):].strip("/").replace("/", ".") + "." + missing

    def look_up(name, package):
        """Follows an import; whether somebody else has to have it."""
        name = name.replace(".:", ".").replace(":", ".")
        above, parts = own_folder(name, package)
        if above is not None:
            files = source.files_of(above, parts)
        else:
            files = source.find(name)
            if files is None:
                return name.partition(".")[0] not in standard
        for file in files:
            if file not in seen and not NAMELESS & set(file):
                seen.add(file)
                waiting.append((file, False))
        return False

    # The packages above a module are imported with it. One that the source has not got may be a part of a package
    # that the source has.
    if module and (look_up(module, "") or source.lacks(module)) and not program:
        outside.append((0, module, [], ""))
    while waiting:
        path, is_program = waiting.pop(0)
        try:
            imports = source.read_file(path, function if is_program else "", is_program)
        except OSError:
            if is_program:
                raise
            continue
        for line, names, unless in imports:
            # One that is there for certain makes its `except` impossible.
            groups = [[name.replace(":", ".") for name in group if look_up(name, path)] for group in unless]
            if not all(groups):
                continue
            for name in names:
                if look_up(name, path):
                    outside.append((line, name.replace(":", "."), groups, path))
                elif missing := missing_of_source(name, path):
                    own.append((line, missing, groups, path))

    image = with_path_files(image_folders())
    beside = [path for path in paths.split(":") if path and is_folder(path)]
    out = [line for lines in source.read.values() for line in lines]
    out += [f"absent\t{stem}" for stem in sorted(source.absent)]
    out += [f"folder\t{stat(path).st_mtime_ns}\t{path}" for path in [*image, *beside]]
    for line, name, groups, path in outside:
        where = next(("path" for place in beside if provides(place, name)), None) or \
            next(("image:" + place for place in image if provides(place, name)), "-")
        out.append(f"outside\t{line}\t{name}\t{';'.join(map(','.join, groups))}\t{where}\t{path}")
    for line, name, groups, path in own:
        out.append(f"outside\t{line}\t{name}\t{';'.join(map(','.join, groups))}\town\t{path}")
    sys.stdout.buffer.write("\n".join(out).encode("utf-8", "surrogateescape") + b"\n")


main()
