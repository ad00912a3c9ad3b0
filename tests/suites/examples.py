# SPDX-License-Identifier: Apache-2.0
"""What the suites share that run the examples: `pachbuild run` on real data, from spec to output."""

import support

DATA = support.ROOT / "build" / "data"


def example_data(name):
    """A folder of the examples' real input."""
    folder = DATA / name
    support.require(folder.is_dir(), f"{folder} is missing; run scripts/fetch-data")
    return folder


class ExampleSuite(support.Suite):
    """Each test builds and runs from an empty cache of ours; only what uv and go download and compile is kept."""

    def run_pipeline(self, spec, repo, data, *arguments):
        """Runs the pipeline and gives its output: the content of each file, by its path."""
        support.require_network()
        output = self.folder / "output" / spec.stem
        env = support.environment(
            PACHBUILD_CACHE_DIR=str(self.folder / "cache"),
            UV_CACHE_DIR=str(support.shared_cache("uv")),
            GOCACHE=str(support.shared_cache("go-build")),
            GOMODCACHE=str(support.shared_cache("go-mod")))
        self.succeed(support.PACHBUILD, "run", "-f", spec, "--input", f"{repo}={data}", "--output", output,
                     "--", *arguments, env=env)
        return {str(path.relative_to(output)): path.read_text(encoding="utf-8")
                for path in output.rglob("*") if path.is_file()}
