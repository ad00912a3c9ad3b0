# SPDX-License-Identifier: Apache-2.0
"""The sections of docs/debugging.md about `pachbuild shell` and debuggers: their commands, and the real debuggers as an
editor uses them."""

import json
import os
import re
import signal
import socket
import subprocess
import time

import pipelines
import support

GO_PROGRAM = """package main

import (
\t"os"
\t"strings"
)

func main() {
\ttext, _ := os.ReadFile(os.Getenv("sales"))
\tlines := strings.Fields(string(text))
\tos.WriteFile("/pfs/out/lines", []byte(lines[0]), 0o644)
}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Editor:
    """An editor's end of the Debug Adapter Protocol."""

    def __init__(self, test, port, process):
        self.test = test
        self.events = []
        self.responses = {}  # by the number of the request
        self.number = 0
        deadline = time.monotonic() + 120
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
                break
            except OSError:
                test.assertIsNone(process.poll(), "the debugger has ended")
                test.assertLess(time.monotonic(), deadline, "nobody listens")
                time.sleep(0.1)
        test.addCleanup(self.socket.close)
        self.stream = self.socket.makefile("rb")
        test.addCleanup(self.stream.close)

    def read(self):
        length = 0
        while (line := self.stream.readline().strip()):
            length = int(line.removeprefix(b"Content-Length: "))
        self.test.assertGreater(length, 0, "the debugger has hung up")
        return json.loads(self.stream.read(length))

    def send(self, command, **arguments):
        self.number += 1
        body = json.dumps({"seq": self.number, "type": "request", "command": command, "arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self.number

    def take(self):
        message = self.read()
        if message["type"] == "event":
            self.events.append(message)
        elif message["type"] == "response":
            self.responses[message["request_seq"]] = message

    def answer(self, number):
        while number not in self.responses:
            self.take()
        message = self.responses.pop(number)
        self.test.assertTrue(message["success"], message)
        return message.get("body", {})

    def ask(self, command, **arguments):
        return self.answer(self.send(command, **arguments))

    def wait_for(self, event):
        while not (found := [message for message in self.events if message["event"] == event]):
            self.take()
        self.events.remove(found[0])
        return found[0].get("body", {})

    def stop_at(self, settings, file, line):
        """Attaches as the settings of the editor say, and runs to a breakpoint in a file of this machine; the frame."""
        self.ask("initialize", adapterID="test", pathFormat="path", linesStartAt1=True)
        attached = self.send("attach", **settings)
        self.wait_for("initialized")
        set_points = self.ask("setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": line}])
        self.test.assertEqual([point["verified"] for point in set_points["breakpoints"]], [True], set_points)
        self.ask("setExceptionBreakpoints", filters=[])
        self.ask("configurationDone")
        self.answer(attached)
        stopped = self.wait_for("stopped")
        self.test.assertEqual(stopped["reason"], "breakpoint", stopped)
        frame = self.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"][0]
        self.test.assertEqual((frame["source"]["path"], frame["line"]), (str(file), line))
        self.thread = stopped["threadId"]
        return frame

    def value_of(self, expression, frame):
        return self.ask("evaluate", expression=expression, frameId=frame["id"], context="watch")["result"]


class Documented(pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        text = (support.ROOT / "docs/debugging.md").read_text(encoding="utf-8")
        self.shell = self.section(text, "## A shell in a datum")
        self.python = self.section(text, "### Python")
        self.go = self.section(text, "### Go")

    def section(self, text, title):
        """The lines below a heading, up to the next one: a "#" in a block of code is none."""
        found, inside, is_code = [], False, False
        for line in text.splitlines(keepends=True):
            if line.startswith("```"):
                is_code = not is_code
            if line.startswith("##") and not is_code:
                inside = line.strip() == title
            elif inside:
                found.append(line)
        self.assertNotEqual(found, [], title)
        return "".join(found)

    def blocks(self, section, language):
        """The blocks of code in a language; those without one are what a terminal shows."""
        parts = re.split(r"^```(\w*)$\n", section, flags=re.MULTILINE)  # text, language, code, "", text, …
        return [code for kind, code in zip(parts[1::4], parts[2::4]) if kind == language]

    def environment(self, **changes):
        caches = {name: str(support.shared_cache(folder)) for name, folder in (
            ("UV_CACHE_DIR", "uv"), ("GOCACHE", "go-build"), ("GOMODCACHE", "go-mod"))}
        env = super().environment(**caches, **changes)
        return {**env, "PATH": f"{support.BIN}:{env['PATH']}"}

    def do(self, commands, **changes):
        return self.succeed("bash", "-euc", commands, env=self.environment(**changes))

    def settings(self, section, port):
        [text] = self.blocks(section, "json")
        settings = json.loads(text.replace("${workspaceFolder}", str(self.folder)))
        for place in (settings, settings.get("connect", {})):
            if "port" in place:
                place["port"] = port
        return settings

    def start(self, words, **changes):
        with open(self.folder / "printed", "w") as printed:
            process = subprocess.Popen(words, cwd=self.folder, env=self.environment(**changes), stdin=subprocess.DEVNULL,
                                       stdout=printed, stderr=subprocess.STDOUT)
        def end():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
            process.wait()
        self.addCleanup(end)
        return process


class Stories(Documented):
    def test_the_story_of_the_shell(self):
        parts = self.blocks(self.shell, "sh")
        result = self.do("".join(parts))
        self.assertIn("KeyError: 'amount'", result.stderr)
        self.assertIn("exit code 1\n", result.stdout)
        self.assertIn("shop;amount\nharbour;3,10\n", result.stdout)
        self.assertTrue(result.stdout.endswith("4.00\n"), result.stdout)
        self.assertIn("datums: 1 processed, 0 skipped, 1 not selected, ", result.stderr)
        self.assertIn("datums: 1 processed, 1 skipped, ", result.stderr)
        self.assertEqual(self.output(self.folder / "totals/out"), {"monday": b"3.75\n", "tuesday": b"4.00\n"})

    def test_the_session_that_it_shows(self):
        """What is typed there, in a shell that reads it from a file."""
        self.do(self.blocks(self.shell, "sh")[0])
        session = next(block for block in self.blocks(self.shell, "") if "(pachbuild)" in block)
        first, *rest = session.splitlines()
        typed = [line.split("$ ", 1)[1] for line in rest if line.startswith("(pachbuild)")]
        answers = [line for line in rest if not line.startswith("(pachbuild)")]
        result = self.run_program("bash", "-c", first.removeprefix("$ "), stdin="\n".join(typed) + "\n",
                                  env=self.environment(SHELL="/bin/sh"))
        printed = result.stderr + result.stdout
        for line in answers:
            self.assertIn(line + "\n", printed)

    def test_debugpy(self):
        support.require_network()
        self.do(self.blocks(self.shell, "sh")[0] + self.blocks(self.python, "sh")[0])
        [command] = [block for block in self.blocks(self.python, "") if block.startswith("pachbuild shell")]
        port = free_port()
        process = self.start(["bash", "-c", "exec " + command.replace("5678", str(port))])
        editor = Editor(self, port, process)
        main = self.folder / "totals/source/main.py"
        line = next(number for number, text in enumerate(main.read_text().splitlines(), 1) if text.startswith("total ="))
        frame = editor.stop_at(self.settings(self.python, port), main, line)
        self.assertIn("'shop;amount'", editor.value_of("rows[0]", frame))
        self.assertIn("/pfs/sales/tuesday.csv", editor.value_of("str(path)", frame))
        editor.ask("setBreakpoints", source={"path": str(main)}, breakpoints=[])
        editor.ask("continue", threadId=editor.thread)
        editor.wait_for("terminated")
        editor.ask("disconnect")
        self.assertEqual(process.wait(60), 1)  # the program's own

    @support.long_test
    def test_delve(self):
        """dlv takes half a minute of a processor to install."""
        support.require_network()
        support.require_tool("go")
        self.do(self.blocks(self.shell, "sh")[0])
        self.write("source/go.mod", "module example.com/lines\n\ngo 1.21\n")
        main = self.write("source/main.go", GO_PROGRAM)
        self.write("lines.json", json.dumps({
            "pipeline": {"name": "lines"}, "transform": {"build": {"language": "go", "path": "source"}},
            "input": {"pfs": {"repo": "sales", "glob": "/*"}}}))
        [commands] = [block for block in self.blocks(self.go, "") if block.startswith("go install")]
        install, command = commands.splitlines()
        tools = support.shared_cache("dlv")
        self.do(install, GOBIN=str(tools))
        port = free_port()
        command = command.replace("2345", str(port)).replace("-f SPEC --input … --datum …", "-f lines.json --input sales=totals/sales "
                                                             "--datum tuesday.csv")
        self.assertNotIn("…", command)
        path = f"{tools}:{os.environ['PATH']}"
        with_tools = support.environment()["PATH"]
        command = command.replace("/tmp/debugged", str(self.folder / "debugged"))
        process = self.start(["bash", "-c", f"PATH={support.BIN}:{tools}:{with_tools}; exec {command}"], PATH=path)
        editor = Editor(self, port, process)
        frame = editor.stop_at(self.settings(self.go, port), main, 11)
        self.assertIn("shop;amount", editor.value_of("lines[0]", frame))
        editor.ask("disconnect", terminateDebuggee=True)
        self.assertEqual(process.wait(60), 0)


if __name__ == "__main__":
    support.main()
