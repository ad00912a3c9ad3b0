# SPDX-License-Identifier: Apache-2.0
"""worker-shim --check tells what would be run, from where, and whether it fits."""

import json
import os
import platform
import shutil

import support

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
DIGEST = "0" * 64


class Check(support.Suite):
    def setUp(self):
        super().setUp()
        self.build = self.folder / "build"
        self.cache = self.folder / "cache"

    def artifact(self, architecture=MACHINE, libc="glibc 2.2", interpreter="/bin/sh", bundle=True):
        """As builder-runtime writes it: contract::to_json()."""
        record = {
            "schema": 1, "builder": "python", "version": "1.2.3", "key": "1" * 64, "packages": [], "environment": {},
            "command": ["python", "/pfs/source/main.py"],
            "platform": {"os": "linux", "architecture": architecture, "libc": libc,
                         "interpreter": "cpython-3.11.2-x86_64-linux-gnu"},
            "bundles": [{"file": f"bundle-{DIGEST}.tar.zst", "digest": DIGEST, "bytes": 2048, "unpacked_bytes": 10240,
                         "files": 3}] if bundle else []}
        self.write("build/build.json", json.dumps(record, indent=2, sort_keys=True) + "\n")
        self.write("build/run.sh", f"#!/bin/sh\ninterpreter={interpreter}\n")
        if bundle:
            self.write(f"build/bundle-{DIGEST}.tar.zst", "")

    def check(self, *arguments, **changes):
        result = self.run_program(support.SHIM, "--build", self.build, "--check", *arguments,
                                  env=support.environment(PACHBUILD_CACHE_DIR=str(self.cache), **changes))
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout

    def own_libc(self):
        return os.confstr("CS_GNU_LIBC_VERSION")

    def test_what_fits(self):
        self.artifact()
        code, text = self.check("--", "a b")
        self.assertEqual(text, f"""\
shim         worker-shim {support.VERSION} for linux/{MACHINE}
runs         sh {self.build}/run.sh 'a b'
artifact     {self.build}: python, made by builder-runtime 1.2.3, starts python /pfs/source/main.py
environment  not unpacked yet: {self.build}/bundle-{DIGEST}.tar.zst (2.0 KiB, unpacked 10.0 KiB in 3 files)
platform     linux/{MACHINE}: ok
C library    needs glibc 2.2, this image has {self.own_libc()}: ok
interpreter  needs cpython-3.11.2-x86_64-linux-gnu as /bin/sh: ok
""")
        self.assertEqual(code, 0)
        self.assertFalse(self.cache.exists(), "nothing is made")

    def test_another_machine(self):
        self.artifact(architecture="s390x")
        code, text = self.check()
        self.assertIn(f"platform     needs linux/s390x, this is linux/{MACHINE}: failed\n", text)
        self.assertEqual(code, 126)

    def test_a_newer_or_another_c_library(self):
        for libc in ("glibc 2.999", "glibc 3.0", "musl"):
            self.artifact(libc=libc)
            code, text = self.check()
            self.assertIn(f"C library    needs {libc}, this image has {self.own_libc()}: failed\n", text)
            self.assertEqual(code, 126)

    def test_versions_of_the_c_library_are_numbers(self):
        for libc in ("glibc 2.4", "glibc 2.9", "glibc 2.10", self.own_libc()):
            self.artifact(libc=libc)
            code, text = self.check()
            self.assertIn(f"C library    needs {libc}, this image has {self.own_libc()}: ok\n", text)
            self.assertEqual(code, 0)

    def test_the_first_fault_decides_the_exit_code(self):
        self.artifact(architecture="s390x", interpreter="/no/such/python3.11")
        code, text = self.check()
        self.assertEqual(text.count(": failed\n"), 2, text)
        self.assertEqual(code, 126, "that of the platform")
        (self.build / "run.sh").unlink()
        self.assertEqual(self.check()[0], 125, "that of run.sh")

    def test_an_interpreter_that_is_not_there(self):
        self.artifact(interpreter="/no/such/python3.11")
        code, text = self.check()
        self.assertIn("interpreter  needs cpython-3.11.2-x86_64-linux-gnu as /no/such/python3.11, which does not exist: "
                      "failed\n", text)
        self.assertEqual(code, 127)

    def test_a_command_and_its_environment(self):
        self.artifact()
        (self.cache / "env" / DIGEST / "bin").mkdir(parents=True)
        tool = self.write(f"cache/env/{DIGEST}/bin/tool", "#!/bin/sh\n", 0o755)
        code, text = self.check("--exec", "--", "tool", "-x")
        self.assertIn("runs         tool -x\n", text)
        self.assertIn(f"environment  {self.cache}/env/{DIGEST}\n", text)
        self.assertIn(f"command      {tool}: ok\n", text)
        self.assertEqual(code, 0)
        self.assertEqual(self.check("--exec", "--", "no-such-tool")[0], 127)
        tool.with_name("added").touch()
        shutil.rmtree(tool.parent)
        self.assertIn(f"environment  {self.cache}/env/{DIGEST} was changed; it is unpacked again by the next run\n",
                      self.check()[1])

    def test_without_a_bundle(self):
        self.artifact(bundle=False, interpreter="/no/such/python3")
        code, text = self.check()
        self.assertIn("environment  none: nothing was installed or compiled\n", text)
        self.assertEqual(code, 0, "any interpreter will do")

    def test_what_is_missing_is_named(self):
        code, text = self.check()
        self.assertIn(f"runs         {self.build}: no such folder\n", text)
        self.assertEqual(code, 125)
        self.artifact()
        (self.build / "build.json").write_text("{}\n", encoding="utf-8")
        code, text = self.check()
        self.assertIn(f"artifact     {self.build}/build.json: was not written by this version of builder-runtime\n", text)
        self.assertEqual(code, 125)


if __name__ == "__main__":
    support.main()
