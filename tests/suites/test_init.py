# SPDX-License-Identifier: Apache-2.0
"""`pachbuild init`: a new pipeline runs as its last line and its README say, a pipeline with an image becomes one that is
built, and nothing that exists is ever replaced."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import support
from builder_suite import in_namespaces
from wheels import wheel

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TOOL = wheel("tool", {"tool.py": "NAME = 'a tool'\n",
                      "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\nmy-tool = tool:main\n"})  # fmt: skip


class InitSuite(support.Suite):
    def environment(self):
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.folder / "cache"), GOCACHE=str(support.shared_cache("go-build")),
                                  GOFLAGS="-mod=mod")
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        return env

    def init(self, *arguments, expect=0, cwd=None):
        result = self.run_program(support.PACHBUILD, "init", *arguments, env=self.environment(), cwd=cwd)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result

    def shell(self, script, cwd=None):
        """The standard output and error of a script that succeeds."""
        result = self.succeed("sh", "-euc", script, env=self.environment(), cwd=cwd)
        return result.stdout, result.stderr

    def files(self, folder):
        """The files below a folder, by path, without the output of a run."""
        folder = self.folder / folder
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in paths
                if path.relative_to(folder).parts[0] != "output"}  # fmt: skip

    def spec(self, name, cmd, repo="data", glob="/", file=None, **transform):
        content = {"pipeline": {"name": name}, "transform": {"image": "team/tools:1.2", "cmd": cmd, **transform},
                   "input": {"pfs": {"repo": repo, "glob": glob}}}  # fmt: skip
        return self.write(file or f"old/{name}.json", json.dumps(content, indent=1))

    def warnings(self, result):
        return [line.removeprefix("warning: ").replace(f"{self.folder}/", "") for line in result.stderr.splitlines()]


class Sample(InitSuite):
    COUNTS = "2 a\n2 sea\n2 the\n2 walks\n1 and\n1 fills\n1 is\n1 it\n1 never\n1 river\n1 road\n1 that\n1 to\n"

    def run_sample(self, language):
        said = self.init("demo", "--language", language)
        self.assertEqual(said.stderr, "")
        command = said.stdout.splitlines()[-1]
        self.assertEqual(command, "cd demo && pachbuild run")
        ran = self.shell(command)[1]
        self.assertIn("datums: 3 processed, 0 skipped, ", ran)
        output = self.folder / "demo/output"
        self.assertEqual((output / "river.txt").read_text(encoding="utf-8"), self.COUNTS)
        # What the README says next.
        readme = (self.folder / "demo/README.md").read_text(encoding="utf-8")
        first = re.search(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)[1]
        stdout, stderr = self.shell(first, cwd=self.folder / "demo")
        self.assertIn("datums: 0 processed, 3 skipped, ", stderr)
        self.assertEqual(stdout, self.COUNTS)
        self.write("demo/data/texts/new.txt", "one two two\n")
        self.assertIn("datums: 1 processed, 3 skipped, ", self.shell(first, cwd=self.folder / "demo")[1])
        return {path.name: path.read_text(encoding="utf-8") for path in output.glob("*.txt")}

    def test_it_runs_as_it_says(self):
        python = self.run_sample("python")
        self.assertEqual(sorted(python), ["bridge.txt", "garden.txt", "new.txt", "river.txt"])
        support.require_tool("go")
        (self.folder / "demo").rename(self.folder / "python")
        self.assertEqual(self.run_sample("go"), python)

    def test_it_is_valid_for_a_cluster(self):
        self.init("demo")
        said = self.succeed(support.PACHBUILD, "validate", "demo/pipeline.json", env=self.environment())
        self.assertEqual(said.stderr, "")

    def test_python_is_what_it_makes_by_default(self):
        said = self.init("demo").stdout
        self.assertEqual(said, "created demo: a Python pipeline that counts words, with sample data\n"
                               "  pipeline.json  the spec: which program, which data\n"
                               "  source/        the program (1 file)\n"
                               "  data/          sample data (3 files)\n"
                               "  README.md      the next steps\n"
                               "run it (README.md has the details):\n"
                               "cd demo && pachbuild run\n")
        go = self.init("go", "--language", "go").stdout
        self.assertIn("created go: a Go pipeline that counts words, with sample data\n"
                      "  pipeline.json  the spec: which program, which data\n"
                      "  source/        the program (2 files)\n"
                      "  data/          sample data (3 files)\n"
                      "  README.md      the next steps\n", go)

    def test_the_name_is_that_of_the_folder_or_the_one_given(self):
        for arguments, name in ((["a/b/My demo!"], "My-demo"), (["x", "--name", "other_1"], "other_1")):
            self.init(*arguments)
            spec = json.loads((self.folder / arguments[0] / "pipeline.json").read_text(encoding="utf-8"))
            self.assertEqual(spec["pipeline"]["name"], name)

    def test_the_current_folder_needs_no_cd(self):
        for number, arguments in enumerate(([], ["."], ["../2/"])):
            folder = self.folder / str(number)
            folder.mkdir()
            said = self.init(*arguments, cwd=folder).stdout
            self.assertEqual(said.splitlines()[-1], "pachbuild run")
            self.assertEqual(sorted(os.listdir(folder)), ["README.md", "data", "pipeline.json", "source"])

    def test_a_folder_with_a_space_is_quoted(self):
        line = self.init("my demo").stdout.splitlines()[-1]
        self.assertTrue(line.startswith("cd 'my demo' && "), line)
        self.shell(line)


class NothingIsReplaced(InitSuite):
    def refused(self, *arguments, expect=73):
        before = self.listing()
        result = self.init(*arguments, expect=expect)
        self.assertEqual(self.listing(), before)
        self.assertEqual(result.stdout, "")
        return result.stderr

    def listing(self):
        return sorted((str(path.relative_to(self.folder)), path.lstat().st_mtime_ns) for path in self.folder.rglob("*"))

    def test_names_that_are_taken_are_told_together(self):
        self.write("mine/source/x.py", "x")
        self.write("mine/README.md", "mine")
        self.assertEqual(self.refused("mine"), "error: mine: already has README.md and source; nothing was changed\n"
                                               "hint: choose another folder, or move the existing files\n")
        self.write("file", "")
        self.assertEqual(self.refused("file"), "error: file: is not a folder\nhint: choose another name\n")
        self.assertEqual(self.refused("file/below"), "error: file/below: cannot create: a part of the path is not a folder\n")
        (self.folder / "link").symlink_to("nowhere")
        self.assertEqual(self.refused("link"), "error: link: is not a folder\nhint: choose another name\n")

    def test_wrong_words(self):
        for arguments, message in (
                ([""], "DIR: is empty\nhint: name the new folder"),
                (["a\nb"], "a\\nb: has control characters\nhint: choose another name"),
                (["x", "--name", "a b"], "--name: invalid name \"a b\"\nhint: a name has letters, digits, '_' and '-', and starts with a "
                                         "letter or digit"),
                (["x", "--name=-a"], "--name: invalid name \"-a\"\nhint: a name has letters, digits, '_' and '-', and starts with a "
                                     "letter or digit"),
                (["x", "--name", "a" * 52], f"--name {'a' * 52}: has 52 characters; the limit is 51"),
                (["x", "--language", "rust"], "--language rust: must be python or go\nhint: see pachbuild init --help"),
                (["x", "--context", "y"], "--context: needs a Dockerfile\nhint: add --from Dockerfile")):  # fmt: skip
            with self.subTest(arguments):
                self.assertEqual(self.refused(*arguments, expect=64), f"error: {message}\n")
        self.init("y", "--name", "a" * 51)

    def test_of_two_at_once_one_makes_it(self):
        for number in range(10):
            processes = [subprocess.Popen([support.PACHBUILD, "init", f"demo{number}", "--language", language], cwd=self.folder,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.environment())
                         for language in ("python", "go", "python")]  # fmt: skip
            said = [process.communicate(timeout=60)[1] for process in processes]
            self.assertEqual(sorted(process.returncode for process in processes), [0, 73, 73], said)
            files = self.files(f"demo{number}")
            self.assertEqual("source/main.go" in files, "source/main.py" not in files)
            self.assertEqual(len(files), 6 + ("source/main.go" in files))
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".")], [])

    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "closed").mkdir()
        # Not even root can write there.
        for folder in ("/proc/self/demo", "/proc"):
            said = self.refused(folder)
            self.assertIn(f"error: {folder}: cannot create: ", said)

    def test_a_full_disk_is_named_and_nothing_stays(self):
        disk = self.folder / "disk"
        disk.mkdir()
        self.write("old/main.py", "x" * 600_000)
        self.write("old/Dockerfile", "FROM python\nCOPY main.py /\n")
        script = (f"mount -t tmpfs -o size=300k none {disk} || exit 99\n{support.PACHBUILD} init {disk}/demo --from old/Dockerfile\n"
                  f"code=$?\nls -A {disk}\nexit $code\n")
        result = self.run_program(*in_namespaces("--mount"), "sh", "-c", script, env=self.environment())
        self.assertEqual((result.returncode, result.stdout), (73, ""), result.stderr)
        self.assertRegex(result.stderr, rf"^error: {disk}/demo/source/main.py: cannot write: no space left on the disk of {disk} .*\n"
                                        "hint: free some space there, or choose another disk\n$")

    def test_ctrl_c_leaves_nothing(self):
        self.write("old/Dockerfile", "FROM python\nCOPY . /app/\n")
        self.write("old/main.py", "")
        for number in range(4):
            with self.write(f"old/{number}.bin", "").open("wb") as file:
                file.truncate(200 << 20)
        before = sorted(os.listdir(self.folder))
        process = subprocess.Popen([support.PACHBUILD, "init", "demo", "--from", "old/Dockerfile"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        deadline = time.monotonic() + 60
        while not list(self.folder.glob(".pachbuild-init-*/new/source")) and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stdout, stderr), (130, "", "warning: interrupted; nothing was written\n"))
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_a_closed_standard_output_is_an_error(self):
        result = self.run_program("sh", "-c", f"{support.PACHBUILD} init demo >/dev/full", env=self.environment())
        self.assertNotEqual(result.returncode, 0)


class FromAnImage(InitSuite):
    """Dockerfiles as people write them."""

    def test_edge_detection_with_opencv(self):
        self.write("old/edges.py", "import os\nimport cv2\nfor name in os.listdir('/pfs/images'):\n"
                                   "    cv2.imwrite('/pfs/out/' + name, cv2.Canny(cv2.imread('/pfs/images/' + name), 100, 200))\n")
        self.write("old/montage.sh", "#!/bin/bash\n")
        self.write("old/Dockerfile", """\
# The image of the edges pipeline.
FROM ubuntu:20.04
LABEL maintainer="somebody"
RUN apt-get update -y \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y \\
    python3 python3-pip libsm6 libxext6 \\
 && rm -rf /var/lib/apt/lists/*
RUN pip3 install numpy==1.26.4 \\
    'opencv-python-headless<5' \\
    matplotlib
ADD edges.py /edges.py
""")
        self.spec("edges", ["python3", "/edges.py"], repo="images", glob="/*")
        said = self.init("new", "--from", "old/edges.json", "--from", "old/Dockerfile")
        files = self.files("new")
        self.assertEqual(sorted(files), ["README.md", "pipeline.json", "source/edges.py", "source/requirements.txt"])
        self.assertEqual(files["source/requirements.txt"], "numpy==1.26.4\nopencv-python-headless<5\nmatplotlib\n")
        self.assertEqual(json.loads(files["pipeline.json"]), {
            "pipeline": {"name": "edges"}, "input": {"pfs": {"repo": "images", "glob": "/*"}},
            "transform": {"build": {"language": "python", "path": "./source"}, "cmd": ["python3", "/pfs/source/edges.py"]}})
        self.assertEqual(self.warnings(said), [
            "old/Dockerfile:2: FROM ubuntu:20.04: not converted: the pipeline runs in the builder's image",
            "old/Dockerfile:5: RUN DEBIAN_FRONTEND=noninteractive apt-get install -y python3 python3-pip libsm6 libxext6: not converted: "
            "if the program needs these packages, set transform.image to an image that has them"])
        self.assertEqual(said.stdout, "created new: pipeline edges built from source/\n"
                                      "  pipeline.json  the spec: which program, which data\n"
                                      "  source/        the program (2 files)\n"
                                      "  README.md      the next steps\n"
                                      "run it (README.md has the details):\n"
                                      "cd new && pachbuild run --input images=FOLDER\n")
        self.assertEqual(self.succeed(support.PACHBUILD, "validate", "new/pipeline.json", env=self.environment()).stderr, "")

    def run_converted(self, line, **folders):
        for repo, folder in folders.items():
            line = line.replace(f"{repo}=FOLDER", f"{repo}={self.folder / folder}")
        return self.shell(line)[1]

    def test_a_service_like_image_runs_as_before(self):
        self.write("old/app/main.py", "import json, os, sys\nimport tool\nfrom lib.names import out\n"
                                      "seen = [sys.argv[1:], tool.NAME, os.environ['GREETING'], os.environ['CONFIG'], os.listdir('lib')]\n"
                                      "json.dump(seen, open(out(), 'w'))\n")
        self.write("old/app/lib/__init__.py", "")
        self.write("old/app/lib/names.py", "def out():\n    return '/pfs/out/seen'\n")
        self.write("old/app/debug.log", "noise")
        self.write("old/app/start.sh", '#!/usr/bin/env bash\nexec python3 main.py "$@"\n')
        self.write("old/wheels/tool-1.0-py3-none-any.whl", TOOL)
        self.write("old/requirements/base.txt", "tool\n")
        self.write("old/requirements/prod.txt", "-r base.txt\n")
        self.write("old/.dockerignore", "**/*.log\nDockerfile\n")
        self.write("old/Dockerfile", f"""\
ARG PYTHON_VERSION={PYTHON}
FROM docker.io/library/python:${{PYTHON_VERSION}}-slim AS base
ENV PYTHONUNBUFFERED=1 \\
    GREETING="hello  you"
COPY wheels /tmp/wheels
COPY requirements/ /tmp/requirements/
RUN python -m pip install --upgrade pip && \\
    pip install --no-cache-dir --no-index --find-links /tmp/wheels -r /tmp/requirements/prod.txt

FROM base
WORKDIR /srv/app
COPY app .
RUN chmod +x start.sh && useradd runner
ENV CONFIG=/srv/app/lib/names.py
USER runner
ENTRYPOINT ["./start.sh"]
CMD ["--fast", "a b"]
""")
        self.write("old/data/x", "1")
        said = self.init("new", "--from", "old/Dockerfile", "--name", "service")
        self.assertEqual(self.warnings(said), [
            "old/Dockerfile:13: RUN useradd runner: not converted", "old/Dockerfile:15: USER runner: not converted",
            'old/Dockerfile: no spec was given: the pipeline reads repo "data", one datum per file'])
        self.run_converted(said.stdout.splitlines()[-1], data="old/data")
        seen = json.loads((self.folder / "new/output/seen").read_text(encoding="utf-8"))
        seen[4].sort()
        self.assertEqual(seen[:2] + seen[2:3], [["--fast", "a b"], "a tool", "hello  you"])
        self.assertTrue(seen[3].startswith("/pfs/source/") and seen[3].endswith("/lib/names.py"), seen[3])
        self.assertEqual([name for name in seen[4] if name.endswith(".py")], ["__init__.py", "names.py"])

    def test_two_pipelines_of_one_image(self):
        self.write("old/clean.py", "import os\nfor name in os.listdir('/pfs/data'):\n"
                                   "    open('/pfs/out/' + name, 'w').write(open('/pfs/data/' + name).read().upper())\n")
        self.write("old/join.py", "import os, sys\nfolder = '/pfs/clean/'\n"
                                  "open('/pfs/out/all', 'w').write(sys.argv[1].join(open(folder + n).read() for n in sorted(os.listdir(folder))))\n")
        self.write("old/Dockerfile", f"FROM python:{PYTHON}\nWORKDIR /code\nCOPY *.py ./\n")
        self.spec("clean", ["bash"], glob="/*", stdin=["set -e", "cd /code", "python3 clean.py"])
        self.spec("join", ["/usr/local/bin/python3", "join.py", "+"], repo="clean")
        self.write("old/data/a", "one")
        self.write("old/data/b", "two")
        said = self.init("new", *(f"--from=old/{name}" for name in ("clean.json", "join.json", "Dockerfile")))
        self.assertEqual(self.warnings(said), [])
        self.assertEqual(sorted(self.files("new")), [
            "README.md", "pipelines/clean.json", "pipelines/join.json", "source/.python-version", "source/clean.py", "source/join.py"])
        self.run_converted(said.stdout.splitlines()[-1], data="old/data")
        self.assertEqual((self.folder / "new/output/join/all").read_text(encoding="utf-8"), "ONE+TWO")

    def test_a_go_program(self):
        support.require_tool("go")
        self.init("sample", "--language", "go")
        self.write("sample/source/Dockerfile", "FROM golang:1.21 AS build\nWORKDIR /src\nCOPY go.mod main.go ./\n"
                                               "RUN go mod download && CGO_ENABLED=0 go build -o /bin/words .\nENTRYPOINT [\"/bin/words\"]\n")
        said = self.init("new", "--from", "sample/source/Dockerfile")
        self.assertEqual(sorted(self.files("new/source")), ["go.mod", "main.go"])
        self.write("sample/source/last.Dockerfile",
                   "FROM golang:1.21 AS build\nWORKDIR /src\nCOPY go.mod main.go ./\nRUN go build -o /bin/words\n"
                   "FROM scratch\nCOPY --from=build /bin/words /words\nENTRYPOINT [\"/words\"]\n")
        self.init("last", "--name", "new", "--from", "sample/source/last.Dockerfile")
        for file in ("pipeline.json", "source/go.mod", "source/main.go"):
            self.assertEqual(self.files("last")[file], self.files("new")[file])
        self.run_converted(said.stdout.splitlines()[-1], texts="sample/data/texts")
        self.assertEqual((self.folder / "new/output/river.txt").read_text(encoding="utf-8"), Sample.COUNTS)

    def test_a_spec_alone(self):
        self.write("old/count.py", "open('/pfs/out/n', 'w').write('1')\n")
        self.spec("count", ["python", "/usr/src/count.py"])
        said = self.init("new", "--from", "old/count.json")
        self.assertEqual(self.warnings(said), [
            'old/count.json: the Dockerfile of "team/tools:1.2" was not given: packages that the image has are not converted'])
        self.write("data/x", "")
        self.run_converted(said.stdout.splitlines()[-1], data="data")
        self.assertEqual((self.folder / "new/output/n").read_text(encoding="utf-8"), "1")

    def test_paths_that_need_a_hand_are_told(self):
        self.write("old/x.py", "import os\nprint(open('/app/table.csv').read())\n")
        self.write("old/table.csv", "")
        self.write("old/Dockerfile", "FROM python:3\nCOPY . /app\n")
        self.spec("x", ["python3", "/other/x.py"])
        said = self.init("new", "--from", "old/x.json", "--from", "old/Dockerfile")
        self.assertEqual(self.warnings(said), [
            "source/x.py:2: names /app/table.csv; write /pfs/source/table.csv instead",
            'pipeline.json:12:7: "/other/x.py" is a path in the image; the source has x.py; write "cmd": '
            '["python3", "/pfs/source/x.py"]'])


class Documented(InitSuite):
    """docs/new-pipelines.md says what happens."""

    DOCUMENT = (support.ROOT / "docs/new-pipelines.md").read_text(encoding="utf-8")

    def blocks(self, section, language):
        text = self.DOCUMENT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        return [content for name, content in found if name == language]

    def test_the_first_commands(self):
        commands, = self.blocks("Start with a pipeline that works", "sh")
        shown, = self.blocks("Start with a pipeline that works", "")
        self.assertEqual(self.shell(commands)[0], shown + Sample.COUNTS)

    def test_the_conversion_that_is_shown(self):
        self.write("edges/edges.py", "")
        self.write("edges/Dockerfile", "FROM python:3.11-slim\nRUN apt-get update && apt-get install -y libgl1\n"
                                       "RUN pip3 install numpy==1.26.4\nADD edges.py /edges.py\n")
        self.spec("edges", ["python3", "/edges.py"], repo="images", file="edges/edges.json")
        shown, = self.blocks("Convert a pipeline that has an image", "")
        command, _, expected = shown.removeprefix("$ ").partition("\n")
        self.assertEqual("".join(reversed(self.shell(command))), expected)
        files = self.files("edges-built")
        self.assertEqual(files["source/.python-version"] + files["source/requirements.txt"], "3.11\nnumpy==1.26.4\n")
        self.assertEqual(json.loads(files["pipeline.json"])["transform"], {
            "build": {"language": "python", "path": "./source"}, "cmd": ["python3", "/pfs/source/edges.py"]})


class HostileImages(InitSuite):
    def fault(self, dockerfile=None):
        if dockerfile is not None:
            self.write("old/Dockerfile", dockerfile)
        said = self.init("new", "--from", "old/Dockerfile", expect=65)
        self.assertFalse((self.folder / "new").exists())
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".")], [])
        return said.stderr.replace(f"{self.folder}/", "")

    def test_paths_out_of_the_context(self):
        self.write("secret", "x")
        hint = "hint: pass the build context with --context DIR\n"
        for source in ("../secret", "a/../../secret", "/../secret"):
            self.assertEqual(self.fault(f"FROM python\nCOPY {source} /x\n"),
                             f'error: old/Dockerfile:2: "{source}" is outside the build context\n{hint}')
        (self.folder / "old/link").symlink_to("../secret")
        self.assertEqual(self.fault("FROM python\nCOPY link /x\n"),
                         f'error: old/Dockerfile:2: "link" is a symbolic link to secret, outside the build context\n'
                         "hint: replace it with a copy\n")
        self.assertEqual(self.fault("FROM python\nCOPY . /x\n"),
                         "error: old/link: is a symbolic link to secret, outside the source\n"
                         "hint: replace it with a copy, or list it in .pachignore\n")
        (self.folder / "old/link").unlink()
        (self.folder / "old/link").symlink_to(self.folder)
        for source in ("link/secret", "link", "*"):
            self.assertIn(", outside the build context\n", self.fault(f"FROM python\nCOPY {source} /x/\n"))

    def test_what_is_no_file_or_too_large(self):
        self.write("old/x", "")
        (self.folder / "old/x").unlink()
        os.mkfifo(self.folder / "old/x")
        self.assertEqual(self.fault("FROM python\nADD x /x\n"), 'error: old/Dockerfile:2: "x" is neither a file nor a folder\n')
        self.assertEqual(self.fault("FROM python\nADD . /x\n"), "error: old/x: is neither a file nor a folder\n"
                                                               "hint: remove it, or list it in .pachignore\n")
        (self.folder / "old/x").unlink()
        with (self.folder / "old/x").open("wb") as file:
            file.truncate(2 << 30)
        self.assertEqual(self.fault("FROM python\nADD x /x\n"), 'error: old/Dockerfile:2: "x" is 2.0 GiB; the limit is 1.0 GiB\n'
                                                               "hint: put it into a repo as data\n")

    def test_files_that_are_no_dockerfiles(self):
        for content, message in ((b"", "old/Dockerfile: has no instruction\n"),
                                 (b"FROM python\nCOPY \xff /x\n", "old/Dockerfile:2: is not UTF-8 text\n"),
                                 ("FROM python\n".encode("utf-16"), "old/Dockerfile:1: is not UTF-8 text\n"),
                                 (b"\x00" * 100, "old/Dockerfile:1: is not UTF-8 text\n"),
                                 (b"\n" * ((1 << 20) + 1), "old/Dockerfile: is too large: the limit is 1.0 MiB\n"),
                                 (b"RUN <<E\n", 'old/Dockerfile:1: the here-document "E" does not end\n')):  # fmt: skip
            self.assertEqual(self.fault(content), f"error: {message}")
        (self.folder / "old/Dockerfile").unlink()
        os.mkfifo(self.folder / "old/Dockerfile")
        self.assertEqual(self.fault(), "error: old/Dockerfile: is not a regular file\n")

    def test_names_that_would_forge_lines(self):
        self.write("old/a\nerror: x", "")
        said = self.fault("FROM python\nCOPY . /app\n")
        self.assertEqual(len(said.splitlines()), 2, said)
        self.write("old/x.py", "")
        self.write("old/Dockerfile", "FROM python\nCOPY x.py /x.py\nRUN x \"\\u001b[31m\" \\\n error: y\n")
        said = self.init("new", "--from", "old/Dockerfile")
        self.assertTrue(all(line.startswith("warning: ") for line in said.stderr.splitlines()), said.stderr)


if __name__ == "__main__":
    support.main()
