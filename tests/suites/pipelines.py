# SPDX-License-Identifier: Apache-2.0
"""Small pipelines for the suites of `pachbuild run`."""

import json
import os
import pathlib

import support

# A build.sh for programs that are one shell script: run.sh is the whole artifact.
COPY_RUN_SCRIPT = "cp /pfs/source/program.sh /pfs/out/run.sh\n"


class PipelineSuite(support.Suite):
    """A pipeline below self.folder: source/, a spec, the repo `data` in data/, the output in out/."""

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.out = self.folder / "out"
        (self.folder / "data").mkdir()

    def shell_pipeline(self, program, glob="/*", **transform):
        """The program is a shell script that build.sh passes on as it is: no tool is needed."""
        self.write("source/build.sh", COPY_RUN_SCRIPT)
        self.write("source/program.sh", program)
        return self.spec(glob=glob, **transform)

    def spec(self, glob="/*", language="python", pipeline=None, input=None, **transform):
        transform.setdefault("build", {"language": language, "path": "./source"})
        content = {
            "pipeline": {"name": "edges"},
            "transform": transform,
            "input": input or {"pfs": {"repo": "data", "glob": glob}},
            **(pipeline or {}),
        }
        return self.write("spec.json", json.dumps(content, indent=2))

    def data(self, **files):
        for name, content in files.items():
            self.write(pathlib.Path("data") / name.replace("__", "/"), content)

    def environment(self, **changes):
        return support.environment(PACHBUILD_CACHE_DIR=str(self.cache), **changes)

    def command(self, *arguments, inputs=("data",), output=None):
        command = [support.PACHBUILD, "run", "-f", str(self.folder / "spec.json")]
        for name in inputs:
            command += ["--input", f"{name}={self.folder / name}"]
        command += ["--output", str(output or self.out), *map(str, arguments)]
        return command

    def pachbuild_run(self, *arguments, inputs=("data",), env=None, **options):
        return self.run_program(*self.command(*arguments, inputs=inputs), env=env or self.environment(), **options)

    def succeed_run(self, *arguments, **options):
        result = self.pachbuild_run(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result

    def output(self, folder=None):
        """Every file of the output folder, by path, as bytes; without what pachbuild keeps there for itself."""
        folder = folder or self.out
        files = {}
        # A run may be writing there: what its own folder has comes and goes.
        for parent, folders, names in os.walk(folder):
            if pathlib.Path(parent) == folder and ".pachbuild" in folders:
                folders.remove(".pachbuild")
            files.update({os.path.relpath(f"{parent}/{name}", folder): pathlib.Path(parent, name) for name in names})
        return {path: files[path].read_bytes() for path in sorted(files) if files[path].is_file()}

    def missing(self):
        """The lines about datums without output."""
        return (self.out / ".pachbuild/missing").read_text().splitlines()

    def assert_ran(self, result, run, skipped=0, failed=0):
        expected = f"datums: {run} processed, {skipped} skipped" + (f", {failed} failed" if failed else "")
        self.assertIn(expected + ", ", result.stderr)

    def assert_nothing_left(self):
        """No scratch stays, neither in the output nor in the cache."""
        left = [str(path) for pattern in ("run/.pachbuild-*", "results/work-*") for path in self.cache.glob(pattern)]
        own = self.out / ".pachbuild"
        left += [str(path) for path in own.glob("*") if path.name not in ("lock", "output.json", "missing")]
        self.assertEqual(left, [])
