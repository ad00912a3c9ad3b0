# SPDX-License-Identifier: Apache-2.0
"""What the measurements share: a workload, and the two ways of building and running it in one engine, `pachbuild run`.

The reference's way is that of Pachyderm 1.13's official builders: `pip wheel` in the build and `pip install` before the
program for every datum, or `go build`. It runs as a build.sh and a run.sh of the source, so that the two ways differ
in building and starting only. A fresh container is a virtual environment without packages there, and a cache without
unpacked bundles here.
"""

import contextlib
import dataclasses
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / "build" / "release" / "bin"
TOOLS = ROOT / "build" / "tools" / "bin"
DATA = ROOT / "build" / "data"
GRACE = 20  # seconds to end in good order

# What the reference's builders do. {python} is the container's own, for which a virtual environment stands where
# packages are installed into it.
PYTHON_BUILD = """set -e
if [ -f /pfs/source/requirements.txt ]; then
  {python} -m pip wheel --quiet --cache-dir {cache} -r /pfs/source/requirements.txt -w /pfs/out
fi
cat > /pfs/out/run.sh <<'END'
set -e
for wheel in /pfs/build/*.whl; do
  [ ! -f "$wheel" ] || {python} -m pip install --quiet --no-index /pfs/build/*.whl
  break
done
cd /pfs/source
{python} main.py "$@"
END
"""
GO_BUILD = """set -e
cd /pfs/source
CGO_ENABLED=0 go build -o /pfs/out/main .
cat > /pfs/out/run.sh <<'END'
set -e
chmod +x /pfs/build/main
/pfs/build/main "$@"
END
"""


def require(*paths):
    for path in paths:
        if not path.exists():
            sys.exit(f"error: {path}: is missing\nhint: run scripts/demo first")


def base_interpreter():
    """The interpreter that builder-runtime finds behind links and virtual environments."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


class Failed(SystemExit):
    """Ends the program with its message, unless someone can go on without."""


def environment(**changes):
    return {**os.environ, "PATH": f"{PROGRAMS}:{TOOLS}:{os.environ['PATH']}",
            **{name: str(value) for name, value in changes.items()}}


def completed(command, env=None, **options):
    """Runs to the end; when this program is ended meanwhile, so is the command with what it started."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, env=env or environment(), stdin=subprocess.DEVNULL, text=True, process_group=0,
                          **options) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            stop_group(process)
            raise
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def stop_group(process, patience=GRACE):
    """Ends what leads a group and its children: in good order, and if that takes too long by force."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(command, env=None, **options):
    """Runs to the end and gives the seconds and what was printed; a failure ends the measurement."""
    start = time.monotonic()
    result = completed(command, env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    seconds = time.monotonic() - start
    if result.returncode != 0:
        raise Failed(f"{result.stdout}\nerror: {' '.join(result.args)}: exit code {result.returncode}")
    return seconds, result.stdout


def remove(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


_put_away = itertools.count()


def put_away(path):
    """Makes a folder disappear without removing it now: ext4 avoids the inodes of files that were deleted a moment ago,
    at a cost that a fresh container does not have. It goes with the folder that it is in."""
    if path.exists():
        path.rename(path.parent / f"gone-{next(_put_away)}")


@dataclasses.dataclass
class Workload:
    title: str
    language: str
    source: pathlib.Path
    repo: str
    data: pathlib.Path
    edited: str  # the file that is edited
    comment: str


class Way:
    """One way of building and running a workload, in a folder of its own."""

    def __init__(self, folder, workload, datums, build_script=None):
        self.folder = folder
        self.workload = workload
        self.source = folder / "source"
        self.edits = 0
        shutil.copytree(workload.source, self.source)
        if build_script:
            installs = (self.source / "requirements.txt").exists()
            python = folder / "venv/bin/python" if installs else base_interpreter()
            (self.source / "build.sh").write_text(build_script.format(python=python, cache=folder / "pip"))
        (folder / "spec.json").write_text(
            '{"pipeline": {"name": "bench"}, "transform": {"build": {"language": "%s", "path": "./source"}}, '
            '"input": {"pfs": {"repo": "%s", "glob": "/*"}}}' % (workload.language, workload.repo))
        files = sorted(path for path in workload.data.iterdir() if path.is_file())
        for name, count in (("one", 1), ("many", datums + 1)):
            (folder / name).mkdir()
            for number in range(count):
                # The same file under several names: datums that cost the same.
                shutil.copy(files[0], folder / name / f"{number}{files[0].suffix}")
        self.refresh_container()

    def edit(self):
        self.edits += 1
        with (self.source / self.workload.edited).open("a", encoding="utf-8") as file:
            file.write(self.workload.comment.format(self.edits))

    def refresh_container(self):
        raise NotImplementedError

    def environment(self):
        return environment(PACHBUILD_CACHE_DIR=self.folder / "cache")

    def run(self, data="one"):
        """The seconds that `pachbuild run` takes, one datum at a time."""
        return run(["pachbuild", "run", "-f", self.folder / "spec.json", "--workers", "1",
                    "--input", f"{self.workload.repo}={self.folder / data}",
                    "--output", self.folder / f"out-{data}"], self.environment())[0]


class Reference(Way):
    def refresh_container(self):
        if self.workload.language == "python":
            put_away(self.folder / "venv")
            run([sys.executable, "-m", "venv", self.folder / "venv"])


class Ours(Way):
    def refresh_container(self):
        put_away(self.folder / "cache" / "env")


def nothing_changed(way):
    return way.run()


def edited(way):
    way.edit()
    return way.run()


def edited_in_fresh_container(way):
    way.refresh_container()
    return edited(way)
