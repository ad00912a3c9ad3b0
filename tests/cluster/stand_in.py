# SPDX-License-Identifier: Apache-2.0
"""A stand-in for pachctl and the Pachyderm behind it, for machines that have none: as much as pachbuild uses.

Repos, branches, commits and pipelines are in the folder $STAND_IN_STATE. What a real 2.12 refuses is refused in its
words (tests/suites/test_cluster.py runs against both). A build pipeline's job really runs builder-runtime, from
$PACHBUILD_BIN, unless $STAND_IN_BUILDS is "no"; the job of any other pipeline succeeds at once. The suites call it
hundreds of times, hence modules that take long to import are imported where they are needed.
"""

import fcntl
import json
import os
import sys

STATE = os.environ["STAND_IN_STATE"]
CONFIG = os.environ.get("PACH_CONFIG", f"{STATE}/config.json")
SPEC_FIELDS = {
    "pipeline", "tf_job", "transform", "parallelism_spec", "egress", "update", "output_branch", "s3_out",
    "resource_requests", "resource_limits", "sidecar_resource_limits", "input", "description", "reprocess", "service",
    "spout", "datum_set_spec", "datum_timeout", "job_timeout", "salt", "datum_tries", "scheduling_spec", "pod_spec",
    "pod_patch", "spec_commit", "metadata", "reprocess_spec", "autoscaling", "tolerations",
    "sidecar_resource_requests", "dry_run", "determined", "maximum_expected_uptime",
}  # fmt: skip
LONGEST_NAME = 51
BUILDS = os.environ.get("STAND_IN_BUILDS") != "no"
DEFAULT = "default"


class Refusal(Exception):
    pass


def new_id():
    return os.urandom(16).hex()


def pfs_hash(content):
    import base64
    import hashlib

    def blake2b(data):
        return hashlib.blake2b(data, digest_size=32).digest()

    return base64.b64encode(blake2b(blake2b(content) if content else b"")).decode()


def split_place(text):
    """repo@commit:/path"""
    repo, _, rest = text.partition("@")
    commit, _, path = rest.partition(":")
    return repo, commit, path.lstrip("/")


def key_of(project, name):
    """Under which a repo or pipeline is stored."""
    return name if (project or DEFAULT) == DEFAULT else f"{project}/{name}"


def project_of(spec):
    return spec["pipeline"].get("project", {}).get("name", DEFAULT)


def inputs_of(spec):
    """Every repo input of a spec, however it is nested, under the key of its repo."""

    def walk(value):
        if isinstance(value, list):
            for item in value:
                yield from walk(item)
        elif isinstance(value, dict):
            if "repo" in value:
                yield {**value, "repo": key_of(value.get("project", project_of(spec)), value["repo"])}
            for item in value.values():
                yield from walk(item)

    return list(walk(spec.get("input", {})))


def with_projects(value, project):
    """An input as Pachyderm keeps it: every repo has its project, branch and name."""
    if isinstance(value, list):
        return [with_projects(item, project) for item in value]
    if not isinstance(value, dict):
        return value
    if "repo" in value:
        return {"project": project, "branch": "master", "name": value["repo"], **value}
    return {name: with_projects(item, project) for name, item in value.items()}


class Cluster:
    def __init__(self, state):
        self.repos = state.get("repos", {})
        self.commits = state.get("commits", {})
        self.pipelines = state.get("pipelines", {})
        self.jobs = state.get("jobs", [])
        self.now = new_id()  # what happens in one call or transaction has one id

    def as_json(self):
        return {"repos": self.repos, "commits": self.commits, "pipelines": self.pipelines, "jobs": self.jobs}

    # Looking

    def repo(self, name):
        if name not in self.repos:
            raise Refusal(f"repo default/{name} not found")
        return self.repos[name]

    def commit(self, repo, name):
        if repo not in self.repos:
            raise Refusal(f"pick commit tx: commit default/{repo}@ not found\nrepo default/{repo} not found")
        branches = self.repos[repo]["branches"]
        commit = branches.get(name, name)
        if f"{repo}@{commit}" not in self.commits:
            raise Refusal(
                f'pick commit tx: commit default/{repo}@ not found\nbranch "{name}" not found in repo default/{repo}'
            )
        return self.commits[f"{repo}@{commit}"]

    def readers(self, repo, branch):
        readers = []
        for name, pipeline in self.pipelines.items():
            for entry in inputs_of(pipeline["spec"]):
                if (entry["repo"], entry.get("branch") or "master") == (repo, branch):
                    output = pipeline["spec"].get("output_branch") or "master"
                    readers += [f"default/{name}@{output}", f"default/{name}.meta@{output}"]
        return readers

    def check_unread(self, repo, branch):
        if readers := self.readers(repo, branch):
            raise Refusal(
                f"delete branch default/{repo}@{branch}: branch \"default/{repo}@{branch}\" cannot be deleted because "
                f"it's in the direct provenance of [{' '.join(readers)}]"
            )

    # Changing

    def create_repo(self, name, description=""):
        if name in self.repos:
            raise Refusal(f"repo default/{name} already exists")
        self.repos[name] = {"branches": {}, "description": description}

    def delete_repo(self, name):
        if name not in self.repos:
            raise Refusal("No repo deleted.")
        for branch in self.repos[name]["branches"]:
            try:
                self.check_unread(name, branch)
            except Refusal as refusal:
                raise Refusal(f"delete repo: {refusal}") from None
        del self.repos[name]

    def update_repo(self, name, description):
        self.repo(name)["description"] = description

    def create_branch(self, repo, branch, head):
        self.repo(repo)
        self.commit(repo, head)
        self.repo(repo)["branches"][branch] = self.repo(repo)["branches"].get(head, head)

    def delete_branch(self, repo, branch):
        if branch not in self.repo(repo)["branches"]:
            raise Refusal(f'get branch "default/{repo}@{branch}": branch "default/{repo}@{branch}" not found')
        self.check_unread(repo, branch)
        del self.repo(repo)["branches"][branch]

    def start_commit(self, repo, branch, description):
        branches = self.repo(repo)["branches"]
        if any(repo == name and branch == (pipeline["spec"].get("output_branch") or "master")
               for name, pipeline in self.pipelines.items()):  # fmt: skip
            raise Refusal(
                f"start commit in transaction: cannot start a commit on an output branch: default/{repo}@{branch}"
            )
        commit = new_id()
        parent = branches.get(branch)
        files = dict(self.commits[f"{repo}@{parent}"]["files"]) if parent else {}
        self.commits[f"{repo}@{commit}"] = {"files": files, "description": description, "finished": False}
        branches[branch] = commit
        return commit

    def put_pipeline(self, spec, update, reprocess):
        if unknown := sorted(set(spec) - SPEC_FIELDS):
            raise Refusal(f'could not unmarshal as CreatePipelineRequest: proto: unknown field "{unknown[0]}"')
        if "build" in spec.get("transform", {}):
            raise Refusal('could not unmarshal as CreatePipelineRequest: proto: unknown field "build"')
        name = spec["pipeline"]["name"]
        if not name.replace("_", "").replace("-", "").isalnum():
            raise Refusal(
                f"could not create pipeline: rpc error: code = Unknown desc = invalid pipeline name: name ({name}) invalid: only alphanumeric "
                "characters, underscores, and dashes are allowed"
            )
        if len(name) > LONGEST_NAME:
            raise Refusal(
                f'could not create pipeline: rpc error: code = Unknown desc = pipeline name "{name}" is {len(name) - LONGEST_NAME} characters longer '
                f"than the {LONGEST_NAME} max"
            )
        name = key_of(project_of(spec), name)
        if name in self.pipelines and not update:
            raise Refusal(f'could not create pipeline: rpc error: code = Unknown desc = pipeline "default/{name}" already exists')
        if name not in self.pipelines and name in self.repos:
            raise Refusal(
                f'could not create pipeline: rpc error: code = Unknown desc = pipeline "{name}" cannot be created because a repo with the same name '
                "already exists"
            )
        for entry in inputs_of(spec):
            if entry["repo"] not in self.repos:
                raise Refusal(f"could not create pipeline: rpc error: code = Unknown desc = repo default/{entry['repo']} not found")
        version = self.pipelines.get(name, {"version": 0})["version"] + 1
        self.pipelines[name] = {"spec": spec, "version": version, "made_by": self.now if reprocess else "", "seen": ""}
        self.repos.setdefault(name, {"branches": {}, "description": f"Output repo for pipeline default/{name}."})

    def delete_pipeline(self, name):
        if name not in self.pipelines:
            raise Refusal(f'pipeline "default/{name}" not found')
        self.check_unread(name, self.pipelines[name]["spec"].get("output_branch") or "master")
        del self.pipelines[name]
        self.repos.pop(name, None)
        self.jobs = [job for job in self.jobs if job["pipeline"] != name]

    # Jobs

    def run_jobs(self):
        """A job for each pipeline whose inputs or spec are new, the sources of others first."""
        for _ in self.pipelines:
            for name, pipeline in self.pipelines.items():
                heads = []
                for entry in inputs_of(pipeline["spec"]):
                    branches = self.repos.get(entry["repo"], {"branches": {}})["branches"]
                    heads.append(branches.get(entry.get("branch") or "master", ""))
                seen = json.dumps([heads, pipeline["version"], pipeline["made_by"]])
                if seen == pipeline["seen"] or "" in heads:
                    continue
                pipeline["seen"] = seen
                self.run_job(name, pipeline)

    def run_job(self, name, pipeline):
        entries = inputs_of(pipeline["spec"])
        job = {"pipeline": name, "id": self.now, "state": "JOB_SUCCESS", "reason": "", "log": "", "total": 1}
        sources = [self.commit(entry["repo"], entry.get("branch") or "master") for entry in entries]
        if any(source.get("failed") for source in sources):
            job.update(state="JOB_UNRUNNABLE", reason="unrunnable because of a failed upstream job", total=0)
        elif pipeline["spec"]["transform"].get("cmd") == ["sh", "./build.sh"] and BUILDS:
            self.build(pipeline["spec"], sources[0], job)
        self.jobs.insert(0, job)
        failed = job["state"] != "JOB_SUCCESS"
        self.commits[f"{name}@{self.now}"] = {"files": {}, "description": "", "finished": True, "failed": failed}
        self.repos[name]["branches"][pipeline["spec"].get("output_branch") or "master"] = self.now

    def build(self, spec, source, job):
        import shutil
        import subprocess
        import tempfile

        language = spec["transform"]["image"].rpartition("pachbuild-")[2].partition(":")[0]
        with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
            for path, file in source["files"].items():
                target = f"{folder}/source/{path}"
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(f"{STATE}/content/{file['content']}", target)
            os.mkdir(f"{folder}/out")
            words = [f"{os.environ['PACHBUILD_BIN']}/builder-runtime", "--source", f"{folder}/source"]
            words += ["--out", f"{folder}/out", "--language", language]
            environment = dict(os.environ, PACHBUILD_CACHE_DIR=f"{STATE}/cache", **spec["transform"].get("env", {}))
            done = subprocess.run(words, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        job["log"] = done.stderr
        if done.returncode != 0:
            job.update(state="JOB_FAILURE", reason="datum failed")


def read_json(file, otherwise):
    if not os.path.exists(file):
        return otherwise
    with open(file, encoding="utf-8") as text:
        return json.load(text)


def write_json(file, value):
    with open(file + ".part", "w", encoding="utf-8") as text:
        json.dump(value, text)
    os.rename(file + ".part", file)


class LockedState:
    """The state, for one process at a time."""

    def __enter__(self):
        os.makedirs(STATE, exist_ok=True)
        self.lock = open(f"{STATE}/lock", "w", encoding="utf-8")  # closed, and so given back, in __exit__
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        return read_json(f"{STATE}/state.json", {})

    def __exit__(self, *_):
        self.lock.close()


def save(cluster):
    write_json(f"{STATE}/state.json", cluster.as_json())


def active_transaction():
    return read_json(CONFIG, {}).get("transaction")


def set_transaction(name):
    write_json(CONFIG, {"transaction": name})


def transaction_file():
    return f"{STATE}/transaction-{active_transaction()}.json"


def calls_of_transaction():
    """Those so far; somebody else may have deleted it."""
    if not os.path.exists(transaction_file()):
        raise Refusal(f"rpc error: code = Unknown desc = transactions {active_transaction()} not found")
    return read_json(transaction_file(), [])


def change(*call):
    """Calls a method of Cluster, now or as part of the transaction that the configuration names."""
    with LockedState() as state:
        if active_transaction():
            calls = [*calls_of_transaction(), call]
            answer = apply(Cluster(state), calls)
            write_json(transaction_file(), calls)
            return answer
        cluster = Cluster(state)
        answer = getattr(cluster, call[0])(*call[1:])
        cluster.run_jobs()
        save(cluster)
        return answer


def apply(cluster, calls):
    """All calls of a transaction; gives the answer of the last."""
    answer = None
    for number, (method, *arguments) in enumerate(calls, 1):
        try:
            answer = getattr(cluster, method)(*arguments)
        except Refusal as refusal:
            raise Refusal(f"error running request {number} of {len(calls)}: {refusal}") from None
    return answer


def finish_transaction():
    with LockedState() as state:
        cluster = Cluster(state)
        cluster.now = active_transaction()
        apply(cluster, calls_of_transaction())
        cluster.run_jobs()
        save(cluster)
        os.unlink(transaction_file())
    set_transaction(None)


def change_files(place, edit):
    repo, commit, path = split_place(place)
    with LockedState() as state:
        cluster = Cluster(state)
        entry = cluster.commit(repo, commit)
        if entry["finished"]:
            raise Refusal(f"commit {repo}@{commit} is finished")
        edit(entry["files"], path)
        save(cluster)


def put_folder(files, folder):
    os.makedirs(f"{STATE}/content", exist_ok=True)
    for parent, _, names in os.walk(folder):
        for name in names:
            with open(f"{parent}/{name}", "rb") as file:
                content = file.read()
            stored = pfs_hash(content).replace("/", "_")
            with open(f"{STATE}/content/{stored}", "wb") as file:
                file.write(content)
            files[os.path.relpath(f"{parent}/{name}", folder)] = {
                "content": stored, "hash": pfs_hash(content), "size_bytes": str(len(content))}  # fmt: skip


def delete_path(files, path):
    for name in list(files):
        if name == path or (path.endswith("/") and name.startswith(path)):
            del files[name]


def print_all(objects):
    for entry in objects:
        print(json.dumps(entry, indent=2))


def read_only():
    with LockedState() as state:
        return Cluster(state)


def list_pipeline(wanted):
    """Of a project, or of all."""
    for pipeline in read_only().pipelines.values():
        spec = pipeline["spec"]
        project = project_of(spec)
        if wanted not in (None, project):
            continue
        details = {"input": with_projects(spec.get("input", {}), project), "transform": spec["transform"],
                   "output_branch": spec.get("output_branch") or "master"}  # fmt: skip
        if "description" in spec:
            details["description"] = spec["description"]
        print_all([{"pipeline": spec["pipeline"], "version": str(pipeline["version"]), "state": "PIPELINE_RUNNING",
                    "details": details, "user_spec_json": json.dumps(spec)}])  # fmt: skip


def list_repo(project):
    for key, repo in read_only().repos.items():
        place, _, name = key.rpartition("/")
        if (place or DEFAULT) == project:
            print_all([{"repo": {"name": name}, "description": repo["description"]}])


def list_commit(repo):
    """What a person has made, the newest first."""
    cluster = read_only()
    cluster.repo(repo)
    for place, commit in reversed(cluster.commits.items()):
        if place.rpartition("@")[0] == repo:
            print_all([{"commit": {"id": place.rpartition("@")[2]}, "description": commit["description"]}])


def list_files(place):
    cluster = read_only()
    repo, commit, _ = split_place(place)
    for path, file in sorted(cluster.commit(repo, commit)["files"].items()):
        entry = {"file": {"path": "/" + path}, "file_type": "FILE", "hash": file["hash"]}
        if file["size_bytes"] != "0":
            entry["size_bytes"] = file["size_bytes"]
        print_all([entry])


def list_job(pipeline):
    cluster = read_only()
    if pipeline not in cluster.pipelines:
        raise Refusal(f'pipeline "default/{pipeline}" not found')
    print_jobs([job for job in cluster.jobs if job["pipeline"] == pipeline])


def list_job_set(wanted):
    """Of all pipelines, the sources of others first; of an id that is not there, none."""
    print_jobs([job for job in reversed(read_only().jobs) if job["id"] == wanted])


def print_jobs(jobs):
    print_all(
        {"job": {"pipeline": {"name": job["pipeline"].rpartition("/")[2]}, "id": job["id"]}, "state": job["state"],
         "reason": job["reason"], "data_total": str(job["total"]),
         "data_processed": str(job["total"] if job["state"] == "JOB_SUCCESS" else 0)}
        for job in jobs
    )  # fmt: skip


def print_logs(place, raw):
    pipeline, wanted, _ = split_place(place)
    for job in read_only().jobs:
        if (job["pipeline"], job["id"]) == (pipeline, wanted):
            for number, line in enumerate(job["log"].splitlines()):
                print(json.dumps({"user": True, "ts": number, "message": line}) if raw else line)
            return
    raise Refusal(f'could not get job information for "{wanted}": jobs default/{pipeline}@{wanted} not found')


def fetch(address):
    import urllib.request

    with urllib.request.urlopen(address) as answer:
        return json.load(answer)


def put_specs(file, update, reprocess, project):
    spec = fetch(file) if "://" in file else read_json(file, None)
    spec["pipeline"].setdefault("project", {"name": project})
    change("put_pipeline", spec, update, reprocess)


def finish_commit(place):
    repo, commit, _ = split_place(place)
    with LockedState() as state:
        cluster = Cluster(state)
        cluster.commit(repo, commit)["finished"] = True
        cluster.run_jobs()
        save(cluster)


def start_transaction():
    set_transaction(new_id())
    write_json(transaction_file(), [])
    print(f'started new transaction: "{active_transaction()}"')


def list_transaction():
    """Of the calls that each has, those that delete a branch."""
    for name in sorted(os.listdir(STATE)):
        if name.startswith("transaction-"):
            calls = read_json(f"{STATE}/{name}", [])
            requests = [{"delete_branch": {"branch": {"repo": {"name": call[1]}, "name": call[2]}}}
                        for call in calls if call[0] == "delete_branch"]
            print_all([{"transaction": {"id": name[len("transaction-") : -len(".json")]}, "requests": requests}])


def delete_transaction(wanted):
    """The one that is named, or that in which this pachctl is."""
    file = f"{STATE}/transaction-{wanted}.json" if wanted else transaction_file()
    if os.path.exists(file):
        os.unlink(file)
    if not wanted:
        set_transaction(None)


def commit_info(place):
    repo, commit, _ = split_place(place)
    entry = read_only().commit(repo, commit)
    info = {"description": entry["description"], "started": "2024-01-01T00:00:00Z"}
    if entry["finished"]:
        info["finishing"] = info["started"]
    print_all([info])


def list_branch(repo):
    branches = read_only().repo(repo)["branches"]
    print_all({"branch": {"name": name}, "head": {"id": head}} for name, head in sorted(branches.items()))


def parse(arguments):
    """Words, and options with their values."""
    flags = ("raw", "recursive", "force", "reprocess", "all-projects")
    words, options = [], {"description": ""}
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("--"):
            words.append(argument)
            continue
        name, equals, value = argument[2:].partition("=")
        if name not in (*flags, "project", "description", "head", "file", "progress", "pipeline", "job", "since"):
            raise Refusal(f"unknown flag: --{name}")
        options[name] = value if equals or name in flags else next(rest)
    return words, options


def run(words):
    words, options = parse(words)
    verb = " ".join(words[:2])
    place = words[2] if len(words) > 2 else ""
    project = options.get("project", DEFAULT)
    if place:
        place = key_of(project, place)
    for name in ("pipeline", "job"):
        if name in options:
            options[name] = key_of(project, options[name])
    repo, commit, _ = split_place(place)
    verbs = {
        "list pipeline": lambda: list_pipeline(None if "all-projects" in options else project),
        "list repo": lambda: list_repo(project),
        "list commit": lambda: list_commit(place),
        "list branch": lambda: list_branch(place),
        "list job": lambda: list_job(options["pipeline"]) if "pipeline" in options else list_job_set(words[2]),
        "inspect commit": lambda: commit_info(place),
        "glob file": lambda: list_files(place),
        "logs": lambda: print_logs(options["job"], "raw" in options),
        "create repo": lambda: change("create_repo", place, options["description"]),
        "update repo": lambda: change("update_repo", place, options["description"]),
        "delete repo": lambda: change("delete_repo", place),
        "create branch": lambda: change("create_branch", repo, commit, options["head"]),
        "delete branch": lambda: change("delete_branch", repo, commit),
        "start commit": lambda: print(change("start_commit", repo, commit, options["description"])),
        "finish commit": lambda: finish_commit(place),
        "put file": lambda: change_files(place, lambda files, _: put_folder(files, options["file"])),
        "delete file": lambda: change_files(place, delete_path),
        "create pipeline": lambda: put_specs(options["file"], False, "reprocess" in options, project),
        "update pipeline": lambda: put_specs(options["file"], True, "reprocess" in options, project),
        "delete pipeline": lambda: change("delete_pipeline", place),
        "start transaction": start_transaction,
        "finish transaction": finish_transaction,
        "list transaction": list_transaction,
        "delete transaction": lambda: delete_transaction(place),
    }
    verbs[verb]()


def main():
    try:
        run(sys.argv[1:])
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
