# SPDX-License-Identifier: Apache-2.0
"""builder-runtime on Go sources: built with the real go, run through run.sh."""

import json
import subprocess

import support
from builder_suite import GO_HELLO, BuilderSuite, content_of, without_times

LEFTPAD = {
    "go.mod": "module example.com/pad\n\ngo 1.21\n\nrequire github.com/keltia/leftpad v0.1.0\n",
    "go.sum": "github.com/keltia/leftpad v0.1.0 h1:b2jL8i1cRsuLITknjWZHRAwf1Jwh+twMUkhwDXD7fqc=\n"
              "github.com/keltia/leftpad v0.1.0/go.mod h1:f/6pIO5tikWLxSz68iAcl9OXDpV6k2+2mRm9jShMzoU=\n",
    "main.go": """package main

import (
	"fmt"
	"os"

	"github.com/keltia/leftpad"
)

func main() {
	for _, word := range []string{"1", "11", "111"} {
		padded, err := leftpad.PadChar(word, 4, rune(os.Args[1][0]))
		if err != nil {
			panic(err)
		}
		fmt.Println(padded)
	}
}
""",
}


class Go(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("go")

    def test_the_leftpad_fixture_builds_and_runs(self):
        support.require_network()
        source = self.source(LEFTPAD)
        result = self.build_well(source)
        self.assertIn("detect: go, module example.com/pad\n", without_times(result.stderr))
        run = self.run_artifact(source, "0")
        self.assertEqual((run.returncode, run.stdout), (0, "0001\n0011\n0111\n"), run.stderr)
        record = json.loads((self.folder / "out/build.json").read_text())
        self.assertEqual(record["packages"], ["github.com/keltia/leftpad v0.1.0"])
        self.assertEqual(record["command"], ["main"])

    def test_arguments_arrive_whatever_they_are(self):
        source = self.source(GO_HELLO)
        self.build_well(source)
        words = ["", "a b", "-x", "line\nbreak", "$HOME", "*", "'\""]
        run = self.run_artifact(source, *words)
        self.assertEqual((run.returncode, run.stdout), (0, '["" "a b" "-x" "line\\nbreak" "$HOME" "*" "\'\\""]\n'), run.stderr)

    def test_the_program_starts_where_go_run_finds_its_files(self):
        """In the folder of its go.mod, unless the pipeline names another one or has no source."""
        main = ('package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() {\n\tfolder, _ := os.Getwd()\n'
                '\ttext, _ := os.ReadFile("conf.txt")\n\tfmt.Println(folder, os.Getenv("PWD"), string(text))\n}\n')
        for module in ("", "server/"):
            source = self.source({f"{module}go.mod": GO_HELLO["go.mod"], f"{module}cmd/a/main.go": main,
                                  f"{module}conf.txt": "beside"}, name=f"source {module.strip('/')}")
            self.build_well(source)
            at = f"/pfs/source/{module}".rstrip("/")
            self.assertEqual(self.run_artifact(source).stdout, f"{at} {at} beside\n")
            run = self.run_artifact(source, env=self.environment(PACHBUILD_WORKING_DIR="/usr"))
            self.assertEqual(run.stdout, "/usr /usr \n", run.stderr)
            run = self.in_room(self.folder / "none", "/bin/sh", "/pfs/build/run.sh", build=self.folder / "out")
            self.assertNotIn("/pfs/source", run.stdout)
            self.assertEqual(run.returncode, 0, run.stderr)

    def test_nothing_of_time_and_place_is_in_an_artifact(self):
        # Both start from Go's own packages compiled, and neither from the program, which no one has built before.
        self.build_well(self.source(GO_HELLO, name="other"))
        program = {**GO_HELLO, "main.go": f"// {self.folder.name}\n" + GO_HELLO["main.go"]}
        for name in ("one", "another/deeper"):
            source = self.source(program, name=name)
            self.cache = self.folder / f"cache of {name.replace('/', ' ')}"
            compiled = self.folder / f"compiled for {name.replace('/', ' ')}"
            subprocess.run(["cp", "-r", str(support.shared_cache("go-build")), str(compiled)], check=True)
            self.build_well(source, out=f"{name}-out", env=self.environment(GOCACHE=str(compiled)))
        self.assertEqual(content_of(self.folder / "one-out"), content_of(self.folder / "another/deeper-out"))

    def test_a_source_that_cannot_be_written_builds_as_the_protocol_has_it(self):
        source = self.source(GO_HELLO)
        out = self.folder / "built"
        out.mkdir()
        subprocess.run(["chmod", "-R", "a-w", str(source)], check=True)
        result = self.in_room(source, support.BUILDER, "--shim", self.shim, out=out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(content_of(source)), ["go.mod", "main.go"])
        self.assertEqual(self.run_artifact(source, "x", build="built").stdout, '["x"]\n')

    def test_an_edit_is_built(self):
        source = self.source(GO_HELLO)
        self.build_well(source)
        self.write("source/main.go", GO_HELLO["main.go"].replace("%q", "now %q"))
        self.build_well(source)
        self.assertEqual(self.run_artifact(source, "x").stdout, 'now ["x"]\n')
        self.assertEqual(len([n for n in content_of(self.folder / "out") if n.startswith("bundle-")]), 1)


if __name__ == "__main__":
    support.main()
