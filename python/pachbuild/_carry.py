# SPDX-License-Identifier: Apache-2.0
"""The source of a function with everything that it uses, as a program of its own.

A function of a notebook lives among names of other cells. Those that are functions, classes, modules and constants can be
written down; a live object (a model, a table, a connection) cannot, and is an error that names it with its line. Modules
beside the notebook come along as files; installed ones are imported, and have to be among the requirements.

The same code gives the same bytes, whatever the cells' numbers are: otherwise each execution of a cell would run all
datums again.
"""

from __future__ import annotations

import __future__ as future

import ast
import builtins
import importlib.util
import inspect
import linecache
import logging
import re
import site
import symtable
import sys
import sysconfig
import textwrap
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import FunctionType, ModuleType
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple, Union

from ._errors import SourceError

MARK = "# Written by pachbuild"
PROGRAM = "main.py"
LARGEST_CONSTANT = 1 << 20  # characters
DEEPEST_CONSTANT = 50
MOST_PARTS = 200_000
LAZY_ANNOTATIONS = "from __future__ import annotations"
# Each module has its own.
GIVEN = {"__name__", "__file__", "__doc__", "__package__", "__spec__", "__loader__", "__builtins__"}
PACKAGE = __name__.partition(".")[0]
INSTALLED = ("site-packages", "dist-packages")
MISSING = object()

Definition = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign]


@dataclass(frozen=True)
class Place:
    """A line, as a person finds it."""

    file: str
    number: int

    def __str__(self) -> str:
        cell = cell_name(self.file)
        if cell or not self.file:
            return f"{cell}, line {self.number}".removeprefix(", ")
        return f"{self.file}:{self.number}"


def shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def cell_name(file: str) -> str:
    """ "Cell In[3]" for the file that IPython takes a cell for."""
    name_it = getattr(getattr(shell(), "compile", None), "format_code_name", None)
    found = name_it(file) if name_it is not None else None
    return " ".join(found) if found else ""


def cells() -> Iterator[str]:
    """The files that IPython takes the cells of a notebook for, the newest first."""
    if shell() is not None:
        # A cell that is executed again without a change keeps its file and gets a new number.
        numbers = {file: re.search(r"\d+", cell_name(file)) for file in list(linecache.cache)}
        yield from sorted((file for file, found in numbers.items() if found),
                          key=lambda file: -int((numbers[file] or [0])[0]))


@dataclass
class Snippet:
    """A piece of source that defines one name."""

    file: str
    first: int  # the line of its beginning in the file
    text: str
    node: Definition

    def place(self, number: int) -> Place:
        return Place(self.file, self.first + number - 1)

    def without(self, dropped: List[ast.expr]) -> Snippet:
        """The same with empty lines in the place of these decorators."""
        lines = self.text.split("\n")
        for node in dropped:
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
        return Snippet(self.file, self.first, "\n".join(lines), self.node)


def snippet_of(thing: Any, name: str) -> Snippet:
    """The source of a function or class."""
    try:
        lines, first, file = source_of(thing)
    except (OSError, TypeError) as error:
        raise SourceError(f"the source of {name} is not known", name=name,
                          hint="define it in a cell or in a file, not with exec or at a prompt") from error
    text = "".join(lines)
    dedented = textwrap.dedent(text)
    try:
        nodes = ast.parse(dedented).body
    except SyntaxError:
        try:
            # Text in it may stand further to the left than the code.
            around = ast.parse("if True:\n" + text).body[0]
            assert isinstance(around, ast.If)
            dedented = "\n".join(map(ast.unparse, around.body))
            nodes = ast.parse(dedented).body
        except SyntaxError:
            nodes = []
    if len(nodes) != 1 or not is_definition_of(nodes[0], name, thing):
        raise SourceError(f"the source of {name} cannot be separated from the code around it", name=name,
                          where=str(Place(file, first)), hint="define it with def, on lines of its own")
    return Snippet(file, first, dedented, nodes[0])  # type: ignore[arg-type]


def is_definition_of(node: ast.stmt, name: str, thing: Any) -> bool:
    if isinstance(node, ast.Assign):
        return (isinstance(node.value, ast.Lambda) and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name)
    if isinstance(thing, type):
        return isinstance(node, ast.ClassDef) and node.name == thing.__name__
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == thing.__name__


def files_of_class(thing: type) -> Iterator[str]:
    """Where a class may be defined: inspect knows none of those in cells, whose module has no file."""
    for member in vars(thing).values():
        member = getattr(member, "__func__", getattr(member, "fget", member))
        code = getattr(member, "__code__", None)
        if code is not None and linecache.getlines(code.co_filename):
            yield str(code.co_filename)
    yield from cells()
    file = getattr(sys.modules.get(thing.__module__), "__file__", None)
    if file:
        yield str(file)


def source_of_class(thing: type) -> Tuple[List[str], int, str]:
    """The lines of a class, the first one's number, and the file."""
    for file in files_of_class(thing):
        lines = linecache.getlines(file)
        try:
            body = ast.parse("".join(lines)).body
        except SyntaxError:
            continue
        for node in reversed(body):
            if isinstance(node, ast.ClassDef) and node.name == thing.__name__:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                return lines[first - 1:node.end_lineno], first, file
    raise OSError("no source")


def source_of(thing: Any) -> Tuple[List[str], int, str]:
    if isinstance(thing, type):
        return source_of_class(thing)
    return *inspect.getsourcelines(thing), thing.__code__.co_filename


class TooLarge(Exception):
    """A constant has too many parts."""


@dataclass
class Budget:
    """How many parts a constant may have; lists of lists have no end where one is in itself."""

    left: int = MOST_PARTS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooLarge


def literal(value: Any, budget: Budget, depth: int = 0) -> Optional[str]:
    """The value as an expression; None: it cannot be written as one."""
    budget.spend()
    if depth > DEEPEST_CONSTANT:
        return None
    kind = type(value)
    if value is None or value is Ellipsis or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is float:
        return repr(value) if value - value == 0 else f'float("{value}")'
    if kind is complex:
        return f"complex({literal(value.real, budget)}, {literal(value.imag, budget)})"
    if isinstance(value, PurePath) and kind.__module__.partition(".")[0] == "pathlib":
        name = "Path" if isinstance(value, Path) else "PurePath"
        return f'__import__("pathlib").{name}({str(value)!r})'
    if isinstance(value, re.Pattern):
        return f'__import__("re").compile({value.pattern!r}, {value.flags})'
    if isinstance(value, logging.Logger):
        return f'__import__("logging").getLogger({value.name!r})'
    if kind is dict:
        pairs = [(literal(key, budget, depth + 1), literal(item, budget, depth + 1)) for key, item in value.items()]
        return None if any(None in pair for pair in pairs) else "{" + ", ".join(f"{a}: {b}" for a, b in pairs) + "}"
    if kind not in (tuple, list, set, frozenset):
        return None
    found = [literal(item, budget, depth + 1) for item in value]
    items = [item for item in found if item is not None]
    if len(items) < len(found):
        return None
    if kind is tuple:
        return "(" + ", ".join(items) + ("," if len(items) == 1 else "") + ")"
    if kind is list:
        return "[" + ", ".join(items) + "]"
    return f"{kind.__name__}([{', '.join(sorted(items))}])"


def top_name(module: str) -> str:
    return module.partition(".")[0]


def installed_folders() -> List[str]:
    found = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    # A virtualenv of old has neither.
    sites: List[str] = getattr(site, "getsitepackages", list)()
    user = getattr(site, "getusersitepackages", lambda: "")()
    return [*found, *sites, *([user] if user else [])]


def local_files(module: str) -> Optional[Tuple[Path, bool]]:
    """Where a top-level module of this machine alone is, and whether it is a folder. None: it is installed, or unknown."""
    loaded = sys.modules.get(module)
    origin = getattr(loaded, "__file__", None)
    folders = list(getattr(loaded, "__path__", ()))
    if loaded is None:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
        if spec is None:
            return None
        origin = spec.origin if spec.has_location else None
        folders = list(spec.submodule_search_locations or ())
    path = Path(folders[0]) if folders else Path(origin) if origin else None
    if path is None or not path.exists() or any(part in INSTALLED for part in path.parts):
        return None
    if any(path.is_relative_to(folder) for folder in installed_folders()):
        return None
    return path, bool(folders)


def import_names(node: ast.AST, package: str = "") -> Iterator[Tuple[str, str, str]]:
    """What an import statement binds: (name, module, attribute); no attribute: the module itself, or its first part."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or top_name(alias.name), alias.name if alias.asname else top_name(alias.name), ""
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level > 0:
            try:
                module = importlib.util.resolve_name("." * node.level + module, package)
            except (ImportError, ValueError):
                return
        for alias in node.names:
            yield alias.asname or alias.name, module, alias.name


def statements(body: List[ast.stmt]) -> Iterator[ast.stmt]:
    """Those that bind names of a module, also below `if` and `try`."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for name in ("body", "orelse", "finalbody"):
                yield from statements(getattr(node, name, []))
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)


def used_names(snippet: Snippet, has_lazy_annotations: bool) -> Set[str]:
    """The names of its module that a definition uses."""
    before = f"{LAZY_ANNOTATIONS}\n" if has_lazy_annotations else ""
    table = symtable.symtable(before + snippet.text, snippet.file, "exec")
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    waiting = table.get_children()
    while waiting:
        inner = waiting.pop()
        names |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
        waiting += inner.get_children()
    return names - GIVEN - ({"annotations"} if has_lazy_annotations else set())


def names_of_annotations(tree: ast.AST) -> Set[str]:
    """The names that are nowhere but in annotations, which type checkers alone may know."""
    notes = [note for node in ast.walk(tree) for note in (getattr(node, "annotation", None), getattr(node, "returns", None))
             if isinstance(note, ast.AST)]
    within = {id(part) for note in notes for part in ast.walk(note)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return {node.id for node in names} - {node.id for node in names if id(node) not in within}


@dataclass
class Source:
    """A program and the modules of this machine that it imports: files by their names in the source."""

    program: str
    modules: Dict[str, Path] = field(default_factory=dict)


class Carrier:
    """Collects what a function uses, each thing behind what it needs."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        self.globals = function.__globals__
        self.has_lazy_annotations = bool(function.__code__.co_flags & future.annotations.compiler_flag)
        self.imports: Set[str] = set()
        self.constants: Dict[str, str] = {}
        self.definitions: Dict[str, str] = {}
        self.values: Dict[str, Any] = {}
        self.modules: Set[str] = set()
        self.files: Dict[str, Path] = {}
        self._known_imports: Optional[List[Tuple[str, str, str]]] = None

    # What things are

    def module_imports(self) -> List[Tuple[str, str, str]]:
        """What the import statements of the function's file, or of all cells, bind."""
        if self._known_imports is None:
            file = self.globals.get("__file__") or self.function.__code__.co_filename
            self._known_imports = []
            for name in (str(file), *cells()):
                try:
                    body = ast.parse("".join(linecache.getlines(name))).body
                except (SyntaxError, ValueError):
                    continue
                for node in statements(body):
                    self._known_imports += import_names(node, str(self.globals.get("__package__") or ""))
        return self._known_imports

    def import_of(self, name: str, value: Any) -> Optional[Tuple[str, str]]:
        """The module, and the attribute of it, that has bound this name, as the person has written it."""
        for bound, module, attribute in self.module_imports():
            if bound not in (name, "*"):
                continue
            loaded = sys.modules.get(module)
            if not attribute and loaded is value:
                return module, ""
            attribute = name if attribute == "*" else attribute
            if attribute and loaded is not None and getattr(loaded, attribute, MISSING) is value:
                return module, attribute
            if attribute and sys.modules.get(f"{module}.{attribute}") is value:
                return module, attribute
        return None

    def importable(self, value: Any) -> Optional[Tuple[str, str]]:
        """Where a thing can be imported from, by what it says of itself."""
        if isinstance(value, ModuleType):
            return value.__name__, ""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if not isinstance(module, str) or not isinstance(name, str) or module in ("__main__", self.module_name):
            return None
        return (module, name) if getattr(sys.modules.get(module), name, MISSING) is value else None

    @property
    def module_name(self) -> str:
        return str(self.globals.get("__name__", "__main__"))

    def is_of_this_module(self, value: Any) -> bool:
        if isinstance(value, FunctionType):
            return value.__globals__ is self.globals
        return isinstance(value, type) and value.__module__ == self.module_name

    # Taking them

    def take(self, name: str, value: Any, user: str, place: Place) -> None:
        """Something that `user` uses by this name."""
        known = self.values.get(name, MISSING)
        if known is not MISSING:
            if known is not value:
                raise SourceError(f"{user} and what it uses have two things named {name}", name=name, number=place.number,
                                  where=str(place), hint="give one of them another name")
            return
        self.values[name] = value
        definition = unwrapped(value)
        found = self.import_of(name, value)
        if found is None and self.is_of_this_module(definition):
            return self.define(name, definition, user, place)
        found = found or self.importable(value)
        if found is not None:
            return self.add_import(name, *found, user, place)
        try:
            text = literal(value, Budget())
        except TooLarge:
            text = " " * (LARGEST_CONSTANT + 1)
        if text is None:
            raise SourceError(f"{user} uses {name}, {kind_of(value)}, which cannot be written as source code", name=name,
                              number=place.number, where=str(place),
                              hint=f"make {name} inside {user}, or read it from an input or a file; only functions, classes, "
                                   "modules and constants are included")
        if len(text) > LARGEST_CONSTANT:
            raise SourceError(f"{user} uses {name}, a constant of more than 1 MiB", name=name, number=place.number,
                              where=str(place), hint=f"read {name} from an input or a file")
        self.constants[name] = f"{name} = {text}\n"

    def add_import(self, name: str, module: str, attribute: str, user: str, place: Place) -> None:
        if top_name(module) == PACKAGE:
            raise SourceError(f"{user} uses {PACKAGE}, which is not available in pipelines", name=name,
                              number=place.number, where=str(place), hint=f"call it outside of {user}")
        if module == "__main__":
            raise SourceError(f"{user} uses {name}, the module of the notebook or script", name=name, number=place.number,
                              where=str(place), hint="use the names themselves")
        self.add_module(module, place)
        if attribute:
            text = f"from {module} import {attribute}" + ("" if attribute == name else f" as {name}")
        else:
            text = f"import {module}" + ("" if module == name else f" as {name}")
        self.imports.add(text)

    def define(self, name: str, thing: Any, user: str, place: Place) -> None:
        own_name = thing.__name__
        if own_name not in (name, "<lambda>"):
            # `average = mean`: both are names of one thing.
            self.take(own_name, thing, user, place)
            self.definitions[name] = f"{name} = {own_name}\n"
            return
        snippet = snippet_of(thing, name)
        if not isinstance(snippet.node, ast.Assign):
            snippet = snippet.without([node for node in snippet.node.decorator_list if self.is_ours(node)])
        self.need(snippet, name, thing)
        self.definitions[name] = snippet.text.strip("\n") + "\n"

    def need(self, snippet: Snippet, user: str, thing: Any) -> None:
        """Takes what the snippet uses."""
        variables = closure_of(thing)
        tree = ast.parse(snippet.text)
        only_annotations = names_of_annotations(tree)
        for name in sorted(used_names(snippet, self.has_lazy_annotations)):
            if name == user:
                continue
            place = snippet.place(line_of(tree, name))
            value = variables.get(name, self.globals.get(name, MISSING))
            if value is MISSING and name in only_annotations:
                continue
            if value is MISSING and not hasattr(builtins, name):
                raise SourceError(f"{user} uses {name}, which is not defined", name=name, number=place.number,
                                  where=str(place), hint=f"execute the cell that defines {name}")
            if value is MISSING or value is getattr(builtins, name, MISSING):
                continue
            self.take(name, value, user, place)
            if isinstance(value, ModuleType):
                self.add_submodules(tree, name, value)
        for node in ast.walk(tree):
            for _, module, _ in import_names(node):
                self.add_module(module, snippet.place(getattr(node, "lineno", 1)))

    def add_submodules(self, tree: ast.AST, name: str, module: ModuleType) -> None:
        """`import xml.dom` binds only `xml`: what is used below it has to be imported, too."""
        for node in ast.walk(tree):
            path = dotted(node)
            if len(path) < 2 or path[0] != name:
                continue
            at = module
            for part in path[1:]:
                below = sys.modules.get(f"{at.__name__}.{part}")
                if below is None or getattr(at, part, None) is not below:
                    break
                self.imports.add(f"import {below.__name__}")
                at = below

    def is_ours(self, node: ast.expr) -> bool:
        """Whether a decorator is the one that makes a pipeline of a function."""
        path = dotted(node.func if isinstance(node, ast.Call) else node)
        value = self.globals.get(path[0], MISSING) if path else MISSING
        if value is MISSING:  # a function around it has imported it
            return path in ([PACKAGE, "pipeline"], ["pipeline"])
        for part in path[1:]:
            value = getattr(value, part, MISSING)
        return getattr(value, "makes_pipelines", False) is True

    def add_module(self, module: str, place: Place) -> None:
        """A module that is imported: if only this machine has it, its files come along, and what they import."""
        top = top_name(module)
        if not top or top in self.modules:
            return
        if top == PACKAGE:
            raise SourceError(f"imports {PACKAGE}, which is not available in pipelines", name=PACKAGE, number=place.number,
                              where=str(place), hint="move what the function uses into a module without pipelines")
        found = local_files(top)
        if found is None:
            return
        path, is_folder = found
        if top == "main":
            raise SourceError("the module main has the name of the program", name="main", number=place.number,
                              where=str(place), hint=f"rename {path}")
        files = sorted(files_below(path)) if is_folder else [path]
        self.modules.add(top)
        for file in files:
            name = (Path(top) / file.relative_to(path)).as_posix() if is_folder else f"{top}{file.suffix}"
            self.files[name] = file
            if file.suffix == ".py":
                self.add_imports_of(file)

    def add_imports_of(self, file: Path) -> None:
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError) as error:
            raise SourceError(f"cannot be read: {error}", where=str(file), hint="fix it, or do not import it") from error
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level > 0:
                continue  # its own package is whole
            for _, module, _ in import_names(node):
                self.add_module(module, Place(str(file), getattr(node, "lineno", 1)))

    def source(self, ending: str) -> Source:
        self.take(self.function.__name__, self.function, self.function.__name__,
                  Place(self.function.__code__.co_filename, self.function.__code__.co_firstlineno))
        head = f"{MARK} from {self.function.__name__}(); write edits there.\n"
        if self.has_lazy_annotations:
            head += f"{LAZY_ANNOTATIONS}\n"
        parts = [head, "".join(f"{text}\n" for text in sorted(self.imports)), "".join(self.constants.values()),
                 *(f"\n{text}" for text in self.definitions.values()), f"\n{ending}"]
        return Source("\n".join(part for part in parts if part), self.files)


def unwrapped(value: Any) -> Any:
    """What is behind decorators that say what they wrap, as functools.wraps lets them."""
    try:
        return inspect.unwrap(value) if callable(value) and not isinstance(value, type) else value
    except ValueError:  # it says that it wraps itself
        return value


def files_below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and path.suffix != ".pyc" and not any(p.startswith(".") or p == "__pycache__" for p in parts):
            yield path


def dotted(node: ast.AST) -> List[str]:
    """The parts of `a.b.c`; none for anything else."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return [*before, node.attr] if before else []
    return []


def line_of(tree: ast.AST, name: str) -> int:
    """The first line in which a name is used."""
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    lines += [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global) and name in node.names]
    return min(lines, default=1)


def closure_of(thing: Any) -> Dict[str, Any]:
    """The variables of functions around this one."""
    found: Dict[str, Any] = {}
    functions = [thing] if isinstance(thing, FunctionType) else [
        member for member in vars(thing).values() if isinstance(member, FunctionType)]
    for function in functions:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                found[name] = cell.cell_contents
            except ValueError:
                pass  # it has no value yet
    found.pop("__class__", None)
    return found


def kind_of(value: Any) -> str:
    """ "an object of type numpy.ndarray", for messages; never the value itself, which may be secret, or large."""
    kind = type(value)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    return f"an object of type {module}{kind.__qualname__}"


def check_function(function: Any) -> FunctionType:
    """The function that is to be a program, without its decorators."""
    function = unwrapped(function)
    if not isinstance(function, FunctionType):
        raise SourceError(f"is not a function: {kind_of(function)}", where="pipeline",
                          hint="write @pachbuild.pipeline(input=…) above a function")
    name = function.__name__
    place = str(Place(function.__code__.co_filename, function.__code__.co_firstlineno))
    if name == "<lambda>":
        raise SourceError("a lambda cannot be a pipeline", where=place, hint="define a function with def")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise SourceError(f"{name} is async or a generator", name=name, where=place,
                          hint="use a plain function without async and yield; it can call asyncio.run()")
    return function
