# SPDX-License-Identifier: Apache-2.0
"""All that pachbuild says to pachctl, call by call, as tests/golden/conversations has it.

A conversation starts with a cluster that has repo data, or, after `self.known()`, pipeline p as well.
"""

import concurrent.futures
import inspect
import json
import re
import shutil

import cluster_suite
import recorded
import support

RECORDER = support.ROOT / "tests" / "cluster" / "recorder"
DATA = "0" * 31 + "d"  # the commit in repo data
STATE = {
    "repos": {"data": {"branches": {"master": DATA}, "description": ""}},
    "commits": {f"data@{DATA}": {"files": {}, "description": "", "finished": True}},
}
BUILD = {"language": "python", "path": "source"}


def spec_of(name="p", build=None, transform=None, **fields):
    return {"pipeline": {"name": name}, "transform": {"build": {**BUILD, **(build or {})}, **(transform or {})},
            "input": {"pfs": {"repo": "data", "glob": "/*"}}, **fields}  # fmt: skip


def plain_of(name="plain", **fields):
    return {"pipeline": {"name": name}, "transform": {"image": "x:1", "cmd": ["true"]},
            "input": {"pfs": {"repo": "data", "glob": "/*"}}, **fields}  # fmt: skip


# Calls that are made side by side come in any order: within each of these rows they are put into the order of the row.
SIDE_BY_SIDE = (
    ("list repo", "list branch", "inspect commit", "list pipeline", "glob file"),
    ("create branch p_source@pachbuild-version", "put file built@", "start commit", "start transaction",
     "delete branch p_source@pachbuild-version", "create branch p_source@master", "create branch built@", "delete branch built@",
     "create pipeline", "update pipeline", "put file", "delete file", "finish commit"),
    ("--force", "list transaction"),  # what is cleared away
)


def in_order(calls):
    """The calls as code would make them one after the other."""
    def place(call):
        words = re.sub(r"[\w-]+_build_source@", "built@", " ".join(call["words"]))
        words = re.sub(r"\b\w+_source@", "p_source@", words)
        if words.endswith("--force"):
            words = "--force " + words
        for row, begins in enumerate(SIDE_BY_SIDE):
            for rank, begin in enumerate(begins):
                if words.startswith(begin):
                    return row, rank, words if begin in ("delete file", "--force") else ""
        return None

    result, run = [], []
    for call in [*calls, None]:
        key = place(call) if call else None
        if run and (key is None or key[0] != run[0][0][0]):
            result += [one for _, one in sorted(run, key=lambda pair: pair[0])]
            run = []
        if key:
            run.append((key, call))
        elif call:
            result.append(call)
    return result


RESOURCES = {"cpu": 1.5, "memory": "64Mi", "disk": "1Gi", "gpu": {"type": "nvidia.com/gpu", "number": 1}}
# Every field that a build can have, and many of a pipeline.
SPECS = {
    "least": spec_of(),
    "go": spec_of(build={"language": "go"}),
    "an image of one's own": spec_of(build={"image": "builder:1"}),
    "an image and no language": {**spec_of(),
                                 "transform": {"build": {"path": "source", "image": "builder:1"}, "image": "x:1"}},
    "a command": spec_of(transform={"cmd": ["sh", "/pfs/build/run.sh", "--width", "4"], "stdin": ["a", "b"],
                                    "image": "x:1"}),
    "variables": spec_of(build={"env": {"A": "b", "PIP_INDEX_URL": "https://index.example/simple"}},
                         transform={"env": {"C": "d"}}),
    "secrets": spec_of(build={"secrets": [{"name": "s", "key": "k", "env_var": "TOKEN"},
                                          {"name": "t", "mount_path": "/t"},
                                          {"name": "u", "key": "v", "env_var": "OTHER"}]},
                       transform={"secrets": [{"name": "s", "mount_path": "/s"}]}),
    "a user": spec_of(build={"user": "1000", "memory_volume": True, "image_pull_secrets": ["pull"]},
                      transform={"user": "1001"}),
    "resources": spec_of(build={f"{prefix}resource_{kind}": RESOURCES for prefix in ("", "sidecar_")
                                for kind in ("requests", "limits")}, resource_limits=RESOURCES),
    "a place in the cluster": spec_of(build={
        "scheduling_spec": {"node_selector": {"a": "b"}, "priority_class_name": "high"}, "autoscaling": True,
        "tolerations": [{"key": "k", "operator": "EQUAL", "value": "v", "effect": "NO_SCHEDULE",
                         "toleration_seconds": 5}],
        "metadata": {"annotations": {"a": "b"}, "labels": {"c": "d"}}, "pod_spec": "{}", "pod_patch": "[]"}),
    "times": spec_of(build={"datum_timeout": "5m", "job_timeout": "1h", "datum_tries": 4}, datum_timeout="10s",
                     datum_tries=2),
    "a working folder": spec_of(transform={"working_dir": "/usr"}),
    "a working folder and its variable": spec_of(
        transform={"working_dir": "/usr", "env": {"PACHBUILD_WORKING_DIR": "/tmp"}}),
    "a project": {**spec_of(), "pipeline": {"name": "p", "project": {"name": "team"}}},
    "a cross": spec_of(input={"cross": [{"pfs": {"repo": "data", "glob": "/*"}},
                                        {"pfs": {"repo": "more", "glob": "/", "lazy": True}}]}),
    "a cron": spec_of(input={"cron": {"name": "tick", "spec": "@every 60s", "overwrite": True}}),
    "many datums": spec_of(datum_set_spec={"number": 5}, parallelism_spec={"constant": 4}, salt="x", description="d",
                           output_branch="out", reprocess_spec="every_job", autoscaling=True, s3_out=True),
    "a long name": spec_of(name="p" * 51),
    "nothing to build": plain_of(description="d"),
}  # fmt: skip


class Conversation:
    """A folder, a cluster, and what was said."""

    def __init__(self, suite, folder):
        self.suite = suite
        self.folder = folder
        self.text = ""
        self.numbers = {}
        (folder / "state").mkdir(parents=True)
        (folder / "state" / "state.json").write_text(json.dumps(STATE), encoding="utf-8")
        self.write("source/main.py", "one\n")
        self.write("source/lib/more.py", "more\n")
        self.spec(spec_of())

    def write(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def spec(self, *specs, name="p.json"):
        self.write(name, "\n".join(json.dumps(spec) for spec in specs))

    def state(self, change):
        """Changes the cluster by hand."""
        file = self.folder / "state" / "state.json"
        state = json.loads(file.read_text(encoding="utf-8"))
        change(state)
        file.write_text(json.dumps(state), encoding="utf-8")

    def known(self):
        """Takes the cluster of which conversation "first" has made something."""
        shutil.rmtree(self.folder / "state")
        shutil.copytree(self.suite.first.folder / "state", self.folder / "state")

    def stable(self, text):
        """With names for what is another one each time."""
        def named(kind, value):
            names = self.numbers.setdefault(kind, [])
            if value not in names:
                names.append(value)
            return f"{kind}-{names.index(value) + 1}"

        text = text.replace(str(self.folder), "FOLDER")
        text = re.sub(r"(?<=--file )/\S+/(source|pipeline\.json)\b|FOLDER/cache/\S+/(source)\b", r"OWN/\1\2", text)
        text = re.sub(r"pachbuild-version-[0-9a-f]{32}\b", lambda found: named("VERSION", found[0]), text)
        text = re.sub(r"pachbuild-upload-\d+-[\w.-]+?(?=[^\w.-]|$)", lambda found: named("UPLOAD", found[0]), text)
        return re.sub(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", lambda found: named("ID", found[0]), text)

    def shown(self, call):
        words = call["words"]
        text = "> " + " ".join(words) + (" (context " + call["context"] + ")" if call["context"] else "")
        lines = [text + (" (refused)" if call["refused"] else "")]
        if call["stdin"]:
            lines.append("stdin: " + call["stdin"])
        file = call.get("file")
        if isinstance(file, str):
            lines += json.dumps(json.loads(file), indent=1, sort_keys=True).splitlines()
        elif file is not None:
            lines += [f"{path}: {content!r}" for path, content in sorted(file.items())]
        return "\n    ".join(lines) + "\n"

    def say(self, *words, stdin=None, **variables):
        """A call of pachbuild, with all that it calls, and what comes of it."""
        log = self.folder / "log"
        log.write_text("", encoding="utf-8")
        (self.folder / "log.refused").unlink(missing_ok=True)
        env = support.environment(
            PACHCTL=str(RECORDER), STAND_IN_STATE=str(self.folder / "state"), STAND_IN_BUILDS="no",
            PACH_CONFIG=str(self.folder / "config.json"), PACHBUILD_CACHE_DIR=str(self.folder / "cache"),
            RECORDER_LOG=str(log), PACH_CONTEXT=None, **{"PACHBUILD_BUILDER_IMAGES": None, **variables})  # fmt: skip
        result = self.suite.run_program(support.PACHBUILD, *words, env=env, cwd=self.folder, stdin=stdin)
        shown = "".join(f" {name}={value!r}" for name, value in variables.items())
        text = f"$ pachbuild {' '.join(words)}{shown}\n"
        calls = in_order([json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()])
        text += "".join(map(self.shown, calls))
        self.text += self.stable(text + result.stdout + result.stderr) + f"[exit code {result.returncode}]\n\n"

    def update(self, *words, **options):
        self.say("update", "pipeline", "-f", "p.json", *words, **options)

    # The conversations. Their names are those of the files.

    def first(self):
        self.update()

    def create(self):
        self.say("create", "pipeline", "-f", "p.json", "-o", "json")
        self.say("create", "pipeline", "-f", "p.json")

    def update_of_nothing(self):
        self.known()
        self.update("-o", "yaml")

    def update_of_a_file(self):
        self.known()
        self.write("source/main.py", "two\n")
        self.update("-o", "json")

    def update_with_files_removed(self):
        self.known()
        shutil.rmtree(self.folder / "source" / "lib")
        self.write("source/new.py", "new\n")
        self.update()
        (self.folder / "source" / "new.py").unlink()
        self.update()

    def update_with_many_removed(self):
        for number in range(60):
            self.write(f"source/{number}.txt", f"{number}\n")
        self.update()
        for number in range(51):
            (self.folder / f"source/{number}.txt").unlink()
        self.update()

    def update_of_the_build(self):
        self.known()
        self.spec(spec_of(build={"env": {"A": "b"}}))
        self.update()
        self.spec(spec_of(build={"env": {"A": "b"}, "datum_tries": 3}))
        self.update()

    def update_of_the_pipeline(self):
        self.known()
        self.spec(spec_of(description="new"))
        self.update()

    def update_of_everything(self):
        self.known()
        self.write("source/main.py", "two\n")
        self.spec(spec_of(description="new", build={"env": {"A": "b"}}))
        self.update("--reprocess")

    def update_again_and_wait(self):
        self.known()
        self.update("--reprocess", "--wait")
        self.update("--wait")

    def wait_for_a_first_job(self):
        self.say("create", "pipeline", "-f", "p.json", "--wait", "-o", "json")

    def images_of_ones_own(self):
        self.update("--builder-images", "registry.example/team/")
        self.update(PACHBUILD_BUILDER_IMAGES="other.example/")

    def project_and_context(self):
        self.update("--project", "team", "--context", "there")
        self.spec({**spec_of(), "pipeline": {"name": "p", "project": {"name": "team"}}})
        self.update()
        self.update("--project", "other")

    def plain_pipelines(self):
        self.spec(plain_of(), plain_of("other"))
        self.update()
        self.update("--reprocess", "--project", "team")
        self.say("create", "pipeline", "-f", "p.json")

    def a_plain_pipeline_of_a_project(self):
        self.spec({**plain_of(), "pipeline": {"name": "plain", "project": {"name": "team"}}})
        self.update()
        self.update()

    def several_in_a_file(self):
        self.spec(plain_of(), spec_of("a"), spec_of("b", input={"pfs": {"repo": "a", "glob": "/"}}))
        self.update()

    def standard_input(self):
        self.say("update", "pipeline", "-f", "-", stdin=json.dumps(spec_of()))

    def a_program_without_a_spec(self):
        self.state(lambda state: state["repos"].update(labels={"branches": {"master": ""}, "description": ""}))
        words = ("python-pipeline", "source", "--input", "data", "--input", "labels:/", "--name", "q", "--env", "A=b=c")
        self.say("create", *words)
        self.say("update", *words[:2], "-i", "data:/*/x", "--name", "q", "--reprocess")
        self.write("train.py", "train\n")
        self.write("requirements.txt", "six\n")
        self.say("update", "python-pipeline", "train.py", "-i", "data", "--dry-run", "-o", "json")
        self.say("update", "python-pipeline", "train.py", "-i", "data")

    def scripts_of_ones_own(self):
        self.write("source/run.sh", "exec python3 main.py\n")
        self.update()

    def a_go_program(self):
        self.spec(spec_of(build={"language": "go"}))
        self.update()

    def delete(self):
        self.known()
        self.say("delete", "pipeline", "p")
        self.say("delete", "pipeline", "p", "--yes")
        self.say("delete", "pipeline", "p", "--yes")

    def delete_of_a_project(self):
        self.update("--project", "team")
        self.say("delete", "pipeline", "p", "--yes", "--project", "team", "--context", "there")

    def delete_what_is_read(self):
        self.known()
        self.spec(plain_of(input={"pfs": {"repo": "p", "glob": "/"}}))
        self.update()
        self.say("delete", "pipeline", "p", "-y")

    def delete_with_foreign_commits(self):
        self.known()

        def commit(state):
            state["commits"]["p_source@" + "f" * 32] = {"files": {}, "description": "mine", "finished": True}

        self.state(commit)
        self.say("delete", "pipeline", "p", "-y")

    def delete_that_is_refused(self):
        self.known()
        self.say("delete", "pipeline", "p", "-y", RECORDER_REFUSES="delete pipeline p")
        self.say("delete", "pipeline", "p", "-y", RECORDER_REFUSES="delete pipeline p_build")
        self.say("delete", "pipeline", "p", "-y")

    def delete_during_a_change(self):
        self.known()
        self.say("delete", "pipeline", "p", "-y", RECORDER_REFUSES="finish transaction")

    def delete_a_plain_pipeline(self):
        self.spec(plain_of())
        self.update()
        self.say("delete", "pipeline", "plain", "-y")

    def delete_what_an_older_program_made(self):
        self.known()
        self.state(self.without_version)
        self.say("delete", "pipeline", "p", "-y")

    @staticmethod
    def without_version(state):
        branches = state["repos"]["p_source"]["branches"]
        for name in [name for name in branches if name.startswith("pachbuild-version-")]:
            del branches[name]

    def update_what_an_older_program_made(self):
        self.known()
        self.state(self.without_version)
        self.write("source/main.py", "two\n")
        self.update()

    def update_after_killed_uploads(self):
        self.known()

        def upload(state):
            branches = state["repos"]["p_source"]["branches"]
            branches["pachbuild-upload-1000000000-7"] = branches["master"]  # long ago
            branches["pachbuild-upload-9000000000-8"] = branches["master"]

        self.state(upload)
        self.write("source/main.py", "two\n")
        self.update()

    def update_after_a_killed_transaction(self):
        self.known()
        state = json.loads((self.folder / "state" / "state.json").read_text(encoding="utf-8"))
        branches = state["repos"]["p_source"]["branches"]
        version = [branch for branch in branches if branch.startswith("pachbuild-version-")]
        calls = [["delete_branch", "p_source", version[0]]]
        self.write("state/transaction-" + "e" * 32 + ".json", json.dumps(calls))
        self.write("state/transaction-" + "a" * 32 + ".json", "[]")

        def upload(state):
            branches = state["repos"]["p_source"]["branches"]
            branches["pachbuild-upload-9000000000-8"] = branches["master"]

        self.state(upload)
        self.write("source/main.py", "two\n")
        self.update()

    def update_while_it_is_deleted(self):
        self.known()

        def deleting(state):
            branches = state["repos"]["p_source"]["branches"]
            branches["pachbuild-deleting"] = branches["master"]

        self.state(deleting)
        self.update()
        self.say("delete", "pipeline", "p", "-y")

    def update_with_a_commit_of_somebody_else(self):
        self.known()

        def commit(state):
            branches = state["repos"]["p_source"]["branches"]
            state["commits"]["p_source@" + branches["master"]]["description"] = "mine"

        self.state(commit)
        self.update()
        self.write("source/main.py", "two\n")
        self.update()

    def update_with_an_open_commit(self):
        self.known()

        def commit(state):
            branches = state["repos"]["p_source"]["branches"]
            state["commits"]["p_source@" + branches["master"]]["finished"] = False

        self.state(commit)
        self.update()

    def first_that_is_refused(self):
        for call in ("create repo", "start commit", "put file", "finish commit", "start transaction", "create pipeline",
                     "finish transaction"):  # fmt: skip
            self.update(RECORDER_REFUSES=call)

    def first_that_is_cut_off(self):
        self.update(RECORDER_REFUSES="finish transaction", RECORDER_CUT="yes")
        self.update()

    def update_that_is_refused(self):
        self.known()
        self.write("source/main.py", "two\n")
        (self.folder / "source" / "lib" / "more.py").unlink()
        self.spec(spec_of(description="new"))
        for call in ("list repo", "list branch", "glob file", "create branch", "delete file", "put file",
                     "delete branch p_source@pachbuild-version", "update pipeline", "finish transaction"):  # fmt: skip
            self.update(RECORDER_REFUSES=call)

    def update_that_is_cut_off(self):
        self.known()
        self.write("source/main.py", "two\n")
        self.update(RECORDER_REFUSES="finish transaction", RECORDER_CUT="yes")

    def names_of_others(self):
        def repos(*names):
            def change(state):
                state["repos"] = {name: {"branches": {}, "description": "mine"} for name in ("data", *names)}

            return change

        for names in (["p_source"], ["p_build"], ["p"]):
            self.state(repos(*names))
            self.update()

    def a_build_as_a_pipeline(self):
        self.known()
        self.spec(spec_of("p_build"))
        self.update()
        self.spec(plain_of("p_build"))
        self.update()

    def status_and_logs(self):
        self.known()
        for words in (["status", "p"], ["status", "p", "-o", "json"], ["logs", "p"], ["logs", "p", "--follow"],
                      ["status", "nobody"], ["logs", "nobody"],
                      ["status", "p", "--context", "there", "--project", "default"]):  # fmt: skip
            self.say(*words)

    def jobs(self, **fields):
        def change(state):
            for job in state["jobs"]:
                job.update(fields if job["pipeline"] == "p_build" else {"state": "JOB_UNRUNNABLE", "total": 0})

        self.state(change)

    def a_build_that_failed(self):
        self.known()
        self.jobs(state="JOB_FAILURE", reason="datum failed", log="error: main.py: wrong\nhint: mend it")
        self.say("status", "p")
        self.say("logs", "p")
        self.say("logs", "p", "-F")
        self.update("--wait")

    def a_job_that_waits(self):
        self.known()
        self.jobs(state="JOB_STARTING", total=3, reason="")
        self.say("status", "p")

    def a_pipeline_without_jobs(self):
        self.known()
        self.state(lambda state: state["jobs"].clear())
        self.say("status", "p")
        self.say("status", "p", "-o", "json")
        self.say("logs", "p")

    def a_plain_pipelines_jobs(self):
        self.spec(plain_of())
        self.update()
        self.say("status", "plain")
        self.say("logs", "plain")

    def diff(self):
        self.say("diff", "-f", "p.json")
        self.known()
        self.say("diff", "-f", "p.json", "--exit-code")
        self.write("source/main.py", "three\n")
        self.write("source/new.py", "new\n")
        (self.folder / "source" / "lib" / "more.py").unlink()
        self.spec(spec_of(description="new", build={"datum_tries": 2}, transform={"env": {"A": "b"}}), plain_of())
        self.say("diff", "-f", "p.json", "--exit-code", "--project", "default")

    def an_address(self):
        self.say("update", "pipeline", "-f", "https://nowhere.example/p.json", "--dry-run")
        self.say("update", "pipeline", "-f", "file:///nowhere.json", "--reprocess")

    def specs_yaml(self):
        self.spec(spec_of(build={"env": {"on": "1", "B": "~", "C": "a: b\n#", "D": ""}}))
        self.update("--dry-run", "-o", "yaml")


def conversations():
    shared = {"write", "spec", "state", "known", "stable", "shown", "say", "update", "jobs", "without_version"}
    members = inspect.getmembers(Conversation, inspect.isfunction)
    return [name for name, _ in members if not name.startswith("_") and name not in shared]


@cluster_suite.stand_in_only
class Conversations(recorded.RecordedSuite):
    def talk(self, name, folder=""):
        conversation = Conversation(self, self.folder / (folder or name))
        getattr(conversation, name)()
        return conversation

    def specs(self, folder):
        """What becomes of each of SPECS."""
        conversation = Conversation(self, folder)
        for name, spec in SPECS.items():
            conversation.spec(spec, name=f"{name}.json")
            conversation.say("validate", "-f", f"{name}.json")
            conversation.say("update", "pipeline", "-f", f"{name}.json", "--dry-run", "-o", "json")
        return conversation.text

    def test_all_are_as_recorded(self):
        self.first = self.talk("first", "known")
        with concurrent.futures.ThreadPoolExecutor(3) as threads:
            specs = threads.submit(self.specs, self.folder / "specs")
            names = conversations()
            texts = {name + ".txt": done.text for name, done in zip(names, threads.map(self.talk, names))}
        texts["specs.txt"] = specs.result()
        self.compare("conversations", texts)


if __name__ == "__main__":
    support.main()
