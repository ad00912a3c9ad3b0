# SPDX-License-Identifier: Apache-2.0
"""`pachbuild builder test`: good builders pass, and one that is broken on purpose fails each check in turn."""

import json
import re
import xml.etree.ElementTree

import support

ROWS = ["build", "writes to /pfs/out only", "names and links for PFS", "run.sh", "arguments byte for byte",
        "exit codes", "signals", "/pfs/build as named pipes", "second build", "edit", "edit with an older time",
        "without root, source read-only", "reproducible", "size"]

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
               "hint: --log shows what the builds print; docs/authoring-builders.md describes each check\n"))

    def test_a_builder_of_four_lines(self):
        self.builder()
        self.passes(self.examine())

    def test_a_folder_whose_name_is_no_utf8(self):
        self.builder("echo no such compiler >&2\nexit 3\n")
        folder = (self.folder / "builder").rename(self.folder / "b\udcff")
        result = self.examine("-o", "json", builder=folder)
        self.assertEqual(result.returncode, 1, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(report["builder"], f"{self.folder}/b\ufffd")
        self.assertEqual(report["rows"][0]["text"], "exit code 3 (no such compiler)")

    def test_the_builder_of_the_example(self):
        self.passes(self.examine(builder=support.ROOT / "examples/custom-builder"))

    def test_the_official_builders(self):
        for language, tool in (("python", "uv"), ("go", "go")):
            with self.subTest(language):
                support.require_tool(tool)
                self.passes(self.examine(builder=support.ROOT / "etc/pipeline-build" / language))

    def test_a_build_that_fails(self):
        self.fails("build", r"exit code 3 \(no such compiler\)", build="echo no such compiler >&2\nexit 3\n")
        self.fails("build", r"exit code 1 \(error: probe.sh:2: no end\)",
                   build="echo reading; echo error: probe.sh:2: no end; echo hint: add it; exit 1\n")

    def test_a_build_that_writes_elsewhere(self):
        ways = [("touch /pfs/source/new", "something in /pfs/source was changed"),
                ("mkdir /pfs/cache", "/pfs/cache was created"),
                ("echo >> /pfs/source/probe.sh", "something in /pfs/source was changed"),
                ("touch junk", "something in the builder's own folder was changed")]
        for more, text in ways if support.LONG else ways[:2]:
            with self.subTest(more):
                self.fails("writes to /pfs/out only", text, build=BUILD + more + "\n")
                (self.folder / "builder/junk").unlink(missing_ok=True)

    def test_names_and_links_that_pfs_refuses(self):
        for more, text in (("touch '/pfs/out/x+y'", r'invalid file name for PFS: "/pfs/out/x\+y" contains \+'),
                           ("ln -s nothing /pfs/out/link", "/pfs/out/link: is a broken link"),
                           ("mkfifo /pfs/out/pipe", "/pfs/out/pipe: is neither a file nor a folder")):
            with self.subTest(more):
                self.fails("names and links for PFS", text, build=BUILD + more + "\n")

    def test_no_run_script(self):
        self.fails("run.sh", "is not in /pfs/out", build="cp /pfs/source/probe.sh /pfs/out/\n")

    def test_arguments_that_are_lost_or_changed(self):
        for run in ("exec sh /pfs/build/probe.sh $*\n", 'exec sh /pfs/build/probe.sh "$1"\n'):
            with self.subTest(run):
                self.fails("arguments byte for byte", r"lost or changed: '' \(exit code 0\), seed 1", run=run)

    def test_a_probe_that_does_not_write_its_arguments(self):
        self.fails("arguments byte for byte", r"with no arguments: the probe did not write /pfs/out/arguments \(exit code 0\), seed 1",
                   run="exit 0\n")

    def test_exit_codes_that_are_changed(self):
        self.fails("exit codes", "exit 2 was reported as exit code 1",
                   run='sh /pfs/build/probe.sh "$@" || exit 1\n')

    def test_a_program_that_does_not_end(self):
        self.builder(run="exec sleep 30\n")
        rows = self.rows(self.examine("--timeout", "0.3s"))
        slow = "timed out after 300 ms; --timeout allows more"
        self.assertEqual({name: text for name, (outcome, text) in rows.items() if outcome == "FAILED"}, {
            "arguments byte for byte": f"with no arguments: {slow}, seed 1", "exit codes": f"exit 0: {slow}", "signals": f"signal 1: {slow}",
            "/pfs/build as named pipes": slow, "edit": f"the edited program: {slow}",
            "edit with an older time": f"the edited program: {slow}"})

    def test_a_time_limit_is_not_taken_for_a_signal(self):
        """The limit ends a program by signal 9."""
        self.builder(run='[ "$1 $2" != "signal 9" ] || exec sleep 30\n' + RUN)
        self.assertEqual(self.rows(self.examine("--timeout", "1s"))["signals"],
                         ("FAILED", "signal 9: timed out after 1.0 s; --timeout allows more"))

    def test_signals_that_are_swallowed(self):
        self.fails("signals", "signal 1 was reported as exit code 0", run=(
            'code=0; sh /pfs/build/probe.sh "$@" || code=$?\n'
            'case $code in 129 | 130 | 137 | 143) exit 0 ;; esac\nexit $code\n'))

    def test_a_run_script_that_cannot_read_pipes(self):
        self.fails("/pfs/build as named pipes", "exit code 9", run="[ -f /pfs/build/probe.sh ] || exit 9\n" + RUN)

    def test_what_makes_a_build_another_one(self):
        """Its bytes must depend neither on the cache's path, nor on when the source was written, nor on the clock."""
        self.builder(build=BUILD + 'echo "$PACHBUILD_CACHE_DIR" > /pfs/out/a; date -r /pfs/source/probe.sh > /pfs/out/b\n'
                                   "date +%Z > /pfs/out/c; date +%s > /pfs/out/d; echo same > /pfs/out/e\n")
        self.assertEqual(self.rows(self.examine("--keep", "kept"))["reproducible"],
                         ("note", "built twice, other bytes in a, b, c and 1 other: all datums run again"))
        self.assertNotEqual(*((self.folder / "kept" / room / "out/d").read_text()
                              for room in ("room-1/first", "room-2/other")))

    def test_edits_that_are_not_seen(self):
        keep = ('cache=$PACHBUILD_CACHE_DIR/kept; mkdir -p $cache\n{test} || cp /pfs/source/probe.sh $cache/\n'
                "cp $cache/probe.sh run.sh /pfs/out/\n")
        # As make does it: what is older than the product is not made again.
        for test, name in (("[ -e $cache/probe.sh ]", "edit"),
                           ("[ $cache/probe.sh -nt /pfs/source/probe.sh ]", "edit with an older time")):
            with self.subTest(name):
                self.fails(name, "not picked up: an earlier build's program runs", build=keep.format(test=test))
        self.fails("edit", r"exit code 4 \(no\)", build=BUILD + "if grep -q rewritten /pfs/out/probe.sh; then echo no; exit 4; fi\n")
        self.fails("edit", "the edited program: exit code 5",
                   run="if grep -q rewritten /pfs/source/probe.sh; then exit 5; fi\n" + RUN)

    def test_a_probe_that_cannot_be_edited(self):
        self.builder()
        self.write("builder/probe/probe.sh", PROBE.replace("/pfs/out/", "/pfs/./out/"))
        rows = self.rows(self.examine())
        for name in ("edit", "edit with an older time"):
            self.assertEqual(rows[name], ("skipped", "no file in the probe contains the text /pfs/out/arguments"))

    def test_arguments_that_are_text_are_a_note(self):
        text = 'for w in "$@"; do printf %s "$w" | iconv -f utf-8 -t utf-8 >/dev/null 2>&1 || exit 6; done\n'
        self.builder(run=text + RUN)
        rows = self.rows(self.examine("--seed", "7"))
        self.assertEqual(rows["arguments byte for byte"][0], "note")
        self.assertRegex(rows["arguments byte for byte"][1],
                         r"^only those that are UTF-8; with .*: the probe did not write /pfs/out/arguments \(exit code 6\), seed 7$")

    def test_the_arguments_are_the_same_each_time(self):
        self.builder(run='printf "<%s>" "$@" >> "$RECORD"; printf "\\n" >> "$RECORD"\n' + RUN)
        recorded = []
        for words in ([], [], ["--seed", "2"]):
            record = self.folder / f"record-{len(recorded)}"
            env = support.environment(TMPDIR=str(self.folder), RECORD=str(record))
            result = self.run_program(support.PACHBUILD, "builder", "test", "builder", *words, env=env)
            self.assertEqual(self.rows(result)["arguments byte for byte"],
                             ("ok", f"11 vectors, seed {words[1] if words else 1}"))
            recorded.append(record.read_bytes())
        self.assertEqual(recorded[0], recorded[1])
        self.assertNotEqual(recorded[0], recorded[2])

    def test_what_builds_print_and_make(self):
        self.builder(build="echo first line; echo $WORD $PACHBUILD_BUILD_VARIABLES; printf end\n" + BUILD)
        result = self.examine("--log", "--keep", "kept", "--env", "WORD=a=b c", "--env", "OTHER=")
        self.assertEqual(result.returncode, 0, result.stderr)
        names = ["first", "second", "edit", "edit with an older time", "other"]
        self.assertEqual(result.stderr, "".join(
            f'=== build "{name}"\nfirst line\na=b c OTHER,WORD\nend\n' for name in names))
        rooms = {name: "room-2" if name == "other" else "room-1" for name in names}
        for name, room in rooms.items():
            self.assertTrue((self.folder / "kept" / room / name / "out/run.sh").exists(), name)
            self.assertTrue((self.folder / "kept" / room / name / "log").exists(), name)
        self.assertIn("/pfs/out/rewritten", (self.folder / "kept/room-1/edit/out/probe.sh").read_text())
        self.assertEqual(sorted(path.name for path in (self.folder / "kept").iterdir()), ["room-1", "room-2", "source"])
        again = self.examine("--keep", "kept")
        self.assertEqual((again.returncode, again.stderr), (
            64, "error: --keep kept: already exists\nhint: name a new folder, or an empty one\n"))

    def test_what_is_not_wrong_but_could_be_better(self):
        self.builder(build=BUILD + "sleep 1.1\ndate +%N > /pfs/out/built\n")
        result = self.examine()
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = self.rows(result)
        self.assertEqual(rows["reproducible"], ("note", "built twice, other bytes in built: all datums run again"))
        self.assertRegex(" ".join(rows["second build"]), r"^note 1\.\d s \(first build: 1\.\d s\): nothing is kept$")

    def test_reports_for_programs(self):
        self.builder(build="exit 3 # & < \"\n")
        result = self.examine("--junit", "report.xml", "-o", "json")
        self.assertEqual(result.returncode, 1)
        document = json.loads(result.stdout)
        self.assertEqual(document["builder"], "builder")
        self.assertEqual(document["rows"][0], {"name": "build", "outcome": "failed", "text": "exit code 3"})
        suite = xml.etree.ElementTree.parse(self.folder / "report.xml").getroot()
        self.assertEqual((suite.get("name"), suite.get("failures")), ("builder", "1"))
        self.assertEqual(len(suite), len(document["rows"]))
        self.assertEqual(suite[0].find("failure").get("message"), "exit code 3")

    def test_what_cannot_be_examined(self):
        self.builder()
        self.write("empty/probe/probe.sh", "")
        hint = "hint: name the source of a probe (see docs/authoring-builders.md)\n"
        for words, code, expected in (
                (["empty"], 65, "error: empty: has neither builder.toml nor build.sh\nhint: a builder is a folder with "
                                "one of them, or an image with a build.sh\n"),
                (["./bulder"], 64, 'error: ./bulder: no such folder\nhint: did you mean "./builder"?\n'),
                *((["builder", "--timeout", text], 64, f"error: --timeout: invalid duration \"{text}\"\nhint: write a number above 0 "
                                                      "with a unit: 30s, 1m30s\n") for text in ("0s", "x", "20", "-1s")),
                (["builder", "--timeout", ""], 64, "error: --timeout: requires a value (DURATION)\n"
                                                "hint: see pachbuild builder test --help\n"),
                (["builder", "--env", "X"], 64, "error: --env X: does not have the form NAME=VALUE\n"),
                (["builder", "--env", "=X"], 64, "error: --env =X: does not have the form NAME=VALUE\n"),
                (["builder", "--mount", "a:/b"], 64, "error: --mount: is for images\nhint: omit it: the builds of a "
                                                     "folder see this machine's files\n"),
                (["image:1", "--mount", "a:/b"], 64, 'error: --mount a:/b: "a" does not exist\n'),
                *((["image:1", "--mount", words], 64, f"error: --mount {words}: does not have the form PATH:PATH\nhint: the first path is on this machine; the second is an absolute path in the container, without commas\n")
                  for words in ("a", "a:b", ":/a", "a:", "a:/b,c")),
                (["builder", "--source", "nope"], 64, "error: --source nope: is not a folder\n" + hint),
                ([], 64, "error: DIR|IMAGE is required\nhint: see pachbuild builder test --help\n")):
            result = self.run_program(support.PACHBUILD, "builder", "test", *words)
            self.assertEqual((result.returncode, result.stderr), (code, expected))


if __name__ == "__main__":
    support.main()
