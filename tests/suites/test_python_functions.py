# SPDX-License-Identifier: Apache-2.0
"""A function as a program of its own: what comes along with it, and what cannot."""

import itertools
import json
import linecache
import os
import shutil
import subprocess
import sys
import textwrap
import types

import python_package
import support
from pachbuild import _carry, _specs

import pachbuild

HEAD = "# Written by pachbuild from {name}(); write edits there.\n"
NUMBERS = itertools.count()


class FunctionSuite(python_package.PackageSuite):
    def module(self, text):
        """A module with this text, mostly below an import of pachbuild; each has its own name."""
        before = "" if "__future__" in text else "import pachbuild\n"
        return self.load(before + textwrap.dedent(text), f"steps{next(NUMBERS)}")

    def function(self, text, name="edges"):
        return _carry.check_function(getattr(self.module(text), name))

    def carried(self, text, name="edges"):
        """What comes before the call, and the files."""
        source = _carry.Carrier(self.function(text, name)).source("END\n")
        head = HEAD.format(name=name)
        self.assertTrue(source.program.startswith(head) and source.program.endswith("\n\n\nEND\n"), source.program)
        compile(source.program, "main.py", "exec")
        return source.program[len(head):-len("\n\n\nEND\n")] + "\n", source.modules

    def program(self, text, name="edges"):
        return self.carried(text, name)[0]

    def assert_refused(self, text, what, hint, line, name="", place=None):
        function = self.function(text)
        with self.assertRaises(pachbuild.SourceError) as raised:
            _carry.Carrier(function).source("END\n")
        error = raised.exception
        place = place or f"{function.__globals__['__file__']}:{line}"
        self.assertEqual((error.what, error.hint, error.where, error.exit_code), (what, hint, place, 65))
        self.assertEqual((error.name, error.number), (name, line))


class Carried(FunctionSuite):
    def test_a_function_alone(self):
        self.assertEqual(self.program("""
            def edges(images, out):
                '''Finds edges.

            text that stands further to the left
                '''
                # a comment
                return [x for x in images if x]
            """), """

def edges(images, out):
    '''Finds edges.

text that stands further to the left
    '''
    # a comment
    return [x for x in images if x]
""")

    def test_what_it_uses_comes_first_and_once(self):
        self.assertEqual(self.program("""
            import json
            import os.path as paths
            from pathlib import Path as P
            LIMIT = 3
            UNUSED = object()

            def unused(): return UNUSED

            def base(x):
                return x * LIMIT

            class Tool(dict):
                size: int = LIMIT

                def go(self, x):
                    return base(x) + other(x)

            def other(x, most=LIMIT):
                return edges if x > most else Tool()

            def edges(data: P):
                LOCAL = json.dumps({})
                return base(LOCAL), other(2), paths.join("a", data.json)
            """), """
from pathlib import Path as P
import json
import os.path as paths

LIMIT = 3


def base(x):
    return x * LIMIT


class Tool(dict):
    size: int = LIMIT

    def go(self, x):
        return base(x) + other(x)


def other(x, most=LIMIT):
    return edges if x > most else Tool()


def edges(data: P):
    LOCAL = json.dumps({})
    return base(LOCAL), other(2), paths.join("a", data.json)
""")

    def test_constants_are_written_as_they_are_now(self):
        self.assertEqual(self.program("""
            import logging, pathlib, re
            A = None, True, 1, -2.5, 1j, "a\\n'", b"\\0", ...
            B = {"k": [1, (2,), ()], 3: {"y", "x"}, "f": frozenset([2, 1])}
            C = pathlib.Path("/pfs/a b"), pathlib.PurePosixPath("x")
            D = re.compile("a+", re.I)
            E = float("inf"), float("-inf"), set()
            LOG = logging.getLogger("steps")

            def edges():
                return A, B, C, D, E, LOG
            """), """
A = (None, True, 1, -2.5, complex(0.0, 1.0), "a\\n'", b'\\x00', Ellipsis)
B = {'k': [1, (2,), ()], 3: set(['x', 'y']), 'f': frozenset([1, 2])}
C = (__import__("pathlib").Path('/pfs/a b'), __import__("pathlib").PurePath('x'))
D = __import__("re").compile('a+', 34)
E = (float("inf"), float("-inf"), set([]))
LOG = __import__("logging").getLogger('steps')


def edges():
    return A, B, C, D, E, LOG
""")
        self.assertEqual(_carry.literal(float("nan"), _carry.Budget()), 'float("nan")')

    def test_nothing_depends_on_the_seed_of_hashes(self):
        self.write("steps.py", "NAMES = {'a', 'b', 'c', 'd'}\nimport json, os, re\n"
                               "def f(): return json\ndef g(): return os\ndef edges(): return NAMES, f, g, re\n")
        code = ("import sys; sys.path.insert(0, sys.argv[1])\nimport steps\nfrom pachbuild import _carry\n"
                "print(_carry.Carrier(steps.edges).source('').program)\n")
        found = {self.succeed(sys.executable, "-c", code, python_package.FOLDER,
                              env=support.environment(PYTHONHASHSEED=str(seed), PYTHONPATH=str(self.folder))).stdout
                 for seed in range(5)}
        self.assertEqual(len(found), 1)

    def test_other_names_decorators_and_lambdas(self):
        self.assertEqual(self.program("""
            import functools

            def mean(x): return sum(x)

            average = mean
            twice = lambda x: average(x) * 2

            def loud(function):
                @functools.wraps(function)
                def inner(*a):
                    return function(*a)
                return inner

            @functools.lru_cache(maxsize=None)
            @loud
            def slow(x): return twice(x)

            @pachbuild.pipeline(
                input="a",
            )
            @loud
            def edges():
                return slow
            """), """
import functools


def loud(function):
    @functools.wraps(function)
    def inner(*a):
        return function(*a)
    return inner


def mean(x): return sum(x)


average = mean


twice = lambda x: average(x) * 2


@functools.lru_cache(maxsize=None)
@loud
def slow(x): return twice(x)


@loud
def edges():
    return slow
""")

    def test_the_decorator_goes_whatever_it_is_called(self):
        for before, decorator in (("import pachbuild as pb", "pb.pipeline(input='a')"),
                                  ("from pachbuild import pipeline as p", "p(input='a')"),
                                  ("step = pachbuild.pipeline(input='a')", "step")):
            self.assertEqual(self.program(f"{before}\n@{decorator}\ndef edges(): pass\n"), "\n\ndef edges(): pass\n", decorator)

    def test_a_function_in_a_function(self):
        module = self.module("""
            LEVEL = 1
            def make(level):
                from json import dumps
                def helper(): return level
                def edges(): return helper(), dumps, LEVEL
                return edges
            """)
        self.assertEqual(_carry.Carrier(module.make(7)).source("").program, HEAD.format(name="edges") + """
from json import dumps

LEVEL = 1
level = 7


def helper(): return level


def edges(): return helper(), dumps, LEVEL


""")

    def test_another_pipeline_is_its_function(self):
        self.assertEqual(self.program("""
            @pachbuild.pipeline(input="a")
            def first(a): return a

            def edges(): return first("x")
            """), "\n\ndef first(a): return a\n\n\ndef edges(): return first(\"x\")\n")

    def test_names_that_only_type_checkers_know(self):
        self.assertEqual(self.program("""
            from __future__ import annotations
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from nowhere import Table

            def edges(a: Table) -> Table:
                b: Table = a
                return b
            """), """from __future__ import annotations


def edges(a: Table) -> Table:
    b: Table = a
    return b
""")

    def test_globals_that_a_function_sets_and_names_of_modules(self):
        self.assertEqual(self.program("""
            count = 0
            def edges():
                global count
                count += 1
                return __name__, __file__
            """), """
count = 0


def edges():
    global count
    count += 1
    return __name__, __file__
""")

    def test_modules_below_modules(self):
        self.assertEqual(self.program("""
            import xml.dom.minidom
            import email as mail
            import email.mime.text
            def edges(): return xml.dom.minidom.parse, mail.mime.text.MIMEText, mail.policy
            """), """
import email as mail
import email.mime
import email.mime.text
import email.policy
import xml
import xml.dom
import xml.dom.minidom


def edges(): return xml.dom.minidom.parse, mail.mime.text.MIMEText, mail.policy
""")

    def test_what_a_star_or_a_try_has_imported(self):
        self.assertEqual(self.program("""
            from os.path import *
            try:
                from nowhere import dumps
            except ImportError:
                from json import dumps
            def edges(): return join, dumps
            """), "\nfrom json import dumps\nfrom os.path import join\n\n\ndef edges(): return join, dumps\n")


class LocalModules(FunctionSuite):
    def setUp(self):
        super().setUp()
        sys.path.insert(0, str(self.folder))
        self.addCleanup(sys.path.remove, str(self.folder))
        before = set(sys.modules)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in set(sys.modules) - before])

    def test_come_along_with_what_they_import(self):
        self.write("first_local.py", "import second_local, json\nfrom package_local.inner import deep\n")
        self.write("second_local.py", "")
        self.write("third_local.py", "")
        self.write("package_local/__init__.py", "from . import inner\n")
        self.write("package_local/inner.py", "deep = 1\n")
        self.write("package_local/table.csv", "1\n")
        self.write("package_local/__pycache__/x.pyc", "")
        self.write("package_local/.hidden/x.py", "")
        text, files = self.carried("""
            from first_local import deep as d
            def edges():
                import third_local
                return d
            """)
        self.assertEqual(text, "\nfrom first_local import deep as d\n\n\ndef edges():\n    import third_local\n    return d\n")
        self.assertEqual({name: str(path.relative_to(self.folder)) for name, path in files.items()}, {
            name: name for name in ("first_local.py", "second_local.py", "third_local.py", "package_local/__init__.py",
                                    "package_local/inner.py", "package_local/table.csv")})

    def test_a_function_of_another_module_is_imported(self):
        self.write("helpers_local.py", "def mean(x): return x\nclass Tool: pass\nTABLE = object()\n")
        text, files = self.carried("import helpers_local\nmean = helpers_local.mean\nTool = helpers_local.Tool\n"
                                   "def edges(): return mean, Tool, helpers_local.TABLE\n")
        self.assertEqual(text, "\nfrom helpers_local import Tool\nfrom helpers_local import mean\nimport helpers_local\n\n\n"
                               "def edges(): return mean, Tool, helpers_local.TABLE\n")
        self.assertEqual(list(files), ["helpers_local.py"])

    def test_that_cannot_come_along(self):
        self.write("broken_local.py", "def (\n")
        with self.fails("FOLDER/broken_local.py: cannot be read: invalid syntax (<unknown>, line 1)\n"
                        "hint: fix it, or do not import it", 65, pachbuild.SourceError):
            self.carried("def edges():\n    import broken_local\n")
        self.write("pipelines_local.py", "\nfrom pachbuild import pipeline\ndef helper(): pass\n")
        for text, place, line in (("from pipelines_local import helper\ndef edges(): helper()\n", "pipelines_local.py:2", 2),
                                  ("def edges():\n    import pachbuild.x\n", None, 3)):
            self.assert_refused(text, "imports pachbuild, which is not available in pipelines",
                                "move what the function uses into a module without pipelines", line, "pachbuild",
                                place and f"{self.folder}/{place}")
        self.write("main.py", "")
        sys.modules.pop("main", None)
        self.assert_refused("\ndef edges():\n    import main\n", "the module main has the name of the program",
                            f"rename {self.folder}/main.py", 4, "main")


class Refused(FunctionSuite):
    LIVE = ("make {0} inside edges, or read it from an input or a file; only functions, classes, modules and constants are included")

    def test_a_live_object_with_its_name_and_line(self):
        self.assert_refused("""
            import threading
            model = threading.Lock()
            def edges():
                x = 1
                return model
            """, "edges uses model, an object of type _thread.lock, which cannot be written as source code",
                            self.LIVE.format("model"), 7, "model")

    def test_a_live_object_of_a_helper_and_in_a_list(self):
        self.assert_refused("""
            class Secret:
                def __repr__(self): raise AssertionError("shown")
            tools = [1, {"a": Secret()}]
            def helper(): return tools
            def edges(): return helper()
            """, "helper uses tools, an object of type list, which cannot be written as source code",
                            self.LIVE.format("tools").replace("edges", "helper"), 6, "tools")

    def test_a_variable_of_a_function_around_it(self):
        module = self.module("def make(table):\n    def edges(): return table\n    return edges\n")
        with self.fails(f"FOLDER/{module.__name__}.py:3: edges uses table, an object of type object, which cannot be written as "
                        f"source code\nhint: {self.LIVE.format('table')}", 65, pachbuild.SourceError):
            _carry.Carrier(module.make(object())).source("")

    def test_a_name_that_nobody_has_defined(self):
        self.assert_refused("def edges():\n    return mising\n", "edges uses mising, which is not defined",
                            "execute the cell that defines mising", 3, "mising")

    def test_two_things_of_one_name(self):
        module = self.module("""
            def make():
                def helper(): return limit
                limit = 1
                def outer():
                    limit = 2
                    def edges(): return helper(), limit
                    return edges
                return outer()
            """)
        with self.fails(f"FOLDER/{module.__name__}.py:8: edges and what it uses have two things named limit\n"
                        "hint: give one of them another name", 65, pachbuild.SourceError):
            _carry.Carrier(module.make()).source("")

    def test_constants_have_a_largest_size(self):
        for text, fits in (("'x' * (2**20 - 2)", True), ("'x' * (2**20 - 1)", False), ("[0] * 199_999", True),
                           ("[0] * 200_000", False)):
            code = f"BIG = {text}\ndef edges(): return BIG\n"
            if fits:
                self.program(code)
            else:
                self.assert_refused(code, "edges uses BIG, a constant of more than 1 MiB",
                                    "read BIG from an input or a file", 3, "BIG")
        deep = "x = []\nfor _ in range({}): x = [x]\ndef edges(): return x\n"
        self.program(deep.format(50))
        self.assert_refused(deep.format(51), "edges uses x, an object of type list, which cannot be written as source code",
                            self.LIVE.format("x"), 4, "x")
        self.assert_refused("x = []\nx += [x, x]\ndef edges(): return x\n", "edges uses x, a constant of more than 1 MiB",
                            "read x from an input or a file", 4, "x")

    def test_pachbuild_itself_and_the_notebook(self):
        self.assert_refused("def edges(): return pachbuild.run\n", "edges uses pachbuild, which is not available in pipelines",
                            "call it outside of edges", 2, "pachbuild")
        self.assert_refused("import __main__\ndef edges(): return __main__\n",
                            "edges uses __main__, the module of the notebook or script", "use the names themselves", 3, "__main__")

    def test_a_function_without_source(self):
        space = {}
        exec("def edges(): pass", space)
        with self.fails("the source of edges is not known\nhint: define it in a cell or in a file, not with exec or at a prompt",
                        65, pachbuild.SourceError):
            _carry.Carrier(space["edges"]).source("")

    def test_a_lambda_that_shares_its_line(self):
        module = self.module("pair = (lambda: 1), (lambda: 2)\none = pair[0]\ndef edges(): return one()\n")
        with self.fails(f"FOLDER/{module.__name__}.py:2: the source of one cannot be separated from the code around it\n"
                        "hint: define it with def, on lines of its own", 65, pachbuild.SourceError):
            _carry.Carrier(module.edges).source("")

    def test_things_that_are_no_plain_functions(self):
        module = self.module("async def a(): pass\ndef b(): yield\nasync def c(): yield\nd = lambda: 1\n")
        place = f"FOLDER/{module.__name__}.py"
        for number, name in enumerate("abc", 2):
            with self.fails(f"{place}:{number}: {name} is async or a generator\n"
                            "hint: use a plain function without async and yield; it can call asyncio.run()", 65, pachbuild.SourceError):
                pachbuild.pipeline(getattr(module, name), input="a")
        with self.fails(f"{place}:5: a lambda cannot be a pipeline\nhint: define a function with def", 65, pachbuild.SourceError):
            pachbuild.pipeline(module.d, input="a")
        for thing, kind in ((3, "int"), (dict, "type"), (print, "builtin_function_or_method")):
            with self.fails(f"pipeline: is not a function: an object of type {kind}\n"
                            "hint: write @pachbuild.pipeline(input=…) above a function", 65, pachbuild.SourceError):
                pachbuild.pipeline(thing, input="a")


class Notebooks(FunctionSuite):
    """Cells as IPython has them; a real kernel is in tests/long."""

    def setUp(self):
        super().setUp()
        self.space = {"__name__": "__main__", "pachbuild": pachbuild}
        names = {}
        shell = types.SimpleNamespace(compile=types.SimpleNamespace(format_code_name=names.get))
        sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
        self.addCleanup(sys.modules.pop, "IPython")
        self.names, self.codes = names, []

    def cell(self, text):
        file = f"{self.folder}/kernel/{next(NUMBERS)}.py"
        self.names[file] = ("Cell", f"In[{len(self.names) + 1}]")
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        self.codes.append((file, compile(text, file, "exec")))
        exec(self.codes[-1][1], self.space)

    def again(self, number):
        """Executes a cell again, as it is."""
        file, code = self.codes[number - 1]
        self.names[file] = ("Cell", f"In[{len(self.codes) + 8}]")
        exec(code, self.space)

    def test_names_of_other_cells(self):
        self.cell("import json as j\nfrom dataclasses import dataclass\n")
        self.cell("LEVEL = 1\n\n@dataclass\nclass Pair:\n    a: int\n")
        self.cell("@dataclass\nclass Pair:\n    b: int\n")
        self.again(2)
        self.cell("class Pair2:\n    x = 1\n    def go(self): return Pair\n")
        self.cell("@pachbuild.pipeline(input='images')\ndef edges(images):\n    return j, LEVEL, Pair(1), Pair2()\n")
        self.cell("LEVEL = 2\n")
        program = self.space["edges"].source
        self.assertEqual(program[:program.index("if __name__")], HEAD.format(name="edges") + """
from dataclasses import dataclass
import json as j

LEVEL = 2


@dataclass
class Pair:
    a: int


class Pair2:
    x = 1
    def go(self): return Pair


def edges(images):
    return j, LEVEL, Pair(1), Pair2()


""")

    def test_errors_name_the_cell(self):
        self.cell("\nmodel = object()\n")
        self.cell("# a comment\n@pachbuild.pipeline(input='images')\ndef edges(images):\n    return model\n")
        with self.fails("Cell In[2], line 4: edges uses model, an object of type object, which cannot be written as source code\n"
                        f"hint: {Refused.LIVE.format('model')}", 65, pachbuild.SourceError) as raised:
            self.space["edges"].source
        self.assertEqual((raised.exception.name, raised.exception.number), ("model", 4))

    def test_a_cell_that_is_executed_again_changes_nothing(self):
        text = "@pachbuild.pipeline(input='images')\ndef edges(images): pass\n"
        self.cell(text)
        before = self.space["edges"].source
        self.cell("pass\n")
        self.cell(text)
        self.assertEqual(self.space["edges"].source, before)


class Calls(FunctionSuite):
    """What the function is called with."""

    def call(self, parameters, input="images", body="pass"):
        edges = pachbuild.pipeline(self.module(f"def edges({parameters}): {body}\n").edges, input=input)
        return edges.source.rpartition("    edges(")[2].removesuffix(")\n")

    def test_inputs_and_out_are_paths(self):
        self.assertEqual(self.call(""), "")
        self.assertEqual(self.call("images, out"), "images=_pachbuild_input('images'), out=_pachbuild_pathlib.Path(\"/pfs/out\")")
        self.assertEqual(self.call("images, /, level=3, *more, out, **rest"),
                         "_pachbuild_input('images'), out=_pachbuild_pathlib.Path(\"/pfs/out\")")
        self.assertEqual(self.call("level=1, images=None, /, *, out"), "out=_pachbuild_pathlib.Path(\"/pfs/out\")")
        self.assertEqual(self.call("my_data", "my-data:/"), "my_data=_pachbuild_input('my-data')")
        nested = {"cross": [{"pfs": {"repo": "r", "name": "a", "glob": "/"}},
                            {"group": [{"pfs": {"repo": "b", "glob": "/*", "group_by": "$1"}}]}, {"cron": {"name": "t"}}]}
        self.assertEqual(self.call("a, b, t", nested), "a=_pachbuild_input('a'), b=_pachbuild_pathlib.Path(\"/pfs/b\"), "
                                                       "t=_pachbuild_input('t')")

    def test_a_parameter_that_is_no_input(self):
        for input, names in (
                ("images", "give it the name of an input (images), "),
                (["a", "b-c"], "give it the name of an input (a, b_c), "), ({"pfs": {}}, "")):
            with self.fails(f"FOLDER/steps{self.next_number()}.py:2: edges has a parameter image, which is not an input\n"
                            f"hint: {names}name it out for /pfs/out, or give it a default", 65,
                            pachbuild.SourceError) as raised:
                self.call("image", input)
            self.assertEqual((raised.exception.name, raised.exception.number), ("image", 2))

    def next_number(self):
        number = next(NUMBERS)
        return number + 1

    def test_the_program_calls_it(self):
        edges = pachbuild.pipeline(self.module("def edges(a, b, out): print([str(x) for x in (a, b, out)])\n").edges,
                                   input=["a", "b"])
        program = self.write("main.py", edges.source)
        printed = subprocess.run([sys.executable, program], env={**os.environ, "a": "/pfs/a/x"}, capture_output=True, text=True)
        self.assertEqual(printed.stdout, "['/pfs/a/x', 'None', '/pfs/out']\n")
        self.assertEqual(self.succeed(sys.executable, "-c", "import main", env=dict(os.environ)).stdout, "")


class Specs(FunctionSuite):
    def pipeline(self, **options):
        options.setdefault("input", "images")
        return pachbuild.pipeline(self.module("def edges(): 'Finds edges.'\n").edges, **options)

    def test_of_a_function(self):
        self.assertEqual(self.pipeline().spec, {
            "pipeline": {"name": "edges"}, "transform": {"build": {"language": "python", "path": "source"}},
            "input": {"pfs": {"repo": "images", "glob": "/*"}}})
        many = self.pipeline(name="other", input=["a:/", {"cron": {"name": "t", "spec": "@daily"}}], env={"X": "1"},
                             datum_timeout="60s", transform={"image": "i", "build": {"env": {"Y": "2"}}}, pipeline=None)
        self.assertEqual(many.spec, {
            "pipeline": {"name": "other"},
            "transform": {"build": {"language": "python", "path": "source", "env": {"Y": "2"}}, "env": {"X": "1"}, "image": "i"},
            "input": {"cross": [{"pfs": {"repo": "a", "glob": "/"}}, {"cron": {"name": "t", "spec": "@daily"}}]},
            "datum_timeout": "60s"})
        self.assertEqual(repr(many), "<Pipeline other: reads a, t>")
        self.assertEqual((many.__name__, many.__doc__), ("edges", "Finds edges."))

    def test_is_still_a_function(self):
        edges = pachbuild.pipeline(self.module("def edges(images, k=1): return images + k\n").edges, input="images")
        self.assertEqual((edges(1), edges(1, k=3)), (2, 4))

    def test_inputs_that_are_none(self):
        example = '\nhint: for example input="images:/*"'
        for input, text in (("", "input '': names no repo"), (":/*", "input ':/*': names no repo"), ([], "input: has no inputs"),
                            (3, "input: is not an input: 3"), (None, "input: is not an input: None")):
            with self.fails(text + example, 64):
                self.pipeline(input=input)
        with self.fails("input.pfs.repo[0]: cannot be part of a spec: object\n"
                        "hint: pass a string, number, list, dictionary or pachyderm_sdk message", 65):
            self.pipeline(input={"pfs": {"repo": [object()]}})

    def test_what_is_written(self):
        self.write("lists/base.txt", "six\n")
        self.write("extra/a/b.txt", "b")
        self.write("extra/.hidden", "")
        self.write("one.csv", "1")
        edges = self.pipeline(requirements=["six==1.16.0", "idna"], python="3.11", files=["extra", "one.csv"])
        spec = edges.write("kept here")
        self.assertEqual(spec, self.folder / "kept here/pipeline.json")
        self.assertEqual(json.loads(spec.read_text()), edges.spec)
        source = self.folder / "kept here/source"
        found = {path.relative_to(source).as_posix(): path.read_text() for path in source.rglob("*") if path.is_file()}
        self.assertEqual(found, {"main.py": edges.source, "requirements.txt": "six==1.16.0\nidna\n", ".python-version": "3.11\n",
                                 "extra/a/b.txt": "b", "one.csv": "1"})
        again = self.pipeline(requirements="lists/base.txt")
        again.write("kept here")
        found = {path.relative_to(source).as_posix(): path.read_text() for path in source.rglob("*")}
        self.assertEqual(found, {"main.py": again.source, "requirements.txt": "six\n"})

    def test_links_lead_nowhere(self):
        self.write("elsewhere/kept.txt", "1")
        for link in (".pachbuild-pipelines", ".pachbuild-pipelines/edges", ".pachbuild-pipelines/edges/source",
                     ".pachbuild-pipelines/edges/source/extra"):
            path = self.folder / link
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(self.folder / "elsewhere")
            self.write("extra/x/y.txt", "")
            with self.fails(f"FOLDER/{link}: is a link, but pachbuild writes its own files here\nhint: remove it", 73):
                self.pipeline(files=["extra"]).prepare()
            path.unlink()
        edges = self.pipeline(files=["extra"])
        edges.prepare()
        own = self.folder / ".pachbuild-pipelines/edges"
        shutil.rmtree(own / "source/extra")
        (own / "source/extra").symlink_to(self.folder / "elsewhere")
        (own / ".source.lock").write_text('["extra/kept.txt", "../../../elsewhere/kept.txt", "/nowhere", "", 3]')
        self.pipeline().prepare()
        self.assertEqual((self.folder / "elsewhere/kept.txt").read_text(), "1")
        (own / ".source.lock").unlink()
        (own / ".source.lock").symlink_to(self.folder / "elsewhere/kept.txt")
        with self.fails("FOLDER/.pachbuild-pipelines/edges/.source.lock: cannot write: Too many levels of symbolic links", 73):
            self.pipeline().prepare()
        self.assertEqual((self.folder / "elsewhere/kept.txt").read_text(), "1")

    def test_what_somebody_put_beside_it_stays(self):
        self.write("extra/x/y.txt", "")
        self.pipeline(files=["extra"]).write("kept")
        self.write("kept/source/mine.txt", "")
        self.write("kept/source/extra/mine.txt", "")
        self.pipeline().write("kept")
        found = sorted(path.relative_to(self.folder / "kept/source").as_posix() for path in (self.folder / "kept/source").rglob("*"))
        self.assertEqual(found, ["extra", "extra/mine.txt", "main.py", "mine.txt"])

    def test_nothing_of_others_is_written_over(self):
        self.write("mine/source/main.py", "print()\n")
        self.write("file", "")
        (self.folder / "empty").mkdir()
        self.pipeline().write("empty")
        for name in ("mine", "file"):
            with self.fails(f"FOLDER/{name}: exists, and is not a pipeline that this package wrote\nhint: name a new folder", 73):
                self.pipeline().write(name)
        self.assertEqual((self.folder / "mine/source/main.py").read_text(), "print()\n")
        with self.fails("FOLDER/file/new/source: cannot write: Not a directory", 73):
            self.pipeline().write("file/new")

    def test_files_that_are_missing_or_there_twice(self):
        with self.fails("FOLDER/nowhere: cannot read: No such file or directory", 65):
            self.pipeline(files=["nowhere"]).write("x")
        with self.fails("nowhere.txt: cannot read: No such file or directory", 65):
            self.pipeline(requirements="nowhere.txt").write("x")
        self.write("main.py", "")
        with self.fails("main.py: two files have this name: FOLDER/main.py is the other\nhint: rename one of them", 65):
            self.pipeline(files=["main.py"]).write("x")
        self.assertFalse((self.folder / "x").exists())

    def test_names_of_folders(self):
        for name, folder in (("edges", "edges"), ("a-B_1", "a-B_1"), ("", "pipeline-e3b0c442"), ("../x", "pipeline-63ce03de"),
                             ("x" * 99, "x" * 99), ("x" * 100, "pipeline-a1b2c3"), ("é", "pipeline-")):
            found = _specs.folder_name(name)
            self.assertTrue(found == folder or (found.startswith("pipeline-") and len(found) == 17), (name, found))
            self.assertNotIn("/", found)


if __name__ == "__main__":
    support.main()
