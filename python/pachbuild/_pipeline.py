# SPDX-License-Identifier: Apache-2.0
"""A function as a pipeline: what it reads, what it requires, and how it is run here and on a cluster."""

from __future__ import annotations

import functools
import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Union, overload

from . import _carry, _specs
from ._errors import BAD_INPUT, CANNOT_WRITE, Error, SourceError
from ._specs import PathLike

if TYPE_CHECKING:
    from ._cluster import Submission
    from ._result import Result

Requirements = Union[Sequence[str], PathLike]

OUTPUT_PARAMETER = "out"
SOURCE_FOLDER = "source"
REQUIREMENTS_FILE = "requirements.txt"
PYTHON_FILE = ".python-version"
ENDING = """if __name__ == "__main__":
    import os as _pachbuild_os
    import pathlib as _pachbuild_pathlib

    def _pachbuild_input(name):
        path = _pachbuild_os.environ.get(name)
        return None if path is None else _pachbuild_pathlib.Path(path)

    {function}({arguments})
"""


class Pipeline:
    """A function that is the program of a pipeline; `@pachbuild.pipeline` makes it. Calling it calls the function.

    `name` is the pipeline's, `function` the function, `input` the input of its spec.
    """

    def __init__(self, function: Callable[..., object], input: Any, *, name: Optional[str] = None,
                 requirements: Requirements = (), env: Optional[Mapping[str, str]] = None, python: Optional[str] = None,
                 files: Sequence[PathLike] = (), fields: Optional[Mapping[str, Any]] = None) -> None:
        self.function = function
        self._code = _carry.check_function(function)
        self.name = name or self._code.__name__
        self.input = _specs.input_object(input)
        self.requirements = requirements
        self.env = dict(env or {})
        self.python = python
        self.files = [Path(_specs.absolute(file)) for file in files]
        self.fields: Dict[str, Any] = _specs.plain(dict(fields or {}), "pipeline")
        self._arguments = arguments_of(self._code, self.input)
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.function(*arguments, **named)

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}: reads {', '.join(_specs.input_names(self.input)) or 'nothing'}>"

    @property
    def spec(self) -> Dict[str, Any]:
        """The pipeline's spec, beside a folder `source` with its program."""
        transform = {"build": {"language": "python", "path": SOURCE_FOLDER}}
        if self.env:
            transform["env"] = self.env
        spec = {"pipeline": {"name": self.name}, "transform": transform, "input": self.input}
        return merged(spec, self.fields)

    @property
    def source(self) -> str:
        """The program: the function with what it uses, as `main.py` will have it."""
        return self._source().program

    def _source(self) -> _carry.Source:
        ending = ENDING.format(function=self._code.__name__, arguments=", ".join(self._arguments))
        return _carry.Carrier(self._code).source(ending)

    def _source_files(self) -> Dict[str, bytes]:
        source = self._source()
        files = {_carry.PROGRAM: source.program.encode()}
        contents: Dict[str, Path] = dict(source.modules)
        for path in self.files:
            contents.update(named_files(path))
        if isinstance(self.requirements, (str, os.PathLike)):
            contents[REQUIREMENTS_FILE] = Path(self.requirements)
        elif self.requirements:
            files[REQUIREMENTS_FILE] = "".join(f"{line}\n" for line in self.requirements).encode()
        if self.python is not None:
            files[PYTHON_FILE] = f"{self.python}\n".encode()
        for name, path in contents.items():
            if name in files:
                raise Error(f"two files have this name: {path} is the other", where=name, exit_code=BAD_INPUT,
                            hint="rename one of them")
            try:
                files[name] = path.read_bytes()
            except OSError as error:
                raise Error(f"cannot read: {error.strerror or error}", where=str(path), exit_code=BAD_INPUT) from error
        return files

    def prepare(self, folder: Optional[PathLike] = None) -> Path:
        """Writes the spec and the source of what the function is now; gives the spec's file."""
        files = self._source_files()
        place = _specs.own_folder(_specs.folder_name(self.name)) if folder is None else Path(_specs.absolute(folder))
        _specs.write_folder(place / SOURCE_FOLDER, files)
        spec = place / _specs.SPEC_FILE
        with _specs.told_as_error(spec):
            _specs.write_file(spec, _specs.to_json(self.spec))
        return spec

    def write(self, folder: PathLike) -> Path:
        """Writes the pipeline into a folder of yours, to keep it: pipeline.json, and source/main.py with what belongs to it.

        Writes over what an earlier call wrote there, and over nothing else. Gives the spec's file.
        """
        place = Path(_specs.absolute(folder))
        program = place / SOURCE_FOLDER / _carry.PROGRAM
        with _specs.told_as_error(place):
            begin = program.read_text(encoding="utf-8", errors="replace") if program.is_file() else ""
            is_taken = place.exists() and (not place.is_dir() or any(place.iterdir()))
        if is_taken and not begin.startswith(_carry.MARK):
            raise Error("exists, and is not a pipeline that this package wrote", where=str(place), exit_code=CANNOT_WRITE,
                        hint="name a new folder")
        return self.prepare(place)

    def run(self, inputs: Union[Mapping[str, PathLike], str, None] = None, output: Optional[PathLike] = None,
            **options: Any) -> Result:
        """Runs it on this machine, over folders for its inputs. `options` are those of pachbuild.run()."""
        from ._run import run

        return run(self, inputs, output, **options)

    def submit(self, client: Any = None, **options: Any) -> Submission:
        """Makes the pipeline on a cluster, or updates it. `options` are those of pachbuild.submit()."""
        from ._cluster import submit

        return submit(self, client, **options)[0]


def merged(spec: Dict[str, Any], fields: Mapping[str, Any]) -> Dict[str, Any]:
    """The spec with further fields; those of objects are put into the objects that are there."""
    result = dict(spec)
    for name, value in fields.items():
        here = result.get(name)
        both = isinstance(here, dict) and isinstance(value, Mapping)
        result[name] = merged(here, value) if both and here is not None else value
    return result


def named_files(path: Path) -> Dict[str, Path]:
    """A file under its own name, or those of a folder under the folder's."""
    if not path.is_dir():
        return {path.name: path}
    return {(Path(path.name) / file.relative_to(path)).as_posix(): file for file in sorted(_carry.files_below(path))}


def arguments_of(function: Any, input: Mapping[str, Any]) -> List[str]:
    """What the function is called with: a parameter is named like an input, or `out`."""
    names = _specs.input_names(input)
    by_parameter = {"".join(c if c.isalnum() else "_" for c in name): name for name in names}
    code = function.__code__
    place = str(_carry.Place(code.co_filename, code.co_firstlineno))
    found: List[str] = []
    has_gap = False  # what comes by its place cannot be given behind a parameter that is left to its default
    for parameter in inspect.signature(function).parameters.values():
        is_by_place = parameter.kind is parameter.POSITIONAL_ONLY
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or (is_by_place and has_gap):
            continue
        before = "" if is_by_place else f"{parameter.name}="
        name = by_parameter.get(parameter.name)
        if name is not None and names[name]:
            found.append(f'{before}_pachbuild_pathlib.Path("/pfs/{name}")')
        elif name is not None:
            found.append(f"{before}_pachbuild_input({name!r})")
        elif parameter.name == OUTPUT_PARAMETER:
            found.append(f'{before}_pachbuild_pathlib.Path("/pfs/out")')
        elif parameter.default is parameter.empty:
            like_an_input = f"give it the name of an input ({', '.join(by_parameter)}), " if by_parameter else ""
            raise SourceError(f"{function.__name__} has a parameter {parameter.name}, which is not an input",
                              name=parameter.name, number=code.co_firstlineno, where=place,
                              hint=like_an_input + "name it out for /pfs/out, or give it a default")
        else:
            has_gap = has_gap or is_by_place
    return found


@overload
def pipeline(function: Callable[..., object], /, *, input: Any, name: Optional[str] = ..., requirements: Requirements = ...,
             env: Optional[Mapping[str, str]] = ..., python: Optional[str] = ..., files: Sequence[PathLike] = ...,
             **fields: Any) -> Pipeline: ...


@overload
def pipeline(*, input: Any, name: Optional[str] = ..., requirements: Requirements = ...,
             env: Optional[Mapping[str, str]] = ..., python: Optional[str] = ..., files: Sequence[PathLike] = ...,
             **fields: Any) -> Callable[[Callable[..., object]], Pipeline]: ...


def pipeline(function: Optional[Callable[..., object]] = None, /, *, input: Any, name: Optional[str] = None,
             requirements: Requirements = (), env: Optional[Mapping[str, str]] = None, python: Optional[str] = None,
             files: Sequence[PathLike] = (), **fields: Any) -> Union[Pipeline, Callable[[Callable[..., object]], Pipeline]]:
    """Makes a pipeline of a function.

        @pachbuild.pipeline(input="images:/*", requirements=["pillow"])
        def edges(images, out):
            ...

    The function runs once for each datum. A parameter with the name of an input gets the path of the datum's file or folder
    (None where the datum has none of it; the folder /pfs/NAME for a group), and `out` gets /pfs/out; both are pathlib.Path.

    `input` is a repo ("images", with the glob /*, or "images:/"), a list of inputs that are crossed, or an input as specs and
    pachyderm_sdk have it. `requirements` are those of a requirements.txt, or the path of one; `env` are variables of the
    program, `python` is the version ("3.11"), `files` come along into the source. Further `fields` are those of the spec:
    datum_timeout="60s", resource_requests={"memory": "2G"}, transform={"image": "…"}.

    With the function go the functions, classes, modules and constants that it uses, as they are when the pipeline is run,
    written or submitted. Anything else that it uses is a SourceError with its name and line.
    """
    def make(function: Callable[..., object]) -> Pipeline:
        return Pipeline(function, input, name=name, requirements=requirements, env=env, python=python, files=files,
                        fields=fields)

    make.makes_pipelines = True  # type: ignore[attr-defined]
    return make if function is None else make(function)


pipeline.makes_pipelines = True  # type: ignore[attr-defined]
