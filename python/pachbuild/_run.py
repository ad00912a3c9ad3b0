# SPDX-License-Identifier: Apache-2.0
"""Runs pipelines on this machine by `pachbuild run`, and makes a Result of the events that it writes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from . import _specs
from ._errors import BUG, USAGE, Error, RunError
from ._pipeline import Pipeline
from ._program import NAME, Call, error_of, read_object
from ._progress import Line, State
from ._result import MOST_READ_LOGS, Datum, Input, Outputs, PipelineResult, Result
from ._specs import PathLike

SCHEMA = 1  # of docs/events.schema.json
REMOTE = "pfs:"

Spec = Union[PathLike, Mapping[str, Any], Pipeline]


def run(spec: Union[Spec, Sequence[Spec]], inputs: Union[Mapping[str, PathLike], str, None] = None,
        output: Optional[PathLike] = None, *, pipeline: Optional[str] = None, datums: Union[str, int, Datum, Sequence[Union[str, int, Datum]], None] = None,
        workers: Optional[int] = None, force: bool = False, failed: bool = False, partial: bool = False,
        allow_empty: bool = False, runtime: Optional[str] = None, host_commands: bool = False,
        secrets: Optional[Mapping[str, PathLike]] = None, arguments: Sequence[str] = (), tick: Optional[str] = None,
        report: Optional[PathLike] = None, options: Sequence[str] = (), logs: bool = False,
        progress: Optional[bool] = None, check: bool = True) -> Result:
    """Builds pipelines and runs them on this machine; gives what they did.

    `spec` is a spec file, a folder of them, a spec as a dictionary, a function's pipeline, or a list of these that belong
    together. `inputs` names a folder of this machine for each repo, or "pfs:REPO@BRANCH" for a commit of the cluster; "pfs:"
    alone takes all repos from there. Without `output` the files go below .pachbuild-pipelines in the current folder.

    Most parameters are options of `pachbuild run`: `datums` (files, numbers or ids), `workers`, `force`, `failed` (only those
    that failed last time), `partial` (write what succeeded, even if others fail), `allow_empty`, `runtime` ("podman"), `secrets`
    (name: file or folder), `tick`, `report` (an HTML file). `arguments` are for the program; `options` are further options,
    word by word. `logs` prints what programs print. `progress` shows a line that updates, in notebooks and on terminals;
    False shows none.

    Raises RunError, whose `result` has what was done, if a build or datum fails; with `check=False` the result is returned.
    Anything else that is wrong is an Error.
    """
    specs = [spec] if isinstance(spec, Mapping) else _specs.as_list(spec)
    if not specs:
        raise Error("no spec was given", exit_code=USAGE, hint="name a spec file, a folder of them, or a pipeline")
    files = [spec_file(one) for one in specs]
    folder = Path(_specs.absolute(output)) if output is not None else default_output(specs[0], files[0])
    words = ["run", *(word for file in files for word in ("--file", str(file))), *input_words(inputs),
             "--output", str(folder), "-o", "json"]
    for option, value in (("--pipeline", pipeline), ("--workers", workers), ("--runtime", runtime), ("--tick", tick),
                          ("--report", None if report is None else _specs.absolute(report))):
        if value is not None:
            words += [option, str(value)]
    for option, is_set in (("--force", force), ("--failed", failed), ("--partial", partial), ("--allow-empty", allow_empty),
                           ("--host-commands", host_commands), ("--logs", logs)):
        if is_set:
            words.append(option)
    if datums is not None:
        words += datum_words(_specs.as_list(datums))
    for name, path in (secrets or {}).items():
        words += ["--secret", f"{name}={_specs.absolute(path)}"]
    words += [str(word) for word in options]
    if arguments:
        words += ["--", *map(str, arguments)]
    return finish(*follow(words, folder, logs, progress), check)


def spec_file(spec: Any) -> Path:
    """The file or folder of a spec; one that is an object is written first."""
    if isinstance(spec, Pipeline):
        return spec.prepare()
    if isinstance(spec, Mapping):
        value = _specs.absolute_build(_specs.plain(spec, "spec"), Path(_specs.absolute(".")))
        path = _specs.own_folder(_specs.folder_name(_specs.name_of(value))) / _specs.SPEC_FILE
        with _specs.told_as_error(path):
            _specs.write_file(path, _specs.to_json(value))
        return path
    if not isinstance(spec, (str, os.PathLike)):
        raise Error(f"is not a spec: {type(spec).__name__}", where="spec", exit_code=USAGE,
                    hint="name a spec file, a folder of them, or a pipeline")
    return Path(_specs.absolute(spec))


def default_output(spec: Any, file: Path) -> Path:
    if isinstance(spec, (Pipeline, Mapping)):
        return file.with_name("output")
    # Files of one name in different folders have outputs of their own.
    name = f"{_specs.folder_name(file.stem)}-{_specs.digest_of(str(file))}"
    return (_specs.own_folder(name) if file.exists() else file.parent) / "output"


def input_words(inputs: Union[Mapping[str, PathLike], str, None]) -> List[str]:
    if isinstance(inputs, str) and inputs == REMOTE:
        return ["--input", REMOTE]
    if inputs is not None and not isinstance(inputs, Mapping):
        raise Error(f"is not a mapping of repos to folders: {inputs!r}", where="inputs", exit_code=USAGE,
                    hint='for example inputs={"images": "data"}, or inputs="pfs:"')
    words: List[str] = []
    for repo, path in (inputs or {}).items():
        if isinstance(path, str) and path.startswith(REMOTE):
            words += ["--input", f"{repo}={path}"]
        else:
            # Absolute, so that no name is taken for something else.
            words += ["--input", f"{repo}={_specs.absolute(path)}"]
    return words


def datum_words(datums: Sequence[Union[str, int, Datum]]) -> List[str]:
    if not datums:
        raise Error("names no datum", where="datums", exit_code=USAGE, hint="omit it to run all datums")
    return [word for datum in datums for word in ("--datum", datum.id if isinstance(datum, Datum) else str(datum))]


@dataclass
class Collected:
    """What is known of a pipeline while it runs."""

    name: str
    datums: Dict[str, Datum] = field(default_factory=dict)
    inputs: Dict[str, Tuple[Input, ...]] = field(default_factory=dict)
    output: Optional[Path] = None
    build_seconds: Optional[float] = None
    build_log: List[str] = field(default_factory=list)
    seconds: Optional[float] = None
    error: Optional[Error] = None
    left_out: str = ""

    def result(self) -> PipelineResult:
        datums = sorted(self.datums.values(), key=lambda datum: datum.number)
        return PipelineResult(self.name, tuple(datums), Outputs(self.output), self.build_seconds, tuple(self.build_log),
                              self.seconds, self.error, self.left_out)


def build_line(line: str) -> str:
    """What a builder has said: the official ones write objects."""
    said = read_object(line)
    if said is None or "message" not in said:
        return line
    if said.get("level") != "error":
        return str(said["message"])
    return f"error: {error_of(said)}"


class Recorder:
    """Makes a Result of events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pipelines: Dict[str, Collected] = {}
        self.version = ""
        self.began = False
        self.warnings: List[str] = []
        self.begin = time.monotonic()

    def take(self, event: Dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "run_began":
            self.began = True
            self.version = str(event.get("version", ""))
            if event.get("schema") != SCHEMA:
                raise Error(f"writes events of another version: {event.get('schema')}", where=NAME, exit_code=BUG,
                            hint="install the same version of the program and the package")
        elif kind == "warning":
            self.warnings.append(str(event["message"]))
        elif "pipeline" in event:
            name = str(event["pipeline"])
            self.take_of(self.pipelines.setdefault(name, Collected(name)), str(kind), event)

    def take_of(self, pipeline: Collected, kind: str, event: Dict[str, Any]) -> None:
        if kind == "datum_started":
            pipeline.inputs[event["datum"]["id"]] = inputs_of(event)
            self.add(pipeline, event, "stopped")
        elif kind == "datum_ended":
            self.add(pipeline, event, str(event["state"]))
        elif kind == "datum_skipped":
            pipeline.inputs[event["datum"]["id"]] = inputs_of(event)
            self.add(pipeline, event, "skipped")
        elif kind == "phase_ended" and event.get("phase") == "building":
            pipeline.build_seconds = float(event["seconds"])
        elif kind == "build_printed":
            pipeline.build_log.append(build_line(str(event["line"])))
        elif kind == "pipeline_ended":
            pipeline.seconds = float(event["seconds"])
            if event.get("exported"):
                pipeline.output = Path(event["output"])
        elif kind == "pipeline_failed":
            pipeline.error = error_of(event)
        elif kind == "pipeline_left_out":
            pipeline.left_out = str(event["because"])

    def add(self, pipeline: Collected, event: Dict[str, Any], state: str) -> None:
        datum = event["datum"]
        code = event.get("exit_code")
        seconds = event.get("seconds")
        pipeline.datums[datum["id"]] = Datum(
            pipeline.name, str(datum["id"]), int(datum["number"]), str(datum["label"]), state,
            pipeline.inputs.get(datum["id"], ()), None if seconds is None else float(seconds), int(event.get("files", 0)),
            int(event.get("bytes", 0)), str(event.get("reason", "")), None if code is None else int(code),
            str(event.get("log", "")))

    def result(self, exit_code: int) -> Result:
        pipelines = {name: collected.result() for name, collected in self.pipelines.items()}
        result = Result(pipelines, exit_code, self.folder, time.monotonic() - self.begin, tuple(self.warnings),
                        self.version)
        # A later run may remove them, and these are what somebody will ask for.
        for datum in result.failed[:MOST_READ_LOGS]:
            _ = datum.log
        return result


def inputs_of(event: Mapping[str, Any]) -> Tuple[Input, ...]:
    return tuple(Input(str(one["name"]), str(one["path"]), Path(one["file"]) if one.get("file") else None)
                 for one in event.get("inputs", ()))


def follow(words: Sequence[str], folder: Path, logs: bool, progress: Optional[bool]) -> Tuple[Optional[Result], Error]:
    """Runs it to its end. Gives no result where nothing began."""
    recorder = Recorder(folder)
    line = Line(progress)
    state = State()
    with Call(words) as call:
        try:
            for text in call.output():
                event = read_object(text) if text is not None else None
                if event is not None:
                    recorder.take(event)
                    state.take(event)
                    if logs and event.get("event") == "datum_printed":
                        line.clear()
                        print(f"{event['datum']['number']} {event['datum']['label']} | {event['line']}", flush=True)
                if line.is_due:
                    line.show(state.text())
        finally:
            line.clear()
        error = call.error()
        result = recorder.result(call.code) if recorder.began else None
    return result, error


def finish(result: Optional[Result], error: Error, check: bool) -> Result:
    if result is None:
        raise error
    if check and not result.succeeded:
        raise RunError(error, result)
    return result
