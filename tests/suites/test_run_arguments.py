# SPDX-License-Identifier: Apache-2.0
"""Arguments after "--" arrive in the program byte for byte, through the run.sh that each builder generates."""

import os
import random
import subprocess

import pipelines
import support

PYTHON_MAIN = """\
import os, sys
with open("/pfs/out/arguments", "wb") as out:
    out.write(b"\\0".join(map(os.fsencode, sys.argv[1:])))
"""

GO_MAIN = """\
package main

import (
	"os"
	"strings"
)

func main() {
	text := strings.Join(os.Args[1:], "\\x00")
	if err := os.WriteFile("/pfs/out/arguments", []byte(text), 0o644); err != nil {
		panic(err)
	}
}
"""

# What shells, option parsers and text files stumble over.
PIECES = [b" ", b"\n", b"\t", b"'", b'"', b"$", b"$HOME", b"`id`", b"*", b"\\", b"-", b"--", b"-n", b"--help", b"=",
          b"#", b"~", b"!", b";", b"&", b"|", b"<", b">", b"(", b"%s", b"\xff\xfe", "é😀".encode(), b"a", b"\r", b"\x01"]


class Arguments(pipelines.PipelineSuite):
    SEED = 20240607
    VECTORS = 4

    def vectors(self):
        yield [b""]
        yield [b"", b"", b" "]
        yield [b"--", b"--exec", b"--environment", b"-h", b"--version"]
        yield [b"a b", b"new\nline", b"'single' \"double\"", b"$HOME", b"*", b"-leading", b"end\n\n"]
        yield [b"x" * 100_000]
        source = random.Random(self.SEED)
        for _ in range(self.VECTORS):
            yield [b"".join(source.choices(PIECES, k=source.randint(0, 6))) for _ in range(source.randint(1, 12))]

    def check(self, language):
        self.data(one="")
        self.spec(language=language)
        for vector in self.vectors():
            with self.subTest(vector=[argument[:40] for argument in vector]):
                command = [os.fsencode(part) for part in self.command("--")] + vector
                result = subprocess.run(command, env=self.environment(), stdin=subprocess.DEVNULL,
                                        capture_output=True, timeout=300)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(self.output()["arguments"], b"\0".join(vector))

    def test_python(self):
        self.write("source/main.py", PYTHON_MAIN)
        self.check("python")

    def test_go(self):
        support.require_tool("go")
        self.cache = support.shared_cache("go")
        self.write("source/go.mod", "module example.com/arguments\n\ngo 1.21\n")
        self.write("source/main.go", GO_MAIN)
        self.check("go")


if __name__ == "__main__":
    support.main()
