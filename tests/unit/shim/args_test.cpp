// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/args.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "base/errors.h"

namespace shim {
namespace {

const std::string k_digest(64, 'a');

// A command line as main() gets it.
class CommandLine {
 public:
  explicit CommandLine(std::vector<std::string> words) : m_words(std::move(words)) {
    for (auto& word : m_words) m_pointers.push_back(word.data());
    m_pointers.push_back(nullptr);
  }
  [[nodiscard]] base::Result<Invocation> parse() const {
    return parse_arguments(static_cast<int>(m_words.size()), m_pointers.data());
  }

 private:
  std::vector<std::string> m_words;
  std::vector<char*> m_pointers;
};

CommandLine command_line(std::vector<std::string> words) {
  words.insert(words.begin(), "worker-shim");
  return CommandLine(std::move(words));
}

// What is left for the user's program.
std::vector<std::string> words_of(const std::vector<std::string>& words) {
  const auto line = command_line(words);
  const auto invocation = line.parse();
  if (!invocation) return {"refused: " + base::format_error(invocation.error())};
  std::vector<std::string> result;
  for (char* const* word = invocation->words; *word != nullptr; ++word) result.emplace_back(*word);
  return result;
}

Mode mode_of(const std::vector<std::string>& words) { return command_line(words).parse().value().mode; }

std::string error_of(const std::vector<std::string>& words) {
  const auto invocation = command_line(words).parse();
  return invocation ? "accepted" : base::format_error(invocation.error());
}

using Words = std::vector<std::string>;

TEST(ParseArguments, SomeWordsOfTheCommandAreExpanded) {
  const auto expanded = [](const std::string& count) {
    return command_line({"--expand", count, "--exec", "--", "a"}).parse().value().expanded;
  };
  EXPECT_EQ(expanded("3"), 3U);
  EXPECT_EQ(expanded("0"), 0U);
  EXPECT_EQ(expanded("1000000"), 1'000'000U);
  EXPECT_EQ(command_line({"--exec", "--", "a"}).parse().value().expanded, 0U);
  for (const std::string wrong : {"1000001", "-1", "x", "1x"}) {
    EXPECT_EQ(error_of({"--expand", wrong, "--exec", "--", "a"}),
              "error: --expand: invalid value \"" + wrong +
                  "\": expected a number of arguments\nhint: see worker-shim --help\n");
  }
}

TEST(ParseArguments, WithoutAnyRunsTheScript) {
  EXPECT_EQ(mode_of({}), Mode::run_script);
  EXPECT_EQ(words_of({}), Words{});
  EXPECT_EQ(CommandLine({}).parse().value().mode, Mode::run_script) << "argv may be empty";
}

TEST(ParseArguments, TakesNothingAfterTheSeparator) {
  EXPECT_EQ(words_of({"--", "--exec", "--help", "--"}), (Words{"--exec", "--help", "--"}));
  EXPECT_EQ(mode_of({"--", "--exec"}), Mode::run_script);
  EXPECT_EQ(words_of({"--exec", "--", "--version", "--help"}), (Words{"--version", "--help"}));
  EXPECT_EQ(words_of({"--exec", "--", "--", "a"}), (Words{"--", "a"}));
}

TEST(ParseArguments, TakesNothingAfterTheFirstWord) {
  EXPECT_EQ(words_of({"a", "--help", "--", "--exec"}), (Words{"a", "--help", "--", "--exec"}));
  EXPECT_EQ(words_of({"", "--help"}), (Words{"", "--help"}));
  EXPECT_EQ(words_of({"-", "--help"}), (Words{"-", "--help"}));
  EXPECT_EQ(words_of({"--exec", "cat", "--build", "--"}), (Words{"cat", "--build", "--"}));
}

TEST(ParseArguments, ReadsValuesInBothForms) {
  for (const auto& words : {Words{"--build", "/b", "--environment", k_digest, "--exec", "--", "true"},
                            Words{"--build=/b", "--environment=" + k_digest, "--exec", "--", "true"}}) {
    const auto line = command_line(words);
    const auto invocation = line.parse().value();
    EXPECT_EQ(invocation.mode, Mode::command);
    EXPECT_EQ(invocation.build_folder, "/b");
    EXPECT_EQ(invocation.environment, k_digest);
    EXPECT_STREQ(invocation.words[0], "true");
  }
}

TEST(ParseArguments, KnowsItsOtherModes) {
  EXPECT_EQ(mode_of({"--help", "anything", "--nonsense"}), Mode::help);
  EXPECT_EQ(mode_of({"--version"}), Mode::version);
  EXPECT_EQ(command_line({"--install", "/d"}).parse().value().install_folder, "/d");
}

TEST(ParseArguments, EveryOptionOfASupervisorAsksForOne) {
  for (const auto& words : {Words{"--supervise"}, Words{"--grace", "5s"}, Words{"--single-process"},
                            Words{"--remap-exit", "143:0"}, Words{"--parent-death-signal", "TERM"}}) {
    EXPECT_TRUE(command_line(words).parse().value().supervision.asked) << words.front();
  }
  EXPECT_FALSE(command_line({"--exec", "true"}).parse().value().supervision.asked);
}

Supervision supervision_of(const Words& words) { return command_line(words).parse().value().supervision; }

TEST(ParseArguments, ReadsTimes) {
  using std::chrono::milliseconds;
  EXPECT_EQ(supervision_of({"--supervise"}).grace, milliseconds(10'000));
  EXPECT_EQ(supervision_of({"--grace=0s"}).grace, milliseconds(0));
  EXPECT_EQ(supervision_of({"--grace", "250ms"}).grace, milliseconds(250));
  EXPECT_EQ(supervision_of({"--grace", "2m"}).grace, milliseconds(120'000));
  EXPECT_EQ(supervision_of({"--grace", "1000000h"}).grace, std::chrono::hours(1'000'000));
  for (const auto* const wrong :
       {"5", "s", "-1s", "1.5s", "1 s", "10000000h", "99999999999999999999s", "5S"}) {
    EXPECT_EQ(error_of({"--grace", wrong}).substr(0, 16), "error: --grace: ") << wrong;
  }
}

TEST(ParseArguments, ReadsExitCodes) {
  const auto supervision =
      supervision_of({"--remap-exit", "143:0", "--remap-exit=0:255", "--remap-exit", "255:1"});
  EXPECT_EQ(supervision.exit_code(143), 0);
  EXPECT_EQ(supervision.exit_code(0), 255) << "each code becomes another once";
  EXPECT_EQ(supervision.exit_code(255), 1);
  EXPECT_EQ(supervision.exit_code(142), 142);
  for (const auto* const wrong : {"143", "143:", ":0", "256:0", "0:256", "-1:0", "1:2:3", "a:b"}) {
    EXPECT_EQ(error_of({"--remap-exit", wrong}).substr(0, 21), "error: --remap-exit: ") << wrong;
  }
}

TEST(ParseArguments, ReadsSignals) {
  for (const auto* const name : {"TERM", "SIGTERM", "15"}) {
    EXPECT_EQ(supervision_of({"--parent-death-signal", name}).parent_death_signal, SIGTERM);
  }
  EXPECT_EQ(supervision_of({"--parent-death-signal", "64"}).parent_death_signal, 64);
  for (const auto* const wrong : {"0", "65", "term", "SIG", "-15", "TERMX", "SIGSIGTERM"}) {
    EXPECT_EQ(error_of({"--parent-death-signal", wrong}).substr(0, 30), "error: --parent-death-signal: ")
        << wrong;
  }
}

TEST(ParseArguments, SaysWhatIsWrong) {
  const std::string see_help = "hint: see worker-shim --help\n";
  EXPECT_EQ(error_of({"--colour"}),
            "error: unknown option --colour\n"
            "hint: put -- before the arguments of your own program\n");
  EXPECT_EQ(error_of({"-v"}),
            "error: unknown option -v\n"
            "hint: put -- before the arguments of your own program\n");
  EXPECT_EQ(error_of({"--exec"}), "error: --exec: no command given\n" + see_help);
  EXPECT_EQ(error_of({"--exec", "--"}), "error: --exec: no command given\n" + see_help);
  EXPECT_EQ(error_of({"--exec=true"}), "error: --exec: does not take a value\n" + see_help);
  EXPECT_EQ(error_of({"--exec", "--build", "/b", "true"}),
            "error: --build: follows --exec, which ends the options of worker-shim\n"
            "hint: put options before --exec, and -- before a command that begins with -\n");
  EXPECT_EQ(error_of({"--build"}), "error: --build: requires a value\n" + see_help);
  EXPECT_EQ(error_of({"--build="}), "error: --build: has an empty value\n" + see_help);
  EXPECT_EQ(error_of({"--environment", k_digest, "a"}), "error: --environment: requires --exec\n" + see_help);
  EXPECT_EQ(error_of({"--environment", "../x", "--exec", "true"}),
            "error: --environment: invalid value \"../x\": expected 64 hexadecimal digits\n" + see_help);
  EXPECT_EQ(error_of({"--install", "/d", "x"}), "error: --install: unexpected argument x\n" + see_help);
  EXPECT_EQ(error_of({"--check", "--install", "/d"}),
            "error: --check: cannot be used with --install\n" + see_help);
  EXPECT_EQ(
      error_of({"--grace", "5"}),
      "error: --grace: invalid value \"5\": expected a duration, such as 10s, 500ms or 2m\n" + see_help);
  EXPECT_EQ(error_of({"--remap-exit", "5"}),
            "error: --remap-exit: invalid value \"5\": expected two exit codes, such as 143:0\n" + see_help);
  EXPECT_EQ(error_of({"--parent-death-signal", "5x"}),
            "error: --parent-death-signal: invalid value \"5x\": expected a signal, such as TERM or 15\n" +
                see_help);
}

}  // namespace
}  // namespace shim
