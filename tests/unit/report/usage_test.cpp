// SPDX-License-Identifier: Apache-2.0
#include "report/usage.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>

#include "base/errors.h"

namespace report {
namespace {

// A program with verbs, and what it says to words.
class Usage : public testing::Test {
 protected:
  Usage() {
    set_help_form(m_app);
    m_app.require_subcommand(1);
    auto* run = m_app.add_subcommand("run", "Run it");
    auto* spec =
        run->add_option("SPEC,-f,--file", m_texts, "Specs")->type_name("SPEC")->allow_extra_args(false);
    auto* other = run->add_option("--jsonnet", m_text, "A template")->type_name("FILE")->excludes(spec);
    run->add_option("--arg", m_more, "For the template")->type_name("KEY=VALUE")->needs(other);
    run->add_option("--output", m_text, "A form")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json", "dot"}));
    check_whole_number(*run->add_option("-w,--workers", m_number, "How many")->type_name("N"), 1, 1024);
    read_size(*run->add_option("--size", m_size, "How large")->type_name("SIZE"));
    run->add_option("--count", m_number, "How many")->type_name("N");
    run->add_option("--context", m_text, "Where")->type_name("DIR");
    allow_empty(*run->add_option("--prefix", m_text, "Of names")->type_name("PREFIX"));
    run->add_flag("--all", m_flag, "All");
    auto* list = m_app.add_subcommand("list", "List")->require_subcommand(1);
    list->add_subcommand("datum", "Datums")->add_option("DIR", m_text, "Where")->type_name("DIR")->required();
  }

  std::string said(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      m_app.parse(words);
    } catch (const CLI::ParseError& error) {
      return base::format_error(usage_error(m_app, error));
    }
    const auto checked = check_values(m_app);
    return checked ? "accepted" : base::format_error(checked.error());
  }

  static std::string fault(const std::string& what, const std::string& verb = "run") {
    return "error: " + what + "\nhint: see program " + verb + " --help\n";
  }

  CLI::App m_app{"", "program"};
  std::string m_text;
  std::vector<std::string> m_texts;
  std::vector<std::string> m_more;
  int m_number = 0;
  std::uint64_t m_size = 0;
  bool m_flag = false;
};

TEST_F(Usage, OfVerbs) {
  EXPECT_EQ(said({}), "error: program: a command is required\nhint: see program --help\n");
  EXPECT_EQ(said({"list"}), fault("list: a command is required", "list"));
  EXPECT_EQ(said({"list", "datum"}), fault("DIR is required", "list datum"));
  EXPECT_EQ(said({"rnu"}), "error: unknown command rnu\nhint: did you mean \"run\"?\n");
  EXPECT_EQ(said({"datum"}), "error: unknown command datum\nhint: did you mean \"list datum\"?\n");
  EXPECT_EQ(said({"xyzzy"}), "error: unknown command xyzzy\nhint: see program --help\n");
}

TEST_F(Usage, OfWordsThatNobodyKnows) {
  EXPECT_EQ(said({"run", "--bogus=x"}), fault("unknown option --bogus"));
  EXPECT_EQ(said({"run", "--alll"}), "error: unknown option --alll\nhint: did you mean \"--all\"?\n");
  EXPECT_EQ(said({"list", "datum", "a", "b"}), fault("unexpected argument b", "list datum"));
}

TEST_F(Usage, OfHowOftenAnOptionIsGiven) {
  EXPECT_EQ(said({"run", "--context", "a", "--context", "b"}), fault("--context: may be given only once"));
  EXPECT_EQ(said({"run", "--context"}), fault("--context: requires a value (DIR)"));
  EXPECT_EQ(said({"run", "--jsonnet", "a", "--arg"}), fault("--arg: requires a value (KEY=VALUE)"));
  EXPECT_EQ(said({"run", "--output"}), fault("--output: requires a value (text, json or dot)"));
  EXPECT_EQ(said({"run", "--all=nonsense"}), fault("--all: does not take a value"));
}

TEST_F(Usage, OfValues) {
  EXPECT_EQ(said({"run", "--output", "svg"}), fault("--output svg: must be text, json or dot"));
  EXPECT_EQ(said({"run", "--output", "jsn"}),
            "error: --output jsn: must be text, json or dot\nhint: did you mean \"json\"?\n");
  EXPECT_EQ(said({"run", "--count", "x"}), fault("--count x: must be a number"));
  for (const std::string value : {"0", "1025", "x", "1x", "-1"}) {
    EXPECT_EQ(said({"run", "--workers", value}),
              fault("--workers " + value + ": must be a whole number from 1 to 1024"));
  }
  EXPECT_EQ(said({"run", "--workers", "1"}), "accepted");
  EXPECT_EQ(said({"run", "--workers", "1024"}), "accepted");
  EXPECT_EQ(m_number, 1024);
}

TEST_F(Usage, OfValuesThatAreEmpty) {
  EXPECT_EQ(said({"run", "--context", ""}), fault("--context: requires a value (DIR)"));
  EXPECT_EQ(said({"run", "--context="}), fault("--context: requires a value (DIR)"));
  EXPECT_EQ(said({"run", "--jsonnet", "a", "--arg", "x=1", "--arg", ""}),
            fault("--arg: requires a value (KEY=VALUE)"));
  EXPECT_EQ(said({"run", "--prefix", ""}), "accepted");
  EXPECT_EQ(said({"run", "--all", "--context", "x"}), "accepted");
  EXPECT_EQ(said({"run", "-f", ""}), "accepted") << "an argument of its own";
  EXPECT_EQ(said({"list", "datum", ""}), "accepted");
}

TEST_F(Usage, OfSizes) {
  for (const std::string value : {"x", "1 lot", "1.5GiB", "-1"}) {
    EXPECT_EQ(said({"run", "--size", value}),
              fault("--size " + value + ": must be a size such as 20GiB or 500MiB"));
  }
  for (const auto& [text, bytes] :
       {std::pair<std::string, std::uint64_t>("7", 7), {"7B", 7}, {"2k", 2048}, {"500MiB", 500 << 20}}) {
    EXPECT_EQ(said({"run", "--size", text}), "accepted");
    EXPECT_EQ(m_size, bytes);
  }
}

TEST_F(Usage, OfOptionsThatDoNotFit) {
  EXPECT_EQ(said({"run", "-f", "a", "--jsonnet", "b"}), fault("--file: cannot be used with --jsonnet"));
  EXPECT_EQ(said({"run", "--arg", "a=b"}), fault("--arg: requires --jsonnet"));
}

TEST_F(Usage, AnArgumentHasOneName) {
  EXPECT_EQ(m_app.get_subcommand("list")->get_subcommand("datum")->help(),
            "Datums\nUsage: datum [OPTIONS] DIR\n\nArguments:\n  DIR                         Where\n\n"
            "Options:\n  -h,--help                   Print this help message and exit\n\n");
  const auto run = m_app.get_subcommand("run")->help();
  EXPECT_THAT(run,
              testing::StartsWith("Run it\nUsage: run [OPTIONS] [SPEC]\n\nArguments:\n"
                                  "  SPEC                        Same as --file; for more than one, repeat "
                                  "--file\n\nOptions:\n"));
}

TEST_F(Usage, WhatGoesWithAnOptionIsInItsText) {
  auto* run = m_app.get_subcommand("run");
  run->add_option("--images", m_text, "A prefix")->type_name("PREFIX")->envname("NO_SUCH_VARIABLE");
  run->add_option("--name", m_text, "Its name")->type_name("NAME")->required();
  run->add_flag("--none", m_flag, "Nothing")
      ->excludes(run->get_option("--jsonnet"))
      ->excludes(run->get_option("--all"));
  const auto help = run->help();
  for (const char* line : {"  -f,--file SPEC              Specs (not with --jsonnet)",
                           "  --arg KEY=VALUE             For the template (only with --jsonnet)",
                           "  --output text|json|dot      A form",
                           "  --images PREFIX             A prefix (default: $NO_SUCH_VARIABLE)",
                           "  --name NAME                 Its name (required)",
                           "  --none                      Nothing (not with --all or --jsonnet)",
                           "  --jsonnet FILE              A template (not with --file or --none)"})
    EXPECT_THAT(help, testing::HasSubstr("\n" + std::string(line) + "\n"));
}

TEST_F(Usage, LongTextsAreInSeveralLines) {
  std::string text(50, 'a');
  text += " b c " + std::string(100, 'd') + " e";
  m_app.get_subcommand("run")->add_option("--" + std::string(30, 'x'), m_text, text)->type_name("X");
  const std::string column(30, ' ');
  EXPECT_THAT(
      m_app.get_subcommand("run")->help(),
      testing::HasSubstr("\n  --" + std::string(30, 'x') + " X\n" + column + std::string(50, 'a') + "\n" +
                         column + "b c\n" + column + std::string(100, 'd') + "\n" + column + "e\n"));
}

TEST(UsageForm, SeveralValuesOfAnArgumentAreThreeDots) {
  CLI::App app;
  std::vector<std::string> texts;
  set_help_form(app);
  app.add_option("PATH", texts, "Files")->type_name("PATH");
  app.add_option("--env", texts, "Variables; may be repeated")->type_name("NAME=VALUE");
  EXPECT_THAT(app.help(), testing::HasSubstr(" [PATH...]\n"));
  EXPECT_THAT(app.help(), testing::HasSubstr("\n  PATH...                     Files\n"));
  EXPECT_THAT(app.help(), testing::HasSubstr("\n  --env NAME=VALUE            Variables; may be repeated\n"));
}

TEST_F(Usage, HasWhatMayFollowDashesAndOneBlankLineBeforeTheText) {
  auto* run = m_app.get_subcommand("run");
  add_usage_after_dashes(*run, "ARGS...");
  run->footer("\n\nText.\n\n  program run\n\n");
  EXPECT_THAT(run->help(), testing::HasSubstr("\nUsage: run [OPTIONS] [SPEC] [-- ARGS...]\n"));
  EXPECT_THAT(run->help(), testing::EndsWith("\n\nText.\n\n  program run\n"));
  EXPECT_THAT(run->help(), testing::Not(testing::HasSubstr("\n\n\n")));
}

TEST_F(Usage, NamesAndValues) {
  const auto* run = m_app.get_subcommand("run");
  EXPECT_EQ(full_name(*run), "program run");
  EXPECT_EQ(values_of(*run->get_option("--output")), (std::vector<std::string>{"text", "json", "dot"}));
  EXPECT_EQ(values_of(*run->get_option("--context")), std::vector<std::string>{});
  EXPECT_EQ(said({"run"}), "accepted");
  EXPECT_EQ(full_name(reached_verb(m_app)), "program run");
}

}  // namespace
}  // namespace report
