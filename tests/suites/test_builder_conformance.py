# SPDX-License-Identifier: Apache-2.0
"""`pachbuild builder test`: good builders pass, and one that is broken on purpose fails each check in turn."""

import json
import re
import xml.etree.ElementTree

import support

ROWS = ["sh ./build.sh", "writes to /pfs/out only", "names and links for PFS", "run.sh", "arguments byte for byte",
        "exit codes", "signals", "/pfs/build as named pipes", "second build", "without root, source read-only",
        "reproducible", "size"]

BUILD = "cp /pfs/source/probe.sh /pfs/out/\ncp run.sh /pfs/out/\n"
RUN = 'exec sh /pfs/build/probe.sh "$@"\n'
PROBE = """kind=$1; shift
case $kind in
  arguments) : > /pfs/out/arguments; [ $# = 0 ] || printf '%s\\0' "$@" > /pfs/out/arguments ;;
  exit) exit "$1" ;;
  signal) kill -s "$1" $$ ;;
esac
"""


class BuilderTest(support.Suite):
    def builder(self, build=BUILD, run=RUN):
        self.write("builder/build.sh", build)
        self.write("builder/run.sh", run)
        self.write("builder/probe/probe.sh", PROBE)

    def examine(self, *arguments, builder="builder"):
        env = support.environment(UV_CACHE_DIR=str(support.shared_cache("uv")), TMPDIR=str(self.folder),
                                  GOCACHE=str(support.shared_cache("go-build")))
        result = self.run_program(support.PACHBUILD, "builder", "test", builder, *arguments, env=env)
        self.assertEqual(list(self.folder.glob("pachbuild-builder-*")), [])
        return result

    def rows(self, result):
        """Outcome and text of each row, by name."""
        found = [re.fullmatch(r"(.+?)  +(ok|FAILED|note|skipped) *(.*)", line) for line in result.stdout.splitlines()]
        self.assertNotIn(None, found, result.stdout + result.stderr)
        return {match[1]: (match[2], match[3]) for match in found}

    def passes(self, result):
        rows = self.rows(result)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(list(rows), ROWS)
        self.assertLessEqual({outcome for outcome, _ in rows.values()}, {"ok", "skipped"}, result.stdout)

    def fails(self, name, text, build=BUILD, run=RUN):
        """The builder fails this check first."""
        self.builder(build, run)
        result = self.examine()
        rows = self.rows(result)
        failed = [row for row, (outcome, _) in rows.items() if outcome == "FAILED"]
        self.assertEqual(failed[:1], [name], result.stdout)
        self.assertRegex(rows[name][1], f"^{text}$")
        self.assertEqual((result.returncode, result.stderr), (
            1, f"error: builder: {len(failed)} of {len(rows)} check{'s' * (len(rows) > 1)} failed\n"
               "hint: docs/authoring-builders.md says what each asks for\n"))

    def test_a_builder_of_four_lines(self):
        self.builder()
        self.passes(self.examine())

    def test_the_builder_of_the_example(self):
        self.passes(self.examine(builder=support.ROOT / "examples/custom-builder"))

    def test_the_official_builders(self):
        for language, tool in (("python", "uv"), ("go", "go")):
            with self.subTest(language):
                support.require_tool(tool)
                self.passes(self.examine(builder=support.ROOT / "etc/pipeline-build" / language))

    def test_a_build_that_fails(self):
        self.fails("sh ./build.sh", r"exit code 3 \(no such compiler\)", build="echo no such compiler >&2\nexit 3\n")

    def test_a_build_that_writes_elsewhere(self):
        ways = [("touch /pfs/source/new", "something in /pfs/source was changed"),
                ("mkdir /pfs/cache", "/pfs/cache was made"),
                ("echo >> /pfs/source/probe.sh", "something in /pfs/source was changed"),
                ("touch junk", "something in the builder's own folder was changed")]
        for more, text in ways if support.LONG else ways[:2]:
            with self.subTest(more):
                self.fails("writes to /pfs/out only", text, build=BUILD + more + "\n")
                (self.folder / "builder/junk").unlink(missing_ok=True)

    def test_names_and_links_that_pfs_refuses(self):
        for more, text in (("touch '/pfs/out/x+y'", r"/pfs/out/x\+y: not a name that PFS can hold"),
                           ("ln -s nothing /pfs/out/link", "/pfs/out/link: is a broken link"),
                           ("mkfifo /pfs/out/pipe", "/pfs/out/pipe: is neither a file nor a folder")):
            with self.subTest(more):
                self.fails("names and links for PFS", text, build=BUILD + more + "\n")

    def test_no_run_script(self):
        self.fails("run.sh", "is not in /pfs/out", build="cp /pfs/source/probe.sh /pfs/out/\n")

    def test_arguments_that_are_lost_or_changed(self):
        for run in ("exec sh /pfs/build/probe.sh $*\n", 'exec sh /pfs/build/probe.sh "$1"\n'):
            with self.subTest(run):
                self.fails("arguments byte for byte", r"lost or changed: .*\(exit code 0\)", run=run)

    def test_exit_codes_that_are_changed(self):
        self.fails("exit codes", "exit 2 came out as exit code 1",
                   run='sh /pfs/build/probe.sh "$@" || exit 1\n')

    def test_signals_that_are_swallowed(self):
        self.fails("signals", "signal 1 came out as exit code 0", run=(
            'code=0; sh /pfs/build/probe.sh "$@" || code=$?\n'
            'case $code in 129 | 130 | 137 | 143) exit 0 ;; esac\nexit $code\n'))

    def test_a_run_script_that_cannot_read_pipes(self):
        self.fails("/pfs/build as named pipes", "exit code 9", run="[ -f /pfs/build/probe.sh ] || exit 9\n" + RUN)

    def test_what_is_not_wrong_but_could_be_better(self):
        self.builder(build=BUILD + "sleep 1.1\ndate +%N > /pfs/out/built\n")
        result = self.examine()
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = self.rows(result)
        self.assertEqual(rows["reproducible"], ("note", "built twice, other bytes: all datums run again"))
        self.assertRegex(" ".join(rows["second build"]), r"^note 1\.\d s after 1\.\d s: nothing is kept$")

    def test_reports_for_programs(self):
        self.builder(build="exit 3 # & < \"\n")
        result = self.examine("--junit", "report.xml", "-o", "json")
        self.assertEqual(result.returncode, 1)
        document = json.loads(result.stdout)
        self.assertEqual(document["builder"], "builder")
        self.assertEqual(document["rows"][0], {"name": "sh ./build.sh", "outcome": "failed", "text": "exit code 3"})
        suite = xml.etree.ElementTree.parse(self.folder / "report.xml").getroot()
        self.assertEqual((suite.get("name"), suite.get("failures")), ("builder", "1"))
        self.assertEqual(len(suite), len(document["rows"]))
        self.assertEqual(suite[0].find("failure").get("message"), "exit code 3")

    def test_what_cannot_be_examined(self):
        self.builder()
        self.write("empty/probe/probe.sh", "")
        hint = "hint: give the source of a probe: docs/authoring-builders.md says what it does\n"
        for words, code, expected in (
                (["empty"], 65, "error: empty: has no build.sh\nhint: a builder is a folder with a build.sh, which is "
                                "started by sh, or an image with one\n"),
                (["image:1"], 64, "error: image:1: has no folder probe\n" + hint),
                (["builder", "--source", "nope"], 64, "error: --source nope: is not a folder\n" + hint),
                ([], 64, "error: builder is required\nhint: see pachbuild builder test --help\n")):
            result = self.run_program(support.PACHBUILD, "builder", "test", *words)
            self.assertEqual((result.returncode, result.stderr), (code, expected))


if __name__ == "__main__":
    support.main()
