// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace builder {
namespace {

using testing::_;
using testing::Return;

class FakeRunner : public process::Runner {
 public:
  MOCK_METHOD(base::Result<process::Finished>, run, (const process::Command&, const process::ErrorSink&),
              (override));
};

class AskTool : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "tools.").value();
  std::string m_tool = (m_folder.path() / "tool").string();
  FakeRunner m_runner;
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_runner};

  void SetUp() override { ASSERT_TRUE(base::write_file(m_tool, "1", 0755)); }

  void answer(const std::string& text, int status = 0) {
    EXPECT_CALL(m_runner, run(_, _))
        .WillOnce(Return(process::Finished{process::Ending::from_wait_status(status), text, ""}));
  }
};

TEST_F(AskTool, TheSameQuestionIsAskedOnce) {
  answer("version 1\n");
  EXPECT_EQ(m_tools.ask({m_tool, "--version"}, {}).value(), "version 1\n");
  EXPECT_EQ(m_tools.ask({m_tool, "--version"}, {}).value(), "version 1\n");
}

TEST_F(AskTool, AnotherQuestionIsAnother) {
  answer("1");
  EXPECT_TRUE(m_tools.ask({m_tool, "a", "b"}, {}));
  answer("2");
  EXPECT_EQ(m_tools.ask({m_tool, "ab"}, {}).value(), "2");
}

TEST_F(AskTool, AChangedToolIsAskedAgain) {
  answer("1");
  EXPECT_TRUE(m_tools.ask({m_tool}, {}));
  ASSERT_TRUE(base::write_file(m_tool, "another", 0755));
  answer("2");
  EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), "2");
}

TEST_F(AskTool, AFailureIsNotKept) {
  answer("half", 3 << 8);
  EXPECT_EQ(m_tools.ask({m_tool}, {}).error().what, "does not work: it ended with exit code 3");
  answer("whole");
  EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), "whole");
}

}  // namespace
}  // namespace builder
