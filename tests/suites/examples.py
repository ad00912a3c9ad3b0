# SPDX-License-Identifier: Apache-2.0
"""What the suites share that run the examples: `pachbuild run` on real data, as the documents show it."""

import re

import support

DATA = support.ROOT / "build" / "data"


def example_data(name):
    """A folder of the examples' real input."""
    folder = DATA / name
    support.require(folder.is_dir(), f"{folder} is missing; run scripts/fetch-data")
    return folder


def read_output(folder):
    """The content of each file, by its path."""
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] != ".pachbuild"}


class ExampleSuite(support.Suite):
    """Each test builds and runs from an empty cache of ours; only what uv and go download and compile is kept."""

    def environment(self):
        support.require_network()
        env = support.environment(
            PACHBUILD_CACHE_DIR=str(self.folder / "cache"),
            UV_CACHE_DIR=str(support.shared_cache("uv")),
            GOCACHE=str(support.shared_cache("go-build")),
            GOMODCACHE=str(support.shared_cache("go-mod")))
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        return env

    def run_pipeline(self, spec, repo, data, *arguments):
        """Runs the pipeline and gives its output."""
        output = self.folder / "output" / spec.stem
        self.succeed("pachbuild", "run", "-f", spec, "--input", f"{repo}={data}", "--output", output,
                     "--", *arguments, env=self.environment())
        return read_output(output)

    def run_documented(self, document, section="", **data):
        """Runs the shell commands of a document, or of one section, in a folder that looks like the checkout but has this data (by name)
        and no build. Gives their standard error, where pachbuild reports."""
        (self.folder / "build" / "data").mkdir(parents=True)
        (self.folder / "examples").symlink_to(support.ROOT / "examples")
        for name, folder in data.items():
            (self.folder / "build" / "data" / name).symlink_to(folder)
        text = (support.ROOT / document).read_text(encoding="utf-8")
        if section:
            text = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
        commands = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        self.assertNotEqual(commands, [])
        return self.succeed("bash", "-euc", "".join(commands), env=self.environment()).stderr
