# SPDX-License-Identifier: Apache-2.0
"""`pachbuild run` with datum_batching: one program takes datum after datum by a gRPC call."""

import pathlib
import signal
import socket
import subprocess
import sys
import time

import pipelines
import support

# What programs begin with.
START = f"""import os, sys, time
sys.path.insert(0, {str(support.ROOT / 'tests/suites')!r})
import batch_client
from batch_client import Client, frame
def copy():
    for name in os.listdir("/pfs/data"):
        with open("/pfs/data/" + name) as source, open("/pfs/out/" + name, "w") as target:
            target.write(source.read())
def content():
    return open("/pfs/data/" + os.listdir("/pfs/data")[0]).read()
def once(path):
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False
"""


class BatchSuite(pipelines.PipelineSuite):

    def batch(self, program, pipeline=None, **transform):
        self.write("source/main.py", START + program)
        self.write("source/build.sh", pipelines.COPY_RUN_SCRIPT)
        self.write("source/program.sh", f"cd /pfs/source; exec {sys.executable} main.py\n")
        self.spec(pipeline=pipeline, datum_batching=True, **transform)

    def run_one(self, *arguments, **options):
        """On one worker: the datums come in the order of their names."""
        return self.pachbuild_run("--workers", 1, *arguments, **options)

    def succeed_one(self, *arguments, **options):
        result = self.run_one(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result

    def assert_failed(self, result, reasons, run):
        self.assertEqual(result.returncode, 1, result.stderr)
        for name, reason in reasons.items():
            self.assertIn(f"warning: datum data/{name} failed: {reason} (log: ", result.stderr)
        self.assert_ran(result, run=run, failed=len(reasons))
        self.assert_nothing_left()

    def assert_no_program(self):
        deadline = time.monotonic() + 5
        while str(self.folder) in self.run_program("ps", "-eo", "args").stdout.replace(str(self.folder / "spec.json"), ""):
            self.assertLess(time.monotonic(), deadline, "a program is still running")
            time.sleep(0.05)


class Batches(BatchSuite):

    def test_one_program_takes_all_datums(self):
        self.data(a="one", b="two", c="three")
        starts = self.folder / "starts"
        self.batch(f"""
open({str(starts)!r}, "a").write("x")
client = Client()
for turn in range(9):
    env = client.next_datum()
    copy()
    path = env["data"]
    assert os.path.exists(path) and os.environ["PPS_WORKER_GRPC_PORT"] == env["PPS_WORKER_GRPC_PORT"]
    assert open("/pfs/.env").read() == "".join(f"{{k}}={{v}}\\n" for k, v in env.items())
    assert os.path.dirname(os.path.realpath("/pfs/out")).endswith(env["PACH_DATUM_ID"])
    assert os.listdir(".") and env["MINE"] == "yes"
    print(turn, path)
""", env={"MINE": "yes"})
        result = self.succeed_one("--logs")
        self.assertEqual(starts.read_text(), "x")
        self.assertEqual(self.output(), {"a": b"one", "b": b"two", "c": b"three"})
        self.assert_ran(result, run=3)
        self.assert_nothing_left()
        self.data(b="second")
        result = self.succeed_one()
        self.assert_ran(result, run=1, skipped=2)
        self.assertEqual(self.output()["b"], b"second")

    def test_as_many_programs_as_workers(self):
        self.data(**{f"f{number}": str(number) for number in range(8)})
        starts = self.folder / "starts"
        self.batch(f"""
open({str(starts)!r}, "a").write("x")
client = Client()
while True:
    client.next_datum()
    copy()
    time.sleep(0.02)
""")
        self.succeed_run("--workers", 2)
        self.assertEqual(starts.read_text(), "xx")
        self.assertEqual(len(self.output()), 8)

    def test_what_a_program_finds_when_it_starts(self):
        self.data(a="one")
        found = self.folder / "found"
        self.batch(f"""
open({str(found)!r}, "w").write(repr((sorted(os.listdir("/pfs")), [name for name in os.environ if "DATUM" in name or
    name.startswith("data")], os.environ["PPS_PIPELINE_NAME"])))
Client().next_datum()
""")
        self.run_one()
        self.assertEqual(found.read_text(), "(['.scratch', 'build', 'source'], [], 'edges')")

    def test_what_is_printed_goes_into_the_log_of_its_datum(self):
        self.data(a="one", b="two")
        self.batch("""
print("loading", flush=True)
client = Client()
while True:
    client.next_datum()
    print("this is " + content(), flush=True)
    print("x" * 100_000, file=sys.stderr)
    copy()
""")
        self.succeed_one()
        logs = sorted(path.read_text() for path in self.cache.glob("run/*/logs/*.log"))
        filler = "x" * 100_000 + "\n"
        self.assertEqual(logs, ["loading\nthis is one\n" + filler, "this is two\n" + filler])

    def test_of_two_calls_at_once_each_gets_a_datum(self):
        """The second call ends the datum that the first one has got."""
        self.data(a="one", b="two", c="three")
        self.batch("""
first, second = Client(), Client("".join(os.environ["PPS_WORKER_GRPC_PORT"]), "127.0.0.1")
first.call()
second.call()
names = [client.answer()["data"] for client in (first, second)]
copy()
first.next_datum()
open("/pfs/out/names", "w").write(" ".join(map(os.path.basename, names)))
first.next_datum()
""")
        self.succeed_one()
        self.assertEqual(self.output(), {"b": b"two", "names": b"a b"})

    def test_a_call_that_its_client_gives_up_is_made_again(self):
        self.data(a="one", b="two")
        self.batch("""
client = Client()
client.call()
client.socket.sendall(frame(batch_client.RESET, 0, client.stream, bytes(4)))
time.sleep(0.3)
while True:
    client = Client()
    client.next_datum()
    copy()
    client.call()
    client.socket.close()
""")
        self.succeed_one()
        self.assertEqual(self.output(), {"a": b"one", "b": b"two"})

    def test_a_file_that_stays_open_has_what_it_had_at_the_call(self):
        self.data(a="one", b="two")
        self.batch("""
client = Client()
files = []
while True:
    client.next_datum()
    for file in files:
        file.write("late")
    files.append(open("/pfs/out/" + os.listdir("/pfs/data")[0], "w", buffering=1))
    files[-1].write("in time\\n")
""")
        self.succeed_one()
        self.assertEqual(self.output(), {"a": b"in time\n", "b": b"in time\n"})


class Failures(BatchSuite):

    def setUp(self):
        super().setUp()
        self.data(a="one", b="bad", c="three")

    def failing(self, what, **settings):
        """A program that fails at the datum b."""
        self.batch(f"""
client = Client()
client.next_datum()
while True:
    print(content(), flush=True)
    if content() == "bad":
        {what}
    copy()
    client.next_datum()
""", **settings)

    def test_a_program_that_dies_fails_its_datum_only(self):
        self.failing("open('/pfs/out/half', 'w').close(); os.kill(os.getpid(), 9)")
        self.assert_failed(self.run_one("--partial"), {"b": "signal 9 (Killed): perhaps out of memory"}, run=2)
        self.assertEqual(self.output(), {"a": b"one", "c": b"three"})

    def test_a_program_that_ends(self):
        self.failing("sys.exit(0)")
        self.assert_failed(self.run_one(), {"b": "exit code 0, before it asked for the next datum"}, run=2)
        self.failing("sys.exit(7)", accept_return_code=[7])
        self.assert_failed(self.run_one(), {"b": "exit code 7, before it asked for the next datum"}, run=2)

    def test_an_error_that_the_program_says_ends_it(self):
        again = self.folder / "again"
        self.failing(f"client.next_datum('it is \\n bad'); open({str(again)!r}, 'w')")
        result = self.run_one()
        self.assert_failed(result, {"b": 'the program says: it is \\n bad'}, run=2)
        self.assertFalse(again.exists())
        self.assertIn("\nbad\n", result.stderr)

    def test_a_failed_datum_is_tried_again_from_the_beginning(self):
        once = str(self.folder / "once")
        for what in ("os._exit(3)", "client.next_datum('oops')"):
            self.failing(f"""
        assert os.listdir("/pfs/out") == []
        open("/pfs/out/left", "w").close()
        os.remove("/pfs/data/b")
        if once({once + what[3:6]!r}): {what}
        os.remove("/pfs/out/left")
        open("/pfs/data/b", "w").write("good")""", pipeline={"datum_tries": 2})
            # What was removed is there again, and what was left is not.
            text = (self.folder / "source/main.py").read_text()
            self.write("source/main.py", text.replace('os.remove("/pfs/data/b")', 'assert content() == "bad"'))
            self.assert_ran(self.succeed_one("--force"), run=3)
            self.assertEqual(self.output(), {"a": b"one", "b": b"good", "c": b"three"})

    def test_the_error_command_recovers_a_datum(self):
        seen = self.folder / "seen"
        self.failing("sys.exit(3)", err_cmd=["sh"], err_stdin=[f"cat $data > {seen}; test -d /pfs/out"])
        result = self.succeed_one()
        self.assertIn("datums: 3 processed (1 recovered by err_cmd), 0 skipped, ", result.stderr)
        self.assertEqual(seen.read_text(), "bad")
        self.assertEqual(self.output(), {"a": b"one", "c": b"three"})

    def test_a_datum_that_takes_too_long(self):
        self.failing("time.sleep(600)", pipeline={"datum_timeout": "300ms"})
        text = (self.folder / "source/main.py").read_text()
        # To start may take longer.
        self.write("source/main.py", text.replace("client = Client()", "time.sleep(0.5); client = Client()"))
        self.assert_failed(self.run_one(timeout=60), {"b": "timed out after 300 ms"}, run=2)

    def test_a_program_that_never_asks_ends_the_run(self):
        starts = self.folder / "starts"
        self.batch(f"open({str(starts)!r}, 'a').write('x'); print('this is all'); sys.exit(4)")
        result = self.run_one()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("warning: datum data/a failed: exit code 4, before it asked for a datum (log: ", result.stderr)
        self.assertIn("\nthis is all\n", result.stderr)
        self.assertIn(f"error: {self.folder}/spec.json:6:23: the program ended before it asked for a datum\n"
                      "hint: with datum_batching it has to call NextDatum in a loop; see docs/running-locally.md, \"Datum batching\"\n",
                      result.stderr)
        self.assertEqual(starts.read_text(), "x")
        self.assert_nothing_left()

    def test_ctrl_c_ends_the_program_and_keeps_what_is_done(self):
        self.failing(f"open({str(self.folder / 'hanging')!r}, 'w'); time.sleep(876544)")
        process = subprocess.Popen(self.command("--workers", 1), env=self.environment(), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (self.folder / "hanging").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), 128 + signal.SIGINT)
        self.assert_no_program()
        self.assert_nothing_left()
        self.data(b="good")
        self.assert_ran(self.succeed_one(), run=2, skipped=1)


class Hostile(BatchSuite):

    def test_what_is_no_call(self):
        self.data(a="one")
        self.batch("""
port = os.environ["PPS_WORKER_GRPC_PORT"]
client = Client()
for junk in (b"GET / HTTP/1.1\\r\\n\\r\\n", b"\\xff" * 100_000, batch_client.PREFACE + b"\\xff" * 100_000,
             batch_client.PREFACE + frame(batch_client.HEADERS, 4, 1, b"\\xff" * 9000)):
    other = Client(port)
    other.socket.close()
    other.socket = __import__("socket").create_connection(("localhost", port))
    try:
        other.socket.sendall(junk)
        while other.socket.recv(65536): pass
    except ConnectionError:
        pass
for path, body in (("/x.Y/Z", None), (None, b""), (None, b"\\0\\0\\0\\0\\1"), (None, b"\\1\\0\\0\\0\\0"),
                   (None, b"\\0\\0\\0\\0\\2\\xff\\xff"), (None, b"\\0\\0\\0\\0\\0\\0")):
    other = Client(port)
    other.call(path=path or batch_client.NEXT_DATUM, body=body)
    try:
        other.answer()
        sys.exit(5)
    except batch_client.Refused:
        pass
idle = [Client(port) for turn in range(20)]
client.next_datum()
copy()
client.next_datum()
""")
        self.succeed_one()
        self.assertEqual(self.output(), {"a": b"one"})

    def test_a_message_without_end_is_refused(self):
        self.data(a="one")
        self.batch("""
client = Client()
other = Client()
other.stream = 1
other.socket.settimeout(20)
other.socket.sendall(frame(batch_client.HEADERS, 4, 1, batch_client.request_headers(batch_client.NEXT_DATUM)))
sent = 0
window = 65535
import struct
while sent < 3 << 20:
    while window < 16384:
        head = other.read(9)
        payload = other.read(int.from_bytes(head[:3], "big"))
        if head[3] == batch_client.WINDOW and head[5:] == bytes(4):
            window += struct.unpack(">I", payload)[0]
    other.socket.sendall(frame(batch_client.DATA, 0, 1, bytes(16384)))
    sent += 16384
    window -= 16384
other.socket.sendall(frame(batch_client.DATA, 1, 1, b""))
try:
    other.answer()
    sys.exit(5)
except batch_client.Refused:
    pass
client.next_datum()
copy()
client.next_datum("e" * 60_000)
""")
        result = self.run_one()
        self.assertIn("datum data/a failed: the program says: eeeee", result.stderr)
        self.assertLess(len(result.stderr), 3000)

    def test_other_processes_of_the_machine_are_not_let_in(self):
        self.data(a="one")
        port = self.folder / "port"
        self.batch(f"""
client = Client()
client.next_datum()
open({str(port)!r} + ".new", "w").write(os.environ["PPS_WORKER_GRPC_PORT"])
os.rename({str(port)!r} + ".new", {str(port)!r})
while not os.path.exists({str(port)!r} + ".done"): time.sleep(0.02)
copy()
client.next_datum()
""")
        process = subprocess.Popen(self.command(), env=self.environment(), stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        deadline = time.monotonic() + 60
        while not port.exists():
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        for host in ("127.0.0.1", "::1"):
            try:
                other = socket.create_connection((host, int(port.read_text())), timeout=10)
            except OSError:
                continue  # a machine without IPv6
            with other:
                try:
                    self.assertEqual(other.recv(100), b"")
                except ConnectionResetError:
                    pass
        pathlib.Path(f"{port}.done").touch()
        self.assertEqual(process.wait(timeout=30), 0, process.stderr.read())
        self.assertEqual(self.output(), {"a": b"one"})


class Clients(BatchSuite):
    """With the libraries that people use."""

    def install(self, *packages):
        support.require_network()
        folder = support.shared_cache("batching")
        marker = folder / "-".join(packages)
        if not marker.exists():
            self.succeed(support.require_tool("uv"), "pip", "install", "--python", sys.executable, "--target", str(folder),
                         *packages, env=support.environment())
            marker.touch()
        return str(folder)

    def test_the_sdk_of_pachyderm(self):
        folder = self.install("pachyderm-sdk==2.12.2")
        self.data(a="one", b="bad", c="three")
        self.batch(f"""
sys.path.insert(0, {folder!r})
from pachyderm_sdk import batch_all_datums
@batch_all_datums
def main():
    assert os.path.exists(os.environ["data"])
    print(os.environ["PACH_DATUM_ID"], flush=True)
    if content() == "bad": raise ValueError("a bad one")
    copy()
main()
""", env={"http_proxy": "http://192.0.2.1:9"})
        result = self.run_one("--partial")
        self.assert_failed(result, {"b": "the program says: ValueError('a bad one')"}, run=2)
        self.assertEqual(self.output(), {"a": b"one", "c": b"three"})


if __name__ == "__main__":
    support.main()
