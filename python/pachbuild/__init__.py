# SPDX-License-Identifier: Apache-2.0
"""Pachyderm pipelines from Python: edit a function, see its output; no image build, no installation per datum.

    @pachbuild.pipeline(input="images:/*", requirements=["pillow"])
    def edges(images, out):
        ...

    result = edges.run(inputs={"images": "data"})
    edges.submit(pachyderm_sdk.Client())

`run` runs any pipeline on this machine, `submit` brings it to a cluster, and `create_python_pipeline` is what
python_pachyderm had under this name. Everything is done by the program `pachbuild` of the same wheel.
"""

from __future__ import annotations

from ._cluster import Submission, create_python_pipeline, submit
from ._errors import Error, RunError, SourceError
from ._pipeline import Pipeline, pipeline
from ._program import program, version
from ._result import Datum, Input, Outputs, PipelineResult, Result
from ._run import run

__all__ = [
    "Datum", "Error", "Input", "Outputs", "Pipeline", "PipelineResult", "Result", "RunError", "SourceError", "Submission",
    "create_python_pipeline", "pipeline", "program", "run", "submit", "version",
]  # fmt: skip
