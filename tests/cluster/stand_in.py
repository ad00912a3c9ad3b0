# SPDX-License-Identifier: Apache-2.0
"""A stand-in for pachctl and the Pachyderm behind it, for machines that have none: as much as pachbuild uses.

Repos, branches, commits and pipelines are in the folder $STAND_IN_STATE. What a real 2.12 refuses is refused in its
words (tests/suites/test_cluster.py runs against both). A build pipeline's job really runs builder-runtime, from
$PACHBUILD_BIN (which has pfs_hash too), unless $STAND_IN_BUILDS is "no"; the job of any other pipeline ends at once: a datum
for each file at the top of its own input, which fails if the name of that file begins with "fail"; it prints
$STAND_IN_PRINTS. The suites call it hundreds of times, hence modules that take long to import are imported where they are
needed. With $STAND_IN_FAULT "damage" files come damaged, with "silence" nothing is answered, and with "slow" a file takes a
minute.
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
SPLIT_SIZE = 1_000_000  # from here on PFS splits a file where its content says
BUILDS = os.environ.get("STAND_IN_BUILDS") != "no"
DEFAULT = "default"


class Refusal(Exception):
    pass


def new_id():
    return os.urandom(16).hex()


def pfs_hash(content, file):
    """The hash that PFS gives a content; it is that of a file."""
    import base64
    import hashlib

    def blake2b(data):
        return hashlib.blake2b(data, digest_size=32).digest()

    if len(content) >= SPLIT_SIZE:
        import subprocess

        words = [f"{os.environ['PACHBUILD_BIN']}/pfs_hash", file]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    return base64.b64encode(blake2b(blake2b(content) if content else b"")).decode()


def datum_id(parts):
    """DatumID of src/server/worker/common/common.go."""
    import hashlib

    digest = hashlib.blake2b(digest_size=32)
    for entry, path in parts:
        repo = entry["repo"].rpartition("/")[2]
        for text in (entry.get("name") or repo, repo, entry.get("branch") or "master", path):
            digest.update(text.encode() + len(text).to_bytes(8, "big"))
    return digest.hexdigest()


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


def in_order(value):
    """An input as Pachyderm keeps it: what is combined is sorted by the names that the spec gives, not by those of repos."""

    def written_name(part):
        if "pfs" in part:
            return part["pfs"].get("name", "")
        return min(map(written_name, next(iter(part.values()))), default="") if "cron" not in part else ""

    return {kind: sorted(map(in_order, parts), key=written_name) if isinstance(parts, list) else parts
            for kind, parts in value.items()}  # fmt: skip


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
        for job in self.jobs:  # each job has its id in all repos that it reads
            if job["id"] == name and repo in job["commits"]:
                commit = job["commits"][repo]
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
        if parent and not self.commits[f"{repo}@{parent}"]["finished"]:
            raise Refusal(f"create commit: parent commit default/{repo}@{parent} has not been finished")
        files = dict(self.commits[f"{repo}@{parent}"]["files"]) if parent else {}
        self.commits[f"{repo}@{commit}"] = {"files": files, "description": description, "finished": False}
        branches[branch] = commit
        return commit

    def finish_commit(self, repo, name):
        commit = self.commit(repo, name)
        if commit["finished"]:
            raise Refusal(f"commit default/{repo}@{name} has already finished")
        commit["finished"] = True

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
            branches = self.repos[entry["repo"]]["branches"]
            if entry.get("name") == "source" and "master" not in branches:
                branches["master"] = self.now  # an empty commit, which nobody has described
                self.commits[f"{entry['repo']}@{self.now}"] = {"files": {}, "description": "", "finished": True}
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
        job = {"pipeline": name, "id": self.now, "state": "JOB_SUCCESS", "reason": "", "log": "", "total": 1,
               "spec": pipeline["spec"], "datums": [], "commits": {}}
        for entry in entries:
            branch = entry.get("branch") or "master"
            job["commits"][entry["repo"]] = self.repos[entry["repo"]]["branches"][branch]
        sources = [self.commit(entry["repo"], entry.get("branch") or "master") for entry in entries]
        built = {}
        if any(source.get("failed") for source in sources):
            job.update(state="JOB_UNRUNNABLE", reason="unrunnable because of a failed upstream job", total=0)
        elif pipeline["spec"]["transform"].get("cmd") == ["sh", "./build.sh"] and BUILDS:
            built = self.build(pipeline["spec"], sources[0], job)
        else:
            self.run_datums(pipeline["spec"], job)
            job["log"] = os.environ.get("STAND_IN_PRINTS", "")
        self.jobs.insert(0, job)
        failed = job["state"] != "JOB_SUCCESS"
        self.commits[f"{name}@{self.now}"] = {"files": built, "description": "", "finished": True, "failed": failed}
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
            built = {}
            put_folder(built, f"{folder}/out")
        job["log"] = done.stderr
        if done.returncode != 0:
            job.update(state="JOB_FAILURE", reason="datum failed")
        return built

    def run_datums(self, spec, job):
        """What a cluster would have for an input "/*", alone or crossed with source and build."""
        entries = inputs_of({**spec, "input": in_order(spec["input"])})
        own = [entry for entry in entries if entry.get("name") not in ("source", "build")]
        if len(own) != 1:
            return
        tops = {path.partition("/")[::2] for path in self.commit(own[0]["repo"], job["commits"][own[0]["repo"]])["files"]}
        for top in sorted({name + ("/" if below else "") for name, below in tops}):
            parts = [(entry, "/" + top if entry is own[0] else "/") for entry in entries]
            state = "FAILED" if top.startswith("fail") else "SUCCESS"
            job["datums"].append({"id": datum_id(parts), "state": state})
        job["total"] = len(job["datums"])
        if any(datum["state"] == "FAILED" for datum in job["datums"]):
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
            hashed = pfs_hash(content, f"{parent}/{name}")
            stored = hashed.replace("/", "_")
            with open(f"{STATE}/content/{stored}", "wb") as file:
                file.write(content)
            files[os.path.relpath(f"{parent}/{name}", folder)] = {
                "content": stored, "hash": hashed, "size_bytes": str(len(content))}  # fmt: skip


def put_file(place, folder):
    """Into the commit that is named or open; a branch without one gets a commit of its own."""
    repo, name, _ = split_place(place)
    cluster = read_only()
    head = cluster.repo(repo)["branches"].get(name, name)
    is_open = f"{repo}@{head}" in cluster.commits and not cluster.commits[f"{repo}@{head}"]["finished"]
    if not is_open and f"{repo}@{name}" not in cluster.commits:
        commit = change("start_commit", repo, name, "")
        place = f"{repo}@{commit}:/"
    change_files(place, lambda files, _: put_folder(files, folder))
    if not is_open and f"{repo}@{name}" not in cluster.commits:
        change("finish_commit", repo, commit)


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


def get_file(place, output, recursive):
    cluster = read_only()
    repo, commit, path = split_place(place)
    files = cluster.commit(repo, commit)["files"]
    prefix = path.rstrip("/") + "/" if path else ""
    found = {name[len(prefix):] if recursive else "": file for name, file in files.items()
             if (name.startswith(prefix) if recursive else name == path)}  # fmt: skip
    if not found:
        raise Refusal(f"file /{path} not found in repo default/{repo} at commit {commit}")
    fault = os.environ.get("STAND_IN_FAULT")
    if fault == "slow":
        import time

        with open(f"{STATE}/slow", "w", encoding="utf-8"):
            time.sleep(60)
    for name, file in found.items():
        target = f"{output}/{name}" if recursive else output
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(f"{STATE}/content/{file['content']}", "rb") as stored, open(target, "wb") as out:
            content = stored.read()
            out.write(content if fault != "damage" else content[::-1])


def find_finished_job(place):
    pipeline, wanted, _ = split_place(place)
    for job in read_only().jobs:
        if (job["pipeline"], job["id"]) == (pipeline, wanted):
            return job
    raise Refusal(f"jobs default/{place} not found")


def inspect_job(place):
    try:
        job = find_finished_job(place)
    except Refusal as refusal:
        raise Refusal(f"error from InspectJob: {refusal}") from None
    project = project_of(job["spec"])

    def with_commits(value):
        if isinstance(value, list):
            return [with_commits(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "repo" in value:
            return {**value, "repo_type": "user", "commit": job["id"]}
        return {name: with_commits(item) for name, item in value.items()}

    details = {"transform": job["spec"]["transform"], "datum_tries": "3",
               "input": with_commits(with_projects(in_order(job["spec"]["input"]), project))}  # fmt: skip
    print_all([{"job": {"pipeline": job["spec"]["pipeline"], "id": job["id"]}, "state": job["state"],
                "reason": job["reason"], "details": details}])  # fmt: skip


def list_datum(place):
    print_all({"datum": {"id": datum["id"]}, "state": datum["state"]} for datum in find_finished_job(place)["datums"])


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
         "data_processed": str(sum(datum["state"] == "SUCCESS" for datum in job.get("datums", [])) or
                               (job["total"] if job["state"] == "JOB_SUCCESS" else 0)),
         "data_failed": str(sum(datum["state"] == "FAILED" for datum in job.get("datums", [])))}
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


def start_transaction():
    set_transaction(new_id())
    write_json(transaction_file(), [])
    print(f'started new transaction: "{active_transaction()}"')


def list_transaction():
    """Of the calls that each has, those that delete or make a branch."""
    for name in sorted(os.listdir(STATE)):
        if name.startswith("transaction-") and name.endswith(".json"):
            calls = read_json(f"{STATE}/{name}", [])
            requests = [{call[0]: {"branch": {"repo": {"name": call[1]}, "name": call[2]},
                                   **({"head": {"id": call[3]}} if len(call) > 3 else {})}}
                        for call in calls if call[0].endswith("_branch")]  # fmt: skip
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
    cluster = read_only()
    entry = cluster.commit(repo, commit)
    key = next(key for key, value in cluster.commits.items() if value is entry)
    info = {"commit": {"repo": {"name": repo}, "id": key.rpartition("@")[2]}, "description": entry["description"],
            "started": "2024-01-01T00:00:00Z"}  # fmt: skip
    if entry["finished"]:
        info["finishing"] = info["finished"] = info["started"]
    print_all([info])


def list_branch(repo):
    branches = read_only().repo(repo)["branches"]
    print_all({"branch": {"name": name}, "head": {"id": head}} for name, head in sorted(branches.items()))


def parse(arguments):
    """Words, and options with their values."""
    flags = ("raw", "recursive", "force", "reprocess", "all-projects")
    short = {"-r": "--recursive", "-f": "--file"}
    words, options = [], {"description": ""}
    rest = iter(short.get(argument, argument) for argument in arguments)
    for argument in rest:
        if not argument.startswith("--"):
            words.append(argument)
            continue
        name, equals, value = argument[2:].partition("=")
        if name not in (*flags, "project", "description", "head", "file", "progress", "pipeline", "job", "since", "output",
                        "timeout"):
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
        "wait commit": lambda: commit_info(place),
        "inspect job": lambda: inspect_job(place),
        "list datum": lambda: list_datum(place),
        "get file": lambda: get_file(place, options["output"], "recursive" in options),
        "version": lambda: print("pachctl 2.12.0"),
        "glob file": lambda: list_files(place),
        "logs": lambda: print_logs(options["job"], "raw" in options),
        "create repo": lambda: change("create_repo", place, options["description"]),
        "update repo": lambda: change("update_repo", place, options["description"]),
        "delete repo": lambda: change("delete_repo", place),
        "create branch": lambda: change("create_branch", repo, commit, options["head"]),
        "delete branch": lambda: change("delete_branch", repo, commit),
        "start commit": lambda: print(change("start_commit", repo, commit, options["description"])),
        "finish commit": lambda: change("finish_commit", repo, commit),
        "put file": lambda: put_file(place, options["file"]),
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
    if os.environ.get("STAND_IN_FAULT") == "silence":
        import time

        time.sleep(60)
    try:
        run(sys.argv[1:])
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
