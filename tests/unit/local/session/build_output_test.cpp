// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/build_output.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace local {
namespace {

class BuildOutputTest : public testing::Test {
 protected:
  // All that was printed, and "<step>" where a step began.
  void take(const Event::What& what) {
    if (const auto* prints = std::get_if<BuildPrints>(&what)) m_text += prints->text;
    if (const auto* step = std::get_if<BuildSteps>(&what)) {
      m_text += "<" + step->step + ">";
      m_meter = step->meter;
    }
  }
  std::string m_text;
  std::shared_ptr<const Meter> m_meter;
  BuildOutput m_output{[this](const Event::What& what) { take(what); }};
};

constexpr char k_line[] =
    "{\"level\":\"progress\",\"step\":\"packing\",\"done\":3,\"all\":9,\"unit\":\"bytes\"}\n";

TEST_F(BuildOutputTest, StepsAreTakenOutOfTheText) {
  m_output.add("one\n" + std::string(k_line) + "tw");
  m_output.add("o\n");
  EXPECT_EQ(m_text, "<packing>one\ntwo\n");
  EXPECT_EQ(m_meter->done, 3U);
  EXPECT_EQ(m_meter->all, 9U);
}

TEST_F(BuildOutputTest, TextStaysAsItIsInPiecesOfAnySize) {
  const std::string text = "a\n\n{\"level\":\"info\"}\n{\"level\":\"progress\",broken\nlast";
  for (const char character : text) m_output.add({&character, 1});
  m_output.finish();
  EXPECT_EQ(m_text, "a\n\n{\"level\":\"info\"}\nlast");
}

TEST_F(BuildOutputTest, ALineThatDoesNotEndIsToldWhenItIsLong) {
  const std::string longest(std::size_t{64} << 10, 'x');
  m_output.add(longest);
  EXPECT_EQ(m_text, "") << "it may still be a step";
  m_output.add("y");
  EXPECT_EQ(m_text, longest + "y");
  m_output.add("rest\n");
  EXPECT_EQ(m_text, longest + "yrest\n");
  m_output.finish();
  EXPECT_EQ(m_text, longest + "yrest\n");
}

TEST_F(BuildOutputTest, AStepThatComesAgainIsToldAgain) {
  m_output.add(k_line);
  m_output.add(k_line);
  m_output.add("packed\n");
  m_output.add(k_line);
  EXPECT_EQ(m_text, "<packing>packed\n<packing>");
}

TEST_F(BuildOutputTest, AMeterGoesOnAndAnotherStepGetsItsOwn) {
  const auto line = [](const std::string& step, int done, const std::string& unit) {
    return "{\"level\":\"progress\",\"step\":\"" + step + "\",\"done\":" + std::to_string(done) +
           ",\"all\":" + std::to_string(2 * done) + ",\"unit\":\"" + unit + "\"}\n";
  };
  m_output.add(line("packing", 1, "bytes"));
  const auto first = m_meter;
  EXPECT_FALSE(first->counts_files);
  m_output.add(line("packing", 5, "bytes"));
  EXPECT_EQ(m_meter, first);
  EXPECT_EQ(first->done, 5U);
  EXPECT_EQ(first->all, 10U);
  m_output.add(line("copying", 2, "files"));
  EXPECT_NE(m_meter, first);
  EXPECT_TRUE(m_meter->counts_files);
  EXPECT_EQ(m_text, "<packing><copying>");
}

TEST_F(BuildOutputTest, ALongLineComesInPieces) {
  constexpr std::size_t k_longest = std::size_t{64} << 10;
  m_output.add(std::string(k_longest, 'x'));
  EXPECT_EQ(m_text, "") << "its end may come";
  m_output.add("y");
  EXPECT_EQ(m_text.size(), k_longest + 1);
  m_output.add("z\n");
  EXPECT_TRUE(m_text.ends_with("xyz\n"));
  m_output.finish();
  EXPECT_EQ(m_text.size(), k_longest + 3);
}

}  // namespace
}  // namespace local
