# SPDX-License-Identifier: Apache-2.0
"""Attacks on `pachbuild run` over several pipelines: the results of all of them are known."""

import json
import signal

import attempt as base
import running
import watching

# Each file of each input, with the pipeline's name and version before it. The file `bad`, where there is one, stops it.
PROGRAM = """echo "$PACH_DATUM_ID" >> "{marks}"
sleep {pause}
test ! -e "{bad}" || exit 3
for input in {inputs}; do
  for file in /pfs/$input/*; do {{ echo "{name} {version}"; cat "$file"; }} > "/pfs/out/$input-$(basename "$file")"; done
done
"""
READS = {"first": ["data"], "second": ["first"], "third": ["first", "second"], "beside": ["data"]}


class Dag:
    """first reads data, second reads first, third both of them, one file of each; beside reads data alone."""

    def __init__(self, attempt):
        self.attempt = attempt
        choose = attempt.choose
        self.pause = choose.choice((0, 0.01, 0.05))
        self.marks = attempt.folder / "marks"
        self.marks.write_text("", encoding="utf-8")
        self.bad = attempt.folder / "bad"
        self.files = {f"{number}": choose.randbytes(choose.choice((0, 10, 5000))) for number in range(choose.randrange(1, 6))}
        for name, content in self.files.items():
            attempt.write(f"given/data/{name}", content)
        self.workers = choose.randrange(1, 5)
        self.versions = dict.fromkeys(READS, 1)
        for name in READS:
            self.write(name)

    def write(self, name, fails=False):
        inputs = READS[name]
        folder = f"given/specs/{name}"
        self.attempt.write(f"{folder}/build.sh", "cp /pfs/source/program.sh /pfs/out/run.sh\n")
        self.attempt.write(
            f"{folder}/program.sh",
            PROGRAM.format(
                marks=self.marks,
                pause=self.pause,
                bad=self.bad if fails else "/none",
                inputs=" ".join(inputs),
                name=name,
                version=self.versions[name],
            ),
        )
        parts = [{"pfs": {"repo": repo, "glob": "/*" if len(inputs) == 1 else "/"}} for repo in inputs]
        self.attempt.write(
            f"{folder}/pipeline.json",
            json.dumps(
                {
                    "pipeline": {"name": name},
                    "transform": {"build": {"language": "python"}},
                    "input": parts[0] if len(parts) == 1 else {"cross": parts},
                }
            ),
        )

    def edit(self, name):
        self.versions[name] += 1
        self.write(name)

    def expected(self):
        results = {"data": self.files}
        for name, inputs in READS.items():
            line = f"{name} {self.versions[name]}\n".encode()
            results[name] = {
                f"{repo}-{file}": line + content for repo in inputs for file, content in results[repo].items()
            }
        return {f"{name}/{file}": content for name in READS for file, content in results[name].items()}

    def command(self, *options):
        given = self.attempt.folder / "given"
        words = [self.attempt.pachbuild(), "run", "-f", given / "specs", "--input", f"data={given / 'data'}"]
        return [*words, "--output", self.attempt.out, "--workers", self.workers, *options]

    def output(self):
        return {
            f"{name}/{file}": content
            for name in READS
            for file, content in watching.files_of(self.attempt.out / name).items()
        }

    def check_whole(self, *states):
        """The output of each pipeline is that of one of the states, or none."""
        output = self.output()
        for name in READS:
            own = {file: content for file, content in output.items() if file.startswith(name + "/")}
            allowed = [{file: content for file, content in state.items() if file.startswith(name + "/")} for state in states]
            self.attempt.expect(own in [{}, *allowed], f"the output of {name} is of no whole state", sorted(own))

    def run_well(self):
        self.attempt.run(self.command(), codes=(0,))
        self.attempt.expect(self.output() == self.expected(), "the output is not the expected one", sorted(self.output()))
        self.attempt.check_scratch()

    def starts(self):
        return len(self.marks.read_text(encoding="utf-8").splitlines())

    def run_again(self):
        self.run_well()
        before = self.starts()
        self.run_well()
        self.attempt.expect(self.starts() == before, "a datum ran although nothing had changed")

    def prepare(self):
        """Usually there is an output, and one of the pipelines has been edited since. The states that may be seen."""
        if self.attempt.choose.random() < 0.7:
            self.run_well()
            before = self.expected()
            self.edit(self.attempt.choose.choice(sorted(READS)))
            return [before, self.expected()]
        return [self.expected()]


def killed(attempt):
    """pachbuild run over a DAG killed or stopped by a signal; then run again"""
    dag = Dag(attempt)
    states = dag.prepare()
    check = attempt.guard(attempt.folder / "given")
    number = attempt.choose.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
    process = attempt.start(dag.command())
    attempt.sleep(1.0)
    attempt.send(process.pid, number)
    outcome = attempt.finish(process, 60)
    attempt.check_nothing_runs()
    if number != signal.SIGKILL:
        attempt.check_end(outcome, codes=(0,), signals=(number,))
        dag.check_whole(*states)
    dag.run_again()
    running.finish_attempt(attempt, check)


def failing(attempt):
    """a failing program in a DAG: downstream pipelines do not run, all others do"""
    dag = Dag(attempt)
    dag.prepare()
    name = attempt.choose.choice(sorted(READS))
    dag.versions[name] += 1
    dag.write(name, fails=True)
    check = attempt.guard(attempt.folder / "given")
    dag.bad.write_text("", encoding="utf-8")
    outcome = attempt.run(dag.command(), codes=(1,))
    attempt.expect("exit code 3" in outcome.errors, "the failure is not told", outcome.errors[-1000:])
    after = {"first": ("second", "third"), "second": ("third",)}.get(name, ())
    expected, output = dag.expected(), dag.output()
    for other in READS:
        if other != name and other not in after:
            own = {file: content for file, content in expected.items() if file.startswith(other + "/")}
            attempt.expect(all(output.get(file) == content for file, content in own.items()), f"{other} did not go on")
    dag.bad.unlink()
    dag.run_again()
    running.finish_attempt(attempt, check)


def full_disk(attempt):
    """pachbuild run over a DAG with a full disk for the cache or the output"""
    attempt.private_mounts()
    folder = attempt.folder / attempt.choose.choice(("cache", "out"))
    attempt.mount_disk(folder)
    dag = Dag(attempt)
    states = dag.prepare()
    check = attempt.guard(attempt.folder / "given")
    status = base.os.statvfs(folder)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    attempt.resize_disk(folder, f"size={used + attempt.choose.choice((0, 4096, 40_000, 150_000)) + 4096}")
    process = attempt.start(dag.command())
    outcome = attempt.finish(process, 120)
    attempt.expect(outcome.code in (0, 1, 73), "an exit code that is not documented", f"{outcome.code} {outcome.errors[-1000:]}")
    attempt.expect(not base.CRASH.search(outcome.errors), "words of a crash", outcome.errors[-2000:])
    dag.check_whole(*states)
    attempt.resize_disk(folder, "size=256m,nr_inodes=100000")
    dag.run_again()
    running.finish_attempt(attempt, check)


ATTACKS = {"dag-killed": killed, "dag-failing": failing, "dag-disk": full_disk}
