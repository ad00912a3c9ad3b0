# SPDX-License-Identifier: Apache-2.0
"""The official images by themselves: what they add to their bases, what is in them, and how they are used by an old cluster
and without one."""

import pathlib
import re

import containers
from containers import BASES, DECLARED, GO, LEFTPAD, OFFICIAL, PROGRAMS, PYTHON, ROOT, VERSION

MEGABYTE = 1_000_000
BUILDERS = ROOT / "etc" / "pipeline-build"
TEXTS = [ROOT / "images" / "Dockerfile", *sorted(BUILDERS.glob("*/Dockerfile"))]


class Images(containers.ImageSuite):
    def test_the_programs_are_alone(self):
        container = self.succeed("podman", "create", PROGRAMS, "/none").stdout.strip()
        self.addCleanup(self.podman, "rm", container)
        self.succeed("sh", "-c", f"podman export {container} | tar -t > list")
        names = {name for name in (self.folder / "list").read_text().split() if name.startswith("usr/") and name[-1] != "/"}
        declared = [path for description in BUILDERS.glob("*/builder.toml") for path in description.parent.rglob("*")]
        self.assertEqual(names, {"usr/local/bin/builder-runtime", "usr/local/bin/worker-shim",
                                 "usr/local/share/doc/pachbuild/pachbuild.spdx.json",
                                 *(f"usr/local/share/pachbuild/builders/{path.relative_to(BUILDERS)}"
                                   for path in declared if path.is_file())})
        # 8.6 MB; debug information or another copy of a library would be far more.
        self.assertLess(self.inspect(PROGRAMS)["Size"], 9 * MEGABYTE)

    def test_the_dockerfiles_are_of_this_version(self):
        for path in TEXTS:
            lines = path.read_text(encoding="utf-8").splitlines()
            own = [line for line in lines if re.search(r"pachbuild[-a-z]*:|image\.version", line)]
            self.assertEqual(set(re.findall(r"\d+\.\d+\.\d+", "\n".join(own))), {VERSION}, path)

    def test_what_is_ours_is_small_and_comes_last(self):
        for image, limit, apart in ((PYTHON, 15, "/usr/local/bin/uv"), (GO, 10, "/var/cache/pachbuild")):
            layers = self.layers(image)[:-len(self.layers(BASES[image]))]
            layers = [(text, size) for text, size in layers if "COPY" in text]
            ours = sum(size for text, size in layers if not text.rstrip().endswith(apart))
            with self.subTest(image, bytes=ours):
                self.assertLess(ours, limit * MEGABYTE)
                places = [text.rstrip().rpartition(" in ")[2] for text, _ in layers]
                self.assertEqual(places[:3], ["/usr/local/", "/app/probe", "/app/"])
                self.assertTrue(any(place.endswith(apart) for place in places[3:]), places)

    def test_what_is_ours_in_declared_ones(self):
        for image in DECLARED.values():
            layers = self.layers(image)[:-len(self.layers(BASES[image]))]
            layers = [(text, size) for text, size in layers if "COPY" in text]
            with self.subTest(image):
                self.assertLess(sum(size for _, size in layers), 10 * MEGABYTE)
                self.assertEqual([text.rstrip().rpartition(" in ")[2] for text, _ in layers], ["/usr/local/", "/app/"])
                self.assertEqual(self.inspect(image)["Config"]["Labels"]["io.pachbuild.builder"], "declared")

    def test_the_configuration(self):
        for image in OFFICIAL.values():
            config = self.inspect(image)["Config"]
            with self.subTest(image):
                self.assertEqual(config["WorkingDir"], "/app")
                self.assertEqual(config["Entrypoint"], ["/usr/local/bin/worker-shim", "--"])
                self.assertNotIn("Cmd", {name for name, value in config.items() if value})
                labels = {name.removeprefix("org.opencontainers.image."): value
                          for name, value in config["Labels"].items()}
                self.assertEqual((labels["version"], labels["licenses"]), (VERSION, "Apache-2.0"))
                self.assertTrue(labels["title"] and labels["description"])

    def pad(self, image, source, build, *options):
        numbers = self.make_folder("numbers")
        (numbers / "11").write_text("11")
        out = self.make_folder("padded")
        result = self.run_image(image, "0", options=options, mounts=[
            (source, "/pfs/source", "ro"), (build, "/pfs/build", "ro"), (numbers, "/pfs/numbers", "ro"),
            (out, "/pfs/out", "rw")])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((out / "11").read_text(), "0011")

    def test_an_old_cluster_s_build_and_a_run_by_hand(self):
        for image, source in ((PYTHON, "source-python"), (GO, "source-go")):
            with self.subTest(image):
                build = self.build_well(image, LEFTPAD / source, out=f"build-{source}")
                self.pad(image, LEFTPAD / source, build)

    def test_as_a_user_whom_the_image_does_not_know_and_with_a_root_that_cannot_be_written(self):
        options = ["--user=4321:4321", "--read-only", "--tmpfs=/tmp:rw,exec"]
        for image, source in ((PYTHON, "source-python-plain"), (GO, "source-go")):
            with self.subTest(image):
                out = f"build-{source}"
                self.make_folder(out).chmod(0o777)
                self.folder.chmod(0o755)
                self.make_folder("padded").chmod(0o777)
                build = self.build_well(image, LEFTPAD / source, *options, out=out)
                self.pad(image, LEFTPAD / source, build, *options)

    def test_a_probe_as_a_user_whom_the_image_does_not_know_and_with_a_root_that_cannot_be_written(self):
        options = ["--user=4321:4321", "--read-only", "--tmpfs=/tmp:rw,exec"]
        self.folder.chmod(0o755)
        for language, image in DECLARED.items():
            with self.subTest(image):
                probe, out = ROOT / "etc/pipeline-build" / language / "probe", self.make_folder(f"out-{language}")
                for name in (f"build-{language}", f"out-{language}"):
                    self.make_folder(name).chmod(0o777)
                build = self.build_well(image, probe, *options, out=f"build-{language}")
                result = self.run_image(image, "arguments", "a  b", "", options=options, network="none", mounts=[
                    (probe, "/pfs/source", "ro"), (build, "/pfs/build", "ro"), (out, "/pfs/out", "rw")])
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual((out / "arguments").read_bytes(), b"a  b\0\0")

    def test_arguments_are_the_program_s_even_where_they_look_like_ours(self):
        build = self.make_folder("build")
        (build / "run.sh").write_text('printf "<%s>" "$@"\n')
        for image in OFFICIAL.values():
            result = self.run_image(image, "--help", "--exec", "", "a b", mounts=[(build, "/pfs/build", "ro")])
            self.assertEqual((result.returncode, result.stdout), (0, "<--help><--exec><><a b>"), result.stderr)

    def test_the_standard_library_of_go_need_not_be_compiled(self):
        (self.make_folder("source") / "go.mod").write_text("module example.com/web\n\ngo 1.21\n")
        (self.folder / "source/main.go").write_text(
            'package main\n\nimport (\n\t"encoding/json"\n\t"net/http"\n)\n\n'
            "func main() { _, _ = json.Marshal(http.StatusOK) }\n")
        another = self.make_folder("another-cache")
        for name, cgo, options in (
                ("without C", "0", []), ("with C", "1", []),
                ("another user", "0", ["--user=4321:4321"]),
                ("another cache", "0", [f"--volume={another}:/cache:rw", "--env=PACHBUILD_CACHE_DIR=/cache"])):
            with self.subTest(name):
                # What `go build` compiles goes through this, and is noted.
                script = (r"""printf '#!/bin/sh\necho "$@" >>/tmp/compiled\nexec "$@"\n' >/tmp/tool; chmod +x /tmp/tool
                              sh ./build.sh && grep -c 'compile -o' /tmp/compiled""")
                out = self.make_folder(f"out {name}")
                out.chmod(0o777)
                self.folder.chmod(0o755)
                result = self.run_image(GO, "-c", script, options=[
                    "--entrypoint=sh", f"--env=CGO_ENABLED={cgo}", "--env=GOFLAGS=-toolexec=/tmp/tool", *options], mounts=[
                    (self.folder / "source", "/pfs/source", "ro"), (out, "/pfs/out", "rw")])
                self.assertEqual((result.returncode, result.stdout), (0, "1\n"), result.stderr)

    def test_go_keeps_what_a_first_program_has_not_used(self):
        for name, imports, body in (("first", "", "println(1)"), ("second", 'import "net/http"\n\n', "println(http.StatusOK)")):
            (self.make_folder(name) / "go.mod").write_text("module example.com/web\n\ngo 1.21\n")
            (self.folder / name / "main.go").write_text(f"package main\n\n{imports}func main() {{ {body} }}\n")
        script = (r"""printf '#!/bin/sh\necho "$@" >>/tmp/compiled\nexec "$@"\n' >/tmp/tool; chmod +x /tmp/tool
                      for source in first second; do
                        builder-runtime --source /sources/$source --out /tmp/out-$source || exit 1
                      done
                      grep -c 'compile -o' /tmp/compiled""")
        result = self.run_image(GO, "-c", script, options=["--entrypoint=sh", "--env=GOFLAGS=-toolexec=/tmp/tool"],
                                mounts=[(self.folder, "/sources", "ro")])
        self.assertEqual((result.returncode, result.stdout), (0, "2\n"), result.stderr)

    def test_sdists_build_without_an_index(self):
        source = self.make_folder("source")
        (source / "main.py").write_text("import own\nopen('/pfs/out/said', 'w').write(own.TEXT)\n")
        (source / "requirements.txt").write_text("--no-index\n./own\n")
        (source / "own").mkdir()
        (source / "own/setup.py").write_text("import setuptools\n"
                                             "setuptools.setup(name='own', version='1', py_modules=['own'])\n")
        (source / "own/pyproject.toml").write_text(
            '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n')
        (source / "own/own.py").write_text("TEXT = 'built here'\n")
        build = self.build_well(PYTHON, source, network="none")
        out = self.make_folder("out")
        result = self.run_image(PYTHON, mounts=[(source, "/pfs/source", "ro"), (build, "/pfs/build", "ro"),
                                                (out, "/pfs/out", "rw")])
        self.assertEqual((out / "said").read_text(), "built here", result.stderr)

    def test_nothing_of_this_machine_is_in_them(self):
        certificates = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        for image in (PYTHON, GO):
            layers = [text for text, _ in self.layers(image)]
            self.assertFalse([text for text in layers if "ca-certificates.crt" in text and "COPY" in text])
            same = self.run_image(image, "-c", "ls /run/ca-certificates.crt /run/secrets 2>/dev/null; wc -c <"
                                  f"{certificates}", options=["--entrypoint=sh"])
            self.assertRegex(same.stdout, r"^\d+\n$")


if __name__ == "__main__":
    containers.support.main()
