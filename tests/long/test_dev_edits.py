# SPDX-License-Identifier: Apache-2.0
"""`pachbuild dev`, left running under random edits: whatever they were, its output is in the end that of a plain run, and
nothing is left of the rounds. PACHBUILD_DEV_MINUTES and PACHBUILD_DEV_SEED change how long and which edits."""

import json
import os
import random
import re
import shutil
import signal
import sys
import time

import dev_session
import pipelines
import support

MINUTES = float(os.environ.get("PACHBUILD_DEV_MINUTES", "10"))
EDITS_A_MINUTE = 20
SEED = int(os.environ.get("PACHBUILD_DEV_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
PATIENCE = 90
PROGRAM = """set -e
name="$(basename "$in")"
[ -f "$in" ] || in="$in/deep/file"
if [ -e /pfs/source/slow ]; then sleep "$(cat /pfs/source/slow)"; fi
(cat "$in"; echo VERSION; ls /pfs/source) > "/pfs/out/$name"
"""


class RandomEdits(pipelines.PipelineSuite):

    def setUp(self):
        super().setUp()
        self.choose = random.Random(SEED)
        print(f"PACHBUILD_DEV_SEED={SEED}", file=sys.stderr)
        self.versions = 0
        self.good = {}
        self.compared = 0
        for name, repo in (("first", "data"), ("second", "first")):
            self.write(f"source-{name}/build.sh", pipelines.COPY_RUN_SCRIPT)
            self.write(f"source-{name}/program.sh", PROGRAM.replace("VERSION", "start"))
            self.write(f"source-{name}/lib/part.txt", "part")
            self.write_spec(name, repo, "/*")
        for number in range(12):
            self.write(f"data/{number}.txt", f"{number}\n")

    def write_spec(self, name, repo, glob):
        self.write(f"specs/{name}.json", json.dumps({
            "pipeline": {"name": name}, "transform": {"build": {"language": "python", "path": f"../source-{name}"}},
            "input": {"pfs": {"name": "in", "repo": repo, "glob": glob}}}))

    # The ways in which editors save.

    def save(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        way = self.choose.choice(["in place", "rename", "vim", "emacs", "slowly"])
        if way == "in place":
            target.write_text(text)
        elif way == "slowly":
            with target.open("w") as file:
                for piece in (text[:3], text[3:]):
                    file.write(piece)
                    file.flush()
                    time.sleep(self.choose.random() * 0.05)
        elif way == "rename":
            # Not in the folder: there it would be data for a moment, as it is for any run.
            other = self.folder / "elsewhere"
            other.write_text(text)
            os.replace(other, target)
        else:
            backup = target.with_name(target.name + "~") if "source" in path else self.folder / "backup~"
            lock = target.with_name(".#" + target.name)
            if way == "emacs" and "source" in path:
                lock.symlink_to("me@here.1234")
                time.sleep(self.choose.random() * 0.05)
            if target.exists():
                os.rename(target, backup)
            target.write_text(text)
            lock.unlink(missing_ok=True)
            if self.choose.random() < 0.7:
                backup.unlink(missing_ok=True)

    def source(self):
        return self.choose.choice(["source-first", "source-second"])

    def edit_program(self):
        self.versions += 1
        self.save(f"{self.source()}/program.sh", PROGRAM.replace("VERSION", f"version {self.versions}"))

    def edit_data(self):
        self.versions += 1
        for _ in range(self.choose.choice([1, 1, 1, 4])):
            self.save(f"data/{self.choose.randrange(16)}.txt", f"data {self.versions}\n")

    def remove_data(self):
        files = sorted(path for path in (self.folder / "data").iterdir() if path.is_file())
        if len(files) > 3:
            self.choose.choice(files).unlink()

    def folder_in_data(self):
        inner = self.folder / "data" / self.choose.choice(["x", "y"])
        if inner.exists():
            os.rename(inner, self.folder / "gone")
            shutil.rmtree(self.folder / "gone")
        else:
            self.save(f"{inner.relative_to(self.folder)}/deep/file", "text\n")

    def link_in_data(self):
        link = self.folder / "data/link.txt"
        if link.is_symlink():
            self.save("target.txt", f"target {self.versions}\n")
        else:
            self.save("target.txt", "target\n")
            link.symlink_to(self.folder / "target.txt")

    def rename_in_source(self):
        source = self.folder / self.source()
        files = sorted((source / "lib").iterdir()) if (source / "lib").exists() else []
        if files:
            os.rename(files[0], source / "lib" / f"part{self.choose.randrange(100)}.txt")

    def ignore(self):
        self.save(f"{self.source()}/.pachignore", self.choose.choice(["lib/\n", "*.log\n", "[\n", "", "*.txt\nlib/\n"]))

    def ignored_file(self):
        self.save(f"{self.source()}/x.log", f"{self.versions}\n")

    def slow(self):
        slow = self.folder / self.source() / "slow"
        if slow.exists():
            slow.unlink()
        else:
            slow.write_text(self.choose.choice(["0.05", "0.3"]))

    def move_away(self):
        name = self.choose.choice(["data", "source-first", "source-second", "source-first/lib"])
        if (self.folder / name).exists():
            os.rename(self.folder / name, self.folder / "away")
            time.sleep(self.choose.choice([0, 0.01, 0.3, 1.5]))
            os.rename(self.folder / "away", self.folder / name)

    def make_again(self):
        name = self.choose.choice(["data", "source-first", "source-second"])
        copy = self.folder / "copy"
        shutil.copytree(self.folder / name, copy, symlinks=True)
        shutil.rmtree(self.folder / name)
        time.sleep(self.choose.choice([0, 0.02, 0.5]))
        os.rename(copy, self.folder / name)

    def break_something(self):
        path = self.choose.choice(["specs/first.json", "specs/second.json", "source-first/program.sh",
                                   "source-second/build.sh"])
        if path not in self.good:
            self.good[path] = (self.folder / path).read_text()
        self.save(path, self.choose.choice(["{", "if then\n", ""]))

    def mend(self):
        for path, text in self.good.items():
            self.save(path, text)
        self.good.clear()

    def edit_spec(self):
        if not self.good:
            self.write_spec("second", "first", self.choose.choice(["/*", "/1*", "/{0,1,2}.txt", "/"]))

    def edit(self):
        edits = [(self.edit_program, 5), (self.edit_data, 5), (self.remove_data, 2), (self.folder_in_data, 2),
                 (self.link_in_data, 1), (self.rename_in_source, 1), (self.ignore, 1), (self.ignored_file, 1),
                 (self.slow, 1), (self.move_away, 2), (self.make_again, 1), (self.break_something, 2),
                 (self.mend, 7), (self.edit_spec, 1)]
        edit = self.choose.choices([one for one, _ in edits], [weight for _, weight in edits])[0]
        edit()
        return edit.__name__

    # What must hold.

    def plain_run(self):
        """The exit code of a plain run over the same, with a cache and an output folder of its own."""
        command = self.arguments("run", self.folder / "plain-out") + ["--partial"]
        result = self.run_program(*command, env=support.environment(
            PACHBUILD_CACHE_DIR=str(self.folder / "plain-cache")))
        return result

    def arguments(self, verb, output):
        return [support.PACHBUILD, verb, "-f", str(self.folder / "specs"), "--input", f"data={self.folder / 'data'}",
                "--output", str(output), "--workers", "2", "--allow-empty"]

    def is_equal(self, pipelines_):
        """Whether these have the same output in both folders."""
        for name in pipelines_:
            ours, plain = (self.output(folder / name) for folder in (self.out, self.folder / "plain-out"))
            if ours != plain:
                return False
        return True

    def children(self):
        path = f"/proc/{self.dev.process.pid}/task/{self.dev.process.pid}/children"
        with open(path, encoding="ascii") as file:
            return file.read().split()

    def check(self, history):
        """In a quiet moment: what dev has left is what a plain run leaves."""
        plain = self.plain_run()
        what = f"after {history}; a plain run: {plain.returncode}\n{plain.stderr}"
        # One that has not run to its end keeps what was there.
        ended = re.findall(r"^(\w+): output: ", plain.stderr, re.MULTILINE)
        if plain.returncode <= 1:
            self.dev.wait_until(lambda: not self.children() and self.is_equal(ended), what)
            self.compared += len(ended)
        else:
            code = rf"(could not be run|build failed) \(exit code {plain.returncode}\)|not all pipelines could be run"
            self.dev.wait_until(lambda: not self.children() and
                                any(re.search(code, line) for line in self.dev.lines[-5:]), what)
        return plain.returncode

    def test_ends_as_a_plain_run_does(self):
        dev_session.PATIENCE = PATIENCE
        self.dev = dev_session.Dev(self, self.arguments("dev", self.out), env=self.environment(), cwd=self.folder)
        self.dev.wait_round()
        process = self.dev.process.pid
        self.assertEqual(self.check(["start"]), 0)
        edits = checks = 0
        codes = []
        figures = None
        end = time.monotonic() + MINUTES * 60
        wanted = round(MINUTES * EDITS_A_MINUTE)
        while edits < wanted or time.monotonic() < end:
            history = []
            for _ in range(self.choose.randrange(1, 7)):
                history.append(self.edit())
                time.sleep(self.choose.choice([0, 0.005, 0.03, 0.1, 0.3, 0.8]))
            edits += len(history)
            codes.append(self.check(history))
            checks += 1
            left = end - time.monotonic()
            if edits < wanted and left > 0:
                time.sleep(min(left / (wanted - edits), 3))
            if checks == 3:
                figures = dev_session.descriptors_of(process)
        self.mend()
        for name in ("first", "second"):
            (self.folder / f"source-{name}/.pachignore").unlink(missing_ok=True)
        self.write_spec("second", "first", "/*")
        time.sleep(0.5)
        self.assertEqual(self.check(["all mended"]), 0)
        self.assertEqual(dev_session.descriptors_of(process), figures, "descriptors")
        folders = {path for root in ("data", "specs", "source-first", "source-second")
                   for path in [self.folder / root, *(self.folder / root).rglob("*")] if path.is_dir()}
        # Each folder, that which the roots are in, and what links lead to.
        self.assertLessEqual(dev_session.watches_of(process), len(folders) + 2)
        self.assertEqual(self.dev.stop(), 128 + signal.SIGTERM)
        self.assertEqual(dev_session.processes_with(str(self.cache)), [])
        self.assert_nothing_left()
        rounds = sum(line.startswith("round ") for line in self.dev.lines)
        stopped = sum("stopped for a newer edit" in line for line in self.dev.lines if line.startswith("round "))
        print(f"{edits} edits, {checks} quiet moments (exit codes of plain runs: "
              f"{', '.join(f'{code} x {codes.count(code)}' for code in sorted(set(codes)))}), "
              f"{self.compared} outputs compared, {rounds} rounds, {stopped} of them stopped", file=sys.stderr)


if __name__ == "__main__":
    support.main()
