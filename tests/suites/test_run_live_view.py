# SPDX-License-Identifier: Apache-2.0
"""What `pachbuild run` draws on a terminal: how far everything is, below what stays."""

import os
import re
import signal
import time

import pipelines
import support
import terminal

# A datum runs until its file `go-NAME` is there.
WAITING = 'name=$(basename "$data"); echo "at work on $name"; while ! [ -e "{0}/go-$name" ]; do sleep 0.02; done; ' \
          'case $name in bad*) echo "no good row" >&2; exit 3;; esac; echo "$name" > "/pfs/out/$name"\n'


class LiveView(pipelines.PipelineSuite):
    def setUp(self):
        super().setUp()
        self.shell_pipeline(WAITING.format(self.folder))

    def start(self, *arguments, workers=3, columns=80, rows=24, wraps_anew=True, **changes):
        changes = {"CI": None, "NO_COLOR": None, "TERM": "xterm-256color", "XTERM_VERSION": None, **changes}
        session = terminal.Session([str(word) for word in self.command("--workers", workers, *arguments)],
                                   self.environment(**changes), columns, rows, wraps_anew, self.folder)
        self.addCleanup(session.close)
        return session

    def let_go(self, *names):
        for name in names:
            self.write(f"go-{name}", "")

    def wait_for_line(self, session, pattern):
        session.wait_for(lambda screen: any(re.search(pattern, line) for line in screen.window()), pattern)

    def assert_clean(self, session):
        """Nothing of the view is left, and nothing else was sent than what a terminal has to know."""
        lines = session.screen.all_lines()
        self.assertFalse([line for line in lines if re.search(r"^edges: |^  \d+ |of \d+ datums", line)], lines)
        self.assertEqual(session.screen.unknown, [])
        self.assertTrue(session.screen.wraps)

    def test_what_goes_on_is_drawn_and_taken_away(self):
        self.data(a="1", b="2", bad="3")
        session = self.start()
        self.wait_for_line(session, r"^edges: 0 of 3 datums, \d s")
        self.wait_for_line(session, r"^  \d a {20,} +[1-9]\d* s  at work on a$")
        self.let_go("bad")
        self.wait_for_line(session, r"^edges: 1 of 3 datums, 1 failed, \d+ s, about \d+ s to go")
        self.wait_for_line(session, r"^no good row$")
        self.let_go("a", "b")
        self.assertEqual(session.finish(), 1)
        self.assert_clean(session)
        lines = session.screen.all_lines()
        self.assertRegex(lines[0], "^build.sh: done|^detect: ")
        failures = [line for line in lines if line.startswith("warning: datum data/bad failed: exit code 3")]
        self.assertEqual(len(failures), 1)
        self.assertRegex("\n".join(lines), "datums: 2 processed, 0 skipped, 1 failed")
        self.assertIn("31", session.screen.colours)

    def test_a_small_window(self):
        self.data(**{f"file-with-a-long-name-{number:02}": "x" for number in range(30)})
        session = self.start(workers=30, columns=40, rows=10)
        self.wait_for_line(session, r"^edges: 0 of 30 datums, \d+ s")
        self.wait_for_line(session, r"^  and 2\d more$")
        for line in session.screen.window():
            if line.startswith(("edges: ", "  ")):
                self.assertLess(len(line), 40)
        self.assertEqual(len([line for line in session.screen.window() if re.match("edges: |  ", line)]), 5)
        self.let_go(*(f"file-with-a-long-name-{number:02}" for number in range(30)))
        self.assertEqual(session.finish(), 0)
        self.assert_clean(session)

    def test_wide_characters(self):
        self.shell_pipeline('printf "進捗: 三十パーセント 完了 しました が まだ 続き ます そして もう 少し\\n"; '
                            f'while ! [ -e "{self.folder}/go-a" ]; do sleep 0.02; done\n')
        self.data(a="1")
        session = self.start(columns=40)
        self.wait_for_line(session, r"^  1 a +\d+ s  進捗: .*…$")
        self.let_go("a")
        self.assertEqual(session.finish(), 0)
        self.assert_clean(session)

    def test_a_resized_window(self):
        for wraps_anew in (True, False):
            with self.subTest(wraps_anew=wraps_anew):
                self.data(a="1", b="2", bad="3")
                session = self.start("--force", wraps_anew=wraps_anew,
                                     XTERM_VERSION=None if wraps_anew else "XTerm(372)")
                self.wait_for_line(session, r"^  \d b +[1-9]\d* s")
                self.let_go("bad")
                self.wait_for_line(session, r"^no good row$")
                before = [line for line in session.screen.all_lines() if line.startswith("no good row")]
                for columns in (70, 55, 40):
                    session.resize(columns, 12)
                    session.read(0.05)
                session.wait_for(lambda screen: [line for line in screen.window() if line.startswith("edges: 1 of 3")]
                                 and all(len(line) < 40 for line in screen.window() if line.startswith("  ")), "narrow")
                time.sleep(0.5)
                session.read(0.1)
                # Once each: no row of what was drawn before is left.
                self.assertEqual(len([line for line in session.screen.window() if line.startswith("edges: ")]), 1,
                                 session.screen.window())
                after = [line for line in session.screen.all_lines() if line.startswith("no good row")]
                self.assertEqual(after, before)
                session.resize(100, 30)
                self.let_go("a", "b")
                self.assertEqual(session.finish(), 1)
                self.assert_clean(session)
                for name in ("a", "b", "bad"):
                    (self.folder / f"go-{name}").unlink()

    def test_ctrl_c(self):
        self.data(a="1")
        session = self.start()
        self.wait_for_line(session, r"^  1 a +[1-9]\d* s")
        session.type(b"\x03")
        self.assertEqual(session.finish(), 130)
        self.assert_clean(session)
        warnings = [line for line in session.screen.all_lines() if line.startswith("warning: interrupted")]
        self.assertEqual(len(warnings), 1)

    def test_ctrl_z(self):
        self.data(a="1")
        session = self.start()
        self.wait_for_line(session, r"^  1 a +[1-9]\d* s")
        os.killpg(session.process.pid, signal.SIGTSTP)
        end = time.monotonic() + 20
        # In a session without a shell the kernel does not stop it, but the view goes and comes back all the same.
        state = f"/proc/{session.process.pid}/stat"
        session.wait_for(lambda screen: "\x1b[J" in session.text.rsplit("at work", 1)[-1] or time.monotonic() > end,
                         "gone")
        with open(state, encoding="utf-8") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "T":
                self.assert_clean(session)
        os.killpg(session.process.pid, signal.SIGCONT)
        self.let_go("a")
        self.assertEqual(session.finish(), 0)
        self.assert_clean(session)

    def test_without_colours(self):
        self.data(a="1", bad="2")
        session = self.start(NO_COLOR="1")
        self.wait_for_line(session, r"^  \d a +[1-9]\d* s")
        self.let_go("a", "bad")
        session.finish()
        self.assertEqual(session.screen.colours, [])

    def test_where_nothing_is_drawn(self):
        self.data(a="1")
        self.let_go("a")
        for changes in ({"TERM": "dumb"}, {"TERM": None}, {"CI": "true"}, {"PACHBUILD_LOG": "json"}):
            with self.subTest(changes=changes):
                session = self.start("--force", **changes)
                self.assertEqual(session.finish(), 0)
                self.assertNotIn("\x1b", session.text)

    def test_links_to_the_source(self):
        self.shell_pipeline("echo /pfs/source/program.sh:12: no such row; exit 1\n")
        self.data(a="1")
        session = self.start(FORCE_HYPERLINK="1")
        self.assertEqual(session.finish(), 1)
        self.assertIn("source/program.sh:12: no such row", session.screen.all_lines())
        self.assertRegex(session.screen.links[0], f"^file://[^/]*{self.folder}/source/program.sh$")
        plain = self.start(TERM="xterm", TERM_PROGRAM=None, COLORTERM=None, VTE_VERSION=None, WT_SESSION=None,
                           KONSOLE_VERSION=None, DOMTERM=None, FORCE_HYPERLINK=None)
        plain.finish()
        self.assertEqual(plain.screen.links, [])

    def test_a_program_cannot_steer_the_terminal(self):
        self.shell_pipeline('printf "\\033[2J\\033]0;title\\007\\033[31mred\\r10%%\\r20%%\\n"; '
                            'printf "bell\\a\\033[5A\\n"; '
                            f'while ! [ -e "{self.folder}/go-a" ]; do sleep 0.02; done\n')
        self.data(a="1")
        session = self.start()
        self.wait_for_line(session, r"^  1 a +[1-9]\d* s  bell\\x07$")
        self.let_go("a")
        session.finish()
        self.assert_clean(session)


if __name__ == "__main__":
    support.main()
