// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/history/words.h"

#include <gtest/gtest.h>

#include "example.h"

namespace history {
namespace {

TEST(ShownTexts, HideNothingButPasswords) {
  EXPECT_EQ(shown("a\x1b[31m\n\xff über"), "a\\x1b[31m\\n\\xff über");
  EXPECT_EQ(shown("https://ada:secret@host/ "), "https://ada:***@host/ ");
  EXPECT_EQ(shown("gpj.\xe2\x80\xae"
                  "exe"),
            "gpj.\\u202eexe");
  EXPECT_EQ(shown_lines("one\r\n\x1b[31mred\x1b[0m\ttab\n\x01"), "one\nred\ttab\n\\x01");
  EXPECT_EQ(shown_lines("a\xe2\x81\xa6z"), "a\\u2066z");
}

TEST(CommandLine, IsWhatAShellReadsBack) {
  EXPECT_EQ(command_line({"pachbuild", "a b", "it's", "", "$x"}), "pachbuild 'a b' 'it'\\''s' '' '$x'");
  EXPECT_EQ(command_line({"line\nbreak", "\x1b'\\"}), "$'line\\nbreak' $'\\x1b\\'\\\\'");
  EXPECT_EQ(command_line({"--arg", "url=https://ada:secret@host/"}), "--arg 'url=https://ada:***@host/'");
}

TEST(DatumCommands, AreTheWholeCommandForOneDatum) {
  auto run = example_run();
  const auto command = run_datum(run, run.pipelines[1]);
  EXPECT_EQ(command.before,
            "cd /home/ada && pachbuild run -f 'a spec.json' -o out --force --pipeline reduce --tick "
            "2026-11-26T00:00:00Z --datum ");
  EXPECT_EQ(command.after, " -- --level 'it'\\''s'");
  EXPECT_EQ(run_again(run),
            "cd /home/ada && pachbuild run -f 'a spec.json' -o out --datum 7 --report=r.html --trace t.json "
            "--failed -- "
            "--level 'it'\\''s'");
  run.pipelines.resize(1);
  run.after_dashes.clear();
  run.tick.clear();
  EXPECT_EQ(run_datum(run, run.pipelines[0]).before,
            "cd /home/ada && pachbuild run -f 'a spec.json' -o out --force --datum ");
  EXPECT_EQ(run_datum(run, run.pipelines[0]).after, "");
}

TEST(DatumCommands, OpenAShell) {
  const auto run = example_run();
  const auto command = open_shell(run, run.pipelines[0]);
  EXPECT_EQ(
      command.before,
      "cd /home/ada && pachbuild shell -f 'a spec.json' --pipeline map --tick 2026-11-26T00:00:00Z --datum ");
  EXPECT_EQ(command.after, "");
}

TEST(DatumCommands, LeaveOptionsOutInEachForm) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(without_options({"a", "--x", "1", "--y=2", "--xy", "3", "--x=4", "--y"}, {"--x", "--y"}),
            (Words{"a", "--xy", "3"}));
  EXPECT_EQ(without_options({"-o", "1", "-o2", "--o", "--flag", "--flags"}, {"-o"}, {"--flag"}),
            (Words{"--o", "--flags"}));
}

TEST(CommandLine, EveryCharacterThatChangesTheDirectionIsWritten) {
  for (const auto& [character, written] :
       std::vector<std::pair<std::string, std::string>>{{"\u061c", "\\u061c"},
                                                        {"\u200e", "\\u200e"},
                                                        {"\u200f", "\\u200f"},
                                                        {"\u202a", "\\u202a"},
                                                        {"\u202b", "\\u202b"},
                                                        {"\u202c", "\\u202c"},
                                                        {"\u202d", "\\u202d"},
                                                        {"\u202e", "\\u202e"},
                                                        {"\u2066", "\\u2066"},
                                                        {"\u2067", "\\u2067"},
                                                        {"\u2068", "\\u2068"},
                                                        {"\u2069", "\\u2069"}}) {
    EXPECT_EQ(shown("a" + character + "b" + character), "a" + written + "b" + written);
    EXPECT_EQ(command_line({"a" + character}), "$'a" + written + "'");
  }
  EXPECT_EQ(command_line({"it's\\\x01"}), "$'it\\'s\\\\\\x01'");
  EXPECT_EQ(command_line({}), "");
}

TEST(DatumCommands, LeaveOutWhatIsOfTheWholeRun) {
  auto run = example_run();
  run.words = {"run",
               "a",
               "--output",
               "o",
               "-oo",
               "-o",
               "o",
               "--workers=3",
               "-w",
               "2",
               "--logs",
               "--force",
               "--partial",
               "--quiet",
               "-q",
               "--verbose",
               "-v",
               "--allow-empty",
               "--hard-links",
               "--pipeline",
               "x",
               "--datum=1",
               "--tick",
               "t",
               "--explain",
               "--failed",
               "--report",
               "r",
               "--trace=t",
               "--input",
               "run=x"};
  run.after_dashes.clear();
  run.tick.clear();
  run.pipelines.resize(1);
  EXPECT_EQ(open_shell(run, run.pipelines[0]).before,
            "cd /home/ada && pachbuild shell a --input run=x --datum ");
  EXPECT_EQ(run_datum(run, run.pipelines[0]).before,
            "cd /home/ada && pachbuild run a --output o -oo -o o --workers=3 -w 2 --logs --partial --quiet "
            "-q --verbose "
            "-v --allow-empty --hard-links --input run=x --force --datum ");
  run.words.clear();
  EXPECT_EQ(open_shell(run, run.pipelines[0]).before, "cd /home/ada && pachbuild --datum ");
}

}  // namespace
}  // namespace history
