# SPDX-License-Identifier: Apache-2.0
"""The Python package in a real Jupyter kernel, with pandas: the notebook of examples/notebook, errors that name cells, the
line that says how far a run is, the kernel's interruption and its end."""

import contextlib
import json
import pathlib
import subprocess
import time

import support

# What a person has; which versions does not matter.
PACKAGES = ("nbclient", "ipykernel", "pandas")

# Executes the cells of a notebook, and prints it with their outputs. With a number: interrupts the kernel when the file
# "runs" is there.
EXECUTE = """
import asyncio, json, pathlib, sys
import nbformat
from nbclient import NotebookClient

book = nbformat.reads(sys.stdin.read(), as_version=4)
client = NotebookClient(book, timeout=600, allow_errors=True, resources={"metadata": {"path": "."}})

async def interrupt():
    while not pathlib.Path("runs").exists():
        await asyncio.sleep(0.05)
    await getattr(client.km, sys.argv[1])(**({"now": True} if sys.argv[1] == "shutdown_kernel" else {}))

async def main():
    if len(sys.argv) > 1:
        asyncio.ensure_future(interrupt())
    try:
        await client.async_execute()
    except Exception as error:
        print(error, file=sys.stderr)

asyncio.run(main())
print(nbformat.writes(book))
"""


class Notebook(support.Suite):
    @classmethod
    def setUpClass(cls):
        support.require_network()
        cls.venv = support.shared_cache("notebook")
        if not (cls.venv / "whole").exists():
            uv = support.require_tool("uv")
            env = support.environment(UV_CACHE_DIR=str(support.shared_cache("uv")))
            subprocess.run([uv, "venv", "--quiet", "--clear", cls.venv], env=env, check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", cls.venv / "bin/python", *PACKAGES], env=env, check=True)
            (cls.venv / "whole").touch()

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.env = support.environment(
            PACHBUILD_BIN=str(support.BIN), PACHBUILD_CACHE_DIR=str(self.cache), PYTHONPATH=str(support.ROOT / "python"),
            UV_CACHE_DIR=str(support.shared_cache("uv")), IPYTHONDIR=str(self.folder / "ipython"),
            JUPYTER_RUNTIME_DIR=str(self.folder / "runtime"), JUPYTER_DATA_DIR=str(self.folder / "jupyter"))
        self.write("data/a", "one")
        self.write("data/b", "two")

    def execute(self, book, *arguments, cwd=None):
        result = self.run_program(self.venv / "bin/python", "-c", EXECUTE, *arguments, stdin=book, env=self.env, cwd=cwd)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [cell for cell in json.loads(result.stdout)["cells"] if cell["cell_type"] == "code"]

    def cells(self, *texts, arguments=()):
        book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
            {"cell_type": "code", "id": f"c{number}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
            for number, text in enumerate(texts)]}
        return [cell["outputs"] for cell in self.execute(json.dumps(book), *arguments)]

    def text_of(self, outputs):
        return "".join("".join(output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", ""))
                       for output in outputs)

    def test_the_example(self):
        example = support.ROOT / "examples/notebook/masses.ipynb"
        book = example.read_text(encoding="utf-8")
        self.assertEqual([cell.get("outputs", []) for cell in json.loads(book)["cells"] if cell.get("outputs")], [])
        (self.folder / "examples/penguins").parent.mkdir()
        (self.folder / "examples/penguins").symlink_to(support.ROOT / "examples/penguins")
        (self.folder / "examples/notebook").mkdir()
        cells = self.execute(book, cwd=self.folder / "examples/notebook")
        for cell in cells:
            self.assertEqual([output for output in cell["outputs"] if output["output_type"] == "error"], [], cell["source"])
        result, means, table = cells[-3:]
        shown = [output for output in result["outputs"] if output["output_type"] == "execute_result"]
        self.assertIn("<b>masses</b>: 9 datums, build ", "".join(shown[0]["data"]["text/html"]))
        line = [output for output in result["outputs"] if output["output_type"] == "display_data"]
        self.assertEqual(["".join(output["data"]["text/plain"]) for output in line], [""], "the line of the run, which has gone")
        self.assertRegex("".join(means["outputs"][0]["data"]["text/plain"]), r"Biscoe/2007.csv +Adelie +\d+\.\d\n")
        self.assertIn("succeeded", "".join(table["outputs"][0]["data"]["text/plain"]))

    def test_cells_that_depend_on_each_other(self):
        double = ("@pachbuild.pipeline(input='data')\ndef double(data, out):\n"
                  "    (out / data.name).write_text(twice(data.read_text()))")
        outputs = self.cells(
            "import pachbuild", "def twice(x):\n    return x * 2", double,
            "result = double.run({'data': 'data'})\nprint(result.outputs['a'].read_text())",
            "def twice(x):\n    return x * 3", "print(double.run({'data': 'data'}).outputs['a'].read_text())",
            double, "print([datum.state for datum in double.run({'data': 'data'}).datums])",
            "import pandas\ntable = pandas.DataFrame({'a': [1]})\n\n@pachbuild.pipeline(input='data')\ndef wrong(data):\n"
            "    x = 1\n    return table", "wrong.run({'data': 'data'})")
        texts = [self.text_of(output) for output in outputs]
        self.assertTrue(texts[3].endswith("oneone\n") and texts[5].endswith("oneoneone\n"), texts)
        self.assertIn("['skipped', 'skipped']", texts[7])
        self.assertRegex(texts[9], r"Cell In\[9\], line 7: wrong uses table, an object of type pandas\.\S*DataFrame, which cannot be written")

    def test_the_kernel_is_interrupted(self):
        waits = ("@pachbuild.pipeline(input='data')\ndef waits():\n    import pathlib, time\n"
                 f"    pathlib.Path({str(self.folder / 'runs')!r}).touch()\n    time.sleep(600)")
        begin = time.monotonic()
        outputs = self.cells("import pachbuild", waits, "waits.run({'data': 'data'})", "print('next')",
                             arguments=["interrupt_kernel"])
        self.assertLess(time.monotonic() - begin, 300)
        self.assertEqual([output["ename"] for output in outputs[2] if output["output_type"] == "error"], ["KeyboardInterrupt"])
        self.assertEqual(self.text_of(outputs[3]), "next\n")
        self.assert_all_gone()

    def test_the_kernel_is_killed(self):
        waits = ("@pachbuild.pipeline(input='data')\ndef waits():\n    import pathlib, time\n"
                 f"    pathlib.Path({str(self.folder / 'runs')!r}).touch()\n    time.sleep(600)")
        self.cells("import pachbuild", waits, "waits.run({'data': 'data'})", arguments=["shutdown_kernel"])
        self.assert_all_gone()

    def assert_all_gone(self):
        end = time.monotonic() + 60
        while self.processes():
            self.assertLess(time.monotonic(), end, self.processes())
            time.sleep(0.1)

    def processes(self):
        """Those that have this test's cache in their environment."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"PACHBUILD_CACHE_DIR={self.cache}".encode() in path.read_bytes().split(b"\0"):
                    found.append(path.parent.name)
        return found


if __name__ == "__main__":
    support.main()
