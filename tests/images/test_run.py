# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run --runtime podman`: the examples and the reference's fixtures in the official images, with the output that
they have on this machine; and what is left afterwards, which is nothing."""

import os
import signal
import subprocess
import time

import containers
import examples
import pipelines
import support
from containers import GO, LEFTPAD, PYTHON, ROOT
from wheels import HOMEMADE


class InContainers(pipelines.PipelineSuite, containers.ImageSuite):
    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.assertEqual(self.containers(), []))

    def environment(self, **changes):
        env = super().environment(**changes)
        # Downloads are shared, for the side without containers.
        return {**env, **{name: str(support.shared_cache(folder)) for name, folder in (
            ("UV_CACHE_DIR", "uv"), ("GOCACHE", "go-build"), ("GOMODCACHE", "go-mod"))}}

    def run_spec(self, spec, repo, data, output, *words):
        return self.run_program(support.PACHBUILD, "run", "-f", spec, "--input", f"{repo}={data}",
                                "--output", self.folder / output, *words, env=self.environment())

    def check_same(self, spec, repo, data, *arguments):
        """Here and in containers; a second run in containers has nothing to do."""
        here = self.run_spec(spec, repo, data, "here", "--", *arguments)
        self.assertEqual(here.returncode, 0, here.stderr)
        for ran in ("processed, 0 skipped", "0 processed,"):
            result = self.run_spec(spec, repo, data, "there", "--runtime", "podman", "--", *arguments)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(ran, result.stderr)
        self.succeed("diff", "-r", "--exclude=.pachbuild", "here", "there")
        self.assertEqual({path.stat().st_uid for path in (self.folder / "there").rglob("*")}, {os.getuid()})

    def test_the_examples(self):
        for spec, repo, data in (("map/map-go.json", "scraper", "pages"), ("map/map-python.json", "scraper", "pages"),
                                 ("describe/describe.json", "tables", "tables")):
            with self.subTest(spec):
                chosen = self.make_folder(f"some-{spec.replace('/', '-')}")
                for path in sorted(examples.example_data(data).iterdir())[:12]:
                    (chosen / path.name).write_bytes(path.read_bytes())
                self.check_same(ROOT / "examples" / spec, repo, chosen)
                self.succeed("rm", "-r", "here", "there")

    def test_a_program_that_takes_its_datums_one_by_one(self):
        self.data(a="one", b="two", c="three")
        client = (ROOT / "tests/suites/batch_client.py").read_text()
        self.write("source/batch_client.py", client)
        self.write("source/main.py", """import pathlib
from batch_client import Client
client = Client()
while True:
    path = pathlib.Path(client.next_datum()["data"])
    pathlib.Path("/pfs/out", path.name).write_text(path.read_text() * 2)
""")
        self.check_same(self.spec(datum_batching=True), "data", self.folder / "data")

    def test_the_fixtures_of_the_reference(self):
        numbers = self.make_folder("numbers")
        for number in ("1", "11", "111"):
            (numbers / number).write_text(number)
        for spec in ("python.json", "python-plain.json", "go.json"):
            with self.subTest(spec):
                result = self.run_spec(LEFTPAD / spec, "numbers", numbers, f"out-{spec}", "--runtime", "podman", "--", "0")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(examples.read_output(self.folder / f"out-{spec}"),
                                 {"1": "0001", "11": "0011", "111": "0111"})

    def test_what_a_program_sees(self):
        self.data(a="A")
        self.write("source/run.sh", "{ pwd; id -u; readlink /pfs/out; echo $data; command -v worker-shim\n"
                                    "cat /pfs/data/a /proc/1/comm; } > /pfs/out/seen\n")
        self.write("source/main.py", "")
        self.spec(env={"MINE": "1"})
        self.succeed_run("--runtime", "podman")
        lines = self.output()["seen"].decode().splitlines()
        self.assertEqual(lines[:2], ["/app", str(os.getuid())])
        self.assertRegex(lines[2], r"^/pfs/\.scratch/[0-9a-f]{64}/out$")
        self.assertEqual(lines[3:], ["/pfs/data/a", "/usr/local/bin/worker-shim", "A" + "pachbuild"])

    def test_an_edit_of_a_package_of_the_source(self):
        self.data(a="A")
        for path, content in HOMEMADE.items():
            self.write(f"source/{path}", content)
        self.write("source/requirements.txt", "six==1.16.0\n./homemade\n")
        self.write("source/main.py", "import homemade, six\nopen('/pfs/out/answer', 'w').write(homemade.answer)\n")
        self.spec()
        for answer in ("one", "two"):
            self.write("source/homemade/homemade.py", f"answer = '{answer}'\n")
            result = self.succeed_run("--runtime", "podman")
            self.assertEqual(self.output(), {"answer": answer.encode()})
        self.assertIn("compile: the installed dependencies are in the cache", result.stderr)

    def test_one_container_a_worker(self):
        self.data(**{str(number): "" for number in range(8)})
        self.write("source/main.py", "")
        self.write("source/run.sh", "cat /etc/hostname > /pfs/out/$(basename $data); cat /pfs/build/run.sh >/dev/null\n"
                                    "[ ! -e /tmp/here ] || echo again >> /pfs/out/$(basename $data); touch /tmp/here\n")
        self.spec()
        self.succeed_run("--runtime", "podman", "--workers", "2")
        again = [text for text in self.output().values() if b"again" in text]
        self.assertIn(len(again), (6, 7))  # the other worker may be too late for any

    def test_images_of_the_spec(self):
        """The program of Go's builder in the image of Python's."""
        self.data(a="A")
        self.write("source/go.mod", "module example.com/p\n\ngo 1.21\n")
        self.write("source/main.go", 'package main\n\nimport (\n\t"os"\n\t"os/exec"\n)\n\n'
                                     'func main() {\n\tpath, _ := exec.LookPath("uv")\n'
                                     '\t_ = os.WriteFile("/pfs/out/uv", []byte(path), 0o644)\n}\n')
        self.spec(build={"image": GO, "path": "./source"}, image=PYTHON)
        self.succeed_run("--runtime", "podman")
        self.assertEqual(self.output(), {"uv": b"/usr/local/bin/uv"})

    def test_failures_are_those_of_the_program_and_of_the_build(self):
        self.data(a="A")
        self.write("source/main.py", "import sys\nprint('so it is')\nsys.exit(3)\n")
        self.spec()
        result = self.pachbuild_run("--runtime", "podman")
        self.assertEqual(result.returncode, 1)
        self.assertIn("datum data/a failed: exit code 3", result.stderr)
        self.assertIn("\nso it is\n", result.stderr)
        self.write("source/main.py", "oops(\n")
        result = self.pachbuild_run("--runtime", "podman")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertTrue(result.stderr.endswith("error: source/main.py: is not valid Python\n"
                                               "hint: see Python's output above\n"), result.stderr)

    def test_an_image_that_is_not_there(self):
        self.data(a="A")
        self.write("source/main.py", "")
        self.spec(build={"image": "localhost/none:1", "path": "./source"})
        result = self.pachbuild_run("--runtime", "podman")
        self.assertEqual((result.returncode, result.stderr.splitlines()[-2:]), (69, [
            "error: localhost/none:1: podman has no image with that name",
            "hint: pull it with --pull; official builder images can also be built with scripts/images build"]))

    def wait_until(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def start_and_wait_for_the_program(self):
        self.data(a="A")
        self.write("source/main.py", "import time\nopen('/pfs/out/x', 'w').close()\ntime.sleep(600)\n")
        self.spec()
        process = subprocess.Popen(self.command("--runtime", "podman"), env=self.environment(), stderr=subprocess.PIPE,
                                   text=True)
        self.wait_until(lambda: list(self.cache.glob("run/.pachbuild-*/worker-0/pfs/.scratch/*/out/x")))
        return process

    def test_a_program_reaches_nothing_of_this_machine_but_its_own_pfs(self):
        """Neither other workers, nor logs, nor finished outputs; what it may read, it cannot write."""
        self.data(a="A", b="B", c="C")
        self.write("source/main.py", """import os
own = os.stat("/").st_dev  # where the engine has made the places for mounts
writable = [folder for folder, _, _ in os.walk("/run/pachbuild")
            if os.access(folder, os.W_OK) and os.stat(folder).st_dev != own]
workers = [folder for folder, _, _ in os.walk("/run/pachbuild/host") if os.path.basename(folder).startswith("worker-")]
seen = [name for _, _, names in os.walk("/run/pachbuild/host") for name in names if name.endswith(".log")]
with open("/pfs/out/" + os.path.basename(os.environ["data"]), "w") as out:
    print(writable, len(workers) - 1, seen, file=out)
""")
        self.spec()
        self.succeed_run("--runtime", "podman", "--workers", "2")
        # The one more is that of the build, whose scratch has the source.
        self.assertLessEqual(set(self.output().values()), {b"[] 0 []\n", b"[] 1 []\n"})

    def test_links_in_a_container_harm_nothing_of_this_machine(self):
        self.data(a="A")
        self.write("victim/precious", "mine")
        self.write("source/main.py", f"""import os
folder = os.readlink("/pfs/out")
os.rmdir(folder)
os.symlink({str(self.folder / "victim")!r}, folder)
""")
        self.spec()
        result = self.pachbuild_run("--runtime", "podman")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("datum data/a failed: /pfs/out: was removed or replaced by the program", result.stderr)
        self.assertEqual((self.folder / "victim/precious").read_text(), "mine")

    def test_killed(self):
        with self.start_and_wait_for_the_program() as process:
            process.kill()
        self.wait_until(lambda: not self.containers())

    def test_interrupted(self):
        process = self.start_and_wait_for_the_program()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        self.assert_nothing_left()


if __name__ == "__main__":
    support.main()
