# SPDX-License-Identifier: Apache-2.0
"""Pipelines on a cluster, by `pachbuild create` and `update`, which call pachctl.

The client's address and token reach pachctl in a configuration file of its own, for this user only, that lives as long as
the call. They are in no argument, variable or message.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from . import _specs
from ._errors import BAD_INPUT, CANNOT_WRITE, NETWORK, USAGE, Error
from ._pipeline import REQUIREMENTS_FILE, Pipeline, merged
from ._program import call
from ._run import Spec, spec_file
from ._specs import PathLike

CONTEXT = "pachbuild"
PROGRAM = "main.py"
# Of the program, about a pipeline that exists and should be new.
EXISTS_HINT = "change it with: pachbuild update pipeline"


@dataclass(frozen=True)
class Submission:
    """What submitting a pipeline did: files that were sent to its source, and whether its pipelines were "created", "updated"
    or "unchanged"."""

    pipeline: str
    sent: int
    sent_bytes: int
    removed: int
    kept: int
    build_pipeline: str
    running_pipeline: str


def address_of(client: Any) -> str:
    """host:port of a client of pachyderm_sdk, as an address that pachctl reads."""
    address = getattr(client, "address", None)
    if not isinstance(address, str) or ":" not in address:
        raise Error(f"is not a client of pachyderm_sdk: {type(client).__name__}", where="client", exit_code=USAGE,
                    hint="give pachyderm_sdk.Client(…), or None for the cluster of pachctl's context")
    host, _, port = address.rpartition(":")
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    scheme = "grpc" if getattr(client, "root_certs", None) is None else "grpcs"
    return f"{scheme}://{host}:{port}"


def configuration_of(client: Any) -> Dict[str, Any]:
    """A configuration of pachctl with one context, for the client's cluster."""
    context: Dict[str, Any] = {"pachd_address": address_of(client)}
    if getattr(client, "transaction_id", None):
        raise Error("is in a transaction", where="client", exit_code=USAGE,
                    hint="submit pipelines outside of it: each submission is a transaction of its own")
    certificates = getattr(client, "root_certs", None)
    if certificates is not None:
        context["server_cas"] = base64.b64encode(certificates).decode()
    if getattr(client, "auth_token", None):
        context["session_token"] = client.auth_token
    # With a user_id pachctl has no reason to write the file anew.
    return {"user_id": uuid.uuid4().hex, "v2": {"active_context": CONTEXT, "contexts": {CONTEXT: context}, "metrics": False}}


def check_cluster(client: Any) -> None:
    """Asks whether the cluster is there, since pachctl would wait for it for half a minute."""
    ask = getattr(client, "get_version", None)
    if ask is None:
        return
    try:
        ask()
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise Error(f"the cluster does not answer: {reason}", where=address_of(client), exit_code=NETWORK,
                    hint="check the address, and whether the cluster is running") from error


@contextlib.contextmanager
def configured(client: Any) -> Iterator[Dict[str, Optional[str]]]:
    """The variables by which pachctl reaches the client's cluster; none for that of its own context."""
    if client is None:
        yield {}
        return
    configuration = configuration_of(client)
    check_cluster(client)
    with temporary_folder("client-") as folder:
        path = folder / "config.json"
        with _specs.told_as_error(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(configuration, file)
        yield {"PACH_CONFIG": str(path), "PACH_CONTEXT": None}


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """For this user only; it goes with what made it, whatever happens there."""
    # In memory where the machine has such a place.
    parent = os.environ.get("XDG_RUNTIME_DIR")
    usable = parent is not None and os.path.isdir(parent) and os.access(parent, os.W_OK | os.X_OK)
    try:
        folder = tempfile.mkdtemp(prefix=f"pachbuild-{prefix}", dir=parent if usable else None)
    except OSError as error:
        raise Error(f"cannot make a temporary folder: {error.strerror or error}", where=os.fsdecode(error.filename or ""),
                    exit_code=CANNOT_WRITE) from error
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def submit(spec: Spec, client: Any = None, *, update: bool = True, wait: bool = False, reprocess: bool = False,
           project: Optional[str] = None, context: Optional[str] = None, builder_images: Optional[str] = None,
           options: Sequence[str] = ()) -> Tuple[Submission, ...]:
    """Makes pipelines on a cluster with their builds and sources, or updates what has changed.

    `client` is a pachyderm_sdk.Client; None means the cluster of pachctl's active context, or of `context`. With `update=False`
    a pipeline that exists is an error. `wait` waits for the first job, and is an Error if it fails. `reprocess` processes all
    datums again. `project` is the cluster's, `builder_images` the prefix of the official builders' images; `options` are
    further options of `pachbuild update pipeline`, word by word. Gives what was done for each pipeline that has a
    transform.build; others are sent as they are.
    """
    if reprocess and not update:
        raise Error("a new pipeline has nothing to process again", where="reprocess", exit_code=USAGE,
                    hint="use only one of reprocess=True and update=False")
    words = ["update" if update else "create", "pipeline", "--file", str(spec_file(spec)), "--output", "json"]
    for option, value in (("--project", project), ("--context", context), ("--builder-images", builder_images)):
        if value is not None:
            words += [option, value]
    for option, is_set in (("--wait", wait), ("--reprocess", reprocess)):
        if is_set:
            words.append(option)
    if client is not None and context is not None:
        raise Error("names a different cluster from the client's", where="context", exit_code=USAGE,
                    hint="use only one of client and context")
    try:
        with configured(client) as variables:
            output = call([*words, *map(str, options)], variables)
    except Error as error:
        if error.hint == EXISTS_HINT:
            error.hint = "pass update=True"
        raise
    return tuple(read_submissions(output))


def read_submissions(output: str) -> Iterator[Submission]:
    """Of the objects that are written one after the other."""
    decoder = json.JSONDecoder()
    rest = output.strip()
    while rest:
        said, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
        source = said["source"]
        yield Submission(said["pipeline"], source["sent"], source["sent_bytes"], source["removed"], source["kept"],
                         said["build_pipeline"], said["running_pipeline"])


def create_python_pipeline(client: Any, path: PathLike, input: Any = None, pipeline_name: Optional[str] = None,
                           image_pull_secrets: Optional[List[str]] = None, debug: Optional[bool] = None,
                           env: Optional[Mapping[str, str]] = None, secrets: Optional[List[Any]] = None,
                           image: Optional[str] = None, update: bool = False, *, wait: bool = False,
                           project: Optional[str] = None, builder_images: Optional[str] = None,
                           **pipeline_kwargs: Any) -> Submission:
    """Makes a pipeline of Python code that is on this machine, as python_pachyderm.create_python_pipeline() did.

    `client` is a pachyderm_sdk.Client (None: the cluster of pachctl's context). `path` is a folder with a main.py and, if it
    needs packages, a requirements.txt or a lock; or a single file, with the requirements.txt beside it. `input` is a
    pachyderm_sdk.api.pps.Input, or "REPO:GLOB". The name is by default that of the file or folder. `image` names a builder
    of your own. With `update` an existing pipeline is updated. `pipeline_kwargs` are further fields of the spec, as
    pps.create_pipeline() of pachyderm_sdk has them; `reprocess=True` processes all datums again.
    """
    program = Path(_specs.absolute(path))
    if input is None:
        raise Error("is missing: a pipeline with a build reads data", where="input", exit_code=USAGE,
                    hint='for example input="images:/*"')
    if not program.exists():
        raise Error("does not exist", where=str(program), exit_code=BAD_INPUT,
                    hint="name a folder with a main.py, or a Python file")
    name = pipeline_name or (program.name if program.is_dir() else program.stem)
    reprocess = bool(pipeline_kwargs.pop("reprocess", False))
    transform = {"image_pull_secrets": image_pull_secrets, "debug": debug, "env": env, "secrets": secrets}
    fields = _specs.plain({**pipeline_kwargs, "transform": {key: value for key, value in transform.items() if value}},
                          "create_python_pipeline")
    with temporary_folder("source-") as folder:
        build = {"image": image} if image else {"language": "python"}
        build["path"] = str(program if program.is_dir() else single_file(program, folder))
        spec = {"pipeline": {"name": name}, "transform": {"build": build}, "input": _specs.input_object(input)}
        file = folder / f"{_specs.folder_name(name)}.json"
        with _specs.told_as_error(file):
            file.write_text(_specs.to_json(merged(spec, fields)), encoding="utf-8")
        with of_call("create_python_pipeline", file):
            return submit(file, client, update=update, wait=wait, reprocess=reprocess, project=project,
                          builder_images=builder_images)[0]


@contextlib.contextmanager
def of_call(name: str, file: Path) -> Iterator[None]:
    """Errors in a spec that was made from a call name the call; nobody wrote the file, and it is gone."""
    try:
        yield
    except Error as error:
        for one in (error, *error.more):
            one.where = re.sub(rf"^{re.escape(str(file))}(:\d+)*", name, one.where)
        raise


def single_file(program: Path, folder: Path) -> Path:
    """A source of one file: as main.py, with the requirements.txt beside it if there is one."""
    source = folder / "source"
    source.mkdir()
    requirements = program.with_name(REQUIREMENTS_FILE)
    try:
        shutil.copyfile(program, source / PROGRAM)
        if requirements.is_file():
            shutil.copyfile(requirements, source / REQUIREMENTS_FILE)
    except OSError as error:
        raise Error(f"cannot copy: {error.strerror or error}", where=str(program), exit_code=BAD_INPUT) from error
    return source
