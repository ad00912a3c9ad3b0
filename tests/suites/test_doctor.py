# SPDX-License-Identifier: Apache-2.0
"""pachbuild doctor: lines, exit codes, time and secrets. Each check in detail: tests/unit/doctor."""

import http.server
import json
import os
import re
import shutil
import threading
import time

import support


class Doctor(support.Suite):
    def setUp(self):
        super().setUp()
        self.tools = self.folder / "tools"
        self.tools.mkdir()
        self.cache = self.folder / "cache"
        self.env = {"PATH": str(self.tools), "HOME": str(self.folder), "PACHBUILD_CACHE_DIR": str(self.cache),
                    "TMPDIR": os.environ.get("TMPDIR", "/tmp")}  # fmt: skip

    def tool(self, name, script):
        return self.write(f"tools/{name}", f"#!/bin/sh\n{script}\n", 0o755)

    def examine(self, *words, code=None, **changes):
        """The findings by group and check."""
        result = self.run_program(support.PACHBUILD, "doctor", "-o", "json", *words, env={**self.env, **changes})
        self.assertEqual(result.stderr, "")
        answer = json.loads(result.stdout)
        self.assertRegex(answer["version"], rf"^pachbuild {re.escape(support.VERSION)}")
        states = [check["state"] for check in answer["checks"]]
        self.assertEqual((answer["problems"], answer["warnings"]), (states.count("problem"), states.count("warning")))
        self.assertEqual(result.returncode, 69 if answer["problems"] else 0)
        if code is not None:
            self.assertEqual(result.returncode, code, result.stdout)
        return {(check["group"], check["check"]): check for check in answer["checks"]}

    def test_a_machine_that_has_everything_is_ok(self):
        self.tool("uv", "echo uv 1.2.3")
        self.tool("go", "echo go version go1.26.6 linux/amd64")
        self.tool("git", "echo git version 2.39.5")
        self.tool("python3", "echo Python 3.11.2")
        found = self.examine()
        for key in (("system", "kernel"), ("programs", "pachbuild"), ("programs", "builder-runtime"),
                    ("programs", "worker-shim"), ("tools", "uv"), ("tools", "go"), ("tools", "git"),
                    ("tools", "python3"), ("cache", "folder"), ("cache", "size"), ("network", "proxies")):  # fmt: skip
            self.assertEqual((found[key]["state"], found[key]["fix"]), ("ok", ""), found[key])
        for name in ("podman", "docker", "pachctl"):
            self.assertEqual((found["tools", name]["state"], found["tools", name]["fix"]), ("note", ""))
        self.assertEqual(found["tools", "uv"]["what"], f"1.2.3, {self.tools}/uv")
        self.assertEqual(found["tools", "podman"]["what"], "not found; only needed for --runtime podman")
        self.assertEqual(found["cache", "folder"]["what"], f"{self.cache} (does not exist yet)")
        self.assertEqual(found["cache", "size"]["what"], "0 B in 0 files, limit 20.0 GiB")
        self.assertFalse(self.cache.exists())
        self.assertNotIn(("cluster", "context"), found)
        self.assertNotIn(("network", "Python packages"), found)

    def test_lines_for_people(self):
        self.tool("uv", "echo uv 1.2.3")
        result = self.run_program(support.PACHBUILD, "doctor", env={**self.env, "PACHBUILD_CACHE_LIMIT": "much"})
        self.assertEqual((result.returncode, result.stderr), (69, ""))
        self.assertTrue(result.stdout.startswith("system\n  ok      kernel"), result.stdout)
        self.assertRegex(result.stdout, rf"(?m)^tools\n  ok      uv +1\.2\.3, {self.tools}/uv$")
        self.assertRegex(result.stdout, r"(?m)^  warning go +not found; needed for Go pipelines\n"
                                        r"          fix: install Go from https://go\.dev/dl$")
        self.assertRegex(result.stdout, r'(?m)^  problem size +PACHBUILD_CACHE_LIMIT: invalid size "much"\n'
                                        r"          fix: write it as 20GiB or 500MiB; 0 means no limit$")
        self.assertRegex(result.stdout, r"\n\d+ problems?, \d+ warnings?\n$")

    def test_sandboxes_are_tried(self):
        found = self.examine()["system", "sandboxes"]
        ran = self.run_program(support.PACHBUILD, "check-sandbox")
        self.assertEqual(found["state"] == "ok", ran.returncode == 0)
        self.assertEqual(ran.stdout == "", ran.returncode == 0)
        self.assertEqual([name for name in os.listdir(self.env["TMPDIR"]) if name.startswith("pachbuild-check-")], [])

    def test_a_tool_that_hangs_is_a_line(self):
        self.tool("uv", "while :; do :; done & /bin/sleep 1000")
        self.tool("git", "trap '' TERM INT HUP; while :; do read x < /dev/zero; done")
        start = time.monotonic()
        found = self.examine(code=69)
        self.assertLess(time.monotonic() - start, 25)
        for name in ("uv", "git"):
            self.assertEqual(found["tools", name]["state"], "problem")
            self.assertEqual(found["tools", name]["what"],
                             f"does not work: did not answer within 5 s ({self.tools}/{name})")

    def test_tools_that_are_broken(self):
        self.tool("uv", "echo 'error: no such option' >&2; exit 2")
        self.write("tools/go", "not a program", 0o755)
        self.tool("docker", "echo Cannot connect to http://me:secret@host >&2; exit 1")
        self.tool("git", "printf 'git version \\033[31m2\\xff\\n'")
        found = self.examine(code=69)
        self.assertEqual(found["tools", "uv"]["what"], f"does not work: error: no such option ({self.tools}/uv)")
        self.assertEqual(found["tools", "go"]["state"], "problem")
        self.assertEqual(found["tools", "docker"]["state"], "warning")
        self.assertIn("http://me:***@host", found["tools", "docker"]["what"])
        self.assertEqual(found["containers", "docker images"]["state"], "warning")
        lines = self.run_program(support.PACHBUILD, "doctor", env=self.env)
        self.assertNotIn("\033", lines.stdout)
        self.assertNotIn("secret", lines.stdout)

    def test_programs_of_another_version_or_missing(self):
        programs = self.folder / "programs of mine"
        programs.mkdir()
        shutil.copy(support.PACHBUILD, programs)
        self.write(programs / "builder-runtime", "#!/bin/sh\necho builder-runtime 0.0.1\n", 0o755)
        result = self.run_program(programs / "pachbuild", "doctor", "-o", "json", env=self.env)
        self.assertEqual(result.returncode, 69)
        found = {check["check"]: check for check in json.loads(result.stdout)["checks"]}
        self.assertTrue(found["builder-runtime"]["what"].startswith("version 0.0.1, but pachbuild is "))
        self.assertEqual(found["builder-runtime"]["state"], "problem")
        if not os.path.exists("/usr/local/bin/worker-shim"):
            self.assertEqual(found["worker-shim"]["what"], f"not found beside pachbuild in {programs}")

    def test_caches_that_will_not_do(self):
        self.cache.mkdir()
        self.cache.chmod(0o777)
        found = self.examine(code=69)["cache", "folder"]
        self.assertEqual((found["state"], found["what"]),
                         ("problem", f"{self.cache}: cannot be trusted: other users can write to it"))
        self.assertIn("name one in PACHBUILD_CACHE_DIR", found["fix"])
        file = self.write("file", "")
        for path, what in ((file, f"PACHBUILD_CACHE_DIR: {file} is not a folder"),
                           ("relative", "PACHBUILD_CACHE_DIR: the cache folder must be an absolute path")):  # fmt: skip
            found = self.examine(PACHBUILD_CACHE_DIR=str(path), code=69)["cache", "folder"]
            self.assertTrue(found["what"].startswith(what), found)

    def test_no_secrets(self):
        secrets = {"https_proxy": "http://me:hidden1@proxy:1", "HTTP_PROXY": "me:hidden2@proxy:1",
                   "UV_DEFAULT_INDEX": "http://me:hidden3@127.0.0.1:9/simple?token=hidden4", "no_proxy": "127.0.0.1",
                   "GOPROXY": "http://hidden5@127.0.0.1:9"}  # fmt: skip
        self.tool("curl", "echo 'curl: (7) refused http://me:hidden6@x' >&2; exit 7")
        for words in ([], ["-o", "json"]):
            result = self.run_program(support.PACHBUILD, "doctor", "--network", *words, env={**self.env, **secrets})
            self.assertIn("http://me:***@proxy:1", result.stdout)
            self.assertNotIn("hidden", result.stdout + result.stderr)

    def test_indexes_are_asked_with_network_only(self):
        curl = shutil.which("curl")
        support.require(curl, "curl is not installed")
        (self.tools / "curl").symlink_to(curl)
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802: http.server's name
                asked.append(self.path)
                self.send_response(200 if self.path == "/simple/" else 503)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        changes = {"UV_DEFAULT_INDEX": f"{address}/simple/", "GOPROXY": f"{address}/go,direct"}
        self.examine(**changes)
        self.assertEqual(asked, [])
        found = self.examine("--network", code=69, **changes)
        self.assertEqual(sorted(asked), ["/go", "/simple/"])
        self.assertEqual(found["network", "Python packages"]["what"], f"{address}/simple/ answers (HTTP 200)")
        self.assertEqual(found["network", "Go modules"]["state"], "problem")
        self.assertEqual(found["network", "Go modules"]["what"], f"{address}/go answers (HTTP 503)")
        found = self.examine("--network", code=69, UV_DEFAULT_INDEX="http://127.0.0.1:9/", GOPROXY="off")
        self.assertEqual(found["network", "Python packages"]["state"], "problem")
        self.assertEqual(found["network", "Go modules"]["what"], "off: none is asked")

    def test_the_cluster_is_asked_when_told(self):
        log = self.folder / "log"
        self.tool("pachctl", f'echo "$PACH_CONTEXT|$*" >> {log}\ncase "$*" in\n'
                             '"config get active-context") echo mine ;;\n"version --client-only") echo 2.12.0 ;;\n'
                             '*) printf "COMPONENT VERSION\\npachctl 2.12.0\\npachd 2.12.4\\n" ;;\nesac')  # fmt: skip
        found = self.examine()
        self.assertEqual(found["tools", "pachctl"]["what"], f"2.12.0, {self.tools}/pachctl")
        self.assertEqual(log.read_text(), "|version --client-only\n")
        found = self.examine("--cluster")
        self.assertEqual(found["cluster", "context"]["what"], "mine")
        self.assertEqual(found["cluster", "version"]["what"], "Pachyderm 2.12.4")
        log.write_text("")
        self.assertEqual(self.examine("--cluster", "--context", "other")["cluster", "context"]["what"], "other")
        self.assertIn("other|version --timeout 5s\n", log.read_text())
        (self.tools / "pachctl").unlink()
        found = self.examine("--cluster", code=69)
        self.assertEqual(found["tools", "pachctl"]["state"], "problem")
        said = self.run_program(support.PACHBUILD, "doctor", "--context", "x", env=self.env)
        self.assertEqual(said.returncode, 64)


if __name__ == "__main__":
    support.main()
