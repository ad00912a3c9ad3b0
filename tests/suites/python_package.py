# SPDX-License-Identifier: Apache-2.0
"""What the suites of the Python package share: the package of this checkout, and a folder to be in."""

import contextlib
import importlib.util
import os
import sys
import unittest.mock

import support

FOLDER = support.ROOT / "python"
sys.path.insert(0, str(FOLDER))

import pachbuild  # noqa: E402


class PackageSuite(support.Suite):
    """A test in its own folder, by the programs under test, with a cache of its own."""

    def setUp(self):
        super().setUp()
        variables = support.environment(PACHBUILD_BIN=str(support.BIN), PACHBUILD_CACHE_DIR=str(self.folder / "cache"))
        patch = unittest.mock.patch.dict(os.environ, variables, clear=True)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    @contextlib.contextmanager
    def fails(self, text, code, kind=pachbuild.Error):
        """That this is an error with this text, where FOLDER stands for the test's, and with this exit code."""
        with self.assertRaises(kind) as raised:
            yield raised
        self.assertEqual(str(raised.exception).replace(str(self.folder), "FOLDER"), text)
        self.assertEqual((type(raised.exception), raised.exception.exit_code), (kind, code))

    def load(self, text, name="steps"):
        """A module of this text, as `import` would give it."""
        path = self.write(f"{name}.py", text)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        self.addCleanup(sys.modules.pop, name, None)
        spec.loader.exec_module(module)
        return module
